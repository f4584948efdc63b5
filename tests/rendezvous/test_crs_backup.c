/* A real crs: backups made while it runs, and restored. */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/rendezvous/party.h"
#include "tests/rendezvous/scene.h"

#define ALICE "tel:+46700000001"
#define BOB "tel:+46700000002"

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

static void attach(struct party *party, struct scene *scene, const char *uri)
{
	party_open(party, scene,
		   &(struct party_options){ .uri = uri, .generation = 1, .device = 1 });
	assert_true(party_hears(party, "registered primary"));
}

/* Runs a shell command, which finds the two texts as $A and $B. */
static void run(const char *command, const char *a, const char *b)
{
	assert_int_equal(setenv("A", a, 1), 0);
	assert_int_equal(setenv("B", b, 1), 0);
	assert_int_equal(system(command), 0);
}

/* Makes a backup and tells its path. */
static void back_up(const struct scene *scene, char path[256])
{
	char output[SCENE_OUTPUT], *colon;

	assert_int_equal(scene_cli(scene, "backup", output), 0);
	assert_non_null(strstr(output, "/backup/crs-backup-crs1-20"));
	colon = strstr(output, ".tar: ");
	assert_non_null(colon);
	colon[4] = '\0';
	assert_true(strlen(output) < 256);
	memcpy(path, output, strlen(output) + 1);
}

static int restore(const struct scene *scene, const char *path, const char *option,
		   char output[SCENE_OUTPUT])
{
	char words[320];

	snprintf(words, sizeof(words), "restore '%s' %s", path, option);
	return scene_cli(scene, words, output);
}

static void post(struct party *from, const char *to, char message)
{
	char acked[] = "post_ack ? 0";

	acked[9] = message;
	party_post(from, to, message, 1000);
	assert_true(party_hears(from, acked));
}

/* CRS-125: what the archive holds, made while crs runs.  CRS-126: accounts and messages
 * are back.  WIC-021: and what comes after is received, too. */
static void what_was_stored_is_there_after_a_restore(void **state)
{
	struct scene *scene = *state;
	char path[256], output[SCENE_OUTPUT];
	struct party a, b;
	struct stat st;

	attach(&b, scene, BOB); /* known from now on */
	party_close(&b);
	attach(&a, scene, ALICE);
	post(&a, BOB, 'k');
	back_up(scene, path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	run("tar tf \"$A\" | grep -q \"$B/crs.conf$\"", path, scene->root + 1);
	run("tar tf \"$A\" | grep -q \"$B/crs-local.conf$\"", path, scene->root + 1);
	run("tar tf \"$A\" | grep -q \"$B/accounts/acme/secret$\"", path, scene->root + 1);
	run("tar tf \"$A\" | grep -q \"$B/data/redis_low/\"", path, scene->root + 1);
	assert_int_equal(restore(scene, path, "--check", output), 0);
	assert_non_null(strstr(output, ": crs1 at 20"));
	post(&a, BOB, 'l'); /* behind the backup: it is lost with the disk */
	party_close(&a);

	assert_int_equal(restore(scene, path, "", output), 1);
	assert_non_null(strstr(output, "crs is running"));
	assert_int_equal(scene_stop(&scene->crs), 0);
	run("rm -rf \"$A/accounts\" \"$B/data\"", scene->root, scene->root);
	run("rm \"$A/crs.conf\" \"$B/crs-local.conf\"", scene->root, scene->root);
	assert_int_equal(restore(scene, path, "", output), 0);
	snprintf(path, sizeof(path), "%s/accounts/acme/secret", scene->root);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	scene_start(scene);
	attach(&a, scene, ALICE);
	post(&a, BOB, 'n');
	party_open(&b, scene, &(struct party_options){ .uri = BOB, .generation = 1, .device = 1 });
	assert_true(party_hears(&b, "registered primary waiting 2"));
	party_fetch(&b, 0);
	assert_true(party_hears(&b, "deliver k"));
	assert_true(party_hears(&b, "deliver n"));
	party_close(&a);
	party_close(&b);
}

/* CRS-126: as the manual has it, by tar alone. */
static void tar_restores_it_too(void **state)
{
	struct scene *scene = *state;
	char path[256], output[SCENE_OUTPUT];

	assert_int_equal(scene_cli(scene, "create account other", output), 0);
	back_up(scene, path);
	assert_int_equal(scene_cli(scene, "delete account other", output), 0);
	assert_int_equal(scene_stop(&scene->crs), 0);
	run("tar xf \"$A\" -C / \"$B\"", path, scene->root + 1);
	scene_start(scene);
	assert_true(scene_cli_shows(scene, "list account", "other", true));
}

static void what_is_damaged_restores_nothing(void **state)
{
	static const char *const damages[] = {
		"head -c 5000 \"$A\" > \"$B/bad.tar\"",
		"head -c -2000 \"$A\" > \"$B/bad.tar\"",
		"sed 's/crsname crs1/crsname crs2/' \"$A\" > \"$B/bad.tar\"",
		"cp /bin/true \"$B/bad.tar\"",
		": > \"$B/bad.tar\"",
		"tar cf \"$B/bad.tar\" -C / etc/hostname",
	};
	struct scene *scene = *state;
	char path[256], bad[256], output[SCENE_OUTPUT];

	back_up(scene, path);
	assert_int_equal(scene_stop(&scene->crs), 0);
	snprintf(bad, sizeof(bad), "%s/bad.tar", scene->root);
	run("cp -r \"$A/accounts\" \"$B/kept\"", scene->root, scene->root);
	for (size_t i = 0; i < COUNT(damages); i++) {
		run(damages[i], path, scene->root);
		assert_int_equal(restore(scene, bad, "", output), 1);
		assert_non_null(strstr(output, bad));
	}
	run("diff -r \"$A/accounts\" \"$B/kept\"", scene->root, scene->root);
	run("! ls -A \"$A\" | grep -E 'restore|before'", scene->root, scene->root);
	assert_int_equal(restore(scene, "/nowhere.tar", "--check", output), 1);
	scene_start(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_damaged_restores_nothing),
		cmocka_unit_test(what_was_stored_is_there_after_a_restore),
		cmocka_unit_test(tar_restores_it_too),
	};

	return cmocka_run_group_tests(tests, open_scene, close_scene);
}
