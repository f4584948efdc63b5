/* text_body.c - a message's text and attachments in the form of the secure side. */
#include "gateway/text_body.h"

void text_body_of(struct text_body *body, const struct message *message)
{
	umsg__text_body__init(&body->pub);
	for (size_t i = 0; i < message->attachment_count; i++) {
		const struct message_attachment *from = &message->attachments[i];
		Umsg__Attachment *to = &body->attachments[i];

		umsg__attachment__init(to);
		to->name = from->filename;
		to->type = from->content_type;
		to->data = (ProtobufCBinaryData){ from->n, from->data };
		body->at[i] = to;
	}
	body->pub.text = message->text ? message->text : (char *)"";
	body->pub.n_attachments = message->attachment_count;
	body->pub.attachments = body->at;
}
