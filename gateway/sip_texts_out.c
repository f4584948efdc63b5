/* sip_texts_out.c - texts to the SIP side, one at a time to each recipient. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/sip_link.h"
#include "gateway/sip_texts_priv.h"
#include "gateway/sip_wire.h"

#define MODULE "texts"

enum {
	RETRY_AFTER_MAX_S = 3600,
	AGE_BACKOFF_MAX_MS = 600000,
};

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

/* ---- hosts that do not answer ---- */

static struct sip_host *find_host(const struct sip_texts *texts, const struct sip_target *target)
{
	struct sip_host *host = texts->hosts;

	while (host && (host->port != target->port || strcmp(host->host, target->host) != 0))
		host = host->next;
	return host;
}

/* Hosts stand in map entries only, so there are few. */
static void host_failed(struct sip_texts *texts, const struct sip_target *target)
{
	struct sip_host *host = find_host(texts, target);
	int64_t wait_ms;

	if (!host) {
		host = calloc(1, sizeof(*host));
		if (!host)
			return;
		snprintf(host->host, sizeof(host->host), "%s", target->host);
		host->port = target->port;
		host->next = texts->hosts;
		texts->hosts = host;
	}
	wait_ms = (int64_t)SIP_TEXT_BACKOFF_MIN_MS << host->failures;
	if (wait_ms > SIP_TEXT_BACKOFF_MAX_MS)
		wait_ms = SIP_TEXT_BACKOFF_MAX_MS;
	else
		host->failures++;
	host->down_until_ms = clock_mono_ms() + wait_ms;
}

static void host_answered(struct sip_texts *texts, const struct sip_target *target)
{
	struct sip_host *host = find_host(texts, target);

	if (host)
		host->failures = 0;
}

/* How long the host rests yet, 0: it does not. */
static unsigned rests_ms(const struct sip_texts *texts, const struct sip_target *target)
{
	const struct sip_host *host = find_host(texts, target);
	int64_t left = host && host->failures ? host->down_until_ms - clock_mono_ms() : 0;

	return left > 0 ? (unsigned)left : 0;
}

void sip_out_forget_hosts(struct sip_texts *texts)
{
	while (texts->hosts) {
		struct sip_host *host = texts->hosts;

		texts->hosts = host->next;
		free(host);
	}
}

/* ---- in hand ---- */

static void free_out(struct sip_out *out)
{
	pbxs_cancel(&out->search);
	digest_session_wipe(&out->digest);
	free(out->from);
	free(out->to);
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

static struct sip_out *find_number(const struct sip_texts *texts, uint64_t number)
{
	struct sip_out *out = texts->out;

	while (out && (!out->number || out->number != number))
		out = out->next;
	return out;
}

static void begin_more(struct sip_texts *texts);

static void finish(struct sip_out *out, const char *failure)
{
	struct sip_texts *texts = out->texts;
	uint8_t id[UMSG_ID_SIZE];

	memcpy(id, out->id, sizeof(id));
	remove_out(texts, out);
	if (failure)
		text_port_failed(texts->port, id, failure);
	else
		text_port_delivered(texts->port, id);
	text_port_ready(texts->port); /* there is room for one more */
	begin_more(texts);
}

/* This one and all others to its recipient: later, so that their order stays. */
static void put_off(struct sip_texts *texts, struct sip_out *failed, unsigned after_ms,
		    const char *why)
{
	char *to = failed->to;
	struct sip_out *next;

	failed->to = NULL;
	for (struct sip_out *out = texts->out; out; out = next) {
		next = out->next;
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

/* ---- a request ---- */

static int send_request(struct sip_out *out)
{
	char body[SIP_TEXT_PART_SIZE], host[NET_TEXT_SIZE];
	char id[HEX_TEXT_SIZE(UMSG_ID_SIZE)], call_id[sizeof(id) + 40];
	SipAgent__ToAgent message = SIP_AGENT__TO_AGENT__INIT;
	SipAgent__Target target = SIP_AGENT__TARGET__INIT;
	SipAgent__Text text = SIP_AGENT__TEXT__INIT;
	int err;

	net_format_host(&out->way.addr, host);
	target.address = host;
	target.port = net_port(&out->way.addr);
	target.transport = (SipAgent__Transport)out->way.transport; /* in the same order */
	target.name = out->way.name;
	sip_text_part(out->text, out->part, out->parts, body);
	/* The same for each try of a part: a recipient may know a repeat by it. */
	hex_encode(slice_of(out->id, sizeof(out->id)), id);
	snprintf(call_id, sizeof(call_id), "%s-%zu@cig", id, out->part + 1);
	out->number = sip_link_next_call(out->texts->world.link);
	text.text = out->number;
	text.request_uri = text.to_uri = out->to;
	text.from_uri = out->from;
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

static void request(struct sip_out *out)
{
	struct sip_texts *texts = out->texts;
	int err = send_request(out);

	if (err)
		put_off(texts, out, TEXT_RETRY_MS, strerror(-err));
}

/* The best one: what a text meets there counts, so that the next try may go elsewhere. */
static void on_found(void *arg, const struct pbx_way *ways, size_t n, const char *text)
{
	struct sip_out *out = arg;
	struct sip_texts *texts = out->texts;
	char why[TEXT_WHY_SIZE];

	out->search = NULL;
	if (n) {
		out->way = ways[0];
		request(out);
		return;
	}
	snprintf(why, sizeof(why), "%.60s: %.80s", out->target.host, text);
	host_failed(texts, &out->target);
	put_off(texts, out, rests_ms(texts, &out->target) + 1, why);
}

/* Does it wait behind another one for its recipient? */
static bool is_next(const struct sip_texts *texts, const struct sip_out *out)
{
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
		put_off(texts, out, TEXT_RETRY_MS, strerror(ENOMEM));
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
	out->auth = answer->auth;
	out->from = strdup(answer->from);
	out->to = strdup(answer->to);
	out->text = sip_text_whole(offer->body);
	if (!out->from || !out->to || !out->text) {
		free_out(out);
		return NULL;
	}
	out->parts = sip_text_parts(out->text);
	/* The note of an earlier try: how many parts have gone. */
	if (text_number(slice_str(offer->note), 0, out->parts - 1, &part))
		out->part = part;
	return out;
}

/* Nothing goes in clear that should not, and nothing to a host that does not answer. */
static bool may_go(struct sip_texts *texts, const struct text_offer *offer,
		   const struct route_answer *answer)
{
	unsigned rest_ms = rests_ms(texts, &answer->target);
	char why[TEXT_WHY_SIZE];

	if (answer->target.transport == SIP_TLS && !texts->config->sip.tls.ca) {
		text_port_failed(
			texts->port, offer->id,
			"the entry says transport=tls, and the sip interface has no tls block");
		return false;
	}
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

/* ---- what becomes of a request ---- */

void sip_out_challenged(struct sip_texts *texts, const SipAgent__TextChallenged *challenged)
{
	struct sip_out *out = find_number(texts, challenged->text);
	struct digest_challenge challenges[DIGEST_MAX_CHALLENGES];
	char user[DIGEST_TEXT_SIZE], proxy[DIGEST_TEXT_SIZE];
	SipAgent__ToAgent message = SIP_AGENT__TO_AGENT__INIT;
	SipAgent__TextAuthorize body = SIP_AGENT__TEXT_AUTHORIZE__INIT;
	const struct cig_account *account =
		out && out->auth ? cig_config_account(texts->config, out->auth) : NULL;
	size_t n = 0;

	if (!out)
		return;
	if (!account) {
		finish(out, "the PBX asks for a password, but the map entry names no auth account");
		return;
	}
	for (size_t i = 0; i < challenged->n_challenges && n < DIGEST_MAX_CHALLENGES; i++)
		n += wire_challenge_get(challenged->challenges[i], &challenges[n]) == 0;
	if (digest_session_answer(&out->digest, challenged->number, challenges, n,
				  &(struct digest_account){ account->user, account->password },
				  "MESSAGE", challenged->uri, user, proxy)) {
		finish(out, "the PBX refuses the account, or asks for a digest that cannot be "
			    "answered");
		return;
	}
	body.text = out->number;
	body.number = challenged->number;
	body.authorization = user;
	body.proxy_authorization = proxy;
	message.body_case = SIP_AGENT__TO_AGENT__BODY_TEXT_AUTHORIZE;
	message.text_authorize = &body;
	sip_link_send(texts->world.link, &message); /* unheard, the agent gives it up */
	OPENSSL_cleanse(user, sizeof(user));
	OPENSSL_cleanse(proxy, sizeof(proxy));
}

/* May another try, later, fare better? */
static bool may_change(uint32_t code)
{
	static const uint16_t codes[] = { 408, 429, 430, 480, 486, 491, 494,
					  500, 502, 503, 504, 580, 600 };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i] == code)
			return true;
	return false;
}

static void part_went(struct sip_out *out)
{
	struct sip_texts *texts = out->texts;
	char note[24];

	host_answered(texts, &out->target);
	if (++out->part == out->parts) {
		finish(out, NULL);
		return;
	}
	snprintf(note, sizeof(note), "%zu", out->part);
	if (text_port_keep(texts->port, out->id, note) == 0)
		out->keeping = true;
	else /* a full disk: a crash would repeat this part */
		request(out);
}

/* The older the text, the rarer it is tried. */
static unsigned age_backoff(const struct sip_out *out)
{
	int64_t ms = (clock_wall_s() - out->sent_s) * 1000 / 2;

	return ms < SIP_TEXT_BACKOFF_MIN_MS ? SIP_TEXT_BACKOFF_MIN_MS
	       : ms > AGE_BACKOFF_MAX_MS    ? AGE_BACKOFF_MAX_MS
					    : (unsigned)ms;
}

static void failed(struct sip_out *out, const SipAgent__TextDone *done)
{
	struct sip_texts *texts = out->texts;
	bool clean = text_is_clean(slice_str(done->phrase));
	char why[TEXT_WHY_SIZE];
	unsigned after_ms;

	snprintf(why, sizeof(why), "SIP %u%s%.100s", done->code, clean && *done->phrase ? " " : "",
		 clean ? done->phrase : "");
	if (!may_change(done->code)) {
		finish(out, why);
		return;
	}
	pbxs_met(texts->world.pbxs, &out->way, done->code, done->retry_after_s);
	/* Nobody answered, or could not be reached: neither would the others' requests. */
	if (done->code == 408 || (done->code == 503 && !done->retry_after_s))
		host_failed(texts, &out->target);
	after_ms = rests_ms(texts, &out->target);
	if (done->retry_after_s)
		after_ms = 1000 * (done->retry_after_s < RETRY_AFTER_MAX_S ? done->retry_after_s
									   : RETRY_AFTER_MAX_S);
	put_off(texts, out, after_ms ? after_ms : age_backoff(out), why);
}

void sip_out_done(struct sip_texts *texts, const SipAgent__TextDone *done)
{
	struct sip_out *out = find_number(texts, done->text);

	if (!out)
		return;
	out->number = 0;
	digest_session_wipe(&out->digest);
	if (done->code / 100 == 2)
		part_went(out);
	else
		failed(out, done);
}

void sip_out_kept(void *arg)
{
	struct sip_texts *texts = arg;
	struct sip_out *out = texts->out;

	while (out) {
		if (!out->keeping) {
			out = out->next;
			continue;
		}
		out->keeping = false;
		request(out);
		out = texts->out; /* others may have been put off together with it */
	}
}
