/* cca_scene.h - a run of a command of cca with keys that are real and a client that is played: a
 * test says what the client tells it, and sees what the command was told.
 *
 * Linked with -z muldefs before umsg/libumsg.a, with quick_timers.c and fake_clock.c.
 */
#ifndef TESTS_CALLER_CCA_SCENE_H
#define TESTS_CALLER_CCA_SCENE_H

#include "tests/unit.h"

#include <stdbool.h>

#include "caller/cca.h"
#include "tests/keys/world.h"
#include "tests/tools/inside.h"

#define PEER "tel:+4580000001"
/* What a run without --json tells of that. */
#define ATTACHED "attached uri=" WORLD_URI " domain=\"Example & S\xc3\xb8nner\"\n"

/* The client. */
struct umsg_client {
	const struct umsg_client_ops *ops;
	void *arg;
	bool secondary;
	char address[64], kept[256];
	int known, lookup_fails;
	unsigned lookups, frees, updates, applied;
};

struct umsg_call {
	unsigned hangups;
	Umsg__EndReason hangup;
};

struct scene;
typedef void act_fn(struct scene *scene);

/* One run of a command. */
struct scene {
	struct world *world;
	struct cca_options options;
	struct cca_job job;
	struct umsg_client client;
	struct cca *cca;
	act_fn *acts[8]; /* what happens once the client is there, a turn of the loop each */
	size_t n_acts, acted;
	/* what the job was told */
	int begin_fails;
	bool trusts; /* has a domain besides its own */
	unsigned begun, finished, attached, incoming, calls, messages, acks, receipts, kept, stops;
	const char *peer;
	char output[INSIDE_OUTPUT];
};

/* For the group: the world with its store, which is its state. */
int make_world(void **state);

/* For a test: a scene in the world, with a job that counts all that it is told.  A second of its
 * patience is 20 ms (quick_timers.h). */
int set_up(void **state);
int tear_down(void **state);

/* One act more, behind the others. */
void then(struct scene *scene, act_fn *act);

/* Runs the job, with the acts; returns the exit status.  Whatever happens, the job that began is
 * finished, and nothing of the client is left. */
int run(struct scene *scene);

/* Acts: the client is attached; it has no keys of this month; the job is done. */
void attach(struct scene *scene);
void lack_keys(struct scene *scene);
void end_well(struct scene *scene);

#endif
