/* attachments.h - files that go with a text message: read to be sent, written when they
 * come.
 */
#ifndef CALLER_ATTACHMENTS_H
#define CALLER_ATTACHMENTS_H

#include "umsg/client.h"

enum { ATTACHMENTS_MAX = 64 }; /* of a message: docs/umsg.md, "Bodies" */

struct diag;

/* Files on their way out; all zero at first. */
struct attachments {
	Umsg__Attachment attachment[ATTACHMENTS_MAX], *list[ATTACHMENTS_MAX];
	size_t n;
};

/* Reads a file of at most UMSG_BODY_MAX octets; its last path component becomes its name,
 * application/octet-stream its type.  Returns 0, -E2BIG (too many), or -errno, with diag
 * set. */
int attachments_add(struct attachments *files, const char *path, struct diag *diag);
/* Frees what was read; files is empty afterwards. */
void attachments_clear(struct attachments *files);

/* Writes attachment i of a message into dir, as the message's id in hexadecimal, a dot and
 * i: the sender's name for it chooses no path.  path_out receives that (PATH_MAX octets).
 * Returns 0 or -errno. */
int attachment_save(const char *dir, const struct umsg_message *message, size_t i, char *path_out);

#endif
