/* call_news.c - what is told of a call, in one place: cig.log, the session log,
 * records, figures and traces. */
#include "gateway/call_news.h"

#include <inttypes.h>
#include <stdarg.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/call.h"
#include "gateway/call_figures.h"
#include "gateway/call_record.h"
#include "gateway/call_trace.h"
#include "umsg/end_reason.h"

#define MODULE "call"

enum { DIGITS_TOLD_MS = 1000 }; /* a line in that time, of a call's digits */

/* The one who formats asks first: a gateway without a reader pays nothing for traces. */
void call_news(struct call *call, const char *side, const char *fmt, ...)
{
	struct call_trace *trace = calls_world(call->calls)->trace;
	va_list ap;

	if (!call_trace_is_read(trace))
		return;
	va_start(ap, fmt);
	call_trace_tell(trace, call, side, fmt, ap);
	va_end(ap);
}

/* Counted before it is routed: what the maps reject came in, too. */
void call_news_begun(struct call *call)
{
	call_figures_begun(calls_world(call->calls)->figures, call);
}

void call_news_state(struct call *call, enum session_state state)
{
	/* Caller-if-ID and Callee-if-ID are of the sessions on the two sides, whichever of
	 * them is the caller's. */
	bool sip_in = call->in == ROUTE_SIP;
	struct session_event event = {
		.caller = call->in_from,
		.callee = call->in_to,
		.routed_caller = call->out_from,
		.routed_callee = call->out_to,
		.state = state,
		.caller_id = sip_in ? call->pbx.call_id : call->secure_id,
		.callee_id = sip_in ? call->secure_id : call->pbx.call_id,
	};

	session_log_write(calls_world(call->calls)->session_log, clock_wall_ms(), &event);
	call_news(call, "call", "%s", session_state_name(state));
}

/* "failed" is the manual's word for a call that no map took; one that was routed and then
 * lacked something ends with "hangup". */
void call_news_refused(struct call *call, unsigned code, const char *why)
{
	if (!call->out_to)
		call_news_state(call, SESSION_FAILED);
	log_warn(MODULE, "call=%" PRIu64 " rejected code=%u from=%s to=%s in=%s: %s", call->number,
		 code, call->in_from, call->in_to, route_interface_name(call->in), why);
	call_news(call, "call", "rejected code=%u: %s", code, why);
}

void call_news_answered(struct call *call)
{
	call_news_state(call, SESSION_TALK);
	log_info(MODULE, "call=%" PRIu64 " from=%s to=%s state=ANSWER", call->number, call->in_from,
		 call->in_to);
	call_figures_answered(calls_world(call->calls)->figures, call);
}

/* Counts one, and says whether the log tells of it: either peer may send as many as it likes. */
static bool is_told(struct call_digits *digits)
{
	int64_t now_ms = clock_mono_ms();

	digits->n++;
	if (now_ms < digits->next_ms)
		return false;
	digits->next_ms = now_ms + DIGITS_TOLD_MS;
	return true;
}

void call_news_digit(struct call *call, const char *from)
{
	/* The digit itself may be a password: it is not logged. */
	if (is_told(&call->digits))
		log_info(MODULE, "call=%" PRIu64 " digit from=%s number=%u", call->number, from,
			 call->digits.n);
}

void call_news_digit_lost(struct call *call, const char *why)
{
	if (is_told(&call->digits_lost))
		log_warn(MODULE, "call=%" PRIu64 " a digit is lost: %s number=%u", call->number,
			 why, call->digits_lost.n);
}

void call_news_end(struct call *call, const char *why)
{
	long duration = call->up_ms ? (long)((call->ended_ms - call->up_ms) / 1000) : 0;

	if (call->out_to)
		call_news_state(call, SESSION_HANGUP);
	log_info(MODULE,
		 "call=%" PRIu64 " from=%s to=%s state=%s reason=\"%s\" duration=%lds sip=%s "
		 "umsg=%s%s%s",
		 call->number, call->in_from, call->in_to, call_word_name(call->word),
		 umsg_end_reason_text(call->reason), duration,
		 *call->pbx.call_id ? call->pbx.call_id : "-",
		 *call->secure_id ? call->secure_id : "-", *why ? " why=" : "", why);
	call_news(call, "call", "ends: %s%s%s", umsg_end_reason_text(call->reason),
		  *why ? ": " : "", why);
}

/* The figures with which an administrator answers "the sound was bad". */
static void log_media(const struct call *call)
{
	const Relay__LegStats *plain = call->stats ? call->stats->plain : NULL;
	const Relay__LegStats *secure = call->stats ? call->stats->secure : NULL;

	if (!plain || !secure || !*secure->codec)
		return; /* it never came to media */
	log_info(MODULE,
		 "call=%" PRIu64 " media pbx=%s/%s sent=%" PRIu64 " received=%" PRIu64
		 " lost=%" PRIu64 " strangers=%" PRIu64 " malformed=%" PRIu64 " ignored=%" PRIu64
		 " secure=%s sent=%" PRIu64 " received=%" PRIu64 " lost=%" PRIu64
		 " auth_failures=%" PRIu64,
		 call->number, plain->codec, plain->remote, plain->packets_sent,
		 plain->packets_received, plain->lost, plain->strangers, plain->malformed,
		 plain->ignored, secure->codec, secure->packets_sent, secure->packets_received,
		 secure->lost, secure->auth_failures);
}

void call_news_gone(struct call *call)
{
	const struct calls_world *world = calls_world(call->calls);

	/* Only now: cig-relay has told its last figures. */
	log_media(call);
	call_records_write(world->records, call);
	call_figures_ended(world->figures, call);
	call_news(call, "call", "gone");
}
