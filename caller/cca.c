/* cca.c - what all commands of the caller share: keys, client, events told as lines, exit status.
 *
 * A command is a job (cca.h): the client's events come here and are passed on to it.
 */
#include "caller/cca.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/json_text.h"
#include "base/log.h"
#include "base/timer.h"
#include "build-config.h"
#include "keys/curves.h"
#include "keys/identity.h"
#include "keys/replay.h"
#include "umsg/client_ring.h"
#include "umsg/link.h"
#include "umsg/ring_updater.h"
#include "umsg/seen.h"
#include "umsg/text.h"

#define MODULE "cca"

/* Invitations and messages that are remembered, so that none is taken twice. */
enum { REPLAY_ENTRIES = 10000, SEEN_ENTRIES = 100000 };

void cca_await(struct cca *cca, const char *what)
{
	cca->awaited = what;
	if (cca->options.timeout_s)
		timer_arm(cca->patience, (int64_t)cca->options.timeout_s * 1000);
}

void cca_end(struct cca *cca, int status)
{
	cca->status = status;
	event_base_loopbreak(cca->base);
}

static void tell_member(const char *name, const json_t *value)
{
	/* For people and for grep: quoted where a blank would end it, controls as escapes, so
	 * that nobody else's text makes a line of its own. */
	if (json_is_string(value)) {
		const char *text = json_string_value(value);

		printf(strpbrk(text, " \t\"") || !*text ? " %s=\"" : " %s=", name);
		for (; *text; text++)
			if ((unsigned char)*text < 0x20)
				printf("\\x%02x", (unsigned char)*text);
			else
				printf(*text == '"' ? "\\%c" : "%c", *text);
		if (strpbrk(json_string_value(value), " \t\"") || !*json_string_value(value))
			putchar('"');
	} else if (json_is_integer(value)) {
		printf(" %s=%" JSON_INTEGER_FORMAT, name, json_integer_value(value));
	} else if (json_is_real(value)) {
		printf(" %s=%.1f", name, json_real_value(value));
	} else if (json_is_boolean(value)) {
		printf(" %s=%s", name, json_is_true(value) ? "yes" : "no");
	}
}

bool cca_tell(const struct cca *cca, const char *what, json_t *details)
{
	json_t *value;
	const char *name;

	if (cca->options.json) {
		json_t *event = json_pack("{s:s}", "event", what);

		if (details)
			json_object_update(event, details);
		json_show(event, JSON_COMPACT, stdout);
		json_decref(event);
	} else {
		fputs(what, stdout);
		/* In the order in which they were packed: Jansson keeps it. */
		json_object_foreach(details, name, value) tell_member(name, value);
		putchar('\n');
	}
	/* A line is read as it happens, also through a pipe. */
	fflush(stdout);
	json_decref(details);
	return !ferror(stdout);
}

int cca_parse_number(const char *text, char uri[UMSG_URI_SIZE], char extension[UMSG_EXTENSION_SIZE],
		     struct diag *diag)
{
	const char *number = strncmp(text, "tel:", 4) == 0 ? text + 4 : text;
	size_t digits = *number == '+' ? strspn(number + 1, "0123456789") + 1 : 0;
	const char *rest = number + digits;

	/* "+" and 1 to 15 digits (ITU-T E.164). */
	if (digits < 2 || digits > 16 || (*rest && *rest != ';' && *rest != 'w')) {
		diag_error(
			diag, NULL,
			"\"%s\" is no number: expected + and up to 15 digits, then perhaps \";\" "
			"or \"w\" and an extension",
			text);
		return -EINVAL;
	}
	if (*rest && !text_extension_ok(rest + 1)) {
		diag_error(diag, NULL,
			   "\"%s\" is no extension: expected at most %d of 0-9 A-Z a-z * # . _ -",
			   rest + 1, UMSG_EXTENSION_SIZE - 1);
		return -EINVAL;
	}
	snprintf(uri, UMSG_URI_SIZE, "tel:%.*s", (int)digits, number);
	snprintf(extension, UMSG_EXTENSION_SIZE, "%s", *rest ? rest + 1 : "");
	return 0;
}

/* ---- events of the client ---- */

static const char no_answer[] = "no answer to whose keys are the other one's";

static void begin_job(struct cca *cca)
{
	if (cca->awaited == no_answer) {
		cca->awaited = NULL;
		event_del(cca->patience);
	}
	if (cca->job->attached)
		cca->job->attached(cca, cca->job_arg);
}

/* Nobody of our domain: perhaps of one that we trust. */
static bool must_look_up(const struct cca *cca, const char *peer)
{
	return cca->ring->n_trusted > 0 && peer && umsg_client_known(cca->client, peer) == -EAGAIN;
}

static void cannot_look_up(struct cca *cca, const char *uri, int err)
{
	fprintf(stderr, "cca: cannot look %s up: %s\n", uri, strerror(-err));
	cca_end(cca, CCA_FAILED);
}

static void on_attached(struct cca *cca)
{
	const char *peer = cca->job->peer ? cca->job->peer(cca->job_arg) : NULL;
	int err;

	if (!must_look_up(cca, peer)) {
		begin_job(cca);
		return;
	}
	/* The job begins with the answer (on_looked_up), which is awaited once for all questions.
	 */
	err = umsg_client_lookup(cca->client, peer);
	if (err)
		cannot_look_up(cca, peer, err);
	else if (!cca->awaited)
		cca_await(cca, no_answer);
}

/* A URI that nobody has is left to the rendezvous, which says so of calls and messages; without
 * an answer it is asked again, here or when we are attached anew. */
static void on_looked_up(void *arg, const char *uri, const uint8_t *domain_id, int err)
{
	struct cca *cca = arg;

	(void)domain_id;
	if (err == -EKEYREJECTED || err == -EPERM) {
		fprintf(stderr, "cca: %s is of a domain that is not trusted%s\n", uri,
			err == -EPERM ? " for it: it was met in another one before" : "");
		cca_end(cca, CCA_FAILED);
	} else if (err != -EHOSTUNREACH) {
		begin_job(cca);
	} else {
		err = umsg_client_lookup(cca->client, uri);
		if (err && err != -ENOTCONN)
			cannot_look_up(cca, uri, err);
	}
}

static void on_met(void *arg, const char *uri, const uint8_t *domain_id)
{
	struct cca *cca = arg;

	ring_updater_met(cca->updater, uri, domain_id);
}

static void on_state(void *arg, enum umsg_state state, const char *text)
{
	struct cca *cca = arg;

	log_debug(MODULE, "%s %s", umsg_state_name(state), text);
	/* What the last attempt came to stays until the next one has an end, too. */
	if (state == UMSG_UPDATES_ONLY)
		text = "without keys of this month, and no update is there";
	if (*text)
		snprintf(cca->why, sizeof(cca->why), "%s", text);
	switch (state) {
	case UMSG_ATTACHED:
		/* It counts until the first time only: a connection that is lost later is made
		 * again for as long as the command runs. */
		if (!cca->awaited)
			event_del(cca->patience);
		cca_tell(cca, "attached",
			 json_pack("{s:s, s:s}", "uri", keystore_uri(cca->ring->store), "domain",
				   keystore_domain_name(cca->ring->store)));
		if (cca->job->tells_client_info)
			cca_tell_client_info(cca);
		on_attached(cca);
		break;
	case UMSG_DENIED:
	case UMSG_REPLACED:
		cca_tell(cca, state == UMSG_DENIED ? "denied" : "replaced",
			 json_pack("{s:s}", "reason", text));
		cca_end(cca, CCA_FAILED);
		break;
	default:
		break;
	}
}

static void on_incoming(void *arg, struct umsg_call *call)
{
	struct cca *cca = arg;

	if (cca->job->incoming)
		cca->job->incoming(cca, cca->job_arg, call);
	else
		umsg_call_hangup(call, UMSG__END_REASON__END_BUSY);
}

static void on_call(void *arg, struct umsg_call *call, enum umsg_call_event event)
{
	struct cca *cca = arg;

	if (cca->job->call)
		cca->job->call(cca, cca->job_arg, call, event);
}

static void on_message(void *arg, const struct umsg_message *message)
{
	struct cca *cca = arg;

	if (cca->job->message)
		cca->job->message(cca, cca->job_arg, message);
}

static void on_post_ack(void *arg, const uint8_t id[UMSG_ID_SIZE], Umsg__ErrorCode error,
			const char *text, unsigned retry_after_s)
{
	struct cca *cca = arg;

	(void)retry_after_s;
	if (cca->job->post_ack)
		cca->job->post_ack(cca, cca->job_arg, id, error, text);
}

static bool on_receipt(void *arg, const char *from, const uint8_t id[UMSG_ID_SIZE],
		       Umsg__ReceiptState state, const char *reason)
{
	struct cca *cca = arg;

	/* What nobody here waits for is not taken: it comes again in a run that does. */
	return cca->job->receipt && cca->job->receipt(cca, cca->job_arg, from, id, state, reason);
}

static void on_kept(void *arg, Umsg__ErrorCode error, const char *text)
{
	struct cca *cca = arg;

	if (cca->job->kept)
		cca->job->kept(cca, cca->job_arg, error, text);
}

static enum umsg_update_outcome on_update(void *arg, int64_t month, uint32_t revision,
					  struct slice entry, struct slice shared)
{
	struct cca *cca = arg;

	return ring_updater_update(cca->updater, month, revision, entry, shared);
}

static void on_accepted(void *arg, const char *address, const char *identity)
{
	struct cca *cca = arg;

	ring_updater_accepted(cca->updater, address, identity);
}

static const struct umsg_client_ops client_ops = {
	.state = on_state,
	.incoming = on_incoming,
	.call = on_call,
	.message = on_message,
	.post_ack = on_post_ack,
	.receipt = on_receipt,
	.update = on_update,
	.kept = on_kept,
	.accepted = on_accepted,
	.looked_up = on_looked_up,
	.met = on_met,
};

/* ---- life ---- */

static void on_patience_over(evutil_socket_t fd, short what, void *arg)
{
	struct cca *cca = arg;

	(void)fd;
	(void)what;
	if (cca->awaited)
		fprintf(stderr, "cca: %s within %lu s\n", cca->awaited, cca->options.timeout_s);
	else
		fprintf(stderr, "cca: not attached to %s within %lu s%s%s\n",
			cca->client ? umsg_client_address(cca->client) : "the rendezvous",
			cca->options.timeout_s, cca->why[0] ? ": " : "", cca->why);
	cca_end(cca, CCA_FAILED);
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct cca *cca = arg;

	(void)sig;
	(void)what;
	/* In a turn of the loop, not in a signal handler: anything may be called. */
	if (cca->job->stop)
		cca->job->stop(cca, cca->job_arg);
	else
		cca_end(cca, CCA_OK);
}

static int open_keys(struct cca *cca, struct diag *diag)
{
	const char *dir = cca->options.store;
	char path[PATH_MAX];
	int err = keystore_find(dir, path, sizeof(path), diag);

	if (err == -ENOENT)
		diag_error(diag, NULL, "no keys in %s: run \"cca --store %s enrol LETTER\"", dir,
			   dir);
	if (err)
		return err;
	cca->curves = curves_new();
	err = cca->curves ? key_ring_open(cca->curves, path, clock_wall_s(), &cca->ring, diag)
			  : -ENOMEM;
	if (!err) {
		/* Keys of months that are over go before anything uses them. */
		client_ring_expire(&cca->ring, NULL);
		snprintf(path, sizeof(path), "%s/calls.replay", dir);
		err = replay_open(path, REPLAY_ENTRIES, clock_wall_s(), &cca->replay);
	}
	if (!err) {
		snprintf(path, sizeof(path), "%s/messages.seen", dir);
		err = umsg_seen_open(path, SEEN_ENTRIES, clock_wall_s(), &cca->seen);
	}
	if (err && !diag_errors(diag))
		diag_error(diag, NULL, "%s: %s", path, strerror(-err));
	return err;
}

static int start_client(struct cca *cca)
{
	struct umsg_client_options options = {
		.base = cca->base,
		.keys = client_ring_keys(cca->ring),
		.replay = cca->replay,
		.seen = cca->seen,
		.address = cca->options.address,
		.software = "cca " PACKAGE_VERSION,
		.max_calls = 1,
		.secondary = cca->options.secondary,
		.ops = &client_ops,
		.arg = cca,
	};
	int err = link_context_new(cca->base, NULL, &cca->links);

	if (!err)
		err = ring_updater_new(cca->base, &cca->ring, &cca->client, &cca->updater);
	options.links = cca->links;
	return err ? err : umsg_client_new(&options, &cca->client);
}

static void serve(struct cca *cca)
{
	struct event *signals[2] = { evsignal_new(cca->base, SIGINT, on_signal, cca),
				     evsignal_new(cca->base, SIGTERM, on_signal, cca) };

	/* Without memory for them a signal ends the program as it does any other. */
	for (int i = 0; i < 2; i++)
		if (signals[i])
			event_add(signals[i], NULL);
	if (cca->options.timeout_s)
		timer_arm(cca->patience, (int64_t)cca->options.timeout_s * 1000);
	event_base_dispatch(cca->base);
	/* The loop turns once more for what is cleaned up (cca_run()): what has ended well must not
	 * turn out to be late then. */
	event_del(cca->patience);
	for (int i = 0; i < 2; i++)
		if (signals[i])
			event_free(signals[i]);
}

static void clean_up(struct cca *cca)
{
	ring_updater_free(&cca->updater); /* its thread is at the store, with the curves */
	link_context_free(&cca->links);
	umsg_seen_free(&cca->seen);
	replay_free(&cca->replay);
	key_ring_close(&cca->ring);
	curves_free(&cca->curves);
	if (cca->patience)
		event_free(cca->patience);
	if (cca->base)
		event_base_free(cca->base);
}

int cca_run(const struct cca_options *options, const struct cca_job *job, void *arg)
{
	struct cca cca = { .options = *options, .job = job, .job_arg = arg, .status = CCA_FAILED };
	struct diag *diag = diag_new();
	bool begun;
	int err;

	cca.base = event_base_new();
	cca.patience = cca.base ? evtimer_new(cca.base, on_patience_over, &cca) : NULL;
	err = cca.patience ? open_keys(&cca, diag) : -ENOMEM;
	if (!err && job->begin)
		err = job->begin(&cca, arg);
	begun = !err;
	if (!err)
		err = start_client(&cca);
	if (err)
		fprintf(stderr, "cca: %s\n",
			diag_errors(diag) ? diag_first_error(diag) : strerror(-err));
	else
		serve(&cca);
	/* The client first: it uses all that is freed behind it. */
	umsg_client_free(&cca.client);
	if (cca.base) /* base/dns.h: what was being asked for goes with one more turn */
		event_base_loop(cca.base, EVLOOP_NONBLOCK);
	if (begun && job->finish)
		job->finish(&cca, arg);
	clean_up(&cca);
	diag_free(&diag);
	return cca.status;
}
