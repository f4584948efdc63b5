/* registration.c - when to register next, as arithmetic: no timer, no message. */
#include "gateway/registration.h"

#include <stddef.h>

/* FAILED is the network's fault and soon over; REFUSED is a setting's, and asking faster makes no
 * difference. */
enum {
	FAILED_FIRST_MS = 5000,
	FAILED_MOST_MS = 300000,
	REFUSED_FIRST_MS = 60000,
	REFUSED_MOST_MS = 3600000,
	EXPIRES_MOST_S = 86400,
	GRANTED_LEAST_S = 20, /* less would be a flood */
};

const char *registration_state_name(enum registration_state state)
{
	static const char *const names[] = { "TRYING", "REGISTERED", "FAILED", "REFUSED" };

	return names[state];
}

void registration_init(struct registration *r, uint32_t expires_s)
{
	*r = (struct registration){ .state = REGISTRATION_TRYING, .expires_s = expires_s };
}

bool registration_holds(const struct registration *r, int64_t now_ms)
{
	return r->until_ms > now_ms;
}

/* Doubling from first to most, and not before the PBX wants it. */
static int64_t back_off(struct registration *r, enum registration_state state, int64_t first_ms,
			int64_t most_ms, uint32_t retry_after_s)
{
	int64_t ms = first_ms, least_ms;

	r->failures = r->state == state ? r->failures + 1 : 1;
	r->state = state;
	for (unsigned i = 1; i < r->failures && ms < most_ms; i++)
		ms *= 2;
	ms = ms < most_ms ? ms : most_ms;
	if (retry_after_s > REFUSED_MOST_MS / 1000)
		retry_after_s = REFUSED_MOST_MS / 1000;
	/* Retry-After is kept (RFC 3261 20.33), within an hour. */
	least_ms = (int64_t)retry_after_s * 1000;
	return ms > least_ms ? ms : least_ms;
}

static int64_t granted(struct registration *r, uint32_t expires_s, int64_t now_ms)
{
	if (expires_s > EXPIRES_MOST_S)
		expires_s = EXPIRES_MOST_S;
	r->state = REGISTERED;
	r->failures = 0;
	r->until_ms = now_ms + (int64_t)expires_s * 1000;
	/* At half its life: a lost refresh has time for another (RFC 3261 10.2.4 leaves the time
	 * to us). */
	return (int64_t)(expires_s < GRANTED_LEAST_S ? GRANTED_LEAST_S : expires_s) * 500;
}

int64_t registration_take(struct registration *r, const struct registration_answer *a,
			  int64_t now_ms)
{
	r->code = a->code;
	if (a->code >= 200 && a->code < 300)
		return granted(r, a->expires_s ? a->expires_s : r->expires_s, now_ms);
	/* RFC 3261 10.2.8: 423 says in Min-Expires what would be granted.  Asked for at once, and
	 * once: another 423 has to want more. */
	if (a->code == 423 && a->min_expires_s > r->expires_s &&
	    a->min_expires_s <= EXPIRES_MOST_S) {
		r->expires_s = a->min_expires_s;
		return 0;
	}
	/* 480 comes and goes, as does whatever a server is not to blame the client for */
	if (a->code == 408 || a->code == 480 || a->code >= 500)
		return back_off(r, REGISTRATION_FAILED, FAILED_FIRST_MS, FAILED_MOST_MS,
				a->retry_after_s);
	return back_off(r, REGISTRATION_REFUSED, REFUSED_FIRST_MS, REFUSED_MOST_MS,
			a->retry_after_s);
}
