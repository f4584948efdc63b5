/* test_receipt.c - delivery receipts in all their spellings. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "smpp/receipt.h"

#define S(text)                                                                                    \
	{                                                                                          \
		(const uint8_t *)(text), sizeof(text) - 1                                          \
	}

static const struct {
	struct smpp_pdu pdu;
	int err;
	const char *id;
	unsigned state;
	const char *error;
} cases[] = {
	{ { .esm_class = 4,
	    .short_message = S("id:123A sub:001 dlvrd:001 submit date:2611211000 "
			       "done date:2611211000 stat:DELIVRD err:000 text:hi") },
	  0,
	  "123A",
	  SMPP_STATE_DELIVERED,
	  "000" },
	{ { .esm_class = 4, .short_message = S("ID:0099 Stat:undeliv Err:21") },
	  0,
	  "0099",
	  SMPP_STATE_UNDELIVERABLE,
	  "21" },
	/* the text says id: once more, in the message that it quotes */
	{ { .esm_class = 4, .short_message = S("stat:EXPIRED id:7 text:id:8") },
	  0,
	  "7",
	  SMPP_STATE_EXPIRED,
	  "" },
	{ { .esm_class = 4, .short_message = S("valid:1 id:2 stat:WHAT") },
	  0,
	  "2",
	  SMPP_STATE_NONE,
	  "" },
	{ { .esm_class = 4, .tlvs = S("\0\x1e\0\4abc\0\x04\x27\0\1\2") },
	  0,
	  "abc",
	  SMPP_STATE_DELIVERED,
	  "" },
	/* the parameters count before the text */
	{ { .esm_class = 4,
	    .short_message = S("id:1 stat:DELIVRD"),
	    .tlvs = S("\0\x1e\0\3abc\x04\x27\0\1\x08") },
	  0,
	  "abc",
	  SMPP_STATE_REJECTED,
	  "" },
	{ { .esm_class = 4, .short_message = S("nothing that is known") }, -EBADMSG, "", 0, "" },
	{ { .esm_class = 4 }, -EBADMSG, "", 0, "" },
};

static void receipts_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smpp_receipt r;

		assert_true(smpp_receipt_is(&cases[i].pdu));
		assert_int_equal(smpp_receipt_read(&cases[i].pdu, &r), cases[i].err);
		assert_string_equal(r.id, cases[i].id);
		assert_int_equal(r.state, cases[i].state);
		assert_string_equal(r.error, cases[i].error);
	}
}

static void what_is_no_receipt_is_a_message(void **state)
{
	static const struct smpp_pdu messages[] = {
		{ .esm_class = 0, .short_message = S("id:1 stat:DELIVRD") },
		{ .esm_class = 0x40 },
		{ .esm_class = 0x20, .tlvs = S("\0\x1e\0\1a") }, /* an intermediate notification */
	};
	static const struct smpp_pdu forgotten = { .tlvs = S("\0\x1e\0\1a") };

	(void)state;
	for (size_t i = 0; i < COUNT(messages); i++)
		assert_false(smpp_receipt_is(&messages[i]));
	assert_true(smpp_receipt_is(&forgotten));
}

static void states_end_or_do_not(void **state)
{
	(void)state;
	assert_true(smpp_message_state_is_final(SMPP_STATE_DELIVERED));
	assert_true(smpp_message_state_is_final(SMPP_STATE_REJECTED));
	assert_false(smpp_message_state_is_final(SMPP_STATE_ENROUTE));
	assert_false(smpp_message_state_is_final(SMPP_STATE_ACCEPTED));
	assert_false(smpp_message_state_is_final(99));
	assert_string_equal(smpp_message_state_name(2), "delivered");
	assert_string_equal(smpp_message_state_name(99), "unknown");
}

static const struct {
	const char *response, *receipt;
	bool same;
} spellings[] = {
	{ "123", "123", true },
	{ "0000000123", "123", true },
	{ "123", "0000000123", true },
	{ "1a2b", "1A2B", true },
	{ "1A2B", "6699", true }, /* hexadecimal there, decimal here */
	{ "6699", "1a2b", true }, /* and the other way */
	{ "00001A2B", "0000006699", true },
	{ "0x1A2B", "6699", true },
	{ "10", "16", true },
	{ "0", "00", true },
	{ "f81d4fae-7dec-11d0", "F81D4FAE-7DEC-11D0", true },
	{ "123", "124", false },
	{ "abc", "abd", false },
	{ "123456789012345678901234567890", "123456789012345678901234567890", true },
	{ "ffffffffffffffffffff", "1", false },
};

static void an_id_is_found_in_every_spelling(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(spellings); i++) {
		struct smpp_awaiting *table = smpp_awaiting_new();
		struct smpp_awaited one = { .dest = "46701" };

		snprintf(one.id, sizeof(one.id), "%s", spellings[i].response);
		smpp_awaiting_add(table, &one);
		assert_ptr_equal(
			smpp_awaiting_find(table, spellings[i].receipt, slice_str("+46701")),
			spellings[i].same ? &one : NULL);
		smpp_awaiting_remove(table, &one);
		assert_null(smpp_awaiting_find(table, spellings[i].response, slice_str("46701")));
		smpp_awaiting_free(&table);
	}
}

/* "16" is an id of its own here, and not the hexadecimal 10. */
static void the_same_digits_count_before_the_same_number(void **state)
{
	struct smpp_awaiting *table = smpp_awaiting_new();
	struct smpp_awaited ten = { .id = "10", .dest = "1" },
			    sixteen = { .id = "16", .dest = "1" };

	(void)state;
	smpp_awaiting_add(table, &ten);
	smpp_awaiting_add(table, &sixteen);
	assert_ptr_equal(smpp_awaiting_find(table, "16", slice_str("1")), &sixteen);
	smpp_awaiting_remove(table, &sixteen);
	assert_ptr_equal(smpp_awaiting_find(table, "16", slice_str("1")), &ten);
	/* a number in another base is not enough when it comes from elsewhere */
	assert_null(smpp_awaiting_find(table, "16", slice_str("2")));
	smpp_awaiting_remove(table, &ten);
	smpp_awaiting_free(&table);
}

static void ten_thousand_ids_are_found(void **state)
{
	static struct smpp_awaited many[10000];
	struct smpp_awaiting *table = smpp_awaiting_new();
	char id[16];

	(void)state;
	for (unsigned i = 0; i < COUNT(many); i++) {
		snprintf(many[i].id, sizeof(many[i].id), "%X", 0x10000000 + i);
		snprintf(many[i].dest, sizeof(many[i].dest), "1");
		smpp_awaiting_add(table, &many[i]);
	}
	assert_int_equal(smpp_awaiting_count(table), COUNT(many));
	for (unsigned i = 0; i < COUNT(many); i++) {
		snprintf(id, sizeof(id), "%010u", 0x10000000 + i);
		assert_ptr_equal(smpp_awaiting_find(table, id, slice_str("1")), &many[i]);
		smpp_awaiting_remove(table, &many[i]);
	}
	assert_int_equal(smpp_awaiting_count(table), 0);
	smpp_awaiting_free(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(receipts_are_read),
		cmocka_unit_test(what_is_no_receipt_is_a_message),
		cmocka_unit_test(states_end_or_do_not),
		cmocka_unit_test(an_id_is_found_in_every_spelling),
		cmocka_unit_test(the_same_digits_count_before_the_same_number),
		cmocka_unit_test(ten_thousand_ids_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
