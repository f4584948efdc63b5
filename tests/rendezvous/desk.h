/* desk.h - a supervisor of crs without processes, for tests of what it answers: the real
 * accounts, administrators, queries and control socket in a folder of the test's own, and two
 * workers whose ends the test holds.
 *
 * Linked before rendezvous/libcrs.a and base/libbase.a with -z muldefs: desk.c has
 * process_spawn() and the little of redis_server.h that is asked without a Redis.
 */
#ifndef TESTS_RENDEZVOUS_DESK_H
#define TESTS_RENDEZVOUS_DESK_H

#include "base/slice.h"
#include "rendezvous/supervisor_priv.h"

enum { DESK_WORKERS = 2, DESK_HEARD = 1 << 18 };

struct desk {
	char place[64]; /* the folder; removed by desk_close() */
	struct supervisor_options options;
	struct supervisor supervisor;
	int ends[DESK_WORKERS]; /* of the workers; -1: hung up */
};

/* Opens the desk in the folder place, which is made and removed with it; NULL: one in /tmp.
 * One at a time in a process.  Aborts when the machine does not let it. */
void desk_open(struct desk *desk, const char *place);
void desk_close(struct desk *desk);

/* Lets everything happen that can happen now. */
void desk_turn(struct desk *desk);

/* A worker says something. */
void desk_say(struct desk *desk, unsigned worker, const CrsWorker__Control *message);
/* The same with octets of any kind. */
void desk_say_octets(struct desk *desk, unsigned worker, struct slice octets);

/* What the worker was told next, NULL when that was all; freed by PACK_FREE(). */
CrsWorker__Control *desk_hear(struct desk *desk, unsigned worker);
/* The next message of that kind; what comes before it is dropped. */
CrsWorker__Control *desk_hear_kind(struct desk *desk, unsigned worker,
				   CrsWorker__Control__BodyCase kind);

/* The worker is gone, as if it had died. */
void desk_hang_up(struct desk *desk, unsigned worker);

/* A connection to the control socket, non-blocking.  The caller closes it. */
int desk_connect(struct desk *desk);

/* Sends a request on it; body NULL: a GET.  target as in a request line. */
void desk_ask(struct desk *desk, int fd, const char *target, const char *body);

/* The answer's status, with its JSON in *json_out (NULL where it is none; owned by the
 * caller; json_out may be NULL), or 0: there is none yet. */
unsigned desk_answer(struct desk *desk, int fd, json_t **json_out);

/* All workers answer the last question, and have nothing to say. */
void desk_settle(struct desk *desk);

/* A request that needs no rows of workers: connects, asks, lets them settle, and returns the
 * status. */
unsigned desk_get(struct desk *desk, const char *target, const char *body, json_t **json_out);

#endif
