#include "tests/unit.h"

#include <string.h>

#include "rendezvous/passing.h"

/* Head and frame as the mesh puts them together. */
static struct slice join(struct slice head, struct slice frame, uint8_t *out)
{
	memcpy(out, head.p, head.n);
	memcpy(out + head.n, frame.p, frame.n);
	return slice_of(out, head.n + frame.n);
}

static void a_frame_arrives_with_what_was_said_of_it(void **state)
{
	const struct passed_up up = { 7, "tel:+1", "acme", "tel:+2", slice_str("frame") };
	const struct passed_down down = { 8,
					  slice_str("session"),
					  true,
					  slice_str("post"),
					  .request_answered = UINT64_C(1) << 40,
					  .lost = true,
					  .frame = slice_str("frame") };
	uint8_t head[PASSING_HEAD_MAX], octets[2 * PASSING_HEAD_MAX];
	struct passed_up up_back;
	struct passed_down down_back;
	struct slice at;

	(void)state;
	assert_int_equal(passing_write_up(&up, head, &at), 0);
	at = join(at, up.frame, octets);
	assert_int_equal(passing_read(at, &up_back, &down_back), PASSING_UP);
	assert_int_equal(up_back.connection, 7);
	assert_string_equal(up_back.from, "tel:+1");
	assert_string_equal(up_back.account, "acme");
	assert_string_equal(up_back.uri, "tel:+2");
	assert_true(slice_eq(up_back.frame, up.frame));

	assert_int_equal(passing_write_down(&down, head, &at), 0);
	at = join(at, down.frame, octets);
	assert_int_equal(passing_read(at, &up_back, &down_back), PASSING_DOWN);
	assert_int_equal(down_back.connection, 8);
	assert_true(down_back.session_over);
	assert_true(down_back.lost);
	assert_int_equal(down_back.request_answered, UINT64_C(1) << 40);
	assert_true(slice_eq(down_back.session_id, down.session_id));
	assert_true(slice_eq(down_back.post_answered, down.post_answered));
	assert_true(slice_eq(down_back.frame, down.frame));
}

static void what_is_cut_or_unknown_is_told(void **state)
{
	const struct passed_up up = { 7, "tel:+1", "acme", "tel:+2", slice_str("") };
	uint8_t head[PASSING_HEAD_MAX];
	struct passed_up up_back;
	struct passed_down down_back;
	struct slice whole;

	(void)state;
	assert_int_equal(passing_write_up(&up, head, &whole), 0);
	for (size_t n = 0; n < whole.n; n++)
		assert_int_equal(passing_read(slice_of(head, n), &up_back, &down_back),
				 PASSING_BAD);
	head[whole.n - 1] = 'x'; /* a text without its NUL */
	assert_int_equal(passing_read(whole, &up_back, &down_back), PASSING_BAD);
	head[0] = 9;
	assert_int_equal(passing_read(whole, &up_back, &down_back), PASSING_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_arrives_with_what_was_said_of_it),
		cmocka_unit_test(what_is_cut_or_unknown_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
