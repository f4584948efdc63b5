/* A real crs whose store is slow or cannot write, whose clients do not read, and whose operator
 * applies files that were cut: what it promises then. */
#include "tests/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/control_client.h"
#include "base/diag.h"
#include "base/file.h"
#include "tests/rendezvous/cast.h"
#include "tests/rendezvous/party.h"
#include "tests/rendezvous/scene.h"
#include "tests/rendezvous/update_file.h"

enum { FILE_MAX = 1 << 20 };

static int open_scene(void **state)
{
	struct scene *scene = scene_new(state);

	cast_names(state);
	scene_start(scene);
	scene_start_relay(scene);
	return 0;
}

/* Known to the rendezvous, and not there: what comes is stored. */
static void be_away(struct scene *scene, const char *uri)
{
	struct party p;

	cast_attach(&p, scene, uri, 1);
	party_close(&p);
	assert_true(scene_cli_shows(scene, "show attach", uri, false));
}

static size_t times(const struct party *party, const char *text)
{
	size_t n = 0;

	for (const char *p = party->heard; (p = strstr(p, text)); p++)
		n++;
	return n;
}

/* Page by page. */
static void fetch_all(struct party *party)
{
	size_t pages = times(party, "fetched more");

	party_fetch(party, 0);
	assert_true(party_hears(party, "fetched"));
	while (times(party, "fetched more") > pages) {
		pages++;
		party_fetch(party, party->number);
		assert_true(party_hears(party, "fetched"));
	}
}

/* Each of these messages is there exactly once; afterwards none is. */
static void fetch_and_take(struct scene *scene, const char *uri, const char *from, const char *ids)
{
	static struct party p;
	char line[32];

	cast_attach(&p, scene, uri, 1);
	fetch_all(&p);
	for (const char *id = ids; *id; id++) {
		snprintf(line, sizeof(line), "deliver %c from", *id);
		if (times(&p, line) != 1)
			fail_msg("%s %zu times in:\n%s", line, times(&p, line), p.heard);
		party_taken(&p, from, *id);
	}
	fetch_all(&p);
	for (const char *id = ids; *id; id++) {
		snprintf(line, sizeof(line), "deliver %c from", *id);
		assert_int_equal(times(&p, line), 1);
	}
	party_close(&p);
}

static void a_slow_redis_delays_messages_and_no_call(void **state)
{
	struct scene *scene = *state;
	static struct party a, c;
	pid_t redis = scene_process(scene, "redis_low");

	be_away(scene, bob);
	cast_attach(&a, scene, alice, 1);
	cast_attach(&c, scene, carol, 1);
	assert_int_equal(kill(redis, SIGSTOP), 0);
	for (char id = 'a'; id <= 'e'; id++)
		party_post(&a, bob, id, 500);
	/* Meanwhile a call is set up, talks and ends. */
	party_bang(&a, carol, '1');
	assert_true(party_hears(&a, "bang_answer ringing 1"));
	assert_true(party_hears(&c, "bang from"));
	party_answer(&c, alice, '1', UMSG__FRAME__BODY_TALK);
	assert_true(party_hears(&a, "talk from"));
	party_hangup(&a, carol, '1');
	assert_true(party_hears(&c, "hangup 1"));
	assert_false(party_heard(&a, "post_ack")); /* nothing is promised before it is durable */
	assert_int_equal(kill(redis, SIGCONT), 0);
	for (char id = 'a'; id <= 'e'; id++)
		assert_true(party_hears(&a, "post_ack "));
	assert_int_equal(times(&a, " 0 retry 0"), 5);
	party_close(&a);
	party_close(&c);
	fetch_and_take(scene, bob, alice, "abcde");
}

static void redis_cli(const struct scene *scene, const char *words)
{
	char command[256];

	snprintf(command, sizeof(command),
		 "redis-cli -s '%s/run/redis_low.sock' %s >'%s/redis.out'", scene->root, words,
		 scene->root);
	assert_int_equal(system(command), 0);
}

/* As Redis is when it may not write: every write is refused, reading goes on. */
static void a_read_only_redis_refuses_messages_until_it_can_write(void **state)
{
	struct scene *scene = *state;
	int64_t deadline = clock_mono_ms() + SCENE_PATIENCE_MS;
	static struct party a, b;

	be_away(scene, bob);
	cast_attach(&a, scene, alice, 1);
	party_post(&a, bob, 'f', 500);
	assert_true(party_hears(&a, "post_ack f 0"));
	redis_cli(scene, "config set min-replicas-to-write 1");
	party_post(&a, bob, 'g', 500);
	assert_true(party_hears(&a, "post_ack g 6 retry"));
	cast_attach(&b, scene, bob, 1); /* what was stored before is still handed out */
	party_fetch(&b, 0);
	assert_true(party_hears(&b, "deliver f from"));
	party_close(&b);
	assert_true(scene_cli_shows(scene, "show attach", bob, false));
	redis_cli(scene, "config set min-replicas-to-write 0");
	while (!party_heard(&a, "post_ack g 0") && clock_mono_ms() < deadline) {
		party_post(&a, bob, 'g', 500);
		assert_true(party_hears(&a, "post_ack g "));
	}
	assert_true(party_heard(&a, "post_ack g 0"));
	party_close(&a);
	fetch_and_take(scene, bob, alice, "fg");
}

/* It gets what fits its connection; the rest is stored, and the senders do not wait. */
static void a_client_that_does_not_read_keeps_nobody_waiting(void **state)
{
	struct scene *scene = *state;
	static struct party a, b;
	char line[40], ids[27] = "";

	cast_attach(&a, scene, alice, 1);
	cast_attach(&b, scene, bob, 1);
	link_pause(b.link, true);
	for (char id = 'A'; id <= 'Z'; id++) {
		party_post(&a, bob, id, 45000);
		ids[id - 'A'] = id;
		if (id % 13 == 'M' % 13) /* what our own link queues has a limit, too */
			for (int i = 0; i < 13; i++)
				assert_true(party_hears(&a, "post_ack "));
	}
	assert_int_equal(times(&a, " 0 retry 0"), 26);
	party_fetch(&a, 0); /* and is served as before */
	assert_true(party_hears(&a, "fetched"));
	party_close(&b);
	snprintf(line, sizeof(line), "%s ", bob);
	assert_true(scene_cli_shows(scene, "show attach", line, false));
	party_close(&a);
	fetch_and_take(scene, bob, alice, ids);
}

/* The folder of the account, as it would be listed: names, sizes and times. */
static void list_account(const struct scene *scene, char output[SCENE_OUTPUT])
{
	char command[192];

	snprintf(command, sizeof(command), "cd '%s/accounts/acme' && md5sum *.upd 2>&1; ls",
		 scene->root);
	scene_shell(command, output);
}

static int apply(const struct scene *scene, const char *path)
{
	char socket[128];
	struct control_server server = { .program = "crs", .address = socket };
	json_t *body = json_pack("{s:s, s:b}", "path", path, "partial", 0), *answer = NULL;
	struct diag *diag = diag_new();
	int err;

	snprintf(socket, sizeof(socket), "%s/run/crs.sock", scene->root);
	err = control_call(&server, "POST", "/apply", body, &answer, diag);
	json_decref(body);
	json_decref(answer);
	diag_free(&diag);
	return err;
}

/* CRS-047: an update file cut at each of its lengths is refused and changes nothing. */
static void an_update_that_was_cut_anywhere_changes_nothing(void **state)
{
	const struct update_file_user users[] = { { alice, 1 }, { bob, 1 }, { carol, 1 } };
	const struct update_file first = { .revision = 1, .users = users, .n_users = 3 };
	const struct update_file second = { .revision = 2, .users = users, .n_users = 2 };
	static char before[SCENE_OUTPUT], after[SCENE_OUTPUT];
	struct scene *scene = *state;
	uint8_t *data = NULL;
	char path[128];
	size_t n = 0;

	assert_int_equal(update_file_apply(scene, &first), 0);
	list_account(scene, before);
	snprintf(path, sizeof(path), "%s/cut.upd", scene->root);
	update_file_write(path, &second);
	assert_int_equal(file_read(path, FILE_MAX, &data, &n), 0);
	for (size_t cut = 0; cut < n; cut++) {
		/* All of the head, the index and the end; of the parts every 16th. */
		if (cut > 512 && cut < n - 64 && cut % 16)
			continue;
		assert_int_equal(file_write_atomic(path, 0644, slice_of(data, cut)), 0);
		if (apply(scene, path) != -EREMOTEIO)
			fail_msg("cut at %zu of %zu octets", cut, n);
	}
	list_account(scene, after);
	assert_string_equal(before, after);
	assert_int_equal(file_write_atomic(path, 0644, slice_of(data, n)), 0);
	assert_int_equal(apply(scene, path), 0);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slow_redis_delays_messages_and_no_call),
		cmocka_unit_test(a_read_only_redis_refuses_messages_until_it_can_write),
		cmocka_unit_test(a_client_that_does_not_read_keeps_nobody_waiting),
		cmocka_unit_test(an_update_that_was_cut_anywhere_changes_nothing),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, open_scene, scene_tear_down);
}
