#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/encode.h"
#include "media/stun.h"

static const uint8_t tid[STUN_TRANSACTION_SIZE] = {
	1, 2, 3, 4, 5, 6, 7, 8, 0xca, 0xfe, 0xba, 0xbe
};
static const struct slice leg_id = { (const uint8_t *)"leg-0123456789ab", 16 };
static const struct slice key = { (const uint8_t *)"sixteen octets k", 16 };
static const struct slice nonce = { (const uint8_t *)"AbCdEf12", 8 };

/* RFC 5769 2.2 and 2.3: responses with SOFTWARE, XOR-MAPPED-ADDRESS, the older
 * MESSAGE-INTEGRITY and FINGERPRINT. */
static const struct {
	const char *hex, *mapped;
} rfc5769[] = {
	{ "0101003c2112a442b7e7a701bc34d686fa87dfae"
	  "8022000b7465737420766563746f7220"
	  "002000080001a147e112a643"
	  "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7"
	  "80280004c07d4c96",
	  "192.0.2.1:32853" },
	{ "010100482112a442b7e7a701bc34d686fa87dfae"
	  "8022000b7465737420766563746f7220"
	  "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
	  "00080014a382954e4be67bf11784c97c8292c275bfe3ed41"
	  "80280004c8fb0b4c",
	  "[2001:db8:1234:5678:11:2233:4455:6677]:32853" },
};

/* Made by another HMAC implementation (Python's hmac). */
static const char request_hex[] = "000100442112a4420102030405060708cafebabe000600106c65672d30313233"
				  "3435363738396162001500084162436445663132001c002036da47d193c58ffa"
				  "a80f2b021704fa4da808f23d8fabf554382712610af21bf0";

static size_t unhex(const char *hex, uint8_t *out, size_t cap)
{
	size_t n;

	assert_int_equal(hex_decode(slice_str(hex), out, cap, &n), 0);
	return n;
}

static void mapped_addresses_are_read_as_the_rfc_writes_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rfc5769); i++) {
		uint8_t packet[STUN_MAX_MESSAGE];
		char text[NET_TEXT_SIZE];
		struct stun_message m;
		size_t n = unhex(rfc5769[i].hex, packet, sizeof(packet));

		assert_int_equal(stun_parse(slice_of(packet, n), &m), 0);
		assert_int_equal(m.type, STUN_BINDING_SUCCESS);
		net_format(&m.mapped, text);
		assert_string_equal(text, rfc5769[i].mapped);
		assert_int_equal(stun_verify(&m, slice_of(packet, n), key), -EACCES);
	}
}

static void a_request_is_built_octet_by_octet_as_another_implementation_does(void **state)
{
	uint8_t want[STUN_MAX_MESSAGE], got[STUN_MAX_MESSAGE];
	size_t n = unhex(request_hex, want, sizeof(want));

	(void)state;
	assert_int_equal(stun_build_request(tid, leg_id, nonce, key, got, sizeof(got)), n);
	assert_memory_equal(got, want, n);
	assert_int_equal(stun_build_request(tid, leg_id, nonce, key, got, n - 1), 0);
}

static void what_is_built_is_parsed_and_verified(void **state)
{
	uint8_t p[STUN_MAX_MESSAGE];
	struct net_addr addr;
	struct stun_message m;
	char text[NET_TEXT_SIZE];
	size_t n;

	(void)state;
	n = stun_build_request(tid, leg_id, nonce, key, p, sizeof(p));
	assert_true(stun_is(slice_of(p, n)));
	assert_int_equal(stun_packet_ssrc(slice_of(p, n)), 0xcafebabe);
	assert_int_equal(stun_parse(slice_of(p, n), &m), 0);
	assert_true(slice_eq(m.username, leg_id));
	assert_true(slice_eq(m.nonce, nonce));
	assert_memory_equal(m.transaction, tid, sizeof(tid));
	assert_int_equal(stun_verify(&m, slice_of(p, n), key), 0);
	assert_int_equal(stun_verify(&m, slice_of(p, n), slice_str("sixteen octets l")), -EACCES);

	assert_int_equal(net_parse("[2001:db8::7]:4660", 0, &addr), 0);
	n = stun_build_success(tid, &addr, key, p, sizeof(p));
	assert_int_equal(stun_parse(slice_of(p, n), &m), 0);
	assert_int_equal(stun_verify(&m, slice_of(p, n), key), 0);
	net_format(&m.mapped, text);
	assert_string_equal(text, "[2001:db8::7]:4660");

	n = stun_build_error(tid, STUN_STALE_NONCE, nonce, key, p, sizeof(p));
	assert_int_equal(stun_parse(slice_of(p, n), &m), 0);
	assert_int_equal(stun_verify(&m, slice_of(p, n), key), 0);
	assert_int_equal(m.error_code, 438);
	assert_true(slice_eq(m.nonce, nonce));
}

/* Amplification: the relay's answers must not be longer than what was asked. */
static void no_answer_is_longer_than_a_request_with_a_leg_id_of_thirteen_octets(void **state)
{
	uint8_t p[STUN_MAX_MESSAGE];
	struct net_addr v4;
	size_t request = stun_build_request(tid, slice_of(leg_id.p, 13), slice_of(NULL, 0), key, p,
					    sizeof(p));

	(void)state;
	assert_int_equal(net_parse("192.0.2.1:1", 0, &v4), 0);
	assert_true(stun_build_error(tid, 438, nonce, key, p, sizeof(p)) <= request);
	assert_true(stun_build_success(tid, &v4, key, p, sizeof(p)) <= request);
}

static void every_changed_octet_and_every_missing_one_is_noticed(void **state)
{
	uint8_t whole[STUN_MAX_MESSAGE];
	size_t n = stun_build_request(tid, leg_id, nonce, key, whole, sizeof(whole));
	struct stun_message m;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		uint8_t *cut = malloc(n);

		memcpy(cut, whole, n);
		assert_int_equal(stun_parse(slice_of(cut, i), &m), -EBADMSG);
		cut[i] ^= 0x10;
		if (stun_parse(slice_of(cut, n), &m) == 0)
			assert_int_equal(stun_verify(&m, slice_of(cut, n), key), -EACCES);
		free(cut);
	}
}

static void unknown_attributes_are_refused_only_where_they_must_be_understood(void **state)
{
	static const struct {
		const char *hex;
		int want;
	} cases[] = {
		{ "000100002112a442000000000000000000000000", 0 },
		{ "000100042112a442000000000000000000000000"
		  "00240000",
		  -ENOTSUP },
		{ "000100042112a442000000000000000000000000"
		  "80220000",
		  0 },
		{ "000300002112a442000000000000000000000000", -ENOTSUP },
		{ "000100042112a442000000000000000000000000"
		  "00060001",
		  -EBADMSG },
		{ "000100042112a442000000000000000000000000"
		  "001c0000",
		  -EBADMSG },
		{ "000100032112a442000000000000000000000000"
		  "802200",
		  -EBADMSG },
		{ "000100002112a443000000000000000000000000", -EBADMSG },
		{ "400100002112a442000000000000000000000000", -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t p[STUN_MAX_MESSAGE];
		struct stun_message m;
		size_t n = unhex(cases[i].hex, p, sizeof(p));

		assert_int_equal(stun_parse(slice_of(p, n), &m), cases[i].want);
	}
}

static void a_nonce_belongs_to_one_leg_one_address_and_one_slot(void **state)
{
	struct net_addr a, b;
	char first[STUN_NONCE_SIZE], other[STUN_NONCE_SIZE];

	(void)state;
	assert_int_equal(net_parse("192.0.2.1:4000", 0, &a), 0);
	assert_int_equal(net_parse("192.0.2.1:4001", 0, &b), 0);
	stun_make_nonce(key, leg_id, &a, 7, first);
	stun_make_nonce(key, leg_id, &a, 7, other);
	assert_memory_equal(first, other, sizeof(first));
	stun_make_nonce(key, leg_id, &b, 7, other);
	assert_memory_not_equal(first, other, sizeof(first));
	stun_make_nonce(key, leg_id, &a, 8, other);
	assert_memory_not_equal(first, other, sizeof(first));
	stun_make_nonce(key, slice_str("leg-0123456789ac"), &a, 7, other);
	assert_memory_not_equal(first, other, sizeof(first));
	stun_make_nonce(leg_id, leg_id, &a, 7, other);
	assert_memory_not_equal(first, other, sizeof(first));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mapped_addresses_are_read_as_the_rfc_writes_them),
		cmocka_unit_test(a_request_is_built_octet_by_octet_as_another_implementation_does),
		cmocka_unit_test(what_is_built_is_parsed_and_verified),
		cmocka_unit_test(
			no_answer_is_longer_than_a_request_with_a_leg_id_of_thirteen_octets),
		cmocka_unit_test(every_changed_octet_and_every_missing_one_is_noticed),
		cmocka_unit_test(unknown_attributes_are_refused_only_where_they_must_be_understood),
		cmocka_unit_test(a_nonce_belongs_to_one_leg_one_address_and_one_slot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
