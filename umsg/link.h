/* link.h - a connection between a client and the rendezvous: TLS 1.3 with an
 * external PSK, in it a WebSocket (RFC 6455, subprotocol "umsg.1"), in it binary
 * messages of one frame each.
 *
 * TLS: psk_dhe_ke with X25519 or P-256, TLS_AES_128_GCM_SHA256 or
 * TLS_CHACHA20_POLY1305_SHA256; no certificates, tickets or early data.
 * Source: docs/umsg.md "Link".
 *
 * Octets that are sent in one turn of the event loop leave together, at its end.
 * An idle link keeps no buffer of its own beside OpenSSL's state.
 *
 * Threads: one link_context per event loop, all of its links in that loop.
 */
#ifndef UMSG_LINK_H
#define UMSG_LINK_H

#include "base/net.h"
#include "base/slice.h"

struct event_base;
struct link;
struct link_context;

enum {
	LINK_PSK = 32,
	LINK_IDENTITY_MAX = 255,
	LINK_MESSAGE_MAX = 65536, /* a longer one closes the link with 1009 */
};

/* Limits of every link of a context.  0 takes the default. */
struct link_limits {
	unsigned connect_ms;   /* client: TCP; 10,000 */
	unsigned handshake_ms; /* TLS and upgrade together, however slowly; 10,000 */
	unsigned message_ms;   /* from the first octet of a message to its last; 30,000 */
	unsigned close_ms;     /* for the answer to our close; 2,000 */
	size_t queue_octets;   /* to be sent; more closes the link; 1 MiB */
};

/* What all links of one event loop share.  limits may be NULL.
 * Returns 0, -EIO (OpenSSL), or -ENOMEM. */
int link_context_new(struct event_base *base, const struct link_limits *limits,
		     struct link_context **context_out);

/* The own address, with port 0, that link_connect() connects from; copied.  It is not used
 * towards addresses of the other family. */
void link_context_bind(struct link_context *context, const struct net_addr *own);

/* Its links must be gone. */
void link_context_free(struct link_context **contextp);

enum link_event_kind {
	LINK_CONNECTED,     /* client: TCP is up */
	LINK_AUTHENTICATED, /* TLS is up; text: the PSK identity */
	LINK_NEGOTIATED,    /* the upgrade is done: frames may be sent */
	LINK_FRAME,         /* octets: one message, valid until the callback returns */
	LINK_PINGED,        /* the peer sent a ping (it was answered) */
	LINK_PONG,          /* answer to our ping; ms: how long it took */
	LINK_CLOSED,        /* the last event; reason, code and text say why */
};

enum link_reason {
	LINK_OPEN,        /* not closed */
	LINK_BY_US,       /* link_close() */
	LINK_BY_PEER,     /* WebSocket close, or TLS or TCP ended in order; code */
	LINK_UNREACHABLE, /* TCP failed; text */
	LINK_REFUSED,     /* TLS failed: as a rule an unknown identity or a wrong key; text */
	LINK_BAD_UPGRADE, /* no WebSocket upgrade as it must be */
	LINK_TIMED_OUT,   /* a limit of link_limits */
	LINK_SILENT,      /* no answer to a ping */
	LINK_BROKEN,      /* TCP or TLS ended out of order; text */
	LINK_PROTOCOL,    /* WebSocket rules broken by the peer */
	LINK_TOO_LARGE,   /* a message over LINK_MESSAGE_MAX */
	LINK_SLOW,        /* the peer does not read: queue_octets were waiting */
	LINK_NO_MEMORY,
};

struct link_event {
	enum link_event_kind kind;
	struct slice octets;     /* LINK_FRAME */
	unsigned ms;             /* LINK_PONG */
	enum link_reason reason; /* LINK_CLOSED */
	unsigned code;           /* LINK_CLOSED: the WebSocket close code that came, or 0 */
	const char *text;        /* LINK_AUTHENTICATED, LINK_CLOSED: never NULL there */
};

/* One word for a log line. */
const char *link_reason_name(enum link_reason reason);

struct link_ops {
	/* May call any function of the link, link_free() too. */
	void (*event)(void *arg, struct link *link, const struct link_event *event);
	/* Server only: the first identity of the hello, which may be anything; always
	 * yields a key, a random one for whom it does not know.  Called once; the octets
	 * of identity are valid until it returns.  It must not free the link. */
	void (*psk)(void *arg, struct link *link, struct slice identity, uint8_t psk_out[LINK_PSK]);
};

/* Takes an accepted, non-blocking socket as a server; fd belongs to the link from
 * here on in any case.  ops must outlive the link.
 * Returns 0, -EIO or -ENOMEM. */
int link_accept(struct link_context *context, int fd, const struct link_ops *ops, void *arg,
		struct link **link_out);

/* Who we are at a rendezvous; everything is copied. */
struct link_login {
	const char *host;     /* for the Host header: HOST or HOST:PORT */
	const char *identity; /* PSK identity, 1 to LINK_IDENTITY_MAX characters */
	const uint8_t *psk;   /* LINK_PSK octets */
};

/* Connects as a client.  Failure to connect comes as LINK_CLOSED, never from
 * within this call.  Returns 0, -EINVAL, -EIO, -errno (no socket, or
 * none at the own address) or -ENOMEM. */
int link_connect(struct link_context *context, const struct net_addr *addr,
		 const struct link_login *login, const struct link_ops *ops, void *arg,
		 struct link **link_out);

/* Closes the descriptor without ado and frees everything.  Allowed within
 * callbacks; no event comes afterwards. */
void link_free(struct link **linkp);

/* The same, but first says goodbye with this close code and writes what still waits, as
 * far as it can be written without waiting. */
void link_finish(struct link **linkp, unsigned code);

/* Queues one message of at most LINK_MESSAGE_MAX octets, copied.  Returns 0,
 * -ENOTCONN (not negotiated, or closing), -EMSGSIZE, -ENOMEM, or -ENOBUFS: the
 * queue is full; the link then closes itself with LINK_SLOW. */
int link_send(struct link *link, struct slice message);

/* Octets that wait to be sent. */
size_t link_queued(const struct link *link);

/* The priority of the link's events in the event loop (event_priority_set() of libevent). */
void link_set_priority(struct link *link, int priority);

/* Stops (or goes on) reading: for owners that cannot take more at the moment. */
void link_pause(struct link *link, bool paused);

/* Sends a ping.  Returns 0, -ENOTCONN, -EALREADY (one is under way) or -ENOMEM. */
int link_ping(struct link *link);

enum link_keep_alive {
	LINK_KEEP_WS,  /* WebSocket pings */
	LINK_KEEP_TCP, /* TCP keep-alive; WebSocket silence does not close the link */
};

/* Pings when nothing came for interval_ms and closes with LINK_SILENT when then
 * nothing comes for grace_ms (0: 30,000).  interval_ms 0 turns it off, which is how a
 * link begins. */
void link_set_keep_alive(struct link *link, enum link_keep_alive method, unsigned interval_ms,
			 unsigned grace_ms);

/* Sends a WebSocket close with this code behind what is queued and ends with
 * LINK_CLOSED (LINK_BY_US), after link_limits.close_ms at the latest. */
void link_close(struct link *link, unsigned code);

/* The peer's address, numeric. */
const struct net_addr *link_peer(const struct link *link);

struct link_stats {
	uint64_t frames_in, frames_out;
	uint64_t octets_in, octets_out; /* of messages */
	int64_t since_ms, heard_ms;     /* monotonic: made at, last octet of the peer at */
};
/* What has passed since the link was made. */
void link_stats(const struct link *link, struct link_stats *stats_out);

/* "TLS_AES_128_GCM_SHA256", or "" before the handshake is done. */
const char *link_cipher(const struct link *link);

#endif
