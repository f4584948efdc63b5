/* Writing to mailboxes, several messages with as few disk flushes as possible. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/encode.h"
#include "base/file.h"
#include "mailbox/maildir_priv.h"

enum {
	BATCH = 16, /* more at once costs no less (measured) */
	DESTINATION_HASH_BYTES = 8,
	RECENT_NAMES = 3,
};

/* An item on its way. */
struct staged {
	struct maildir_item *item;
	int tmp, new; /* directories */
	int fd;       /* the file in tmp */
	dev_t device;
	bool written; /* it is there, and its fd may be closed */
	bool flushed;
	bool done; /* nothing more to do; item->result is set */
};

void maildir_name(int64_t date_s, const uint8_t id[16], const char *destination,
		  char out[MAILDIR_NAME_SIZE])
{
	char id_text[HEX_TEXT_SIZE(16)], hash_text[HEX_TEXT_SIZE(DESTINATION_HASH_BYTES)];
	uint8_t hash[EVP_MAX_MD_SIZE] = { 0 };

	/* The destination may be a path: only its hash can stand in a name. */
	EVP_Digest(destination, strlen(destination), hash, NULL, EVP_sha256(), NULL);
	hex_encode(slice_of(id, 16), id_text);
	hex_encode(slice_of(hash, DESTINATION_HASH_BYTES), hash_text);
	snprintf(out, MAILDIR_NAME_SIZE, "%" PRId64 ".%s.%s.cig", date_s < 0 ? 0 : date_s, id_text,
		 hash_text);
}

/* What becomes of an item is decided once; later stages pass it over. */
static void finish(struct staged *s, int result)
{
	s->item->result = result;
	s->done = true;
}

static bool exists(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Is the file in new, or did a mail program take it to cur (as it is, unseen, seen)? */
static bool is_delivered(const struct staged *s)
{
	static const char *const flags[RECENT_NAMES] = { "", ":2,", ":2,S" };
	char name[MAILDIR_NAME_SIZE + 8];
	bool found = exists(s->new, s->item->name);
	int cur = found ? -1 : maildir_open_dir(s->item->to, "cur");

	for (size_t i = 0; cur >= 0 && !found && i < RECENT_NAMES; i++) {
		snprintf(name, sizeof(name), "%s%s", s->item->name, flags[i]);
		found = exists(cur, name);
	}
	if (cur >= 0)
		close(cur);
	return found;
}

/* Writes the file in tmp; what an earlier try left there is replaced. */
static int write_tmp(struct staged *s)
{
	const char *name = s->item->name;
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	struct stat st;
	int err;

	s->fd = openat(s->tmp, name, flags, MAILDIR_FILE_MODE);
	if (s->fd < 0 && errno == EEXIST && unlinkat(s->tmp, name, 0) == 0)
		s->fd = openat(s->tmp, name, flags, MAILDIR_FILE_MODE);
	if (s->fd < 0)
		return -errno;
	s->written = true;
	maildir_give(s->item->to, s->fd); /* before the mode, which it may change */
	err = fchmod(s->fd, MAILDIR_FILE_MODE) < 0 ? -errno
						   : file_write_all(s->fd, s->item->content);
	if (!err && fstat(s->fd, &st) < 0)
		err = -errno;
	if (!err)
		s->device = st.st_dev;
	return err;
}

static void stage(struct staged *s, struct maildir_item *item)
{
	int err;

	*s = (struct staged){ .item = item, .tmp = -1, .new = -1, .fd = -1 };
	/* A name from elsewhere must not lead out of the mailbox, nor be one that listings pass
	 * over. */
	if (strchr(item->name, '/') || item->name[0] == '.' || item->name[0] == '\0') {
		finish(s, -EINVAL);
		return;
	}
	s->tmp = maildir_open_dir(item->to, "tmp");
	s->new = maildir_open_dir(item->to, "new");
	if (s->tmp < 0 || s->new < 0) {
		finish(s, s->tmp < 0 ? s->tmp : s->new);
		return;
	}
	/* By an earlier try, which may have ended, or failed, before its name was on the disk. */
	if (is_delivered(s)) {
		finish(s, fsync(s->new) < 0 ? -errno : 0);
		return;
	}
	err = write_tmp(s);
	if (err)
		finish(s, err);
}

/* Flushes the files: one call for all that lie on one file system. */
static void flush(struct staged *staged, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned same = 0;
		int err;

		if (staged[i].done || staged[i].flushed)
			continue;
		for (size_t j = i; j < n; j++)
			same += !staged[j].done && staged[j].device == staged[i].device;
		/* syncfs() also writes what others have dirty there, which for one file would be
		 * dear. */
		err = (same > 1 ? syncfs(staged[i].fd) : fsync(staged[i].fd)) < 0 ? -errno : 0;
		for (size_t j = i; j < n; j++) {
			if (staged[j].done || staged[j].device != staged[i].device)
				continue;
			staged[j].flushed = true;
			if (err)
				finish(&staged[j], err);
		}
	}
}

static void close_file(struct staged *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static void rename_all(struct staged *staged, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct staged *s = &staged[i];
		int err;

		if (s->done)
			continue;
		/* Before it moves: in new nothing happens to a file but that it comes, for readers
		 * who watch (inotify(7)).  Its content is on the disk. */
		close_file(s);
		err = maildir_move(s->tmp, s->item->name, s->new, s->item->name);
		if (err && err != -EEXIST) /* there by now: on the disk, too, by flush_dirs() */
			finish(s, err);
	}
}

/* Makes the renames durable, once for each mailbox. */
static void flush_dirs(struct staged *staged, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int err;

		if (staged[i].done)
			continue;
		err = fsync(staged[i].new) < 0 ? -errno : 0;
		for (size_t j = i; j < n; j++)
			if (!staged[j].done && staged[j].item->to == staged[i].item->to && j != i)
				finish(&staged[j], err);
		finish(&staged[i], err);
	}
}

static void unstage(struct staged *s)
{
	close_file(s);
	if (s->written)
		unlinkat(s->tmp, s->item->name, 0); /* there only if it did not get to new */
	if (s->tmp >= 0)
		close(s->tmp);
	if (s->new >= 0)
		close(s->new);
}

/* The order is what makes it safe: content on disk, then the name, then the name on disk.  A
 * crash in between leaves a file in tmp, which the retry replaces, or one in new, which it finds.
 */
static size_t deliver(struct maildir_item *items, size_t n)
{
	struct staged staged[BATCH];
	size_t failed = 0;

	for (size_t i = 0; i < n; i++)
		stage(&staged[i], &items[i]);
	flush(staged, n);
	rename_all(staged, n);
	flush_dirs(staged, n);
	for (size_t i = 0; i < n; i++) {
		unstage(&staged[i]);
		failed += items[i].result != 0;
	}
	return failed;
}

size_t maildir_deliver_batch(struct maildir_item *items, size_t n)
{
	size_t failed = 0;

	while (n) {
		size_t now = n < BATCH ? n : BATCH;

		failed += deliver(items, now);
		items += now;
		n -= now;
	}
	return failed;
}
