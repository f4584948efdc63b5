/* A real crs: what crs-cli says to every word that means nothing. */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/rendezvous/cast.h"
#include "tests/rendezvous/party.h"
#include "tests/rendezvous/scene.h"

#define KNOWN "tel:+46700000001"
#define NOBODY "tel:+46799999999"

enum { OK = 0, ERROR = 1, USAGE = 2 };

/* CRS-061, CRS-062, CRS-064, CRS-067, CRS-069, CRS-070, CRS-114 and CRS-123: each action of the
 * manual's 5.4 that names an account, a user, an administrator or a file.  said is looked for in
 * both outputs; NULL: anything. */
static const struct {
	const char *words;
	int status;
	const char *said;
} cases[] = {
	/* users */
	{ "purge client acme " NOBODY, ERROR, "account acme has no client " NOBODY },
	{ "purge client acme ''", ERROR, "account acme has no client" },
	{ "purge client nobody " KNOWN, ERROR, "there is no account nobody" },
	{ "purge client other " KNOWN, ERROR, "account other has no client " KNOWN },
	{ "purge client acme " KNOWN, OK, "" },
	{ "wakeup client acme " NOBODY, ERROR, "account acme has no client " NOBODY },
	{ "wakeup client nobody " KNOWN, ERROR, "there is no account nobody" },
	{ "wakeup client acme " KNOWN, ERROR, "push is off" },
	{ "lookup client acme " NOBODY, ERROR, "nobody has this URI here" },
	{ "lookup client nobody " KNOWN, ERROR, "there is no account nobody" },
	{ "lookup client acme " KNOWN " -x", USAGE, "usage: crs-cli lookup" },
	{ "delete client-info acme " NOBODY, ERROR, "account acme has no client " NOBODY },
	{ "delete client-info nobody " KNOWN, ERROR, "there is no account nobody" },
	{ "show push-token acme " NOBODY, ERROR, "account acme has no client " NOBODY },
	{ "show push-token nobody " KNOWN, ERROR, "there is no account nobody" },
	{ "show push-token acme " KNOWN, OK, "TOKENS" },
	{ "blacklist add acme 46700000001", ERROR, "46700000001" },
	{ "blacklist add nobody " KNOWN, ERROR, "nobody" },
	{ "blacklist remove acme " KNOWN, ERROR, "not on the blacklist" },
	{ "blacklist remove nobody " KNOWN, ERROR, "nobody" },
	{ "check slot 46700000001", ERROR, "is no URI" },
	{ "check slot " KNOWN, OK, NULL },
	{ "--json check slot " KNOWN, OK, "[{\"uri\": \"" KNOWN "\", \"slot\": " },
	/* accounts */
	{ "purge clients nobody", ERROR, "there is no account nobody" },
	{ "purge observed nobody", ERROR, "there is no account nobody" },
	{ "show blacklist nobody", ERROR, "there is no account nobody" },
	{ "show client-info nobody", ERROR, "there is no account nobody" },
	{ "show client-storage nobody", ERROR, "there is no account nobody" },
	{ "stats enable nobody", ERROR, "there is no account nobody" },
	{ "stats disable nobody", ERROR, "there is no account nobody" },
	{ "stats clear nobody", ERROR, "there is no account nobody" },
	{ "stats export nobody", ERROR, "there is no account nobody" },
	{ "update-notification enable nobody", ERROR, "there is no account nobody" },
	{ "update-notification disable nobody", ERROR, "there is no account nobody" },
	{ "health-check account nobody", ERROR, "there is no account nobody" },
	{ "delete account nobody", ERROR, "nobody" },
	{ "create account acme", ERROR, "acme" },
	{ "create account a\xff", ERROR, "must be UTF-8" },
	{ "create account b -s \xff", ERROR, "must be UTF-8" },
	{ "delete account a\xff", ERROR, "must be UTF-8" },
	{ "wakeup client a\xff " KNOWN, ERROR, "must be UTF-8" },
	{ "create account b -b 8 -B 1", USAGE, "-b and -B do not go together" },
	{ "create account b -b many", ERROR, "-b many: expected a number" },
	{ "create account b -B 1", ERROR, "a shared secret has " },
	{ "create account b -B", USAGE, "usage: crs-cli create" },
	{ "create sharedSecret -s abc", USAGE, "usage: crs-cli create" },
	{ "--json create sharedSecret -b256", OK, "{\"secret\": \"" },
	{ "reload account", OK, "" },
	{ "--json reload account", OK, "{" },
	/* administrators */
	{ "delete admin nobody", ERROR, "nobody" },
	{ "show admin nobody", ERROR, "nobody" },
	{ "show admin-accounts nobody", ERROR, "nobody" },
	{ "add admin-account nobody acme", ERROR, "nobody" },
	{ "add admin-account root nobody", ERROR, "there is no account nobody" },
	{ "delete admin-account root acme", ERROR, "no access to acme" },
	{ "add admin-account-authorization root acme update", ERROR, "no access to acme" },
	{ "add admin-account-authorization root acme reboot", ERROR, "reboot" },
	{ "delete admin-account-authorization root acme update", ERROR, "no access to acme" },
	/* files and words */
	{ "apply /nowhere.upd", ERROR, "/nowhere.upd" },
	{ "apply /dev/null", ERROR, NULL },
	{ "apply /dev/null --partly", USAGE, "usage: crs-cli apply" },
	{ "restore /nowhere.tar", ERROR, "/nowhere.tar" },
	{ "restore /nowhere.tar --look", USAGE, "usage: crs-cli restore" },
	{ "trace everything", ERROR, "expected attach" },
	{ "trace attach --only", USAGE, "usage: crs-cli trace" },
	{ "trace --only acme", USAGE, "usage: crs-cli trace" },
	{ "trace attach --only a --only b", USAGE, "usage: crs-cli trace" },
	{ "health-check system --output-format xml", USAGE, "usage: crs-cli health-check" },
	{ "health-check account acme --remote-only", USAGE, "usage: crs-cli health-check" },
	{ "add iw-crs 192.0.2.9 secret -c comment", USAGE, "does not work with other rendezvous" },
	{ "delete iw-crs 192.0.2.9", USAGE, "there is no iw-crs to delete" },
	{ "stats reset acme", USAGE, "crs-cli stats clear ACCOUNT" },
	{ "", USAGE, "usage: crs-cli" },
};

static void a_word_that_means_nothing_is_told_by_text_and_exit_code(void **state)
{
	struct scene *scene = *state;
	char output[SCENE_OUTPUT];
	struct party party;

	assert_int_equal(scene_cli(scene, "create account other", output), OK);
	assert_int_equal(scene_cli(scene, "create admin root", output), OK);
	cast_attach(&party, scene, KNOWN, 1);
	for (size_t i = 0; i < COUNT(cases); i++) {
		int status = scene_cli(scene, cases[i].words, output);
		bool good = status == cases[i].status &&
			    (!cases[i].said || strstr(output, cases[i].said));

		if (!good)
			print_message("crs-cli %s: exit %d, and said:\n%s", cases[i].words, status,
				      output);
		assert_true(good);
	}
	assert_true(party_hears(&party, "closed")); /* of the one that was right */
	party_close(&party);
}

/* Every action of the usage, with a word less than it needs and with one more than it takes. */
static void too_few_and_too_many_words_are_a_mistake(void **state)
{
	struct scene *scene = *state;
	char usage[SCENE_OUTPUT], output[SCENE_OUTPUT], words[256], *rest;
	unsigned seen = 0;

	assert_int_equal(scene_cli(scene, "--help", usage), OK);
	for (char *line = strtok_r(usage, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char verb[64], noun[64];
		int n = sscanf(line, "  %63s %63s", verb, noun);
		bool alone = n < 2 || strspn(noun, "ABCDEFGHIJKLMNOPQRSTUVWXYZ[") > 0 ||
			     strchr(noun, '|');

		if (strncmp(line, "  ", 2) != 0)
			continue;
		seen++;
		snprintf(words, sizeof(words), "%s %s a b c d e f g h", verb, alone ? "" : noun);
		assert_int_equal(scene_cli(scene, words, output), USAGE);
		snprintf(words, sizeof(words), "%s %s", verb, alone ? "" : noun);
		/* what takes no word, or only options, does its work */
		if (strpbrk(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") && !strchr(line, '['))
			assert_int_equal(scene_cli(scene, words, output), USAGE);
	}
	assert_true(seen > 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_that_means_nothing_is_told_by_text_and_exit_code),
		cmocka_unit_test(too_few_and_too_many_words_are_a_mistake),
	};

	return cmocka_run_group_tests(tests, cast_open, cast_close);
}
