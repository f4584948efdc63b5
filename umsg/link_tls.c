#include "umsg/link_tls.h"

#include <openssl/err.h>

#include "keys/secret.h"

enum { PSK = 32 };

static const unsigned char suite[2] = { 0x13, 0x01 }; /* TLS_AES_128_GCM_SHA256: its hash counts */

static SSL_SESSION *session_of(SSL *ssl, const uint8_t psk[PSK])
{
	const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, suite);
	SSL_SESSION *session = SSL_SESSION_new();

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
	SSL_CTX_set_options(ctx,
			    SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
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
