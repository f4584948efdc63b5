#include "gateway/resolver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/util.h>

#include "base/dns.h"

struct resolver {
	struct event_base *base;
	struct dns *dns;
};

struct resolution {
	struct event *soon;         /* a numeric host is answered after resolver_start() */
	struct dns_question *asked; /* or the name is asked for */
	struct net_addr addrs[RESOLVER_MAX];
	size_t n; /* 0: none found */
	uint16_t port;
	resolver_fn *done; /* one of the two */
	resolver_list_fn *done_list;
	void *arg;
};

struct resolver *resolver_new(struct event_base *base)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));

	if (!resolver)
		return NULL;
	resolver->base = base;
	resolver->dns = dns_new(base);
	if (!resolver->dns)
		resolver_free(&resolver);
	return resolver;
}

void resolver_free(struct resolver **resolverp)
{
	if (!*resolverp)
		return;
	dns_free(&(*resolverp)->dns);
	free(*resolverp);
	*resolverp = NULL;
}

static void resolution_free(struct resolution *r)
{
	dns_drop(&r->asked);
	if (r->soon)
		event_free(r->soon);
	free(r);
}

static void finish(struct resolution *r, const char *text)
{
	int err = r->n ? 0 : -EHOSTUNREACH;

	if (r->done)
		r->done(r->arg, err, err ? NULL : &r->addrs[0], text);
	else
		r->done_list(r->arg, err, r->addrs, r->n, text);
	resolution_free(r);
}

static void on_soon(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	finish(arg, "");
}

static void on_answer(void *arg, int error, const struct addrinfo *found)
{
	struct resolution *r = arg;

	r->asked = NULL; /* it is gone with its answer */
	for (; !error && found && r->n < RESOLVER_MAX; found = found->ai_next) {
		struct net_addr *addr = &r->addrs[r->n];

		if (found->ai_addrlen > sizeof(addr->in6))
			continue;
		memcpy(&addr->sa, found->ai_addr, found->ai_addrlen);
		addr->len = found->ai_addrlen;
		net_set_port(addr, r->port);
		r->n++;
	}
	finish(r, error ? evutil_gai_strerror(error) : "no address of a usable kind");
}

static int ask(struct resolver *resolver, struct resolution *r, const char *host)
{
	const struct evutil_addrinfo hints = { .ai_family = AF_UNSPEC,
					       .ai_socktype = SOCK_STREAM,
					       .ai_flags = EVUTIL_AI_ADDRCONFIG };

	if (net_parse(host, r->port, &r->addrs[0]) == 0) {
		r->n = 1;
		r->soon = evtimer_new(resolver->base, on_soon, r);
		if (r->soon)
			event_active(r->soon, EV_TIMEOUT, 0);
		return r->soon ? 0 : -ENOMEM;
	}
	r->asked = dns_ask(resolver->dns, host, &hints, on_answer, r);
	return r->asked ? 0 : -ENOMEM;
}

static struct resolution *begin(struct resolver *resolver, const char *host,
				const struct resolution *what)
{
	struct resolution *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	*r = *what;
	if (ask(resolver, r, host)) {
		resolution_free(r);
		return NULL;
	}
	return r;
}

struct resolution *resolver_start(struct resolver *resolver, const char *host, uint16_t port,
				  resolver_fn *done, void *arg)
{
	return begin(resolver, host,
		     &(struct resolution){ .port = port, .done = done, .arg = arg });
}

struct resolution *resolver_start_list(struct resolver *resolver, const char *host, uint16_t port,
				       resolver_list_fn *done, void *arg)
{
	return begin(resolver, host,
		     &(struct resolution){ .port = port, .done_list = done, .arg = arg });
}

void resolver_cancel(struct resolution **resolutionp)
{
	if (*resolutionp)
		resolution_free(*resolutionp);
	*resolutionp = NULL;
}
