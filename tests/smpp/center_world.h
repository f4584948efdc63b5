/* center_world.h - a message center on loopback (fake_center.h), its client, and what that told.
 *
 * Include tests/unit.h before it: what must not happen fails the test.
 */
#ifndef TESTS_SMPP_CENTER_WORLD_H
#define TESTS_SMPP_CENTER_WORLD_H

#include <event2/event.h>

#include "base/clock.h"
#include "smpp/center.h"
#include "smpp/note.h"
#include "tests/smpp/fake_center.h"

struct world {
	struct event_base *base;
	struct fake_center *fake;
	uint16_t port;
	struct smpp_center *center;
	char log[20000]; /* events as words */
	char note[SMPP_NOTE_SIZE];
	char why[SMPP_WHY_SIZE];
	struct smpp_handle handle;
	struct smpp_incoming incoming;
	char content[400];
	unsigned n_taken, n_ready, n_incoming, n_receipts;
	bool up, refuses; /* refuses: incoming texts get ESME_RX_T_APPN */
};

/* Runs the loop until ok holds, at most ten seconds. */
#define RUN_UNTIL(w, ok)                                                                           \
	for (int64_t end_ = clock_mono_ms() + 10000; !(ok);) {                                     \
		struct timeval tick_ = { 0, 20000 };                                               \
		assert_true(clock_mono_ms() < end_);                                               \
		event_base_loopexit((w)->base, &tick_);                                            \
		event_base_loop((w)->base, EVLOOP_ONCE);                                           \
	}

/* Options of a center that is the fake one. */
struct smpp_center_options world_usual(const struct world *w);

/* Makes the client; it has not connected yet. */
void world_start(struct world *w, const struct smpp_center_options *o);

/* Makes the world with its fake center, for cmocka; the client is for the test to start. */
int set_up(void **state);

/* Frees all of it. */
int tear_down(void **state);

/* Submits a text that went so far before (note, or ""); returns what smpp_center_submit() does. */
int world_submit_noted(struct world *w, const char *key, const char *text, const char *note);

/* Submits a new text under a key of four letters. */
int world_submit(struct world *w, const char *key, const char *text);

/* Starts the client and waits until it is bound. */
void world_bound(struct world *w, const struct smpp_center_options *o);

#endif
