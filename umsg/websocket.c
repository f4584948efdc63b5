/* websocket.c - frames and messages of WebSocket (RFC 6455).
 *
 * All that comes is of a stranger until it is checked: header, length and place of a frame before
 * any of its payload is kept, so that nobody has more memory held for him than one message's.
 */
#include "umsg/websocket.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include <wslay/wslay.h>

#include "base/text.h"

enum {
	HEADER_MAX = WS_HEADER_MAX,
	CODE_NONE = 1005,
	CODE_MIN = 1000,
	CODE_MAX = 4999,
	WHOLE_MAX = 16384, /* of a TLS record: no frame in one piece is longer */
};

/* The octets of a header (RFC 6455 5.2). */
enum {
	FIN = 0x80, /* the first one */
	RESERVED = 0x70,
	OPCODE = 0x0f,
	MASKED = 0x80, /* the second one */
	LENGTH = 0x7f,
	LENGTH_16 = 126, /* 2 octets of length follow */
	LENGTH_64 = 127, /* 8 octets */
};

struct ws_engine {
	/* By role, because wslay's state remembers a mask beyond its frame. */
	wslay_frame_context_ptr sender[2]; /* no other state between two frames */
	struct ws_out *out;                /* where they write */
	uint8_t whole[WHOLE_MAX];          /* the payload of a frame that came in one piece */
};

/* ---- what wslay calls ---- */

/* ws_write() has made room. */
static ssize_t take_output(const uint8_t *p, size_t n, int flags, void *arg)
{
	struct ws_engine *engine = arg;

	(void)flags;
	memcpy(engine->out->p + engine->out->n, p, n);
	engine->out->n += n;
	return (ssize_t)n;
}

/* RFC 6455 10.3: what a page's author cannot foresee.  From the kernel, as OpenSSL's generator
 * costs as much as the rest of a frame. */
static int make_mask(uint8_t *p, size_t n, void *arg)
{
	(void)arg;
	return getrandom(p, n, 0) == (ssize_t)n ? 0 : -1;
}

/* ---- engine ---- */

struct ws_engine *ws_engine_new(void)
{
	static const struct wslay_frame_callbacks callbacks = { take_output, NULL, make_mask };
	struct ws_engine *engine = calloc(1, sizeof(*engine));

	if (!engine)
		return NULL;
	/* calloc() left those NULL that are not made: ws_engine_free() is safe half-way. */
	for (int role = WS_CLIENT; role <= WS_SERVER; role++)
		if (wslay_frame_context_init(&engine->sender[role], &callbacks, engine) != 0) {
			ws_engine_free(&engine);
			return NULL;
		}
	return engine;
}

void ws_engine_free(struct ws_engine **enginep)
{
	struct ws_engine *engine = *enginep;

	if (!engine)
		return;
	for (int role = WS_CLIENT; role <= WS_SERVER; role++)
		wslay_frame_context_free(engine->sender[role]);
	free(engine);
	*enginep = NULL;
}

/* ---- reading ----
 *
 * Frames are read here and not by wslay, which copies and unmasks octet by octet: 2.5 us
 * for a frame of 1 KiB, a fifth of all that a message cost the rendezvous. */

void ws_reader_init(struct ws_reader *reader, enum ws_role role, size_t message_max)
{
	memset(reader, 0, sizeof(*reader));
	reader->role = role;
	reader->message_max = message_max;
}

static void drop(struct ws_part *part)
{
	free(part->p);
	*part = (struct ws_part){ .p = NULL };
}

void ws_reader_done(struct ws_reader *reader)
{
	drop(&reader->message);
	drop(&reader->control);
}

bool ws_reader_busy(const struct ws_reader *reader)
{
	/* header_n stays set while the payload comes. */
	return reader->header_n != 0 || reader->in_message;
}

static int refuse(int err, unsigned code, unsigned *code_out)
{
	*code_out = code;
	return err;
}

static bool is_control(uint8_t opcode)
{
	return opcode & 0x08; /* RFC 6455 5.5 */
}

/* Octets of length that stand behind a header's second octet. */
static size_t extended(uint8_t second)
{
	switch (second & LENGTH) {
	case LENGTH_16:
		return 2;
	case LENGTH_64:
		return 8;
	default:
		return 0;
	}
}

/* Octets of the frame's header, as far as its first two are known. */
static size_t header_size(const struct ws_reader *reader)
{
	uint8_t second = reader->header[1];

	if (reader->header_n < 2)
		return 2;
	return 2 + extended(second) + (second & MASKED ? (size_t)WS_MASK : 0);
}

/* Moves what there is of the header out of octets; true when it is complete. */
static bool take_header(struct ws_reader *reader, struct slice *octets)
{
	while (reader->header_n < header_size(reader)) {
		size_t n = header_size(reader) - reader->header_n;

		if (octets->n == 0)
			return false;
		if (n > octets->n)
			n = octets->n;
		memcpy(reader->header + reader->header_n, octets->p, n);
		reader->header_n += n;
		*octets = slice_from(*octets, n);
	}
	return true;
}

/* The length of the frame's payload; it has to be written in the fewest octets (RFC 6455
 * 5.2).  Returns 0 or -EPROTO. */
static int read_length(const struct ws_reader *reader, uint64_t *length_out)
{
	size_t n = extended(reader->header[1]);
	uint64_t length = n ? 0 : reader->header[1] & LENGTH;

	for (size_t i = 0; i < n; i++)
		length = length << 8 | reader->header[2 + i];
	*length_out = length;
	/* The highest bit of 64 has to be 0, so the cast to size_t loses nothing. */
	if ((n == 2 && length < LENGTH_16) || (n == 8 && (length <= UINT16_MAX || length >> 63)))
		return -EPROTO;
	return 0;
}

/* Makes room for n more octets. */
static int reserve(struct ws_part *part, size_t n)
{
	/* By what the header tells, which was held against message_max before: no peer grows
	 * it octet by octet. */
	uint8_t *p = realloc(part->p, part->n + n ? part->n + n : 1);

	if (!p)
		return -ENOMEM;
	part->p = p;
	return 0;
}

/* Checks a data frame's place in its message and its length (RFC 6455 5.4). */
static int check_data(const struct ws_reader *reader, uint64_t length, unsigned *code_out)
{
	if (reader->opcode == WSLAY_TEXT_FRAME)
		return refuse(-EPROTO, WS_CODE_UNSUPPORTED, code_out);
	if (reader->opcode != WSLAY_BINARY_FRAME && reader->opcode != WSLAY_CONTINUATION_FRAME)
		return refuse(-EPROTO, WS_CODE_PROTOCOL, code_out);
	if ((reader->opcode == WSLAY_CONTINUATION_FRAME) != reader->in_message)
		return refuse(-EPROTO, WS_CODE_PROTOCOL, code_out);
	if (length > reader->message_max ||
	    reader->message.n > reader->message_max - (size_t)length)
		return refuse(-EMSGSIZE, WS_CODE_TOO_LARGE, code_out);
	return 0;
}

/* The header is complete: checks it (RFC 6455 5.2, 5.5) and begins the payload. */
static int begin_frame(struct ws_reader *reader, unsigned *code_out)
{
	bool masked = reader->header[1] & MASKED;
	uint64_t length;
	int err;

	reader->fin = reader->header[0] & FIN;
	reader->opcode = reader->header[0] & OPCODE;
	/* RSV bits belong to extensions, of which none is agreed to. A client has to mask, a
	 * server must not (5.1). */
	if (reader->header[0] & RESERVED || masked != (reader->role == WS_SERVER) ||
	    read_length(reader, &length))
		return refuse(-EPROTO, WS_CODE_PROTOCOL, code_out);
	if (!is_control(reader->opcode)) {
		err = check_data(reader, length, code_out);
		if (err)
			return err;
	} else if (length > WS_CONTROL_MAX || !reader->fin || reader->opcode > WSLAY_PONG) {
		return refuse(-EPROTO, WS_CODE_PROTOCOL, code_out);
	}
	reader->in_frame = true;
	reader->frame_left = (size_t)length;
	reader->frame_read = 0;
	return 0;
}

/* Copies payload octets, of which the first is number at of its frame, without the mask
 * (RFC 6455 5.3). */
static void unmask(const struct ws_reader *reader, struct slice from, size_t at, uint8_t *to)
{
	const uint8_t *mask = reader->header + header_size(reader) - WS_MASK;
	uint8_t turned[8];
	uint64_t mask8, octets8;
	size_t i = 0;

	if (reader->role == WS_CLIENT) {
		if (from.n)
			memcpy(to, from.p, from.n);
		return;
	}
	/* The mask, turned to where the piece begins, twice: so eight octets are done at once. */
	for (size_t k = 0; k < sizeof(turned); k++)
		turned[k] = mask[(at + k) % WS_MASK];
	memcpy(&mask8, turned, sizeof(mask8));
	for (; from.n - i >= sizeof(octets8); i += sizeof(octets8)) {
		memcpy(&octets8, from.p + i, sizeof(octets8));
		octets8 ^= mask8;
		memcpy(to + i, &octets8, sizeof(octets8));
	}
	for (; i < from.n; i++)
		to[i] = from.p[i] ^ turned[i % sizeof(turned)];
}

/* May a close frame carry this code (RFC 6455 7.4)? */
static bool is_close_code(unsigned code)
{
	return code >= CODE_MIN && code <= CODE_MAX && code != 1004 && code != 1005 &&
	       code != 1006 && code != 1015 && !(code > 1014 && code < 3000);
}

static int end_control(const struct ws_reader *reader, struct slice payload, ws_message_fn *message,
		       void *arg, unsigned *code_out)
{
	enum ws_kind kind = WS_PING;
	unsigned code = 0;

	if (reader->opcode == WSLAY_PONG)
		kind = WS_PONG;
	if (reader->opcode == WSLAY_CONNECTION_CLOSE) {
		kind = WS_CLOSE;
		code = CODE_NONE;
		if (payload.n >= 2)
			code = (unsigned)payload.p[0] << 8 | payload.p[1];
		/* A code is of two octets or is not there (RFC 6455 5.5.1). */
		if (payload.n == 1 || (payload.n >= 2 && !is_close_code(code)))
			return refuse(-EPROTO, WS_CODE_PROTOCOL, code_out);
		/* The reason behind it has to be UTF-8 (5.5.1). */
		if (payload.n > 2 && !text_is_utf8(slice_from(payload, 2)))
			return refuse(-EPROTO, WS_CODE_NO_UTF8, code_out);
	}
	return message(arg, kind, payload, code) ? 0 : -ECANCELED;
}

/* The frame is complete; payload is its own one, or all of the message's so far. */
static int end_frame(struct ws_reader *reader, struct slice payload, ws_message_fn *message,
		     void *arg, unsigned *code_out)
{
	bool go_on;

	/* Before the callback: whatever it does, the reader stands between two frames. */
	reader->in_frame = false;
	reader->header_n = 0;
	if (is_control(reader->opcode)) {
		int err = end_control(reader, payload, message, arg, code_out);

		drop(&reader->control);
		return err;
	}
	reader->in_message = !reader->fin;
	if (!reader->fin)
		return 0;
	go_on = message(arg, WS_BINARY, payload, 0);
	drop(&reader->message);
	return go_on ? 0 : -ECANCELED;
}

/* Is the frame all of what it tells, and here in one piece? */
static bool is_whole(const struct ws_reader *reader, size_t here)
{
	return reader->frame_read == 0 && reader->frame_left <= here &&
	       reader->frame_left <= WHOLE_MAX &&
	       (is_control(reader->opcode) || (reader->fin && !reader->in_message));
}

/* Takes what there is of the frame's payload out of octets.  Nothing is allocated for one
 * that came in one piece. */
static int take_payload(struct ws_engine *engine, struct ws_reader *reader, struct slice *octets,
			ws_message_fn *message, void *arg, unsigned *code_out)
{
	struct ws_part *part = is_control(reader->opcode) ? &reader->control : &reader->message;
	size_t n = reader->frame_left < octets->n ? reader->frame_left : octets->n;
	struct slice piece = slice_of(octets->p, n);

	*octets = slice_from(*octets, n);
	if (is_whole(reader, n)) {
		if (reader->role == WS_SERVER) {
			unmask(reader, piece, 0, engine->whole);
			piece = slice_of(engine->whole, n);
		}
		return end_frame(reader, piece, message, arg, code_out);
	}
	/* Also for a frame of length 0 within a message: realloc() of one octet then. */
	if (reader->frame_read == 0 && reserve(part, reader->frame_left) < 0)
		return refuse(-ENOMEM, WS_CODE_INTERNAL, code_out);
	unmask(reader, piece, reader->frame_read, part->p + part->n);
	part->n += n;
	reader->frame_read += n;
	reader->frame_left -= n;
	if (reader->frame_left > 0)
		return 0;
	return end_frame(reader, slice_of(part->p, part->n), message, arg, code_out);
}

int ws_read(struct ws_engine *engine, struct ws_reader *reader, struct slice octets,
	    ws_message_fn *message, void *arg, unsigned *code_out)
{
	int err = 0;

	*code_out = 0;
	while (!err && octets.n > 0) {
		if (!reader->in_frame) {
			if (!take_header(reader, &octets))
				break;
			err = begin_frame(reader, code_out);
		}
		/* Also with no octets left: a frame may be empty. */
		if (!err)
			err = take_payload(engine, reader, &octets, message, arg, code_out);
	}
	return err;
}

/* ---- writing ---- */

/* Makes room for n octets behind what waits. */
static int make_room(struct ws_out *out, size_t n)
{
	size_t waiting = out->n - out->start, capacity;
	uint8_t *p;

	if (n <= out->capacity - out->n)
		return 0;
	if (out->start) {
		memmove(out->p, out->p + out->start, waiting);
		out->n = waiting;
		out->start = 0;
	}
	if (n <= out->capacity - out->n)
		return 0;
	/* Doubled, or the octets would be copied for each frame of a burst. */
	capacity = out->capacity * 2 > waiting + n ? out->capacity * 2 : waiting + n;
	p = realloc(out->p, capacity);
	if (!p)
		return -ENOMEM;
	out->p = p;
	out->capacity = capacity;
	return 0;
}

int ws_out_put(struct ws_out *out, struct slice octets)
{
	if (octets.n == 0)
		return 0;
	if (make_room(out, octets.n) < 0)
		return -ENOMEM;
	memcpy(out->p + out->n, octets.p, octets.n);
	out->n += octets.n;
	return 0;
}

void ws_out_done(struct ws_out *out)
{
	free(out->p);
	memset(out, 0, sizeof(*out));
}

static uint8_t opcode_of(enum ws_kind kind)
{
	static const uint8_t opcodes[] = {
		[WS_BINARY] = WSLAY_BINARY_FRAME,
		[WS_PING] = WSLAY_PING,
		[WS_PONG] = WSLAY_PONG,
		[WS_CLOSE] = WSLAY_CONNECTION_CLOSE,
	};

	return opcodes[kind];
}

int ws_write(struct ws_engine *engine, enum ws_role role, enum ws_kind kind, struct slice payload,
	     struct ws_out *out)
{
	struct wslay_frame_iocb frame = {
		.fin = 1,
		.opcode = opcode_of(kind),
		.payload_length = payload.n,
		.mask = role == WS_CLIENT,
		.data = payload.p,
		.data_length = payload.n,
	};
	size_t before;

	if (kind != WS_BINARY && payload.n > WS_CONTROL_MAX)
		return -EMSGSIZE;
	/* Before wslay begins: its sender must not stop within a frame, as the next one is
	 * another link's. */
	if (make_room(out, payload.n + HEADER_MAX) < 0)
		return -ENOMEM;
	before = out->n;
	engine->out = out;
	do {
		ssize_t n = wslay_frame_send(engine->sender[role], &frame);

		if (n < 0) { /* no mask to be had: nothing was begun */
			out->n = before;
			return -EIO;
		}
		/* What it returns are octets of the payload; the header went with the first
		 * call. */
		frame.data += n;
		frame.data_length -= (size_t)n;
	} while (frame.data_length > 0);
	return 0;
}
