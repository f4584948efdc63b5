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
	struct net_addr addr;       /* len 0: none found */
	uint16_t port;
	resolver_fn *done;
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
	int err = r->addr.len ? 0 : -EHOSTUNREACH;

	r->done(r->arg, err, err ? NULL : &r->addr, text);
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
	if (!error && found->ai_addrlen <= sizeof(r->addr.in6)) {
		memcpy(&r->addr.sa, found->ai_addr, found->ai_addrlen);
		r->addr.len = found->ai_addrlen;
		net_set_port(&r->addr, r->port);
	}
	finish(r, error ? evutil_gai_strerror(error) : "no address of a usable kind");
}

static int ask(struct resolver *resolver, struct resolution *r, const char *host)
{
	const struct evutil_addrinfo hints = { .ai_family = AF_UNSPEC,
					       .ai_socktype = SOCK_STREAM,
					       .ai_flags = EVUTIL_AI_ADDRCONFIG };

	if (net_parse(host, r->port, &r->addr) == 0) {
		r->soon = evtimer_new(resolver->base, on_soon, r);
		if (r->soon)
			event_active(r->soon, EV_TIMEOUT, 0);
		return r->soon ? 0 : -ENOMEM;
	}
	r->addr.len = 0;
	r->asked = dns_ask(resolver->dns, host, &hints, on_answer, r);
	return r->asked ? 0 : -ENOMEM;
}

struct resolution *resolver_start(struct resolver *resolver, const char *host, uint16_t port,
				  resolver_fn *done, void *arg)
{
	struct resolution *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	*r = (struct resolution){ .port = port, .done = done, .arg = arg };
	if (ask(resolver, r, host)) {
		resolution_free(r);
		return NULL;
	}
	return r;
}

void resolver_cancel(struct resolution **resolutionp)
{
	if (*resolutionp)
		resolution_free(*resolutionp);
	*resolutionp = NULL;
}
