/* The real cig-server with its cig-sip, without keys: what its command line and its configuration
 * come to, what it answers to a PBX while nobody secure can be reached, and how it takes a new
 * configuration and its end. */
#include "tests/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/net.h"
#include "tests/gateway/sip_programs.h"
#include "tests/keys/world.h"

enum { OK = 0, FAILED = 1, USAGE = 2, PATIENCE_MS = 20000, STEP_MS = 20, WORDS_MAX = 12 };
enum { SIP_PORT, CONTROL_PORT, METRICS_PORT, PBX_PORT, PORTS };

struct scene {
	char dir[64], config[96];
	char log_dir[96], run_dir[160]; /* as the configuration has them */
	unsigned ports[PORTS];
	char *text; /* of the last file_text() */
	pid_t server, relay;
	int pbx;
};

/* ---- files ---- */

static const char *file_text(struct scene *scene, const char *name)
{
	char path[128];
	uint8_t *octets;
	size_t n;

	free(scene->text);
	scene->text = NULL;
	snprintf(path, sizeof(path), "%s/%s", scene->dir, name);
	if (file_read(path, 1 << 20, &octets, &n))
		return "";
	scene->text = realloc(octets, n + 1);
	assert_non_null(scene->text);
	scene->text[n] = '\0';
	return scene->text;
}

/* Waits until the file has that text, behind the other. */
static void await_behind(struct scene *scene, const char *name, const char *before,
			 const char *text)
{
	int64_t end = clock_mono_ms() + PATIENCE_MS;
	const char *at;

	while (!(at = strstr(file_text(scene, name), before)) || !strstr(at, text)) {
		if (clock_mono_ms() > end)
			fail_msg("\"%s\" is not in %s:\n%s", text, name, scene->text);
		poll(NULL, 0, STEP_MS);
	}
}

static void await_line(struct scene *scene, const char *name, const char *text)
{
	await_behind(scene, name, "", text);
}

static void write_file(const struct scene *scene, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", scene->dir, name);
	assert_int_equal(file_write_atomic(path, 0600, slice_str(text)), 0);
}

/* sip: more of the sip block; more: behind the blocks. */
static void write_config(const struct scene *scene, const char *sip, const char *more)
{
	char text[4096];

	snprintf(text, sizeof(text),
		 "map tel2sip { entry all tel \"tel:+8888;{ext}\" sip "
		 "\"sip:{ext}@127.0.0.1:%u\"; }\n"
		 "map sip2source { entry all sip \"sip:{ext}@{discard}\" tel \"tel:+8888;{ext}\"; "
		 "}\n"
		 "map sip2tel { entry users sip \"sip:{number}@{discard}\" tel \"tel:+{number}\"; "
		 "}\n"
		 "map tel2source { entry users tel \"tel:+{number}\" sip "
		 "\"sip:{number}@secure.com\"; }\n"
		 "interfaces {\n"
		 "tel { extension map tel2sip; source map sip2source; }\n"
		 "sip { extension map sip2tel; source map tel2source; bind 127.0.0.1; port %u;\n"
		 "rtp_port_range 40000 40009; trusted \"127.0.0.0/8\"; %s }\n"
		 "}\n"
		 "userdata \"%s/userdata\";\nlog_dir \"%s\";\nrun_dir \"%s\";\n"
		 "control { bind 127.0.0.1; port %u; }\n%s\n",
		 scene->ports[PBX_PORT], scene->ports[SIP_PORT], sip, scene->dir, scene->log_dir,
		 scene->run_dir, scene->ports[CONTROL_PORT], more);
	write_file(scene, "cig.conf", text);
}

/* ---- the program ---- */

/* Starts cig-server with these words, parted by blanks. */
static pid_t start(struct scene *scene, const char *words)
{
	const char *argv[WORDS_MAX + 2] = { "gateway/cig-server" };
	char text[512], *rest = text, *word, log[96];
	int argc = 1;

	snprintf(log, sizeof(log), "%s/log", scene->dir);
	snprintf(text, sizeof(text), "%s", words);
	while ((word = strsep(&rest, " ")) && argc <= WORDS_MAX)
		if (*word)
			argv[argc++] = word;
	write_file(scene, "out/log", "");
	snprintf(log, sizeof(log), "%s/out", scene->dir);
	return program_start(argv, log);
}

/* Runs it to its end; returns the exit status. */
static int run(struct scene *scene, const char *words)
{
	char out[96];

	snprintf(out, sizeof(out), "%s/out", scene->dir);
	return program_wait(start(scene, words), out);
}

static int set_up(void **state)
{
	static const char *const folders[] = { "userdata", "log", "run", "out" };
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	program_make_dir(scene->dir);
	for (size_t i = 0; i < COUNT(folders); i++) {
		char path[96];

		snprintf(path, sizeof(path), "%s/%s", scene->dir, folders[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	snprintf(scene->config, sizeof(scene->config), "--config %s/cig.conf", scene->dir);
	snprintf(scene->log_dir, sizeof(scene->log_dir), "%s/log", scene->dir);
	snprintf(scene->run_dir, sizeof(scene->run_dir), "%s/run", scene->dir);
	program_free_ports(scene->ports, PORTS);
	write_config(scene, "", "");
	scene->pbx = -1;
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	if (scene->server > 0)
		program_end(scene->server);
	if (scene->relay > 0)
		program_end(scene->relay);
	if (scene->pbx >= 0)
		close(scene->pbx);
	program_remove_dir(scene->dir);
	free(scene->text);
	free(scene);
	return 0;
}

/* ---- the command line ---- */

static void wrong_words_are_told_by_text_and_exit_code(void **state)
{
	static const struct {
		const char *words;
		int status;
		const char *told;
	} cases[] = {
		{ "--help", OK, "usage: cig-server [--config FILE]" },
		{ "-h", OK, "SIGHUP reads the configuration again" },
		{ "--version", OK, "cig-server " },
		{ "--what", USAGE, "see cig-server --help" },
		{ "--config", USAGE, "see cig-server --help" },
		{ "--verbose now", USAGE, "cig-server: unexpected \"now\"" },
		{ "--now yesterday", USAGE, "" },
		{ "--config /nowhere/cig.conf", USAGE,
		  "cig-server: /nowhere/cig.conf is not usable; nothing was started" },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(run(scene, cases[i].words), cases[i].status);
		assert_non_null(strstr(file_text(scene, "out/log"), cases[i].told));
	}
}

static void a_configuration_is_checked_without_being_used(void **state)
{
	struct scene *scene = *state;
	char words[128];

	snprintf(words, sizeof(words), "%s --check", scene->config);
	assert_int_equal(run(scene, words), OK);
	assert_non_null(strstr(file_text(scene, "out/log"), "cig.conf: "));
	write_config(scene, "port nowhere;", "no such thing;");
	assert_int_equal(run(scene, words), USAGE);
	assert_non_null(strstr(file_text(scene, "out/log"), "cig.conf:8:"));
	assert_non_null(strstr(file_text(scene, "out/log"), "is not usable; nothing was started"));
	assert_string_equal(file_text(scene, "log/cig.log"), "");
}

/* ---- what keeps it from starting ---- */

static int taken_port(unsigned port)
{
	struct net_addr addr;
	int fd;

	assert_int_equal(net_parse("127.0.0.1", (uint16_t)port, &addr), 0);
	fd = net_tcp_listen(&addr, false);
	assert_true(fd >= 0);
	return fd;
}

/* A name of more than the 108 octets of a Unix socket's. */
#define LONG_NAME                                                                                  \
	"a234567890123456789012345678901234567890123456789012345678901234567890123456789012345678" \
	"9012345678901234567890"

/* In place of a file. */
static void make_folder(const struct scene *scene, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", scene->dir, name);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void what_it_cannot_have_is_named_in_its_log(void **state)
{
	struct scene *scene = *state;
	int fd = taken_port(scene->ports[METRICS_PORT]);
	char metrics[64], told[64];

	snprintf(metrics, sizeof(metrics), "metrics { port %u; }", scene->ports[METRICS_PORT]);
	snprintf(told, sizeof(told),
		 "cannot start: cannot listen on 127.0.0.1:%u: ", scene->ports[METRICS_PORT]);
	write_config(scene, "", metrics);
	assert_int_equal(run(scene, scene->config), FAILED);
	assert_non_null(strstr(file_text(scene, "log/cig.log"), told));
	assert_non_null(strstr(scene->text, "not started"));
	/* It is tried again each second: not with all of the configuration each time. */
	assert_null(strstr(scene->text, "config[INIT]"));
	close(fd);
	snprintf(scene->run_dir, sizeof(scene->run_dir), "/tmp/" LONG_NAME);
	write_config(scene, "", "");
	assert_int_equal(run(scene, scene->config), FAILED);
	assert_non_null(strstr(file_text(scene, "log/cig.log"),
			       "cannot start: run_dir /tmp/" LONG_NAME ": File name too long"));
	/* Files that are folders. */
	make_folder(scene, "log/calls.jsonl");
	assert_int_equal(run(scene, scene->config), FAILED);
	assert_non_null(strstr(file_text(scene, "log/cig.log"), "log/calls.jsonl: "));
	make_folder(scene, "log/session.log");
	assert_int_equal(run(scene, scene->config), FAILED);
	assert_non_null(strstr(file_text(scene, "log/cig.log"), "log/session.log: "));
}

static void without_a_log_it_says_so_on_its_terminal(void **state)
{
	struct scene *scene = *state;

	snprintf(scene->log_dir, sizeof(scene->log_dir), "/nowhere/at/all");
	write_config(scene, "", "");
	assert_int_equal(run(scene, scene->config), FAILED);
	assert_non_null(strstr(file_text(scene, "out/log"), "not started: logs go to log_dir of "));
}

/* Beside it is where a build tree, and an installation, has its agent. */
static void without_its_agent_it_does_not_start(void **state)
{
	struct scene *scene = *state;
	const char *const copy[] = { "/bin/cp", "gateway/cig-server", scene->dir, NULL };
	const char *own[] = { NULL, "--config", NULL, NULL };
	char out[96], program[96], config[96];

	snprintf(out, sizeof(out), "%s/out", scene->dir);
	snprintf(program, sizeof(program), "%s/cig-server", scene->dir);
	snprintf(config, sizeof(config), "%s/cig.conf", scene->dir);
	own[0] = program;
	own[2] = config;
	assert_int_equal(program_wait(program_start(copy, out), out), OK);
	assert_int_equal(program_wait(program_start(own, out), out), FAILED);
	assert_non_null(strstr(file_text(scene, "log/cig.log"),
			       "cannot start: cig-sip cannot be started: No such file"));
}

/* ---- at work ---- */

static void start_server(struct scene *scene)
{
	struct net_addr pbx;

	scene->server = start(scene, scene->config);
	await_line(scene, "log/cig.log", "cig-sip is ready on 127.0.0.1");
	assert_int_equal(net_parse("127.0.0.1", (uint16_t)scene->ports[PBX_PORT], &pbx), 0);
	scene->pbx = net_udp_socket(&pbx, false);
	assert_true(scene->pbx >= 0);
}

static void end_server(struct scene *scene)
{
	char out[96];

	snprintf(out, sizeof(out), "%s/out", scene->dir);
	assert_int_equal(kill(scene->server, SIGTERM), 0);
	assert_int_equal(program_wait(scene->server, out), OK);
	scene->server = 0;
	await_line(scene, "log/cig.log", "stopping on signal 15");
	await_line(scene, "log/cig.log", "stopped");
}

/* Sends a request as a PBX does over UDP, again every half a second (RFC 3261 17.1.1.2), until a
 * final answer comes; returns its status. */
static unsigned ask(const struct scene *scene, const char *method, const char *branch)
{
	const char *body = strcmp(method, "MESSAGE") == 0 ? "hello" : "";
	struct net_addr server;
	char request[1024], answer[4096];
	unsigned status = 0;
	int64_t end = clock_mono_ms() + PATIENCE_MS;

	assert_int_equal(net_parse("127.0.0.1", (uint16_t)scene->ports[SIP_PORT], &server), 0);
	snprintf(request, sizeof(request),
		 "%s sip:46701234567@127.0.0.1 SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK%s\r\n"
		 "Max-Forwards: 70\r\nFrom: <sip:101@127.0.0.1>;tag=a\r\n"
		 "To: <sip:46701234567@127.0.0.1>\r\nCall-ID: %s@127.0.0.1\r\nCSeq: 1 %s\r\n"
		 "Contact: <sip:101@127.0.0.1:%u>\r\n%sContent-Length: %zu\r\n\r\n%s",
		 method, scene->ports[PBX_PORT], branch, branch, method, scene->ports[PBX_PORT],
		 *body ? "Content-Type: text/plain\r\n" : "", strlen(body), body);
	while (status < 200 && clock_mono_ms() < end) {
		struct pollfd readable = { .fd = scene->pbx, .events = POLLIN };
		ssize_t n;

		sendto(scene->pbx, request, strlen(request), 0, &server.sa, server.len);
		while (status < 200 && poll(&readable, 1, 500) == 1) {
			n = recv(scene->pbx, answer, sizeof(answer) - 1, 0);
			assert_true(n > 0);
			answer[n] = '\0';
			/* of an earlier one: asked again, answered again */
			if (strstr(answer, branch))
				sscanf(answer, "SIP/2.0 %u", &status);
		}
	}
	return status;
}

/* What the PBX hears while there are no keys, and that the end is a clean one. */
static void without_keys_a_pbx_is_told_so(void **state)
{
	struct scene *scene = *state;

	write_config(scene, "messaging true;", "");
	start_server(scene);
	await_line(scene, "log/cig.log", "no keys in ");
	assert_int_equal(ask(scene, "INVITE", "one"), 503);
	assert_int_equal(ask(scene, "MESSAGE", "two"), 503);
	end_server(scene);
	/* The configuration that worked is kept for "cig-cli show". */
	assert_non_null(strstr(file_text(scene, "userdata/.cig.conf.live"), "map tel2sip"));
}

static void a_relay_may_come_and_go(void **state)
{
	struct scene *scene = *state;
	char run_dir[96], out[96];
	const char *argv[] = { "gateway/cig-relay", "--run-dir", run_dir, "--threads=1", NULL };

	snprintf(run_dir, sizeof(run_dir), "%s/run", scene->dir);
	snprintf(out, sizeof(out), "%s/out", scene->dir);
	start_server(scene);
	await_line(scene, "log/cig.log", "cig-relay is not reachable at ");
	scene->relay = program_start(argv, out);
	await_line(scene, "log/cig.log", "connected to cig-relay ");
	program_end(scene->relay);
	scene->relay = 0;
	await_behind(scene, "log/cig.log", "connected to cig-relay ",
		     "cig-relay is not reachable at ");
	end_server(scene);
}

static void its_agent_is_started_again(void **state)
{
	struct scene *scene = *state;
	char path[64];
	FILE *children;
	int agent = 0;

	start_server(scene);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)scene->server,
		 (int)scene->server);
	children = fopen(path, "re");
	assert_non_null(children);
	assert_int_equal(fscanf(children, "%d", &agent), 1);
	fclose(children);
	assert_true(agent > 1);
	assert_int_equal(kill(agent, SIGKILL), 0);
	await_line(scene, "log/cig.log", "cig-sip is gone: ");
	/* A PBX is answered by the next one. */
	assert_int_equal(ask(scene, "INVITE", "three"), 503);
	end_server(scene);
}

/* As logrotate(8) does it. */
static void move_away(const struct scene *scene, const char *name)
{
	char from[96], to[96];

	snprintf(from, sizeof(from), "%s/%s", scene->dir, name);
	snprintf(to, sizeof(to), "%s/old", scene->dir);
	assert_int_equal(rename(from, to), 0);
}

static void a_hangup_signal_reads_the_configuration_and_reopens_the_logs(void **state)
{
	struct scene *scene = *state;

	start_server(scene);
	move_away(scene, "log/cig.log");
	move_away(scene, "log/session.log");
	write_config(scene, "max_calls 7;", "");
	assert_int_equal(kill(scene->server, SIGHUP), 0);
	await_line(scene, "log/cig.log", "new calls use "); /* in the new file */
	assert_int_equal(ask(scene, "INVITE", "four"), 503);
	await_line(scene, "log/session.log", ", failed, four@127.0.0.1");
	/* What has faults, or would need a restart, changes nothing, and says so. */
	write_config(scene, "max_calls all;", "");
	assert_int_equal(kill(scene->server, SIGHUP), 0);
	await_line(scene, "log/cig.log", "not reloaded: ");
	await_line(scene, "log/cig.log", "cig.conf:8:");
	snprintf(scene->run_dir, sizeof(scene->run_dir), "/tmp");
	write_config(scene, "max_calls 7;", "");
	assert_int_equal(kill(scene->server, SIGHUP), 0);
	await_line(scene, "log/cig.log", "this needs a restart of cig-server");
	assert_int_equal(ask(scene, "INVITE", "five"), 503);
	end_server(scene);
	/* ... and is in use as a whole or not at all. */
	assert_non_null(strstr(file_text(scene, "userdata/.cig.conf.live"), "max_calls 7;"));
	assert_null(strstr(scene->text, "run_dir \"/tmp\";"));
}

/* What hinders nothing is in the log from the start on, not when it ends. */
static void slips_and_what_a_journal_left_out_are_in_its_log(void **state)
{
	struct scene *scene = *state;

	write_file(scene, "userdata/messages.journal", "TANDEMJ1torn");
	write_config(scene, "", "translate_map idle { rule match \"a\" translation \"b\"; }");
	start_server(scene);
	await_line(scene, "log/cig.log", "messages.journal: cut off a torn end of 4 octets");
	await_line(scene, "log/cig.log", "translate_map idle is not used");
	assert_null(strstr(file_text(scene, "log/cig.log"), "stopping"));
	end_server(scene);
}

/* A disk that is full must not keep calls from a configuration that works. */
static void without_a_copy_of_its_configuration_it_goes_on(void **state)
{
	struct scene *scene = *state;

	make_folder(scene, "userdata/.cig.conf.live");
	start_server(scene);
	await_line(scene, "log/cig.log", "no copy of ");
	assert_int_equal(ask(scene, "INVITE", "six"), 503);
	end_server(scene);
}

static void cig_cli_has_it_read_its_configuration(void **state)
{
	struct scene *scene = *state;
	const char *argv[] = { "gateway/cig-cli", "--config", NULL, "reload", NULL };
	char out[96], config[96];

	snprintf(out, sizeof(out), "%s/out", scene->dir);
	snprintf(config, sizeof(config), "%s/cig.conf", scene->dir);
	argv[2] = config;
	start_server(scene);
	write_config(scene, "max_calls 7;", "");
	assert_int_equal(program_wait(program_start(argv, out), out), OK);
	await_line(scene, "log/cig.log", "new calls use ");
	end_server(scene);
}

/* The months of a letter count from January 1970. */
static int64_t this_month(void)
{
	time_t now = time(NULL);
	struct tm utc;

	assert_non_null(gmtime_r(&now, &utc));
	return (utc.tm_year - 70) * 12 + utc.tm_mon;
}

static void take_keys(const struct scene *scene)
{
	struct world *world;
	struct letter letter;
	uint8_t octets[LETTER_OCTETS_MAX];
	char userdata[96], path[160];
	void *made = NULL;
	size_t n;

	assert_int_equal(world_make(&made), 0);
	world = made;
	letter = world_letter(world, 1);
	letter.engines = 8;
	letter.created = (uint64_t)time(NULL);
	letter.months[0].month = this_month();
	letter.months[0].created = letter.created;
	world_issue(world->master, letter.uri, letter.months[0].month, letter.months[0].packed);
	/* where nobody listens */
	snprintf(letter.address, sizeof(letter.address), "127.0.0.1:%u", scene->ports[PBX_PORT]);
	assert_int_equal(letter_encode(&letter, octets, &n), 0);
	snprintf(userdata, sizeof(userdata), "%s/userdata", scene->dir);
	assert_int_equal(keystore_path(userdata, letter.uri, path, sizeof(path)), 0);
	assert_int_equal(keystore_enrol(world->curves, slice_of(octets, n), path, NULL), 0);
	world_end(&made);
}

/* The number is that of the keys, not of the maps. */
static void with_keys_it_is_the_gateway_of_their_number_only(void **state)
{
	struct scene *scene = *state;

	write_config(scene, "messaging true;", "");
	take_keys(scene);
	start_server(scene);
	await_line(scene, "log/cig.log", "keys of " WORLD_URI " are loaded, 8 crypto engines");
	assert_int_equal(ask(scene, "INVITE", "seven"), 403);
	assert_int_equal(ask(scene, "MESSAGE", "eight"), 403);
	end_server(scene);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(wrong_words_are_told_by_text_and_exit_code),
		TEST(a_configuration_is_checked_without_being_used),
		TEST(what_it_cannot_have_is_named_in_its_log),
		TEST(without_a_log_it_says_so_on_its_terminal),
		TEST(without_its_agent_it_does_not_start),
		TEST(without_keys_a_pbx_is_told_so),
		TEST(a_relay_may_come_and_go),
		TEST(its_agent_is_started_again),
		TEST(slips_and_what_a_journal_left_out_are_in_its_log),
		TEST(a_hangup_signal_reads_the_configuration_and_reopens_the_logs),
		TEST(without_a_copy_of_its_configuration_it_goes_on),
		TEST(cig_cli_has_it_read_its_configuration),
		TEST(with_keys_it_is_the_gateway_of_their_number_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
