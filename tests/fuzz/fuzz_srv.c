/* fuzz_srv.c - no DNS answer crashes the reader of SRV records, and what it takes is sound. */
#include <assert.h>

#include "gateway/srv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct srv_answer answer;

	if (srv_parse(slice_of(data, size), &answer) != 0)
		return 0;
	assert((answer.n > 0) != answer.refused && answer.n <= SRV_MAX);
	for (size_t i = 0; i < answer.n; i++) {
		const struct srv_record *record = &answer.records[i];

		assert(record->host[0] && strnlen(record->host, SRV_HOST_SIZE) < SRV_HOST_SIZE);
		assert(record->port != 0);
		assert(i == 0 || record->priority >= answer.records[i - 1].priority);
	}
	return 0;
}
