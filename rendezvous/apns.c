/* apns.c - notifications by HTTP/2, many at a time on one connection.
 *
 * libcurl does the protocol and owns the sockets; the event loop only tells it which are ready
 * and when its time is over. Each notification is an easy handle of its own, and libcurl puts
 * them as streams on the one connection.
 */
#include "rendezvous/apns.h"

#include <errno.h>
#include <stdio.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <curl/curl.h>
#include <event2/event.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/timer.h"
#include "rendezvous/apns_refusal.h"
#include "rendezvous/apns_token.h"

/* Octets. The service answers with a short JSON object; a token's header is far below a line's
 * room. */
enum { ANSWER_MAX = 1024, HEADER_SIZE = 1200, URL_SIZE = 512 };

/* Seconds.  An idle connection is looked at, so that the next notification does not find out that
 * it is dead, and middleboxes do not forget it. */
enum { KEEP_ALIVE_IDLE_S = 30, KEEP_ALIVE_EACH_S = 5 };

/* Says nothing about whom or what: only that the application shall look. */
static const char payload[] = "{\"aps\":{\"content-available\":1,\"mutable-content\":1,"
			      "\"alert\":{\"loc-key\":\"NEWS\"},\"sound\":\"default\"}}";

struct notification {
	TAILQ_ENTRY(notification) in_apns;
	struct apns *apns;
	CURL *easy;
	struct curl_slist *headers;
	uint64_t cookie;
	bool again;   /* the token was said to have expired: sent with a new one */
	bool resent;  /* the connection ended before there was an answer: sent on another one */
	bool waiting; /* for APNS_AGAIN_MS to pass: libcurl does not have it */
	int64_t until_ms;
	char answer[ANSWER_MAX];
	size_t n;
	char device_token[];
};

TAILQ_HEAD(notification_list, notification);

/* A socket that libcurl wants to be watched. */
struct watched {
	TAILQ_ENTRY(watched) in_apns;
	struct apns *apns;
	struct event *event;
};

TAILQ_HEAD(watched_list, watched);

struct apns {
	struct event_base *base;
	const struct apns_ops *ops;
	void *arg;
	CURLM *multi;
	struct event *timer;
	struct event *again; /* for those who wait */
	unsigned dead_ms;
	struct apns_token *token;
	char *url, *topic, *ca_file;
	struct notification_list all;
	struct watched_list sockets;
	size_t n;
	bool compared; /* is ahead_s known? */
	int64_t ahead_s;
	struct log_limit expired_log;
};

/* ---- libcurl's sockets and time on our loop ---- */

static void look_for_ends(struct apns *apns);

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
	/* Read before anything else: libcurl may have this socket forgotten, and arg freed,
	 * before it returns. */
	struct apns *apns = ((struct watched *)arg)->apns;
	int flags =
		(what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
	int running;

	curl_multi_socket_action(apns->multi, fd, flags, &running);
	look_for_ends(apns);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct apns *apns = arg;
	int running;

	(void)fd;
	(void)what;
	curl_multi_socket_action(apns->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	look_for_ends(apns);
}

static void forget_socket(struct watched *watched)
{
	TAILQ_REMOVE(&watched->apns->sockets, watched, in_apns);
	event_free(watched->event);
	free(watched);
}

static struct watched *new_watched(struct apns *apns, curl_socket_t fd)
{
	struct watched *watched = calloc(1, sizeof(*watched));

	if (watched)
		watched->event = event_new(apns->base, fd, EV_READ, on_socket, watched);
	if (!watched || !watched->event) {
		free(watched);
		return NULL;
	}
	watched->apns = apns;
	TAILQ_INSERT_TAIL(&apns->sockets, watched, in_apns);
	curl_multi_assign(apns->multi, fd, watched);
	return watched;
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *of_socket)
{
	struct watched *watched = of_socket;
	struct apns *apns = arg;
	short events = (short)((what & CURL_POLL_IN ? EV_READ : 0) |
			       (what & CURL_POLL_OUT ? EV_WRITE : 0) | EV_PERSIST);

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watched)
			forget_socket(watched);
		return 0;
	}
	if (!watched)
		watched = new_watched(apns, fd);
	if (!watched)
		return -1;
	/* What to wait for may be changed only while the event is not pending (libevent,
	 * event_assign()). */
	event_del(watched->event);
	event_assign(watched->event, apns->base, fd, events, on_socket, watched);
	event_add(watched->event, NULL);
	return 0;
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
	struct apns *apns = arg;

	(void)multi;
	/* libcurl's word for "no time limit now". */
	if (ms < 0)
		event_del(apns->timer);
	else
		timer_arm(apns->timer, ms);
	return 0;
}

/* ---- one notification ---- */

static void drop(struct notification *n)
{
	struct apns *apns = n->apns;

	curl_multi_remove_handle(apns->multi, n->easy);
	curl_easy_cleanup(n->easy);
	curl_slist_free_all(n->headers);
	TAILQ_REMOVE(&apns->all, n, in_apns);
	apns->n--;
	free(n);
}

static size_t take_answer(char *data, size_t size, size_t count, void *arg)
{
	struct notification *n = arg;
	/* What does not fit is taken and thrown away: fewer octets than were given would end the
	 * transfer as an error. */
	size_t room = ANSWER_MAX - n->n, got = size * count;

	memcpy(n->answer + n->n, data, got < room ? got : room);
	n->n += got < room ? got : room;
	return got;
}

static bool add_header(struct notification *n, const char *name, const char *value)
{
	char line[HEADER_SIZE];
	struct curl_slist *longer;

	if ((size_t)snprintf(line, sizeof(line), "%s: %s", name, value) >= sizeof(line))
		return false;
	longer = curl_slist_append(n->headers, line);
	if (longer)
		n->headers = longer;
	return longer != NULL;
}

static bool set_headers(struct notification *n)
{
	const char *token = apns_token_text(n->apns->token, clock_wall_s());
	char bearer[HEADER_SIZE];

	if (!token ||
	    (size_t)snprintf(bearer, sizeof(bearer), "bearer %s", token) >= sizeof(bearer))
		return false;
	curl_slist_free_all(n->headers);
	n->headers = NULL;
	return add_header(n, "authorization", bearer) &&
	       add_header(n, "apns-topic", n->apns->topic) &&
	       add_header(n, "apns-push-type", "alert") && add_header(n, "apns-priority", "10") &&
	       add_header(n, "content-type", "application/json");
}

/* TCP by itself goes on for a quarter of an hour with a peer that nothing is heard of; all that
 * is under way would wait for its own limit. */
static int set_dead_ms(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	const struct apns *apns = arg;
	unsigned dead_ms = apns->dead_ms;

	(void)purpose;
	/* Also bounds the handshake of TCP.  Without it things are as slow as they were. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead_ms, sizeof(dead_ms));
	return CURL_SOCKOPT_OK;
}

static void watch_connection(const struct notification *n)
{
	curl_easy_setopt(n->easy, CURLOPT_SOCKOPTFUNCTION, set_dead_ms);
	curl_easy_setopt(n->easy, CURLOPT_SOCKOPTDATA, n->apns);
	curl_easy_setopt(n->easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(n->easy, CURLOPT_TCP_KEEPIDLE, (long)KEEP_ALIVE_IDLE_S);
	curl_easy_setopt(n->easy, CURLOPT_TCP_KEEPINTVL, (long)KEEP_ALIVE_EACH_S);
}

/* Puts it on its way; also a second time. */
static bool start(struct notification *n)
{
	int64_t left_ms = n->until_ms - clock_mono_ms();
	char url[URL_SIZE];

	if ((size_t)snprintf(url, sizeof(url), "%s/3/device/%s", n->apns->url, n->device_token) >=
		    sizeof(url) ||
	    !set_headers(n))
		return false;
	n->n = 0;
	curl_easy_setopt(n->easy, CURLOPT_URL, url);
	curl_easy_setopt(n->easy, CURLOPT_PRIVATE, n);
	curl_easy_setopt(n->easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2_0);
	curl_easy_setopt(n->easy, CURLOPT_PIPEWAIT, 1L); /* one connection for all */
	curl_easy_setopt(n->easy, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(n->easy, CURLOPT_HTTPHEADER, n->headers);
	/* Not copied by libcurl: the payload is a constant, as long as the process. */
	curl_easy_setopt(n->easy, CURLOPT_POSTFIELDS, payload);
	curl_easy_setopt(n->easy, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(n->easy, CURLOPT_WRITEDATA, n);
	/* libcurl takes 0 for no limit. */
	curl_easy_setopt(n->easy, CURLOPT_TIMEOUT_MS, left_ms > 0 ? (long)left_ms : 1L);
	curl_easy_setopt(n->easy, CURLOPT_NOSIGNAL, 1L);
	watch_connection(n);
	if (n->apns->ca_file)
		curl_easy_setopt(n->easy, CURLOPT_CAINFO, n->apns->ca_file);
	return curl_multi_add_handle(n->apns->multi, n->easy) == CURLM_OK;
}

static void tell(struct notification *n, enum apns_outcome outcome, int64_t when_ms,
		 const char *text)
{
	/* Told before it is dropped: the device's token lies in it. */
	n->apns->ops->done(n->apns->arg, n->cookie, n->device_token, outcome, when_ms, text);
	drop(n);
}

/* The token was made with our clock: whoever reads the log shall think of it. */
static void log_expired(struct apns *apns)
{
	unsigned suppressed;

	if (log_limit_pass(&apns->expired_log, clock_mono_ms(), &suppressed))
		log_warn("push",
			 "the service calls our token expired: made anew; is the clock right? "
			 "(%u more not logged)",
			 suppressed);
}

static void on_refused(struct notification *n, long status)
{
	struct apns_refusal refusal;
	char text[128];

	apns_refusal_read(status, slice_of(n->answer, n->n), &refusal);
	snprintf(text, sizeof(text), "%ld %s", status, refusal.reason);
	/* Once for each notification: a service that calls every token expired would keep it
	 * going round for ever. */
	if (refusal.token_expired && !n->again) {
		n->again = true;
		log_expired(n->apns);
		apns_token_expire(n->apns->token);
		curl_multi_remove_handle(n->apns->multi, n->easy);
		if (start(n))
			return;
	}
	tell(n, refusal.outcome, refusal.when_ms, text);
}

/* Every answer has the service's time (RFC 9110 6.6.1). */
static void compare_clocks(struct apns *apns, CURL *easy)
{
	struct curl_header *header = NULL;
	time_t theirs;

	if (curl_easy_header(easy, "date", 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return;
	theirs = curl_getdate(header->value, NULL);
	if (theirs == (time_t)-1)
		return;
	apns->compared = true;
	apns->ahead_s = clock_wall_s() - (int64_t)theirs;
}

bool apns_clock_ahead(const struct apns *apns, int64_t *seconds_out)
{
	if (apns->compared)
		*seconds_out = apns->ahead_s;
	return apns->compared;
}

/* Nothing of it has left: it can be tried as often as there is time. */
static bool try_later(struct notification *n)
{
	struct apns *apns = n->apns;

	if (clock_mono_ms() + APNS_AGAIN_MS >= n->until_ms)
		return false;
	n->waiting = true;
	curl_multi_remove_handle(apns->multi, n->easy);
	/* One timer for all: who comes later waits a little less. */
	if (!event_pending(apns->again, EV_TIMEOUT, NULL))
		timer_arm(apns->again, APNS_AGAIN_MS);
	return true;
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct apns *apns = arg;
	struct notification *n = TAILQ_FIRST(&apns->all), *next;

	(void)fd;
	(void)what;
	for (; n; n = next) {
		/* tell() frees it. */
		next = TAILQ_NEXT(n, in_apns);
		if (!n->waiting)
			continue;
		n->waiting = false;
		if (!start(n))
			tell(n, APNS_FAILED, 0, strerror(ENOMEM));
	}
}

/* A service that goes away (GOAWAY, RFC 9113 6.8) may leave requests undone, and so does a
 * connection that died; libcurl tells only that the connection failed.  A notification names no
 * message: that one which was done comes twice does no harm, so each is sent a second time, and
 * no third. */
static bool resend(struct notification *n, CURLcode result)
{
	switch (result) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
		return try_later(n);
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE: /* of those that did not hear of the error themselves */
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		break;
	default:
		return false;
	}
	if (n->resent)
		return false;
	n->resent = true;
	curl_multi_remove_handle(n->apns->multi, n->easy);
	return start(n);
}

static void look_for_ends(struct apns *apns)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(apns->multi, &left))) {
		CURLcode result = message->data.result;
		struct notification *n = NULL;
		long status = 0;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&n);
		curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
		compare_clocks(apns, message->easy_handle);
		if (result != CURLE_OK && resend(n, result))
			continue;
		if (result != CURLE_OK)
			tell(n, APNS_FAILED, 0, curl_easy_strerror(result));
		else if (status == 200)
			tell(n, APNS_SENT, 0, "");
		else
			on_refused(n, status);
	}
}

static bool is_device_token(const char *text)
{
	size_t n = strlen(text);

	return n > 0 && n <= APNS_DEVICE_TOKEN && strspn(text, "0123456789abcdefABCDEF") == n;
}

int apns_push(struct apns *apns, const char *device_token, uint64_t cookie)
{
	struct notification *n;

	if (!is_device_token(device_token))
		return -EINVAL;
	if (apns->n >= APNS_QUEUE)
		return -ENOBUFS;
	n = calloc(1, sizeof(*n) + strlen(device_token) + 1);
	if (!n)
		return -ENOMEM;
	n->easy = curl_easy_init();
	if (!n->easy) {
		free(n);
		return -ENOMEM;
	}
	memcpy(n->device_token, device_token, strlen(device_token) + 1);
	n->apns = apns;
	n->cookie = cookie;
	n->until_ms = clock_mono_ms() + APNS_LIMIT_MS;
	TAILQ_INSERT_TAIL(&apns->all, n, in_apns);
	apns->n++;
	if (start(n))
		return 0;
	drop(n);
	return -ENOMEM;
}

/* ---- life ---- */

static int set_up(struct apns *apns, const struct apns_options *o)
{
	apns->url = strdup(o->url);
	apns->topic = strdup(o->topic);
	apns->ca_file = o->ca_file ? strdup(o->ca_file) : NULL;
	apns->multi = curl_multi_init();
	apns->dead_ms = o->dead_ms ? o->dead_ms : APNS_DEAD_MS;
	apns->timer = evtimer_new(apns->base, on_timer, apns);
	apns->again = evtimer_new(apns->base, on_again, apns);
	if (!apns->url || !apns->topic || (o->ca_file && !apns->ca_file) || !apns->multi ||
	    !apns->timer || !apns->again)
		return -ENOMEM;
	curl_multi_setopt(apns->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(apns->multi, CURLMOPT_SOCKETDATA, apns);
	curl_multi_setopt(apns->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(apns->multi, CURLMOPT_TIMERDATA, apns);
	curl_multi_setopt(apns->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
	curl_multi_setopt(apns->multi, CURLMOPT_MAX_HOST_CONNECTIONS, 1L);
	return 0;
}

int apns_new(struct event_base *base, const struct apns_options *options,
	     const struct apns_ops *ops, void *arg, struct apns **apns_out, struct diag *diag)
{
	struct apns *apns = calloc(1, sizeof(*apns));
	int err;

	if (!apns)
		return -ENOMEM;
	apns->base = base;
	apns->ops = ops;
	apns->arg = arg;
	TAILQ_INIT(&apns->all);
	TAILQ_INIT(&apns->sockets);
	err = set_up(apns, options);
	if (!err)
		err = apns_token_new(options->key_file, options->key_id, options->team_id,
				     &apns->token, diag);
	if (err) {
		apns_free(&apns);
		return err;
	}
	*apns_out = apns;
	return 0;
}

void apns_free(struct apns **apnsp)
{
	struct apns *apns = *apnsp;
	struct notification *n;
	struct watched *watched;

	if (!apns)
		return;
	*apnsp = NULL;
	while ((n = TAILQ_FIRST(&apns->all)))
		drop(n);
	/* Behind the handles, for none may be left in it; before the sockets, which it has us
	 * forget as it closes them. */
	if (apns->multi)
		curl_multi_cleanup(apns->multi);
	while ((watched = TAILQ_FIRST(&apns->sockets)))
		forget_socket(watched);
	if (apns->timer)
		event_free(apns->timer);
	if (apns->again)
		event_free(apns->again);
	apns_token_free(&apns->token);
	free(apns->url);
	free(apns->topic);
	free(apns->ca_file);
	free(apns);
}
