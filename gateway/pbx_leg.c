/* pbx_leg.c - the PBX's side of a call: its SDP as codec, address and keys, ours as
 * message, and the commands that cig-sip gets. */
#include "gateway/pbx_leg.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/buf.h"
#include "base/net.h"
#include "base/pack.h"
#include "gateway/sip_wire.h"

enum {
	OFFERED_EVENT_PT = 101, /* any dynamic number (RFC 3551 3); 101 is what everybody uses */
	DEFAULT_PTIME_MS = 20,
	DEFAULT_DIGIT_MS = 100,
	REMOTE_PARTY_SIZE = 1024
};

static const SipAgent__Format *find_format(const SipAgent__Audio *audio,
					   SipAgent__Encoding encoding)
{
	for (size_t i = 0; i < audio->n_formats; i++)
		if (audio->formats[i]->encoding == encoding)
			return audio->formats[i];
	return NULL;
}

/* Theirs in their order (RFC 3264 6.1): what they like best of what we have. */
static const SipAgent__Format *first_codec(const SipAgent__Audio *audio)
{
	for (size_t i = 0; i < audio->n_formats; i++)
		if (audio->formats[i]->encoding == SIP_AGENT__ENCODING__PCMU ||
		    audio->formats[i]->encoding == SIP_AGENT__ENCODING__PCMA)
			return audio->formats[i];
	return NULL;
}

/* The packet time that the peer wants, within its maxptime (RFC 4566 6). */
static unsigned wanted_ptime(const SipAgent__Audio *theirs)
{
	unsigned ptime = theirs->ptime_ms ? theirs->ptime_ms : DEFAULT_PTIME_MS;

	return theirs->maxptime_ms && theirs->maxptime_ms < ptime ? theirs->maxptime_ms : ptime;
}

/* The peer's line that counts: with keys wherever they are wanted and offered.  A line of
 * RTP/SAVP without keys of ours is none. */
static const SipAgent__Audio *choose_line(const SipAgent__Audio *theirs, enum cig_srtp srtp)
{
	if (theirs && srtp != CIG_SRTP_OFF && theirs->secured)
		return theirs->secured;
	return !theirs || theirs->savp || srtp == CIG_SRTP_REQUIRED ? NULL : theirs;
}

/* By SipAgent__Suite: its key among those of a leg, and the key's octets with the salt. */
static const struct {
	size_t key, size;
} suites[] = {
	[SIP_AGENT__SUITE__AES_CM_128_HMAC_SHA1_80] = { 0, 30 },
	[SIP_AGENT__SUITE__AES_CM_128_HMAC_SHA1_32] = { 1, 30 },
	[SIP_AGENT__SUITE__AES_256_CM_HMAC_SHA1_80] = { 2, 46 },
	[SIP_AGENT__SUITE__AES_256_CM_HMAC_SHA1_32] = { 3, 46 },
	[SIP_AGENT__SUITE__AES_CM_256_HMAC_SHA1_80] = { 2, 46 },
	[SIP_AGENT__SUITE__AES_CM_256_HMAC_SHA1_32] = { 3, 46 },
};

size_t pbx_suite_key_size(SipAgent__Suite suite)
{
	return (size_t)suite < sizeof(suites) / sizeof(suites[0]) ? suites[suite].size : 0;
}

static int read_keys(const SipAgent__Audio *theirs, struct pbx_audio *audio)
{
	const SipAgent__Crypto *crypto = theirs->n_crypto ? theirs->crypto[0] : NULL;

	if (!crypto)
		return 0;
	/* Checked here as well: what the agent tells comes from the network. */
	if (crypto->key.len == 0 || crypto->key.len != pbx_suite_key_size(crypto->suite))
		return -ENOTSUP;
	audio->suite = crypto->suite;
	audio->tag = crypto->tag;
	audio->savp = theirs->savp;
	memcpy(audio->peer_key, crypto->key.data, crypto->key.len);
	return 0;
}

int pbx_audio_read(const SipAgent__Audio *theirs, enum cig_srtp srtp, struct pbx_audio *audio_out)
{
	const SipAgent__Format *codec, *format;

	theirs = choose_line(theirs, srtp);
	codec = theirs ? first_codec(theirs) : NULL;
	if (!codec)
		return -ENOTSUP;
	*audio_out = (struct pbx_audio){
		.port = (uint16_t)theirs->port,
		.rtcp_port = (uint16_t)theirs->rtcp_port,
		.feedback = theirs->feedback,
		.codec = codec->encoding == SIP_AGENT__ENCODING__PCMU ? PBX_PCMU : PBX_PCMA,
		.codec_pt = (uint8_t)codec->payload_type,
		.ptime_ms = wanted_ptime(theirs),
		.peer_sends = theirs->direction == SIP_AGENT__DIRECTION__SENDRECV ||
			      theirs->direction == SIP_AGENT__DIRECTION__SENDONLY,
		.peer_listens = theirs->direction == SIP_AGENT__DIRECTION__SENDRECV ||
				theirs->direction == SIP_AGENT__DIRECTION__RECVONLY,
	};
	snprintf(audio_out->address, sizeof(audio_out->address), "%s", theirs->address);
	snprintf(audio_out->rtcp_address, sizeof(audio_out->rtcp_address), "%s",
		 theirs->rtcp_address);
	format = find_format(theirs, SIP_AGENT__ENCODING__TELEPHONE_EVENT);
	audio_out->event_pt = format ? (uint8_t)format->payload_type : 0;
	format = find_format(theirs, SIP_AGENT__ENCODING__COMFORT_NOISE);
	audio_out->cn_pt = format ? (uint8_t)format->payload_type : 0;
	return read_keys(theirs, audio_out);
}

/* Our side of the SDP: storage for the message that points into it. */
struct our_audio {
	SipAgent__Audio audio;
	SipAgent__Format formats[3], *at[3];
	SipAgent__Crypto crypto[PBX_SRTP_KEYS], *crypto_at[PBX_SRTP_KEYS];
};

static void add_format(struct our_audio *ours, SipAgent__Encoding encoding, uint32_t payload_type)
{
	size_t i = ours->audio.n_formats++;

	sip_agent__format__init(&ours->formats[i]);
	ours->formats[i].encoding = encoding;
	ours->formats[i].payload_type = payload_type;
	ours->at[i] = &ours->formats[i];
}

/* RFC 4568 6.1: each line has a key of its own, new in each call and the same in all of its
 * descriptions, so that what is sent under it goes on. */
static int add_crypto(struct our_audio *ours, struct pbx_leg *leg, SipAgent__Suite suite,
		      uint32_t tag)
{
	size_t k = suites[suite].key, i = ours->audio.n_crypto;

	if (!leg->keys[k].made && RAND_bytes(leg->keys[k].own, sizeof(leg->keys[k].own)) != 1)
		return -EIO;
	leg->keys[k].made = true;
	sip_agent__crypto__init(&ours->crypto[i]);
	ours->crypto[i].tag = tag;
	ours->crypto[i].suite = suite;
	ours->crypto[i].key.data = leg->keys[k].own;
	ours->crypto[i].key.len = suites[suite].size;
	ours->crypto_at[i] = &ours->crypto[i];
	ours->audio.n_crypto++;
	return 0;
}

/* Every suite as long as none is agreed on, then that one: a new offer changes nothing of it.
 * AES-128 stands first: every PBX knows it, and the relay protects with it for less. */
static int offer_keys(struct our_audio *ours, struct pbx_leg *leg)
{
	static const SipAgent__Suite offered[PBX_SRTP_KEYS] = {
		SIP_AGENT__SUITE__AES_CM_128_HMAC_SHA1_80,
		SIP_AGENT__SUITE__AES_CM_128_HMAC_SHA1_32,
		SIP_AGENT__SUITE__AES_256_CM_HMAC_SHA1_80,
		SIP_AGENT__SUITE__AES_256_CM_HMAC_SHA1_32,
	};
	SipAgent__Suite active = leg->has_audio ? leg->audio.suite : SIP_AGENT__SUITE__NO_SUITE;
	int err = 0;

	if (leg->srtp == CIG_SRTP_OFF)
		return 0;
	/* Where keys are wished and not required they are offered over RTP/AVP: who knows
	 * nothing of them reads over them (best effort). */
	ours->audio.savp = active ? leg->audio.savp : leg->srtp == CIG_SRTP_REQUIRED;
	if (active)
		return add_crypto(ours, leg, active, 1);
	for (uint32_t i = 0; i < PBX_SRTP_KEYS && !err; i++)
		err = add_crypto(ours, leg, offered[i], i + 1);
	return err;
}

const uint8_t *pbx_leg_own_key(const struct pbx_leg *leg)
{
	return leg->keys[suites[leg->audio.suite].key].own;
}

static void begin_audio(struct our_audio *ours, const struct pbx_leg *leg)
{
	sip_agent__audio__init(&ours->audio);
	ours->audio.address = (char *)leg->local_ip;
	ours->audio.port = leg->local_port;
	ours->audio.formats = ours->at;
	ours->audio.crypto = ours->crypto_at;
	ours->audio.ptime_ms = DEFAULT_PTIME_MS;
}

static int make_offer(struct our_audio *ours, struct pbx_leg *leg)
{
	begin_audio(ours, leg);
	/* in a re-INVITE the profile that the PBX has shown to know */
	ours->audio.feedback = leg->has_audio && leg->audio.feedback;
	/* PCMA first: the law of most countries outside North America and Japan (G.711).  The
	 * order is a wish (RFC 3264 5.1). */
	add_format(ours, SIP_AGENT__ENCODING__PCMA, PBX_PCMA);
	add_format(ours, SIP_AGENT__ENCODING__PCMU, PBX_PCMU);
	add_format(ours, SIP_AGENT__ENCODING__TELEPHONE_EVENT, OFFERED_EVENT_PT);
	if (leg->we_hold) /* what they hold themselves is theirs to say */
		ours->audio.direction = SIP_AGENT__DIRECTION__SENDONLY;
	return offer_keys(ours, leg);
}

/* RFC 3264 6.1, 8.4: their direction seen from our side, and none that we hold. */
static SipAgent__Direction our_direction(const struct pbx_leg *leg)
{
	bool they_send = !leg->has_audio || leg->audio.peer_sends;
	bool they_listen = !leg->has_audio || leg->audio.peer_listens;

	if (they_send && !leg->we_hold)
		return they_listen ? SIP_AGENT__DIRECTION__SENDRECV
				   : SIP_AGENT__DIRECTION__RECVONLY;
	return they_listen ? SIP_AGENT__DIRECTION__SENDONLY : SIP_AGENT__DIRECTION__INACTIVE;
}

/* One codec of theirs. */
static int make_answer(struct our_audio *ours, struct pbx_leg *leg)
{
	const struct pbx_audio *audio = &leg->audio;

	begin_audio(ours, leg);
	add_format(ours,
		   audio->codec == PBX_PCMU ? SIP_AGENT__ENCODING__PCMU : SIP_AGENT__ENCODING__PCMA,
		   audio->codec_pt);
	if (audio->event_pt)
		add_format(ours, SIP_AGENT__ENCODING__TELEPHONE_EVENT, audio->event_pt);
	ours->audio.direction = our_direction(leg);
	return audio->suite ? add_crypto(ours, leg, audio->suite, audio->tag) : 0;
}

/* draft-ietf-sip-privacy-04 section 5, which P-Asserted-Identity replaced: "screen", we know who
 * calls.  A URI without room has none. */
static bool write_remote_party_id(const char *from_uri, char *text, size_t size)
{
	struct buf b = buf_over(text, size);

	buf_printf(&b, "Remote-Party-ID: <%s>;party=calling;screen=yes;privacy=off", from_uri);
	return buf_ok(&b);
}

int pbx_leg_invite(struct pbx_leg *leg, const struct pbx_invite *invite)
{
	SipAgent__ToAgent message = SIP_AGENT__TO_AGENT__INIT;
	SipAgent__Invite body = SIP_AGENT__INVITE__INIT;
	SipAgent__Target target = SIP_AGENT__TARGET__INIT;
	char host[NET_TEXT_SIZE], party[REMOTE_PARTY_SIZE], *extra = party;
	struct our_audio ours;
	int err = make_offer(&ours, leg);

	if (err)
		return err;
	net_format_host(invite->target, host);
	target.address = host;
	target.port = net_port(invite->target);
	target.transport = (SipAgent__Transport)invite->transport; /* in the same order */
	target.name = (char *)invite->host;
	/* Numbers are ours, and new for each try: late events of one that failed find no call. */
	leg->number = sip_link_next_call(leg->link);
	body.call = leg->number;
	body.request_uri = body.to_uri = (char *)invite->request_uri;
	body.from_uri = (char *)invite->from_uri;
	body.target = &target;
	body.offer = &ours.audio;
	body.answer_ms = invite->answer_ms;
	body.reliable = invite->reliable;
	if (invite->asserted_uri)
		body.asserted_uri = (char *)invite->asserted_uri;
	if (invite->remote_party_id &&
	    write_remote_party_id(invite->from_uri, party, sizeof(party))) {
		body.extra = &extra;
		body.n_extra = 1;
	}
	message.body_case = SIP_AGENT__TO_AGENT__BODY_INVITE;
	message.invite = &body;
	err = sip_link_send(leg->link, &message);
	if (err)
		leg->number = 0;
	return err;
}

int pbx_leg_ring(struct pbx_leg *leg)
{
	SipAgent__ToAgent message = SIP_AGENT__TO_AGENT__INIT;
	SipAgent__Ring body = SIP_AGENT__RING__INIT;
	struct our_audio ours;

	if (leg->reliable && !leg->has_audio) { /* RFC 3262 5: the offer stands in the first one */
		if (make_offer(&ours, leg))
			return -EIO;
		body.audio = &ours.audio;
	}
	body.call = leg->number;
	body.code = 180;
	message.body_case = SIP_AGENT__TO_AGENT__BODY_RING;
	message.ring = &body;
	return sip_link_send(leg->link, &message);
}

int pbx_leg_answer(struct pbx_leg *leg)
{
	SipAgent__ToAgent message = SIP_AGENT__TO_AGENT__INIT;
	SipAgent__Answer body = SIP_AGENT__ANSWER__INIT;
	struct our_audio ours;
	/* a late offer: ours, theirs comes with the ACK */
	int err = leg->has_audio ? make_answer(&ours, leg) : make_offer(&ours, leg);

	if (err)
		return err;
	body.call = leg->number;
	body.audio = &ours.audio;
	message.body_case = SIP_AGENT__TO_AGENT__BODY_ANSWER;
	message.answer = &body;
	return sip_link_send(leg->link, &message);
}

int pbx_leg_reject(struct pbx_leg *leg, unsigned code, const char *phrase, const char *reason)
{
	SipAgent__ToAgent message = SIP_AGENT__TO_AGENT__INIT;
	SipAgent__Reject body = SIP_AGENT__REJECT__INIT;

	body.call = leg->number;
	body.code = code;
	body.phrase = (char *)phrase;
	body.reason = (char *)reason;
	/* RFC 3261 21.5.4: without it a 503 counts as a 500. */
	body.retry_after_s = code == 503 ? 10 : 0;
	message.body_case = SIP_AGENT__TO_AGENT__BODY_REJECT;
	message.reject = &body;
	return sip_link_send(leg->link, &message);
}

int pbx_leg_challenge(struct pbx_leg *leg, char challenges[DIGEST_ASKED][DIGEST_TEXT_SIZE])
{
	SipAgent__ToAgent message = SIP_AGENT__TO_AGENT__INIT;
	SipAgent__Reject body = SIP_AGENT__REJECT__INIT;
	char *values[DIGEST_ASKED];

	for (size_t i = 0; i < DIGEST_ASKED; i++)
		values[i] = challenges[i];
	body.call = leg->number;
	body.code = 401;
	body.challenges = values;
	body.n_challenges = DIGEST_ASKED;
	message.body_case = SIP_AGENT__TO_AGENT__BODY_REJECT;
	message.reject = &body;
	return sip_link_send(leg->link, &message);
}

int pbx_leg_hangup(struct pbx_leg *leg, const char *reason)
{
	SipAgent__ToAgent message = SIP_AGENT__TO_AGENT__INIT;
	SipAgent__Hangup body = SIP_AGENT__HANGUP__INIT;

	body.call = leg->number;
	body.reason = (char *)reason;
	message.body_case = SIP_AGENT__TO_AGENT__BODY_HANGUP;
	message.hangup = &body;
	return sip_link_send(leg->link, &message);
}

int pbx_leg_authorize(struct pbx_leg *leg, const SipAgent__Challenged *challenged,
		      const char **why_out)
{
	struct digest_challenge challenges[DIGEST_MAX_CHALLENGES];
	struct digest_asked asked = { .challenges = challenges,
				      .number = challenged->number,
				      .method = challenged->method,
				      .uri = challenged->uri };
	SipAgent__ToAgent message = SIP_AGENT__TO_AGENT__INIT;
	SipAgent__Authorize body = SIP_AGENT__AUTHORIZE__INIT;
	struct digest_account account;
	struct digest_headers headers;
	int err;

	*why_out = "the PBX asks for a password, but the map entry names no auth account";
	/* Written first: every way out below is a refusal. */
	if (!leg->account)
		return -EACCES;
	account = (struct digest_account){ leg->account->user, leg->account->password };
	for (size_t i = 0; i < challenged->n_challenges && asked.n < DIGEST_MAX_CHALLENGES; i++)
		asked.n += wire_challenge_get(challenged->challenges[i], &challenges[asked.n]) == 0;
	err = digest_session_answer(&leg->digest, &asked, &account, &headers);
	if (err) {
		*why_out = err == -EACCES ? "the PBX refuses the user or password of the account"
					  : "the PBX asks for a digest that cannot be answered";
		return -EACCES;
	}
	body.call = leg->number;
	body.number = challenged->number;
	body.authorization = headers.authorization;
	body.proxy_authorization = headers.proxy_authorization;
	message.body_case = SIP_AGENT__TO_AGENT__BODY_AUTHORIZE;
	message.authorize = &body;
	err = sip_link_send(leg->link, &message);
	OPENSSL_cleanse(&headers, sizeof(headers));
	return err;
}

static void reject_change(struct pbx_leg *leg)
{
	SipAgent__ToAgent message = SIP_AGENT__TO_AGENT__INIT;
	SipAgent__ChangeReject body = SIP_AGENT__CHANGE_REJECT__INIT;

	body.call = leg->number;
	body.code = 488;
	message.body_case = SIP_AGENT__TO_AGENT__BODY_CHANGE_REJECT;
	message.change_reject = &body;
	sip_link_send(leg->link, &message);
}

/* A hold by c=0.0.0.0 names no address: media goes on from and to the one before. */
void pbx_leg_take_audio(struct pbx_leg *leg, struct pbx_audio *audio)
{
	if (!audio->address[0])
		memcpy(audio->address, leg->audio.address, sizeof(audio->address));
	leg->audio = *audio;
	leg->has_audio = true;
	if (audio->suite)
		leg->srtp = CIG_SRTP_REQUIRED; /* signalwire/freeswitch#3158: no way back to RTP */
}

int pbx_leg_change(struct pbx_leg *leg, const SipAgent__Change *change)
{
	SipAgent__ToAgent message = SIP_AGENT__TO_AGENT__INIT;
	SipAgent__ChangeAnswer body = SIP_AGENT__CHANGE_ANSWER__INIT;
	struct pbx_audio audio;
	struct our_audio ours;

	int err;

	/* RFC 3261 14.2: a change that cannot be taken leaves the call as it was. */
	if (change->offer && pbx_audio_read(change->offer, leg->srtp, &audio)) {
		reject_change(leg);
		return -ENOTSUP;
	}
	if (change->offer) {
		/* Before the answer is made: it speaks of the codec that was just taken. */
		pbx_leg_take_audio(leg, &audio);
		err = make_answer(&ours, leg);
	} else {
		err = make_offer(&ours, leg);
	}
	if (err) {
		reject_change(leg);
		return -ENOTSUP;
	}
	body.call = leg->number;
	body.audio = &ours.audio;
	message.body_case = SIP_AGENT__TO_AGENT__BODY_CHANGE_ANSWER;
	message.change_answer = &body;
	return sip_link_send(leg->link, &message);
}

int pbx_leg_reoffer(struct pbx_leg *leg)
{
	SipAgent__ToAgent message = SIP_AGENT__TO_AGENT__INIT;
	SipAgent__Reoffer body = SIP_AGENT__REOFFER__INIT;
	struct our_audio ours;

	if (make_offer(&ours, leg))
		return -EIO;
	body.call = leg->number;
	body.audio = &ours.audio;
	message.body_case = SIP_AGENT__TO_AGENT__BODY_REOFFER;
	message.reoffer = &body;
	return sip_link_send(leg->link, &message);
}

int pbx_leg_send_digit(struct pbx_leg *leg, const char *digit, unsigned duration_ms)
{
	SipAgent__ToAgent message = SIP_AGENT__TO_AGENT__INIT;
	SipAgent__Digit body = SIP_AGENT__DIGIT__INIT;

	body.call = leg->number;
	body.digit = (char *)digit;
	body.duration_ms = duration_ms ? duration_ms : DEFAULT_DIGIT_MS;
	message.body_case = SIP_AGENT__TO_AGENT__BODY_DIGIT;
	message.digit = &body;
	return sip_link_send(leg->link, &message);
}

void pbx_leg_keep_dialog(struct pbx_leg *leg, const SipAgent__Dialog *dialog)
{
	ProtobufCMessage *copy = dialog ? pack_copy(&dialog->base) : NULL;

	if (!copy)
		return;
	PACK_FREE(&leg->dialog);
	leg->dialog = (SipAgent__Dialog *)(void *)copy;
}

int pbx_leg_bye_orphan(struct pbx_leg *leg, const char *reason)
{
	SipAgent__ToAgent message = SIP_AGENT__TO_AGENT__INIT;
	SipAgent__ByeOrphan body = SIP_AGENT__BYE_ORPHAN__INIT;

	body.dialog = leg->dialog;
	body.reason = (char *)reason;
	message.body_case = SIP_AGENT__TO_AGENT__BODY_BYE_ORPHAN;
	message.bye_orphan = &body;
	return sip_link_send(leg->link, &message);
}

void pbx_leg_clear(struct pbx_leg *leg)
{
	PACK_FREE(&leg->dialog);
	digest_session_wipe(&leg->digest);
	OPENSSL_cleanse(leg->keys, sizeof(leg->keys));
	OPENSSL_cleanse(leg->audio.peer_key, sizeof(leg->audio.peer_key));
}
