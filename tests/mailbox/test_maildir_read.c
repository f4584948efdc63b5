/* A mailbox as its reader sees it: listings, reading, what is moved aside, watching. */
#include "tests/mailbox/maildir_scene.h"

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
			assert_int_equal(remove_tree(in_box(w, ".failed")), 0);
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
	assert_int_equal(remove_tree(w->path), 0);
	assert_int_equal(maildir_create(w->path, getgid(), w->diag), 0);
	maildir_watch_drain(watch);
	assert_true(is_told(watch, 5000)); /* the period */
	maildir_watch_drain(watch);
	put(w, "new/a", "x");
	assert_true(is_told(watch, 0));
	maildir_watch_free(&watch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
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
