/* What cig-cli does with words, files and streams: routes, traces, configurations and keys. */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/file.h"
#include "keys/letter_text.h"
#include "tests/gateway/cli_scene.h"
#include "tests/keys/world.h"

enum { OK = 0, FAILED = 1, USAGE = 2 };

static void expect_text(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

/* ---- route ---- */

#define ROUTED                                                                                     \
	"{\"routed\":true,\"interface\":\"sip\",\"to\":\"sip:101@pbx\",\"from\":\"sip:1@s\","      \
	"\"auth\":\"acc\",\"to_entry\":\"entry a\",\"from_entry\":\"entry b\","                    \
	"\"explain\":[\"one\",\"two\"]}"
#define REJECTED "{\"routed\":false,\"code\":404,\"reason\":\"no entry\",\"explain\":[\"three\"]}"

/* CIG-007 */
static void a_route_is_told_with_the_entries_that_gave_it(void **state)
{
	struct cli_scene *scene = *state;

	cli_scene_answers(scene, ROUTED);
	assert_int_equal(cli_scene_run(scene, "route --explain tel:+8888;101 tel:+1"), OK);
	expect_text(scene->requests[0], "GET /route?to=tel%3A%2B8888%3B101&from=tel%3A%2B1 ");
	assert_string_equal(scene->out, "interface  sip\nto         sip:101@pbx\n"
					"from       sip:1@s\nauth       acc\nby         entry a\n"
					"from by    entry b\n  one\n  two\n");
	/* Who calls may be left open. */
	cli_scene_answers(scene, REJECTED);
	assert_int_equal(cli_scene_run(scene, "route sip:101@pbx"), FAILED);
	expect_text(scene->requests[1], "GET /route?to=sip%3A101%40pbx ");
	assert_string_equal(scene->out, "rejected   404 no entry\n");
	assert_string_equal(scene->err, "");
}

static void a_route_as_json_is_the_servers(void **state)
{
	struct cli_scene *scene = *state;
	json_t *want = json_loads(ROUTED, 0, NULL), *shown;

	cli_scene_answers(scene, ROUTED);
	assert_int_equal(cli_scene_run(scene, "route --json --explain sips:1@a"), OK);
	shown = json_loads(scene->out, 0, NULL);
	assert_true(json_equal(shown, want));
	json_decref(shown);
	json_decref(want);
}

/* A batch: one line a call, and all of it fails when one does. */
static void routes_in_a_batch_are_lines(void **state)
{
	struct cli_scene *scene = *state;

	scene->input = "# comment\n\n tel:+1\ttel:+2 \r\n+3\n";
	cli_scene_answers(scene, ROUTED);
	cli_scene_answers(scene, REJECTED);
	assert_int_equal(cli_scene_run(scene, "route -"), FAILED);
	assert_string_equal(scene->out,
			    "tel:+1\tsip:101@pbx\tsip:1@s\n+3\trejected 404\tno entry\n");
	expect_text(scene->requests[0], "?to=tel%3A%2B1&from=tel%3A%2B2 ");
	expect_text(scene->requests[1], "?to=%2B3 ");

	scene->input = "tel:+1\n";
	cli_scene_answers(scene, ROUTED);
	assert_int_equal(cli_scene_run(scene, "route --json -"), OK);
	assert_int_equal(strlen(scene->out), strcspn(scene->out, "\n") + 1);
	expect_text(scene->out, "\"asked\":\"tel:+1\"");

	/* The lines behind one with a slip are answered, too; it makes the batch fail. */
	scene->input = "tel:+1 tel:+2 tel:+3\ntel:+4\n";
	cli_scene_answers(scene, ROUTED);
	assert_int_equal(cli_scene_run(scene, "route -"), FAILED);
	assert_string_equal(scene->err,
			    "cig-cli: tel:+1 tel:+2: found a third word, expected <TO> [<FROM>]\n");
	assert_string_equal(scene->out, "tel:+4\tsip:101@pbx\tsip:1@s\n");
}

/* A tab of the server's adds no field. */
static void a_field_of_a_batch_stays_a_field(void **state)
{
	struct cli_scene *scene = *state;

	scene->input = "tel:+1\n";
	cli_scene_answers(scene, "{\"code\":484,\"reason\":\"a\\tb\\nc\"}");
	assert_int_equal(cli_scene_run(scene, "route -"), FAILED);
	assert_string_equal(scene->out, "tel:+1\trejected 484\ta\\x09b\\x0ac\n");
}

/* No server is asked. */
static void a_file_is_asked_instead_of_the_server(void **state)
{
	struct cli_scene *scene = *state;

	assert_int_equal(
		cli_scene_run_alone(
			scene, "route --config @/cig.conf --explain tel:+8888;101 tel:+8888;1"),
		OK);
	expect_text(scene->out, "to         sip:101@pbx.com\nfrom       sip:1@pbx.com\nby ");
	expect_text(scene->out, "entry e (");
	assert_int_equal(cli_scene_run_alone(scene, "route --config @/none.conf tel:+1"), FAILED);
	expect_text(scene->err, "cannot read ");
	assert_string_equal(scene->out, "");
}

/* ---- trace ---- */

/* The stream, until it ends. */
static void events_are_shown_as_they_come(void **state)
{
	struct cli_scene *scene = *state;

	cli_scene_answers_octets(
		scene, "HTTP/1.0 200 OK\r\n\r\n"
		       "{\"time\":\"12:00\",\"call\":7,\"side\":\"sip\",\"event\":\"routing\","
		       "\"in_from\":\"a\",\"in_to\":\"b\"}\n"
		       "{\"time\":\"12:01\",\"call\":7,\"side\":\"secure\",\"event\":\"routed\","
		       "\"out_from\":\"c\",\"out_to\":\"d\"}\n"
		       "{\"time\":\"12:02\",\"call\":7,\"side\":\"sip\",\"event\":\"180\"}\n"
		       "3 lines were lost\x1b\n");
	assert_int_equal(cli_scene_run(scene, "trace call tel:+1"), OK);
	expect_text(scene->requests[0], "GET /trace/call?match=tel%3A%2B1 ");
	assert_string_equal(scene->out, "12:00 call=7 sip    routing from=a to=b\n"
					"12:01 call=7 secure routed from=c to=d\n"
					"12:02 call=7 sip    180\n"
					"3 lines were lost\\x1b\n");
}

/* Whoever reads --json gets JSON, also where a peer's phrase has a control character. */
static void events_as_json_are_json(void **state)
{
	struct cli_scene *scene = *state;
	json_t *event;

	cli_scene_answers_octets(scene, "HTTP/1.0 200 OK\r\n\r\n{\"event\":\"a\xc2\x9b\x7f\"}\n");
	assert_int_equal(cli_scene_run(scene, "--json trace call"), OK);
	event = json_loads(scene->out, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(event, "event")), "a\xc2\x9b\x7f");
	assert_string_equal(scene->out, "{\"event\":\"a\\u009B\\u007F\"}\n");
	json_decref(event);
}

static const char sip_log[] = "12:00 from 10.0.0.1:5060 udp\n"
			      "   INVITE sip:101@pbx SIP/2.0\n"
			      "   Call-ID: abc\n"
			      "   \n"
			      "   v=0\n"
			      "12:01 to 10.0.0.1:5060 udp\n"
			      "   SIP/2.0 200 OK\n"
			      "   CALL-id \t:  abc \n"
			      "   \n"
			      "12:02 from 10.0.0.2:5060 udp\n"
			      "   OPTIONS sip:x SIP/2.0\n"
			      "   Call-ID: abcd\n"
			      "   \n"
			      "   Call-ID: abc\n"
			      "12:03 from 10.0.0.3:5060 udp\n"
			      "   BYE sip:x SIP/2.0\n"
			      "   i: abc\n"
			      "   Subject: \xc2\x9b"
			      "2J\xff\n"
			      "   \n";

/* Of exactly that call: not of one whose Call-ID begins alike, nor of one whose body quotes it. */
static void the_messages_of_one_call_are_taken_out_of_the_log(void **state)
{
	struct cli_scene *scene = *state;
	const char *second = strstr(sip_log, "12:02"), *third = strstr(sip_log, "12:03");
	char want[1024];

	snprintf(want, sizeof(want), "%.*s%.*s   Subject: \\xc2\\x9b2J\\xff\n   \n",
		 (int)(second - sip_log), sip_log, (int)(strstr(third, "   Subject") - third),
		 third);
	cli_scene_file(scene, "sip.log", sip_log);
	assert_int_equal(cli_scene_run_alone(scene, "trace sip abc"), OK);
	assert_string_equal(scene->out, want);
	/* A call that is under way is known by its number, too. */
	cli_scene_answers(scene, "{\"calls\":[{\"number\":6,\"sip_call_id\":\"abcd\"},"
				 "{\"number\":7,\"sip_call_id\":\"abc\"}]}");
	assert_int_equal(cli_scene_run(scene, "trace sip 7 @/sip.log"), OK);
	assert_string_equal(scene->out, want);
}

static void a_call_that_the_log_does_not_have_is_told(void **state)
{
	static const struct {
		const char *command, *answer, *said;
	} cases[] = {
		{ "trace sip ab", NULL, "has no message of that call\n" },
		{ "trace sip v=0", NULL, "has no message of that call\n" },
		{ "trace sip abc @/none.log", NULL, "No such file or directory; sip_trace true" },
		{ "trace sip 8", "{\"calls\":[{\"number\":7,\"sip_call_id\":\"abc\"}]}",
		  "no call 8 with a SIP side is under way" },
		{ "trace sip 7", "{\"calls\":[{\"number\":7}]}", "no call 7 with a SIP side" },
	};
	struct cli_scene *scene = *state;

	cli_scene_file(scene, "sip.log", sip_log);
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (cases[i].answer)
			cli_scene_answers(scene, cases[i].answer);
		assert_int_equal(cases[i].answer ? cli_scene_run(scene, cases[i].command)
						 : cli_scene_run_alone(scene, cases[i].command),
				 FAILED);
		expect_text(scene->err, cases[i].said);
		assert_string_equal(scene->out, "");
	}
}

/* ---- configurations ---- */

/* CIG-103: all faults with their places and how many there are; no server is asked. */
static void a_configuration_is_read_and_its_faults_are_told(void **state)
{
	struct cli_scene *scene = *state;

	assert_int_equal(cli_scene_run_alone(scene, "read @/cig.conf"), OK);
	expect_text(scene->out, "/cig.conf: ");
	expect_text(scene->out, "; digest ");
	cli_scene_file(scene, "bad.conf", "bad_word 1;\nuserdata \"no path\";\n");
	assert_int_equal(cli_scene_run_alone(scene, "read @/bad.conf"), FAILED);
	expect_text(scene->err, "/bad.conf:1:1: error: ");
	expect_text(scene->err, "/bad.conf:2:");
	expect_text(scene->err, " errors, ");
	expect_text(scene->err, "; not usable\n");
	assert_string_equal(scene->out, "");
}

static void a_configuration_is_read_for_programs_too(void **state)
{
	struct cli_scene *scene = *state;
	const json_t *note;
	json_t *report;

	assert_int_equal(cli_scene_run_alone(scene, "--json read @/cig.conf"), OK);
	report = json_loads(scene->out, 0, NULL);
	assert_true(json_is_true(json_object_get(report, "usable")));
	assert_int_equal(json_integer_value(json_object_get(report, "errors")), 0);
	assert_int_equal(json_string_length(json_object_get(report, "digest")), 16);
	json_decref(report);
	cli_scene_file(scene, "bad.conf", "bad_word 1;\nuserdata \"no path\";\n");
	assert_int_equal(cli_scene_run_alone(scene, "read @/bad.conf --json"), FAILED);
	assert_string_equal(scene->err, "");
	report = json_loads(scene->out, 0, NULL);
	assert_true(json_is_false(json_object_get(report, "usable")));
	assert_int_equal(json_integer_value(json_object_get(report, "errors")),
			 json_array_size(json_object_get(report, "notes")) -
				 (size_t)json_integer_value(json_object_get(report, "warnings")));
	note = json_array_get(json_object_get(report, "notes"), 0);
	assert_string_equal(json_string_value(json_object_get(note, "severity")), "error");
	assert_int_equal(json_integer_value(json_object_get(note, "line")), 1);
	expect_text(json_string_value(json_object_get(note, "file")), "/bad.conf");
	expect_text(json_string_value(json_object_get(note, "text")), "bad_word");
	json_decref(report);
}

/* The control port that cig.conf names, also when the file has faults elsewhere. */
static void the_server_is_where_the_configuration_says(void **state)
{
	static const struct {
		const char *config, *address;
	} cases[] = {
		{ "control { bind 127.0.0.1; port 9; }\n", " on 127.0.0.1:9: " },
		{ "control { bind ::1; port 9; }\n", " on [::1]:9: " },
	};
	struct cli_scene *scene = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		cli_scene_file(scene, "places.conf", cases[i].config);
		assert_int_equal(cli_scene_run_at(scene, "--config @/places.conf status"), FAILED);
		expect_text(scene->err, cases[i].address);
	}
}

/* ---- keys ---- */

/* A gateway's letter as its file has it, protected or not. */
static void write_letter(const struct cli_scene *scene, uint32_t engines, const uint8_t *qr_key)
{
	struct world *w;
	struct letter letter;
	uint8_t plain[LETTER_OCTETS_MAX], sealed[LETTER_OCTETS_MAX];
	char text[LETTER_TEXT_MAX];
	void *made = NULL;
	size_t n;

	assert_int_equal(world_make(&made), 0);
	w = made;
	letter = world_letter(w, 1);
	letter.engines = engines;
	assert_int_equal(letter_encode(&letter, plain, &n), 0);
	if (qr_key) {
		assert_int_equal(letter_protect(slice_of(plain, n), qr_key, sealed, &n), 0);
		memcpy(plain, sealed, n);
	}
	assert_int_equal(letter_text_write(slice_of(plain, n), text, sizeof(text)), 0);
	cli_scene_file(scene, "letter", text);
	world_end(&made);
}

static bool has_keys(const struct cli_scene *scene)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/.ks." WORLD_URI, scene->dir);
	return access(path, F_OK) == 0;
}

static void a_letter_becomes_the_gateways_keys(void **state)
{
	struct cli_scene *scene = *state;

	write_letter(scene, 8, NULL);
	cli_scene_answers(scene, "{\"done\":true}");
	assert_int_equal(cli_scene_run(scene, "set-key --file @/letter"), OK);
	expect_text(scene->out, "The keys of " WORLD_URI " are in /tmp/");
	expect_text(scene->out, "\ncig-server has loaded them.\n");
	expect_text(scene->requests[0], "POST /reload-keys HTTP/1.0\r\n");
	assert_true(has_keys(scene));
	/* The keys are there; a server that is not will find them. */
	assert_int_equal(cli_scene_run_alone(scene, "set-key --file @/letter"), OK);
	expect_text(scene->out, "cig-server loads them when it starts (cig-server is not running");
}

static void a_letter_that_is_typed_may_have_slips(void **state)
{
	struct cli_scene *scene = *state;
	char path[128], *input;
	uint8_t *text;
	size_t n;

	write_letter(scene, 8, NULL);
	snprintf(path, sizeof(path), "%s/letter", scene->dir);
	assert_int_equal(file_read(path, LETTER_TEXT_MAX, &text, &n), 0);
	assert_true(asprintf(&input, "Letter\n\n01. Ab3d : AAAA\n%.*s\nnothing more\n", (int)n,
			     (const char *)text) > 0);
	scene->input = input;
	assert_int_equal(cli_scene_run_alone(scene, "set-key"), OK);
	/* The heading, the empty line below it, and the slip. */
	expect_text(scene->out,
		    "01: This is not line 1, or it has a slip: type it again.\n01: "
		    "01: This is not line 1, or it has a slip: type it again.\n01: 02: ");
	expect_text(scene->out, "The keys of " WORLD_URI);
	assert_true(has_keys(scene));
	free(input);
	free(text);
	/* Nothing typed is no letter. */
	scene->input = "\n";
	assert_int_equal(cli_scene_run_alone(scene, "set-key"), FAILED);
	expect_text(scene->err,
		    "cig-cli: the keys are not changed: no line of the letter was typed");
}

/* The manual has root type it; cig-server, which is ciguser, reads the keys and replaces them. */
static void keys_that_root_sets_belong_to_the_user_of_userdata(void **state)
{
	enum { CIGUSER = 64999 }; /* an id that needs no account */
	struct cli_scene *scene = *state;
	char path[160];
	struct stat st;

	if (geteuid() != 0)
		skip();
	write_letter(scene, 8, NULL);
	assert_int_equal(chown(scene->dir, CIGUSER, CIGUSER), 0);
	assert_int_equal(cli_scene_run_alone(scene, "set-key --file @/letter"), OK);
	snprintf(path, sizeof(path), "%s/.ks." WORLD_URI, scene->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, CIGUSER);
	assert_int_equal(st.st_gid, CIGUSER);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_protected_letter_needs_its_key(void **state)
{
	static const uint8_t qr_key[LETTER_QR_KEY_SIZE] = { 1, 2, 3 };
	struct cli_scene *scene = *state;
	char key[LETTER_QR_KEY_TEXT_SIZE];

	write_letter(scene, 8, qr_key);
	scene->typed = "0000 0000 0000 0000 0000 0000 0000 0000";
	assert_int_equal(cli_scene_run_alone(scene, "set-key --file @/letter"), FAILED);
	expect_text(scene->err, "cig-cli: the keys are not changed: ");
	assert_false(has_keys(scene));
	letter_qr_key_format(qr_key, key);
	scene->typed = key;
	assert_int_equal(cli_scene_run_alone(scene, "set-key --file @/letter"), OK);
	assert_true(has_keys(scene));
}

static void another_letter_than_a_gateways_is_refused(void **state)
{
	struct cli_scene *scene = *state;

	write_letter(scene, 0, NULL);
	assert_int_equal(cli_scene_run_alone(scene, "set-key --file @/letter"), FAILED);
	expect_text(scene->err, "this letter is a user's (" WORLD_URI "), not a gateway's");
	assert_false(has_keys(scene));
	cli_scene_file(scene, "letter", "nothing\n");
	assert_int_equal(cli_scene_run_alone(scene, "set-key --file @/letter"), FAILED);
	expect_text(scene->err, "cig-cli: the keys are not changed: ");
	assert_int_equal(cli_scene_run_alone(scene, "set-key --file @/none"), FAILED);
	expect_text(scene->err, "/none");
	assert_string_equal(scene->out, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, cli_scene_begin, cli_scene_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_route_is_told_with_the_entries_that_gave_it),
		TEST(a_route_as_json_is_the_servers),
		TEST(routes_in_a_batch_are_lines),
		TEST(a_field_of_a_batch_stays_a_field),
		TEST(a_file_is_asked_instead_of_the_server),
		TEST(events_are_shown_as_they_come),
		TEST(events_as_json_are_json),
		TEST(the_messages_of_one_call_are_taken_out_of_the_log),
		TEST(a_call_that_the_log_does_not_have_is_told),
		TEST(a_configuration_is_read_and_its_faults_are_told),
		TEST(a_configuration_is_read_for_programs_too),
		TEST(the_server_is_where_the_configuration_says),
		TEST(a_letter_becomes_the_gateways_keys),
		TEST(a_letter_that_is_typed_may_have_slips),
		TEST(keys_that_root_sets_belong_to_the_user_of_userdata),
		TEST(a_protected_letter_needs_its_key),
		TEST(another_letter_than_a_gateways_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
