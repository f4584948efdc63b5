/* center_in.c - what a center sends: texts, parts, and receipts for what it has. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "base/log.h"
#include "smpp/center_priv.h"

#define MODULE "smpp"

/* ---- receipts that are awaited --------------------------------------------------- */

/* The owner names a text as its sender did: with a secret of ours, so that nobody can choose names
 * that all come to one place (base/idmap.h). */
static uint64_t map_key(const struct smpp_center *center, const uint8_t key[SMPP_KEY_SIZE])
{
	return idhash_of(&center->hash, key, 0);
}

static struct waiting *find_waiting(const struct smpp_center *center,
				    const uint8_t key[SMPP_KEY_SIZE])
{
	struct idmap_node *node = idmap_first(&center->waiting, map_key(center, key));

	for (; node; node = idmap_next(node)) {
		struct waiting *w = IDMAP_OWNER(node, struct waiting, node);

		if (memcmp(w->key, key, SMPP_KEY_SIZE) == 0)
			return w;
	}
	return NULL;
}

static void drop_waiting(struct smpp_center *center, struct waiting *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->ids[i].open)
			smpp_awaiting_remove(center->awaiting, &w->ids[i].awaited);
	idmap_remove(&center->waiting, &w->node);
	free(w);
}

bool center_forget_waiting(struct smpp_center *center, const uint8_t key[SMPP_KEY_SIZE])
{
	struct waiting *w = find_waiting(center, key);

	if (w)
		drop_waiting(center, w);
	return w != NULL;
}

void center_free_waiting(struct smpp_center *center)
{
	struct idmap_node *node;

	while (center->waiting.buckets && (node = idmap_take(&center->waiting)))
		free(IDMAP_OWNER(node, struct waiting, node));
	idmap_done(&center->waiting);
}

bool center_await_note(struct smpp_center *center, const uint8_t key[SMPP_KEY_SIZE],
		       const struct smpp_note *note)
{
	struct waiting *w;
	size_t n = 0;

	for (size_t i = 0; i < note->parts; i++)
		n += note->part[i].id[0] != '\0';
	/* Without ids no receipt could be told to be about this text. */
	if (n == 0 || find_waiting(center, key))
		return n != 0;
	w = calloc(1, sizeof(*w) + n * sizeof(w->ids[0]));
	if (!w)
		return false; /* the receipt will be unknown, no more */
	memcpy(w->key, key, SMPP_KEY_SIZE);
	for (size_t i = 0; i < note->parts; i++) {
		struct waited_id *id = &w->ids[w->n];

		if (!note->part[i].id[0])
			continue;
		id->of = w;
		id->open = true;
		memcpy(id->awaited.id, note->part[i].id, sizeof(id->awaited.id));
		memcpy(id->awaited.dest, note->dest, sizeof(id->awaited.dest));
		smpp_awaiting_add(center->awaiting, &id->awaited);
		w->n++;
	}
	w->left = w->n;
	idmap_put(&center->waiting, &w->node, map_key(center, key));
	center_schedule(center); /* a receipt that came before is held */
	return true;
}

int smpp_center_await(struct smpp_center *center, const uint8_t key[SMPP_KEY_SIZE],
		      const char *note)
{
	struct smpp_note *read = malloc(sizeof(*read));
	int err = read ? smpp_note_read(note, read) : -ENOMEM;

	if (!err && !center_await_note(center, key, read))
		err = -EINVAL;
	free(read);
	return err;
}

/* ---- a receipt ------------------------------------------------------------------- */

static void end_waiting(struct smpp_center *center, struct waiting *w,
			const struct smpp_receipt *receipt, const struct smpp_handle *handle)
{
	bool delivered = receipt->state == SMPP_STATE_DELIVERED;
	uint8_t key[SMPP_KEY_SIZE];
	char why[SMPP_WHY_SIZE] = "";

	memcpy(key, w->key, sizeof(key));
	if (!delivered)
		snprintf(why, sizeof(why), "the message center reports: %s%s%s",
			 smpp_message_state_name(receipt->state),
			 receipt->error[0] ? ", error " : "", receipt->error);
	drop_waiting(center, w);
	center_tell(center, &(struct smpp_center_event){ .kind = SMPP_RECEIPT,
							 .key = key,
							 .delivered = delivered,
							 .why = why,
							 .handle = *handle });
}

/* Returns false when no message of that id is awaited. */
static bool take_receipt(struct smpp_center *center, const struct smpp_receipt *receipt,
			 struct slice from, const struct smpp_handle *handle)
{
	struct smpp_awaited *found = smpp_awaiting_find(center->awaiting, receipt->id, from);
	struct waited_id *id;

	if (!found)
		return false;
	id = (struct waited_id *)(void *)((char *)found - offsetof(struct waited_id, awaited));
	if (!smpp_message_state_is_final(receipt->state)) {
		smpp_center_answer(center, handle, SMPP_OK);
		return true;
	}
	smpp_awaiting_remove(center->awaiting, &id->awaited);
	id->open = false;
	/* One part that is lost is a text that is lost; else all must have come. */
	if (receipt->state == SMPP_STATE_DELIVERED && --id->of->left > 0)
		smpp_center_answer(center, handle, SMPP_OK);
	else
		end_waiting(center, id->of, receipt, handle);
	return true;
}

static void hold(struct smpp_center *center, const struct smpp_receipt *receipt,
		 const struct smpp_endpoint *from, const struct smpp_handle *handle, int64_t now_ms)
{
	struct held_receipt *held = &center->held[center->n_held++];

	held->receipt = *receipt;
	held->handle = *handle;
	held->until_ms = now_ms + SMPP_HELD_MS;
	if (smpp_address_to_text(from, held->from, sizeof(held->from)))
		held->from[0] = '\0';
}

/* Answered well all the same: the center would repeat it for ever. */
static void leave_unknown(struct smpp_center *center, const struct smpp_receipt *receipt,
			  const struct smpp_handle *handle)
{
	center->figures.unknown_receipts++;
	log_info(MODULE, "center=%s: a receipt for id=%s (%s), which nobody awaits",
		 center->options.name, receipt->id, smpp_message_state_name(receipt->state));
	smpp_center_answer(center, handle, SMPP_OK);
}

static void receipt_came(struct smpp_center *center, const struct smpp_pdu *pdu,
			 const struct smpp_handle *handle, int64_t now_ms)
{
	struct smpp_receipt receipt;
	struct slice from = pdu->source.addr;

	center->figures.receipts++;
	if (smpp_receipt_read(pdu, &receipt)) {
		log_warn(MODULE, "center=%s: a receipt that names no message",
			 center->options.name);
		smpp_center_answer(center, handle, SMPP_OK);
		return;
	}
	if (take_receipt(center, &receipt, from, handle))
		return;
	/* On the way it may have overtaken the response that tells the id. */
	if (center->n_jobs && center->n_held < SMPP_HELD_RECEIPTS)
		hold(center, &receipt, &pdu->source, handle, now_ms);
	else
		leave_unknown(center, &receipt, handle);
}

void center_try_held(struct smpp_center *center, int64_t now_ms)
{
	size_t kept = 0;

	for (size_t i = 0; i < center->n_held; i++) {
		struct held_receipt held = center->held[i];

		if (take_receipt(center, &held.receipt, slice_str(held.from), &held.handle))
			continue;
		if (center->n_jobs && now_ms < held.until_ms)
			center->held[kept++] = held;
		else
			leave_unknown(center, &held.receipt, &held.handle);
	}
	center->n_held = kept;
}

int64_t center_held_due(const struct smpp_center *center)
{
	/* They are in the order in which they came, and wait equally long. */
	return center->n_held ? center->held[0].until_ms : -1;
}

/* ---- repeats --------------------------------------------------------------------- */

static void remember(struct digest_ring *ring, const uint8_t digest[SMPP_KEY_SIZE], int64_t ms)
{
	struct digest_at *at = &ring->list[ring->next];

	memcpy(at->digest, digest, sizeof(at->digest));
	at->ms = ms;
	ring->next = (ring->next + 1) % RECENT;
	if (ring->n < RECENT)
		ring->n++;
}

void smpp_center_suspect(struct smpp_center *center, const uint8_t digest[SMPP_KEY_SIZE])
{
	remember(&center->suspects, digest, clock_mono_ms() + SUSPECT_MS);
}

/* What the center sent shortly before a connection was lost it may not have seen answered,
 * and sends again.  In a living connection it does not, so two texts with the same words
 * are two texts. */
void center_lost(struct smpp_center *center, int64_t now_ms)
{
	for (size_t i = 0; i < center->recent.n; i++)
		if (now_ms - center->recent.list[i].ms < RECENT_MS)
			remember(&center->suspects, center->recent.list[i].digest,
				 now_ms + SUSPECT_MS);
	/* From here on another connection's. */
	center->recent.n = center->recent.next = 0;
}

/* Each suspicion counts once. */
static bool is_suspect(struct smpp_center *center, const uint8_t digest[SMPP_KEY_SIZE],
		       int64_t now_ms)
{
	for (size_t i = 0; i < center->suspects.n; i++) {
		struct digest_at *at = &center->suspects.list[i];

		if (at->ms > now_ms && memcmp(at->digest, digest, sizeof(at->digest)) == 0) {
			at->ms = 0;
			return true;
		}
	}
	return false;
}

/* ---- a text ---------------------------------------------------------------------- */

static void add_endpoint(EVP_MD_CTX *hash, const struct smpp_endpoint *endpoint)
{
	const uint8_t head[3] = { endpoint->ton, endpoint->npi, (uint8_t)endpoint->addr.n };

	EVP_DigestUpdate(hash, head, sizeof(head));
	EVP_DigestUpdate(hash, endpoint->addr.p, endpoint->addr.n);
}

static int digest_of(const struct smpp_pdu *pdu, uint8_t out[SMPP_KEY_SIZE])
{
	const uint8_t head[2] = { pdu->esm_class, pdu->coding };
	struct slice message = smpp_pdu_message(pdu);
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	uint8_t sum[EVP_MAX_MD_SIZE];
	int err = -ENOMEM;

	if (hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1) {
		add_endpoint(hash, &pdu->source);
		add_endpoint(hash, &pdu->dest);
		EVP_DigestUpdate(hash, head, sizeof(head));
		EVP_DigestUpdate(hash, message.p, message.n);
		EVP_DigestUpdate(hash, pdu->tlvs.p, pdu->tlvs.n); /* SAR, the sender's number */
		if (EVP_DigestFinal_ex(hash, sum, NULL) == 1) {
			memcpy(out, sum, SMPP_KEY_SIZE);
			err = 0;
		}
	}
	EVP_MD_CTX_free(hash);
	return err;
}

/* Some senders write the GSM alphabet and call it 1, which is ASCII (5.2.19).  A text that
 * has what no ASCII text has, a control or an escape, is one of theirs. */
static bool is_gsm_after_all(struct slice content)
{
	for (size_t i = 0; i < content.n; i++)
		if (content.p[i] < ' ' && !strchr("\t\n\r", content.p[i] ? content.p[i] : ' '))
			return true;
	return false;
}

/* Returns SMPP_OK, or the status that fits. */
static uint32_t read_incoming(const struct smpp_center *center, const struct smpp_pdu *pdu,
			      struct smpp_incoming *in)
{
	if (pdu->esm_class & SMPP_ESM_TYPE)
		return SMPP_OK; /* an acknowledgement of the other mobile: no text */
	if (smpp_address_to_text(&pdu->source, in->from, sizeof(in->from)) || !in->from[0])
		return SMPP_RINVSRCADR;
	if (smpp_address_to_text(&pdu->dest, in->to, sizeof(in->to)) || !in->to[0])
		return SMPP_RINVDSTADR;
	if (smpp_part_read(pdu, &in->part))
		return SMPP_RINVESMCLASS;
	if (smpp_alphabet_of_coding(pdu->coding, center->options.standard, &in->alphabet))
		return SMPP_RX_P_APPN; /* SMPP 3.4 has no status for an unknown data_coding */
	if (in->alphabet == SMPP_ASCII && is_gsm_after_all(in->part.content))
		in->alphabet = SMPP_GSM;
	return digest_of(pdu, in->digest) ? SMPP_RX_T_APPN : SMPP_OK;
}

static void text_came(struct smpp_center *center, const struct smpp_pdu *pdu,
		      const struct smpp_handle *handle, int64_t now_ms)
{
	struct smpp_incoming in = { .handle = *handle };
	char number[SMPP_STATUS_TEXT];
	uint32_t status = read_incoming(center, pdu, &in);

	if (status != SMPP_OK || pdu->esm_class & SMPP_ESM_TYPE) {
		log_warn(MODULE,
			 "center=%s: a message with esm_class 0x%02X, data_coding 0x%02X "
			 "is %s",
			 center->options.name, pdu->esm_class, pdu->coding,
			 status ? smpp_status_name(status, number) : "no text, and passed over");
		smpp_center_answer(center, handle, status);
		return;
	}
	center->figures.incoming++;
	in.maybe_repeated = is_suspect(center, in.digest, now_ms);
	remember(&center->recent, in.digest, now_ms);
	center_tell(center, &(struct smpp_center_event){
				    .kind = SMPP_INCOMING, .handle = *handle, .incoming = &in });
}

void center_delivered(struct center_link *link, const struct smpp_pdu *pdu, int64_t now_ms)
{
	const struct smpp_handle handle = { .connection = link->connection,
					    .command = pdu->command,
					    .sequence = pdu->sequence };

	if (smpp_receipt_is(pdu))
		receipt_came(link->center, pdu, &handle, now_ms);
	else
		text_came(link->center, pdu, &handle, now_ms);
}
