/* stage.h - a domain, a small rendezvous on a real socket, and parties with clients:
 * what the tests of the client need.
 *
 * The rendezvous keeps what it must (who is registered, messages until they are taken)
 * and decides nothing; a test may look at every frame, and bend it, on its way through.
 */
#ifndef TESTS_UMSG_STAGE_H
#define TESTS_UMSG_STAGE_H

#include "tests/unit.h"

#include <event2/event.h>

#include "keys/account.h"
#include "keys/keystore.h"
#include "keys/replay.h"
#include "tests/keys/party.h"
#include "tests/umsg/loop.h"
#include "umsg/client.h"
#include "umsg/frame.h"
#include "umsg/link.h"
#include "umsg/seen.h"

enum {
	STAGE_PARTIES = 4,
	STAGE_CONNECTIONS = 32,
	STAGE_STORE = 32,
	STAGE_PAGE = 10,
	STAGE_PARTS = 2
};

struct stage;

/* A device: what it was told is counted and kept. */
struct party {
	uint64_t letter_created; /* its months are of revision 1, and of this time */
	struct stage *stage;
	const char *uri;
	char path[128];
	struct keystore *store;
	struct keyset *keyset;
	struct replay *replay;
	struct umsg_seen *seen;
	struct umsg_client *client;
	/* What it does of itself */
	bool answers, rings, declines, keeps; /* keeps: messages without taking them */
	struct umsg_audio_wish wish;
	/* What it was told */
	enum umsg_state state;
	char text[128];
	struct umsg_call *call;
	unsigned incoming, progress, ringing, answered, ended, digits;
	struct umsg_call_end end;
	char digit, called[UMSG_EXTENSION_SIZE], calling[UMSG_EXTENSION_SIZE];
	struct umsg_media media;
	unsigned messages, receipts, acks, updates;
	char body[256], from[UMSG_URI_SIZE], domain[64];
	size_t attached; /* octets of the message's first attachment */
	uint32_t sum;    /* of them */
	uint8_t id[UMSG_ID_SIZE];
	uint64_t number;
	uint8_t receipt_id[UMSG_ID_SIZE];
	Umsg__ReceiptState receipt;
	char receipt_from[UMSG_URI_SIZE], reason[256];
	Umsg__ErrorCode ack;
	unsigned again_s; /* of that */
	size_t entry_n, shared_n;
	unsigned kept; /* words on what the rendezvous shall keep */
	Umsg__ErrorCode kept_error;
	unsigned looked_up, repins;
	int lookup_err;
	bool insists;                    /* asks again where there was no answer */
	bool moves;                      /* a pin may change */
	enum umsg_update_outcome update; /* of the updates that it gets */
};

struct connection {
	struct stage *stage;
	struct link *link;
	struct account_hello hello;
	bool registered;
};

struct stored {
	char to[UMSG_URI_SIZE];
	uint8_t id[UMSG_ID_SIZE];
	uint8_t *octets; /* the Post's frame; NULL: free */
	size_t n;
	uint64_t number;
	uint8_t *more; /* records behind the first, as far as they came */
	size_t more_n, total;
};

struct stage {
	struct event_base *base;
	struct link_context *links;
	struct realm realm; /* the group's */
	void *built;
	struct account_secret secret;
	char dir[64];
	int64_t month;
	/* The rendezvous */
	int listening;
	struct event *accepting;
	struct net_addr addr;
	struct connection connections[STAGE_CONNECTIONS];
	struct stored store[STAGE_STORE];
	uint64_t number, epoch;
	unsigned bangs, talks, hangups, takens, registers, confirms, update_gets;
	unsigned parts_seen, cut_at_part; /* cut_at_part: then every connection is cut */
	bool deny;
	unsigned refuse;            /* so many registrations are refused for a second */
	unsigned forgets_registers; /* and so many are not answered */
	unsigned forgets_posts;     /* so many posts are lost */
	bool forgets_piece;         /* the next piece of an update is asked for twice ... */
	uint64_t forgotten_piece;   /* ... and this is the first question: 0, or answered late */
	unsigned conflicts;         /* so many pieces of an update are refused ... */
	unsigned conflicts_rest_s;  /* ... for that long; 0: three seconds */
	unsigned lookups;
	bool silent; /* answers none of them */
	bool found;
	struct slice answered_id; /* of a domain */
	uint32_t busy_s;          /* for so long; 0: three seconds */
	bool busy; /* answers posts, invitations, look-ups and client data by an Error ... */
	Umsg__ErrorCode because; /* ... of this code; OK: ERROR_BUSY */
	unsigned client_data;
	char data_name[40], data_value[64]; /* the last one */
	/* May change a frame that is handed on; false: it is lost. */
	bool (*tamper)(struct stage *stage, Umsg__Frame *frame);
	bool always_more;     /* its Fetched never says that nothing is left */
	bool forgets_fetches; /* they get their messages, and no Fetched */
	int fetches;
	Umsg__UpdateName offered; /* month NULL: no update */
	struct slice parts[STAGE_PARTS];
	/* The parties */
	struct party parties[STAGE_PARTIES];
	size_t n_parties;
};

/* Setup and teardown of a group: the domain, which takes its time. */
int stage_build(void **state);
int stage_raze(void **state);

/* Setup and teardown of a test; *state is the stage. */
int stage_set(void **state);
int stage_strike(void **state);

/* A device of uri, with keys of this month and the next, attached. */
struct party *stage_enter(struct stage *stage, const char *uri);
/* The same with a choice of what it proves itself with, and not waited for. */
struct party *stage_enter_with(struct stage *stage, const char *uri,
			       const struct account_secret *secret);

/* The party's client again, after umsg_client_free(); address: instead of the letter's,
 * or NULL. */
void stage_client(struct party *party, const char *address);

/* A connection comes in: what the listening socket's event calls. */
void stage_accept(evutil_socket_t listening, short what, void *arg);

/* Cuts every connection of the rendezvous. */
void stage_cut(struct stage *stage);

/* Sends a frame to every device of uri. */
void stage_send(struct stage *stage, const char *uri, Umsg__Frame *frame);

/* Tells every device of uri that it is registered no more. */
void stage_unregister(struct stage *stage, const char *uri, Umsg__UnregisterReason reason);

/* Seals a text of two lines, "hello," and "world"; the caller clears *sealed. */
void stage_seal_hello(struct party *from, const char *to, struct umsg_sealed *sealed);
/* The same, and posts it. */
void stage_post_hello(struct party *from, const char *to);

/* From now on who registers is offered an update of this month, whose entry and shared part have so
 * many octets (4,500 at most) that are no update: only the way they come can be tested. */
void stage_offer_update(struct stage *stage, size_t entry, size_t shared);

#define STAGE_UNTIL(stage, condition) LOOP_UNTIL((stage)->base, condition)

#endif
