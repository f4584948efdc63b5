/* played_cca.h - the commands of cca without a rendezvous: a test runs one by its arguments and
 * says what the client tells it; what it answers, and what it tells its user, is kept here.
 *
 * Linked with $(PLAYED_CCA_LDFLAGS), before umsg/libumsg.a: the client, its calls and their
 * sound are played, everything of caller/ but cca_run() is real.
 */
#ifndef TESTS_CALLER_PLAYED_CCA_H
#define TESTS_CALLER_PLAYED_CCA_H

#include "tests/unit.h"

#include <stdbool.h>
#include <stdio.h>

#include "caller/call_media.h"
#include "caller/cca.h"

enum { PLAYED_LINES = 4096 };

struct umsg_call {
	const char *from, *to, *extension;
	char digit;
	struct umsg_media media;
	struct umsg_call_end end;
	void *arg;
	/* what was asked of it */
	unsigned rings, answers, hangups, holds, digits;
	bool held;
	Umsg__EndReason hangup;
	char signalled[16];                              /* digits */
	enum umsg_audio_codec codecs[UMSG_AUDIO_CODECS]; /* of the answer */
	size_t n_codecs;
	int answer_fails;
};

/* How a call sounds: started and stopped by the command. */
struct call_media {
	unsigned starts, stops;
	bool runs;
	int start_fails, digit_fails;
	size_t play_n; /* of the last start */
	const char *record;
	char digits[16];
	struct call_media_options options;
};

/* The client. */
struct umsg_client {
	/* of calls */
	struct umsg_call *made; /* that umsg_call_invite() gives; NULL: it fails */
	int invite_fails;
	char invited[UMSG_URI_SIZE], extension[UMSG_EXTENSION_SIZE];
	enum umsg_audio_codec codecs[UMSG_AUDIO_CODECS];
	size_t n_codecs;
	bool grouped;
	uint8_t group_id[UMSG_ID_SIZE];
	/* of texts */
	unsigned seals, posts, receipts, taken;
	int post_fails;
	char to[UMSG_URI_SIZE], text[256], called_extension[UMSG_EXTENSION_SIZE];
	Umsg__AutoSubmitted auto_submitted;
	Umsg__ResponderType responder;
	size_t attachments;
	int64_t end_s;
	/* of what is kept */
	unsigned keeps;
	int keep_fails;
	char name[64], type[64], value[64];
};

struct played_cca {
	struct cca cca;
	struct umsg_client client;
	struct call_media media;
	const struct cca_job *job;
	void *arg; /* of the job */
	bool ended;
	unsigned awaits;         /* answers that may not take for ever */
	int status;              /* of cca_end() */
	bool mute;               /* standard output cannot be written */
	char told[PLAYED_LINES]; /* lines "what name=value ..." */
};

typedef int played_command(const struct cca_options *options, int argc, char **argv);
typedef void played_act(struct played_cca *played);

/* Runs command with these arguments (separated by blanks; "'" stands for a blank in one); act
 * plays while it runs.  Returns the exit status.  *played is emptied first, but for what the
 * client, the sound and mute say that fails. */
int played_run(struct played_cca *played, played_command *command, const char *arguments,
	       played_act *act);

/* The act of a command that is not to be run: it fails the test. */
void played_never(struct played_cca *played);

/* ---- what the client says -------------------------------------------------------- */

void played_attached(struct played_cca *played);
void played_incoming(struct played_cca *played, struct umsg_call *call);
void played_call(struct played_cca *played, struct umsg_call *call, enum umsg_call_event event);
/* The call ends, by the other party. */
void played_ended(struct played_cca *played, struct umsg_call *call, Umsg__EndReason reason);

#endif
