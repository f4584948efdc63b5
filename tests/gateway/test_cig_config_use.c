/* What an administrator does with cig.conf: prints it, reloads it, tests its maps, and keeps
 * passwords apart. */
#include "tests/gateway/cig_text.h"

static void collect(void *arg, const char *text)
{
	buf_printf(arg, "%s\n", text);
}

/* CIG-110: the password masked; and what is printed reads back as the same */
static void prints_itself_without_passwords(void **state)
{
	const struct cig_config *config = parse(full, NULL), *again;
	char text[8192], twice[8192], line[256];
	struct buf b = BUF_OF(text), t = BUF_OF(twice);

	(void)state;
	cig_config_print(config, collect, &b);
	assert_true(buf_ok(&b));
	assert_null(strstr(text, "p;{w}"));
	assert_null(strstr(text, "\"sp\""));
	assert_non_null(strstr(text, "password \"***\";"));
	again = parse(text, NULL);
	cig_config_print(again, collect, &t);
	assert_string_equal(text, twice);
	cig_config_summary(config, line, sizeof(line));
	assert_string_equal(line,
			    "2 maps with 2 entries, 2 translate maps, 1 account, 1 read mailbox, "
			    "1 write mailbox, 1 message center");
	cig_config_release(&config);
	cig_config_release(&again);
}

static void collect_change(void *arg, enum cig_change change, const char *line, bool restart)
{
	static const char *const marks[] = { "+", "-", "*" };

	buf_printf(arg, "%s%s%s\n", marks[change], restart ? "! " : " ", line);
}

static const struct cig_change_ops change_ops = { collect_change };

static const struct {
	const char *before, *after, *told;
} changes[] = {
	{ full, full, "" },
	{ MAPS, "",
	  "- map t: entry a tel \"tel:+8888;{x}\" sip \"sip:{x}@pbx.com\";\n"
	  "- map s: entry b tel \"tel:+{x}\" sip \"sip:{x}@secure.com\";\n" },
	{ MAPS,
	  "map t { entry a tel \"tel:+8888;{x}\" sip \"sip:{x}@new.com\";\n"
	  " entry c tel \"tel:+9\" sip \"sip:9@h\"; }\n"
	  "map s { entry b tel \"tel:+{x}\" sip \"sip:{x}@secure.com\"; }\n",
	  "* map t: entry a tel \"tel:+8888;{x}\" sip \"sip:{x}@new.com\";\n"
	  "+ map t: entry c tel \"tel:+9\" sip \"sip:9@h\";\n" },
	/* a password is not shown, that it changed is */
	{ "auth x { user \"u\"; password \"old\"; }", "auth x { user \"u\"; password \"new\"; }",
	  "* auth x\n" },
	{ "interfaces { sip { trusted \"10.0.0.0/8\"; max_calls 5; } }",
	  "interfaces { sip { trusted \"10.0.0.0/8\"; trusted \"11.0.0.0/8\"; max_calls 6; } }",
	  "* interfaces sip: max_calls 6;\n* interfaces sip: trusted \"11.0.0.0/8\";\n" },
	/* what is bound or opened once */
	{ "", "interfaces { sip { port 5070; } } control { port 1; } log_dir \"/l\";",
	  "*! interfaces sip: port 5070;\n*! log_dir \"/l\";\n"
	  "*! control { bind 127.0.0.1; port 1; }\n" },
	{ "translate_map m { rule match \"a\" translation \"b\"; }\n"
	  "mailboxes { read { path \"/a\"; map_from translate_map m; map_to translate_map m; } }",
	  "translate_map m { rule match \"a\" translation \"c\"; }\n"
	  "mailboxes { read { path \"/b\"; map_from translate_map m; map_to translate_map m; } }",
	  "* translate_map m: rule match \"a\" translation \"c\";\n"
	  "+ mailboxes read path \"/b\";: path \"/b\";\n"
	  "+ mailboxes read path \"/b\";: map_from translate_map m;\n"
	  "+ mailboxes read path \"/b\";: map_to translate_map m;\n"
	  "- mailboxes read path \"/a\";: path \"/a\";\n"
	  "- mailboxes read path \"/a\";: map_from translate_map m;\n"
	  "- mailboxes read path \"/a\";: map_to translate_map m;\n" },
};

static void tells_what_a_reload_changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(changes); i++) {
		const struct cig_config *before = parse(changes[i].before, NULL);
		const struct cig_config *after = parse(changes[i].after, NULL);
		char text[2048];
		struct buf b = BUF_OF(text);

		text[0] = '\0';
		assert_int_equal(cig_config_changes(before, after, &change_ops, &b), 0);
		assert_string_equal(text, changes[i].told);
		cig_config_release(&before);
		cig_config_release(&after);
	}
}

static const struct {
	const char *test, *told;
} expectations[] = {
	{ "\"tel:+8888;101\" => \"sip:101@pbx.com\";", "" },
	{ "\"tel:+8888w101\" => \"sip:101@PBX.com\";", "" },
	{ "\"tel:+8888;101\" from \"tel:+46\" => \"sip:101@pbx.com\" from \"sip:46@secure.com\";",
	  "" },
	{ "\"sip:46701@secure.com\" from \"sip:101@pbx.com\" => \"tel:+46701\" from "
	  "\"tel:+8888;101\";",
	  "" },
	{ "\"tel:+9999\" => reject;", "" },
	{ "\"tel:+9999\" => reject 404;", "" },
	/* the from-URI counts where it is named */
	{ "\"sip:46701@secure.com\" => \"tel:+46701\";", "" },
	{ "\"sip:46701@secure.com\" from \"sip:101@other\" => reject 403;", "" },
	{ "\"tel:+8888;101\" => \"sip:101@pbx.org\";",
	  "expectation failed: tel:+8888;101 becomes sip:101@pbx.com, by entry a (cig.conf:1)" },
	{ "\"tel:+9999\" => \"sip:101@pbx.com\";",
	  "expectation failed: tel:+9999 is rejected: 404, no extension map of interface tel "
	  "matches the to-URI (t)" },
	{ "\"tel:+8888;101\" => reject;",
	  "expectation failed: tel:+8888;101 becomes sip:101@pbx.com, by entry a (cig.conf:1)" },
	{ "\"tel:+9999\" => reject 403;",
	  "expectation failed: tel:+9999 is rejected: 404, no extension map of interface tel "
	  "matches the to-URI (t)" },
	{ "\"sip:46701@secure.com\" from \"sip:101@other\" => \"tel:+46701\";",
	  "expectation failed: sip:46701@secure.com is rejected: 403, no source map of interface "
	  "tel matches the from-URI (t)" },
	/* the statement itself */
	{ "\"tel:+1\" is \"sip:1@h\";",
	  "found \"is\", expected expect \"URI\" [from \"URI\"] => \"URI\" [from \"URI\"] | "
	  "reject [CODE]" },
	{ "\"tel:+1\" => reject 200;",
	  "found \"200\", expected expect \"URI\" [from \"URI\"] => \"URI\" [from \"URI\"] | "
	  "reject [CODE]" },
	{ "\"tel:+1\" => \"sip:1@h\" \"x\";",
	  "found \"x\", expected expect \"URI\" [from \"URI\"] => \"URI\" [from \"URI\"] | "
	  "reject [CODE]" },
};

static void a_configuration_whose_tests_fail_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(expectations); i++) {
		struct diag *diag = diag_new();
		const struct cig_config *config;
		char text[2048];

		snprintf(text, sizeof(text), CALLS "\nexpect %s", "", expectations[i].test);
		config = parse(text, diag);
		assert_string_equal(diag_first_error(diag), expectations[i].told);
		assert_int_equal(config != NULL, !expectations[i].told[0]);
		if (config)
			cig_config_release(&config);
		diag_free(&diag);
	}
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fchmod(fileno(f), mode), 0);
	fclose(f);
}

static const struct {
	const char *secret;
	mode_t mode;
	const char *told; /* without the path; NULL: taken */
} secrets[] = {
	{ "pass word;\n", 0600, NULL },
	{ "pass word;\r\nmore", 0640, NULL },
	{ "pass word;", 0604, "holds a password and has mode 0604: chmod 600 it" },
	{ "pass word;", 0660, "holds a password and has mode 0660: chmod 600 it" },
	{ "\n", 0600, "its first line, the password, is empty" },
};

static void a_password_may_lie_in_a_file_of_its_own(void **state)
{
	char dir[] = "/tmp/cig-config-test.XXXXXX", conf[64], secret[64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(conf, sizeof(conf), "%s/cig.conf", dir);
	snprintf(secret, sizeof(secret), "%s/secret", dir);
	write_file(conf, "auth a { user \"u\"; password_file \"secret\"; }", 0644);
	for (size_t i = 0; i < COUNT(secrets); i++) {
		struct diag *diag = diag_new();
		const struct cig_config *config = NULL;

		write_file(secret, secrets[i].secret, secrets[i].mode);
		cig_config_read(conf, diag, &config);
		if (secrets[i].told) {
			assert_null(config);
			assert_non_null(strstr(diag_first_error(diag), secrets[i].told));
		} else {
			assert_string_equal(diag_first_error(diag), "");
			assert_string_equal(cig_config_account(config, "a")->password,
					    "pass word;");
			cig_config_release(&config);
		}
		diag_free(&diag);
	}
	unlink(secret);
	assert_int_equal(mkfifo(secret, 0600), 0); /* must not be waited for */
	assert_int_equal(cig_config_read(conf, NULL, &(const struct cig_config *){ NULL }),
			 -EINVAL);
	unlink(secret);
	assert_int_equal(cig_config_read(conf, NULL, &(const struct cig_config *){ NULL }),
			 -EINVAL);
	unlink(conf);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_itself_without_passwords),
		cmocka_unit_test(tells_what_a_reload_changes),
		cmocka_unit_test(a_configuration_whose_tests_fail_is_refused),
		cmocka_unit_test(a_password_may_lie_in_a_file_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
