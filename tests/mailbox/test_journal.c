#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/file.h"
#include "mailbox/crc32c.h"
#include "mailbox/journal.h"

enum { NOW = 1000, END = 2000 };
enum { DELIVERED = 1, FAILED = 2 }; /* states */

struct world {
	char dir[64], path[96];
	struct journal *journal;
	struct diag *diag;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	snprintf(w->dir, sizeof(w->dir), "/tmp/journal-test.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof(w->path), "%s/journal", w->dir);
	w->diag = diag_new();
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	static const char *const suffixes[] = { "", ".lock", ".torn", ".new" };
	struct world *w = *state;

	journal_free(&w->journal);
	for (size_t i = 0; i < COUNT(suffixes); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s%s", w->path, suffixes[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(w->dir), 0);
	diag_free(&w->diag);
	free(w);
	return 0;
}

static void open_at(struct world *w, int64_t now_s)
{
	journal_free(&w->journal);
	assert_int_equal(journal_open(w->path, now_s, &w->journal, w->diag), 0);
}

static struct journal_key key_of(unsigned i)
{
	struct journal_key key = { .kind = (uint8_t)(i % 3) };

	memcpy(key.id, &i, sizeof(i));
	return key;
}

static int put(struct world *w, unsigned i, size_t destinations, const char *payload)
{
	struct journal_key key = key_of(i);

	return journal_put(w->journal, &key, END, destinations, slice_str(payload));
}

static bool holds(struct world *w, unsigned i, const char *payload)
{
	struct journal_key key = key_of(i);
	uint8_t *data;
	bool same;
	size_t n;

	if (journal_payload(w->journal, &key, &data, &n) < 0)
		return false;
	same = n == strlen(payload) && memcmp(data, payload, n) == 0;
	free(data);
	return same;
}

/* --- what it keeps --- */

static void an_entry_keeps_payload_states_and_notes_over_restarts(void **state)
{
	struct world *w = *state;
	struct journal_key key = key_of(7);
	struct journal_entry entry;

	open_at(w, NOW);
	assert_int_equal(put(w, 7, 3, "payload"), 0);
	assert_int_equal(journal_set_state(w->journal, &key, 1, DELIVERED, slice_str("")), 0);
	assert_int_equal(journal_set_state(w->journal, &key, 2, FAILED, slice_str("disk full")), 0);
	assert_int_equal(journal_set_state(w->journal, &key, 2, FAILED, slice_str("no answer")), 0);
	assert_int_equal(journal_sync(w->journal), 0);
	for (int i = 0; i < 3; i++) { /* as it is, and written anew */
		assert_int_equal(journal_find(w->journal, &key, &entry), 1);
		assert_int_equal(entry.end_s, END);
		assert_false(entry.finished);
		assert_int_equal(entry.payload_bytes, 7);
		assert_int_equal(entry.destination_count, 3);
		assert_int_equal(entry.states[0], JOURNAL_STATE_OPEN);
		assert_int_equal(entry.states[1], DELIVERED);
		assert_int_equal(entry.states[2], FAILED);
		assert_string_equal(journal_note(w->journal, &key, 0), "");
		assert_string_equal(journal_note(w->journal, &key, 2), "no answer");
		assert_string_equal(journal_note(w->journal, &key, 3), "");
		assert_true(holds(w, 7, "payload"));
		assert_int_equal(journal_open_count(w->journal), 1);
		open_at(w, NOW);
	}
}

static void a_payload_can_be_replaced(void **state)
{
	struct world *w = *state;
	struct journal_key key = key_of(1);

	open_at(w, NOW);
	assert_int_equal(put(w, 1, 0, "plain"), 0);
	assert_int_equal(journal_set_payload(w->journal, &key, slice_str("sealed form")), 0);
	assert_true(holds(w, 1, "sealed form"));
	assert_int_equal(journal_set_payload(w->journal, &key, slice_str("")), 0);
	assert_true(holds(w, 1, ""));
	assert_int_equal(journal_set_payload(w->journal, &key, slice_str("sealed form")), 0);
	open_at(w, NOW);
	assert_true(holds(w, 1, "sealed form"));
	open_at(w, NOW);
	assert_true(holds(w, 1, "sealed form"));
}

static void a_finished_id_is_known_until_its_end_and_then_forgotten(void **state)
{
	struct world *w = *state;
	struct journal_key key = key_of(1);
	struct journal_entry entry;
	uint8_t *data;
	size_t n;

	open_at(w, NOW);
	assert_int_equal(put(w, 1, 2, "payload"), 0);
	assert_int_equal(journal_finish(w->journal, &key), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(journal_find(w->journal, &key, &entry), 1);
		assert_true(entry.finished);
		assert_int_equal(entry.destination_count, 0);
		assert_int_equal(journal_open_count(w->journal), 0);
		assert_int_equal(put(w, 1, 2, "again"), -EEXIST);
		assert_int_equal(journal_payload(w->journal, &key, &data, &n), -ENOENT);
		assert_int_equal(journal_finish(w->journal, &key), -ENOENT);
		open_at(w, i == 2 ? END : END - 1);
	}
	assert_int_equal(journal_find(w->journal, &key, NULL), 0);
	assert_int_equal(put(w, 1, 2, "anew"), 0);
	open_at(w, END);
	assert_true(holds(w, 1, "anew"));
}

static void an_id_forgotten_while_running_may_come_again(void **state)
{
	struct world *w = *state;
	struct journal_key key = key_of(1);

	open_at(w, NOW);
	assert_int_equal(put(w, 1, 0, "first"), 0);
	assert_int_equal(journal_finish(w->journal, &key), 0);
	assert_int_equal(journal_tidy(w->journal, END, NULL, NULL), 0);
	assert_int_equal(put(w, 1, 0, "second"), 0);
	open_at(w, NOW);
	assert_true(holds(w, 1, "second"));
}

static void the_same_id_of_another_kind_is_another_entry(void **state)
{
	struct world *w = *state;
	struct journal_key in = { .id = { 1 }, .kind = 1 }, out = { .id = { 1 }, .kind = 2 };

	open_at(w, NOW);
	assert_int_equal(journal_put(w->journal, &in, END, 0, slice_str("in")), 0);
	assert_int_equal(journal_find(w->journal, &out, NULL), 0);
	assert_int_equal(journal_put(w->journal, &out, END, 0, slice_str("out")), 0);
	assert_int_equal(journal_finish(w->journal, &in), 0);
	assert_int_equal(journal_open_count(w->journal), 1);
}

static void wrong_calls_change_nothing(void **state)
{
	struct world *w = *state;
	struct journal_key key = key_of(1), none = key_of(2);
	char note[JOURNAL_MAX_NOTE_BYTES + 1];

	memset(note, 'n', sizeof(note));
	open_at(w, NOW);
	assert_int_equal(put(w, 1, 2, "x"), 0);
	assert_int_equal(put(w, 1, 2, "y"), -EEXIST);
	assert_int_equal(put(w, 2, JOURNAL_MAX_DESTINATIONS + 1, "y"), -E2BIG);
	assert_int_equal(journal_set_state(w->journal, &none, 0, 1, slice_str("")), -ENOENT);
	assert_int_equal(journal_set_state(w->journal, &key, 2, 1, slice_str("")), -EINVAL);
	assert_int_equal(journal_set_state(w->journal, &key, 0, 1, slice_of(note, sizeof(note))),
			 -E2BIG);
	assert_int_equal(journal_set_payload(w->journal, &none, slice_str("")), -ENOENT);
	assert_int_equal(journal_finish(w->journal, &none), -ENOENT);
	open_at(w, NOW);
	assert_int_equal(journal_open_count(w->journal), 1);
	assert_true(holds(w, 1, "x"));
}

struct seen {
	unsigned ids[8];
	size_t n, stop_at;
};

static bool see(void *arg, const struct journal_entry *entry)
{
	struct seen *seen = arg;

	memcpy(&seen->ids[seen->n++], entry->key.id, sizeof(unsigned));
	return seen->n != seen->stop_at;
}

static void entries_come_oldest_first(void **state)
{
	struct world *w = *state;
	struct seen seen = { .n = 0 }, two = { .stop_at = 2 };
	struct journal_key key = key_of(3);

	open_at(w, NOW);
	for (unsigned i = 5; i > 0; i--)
		assert_int_equal(put(w, i, 0, "x"), 0);
	assert_int_equal(journal_finish(w->journal, &key), 0);
	for (int i = 0; i < 2; i++) {
		seen.n = 0;
		journal_each(w->journal, see, &seen);
		assert_int_equal(seen.n, 5);
		for (unsigned j = 0; j < 5; j++)
			assert_int_equal(seen.ids[j], 5 - j);
		open_at(w, NOW);
	}
	journal_each(w->journal, see, &two);
	assert_int_equal(two.n, 2);
}

/* --- what it survives --- */

/* Every state the file goes through while it is written, cut at every octet: what was
 * synced at that length must be there, and nothing that was never written. */
static void cut_at_any_octet_nothing_acknowledged_is_lost(void **state)
{
	enum { STEPS = 12 };
	struct world *w = *state;
	size_t synced[STEPS + 1] = { 0 }, n;
	uint8_t *whole;
	struct stat st;

	open_at(w, NOW);
	for (unsigned i = 0; i < STEPS; i++) {
		struct journal_key key = key_of(i), before = key_of(i - 1);

		assert_int_equal(put(w, i, 1, "payload of an entry"), 0);
		assert_int_equal(journal_set_state(w->journal, &key, 0, DELIVERED, slice_str("ok")),
				 0);
		if (i % 3 == 2)
			assert_int_equal(journal_finish(w->journal, &before), 0);
		assert_int_equal(journal_sync(w->journal), 0);
		assert_int_equal(stat(w->path, &st), 0);
		synced[i] = (size_t)st.st_size;
	}
	journal_free(&w->journal);
	assert_int_equal(file_read(w->path, 1 << 20, &whole, &n), 0);
	for (size_t cut = 0; cut <= n; cut++) {
		assert_int_equal(file_write_atomic(w->path, 0600, slice_of(whole, cut)), 0);
		open_at(w, NOW);
		for (unsigned i = 0; i < STEPS; i++) {
			struct journal_key key = key_of(i);
			struct journal_entry entry;
			int found = journal_find(w->journal, &key, &entry);

			assert_true(found || synced[i] > cut);
			if (found && !entry.finished)
				assert_true(holds(w, i, "payload of an entry"));
			if (synced[i] <= cut && !entry.finished)
				assert_int_equal(entry.states[0], DELIVERED);
			if (i % 3 == 1 && synced[i + 1] <= cut)
				assert_true(entry.finished);
		}
		assert_int_equal(put(w, 99, 0, "goes on"), 0);
		open_at(w, NOW);
		assert_true(holds(w, 99, "goes on"));
		journal_free(&w->journal);
	}
	free(whole);
}

/* A damaged octet costs what stands behind it, tells so, and never yields a wrong one. */
static void a_damaged_octet_never_yields_a_wrong_payload(void **state)
{
	struct world *w = *state;
	uint8_t *whole;
	size_t n;

	open_at(w, NOW);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(put(w, i, 1, "payload of an entry"), 0);
	journal_free(&w->journal);
	assert_int_equal(file_read(w->path, 1 << 20, &whole, &n), 0);
	for (size_t at = 8; at < n; at++) {
		size_t found = 0;

		whole[at] ^= 0x10;
		assert_int_equal(file_write_atomic(w->path, 0600, slice_of(whole, n)), 0);
		whole[at] ^= 0x10;
		open_at(w, NOW);
		for (unsigned i = 0; i < 4; i++) {
			struct journal_key key = key_of(i);

			if (!journal_find(w->journal, &key, NULL))
				break;
			assert_true(holds(w, i, "payload of an entry"));
			found++;
		}
		assert_int_equal(found, (at - 8) / ((n - 8) / 4));
		journal_free(&w->journal);
	}
	assert_true(diag_warnings(w->diag) > 0);
	assert_int_equal(diag_errors(w->diag), 0);
	free(whole);
}

static void damage_since_the_start_is_seen_when_a_payload_is_read(void **state)
{
	struct world *w = *state;
	struct journal_key key = key_of(1);
	uint8_t *data;
	size_t n;
	int fd;

	open_at(w, NOW);
	assert_int_equal(put(w, 1, 0, "payload"), 0);
	fd = open(w->path, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "X", 1, 8 + 8 + 28), 1);
	close(fd);
	assert_int_equal(journal_payload(w->journal, &key, &data, &n), -EBADMSG);
}

static void another_file_is_not_taken_for_a_journal(void **state)
{
	struct world *w = *state;

	assert_int_equal(file_write_atomic(w->path, 0600, slice_str("something else")), 0);
	assert_int_equal(journal_open(w->path, NOW, &w->journal, w->diag), -EBADMSG);
	assert_null(w->journal);
	assert_non_null(strstr(diag_first_error(w->diag), "this is no journal"));
}

static void only_one_process_has_it_open(void **state)
{
	struct world *w = *state;
	struct journal *second = NULL;

	open_at(w, NOW);
	assert_int_equal(journal_open(w->path, NOW, &second, w->diag), -EBUSY);
	assert_null(second);
}

/* The writer of a killed process: puts, syncs, then tells the id. */
static _Noreturn void write_for_ever(struct world *w, int tell)
{
	struct journal *journal;

	if (journal_open(w->path, NOW, &journal, NULL) < 0)
		_exit(1);
	for (unsigned i = 0;; i++) {
		struct journal_key key = key_of(i);

		if (journal_put(journal, &key, END, 1, slice_of(&i, sizeof(i))) < 0 ||
		    journal_sync(journal) < 0 || write(tell, &i, sizeof(i)) != sizeof(i))
			_exit(1);
	}
}

static void killed_at_any_time_nothing_acknowledged_is_lost(void **state)
{
	struct world *w = *state;

	for (int round = 0; round < 8; round++) {
		struct timespec pause = { 0, 1000000 + round * 4700000 };
		unsigned told = 0, i;
		int fds[2], status;
		pid_t child;

		assert_int_equal(pipe(fds), 0);
		child = fork();
		assert_true(child >= 0);
		if (child == 0)
			write_for_ever(w, fds[1]);
		close(fds[1]);
		assert_int_equal(read(fds[0], &i, sizeof(i)), sizeof(i)); /* it runs */
		nanosleep(&pause, NULL); /* not a wait for anything: the moment of the kill */
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		for (told = 1; read(fds[0], &i, sizeof(i)) == sizeof(i); told++)
			assert_int_equal(i, told);
		close(fds[0]);
		open_at(w, NOW);
		for (i = 0; i < told; i++) {
			struct journal_key key = key_of(i);
			uint8_t *data;
			size_t n;

			assert_int_equal(journal_payload(w->journal, &key, &data, &n), 0);
			assert_memory_equal(data, &i, sizeof(i));
			free(data);
		}
		journal_free(&w->journal);
		unlink(w->path);
	}
}

static void a_full_disk_changes_nothing_and_the_journal_goes_on(void **state)
{
	struct world *w = *state;
	struct rlimit before, limit;
	struct journal_key key = key_of(1);
	struct stat st;
	char big[4096];

	memset(big, 'b', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	open_at(w, NOW);
	assert_int_equal(put(w, 1, 1, "small"), 0);
	assert_int_equal(stat(w->path, &st), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = (rlim_t)st.st_size + 1000; /* half of the next one fits */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(put(w, 2, 1, big), -EFBIG);
	assert_int_equal(journal_set_payload(w->journal, &key, slice_str(big)), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(journal_open_count(w->journal), 1);
	assert_true(holds(w, 1, "small"));
	assert_int_equal(put(w, 2, 1, big), 0);
	assert_int_equal(journal_sync(w->journal), 0);
	open_at(w, NOW);
	assert_true(holds(w, 1, "small"));
	assert_true(holds(w, 2, big));
	assert_int_equal(diag_warnings(w->diag), 0);
}

/* --- how large it gets --- */

static off_t size_of(const struct world *w)
{
	struct stat st;

	assert_int_equal(stat(w->path, &st), 0);
	return st.st_size;
}

static void what_is_dead_is_left_out_at_the_start_and_by_tidying(void **state)
{
	static char big[600000];
	struct world *w = *state;
	unsigned shrunk = 0;
	off_t full;

	memset(big, 'b', sizeof(big) - 1);
	open_at(w, NOW);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(put(w, i, 0, big), 0);
	for (unsigned i = 0; i < 3; i++) {
		struct journal_key key = key_of(i);

		full = size_of(w);
		assert_int_equal(journal_finish(w->journal, &key), 0);
		while (journal_tidy(w->journal, NOW, NULL, NULL) == 1)
			;
		shrunk += size_of(w) < full;
		assert_true(i > 0 || !shrunk); /* a quarter is not worth it */
	}
	assert_true(shrunk > 0);
	assert_true(size_of(w) < 1300000);
	assert_true(holds(w, 3, big));
	assert_int_equal(put(w, 5, 0, "after"), 0);
	open_at(w, NOW);
	assert_true(holds(w, 3, big));
	assert_true(holds(w, 5, "after"));
	assert_int_equal(journal_open_count(w->journal), 2);
	{
		struct journal_key key = key_of(3);

		assert_int_equal(journal_finish(w->journal, &key), 0);
	}
	open_at(w, NOW);
	assert_true(size_of(w) < 1000);
	assert_true(holds(w, 5, "after"));
}

static struct slice repeat(char *room, size_t n, char c)
{
	memset(room, c, n);
	return slice_of((uint8_t *)room, n);
}

/* Entry i after the changes below. */
static void check_changed(struct world *w, unsigned i)
{
	struct journal_key key = key_of(i);
	struct journal_entry entry;

	assert_int_equal(journal_find(w->journal, &key, &entry), 1);
	assert_int_equal(entry.finished, i % 4 == 0);
	if (entry.finished)
		return;
	assert_int_equal(entry.payload_bytes, i % 4 == 1 ? 300 : 2000);
	assert_int_equal(entry.states[1], i % 4 == 2 ? DELIVERED : 0);
	assert_string_equal(journal_note(w->journal, &key, 1), i % 4 == 2 ? "gone" : "");
}

static void change(struct world *w, unsigned i)
{
	struct journal_key key = key_of(i);
	char room[300];

	if (i % 4 == 0)
		assert_int_equal(journal_finish(w->journal, &key), 0);
	else if (i % 4 == 1)
		assert_int_equal(
			journal_set_payload(w->journal, &key, repeat(room, sizeof(room), 'n')), 0);
	else if (i % 4 == 2)
		assert_int_equal(
			journal_set_state(w->journal, &key, 1, DELIVERED, slice_str("gone")), 0);
}

/* The file is written anew in steps; what changes meanwhile, before or behind the place that
 * the steps have reached, is in the new file. */
static void changes_while_the_file_is_written_anew_are_kept(void **state)
{
	enum { ENTRIES = 3000, DEAD = 5000 };
	static char room[2000];
	struct world *w = *state;
	unsigned steps = 0, changed = 0, later = 0;
	struct journal_key key;
	off_t full;

	open_at(w, NOW);
	for (unsigned i = 0; i < ENTRIES; i++) {
		key = key_of(i);
		assert_int_equal(
			journal_put(w->journal, &key, END, 2, repeat(room, sizeof(room), 'p')), 0);
	}
	for (unsigned i = 0; i < DEAD; i++) {
		key = key_of(ENTRIES + i);
		assert_int_equal(
			journal_put(w->journal, &key, END, 0, repeat(room, sizeof(room), 'd')), 0);
		assert_int_equal(journal_finish(w->journal, &key), 0);
	}
	full = size_of(w);
	while (journal_tidy(w->journal, NOW, NULL, NULL) == 1) {
		for (unsigned i = 0; i < 200 && changed < ENTRIES; i++, changed++)
			change(w, (changed * 7) % ENTRIES);
		key = key_of(ENTRIES + DEAD + later++);
		assert_int_equal(journal_put(w->journal, &key, END, 2, slice_str("new")), 0);
		steps++;
	}
	assert_true(steps > 10);
	assert_true(size_of(w) < full / 2);
	for (; changed < ENTRIES; changed++)
		change(w, (changed * 7) % ENTRIES);
	for (int again = 0; again < 2; again++) {
		for (unsigned i = 0; i < ENTRIES; i++)
			check_changed(w, i);
		for (unsigned i = 0; i < later; i++)
			assert_true(holds(w, ENTRIES + DEAD + i, "new"));
		open_at(w, NOW);
	}
}

struct told {
	unsigned n;
	uint8_t last;
};

static void tell(void *arg, const struct journal_entry *entry)
{
	struct told *told = arg;

	told->n++;
	told->last = entry->key.kind;
}

static void entries_past_their_end_are_told_and_not_forgotten(void **state)
{
	struct journal_key key = { .kind = 7 };
	struct world *w = *state;
	struct told told = { 0 };

	open_at(w, NOW);
	assert_int_equal(journal_put(w->journal, &key, END, 0, slice_str("waits")), 0);
	assert_int_equal(journal_tidy(w->journal, END - 1, tell, &told), 0);
	assert_int_equal(told.n, 0);
	assert_int_equal(journal_tidy(w->journal, END, tell, &told), 0);
	assert_int_equal(told.n, 1);
	assert_int_equal(told.last, 7);
	assert_int_equal(journal_find(w->journal, &key, NULL), 1);
}

static void the_crc_is_castagnolis(void **state)
{
	uint8_t ramp[1000];

	(void)state;
	/* RFC 3720, appendix B.4 */
	memset(ramp, 0, 32);
	assert_int_equal(crc32c(0, slice_of(ramp, 32)), 0x8a9136aa);
	memset(ramp, 0xff, 32);
	assert_int_equal(crc32c(0, slice_of(ramp, 32)), 0x62a8ab43);
	for (size_t i = 0; i < sizeof(ramp); i++)
		ramp[i] = (uint8_t)i;
	assert_int_equal(crc32c(0, slice_of(ramp, 32)), 0x46dd794e);
	for (size_t i = 0; i < sizeof(ramp); i++) {
		uint32_t head = crc32c(0, slice_of(ramp, i));

		assert_int_equal(head, crc32c_plain(0, slice_of(ramp, i)));
		assert_int_equal(crc32c(head, slice_of(ramp + i, sizeof(ramp) - i)),
				 crc32c_plain(0, slice_of(ramp, sizeof(ramp))));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_entry_keeps_payload_states_and_notes_over_restarts),
		TEST(a_payload_can_be_replaced),
		TEST(a_finished_id_is_known_until_its_end_and_then_forgotten),
		TEST(an_id_forgotten_while_running_may_come_again),
		TEST(the_same_id_of_another_kind_is_another_entry),
		TEST(wrong_calls_change_nothing),
		TEST(entries_come_oldest_first),
		TEST(cut_at_any_octet_nothing_acknowledged_is_lost),
		TEST(a_damaged_octet_never_yields_a_wrong_payload),
		TEST(damage_since_the_start_is_seen_when_a_payload_is_read),
		TEST(another_file_is_not_taken_for_a_journal),
		TEST(only_one_process_has_it_open),
		TEST(killed_at_any_time_nothing_acknowledged_is_lost),
		TEST(a_full_disk_changes_nothing_and_the_journal_goes_on),
		TEST(what_is_dead_is_left_out_at_the_start_and_by_tidying),
		TEST(changes_while_the_file_is_written_anew_are_kept),
		TEST(entries_past_their_end_are_told_and_not_forgotten),
		cmocka_unit_test(the_crc_is_castagnolis),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
