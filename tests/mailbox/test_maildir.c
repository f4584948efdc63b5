/* A mailbox as its writer sees it: creating, opening, delivering. */
#include "tests/mailbox/maildir_scene.h"

#include <sys/inotify.h>

/* --- creating --- */

/* CIG-059, CIG-070: the folders with group and modes, whatever the umask. */
static void a_mailbox_has_its_folders_group_and_modes(void **state)
{
	static const char *const folders[] = { ".", "new", "cur", "tmp", ".failed" };
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(folders); i++) {
		struct stat st;

		assert_int_equal(stat(in_box(w, folders[i]), &st), 0);
		assert_true(S_ISDIR(st.st_mode));
		assert_int_equal(st.st_mode & 07777, 02770);
		assert_int_equal(st.st_gid, getgid());
	}
}

/* A group of ours that is not the first one, or any where we may give files away. */
static gid_t another_group(void)
{
	gid_t groups[64];
	int n = getgroups(COUNT(groups), groups);

	for (int i = 0; i < n; i++)
		if (groups[i] != getgid())
			return groups[i];
	return geteuid() == 0 ? 12345 : (gid_t)-1;
}

/* CIG-070: mail_group, where a mailbox was made with another group. */
static void files_get_the_group_that_is_wanted(void **state)
{
	struct world *w = *state;
	gid_t group = another_group();
	struct maildir_item item = { .to = w->box, .name = "file", .content = slice_str("x") };
	struct stat st;

	if (group == (gid_t)-1)
		skip();
	maildir_set_group(w->box, getgid());
	assert_int_equal(maildir_check_group(w->box), 0);
	maildir_set_group(w->box, group);
	assert_int_equal(maildir_check_group(w->box), -EPERM);
	assert_int_equal(maildir_deliver_batch(&item, 1), 0);
	assert_int_equal(stat(in_box(w, "new/file"), &st), 0);
	assert_int_equal(st.st_gid, group);
	assert_int_equal(st.st_mode & 07777, MAILDIR_FILE_MODE);
	assert_int_equal(maildir_create(w->path, group, w->diag), 0);
	assert_int_equal(maildir_check_group(w->box), 0);
	assert_int_equal(chmod(in_box(w, "cur"), 02750), 0);
	assert_int_equal(maildir_check_group(w->box), -EPERM);
}

static bool is_even(void *arg, const struct maildir_entry *entry)
{
	unsigned *asked = arg;

	++*asked;
	return (entry->name[strlen(entry->name) - 1] - '0') % 2 == 0;
}

static void a_listing_is_made_in_steps_of_those_that_are_wanted(void **state)
{
	enum { FILES = 50, MAX = 10 };
	struct world *w = *state;
	struct maildir_listing *listing;
	struct maildir_entry *entries;
	unsigned asked = 0, steps = 1;
	char name[32];
	size_t n;

	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "%s/%02d", i % 3 ? "new" : "cur", i);
		put(w, name, "x");
	}
	assert_int_equal(maildir_listing_new(w->box, MAX, is_even, &asked, &listing), 0);
	while (maildir_listing_step(listing, 7) == 0)
		steps++;
	assert_true(steps >= FILES / 7);
	assert_int_equal(asked, FILES);
	assert_true(maildir_listing_take(&listing, &entries, &n)); /* there are more */
	assert_null(listing);
	assert_int_equal(n, MAX);
	for (size_t i = 0; i < n; i++)
		assert_true(is_even(&asked, &entries[i]));
	free(entries);
	assert_int_equal(maildir_listing_new(w->box, MAX, is_even, &asked, &listing), 0);
	assert_int_equal(maildir_listing_step(listing, 7), 0);
	maildir_listing_free(&listing); /* in the middle */
	assert_null(listing);
}

static void creating_again_sets_modes_right_and_keeps_messages(void **state)
{
	struct world *w = *state;

	put(w, "new/message", "x");
	assert_int_equal(chmod(in_box(w, "new"), 0700), 0);
	assert_int_equal(rmdir(in_box(w, "cur")), 0);
	assert_int_equal(maildir_create(w->path, getgid(), w->diag), 0);
	assert_holds(w, "new/message", "x");
	a_mailbox_has_its_folders_group_and_modes(state);
}

static void unsafe_places_are_refused(void **state)
{
	static const struct {
		const char *suffix;
		int err;
	} cases[] = {
		{ "/box/../other", -EINVAL }, { "/./other", -EINVAL }, { "/..", -EINVAL },
		{ "/missing/box", -ENOENT },  { "/full", -ENOTEMPTY }, { "/file", -ENOTDIR },
		{ "/file/box", -ENOTDIR },
	};
	struct world *w = *state;
	char path[256];

	snprintf(path, sizeof(path), "%s/full", w->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/full/thesis", w->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/file", w->dir);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct diag *diag = diag_new();

		snprintf(path, sizeof(path), "%s%s", w->dir, cases[i].suffix);
		assert_int_equal(maildir_create(path, getgid(), diag), cases[i].err);
		assert_int_equal(diag_errors(diag), 1);
		diag_free(&diag);
	}
	assert_int_equal(maildir_create("relative/path", getgid(), NULL), -EINVAL);
	assert_int_equal(maildir_create("/", getgid(), NULL), -EINVAL);
	assert_int_equal(maildir_create("", getgid(), NULL), -EINVAL);
}

static void a_symlink_of_somebody_else_is_not_followed(void **state)
{
	struct world *w = *state;
	char link[128], path[160];

	snprintf(link, sizeof(link), "%s/link", w->dir);
	assert_int_equal(symlink(w->dir, link), 0);
	snprintf(path, sizeof(path), "%s/second", link);
	assert_int_equal(maildir_create(path, getgid(), w->diag), 0); /* our own */
	if (getuid() != 0)
		skip(); /* only root may make another's */
	assert_int_equal(lchown(link, 12345, (gid_t)-1), 0);
	assert_int_equal(maildir_create(path, getgid(), w->diag), -ELOOP);
}

/* CIG-062: what is missing is named. */
static void opening_names_what_is_missing(void **state)
{
	struct world *w = *state;
	struct maildir *box = NULL;

	assert_int_equal(rmdir(in_box(w, "cur")), 0);
	assert_int_equal(maildir_open(w->path, &box, w->diag), -ENOENT);
	assert_null(box);
	assert_non_null(strstr(diag_first_error(w->diag), "/box/cur: No such file"));
}

/* --- writing --- */

static const uint8_t some_id[16] = { 1, 2, 3 };

static void a_name_tells_message_and_destination(void **state)
{
	char a[MAILDIR_NAME_SIZE], b[MAILDIR_NAME_SIZE];
	uint8_t other_id[16] = { 9 };

	(void)state;
	maildir_name(1448558144, some_id, "/var/box one", a);
	maildir_name(1448558144, some_id, "/var/box one", b);
	assert_string_equal(a, b);
	assert_null(strpbrk(a, "/:"));
	assert_true(strncmp(a, "1448558144.01020300", 19) == 0);
	maildir_name(1448558144, some_id, "/var/box two", b);
	assert_string_not_equal(a, b);
	maildir_name(1448558144, other_id, "/var/box one", b);
	assert_string_not_equal(a, b);
}

/* CIG-069, CIG-070, CIG-065: complete in new, mode 0660, nothing left in tmp. */
static void a_batch_is_delivered_to_several_mailboxes(void **state)
{
	struct world *w = *state;
	struct maildir_item items[40];
	char names[40][MAILDIR_NAME_SIZE], second_path[128];
	struct maildir *second;
	struct stat st;

	snprintf(second_path, sizeof(second_path), "%s/second", w->dir);
	assert_int_equal(maildir_create(second_path, getgid(), w->diag), 0);
	assert_int_equal(maildir_open(second_path, &second, w->diag), 0);
	for (size_t i = 0; i < COUNT(items); i++) {
		maildir_name((int64_t)(i / 2), some_id, i % 2 ? "second" : "first", names[i]);
		items[i] = (struct maildir_item){ .to = i % 2 ? second : w->box,
						  .name = names[i],
						  .content = slice_str("text"),
						  .result = -1 };
	}
	assert_int_equal(maildir_deliver_batch(items, COUNT(items)), 0);
	for (size_t i = 0; i < COUNT(items); i++)
		assert_int_equal(items[i].result, 0);
	assert_int_equal(count(w, "new"), 20);
	assert_int_equal(count(w, "tmp"), 0);
	assert_int_equal(count(w, "../second/new"), 20);
	assert_int_equal(stat(in_box(w, "new"), &st), 0);
	{
		char name[MAILDIR_NAME_SIZE + 8];

		snprintf(name, sizeof(name), "new/%s", names[0]);
		assert_holds(w, name, "text");
		assert_int_equal(stat(in_box(w, name), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0660);
	}
	maildir_free(&second);
}

static int deliver_one(struct world *w, const char *name, const char *text)
{
	struct maildir_item item = { w->box, name, slice_str(text), -1 };
	size_t failed = maildir_deliver_batch(&item, 1);

	assert_int_equal(failed, item.result != 0);
	return item.result;
}

/* For readers who wait for either: a file that comes is one event, not two. */
static void in_new_nothing_happens_to_a_file_but_that_it_comes(void **state)
{
	union {
		struct inotify_event event;
		char octets[4096];
	} heard;
	struct world *w = *state;
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	assert_true(inotify_add_watch(fd, in_box(w, "new"),
				      IN_CREATE | IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE |
					      IN_MOVED_TO) >= 0);
	assert_int_equal(deliver_one(w, "m", "text"), 0);
	n = read(fd, &heard, sizeof(heard));
	assert_int_equal(n, sizeof(heard.event) + heard.event.len); /* one event */
	assert_int_equal(heard.event.mask, IN_MOVED_TO);
	assert_string_equal(heard.event.name, "m");
	close(fd);
}

static void a_retry_writes_nothing_twice(void **state)
{
	struct world *w = *state;

	assert_int_equal(deliver_one(w, "m", "first"), 0);
	assert_int_equal(deliver_one(w, "m", "again"), 0);
	assert_holds(w, "new/m", "first");
	/* taken by a mail program, in the names that it gives */
	assert_int_equal(rename(in_box(w, "new/m"), in_box(w, "cur/m:2,S")), 0);
	assert_int_equal(deliver_one(w, "m", "again"), 0);
	assert_int_equal(count(w, "new"), 0);
	/* what a killed process left in tmp is replaced */
	put(w, "tmp/n", "half");
	assert_int_equal(deliver_one(w, "n", "whole"), 0);
	assert_holds(w, "new/n", "whole");
	assert_int_equal(count(w, "tmp"), 0);
}

static int next_fsync_error; /* of a directory */
static ino_t never_flushed;  /* a directory */

/* The C library's, but for a directory whose flush fails once. */
int fsync(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_ino == never_flushed) {
		errno = EIO;
		return -1;
	}
	if (!next_fsync_error || !S_ISDIR(st.st_mode))
		return fdatasync(fd);
	errno = next_fsync_error;
	next_fsync_error = 0;
	return -1;
}

/* Or a power loss takes the mailbox away, with what was delivered to it. */
static void a_mailbox_is_made_when_its_name_is_on_the_disk(void **state)
{
	struct world *w = *state;
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/second", w->dir);
	assert_int_equal(stat(w->dir, &st), 0);
	never_flushed = st.st_ino;
	assert_int_equal(maildir_create(path, getgid(), w->diag), -EIO);
	assert_int_equal(maildir_create(path, getgid(), w->diag), -EIO); /* it is there by now */
	assert_non_null(strstr(diag_first_error(w->diag), "Input/output error"));
	never_flushed = 0;
	assert_int_equal(maildir_create(path, getgid(), w->diag), 0);
}

static void a_retry_waits_for_the_name_to_be_on_the_disk(void **state)
{
	struct world *w = *state;

	next_fsync_error = EIO;
	assert_int_equal(deliver_one(w, "m", "text"), -EIO);
	next_fsync_error = EIO;
	assert_int_equal(deliver_one(w, "m", "text"), -EIO);
	assert_int_equal(deliver_one(w, "m", "text"), 0);
	assert_int_equal(count(w, "new"), 1);
}

static void one_items_failure_leaves_the_others_alone(void **state)
{
	struct world *w = *state;
	char gone_path[128];
	struct maildir *gone;

	snprintf(gone_path, sizeof(gone_path), "%s/gone", w->dir);
	assert_int_equal(maildir_create(gone_path, getgid(), w->diag), 0);
	assert_int_equal(maildir_open(gone_path, &gone, w->diag), 0);
	assert_int_equal(rmdir(in_box(w, "../gone/new")), 0);
	{
		struct maildir_item items[] = {
			{ w->box, "a", slice_str("1"), -1 },
			{ gone, "b", slice_str("2"), -1 },
			{ w->box, "../c", slice_str("3"), -1 },
			{ w->box, ".d", slice_str("4"), -1 },
			{ w->box, "e", slice_str(""), -1 },
		};

		assert_int_equal(maildir_deliver_batch(items, COUNT(items)), 3);
		assert_int_equal(items[0].result, 0);
		assert_int_equal(items[1].result, -ENOENT);
		assert_int_equal(items[2].result, -EINVAL);
		assert_int_equal(items[3].result, -EINVAL);
		assert_int_equal(items[4].result, 0);
	}
	assert_int_equal(count(w, "new"), 2);
	assert_int_equal(count(w, "tmp"), 0);
	assert_int_equal(count(w, "../gone/tmp"), 0);
	maildir_free(&gone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_mailbox_has_its_folders_group_and_modes),
		TEST(files_get_the_group_that_is_wanted),
		TEST(a_listing_is_made_in_steps_of_those_that_are_wanted),
		TEST(creating_again_sets_modes_right_and_keeps_messages),
		TEST(unsafe_places_are_refused),
		TEST(a_symlink_of_somebody_else_is_not_followed),
		TEST(opening_names_what_is_missing),
		TEST(a_name_tells_message_and_destination),
		TEST(a_batch_is_delivered_to_several_mailboxes),
		TEST(in_new_nothing_happens_to_a_file_but_that_it_comes),
		TEST(a_retry_writes_nothing_twice),
		TEST(a_mailbox_is_made_when_its_name_is_on_the_disk),
		TEST(a_retry_waits_for_the_name_to_be_on_the_disk),
		TEST(one_items_failure_leaves_the_others_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
