/* When a registration is refreshed, and how it is tried again. */
#include "tests/unit.h"

#include "gateway/registration.h"

static int64_t take(struct registration *r, unsigned code, uint32_t expires_s, uint32_t min_s,
		    uint32_t after_s)
{
	return registration_take(
		r, &(struct registration_answer){ code, expires_s, min_s, after_s }, 1000);
}

static void a_binding_is_refreshed_at_half_of_its_time(void **state)
{
	struct registration r;

	(void)state;
	registration_init(&r, 3600);
	assert_int_equal(take(&r, 200, 600, 0, 0), 300000);
	assert_int_equal(r.state, REGISTERED);
	assert_true(registration_holds(&r, 600999));
	assert_false(registration_holds(&r, 601000));
	assert_int_equal(take(&r, 200, 0, 0, 0), 1800000); /* not told: what was asked for */
	assert_int_equal(take(&r, 200, 1, 0, 0), 10000);   /* no flood */
	assert_int_equal(take(&r, 200, UINT32_MAX, 0, 0), 43200000);
}

static void too_brief_is_asked_for_longer_at_once(void **state)
{
	struct registration r;

	(void)state;
	registration_init(&r, 60);
	assert_int_equal(take(&r, 423, 0, 1800, 0), 0);
	assert_int_equal(r.expires_s, 1800);
	assert_true(take(&r, 423, 0, 1800, 0) >= 60000); /* the same again: it is confused */
	assert_int_equal(r.state, REGISTRATION_REFUSED);
	registration_init(&r, 60);
	assert_true(take(&r, 423, 0, UINT32_MAX, 0) >= 60000);
}

/* expectations.md 1.16: bans follow those who insist, and outages end. */
static const struct {
	unsigned code;
	enum registration_state state;
	int64_t first_ms, most_ms;
} rows[] = {
	{ 401, REGISTRATION_REFUSED, 60000, 3600000 },
	{ 403, REGISTRATION_REFUSED, 60000, 3600000 },
	{ 404, REGISTRATION_REFUSED, 60000, 3600000 },
	{ 603, REGISTRATION_FAILED, 5000, 300000 },
	{ 408, REGISTRATION_FAILED, 5000, 300000 },
	{ 480, REGISTRATION_FAILED, 5000, 300000 },
	{ 500, REGISTRATION_FAILED, 5000, 300000 },
	{ 503, REGISTRATION_FAILED, 5000, 300000 },
};

static void what_fails_is_tried_again_ever_more_seldom_and_never_given_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct registration r;
		int64_t ms = rows[i].first_ms;

		registration_init(&r, 3600);
		for (int n = 0; n < 40; n++) {
			assert_int_equal(take(&r, rows[i].code, 0, 0, 0), ms);
			assert_int_equal(r.state, rows[i].state);
			ms = ms * 2 < rows[i].most_ms ? ms * 2 : rows[i].most_ms;
		}
		assert_int_equal(take(&r, 200, 600, 0, 0), 300000);
		assert_int_equal(take(&r, rows[i].code, 0, 0, 0), rows[i].first_ms);
	}
}

static void retry_after_is_waited_for(void **state)
{
	struct registration r;

	(void)state;
	registration_init(&r, 3600);
	assert_int_equal(take(&r, 503, 0, 0, 30), 30000);
	assert_int_equal(take(&r, 503, 0, 0, 1), 10000);
	assert_int_equal(take(&r, 503, 0, 0, UINT32_MAX), 3600000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_binding_is_refreshed_at_half_of_its_time),
		cmocka_unit_test(too_brief_is_asked_for_longer_at_once),
		cmocka_unit_test(what_fails_is_tried_again_ever_more_seldom_and_never_given_up),
		cmocka_unit_test(retry_after_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
