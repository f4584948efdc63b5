/* Files of one statement a line: crs.conf and crs-relay.conf. */
#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/config_lines.h"

static void show_diag(const struct diag *diag, struct buf *b)
{
	struct diag_item item;

	for (size_t i = 0; diag_get(diag, i, &item); i++)
		buf_printf(b, "%u:%u %s\n", item.place.line, item.place.column, item.text);
}

static void show_lines(const struct config_lines *lines, struct buf *b)
{
	const struct config_line *line;

	for (size_t i = 0; (line = config_lines_get(lines, i)); i++) {
		for (size_t w = 0; w < line->words; w++)
			buf_printf(b, "%s<%s>", w ? " " : "", line->word[w].text);
		buf_put_char(b, '\n');
	}
}

static const struct {
	bool pairs;
	const char *text, *want, *told;
} cases[] = {
	/* CRS manual 4.1.2.1, 4.10, 4.12 */
	{ false, "key sec;ret\nip crs1 10.0.0.1\nhost crs1\n",
	  "<key> <sec;ret>\n<ip> <crs1> <10.0.0.1>\n<host> <crs1>\n", "" },
	{ false, "keep-alive 10.0.0.0/8 ws 60000 5000",
	  "<keep-alive> <10.0.0.0/8> <ws> <60000> <5000>\n", "" },
	{ false, "features\n", "<features>\n", "" },
	{ false, "# one\n  // two\n\n \t \r\nhost a # b\r\n", "<host> <a> <#> <b>\n", "" },
	{ false, "key \"a  b\" 'c\"'\n", "<key> <a  b> <c\">\n", "" },
	{ false, "\xef\xbb\xbfhost a", "<host> <a>\n", "" },
	{ false, "", "", "" },
	{ false, "key \"a\nhost b\nkey 'c'd\n", "<host> <b>\n",
	  "1:5 a closing quote is missing\n3:8 a blank is missing behind the closing quote\n" },
	{ false, "host \x01\nkey \xff\n", "",
	  "1:1 control characters, or text that is not UTF-8\n"
	  "2:1 control characters, or text that is not UTF-8\n" },
	/* CRS manual 4.1.2.3 */
	{ true, "MAX_RTP_RELAYS=100\n#MAX=1\n MAX = 2 \nE=\nQ=\"a=b \"\n",
	  "<MAX_RTP_RELAYS> <100>\n<MAX> <2>\n<E> <>\n<Q> <a=b >\n", "" },
	{ true, "MAX 100\nMIN=1\n=5\n", "<MIN> <1>\n",
	  "1:1 expected KEY=VALUE\n3:1 expected KEY=VALUE\n" },
	{ true, "A=\"\nB='x'", "<A> <\">\n<B> <x>\n", "" },
};

static void reads_words_and_pairs(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice text = slice_str(cases[i].text);
		struct diag *diag = diag_new();
		struct config_lines *lines = NULL;
		char shown[512], told[512];
		struct buf b = BUF_OF(shown), d = BUF_OF(told);
		int err = cases[i].pairs ? config_pairs_parse("f", text, diag, &lines)
					 : config_lines_parse("f", text, diag, &lines);

		show_diag(diag, &d);
		assert_string_equal(told, cases[i].told);
		assert_int_equal(err, *cases[i].told ? -EINVAL : 0);
		show_lines(lines, &b); /* a fault leaves the other lines as they are */
		assert_string_equal(shown, cases[i].want);
		config_lines_free(&lines);
		diag_free(&diag);
	}
}

static const struct config_line_rule rules[] = {
	{ "keep-alive", 3, 4, "WHO tcp|ws INTERVAL [GRACE]", false },
	{ "host", 1, 1, "NAME", true },
	{ "features", 0, 1, "[push]", true },
	{ 0 },
};

static void checks_keywords_counts_and_repeats(void **state)
{
	static const char text[] =
		"host a\nkeepalive x ws 1\nkeep-alive x\nhost b\nfeatures a b\nzzz\n";
	struct diag *diag = diag_new();
	struct config_lines *lines;
	char told[512];
	struct buf d = BUF_OF(told);

	(void)state;
	assert_int_equal(config_lines_parse("f", slice_str(text), diag, &lines), 0);
	assert_int_equal(config_lines_check(lines, rules, diag), -EINVAL);
	show_diag(diag, &d);
	assert_string_equal(told,
			    "2:1 unknown keyword \"keepalive\" (did you mean \"keep-alive\"?)\n"
			    "3:1 found 1 word, expected keep-alive WHO tcp|ws INTERVAL [GRACE]\n"
			    "4:1 \"host\" is repeated: it stands in line 1, too\n"
			    "5:12 found 2 words, expected features [push]\n"
			    "6:1 unknown keyword \"zzz\"\n");
	config_lines_free(&lines);
	diag_free(&diag);
}

/* A fault is shown once, but whoever reads the file again must not take it for sound. */
static void a_fault_that_was_told_before_is_one_all_the_same(void **state)
{
	struct diag *diag = diag_new();

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct diag *to = i < 2 ? diag : NULL;
		struct config_lines *lines;

		assert_int_equal(config_lines_parse("f", slice_str("a \"b\n"), to, &lines),
				 -EINVAL);
		config_lines_free(&lines);
		assert_int_equal(config_lines_parse("f", slice_str("zzz\n"), to, &lines), 0);
		assert_int_equal(config_lines_check(lines, rules, to), -EINVAL);
		config_lines_free(&lines);
	}
	assert_int_equal(diag_errors(diag), 2);
	assert_int_equal(diag_reported(diag), 4);
	diag_free(&diag);
}

static void tells_a_missing_file(void **state)
{
	struct diag *diag = diag_new();
	struct config_lines *lines = NULL;

	(void)state;
	assert_int_equal(config_lines_read("/nonexistent/crs.conf", diag, &lines), -ENOENT);
	assert_null(lines);
	assert_string_equal(diag_first_error(diag), "cannot read: No such file or directory");
	diag_free(&diag);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_words_and_pairs),
		cmocka_unit_test(checks_keywords_counts_and_repeats),
		cmocka_unit_test(a_fault_that_was_told_before_is_one_all_the_same),
		cmocka_unit_test(tells_a_missing_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
