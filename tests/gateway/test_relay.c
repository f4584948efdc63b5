/* The real cig-relay with real sockets. */
#include "tests/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "build-config.h"
#include "media/speech_match.h"
#include "tests/gateway/relay_rig.h"
#include "tests/media/speech.h"
#include "tests/tools/loopback.h"

static struct rig rig;
static int16_t pbx_says[RIG_SAMPLES], caller_says[RIG_SAMPLES];

static int start(void **state)
{
	static const char *const arguments[] = { "--threads", "2", "--max-calls", "5", NULL };

	(void)state;
	speech_make(1, pbx_says, RIG_SAMPLES);
	speech_make(2, caller_says, RIG_SAMPLES);
	rig_start(&rig, arguments);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	rig_stop(&rig);
	return 0;
}

static void open_call(struct rig_call *call, uint64_t id, uint32_t low, uint32_t high,
		      uint32_t timeout_ms)
{
	Relay__Event *event = rig_open(rig.control, id, low, high, timeout_ms);

	memset(call, 0, sizeof(*call));
	call->id = id;
	assert_true(event->opened->call_id == id);
	call->plain_port = (uint16_t)event->opened->plain_port;
	call->secure_port = (uint16_t)event->opened->secure_port;
	relay__event__free_unpacked(event, NULL);
}

static void close_call(uint64_t id)
{
	Relay__Event *event;

	rig_simple(rig.control, RELAY__COMMAND__OF_CLOSE, id);
	event = rig_await(rig.control, RELAY__EVENT__OF_CLOSED);
	assert_true(event->closed->call_id == id);
	assert_int_equal(event->closed->reason, RELAY__CLOSED__REASON__REQUESTED);
	relay__event__free_unpacked(event, NULL);
}

static void expect_closed(uint64_t id, Relay__Closed__Reason reason)
{
	Relay__Event *event = rig_await(rig.control, RELAY__EVENT__OF_CLOSED);

	assert_true(event->closed->call_id == id);
	assert_int_equal(event->closed->reason, reason);
	relay__event__free_unpacked(event, NULL);
}

static void expect_failed(uint64_t id, Relay__Failed__Reason reason)
{
	Relay__Event *event = rig_await(rig.control, RELAY__EVENT__OF_FAILED);

	assert_true(event->failed->call_id == id);
	assert_int_equal(event->failed->reason, reason);
	assert_true(event->failed->text[0]);
	relay__event__free_unpacked(event, NULL);
}

static double correlation(const int16_t *said, const int16_t *heard, size_t n)
{
	struct speech_match m;

	assert_int_equal(speech_match(said, RIG_SAMPLES, heard, n, &m), 0);
	return m.correlation;
}

/* CIG-014, CIG-015, CIG-012, CIG-021: speech goes both ways, in calls of different
 * kinds at a time, on ports out of the range. */
static void speech_is_heard_in_both_directions(void **state)
{
	static const struct {
		enum media_codec plain, secure;
		enum srtp_profile profile;
	} kinds[] = {
		{ MEDIA_PCMU, MEDIA_OPUS, SRTP_AES128_CM_SHA1_80 },
		{ MEDIA_PCMA, MEDIA_OPUS, SRTP_AEAD_AES_128_GCM },
		{ MEDIA_PCMA, MEDIA_PCMA, SRTP_AES128_CM_SHA1_80 },
	};
	static struct rig_call calls[COUNT(kinds)];

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		open_call(&calls[i], i + 1, 21000, 21099, 0);
		assert_in_range(calls[i].plain_port, 21000, 21098);
		assert_int_equal(calls[i].plain_port % 2, 0);
		rig_connect_call(rig.control, &calls[i], kinds[i].plain, kinds[i].secure,
				 kinds[i].profile);
		rig_simple(rig.control, RELAY__COMMAND__OF_ANSWERED, i + 1);
	}
	rig_run(calls, COUNT(kinds), NULL, NULL, 100); /* the legs bind */
	rig_run(calls, COUNT(kinds), pbx_says, caller_says, 3300);
	for (size_t i = 0; i < COUNT(kinds); i++) {
		Relay__Event *event;

		assert_int_equal(calls[i].stale_nonces, 1);
		assert_true(calls[i].bindings >= 1);
		assert_true(correlation(pbx_says, calls[i].caller_heard, calls[i].n_caller_heard) >=
			    0.9);
		assert_true(correlation(caller_says, calls[i].pbx_heard, calls[i].n_pbx_heard) >=
			    0.9);
		rig_simple(rig.control, RELAY__COMMAND__OF_STATS_REQUEST, i + 1);
		event = rig_await(rig.control, RELAY__EVENT__OF_STATS);
		assert_in_range(event->stats->plain->packets_received, 145, 170);
		assert_in_range(event->stats->secure->packets_received, 145, 170);
		assert_int_equal(event->stats->secure->auth_failures, 0);
		assert_string_equal(event->stats->plain->codec,
				    kinds[i].plain == MEDIA_PCMA ? "PCMA" : "PCMU");
		assert_string_equal(event->stats->secure->codec,
				    kinds[i].secure == MEDIA_OPUS ? "opus" : "PCMA");
		relay__event__free_unpacked(event, NULL);
		close_call(i + 1);
		rig_done_call(&calls[i]);
	}
}

/* CIG-005: as events on either side, each with its clock; and by command. */
static void digits_go_both_ways(void **state)
{
	static struct rig_call call;
	Relay__SendDigit send = RELAY__SEND_DIGIT__INIT;
	Relay__Command command = RELAY__COMMAND__INIT;
	char nine[] = "9";

	(void)state;
	open_call(&call, 7, 0, 0, 0);
	rig_connect_call(rig.control, &call, MEDIA_PCMU, MEDIA_OPUS, SRTP_AES128_CM_SHA1_80);
	rig_run(&call, 1, NULL, NULL, 100);
	for (const char *d = "123#"; *d; d++)
		assert_int_equal(secure_leg_send_digit(call.caller, *d, 80), 0);
	for (const char *d = "*0A"; *d; d++)
		assert_int_equal(plain_leg_send_digit(call.pbx, *d, 80), 0);
	rig_run(&call, 1, NULL, NULL, 1200);
	assert_string_equal(call.pbx_digits, "123#");
	assert_string_equal(call.caller_digits, "*0A");
	for (size_t i = 0; i < 7; i++) {
		Relay__Event *event = rig_await(rig.control, RELAY__EVENT__OF_DIGIT);

		assert_int_equal(strlen(event->digit->digit), 1);
		assert_int_equal(event->digit->duration_ms, 80);
		relay__event__free_unpacked(event, NULL);
	}
	send.call_id = 7;
	send.to = RELAY__SIDE__PLAIN;
	send.digit = nine;
	command.of_case = RELAY__COMMAND__OF_SEND_DIGIT;
	command.send_digit = &send;
	rig_send(rig.control, &command);
	rig_run(&call, 1, NULL, NULL, 300);
	assert_string_equal(call.pbx_digits, "123#9");
	nine[0] = 'x';
	rig_send(rig.control, &command);
	expect_failed(7, RELAY__FAILED__REASON__BAD_COMMAND);
	/* More than wait for their turn: some are lost, and the call goes on. */
	nine[0] = '5';
	for (int i = 0; i < 4 * DTMF_QUEUE; i++)
		rig_send(rig.control, &command);
	expect_failed(7, RELAY__FAILED__REASON__DIGIT);
	rig_run(&call, 1, NULL, NULL, 300);
	assert_non_null(strstr(call.pbx_digits, "123#95"));
	close_call(7);
	rig_done_call(&call);
}

/* CIG-044 */
static void an_exhausted_range_refuses_and_ports_come_back(void **state)
{
	struct rig_call call;

	(void)state;
	for (int round = 0; round < 3; round++) {
		Relay__PortRange range = RELAY__PORT_RANGE__INIT;
		Relay__Open open = RELAY__OPEN__INIT;
		Relay__Command command = RELAY__COMMAND__INIT;
		struct loopback own = loopback_own();

		open_call(&call, 11, 22000, 22003, 0);
		open_call(&call, 12, 22000, 22003, 0);
		range.low = 22000;
		range.high = 22003;
		open.call_id = 13;
		open.plain_ip = open.secure_ip = own.text;
		open.plain_ports = &range;
		command.of_case = RELAY__COMMAND__OF_OPEN;
		command.open = &open;
		rig_send(rig.control, &command);
		expect_failed(13, RELAY__FAILED__REASON__PORTS_EXHAUSTED);
		open.call_id = 12;
		rig_send(rig.control, &command);
		expect_failed(12, RELAY__FAILED__REASON__ALREADY);
		close_call(11);
		close_call(12);
	}
}

/* CIG-044: who is told that a call has ended may have its ports at once. */
static void the_only_pair_of_a_range_is_free_when_its_call_is_told_closed(void **state)
{
	struct rig_call call;

	(void)state;
	for (int round = 0; round < 200; round++) {
		open_call(&call, 14, 22100, 22101, 0);
		assert_int_equal(call.plain_port, 22100);
		close_call(14);
	}
}

static void more_calls_than_allowed_are_refused(void **state)
{
	struct rig_call call;
	Relay__Open open = RELAY__OPEN__INIT;
	Relay__Command command = RELAY__COMMAND__INIT;
	char ip[] = "127.0.0.1", no_ip[] = "localhost";

	(void)state;
	for (uint64_t id = 20; id < 25; id++)
		open_call(&call, id, 0, 0, 0);
	open.call_id = 25;
	open.plain_ip = open.secure_ip = ip;
	command.of_case = RELAY__COMMAND__OF_OPEN;
	command.open = &open;
	rig_send(rig.control, &command);
	expect_failed(25, RELAY__FAILED__REASON__FULL);
	for (uint64_t id = 20; id < 25; id++)
		close_call(id);
	open.plain_ip = no_ip;
	rig_send(rig.control, &command);
	expect_failed(25, RELAY__FAILED__REASON__BAD_COMMAND);
}

static void silence_of_either_side_ends_an_answered_call_and_hold_does_not(void **state)
{
	static struct rig_call call;

	(void)state;
	open_call(&call, 31, 0, 0, 400);
	rig_connect_call(rig.control, &call, MEDIA_PCMU, MEDIA_OPUS, SRTP_AES128_CM_SHA1_80);
	rig_run(&call, 1, NULL, caller_says, 800); /* ringing: the PBX may be silent */
	rig_simple(rig.control, RELAY__COMMAND__OF_ANSWERED, 31);
	rig_set_plain(rig.control, &call, MEDIA_PCMU, true);
	rig_run(&call, 1, NULL, caller_says, 800); /* hold: it may, too */
	rig_simple(rig.control, RELAY__COMMAND__OF_STATS_REQUEST, 31);
	relay__event__free_unpacked(rig_await(rig.control, RELAY__EVENT__OF_STATS), NULL);
	rig_set_plain(rig.control, &call, MEDIA_PCMU, false);
	rig_run(&call, 1, NULL, caller_says, 800);
	expect_closed(31, RELAY__CLOSED__REASON__PLAIN_TIMEOUT);
	rig_done_call(&call);

	open_call(&call, 32, 0, 0, 400);
	rig_connect_call(rig.control, &call, MEDIA_PCMU, MEDIA_OPUS, SRTP_AES128_CM_SHA1_80);
	rig_simple(rig.control, RELAY__COMMAND__OF_ANSWERED, 32);
	rig_run(&call, 1, pbx_says, NULL, 800);
	expect_closed(32, RELAY__CLOSED__REASON__SECURE_TIMEOUT);
	rig_done_call(&call);
}

static void a_relay_that_does_not_answer_ends_the_call(void **state)
{
	static struct rig_call call;

	(void)state;
	open_call(&call, 33, 0, 0, 300);
	rig_connect_call(rig.control, &call, MEDIA_PCMU, MEDIA_OPUS, SRTP_AES128_CM_SHA1_80);
	expect_closed(33, RELAY__CLOSED__REASON__NOT_BOUND);
	rig_done_call(&call);
}

/* One sender context a key, ever. */
static void keys_are_taken_once(void **state)
{
	static struct rig_call call;

	(void)state;
	open_call(&call, 41, 0, 0, 0);
	rig_connect_call(rig.control, &call, MEDIA_PCMU, MEDIA_OPUS, SRTP_AES128_CM_SHA1_80);
	rig_set_secure(rig.control, &call, MEDIA_OPUS, SRTP_AES128_CM_SHA1_80);
	expect_failed(41, RELAY__FAILED__REASON__ALREADY);
	rig_run(&call, 1, NULL, NULL, 100);
	assert_true(call.bindings >= 1); /* the first one goes on */
	close_call(41);
	rig_done_call(&call);
	rig_simple(rig.control, RELAY__COMMAND__OF_CLOSE, 41);
	expect_failed(41, RELAY__FAILED__REASON__UNKNOWN_CALL);
}

static Relay__Polled polled(int control)
{
	Relay__Poll poll = RELAY__POLL__INIT;
	Relay__Command command = RELAY__COMMAND__INIT;
	Relay__Event *event;
	Relay__Polled result;

	poll.number = 99;
	command.of_case = RELAY__COMMAND__OF_POLL;
	command.poll = &poll;
	rig_send(control, &command);
	event = rig_await(control, RELAY__EVENT__OF_POLLED);
	assert_int_equal(event->polled->number, 99);
	result = *event->polled;
	relay__event__free_unpacked(event, NULL);
	return result;
}

/* Does it refuse calls, with a reason? */
static bool is_busy(int control)
{
	Relay__Poll poll = RELAY__POLL__INIT;
	Relay__Command command = RELAY__COMMAND__INIT;
	Relay__Event *event;
	bool busy;

	command.of_case = RELAY__COMMAND__OF_POLL;
	command.poll = &poll;
	rig_send(control, &command);
	event = rig_await(control, RELAY__EVENT__OF_POLLED);
	busy = event->polled->busy[0];
	relay__event__free_unpacked(event, NULL);
	return busy;
}

/* CIG-006: another cig-server finds nothing of the calls of one that died. */
static void calls_of_a_connection_end_with_it(void **state)
{
	int control = rig_connect(&rig, false);
	Relay__Event *event;

	(void)state;
	for (uint64_t id = 51; id < 53; id++) {
		event = rig_open(control, id, 23000, 23003, 0);
		assert_in_range(event->opened->plain_port, 23000, 23002);
		relay__event__free_unpacked(event, NULL);
	}
	assert_int_equal(polled(rig.control).calls, 2);
	close(control);
	while (polled(rig.control).calls > 0)
		;
	control = rig_connect(&rig, false);
	for (uint64_t id = 51; id < 53; id++)
		relay__event__free_unpacked(rig_open(control, id, 23000, 23003, 0), NULL);
	close(control);
	while (polled(rig.control).calls > 0)
		;
}

#ifdef TEST_CLOCK
static void let_pass(int clock_fd, int64_t mono_ms)
{
	const int64_t steps[2] = { 0, mono_ms };

	assert_int_equal(pwrite(clock_fd, steps, sizeof(steps), 0), sizeof(steps));
}

/* It may stand in a flush of a disk that stalls.  Whoever was silent for longer is the witness
 * that the relay has looked. */
static void a_connection_may_be_silent_for_minutes_and_keeps_its_calls(void **state)
{
	char path[] = "/tmp/relay-clock-XXXXXX";
	const char *const arguments[] = { "--now", path, NULL };
	int clock_fd = mkstemp(path), witness, silent;
	struct rig own;

	(void)state;
	let_pass(clock_fd, 0);
	rig_start(&own, arguments);
	witness = rig_connect(&own, false);
	let_pass(clock_fd, 100000);
	silent = rig_connect(&own, false);
	relay__event__free_unpacked(rig_open(silent, 1, 0, 0, 0), NULL);
	polled(own.control);
	let_pass(clock_fd, 301000);
	rig_await_close(witness);
	assert_int_equal(polled(own.control).calls, 1);
	rig_simple(silent, RELAY__COMMAND__OF_STATS_REQUEST, 1);
	relay__event__free_unpacked(rig_await(silent, RELAY__EVENT__OF_STATS), NULL);
	let_pass(clock_fd, 590000);
	polled(own.control);
	let_pass(clock_fd, 602000); /* but not for ever */
	rig_await_close(silent);
	while (polled(own.control).calls > 0)
		;
	rig_stop(&own);
	close(clock_fd);
	unlink(path);
}
#endif

/* Twenty calls of three thousandths each are what a limit of six hundredths leaves room
 * for, some fewer where the thread itself takes one of these; they need not talk for that. */
static void a_call_that_would_harm_the_others_is_refused(void **state)
{
	static const char *const arguments[] = { "--threads", "1", "--max-load", "6", NULL };
	Relay__Open open = RELAY__OPEN__INIT;
	Relay__Command command = RELAY__COMMAND__INIT;
	char ip[] = "127.0.0.1";
	struct rig own;
	Relay__Event *event;
	Relay__Polled load;
	int64_t end;

	(void)state;
	rig_start(&own, arguments);
	open.plain_ip = open.secure_ip = ip;
	command.of_case = RELAY__COMMAND__OF_OPEN;
	command.open = &open;
	for (open.call_id = 1; open.call_id <= 24; open.call_id++)
		rig_send(own.control, &command);
	event = rig_await(own.control, RELAY__EVENT__OF_FAILED);
	assert_int_equal(event->failed->reason, RELAY__FAILED__REASON__BUSY);
	assert_in_range(event->failed->call_id, 9, 24);
	assert_memory_equal(event->failed->text, "media ", 6); /* takes too much, or is late */
	relay__event__free_unpacked(event, NULL);
	load = polled(own.control);
	assert_int_equal(load.calls + load.refused, 24);
	assert_true(is_busy(own.control));

	for (uint64_t id = 1; id <= 24; id++)
		rig_simple(own.control, RELAY__COMMAND__OF_CLOSE, id);
	end = clock_mono_ms() + 5000;
	while (is_busy(own.control))
		assert_true(clock_mono_ms() < end);
	relay__event__free_unpacked(rig_open(own.control, 25, 0, 0, 0), NULL);
	rig_stop(&own);
}

static void whoever_does_not_speak_the_protocol_is_cut_off(void **state)
{
	int control = rig_connect(&rig, true);

	(void)state;
	assert_int_equal(send(control, "\xff\xff\xff", 3, 0), 3);
	rig_await_close(control);
	control = rig_connect(&rig, true);
	rig_simple(control, RELAY__COMMAND__OF_CLOSE, 1); /* without Hello */
	rig_await_close(control);
	assert_int_equal(polled(rig.control).calls, 0); /* the others do not notice */
}

static bool log_has(const char *text)
{
	uint8_t *data;
	size_t n;
	bool has;

	assert_int_equal(file_read(rig.log, 1 << 20, &data, &n), 0);
	has = strstr((const char *)data, text) != NULL;
	free(data);
	return has;
}

/* CIG-110, CIG-111 */
static void the_log_has_the_configuration_and_the_calls(void **state)
{
	(void)state;
	assert_true(log_has("Relay[INIT]: cig-relay "));
	assert_true(log_has("Config[Nothing]: threads 2;"));
	assert_true(log_has("Config[Nothing]: max-calls 5;"));
	assert_true(log_has("Relay[INFO]: call=0000000000000001 opened port=210"));
	assert_true(log_has("Relay[INFO]: call=000000000000001f closed: no media from the PBX; "));
	assert_true(log_has("Relay[WARN]: call=000000000000000d refused: every port of "
			    "rtp_port_range is in use"));
	assert_false(log_has("sixteen octets k"));
}

static int run_another(const char *const *argv)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (freopen("/dev/null", "w", stderr) && freopen("/dev/null", "w", stdout))
			execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_second_one_in_the_same_place_and_wrong_options_are_refused(void **state)
{
	const char *second[] = { "gateway/cig-relay", "--run-dir", rig.dir, NULL };
	static const struct {
		const char *argv[5];
		int status;
	} cases[] = {
		{ { "gateway/cig-relay", NULL }, 2 },
		{ { "gateway/cig-relay", "--run-dir", "/nowhere", NULL }, 1 },
		{ { "gateway/cig-relay", "-d", "/tmp", "--threads=0", NULL }, 2 },
		{ { "gateway/cig-relay", "-d", "/tmp", "--threads=x", NULL }, 2 },
		{ { "gateway/cig-relay", "-d", "/tmp", "--max-load=101", NULL }, 2 },
		{ { "gateway/cig-relay", "-d", "/tmp", "more", NULL }, 2 },
		{ { "gateway/cig-relay", "--what", NULL }, 2 },
		{ { "gateway/cig-relay", "-h", NULL }, 0 },
		{ { "gateway/cig-relay", "--version", NULL }, 0 },
	};

	(void)state;
	assert_int_equal(run_another(second), 1);
	assert_int_equal(polled(rig.control).calls, 0);
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(run_another(cases[i].argv), cases[i].status);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(speech_is_heard_in_both_directions),
		cmocka_unit_test(digits_go_both_ways),
		cmocka_unit_test(an_exhausted_range_refuses_and_ports_come_back),
		cmocka_unit_test(the_only_pair_of_a_range_is_free_when_its_call_is_told_closed),
		cmocka_unit_test(more_calls_than_allowed_are_refused),
		cmocka_unit_test(silence_of_either_side_ends_an_answered_call_and_hold_does_not),
		cmocka_unit_test(a_relay_that_does_not_answer_ends_the_call),
		cmocka_unit_test(keys_are_taken_once),
		cmocka_unit_test(calls_of_a_connection_end_with_it),
#ifdef TEST_CLOCK
		cmocka_unit_test(a_connection_may_be_silent_for_minutes_and_keeps_its_calls),
#endif
		cmocka_unit_test(a_call_that_would_harm_the_others_is_refused),
		cmocka_unit_test(whoever_does_not_speak_the_protocol_is_cut_off),
		cmocka_unit_test(the_log_has_the_configuration_and_the_calls),
		cmocka_unit_test(a_second_one_in_the_same_place_and_wrong_options_are_refused),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
