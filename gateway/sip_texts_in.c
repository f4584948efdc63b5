/* sip_texts_in.c - MESSAGEs of the SIP side: routed as calls are, stored, answered. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/text.h"
#include "base/timer.h"
#include "gateway/pbx_door.h"
#include "gateway/sip_link.h"
#include "gateway/sip_texts_priv.h"
#include "gateway/text_body.h"
#include "mailbox/mime.h"

#define MODULE "texts"

enum { BUSY_RETRY_AFTER_S = 30 };

/* ---- the response ---- */

static void reply(const struct sip_texts *texts, uint64_t number, unsigned code, const char *phrase)
{
	SipAgent__ToAgent message = SIP_AGENT__TO_AGENT__INIT;
	SipAgent__TextReply body = SIP_AGENT__TEXT_REPLY__INIT;

	body.text = number;
	body.code = code;
	body.phrase = (char *)phrase;
	/* RFC 3261 21.5.4: without Retry-After a 503 counts as a 500. */
	body.retry_after_s = code == 503 ? BUSY_RETRY_AFTER_S : 0;
	message.body_case = SIP_AGENT__TO_AGENT__BODY_TEXT_REPLY;
	message.text_reply = &body;
	sip_link_send(texts->world.link, &message); /* unheard, the peer sends it anew */
}

static void challenge(const struct sip_texts *texts, uint64_t number,
		      char challenges[DIGEST_ASKED][DIGEST_TEXT_SIZE])
{
	SipAgent__ToAgent message = SIP_AGENT__TO_AGENT__INIT;
	SipAgent__TextReply body = SIP_AGENT__TEXT_REPLY__INIT;
	char *values[DIGEST_ASKED];

	for (size_t i = 0; i < DIGEST_ASKED; i++)
		values[i] = challenges[i];
	body.text = number;
	body.code = 401;
	body.challenges = values;
	body.n_challenges = DIGEST_ASKED;
	message.body_case = SIP_AGENT__TO_AGENT__BODY_TEXT_REPLY;
	message.text_reply = &body;
	sip_link_send(texts->world.link, &message);
}

static void refuse(const struct sip_texts *texts, const SipAgent__TextIn *text, unsigned code,
		   const char *why)
{
	log_warn(MODULE, "SIP MESSAGE from=%s to=%s is refused with %u: %s", text->from_uri,
		 text->request_uri, code, why);
	/* Words of others do not go out as ours. */
	reply(texts, text->text, code, text_is_clean(slice_str(why)) ? why : "");
}

/* ---- those that wait ---- */

/* Linear: at most SIP_TEXTS_ASKED wait. */
static struct sip_in **find(struct sip_texts *texts, const uint8_t key[TEXT_KEY_SIZE])
{
	struct sip_in **at = &texts->in;

	while (*at && memcmp((*at)->key, key, TEXT_KEY_SIZE) != 0)
		at = &(*at)->next;
	return at;
}

static void drop(struct sip_texts *texts, struct sip_in **at)
{
	struct sip_in *in = *at;

	*at = in->next;
	if (!in->next)
		texts->in_tail = at;
	texts->n_in--;
	free(in);
}

static void keep_waiting(struct sip_texts *texts, uint64_t number, const uint8_t key[TEXT_KEY_SIZE])
{
	struct sip_in *in = calloc(1, sizeof(*in));

	if (!in) { /* it is not durable yet; the request sent anew is known by its key */
		reply(texts, number, 503, "");
		return;
	}
	in->number = number;
	memcpy(in->key, key, sizeof(in->key));
	in->until_ms = clock_mono_ms() + SIP_TEXT_POSTED_MS;
	*texts->in_tail = in;
	texts->in_tail = &in->next;
	if (texts->n_in++ == 0)
		/* The list is in the order of until_ms, so its head alone needs the timer. */
		timer_arm(texts->timer, SIP_TEXT_POSTED_MS);
}

void sip_in_stored(void *arg, const uint8_t key[TEXT_KEY_SIZE])
{
	struct sip_in **at = find(arg, key);

	if (*at)
		(*at)->stored = true;
}

/* Returns whether the peer hears of it by the response. */
bool sip_in_posted(void *arg, const uint8_t key[TEXT_KEY_SIZE], const char *refusal)
{
	struct sip_texts *texts = arg;
	struct sip_in **at = find(texts, key);

	if (!*at)
		return false;
	if (*refusal)
		reply(texts, (*at)->number, 404,
		      text_is_clean(slice_str(refusal)) ? refusal : "Not Found");
	else
		reply(texts, (*at)->number, 202, "");
	drop(texts, at);
	return true;
}

void sip_in_forgotten(void *arg, const uint8_t key[TEXT_KEY_SIZE])
{
	struct sip_texts *texts = arg;
	struct sip_in **at = find(texts, key);

	if (!*at)
		return;
	reply(texts, (*at)->number, 503, "");
	drop(texts, at);
}

/* The rendezvous is slow, or away: what is stored is accepted (RFC 3428, section 7).  One that is
 * not stored yet, as its receiver is being looked up, keeps none behind it waiting. */
void sip_in_due(struct sip_texts *texts)
{
	int64_t now_ms = clock_mono_ms();
	struct sip_in **at = &texts->in;

	while (*at && (*at)->until_ms <= now_ms) {
		if (!(*at)->stored) {
			at = &(*at)->next;
			continue;
		}
		reply(texts, (*at)->number, 202, "");
		drop(texts, at);
	}
	/* Those in front of *at are overdue and not stored: looked at again after a while. */
	if (texts->in)
		timer_arm(texts->timer,
			  *at && at == &texts->in ? (*at)->until_ms - now_ms : SIP_TEXT_POSTED_MS);
}

/* Without an answer: the agent says 504 by itself. */
void sip_in_forget(struct sip_texts *texts)
{
	while (texts->in)
		drop(texts, &texts->in);
}

/* ---- a MESSAGE ---- */

struct text_asked {
	const SipAgent__TextIn *text;
	const char *from; /* the identity that counts for the maps */
};

/* The same for a request that is sent anew, also to the next run of this program: then it
 * is answered and not sent on again. */
static int make_key(const SipAgent__TextIn *text, uint8_t key_out[TEXT_KEY_SIZE])
{
	uint8_t digest[EVP_MAX_MD_SIZE],
		octets[4] = { (uint8_t)(text->cseq >> 24), (uint8_t)(text->cseq >> 16),
			      (uint8_t)(text->cseq >> 8), (uint8_t)text->cseq };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
		  EVP_DigestUpdate(ctx, text->call_id, strlen(text->call_id) + 1) == 1 &&
		  /* Texts with their NUL, so that no two requests make the same octets. */
		  EVP_DigestUpdate(ctx, text->from_tag, strlen(text->from_tag) + 1) == 1 &&
		  EVP_DigestUpdate(ctx, octets, sizeof(octets)) == 1 &&
		  EVP_DigestUpdate(ctx, text->request_uri, strlen(text->request_uri) + 1) == 1 &&
		  EVP_DigestUpdate(ctx, text->body.data, text->body.len) == 1 &&
		  EVP_DigestFinal_ex(ctx, digest, NULL) == 1;

	EVP_MD_CTX_free(ctx);
	if (ok)
		memcpy(key_out, digest, TEXT_KEY_SIZE);
	return ok ? 0 : -ENOMEM;
}

static bool is_readable_type(const char *type)
{
	static const char plain[] = "text/plain", multipart[] = "multipart/";
	size_t n = sizeof(plain) - 1;

	/* RFC 3428, section 9: without a type it is text/plain. */
	/* "text/plain" alone ends with its NUL, which strchr() finds as well. */
	return !*type || (strncasecmp(type, plain, n) == 0 && strchr("; \t", type[n])) ||
	       strncasecmp(type, multipart, sizeof(multipart) - 1) == 0;
}

/* The body is read as that of a mail with the same type: charsets, parts and attachments
 * are the same there.  Returns as mime_read(). */
static int read_body(const SipAgent__TextIn *text, struct message *m_out, struct diag *diag)
{
	/* From and To are there for the reader alone: a mail must have them, this one's are not
	 * looked at. */
	static const char head[] = "From: <sip>\nTo: <sip>\nMIME-Version: 1.0\n"
				   "Content-Transfer-Encoding: 8bit\nContent-Type: ";
	const char *type = *text->content_type ? text->content_type : "text/plain";
	size_t room = sizeof(head) + strlen(type) + 2 + text->body.len;
	char *mail = malloc(room);
	size_t n;
	int err;

	if (!mail)
		return -ENOMEM;
	n = (size_t)snprintf(mail, room, "%s%s\n\n", head, type);
	if (text->body.len)
		memcpy(mail + n, text->body.data, text->body.len);
	err = mime_read(slice_of((uint8_t *)mail, n + text->body.len), m_out, diag);
	free(mail);
	return err;
}

/* Routed as a call with these addresses would be.  Returns 0, or the code with its reason. */
static unsigned route(const struct sip_texts *texts, const struct text_asked *asked,
		      struct route_answer *answer_out)
{
	const struct route_call question = { .from_interface = ROUTE_SIP,
					     .to = slice_str(asked->text->request_uri),
					     .from = slice_str(asked->from) };

	if (!router_route(cig_config_router(texts->config), &question, answer_out, NULL))
		return answer_out->code;
	if (!uri_same_number(slice_str(answer_out->from),
			     slice_str(texts_own_uri(texts->world.texts)))) {
		snprintf(answer_out->reason, sizeof(answer_out->reason),
			 "the source maps give a number that is not this gateway's");
		return 403;
	}
	return 0;
}

static unsigned code_of(int err)
{
	return err == -EMSGSIZE || err == -EFBIG ? 413
	       : err == -EINVAL                  ? 404
	       : err == -EAGAIN                  ? 503
						 : 500;
}

static void submit(struct sip_texts *texts, const struct text_asked *asked,
		   const struct route_answer *answer, const struct message *m)
{
	const SipAgent__TextIn *text = asked->text;
	struct text_body body;
	struct text_in in = { .from = answer->from,
			      .to = answer->to,
			      .outer_from = asked->from,
			      .outer_to = text->request_uri,
			      .body = &body.pub };
	char why[TEXT_WHY_SIZE] = "out of memory";
	int err = make_key(text, in.key);

	text_body_of(&body, m);
	if (!err)
		err = texts_submit(texts->port, &in, why);
	if (!err)
		keep_waiting(texts, text->text, in.key);
	else if (err == -EALREADY)
		reply(texts, text->text, 202, "");
	else
		refuse(texts, text, code_of(err), why);
}

static void take_routed(struct sip_texts *texts, const struct text_asked *asked,
			const struct route_answer *answer)
{
	const SipAgent__TextIn *text = asked->text;
	struct diag *diag = diag_new();
	struct message m;
	int err;

	message_init(&m);
	err = diag ? read_body(text, &m, diag) : -ENOMEM;
	if (!err)
		submit(texts, asked, answer, &m);
	else
		refuse(texts, text, err == -EBADMSG ? 400 : code_of(err),
		       diag && diag_errors(diag) ? diag_first_error(diag) : strerror(-err));
	message_clear(&m);
	diag_free(&diag);
}

/* Who it is from, and whether that is so.  False: it has been answered. */
static bool may_in(const struct sip_texts *texts, struct text_asked *asked)
{
	const SipAgent__TextIn *text = asked->text;
	const struct pbx_request request = { .method = "MESSAGE",
					     .source = text->source ? text->source->address : "",
					     .from_uri = text->from_uri,
					     .asserted_uris = text->asserted_uris,
					     .n_asserted_uris = text->n_asserted_uris,
					     .authorizations = text->authorizations,
					     .n_authorizations = text->n_authorizations,
					     .anonymous = text->anonymous };
	char challenges[DIGEST_ASKED][DIGEST_TEXT_SIZE];
	const struct cig_pbx *pbx;
	struct net_addr source;
	int err;

	if (net_parse(request.source, 5060, &source)) {
		reply(texts, text->text, 500, "");
		return false;
	}
	pbx = cig_config_pbx_from(texts->config, &source.sa);
	asked->from = pbx_door_identity(pbx, &request);
	err = pbx_door_check(texts->world.door, pbx, &request, challenges);
	if (err == -EACCES)
		challenge(texts, text->text, challenges);
	else if (err)
		reply(texts, text->text, 500, "");
	return !err;
}

void sip_in_take(struct sip_texts *texts, const SipAgent__TextIn *text)
{
	struct text_asked asked = { .text = text };
	struct route_answer answer;
	unsigned code;

	/* Each that waits is looked through for every answer: few enough for that. */
	if (!texts->port || texts->n_in >= SIP_TEXTS_ASKED) {
		reply(texts, text->text, 503, "");
		return;
	}
	/* Before the body is read: a stranger's costs nothing. */
	if (!may_in(texts, &asked))
		return;
	if (!is_readable_type(text->content_type)) {
		refuse(texts, text, 415, "Unsupported Media Type");
		return;
	}
	if (!*texts_own_uri(texts->world.texts)) {
		refuse(texts, text, 503, "the gateway has no keys");
		return;
	}
	code = route(texts, &asked, &answer);
	if (code)
		refuse(texts, text, code, answer.reason);
	else
		take_routed(texts, &asked, &answer);
}
