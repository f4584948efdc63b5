/* Accounts of a real crs: how they are made, and what goes with them. */
#include "tests/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/encode.h"
#include "tests/rendezvous/cast.h"
#include "tests/rendezvous/party.h"
#include "tests/rendezvous/scene.h"

/* Blacklisting takes effect at once; so does deleting the account.  I-19: "list" and "show" are the
 * same. */
static void the_blacklist_and_a_deleted_account_cut_off(void **state)
{
	struct scene *scene = *state;
	char words[128], output[SCENE_OUTPUT];
	struct party a, b;

	cast_attach(&a, scene, alice, 1);
	cast_attach(&b, scene, bob, 1);
	snprintf(words, sizeof(words), "blacklist add acme %s", alice);
	assert_int_equal(scene_cli(scene, words, output), 0);
	assert_true(party_hears(&a, "unregistered 2 blacklisted"));
	assert_true(scene_cli_shows(scene, "list blacklist acme", alice, true));
	assert_true(scene_cli_shows(scene, "show blacklist acme", alice, true));
	assert_true(scene_cli_shows(scene, "list attach", alice, false));
	assert_true(scene_cli_shows(scene, "list attach", bob, true));
	party_post(&b, alice, 'q', 100);
	assert_true(party_hears(&b, "post_ack q 5"));
	snprintf(words, sizeof(words), "purge client acme %s", bob);
	assert_int_equal(scene_cli(scene, words, output), 0);
	/* RFC 6455 7.1.1: by a close, not by the end of its TCP. */
	assert_true(party_hears(&b, "closed closed-by-peer"));
	party_close(&b);
	cast_attach(&b, scene, bob, 1);
	assert_int_equal(scene_cli(scene, "delete account acme", output), 0);
	assert_true(party_hears(&b, "closed closed-by-peer"));
	assert_true(scene_cli_shows(scene, "list account", "acme", false));
	party_close(&a);
	party_close(&b);
}

/* Each of the two workers has logged it. */
static bool in_log(const struct scene *scene, const char *text)
{
	char command[256], output[SCENE_OUTPUT];

	snprintf(command, sizeof(command), "grep -c '%s' '%s/log/crs.log'", text, scene->root);
	return scene_shell(command, output) == 0 && strcmp(output, "2\n") == 0;
}

static bool enters(struct scene *scene, const struct party_options *user)
{
	struct party party;
	bool entered;

	party_open(&party, scene, user);
	while (!party_heard(&party, "registered") && !party_heard(&party, "closed"))
		scene_run(scene);
	entered = party_heard(&party, "registered");
	party_close(&party);
	return entered;
}

/* A fault of a moment, such as no descriptors, and no further change: workers would not know the
 * new account until somebody makes another one. */
static void accounts_that_cannot_be_read_now_are_read_later(void **state)
{
	const struct party_options user = {
		.uri = bob, .account = "other", .secret = SCENE_SECRET, .generation = 1, .device = 1
	};
	int64_t deadline = clock_mono_ms() + SCENE_PATIENCE_MS;
	struct scene *scene = *state;
	char command[256], output[SCENE_OUTPUT];

	snprintf(command, sizeof(command), "cd '%s/accounts/acme' && rm -f blacklist && mkdir %s",
		 scene->root, "blacklist");
	assert_int_equal(scene_shell(command, output), 0);
	assert_int_equal(scene_cli(scene, "create account other -s " SCENE_SECRET, output), 0);
	while (!in_log(scene, "cannot load the accounts again") && clock_mono_ms() < deadline)
		scene_run(scene);
	assert_false(enters(scene, &user));
	snprintf(command, sizeof(command), "rmdir '%s/accounts/acme/blacklist'", scene->root);
	assert_int_equal(scene_shell(command, output), 0);
	while (!enters(scene, &user))
		assert_true(clock_mono_ms() < deadline);
}

/* CRS-045: with an account its users go, and what was kept for them: whoever gets the same number
 * in a later account finds an empty mailbox and no data of others. */
static void nothing_of_a_deleted_accounts_users_is_left(void **state)
{
	struct scene *scene = *state;
	char output[SCENE_OUTPUT];
	struct party a, b;

	cast_attach(&b, scene, bob, 1);
	party_keep(&b, "settings", "text", "private");
	assert_true(party_hears(&b, "done"));
	party_close(&b);
	assert_true(scene_cli_shows(scene, "show attach", bob, false));
	cast_attach(&a, scene, alice, 1);
	party_post(&a, bob, 'm', 100);
	assert_true(party_hears(&a, "post_ack m 0"));
	assert_true(scene_cli_shows(scene, "show client-storage acme", "settings", true));
	assert_int_equal(scene_cli(scene, "delete account acme", output), 0);
	assert_true(party_hears(&a, "closed"));
	party_close(&a);
	assert_int_equal(scene_cli(scene, "create account acme -s " SCENE_SECRET, output), 0);
	assert_int_equal(scene_cli(scene, "show client-storage acme", output), 0);
	assert_null(strstr(output, "settings"));
	assert_int_equal(scene_cli(scene, "show message", output), 0);
	assert_null(strstr(output, bob));
	cast_attach(&b, scene, bob, 1);
	assert_true(party_heard(&b, "registered primary waiting 0"));
	party_close(&b);
}

/* Until what the store holds names this, or does not. */
static void await_in_store(struct scene *scene, const char *text, bool wanted)
{
	int64_t deadline = clock_mono_ms() + SCENE_PATIENCE_MS;
	char command[256], output[SCENE_OUTPUT] = "";

	snprintf(command, sizeof(command),
		 "redis-cli --raw -s '%s/run/redis_low.sock' keys '*' 2>&1 && echo all",
		 scene->root);
	while (scene_shell(command, output) != 0 || !strstr(output, "all") ||
	       (strstr(output, text) != NULL) != wanted) {
		if (clock_mono_ms() > deadline)
			fail_msg("%s %s in:\n%s", wanted ? "no" : "still", text, output);
		scene_run(scene);
	}
}

/* Of the account's users there are data and a message in the store. */
static void leave_something(struct scene *scene)
{
	struct party a, b;

	cast_attach(&b, scene, bob, 1);
	party_keep(&b, "settings", "text", "private");
	assert_true(party_hears(&b, "done"));
	party_close(&b);
	assert_true(scene_cli_shows(scene, "show attach", bob, false));
	cast_attach(&a, scene, alice, 1);
	party_post(&a, bob, 'm', 100);
	assert_true(party_hears(&a, "post_ack m 0"));
	party_close(&a);
	await_in_store(scene, bob, true);
	await_in_store(scene, "acme", true);
}

/* Its data are not left for whoever has the name next: workers hear of it when there is no store,
 * and tell it when there is. */
static void an_account_that_is_deleted_while_the_store_is_away_leaves_nothing(void **state)
{
	struct scene *scene = *state;
	int64_t deadline = clock_mono_ms() + SCENE_PATIENCE_MS;
	char path[128], output[SCENE_OUTPUT];
	int fd;

	leave_something(scene);
	/* The lock keeps its successor away. */
	snprintf(path, sizeof(path), "%s/data/redis_low/lock", scene->root);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(kill(scene_process(scene, "redis_low"), SIGKILL), 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	while (!in_log(scene, "connection to redis_low lost") && clock_mono_ms() < deadline)
		scene_run(scene);
	assert_int_equal(scene_cli(scene, "delete account acme", output), 0);
	assert_int_equal(close(fd), 0);
	await_in_store(scene, bob, false);
	await_in_store(scene, "acme", false);
}

/* Workers have told it, and it has not done it. */
static void an_account_that_is_deleted_while_the_store_hangs_leaves_nothing(void **state)
{
	struct scene *scene = *state;
	char output[SCENE_OUTPUT];
	pid_t redis;

	leave_something(scene);
	redis = scene_process(scene, "redis_low");
	assert_int_equal(kill(redis, SIGSTOP), 0);
	assert_int_equal(scene_cli(scene, "delete account acme", output), 0);
	assert_false(in_log(scene, "connection to redis_low lost"));
	assert_int_equal(kill(redis, SIGKILL), 0);
	await_in_store(scene, bob, false);
	await_in_store(scene, "acme", false);
}

/* CRS-040, CRS-041, CRS-042, CRS-043 and CRS-044: with the server and without it. */
static void accounts_are_made_as_they_are_asked_for(void **state)
{
	static const struct {
		const char *words;
		int status;
		size_t octets; /* of the secret that is printed; 0: none */
	} cases[] = {
		{ "create account a1", 0, 16 },
		{ "create account a2 -b 130", 0, 17 },
		{ "create account a3 -B 32", 0, 32 },
		{ "create account a4 -s 'two words'", 0, 0 },
		{ "create account a4 -s again", 1, 0 },
		{ "create account a5 -s x -b 128", 2, 0 },
		{ "create account a5 -b", 2, 0 },
		{ "create account a5 -b many", 1, 0 },
		{ "create account a5 -b 64", 1, 0 },
		{ "create account aaaaaaaaaaaaaaaaaaaaa", 1, 0 },
		{ "create account", 2, 0 },
		{ "create sharedSecret", 0, 16 },
		{ "create sharedSecret -B32", 0, 32 }, /* CRS manual 4.1.2.1 */
		{ "create sharedSecret -b130", 0, 17 },
		{ "create sharedSecret -B32 33", 2, 0 },
		{ "create sharedSecret -Bx", 1, 0 },
		{ "create sharedSecret -B 32", 0, 32 },
		{ "create sharedSecret -s x", 2, 0 },
		{ "destroy account", 2, 0 },
	};
	struct scene *scene = *state;
	char output[SCENE_OUTPUT];

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < COUNT(cases); i++) {
			uint8_t octets[64];
			size_t n = 0;

			assert_int_equal(scene_cli(scene, cases[i].words, output), cases[i].status);
			if (cases[i].octets == 0)
				continue;
			output[strcspn(output, "\n")] = '\0';
			assert_int_equal(base64_decode(BASE64_STANDARD, slice_str(output), octets,
						       sizeof(octets), &n),
					 0);
			assert_int_equal(n, cases[i].octets);
		}
		assert_int_equal(scene_cli(scene, "list account", output), 0);
		assert_non_null(strstr(output, "two words"));
		assert_non_null(strstr(output, "/accounts/a3"));
		if (round == 1)
			break;
		for (char name[] = "delete account a1"; name[16] <= '4'; name[16]++)
			assert_int_equal(scene_cli(scene, name, output), 0);
		assert_int_equal(scene_stop(&scene->crs), 0);
	}
	scene_start(scene);
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, cast_open, cast_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(the_blacklist_and_a_deleted_account_cut_off),
		ONE(accounts_that_cannot_be_read_now_are_read_later),
		ONE(nothing_of_a_deleted_accounts_users_is_left),
		ONE(an_account_that_is_deleted_while_the_store_is_away_leaves_nothing),
		ONE(an_account_that_is_deleted_while_the_store_hangs_leaves_nothing),
		ONE(accounts_are_made_as_they_are_asked_for),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, cast_names, NULL);
}
