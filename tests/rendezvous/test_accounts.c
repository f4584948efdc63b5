#include "tests/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/encode.h"
#include "base/log.h"
#include "rendezvous/account_set.h"
#include "rendezvous/accounts.h"
#include "rendezvous/audit.h"
#include "rendezvous/slot.h"
#include "rendezvous/trace.h"

enum { KEPT_LINE = 8 * AUDIT_TEXT_MAX };

struct folder {
	char path[64];
};

static int make_folder(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	snprintf(folder->path, sizeof(folder->path), "/tmp/crs-accounts-XXXXXX");
	*state = folder;
	return mkdtemp(folder->path) ? 0 : -1;
}

static int drop_folder(void **state)
{
	struct folder *folder = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", folder->path);
	free(folder);
	return system(command);
}

/* CRS-039 */
static void an_account_id_has_up_to_twenty_of_its_characters(void **state)
{
	static const struct {
		const char *id;
		int want;
	} cases[] = {
		{ "a", 0 },
		{ "AZaz09-_", 0 },
		{ "aaaaaaaaaaaaaaaaaaaa", 0 },
		{ "aaaaaaaaaaaaaaaaaaaaa", -EINVAL },
		{ "", -EINVAL },
		{ "a b", -EINVAL },
		{ "../x", -EINVAL },
		{ "a.b", -EINVAL },
		{ "\xc3\xa5", -EINVAL },
	};
	struct folder *folder = *state;

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(
			accounts_create(folder->path, cases[i].id, slice_str("secret"), NULL),
			cases[i].want);
}

/* CRS-041 */
static void a_given_secret_is_stored_as_it_is_for_its_owner_only(void **state)
{
	struct folder *folder = *state;
	char secret[ACCOUNTS_SECRET_TEXT], path[ACCOUNTS_PATH];
	struct stat st;

	assert_int_equal(accounts_create(folder->path, "acme", slice_str(" two  words "), NULL), 0);
	assert_int_equal(accounts_read_secret(folder->path, "acme", secret, NULL), 0);
	assert_string_equal(secret, " two  words ");
	assert_int_equal(accounts_path(folder->path, "acme", "secret", path), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(accounts_create(folder->path, "acme", slice_str("other"), NULL), -EEXIST);
	assert_int_equal(accounts_create(folder->path, "b", slice_str(""), NULL), -EINVAL);
	assert_int_equal(accounts_create(folder->path, "b", slice_str("a\nb"), NULL), -EINVAL);
}

/* CRS-040, CRS-043 */
static void a_made_secret_decodes_to_its_length(void **state)
{
	static const size_t sizes[] = { 16, 17, 32, 256 };
	char text[BASE64_TEXT_SIZE(256)], other[BASE64_TEXT_SIZE(256)];
	uint8_t octets[256];
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		assert_int_equal(accounts_make_secret(sizes[i], text, sizeof(text)), 0);
		assert_int_equal(accounts_make_secret(sizes[i], other, sizeof(other)), 0);
		assert_string_not_equal(text, other);
		assert_int_equal(
			base64_decode(BASE64_STANDARD, slice_str(text), octets, sizeof(octets), &n),
			0);
		assert_int_equal(n, sizes[i]);
	}
	assert_int_equal(accounts_make_secret(15, text, sizeof(text)), -EINVAL);
	assert_int_equal(accounts_make_secret(257, text, sizeof(text)), -EINVAL);
}

/* CRS-044 */
static void accounts_are_listed_by_name_and_deleted_whole(void **state)
{
	struct folder *folder = *state;
	char **ids = NULL;
	size_t count = 0;

	assert_int_equal(accounts_create(folder->path, "b", slice_str("x"), NULL), 0);
	assert_int_equal(accounts_create(folder->path, "a", slice_str("y"), NULL), 0);
	assert_int_equal(accounts_blacklist(folder->path, "a", "tel:+46701", true, NULL), 0);
	assert_int_equal(accounts_list(folder->path, &ids, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_string_equal(ids[0], "a");
	assert_string_equal(ids[1], "b");
	accounts_list_free(&ids, count);
	assert_int_equal(accounts_delete(folder->path, "a", NULL), 0);
	assert_int_equal(accounts_delete(folder->path, "a", NULL), -ENOENT);
	assert_int_equal(accounts_delete(folder->path, "..", NULL), -EINVAL);
	assert_int_equal(accounts_list(folder->path, &ids, &count, NULL), 0);
	assert_int_equal(count, 1);
	accounts_list_free(&ids, count);
}

/* A file that may not grow kills who writes it: a crash with nothing of the secret written. */
static void create_and_crash(const char *dir, const char *id)
{
	const struct rlimit none = { 0, 0 };
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &none);
		setrlimit(RLIMIT_FSIZE, &none);
		signal(SIGXFSZ, SIG_DFL);
		accounts_create(dir, id, slice_str("secret"), NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
}

static size_t count_accounts(const char *dir)
{
	char **ids = NULL;
	size_t count = 0;

	assert_int_equal(accounts_list(dir, &ids, &count, NULL), 0);
	accounts_list_free(&ids, count);
	return count;
}

static void a_crash_leaves_no_half_made_account(void **state)
{
	struct folder *folder = *state;
	struct diag *diag = diag_new();

	create_and_crash(folder->path, "acme");
	assert_int_equal(count_accounts(folder->path), 0);
	assert_int_equal(accounts_create(folder->path, "acme", slice_str("secret"), NULL), 0);
	/* What it left is tidied, and told; the account stays. */
	accounts_tidy(folder->path, diag);
	assert_int_equal(diag_warnings(diag), 1);
	accounts_tidy(folder->path, diag);
	assert_int_equal(diag_warnings(diag), 1);
	assert_int_equal(count_accounts(folder->path), 1);
	diag_free(&diag);
}

static void an_empty_folder_is_in_nobodys_way(void **state)
{
	struct folder *folder = *state;
	char path[ACCOUNTS_PATH], secret[ACCOUNTS_SECRET_TEXT];

	assert_int_equal(accounts_path(folder->path, "acme", NULL, path), 0);
	assert_int_equal(mkdir(path, 0750), 0);
	assert_int_equal(accounts_create(folder->path, "acme", slice_str("secret"), NULL), 0);
	assert_int_equal(accounts_read_secret(folder->path, "acme", secret, NULL), 0);
}

/* What is in the way of deleting is told of; no half of the account stays in force. */
static void an_account_is_deleted_in_one_step(void **state)
{
	struct folder *folder = *state;
	struct diag *diag = diag_new();
	char path[ACCOUNTS_PATH];

	assert_int_equal(accounts_create(folder->path, "acme", slice_str("secret"), NULL), 0);
	assert_int_equal(accounts_path(folder->path, "acme", "notes", path), 0);
	assert_int_equal(mkdir(path, 0750), 0);
	assert_int_equal(accounts_delete(folder->path, "acme", diag), 0);
	assert_int_equal(diag_warnings(diag), 1);
	assert_int_equal(count_accounts(folder->path), 0);
	diag_free(&diag);
}

static void a_secret_that_cannot_be_read_any_more_stays_in_force(void **state)
{
	struct folder *folder = *state;
	struct account_set *set = NULL, *again = NULL;
	struct diag *diag = diag_new();
	char path[ACCOUNTS_PATH];

	assert_int_equal(
		accounts_create(folder->path, "a", slice_str("MDEyMzQ1Njc4OTAxMjM0NQ=="), NULL), 0);
	assert_int_equal(account_set_load(folder->path, NULL, &set, NULL), 0);
	/* a link to itself stands for a disk that fails */
	assert_int_equal(accounts_path(folder->path, "a", "secret", path), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(path, path), 0);
	assert_int_equal(account_set_load(folder->path, set, &again, diag), 0);
	assert_int_equal(account_set_count(again), 1);
	assert_int_equal(diag_errors(diag), 1);
	account_set_free(&set);
	/* one that is gone is gone */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(account_set_load(folder->path, again, &set, diag), 0);
	assert_int_equal(account_set_count(set), 0);
	account_set_free(&set);
	account_set_free(&again);
	diag_free(&diag);
}

static void a_blacklist_takes_each_uri_once(void **state)
{
	struct folder *folder = *state;
	char *text = NULL;

	assert_int_equal(accounts_create(folder->path, "a", slice_str("y"), NULL), 0);
	assert_int_equal(accounts_blacklist(folder->path, "a", "tel:+1", true, NULL), 0);
	assert_int_equal(accounts_blacklist(folder->path, "a", "tel:+12", true, NULL), 0);
	assert_int_equal(accounts_blacklist(folder->path, "a", "tel:+1", true, NULL), -EEXIST);
	assert_int_equal(accounts_blacklist(folder->path, "a", "tel:+1", false, NULL), 0);
	assert_int_equal(accounts_blacklist(folder->path, "a", "tel:+1", false, NULL), -ENOENT);
	assert_int_equal(accounts_blacklist(folder->path, "a", "no uri", true, NULL), -EINVAL);
	assert_int_equal(accounts_blacklist(folder->path, "zz", "tel:+1", true, NULL), -ENOENT);
	assert_int_equal(accounts_read_blacklist(folder->path, "a", &text), 0);
	assert_string_equal(text, "tel:+12\n");
	free(text);
}

static void an_unknown_account_has_a_secret_of_nobody(void **state)
{
	struct folder *folder = *state;
	struct account_set *set = NULL, *again = NULL;
	const struct account_secret *known, *unknown;
	bool is_known;

	assert_int_equal(
		accounts_create(folder->path, "a", slice_str("MDEyMzQ1Njc4OTAxMjM0NQ=="), NULL), 0);
	assert_int_equal(account_set_load(folder->path, NULL, &set, NULL), 0);
	known = account_set_secret(set, "a", &is_known);
	assert_true(is_known);
	assert_int_equal(known->n, 16);
	unknown = account_set_secret(set, "b", &is_known);
	assert_false(is_known);
	assert_memory_not_equal(known->octets, unknown->octets, 16);
	assert_int_equal(account_set_load(folder->path, set, &again, NULL), 0);
	assert_int_equal(account_set_count(again), 1);
	account_set_free(&set);
	account_set_free(&again);
}

/* XMODEM's check value, and Redis Cluster's own example. */
static void slots_are_crc16_modulo_1024(void **state)
{
	unsigned spread[4] = { 0 };

	(void)state;
	assert_int_equal(slot_of(slice_str("123456789")), 0x31c3 % 1024);
	assert_int_equal(slot_of(slice_str("foo")), 12182 % 1024);
	assert_int_equal(slot_of(slice_str("")), 0);
	for (int i = 0; i < 4000; i++) {
		char uri[32];

		snprintf(uri, sizeof(uri), "tel:+467%05d", i);
		spread[slot_home(slice_str(uri), 4)]++;
	}
	for (size_t i = 0; i < COUNT(spread); i++)
		assert_in_range(spread[i], 700, 1300);
}

/* CRS-094, CRS-095 and CRS-096: the number of fields; nobody's text changes it. */
static void a_trace_line_has_its_fields_and_no_more(void **state)
{
	static const struct {
		enum trace_element element;
		size_t fields;
	} elements[] = {
		{ TRACE_ATTACH, 10 },
		{ TRACE_SESSION, 7 },
		{ TRACE_MESSAGE, 7 },
		{ TRACE_CONNECTION, 8 },
	};
	const char *fields[] = { "event", "a,b", "c\nd", "e" }, *const * names;
	char line[TRACE_LINE_MAX];
	enum trace_element element;

	(void)state;
	for (size_t i = 0; i < COUNT(elements); i++) {
		assert_int_equal(trace_field_names(elements[i].element, &names),
				 elements[i].fields);
		assert_int_equal(
			trace_element_parse(trace_element_name(elements[i].element), &element), 0);
		assert_int_equal(element, elements[i].element);
	}
	assert_int_equal(trace_element_parse("nothing", &element), -EINVAL);
	trace_format(fields, 4, line, sizeof(line));
	assert_string_equal(line, "event,a\\x2cb,c\\x0ad,e");
}

static void everybody_who_can_read_a_secret_is_warned_of(void **state)
{
	struct folder *folder = *state;
	struct account_set *set = NULL;
	struct diag *diag = diag_new();
	char path[128];

	assert_int_equal(
		accounts_create(folder->path, "acme", slice_str("MDEyMzQ1Njc4OWFiY2RlZg=="), NULL),
		0);
	assert_int_equal(account_set_load(folder->path, NULL, &set, diag), 0);
	assert_int_equal(diag_warnings(diag), 0);
	account_set_free(&set);
	/* CRS manual 4.20.2: chmod -R 644 /opt/crs/accounts; it is loaded all the same */
	snprintf(path, sizeof(path), "%s/acme/secret", folder->path);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(account_set_load(folder->path, NULL, &set, diag), 0);
	assert_int_equal(account_set_count(set), 1);
	assert_int_equal(diag_warnings(diag), 1);
	account_set_free(&set);
	diag_free(&diag);
}

/* What was logged last. */
static void keep_line(void *arg, enum log_type type, const char *module, const char *text)
{
	(void)type;
	snprintf(arg, KEPT_LINE, "%s: %s", module, text);
}

static void no_text_of_an_act_looks_like_another_value_in_the_audit_log(void **state)
{
	static const struct {
		const char *about, *result, *says, *want;
	} cases[] = {
		{ "acme", "ok", "", "audit: user=root action=\"apply\" on=\"acme\" result=\"ok\"" },
		{ "x\" result=\"ok", "no such account", NULL,
		  "audit: user=root action=\"apply\" on=\"x\\\" result=\\\"ok\" "
		  "result=\"no such account\"" },
		{ "x\\", "ok", NULL,
		  "audit: user=root action=\"apply\" on=\"x\\\\\" result=\"ok\"" },
		{ "acme", "ok", "tty pts/3\" user=\"eve",
		  "audit: user=root action=\"apply\" on=\"acme\" result=\"ok\" "
		  "says=\"tty pts/3\\\" user=\\\"eve\"" },
	};
	char line[KEPT_LINE], longest[2 * AUDIT_TEXT_MAX + 1];

	(void)state;
	log_set_verbose(-1); /* the listener gets it all the same */
	log_set_tap(keep_line, line);
	for (size_t i = 0; i < COUNT(cases); i++) {
		audit_write("user=root", "apply", cases[i].about, cases[i].result, cases[i].says);
		assert_string_equal(line, cases[i].want);
	}
	memset(longest, '"', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	audit_write("user=root", longest, longest, longest, longest);
	assert_string_equal(line + strlen(line) - 3, "\\\"\"");
	log_set_tap(NULL, NULL);
	log_set_verbose(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_account_id_has_up_to_twenty_of_its_characters,
						make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(
			a_given_secret_is_stored_as_it_is_for_its_owner_only, make_folder,
			drop_folder),
		cmocka_unit_test(a_made_secret_decodes_to_its_length),
		cmocka_unit_test_setup_teardown(accounts_are_listed_by_name_and_deleted_whole,
						make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(a_crash_leaves_no_half_made_account, make_folder,
						drop_folder),
		cmocka_unit_test_setup_teardown(an_empty_folder_is_in_nobodys_way, make_folder,
						drop_folder),
		cmocka_unit_test_setup_teardown(an_account_is_deleted_in_one_step, make_folder,
						drop_folder),
		cmocka_unit_test_setup_teardown(
			a_secret_that_cannot_be_read_any_more_stays_in_force, make_folder,
			drop_folder),
		cmocka_unit_test_setup_teardown(a_blacklist_takes_each_uri_once, make_folder,
						drop_folder),
		cmocka_unit_test_setup_teardown(an_unknown_account_has_a_secret_of_nobody,
						make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(everybody_who_can_read_a_secret_is_warned_of,
						make_folder, drop_folder),
		cmocka_unit_test(no_text_of_an_act_looks_like_another_value_in_the_audit_log),
		cmocka_unit_test(slots_are_crc16_modulo_1024),
		cmocka_unit_test(a_trace_line_has_its_fields_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
