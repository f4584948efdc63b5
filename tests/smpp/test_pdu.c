/* test_pdu.c - PDUs of SMPP 3.4: what is packed is read, and bad octets are told. */
#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_SMPP34
#include <libsmpp34/smpp34.h>
#include <libsmpp34/smpp34_structs.h>
#endif

#include "smpp/pdu.h"

static uint8_t room[SMPP_MAX_PDU + 1];

static struct slice pack(const struct smpp_pdu *pdu)
{
	struct buf b = BUF_OF(room);

	assert_int_equal(smpp_pdu_pack(pdu, &b), 0);
	return buf_slice(&b);
}

static bool same_endpoint(const struct smpp_endpoint *a, const struct smpp_endpoint *b)
{
	return a->ton == b->ton && a->npi == b->npi && slice_eq(a->addr, b->addr);
}

#define S(text)                                                                                    \
	{                                                                                          \
		(const uint8_t *)(text), sizeof(text) - 1                                          \
	}
#define SOURCE .source = { 5, 0, S("Tandem") }
#define DEST .dest = { 1, 1, S("46701234567") }
#define ONE_TLV S("\x04\x27\x00\x01\x02")

static const struct smpp_pdu samples[] = {
	{ .command = SMPP_BIND_TRANSCEIVER,
	  .sequence = 1,
	  .system_id = S("user"),
	  .password = S("s3cret"),
	  .system_type = S("VMA"),
	  .interface_version = SMPP_INTERFACE_VERSION,
	  .range = { 1, 1, S("^4670") } },
	{ .command = SMPP_BIND_TRANSMITTER, .sequence = 2, .system_id = S("u") },
	{ .command = SMPP_BIND_RECEIVER, .sequence = 3, .system_id = S("u") },
	{ .command = SMPP_BIND_TRANSCEIVER | SMPP_RESPONSE,
	  .sequence = 1,
	  .system_id = S("SMSC"),
	  .tlvs = S("\x02\x10\x00\x01\x34") },
	{ .command = SMPP_OUTBIND, .sequence = 9, .system_id = S("SMSC"), .password = S("pw") },
	{ .command = SMPP_UNBIND, .sequence = 4 },
	{ .command = SMPP_UNBIND | SMPP_RESPONSE, .sequence = 4 },
	{ .command = SMPP_ENQUIRE_LINK, .sequence = 0x7FFFFFFF },
	{ .command = SMPP_ENQUIRE_LINK | SMPP_RESPONSE, .sequence = 0 },
	{ .command = SMPP_GENERIC_NACK, .status = SMPP_RINVCMDID, .sequence = 77 },
	{ .command = SMPP_SUBMIT_SM,
	  .sequence = 5,
	  .service_type = S("CMT"),
	  SOURCE,
	  DEST,
	  .esm_class = 0x40,
	  .protocol_id = 1,
	  .priority = 2,
	  .schedule = S("261121120000000+"),
	  .validity = S("000002000000000R"),
	  .registered = 1,
	  .replace = 1,
	  .coding = 8,
	  .default_id = 3,
	  .short_message = S("\0h\0i"),
	  .tlvs = ONE_TLV },
	{ .command = SMPP_SUBMIT_SM | SMPP_RESPONSE, .sequence = 5, .message_id = S("1F") },
	{ .command = SMPP_SUBMIT_SM | SMPP_RESPONSE, .sequence = 5, .status = 0x401 },
	{ .command = SMPP_DELIVER_SM,
	  .sequence = 6,
	  SOURCE,
	  DEST,
	  .esm_class = 4,
	  .short_message = S("id:1"),
	  .tlvs = ONE_TLV },
	{ .command = SMPP_DELIVER_SM | SMPP_RESPONSE, .sequence = 6 },
	{ .command = SMPP_DATA_SM,
	  .sequence = 7,
	  SOURCE,
	  DEST,
	  .esm_class = 1,
	  .registered = 2,
	  .coding = 3,
	  .tlvs = S("\x04\x24\x00\x02hi") },
	{ .command = SMPP_DATA_SM | SMPP_RESPONSE, .sequence = 7, .message_id = S("x") },
	{ .command = SMPP_QUERY_SM, .sequence = 8, .message_id = S("12"), SOURCE },
	{ .command = SMPP_QUERY_SM | SMPP_RESPONSE,
	  .sequence = 8,
	  .message_id = S("12"),
	  .final_date = S("261121120000000+"),
	  .message_state = 2,
	  .error_code = 9 },
	{ .command = SMPP_CANCEL_SM,
	  .sequence = 10,
	  .service_type = S(""),
	  .message_id = S("12"),
	  SOURCE,
	  DEST },
	{ .command = SMPP_REPLACE_SM,
	  .sequence = 11,
	  .message_id = S("12"),
	  SOURCE,
	  .validity = S("000002000000000R"),
	  .registered = 1,
	  .default_id = 4,
	  .short_message = S("other") },
	{ .command = SMPP_ALERT_NOTIFICATION, .sequence = 12, SOURCE, .esme = { 1, 1, S("8888") } },
	{ .command = SMPP_SUBMIT_MULTI,
	  .sequence = 13,
	  SOURCE,
	  .count = 2,
	  .multi = S("\x01\x01\x01"
		     "46701\0\x02list\0"),
	  .coding = 3,
	  .short_message = S("all") },
	{ .command = SMPP_SUBMIT_MULTI | SMPP_RESPONSE,
	  .sequence = 13,
	  .message_id = S("m"),
	  .count = 1,
	  .multi = S("\x01\x01"
		     "46701\0\0\0\0\x0b") },
};

static void what_is_packed_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(samples); i++) {
		const struct smpp_pdu *want = &samples[i];
		struct slice octets = pack(want);
		struct smpp_pdu got;
		size_t n;

		assert_int_equal(smpp_pdu_frame(octets, &n), 1);
		assert_int_equal(n, octets.n);
		assert_int_equal(smpp_pdu_decode(octets, &got, NULL), 0);
		assert_int_equal(got.command, want->command);
		assert_int_equal(got.status, want->status);
		assert_int_equal(got.sequence, want->sequence);
		assert_true(slice_eq(got.system_id, want->system_id));
		assert_true(slice_eq(got.password, want->password));
		assert_true(slice_eq(got.system_type, want->system_type));
		assert_true(same_endpoint(&got.source, &want->source));
		assert_true(same_endpoint(&got.dest, &want->dest));
		assert_true(same_endpoint(&got.range, &want->range));
		assert_true(same_endpoint(&got.esme, &want->esme));
		assert_int_equal(got.esm_class, want->esm_class);
		assert_int_equal(got.registered, want->registered);
		assert_int_equal(got.coding, want->coding);
		assert_int_equal(got.message_state, want->message_state);
		assert_true(slice_eq(got.validity, want->validity));
		assert_true(slice_eq(got.short_message, want->short_message));
		assert_true(slice_eq(got.message_id, want->message_id));
		assert_true(slice_eq(got.multi, want->multi));
		assert_true(slice_eq(got.tlvs, want->tlvs));
	}
}

/* Every shorter PDU either is whole by itself (optional parameters and bodies of responses
 * may be missing) or is refused; nothing is read behind its end (AddressSanitizer). */
static void a_pdu_cut_anywhere_is_refused_or_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(samples); i++) {
		struct slice octets = pack(&samples[i]);

		for (size_t n = SMPP_HEADER; n < octets.n; n++) {
			uint8_t *copy = malloc(n);
			struct smpp_pdu got;
			uint32_t fault = 0;
			int err;

			memcpy(copy, octets.p, n);
			copy[2] = (uint8_t)(n >> 8);
			copy[3] = (uint8_t)n;
			err = smpp_pdu_decode(slice_of(copy, n), &got, &fault);
			assert_int_equal(err != 0, fault != 0);
			assert_int_equal(got.sequence, samples[i].sequence);
			free(copy);
		}
	}
}

static void frames_are_found_or_refused(void **state)
{
	static const struct {
		uint8_t octets[8];
		size_t n;
		int want;
	} cases[] = {
		{ { 0 }, 0, 0 },
		{ { 0, 0, 0 }, 3, 0 },
		{ { 0, 0, 0, 15 }, 4, -EBADMSG },
		{ { 0, 0, 0, 0 }, 4, -EBADMSG },
		{ { 0, 0, 0, 16 }, 8, 0 },
		{ { 0xFF, 0xFF, 0xFF, 0xFF }, 4, -EMSGSIZE },
		{ { 0, 2, 0, 1 }, 4, -EMSGSIZE },
		{ { 0, 2, 0, 0 }, 4, 0 },
	};
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(smpp_pdu_frame(slice_of(cases[i].octets, cases[i].n), &n),
				 cases[i].want);
}

/* deliver_sm with parts of its body replaced. */
static void faults_have_the_status_that_fits(void **state)
{
	static const struct {
		struct slice body;
		uint32_t want;
	} cases[] = {
		{ S("toolongservice\0"), SMPP_RINVSERTYP },
		{ S("\0\1\1"
		    "123456789012345678901\0"),
		  SMPP_RINVSRCADR },
		{ S("\0\1\1\0\1\1"
		    "123456789012345678901\0"),
		  SMPP_RINVDSTADR },
		{ S("\0\1\1\0\1\1\0\0\0\0\0\0\0\0\0\0\5hi"), SMPP_RINVMSGLEN },
		{ S("\0\1\1\0\1\1\0\0\0\0\0\0\0\0\0\0"), SMPP_RINVMSGLEN },
		{ S(""), SMPP_RINVCMDLEN },
		{ S("\0\1\1\0\1\1\0\0\0\0\0\0\0\0\0\0\0\4\x24\xFF\xFFx"), SMPP_RINVOPTPARSTREAM },
		{ S("\0\1\1\0\1\1\0\0\0\0\0\0\0\0\0\0\0\4"), SMPP_RINVOPTPARSTREAM },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf b = BUF_OF(room);
		struct smpp_pdu pdu;
		uint32_t fault;

		buf_put_u32(&b, (uint32_t)(SMPP_HEADER + cases[i].body.n));
		buf_put_u32(&b, SMPP_DELIVER_SM);
		buf_put_u32(&b, 0);
		buf_put_u32(&b, 7);
		buf_put_slice(&b, cases[i].body);
		assert_int_equal(smpp_pdu_decode(buf_slice(&b), &pdu, &fault), -EBADMSG);
		assert_int_equal(fault, cases[i].want);
		assert_int_equal(pdu.sequence, 7);
	}
}

/* With libsmpp34 these end the process: docs/dependencies.md. */
static void two_hundred_parameters_are_read(void **state)
{
	static uint8_t tlvs[200 * 6 + 1];
	struct buf b = BUF_OF(tlvs);
	struct smpp_pdu pdu = { .command = SMPP_DELIVER_SM, .sequence = 1 }, got;
	uint32_t number;
	unsigned n = 0;
	uint16_t tag;
	struct slice rest, value;

	(void)state;
	for (uint32_t i = 0; i < 200; i++)
		smpp_tlv_put_number(&b, (uint16_t)(0x1400 + i), 2, i);
	pdu.tlvs = buf_slice(&b);
	assert_int_equal(smpp_pdu_decode(pack(&pdu), &got, NULL), 0);
	for (rest = got.tlvs; smpp_tlv_next(&rest, &tag, &value); n++)
		assert_int_equal(tag, 0x1400 + n);
	assert_int_equal(n, 200);
	assert_true(smpp_tlv_number(got.tlvs, 0x1400 + 199, 2, &number));
	assert_int_equal(number, 199);
	assert_false(smpp_tlv_number(got.tlvs, 0x1400 + 199, 4, &number));
	assert_false(smpp_tlv_find(got.tlvs, SMPP_TAG_MESSAGE_PAYLOAD, &value));
}

static void the_longest_payload_passes_and_a_longer_one_does_not(void **state)
{
	static uint8_t payload[SMPP_MAX_PAYLOAD + 1], tlvs[SMPP_MAX_PAYLOAD + 16];
	struct smpp_pdu pdu = { .command = SMPP_SUBMIT_SM, .sequence = 1 }, got;
	struct buf b = BUF_OF(tlvs);

	(void)state;
	memset(payload, 'x', sizeof(payload));
	smpp_tlv_put(&b, SMPP_TAG_MESSAGE_PAYLOAD, slice_of(payload, SMPP_MAX_PAYLOAD));
	pdu.tlvs = buf_slice(&b);
	assert_int_equal(smpp_pdu_decode(pack(&pdu), &got, NULL), 0);
	assert_int_equal(smpp_pdu_message(&got).n, SMPP_MAX_PAYLOAD);
	smpp_tlv_put(&b, SMPP_TAG_MESSAGE_PAYLOAD, slice_of(payload, sizeof(payload)));
	assert_false(buf_ok(&b));
}

static void what_does_not_fit_its_field_is_not_packed(void **state)
{
	static const char long_text[256] = { 'x' };
	struct smpp_pdu pdu = { .command = SMPP_SUBMIT_SM };
	uint8_t small[20];
	struct buf b = BUF_OF(room);

	(void)state;
	pdu.source.addr = slice_of("123456789012345678901", 21);
	assert_int_equal(smpp_pdu_pack(&pdu, &b), -EINVAL);
	pdu.source.addr = slice_of("12\0"
				   "34",
				   5);
	assert_int_equal(smpp_pdu_pack(&pdu, &b), -EINVAL);
	pdu.source.addr = slice_str("1");
	pdu.short_message = slice_of(long_text, 255);
	assert_int_equal(smpp_pdu_pack(&pdu, &b), -EINVAL);
	pdu.short_message.n = 254;
	assert_int_equal(smpp_pdu_pack(&pdu, &b), 0);
	assert_int_equal(smpp_pdu_pack(&(struct smpp_pdu){ .command = 0x10200 }, &b), -EINVAL);
	b = BUF_OF(small);
	assert_int_equal(smpp_pdu_pack(&pdu, &b), -ENOBUFS);
}

static void statuses_have_their_names(void **state)
{
	char number[SMPP_STATUS_TEXT];

	(void)state;
	assert_string_equal(smpp_status_name(0x58, number), "ESME_RTHROTTLED");
	assert_string_equal(smpp_status_name(0x0D, number), "ESME_RBINDFAIL");
	assert_string_equal(smpp_status_name(0x00000401, number), "0x00000401");
}

#ifdef HAVE_SMPP34
/* The other implementation reads what we pack.  It serves for small PDUs without many
 * parameters only, which is why the product does not link it. */
static void libsmpp34_reads_what_is_packed(void **state)
{
	struct slice octets = pack(&samples[10]);
	submit_sm_t got = { .command_id = 0 };

	(void)state;
	assert_int_equal(smpp34_unpack2(&got, octets.p, (int)octets.n), 0);
	assert_int_equal(got.sequence_number, 5);
	assert_string_equal((char *)got.service_type, "CMT");
	assert_string_equal((char *)got.source_addr, "Tandem");
	assert_int_equal(got.source_addr_ton, 5);
	assert_string_equal((char *)got.destination_addr, "46701234567");
	assert_int_equal(got.esm_class, 0x40);
	assert_string_equal((char *)got.validity_period, "000002000000000R");
	assert_int_equal(got.data_coding, 8);
	assert_int_equal(got.sm_length, 4);
	assert_memory_equal(got.short_message, "\0h\0i", 4);
	free(got.tlv);
}

static void what_libsmpp34_packs_is_read(void **state)
{
	deliver_sm_t from = { .command_id = DELIVER_SM,
			      .sequence_number = 3,
			      .source_addr_ton = 1,
			      .sm_length = 5,
			      .data_coding = 3 };
	struct smpp_pdu got;
	int n = 0;

	(void)state;
	memcpy(from.source_addr, "4670", 5);
	memcpy(from.short_message, "hello", 5);
	assert_int_equal(smpp34_pack2(room, sizeof(room), &n, &from), 0);
	assert_int_equal(smpp_pdu_decode(slice_of(room, (size_t)n), &got, NULL), 0);
	assert_int_equal(got.command, SMPP_DELIVER_SM);
	assert_true(slice_eq_str(got.source.addr, "4670"));
	assert_true(slice_eq_str(got.short_message, "hello"));
	assert_int_equal(got.coding, 3);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_packed_is_read),
		cmocka_unit_test(a_pdu_cut_anywhere_is_refused_or_whole),
		cmocka_unit_test(frames_are_found_or_refused),
		cmocka_unit_test(faults_have_the_status_that_fits),
		cmocka_unit_test(two_hundred_parameters_are_read),
		cmocka_unit_test(the_longest_payload_passes_and_a_longer_one_does_not),
		cmocka_unit_test(what_does_not_fit_its_field_is_not_packed),
		cmocka_unit_test(statuses_have_their_names),
#ifdef HAVE_SMPP34
		cmocka_unit_test(libsmpp34_reads_what_is_packed),
		cmocka_unit_test(what_libsmpp34_packs_is_read),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
