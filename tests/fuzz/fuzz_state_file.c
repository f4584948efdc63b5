/* fuzz_state_file.c - files that a program wrote and finds again after a crash, a full disk
 * or a clumsy hand: each is read whole, read as far as it goes, or refused.
 *
 * Input: an octet that chooses the file, then its content.  Where the form has a checksum,
 * there are two: as it stands (0..7), and with the checksum made right (8..15), so that
 * what is behind it is reached:
 *   0 journal of texts   1 key store     2 repeats of calls    3 repeats of messages
 *   4 floors             5 a sound file  6 crs-relay.conf
 * 16 is a journal with good records that were durable, one octet of which is damaged then: the
 * first two say which.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "base/config_lines.h"
#include "base/cursor.h"
#include "base/diag.h"
#include "base/file.h"
#include "keys/keystore.h"
#include "keys/replay.h"
#include "mailbox/journal.h"
#include "mailbox/journal_file.h"
#include "media/wav.h"
#include "rendezvous/roster.h"
#include "tests/fuzz/place.h"
#include "umsg/seen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW_S = 1795262400 };

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void sweep(const char *path)
{
	static const char *const tails[] = { "", ".lock", ".torn", ".tmp", ".new" };
	char name[128];

	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, tails[i]);
		unlink(name);
	}
	/* nothing else may be left behind */
	expect(rmdir(place()) == 0 && mkdir(place(), 0700) == 0);
}

/* ---- the journal ---- */

static bool look(void *arg, const struct journal_entry *entry)
{
	const struct journal *journal = arg;
	uint8_t *payload;
	size_t n;

	expect(entry->destination_count <= JOURNAL_MAX_DESTINATIONS);
	for (size_t i = 0; i < entry->destination_count; i++)
		(void)journal_note(journal, &entry->key, i);
	if (!entry->finished && journal_payload(journal, &entry->key, &payload, &n) == 0) {
		expect(n == entry->payload_bytes);
		free(payload);
	}
	return true;
}

/* What was read can be changed, and is found as it was left. */
static void use_journal(const char *path)
{
	const struct journal_key key = { "fifteen letters", 7 };
	struct journal_entry entry;
	struct journal *journal;
	size_t open;

	if (journal_open(path, NOW_S, &journal, NULL))
		return;
	journal_each(journal, look, journal);
	if (journal_put(journal, &key, NOW_S + 100, 2, slice_str("payload")) == 0) {
		expect(journal_set_state(journal, &key, 1, 3, slice_str("why")) == 0);
		expect(journal_sync(journal) == 0);
	}
	open = journal_open_count(journal);
	journal_free(&journal);
	expect(journal_open(path, NOW_S, &journal, NULL) == 0);
	expect(journal_open_count(journal) == open);
	if (journal_find(journal, &key, &entry) == 0 && !entry.finished)
		journal_each(journal, look, journal);
	journal_free(&journal);
}

/* An octet of 128 and more: all before that record was durable.  Returns the file's end. */
static off_t write_journal(const char *path, struct slice content, bool durable)
{
	struct cursor c = cursor_of(content);
	struct journal_file file;
	off_t end;

	expect(journal_file_open(path, &file) == 0);
	end = file.begin;
	while (c.left > 0) {
		size_t n = cursor_u8(&c), body = n & 127;
		ssize_t took = journal_file_append(&file, end, durable || n & 128,
						   cursor_take(&c, body < c.left ? body : c.left),
						   slice_of(NULL, 0));

		expect(took > 0);
		end += took;
	}
	close(file.fd);
	return end;
}

struct counted {
	size_t records;
	off_t skipped, last;
};

static int count_record(void *arg, off_t at, struct slice body)
{
	struct counted *counted = arg;

	expect(body.n > 0);
	counted->records++;
	counted->last = at;
	return 0;
}

static void count_skipped(void *arg, off_t at, off_t n)
{
	struct counted *counted = arg;

	expect(at >= JOURNAL_FILE_HEAD_BYTES && n > 0);
	counted->skipped += n;
}

static struct counted scan(const char *path)
{
	static const struct journal_scan_ops ops = { count_record, count_skipped };
	struct counted counted = { 0 };
	struct journal_file file;
	off_t end;

	expect(journal_file_open(path, &file) == 0);
	expect(journal_file_scan(&file, &ops, &counted, &end) == 0);
	close(file.fd);
	return counted;
}

/* One octet costs one record, wherever it is. */
static void damage_journal(const char *path, struct slice content)
{
	struct cursor c = cursor_of(content);
	unsigned place = cursor_u16(&c);
	off_t end = write_journal(path, slice_from(content, 2), true), at;
	struct counted before = scan(path), after;
	uint8_t octet;
	int fd;

	expect(before.skipped == 0);
	if (end <= JOURNAL_FILE_HEAD_BYTES)
		return;
	at = JOURNAL_FILE_HEAD_BYTES + place % (end - JOURNAL_FILE_HEAD_BYTES);
	fd = open(path, O_RDWR | O_CLOEXEC);
	expect(fd >= 0 && pread(fd, &octet, 1, at) == 1);
	octet ^= (uint8_t)(1 + place % 255);
	expect(pwrite(fd, &octet, 1, at) == 1);
	close(fd);
	after = scan(path);
	/* A mark is no record, and may be the one; behind the last record nothing can be told. */
	expect(after.records == before.records || after.records + 1 == before.records);
	expect(after.skipped > 0 || at >= before.last);
}

/* ---- the others ---- */

static void use_keystore(const char *path)
{
	struct keystore *ks;
	struct keystore_login login;

	if (keystore_load(path, KEYSTORE_READ, &ks, NULL))
		return;
	expect(keystore_uri(ks) && keystore_domain_name(ks));
	for (size_t i = 0; keystore_login_at(ks, NOW_S, i, &login); i++)
		expect(login.address && login.identity);
	keystore_free(&ks);
}

static void write_keystore(const char *path, struct slice content)
{
	uint8_t *octets = malloc(content.n + 3 + SHA256_DIGEST_LENGTH);

	expect(octets != NULL);
	memcpy(octets, "KS\1", 3);
	if (content.n)
		memcpy(octets + 3, content.p, content.n);
	SHA256(octets, content.n + 3, octets + content.n + 3);
	place_write(path, slice_of(octets, content.n + 3 + SHA256_DIGEST_LENGTH));
	free(octets);
}

static void use_replay(const char *path)
{
	struct replay *replay;
	size_t n;

	if (replay_open(path, 50, NOW_S, &replay))
		return;
	(void)replay_take(replay, slice_str("tel:+1"), slice_str("rand"), NOW_S, NOW_S + 300);
	n = replay_count(replay);
	replay_free(&replay);
	expect(replay_open(path, 50, NOW_S, &replay) == 0 && replay_count(replay) == n);
	replay_free(&replay);
}

static void use_seen(const char *path)
{
	const uint8_t id[16] = { 1 }, hash[32] = { 2 };
	struct umsg_seen *seen;

	if (umsg_seen_open(path, 50, NOW_S, &seen))
		return;
	(void)umsg_seen_add(seen, slice_str("tel:+1"), id, hash, NOW_S + 300, NOW_S);
	(void)umsg_seen_check(seen, slice_str("tel:+1"), id, hash);
	umsg_seen_free(&seen);
}

static void use_floors(struct slice text)
{
	struct roster *roster = roster_new(NULL, NULL), *again = roster_new(NULL, NULL);
	char *out;
	size_t n;

	expect(roster && again);
	expect(roster_load(roster, "acme", text) >= 0);
	expect(roster_set_blacklist(roster, "acme", text) == 0);
	expect(roster_text(roster, "acme", &out, &n) == 0);
	expect(roster_load(again, "acme", slice_of(out, n)) == 0); /* what is written makes sense */
	expect(roster_count(again, "acme") == roster_count(roster, "acme"));
	free(out);
	roster_free(&roster);
	roster_free(&again);
}

static void use_wav(const char *path)
{
	int16_t *pcm;
	size_t n;

	if (wav_read(path, 100000, &pcm, &n, NULL) == 0) {
		expect(n <= 100000);
		free(pcm);
	}
}

static void use_lines(struct slice text)
{
	static const struct config_line_rule rules[] = {
		{ "MAX_RTP_RELAYS", 1, 1, "NUMBER", false },
		{ 0 },
	};
	struct diag *diag = diag_new();
	struct config_lines *lines = NULL;

	expect(diag != NULL);
	if (config_pairs_parse("fuzz", text, diag, &lines) == 0)
		config_lines_check(lines, rules, diag);
	config_lines_free(&lines);
	diag_free(&diag);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice content;
	char path[96];

	if (size == 0)
		return 0;
	content = slice_of(data + 1, size - 1);
	snprintf(path, sizeof(path), "%s/file", place());
	if (data[0] == 8)
		write_journal(path, content, false);
	else if (data[0] == 16)
		damage_journal(path, content);
	else if (data[0] == 9)
		write_keystore(path, content);
	else
		place_write(path, content);
	switch (data[0] & 7) { /* 16, too, is used as a journal */
	case 0:
		use_journal(path);
		break;
	case 1:
		use_keystore(path);
		break;
	case 2:
		use_replay(path);
		break;
	case 3:
		use_seen(path);
		break;
	case 4:
		use_floors(content);
		break;
	case 5:
		use_wav(path);
		break;
	default:
		use_lines(content);
	}
	sweep(path);
	return 0;
}
