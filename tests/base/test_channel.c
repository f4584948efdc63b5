#include "tests/unit.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/channel.h"

struct seen {
	struct event_base *base;
	struct channel *channel;
	size_t messages, octets;
	int closed, close_err;
	bool free_in_callback;
};

static void on_message(void *arg, struct slice message)
{
	struct seen *seen = arg;

	seen->messages++;
	seen->octets += message.n;
	if (seen->free_in_callback)
		channel_free(&seen->channel);
}

static void on_closed(void *arg, int err)
{
	struct seen *seen = arg;

	seen->closed++;
	seen->close_err = err;
	event_base_loopbreak(seen->base);
}

static const struct channel_ops ops = { on_message, on_closed };

static struct channel *open_pair(struct seen *seen, int *peer)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	*seen = (struct seen){ .base = event_base_new() };
	seen->channel = channel_new(seen->base, fds[0], 4, &ops, seen);
	assert_non_null(seen->channel);
	*peer = fds[1];
	return seen->channel;
}

static void messages_keep_their_borders_and_a_close_is_told_once(void **state)
{
	struct seen seen;
	int peer;

	(void)state;
	open_pair(&seen, &peer);
	assert_int_equal(write(peer, "abc", 3), 3);
	assert_int_equal(write(peer, "de", 2), 2);
	close(peer);
	event_base_dispatch(seen.base);
	assert_int_equal(seen.messages, 2);
	assert_int_equal(seen.octets, 5);
	assert_int_equal(seen.closed, 1);
	assert_int_equal(seen.close_err, 0);
	assert_int_equal(channel_send(seen.channel, slice_str("x")), -EPIPE);
	channel_free(&seen.channel);
	event_base_free(seen.base);
}

static void a_full_queue_refuses_and_nothing_queued_is_lost(void **state)
{
	static uint8_t big[CHANNEL_MAX_MESSAGE];
	struct seen seen;
	size_t accepted = 0, received = 0;
	int peer;

	(void)state;
	open_pair(&seen, &peer);
	while (channel_send(seen.channel, slice_of(big, sizeof(big))) == 0)
		accepted++;
	assert_int_equal(channel_send(seen.channel, slice_of(big, sizeof(big))), -ENOBUFS);
	assert_int_equal(channel_queued(seen.channel), 4);
	assert_int_equal(channel_send(seen.channel, slice_of(big, sizeof(big) + 1)), -EMSGSIZE);
	while (received < accepted) {
		assert_int_equal(recv(peer, big, sizeof(big), 0), sizeof(big));
		received++;
		event_base_loop(seen.base, EVLOOP_NONBLOCK);
	}
	assert_int_equal(channel_queued(seen.channel), 0);
	channel_free(&seen.channel);
	close(peer);
	event_base_free(seen.base);
}

static void what_is_gathered_goes_out_at_the_end_of_the_turn(void **state)
{
	struct seen seen;
	char text[8];
	int peer;

	(void)state;
	open_pair(&seen, &peer);
	channel_gather(seen.channel);
	assert_int_equal(channel_send(seen.channel, slice_str("abc")), 0);
	assert_int_equal(channel_send(seen.channel, slice_str("de")), 0);
	assert_int_equal(recv(peer, text, sizeof(text), MSG_DONTWAIT), -1);
	event_base_loop(seen.base, EVLOOP_NONBLOCK);
	assert_int_equal(recv(peer, text, sizeof(text), MSG_DONTWAIT), 3);
	assert_int_equal(recv(peer, text, sizeof(text), MSG_DONTWAIT), 2);
	assert_int_equal(channel_queued(seen.channel), 0);
	for (unsigned i = 0; i < 20; i++) /* more than the queue holds: it does not wait then */
		assert_int_equal(channel_send(seen.channel, slice_str("f")), 0);
	channel_free(&seen.channel);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(recv(peer, text, sizeof(text), MSG_DONTWAIT), 1);
	assert_int_equal(recv(peer, text, sizeof(text), MSG_DONTWAIT), 0);
	close(peer);
	event_base_free(seen.base);
}

static void an_owner_may_free_the_channel_in_its_callback(void **state)
{
	struct seen seen;
	int peer;

	(void)state;
	open_pair(&seen, &peer);
	seen.free_in_callback = true;
	assert_int_equal(write(peer, "abc", 3), 3);
	assert_int_equal(write(peer, "def", 3), 3);
	event_base_loop(seen.base, EVLOOP_NONBLOCK);
	assert_null(seen.channel);
	assert_int_equal(seen.messages, 1);
	close(peer);
	event_base_free(seen.base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_keep_their_borders_and_a_close_is_told_once),
		cmocka_unit_test(a_full_queue_refuses_and_nothing_queued_is_lost),
		cmocka_unit_test(what_is_gathered_goes_out_at_the_end_of_the_turn),
		cmocka_unit_test(an_owner_may_free_the_channel_in_its_callback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
