/* The whole of create_cig_maildir within the test: what it makes, what it says, and the status that
 * scripts see.  The system's groups, and the right to give files to them, are played. */
#include "tests/unit.h"

#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/tools/inside.h"
#include "tests/tools/remove_tree.h"

/* The program's main() has that name here (local.mk). */
#undef main
int create_cig_maildir_main(int argc, char **argv);

enum { MADE = 0, NOT_MADE = 1, USAGE = 2 };

/* What the C library would say; its functions have no argument of the test's. */
static struct {
	bool no_groups, may_not_give;
	int error; /* of looking a group up */
} played;

/* Not hidden: the program's own calls come here, as from another library. */
__attribute__((visibility("default"))) struct group *getgrnam(const char *name)
{
	static struct group group;

	group = (struct group){ .gr_name = (char *)name, .gr_gid = getgid() };
	if (played.error)
		errno = played.error;
	return played.no_groups || strcmp(name, "nobodys") == 0 ? NULL : &group;
}

__attribute__((visibility("default"))) int fchown(int fd, uid_t uid, gid_t gid)
{
	if (!played.may_not_give)
		return (int)syscall(SYS_fchown, fd, uid, gid);
	errno = EPERM;
	return -1;
}

struct scene {
	char dir[64], output[INSIDE_OUTPUT];
};

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	memset(&played, 0, sizeof(played));
	snprintf(scene->dir, sizeof(scene->dir), "/tmp/create-maildir-test.XXXXXX");
	assert_non_null(mkdtemp(scene->dir));
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

/* options, and the mailbox "box" in the scene's folder. */
static int make_box(struct scene *scene, const char *options)
{
	char command[256];

	snprintf(command, sizeof(command), "create_cig_maildir %s%s/box", options, scene->dir);
	return inside_run(create_cig_maildir_main, command, scene->output);
}

/* Is it a folder that its group may use, and whose files are the group's? */
static bool is_shared(const struct scene *scene, const char *name)
{
	struct stat st;
	char path[128];

	snprintf(path, sizeof(path), "%s/box%s", scene->dir, name);
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode) && (st.st_mode & 07777) == 02770 &&
	       st.st_gid == getgid();
}

/* CIG-059 */
static void a_mailbox_is_made_with_its_folders(void **state)
{
	static const char *const folders[] = { "", "/new", "/cur", "/tmp", "/.failed" };
	static const char *const options[] = { "", "-g somebody ", "--group somebody " };
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(options); i++) {
		assert_int_equal(make_box(scene, options[i]), MADE); /* again does no harm */
		assert_string_equal(scene->output, "");
		for (size_t k = 0; k < COUNT(folders); k++)
			assert_true(is_shared(scene, folders[k]));
	}
}

static void wrong_words_are_a_usage_error(void **state)
{
	static const struct {
		const char *words;
		int status;
		const char *says;
	} cases[] = {
		{ "create_cig_maildir", USAGE, "usage: create_cig_maildir" },
		{ "create_cig_maildir /a /b", USAGE, "usage: create_cig_maildir" },
		{ "create_cig_maildir --what /a", USAGE, "usage: create_cig_maildir" },
		{ "create_cig_maildir /a --group", USAGE, "usage: create_cig_maildir" },
		{ "create_cig_maildir --help", MADE, "usage: create_cig_maildir" },
		{ "create_cig_maildir -h", MADE, "(cigmail)" },
		{ "create_cig_maildir --version", MADE, "create_cig_maildir " },
		{ "create_cig_maildir box", NOT_MADE, "absolute" },
		{ "create_cig_maildir /nowhere/at/all", NOT_MADE, "nowhere: No such file" },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(inside_run(create_cig_maildir_main, cases[i].words, scene->output),
				 cases[i].status);
		assert_non_null(strstr(scene->output, cases[i].says));
	}
}

static void a_group_that_is_not_there_makes_nothing(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(make_box(scene, "--group nobodys "), NOT_MADE);
	assert_string_equal(scene->output, "create_cig_maildir: there is no group nobodys\n");
	/* The default one is made by the packages; without them it is said how. */
	played.no_groups = true;
	assert_int_equal(make_box(scene, ""), NOT_MADE);
	assert_non_null(strstr(scene->output, "there is no group cigmail\n"));
	assert_non_null(strstr(scene->output, "groupadd --system cigmail"));
	played.error = EIO;
	assert_int_equal(make_box(scene, "--group somebody "), NOT_MADE);
	assert_non_null(strstr(scene->output, "no group somebody: Input/output error\n"));
	assert_false(is_shared(scene, ""));
}

static void who_may_not_give_files_to_the_group_is_told_who_may(void **state)
{
	struct scene *scene = *state;

	played.may_not_give = true;
	assert_int_equal(make_box(scene, ""), NOT_MADE);
	assert_non_null(strstr(scene->output, "Operation not permitted"));
	assert_non_null(strstr(scene->output, "only root or a member of cigmail may do this\n"));
	assert_false(is_shared(scene, ""));
}

static void what_is_no_mailbox_is_left_alone(void **state)
{
	struct scene *scene = *state;
	struct stat st;
	char path[128];

	snprintf(path, sizeof(path), "%s/box", scene->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/box/letters", scene->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(make_box(scene, ""), NOT_MADE);
	assert_non_null(strstr(scene->output, "create_cig_maildir: "));
	snprintf(path, sizeof(path), "%s/box", scene->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_mailbox_is_made_with_its_folders, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(wrong_words_are_a_usage_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_group_that_is_not_there_makes_nothing, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(who_may_not_give_files_to_the_group_is_told_who_may,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_mailbox_is_left_alone, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
