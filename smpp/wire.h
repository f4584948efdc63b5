/* wire.h - the connection to a message center: a name, TCP, and TLS where it is wanted.
 *
 * Names are looked up anew for each connection, so a change of DNS or /etc/hosts counts at
 * the next one; all addresses of a name are tried.  TLS (1.2 and later) always verifies the
 * certificate and that it is of the host.
 *
 * Octets that are sent in one turn of the event loop leave together.
 *
 * Threads: everything in the thread of its event loop.
 */
#ifndef SMPP_WIRE_H
#define SMPP_WIRE_H

#include "base/net.h"
#include "base/slice.h"

struct diag;
struct event_base;
struct smpp_tls;
struct smpp_wire;

enum {
	SMPP_WIRE_LIMIT_MS = 10000, /* for a name, for TCP and for TLS, each */
	SMPP_WIRE_QUEUE = 4 << 20,  /* octets to be sent; more ends the connection */
};

/* ---- what TLS is to be ----------------------------------------------------------- */

/* Paths of PEM files; each may be NULL: ca (the system's), certificate and key (none). */
struct smpp_tls_files {
	const char *ca, *certificate, *key;
};

/* Returns 0, or -EINVAL with diag set. */
int smpp_tls_new(const struct smpp_tls_files *files, struct smpp_tls **tls_out, struct diag *diag);
/* Frees *tlsp and sets it to NULL; connections that use it stay. */
void smpp_tls_free(struct smpp_tls **tlsp);

/* ---- a connection ---------------------------------------------------------------- */

struct smpp_wire_ops {
	/* TCP, and TLS, are up; peer is the numeric address. */
	void (*up)(void *arg, const char *peer);
	/* Valid until it returns. */
	void (*octets)(void *arg, struct slice octets);
	/* The last event: free the wire, in here or later. */
	void (*down)(void *arg, const char *why);
};

struct smpp_wire_target {
	const char *host; /* a name or a numeric address */
	uint16_t port;
	const struct net_addr *from; /* own address with port 0; NULL: any */
	struct smpp_tls *tls;        /* NULL: none; must outlive the wire */
};

/* Begins to connect; target is copied.  Failure comes as down(), never from within this
 * call.  Returns 0 or -ENOMEM. */
int smpp_wire_new(struct event_base *base, const struct smpp_wire_target *target,
		  const struct smpp_wire_ops *ops, void *arg, struct smpp_wire **wire_out);

/* Closes; what is queued is written as far as that goes without waiting.  Allowed within
 * callbacks; no event comes afterwards. */
void smpp_wire_free(struct smpp_wire **wirep);

/* Queues octets, copied.  Without memory, or with too many octets in the queue, the
 * connection ends: down() follows. */
void smpp_wire_send(struct smpp_wire *wire, struct slice octets);

#endif
