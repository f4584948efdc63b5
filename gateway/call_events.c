/* call_events.c - what the SIP agent, the media relay and the secure side tell a call. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/pack.h"
#include "gateway/call_priv.h"
#include "gateway/call_reason.h"
#include "gateway/call_news.h"
#include "gateway/calls_priv.h"

#define MODULE "call"

/* ---- events of the SIP side ---- */

static void sip_answered(struct call *call, const SipAgent__Answered *answered)
{
	struct umsg_audio_wish wish;
	struct pbx_audio audio;
	int err;

	/* Kept before anything can fail: from here on the agent's successor could end the
	 * dialog. */
	pbx_leg_keep_dialog(&call->pbx, answered->dialog);
	snprintf(call->pbx.call_id, sizeof(call->pbx.call_id), "%s", answered->call_id);
	if (pbx_audio_read(answered->audio, call->pbx.srtp, &audio)) {
		call_end(call, UMSG__END_REASON__END_NO_COMMON_CODEC, call_no_audio(call));
		return;
	}
	pbx_leg_take_audio(&call->pbx, &audio);
	if (!call->secure)
		return; /* it is ending */
	wish = call_audio_wish(call);
	err = umsg_call_answer(call->secure, &wish);
	if (err)
		call_end(call,
			 err == -ENOTSUP ? UMSG__END_REASON__END_NO_COMMON_CODEC
					 : UMSG__END_REASON__END_FAILED,
			 "the secure side cannot be answered");
	else
		call_post(call, PHASE_EV_ANSWERED);
}

static void sip_confirmed(struct call *call, const SipAgent__Confirmed *confirmed)
{
	struct pbx_audio audio;

	pbx_leg_keep_dialog(&call->pbx, confirmed->dialog);
	if (!confirmed->audio)
		return;
	if (pbx_audio_read(confirmed->audio, call->pbx.srtp, &audio)) {
		if (!call->pbx.has_audio) /* the answer to a late offer: there is no other */
			call_end(call, UMSG__END_REASON__END_NO_COMMON_CODEC, call_no_audio(call));
		return;
	}
	pbx_leg_take_audio(&call->pbx, &audio);
	call_set_plain(call);
}

static void sip_ended(struct call *call, const SipAgent__Ended *ended)
{
	char why[256] = "";

	/* First: whatever follows must not send to a call that the agent has forgotten. */
	calls_forget_sip(call->calls, call);
	if (call->phase == PHASE_CLOSING) {
		call_check_cleared(call);
		return;
	}
	if (call_dial_next(call, ended))
		return;
	/* RFC 3261 21.3: the PBX names another address. */
	if (ended->code >= 300 && ended->code < 400 && call_redirect(call, ended->contact))
		return;
	if (ended->code >= 300)
		snprintf(why, sizeof(why), "PBX: %u %s", ended->code, ended->phrase);
	call_end(call,
		 ended->code >= 300 ? reason_from_sip(ended->code) : UMSG__END_REASON__END_HANGUP,
		 why);
}

/* The agent has no passwords: it asks for each answer (architecture.md, keys). */
static void sip_challenged(struct call *call, const SipAgent__Challenged *challenged)
{
	const char *why;

	if (pbx_leg_authorize(&call->pbx, challenged, &why) == 0)
		return;
	/* The BYE itself was challenged (RFC 3261 22.2). */
	if (call->phase == PHASE_CLOSING)
		pbx_leg_hangup(&call->pbx, "");
	else
		call_end(call, UMSG__END_REASON__END_NOT_ALLOWED, why);
}

static void sip_change(struct call *call, const SipAgent__Change *change)
{
	if (pbx_leg_change(&call->pbx, change) == 0 && change->offer)
		call_set_plain(call);
}

void call_send_early_digits(struct call *call)
{
	for (const char *d = call->early; *d; d++)
		media_leg_send_digit(call->calls->world.relay, call->number, RELAY__SIDE__SECURE,
				     (const char[]){ *d, '\0' }, 0);
	call->early[0] = '\0';
}

/* cig-relay drops digits for a leg that it does not know, and the media relay's name may
 * still have to be looked up when the PBX sends the first one. */
static void keep_digit(struct call *call, const char *digit)
{
	size_t n = strlen(call->early);

	if (n < CALL_EARLY_DIGITS && digit[0]) {
		call->early[n] = digit[0];
		call->early[n + 1] = '\0';
	}
}

/* By INFO; digits as RTP events or tones pass through cig-relay without us. */
static void sip_digit(struct call *call, const SipAgent__DigitIn *digit)
{
	if (call->phase != PHASE_UP)
		return;
	call_news_digit(call, "pbx by INFO");
	if (!call->secure_set) {
		keep_digit(call, digit->digit);
		return;
	}
	media_leg_send_digit(call->calls->world.relay, call->number, RELAY__SIDE__SECURE,
			     digit->digit, digit->duration_ms);
}

static void sip_refused_digit(struct call *call, unsigned code)
{
	char why[64];

	snprintf(why, sizeof(why), "the PBX takes none by INFO: %u", code);
	call_news_digit_lost(call, why);
}

/* What the agent said, for traces; the events' names are those of sip_agent.proto. */
static void tell_sip(struct call *call, const SipAgent__FromAgent *event)
{
	const ProtobufCMessageDescriptor *about = event->base.descriptor;
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field(about, (unsigned)event->body_case);

	if (event->body_case == SIP_AGENT__FROM_AGENT__BODY_RINGING)
		call_news(call, "sip", "ringing code=%u%s", event->ringing->code,
			  event->ringing->audio ? " with early media" : "");
	else if (event->body_case == SIP_AGENT__FROM_AGENT__BODY_ENDED)
		call_news(call, "sip", "ended code=%u %s", event->ended->code,
			  event->ended->phrase);
	else
		call_news(call, "sip", "%s", field ? field->name : "event");
}

void call_sip_event(struct call *call, const SipAgent__FromAgent *event)
{
	tell_sip(call, event);
	switch (event->body_case) {
	case SIP_AGENT__FROM_AGENT__BODY_TRYING:
		/* An answer of any kind shows that the server is up; 100 counts as one. */
		pbxs_met(call->calls->world.pbxs, &call->ways[call->way], 100, 0);
		call_post(call, PHASE_EV_TRYING);
		break;
	case SIP_AGENT__FROM_AGENT__BODY_RINGING:
		call_post(call, PHASE_EV_RINGING);
		/* Behind the post: early media is heard in the phase of ringing only. */
		if (event->ringing->audio)
			call_early_media(call, event->ringing->audio);
		break;
	case SIP_AGENT__FROM_AGENT__BODY_CHANGED:
		call_sip_changed(call, event->changed);
		break;
	case SIP_AGENT__FROM_AGENT__BODY_DIGIT_REFUSED:
		sip_refused_digit(call, event->digit_refused->code);
		break;
	case SIP_AGENT__FROM_AGENT__BODY_ANSWERED:
		sip_answered(call, event->answered);
		break;
	case SIP_AGENT__FROM_AGENT__BODY_CONFIRMED:
		sip_confirmed(call, event->confirmed);
		break;
	case SIP_AGENT__FROM_AGENT__BODY_CHALLENGED:
		sip_challenged(call, event->challenged);
		break;
	case SIP_AGENT__FROM_AGENT__BODY_CHANGE:
		sip_change(call, event->change);
		break;
	case SIP_AGENT__FROM_AGENT__BODY_DIGIT_IN:
		sip_digit(call, event->digit_in);
		break;
	case SIP_AGENT__FROM_AGENT__BODY_DIALOG_CHANGED:
		pbx_leg_keep_dialog(&call->pbx, event->dialog_changed->dialog);
		break;
	case SIP_AGENT__FROM_AGENT__BODY_ENDED:
		sip_ended(call, event->ended);
		break;
	default:
		break;
	}
}

void call_sip_lost(struct call *call)
{
	if (!call->pbx.number)
		return;
	calls_forget_sip(call->calls, call);
	/* Its successor sends the BYE, from the dialog that was kept. */
	call->orphaned = call->pbx.dialog != NULL;
	if (call->phase == PHASE_CLOSING)
		call_check_cleared(call);
	else
		call_end(call, UMSG__END_REASON__END_FAILED, "the SIP agent died");
}

/* ---- events of the media relay ---- */

static void relay_opened(struct call *call, const Relay__Opened *opened)
{
	call->pbx.local_port = (uint16_t)opened->plain_port;
	call_check_opened(call);
}

/* The relay has the call no more, or never had it. */
static void media_gone(struct call *call, Umsg__EndReason reason, const char *why)
{
	call->media_open = false;
	if (call->phase == PHASE_CLOSING)
		call_check_cleared(call);
	else
		call_end(call, reason, why);
}

static void relay_failed(struct call *call, const Relay__Failed *failed)
{
	/* Of a command behind Open: the relay has the call, and has to be told of its end. */
	bool opened = call->pbx.local_port != 0;

	switch (failed->reason) {
	case RELAY__FAILED__REASON__DIGIT:
		call_news_digit_lost(call, failed->text);
		break;
	case RELAY__FAILED__REASON__PORTS_EXHAUSTED:
	case RELAY__FAILED__REASON__FULL:
	case RELAY__FAILED__REASON__BUSY:
		if (opened)
			call_end(call, UMSG__END_REASON__END_CONGESTION, failed->text);
		else
			media_gone(call, UMSG__END_REASON__END_CONGESTION, failed->text);
		break;
	case RELAY__FAILED__REASON__UNKNOWN_CALL:
		media_gone(call, UMSG__END_REASON__END_MEDIA_LOST, failed->text);
		break;
	default: /* it goes on without what was commanded: no media, then */
		call_end(call, UMSG__END_REASON__END_FAILED, failed->text);
	}
}

static const char *const closed_texts[] = {
	[RELAY__CLOSED__REASON__REQUESTED] = "",
	[RELAY__CLOSED__REASON__PLAIN_TIMEOUT] = "no media from the PBX",
	[RELAY__CLOSED__REASON__SECURE_TIMEOUT] = "no media from the secure side",
	[RELAY__CLOSED__REASON__NOT_BOUND] = "the rendezvous's media relay does not answer",
	[RELAY__CLOSED__REASON__FAULT] = "a media socket failed",
};

static void keep_stats(struct call *call, const Relay__Stats *stats)
{
	ProtobufCMessage *copy = stats ? pack_copy(&stats->base) : NULL;

	if (!copy)
		return;
	PACK_FREE(&call->stats);
	call->stats = (Relay__Stats *)(void *)copy;
}

static void relay_closed(struct call *call, const Relay__Closed *closed)
{
	keep_stats(call, closed->stats);
	media_gone(call, UMSG__END_REASON__END_MEDIA_LOST,
		   /* Of a later cig-relay: its reasons go on behind ours. */
		   closed->reason <= RELAY__CLOSED__REASON__FAULT ? closed_texts[closed->reason]
								  : "media lost");
}

void call_relay_event(struct call *call, const Relay__Event *event)
{
	switch (event->of_case) {
	case RELAY__EVENT__OF_OPENED:
		call_news(call, "media", "port %u is open towards the PBX",
			  event->opened->plain_port);
		relay_opened(call, event->opened);
		break;
	case RELAY__EVENT__OF_SECURE_BOUND:
		call_news(call, "media", "the rendezvous's relay has bound our leg");
		break;
	case RELAY__EVENT__OF_STATS:
		keep_stats(call, event->stats);
		break;
	case RELAY__EVENT__OF_FAILED:
		call_news(call, "media", "refused: %s", event->failed->text);
		relay_failed(call, event->failed);
		break;
	case RELAY__EVENT__OF_DIGIT:
		call_news_digit(call, event->digit->from == RELAY__SIDE__PLAIN ? "pbx" : "secure");
		if (event->digit->from == RELAY__SIDE__SECURE && call_dtmf(call) == CIG_DTMF_INFO)
			call_digit_to_pbx(call, event->digit->digit[0], event->digit->duration_ms);
		break;
	case RELAY__EVENT__OF_CLOSED:
		call_news(call, "media", "closed%s%s", event->closed->reason ? ": " : "",
			  event->closed->reason <= RELAY__CLOSED__REASON__FAULT
				  ? closed_texts[event->closed->reason]
				  : "");
		relay_closed(call, event->closed);
		break;
	default:
		break;
	}
}

void call_relay_lost(struct call *call)
{
	if (call->media_open)
		media_gone(call, UMSG__END_REASON__END_MEDIA_LOST, "cig-relay is gone");
}

/* ---- events of the secure side ---- */

static const char *const secure_events[] = {
	[UMSG_CALL_PROGRESS] = "the invitation is passed on",
	[UMSG_CALL_RINGING] = "ringing",
	[UMSG_CALL_EARLY] = "ringing, with early media",
	[UMSG_CALL_ANSWERED] = "answered",
	[UMSG_CALL_DIGIT] = "a digit",
	[UMSG_CALL_HOLD] = "hold or resume",
	[UMSG_CALL_ENDED] = "ended",
};

/* The secure call's memory is its client's, which frees it after this event. */
static void secure_ended(struct call *call)
{
	struct umsg_call_end end = umsg_call_end(call->secure);

	snprintf(call->secure_word, sizeof(call->secure_word), "HANGUP");
	call->secure = NULL;
	if (call->phase == PHASE_CLOSING)
		call_check_cleared(call);
	else
		call_end(call, end.reason,
			 end.by == UMSG__ENDED_BY__BY_RENDEZVOUS ? "rendezvous" : "");
}

void call_secure_event(struct call *call, enum umsg_call_event event)
{
	call_news(call, "secure", "%s", secure_events[event]);
	switch (event) {
	case UMSG_CALL_PROGRESS:
		call_post(call, PHASE_EV_TRYING);
		break;
	case UMSG_CALL_RINGING:
		call_post(call, PHASE_EV_RINGING);
		break;
	case UMSG_CALL_ANSWERED:
		call_post(call, PHASE_EV_ANSWERED);
		break;
	case UMSG_CALL_HOLD:
		call_secure_hold(call);
		break;
	case UMSG_CALL_DIGIT:
		call_digit_to_pbx(call, umsg_call_digit(call->secure), 0);
		break;
	case UMSG_CALL_ENDED:
		secure_ended(call);
		break;
	default:
		break;
	}
}
