/* calls.c - the list of calls, and which call an event of cig-sip, cig-relay or the
 * rendezvous is about. */
#include "gateway/calls.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/timer.h"
#include "gateway/call.h"
#include "gateway/calls_priv.h"

#define MODULE "calls"

/* Not one by one: a timer for each call would wake the gateway once more for it. */
enum { REAP_MS = 250 };

static void forget_gone(struct calls *calls, struct call *call)
{
	if (!call->gone_link)
		return;
	*call->gone_link = call->gone_next;
	if (call->gone_next)
		call->gone_next->gone_link = call->gone_link;
	else
		calls->gone_end = call->gone_link;
	call->gone_link = NULL;
}

void calls_linger(struct calls *calls, struct call *call)
{
	if (!calls->gone)
		timer_arm(calls->reaper, CALL_LINGER_MS);
	call->linger_ms = clock_mono_ms() + CALL_LINGER_MS;
	call->gone_next = NULL;
	call->gone_link = calls->gone_end;
	*calls->gone_end = call;
	calls->gone_end = &call->gone_next;
}

/* The next child of the SIP agent may yet have to say BYE for it. */
static bool lingers_on(const struct call *call, int64_t now_ms)
{
	return call->orphaned && now_ms - call->ended_ms < CALL_ORPHAN_MS;
}

static void on_reaper(evutil_socket_t fd, short what, void *arg)
{
	struct calls *calls = arg;
	int64_t now_ms = clock_mono_ms(), wait_ms;

	(void)fd, (void)what;
	while (calls->gone && calls->gone->linger_ms <= now_ms) {
		struct call *call = calls->gone;

		forget_gone(calls, call);
		if (lingers_on(call, now_ms))
			calls_linger(calls, call); /* last again, and not due any more */
		else
			call_free(&call);
	}
	if (!calls->gone)
		return;
	wait_ms = calls->gone->linger_ms - now_ms;
	timer_arm(calls->reaper, wait_ms < REAP_MS ? REAP_MS : wait_ms);
}

struct calls *calls_new(const struct calls_world *world, const struct cig_config *config)
{
	struct calls *calls = calloc(1, sizeof(*calls));

	if (!calls)
		return NULL;
	calls->world = *world;
	calls->config = cig_config_hold(config);
	calls->gone_end = &calls->gone;
	calls->reaper = evtimer_new(world->base, on_reaper, calls);
	if (idmap_init(&calls->by_number) || idmap_init(&calls->by_sip) || !calls->reaper)
		calls_free(&calls);
	return calls;
}

void calls_free(struct calls **callsp)
{
	struct calls *calls = *callsp;

	if (!calls)
		return;
	*callsp = NULL;
	while (calls->first) {
		struct call *call = calls->first;

		/* Said before it is freed: the sides hear a BYE, the record its reason. */
		call_end(call, UMSG__END_REASON__END_HANGUP, "the gateway stops");
		call_free(&call);
	}
	if (calls->reaper)
		event_free(calls->reaper);
	idmap_done(&calls->by_number);
	idmap_done(&calls->by_sip);
	cig_config_release(&calls->config);
	free(calls);
}

struct calls_world *calls_world(struct calls *calls)
{
	return &calls->world;
}

void calls_set_config(struct calls *calls, const struct cig_config *config)
{
	/* The old one lives on in the calls that hold it. */
	const struct cig_config *old = calls->config;

	calls->config = cig_config_hold(config);
	cig_config_release(&old);
}

const struct cig_config *calls_config(const struct calls *calls)
{
	return calls->config;
}

void calls_link(struct calls *calls, struct call *call)
{
	call->number = ++calls->last_number;
	call->next = calls->first;
	call->link = &calls->first;
	if (call->next)
		call->next->link = &call->next;
	calls->first = call;
	idmap_put(&calls->by_number, &call->by_number, call->number);
}

void calls_unlink(struct calls *calls, struct call *call)
{
	/* Whoever waits for its figures waits no more. */
	calls_media_told(calls, call);
	forget_gone(calls, call);
	*call->link = call->next;
	if (call->next)
		call->next->link = call->link;
	idmap_remove(&calls->by_number, &call->by_number);
	calls_forget_sip(calls, call);
}

void calls_know_sip(struct calls *calls, struct call *call)
{
	idmap_put(&calls->by_sip, &call->by_sip, call->pbx.number);
	call->in_sip_map = true;
}

/* 0 is no call of the agent's. */
void calls_forget_sip(struct calls *calls, struct call *call)
{
	if (call->in_sip_map)
		idmap_remove(&calls->by_sip, &call->by_sip);
	call->in_sip_map = false;
	call->pbx.number = 0;
}

static struct call *find_sip(struct calls *calls, uint64_t number)
{
	struct idmap_node *node = idmap_first(&calls->by_sip, number);

	return node ? IDMAP_OWNER(node, struct call, by_sip) : NULL;
}

/* The number of the call that an event is about; 0: about none. */
static uint64_t call_of(const SipAgent__FromAgent *event)
{
	switch (event->body_case) {
	case SIP_AGENT__FROM_AGENT__BODY_TRYING:
		return event->trying->call;
	case SIP_AGENT__FROM_AGENT__BODY_RINGING:
		return event->ringing->call;
	case SIP_AGENT__FROM_AGENT__BODY_ANSWERED:
		return event->answered->call;
	case SIP_AGENT__FROM_AGENT__BODY_CONFIRMED:
		return event->confirmed->call;
	case SIP_AGENT__FROM_AGENT__BODY_CHALLENGED:
		return event->challenged->call;
	case SIP_AGENT__FROM_AGENT__BODY_CHANGE:
		return event->change->call;
	case SIP_AGENT__FROM_AGENT__BODY_CHANGED:
		return event->changed->call;
	case SIP_AGENT__FROM_AGENT__BODY_DIGIT_REFUSED:
		return event->digit_refused->call;
	case SIP_AGENT__FROM_AGENT__BODY_DIGIT_IN:
		return event->digit_in->call;
	case SIP_AGENT__FROM_AGENT__BODY_DIALOG_CHANGED:
		return event->dialog_changed->call;
	case SIP_AGENT__FROM_AGENT__BODY_ENDED:
		return event->ended->call;
	default:
		return 0;
	}
}

void calls_sip_event(struct calls *calls, const SipAgent__FromAgent *event)
{
	struct call *call;

	if (event->body_case == SIP_AGENT__FROM_AGENT__BODY_INCOMING) {
		calls_take_incoming(calls, event->incoming);
		return;
	}
	/* An event of a call that is not found crossed our own last word to it. */
	call = find_sip(calls, call_of(event));
	if (call)
		call_sip_event(call, event);
}

/* Their dialogs are ended by the next child (calls_sip_ready). */
void calls_sip_lost(struct calls *calls)
{
	/* Safe while calls end: the list changes only when one is freed, which its timer does. */
	for (struct call *call = calls->first; call; call = call->next)
		call_sip_lost(call);
}

void calls_sip_ready(struct calls *calls)
{
	for (struct call *call = calls->first; call; call = call->next)
		if (call->orphaned &&
		    pbx_leg_bye_orphan(&call->pbx, "SIP;cause=503;text=\"agent restarted\"") == 0)
			call->orphaned = false;
}

static uint64_t relay_call_of(const Relay__Event *event)
{
	switch (event->of_case) {
	case RELAY__EVENT__OF_OPENED:
		return event->opened->call_id;
	case RELAY__EVENT__OF_FAILED:
		return event->failed->call_id;
	case RELAY__EVENT__OF_DIGIT:
		return event->digit->call_id;
	case RELAY__EVENT__OF_STATS:
		return event->stats->call_id;
	case RELAY__EVENT__OF_CLOSED:
		return event->closed->call_id;
	case RELAY__EVENT__OF_SECURE_BOUND:
		return event->secure_bound->call_id;
	default:
		return 0;
	}
}

void calls_relay_event(struct calls *calls, const Relay__Event *event)
{
	/* Call ids of cig-relay are our numbers. */
	struct idmap_node *node = idmap_first(&calls->by_number, relay_call_of(event));

	if (!node)
		return;
	/* It may end the call, but does not free it: node stays. */
	call_relay_event(IDMAP_OWNER(node, struct call, by_number), event);
	if (event->of_case == RELAY__EVENT__OF_STATS || event->of_case == RELAY__EVENT__OF_CLOSED)
		calls_media_told(calls, IDMAP_OWNER(node, struct call, by_number));
}

void calls_relay_down(struct calls *calls)
{
	for (struct call *call = calls->first; call; call = call->next) {
		call_relay_lost(call);
		calls_media_told(calls, call);
	}
}

static void join_extension(char *out, size_t outsz, const char *uri, const char *extension)
{
	snprintf(out, outsz, "%s%s%s", uri, *extension ? ";" : "", extension);
}

void calls_secure_incoming(struct calls *calls, struct umsg_call *secure)
{
	char from[UMSG_URI_SIZE + UMSG_EXTENSION_SIZE], to[UMSG_URI_SIZE + UMSG_EXTENSION_SIZE];
	struct call *call;

	join_extension(from, sizeof(from), umsg_call_from(secure),
		       umsg_call_calling_extension(secure));
	join_extension(to, sizeof(to), umsg_call_to(secure), umsg_call_called_extension(secure));
	call = call_new(calls, ROUTE_TEL, from, to);
	if (!call) {
		umsg_call_hangup(secure, UMSG__END_REASON__END_CONGESTION);
		return;
	}
	call_take_secure(call, secure);
	call_start(call);
}

void calls_secure_event(struct calls *calls, struct umsg_call *secure, enum umsg_call_event event)
{
	struct call *call = umsg_call_arg(secure);

	(void)calls;
	if (call)
		call_secure_event(call, event);
}

void calls_looked_up(struct calls *calls, const char *uri)
{
	for (struct call *call = calls->first; call; call = call->next)
		call_looked_up(call, uri);
}

unsigned calls_active(const struct calls *calls)
{
	return calls->active;
}

uint64_t calls_total(const struct calls *calls)
{
	return calls->last_number;
}
