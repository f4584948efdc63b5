/* link_tls.h - OpenSSL set up for UMSG: TLS 1.3 with one external PSK and nothing
 * else.  Private to umsg/link*.c.
 */
#ifndef UMSG_LINK_TLS_H
#define UMSG_LINK_TLS_H

#include <openssl/ssl.h>

#include "base/slice.h"

/* What OpenSSL asks a connection for: a PSK, and its socket. */
struct link_tls_peer {
	int fd;
	bool ended; /* the peer sends no more */
	bool more;  /* what is written now waits for what is written next, to share a packet */
	/* Server: the key of a hello's first identity; false: none can be given. */
	bool (*find)(struct link_tls_peer *peer, struct slice identity, uint8_t psk_out[32]);
	/* Client: what to log in with. */
	const char *identity;
	const uint8_t *psk;
	bool asked; /* server: the first identity was looked at */
};

/* Returns NULL on failure (memory, or an OpenSSL without what we need). */
SSL_CTX *link_tls_server(void);
/* The caller's, as the server's; free both with SSL_CTX_free(). */
SSL_CTX *link_tls_client(void);

/* OpenSSL's own sockets raise SIGPIPE; these do not.  NULL on failure; free it with
 * BIO_meth_free(). */
BIO_METHOD *link_tls_socket(void);

/* An SSL over peer->fd, which stays the caller's; peer must outlive it.  NULL when
 * memory is out. */
SSL *link_tls_new(SSL_CTX *ctx, const BIO_METHOD *socket, struct link_tls_peer *peer);

/* Was the connection made with a PSK, TLS 1.3 and one of our suites? */
bool link_tls_as_wanted(const SSL *ssl);

/* Why the last operation failed, as OpenSSL says it; never NULL.  Clears its queue. */
const char *link_tls_reason(void);

#endif
