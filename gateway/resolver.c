/* resolver.c - a host's addresses in the order of RFC 3263: numeric, by SRV, or by
 * name. */
#include "gateway/resolver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "gateway/names.h"

struct resolver {
	struct event_base *base;
	struct names *names;
};

/* A host whose addresses are asked for: the name's own, or one of its SRV targets. */
struct target {
	struct resolution *of;
	struct names_question *question;
	uint16_t port, priority, weight;
	struct net_addr addrs[NAMES_MAX];
	size_t n;
};

struct resolution {
	struct resolver *resolver;
	struct event *soon; /* a numeric host is answered after resolver_start() */
	struct names_question *service;
	struct target targets[SRV_MAX];
	size_t n_targets, open; /* of them, unanswered */
	char host[SRV_NAME_SIZE];
	uint16_t port;
	char why[160];
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
	resolver->names = names_new(base);
	if (!resolver->names)
		resolver_free(&resolver);
	return resolver;
}

void resolver_free(struct resolver **resolverp)
{
	if (!*resolverp)
		return;
	names_free(&(*resolverp)->names);
	free(*resolverp);
	*resolverp = NULL;
}

void resolver_set_servers(struct resolver *resolver, const struct net_addr *servers, size_t n)
{
	names_set_servers(resolver->names, servers, n);
}

static void resolution_free(struct resolution *r)
{
	names_drop(&r->service);
	for (size_t i = 0; i < r->n_targets; i++)
		names_drop(&r->targets[i].question);
	if (r->soon)
		event_free(r->soon);
	free(r);
}

/* ---- the answer ---- */

/* The weights of all targets of a priority that have addresses. */
static unsigned weights(const struct resolution *r, uint16_t priority)
{
	unsigned sum = 0;

	for (size_t i = 0; i < r->n_targets; i++)
		if (r->targets[i].n && r->targets[i].priority == priority)
			sum += r->targets[i].weight;
	return sum;
}

/* RFC 2782: a weight of 0 is a very small chance beside others, and as good as any when
 * all are 0. */
static unsigned share_of(const struct resolution *r, const struct target *target)
{
	uint64_t sum = weights(r, target->priority);
	uint64_t share = sum ? RESOLVER_SHARES * target->weight / sum : RESOLVER_SHARES;

	share /= target->n;
	return share ? (unsigned)share : 1;
}

static size_t list_ways(const struct resolution *r, struct resolver_way ways[RESOLVER_MAX])
{
	size_t n = 0;

	/* Targets come sorted by priority (srv.c).  A target with several addresses shares its
	 * weight among them. */
	for (size_t i = 0; i < r->n_targets; i++) {
		const struct target *target = &r->targets[i];

		for (size_t k = 0; k < target->n && n < RESOLVER_MAX; k++) {
			ways[n] = (struct resolver_way){ target->addrs[k], target->priority,
							 share_of(r, target) };
			net_set_port(&ways[n++].addr, target->port);
		}
	}
	return n;
}

static void finish(struct resolution *r)
{
	struct resolver_way ways[RESOLVER_MAX];
	size_t n = list_ways(r, ways);
	int err = n ? 0 : -EHOSTUNREACH;

	if (r->done)
		r->done(r->arg, err, err ? NULL : &ways[0].addr, r->why);
	else
		r->done_list(r->arg, err, ways, n, r->why);
	resolution_free(r);
}

static void on_soon(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	finish(arg);
}

/* From the loop's next turn. */
static int finish_soon(struct resolution *r)
{
	r->soon = evtimer_new(r->resolver->base, on_soon, r);
	if (!r->soon)
		return -ENOMEM;
	event_active(r->soon, EV_TIMEOUT, 0);
	return 0;
}

/* ---- addresses ---- */

static void on_addresses(void *arg, const struct names_answer *answer)
{
	struct target *target = arg;
	struct resolution *r = target->of;

	target->question = NULL;
	target->n = answer->n_addrs;
	for (size_t i = 0; i < answer->n_addrs; i++)
		target->addrs[i] = answer->addrs[i];
	if (answer->err)
		snprintf(r->why, sizeof(r->why), "%s", answer->text);
	if (--r->open == 0)
		finish(r);
}

static struct target *add_target(struct resolution *r)
{
	struct target *target = &r->targets[r->n_targets++];

	*target = (struct target){ .of = r, .port = r->port };
	return target;
}

static int ask_target(struct target *target, const char *host)
{
	target->question =
		names_ask(target->of->resolver->names, NAMES_HOST, host, on_addresses, target);
	if (!target->question)
		return -ENOMEM;
	target->of->open++;
	return 0;
}

/* ---- SRV ---- */

static void ask_all(struct resolution *r, const struct srv_answer *service)
{
	for (size_t i = 0; i < service->n; i++) {
		const struct srv_record *record = &service->records[i];
		struct target *target = add_target(r);

		target->port = record->port;
		target->priority = record->priority;
		target->weight = record->weight;
		if (net_parse(record->host, 0, &target->addrs[0]) == 0)
			continue; /* RFC 2782 wants a name: an address as target is of no use */
		/* Without memory this target stays without addresses; the others may do. */
		ask_target(target, record->host);
	}
}

/* RFC 3263 4.2: without SRV records the host itself is the server.  With some it is not, not
 * even when none of their targets has an address. */
static void on_service(void *arg, const struct names_answer *answer)
{
	struct resolution *r = arg;

	r->service = NULL;
	if (answer->err)
		ask_target(add_target(r), r->host);
	else if (answer->service->refused)
		snprintf(r->why, sizeof(r->why),
			 "its SRV record says that there is no such service");
	else
		ask_all(r, answer->service);
	if (r->open)
		return;
	if (!r->why[0])
		snprintf(r->why, sizeof(r->why), "its SRV records name no host");
	finish(r);
}

/* RFC 3263 4.2 and RFC 3261 19.1.2: service names, and ports where no SRV record gives one. */
static const struct {
	const char *prefix;
	uint16_t port;
} services[] = {
	[SIP_UDP] = { "_sip._udp.", 5060 },
	[SIP_TCP] = { "_sip._tcp.", 5060 },
	[SIP_TLS] = { "_sips._tcp.", 5061 },
};

static int ask_service(struct resolution *r, enum sip_transport transport)
{
	char name[SRV_NAME_SIZE + 16];

	snprintf(name, sizeof(name), "%s%s", services[transport].prefix, r->host);
	r->service = names_ask(r->resolver->names, NAMES_SERVICE, name, on_service, r);
	return r->service ? 0 : -ENOMEM;
}

/* ---- beginning ---- */

static int ask(struct resolution *r, bool by_service, enum sip_transport transport)
{
	struct target *target;
	struct net_addr numeric;

	if (net_parse(r->host, r->port, &numeric) == 0) {
		target = add_target(r);
		target->addrs[0] = numeric;
		target->n = 1;
		return finish_soon(r);
	}
	/* A host in /etc/hosts is meant by its administrator: no SRV record of the same name goes
	 * before it. */
	if (by_service && !names_in_hosts_file(r->resolver->names, r->host))
		return ask_service(r, transport);
	return ask_target(add_target(r), r->host);
}

static struct resolution *begin(struct resolver *resolver, const char *host, uint16_t port)
{
	struct resolution *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->resolver = resolver;
	r->port = port;
	snprintf(r->host, sizeof(r->host), "%s", host);
	return r;
}

static struct resolution *run(struct resolution *r, bool by_service, enum sip_transport transport)
{
	if (r && ask(r, by_service, transport)) {
		resolution_free(r);
		return NULL;
	}
	return r;
}

struct resolution *resolver_start(struct resolver *resolver, const char *host, uint16_t port,
				  resolver_fn *done, void *arg)
{
	struct resolution *r = begin(resolver, host, port);

	if (r) {
		r->done = done;
		r->arg = arg;
	}
	return run(r, false, SIP_UDP);
}

struct resolution *resolver_start_sip(struct resolver *resolver, const char *host, uint16_t port,
				      enum sip_transport transport, resolver_list_fn *done,
				      void *arg)
{
	struct resolution *r = begin(resolver, host, port ? port : services[transport].port);

	if (r) {
		r->done_list = done;
		r->arg = arg;
	}
	/* RFC 3263 4.2: a port that stands in the URI forbids SRV. */
	return run(r, port == 0, transport);
}

void resolver_cancel(struct resolution **resolutionp)
{
	if (*resolutionp)
		resolution_free(*resolutionp);
	*resolutionp = NULL;
}
