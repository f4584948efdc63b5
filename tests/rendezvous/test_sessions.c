#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rendezvous/sessions.h"
#include "umsg/end_reason.h"

/* Everything that the sessions ask for, as text: "ring 2", "forward 1 last", ... */
struct world {
	char told[2048];
	int relay_error;
	struct sessions *sessions;
};

static void tell(struct world *world, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void tell(struct world *world, const char *fmt, ...)
{
	size_t n = strlen(world->told);
	va_list args;

	va_start(args, fmt);
	vsnprintf(world->told + n, sizeof(world->told) - n, fmt, args);
	va_end(args);
	n = strlen(world->told);
	snprintf(world->told + n, sizeof(world->told) - n, "\n");
}

static int relay_add(void *arg, const struct session *s)
{
	tell(arg, "relay add %zu legs", s->n_devices);
	return ((struct world *)arg)->relay_error;
}

static void relay_keep(void *arg, const struct session *s, size_t device)
{
	(void)s;
	tell(arg, "relay keep %zu", device);
}

static void relay_remove(void *arg, const struct session *s)
{
	(void)s;
	tell(arg, "relay remove");
}

static void answer(void *arg, const struct session *s)
{
	tell(arg, "answer %d", (int)s->from.connection);
}

static void ring(void *arg, const struct session *s, size_t device)
{
	tell(arg, "ring %d", (int)s->device[device].at.connection);
}

static void forward(void *arg, const struct session *s, const struct endpoint *to,
		    struct slice frame, bool last)
{
	(void)s;
	tell(arg, "%.*s to %d%s", (int)frame.n, (const char *)frame.p, (int)to->connection,
	     last ? " last" : "");
}

static void hangup(void *arg, const struct session *s, const struct endpoint *to,
		   Umsg__EndReason reason)
{
	(void)s;
	tell(arg, "hangup %d: %s", (int)to->connection, umsg_end_reason_text(reason));
}

static void changed(void *arg, const struct session *s)
{
	char text[64];

	session_state_text(s, "; ", text, sizeof(text));
	tell(arg, "= %s", text);
}

static const struct sessions_ops ops = {
	.relay_add = relay_add,
	.relay_keep = relay_keep,
	.relay_remove = relay_remove,
	.answer = answer,
	.ring = ring,
	.forward = forward,
	.hangup = hangup,
	.changed = changed,
};

static const uint8_t id_octets[SESSION_ID_SIZE] = "0123456789abcde";
static const struct endpoint caller = { 0, 1 }, first = { 0, 2 }, second = { 1, 3 };

static struct slice id(void)
{
	return slice_of(id_octets, sizeof(id_octets));
}

static int make_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	world->sessions = sessions_new(&ops, world);
	*state = world;
	return world->sessions ? 0 : -1;
}

static int drop_world(void **state)
{
	struct world *world = *state;

	sessions_free(&world->sessions);
	assert_null(world->sessions);
	free(world);
	return 0;
}

/* What was told since the last look. */
static void expect(struct world *world, const char *want)
{
	assert_string_equal(world->told, want);
	world->told[0] = '\0';
}

static int invite(struct world *world, bool known, size_t devices)
{
	const struct endpoint at[] = { first, second };
	struct session_invite i = {
		.id = id(),
		.caller = slice_str("tel:+1"),
		.callee = slice_str("tel:+2"),
		.account = slice_str("acme"),
		.from = caller,
		.n_streams = 1,
		.frame = slice_str("bang"),
		.known = known,
		.devices = at,
		.n_devices = devices,
	};

	return sessions_invite(world->sessions, &i, 1000);
}

static void relay_answers(struct world *world, size_t legs)
{
	struct session_relay relay = { .port = 146, .n_responders = legs, .n_streams = 1 };

	sessions_relay_added(world->sessions, id(), &relay, 1000);
}

static int frame(struct world *world, const struct endpoint *from, enum session_frame type,
		 const char *text)
{
	return sessions_frame(world->sessions, id(), from, type, slice_str(text),
			      UMSG__END_REASON__END_BUSY, 2000);
}

static void ring_two(struct world *world)
{
	assert_int_equal(invite(world, true, 2), 0);
	relay_answers(world, 2);
	world->told[0] = '\0';
}

static void talk_with_first(struct world *world)
{
	ring_two(world);
	assert_int_equal(frame(world, &first, SESSION_FRAME_TALK, "talk"), 0);
	world->told[0] = '\0';
}

static void every_device_rings_and_the_first_talk_wins(void **state)
{
	struct world *world = *state;

	assert_int_equal(invite(world, true, 2), 0);
	expect(world, "relay add 2 legs\n");
	relay_answers(world, 2);
	expect(world, "answer 1\nring 2\nring 3\n= invite\n");
	assert_int_equal(frame(world, &second, SESSION_FRAME_GROWL, "growl"), 0);
	expect(world, "growl to 1\n= ringing\n");
	assert_int_equal(frame(world, &first, SESSION_FRAME_GROWL, "growl"), 0);
	expect(world, "growl to 1\n");
	assert_int_equal(frame(world, &second, SESSION_FRAME_TALK, "talk"), 0);
	expect(world, "talk to 1\nhangup 2: answered elsewhere\nrelay keep 1\n= talk\n");
	assert_int_equal(frame(world, &first, SESSION_FRAME_TALK, "talk"), -ENOENT);
	assert_int_equal(frame(world, &caller, SESSION_FRAME_SIGNAL, "signal"), 0);
	expect(world, "signal to 3\n");
	assert_int_equal(frame(world, &caller, SESSION_FRAME_HANGUP, "bye"), 0);
	expect(world, "bye to 3 last\nrelay remove\n= hangup(busy; caller)\n");
	assert_int_equal(frame(world, &second, SESSION_FRAME_HANGUP, "bye"), -ENOENT);
}

/* CRS-082: TIME is that of the whole session, and a call that is over gets no longer. */
static void the_time_of_a_call_stops_with_it(void **state)
{
	struct world *world = *state;
	const struct session *s;

	talk_with_first(world); /* began at 1000 */
	s = sessions_find(world->sessions, id());
	assert_int_equal(session_seconds(s, 7999), 6);
	assert_int_equal(frame(world, &caller, SESSION_FRAME_HANGUP, "bye"), 0); /* at 2000 */
	assert_int_equal(session_seconds(s, 2000), 1);
	assert_int_equal(session_seconds(s, 2000 + SESSION_LINGER_MS - 1), 1);
}

static void nobody_to_ring_ends_the_call_at_once(void **state)
{
	struct world *world = *state;

	assert_int_equal(invite(world, false, 0), 0);
	expect(world, "hangup 1: responder not found\n= responder not found\n");
	sessions_tick(world->sessions, 1000 + SESSION_LINGER_MS);
	assert_int_equal(sessions_count(world->sessions), 0);
	assert_int_equal(invite(world, true, 0), 0);
	expect(world, "hangup 1: responder not connected\n= responder not connected\n");
}

static void one_device_that_declines_leaves_the_others_ringing(void **state)
{
	struct world *world = *state;

	ring_two(world);
	assert_int_equal(frame(world, &first, SESSION_FRAME_HANGUP, "no"), 0);
	expect(world, "");
	assert_int_equal(frame(world, &second, SESSION_FRAME_HANGUP, "no"), 0);
	expect(world, "no to 1 last\nrelay remove\n= hangup(busy; callee)\n");
}

static void a_caller_that_gives_up_stops_all_ringing(void **state)
{
	struct world *world = *state;

	ring_two(world);
	assert_int_equal(frame(world, &caller, SESSION_FRAME_HANGUP, "bye"), 0);
	expect(world, "bye to 2 last\nbye to 3 last\nrelay remove\n= hangup(busy; caller)\n");
}

static void a_lost_connection_ends_the_call_for_the_other(void **state)
{
	struct world *world = *state;

	talk_with_first(world);
	sessions_lost(world->sessions, id(), &second, 3000); /* a loser: nothing to do */
	expect(world, "");
	sessions_lost(world->sessions, id(), &first, 3000);
	expect(world,
	       "hangup 1: connection lost\nrelay remove\n= hangup(connection lost; callee)\n");
}

static void a_lost_holder_ends_the_calls_of_its_clients(void **state)
{
	struct world *world = *state;

	ring_two(world);
	sessions_holder_lost(world->sessions, 1, 3000); /* second */
	expect(world, "");
	sessions_holder_lost(world->sessions, 0, 3000); /* caller and first */
	expect(world, "hangup 2: connection lost\nrelay remove\n"
		      "= hangup(connection lost; caller)\n");
}

static void without_a_relay_there_is_no_call(void **state)
{
	struct world *world = *state;

	world->relay_error = -EPIPE;
	assert_int_equal(invite(world, true, 1), 0);
	expect(world,
	       "relay add 1 legs\nhangup 1: no media relay\n= hangup(no media relay; server)\n");
	assert_int_equal(invite(world, true, 1), -EEXIST);
}

/* REL-001: the relay's limit is a reason of its own. */
static void a_relay_that_refuses_ends_the_call(void **state)
{
	struct world *world = *state;

	assert_int_equal(invite(world, true, 1), 0);
	world->told[0] = '\0';
	sessions_relay_refused(world->sessions, id(), UMSG__END_REASON__END_CONGESTION, 1000);
	expect(world, "hangup 1: congestion\n= hangup(congestion; server)\n");
}

/* An earlier call's, or one that is wrong: a device would refuse such an invitation. */
static void a_relay_that_gives_other_streams_than_asked_for_ends_the_call(void **state)
{
	const struct session_relay relay = { .port = 146, .n_responders = 1, .n_streams = 5 };
	struct world *world = *state;

	assert_int_equal(invite(world, true, 1), 0);
	world->told[0] = '\0';
	sessions_relay_added(world->sessions, id(), &relay, 1000);
	expect(world, "hangup 1: no media relay\nrelay remove\n"
		      "= hangup(no media relay; server)\n");
}

static void a_lost_relay_ends_every_call(void **state)
{
	struct world *world = *state;

	talk_with_first(world);
	sessions_relay_lost(world->sessions, 3000);
	expect(world, "hangup 2: media lost\nhangup 1: media lost\n"
		      "= hangup(media lost; server)\n");
}

static void what_the_relay_gives_too_late_is_given_back(void **state)
{
	struct world *world = *state;

	assert_int_equal(invite(world, true, 1), 0);
	assert_int_equal(frame(world, &caller, SESSION_FRAME_HANGUP, "bye"), 0);
	world->told[0] = '\0';
	relay_answers(world, 1);
	expect(world, "relay remove\n");
	sessions_tick(world->sessions, 2000 + SESSION_LINGER_MS);
	relay_answers(world, 1); /* and when the session is forgotten */
	expect(world, "relay remove\n");
}

/* No state may wait for ever but talking, and all that ended is forgotten. */
static void silence_ends_a_call_in_every_state_but_talk(void **state)
{
	static const int64_t limits[] = { SESSION_SETUP_LIMIT_MS, SESSION_INVITE_LIMIT_MS,
					  SESSION_RINGING_LIMIT_MS };
	struct world *world = *state;

	for (size_t i = 0; i < COUNT(limits); i++) {
		assert_int_equal(invite(world, true, 1), 0);
		if (i > 0)
			relay_answers(world, 1);
		if (i > 1)
			assert_int_equal(frame(world, &first, SESSION_FRAME_GROWL, "growl"), 0);
		sessions_tick(world->sessions, 999 + limits[i]);
		assert_true(sessions_find(world->sessions, id())->state < SESSION_TALK);
		sessions_tick(world->sessions, 2000 + limits[i]);
		assert_int_equal(sessions_find(world->sessions, id())->state, SESSION_HANGUP);
		sessions_tick(world->sessions, 2000 + limits[i] + SESSION_LINGER_MS);
		assert_int_equal(sessions_count(world->sessions), 0);
	}
	talk_with_first(world);
	sessions_tick(world->sessions, 100 * SESSION_RINGING_LIMIT_MS);
	assert_int_equal(sessions_find(world->sessions, id())->state, SESSION_TALK);
}

static void strangers_and_wrong_frames_change_nothing(void **state)
{
	const struct endpoint stranger = { 7, 7 };
	struct world *world = *state;

	assert_int_equal(invite(world, true, 2), 0);
	assert_int_equal(frame(world, &first, SESSION_FRAME_TALK, "talk"), -EPROTO);
	relay_answers(world, 2);
	world->told[0] = '\0';
	assert_int_equal(frame(world, &stranger, SESSION_FRAME_TALK, "talk"), -ENOENT);
	assert_int_equal(frame(world, &stranger, SESSION_FRAME_HANGUP, "bye"), -ENOENT);
	assert_int_equal(frame(world, &caller, SESSION_FRAME_TALK, "talk"), -EPROTO);
	assert_int_equal(sessions_frame(world->sessions, slice_str("no such call 123"), &caller,
					SESSION_FRAME_HANGUP, slice_str("x"), 0, 0),
			 -ENOENT);
	expect(world, "");
	assert_int_equal(frame(world, &first, SESSION_FRAME_TALK, "talk"), 0);
	world->told[0] = '\0';
	assert_int_equal(frame(world, &first, SESSION_FRAME_GROWL, "growl"), -EPROTO);
	assert_int_equal(frame(world, &first, SESSION_FRAME_TALK, "talk"), -EPROTO);
	expect(world, "");
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, make_world, drop_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(every_device_rings_and_the_first_talk_wins),
		ONE(the_time_of_a_call_stops_with_it),
		ONE(nobody_to_ring_ends_the_call_at_once),
		ONE(one_device_that_declines_leaves_the_others_ringing),
		ONE(a_caller_that_gives_up_stops_all_ringing),
		ONE(a_lost_connection_ends_the_call_for_the_other),
		ONE(a_lost_holder_ends_the_calls_of_its_clients),
		ONE(without_a_relay_there_is_no_call),
		ONE(a_relay_that_refuses_ends_the_call),
		ONE(a_relay_that_gives_other_streams_than_asked_for_ends_the_call),
		ONE(a_lost_relay_ends_every_call),
		ONE(what_the_relay_gives_too_late_is_given_back),
		ONE(silence_ends_a_call_in_every_state_but_talk),
		ONE(strangers_and_wrong_frames_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
