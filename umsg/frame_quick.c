/* frame_quick.c - Post and Taken without protobuf-c. */
#include "umsg/frame_quick.h"

#include <errno.h>

#include "base/cursor.h"
#include "base/pack.h"
#include "umsg/frame_rules.h"

enum {
	VARINT = 0, /* wire types (protobuf's encoding guide) */
	LENGTH_DELIMITED = 2,
	VARINT_OCTETS = 10,
	FIELDS = 64, /* one more than the highest number that is looked for */
	MEMORY_MAX = 2 * FRAME_MAX,
};

struct field {
	unsigned number;
	unsigned type;
	uint64_t value;      /* VARINT */
	struct slice octets; /* LENGTH_DELIMITED */
};

/* What has come of a message so far. */
struct scan {
	struct cursor c;
	uint64_t seen; /* a bit for each number */
};

static uint64_t take_varint(struct cursor *c)
{
	uint64_t value = 0;

	/* Most are of one octet.  A bad cursor may have octets left, but gives none. */
	if (cursor_ok(c) && c->left > 0 && *c->p < 0x80)
		return *cursor_take(c, 1).p;
	for (unsigned i = 0; i < VARINT_OCTETS; i++) {
		uint8_t octet = cursor_u8(c);

		value |= (uint64_t)(octet & 0x7f) << (7 * i);
		if (!(octet & 0x80))
			return value;
	}
	c->bad = true;
	return 0;
}

/* The next field, one that has not come before; false: none, or (scan->c.bad) a strange one. */
static bool take_field(struct scan *scan, struct field *field)
{
	uint64_t key;

	if (scan->c.left == 0)
		return false;
	key = take_varint(&scan->c);
	*field = (struct field){ .number = (unsigned)(key >> 3), .type = key & 7 };
	/* A field that comes twice is valid protobuf (the last one counts): it is left to the
	 * slow way. */
	if (key >= FIELDS << 3 || scan->seen >> field->number & 1)
		scan->c.bad = true;
	else if (field->type == VARINT)
		field->value = take_varint(&scan->c);
	else if (field->type == LENGTH_DELIMITED)
		field->octets = cursor_take(&scan->c, take_varint(&scan->c));
	else
		scan->c.bad = true;
	if (scan->c.bad)
		return false;
	scan->seen |= UINT64_C(1) << field->number;
	return true;
}

/* The setters return false for what has another type, or needs more room. */

static bool set_data(const struct field *field, ProtobufCBinaryData *out)
{
	*out = frame_data(field->octets.n ? field->octets : slice_of(NULL, 0));
	return field->type == LENGTH_DELIMITED;
}

static bool set_u64(const struct field *field, uint64_t *out)
{
	*out = field->value;
	return field->type == VARINT;
}

static bool set_u32(const struct field *field, uint32_t *out)
{
	*out = (uint32_t)field->value;
	return field->type == VARINT && field->value <= UINT32_MAX;
}

/* Copied, for protobuf-c's strings end with a NUL and the octets do not. */
static bool set_text(struct frame_room *room, const struct field *field, char **out)
{
	char *to = room->text + room->text_n;

	if (field->type != LENGTH_DELIMITED || field->octets.n >= sizeof(room->text) - room->text_n)
		return false;
	if (field->octets.n)
		memcpy(to, field->octets.p, field->octets.n);
	to[field->octets.n] = '\0';
	room->text_n += field->octets.n + 1;
	*out = to;
	return true;
}

static bool set_kind(const struct field *field, Umsg__MessageKind *out)
{
	*out = (Umsg__MessageKind)field->value;
	return field->type == VARINT && field->value <= INT32_MAX;
}

static bool set_post_field(Umsg__Post *post, const struct field *field)
{
	switch (field->number) {
	case 1:
		return set_data(field, &post->message_id);
	case 2:
		return set_kind(field, &post->kind);
	case 3:
		return set_u64(field, &post->store_until);
	case 4:
		return set_data(field, &post->i_message);
	case 5:
		return set_u32(field, &post->total_length);
	case 6:
		return set_data(field, &post->record);
	default:
		return false;
	}
}

static bool read_post(struct slice octets, Umsg__Post *post)
{
	struct scan scan = { .c = cursor_of(octets) };
	struct field field;

	umsg__post__init(post);
	while (take_field(&scan, &field))
		if (!set_post_field(post, &field))
			return false;
	return !scan.c.bad;
}

static bool read_taken(struct frame_room *room, struct slice octets)
{
	struct scan scan = { .c = cursor_of(octets) };
	Umsg__Taken *taken = &room->taken;
	struct field field;
	bool good = true;

	umsg__taken__init(taken);
	while (good && take_field(&scan, &field)) {
		if (field.number == 1)
			good = set_data(&field, &taken->message_id);
		else if (field.number == 2)
			good = set_text(room, &field, &taken->sender);
		else
			good = field.number == 3 && set_u64(&field, &taken->number);
	}
	return good && !scan.c.bad;
}

static bool set_body(struct frame_room *room, const struct field *field)
{
	Umsg__Frame *frame = &room->frame;

	if (field->type != LENGTH_DELIMITED || frame->body_case != UMSG__FRAME__BODY__NOT_SET)
		return false;
	room->body = field->octets;
	frame->body_case = (Umsg__Frame__BodyCase)field->number;
	if (frame->body_case == UMSG__FRAME__BODY_POST) {
		frame->post = &room->post;
		return read_post(field->octets, &room->post);
	}
	frame->taken = &room->taken;
	return read_taken(room, field->octets);
}

static bool set_frame_field(struct frame_room *room, const struct field *field)
{
	Umsg__Frame *frame = &room->frame;

	switch (field->number) {
	case 1:
		return set_u32(field, &frame->version);
	case 2:
		return set_u64(field, &frame->request);
	case 3:
		return set_text(room, field, &frame->from);
	case 4:
		return set_text(room, field, &frame->to);
	case UMSG__FRAME__BODY_POST:
	case UMSG__FRAME__BODY_TAKEN:
		return set_body(room, field);
	default:
		return false;
	}
}

Umsg__Frame *frame_quick(struct slice octets, struct frame_room *room)
{
	struct scan scan = { .c = cursor_of(octets) };
	struct field field;

	umsg__frame__init(&room->frame);
	room->text_n = 0;
	while (take_field(&scan, &field))
		if (!set_frame_field(room, &field))
			return NULL;
	return !scan.c.bad && room->frame.body_case != UMSG__FRAME__BODY__NOT_SET ? &room->frame
										  : NULL;
}

int frame_decode_in(struct slice octets, enum frame_side side, struct frame_room *room,
		    Umsg__Frame **frame_out)
{
	Umsg__Frame *frame = octets.n <= FRAME_MAX ? frame_quick(octets, room) : NULL;
	int err;

	/* Not wrong, only not simple: protobuf-c decides. */
	if (!frame)
		return frame_decode(octets, side, frame_out);
	err = frame_check(frame, side);
	*frame_out = err == -EBADMSG ? NULL : frame;
	return err;
}

int frame_view_in(struct slice octets, struct frame_room *room, Umsg__Frame **frame_out)
{
	*frame_out = frame_quick(octets, room);
	return *frame_out ? 0 : frame_view(octets, frame_out);
}

void frame_leave(struct frame_room *room, Umsg__Frame **framep)
{
	if (*framep == &room->frame)
		*framep = NULL;
	frame_free(framep);
}

bool frame_is_post(struct slice packed)
{
	ProtobufCMessage *message;
	Umsg__Post post;
	int err;

	if (read_post(packed, &post))
		return true;
	message = pack_view(&umsg__post__descriptor, packed, MEMORY_MAX, &err);
	pack_forget(message);
	return message != NULL;
}
