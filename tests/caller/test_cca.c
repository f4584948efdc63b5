/* What all commands of cca share, with keys that are real and a client that is played: how a run
 * begins, what it tells, and how it ends, whatever the rendezvous does. */
#include "tests/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/diag.h"
#include "caller/cca.h"
#include "tests/fuzz/fake_clock.h"
#include "tests/keys/world.h"
#include "tests/tools/inside.h"
#include "tests/tools/quick_timers.h"

#define PEER "tel:+4580000001"

/* ---- the client ---- */

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

/* The client's and the program's functions have no argument of the test's. */
static struct scene *current;

static void act_next(evutil_socket_t fd, short what, void *arg)
{
	struct scene *scene = arg;

	(void)fd;
	(void)what;
	if (scene->acted == scene->n_acts)
		return;
	scene->acts[scene->acted++](scene);
	event_base_once(scene->cca->base, -1, EV_TIMEOUT, act_next, scene, NULL);
}

int umsg_client_new(const struct umsg_client_options *options, struct umsg_client **client_out)
{
	struct umsg_client *client = &current->client;

	client->ops = options->ops;
	client->arg = options->arg;
	client->secondary = options->secondary;
	snprintf(client->address, sizeof(client->address), "%s",
		 options->address ? options->address : "crs.example.net:5223");
	*client_out = client;
	current->cca = options->arg;
	return event_base_once(options->base, -1, EV_TIMEOUT, act_next, current, NULL);
}

void umsg_client_free(struct umsg_client **clientp)
{
	if (*clientp)
		(*clientp)->frees++;
	*clientp = NULL;
}

const char *umsg_client_address(const struct umsg_client *client)
{
	return client->address;
}

const char *umsg_state_name(enum umsg_state state)
{
	return state == UMSG_ATTACHED ? "CONNECTED" : "DISCONNECTED";
}

int umsg_client_known(const struct umsg_client *client, const char *uri)
{
	return strcmp(uri, PEER) == 0 ? client->known : -EINVAL;
}

int umsg_client_lookup(struct umsg_client *client, const char *uri)
{
	(void)uri;
	client->lookups++;
	return client->lookup_fails;
}

int umsg_client_keep(struct umsg_client *client, const char *name, const char *type,
		     struct slice value)
{
	snprintf(client->kept, sizeof(client->kept), "%s %s %.*s", name, type, (int)value.n,
		 (const char *)value.p);
	return 0;
}

void umsg_client_set_keys(struct umsg_client *client, const struct umsg_keys *keys)
{
	(void)client;
	(void)keys;
}

void umsg_client_update_done(struct umsg_client *client, bool applied)
{
	client->updates++;
	client->applied += applied;
	cca_end(current->cca, CCA_OK);
}

void umsg_call_hangup(struct umsg_call *call, Umsg__EndReason reason)
{
	call->hangups++;
	call->hangup = reason;
}

/* ---- the job ---- */

static int job_begin(struct cca *cca, void *arg)
{
	struct scene *scene = arg;

	scene->begun++;
	/* Of what else is trusted cca.c asks only whether there is any. */
	cca->ring->n_trusted = scene->trusts;
	return scene->begin_fails;
}

static void job_finish(struct cca *cca, void *arg)
{
	cca->ring->n_trusted = 0;
	((struct scene *)arg)->finished++;
}

static void job_attached(struct cca *cca, void *arg)
{
	(void)cca;
	((struct scene *)arg)->attached++;
}

static const char *job_peer(void *arg)
{
	return ((struct scene *)arg)->peer;
}

static void job_incoming(struct cca *cca, void *arg, struct umsg_call *call)
{
	(void)cca;
	(void)call;
	((struct scene *)arg)->incoming++;
}

static void job_call(struct cca *cca, void *arg, struct umsg_call *call, enum umsg_call_event event)
{
	(void)cca;
	(void)call;
	((struct scene *)arg)->calls += event == UMSG_CALL_RINGING;
}

static void job_message(struct cca *cca, void *arg, const struct umsg_message *message)
{
	(void)cca;
	((struct scene *)arg)->messages += strcmp(message->from, PEER) == 0;
}

static void job_post_ack(struct cca *cca, void *arg, const uint8_t id[UMSG_ID_SIZE],
			 Umsg__ErrorCode error, const char *text)
{
	(void)cca;
	((struct scene *)arg)->acks += id[0] == 7 && error == UMSG__ERROR_CODE__ERROR_STORE_FULL &&
				       strcmp(text, "full") == 0;
}

static bool job_receipt(struct cca *cca, void *arg, const char *from,
			const uint8_t id[UMSG_ID_SIZE], Umsg__ReceiptState state,
			const char *reason)
{
	(void)cca;
	((struct scene *)arg)->receipts += id[0] == 7 && strcmp(from, PEER) == 0 &&
					   state == UMSG__RECEIPT_STATE__RECEIPT_FAILED &&
					   strcmp(reason, "no") == 0;
	return true;
}

static void job_kept(struct cca *cca, void *arg, Umsg__ErrorCode error, const char *text)
{
	(void)cca;
	((struct scene *)arg)->kept += error == UMSG__ERROR_CODE__OK && !*text;
}

static void job_stop(struct cca *cca, void *arg)
{
	((struct scene *)arg)->stops++;
	cca_end(cca, CCA_OK);
}

static const struct cca_job whole_job = { .begin = job_begin,
					  .finish = job_finish,
					  .attached = job_attached,
					  .peer = job_peer,
					  .incoming = job_incoming,
					  .call = job_call,
					  .message = job_message,
					  .post_ack = job_post_ack,
					  .receipt = job_receipt,
					  .kept = job_kept,
					  .tells_client_info = true,
					  .stop = job_stop };

/* ---- runs ---- */

/* *state of the group is the world with its store; a test's is a scene in it. */
static int make_world(void **state)
{
	struct letter letter;

	if (world_make(state))
		return -1;
	letter = world_letter(*state, 1);
	return world_enrol(*state, &letter);
}

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	fake_clock_reset();
	quick_timers_reset();
	scene->world = *state;
	/* a second: 20 ms, by quick_timers.h */
	scene->options = (struct cca_options){ .store = scene->world->dir, .timeout_s = 1 };
	scene->job = whole_job;
	current = scene;
	*state = scene;
	return 0;
}

static void remove_kept(const struct scene *scene, const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", scene->world->dir, name);
	remove(path);
}

static int tear_down(void **state)
{
	struct scene *scene = *state;
	struct world *world = scene->world;

	remove_kept(scene, "calls.replay");
	remove_kept(scene, "messages.seen");
	free(scene);
	*state = world;
	return 0;
}

static int cca_run_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return cca_run(&current->options, &current->job, current);
}

static void then(struct scene *scene, act_fn *act)
{
	assert_true(scene->n_acts < COUNT(scene->acts));
	scene->acts[scene->n_acts++] = act;
}

/* Whatever happens, the job that began is finished, and nothing of the client is left. */
static int run(struct scene *scene)
{
	int status = inside_run(cca_run_main, "run", scene->output);

	assert_int_equal(scene->finished, scene->begun && !scene->begin_fails);
	assert_int_equal(scene->client.frees, scene->cca ? 1 : 0);
	assert_int_equal(scene->acted, scene->n_acts);
	return status;
}

static void attach(struct scene *scene)
{
	scene->client.ops->state(scene->client.arg, UMSG_ATTACHED, "");
}

static void end_well(struct scene *scene)
{
	cca_end(scene->cca, CCA_OK);
}

#define ATTACHED "attached uri=" WORLD_URI " domain=\"Example & S\xc3\xb8nner\"\n"

static void who_is_attached_begins(void **state)
{
	struct scene *scene = *state;

	scene->options.secondary = true;
	then(scene, attach);
	then(scene, attach); /* anew, after a connection was lost: the job knows */
	then(scene, end_well);
	assert_int_equal(run(scene), CCA_OK);
	assert_string_equal(scene->output, ATTACHED ATTACHED);
	assert_int_equal(scene->attached, 2);
	assert_true(scene->client.secondary);
	assert_non_null(strstr(scene->client.kept, "client-info application/json {\"time\":"));
	assert_non_null(strstr(scene->client.kept, "\"os\":\"Linux\""));
}

static void without_keys_it_is_told_how_to_get_some(void **state)
{
	struct scene *scene = *state;
	char want[512];

	scene->options.store = "/nowhere";
	assert_int_equal(run(scene), CCA_FAILED);
	snprintf(want, sizeof(want),
		 "cca: no keys in /nowhere: run \"cca --store /nowhere enrol LETTER\"\n");
	assert_string_equal(scene->output, want);
	assert_int_equal(scene->begun, 0);
}

/* Who cannot remember what was shown would show it twice. */
static void what_cannot_be_remembered_is_not_begun(void **state)
{
	static const char *const names[] = { "calls.replay", "messages.seen" };
	struct scene *scene = *state;
	char path[160];

	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", scene->world->dir, names[i]);
		assert_int_equal(mkdir(path, 0700), 0);
		assert_int_equal(run(scene), CCA_FAILED);
		assert_non_null(strstr(scene->output, path));
		assert_non_null(strstr(scene->output, ": "));
		assert_int_equal(scene->begun, 0);
		rmdir(path);
	}
}

static void a_job_that_cannot_begin_needs_no_client(void **state)
{
	struct scene *scene = *state;

	scene->begin_fails = -ENOSPC;
	assert_int_equal(run(scene), CCA_FAILED);
	assert_string_equal(scene->output, "cca: No space left on device\n");
	assert_null(scene->cca);
}

static void be_denied(struct scene *scene)
{
	scene->client.ops->state(scene->client.arg, UMSG_DENIED, "blacklisted");
}

static void be_replaced(struct scene *scene)
{
	scene->client.ops->state(scene->client.arg, UMSG_REPLACED, "another device");
}

static void who_is_not_wanted_ends(void **state)
{
	static const struct {
		act_fn *act;
		const char *told;
	} cases[] = {
		{ be_denied, "denied reason=blacklisted\n" },
		{ be_replaced, "replaced reason=\"another device\"\n" },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		scene->acts[0] = cases[i].act;
		scene->acted = scene->begun = scene->finished = scene->client.frees = 0;
		scene->n_acts = 1;
		assert_int_equal(run(scene), CCA_FAILED);
		assert_string_equal(scene->output, cases[i].told);
	}
}

/* ---- what takes too long ---- */

static void fail_to_connect(struct scene *scene)
{
	scene->client.ops->state(scene->client.arg, UMSG_OFFLINE, "Connection refused");
	/* Trying again says nothing of why. */
	scene->client.ops->state(scene->client.arg, UMSG_CONNECTING, "");
}

static void lack_keys(struct scene *scene)
{
	scene->client.ops->state(scene->client.arg, UMSG_UPDATES_ONLY, "");
}

static void wait_for_an_answer(struct scene *scene)
{
	attach(scene);
	cca_await(scene->cca, "no answer");
	attach(scene); /* that the connection is made anew is no answer */
}

static void patience_ends_with_a_reason(void **state)
{
	static const struct {
		act_fn *act;
		const char *told;
	} cases[] = {
		{ NULL, "cca: not attached to crs.example.net:5223 within 1 s\n" },
		{ fail_to_connect,
		  "cca: not attached to crs.example.net:5223 within 1 s: Connection refused\n" },
		{ lack_keys,
		  "cca: not attached to crs.example.net:5223 within 1 s: without keys of "
		  "this month, and no update is there\n" },
		{ wait_for_an_answer, ATTACHED ATTACHED "cca: no answer within 1 s\n" },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		scene->acts[0] = cases[i].act;
		scene->acted = scene->begun = scene->finished = scene->client.frees = 0;
		scene->n_acts = cases[i].act ? 1 : 0;
		assert_int_equal(run(scene), CCA_FAILED);
		assert_string_equal(scene->output, cases[i].told);
	}
}

static void end_as_patience_does(struct scene *scene)
{
	cca_end(scene->cca, CCA_OK);
	event_active(scene->cca->patience, EV_TIMEOUT, 1); /* due by now */
}

static void what_has_ended_well_is_not_too_late(void **state)
{
	struct scene *scene = *state;

	then(scene, attach);
	then(scene, end_as_patience_does);
	assert_int_equal(run(scene), CCA_OK);
	assert_string_equal(scene->output, ATTACHED);
}

static void terminate(struct scene *scene)
{
	(void)scene;
	raise(SIGTERM);
}

static void interrupt(struct scene *scene)
{
	(void)scene;
	raise(SIGINT);
}

static void a_signal_ends_what_is_under_way(void **state)
{
	struct scene *scene = *state;

	scene->options.timeout_s = 0; /* no patience that could end it instead */
	then(scene, attach);
	then(scene, terminate);
	assert_int_equal(run(scene), CCA_OK);
	assert_int_equal(scene->stops, 1);
	/* What has nothing to end ends at once. */
	scene->job.stop = NULL;
	scene->acts[1] = interrupt;
	scene->acted = scene->begun = scene->finished = scene->client.frees = 0;
	assert_int_equal(run(scene), CCA_OK);
	assert_int_equal(scene->stops, 1);
}

/* ---- other domains ---- */

static void answer_of(struct scene *scene, int err)
{
	scene->client.ops->looked_up(scene->client.arg, PEER, NULL, err);
}

static void be_known(struct scene *scene)
{
	answer_of(scene, 0);
}

static void be_nobody(struct scene *scene)
{
	answer_of(scene, -ENOENT);
}

static void be_untrusted(struct scene *scene)
{
	answer_of(scene, -EKEYREJECTED);
}

static void be_of_another_domain(struct scene *scene)
{
	answer_of(scene, -EPERM);
}

static void be_silent(struct scene *scene)
{
	answer_of(scene, -EHOSTUNREACH);
}

static void be_silent_and_gone(struct scene *scene)
{
	scene->client.lookup_fails = -ENOTCONN;
	answer_of(scene, -EHOSTUNREACH);
}

static void be_silent_and_full(struct scene *scene)
{
	scene->client.lookup_fails = -ENOBUFS;
	answer_of(scene, -EHOSTUNREACH);
}

/* Where domains trust each other the keys are of the domain that the receiver is in. */
static void the_domain_of_the_peer_is_asked_for_first(void **state)
{
	static const struct {
		act_fn *answer;
		int known;
		unsigned attached, lookups;
		int status;
		const char *told;
	} cases[] = {
		{ NULL, 0, 1, 0, CCA_OK, "" }, /* known already */
		{ be_known, -EAGAIN, 1, 1, CCA_OK, "" },
		{ be_nobody, -EAGAIN, 1, 1, CCA_OK, "" }, /* the rendezvous says so of the call */
		{ be_untrusted, -EAGAIN, 0, 1, CCA_FAILED,
		  "cca: " PEER " is of a domain that is not trusted\n" },
		{ be_of_another_domain, -EAGAIN, 0, 1, CCA_FAILED,
		  "cca: " PEER " is of a domain that is not trusted for it: it was met in another "
		  "one before\n" },
		{ be_silent, -EAGAIN, 0, 2, CCA_OK, "" },
		{ be_silent_and_gone, -EAGAIN, 0, 2, CCA_OK, "" }, /* asked when attached anew */
		{ be_silent_and_full, -EAGAIN, 0, 2, CCA_FAILED,
		  "cca: cannot look " PEER " up: No buffer space available\n" },
	};
	struct scene *scene = *state;

	scene->trusts = true;
	scene->peer = PEER;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char want[256];

		scene->acts[0] = attach;
		scene->acts[1] = cases[i].answer ? cases[i].answer : end_well;
		scene->acts[2] = end_well;
		/* What fails ends the run by itself. */
		scene->n_acts = cases[i].answer && cases[i].status == CCA_OK ? 3 : 2;
		scene->acted = scene->begun = scene->finished = scene->attached = 0;
		scene->client = (struct umsg_client){ .known = cases[i].known };
		assert_int_equal(run(scene), cases[i].status);
		snprintf(want, sizeof(want), ATTACHED "%s", cases[i].told);
		assert_string_equal(scene->output, want);
		assert_int_equal(scene->attached, cases[i].attached);
		assert_int_equal(scene->client.lookups, cases[i].lookups);
	}
	/* The question itself may fail. */
	scene->n_acts = 1;
	scene->acted = scene->begun = scene->finished = 0;
	scene->client = (struct umsg_client){ .known = -EAGAIN, .lookup_fails = -ENOMEM };
	assert_int_equal(run(scene), CCA_FAILED);
	assert_non_null(strstr(scene->output, "cannot look " PEER " up: Cannot allocate memory"));
}

static void nobody_is_looked_up_where_no_other_domain_is_trusted(void **state)
{
	struct scene *scene = *state;

	scene->peer = PEER;
	scene->client.known = -EAGAIN;
	then(scene, attach);
	then(scene, end_well);
	assert_int_equal(run(scene), CCA_OK);
	assert_int_equal(scene->attached, 1);
	assert_int_equal(scene->client.lookups, 0);
}

/* ---- events ---- */

static struct umsg_call a_call;
static bool receipt_taken;

static void have_events(struct scene *scene)
{
	const struct umsg_client_ops *ops = scene->client.ops;
	const struct umsg_message message = { .from = PEER };
	const uint8_t id[UMSG_ID_SIZE] = { 7 };

	ops->incoming(scene->client.arg, &a_call);
	ops->call(scene->client.arg, &a_call, UMSG_CALL_RINGING);
	ops->message(scene->client.arg, &message);
	ops->post_ack(scene->client.arg, id, UMSG__ERROR_CODE__ERROR_STORE_FULL, "full", 9);
	receipt_taken = ops->receipt(scene->client.arg, PEER, id,
				     UMSG__RECEIPT_STATE__RECEIPT_FAILED, "no");
	ops->kept(scene->client.arg, UMSG__ERROR_CODE__OK, "");
	cca_end(scene->cca, CCA_OK);
}

static void events_come_to_the_command_that_waits_for_them(void **state)
{
	struct scene *scene = *state;

	a_call = (struct umsg_call){ .hangups = 0 };
	then(scene, have_events);
	assert_int_equal(run(scene), CCA_OK);
	assert_int_equal(scene->incoming, 1);
	assert_int_equal(scene->calls, 1);
	assert_int_equal(scene->messages, 1);
	assert_int_equal(scene->acks, 1);
	assert_int_equal(scene->receipts, 1);
	assert_int_equal(scene->kept, 1);
	assert_true(receipt_taken);
	assert_int_equal(a_call.hangups, 0);
}

/* A caller is not left ringing, and a receipt comes again in a run that waits for it. */
static void what_no_command_waits_for_is_refused_or_left(void **state)
{
	struct scene *scene = *state;

	a_call = (struct umsg_call){ .hangups = 0 };
	scene->job = (struct cca_job){ .begin = job_begin, .finish = job_finish };
	then(scene, attach);
	then(scene, have_events);
	assert_int_equal(run(scene), CCA_OK);
	assert_int_equal(a_call.hangups, 1);
	assert_int_equal(a_call.hangup, UMSG__END_REASON__END_BUSY);
	assert_false(receipt_taken);
	assert_string_equal(scene->client.kept, "");
}

static void offer_a_broken_update(struct scene *scene)
{
	const uint8_t octets[64] = { 1 };
	const struct umsg_client_ops *ops = scene->client.ops;

	if (ops->update(scene->client.arg, SAMPLE_MONTH + 1, 1, slice_of(octets, sizeof(octets)),
			slice_of(octets, sizeof(octets))) != UMSG_UPDATE_LATER)
		cca_end(scene->cca, CCA_FAILED);
}

/* The store stays as it is, and the rendezvous offers it again. */
static void an_update_that_is_none_is_not_confirmed(void **state)
{
	struct scene *scene = *state;
	struct snapshot before = world_snapshot(scene->world);

	scene->options.timeout_s = 10; /* a thread looks at it */
	then(scene, offer_a_broken_update);
	assert_int_equal(run(scene), CCA_OK);
	assert_int_equal(scene->client.updates, 1);
	assert_int_equal(scene->client.applied, 0);
	world_check_unchanged(scene->world, &before);
}

static const uint8_t another_domain[DOMAIN_ID] = { 1, 2, 3 };

static void be_accepted(struct scene *scene)
{
	scene->client.ops->accepted(scene->client.arg, "crs.example.net:5223", "AQZBQ01FLTF4eHh4");
	cca_end(scene->cca, CCA_OK);
}

static void meet_somebody(struct scene *scene)
{
	scene->client.ops->met(scene->client.arg, PEER, another_domain);
	cca_end(scene->cca, CCA_OK);
}

/* No former login is there to be wiped. */
static void a_login_that_is_accepted_again_leaves_the_keys_alone(void **state)
{
	struct scene *scene = *state;
	struct snapshot before = world_snapshot(scene->world);

	then(scene, be_accepted);
	assert_int_equal(run(scene), CCA_OK);
	world_check_unchanged(scene->world, &before);
}

/* The next run knows it: a pin that is forgotten lets another domain take the number over. */
static void the_domain_in_which_somebody_was_met_is_in_the_store(void **state)
{
	struct scene *scene = *state;
	struct keystore *store;
	const uint8_t *pinned;

	then(scene, meet_somebody);
	assert_int_equal(run(scene), CCA_OK);
	store = world_load(scene->world, KEYSTORE_READ);
	pinned = keystore_pinned(store, slice_str(PEER));
	assert_non_null(pinned);
	assert_memory_equal(pinned, another_domain, sizeof(another_domain));
	keystore_free(&store);
}

/* A letter's months are over: their keys go before anything uses them. */
static void keys_of_months_that_are_over_are_wiped(void **state)
{
	struct scene *scene = *state;
	struct snapshot before = world_snapshot(scene->world), after;

	fake_clock_add_ms(INT64_C(90) * 24 * 3600 * 1000);
	then(scene, lack_keys);
	then(scene, end_well);
	assert_int_equal(run(scene), CCA_OK);
	after = world_snapshot(scene->world);
	assert_true(after.n + ISSUED_PACKED < before.n + 1);
	free(before.p);
	free(after.p);
}

/* ---- what is told ---- */

static json_t *details(void)
{
	return json_pack("{s:s, s:s, s:s, s:i, s:f, s:b, s:b, s:n}", "plain", "a-b", "odd",
			 "a \"b\"\n\x01", "empty", "", "whole", -3, "real", 2.25, "yes", 1, "no", 0,
			 "nothing");
}

static int tell_main(int argc, char **argv)
{
	struct cca cca = { .options = current->options };

	(void)argc;
	(void)argv;
	return cca_tell(&cca, "event", details()) && cca_tell(&cca, "alone", NULL) ? CCA_OK
										   : CCA_FAILED;
}

/* Nobody else's text makes a line of its own, or looks like another member. */
static void an_event_is_one_line(void **state)
{
	struct scene *scene = *state;
	json_t *shown;
	char *end;

	assert_int_equal(inside_run(tell_main, "tell", scene->output), CCA_OK);
	assert_string_equal(scene->output,
			    "event plain=a-b odd=\"a \\\"b\\\"\\x0a\\x01\" empty=\"\" "
			    "whole=-3 real=2.2 yes=yes no=no\nalone\n");
	scene->options.json = true;
	assert_int_equal(inside_run(tell_main, "tell", scene->output), CCA_OK);
	end = strchr(scene->output, '\n');
	assert_non_null(end);
	assert_string_equal(end, "\n{\"event\":\"alone\"}\n");
	*end = '\0';
	shown = json_loads(scene->output, 0, NULL);
	assert_non_null(shown);
	assert_string_equal(json_string_value(json_object_get(shown, "event")), "event");
	assert_string_equal(json_string_value(json_object_get(shown, "odd")), "a \"b\"\n\x01");
	assert_int_equal(json_integer_value(json_object_get(shown, "whole")), -3);
	json_decref(shown);
}

/* CCA-009 */
static void numbers_are_read_as_people_write_them(void **state)
{
	static const struct {
		const char *text, *uri, *extension, *wrong;
	} cases[] = {
		{ "+46701234567", "tel:+46701234567", "", NULL },
		{ "tel:+8888;101", "tel:+8888", "101", NULL },
		{ "+8888w101", "tel:+8888", "101", NULL },
		{ "+123456789012345", "tel:+123456789012345", "", NULL },
		{ "+1234567890123456", NULL, NULL, "is no number" },
		{ "+", NULL, NULL, "is no number" },
		{ "8888", NULL, NULL, "is no number" },
		{ "+8888x101", NULL, NULL, "is no number" },
		{ "tel:", NULL, NULL, "is no number" },
		{ "+8888;1 2", NULL, NULL, "is no extension" },
		{ "+8888;", "tel:+8888", "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char uri[UMSG_URI_SIZE] = "", extension[UMSG_EXTENSION_SIZE] = "";
		struct diag *diag = diag_new();
		int err = cca_parse_number(cases[i].text, uri, extension, diag);

		assert_int_equal(err, cases[i].wrong ? -EINVAL : 0);
		if (cases[i].wrong) {
			assert_non_null(strstr(diag_first_error(diag), cases[i].wrong));
		} else {
			assert_string_equal(uri, cases[i].uri);
			assert_string_equal(extension, cases[i].extension);
		}
		diag_free(&diag);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_is_attached_begins),
		TEST(without_keys_it_is_told_how_to_get_some),
		TEST(what_cannot_be_remembered_is_not_begun),
		TEST(a_job_that_cannot_begin_needs_no_client),
		TEST(who_is_not_wanted_ends),
		TEST(patience_ends_with_a_reason),
		TEST(what_has_ended_well_is_not_too_late),
		TEST(a_signal_ends_what_is_under_way),
		TEST(the_domain_of_the_peer_is_asked_for_first),
		TEST(nobody_is_looked_up_where_no_other_domain_is_trusted),
		TEST(events_come_to_the_command_that_waits_for_them),
		TEST(what_no_command_waits_for_is_refused_or_left),
		TEST(an_update_that_is_none_is_not_confirmed),
		TEST(a_login_that_is_accepted_again_leaves_the_keys_alone),
		TEST(the_domain_in_which_somebody_was_met_is_in_the_store),
		TEST(an_event_is_one_line),
		TEST(keys_of_months_that_are_over_are_wiped), /* the last one that needs them */
		cmocka_unit_test(numbers_are_read_as_people_write_them),
	};

	return cmocka_run_group_tests(tests, make_world, world_end);
}
