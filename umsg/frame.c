#include "umsg/frame.h"

#include <errno.h>
#include <stdlib.h>

#include "umsg/frame_rules.h"

/* What one frame may take of the heap: its octets, its fields, and the list of its
 * fields that protobuf-c keeps while it reads. */
enum { MEMORY_MAX = 4 * FRAME_MAX };

struct budget {
	size_t left;
	bool exhausted; /* the heap, not the budget */
};

static void *take(void *arg, size_t n)
{
	struct budget *budget = arg;
	void *p;

	if (n > budget->left)
		return NULL;
	budget->left -= n;
	p = malloc(n ? n : 1);
	if (!p)
		budget->exhausted = true;
	return p;
}

static void give(void *arg, void *p)
{
	(void)arg;
	free(p);
}

int frame_decode(struct slice octets, enum frame_side side, Umsg__Frame **frame_out)
{
	struct budget budget = { MEMORY_MAX, false };
	ProtobufCAllocator allocator = { take, give, &budget };
	Umsg__Frame *frame;
	int err;

	*frame_out = NULL;
	if (octets.n > FRAME_MAX)
		return -EMSGSIZE;
	frame = umsg__frame__unpack(&allocator, octets.n, octets.p);
	if (!frame)
		return budget.exhausted ? -ENOMEM : -EBADMSG;
	err = frame_check(frame, side);
	if (err == -EBADMSG)
		frame_free(&frame);
	*frame_out = frame;
	return err;
}

void frame_free(Umsg__Frame **framep)
{
	if (!*framep)
		return;
	umsg__frame__free_unpacked(*framep, NULL);
	*framep = NULL;
}

int frame_encode(Umsg__Frame *frame, uint8_t **octets_out, size_t *len_out)
{
	size_t n;

	frame->version = FRAME_VERSION;
	n = umsg__frame__get_packed_size(frame);
	if (n > FRAME_MAX)
		return -EMSGSIZE;
	*octets_out = malloc(n ? n : 1);
	if (!*octets_out)
		return -ENOMEM;
	*len_out = umsg__frame__pack(frame, *octets_out);
	return 0;
}

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
