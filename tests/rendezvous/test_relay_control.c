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
#include "rendezvous/relay/control.h"
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

static void ask(struct world *w, CrsRelay__Request__BodyCase what)
{
	uint8_t octets[256], id[RELAY_SESSION_ID_SIZE] = { 0 };
	CrsRelay__Request request = CRS_RELAY__REQUEST__INIT;
	CrsRelay__Add add = CRS_RELAY__ADD__INIT;
	CrsRelay__GetStatistics statistics = CRS_RELAY__GET_STATISTICS__INIT;
	CrsRelay__ListRelays list = CRS_RELAY__LIST_RELAYS__INIT;
	size_t n;

	add.session_id = (ProtobufCBinaryData){ sizeof(id), id };
	add.streams = add.responder_legs = 1;
	request.number = NUMBER;
	request.body_case = what;
	if (what == CRS_RELAY__REQUEST__BODY_ADD)
		request.add = &add;
	else if (what == CRS_RELAY__REQUEST__BODY_GET_STATISTICS)
		request.get_statistics = &statistics;
	else
		request.list_relays = &list;
	n = crs_relay__request__pack(&request, octets);
	assert_int_equal(send(w->crs, octets, n, 0), n);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_thread_without_memory_is_answered_for, set_up,
						tear_down),
		cmocka_unit_test(a_thread_gives_back_what_it_cannot_unpack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
