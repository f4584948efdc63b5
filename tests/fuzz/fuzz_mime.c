/* Reads a mail file; what was understood must be writable and mean the same when
 * it is read again. */
#include <stdlib.h>

#include "mailbox/message.h"
#include "mailbox/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const struct message *a, const struct message *b)
{
	if (strcmp(a->from, b->from) != 0 || strcmp(a->to, b->to) != 0 ||
	    strcmp(a->text, b->text) != 0 || a->attachment_count != b->attachment_count)
		return false;
	for (size_t i = 0; i < a->attachment_count; i++)
		if (a->attachments[i].n != b->attachments[i].n ||
		    memcmp(a->attachments[i].data, b->attachments[i].data, a->attachments[i].n) !=
			    0 ||
		    strcmp(a->attachments[i].filename, b->attachments[i].filename) != 0)
			return false;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message m, again;
	uint8_t *octets;
	size_t n;

	if (mime_read(slice_of(data, size), &m, NULL) < 0)
		return 0;
	if (mime_write(&m, &octets, &n, NULL) == 0) {
		if (mime_read(slice_of(octets, n), &again, NULL) < 0 || !same(&m, &again))
			abort();
		message_clear(&again);
		free(octets);
	}
	message_clear(&m);
	return 0;
}
