/* Listing a mailbox, in steps that take no longer than the owner wants. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mailbox/maildir_priv.h"

struct maildir_listing {
	struct maildir *maildir;
	bool (*wanted)(void *arg, const struct maildir_entry *entry);
	void *arg;
	DIR *dir;    /* being read; NULL between folders */
	bool in_cur; /* which folder that is, or comes next */
	bool over;   /* both are read */
	struct maildir_entry *entries;
	size_t n, cap, max;
	bool left_out; /* more than max were wanted */
};

/* --- the entries that are kept --- */

static int by_age(const void *va, const void *vb)
{
	const struct maildir_entry *a = va, *b = vb;

	if (a->mtime.tv_sec != b->mtime.tv_sec)
		return a->mtime.tv_sec < b->mtime.tv_sec ? -1 : 1;
	if (a->mtime.tv_nsec != b->mtime.tv_nsec)
		return a->mtime.tv_nsec < b->mtime.tv_nsec ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* Keeps the max oldest. */
static void cut(struct maildir_listing *listing)
{
	if (listing->n)
		qsort(listing->entries, listing->n, sizeof(*listing->entries), by_age);
	if (listing->n > listing->max) {
		listing->n = listing->max;
		listing->left_out = true;
	}
}

/* Twice max is held at most, however many files there are. */
static int keep(struct maildir_listing *listing, const struct maildir_entry *entry)
{
	struct maildir_entry *more;
	size_t cap;

	/* Sorted once in max files, which costs n log(max) in all. */
	if (listing->n == 2 * listing->max)
		cut(listing);
	if (listing->n == listing->cap) {
		cap = listing->cap ? 2 * listing->cap : 16;
		more = reallocarray(listing->entries, cap, sizeof(*more));
		if (!more)
			return -ENOMEM;
		listing->entries = more;
		listing->cap = cap;
	}
	listing->entries[listing->n++] = *entry;
	return 0;
}

/* --- the directories --- */

/* Is it a message to be taken: no draft, not thrown away, not hidden? */
static bool is_message(const char *name)
{
	const char *flags = name + maildir_base_length(name);

	return name[0] != '.' && !(*flags && strpbrk(flags + 3, "DT"));
}

static int look_at(struct maildir_listing *listing, const char *name)
{
	struct maildir_entry entry = { .in_cur = listing->in_cur };
	struct stat st;

	if (!is_message(name) || fstatat(dirfd(listing->dir), name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    S_ISDIR(st.st_mode))
		return 0; /* or it vanished since */
	snprintf(entry.name, sizeof(entry.name), "%s", name);
	entry.inode = st.st_ino;
	entry.mtime = st.st_mtim;
	entry.size = st.st_size;
	if (listing->wanted && !listing->wanted(listing->arg, &entry))
		return 0;
	return keep(listing, &entry);
}

static int open_folder(struct maildir_listing *listing)
{
	int fd = maildir_open_dir(listing->maildir, listing->in_cur ? "cur" : "new");

	if (fd < 0)
		return fd;
	listing->dir = fdopendir(fd);
	if (listing->dir)
		return 0;
	close(fd);
	return -ENOMEM;
}

static void close_folder(struct maildir_listing *listing)
{
	closedir(listing->dir);
	listing->dir = NULL;
	listing->over = listing->in_cur;
	listing->in_cur = true;
}

/* --- the listing --- */

int maildir_listing_new(struct maildir *maildir, size_t max,
			bool (*wanted)(void *arg, const struct maildir_entry *entry), void *arg,
			struct maildir_listing **listing_out)
{
	struct maildir_listing *listing = calloc(1, sizeof(*listing));

	if (!listing)
		return -ENOMEM;
	listing->maildir = maildir;
	listing->max = max;
	listing->wanted = wanted;
	listing->arg = arg;
	*listing_out = listing;
	return 0;
}

void maildir_listing_free(struct maildir_listing **listingp)
{
	struct maildir_listing *listing = *listingp;

	if (!listing)
		return;
	*listingp = NULL;
	if (listing->dir)
		closedir(listing->dir);
	free(listing->entries);
	free(listing);
}

int maildir_listing_step(struct maildir_listing *listing, size_t entries)
{
	const struct dirent *found;
	int err = 0;

	for (size_t i = 0; !err && i < entries && !listing->over; i++) {
		if (!listing->dir)
			err = open_folder(listing);
		if (err)
			break;
		found = readdir(listing->dir);
		if (found)
			err = look_at(listing, found->d_name);
		else
			close_folder(listing);
	}
	return err ? err : listing->over;
}

bool maildir_listing_take(struct maildir_listing **listingp, struct maildir_entry **entries_out,
			  size_t *n_out)
{
	struct maildir_listing *listing = *listingp;
	bool left_out;

	cut(listing);
	left_out = listing->left_out;
	*n_out = listing->n;
	*entries_out = NULL;
	if (listing->n) {
		*entries_out = listing->entries;
		listing->entries = NULL;
	}
	maildir_listing_free(listingp);
	return left_out;
}

int maildir_list(struct maildir *maildir, size_t max, struct maildir_entry **entries_out,
		 size_t *n_out)
{
	struct maildir_listing *listing;
	int err = maildir_listing_new(maildir, max, NULL, NULL, &listing);

	if (err)
		return err;
	err = maildir_listing_step(listing, SIZE_MAX);
	if (err < 0) {
		maildir_listing_free(&listing);
		return err;
	}
	maildir_listing_take(&listing, entries_out, n_out);
	return 0;
}
