/* heartbeat.c - does a child still turn its event loop? */
#include "rendezvous/heartbeat.h"

void heartbeat_start(struct heartbeat *beat)
{
	*beat = (struct heartbeat){ .silent = 0 };
}

void heartbeat_heard(struct heartbeat *beat)
{
	/* What it had said before it was told to abort may still come in: it dies all the same,
	 * and has to be killed if it does not. */
	if (beat->aborted)
		return;
	beat->silent = 0;
	beat->waited = 0;
	beat->asked = false;
}

bool heartbeat_excuses(struct heartbeat *beat, unsigned limit)
{
	if (beat->aborted || beat->waited >= limit * HEARTBEAT_WAIT_TIMES)
		return false;
	beat->waited++;
	return true;
}

void heartbeat_not_asked(struct heartbeat *beat)
{
	beat->asked = false;
}

static enum heartbeat_act look_for_end(struct heartbeat *beat, unsigned limit)
{
	/* At least one look, or a short limit would leave no time for the core. */
	unsigned wait = limit / HEARTBEAT_ABORT_PART ? limit / HEARTBEAT_ABORT_PART : 1;

	if (beat->killed || beat->silent < wait)
		return HEARTBEAT_NOTHING;
	beat->killed = true;
	return HEARTBEAT_KILL;
}

enum heartbeat_act heartbeat_look(struct heartbeat *beat, bool ready, unsigned limit)
{
	if (limit == 0)
		return HEARTBEAT_NOTHING;
	beat->silent++;
	if (beat->aborted)
		return look_for_end(beat, limit);
	if (beat->silent > (ready ? limit : limit * HEARTBEAT_START_TIMES)) {
		beat->aborted = true;
		beat->silent = 0;
		return HEARTBEAT_ABORT;
	}
	/* One at a time: the questions to one that hangs would pile up in its channel. */
	if (beat->asked)
		return HEARTBEAT_NOTHING;
	beat->asked = true;
	return HEARTBEAT_ASK;
}
