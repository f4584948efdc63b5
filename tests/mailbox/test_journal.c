/* What the journal keeps, forgets and leaves out. */
#include "tests/mailbox/journal_scene.h"

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

enum { ENTRIES = 3000, HALF = ENTRIES / 2, DEAD = 5000 };

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

/* Far apart, of one kind: the one is perhaps copied already, and the other is not. */
static void finish_two(struct world *w, unsigned i)
{
	struct journal_key one = key_of(i), two = key_of(i + HALF);
	uint8_t ids[2][JOURNAL_ID_BYTES];

	assert_int_equal(one.kind, two.kind);
	memcpy(ids[0], two.id, sizeof(two.id));
	memcpy(ids[1], one.id, sizeof(one.id));
	assert_int_equal(journal_finish_all(w->journal, one.kind,
					    (const uint8_t(*)[JOURNAL_ID_BYTES])ids, 2),
			 0);
}

static void change(struct world *w, unsigned i)
{
	struct journal_key key = key_of(i);
	char room[300];

	if (i % 4 == 0)
		finish_two(w, i % HALF);
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
		TEST(what_is_dead_is_left_out_at_the_start_and_by_tidying),
		TEST(changes_while_the_file_is_written_anew_are_kept),
		TEST(entries_past_their_end_are_told_and_not_forgotten),
		cmocka_unit_test(the_crc_is_castagnolis),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
