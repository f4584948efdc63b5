/* frame.c - frames as octets, and what they have in common whatever their body is. */
#include "umsg/frame.h"

#include <errno.h>
#include <stdio.h>

#include "umsg/frame_rules.h"
#include "base/pack.h"

/* What one frame may take of the heap: its octets, its fields, and the list of its
 * fields that protobuf-c keeps while it reads. */
enum { MEMORY_MAX = 4 * FRAME_MAX };

int frame_view(struct slice octets, Umsg__Frame **frame_out)
{
	int err;

	*frame_out = (Umsg__Frame *)(void *)pack_view(&umsg__frame__descriptor, octets, MEMORY_MAX,
						      &err);
	return err;
}

int frame_decode(struct slice octets, enum frame_side side, Umsg__Frame **frame_out)
{
	Umsg__Frame *frame;
	int err;

	*frame_out = NULL;
	if (octets.n > FRAME_MAX)
		return -EMSGSIZE;
	err = frame_view(octets, &frame);
	if (err)
		return err;
	err = frame_check(frame, side);
	/* With -ENOTSUP the frame is handed out: a server answers its request with an error. */
	if (err == -EBADMSG)
		frame_free(&frame);
	*frame_out = frame;
	return err;
}

void frame_free(Umsg__Frame **framep)
{
	if (*framep)
		pack_forget(&(*framep)->base);
	*framep = NULL;
}

/* Nobody else sets the version, so that no frame leaves without it. */
int frame_encode(Umsg__Frame *frame, uint8_t **octets_out, size_t *len_out)
{
	frame->version = FRAME_VERSION;
	return pack_write(&frame->base, FRAME_MAX, octets_out, len_out);
}

void frame_error_init(struct frame_error *e, uint64_t request, Umsg__ErrorCode code,
		      const char *text, uint32_t retry_after_s)
{
	snprintf(e->text, sizeof(e->text), "%s", text);
	umsg__error__init(&e->error);
	e->error.code = code;
	e->error.text = e->text;
	e->error.retry_after = retry_after_s;
	umsg__frame__init(&e->frame);
	e->frame.request = request;
	e->frame.body_case = UMSG__FRAME__BODY_ERROR;
	e->frame.error = &e->error;
}

/* An extension stands behind the ";" (docs/umsg.md, notation); routing looks at the URI alone. */
struct slice frame_bare(const char *uri)
{
	return slice_of(uri, strcspn(uri, ";"));
}

const char *frame_name(const Umsg__Frame *frame)
{
	const struct frame_rule *rule = frame_rule(frame->body_case);

	return rule ? rule->name : "unknown";
}

const Umsg__Session *frame_session(const Umsg__Frame *frame)
{
	switch (frame->body_case) {
	case UMSG__FRAME__BODY_GROWL:
		return frame->growl;
	case UMSG__FRAME__BODY_TALK:
		return frame->talk;
	case UMSG__FRAME__BODY_SIGNAL:
		return frame->signal;
	case UMSG__FRAME__BODY_HANGUP:
		return frame->hangup->session;
	default:
		return NULL;
	}
}

struct slice frame_session_id(const Umsg__Frame *frame)
{
	const Umsg__Session *session = frame_session(frame);

	if (session)
		return frame_bytes(session->session_id);
	if (frame->body_case == UMSG__FRAME__BODY_BANG)
		return frame_bytes(frame->bang->session_id);
	if (frame->body_case == UMSG__FRAME__BODY_BANG_ANSWER)
		return frame_bytes(frame->bang_answer->session_id);
	return (struct slice){ NULL, 0 };
}

struct slice frame_message_id(const Umsg__Frame *frame)
{
	switch (frame->body_case) {
	case UMSG__FRAME__BODY_POST:
		return frame_bytes(frame->post->message_id);
	case UMSG__FRAME__BODY_POST_ACK:
		return frame_bytes(frame->post_ack->message_id);
	case UMSG__FRAME__BODY_PART:
		return frame_bytes(frame->part->message_id);
	case UMSG__FRAME__BODY_PART_ACK:
		return frame_bytes(frame->part_ack->message_id);
	case UMSG__FRAME__BODY_DELIVER:
		return frame_bytes(frame->deliver->post->message_id);
	case UMSG__FRAME__BODY_TAKEN:
		return frame_bytes(frame->taken->message_id);
	default:
		return (struct slice){ NULL, 0 };
	}
}
