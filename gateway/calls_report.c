/* calls_report.c - the calls as the control port lists them. */
#include <errno.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "gateway/call.h"
#include "gateway/call_record.h"
#include "gateway/calls_priv.h"

/* ---- media figures, which cig-relay has ---- */

void calls_media_told(struct calls *calls, struct call *call)
{
	void (*told)(void *arg) = calls->media_told;

	if (!call->stats_asked)
		return;
	call->stats_asked = false;
	if (--calls->media_awaited > 0 || !told)
		return;
	calls->media_told = NULL;
	told(calls->media_arg);
}

int calls_ask_media(struct calls *calls, void (*told)(void *arg), void *arg)
{
	if (calls->media_told)
		return -EALREADY;
	for (struct call *call = calls->first; call; call = call->next) {
		/* One that is still awaited from an earlier wait is not asked for again. */
		if (call->phase != PHASE_UP || !call->media_open || call->stats_asked)
			continue;
		if (media_leg_ask_stats(calls->world.relay, call->number))
			continue; /* its last figures must do */
		call->stats_asked = true;
		calls->media_awaited++;
	}
	if (calls->media_awaited == 0)
		return -ENOENT;
	calls->media_told = told;
	calls->media_arg = arg;
	return 0;
}

void calls_forget_media(struct calls *calls)
{
	calls->media_told = NULL;
}

/* ---- lists ---- */

static json_t *call_row(const struct call *call, int64_t now_ms)
{
	int64_t until = call->ended_ms ? call->ended_ms : now_ms;
	const Relay__Stats *stats = call->stats;

	/* URIs come from the network and need not be UTF-8. */
	return json_pack("{s:o, s:o, s:o, s:o, s:s, s:I, s:I, s:o, s:s, s:o, s:o}", "in_from",
			 json_text(call->in_from), "in_to", json_text(call->in_to), "out_from",
			 json_text(call->out_from), "out_to", json_text(call->out_to), "state",
			 call_word_name(call->word), "number", (json_int_t)call->number,
			 "duration_s", (json_int_t)(call->up_ms ? (until - call->up_ms) / 1000 : 0),
			 "sip_call_id", json_text(call->pbx.call_id), "session_id", call->secure_id,
			 "pbx", call_leg_report(stats ? stats->plain : NULL), "secure",
			 call_leg_report(stats ? stats->secure : NULL));
}

json_t *calls_report(const struct calls *calls)
{
	json_t *rows = json_array();
	int64_t now_ms = clock_mono_ms();

	for (const struct call *call = calls->first; call; call = call->next)
		json_array_append_new(rows, call_row(call, now_ms));
	return rows;
}

json_t *calls_umsg_report(const struct calls *calls)
{
	json_t *rows = json_array();
	int64_t now_ms = clock_mono_ms();

	for (const struct call *call = calls->first; call; call = call->next) {
		bool in = call->in == ROUTE_TEL;
		bool creating = !in && call->phase == PHASE_OPENING && call->out_to;
		const char *word = call->secure ? umsg_call_state_word(call->secure)
				   : creating   ? "CREATE" /* no message has been sent */
						: call->secure_word;

		if (!call->secure_id[0] && !creating)
			continue;
		json_array_append_new(
			rows, json_pack("{s:o, s:o, s:s, s:I, s:s}", "from",
					json_text(in ? call->in_from : call->out_from), "to",
					json_text(in ? call->in_to : call->out_to), "state", word,
					"time_s", (json_int_t)((now_ms - call->begun_ms) / 1000),
					"id", call->secure_id));
	}
	return rows;
}
