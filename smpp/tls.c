/* tls.c - wire.h's struct smpp_tls: who is trusted, and who we are. */
#include <errno.h>
#include <stdlib.h>

#include <openssl/err.h>

#include "base/diag.h"
#include "smpp/wire_priv.h"

/* The first thing that OpenSSL says, for the operator. */
static void tell(struct diag *diag, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	diag_error(diag, NULL, "%s: %s", what, reason ? reason : "OpenSSL failed");
	ERR_clear_error();
}

static bool load(SSL_CTX *context, const struct smpp_tls_files *files, struct diag *diag)
{
	/* A CA of its own stands instead of the system's, not beside them. */
	if (files->ca ? SSL_CTX_load_verify_file(context, files->ca) != 1
		      : SSL_CTX_set_default_verify_paths(context) != 1) {
		tell(diag, files->ca ? files->ca : "the system's certificates");
		return false;
	}
	if (files->certificate &&
	    SSL_CTX_use_certificate_chain_file(context, files->certificate) != 1) {
		tell(diag, files->certificate);
		return false;
	}
	if (files->key &&
	    (SSL_CTX_use_PrivateKey_file(context, files->key, SSL_FILETYPE_PEM) != 1 ||
	     SSL_CTX_check_private_key(context) != 1)) {
		tell(diag, files->key);
		return false;
	}
	return true;
}

int smpp_tls_new(const struct smpp_tls_files *files, struct smpp_tls **tls_out, struct diag *diag)
{
	struct smpp_tls *tls = calloc(1, sizeof(*tls));

	if (!tls)
		return -ENOMEM;
	tls->context = SSL_CTX_new(TLS_client_method());
	if (!tls->context || SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION) != 1) {
		tell(diag, "TLS");
		smpp_tls_free(&tls);
		return -EINVAL;
	}
	SSL_CTX_set_options(tls->context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	/* The queue moves in memory between two writes of the same octets, and may go in pieces. */
	SSL_CTX_set_mode(tls->context,
			 SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
	if (!load(tls->context, files, diag)) {
		smpp_tls_free(&tls);
		return -EINVAL;
	}
	*tls_out = tls;
	return 0;
}

void smpp_tls_free(struct smpp_tls **tlsp)
{
	if (!*tlsp)
		return;
	SSL_CTX_free((*tlsp)->context);
	free(*tlsp);
	*tlsp = NULL;
}

SSL *smpp_tls_client(const struct smpp_tls *tls, int fd, const char *host, bool numeric)
{
	SSL *ssl = SSL_new(tls->context);

	if (!ssl)
		return NULL;
	/* RFC 6125: the certificate must be of the host that was configured, by name or, for a
	 * numeric address, by an iPAddress entry. */
	if ((numeric ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1
		     : SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1) &&
	    SSL_set_fd(ssl, fd) == 1) {
		SSL_set_connect_state(ssl);
		return ssl;
	}
	SSL_free(ssl);
	ERR_clear_error();
	return NULL;
}

void smpp_tls_why(const SSL *ssl, char *out, size_t outsz)
{
	long verified = SSL_get_verify_result(ssl);
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	if (verified != X509_V_OK)
		snprintf(out, outsz, "TLS: certificate: %s",
			 X509_verify_cert_error_string(verified));
	else
		snprintf(out, outsz, "TLS: %s", reason ? reason : "the connection was closed");
	ERR_clear_error();
}
