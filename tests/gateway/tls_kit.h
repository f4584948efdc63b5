/* tls_kit.h - certificates and connections for tests of SIP over TLS. */
#ifndef TESTS_GATEWAY_TLS_KIT_H
#define TESTS_GATEWAY_TLS_KIT_H

#include <openssl/ssl.h>

/* PEM files in a directory of their own: an authority, the agent's certificate and key, the
 * PBX's for "pbx.test", and one of the same name that nobody vouches for. */
struct tls_kit {
	char dir[64];
	char ca[80], agent[80], pbx[80], rogue[80];
};

void tls_kit_make(struct tls_kit *kit);
void tls_kit_remove(struct tls_kit *kit);

/* Listens on any port of 127.0.0.1; the descriptor. */
int tls_kit_listen(unsigned *port_out);

/* Accepts one connection within 5 s with the certificate of file, which may be anything
 * that does not verify; NULL: the other side broke off. */
SSL *tls_kit_accept(int listener, const char *file);

/* Connects to 127.0.0.1; file NULL: no certificate of our own.  Versions up to max (0: all).
 * NULL: refused. */
SSL *tls_kit_connect(unsigned port, const char *file, int max_version);

/* Connects without TLS; the descriptor. */
int tls_kit_connect_plain(unsigned port, const char *from);

/* Closes with its socket; may be NULL. */
void tls_kit_close(SSL *ssl);

#endif
