/* A real crs: backups made while it runs, and restored. */
#include "tests/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/rendezvous/party.h"
#include "tests/rendezvous/scene.h"

#define ALICE "tel:+46700000001"
#define BOB "tel:+46700000002"

/* Runs a shell command, which finds the two texts as $A and $B. */
static void run(const char *command, const char *a, const char *b)
{
	assert_int_equal(setenv("A", a, 1), 0);
	assert_int_equal(setenv("B", b, 1), 0);
	assert_int_equal(system(command), 0);
}

/* Makes a backup by these words and tells its path. */
static void back_up_by(const struct scene *scene, const char *words, char path[256])
{
	char output[SCENE_OUTPUT], *colon;

	assert_int_equal(scene_cli(scene, words, output), 0);
	assert_non_null(strstr(output, "/backup/crs-backup-crs1-20"));
	colon = strstr(output, ": crs1 at ");
	assert_non_null(colon);
	*colon = '\0';
	assert_true(strlen(output) < 256);
	memcpy(path, output, strlen(output) + 1);
}

static void back_up(const struct scene *scene, char path[256])
{
	back_up_by(scene, "backup", path);
}

/* Each would let Redis go on when it is done.  What a killed one left goes with the next. */
static void one_backup_is_made_at_a_time(void **state)
{
	struct scene *scene = *state;
	char path[256], output[SCENE_OUTPUT];
	int fd;

	back_up(scene, path);
	run("touch \"$A/backup/crs-backup-crs1-2001-01-01T000000Z.tar.part\"", scene->root, "");
	snprintf(path, sizeof(path), "%s/backup", scene->root);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(scene_cli(scene, "backup", output), 1);
	assert_non_null(strstr(output, "another backup is being written"));
	close(fd);
	back_up(scene, path);
	run("! ls \"$A/backup\" | grep part", scene->root, "");
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
 * are back.  I-17: with modes by which crs can search its folders and nobody else read secrets.
 * WIC-021: and what comes after is received, too. */
static void what_was_stored_is_there_after_a_restore(void **state)
{
	struct scene *scene = *state;
	char path[256], output[SCENE_OUTPUT];
	struct party a, b;
	struct stat st;

	party_attach(&b, scene, BOB); /* known from now on */
	party_close(&b);
	party_attach(&a, scene, ALICE);
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
	assert_non_null(strstr(output, "stop crs first"));
	assert_int_equal(scene_stop(&scene->crs), 0);
	run("rm -rf \"$A/accounts\" \"$B/data\"", scene->root, scene->root);
	run("rm \"$A/crs.conf\" \"$B/crs-local.conf\"", scene->root, scene->root);
	assert_int_equal(restore(scene, path, "", output), 0);
	snprintf(path, sizeof(path), "%s/accounts/acme/secret", scene->root);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	*strrchr(path, '/') = '\0';
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0707, 0700);

	scene_start(scene);
	party_attach(&a, scene, ALICE);
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

/* CRS-125, CRS-126: the same under a passphrase; without it the file tells nothing, and
 * nothing that is wrong with it changes what is there. */
static void a_backup_under_a_passphrase_is_restored_with_it_only(void **state)
{
	static const struct {
		const char *make, *option, *told;
	} refused[] = {
		{ "cp \"$A\" \"$B/bad\"", "", "is encrypted" },
		{ "cp \"$A\" \"$B/bad\"", "--passphrase-file $B/other", "another passphrase" },
		{ "cp \"$A\" \"$B/bad\"", "--passphrase-file $B/open", "others may read it" },
		{ "cp \"$A\" \"$B/bad\"", "--passphrase-file $B/none", "No such file" },
		{ "head -c -1 \"$A\" >\"$B/bad\"", "--passphrase-file $B/words", "cut off" },
		{ "head -c 60 \"$A\" >\"$B/bad\"", "--passphrase-file $B/words", "cut off" },
		{ "(cat \"$A\"; echo) >\"$B/bad\"", "--passphrase-file $B/words",
		  "behind its end" },
		{ "cp \"$A\" \"$B/bad\" && printf XX | dd of=\"$B/bad\" bs=1 seek=5000 "
		  "conv=notrunc "
		  "status=none",
		  "--passphrase-file $B/words", "not as it was sealed" },
		{ "tar cf \"$B/bad\" -C / etc/hostname", "--passphrase-file $B/words",
		  "is not encrypted" },
	};
	struct scene *scene = *state;
	char words[256], path[256], bad[256], output[SCENE_OUTPUT];

	run("umask 077; echo 'correct horse' >\"$A/words\"; echo 'wrong horse' >\"$A/other\"; "
	    "cp \"$A/words\" \"$A/open\"; chmod 644 \"$A/open\"; echo short >\"$A/short\"",
	    scene->root, "");
	snprintf(words, sizeof(words), "backup --passphrase-file %s/short", scene->root);
	assert_int_equal(scene_cli(scene, words, output), 1);
	assert_non_null(strstr(output, "8 to 1024 octets"));
	assert_int_equal(scene_cli(scene, "backup --check", output), 2);
	snprintf(words, sizeof(words), "backup --passphrase-file %s/words", scene->root);
	back_up_by(scene, words, path);
	run("! tar tf \"$A\" 2>/dev/null && ! grep -aq crsname \"$A\" && "
	    "[ \"$(stat -c %a \"$A\")\" = 600 ]",
	    path, "");
	run("! ls \"$A/backup\" | grep part", scene->root, "");
	assert_int_equal(scene_stop(&scene->crs), 0);
	run("rm -rf \"$A/kept\"; cp -r \"$A/accounts\" \"$A/kept\"", scene->root, "");
	snprintf(bad, sizeof(bad), "%s/bad", scene->root);
	for (size_t i = 0; i < COUNT(refused); i++) {
		run(refused[i].make, path, scene->root);
		assert_int_equal(restore(scene, bad, refused[i].option, output), 1);
		if (!strstr(output, refused[i].told))
			fail_msg("not told \"%s\": %s", refused[i].told, output);
		run("diff -r \"$A/accounts\" \"$A/kept\"", scene->root, "");
		run("! ls -A \"$A\" | grep -E 'restore|before'", scene->root, "");
	}
	assert_int_equal(setenv("B", scene->root, 1), 0);
	assert_int_equal(restore(scene, path, "--check --passphrase-file $B/words", output), 0);
	assert_non_null(strstr(output, ": crs1 at 20"));
	run("rm -rf \"$A/accounts\"", scene->root, scene->root);
	assert_int_equal(restore(scene, path, "--passphrase-file $B/words", output), 0);
	run("diff -r \"$A/accounts\" \"$A/kept\"", scene->root, scene->root);
	scene_start(scene);
}

/* While another process holds that lock a restore changes nothing, and says which it is. */
static void nothing_is_restored_beside_what_holds(struct scene *scene, const char *name)
{
	char path[256], lock[256], output[SCENE_OUTPUT];
	int fd;

	back_up(scene, path);
	assert_int_equal(scene_stop(&scene->crs), 0);
	snprintf(lock, sizeof(lock), "%s/%s", scene->root, name);
	fd = open(lock, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	run("ls -A -i \"$A\" >\"$A/log/listed\"", scene->root, "");
	assert_int_equal(restore(scene, path, "", output), 1);
	assert_non_null(strstr(output, lock));
	assert_non_null(strstr(output, "stop crs first"));
	run("ls -A -i \"$A\" | diff \"$A/log/listed\" -", scene->root, "");
	close(fd);
	assert_int_equal(restore(scene, path, "", output), 0);
	scene_start(scene);
}

/* CRS-126: a crs that starts holds its lock before anything answers for it; what it reads then is
 * not exchanged under it. */
static void nothing_is_restored_beside_a_crs_that_starts(void **state)
{
	nothing_is_restored_beside_what_holds(*state, "run/crs.lock");
}

/* CRS-126: of a crs whose sockets are elsewhere (crs --run) only its Redis can be seen. */
static void nothing_is_restored_under_a_redis_that_works_on_the_data(void **state)
{
	nothing_is_restored_beside_what_holds(*state, "data/redis_low/lock");
}

/* CRS-126, CRS-011: as the packages have it, where the root folder is not the service's own: root
 * restores, in a machine just booted, what the service's user reads and the others do not. */
static void what_root_restores_is_the_services(void **state)
{
	struct scene *scene = *state;
	char path[256], output[SCENE_OUTPUT];

	if (geteuid() != 0)
		skip();
	back_up(scene, path);
	assert_int_equal(scene_stop(&scene->crs), 0);
	run("chown -R 65533:65532 \"$A/accounts\" \"$A/data\" && rm -r \"$A/run\"", scene->root,
	    "");
	assert_int_equal(restore(scene, path, "", output), 0);
	run("! find \"$A/accounts\" \"$A/data\" \"$A/run\" ! \\( -user 65533 -group 65532 \\) | "
	    "grep .",
	    scene->root, "");
	run("[ -e \"$A/data/redis_low\" ] && [ -e \"$A/run/crs.lock\" ]", scene->root, "");
	run("! stat -c '%a %u %g' \"$A\"/crs.conf \"$A\"/crs-local.conf | grep -vx '640 0 65532'",
	    scene->root, "");
	run("chown -R 0:0 \"$A\"", scene->root, "");
	scene_start(scene);
}

/* How often the file was opened since it is watched. */
static unsigned opened(int watch)
{
	struct inotify_event events[64];
	ssize_t n = read(watch, events, sizeof(events));
	unsigned count = 0;

	/* Events of a file, and not of a folder, have no name behind them. */
	for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(events[0]); i++)
		count += (events[i].mask & IN_OPEN) != 0;
	return count;
}

/* What is put in place is what was checked, whoever exchanges the file meanwhile. */
static void a_backup_is_opened_once_to_be_checked_and_restored(void **state)
{
	struct scene *scene = *state;
	char path[256], output[SCENE_OUTPUT];
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	assert_true(watch >= 0);
	back_up(scene, path);
	assert_int_equal(scene_stop(&scene->crs), 0);
	/* with its closing: alike events in a row are told as one */
	assert_true(inotify_add_watch(watch, path, IN_OPEN | IN_CLOSE) >= 0);
	assert_int_equal(restore(scene, path, "--check", output), 0);
	assert_int_equal(opened(watch), 1);
	assert_int_equal(restore(scene, path, "", output), 0);
	assert_int_equal(opened(watch), 1);
	close(watch);
	scene_start(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_backup_is_made_at_a_time),
		cmocka_unit_test(what_is_damaged_restores_nothing),
		cmocka_unit_test(a_backup_under_a_passphrase_is_restored_with_it_only),
		cmocka_unit_test(a_backup_is_opened_once_to_be_checked_and_restored),
		cmocka_unit_test(nothing_is_restored_beside_a_crs_that_starts),
		cmocka_unit_test(nothing_is_restored_under_a_redis_that_works_on_the_data),
		cmocka_unit_test(what_root_restores_is_the_services),
		cmocka_unit_test(what_was_stored_is_there_after_a_restore),
		cmocka_unit_test(tar_restores_it_too),
	};

	return cmocka_run_group_tests(tests, scene_set_up, scene_tear_down);
}
