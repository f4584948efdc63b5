/* mime_priv.h - what the two halves of the reader share. */
#ifndef MAILBOX_MIME_PRIV_H
#define MAILBOX_MIME_PRIV_H

#include <gmime/gmime.h>

struct diag;
struct message;

/* Takes addresses, date and the manual's own headers into m.  Returns 0, -EBADMSG with
 * diag set, or -ENOMEM. */
int mime_read_headers(GMimeHeaderList *list, struct message *m, struct diag *diag);

#endif
