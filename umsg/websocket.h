/* websocket.h - WebSocket messages (RFC 6455 sections 5 to 7) from and to octets;
 * wslay writes the frames.
 *
 * A reader holds memory only while a message or frame is incomplete.
 *
 * Threads: an engine and its readers belong to one thread.
 */
#ifndef UMSG_WEBSOCKET_H
#define UMSG_WEBSOCKET_H

#include "base/slice.h"

struct ws_engine;

enum {
	WS_CONTROL_MAX = 125, /* octets of a control frame's payload */
	WS_MASK = 4,
	WS_HEADER_MAX = 2 + 8 + WS_MASK,
	WS_CODE_NORMAL = 1000,
	WS_CODE_GOING_AWAY = 1001,
	WS_CODE_PROTOCOL = 1002,
	WS_CODE_UNSUPPORTED = 1003,
	WS_CODE_NO_UTF8 = 1007,
	WS_CODE_POLICY = 1008,
	WS_CODE_TOO_LARGE = 1009,
	WS_CODE_INTERNAL = 1011,
};

enum ws_role { WS_CLIENT, WS_SERVER };

enum ws_kind { WS_BINARY, WS_PING, WS_PONG, WS_CLOSE };

/* NULL when memory is out. */
struct ws_engine *ws_engine_new(void);
/* Frees *enginep and sets it to NULL; *enginep may be NULL. */
void ws_engine_free(struct ws_engine **enginep);

/* What has come of something incomplete; p is malloc'd. */
struct ws_part {
	uint8_t *p;
	size_t n;
};

struct ws_reader {
	enum ws_role role;      /* of ours: a server wants masked frames, a client wants none */
	size_t message_max;     /* octets of a message */
	struct ws_part message; /* while it is incomplete */
	bool in_message;        /* fragments of a message have come, its last one has not */
	/* The frame that is incomplete; control frames may come between fragments. */
	uint8_t header[WS_HEADER_MAX];
	size_t header_n; /* octets that have come of it */
	bool in_frame;   /* its header is complete */
	bool fin;
	uint8_t opcode;
	size_t frame_read, frame_left; /* octets of its payload */
	struct ws_part control;        /* its payload, if it is a control frame */
};

/* Nothing has come yet; allocates nothing. */
void ws_reader_init(struct ws_reader *reader, enum ws_role role, size_t message_max);
/* Frees what is incomplete. */
void ws_reader_done(struct ws_reader *reader);

/* Has part of a message or frame come? */
bool ws_reader_busy(const struct ws_reader *reader);

/* What came.  payload is valid until the callback returns; for WS_CLOSE code is the
 * close code, 1005 where there was none.  Returns true to go on, false to leave the
 * rest unread (the reader must then be done with: its owner is closing). */
typedef bool ws_message_fn(void *arg, enum ws_kind kind, struct slice payload, unsigned code);

/* Reads octets, all of them.  Returns 0, or -errno and then, in *code_out, the code to
 * close with: -EPROTO (rules broken, or text), -EMSGSIZE, -ENOMEM; or -ECANCELED: the
 * callback said no. */
int ws_read(struct ws_engine *engine, struct ws_reader *reader, struct slice octets,
	    ws_message_fn *message, void *arg, unsigned *code_out);

/* A growing run of octets to be sent.  p is malloc'd. */
struct ws_out {
	uint8_t *p;
	size_t start, n, capacity; /* p[start] to p[n - 1] are to be sent */
};

/* Appends octets as they are.  Returns 0 or -ENOMEM. */
int ws_out_put(struct ws_out *out, struct slice octets);
/* Frees the octets. */
void ws_out_done(struct ws_out *out);

/* Appends one unfragmented frame; a client's is masked.  For WS_CLOSE payload is
 * ws_close_payload()'s.  Returns 0, -EMSGSIZE (control payload over WS_CONTROL_MAX),
 * -EIO, or -ENOMEM; out is unchanged on failure. */
int ws_write(struct ws_engine *engine, enum ws_role role, enum ws_kind kind, struct slice payload,
	     struct ws_out *out);

#endif
