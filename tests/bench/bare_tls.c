#include "tests/bench/bare_tls.h"

#include <malloc.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/bench.h"

enum { FOR_MEMORY = 500 }; /* of few connections the allocator would keep a part for itself */

struct pair {
	SSL *server, *client;
};

struct bare_tls {
	SSL_CTX *server, *client;
	struct pair open; /* for echoes */
	double octets;
};

static int find_session(SSL *ssl, const unsigned char *identity, size_t n, SSL_SESSION **session)
{
	static const unsigned char cipher_id[] = { 0x13, 0x01 }, key[32] = { 1 };
	SSL_SESSION *s = SSL_SESSION_new();

	(void)identity;
	(void)n;
	SSL_SESSION_set1_master_key(s, key, sizeof(key));
	SSL_SESSION_set_cipher(s, SSL_CIPHER_find(ssl, cipher_id));
	SSL_SESSION_set_protocol_version(s, TLS1_3_VERSION);
	*session = s;
	return 1;
}

static int use_session(SSL *ssl, const EVP_MD *md, const unsigned char **id, size_t *n,
		       SSL_SESSION **session)
{
	(void)md;
	*id = (const unsigned char *)"bench";
	*n = 5;
	return find_session(ssl, NULL, 0, session);
}

SSL_CTX *bare_context(bool server)
{
	SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());

	bench_must(ctx != NULL, "a TLS context");
	SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256");
	SSL_CTX_set1_groups_list(ctx, "X25519");
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_num_tickets(ctx, 0);
	if (server)
		SSL_CTX_set_psk_find_session_callback(ctx, find_session);
	else
		SSL_CTX_set_psk_use_session_callback(ctx, use_session);
	return ctx;
}

static double cpu_us(void)
{
	return bench_seconds(CLOCK_THREAD_CPUTIME_ID) * 1e6;
}

static struct pair new_pair(SSL_CTX *server, SSL_CTX *client, double *server_us)
{
	struct pair pair = { .client = SSL_new(client) };
	int fds[2];
	double start;

	bench_must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0, "socketpair");
	SSL_set_fd(pair.client, fds[1]);
	start = cpu_us();
	pair.server = SSL_new(server);
	SSL_set_fd(pair.server, fds[0]);
	*server_us += cpu_us() - start;
	return pair;
}

static void shake(struct pair *pairs, int n, double *server_us)
{
	int done = 0;

	for (int i = 0; i < 10 && done < n; i++) {
		double start;

		done = 0;
		for (int k = 0; k < n; k++)
			SSL_connect(pairs[k].client);
		start = cpu_us();
		for (int k = 0; k < n; k++)
			done += SSL_accept(pairs[k].server) == 1;
		*server_us += cpu_us() - start;
	}
	bench_must(done == n, "bare handshake");
}

static void free_end(SSL *ssl)
{
	close(SSL_get_fd(ssl));
	SSL_free(ssl);
}

/* Returns the microseconds; *octets_out is of all n. */
static double handshakes(const struct bare_tls *bare, int n, double *octets_out)
{
	struct pair *pairs = calloc((size_t)n, sizeof(*pairs));
	double us = 0;
	size_t octets;

	bench_must(pairs != NULL, "memory");
	for (int i = 0; i < n; i++)
		pairs[i] = new_pair(bare->server, bare->client, &us);
	shake(pairs, n, &us);
	octets = mallinfo2().uordblks;
	for (int i = 0; i < n; i++)
		free_end(pairs[i].server);
	*octets_out = (double)(octets - mallinfo2().uordblks);
	for (int i = 0; i < n; i++)
		free_end(pairs[i].client);
	free(pairs);
	return us;
}

struct bare_tls *bare_tls_open(void)
{
	struct bare_tls *bare = calloc(1, sizeof(*bare));
	double us = 0;

	bench_must(bare != NULL, "memory");
	bare->server = bare_context(true);
	bare->client = bare_context(false);
	bare->open = new_pair(bare->server, bare->client, &us);
	shake(&bare->open, 1, &us);
	handshakes(bare, FOR_MEMORY, &bare->octets);
	bare->octets /= FOR_MEMORY;
	return bare;
}

void bare_tls_close(struct bare_tls **barep)
{
	struct bare_tls *bare = *barep;

	free_end(bare->open.server);
	free_end(bare->open.client);
	SSL_CTX_free(bare->server);
	SSL_CTX_free(bare->client);
	free(bare);
	*barep = NULL;
}

double bare_tls_octets(const struct bare_tls *bare)
{
	return bare->octets;
}

double bare_tls_handshakes(const struct bare_tls *bare, int n)
{
	double unused;

	return handshakes(bare, n, &unused);
}

double bare_tls_echoes(const struct bare_tls *bare, int n, int octets)
{
	const struct pair *pair = &bare->open;
	char *message = calloc(1, (size_t)octets);
	double us = 0;

	bench_must(message != NULL, "memory");
	for (int i = 0; i < n; i++) {
		double start;

		bench_must(SSL_write(pair->client, message, octets) > 0, "write");
		start = cpu_us();
		bench_must(SSL_read(pair->server, message, octets) > 0, "read");
		bench_must(SSL_write(pair->server, message, octets) > 0, "write");
		us += cpu_us() - start;
		bench_must(SSL_read(pair->client, message, octets) > 0, "read");
	}
	free(message);
	return us;
}
