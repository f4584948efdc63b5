/* fuzz_resp.c - what Redis answers: what is read lies within the octets, and a reply that is
 * whole is so however its octets come.
 */
#include <stdint.h>
#include <stdlib.h>

#include "rendezvous/resp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice octets = slice_of(data, size), rest = octets, entry;
	struct resp_scan at_once = { 0 }, piecemeal = { 0 };
	struct resp_value value;
	size_t n = 0, m = 0;
	int whole = resp_whole(&at_once, octets, &n), other = 0;

	for (size_t here = 1; here <= size && other == 0; here++)
		other = resp_whole(&piecemeal, slice_of(data, here), &m);
	expect(whole <= 0 ? other <= 0 : other == 1 && m == n && n <= size);
	if (resp_take(&rest, &value) <= 0)
		return 0;
	expect(rest.n < size && rest.p == data + size - rest.n);
	expect(value.text.n == 0 ||
	       (value.text.p >= data && value.text.p + value.text.n <= data + size));
	while (rest.n && resp_take_whole(&rest, &entry))
		expect(entry.n > 0 && entry.p + entry.n == rest.p);
	return 0;
}
