/* texts_submit.c - a text from outside is sealed and journaled, and what becomes of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/pack.h"
#include "gateway/peer_domain.h"
#include "gateway/texts_priv.h"

#define MODULE "texts"

/* ---- sealing ---- */

/* "tel:+8888;101" to its bare URI and extension. */
static void split(const char *uri, char bare[UMSG_URI_SIZE], char extension[UMSG_EXTENSION_SIZE])
{
	/* The first semicolon: a tel URI of ours has an extension and nothing else. */
	const char *mark = strchr(uri, ';');

	snprintf(bare, UMSG_URI_SIZE, "%.*s", (int)(mark ? (size_t)(mark - uri) : strlen(uri)),
		 uri);
	snprintf(extension, UMSG_EXTENSION_SIZE, "%s", mark ? mark + 1 : "");
}

/* Whose Receipt for this id will count. */
static int journal_sent(struct texts *texts, const uint8_t id[UMSG_ID_SIZE], int64_t end_s,
			const Texts__Sent *sent)
{
	struct journal_key key = { .kind = TEXTS_SENT };
	uint8_t *packed;
	size_t n;
	int err = pack_write(&sent->base, JOURNAL_MAX_PAYLOAD_BYTES, &packed, &n);

	if (err)
		return err;
	memcpy(key.id, id, sizeof(key.id));
	/* Without an end of its own the Receipt is awaited as long as the rendezvous keeps a
	 * message. */
	err = journal_put(texts->journal, &key, end_s ? end_s : clock_wall_s() + TEXTS_LIFETIME_S,
			  0, slice_of(packed, n));
	free(packed);
	return err;
}

/* refused: "", or why nothing is sealed. */
static int queue_sealed(struct texts *texts, const struct journal_key *key, const Texts__Sent *sent,
			const struct umsg_sealed *sealed, const char *refused, int64_t end_s,
			const struct texts_origin *origin, struct outward **outward_out)
{
	Texts__Outward outward = TEXTS__OUTWARD__INIT;
	/* The awaited Receipt first: a post that is journaled alone would have nobody to hear its
	 * outcome. */
	int err = journal_sent(texts, sealed->id, end_s, sent);

	if (err)
		return err;
	outward.to = sent->to;
	outward.what = (char *)origin->what;
	outward.end = end_s;
	outward.refused = (char *)refused;
	if (origin->port) {
		outward.port = origin->port->name;
		outward.port_key =
			(ProtobufCBinaryData){ TEXT_KEY_SIZE, (uint8_t *)origin->port_key };
	}
	err = texts_queue_post(texts, key, sealed, &outward, outward_out);
	if (err)
		texts_drop_sent(texts, sealed->id, NULL);
	return err;
}

/* Who hears of a failure, and by which way. */
static void fill_sent(Texts__Sent *sent, char *bare, const char *from, const char *to,
		      const Umsg__TextBody *body, const struct texts_origin *origin)
{
	sent->to = bare;
	sent->from = (char *)from;
	sent->receiver = (char *)to;
	sent->kind = (char *)origin->kind;
	sent->port = origin->port ? origin->port->name : (char *)"";
	sent->by_hand = body->auto_submitted == UMSG__AUTO_SUBMITTED__BY_HAND;
}

int texts_send(struct texts *texts, const struct journal_key *key, const char *from, const char *to,
	       const Umsg__TextBody *body, int64_t end_s, const struct texts_origin *origin,
	       struct outward **outward_out)
{
	char own[UMSG_URI_SIZE], bare[UMSG_URI_SIZE];
	char called[UMSG_EXTENSION_SIZE], calling[UMSG_EXTENSION_SIZE];
	struct umsg_sealed sealed = { .n = 0 };
	Umsg__TextBody whole = *body;
	Texts__Sent sent = TEXTS__SENT__INIT;
	int err;

	split(from, own, calling);
	split(to, bare, called);
	/* The caller's body is not changed: its strings are borrowed. */
	whole.version = 1;
	whole.called_extension = called;
	whole.calling_extension = calling;
	whole.responder = UMSG__RESPONDER_TYPE__RESPONDER_TEL_URI;
	if (!whole.sent)
		whole.sent = (uint64_t)clock_wall_s();
	err = umsg_client_seal(texts->client, bare, &whole, end_s, &sealed);
	if (err)
		return err;
	fill_sent(&sent, bare, from, to, body, origin);
	err = queue_sealed(texts, key, &sent, &sealed, "", end_s, origin, outward_out);
	umsg_sealed_clear(&sealed);
	return err;
}

const char *texts_final_reason(const struct texts *texts, int err)
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

/* ---- a port submits ---- */

/* Ports choose keys of their own: the journal's is made of both. */
static int submitted_key(const struct text_port *port, const uint8_t port_key[TEXT_KEY_SIZE],
			 struct journal_key *key_out)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
		  EVP_DigestUpdate(ctx, port->name, strlen(port->name) + 1) == 1 &&
		  EVP_DigestUpdate(ctx, port_key, TEXT_KEY_SIZE) == 1 &&
		  EVP_DigestFinal_ex(ctx, digest, NULL) == 1;

	EVP_MD_CTX_free(ctx);
	*key_out = (struct journal_key){ .kind = TEXTS_SUBMITTED };
	if (ok)
		memcpy(key_out->id, digest, sizeof(key_out->id));
	return ok ? 0 : -ENOMEM;
}

/* What a repeat of a known text gets: one that is held is not even journaled. */
static int answer_repeat(const struct texts *texts, const struct journal_key *key,
			 char why[TEXT_WHY_SIZE])
{
	const struct outward *out = texts_find_outward(texts, key);

	if (journal_find(texts->journal, key, NULL) && (!out || !out->fresh))
		return -EALREADY;
	snprintf(why, TEXT_WHY_SIZE, "it is being stored");
	return -EAGAIN;
}

static int explain(const struct texts *texts, int err, char why[TEXT_WHY_SIZE])
{
	const char *final = texts_final_reason(texts, err);

	snprintf(why, TEXT_WHY_SIZE, "%s", final ? final : strerror(-err));
	if (final)
		return err == -EMSGSIZE ? err : -EINVAL;
	return err == -ENOMEM ? err : -EAGAIN;
}

static void log_queued(const struct text_port *port, const struct text_in *in,
		       const struct outward *out)
{
	char id[TEXTS_ID_TEXT];

	log_info(MODULE, "message=%s port=%s outer-from=%s outer-to=%s from=%s to=%s state=queued",
		 texts_id_text(out->message_id, id), port->name, in->outer_from, in->outer_to,
		 in->from, in->to);
}

static void describe(const struct text_port *port, const struct text_in *in,
		     char what[TEXT_WHY_SIZE], struct texts_origin *origin_out)
{
	snprintf(what, TEXT_WHY_SIZE, "text of %.60s by %.60s", in->outer_from, port->name);
	*origin_out = (struct texts_origin){ .kind = port->kind,
					     .port = (struct text_port *)port,
					     .port_key = in->key,
					     .what = what };
}

int texts_seal_in(struct text_port *port, const struct text_in *in, char why[TEXT_WHY_SIZE])
{
	struct texts *texts = port->texts;
	struct texts_origin origin;
	char what[TEXT_WHY_SIZE];
	struct journal_key key;
	struct outward *out;
	int err = submitted_key(port, in->key, &key);

	describe(port, in, what, &origin);
	if (!err)
		err = texts_send(texts, &key, in->from, in->to, in->body, in->end_s, &origin, &out);
	if (err)
		return explain(texts, err, why);
	port->counters.submitted++;
	log_queued(port, in, out);
	return 0;
}

/* What is queued holds nothing but the reason, which the port hears as it hears those of the
 * rendezvous: after it heard that the text is stored. */
int texts_refuse_in(struct text_port *port, const struct text_in *in, const char *refusal)
{
	struct umsg_sealed nothing = { .n = 0 };
	Texts__Sent sent = TEXTS__SENT__INIT;
	char bare[UMSG_URI_SIZE], called[UMSG_EXTENSION_SIZE], what[TEXT_WHY_SIZE];
	struct texts_origin origin;
	struct journal_key key;
	struct outward *out;
	int err = submitted_key(port, in->key, &key);

	/* An id as a sealed message has one: the post is found by it. */
	if (!err && RAND_bytes(nothing.id, sizeof(nothing.id)) != 1)
		err = -EIO;
	if (err)
		return err;
	describe(port, in, what, &origin);
	split(in->to, bare, called);
	fill_sent(&sent, bare, in->from, in->to, in->body, &origin);
	err = queue_sealed(port->texts, &key, &sent, &nothing, refusal, in->end_s, &origin, &out);
	if (!err)
		log_queued(port, in, out);
	return err;
}

/* The receiver's domain has to be known before anything can be sealed to it. */
static int submit(struct text_port *port, const struct text_in *in, char why[TEXT_WHY_SIZE])
{
	int err = texts_ask_domain(port->texts, in->to);
	const char *refusal = peer_domain_refusal(err);

	if (!err)
		return texts_seal_in(port, in, why);
	if (err == -EINPROGRESS)
		err = texts_hold(port, in);
	if (!err)
		return 0;
	snprintf(why, TEXT_WHY_SIZE, "%s",
		 refusal ? refusal : "the rendezvous cannot be asked for the receiver's domain");
	return refusal ? -EINVAL : err == -ENOMEM ? err : -EAGAIN;
}

int texts_submit(struct text_port *port, const struct text_in *in, char why[TEXT_WHY_SIZE])
{
	const struct texts *texts = port->texts;
	struct journal_key key;
	int err = submitted_key(port, in->key, &key);

	why[0] = '\0';
	if (err)
		return explain(texts, err, why);
	if (journal_find(texts->journal, &key, NULL) || texts_holds(port, in->key))
		return answer_repeat(texts, &key, why);
	if (!texts->client || texts->n_submitted >= TEXTS_MAX_SUBMITTED) {
		snprintf(why, TEXT_WHY_SIZE, "%s",
			 texts->client ? "too many texts wait for the rendezvous"
				       : "the gateway has no keys");
		return -EAGAIN;
	}
	return submit(port, in, why);
}

/* ---- what became of it ---- */

static const char *const state_words[] = {
	[UMSG__RECEIPT_STATE__RECEIPT_NONE] = "none",
	[UMSG__RECEIPT_STATE__RECEIPT_DELIVERED] = "delivered",
	[UMSG__RECEIPT_STATE__RECEIPT_FAILED] = "failed",
	[UMSG__RECEIPT_STATE__RECEIPT_EXPIRED] = "expired",
	[UMSG__RECEIPT_STATE__RECEIPT_UNDECRYPTABLE] = "undecryptable",
};

/* The awaited one's journal entry, unpacked.  Returns 0, -ENOENT, -EBADMSG (damaged, and so it
 * stays), or another -errno, which may pass. */
static int load_sent(const struct texts *texts, const struct journal_key *key,
		     Texts__Sent **sent_out)
{
	uint8_t *packed;
	size_t n;
	int err = journal_payload(texts->journal, key, &packed, &n);

	if (err)
		return err;
	*sent_out = texts__sent__unpack(NULL, n, packed);
	free(packed);
	/* Its checksum was good: memory is what it lacked. */
	return *sent_out ? 0 : -ENOMEM;
}

static struct journal_key sent_key(const uint8_t id[UMSG_ID_SIZE])
{
	struct journal_key key = { .kind = TEXTS_SENT };

	memcpy(key.id, id, sizeof(key.id));
	return key;
}

/* Ends the wait for a Receipt; why is NULL where nobody need hear of it.  The notice comes first:
 * on a full disk both are tried again, and the message has one notice all the same. */
static int end_sent(struct texts *texts, const uint8_t id[UMSG_ID_SIZE], const Texts__Sent *sent,
		    const char *why)
{
	struct journal_key key = sent_key(id);
	char text[TEXTS_ID_TEXT];
	int err = why && sent->by_hand ? texts_notice(texts, id, sent, why) : 0;

	if (!err)
		err = journal_finish(texts->journal, &key);
	if (!err && why && !sent->by_hand)
		log_info(MODULE, "message=%s is lost (%s): it was not sent by hand, no notice",
			 texts_id_text(id, text), why);
	return err;
}

/* Once, however many have ended, and however often each is tried meanwhile. */
static int tell_end(struct texts *texts, const uint8_t id[UMSG_ID_SIZE], int err)
{
	char text[TEXTS_ID_TEXT];

	if (err && err != texts->end_trouble)
		log_warn(MODULE, "message=%s and others are lost, which cannot be kept now: %s",
			 texts_id_text(id, text), strerror(-err));
	else if (!err && texts->end_trouble)
		log_info(MODULE, "what becomes of texts is kept again");
	texts->end_trouble = err;
	return err;
}

int texts_drop_sent(struct texts *texts, const uint8_t id[UMSG_ID_SIZE], const char *why)
{
	struct journal_key key = sent_key(id);
	char text[TEXTS_ID_TEXT];
	Texts__Sent *sent = NULL;
	int err = load_sent(texts, &key, &sent);

	if (err == -ENOENT)
		return err;
	if (!err)
		err = end_sent(texts, id, sent, why);
	else if (err == -EBADMSG)
		err = journal_finish(texts->journal, &key);
	if (!sent && !err)
		/* Else it would be told of with each round through the journal, for ever. */
		log_warn(MODULE, "message=%s is damaged in the journal: whom to tell is not known",
			 texts_id_text(id, text));
	if (sent)
		texts__sent__free_unpacked(sent, NULL);
	texts_touch(texts);
	/* On a full disk it stays awaited: its end is told (texts_no_receipt()), and tried again.
	 */
	return tell_end(texts, id, err);
}

/* The Receipt is taken when the caller returns: the notice that it caused must be durable by then,
 * and with it that none is to follow at the message's end.  That costs a flush for each text that
 * failed, and no other. */
static int keep_now(struct texts *texts)
{
	int err = journal_sync(texts->journal);

	if (err)
		texts->ops->broken(texts->arg);
	return err;
}

/* What it says is journaled, or the Receipt stays at the rendezvous: taken and forgotten, it would
 * be missed at the message's end, and its sender told that none came. */
static int keep_receipt(struct texts *texts, const uint8_t id[UMSG_ID_SIZE],
			const Texts__Sent *sent, Umsg__ReceiptState state, const char *word,
			const char *reason)
{
	bool delivered = state == UMSG__RECEIPT_STATE__RECEIPT_DELIVERED;
	char why[TEXT_WHY_SIZE];
	int err;

	snprintf(why, sizeof(why), "%s%s%.120s", word, *reason ? ": " : "", reason);
	err = end_sent(texts, id, sent, delivered ? NULL : why);
	if (!err && !delivered)
		err = keep_now(texts);
	texts_touch(texts);
	return err;
}

/* A Receipt counts only from the identity to which the message went. */
bool texts_receipt(struct texts *texts, const char *from, const uint8_t id[UMSG_ID_SIZE],
		   Umsg__ReceiptState state, const char *reason)
{
	size_t number = (size_t)state < sizeof(state_words) / sizeof(state_words[0]) ? state : 0;
	struct journal_key key = sent_key(id);
	Texts__Sent *sent = NULL;
	char text[TEXTS_ID_TEXT];
	int err = load_sent(texts, &key, &sent);

	if (err == -ENOENT || err == -EBADMSG)
		return true; /* of an unknown message, a second one, or of nobody knows whose */
	texts_id_text(id, text);
	if (err) {
		texts_leave(texts, text, from, err);
		return false;
	}
	if (strcmp(sent->to, from) != 0) {
		log_warn(MODULE, "message=%s: a receipt of %s, to whom it did not go", text, from);
		texts__sent__free_unpacked(sent, NULL);
		return true;
	}
	err = keep_receipt(texts, id, sent, state, state_words[number], reason);
	texts__sent__free_unpacked(sent, NULL);
	if (err) {
		texts_leave(texts, text, from, err);
		return false;
	}
	texts_kept_one(texts);
	texts->counters.receipts[number]++;
	log_info(MODULE, "message=%s by=%s state=%s %s", text, from, state_words[number], reason);
	return true;
}

void texts_no_receipt(void *arg, const struct journal_entry *entry)
{
	struct texts *texts = arg;
	struct journal_key key = entry->key;
	char id[TEXTS_ID_TEXT];

	if (key.kind == TEXTS_REFUSED) { /* a crash came before its finish, or a full disk */
		journal_finish(texts->journal, &key);
		texts_touch(texts);
	}
	if (key.kind != TEXTS_SENT)
		return; /* messages and posts have an end of their own */
	/* Comes again with each round through the journal, until it is done: told then. */
	if (texts_drop_sent(texts, key.id, "no receipt came before its end") == 0)
		log_info(MODULE, "message=%s state=unknown no receipt came",
			 texts_id_text(key.id, id));
}
