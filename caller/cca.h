/* cca.h - the reference caller: what its commands share.
 *
 * A command is a small state machine on one client (umsg/client.h): it waits to
 * be attached, does its work, and ends the loop with an exit status.
 */
#ifndef CALLER_CCA_H
#define CALLER_CCA_H

#include <jansson.h>

#include "keys/key_ring.h"
#include "umsg/client.h"

struct diag;
struct event;
struct event_base;

enum { CCA_OK = 0, CCA_FAILED = 1, CCA_USAGE = 2 };
enum { CCA_NUMBER_MAX = 1000000000 }; /* of any option */

/* Where the caller keeps what it has: DIR/.ks.URI, DIR/calls.replay,
 * DIR/messages.seen. */
struct cca_options {
	const char *store;       /* DIR */
	const char *address;     /* HOST:PORT instead of the key store's, or NULL */
	unsigned long timeout_s; /* to get attached, and of cca_await(); 0: for ever */
	bool json;
	bool secondary; /* one more device of a user who has a primary one */
};

struct cca {
	struct cca_options options;
	struct event_base *base;
	struct curves *curves;
	struct link_context *links;
	struct replay *replay;
	struct umsg_seen *seen;
	struct key_ring *ring;
	struct umsg_client *client;
	char why[160];                /* we are not attached; "" where that is not known */
	struct ring_updater *updater; /* so that no update holds up a call's media */
	struct event *patience;       /* for being attached, or for what is awaited */
	const char *awaited;          /* cca_await(); NULL: nothing */
	const struct cca_job *job;
	void *job_arg;
	int status; /* exit status */
};

/* What a command does; a NULL member ignores the event. */
struct cca_job {
	/* Before and after everything else, with cca->base there.  begin returns 0 or
	 * -errno; finish comes only after a begin. */
	int (*begin)(struct cca *cca, void *arg);
	void (*finish)(struct cca *cca, void *arg);
	void (*attached)(struct cca *cca, void *arg);
	/* To whom attached() will seal something: by then it is known in which domain that URI
	 * is.  Returns a bare URI, or NULL. */
	const char *(*peer)(void *arg);
	void (*incoming)(struct cca *cca, void *arg, struct umsg_call *call);
	void (*call)(struct cca *cca, void *arg, struct umsg_call *call,
		     enum umsg_call_event event);
	void (*message)(struct cca *cca, void *arg, const struct umsg_message *message);
	void (*post_ack)(struct cca *cca, void *arg, const uint8_t id[UMSG_ID_SIZE],
			 Umsg__ErrorCode error, const char *text);
	bool (*receipt)(struct cca *cca, void *arg, const char *from,
			const uint8_t id[UMSG_ID_SIZE], Umsg__ReceiptState state,
			const char *reason);
	void (*kept)(struct cca *cca, void *arg, Umsg__ErrorCode error, const char *text);
	/* Stays attached: the rendezvous is told which system and version it is. */
	bool tells_client_info;
	/* SIGINT or SIGTERM: end what is under way; NULL: cca_end(). */
	void (*stop)(struct cca *cca, void *arg);
};

/* Opens the store, attaches and runs the job until cca_end().  Returns the exit
 * status; what went wrong was told. */
int cca_run(const struct cca_options *options, const struct cca_job *job, void *arg);

/* Ends the command as failed when it has not ended within the timeout: "cca: WHAT within 30 s".
 * what is kept as it is. */
void cca_await(struct cca *cca, const char *what);

/* Ends the loop. */
void cca_end(struct cca *cca, int status);

/* Tells what happened, a line on standard output: "ringing from=tel:+8888", or a
 * JSON object with --json.  Takes details over; may be NULL.  Returns false when this line or one
 * before it could not be written: nobody reads it. */
bool cca_tell(const struct cca *cca, const char *what, json_t *details);

/* Has the rendezvous keep the manual's client info (CRS manual 5.4 "show client-info"): time,
 * system and version.  Nothing is told of its outcome. */
void cca_tell_client_info(struct cca *cca);

/* Reads NUMBER, NUMBER;EXT, NUMBERwEXT, with or without "tel:".  Returns 0 or
 * -EINVAL with diag set. */
int cca_parse_number(const char *text, char uri[UMSG_URI_SIZE], char extension[UMSG_EXTENSION_SIZE],
		     struct diag *diag);

/* The commands; argv[0] is the command's name. */
int cca_enrol(const struct cca_options *options, int argc, char **argv);
/* "cca call NUMBER": calls, plays and records until somebody hangs up. */
int cca_call(const struct cca_options *options, int argc, char **argv);
/* "cca answer": waits for calls and answers them, as many as its options say. */
int cca_answer(const struct cca_options *options, int argc, char **argv);
/* "cca send NUMBER TEXT": seals one text to each device of its receiver and waits until the
 * rendezvous has stored it. */
int cca_send(const struct cca_options *options, int argc, char **argv);
/* "cca keep NAME FILE": a small file that the rendezvous keeps for this user. */
int cca_keep(const struct cca_options *options, int argc, char **argv);
/* "cca listen": shows texts and receipts as they come. */
int cca_listen(const struct cca_options *options, int argc, char **argv);

#endif
