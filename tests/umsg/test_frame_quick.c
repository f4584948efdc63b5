/* test_frame_quick.c - Post and Taken, read where they lie. */
#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>

#include "umsg/frame_quick.h"

enum { OCTETS_MAX = 4096 };

static uint8_t record[1000] = { 1, 2, 3 };

static struct slice packed(const Umsg__Frame *frame, uint8_t out[OCTETS_MAX])
{
	assert_true(umsg__frame__get_packed_size(frame) <= OCTETS_MAX);
	return slice_of(out, umsg__frame__pack(frame, out));
}

static struct slice a_post(uint8_t out[OCTETS_MAX])
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Post post = UMSG__POST__INIT;

	frame.version = FRAME_VERSION;
	frame.request = UINT64_MAX;
	frame.from = frame_text("tel:+1");
	frame.to = frame_text("tel:+2");
	post.message_id = frame_data(slice_of(record, FRAME_ID));
	post.kind = UMSG__MESSAGE_KIND__KIND_TEXT;
	post.store_until = 4000000000;
	post.i_message = frame_data(slice_of(record, 20));
	post.total_length = sizeof(record);
	post.record = frame_data(slice_of(record, sizeof(record)));
	frame.body_case = UMSG__FRAME__BODY_POST;
	frame.post = &post;
	return packed(&frame, out);
}

static struct slice a_taken(uint8_t out[OCTETS_MAX])
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Taken taken = UMSG__TAKEN__INIT;

	frame.version = FRAME_VERSION;
	taken.message_id = frame_data(slice_of(record, FRAME_ID));
	taken.sender = frame_text("tel:+1");
	taken.number = 77;
	frame.body_case = UMSG__FRAME__BODY_TAKEN;
	frame.taken = &taken;
	return packed(&frame, out);
}

/* Read and packed again, a frame is what it was. */
static void expect_same(struct slice octets, const struct frame_room *room,
			const Umsg__Frame *frame)
{
	uint8_t again[OCTETS_MAX];

	assert_ptr_equal(frame, &room->frame);
	assert_true(slice_eq(packed(frame, again), octets));
}

static void posts_and_takings_are_read_without_a_copy(void **state)
{
	uint8_t octets[OCTETS_MAX];
	struct frame_room room;
	struct slice post = a_post(octets);

	(void)state;
	expect_same(post, &room, frame_quick(post, &room));
	assert_true(room.post.record.data > octets && room.post.record.data < octets + post.n);
	assert_true(frame_is_post(room.body));
	post = a_taken(octets);
	expect_same(post, &room, frame_quick(post, &room));
}

/* A field twice, of another type, unknown, or cut: protobuf-c says what it means. */
static void what_is_strange_is_left_to_protobuf(void **state)
{
	static const struct {
		const char *what;
		uint8_t octets[12];
		size_t n;
	} behind[] = {
		{ "version again", { 0x08, 0x01 }, 2 },
		{ "version as text", { 0x0a, 0x01, 'x' }, 3 },
		{ "an unknown field", { 0x78, 0x01 }, 2 },
		{ "by_server", { 0x28, 0x01 }, 2 },
		{ "a second body", { 0xba, 0x03, 0x00 }, 3 },
		{ "64 bits", { 0x29, 0x01 }, 2 },
		{ "a length beyond the end", { 0x1a, 0x09, 'x' }, 3 },
		{ "a key without end", { 0xff, 0xff, 0xff }, 3 },
		{ "a key of eleven octets, and more behind it",
		  { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x08, 0x01 },
		  12 },
	};
	uint8_t octets[OCTETS_MAX];
	struct frame_room room;

	(void)state;
	for (size_t i = 0; i < sizeof(behind) / sizeof(*behind); i++) {
		struct slice post = a_post(octets);

		memcpy(octets + post.n, behind[i].octets, behind[i].n);
		if (frame_quick(slice_of(octets, post.n + behind[i].n), &room))
			fail_msg("%s was read", behind[i].what);
	}
	assert_null(frame_quick(slice_of(NULL, 0), &room));
}

static void every_cut_is_refused_or_read_as_protobuf_does(void **state)
{
	uint8_t octets[OCTETS_MAX], again[OCTETS_MAX], other[OCTETS_MAX];
	struct slice post = a_post(octets);

	(void)state;
	for (size_t n = 0; n < post.n; n++) {
		uint8_t *cut = malloc(n ? n : 1); /* its own, so that nothing behind it is read */
		struct frame_room room;
		Umsg__Frame *quick, *view;

		assert_non_null(cut);
		memcpy(cut, octets, n);
		quick = frame_quick(slice_of(cut, n), &room);
		if (quick) {
			assert_int_equal(frame_view(slice_of(cut, n), &view), 0);
			assert_true(slice_eq(packed(quick, again), packed(view, other)));
			frame_free(&view);
		}
		free(cut);
	}
}

static void strings_that_do_not_fit_are_left_to_protobuf(void **state)
{
	Umsg__Frame frame = UMSG__FRAME__INIT, *other;
	Umsg__Taken taken = UMSG__TAKEN__INIT;
	char longest[FRAME_QUICK_TEXT], sender[2] = "";
	uint8_t octets[OCTETS_MAX];
	struct frame_room room;
	struct slice s;

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	frame.from = longest;
	taken.sender = sender;
	frame.body_case = UMSG__FRAME__BODY_TAKEN;
	frame.taken = &taken;
	s = packed(&frame, octets);
	expect_same(s, &room, frame_quick(s, &room));
	sender[0] = 'x';
	s = packed(&frame, octets);
	assert_null(frame_quick(s, &room));
	assert_int_equal(frame_view_in(s, &room, &other), 0);
	assert_string_equal(other->taken->sender, "x");
	frame_leave(&room, &other);
	assert_null(other);
}

static void what_is_read_quickly_is_checked_as_any_frame(void **state)
{
	uint8_t octets[OCTETS_MAX];
	struct slice post = a_post(octets);
	struct frame_room room;
	Umsg__Frame *frame;

	(void)state;
	assert_int_equal(frame_decode_in(post, FRAME_FROM_CLIENT, &room, &frame), 0);
	assert_ptr_equal(frame, &room.frame);
	frame_leave(&room, &frame);
	assert_int_equal(frame_decode_in(post, FRAME_FROM_SERVER, &room, &frame), -EBADMSG);
	assert_null(frame);
	octets[1] = 2; /* a version that we do not know */
	assert_int_equal(frame_decode_in(post, FRAME_FROM_CLIENT, &room, &frame), -ENOTSUP);
	assert_int_equal(frame->request, UINT64_MAX);
	frame_leave(&room, &frame);
}

static void only_a_post_counts_as_one(void **state)
{
	uint8_t octets[OCTETS_MAX];
	struct frame_room room;

	(void)state;
	assert_non_null(frame_quick(a_post(octets), &room));
	assert_true(frame_is_post(room.body));
	assert_false(frame_is_post(slice_of(room.body.p, room.body.n - 1)));
	assert_false(frame_is_post(slice_str("no post at all")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(posts_and_takings_are_read_without_a_copy),
		cmocka_unit_test(what_is_strange_is_left_to_protobuf),
		cmocka_unit_test(every_cut_is_refused_or_read_as_protobuf_does),
		cmocka_unit_test(strings_that_do_not_fit_are_left_to_protobuf),
		cmocka_unit_test(what_is_read_quickly_is_checked_as_any_frame),
		cmocka_unit_test(only_a_post_counts_as_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
