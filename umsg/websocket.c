#include "umsg/websocket.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/rand.h>
#include <wslay/wslay.h>

enum {
	HEADER_MAX = 14,
	CODE_NONE = 1005,
	CODE_MIN = 1000,
	CODE_MAX = 4999,
};

struct ws_state {
	wslay_frame_context_ptr wslay;
	struct slice input;              /* what wslay may still read */
	uint64_t given;                  /* octets that it took in this ws_read() */
	uint8_t control[WS_CONTROL_MAX]; /* what has come of a control frame */
	size_t control_n;
};

struct ws_engine {
	/* By role, because wslay's state remembers a mask beyond its frame. */
	struct ws_state *spare[2];         /* lent to the next reader, may be NULL */
	wslay_frame_context_ptr sender[2]; /* no other state between two frames */
	struct ws_out *out;                /* where they write */
};

/* ---- what wslay calls ---- */

static ssize_t give_input(uint8_t *p, size_t n, int flags, void *arg)
{
	struct ws_state *state = arg;

	(void)flags;
	if (state->input.n == 0)
		return -1;
	if (n > state->input.n)
		n = state->input.n;
	memcpy(p, state->input.p, n);
	state->input = slice_from(state->input, n);
	state->given += n;
	return (ssize_t)n;
}

/* ws_write() has made room. */
static ssize_t take_output(const uint8_t *p, size_t n, int flags, void *arg)
{
	struct ws_engine *engine = arg;

	(void)flags;
	memcpy(engine->out->p + engine->out->n, p, n);
	engine->out->n += n;
	return (ssize_t)n;
}

static int make_mask(uint8_t *p, size_t n, void *arg)
{
	(void)arg;
	return RAND_bytes(p, (int)n) == 1 ? 0 : -1;
}

/* ---- engine ---- */

static void state_free(struct ws_state *state)
{
	if (!state)
		return;
	wslay_frame_context_free(state->wslay);
	free(state);
}

static struct ws_state *state_new(void)
{
	static const struct wslay_frame_callbacks callbacks = { NULL, give_input, NULL };
	struct ws_state *state = calloc(1, sizeof(*state));

	if (!state)
		return NULL;
	if (wslay_frame_context_init(&state->wslay, &callbacks, state) != 0) {
		free(state);
		return NULL;
	}
	return state;
}

struct ws_engine *ws_engine_new(void)
{
	static const struct wslay_frame_callbacks callbacks = { take_output, NULL, make_mask };
	struct ws_engine *engine = calloc(1, sizeof(*engine));

	if (!engine)
		return NULL;
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
	for (int role = WS_CLIENT; role <= WS_SERVER; role++) {
		state_free(engine->spare[role]);
		wslay_frame_context_free(engine->sender[role]);
	}
	free(engine);
	*enginep = NULL;
}

/* ---- reading ---- */

void ws_reader_init(struct ws_reader *reader, enum ws_role role, size_t message_max)
{
	memset(reader, 0, sizeof(*reader));
	reader->role = role;
	reader->message_max = message_max;
}

static void drop_message(struct ws_reader *reader)
{
	free(reader->message);
	reader->message = NULL;
	reader->length = 0;
	reader->capacity = 0;
	reader->in_message = false;
}

void ws_reader_done(struct ws_reader *reader, struct ws_engine *engine)
{
	(void)engine;
	state_free(reader->state); /* in the middle of a frame: of no use to another */
	reader->state = NULL;
	drop_message(reader);
}

bool ws_reader_busy(const struct ws_reader *reader)
{
	return reader->pending != 0 || reader->in_message;
}

static size_t header_octets(uint64_t payload, bool masked)
{
	size_t extended = payload < 126 ? 0 : payload < 65536 ? 2 : 8;

	return 2 + extended + (masked ? 4 : 0);
}

static bool is_control(uint8_t opcode)
{
	return wslay_is_ctrl_frame(opcode) != 0;
}

static int refuse(int err, unsigned code, unsigned *code_out)
{
	*code_out = code;
	return err;
}

/* Makes room for the rest of a message. */
static int reserve(struct ws_reader *reader, size_t more)
{
	size_t need = reader->length + more;
	uint8_t *p;

	if (need <= reader->capacity)
		return 0;
	p = realloc(reader->message, need);
	if (!p)
		return -ENOMEM;
	reader->message = p;
	reader->capacity = need;
	return 0;
}

/* Checks a data frame's place in its message and its length (RFC 6455 5.4). */
static int begin_data(struct ws_reader *reader, const struct wslay_frame_iocb *frame,
		      unsigned *code_out)
{
	if (frame->opcode == WSLAY_TEXT_FRAME)
		return refuse(-EPROTO, WS_CODE_UNSUPPORTED, code_out);
	if (frame->opcode != WSLAY_BINARY_FRAME && frame->opcode != WSLAY_CONTINUATION_FRAME)
		return refuse(-EPROTO, WS_CODE_PROTOCOL, code_out);
	if ((frame->opcode == WSLAY_CONTINUATION_FRAME) != reader->in_message)
		return refuse(-EPROTO, WS_CODE_PROTOCOL, code_out);
	if (frame->payload_length > reader->message_max ||
	    reader->length > reader->message_max - (size_t)frame->payload_length)
		return refuse(-EMSGSIZE, WS_CODE_TOO_LARGE, code_out);
	if (frame->fin && !reader->in_message && frame->data_length == frame->payload_length)
		return 0; /* whole in one piece: handed on without a copy */
	if (reserve(reader, (size_t)frame->payload_length) < 0)
		return refuse(-ENOMEM, WS_CODE_INTERNAL, code_out);
	return 0;
}

static int begin_frame(struct ws_reader *reader, const struct wslay_frame_iocb *frame,
		       unsigned *code_out)
{
	bool masked = frame->mask != 0;

	if (frame->rsv != WSLAY_RSV_NONE || masked != (reader->role == WS_SERVER))
		return refuse(-EPROTO, WS_CODE_PROTOCOL, code_out);
	reader->in_frame = true;
	reader->fin = frame->fin != 0;
	reader->opcode = frame->opcode;
	reader->frame_left = frame->payload_length;
	reader->frame_octets = header_octets(frame->payload_length, masked) + frame->payload_length;
	reader->state->control_n = 0;
	if (!is_control(frame->opcode))
		return begin_data(reader, frame, code_out);
	if (frame->payload_length > WS_CONTROL_MAX || !frame->fin || frame->opcode > WSLAY_PONG)
		return refuse(-EPROTO, WS_CODE_PROTOCOL, code_out);
	return 0;
}

/* May a close frame carry this code (RFC 6455 7.4)? */
static bool is_close_code(unsigned code)
{
	return code >= CODE_MIN && code <= CODE_MAX && code != 1004 && code != 1005 &&
	       code != 1006 && code != 1015 && !(code > 1014 && code < 3000);
}

static int end_control(struct ws_reader *reader, ws_message_fn *message, void *arg,
		       unsigned *code_out)
{
	struct slice payload = slice_of(reader->state->control, reader->state->control_n);
	enum ws_kind kind = WS_PING;
	unsigned code = 0;

	if (reader->opcode == WSLAY_PONG)
		kind = WS_PONG;
	if (reader->opcode == WSLAY_CONNECTION_CLOSE) {
		kind = WS_CLOSE;
		code = CODE_NONE;
		if (payload.n >= 2)
			code = (unsigned)payload.p[0] << 8 | payload.p[1];
		if (payload.n == 1 || (payload.n >= 2 && !is_close_code(code)))
			return refuse(-EPROTO, WS_CODE_PROTOCOL, code_out);
	}
	return message(arg, kind, payload, code) ? 0 : -ECANCELED;
}

static int end_data(struct ws_reader *reader, struct slice last, ws_message_fn *message, void *arg)
{
	bool go_on;

	if (!reader->fin) {
		reader->in_message = true;
		return 0;
	}
	go_on = message(arg, WS_BINARY,
			reader->length ? slice_of(reader->message, reader->length) : last, 0);
	drop_message(reader);
	return go_on ? 0 : -ECANCELED;
}

/* One piece of a frame as wslay hands it out. */
static int take_piece(struct ws_reader *reader, const struct wslay_frame_iocb *frame,
		      ws_message_fn *message, void *arg, unsigned *code_out)
{
	struct slice piece = slice_of(frame->data, frame->data_length);
	int err;

	if (!reader->in_frame) {
		err = begin_frame(reader, frame, code_out);
		if (err)
			return err;
	}
	if (is_control(reader->opcode) && piece.n) {
		memcpy(reader->state->control + reader->state->control_n, piece.p, piece.n);
		reader->state->control_n += piece.n;
	} else if (reader->capacity && piece.n) {
		memcpy(reader->message + reader->length, piece.p, piece.n);
		reader->length += piece.n;
	}
	reader->frame_left -= piece.n;
	if (reader->frame_left > 0)
		return 0;
	reader->in_frame = false;
	reader->pending -= reader->frame_octets;
	return is_control(reader->opcode) ? end_control(reader, message, arg, code_out)
					  : end_data(reader, piece, message, arg);
}

int ws_read(struct ws_engine *engine, struct ws_reader *reader, struct slice octets,
	    ws_message_fn *message, void *arg, unsigned *code_out)
{
	struct ws_state **spare = &engine->spare[reader->role];
	struct ws_state *state = reader->state ? reader->state : *spare;
	int err = 0;

	*code_out = 0;
	if (!state)
		state = state_new();
	if (!state)
		return refuse(-ENOMEM, WS_CODE_INTERNAL, code_out);
	if (state == *spare)
		*spare = NULL;
	reader->state = state;
	state->input = octets;
	while (!err) {
		struct wslay_frame_iocb frame;
		ssize_t n;

		memset(&frame, 0, sizeof(frame));
		state->given = 0;
		n = wslay_frame_recv(state->wslay, &frame);
		reader->pending += state->given;
		if (n == WSLAY_ERR_WANT_READ)
			break;
		err = n < 0 ? refuse(-EPROTO, WS_CODE_PROTOCOL, code_out)
			    : take_piece(reader, &frame, message, arg, code_out);
	}
	state->input = (struct slice){ NULL, 0 };
	if (!err && reader->pending == 0 && !*spare) {
		*spare = state;
		reader->state = NULL;
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
		frame.data += n;
		frame.data_length -= (size_t)n;
	} while (frame.data_length > 0);
	return 0;
}
