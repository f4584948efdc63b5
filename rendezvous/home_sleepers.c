/* home_sleepers.c - calls to users who are away, while push wakes them up.
 *
 * Such a call is kept until a device of the callee attaches, and rings then; until the
 * caller gives up; or until there is no push token, or HOME_WAKE_MS have passed: then it
 * ends as any call to somebody who is not connected (CRS manual 4.8; row CRS-122).
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "rendezvous/home_priv.h"

struct sleeper {
	TAILQ_ENTRY(sleeper) in_home;
	struct endpoint from;
	int64_t until_ms;
	uint8_t id[SESSION_ID_SIZE];
	char *caller, *account, *callee;
	size_t n;
	uint8_t frame[];
};

static void drop(struct home *home, struct sleeper *sleeper)
{
	TAILQ_REMOVE(&home->sleepers, sleeper, in_home);
	home->n_sleepers--;
	free(sleeper->caller);
	free(sleeper->account);
	free(sleeper->callee);
	free(sleeper);
}

void home_free_sleepers(struct home *home)
{
	struct sleeper *sleeper;

	while ((sleeper = TAILQ_FIRST(&home->sleepers)))
		drop(home, sleeper);
}

/* At most HOME_SLEEPERS_MAX of them: a list is enough. */
static struct sleeper *find(const struct home *home, struct slice id)
{
	struct sleeper *sleeper;

	TAILQ_FOREACH(sleeper, &home->sleepers, in_home)
	{
		if (slice_eq(id, slice_of(sleeper->id, SESSION_ID_SIZE)))
			return sleeper;
	}
	return NULL;
}

/* The invitation goes its way, with whatever devices there are now. */
static void go_on(struct home *home, struct sleeper *sleeper)
{
	const struct passed_up up = { .connection = sleeper->from.connection,
				      .from = sleeper->caller,
				      .account = sleeper->account,
				      .uri = sleeper->callee,
				      .frame = slice_of(sleeper->frame, sleeper->n) };
	Umsg__Frame *frame = NULL;

	if (frame_view(up.frame, &frame) == 0)
		/* Not home_bang(): it would sleep again. */
		home_invite(home, &sleeper->from, &up, frame);
	else
		home_unheard(home, &sleeper->from); /* no memory: nobody else would tell him */
	frame_free(&frame);
	drop(home, sleeper);
}

static struct sleeper *keep(struct home *home, const struct endpoint *from,
			    const struct passed_up *up, struct slice id)
{
	struct sleeper *sleeper = calloc(1, sizeof(*sleeper) + up->frame.n);

	if (!sleeper)
		return NULL;
	TAILQ_INSERT_TAIL(&home->sleepers, sleeper, in_home);
	home->n_sleepers++;
	sleeper->from = *from;
	sleeper->until_ms = clock_mono_ms() + HOME_WAKE_MS;
	memcpy(sleeper->id, id.p, SESSION_ID_SIZE);
	sleeper->caller = strdup(up->from);
	sleeper->account = strdup(up->account);
	sleeper->callee = strdup(up->uri);
	sleeper->n = up->frame.n;
	memcpy(sleeper->frame, up->frame.p, up->frame.n);
	if (!sleeper->caller || !sleeper->account || !sleeper->callee) {
		drop(home, sleeper);
		return NULL;
	}
	return sleeper;
}

bool home_let_sleep(struct home *home, const struct endpoint *from, const struct passed_up *up,
		    const Umsg__Frame *frame)
{
	struct slice id = frame_session_id(frame);
	struct sleeper *sleeper = find(home, id);

	if (sleeper) {
		if (!endpoint_equal(&sleeper->from, from)) /* else said twice */
			home_refuse_call(home, from, frame, UMSG__ERROR_CODE__ERROR_CONFLICT,
					 "this session id is in use", 0);
		return true;
	}
	if (home->n_sleepers < HOME_SLEEPERS_MAX)
		sleeper = keep(home, from, up, id);
	if (!sleeper)
		return false;
	/* Kept before the user is woken: what the store answers has to find the call. */
	if (home_wake(home, up->uri)) {
		drop(home, sleeper);
		return false;
	}
	return true;
}

bool home_forget_sleeper(struct home *home, const struct endpoint *from, struct slice id)
{
	struct sleeper *sleeper = find(home, id);

	/* Nobody but the caller may end it, whoever else knows the id. */
	if (!sleeper || !endpoint_equal(&sleeper->from, from))
		return false;
	drop(home, sleeper);
	return true;
}

void home_forget_sleepers_of(struct home *home, unsigned holder)
{
	struct sleeper *sleeper = TAILQ_FIRST(&home->sleepers), *next;

	for (; sleeper; sleeper = next) {
		next = TAILQ_NEXT(sleeper, in_home);
		if (sleeper->from.holder == holder)
			drop(home, sleeper);
	}
}

void home_awake(struct home *home, const char *uri)
{
	struct sleeper *sleeper = TAILQ_FIRST(&home->sleepers), *next;
	int64_t now_ms = clock_mono_ms();

	for (; sleeper; sleeper = next) {
		next = TAILQ_NEXT(sleeper, in_home);
		if (uri ? strcmp(uri, sleeper->callee) == 0 : sleeper->until_ms <= now_ms)
			go_on(home, sleeper);
	}
}
