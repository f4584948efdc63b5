/* texts_in.c - from the secure side into write mailboxes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/encode.h"
#include "base/log.h"
#include "gateway/texts_priv.h"
#include "mailbox/message.h"
#include "mailbox/mime.h"

#define MODULE "texts"

enum { ID_TEXT = BASE64_TEXT_SIZE(UMSG_ID_SIZE) };

static const char *id_text(const uint8_t id[UMSG_ID_SIZE], char out[ID_TEXT])
{
	base64_encode(BASE64_STANDARD, slice_of(id, UMSG_ID_SIZE), out);
	return out;
}

static struct journal_key inward_key(const uint8_t id[UMSG_ID_SIZE])
{
	struct journal_key key = { .kind = TEXTS_INWARD };

	memcpy(key.id, id, sizeof(key.id));
	return key;
}

/* ---- a message comes ---- */

static int remember(struct texts *texts, const uint8_t id[UMSG_ID_SIZE], const char *from,
		    uint64_t number, bool to_take)
{
	struct inward *in = calloc(1, sizeof(*in));
	struct inward **at = &texts->inward;

	if (!in)
		return -ENOMEM;
	memcpy(in->id, id, sizeof(in->id));
	snprintf(in->from, sizeof(in->from), "%s", from);
	in->number = number;
	in->to_take = to_take;
	while (*at)
		at = &(*at)->next;
	*at = in;
	return 0;
}

static void with_extension(char *out, size_t outsz, const char *uri, const char *extension)
{
	snprintf(out, outsz, "%s%s%s", uri, *extension ? ";" : "", extension);
}

/* Which mailboxes want it, and with which addresses (CIG-065). */
static size_t choose_destinations(const struct texts *texts, const Texts__Inward *inward,
				  Texts__Destination *destinations, struct cig_addresses *addresses)
{
	size_t n = 0;

	for (size_t i = 0; i < texts->n_write && n < JOURNAL_MAX_DESTINATIONS; i++) {
		const struct cig_mailbox *box = texts->write[i].config;

		if (cig_translate_outward(&box->maps, slice_str(inward->from),
					  slice_str(inward->to), &addresses[n], NULL) != 1)
			continue;
		texts__destination__init(&destinations[n]);
		destinations[n].path = (char *)box->path;
		destinations[n].from = addresses[n].from;
		destinations[n].to = addresses[n].to;
		n++;
	}
	return n;
}

static int journal_inward(struct texts *texts, const struct journal_key *key,
			  const Texts__Inward *inward, int64_t end_s)
{
	size_t n = texts__inward__get_packed_size(inward);
	uint8_t *packed = malloc(n);
	int err;

	if (!packed)
		return -ENOMEM;
	texts__inward__pack(inward, packed);
	err = journal_put(texts->journal, key, end_s, inward->n_destinations, slice_of(packed, n));
	free(packed);
	texts->dirty |= !err;
	return err;
}

static int pack_body(const Umsg__TextBody *body, ProtobufCBinaryData *out)
{
	out->len = umsg__text_body__get_packed_size(body);
	out->data = malloc(out->len + 1);
	if (!out->data)
		return -ENOMEM;
	umsg__text_body__pack(body, out->data);
	return 0;
}

static int accept_message(struct texts *texts, const struct umsg_message *message,
			  const struct journal_key *key)
{
	char from[UMSG_URI_SIZE + UMSG_EXTENSION_SIZE], to[UMSG_URI_SIZE + UMSG_EXTENSION_SIZE];
	Texts__Destination destinations[JOURNAL_MAX_DESTINATIONS];
	Texts__Destination *at[JOURNAL_MAX_DESTINATIONS];
	struct cig_addresses *addresses = calloc(texts->n_write + 1, sizeof(*addresses));
	Texts__Inward inward = TEXTS__INWARD__INIT;
	char id[ID_TEXT];
	int err = addresses ? pack_body(message->body, &inward.body) : -ENOMEM;

	if (!err) {
		with_extension(from, sizeof(from), message->from, message->body->calling_extension);
		with_extension(to, sizeof(to), message->to, message->body->called_extension);
		inward.from = from;
		inward.to = to;
		inward.sender = (char *)message->from;
		inward.from_domain = (char *)message->from_domain;
		inward.sent = message->sent_s;
		inward.n_destinations =
			choose_destinations(texts, &inward, destinations, addresses);
		inward.destinations = at;
		for (size_t i = 0; i < inward.n_destinations; i++)
			at[i] = &destinations[i];
		log_info(MODULE, "message=%s from=%s to=%s mailboxes=%zu state=received",
			 id_text(message->id, id), from, to, inward.n_destinations);
		err = journal_inward(texts, key, &inward, message->end_s);
	}
	free(inward.body.data);
	free(addresses);
	return err;
}

/* Not journaled is not taken: the rendezvous delivers it again. */
void texts_message(struct texts *texts, const struct umsg_message *message)
{
	struct journal_key key = inward_key(message->id);
	char id[ID_TEXT];
	int err = 0;

	if (!journal_find(texts->journal, &key, NULL))
		err = accept_message(texts, message, &key);
	if (!err)
		err = remember(texts, message->id, message->from, message->number, true);
	if (err)
		log_warn(MODULE, "message=%s from=%s is left at the rendezvous: %s",
			 id_text(message->id, id), message->from, strerror(-err));
	else
		texts_schedule(texts);
}

int texts_restore_inward(struct texts *texts, const struct journal_key *key)
{
	return remember(texts, key->id, "", 0, false);
}

void texts_take_inward(struct texts *texts)
{
	for (struct inward *in = texts->inward; in; in = in->next) {
		if (in->to_take && texts->client)
			umsg_client_taken(texts->client, in->id, in->from, in->number);
		in->to_take = false;
	}
}

/* ---- its mailboxes ---- */

static int fill_message(struct message *m, const uint8_t id[UMSG_ID_SIZE],
			const Texts__Inward *inward, const Texts__Destination *destination,
			const Umsg__TextBody *body)
{
	int err = message_set(&m->from, slice_str(destination->from));

	memcpy(m->id, id, sizeof(m->id));
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

static struct maildir *find_box(const struct texts *texts, const char *path)
{
	for (size_t i = 0; i < texts->n_write; i++) {
		struct write_box *box = &texts->write[i];

		if (strcmp(box->config->path, path) != 0)
			continue;
		if (!box->maildir)
			maildir_open(path, &box->maildir, NULL); /* it may be back */
		return box->maildir;
	}
	return NULL;
}

/* Writes one file.  Returns 0, -EAGAIN (try again later) or a final -errno. */
static int deliver_one(struct texts *texts, const struct inward *in, const Texts__Inward *inward,
		       const Texts__Destination *destination, const Umsg__TextBody *body, char *why,
		       size_t whysz)
{
	struct maildir *box = find_box(texts, destination->path);
	struct maildir_item item = { .to = box };
	char name[MAILDIR_NAME_SIZE];
	struct diag *diag = diag_new();
	struct message m;
	uint8_t *octets = NULL;
	size_t n = 0;
	int err;

	message_init(&m);
	err = !box ? -EAGAIN : fill_message(&m, in->id, inward, destination, body);
	if (!err)
		err = mime_write(&m, &octets, &n, diag);
	if (!err) {
		maildir_name(inward->sent, in->id, destination->path, name);
		item.name = name;
		item.content = slice_of(octets, n);
		maildir_deliver_batch(&item, 1);
		err = item.result ? -EAGAIN
				  : 0; /* a full disk, a lost directory: it may come back */
	}
	snprintf(why, whysz, "%s", diag_errors(diag) ? diag_first_error(diag) : strerror(-err));
	message_clear(&m);
	free(octets);
	diag_free(&diag);
	return err == -ENOMEM ? -EAGAIN : err;
}

static void queue_receipt(struct texts *texts, const struct inward *in, const Texts__Inward *inward,
			  Umsg__ReceiptState state, const char *reason)
{
	struct journal_key key = { .kind = TEXTS_RECEIPT };
	struct umsg_sealed sealed = { .n = 0 };
	char what[64], id[ID_TEXT];
	struct outward *out;
	int err = texts->client ? umsg_client_seal_receipt(texts->client, inward->sender, in->id,
							   state, reason, &sealed)
				: -ENOKEY;

	if (!err) {
		memcpy(key.id, sealed.id, sizeof(key.id));
		snprintf(what, sizeof(what), "receipt for %s", id_text(in->id, id));
		err = texts_queue_post(texts, &key, &sealed, inward->sender, what, &out);
	}
	if (err)
		log_warn(MODULE, "message=%s: no receipt can be made: %s", id_text(in->id, id),
			 strerror(-err));
	umsg_sealed_clear(&sealed);
}

struct outcome {
	bool open;
	size_t failed;
	char why[256];
};

static void deliver_all(struct texts *texts, const struct inward *in, const Texts__Inward *inward,
			const Umsg__TextBody *body, const journal_state *states,
			struct outcome *outcome)
{
	struct journal_key key = inward_key(in->id);
	char id[ID_TEXT];

	for (size_t i = 0; i < inward->n_destinations; i++) {
		const Texts__Destination *destination = inward->destinations[i];
		int err = states[i] == TEXTS_OPEN
				  ? deliver_one(texts, in, inward, destination, body, outcome->why,
						sizeof(outcome->why))
				  : 0;

		outcome->open |= err == -EAGAIN;
		outcome->failed += (err && err != -EAGAIN) || states[i] == TEXTS_FAILED;
		if (states[i] != TEXTS_OPEN || err == -EAGAIN)
			continue;
		journal_set_state(texts->journal, &key, i, err ? TEXTS_FAILED : TEXTS_DELIVERED,
				  slice_str(err ? outcome->why : ""));
		texts->dirty = true;
		log_info(MODULE, "message=%s mailbox=%s state=%s %s", id_text(in->id, id),
			 destination->path, err ? "failed" : "delivered", err ? outcome->why : "");
	}
}

/* Tells the sender once every mailbox has it, or has refused it for good. */
static void conclude(struct texts *texts, const struct inward *in, const Texts__Inward *inward,
		     const struct outcome *outcome)
{
	struct journal_key key = inward_key(in->id);

	if (!inward->n_destinations)
		queue_receipt(texts, in, inward, UMSG__RECEIPT_STATE__RECEIPT_FAILED,
			      "no mailbox takes messages for this address");
	else if (outcome->failed == inward->n_destinations)
		queue_receipt(texts, in, inward, UMSG__RECEIPT_STATE__RECEIPT_FAILED, outcome->why);
	else
		queue_receipt(texts, in, inward, UMSG__RECEIPT_STATE__RECEIPT_DELIVERED, "");
	journal_finish(texts->journal, &key);
	texts->dirty = true;
}

/* Returns true when nothing is left to do for it. */
static bool deliver_message(struct texts *texts, const struct inward *in)
{
	struct journal_key key = inward_key(in->id);
	journal_state states[JOURNAL_MAX_DESTINATIONS];
	struct outcome outcome = { .open = false };
	struct journal_entry entry;
	Texts__Inward *inward;
	Umsg__TextBody *body;
	uint8_t *packed;
	size_t n;

	if (!journal_find(texts->journal, &key, &entry) || entry.finished)
		return true;
	if (!texts->client || journal_payload(texts->journal, &key, &packed, &n))
		return false;
	memcpy(states, entry.states, entry.destination_count * sizeof(*states));
	inward = texts__inward__unpack(NULL, n, packed);
	body = inward ? umsg__text_body__unpack(NULL, inward->body.len, inward->body.data) : NULL;
	free(packed);
	if (inward && body && inward->n_destinations == entry.destination_count)
		deliver_all(texts, in, inward, body, states, &outcome);
	if (inward && body && !outcome.open)
		conclude(texts, in, inward, &outcome);
	if (body)
		umsg__text_body__free_unpacked(body, NULL);
	if (inward)
		texts__inward__free_unpacked(inward, NULL);
	return inward && body && !outcome.open;
}

void texts_deliver(struct texts *texts)
{
	struct inward **at = &texts->inward;

	while (*at) {
		struct inward *in = *at;

		if (!deliver_message(texts, in)) {
			at = &in->next; /* the retry timer comes back to it */
			continue;
		}
		*at = in->next;
		free(in);
	}
}
