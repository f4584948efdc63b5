#include "tests/fuzz/fake_link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct link_context {
	int nothing; /* a structure has a member */
};

struct link {
	struct link *next;
	const struct link_ops *ops;
	void *arg;
	struct net_addr peer;
	bool closing;
};

/* What link.h has no argument for. */
static struct link *links;
static fake_link_sent_fn *on_sent;
static void *on_sent_arg;
static bool at_once;

void fake_link_on_sent(fake_link_sent_fn *sent, void *arg)
{
	on_sent = sent;
	on_sent_arg = arg;
}

void fake_link_connect_at_once(void)
{
	at_once = true;
}

struct link *fake_link_new(const struct link_ops *ops, void *arg)
{
	struct link *link = calloc(1, sizeof(*link));

	if (!link)
		return NULL;
	link->ops = ops;
	link->arg = arg;
	net_parse("192.0.2.1:4000", 0, &link->peer);
	link->next = links;
	links = link;
	return link;
}

struct link *fake_link_youngest(void)
{
	return links;
}

void fake_link_frame(struct link *link, struct slice octets)
{
	const struct link_event event = { .kind = LINK_FRAME, .octets = octets };

	link->ops->event(link->arg, link, &event);
}

void fake_link_negotiated(struct link *link)
{
	const struct link_event event = { .kind = LINK_NEGOTIATED };

	link->ops->event(link->arg, link, &event);
}

bool fake_link_is_closing(const struct link *link)
{
	return link->closing;
}

void fake_link_end(struct link *link, enum link_reason reason)
{
	const struct link_event event = { .kind = LINK_CLOSED, .reason = reason, .text = "" };

	link->closing = true;
	link->ops->event(link->arg, link, &event);
}

/* ---- umsg/link.h ---- */

int link_context_new(struct event_base *base, const struct link_limits *limits,
		     struct link_context **context_out)
{
	(void)base;
	(void)limits;
	*context_out = calloc(1, sizeof(**context_out));
	return *context_out ? 0 : -ENOMEM;
}

void link_context_bind(struct link_context *context, const struct net_addr *own)
{
	(void)context;
	(void)own;
}

void link_context_free(struct link_context **contextp)
{
	free(*contextp);
	*contextp = NULL;
}

const char *link_reason_name(enum link_reason reason)
{
	(void)reason;
	return "fake";
}

int link_accept(struct link_context *context, int fd, const struct link_ops *ops, void *arg,
		struct link **link_out)
{
	(void)context;
	close(fd);
	*link_out = fake_link_new(ops, arg);
	return *link_out ? 0 : -ENOMEM;
}

int link_connect(struct link_context *context, const struct net_addr *addr,
		 const struct link_login *login, const struct link_ops *ops, void *arg,
		 struct link **link_out)
{
	(void)context;
	(void)addr;
	(void)login;
	*link_out = fake_link_new(ops, arg);
	if (*link_out && at_once)
		fake_link_negotiated(*link_out);
	return *link_out ? 0 : -ENOMEM;
}

void link_free(struct link **linkp)
{
	struct link **at = &links;

	if (!*linkp)
		return;
	while (*at != *linkp)
		at = &(*at)->next;
	*at = (*linkp)->next;
	free(*linkp);
	*linkp = NULL;
}

void link_finish(struct link **linkp, unsigned code)
{
	(void)code;
	link_free(linkp);
}

int link_send(struct link *link, struct slice message)
{
	if (link->closing)
		return -ENOTCONN;
	if (message.n > LINK_MESSAGE_MAX)
		return -EMSGSIZE;
	if (on_sent)
		on_sent(on_sent_arg, link, message);
	return 0;
}

size_t link_queued(const struct link *link)
{
	(void)link;
	return 0;
}

void link_pause(struct link *link, bool paused)
{
	(void)link;
	(void)paused;
}

int link_ping(struct link *link)
{
	(void)link;
	return 0;
}

void link_set_priority(struct link *link, int priority)
{
	(void)link;
	(void)priority;
}

void link_set_keep_alive(struct link *link, enum link_keep_alive method, unsigned interval_ms,
			 unsigned grace_ms)
{
	(void)link;
	(void)method;
	(void)interval_ms;
	(void)grace_ms;
}

void link_close(struct link *link, unsigned code)
{
	(void)code;
	link->closing = true;
}

const struct net_addr *link_peer(const struct link *link)
{
	return &link->peer;
}

void link_stats(const struct link *link, struct link_stats *stats_out)
{
	(void)link;
	memset(stats_out, 0, sizeof(*stats_out));
}

const char *link_cipher(const struct link *link)
{
	(void)link;
	return "";
}
