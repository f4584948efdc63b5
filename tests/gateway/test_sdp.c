#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "gateway/sdp.h"

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define BARE "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nt=0 0\n"

static int parse(const char *text, struct sdp *sdp)
{
	const char *why = NULL;
	int err = sdp_parse(slice_str(text), sdp, &why);

	assert_true((err == 0) == (why == NULL));
	return err;
}

static const struct {
	const char *text;
	int err;
	const char *address;
	uint16_t port;
	size_t nformats;
	enum sdp_direction direction;
	unsigned ptime_ms;
} cases[] = {
	/* static payload types need no rtpmap */
	{ HEAD "m=audio 4000 RTP/AVP 0 8\r\n", 0, "192.0.2.1", 4000, 2, SDP_SENDRECV, 0 },
	{ HEAD "m=audio 4000 RTP/AVP 8 13 101\r\na=rtpmap:101 telephone-event/8000\r\n"
	       "a=fmtp:101 0-16\r\na=ptime:30\r\n",
	  0, "192.0.2.1", 4000, 3, SDP_SENDRECV, 30 },
	/* other codecs are left out; names are compared without regard to case */
	{ HEAD "m=audio 4000 RTP/AVP 9 18 96 0\r\na=rtpmap:96 pcma/8000/1\r\n", 0, "192.0.2.1",
	  4000, 2, SDP_SENDRECV, 0 },
	{ HEAD "m=audio 4000 RTP/AVP 96 0\r\na=rtpmap:96 PCMA/16000\r\n", 0, "192.0.2.1", 4000, 1,
	  SDP_SENDRECV, 0 },
	/* the m= level wins over the session level, in c= and in direction */
	{ HEAD "a=sendonly\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP4 192.0.2.9\r\na=inactive\r\n", 0,
	  "192.0.2.9", 4000, 1, SDP_INACTIVE, 0 },
	{ HEAD "a=sendonly\r\nm=audio 4000 RTP/AVP 0\r\n", 0, "192.0.2.1", 4000, 1, SDP_SENDONLY,
	  0 },
	/* LF alone, and a last line without its end */
	{ BARE "m=audio 4000 RTP/AVP 0\nc=IN IP4 192.0.2.1", 0, "192.0.2.1", 4000, 1, SDP_SENDRECV,
	  0 },
	/* RFC 2543's hold */
	{ BARE "c=IN IP4 0.0.0.0\nm=audio 4000 RTP/AVP 0\n", 0, "", 4000, 1, SDP_SENDONLY, 0 },
	{ BARE "c=IN IP4 0.0.0.0\nm=audio 4000 RTP/AVP 0\na=recvonly\n", 0, "", 4000, 1,
	  SDP_INACTIVE, 0 },
	{ BARE "c=IN IP6 2001:DB8::1\nm=audio 4000 RTP/AVP 0\n", 0, "2001:db8::1", 4000, 1,
	  SDP_SENDRECV, 0 },
	{ HEAD "m=audio 4000/2 RTP/AVP 0\r\n", 0, "192.0.2.1", 4000, 1, SDP_SENDRECV, 0 },
	/* the first line that can be used is the call's */
	{ HEAD "m=audio 4000 RTP/SAVP 0\r\na=sendonly\r\nm=audio 4002 RTP/AVP 0\r\n"
	       "m=audio 4004 RTP/AVP 8\r\n",
	  0, "192.0.2.1", 4002, 1, SDP_SENDRECV, 0 },
	/* nonsense in attributes that do not matter is passed over */
	{ HEAD "b=AS:64\r\nm=audio 4000 RTP/AVP 0\r\na=ptime:x\r\na=ptime:0\r\na=\r\na=fmtp:0\r\n",
	  0, "192.0.2.1", 4000, 1, SDP_SENDRECV, 0 },
	/* well-formed, but nothing for us: 488 */
	{ HEAD "m=audio 4000 RTP/SAVP 0\r\n", -ENOTSUP, NULL, 0, 0, 0, 0 },
	{ HEAD "m=audio 0 RTP/AVP 0\r\n", -ENOTSUP, NULL, 0, 0, 0, 0 },
	{ HEAD "m=audio 4000 RTP/AVP 18\r\n", -ENOTSUP, NULL, 0, 0, 0, 0 },
	{ HEAD "m=video 4000 RTP/AVP 31\r\n", -ENOTSUP, NULL, 0, 0, 0, 0 },
	{ BARE "c=IN IP4 pbx.example\nm=audio 4000 RTP/AVP 0\n", -ENOTSUP, NULL, 0, 0, 0, 0 },
	{ BARE "c=IN IP4 224.2.1.1/127\nm=audio 4000 RTP/AVP 0\n", -ENOTSUP, NULL, 0, 0, 0, 0 },
	{ BARE "c=IN IP4 224.2.1.1\nm=audio 4000 RTP/AVP 0\n", -ENOTSUP, NULL, 0, 0, 0, 0 },
	/* malformed: 400 */
	{ "", -EINVAL, NULL, 0, 0, 0, 0 },
	{ "v=1\r\n", -EINVAL, NULL, 0, 0, 0, 0 },
	{ HEAD, -EINVAL, NULL, 0, 0, 0, 0 },
	{ HEAD "v=0\r\nm=audio 4000 RTP/AVP 0\r\n", -EINVAL, NULL, 0, 0, 0, 0 },
	{ BARE "m=audio 4000 RTP/AVP 0\n", -EINVAL, NULL, 0, 0, 0, 0 },
	{ HEAD "m=audio 65536 RTP/AVP 0\r\n", -EINVAL, NULL, 0, 0, 0, 0 },
	{ HEAD "m=audio -1 RTP/AVP 0\r\n", -EINVAL, NULL, 0, 0, 0, 0 },
	{ HEAD "m=audio 4000 RTP/AVP\r\n", -EINVAL, NULL, 0, 0, 0, 0 },
	{ HEAD "m=audio\r\n", -EINVAL, NULL, 0, 0, 0, 0 },
	{ HEAD "m=\r\n", -EINVAL, NULL, 0, 0, 0, 0 },
	{ HEAD "m=audio 4000 RTP/AVP 0\r\na=rtpmap:128 PCMU/8000\r\n", -EINVAL, NULL, 0, 0, 0, 0 },
	{ HEAD "garbage\r\n", -EINVAL, NULL, 0, 0, 0, 0 },
	{ HEAD "M=audio 4000 RTP/AVP 0\r\n", -EINVAL, NULL, 0, 0, 0, 0 },
	{ HEAD "m=audio 4000 RTP/AVP 0\r\na=x\x01\r\n", -EINVAL, NULL, 0, 0, 0, 0 },
	{ "v=0\r\nc=IN IP4\r\nm=audio 4000 RTP/AVP 0\r\n", -EINVAL, NULL, 0, 0, 0, 0 },
	{ "v=0\r\nc=IN IP5 1.2.3.4\r\nm=audio 4000 RTP/AVP 0\r\n", -EINVAL, NULL, 0, 0, 0, 0 },
};

static void reads_what_pbxs_write(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sdp sdp;

		if (parse(cases[i].text, &sdp) != cases[i].err)
			fail_msg("case %zu: %s", i, cases[i].text);
		if (cases[i].err)
			continue;
		assert_string_equal(sdp.audio.address, cases[i].address);
		assert_int_equal(sdp.audio.port, cases[i].port);
		assert_int_equal(sdp.audio.nformats, cases[i].nformats);
		assert_int_equal(sdp.audio.direction, cases[i].direction);
		assert_int_equal(sdp.audio.ptime_ms, cases[i].ptime_ms);
	}
}

#define KEY "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz" /* RFC 4568 9.1 */
#define SUITE80 "AES_CM_128_HMAC_SHA1_80"
#define SUITE32 "AES_CM_128_HMAC_SHA1_32"
/* KEY's octets and 16 more: 62 digits, and padding that some leave out (sipwise/rtpengine#1197) */
#define KEY256 KEY "MDEyMzQ1Njc4OWFiY2RlZg"

/* Lines a=crypto beside RTP/SAVP: which suite and tag counts, if any (RFC 4568). */
static const struct {
	const char *lines;
	enum sdp_suite suite;
	uint32_t tag;
} crypto_cases[] = {
	{ "a=crypto:1 " SUITE80 " inline:" KEY "\r\n", SDP_AES_CM_128_HMAC_SHA1_80, 1 },
	{ "a=crypto:7 " SUITE32 " inline:" KEY "|2^48\r\n", SDP_AES_CM_128_HMAC_SHA1_32, 7 },
	{ "a=crypto:1 " SUITE80 " inline:" KEY "|281474976710656 WSH=64 -x=y\r\n",
	  SDP_AES_CM_128_HMAC_SHA1_80, 1 },
	/* the first that can be used */
	{ "a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:" KEY "\r\na=crypto:2 " SUITE32 " inline:" KEY
	  "\r\na=crypto:3 " SUITE80 " inline:" KEY "\r\n",
	  SDP_AES_CM_128_HMAC_SHA1_32, 2 },
	/* AES-256 in both spellings, with padding, with less, without */
	{ "a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:" KEY256 "==\r\n", SDP_AES_256_CM_HMAC_SHA1_80,
	  1 },
	{ "a=crypto:2 AES_256_CM_HMAC_SHA1_32 inline:" KEY256 "=\r\n", SDP_AES_256_CM_HMAC_SHA1_32,
	  2 },
	{ "a=crypto:3 AES_CM_256_HMAC_SHA1_80 inline:" KEY256 "|2^31\r\n",
	  SDP_AES_CM_256_HMAC_SHA1_80, 3 },
	{ "a=crypto:4 AES_CM_256_HMAC_SHA1_32 inline:" KEY256 "\r\na=crypto:5 " SUITE80
	  " inline:" KEY "\r\n",
	  SDP_AES_CM_256_HMAC_SHA1_32, 4 },
	{ "a=crypto:1 " SUITE80 " inline:" KEY256 "==\r\n", SDP_NO_SUITE, 0 },
	{ "a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:" KEY256 "===\r\n", SDP_NO_SUITE, 0 },
	{ "a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:" KEY256 "A\r\n", SDP_NO_SUITE, 0 },
	{ "a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:" KEY256 "AA\r\n", SDP_NO_SUITE, 0 },
	{ "a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:" KEY256 KEY "\r\n", SDP_NO_SUITE, 0 },
	{ "a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:" KEY256 "==|2^20|1:4\r\n", SDP_NO_SUITE, 0 },
	{ "a=crypto:1 AES_256_CM_HMAC_SHA1_64 inline:" KEY256 "==\r\n", SDP_NO_SUITE, 0 },
	/* a key identifier, several keys, a key that is used up soon */
	{ "a=crypto:1 " SUITE80 " inline:" KEY "|2^20|1:4\r\n", SDP_NO_SUITE, 0 },
	{ "a=crypto:1 " SUITE80 " inline:" KEY "|1:4\r\n", SDP_NO_SUITE, 0 },
	{ "a=crypto:1 " SUITE80 " inline:" KEY ";inline:" KEY "\r\n", SDP_NO_SUITE, 0 },
	{ "a=crypto:1 " SUITE80 " inline:" KEY "|2^19\r\n", SDP_NO_SUITE, 0 },
	{ "a=crypto:1 " SUITE80 " inline:" KEY "|2^49\r\n", SDP_NO_SUITE, 0 },
	{ "a=crypto:1 " SUITE80 " inline:" KEY "|9\r\n", SDP_NO_SUITE, 0 },
	/* what changes the protection */
	{ "a=crypto:1 " SUITE80 " inline:" KEY " UNENCRYPTED_SRTP\r\n", SDP_NO_SUITE, 0 },
	{ "a=crypto:1 " SUITE80 " inline:" KEY " WSH=64 KDR=1\r\n", SDP_NO_SUITE, 0 },
	/* malformed */
	{ "a=crypto:\r\n", SDP_NO_SUITE, 0 },
	{ "a=crypto:1\r\n", SDP_NO_SUITE, 0 },
	{ "a=crypto:1 " SUITE80 "\r\n", SDP_NO_SUITE, 0 },
	{ "a=crypto:1 " SUITE80 " inline:\r\n", SDP_NO_SUITE, 0 },
	{ "a=crypto:1 " SUITE80 " " KEY "\r\n", SDP_NO_SUITE, 0 },
	{ "a=crypto:x " SUITE80 " inline:" KEY "\r\n", SDP_NO_SUITE, 0 },
	{ "a=crypto:1234567890 " SUITE80 " inline:" KEY "\r\n", SDP_NO_SUITE, 0 },
	{ "a=crypto:1 aes_cm_128_hmac_sha1_80 inline:" KEY "\r\n", SDP_NO_SUITE, 0 },
	{ "a=crypto:1 " SUITE80 " inline:" KEY "AAAA\r\n", SDP_NO_SUITE, 0 },
	{ "a=crypto:1 " SUITE80 " inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGV\r\n", SDP_NO_SUITE,
	  0 },
	{ "a=crypto:1 " SUITE80 " inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGV*\r\n",
	  SDP_NO_SUITE, 0 },
	{ "a=crypto:1 " SUITE80 " inline:WVNf\r\n", SDP_NO_SUITE, 0 },
};

static void takes_the_first_key_that_it_can_use(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(crypto_cases); i++) {
		char text[1024];
		struct sdp sdp;
		int wanted = crypto_cases[i].suite ? 0 : -ENOTSUP;

		snprintf(text, sizeof(text), HEAD "m=audio 4000 RTP/SAVP 8\r\n%s",
			 crypto_cases[i].lines);
		if (parse(text, &sdp) != wanted)
			fail_msg("case %zu: %s", i, crypto_cases[i].lines);
		assert_int_equal(sdp.has_secured, wanted == 0);
		if (wanted)
			continue;
		assert_true(sdp.audio.savp);
		assert_int_equal(sdp.secured.crypto[0].suite, crypto_cases[i].suite);
		assert_int_equal(sdp.secured.crypto[0].tag, crypto_cases[i].tag);
		assert_memory_equal(sdp.secured.crypto[0].key, "YS___semctl () {", 16);
	}
}

static struct sdp_audio pcma(void);

/* Keys beside RTP/AVP, and two lines of which one has keys (sipwise/rtpengine#1489). */
static void knows_the_line_with_keys_and_the_one_without(void **state)
{
	static const struct {
		const char *lines;
		size_t chosen, secured;
		const char *answer; /* with keys */
	} cases_of_two[] = {
		{ "m=audio 4000 RTP/AVP 8\r\na=crypto:4 " SUITE80 " inline:" KEY "\r\n", 0, 0,
		  "m=audio 30000 RTP/AVP 8 101\r\n" },
		{ "m=audio 4000 RTP/SAVP 8\r\na=crypto:4 " SUITE80 " inline:" KEY
		  "\r\nm=audio 4002 RTP/AVP 8\r\n",
		  1, 0, "m=audio 30000 RTP/SAVP 8 101\r\n" },
		{ "m=audio 4000 RTP/AVP 8\r\nm=audio 4002 RTP/SAVP 8\r\na=crypto:4 " SUITE80
		  " inline:" KEY "\r\n",
		  0, 1, "m=audio 0 RTP/AVP 8\r\nm=audio 30000 RTP/SAVP 8 101\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases_of_two); i++) {
		struct sdp_local local = { .session = 1 };
		struct sdp_audio ours = pcma();
		struct sdp offer;
		char text[1024];

		snprintf(text, sizeof(text), HEAD "%s", cases_of_two[i].lines);
		assert_int_equal(parse(text, &offer), 0);
		assert_true(offer.has_secured && !offer.audio.savp);
		assert_int_equal(offer.chosen, cases_of_two[i].chosen);
		assert_int_equal(offer.chosen_secured, cases_of_two[i].secured);
		assert_int_equal(offer.audio.ncrypto, 0);
		assert_int_equal(sdp_write(&local, &ours, &offer), 0);
		assert_null(strstr(local.text, "crypto"));
		ours.crypto[0] = offer.secured.crypto[0];
		ours.ncrypto = 1;
		assert_int_equal(sdp_write(&local, &ours, &offer), 0);
		assert_non_null(strstr(local.text, cases_of_two[i].answer));
		assert_non_null(strstr(local.text, "a=crypto:4 " SUITE80 " inline:" KEY "\r\n"));
		sdp_wipe(&offer);
		assert_int_equal(offer.secured.crypto[0].suite, SDP_NO_SUITE);
	}
}

/* RTP/SAVP is not answered without keys, nor keys to who has offered none. */
static void answers_with_keys_if_and_only_if_they_were_offered(void **state)
{
	struct sdp_local local = { .session = 1 };
	struct sdp_audio ours = pcma();
	struct sdp offer;

	(void)state;
	assert_int_equal(parse(HEAD "m=audio 4000 RTP/SAVP 8\r\na=crypto:1 " SUITE80 " inline:" KEY
				    "\r\n",
			       &offer),
			 0);
	assert_int_equal(sdp_write(&local, &ours, &offer), -EINVAL);
	ours.crypto[0] = offer.secured.crypto[0];
	ours.ncrypto = 1;
	assert_int_equal(parse(HEAD "m=audio 4000 RTP/AVP 8\r\n", &offer), 0);
	assert_int_equal(sdp_write(&local, &ours, &offer), -EINVAL);
	ours.ncrypto = SDP_MAX_CRYPTO + 1;
	assert_int_equal(sdp_write(&local, &ours, NULL), -EINVAL);
}

/* sipwise/rtpengine#736: an answer has the offer's spelling, and the whole key. */
static void answers_with_aes_256_in_the_spelling_of_the_offer(void **state)
{
	static const char *const names[] = { "AES_256_CM_HMAC_SHA1_80", "AES_256_CM_HMAC_SHA1_32",
					     "AES_CM_256_HMAC_SHA1_80", "AES_CM_256_HMAC_SHA1_32" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct sdp_local local = { .session = 1 };
		struct sdp_audio ours = pcma();
		struct sdp offer;
		char text[1024], line[128];

		snprintf(line, sizeof(line), "a=crypto:9 %s inline:" KEY256 "==\r\n", names[i]);
		snprintf(text, sizeof(text), HEAD "m=audio 4000 RTP/SAVP 8\r\n%s", line);
		assert_int_equal(parse(text, &offer), 0);
		ours.crypto[0] = offer.secured.crypto[0];
		ours.ncrypto = 1;
		assert_int_equal(sdp_write(&local, &ours, &offer), 0);
		assert_non_null(strstr(local.text, line));
	}
}

static void keeps_the_order_and_the_numbers_of_formats(void **state)
{
	struct sdp sdp;

	(void)state;
	assert_int_equal(parse(HEAD "m=audio 4000 RTP/AVP 97 8 96 0\r\n"
				    "a=rtpmap:96 telephone-event/8000\r\n"
				    "a=rtpmap:97 opus/48000/2\r\na=maxptime:40\r\n",
			       &sdp),
			 0);
	assert_int_equal(sdp.audio.nformats, 3);
	assert_int_equal(sdp.audio.formats[0].encoding, SDP_PCMA);
	assert_int_equal(sdp.audio.formats[1].encoding, SDP_TELEPHONE_EVENT);
	assert_int_equal(sdp.audio.formats[1].payload_type, 96);
	assert_int_equal(sdp.audio.formats[2].encoding, SDP_PCMU);
	assert_int_equal(sdp.audio.maxptime_ms, 40);
	assert_ptr_equal(sdp_find(&sdp.audio, SDP_PCMU), &sdp.audio.formats[2]);
	assert_null(sdp_find(&sdp.audio, SDP_COMFORT_NOISE));
}

static void counts_lines_and_octets(void **state)
{
	char text[SDP_MAX_INPUT + 2];
	struct buf b = BUF_OF(text);
	struct sdp sdp;

	(void)state;
	buf_put_str(&b, HEAD);
	for (int i = 0; i < SDP_MAX_LINES; i++)
		buf_put_str(&b, "m=audio 4000 RTP/AVP 0\r\n");
	assert_int_equal(parse(text, &sdp), 0);
	assert_int_equal(sdp.nlines, SDP_MAX_LINES);
	buf_put_str(&b, "m=audio 4000 RTP/AVP 0\r\n");
	assert_int_equal(parse(text, &sdp), -EINVAL);
	memset(text + b.len, '\n', sizeof(text) - b.len);
	assert_int_equal(sdp_parse(slice_of(text, SDP_MAX_INPUT + 1), &sdp, NULL), -EMSGSIZE);
}

static struct sdp_audio pcma(void)
{
	return (struct sdp_audio){
		.address = "127.0.0.1",
		.port = 30000,
		.formats = { { 8, SDP_PCMA }, { 101, SDP_TELEPHONE_EVENT } },
		.nformats = 2,
		.ptime_ms = 20,
	};
}

static void answers_every_line_and_refuses_all_but_the_calls(void **state)
{
	struct sdp_local local = { .session = 77 };
	struct sdp_audio ours = pcma();
	struct sdp offer;

	(void)state;
	assert_int_equal(parse(HEAD "m=audio 4000 RTP/SAVP 0\r\nm=audio 4002 RTP/AVP 0 8\r\n"
				    "m=video 4004 RTP/AVP 31 32\r\n",
			       &offer),
			 0);
	assert_int_equal(sdp_write(&local, &ours, &offer), 0);
	assert_string_equal(local.text,
			    "v=0\r\no=- 77 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
			    "t=0 0\r\nm=audio 0 RTP/SAVP 0\r\nm=audio 30000 RTP/AVP 8 101\r\n"
			    "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
			    "a=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
			    "m=video 0 RTP/AVP 31\r\n");
}

/* sofia-sip-traps.md S9: a changed description must have a higher version. */
static void raises_the_version_when_and_only_when_the_text_differs(void **state)
{
	struct sdp_local local = { .session = 77 };
	struct sdp_audio ours = pcma();

	(void)state;
	assert_int_equal(sdp_write(&local, &ours, NULL), 0);
	assert_int_equal(local.version, 1);
	assert_int_equal(sdp_write(&local, &ours, NULL), 0);
	assert_int_equal(local.version, 1);
	ours.direction = SDP_RECVONLY;
	assert_int_equal(sdp_write(&local, &ours, NULL), 0);
	assert_int_equal(local.version, 2);
	assert_non_null(strstr(local.text, "o=- 77 2 IN IP4"));
	assert_non_null(strstr(local.text, "a=recvonly"));
}

static void reads_back_what_it_writes(void **state)
{
	struct sdp_local local = { .session = 1 };
	struct sdp_audio ours = pcma();
	struct sdp back;

	(void)state;
	memcpy(ours.address, "2001:db8::1", 12);
	assert_int_equal(sdp_write(&local, &ours, NULL), 0);
	assert_int_equal(parse(local.text, &back), 0);
	assert_memory_equal(&back.audio, &ours, sizeof(ours));
}

static void refuses_to_write_what_nobody_could_use(void **state)
{
	struct sdp_local local = { .session = 1 };
	struct sdp_audio ours = pcma();

	(void)state;
	ours.nformats = 0;
	assert_int_equal(sdp_write(&local, &ours, NULL), -EINVAL);
	ours.nformats = 1;
	ours.formats[0].encoding = SDP_OTHER;
	assert_int_equal(sdp_write(&local, &ours, NULL), -EINVAL);
	assert_string_equal(local.text, "");
}

static void reverses_directions(void **state)
{
	(void)state;
	assert_int_equal(sdp_reverse(SDP_SENDONLY), SDP_RECVONLY);
	assert_int_equal(sdp_reverse(SDP_RECVONLY), SDP_SENDONLY);
	assert_int_equal(sdp_reverse(SDP_INACTIVE), SDP_INACTIVE);
	assert_int_equal(sdp_reverse(SDP_SENDRECV), SDP_SENDRECV);
}

/* RFC 3605: where the peer's RTCP is, when that is not the next port. */
static void reads_where_reports_go(void **state)
{
	static const struct {
		const char *lines;
		uint16_t port;
		const char *address;
	} reports[] = {
		{ "", 0, "" },
		{ "a=rtcp:53020\r\n", 53020, "" },
		{ "a=rtcp:53020 IN IP4 198.51.100.4\r\n", 53020, "198.51.100.4" },
		/* RFC 5761 5.1.1 lets who offers rtcp-mux name the port of RTP */
		{ "a=rtcp-mux\r\na=rtcp:4000\r\n", 4000, "" },
		/* no port, no address, another family, a group, the dummy of WebRTC: the next port
		 */
		{ "a=rtcp:0\r\n", 0, "" },
		{ "a=rtcp:65536\r\n", 0, "" },
		{ "a=rtcp:\r\n", 0, "" },
		{ "a=rtcp:x\r\n", 0, "" },
		{ "a=rtcp:53020 IN\r\n", 0, "" },
		{ "a=rtcp:53020 IN IP5 198.51.100.4\r\n", 0, "" },
		{ "a=rtcp:53020 IN IP4 pbx.example\r\n", 0, "" },
		{ "a=rtcp:53020 IN IP4 224.2.1.1\r\n", 0, "" },
		{ "a=rtcp:53020 IN IP6 2001:db8::4\r\n", 0, "" },
		{ "a=rtcp:9 IN IP4 0.0.0.0\r\na=rtcp-mux\r\n", 0, "" },
		/* of another line it is not ours */
		{ "m=video 4002 RTP/AVP 31\r\na=rtcp:53020\r\n", 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(reports); i++) {
		struct sdp sdp;
		char text[512];

		snprintf(text, sizeof(text), HEAD "m=audio 4000 RTP/AVP 8\r\n%s", reports[i].lines);
		assert_int_equal(parse(text, &sdp), 0);
		if (sdp.audio.rtcp_port != reports[i].port)
			fail_msg("%s: port %u", reports[i].lines, sdp.audio.rtcp_port);
		assert_string_equal(sdp.audio.rtcp_address, reports[i].address);
	}
}

/* RFC 5761 5.1.1: who hears nothing of a=rtcp-mux in the answer must use two ports, as we do. */
static void does_not_take_reports_on_the_port_of_the_media(void **state)
{
	struct sdp_local local = { .session = 1 };
	struct sdp_audio ours = pcma();
	struct sdp offer;

	(void)state;
	assert_int_equal(
		parse(HEAD "m=audio 4000 RTP/AVP 8\r\na=rtcp-mux\r\na=rtcp:4000\r\n", &offer), 0);
	assert_int_equal(sdp_write(&local, &ours, &offer), 0);
	assert_null(strstr(local.text, "rtcp"));
}

/* RFC 4585 and 5124: the profiles with feedback are those without, under their own names. */
static void answers_over_the_profile_of_the_offer(void **state)
{
	static const struct {
		const char *proto;
		bool keys, feedback;
	} profiles[] = {
		{ "RTP/AVP", false, false },
		{ "RTP/SAVP", true, false },
		{ "RTP/AVPF", false, true },
		{ "RTP/SAVPF", true, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(profiles); i++) {
		bool keys = profiles[i].keys;
		struct sdp_local local = { .session = 1 };
		struct sdp_audio ours = pcma();
		char text[512], line[64];
		struct sdp offer;

		snprintf(text, sizeof(text),
			 HEAD
			 "m=audio 4000 %s 8\r\na=rtcp-fb:* nack\r\na=rtcp-fb:8 trr-int 100\r\n%s",
			 profiles[i].proto,
			 keys ? "a=crypto:1 " SUITE80 " inline:" KEY "\r\n" : "");
		assert_int_equal(parse(text, &offer), 0);
		assert_int_equal(offer.has_secured, keys);
		assert_int_equal(offer.audio.savp, keys);
		assert_int_equal(offer.audio.feedback, profiles[i].feedback);
		if (keys) {
			assert_int_equal(sdp_write(&local, &ours, &offer), -EINVAL);
			ours.crypto[0] = offer.secured.crypto[0];
			ours.ncrypto = 1;
		}
		snprintf(line, sizeof(line), "m=audio 30000 %s 8 101\r\n", profiles[i].proto);
		assert_int_equal(sdp_write(&local, &ours, &offer), 0);
		assert_non_null(strstr(local.text, line));
		assert_null(strstr(local.text, "rtcp-fb"));
		/* and so is an offer of ours in the same call */
		ours.savp = offer.audio.savp;
		ours.feedback = offer.audio.feedback;
		assert_int_equal(sdp_write(&local, &ours, NULL), 0);
		assert_non_null(strstr(local.text, line));
		sdp_wipe(&offer);
	}
	/* keys by DTLS are others than ours */
	assert_int_equal(parse(HEAD "m=audio 4000 UDP/TLS/RTP/SAVPF 8\r\n", &(struct sdp){ 0 }),
			 -ENOTSUP);
	assert_int_equal(parse(HEAD "m=audio 4000 RTP/SAVPF 8\r\n", &(struct sdp){ 0 }), -ENOTSUP);
}

/* Every prefix of a good description is refused or understood, never a crash. */
static void survives_every_cut(void **state)
{
	const char *text =
		HEAD "m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
		     "a=ptime:20\r\na=rtcp:5000 IN IP4 192.0.2.7\r\na=sendonly\r\n";

	(void)state;
	for (size_t n = 0; n < strlen(text); n++) {
		char cut[256]; /* so that a read behind the end is seen */
		struct sdp sdp;
		char *at = cut + sizeof(cut) - n;

		memcpy(at, text, n);
		(void)sdp_parse(slice_of(at, n), &sdp, NULL);
		assert_true(sdp.nlines <= 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_pbxs_write),
		cmocka_unit_test(takes_the_first_key_that_it_can_use),
		cmocka_unit_test(knows_the_line_with_keys_and_the_one_without),
		cmocka_unit_test(answers_with_keys_if_and_only_if_they_were_offered),
		cmocka_unit_test(answers_with_aes_256_in_the_spelling_of_the_offer),
		cmocka_unit_test(keeps_the_order_and_the_numbers_of_formats),
		cmocka_unit_test(counts_lines_and_octets),
		cmocka_unit_test(answers_every_line_and_refuses_all_but_the_calls),
		cmocka_unit_test(raises_the_version_when_and_only_when_the_text_differs),
		cmocka_unit_test(reads_back_what_it_writes),
		cmocka_unit_test(refuses_to_write_what_nobody_could_use),
		cmocka_unit_test(reverses_directions),
		cmocka_unit_test(reads_where_reports_go),
		cmocka_unit_test(does_not_take_reports_on_the_port_of_the_media),
		cmocka_unit_test(answers_over_the_profile_of_the_offer),
		cmocka_unit_test(survives_every_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
