/* notifier.h - runs the administrator's script at every event of the system.
 *
 *	SCRIPT UNIT EVENT
 *
 * One at a time and in order, from a bounded queue, so that a script that hangs holds
 * up nothing: it is ended after a limit, with all that it started.  It gets
 * two words, PATH, and nothing else of ours.  Source: CRS manual 7; CIG manual,
 * Installation.
 *
 * Threads: one event loop.
 */
#ifndef BASE_NOTIFIER_H
#define BASE_NOTIFIER_H

struct event_base;
struct notifier;

enum {
	NOTIFIER_QUEUE = 100,          /* events that wait; of more, only their number is told */
	NOTIFIER_LIMIT_MS = 60 * 1000, /* of a run, unless given */
	NOTIFIER_TEXT = 512,           /* octets of an event; longer ones are cut */
};

/* A script that is not there is no fault: events are then in the log alone.  script is
 * copied; limit_ms 0: NOTIFIER_LIMIT_MS.  Returns NULL when memory is out. */
struct notifier *notifier_new(struct event_base *base, const char *script, int limit_ms);

/* Ends a script that runs; what waits is forgotten. */
void notifier_free(struct notifier **notifierp);

/* Tells the log (as INIT or WARN, with unit as the module) and the script.  notifier may be NULL:
 * the log alone. */
void notifier_init(struct notifier *notifier, const char *unit, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for what an administrator should look into. */
void notifier_warn(struct notifier *notifier, const char *unit, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Runs the loop until every event that waits was told, for a while at most: a program
 * that ends tells that it does. */
void notifier_finish(struct notifier *notifier, int limit_ms);

#endif
