/* texts_post.c - sealed posts until the rendezvous has them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/pack.h"
#include "gateway/texts_priv.h"

#define MODULE "texts"

static struct outward *outward_new(const struct journal_key *key)
{
	struct outward *out = calloc(1, sizeof(*out));

	if (out)
		out->key = *key;
	return out;
}

static void append(struct texts *texts, struct outward *out)
{
	*texts->outward_tail = out;
	texts->outward_tail = &out->next;
	texts->n_outward++;
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
	err = pack_write(&outward.base, JOURNAL_MAX_PAYLOAD_BYTES, &packed, &n);
	if (err)
		return err;
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
	struct outward *out = outward_new(key);
	int err = out ? journal_outward(texts, key, sealed, to, what) : -ENOMEM;

	if (err) {
		free(out);
		return err;
	}
	memcpy(out->message_id, sealed->id, sizeof(out->message_id));
	append(texts, out);
	texts_schedule(texts);
	*outward_out = out;
	return 0;
}

/* Returns 0, -EBADMSG (damaged on disk), or -errno. */
static int load(const struct texts *texts, const struct journal_key *key,
		Texts__Outward **outward_out)
{
	Texts__Outward *outward;
	uint8_t *packed;
	size_t n;
	int err = journal_payload(texts->journal, key, &packed, &n);

	if (err)
		return err;
	outward = texts__outward__unpack(NULL, n, packed);
	free(packed);
	if (outward && outward->message_id.len != UMSG_ID_SIZE) {
		texts__outward__free_unpacked(outward, NULL);
		outward = NULL;
	}
	*outward_out = outward;
	return outward ? 0 : -EBADMSG;
}

int texts_restore_outward(struct texts *texts, const struct journal_key *key)
{
	struct outward *out = outward_new(key);

	if (!out)
		return -ENOMEM;
	append(texts, out);
	return 0;
}

struct outward *texts_find_outward(struct texts *texts, const struct journal_key *key)
{
	struct outward *out = texts->outward;

	while (out &&
	       (out->key.kind != key->kind || memcmp(out->key.id, key->id, sizeof(key->id)) != 0))
		out = out->next;
	return out;
}

/* Remembers that a file was refused for as long as its id is known. */
static void journal_refused(struct texts *texts, const struct journal_key *file)
{
	struct journal_key key = *file;

	key.kind = TEXTS_REFUSED;
	if (journal_put(texts->journal, &key, clock_wall_s() + TEXTS_LIFETIME_S, 0,
			slice_str("")) == 0)
		journal_finish(texts->journal, &key);
}

/* Nothing is left to post: the journal keeps only the id.  refusal: why it was in vain,
 * "" where the rendezvous has it. */
static void settle(struct texts *texts, struct outward *out, const char *refusal)
{
	snprintf(out->refusal, sizeof(out->refusal), "%s", refusal);
	out->acked = true;
	out->posted = false;
	if (*refusal && out->key.kind == TEXTS_OUTWARD)
		journal_refused(texts, &out->key);
	journal_finish(texts->journal, &out->key);
	texts->dirty = true;
	texts_schedule(texts);
}

/* Returns 0, -EBADMSG (it never can be), or another -errno: later. */
static int try_post(struct texts *texts, struct outward *out)
{
	Texts__Outward *outward;
	int err = load(texts, &out->key, &outward);

	if (err)
		return err;
	memcpy(out->message_id, outward->message_id.data, sizeof(out->message_id));
	err = umsg_client_post(texts->client, slice_of(outward->sealed.data, outward->sealed.len));
	texts__outward__free_unpacked(outward, NULL);
	return err;
}

static void post(struct texts *texts, struct outward *out)
{
	int err = try_post(texts, out);

	out->posted = !err;
	out->next_try_ms = clock_mono_ms() + TEXTS_RETRY_MS;
	if (err && err != -ENOTCONN && err != -ENOBUFS)
		log_warn(MODULE, "a post cannot be sent: %s", strerror(-err));
	if (err == -EBADMSG)
		settle(texts, out, "damaged in the journal, or sealed under another number");
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

void texts_post_ack(struct texts *texts, const uint8_t id[UMSG_ID_SIZE], Umsg__ErrorCode error,
		    const char *text, unsigned retry_after_s)
{
	struct outward *out = texts->outward;
	char text_of_id[TEXTS_ID_TEXT];

	while (out && memcmp(out->message_id, id, UMSG_ID_SIZE) != 0)
		out = out->next;
	if (!out || out->acked)
		return;
	texts_id_text(id, text_of_id);
	if (error == UMSG__ERROR_CODE__OK) {
		log_info(MODULE, "message=%s state=posted", text_of_id);
		settle(texts, out, "");
	} else if (retry_after_s) {
		out->posted = false;
		out->next_try_ms = clock_mono_ms() + (int64_t)retry_after_s * 1000;
		log_warn(MODULE, "message=%s is not taken now (%s): again in %u s", text_of_id,
			 text, retry_after_s);
	} else {
		log_warn(MODULE, "message=%s is refused: %s", text_of_id, text);
		settle(texts, out, *text ? text : "the rendezvous refuses it");
	}
}

/* The journal is synced: a crash from here on finds the id, and does not send the
 * file again. */
static void clear_file(struct outward *out)
{
	if (!out->box || !out->box->maildir)
		return; /* the next scan finds the finished id */
	texts_note_trouble(out->box->config->path, &out->box->trouble,
			   *out->refusal
				   ? maildir_fail(out->box->maildir, &out->entry, out->refusal)
				   : maildir_remove(out->box->maildir, &out->entry),
			   NULL);
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
