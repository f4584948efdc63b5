/* call_sides.h - the SIP agent, the media relay, the resolver and the secure side as a test
 * plays them: they count what they are told, and answer when the test says so.
 */
#ifndef TESTS_GATEWAY_CALL_SIDES_H
#define TESTS_GATEWAY_CALL_SIDES_H

#include "tests/unit.h"

#include "gateway/call_trace.h"
#include "gateway/calls.h"
#include "gateway/resolver.h"
#include "tests/gateway/played_pbxs.h"

struct sip_link {
	bool ready;
	uint64_t last_call;
	unsigned reoffers, digits, invites, rings, answers, rejects, hangups, orphans;
	unsigned code; /* of the last reject */
	unsigned change_answers, change_rejects;
	char invited[128]; /* the Request-URI of the last INVITE */
};

struct relay_link {
	bool up, loaded;
	unsigned closes;
	bool secure_set, held;
	unsigned plain_sets, plain_port; /* how often the PBX's side was set, and the last port */
	unsigned to_pbx;                 /* digits */
	char digits[32];                 /* towards the secure side, once that is set */
};

struct resolution {
	struct resolver *of;
	resolver_fn *done;
	void *arg;
};

struct resolver {
	struct resolution *waiting;
};

struct umsg_client {
	enum umsg_state state;
	struct calls *calls;
	struct umsg_call *call;
	int invite_fails, answer_fails, lookup_fails;
	int domain; /* what is known of the callee's */
	unsigned lookups;
	bool ends_when_rung; /* the link breaks while the ringing is sent */
	/* Of a call that comes from there; NULL: tel:+46701 calls extension 101. */
	const char *caller, *extension;
};

struct umsg_call {
	struct umsg_client *client;
	void *arg;
	bool ended, held, early;
	char digit;
	struct umsg_call_end end;
	struct umsg_media media;
};

/* Somebody traces all calls; an event that was told without its text fails the test. */
struct call_trace {
	char secure[256];  /* the last event of the secure side */
	char refused[256]; /* the last refusal: "rejected code=404: why" */
};

/* The secure leg ends, as the other party or the rendezvous may have it at any time. */
void sides_end_secure(struct umsg_call *call, Umsg__EndReason reason);

#endif
