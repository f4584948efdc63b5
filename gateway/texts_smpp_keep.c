/* texts_smpp_keep.c - USERDATA/centers.journal: parts of long texts, and what was seen.
 *
 * A center that did not see our answer before the connection broke sends again.  SMPP has no
 * id for a text on its way to us, so a hash of all it says is kept for ten minutes, with
 * the key under which the text went to the texts: a repeat gets the same key, and is known.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/log.h"
#include "gateway/texts_smpp_priv.h"

#define MODULE "smpp"

/* Kinds of entries. */
enum { SEEN = 1, PART = 2 };

enum {
	PAYLOAD_MAX = SMPP_MAX_PAYLOAD + 1024,
	PART_LIFE_S = 70 * 86400, /* of one whose center is not configured any more: more than a
				   * join_timeout_s may be */
};

int keep_open(struct texts_smpp *smpp, struct diag *diag)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/centers.journal", smpp->config->userdata);
	return journal_open(path, clock_wall_s(), &smpp->journal, diag);
}

int keep_sync(struct texts_smpp *smpp)
{
	return journal_sync(smpp->journal);
}

/* Centers may send the same: each has names of its own. */
static struct journal_key key_of(const struct port_center *pc, uint8_t kind,
				 const uint8_t digest[SMPP_KEY_SIZE])
{
	struct journal_key key = { .kind = kind };
	uint8_t octets[CENTER_NAME + SMPP_KEY_SIZE], sum[EVP_MAX_MD_SIZE];
	/* n is bounded by CENTER_NAME, as name_center() wrote it. */
	size_t n = strlen(pc->name);

	memcpy(octets, digest, SMPP_KEY_SIZE);
	memcpy(octets + SMPP_KEY_SIZE, pc->name, n);
	if (EVP_Digest(octets, SMPP_KEY_SIZE + n, sum, NULL, EVP_sha256(), NULL) == 1)
		memcpy(key.id, sum, sizeof(key.id));
	return key;
}

/* ---- seen ------------------------------------------------------------------------ */

int keep_seen(struct port_center *pc, const uint8_t digest[SMPP_KEY_SIZE], bool repeated,
	      uint8_t key_out[TEXT_KEY_SIZE])
{
	struct journal_key key = key_of(pc, SEEN, digest);
	struct journal *journal = pc->all->journal;
	uint8_t octets[CENTER_NAME + 64], *before;
	struct buf b = BUF_OF(octets);
	size_t n;
	int err;

	/* SMPP has no id: only where the connection broke in between is the same text taken for a
	 * repeat. */
	if (repeated && journal_payload(journal, &key, &before, &n) == 0) {
		bool whole = n >= TEXT_KEY_SIZE;

		if (whole)
			memcpy(key_out, before, TEXT_KEY_SIZE);
		free(before);
		if (whole)
			return 0;
	}
	if (RAND_bytes(key_out, TEXT_KEY_SIZE) != 1)
		return -EIO;
	buf_put(&b, key_out, TEXT_KEY_SIZE);
	buf_put(&b, digest, SMPP_KEY_SIZE);
	buf_put_str(&b, pc->name);
	err = journal_put(journal, &key, clock_wall_s() + CENTER_SEEN_S, 0, buf_slice(&b));
	if (err == -EEXIST) /* the same words once more: the newest one may be repeated */
		err = journal_set_payload(journal, &key, buf_slice(&b));
	return err;
}

/* ---- parts ----------------------------------------------------------------------- */

enum keep_found keep_find_part(const struct port_center *pc, const struct smpp_incoming *in,
			       uint8_t id_out[JOURNAL_ID_BYTES])
{
	struct journal_key key = key_of(pc, PART, in->digest);
	struct journal_entry entry;

	memcpy(id_out, key.id, JOURNAL_ID_BYTES);
	if (!journal_find(pc->all->journal, &key, &entry))
		return KEEP_NONE;
	return entry.finished ? KEEP_DONE : KEEP_OPEN;
}

int keep_part(struct port_center *pc, const struct smpp_incoming *in)
{
	struct journal_key key = key_of(pc, PART, in->digest);
	uint8_t *octets = malloc(PAYLOAD_MAX);
	struct buf b;
	int err;

	if (!octets)
		return -ENOMEM;
	b = buf_over(octets, PAYLOAD_MAX);
	buf_put_l16(&b, slice_str(pc->name));
	buf_put_l16(&b, slice_str(in->from));
	buf_put_l16(&b, slice_str(in->to));
	buf_put_u8(&b, in->part.wide);
	buf_put_u16(&b, in->part.reference);
	buf_put_u8(&b, in->part.total);
	buf_put_u8(&b, in->part.index);
	buf_put_u8(&b, (uint8_t)in->alphabet);
	buf_put_u64(&b, (uint64_t)clock_wall_ms());
	buf_put_l16(&b, in->part.content);
	/* Its end says for how long a repeat may come, and counts when it is done with: until then
	 * it stays, however long the others are on their way, or keys are missing. */
	err = buf_ok(&b) ? journal_put(pc->all->journal, &key, clock_wall_s() + CENTER_SEEN_S, 0,
				       buf_slice(&b))
			 : -E2BIG;
	free(octets);
	return err;
}

int64_t keep_part_end_s(const struct texts_smpp *smpp, const uint8_t id[JOURNAL_ID_BYTES])
{
	struct journal_key key = { .kind = PART };
	struct journal_entry entry;

	memcpy(key.id, id, JOURNAL_ID_BYTES);
	return journal_find(smpp->journal, &key, &entry) ? entry.end_s : 0;
}

/* Finished, they stay known until their ends: a late repeat does not begin a new text.  Together,
 * for those that a crash left over would be taken for a text that lacks the others. */
bool keep_parts_done(struct texts_smpp *smpp, const uint8_t (*parts)[JOURNAL_ID_BYTES], size_t n)
{
	return journal_finish_all(smpp->journal, PART, parts, n) == 0;
}

/* ---- what an earlier run has kept ------------------------------------------------ */

static bool take_text(struct cursor *c, char *out, size_t outsz)
{
	struct slice text = cursor_l16(c);

	return cursor_ok(c) &&
	       snprintf(out, outsz, "%.*s", (int)text.n, (const char *)text.p) < (int)outsz;
}

/* Time goes on where it was: the wait for the missing parts does not begin again. */
static void restore_part(struct port_center *pc, const struct journal_key *key, struct slice octets)
{
	struct cursor c = cursor_of(octets);
	char name[CENTER_NAME], from[80], to[80];
	struct smpp_part part = { .is_part = true };
	unsigned alphabet;
	int64_t wall_ms;

	if (!take_text(&c, name, sizeof(name)) || strcmp(name, pc->name) != 0 ||
	    !take_text(&c, from, sizeof(from)) || !take_text(&c, to, sizeof(to)))
		return;
	part.wide = cursor_u8(&c) != 0;
	part.reference = cursor_u16(&c);
	part.total = cursor_u8(&c);
	part.index = cursor_u8(&c);
	alphabet = cursor_u8(&c);
	wall_ms = (int64_t)cursor_u64(&c);
	part.content = cursor_l16(&c);
	/* The file is ours, and a disk may lie. */
	if (!cursor_at_end(&c) || alphabet >= SMPP_ALPHABETS || !part.index ||
	    part.index > part.total)
		return;
	smpp_reassembly_add(pc->joining, from, to, &part, (enum smpp_alphabet)alphabet, key->id,
			    clock_mono_ms() - (clock_wall_ms() - wall_ms));
}

static void restore_seen(struct port_center *pc, struct slice octets)
{
	struct slice rest = slice_from(octets, TEXT_KEY_SIZE + SMPP_KEY_SIZE);

	if (octets.n > TEXT_KEY_SIZE + SMPP_KEY_SIZE && slice_eq_str(rest, pc->name))
		smpp_center_suspect(pc->center, octets.p + TEXT_KEY_SIZE);
}

static bool restore_entry(void *arg, const struct journal_entry *entry)
{
	struct port_center *pc = arg;
	uint8_t *octets;
	size_t n;

	/* Of a part the center was told that it is here: it is, past its end, too. */
	if (entry->finished || (entry->key.kind != PART && entry->end_s <= clock_wall_s()) ||
	    journal_payload(pc->all->journal, &entry->key, &octets, &n))
		return true;
	if (entry->key.kind == PART)
		restore_part(pc, &entry->key, slice_of(octets, n));
	else
		restore_seen(pc, slice_of(octets, n));
	free(octets);
	return true;
}

void keep_restore(struct port_center *pc)
{
	journal_each(pc->all->journal, restore_entry, pc);
}

/* ---- the end --------------------------------------------------------------------- */

static void finish_ended(void *arg, const struct journal_entry *entry)
{
	struct texts_smpp *smpp = arg;

	/* A part is done with when its text is with the texts (center_stored()). */
	if (entry->key.kind == PART && entry->end_s + PART_LIFE_S > clock_wall_s())
		return;
	journal_finish(smpp->journal, &entry->key); /* on a full disk: later */
}

bool keep_tidy(struct texts_smpp *smpp)
{
	return journal_tidy(smpp->journal, clock_wall_s(), finish_ended, smpp) == 1;
}
