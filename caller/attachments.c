/* attachments.c - files into messages, and out of them under names of our own. */
#include "caller/attachments.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/encode.h"
#include "base/file.h"

int attachments_add(struct attachments *files, const char *path, struct diag *diag)
{
	Umsg__Attachment *a = &files->attachment[files->n];
	const char *slash = strrchr(path, '/');
	int err;

	if (files->n == ATTACHMENTS_MAX) {
		diag_error(diag, NULL, "more than %d attachments", ATTACHMENTS_MAX);
		return -E2BIG;
	}
	umsg__attachment__init(a);
	/* No file larger than a whole body fits; whether all of them do is seen when it is
	 * sealed. */
	err = file_read(path, UMSG_BODY_MAX, &a->data.data, &a->data.len);
	if (err) {
		diag_error(diag, NULL, "%s: %s", path, strerror(-err));
		return err;
	}
	/* Borrowed from the command line, as long as the program runs. */
	a->name = (char *)(slash ? slash + 1 : path);
	a->type = (char *)"application/octet-stream";
	files->list[files->n++] = a;
	return 0;
}

void attachments_clear(struct attachments *files)
{
	/* Only the octets are ours: the rest of each is borrowed. */
	while (files->n > 0)
		free(files->attachment[--files->n].data.data);
}

int attachment_save(const char *dir, const struct umsg_message *message, size_t i, char *path_out)
{
	const ProtobufCBinaryData *data = &message->body->attachments[i]->data;
	char id[2 * UMSG_ID_SIZE + 1];
	int n;

	hex_encode(slice_of(message->id, UMSG_ID_SIZE), id);
	n = snprintf(path_out, PATH_MAX, "%s/%s.%zu", dir, id, i);
	if (n < 0 || n >= PATH_MAX)
		return -ENAMETOOLONG;
	return file_write_atomic(path_out, 0600, slice_of(data->data, data->len));
}
