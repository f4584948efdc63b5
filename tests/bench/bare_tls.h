/* bare_tls.h - TLS 1.3 with a pre-shared key by OpenSSL alone, as the references of what a
 * client costs the rendezvous: the suite, the group and the modes are those of crs, the key
 * is one that is known to both.
 */
#ifndef TESTS_BENCH_BARE_TLS_H
#define TESTS_BENCH_BARE_TLS_H

#include <stdbool.h>

#include <openssl/ssl.h>

/* A context of either side; ends the program if there is none.  SSL_CTX_free() it. */
SSL_CTX *bare_context(bool server);

/* Both ends in this process, over socket pairs. */
struct bare_tls;

struct bare_tls *bare_tls_open(void);
void bare_tls_close(struct bare_tls **barep);

/* Octets of the heap that the server's side of a connection takes. */
double bare_tls_octets(const struct bare_tls *bare);

/* That many handshakes, all at once: each step is done for all of them, so that each finds the
 * state of others in the processor's caches.  Returns the microseconds of the server's side. */
double bare_tls_handshakes(const struct bare_tls *bare, int n);

/* Messages of so many octets that are read and written back.  Microseconds of the server's side. */
double bare_tls_echoes(const struct bare_tls *bare, int n, int octets);

#endif
