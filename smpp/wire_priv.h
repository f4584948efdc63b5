/* wire_priv.h - what tls.c and wire.c share. */
#ifndef SMPP_WIRE_PRIV_H
#define SMPP_WIRE_PRIV_H

#include <openssl/ssl.h>

#include "smpp/wire.h"

struct smpp_tls {
	SSL_CTX *context;
};

/* A client on fd that will accept host's certificate only.  NULL when memory is out. */
SSL *smpp_tls_client(const struct smpp_tls *tls, int fd, const char *host, bool numeric);

/* Why a handshake, read or write failed. */
void smpp_tls_why(const SSL *ssl, char *out, size_t outsz);

#endif
