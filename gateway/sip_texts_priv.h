/* sip_texts_priv.h - what the files of sip_texts.h share.
 *
 *   sip_texts.c       the port's life
 *   sip_texts_out.c   texts to the SIP side
 *   sip_texts_done.c  what becomes of their requests
 *   sip_texts_hosts.c targets that do not answer
 *   sip_texts_in.c    MESSAGEs of the SIP side
 *   sip_texts_part.c  a long text in parts
 */
#ifndef GATEWAY_SIP_TEXTS_PRIV_H
#define GATEWAY_SIP_TEXTS_PRIV_H

#include "gateway/digest.h"
#include "gateway/pbxs.h"
#include "gateway/sip_texts.h"
#include "gateway/texts_port.h"
#include "maps/route.h"

struct event;

/* A text in hand. */
struct sip_out {
	struct sip_out *next;
	struct sip_texts *texts;
	uint8_t id[UMSG_ID_SIZE];
	int64_t sent_s;
	char *from, *to; /* sip URIs */
	struct sip_target target;
	char *auth; /* name of the account, NULL: none */
	char *text; /* all of it, attachments named */
	size_t part, parts;
	struct pbx_search *search; /* under way */
	struct pbx_way *ways;      /* where it may go, in the order of trying; owned */
	size_t n_ways, way;
	uint64_t number; /* of the request under way; 0: none */
	struct digest_session digest;
	bool begun;   /* it is the one of its recipient that goes now */
	bool keeping; /* the next part waits until the last one is durable */
};

/* A MESSAGE of somebody that waits for its response. */
struct sip_in {
	struct sip_in *next;
	uint64_t number;
	uint8_t key[TEXT_KEY_SIZE];
	bool stored;
	int64_t until_ms; /* 202 at the latest, once it is stored */
};

/* A target none of whose servers answered. */
struct sip_host {
	struct sip_host *next;
	char host[256];
	uint16_t port;
	unsigned failures;
	int64_t down_until_ms;
};

struct sip_texts {
	struct sip_texts_world world;
	const struct cig_config *config; /* held */
	struct text_port *port;          /* NULL: no messaging */
	struct sip_out *out, **out_tail; /* in the order of their offers */
	size_t n_out, n_begun;
	struct sip_in *in, **in_tail; /* in the order of until_ms */
	size_t n_in;
	struct sip_host *hosts;
	struct event *timer; /* of the first of in */
};

/* ---- sip_texts_out.c ---- */
int sip_out_match(void *arg, const char *sender, const char *receiver,
		  struct cig_addresses *addresses_out);
/* Takes a text in hand: finds its way and sends its first part, or says why not
 * (text_port.h's ops). */
enum text_answer sip_out_offer(void *arg, const struct text_offer *offer, char why[TEXT_WHY_SIZE]);
/* Sends what may be sent now. */
void sip_out_flush(void *arg);
/* The text is no more: what comes of it later is dropped. */
void sip_out_forget(void *arg, const uint8_t id[UMSG_ID_SIZE]);

/* The one whose request under way has that number, or NULL. */
struct sip_out *sip_out_find(const struct sip_texts *texts, uint64_t number);

/* Sends its part to its way.  Where cig-sip takes nothing it is put off, and so gone. */
void sip_out_request(struct sip_out *out);

/* It is over, and out is gone: delivered, or the reason why not. */
void sip_out_finish(struct sip_out *out, const char *failure);

/* This one and all others to its recipient, so that their order stays; they are gone. */
void sip_out_put_off(struct sip_texts *texts, struct sip_out *failed, unsigned after_ms,
		     const char *why);

/* Gives all back to the port, or forgets them where there is none. */
void sip_out_stop(struct sip_texts *texts, const char *why);

/* Gives back those of which no request is under way, as they may go elsewhere now. */
void sip_out_reroute(struct sip_texts *texts, const char *why);

/* ---- sip_texts_done.c ---- */
/* 401 or 407: the part is sent again with credentials, if an account is named for it. */
void sip_out_challenged(struct sip_texts *texts, const SipAgent__TextChallenged *challenged);
/* The last answer to a part: the next server, the next part, or the text's end. */
void sip_out_done(struct sip_texts *texts, const SipAgent__TextDone *done);
/* The journal has noted parts that went: the next ones follow. */
void sip_out_kept(void *arg);

/* ---- sip_texts_hosts.c ---- */
/* None of the target's servers answered: it rests, twice as long each time. */
void sip_host_failed(struct sip_texts *texts, const struct sip_target *target);
/* One did: it rests no more. */
void sip_host_answered(struct sip_texts *texts, const struct sip_target *target);
/* How long the target rests yet, 0: it does not. */
unsigned sip_host_rests_ms(const struct sip_texts *texts, const struct sip_target *target);
/* No target rests any more. */
void sip_hosts_forget(struct sip_texts *texts);

/* ---- sip_texts_in.c ---- */
void sip_in_take(struct sip_texts *texts, const SipAgent__TextIn *text);
/* The text of that key is in the journal: its sender gets its answer. */
void sip_in_stored(void *arg, const uint8_t key[TEXT_KEY_SIZE]);
bool sip_in_posted(void *arg, const uint8_t key[TEXT_KEY_SIZE], const char *refusal);
/* Nobody has it: the peer is to send it again. */
void sip_in_forgotten(void *arg, const uint8_t key[TEXT_KEY_SIZE]);
void sip_in_due(struct sip_texts *texts);
/* Those that wait for their response. */
void sip_in_forget(struct sip_texts *texts);

/* ---- sip_texts_part.c ---- */

/* The text and a line for each attachment; the caller frees.  NULL when memory is out. */
char *sip_text_whole(const Umsg__TextBody *body);

/* How many parts it takes, 1 for an empty one. */
size_t sip_text_parts(const char *text);

/* Part `number` (from 0) of `parts`, with its "(1/3) " where there are several. */
enum { SIP_TEXT_PART_SIZE = SIP_TEXT_PART + 32 };
/* Parts are cut between characters; out is NUL-terminated. */
void sip_text_part(const char *text, size_t number, size_t parts, char out[SIP_TEXT_PART_SIZE]);

#endif
