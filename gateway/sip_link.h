/* sip_link.h - cig-server's end of its child cig-sip.
 *
 * Starts the child, configures it, listens to its heartbeat and starts another
 * one when it dies or leaves SIP_LINK_PINGS pings unanswered.  What the two say to
 * each other is gateway/sip_agent.proto.
 */
#ifndef GATEWAY_SIP_LINK_H
#define GATEWAY_SIP_LINK_H

#include "gateway/cig_config.h"
#include "gateway/sip_agent.pb-c.h"

struct event_base;
struct sip_link;

enum { SIP_LINK_PING_MS = 1000, SIP_LINK_PINGS = 3, SIP_LINK_QUEUE = 4096 };

struct sip_link_ops {
	/* The child is bound and takes calls. */
	void (*ready)(void *arg);
	/* The child cannot work (text: why), or has died; its calls are gone.  Another
	 * one is started. */
	void (*lost)(void *arg, const char *text);
	/* Anything about calls; valid until it returns. */
	void (*event)(void *arg, const SipAgent__FromAgent *event);
};

/* Starts the first child.  config is held.  Returns 0, -ENOENT (cig-sip is not
 * installed), another -errno, or -ENOMEM. */
int sip_link_new(struct event_base *base, const struct cig_config *config,
		 const struct sip_link_ops *ops, void *arg, struct sip_link **link_out);

/* Asks the child to end its calls and waits at most two seconds for it. */
void sip_link_free(struct sip_link **linkp);

/* A new configuration.  Who is trusted, max_calls, udp_max_bytes and messaging change at once;
 * address and port stay until the child is started again. */
void sip_link_set_config(struct sip_link *link, const struct cig_config *config);

/* Is there a child that has bound its port? */
bool sip_link_is_ready(const struct sip_link *link);

/* The address and port that the child bound, "" before it is ready. */
const char *sip_link_address(const struct sip_link *link);

/* A number for a call of ours (even), never used before. */
uint64_t sip_link_next_call(struct sip_link *link);

/* Returns 0, -EPIPE (no child is ready), -ENOBUFS (its queue is full: refuse new
 * calls) or -ENOMEM. */
int sip_link_send(struct sip_link *link, const SipAgent__ToAgent *message);

/* The child's counters as of its last heartbeat, NULL before it. */
const SipAgent__Counters *sip_link_counters(const struct sip_link *link);

#endif
