/* A real crs: health checks of the system and of an account. */
#include "tests/unit.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/rendezvous/party.h"
#include "tests/rendezvous/scene.h"
#include "tests/rendezvous/update_file.h"

enum { OK = 0, ERROR = 1, WARNING = 3 }; /* exit status */

static const struct update_file_user users[] = { { "tel:+46700000001", 1 } };

static void apply(const struct scene *scene, unsigned months_ahead)
{
	assert_int_equal(
		update_file_apply(scene, &(struct update_file){ .months_ahead = months_ahead,
								.revision = 1,
								.users = users,
								.n_users = 1 }),
		0);
}

/* The result of a test in the JSON that was printed, NULL: there is none. */
static const char *result_of(const json_t *report, const char *name)
{
	const json_t *test;
	size_t i;

	json_array_foreach(json_object_get(report, "tests"), i, test)
	{
		if (strcmp(json_string_value(json_object_get(test, "name")), name) == 0)
			return json_string_value(json_object_get(test, "result"));
	}
	return NULL;
}

static json_t *parse(const char *output)
{
	json_t *report = json_loads(output, 0, NULL);

	assert_non_null(report);
	return report;
}

/* CRS-110; CRS-114 and CRS-115: exit status and formats. */
static void a_service_that_stopped_is_an_error(void **state)
{
	struct scene *scene = *state;
	char output[SCENE_OUTPUT];
	json_t *report;

	assert_true(scene_cli_shows(scene, "health-check system", "\"result\": \"ok\",\n", true));
	assert_int_equal(scene_cli(scene, "health-check system", output), OK);
	report = parse(output);
	assert_string_equal(json_string_value(json_object_get(report, "result")), "ok");
	assert_string_equal(result_of(report, "service redis_low"), "ok");
	assert_string_equal(result_of(report, "process app: worker-1"), "ok");
	json_decref(report);
	scene_kill(&scene->relay);
	assert_true(scene_cli_shows(scene, "show services", "inactive", true));
	assert_int_equal(scene_cli(scene, "health-check system", output), ERROR);
	report = parse(output);
	assert_string_equal(result_of(report, "service crs_relay"), "error");
	json_decref(report);
	assert_int_equal(scene_cli(scene, "health-check system --output-format summary", output),
			 ERROR);
	assert_string_equal(output, "error\n");
	scene_start_relay(scene);
}

/* CRS-111: a call and a message by temporary clients.  CRS-112: under their own names, of
 * which nothing is left.  CRS-113: a month that is missing. */
static void an_account_is_checked_by_real_traffic(void **state)
{
	static const char *const steps[] = { "attach",     "call: invite", "call: ringing",
					     "call: talk", "call: hangup", "message" };
	struct scene *scene = *state;
	char output[SCENE_OUTPUT];
	json_t *report;

	assert_int_equal(scene_cli(scene, "health-check account acme", output), ERROR);
	report = parse(output);
	assert_string_equal(result_of(report, "update: current month"), "error");
	json_decref(report);
	apply(scene, 0);
	scene_trace(scene, "attach session message statistics");
	assert_int_equal(scene_cli(scene, "stats enable acme", output), 0);
	assert_int_equal(scene_cli(scene, "health-check account acme", output), WARNING);
	report = parse(output);
	assert_string_equal(json_string_value(json_object_get(report, "result")), "warning");
	assert_string_equal(result_of(report, "update: next month"), "warning");
	for (size_t i = 0; i < COUNT(steps); i++)
		assert_string_equal(result_of(report, steps[i]), "ok");
	json_decref(report);
	assert_true(scene_traced(scene, ",urn:x-crs:client:test-1-"));
	assert_true(scene_traced(scene, ",registered,ok"));
	assert_true(scene_traced(scene, ",hangup"));
	assert_true(scene_traced(scene, ",delivered,acme,"));
	apply(scene, 1);
	assert_int_equal(scene_cli(scene, "health-check account acme --output-format tsv", output),
			 OK);
	assert_int_equal(strncmp(output, "name\tresult\tdescription\n", 24), 0);
	assert_non_null(strstr(output, "\nmessage\tok\t"));
	/* Nothing is left of them. */
	assert_true(scene_cli_shows(scene, "show attach", "urn:x-crs", false));
	assert_true(scene_cli_shows(scene, "show message", "urn:x-crs", false));
	assert_true(scene_cli_shows(scene, "stats export acme", "urn:x-crs", false));
}

/* CRS-116: by the loopback interface of this server. */
static void local_only_stays_on_loopback(void **state)
{
	struct scene *scene = *state;
	char output[SCENE_OUTPUT];

	scene_trace(scene, "connection");
	assert_int_equal(scene_cli(scene,
				   "health-check account acme --local-only --output-format summary",
				   output),
			 OK);
	assert_string_equal(output, "ok\n");
	assert_true(scene_traced(scene, "@acme,127.0.0.1,"));
}

/* Nobody else gets in under such a name. */
static void a_test_clients_name_is_nobodys(void **state)
{
	struct scene *scene = *state;
	struct party p;

	party_open(&p, scene,
		   &(struct party_options){ .uri = "urn:x-crs:client:test-1-0123456789abcdef",
					    .generation = 1,
					    .device = 1 });
	assert_true(party_hears(&p, "denied 3"));
	party_close(&p);
}

static void wrong_usage_is_told(void **state)
{
	static const char *const wrong[] = { "health-check", "health-check account",
					     "health-check system --output-format xml",
					     "health-check system --loud" };
	struct scene *scene = *state;
	char output[SCENE_OUTPUT];

	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_int_equal(scene_cli(scene, wrong[i], output), 2);
	assert_int_equal(scene_cli(scene, "health-check account nobody", output), ERROR);
	assert_non_null(strstr(output, "there is no account nobody"));
	/* crs does not run */
	scene_kill(&scene->crs);
	assert_int_equal(scene_cli(scene, "health-check system --output-format tsv", output),
			 ERROR);
	assert_non_null(strstr(output, "crs\terror\tdoes not answer"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_service_that_stopped_is_an_error),
		cmocka_unit_test(an_account_is_checked_by_real_traffic),
		cmocka_unit_test(local_only_stays_on_loopback),
		cmocka_unit_test(a_test_clients_name_is_nobodys),
		cmocka_unit_test(wrong_usage_is_told),
	};

	return cmocka_run_group_tests(tests, scene_set_up_with_relay, scene_tear_down);
}
