/* sip_texts_out.c - texts to the SIP side, one at a time to each recipient. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/text.h"
#include "gateway/sip_link.h"
#include "gateway/sip_texts_priv.h"

/* ---- where a text goes ---- */

/* By the same maps as a call (CIG manual 2.9, "Configuration").  Returns whether it goes to
 * the SIP side. */
static bool route(const struct sip_texts *texts, const char *sender, const char *receiver,
		  struct route_answer *answer_out)
{
	const struct route_call question = { .from_interface = ROUTE_TEL,
					     .to = slice_str(receiver),
					     .from = slice_str(sender) };

	return router_route(cig_config_router(texts->config), &question, answer_out, NULL) &&
	       answer_out->interface == ROUTE_SIP;
}

int sip_out_match(void *arg, const char *sender, const char *receiver,
		  struct cig_addresses *addresses_out)
{
	const struct sip_texts *texts = arg;
	struct route_answer answer;

	if (!route(texts, sender, receiver, &answer))
		return 0;
	snprintf(addresses_out->from, sizeof(addresses_out->from), "%s", answer.from);
	snprintf(addresses_out->to, sizeof(addresses_out->to), "%s", answer.to);
	return 1;
}

/* ---- in hand ---- */

static void free_out(struct sip_out *out)
{
	pbxs_cancel(&out->search);
	free(out->ways);
	digest_session_wipe(&out->digest);
	free(out->from);
	free(out->to);
	free(out->auth);
	free(out->text);
	free(out);
}

static void remove_out(struct sip_texts *texts, struct sip_out *gone)
{
	struct sip_out **at = &texts->out;

	while (*at != gone)
		at = &(*at)->next;
	*at = gone->next;
	if (!gone->next)
		texts->out_tail = at;
	texts->n_out--;
	texts->n_begun -= gone->begun;
	free_out(gone);
}

struct sip_out *sip_out_find(const struct sip_texts *texts, uint64_t number)
{
	struct sip_out *out = texts->out;

	while (out && (!out->number || out->number != number))
		out = out->next;
	return out;
}

static void begin_more(struct sip_texts *texts);

void sip_out_finish(struct sip_out *out, const char *failure)
{
	struct sip_texts *texts = out->texts;
	uint8_t id[UMSG_ID_SIZE];

	memcpy(id, out->id, sizeof(id));
	remove_out(texts, out);
	/* After the removal: the port may offer the next text from within. */
	if (failure)
		text_port_failed(texts->port, id, failure);
	else
		text_port_delivered(texts->port, id);
	text_port_ready(texts->port); /* there is room for one more */
	begin_more(texts);
}

void sip_out_put_off(struct sip_texts *texts, struct sip_out *failed, unsigned after_ms,
		     const char *why)
{
	char *to = failed->to;
	struct sip_out *next;

	/* It is compared with behind failed's removal, so it is taken out first. */
	failed->to = NULL;
	for (struct sip_out *out = texts->out; out; out = next) {
		next = out->next;
		/* Others for the same recipient wait with it, in their order. */
		if (out != failed && strcmp(out->to, to) != 0)
			continue;
		text_port_later(texts->port, out->id, after_ms, why);
		remove_out(texts, out);
	}
	free(to);
	text_port_ready(texts->port);
	begin_more(texts);
}

void sip_out_forget(void *arg, const uint8_t id[UMSG_ID_SIZE])
{
	struct sip_texts *texts = arg;

	for (struct sip_out *out = texts->out; out; out = out->next)
		if (memcmp(out->id, id, sizeof(out->id)) == 0) {
			remove_out(texts, out);
			return;
		}
}

void sip_out_stop(struct sip_texts *texts, const char *why)
{
	while (texts->out) {
		if (texts->port)
			text_port_later(texts->port, texts->out->id, 0, why);
		remove_out(texts, texts->out);
	}
}

void sip_out_reroute(struct sip_texts *texts, const char *why)
{
	struct sip_out *next;

	for (struct sip_out *out = texts->out; out; out = next) {
		next = out->next;
		/* The answer is awaited, or behind it the journal's note. */
		if (out->number || out->keeping)
			continue;
		text_port_later(texts->port, out->id, 0, why);
		remove_out(texts, out);
	}
}

/* ---- a request ---- */

static int send_request(struct sip_out *out)
{
	const struct cig_config *config = out->texts->config;
	const struct cig_pbx *pbx = cig_config_pbx_of_host(config, out->target.host);
	const struct pbx_way *way = &out->ways[out->way];
	char body[SIP_TEXT_PART_SIZE], host[NET_TEXT_SIZE];
	char id[HEX_TEXT_SIZE(UMSG_ID_SIZE)], call_id[sizeof(id) + 40];
	SipAgent__ToAgent message = SIP_AGENT__TO_AGENT__INIT;
	SipAgent__Target target = SIP_AGENT__TARGET__INIT;
	SipAgent__Text text = SIP_AGENT__TEXT__INIT;
	int err;

	net_format_host(&way->addr, host);
	target.address = host;
	target.port = net_port(&way->addr);
	target.transport = (SipAgent__Transport)way->transport; /* in the same order */
	target.name = (char *)way->name;
	sip_text_part(out->text, out->part, out->parts, body);
	/* The same for each try of a part: a recipient may know a repeat by it. */
	hex_encode(slice_of(out->id, sizeof(out->id)), id);
	snprintf(call_id, sizeof(call_id), "%s-%zu@cig", id, out->part + 1);
	out->number = sip_link_next_call(out->texts->world.link);
	text.text = out->number;
	text.request_uri = text.to_uri = out->to;
	text.from_uri = out->from;
	if (pbx && pbx->assert_identity)
		text.asserted_uri = out->from;
	text.answer_ms = pbx_way_answer_ms(config, out->target.host, out->way + 1 == out->n_ways);
	text.target = &target;
	text.call_id = call_id;
	text.content_type = (char *)"text/plain;charset=UTF-8";
	text.body = (ProtobufCBinaryData){ strlen(body), (uint8_t *)body };
	message.body_case = SIP_AGENT__TO_AGENT__BODY_TEXT;
	message.text = &text;
	err = sip_link_send(out->texts->world.link, &message);
	if (err)
		out->number = 0;
	return err;
}

void sip_out_request(struct sip_out *out)
{
	struct sip_texts *texts = out->texts;
	int err = send_request(out);

	if (err)
		sip_out_put_off(texts, out, TEXT_RETRY_MS, strerror(-err));
}

static void on_found(void *arg, const struct pbx_way *ways, size_t n, const char *why)
{
	struct sip_out *out = arg;
	struct sip_texts *texts = out->texts;
	char text[TEXT_WHY_SIZE];

	out->search = NULL;
	if (n == 0) {
		snprintf(text, sizeof(text), "PBX %.60s: %.80s", out->target.host, why);
		sip_host_failed(texts, &out->target);
		/* One millisecond more than the rest, so that the host's rest is over by then. */
		sip_out_put_off(texts, out, sip_host_rests_ms(texts, &out->target) + 1, text);
		return;
	}
	out->ways = calloc(n, sizeof(*ways));
	if (!out->ways) {
		sip_out_put_off(texts, out, TEXT_RETRY_MS, strerror(ENOMEM));
		return;
	}
	memcpy(out->ways, ways, n * sizeof(*ways));
	out->n_ways = n;
	sip_out_request(out);
}

/* Does it wait behind another one for its recipient? */
static bool is_next(const struct sip_texts *texts, const struct sip_out *out)
{
	/* Quadratic over what is in hand: SIP_TEXTS_IN_HAND at most. */
	for (const struct sip_out *before = texts->out; before != out; before = before->next)
		if (strcmp(before->to, out->to) == 0)
			return false;
	return true;
}

static void begin(struct sip_out *out)
{
	struct sip_texts *texts = out->texts;

	out->begun = true;
	texts->n_begun++;
	out->search = pbxs_search(texts->world.pbxs, &out->target, on_found, out);
	if (!out->search)
		sip_out_put_off(texts, out, TEXT_RETRY_MS, strerror(ENOMEM));
}

static struct sip_out *find_next(const struct sip_texts *texts)
{
	if (texts->n_begun >= SIP_TEXTS_AT_ONCE)
		return NULL;
	for (struct sip_out *out = texts->out; out; out = out->next)
		if (!out->begun && is_next(texts, out))
			return out;
	return NULL;
}

static void begin_more(struct sip_texts *texts)
{
	/* One: whatever ends begins one more, and a flush begins all that may. */
	struct sip_out *out = find_next(texts);

	if (out)
		begin(out);
}

/* ---- offers ---- */

static struct sip_out *new_out(struct sip_texts *texts, const struct text_offer *offer,
			       const struct route_answer *answer)
{
	struct sip_out *out = calloc(1, sizeof(*out));
	unsigned long part = 0;

	if (!out)
		return NULL;
	out->texts = texts;
	memcpy(out->id, offer->id, sizeof(out->id));
	out->sent_s = offer->sent_s;
	out->target = answer->target;
	/* Copied: a reload may come while its request is under way. */
	out->auth = answer->auth ? strdup(answer->auth) : NULL;
	out->from = strdup(answer->from);
	out->to = strdup(answer->to);
	out->text = sip_text_whole(offer->body);
	if (!out->from || !out->to || !out->text || (answer->auth && !out->auth)) {
		free_out(out);
		return NULL;
	}
	out->parts = sip_text_parts(out->text);
	/* The note of an earlier try: how many parts have gone. */
	if (text_number(slice_str(offer->note), 0, out->parts - 1, &part))
		out->part = part;
	return out;
}

/* Nothing goes to a host that does not answer. */
static bool may_go(struct sip_texts *texts, const struct text_offer *offer,
		   const struct route_answer *answer)
{
	unsigned rest_ms = sip_host_rests_ms(texts, &answer->target);
	char why[TEXT_WHY_SIZE];

	if (rest_ms) {
		snprintf(why, sizeof(why), "%.80s port %u does not answer", answer->target.host,
			 answer->target.port);
		text_port_later(texts->port, offer->id, rest_ms, why);
	}
	return !rest_ms;
}

enum text_answer sip_out_offer(void *arg, const struct text_offer *offer, char why[TEXT_WHY_SIZE])
{
	struct sip_texts *texts = arg;
	struct route_answer answer;
	struct sip_out *out;

	if (!sip_link_is_ready(texts->world.link)) {
		snprintf(why, TEXT_WHY_SIZE, "cig-sip is not running");
		return TEXT_WAIT;
	}
	if (texts->n_out >= SIP_TEXTS_IN_HAND) {
		snprintf(why, TEXT_WHY_SIZE, "others go first");
		return TEXT_WAIT;
	}
	/* As the maps are now; the journal's addresses are those of when it came. */
	if (!route(texts, offer->sender, offer->receiver, &answer)) {
		snprintf(why, TEXT_WHY_SIZE, "no map leads to the SIP side any more");
		return TEXT_NEVER;
	}
	if (!may_go(texts, offer, &answer))
		return TEXT_IN_HAND; /* its outcome was told */
	out = new_out(texts, offer, &answer);
	if (!out) {
		snprintf(why, TEXT_WHY_SIZE, "out of memory");
		return TEXT_WAIT;
	}
	*texts->out_tail = out;
	texts->out_tail = &out->next;
	texts->n_out++;
	return TEXT_IN_HAND;
}

void sip_out_flush(void *arg)
{
	struct sip_texts *texts = arg;
	struct sip_out *out;

	while ((out = find_next(texts)))
		begin(out);
}
