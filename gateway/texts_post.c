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

/* ---- in memory ---- */

static struct outward *outward_new(const struct journal_key *key)
{
	struct outward *out = calloc(1, sizeof(*out));

	if (out)
		out->key = *key;
	return out;
}

static void outward_free(struct outward *out)
{
	free(out->file);
	free(out->why);
	free(out);
}

/* Two kinds may have the same id: the kind is in the hash, too. */
static uint64_t key_hash(const struct texts *texts, const struct journal_key *key)
{
	return idhash_of(&texts->hash, key->id, key->kind);
}

static void link_outward(struct texts *texts, struct outward *out)
{
	idmap_put(&texts->posts_by_key, &out->by_key, key_hash(texts, &out->key));
	texts_queue_append(&texts->posts, &out->queued);
	texts->n_outward++;
	texts->n_files += out->key.kind == TEXTS_OUTWARD;
	texts->n_submitted += out->key.kind == TEXTS_SUBMITTED;
}

/* The id under which the rendezvous answers. */
static void learn_id(struct texts *texts, struct outward *out, const uint8_t id[UMSG_ID_SIZE])
{
	if (out->has_id)
		return;
	memcpy(out->message_id, id, sizeof(out->message_id));
	out->has_id = true;
	idmap_put(&texts->posts_by_id, &out->by_id, idhash_of(&texts->hash, id, 0));
}

static void unlink_outward(struct texts *texts, struct outward *out)
{
	idmap_remove(&texts->posts_by_key, &out->by_key);
	if (out->has_id)
		idmap_remove(&texts->posts_by_id, &out->by_id);
	texts_queue_remove(&texts->posts, &out->queued);
	texts->n_outward--;
	texts->n_later -= out->later;
	texts->n_files -= out->key.kind == TEXTS_OUTWARD && !out->later;
	texts->n_submitted -= out->key.kind == TEXTS_SUBMITTED;
}

/* One receiver's full mailbox (an hour's wait each time) must not keep the files for all others
 * from being taken. */
static void make_way(struct texts *texts, struct outward *out)
{
	if (out->key.kind != TEXTS_OUTWARD || out->later ||
	    texts->n_later >= TEXTS_MAX_REFUSED_FILES)
		return;
	out->later = true;
	texts->n_later++;
	texts->n_files--;
}

struct outward *texts_find_outward(const struct texts *texts, const struct journal_key *key)
{
	struct idmap_node *node = idmap_first(&texts->posts_by_key, key_hash(texts, key));

	for (; node; node = idmap_next(node)) {
		struct outward *out = IDMAP_OWNER(node, struct outward, by_key);

		if (out->key.kind == key->kind &&
		    memcmp(out->key.id, key->id, sizeof(key->id)) == 0)
			return out;
	}
	return NULL;
}

static struct outward *find_by_id(const struct texts *texts, const uint8_t id[UMSG_ID_SIZE])
{
	struct idmap_node *node = idmap_first(&texts->posts_by_id, idhash_of(&texts->hash, id, 0));

	for (; node; node = idmap_next(node)) {
		struct outward *out = IDMAP_OWNER(node, struct outward, by_id);

		if (memcmp(out->message_id, id, sizeof(out->message_id)) == 0)
			return out;
	}
	return NULL;
}

void texts_each_outward(const struct texts *texts, bool (*each)(void *arg, struct outward *out),
			void *arg)
{
	const struct idmap *map = &texts->posts_by_key;

	if (!map->buckets)
		return;
	/* Whole map: only where a connection, a port or a reader comes and goes, or a person
	 * asks. */
	for (size_t i = 0; i < (size_t)1 << map->bits; i++)
		for (struct idmap_node *node = map->buckets[i]; node; node = node->next)
			if (!each(arg, IDMAP_OWNER(node, struct outward, by_key)))
				return;
}

void texts_forget_outward(struct texts *texts)
{
	struct idmap_node *node;

	while (texts->posts_by_key.buckets && (node = idmap_take(&texts->posts_by_key)))
		outward_free(IDMAP_OWNER(node, struct outward, by_key));
}

/* ---- the journal ---- */

/* Nobody asks for the id of a Receipt that is posted: it need not be known any longer.  A text's is
 * known for as long as a Receipt is awaited: by the post behind it a wait is told from one whose
 * post a crash kept from the journal (texts.c). */
static int64_t known_until_s(const struct journal_key *key, const Texts__Outward *outward)
{
	int64_t usual_s = clock_wall_s() + TEXTS_LIFETIME_S;

	if (key->kind == TEXTS_RECEIPT)
		return 0;
	return outward->end > usual_s ? outward->end : usual_s;
}

static int journal_outward(struct texts *texts, const struct journal_key *key,
			   const struct umsg_sealed *sealed, const Texts__Outward *outward)
{
	Texts__Outward whole = *outward;
	uint8_t *packed;
	size_t n;
	int err;

	whole.message_id = (ProtobufCBinaryData){ UMSG_ID_SIZE, (uint8_t *)sealed->id };
	whole.sealed = (ProtobufCBinaryData){ sealed->n, sealed->octets };
	err = pack_write(&whole.base, JOURNAL_MAX_PAYLOAD_BYTES, &packed, &n);
	if (err)
		return err;
	err = journal_put(texts->journal, key, known_until_s(key, outward), 0, slice_of(packed, n));
	free(packed);
	return err;
}

static void note_port(struct texts *texts, struct outward *out, const Texts__Outward *outward)
{
	if (!*outward->port || outward->port_key.len != TEXT_KEY_SIZE)
		return;
	memcpy(out->port_key, outward->port_key.data, sizeof(out->port_key));
	out->port = texts_port_named(texts, outward->port, NULL);
}

int texts_queue_post(struct texts *texts, const struct journal_key *key,
		     const struct umsg_sealed *sealed, const Texts__Outward *outward,
		     struct outward **outward_out)
{
	struct outward *out = outward_new(key);
	int err = out ? journal_outward(texts, key, sealed, outward) : -ENOMEM;

	if (err) {
		free(out);
		return err;
	}
	note_port(texts, out, outward);
	link_outward(texts, out);
	learn_id(texts, out, sealed->id);
	if (out->port) {
		out->fresh = true;
		*texts->fresh_tail = out;
		texts->fresh_tail = &out->next;
	}
	texts_touch(texts);
	*outward_out = out;
	return 0;
}

int texts_load_outward(const struct texts *texts, const struct journal_key *key,
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

/* What it is stays on disk until it is posted: a hundred thousand cost little at the start. */
int texts_restore_outward(struct texts *texts, const struct journal_key *key)
{
	struct outward *out = outward_new(key);

	if (!out)
		return -ENOMEM;
	link_outward(texts, out);
	return 0;
}

bool texts_know_outward(struct texts *texts, struct outward *out)
{
	Texts__Outward *outward;

	if (out->has_id)
		return true;
	if (texts_load_outward(texts, &out->key, &outward))
		return false;
	learn_id(texts, out, outward->message_id.data);
	note_port(texts, out, outward);
	texts__outward__free_unpacked(outward, NULL);
	return true;
}

/* ---- the end of a post ---- */

/* Remembers that a file was refused for as long as its id is known. */
static int journal_refused(struct texts *texts, const struct journal_key *file)
{
	struct journal_key key = *file;
	int err;

	key.kind = TEXTS_REFUSED;
	err = journal_put(texts->journal, &key, clock_wall_s() + TEXTS_LIFETIME_S, 0,
			  slice_str(""));
	if (err)
		return err == -EEXIST ? 0 : err;
	/* Finished at once: its id alone is needed. */
	journal_finish(texts->journal, &key);
	return 0;
}

/* A refusal first: a file whose post is finished and not refused counts as sent, and goes. */
static void finish_entry(struct texts *texts, struct outward *out)
{
	int err = out->refused && out->key.kind == TEXTS_OUTWARD ? journal_refused(texts, &out->key)
								 : 0;

	if (!err)
		err = journal_finish(texts->journal, &out->key);
	out->finished = !err || err == -ENOENT;
	if (out->finished)
		texts_touch(texts);
}

/* A text that can never be sent: who sent it hears so from its port, by the reason beside
 * its file, or by a notice that is journaled together with the end of the post. */
static void come_back(struct texts *texts, struct outward *out, const char *refusal)
{
	const struct text_port *port = out->port;
	bool told = out->key.kind == TEXTS_OUTWARD;

	if (out->key.kind == TEXTS_RECEIPT)
		return;
	texts->counters.refused++;
	/* fresh: the port has not yet heard that the text is stored, so it cannot hear that it is
	 * refused. */
	if (port && port->ops && port->ops->posted && !out->fresh)
		told = port->ops->posted(port->arg, out->port_key, refusal);
	if (out->has_id)
		texts_drop_sent(texts, out->message_id, told ? NULL : refusal);
}

/* Out of the queue, and out of those that are under way, wherever it is. */
static void take_off(struct texts *texts, struct outward *out)
{
	texts->n_posted -= out->posted;
	out->posted = false;
	texts_queue_remove(&texts->posts, &out->queued);
}

/* Ended in memory; who waits for it is told behind the sync, by finish(). */
void texts_settle(struct texts *texts, struct outward *out, const char *refusal)
{
	take_off(texts, out);
	texts_set_why(&out->why, refusal);
	out->acked = true;
	out->refused = *refusal != '\0';
	if (out->refused)
		come_back(texts, out, refusal);
	else if (out->key.kind != TEXTS_RECEIPT)
		texts->counters.posted++;
	finish_entry(texts, out);
	if (!out->fresh) { /* else it is still in the other list, and comes here from there */
		out->next = NULL;
		*texts->acked_tail = out;
		texts->acked_tail = &out->next;
	}
	texts_schedule(texts);
}

void texts_post_ack(struct texts *texts, const uint8_t id[UMSG_ID_SIZE], Umsg__ErrorCode error,
		    const char *text, unsigned retry_after_s)
{
	struct outward *out = find_by_id(texts, id);
	char text_of_id[TEXTS_ID_TEXT];

	if (!out || out->acked)
		return;
	texts_id_text(id, text_of_id);
	if (error == UMSG__ERROR_CODE__OK) {
		log_info(MODULE, "message=%s state=posted", text_of_id);
		texts_settle(texts, out, "");
	} else if (retry_after_s) {
		/* The store is full, or a quota: the same octets go again, later. */
		take_off(texts, out);
		make_way(texts, out);
		texts_set_why(&out->why, text);
		texts_queue_put_off(&texts->posts, &out->queued,
				    clock_mono_ms() + (int64_t)retry_after_s * 1000);
		texts_schedule(texts);
		log_warn(MODULE, "message=%s is not taken now (%s): again in %u s", text_of_id,
			 text, retry_after_s);
	} else {
		log_warn(MODULE, "message=%s is refused: %s", text_of_id, text);
		texts_settle(texts, out, *text ? text : "the rendezvous refuses it");
	}
}

/* ---- posting ---- */

/* Returns 0, -EBADMSG or -EMSGSIZE (it never can be), -ETIME (its end has come), -ECANCELED
 * (why_out: what was found before anything was sealed), or another -errno. */
static int try_post(struct texts *texts, struct outward *out, char why_out[TEXT_WHY_SIZE])
{
	Texts__Outward *outward;
	int err = texts_load_outward(texts, &out->key, &outward);

	if (err)
		return err;
	/* The id is known from here on: the PostAck will name it. */
	learn_id(texts, out, outward->message_id.data);
	if (!out->port)
		note_port(texts, out, outward);
	snprintf(why_out, TEXT_WHY_SIZE, "%s", outward->refused);
	if (*outward->refused)
		err = -ECANCELED;
	else if (outward->end && outward->end <= clock_wall_s())
		err = -ETIME;
	else
		err = umsg_client_post(texts->client,
				       slice_of(outward->sealed.data, outward->sealed.len));
	texts__outward__free_unpacked(outward, NULL);
	return err;
}

static void post(struct texts *texts, struct outward *out)
{
	char why[TEXT_WHY_SIZE];
	int err = try_post(texts, out, why);

	if (!err) {
		out->posted = true;
		texts->n_posted++;
	} else if (err == -EBADMSG) {
		texts_settle(texts, out, "damaged in the journal, or sealed under another number");
	} else if (err == -EMSGSIZE) {
		texts_settle(texts, out, "longer than the rendezvous takes");
	} else if (err == -ECANCELED) {
		texts_settle(texts, out, why);
	} else if (err == -ETIME) {
		texts_settle(texts, out, "expired before the rendezvous could be reached");
	} else {
		/* Those two say themselves that the way is blocked: no line for each text. */
		if (err != -ENOTCONN && err != -ENOBUFS)
			log_warn(MODULE, "a post cannot be sent: %s", strerror(-err));
		texts_set_why(&out->why, strerror(-err));
		texts_queue_put_off(&texts->posts, &out->queued, clock_mono_ms() + TEXTS_RETRY_MS);
	}
}

void texts_post_due(struct texts *texts)
{
	int64_t now_ms = clock_mono_ms();
	struct queued *item;

	if (!texts->client || umsg_client_state(texts->client) != UMSG_ATTACHED)
		return;
	/* A bounded number is under way, so that a new connection repeats few. */
	while (texts->n_posted < TEXTS_MAX_POSTS &&
	       (item = texts_queue_take(&texts->posts, now_ms)))
		post(texts, IDMAP_OWNER(item, struct outward, queued));
}

static bool return_posted(void *arg, struct outward *out)
{
	struct texts *texts = arg;

	if (!out->posted)
		return true;
	take_off(texts, out);
	texts_queue_return(&texts->posts, &out->queued);
	return true;
}

void texts_post_again(struct texts *texts)
{
	texts_each_outward(texts, return_posted, texts);
}

/* ---- after the sync ---- */

static void tell_stored(struct texts *texts)
{
	struct outward *out = texts->fresh, *next;

	texts->fresh = NULL;
	texts->fresh_tail = &texts->fresh;
	for (; out; out = next) {
		const struct text_port *port = out->port;

		next = out->next;
		out->next = NULL;
		out->fresh = false;
		if (port && port->ops && port->ops->stored)
			port->ops->stored(port->arg, out->port_key);
		if (out->acked) { /* dropped in the turn in which it came */
			*texts->acked_tail = out;
			texts->acked_tail = &out->next;
		}
	}
}

/* A crash from here on finds the id, and does not send the file again. */
static void finish(struct texts *texts, struct outward *out)
{
	const struct text_port *port = out->port;

	/* Only now may the file go: before the sync a crash would have sent it again. */
	if (out->file)
		texts_clear_file(out->file, !out->refused ? ""
					    : out->why    ? out->why
							  : "it was refused");
	if (!out->refused && port && port->ops && port->ops->posted)
		port->ops->posted(port->arg, out->port_key, "");
	unlink_outward(texts, out);
	outward_free(out);
}

void texts_tell_posts(struct texts *texts)
{
	struct outward *out, *next;

	tell_stored(texts);
	out = texts->acked;
	texts->acked = NULL;
	texts->acked_tail = &texts->acked;
	for (; out; out = next) {
		next = out->next;
		if (out->finished) {
			finish(texts, out);
			continue;
		}
		/* A full disk: until it takes the end, a restart would post it once more.  Asked
		 * again with each turn; the timer's comes every two seconds. */
		finish_entry(texts, out);
		out->next = NULL;
		*texts->acked_tail = out;
		texts->acked_tail = &out->next;
	}
}
