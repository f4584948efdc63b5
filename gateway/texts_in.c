/* texts_in.c - a message from the secure side: journaled, then Taken. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/pack.h"
#include "gateway/texts_priv.h"

#define MODULE "texts"

struct journal_key texts_inward_key(const uint8_t id[UMSG_ID_SIZE])
{
	struct journal_key key = { .kind = TEXTS_INWARD };

	memcpy(key.id, id, sizeof(key.id));
	return key;
}

/* ---- a message comes ---- */

static int note_taken(struct texts *texts, const struct umsg_message *message)
{
	struct taken *taken = calloc(1, sizeof(*taken));

	if (!taken)
		return -ENOMEM;
	memcpy(taken->id, message->id, sizeof(taken->id));
	snprintf(taken->from, sizeof(taken->from), "%s", message->from);
	taken->number = message->number;
	*texts->taken_tail = taken;
	texts->taken_tail = &taken->next;
	return 0;
}

void texts_say_taken(struct texts *texts)
{
	while (texts->taken) {
		struct taken *taken = texts->taken;

		if (texts->client)
			umsg_client_taken(texts->client, taken->id, taken->from, taken->number);
		texts->taken = taken->next;
		free(taken);
	}
	texts->taken_tail = &texts->taken;
}

static void with_extension(char *out, size_t outsz, const char *uri, const char *extension)
{
	snprintf(out, outsz, "%s%s%s", uri, *extension ? ";" : "", extension);
}

static bool is_chosen(const Texts__Destination *destinations, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(destinations[i].path, path) == 0)
			return true;
	return false;
}

/* Which mailboxes want it, and with which addresses (CIG-065).  Of several blocks for
 * one mailbox the first that matches counts. */
static size_t choose_destinations(const struct texts *texts, const Texts__Inward *inward,
				  Texts__Destination *destinations, struct cig_addresses *addresses)
{
	size_t n = 0;

	for (size_t i = 0; i < texts->n_write && n < JOURNAL_MAX_DESTINATIONS; i++) {
		const struct cig_mailbox *box = texts->write[i].config;

		if (is_chosen(destinations, n, box->path) ||
		    cig_translate_outward(&box->maps, slice_str(inward->from),
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
	uint8_t *packed;
	size_t n;
	int err = pack_write(&inward->base, JOURNAL_MAX_PAYLOAD_BYTES, &packed, &n);

	if (err)
		return err;
	err = journal_put(texts->journal, key, end_s, inward->n_destinations, slice_of(packed, n));
	free(packed);
	texts->dirty |= !err;
	return err;
}

static int accept_message(struct texts *texts, const struct umsg_message *message,
			  const struct journal_key *key)
{
	char from[UMSG_URI_SIZE + UMSG_EXTENSION_SIZE], to[UMSG_URI_SIZE + UMSG_EXTENSION_SIZE];
	Texts__Destination destinations[JOURNAL_MAX_DESTINATIONS];
	Texts__Destination *at[JOURNAL_MAX_DESTINATIONS];
	struct cig_addresses *addresses = calloc(texts->n_write + 1, sizeof(*addresses));
	Texts__Inward inward = TEXTS__INWARD__INIT;
	char id[TEXTS_ID_TEXT];
	int err = addresses ? pack_write(&message->body->base, UMSG_BODY_MAX, &inward.body.data,
					 &inward.body.len)
			    : -ENOMEM;

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
		err = journal_inward(texts, key, &inward, message->end_s);
		if (!err)
			log_info(MODULE, "message=%s from=%s to=%s mailboxes=%zu state=received",
				 texts_id_text(message->id, id), from, to, inward.n_destinations);
	}
	free(inward.body.data);
	free(addresses);
	return err;
}

/* Not journaled is not taken: the rendezvous delivers it again when it is asked to. */
static void leave(struct texts *texts, const char *id, const char *from, int err)
{
	if (err != texts->journal_trouble)
		log_warn(MODULE, "message=%s from=%s and others are left at the rendezvous: %s", id,
			 from, strerror(-err));
	texts->journal_trouble = err;
	if (!texts->refetch_ms)
		texts->refetch_ms = clock_mono_ms() + TEXTS_REFETCH_MS;
}

static void keep(struct texts *texts)
{
	if (texts->journal_trouble)
		log_info(MODULE, "messages are taken again");
	texts->journal_trouble = 0;
	texts_schedule(texts);
}

void texts_message(struct texts *texts, const struct umsg_message *message)
{
	struct journal_key key = texts_inward_key(message->id);
	char id[TEXTS_ID_TEXT];
	int err = 0;

	if (!journal_find(texts->journal, &key, NULL)) {
		err = texts_queue_inward(texts, &key); /* harmless for what is not journaled */
		if (!err)
			err = accept_message(texts, message, &key);
	}
	if (!err)
		err = note_taken(texts, message);
	if (err)
		leave(texts, texts_id_text(message->id, id), message->from, err);
	else
		keep(texts);
}
