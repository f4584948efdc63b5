/* What the journal survives: cuts, damage, kills and full disks. */
#include "tests/mailbox/journal_scene.h"

#include <sys/uio.h>

#include "base/buf.h"
#include "mailbox/journal_file.h"

/* In front of the C library's: what is read back here never comes from the disk itself, and
 * hundreds of journals are opened. */
int fdatasync(int fd)
{
	(void)fd;
	return 0;
}

int fsync(int fd)
{
	(void)fd;
	return 0;
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

/* Whatever of their record is on the disk. */
static void those_that_are_finished_together_are_finished_or_none_is(void **state)
{
	struct world *w = *state;
	uint8_t ids[5][JOURNAL_ID_BYTES];
	const uint8_t(*all)[JOURNAL_ID_BYTES] = (const uint8_t(*)[JOURNAL_ID_BYTES])ids;
	struct journal_entry entry;
	size_t before, n;
	uint8_t *whole;
	struct stat st;

	open_at(w, NOW);
	for (unsigned i = 0; i < 5; i++) {
		struct journal_key key = { .kind = 2, .id = { (uint8_t)i } };

		memcpy(ids[i], key.id, sizeof(ids[i]));
		if (i != 2) /* it is not there */
			assert_int_equal(journal_put(w->journal, &key, END, 0, slice_str("x")), 0);
	}
	assert_int_equal(stat(w->path, &st), 0);
	before = (size_t)st.st_size;
	assert_int_equal(journal_finish_all(w->journal, 1, all, 5),
			 0); /* of a kind that has none */
	assert_int_equal(journal_open_count(w->journal), 4);
	assert_int_equal(journal_finish_all(w->journal, 2, all, 5), 0);
	assert_int_equal(journal_open_count(w->journal), 0);
	assert_int_equal(journal_finish_all(w->journal, 2, all, 5), 0); /* nothing is left */

	assert_int_equal(journal_finish_all(w->journal, 2, all, JOURNAL_MAX_TOGETHER + 1), -E2BIG);
	journal_free(&w->journal);
	assert_int_equal(file_read(w->path, 1 << 20, &whole, &n), 0);
	for (size_t cut = before; cut <= n; cut++) {
		assert_int_equal(file_write_atomic(w->path, 0600, slice_of(whole, cut)), 0);
		open_at(w, NOW);
		assert_int_equal(journal_open_count(w->journal), cut < n ? 4 : 0);
		for (unsigned i = 0; i < 5; i++) {
			struct journal_key key = { .kind = 2, .id = { (uint8_t)i } };

			assert_int_equal(journal_find(w->journal, &key, &entry), i != 2);
		}
	}
	free(whole);
}

static void flip(const struct world *w, off_t at)
{
	int fd = open(w->path, O_RDWR);
	uint8_t octet;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &octet, 1, at), 1);
	octet ^= 0x10;
	assert_int_equal(pwrite(fd, &octet, 1, at), 1);
	close(fd);
}

static off_t size_of(const struct world *w, const char *tail)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s%s", w->path, tail);
	return stat(path, &st) == 0 ? st.st_size : -1;
}

/* Which of the first four entries are there, with what they were put with. */
static unsigned found_of_four(struct world *w)
{
	unsigned found = 0;

	for (unsigned i = 0; i < 4; i++) {
		struct journal_key key = key_of(i);

		if (!journal_find(w->journal, &key, NULL))
			continue;
		assert_true(holds(w, i, "payload of an entry"));
		found |= 1U << i;
	}
	return found;
}

static void put_four(struct world *w, bool durable)
{
	open_at(w, NOW);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(put(w, i, 1, "payload of an entry"), 0);
		if (durable)
			assert_int_equal(journal_sync(w->journal), 0);
	}
	journal_free(&w->journal);
}

/* A damaged octet, of a length, too, costs its own record, tells so, and never yields a wrong one;
 * only of the last one it cannot be known that it was whole once. */
static void a_damaged_octet_costs_one_record(void **state)
{
	struct world *w = *state;
	size_t n, size;
	uint8_t *whole;

	put_four(w, true);
	assert_int_equal(file_read(w->path, 1 << 20, &whole, &n), 0);
	size = (n - JOURNAL_FILE_HEAD_BYTES) / 4;
	for (size_t at = JOURNAL_FILE_HEAD_BYTES; at < n; at++) {
		size_t place = (at - JOURNAL_FILE_HEAD_BYTES) / size;
		unsigned warnings = (unsigned)diag_warnings(w->diag);

		assert_int_equal(file_write_atomic(w->path, 0600, slice_of(whole, n)), 0);
		flip(w, (off_t)at);
		for (int i = 0; i < 2; i++) { /* the second start finds nothing of it */
			open_at(w, NOW);
			assert_int_equal(found_of_four(w), 15U & ~(1U << place));
			assert_int_equal(diag_warnings(w->diag), warnings + 1);
			assert_int_equal(size_of(w, ".torn"), size);
			assert_int_equal(put(w, 5 + (unsigned)i, 0, "goes on"), 0);
		}
		journal_free(&w->journal);
	}
	assert_int_equal(diag_errors(w->diag), 0);
	free(whole);
}

static void what_was_left_out_is_told_once_with_its_place(void **state)
{
	struct world *w = *state;
	struct diag_item item;
	char want[400];
	off_t size;

	put_four(w, true);
	size = (size_of(w, "") - JOURNAL_FILE_HEAD_BYTES) / 4;
	flip(w, JOURNAL_FILE_HEAD_BYTES + 3);             /* a length */
	flip(w, JOURNAL_FILE_HEAD_BYTES + 2 * size + 30); /* a body */
	open_at(w, NOW);
	assert_int_equal(found_of_four(w), 10);
	assert_int_equal(diag_warnings(w->diag), 1);
	assert_true(diag_get(w->diag, 0, &item));
	snprintf(want, sizeof(want),
		 "%s: octet 16: %lld octets in 2 places from there on are damaged and left out "
		 "(kept in %s.torn); all else goes on",
		 w->path, (long long)(2 * size), w->path);
	assert_string_equal(item.text, want);
	assert_int_equal(size_of(w, ".torn"), 2 * size);
	/* What was written anew has nothing behind it yet but the mark that it is durable. */
	journal_free(&w->journal);
	flip(w, JOURNAL_FILE_HEAD_BYTES + 40);
	open_at(w, NOW);
	assert_int_equal(found_of_four(w), 8);
	assert_int_equal(diag_warnings(w->diag), 2);
}

/* The system writes in any order: behind a record that a crash left unwritten a whole one may
 * stand, which was never durable, and neither was promised. */
static void behind_what_a_crash_tore_nothing_counts(void **state)
{
	struct world *w = *state;
	off_t size;

	put_four(w, false);
	size = (size_of(w, "") - JOURNAL_FILE_HEAD_BYTES) / 4;
	flip(w, JOURNAL_FILE_HEAD_BYTES + size + 30);
	open_at(w, NOW);
	assert_int_equal(found_of_four(w), 1);
	assert_int_equal(size_of(w, ".torn"), 3 * size);
}

/* Under another seed no record would check, and all would be cut. */
static void a_damaged_head_is_no_journal(void **state)
{
	struct world *w = *state;

	for (off_t at = 0; at < JOURNAL_FILE_HEAD_BYTES; at++) {
		unlink(w->path);
		put_four(w, true);
		flip(w, at);
		assert_int_equal(journal_open(w->path, NOW, &w->journal, w->diag), -EBADMSG);
		flip(w, at);
		open_at(w, NOW);
		assert_int_equal(found_of_four(w), 15);
		journal_free(&w->journal);
	}
}

/* Writes into room, as a file with that seed has it, a record that puts entry 9. */
static struct slice forge(const struct world *w, uint32_t seed, uint8_t room[128])
{
	struct journal_file file = { .fd = open(w->path, O_RDWR), .seed = seed };
	struct journal_key key = key_of(9);
	uint8_t body[48];
	struct buf b = BUF_OF(body);
	off_t end = size_of(w, "");
	ssize_t n;

	buf_put_u8(&b, 1); /* RECORD_PUT */
	buf_put_u8(&b, key.kind);
	buf_put(&b, key.id, sizeof(key.id));
	buf_put_u64(&b, END);
	buf_put_u16(&b, 0);
	n = journal_file_append(&file, end, true, buf_slice(&b), slice_str("forged"));
	assert_in_range(n, 1, 128);
	assert_int_equal(pread(file.fd, room, (size_t)n, end), n);
	assert_int_equal(ftruncate(file.fd, end), 0);
	close(file.fd);
	return slice_of(room, (size_t)n);
}

/* A text may hold what looks like a record.  Where its own length is damaged it is looked for the
 * next record in the text itself; without the file's seed nothing there passes for one. */
static void a_text_that_looks_like_records_is_none(void **state)
{
	struct world *w = *state;
	struct journal_key inner = key_of(1), forged = key_of(9);

	for (int known = 0; known < 2; known++) {
		struct journal_file file;
		uint8_t room[128];
		struct slice octets;

		unlink(w->path);
		open_at(w, NOW);
		journal_free(&w->journal);
		assert_int_equal(journal_file_open(w->path, &file), 0);
		close(file.fd);
		octets = forge(w, known ? file.seed : 0, room);
		open_at(w, NOW);
		assert_int_equal(journal_put(w->journal, &inner, END, 0, octets), 0);
		assert_int_equal(journal_sync(w->journal), 0);
		assert_int_equal(put(w, 2, 0, "behind"), 0);
		journal_free(&w->journal);
		flip(w, JOURNAL_FILE_HEAD_BYTES + 2);
		open_at(w, NOW);
		assert_true(holds(w, 2, "behind"));
		assert_int_equal(journal_find(w->journal, &inner, NULL), 0);
		/* With the seed it works: it is what keeps the other one out. */
		assert_int_equal(journal_find(w->journal, &forged, NULL), known);
		journal_free(&w->journal);
	}
}

/* A file of the form before is read and written anew; damage in it is cut off as it was. */
static void a_file_of_the_first_form_is_read(void **state)
{
	struct world *w = *state;

	for (int damaged = 0; damaged < 2; damaged++) {
		struct journal_file file = { .first_form = true };
		off_t end = JOURNAL_MAGIC_BYTES;
		uint8_t magic[9] = { 0 };

		assert_int_equal(file_write_atomic(w->path, 0600, slice_str("TANDEMJ1")), 0);
		file.fd = open(w->path, O_RDWR);
		for (unsigned i = 0; i < 4; i++) {
			struct journal_key key = key_of(i);
			uint8_t body[64];
			struct buf b = BUF_OF(body);

			buf_put_u8(&b, 1); /* RECORD_PUT */
			buf_put_u8(&b, key.kind);
			buf_put(&b, key.id, sizeof(key.id));
			buf_put_u64(&b, END);
			buf_put_u16(&b, 1);
			end += journal_file_append(&file, end, true, buf_slice(&b),
						   slice_str("payload of an entry"));
		}
		close(file.fd);
		assert_int_equal(end, 8 + 4 * (8 + 28 + 19)); /* no octet of the second form */
		if (damaged)
			flip(w, 8 + 2 * 55 + 20);
		for (int i = 0; i < 2; i++) {
			open_at(w, NOW);
			assert_int_equal(found_of_four(w), damaged ? 3 : 15);
			journal_free(&w->journal);
		}
		file.fd = open(w->path, O_RDONLY);
		assert_int_equal(pread(file.fd, magic, 8, 0), 8);
		assert_string_equal((char *)magic, "TANDEMJ2");
		close(file.fd);
		assert_int_equal(diag_warnings(w->diag), damaged);
	}
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
	assert_int_equal(pwrite(fd, "X", 1, 16 + 12 + 28), 1);
	close(fd);
	assert_int_equal(journal_payload(w->journal, &key, &data, &n), -EBADMSG);
}

/* Its payload is gone, and says so; everything else of it and of the others goes on, and the file
 * does not grow for ever. */
static void a_damaged_record_does_not_stop_the_file_from_being_written_anew(void **state)
{
	struct world *w = *state;
	struct journal_key key = key_of(1), dead = key_of(3);
	static uint8_t much[3 << 20];
	struct journal_entry entry;
	struct stat st;
	uint8_t *data;
	size_t n;
	int fd, result;

	open_at(w, NOW);
	assert_int_equal(put(w, 1, 2, "payload"), 0);
	assert_int_equal(journal_set_state(w->journal, &key, 1, FAILED, slice_str("why")), 0);
	assert_int_equal(put(w, 2, 0, "another"), 0);
	assert_int_equal(journal_put(w->journal, &dead, END, 0, slice_of(much, sizeof(much))), 0);
	assert_int_equal(journal_finish(w->journal, &dead), 0);
	fd = open(w->path, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "X", 1, 16 + 12 + 28), 1);
	close(fd);
	while ((result = journal_tidy(w->journal, NOW, NULL, NULL)) == 1)
		;
	assert_int_equal(result, 0);
	assert_int_equal(stat(w->path, &st), 0);
	assert_true(st.st_size < 1000);
	/* Twice: the second start reads what the first one wrote anew. */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(journal_payload(w->journal, &key, &data, &n), -EBADMSG);
		assert_int_equal(journal_find(w->journal, &key, &entry), 1);
		assert_int_equal(entry.destination_count, 2);
		assert_int_equal(entry.states[1], FAILED);
		assert_string_equal(journal_note(w->journal, &key, 1), "why");
		assert_true(holds(w, 2, "another"));
		assert_int_equal(put(w, 10 + (unsigned)i, 0, "x"), 0);
		dead = key_of(10 + (unsigned)i);
		assert_int_equal(journal_finish(w->journal, &dead), 0);
		open_at(w, NOW);
	}
	assert_int_equal(journal_set_payload(w->journal, &key, slice_str("put again")), 0);
	assert_true(holds(w, 1, "put again"));
	open_at(w, NOW);
	assert_true(holds(w, 1, "put again"));
	assert_int_equal(diag_warnings(w->diag), 0);
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

/* The next one may be started before the system has taken a killed one apart. */
static void who_is_just_ending_is_waited_for(void **state)
{
	struct world *w = *state;
	int told[2], status;
	char octet;
	pid_t pid;

	assert_int_equal(pipe(told), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct journal *journal;

		if (journal_open(w->path, NOW, &journal, NULL) || write(told[1], "", 1) != 1)
			_exit(1);
		nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
		_exit(0); /* without letting go */
	}
	assert_int_equal(read(told[0], &octet, 1), 1);
	open_at(w, NOW);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(told[0]);
	close(told[1]);
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

/* --- a disk that cannot be read --- */

static off_t bad_octet; /* 0: none */

/* The C library's, but for a bad sector. */
ssize_t pread(int fd, void *to, size_t n, off_t at)
{
	const struct iovec part = { to, n };

	if (bad_octet && at <= bad_octet && bad_octet < at + (off_t)n) {
		errno = EIO;
		return -1;
	}
	return preadv(fd, &part, 1, at);
}

static void a_bad_sector_is_told_with_its_place_and_nothing_is_cut(void **state)
{
	struct world *w = *state;
	char want[160];
	struct stat st, now;

	open_at(w, NOW);
	assert_int_equal(put(w, 1, 1, "before"), 0);
	assert_int_equal(stat(w->path, &st), 0);
	assert_int_equal(put(w, 2, 1, "there"), 0);
	assert_int_equal(put(w, 3, 1, "behind"), 0);
	journal_free(&w->journal);
	bad_octet = st.st_size + 20;
	assert_int_equal(stat(w->path, &st), 0);
	assert_int_equal(journal_open(w->path, NOW, &w->journal, w->diag), -EIO);
	assert_null(w->journal);
	snprintf(want, sizeof(want), "%s: octet %lld: Input/output error", w->path,
		 (long long)bad_octet - 20);
	bad_octet = 0;
	assert_string_equal(diag_first_error(w->diag), want);
	assert_int_equal(diag_errors(w->diag), 1);
	assert_int_equal(stat(w->path, &now), 0);
	assert_int_equal(now.st_size, st.st_size);
	open_at(w, NOW);
	assert_true(holds(w, 2, "there"));
	assert_true(holds(w, 3, "behind"));
}

/* Longer than the pieces in which the file is read, and beginning anywhere in one. */
static void long_records_are_read_among_short_ones(void **state)
{
	struct world *w = *state;
	size_t n = 3 << 20;
	char *much = malloc(n + 1);

	assert_non_null(much);
	memset(much, 'm', n);
	much[n] = '\0';
	open_at(w, NOW);
	for (unsigned i = 0; i < 40; i++) {
		much[i == 7 ? n : i * 30011] = '\0';
		assert_int_equal(put(w, i, 1, much), 0);
		much[i == 7 ? n : i * 30011] = 'm';
	}
	open_at(w, NOW);
	for (unsigned i = 0; i < 40; i++) {
		much[i == 7 ? n : i * 30011] = '\0';
		assert_true(holds(w, i, much));
		much[i == 7 ? n : i * 30011] = 'm';
	}
	free(much);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cut_at_any_octet_nothing_acknowledged_is_lost),
		TEST(those_that_are_finished_together_are_finished_or_none_is),
		TEST(a_damaged_octet_costs_one_record),
		TEST(what_was_left_out_is_told_once_with_its_place),
		TEST(behind_what_a_crash_tore_nothing_counts),
		TEST(a_damaged_head_is_no_journal),
		TEST(a_text_that_looks_like_records_is_none),
		TEST(a_file_of_the_first_form_is_read),
		TEST(damage_since_the_start_is_seen_when_a_payload_is_read),
		TEST(a_damaged_record_does_not_stop_the_file_from_being_written_anew),
		TEST(another_file_is_not_taken_for_a_journal),
		TEST(only_one_process_has_it_open),
		TEST(who_is_just_ending_is_waited_for),
		TEST(killed_at_any_time_nothing_acknowledged_is_lost),
		TEST(a_full_disk_changes_nothing_and_the_journal_goes_on),
		TEST(a_bad_sector_is_told_with_its_place_and_nothing_is_cut),
		TEST(long_records_are_read_among_short_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
