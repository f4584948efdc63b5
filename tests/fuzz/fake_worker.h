/* fake_worker.h - a whole worker of crs in memory, for fuzz targets: the real holder and
 * home, around them a store, a relay and a mesh that answer when the target says so.
 *
 * Linked before rendezvous/libcrs.a, whose worker.c, store.c, relay_client.c and
 * updates.c are then left out: a function that worker.h, store.h or relay_client.h gets
 * and the holder or home call has to be here, too.  Without it the linker takes the real
 * file as well (-z muldefs: what is here goes first), and the real function would work on
 * a structure that is not its own.
 */
#ifndef TESTS_FUZZ_FAKE_WORKER_H
#define TESTS_FUZZ_FAKE_WORKER_H

#include "rendezvous/client_policy.h"
#include "rendezvous/holder_priv.h"
#include "rendezvous/home_priv.h"
#include "rendezvous/passing.h"
#include "rendezvous/relay/requests.h"
#include "rendezvous/relay_client.h"
#include "rendezvous/roster.h"
#include "rendezvous/store.h"

struct event_base;

enum { FAKE_QUEUE = 4096, FAKE_ITEMS = 64 };

/* Something that will happen when the worker's loop turns. */
struct fake_event {
	struct fake_event *next;
	CrsWorker__Peer *peer; /* a message between workers, or NULL */
	uint8_t *passed;       /* or a frame that goes from one to the other, or NULL */
	size_t passed_n;
	uint64_t ticket; /* or a floor that is durable now, or 0 */
	/* or an answer of the store */
	store_item_fn *item; /* reading */
	store_done_fn *done;
	void *arg;
	int err;
	uint64_t number; /* of the new item; or: behind this one */
	uint32_t count;
	char *uri;
	/* or of the relay */
	relay_answer_fn *answer;
	uint8_t key[RELAY_KEY_MAX], reply[8192];
	size_t key_n, reply_n;
};

struct fake_item {
	char *uri, *sender, *account;
	uint8_t id[MAIL_ID_SIZE], *post;
	size_t post_n;
	struct store_item item;
};

struct worker {
	struct event_base *base;
	CrsWorker__Setup setup;
	struct roster *roster;
	struct client_policy *policy;
	struct home *home;
	struct holder *holder;
	struct fake_event *first, **last;
	size_t queued;
	struct relay_table *relay_table;
	bool store_up, relay_up, supervisor_up;
	CrsWorker__Control *told; /* what the supervisor was told last, or NULL */
	int store_err;            /* of the next command */
	int floor_err;            /* of each floor: home_floor_done() */
	unsigned part_reads;      /* pages of parts that were asked for */
	uint64_t counted;         /* what it was given to count, together */
	unsigned counts_until; /* it has no memory for one more: 0, or how many counts it takes */
	const char *kept;      /* the value in each hash, of tel:+1; NULL: there is none */
	struct fake_item items[FAKE_ITEMS];
	size_t n_items;
	uint64_t number;
};

/* Aborts when memory is out, as all of these; what stands in for worker.h, store.h and
 * relay_client.h returns what they say. */
struct worker *fake_worker_new(void);
void fake_worker_free(struct worker **workerp);

/* A connection that has authenticated as uri and said its WebSocket's hello. */
struct client *fake_worker_client(struct worker *worker, const char *uri, const char *account,
				  uint32_t generation);

/* The first so many things that are queued happen. */
void fake_worker_turn(struct worker *worker, unsigned events);

/* All of them, and what they cause. */
void fake_worker_run(struct worker *worker);

/* Everybody leaves, and so much time passes that nothing may be left of any call. */
void fake_worker_leave(struct worker *worker);

void fake_worker_store(struct worker *worker, bool up);
void fake_worker_relay(struct worker *worker, bool up);

/* --- for fake_store.c and fake_relay.c --- */

/* As text; NULL when memory is out.  The caller owns it. */
char *fake_worker_copy(struct slice s);

/* Something that will happen after all else; NULL when memory is out. */
struct fake_event *fake_worker_add_event(struct worker *worker);

/* An event of reading happens: its items, then its end. */
void fake_store_read(struct worker *worker, struct fake_event *event);

/* Forgets what was stored. */
void fake_store_free(struct worker *worker);

#endif
