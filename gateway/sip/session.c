/* session.c - session timers of RFC 4028: what is asked for, taken over and
 * refreshed. */
#include "gateway/sip/agent.h"

#include <strings.h>

/* Session timers (RFC 4028).  Whoever is nominated refreshes at half of the interval; the
 * other ends the call when no refresh came shortly before its end.  Nothing of it is asked for
 * unless the configuration says so, but the peer's wish is always met. */

enum {
	MARGIN_MAX_S = 32, /* RFC 4028 10: the BYE goes out min(32, interval / 3) early */
	LONGEST_S = 86400, /* that we ask for or agree to */
	/* Of what the peer has settled: the library's timers wrap after 15 days. */
	LONGEST_SETTLED_S = 10 * 86400,
};

/* So bounded it fits into 32 bits in milliseconds, too. */
static uint32_t bounded(unsigned long interval_s, uint32_t least_s, uint32_t longest_s)
{
	return interval_s < least_s     ? least_s
	       : interval_s > longest_s ? longest_s
					: (uint32_t)interval_s;
}

static bool supports_timer(const sip_t *sip)
{
	return sip_has_supported(sip->sip_supported, "timer");
}

const char *session_header(const struct call *call, bool request, su_home_t *home)
{
	const struct session *s = &call->session;

	if (!s->expires_s)
		return NULL;
	/* in a request we are the uac, in a 200 the peer is */
	return su_sprintf(home, "%u;refresher=%s", s->expires_s,
			  request == s->refresh ? "uac" : "uas");
}

const char *session_min_header(const struct call *call, su_home_t *home)
{
	return call->session.expires_s ? su_sprintf(home, "%u", call->session.min_s) : NULL;
}

const char *session_require(const struct call *call)
{
	/* RFC 4028 9: only where the peer is to refresh, and never in a request */
	return call->session.expires_s && !call->session.refresh && call->session.timed ? "timer"
											: NULL;
}

int session_check(const struct agent *a, const sip_t *sip)
{
	const sip_session_expires_t *x = sip->sip_session_expires;

	return x && x->x_delta < a->min_session_s && supports_timer(sip) ? 422 : 0;
}

int session_take_request(struct call *call, const sip_t *sip, uint32_t *min_s_out)
{
	const sip_session_expires_t *x = sip->sip_session_expires;
	const struct agent *a = call->agent;
	struct session *s = &call->session;

	*min_s_out = a->min_session_s;
	if (session_check(a, sip))
		return 422;
	s->timed = supports_timer(sip);
	s->min_s = a->min_session_s;
	if (x) { /* less than our least only where a proxy put it there: then ours */
		s->expires_s = bounded(x->x_delta, s->min_s, LONGEST_S);
		s->refresh = x->x_refresher ? strcasecmp(x->x_refresher, "uas") == 0 : !s->timed;
		return 0;
	}
	if (!s->expires_s && a->session_s && s->timed)
		s->expires_s = a->session_s; /* RFC 4028 9: the uas may, when the uac can */
	s->refresh = s->expires_s && !s->timed;
	return 0;
}

void session_take_response(struct call *call, const sip_t *sip)
{
	const sip_session_expires_t *x = sip->sip_session_expires;
	struct session *s = &call->session;

	if (!x) { /* RFC 4028 7.2: it does not know them; we may refresh alone */
		s->refresh = true;
		return;
	}
	s->timed = true;
	s->expires_s = bounded(x->x_delta, s->min_s, LONGEST_SETTLED_S);
	s->refresh = !x->x_refresher || strcasecmp(x->x_refresher, "uas") != 0;
}

bool session_raise(struct call *call, const sip_t *sip)
{
	const sip_min_se_t *min = sip ? sip->sip_min_se : NULL;
	struct session *s = &call->session;

	/* RFC 4028 7.3: asked for once more, and not beyond a day. */
	if (!min || min->min_delta <= s->expires_s || min->min_delta > LONGEST_S)
		return false;
	s->expires_s = s->min_s = (uint32_t)min->min_delta;
	return true;
}

static void on_timer(struct agent *a, su_timer_t *timer, void *arg)
{
	struct call *call = arg;

	(void)a, (void)timer;
	if (call->state != CALL_UP)
		return;
	if (call->session.refresh) {
		reoffer_refresh(call);
		return;
	}
	call_tell_end(call, &(struct call_end){ .cause = SIP_AGENT__CAUSE__NO_ANSWER,
						.code = 408,
						.phrase = "the session was not refreshed" });
	call_send_bye(call);
}

void session_start(struct call *call)
{
	struct session *s = &call->session;
	uint32_t margin = s->expires_s / 3 < MARGIN_MAX_S ? s->expires_s / 3 : MARGIN_MAX_S;

	session_stop(call);
	if (!s->expires_s)
		return;
	if (!s->timer)
		s->timer = su_timer_create(su_root_task(call->agent->root), 0);
	if (s->timer)
		su_timer_set_interval(s->timer, on_timer, call,
				      (su_duration_t)(s->refresh ? s->expires_s * 500
								 : (s->expires_s - margin) * 1000));
}

void session_stop(struct call *call)
{
	if (call->session.timer)
		su_timer_reset(call->session.timer);
}
