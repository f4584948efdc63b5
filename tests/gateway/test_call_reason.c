#include "tests/unit.h"

#include "gateway/call_reason.h"

static const struct {
	unsigned code;
	Umsg__EndReason reason;
} codes[] = {
	{ 486, UMSG__END_REASON__END_BUSY },
	{ 600, UMSG__END_REASON__END_BUSY },
	{ 603, UMSG__END_REASON__END_DECLINED },
	{ 404, UMSG__END_REASON__END_NO_ROUTE },
	{ 484, UMSG__END_REASON__END_NO_ROUTE },
	{ 408, UMSG__END_REASON__END_NO_ANSWER },
	{ 480, UMSG__END_REASON__END_NO_ANSWER },
	{ 403, UMSG__END_REASON__END_NOT_ALLOWED },
	{ 401, UMSG__END_REASON__END_NOT_ALLOWED },
	{ 607, UMSG__END_REASON__END_DECLINED },
	{ 410, UMSG__END_REASON__END_NO_ROUTE },
	{ 604, UMSG__END_REASON__END_NO_ROUTE },
	{ 415, UMSG__END_REASON__END_NO_COMMON_CODEC },
	{ 606, UMSG__END_REASON__END_NO_COMMON_CODEC },
	{ 487, UMSG__END_REASON__END_HANGUP },
	{ 407, UMSG__END_REASON__END_NOT_ALLOWED },
	{ 488, UMSG__END_REASON__END_NO_COMMON_CODEC },
	{ 503, UMSG__END_REASON__END_CONGESTION },
	{ 302, UMSG__END_REASON__END_FAILED },
	{ 699, UMSG__END_REASON__END_FAILED },
};

static void final_responses_have_their_meaning(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(codes); i++)
		assert_int_equal(reason_from_sip(codes[i].code), codes[i].reason);
}

/* A caller on the PBX must hear why, whatever the secure side said, even a reason
 * that this version does not know. */
static void every_reason_is_a_final_response(void **state)
{
	(void)state;
	for (int reason = 0; reason < 40; reason++) {
		unsigned code = reason_to_sip((Umsg__EndReason)reason);

		assert_true(code >= 400 && code < 700);
		assert_non_null(reason_header((Umsg__EndReason)reason));
	}
}

static void busy_stays_busy_through_the_gateway(void **state)
{
	static const Umsg__EndReason reasons[] = {
		UMSG__END_REASON__END_BUSY,      UMSG__END_REASON__END_DECLINED,
		UMSG__END_REASON__END_NO_ROUTE,  UMSG__END_REASON__END_NOT_ALLOWED,
		UMSG__END_REASON__END_NO_ANSWER, UMSG__END_REASON__END_NO_COMMON_CODEC,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(reasons); i++)
		assert_int_equal(reason_from_sip(reason_to_sip(reasons[i])), reasons[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(final_responses_have_their_meaning),
		cmocka_unit_test(every_reason_is_a_final_response),
		cmocka_unit_test(busy_stays_busy_through_the_gateway),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
