#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "media/dtmf.h"

/* "start 1, end 1 100" as text, so that a whole story is one string. */
static void tell(char *story, size_t size, const struct dtmf_event *events, int n)
{
	for (int i = 0; i < n; i++) {
		size_t at = strlen(story);

		if (events[i].phase == DTMF_START)
			snprintf(story + at, size - at, "+%c ", events[i].digit);
		else
			snprintf(story + at, size - at, "-%c:%u ", events[i].digit,
				 events[i].duration_ms);
	}
}

struct step {
	uint32_t timestamp;
	uint8_t payload[4];
};

static const struct {
	const char *name;
	uint32_t clock;
	struct step steps[8];
	size_t n;
	const char *want;
} stories[] = {
	{ "start, update, three ends",
	  8000,
	  { { 1000, { 5, 10, 0, 160 } },
	    { 1000, { 5, 10, 1, 64 } },
	    { 1000, { 5, 0x8a, 3, 32 } },
	    { 1000, { 5, 0x8a, 3, 32 } },
	    { 1000, { 5, 0x8a, 3, 32 } } },
	  5,
	  "+5 -5:100 " },
	{ "the same in 48 kHz",
	  48000,
	  { { 1000, { 11, 10, 3, 192 } }, { 1000, { 11, 0x8a, 18, 192 } } },
	  2,
	  "+# -#:100 " },
	{ "only the end arrives", 8000, { { 1, { 0, 0x8a, 3, 32 } } }, 1, "+0 -0:100 " },
	{ "the end is lost and another digit begins",
	  8000,
	  { { 1000, { 1, 10, 3, 32 } }, { 5000, { 2, 10, 0, 160 } } },
	  2,
	  "+1 -1:100 +2 " },
	{ "the end is lost and only the next one's end arrives",
	  8000,
	  { { 1000, { 1, 10, 3, 32 } }, { 5000, { 2, 0x8a, 3, 32 } } },
	  2,
	  "+1 -1:100 +2 -2:100 " },
	{ "the same digit twice",
	  8000,
	  { { 1000, { 7, 0x8a, 3, 32 } }, { 3000, { 7, 0x8a, 3, 32 } } },
	  2,
	  "+7 -7:100 +7 -7:100 " },
	{ "an old packet comes late",
	  8000,
	  { { 1000, { 1, 0x8a, 3, 32 } },
	    { 5000, { 2, 10, 0, 160 } },
	    { 1000, { 1, 0x8a, 3, 32 } } },
	  3,
	  "+1 -1:100 +2 " },
	{ "updates out of order do not shorten",
	  8000,
	  { { 1000, { 1, 10, 3, 32 } }, { 1000, { 1, 10, 0, 160 } }, { 1000, { 1, 0x8a, 3, 32 } } },
	  3,
	  "+1 -1:100 " },
	{ "an event that is no digit", 8000, { { 1, { 16, 0x8a, 3, 32 } } }, 1, "" },
	{ "a long one goes on in segments",
	  48000,
	  { { 100, { 9, 10, 0xff, 0xff } },
	    { 100 + 0xffff, { 9, 10, 0, 1 } },
	    { 100 + 0xffff, { 9, 0x8a, 0x72, 0x81 } } },
	  3,
	  "+9 -9:1976 " },
	{ "timestamps roll over",
	  8000,
	  { { 0xfffffff0, { 3, 0x8a, 3, 32 } }, { 2000, { 4, 0x8a, 3, 32 } } },
	  2,
	  "+3 -3:100 +4 -4:100 " },
};

/* CIG-005 */
static void what_arrives_is_told_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(stories); i++) {
		struct dtmf_receiver r;
		char story[128] = "";

		dtmf_receiver_init(&r, stories[i].clock);
		for (size_t k = 0; k < stories[i].n; k++) {
			const struct step *step = &stories[i].steps[k];
			struct dtmf_event events[3];
			int n = dtmf_receive(&r, step->timestamp, slice_of(step->payload, 4), 0,
					     events);

			assert_true(n >= 0 && n <= 3);
			tell(story, sizeof(story), events, n);
		}
		assert_string_equal(story, stories[i].want);
	}
}

static void a_short_payload_is_refused(void **state)
{
	static const uint8_t payload[4] = { 1, 10, 0, 160 };
	struct dtmf_event events[3];
	struct dtmf_receiver r;

	(void)state;
	dtmf_receiver_init(&r, 8000);
	for (size_t n = 0; n < 4; n++)
		assert_int_equal(dtmf_receive(&r, 1, slice_of(payload, n), 0, events), -EBADMSG);
}

static void an_event_of_which_nothing_more_comes_ends(void **state)
{
	static const uint8_t payload[4] = { 12, 10, 3, 32 };
	struct dtmf_event events[3];
	struct dtmf_receiver r;

	(void)state;
	dtmf_receiver_init(&r, 8000);
	assert_int_equal(dtmf_receive(&r, 1, slice_of(payload, 4), 1000, events), 1);
	assert_int_equal(dtmf_receiver_tick(&r, 1199, events), 0);
	assert_int_equal(dtmf_receiver_tick(&r, 1200, events), 1);
	assert_int_equal(events[0].digit, 'A');
	assert_int_equal(events[0].phase, DTMF_END);
	assert_int_equal(dtmf_receiver_tick(&r, 1400, events), 0);
}

/* Sends through a receiver of the same clock; returns the story. */
static void carry(struct dtmf_sender *s, struct dtmf_receiver *r, int ticks, uint32_t *timestamp,
		  char *story, size_t size, unsigned *packets)
{
	for (int i = 0; i < ticks; i++) {
		struct dtmf_packet packet;
		struct dtmf_event events[3];

		if (dtmf_sender_next(s, *timestamp, &packet)) {
			int n = dtmf_receive(r, packet.timestamp, slice_of(packet.payload, 4),
					     i * 20, events);

			assert_true(n >= 0);
			tell(story, size, events, n);
			(*packets)++;
		}
		*timestamp += s->clock / 50;
	}
}

static void digits_that_are_queued_come_out_in_order_with_their_lengths(void **state)
{
	static const uint32_t clocks[] = { 8000, 48000 };

	(void)state;
	for (size_t i = 0; i < COUNT(clocks); i++) {
		struct dtmf_sender s;
		struct dtmf_receiver r;
		char story[256] = "";
		uint32_t timestamp = 0xfffffe00;
		unsigned packets = 0;

		dtmf_sender_init(&s, clocks[i]);
		dtmf_receiver_init(&r, clocks[i]);
		assert_int_equal(dtmf_send(&s, '1', 100), 0);
		assert_int_equal(dtmf_send(&s, '1', 10), 0);
		assert_int_equal(dtmf_send(&s, '#', 2000), 0);
		assert_int_equal(dtmf_send(&s, 'D', 99999), 0);
		assert_true(dtmf_sender_busy(&s));
		carry(&s, &r, 600, &timestamp, story, sizeof(story), &packets);
		assert_string_equal(story, "+1 -1:100 +1 -1:40 +# -#:2000 +D -D:8000 ");
		assert_false(dtmf_sender_busy(&s));
		/* 20 ms each, the end three times */
		assert_int_equal(packets, (5 + 2) + (2 + 2) + (100 + 2) + (400 + 2));
	}
}

/* CIG-005: from a leg with a 48 kHz clock to one with 8 kHz and back, durations
 * and the number of digits stay. */
static void a_digit_passes_between_legs_of_different_clocks_in_real_time(void **state)
{
	static const uint32_t clocks[][2] = { { 48000, 8000 }, { 8000, 48000 }, { 8000, 8000 } };

	(void)state;
	for (size_t i = 0; i < COUNT(clocks); i++) {
		struct dtmf_sender origin, passing;
		struct dtmf_receiver middle, end;
		char story[64] = "";

		dtmf_sender_init(&origin, clocks[i][0]);
		dtmf_receiver_init(&middle, clocks[i][0]);
		dtmf_sender_init(&passing, clocks[i][1]);
		dtmf_receiver_init(&end, clocks[i][1]);
		dtmf_send(&origin, '4', 160);
		dtmf_send(&origin, '2', 60);
		for (uint32_t t = 0; t < 60; t++) {
			struct dtmf_packet packet;
			struct dtmf_event events[3];
			int n = 0;

			if (dtmf_sender_next(&origin, t * clocks[i][0] / 50, &packet))
				n = dtmf_receive(&middle, packet.timestamp,
						 slice_of(packet.payload, 4), t * 20, events);
			for (int k = 0; k < n; k++)
				assert_int_equal(dtmf_pass(&passing, &events[k]), 0);
			if (!dtmf_sender_next(&passing, t * clocks[i][1] / 50, &packet))
				continue;
			n = dtmf_receive(&end, packet.timestamp, slice_of(packet.payload, 4),
					 t * 20, events);
			tell(story, sizeof(story), events, n);
		}
		assert_string_equal(story, "+4 -4:160 +2 -2:60 ");
	}
}

static void a_digit_whose_end_never_comes_is_ended(void **state)
{
	struct dtmf_sender s;
	struct dtmf_receiver r;
	char story[64] = "";
	uint32_t timestamp = 0;
	unsigned packets = 0;

	(void)state;
	dtmf_sender_init(&s, 48000);
	dtmf_receiver_init(&r, 48000);
	assert_int_equal(dtmf_start(&s, '*'), 0);
	carry(&s, &r, 500, &timestamp, story, sizeof(story), &packets);
	assert_string_equal(story, "+* -*:8000 ");
	dtmf_stop(&s, 100); /* too late: nothing */
	assert_false(dtmf_sender_busy(&s));
}

static void one_event_has_one_timestamp_and_one_marker(void **state)
{
	struct dtmf_sender s;
	struct dtmf_packet packet;

	(void)state;
	dtmf_sender_init(&s, 8000);
	dtmf_send(&s, '8', 100);
	for (uint32_t t = 0; t < 7; t++) {
		assert_int_equal(dtmf_sender_next(&s, 5000 + t * 160, &packet), 1);
		assert_int_equal(packet.timestamp, 5000);
		assert_int_equal(packet.marker, t == 0);
		assert_int_equal(packet.payload[1] >> 7, t >= 4);
	}
	assert_int_equal(dtmf_sender_next(&s, 9000, &packet), 0);
}

static void wrong_digits_and_too_many_are_refused(void **state)
{
	struct dtmf_sender s;

	(void)state;
	dtmf_sender_init(&s, 8000);
	assert_int_equal(dtmf_send(&s, 'x', 100), -EINVAL);
	assert_int_equal(dtmf_send(&s, '\0', 100), -EINVAL);
	for (int i = 0; i < DTMF_QUEUE; i++)
		assert_int_equal(dtmf_send(&s, '0', 100), 0);
	assert_int_equal(dtmf_send(&s, '0', 100), -ENOBUFS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_arrives_is_told_once),
		cmocka_unit_test(a_short_payload_is_refused),
		cmocka_unit_test(an_event_of_which_nothing_more_comes_ends),
		cmocka_unit_test(digits_that_are_queued_come_out_in_order_with_their_lengths),
		cmocka_unit_test(a_digit_passes_between_legs_of_different_clocks_in_real_time),
		cmocka_unit_test(a_digit_whose_end_never_comes_is_ended),
		cmocka_unit_test(one_event_has_one_timestamp_and_one_marker),
		cmocka_unit_test(wrong_digits_and_too_many_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
