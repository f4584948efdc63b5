/* message_body.c - bodies of messages and receipts: what they may say, and reading
 * them. */
#include "umsg/message_body.h"

#include <errno.h>

#include "base/text.h"
#include "umsg/frame.h"
#include "umsg/text.h"
#include "base/pack.h"

enum { MEMORY_FACTOR = 3, MEMORY_LEAST = 65536, TYPE_MAX = 127 };

static bool is_enum(const ProtobufCEnumDescriptor *schema, int value)
{
	return protobuf_c_enum_descriptor_get_value(schema, value) != NULL;
}

/* A name that no receiver could take for a path or a hidden file. */
static bool attachment_ok(const Umsg__Attachment *attachment)
{
	struct slice name = slice_str(attachment->name), type = slice_str(attachment->type);

	return name.n >= 1 && name.n <= MESSAGE_NAME_MAX && text_is_clean(name) &&
	       !strchr(attachment->name, '/') && attachment->name[0] != '.' && type.n <= TYPE_MAX &&
	       text_is_clean(type);
}

bool message_body_ok(const Umsg__TextBody *body)
{
	if (body->version == 0 || !text_lines_ok(slice_str(body->text)) ||
	    body->n_attachments > MESSAGE_ATTACHMENTS_MAX ||
	    !text_extension_ok(body->called_extension) ||
	    !text_extension_ok(body->calling_extension) ||
	    !is_enum(&umsg__auto_submitted__descriptor, (int)body->auto_submitted) ||
	    !is_enum(&umsg__responder_type__descriptor, (int)body->responder))
		return false;
	for (size_t i = 0; i < body->n_attachments; i++)
		if (!attachment_ok(body->attachments[i]))
			return false;
	return true;
}

bool message_receipt_ok(const Umsg__ReceiptBody *body)
{
	struct slice reason = slice_str(body->reason);

	return body->version != 0 && body->message_id.len == FRAME_ID &&
	       body->state != UMSG__RECEIPT_STATE__RECEIPT_NONE &&
	       is_enum(&umsg__receipt_state__descriptor, (int)body->state) &&
	       reason.n <= FRAME_TEXT_MAX && text_is_clean(reason);
}

static ProtobufCMessage *read_any(const ProtobufCMessageDescriptor *descriptor, struct slice octets,
				  int *err_out)
{
	/* Attachments are copied once; the rest is small whatever its sender writes. */
	return pack_read(descriptor, octets, MEMORY_LEAST + MEMORY_FACTOR * octets.n, err_out);
}

int message_body_read(struct slice octets, Umsg__TextBody **body_out)
{
	Umsg__TextBody *body;
	int err;

	body = (Umsg__TextBody *)(void *)read_any(&umsg__text_body__descriptor, octets, &err);
	*body_out = body;
	if (!body)
		return err;
	/* Values of a later version: taken for what does least harm. */
	if (!is_enum(&umsg__auto_submitted__descriptor, (int)body->auto_submitted))
		body->auto_submitted = UMSG__AUTO_SUBMITTED__AUTO_GENERATED;
	if (!is_enum(&umsg__responder_type__descriptor, (int)body->responder))
		body->responder = UMSG__RESPONDER_TYPE__RESPONDER_UNKNOWN;
	if (message_body_ok(body))
		return 0;
	PACK_FREE(body_out);
	return -EBADMSG;
}

int message_receipt_read(struct slice octets, Umsg__ReceiptBody **body_out)
{
	Umsg__ReceiptBody *body;
	int err;

	body = (Umsg__ReceiptBody *)(void *)read_any(&umsg__receipt_body__descriptor, octets, &err);
	*body_out = body;
	if (!body || message_receipt_ok(body))
		return err;
	PACK_FREE(body_out);
	return -EBADMSG;
}
