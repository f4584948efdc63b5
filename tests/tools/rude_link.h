/* rude_link.h - the lower half of rude-client: one connection to a rendezvous, with
 * blocking calls, on which anything at all can be said.
 */
#ifndef TESTS_TOOLS_RUDE_LINK_H
#define TESTS_TOOLS_RUDE_LINK_H

#include <openssl/ssl.h>

#include "base/net.h"
#include "umsg/frame.h"
#include "umsg/link_tls.h"
#include "umsg/websocket.h"

enum { RUDE_WAIT_S = 5, RUDE_HEARD = 256 };

struct rude_link {
	struct link_tls_peer peer; /* identity and psk are the caller's */
	SSL_CTX *context;
	BIO_METHOD *socket;
	SSL *ssl;
	struct ws_engine *engine;
	struct ws_reader reader;
	/* What a call of rude_link_hear() found. */
	char heard[RUDE_HEARD];
	bool found;
};

/* Connects by TCP.  Returns 0 or -errno. */
int rude_link_open(struct rude_link *link, const struct net_addr *addr);
void rude_link_close(struct rude_link *link);

/* NULL on success, else why the handshake failed; what the peer thinks of it is known
 * only when something is read. */
const char *rude_link_shake(struct rude_link *link);

/* Octets as they are, within TLS. */
int rude_link_say(struct rude_link *link, struct slice octets);

/* One masked binary message. */
int rude_link_message(struct rude_link *link, struct slice payload);

/* Reads an HTTP head; its status, 0 when none came. */
int rude_link_head(struct rude_link *link);

/* Reads until a frame, a close, the end or nothing for RUDE_WAIT_S; a line about it. */
const char *rude_link_hear(struct rude_link *link);

#endif
