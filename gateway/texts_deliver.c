/* texts_deliver.c - journaled messages into write mailboxes, and what their senders hear.
 *
 * A batch of messages shares its disk flushes, so that the loop waits for few of them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/texts_priv.h"
#include "mailbox/message.h"
#include "mailbox/mime.h"

#define MODULE "texts"

/* A message in hand. */
struct delivery {
	const uint8_t *id;
	struct journal_key key;
	Texts__Inward *inward;
	Umsg__TextBody *body;
	journal_state states[JOURNAL_MAX_DESTINATIONS];
	bool expired; /* its content is not shown any more */
	bool again;   /* something may yet come right: try later */
	size_t failed;
	char why[256]; /* of the last failure */
};

/* A file on its way into a mailbox. */
struct attempt {
	struct delivery *of;
	size_t destination;
	struct write_box *box;
	char name[MAILDIR_NAME_SIZE];
	uint8_t *octets;
};

struct batch {
	struct texts *texts;
	struct attempt attempts[TEXTS_BATCH];
	struct maildir_item items[TEXTS_BATCH];
	size_t n;
};

/* ---- the queues ---- */

static void append(struct inward_queue *queue, struct inward *in)
{
	in->next = NULL;
	*queue->tail = in;
	queue->tail = &in->next;
}

static struct inward *take_first(struct inward_queue *queue)
{
	struct inward *in = queue->head;

	if (!in)
		return NULL;
	queue->head = in->next;
	if (!queue->head)
		queue->tail = &queue->head;
	return in;
}

int texts_queue_inward(struct texts *texts, const struct journal_key *key)
{
	struct inward *in = calloc(1, sizeof(*in));

	if (!in)
		return -ENOMEM;
	memcpy(in->id, key->id, sizeof(in->id));
	append(&texts->fresh, in);
	texts->n_inward++;
	return 0;
}

static bool is_due(const struct inward_queue *stuck)
{
	return stuck->head && stuck->head->next_try_ms <= clock_mono_ms();
}

static struct inward *take_due(struct texts *texts)
{
	return take_first(is_due(&texts->stuck) ? &texts->stuck : &texts->fresh);
}

static void put_back(struct texts *texts, struct inward *in)
{
	in->next_try_ms = clock_mono_ms() + TEXTS_RETRY_MS;
	append(&texts->stuck, in);
}

/* ---- one file ---- */

static int fill_message(struct message *m, const struct delivery *delivery,
			const Texts__Destination *destination)
{
	const Texts__Inward *inward = delivery->inward;
	const Umsg__TextBody *body = delivery->body;
	int err = message_set(&m->from, slice_str(destination->from));

	memcpy(m->id, delivery->id, sizeof(m->id));
	if (!err)
		err = message_set(&m->to, slice_str(destination->to));
	if (!err)
		err = message_set(&m->sender_uri, slice_str(inward->from));
	if (!err)
		err = message_set(&m->sender_domain, slice_str(inward->from_domain));
	if (!err)
		err = message_set(&m->text, slice_str(body->text));
	for (size_t i = 0; !err && i < body->n_attachments; i++) {
		const Umsg__Attachment *a = body->attachments[i];

		err = message_attach(m, slice_str(a->name), slice_str(a->type),
				     slice_of(a->data.data, a->data.len));
	}
	m->date_s = inward->sent;
	m->auto_submitted = (enum message_auto)body->auto_submitted; /* the same order */
	m->responder = (enum message_responder)body->responder;
	return err;
}

/* The reason travels in a receipt, which holds clean text only. */
static void set_why(struct delivery *delivery, const char *why)
{
	snprintf(delivery->why, sizeof(delivery->why), "%s", why);
	if (!text_is_clean(slice_str(delivery->why)))
		snprintf(delivery->why, sizeof(delivery->why), "it cannot be written as a file");
}

/* Returns 0, -ENOMEM, or the final -errno with delivery->why set. */
static int make_file(struct delivery *delivery, const Texts__Destination *destination,
		     uint8_t **octets_out, size_t *n_out)
{
	struct diag *diag = diag_new();
	struct message m;
	int err;

	message_init(&m);
	err = fill_message(&m, delivery, destination);
	if (!err)
		err = mime_write(&m, octets_out, n_out, diag);
	if (err)
		set_why(delivery, diag_errors(diag) ? diag_first_error(diag) : strerror(-err));
	message_clear(&m);
	diag_free(&diag);
	return err;
}

/* The mailbox, open, or NULL. */
static struct write_box *find_box(const struct texts *texts, const char *path)
{
	for (size_t i = 0; i < texts->n_write; i++) {
		struct write_box *box = &texts->write[i];

		if (strcmp(box->config->path, path) != 0)
			continue;
		if (!box->maildir) /* it may be back */
			texts_open_maildir(path, &box->trouble, &box->maildir);
		return box->maildir ? box : NULL;
	}
	return NULL;
}

/* A destination has the message, or has refused it for good. */
static void record(struct texts *texts, struct delivery *delivery, size_t destination, bool failed)
{
	const char *why = failed ? delivery->why : "";
	char id[TEXTS_ID_TEXT];

	delivery->states[destination] = failed ? TEXTS_FAILED : TEXTS_DELIVERED;
	delivery->failed += failed;
	log_info(MODULE, "message=%s mailbox=%s state=%s %s", texts_id_text(delivery->id, id),
		 delivery->inward->destinations[destination]->path, failed ? "failed" : "delivered",
		 why);
	if (journal_set_state(texts->journal, &delivery->key, destination,
			      delivery->states[destination], slice_str(why)))
		delivery->again = true; /* then the file is found there already */
	texts->dirty = true;
}

/* ---- a batch of files ---- */

/* A full disk, a lost directory: what fails here may come right. */
static void flush(struct batch *batch)
{
	maildir_deliver_batch(batch->items, batch->n);
	for (size_t i = 0; i < batch->n; i++) {
		struct attempt *attempt = &batch->attempts[i];

		texts_note_trouble(attempt->box->config->path, &attempt->box->trouble,
				   batch->items[i].result, NULL);
		if (batch->items[i].result)
			attempt->of->again = true;
		else
			record(batch->texts, attempt->of, attempt->destination, false);
		free(attempt->octets);
	}
	batch->n = 0;
}

static void add_attempt(struct batch *batch, struct delivery *delivery, size_t i)
{
	const Texts__Destination *destination = delivery->inward->destinations[i];
	struct attempt *attempt = &batch->attempts[batch->n];
	struct write_box *box = find_box(batch->texts, destination->path);
	size_t n;
	int err;

	if (!box) {
		delivery->again = true;
		return;
	}
	err = make_file(delivery, destination, &attempt->octets, &n);
	if (err == -ENOMEM) {
		delivery->again = true;
		return;
	}
	if (err) {
		record(batch->texts, delivery, i, true);
		return;
	}
	attempt->of = delivery;
	attempt->box = box;
	attempt->destination = i;
	maildir_name(delivery->inward->sent, delivery->id, destination->path, attempt->name);
	batch->items[batch->n++] = (struct maildir_item){ .to = box->maildir,
							  .name = attempt->name,
							  .content = slice_of(attempt->octets, n) };
	if (batch->n == TEXTS_BATCH)
		flush(batch);
}

static void add_attempts(struct batch *batch, struct delivery *delivery)
{
	for (size_t i = 0; i < delivery->inward->n_destinations; i++) {
		delivery->failed += delivery->states[i] == TEXTS_FAILED;
		if (delivery->states[i] == TEXTS_OPEN && !delivery->expired)
			add_attempt(batch, delivery, i);
	}
}

/* ---- one message ---- */

/* Queues what the sender is told.  Returns 0, also where no receipt can be sealed for
 * it, or -errno: try again. */
static int queue_receipt(struct texts *texts, const struct delivery *delivery,
			 Umsg__ReceiptState state, const char *reason)
{
	struct journal_key key = { .kind = TEXTS_RECEIPT };
	const char *sender = delivery->inward->sender;
	struct umsg_sealed sealed = { .n = 0 };
	char what[64], id[TEXTS_ID_TEXT];
	struct outward *out;
	int err = umsg_client_seal_receipt(texts->client, sender, delivery->id, state, reason,
					   &sealed);

	texts_id_text(delivery->id, id);
	if (err == -ENOKEY || err == -EINVAL) {
		log_warn(MODULE, "message=%s: no receipt can be sealed for %s: %s", id, sender,
			 strerror(-err));
		return 0;
	}
	if (!err) {
		memcpy(key.id, sealed.id, sizeof(key.id));
		snprintf(what, sizeof(what), "receipt for %s", id);
		err = texts_queue_post(texts, &key, &sealed, sender, what, &out);
	}
	umsg_sealed_clear(&sealed);
	return err;
}

/* Tells the sender once every mailbox has it, or has refused it for good. */
static int conclude(struct texts *texts, struct delivery *delivery)
{
	size_t n = delivery->inward->n_destinations, delivered = 0;
	int err;

	for (size_t i = 0; i < n; i++)
		delivered += delivery->states[i] == TEXTS_DELIVERED;
	if (delivered)
		err = queue_receipt(texts, delivery, UMSG__RECEIPT_STATE__RECEIPT_DELIVERED, "");
	else if (!n)
		err = queue_receipt(texts, delivery, UMSG__RECEIPT_STATE__RECEIPT_FAILED,
				    "no mailbox takes messages for this address");
	else if (delivery->failed == n)
		err = queue_receipt(texts, delivery, UMSG__RECEIPT_STATE__RECEIPT_FAILED,
				    delivery->why);
	else
		err = queue_receipt(texts, delivery, UMSG__RECEIPT_STATE__RECEIPT_EXPIRED,
				    "expired");
	if (!err)
		err = journal_finish(texts->journal, &delivery->key);
	texts->dirty = true;
	return err;
}

static void load_why(const struct texts *texts, struct delivery *delivery)
{
	for (size_t i = 0; i < delivery->inward->n_destinations; i++)
		if (delivery->states[i] == TEXTS_FAILED)
			snprintf(delivery->why, sizeof(delivery->why), "%s",
				 journal_note(texts->journal, &delivery->key, i));
}

/* Returns 0, -ENOENT (nothing is left to do), -EBADMSG (damaged on disk), -errno. */
static int load(const struct texts *texts, const struct inward *in, struct delivery *delivery)
{
	struct journal_entry entry;
	uint8_t *packed;
	size_t n;
	int err;

	*delivery = (struct delivery){ .id = in->id, .key = texts_inward_key(in->id) };
	if (!journal_find(texts->journal, &delivery->key, &entry) || entry.finished)
		return -ENOENT;
	err = journal_payload(texts->journal, &delivery->key, &packed, &n);
	if (err)
		return err;
	memcpy(delivery->states, entry.states, entry.destination_count * sizeof(*entry.states));
	delivery->expired = entry.end_s <= clock_wall_s();
	delivery->inward = texts__inward__unpack(NULL, n, packed);
	free(packed);
	if (!delivery->inward || delivery->inward->n_destinations != entry.destination_count)
		return -EBADMSG;
	delivery->body = umsg__text_body__unpack(NULL, delivery->inward->body.len,
						 delivery->inward->body.data);
	load_why(texts, delivery);
	return delivery->body ? 0 : -EBADMSG;
}

static void unload(struct delivery *delivery)
{
	if (delivery->body)
		umsg__text_body__free_unpacked(delivery->body, NULL);
	if (delivery->inward)
		texts__inward__free_unpacked(delivery->inward, NULL);
}

/* A message that the disk has lost: nobody can be told. */
static int give_up(struct texts *texts, const struct delivery *delivery)
{
	char id[TEXTS_ID_TEXT];

	log_warn(MODULE, "message=%s is damaged in the journal, and lost",
		 texts_id_text(delivery->id, id));
	texts->dirty = true;
	return journal_finish(texts->journal, &delivery->key);
}

/* What is left of a message after its files were tried.  err is of its loading. */
static void settle(struct texts *texts, struct inward *in, struct delivery *delivery, int err)
{
	if (err == -EBADMSG)
		err = give_up(texts, delivery);
	else if (err == -ENOENT)
		err = 0;
	else if (!err)
		err = delivery->again && !delivery->expired ? -EAGAIN : conclude(texts, delivery);
	unload(delivery);
	if (err) {
		put_back(texts, in);
		return;
	}
	texts->n_inward--;
	free(in);
}

void texts_deliver(struct texts *texts)
{
	struct batch batch = { .texts = texts };
	struct delivery deliveries[TEXTS_BATCH];
	struct inward *taken[TEXTS_BATCH];
	int errs[TEXTS_BATCH];
	size_t n = 0;

	if (!texts->client)
		return; /* no receipts could be sealed */
	while (n < TEXTS_BATCH && (taken[n] = take_due(texts))) {
		errs[n] = load(texts, taken[n], &deliveries[n]);
		if (!errs[n])
			add_attempts(&batch, &deliveries[n]);
		n++;
	}
	flush(&batch);
	for (size_t i = 0; i < n; i++)
		settle(texts, taken[i], &deliveries[i], errs[i]);
	if (texts->fresh.head || is_due(&texts->stuck))
		texts_schedule(texts); /* what else there is to do goes first */
}
