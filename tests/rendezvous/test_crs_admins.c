/* A real crs: remote administrators. */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "tests/rendezvous/scene.h"
#include "tests/rendezvous/update_file.h"

static void do_cli(struct scene *scene, const char *words)
{
	char output[SCENE_OUTPUT];

	if (scene_cli(scene, words, output) != 0)
		fail_msg("%s: %s", words, output);
}

static void assert_refused(struct scene *scene, const char *words, const char *why)
{
	char output[SCENE_OUTPUT];

	assert_int_equal(scene_cli(scene, words, output), 1);
	if (!strstr(output, why))
		fail_msg("%s: %s", words, output);
}

/* CRS-071: the secret is printed.  CRS-072: names.  CRS-073: deleted is gone. */
static void an_admin_is_made_with_a_secret_and_deleted(void **state)
{
	struct scene *scene = *state;
	char output[SCENE_OUTPUT], secret[64], path[128];
	struct stat st;

	assert_int_equal(scene_cli(scene, "create admin night-shift_1", output), 0);
	assert_int_equal(strlen(output), 25); /* base64 of 16 octets, and a newline */
	snprintf(secret, sizeof(secret), "%.24s", output);
	assert_true(scene_cli_shows(scene, "show admin night-shift_1", secret, true));
	snprintf(path, sizeof(path), "%s/data/admins/night-shift_1.json", scene->root);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_refused(scene, "create admin night-shift_1", "exists already");
	assert_refused(scene, "create admin 123456789012345678901", "expected 1 to 20");
	assert_refused(scene, "create admin a/b", "expected 1 to 20");
	do_cli(scene, "delete admin night-shift_1");
	assert_refused(scene, "show admin night-shift_1", "there is no admin");
	assert_refused(scene, "delete admin night-shift_1", "there is no admin");
}

/* CRS-075: no access by default.  CRS-074, CRS-076, CRS-077 and CRS-078. */
static void access_and_authorizations_are_given_and_taken(void **state)
{
	struct scene *scene = *state;
	char output[SCENE_OUTPUT];

	do_cli(scene, "create admin olga");
	assert_int_equal(scene_cli(scene, "show admins", output), 0);
	assert_non_null(strstr(output, "ADMIN"));
	assert_non_null(strstr(output, "olga"));
	assert_null(strstr(output, "acme"));
	assert_refused(scene, "add admin-account-authorization olga acme update", "no access");
	assert_refused(scene, "add admin-account olga nobody", "there is no account nobody");
	do_cli(scene, "add admin-account olga acme");
	assert_refused(scene, "add admin-account olga acme", "already access");
	assert_true(scene_cli_shows(scene, "show admins", "acme", true));
	assert_refused(scene, "add admin-account-authorization olga acme everything",
		       "expected update or statistics");
	do_cli(scene, "add admin-account-authorization olga acme statistics");
	do_cli(scene, "add admin-account-authorization olga acme update");
	assert_true(scene_cli_shows(scene, "show admin-accounts olga", "statistics,update", true));
	do_cli(scene, "delete admin-account-authorization olga acme statistics");
	assert_refused(scene, "delete admin-account-authorization olga acme statistics", "has not");
	assert_true(scene_cli_shows(scene, "show admin-accounts olga", "statistics", false));
	do_cli(scene, "delete admin-account olga acme");
	assert_true(scene_cli_shows(scene, "show admin-accounts olga", "acme", false));
	assert_refused(scene, "delete admin-account olga acme", "no access");
	do_cli(scene, "delete admin olga");
}

/* ---- cra ---- */

static int cra(const struct scene *scene, const char *words, char output[SCENE_OUTPUT])
{
	char command[512];

	snprintf(command, sizeof(command),
		 "'%s' --server 127.0.0.1:%u --admin olga --secret-file '%s/olga.secret' %s 2>&1",
		 CRA, scene->port, scene->root, words);
	return scene_shell(command, output);
}

static void write_secret(const struct scene *scene, const char *secret, mode_t mode)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/olga.secret", scene->root);
	assert_int_equal(file_write_atomic(path, mode, slice_str(secret)), 0);
}

static void make_olga(struct scene *scene)
{
	char output[SCENE_OUTPUT];

	assert_int_equal(scene_cli(scene, "create admin olga", output), 0);
	write_secret(scene, output, 0600);
}

static void assert_cra_refused(struct scene *scene, const char *words, const char *why)
{
	char output[SCENE_OUTPUT];

	assert_int_equal(cra(scene, words, output), 1);
	if (!strstr(output, why))
		fail_msg("cra %s: %s", words, output);
}

/* CRS-101: the type of the user in a trace of connections.  CRS-075: nothing is seen or done
 * without access.  CRS-079: statistics only with that authorization. */
static void statistics_need_their_authorization(void **state)
{
	struct scene *scene = *state;
	char output[SCENE_OUTPUT];

	make_olga(scene);
	scene_trace(scene, "connection");
	assert_int_equal(cra(scene, "accounts", output), 0);
	assert_null(strstr(output, "acme"));
	assert_true(scene_traced(scene, ",admin,olga,127.0.0.1,")); /* CRS-101 */
	assert_cra_refused(scene, "stats export acme", "not authorized");
	assert_cra_refused(scene, "stats export nobody", "not authorized");
	assert_cra_refused(scene, "stats export acme --pseudonyms", "not authorized");
	do_cli(scene, "add admin-account olga acme");
	assert_cra_refused(scene, "stats enable acme", "not authorized");
	do_cli(scene, "add admin-account-authorization olga acme update");
	assert_cra_refused(scene, "stats export acme", "not authorized");
	do_cli(scene, "add admin-account-authorization olga acme statistics");
	assert_int_equal(cra(scene, "accounts", output), 0);
	assert_non_null(strstr(output, "update,statistics"));
	assert_int_equal(cra(scene, "stats enable acme", output), 0);
	assert_int_equal(cra(scene, "stats export acme", output), 0);
	assert_int_equal(strncmp(output, "tel-uri\tsession-outgoing\t", 25), 0);
	assert_int_equal(cra(scene, "stats clear acme --pseudonyms", output), 2);
	assert_int_equal(cra(scene, "accounts --pseudonyms", output), 2);
	assert_int_equal(cra(scene, "--json stats clear acme", output), 0);
	assert_int_equal(cra(scene, "stats disable acme", output), 0);
	assert_int_equal(cra(scene, "stats look acme", output), 2);
	do_cli(scene, "delete admin olga");
}

/* CRS-080: a monthly update, only with that authorization, only for that account. */
static void updates_need_their_authorization(void **state)
{
	static struct update_file_user users[2000];
	static char uris[2000][24];
	struct scene *scene = *state;
	char path[128], words[192], output[SCENE_OUTPUT];

	for (size_t i = 0; i < COUNT(users); i++) { /* more than fits one frame */
		snprintf(uris[i], sizeof(uris[i]), "tel:+4670%07zu", i);
		users[i] = (struct update_file_user){ uris[i], 1 };
	}
	snprintf(path, sizeof(path), "%s/new.upd", scene->root);
	snprintf(words, sizeof(words), "apply acme '%s'", path);
	update_file_write(path, &(struct update_file){
					.revision = 1, .users = users, .n_users = COUNT(users) });
	make_olga(scene);
	do_cli(scene, "create account other");
	do_cli(scene, "add admin-account olga acme");
	do_cli(scene, "add admin-account olga other");
	do_cli(scene, "add admin-account-authorization olga acme statistics");
	do_cli(scene, "add admin-account-authorization olga other update");
	assert_cra_refused(scene, words, "not authorized");
	do_cli(scene, "add admin-account-authorization olga acme update");
	snprintf(words, sizeof(words), "apply other '%s'", path);
	assert_cra_refused(scene, words, "not for account other");
	snprintf(words, sizeof(words), "apply acme '%s'", path);
	assert_int_equal(cra(scene, words, output), 0);
	assert_non_null(strstr(output, "account acme: update of "));
	assert_non_null(strstr(output, "revision 1, 2000 users"));
	assert_cra_refused(scene, words, "not newer");
	/* Their statistics, as the operator gets them: without the numbers, too. */
	assert_int_equal(cra(scene, "stats export acme --pseudonyms | tail -n 5", output), 0);
	assert_int_equal(strncmp(output, "user-", 5), 0);
	assert_null(strstr(output, "tel:"));
	assert_true(
		scene_cli_shows(scene, "stats export acme --pseudonyms | tail -n 5", output, true));
	assert_int_equal(cra(scene, "stats export acme | tail -n 1", output), 0);
	assert_int_equal(strncmp(output, "tel:+46700", 10), 0);
	assert_int_equal(cra(scene, "accounts", output), 0);
	assert_non_null(strstr(output, "Not Available")); /* next month's */
	snprintf(words, sizeof(words),
		 "grep -c 'admin=olga peer=127.0.0.1:[0-9]* action=\"apply\" "
		 "on=\"acme\" result=\"ok\"' '%s/log/crs.log'",
		 scene->root);
	assert_int_equal(system(words), 0);
	snprintf(words, sizeof(words), "! ls '%s/run' | grep upload", scene->root);
	assert_int_equal(system(words), 0);
	do_cli(scene, "delete account other");
	do_cli(scene, "delete admin olga");
}

/* What a killed worker had received of an update is removed by the next one. */
static void half_an_update_does_not_stay(void **state)
{
	struct scene *scene = *state;
	char path[128];

	for (int worker = 0; worker < 2; worker++) {
		snprintf(path, sizeof(path), "%s/run/upload-%02x00000000000001.upd", scene->root,
			 worker);
		assert_int_equal(file_write_atomic(path, 0600, slice_str("half")), 0);
	}
	scene_kill(&scene->crs);
	scene_start(scene);
	snprintf(path, sizeof(path), "! ls '%s/run' | grep upload", scene->root);
	assert_int_equal(system(path), 0);
}

/* CRS-073: a deleted admin cannot log in. */
static void who_is_no_admin_gets_nothing(void **state)
{
	struct scene *scene = *state;
	char output[SCENE_OUTPUT];

	make_olga(scene);
	assert_int_equal(cra(scene, "accounts", output), 0);
	do_cli(scene, "delete admin olga");
	assert_cra_refused(scene, "accounts", "does not know this administrator");
	make_olga(scene);
	write_secret(scene, "MDEyMzQ1Njc4OTAxMjM0NQ==\n", 0600);
	assert_cra_refused(scene, "accounts", "does not know this administrator");
	write_secret(scene, "MDEyMzQ1Njc4OTAxMjM0NQ==\n", 0644);
	assert_cra_refused(scene, "accounts", "chmod 600");
	do_cli(scene, "delete admin olga");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_admin_is_made_with_a_secret_and_deleted),
		cmocka_unit_test(access_and_authorizations_are_given_and_taken),
		cmocka_unit_test(statistics_need_their_authorization),
		cmocka_unit_test(updates_need_their_authorization),
		cmocka_unit_test(half_an_update_does_not_stay),
		cmocka_unit_test(who_is_no_admin_gets_nothing),
	};

	return cmocka_run_group_tests(tests, scene_set_up, scene_tear_down);
}
