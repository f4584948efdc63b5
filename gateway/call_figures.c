/* call_figures.c - each function is a handful of additions: it runs once in a call's life,
 * and /metrics does the arithmetic.
 */
#include "gateway/call_figures.h"

#include "gateway/call.h"

void call_figures_begun(struct call_figures *figures, const struct call *call)
{
	if (figures)
		figures->begun[call->in]++;
}

void call_figures_answered(struct call_figures *figures, const struct call *call)
{
	if (!figures)
		return;
	figures->answered[call->in]++;
	figures->setup_ms += (uint64_t)(call->up_ms - call->begun_ms);
}

static void add_media(struct call_media_figures *to, const Relay__LegStats *leg)
{
	if (!leg)
		return;
	to->received += leg->packets_received;
	to->sent += leg->packets_sent;
	to->lost += leg->lost;
	to->refused += leg->auth_failures + leg->replays + leg->malformed + leg->strangers;
}

void call_figures_ended(struct call_figures *figures, const struct call *call)
{
	unsigned reason = (unsigned)call->reason;

	if (!figures)
		return;
	/* A rendezvous newer than we may give a reason that we do not know. */
	figures->ended[call->in][reason < CALL_FIGURES_REASONS ? reason : 0]++;
	figures->unrouted[call->in] += !call->out_to;
	if (call->up_ms)
		figures->talk_ms += (uint64_t)(call->ended_ms - call->up_ms);
	if (!call->stats)
		return;
	add_media(&figures->plain, call->stats->plain);
	add_media(&figures->secure, call->stats->secure);
}
