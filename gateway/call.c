/* call.c - a call's life: made, stepped through the phases of call_phase.c, told of
 * its limits, freed.  What is done in a phase is in call_dial.c and call_sound.c,
 * what comes from outside in call_events.c. */
#include "gateway/call.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/log.h"
#include "base/pack.h"
#include "base/timer.h"
#include "gateway/call_reason.h"
#include "gateway/call_priv.h"
#include "gateway/call_news.h"
#include "gateway/calls_priv.h"
#include "gateway/resolver.h"

#define MODULE "call"

static const char *const words[] = { "ROUTED", "TRY", "RING", "REJECT", "ANSWER", "HANGUP" };

const char *call_word_name(enum call_word word)
{
	return words[word];
}

/* ---- life ---- */

static void on_limit(evutil_socket_t fd, short what, void *arg);

struct call *call_new(struct calls *calls, enum route_interface in, const char *from,
		      const char *to)
{
	struct call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	call->calls = calls;
	/* The configuration of the moment: a reload changes nothing of a call under way. */
	call->config = cig_config_hold(calls->config);
	call->in = in;
	call->phase = PHASE_OPENING;
	call->pbx.link = calls->world.sip;
	call->begun_ms = clock_mono_ms();
	call->in_from = strdup(from);
	call->in_to = strdup(to);
	call->limit = evtimer_new(calls->world.base, on_limit, call);
	/* From here on call_free() is the way out; the phase GONE keeps it from telling of a call
	 * that never was. */
	calls_link(calls, call);
	calls->active++;
	if (!call->in_from || !call->in_to || !call->limit) {
		calls->active--;
		call->phase = PHASE_GONE;
		call_free(&call);
		return NULL;
	}
	call_news_begun(call);
	return call;
}

void call_free(struct call **callp)
{
	struct call *call = *callp;

	if (!call)
		return;
	*callp = NULL;
	if (call->phase != PHASE_GONE) {
		call->calls->active--;
		/* The gateway stops while the last words of a side are still awaited. */
		if (call->ended_ms)
			call_news_gone(call);
	}
	/* Whoever still has the call as an argument is told to forget it: a callback into freed
	 * memory would be the worst of ends. */
	resolver_cancel(&call->resolution);
	pbxs_cancel(&call->search);
	calls_unlink(call->calls, call);
	pbx_leg_clear(&call->pbx);
	if (call->secure)
		umsg_call_set_arg(call->secure, NULL);
	if (call->limit)
		event_free(call->limit);
	PACK_FREE(&call->stats);
	cig_config_release(&call->config);
	free(call->in_from);
	free(call->in_to);
	free(call->out_from);
	free(call->out_to);
	free(call);
}

void call_arm(struct call *call, uint32_t ms)
{
	if (ms)
		timer_arm(call->limit, ms);
	else
		event_del(call->limit);
}

/* ---- closing ---- */

/* RFC 3261 15: a final answer ends what was not answered, BYE what was.  The leg itself says
 * CANCEL where we are the ones who called. */
static void end_pbx(struct call *call)
{
	if (!call->pbx.number)
		return;
	if (call->in == ROUTE_SIP && !call->up_ms)
		pbx_leg_reject(&call->pbx,
			       call->sip_code ? call->sip_code : reason_to_sip(call->reason), "",
			       reason_header(call->reason));
	else
		pbx_leg_hangup(&call->pbx, reason_header(call->reason));
}

void call_check_cleared(struct call *call)
{
	if (!call->secure && !call->pbx.number && !call->media_open)
		call_post(call, PHASE_EV_CLEARED);
}

static void close_legs(struct call *call)
{
	resolver_cancel(&call->resolution);
	pbxs_cancel(&call->search);
	/* The order does not matter: each side confirms for itself, and call_check_cleared()
	 * waits for all three. */
	if (call->secure)
		umsg_call_hangup(call->secure, call->reason);
	end_pbx(call);
	/* A command that is not taken means that cig-relay is gone, and with it the call's
	 * media. */
	if (call->media_open && media_leg_close(call->calls->world.relay, call->number))
		call->media_open = false;
	call_check_cleared(call);
}

static enum call_word last_word(const struct call *call)
{
	if (call->up_ms || call->reason == UMSG__END_REASON__END_HANGUP)
		return CALL_WORD_HANGUP;
	return CALL_WORD_REJECT;
}

void call_end(struct call *call, Umsg__EndReason reason, const char *why)
{
	/* Once: whatever ends first is the reason that is told, to both sides and in the
	 * records. */
	if (call->ended_ms)
		return;
	call->reason = reason;
	call->ended_ms = clock_mono_ms();
	call->word = last_word(call);
	snprintf(call->why, sizeof(call->why), "%s", why);
	call_news_end(call, why);
	call_post(call, PHASE_EV_END);
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	struct call *call = arg;

	(void)fd;
	(void)what;
	switch (call->phase) {
	case PHASE_UP:
		call_end(call, UMSG__END_REASON__END_HANGUP,
			 "it has lasted as long as max_call_s lets it");
		break;
	case PHASE_CLOSING:
		log_warn(MODULE, "call=%" PRIu64 " is given up: a side never confirmed its end",
			 call->number);
		/* The agent may know the call yet: its late events find nobody. */
		calls_forget_sip(call->calls, call);
		call_post(call, PHASE_EV_TIMEOUT);
		break;
	default:
		call_end(call,
			 call->phase == PHASE_OPENING ? UMSG__END_REASON__END_FAILED
						      : UMSG__END_REASON__END_NO_ANSWER,
			 "nothing came in time");
	}
}

/* ---- up ---- */

static void enter_up(struct call *call)
{
	call->up_ms = clock_mono_ms();
	call->word = CALL_WORD_ANSWER;
	call_news_answered(call);
	/* The PBX hears the answer before media is joined: what it says at once is waited for at
	 * the port. */
	if (call->in == ROUTE_SIP && pbx_leg_answer(&call->pbx))
		call_end(call, UMSG__END_REASON__END_FAILED, "cig-sip does not take the answer");
	else
		call_join_media(call);
}

/* A phase's own limit; talk lasts as long as the configuration with which it began lets it. */
static uint32_t limit_ms(const struct call *call, enum call_phase phase)
{
	return phase == PHASE_UP ? call->config->sip.max_call_s * 1000u
				 : call_phase_limit_ms(phase);
}

/* What is done on the way into a phase. */
static void enter(struct call *call, enum call_phase phase)
{
	call->phase = phase;
	call_arm(call, limit_ms(call, phase));
	switch (phase) {
	case PHASE_DIALLING:
		if (call->in == ROUTE_SIP)
			call_dial_secure(call);
		else
			call_dial_pbx(call);
		break;
	case PHASE_TRYING:
		call->word = CALL_WORD_TRY;
		call_news_state(call, SESSION_TRYING);
		break;
	case PHASE_RINGING:
		call->word = CALL_WORD_RING;
		call_news_state(call, SESSION_RINGING);
		if (call->in == ROUTE_SIP)
			pbx_leg_ring(&call->pbx);
		else if (call->secure)
			umsg_call_ring(call->secure);
		break;
	case PHASE_UP:
		enter_up(call);
		break;
	case PHASE_CLOSING:
		close_legs(call);
		break;
	case PHASE_GONE:
		call->calls->active--;
		/* GONE is a pause, not the end: CALL_LINGER_MS for `show call`, and so that no
		 * event of this turn meets freed memory. */
		call_news_gone(call);
		calls_linger(call->calls, call);
		break;
	default:
		break;
	}
}

static void step(struct call *call, enum phase_event event)
{
	enum call_phase next = call_phase_next(call->phase, event);

	/* An event that a phase does not know is none for it: late answers, repeated ringing. */
	if (next != PHASE_NONE && next != call->phase)
		enter(call, next);
}

/* Handlers never nest: what a step posts is stepped afterwards, in order.  Each event counts once
 * in such a row, which also bounds posted[]. */
void call_post(struct call *call, enum phase_event event)
{
	for (unsigned i = 0; i < call->n_posted; i++)
		if (call->posted[i] == event)
			return;
	call->posted[call->n_posted++] = event;
	if (call->n_posted > 1)
		return; /* from within a step: the loop below takes it */
	for (unsigned i = 0; i < call->n_posted; i++)
		step(call, call->posted[i]);
	call->n_posted = 0;
}
