/* seen.c - messages that were taken, so that a repeat is known (docs/umsg.md
 * "Messages"): a map in memory and, when it has a path, a file to which each one is
 * appended. */
#include "umsg/seen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/file.h"
#include "base/idmap.h"

/* The file: a head, then records of a fixed length. */
static const char head[] = "tandem seen 1\n";

enum {
	HEAD = sizeof(head) - 1,
	KEY = 16,                /* octets of SHA-256(sender, id) that are kept */
	HASH = 16,               /* octets of the signed hash that are kept */
	RECORD = KEY + HASH + 8, /* and the end, in seconds */
	FILE_OCTETS_MAX = 256 << 20,
	CLEAR_EVERY_S = 60,
	PAST_MAX = 1024, /* records of what is past, beside as many as there are others */
	SENDER_MAX = 255,
};

struct entry {
	struct idmap_node node;
	struct entry *next; /* in order of arrival */
	uint8_t key[KEY], hash[HASH];
	int64_t end_s;
};

struct umsg_seen {
	struct idmap map;
	struct entry *first, **tail;
	size_t n, max;
	int64_t cleared_s;
	char *path;     /* NULL: memory only */
	int fd;         /* -1: no file, or it is to be opened again */
	size_t records; /* in the file */
};

/* A hash is as good as random: its first octets serve the map as they are. */
static uint64_t number_of(const uint8_t key[KEY])
{
	struct cursor c = cursor_of(slice_of(key, KEY));

	return cursor_u64(&c);
}

/* The id alone is the sender's choice: with his URI nobody can make another one's message a
 * repeat. */
static int key_of(struct slice sender, const uint8_t id[16], uint8_t key_out[KEY])
{
	uint8_t list[2 + SENDER_MAX + 16 + 1], hash[SHA256_DIGEST_LENGTH];
	struct buf b = BUF_OF(list);

	buf_put_l16(&b, sender);
	buf_put(&b, id, 16);
	if (!buf_ok(&b) || !SHA256(list, b.len, hash))
		return -EINVAL;
	memcpy(key_out, hash, KEY);
	return 0;
}

static struct entry *find(const struct umsg_seen *seen, const uint8_t key[KEY])
{
	struct idmap_node *node = idmap_first(&seen->map, number_of(key));

	for (; node; node = idmap_next(node)) {
		struct entry *entry = IDMAP_OWNER(node, struct entry, node);

		if (memcmp(entry->key, key, KEY) == 0)
			return entry;
	}
	return NULL;
}

static int remember(struct umsg_seen *seen, const uint8_t key[KEY], const uint8_t hash[HASH],
		    int64_t end_s)
{
	struct entry *entry;

	if (find(seen, key))
		return 0;
	if (seen->n == seen->max)
		return -ENOBUFS;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	memcpy(entry->key, key, KEY);
	memcpy(entry->hash, hash, HASH);
	entry->end_s = end_s;
	idmap_put(&seen->map, &entry->node, number_of(key));
	*seen->tail = entry;
	seen->tail = &entry->next;
	seen->n++;
	return 0;
}

/* Forgets what is past. */
static void clear(struct umsg_seen *seen, int64_t now_s)
{
	struct entry **at = &seen->first;

	seen->cleared_s = now_s;
	seen->tail = &seen->first;
	while (*at) {
		struct entry *entry = *at;

		if (entry->end_s > now_s) {
			at = &entry->next;
			seen->tail = at;
			continue;
		}
		*at = entry->next;
		idmap_remove(&seen->map, &entry->node);
		free(entry);
		seen->n--;
	}
}

int umsg_seen_new(size_t max_entries, struct umsg_seen **seen_out)
{
	struct umsg_seen *seen;

	if (max_entries == 0)
		return -EINVAL;
	seen = calloc(1, sizeof(*seen));
	if (!seen)
		return -ENOMEM;
	seen->fd = -1;
	seen->max = max_entries;
	seen->tail = &seen->first;
	if (idmap_init(&seen->map) < 0) {
		free(seen);
		return -ENOMEM;
	}
	*seen_out = seen;
	return 0;
}

void umsg_seen_free(struct umsg_seen **seenp)
{
	struct umsg_seen *seen = *seenp;

	if (!seen)
		return;
	clear(seen, INT64_MAX);
	idmap_done(&seen->map);
	if (seen->fd >= 0)
		close(seen->fd);
	free(seen->path);
	free(seen);
	*seenp = NULL;
}

static void put_record(struct buf *b, const uint8_t key[KEY], const uint8_t hash[HASH],
		       int64_t end_s)
{
	buf_put(b, key, KEY);
	buf_put(b, hash, HASH);
	buf_put_u64(b, (uint64_t)end_s);
}

static int load(struct umsg_seen *seen, struct slice file, int64_t now_s)
{
	struct cursor c = cursor_of(file);

	if (file.n == 0)
		return 0;
	if (!slice_eq_str(cursor_take(&c, HEAD), head))
		return -EBADMSG;
	/* A record that a power cut tore off at the end is left out; the file is written anew
	 * anyway. */
	while (c.left >= RECORD) {
		struct slice key = cursor_take(&c, KEY), hash = cursor_take(&c, HASH);
		int64_t end_s = (int64_t)cursor_u64(&c);
		int err = end_s > now_s ? remember(seen, key.p, hash.p, end_s) : 0;

		/* -ENOBUFS: fewer are kept than before; the oldest of the file count. */
		if (err == -ENOMEM)
			return err;
	}
	return 0;
}

static int write_anew(const struct umsg_seen *seen)
{
	size_t n = HEAD + seen->n * RECORD + 1;
	uint8_t *p = malloc(n);
	struct buf b;
	int err;

	if (!p)
		return -ENOMEM;
	b = buf_over(p, n);
	buf_put(&b, head, HEAD);
	for (const struct entry *e = seen->first; e; e = e->next)
		put_record(&b, e->key, e->hash, e->end_s);
	err = file_write_atomic(seen->path, 0600, buf_slice(&b));
	free(p);
	return err;
}

static void close_file(struct umsg_seen *seen)
{
	if (seen->fd >= 0)
		close(seen->fd);
	seen->fd = -1;
}

/* Has it been replaced?  Then it has no name any more. */
static bool is_replaced(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && st.st_nlink == 0;
}

/* Leaves out what is past.  On failure the former file goes on; where another one stands in its
 * place already (base/file.h: the last step failed), or the new one cannot be opened, there is none
 * (fd -1): what is appended to a file without a name is forgotten. */
static int renew(struct umsg_seen *seen)
{
	int err = write_anew(seen);

	if (err && is_replaced(seen->fd))
		close_file(seen);
	if (err)
		return err;
	close_file(seen);
	/* After write_anew(), which puts another file in its place. */
	seen->fd = open(seen->path, O_WRONLY | O_APPEND | O_CLOEXEC);
	seen->records = seen->n;
	return seen->fd < 0 ? -errno : 0;
}

static int take_file(struct umsg_seen *seen, const char *path, int64_t now_s)
{
	uint8_t *file = NULL;
	size_t n = 0;
	int err;

	seen->path = strdup(path);
	if (!seen->path)
		return -ENOMEM;
	err = file_read(path, FILE_OCTETS_MAX, &file, &n);
	if (err && err != -ENOENT)
		return err;
	err = load(seen, slice_of(file, n), now_s);
	free(file);
	return err ? err : renew(seen);
}

int umsg_seen_open(const char *path, size_t max_entries, int64_t now_s, struct umsg_seen **seen_out)
{
	struct umsg_seen *seen;
	int err = umsg_seen_new(max_entries, &seen);

	if (err)
		return err;
	err = take_file(seen, path, now_s);
	if (err)
		umsg_seen_free(&seen);
	else
		*seen_out = seen;
	return err;
}

enum umsg_seen_verdict umsg_seen_check(const struct umsg_seen *seen, struct slice sender,
				       const uint8_t id[16], const uint8_t hash[32])
{
	const struct entry *entry;
	uint8_t key[KEY];

	if (key_of(sender, id, key) < 0)
		return UMSG_SEEN_NEW;
	entry = find(seen, key);
	if (!entry)
		return UMSG_SEEN_NEW;
	return memcmp(entry->hash, hash, HASH) == 0 ? UMSG_SEEN_REPEAT : UMSG_SEEN_CONFLICT;
}

/* Appends a record; a torn one would shift all behind it and is cut off again. */
static int append(struct umsg_seen *seen, const uint8_t key[KEY], const uint8_t hash[HASH],
		  int64_t end_s)
{
	uint8_t record[RECORD + 1];
	struct buf b = BUF_OF(record);
	off_t before = lseek(seen->fd, 0, SEEK_END);
	ssize_t n;
	int err;

	put_record(&b, key, hash, end_s);
	n = write(seen->fd, record, RECORD);
	/* Durable before Taken: the rendezvous deletes the message then. */
	if (n == RECORD && fdatasync(seen->fd) == 0) {
		seen->records++;
		return 0;
	}
	err = n < 0 ? -errno : -EIO;
	if (before >= 0 && ftruncate(seen->fd, before) < 0)
		err = -errno;
	return err;
}

/* The file is written anew when more than half of it is past, so that it stays as small as what it
 * stands for.  Where that fails it is tried again with the next clearing. */
static void tidy(struct umsg_seen *seen, int64_t now_s)
{
	clear(seen, now_s);
	if (seen->path && (seen->fd < 0 || seen->records > 2 * seen->n + PAST_MAX))
		renew(seen);
}

int umsg_seen_add(struct umsg_seen *seen, struct slice sender, const uint8_t id[16],
		  const uint8_t hash[32], int64_t end_s, int64_t now_s)
{
	uint8_t key[KEY];
	int err = key_of(sender, id, key);

	if (err)
		return err;
	/* Also when the clock went back, or the next clearing would be an hour away. */
	if (now_s >= seen->cleared_s + CLEAR_EVERY_S || now_s < seen->cleared_s)
		tidy(seen, now_s);
	if (end_s <= now_s || find(seen, key))
		return 0;
	err = remember(seen, key, hash, end_s);
	if (err || !seen->path)
		return err;
	/* Written anew it has this one, too. */
	return seen->fd < 0 ? renew(seen) : append(seen, key, hash, end_s);
}

size_t umsg_seen_count(const struct umsg_seen *seen)
{
	return seen->n;
}
