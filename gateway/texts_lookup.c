/* texts_lookup.c - texts from outside whose receiver's domain is being looked up.
 *
 * They are in memory only: nobody was told yet that they are stored.  A peer that hears nothing
 * gives up, and whoever wrote the text sends it again, as another one: so it is held for less time
 * than a peer waits, and then given back.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/pack.h"
#include "gateway/peer_domain.h"
#include "gateway/texts_priv.h"

#define MODULE "texts"

enum {
	MAX_HELD = 500,
	/* A look-up and some; a MESSAGE is waited for 32 s (Timer F, RFC 3261 17.1.2.2), a
	 * deliver_sm ten seconds and more. */
	HOLD_MS = 5000,
};

struct held_text {
	struct held_text *next;
	struct text_port *port;
	struct text_in in; /* its texts and its body are the strings below */
	int64_t until_ms;
	char *strings[4];
	Umsg__TextBody *body;
};

static void held_free(struct held_text *held)
{
	for (size_t i = 0; i < sizeof(held->strings) / sizeof(held->strings[0]); i++)
		free(held->strings[i]);
	PACK_FREE(&held->body);
	free(held);
}

static struct held_text *held_new(struct text_port *port, const struct text_in *in)
{
	struct held_text *held = calloc(1, sizeof(*held));
	char **s;

	if (!held)
		return NULL;
	s = held->strings;
	held->port = port;
	held->in = *in;
	held->until_ms = in->kept ? INT64_MAX : clock_mono_ms() + HOLD_MS;
	held->body = (Umsg__TextBody *)(void *)pack_copy(&in->body->base);
	held->in.body = held->body;
	held->in.from = s[0] = strdup(in->from);
	held->in.to = s[1] = strdup(in->to);
	held->in.outer_from = s[2] = strdup(in->outer_from);
	held->in.outer_to = s[3] = strdup(in->outer_to);
	if (held->body && s[0] && s[1] && s[2] && s[3])
		return held;
	held_free(held);
	return NULL;
}

int texts_ask_domain(const struct texts *texts, const char *to)
{
	char bare[UMSG_URI_SIZE];

	/* Domains are looked up by the bare number. */
	snprintf(bare, sizeof(bare), "%.*s", (int)strcspn(to, ";"), to);
	return peer_domain_ask(texts->client, bare);
}

int texts_hold(struct text_port *port, const struct text_in *in)
{
	struct held_text **at = &port->texts->held, *held;

	if (port->texts->n_held >= MAX_HELD)
		return -ENOBUFS;
	held = held_new(port, in);
	if (!held)
		return -ENOMEM;
	while (*at) /* texts to one receiver keep their order */
		at = &(*at)->next;
	*at = held;
	port->texts->n_held++;
	return 0;
}

bool texts_holds(const struct text_port *port, const uint8_t key[TEXT_KEY_SIZE])
{
	const struct held_text *held = port->texts->held;

	while (held && (held->port != port || memcmp(held->in.key, key, TEXT_KEY_SIZE) != 0))
		held = held->next;
	return held != NULL;
}

/* Returns false while it has to be held. */
static bool let_go(struct texts *texts, const struct held_text *held)
{
	int err = texts->client ? texts_ask_domain(texts, held->in.to) : -ENOTCONN;
	const char *refusal = peer_domain_refusal(err);
	char why[TEXT_WHY_SIZE] = "";

	if (!err) {
		err = texts_seal_in(held->port, &held->in, why);
		if (err == -EINVAL || err == -EMSGSIZE)
			refusal = why;
	}
	/* Its sender was promised an answer: it comes when the refusal is durable. */
	/* Not journaled for now: it is held, and tried with the next answer. */
	return refusal ? texts_refuse_in(held->port, &held->in, refusal) == 0 : err == 0;
}

static void give_back(const struct held_text *held)
{
	const struct text_port_ops *ops = held->port->ops;

	log_warn(MODULE,
		 "port=%s from=%s to=%s is to be sent again: it is not known whose keys %s has",
		 held->port->name, held->in.outer_from, held->in.outer_to, held->in.to);
	if (ops && ops->forgotten)
		ops->forgotten(held->port->arg, held->in.key);
}

void texts_ask_again(struct texts *texts)
{
	struct held_text **at = &texts->held, *held;

	while ((held = *at)) {
		/* Also when it could go now: its peer may have given up, where this program stood
		 * still. */
		bool overdue = clock_mono_ms() >= held->until_ms;

		if (!overdue && !let_go(texts, held)) {
			at = &held->next;
			continue;
		}
		*at = held->next;
		texts->n_held--;
		if (overdue)
			give_back(held);
		held_free(held);
	}
}

void texts_looked_up(struct texts *texts)
{
	texts_ask_again(texts);
	if (texts->files_ask) {
		texts->files_ask = false;
		texts_wake_reader(texts);
		texts_schedule(texts);
	}
}

void texts_drop_held(struct texts *texts, const struct text_port *port)
{
	struct held_text **at = &texts->held, *held;

	while ((held = *at)) {
		if (port && held->port != port) {
			at = &held->next;
			continue;
		}
		*at = held->next;
		texts->n_held--;
		held_free(held);
	}
}
