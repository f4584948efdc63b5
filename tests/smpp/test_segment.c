/* test_segment.c - long texts in parts, and parts put together. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "smpp/reassembly.h"
#include "smpp/segment.h"

static uint8_t octets[2 * 70000 + 1], room[SMPP_SEGMENT_ROOM + 1];

/* Encodes `count` times `character`. */
static struct slice encoded(enum smpp_alphabet alphabet, const char *character, size_t count)
{
	struct buf out = BUF_OF(octets);

	for (size_t i = 0; i < count; i++)
		smpp_alphabet_encode(alphabet, slice_str(character), &out);
	assert_true(buf_ok(&out));
	return buf_slice(&out);
}

static void sizes_are_those_of_short_messages(void **state)
{
	static const struct {
		enum smpp_alphabet alphabet;
		const char *character;
		enum smpp_long_form form;
		size_t single, part; /* characters in one message, and in a part */
	} cases[] = {
		{ SMPP_GSM, "a", SMPP_UDH8, 160, 153 },
		{ SMPP_GSM, "a", SMPP_UDH16, 160, 152 },
		{ SMPP_GSM, "a", SMPP_SAR, 160, 152 },
		{ SMPP_LATIN1, "a", SMPP_UDH8, 140, 134 },
		{ SMPP_LATIN1, "a", SMPP_UDH16, 140, 133 },
		{ SMPP_UCS2, "a", SMPP_UDH8, 70, 67 },
		{ SMPP_UCS2, "a", SMPP_UDH16, 70, 66 },
		{ SMPP_UCS2, "\U0001F600", SMPP_UDH8, 35, 33 },
		{ SMPP_GSM, "\u20ac", SMPP_UDH8, 80, 76 },
	};
	struct smpp_cuts cuts;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		enum smpp_alphabet a = cases[i].alphabet;

		assert_int_equal(smpp_segment(a, cases[i].form,
					      encoded(a, cases[i].character, cases[i].single),
					      &cuts),
				 0);
		assert_int_equal(cuts.count, 1);
		assert_int_equal(smpp_segment(a, cases[i].form,
					      encoded(a, cases[i].character, cases[i].single + 1),
					      &cuts),
				 0);
		assert_int_equal(cuts.count, 2);
		assert_int_equal(smpp_segment(a, cases[i].form,
					      encoded(a, cases[i].character, 255 * cases[i].part),
					      &cuts),
				 0);
		assert_int_equal(cuts.count, 255);
		assert_int_equal(
			smpp_segment(a, cases[i].form,
				     encoded(a, cases[i].character, 255 * cases[i].part + 1),
				     &cuts),
			-E2BIG);
	}
}

static void a_payload_is_one_part(void **state)
{
	struct smpp_cuts cuts;
	struct smpp_pdu pdu = { .command = SMPP_SUBMIT_SM };
	struct slice text = encoded(SMPP_UCS2, "a", 30000);

	(void)state;
	assert_int_equal(smpp_segment(SMPP_UCS2, SMPP_PAYLOAD, text, &cuts), 0);
	assert_true(cuts.payload);
	assert_int_equal(smpp_segment_fill(&cuts, text, 0, 1, room, sizeof(room), &pdu), 0);
	assert_int_equal(smpp_pdu_message(&pdu).n, 60000);
	assert_int_equal(pdu.short_message.n, 0);
	assert_int_equal(
		smpp_segment(SMPP_UCS2, SMPP_PAYLOAD, encoded(SMPP_UCS2, "a", 32768), &cuts),
		-E2BIG);
}

/* A text that has an escape or a surrogate pair at every possible cut. */
static void parts_in_any_order_give_the_text_again(void **state)
{
	static const struct {
		enum smpp_alphabet alphabet;
		const char *piece;
	} texts[] = {
		{ SMPP_GSM, "a\u20ac" },
		{ SMPP_UCS2, "a\U0001F600" },
		{ SMPP_LATIN1, "\u00e7b" },
	};
	static char text[4000];

	(void)state;
	for (size_t t = 0; t < 3 * COUNT(texts); t++) {
		enum smpp_alphabet alphabet = texts[t / 3].alphabet;
		enum smpp_long_form form = (enum smpp_long_form)(t % 3);
		struct smpp_reassembly *table = smpp_reassembly_new(0);
		struct buf utf8 = BUF_OF(text), out = BUF_OF(octets);
		uint8_t token[SMPP_TOKEN_SIZE] = { 0 };
		struct smpp_joined joined;
		struct smpp_cuts cuts;

		for (int i = 0; i < 500; i++)
			buf_put_str(&utf8, texts[t / 3].piece);
		smpp_alphabet_encode(alphabet, buf_slice(&utf8), &out);
		assert_int_equal(smpp_segment(alphabet, form, buf_slice(&out), &cuts), 0);
		assert_true(cuts.count > 3);
		for (size_t k = 0; k < cuts.count; k++) {
			/* from the last to the first, each decoded by itself, too */
			size_t index = cuts.count - 1 - k;
			struct smpp_pdu pdu = { .command = SMPP_SUBMIT_SM };
			uint8_t alone[1000];
			struct buf clear = BUF_OF(alone);
			struct smpp_part part;

			assert_int_equal(smpp_segment_fill(&cuts, buf_slice(&out), index, 0x1234,
							   room, sizeof(room), &pdu),
					 0);
			assert_true(pdu.short_message.n <= 160);
			assert_int_equal(smpp_part_read(&pdu, &part), 0);
			assert_true(part.is_part);
			assert_int_equal(part.reference, form == SMPP_UDH8 ? 0x34 : 0x1234);
			assert_int_equal(part.index, index + 1);
			smpp_alphabet_decode(alphabet, part.content, &clear);
			assert_null(strstr(buf_str(&clear), "\ufffd"));
			token[0] = (uint8_t)index;
			assert_false(smpp_reassembly_has(table, "a", "b", &part));
			assert_int_equal(
				smpp_reassembly_add(table, "a", "b", &part, alphabet, token, 5),
				k + 1 == cuts.count);
			assert_int_equal(
				smpp_reassembly_add(table, "a", "b", &part, alphabet, token, 5),
				-EEXIST);
			if (k + 1 < cuts.count)
				assert_false(smpp_reassembly_take(table, 5, &joined));
		}
		assert_true(smpp_reassembly_take(table, 5, &joined));
		smpp_reassembly_done(table, false); /* it could not be kept: it comes again */
		assert_true(smpp_reassembly_take(table, 5, &joined));
		assert_true(joined.whole);
		assert_string_equal(joined.text, text);
		assert_string_equal(joined.source, "a");
		assert_int_equal(joined.tokens[1][0], 1);
		smpp_reassembly_done(table, true);
		assert_int_equal(smpp_reassembly_count(table), 0);
		smpp_reassembly_free(&table);
		assert_null(table);
	}
}

static struct smpp_part part_of(unsigned reference, unsigned index, unsigned total,
				const char *text)
{
	return (struct smpp_part){ .is_part = true,
				   .reference = (uint16_t)reference,
				   .index = (uint8_t)index,
				   .total = (uint8_t)total,
				   .content = slice_str(text) };
}

static void what_is_missing_in_the_end_is_marked(void **state)
{
	struct smpp_reassembly *table = smpp_reassembly_new(1000);
	struct smpp_part two = part_of(7, 2, 4, "two"), four = part_of(7, 4, 4, "four");
	uint8_t token[SMPP_TOKEN_SIZE] = { 0 };
	struct smpp_joined joined;

	(void)state;
	assert_int_equal(smpp_reassembly_due_ms(table), -1);
	assert_int_equal(smpp_reassembly_add(table, "a", "b", &four, SMPP_GSM, token, 100), 0);
	assert_int_equal(smpp_reassembly_add(table, "a", "b", &two, SMPP_GSM, token, 900), 0);
	assert_int_equal(smpp_reassembly_due_ms(table), 1100);
	assert_false(smpp_reassembly_take(table, 1099, &joined));
	assert_true(smpp_reassembly_take(table, 1100, &joined));
	assert_false(joined.whole);
	assert_int_equal(joined.here, 2);
	assert_string_equal(joined.text, "[...]two[...]four");
	smpp_reassembly_free(&table);
}

static void messages_are_told_apart(void **state)
{
	struct smpp_reassembly *table = smpp_reassembly_new(0);
	struct smpp_part one = part_of(1, 1, 2, "x"), wide = one, other = part_of(2, 1, 2, "x");
	uint8_t token[SMPP_TOKEN_SIZE] = { 0 };

	(void)state;
	wide.wide = true;
	assert_int_equal(smpp_reassembly_add(table, "a", "b", &one, SMPP_GSM, token, 0), 0);
	assert_int_equal(smpp_reassembly_add(table, "a", "c", &one, SMPP_GSM, token, 0), 0);
	assert_int_equal(smpp_reassembly_add(table, "c", "b", &one, SMPP_GSM, token, 0), 0);
	assert_int_equal(smpp_reassembly_add(table, "a", "b", &wide, SMPP_GSM, token, 0), 0);
	assert_int_equal(smpp_reassembly_add(table, "a", "b", &other, SMPP_GSM, token, 0), 0);
	assert_int_equal(smpp_reassembly_count(table), 5);
	smpp_reassembly_free(&table);
}

static void the_table_has_a_bound(void **state)
{
	struct smpp_reassembly *table = smpp_reassembly_new(0);
	uint8_t token[SMPP_TOKEN_SIZE] = { 0 };

	(void)state;
	for (unsigned i = 0; i <= SMPP_JOINING_MAX; i++) {
		struct smpp_part part = part_of(i, 1, 2, "x");

		assert_int_equal(smpp_reassembly_add(table, "a", "b", &part, SMPP_GSM, token, 0),
				 i < SMPP_JOINING_MAX ? 0 : -ENOBUFS);
	}
	smpp_reassembly_free(&table);
}

#define S(text)                                                                                    \
	{                                                                                          \
		(const uint8_t *)(text), sizeof(text) - 1                                          \
	}

static void headers_that_came_are_read(void **state)
{
	static const struct {
		struct smpp_pdu pdu;
		int err;
		bool is_part;
		const char *content;
	} cases[] = {
		{ { .short_message = S("hi") }, 0, false, "hi" },
		{ { .esm_class = 0x40, .short_message = S("\5\0\3\7\2\1hi") }, 0, true, "hi" },
		{ { .esm_class = 0x40, .short_message = S("\6\x08\4\1\7\2\1hi") }, 0, true, "hi" },
		/* ports before the part, as picture messages have them */
		{ { .esm_class = 0x40, .short_message = S("\x0b\5\4\1\2\3\4\0\3\7\2\2hi") },
		  0,
		  true,
		  "hi" },
		{ { .esm_class = 0x40, .short_message = S("\6\5\4\1\2\3\4hi") }, 0, false, "hi" },
		{ { .esm_class = 0x40, .short_message = S("\5\0\3\7\1\1hi") }, 0, false, "hi" },
		{ { .esm_class = 0x40, .short_message = S("\5\0\3\7\2\3hi") },
		  -EBADMSG,
		  false,
		  NULL },
		{ { .esm_class = 0x40, .short_message = S("\5\0\3\7\2\0hi") },
		  -EBADMSG,
		  false,
		  NULL },
		{ { .esm_class = 0x40, .short_message = S("\5\0\4\7\2\1hi") },
		  -EBADMSG,
		  false,
		  NULL },
		{ { .esm_class = 0x40, .short_message = S("\x50hi") }, -EBADMSG, false, NULL },
		{ { .esm_class = 0x40, .short_message = S("") }, -EBADMSG, false, NULL },
		{ { .tlvs = S("\x02\x0c\0\2\0\7\x02\x0e\0\1\2\x02\x0f\0\1\1"),
		    .short_message = S("hi") },
		  0,
		  true,
		  "hi" },
		{ { .tlvs = S("\x02\x0c\0\2\0\7\x02\x0e\0\1\2"), .short_message = S("hi") },
		  0,
		  false,
		  "hi" },
		{ { .esm_class = 0x40, .tlvs = S("\x04\x24\0\x08\5\0\3\7\2\1hi") }, 0, true, "hi" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smpp_part part;

		assert_int_equal(smpp_part_read(&cases[i].pdu, &part), cases[i].err);
		assert_int_equal(part.is_part, cases[i].is_part);
		if (cases[i].content)
			assert_true(slice_eq_str(part.content, cases[i].content));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_those_of_short_messages),
		cmocka_unit_test(a_payload_is_one_part),
		cmocka_unit_test(parts_in_any_order_give_the_text_again),
		cmocka_unit_test(what_is_missing_in_the_end_is_marked),
		cmocka_unit_test(messages_are_told_apart),
		cmocka_unit_test(the_table_has_a_bound),
		cmocka_unit_test(headers_that_came_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
