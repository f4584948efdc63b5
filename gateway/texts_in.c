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

/* ---- Taken ---- */

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

/* ---- to whom it goes ---- */

/* The ports that want a message, and with which addresses (CIG-065). */
struct choice {
	struct text_port *ports[JOURNAL_MAX_DESTINATIONS];
	Texts__Destination destinations[JOURNAL_MAX_DESTINATIONS], *at[JOURNAL_MAX_DESTINATIONS];
	struct cig_addresses addresses[JOURNAL_MAX_DESTINATIONS];
	size_t n;
};

static void choose(const struct texts *texts, const Texts__Inward *inward, const char *kind,
		   const char *name, struct choice *choice)
{
	for (struct text_port *port = texts->ports; port; port = port->next) {
		size_t n = choice->n;

		if (n == JOURNAL_MAX_DESTINATIONS)
			break;
		if (!port->ops || !port->ops->match || (kind && strcmp(kind, port->kind) != 0) ||
		    (name && strcmp(name, port->name) != 0) ||
		    port->ops->match(port->arg, inward->from, inward->to, &choice->addresses[n]) !=
			    1)
			continue;
		choice->ports[n] = port;
		texts__destination__init(&choice->destinations[n]);
		choice->destinations[n].port = port->name;
		choice->destinations[n].from = choice->addresses[n].from;
		choice->destinations[n].to = choice->addresses[n].to;
		choice->at[n] = &choice->destinations[n];
		choice->n++;
	}
}

static int journal_inward(struct texts *texts, const uint8_t id[UMSG_ID_SIZE],
			  const Texts__Inward *inward, int64_t end_s)
{
	struct journal_key key = texts_inward_key(id);
	uint8_t *packed;
	size_t n;
	int err = pack_write(&inward->base, JOURNAL_MAX_PAYLOAD_BYTES, &packed, &n);

	if (err)
		return err;
	err = journal_put(texts->journal, &key, end_s, inward->n_destinations, slice_of(packed, n));
	free(packed);
	if (!err)
		texts_touch(texts);
	return err;
}

static int accept_choice(struct texts *texts, const uint8_t id[UMSG_ID_SIZE], int64_t end_s,
			 Texts__Inward *inward, struct choice *choice)
{
	struct inward *in = texts_inward_new(id, end_s, choice->ports, choice->n);
	int err = in ? 0 : -ENOMEM;

	/* Memory first: what is journaled and not queued would wait for a restart. */
	inward->n_destinations = choice->n;
	inward->destinations = choice->at;
	if (!err)
		err = journal_inward(texts, id, inward, end_s);
	inward->n_destinations = 0;
	inward->destinations = NULL;
	if (err)
		texts_inward_free(in);
	else
		texts_inward_admit(texts, in);
	return err ? err : (int)choice->n;
}

int texts_accept(struct texts *texts, const uint8_t id[UMSG_ID_SIZE], int64_t end_s,
		 Texts__Inward *inward, const char *kind, const char *name)
{
	struct choice *choice = calloc(1, sizeof(*choice)); /* too large for the stack */
	int result;

	if (!choice)
		return -ENOMEM;
	choose(texts, inward, kind, name, choice);
	result = accept_choice(texts, id, end_s, inward, choice);
	free(choice);
	return result;
}

/* ---- a message comes ---- */

static void with_extension(char *out, size_t outsz, const char *uri, const char *extension)
{
	snprintf(out, outsz, "%s%s%s", uri, *extension ? ";" : "", extension);
}

static int accept_message(struct texts *texts, const struct umsg_message *message)
{
	char from[UMSG_URI_SIZE + UMSG_EXTENSION_SIZE], to[UMSG_URI_SIZE + UMSG_EXTENSION_SIZE];
	Texts__Inward inward = TEXTS__INWARD__INIT;
	char id[TEXTS_ID_TEXT];
	int n = pack_write(&message->body->base, UMSG_BODY_MAX, &inward.body.data,
			   &inward.body.len);

	if (n)
		return n;
	with_extension(from, sizeof(from), message->from, message->body->calling_extension);
	with_extension(to, sizeof(to), message->to, message->body->called_extension);
	inward.from = from;
	inward.to = to;
	inward.sender = (char *)message->from;
	inward.from_domain = (char *)message->from_domain;
	inward.sent = message->sent_s;
	n = texts_accept(texts, message->id, message->end_s, &inward, NULL, NULL);
	free(inward.body.data);
	if (n < 0)
		return n;
	texts->counters.received++;
	log_info(MODULE, "message=%s from=%s to=%s destinations=%d state=received",
		 texts_id_text(message->id, id), from, to, n);
	return 0;
}

/* Not journaled is not taken: the rendezvous delivers it again when it is asked to. */
void texts_leave(struct texts *texts, const char *id, const char *from, int err)
{
	if (err != texts->journal_trouble)
		log_warn(MODULE, "message=%s from=%s and others are left at the rendezvous: %s", id,
			 from, strerror(-err));
	texts->journal_trouble = err;
	texts->counters.left_at_rendezvous++;
	/* The rendezvous keeps it until it is Taken, and tells it again when it is asked. */
	if (!texts->refetch_ms)
		texts->refetch_ms = clock_mono_ms() + TEXTS_REFETCH_MS;
}

void texts_kept_one(struct texts *texts)
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

	/* A repeat of one that is journaled is taken once more, and nothing else. */
	if (!journal_find(texts->journal, &key, NULL))
		err = accept_message(texts, message);
	if (!err)
		err = note_taken(texts, message);
	if (err)
		texts_leave(texts, texts_id_text(message->id, id), message->from, err);
	else
		texts_kept_one(texts);
}
