/* sip_texts.h - SIP MESSAGE (RFC 3428): a port of texts, both ways through the same maps as
 * calls, where the sip interface says "messaging true".
 *
 * Out.  A text that routes to the SIP side goes where a call to that address would go (pbxs.h:
 * the servers of its pbx block, those that live first, the next one where one is silent), one
 * at a time to each recipient and in order; digest challenges are answered with the entry's
 * account.  More than SIP_TEXT_PART octets go as several MESSAGEs "(1/3) ...", each after the
 * 2xx of the one before.  Attachments are named in the text, not sent.  A response that may
 * change (408, 480, 486, 5xx but 501, ...) is tried again until the text's end.
 *
 * In.  A PBX that must prove itself for calls must do so for texts (pbx_door.h).  202 means stored
 * in the journal; where the rendezvous refuses at once, its reason is the response, and later it
 * comes back as a MESSAGE.
 *
 * Threads: the program's event loop.
 */
#ifndef GATEWAY_SIP_TEXTS_H
#define GATEWAY_SIP_TEXTS_H

#include "gateway/cig_config.h"
#include "gateway/sip_agent.pb-c.h"

struct event_base;
struct pbx_door;
struct pbxs;
struct sip_link;
struct sip_texts;
struct texts;

enum {
	SIP_TEXT_PART = 1000,      /* octets of a MESSAGE's body: with its headers within
				    * the 1,300 that RFC 3428, section 8, allows over UDP */
	SIP_TEXT_POSTED_MS = 2000, /* how long a response waits for the rendezvous's word */
	SIP_TEXTS_IN_HAND = 128,   /* texts out that were taken over at one time */
	SIP_TEXTS_AT_ONCE = 32,    /* of these, requests under way */
	SIP_TEXTS_ASKED = 1000,    /* requests of others under way */
	SIP_TEXT_BACKOFF_MIN_MS = 5000,
	SIP_TEXT_BACKOFF_MAX_MS = 300000,
};

struct sip_texts_world {
	struct event_base *base;
	struct texts *texts;
	struct sip_link *link;
	struct pbxs *pbxs;
	const struct pbx_door *door;
};

/* Everything in world outlives it; config is held.  Returns 0 or -ENOMEM. */
int sip_texts_new(const struct sip_texts_world *world, const struct cig_config *config,
		  struct sip_texts **texts_out);
/* Frees *textsp; what is under way stays in the journal.  *textsp may be NULL. */
void sip_texts_free(struct sip_texts **textsp);

/* A new configuration, which is held: its maps, and whether there is messaging at all.
 * Returns 0 or -ENOMEM. */
int sip_texts_set_config(struct sip_texts *texts, const struct cig_config *config);

/* The child is ready, or has died with all that was under way. */
void sip_texts_ready(struct sip_texts *texts);
void sip_texts_lost(struct sip_texts *texts);

/* An event of the child.  Returns false where it is about something else. */
bool sip_texts_event(struct sip_texts *texts, const SipAgent__FromAgent *event);

#endif
