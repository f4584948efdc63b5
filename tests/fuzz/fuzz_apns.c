/* fuzz_apns.c - what a push service answers to a notification that it refuses: the status of HTTP
 * (2 octets), and the body, of any kind.
 *
 * Whatever it is: the notification has an outcome other than sent, with a reason that is fit for a
 * log, and a device is gone only since a time that can be compared.
 */
#include <ctype.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "rendezvous/apns_refusal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_of(slice_of(data, size));
	uint16_t status = cursor_u16(&c);
	struct apns_refusal refusal;

	if (!cursor_ok(&c))
		return 0;
	apns_refusal_read(status, cursor_take(&c, c.left), &refusal);
	expect(refusal.outcome != APNS_SENT);
	expect((refusal.outcome == APNS_GONE) == (status == 410));
	expect(refusal.outcome != APNS_BAD_TOKEN || status == 400);
	expect(!refusal.token_expired || status == 403);
	expect(refusal.when_ms >= 0 && (refusal.when_ms == 0 || status == 410));
	for (const char *r = refusal.reason; *r; r++)
		expect(isalnum((unsigned char)*r));
	return 0;
}
