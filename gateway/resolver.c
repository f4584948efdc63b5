#include "gateway/resolver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>

struct resolver {
	struct event_base *base;
	struct evdns_base *dns;
};

struct resolution {
	struct event *soon; /* to answer after resolver_start() has returned */
	struct evdns_getaddrinfo_request *request;
	struct net_addr addr; /* len 0: none found */
	uint16_t port;
	const char *text;
	resolver_fn *done;
	void *arg;
	bool starting, cancelled;
};

struct resolver *resolver_new(struct event_base *base)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));

	if (!resolver)
		return NULL;
	resolver->base = base;
	/* Without name servers names in /etc/hosts still resolve. */
	resolver->dns = evdns_base_new(base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (!resolver->dns) {
		free(resolver);
		return NULL;
	}
	evdns_base_resolv_conf_parse(resolver->dns, DNS_OPTIONS_ALL, "/etc/resolv.conf");
	return resolver;
}

void resolver_free(struct resolver **resolverp)
{
	if (!*resolverp)
		return;
	evdns_base_free((*resolverp)->dns, 0);
	free(*resolverp);
	*resolverp = NULL;
}

static void finish(struct resolution *r)
{
	int err = r->addr.len ? 0 : -EHOSTUNREACH;

	if (!r->cancelled)
		r->done(r->arg, err, err ? NULL : &r->addr, r->text);
	event_free(r->soon);
	free(r);
}

static void on_soon(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	finish(arg);
}

static void answer_soon(struct resolution *r)
{
	event_active(r->soon, EV_TIMEOUT, 0);
}

static void on_resolved(int result, struct evutil_addrinfo *found, void *arg)
{
	struct resolution *r = arg;

	r->request = NULL;
	r->text = result ? evutil_gai_strerror(result) : "no address of a usable kind";
	if (result == 0 && found && found->ai_addrlen <= sizeof(r->addr.in6)) {
		memcpy(&r->addr.sa, found->ai_addr, found->ai_addrlen);
		r->addr.len = found->ai_addrlen;
		net_set_port(&r->addr, r->port);
	}
	if (found)
		evutil_freeaddrinfo(found);
	if (r->starting)
		answer_soon(r); /* the name stood in /etc/hosts */
	else
		finish(r);
}

static void ask(struct resolver *resolver, struct resolution *r, const char *host)
{
	const struct evutil_addrinfo hints = { .ai_family = AF_UNSPEC,
					       .ai_socktype = SOCK_STREAM,
					       .ai_flags = EVUTIL_AI_ADDRCONFIG };

	r->starting = true;
	r->request = evdns_getaddrinfo(resolver->dns, host, NULL, &hints, on_resolved, r);
	r->starting = false;
}

struct resolution *resolver_start(struct resolver *resolver, const char *host, uint16_t port,
				  resolver_fn *done, void *arg)
{
	struct resolution *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	*r = (struct resolution){ .port = port, .done = done, .arg = arg };
	r->soon = evtimer_new(resolver->base, on_soon, r);
	if (!r->soon) {
		free(r);
		return NULL;
	}
	if (net_parse(host, port, &r->addr) == 0) {
		answer_soon(r);
		return r;
	}
	r->addr.len = 0;
	ask(resolver, r, host);
	return r;
}

void resolver_cancel(struct resolution **resolutionp)
{
	struct resolution *r = *resolutionp;

	if (!r)
		return;
	*resolutionp = NULL;
	r->cancelled = true;
	if (r->request)
		evdns_getaddrinfo_cancel(r->request); /* calls back, which frees r */
	else
		finish(r);
}
