/* texts_post.c - sealed posts until the rendezvous has them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/log.h"
#include "gateway/texts_priv.h"

#define MODULE "texts"

static struct outward *append(struct texts *texts, const struct journal_key *key,
			      const uint8_t message_id[UMSG_ID_SIZE])
{
	struct outward *out = calloc(1, sizeof(*out));

	if (!out)
		return NULL;
	out->key = *key;
	memcpy(out->message_id, message_id, sizeof(out->message_id));
	*texts->outward_tail = out;
	texts->outward_tail = &out->next;
	texts->n_outward++;
	return out;
}

static int journal_outward(struct texts *texts, const struct journal_key *key,
			   const struct umsg_sealed *sealed, const char *to, const char *what)
{
	Texts__Outward outward = TEXTS__OUTWARD__INIT;
	uint8_t *packed;
	size_t n;
	int err;

	outward.message_id = (ProtobufCBinaryData){ UMSG_ID_SIZE, (uint8_t *)sealed->id };
	outward.sealed = (ProtobufCBinaryData){ sealed->n, sealed->octets };
	outward.to = (char *)to;
	outward.what = (char *)what;
	n = texts__outward__get_packed_size(&outward);
	packed = malloc(n);
	if (!packed)
		return -ENOMEM;
	texts__outward__pack(&outward, packed);
	err = journal_put(texts->journal, key, clock_wall_s() + TEXTS_LIFETIME_S, 0,
			  slice_of(packed, n));
	free(packed);
	texts->dirty |= !err;
	return err;
}

int texts_queue_post(struct texts *texts, const struct journal_key *key,
		     const struct umsg_sealed *sealed, const char *to, const char *what,
		     struct outward **outward_out)
{
	int err = journal_outward(texts, key, sealed, to, what);

	if (err)
		return err;
	*outward_out = append(texts, key, sealed->id);
	texts_schedule(texts);
	return *outward_out ? 0 : -ENOMEM; /* then the next start finds it in the journal */
}

static Texts__Outward *load(const struct texts *texts, const struct journal_key *key)
{
	Texts__Outward *outward;
	uint8_t *packed;
	size_t n;

	if (journal_payload(texts->journal, key, &packed, &n))
		return NULL;
	outward = texts__outward__unpack(NULL, n, packed);
	free(packed);
	if (outward && outward->message_id.len != UMSG_ID_SIZE) {
		texts__outward__free_unpacked(outward, NULL);
		return NULL;
	}
	return outward;
}

int texts_restore_outward(struct texts *texts, const struct journal_key *key)
{
	Texts__Outward *outward = load(texts, key);
	struct outward *out;

	if (!outward)
		return -EBADMSG;
	out = append(texts, key, outward->message_id.data);
	texts__outward__free_unpacked(outward, NULL);
	return out ? 0 : -ENOMEM;
}

struct outward *texts_find_outward(struct texts *texts, const struct journal_key *key)
{
	struct outward *out = texts->outward;

	while (out &&
	       (out->key.kind != key->kind || memcmp(out->key.id, key->id, sizeof(key->id)) != 0))
		out = out->next;
	return out;
}

static void post(struct texts *texts, struct outward *out)
{
	Texts__Outward *outward = load(texts, &out->key);
	int err = -EBADMSG;

	if (outward) {
		err = umsg_client_post(texts->client,
				       slice_of(outward->sealed.data, outward->sealed.len));
		texts__outward__free_unpacked(outward, NULL);
	}
	out->posted = !err;
	out->next_try_ms = clock_mono_ms() + TEXTS_RETRY_MS;
	if (err && err != -ENOTCONN && err != -ENOBUFS)
		log_warn(MODULE, "a post cannot be sent: %s", strerror(-err));
}

void texts_post_due(struct texts *texts)
{
	int64_t now_ms = clock_mono_ms();
	size_t posted = 0;

	if (!texts->client || umsg_client_state(texts->client) != UMSG_ATTACHED)
		return;
	for (struct outward *out = texts->outward; out && posted < TEXTS_MAX_POSTS;
	     out = out->next) {
		if (!out->posted && !out->acked && out->next_try_ms <= now_ms)
			post(texts, out);
		posted += out->posted;
	}
}

/* What the PostAck said is final: the journal keeps only the id. */
static void settle(struct texts *texts, struct outward *out, const char *refusal)
{
	snprintf(out->refusal, sizeof(out->refusal), "%s", refusal);
	out->acked = true;
	out->posted = false;
	journal_finish(texts->journal, &out->key);
	texts->dirty = true;
	texts_schedule(texts);
}

void texts_post_ack(struct texts *texts, const uint8_t id[UMSG_ID_SIZE], Umsg__ErrorCode error,
		    const char *text, unsigned retry_after_s)
{
	struct outward *out = texts->outward;
	char id_text[BASE64_TEXT_SIZE(UMSG_ID_SIZE)];

	while (out && memcmp(out->message_id, id, UMSG_ID_SIZE) != 0)
		out = out->next;
	if (!out || out->acked)
		return;
	base64_encode(BASE64_STANDARD, slice_of(id, UMSG_ID_SIZE), id_text);
	if (error == UMSG__ERROR_CODE__OK) {
		log_info(MODULE, "message=%s state=posted", id_text);
		settle(texts, out, "");
	} else if (retry_after_s) {
		out->posted = false;
		out->next_try_ms = clock_mono_ms() + (int64_t)retry_after_s * 1000;
		log_warn(MODULE, "message=%s is not taken now (%s): again in %u s", id_text, text,
			 retry_after_s);
	} else {
		log_warn(MODULE, "message=%s is refused: %s", id_text, text);
		settle(texts, out, *text ? text : "the rendezvous refuses it");
	}
}

/* The journal is synced: a crash from here on finds the id, and does not send the
 * file again. */
static void clear_file(struct outward *out)
{
	if (!out->box || !out->box->maildir)
		return; /* the next scan finds the finished id */
	if (*out->refusal)
		maildir_fail(out->box->maildir, &out->entry, out->refusal);
	else
		maildir_remove(out->box->maildir, &out->entry);
}

void texts_drop_acked(struct texts *texts)
{
	struct outward **at = &texts->outward;

	while (*at) {
		struct outward *out = *at;

		if (!out->acked) {
			at = &out->next;
			continue;
		}
		clear_file(out);
		*at = out->next;
		texts->n_outward--;
		free(out);
	}
	texts->outward_tail = at;
}
