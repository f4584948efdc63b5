/* fuzz_identity.c - the identity in a TLS hello, from anyone on the internet. */
#include <stdlib.h>

#include "keys/account.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct account_secret secret = { .octets = { 1, 2, 3 }, .n = 16 };
	struct account_identity identity;
	struct account_hello hello;
	int err = account_identity_parse(slice_of(data, size), &identity);

	if ((err != 0) != (identity.kind == ACCOUNT_IDENTITY_NONE))
		abort();
	if (account_identity_open(&identity, &secret, &hello) == 0 &&
	    identity.kind != ACCOUNT_IDENTITY_USER)
		abort();
	return 0;
}
