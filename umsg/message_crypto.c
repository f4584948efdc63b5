/* message_crypto.c - messages sealed in records, as one I_MESSAGE signs for them.
 * The last record is marked in its nonce, so that a body cannot be cut short at a
 * record. */
#include "umsg/message_crypto.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "keys/box.h"
#include "keys/kdf.h"
#include "keys/keyset.h"
#include "keys/secret.h"

enum {
	SEALED_RECORD = FRAME_RECORD + FRAME_RECORD_TAG,
	WINDOW_PAST_S = 400 * 86400, /* the lifetime decides, and is shorter */
};

void message_sealed_done(struct message_sealed *sealed)
{
	free(sealed->records);
	sealed->records = NULL;
	sealed->records_n = 0;
}

size_t message_records_size(size_t body_n)
{
	size_t count = (body_n + FRAME_RECORD - 1) / FRAME_RECORD;

	return body_n + count * FRAME_RECORD_TAG;
}

size_t message_records_count(size_t sealed_n)
{
	return (sealed_n + SEALED_RECORD - 1) / SEALED_RECORD;
}

int64_t message_end(int64_t a, int64_t b)
{
	if (a == 0 || b == 0)
		return a ? a : b;
	return a < b ? a : b;
}

/* The id in the derivation keeps two messages under one I_MESSAGE from sharing a key, and so a
 * nonce. */
static int body_key(const struct mikey_keys *keys, const uint8_t id[FRAME_ID],
		    uint8_t key_out[GCM128_KEY])
{
	const struct kdf_part part = kdf_octets(slice_of(id, FRAME_ID));
	uint8_t prk[KDF_HASH];
	int err = mikey_prk(keys, prk);

	if (!err)
		err = kdf_expand(prk, "umsg message", &part, 1, key_out, GCM128_KEY);
	wipe(prk, sizeof(prk));
	return err ? -ENOMEM : 0;
}

/* 7 zero octets, index (4), last (1). */
static void make_nonce(size_t index, bool last, uint8_t nonce[BOX_NONCE])
{
	struct buf b = buf_over(nonce, BOX_NONCE);

	memset(nonce, 0, BOX_NONCE);
	b.len = 7;
	buf_put_u32(&b, (uint32_t)index);
	nonce[BOX_NONCE - 1] = last;
}

/* Seals or opens all records of a body, one behind the other. */
static int each_record(bool seal, const uint8_t key[GCM128_KEY], const uint8_t id[FRAME_ID],
		       struct slice in, uint8_t *out)
{
	size_t piece = seal ? FRAME_RECORD : SEALED_RECORD;

	for (size_t i = 0; in.n; i++) {
		struct slice record = slice_of(in.p, in.n < piece ? in.n : piece);
		uint8_t nonce[BOX_NONCE];
		int err;

		in = slice_from(in, record.n);
		make_nonce(i, in.n == 0, nonce);
		err = seal ? gcm128_seal(key, nonce, slice_of(id, FRAME_ID), record, out)
			   : gcm128_open(key, nonce, slice_of(id, FRAME_ID), record, out);
		if (err)
			return err;
		out += seal ? record.n + FRAME_RECORD_TAG : record.n - FRAME_RECORD_TAG;
	}
	return 0;
}

static int seal_body(const struct mikey_keys *keys, struct slice to, struct slice body,
		     struct message_sealed *sealed, uint8_t hash[SIGNED_HASH])
{
	uint8_t key[GCM128_KEY];
	int err = body_key(keys, sealed->id, key);

	if (!err)
		err = each_record(true, key, sealed->id, body, sealed->records);
	wipe(key, sizeof(key));
	if (err)
		return err;
	return signed_hash((uint8_t)sealed->kind, sealed->id, to, sealed->store_until,
			   slice_of(sealed->records, sealed->records_n), hash);
}

int message_seal(struct period_keys *from, const struct domain *to_domain, struct slice to,
		 struct slice body, int64_t now_ms, bool to_self, struct message_sealed *sealed)
{
	const struct mikey_options options = { .to_self = to_self };
	uint8_t hash[SIGNED_HASH];
	struct mikey_draft *draft = NULL;
	struct mikey_keys keys;
	int err;

	sealed->records = NULL;
	/* No record would be sealed, so nothing would stand for the body. */
	if (body.n == 0)
		return -EINVAL;
	if (body.n > MESSAGE_BODY_MAX)
		return -EMSGSIZE;
	sealed->records_n = message_records_size(body.n);
	sealed->records = malloc(sealed->records_n);
	if (!sealed->records)
		return -ENOMEM;
	/* Secret first, then the body under it, then the signature over both: the draft waits
	 * for the hash. */
	err = mikey_begin(from, to_domain, to, now_ms, &options, &keys, &draft);
	if (!err) {
		err = seal_body(&keys, to, body, sealed, hash);
		mikey_keys_wipe(&keys);
	}
	if (!err)
		err = mikey_finish(&draft, hash, sealed->i_message, &sealed->i_message_n);
	mikey_draft_free(&draft);
	if (err)
		message_sealed_done(sealed);
	return err;
}

/* ---- receiving ---- */

int64_t message_time_s(struct slice i_message)
{
	struct mikey_message message;

	return mikey_parse(i_message, &message) < 0 ? -1 : mikey_time_s(&message);
}

/* Are the records such as message_seal() makes? */
static bool well_cut(struct slice records)
{
	size_t last = records.n % SEALED_RECORD;

	return records.n > 0 && (last == 0 || last > FRAME_RECORD_TAG) &&
	       records.n <= message_records_size(MESSAGE_BODY_MAX);
}

static enum message_verdict bad(struct message_facts *facts, enum mikey_verdict why)
{
	facts->mikey = why;
	return why == MIKEY_NO_MEMORY ? MESSAGE_TRY_AGAIN : MESSAGE_BAD;
}

static enum message_verdict check_signature(const struct message_envelope *envelope,
					    const struct domain *from_domain,
					    const struct period_keys *own, int64_t now_s,
					    struct message_facts *facts)
{
	const struct mikey_expect expect = {
		.from = envelope->from,
		.from_domain = from_domain,
		.now_s = now_s,
		.past_s = WINDOW_PAST_S,
		.future_s = MESSAGE_AHEAD_S,
	};
	enum mikey_verdict verdict = mikey_verify(&facts->parsed, &expect, own);

	if (verdict != MIKEY_OK)
		return bad(facts, verdict);
	if (signed_hash((uint8_t)envelope->kind, envelope->id, envelope->to, envelope->store_until,
			envelope->records, facts->hash) < 0)
		return bad(facts, MIKEY_NO_MEMORY);
	/* The signature covers the extension, and this ties it to the envelope and every
	 * record. */
	if (!slice_eq(facts->parsed.extension, slice_of(facts->hash, SIGNED_HASH)))
		return bad(facts, MIKEY_BAD_SIGNATURE);
	return MESSAGE_GOOD;
}

enum message_verdict message_verify(const struct message_envelope *envelope,
				    const struct domain *from_domain, const struct period_keys *own,
				    bool to_come, uint32_t max_lifetime_s, int64_t now_s,
				    struct message_facts *facts_out)
{
	enum message_verdict verdict;

	memset(facts_out, 0, sizeof(*facts_out));
	if (!well_cut(envelope->records) ||
	    mikey_parse(envelope->i_message, &facts_out->parsed) < 0)
		return bad(facts_out, MIKEY_MALFORMED);
	facts_out->sent_s = mikey_time_s(&facts_out->parsed);
	if (facts_out->sent_s > now_s + MESSAGE_KEEP_AHEAD_S)
		return bad(facts_out, MIKEY_TOO_NEW);
	/* Its sender's clock is ahead, or ours behind: it is looked at again later, for a
	 * while. */
	if (facts_out->sent_s > now_s + MESSAGE_AHEAD_S)
		return MESSAGE_EARLY;
	if (!own)
		return to_come ? MESSAGE_KEYLESS : bad(facts_out, MIKEY_WRONG_PERIOD);
	verdict = check_signature(envelope, from_domain, own, now_s, facts_out);
	if (verdict != MESSAGE_GOOD)
		return verdict;
	facts_out->end_s =
		facts_out->sent_s + (max_lifetime_s ? (int64_t)max_lifetime_s : MESSAGE_LIFETIME_S);
	if (envelope->store_until && envelope->store_until < (uint64_t)facts_out->end_s)
		facts_out->end_s = (int64_t)envelope->store_until;
	return now_s >= facts_out->end_s ? MESSAGE_EXPIRED : MESSAGE_GOOD;
}

static int open_body(const struct message_envelope *envelope, const struct mikey_keys *keys,
		     uint8_t *body)
{
	uint8_t key[GCM128_KEY];
	int err = body_key(keys, envelope->id, key);

	if (!err)
		err = each_record(false, key, envelope->id, envelope->records, body);
	wipe(key, sizeof(key));
	return err;
}

enum message_verdict message_open(const struct message_envelope *envelope,
				  const struct message_facts *facts, const struct period_keys *own,
				  uint8_t **body_out, size_t *body_n_out)
{
	struct slice records = envelope->records;
	struct mikey_keys keys;
	enum mikey_verdict verdict = mikey_decapsulate(&facts->parsed, own, &keys);
	uint8_t *body;
	int err;

	if (verdict != MIKEY_OK)
		return verdict == MIKEY_NO_MEMORY ? MESSAGE_TRY_AGAIN : MESSAGE_BAD;
	/* Longer than the body by its tags. */
	body = malloc(records.n);
	err = body ? open_body(envelope, &keys, body) : -ENOMEM;
	mikey_keys_wipe(&keys);
	if (err) {
		free(body);
		return err == -EBADMSG ? MESSAGE_BAD : MESSAGE_TRY_AGAIN;
	}
	*body_out = body;
	*body_n_out = records.n - message_records_count(records.n) * FRAME_RECORD_TAG;
	return MESSAGE_GOOD;
}
