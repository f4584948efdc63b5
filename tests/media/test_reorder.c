#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

#include "media/reorder.h"
#include "media/rtp_source.h"

/* Each arrival is "SEQ@MS"; the story lists what came out: "1 2 (2)5" says that
 * two packets before 5 were given up, "!7" that 7 was refused on arrival. */
static const struct {
	const char *name, *arrivals, *want;
} stories[] = {
	{ "in order", "1@0 2@20 3@40 4@60", "1 2 3 4 " },
	{ "two change places", "1@0 3@20 2@21 4@40", "1 2 3 4 " },
	{ "one is lost", "1@0 3@40 4@60 5@80", "1 (1)3 4 5 " },
	{ "two are lost", "1@0 4@60 5@80 6@100", "1 (2)4 5 6 " },
	{ "a duplicate", "1@0 2@20 2@21 3@40", "1 2 !2 3 " },
	{ "a held one twice", "1@0 3@20 3@21 2@25", "1 !3 2 3 " },
	{ "one comes after it was given up", "1@0 3@20 4@45 2@46 5@60", "1 (1)3 4 !2 5 " },
	{ "slots fill before the time is up", "1@0 3@1 4@2 5@3 6@4 7@5", "1 (1)3 4 5 6 7 " },
	{ "over the rollover", "65534@0 65535@20 1@40 0@41 2@60", "65534 65535 0 1 2 " },
	{ "a stray packet changes nothing", "1@0 2@20 30000@21 3@40", "1 2 !30000 3 " },
	{ "a new start is taken at its second packet", "1@0 30000@20 30001@40 30002@60",
	  "1 !30000 30001 30002 " },
	{ "two strays that do not follow each other", "1@0 30000@20 40000@40 2@60",
	  "1 !30000 !40000 2 " },
};

static void packets_come_out_in_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(stories); i++) {
		static struct reorder r;
		struct reorder_item item;
		char story[256] = "";
		const char *at = stories[i].arrivals;
		int used, seq, ms;

		reorder_init(&r);
		while (sscanf(at, "%d@%d%n", &seq, &ms, &used) == 2) {
			uint8_t octets[4] = { (uint8_t)seq, 1, 2, 3 };
			struct rtp rtp = { .seq = (uint16_t)seq, .payload = { octets, 4 } };
			int got = reorder_push(&r, &rtp, ms);
			size_t len = strlen(story);

			at += used;
			if (got != 0)
				snprintf(story + len, sizeof(story) - len, "%s%d ",
					 got < 0 ? "!" : "", seq);
			memset(octets, 0, sizeof(octets)); /* held ones must be copies */
			while (reorder_pop(&r, ms, &item)) {
				len = strlen(story);
				assert_int_equal(item.rtp.payload.n, 4);
				assert_int_equal(item.rtp.payload.p[0], (uint8_t)item.rtp.seq);
				if (item.lost)
					snprintf(story + len, sizeof(story) - len, "(%u)%d ",
						 item.lost, item.rtp.seq);
				else
					snprintf(story + len, sizeof(story) - len, "%d ",
						 item.rtp.seq);
			}
		}
		if (strcmp(story, stories[i].want) != 0)
			print_error("%s\n", stories[i].name);
		assert_string_equal(story, stories[i].want);
	}
}

static void a_held_packet_comes_out_when_its_time_is_up(void **state)
{
	static struct reorder r;
	struct reorder_item item;
	struct rtp rtp = { .seq = 1, .payload = { (const uint8_t *)"x", 1 } };

	(void)state;
	reorder_init(&r);
	assert_int_equal(reorder_push(&r, &rtp, 0), 1);
	rtp.seq = 3;
	assert_int_equal(reorder_push(&r, &rtp, 30), 0);
	assert_int_equal(reorder_pop(&r, 49, &item), 0);
	assert_int_equal(reorder_pop(&r, 50, &item), 1);
	assert_int_equal(item.lost, 1);
	assert_int_equal(item.rtp.seq, 3);
}

/* RFC 3550 6.4.1, A.3 and A.8 */
static void a_source_counts_loss_and_jitter_as_the_rfc_does(void **state)
{
	struct rtp_source s;
	struct rtcp_block block;

	(void)state;
	rtp_source_init(&s, 8000);
	for (unsigned i = 0; i < 70000; i++) {
		struct rtp rtp = { .seq = (uint16_t)(i + 65000), .ssrc = 9, .timestamp = i * 160 };

		if (i % 10 != 9)
			rtp_source_packet(&s, &rtp, true, (int64_t)i * 20 + (i % 2 ? 8 : 0));
	}
	block = rtp_source_block(&s, 0);
	assert_int_equal(rtp_source_lost(&s), 6999); /* the last one is not missed yet */
	assert_int_equal(block.lost, 6999);
	assert_int_equal(block.fraction_lost, 25);
	assert_int_equal(block.highest_seq, 65000 + 69998);
	/* the transit time changes by 8 ms at almost every packet */
	assert_in_range(rtp_source_jitter_us(&s), 6000, 8500);
	block = rtp_source_block(&s, 0);
	assert_int_equal(block.fraction_lost, 0);
}

static void a_new_ssrc_starts_anew_and_keeps_what_was_lost(void **state)
{
	struct rtp a = { .seq = 1, .ssrc = 1 }, b = { .seq = 50000, .ssrc = 2 };
	struct rtp_source s;

	(void)state;
	rtp_source_init(&s, 8000);
	rtp_source_packet(&s, &a, true, 0);
	a.seq = 4;
	rtp_source_packet(&s, &a, true, 60);
	rtp_source_packet(&s, &b, true, 80);
	assert_int_equal(rtp_source_lost(&s), 2);
	assert_int_equal(rtp_source_received(&s), 3); /* of the whole call */
	assert_int_equal(rtp_source_block(&s, 0).lost, 0);
}

/* RFC 3550 A.1: a PBX that begins its numbers anew under one SSRC has lost none of those between,
 * and one stray packet changes nothing. */
static void far_numbers_are_a_new_sequence_and_no_loss(void **state)
{
	static const uint16_t numbers[] = { 10,    11,    40000, 12, 13, /* a stray */
					    50000, 50001, 50002,         /* ahead */
					    5,     6,     7,     5,  6,  /* behind; late */
					    9,     65500, 10 };
	struct rtp_source s;
	struct rtcp_block block;

	(void)state;
	rtp_source_init(&s, 8000);
	for (size_t i = 0; i < COUNT(numbers); i++) {
		struct rtp rtp = { .seq = numbers[i], .ssrc = 1 };

		rtp_source_packet(&s, &rtp, false, 0);
	}
	block = rtp_source_block(&s, 0);
	assert_int_equal(block.highest_seq, 10);
	assert_int_equal(rtp_source_received(&s), COUNT(numbers));
	assert_int_equal(rtp_source_lost(&s), 0); /* 8, and 5 and 6 once more */
	assert_int_equal(block.lost, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_come_out_in_order),
		cmocka_unit_test(a_held_packet_comes_out_when_its_time_is_up),
		cmocka_unit_test(a_source_counts_loss_and_jitter_as_the_rfc_does),
		cmocka_unit_test(far_numbers_are_a_new_sequence_and_no_loss),
		cmocka_unit_test(a_new_ssrc_starts_anew_and_keeps_what_was_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
