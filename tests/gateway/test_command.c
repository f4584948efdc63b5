/* Commands of cig-server as cig-relay takes them: each number and length is checked before a media
 * thread sees it, and what is refused is refused by the name of its field. */
#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include "gateway/relay/command.h"

static uint8_t octets[100];

static ProtobufCBinaryData some(size_t n)
{
	return (ProtobufCBinaryData){ n, octets };
}

/* ---- Open ---- */

static void the_ports_of_a_call_are_asked_for_at_addresses(void **state)
{
	static const struct {
		const char *plain, *secure, *wrong;
	} cases[] = {
		{ "192.0.2.1", "198.51.100.1", NULL },
		{ "2001:db8::1", "", NULL }, /* any IPv4 address towards the rendezvous */
		{ "", "", "plain_ip: not an IP address" },
		{ "pbx.example", "", "plain_ip: not an IP address" },
		{ "192.0.2.1:5004", "", "plain_ip: not an IP address" },
		{ "192.0.2.1", "here", "secure_ip: not an IP address" },
		{ "192.0.2.1", "198.51.100.1:146", "secure_ip: not an IP address" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		Relay__Open in = RELAY__OPEN__INIT;
		Relay__PortRange range = RELAY__PORT_RANGE__INIT;
		struct command_open out;
		char text[COMMAND_TEXT] = "", address[NET_TEXT_SIZE];

		in.plain_ip = (char *)(uintptr_t)cases[i].plain;
		in.secure_ip = (char *)(uintptr_t)cases[i].secure;
		in.media_timeout_ms = 7000;
		range.low = 16384;
		range.high = 16399;
		in.plain_ports = i ? NULL : &range;
		in.secure_ports = i ? &range : NULL;
		assert_int_equal(command_open(&in, &out, text), cases[i].wrong ? -EINVAL : 0);
		assert_string_equal(text, cases[i].wrong ? cases[i].wrong : "");
		if (cases[i].wrong)
			continue;
		net_format_host(&out.plain_ip, address);
		assert_string_equal(address, cases[i].plain);
		net_format_host(&out.secure_ip, address);
		assert_string_equal(address, *cases[i].secure ? cases[i].secure : "0.0.0.0");
		assert_int_equal(out.timeout_ms, 7000);
		assert_int_equal(out.plain_low, i ? 0 : 16384); /* 0: any */
		assert_int_equal(out.plain_high, i ? 0 : 16399);
		assert_int_equal(out.secure_low, i ? 16384 : 0);
		assert_int_equal(out.secure_high, i ? 16399 : 0);
	}
}

/* ---- SetPlain ---- */

static Relay__SetPlain a_plain_side(void)
{
	Relay__SetPlain in = RELAY__SET_PLAIN__INIT;

	in.remote_ip = (char *)"192.0.2.9";
	in.remote_port = 40000;
	in.codec = RELAY__PLAIN_CODEC__PCMA;
	in.codec_pt = 8;
	in.event_pt = 101;
	in.cn_pt = 13;
	in.ptime_ms = 20;
	return in;
}

static void set_port_0(Relay__SetPlain *in)
{
	in->remote_port = 0;
}

static void set_port_65536(Relay__SetPlain *in)
{
	in->remote_port = 65536;
}

static void set_host(Relay__SetPlain *in)
{
	in->remote_ip = (char *)"pbx.example";
}

static void set_rtcp_port_65536(Relay__SetPlain *in)
{
	in->remote_rtcp_port = 65536;
}

static void set_rtcp_host(Relay__SetPlain *in)
{
	in->remote_rtcp_port = 40001;
	in->remote_rtcp_ip = (char *)"pbx.example";
}

static void set_codec(Relay__SetPlain *in)
{
	in->codec = (Relay__PlainCodec)2;
}

static void set_codec_pt(Relay__SetPlain *in)
{
	in->codec_pt = 128;
}

static void set_event_pt(Relay__SetPlain *in)
{
	in->event_pt = 128;
}

static void set_cn_pt(Relay__SetPlain *in)
{
	in->cn_pt = 300;
}

static void set_dtmf(Relay__SetPlain *in)
{
	in->dtmf = (Relay__DtmfMode)3;
}

static void set_dtmf_below(Relay__SetPlain *in)
{
	in->dtmf = (Relay__DtmfMode)-1;
}

static void set_srtp(Relay__SetPlain *in)
{
	in->srtp = (Relay__PlainSrtp)5;
}

static void set_short_own_key(Relay__SetPlain *in)
{
	in->srtp = RELAY__PLAIN_SRTP__PLAIN_AES_CM_128_HMAC_SHA1_80;
	in->own_srtp_key = some(29);
	in->peer_srtp_key = some(30);
}

static void set_long_peer_key(Relay__SetPlain *in)
{
	in->srtp = RELAY__PLAIN_SRTP__PLAIN_AES_256_CM_HMAC_SHA1_32;
	in->own_srtp_key = some(46);
	in->peer_srtp_key = some(47);
}

static void a_plain_side_that_cannot_be_is_refused(void **state)
{
	static const struct {
		void (*spoil)(Relay__SetPlain *in);
		const char *wrong;
	} cases[] = {
		{ set_port_0, "remote_ip, remote_port: not an address" },
		{ set_port_65536, "remote_ip, remote_port: not an address" },
		{ set_host, "remote_ip, remote_port: not an address" },
		{ set_rtcp_port_65536, "remote_rtcp_ip, remote_rtcp_port: not an address" },
		{ set_rtcp_host, "remote_rtcp_ip, remote_rtcp_port: not an address" },
		{ set_codec, "codec: unknown" },
		{ set_codec_pt, "codec_pt, event_pt, cn_pt: above 127" },
		{ set_event_pt, "codec_pt, event_pt, cn_pt: above 127" },
		{ set_cn_pt, "codec_pt, event_pt, cn_pt: above 127" },
		{ set_dtmf, "dtmf: unknown" },
		{ set_dtmf_below, "dtmf: unknown" },
		{ set_srtp, "srtp: unknown" },
		{ set_short_own_key,
		  "own_srtp_key, peer_srtp_key: 30 octets each, with AES-256 46" },
		{ set_long_peer_key,
		  "own_srtp_key, peer_srtp_key: 30 octets each, with AES-256 46" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		Relay__SetPlain in = a_plain_side();
		struct order_plain out;
		char text[COMMAND_TEXT] = "";

		cases[i].spoil(&in);
		assert_int_equal(command_set_plain(&in, &out, text), -EINVAL);
		assert_string_equal(text, cases[i].wrong);
	}
}

static void a_plain_side_is_taken_as_it_is_said(void **state)
{
	Relay__SetPlain in = a_plain_side();
	struct order_plain out;
	char text[COMMAND_TEXT] = "", address[NET_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)i;
	in.dtmf = RELAY__DTMF_MODE__DTMF_TONES;
	in.no_send = in.secure_held = true;
	in.remote_rtcp_port = 50001;
	in.srtp = RELAY__PLAIN_SRTP__PLAIN_AES_256_CM_HMAC_SHA1_80;
	in.own_srtp_key = in.peer_srtp_key = some(46);
	assert_int_equal(command_set_plain(&in, &out, text), 0);
	assert_string_equal(text, "");
	net_format(&out.leg.remote, address);
	assert_string_equal(address, "192.0.2.9:40000");
	net_format(&out.leg.remote_rtcp, address); /* without one of its own, the same host */
	assert_string_equal(address, "192.0.2.9:50001");
	assert_int_equal(out.leg.codec, MEDIA_PCMA);
	assert_int_equal(out.leg.dtmf, PLAIN_DTMF_TONES);
	assert_int_equal(out.leg.codec_pt, 8);
	assert_int_equal(out.leg.event_pt, 101);
	assert_int_equal(out.leg.cn_pt, 13);
	assert_int_equal(out.leg.ptime_ms, 20);
	assert_int_equal(out.leg.srtp, SRTP_AES256_CM_SHA1_80);
	assert_memory_equal(out.leg.own_key.key, octets, 32);
	assert_memory_equal(out.leg.own_key.salt, octets + 32, 14);
	assert_true(out.leg.no_send && out.secure_held && !out.no_receive);
	in.remote_rtcp_ip = (char *)"192.0.2.10";
	assert_int_equal(command_set_plain(&in, &out, text), 0);
	net_format(&out.leg.remote_rtcp, address);
	assert_string_equal(address, "192.0.2.10:50001");
}

/* ---- SetSecure ---- */

static Relay__SetSecure a_secure_side(void)
{
	Relay__SetSecure in = RELAY__SET_SECURE__INIT;

	in.relay_ip = (char *)"198.51.100.7";
	in.relay_port = 146;
	in.leg_id = some(16);
	in.leg_key = some(64);
	in.own_ssrc = 1;
	in.peer_ssrc = 2;
	in.own_key = in.peer_key = some(16);
	in.own_salt = in.peer_salt = some(14);
	in.codec = RELAY__SECURE_CODEC__SECURE_PCMU;
	in.codec_pt = 0;
	in.event_pt = 101;
	in.event_clock = 8000;
	in.ptime_ms = 40;
	return in;
}

static void set_relay_host(Relay__SetSecure *in)
{
	in->relay_ip = (char *)"relay.example";
}

static void set_relay_port(Relay__SetSecure *in)
{
	in->relay_port = 0;
}

static void set_no_leg_id(Relay__SetSecure *in)
{
	in->leg_id = some(0);
}

static void set_long_leg_id(Relay__SetSecure *in)
{
	in->leg_id = some(65);
}

static void set_long_leg_key(Relay__SetSecure *in)
{
	in->leg_key = some(65);
}

static void set_profile(Relay__SetSecure *in)
{
	in->profile = (Relay__SecureProfile)2;
}

static void set_short_key(Relay__SetSecure *in)
{
	in->own_key = some(15);
}

static void set_long_salt(Relay__SetSecure *in)
{
	in->profile = RELAY__SECURE_PROFILE__AEAD_AES_128_GCM; /* 12 */
}

static void set_secure_codec(Relay__SetSecure *in)
{
	in->codec = (Relay__SecureCodec)3;
}

static void set_no_codec(Relay__SetSecure *in)
{
	in->codec = _RELAY__SECURE_CODEC_IS_INT_SIZE;
}

static void set_secure_pt(Relay__SetSecure *in)
{
	in->codec_pt = 128;
}

static void set_secure_event_pt(Relay__SetSecure *in)
{
	in->event_pt = 255;
}

static void a_secure_side_that_cannot_be_is_refused(void **state)
{
	static const struct {
		void (*spoil)(Relay__SetSecure *in);
		const char *wrong;
	} cases[] = {
		{ set_relay_host, "relay_ip, relay_port: not an address" },
		{ set_relay_port, "relay_ip, relay_port: not an address" },
		{ set_no_leg_id, "leg_id, leg_key: 1 to 64 octets each" },
		{ set_long_leg_id, "leg_id, leg_key: 1 to 64 octets each" },
		{ set_long_leg_key, "leg_id, leg_key: 1 to 64 octets each" },
		{ set_profile, "profile: unknown" },
		{ set_short_key, "keys of 16 octets, salts of 14, with AEAD 12" },
		{ set_long_salt, "keys of 16 octets, salts of 14, with AEAD 12" },
		{ set_secure_codec, "codec: unknown" },
		{ set_no_codec, "codec: unknown" },
		{ set_secure_pt, "codec_pt, event_pt: above 127" },
		{ set_secure_event_pt, "codec_pt, event_pt: above 127" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		Relay__SetSecure in = a_secure_side();
		struct order_secure out;
		char text[COMMAND_TEXT] = "";

		cases[i].spoil(&in);
		assert_int_equal(command_set_secure(&in, &out, text), -EINVAL);
		assert_string_equal(text, cases[i].wrong);
	}
}

static void a_secure_side_is_taken_as_it_is_said(void **state)
{
	static const struct {
		Relay__SecureCodec said;
		enum media_codec taken;
	} codecs[] = {
		{ RELAY__SECURE_CODEC__OPUS, MEDIA_OPUS },
		{ RELAY__SECURE_CODEC__SECURE_PCMU, MEDIA_PCMU },
		{ RELAY__SECURE_CODEC__SECURE_PCMA, MEDIA_PCMA },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(codecs); i++) {
		Relay__SetSecure in = a_secure_side();
		struct order_secure out;
		char text[COMMAND_TEXT] = "", address[NET_TEXT_SIZE];

		in.codec = codecs[i].said;
		assert_int_equal(command_set_secure(&in, &out, text), 0);
		net_format(&out.relay, address);
		assert_string_equal(address, "198.51.100.7:146");
		assert_int_equal(out.leg.codec, codecs[i].taken);
		assert_int_equal(out.leg.profile, SRTP_AES128_CM_SHA1_80);
		assert_int_equal(out.leg.own_ssrc, 1);
		assert_int_equal(out.leg.peer_ssrc, 2);
		assert_int_equal(out.leg.event_clock, 8000);
		assert_int_equal(out.leg.ptime_ms, 40);
		/* Copies: the message and its keys are wiped while the order is under way. */
		assert_ptr_equal(out.leg.leg_id.p, out.leg_id);
		assert_int_equal(out.leg.leg_key.n, 64);
	}
}

/* ---- SendDigit ---- */

static void a_digit_is_one_of_sixteen_for_one_of_two_sides(void **state)
{
	static const struct {
		const char *digit;
		int to;
		unsigned duration_ms;
		const char *wrong;
	} cases[] = {
		{ "5", RELAY__SIDE__PLAIN, 250, NULL },
		{ "D", RELAY__SIDE__SECURE, 0, NULL },
		{ "", RELAY__SIDE__PLAIN, 0, "digit: one of 0-9 * # A-D" },
		{ "E", RELAY__SIDE__PLAIN, 0, "digit: one of 0-9 * # A-D" },
		{ "55", RELAY__SIDE__PLAIN, 0, "digit: one of 0-9 * # A-D" },
		{ "#", 2, 0, "to: unknown side" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		Relay__SendDigit in = RELAY__SEND_DIGIT__INIT;
		struct order_digit out;
		char text[COMMAND_TEXT] = "";

		in.digit = (char *)(uintptr_t)cases[i].digit;
		in.to = (Relay__Side)cases[i].to;
		in.duration_ms = cases[i].duration_ms;
		assert_int_equal(command_send_digit(&in, &out, text), cases[i].wrong ? -EINVAL : 0);
		assert_string_equal(text, cases[i].wrong ? cases[i].wrong : "");
		if (cases[i].wrong)
			continue;
		assert_int_equal(out.digit, *cases[i].digit);
		assert_int_equal(out.to, i ? BRIDGE_SECURE : BRIDGE_PLAIN);
		assert_int_equal(out.duration_ms, i ? DTMF_DEFAULT_MS : 250);
	}
}

/* ---- what all have ---- */

static void the_call_of_each_command_is_found(void **state)
{
	Relay__Open open = RELAY__OPEN__INIT;
	Relay__SetPlain plain = RELAY__SET_PLAIN__INIT;
	Relay__SetSecure secure = RELAY__SET_SECURE__INIT;
	Relay__Answered answered = RELAY__ANSWERED__INIT;
	Relay__SendDigit digit = RELAY__SEND_DIGIT__INIT;
	Relay__Close close = RELAY__CLOSE__INIT;
	Relay__StatsRequest stats = RELAY__STATS_REQUEST__INIT;
	Relay__Poll poll = RELAY__POLL__INIT;
	Relay__Command commands[] = {
		{ .of_case = RELAY__COMMAND__OF_OPEN, .open = &open },
		{ .of_case = RELAY__COMMAND__OF_SET_PLAIN, .set_plain = &plain },
		{ .of_case = RELAY__COMMAND__OF_SET_SECURE, .set_secure = &secure },
		{ .of_case = RELAY__COMMAND__OF_ANSWERED, .answered = &answered },
		{ .of_case = RELAY__COMMAND__OF_SEND_DIGIT, .send_digit = &digit },
		{ .of_case = RELAY__COMMAND__OF_CLOSE, .close = &close },
		{ .of_case = RELAY__COMMAND__OF_STATS_REQUEST, .stats_request = &stats },
	};
	const Relay__Command nobodys = { .of_case = RELAY__COMMAND__OF_POLL, .poll = &poll };

	(void)state;
	open.call_id = 1;
	plain.call_id = 2;
	secure.call_id = 3;
	answered.call_id = 4;
	digit.call_id = 5;
	close.call_id = 6;
	stats.call_id = 7;
	for (size_t i = 0; i < COUNT(commands); i++)
		assert_int_equal(command_call_id(&commands[i]), i + 1);
	assert_int_equal(command_call_id(&nobodys), 0);
}

static bool all_zero(size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (octets[i])
			return false;
	return true;
}

/* They have been copied, and would lie in freed memory. */
static void the_keys_of_a_message_are_wiped(void **state)
{
	Relay__SetPlain plain = a_plain_side();
	Relay__SetSecure secure = a_secure_side();
	Relay__Answered answered = RELAY__ANSWERED__INIT;
	Relay__Command command = { .of_case = RELAY__COMMAND__OF_SET_PLAIN, .set_plain = &plain };
	ProtobufCBinaryData *keys[] = { &secure.leg_key, &secure.own_key, &secure.own_salt,
					&secure.peer_key, &secure.peer_salt };

	(void)state;
	memset(octets, 0xff, sizeof(octets));
	plain.own_srtp_key = (ProtobufCBinaryData){ 50, octets };
	plain.peer_srtp_key = (ProtobufCBinaryData){ 50, octets + 50 };
	command_wipe(&command);
	assert_true(all_zero(100));
	for (size_t i = 0; i < COUNT(keys); i++) {
		memset(octets, 0xff, sizeof(octets));
		for (size_t k = 0; k < COUNT(keys); k++)
			*keys[k] = (ProtobufCBinaryData){ 0, NULL };
		*keys[i] = some(16);
		command = (Relay__Command){ .of_case = RELAY__COMMAND__OF_SET_SECURE,
					    .set_secure = &secure };
		command_wipe(&command);
		assert_true(all_zero(16));
	}
	command = (Relay__Command){ .of_case = RELAY__COMMAND__OF_ANSWERED, .answered = &answered };
	command_wipe(&command); /* has none */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_ports_of_a_call_are_asked_for_at_addresses),
		cmocka_unit_test(a_plain_side_that_cannot_be_is_refused),
		cmocka_unit_test(a_plain_side_is_taken_as_it_is_said),
		cmocka_unit_test(a_secure_side_that_cannot_be_is_refused),
		cmocka_unit_test(a_secure_side_is_taken_as_it_is_said),
		cmocka_unit_test(a_digit_is_one_of_sixteen_for_one_of_two_sides),
		cmocka_unit_test(the_call_of_each_command_is_found),
		cmocka_unit_test(the_keys_of_a_message_are_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
