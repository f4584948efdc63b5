/* load.c - figures of half a second in, complexity and refusals out; no clock and no
 * CPU time are read here. */
#include "gateway/relay/load.h"

#include <stdio.h>

#include "gateway/relay/relay.h"

enum {
	MAX_LATE_MS = 1000, /* a thread that was stopped (SIGSTOP, a suspended machine) */
	LATE_FULL_MS = 10,  /* the processor is not ours alone: CPU time does not show it */
	/* What a call costs before anybody has measured it, in thousandths of a processor:
	 * as many as one core transcodes at the least complexity. */
	CALL_COST = 1000 / RELAY_DEFAULT_CALLS + 1,
};

/* ---- the thread's part ---- */

void load_meter_init(struct load_meter *meter, int64_t now_ms, int64_t cpu_ms)
{
	*meter = (struct load_meter){ .since_ms = now_ms,
				      .cpu_ms = cpu_ms,
				      .complexity = LOAD_COMPLEXITY_IDLE };
}

void load_meter_tick(struct load_meter *meter, int64_t late_ms)
/* Late is measured against the timer, so a tick that comes early counts as none. */
{
	if (late_ms > MAX_LATE_MS)
		late_ms = MAX_LATE_MS;
	meter->late_ms += late_ms > 0 ? (uint64_t)late_ms : 0;
	meter->ticks++;
}

/* Better sound while there is time, more calls when there is not.  A step back up waits
 * until its greater cost (twice, at most) would not lead down again. */
static int next_complexity(int now, unsigned percent, unsigned late_ms)
{
	if (percent > 75 || late_ms >= LATE_FULL_MS)
		return LOAD_COMPLEXITY_FULL;
	if (percent > 50 && now == LOAD_COMPLEXITY_IDLE)
		return LOAD_COMPLEXITY_BUSY;
	if (percent < 20)
		return LOAD_COMPLEXITY_IDLE;
	if (percent < 40 && now == LOAD_COMPLEXITY_FULL)
		return LOAD_COMPLEXITY_BUSY;
	return now;
}

bool load_meter_take(struct load_meter *meter, int64_t now_ms, int64_t cpu_ms,
		     struct load_figures *figures_out)
{
	int64_t passed = now_ms - meter->since_ms;
	unsigned percent, late_ms;

	if (passed < LOAD_PERIOD_MS)
		return false;
	percent = (unsigned)((cpu_ms - meter->cpu_ms) * 100 / passed);
	late_ms = meter->ticks ? (unsigned)(meter->late_ms / meter->ticks) : 0;
	meter->complexity = next_complexity(meter->complexity, percent, late_ms);
	*figures_out = (struct load_figures){ .cpu_percent = percent,
					      .late_ms = late_ms,
					      .complexity = meter->complexity };
	*meter = (struct load_meter){ .since_ms = now_ms,
				      .cpu_ms = cpu_ms,
				      .complexity = meter->complexity };
	return true;
}

/* ---- the main thread's part ---- */

void load_view_take(struct load_view *view, const struct load_figures *figures, int64_t now_ms)
{
	/* The first figures are compared with themselves. */
	view->before = view->told_ms ? view->now : *figures;
	view->now = *figures;
	view->told_ms = now_ms;
}

/* What the CPU will be, in thousandths, when the calls that were taken but did not talk yet
 * when it was measured talk, and one more.  So a burst of calls between two figures, or one
 * that rings for a minute, is paid for before it costs. */
static unsigned expected(const struct load_view *view, unsigned calls)
{
	unsigned talking = view->now.talking, cpu = view->now.cpu_percent * 10;
	unsigned silent = calls > talking ? calls - talking : 0;
	unsigned cost = CALL_COST;

	/* A slower machine, or a greater complexity, than those of CALL_COST; that of a few
	 * calls is mostly rounding. */
	if (talking >= LOAD_FEW && cpu / talking > cost)
		cost = cpu / talking;
	return cpu + (silent + 1) * cost;
}

bool load_refuses(const struct load_view *view, unsigned calls, unsigned max_percent,
		  int64_t now_ms, char why[LOAD_TEXT])
{
	const struct load_figures *now = &view->now, *before = &view->before;

	if (!max_percent)
		return false;
	if (expected(view, calls) > max_percent * 10) {
		snprintf(why, LOAD_TEXT, "media would take more than %u %% of a processor",
			 max_percent);
		return true;
	}
	/* What makes a thread of few calls late is another program: refusing helps nobody. */
	if (calls < LOAD_FEW)
		return false;
	/* Once may be a hiccup of the machine. */
	if (now->late_ms >= LOAD_LATE_MS && before->late_ms >= LOAD_LATE_MS)
		snprintf(why, LOAD_TEXT, "media is %u ms late", now->late_ms);
	else if (now->dropped > before->dropped)
		snprintf(why, LOAD_TEXT, "packets came faster than they were read");
	else if (view->told_ms && now_ms - view->told_ms >= LOAD_SILENT_MS)
		snprintf(why, LOAD_TEXT, "a media thread is stuck");
	else
		return false;
	return true;
}
