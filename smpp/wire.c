/* wire.c - one connection: a name, TCP, TLS, octets.
 *
 *     ASKING --addresses--> CONNECTING --> (SHAKING) --> UP
 *        |                    |   ^ the next address      |
 *        +--------------------+---------------------------+--> DOWN, told once
 */
#include "smpp/wire.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/util.h>
#include <openssl/err.h>

#include "base/dns.h"
#include "base/timer.h"
#include "smpp/wire_priv.h"

enum {
	MAX_ADDRESSES = 8,
	READ_OCTETS = 16384,
	READS_AT_ONCE = 8, /* of one turn: others have theirs, too */
};

enum phase { ASKING, CONNECTING, SHAKING, UP, DOWN };

struct smpp_wire {
	struct event_base *base;
	const struct smpp_wire_ops *ops;
	void *arg;
	char host[256];
	uint16_t port;
	struct net_addr from;
	struct smpp_tls *tls;
	bool numeric;
	enum phase phase;
	struct dns *dns;
	struct dns_question *question;
	struct net_addr addresses[MAX_ADDRESSES];
	size_t n_addresses, next;
	int fd; /* -1: none */
	SSL *ssl;
	struct event *readable, *writable, *timer;
	struct event *soon; /* to begin, to fail and to flush from the loop */
	uint8_t *out;
	size_t n_out, room_out;
	char why[192]; /* of the end */
	unsigned depth;
	bool doomed, failing;
};

/* ---- the end --------------------------------------------------------------------- */

static void close_socket(struct smpp_wire *w)
{
	if (w->readable)
		event_free(w->readable);
	if (w->writable)
		event_free(w->writable);
	w->readable = w->writable = NULL;
	SSL_free(w->ssl);
	w->ssl = NULL;
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

static void release(struct smpp_wire *w)
{
	close_socket(w);
	dns_drop(&w->question);
	dns_free(&w->dns);
	if (w->timer)
		event_free(w->timer);
	if (w->soon)
		event_free(w->soon);
	free(w->out);
	free(w);
}

/* Every entry from the loop stands between enter() and leave(), so that a callback may free
 * the wire. */
static void enter(struct smpp_wire *w)
{
	w->depth++;
}

static void leave(struct smpp_wire *w)
{
	if (--w->depth == 0 && w->doomed)
		release(w);
}

static void end(struct smpp_wire *w, const char *why)
{
	if (w->phase == DOWN || w->doomed)
		return;
	w->phase = DOWN;
	if (why != w->why)
		snprintf(w->why, sizeof(w->why), "%s", why);
	event_del(w->timer);
	close_socket(w);
	w->ops->down(w->arg, w->why);
}

/* The same from the loop, for those who are called by the owner. */
static void end_soon(struct smpp_wire *w, const char *why)
{
	snprintf(w->why, sizeof(w->why), "%s", why);
	w->failing = true;
	event_active(w->soon, EV_TIMEOUT, 0);
}

/* ---- octets ---------------------------------------------------------------------- */

/* Returns octets written, 0 for "later", or -1 with w->why set. */
static ssize_t write_some(struct smpp_wire *w, const uint8_t *p, size_t n)
{
	ssize_t written;
	int what;

	if (!w->ssl) {
		written = send(w->fd, p, n, MSG_NOSIGNAL);
		if (written >= 0 || errno == EAGAIN || errno == EINTR)
			return written > 0 ? written : 0;
		snprintf(w->why, sizeof(w->why), "%s", strerror(errno));
		return -1;
	}
	ERR_clear_error();
	written = SSL_write(w->ssl, p, n < INT32_MAX ? (int)n : INT32_MAX);
	if (written > 0)
		return written;
	what = SSL_get_error(w->ssl, (int)written);
	/* A TLS record may need the other direction first; what is not taken stays in the
	 * queue. */
	if (what == SSL_ERROR_WANT_WRITE || what == SSL_ERROR_WANT_READ)
		return 0;
	smpp_tls_why(w->ssl, w->why, sizeof(w->why));
	return -1;
}

static void flush(struct smpp_wire *w)
{
	size_t done = 0;
	ssize_t n = 1;

	if (w->phase != UP)
		return;
	while (done < w->n_out && (n = write_some(w, w->out + done, w->n_out - done)) > 0)
		done += (size_t)n;
	w->n_out -= done;
	if (w->n_out)
		memmove(w->out, w->out + done, w->n_out);
	if (n < 0)
		end(w, w->why);
	else if (w->n_out)
		event_add(w->writable, NULL);
}

void smpp_wire_send(struct smpp_wire *wire, struct slice octets)
{
	if (wire->phase == DOWN || wire->failing)
		return;
	if (wire->n_out + octets.n > wire->room_out) {
		size_t room = (wire->n_out + octets.n) * 2;
		/* Twice what is needed, so that many small PDUs cost few moves; bounded, for a
		 * center that does not read must not cost all memory. */
		uint8_t *bigger = room <= 2 * SMPP_WIRE_QUEUE ? realloc(wire->out, room) : NULL;

		if (!bigger) {
			end_soon(wire, "the center does not read");
			return;
		}
		wire->out = bigger;
		wire->room_out = room;
	}
	memcpy(wire->out + wire->n_out, octets.p, octets.n);
	wire->n_out += octets.n;
	if (wire->depth == 0) /* within a callback it is flushed behind it */
		event_active(wire->soon, EV_TIMEOUT, 0);
}

/* Returns octets read, 0 for "later", or -1 with w->why set. */
static ssize_t read_some(struct smpp_wire *w, uint8_t *p, size_t n)
{
	ssize_t got;
	int what;

	if (!w->ssl) {
		got = recv(w->fd, p, n, 0);
		if (got > 0)
			return got;
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		snprintf(w->why, sizeof(w->why), "%s",
			 got < 0 ? strerror(errno) : "the center closed the connection");
		return -1;
	}
	ERR_clear_error();
	got = SSL_read(w->ssl, p, (int)n);
	if (got > 0)
		return got;
	what = SSL_get_error(w->ssl, (int)got);
	if (what == SSL_ERROR_WANT_READ || what == SSL_ERROR_WANT_WRITE)
		return 0;
	smpp_tls_why(w->ssl, w->why, sizeof(w->why));
	return -1;
}

static void read_octets(struct smpp_wire *w)
{
	uint8_t octets[READ_OCTETS];
	ssize_t n = 0;

	for (int i = 0; i < READS_AT_ONCE && w->phase == UP && !w->doomed; i++) {
		n = read_some(w, octets, sizeof(octets));
		if (n <= 0)
			break;
		w->ops->octets(w->arg, slice_of(octets, (size_t)n));
		if ((size_t)n < sizeof(octets) && !w->ssl)
			break; /* there was no more; the loop tells when there is */
	}
	if (w->doomed)
		return;
	if (n < 0)
		end(w, w->why);
	else if (w->ssl && SSL_has_pending(w->ssl)) /* the loop knows the socket only */
		event_active(w->readable, EV_READ, 0);
}

/* ---- becoming up ----------------------------------------------------------------- */

static void try_next(struct smpp_wire *w);

static void is_up(struct smpp_wire *w)
{
	char peer[NET_TEXT_SIZE];

	w->phase = UP;
	event_del(w->timer);
	net_format(&w->addresses[w->next - 1], peer);
	event_add(w->readable, NULL);
	w->ops->up(w->arg, peer);
}

static void shake(struct smpp_wire *w)
{
	int done, what;

	ERR_clear_error();
	done = SSL_do_handshake(w->ssl);
	if (done == 1) {
		is_up(w);
		return;
	}
	what = SSL_get_error(w->ssl, done);
	if (what == SSL_ERROR_WANT_READ) {
		event_add(w->readable, NULL);
	} else if (what == SSL_ERROR_WANT_WRITE) {
		event_add(w->writable, NULL);
	} else {
		smpp_tls_why(w->ssl, w->why, sizeof(w->why));
		end(w, w->why);
	}
}

static void connected(struct smpp_wire *w)
{
	socklen_t n = sizeof(int);
	int err = 0, one = 1;

	if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &err, &n) < 0)
		err = errno;
	if (err) {
		snprintf(w->why, sizeof(w->why), "%s", strerror(err));
		try_next(w);
		return;
	}
	/* Octets of a turn leave together as it is; waiting for more (Nagle) would only add
	 * delay. */
	setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (!w->tls) {
		is_up(w);
		return;
	}
	w->ssl = smpp_tls_client(w->tls, w->fd, w->host, w->numeric);
	if (!w->ssl) {
		end(w, "out of memory");
		return;
	}
	w->phase = SHAKING;
	timer_arm(w->timer, SMPP_WIRE_LIMIT_MS);
	shake(w);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct smpp_wire *w = arg;

	(void)fd;
	(void)what;
	enter(w);
	if (w->phase == SHAKING)
		shake(w);
	else if (w->phase == UP)
		read_octets(w);
	if (!w->doomed)
		flush(w);
	leave(w);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct smpp_wire *w = arg;

	(void)fd;
	(void)what;
	enter(w);
	if (w->phase == CONNECTING)
		connected(w);
	else if (w->phase == SHAKING)
		shake(w);
	if (!w->doomed)
		flush(w);
	leave(w);
}

/* Returns 0 or -errno. */
static int open_socket(struct smpp_wire *w, const struct net_addr *to)
{
	w->fd = socket(to->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (w->fd < 0)
		return -errno;
	/* For an address of the other kind the system chooses. */
	if (w->from.len && w->from.sa.sa_family == to->sa.sa_family &&
	    bind(w->fd, &w->from.sa, w->from.len) < 0)
		return -errno;
	if (connect(w->fd, &to->sa, to->len) < 0 && errno != EINPROGRESS)
		return -errno;
	w->readable = event_new(w->base, w->fd, EV_READ | EV_PERSIST, on_readable, w);
	w->writable = event_new(w->base, w->fd, EV_WRITE, on_writable, w);
	return w->readable && w->writable ? event_add(w->writable, NULL) : -ENOMEM;
}

static void try_next(struct smpp_wire *w)
{
	while (w->next < w->n_addresses) {
		int err;

		close_socket(w);
		err = open_socket(w, &w->addresses[w->next++]);
		if (!err) {
			w->phase = CONNECTING;
			timer_arm(w->timer, SMPP_WIRE_LIMIT_MS);
			return;
		}
		snprintf(w->why, sizeof(w->why), "%s", strerror(-err));
	}
	end(w, w->why);
}

static void on_answer(void *arg, int error, const struct addrinfo *found)
{
	struct smpp_wire *w = arg;

	enter(w);
	w->question = NULL; /* it is gone with its answer */
	snprintf(w->why, sizeof(w->why), "%s",
		 error ? evutil_gai_strerror(error) : "no address of a usable kind");
	for (; !error && found && w->n_addresses < MAX_ADDRESSES; found = found->ai_next) {
		struct net_addr *to = &w->addresses[w->n_addresses];

		if (found->ai_addrlen > sizeof(to->in6))
			continue;
		memcpy(&to->sa, found->ai_addr, found->ai_addrlen);
		to->len = found->ai_addrlen;
		net_set_port(to, w->port);
		w->n_addresses++;
	}
	try_next(w);
	leave(w);
}

static void ask(struct smpp_wire *w)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
					.ai_socktype = SOCK_STREAM,
					.ai_flags = EVUTIL_AI_ADDRCONFIG };

	timer_arm(w->timer, SMPP_WIRE_LIMIT_MS);
	w->dns = dns_new(w->base);
	if (w->dns)
		w->question = dns_ask(w->dns, w->host, &hints, on_answer, w);
	if (!w->question)
		end(w, "out of memory");
}

/* What must not happen while the owner calls: the beginning, an end, a flush. */
static void on_soon(evutil_socket_t fd, short what, void *arg)
{
	struct smpp_wire *w = arg;

	(void)fd;
	(void)what;
	enter(w);
	if (w->failing)
		end(w, w->why);
	else if (w->phase == ASKING && w->numeric)
		try_next(w);
	else if (w->phase == ASKING && !w->question)
		ask(w);
	else
		flush(w);
	leave(w);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct smpp_wire *w = arg;

	(void)fd;
	(void)what;
	enter(w);
	/* An address that does not answer is as good as one that refuses. */
	if (w->phase == CONNECTING && w->next < w->n_addresses)
		try_next(w);
	else
		end(w, w->phase == ASKING       ? "the name was not answered in time"
		       : w->phase == CONNECTING ? "no connection in time"
						: "no TLS in time");
	leave(w);
}

/* ---- life ------------------------------------------------------------------------ */

int smpp_wire_new(struct event_base *base, const struct smpp_wire_target *target,
		  const struct smpp_wire_ops *ops, void *arg, struct smpp_wire **wire_out)
{
	struct smpp_wire *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->base = base;
	w->ops = ops;
	w->arg = arg;
	w->fd = -1;
	w->port = target->port;
	w->tls = target->tls;
	if (target->from)
		w->from = *target->from;
	snprintf(w->host, sizeof(w->host), "%s", target->host);
	w->numeric = net_parse(w->host, w->port, &w->addresses[0]) == 0;
	if (w->numeric) {
		net_set_port(&w->addresses[0], w->port);
		w->n_addresses = 1;
	}
	w->timer = evtimer_new(base, on_timer, w);
	w->soon = event_new(base, -1, 0, on_soon, w);
	if (!w->timer || !w->soon) {
		release(w);
		return -ENOMEM;
	}
	event_active(w->soon, EV_TIMEOUT, 0);
	*wire_out = w;
	return 0;
}

void smpp_wire_free(struct smpp_wire **wirep)
{
	struct smpp_wire *w = *wirep;

	if (!w)
		return;
	*wirep = NULL;
	/* Once, without waiting: an unbind that is queued usually leaves. */
	if (w->phase == UP && w->n_out)
		write_some(w, w->out, w->n_out);
	/* Our close_notify; the center's is not waited for (RFC 8446, 6.1). */
	if (w->phase == UP && w->ssl)
		SSL_shutdown(w->ssl);
	ERR_clear_error();
	w->doomed = true;
	w->phase = DOWN;
	close_socket(w);
	event_del(w->timer);
	event_del(w->soon);
	if (w->depth == 0)
		release(w);
}
