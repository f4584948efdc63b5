/* test_reload.c - what a reload says it changes, and what it refuses. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/file.h"
#include "gateway/cig_config.h"
#include "gateway/reload.h"

static const struct cig_config *read_config(const char *entries, const char *in_sip)
{
	const struct cig_config *config = NULL;
	struct diag *diag = diag_new();
	char *text = NULL;

	assert_true(asprintf(&text,
			     "map m {\n%s}\n"
			     "map n { entry e sip \"sip:{x}@{discard}\" tel \"tel:+8888;{x}\"; }\n"
			     "interfaces {\n"
			     " tel { extension map m; source map n; bind_media 127.0.0.1; }\n"
			     " sip { extension map n; source map m; bind 127.0.0.1; %s }\n}\n"
			     "userdata \"/tmp\"; log_dir \"/tmp\"; run_dir \"/tmp\";\n",
			     entries, in_sip) > 0);
	if (cig_config_parse("cig.conf", slice_str(text), diag, &config))
		fail_msg("%s", diag_first_error(diag));
	diag_free(&diag);
	free(text);
	return config;
}

#define ENTRY "entry e tel \"tel:+8888;{x}\" sip \"sip:{x}@a.com\";\n"

static json_int_t count(const json_t *report, const char *name)
{
	return json_integer_value(json_object_get(report, name));
}

static void what_is_the_same_changes_nothing(void **state)
{
	const struct cig_config *before = read_config(ENTRY, "port 5060;"),
				*after = read_config("// a word\n" ENTRY, "port 5060;");
	json_t *report = NULL;

	(void)state;
	assert_int_equal(reload_compare(before, after, &report, NULL), 0);
	assert_int_equal(
		count(report, "added") + count(report, "removed") + count(report, "changed"), 0);
	assert_int_equal(json_array_size(json_object_get(report, "lines")), 0);
	json_decref(report);
	cig_config_release(&before);
	cig_config_release(&after);
}

static void each_line_that_changes_is_told(void **state)
{
	const struct cig_config *
		before = read_config(ENTRY, "port 5060;"),
	       *after = read_config("entry f tel \"tel:+8888;9{x}\" sip \"sip:{x}@b.com\";\n" ENTRY,
				    "port 5060; messaging true;");
	json_t *report = NULL, *line;
	bool named = false;
	size_t i;

	(void)state;
	assert_int_equal(reload_compare(before, after, &report, NULL), 0);
	assert_true(count(report, "added") >= 1);
	json_array_foreach(json_object_get(report, "lines"), i, line) named |=
		strstr(json_string_value(json_object_get(line, "line")), "b.com") != NULL;
	assert_true(named);
	assert_true(*json_string_value(json_object_get(report, "summary")));
	json_decref(report);
	cig_config_release(&before);
	cig_config_release(&after);
}

/* Half a change would be a configuration that nobody has written. */
static void what_needs_a_restart_refuses_all_and_is_named(void **state)
{
	const struct cig_config *before = read_config(ENTRY, "port 5060;"),
				*after = read_config(ENTRY, "port 5070; messaging true;");
	struct diag *diag = diag_new();
	json_t *report = NULL;

	(void)state;
	assert_int_equal(reload_compare(before, after, &report, diag), -EBUSY);
	assert_null(report);
	assert_int_equal(diag_errors(diag), 1);
	assert_non_null(strstr(diag_first_error(diag), "port 5070"));
	assert_non_null(strstr(diag_first_error(diag), "restart of cig-server"));
	diag_free(&diag);
	cig_config_release(&before);
	cig_config_release(&after);
}

static void a_map_that_is_replaced_is_counted_and_not_printed_whole(void **state)
{
	enum { MANY = RELOAD_MAX_LINES + 50 };
	static char text[MANY * 80];
	struct buf b = BUF_OF(text);
	const struct cig_config *before = read_config(ENTRY, "port 5060;"), *after;
	json_t *report = NULL;

	(void)state;
	for (int i = 0; i < MANY; i++)
		buf_printf(&b, "entry e%d tel \"tel:+8888;%d\" sip \"sip:%d@a.com\";\n", i, i, i);
	after = read_config(buf_str(&b), "port 5060;");
	assert_int_equal(reload_compare(before, after, &report, NULL), 0);
	assert_true(count(report, "added") >= MANY);
	assert_int_equal(json_array_size(json_object_get(report, "lines")), RELOAD_MAX_LINES);
	json_decref(report);
	cig_config_release(&before);
	cig_config_release(&after);
}

/* It may hold passwords, and the file may have been changed since it was read. */
static void the_live_copy_is_what_was_read_and_its_owners_alone(void **state)
{
	char dir[] = "/tmp/reload.XXXXXX", path[64], copy[64], text[700];
	const struct cig_config *config = NULL;
	struct stat st;
	uint8_t *kept;
	size_t n;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/cig.conf", dir);
	snprintf(copy, sizeof(copy), "%s/" RELOAD_LIVE_NAME, dir);
	snprintf(text, sizeof(text),
		 "map m { " ENTRY "}\n"
		 "map n { entry e sip \"sip:{x}@{discard}\" tel \"tel:+8888;{x}\"; }\n"
		 "interfaces {\n"
		 " tel { extension map m; source map n; bind_media 127.0.0.1; }\n"
		 " sip { extension map n; source map m; bind 127.0.0.1; }\n}\n"
		 "userdata \"%s\"; log_dir \"/tmp\"; run_dir \"/tmp\";\n",
		 dir);
	assert_int_equal(file_write_atomic(path, 0644, slice_str(text)), 0);
	assert_int_equal(cig_config_read(path, NULL, &config), 0);
	assert_int_equal(file_write_atomic(path, 0644, slice_str("being edi")), 0);
	assert_int_equal(reload_keep_live(config), 0);
	assert_int_equal(stat(copy, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(file_read(copy, sizeof(text), &kept, &n), 0);
	assert_string_equal((char *)kept, text);
	free(kept);
	unlink(path);
	assert_int_equal(reload_keep_live(config), -ENODATA); /* the copy stays */
	assert_int_equal(stat(copy, &st), 0);
	unlink(copy);
	assert_int_equal(rmdir(dir), 0);
	cig_config_release(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_the_same_changes_nothing),
		cmocka_unit_test(each_line_that_changes_is_told),
		cmocka_unit_test(what_needs_a_restart_refuses_all_and_is_named),
		cmocka_unit_test(a_map_that_is_replaced_is_counted_and_not_printed_whole),
		cmocka_unit_test(the_live_copy_is_what_was_read_and_its_owners_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
