/* calls.h - the calls through the gateway: their table, and who tells them what.
 *
 * A call has a SIP leg (pbx_leg.h), a secure leg (umsg/client.h) and media
 * (media_leg.h); call.c moves it along the table of call_phase.h.  This module
 * finds the call that an event is for.
 */
#ifndef GATEWAY_CALLS_H
#define GATEWAY_CALLS_H

#include <jansson.h>

#include "base/idmap.h"
#include "base/net.h"
#include "gateway/cig_config.h"
#include "gateway/relay_link.h"
#include "gateway/sip_link.h"
#include "umsg/client.h"

struct call;
struct call_figures;
struct call_records;
struct call_trace;
struct calls;
struct pbx_door;
struct pbxs;
struct resolver;
struct session_log;

/* What every call needs; borrowed, and longer-lived. */
struct calls_world {
	struct event_base *base;
	struct sip_link *sip;
	struct relay_link *relay;
	struct resolver *resolver;
	struct pbxs *pbxs;
	const struct pbx_door *door;
	struct session_log *session_log;
	struct call_trace *trace;     /* NULL: nobody can look */
	struct call_records *records; /* NULL: none are kept */
	struct call_figures *figures; /* NULL: nothing is counted */
	/* NULL while there are no keys. */
	struct umsg_client *umsg;
	char own_uri[UMSG_URI_SIZE]; /* "tel:+8888", "" while there are no keys */
	unsigned engines;            /* calls at once that the letter allows */
};

/* config is held and used for new calls.  Returns NULL when memory is out. */
struct calls *calls_new(const struct calls_world *world, const struct cig_config *config);
/* Ends all calls and frees them. */
void calls_free(struct calls **callsp);

/* The world's parts that come and go. */
struct calls_world *calls_world(struct calls *calls);
/* For new calls; those that are there keep the one that they began with.  config is held. */
void calls_set_config(struct calls *calls, const struct cig_config *config);
/* The one for new calls; borrowed. */
const struct cig_config *calls_config(const struct calls *calls);

/* Events of the three sides. */
void calls_sip_event(struct calls *calls, const SipAgent__FromAgent *event);
void calls_sip_lost(struct calls *calls);
/* A new cig-sip is there: it ends the dialogs of the one that died. */
void calls_sip_ready(struct calls *calls);
/* An event of a call that is over is dropped.  Figures go on to whoever asked for them. */
void calls_relay_event(struct calls *calls, const Relay__Event *event);
/* cig-relay is gone, and all media with it. */
void calls_relay_down(struct calls *calls);
/* Somebody of the secure side calls: routed, or refused at once. */
void calls_secure_incoming(struct calls *calls, struct umsg_call *secure);
/* What umsg/client.h told of a call that was handed to calls_secure_incoming() or made here. */
void calls_secure_event(struct calls *calls, struct umsg_call *secure, enum umsg_call_event event);

/* umsg/client.h told what became of a look-up: calls to that URI go on, or are refused. */
void calls_looked_up(struct calls *calls, const char *uri);

/* Calls that hold an engine now, and all since the start. */
unsigned calls_active(const struct calls *calls);
/* Counted with their beginning, the refused ones too. */
uint64_t calls_total(const struct calls *calls);

/* Asks cig-relay for the media figures of every call that is up; told is called once, from
 * the loop, when all of them are there or their calls have ended.  Returns 0; -EALREADY
 * while another one waits, -ENOENT when there is nothing to ask for (told is not called). */
int calls_ask_media(struct calls *calls, void (*told)(void *arg), void *arg);

/* Waits no longer: told is not called. */
void calls_forget_media(struct calls *calls);

/* Arrays for the control port: rows CIG-098 to CIG-101.  The first also has duration_s and,
 * as of calls_ask_media(), pbx and secure with codec and losses (call_record.h).  NULL:
 * memory is out. */
json_t *calls_report(const struct calls *calls);
/* "show umsg": the secure halves.  NULL: memory is out. */
json_t *calls_umsg_report(const struct calls *calls);

#endif
