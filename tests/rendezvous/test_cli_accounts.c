/* What crs-cli does about accounts and update files beside asking crs, which is played: files that
 * crs itself may not read, and accounts while no crs runs. */
#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "rendezvous/cli.h"
#include "tests/tools/inside.h"
#include "tests/tools/remove_tree.h"

enum { SOMEBODY = 65534 };

struct scene {
	struct cli cli;
	char dir[64], update[96], output[INSIDE_OUTPUT];
	cli_action_fn *action;
	/* crs */
	int answers; /* 0 or an errno below 0 */
	unsigned asked;
	char path[CRS_PATH_SIZE], name[CRS_PATH_SIZE], content[64];
	bool partial;
	mode_t mode;
	/* what the system says */
	uid_t we, given_to;
	bool may_not_give;
};

/* The program's and the C library's functions have no argument of the test's. */
static struct scene *current;

__attribute__((visibility("default"))) uid_t geteuid(void)
{
	return current->we;
}

__attribute__((visibility("default"))) int fchown(int fd, uid_t uid, gid_t gid)
{
	(void)fd;
	(void)gid;
	current->given_to = uid;
	errno = EPERM;
	return current->may_not_give ? -1 : 0;
}

/* Data of crs belong to its user, who is another one than root. */
__attribute__((visibility("default"))) int stat(const char *path, struct stat *out)
{
	int err = fstatat(AT_FDCWD, path, out, 0);

	if (!err && strcmp(path, current->cli.paths.data) == 0)
		out->st_uid = SOMEBODY;
	return err;
}

/* In the place of cli_call.c. */
int cli_call(const struct cli *cli, const char *method, const char *target, json_t *body,
	     bool quiet_if_down, json_t **answer_out)
{
	struct scene *scene = current;
	uint8_t *octets = NULL;
	struct stat st;
	size_t n = 0;

	(void)quiet_if_down;
	scene->asked++;
	if (strcmp(target, "/apply") != 0 || strcmp(method, "POST") != 0)
		return scene->answers;
	snprintf(scene->path, sizeof(scene->path), "%s", cli_text(body, "path"));
	snprintf(scene->name, sizeof(scene->name), "%s", cli_text(body, "name"));
	scene->partial = json_is_true(json_object_get(body, "partial"));
	if (fstatat(AT_FDCWD, scene->path, &st, 0) == 0 &&
	    file_read(scene->path, sizeof(scene->content) - 1, &octets, &n) == 0) {
		memcpy(scene->content, octets, n);
		scene->mode = st.st_mode & 07777;
		free(octets);
	}
	if (scene->answers)
		cli_error("crs says no");
	else
		*answer_out = json_pack("{s:s, s:s, s:i, s:i}", "account", "acme", "month",
					"2026-11", "revision", 4, "users", 17);
	assert_ptr_equal(cli, &scene->cli);
	return scene->answers;
}

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	snprintf(scene->dir, sizeof(scene->dir), "/tmp/cli-accounts-test.XXXXXX");
	assert_non_null(mkdtemp(scene->dir));
	assert_int_equal(crs_paths_init(&scene->cli.paths, scene->dir), 0);
	assert_int_equal(mkdir(scene->cli.paths.data, 0700), 0);
	snprintf(scene->update, sizeof(scene->update), "%s/2026-11.upd", scene->dir);
	assert_int_equal(file_write_atomic(scene->update, 0600, slice_str("an update")), 0);
	current = scene;
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

static int action_main(int argc, char **argv)
{
	return current->action(&current->cli, argc - 1, argv + 1);
}

static int run(struct scene *scene, cli_action_fn *action, const char *words)
{
	char command[256];

	scene->action = action;
	scene->asked = 0;
	snprintf(command, sizeof(command), "crs-cli %s", words);
	return inside_run(action_main, command, scene->output);
}

static bool lies_in_data(const struct scene *scene, const char *path)
{
	size_t n = strlen(scene->cli.paths.data);

	return strncmp(path, scene->cli.paths.data, n) == 0 && path[n] == '/';
}

#define APPLIED "account acme: update of 2026-11, revision 4, 17 users\n"

/* What root alone may read, or what lies in a home directory, crs cannot. */
static void root_lends_crs_a_copy_of_its_file(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(run(scene, cli_apply, scene->update), CLI_OK);
	assert_string_equal(scene->output, APPLIED);
	assert_true(lies_in_data(scene, scene->path));
	assert_string_equal(scene->name, scene->update); /* which the log names */
	assert_string_equal(scene->content, "an update");
	assert_int_equal(scene->mode, 0600);
	assert_int_equal(scene->given_to, SOMEBODY);
	assert_false(scene->partial);
	assert_int_equal(access(scene->path, F_OK), -1); /* and takes it back */
	/* Also where crs refuses it. */
	scene->answers = -EREMOTEIO;
	assert_int_equal(run(scene, cli_apply, scene->update), CLI_ERROR);
	assert_string_equal(scene->output, "crs-cli: crs says no\n");
	assert_int_equal(access(scene->path, F_OK), -1);
	assert_int_equal(rmdir(scene->cli.paths.data), 0); /* nothing is left in it */
}

static void others_name_the_file_itself(void **state)
{
	struct scene *scene = *state;
	char words[128];

	scene->we = SOMEBODY;
	scene->cli.json = true;
	snprintf(words, sizeof(words), "%s --partial", scene->update);
	assert_int_equal(run(scene, cli_apply, words), CLI_OK);
	assert_string_equal(scene->path, scene->update);
	assert_true(scene->partial);
	assert_non_null(strstr(scene->output, "\"revision\":"));
	/* As does root where crs has no data yet. */
	scene->we = 0;
	scene->cli.json = false;
	assert_int_equal(rmdir(scene->cli.paths.data), 0);
	assert_int_equal(run(scene, cli_apply, scene->update), CLI_OK);
	assert_string_equal(scene->path, scene->update);
}

static void what_cannot_be_lent_is_not_asked_for(void **state)
{
	struct scene *scene = *state;
	char want[256];

	assert_int_equal(run(scene, cli_apply, scene->dir), CLI_ERROR); /* a folder */
	snprintf(want, sizeof(want), "crs-cli: %s: ", scene->dir);
	assert_non_null(strstr(scene->output, want));
	assert_int_equal(scene->asked, 0);
	assert_int_equal(run(scene, cli_apply, "/nowhere.upd"), CLI_ERROR);
	assert_string_equal(scene->output, "crs-cli: /nowhere.upd: No such file or directory\n");
	assert_int_equal(scene->asked, 0);
	scene->may_not_give = true;
	assert_int_equal(run(scene, cli_apply, scene->update), CLI_ERROR);
	assert_non_null(strstr(scene->output, ": Operation not permitted\n"));
	assert_int_equal(scene->asked, 0);
	assert_int_equal(rmdir(scene->cli.paths.data), 0);
	assert_int_equal(run(scene, cli_apply, "/nowhere.upd --all"), CLI_USAGE);
}

/* A server is set up before it is started. */
static void accounts_are_made_and_listed_while_no_crs_runs(void **state)
{
	struct scene *scene = *state;
	char secret[128];

	scene->answers = -ENOENT;
	assert_int_equal(run(scene, cli_create_account, "acme"), CLI_OK);
	snprintf(secret, sizeof(secret), "%.100s", scene->output);
	assert_true(strlen(secret) > 20); /* the random secret, for the key manager */
	scene->answers = -ECONNREFUSED;
	assert_int_equal(run(scene, cli_create_account, "other -s AAECAwQFBgcICQoLDA0ODw=="),
			 CLI_OK);
	assert_string_equal(scene->output, ""); /* it is known already */
	assert_int_equal(run(scene, cli_create_account, "acme"), CLI_ERROR);
	assert_non_null(strstr(scene->output, "acme"));
	assert_int_equal(run(scene, cli_list_account, ""), CLI_OK);
	secret[strcspn(secret, "\n")] = '\0';
	assert_non_null(strstr(scene->output, secret));
	assert_non_null(strstr(scene->output, "AAECAwQFBgcICQoLDA0ODw=="));
	/* A crs that runs and does not answer is none that is down. */
	scene->answers = -ETIMEDOUT;
	assert_int_equal(run(scene, cli_create_account, "third"), CLI_ERROR);
	assert_int_equal(run(scene, cli_list_account, ""), CLI_ERROR);
	scene->answers = -ENOENT;
	assert_int_equal(run(scene, cli_list_account, ""), CLI_OK);
	assert_null(strstr(scene->output, "third"));
	/* Nor can they be made in a file. */
	assert_int_equal(remove_tree(scene->cli.paths.accounts), 0);
	assert_int_equal(file_write_atomic(scene->cli.paths.accounts, 0600, slice_str("")), 0);
	assert_int_equal(run(scene, cli_create_account, "fourth"), CLI_ERROR);
	assert_non_null(strstr(scene->output, scene->cli.paths.accounts));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(root_lends_crs_a_copy_of_its_file),
		TEST(others_name_the_file_itself),
		TEST(what_cannot_be_lent_is_not_asked_for),
		TEST(accounts_are_made_and_listed_while_no_crs_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
