#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/encode.h"
#include "media/replay.h"
#include "media/rtp.h"
#include "media/srtp.h"
#include "media/srtp_priv.h"

static const enum srtp_profile profiles[] = { SRTP_AES128_CM_SHA1_80, SRTP_AES128_CM_SHA1_32,
					      SRTP_AEAD_AES_128_GCM, SRTP_AES256_CM_SHA1_80,
					      SRTP_AES256_CM_SHA1_32 };

static struct srtp_key key_of(const char *hex)
{
	struct srtp_key key = { 0 };
	uint8_t octets[30];
	size_t n;

	assert_int_equal(hex_decode(slice_str(hex), octets, sizeof(octets), &n), 0);
	memcpy(key.key, octets, 16);
	memcpy(key.salt, octets + 16, n - 16);
	return key;
}

/* RFC 3711 B.3: master key and salt. */
static const char rfc3711_key[] = "e1f97a0d3e018be0d64fa32c06de4139"
				  "0ec675ad498afeebb6960b3aabe6";

static struct srtp *make(enum srtp_profile profile, enum srtp_direction direction, uint32_t ssrc)
{
	struct srtp_key key = key_of(rfc3711_key);
	struct srtp *s;

	assert_int_equal(srtp_new(profile, direction, &key, ssrc, &s), 0);
	return s;
}

static size_t make_rtp(uint8_t *packet, uint16_t seq, uint32_t ssrc, size_t payload)
{
	struct rtp rtp = { .payload_type = 96, .seq = seq, .timestamp = seq * 160u, .ssrc = ssrc };

	rtp_write_header(&rtp, packet);
	for (size_t i = 0; i < payload; i++)
		packet[RTP_HEADER_SIZE + i] = (uint8_t)(seq + i);
	return RTP_HEADER_SIZE + payload;
}

/* The test vector of libsrtp's srtp_validate and of many others: key and salt as
 * above, SSRC 0xcafebabe, sequence 0x1234. */
static void the_well_known_packet_is_protected_octet_by_octet(void **state)
{
	static const char plain_hex[] = "800f1234decafbadcafebabeabababababababababababababababab";
	static const char cipher_hex[] = "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402"
					 "b78d6acc99ea179b8dbb";
	uint8_t packet[64], want[64];
	size_t n, want_n;
	struct srtp *s = make(SRTP_AES128_CM_SHA1_80, SRTP_SEND, 0xcafebabe);

	(void)state;
	assert_int_equal(hex_decode(slice_str(plain_hex), packet, sizeof(packet), &n), 0);
	assert_int_equal(hex_decode(slice_str(cipher_hex), want, sizeof(want), &want_n), 0);
	assert_int_equal(srtp_seal(s, packet, &n, sizeof(packet)), 0);
	assert_int_equal(n, want_n);
	assert_memory_equal(packet, want, n);
	srtp_free(&s);
	assert_null(s);
}

/* RFC 6188 7.2: what comes of its master key and salt. */
static const char rfc6188_master[] =
	"f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6";
static const char rfc6188_master_salt[] = "3b04803de51ee7c96423ab5b78d2";
static const char rfc6188_cipher[] =
	"5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4";
static const char rfc6188_salt[] = "fa31791685ca444a9e07c6c64e93";
static const char rfc6188_auth[] = "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05";

static void from_hex(const char *hex, void *out, size_t n)
{
	size_t got;

	assert_int_equal(hex_decode(slice_str(hex), out, n, &got), 0);
	assert_int_equal(got, n);
}

static struct srtp *make_256(enum srtp_profile profile)
{
	struct srtp_key key;
	struct srtp *s;

	from_hex(rfc6188_master, key.key, 32);
	from_hex(rfc6188_master_salt, key.salt, 14);
	assert_int_equal(srtp_new(profile, SRTP_SEND, &key, 0xcafebabe, &s), 0);
	return s;
}

/* The packet of libsrtp's srtp_validate_aes_256. */
static void a_known_packet_is_protected_with_aes_256_octet_by_octet(void **state)
{
	struct srtp *s = make_256(SRTP_AES256_CM_SHA1_80);
	uint8_t packet[64], want[38];
	size_t n = 28;

	(void)state;
	from_hex("800f1234decafbadcafebabeabababababababababababababababab", packet, n);
	from_hex("800f1234decafbadcafebabef1d9de17ff251ff1aa007774b0b4b40da08d9d9a5b3a55d8873b",
		 want, sizeof(want));
	assert_int_equal(srtp_seal(s, packet, &n, sizeof(packet)), 0);
	assert_int_equal(n, sizeof(want));
	assert_memory_equal(packet, want, n);
	srtp_free(&s);
}

/* RFC 6188 7.2: a packet is what these session keys, and no others, make of it. */
static void the_keys_of_aes_256_are_those_of_the_rfc(void **state)
{
	static const struct {
		enum srtp_profile profile;
		size_t tag;
	} kinds[] = { { SRTP_AES256_CM_SHA1_80, 10 }, { SRTP_AES256_CM_SHA1_32, 4 } };
	uint8_t cipher[32], auth[20], iv[16] = { 0 }, packet[128], want[128], mac[20];

	(void)state;
	from_hex(rfc6188_cipher, cipher, sizeof(cipher));
	from_hex(rfc6188_auth, auth, sizeof(auth));
	from_hex(rfc6188_salt, iv, 14); /* XOR SSRC at 4, index at 8 (RFC 3711 4.1.1) */
	for (size_t i = 0; i < 4; i++)
		iv[4 + i] ^= (uint8_t)(0xcafebabeu >> (24 - 8 * i));
	iv[12] ^= 0x12;
	iv[13] ^= 0x34;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct srtp *s = make_256(kinds[i].profile);
		size_t n = make_rtp(packet, 0x1234, 0xcafebabe, 60), clear = n;
		EVP_CIPHER_CTX *evp = EVP_CIPHER_CTX_new();
		unsigned mac_n;
		int len;

		memcpy(want, packet, n);
		assert_true(EVP_EncryptInit_ex(evp, EVP_aes_256_ctr(), NULL, cipher, iv) &&
			    EVP_EncryptUpdate(evp, want + RTP_HEADER_SIZE, &len,
					      packet + RTP_HEADER_SIZE,
					      (int)(n - RTP_HEADER_SIZE)));
		EVP_CIPHER_CTX_free(evp);
		memset(want + n, 0, 4); /* the rollover counter */
		assert_non_null(HMAC(EVP_sha1(), auth, sizeof(auth), want, n + 4, mac, &mac_n));
		assert_int_equal(srtp_seal(s, packet, &n, sizeof(packet)), 0);
		assert_int_equal(n, clear + kinds[i].tag);
		assert_memory_equal(packet, want, clear);
		assert_memory_equal(packet + clear, mac, kinds[i].tag);
		srtp_free(&s);
	}
}

static void more_than_two_rollovers_pass(void **state)
{
	(void)state;
	for (size_t p = 0; p < COUNT(profiles); p++) {
		struct srtp *out = make(profiles[p], SRTP_SEND, 1);
		struct srtp *in = make(profiles[p], SRTP_RECEIVE, 1);

		for (uint32_t i = 0; i < 140000; i++) {
			uint8_t packet[64], want[64];
			size_t n = make_rtp(packet, (uint16_t)(i + 60000), 1, 20), plain = n;

			memcpy(want, packet, n);
			assert_int_equal(srtp_seal(out, packet, &n, sizeof(packet)), 0);
			assert_memory_not_equal(packet + 12, want + 12, plain - 12);
			if (i % 1000 < 7)
				continue; /* lost on the way, also around a rollover */
			assert_int_equal(srtp_open(in, packet, &n), 0);
			assert_int_equal(n, plain);
			assert_memory_equal(packet, want, n);
		}
		srtp_free(&out);
		srtp_free(&in);
	}
}

static void a_sender_never_uses_an_index_twice(void **state)
{
	uint8_t packet[64];
	struct srtp *out = make(SRTP_AES128_CM_SHA1_80, SRTP_SEND, 1);
	size_t n = make_rtp(packet, 100, 1, 20);

	(void)state;
	assert_int_equal(srtp_seal(out, packet, &n, sizeof(packet)), 0);
	n = make_rtp(packet, 100, 1, 20);
	assert_int_equal(srtp_seal(out, packet, &n, sizeof(packet)), -EALREADY);
	n = make_rtp(packet, 99, 1, 20);
	assert_int_equal(srtp_seal(out, packet, &n, sizeof(packet)), -EALREADY);
	n = make_rtp(packet, 101, 2, 20);
	assert_int_equal(srtp_seal(out, packet, &n, sizeof(packet)), -EINVAL);
	n = make_rtp(packet, 101, 1, 20);
	assert_int_equal(srtp_seal(out, packet, &n, n + 9), -ENOBUFS);
	assert_int_equal(srtp_seal(out, packet, &n, n + 10), 0);
	srtp_free(&out);
}

static void repeats_and_the_very_late_are_refused_and_the_late_are_not(void **state)
{
	enum { LATE = 200 };
	uint8_t packets[LATE][64], copy[64];
	size_t lengths[LATE];
	struct srtp *out = make(SRTP_AES128_CM_SHA1_80, SRTP_SEND, 1);
	struct srtp *in = make(SRTP_AES128_CM_SHA1_80, SRTP_RECEIVE, 1);

	(void)state;
	for (uint16_t i = 0; i < LATE; i++) {
		lengths[i] = make_rtp(packets[i], (uint16_t)(65436 + i), 1, 20);
		assert_int_equal(srtp_seal(out, packets[i], &lengths[i], 64), 0);
	}
	memcpy(copy, packets[0], lengths[0]); /* tells the receiver the rollover counter */
	assert_int_equal(srtp_open(in, copy, &(size_t){ lengths[0] }), 0);
	for (int i = LATE - 1; i > 0; i--) { /* the newest first */
		int want = LATE - 1 - i < REPLAY_WINDOW ? 0 : -EALREADY;
		size_t n = lengths[i], again = n;

		memcpy(copy, packets[i], n);
		assert_int_equal(srtp_open(in, copy, &n), want);
		memcpy(copy, packets[i], again);
		assert_int_equal(srtp_open(in, copy, &again), -EALREADY);
	}
	srtp_free(&out);
	srtp_free(&in);
}

static void every_changed_octet_and_every_missing_one_fails(void **state)
{
	(void)state;
	for (size_t p = 0; p < COUNT(profiles); p++) {
		uint8_t packet[64], copy[64];
		struct srtp *out = make(profiles[p], SRTP_SEND, 1);
		struct srtp *in = make(profiles[p], SRTP_RECEIVE, 1);
		size_t n = make_rtp(packet, 500, 1, 8), m;

		assert_int_equal(srtp_seal(out, packet, &n, sizeof(packet)), 0);
		for (size_t i = 0; i < n; i++) {
			memcpy(copy, packet, n);
			copy[i] ^= 1;
			m = n;
			assert_int_not_equal(srtp_open(in, copy, &m), 0);
			memcpy(copy, packet, n);
			m = i;
			assert_int_not_equal(srtp_open(in, copy, &m), 0);
		}
		m = n;
		assert_int_equal(srtp_open(in, packet, &m), 0); /* forgeries moved nothing */
		srtp_free(&out);
		srtp_free(&in);
	}
}

static void several_ssrcs_share_a_key_each_with_its_own_counters(void **state)
{
	struct srtp *in = make(SRTP_AES128_CM_SHA1_80, SRTP_RECEIVE, 1);

	(void)state;
	for (uint32_t ssrc = 1; ssrc <= SRTP_MAX_STREAMS + 1; ssrc++) {
		struct srtp *out = make(SRTP_AES128_CM_SHA1_80, SRTP_SEND, ssrc);
		uint8_t packet[64];
		size_t n = make_rtp(packet, (uint16_t)(ssrc * 10000), ssrc, 20);

		assert_int_equal(srtp_seal(out, packet, &n, sizeof(packet)), 0);
		assert_int_equal(srtp_open(in, packet, &n), 0);
		srtp_free(&out);
	}
	srtp_free(&in);
}

/* A PBX that takes another SSRC with every hold must be heard behind the eighth, too; and what it
 * sent under one that gave way must not be heard again. */
static void a_call_may_have_any_number_of_ssrcs_one_after_the_other(void **state)
{
	enum { SSRCS = 40, KEPT = 1, PACKET = 64 };
	struct srtp *in = make(SRTP_AES128_CM_SHA1_80, SRTP_RECEIVE, 0);
	struct srtp *kept = make(SRTP_AES128_CM_SHA1_80, SRTP_SEND, KEPT);
	uint8_t old[SSRCS + 1][PACKET], packet[PACKET];
	size_t old_n[SSRCS + 1], n;

	(void)state;
	for (uint32_t ssrc = KEPT + 1; ssrc <= SSRCS; ssrc++) {
		struct srtp *out = make(SRTP_AES128_CM_SHA1_80, SRTP_SEND, ssrc);

		/* One that goes on all the time stays. */
		n = make_rtp(packet, (uint16_t)ssrc, KEPT, 20);
		assert_int_equal(srtp_seal(kept, packet, &n, sizeof(packet)), 0);
		assert_int_equal(srtp_open(in, packet, &n), 0);
		n = make_rtp(packet, 7, ssrc, 20);
		assert_int_equal(srtp_seal(out, packet, &n, sizeof(packet)), 0);
		memcpy(old[ssrc], packet, n);
		old_n[ssrc] = n;
		assert_int_equal(srtp_open(in, packet, &n), 0);
		srtp_free(&out);
	}
	for (uint32_t ssrc = KEPT + 1; ssrc <= SSRCS; ssrc++)
		assert_int_equal(srtp_open(in, old[ssrc], &old_n[ssrc]), -EALREADY);
	srtp_free(&kept);
	srtp_free(&in);
}

static void reports_are_protected_and_checked(void **state)
{
	const struct rtcp_report report = { .ssrc = 1, .is_sender = true, .packets = 5 };

	(void)state;
	for (size_t p = 0; p < COUNT(profiles); p++) {
		struct srtp *out = make(profiles[p], SRTP_SEND, 1);
		struct srtp *in = make(profiles[p], SRTP_RECEIVE, 1);
		uint8_t plain[RTCP_MAX_REPORT], packet[RTCP_MAX_REPORT + SRTP_MAX_TRAILER],
			copy[200];
		size_t plain_n = rtcp_build(&report, slice_str("name"), plain, sizeof(plain));

		for (int i = 0; i < 200; i++) {
			size_t n = plain_n, m;

			memcpy(packet, plain, n);
			assert_int_equal(srtcp_seal(out, packet, &n, n + 13), -ENOBUFS);
			assert_int_equal(srtcp_seal(out, packet, &n, sizeof(packet)), 0);
			memcpy(copy, packet, m = n);
			copy[n / 2] ^= 4;
			assert_int_equal(srtcp_open(in, copy, &m), -EACCES);
			memcpy(copy, packet, m = n);
			assert_int_equal(srtcp_open(in, copy, &m), 0);
			assert_int_equal(m, plain_n);
			assert_memory_equal(copy, plain, plain_n);
			memcpy(copy, packet, m = n);
			assert_int_equal(srtcp_open(in, copy, &m), -EALREADY);
			m = 8 + 4 + 9;
			assert_int_equal(srtcp_open(in, copy, &m), -EBADMSG);
		}
		srtp_free(&out);
		srtp_free(&in);
	}
}

static void another_key_another_direction_and_another_profile_fail(void **state)
{
	struct srtp_key other = key_of(rfc3711_key);
	struct srtp *out = make(SRTP_AES128_CM_SHA1_80, SRTP_SEND, 1), *in, *gcm;
	uint8_t packet[64], copy[64];
	size_t n = make_rtp(packet, 1, 1, 20), m;

	(void)state;
	other.salt[13] ^= 1;
	assert_int_equal(srtp_new(SRTP_AES128_CM_SHA1_80, SRTP_RECEIVE, &other, 1, &in), 0);
	gcm = make(SRTP_AEAD_AES_128_GCM, SRTP_RECEIVE, 1);
	assert_int_equal(srtp_seal(out, packet, &n, sizeof(packet)), 0);
	memcpy(copy, packet, m = n);
	assert_int_equal(srtp_open(in, copy, &m), -EACCES);
	memcpy(copy, packet, m = n);
	assert_int_equal(srtp_open(gcm, copy, &m), -EACCES);
	assert_int_equal(srtp_open(out, copy, &m), -EBADMSG);
	assert_int_equal(srtp_seal(in, copy, &m, sizeof(copy)), -EINVAL);
	assert_int_equal(srtp_new((enum srtp_profile)5, SRTP_SEND, &other, 1, &out), -EINVAL);
	srtp_free(&out);
	srtp_free(&in);
	srtp_free(&gcm);
}

static void the_replay_window_remembers_exactly_its_size(void **state)
{
	static const struct {
		uint64_t index;
		bool seen;
	} steps[] = {
		{ 1000, false }, { 1000, true },  { 999, false },  { 999, true },   { 1001, false },
		{ 1064, false }, { 1000, true },  { 1002, false }, { 1128, false }, { 1000, true },
		{ 1001, true },  { 1063, false }, { 1127, false }, { 1129, false }, { 1001, true },
		{ 1500, false }, { 1373, false }, { 1372, true },  { 1500, true },  { 1373, true },
	};
	struct replay r = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(steps); i++) {
		assert_int_equal(replay_seen(&r, steps[i].index), steps[i].seen);
		if (!steps[i].seen)
			replay_add(&r, steps[i].index);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_well_known_packet_is_protected_octet_by_octet),
		cmocka_unit_test(a_known_packet_is_protected_with_aes_256_octet_by_octet),
		cmocka_unit_test(the_keys_of_aes_256_are_those_of_the_rfc),
		cmocka_unit_test(more_than_two_rollovers_pass),
		cmocka_unit_test(a_sender_never_uses_an_index_twice),
		cmocka_unit_test(repeats_and_the_very_late_are_refused_and_the_late_are_not),
		cmocka_unit_test(every_changed_octet_and_every_missing_one_fails),
		cmocka_unit_test(a_call_may_have_any_number_of_ssrcs_one_after_the_other),
		cmocka_unit_test(several_ssrcs_share_a_key_each_with_its_own_counters),
		cmocka_unit_test(reports_are_protected_and_checked),
		cmocka_unit_test(another_key_another_direction_and_another_profile_fail),
		cmocka_unit_test(the_replay_window_remembers_exactly_its_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
