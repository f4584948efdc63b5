/* Updates are taken over into the folder of an account, when what lies there is older; and a
 * fault of the disk is no reason to think so. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/diag.h"
#include "keys/period.h"
#include "rendezvous/account_set.h"
#include "rendezvous/accounts.h"
#include "rendezvous/apply.h"
#include "rendezvous/floors.h"
#include "tests/rendezvous/scene.h"
#include "tests/rendezvous/update_file.h"

static const struct update_file_user users[] = { { "tel:+46700000001", 3 } };

/* The account in a folder of its own, with what apply.h asks for. */
struct shelf {
	char root[64], dir[80], update[96];
	char there[ACCOUNTS_PATH]; /* this month's update, once it is applied */
	struct event_base *base;
	struct account_set *accounts;
	struct floors *floors;
	struct diag *diag;
};

static void on_raised(void *arg, unsigned worker, uint64_t ticket, int err)
{
	(void)arg;
	(void)worker;
	(void)ticket;
	(void)err;
}

static int open_shelf(void **state)
{
	struct shelf *shelf = calloc(1, sizeof(*shelf));
	char month[PERIOD_TEXT_SIZE], name[PERIOD_TEXT_SIZE + 8];

	*state = shelf;
	snprintf(shelf->root, sizeof(shelf->root), "/tmp/crs-apply-XXXXXX");
	if (!mkdtemp(shelf->root))
		return -1;
	snprintf(shelf->dir, sizeof(shelf->dir), "%s/accounts", shelf->root);
	snprintf(shelf->update, sizeof(shelf->update), "%s/new.upd", shelf->root);
	mkdir(shelf->dir, 0700);
	assert_int_equal(accounts_create(shelf->dir, SCENE_ACCOUNT, slice_str(SCENE_SECRET), NULL),
			 0);
	assert_int_equal(account_set_load(shelf->dir, NULL, &shelf->accounts, NULL), 0);
	shelf->base = event_base_new();
	shelf->floors = floors_new(shelf->base, shelf->dir, on_raised, NULL);
	shelf->diag = diag_new();
	period_text(period_of(clock_wall_s()), month);
	snprintf(name, sizeof(name), "%s.upd", month);
	assert_int_equal(accounts_path(shelf->dir, SCENE_ACCOUNT, name, shelf->there), 0);
	return 0;
}

static int close_shelf(void **state)
{
	struct shelf *shelf = *state;
	char command[128];

	diag_free(&shelf->diag);
	floors_free(&shelf->floors);
	event_base_free(shelf->base);
	account_set_free(&shelf->accounts);
	snprintf(command, sizeof(command), "rm -rf '%s'", shelf->root);
	free(shelf);
	return system(command);
}

static struct apply_target target(const struct shelf *shelf)
{
	return (struct apply_target){ .dir = shelf->dir,
				      .accounts = shelf->accounts,
				      .floors = shelf->floors };
}

static int apply_revision(const struct shelf *shelf, uint32_t revision)
{
	const struct apply_target into = target(shelf);
	const struct apply_source from = { .path = shelf->update, .name = "new.upd" };
	struct applied applied;

	update_file_write(shelf->update, &(struct update_file){ .revision = revision,
								.users = users,
								.n_users = COUNT(users) });
	return apply_file(&into, &from, &applied, shelf->diag);
}

static bool is_told(const struct shelf *shelf, const char *text)
{
	struct diag_item item;

	for (size_t i = 0; diag_get(shelf->diag, i, &item); i++) {
		if (strstr(item.text, text))
			return true;
	}
	return false;
}

static void an_older_update_does_not_replace_a_newer_one(void **state)
{
	struct shelf *shelf = *state;

	assert_int_equal(apply_revision(shelf, 2), 0);
	assert_int_equal(apply_revision(shelf, 1), -EEXIST);
	assert_int_equal(apply_revision(shelf, 3), 0);
}

/* A link to itself stands for a disk that fails: it can be replaced, and not be read. */
static void an_update_that_cannot_be_read_may_be_newer_and_stays(void **state)
{
	struct shelf *shelf = *state;
	struct stat st;

	assert_int_equal(symlink(shelf->there, shelf->there), 0);
	assert_int_equal(apply_revision(shelf, 1), -ELOOP);
	assert_true(is_told(shelf, strerror(ELOOP)));
	assert_int_equal(lstat(shelf->there, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
}

static void a_file_that_is_no_update_is_replaced(void **state)
{
	struct shelf *shelf = *state;
	FILE *file = fopen(shelf->there, "w");

	assert_non_null(file);
	fputs("no update", file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(apply_revision(shelf, 2), 0);
	assert_int_equal(apply_revision(shelf, 1), -EEXIST);
}

/* The server goes on: the others count, and the operator hears of this one. */
static void a_placed_update_that_cannot_be_read_is_told_by_name(void **state)
{
	struct shelf *shelf = *state;
	const struct apply_target into = target(shelf);

	assert_int_equal(symlink(shelf->there, shelf->there), 0);
	assert_int_equal(apply_folder(&into, SCENE_ACCOUNT, shelf->diag), 0);
	assert_true(is_told(shelf, strerror(ELOOP)));
}

static void a_folder_that_cannot_be_read_is_told_by_its_account(void **state)
{
	struct shelf *shelf = *state;
	const struct apply_target into = target(shelf);

	assert_int_equal(apply_folder(&into, "elsewhere", shelf->diag), 0);
	assert_true(is_told(shelf, "elsewhere"));
}

#define WITH_SHELF(test) cmocka_unit_test_setup_teardown(test, open_shelf, close_shelf)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SHELF(an_older_update_does_not_replace_a_newer_one),
		WITH_SHELF(an_update_that_cannot_be_read_may_be_newer_and_stays),
		WITH_SHELF(a_file_that_is_no_update_is_replaced),
		WITH_SHELF(a_placed_update_that_cannot_be_read_is_told_by_name),
		WITH_SHELF(a_folder_that_cannot_be_read_is_told_by_its_account),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
