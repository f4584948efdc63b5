/* fuzz_mikey.c - any octets as an I_MESSAGE: what is read lies within them. */
#include <stdint.h>
#include <stdlib.h>

#include "keys/mikey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_lie_within(struct slice part, const uint8_t *data, size_t size)
{
	if (part.n == 0)
		return;
	if (part.p < data || part.n > size || (size_t)(part.p - data) > size - part.n)
		abort();
}

static void must(int condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mikey_message m;

	if (mikey_parse(slice_of(data, size), &m) < 0)
		return 0;
	must_lie_within(m.from, data, size);
	must_lie_within(m.to, data, size);
	must_lie_within(m.from_kms, data, size);
	must_lie_within(m.to_kms, data, size);
	must_lie_within(m.sakke, data, size);
	must_lie_within(m.to_self, data, size);
	must_lie_within(m.extension, data, size);
	must(m.from.n && m.to.n && m.from_kms.n && m.to_kms.n);
	must(m.sakke.n >= 258 && m.sakke.n <= 273); /* H may lack leading zeros (sakke.h) */
	must(m.extension.n == 0 || m.extension.n == MIKEY_EXTENSION);
	must(m.signed_part.p == data && m.signature.n == 129);
	must(m.signed_part.n + m.signature.n == size);
	/* Times before 1970 are negative, their milliseconds count forward all the same. */
	must(mikey_time_ms(&m) >= mikey_time_s(&m) * 1000 &&
	     mikey_time_ms(&m) < mikey_time_s(&m) * 1000 + 1000);
	return 0;
}
