#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/encode.h"
#include "media/rtp.h"
#include "media/stun.h"

static size_t unhex(const char *hex, uint8_t *out, size_t cap)
{
	size_t n;

	assert_int_equal(hex_decode(slice_str(hex), out, cap, &n), 0);
	return n;
}

static const struct {
	const char *hex;
	int want;
	size_t header, payload;
} cases[] = {
	/* version 2, marker, type 96 */
	{ "80e00001000000a0cafebabe", 0, 12, 0 },
	{ "80e00001000000a0cafebabe0102", 0, 12, 2 },
	/* two CSRCs */
	{ "82e00001000000a0cafebabe111111112222222201", 0, 20, 1 },
	/* a header extension of one word */
	{ "90e00001000000a0cafebabebede000110aa000001", 0, 20, 1 },
	/* padding of two octets */
	{ "a0e00001000000a0cafebabe01020002", 0, 12, 2 },
	{ "a0e00001000000a0cafebabe0002", 0, 12, 0 },
	/* short by one, wrong version, padding longer than the payload or 0 */
	{ "80e00001000000a0cafeba", -EBADMSG, 0, 0 },
	{ "00e00001000000a0cafebabe", -EBADMSG, 0, 0 },
	{ "82e00001000000a0cafebabe11111111222222", -EBADMSG, 0, 0 },
	{ "90e00001000000a0cafebabebede00", -EBADMSG, 0, 0 },
	{ "90e00001000000a0cafebabebede000110aa00", -EBADMSG, 0, 0 },
	{ "90e00001000000a0cafebabebedeffff10aa0000", -EBADMSG, 0, 0 },
	{ "a0e00001000000a0cafebabe0003", -EBADMSG, 0, 0 },
	{ "a0e00001000000a0cafebabe0000", -EBADMSG, 0, 0 },
	{ "a0e00001000000a0cafebabe", -EBADMSG, 0, 0 },
	{ "", -EBADMSG, 0, 0 },
};

static void headers_are_read_to_their_last_octet_and_no_further(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t octets[64], *exact;
		struct rtp rtp;
		size_t n = unhex(cases[i].hex, octets, sizeof(octets));

		exact = malloc(n + 1);
		memcpy(exact, octets, n);
		exact = realloc(exact, n ? n : 1);
		assert_int_equal(rtp_parse(slice_of(exact, n), &rtp), cases[i].want);
		if (cases[i].want == 0) {
			assert_int_equal(rtp.header_len, cases[i].header);
			assert_int_equal(rtp.payload.n, cases[i].payload);
			assert_int_equal(rtp.payload_type, 96);
			assert_true(rtp.marker);
			assert_int_equal(rtp.seq, 1);
			assert_int_equal(rtp.timestamp, 160);
			assert_int_equal(rtp.ssrc, 0xcafebabe);
		}
		free(exact);
	}
}

static void a_written_header_reads_the_same(void **state)
{
	const struct rtp rtp = {
		.payload_type = 8, .seq = 0xfffe, .timestamp = 0x89abcdef, .ssrc = 7
	};
	uint8_t octets[RTP_HEADER_SIZE];
	struct rtp got;

	(void)state;
	rtp_write_header(&rtp, octets);
	assert_int_equal(rtp_parse(slice_of(octets, sizeof(octets)), &got), 0);
	assert_int_equal(got.payload_type, 8);
	assert_false(got.marker);
	assert_int_equal(got.seq, 0xfffe);
	assert_int_equal(got.timestamp, 0x89abcdef);
	assert_int_equal(got.ssrc, 7);
}

static void kinds_of_packets_are_told_apart(void **state)
{
	static const struct {
		const char *hex;
		enum packet_kind kind;
		uint32_t ssrc;
	} kinds[] = {
		{ "80e00001000000a0cafebabe", PACKET_RTP, 0xcafebabe },
		{ "80480001000000a0cafebabe", PACKET_RTP, 0xcafebabe }, /* type 72 without marker */
		{ "80c80001cafebabe", PACKET_RTCP, 0xcafebabe },
		{ "81cf0001cafebabe00000000", PACKET_RTCP, 0xcafebabe },
		{ "000100002112a4420000000000000000cafebabe", PACKET_STUN, 0xcafebabe },
		{ "400000000000000000000000", PACKET_UNKNOWN, 0 },
		{ "80e00001000000a0cafeba", PACKET_UNKNOWN, 0 },
		{ "80c80001cafeba", PACKET_UNKNOWN, 0 },
		{ "", PACKET_UNKNOWN, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		uint8_t octets[64];
		size_t n = unhex(kinds[i].hex, octets, sizeof(octets));

		assert_int_equal(packet_kind(slice_of(octets, n)), kinds[i].kind);
		assert_int_equal(packet_ssrc(slice_of(octets, n)), kinds[i].ssrc);
	}
}

static const struct rtcp_report full = {
	.ssrc = 0x11111111,
	.is_sender = true,
	.ntp = 0x0123456789abcdef,
	.rtp_timestamp = 160000,
	.packets = 1000,
	.octets = 160000,
	.has_block = true,
	.block = { 0x22222222, 25, -3, 0x1ffff, 40, 0x456789ab, 65536 },
};

static void a_report_comes_back_as_it_was_sent(void **state)
{
	uint8_t p[RTCP_MAX_REPORT];
	size_t n = rtcp_build(&full, slice_str("abcdefgh"), p, sizeof(p));
	struct rtcp_report got;

	(void)state;
	assert_true(n > 0 && n % 4 == 0);
	assert_int_equal(rtcp_parse(slice_of(p, n), 0x22222222, &got), 0);
	assert_int_equal(got.ssrc, full.ssrc);
	assert_true(got.is_sender && got.has_block && !got.bye);
	assert_true(got.ntp == full.ntp);
	assert_int_equal(got.packets, 1000);
	assert_int_equal(got.octets, 160000);
	assert_int_equal(got.block.lost, -3);
	assert_int_equal(got.block.fraction_lost, 25);
	assert_int_equal(got.block.jitter, 40);
	assert_int_equal(got.block.last_sr, 0x456789ab);
	assert_int_equal(rtcp_parse(slice_of(p, n), 0x33333333, &got), 0);
	assert_false(got.has_block);
	for (size_t cut = 0; cut < n; cut++)
		if (cut != 28 + 24) /* the end of the first packet of the compound */
			assert_int_equal(rtcp_parse(slice_of(p, cut), 1, &got), -EBADMSG);
}

static void every_size_of_report_fits_its_room_and_ends_even(void **state)
{
	uint8_t p[RTCP_MAX_REPORT];

	(void)state;
	for (size_t cname = 1; cname <= 16; cname++) {
		for (int kind = 0; kind < 4; kind++) {
			struct rtcp_report report = full, got;
			size_t n;

			report.is_sender = kind & 1;
			report.has_block = kind & 2;
			n = rtcp_build(&report, slice_of("0123456789abcdef", cname), p, sizeof(p));
			assert_true(n > 0 && n % 4 == 0);
			assert_int_equal(rtcp_parse(slice_of(p, n), 0x22222222, &got), 0);
			assert_int_equal(got.is_sender, report.is_sender);
			assert_int_equal(got.has_block, report.has_block);
			assert_int_equal(
				rtcp_build(&report, slice_of("0123456789abcdef", cname), p, n - 1),
				0);
		}
	}
	assert_int_equal(rtcp_build(&full, slice_str(""), p, sizeof(p)), 0);
	assert_int_equal(rtcp_build(&full, slice_str("0123456789abcdefg"), p, sizeof(p)), 0);
}

static void odd_compounds_are_refused_or_passed_over(void **state)
{
	static const struct {
		const char *hex;
		int want;
	} odd[] = {
		{ "80c90001cafebabe", 0 },                         /* empty RR */
		{ "80c90001cafebabe81cb0001cafebabe", 0 },         /* RR, BYE */
		{ "80c90001cafebabe81ce0002cafebabe11111111", 0 }, /* RR, feedback */
		{ "81c90001cafebabe", -EBADMSG },                  /* a block that is not there */
		{ "80c80001cafebabe", -EBADMSG },                  /* SR without its fields */
		{ "81cb0001cafebabe", -ENOMSG },                   /* no report */
		{ "80cc0003cafebabe50494e47504f4e47", -ENOMSG }, /* baresip's APP, "PING" "PONG" */
		{ "80cc0003cafebabe50494e47504f4e", -EBADMSG },  /* cut */
		{ "", -EBADMSG },
		{ "80c90002cafebabe", -EBADMSG },         /* length beyond the end */
		{ "80c90001cafebabe80000000", -EBADMSG }, /* not RTCP behind it */
		{ "40c90001cafebabe", -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(odd); i++) {
		uint8_t octets[64];
		struct rtcp_report got;
		size_t n = unhex(odd[i].hex, octets, sizeof(octets));

		assert_int_equal(rtcp_parse(slice_of(octets, n), 1, &got), odd[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_read_to_their_last_octet_and_no_further),
		cmocka_unit_test(a_written_header_reads_the_same),
		cmocka_unit_test(kinds_of_packets_are_told_apart),
		cmocka_unit_test(a_report_comes_back_as_it_was_sent),
		cmocka_unit_test(every_size_of_report_fits_its_room_and_ends_even),
		cmocka_unit_test(odd_compounds_are_refused_or_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
