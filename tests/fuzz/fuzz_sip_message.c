/* fuzz_sip_message.c - what cig-sip makes of a message from the PBX network: the library
 * cuts it up, our own code reads the body, the challenges, the identities and the digits;
 * what then goes to cig-server is read there as from a child that may have been taken over.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/pbx_leg.h"
#include "gateway/sip/agent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/* ---- what the files of cig-sip under test ask of the others ---- */

void agent_send(struct agent *agent, SipAgent__FromAgent__BodyCase body, void *message)
{
	const SipAgent__DigitIn *digit = message;

	(void)agent;
	expect(body == SIP_AGENT__FROM_AGENT__BODY_DIGIT_IN && strlen(digit->digit) == 1);
}

/* Nothing is sent here. */
void call_route(struct call *call, char out[AGENT_ROUTE_SIZE])
{
	(void)call;
	(void)out;
	abort();
}

tport_t *call_connection(const struct call *call)
{
	(void)call;
	abort();
}

int sip_link_send(struct sip_link *link, const SipAgent__ToAgent *message)
{
	(void)link;
	(void)message;
	abort();
}

uint64_t sip_link_next_call(struct sip_link *link)
{
	(void)link;
	abort();
}

/* ---- cig-server's half ---- */

static void read_audio(const struct sdp *sdp)
{
	struct wire_sdp wire;
	struct sdp_audio back;
	struct pbx_audio audio;

	wire_sdp_put(sdp, &wire);
	expect(wire_audio_get(&wire.audio.pb, &back) == 0);
	expect(back.savp == sdp->audio.savp && back.ncrypto == sdp->audio.ncrypto);
	for (int srtp = CIG_SRTP_OFF; srtp <= CIG_SRTP_REQUIRED; srtp++) {
		int err = pbx_audio_read(&wire.audio.pb, (enum cig_srtp)srtp, &audio);

		expect(err || (audio.suite && sdp->has_secured) || srtp != CIG_SRTP_REQUIRED);
		expect(err || !audio.suite || srtp != CIG_SRTP_OFF);
	}
}

static void read_challenge(const SipAgent__Challenge *pb)
{
	const struct digest_account account = { "user", "secret" };
	const struct digest_request request = { "INVITE", "sip:1@192.0.2.1", "00", 1 };
	struct digest_challenge challenge;
	char out[DIGEST_TEXT_SIZE];

	if (wire_challenge_get(pb, &challenge) == 0)
		(void)digest_answer(&challenge, &account, &request, out, sizeof(out));
}

/* Anything at all in the name of the child. */
static void read_event(struct slice octets)
{
	SipAgent__FromAgent *event = sip_agent__from_agent__unpack(NULL, octets.n, octets.p);
	struct sdp_audio audio;

	if (!event)
		return;
	if (event->body_case == SIP_AGENT__FROM_AGENT__BODY_INCOMING && event->incoming->offer)
		(void)wire_audio_get(event->incoming->offer, &audio);
	if (event->body_case == SIP_AGENT__FROM_AGENT__BODY_CHALLENGED)
		for (size_t i = 0; i < event->challenged->n_challenges; i++)
			read_challenge(event->challenged->challenges[i]);
	sip_agent__from_agent__free_unpacked(event, NULL);
}

/* ---- cig-sip's ---- */

static void read_message(const sip_t *sip, su_home_t *home)
{
	struct challenge_list challenges;
	char *asserted[BODY_MAX_ASSERTED];
	struct call call = { .state = CALL_UP };
	const char *why = NULL;
	struct sdp sdp;

	if (body_kind(sip) == BODY_SDP && body_sdp(sip, &sdp, &why) == 0)
		read_audio(&sdp);
	body_challenges(sip, &challenges);
	for (size_t i = 0; i < challenges.n; i++)
		read_challenge(challenges.list[i]);
	for (size_t i = body_asserted(sip, home, "2001:db8::1", asserted); i > 0; i--)
		expect(asserted[i - 1] != NULL);
	if (sip->sip_from) {
		expect(body_name(home, sip->sip_from->a_display) != NULL);
		(void)agent_uri_ok(home, body_url(home, sip->sip_from->a_url));
		expect(body_caller(home, sip->sip_from->a_url, "2001:db8::1") != NULL);
	}
	expect(body_header(home, sip->sip_contact) != NULL);
	if (sip->sip_request && sip->sip_request->rq_method == sip_method_info)
		(void)digit_take(&call, sip);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	msg_t *msg;

	if (size > AGENT_MAX_MESSAGE)
		return 0;
	read_event(slice_of(data, size));
	msg = msg_make(sip_default_mclass(), 0, data, (ssize_t)size);
	if (msg && sip_object(msg))
		read_message(sip_object(msg), msg_home(msg));
	msg_destroy(msg);
	return 0;
}
