/* Writing a journal's file anew, without what is dead, while it is in use.
 *
 * Entries are copied in the order of the list, some at a time.  What happens meanwhile to
 * one that was copied is appended to both files; the others are copied as they are when
 * their turn comes.  The old file is the journal until the new one is whole and durable:
 * a crash in between finds PATH.new, and removes it when it writes the next one.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "mailbox/journal_priv.h"

static int new_path(const struct journal *journal, char path[PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s.new", journal->path);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int append(struct rewrite *rewrite, const struct buf *head, struct slice tail)
{
	ssize_t n = journal_file_append(&rewrite->file, rewrite->end, false, buf_slice(head), tail);

	if (n < 0)
		return (int)n;
	rewrite->end += n;
	return 0;
}

/* --- an entry --- */

static int copy_states(struct rewrite *rewrite, const struct kept *entry)
{
	const struct kept_open *open = entry->open;
	int err = 0;

	for (size_t i = 0; !err && i < open->destinations; i++) {
		uint8_t room[JOURNAL_HEAD_ROOM];
		struct buf b = kept_begin_body(room, RECORD_STATE, &entry->key);
		const char *note = open->notes ? open->notes[i] : NULL;

		if (open->states[i] == JOURNAL_STATE_OPEN && !note)
			continue;
		buf_put_u16(&b, (uint16_t)i);
		buf_put_u8(&b, open->states[i]);
		err = append(rewrite, &b, slice_str(note));
	}
	return err;
}

/* Says of the entry that was copied last: its payload is gone. */
static int copy_lost(struct rewrite *rewrite, struct kept *entry)
{
	uint8_t room[JOURNAL_HEAD_ROOM];
	struct buf b = kept_begin_body(room, RECORD_LOST, &entry->key);

	entry->open->lost = true;
	entry->open->payload_n = 0;
	return append(rewrite, &b, slice_of(NULL, 0));
}

static int copy_open(struct journal *journal, struct kept *entry, struct buf *b)
{
	struct rewrite *rewrite = journal->rewrite;
	struct kept_open *open = entry->open;
	uint8_t *body = NULL;
	size_t n = 0;
	int err = journal_file_read(&journal->file, open->at, &body, &n);
	/* One damaged record must not keep the file from being written anew for ever: without
	 * its payload the entry goes on, so that its owner can say that it failed.  Any other
	 * error may pass. */
	bool lost = open->lost || err == -EBADMSG;

	if (err && !lost)
		return err;
	open->new_at = rewrite->end;
	open->new_payload_at = JOURNAL_PUT_PAYLOAD_AT;
	buf_put_u16(b, (uint16_t)open->destinations);
	err = append(rewrite, b,
		     lost ? slice_of(NULL, 0) : slice_from(slice_of(body, n), open->payload_at));
	free(body);
	if (!err && lost)
		err = copy_lost(rewrite, entry);
	return err ? err : copy_states(rewrite, entry);
}

static int copy(struct journal *journal, struct kept *entry)
{
	uint8_t room[JOURNAL_HEAD_ROOM];
	struct buf b =
		kept_begin_body(room, entry->open ? RECORD_PUT : RECORD_FINISHED, &entry->key);
	int err;

	buf_put_u64(&b, (uint64_t)entry->end_s);
	err = entry->open ? copy_open(journal, entry, &b)
			  : append(journal->rewrite, &b, slice_of(NULL, 0));
	entry->copied = !err;
	return err;
}

/* --- the file --- */

int journal_compact_begin(struct journal *journal)
{
	struct rewrite *rewrite = calloc(1, sizeof(*rewrite));
	char path[PATH_MAX];
	int err = rewrite ? new_path(journal, path) : -ENOMEM;

	if (err) {
		free(rewrite);
		return err;
	}
	/* What an earlier run left half written. */
	unlink(path);
	err = journal_file_open(path, &rewrite->file);
	if (err) {
		free(rewrite);
		return err;
	}
	rewrite->end = rewrite->file.begin;
	rewrite->next = journal->oldest;
	for (struct kept *e = journal->oldest; e; e = e->next)
		e->copied = false;
	journal->rewrite = rewrite;
	return 0;
}

void journal_compact_give_up(struct journal *journal)
{
	struct rewrite *rewrite = journal->rewrite;
	char path[PATH_MAX];

	if (!rewrite)
		return;
	journal->rewrite = NULL;
	close(rewrite->file.fd);
	free(rewrite);
	if (new_path(journal, path) == 0)
		unlink(path);
}

/* The new file is the journal from here on, durable or not. */
static void take_over(struct journal *journal)
{
	struct rewrite *rewrite = journal->rewrite;

	/* The lock is on PATH.lock, so it is not let go with this. */
	close(journal->file.fd);
	journal->file = rewrite->file;
	journal->end = rewrite->end;
	journal->dirty = false;
	journal->dead_bytes = 0;
	for (struct kept *e = journal->oldest; e; e = e->next) {
		if (!e->open)
			continue;
		e->open->at = e->open->new_at;
		e->open->payload_at = e->open->new_payload_at;
	}
	journal->rewrite = NULL;
	free(rewrite);
}

/* The file is one whole, and may not be written to for long: the mark says that it is durable. */
static int flush(struct rewrite *rewrite)
{
	const struct slice nothing = slice_of(NULL, 0);
	ssize_t n;

	if (fdatasync(rewrite->file.fd) < 0)
		return -errno;
	n = journal_file_append(&rewrite->file, rewrite->end, true, nothing, nothing);
	if (n < 0)
		return (int)n;
	rewrite->end += n;
	return 0;
}

static int finish(struct journal *journal)
{
	char path[PATH_MAX];
	int err = new_path(journal, path);

	if (!err)
		err = flush(journal->rewrite);
	if (!err && rename(path, journal->path) < 0)
		err = -errno;
	if (err)
		return err;
	take_over(journal);
	err = file_sync_parent(journal->path);
	/* Which of both files a crash would leave under the name is not known: no more promises. */
	journal->broken = journal->broken || err;
	return err;
}

int journal_compact_step(struct journal *journal, size_t entries, size_t octets)
{
	struct rewrite *rewrite = journal->rewrite;
	off_t begun = rewrite->end;
	int err = 0;

	while (!err && rewrite->next && entries-- && (size_t)(rewrite->end - begun) < octets) {
		struct kept *entry = rewrite->next;

		rewrite->next = entry->next;
		err = copy(journal, entry);
	}
	if (!err && rewrite->next) {
		/* The disk begins now, so that the flush at the end finds little to do. */
		sync_file_range(rewrite->file.fd, begun, rewrite->end - begun,
				SYNC_FILE_RANGE_WRITE);
		return 0;
	}
	if (!err)
		err = finish(journal);
	if (!err)
		return 1;
	journal_compact_give_up(journal);
	return err;
}

int journal_compact(struct journal *journal)
{
	int err = journal_compact_begin(journal);

	if (err)
		return err;
	err = journal_compact_step(journal, SIZE_MAX, SIZE_MAX);
	return err < 0 ? err : 0;
}

void journal_compact_follow(struct journal *journal, const struct buf *head, struct slice tail,
			    off_t *at)
{
	*at = journal->rewrite->end;
	/* A change that the new file missed would be lost with the exchange: better no new file. */
	if (append(journal->rewrite, head, tail))
		journal_compact_give_up(journal);
}
