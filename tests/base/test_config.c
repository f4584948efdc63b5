/* The grammar of cig.conf: what is read, and how faults are told. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/config.h"

/* A small table with every feature. */
static const struct config_keyword box_inside[] = {
	{ "extension map", 1, 1, 0, "NAME", NULL, NULL },
	{ "port_range", 2, 2, CONFIG_ONCE, "LOW HIGH", NULL, NULL },
	{ "bind", 1, 1, CONFIG_ONCE, "IP", NULL, NULL },
	{ "map_from", 1, 1, 0, "NAME", NULL, "translate_map" },
	{ 0 },
};
static const struct config_keyword boxes_inside[] = {
	{ "box", 0, 0, CONFIG_BLOCK, "", box_inside, NULL },
	{ "lid", 0, 0, CONFIG_BLOCK | CONFIG_ONCE, "", box_inside, NULL },
	{ 0 },
};
static const struct config_keyword map_inside[] = {
	{ "entry", 1, 3, 0, "NAME [A B]", NULL, NULL },
	{ 0 },
};
static const struct config_keyword table[] = {
	{ "map", 1, 1, CONFIG_BLOCK, "NAME", map_inside, NULL },
	{ "boxes", 0, 0, CONFIG_BLOCK, "", boxes_inside, NULL },
	{ "title", 1, 1, 0, "TEXT", NULL, NULL },
	{ "none", 0, 0, 0, "", NULL, NULL },
	{ 0 },
};

/* Writes the tree on one line: keyword(word,'string'){...}. */
static void show(const struct config_statement *s, struct buf *b)
{
	for (; s; s = s->next) {
		buf_printf(b, "%s(", s->keyword->keyword);
		for (size_t i = 0; i < s->words; i++)
			buf_printf(b, s->word[i].quoted ? "%s'%s'" : "%s%s", i ? "," : "",
				   s->word[i].text);
		buf_put_str(b, ")");
		if (s->keyword->flags & CONFIG_BLOCK) {
			buf_put_str(b, "{");
			show(s->first, b);
			buf_put_str(b, "}");
		}
	}
}

static void show_diag(const struct diag *diag, struct buf *b)
{
	struct diag_item item;

	for (size_t i = 0; diag_get(diag, i, &item); i++)
		buf_printf(b, "%u:%u %s%s\n", item.place.line, item.place.column,
			   item.severity == DIAG_WARNING ? "warning: " : "", item.text);
}

static const struct {
	const char *text, *tree, *told; /* told "": nothing */
} cases[] = {
	{ "", "", "" },
	{ "none;", "none()", "" },
	{ "title a; title \"b c\"; title 'd\"e';", "title(a)title('b c')title('d\"e')", "" },
	/* nothing is expanded, nothing in the text is changed */
	{ "title \"${HOME}\\n\\\\ 'x' # no\";", "title('${HOME}\\n\\\\ 'x' # no')", "" },
	{ "title \"\";", "title('')", "" },
	/* comments only where a token may start (CIG-037) */
	{ "// one\n/* two\n three */ title a//b/*c*/;", "title(a//b/*c*/)", "" },
	{ "title \"// no comment\"; /* yes */", "title('// no comment')", "" },
	/* blocks of one name stay apart */
	{ "map a { entry x; } map a { entry y b c; }", "map(a){entry(x)}map(a){entry(y,b,c)}", "" },
	{ "map \"title('q')\" { }", "map('title('q')'){}", "" },
	{ "\xef\xbb\xbftitle a;\r\n", "title(a)", "" },
	/* variants of spelling */
	{ "boxes { box { extension_map a; port range 1 2; map from translate map x; } }",
	  "boxes(){box(){extension map(a)port_range(1,2)map_from(x)}}",
	  "1:15 warning: taken as \"extension map\": write it so\n"
	  "1:32 warning: taken as \"port_range\": write it so\n"
	  "1:48 warning: taken as \"map_from\": write it so\n"
	  "1:57 warning: taken as \"translate_map\": write it so\n" },
	{ "title a;;", "title(a)", "1:9 warning: this \";\" ends nothing\n" },
	{ "title\xc2\xa0"
	  "a;",
	  "title(a)", "1:6 warning: a no-break space, taken as a blank\n" },
	/* statements end with ";" (CIG-038) */
	{ "boxes { box {\n bind 1\n port_range 1 2; } }", "boxes(){box(){bind(1)port_range(1,2)}}",
	  "3:2 \";\" missing before \"port_range\"?\n" },
	{ "map a {\n entry x b c\n}", "map(a){entry(x,b,c)}", "3:1 \";\" missing behind \"c\"\n" },
	{ "map a {\n entry x b c\n entry y;\n}", "map(a){entry(x,b,c)entry(y)}",
	  "3:2 \";\" missing before \"entry\"?\n" },
	{ "map a {\n entry x\n}\n", "map(a){entry(x)}", "3:1 \";\" missing behind \"x\"\n" },
	{ "title a", "title(a)", "1:8 \";\" missing behind \"a\"\n" },
	{ "title a\nmap b { }", "title(a)map(b){}", "2:1 \";\" missing before \"map\"?\n" },
	/* arity */
	{ "title;", "", "1:6 found \";\", expected title TEXT\n" },
	{ "title a b;", "", "1:9 found \"b\", expected title TEXT\n" },
	{ "none x;", "", "1:6 found \"x\", expected none\n" },
	{ "map { }", "", "1:5 found \"{\", expected map NAME\n" },
	{ "map a b { entry x; }", "", "1:7 found \"b\", expected map NAME\n" },
	{ "boxes { box { map_from x; } }", "boxes(){box(){}}",
	  "1:24 found \"x\", expected \"translate_map\" behind \"map_from\"\n" },
	/* braces */
	{ "map a {\n entry x;\nmap b { entry y; }\n}", "map(a){entry(x)}map(b){entry(y)}",
	  "3:1 \"}\" missing before \"map\": \"map a\", opened in line 1, is still open\n" },
	{ "map a { entry x;", "map(a){entry(x)}",
	  "1:1 \"map a\" is never closed: \"}\" missing before line 1\n" },
	{ "title a; }", "title(a)", "1:10 \"}\" closes nothing: no block is open\n" },
	{ "{ title a; }", "", "1:1 \"{\" without a keyword before it\n" },
	{ "boxes box { bind 1; } }", "boxes(){box(){bind(1)}}",
	  "1:7 \"{\" missing behind \"boxes\"?\n" },
	{ "map a entry x; }", "map(a){entry(x)}", "1:7 \"{\" missing behind \"map\"?\n" },
	{ "box { bind 1; }", "boxes(){box(){bind(1)}}",
	  "1:1 \"box\" stands inside \"boxes\": is \"boxes {\" missing before it?\n" },
	{ "title a { b; }", "title(a)", "1:9 found \"{\", expected \";\" behind \"title\"\n" },
	/* unknown words, and where they belong */
	{ "tilte a;", "", "1:1 unknown keyword \"tilte\" (did you mean \"title\"?)\n" },
	{ "xyzzy a { b { c; } }\ntitle a;", "title(a)",
	  "1:1 unknown keyword \"xyzzy\", expected \"map\", \"boxes\", \"title\", \"none\"\n" },
	{ "entry x;", "", "1:1 \"entry\" does not stand here but inside \"map\"\n" },
	{ "map a { none; }", "map(a){}",
	  "1:9 \"none\" does not stand here but outside of all blocks\n" },
	{ " * The maps, see - below\nmap a { }", "map(a){}",
	  "1:2 found \"*\", text outside of a comment: is \"/*\" missing before it?\n" },
	{ "Maps: all of them - here\nmap a { }", "map(a){}",
	  "1:1 found \"Maps:\", text outside of a comment: is \"/*\" missing before it?\n" },
	{ "entry x\n title b;\ntitle a;", "title(a)",
	  "1:1 \"entry\" does not stand here but inside \"map\"\n" },
	{ "title a;\ntitel b;\nnome;\n", "title(a)",
	  "2:1 unknown keyword \"titel\" (did you mean \"title\"?)\n"
	  "3:1 unknown keyword \"nome\" (did you mean \"none\"?)\n" },
	{ "boxes { lid { bind 1;\n bind 2; } lid { } }", "boxes(){lid(){bind(1)bind(2)}lid(){}}",
	  "2:2 \"bind\" is repeated: it stands in t.conf:1, too\n"
	  "2:12 \"lid\" is repeated: it stands in t.conf:1, too\n" },
	/* form */
	{ "title \"a;\ntitle b;", "title('a')title(b)",
	  "1:7 this string does not end in its line: a closing quote is missing\n" },
	{ "title \"a\ntitle b;", "title('a')title(b)",
	  "1:7 this string does not end in its line: a closing quote is missing\n"
	  "2:1 \";\" missing before \"title\"?\n" },
	{ "title a; /* b", "title(a)", "1:10 this comment never ends: \"*/\" is missing\n" },
	{ "# a\ntitle a;", "title(a)",
	  "1:1 \"#\" begins no comment here: write // or /* ... */\n" },
	{ "title \xe2\x80\x9c"
	  "a\xe2\x80\x9d;",
	  "title('a')", "1:7 a typographic quote: write plain \" quotes\n" },
	{ "title a\x01;", "", "1:8 a control character inside of a text: take it out\n" },
	{ "title \"\xff\";", "", "1:8 octet 0xff is not UTF-8: save the file as UTF-8\n" },
	{ "title \"a\tb\";", "", "1:9 a tab inside of a text: take it out\n" },
	{ "\xff\xfet\0i\0", "", "1:1 this is UTF-16: save the file as UTF-8\n" },
	{ "// one\rtitle a;\rnome;\r", "title(a)",
	  "3:1 unknown keyword \"nome\" (did you mean \"none\"?)\n" },
	{ "title \"a;\r\ntitle b;", "title('a')title(b)",
	  "1:7 this string does not end in its line: a closing quote is missing\n" },
	/* habits of other configurations */
	{ "title = a;", "",
	  "1:7 \"=\" does not stand between a keyword and its value: write title TEXT\n" },
	{ "title: a;\nnone;", "none()",
	  "1:1 found \"title:\": write \"title\", a blank and the value, without \":\" or "
	  "\"=\"\n" },
	{ "title=a;", "",
	  "1:1 found \"title=a\": write \"title\", a blank and the value, without \":\" or "
	  "\"=\"\n" },
	{ "boxes { box { port_range tel:+1;5 y;\n bind 1; } }", "boxes(){box(){bind(1)}}",
	  "1:26 \"tel:+1\" and what follows must stand in quotes: outside of them \";\" ends a "
	  "statement\n" },
	{ "include \"x\";", "", "1:9 \"include\" needs a file to stand in\n" },
	{ "include;", "", "1:8 found \";\", expected include \"FILE\"\n" },
};

static void reads_what_is_sound_and_tells_every_fault(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct diag *diag = diag_new();
		struct config *config;
		char tree[512], told[1024];
		struct buf b = BUF_OF(tree), d = BUF_OF(told);
		int err = config_parse("t.conf", slice_str(cases[i].text), table, diag, &config);

		show_diag(diag, &d);
		assert_string_equal(told, cases[i].told);
		assert_int_equal(err, diag_errors(diag) ? -EINVAL : 0);
		assert_non_null(config);
		show(config_first(config), &b);
		assert_string_equal(tree, cases[i].tree);
		config_free(&config);
		assert_null(config);
		diag_free(&diag);
	}
}

static void a_fault_that_was_told_before_is_one_all_the_same(void **state)
{
	struct diag *diag = diag_new();

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct config *config;

		assert_int_equal(config_parse("t.conf", slice_str("include;"), table,
					      i < 2 ? diag : NULL, &config),
				 -EINVAL);
		assert_non_null(config);
		config_free(&config);
	}
	assert_int_equal(diag_errors(diag), 1);
	diag_free(&diag);
}

/* A directory for files that include each other. */
static int make_directory(void **state)
{
	char dir[] = "/tmp/test_config.XXXXXX";

	if (!mkdtemp(dir))
		return -1;
	*state = strdup(dir);
	return chdir(dir);
}

static int remove_directory(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r '%s'", (char *)*state);
	free(*state);
	return system(command);
}

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void expect_read(const char *path, const char *want_tree, const char *want_told)
{
	struct diag *diag = diag_new();
	struct config *config;
	char tree[512], told[1024];
	struct buf b = BUF_OF(tree), d = BUF_OF(told);

	config_read(path, table, diag, &config);
	show_diag(diag, &d);
	assert_string_equal(told, want_told);
	if (want_tree) {
		assert_non_null(config);
		show(config_first(config), &b);
		assert_string_equal(tree, want_tree);
	} else {
		assert_null(config);
	}
	config_free(&config);
	diag_free(&diag);
}

/* What was understood, whatever the file says by now; what it includes lies elsewhere. */
static void the_octets_that_were_read_are_handed_over_once(void **state)
{
	static const char first[] = "title a; include \"more.conf\";\n";
	struct config *config = NULL;
	uint8_t *text = NULL;
	char path[128];
	size_t n = 0;

	write_text("main.conf", first);
	write_text("more.conf", "title b;\n");
	snprintf(path, sizeof(path), "%s/main.conf", (char *)*state);
	assert_int_equal(config_read(path, table, NULL, &config), 0);
	write_text("main.conf", "title c;\n");
	assert_int_equal(config_take_text(config, &text, &n), 0);
	assert_int_equal(n, sizeof(first) - 1);
	assert_memory_equal(text, first, n);
	assert_int_equal(config_take_text(config, &text, &n), -ENODATA);
	free(text);
	config_free(&config);
	assert_int_equal(config_parse("x", slice_str("title a;"), table, NULL, &config), 0);
	assert_int_equal(config_take_text(config, &text, &n), -ENODATA);
	config_free(&config);
}

static void includes_files_relative_to_the_one_they_stand_in(void **state)
{
	char path[128];

	assert_int_equal(mkdir("sub", 0700), 0);
	write_text("main.conf", "title a; include \"sub/one.conf\"; title z;\n");
	write_text("sub/one.conf", "map m { include two.conf; }");
	write_text("sub/two.conf", "entry x;\n}");
	snprintf(path, sizeof(path), "%s/main.conf", (char *)*state);
	/* a "}" too many does not close a block of the including file */
	expect_read(path, "title(a)map(m){entry(x)}title(z)",
		    "2:1 \"}\" closes nothing: no block is open\n");
	expect_read("main.conf", "title(a)map(m){entry(x)}title(z)",
		    "2:1 \"}\" closes nothing: no block is open\n");
	write_text("open.conf", "map n {");
	write_text("main.conf", "include open.conf; title z;");
	expect_read("main.conf", "map(n){}title(z)",
		    "1:1 \"map n\" is never closed: \"}\" missing before line 1\n");
}

static void includes_all_that_a_pattern_matches_by_name(void **state)
{
	(void)state;
	assert_int_equal(mkdir("conf.d", 0700), 0);
	write_text("conf.d/20-b.conf", "title b;");
	write_text("conf.d/10-a.conf", "title a;");
	write_text("conf.d/30-c.disabled", "title c;");
	write_text("all.conf", "include \"conf.d/*.conf\"; title z;");
	expect_read("all.conf", "title(a)title(b)title(z)", "");
	write_text("all.conf", "include \"conf.d/*.none\"; title z;");
	expect_read("all.conf", "title(z)", "");
	write_text("conf.d/40-loop.conf", "include \"*.conf\";");
	write_text("all.conf", "include \"conf.d/4*\";");
	expect_read("all.conf", "title(a)title(b)",
		    "1:9 this file is being read already: the includes make a loop\n");
}

static void refuses_loops_depth_and_missing_files(void **state)
{
	(void)state;
	write_text("a.conf", "include b.conf; title a;");
	write_text("b.conf", "include a.conf; title b;");
	expect_read("a.conf", "title(b)title(a)",
		    "1:9 this file is being read already: the includes make a loop\n");
	for (int i = 0; i < 9; i++) {
		char name[16], text[64];

		snprintf(name, sizeof(name), "d%d.conf", i);
		snprintf(text, sizeof(text), "title n%d; include d%d.conf;", i, i + 1);
		write_text(name, text);
	}
	expect_read("d0.conf",
		    "title(n0)title(n1)title(n2)title(n3)title(n4)title(n5)title(n6)title(n7)",
		    "1:19 files include each other more than 8 deep\n");
	write_text("m.conf", "include none.conf; title m;");
	expect_read("m.conf", "title(m)",
		    "1:9 cannot read \"none.conf\": No such file or directory\n");
	expect_read("none.conf", NULL, "0:0 cannot read none.conf: No such file or directory\n");
}

static void keeps_many_statements_in_order(void **state)
{
	size_t n = 20000, room = n * 32, i = 0;
	char *text = malloc(room), want[16];
	struct buf b = buf_over(text, room);
	struct config *config;

	(void)state;
	buf_put_str(&b, "map m {\n");
	for (i = 0; i < n; i++)
		buf_printf(&b, "entry e%zu;\n", i);
	buf_put_str(&b, "}\n");
	assert_int_equal(config_parse("t", buf_slice(&b), table, NULL, &config), 0);
	i = 0;
	for (const struct config_statement *s = config_first(config)->first; s; s = s->next, i++) {
		snprintf(want, sizeof(want), "e%zu", i);
		assert_string_equal(s->word[0].text, want);
		assert_int_equal(s->place.line, i + 2);
	}
	assert_int_equal(i, n);
	config_free(&config);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_is_sound_and_tells_every_fault),
		cmocka_unit_test_setup_teardown(the_octets_that_were_read_are_handed_over_once,
						make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(includes_files_relative_to_the_one_they_stand_in,
						make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(includes_all_that_a_pattern_matches_by_name,
						make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(refuses_loops_depth_and_missing_files,
						make_directory, remove_directory),
		cmocka_unit_test(a_fault_that_was_told_before_is_one_all_the_same),
		cmocka_unit_test(keeps_many_statements_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
