/* Our SRTP against libsrtp2: what one protects the other opens. */
#include "tests/unit.h"

#include <string.h>

#include <srtp2/srtp.h>

#include "media/rtp.h"
#include "media/srtp.h"

static const uint32_t ssrc = 0x0badcafe;

static const struct {
	enum srtp_profile ours;
	void (*rtp)(srtp_crypto_policy_t *), (*rtcp)(srtp_crypto_policy_t *);
} profiles[] = {
	{ SRTP_AES128_CM_SHA1_80, srtp_crypto_policy_set_rtp_default,
	  srtp_crypto_policy_set_rtcp_default },
	/* short tags of RTP alone (RFC 4568 6.2.2) */
	{ SRTP_AES128_CM_SHA1_32, srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32,
	  srtp_crypto_policy_set_rtcp_default },
	{ SRTP_AEAD_AES_128_GCM, srtp_crypto_policy_set_aes_gcm_128_16_auth,
	  srtp_crypto_policy_set_aes_gcm_128_16_auth },
	{ SRTP_AES256_CM_SHA1_80, srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80,
	  srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80 },
	{ SRTP_AES256_CM_SHA1_32, srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32,
	  srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80 },
};

struct pair {
	struct srtp *ours;
	srtp_t theirs;
};

/* Both under one key that the round chooses. */
static struct pair make(size_t profile, enum srtp_direction ours, unsigned round)
{
	struct srtp_key key;
	size_t n_key = srtp_key_size(profiles[profile].ours);
	uint8_t master[46]; /* key and salt, behind each other */
	srtp_policy_t policy;
	struct pair p;

	for (size_t i = 0; i < sizeof(master); i++)
		master[i] = (uint8_t)(i * 37 + round * 11);
	memcpy(key.key, master, n_key);
	memcpy(key.salt, master + n_key, sizeof(key.salt));
	assert_int_equal(srtp_new(profiles[profile].ours, ours, &key, ssrc, &p.ours), 0);

	memset(&policy, 0, sizeof(policy));
	profiles[profile].rtp(&policy.rtp);
	profiles[profile].rtcp(&policy.rtcp);
	policy.ssrc.type = ours == SRTP_SEND ? ssrc_any_inbound : ssrc_any_outbound;
	policy.key = master;
	policy.window_size = 128;
	assert_int_equal(srtp_create(&p.theirs, &policy), srtp_err_status_ok);
	return p;
}

static void drop(struct pair *p)
{
	srtp_free(&p->ours);
	srtp_dealloc(p->theirs);
}

/* Packets of many sizes, with and without CSRCs and extension, over a rollover. */
static size_t make_packet(uint8_t *packet, unsigned i)
{
	struct rtp rtp = { .payload_type = (uint8_t)(i % 128),
			   .marker = i % 3 == 0,
			   .seq = (uint16_t)(65000 + i),
			   .timestamp = i * 960,
			   .ssrc = ssrc };
	size_t n = RTP_HEADER_SIZE, csrcs = i % 4 == 1 ? i % 16 : 0;

	rtp_write_header(&rtp, packet);
	packet[0] |= (uint8_t)csrcs;
	memset(packet + n, 0x33, 4 * csrcs);
	n += 4 * csrcs;
	if (i % 5 == 2) {
		static const uint8_t extension[] = { 0xbe, 0xde, 0, 1, 0x10, 0xaa, 0, 0 };

		packet[0] |= 0x10;
		memcpy(packet + n, extension, sizeof(extension));
		n += sizeof(extension);
	}
	for (unsigned k = 0; k < i % 200; k++)
		packet[n++] = (uint8_t)(k * i);
	return n;
}

static void what_we_protect_libsrtp_opens(void **state)
{
	(void)state;
	for (size_t profile = 0; profile < COUNT(profiles); profile++) {
		struct pair p = make(profile, SRTP_SEND, 1);

		for (unsigned i = 0; i < 2000; i++) {
			uint8_t plain[400], packet[400];
			size_t n = make_packet(plain, i), sealed = n;
			int len;

			memcpy(packet, plain, n);
			assert_int_equal(srtp_seal(p.ours, packet, &sealed, sizeof(packet)), 0);
			len = (int)sealed;
			assert_int_equal(srtp_unprotect(p.theirs, packet, &len),
					 srtp_err_status_ok);
			assert_int_equal(len, n);
			assert_memory_equal(packet, plain, n);
		}
		drop(&p);
	}
}

static void what_libsrtp_protects_we_open(void **state)
{
	(void)state;
	for (size_t profile = 0; profile < COUNT(profiles); profile++) {
		struct pair p = make(profile, SRTP_RECEIVE, 2);

		for (unsigned i = 0; i < 2000; i++) {
			uint8_t plain[400], packet[400];
			size_t n = make_packet(plain, i), got;
			int len = (int)n;

			memcpy(packet, plain, n);
			assert_int_equal(srtp_protect(p.theirs, packet, &len), srtp_err_status_ok);
			got = (size_t)len;
			assert_int_equal(srtp_open(p.ours, packet, &got), 0);
			assert_int_equal(got, n);
			assert_memory_equal(packet, plain, n);
		}
		drop(&p);
	}
}

static size_t make_report(uint8_t *packet, size_t cap, unsigned i)
{
	const struct rtcp_report report = { .ssrc = ssrc,
					    .is_sender = i & 1,
					    .packets = i,
					    .has_block = i & 2,
					    .block = { .ssrc = i } };

	return rtcp_build(&report, slice_of("0123456789abcdef", 1 + i % 16), packet, cap);
}

static void reports_go_both_ways(void **state)
{
	(void)state;
	for (size_t profile = 0; profile < COUNT(profiles); profile++) {
		struct pair out = make(profile, SRTP_SEND, 3), in = make(profile, SRTP_RECEIVE, 3);

		for (unsigned i = 0; i < 300; i++) {
			uint8_t plain[RTCP_MAX_REPORT], packet[200];
			size_t n = make_report(plain, sizeof(plain), i), sealed = n;
			int len;

			memcpy(packet, plain, n);
			assert_int_equal(srtcp_seal(out.ours, packet, &sealed, sizeof(packet)), 0);
			len = (int)sealed;
			assert_int_equal(srtp_unprotect_rtcp(out.theirs, packet, &len),
					 srtp_err_status_ok);
			assert_int_equal(len, n);
			assert_memory_equal(packet, plain, n);

			assert_int_equal(srtp_protect_rtcp(in.theirs, packet, &len),
					 srtp_err_status_ok);
			sealed = (size_t)len;
			assert_int_equal(srtcp_open(in.ours, packet, &sealed), 0);
			assert_int_equal(sealed, n);
			assert_memory_equal(packet, plain, n);
		}
		drop(&out);
		drop(&in);
	}
}

static int start(void **state)
{
	(void)state;
	return srtp_init() == srtp_err_status_ok ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	return srtp_shutdown() == srtp_err_status_ok ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_we_protect_libsrtp_opens),
		cmocka_unit_test(what_libsrtp_protects_we_open),
		cmocka_unit_test(reports_go_both_ways),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
