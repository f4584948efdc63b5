/* sip_texts_done.c - what becomes of a MESSAGE of ours: challenged, taken, refused, or silence. */
#include <stdio.h>
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

void sip_out_challenged(struct sip_texts *texts, const SipAgent__TextChallenged *challenged)
{
	struct sip_out *out = sip_out_find(texts, challenged->text);
	struct digest_challenge challenges[DIGEST_MAX_CHALLENGES];
	struct digest_asked asked = { .challenges = challenges,
				      .number = challenged->number,
				      .method = "MESSAGE",
				      .uri = challenged->uri };
	struct digest_headers headers;
	SipAgent__ToAgent message = SIP_AGENT__TO_AGENT__INIT;
	SipAgent__TextAuthorize body = SIP_AGENT__TEXT_AUTHORIZE__INIT;
	const struct cig_account *account =
		out && out->auth ? cig_config_account(texts->config, out->auth) : NULL;

	if (!out)
		return;
	if (!account && out->auth) { /* a reload took it away meanwhile: routed anew */
		sip_out_put_off(texts, out, TEXT_RETRY_MS, "its account is gone");
		return;
	}
	if (!account) {
		sip_out_finish(
			out,
			"the PBX asks for a password, but the map entry names no auth account");
		return;
	}
	for (size_t i = 0; i < challenged->n_challenges && asked.n < DIGEST_MAX_CHALLENGES; i++)
		asked.n += wire_challenge_get(challenged->challenges[i], &challenges[asked.n]) == 0;
	if (digest_session_answer(&out->digest, &asked,
				  &(struct digest_account){ account->user, account->password },
				  &headers)) {
		sip_out_finish(out,
			       "the PBX refuses the account, or asks for a digest that cannot be "
			       "answered");
		return;
	}
	body.text = out->number;
	body.number = challenged->number;
	body.authorization = headers.authorization;
	body.proxy_authorization = headers.proxy_authorization;
	message.body_case = SIP_AGENT__TO_AGENT__BODY_TEXT_AUTHORIZE;
	message.text_authorize = &body;
	sip_link_send(texts->world.link, &message); /* unheard, the agent gives it up */
	OPENSSL_cleanse(&headers, sizeof(headers));
}

/* May another try, later, fare better? */
static bool may_change(uint32_t code)
{
	/* RFC 3261 21.4 to 21.6: codes that speak of the moment, not of the text or its
	 * receiver. */
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

	sip_host_answered(texts, &out->target);
	if (++out->part == out->parts) {
		sip_out_finish(out, NULL);
		return;
	}
	/* The note is the number of parts that have gone: after a crash the next one is sent, not
	 * the first. */
	snprintf(note, sizeof(note), "%zu", out->part);
	if (text_port_keep(texts->port, out->id, note) == 0)
		out->keeping = true;
	else /* a full disk: a crash would repeat this part */
		sip_out_request(out);
}

/* The older the text, the rarer it is tried. */
static unsigned age_backoff(const struct sip_out *out)
{
	int64_t ms = (clock_wall_s() - out->sent_s) * 1000 / 2;

	return ms < SIP_TEXT_BACKOFF_MIN_MS ? SIP_TEXT_BACKOFF_MIN_MS
	       : ms > AGE_BACKOFF_MAX_MS    ? AGE_BACKOFF_MAX_MS
					    : (unsigned)ms;
}

/* At the next server of the same PBX, under the same Call-ID.  Returns whether there is one
 * that may do better. */
static bool go_elsewhere(struct sip_out *out, const SipAgent__TextDone *done)
{
	char address[NET_TEXT_SIZE], id[BASE64_TEXT_SIZE(UMSG_ID_SIZE)];

	if (!pbx_way_next_helps(done->code) || out->way + 1 >= out->n_ways)
		return false;
	net_format(&out->ways[out->way].addr, address);
	base64_encode(BASE64_STANDARD, slice_of(out->id, sizeof(out->id)), id);
	log_warn(MODULE, "message=%s server=%s fails: %u %s; trying the next one", id, address,
		 done->code, text_is_clean(slice_str(done->phrase)) ? done->phrase : "");
	out->way++;
	sip_out_request(out);
	return true;
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
		sip_out_finish(out, why);
		return;
	}
	/* Nobody answered, or could not be reached: neither would the others' requests. */
	if (done->code == 408 || (done->code == 503 && !done->retry_after_s))
		sip_host_failed(texts, &out->target);
	after_ms = sip_host_rests_ms(texts, &out->target);
	if (done->retry_after_s)
		after_ms = 1000 * (done->retry_after_s < RETRY_AFTER_MAX_S ? done->retry_after_s
									   : RETRY_AFTER_MAX_S);
	sip_out_put_off(texts, out, after_ms ? after_ms : age_backoff(out), why);
}

void sip_out_done(struct sip_texts *texts, const SipAgent__TextDone *done)
{
	struct sip_out *out = sip_out_find(texts, done->text);

	if (!out)
		return;
	/* The transaction is over: a late answer to it finds nothing. */
	out->number = 0;
	digest_session_wipe(&out->digest);
	pbxs_met(texts->world.pbxs, &out->ways[out->way], done->code, done->retry_after_s);
	if (done->code / 100 == 2)
		part_went(out);
	else if (!go_elsewhere(out, done))
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
		sip_out_request(out);
		out = texts->out; /* others may have been put off together with it */
	}
}
