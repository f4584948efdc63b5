#include "tests/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "mailbox/maildir.h"

struct world {
	char dir[64], path[96];
	struct maildir *box;
	struct diag *diag;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	umask(077); /* modes must not depend on it */
	snprintf(w->dir, sizeof(w->dir), "/tmp/maildir-test.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof(w->path), "%s/box", w->dir);
	w->diag = diag_new();
	assert_int_equal(maildir_create(w->path, getgid(), w->diag), 0);
	assert_int_equal(maildir_open(w->path, &w->box, w->diag), 0);
	*state = w;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	struct world *w = *state;

	maildir_free(&w->box);
	diag_free(&w->diag);
	assert_int_equal(nftw(w->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	free(w);
	return 0;
}

/* The path of name in the mailbox; valid until the next call but three. */
static const char *in_box(const struct world *w, const char *name)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", w->path, name);
	return path;
}

static void put(const struct world *w, const char *name, const char *text)
{
	FILE *to = fopen(in_box(w, name), "w");

	assert_non_null(to);
	fputs(text, to);
	assert_int_equal(fclose(to), 0);
}

static bool there(const struct world *w, const char *name)
{
	return access(in_box(w, name), F_OK) == 0;
}

static void assert_holds(const struct world *w, const char *name, const char *text)
{
	char got[1024];
	FILE *from = fopen(in_box(w, name), "r");
	size_t n;

	assert_non_null(from);
	n = fread(got, 1, sizeof(got) - 1, from);
	got[n] = '\0';
	fclose(from);
	assert_string_equal(got, text);
}

static size_t count(const struct world *w, const char *folder)
{
	DIR *dir = opendir(in_box(w, folder));
	size_t n = 0;
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(dir);
	return n;
}

static void set_time(const struct world *w, const char *name, time_t s)
{
	struct timespec times[2] = { { .tv_sec = s }, { .tv_sec = s } };

	assert_int_equal(utimensat(AT_FDCWD, in_box(w, name), times, 0), 0);
}

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

/* --- reading --- */

/* CIG-057: what is in new is found, read and deleted. */
static void messages_are_listed_oldest_first_and_removed(void **state)
{
	static const char *const names[] = { "new/b", "new/a", "cur/c:2,S", "new/d:2,",
					     "new/e,S=3" };
	struct world *w = *state;
	struct maildir_entry *entries;
	uint8_t *data;
	size_t n, len;

	for (size_t i = 0; i < COUNT(names); i++) {
		put(w, names[i], names[i]);
		set_time(w, names[i], 1000 + (time_t)i);
	}
	put(w, "new/.hidden", "x");
	put(w, "cur/draft:2,DS", "x");
	put(w, "cur/trashed:2,T", "x");
	put(w, "tmp/half", "x");
	assert_int_equal(mkdir(in_box(w, "new/dir"), 0700), 0);
	assert_int_equal(maildir_list(w->box, 100, &entries, &n), 0);
	assert_int_equal(n, COUNT(names));
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(entries[i].name, names[i] + 4);
		assert_int_equal(entries[i].in_cur, names[i][0] == 'c');
		assert_int_equal(maildir_read(w->box, &entries[i], 100, &data, &len), 0);
		assert_int_equal(len, strlen(names[i]));
		assert_memory_equal(data, names[i], len);
		free(data);
		assert_int_equal(maildir_remove(w->box, &entries[i]), 0);
		assert_int_equal(maildir_remove(w->box, &entries[i]), 0); /* gone */
		assert_int_equal(maildir_read(w->box, &entries[i], 100, &data, &len), -ENOENT);
		assert_false(there(w, names[i]));
	}
	free(entries);
	assert_int_equal(maildir_list(w->box, 100, &entries, &n), 0);
	assert_int_equal(n, 0);
	assert_null(entries);
}

static void of_many_files_the_oldest_are_listed(void **state)
{
	struct world *w = *state;
	struct maildir_entry *entries;
	size_t n;

	for (int i = 0; i < 50; i++) {
		char name[32];

		snprintf(name, sizeof(name), "new/%d", i);
		put(w, name, "");
		set_time(w, name, 5000 - i);
	}
	assert_int_equal(maildir_list(w->box, 7, &entries, &n), 0);
	assert_int_equal(n, 7);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(strtol(entries[i].name, NULL, 10), 49 - (long)i);
	free(entries);
	assert_int_equal(maildir_list(w->box, 0, &entries, &n), 0);
	assert_int_equal(n, 0);
}

static struct maildir_entry only_entry(struct world *w)
{
	struct maildir_entry *entries, entry;
	size_t n;

	assert_int_equal(maildir_list(w->box, 10, &entries, &n), 0);
	assert_int_equal(n, 1);
	entry = entries[0];
	free(entries);
	return entry;
}

static void another_file_of_the_same_name_is_not_taken_for_it(void **state)
{
	struct world *w = *state;
	struct maildir_entry entry, second;
	uint8_t *data, id[16], other[16];
	size_t n;

	put(w, "new/m", "first");
	entry = only_entry(w);
	put(w, "tmp/m", "second");
	set_time(w, "tmp/m", 77);
	assert_int_equal(rename(in_box(w, "tmp/m"), in_box(w, "new/m")), 0);
	assert_int_equal(maildir_read(w->box, &entry, 100, &data, &n), -ENOENT);
	assert_int_equal(maildir_remove(w->box, &entry), 0);
	assert_int_equal(maildir_fail(w->box, &entry, "x"), -ENOENT);
	assert_holds(w, "new/m", "second");
	second = only_entry(w);
	assert_int_equal(maildir_entry_id(w->box, &entry, id), 0);
	assert_int_equal(maildir_entry_id(w->box, &second, other), 0);
	assert_memory_not_equal(id, other, sizeof(id));
}

/* A mail program that marks a message as seen renames it, even in new. */
static void a_change_of_flags_does_not_make_it_another_file(void **state)
{
	struct world *w = *state;
	uint8_t id[16], again[16];
	struct maildir_entry entry, flagged;

	put(w, "new/m", "text");
	entry = only_entry(w);
	assert_int_equal(rename(in_box(w, "new/m"), in_box(w, "new/m:2,S")), 0);
	flagged = only_entry(w);
	assert_int_equal(maildir_entry_id(w->box, &entry, id), 0);
	assert_int_equal(maildir_entry_id(w->box, &flagged, again), 0);
	assert_memory_equal(id, again, sizeof(id));
	assert_int_equal(maildir_remove(w->box, &entry), 0);
	assert_int_equal(count(w, "new"), 0);
}

static void what_is_no_plain_file_or_too_long_is_refused(void **state)
{
	struct world *w = *state;
	struct maildir_entry entry;
	uint8_t *data;
	size_t n;

	put(w, "new/m", "12345");
	entry = only_entry(w);
	assert_int_equal(maildir_read(w->box, &entry, 4, &data, &n), -EFBIG);
	assert_int_equal(maildir_read(w->box, &entry, 5, &data, &n), 0);
	free(data);
	assert_int_equal(unlink(in_box(w, "new/m")), 0);
	assert_int_equal(symlink("/etc/passwd", in_box(w, "new/link")), 0);
	entry = only_entry(w);
	assert_int_equal(maildir_read(w->box, &entry, 1 << 20, &data, &n), -EINVAL);
	assert_int_equal(maildir_fail(w->box, &entry, "not a regular file"), 0);
	assert_int_equal(mkfifo(in_box(w, "new/fifo"), 0600), 0);
	entry = only_entry(w);
	assert_int_equal(maildir_read(w->box, &entry, 1 << 20, &data, &n), -EINVAL);
}

static void what_cannot_be_used_is_moved_aside_with_its_reason(void **state)
{
	struct world *w = *state;
	struct maildir_entry entry;
	char longest[MAILDIR_NAME_SIZE + 8];

	for (int i = 0; i < 3; i++) {
		put(w, "new/m:2,S", i == 0 ? "zero" : i == 1 ? "one" : "two");
		if (i == 1)
			assert_int_equal(nftw(in_box(w, ".failed"), remove_one, 8, FTW_DEPTH), 0);
		entry = only_entry(w);
		assert_int_equal(maildir_fail(w->box, &entry, "no From\nheader\x1b"), 0);
		assert_int_equal(count(w, "new"), 0);
	}
	assert_holds(w, ".failed/m", "one");
	assert_holds(w, ".failed/m.1", "two");
	assert_holds(w, ".failed/m.1.reason", "no From header \n");

	snprintf(longest, sizeof(longest), "new/%0255d", 7);
	put(w, longest, "long");
	entry = only_entry(w);
	assert_int_equal(maildir_fail(w->box, &entry, "x"), 0);
	assert_int_equal(count(w, ".failed"), 6);
}

static void only_old_files_of_ours_are_swept_from_tmp(void **state)
{
	struct world *w = *state;
	time_t now = 1000000000;

	put(w, "tmp/old", "x");
	set_time(w, "tmp/old", now - MAILDIR_TMP_LIFE_S - 1);
	put(w, "tmp/young", "x");
	set_time(w, "tmp/young", now - MAILDIR_TMP_LIFE_S);
	put(w, "new/old", "x");
	set_time(w, "new/old", now - 10 * MAILDIR_TMP_LIFE_S);
	assert_int_equal(maildir_sweep(w->box, now), 1);
	assert_false(there(w, "tmp/old"));
	assert_true(there(w, "tmp/young"));
	assert_true(there(w, "new/old"));
}

/* --- watching --- */

static bool is_told(struct maildir_watch *watch, int timeout_ms)
{
	struct pollfd wait = { .fd = maildir_watch_fd(watch), .events = POLLIN };

	return poll(&wait, 1, timeout_ms) == 1;
}

static void a_watch_tells_of_every_way_a_file_arrives(void **state)
{
	struct world *w = *state;
	struct maildir_watch *watch;

	assert_int_equal(maildir_watch_new(w->box, 3600, &watch), 0);
	assert_true(is_told(watch, 5000)); /* the first look */
	maildir_watch_drain(watch);
	assert_false(is_told(watch, 0));

	put(w, "tmp/a", "x");
	maildir_watch_drain(watch);
	assert_int_equal(rename(in_box(w, "tmp/a"), in_box(w, "new/a")), 0);
	assert_true(is_told(watch, 5000));
	maildir_watch_drain(watch);

	put(w, "tmp/b", "x");
	assert_int_equal(link(in_box(w, "tmp/b"), in_box(w, "new/b")), 0);
	assert_int_equal(unlink(in_box(w, "tmp/b")), 0);
	assert_true(is_told(watch, 5000));
	maildir_watch_drain(watch);

	put(w, "new/c", "written in place");
	assert_true(is_told(watch, 5000));
	maildir_watch_drain(watch);
	assert_false(is_told(watch, 0));
	maildir_watch_free(&watch);
	assert_null(watch);
}

static void a_watch_rescans_and_finds_a_mailbox_made_anew(void **state)
{
	struct world *w = *state;
	struct maildir_watch *watch;

	assert_int_equal(maildir_watch_new(w->box, 1, &watch), 0);
	assert_true(is_told(watch, 5000));
	maildir_watch_drain(watch);
	assert_int_equal(nftw(w->path, remove_one, 8, FTW_DEPTH), 0);
	assert_int_equal(maildir_create(w->path, getgid(), w->diag), 0);
	maildir_watch_drain(watch);
	assert_true(is_told(watch, 5000)); /* the period */
	maildir_watch_drain(watch);
	put(w, "new/a", "x");
	assert_true(is_told(watch, 0));
	maildir_watch_free(&watch);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
		TEST(a_retry_writes_nothing_twice),
		TEST(one_items_failure_leaves_the_others_alone),
		TEST(messages_are_listed_oldest_first_and_removed),
		TEST(of_many_files_the_oldest_are_listed),
		TEST(another_file_of_the_same_name_is_not_taken_for_it),
		TEST(a_change_of_flags_does_not_make_it_another_file),
		TEST(what_is_no_plain_file_or_too_long_is_refused),
		TEST(what_cannot_be_used_is_moved_aside_with_its_reason),
		TEST(only_old_files_of_ours_are_swept_from_tmp),
		TEST(a_watch_tells_of_every_way_a_file_arrives),
		TEST(a_watch_rescans_and_finds_a_mailbox_made_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
