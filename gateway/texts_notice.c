/* texts_notice.c - what the sender of a text from outside is told when it was in vain.
 *
 * A notice is a message like any other, from the one who could not be reached, by the way
 * by which the text had come: to the write mailboxes that match, or to that message center
 * or SIP user.  It says auto-notified, and nothing that did not come by hand is answered by
 * one, so that two machines never talk to each other for ever (RFC 3834, section 2).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/pack.h"
#include "gateway/texts_priv.h"

#define MODULE "texts"

enum { NOTICE_LIFE_S = 7 * 86400 };

static int pack_body(const Texts__Sent *sent, const char *why, ProtobufCBinaryData *packed_out)
{
	Umsg__TextBody body = UMSG__TEXT_BODY__INIT;
	char text[TEXT_WHY_SIZE + UMSG_URI_SIZE + UMSG_EXTENSION_SIZE + 64];

	snprintf(text, sizeof(text), "Your message to %s was not delivered: %s", sent->receiver,
		 why);
	body.version = 1;
	body.text = text;
	body.sent = (uint64_t)clock_wall_s();
	body.auto_submitted = UMSG__AUTO_SUBMITTED__AUTO_NOTIFIED;
	body.responder = UMSG__RESPONDER_TYPE__RESPONDER_TEL_URI;
	return pack_write(&body.base, UMSG_BODY_MAX, &packed_out->data, &packed_out->len);
}

/* Made of the message's id, so that one message has one notice, however often its end is tried:
 * where the disk took the notice and not the end, the journal knows the notice already.  Hashed
 * with a word of its own, it is the id of no message that anybody sends by chance. */
static int notice_id(const uint8_t id[UMSG_ID_SIZE], uint8_t id_out[UMSG_ID_SIZE])
{
	static const char word[] = "notice";
	uint8_t text[sizeof(word) + UMSG_ID_SIZE], digest[EVP_MAX_MD_SIZE];

	memcpy(text, word, sizeof(word));
	memcpy(text + sizeof(word), id, UMSG_ID_SIZE);
	if (EVP_Digest(text, sizeof(text), digest, NULL, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	memcpy(id_out, digest, UMSG_ID_SIZE);
	return 0;
}

/* Returns how many ports take it, -EEXIST (there is one already) or another -errno. */
static int accept_notice(struct texts *texts, const uint8_t id[UMSG_ID_SIZE],
			 const Texts__Sent *sent, const char *why)
{
	Texts__Inward inward = TEXTS__INWARD__INIT;
	int result = pack_body(sent, why, &inward.body);

	if (result)
		return result;
	inward.from = sent->receiver;
	inward.to = sent->from;
	inward.sent = clock_wall_s();
	/* By the way the text had come: the same kind, and the same port where it had one. */
	result = texts_accept(texts, id, inward.sent + NOTICE_LIFE_S, &inward, sent->kind,
			      *sent->port ? sent->port : NULL);
	free(inward.body.data);
	return result;
}

int texts_notice(struct texts *texts, const uint8_t id[UMSG_ID_SIZE], const Texts__Sent *sent,
		 const char *why)
{
	char text[TEXTS_ID_TEXT], notice_text[TEXTS_ID_TEXT];
	uint8_t notice[UMSG_ID_SIZE];
	int n = notice_id(id, notice);

	if (!n)
		n = accept_notice(texts, notice, sent, why);
	if (n < 0)
		return n == -EEXIST ? 0 : n;
	texts->counters.notices += n > 0;
	log_info(MODULE, "message=%s is lost (%s): notice=%s to %d %s", texts_id_text(id, text),
		 why, texts_id_text(notice, notice_text), n, sent->kind);
	return 0;
}
