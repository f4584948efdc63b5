/* test_resp.c - Redis's replies, whole and cut. */
#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>

#include "rendezvous/resp.h"

static void each_kind_of_value_is_read(void **state)
{
	static const struct {
		const char *octets;
		enum resp_kind kind;
		bool none;
		int64_t number;
		const char *text;
	} rows[] = {
		{ "+OK\r\n", RESP_STATUS, false, 0, "OK" },
		{ "-OOM command\r\n", RESP_ERROR, false, 0, "OOM command" },
		{ ":-12\r\n", RESP_NUMBER, false, -12, "" },
		{ "$5\r\na\r\nbc\r\n", RESP_TEXT, false, 5, "a\r\nbc" },
		{ "$0\r\n\r\n", RESP_TEXT, false, 0, "" },
		{ "$-1\r\n", RESP_TEXT, true, 0, "" },
		{ "*3\r\n", RESP_LIST, false, 3, "" },
		{ "*0\r\n", RESP_LIST, false, 0, "" },
		{ "*-1\r\n", RESP_LIST, true, 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct slice octets = slice_str(rows[i].octets);
		struct resp_value value;

		assert_int_equal(resp_take(&octets, &value), 1);
		assert_int_equal(octets.n, 0);
		assert_int_equal(value.kind, rows[i].kind);
		assert_int_equal(value.none, rows[i].none);
		assert_int_equal(value.number, rows[i].number);
		assert_true(slice_eq_str(value.text, rows[i].text));
	}
}

static void what_is_no_value_is_refused(void **state)
{
	static const char *const rows[] = {
		"\r\n",
		"!x\r\n",
		"x",
		":\r\n",
		":1x\r\n",
		":-\r\n",
		"$-2\r\n",
		"$x\r\n",
		"$3\r\nabcde",
		"$1\r\nab\n",
		"*-2\r\n",
		"*1.5\r\n",
		"+a\rb\r\n",
		":1234567890123456789\r\n",
		"$536870913\r\n",
		"*16777217\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct slice octets = slice_str(rows[i]);
		struct resp_value value;

		if (strcmp(rows[i], "x") == 0) /* its line may still end */
			assert_int_equal(resp_take(&octets, &value), 0);
		else if (resp_take(&octets, &value) != -EBADMSG)
			fail_msg("row %zu was read", i);
	}
}

static const char page[] = "*2\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nm\r\n$4\r\npost\r\n"
			   "*2\r\n$3\r\n1-1\r\n*0\r\n+next\r\n";

/* However it comes, the reply ends where it ends. */
static void a_reply_is_whole_when_its_last_octet_is_there(void **state)
{
	size_t end = strlen(page) - strlen("+next\r\n"), n;

	(void)state;
	for (size_t step = 1; step < sizeof(page); step++) {
		struct resp_scan scan = { 0 };
		size_t here = step;

		for (; here < end; here += step) {
			uint8_t *octets = malloc(here); /* nothing behind it is read */

			assert_non_null(octets);
			memcpy(octets, page, here);
			assert_int_equal(resp_whole(&scan, slice_of(octets, here), &n), 0);
			free(octets);
		}
		if (here > strlen(page))
			here = strlen(page);
		assert_int_equal(resp_whole(&scan, slice_of(page, here), &n), 1);
		assert_int_equal(n, end);
	}
}

static void a_list_is_taken_apart(void **state)
{
	struct slice octets = slice_str(page), entry;
	struct resp_value head;

	(void)state;
	assert_int_equal(resp_take(&octets, &head), 1);
	assert_int_equal(head.number, 2);
	assert_true(resp_take_whole(&octets, &entry));
	assert_true(slice_eq_str(entry, "*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nm\r\n$4\r\npost\r\n"));
	assert_true(resp_take_whole(&octets, &entry));
	assert_true(slice_eq_str(octets, "+next\r\n"));
	assert_true(resp_take_whole(&octets, &entry));
	assert_false(resp_take_whole(&octets, &entry));
}

/* Lists of lists of lists need no more than a count. */
static void lists_that_promise_too_much_are_refused(void **state)
{
	struct resp_scan scan = { 0 };
	char octets[64 * 12 + 1] = "";
	size_t n;

	(void)state;
	for (int i = 0; i < 64; i++)
		strcat(octets, "*16777216\r\n");
	assert_int_equal(resp_whole(&scan, slice_str(octets), &n), -EBADMSG);
	memset(&scan, 0, sizeof(scan));
	octets[0] = '\0';
	for (int i = 0; i < 64; i++)
		strcat(octets, "*1\r\n");
	assert_int_equal(resp_whole(&scan, slice_str(octets), &n), 0);
	strcat(octets, ":1\r\n");
	assert_int_equal(resp_whole(&scan, slice_str(octets), &n), 1);
	assert_int_equal(n, strlen(octets));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_value_is_read),
		cmocka_unit_test(what_is_no_value_is_refused),
		cmocka_unit_test(a_reply_is_whole_when_its_last_octet_is_there),
		cmocka_unit_test(a_list_is_taken_apart),
		cmocka_unit_test(lists_that_promise_too_much_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
