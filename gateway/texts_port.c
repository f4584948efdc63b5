/* texts_port.c - ports: what waits for each, what they have in hand, and what they
 * say of it. */
#include "gateway/texts_port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/texts_priv.h"

#define MODULE "texts"

/* ---- ports ---- */

static struct text_port *find_port(const struct texts *texts, const char *name)
{
	struct text_port *port = texts->ports;

	while (port && strcmp(port->name, name) != 0)
		port = port->next;
	return port;
}

static void free_port(struct text_port *port)
{
	free(port->name);
	free(port->kind);
	free(port);
}

static struct text_port *new_port(struct texts *texts, const char *name, const char *kind)
{
	struct text_port *port = calloc(1, sizeof(*port));

	if (!port)
		return NULL;
	port->texts = texts;
	port->name = strdup(name);
	port->kind = strdup(kind);
	if (!port->name || !port->kind) {
		free_port(port);
		return NULL;
	}
	texts_queue_init(&port->queue, clock_mono_ms());
	*texts->ports_tail = port;
	texts->ports_tail = &port->next;
	return port;
}

static const char not_configured[] = "it is not configured any more";

struct text_port *texts_port_named(struct texts *texts, const char *name, const char *kind)
{
	struct text_port *port = find_port(texts, name);

	if (!port)
		/* "gone": the journal names it, the configuration does not. */
		port = new_port(texts, name, kind ? kind : "gone");
	if (port && !port->ops)
		snprintf(port->trouble, sizeof(port->trouble), "%s", not_configured);
	return port;
}

/* Ports that were removed are still there, as names of what waits for them. */
void texts_free_ports(struct texts *texts)
{
	while (texts->ports) {
		struct text_port *port = texts->ports;

		texts->ports = port->next;
		free_port(port);
	}
	texts->ports_tail = &texts->ports;
}

/* ---- shares of a port ---- */

/* The share that the port has of a message, if it is in that state. */
static struct share *find_share(const struct text_port *port, const uint8_t id[UMSG_ID_SIZE],
				uint8_t state)
{
	struct inward *in = texts_inward_find(port->texts, id);

	for (size_t i = 0; in && i < in->n_shares; i++)
		if (in->shares[i].port == port && in->shares[i].state == state)
			return &in->shares[i];
	return NULL;
}

/* Calls each for every share of the port in that state.  Only for ports that come and go:
 * it looks at all messages. */
static void each_share(struct text_port *port, uint8_t state,
		       void (*each)(struct text_port *port, struct share *share))
{
	for (struct inward *in = port->texts->all; in; in = in->next)
		for (size_t i = 0; i < in->n_shares; i++)
			if (in->shares[i].port == port && in->shares[i].state == state)
				each(port, &in->shares[i]);
}

static void tell_restored(struct text_port *port, struct share *share)
{
	struct journal_key key = texts_inward_key(share->of->id);

	port->ops->restored(
		port->arg, share->of->id,
		journal_note(port->texts->journal, &key, (size_t)(share - share->of->shares)));
}

static int take_kind(struct text_port *port, const char *kind)
{
	char *copy;

	if (strcmp(port->kind, kind) == 0)
		return 0;
	copy = strdup(kind);
	if (!copy)
		return -ENOMEM;
	free(port->kind);
	port->kind = copy;
	return 0;
}

int texts_add_port(struct texts *texts, const char *name, const char *kind,
		   const struct text_port_ops *ops, void *arg, struct text_port **port_out)
{
	struct text_port *port = find_port(texts, name);
	int err = 0;

	if (port && port->ops)
		return -EEXIST;
	/* The journal of an earlier run may have named it: then its texts wait here. */
	if (!port)
		port = new_port(texts, name, kind);
	else
		err = take_kind(port, kind);
	if (!port || err)
		return -ENOMEM;
	port->ops = ops;
	port->arg = arg;
	port->trouble[0] = '\0';
	port->wait_until_ms = 0;
	*port_out = port;
	if (port->sent && ops->restored)
		each_share(port, TEXTS_SENT_ON, tell_restored);
	texts_schedule(texts);
	return 0;
}

static void put_back(struct text_port *port, struct share *share)
{
	port->in_hand--;
	share->state = TEXTS_OPEN;
	texts_queue_return(&port->queue, &share->queued);
}

static bool forget_submitter(void *arg, struct outward *out)
{
	if (out->port == arg)
		out->port = NULL;
	return true;
}

void texts_remove_port(struct text_port **portp)
{
	struct text_port *port = *portp;

	if (!port)
		return;
	*portp = NULL;
	/* What it had in hand is open again: the next port of that name is offered it. */
	if (port->in_hand)
		each_share(port, TEXTS_IN_HAND, put_back);
	texts_each_outward(port->texts, forget_submitter, port);
	texts_drop_held(port->texts, port); /* no peer was told that they are stored */
	port->ops = NULL;
	port->arg = NULL;
	snprintf(port->trouble, sizeof(port->trouble), "%s", not_configured);
}

/* ---- what ports say ---- */

void text_port_ready(struct text_port *port)
{
	port->wait_until_ms = 0;
	texts_schedule(port->texts);
}

static void wait(struct text_port *port)
{
	port->wait_until_ms = clock_mono_ms() + TEXT_RETRY_MS;
}

void text_port_trouble(struct text_port *port, const char *why)
{
	if (*why)
		wait(port);
	/* Told once, not at each of the tries: they come every two seconds. */
	if (strcmp(port->trouble, why) == 0)
		return;
	snprintf(port->trouble, sizeof(port->trouble), "%s", why);
	if (*why)
		log_warn(MODULE, "%s %s is not usable, and tried again: %s", port->kind, port->name,
			 why);
	else
		log_info(MODULE, "%s %s is usable now", port->kind, port->name);
}

/* Durable after the turn's sync; kept() tells the port then. */
static int note(struct share *share, uint8_t state, const char *text)
{
	struct journal_key key = texts_inward_key(share->of->id);
	struct text_port *port = share->port;
	int err;

	if (strlen(text) > TEXT_NOTE_MAX)
		return -E2BIG;
	err = journal_set_state(port->texts->journal, &key, (size_t)(share - share->of->shares),
				state, slice_str(text));
	if (err)
		return err;
	port->keeping = true;
	texts_touch(port->texts);
	return 0;
}

int text_port_keep(struct text_port *port, const uint8_t id[UMSG_ID_SIZE], const char *text)
{
	struct share *share = find_share(port, id, TEXTS_IN_HAND);

	return share ? note(share, TEXTS_OPEN, text) : -ENOENT;
}

int text_port_sent(struct text_port *port, const uint8_t id[UMSG_ID_SIZE], const char *text)
{
	struct share *share = find_share(port, id, TEXTS_IN_HAND);
	char id_text[TEXTS_ID_TEXT];
	int err = share ? note(share, TEXTS_SENT_ON, text) : -ENOENT;

	if (err)
		return err;
	/* From here on the journal keeps it from being offered again, also after a crash. */
	share->state = TEXTS_SENT_ON;
	texts_set_why(&share->why, "");
	port->in_hand--;
	port->sent++;
	log_info(MODULE, "message=%s port=%s state=sent %.200s", texts_id_text(id, id_text),
		 port->name, text);
	return 0;
}

/* A port may say so of a text that is over by now: expired, dropped, or told twice. */
static void end(struct text_port *port, const uint8_t id[UMSG_ID_SIZE], uint8_t state,
		const char *why)
{
	struct share *share = find_share(port, id, TEXTS_IN_HAND);

	port->keeping = true;
	texts_schedule(port->texts); /* kept() follows, also for one that is over */
	if (share) {
		port->in_hand--;
	} else {
		share = find_share(port, id, TEXTS_SENT_ON);
		if (!share)
			return; /* over already: its end has come */
		port->sent--;
	}
	texts_end_share(port->texts, share, state, why);
}

void text_port_delivered(struct text_port *port, const uint8_t id[UMSG_ID_SIZE])
{
	end(port, id, TEXTS_DELIVERED, "");
}

void text_port_failed(struct text_port *port, const uint8_t id[UMSG_ID_SIZE], const char *why)
{
	end(port, id, TEXTS_FAILED, *why ? why : "it was refused there");
}

static void put_off(struct share *share, unsigned after_ms, const char *why)
{
	struct text_port *port = share->port;

	share->state = TEXTS_OPEN;
	texts_set_why(&share->why, why);
	/* At once means in its old place: a throttled window goes out in the same order again. */
	if (after_ms)
		texts_queue_put_off(&port->queue, &share->queued, clock_mono_ms() + after_ms);
	else
		texts_queue_return(&port->queue, &share->queued);
}

void text_port_later(struct text_port *port, const uint8_t id[UMSG_ID_SIZE], unsigned after_ms,
		     const char *why)
{
	struct share *share = find_share(port, id, TEXTS_IN_HAND);

	if (!share)
		return;
	port->in_hand--;
	put_off(share, after_ms, why);
	texts_schedule(port->texts);
}

/* ---- offers ---- */

static enum text_answer ask(struct share *share, const struct loaded *loaded,
			    char why[TEXT_WHY_SIZE])
{
	struct journal_key key = texts_inward_key(share->of->id);
	size_t number = (size_t)(share - share->of->shares);
	const struct text_port *port = share->port;
	const Texts__Inward *inward = loaded->inward;
	const struct text_offer offer = {
		.id = share->of->id,
		.from = inward->destinations[number]->from,
		.to = inward->destinations[number]->to,
		.sender = inward->from,
		.receiver = inward->to,
		.sender_domain = inward->from_domain,
		.sent_s = inward->sent,
		.end_s = share->of->end_s,
		.body = loaded->body,
		.note = journal_note(port->texts->journal, &key, number),
	};

	return port->ops->offer(port->arg, &offer, why);
}

/* The state is set before the question: the port may tell the outcome from within offer(). */
static enum text_answer offer_loaded(struct share *share, const struct loaded *loaded)
{
	struct text_port *port = share->port;
	char why[TEXT_WHY_SIZE] = "";
	enum text_answer answer;

	share->state = TEXTS_IN_HAND;
	/* Stops at the top: it is for people to read. */
	share->tries = share->tries < UINT16_MAX ? (uint16_t)(share->tries + 1) : UINT16_MAX;
	port->in_hand++;
	answer = ask(share, loaded, why);
	if (answer == TEXT_IN_HAND)
		return answer; /* share may be gone */
	port->in_hand--;
	if (answer == TEXT_NEVER)
		texts_end_share(port->texts, share, TEXTS_FAILED, why);
	else
		put_off(share, answer == TEXT_LATER ? TEXT_RETRY_MS : 0, why);
	if (answer == TEXT_WAIT)
		wait(port);
	return answer;
}

/* Returns false when the port takes nothing more now. */
static bool offer(struct text_port *port, struct share *share)
{
	struct texts *texts = port->texts;
	enum text_answer answer;
	struct loaded loaded;
	int err;

	/* However long it waited: content is not shown after its end (docs/umsg.md, "Lifetime"). */
	if (share->of->end_s <= clock_wall_s()) {
		texts_end_share(texts, share, TEXTS_EXPIRED, share->why ? share->why : "");
		return true;
	}
	err = texts_load(texts, share->of->id, &loaded);
	if (err == -EBADMSG || err == -ENOENT) {
		texts_end_share(texts, share, TEXTS_FAILED, "it is damaged in the journal");
		return true;
	}
	if (err) { /* memory, or a disk that cannot be read: the others would fare no better */
		put_off(share, 0, strerror(-err));
		wait(port);
		return false;
	}
	answer = offer_loaded(share, &loaded);
	texts_unload(&loaded);
	return answer != TEXT_WAIT;
}

static void offer_some(struct text_port *port, int64_t now_ms)
{
	struct queued *item;

	/* Bounded, so that one port with a hundred thousand texts does not keep the others
	 * waiting. */
	for (int i = 0; i < TEXT_OFFERS_AT_ONCE && port->wait_until_ms <= now_ms; i++) {
		item = texts_queue_take(&port->queue, now_ms);
		if (!item)
			return;
		port->offered = true;
		if (!offer(port, IDMAP_OWNER(item, struct share, queued)))
			return;
	}
}

/* All ports are flushed after all offers: mailboxes share their flushes of the disk. */
void texts_offer(struct texts *texts)
{
	int64_t now_ms = clock_mono_ms();

	for (struct text_port *port = texts->ports; port; port = port->next)
		if (port->ops)
			offer_some(port, now_ms);
	for (struct text_port *port = texts->ports; port; port = port->next) {
		if (port->offered && port->ops && port->ops->flush)
			port->ops->flush(port->arg);
		port->offered = false;
		if (port->ops && port->wait_until_ms <= now_ms &&
		    texts_queue_is_due(&port->queue, now_ms))
			texts_schedule(texts); /* what else there is to do goes first */
	}
}

void texts_tell_kept(struct texts *texts)
{
	for (struct text_port *port = texts->ports; port; port = port->next) {
		bool tell = port->keeping && port->ops && port->ops->kept;

		/* Reset before the call: kept() may mark more texts. */
		port->keeping = false;
		if (tell)
			port->ops->kept(port->arg);
	}
}

/* ---- what is to be seen ---- */

void texts_each_port(const struct texts *texts,
		     void (*each)(void *arg, const struct texts_port_state *state), void *arg)
{
	struct texts_port_state state;

	for (const struct text_port *port = texts->ports; port; port = port->next) {
		state = (struct texts_port_state){
			.name = port->name,
			.kind = port->kind,
			.trouble = port->trouble,
			.waiting = port->queue.waiting + port->queue.put_off + port->in_hand,
			.sent = port->sent,
			.counters = port->counters,
		};
		if (port->ops || state.waiting || state.sent)
			each(arg, &state);
	}
	for (size_t i = 0; texts_reader_state(texts, i, &state); i++)
		each(arg, &state);
}
