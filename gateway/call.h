/* call.h - one call through the gateway, from its first message to its last. */
#ifndef GATEWAY_CALL_H
#define GATEWAY_CALL_H

#include "gateway/call_phase.h"
#include "gateway/calls.h"
#include "gateway/media_leg.h"
#include "gateway/pbx_leg.h"
#include "gateway/pbxs.h"
#include "maps/route.h"

struct event;
struct resolution;

enum {
	CALL_LINGER_MS = 3000,  /* an ended call stays in the lists for so long */
	CALL_ORPHAN_MS = 32000, /* and for so long while it waits for another cig-sip */
	CALL_MAX_REDIRECTS = 3, /* 3xx that one call follows */
	CALL_EARLY_DIGITS = 16, /* that wait for the secure leg */
};

/* The last thing that happened (CIG manual 2.9, "show call"). */
enum call_word {
	CALL_WORD_ROUTED,
	CALL_WORD_TRY,
	CALL_WORD_RING,
	CALL_WORD_REJECT,
	CALL_WORD_ANSWER,
	CALL_WORD_HANGUP,
};

/* Digits so far, and when the log may tell of the next one. */
struct call_digits {
	unsigned n;
	int64_t next_ms;
};

struct call {
	struct idmap_node by_number; /* ours, and cig-relay's */
	struct idmap_node by_sip;    /* cig-sip's, once it has one */
	struct call *next, **link;
	struct calls *calls;
	const struct cig_config *config; /* held: a reload does not touch a call */
	uint64_t number;
	enum route_interface in;
	enum call_phase phase;                      /* how far it is: what it waits for */
	enum phase_event posted[PHASE_EVENT_COUNT]; /* the one being taken first */
	unsigned n_posted;
	enum call_word word;
	char *in_from, *in_to, *out_from, *out_to; /* out_to: NULL until it is routed */
	struct sip_target target;                  /* of a call towards the PBX */
	struct net_addr target_addr; /* of the PBX: where it is called, or calls from */
	bool target_known;
	struct pbx_search *search;         /* for the PBX's addresses */
	bool asking;                       /* for the domain of a secure callee */
	struct pbx_way ways[PBX_WAYS_MAX]; /* what it found */
	unsigned redirects;                /* followed so far */
	size_t n_ways, way;                /* the one being tried */
	struct resolution *resolution;     /* of the media relay's name */
	struct pbx_leg pbx;
	bool in_sip_map;
	bool orphaned;                     /* its child died: the next one sends BYE */
	struct umsg_call *secure;          /* NULL: not begun, or ended */
	char secure_id[32];                /* of the session, base64; "" before there is one */
	char secure_word[8];               /* its last state word */
	bool media_open;                   /* cig-relay has the call */
	bool joined;                       /* media is being, or was, joined */
	bool secure_held;                  /* the secure side holds */
	bool secure_set;                   /* and where its secure leg goes */
	char early[CALL_EARLY_DIGITS + 1]; /* digits by INFO that came before that */
	struct event *limit;               /* of the phase */
	struct call *gone_next;            /* calls_linger() */
	struct call **gone_link;           /* NULL: not gone yet */
	int64_t linger_ms;                 /* until then */
	int64_t begun_ms, up_ms, ended_ms; /* 0: not yet */
	Umsg__EndReason reason;
	unsigned sip_code;   /* of a refusal; 0: as the reason has it */
	char why[160];       /* the end in words, for the record; "" where the reason is all */
	Relay__Stats *stats; /* the last figures that cig-relay told, or NULL */
	bool stats_asked;    /* newer ones are on their way */
	struct call_digits digits, digits_lost; /* the second: those that did not get further */
};

/* A call that has come in on one side.  Returns NULL when memory is out. */
struct call *call_new(struct calls *calls, enum route_interface in, const char *from,
		      const char *to);
void call_free(struct call **callp);

/* The secure leg of a call that came from the secure side, or its own invitation's. */
void call_take_secure(struct call *call, struct umsg_call *secure);

/* Routes it and starts opening media.  On refusal the call is ended already. */
void call_start(struct call *call);

/* What happened on the SIP side. */
void call_sip_event(struct call *call, const SipAgent__FromAgent *event);
/* cig-sip died: the call ends; its dialog is ended by the next agent (calls_sip_ready()). */
void call_sip_lost(struct call *call);

/* On the relay's. */
void call_relay_event(struct call *call, const Relay__Event *event);
/* cig-relay died: a call with media ends. */
void call_relay_lost(struct call *call);

/* On the secure side. */
void call_secure_event(struct call *call, enum umsg_call_event event);

/* The callee's domain was looked up; of no concern to a call that does not wait for that. */
void call_looked_up(struct call *call, const char *uri);

/* Ends the call on both sides; harmless when it is ending. */
void call_end(struct call *call, Umsg__EndReason reason, const char *why);

/* "ROUTED", "TRY", ... */
const char *call_word_name(enum call_word word);

#endif
