/* A real crs: what it keeps for clients, and whom it has only observed. */
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tests/rendezvous/party.h"
#include "tests/rendezvous/scene.h"
#include "tests/rendezvous/update_file.h"

#define ALICE "tel:+46700000001"
#define BOB "tel:+46700000002"

static void keep(struct party *party, const char *name, const char *type, const char *text)
{
	party_keep(party, name, type, text);
	assert_true(party_hears(party, "done"));
}

static void assert_shown(struct scene *scene, const char *words, const char *text)
{
	char output[SCENE_OUTPUT];

	assert_int_equal(scene_cli(scene, words, output), 0);
	if (!strstr(output, text))
		fail_msg("%s: %s", words, output);
}

/* The first line of a listing, whatever its blanks. */
static void assert_columns(struct scene *scene, const char *words, const char *columns)
{
	char output[SCENE_OUTPUT], line[256] = "", *rest;

	assert_int_equal(scene_cli(scene, words, output), 0);
	output[strcspn(output, "\n")] = '\0';
	for (char *word = strtok_r(output, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s%s", *line ? " " : "",
			 word);
	assert_string_equal(line, columns);
}

static void assert_not_shown(struct scene *scene, const char *words, const char *text)
{
	char output[SCENE_OUTPUT];

	assert_int_equal(scene_cli(scene, words, output), 0);
	assert_null(strstr(output, text));
}

/* CRS-090, CRS-091, CRS-092 and CRS-121: what clients store is kept through a restart and
 * shown, in columns with blanks between (I-16).  CRS-099: the trace of it.  CRS-070: client-info is
 * forgotten. */
static void what_clients_store_is_kept_and_shown(void **state)
{
	struct scene *scene = *state;
	struct party a, b;
	char info[256];

	scene_trace(scene, "object");
	party_attach(&a, scene, ALICE);
	party_attach(&b, scene, BOB);
	snprintf(info, sizeof(info),
		 "{\"time\": %lld, \"scan_time\": \"2026-11-01T08:00:00Z\", \"os\": \"Linux\", "
		 "\"os_version\": \"6.1\", \"version\": \"1.0\"}",
		 (long long)clock_wall_s() + 300);
	keep(&a, "client-info", "application/json", info);
	keep(&b, "client-info", "application/json", "no object");
	keep(&a, "push-token", "apns",
	     "{\"created\": \"2026-11-02T08:00:00Z\", \"tokens\": [\"0badcafe\"]}");
	keep(&b, "client-token", "application/octet-stream", "0123456789");
	assert_true(scene_traced(scene, "," ALICE ",update client_info"));
	assert_true(scene_traced(scene, "," ALICE ",update push_token"));
	assert_true(scene_traced(scene, "," BOB ",update client_token"));
	party_close(&a);
	party_close(&b);
	scene_kill(&scene->crs);
	scene_start(scene);

	/* Every column of the manual's, and what stands in it. */
	assert_columns(scene, "show client-info acme",
		       "URI TIMESTAMP CLIENT-TIME SCAN-TIME OS OS-VERSION CCA-VERSION");
	assert_columns(scene, "show push-token acme " ALICE,
		       "CREATED SAVED AGE CLIENT-TYPE TOKENS");
	assert_columns(scene, "show client-storage acme", "SERVER URI BYTES LAST-UPDATED TYPE");
	assert_shown(scene, "--json show client-info acme", "\"os-version\": \"6.1\"");
	assert_shown(scene, "--json show client-info acme", "\"cca-version\": \"1.0\"");
	assert_shown(scene, "--json show push-token acme " ALICE,
		     "\"created\": \"2026-11-02T08:00:00Z\"");
	assert_shown(scene, "--json show push-token acme " ALICE, "\"saved\": \"20");
	assert_shown(scene, "--json show client-storage acme", "\"server\": \"crs1\"");
	/* CRS-069 */
	assert_shown(scene, "--json lookup client acme " BOB " -v",
		     "\"client-token\": \"0123456789\"");
	assert_shown(scene, "show client-info acme", "2026-11-01T08:00:00Z");
	assert_shown(scene, "show client-info acme", " Linux ");
	assert_shown(scene, "--json show client-info acme", "\"client-time\": \"+30");
	assert_shown(scene, "show push-token acme " ALICE, "0badcafe");
	assert_shown(scene, "show push-token acme " ALICE, " apns ");
	assert_not_shown(scene, "show push-token acme " BOB, "0badcafe");
	assert_shown(scene, "show client-storage acme", "client-token");
	assert_shown(scene, "--json show client-storage acme", "\"bytes\": 10,");

	party_attach(&b, scene, BOB);
	keep(&b, "client-token", "", "");
	assert_not_shown(scene, "show client-storage acme", "client-token");
	assert_shown(scene, "delete client-info acme " ALICE, "");
	assert_not_shown(scene, "show client-info acme", ALICE);
	party_close(&b);
}

static void other_names_are_refused(void **state)
{
	struct scene *scene = *state;
	struct party a;

	party_attach(&a, scene, ALICE);
	party_keep(&a, "my-diary", "", "x");
	assert_true(party_hears(&a, "error 9"));
	party_close(&a);
}

/* CRS-066: who is in no update is forgotten, and has to come anew; who is listed stays. */
static void observed_clients_are_purged(void **state)
{
	static const struct update_file_user users[] = { { ALICE, 1 } };
	struct scene *scene = *state;
	char output[SCENE_OUTPUT];
	struct party a, b;

	party_attach(&a, scene, ALICE);
	party_attach(&b, scene, BOB);
	assert_int_equal(update_file_apply(scene, &(struct update_file){ .revision = 1,
									 .users = users,
									 .n_users = 1 }),
			 0);
	assert_int_equal(scene_cli(scene, "purge observed acme", output), 0);
	assert_true(party_hears(&b, "closed"));
	assert_false(party_heard(&a, "closed"));
	party_post(&a, BOB, 'p', 100);
	assert_true(party_hears(&a, "post_ack p 5")); /* nobody has this URI now */
	party_close(&b);
	party_attach(&b, scene, BOB);
	party_close(&a);
	party_close(&b);
}

/* CRS-100: lines of the log as they come, debug lines too. */
static void events_are_traced_as_they_are_logged(void **state)
{
	struct scene *scene = *state;
	char output[SCENE_OUTPUT];
	struct party a;

	scene_trace(scene, "event");
	party_attach(&a, scene, ALICE);
	assert_int_equal(scene_cli(scene, "purge client acme " ALICE, output), 0);
	assert_true(party_hears(&a, "closed"));
	party_close(&a);
	party_attach(&a, scene, ALICE);
	party_bang(&a, BOB, 'x');
	assert_true(scene_traced(scene, "session,dbg,20"));
	party_close(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_clients_store_is_kept_and_shown),
		cmocka_unit_test(other_names_are_refused),
		cmocka_unit_test(observed_clients_are_purged),
		cmocka_unit_test(events_are_traced_as_they_are_logged),
	};

	return cmocka_run_group_tests(tests, scene_set_up, scene_tear_down);
}
