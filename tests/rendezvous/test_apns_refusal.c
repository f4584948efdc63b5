/* test_apns_refusal.c - refusals of the push service, well-formed and not. */
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

#include "rendezvous/apns_refusal.h"

#define SIXTY_THREE "A23456789012345678901234567890123456789012345678901234567890123"

static const struct {
	long status;
	const char *body;
	enum apns_outcome outcome;
	bool token_expired;
	int64_t when_ms;
	const char *reason;
} cases[] = {
	/* Apple, "Handling notification responses from APNs" */
	{ 410, "{\"reason\":\"Unregistered\",\"timestamp\":1464110123456}", APNS_GONE, false,
	  1464110123456, "Unregistered" },
	{ 400, "{\"reason\":\"BadDeviceToken\"}", APNS_BAD_TOKEN, false, 0, "BadDeviceToken" },
	{ 403, "{\"reason\":\"ExpiredProviderToken\"}", APNS_FAILED, true, 0,
	  "ExpiredProviderToken" },
	{ 403, "{\"reason\":\"InvalidProviderToken\"}", APNS_FAILED, false, 0,
	  "InvalidProviderToken" },
	{ 429, "{\"reason\":\"TooManyRequests\"}", APNS_FAILED, false, 0, "TooManyRequests" },
	/* The word alone does nothing under another status. */
	{ 500, "{\"reason\":\"BadDeviceToken\"}", APNS_FAILED, false, 0, "BadDeviceToken" },
	{ 400, "{\"reason\":\"ExpiredProviderToken\"}", APNS_FAILED, false, 0,
	  "ExpiredProviderToken" },
	{ 503, "{\"reason\":\"Unregistered\",\"timestamp\":1464110123456}", APNS_FAILED, false, 0,
	  "Unregistered" },
	/* Without a time no stored token is older: it is kept. */
	{ 410, "{\"reason\":\"Unregistered\"}", APNS_GONE, false, 0, "Unregistered" },
	{ 410, "{\"timestamp\":-5}", APNS_GONE, false, 0, "" },
	{ 410, "{\"timestamp\":\"1464110123456\"}", APNS_GONE, false, 0, "" },
	{ 410, "{\"timestamp\":1e300}", APNS_GONE, false, 0, "" },
	{ 410, "{\"timestamp\":99999999999999999999}", APNS_GONE, false, 0, "" },
	{ 410, "", APNS_GONE, false, 0, "" },
	/* No JSON, no object, no word. */
	{ 502, "<html>Bad gateway</html>", APNS_FAILED, false, 0, "" },
	{ 400, "{\"reason\":\"BadDeviceToken\"", APNS_FAILED, false, 0, "" },
	{ 400, "[\"BadDeviceToken\"]", APNS_FAILED, false, 0, "" },
	{ 400, "{\"reason\":{\"reason\":\"BadDeviceToken\"}}", APNS_FAILED, false, 0, "" },
	{ 400, "{\"reason\":\"\\u001b[2J\"}", APNS_FAILED, false, 0, "" },
	{ 400, "{\"reason\":\"Bad Device\"}", APNS_FAILED, false, 0, "" },
	{ 400, "{\"reason\":\"" SIXTY_THREE "\"}", APNS_FAILED, false, 0, SIXTY_THREE },
	{ 400, "{\"reason\":\"" SIXTY_THREE "4\"}", APNS_FAILED, false, 0, "" },
};

static void a_refusal_is_read_whatever_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct apns_refusal refusal;

		apns_refusal_read(cases[i].status, slice_str(cases[i].body), &refusal);
		assert_int_equal(refusal.outcome, cases[i].outcome);
		assert_int_equal(refusal.token_expired, cases[i].token_expired);
		assert_int_equal(refusal.when_ms, cases[i].when_ms);
		assert_string_equal(refusal.reason, cases[i].reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refusal_is_read_whatever_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
