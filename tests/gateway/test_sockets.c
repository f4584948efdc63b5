/* Port ranges and threads' sockets of cig-relay, and what is said where there are too many. */
#include "tests/unit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "gateway/relay/sockets.h"
#include "gateway/relay/worker.h"
#include "tests/tools/loopback.h"

enum { LOW = 20000, SECURE_LOW = 40000, EACH = 4 };

/* The n-th range towards the PBX, the m-th towards the rendezvous. */
static struct command_open ask(unsigned n, unsigned m)
{
	struct command_open open = { .plain_low = LOW + EACH * n,
				     .plain_high = LOW + EACH * n + 1,
				     .secure_low = SECURE_LOW + EACH * m,
				     .secure_high = SECURE_LOW + EACH * m + 1 };

	assert_int_equal(net_parse(loopback_own().text, 0, &open.plain_ip), 0);
	open.secure_ip = open.plain_ip;
	return open;
}

static void give(struct call_sockets *call)
{
	close(call->rtp_fd);
	close(call->rtcp_fd);
	sockets_give(call);
}

static void expect_said(int err, const char *want)
{
	char text[COMMAND_TEXT];

	sockets_say(err, text);
	if (!strstr(text, want))
		fail_msg("\"%s\" does not say \"%s\"", text, want);
}

/* rtp_port_range changes by a reload, and cig-relay lives on. */
static void a_range_that_no_call_uses_makes_room_for_another(void **state)
{
	struct sockets *s = sockets_new(1);
	int trunk = -1;

	(void)state;
	for (unsigned n = 0; n < 3 * SOCKETS_MAX_RANGES; n++) {
		struct command_open open = ask(n, 0);
		struct call_sockets call = { 0 };

		assert_int_equal(sockets_take(s, 0, &open, &call), 0);
		assert_int_equal(call.rtp_port, open.plain_low);
		assert_true(trunk < 0 || call.trunk_fd == trunk); /* its range is in use */
		trunk = call.trunk_fd;
		give(&call);
	}
	assert_int_equal(sockets_taken(s), 0);
	close(trunk);
	sockets_free(&s);
}

static void too_many_ranges_in_use_are_told_as_that(void **state)
{
	struct call_sockets calls[SOCKETS_MAX_RANGES] = { 0 };
	struct sockets *s = sockets_new(1);
	struct command_open open;
	unsigned n = 0;
	int err;

	(void)state;
	do {
		open = ask(n, 0);
		err = sockets_take(s, 0, &open, &calls[n]);
	} while (!err && ++n < SOCKETS_MAX_RANGES);
	assert_int_equal(n, SOCKETS_MAX_RANGES - 1); /* one is the thread's own */
	assert_int_equal(err, -E2BIG);
	expect_said(err, "64 port ranges");
	expect_said(err, "rtp_port_range");
	give(&calls[0]);
	assert_int_equal(sockets_take(s, 0, &open, &calls[0]), 0);
	for (unsigned i = 0; i < n; i++)
		give(&calls[i]);
	close(calls[0].trunk_fd);
	sockets_free(&s);
}

/* The call's own range is idle, too, until its ports are taken: it must not make room for the
 * other one that the call needs. */
static void the_range_that_a_call_is_to_have_makes_no_room(void **state)
{
	enum { N = SOCKETS_MAX_RANGES - 1, IDLE = 5 };
	struct call_sockets calls[N] = { 0 }, call = { 0 };
	struct sockets *s = sockets_new(1);
	struct command_open open;
	int first;

	(void)state;
	for (unsigned n = 0; n < N; n++) {
		open = ask(n, 0);
		assert_int_equal(sockets_take(s, 0, &open, &calls[n]), 0);
	}
	first = calls[0].trunk_fd;
	give(&calls[IDLE]);
	open = ask(IDLE, 1);
	assert_int_equal(sockets_take(s, 0, &open, &call), -E2BIG);
	give(&calls[IDLE + 1]);
	assert_int_equal(sockets_take(s, 0, &open, &call), 0);
	assert_int_equal(call.rtp_port, open.plain_low);
	close(call.trunk_fd);
	give(&call);
	for (unsigned n = 0; n < N; n++)
		if (n != IDLE && n != IDLE + 1)
			give(&calls[n]);
	close(first);
	sockets_free(&s);
}

static void too_many_ranges_of_a_thread_are_told_as_that(void **state)
{
	struct sockets *s = sockets_new(1);
	int trunks[WORKER_MAX_TRUNKS];
	struct call_sockets call = { 0 };
	struct command_open open;

	(void)state;
	for (unsigned m = 0; m < WORKER_MAX_TRUNKS; m++) {
		open = ask(0, m);
		assert_int_equal(sockets_take(s, 0, &open, &call), 0);
		trunks[m] = call.trunk_fd;
		give(&call);
	}
	open = ask(0, WORKER_MAX_TRUNKS);
	assert_int_equal(sockets_take(s, 0, &open, &call), -EXFULL);
	expect_said(-EXFULL, "16 port ranges of tel");
	open = ask(0, 3);
	assert_int_equal(sockets_take(s, 0, &open, &call), 0); /* one that it has */
	give(&call);
	for (unsigned m = 0; m < WORKER_MAX_TRUNKS; m++)
		close(trunks[m]);
	sockets_free(&s);
}

static void what_else_is_short_is_told(void **state)
{
	(void)state;
	expect_said(-EADDRINUSE, "every port of rtp_port_range");
	expect_said(-EINVAL, "no even port");
	expect_said(-EMFILE, "open files");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_range_that_no_call_uses_makes_room_for_another),
		cmocka_unit_test(too_many_ranges_in_use_are_told_as_that),
		cmocka_unit_test(the_range_that_a_call_is_to_have_makes_no_room),
		cmocka_unit_test(too_many_ranges_of_a_thread_are_told_as_that),
		cmocka_unit_test(what_else_is_short_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
