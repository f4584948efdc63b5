/* floors.c - group commit of raised floors.
 *
 * A client's registration waits for its raise, so that a crash cannot let an older key in again.
 * With a flush for each, no more could register in a second than the disk has flushes; so all
 * that came in one turn of the loop share one. Memory is raised first and disk follows: a floor
 * that is too high for a moment shuts out, never in.
 */
#include "rendezvous/floors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "keys/account.h"
#include "rendezvous/accounts.h"
#include "rendezvous/roster.h"

/* Octets of a file that is read whole, and of one line of it. */
enum { FLOORS_MAX = 512 << 20, LINE_MAX_OCTETS = 256 };

/* A raise that waits for the end of this turn, with the line that will stand for it. */
struct raise {
	struct raise *next;
	unsigned worker;
	uint64_t ticket;
	char account[ACCOUNT_ID_MAX + 1];
	int err; /* of writing it */
	char line[LINE_MAX_OCTETS];
};

struct floors {
	const char *dir;
	struct roster *roster;
	struct event *commit;
	struct raise *first, **last;
	floors_done_fn *done;
	void *arg;
};

/* The lines of one account.  What a failed write left is cut off: a later line behind half of one
 * would be lost with it, though it was told to be durable. */
static int append(const char *path, const struct raise *from, const char *account)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	off_t before;
	int err = 0;

	if (fd < 0)
		return -errno;
	before = lseek(fd, 0, SEEK_END);
	for (const struct raise *r = from; r && !err; r = r->next) {
		if (strcmp(r->account, account) == 0)
			err = file_write_all(fd, slice_str(r->line));
	}
	if (!err && fdatasync(fd))
		err = -errno;
	if (err && before >= 0 && ftruncate(fd, before))
		log_warn("account", "%s: half a line cannot be cut off: %s", path, strerror(errno));
	close(fd);
	return err;
}

/* One account's raises, written together; the others' are left alone. */
static void commit_account(struct floors *floors, const char *account)
{
	char path[ACCOUNTS_PATH];
	int err = accounts_path(floors->dir, account, "floors", path);

	if (!err)
		err = append(path, floors->first, account);
	if (err)
		log_warn("account", "cannot write %s: %s", path, strerror(-err));
	/* -EACCES is not for a file that must not be opened: its users would be denied. */
	for (struct raise *r = floors->first; r; r = r->next) {
		if (strcmp(r->account, account) == 0)
			r->err = err ? -EIO : 0;
	}
}

static void on_commit(evutil_socket_t fd, short what, void *arg)
{
	struct floors *floors = arg;
	struct raise *r;
	const char *done = "";

	(void)fd;
	(void)what;
	for (r = floors->first; r; r = r->next) {
		bool seen = false;

		/* Quadratic at worst, over the raises of one turn; mostly of one account. */
		if (strcmp(r->account, done) == 0)
			continue;
		for (const struct raise *before = floors->first; before != r; before = before->next)
			seen = seen || strcmp(before->account, r->account) == 0;
		if (!seen)
			commit_account(floors, r->account);
		done = r->account;
	}
	/* Answered when all accounts are written. done must not raise: the list's end is set
	 * anew only behind this. */
	while ((r = floors->first)) {
		floors->first = r->next;
		floors->done(floors->arg, r->worker, r->ticket, r->err);
		free(r);
	}
	floors->last = &floors->first;
}

struct floors *floors_new(struct event_base *base, const char *accounts_dir, floors_done_fn *done,
			  void *arg)
{
	struct floors *floors = calloc(1, sizeof(*floors));

	if (!floors)
		return NULL;
	floors->dir = accounts_dir;
	floors->done = done;
	floors->arg = arg;
	floors->last = &floors->first;
	floors->roster = roster_new(NULL, NULL);
	floors->commit = event_new(base, -1, 0, on_commit, floors);
	if (!floors->roster || !floors->commit)
		floors_free(&floors);
	return floors;
}

void floors_free(struct floors **floorsp)
{
	struct floors *floors = *floorsp;

	if (!floors)
		return;
	while (floors->first) {
		struct raise *r = floors->first;

		floors->first = r->next;
		free(r);
	}
	roster_free(&floors->roster);
	if (floors->commit)
		event_free(floors->commit);
	free(floors);
	*floorsp = NULL;
}

static int write_whole(struct floors *floors, const char *account)
{
	char path[ACCOUNTS_PATH], *text = NULL;
	size_t n = 0;
	int err = accounts_path(floors->dir, account, "floors", path);

	if (!err)
		err = roster_text(floors->roster, account, &text, &n);
	if (!err)
		err = file_write_atomic(path, 0640, slice_of(text, n));
	free(text);
	return err;
}

int floors_load(struct floors *floors, const char *account)
{
	char path[ACCOUNTS_PATH];
	uint8_t *text = NULL;
	size_t n = 0;
	int err = accounts_path(floors->dir, account, "floors", path);

	if (!err)
		err = file_read(path, FLOORS_MAX, &text, &n);
	/* An account whose users have never come has no file. */
	if (err == -ENOENT)
		return 0;
	if (!err) {
		/* A line that a crash tore is left out with this; write_whole() makes the file
		 * good again. */
		int bad = roster_load(floors->roster, account, slice_of(text, n));

		if (bad > 0)
			log_warn("account", "%s: %d lines that make no sense", path, bad);
		/* At each load, and so a file that only grew is as small as its roster again. */
		err = bad < 0 ? bad : write_whole(floors, account);
	}
	free(text);
	return err;
}

void floors_drop(struct floors *floors, const char *account)
{
	roster_drop_account(floors->roster, account);
}

/* In memory at once, so that a second raise in this turn counts; done is called when the group
 * is on disk. */
void floors_raise(struct floors *floors, unsigned worker, uint64_t ticket, const char *account,
		  const char *uri, uint32_t generation)
{
	struct raise *r = calloc(1, sizeof(*r));
	struct buf b;
	int err = r ? roster_raise(floors->roster, account, slice_str(uri), generation) : -ENOMEM;

	if (!err)
		err = roster_line(floors->roster, slice_str(uri), r->line, sizeof(r->line));
	if (err) {
		free(r);
		floors->done(floors->arg, worker, ticket, err);
		return;
	}
	b = BUF_OF(r->account);
	buf_put_str(&b, account);
	r->worker = worker;
	r->ticket = ticket;
	*floors->last = r;
	floors->last = &r->next;
	/* Behind what this turn of the loop has still to read: those raises go along. */
	event_active(floors->commit, EV_TIMEOUT, 1);
}

/* An update changes thousands: the file is written anew instead of grown. */
int floors_apply(struct floors *floors, const char *account, int64_t created_s,
		 const struct roster_user *users, size_t count)
{
	int err = roster_apply(floors->roster, account, created_s, users, count);

	return err < 0 ? err : write_whole(floors, account);
}

bool floors_has(const struct floors *floors, const char *account, const char *uri)
{
	return roster_has(floors->roster, account, slice_str(uri));
}

int floors_purge_observed(struct floors *floors, const char *account, floors_gone_fn *gone,
			  void *arg)
{
	char **uris = NULL;
	int n = roster_forget_observed(floors->roster, account, &uris), err = 0;

	if (n > 0)
		err = write_whole(floors, account);
	/* Nobody is expelled for what is not durable: back after a restart, they would be users
	 * again; so they are now. */
	for (int i = 0; i < n; i++) {
		if (!err)
			gone(arg, account, uris[i]);
		else
			(void)roster_raise(floors->roster, account, slice_str(uris[i]), 0);
		free(uris[i]);
	}
	free(uris);
	return err ? err : n;
}
