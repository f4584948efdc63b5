/* What cig-cli prints and how it ends: its lists and its status page, in words, as JSON, and when
 * the server's answers are not what they should be. */
#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "tests/gateway/cli_scene.h"

enum { OK = 0, FAILED = 1, USAGE = 2 };

static void expect_text(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

/* CIG-098, CIG-099: the manual's columns, each as wide as its widest field. */
static void calls_are_listed_in_aligned_columns(void **state)
{
	struct cli_scene *scene = *state;

	cli_scene_answers(scene,
			  "{\"calls\":[{\"in_from\":\"tel:+46701\",\"in_to\":\"tel:+8888;101\","
			  "\"out_from\":\"sip:46701@secure.com\",\"out_to\":\"sip:101@pbx.com\","
			  "\"state\":\"ANSWER\",\"number\":7},"
			  "{\"in_from\":\"sip:\xc3\xa5sa@pbx.com\",\"in_to\":\"sip:4\",\"state\":"
			  "\"RING\"}]}");
	assert_int_equal(cli_scene_run(scene, "show call"), OK);
	assert_string_equal(
		scene->out,
		"IN-FROM          IN-TO          OUT-FROM              OUT-TO           STATE\n"
		"tel:+46701       tel:+8888;101  sip:46701@secure.com  sip:101@pbx.com  ANSWER\n"
		"sip:\xc3\xa5sa@pbx.com  sip:4                                                 "
		"RING\n");
	assert_string_equal(scene->err, "");
	expect_text(scene->requests[0], "GET /calls HTTP/1.0\r\n");
}

static void a_long_list_has_what_each_leg_lost(void **state)
{
	struct cli_scene *scene = *state;

	cli_scene_answers(scene, "{\"calls\":[{\"in_from\":\"a\",\"in_to\":\"b\",\"number\":12,"
				 "\"duration_s\":61,\"pbx\":{\"codec\":\"PCMA\",\"lost\":1,"
				 "\"received\":99,\"jitter_ms\":2.25},\"secure\":null}]}");
	assert_int_equal(cli_scene_run(scene, "show --long call"), OK);
	expect_text(scene->requests[0], "GET /calls?media HTTP/1.0\r\n");
	assert_string_equal(
		scene->out,
		"IN-FROM  IN-TO  OUT-FROM  OUT-TO  STATE  CALL  SECONDS  PBX   LOST  JITTER-MS  "
		"SECURE  LOST  JITTER-MS\n"
		"a        b                               12    61       PCMA  1.0%  2.2        "
		"-       -     -\n");
}

/* A share of nothing is no share: no packet was due yet. */
static void nothing_lost_of_nothing_is_no_share(void **state)
{
	struct cli_scene *scene = *state;

	cli_scene_answers(scene, "{\"calls\":[{\"pbx\":{\"lost\":0,\"received\":0}}]}");
	assert_int_equal(cli_scene_run(scene, "show call --long"), OK);
	expect_text(scene->out, "0.0%");
}

static void empty_lists_have_their_heading(void **state)
{
	static const struct {
		const char *what, *answer, *request, *heading;
	} cases[] = {
		{ "show call", "{\"calls\":[]}", "GET /calls ",
		  "IN-FROM  IN-TO  OUT-FROM  OUT-TO  STATE\n" },
		{ "show umsg", "{\"sessions\":[]}", "GET /umsg ", "FROM  TO  STATE  TIME  ID\n" },
		{ "show message", "{\"messages\":[]}", "GET /messages ",
		  "ID  DIRECTION  FROM  TO  WHERE  STATE  TRIES  WHY\n" },
		{ "show center", "{\"centers\":[]}", "GET /centers ",
		  "CENTER  STATE  PEER  TAKEN  INCOMING  IN-HAND  AWAITED  WHY\n" },
	};
	struct cli_scene *scene = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		cli_scene_answers(scene, cases[i].answer);
		assert_int_equal(cli_scene_run(scene, cases[i].what), OK);
		assert_string_equal(scene->out, cases[i].heading);
		expect_text(scene->requests[i], cases[i].request);
	}
}

/* A field as long as the protocol lets it be is shown whole, and moves the columns of all. */
static void a_long_field_is_not_cut(void **state)
{
	struct cli_scene *scene = *state;
	char why[2001], answer[2200], *line;

	memset(why, 'w', sizeof(why) - 1);
	why[sizeof(why) - 1] = '\0';
	snprintf(answer, sizeof(answer),
		 "{\"sessions\":[{\"from\":\"%s\",\"to\":\"x\",\"state\":\"S\"}]}", why);
	cli_scene_answers(scene, answer);
	assert_int_equal(cli_scene_run(scene, "show umsg"), OK);
	line = strchr(scene->out, '\n');
	assert_non_null(line);
	assert_int_equal(strspn(line + 1, "w"), sizeof(why) - 1);
	expect_text(line, "w  x   S");
}

static void json_is_what_the_server_said(void **state)
{
	static const char *const commands[] = { "show --json call", "status" };
	struct cli_scene *scene = *state;
	json_t *said, *shown;

	said = json_loads("{\"calls\":[{\"a\":1}],\"more\":\"\\u001b[2J\\u009b2J\\u007f\"}", 0,
			  NULL);
	for (size_t i = 0; i < COUNT(commands); i++) {
		char command[64], *text = json_dumps(said, 0);

		cli_scene_answers(scene, text);
		snprintf(command, sizeof(command), "--json %s", commands[i]);
		assert_int_equal(cli_scene_run(scene, command), OK);
		shown = json_loads(scene->out, 0, NULL);
		assert_true(json_equal(shown, said));
		expect_text(scene->out, "\\u001B[2J\\u009B2J\\u007F");
		json_decref(shown);
		free(text);
	}
	json_decref(said);
}

static const char status[] =
	"{\"version\":\"1.2\",\"relay\":{\"state\":\"CONNECTED\",\"calls\":3,\"capacity\":100,"
	"\"cpu_percent\":7,\"late_ms\":1,\"opus_complexity\":5,\"dropped\":2,\"refused\":4},"
	"\"engines\":{\"available\":7,\"total\":8},\"umsg\":{\"public_id\":\"tel:+8888\","
	"\"domain\":\"Demo\",\"crs_address\":\"crs:5223\",\"connection\":\"CONNECTED\","
	"\"crypto\":\"OK\",\"periods\":[{\"month\":\"2026-11\",\"revision\":2}]},"
	"\"sip\":{\"bind\":\"10.0.0.1\",\"state\":\"READY\",\"pbxs\":[{\"name\":\"acme\","
	"\"state\":\"UP\",\"servers\":[{\"address\":\"10.0.0.9:5060\",\"transport\":\"udp\","
	"\"state\":\"UP\",\"code\":200,\"round_trip_ms\":12},{\"address\":\"10.0.0.8:5060\","
	"\"transport\":\"tcp\",\"state\":\"DOWN\"}],\"registration\":{\"aor\":\"sip:gw@acme\","
	"\"state\":\"REGISTERED\"}}]},\"centers\":[{\"name\":\"smsc\",\"state\":\"BOUND\"}],"
	"\"config\":{\"path\":\"/etc/cig.conf\",\"read\":\"now\",\"digest\":\"abc\"},"
	"\"problems\":[\"one\",\"two\"]}";

/* CIG-104, CIG-105, CIG-106: the manual's page. */
static void the_status_is_the_manuals_page_and_more(void **state)
{
	struct cli_scene *scene = *state;

	cli_scene_answers(scene, status);
	assert_int_equal(cli_scene_run(scene, "status"), OK);
	assert_string_equal(scene->out,
			    "Tandem interconnect gateway v1.2\n"
			    "\n"
			    "Relay connection state    CONNECTED\n"
			    "Crypto engines available  7/8\n"
			    "\n"
			    "UMSG status:\n"
			    "----------------------------------------\n"
			    "Public ID                 tel:+8888\n"
			    "Security Domain           Demo\n"
			    "CRS Address               crs:5223\n"
			    "Connection state          CONNECTED\n"
			    "Crypto state              OK\n"
			    "Crypto period 1           2026-11-2\n"
			    "\n"
			    "SIP status:\n"
			    "----------------------------------------\n"
			    "SIP Bind address          10.0.0.1\n"
			    "SIP state                 READY\n"
			    "PBX acme                  UP\n"
			    "  10.0.0.9:5060/udp       UP (200, 12 ms)\n"
			    "  10.0.0.8:5060/tcp       DOWN\n"
			    "  sip:gw@acme             REGISTERED\n"
			    "\n"
			    "Media:\n"
			    "----------------------------------------\n"
			    "Calls                     3/100\n"
			    "Load                      CPU 7 %, 1 ms late, Opus complexity 5\n"
			    "Dropped                   2 packets, 4 calls refused\n"
			    "\n"
			    "SMPP status:\n"
			    "----------------------------------------\n"
			    "Message center            smsc\n"
			    "Connection state          BOUND\n"
			    "\n"
			    "Configuration:\n"
			    "----------------------------------------\n"
			    "File                      /etc/cig.conf\n"
			    "Read                      now\n"
			    "Digest                    abc\n"
			    "\n"
			    "Problem: one\n"
			    "Problem: two\n");
}

/* Another version's: what is missing is "-", and never "(null)". */
static void a_status_without_its_parts_is_shown_without_them(void **state)
{
	struct cli_scene *scene = *state;

	cli_scene_answers(scene, "{\"relay\":7,\"sip\":{\"pbxs\":[{},7]},\"problems\":[7]}");
	assert_int_equal(cli_scene_run(scene, "status"), OK);
	expect_text(scene->out, "Relay connection state    -\n");
	expect_text(scene->out, "Crypto engines available  0/0\n");
	expect_text(scene->out, "\nProblem: \n");
	assert_null(strstr(scene->out, "(null)"));
	assert_null(strstr(scene->out, "Media:"));
	assert_null(strstr(scene->out, "SMPP status:"));
}

/* Whatever the server says: a line of it is a line, and nothing speaks to the terminal. */
static void control_characters_of_others_are_spelled_out(void **state)
{
	static const struct {
		const char *command, *answer, *shown;
	} cases[] = {
		{ "show umsg", "{\"sessions\":[{\"from\":\"a\\u001b[2J\\nb\\u009b\\u007f\"}]}",
		  "a\\x1b[2J\\x0ab\\xc2\\x9b\\x7f" },
		{ "echo x", "{\"text\":\"a\\u001b[2J\\nb\\u009b\\u007f\"}",
		  "a\\x1b[2J\\x0ab\\xc2\\x9b\\x7f\n" },
		{ "status",
		  "{\"version\":\"1\\nProblem: none\",\"problems\":[\"\\u001b]0;x\\u0007\"]}",
		  "\nProblem: \\x1b]0;x\\x07\n" },
		{ "status",
		  "{\"sip\":{\"pbxs\":[{\"name\":\"n\\r\",\"servers\":[{\"state\":\"s\\u001b\"}],"
		  "\"registration\":{\"aor\":\"\\u009b\",\"state\":\"\\b\"}}]}}",
		  "s\\x1b\n" },
		{ "reload", "{\"lines\":[{\"change\":\"added\",\"line\":\"x\\u001b\\n\"}]}",
		  "\n+ x\\x1b\\x0a\n" },
		{ "route tel:+1", "{\"routed\":true,\"to\":\"sip:\\u001b\\n\"}",
		  "\nto         sip:\\x1b\\x0a\n" },
		{ "route --explain tel:+1",
		  "{\"code\":404,\"reason\":\"\\u009b\",\"explain\":[\"\\r\",7]}",
		  "rejected   404 \\xc2\\x9b\n  \\x0d\n" },
		{ "trace call",
		  "{\"time\":\"t\\u001b\",\"call\":1,\"side\":\"\\n\",\"event\":\"routing\","
		  "\"in_from\":\"\\u009b\",\"in_to\":\"\\u007f\"}\n",
		  "t\\x1b call=1 \\x0a      routing from=\\xc2\\x9b to=\\x7f\n" },
	};
	struct cli_scene *scene = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		cli_scene_answers(scene, cases[i].answer);
		cli_scene_run(scene, cases[i].command);
		expect_text(scene->out, cases[i].shown);
		for (const char *p = scene->out; *p; p++)
			assert_true((uint8_t)*p >= 0x20 ? *p != 0x7f : *p == '\n');
		assert_null(strstr(scene->out, "\xc2\x9b"));
	}
}

static void a_refusal_is_told_and_fails(void **state)
{
	static const char *const commands[] = {
		"echo x", "show call",  "show center --long", "status", "message retry abc",
		"reload", "trace call",
	};
	struct cli_scene *scene = *state;

	for (size_t i = 0; i < COUNT(commands); i++) {
		cli_scene_refuses(scene, 409, "not \\u001b now");
		assert_int_equal(cli_scene_run(scene, commands[i]), FAILED);
		assert_string_equal(scene->err, "cig-cli: cig-server: not \\x1b now\n");
		assert_string_equal(scene->out, "");
	}
}

static void what_is_no_answer_is_told_and_fails(void **state)
{
	static const struct {
		const char *octets, *why;
	} cases[] = {
		{ "HTTP/1.0 200 OK\r\nContent-Length: 90\r\n\r\n{\"calls\":[]}",
		  "the answer was cut short" },
		{ "HTTP/1.0 200 OK\r\n\r\n{\"calls\":[", "the answer is not JSON" },
		{ "HTTP/1.0 200 OK\r\n\r\n", "the answer is not what was asked for" },
		{ "HTTP/1.0 200 OK\r\n\r\n[1]", "the answer is not what was asked for" },
		{ "HTTP/1.0 200 OK\r\n\r\n{}", "the server's answer has no list of calls" },
		{ "HTTP/1.0 200 OK\r\n\r\n{\"calls\":{}}",
		  "the server's answer has no list of calls" },
		{ "SSH-2.0-OpenSSH\r\n\r\n", "the answer is not HTTP" },
		{ "HTTP/1.0 200 OK\r\n", "closed without an answer" },
	};
	struct cli_scene *scene = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		char command[32];

		cli_scene_answers_octets(scene, cases[i].octets);
		snprintf(command, sizeof(command), "%sshow call", i % 2 ? "--json " : "");
		assert_int_equal(cli_scene_run(scene, command), FAILED);
		expect_text(scene->err, cases[i].why);
		assert_string_equal(scene->out, "");
	}
}

static void a_server_that_is_not_there_is_told(void **state)
{
	static const char *const commands[] = {
		"echo x", "show message", "status",     "message drop abc",
		"reload", "route tel:+1", "trace call", "trace sip 7",
	};
	struct cli_scene *scene = *state;

	for (size_t i = 0; i < COUNT(commands); i++) {
		assert_int_equal(cli_scene_run_alone(scene, commands[i]), FAILED);
		expect_text(scene->err, "cig-cli: cig-server is not running on /tmp/");
		assert_string_equal(scene->out, "");
	}
}

static void what_changes_something_comes_with_a_proof(void **state)
{
	static const struct {
		const char *command, *request;
	} cases[] = {
		{ "message retry a+/=", "POST /message/retry?id=a%2B%2F%3D HTTP/1.0\r\n" },
		{ "message drop a", "POST /message/drop?id=a HTTP/1.0\r\n" },
		{ "reload", "POST /reload HTTP/1.0\r\n" },
	};
	struct cli_scene *scene = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		cli_scene_answers(scene, "{\"done\":true}");
		assert_int_equal(cli_scene_run(scene, cases[i].command), OK);
		expect_text(scene->requests[i], cases[i].request);
		expect_text(scene->requests[i], "\r\nAuthorization: Tandem-HMAC ");
	}
}

static void a_reload_says_what_changed(void **state)
{
	struct cli_scene *scene = *state;

	cli_scene_answers(scene,
			  "{\"added\":1,\"changed\":2,\"removed\":3,\"lines\":["
			  "{\"change\":\"added\",\"line\":\"pbx a\"},"
			  "{\"change\":\"changed\",\"line\":\"map m\"},"
			  "{\"change\":\"removed\",\"line\":\"pbx b\"}],\"summary\":\"2 maps\"}");
	assert_int_equal(cli_scene_run(scene, "reload"), OK);
	assert_string_equal(scene->out, "1 added, 2 changed, 3 removed\n+ pbx a\n* map m\n- pbx b\n"
					"new calls use: 2 maps\n");
	/* Faults of a file come one a line, and stay so. */
	cli_scene_refuses(scene, 409, "cig.conf:1:2: a\\ncig.conf:3:4: b");
	assert_int_equal(cli_scene_run(scene, "reload"), FAILED);
	assert_string_equal(scene->err, "cig-cli: cig-server: cig.conf:1:2: a\ncig.conf:3:4: b\n");
}

/* Until the server is gone, so many seconds apart. */
static void a_list_is_watched_until_the_server_is_gone(void **state)
{
	static const struct {
		const char *command;
		unsigned seconds;
	} cases[] = { { "show umsg --watch", 2 }, { "show umsg --watch 30", 30 } };
	struct cli_scene *scene = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		scene->slept_s = 0;
		cli_scene_answers(scene, "{\"sessions\":[{\"id\":\"first\"}]}");
		cli_scene_answers(scene, "{\"sessions\":[{\"id\":\"second\"}]}");
		assert_int_equal(cli_scene_run(scene, cases[i].command), FAILED);
		expect_text(strstr(scene->out, "first\n\n"), "second\n\n");
		assert_null(strchr(scene->out, '\x1b')); /* this is no terminal */
		expect_text(scene->err, "closed without an answer");
		assert_int_equal(scene->slept_s, 2 * cases[i].seconds);
	}
}

static void slips_on_the_command_line_are_usage(void **state)
{
	static const struct {
		const char *command, *said;
	} cases[] = {
		{ "shwo call", "unknown action \"shwo\", did you mean \"show\"?" },
		{ "frobnicate", "unknown action \"frobnicate\"; \"help\" lists them" },
		{ "show", "usage: cig-cli show" },
		{ "show calls", "usage: cig-cli show" },
		{ "show call umsg", "usage: cig-cli show" },
		{ "show call --wide", "usage: cig-cli show" },
		{ "show call --watch 0", "usage: cig-cli show" },
		{ "show call --watch 3601", "usage: cig-cli show" },
		{ "show call --watch 2s", "usage: cig-cli show" },
		{ "show call 5", "usage: cig-cli show" },
		{ "status now", "usage: cig-cli status" },
		{ "reload cig.conf", "usage: cig-cli reload" },
		{ "read", "usage: cig-cli read" },
		{ "message", "usage: cig-cli message" },
		{ "message push a", "usage: cig-cli message" },
		{ "message retry", "usage: cig-cli message" },
		{ "message retry a b", "usage: cig-cli message" },
		{ "set-key letter", "usage: cig-cli set-key" },
		{ "trace", "usage: cig-cli trace call" },
		{ "trace calls", "usage: cig-cli trace call" },
		{ "trace call 1 2", "usage: cig-cli trace call" },
		{ "trace sip", "usage: cig-cli trace sip" },
		{ "trace sip 1 2 3", "usage: cig-cli trace sip" },
		{ "route", "usage: cig-cli route" },
		{ "route tel:+1 tel:+2 tel:+3", "usage: cig-cli route" },
		{ "route +1", "\"+1\": write tel:+1 " },
		{ "route tel:+1 101@pbx", "\"101@pbx\": write tel:101@pbx " },
		{ "--frob", "see cig-cli --help" },
		{ "--address", "see cig-cli --help" },
	};
	struct cli_scene *scene = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(cli_scene_run_alone(scene, cases[i].command), USAGE);
		expect_text(scene->err, cases[i].said);
		assert_string_equal(scene->out, "");
	}
}

/* What does not fit is refused: half of it would be another address, id or URI. */
static void what_is_too_long_is_usage(void **state)
{
	static const struct {
		const char *before;
		size_t n;
		int status;
	} cases[] = {
		{ "echo ", 700, OK },
		{ "message drop ", 250, USAGE },
		{ "--address /", 127, USAGE },
	};
	struct cli_scene *scene = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		char command[1024];
		size_t n = strlen(cases[i].before);

		snprintf(command, sizeof(command), "%s", cases[i].before);
		memset(command + n, 'x', cases[i].n);
		command[n + cases[i].n] = '\0';
		if (cases[i].status == OK)
			cli_scene_answers(scene, "{\"text\":\"x\"}");
		assert_int_equal(cases[i].status == OK ? cli_scene_run(scene, command)
						       : cli_scene_run_alone(scene, command),
				 cases[i].status);
		if (cases[i].status != OK)
			expect_text(scene->err, "too long");
	}
}

/* CIG-094, CIG-096, CIG-097 */
static void interactive_mode_says_how_each_action_went(void **state)
{
	struct cli_scene *scene = *state;

	scene->input = "\n  echo \"one  two\"  three\nnonsense\n\tshow --json umsg\nshow umsg\n"
		       "exit\nstatus\n";
	cli_scene_answers(scene, "{\"text\":\"back\"}");
	cli_scene_answers(scene, "{\"sessions\":[]}");
	cli_scene_answers(scene, "{\"sessions\":[]}");
	assert_int_equal(cli_scene_run(scene, ""), OK);
	expect_text(scene->requests[0], "GET /echo?text=one%20%20two%20three ");
	/* --json of one action is not for the next one. */
	assert_string_equal(scene->out, "cig-cli$ cig-cli$ back\nOK\ncig-cli$ FAILED\n"
					"cig-cli$ {\n  \"sessions\": []\n}\nOK\n"
					"cig-cli$ FROM  TO  STATE  TIME  ID\nOK\ncig-cli$ ");
	expect_text(scene->err, "unknown action \"nonsense\"");
	/* The last action's outcome is the program's, for whoever pipes actions into it. */
	scene->input = "help\nshow nothing\n";
	assert_int_equal(cli_scene_run_alone(scene, ""), USAGE);
	scene->input = "show nothing\nhelp\nquit\n";
	assert_int_equal(cli_scene_run_alone(scene, ""), OK);
	expect_text(scene->out, "set-key [--file FILE]");
}

static void help_and_version_ask_nobody(void **state)
{
	struct cli_scene *scene = *state;

	assert_int_equal(cli_scene_run_alone(scene, "--help"), OK);
	expect_text(scene->out, "Exit status: 0 done");
	assert_int_equal(cli_scene_run_alone(scene, "--version"), OK);
	assert_int_equal(strncmp(scene->out, "cig-cli ", 8), 0);
	assert_int_equal(cli_scene_run_alone(scene, "help"), OK);
	/* A line that is too long for its column, and one that is not. */
	expect_text(scene->out,
		    "  show call|umsg|message|center [--long] [--watch [SECONDS]]\n   ");
	expect_text(scene->out, "  status                                             show the ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, cli_scene_begin, cli_scene_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(calls_are_listed_in_aligned_columns),
		TEST(a_long_list_has_what_each_leg_lost),
		TEST(nothing_lost_of_nothing_is_no_share),
		TEST(empty_lists_have_their_heading),
		TEST(a_long_field_is_not_cut),
		TEST(json_is_what_the_server_said),
		TEST(the_status_is_the_manuals_page_and_more),
		TEST(a_status_without_its_parts_is_shown_without_them),
		TEST(control_characters_of_others_are_spelled_out),
		TEST(a_refusal_is_told_and_fails),
		TEST(what_is_no_answer_is_told_and_fails),
		TEST(a_server_that_is_not_there_is_told),
		TEST(what_changes_something_comes_with_a_proof),
		TEST(a_reload_says_what_changed),
		TEST(a_list_is_watched_until_the_server_is_gone),
		TEST(slips_on_the_command_line_are_usage),
		TEST(what_is_too_long_is_usage),
		TEST(interactive_mode_says_how_each_action_went),
		TEST(help_and_version_ask_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
