/* texts_inward.c - messages from the secure side while they are not everywhere: their
 * destinations, their end, and the Receipt.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/texts_priv.h"

#define MODULE "texts"

/* ---- in memory ---- */

struct inward *texts_inward_new(const uint8_t id[UMSG_ID_SIZE], int64_t end_s,
				struct text_port *const *ports, size_t n)
{
	/* The shares lie behind it in one piece: one allocation a message. */
	struct inward *in = calloc(1, sizeof(*in) + n * sizeof(in->shares[0]));

	if (!in)
		return NULL;
	memcpy(in->id, id, sizeof(in->id));
	in->end_s = end_s;
	in->n_shares = in->n_open = (uint16_t)n;
	for (size_t i = 0; i < n; i++) {
		in->shares[i].of = in;
		in->shares[i].port = ports[i];
	}
	return in;
}

void texts_inward_free(struct inward *in)
{
	for (size_t i = 0; in && i < in->n_shares; i++)
		free(in->shares[i].why);
	free(in);
}

static void link_inward(struct texts *texts, struct inward *in)
{
	idmap_put(&texts->inward, &in->node, idhash_of(&texts->hash, in->id, 0));
	in->link = texts->all_tail;
	*texts->all_tail = in;
	texts->all_tail = &in->next;
}

static void unlink_inward(struct texts *texts, struct inward *in)
{
	idmap_remove(&texts->inward, &in->node);
	/* The expiry's place in the list must not point to what goes. */
	if (texts->expire_at == in)
		texts->expire_at = in->next;
	*in->link = in->next;
	if (in->next)
		in->next->link = in->link;
	else
		texts->all_tail = in->link;
}

static void is_over(struct texts *texts, struct inward *in)
{
	texts_queue_append(&texts->done, &in->done);
	texts_schedule(texts);
}

void texts_inward_admit(struct texts *texts, struct inward *in)
{
	link_inward(texts, in);
	for (size_t i = 0; i < in->n_shares; i++)
		texts_queue_append(&in->shares[i].port->queue, &in->shares[i].queued);
	/* Nobody takes it: over at once, and its sender is told. */
	if (!in->n_shares)
		is_over(texts, in);
	texts_schedule(texts);
}

struct inward *texts_inward_find(const struct texts *texts, const uint8_t id[UMSG_ID_SIZE])
{
	struct idmap_node *node = idmap_first(&texts->inward, idhash_of(&texts->hash, id, 0));

	for (; node; node = idmap_next(node)) {
		struct inward *in = IDMAP_OWNER(node, struct inward, node);

		if (memcmp(in->id, id, sizeof(in->id)) == 0)
			return in;
	}
	return NULL;
}

void texts_forget_inward(struct texts *texts)
{
	while (texts->all) {
		struct inward *in = texts->all;

		for (size_t i = 0; i < in->n_shares; i++)
			texts_queue_remove(&in->shares[i].port->queue, &in->shares[i].queued);
		unlink_inward(texts, in);
		texts_inward_free(in);
	}
}

/* ---- from the journal ---- */

int texts_load(const struct texts *texts, const uint8_t id[UMSG_ID_SIZE], struct loaded *loaded_out)
{
	struct journal_key key = texts_inward_key(id);
	struct loaded loaded = { 0 };
	uint8_t *packed;
	size_t n;
	int err = journal_payload(texts->journal, &key, &packed, &n);

	if (err)
		return err;
	loaded.inward = texts__inward__unpack(NULL, n, packed);
	free(packed);
	if (loaded.inward)
		loaded.body = umsg__text_body__unpack(NULL, loaded.inward->body.len,
						      loaded.inward->body.data);
	if (!loaded.body) {
		texts_unload(&loaded);
		return -EBADMSG;
	}
	*loaded_out = loaded;
	return 0;
}

void texts_unload(struct loaded *loaded)
{
	if (loaded->body)
		umsg__text_body__free_unpacked(loaded->body, NULL);
	if (loaded->inward)
		texts__inward__free_unpacked(loaded->inward, NULL);
	*loaded = (struct loaded){ 0 };
}

/* What the journal says of a share whose end it knows. */
static void restore_share(struct texts *texts, struct share *share, const struct journal_key *key,
			  size_t number, uint8_t state)
{
	share->state = state <= TEXTS_SENT_ON ? state : TEXTS_FAILED; /* of another version */
	if (state == TEXTS_OPEN) {
		texts_queue_append(&share->port->queue, &share->queued);
	} else if (state == TEXTS_SENT_ON) {
		share->port->sent++; /* its port hears of it when it is there */
	} else {
		share->of->n_open--;
		texts_set_why(&share->why, journal_note(texts->journal, key, number));
	}
}

static struct inward *remake(struct texts *texts, const struct journal_entry *entry,
			     const Texts__Inward *inward)
{
	struct text_port *ports[JOURNAL_MAX_DESTINATIONS];
	struct inward *in;

	for (size_t i = 0; i < inward->n_destinations; i++) {
		ports[i] = texts_port_named(texts, inward->destinations[i]->port, NULL);
		if (!ports[i])
			return NULL;
	}
	in = texts_inward_new(entry->key.id, entry->end_s, ports, inward->n_destinations);
	for (size_t i = 0; in && i < in->n_shares; i++)
		restore_share(texts, &in->shares[i], &entry->key, i, entry->states[i]);
	return in;
}

int texts_restore_inward(struct texts *texts, const struct journal_entry *entry)
{
	struct loaded loaded;
	struct inward *in;
	int err = texts_load(texts, entry->key.id, &loaded);

	if (err == -ENOMEM)
		return err;
	if (!err && loaded.inward->n_destinations == entry->destination_count)
		in = remake(texts, entry, loaded.inward);
	else /* damaged: concluded as lost */
		in = texts_inward_new(entry->key.id, entry->end_s, NULL, 0);
	if (!err)
		texts_unload(&loaded);
	if (!in)
		return -ENOMEM;
	link_inward(texts, in);
	if (!in->n_open)
		is_over(texts, in);
	return 0;
}

/* ---- the end of a share ---- */

static void save_state(struct texts *texts, struct share *share)
{
	struct journal_key key = texts_inward_key(share->of->id);

	/* A full disk: what is known already is kept in memory.  After a crash the share is
	 * offered again, and a mailbox finds its file there already. */
	share->unsaved =
		journal_set_state(texts->journal, &key, (size_t)(share - share->of->shares),
				  share->state, slice_str(share->why ? share->why : "")) != 0;
	texts_touch(texts);
}

static const char *const state_words[] = {
	[TEXTS_OPEN] = "waiting", [TEXTS_DELIVERED] = "delivered", [TEXTS_FAILED] = "failed",
	[TEXTS_SENT_ON] = "sent", [TEXTS_IN_HAND] = "in hand",     [TEXTS_EXPIRED] = "expired",
};

const char *texts_state_word(uint8_t state)
{
	return state_words[state];
}

void texts_end_share(struct texts *texts, struct share *share, uint8_t state, const char *why)
{
	struct texts_port_counters *counters = &share->port->counters;
	char id[TEXTS_ID_TEXT];

	share->state = state;
	texts_set_why(&share->why, why);
	counters->delivered += state == TEXTS_DELIVERED;
	counters->failed += state == TEXTS_FAILED;
	counters->expired += state == TEXTS_EXPIRED;
	log_info(MODULE, "message=%s port=%s state=%s%s%s", texts_id_text(share->of->id, id),
		 share->port->name, texts_state_word(state), *why ? " " : "", why);
	if (state != TEXTS_EXPIRED) /* which its end tells anyway */
		save_state(texts, share);
	if (--share->of->n_open == 0)
		is_over(texts, share->of);
}

/* ---- the end of a lifetime ---- */

void texts_expire_one(struct texts *texts, struct inward *in)
{
	for (size_t i = 0; i < in->n_shares; i++) {
		struct share *share = &in->shares[i];
		struct text_port *port = share->port;

		if (share->state == TEXTS_OPEN) {
			texts_queue_remove(&port->queue, &share->queued);
			texts_end_share(texts, share, TEXTS_EXPIRED, share->why ? share->why : "");
		} else if (share->state == TEXTS_SENT_ON) {
			port->sent--;
			if (port->ops && port->ops->forget)
				port->ops->forget(port->arg, in->id);
			texts_end_share(texts, share, TEXTS_DELIVERED, "no receipt came");
		}
	}
}

/* States that a full disk kept from the journal. */
static void save_again(struct texts *texts, struct inward *in)
{
	for (size_t i = 0; i < in->n_shares; i++)
		if (in->shares[i].unsaved)
			save_state(texts, &in->shares[i]);
}

void texts_expire(struct texts *texts)
{
	int64_t now_s = clock_wall_s();

	/* Goes round the list a piece at a time: TEXTS_EXPIRE_AT_ONCE in each two seconds. */
	if (!texts->expire_at)
		texts->expire_at = texts->all;
	for (int i = 0; texts->expire_at && i < TEXTS_EXPIRE_AT_ONCE; i++) {
		struct inward *in = texts->expire_at;

		texts->expire_at = in->next;
		save_again(texts, in);
		if (in->end_s <= now_s && in->n_open)
			texts_expire_one(texts, in);
	}
}

/* ---- the end of a message ---- */

/* What the shares come to together. */
struct outcome {
	size_t delivered, failed;
	const char *why; /* of the last that failed, or expired */
};

static struct outcome outcome_of(const struct inward *in)
{
	struct outcome outcome = { .why = "" };

	for (size_t i = 0; i < in->n_shares; i++) {
		const struct share *share = &in->shares[i];

		outcome.delivered += share->state == TEXTS_DELIVERED;
		outcome.failed += share->state == TEXTS_FAILED;
		if (share->state != TEXTS_DELIVERED && share->why)
			outcome.why = share->why;
	}
	return outcome;
}

/* What the sender reads; a reason is clean text. */
static Umsg__ReceiptState judge(const struct inward *in, char why[TEXT_WHY_SIZE])
{
	struct outcome outcome = outcome_of(in);

	snprintf(why, TEXT_WHY_SIZE, "%s",
		 text_is_clean(slice_str(outcome.why)) ? outcome.why
						       : "it cannot be written there");
	if (!in->n_shares) {
		/* "mailbox" for every kind of port: the sender does not know which there are. */
		snprintf(why, TEXT_WHY_SIZE, "no mailbox takes messages for this address");
		return UMSG__RECEIPT_STATE__RECEIPT_FAILED;
	}
	if (outcome.delivered) {
		if (outcome.delivered < in->n_shares)
			snprintf(why, TEXT_WHY_SIZE, "not everywhere: %.100s",
				 *outcome.why ? outcome.why : "expired");
		return UMSG__RECEIPT_STATE__RECEIPT_DELIVERED;
	}
	if (outcome.failed)
		return UMSG__RECEIPT_STATE__RECEIPT_FAILED;
	if (*outcome.why)
		snprintf(why, TEXT_WHY_SIZE, "expired: %.100s", outcome.why);
	else
		snprintf(why, TEXT_WHY_SIZE, "expired");
	return UMSG__RECEIPT_STATE__RECEIPT_EXPIRED;
}

/* Queues what the sender is told.  Returns 0, also where no receipt can be sealed for
 * it, or -errno: try again. */
static int queue_receipt(struct texts *texts, const struct inward *in, const char *sender,
			 Umsg__ReceiptState state, const char *reason)
{
	struct journal_key key = { .kind = TEXTS_RECEIPT };
	Texts__Outward outward = TEXTS__OUTWARD__INIT;
	struct umsg_sealed sealed = { .n = 0 };
	char what[64], id[TEXTS_ID_TEXT];
	struct outward *out;
	int err = umsg_client_seal_receipt(texts->client, sender, in->id, state, reason, &sealed);

	texts_id_text(in->id, id);
	/* Without our own keys, as when a month has begun and its update is not there yet: it waits
	 * for them.  Attached, they are there, and it is the sender's domain that is not. */
	if (err == -ENOKEY && umsg_client_state(texts->client) != UMSG_ATTACHED)
		return err;
	if (err == -ENOKEY || err == -EINVAL) {
		log_warn(MODULE, "message=%s: no receipt can be sealed for %s: %s", id, sender,
			 strerror(-err));
		return 0;
	}
	if (!err) {
		memcpy(key.id, sealed.id, sizeof(key.id));
		snprintf(what, sizeof(what), "receipt for %s", id);
		outward.to = (char *)sender;
		outward.what = what;
		err = texts_queue_post(texts, &key, &sealed, &outward, &out);
	}
	umsg_sealed_clear(&sealed);
	return err;
}

static void count(struct texts_counters *counters, Umsg__ReceiptState state)
{
	counters->delivered += state == UMSG__RECEIPT_STATE__RECEIPT_DELIVERED;
	counters->failed += state == UMSG__RECEIPT_STATE__RECEIPT_FAILED;
	counters->expired += state == UMSG__RECEIPT_STATE__RECEIPT_EXPIRED;
}

/* One line tells the message's whole way. */
static void log_way(const struct inward *in, const Texts__Inward *inward, Umsg__ReceiptState state)
{
	static const char *const words[] = { [UMSG__RECEIPT_STATE__RECEIPT_DELIVERED] = "delivered",
					     [UMSG__RECEIPT_STATE__RECEIPT_FAILED] = "failed",
					     [UMSG__RECEIPT_STATE__RECEIPT_EXPIRED] = "expired" };
	char way[1500] = "", id[TEXTS_ID_TEXT];
	struct buf b = BUF_OF(way);

	for (size_t i = 0; i < in->n_shares; i++) {
		const struct share *share = &in->shares[i];

		buf_printf(&b, " %s=%s", share->port->name, texts_state_word(share->state));
		if (share->why)
			buf_printf(&b, "(%s)", share->why);
	}
	log_info(MODULE, "message=%s from=%s to=%s sent=%lld end=%lld receipt=%s:%.*s",
		 texts_id_text(in->id, id), inward->from, inward->to, (long long)inward->sent,
		 (long long)in->end_s, *inward->sender ? words[state] : "none", (int)b.len, way);
}

static int conclude_loaded(struct texts *texts, const struct inward *in,
			   const Texts__Inward *inward)
{
	struct journal_key key = texts_inward_key(in->id);
	char why[TEXT_WHY_SIZE];
	Umsg__ReceiptState state = judge(in, why);
	int err = 0;

	if (*inward->sender)
		err = queue_receipt(texts, in, inward->sender, state, why);
	/* The Receipt is journaled before the message is finished, by one sync: a crash repeats
	 * neither, or both. */
	if (!err)
		err = journal_finish(texts->journal, &key);
	if (err)
		return err;
	texts_touch(texts);
	if (*inward->sender) /* notices of ours count apart */
		count(&texts->counters, state);
	log_way(in, inward, state);
	return 0;
}

/* A message that the disk has lost: nobody can be told. */
static int give_up(struct texts *texts, const struct inward *in)
{
	struct journal_key key = texts_inward_key(in->id);
	char id[TEXTS_ID_TEXT];

	log_warn(MODULE, "message=%s is damaged in the journal, and lost",
		 texts_id_text(in->id, id));
	texts_touch(texts);
	return journal_finish(texts->journal, &key);
}

static int conclude(struct texts *texts, struct inward *in)
{
	struct loaded loaded;
	int err = texts_load(texts, in->id, &loaded);

	if (err == -EBADMSG)
		return give_up(texts, in);
	if (err)
		/* Finished already, in an earlier run: only memory had it. */
		return err == -ENOENT ? 0 : err;
	err = conclude_loaded(texts, in, loaded.inward);
	texts_unload(&loaded);
	return err;
}

void texts_conclude(struct texts *texts)
{
	int64_t now_ms = clock_mono_ms();
	struct queued *item;

	/* Without keys no Receipt can be sealed: it waits. */
	for (int i = 0; texts->client && i < TEXTS_BATCH; i++) {
		struct inward *in;

		item = texts_queue_take(&texts->done, now_ms);
		if (!item)
			return;
		in = IDMAP_OWNER(item, struct inward, done);
		if (conclude(texts, in)) {
			texts_queue_put_off(&texts->done, item, now_ms + TEXTS_RETRY_MS);
			continue;
		}
		unlink_inward(texts, in);
		texts_inward_free(in);
	}
	if (texts->client && texts->done.first)
		texts_schedule(texts);
}
