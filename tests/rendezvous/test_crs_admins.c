/* A real crs: remote administrators. */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/rendezvous/scene.h"

static int open_scene(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	*state = scene;
	scene_open(scene, "");
	scene_start(scene);
	return 0;
}

static int close_scene(void **state)
{
	struct scene *scene = *state;

	scene_close(scene);
	free(scene);
	return 0;
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_admin_is_made_with_a_secret_and_deleted),
		cmocka_unit_test(access_and_authorizations_are_given_and_taken),
	};

	return cmocka_run_group_tests(tests, open_scene, close_scene);
}
