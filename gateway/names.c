/* names.c - c-ares on libevent's loop, with a cache: names of PBXs and of the
 * rendezvous's relays are asked for once in a TTL, however many calls wait. */
#include "gateway/names.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <ares.h>
#include <event2/event.h>

#include "base/clock.h"
#include "base/timer.h"

enum {
	MAX_ENTRIES = 256, /* names come from the configuration, and redirections */
	TRY_MS = 2000,     /* of a name server's first try; c-ares doubles it */
	TRIES = 2,
	NEGATIVE_MS = 5000, /* what is not there, or was not answered, is asked again then */
	MAX_TTL_S = 86400,
	STALE_MS = 3600000, /* what was known goes on so long while nobody answers */
	CLASS_IN = 1,
	TYPE_SRV = 33,
};

/* A name, and all that is known of it. */
struct entry {
	struct names *names;
	struct entry *next;
	enum names_kind kind;
	char *name;
	bool asking;    /* c-ares has it */
	bool again;     /* its channel went away meanwhile */
	bool answering; /* answer() is below us on the stack */
	int err;
	const char *text;
	struct net_addr addrs[NAMES_MAX];
	size_t n_addrs;
	struct srv_answer service;
	int64_t expires_ms, stale_ms; /* monotonic; until then it counts, and in need */
	struct names_question *first;
	struct event *due; /* there is something to answer */
};

struct names_question {
	struct names_question *next, **link;
	names_fn *done;
	void *arg;
};

/* A socket of c-ares. */
struct watch {
	struct watch *next;
	struct names *names;
	ares_socket_t fd;
	struct event *event;
};

struct names {
	struct event_base *base;
	ares_channel channel; /* NULL: it could not be made */
	struct watch *watches;
	struct event *timer;
	struct entry *entries;
	size_t n_entries;
	struct net_addr servers[NAMES_SERVERS_MAX];
	size_t n_servers;
	struct timespec resolv_conf; /* when it was changed last */
	bool closing;
};

static void ask_wire(struct entry *e);

/* ---- c-ares on the loop ---- */

static void arm_timer(struct names *names)
{
	struct timeval wait;

	if (ares_timeout(names->channel, NULL, &wait))
		event_add(names->timer, &wait);
	else
		event_del(names->timer);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct names *names = arg;

	(void)fd, (void)what;
	/* Without a socket: c-ares only looks at its own timeouts. */
	ares_process_fd(names->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	arm_timer(names);
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct names *names = ((struct watch *)arg)->names; /* arg may go in there */

	/* It may close and open sockets, and answer: nothing of before is used afterwards. */
	ares_process_fd(names->channel, what & EV_READ ? fd : ARES_SOCKET_BAD,
			what & EV_WRITE ? fd : ARES_SOCKET_BAD);
	arm_timer(names);
}

static void unwatch(struct names *names, ares_socket_t fd)
{
	for (struct watch **link = &names->watches; *link; link = &(*link)->next)
		if ((*link)->fd == fd) {
			struct watch *gone = *link;

			*link = gone->next;
			event_free(gone->event);
			free(gone);
			return;
		}
}

/* Without memory the socket is not watched: the question ends by its limit. */
static void on_state(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct names *names = arg;
	short what = (short)((readable ? EV_READ : 0) | (writable ? EV_WRITE : 0));
	struct watch *watch;

	/* The event is made anew: libevent cannot change what an event waits for. */
	unwatch(names, fd);
	if (!what)
		return;
	watch = calloc(1, sizeof(*watch));
	if (!watch)
		return;
	*watch = (struct watch){ names->watches, names, fd, NULL };
	watch->event = event_new(names->base, fd, (short)(what | EV_PERSIST), on_socket, watch);
	if (!watch->event || event_add(watch->event, NULL)) {
		if (watch->event)
			event_free(watch->event);
		free(watch);
		return;
	}
	names->watches = watch;
}

static void set_servers(struct names *names)
{
	struct ares_addr_port_node nodes[NAMES_SERVERS_MAX] = { 0 };

	for (size_t i = 0; i < names->n_servers; i++) {
		const struct net_addr *server = &names->servers[i];
		struct ares_addr_port_node *node = &nodes[i];

		node->next = i + 1 < names->n_servers ? node + 1 : NULL;
		node->family = server->sa.sa_family;
		node->udp_port = node->tcp_port = net_port(server);
		if (node->family == AF_INET6)
			memcpy(&node->addr, &server->in6.sin6_addr, sizeof(struct in6_addr));
		else
			memcpy(&node->addr, &server->in.sin_addr, sizeof(struct in_addr));
	}
	if (names->n_servers)
		ares_set_servers_ports(names->channel, nodes);
}

static struct timespec resolv_conf_changed(void)
{
	struct stat st;

	return stat("/etc/resolv.conf", &st) == 0 ? st.st_mtim : (struct timespec){ 0, 0 };
}

static void open_channel(struct names *names)
{
	struct ares_options options = { .timeout = TRY_MS,
					.tries = TRIES,
					.sock_state_cb = on_state,
					.sock_state_cb_data = names };

	names->resolv_conf = resolv_conf_changed();
	if (ares_init_options(&names->channel, &options,
			      ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB) !=
	    ARES_SUCCESS)
		names->channel = NULL;
	else
		set_servers(names);
}

/* What was under way comes back as destroyed, and is asked on the next channel. */
static void close_channel(struct names *names)
{
	if (names->channel)
		ares_destroy(names->channel);
	names->channel = NULL;
	event_del(names->timer);
}

static void renew_channel(struct names *names)
{
	close_channel(names);
	open_channel(names);
	for (struct entry *e = names->entries; e; e = e->next)
		if (e->again) {
			e->again = false;
			ask_wire(e);
		}
}

/* ---- what comes back ---- */

static const char *text_of(int status)
{
	switch (status) {
	case ARES_ENODATA:
		return "the name has no such record";
	case ARES_ENOTFOUND:
		return "there is no such name";
	case ARES_ETIMEOUT:
	case ARES_ECONNREFUSED:
		return "no name server answers";
	default:
		return ares_strerror(status);
	}
}

static int64_t life_ms(int64_t ttl_s)
{
	if (ttl_s < 0)
		ttl_s = 0;
	return (ttl_s < MAX_TTL_S ? ttl_s : MAX_TTL_S) * 1000;
}

static void found(struct entry *e, int64_t ttl_s)
{
	e->err = 0;
	e->text = "";
	e->expires_ms = clock_mono_ms() + life_ms(ttl_s);
	e->stale_ms = e->expires_ms + STALE_MS;
}

/* That a name is gone is an answer, too; silence, and a server that fails, is none, and
 * leaves in force what was known. */
static void not_found(struct entry *e, int err, const char *text)
{
	int64_t now_ms = clock_mono_ms();
	bool known = e->stale_ms > now_ms && !e->err && e->text;

	e->expires_ms = now_ms + NEGATIVE_MS;
	/* The failure is remembered for NEGATIVE_MS all the same: the servers are not asked with
	 * each call. */
	if (err != -ENOENT && known)
		return;
	e->err = err;
	e->text = text;
	e->n_addrs = 0;
	e->service = (struct srv_answer){ .n = 0 };
}

/* Is the channel on its way out?  Then the entry is asked again, or nobody is left to know. */
static bool was_destroyed(struct entry *e, int status)
{
	e->asking = false;
	if (status != ARES_EDESTRUCTION)
		return false;
	e->again = !e->names->closing;
	return true;
}

static void take_failure(struct entry *e, int status)
{
	bool absent = status == ARES_ENOTFOUND || status == ARES_ENODATA;

	not_found(e, absent ? -ENOENT : -EHOSTUNREACH, text_of(status));
}

static void on_service(void *arg, int status, int timeouts, unsigned char *octets, int n)
{
	struct entry *e = arg;
	struct srv_answer service;
	int err;

	(void)timeouts;
	if (was_destroyed(e, status))
		return;
	if (status != ARES_SUCCESS) {
		take_failure(e, status);
	} else {
		err = srv_parse(slice_of(octets, n > 0 ? (size_t)n : 0), &service);
		if (err) {
			not_found(e, err == -ENOENT ? err : -EHOSTUNREACH, "a malformed answer");
		} else {
			e->service = service;
			found(e, service.ttl_s);
		}
	}
	/* Answered by the loop, not from here: c-ares is not to be called again from within its
	 * callback. */
	event_active(e->due, EV_TIMEOUT, 0);
}

static void take_addresses(struct entry *e, const struct ares_addrinfo *list)
{
	int ttl = MAX_TTL_S;

	e->n_addrs = 0;
	for (const struct ares_addrinfo_node *a = list->nodes; a && e->n_addrs < NAMES_MAX;
	     a = a->ai_next) {
		struct net_addr *addr = &e->addrs[e->n_addrs];

		if (a->ai_addrlen > sizeof(addr->in6))
			continue;
		*addr = (struct net_addr){ .len = a->ai_addrlen };
		memcpy(&addr->sa, a->ai_addr, a->ai_addrlen);
		e->n_addrs++;
		/* The least one of all that led to the answer, aliases included. */
		if (a->ai_ttl < ttl)
			ttl = a->ai_ttl;
	}
	for (const struct ares_addrinfo_cname *c = list->cnames; c; c = c->next)
		if (c->ttl < ttl)
			ttl = c->ttl;
	if (e->n_addrs)
		found(e, ttl);
	else
		not_found(e, -ENOENT, text_of(ARES_ENODATA));
}

static void on_addresses(void *arg, int status, int timeouts, struct ares_addrinfo *list)
{
	struct entry *e = arg;

	(void)timeouts;
	if (!was_destroyed(e, status)) {
		if (status == ARES_SUCCESS)
			take_addresses(e, list);
		else
			take_failure(e, status);
		event_active(e->due, EV_TIMEOUT, 0);
	}
	if (list)
		ares_freeaddrinfo(list);
}

static void ask_wire(struct entry *e)
{
	struct names *names = e->names;
	const struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC,
						   .ai_socktype = SOCK_STREAM };

	if (!names->channel) {
		not_found(e, -EHOSTUNREACH, "out of memory");
		event_active(e->due, EV_TIMEOUT, 0);
		return;
	}
	e->asking = true;
	/* SRV records are DNS's alone; ares_getaddrinfo() looks into /etc/hosts as well. */
	if (e->kind == NAMES_SERVICE)
		ares_search(names->channel, e->name, CLASS_IN, TYPE_SRV, on_service, e);
	else
		ares_getaddrinfo(names->channel, e->name, NULL, &hints, on_addresses, e);
	arm_timer(names);
}

/* ---- questions ---- */

static void unlink_question(struct names_question *q)
{
	*q->link = q->next;
	if (q->next)
		q->next->link = q->link;
}

/* A callback may ask for the same name again, and drop others that wait: those that wait
 * now are taken off, and each is looked up anew. */
static void answer(struct entry *e)
{
	const struct names_answer what = { .err = e->err,
					   .text = e->text,
					   .addrs = e->addrs,
					   .n_addrs = e->n_addrs,
					   .service = &e->service };
	struct names_question *waiting = e->first;

	e->first = NULL;
	if (waiting)
		waiting->link = &waiting;
	while (waiting) {
		struct names_question *q = waiting;

		/* Off the list before it is called: the callback may drop its own question's
		 * handle. */
		unlink_question(q);
		q->done(q->arg, &what);
		free(q);
	}
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
	struct entry *e = arg;

	(void)fd, (void)what;
	if (e->asking)
		return; /* asked anew meanwhile: it answers */
	e->answering = true;
	answer(e);
	e->answering = false;
}

static void entry_free(struct entry *e)
{
	while (e->first) {
		struct names_question *q = e->first;

		unlink_question(q);
		free(q);
	}
	if (e->due)
		event_free(e->due);
	free(e->name);
	free(e);
}

/* The one that is true for the shortest time, of those that nobody waits for. */
static bool make_room(struct names *names)
{
	struct entry **oldest = NULL, *gone;

	if (names->n_entries < MAX_ENTRIES)
		return true;
	for (struct entry **link = &names->entries; *link; link = &(*link)->next)
		if (!(*link)->asking && !(*link)->first && !(*link)->answering &&
		    (!oldest || (*link)->expires_ms < (*oldest)->expires_ms))
			oldest = link;
	if (!oldest)
		return false;
	gone = *oldest;
	*oldest = gone->next;
	names->n_entries--;
	entry_free(gone);
	return true;
}

static struct entry *find_entry(struct names *names, enum names_kind kind, const char *name)
{
	struct entry *e = names->entries;

	while (e && (e->kind != kind || strcasecmp(e->name, name) != 0))
		e = e->next;
	return e;
}

static struct entry *new_entry(struct names *names, enum names_kind kind, const char *name)
{
	struct entry *e = make_room(names) ? calloc(1, sizeof(*e)) : NULL;

	if (!e)
		return NULL;
	*e = (struct entry){ .names = names, .kind = kind, .name = strdup(name) };
	e->due = event_new(names->base, -1, 0, on_due, e);
	if (!e->name || !e->due) {
		entry_free(e);
		return NULL;
	}
	e->next = names->entries;
	names->entries = e;
	names->n_entries++;
	return e;
}

/* The system's name servers may have changed: the network has, or a service was restarted. */
static void look_at_resolv_conf(struct names *names)
{
	struct timespec now = resolv_conf_changed();

	if (now.tv_sec != names->resolv_conf.tv_sec || now.tv_nsec != names->resolv_conf.tv_nsec ||
	    !names->channel)
		renew_channel(names);
}

struct names_question *names_ask(struct names *names, enum names_kind kind, const char *name,
				 names_fn *done, void *arg)
{
	struct names_question *q = calloc(1, sizeof(*q));
	struct entry *e = q ? find_entry(names, kind, name) : NULL;

	if (q && !e)
		e = new_entry(names, kind, name);
	if (!e) {
		free(q);
		return NULL;
	}
	*q = (struct names_question){ .next = e->first, .link = &e->first, done, arg };
	if (q->next)
		q->next->link = &q->next;
	e->first = q;
	if (e->asking)
		return q;
	if (e->expires_ms > clock_mono_ms()) {
		event_active(e->due, EV_TIMEOUT, 0);
		return q;
	}
	/* Looked at only when something is asked on the wire: one stat(2). */
	look_at_resolv_conf(names);
	ask_wire(e);
	return q;
}

void names_drop(struct names_question **questionp)
{
	struct names_question *q = *questionp;

	if (!q)
		return;
	*questionp = NULL;
	unlink_question(q);
	free(q);
}

bool names_in_hosts_file(struct names *names, const char *host)
{
	struct hostent *found_out = NULL;
	bool there = names->channel && ares_gethostbyname_file(names->channel, host, AF_UNSPEC,
							       &found_out) == ARES_SUCCESS;

	if (there)
		ares_free_hostent(found_out);
	return there;
}

/* ---- life ---- */

struct names *names_new(struct event_base *base)
{
	struct names *names = calloc(1, sizeof(*names));

	if (!names)
		return NULL;
	names->base = base;
	names->timer = evtimer_new(base, on_timer, names);
	if (!names->timer || ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
		if (names->timer)
			event_free(names->timer);
		free(names);
		return NULL;
	}
	open_channel(names);
	return names;
}

void names_free(struct names **namesp)
{
	struct names *names = *namesp;

	if (!names)
		return;
	*namesp = NULL;
	names->closing = true;
	close_channel(names);
	while (names->entries) {
		struct entry *e = names->entries;

		names->entries = e->next;
		entry_free(e);
	}
	event_free(names->timer);
	free(names);
	ares_library_cleanup();
}

void names_set_servers(struct names *names, const struct net_addr *servers, size_t n)
{
	bool same = n == names->n_servers;

	for (size_t i = 0; same && i < n; i++)
		same = net_equal(&servers[i], &names->servers[i]);
	if (same)
		return;
	names->n_servers = n < NAMES_SERVERS_MAX ? n : NAMES_SERVERS_MAX;
	for (size_t i = 0; i < names->n_servers; i++)
		names->servers[i] = servers[i];
	for (struct entry *e = names->entries; e; e = e->next)
		e->expires_ms = e->stale_ms = 0; /* other servers may say otherwise */
	renew_channel(names);
}
