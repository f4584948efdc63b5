/* link.c - the life of a link: timed, sent to, ended.  It is made in link_open.c; TLS and what is
 * read are link_io.c.
 *
 * Every callback of the owner may free the link.  So what the loop calls stands between enter() and
 * leave(), and whatever tells the owner something looks at link->state afterwards: the struct is
 * there until leave(), in state GONE.
 *
 * One timer serves all limits.  It is never moved back when something comes in, only armed again
 * when it fires too soon: a link with traffic costs no change of timers for each message.
 */
#include "umsg/link.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/clock.h"
#include "base/timer.h"
#include "umsg/link_priv.h"

enum {
	GRACE_MS = 30000,
	PING_OCTETS = 8,
};

/* ---- events and the end ---- */

static void release(struct link *link)
{
	if (link->partial)
		ws_reader_done(link->partial);
	free(link->partial);
	ws_out_done(&link->out);
	link_setup_done(link);
	free(link);
}

/* Most links have nothing to send for most of their time: the event, of 128 octets, is there only
 * from when it is asked for until it is handled. */
static void drop_writable(struct link *link)
{
	if (link->writable)
		event_free(link->writable);
	link->writable = NULL;
}

/* The socket and its events go at once; the structure stays until nobody on the stack uses it. */
static void shut(struct link *link)
{
	/* Shut already: link_end(), link_finish() and link_free() may follow one another. */
	if (link->fd < 0)
		return;
	event_del(&link->readable);
	drop_writable(link);
	event_del(&link->timer);
	if (link->ssl && SSL_is_init_finished(link->ssl))
		SSL_shutdown(link->ssl); /* our close_notify; the peer's is not waited for */
	SSL_free(link->ssl);
	link->ssl = NULL;
	/* OpenSSL's queue of errors is the thread's: what is left in it would be taken for the
	 * next link's. */
	ERR_clear_error();
	close(link->fd);
	link->fd = -1;
	link->state = GONE;
}

void link_free(struct link **linkp)
{
	struct link *link = *linkp;

	if (!link)
		return;
	*linkp = NULL;
	shut(link);
	/* Freed from one of its own callbacks: leave() does the rest. */
	if (link->depth)
		link->doomed = true;
	else
		release(link);
}

void link_finish(struct link **linkp, unsigned code)
{
	struct link *link = *linkp;
	const uint8_t payload[2] = { (uint8_t)(code >> 8), (uint8_t)code };
	bool inside;

	if (!link)
		return;
	*linkp = NULL;
	inside = link->depth > 0;
	link->doomed = true; /* nothing is told any more */
	if (link->state == UP &&
	    ws_write(link->context->engine, link->server ? WS_SERVER : WS_CLIENT, WS_CLOSE,
		     slice_of(payload, sizeof(payload)), &link->out) == 0)
		link_flush(link);
	shut(link);
	if (!inside)
		release(link);
}

void link_tell(struct link *link, const struct link_event *event)
{
	if (!link->doomed)
		link->ops->event(link->arg, link, event);
}

void link_tell_kind(struct link *link, enum link_event_kind kind, const char *text)
{
	const struct link_event event = { .kind = kind, .text = text };

	link_tell(link, &event);
}

void link_end(struct link *link, enum link_reason reason, unsigned code, const char *text)
{
	const struct link_event event = {
		.kind = LINK_CLOSED,
		.reason = reason,
		.code = code,
		.text = text ? text : "",
	};

	if (link->state == GONE)
		return;
	/* Before the owner hears of it: whatever he does then finds the link GONE. */
	shut(link);
	link_tell(link, &event);
}

/* Every entry from the loop stands between enter() and leave(). */
static void enter(struct link *link)
{
	link->depth++;
}

static void leave(struct link *link)
{
	if (--link->depth == 0 && link->doomed)
		release(link);
}

const char *link_reason_name(enum link_reason reason)
{
	static const char *const names[] = {
		[LINK_OPEN] = "open",
		[LINK_BY_US] = "closed",
		[LINK_BY_PEER] = "closed-by-peer",
		[LINK_UNREACHABLE] = "unreachable",
		[LINK_REFUSED] = "refused",
		[LINK_BAD_UPGRADE] = "bad-upgrade",
		[LINK_TIMED_OUT] = "timed-out",
		[LINK_SILENT] = "silent",
		[LINK_BROKEN] = "broken",
		[LINK_PROTOCOL] = "protocol-error",
		[LINK_TOO_LARGE] = "too-large",
		[LINK_SLOW] = "too-slow",
		[LINK_NO_MEMORY] = "no-memory",
	};

	return names[reason];
}

/* Told from the loop a millisecond later: the caller may hold the link yet. */
void link_give_up(struct link *link, enum link_reason reason)
{
	link->reason = reason;
	/* What still comes would be answered or counted, and nobody wants it any more. */
	link->discard = true;
	link_phase(link, CLOSING, 1);
}

/* ---- time ---- */

/* 0 stands for never. */
static int64_t sooner(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

static int64_t ping_due(const struct link *link)
{
	if (link->state != UP || link->interval_ms == 0 || link->method != LINK_KEEP_WS)
		return 0;
	if (link->ping_sent) /* whatever comes is a sign of life */
		return link->grace_ms + (link->ping_sent > link->stats.heard_ms
						 ? link->ping_sent
						 : link->stats.heard_ms);
	return link->stats.heard_ms + link->interval_ms;
}

/* The timer may fire too soon, because what came in the meantime moved what is due:
 * then it is armed again. */
void link_arm(struct link *link)
{
	int64_t due = sooner(sooner(link->phase_due, link->message_due), ping_due(link));

	/* Armed for sooner: when it fires it is armed again. */
	if (link->state == GONE || due == 0 || (link->armed && link->armed <= due))
		return;
	link->armed = due;
	timer_arm(&link->timer, clock_nap_ms(due - clock_mono_ms()));
}

void link_phase(struct link *link, enum link_state state, unsigned limit_ms)
{
	link->state = state;
	link->phase_due = limit_ms ? clock_mono_ms() + limit_ms : 0;
	link_arm(link);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct link *link = arg;
	int64_t now = clock_mono_ms();

	(void)fd;
	(void)what;
	enter(link);
	link->armed = 0;
	/* One end a turn: each of these makes the link GONE, and the rest has no meaning then. */
	if (link->phase_due && now >= link->phase_due)
		link_end(link, link->reason ? link->reason : LINK_TIMED_OUT, link->code,
			 link->text);
	else if (link->message_due && now >= link->message_due)
		link_end(link, LINK_TIMED_OUT, 0, "a message did not end in time");
	else if (ping_due(link) && now >= ping_due(link)) {
		if (link->ping_sent)
			link_end(link, LINK_SILENT, 0, "no answer to a ping");
		else
			link_ping(link);
	}
	link_arm(link);
	leave(link);
}

/* ---- sending ---- */

size_t link_queued(const struct link *link)
{
	return link->out.n - link->out.start;
}

int link_send(struct link *link, struct slice message)
{
	int err;

	if (link->state != UP)
		return -ENOTCONN;
	if (message.n > LINK_MESSAGE_MAX)
		return -EMSGSIZE;
	/* Copied, so the caller's message may go. */
	err = link_queue(link, WS_BINARY, message);
	if (err)
		return err;
	link->stats.frames_out++;
	link->stats.octets_out += message.n;
	return 0;
}

int link_ping(struct link *link)
{
	int64_t now = clock_mono_ms();
	uint8_t payload[PING_OCTETS];
	int err;

	if (link->state != UP)
		return -ENOTCONN;
	/* One at a time, as the answer is known by its time alone. */
	if (link->ping_sent)
		return -EALREADY;
	/* The time it was sent comes back with the pong: the round trip needs no other memory. */
	for (int i = 0; i < PING_OCTETS; i++)
		payload[i] = (uint8_t)((uint64_t)now >> (8 * i));
	err = link_queue(link, WS_PING, slice_of(payload, sizeof(payload)));
	if (err)
		return err;
	link->ping_sent = now;
	return 0;
}

void link_close(struct link *link, unsigned code)
{
	if (link->state == UP)
		link_begin_close(link, LINK_BY_US, code, false);
	else if (link->state != CLOSING && link->state != GONE)
		link_give_up(link, LINK_BY_US);
}

/* An event that is about to be handled keeps its priority until then. */
static void set_priorities(struct link *link)
{
	struct event *events[] = { &link->readable, &link->timer, link->writable };

	for (size_t i = 0; link->priority >= 0 && i < sizeof(events) / sizeof(*events); i++)
		if (events[i] && event_get_priority(events[i]) != link->priority)
			(void)event_priority_set(events[i], link->priority);
}

void link_set_priority(struct link *link, int priority)
{
	link->priority = (int8_t)priority;
	if (link->state != GONE)
		set_priorities(link);
}

/* ---- what the loop calls ---- */

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct link *link = arg;

	(void)fd;
	(void)what;
	set_priorities(link);
	enter(link);
	/* An event that was active already when the link was shut may still come. */
	if (link->state == SHAKING)
		link_shake(link);
	else if (link->state != CONNECTING && link->state != GONE && link->ssl)
		link_read(link);
	leave(link);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct link *link = arg;

	(void)fd;
	(void)what;
	/* First: what is called below may want to write again, and gets a new one. */
	drop_writable(link);
	set_priorities(link);
	enter(link);
	link->flushing = false;
	if (link->state == CONNECTING)
		link_connected(link);
	else if (link->state == SHAKING)
		link_shake(link);
	else if (link->state != GONE && link->ssl)
		link_flush(link);
	leave(link);
}

void link_want_write(struct link *link, bool wait)
{
	if (link->fd < 0)
		return;
	if (!link->writable) {
		link->writable =
			event_new(link->context->base, link->fd, EV_WRITE, on_writable, link);
		set_priorities(link);
	}
	if (!link->writable)
		link_give_up(link, LINK_NO_MEMORY);
	else if (wait)
		event_add(link->writable, NULL);
	else
		/* By hand: it runs behind what is active now, and the socket as a rule takes
		 * all that is written then. */
		event_active(link->writable, EV_WRITE, 0);
}

void link_assign_events(struct link *link)
{
	struct event_base *base = link->context->base;

	event_assign(&link->readable, base, link->fd, EV_READ | EV_PERSIST, on_readable, link);
	event_assign(&link->timer, base, -1, 0, on_timer, link);
}

/* ---- the rest ---- */

void link_pause(struct link *link, bool paused)
{
	if (link->paused == paused || link->state == GONE)
		return;
	link->paused = paused;
	if (paused) {
		event_del(&link->readable);
		return;
	}
	/* Reading begins with TLS. */
	if (link->state == CONNECTING)
		return;
	event_add(&link->readable, NULL);
	/* What OpenSSL has read already makes no descriptor readable. */
	if (link->ssl && SSL_has_pending(link->ssl))
		event_active(&link->readable, EV_READ, 0);
}

static void keep_alive_by_tcp(struct link *link)
{
	int on = link->interval_ms != 0, probes = 3;
	int idle = (int)((link->interval_ms + 999) / 1000);
	/* Three probes within the grace; TCP counts in whole seconds. */
	int between = (int)((link->grace_ms + 2999) / 3000);

	/* What fails leaves the kernel's own times: slower, but no reason to end a link. */
	setsockopt(link->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	if (!on)
		return;
	setsockopt(link->fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(link->fd, IPPROTO_TCP, TCP_KEEPINTVL, &between, sizeof(between));
	setsockopt(link->fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

void link_set_keep_alive(struct link *link, enum link_keep_alive method, unsigned interval_ms,
			 unsigned grace_ms)
{
	link->method = method;
	link->interval_ms = interval_ms;
	link->grace_ms = grace_ms ? grace_ms : GRACE_MS;
	if (link->state == GONE)
		return;
	if (method == LINK_KEEP_TCP)
		keep_alive_by_tcp(link);
	link_arm(link);
}

const struct net_addr *link_peer(const struct link *link)
{
	return &link->peer;
}

void link_stats(const struct link *link, struct link_stats *stats_out)
{
	*stats_out = link->stats;
}

const char *link_cipher(const struct link *link)
{
	const char *name = link->ssl && SSL_is_init_finished(link->ssl)
				   ? SSL_get_cipher_name(link->ssl)
				   : NULL;

	return name ? name : "";
}
