/* reoffer.c - our re-INVITE and UPDATE, one at a time; what comes meanwhile waits for
 * its turn. */
#include "gateway/sip/agent.h"

#include "gateway/sip_wire.h"

/* RFC 3261 14.1 draws up to 4 s after 491; the later one is behind other failures of a
 * refresh. */
enum { AGAIN_MAX_MS = 4000, AGAIN_LATER_MS = 10000 };

/* One request of ours that changes the session is under way at a time (RFC 3261 14.1), and
 * none while one of the peer's is. */

static void send_request(struct call *call);

static void on_again(struct agent *a, su_timer_t *timer, void *arg)
{
	struct call *call = arg;

	(void)a, (void)timer;
	call->reoffer.waiting = false;
	call->reoffer.due = call->reoffer.owed;
	reoffer_next(call);
}

static void again_in(struct call *call, uint32_t ms)
{
	if (!call->reoffer.again)
		call->reoffer.again = su_timer_create(su_root_task(call->agent->root), 0);
	if (call->reoffer.again)
		su_timer_set_interval(call->reoffer.again, on_again, call, (su_duration_t)ms);
}

/* The same, and no request before: unless without memory for a timer. */
static void wait(struct call *call, uint32_t ms)
{
	again_in(call, ms);
	call->reoffer.waiting = call->reoffer.again != NULL;
}

/* RFC 3261 14.1: whoever made the Call-ID waits longer, so that two do not meet again. */
static uint32_t glare_ms(const struct call *call)
{
	return call->caller ? (uint32_t)su_randint(210, 400) * 10
			    : (uint32_t)su_randint(0, 200) * 10;
}

bool reoffer_crosses(const struct call *call)
{
	return call->reoffer.out || call->reoffer.asking;
}

static void tell_changed(struct call *call, unsigned code, const struct sdp *sdp)
{
	SipAgent__Changed event = SIP_AGENT__CHANGED__INIT;
	struct wire_sdp wire;

	if (!call->reoffer.offering)
		return; /* a refresh: nothing changes */
	call->reoffer.offering = false;
	event.call = call->node.key;
	event.code = code;
	if (sdp) {
		wire_sdp_put(sdp, &wire);
		event.audio = &wire.audio.pb;
	}
	agent_send(call->agent, SIP_AGENT__FROM_AGENT__BODY_CHANGED, &event);
}

/* The answer to our offer; a refresh repeats what holds, so nobody needs to hear of it. */
static void on_success(struct call *call, const sip_t *sip)
{
	bool invite = sip->sip_cseq->cs_method == sip_method_invite;
	struct sdp answer;

	if (invite)
		call->local_seq = sip->sip_cseq->cs_seq;
	if (sip->sip_contact)
		nta_leg_client_route(call->leg, NULL, sip->sip_contact);
	if (invite)
		call_send_ack(call, call->local_seq);
	call->challenges = 0;
	call->reoffer.due = call->reoffer.owed = false;
	call_take_allow(call, sip);
	session_take_response(call, sip);
	session_start(call);
	if (body_kind(sip) == BODY_SDP && body_sdp(sip, &answer, NULL) == 0)
		tell_changed(call, 200, &answer);
	else
		tell_changed(call, invite ? 488 : 200, NULL);
}

/* The dialog is not there any more (RFC 3261 12.2.1.2). */
static void end_dialog(struct call *call, int status)
{
	call_tell_end(call, &(struct call_end){ .cause = SIP_AGENT__CAUSE__NO_ANSWER,
						.code = (unsigned)status,
						.phrase = "the session was not refreshed" });
	call_send_bye(call);
}

/* The same request again: after a wait, with credentials, with a longer interval.  False where
 * it would only fail again, as often as it is sent. */
static bool comes_again(struct call *call, nta_outgoing_t *out, const sip_t *sip, int status)
{
	if (status == 491)
		wait(call, glare_ms(call));
	else if ((status == 401 || status == 407) && sip && call_ask(call, out, sip))
		call->reoffer.asking = true;
	else if (status != 422 || !session_raise(call, sip))
		return false;
	call->reoffer.wanted = call->reoffer.wanted || call->reoffer.offering;
	call->reoffer.due = call->reoffer.owed;
	return true;
}

/* At once only where it is found that the peer does not know UPDATE, for then it is another
 * request; who refuses a refresh for any other reason would refuse the next one, too. */
static void refresh_again(struct call *call, int status)
{
	if (call->reoffer.update && (status == 405 || status == 501)) {
		call->takes_update = false;
		call->reoffer.due = true;
	} else {
		again_in(call, AGAIN_LATER_MS);
	}
}

static void on_failure(struct call *call, nta_outgoing_t *out, const sip_t *sip, int status)
{
	if (comes_again(call, out, sip, status))
		return;
	if (status == 408 || status == 481) {
		end_dialog(call, status);
		return;
	}
	tell_changed(call, (unsigned)status, NULL);
	if (call->reoffer.owed)
		refresh_again(call, status);
}

static int on_response(void *arg, nta_outgoing_t *out, const sip_t *sip)
{
	struct call *call = arg;
	int status = sip ? sip->sip_status->st_status : nta_outgoing_status(out);

	/* A late response of one that was given up. */
	if (status < 200 || call->reoffer.out != out)
		return 0;
	call->reoffer.out = NULL;
	if (call->state == CALL_UP) {
		if (status < 300 && sip)
			on_success(call, sip);
		else
			on_failure(call, out, sip, status);
		reoffer_next(call);
	} else if (status < 300 && sip && sip->sip_cseq->cs_method == sip_method_invite) {
		call_send_ack(call, sip->sip_cseq->cs_seq); /* it crossed the BYE */
	}
	nta_outgoing_destroy(out);
	return 0;
}

static void send_request(struct call *call)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	/* RFC 4028 7.4: UPDATE without SDP for a refresh, where the peer takes it: it changes
	 * nothing. */
	bool update = !call->reoffer.wanted && call->takes_update;
	const char *sdp = update ? NULL : call->local.text;
	char route[AGENT_ROUTE_SIZE];

	call_route(call, route);
	call->reoffer.update = update;
	call->reoffer.due = false;
	call->reoffer.offering = call->reoffer.wanted;
	call->reoffer.wanted = false;
	call->reoffer.out = nta_outgoing_tcreate(
		call->leg, on_response, call, (url_string_t *)route,
		update ? sip_method_update : sip_method_invite, update ? "UPDATE" : "INVITE", NULL,
		NTATAG_TPORT(call_connection(call)), SIPTAG_CONTACT_STR(call->contact),
		SIPTAG_ALLOW_STR(AGENT_ALLOW), SIPTAG_SUPPORTED_STR("timer"),
		SIPTAG_SESSION_EXPIRES_STR(session_header(call, true, home)),
		SIPTAG_MIN_SE_STR(session_min_header(call, home)),
		SIPTAG_USER_AGENT_STR(call->agent->user_agent),
		SIPTAG_AUTHORIZATION_STR(call->authorization),
		SIPTAG_PROXY_AUTHORIZATION_STR(call->proxy_authorization),
		TAG_IF(sdp, SIPTAG_CONTENT_TYPE_STR("application/sdp")), SIPTAG_PAYLOAD_STR(sdp),
		TAG_END());
	su_home_deinit(home);
	if (!call->reoffer.out)
		on_failure(call, NULL, NULL, 500);
}

void reoffer_next(struct call *call)
{
	if (call->state != CALL_UP || call->change || reoffer_crosses(call) ||
	    call->reoffer.waiting)
		return;
	if (call->reoffer.wanted || call->reoffer.due)
		send_request(call);
}

void reoffer_take(struct call *call, const SipAgent__Reoffer *reoffer)
{
	struct sdp_audio ours;

	if (call->state != CALL_UP)
		return;
	if (!reoffer->audio || wire_audio_get(reoffer->audio, &ours) ||
	    sdp_write(&call->local, &ours, NULL))
		return; /* cannot be: the server is our own build */
	call->reoffer.wanted = true;
	reoffer_next(call); /* or on_again(), or when what is under way is over */
}

void reoffer_refresh(struct call *call)
{
	call->reoffer.due = call->reoffer.owed = true;
	reoffer_next(call);
}

void reoffer_authorized(struct call *call)
{
	if (!call->reoffer.asking)
		return;
	call->reoffer.asking = false;
	send_request(call);
}

void reoffer_free(struct call *call)
{
	nta_outgoing_destroy(call->reoffer.out);
	if (call->reoffer.again)
		su_timer_destroy(call->reoffer.again);
	if (call->session.timer)
		su_timer_destroy(call->session.timer);
}
