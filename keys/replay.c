/* replay.c - what was taken already: a hash table in memory, and a file that is only appended to.
 *
 * A record is on disk before its message is acted upon.  The file is written anew when it has
 * grown to twice what may be held, so an append costs one write and one fdatasync.
 */
#include "keys/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/file.h"

/* The file: a head, then records of a fixed length. */
static const char head[] = "tandem replay 1\n";

enum {
	HEAD = sizeof(head) - 1,
	KEY = 16,         /* octets of the hash that are kept */
	RECORD = KEY + 8, /* and the time until which it is, in seconds */
	FILE_MAX = 256 << 20,
	CLEAR_EVERY_S = 60,
};

struct entry {
	uint8_t key[KEY];
	int64_t until_s;
	struct entry *next;
};

struct replay {
	size_t max, n;
	size_t n_buckets; /* a power of two */
	struct entry **bucket;
	int64_t cleared_s; /* when entries of the past were last looked for */
	char *path;        /* NULL: memory only */
	int fd;            /* -1: not open */
	off_t length;      /* of the file's whole records */
};

static size_t buckets_for(size_t max_entries)
{
	size_t n = 16;

	while (n < max_entries && n < SIZE_MAX / 4 / sizeof(void *))
		n *= 2;
	return n;
}

int replay_new(size_t max_entries, struct replay **replay_out)
{
	struct replay *replay;

	if (max_entries == 0)
		return -EINVAL;
	replay = calloc(1, sizeof(*replay));
	if (!replay)
		return -ENOMEM;
	replay->fd = -1;
	replay->max = max_entries;
	replay->n_buckets = buckets_for(max_entries);
	replay->bucket = calloc(replay->n_buckets, sizeof(*replay->bucket));
	if (!replay->bucket) {
		replay_free(&replay);
		return -ENOMEM;
	}
	*replay_out = replay;
	return 0;
}

void replay_free(struct replay **replayp)
{
	struct replay *replay = *replayp;

	if (!replay)
		return;
	for (size_t i = 0; replay->bucket && i < replay->n_buckets; i++)
		for (struct entry *e = replay->bucket[i], *next; e; e = next) {
			next = e->next;
			free(e);
		}
	if (replay->fd >= 0)
		close(replay->fd);
	free(replay->bucket);
	free(replay->path);
	free(replay);
	*replayp = NULL;
}

size_t replay_count(const struct replay *replay)
{
	return replay->n;
}

/* The keys are hashes: any octets of theirs spread well. */
static struct entry **bucket_of(struct replay *replay, const uint8_t key[KEY])
{
	size_t at;

	memcpy(&at, key, sizeof(at));
	return &replay->bucket[at & (replay->n_buckets - 1)];
}

static bool seen(struct replay *replay, const uint8_t key[KEY], int64_t now_s)
{
	for (const struct entry *e = *bucket_of(replay, key); e; e = e->next)
		if (memcmp(e->key, key, KEY) == 0 && e->until_s >= now_s)
			return true;
	return false;
}

static int insert(struct replay *replay, const uint8_t key[KEY], int64_t until_s)
{
	struct entry **bucket = bucket_of(replay, key);
	struct entry *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	memcpy(e->key, key, KEY);
	e->until_s = until_s;
	e->next = *bucket;
	*bucket = e;
	replay->n++;
	return 0;
}

/* Forgets what is past. */
static void clear(struct replay *replay, int64_t now_s)
{
	for (size_t i = 0; i < replay->n_buckets; i++)
		for (struct entry **at = &replay->bucket[i]; *at;) {
			struct entry *e = *at;

			if (e->until_s >= now_s) {
				at = &e->next;
				continue;
			}
			*at = e->next;
			free(e);
			replay->n--;
		}
	replay->cleared_s = now_s;
}

static void write_record(uint8_t out[RECORD + 1], const uint8_t key[KEY], int64_t until_s)
{
	struct buf b = buf_over(out, RECORD + 1);

	buf_put(&b, key, KEY);
	buf_put_u64(&b, (uint64_t)until_s);
}

/* All entries in one piece, for a file that holds no past ones; how long it is goes to
 * *length_out. */
static int write_all(const struct replay *replay, off_t *length_out)
{
	size_t cap = HEAD + replay->n * RECORD + 1;
	uint8_t *octets = malloc(cap);
	struct buf b;
	int err;

	if (!octets)
		return -ENOMEM;
	b = buf_over(octets, cap);
	buf_put(&b, head, HEAD);
	for (size_t i = 0; i < replay->n_buckets; i++)
		for (const struct entry *e = replay->bucket[i]; e; e = e->next) {
			buf_put(&b, e->key, KEY);
			buf_put_u64(&b, (uint64_t)e->until_s);
		}
	err = file_write_atomic(replay->path, 0600, buf_slice(&b));
	*length_out = (off_t)b.len;
	free(octets);
	return err;
}

static int read_records(struct replay *replay, struct slice file, int64_t now_s)
{
	struct cursor c = cursor_of(file);
	int err = 0;

	if (!slice_eq_str(cursor_take(&c, HEAD), head))
		return -EBADMSG;
	while (c.left >= RECORD && !err) {
		struct slice key = cursor_take(&c, KEY);
		int64_t until_s = (int64_t)cursor_u64(&c);

		if (until_s < now_s || seen(replay, key.p, now_s))
			continue;
		err = replay->n < replay->max ? insert(replay, key.p, until_s) : -ENOBUFS;
	}
	return err;
}

static int load(struct replay *replay, int64_t now_s)
{
	uint8_t *octets;
	size_t n;
	int err = file_read(replay->path, FILE_MAX, &octets, &n);

	if (err == -ENOENT)
		return 0;
	if (err)
		return err;
	err = read_records(replay, slice_of(octets, n), now_s);
	free(octets);
	return err;
}

/* Writes the file anew, without what is forgotten, and opens it for appending.  Where it cannot be
 * written the old one stays in use, as it is: length and descriptor go together, or records that
 * still count would be written over. */
static int renew(struct replay *replay)
{
	off_t length = 0;
	int err = write_all(replay, &length);

	if (err)
		return err;
	if (replay->fd >= 0)
		close(replay->fd); /* of a file that has no name any more */
	replay->length = length;
	replay->fd = open(replay->path, O_WRONLY | O_CLOEXEC);
	return replay->fd < 0 ? -errno : 0;
}

int replay_open(const char *path, size_t max_entries, int64_t now_s, struct replay **replay_out)
{
	struct replay *replay;
	int err = replay_new(max_entries, &replay);

	if (err)
		return err;
	replay->path = strdup(path);
	err = replay->path ? load(replay, now_s) : -ENOMEM;
	if (!err)
		err = renew(replay);
	if (err)
		replay_free(&replay);
	else
		*replay_out = replay;
	return err;
}

/* One write; what was written in part is taken back.  A file of twice the entries
 * that are kept is written anew first. */
static int append(struct replay *replay, const uint8_t key[KEY], int64_t until_s)
{
	uint8_t record[RECORD + 1];
	ssize_t n;

	/* No descriptor: renew() wrote the file, but could not open it. */
	if (replay->fd < 0 || replay->length / RECORD > 2 * (off_t)replay->max) {
		int err = renew(replay);

		if (err)
			return err;
	}
	write_record(record, key, until_s);
	do
		n = pwrite(replay->fd, record, RECORD, replay->length);
	while (n < 0 && errno == EINTR);
	/* On disk before the call rings: the promise of replay.h outlives a power cut, too. */
	if (n == RECORD && fdatasync(replay->fd) == 0) {
		replay->length += RECORD;
		return 0;
	}
	n = n < 0 || n == RECORD ? -errno : -ENOSPC;
	if (ftruncate(replay->fd, replay->length) < 0)
		return -errno;
	return (int)n;
}

/* 16 octets of SHA-256 over the hashes of both. */
static void make_key(struct slice sender, struct slice rand, uint8_t key[KEY])
{
	uint8_t digest[SHA256_DIGEST_LENGTH], sender_hash[SHA256_DIGEST_LENGTH];
	uint8_t both[2 * SHA256_DIGEST_LENGTH];

	SHA256(sender.p, sender.n, sender_hash);
	memcpy(both, sender_hash, sizeof(sender_hash));
	SHA256(rand.p, rand.n, both + sizeof(sender_hash));
	SHA256(both, sizeof(both), digest);
	memcpy(key, digest, KEY);
}

int replay_take(struct replay *replay, struct slice sender, struct slice rand, int64_t now_s,
		int64_t until_s)
{
	uint8_t key[KEY];
	int err = 0;

	make_key(sender, rand, key);
	/* Before the look: a full cache may be full of the past. */
	if (replay->n >= replay->max || now_s >= replay->cleared_s + CLEAR_EVERY_S)
		clear(replay, now_s);
	if (seen(replay, key, now_s))
		return -EEXIST;
	if (replay->n >= replay->max)
		return -ENOBUFS;
	if (replay->path)
		err = append(replay, key, until_s);
	return err ? err : insert(replay, key, until_s);
}
