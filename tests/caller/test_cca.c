/* What all commands of cca share: how a run begins, what it tells, and how it ends, whatever the
 * rendezvous does. */
#include "tests/caller/cca_scene.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/diag.h"

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

/* ---- what is told ---- */

static json_t *details(void)
{
	return json_pack("{s:s, s:s, s:s, s:i, s:f, s:b, s:b, s:n}", "plain", "a-b", "odd",
			 "a \"b\"\n\x01", "empty", "", "whole", -3, "real", 2.25, "yes", 1, "no", 0,
			 "nothing");
}

/* inside_run() has no argument of the test's. */
static bool tells_json;

static int tell_main(int argc, char **argv)
{
	struct cca cca = { .options = { .json = tells_json } };

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

	tells_json = false;
	assert_int_equal(inside_run(tell_main, "tell", scene->output), CCA_OK);
	assert_string_equal(scene->output,
			    "event plain=a-b odd=\"a \\\"b\\\"\\x0a\\x01\" empty=\"\" "
			    "whole=-3 real=2.2 yes=yes no=no\nalone\n");
	tells_json = true;
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
		TEST(an_event_is_one_line),
		cmocka_unit_test(numbers_are_read_as_people_write_them),
	};

	return cmocka_run_group_tests(tests, make_world, world_end);
}
