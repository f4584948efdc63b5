/* message_body.h - what is sealed as a message's body, read with every field checked. */
#ifndef UMSG_MESSAGE_BODY_H
#define UMSG_MESSAGE_BODY_H

#include "base/slice.h"
#include "umsg/umsg.pb-c.h"

enum {
	MESSAGE_ATTACHMENTS_MAX = 64,
	MESSAGE_NAME_MAX = 255, /* octets of an attachment's name */
};

/* Is everything in its range: clean text, known values, extensions, attachments' names
 * without path? */
bool message_body_ok(const Umsg__TextBody *body);
/* The same for a receipt: version, id, known state, clean reason. */
bool message_receipt_ok(const Umsg__ReceiptBody *body);

/* Return 0 and a body to be freed with PACK_FREE; or -EBADMSG (malformed), which is for
 * ever, or -ENOMEM, which may be over the next time.  *body_out is NULL then. */
int message_body_read(struct slice octets, Umsg__TextBody **body_out);
/* The same for a receipt. */
int message_receipt_read(struct slice octets, Umsg__ReceiptBody **body_out);

#endif
