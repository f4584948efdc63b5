/* Writing a journal's file anew, without what is dead. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "mailbox/journal_file.h"
#include "mailbox/journal_priv.h"

/* The new file while it is written. */
struct rewrite {
	const struct journal *old;
	int fd;
	off_t end;
};

static int rewrite_record(struct rewrite *rewrite, const struct buf *head, struct slice tail)
{
	ssize_t n = journal_file_append(rewrite->fd, rewrite->end, buf_slice(head), tail);

	if (n < 0)
		return (int)n;
	rewrite->end += n;
	return 0;
}

static int rewrite_states(struct rewrite *rewrite, const struct kept *entry)
{
	int err = 0;

	for (size_t i = 0; !err && i < entry->destinations; i++) {
		uint8_t room[JOURNAL_HEAD_ROOM];
		struct buf b = kept_begin_body(room, RECORD_STATE, &entry->key);
		const char *note = entry->notes ? entry->notes[i] : NULL;

		if (entry->states[i] == JOURNAL_STATE_OPEN && !note)
			continue;
		buf_put_u16(&b, (uint16_t)i);
		buf_put_u8(&b, entry->states[i]);
		err = rewrite_record(rewrite, &b, slice_str(note));
	}
	return err;
}

/* The entry gets its new place in at_out; it is not changed, as the rewrite may fail. */
static int rewrite_entry(struct rewrite *rewrite, const struct kept *entry, off_t *at_out)
{
	uint8_t room[JOURNAL_HEAD_ROOM], *body = NULL;
	struct buf b =
		kept_begin_body(room, entry->finished ? RECORD_FINISHED : RECORD_PUT, &entry->key);
	struct slice payload;
	size_t n;
	int err;

	*at_out = rewrite->end;
	buf_put_u64(&b, (uint64_t)entry->end_s);
	if (entry->finished)
		return rewrite_record(rewrite, &b, slice_of(NULL, 0));
	buf_put_u16(&b, (uint16_t)entry->destinations);
	err = journal_file_read(rewrite->old->fd, entry->at, &body, &n);
	if (err)
		return err;
	payload = slice_from(slice_of(body, n), entry->payload_at);
	err = rewrite_record(rewrite, &b, payload);
	free(body);
	return err ? err : rewrite_states(rewrite, entry);
}

/* Writes all entries; places gets their new offsets, in order. */
static int rewrite_all(struct rewrite *rewrite, off_t *places)
{
	size_t i = 0;
	int err = 0;

	for (const struct kept *e = rewrite->old->oldest; !err && e; e = e->next)
		err = rewrite_entry(rewrite, e, &places[i++]);
	if (!err && fdatasync(rewrite->fd) < 0)
		err = -errno;
	return err;
}

static void take_over(struct journal *journal, const struct rewrite *rewrite, const off_t *places)
{
	size_t i = 0;

	close(journal->fd);
	journal->fd = rewrite->fd;
	journal->end = rewrite->end;
	journal->dirty = false;
	journal->dead_bytes = 0;
	for (struct kept *e = journal->oldest; e; e = e->next) {
		e->at = places[i++];
		e->payload_at = JOURNAL_PUT_PAYLOAD_AT;
	}
}

static size_t count_entries(const struct journal *journal)
{
	size_t n = 0;

	for (const struct kept *e = journal->oldest; e; e = e->next)
		n++;
	return n;
}

int journal_compact(struct journal *journal)
{
	struct rewrite rewrite = { .old = journal, .end = JOURNAL_MAGIC_BYTES };
	off_t *places = calloc(count_entries(journal) + 1, sizeof(*places));
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s.new", journal->path), err;

	if (!places)
		return -ENOMEM;
	if (n < 0 || (size_t)n >= sizeof(path)) {
		free(places);
		return -ENAMETOOLONG;
	}
	unlink(path);
	rewrite.fd = journal_file_open(path);
	err = rewrite.fd < 0 ? rewrite.fd : rewrite_all(&rewrite, places);
	if (!err && rename(path, journal->path) < 0)
		err = -errno;
	if (!err) {
		take_over(journal, &rewrite, places);
		/* From here on the new file is the journal, durable or not. */
		err = file_sync_parent(journal->path);
		journal->broken = journal->broken || err;
	} else if (rewrite.fd >= 0) {
		close(rewrite.fd);
		unlink(path);
	}
	free(places);
	return err;
}
