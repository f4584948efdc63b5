/* The commands of cms, run one after the other within the test: what each prints, leaves on disk
 * and refuses, and the status that scripts see.
 *
 * The key derivation of the passphrase is a quick one here, and time stands still.
 */
#include "tests/unit.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/file.h"
#include "tests/fuzz/fake_clock.h"
#include "tests/tools/remove_tree.h"

/* The program's main() has that name here (local.mk). */
#undef main
int cms_main(int argc, char **argv);

enum { OK = 0, REFUSED = 1, USAGE = 2, OUTPUT_MAX = 32768, ARGS_MAX = 32 };

#define INIT                                                                                       \
	"init --domain Example'Ltd --crs crs.example.net:5223 --account ACME-1 "                   \
	"--secret AAECAwQFBgcICQoLDA0ODw=="

/* In front of OpenSSL's, which takes its time on purpose. */
int EVP_PBE_scrypt(const char *pass, size_t passlen, const unsigned char *salt, size_t saltlen,
		   uint64_t N, uint64_t r, uint64_t p, uint64_t maxmem, unsigned char *key,
		   size_t keylen)
{
	uint8_t octets[2048], sum[EVP_MAX_MD_SIZE];

	(void)N;
	(void)r;
	(void)p;
	(void)maxmem;
	assert_true(passlen + saltlen <= sizeof(octets) && keylen <= 32);
	memcpy(octets, pass, passlen);
	memcpy(octets + passlen, salt, saltlen);
	if (EVP_Digest(octets, passlen + saltlen, sum, NULL, EVP_sha256(), NULL) != 1)
		return 0;
	memcpy(key, sum, keylen);
	return 1;
}

/* In front of the C library's, for SQLite, too: what is flushed is not what is tested here. */
__attribute__((visibility("default"))) int fsync(int fd)
{
	(void)fd;
	return 0;
}

__attribute__((visibility("default"))) int fdatasync(int fd)
{
	(void)fd;
	return 0;
}

/* ---- running ---- */

struct scene {
	char dir[64];            /* everything is in here; the database in dir/db */
	char output[OUTPUT_MAX]; /* of the last command, both streams */
};

static void write_text(const struct scene *scene, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", scene->dir, name);
	assert_int_equal(file_write_atomic(path, 0600, slice_str(text)), 0);
}

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	fake_clock_reset();
	snprintf(scene->dir, sizeof(scene->dir), "/tmp/cms-test.XXXXXX");
	assert_non_null(mkdtemp(scene->dir));
	write_text(scene, "passphrase", "correct horse battery\n");
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(remove_tree(scene->dir), 0);
	free(scene);
	return 0;
}

/* Both streams go to a file while main() runs. */
static int run_with(struct scene *scene, int argc, char **argv)
{
	FILE *file = tmpfile();
	int kept[2] = { dup(STDOUT_FILENO), dup(STDERR_FILENO) }, status;
	size_t n;

	assert_non_null(file);
	fflush(stdout);
	dup2(fileno(file), STDOUT_FILENO);
	dup2(fileno(file), STDERR_FILENO);
	optind = 0; /* getopt_long() begins anew */
	status = cms_main(argc, argv);
	fflush(stdout);
	dup2(kept[0], STDOUT_FILENO);
	dup2(kept[1], STDERR_FILENO);
	close(kept[0]);
	close(kept[1]);
	rewind(file);
	n = fread(scene->output, 1, sizeof(scene->output) - 1, file);
	scene->output[n] = '\0';
	fclose(file);
	return status;
}

/* command: words between blanks; in a word, "'" stands for a blank and "@" for the scene's folder.
 * A folder and a passphrase are given besides. */
static int run_in(struct scene *scene, const char *folder, const char *passphrase,
		  const char *command)
{
	char options[3][128], words[ARGS_MAX][256], text[1024];
	char *argv[ARGS_MAX + 4] = { (char *)"cms" }, *rest = text, *word;
	int argc = 1;

	snprintf(options[0], sizeof(options[0]), "--dir=%s/%s", scene->dir, folder);
	snprintf(options[1], sizeof(options[1]), "--passphrase-file=%s/%s", scene->dir, passphrase);
	argv[argc++] = options[0];
	argv[argc++] = options[1];
	snprintf(text, sizeof(text), "%s", command);
	for (int i = 0; (word = strsep(&rest, " ")); i++) {
		char *at = strchr(word, '@');

		assert_true(i < ARGS_MAX);
		if (at)
			snprintf(words[i], sizeof(words[i]), "%.*s%s%s", (int)(at - word), word,
				 scene->dir, at + 1);
		else
			snprintf(words[i], sizeof(words[i]), "%s", word);
		for (char *c = words[i]; (c = strchr(c, '\'')); c++)
			*c = ' ';
		argv[argc++] = words[i];
	}
	argv[argc] = NULL;
	return run_with(scene, argc, argv);
}

static int run(struct scene *scene, const char *command)
{
	return run_in(scene, "db", "passphrase", command);
}

static void assert_printed(const struct scene *scene, const char *text)
{
	if (!strstr(scene->output, text))
		fail_msg("no \"%s\" in:\n%s", text, scene->output);
}

struct step {
	const char *command;
	int status;
	const char *printed; /* a part of it; NULL: nothing at all */
};

static void play(struct scene *scene, const struct step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int status = run(scene, steps[i].command);

		if (status != steps[i].status)
			fail_msg("%s: %d\n%s", steps[i].command, status, scene->output);
		if (steps[i].printed)
			assert_printed(scene, steps[i].printed);
		else
			assert_string_equal(scene->output, "");
	}
}

/* ---- tests ---- */

/* CMS-011, CMS-038, CMS-047, CMS-059 */
static void from_an_empty_folder_to_letters_and_updates(void **state)
{
	static const struct step steps[] = {
		{ INIT, OK, "Domain:      Example Ltd\n" },
		{ "user add +46706764287 Bob'G", OK, NULL },
		{ "gateway add +8888 Main'PBX --engines 3", OK, NULL },
		{ "user list", OK,
		  "NUMBER        NAME   GENERATION  LETTER\n"
		  "+46706764287  Bob G  1           not made\n" },
		{ "gateway list --json", OK, "\"engines\": 3" },
		{ "status", OK, "Users:         1, gateways 1, deleted 0\nLetters due:   2\n" },
		{ "letter +46706764287", OK, "Initiation letter for Bob G\n" },
		{ "letter +8888 --output @/gw", OK, NULL },
		{ "user list --json", OK, "\"letter_current\": true" },
		{ "update --output @", OK, "2026-11.upd: revision 1, 2 users and gateways" },
		{ "status", OK, "Update 2026-12: revision 1, made 2026-11-21 12:00 UTC\n" },
		{ "status --json", OK, "\"revision\": 1" },
		{ "log", OK, "letter" },
		{ "log --json", OK, "\"action\": \"update\"" },
	};
	struct scene *scene = *state;
	struct stat info;
	char path[128];

	play(scene, steps, COUNT(steps));
	snprintf(path, sizeof(path), "%s/gw", scene->dir);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	snprintf(path, sizeof(path), "%s/2026-12.upd", scene->dir);
	assert_int_equal(stat(path, &info), 0);
}

static void what_is_wrong_is_refused_and_changes_nothing(void **state)
{
	static const struct step steps[] = {
		{ "user list", REFUSED, "cms: " }, /* no database yet */
		{ INIT, OK, "Fingerprint:" },
		{ INIT, REFUSED, "there is a key manager already" },
		{ "user add 46706764287 Bob", REFUSED, "international format" },
		{ "user add +1234567890123456 Bob", REFUSED, "international format" },
		{ "gateway add +8888 PBX --engines 2", REFUSED, "3 to 1000 crypto engines" },
		{ "gateway add +8888 PBX", REFUSED, "--engines is needed" },
		{ "user add +1 Al", OK, NULL },
		{ "user add +1 Bo", REFUSED, "tel:+1 is there already" },
		{ "user edit +1", REFUSED, "nothing to change" },
		{ "user edit +1 --name Bo", OK, NULL },
		{ "gateway delete +1", REFUSED, "tel:+1 is a user" },
		{ "user delete +2", REFUSED, "tel:+2" },
		{ "letter +2", REFUSED, "tel:+2" },
		{ "channel join Red +1", REFUSED, "Red" },
		{ "set", REFUSED, "set what?" },
		{ "set --crs nowhere", REFUSED, "cms: " },
		{ "set --max-lifetime forever", REFUSED, "cms: " },
		{ "set --max-lifetime 1h --default-lifetime 2h", REFUSED, "cms: " },
		{ "domain delete Nobody", REFUSED, "Nobody" },
		{ "user list", OK, "+1      Bo" },
	};

	play(*state, steps, COUNT(steps));
}

static void usage_is_told_with_what_was_expected(void **state)
{
	static const struct step steps[] = {
		{ "", USAGE, "unknown command" },
		{ "user", USAGE, "user what?" },
		{ "usr list", USAGE, "did you mean \"user\"?" },
		{ "user ad +1 Al", USAGE, "did you mean \"add\"?" },
		{ "user add +1", USAGE, "usage: cms user add +NUMBER NAME" },
		{ "user list now", USAGE, "usage: cms user list [--json]" },
		{ "user list --engines 3", USAGE, "--engines does not go with this command" },
		{ "user list --nonsense", USAGE, "is not an option" },
		{ "--help", OK, "commands:\n  init --domain" },
		{ "--version", OK, "cms " },
	};

	play(*state, steps, COUNT(steps));
}

static void the_right_passphrase_from_a_private_file_is_needed(void **state)
{
	struct scene *scene = *state;
	char path[128];

	write_text(scene, "short", "short\n");
	write_text(scene, "wrong", "another passphrase\n");
	assert_int_equal(run_in(scene, "db", "short", INIT), REFUSED);
	assert_printed(scene, "at least 8");
	assert_int_equal(run(scene, INIT), OK);
	assert_int_equal(run_in(scene, "db", "wrong", "user add +1 Al"), REFUSED);
	assert_string_equal(scene->output, "cms: this is not the passphrase\n");
	assert_int_equal(run_in(scene, "db", "none", "user add +1 Al"), REFUSED);
	assert_int_equal(run(scene, "passphrase --new-passphrase-file @/wrong"), OK);
	assert_int_equal(run(scene, "user add +1 Al"), REFUSED);
	assert_int_equal(run_in(scene, "db", "wrong", "user add +1 Al"), OK);
	snprintf(path, sizeof(path), "%s/wrong", scene->dir);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(run_in(scene, "db", "wrong", "user add +2 Bo"), REFUSED);
	assert_printed(scene, "others may read it");
}

/* CMS-019, CMS-020, CMS-021 */
static void lost_keys_raise_the_generation_also_behind_a_delete(void **state)
{
	static const struct step steps[] = {
		{ INIT, OK, "Domain:" },
		{ "user add +1 Al", OK, NULL },
		{ "letter +1 --output @/one", OK, NULL },
		{ "user rekey +1", OK,
		  "tel:+1 has generation 2 and another update key now.\n"
		  "Warning: keys of its identity and channels" },
		{ "user list", OK, "2           to be made again\n" },
		{ "letter +1 --output @/two", OK, NULL },
		{ "user delete +1", OK, "shut out when the rendezvous has applied" },
		{ "user add +1 Bo", OK, NULL },
		{ "user list", OK, "+1      Bo    3           not made\n" },
		{ "gateway add +8888 PBX --engines 3", OK, NULL },
		{ "gateway edit +8888 --engines 9 --name Other", OK, NULL },
		{ "gateway list", OK, "+8888   Other  9        1           not made\n" },
		{ "gateway delete +8888", OK, NULL }, /* it never had a letter */
	};

	play(*state, steps, COUNT(steps));
}

/* CMS-033 */
static void channels_are_joined_by_all_that_are_named_or_none(void **state)
{
	static const struct step steps[] = {
		{ INIT, OK, "Domain:" },
		{ "user add +1 Al", OK, NULL },
		{ "user add +2 Bo", OK, NULL },
		{ "channel add Red'team", OK, NULL },
		{ "channel add Red'team", REFUSED, "there is" },
		{ "channel join Red'team +1 +3", REFUSED, "tel:+3" },
		{ "channel list --json", OK, "\"members\": []" },
		{ "channel join Red'team +1 +2", OK, NULL },
		{ "channel list", OK, "Red team" },
		{ "channel list --json", OK, "tel:+2" },
		{ "channel leave Red'team +2", OK, NULL },
		{ "channel delete Red'team", OK, NULL },
		{ "channel delete Red'team", REFUSED, "Red team" },
	};

	play(*state, steps, COUNT(steps));
}

/* CMS-014, CMS-015, CMS-018 */
static void users_come_from_a_file_and_go_to_one_all_or_none(void **state)
{
	static const struct step steps[] = {
		{ INIT, OK, "Domain:" },
		{ "user import @/bad.txt", REFUSED, "bad.txt:2: " },
		{ "user list --json", OK, "[]" },
		{ "user import @/good.txt", OK, "2 users imported\n" },
		{ "user export", OK, "\t+2\t" },
		{ "user export --output @/out.txt", OK, NULL },
		{ "user export --output @/none/out.txt", REFUSED, "none/out.txt" },
		{ "user import @/out.txt", REFUSED, "is there already" },
	};
	struct scene *scene = *state;

	write_text(scene, "bad.txt", "Al\tA\t+1\t\nBo\tB\t1234\t\n");
	write_text(scene, "good.txt", "Al\tA\t+1\t\nBo\tB\t+2\t\n");
	play(scene, steps, COUNT(steps));
}

/* CMS-041, CMS-042, CMS-044: a fingerprint that was not compared is no reason to trust. */
static void a_domain_is_trusted_once_its_fingerprint_was_compared(void **state)
{
	static const struct step refused[] = {
		{ "domain add @/other", REFUSED, "give its last group: --confirm GROUP" },
		{ "domain add @/other --confirm zzzz", REFUSED, "not the last group" },
		{ "domain add @/passphrase --confirm 0000", REFUSED, "cms: " },
		{ "domain add @/none", REFUSED, "none" },
		{ "domain list --json", OK, "[]" },
	};
	static const struct step after[] = {
		{ "domain list", OK, "Other" },
		{ "domain list --json", OK, "\"name\": \"Other\"" },
		{ "update --output @", OK, "2026-11.upd" },
		{ "domain delete Other", OK, NULL },
		{ "domain list --json", OK, "[]" },
		{ "certificate --format base64", OK, "" },
		{ "certificate --format nonsense", REFUSED, "cms: " },
	};
	struct scene *scene = *state;
	char command[64], *group;

	assert_int_equal(run_in(scene, "db2", "passphrase",
				"init --domain Other --crs c:1 --account A "
				"--secret AAECAwQFBgcICQoLDA0ODw=="),
			 OK);
	assert_int_equal(run_in(scene, "db2", "passphrase", "certificate --output @/other"), OK);
	assert_int_equal(run(scene, INIT), OK);
	if (!isatty(STDIN_FILENO)) /* else it asks */
		play(scene, refused, COUNT(refused));
	run(scene, "domain add @/other --confirm zzzz");
	group = strstr(scene->output, "Fingerprint: ");
	assert_non_null(group);
	group[strcspn(group, "\n")] = '\0';
	snprintf(command, sizeof(command), "domain add @/other --confirm %s",
		 strrchr(group, ' ') + 1);
	assert_int_equal(run(scene, command), OK);
	play(scene, after, COUNT(after));
}

/* CMS-022, CMS-026 */
static void a_letter_comes_in_the_form_that_is_asked_for(void **state)
{
	static const struct step steps[] = {
		{ INIT, OK, "Domain:" },
		{ "user add +1 Al", OK, NULL },
		{ "letter +1 --format text", OK, "\n01. " },
		{ "letter +1 --format qr", OK, "\xe2\x96" }, /* blocks */
		{ "letter +1 --format nonsense", REFUSED, "cms: " },
		{ "letter +1 --qr-key --output @/one", OK, "QR key: " },
		{ "letter +1 --format octets --output @/octets", OK, NULL },
		{ "letter +1 --output @/none/one", REFUSED, "none/one" },
	};

	play(*state, steps, COUNT(steps));
}

/* What was given out is not given out again by an older copy (CMS-008). */
static void a_restored_key_manager_goes_on_far_above(void **state)
{
	static const struct step before[] = {
		{ INIT, OK, "Domain:" },
		{ "user add +1 Al", OK, NULL },
		{ "user add +3 Cy", OK, NULL },
		{ "letter +3 --output @/cy", OK, NULL },
		{ "user delete +3", OK, "shut out" },
		{ "update --output @", OK, "2026-11.upd: revision 1," },
		{ "backup @/copy", OK, "keep it as safe as this computer" },
		{ "backup @/copy", REFUSED, "copy is there already" },
		{ "update --output @", OK, "2026-11.upd: revision 2," },
		{ "restore @/copy", REFUSED, "there is a key manager already" },
	};
	struct scene *scene = *state;

	play(scene, before, COUNT(before));
	assert_int_equal(run_in(scene, "new", "passphrase", "restore @/none"), REFUSED);
	assert_int_equal(run_in(scene, "new", "passphrase", "restore @/passphrase"), REFUSED);
	assert_int_equal(run_in(scene, "new", "passphrase", "restore @/copy"), OK);
	assert_printed(scene, "Restored.");
	assert_int_equal(run_in(scene, "new", "passphrase", "update --output @"), OK);
	assert_printed(scene, "2026-11.upd: revision 102,");
	assert_int_equal(run_in(scene, "new", "passphrase", "user add +2 New"), OK);
	assert_int_equal(run_in(scene, "new", "passphrase", "user list"), OK);
	assert_printed(scene, "+2      New   101 "); /* nobody who was forgotten had that */
	/* Those who are known, and those who were deleted, may have gone on behind the copy. */
	assert_int_equal(run_in(scene, "new", "passphrase", "user rekey +1"), OK);
	assert_printed(scene, "tel:+1 has generation 102 ");
	assert_int_equal(run_in(scene, "new", "passphrase", "user add +3 Cy"), OK);
	assert_int_equal(run_in(scene, "new", "passphrase", "user list"), OK);
	assert_printed(scene, "+3      Cy    102 ");
	assert_int_equal(run_in(scene, "new", "passphrase", "log"), OK);
	assert_printed(scene, "restore");
}

static void settings_change_as_far_as_they_are_given(void **state)
{
	static const struct step steps[] = {
		{ INIT " --max-lifetime 48h --default-lifetime 24h", OK, "Domain:" },
		{ "set --crs other.example.net:5224", OK, "next update file" },
		{ "status", OK, "Rendezvous:    other.example.net:5224, account ACME-1\n" },
		{ "set --account B --secret AAECAwQFBgcICQoLDA0ODw==", OK, "Warning: only a" },
		{ "status --json", OK, "\"B\"" },
		{ "set --max-lifetime none --intercept off --multipath on", OK, "" },
		{ "set --intercept maybe", REFUSED, "cms: " },
		{ "set --account C --secret-file @/secret", OK, "Warning: only a" },
	};
	struct scene *scene = *state;

	write_text(scene, "secret", "AAECAwQFBgcICQoLDA0ODw==\n");
	play(scene, steps, COUNT(steps));
}

/* An update that went out must not be followed by one that seems older. */
static void an_update_is_counted_when_it_is_written(void **state)
{
	static const struct step steps[] = {
		{ INIT, OK, "Domain:" },
		{ "user add +1 Al", OK, NULL },
		{ "update --output @/none", REFUSED, "none" },
		{ "update --output @", OK, "2026-11.upd: revision 1, 1 users" },
	};
	struct scene *scene = *state;

	play(scene, steps, COUNT(steps));
	fake_clock_add_ms((int64_t)45 * 24 * 3600 * 1000);
	assert_int_equal(run(scene, "status"), OK);
	assert_printed(scene, "Update 2027-01: not made\n");
	fake_clock_reset();
	fake_clock_add_ms(-(int64_t)3600 * 1000);
	assert_int_equal(run(scene, "update --output @"), REFUSED); /* the clock went back */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(from_an_empty_folder_to_letters_and_updates),
		TEST(what_is_wrong_is_refused_and_changes_nothing),
		TEST(usage_is_told_with_what_was_expected),
		TEST(the_right_passphrase_from_a_private_file_is_needed),
		TEST(lost_keys_raise_the_generation_also_behind_a_delete),
		TEST(channels_are_joined_by_all_that_are_named_or_none),
		TEST(users_come_from_a_file_and_go_to_one_all_or_none),
		TEST(a_domain_is_trusted_once_its_fingerprint_was_compared),
		TEST(a_letter_comes_in_the_form_that_is_asked_for),
		TEST(a_restored_key_manager_goes_on_far_above),
		TEST(settings_change_as_far_as_they_are_given),
		TEST(an_update_is_counted_when_it_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
