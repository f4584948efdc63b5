/* fuzz_digest.c - no challenge and no answer crashes the reader, and its answer is one header line. */
#include <assert.h>
#include <string.h>

#include "gateway/digest.h"
#include "gateway/digest_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct digest_account account = { "user", "secret" };
	const struct digest_request request = { "INVITE", "sip:1@192.0.2.1", "00", 1 };
	struct digest_challenge challenge;
	char out[DIGEST_TEXT_SIZE];
	struct digest_given given;
	int err;

	if (digest_parse_given(slice_of(data, size), &given) == 0)
		assert(strlen(given.response) < sizeof(given.response));
	if (digest_parse(slice_of(data, size), &challenge) != 0)
		return 0;
	err = digest_answer(&challenge, &account, &request, out, sizeof(out));
	assert((err != 0) == (out[0] == '\0'));
	assert(digest_strength(&challenge) || err);
	assert(!strpbrk(out, "\r\n"));
	return 0;
}
