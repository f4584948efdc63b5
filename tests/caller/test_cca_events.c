/* What all commands of cca share: what the client tells while a command runs, and other domains. */
#include "tests/caller/cca_scene.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "tests/fuzz/fake_clock.h"

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

static void await_nothing(struct scene *scene)
{
	assert_null(scene->cca->awaited);
	assert_false(evtimer_pending(scene->cca->patience, NULL));
	cca_end(scene->cca, CCA_OK);
}

/* However often it is asked, also over a new connection. */
static void a_look_up_that_is_never_answered_ends_with_patience(void **state)
{
	struct scene *scene = *state;

	scene->trusts = true;
	scene->peer = PEER;
	scene->client.known = -EAGAIN;
	then(scene, attach);
	then(scene, be_silent);
	then(scene, attach);
	assert_int_equal(run(scene), CCA_FAILED);
	assert_string_equal(scene->output, ATTACHED ATTACHED
			    "cca: no answer to whose keys are the other one's within 1 s\n");
	/* The answer ends it; what the job waits for is its own. */
	scene->acted = scene->begun = scene->finished = scene->client.frees = 0;
	scene->n_acts = 0;
	then(scene, attach);
	then(scene, be_known);
	then(scene, await_nothing);
	assert_int_equal(run(scene), CCA_OK);
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
	scene->job = (struct cca_job){ .begin = scene->job.begin, .finish = scene->job.finish };
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_domain_of_the_peer_is_asked_for_first),
		TEST(a_look_up_that_is_never_answered_ends_with_patience),
		TEST(nobody_is_looked_up_where_no_other_domain_is_trusted),
		TEST(events_come_to_the_command_that_waits_for_them),
		TEST(what_no_command_waits_for_is_refused_or_left),
		TEST(an_update_that_is_none_is_not_confirmed),
		TEST(a_login_that_is_accepted_again_leaves_the_keys_alone),
		TEST(the_domain_in_which_somebody_was_met_is_in_the_store),
		TEST(keys_of_months_that_are_over_are_wiped), /* the last one that needs them */
	};

	return cmocka_run_group_tests(tests, make_world, world_end);
}
