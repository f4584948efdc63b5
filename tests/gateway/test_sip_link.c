/* The agent's end of the socket to cig-server: order, waiting, and the end of it. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/packet_queue.h"
#include "gateway/sip/link.h"

enum { QUEUE = 8, BIG = 30000, PATIENCE_MS = 5000 };

/* What the loop's owner is told; the real one is gateway/sip/agent.h's. */
struct agent {
	su_root_t *root;
	struct link *link;
	int server; /* the other end */
	unsigned messages, closed;
	char last[64];
	struct slice unread; /* of octets, which came last from the link */
	uint8_t octets[LINK_MAX_MESSAGE];
};

static void on_message(struct agent *agent, struct slice message)
{
	agent->messages++;
	snprintf(agent->last, sizeof(agent->last), "%.*s", (int)message.n, (const char *)message.p);
}

static void on_closed(struct agent *agent)
{
	agent->closed++;
}

static const struct link_ops ops = { on_message, on_closed };

static int set_up(void **state)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	int fds[2];

	assert_non_null(agent);
	assert_int_equal(su_init(), 0);
	agent->root = su_root_create(agent);
	assert_non_null(agent->root);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	agent->server = fds[1];
	agent->link = link_new(agent->root, fds[0], QUEUE, &ops, agent);
	assert_non_null(agent->link);
	*state = agent;
	return 0;
}

static int tear_down(void **state)
{
	struct agent *agent = *state;

	link_free(&agent->link);
	assert_null(agent->link);
	link_free(&agent->link);
	if (agent->server >= 0)
		close(agent->server);
	su_root_destroy(agent->root);
	su_deinit();
	free(agent);
	return 0;
}

static void turn(struct agent *agent)
{
	su_root_step(agent->root, 10);
}

/* A message of BIG octets with its number behind the first, which is no zero, as in ours. */
static int send_big(struct agent *agent, unsigned number)
{
	static uint8_t octets[BIG] = { 1 };

	memcpy(octets + 1, &number, sizeof(number));
	return link_send(agent->link, slice_of(octets, sizeof(octets)));
}

/* Sends until the socket is full and so many wait; returns how many were sent in all. */
static unsigned fill(struct agent *agent, size_t waiting)
{
	unsigned n = 0;

	while (link_queued(agent->link) < waiting) {
		assert_int_equal(send_big(agent, n), 0);
		su_root_step(agent->root, 0);
		assert_true(++n < 10000);
	}
	return n;
}

/* The next one, of a packet that may hold several. */
static unsigned receive_big(struct agent *agent)
{
	struct slice message;
	unsigned number;

	if (!packet_next(&agent->unread, &message)) {
		ssize_t n = recv(agent->server, agent->octets, sizeof(agent->octets), 0);

		assert_true(n > 0);
		agent->unread = slice_of(agent->octets, (size_t)n);
		assert_true(packet_next(&agent->unread, &message));
	}
	assert_int_equal(message.n, BIG);
	memcpy(&number, message.p + 1, sizeof(number));
	return number;
}

static void messages_come_and_go_whole(void **state)
{
	struct agent *agent = *state;
	char text[16];

	assert_int_equal(send(agent->server, "one", 3, 0), 3);
	assert_int_equal(send(agent->server, "two", 3, 0), 3);
	for (int64_t end = clock_mono_ms() + PATIENCE_MS;
	     agent->messages < 2 && clock_mono_ms() < end;)
		turn(agent);
	assert_int_equal(agent->messages, 2);
	assert_string_equal(agent->last, "two");
	assert_int_equal(link_send(agent->link, slice_str("answer")), 0);
	turn(agent);
	assert_int_equal(recv(agent->server, text, sizeof(text), 0), 6);
	assert_memory_equal(text, "answer", 6);
}

static void say_again(struct agent *agent, su_timer_t *timer, void *arg)
{
	(void)timer, (void)arg;
	assert_int_equal(link_send(agent->link, slice_str("two")), 0);
}

/* The reader is woken once: of a turn, nothing is there before its end and all after it, what a
 * timer sent as well. */
static void what_is_sent_in_a_turn_goes_out_before_the_loop_sleeps(void **state)
{
	struct agent *agent = *state;
	su_timer_t *timer = su_timer_create(su_root_task(agent->root), 0);
	struct slice packet, message;
	char text[32];

	assert_int_equal(su_timer_set_interval(timer, say_again, NULL, 0), 0);
	assert_int_equal(link_send(agent->link, slice_str("one")), 0);
	assert_int_equal(recv(agent->server, text, sizeof(text), MSG_DONTWAIT), -1);
	turn(agent);
	packet = slice_of(text, (size_t)recv(agent->server, text, sizeof(text), MSG_DONTWAIT));
	assert_true(packet_next(&packet, &message) && slice_eq_str(message, "one"));
	assert_true(packet_next(&packet, &message) && slice_eq_str(message, "two"));
	assert_false(packet_next(&packet, &message));
	su_timer_destroy(timer);
}

static void what_the_socket_does_not_take_waits_and_keeps_its_order(void **state)
{
	struct agent *agent = *state;
	unsigned n = fill(agent, QUEUE);

	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(receive_big(agent), i);
		turn(agent); /* there is room again */
	}
	assert_int_equal(link_queued(agent->link), 0);
	assert_int_equal(link_send(agent->link, slice_str("x")), 0);
	assert_int_equal(agent->closed, 0);
}

static void a_queue_that_runs_over_ends_the_link_once(void **state)
{
	struct agent *agent = *state;

	fill(agent, QUEUE);
	assert_int_equal(send_big(agent, 0), -ENOBUFS);
	assert_int_equal(agent->closed, 1);
	assert_int_equal(send_big(agent, 0), -EPIPE);
	assert_int_equal(link_send(agent->link, slice_str("x")), -EPIPE);
	assert_int_equal(agent->closed, 1);
}

static void a_message_of_no_length_or_too_much_ends_it(void **state)
{
	static uint8_t octets[LINK_MAX_MESSAGE + 1];
	struct agent *agent = *state;

	assert_int_equal(link_send(agent->link, slice_of(octets, sizeof(octets))), -EMSGSIZE);
	assert_int_equal(agent->closed, 1);
	assert_int_equal(link_send(agent->link, slice_str("x")), -EPIPE);
}

static void a_server_that_goes_is_noticed(void **state)
{
	struct agent *agent = *state;

	close(agent->server);
	agent->server = -1;
	for (int64_t end = clock_mono_ms() + PATIENCE_MS; !agent->closed && clock_mono_ms() < end;)
		turn(agent);
	assert_int_equal(agent->closed, 1);
	assert_int_equal(link_send(agent->link, slice_str("x")), -EPIPE);
}

/* Before the process ends: as far as it goes, and not for ever. */
static void flushing_has_a_limit(void **state)
{
	struct agent *agent = *state;
	int64_t began = clock_mono_ms();

	fill(agent, QUEUE);
	link_flush(agent->link, 20);
	assert_int_equal(link_queued(agent->link), QUEUE); /* nobody reads */
	assert_true(clock_mono_ms() - began < PATIENCE_MS);
	while (link_queued(agent->link) > 0 || agent->unread.n > 0) {
		receive_big(agent);
		link_flush(agent->link, PATIENCE_MS);
	}
	link_flush(agent->link, PATIENCE_MS); /* nothing waits: at once */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(messages_come_and_go_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_sent_in_a_turn_goes_out_before_the_loop_sleeps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_the_socket_does_not_take_waits_and_keeps_its_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_queue_that_runs_over_ends_the_link_once, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_message_of_no_length_or_too_much_ends_it, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_server_that_goes_is_noticed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(flushing_has_a_limit, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
