/* calls_priv.h - the table of calls, for the files of calls and of a call. */
#ifndef GATEWAY_CALLS_PRIV_H
#define GATEWAY_CALLS_PRIV_H

#include "gateway/calls.h"
#include "gateway/pbx_door.h"

struct calls {
	struct calls_world world;
	const struct cig_config *config; /* of new calls */
	struct call *first;
	/* What is gone, in the order of its end, until `reaper` takes it out of the lists. */
	struct call *gone, **gone_end;
	struct event *reaper;
	struct idmap by_number, by_sip;
	uint64_t last_number;
	unsigned active; /* calls that are not gone */
	/* Who waits for the media figures of so many calls; NULL: nobody. */
	void (*media_told)(void *arg);
	void *media_arg;
	unsigned media_awaited;
};

/* The call's figures are there, or will never be. */
void calls_media_told(struct calls *calls, struct call *call);

/* Gives the call its number and a place in the table. */
void calls_link(struct calls *calls, struct call *call);
/* A call that is gone stays listed for CALL_LINGER_MS, and some time more where others go with
 * it then; one whose dialog is orphaned as long as CALL_ORPHAN_MS. */
void calls_linger(struct calls *calls, struct call *call);
/* Takes it out of all tables; whoever waited for its figures gets what there is. */
void calls_unlink(struct calls *calls, struct call *call);

/* Makes call->pbx.number findable, and forgets it (the leg has ended). */
void calls_know_sip(struct calls *calls, struct call *call);
/* A call that is not there by its leg stays as it is. */
void calls_forget_sip(struct calls *calls, struct call *call);

/* ---- calls_in.c: a call of a PBX, before it is one ---- */

/* An INVITE of the PBX: a call, or a refusal that says why. */
void calls_take_incoming(struct calls *calls, const SipAgent__Incoming *incoming);

#endif
