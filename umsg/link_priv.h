/* link_priv.h - the inside of a link, for link_open.c (made, connecting), link.c (life, time),
 * link_context.c and link_io.c (TLS, upgrade, messages).
 */
#ifndef UMSG_LINK_PRIV_H
#define UMSG_LINK_PRIV_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include "umsg/link.h"
#include "umsg/link_tls.h"
#include "umsg/upgrade.h"
#include "umsg/websocket.h"

enum {
	LINK_READ_OCTETS = 16384, /* at once: a TLS record */
	LINK_SPARE_OCTETS = 256 * 1024,
};

struct link_context {
	struct event_base *base;
	struct link_limits limits;
	struct net_addr own; /* len 0: any */
	SSL_CTX *server, *client;
	BIO_METHOD *socket;
	struct ws_engine *engine;
	uint8_t input[LINK_READ_OCTETS];
	struct ws_out spare; /* empty: what the last link that wrote does not need any more */
};

enum link_state {
	CONNECTING, /* TCP, client only */
	SHAKING,    /* TLS */
	UPGRADING,  /* HTTP */
	UP,
	CLOSING, /* ends: waits for the peer's end, or only for the loop */
	GONE,
};

/* What only TLS and the upgrade need. */
struct link_setup {
	char *host;     /* client */
	char *identity; /* of the hello, or our own */
	uint8_t psk[LINK_PSK];
	char key[UPGRADE_KEY + 1];
	size_t head_n;
	uint8_t head[UPGRADE_HEAD_MAX]; /* last: of its room only what came is ever touched */
};

struct link {
	struct link_context *context;
	const struct link_ops *ops;
	void *arg;
	enum link_state state;
	bool server;
	int fd;
	SSL *ssl;
	struct net_addr peer;
	struct event readable, timer;
	struct event *writable; /* NULL while nothing waits to be sent, or for a connection */
	struct link_tls_peer tls;
	struct link_setup *setup;  /* until it is up */
	struct ws_reader *partial; /* of a message that has begun; NULL between two */
	struct ws_out out;
	bool flushing; /* a flush stands at the end of this turn */
	bool discard;  /* CLOSING: what comes is not read any more */
	bool paused;
	int8_t priority; /* -1: what the loop gives */
	/* Why it will end, as soon as the loop gets to it or the peer has answered. */
	enum link_reason reason;
	unsigned code;
	const char *text;
	/* Monotonic milliseconds; 0: not running. */
	int64_t phase_due, message_due, ping_sent, armed;
	enum link_keep_alive method;
	unsigned interval_ms, grace_ms;
	struct link_stats stats;
	/* Callbacks under way; freed behind the last one. */
	unsigned depth;
	bool doomed;
};

/* ---- link.c ---- */

/* Enters a state that lasts limit_ms at most; 0: no limit. */
void link_phase(struct link *link, enum link_state state, unsigned limit_ms);

/* Sees to it that the timer does not fire later than what is due next. */
void link_arm(struct link *link);

/* Tells the owner. */
void link_tell(struct link *link, const struct link_event *event);
/* The same without anything but kind and text, which may be NULL. */
void link_tell_kind(struct link *link, enum link_event_kind kind, const char *text);

/* Closes the descriptor and tells LINK_CLOSED, once. */
void link_end(struct link *link, enum link_reason reason, unsigned code, const char *text);

/* Ends without the WebSocket's courtesy, as soon as the loop gets to it. */
void link_give_up(struct link *link, enum link_reason reason);

/* Makes the events of a new link, whose context and fd are set: reading and the timer.  Neither is
 * armed yet. */
void link_assign_events(struct link *link);

/* Has on_writable() called, at the end of this turn or (wait) when the socket takes more.  Without
 * memory the link is given up. */
void link_want_write(struct link *link, bool wait);

/* ---- link_open.c ---- */

/* CONNECTING, and the socket has become writable: begins TLS, or ends the link when there is no
 * connection. */
void link_connected(struct link *link);

/* Wipes and frees link->setup, and what TLS has of it; none is there afterwards. */
void link_setup_done(struct link *link);

/* ---- link_io.c ---- */

/* Makes the SSL and goes to SHAKING.  Returns 0 or -ENOMEM. */
int link_begin_tls(struct link *link);

/* Goes on with the TLS handshake; then comes the upgrade to WebSocket. */
void link_shake(struct link *link);
/* Takes what has come, at most READS_A_TURN times, so that one peer does not keep the loop. */
void link_read(struct link *link);

/* Writes what waits.  False when the link is gone. */
bool link_flush(struct link *link);

/* Queues a WebSocket frame.  Returns 0, -ENOBUFS (and gives up), -ENOMEM, -EIO. */
int link_queue(struct link *link, enum ws_kind kind, struct slice payload);

/* Says goodbye with code and waits a little for the peer's end, so that our close is
 * not lost with the connection; discard: what still comes is not looked at. */
void link_begin_close(struct link *link, enum link_reason reason, unsigned code, bool discard);

#endif
