/* scene.h - a real crs (and crs-relay) in a folder of its own, for tests. */
#ifndef TESTS_RENDEZVOUS_SCENE_H
#define TESTS_RENDEZVOUS_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct event_base;
struct link_context;

enum { SCENE_PATIENCE_MS = 20000, SCENE_OUTPUT = 64 * 1024 };

#define SCENE_ACCOUNT "acme"
#define SCENE_SECRET "MDEyMzQ1Njc4OTAxMjM0NQ=="

struct scene {
	struct event_base *base;
	struct link_context *links;
	char root[64];
	uint16_t port;
	pid_t crs, relay, trace;
	pid_t workers[2]; /* scene_note_workers() */
	bool own_clock;   /* scene_set_clock() */
};

/* Makes the folder with its configuration (relay_conf: of crs-relay.conf, may be "")
 * and the account; nothing runs yet.  Every failure ends the test. */
void scene_open(struct scene *scene, const char *relay_conf);
/* Adds lines to crs.conf, before the start. */
void scene_configure(const struct scene *scene, const char *lines);
/* Sets the wall clock of crs ahead, before the start or while it runs; a build without test
 * clock skips the test. */
void scene_set_clock(struct scene *scene, int64_t ahead_ms);
/* Ends everything that runs and removes the folder. */
void scene_close(struct scene *scene);

/* For cmocka: a new scene in *state, open; with a crs that runs; with a relay, too; and its end. */
struct scene *scene_new(void **state);
int scene_only_open(void **state);
int scene_set_up(void **state);
int scene_set_up_with_relay(void **state);
int scene_tear_down(void **state);

/* Starts and waits until all of it is there. */
void scene_start(struct scene *scene);
void scene_start_relay(struct scene *scene);
/* kill -9, and waits for the end. */
void scene_kill(pid_t *pid);
/* SIGTERM; returns the exit status. */
int scene_stop(pid_t *pid);

/* The process of that name in "show system", 0 when it is not there. */
pid_t scene_process(const struct scene *scene, const char *name);

/* Notes the workers of now; tells whether none has died since then. */
void scene_note_workers(struct scene *scene);
bool scene_is_unharmed(const struct scene *scene);

/* Runs a shell's command; output is what it writes to standard output, NUL-terminated and cut
 * where it is longer.  Returns its exit status, or -1 when a signal ended it. */
int scene_shell(const char *command, char output[SCENE_OUTPUT]);

/* Runs crs-cli with these words; output (standard output and error) is
 * NUL-terminated.  Returns its exit status. */
int scene_cli(const struct scene *scene, const char *words, char output[SCENE_OUTPUT]);

/* Repeats a crs-cli command until its output holds text (or, if !wanted, does not). */
bool scene_cli_shows(const struct scene *scene, const char *words, const char *text, bool wanted);

/* Starts a trace into a file and waits until it runs; then what it holds by now. */
void scene_trace(struct scene *scene, const char *elements);
bool scene_traced(const struct scene *scene, const char *text);

/* Lets the event loop run once, for at most 20 ms. */
void scene_run(struct scene *scene);

#endif
