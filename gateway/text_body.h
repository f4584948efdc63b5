/* text_body.h - a message that came from outside, as the body of a text for the secure side. */
#ifndef GATEWAY_TEXT_BODY_H
#define GATEWAY_TEXT_BODY_H

#include "mailbox/message.h"
#include "umsg/umsg.pb-c.h"

/* The body points into itself and into the message: it is used where it lies, while the message is
 * there, and never freed. */
struct text_body {
	Umsg__TextBody pub;
	Umsg__Attachment attachments[MESSAGE_MAX_ATTACHMENTS], *at[MESSAGE_MAX_ATTACHMENTS];
};

/* Makes a body of the message's text and attachments, and of nothing else of it. */
void text_body_of(struct text_body *body, const struct message *message);

#endif
