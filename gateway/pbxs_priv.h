/* pbxs_priv.h - what pbxs.c, pbx_probe.c and pbx_search.c share. */
#ifndef GATEWAY_PBXS_PRIV_H
#define GATEWAY_PBXS_PRIV_H

#include "gateway/pbxs.h"

struct resolution;

/* One pbx block. */
struct pbx {
	struct pbxs *pbxs;
	struct pbx *next;
	const struct cig_pbx *config; /* of pbxs->config */
	struct pbx_peers peers;
	struct pbx_peers found; /* being collected */
	size_t asked;           /* the server whose name is being resolved */
	struct resolution *resolution;
	struct pbx_search *waiting;
	char why[256]; /* of the last name that did not resolve */
	struct event *timer;
	struct pbx_registration *registration; /* NULL: none is wanted */
	/* Of a block that a reload has taken out, while its registration is given up: what holds
	 * its config; NULL: it is in force. */
	const struct cig_config *departing;
};

enum { PBXS_LEAVE_MS = 2000 }; /* for a registrar's answer to the end of a registration */

struct pbxs {
	struct event_base *base;
	struct resolver *resolver;
	struct sip_link *sip;
	const struct cig_config *config;
	struct pbx *first;
	struct pbx *departing;
	uint64_t last_probe;
	struct event *leaving; /* the limit of pbxs_leave() */
	unsigned n_leaving;    /* registrations that it gives up still */
	void (*left)(void *arg);
	void *left_arg;
};

/* A call that waits for its addresses. */
struct pbx_search {
	struct pbxs *pbxs;
	struct pbx_search *next, **link; /* in pbx->waiting */
	struct sip_target target;
	struct resolution *resolution;
	struct event *soon;
	pbx_search_fn *done;
	void *arg;
};

/* SIP is served on one address, so a PBX is reached by that one's family only: of a name with
 * addresses of both, the others are left out. */
bool pbxs_reach(const struct pbxs *pbxs, const struct net_addr *addr);
#define PBX_OTHER_FAMILY "no address of the family of interfaces { sip { bind } }"

/* "udp", "tcp", "tls". */
const char *pbx_transport_name(enum sip_transport transport);

/* Asks each address by OPTIONS, where the block says so. */
void pbx_probe_all(struct pbx *pbx);

/* Answers the searches that wait for the block's addresses; there are none: drop is true. */
void pbx_answer_waiting(struct pbx *pbx, bool drop);

/* ---- pbx_register.c ---- */

/* Registers, where the block says so; the same registration of a former block is taken over
 * as it stands, one that is changed begins when that is given up.  Returns 0 or -1: memory is
 * out. */
int pbx_register_start(struct pbx *pbx, struct pbx *before);
/* The SIP agent is a new one: nobody answers what was under way. */
void pbx_register_again(struct pbx *pbx);
/* Forgets the registration; what the PBX holds runs out by itself. */
void pbx_register_stop(struct pbx *pbx);
/* Gives up a binding that holds, or (unsure) that was just asked for; pbxs_register_left()
 * follows if the registrar answers.  False: there is none. */
bool pbx_register_leave(struct pbx *pbx, bool unsure);
/* pbxs.c: one of those is over. */
void pbxs_register_left(struct pbx *pbx);
/* An answer of some registrar; one to a registration that is over is dropped. */
void pbx_registered(struct pbxs *pbxs, const SipAgent__Registered *registered);
/* {"aor", "state", "code"}, or null. */
json_t *pbx_register_report(const struct pbx *pbx);

#endif
