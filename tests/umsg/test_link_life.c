/* How long a link lasts: limits of time and room, pings, closing, being freed. */
#include "tests/umsg/link_scene.h"

#include "base/clock.h"

enum { PINGS_MS = 20000 };

static void who_does_not_shake_hands_in_time_is_cut_off(void **state)
{
	struct fixture *f = *state;
	int listening, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct net_addr addr = listen_here(&listening);

	assert_int_equal(connect(fd, &addr.sa, addr.len), 0);
	assert_int_equal(
		link_accept(f->context, accept_one(listening), &ops, &f->server, &f->server.link),
		0);
	LOOP_UNTIL(f->base, f->server.count[LINK_CLOSED]);
	assert_int_equal(f->server.reason, LINK_TIMED_OUT);
	close(fd);
}

static void who_does_not_end_a_head_in_time_is_cut_off(void **state)
{
	struct fixture *f = *state;
	struct raw raw;

	raw_handshake(f, &raw);
	raw_say(&raw, "GET / HT", 8);
	LOOP_UNTIL(f->base, f->server.count[LINK_CLOSED]);
	assert_int_equal(f->server.reason, LINK_TIMED_OUT);
	raw_free(&raw);
}

static void who_does_not_end_a_message_in_time_is_cut_off(void **state)
{
	struct fixture *f = *state;
	struct raw raw;

	raw_handshake(f, &raw);
	raw_say(&raw, upgrade, sizeof(upgrade) - 1);
	LOOP_UNTIL(f->base, f->server.count[LINK_NEGOTIATED]);
	raw_say(&raw, "\x82\x82\0\0\0\0h", 7);
	LOOP_UNTIL(f->base, f->server.count[LINK_CLOSED]);
	assert_int_equal(f->server.reason, LINK_TIMED_OUT);
	raw_free(&raw);
}

/* The first piece of a message, and pings behind it. */
static void pings_do_not_give_a_message_more_time(void **state)
{
	struct fixture *f = *state;
	int64_t began = clock_mono_ms();
	struct raw raw;

	raw_handshake(f, &raw);
	raw_say(&raw, upgrade, sizeof(upgrade) - 1);
	LOOP_UNTIL(f->base, f->server.count[LINK_NEGOTIATED]);
	raw_say(&raw, "\x02\x81\0\0\0\0h", 7);
	while (!f->server.count[LINK_CLOSED]) {
		unsigned pinged;

		assert_true(clock_mono_ms() - began < PINGS_MS);
		raw_say(&raw, "\x89\x80\0\0\0\0", 6);
		pinged = f->server.count[LINK_PINGED];
		LOOP_UNTIL(f->base,
			   f->server.count[LINK_PINGED] > pinged || f->server.count[LINK_CLOSED]);
	}
	assert_int_equal(f->server.reason, LINK_TIMED_OUT);
	assert_true(f->server.count[LINK_PINGED] > 0);
	raw_free(&raw);
}

static void who_does_not_read_is_cut_off(void **state)
{
	static uint8_t body[60000];
	struct fixture *f = *state;
	int err = 0;

	be_up(f);
	link_pause(f->client.link, true);
	while (!err) {
		err = link_send(f->server.link, slice_of(body, sizeof(body)));
		event_base_loop(f->base, EVLOOP_NONBLOCK);
	}
	assert_int_equal(err, -ENOBUFS);
	LOOP_UNTIL(f->base, f->server.count[LINK_CLOSED]);
	assert_int_equal(f->server.reason, LINK_SLOW);
	assert_int_equal(link_send(f->server.link, slice_str("x")), -ENOTCONN);
}

static void a_close_is_answered_and_both_know_the_code(void **state)
{
	struct fixture *f = *state;

	be_up(f);
	assert_int_equal(link_send(f->server.link, slice_str("last words")), 0);
	link_close(f->server.link, 1001);
	LOOP_UNTIL(f->base, f->client.count[LINK_CLOSED] && f->server.count[LINK_CLOSED]);
	assert_int_equal(f->client.count[LINK_FRAME], 1);
	assert_int_equal(f->client.reason, LINK_BY_PEER);
	assert_int_equal(f->client.code, 1001);
	assert_int_equal(f->server.reason, LINK_BY_US);
}

/* CCA-004: the server is told of a client's pings. */
static void silence_is_pinged_and_the_answer_is_timed(void **state)
{
	struct fixture *f = *state;

	be_up(f);
	link_set_keep_alive(f->client.link, LINK_KEEP_WS, 5, 5000);
	LOOP_UNTIL(f->base, f->client.count[LINK_PONG] >= 3);
	assert_true(f->server.count[LINK_PINGED] >= 3);
	assert_int_equal(f->client.count[LINK_CLOSED], 0);
}

static void no_answer_to_a_ping_ends_the_link(void **state)
{
	struct fixture *f = *state;

	be_up(f);
	link_pause(f->client.link, true);
	link_set_keep_alive(f->server.link, LINK_KEEP_WS, 5, 20);
	LOOP_UNTIL(f->base, f->server.count[LINK_CLOSED]);
	assert_int_equal(f->server.reason, LINK_SILENT);
}

static void a_link_may_be_freed_in_its_own_callback(void **state)
{
	struct fixture *f = *state;

	be_up(f);
	f->server.free_at_frame = true;
	assert_int_equal(link_send(f->client.link, slice_str("one")), 0);
	assert_int_equal(link_send(f->client.link, slice_str("two")), 0);
	LOOP_UNTIL(f->base, f->client.count[LINK_CLOSED]);
	assert_null(f->server.link);
	assert_int_equal(f->server.count[LINK_FRAME], 1);
	assert_int_equal(f->server.count[LINK_CLOSED], 0);
}

/* Something that is due in each of so many turns of the loop. */
struct busy {
	struct event *event;
	unsigned left, frames; /* what had come when it ended */
	const struct end *end;
};

static void on_busy(evutil_socket_t fd, short what, void *arg)
{
	struct busy *busy = arg;

	(void)fd;
	(void)what;
	busy->frames = busy->end->count[LINK_FRAME];
	if (--busy->left == 0)
		event_del(busy->event);
}

static int set_up_priorities(void **state)
{
	int err = set_up(state);
	struct fixture *f = *state;

	return err ? err : event_base_priority_init(f->base, 2);
}

static void a_link_waits_for_what_comes_before_it(void **state)
{
	struct fixture *f = *state;
	int fds[2];

	be_up(f);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1); /* there is always something to read */
	link_set_priority(f->client.link, 0);
	for (int priority = 0; priority < 2; priority++) {
		struct busy busy = { .left = 500, .end = &f->server };
		unsigned before = f->server.count[LINK_FRAME];

		link_set_priority(f->server.link, priority);
		busy.event = event_new(f->base, fds[0], EV_READ | EV_PERSIST, on_busy, &busy);
		assert_int_equal(event_priority_set(busy.event, 0), 0);
		assert_int_equal(event_add(busy.event, NULL), 0);
		assert_int_equal(link_send(f->client.link, slice_str("x")), 0);
		LOOP_UNTIL(f->base, busy.left == 0 && f->server.count[LINK_FRAME] == before + 1);
		assert_int_equal(busy.frames, priority == 0 ? before + 1 : before);
		event_free(busy.event);
	}
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(set_up_hasty_handshake, who_does_not_shake_hands_in_time_is_cut_off),
		WITH(set_up_hasty_handshake, who_does_not_end_a_head_in_time_is_cut_off),
		WITH(set_up_hasty, who_does_not_end_a_message_in_time_is_cut_off),
		WITH(set_up_hasty, pings_do_not_give_a_message_more_time),
		WITH(set_up_hasty, who_does_not_read_is_cut_off),
		WITH(set_up, a_close_is_answered_and_both_know_the_code),
		WITH(set_up, silence_is_pinged_and_the_answer_is_timed),
		WITH(set_up, no_answer_to_a_ping_ends_the_link),
		WITH(set_up, a_link_may_be_freed_in_its_own_callback),
		WITH(set_up_priorities, a_link_waits_for_what_comes_before_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
