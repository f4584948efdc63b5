/* heartbeat.h - does a child still turn its event loop?  A process that computes without end, or
 * that a system call never returns to, does not die: only its silence tells.
 *
 * The child is asked one question at a time; whatever it says is a sign of life, and as good as its
 * answer: that may stand behind much else that it had to say, or be lost, as a channel that is full
 * takes nothing more.  One that is silent for the limit is told to abort, which leaves a core where
 * the system takes one, and is killed a moment later.
 *
 * What is counted is not time but looks, one in HEARTBEAT_LOOK_MS.  A supervisor that stood still
 * itself (stopped, suspended with the machine, or held up by its disk) has not looked meanwhile,
 * so it blames nobody for a silence of its own.
 *
 * The limit has to be well above the longest time for which a worker in good health keeps its
 * loop from turning.  That is a reload, as accounts, floors and updates are read in one go: three
 * seconds for a million users on a machine that has other work.  Workers sync no file themselves,
 * and of a crowd of new clients they serve a few in a turn, behind everything else
 * (WORKER_NEW_PER_TURN).  One that starts reads the same from a cold disk, beside all others: it
 * has HEARTBEAT_START_TIMES the limit.
 *
 * A line for the log may have to wait for a disk that stalls.  No signal ends that wait, so ending
 * the child would only have it die in the moment in which it could go on: its silence is excused
 * for HEARTBEAT_WAIT_TIMES the limit.
 *
 * Pure: no process is touched, and no clock is read.
 */
#ifndef RENDEZVOUS_HEARTBEAT_H
#define RENDEZVOUS_HEARTBEAT_H

#include <stdbool.h>

enum {
	HEARTBEAT_LOOK_MS = 1000,
	HEARTBEAT_LIMIT = 30,       /* looks; where nothing is configured */
	HEARTBEAT_START_TIMES = 10, /* the limit of a child that is not ready yet */
	HEARTBEAT_WAIT_TIMES = 10,  /* the limit of a wait for a disk */
	HEARTBEAT_ABORT_PART = 6,   /* of the limit, for the core: then it is killed */
};

enum heartbeat_act {
	HEARTBEAT_NOTHING,
	HEARTBEAT_ASK,   /* send it a question */
	HEARTBEAT_ABORT, /* SIGABRT, and a line in the log: said once */
	HEARTBEAT_KILL,  /* SIGKILL: said once */
};

/* All zero: a child that was just started. */
struct heartbeat {
	unsigned silent; /* looks since it said something */
	unsigned waited; /* looks at which that was excused */
	bool asked;      /* and has said nothing since */
	bool aborted, killed;
};

/* A child was started. */
void heartbeat_start(struct heartbeat *beat);

/* It said something, whatever it is. */
void heartbeat_heard(struct heartbeat *beat);

/* The question of HEARTBEAT_ASK could not be sent: it is asked at the next look.  Its silence is
 * counted all the same, for it may be why. */
void heartbeat_not_asked(struct heartbeat *beat);

/* To be asked instead of heartbeat_look() where the child waits for a disk: true, nothing is to be
 * done, and this look does not count; or false, it has waited for too long, or was told to abort.
 */
bool heartbeat_excuses(struct heartbeat *beat, unsigned limit);

/* Looks, every HEARTBEAT_LOOK_MS: what is to be done to the child?  limit in looks; 0: nothing
 * ever, as for one that is looked at with a debugger. */
enum heartbeat_act heartbeat_look(struct heartbeat *beat, bool ready, unsigned limit);

#endif
