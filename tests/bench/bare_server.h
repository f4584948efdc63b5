/* bare_server.h - a server that does nothing but TLS: it accepts TCP connections on loopback and
 * shakes hands with OpenSSL (bare_tls.h), in as many processes as crs has workers.  What it takes
 * is what no server on OpenSSL can avoid.
 */
#ifndef TESTS_BENCH_BARE_SERVER_H
#define TESTS_BENCH_BARE_SERVER_H

struct bare_server;

struct bare_server *bare_server_start(int processes);
void bare_server_stop(struct bare_server **serverp);

/* That many clients of this process come at once, and leave when the last one's handshake is
 * done.  Returns the microseconds of CPU that the server took until then. */
double bare_server_handshakes(struct bare_server *server, int n);

#endif
