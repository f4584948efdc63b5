/* texts_read.c - read mailboxes: their files go to the secure side (CIG manual 2.9, "Text
 * message interface").
 *
 * A listing of a mailbox is made in steps and kept until its files were dealt with: a
 * mailbox of 100,000 files costs the loop no pause, and no file costs a listing of its own.
 * Files that cannot be dealt with rest, and hide nothing that is newer.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "gateway/peer_domain.h"
#include "gateway/text_body.h"
#include "gateway/texts_priv.h"
#include "gateway/texts_resting.h"
#include "mailbox/mime.h"

#define MODULE "texts"

enum {
	LISTED_AT_ONCE = 2048, /* files kept of a listing */
	STEPS_AT_ONCE = 1000,  /* directory entries looked at in one turn: some milliseconds */
	LOOKS_AT_ONCE = 256,   /* files of a listing that turn out to need nothing */
};

struct read_box {
	struct texts *texts;
	const struct cig_mailbox *config;
	struct maildir *maildir; /* NULL: not usable now */
	char trouble[TEXT_WHY_SIZE];
	struct maildir_watch *watch;
	struct event *readable;
	bool stale; /* something came since the listing began */
	char report[2 * TEXT_WHY_SIZE];
	struct maildir_listing *listing; /* being made */
	struct maildir_entry *entries;   /* of the last one, from `at` on to be looked at */
	size_t n, at;
	struct texts_resting *resting; /* files that could not be dealt with */
	struct texts_port_counters counters;
};

struct texts_reader {
	struct read_box *boxes;
	size_t n;
	unsigned seals; /* in this scan */
	int full;       /* why the journal's disk took no file last, as -errno; 0: it did */
	int64_t full_until_ms;
};

/* ---- mailboxes ---- */

static void set_trouble(struct read_box *box, const char *why)
{
	if (strcmp(box->trouble, why) == 0)
		return;
	snprintf(box->trouble, sizeof(box->trouble), "%s", why);
	if (*why)
		log_warn(MODULE, "mailbox %s is not usable, and tried again: %s", box->config->path,
			 why);
	else
		log_info(MODULE, "mailbox %s is usable now", box->config->path);
}

static void note_trouble(struct read_box *box, int err)
{
	set_trouble(box, err ? strerror(-err) : "");
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct read_box *box = arg;

	(void)fd;
	(void)what;
	maildir_watch_drain(box->watch);
	box->stale = true;
	texts_scan(box->texts);
}

/* A mailbox that is there: watched, and swept. */
static int begin_box(struct read_box *box)
{
	/* Looked at every TEXTS_RESCAN_S as well: inotify(7) tells nothing of what other machines
	 * write. */
	int err = maildir_watch_new(box->maildir, TEXTS_RESCAN_S, &box->watch);

	if (err)
		return err;
	box->readable = event_new(box->texts->base, maildir_watch_fd(box->watch),
				  EV_READ | EV_PERSIST, on_readable, box);
	if (!box->readable || event_add(box->readable, NULL))
		return -ENOMEM;
	/* Files in tmp that nobody finished (maildir(5): after 36 hours). */
	maildir_sweep(box->maildir, clock_wall_s());
	box->stale = true;
	return 0;
}

static void drop_listing(struct read_box *box)
{
	maildir_listing_free(&box->listing);
	free(box->entries);
	box->entries = NULL;
	box->n = box->at = 0;
}

static void end_box(struct read_box *box)
{
	if (box->readable)
		event_free(box->readable);
	box->readable = NULL;
	drop_listing(box);
	maildir_watch_free(&box->watch);
	maildir_free(&box->maildir);
}

static void open_box(struct read_box *box)
{
	char why[TEXT_WHY_SIZE];
	int err = texts_open_maildir(box->texts, box->config->path, &box->maildir, why);

	set_trouble(box, why);
	if (err)
		return;
	err = begin_box(box);
	if (!err)
		return;
	end_box(box);
	set_trouble(box, "it cannot be watched");
}

int texts_open_reader(struct texts *texts)
{
	const struct cig_config *config = texts->config;
	struct texts_reader *reader = calloc(1, sizeof(*reader));

	texts->reader = reader;
	if (!reader)
		return -ENOMEM;
	/* One more, so that none is no failure of calloc(). */
	reader->boxes = calloc(config->read_mailbox_count + 1, sizeof(*reader->boxes));
	if (!reader->boxes) {
		free(reader);
		texts->reader = NULL;
		return -ENOMEM;
	}
	for (; reader->n < config->read_mailbox_count; reader->n++) {
		struct read_box *box = &reader->boxes[reader->n];

		box->texts = texts;
		box->config = &config->read_mailboxes[reader->n];
		box->resting = texts_resting_new();
		if (!box->resting)
			return -ENOMEM;
		open_box(box);
	}
	return 0;
}

void texts_reopen_reader(struct texts *texts)
{
	struct texts_reader *reader = texts->reader; /* NULL: a reload found no memory for it */

	for (size_t i = 0; reader && i < reader->n; i++)
		if (!reader->boxes[i].maildir)
			open_box(&reader->boxes[i]);
}

static bool forget_box(void *arg, struct outward *out)
{
	(void)arg;
	free(out->file); /* the next listing finds it again */
	out->file = NULL;
	return true;
}

void texts_close_reader(struct texts *texts)
{
	struct texts_reader *reader = texts->reader;

	if (!reader)
		return;
	texts_each_outward(texts, forget_box, NULL);
	for (size_t i = 0; i < reader->n; i++) {
		end_box(&reader->boxes[i]);
		texts_resting_free(&reader->boxes[i].resting);
	}
	free(reader->boxes);
	free(reader);
	texts->reader = NULL;
}

void texts_wake_reader(struct texts *texts)
{
	struct texts_reader *reader = texts->reader;

	for (size_t i = 0; reader && i < reader->n; i++) {
		texts_resting_wake(reader->boxes[i].resting);
		reader->boxes[i].stale = true;
	}
}

bool texts_reader_state(const struct texts *texts, size_t number, struct texts_port_state *out)
{
	struct read_box *box;

	if (!texts->reader || number >= texts->reader->n)
		return false;
	box = &texts->reader->boxes[number];
	snprintf(box->report, sizeof(box->report), "%s", box->trouble);
	if (texts_resting_count(box->resting) && !*box->trouble)
		snprintf(box->report, sizeof(box->report),
			 "%zu files can be neither sent nor moved aside: %s",
			 texts_resting_count(box->resting), texts_resting_why(box->resting));
	if (texts->reader->full && !*box->trouble)
		snprintf(box->report, sizeof(box->report), "files wait for room in the journal: %s",
			 strerror(-texts->reader->full));
	*out = (struct texts_port_state){
		.name = box->config->path,
		.kind = "read",
		.trouble = box->report,
		.counters = box->counters,
	};
	return true;
}

/* ---- a file ---- */

/* So that the files behind it have their turn.  Returns whether it is the first time. */
static bool let_rest(struct read_box *box, const struct journal_key *key, const char *why)
{
	return texts_resting_add(box->resting, key->id, why, clock_mono_ms());
}

static void refuse_file(struct read_box *box, const struct maildir_entry *entry,
			const struct journal_key *key, const char *why)
{
	int err = maildir_fail(box->maildir, entry, why);

	note_trouble(box, err);
	if (!err) {
		texts_resting_remove(box->resting, key->id);
		box->counters.failed++;
		box->texts->counters.refused++;
		log_warn(MODULE, "file %s/%s is not sent: %s; moved to .failed", box->config->path,
			 entry->name, why);
	} else if (let_rest(box, key, strerror(-err))) {
		log_warn(MODULE, "file %s/%s is not sent: %s; it cannot be moved aside: %s",
			 box->config->path, entry->name, why, strerror(-err));
	}
}

static int send_message(struct read_box *box, const struct maildir_entry *entry,
			const struct journal_key *key, const struct message *m,
			const struct cig_addresses *addresses)
{
	struct text_body body;
	char what[MAILDIR_NAME_SIZE + 8], id[TEXTS_ID_TEXT];
	const struct texts_origin origin = { .kind = "mailbox", .what = what };
	/* Before the sealing: what is sealed and journaled must find its file again. */
	struct outward_file *file = malloc(sizeof(*file));
	struct outward *out;
	int err = file ? 0 : -ENOMEM;

	text_body_of(&body, m);
	body.pub.sent = (uint64_t)(m->date_s > 0 ? m->date_s : 0);
	body.pub.auto_submitted = (Umsg__AutoSubmitted)m->auto_submitted; /* the same order */
	snprintf(what, sizeof(what), "file %s", entry->name);
	if (!err)
		err = texts_send(box->texts, key, addresses->from, addresses->to, &body.pub,
				 m->end_s, &origin, &out);
	if (err) {
		free(file);
		return err;
	}
	*file = (struct outward_file){ .box = box, .entry = *entry };
	out->file = file;
	texts_resting_remove(box->resting, key->id);
	box->counters.submitted++;
	log_info(MODULE, "message=%s file=%s/%s from=%s to=%s state=queued",
		 texts_id_text(out->message_id, id), box->config->path, entry->name,
		 addresses->from, addresses->to);
	return 0;
}

static bool is_disk_fault(int err)
{
	return err == -ENOSPC || err == -EDQUOT || err == -EROFS || err == -EIO;
}

/* The journal lies on one disk: what it refuses of one file it refuses of all.  So none of
 * them rests, and nothing is sealed, until it has been asked again. */
static void wait_for_disk(struct read_box *box, int err)
{
	struct texts_reader *reader = box->texts->reader;

	if (reader->full != err)
		log_warn(MODULE,
			 "files are not sent until there is room for them in the journal: %s",
			 strerror(-err));
	reader->full = err;
	reader->full_until_ms = clock_mono_ms() + TEXTS_RETRY_MS / 2;
	box->stale = true;
}

static bool waits_for_disk(const struct texts_reader *reader)
{
	return reader->full && clock_mono_ms() < reader->full_until_ms;
}

/* Of a look-up, which is here in milliseconds and wakes everything that rests. */
static void wait_for_answer(struct read_box *box, const struct journal_key *key)
{
	box->texts->files_ask = true;
	let_rest(box, key, "its receiver's domain is being looked up");
}

static void take_message(struct read_box *box, const struct maildir_entry *entry,
			 const struct journal_key *key, const struct message *m)
{
	struct cig_address_fault fault;
	struct cig_addresses addresses;
	const char *why = NULL;
	int err;

	if (!m->from || !m->to || !*m->from || !*m->to)
		why = "From or To is missing";
	else if (cig_translate_inward(&box->config->maps, slice_str(box->texts->own_uri),
				      slice_str(m->from), slice_str(m->to), &addresses, &fault,
				      NULL) != 1)
		why = fault.why;
	else if (m->end_s && m->end_s <= clock_wall_s())
		/* It may have lain there until its end (Expires) had passed. */
		why = "it has expired";
	if (why) {
		refuse_file(box, entry, key, why);
		return;
	}
	err = texts_ask_domain(box->texts, addresses.to);
	why = peer_domain_refusal(err);
	if (!err) {
		err = send_message(box, entry, key, m, &addresses);
		why = texts_final_reason(box->texts, err);
	}
	if (!err)
		box->texts->reader->full = 0;
	if (why)
		refuse_file(box, entry, key, why);
	else if (err == -EINPROGRESS)
		wait_for_answer(box, key);
	else if (is_disk_fault(err))
		wait_for_disk(box, err);
	else if (err && let_rest(box, key, strerror(-err)))
		log_warn(MODULE, "file %s/%s cannot be sent now: %s", box->config->path,
			 entry->name, strerror(-err));
}

static const char *unreadable(int err)
{
	return err == -EINVAL  ? "it is no regular file"
	       : err == -EFBIG ? "longer than a message may be"
			       : strerror(-err);
}

static void leave_file(struct read_box *box, const struct maildir_entry *entry,
		       const struct journal_key *key, int err)
{
	if (let_rest(box, key, strerror(-err)))
		log_warn(MODULE, "file %s/%s cannot be read, and is tried again: %s",
			 box->config->path, entry->name, strerror(-err));
}

static void take_file(struct read_box *box, const struct maildir_entry *entry,
		      const struct journal_key *key)
{
	struct diag *diag = diag_new();
	struct message m;
	uint8_t *octets;
	size_t n;
	int err = maildir_read(box->maildir, entry, MIME_MAX_FILE_BYTES, &octets, &n);

	if (err == -ENOENT || !diag) { /* another reader took it; or no memory, for now */
		if (!err)
			free(octets);
		diag_free(&diag);
		return;
	}
	message_init(&m);
	if (!err) {
		err = mime_read(slice_of(octets, n), &m, diag);
		free(octets);
	}
	if (err == -EACCES) /* its writer may mend it: it stays where it is */
		leave_file(box, entry, key, err);
	else if (err && err != -ENOMEM)
		refuse_file(box, entry, key,
			    diag_errors(diag) ? diag_first_error(diag) : unreadable(err));
	else if (err)
		let_rest(box, key, strerror(-err));
	else
		take_message(box, entry, key, &m);
	message_clear(&m);
	diag_free(&diag);
}

static bool is_refused(const struct texts *texts, const struct journal_key *file)
{
	struct journal_key key = *file;

	key.kind = TEXTS_REFUSED;
	return journal_find(texts->journal, &key, NULL);
}

/* A file whose post is over, though a crash or a full disk kept us from clearing it. */
static void clear_leftover(struct read_box *box, const struct maildir_entry *entry,
			   const struct journal_key *key)
{
	int err;

	if (is_refused(box->texts, key)) {
		refuse_file(box, entry, key, "refused by the rendezvous; the log has the reason");
		return;
	}
	err = maildir_remove(box->maildir, entry);
	note_trouble(box, err);
	if (!err)
		texts_resting_remove(box->resting, key->id);
	if (err && let_rest(box, key, strerror(-err)))
		log_warn(MODULE, "file %s/%s is sent, and cannot be removed: %s", box->config->path,
			 entry->name, strerror(-err));
}

void texts_clear_file(struct outward_file *file, const char *refusal)
{
	struct read_box *box = file->box;
	int err;

	if (!box->maildir)
		return; /* the next listing finds the finished id */
	err = *refusal ? maildir_fail(box->maildir, &file->entry, refusal)
		       : maildir_remove(box->maildir, &file->entry);
	note_trouble(box, err);
	box->counters.delivered += !*refusal;
	box->counters.failed += *refusal != '\0';
	if (err)
		box->stale = true;
}

/* ---- listings ---- */

static int entry_key(const struct read_box *box, const struct maildir_entry *entry,
		     struct journal_key *key_out)
{
	*key_out = (struct journal_key){ .kind = TEXTS_OUTWARD };
	return maildir_entry_id(box->maildir, entry, key_out->id);
}

/* Is there anything to do for this file now? */
static bool is_wanted(void *arg, const struct maildir_entry *entry)
{
	const struct read_box *box = arg;
	const struct outward *out;
	struct journal_key key;

	if (entry_key(box, entry, &key) || texts_resting_has(box->resting, key.id, clock_mono_ms()))
		return false;
	out = texts_find_outward(box->texts, &key);
	return !out || !out->file; /* else it waits for its PostAck */
}

/* Returns true when a file was sealed, or refused: that took milliseconds. */
static bool look_at_file(struct read_box *box, const struct maildir_entry *entry)
{
	struct texts *texts = box->texts;
	struct journal_entry known;
	struct journal_key key;
	struct outward *out;

	if (!is_wanted(box, entry) || entry_key(box, entry, &key))
		return false;
	if (!journal_find(texts->journal, &key, &known)) {
		take_file(box, entry, &key);
		return true;
	}
	out = texts_find_outward(texts, &key);
	if (out && !out->acked) { /* journaled in an earlier run */
		out->file = malloc(sizeof(*out->file));
		if (out->file)
			*out->file = (struct outward_file){ .box = box, .entry = *entry };
	} else if (!out && known.finished) {
		clear_leftover(box, entry, &key);
	}
	return false;
}

/* Goes on with the listing, or begins one where something came.  Returns 0, also while it
 * is not ready, or -errno. */
static int list_box(struct read_box *box)
{
	int result = 0;

	if (!box->listing) {
		box->stale = false;
		texts_resting_begin(box->resting);
		result = maildir_listing_new(box->maildir, LISTED_AT_ONCE, is_wanted, box,
					     &box->listing);
	}
	if (result >= 0)
		result = maildir_listing_step(box->listing, STEPS_AT_ONCE);
	if (result <= 0)
		return result;
	/* What did not fit is seen by the next one. */
	box->stale |= maildir_listing_take(&box->listing, &box->entries, &box->n);
	box->at = 0;
	texts_resting_end(box->resting);
	return 0;
}

static bool box_waits(const struct read_box *box)
{
	return box->maildir && (box->stale || box->listing || box->at < box->n);
}

static bool any_waits(const struct texts_reader *reader)
{
	for (size_t i = 0; i < reader->n; i++)
		if (box_waits(&reader->boxes[i]))
			return true;
	return false;
}

static bool is_full(const struct texts *texts)
{
	return texts->reader->seals >= TEXTS_SEALS || texts->n_files >= TEXTS_MAX_FILES ||
	       waits_for_disk(texts->reader);
}

static void scan_box(struct read_box *box)
{
	struct texts *texts = box->texts;
	int err = 0;

	for (int i = 0; box->at < box->n && i < LOOKS_AT_ONCE && !is_full(texts); i++)
		texts->reader->seals += look_at_file(box, &box->entries[box->at++]);
	if (box->at < box->n)
		return;
	free(box->entries);
	box->entries = NULL;
	box->n = box->at = 0;
	if (box->listing || box->stale)
		err = list_box(box);
	if (err) { /* it was there: it may come back */
		note_trouble(box, err);
		end_box(box);
	}
}

bool texts_files_wait(const struct texts *texts)
{
	if (!texts->client || !texts->reader || texts->n_files >= TEXTS_MAX_FILES ||
	    waits_for_disk(texts->reader))
		return false;
	return any_waits(texts->reader);
}

void texts_scan(struct texts *texts)
{
	struct texts_reader *reader = texts->reader;

	if (!texts->client || !reader)
		return;
	reader->seals = 0;
	for (size_t i = 0; i < reader->n && !is_full(texts); i++)
		if (box_waits(&reader->boxes[i]))
			scan_box(&reader->boxes[i]);
	/* Whatever waited for room is gone.  One mailbox knows nothing of the others: a file of
	 * theirs may wait still. */
	if (!any_waits(reader))
		reader->full = 0;
	if (texts_files_wait(texts))
		texts_schedule(texts);
}
