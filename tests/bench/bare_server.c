#include "tests/bench/bare_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/bench/bare_tls.h"
#include "tests/bench/bench.h"

enum { MAX_PROCESSES = 8, EVENTS = 64, WARMING_UP = 500, PATIENCE_MS = 10000 };

/* Since the start. */
struct counts {
	atomic_int shaken, left;
};

struct bare_server {
	int processes, listener;
	pid_t pid[MAX_PROCESSES];
	struct sockaddr_in address;
	struct counts *counts; /* shared with the processes */
	SSL_CTX *client;
};

static void watch(int epoll, int fd, uint32_t events, void *arg)
{
	struct epoll_event event = { .events = events, .data.ptr = arg };

	bench_must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

static SSL *new_end(SSL_CTX *ctx, int fd)
{
	const int on = 1;
	SSL *ssl = SSL_new(ctx);

	bench_must(ssl && SSL_set_fd(ssl, fd), "a TLS connection");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return ssl;
}

static void free_end(SSL *ssl)
{
	close(SSL_get_fd(ssl));
	SSL_free(ssl);
}

/* --- the server's processes --- */

static void accept_all(int epoll, int listener, SSL_CTX *ctx)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		watch(epoll, fd, EPOLLIN, new_end(ctx, fd));
}

/* The next step of a handshake; behind it only the connection's end is waited for. */
static void step(SSL *ssl, struct counts *counts)
{
	char octet;

	if (!SSL_is_init_finished(ssl)) {
		if (SSL_accept(ssl) == 1)
			atomic_fetch_add(&counts->shaken, 1);
	} else if (SSL_get_error(ssl, SSL_read(ssl, &octet, 1)) != SSL_ERROR_WANT_READ) {
		free_end(ssl);
		atomic_fetch_add(&counts->left, 1);
	}
}

static _Noreturn void serve(const struct bare_server *server)
{
	SSL_CTX *ctx = bare_context(true);
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	watch(epoll, server->listener, EPOLLIN | EPOLLEXCLUSIVE, NULL);
	for (;;) {
		struct epoll_event events[EVENTS];
		int n = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr)
				step(events[i].data.ptr, server->counts);
			else
				accept_all(epoll, server->listener, ctx);
		}
	}
}

static void listen_on_loopback(struct bare_server *server)
{
	socklen_t n = sizeof(server->address);
	struct sockaddr *address = (struct sockaddr *)&server->address;

	server->address.sin_family = AF_INET;
	server->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bench_must(bind(server->listener, address, n) == 0 && listen(server->listener, 1024) == 0 &&
			   getsockname(server->listener, address, &n) == 0,
		   "listening");
}

struct bare_server *bare_server_start(int processes)
{
	struct bare_server *server = calloc(1, sizeof(*server));

	bench_must(server && processes <= MAX_PROCESSES, "memory");
	server->processes = processes;
	server->counts = mmap(NULL, sizeof(*server->counts), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bench_must(server->counts != MAP_FAILED, "memory that is shared");
	listen_on_loopback(server);
	for (int i = 0; i < processes; i++) {
		server->pid[i] = fork();
		bench_must(server->pid[i] >= 0, "fork");
		if (server->pid[i] == 0)
			serve(server);
	}
	server->client = bare_context(false);
	bare_server_handshakes(server, WARMING_UP);
	return server;
}

void bare_server_stop(struct bare_server **serverp)
{
	struct bare_server *server = *serverp;

	for (int i = 0; i < server->processes; i++) {
		kill(server->pid[i], SIGKILL);
		waitpid(server->pid[i], NULL, 0);
	}
	close(server->listener);
	munmap(server->counts, sizeof(*server->counts));
	SSL_CTX_free(server->client);
	free(server);
	*serverp = NULL;
}

/* --- its clients --- */

static double server_us(const struct bare_server *server)
{
	double us = 0;

	for (int i = 0; i < server->processes; i++) {
		clockid_t clock;

		bench_must(clock_getcpuclockid(server->pid[i], &clock) == 0, "clock_getcpuclockid");
		us += bench_seconds(clock) * 1e6;
	}
	return us;
}

static SSL *new_client(const struct bare_server *server, int epoll)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	SSL *ssl = new_end(server->client, fd);

	SSL_set_connect_state(ssl);
	connect(fd, (const struct sockaddr *)&server->address, sizeof(server->address));
	watch(epoll, fd, EPOLLIN | EPOLLOUT | EPOLLET, ssl);
	return ssl;
}

/* Serves the clients' side of n handshakes. */
static void shake(const struct bare_server *server, int epoll, int n)
{
	int wanted = atomic_load(&server->counts->shaken) + n;
	int64_t deadline = clock_mono_ms() + PATIENCE_MS;

	while (atomic_load(&server->counts->shaken) < wanted) {
		struct epoll_event events[EVENTS];
		int ready = epoll_wait(epoll, events, EVENTS, 1);

		for (int i = 0; i < ready; i++)
			SSL_do_handshake(events[i].data.ptr);
		bench_must(clock_mono_ms() < deadline, "handshakes over TCP");
	}
}

/* Until the server, too, has closed them: that is not to be counted with the next ones. */
static void leave(const struct bare_server *server, SSL **clients, int n)
{
	int wanted = atomic_load(&server->counts->left) + n;
	int64_t deadline = clock_mono_ms() + PATIENCE_MS;

	for (int i = 0; i < n; i++)
		free_end(clients[i]);
	while (atomic_load(&server->counts->left) < wanted) {
		usleep(1000);
		bench_must(clock_mono_ms() < deadline, "closing TLS connections");
	}
}

double bare_server_handshakes(struct bare_server *server, int n)
{
	SSL **clients = calloc((size_t)n, sizeof(SSL *));
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	double us = server_us(server);

	bench_must(clients != NULL, "memory");
	for (int i = 0; i < n; i++)
		clients[i] = new_client(server, epoll);
	shake(server, epoll, n);
	us = server_us(server) - us;
	leave(server, clients, n);
	free(clients);
	close(epoll);
	return us;
}
