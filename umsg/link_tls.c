/* link_tls.c - TLS 1.3 with an external PSK (RFC 8446 4.2.11) by OpenSSL's session callbacks.
 *
 * OpenSSL takes an external PSK as a session that is made up on the spot: its master key is the
 * PSK, and its cipher tells the hash for the binder.  The older callbacks for PSKs are meant for
 * TLS 1.2.  The BIO is our own, as OpenSSL's writes without MSG_NOSIGNAL.
 */
#include "umsg/link_tls.h"

#include <errno.h>
#include <sys/socket.h>

#include <openssl/err.h>

#include "keys/secret.h"

enum { PSK = 32 };

static const unsigned char suite[2] = { 0x13, 0x01 }; /* TLS_AES_128_GCM_SHA256: its hash counts */

static SSL_SESSION *session_of(SSL *ssl, const uint8_t psk[PSK])
{
	const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, suite);
	SSL_SESSION *session = SSL_SESSION_new();

	/* The key is copied into the session; the caller wipes his. */
	if (session && cipher && SSL_SESSION_set1_master_key(session, psk, PSK) == 1 &&
	    SSL_SESSION_set_cipher(session, cipher) == 1 &&
	    SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) == 1)
		return session;
	SSL_SESSION_free(session);
	return NULL;
}

/* Server.  Whatever the first identity is, there is a session for it, so that no
 * second one is looked at and every failure is a binder that does not fit. */
static int find_session(SSL *ssl, const unsigned char *identity, size_t n, SSL_SESSION **session)
{
	struct link_tls_peer *peer = SSL_get_app_data(ssl);
	uint8_t psk[PSK];

	/* Returning 0 ends the handshake; 1 without a session would go on without a PSK. */
	*session = NULL;
	if (!peer || !peer->find || !peer->find(peer, slice_of(identity, n), psk))
		return 0;
	*session = session_of(ssl, psk);
	wipe(psk, sizeof(psk));
	return *session ? 1 : 0;
}

/* Client. */
static int use_session(SSL *ssl, const EVP_MD *md, const unsigned char **identity, size_t *n,
		       SSL_SESSION **session)
{
	struct link_tls_peer *peer = SSL_get_app_data(ssl);

	*session = NULL;
	/* Asked with the hash of a HelloRetryRequest's cipher, if there was one: ours is
	 * SHA-256 in both suites. */
	if (!peer || !peer->identity || (md && EVP_MD_get_type(md) != NID_sha256))
		return 0;
	*session = session_of(ssl, peer->psk);
	*identity = (const unsigned char *)peer->identity;
	*n = strlen(peer->identity);
	return *session ? 1 : 0;
}

static SSL_CTX *new_context(const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	if (!ctx)
		return NULL;
	/* No tickets: a resumed session would outlive the account's keys. */
	SSL_CTX_set_options(ctx,
			    SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	/* Buffers are released between records: there are tens of thousands of idle links. */
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_read_ahead(ctx, 1); /* a record's header and body in one read */
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 &&
	    SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 &&
	    SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:"
					  "TLS_CHACHA20_POLY1305_SHA256") == 1 &&
	    SSL_CTX_set1_groups_list(ctx, "X25519:P-256") == 1 &&
	    SSL_CTX_set_num_tickets(ctx, 0) == 1 && SSL_CTX_set_max_early_data(ctx, 0) == 1)
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

SSL_CTX *link_tls_server(void)
{
	SSL_CTX *ctx = new_context(TLS_server_method());

	if (ctx)
		SSL_CTX_set_psk_find_session_callback(ctx, find_session);
	return ctx;
}

SSL_CTX *link_tls_client(void)
{
	SSL_CTX *ctx = new_context(TLS_client_method());

	if (!ctx)
		return NULL;
	SSL_CTX_set_psk_use_session_callback(ctx, use_session);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL); /* no certificate is good enough */
	return ctx;
}

/* ---- the socket ---- */

static int after(BIO *bio, ssize_t n, int retry)
{
	/* They stand for the last call alone. */
	BIO_clear_retry_flags(bio);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
	return (int)n;
}

static int socket_write(BIO *bio, const char *p, int n)
{
	const struct link_tls_peer *peer = BIO_get_data(bio);
	int flags = MSG_NOSIGNAL | (peer->more ? MSG_MORE : 0);

	return after(bio, send(peer->fd, p, (size_t)n, flags), BIO_FLAGS_WRITE);
}

static int socket_read(BIO *bio, char *p, int n)
{
	struct link_tls_peer *peer = BIO_get_data(bio);
	ssize_t got = recv(peer->fd, p, (size_t)n, 0);

	if (got == 0)
		peer->ended = true;
	return after(bio, got, BIO_FLAGS_READ);
}

static long socket_ctrl(BIO *bio, int what, long n, void *p)
{
	const struct link_tls_peer *peer = BIO_get_data(bio);

	(void)n;
	(void)p;
	/* OpenSSL 3 asks, to tell an end without close_notify from an error. */
	if (what == BIO_CTRL_EOF)
		return peer->ended;
	return what == BIO_CTRL_FLUSH;
}

BIO_METHOD *link_tls_socket(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "umsg link");

	if (method && BIO_meth_set_write(method, socket_write) == 1 &&
	    BIO_meth_set_read(method, socket_read) == 1 &&
	    BIO_meth_set_ctrl(method, socket_ctrl) == 1)
		return method;
	BIO_meth_free(method);
	return NULL;
}

SSL *link_tls_new(SSL_CTX *ctx, const BIO_METHOD *socket, struct link_tls_peer *peer)
{
	SSL *ssl = SSL_new(ctx);
	BIO *bio = BIO_new(socket);

	if (!ssl || !bio) {
		SSL_free(ssl);
		BIO_free(bio);
		return NULL;
	}
	BIO_set_data(bio, peer);
	BIO_set_init(bio, 1);
	/* The SSL owns it from here on; the descriptor stays the link's. */
	SSL_set_bio(ssl, bio, bio);
	SSL_set_app_data(ssl, peer);
	return ssl;
}

/* An external PSK counts as a resumed session. */
bool link_tls_as_wanted(const SSL *ssl)
{
	return SSL_session_reused(ssl) == 1 && SSL_version(ssl) == TLS1_3_VERSION;
}

const char *link_tls_reason(void)
{
	unsigned long code = ERR_peek_error();
	const char *text = code ? ERR_reason_error_string(code) : NULL;

	ERR_clear_error();
	return text ? text : "the peer ended the connection";
}
