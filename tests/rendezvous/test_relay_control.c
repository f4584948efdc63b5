/* The relay's control loop with threads of the test's own, and a thread without the loop: what
 * each of them does when the other has no memory left.
 */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/log.h"
#include "rendezvous/relay/control.h"
#include "tests/memory/scarce.h"
#include "tests/umsg/loop.h"

enum { LANES = 2, NUMBER = 77 };

struct world {
	struct event_base *base;
	struct relay_control *control;
	char dir[32], path[48];
	int lanes[LANES]; /* where the threads would be */
	int crs;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct relay_limits limits = { { 1, 1, 1, 1, 1 } };
	int ours[LANES];

	assert_non_null(w);
	snprintf(w->dir, sizeof(w->dir), "/tmp/relay-control.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof(w->path), "%s/s", w->dir);
	w->base = event_base_new();
	for (size_t i = 0; i < LANES; i++) {
		int pair[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
		ours[i] = pair[0];
		w->lanes[i] = pair[1];
	}
	assert_int_equal(relay_control_new(w->base, w->path, ours, LANES, &limits, &w->control), 0);
	w->crs = channel_connect(w->path);
	assert_true(w->crs >= 0);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	relay_control_free(&w->control);
	for (size_t i = 0; i < LANES; i++)
		close(w->lanes[i]);
	close(w->crs);
	event_base_free(w->base);
	unlink(w->path);
	rmdir(w->dir);
	free(w);
	return 0;
}

static void send_request(int crs, CrsRelay__Request *request)
{
	uint8_t octets[256];
	size_t n;

	request->number = NUMBER;
	n = crs_relay__request__pack(request, octets);
	assert_int_equal(send(crs, octets, n, 0), n);
}

static void ask_type(struct world *w, CrsRelay__Request__BodyCase what, unsigned type)
{
	uint8_t id[RELAY_SESSION_ID_SIZE] = { 0 };
	CrsRelay__Request request = CRS_RELAY__REQUEST__INIT;
	CrsRelay__Hello hello = CRS_RELAY__HELLO__INIT;
	CrsRelay__Poll poll = CRS_RELAY__POLL__INIT;
	CrsRelay__Add add = CRS_RELAY__ADD__INIT;
	CrsRelay__KeepLeg keep_leg = CRS_RELAY__KEEP_LEG__INIT;
	CrsRelay__Remove remove = CRS_RELAY__REMOVE__INIT;
	CrsRelay__GetStatistics statistics = CRS_RELAY__GET_STATISTICS__INIT;
	CrsRelay__ListRelays list = CRS_RELAY__LIST_RELAYS__INIT;

	add.session_id = keep_leg.session_id = remove.session_id =
		(ProtobufCBinaryData){ sizeof(id), id };
	add.type = (CrsRelay__RelayType)type;
	add.streams = add.responder_legs = 1;
	request.body_case = what;
	switch (what) {
	case CRS_RELAY__REQUEST__BODY_HELLO:
		request.hello = &hello;
		break;
	case CRS_RELAY__REQUEST__BODY_POLL:
		request.poll = &poll;
		break;
	case CRS_RELAY__REQUEST__BODY_ADD:
		request.add = &add;
		break;
	case CRS_RELAY__REQUEST__BODY_KEEP_LEG:
		request.keep_leg = &keep_leg;
		break;
	case CRS_RELAY__REQUEST__BODY_REMOVE:
		request.remove = &remove;
		break;
	case CRS_RELAY__REQUEST__BODY_GET_STATISTICS:
		request.get_statistics = &statistics;
		break;
	default:
		request.list_relays = &list;
	}
	send_request(w->crs, &request);
}

static void ask(struct world *w, CrsRelay__Request__BodyCase what)
{
	ask_type(w, what, RELAY_RTP);
}

/* Does what a thread without memory does: gives the cookie back, and nothing else. */
static bool lane_fails(struct world *w, size_t lane)
{
	uint8_t message[8192];
	struct relay_envelope head, reply = { 0 };
	ssize_t n = recv(w->lanes[lane], message, sizeof(message), MSG_DONTWAIT);

	if (n < (ssize_t)sizeof(head))
		return false;
	memcpy(&head, message, sizeof(head));
	reply.cookie = head.cookie;
	assert_int_equal(send(w->lanes[lane], &reply, sizeof(reply), 0), sizeof(reply));
	return true;
}

static CrsRelay__Reply *hear(struct world *w)
{
	uint8_t octets[8192];
	ssize_t n = 0;
	CrsRelay__Reply *reply;

	LOOP_UNTIL(w->base, n > 0 || (n = recv(w->crs, octets, sizeof(octets), MSG_DONTWAIT)) > 0);
	reply = crs_relay__reply__unpack(NULL, (size_t)n, octets);
	assert_non_null(reply);
	assert_int_equal(reply->number, NUMBER);
	return reply;
}

/* crs gives up the relay with all its calls when one request stays without an answer. */
static void a_thread_without_memory_is_answered_for(void **state)
{
	struct world *w = *state;
	static const struct {
		CrsRelay__Request__BodyCase what;
		size_t lanes;
		uint32_t error;
	} cases[] = {
		{ CRS_RELAY__REQUEST__BODY_ADD, 1, ENOMEM },
		/* The limit is one: had the first stayed counted, this would be ENOSPC. */
		{ CRS_RELAY__REQUEST__BODY_ADD, 1, ENOMEM },
		{ CRS_RELAY__REQUEST__BODY_GET_STATISTICS, LANES, 0 },
		{ CRS_RELAY__REQUEST__BODY_LIST_RELAYS, LANES, ENOMEM },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t failed = 0;
		CrsRelay__Reply *reply;

		ask(w, cases[i].what);
		LOOP_UNTIL(w->base, failed == cases[i].lanes ||
					    (failed += lane_fails(w, 0) + lane_fails(w, 1)) ==
						    cases[i].lanes);
		reply = hear(w);
		assert_int_equal(reply->error, cases[i].error);
		crs_relay__reply__free_unpacked(reply, NULL);
	}
}

/* The next answer's error. */
static uint32_t error_heard(struct world *w)
{
	CrsRelay__Reply *reply = hear(w);
	uint32_t error = reply->error;

	crs_relay__reply__free_unpacked(reply, NULL);
	return error;
}

static void what_needs_no_thread_is_answered_at_once(void **state)
{
	struct world *w = *state;
	CrsRelay__Request nothing = CRS_RELAY__REQUEST__INIT;
	CrsRelay__Reply *reply;

	ask(w, CRS_RELAY__REQUEST__BODY_HELLO);
	reply = hear(w);
	assert_int_equal(reply->body_case, CRS_RELAY__REPLY__BODY_HELLO);
	assert_int_equal(reply->hello->version, 1);
	crs_relay__reply__free_unpacked(reply, NULL);
	for (int i = 0; i < 3; i++) {
		ask(w, CRS_RELAY__REQUEST__BODY_POLL);
		assert_int_equal(error_heard(w), 0);
	}
	send_request(w->crs, &nothing);
	assert_int_equal(error_heard(w), EINVAL);
	ask_type(w, CRS_RELAY__REQUEST__BODY_ADD, RELAY_TYPE_COUNT);
	assert_int_equal(error_heard(w), EINVAL);
	ask_type(w, CRS_RELAY__REQUEST__BODY_ADD, UINT32_MAX);
	assert_int_equal(error_heard(w), EINVAL);
}

/* A message of the control loop that some lane has; returns the lane, or -1. */
static int take_message(struct world *w, struct relay_envelope *head_out, CrsRelay__Request **out)
{
	uint8_t message[8192];

	for (int i = 0; i < LANES; i++) {
		ssize_t n = recv(w->lanes[i], message, sizeof(message), MSG_DONTWAIT);

		if (n < (ssize_t)sizeof(*head_out))
			continue;
		memcpy(head_out, message, sizeof(*head_out));
		*out = crs_relay__request__unpack(NULL, (size_t)n - sizeof(*head_out),
						  message + sizeof(*head_out));
		return i;
	}
	return -1;
}

/* Answers as a thread does, with the reply behind the envelope. */
static void lane_says(struct world *w, int lane, const struct relay_envelope *head,
		      const CrsRelay__Reply *reply)
{
	uint8_t message[512];
	size_t n = sizeof(*head);

	memcpy(message, head, sizeof(*head));
	if (reply)
		n += crs_relay__reply__pack(reply, message + n);
	assert_int_equal(send(w->lanes[lane], message, n, 0), n);
}

static void lane_answers(struct world *w, CrsRelay__Request__BodyCase what, uint32_t error)
{
	CrsRelay__Reply reply = CRS_RELAY__REPLY__INIT;
	CrsRelay__Request *request = NULL;
	struct relay_envelope head;
	int lane = -1;

	LOOP_UNTIL(w->base, lane >= 0 || (lane = take_message(w, &head, &request)) >= 0);
	assert_int_equal(request->body_case, what);
	assert_int_equal(request->number, NUMBER);
	reply.number = request->number;
	reply.error = error;
	lane_says(w, lane, &(struct relay_envelope){ .cookie = head.cookie }, &reply);
	crs_relay__request__free_unpacked(request, NULL);
}

static void what_names_a_session_goes_to_its_thread_and_back(void **state)
{
	static const struct {
		CrsRelay__Request__BodyCase what;
		uint32_t error;
	} cases[] = {
		{ CRS_RELAY__REQUEST__BODY_ADD, EEXIST }, /* refused: it is not counted */
		{ CRS_RELAY__REQUEST__BODY_ADD, 0 },
		{ CRS_RELAY__REQUEST__BODY_KEEP_LEG, 0 },
		{ CRS_RELAY__REQUEST__BODY_KEEP_LEG, ENOENT },
		{ CRS_RELAY__REQUEST__BODY_REMOVE, 0 },
	};
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		ask(w, cases[i].what);
		lane_answers(w, cases[i].what, cases[i].error);
		assert_int_equal(error_heard(w), cases[i].error);
	}
	/* The limit is one, until the thread says that the session has ended; a second end of it
	 * does not make room for more. */
	ask(w, CRS_RELAY__REQUEST__BODY_ADD);
	assert_int_equal(error_heard(w), ENOSPC);
	for (int i = 0; i < 2; i++)
		lane_says(w, 0, &(struct relay_envelope){ .ended = { [RELAY_RTP] = 1 } }, NULL);
	/* Said in order: the answer of a lane comes behind what it said before. */
	ask(w, CRS_RELAY__REQUEST__BODY_KEEP_LEG);
	lane_answers(w, CRS_RELAY__REQUEST__BODY_KEEP_LEG, 0);
	assert_int_equal(error_heard(w), 0);
	ask(w, CRS_RELAY__REQUEST__BODY_ADD);
	lane_answers(w, CRS_RELAY__REQUEST__BODY_ADD, 0);
	assert_int_equal(error_heard(w), 0);
	ask(w, CRS_RELAY__REQUEST__BODY_ADD);
	assert_int_equal(error_heard(w), ENOSPC);
}

static unsigned warned;

static void on_line(void *arg, enum log_type type, const char *module, const char *text)
{
	(void)arg;
	(void)module;
	warned +=
		type == LOG_TYPE_WARN && strstr(text, "Relay 0000abcd (opaque): a side sends more");
}

static void a_session_over_its_rate_is_named_in_the_log(void **state)
{
	struct world *w = *state;

	warned = 0;
	log_set_tap(on_line, NULL);
	/* Of a kind that there is not. */
	lane_says(w, 0, &(struct relay_envelope){ .capped_ssrc = 1, .capped_type = 99 }, NULL);
	lane_says(w, 0,
		  &(struct relay_envelope){ .capped_ssrc = 0xabcd, .capped_type = RELAY_OPAQUE },
		  NULL);
	/* No message: what lies behind it in memory is the one before. */
	assert_int_equal(send(w->lanes[0], "short", 5, 0), 5);
	LOOP_UNTIL(w->base, warned);
	ask(w, CRS_RELAY__REQUEST__BODY_POLL);
	assert_int_equal(error_heard(w), 0);
	assert_int_equal(warned, 1);
	log_set_tap(NULL, NULL);
}

/* Its calls ended with it: each thread is told to end them, and an answer that comes later finds
 * nobody. */
static void a_crs_that_goes_is_told_to_every_thread(void **state)
{
	struct world *w = *state;
	CrsRelay__Request *request = NULL;
	struct relay_envelope asked, gone = { .cookie = 1 };
	unsigned told = 0;
	int lane = -1;

	ask(w, CRS_RELAY__REQUEST__BODY_ADD);
	LOOP_UNTIL(w->base, lane >= 0 || (lane = take_message(w, &asked, &request)) >= 0);
	crs_relay__request__free_unpacked(request, NULL);
	close(w->crs);
	while (told < LANES) {
		int at = -1;

		LOOP_UNTIL(w->base, at >= 0 || (at = take_message(w, &gone, &request)) >= 0);
		crs_relay__request__free_unpacked(request, NULL);
		assert_int_equal(gone.cookie, 0);
		assert_int_equal(gone.owner, asked.owner);
		told++;
	}
	lane_says(w, lane, &(struct relay_envelope){ .cookie = asked.cookie }, NULL);
	/* Another one is served, and is another owner. */
	w->crs = channel_connect(w->path);
	assert_true(w->crs >= 0);
	ask(w, CRS_RELAY__REQUEST__BODY_KEEP_LEG);
	lane = -1;
	LOOP_UNTIL(w->base, lane >= 0 || (lane = take_message(w, &gone, &request)) >= 0);
	crs_relay__request__free_unpacked(request, NULL);
	assert_int_not_equal(gone.owner, asked.owner);
}

static void of_too_many_connections_the_last_ones_are_closed(void **state)
{
	enum { MOST = 256 };
	struct world *w = *state;
	int more[MOST];
	char octet;
	ssize_t n = -1;

	for (size_t i = 0; i < COUNT(more); i++) {
		more[i] = channel_connect(w->path);
		assert_true(more[i] >= 0);
		event_base_loop(w->base, EVLOOP_NONBLOCK); /* the backlog is not tested here */
	}
	LOOP_UNTIL(w->base, (n = recv(more[MOST - 1], &octet, 1, MSG_DONTWAIT)) == 0);
	assert_int_equal(recv(more[MOST - 2], &octet, 1, MSG_DONTWAIT), -1); /* is there */
	ask(w, CRS_RELAY__REQUEST__BODY_POLL);
	assert_int_equal(error_heard(w), 0);
	for (size_t i = 0; i < COUNT(more); i++)
		close(more[i]);
}

/* ---- memory and sockets ---- */

/* crs gives up the relay with all its calls when one request stays without an answer. */
static bool answered_without(unsigned n, void *arg)
{
	static const CrsRelay__Request__BodyCase whats[] = {
		CRS_RELAY__REQUEST__BODY_KEEP_LEG, CRS_RELAY__REQUEST__BODY_GET_STATISTICS
	};
	struct world *w = arg;
	bool failed = false;

	for (size_t i = 0; i < COUNT(whats); i++) {
		CrsRelay__Reply *reply = NULL;
		uint8_t octets[8192];
		ssize_t got = 0;

		ask(w, whats[i]);
		scarce_begin(n);
		LOOP_UNTIL(w->base,
			   lane_fails(w, 0) + lane_fails(w, 1) < 0 || got > 0 ||
				   (got = recv(w->crs, octets, sizeof(octets), MSG_DONTWAIT)) > 0);
		failed = scarce_end() || failed;
		reply = crs_relay__reply__unpack(NULL, (size_t)got, octets);
		assert_non_null(reply);
		assert_true(reply->error == ENOMEM || reply->error == 0);
		crs_relay__reply__free_unpacked(reply, NULL);
	}
	return failed;
}

static void without_memory_a_request_is_answered_all_the_same(void **state)
{
	struct world *w = *state;

	/* The connection itself is there before. */
	ask(w, CRS_RELAY__REQUEST__BODY_POLL);
	assert_int_equal(error_heard(w), 0);
	assert_in_range(scarce_each(answered_without, w), 1, 50);
}

static struct event_base *base_of_new;

static bool new_without(unsigned n, void *arg)
{
	const struct relay_limits limits = { { 1, 1, 1, 1, 1 } };
	struct relay_control *control = NULL;
	int pair[2], err;
	bool failed;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	scarce_begin(n);
	err = relay_control_new(base_of_new, arg, pair, 1, &limits, &control);
	failed = scarce_end();
	assert_int_equal(err, failed ? -ENOMEM : 0);
	assert_int_equal(control != NULL, !failed);
	relay_control_free(&control);
	if (err)
		close(pair[0]); /* it takes them over with success only */
	close(pair[1]);
	return failed;
}

static void without_memory_or_a_place_it_does_not_begin(void **state)
{
	const struct relay_limits limits = { { 1, 1, 1, 1, 1 } };
	struct relay_control *control = NULL;
	struct world *w = *state;
	char path[64];

	base_of_new = w->base;
	snprintf(path, sizeof(path), "%s/t", w->dir);
	assert_in_range(scarce_each(new_without, path), 3, 50);
	unlink(path);
	assert_int_equal(relay_control_new(w->base, "/nowhere/at/all", NULL, 0, &limits, &control),
			 -ENOENT);
	assert_null(control);
}

/* Memory for unpacking is out, as far as the thread can tell: what came cannot be unpacked. */
static void a_thread_gives_back_what_it_cannot_unpack(void **state)
{
	struct {
		struct relay_envelope head;
		uint8_t octets[4];
	} message = { .head.cookie = 5, .octets = { 0xff, 0xff, 0xff, 0xff } };
	const struct relay_rate rate = { 0, 0 };
	const struct timeval limit = { .tv_sec = 10 };
	struct relay_thread *thread;
	struct relay_envelope reply;
	struct net_addr any, bound;
	int udp[RELAY_MAX_THREADS], pair[2];

	(void)state;
	assert_int_equal(net_parse("127.0.0.1", 0, &any), 0);
	assert_int_equal(relay_sockets(&any, 1, udp, &bound), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	assert_int_equal(relay_thread_start(0, net_port(&bound), udp[0], pair[1], &rate, &thread),
			 0);
	assert_int_equal(send(pair[0], &message, sizeof(message.head) + sizeof(message.octets), 0),
			 sizeof(message.head) + sizeof(message.octets));
	assert_int_equal(recv(pair[0], &reply, sizeof(reply), 0), sizeof(reply));
	assert_int_equal(reply.cookie, 5);
	assert_int_equal(reply.more, 0);
	close(pair[0]);
	relay_thread_join(&thread);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_thread_without_memory_is_answered_for),
		TEST(what_needs_no_thread_is_answered_at_once),
		TEST(what_names_a_session_goes_to_its_thread_and_back),
		TEST(a_session_over_its_rate_is_named_in_the_log),
		TEST(a_crs_that_goes_is_told_to_every_thread),
		TEST(of_too_many_connections_the_last_ones_are_closed),
		TEST(without_memory_a_request_is_answered_all_the_same),
		TEST(without_memory_or_a_place_it_does_not_begin),
		cmocka_unit_test(a_thread_gives_back_what_it_cannot_unpack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
