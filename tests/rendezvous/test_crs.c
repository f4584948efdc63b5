/* A real crs with Redis and crs-relay, and clients over TLS. */
#include "tests/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "keys/account.h"
#include "keys/period.h"
#include "keys/update.h"
#include "tests/keys/sample.h"
#include "tests/rendezvous/cast.h"
#include "tests/rendezvous/party.h"
#include "tests/rendezvous/scene.h"
#include "tests/rendezvous/update_file.h"

/* CRS-002, CRS-038, CRS-081, CRS-086, CRS-093 and CRS-094 */
static void clients_attach_and_are_shown_and_traced(void **state)
{
	struct scene *scene = *state;
	struct party a, b;
	char output[SCENE_OUTPUT], line[256];

	scene_trace(scene, "attach");
	cast_attach(&a, scene, alice, 1);
	cast_attach(&b, scene, bob, 1);
	assert_int_equal(scene_cli(scene, "show attach", output), 0);
	assert_non_null(strstr(output, "URI "));
	assert_non_null(strstr(output, alice));
	assert_non_null(strstr(output, bob));
	assert_non_null(strstr(output, "party 1.0"));
	assert_non_null(strstr(output, "127.0.0.1:"));
	assert_non_null(strstr(output, "crs1"));
	assert_int_equal(scene_cli(scene, "show version", output), 0);
	assert_non_null(strstr(output, "crs 0."));
	snprintf(line, sizeof(line), ",primary,%s,acme,127.0.0.1,", bob);
	assert_true(scene_traced(scene, line));
	assert_true(scene_traced(scene, ",registered,ok"));
	snprintf(line, sizeof(line), ",client,%s@acme,127.0.0.1,", bob);
	assert_true(scene_traced(scene, line));
	assert_true(scene_traced(scene, ",negotiated"));
	party_close(&a);
	assert_true(scene_cli_shows(scene, "show attach", alice, false));
	assert_true(scene_traced(scene, ",unregistered,connection closed"));
	assert_true(scene_cli_shows(scene, "show attach", bob, true));
	/* Ctrl-C ends a trace. */
	kill(scene->trace, SIGINT);
	assert_true(scene->trace > 0);
	party_close(&b);
}

/* Row CRS-002: whoever has no key learns nothing but that the handshake failed. */
static void wrong_credentials_fail_all_alike(void **state)
{
	const struct party_options strangers[] = {
		{ .uri = alice, .generation = 1, .secret = "YWJjZGVmZ2hpamtsbW5vcA==" },
		{ .uri = alice, .generation = 1, .account = "nobody" },
		{ .uri = alice, .generation = 1, .account = "nobody", .secret = "some text" },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(strangers); i++) {
		struct party p;

		party_open(&p, scene, &strangers[i]);
		assert_true(party_hears(&p, "closed refused"));
		assert_false(party_heard(&p, "negotiated"));
		party_close(&p);
	}
}

static void a_client_speaks_for_itself_only(void **state)
{
	struct scene *scene = *state;
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Lookup lookup = UMSG__LOOKUP__INIT;
	struct party a, early;
	char with_extension[64];

	cast_attach(&a, scene, alice, 1);
	lookup.uri = frame_text(alice);
	frame.body_case = UMSG__FRAME__BODY_LOOKUP;
	frame.lookup = &lookup;
	snprintf(with_extension, sizeof(with_extension), "%s;101", alice);
	frame.from = with_extension; /* what follows ";" is ignored */
	party_send(&a, &frame);
	assert_true(party_hears(&a, "lookup"));
	lookup.uri = frame_text(carol);
	party_send(&a, &frame);
	assert_true(party_hears(&a, "lookup"));
	assert_true(party_heard(&a, "lookup tel:+46700") && strstr(a.heard, " 0\n"));
	frame.from = frame_text(bob);
	party_send(&a, &frame);
	assert_true(party_hears(&a, "closed"));
	party_close(&a);
	party_open(
		&early, scene,
		&(struct party_options){ .uri = alice, .generation = 1, .do_not_register = true });
	assert_true(party_hears(&early, "negotiated"));
	frame.from = frame_text(alice);
	party_send(&early, &frame);
	assert_true(party_hears(&early, "error 4")); /* not registered */
	party_close(&early);
}

/* As after every update: what it says before the answer is not lost. */
static void a_client_that_registers_anew_is_served_meanwhile(void **state)
{
	struct scene *scene = *state;
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Lookup lookup = UMSG__LOOKUP__INIT;
	struct party a;

	cast_attach(&a, scene, alice, 1);
	lookup.uri = frame_text(alice);
	frame.body_case = UMSG__FRAME__BODY_LOOKUP;
	frame.lookup = &lookup;
	party_register(&a);
	party_send(&a, &frame);
	assert_true(party_hears(&a, "lookup"));
	assert_false(party_heard(&a, "error"));
	party_close(&a);
}

static void a_newer_primary_replaces_the_older_one(void **state)
{
	struct scene *scene = *state;
	struct party first, second, again, secondary, no_keys;

	cast_attach(&first, scene, bob, 1);
	cast_attach(&second, scene, bob, 2);
	assert_true(party_hears(&first, "unregistered 1 replaced"));
	/* The same device over another connection: the old one just goes. */
	cast_attach(&again, scene, bob, 2);
	assert_true(party_hears(&second, "closed"));
	assert_false(party_heard(&second, "unregistered"));
	party_open(&secondary, scene,
		   &(struct party_options){
			   .uri = bob, .generation = 1, .device = 3, .secondary = true });
	assert_true(party_hears(&secondary, "registered secondary"));
	party_open(&no_keys, scene,
		   &(struct party_options){
			   .uri = alice, .generation = 1, .device = 1, .no_keys = true });
	assert_true(party_hears(&no_keys, "registered primary updates only"));
	party_post(&no_keys, bob, 'a', 100);
	assert_true(party_hears(&no_keys, "error 9"));
	assert_false(party_heard(&again, "closed"));
	party_close(&first);
	party_close(&second);
	party_close(&again);
	party_close(&secondary);
	party_close(&no_keys);
}

/* CRS-082, CRS-095, REL-007 and REL-010.  Of CRS-083: invite, ringing, talk, hangup; I-15: with a
 * semicolon in the trace, where a comma parts fields. */
static void a_call_rings_talks_and_ends(void **state)
{
	struct scene *scene = *state;
	struct party a, b1, b2;
	char line[256], output[SCENE_OUTPUT];

	scene_start_relay(scene);
	scene_trace(scene, "session");
	cast_attach(&a, scene, alice, 1);
	cast_attach(&b1, scene, bob, 1);
	party_open(&b2, scene,
		   &(struct party_options){
			   .uri = bob, .generation = 1, .device = 2, .secondary = true });
	assert_true(party_hears(&b2, "registered secondary"));

	party_bang(&a, bob, 's');
	assert_true(party_hears(&a, "bang_answer ringing 2"));
	assert_true(party_hears(&b1, "bang from"));
	assert_true(party_hears(&b2, "bang from"));
	assert_true(scene_cli_shows(scene, "show session", "invite", true));
	assert_true(scene_cli_shows(scene, "show relays", "rtp", true));
	party_answer(&b1, alice, 's', UMSG__FRAME__BODY_GROWL);
	assert_true(party_hears(&a, "growl from"));
	assert_true(scene_cli_shows(scene, "show session", "ringing", true));
	party_answer(&b2, alice, 's', UMSG__FRAME__BODY_TALK);
	assert_true(party_hears(&a, "talk from"));
	assert_true(party_hears(&b1, "hangup 7 by 2")); /* answered elsewhere */
	assert_int_equal(scene_cli(scene, "show session", output), 0);
	assert_non_null(strstr(output, "CALLER"));
	assert_non_null(strstr(output, alice));
	assert_non_null(strstr(output, bob));
	assert_non_null(strstr(output, "talk"));
	party_answer(&b2, alice, 's', UMSG__FRAME__BODY_SIGNAL);
	assert_true(party_hears(&a, "signal from"));
	party_hangup(&a, bob, 's');
	assert_true(party_hears(&b2, "hangup 1 by 0"));
	assert_true(scene_cli_shows(scene, "show session", "hangup(hangup, caller)", true));
	assert_true(scene_cli_shows(scene, "show relays", "rtp", false));
	snprintf(line, sizeof(line), ",%s,%s,talk,acme,c3Nz", alice, bob);
	assert_true(scene_traced(scene, line));
	snprintf(line, sizeof(line), ",%s,%s,hangup(hangup; caller),acme,c3Nz", alice, bob);
	assert_true(scene_traced(scene, line));
	assert_int_equal(scene_cli(scene, "show relay", output), 0);
	assert_non_null(strstr(output, "rxBytes"));
	party_close(&a);
	party_close(&b1);
	party_close(&b2);
}

/* CRS-082: nobody to answer; a lost connection; REL-001: the relay's limit.  Of CRS-083: not
 * found, not connected, hangups by the rendezvous. */
static void a_call_that_cannot_be_is_ended_with_its_reason(void **state)
{
	struct scene *scene = *state;
	struct party a, b;

	scene_start_relay(scene);
	cast_attach(&a, scene, alice, 1);
	party_bang(&a, "tel:+4670999999", '1');
	assert_true(party_hears(&a, "hangup 5 by 2"));
	assert_true(scene_cli_shows(scene, "show session", "responder not found", true));
	cast_attach(&b, scene, bob, 1);
	party_close(&b);
	assert_true(scene_cli_shows(scene, "show attach", bob, false));
	party_bang(&a, bob, '2');
	assert_true(party_hears(&a, "hangup 6 by 2"));
	assert_true(scene_cli_shows(scene, "show session", "responder not connected", true));
	cast_attach(&b, scene, bob, 1);
	party_bang(&a, bob, '3');
	assert_true(party_hears(&b, "bang from"));
	party_answer(&b, alice, '3', UMSG__FRAME__BODY_TALK);
	assert_true(party_hears(&a, "talk"));
	party_bang(&a, bob, '4');
	assert_true(party_hears(&b, "bang from"));
	party_bang(&a, bob, '5'); /* MAX_RTP_RELAYS=2 */
	assert_true(party_hears(&a, "hangup 12 by 2"));
	party_close(&b);
	assert_true(party_hears(&a, "hangup 16 by 2")); /* connection lost */
	assert_true(party_hears(&a, "hangup 16 by 2"));
	assert_true(scene_cli_shows(scene, "show relays", "rtp", false));
	party_close(&a);
}

/* Of CRS-129: what a relay that is updated does to calls; the rest needs a second host. */
static void a_killed_relay_ends_calls_and_is_found_again(void **state)
{
	struct scene *scene = *state;
	struct party a, b;

	cast_attach(&a, scene, alice, 1);
	cast_attach(&b, scene, bob, 1);
	party_bang(&a, bob, '0');
	assert_true(party_hears(&a, "hangup 13 by 2")); /* no relay */
	scene_start_relay(scene);
	party_bang(&a, bob, '1');
	assert_true(party_hears(&b, "bang from"));
	party_answer(&b, alice, '1', UMSG__FRAME__BODY_TALK);
	assert_true(party_hears(&a, "talk"));
	scene_kill(&scene->relay);
	assert_true(party_hears(&a, "hangup 8 by 2")); /* media lost */
	assert_true(party_hears(&b, "hangup 8 by 2"));
	assert_true(scene_cli_shows(scene, "show services", "crs_relay   inactive", true));
	scene_start_relay(scene);
	party_bang(&a, bob, '2');
	assert_true(party_hears(&b, "bang from"));
	party_close(&a);
	party_close(&b);
}

/* A worker that dies takes its connections with it, and nothing else. */
static void a_killed_worker_comes_back_and_learns_who_is_there(void **state)
{
	struct scene *scene = *state;
	struct party many[16], a, b;
	pid_t before = scene_process(scene, "app: worker-1");
	size_t left = 0;

	for (size_t i = 0; i < COUNT(many); i++) {
		char uri[32];

		snprintf(uri, sizeof(uri), "tel:+4671%06zu", i);
		cast_attach(&many[i], scene, uri, 1);
	}
	cast_attach(&a, scene, alice, 1);
	cast_attach(&b, scene, bob, 1);
	party_close(&a);
	party_close(&b);
	assert_int_equal(kill(before, SIGKILL), 0);
	while (scene_process(scene, "app: worker-1") == 0 ||
	       scene_process(scene, "app: worker-1") == before)
		scene_run(scene);
	cast_attach(&a, scene, alice, 1);
	cast_attach(&b, scene, bob, 1);
	party_post(&a, bob, 'w', 100);
	assert_true(party_hears(&b, "deliver w from"));
	/* Whoever was held by the other worker is still there, also for the new home. */
	for (size_t i = 0; i < COUNT(many); i++) {
		char uri[32];

		if (party_heard(&many[i], "closed"))
			continue;
		left++;
		snprintf(uri, sizeof(uri), "tel:+4671%06zu", i);
		party_post(&a, uri, (char)('A' + i), 100);
		assert_true(party_hears(&many[i], "deliver"));
	}
	assert_true(left > 0); /* the kernel spreads them: not all were with the dead one */
	for (size_t i = 0; i < COUNT(many); i++)
		party_close(&many[i]);
	party_close(&a);
	party_close(&b);
}

/* What a worker's calls held at the relay is given back by its successor. */
static void a_killed_worker_leaves_nothing_at_the_relay(void **state)
{
	struct scene *scene = *state;
	struct party a, b;
	pid_t home = scene_process(scene, "app: worker-1"); /* bob's */

	scene_start_relay(scene);
	cast_attach(&a, scene, alice, 1);
	cast_attach(&b, scene, bob, 1);
	party_bang(&a, bob, '1');
	assert_true(party_hears(&b, "bang from"));
	assert_true(scene_cli_shows(scene, "show relays", "rtp", true));
	assert_int_equal(kill(home, SIGKILL), 0);
	assert_true(scene_cli_shows(scene, "show relays", "rtp", false));
	/* Each hears that the call is over, or has lost its own connection. */
	while (!party_heard(&a, "closed") && !party_heard(&a, "hangup 11 by 2"))
		scene_run(scene);
	while (!party_heard(&b, "closed") && !party_heard(&b, "hangup 11 by 2"))
		scene_run(scene);
	party_close(&a);
	party_close(&b);
}

/* CRS-047; users see it (row CRS-049), old and deleted keys are shut out. */
static void an_update_is_applied_fetched_and_obeyed(void **state)
{
	struct scene *scene = *state;
	const struct update_file_user first[] = { { alice, 1 }, { bob, 1 } };
	const struct update_file_user second[] = { { alice, 2 } };
	char path[128], words[192], output[SCENE_OUTPUT], month[PERIOD_TEXT_SIZE];
	struct party a, b, c;

	period_text(period_of(clock_wall_s()), month);
	snprintf(path, sizeof(path), "%s/new.upd", scene->root);
	snprintf(words, sizeof(words), "apply '%s'", path);
	cast_attach(&a, scene, alice, 1);
	cast_attach(&b, scene, bob, 1);
	update_file_write(path,
			  &(struct update_file){ .revision = 1, .users = first, .n_users = 2 });
	assert_int_equal(scene_cli(scene, "update-notification enable acme", output), 0);
	assert_int_equal(scene_cli(scene, words, output), 0);
	assert_non_null(strstr(output, "account acme: update of "));
	assert_true(party_hears(&a, "update_news 1"));
	assert_true(party_hears(&b, "update_news 1"));
	assert_true(scene_cli_shows(scene, "show updates", "Not Available", true)); /* next month */
	assert_int_equal(scene_cli(scene, words, output), 1);
	assert_non_null(strstr(output, "not newer"));
	party_update_get(&a, month, UMSG__UPDATE_WHAT__UPDATE_ENTRY, 0);
	assert_true(party_hears(&a, "update_part revision 1 total 2"));
	party_update_get(&a, month, UMSG__UPDATE_WHAT__UPDATE_SHARED, 0);
	assert_true(party_hears(&a, "update_part revision 1 total"));
	party_update_get(&a, "2001-01", UMSG__UPDATE_WHAT__UPDATE_ENTRY, 0);
	assert_true(party_hears(&a, "error 5"));

	update_file_write(path,
			  &(struct update_file){
				  .revision = 2, .users = second, .n_users = 1, .deleted = bob });
	assert_int_equal(scene_cli(scene, words, output), 0);
	assert_true(party_hears(&a, "unregistered 2 old credentials"));
	assert_true(party_hears(&b, "unregistered 2 deleted"));
	party_fetch(&b, 0);
	assert_true(party_hears(&b, "denied 2 deleted"));
	party_close(&a);
	party_open(&a, scene,
		   &(struct party_options){ .uri = alice, .generation = 2, .device = 1 });
	assert_true(party_hears(&a, "registered primary waiting 0 updates 1"));
	/* And all of it after a restart. */
	scene_kill(&scene->crs);
	scene_start(scene);
	party_open(&c, scene,
		   &(struct party_options){ .uri = alice, .generation = 1, .device = 1 });
	assert_true(party_hears(&c, "denied 4 old credentials"));
	party_close(&a);
	party_close(&b);
	party_close(&c);
}

/* CRS-050: whoever has no keys of the month that began is locked out, also while attached,
 * and gets back in with them. */
static void old_months_are_locked_out_when_a_new_one_begins(void **state)
{
	struct scene *scene = *state;
	int64_t now_s = clock_wall_s(), month = period_of(now_s);
	int64_t to_next_ms = (period_start(month + 1) - now_s) * 1000;
	char this_month[PERIOD_TEXT_SIZE], next_month[PERIOD_TEXT_SIZE];
	struct party a, b;

	scene_set_clock(scene, 0);
	scene_stop(&scene->crs);
	scene_start(scene);
	period_text(month, this_month);
	period_text(month + 1, next_month);
	party_open(&a, scene,
		   &(struct party_options){
			   .uri = alice, .generation = 1, .device = 1, .newest = this_month });
	party_open(&b, scene,
		   &(struct party_options){
			   .uri = bob, .generation = 1, .device = 1, .newest = next_month });
	assert_true(party_hears(&a, "registered primary waiting"));
	assert_true(party_hears(&b, "registered primary waiting"));
	scene_trace(scene, "attach");
	scene_set_clock(scene, to_next_ms + 240 * 1000); /* as long as calls still open */
	party_register(&a);
	assert_true(party_hears(&a, "registered primary waiting"));
	scene_set_clock(scene, to_next_ms + 310 * 1000);
	assert_true(party_hears(&a, "unregistered 4 no keys of this month"));
	assert_true(scene_traced(scene, "unregistered,no keys of this month"));
	party_bang(&a, bob, '1');
	assert_true(party_hears(&a, "error 4"));
	party_bang(&b, alice, '2');
	assert_true(party_hears(&b, "hangup 6 by 2"));
	party_register(&a); /* it says that it has keys */
	assert_true(party_hears(&a, "registered primary updates only"));
	party_bang(&a, bob, '3');
	assert_true(party_hears(&a, "error 9"));
	assert_false(party_heard(&b, "unregistered"));
	a.options.newest = next_month;
	party_register(&a);
	assert_true(party_hears(&a, "registered primary waiting"));
	party_post(&a, bob, 'm', 100);
	assert_true(party_hears(&b, "deliver m"));
	party_close(&a);
	party_close(&b);
}

static void a_damaged_update_changes_nothing(void **state)
{
	struct scene *scene = *state;
	const struct update_file_user users[] = { { alice, 5 } };
	char path[128], words[192], output[SCENE_OUTPUT];
	struct party a;
	uint8_t *data = NULL;
	size_t n = 0;

	snprintf(path, sizeof(path), "%s/new.upd", scene->root);
	snprintf(words, sizeof(words), "apply '%s'", path);
	update_file_write(path,
			  &(struct update_file){ .revision = 1, .users = users, .n_users = 1 });
	assert_int_equal(file_read(path, 1 << 24, &data, &n), 0);
	data[n - 10] ^= 1; /* in a part */
	assert_int_equal(file_write_atomic(path, 0644, slice_of(data, n)), 0);
	assert_int_equal(scene_cli(scene, words, output), 1);
	data[n - 10] ^= 1;
	data[40] ^= 1; /* in the head or index */
	assert_int_equal(file_write_atomic(path, 0644, slice_of(data, n)), 0);
	assert_int_equal(scene_cli(scene, words, output), 1);
	assert_int_equal(file_write_atomic(path, 0644, slice_of(data, 30)), 0);
	assert_int_equal(scene_cli(scene, words, output), 1);
	free(data);
	cast_attach(&a, scene, alice, 1); /* its floor is where it was */
	party_close(&a);
}

/* CRS-034 at the program, and a second crs beside the first. */
static void what_cannot_start_says_why_and_starts_nothing(void **state)
{
	struct scene *scene = *state;
	char command[256], output[SCENE_OUTPUT];

	snprintf(command, sizeof(command), "'%s' --root '%s' 2>&1", CRS, scene->root);
	assert_int_not_equal(scene_shell(command, output), 0);
	assert_non_null(strstr(output, "crs runs already"));
	assert_int_equal(scene_stop(&scene->crs), 0);
	snprintf(command, sizeof(command),
		 "cd '%s' && echo 'crsname crs7' > crs-local.conf && rm -rf data && "
		 "! '%s' --root . 2>&1 && test ! -e data",
		 scene->root, CRS);
	assert_int_equal(scene_shell(command, output), 0);
	assert_non_null(strstr(output, "crsname \"crs7\" must match"));
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, cast_open, cast_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(clients_attach_and_are_shown_and_traced),
		ONE(wrong_credentials_fail_all_alike),
		ONE(a_client_speaks_for_itself_only),
		ONE(a_client_that_registers_anew_is_served_meanwhile),
		ONE(a_newer_primary_replaces_the_older_one),
		ONE(a_call_rings_talks_and_ends),
		ONE(a_call_that_cannot_be_is_ended_with_its_reason),
		ONE(a_killed_relay_ends_calls_and_is_found_again),
		ONE(a_killed_worker_comes_back_and_learns_who_is_there),
		ONE(a_killed_worker_leaves_nothing_at_the_relay),
		ONE(an_update_is_applied_fetched_and_obeyed),
		ONE(old_months_are_locked_out_when_a_new_one_begins),
		ONE(a_damaged_update_changes_nothing),
		ONE(what_cannot_start_says_why_and_starts_nothing),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, cast_names, NULL);
}
