/* What cig-server asks cig-sip for, message by message; the link to cig-sip is played here. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/net.h"
#include "gateway/pbx_leg.h"

/* ---- the link ---- */

struct sip_link {
	uint64_t last_call;
	int err; /* of the next sends */
	SipAgent__ToAgent *sent;
};

uint64_t sip_link_next_call(struct sip_link *link)
{
	return link->last_call += 2;
}

int sip_link_send(struct sip_link *link, const SipAgent__ToAgent *message)
{
	uint8_t octets[16384];
	size_t n = sip_agent__to_agent__get_packed_size(message);

	if (link->err)
		return link->err;
	assert_true(n <= sizeof(octets));
	sip_agent__to_agent__pack(message, octets);
	if (link->sent)
		sip_agent__to_agent__free_unpacked(link->sent, NULL);
	link->sent = sip_agent__to_agent__unpack(NULL, n, octets);
	assert_non_null(link->sent);
	return 0;
}

static void link_done(struct sip_link *link)
{
	if (link->sent)
		sip_agent__to_agent__free_unpacked(link->sent, NULL);
}

/* ---- a leg ---- */

static struct pbx_leg leg_on(struct sip_link *link)
{
	struct pbx_leg leg = { .link = link, .number = 5, .local_port = 4000 };

	snprintf(leg.local_ip, sizeof(leg.local_ip), "192.0.2.1");
	return leg;
}

/* Their SDP, of at most four formats. */
struct theirs {
	SipAgent__Audio audio;
	SipAgent__Format formats[4], *list[4];
};

static void add_format(struct theirs *t, SipAgent__Encoding encoding, uint32_t payload_type)
{
	size_t i = t->audio.n_formats++;

	sip_agent__format__init(&t->formats[i]);
	t->formats[i].encoding = encoding;
	t->formats[i].payload_type = payload_type;
	t->list[i] = &t->formats[i];
}

static void their_audio(struct theirs *t, SipAgent__Direction direction)
{
	sip_agent__audio__init(&t->audio);
	t->audio.address = (char *)(uintptr_t) "192.0.2.99";
	t->audio.port = 5000;
	t->audio.direction = direction;
	t->audio.formats = t->list;
}

static void good_audio(struct theirs *t, SipAgent__Direction direction)
{
	their_audio(t, direction);
	add_format(t, SIP_AGENT__ENCODING__PCMU, 0);
	add_format(t, SIP_AGENT__ENCODING__PCMA, 8);
	add_format(t, SIP_AGENT__ENCODING__TELEPHONE_EVENT, 96);
}

/* As a re-INVITE brings it, which is read like an INVITE's. */
static int offer(struct pbx_leg *leg, struct theirs *t)
{
	SipAgent__Change change = SIP_AGENT__CHANGE__INIT;

	change.offer = &t->audio;
	return pbx_leg_change(leg, &change);
}

static void take(struct pbx_leg *leg, struct theirs *t)
{
	assert_int_equal(offer(leg, t), 0);
}

/* ---- tests ---- */

static void the_peers_first_codec_that_we_have_is_taken(void **state)
{
	struct sip_link link = { 0 };
	struct pbx_leg leg = leg_on(&link);
	struct theirs t;

	(void)state;
	their_audio(&t, SIP_AGENT__DIRECTION__RECVONLY);
	assert_int_equal(offer(&leg, &t), -ENOTSUP);
	add_format(&t, SIP_AGENT__ENCODING__TELEPHONE_EVENT, 97);
	assert_int_equal(offer(&leg, &t), -ENOTSUP);
	assert_false(leg.has_audio);
	add_format(&t, SIP_AGENT__ENCODING__PCMA, 98);
	add_format(&t, SIP_AGENT__ENCODING__PCMU, 0);
	add_format(&t, SIP_AGENT__ENCODING__COMFORT_NOISE, 13);
	assert_int_equal(offer(&leg, &t), 0);
	assert_int_equal(leg.audio.codec, PBX_PCMA);
	assert_int_equal(leg.audio.codec_pt, 98);
	assert_int_equal(leg.audio.event_pt, 97);
	assert_int_equal(leg.audio.cn_pt, 13);
	assert_string_equal(leg.audio.address, "192.0.2.99");
	assert_int_equal(leg.audio.port, 5000);
	assert_true(leg.audio.peer_listens && !leg.audio.peer_sends);
	pbx_leg_clear(&leg);
	link_done(&link);
}

static void packets_are_no_longer_than_the_peer_takes(void **state)
{
	static const struct {
		unsigned ptime_ms, maxptime_ms, want_ms;
	} cases[] = { { 0, 0, 20 }, { 30, 0, 30 }, { 30, 20, 20 }, { 0, 10, 10 }, { 20, 60, 20 } };
	struct sip_link link = { 0 };
	struct pbx_leg leg = leg_on(&link);
	struct theirs t;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		good_audio(&t, SIP_AGENT__DIRECTION__SENDRECV);
		t.audio.ptime_ms = cases[i].ptime_ms;
		t.audio.maxptime_ms = cases[i].maxptime_ms;
		take(&leg, &t);
		assert_int_equal(leg.audio.ptime_ms, cases[i].want_ms);
	}
	pbx_leg_clear(&leg);
	link_done(&link);
}

/* RFC 3264 6.1 and 8.4: what they do seen from our side, and none that we hold. */
static void directions_are_answered_as_the_rfc_has_it(void **state)
{
	static const struct {
		SipAgent__Direction theirs;
		bool we_hold;
		SipAgent__Direction ours;
	} cases[] = {
		{ SIP_AGENT__DIRECTION__SENDRECV, false, SIP_AGENT__DIRECTION__SENDRECV },
		{ SIP_AGENT__DIRECTION__SENDONLY, false, SIP_AGENT__DIRECTION__RECVONLY },
		{ SIP_AGENT__DIRECTION__RECVONLY, false, SIP_AGENT__DIRECTION__SENDONLY },
		{ SIP_AGENT__DIRECTION__INACTIVE, false, SIP_AGENT__DIRECTION__INACTIVE },
		{ SIP_AGENT__DIRECTION__SENDRECV, true, SIP_AGENT__DIRECTION__SENDONLY },
		{ SIP_AGENT__DIRECTION__SENDONLY, true, SIP_AGENT__DIRECTION__INACTIVE },
		{ SIP_AGENT__DIRECTION__RECVONLY, true, SIP_AGENT__DIRECTION__SENDONLY },
		{ SIP_AGENT__DIRECTION__INACTIVE, true, SIP_AGENT__DIRECTION__INACTIVE },
	};
	struct sip_link link = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct pbx_leg leg = leg_on(&link);
		struct theirs t;

		good_audio(&t, cases[i].theirs);
		take(&leg, &t);
		leg.we_hold = cases[i].we_hold;
		assert_int_equal(pbx_leg_answer(&leg), 0);
		assert_int_equal(link.sent->answer->audio->direction, cases[i].ours);
		pbx_leg_clear(&leg);
	}
	link_done(&link);
}

/* RFC 3605, RFC 4585: what the SDP says of RTCP is kept, and the profile offered again. */
static void reports_and_the_profile_are_as_the_peer_has_them(void **state)
{
	struct sip_link link = { 0 };
	struct pbx_leg leg = leg_on(&link);
	struct theirs t;

	(void)state;
	good_audio(&t, SIP_AGENT__DIRECTION__SENDRECV);
	t.audio.rtcp_port = 5555;
	t.audio.rtcp_address = (char *)(uintptr_t) "192.0.2.77";
	t.audio.feedback = true;
	take(&leg, &t);
	assert_int_equal(leg.audio.rtcp_port, 5555);
	assert_string_equal(leg.audio.rtcp_address, "192.0.2.77");
	assert_int_equal(pbx_leg_reoffer(&leg), 0);
	assert_true(link.sent->reoffer->audio->feedback);
	good_audio(&t, SIP_AGENT__DIRECTION__SENDRECV);
	take(&leg, &t);
	assert_int_equal(leg.audio.rtcp_port, 0);
	assert_string_equal(leg.audio.rtcp_address, "");
	assert_int_equal(pbx_leg_reoffer(&leg), 0);
	assert_false(link.sent->reoffer->audio->feedback);
	pbx_leg_clear(&leg);
	link_done(&link);
}

static void an_invitation_offers_both_laws_and_events(void **state)
{
	struct sip_link link = { 0 };
	struct pbx_leg leg = leg_on(&link);
	struct pbx_invite invite = { .request_uri = "sip:101@pbx.com",
				     .from_uri = "sip:46701@secure.com",
				     .asserted_uri = "sip:46701@secure.com",
				     .remote_party_id = true,
				     .host = "pbx.com",
				     .answer_ms = 2000,
				     .reliable = true };
	struct net_addr target;

	(void)state;
	assert_int_equal(net_parse("[2001:db8::5]:5070", 0, &target), 0);
	invite.target = &target;
	assert_int_equal(pbx_leg_invite(&leg, &invite), 0);
	assert_int_equal(leg.number, 2);
	assert_int_equal(link.sent->body_case, SIP_AGENT__TO_AGENT__BODY_INVITE);
	assert_int_equal(link.sent->invite->call, 2);
	assert_string_equal(link.sent->invite->target->address, "2001:db8::5");
	assert_int_equal(link.sent->invite->target->port, 5070);
	assert_string_equal(link.sent->invite->asserted_uri, "sip:46701@secure.com");
	assert_int_equal(link.sent->invite->n_extra, 1);
	assert_string_equal(link.sent->invite->extra[0],
			    "Remote-Party-ID: <sip:46701@secure.com>;party=calling;screen=yes;"
			    "privacy=off");
	assert_int_equal(link.sent->invite->answer_ms, 2000);
	assert_true(link.sent->invite->reliable);
	assert_int_equal(link.sent->invite->offer->n_formats, 3);
	assert_int_equal(link.sent->invite->offer->formats[0]->encoding, SIP_AGENT__ENCODING__PCMA);
	assert_string_equal(link.sent->invite->offer->address, "192.0.2.1");

	link.err = -EPIPE; /* no agent: there is no leg then */
	assert_int_equal(pbx_leg_invite(&leg, &invite), -EPIPE);
	assert_int_equal(leg.number, 0);
	pbx_leg_clear(&leg);
	link_done(&link);
}

/* RFC 3262, section 5: an offer stands in the first reliable response where the INVITE had none. */
static void ringing_offers_only_where_it_has_to(void **state)
{
	struct sip_link link = { 0 };
	struct pbx_leg leg = leg_on(&link);
	struct theirs t;

	(void)state;
	assert_int_equal(pbx_leg_ring(&leg), 0);
	assert_int_equal(link.sent->ring->code, 180);
	assert_null(link.sent->ring->audio);
	leg.reliable = true;
	assert_int_equal(pbx_leg_ring(&leg), 0);
	assert_non_null(link.sent->ring->audio);
	good_audio(&t, SIP_AGENT__DIRECTION__SENDRECV);
	take(&leg, &t);
	assert_int_equal(pbx_leg_ring(&leg), 0);
	assert_null(link.sent->ring->audio);
	pbx_leg_clear(&leg);
	link_done(&link);
}

static void an_answer_has_one_codec_and_a_late_offer_all(void **state)
{
	struct sip_link link = { 0 };
	struct pbx_leg leg = leg_on(&link);
	struct theirs t;

	(void)state;
	assert_int_equal(pbx_leg_answer(&leg), 0);
	assert_int_equal(link.sent->answer->audio->n_formats, 3);
	good_audio(&t, SIP_AGENT__DIRECTION__SENDRECV);
	take(&leg, &t);
	assert_int_equal(pbx_leg_answer(&leg), 0);
	assert_int_equal(link.sent->answer->audio->n_formats, 2);
	assert_int_equal(link.sent->answer->audio->formats[0]->encoding, SIP_AGENT__ENCODING__PCMU);
	assert_int_equal(link.sent->answer->audio->formats[1]->payload_type, 96);
	pbx_leg_clear(&leg);
	link_done(&link);
}

static void a_hold_without_an_address_keeps_the_one_before(void **state)
{
	struct sip_link link = { 0 };
	struct pbx_leg leg = leg_on(&link);
	struct theirs t;

	(void)state;
	good_audio(&t, SIP_AGENT__DIRECTION__SENDRECV);
	take(&leg, &t);
	good_audio(&t, SIP_AGENT__DIRECTION__SENDONLY);
	t.audio.address = (char *)(uintptr_t) "";
	take(&leg, &t);
	assert_string_equal(leg.audio.address, "192.0.2.99");
	assert_false(leg.audio.peer_listens);
	assert_int_equal(link.sent->change_answer->audio->direction,
			 SIP_AGENT__DIRECTION__RECVONLY);
	pbx_leg_clear(&leg);
	link_done(&link);
}

static void a_change_that_does_not_suit_changes_nothing(void **state)
{
	const SipAgent__Change asks = SIP_AGENT__CHANGE__INIT; /* for our offer */
	struct sip_link link = { 0 };
	struct pbx_leg leg = leg_on(&link);
	struct theirs t;

	(void)state;
	good_audio(&t, SIP_AGENT__DIRECTION__SENDRECV);
	take(&leg, &t);
	their_audio(&t, SIP_AGENT__DIRECTION__SENDRECV);
	t.audio.port = 7000;
	assert_int_equal(offer(&leg, &t), -ENOTSUP);
	assert_int_equal(link.sent->body_case, SIP_AGENT__TO_AGENT__BODY_CHANGE_REJECT);
	assert_int_equal(link.sent->change_reject->code, 488);
	assert_int_equal(leg.audio.port, 5000);
	assert_int_equal(pbx_leg_change(&leg, &asks), 0);
	assert_int_equal(link.sent->change_answer->audio->n_formats, 3);
	leg.we_hold = true;
	assert_int_equal(pbx_leg_reoffer(&leg), 0);
	assert_int_equal(link.sent->reoffer->audio->direction, SIP_AGENT__DIRECTION__SENDONLY);
	pbx_leg_clear(&leg);
	link_done(&link);
}

/* RFC 4568 7.1.4; signalwire/freeswitch#3158, pjsip/pjproject#1856: once there are keys, whoever
 * offers next, and a re-INVITE that asks for our offer, gets the same suite and key, and nothing
 * gets RTP in clear. */
static void a_call_with_keys_keeps_them_whoever_offers(void **state)
{
	const SipAgent__Change asks = SIP_AGENT__CHANGE__INIT;
	struct sip_link link = { 0 };
	struct pbx_leg leg = leg_on(&link);
	SipAgent__Crypto crypto = SIP_AGENT__CRYPTO__INIT, *list[] = { &crypto };
	const SipAgent__Audio *ours;
	uint8_t key[PBX_SRTP_KEY] = { 7 }, own[30];
	struct theirs t, secured;

	(void)state;
	leg.srtp = CIG_SRTP_OPTIONAL;
	good_audio(&t, SIP_AGENT__DIRECTION__SENDRECV); /* two lines, as phones offer them */
	good_audio(&secured, SIP_AGENT__DIRECTION__SENDRECV);
	crypto.tag = 3; /* an answer bears the offer's tag */
	crypto.suite = SIP_AGENT__SUITE__AES_CM_128_HMAC_SHA1_32;
	crypto.key = (ProtobufCBinaryData){ sizeof(own), key };
	secured.audio.savp = true;
	secured.audio.crypto = list;
	secured.audio.n_crypto = 1;
	t.audio.secured = &secured.audio;
	take(&leg, &t);
	ours = link.sent->change_answer->audio;
	assert_int_equal(ours->n_crypto, 1);
	assert_int_equal(ours->crypto[0]->tag, 3);
	assert_int_equal(ours->crypto[0]->suite, crypto.suite);
	memcpy(own, ours->crypto[0]->key.data, sizeof(own));

	assert_int_equal(pbx_leg_change(&leg, &asks), 0);
	ours = link.sent->change_answer->audio;
	assert_true(ours->savp);
	assert_int_equal(ours->n_crypto, 1); /* the active suite alone */
	assert_int_equal(ours->crypto[0]->suite, crypto.suite);
	assert_memory_equal(ours->crypto[0]->key.data, own, sizeof(own));
	assert_int_equal(ours->direction, SIP_AGENT__DIRECTION__SENDRECV);

	t.audio.secured = NULL; /* in clear: refused, and the call stays as it is */
	assert_int_equal(offer(&leg, &t), -ENOTSUP);
	assert_int_equal(link.sent->change_reject->code, 488);
	assert_int_equal(leg.audio.suite, crypto.suite);
	pbx_leg_clear(&leg);
	link_done(&link);
}

/* AES-128 first; of AES-256 (RFC 6188) one key, however the peer spells the suite. */
static void every_suite_is_offered_and_either_spelling_of_aes_256_taken(void **state)
{
	static const SipAgent__Suite spelled[] = { SIP_AGENT__SUITE__AES_256_CM_HMAC_SHA1_80,
						   SIP_AGENT__SUITE__AES_CM_256_HMAC_SHA1_80 };
	const SipAgent__Change asks = SIP_AGENT__CHANGE__INIT;
	struct sip_link link = { 0 };
	struct pbx_leg leg = leg_on(&link);
	SipAgent__Crypto crypto = SIP_AGENT__CRYPTO__INIT, *list[] = { &crypto };
	const SipAgent__Audio *ours;
	uint8_t key[PBX_SRTP_KEY] = { 7 }, own[PBX_SRTP_KEY];
	struct theirs t;

	(void)state;
	leg.srtp = CIG_SRTP_OPTIONAL;
	assert_int_equal(pbx_leg_change(&leg, &asks), 0);
	ours = link.sent->change_answer->audio;
	assert_int_equal(ours->n_crypto, 4);
	for (size_t i = 0; i < ours->n_crypto; i++) {
		assert_int_equal(ours->crypto[i]->tag, i + 1);
		assert_int_equal(ours->crypto[i]->suite,
				 SIP_AGENT__SUITE__AES_CM_128_HMAC_SHA1_80 + (int)i);
		assert_int_equal(ours->crypto[i]->key.len, i < 2 ? 30 : 46);
	}
	memcpy(own, ours->crypto[2]->key.data, sizeof(own));

	good_audio(&t, SIP_AGENT__DIRECTION__SENDRECV);
	t.audio.savp = true;
	t.audio.crypto = list;
	t.audio.n_crypto = 1;
	t.audio.secured = &t.audio;
	crypto.tag = 3;
	crypto.key = (ProtobufCBinaryData){ 30, key };
	crypto.suite = spelled[0]; /* with a key of AES-128: no */
	assert_int_equal(offer(&leg, &t), -ENOTSUP);
	crypto.key.len = sizeof(key);
	for (size_t i = 0; i < COUNT(spelled); i++) {
		crypto.suite = spelled[i];
		take(&leg, &t);
		ours = link.sent->change_answer->audio;
		assert_int_equal(ours->n_crypto, 1);
		assert_int_equal(ours->crypto[0]->suite, spelled[i]);
		assert_int_equal(ours->crypto[0]->key.len, sizeof(own));
		assert_memory_equal(ours->crypto[0]->key.data, own, sizeof(own));
		assert_memory_equal(pbx_leg_own_key(&leg), own, sizeof(own));
		assert_memory_equal(leg.audio.peer_key, key, sizeof(key));
	}
	pbx_leg_clear(&leg);
	link_done(&link);
}

static void a_refusal_says_when_to_try_again(void **state)
{
	struct sip_link link = { 0 };
	struct pbx_leg leg = leg_on(&link);
	char challenges[DIGEST_ASKED][DIGEST_TEXT_SIZE] = { "Digest a", "Digest b" };

	(void)state;
	assert_int_equal(pbx_leg_reject(&leg, 486, "", ""), 0);
	assert_int_equal(link.sent->reject->code, 486);
	assert_int_equal(link.sent->reject->retry_after_s, 0);
	assert_int_equal(pbx_leg_reject(&leg, 503, "Busy", "SIP;cause=503"), 0);
	assert_int_equal(link.sent->reject->call, 5);
	assert_string_equal(link.sent->reject->phrase, "Busy");
	assert_string_equal(link.sent->reject->reason, "SIP;cause=503");
	assert_true(link.sent->reject->retry_after_s > 0);
	assert_int_equal(pbx_leg_challenge(&leg, challenges), 0);
	assert_int_equal(link.sent->reject->code, 401);
	assert_int_equal(link.sent->reject->n_challenges, DIGEST_ASKED);
	assert_string_equal(link.sent->reject->challenges[0], "Digest a");
	pbx_leg_clear(&leg);
	link_done(&link);
}

static void a_password_is_given_twice_at_most(void **state)
{
	static const struct cig_account account = { "acc", "user", "password" };
	struct sip_link link = { 0 };
	struct pbx_leg leg = leg_on(&link);
	SipAgent__Challenge challenge = SIP_AGENT__CHALLENGE__INIT, *list[] = { &challenge };
	SipAgent__Challenged challenged = SIP_AGENT__CHALLENGED__INIT;
	const char *why = "";

	(void)state;
	challenge.realm = (char *)(uintptr_t) "pbx";
	challenge.nonce = (char *)(uintptr_t) "abc";
	challenged.number = 1;
	challenged.method = (char *)(uintptr_t) "INVITE";
	challenged.uri = (char *)(uintptr_t) "sip:101@pbx.com";
	challenged.challenges = list;
	challenged.n_challenges = 1;
	assert_int_equal(pbx_leg_authorize(&leg, &challenged, &why), -EACCES);
	assert_non_null(strstr(why, "names no auth account"));
	leg.account = &account;
	for (; challenged.number <= DIGEST_MAX_ROUNDS; challenged.number++) {
		assert_int_equal(pbx_leg_authorize(&leg, &challenged, &why), 0);
		assert_int_equal(link.sent->authorize->number, challenged.number);
		assert_non_null(strstr(link.sent->authorize->authorization, "username=\"user\""));
		assert_null(strstr(link.sent->authorize->authorization, "password"));
		assert_string_equal(link.sent->authorize->proxy_authorization, "");
	}
	assert_int_equal(pbx_leg_authorize(&leg, &challenged, &why), -EACCES);
	assert_non_null(strstr(why, "refuses the user or password"));
	challenge.algorithm = (char *)(uintptr_t) "ROT13";
	challenged.number = 1;
	assert_int_equal(pbx_leg_authorize(&leg, &challenged, &why), -EACCES);
	assert_non_null(strstr(why, "cannot be answered"));
	pbx_leg_clear(&leg);
	link_done(&link);
}

static void a_dialog_is_kept_for_the_next_agent_to_end(void **state)
{
	struct sip_link link = { 0 };
	struct pbx_leg leg = leg_on(&link);
	SipAgent__Dialog dialog = SIP_AGENT__DIALOG__INIT;
	char call_id[] = "abc@192.0.2.1";

	(void)state;
	dialog.call_id = call_id;
	dialog.local_cseq = 3;
	pbx_leg_keep_dialog(&leg, &dialog);
	memset(call_id, 'x', sizeof(call_id) - 1); /* the message is gone */
	pbx_leg_keep_dialog(&leg, NULL);           /* a later one says nothing of it */
	assert_int_equal(pbx_leg_bye_orphan(&leg, "SIP;cause=503"), 0);
	assert_string_equal(link.sent->bye_orphan->dialog->call_id, "abc@192.0.2.1");
	assert_int_equal(link.sent->bye_orphan->dialog->local_cseq, 3);
	assert_string_equal(link.sent->bye_orphan->reason, "SIP;cause=503");
	assert_int_equal(pbx_leg_hangup(&leg, ""), 0);
	assert_int_equal(link.sent->hangup->call, 5);
	pbx_leg_clear(&leg);
	assert_null(leg.dialog);
	link_done(&link);
}

static void a_digit_by_info_has_a_length(void **state)
{
	struct sip_link link = { 0 };
	struct pbx_leg leg = leg_on(&link);

	(void)state;
	assert_int_equal(pbx_leg_send_digit(&leg, "#", 0), 0);
	assert_string_equal(link.sent->digit->digit, "#");
	assert_int_equal(link.sent->digit->duration_ms, 100);
	assert_int_equal(pbx_leg_send_digit(&leg, "1", 250), 0);
	assert_int_equal(link.sent->digit->duration_ms, 250);
	pbx_leg_clear(&leg);
	link_done(&link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_peers_first_codec_that_we_have_is_taken),
		cmocka_unit_test(packets_are_no_longer_than_the_peer_takes),
		cmocka_unit_test(directions_are_answered_as_the_rfc_has_it),
		cmocka_unit_test(reports_and_the_profile_are_as_the_peer_has_them),
		cmocka_unit_test(an_invitation_offers_both_laws_and_events),
		cmocka_unit_test(ringing_offers_only_where_it_has_to),
		cmocka_unit_test(an_answer_has_one_codec_and_a_late_offer_all),
		cmocka_unit_test(a_hold_without_an_address_keeps_the_one_before),
		cmocka_unit_test(a_change_that_does_not_suit_changes_nothing),
		cmocka_unit_test(a_call_with_keys_keeps_them_whoever_offers),
		cmocka_unit_test(every_suite_is_offered_and_either_spelling_of_aes_256_taken),
		cmocka_unit_test(a_refusal_says_when_to_try_again),
		cmocka_unit_test(a_password_is_given_twice_at_most),
		cmocka_unit_test(a_dialog_is_kept_for_the_next_agent_to_end),
		cmocka_unit_test(a_digit_by_info_has_a_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
