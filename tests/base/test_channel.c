#include "tests/unit.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/buf.h"
#include "base/channel.h"
#include "base/packet_queue.h"

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

/* The messages of the next packet, one behind the other with a "|" between. */
static const char *next_packet(int peer)
{
	static char text[256];
	uint8_t octets[256];
	ssize_t n = recv(peer, octets, sizeof(octets), MSG_DONTWAIT);
	struct slice packet = slice_of(octets, n > 0 ? (size_t)n : 0), message;
	struct buf b = BUF_OF(text);

	while (packet_next(&packet, &message)) {
		buf_put_slice(&b, message);
		buf_put_char(&b, '|');
	}
	return n < 0 ? "nothing" : text;
}

static void what_is_gathered_goes_out_at_the_end_of_the_turn(void **state)
{
	struct seen seen;
	int peer;

	(void)state;
	open_pair(&seen, &peer);
	channel_gather(seen.channel);
	assert_int_equal(channel_send(seen.channel, slice_str("abc")), 0);
	assert_int_equal(channel_send(seen.channel, slice_str("de")), 0);
	assert_string_equal(next_packet(peer), "nothing");
	event_base_loop(seen.base, EVLOOP_NONBLOCK);
	assert_string_equal(next_packet(peer), "abc|de|");
	assert_int_equal(channel_queued(seen.channel), 0);
	for (unsigned i = 0; i < 6; i++) /* more than the queue holds: it does not wait then */
		assert_int_equal(channel_send(seen.channel, slice_str("f")), 0);
	channel_free(&seen.channel);
	assert_string_equal(next_packet(peer), "f|f|f|f|");
	assert_string_equal(next_packet(peer), "f|f|");
	assert_string_equal(next_packet(peer), ""); /* the end */
	close(peer);
	event_base_free(seen.base);
}

static void what_can_wait_goes_out_with_the_next_message(void **state)
{
	struct seen seen;
	int peer;

	(void)state;
	open_pair(&seen, &peer);
	channel_gather(seen.channel);
	assert_int_equal(channel_send_lazily(seen.channel, slice_str("abc")), 0);
	event_base_loop(seen.base, EVLOOP_NONBLOCK);
	assert_string_equal(next_packet(peer), "nothing");
	assert_int_equal(channel_send(seen.channel, slice_str("de")), 0);
	event_base_loop(seen.base, EVLOOP_NONBLOCK);
	assert_string_equal(next_packet(peer), "abc|de|");
	for (unsigned i = 0; i < 5; i++) /* one more than the queue holds */
		assert_int_equal(channel_send_lazily(seen.channel, slice_str("f")), 0);
	assert_string_equal(next_packet(peer), "f|f|f|f|");
	assert_int_equal(channel_send_lazily(seen.channel, slice_str("")), -EMSGSIZE);
	channel_free(&seen.channel);
	assert_string_equal(next_packet(peer), "f|");
	close(peer);
	event_base_free(seen.base);

	open_pair(&seen, &peer); /* one that does not gather lets nothing wait */
	assert_int_equal(channel_send_lazily(seen.channel, slice_str("g")), 0);
	assert_string_equal(next_packet(peer), "g|");
	close(peer);
	event_base_dispatch(seen.base);
	assert_int_equal(channel_send_lazily(seen.channel, slice_str("h")), -EPIPE);
	channel_free(&seen.channel);
	event_base_free(seen.base);
}

static void a_packet_is_taken_apart_by_the_other_end(void **state)
{
	static uint8_t big[CHANNEL_MAX_MESSAGE];
	struct seen seen = { 0 }, other = { 0 };
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	seen.base = event_base_new();
	seen.channel = channel_new(seen.base, fds[0], 64, &ops, &seen);
	other.channel = channel_new(seen.base, fds[1], 64, &ops, &other);
	channel_gather(seen.channel);
	channel_gather(other.channel);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(channel_send(seen.channel, slice_str("0123456789")), 0);
	memset(big, 1, sizeof(big));
	assert_int_equal(channel_send(seen.channel, slice_of(big, sizeof(big))), 0);
	assert_int_equal(channel_send(seen.channel, slice_str("x")), 0);
	for (unsigned i = 0; i < 10; i++)
		event_base_loop(seen.base, EVLOOP_NONBLOCK);
	assert_int_equal(other.messages, 42);
	assert_int_equal(other.octets, 400 + sizeof(big) + 1);
	channel_free(&seen.channel);
	channel_free(&other.channel);
	event_base_free(seen.base);
}

/* What claims to be longer than it is comes as it is, and nothing is left: its reader finds no
 * message in it. */
static void a_malformed_packet_is_one_message(void **state)
{
	static const struct {
		const char *octets;
		size_t n, first, left;
	} cases[] = {
		{ "abc", 3, 3, 0 },           { "\0\0\0\0\2abc", 8, 2, 1 },
		{ "\0\0\0\0\4abc", 8, 8, 0 }, { "\0\377\377\377\377abc", 8, 8, 0 },
		{ "\0\0\0", 3, 3, 0 },        { "\0\0\0\0\0", 5, 0, 0 },
	};
	struct slice packet, message;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		packet = slice_of(cases[i].octets, cases[i].n);
		assert_true(packet_next(&packet, &message));
		assert_int_equal(message.n, cases[i].first);
		assert_int_equal(packet.n, cases[i].left);
	}
	packet = slice_of(NULL, 0);
	assert_false(packet_next(&packet, &message));
}

static void an_end_is_seen_before_the_loop_tells_of_it(void **state)
{
	struct seen seen;
	int peer;

	(void)state;
	open_pair(&seen, &peer);
	assert_int_equal(write(peer, "abc", 3), 3);
	assert_false(channel_is_over(seen.channel));
	close(peer);
	/* Though what was said before is still to be read. */
	assert_true(channel_is_over(seen.channel));
	event_base_loop(seen.base, EVLOOP_NONBLOCK);
	assert_int_equal(seen.messages, 1);
	assert_true(channel_is_over(seen.channel));
	channel_free(&seen.channel);
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
		cmocka_unit_test(what_can_wait_goes_out_with_the_next_message),
		cmocka_unit_test(a_packet_is_taken_apart_by_the_other_end),
		cmocka_unit_test(a_malformed_packet_is_one_message),
		cmocka_unit_test(an_end_is_seen_before_the_loop_tells_of_it),
		cmocka_unit_test(an_owner_may_free_the_channel_in_its_callback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
