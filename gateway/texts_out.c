/* texts_out.c - from read mailboxes to the secure side, and what becomes of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "gateway/texts_priv.h"
#include "mailbox/message.h"
#include "mailbox/mime.h"

#define MODULE "texts"

/* More than are ever posted at once, so that a scan sees new ones. */
enum { FILES_LISTED = 256 };

/* ---- mailboxes ---- */

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct read_box *box = arg;

	(void)fd;
	(void)what;
	maildir_watch_drain(box->watch);
	texts_scan(box->texts);
}

/* A mailbox that is there: watched, and swept. */
static int begin_box(struct read_box *box)
{
	int err = maildir_watch_new(box->maildir, TEXTS_RESCAN_S, &box->watch);

	if (err)
		return err;
	box->readable = event_new(box->texts->base, maildir_watch_fd(box->watch),
				  EV_READ | EV_PERSIST, on_readable, box);
	if (!box->readable || event_add(box->readable, NULL))
		return -ENOMEM;
	maildir_sweep(box->maildir, clock_wall_s());
	return 0;
}

static void end_box(struct read_box *box)
{
	if (box->readable)
		event_free(box->readable);
	box->readable = NULL;
	maildir_watch_free(&box->watch);
	maildir_free(&box->maildir);
}

static void open_box(struct read_box *box)
{
	int err;

	if (texts_open_maildir(box->config->path, &box->trouble, &box->maildir))
		return;
	err = begin_box(box);
	if (!err)
		return;
	end_box(box);
	texts_note_trouble(box->config->path, &box->trouble, err, "it cannot be watched");
}

int texts_open_read_boxes(struct texts *texts)
{
	const struct cig_config *config = texts->config;

	texts->read = calloc(config->read_mailbox_count + 1, sizeof(*texts->read));
	if (!texts->read)
		return -ENOMEM;
	for (; texts->n_read < config->read_mailbox_count; texts->n_read++) {
		struct read_box *box = &texts->read[texts->n_read];

		box->texts = texts;
		box->config = &config->read_mailboxes[texts->n_read];
		open_box(box);
	}
	return 0;
}

void texts_reopen_read_boxes(struct texts *texts)
{
	for (size_t i = 0; i < texts->n_read; i++) {
		struct read_box *box = &texts->read[i];

		if (!box->maildir)
			open_box(box);
	}
}

void texts_close_read_boxes(struct texts *texts)
{
	for (size_t i = 0; i < texts->n_read; i++)
		end_box(&texts->read[i]);
	free(texts->read);
	texts->read = NULL;
	texts->n_read = 0;
}

/* ---- files that rest ---- */

static struct resting_file *find_resting(struct read_box *box, const uint8_t id[16])
{
	for (size_t i = 0; i < box->n_resting; i++)
		if (memcmp(box->resting[i].id, id, sizeof(box->resting[i].id)) == 0)
			return &box->resting[i];
	return NULL;
}

static bool rests(struct read_box *box, const uint8_t id[16])
{
	const struct resting_file *file = find_resting(box, id);

	return file && file->until_ms > clock_mono_ms();
}

/* So that the files behind it have their turn.  Returns whether it is the first time. */
static bool let_rest(struct read_box *box, const struct maildir_entry *entry)
{
	struct resting_file *file;
	uint8_t id[16];
	bool first;

	if (maildir_entry_id(box->maildir, entry, id))
		return true;
	file = find_resting(box, id);
	first = !file;
	if (first && box->n_resting < TEXTS_RESTING)
		file = &box->resting[box->n_resting++];
	else if (first)
		file = &box->resting[id[0]]; /* it is looked at a little earlier */
	memcpy(file->id, id, sizeof(file->id));
	file->until_ms = clock_mono_ms() + TEXTS_REST_MS;
	return first;
}

/* ---- a file ---- */

static void refuse_file(struct read_box *box, const struct maildir_entry *entry, const char *why)
{
	int err = maildir_fail(box->maildir, entry, why);

	texts_note_trouble(box->config->path, &box->trouble, err, NULL);
	if (!err)
		log_warn(MODULE, "file %s/%s is not sent: %s; moved to .failed", box->config->path,
			 entry->name, why);
	else if (let_rest(box, entry))
		log_warn(MODULE, "file %s/%s is not sent: %s; it cannot be moved aside: %s",
			 box->config->path, entry->name, why, strerror(-err));
}

/* "tel:+8888;101" to its bare URI and extension. */
static void split(const char *uri, char bare[UMSG_URI_SIZE], char extension[UMSG_EXTENSION_SIZE])
{
	const char *mark = strchr(uri, ';');

	snprintf(bare, UMSG_URI_SIZE, "%.*s", (int)(mark ? (size_t)(mark - uri) : strlen(uri)),
		 uri);
	snprintf(extension, UMSG_EXTENSION_SIZE, "%s", mark ? mark + 1 : "");
}

static int seal_message(struct texts *texts, const struct message *m,
			const struct cig_addresses *addresses, char to[UMSG_URI_SIZE],
			struct umsg_sealed *sealed_out)
{
	Umsg__Attachment attachments[MESSAGE_MAX_ATTACHMENTS], *at[MESSAGE_MAX_ATTACHMENTS];
	char from[UMSG_URI_SIZE], called[UMSG_EXTENSION_SIZE], calling[UMSG_EXTENSION_SIZE];
	Umsg__TextBody body = UMSG__TEXT_BODY__INIT;

	split(addresses->from, from, calling);
	split(addresses->to, to, called);
	for (size_t i = 0; i < m->attachment_count; i++) {
		umsg__attachment__init(&attachments[i]);
		attachments[i].name = m->attachments[i].filename;
		attachments[i].type = m->attachments[i].content_type;
		attachments[i].data =
			(ProtobufCBinaryData){ m->attachments[i].n, m->attachments[i].data };
		at[i] = &attachments[i];
	}
	body.version = 1;
	body.text = m->text ? m->text : (char *)"";
	body.n_attachments = m->attachment_count;
	body.attachments = at;
	body.sent = (uint64_t)(m->date_s ? m->date_s : clock_wall_s());
	body.called_extension = called;
	body.calling_extension = calling;
	body.auto_submitted = (Umsg__AutoSubmitted)m->auto_submitted; /* the same order */
	body.responder = UMSG__RESPONDER_TYPE__RESPONDER_TEL_URI;
	return umsg_client_seal(texts->client, to, &body, 0, sealed_out);
}

/* Whose Receipt for this id will count. */
static int journal_sent(struct texts *texts, const uint8_t id[UMSG_ID_SIZE], const char *to)
{
	struct journal_key key = { .kind = TEXTS_SENT };

	memcpy(key.id, id, sizeof(key.id));
	return journal_put(texts->journal, &key, clock_wall_s() + TEXTS_LIFETIME_S, 0,
			   slice_str(to));
}

static int send_message(struct read_box *box, const struct maildir_entry *entry,
			const struct journal_key *key, const struct message *m)
{
	struct texts *texts = box->texts;
	struct umsg_sealed sealed = { .n = 0 };
	char to[UMSG_URI_SIZE], what[MAILDIR_NAME_SIZE + 8];
	struct cig_addresses addresses;
	struct outward *out;
	const char *why;
	int err;

	if (!m->from || !m->to || !*m->from || !*m->to) {
		refuse_file(box, entry, "From or To is missing");
		return 0;
	}
	if (cig_translate_inward(&box->config->maps, slice_str(texts->own_uri), slice_str(m->from),
				 slice_str(m->to), &addresses, &why, NULL) != 1) {
		refuse_file(box, entry, why);
		return 0;
	}
	err = seal_message(texts, m, &addresses, to, &sealed);
	if (!err) {
		snprintf(what, sizeof(what), "file %s", entry->name);
		err = journal_sent(texts, sealed.id, to);
	}
	if (!err)
		err = texts_queue_post(texts, key, &sealed, to, what, &out);
	umsg_sealed_clear(&sealed);
	if (err)
		return err;
	out->box = box;
	out->entry = *entry;
	log_info(MODULE, "file %s/%s from=%s to=%s state=queued", box->config->path, entry->name,
		 addresses.from, addresses.to);
	return 0;
}

/* Why a message can never be sent, or NULL where it may be, later. */
static const char *final_reason(const struct texts *texts, int err)
{
	switch (err) {
	case -EMSGSIZE:
		return "longer than a message may be";
	case -EINVAL:
		return "To is no number that can be sealed to";
	case -ENOKEY: /* attached: the own keys are there */
		return umsg_client_state(texts->client) == UMSG_ATTACHED
			       ? "To is of no domain that is trusted"
			       : NULL;
	default:
		return NULL;
	}
}

static void take_message(struct read_box *box, const struct maildir_entry *entry,
			 const struct journal_key *key, const struct message *m)
{
	int err = send_message(box, entry, key, m);
	const char *why = final_reason(box->texts, err);

	if (why)
		refuse_file(box, entry, why);
	else if (err && let_rest(box, entry))
		log_warn(MODULE, "file %s/%s cannot be sent now: %s", box->config->path,
			 entry->name, strerror(-err));
}

static const char *unreadable(int err)
{
	return err == -EINVAL  ? "it is no regular file"
	       : err == -EFBIG ? "longer than a message may be"
			       : strerror(-err);
}

static void take_file(struct read_box *box, const struct maildir_entry *entry,
		      const struct journal_key *key)
{
	struct diag *diag = diag_new();
	struct message m;
	uint8_t *octets;
	size_t n;
	int err = maildir_read(box->maildir, entry, MIME_MAX_FILE_BYTES, &octets, &n);

	if (err == -ENOENT || !diag) { /* another reader took it */
		diag_free(&diag);
		return;
	}
	message_init(&m);
	if (!err) {
		err = mime_read(slice_of(octets, n), &m, diag);
		free(octets);
	}
	if (err && err != -ENOMEM)
		refuse_file(box, entry,
			    diag_errors(diag) ? diag_first_error(diag) : unreadable(err));
	else if (err)
		let_rest(box, entry);
	else if (!err)
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
static void clear_file(struct read_box *box, const struct maildir_entry *entry,
		       const struct journal_key *key)
{
	int err;

	if (is_refused(box->texts, key)) {
		refuse_file(box, entry, "refused by the rendezvous; the log has the reason");
		return;
	}
	err = maildir_remove(box->maildir, entry);
	texts_note_trouble(box->config->path, &box->trouble, err, NULL);
	if (err && let_rest(box, entry))
		log_warn(MODULE, "file %s/%s is sent, and cannot be removed: %s", box->config->path,
			 entry->name, strerror(-err));
}

/* Returns true when a file was sealed, or could not be. */
static bool look_at_file(struct read_box *box, const struct maildir_entry *entry)
{
	struct texts *texts = box->texts;
	struct journal_key key = { .kind = TEXTS_OUTWARD };
	struct journal_entry known;
	struct outward *out;

	if (maildir_entry_id(box->maildir, entry, key.id) || rests(box, key.id))
		return false;
	if (!journal_find(texts->journal, &key, &known)) {
		take_file(box, entry, &key);
		return true;
	}
	out = texts_find_outward(texts, &key);
	if (out && !out->box) { /* journaled in an earlier run */
		out->box = box;
		out->entry = *entry;
	} else if (!out && known.finished) {
		clear_file(box, entry, &key);
	}
	return false;
}

static void scan_box(struct read_box *box, unsigned *seals)
{
	struct texts *texts = box->texts;
	struct maildir_entry *entries;
	size_t n;
	int err = maildir_list(box->maildir, FILES_LISTED, &entries, &n);

	if (err) { /* it was there: it may come back */
		texts_note_trouble(box->config->path, &box->trouble, err, NULL);
		end_box(box);
		return;
	}
	for (size_t i = 0; i < n && !texts->files_wait; i++) {
		*seals += look_at_file(box, &entries[i]);
		texts->files_wait = *seals == TEXTS_SEALS || texts->n_outward >= TEXTS_MAX_POSTS;
	}
	free(entries);
}

void texts_scan(struct texts *texts)
{
	unsigned seals = 0;

	if (!texts->client)
		return;
	texts->files_wait = texts->n_outward >= TEXTS_MAX_POSTS;
	for (size_t i = 0; i < texts->n_read && !texts->files_wait; i++)
		if (texts->read[i].maildir)
			scan_box(&texts->read[i], &seals);
	if (texts->files_wait && texts->n_outward < TEXTS_MAX_POSTS)
		texts_schedule(texts); /* refused ones are followed by no PostAck */
}

/* ---- what became of it ---- */

enum { ENDED_AT_ONCE = 64 };

struct ended {
	int64_t now_s;
	struct journal_key keys[ENDED_AT_ONCE];
	size_t n;
};

static bool find_ended(void *arg, const struct journal_entry *entry)
{
	struct ended *ended = arg;

	if (entry->key.kind == TEXTS_SENT && !entry->finished && entry->end_s <= ended->now_s)
		ended->keys[ended->n++] = entry->key;
	return ended->n < ENDED_AT_ONCE;
}

void texts_forget_sent(struct texts *texts, int64_t now_s)
{
	struct ended ended = { .now_s = now_s };
	char id[TEXTS_ID_TEXT];

	journal_each(texts->journal, find_ended, &ended);
	for (size_t i = 0; i < ended.n; i++) {
		log_info(MODULE, "message=%s state=unknown no receipt came",
			 texts_id_text(ended.keys[i].id, id));
		journal_finish(texts->journal, &ended.keys[i]);
		texts->dirty = true;
	}
}

static const char *const state_words[] = {
	[UMSG__RECEIPT_STATE__RECEIPT_NONE] = "none",
	[UMSG__RECEIPT_STATE__RECEIPT_DELIVERED] = "delivered",
	[UMSG__RECEIPT_STATE__RECEIPT_FAILED] = "failed",
	[UMSG__RECEIPT_STATE__RECEIPT_EXPIRED] = "expired",
	[UMSG__RECEIPT_STATE__RECEIPT_UNDECRYPTABLE] = "undecryptable",
};

/* A Receipt counts only from the identity to which the message went. */
bool texts_receipt(struct texts *texts, const char *from, const uint8_t id[UMSG_ID_SIZE],
		   Umsg__ReceiptState state, const char *reason)
{
	struct journal_key key = { .kind = TEXTS_SENT };
	char text[TEXTS_ID_TEXT];
	uint8_t *to;
	size_t n;
	bool counts;

	memcpy(key.id, id, sizeof(key.id));
	if (journal_payload(texts->journal, &key, &to, &n))
		return true; /* of an unknown message, or a second one */
	counts = slice_eq_str(slice_of(to, n), from);
	free(to);
	if (!counts) {
		log_warn(MODULE, "message=%s: a receipt of %s, to whom it did not go",
			 texts_id_text(id, text), from);
		return true;
	}
	log_info(MODULE, "message=%s by=%s state=%s %s", texts_id_text(id, text), from,
		 (size_t)state < sizeof(state_words) / sizeof(state_words[0]) ? state_words[state]
									      : "unknown",
		 reason);
	journal_finish(texts->journal, &key);
	texts->dirty = true;
	texts_schedule(texts);
	return true;
}
