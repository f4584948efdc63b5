/* The real crs-relay: its Unix socket, its UDP port, two threads and the steering. */
#include "tests/unit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/clock.h"
#include "base/net.h"
#include "base/process.h"
#include "media/stun.h"
#include "rendezvous/relay_control.pb-c.h"

enum { PATIENCE_MS = 10000, SESSIONS = 20 };

struct world {
	char dir[64], socket[96];
	pid_t pid;
	int control;
	struct net_addr media;
};

static struct world world;

static int wait_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, PATIENCE_MS);
}

static CrsRelay__Reply *ask(const CrsRelay__Request *request)
{
	uint8_t packet[64 * 1024];
	ssize_t n = (ssize_t)crs_relay__request__pack(request, packet);
	CrsRelay__Reply *reply;

	assert_int_equal(send(world.control, packet, (size_t)n, 0), n);
	assert_int_equal(wait_readable(world.control), 1);
	n = recv(world.control, packet, sizeof(packet), 0);
	assert_true(n > 0);
	reply = crs_relay__reply__unpack(NULL, (size_t)n, packet);
	assert_non_null(reply);
	assert_int_equal(reply->number, request->number);
	return reply;
}

static CrsRelay__Reply *add_type(CrsRelay__RelayType type, uint8_t id)
{
	uint8_t session_id[16] = { id, (uint8_t)type };
	CrsRelay__Request request = CRS_RELAY__REQUEST__INIT;
	CrsRelay__Add body = CRS_RELAY__ADD__INIT;

	body.session_id = (ProtobufCBinaryData){ sizeof(session_id), session_id };
	body.type = type;
	body.streams = 1;
	body.responder_legs = 1;
	request.number = id;
	request.body_case = CRS_RELAY__REQUEST__BODY_ADD;
	request.add = &body;
	return ask(&request);
}

static CrsRelay__Reply *add(uint8_t id)
{
	return add_type(CRS_RELAY__RELAY_TYPE__RTP, id);
}

static CrsRelay__Reply *ask_simple(CrsRelay__Request__BodyCase what)
{
	CrsRelay__Request request = CRS_RELAY__REQUEST__INIT;
	CrsRelay__GetStatistics statistics = CRS_RELAY__GET_STATISTICS__INIT;
	CrsRelay__ListRelays list = CRS_RELAY__LIST_RELAYS__INIT;

	request.number = 1000;
	request.body_case = what;
	if (what == CRS_RELAY__REQUEST__BODY_GET_STATISTICS)
		request.get_statistics = &statistics;
	else
		request.list_relays = &list;
	return ask(&request);
}

static void write_limits(const char *text)
{
	char config[96];
	FILE *f;

	snprintf(config, sizeof(config), "%s/crs-relay.conf", world.dir);
	f = fopen(config, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int start(const char *limits)
{
	char config[96], log[96], where[NET_TEXT_SIZE];
	const char *argv[] = { CRS_RELAY, "--config", config, "--socket",  world.socket, "--log",
			       log,       "--listen", where,  "--threads", "2",          NULL };
	struct net_addr any;
	int64_t end = clock_mono_ms() + PATIENCE_MS;
	int probe;

	snprintf(world.dir, sizeof(world.dir), "/tmp/crs-relay-test.XXXXXX");
	assert_non_null(mkdtemp(world.dir));
	snprintf(world.socket, sizeof(world.socket), "%s/s", world.dir);
	snprintf(config, sizeof(config), "%s/crs-relay.conf", world.dir);
	snprintf(log, sizeof(log), "%s/log", world.dir);
	write_limits(limits);
	net_parse("127.0.0.1", 0, &any);
	probe = net_udp_socket(&any, false); /* a port that is free now */
	net_local(probe, &world.media);
	net_format(&world.media, where);
	close(probe);
	world.pid = process_spawn(
		&(struct process_spec){ .argv = argv, .pass_fd = -1, .output_fd = -1 });
	assert_true(world.pid > 0);
	while ((world.control = channel_connect(world.socket)) < 0)
		assert_true(clock_mono_ms() < end && waitpid(world.pid, NULL, WNOHANG) == 0);
	return 0;
}

static int start_limited(void **state)
{
	(void)state;
	return start("MAX_RTP_RELAYS=20\nMAX_RTP_PROXY_RELAYS=5\nMAX_OPAQUE_RELAYS=3\n"
		     "MAX_OPAQUE_PROXY_RELAYS=2\nMAX_OPAQUE_MULTICAST_RELAYS=1\n");
}

static int start_unlimited(void **state)
{
	(void)state;
	return start("");
}

static int start_capped(void **state)
{
	(void)state;
	return start("MAX_SESSION_PACKETS_PER_S=100\nMAX_SESSION_KBIT_PER_S=\n");
}

static int stop(void **state)
{
	char config[96];
	int status;

	(void)state;
	close(world.control);
	kill(world.pid, SIGTERM);
	waitpid(world.pid, &status, 0);
	snprintf(config, sizeof(config), "%s/crs-relay.conf", world.dir);
	unlink(config);
	snprintf(config, sizeof(config), "%s/log", world.dir);
	unlink(config);
	rmdir(world.dir);
	return status;
}

static int client_socket(void)
{
	struct net_addr any;
	int fd;

	net_parse("127.0.0.1", 0, &any);
	fd = net_udp_socket(&any, false);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, &world.media.sa, world.media.len), 0);
	return fd;
}

static void put_ssrc(uint8_t *at, uint32_t ssrc)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(ssrc >> (24 - 8 * i));
}

/* The last request, which binds, is left in packet. */
static size_t bind_with(int fd, const CrsRelay__Leg *leg, uint32_t ssrc,
			uint8_t packet[STUN_MAX_MESSAGE])
{
	uint8_t transaction[STUN_TRANSACTION_SIZE] = { 0 }, heard[STUN_MAX_MESSAGE];
	struct slice key = slice_of(leg->leg_key.data, leg->leg_key.len);
	struct stun_message answer = { .type = 0 };
	size_t n = 0;

	put_ssrc(transaction + 8, ssrc);
	for (int i = 0; i < 2; i++) {
		ssize_t got;

		n = stun_build_request(transaction, slice_of(leg->leg_id.data, leg->leg_id.len),
				       answer.nonce, key, packet, STUN_MAX_MESSAGE);
		assert_int_equal(send(fd, packet, n, 0), n);
		assert_int_equal(wait_readable(fd), 1);
		got = recv(fd, heard, sizeof(heard), 0);
		assert_true(got > 0);
		assert_int_equal(stun_parse(slice_of(heard, (size_t)got), &answer), 0);
	}
	assert_int_equal(answer.type, STUN_BINDING_SUCCESS);
	return n;
}

static void bind_leg(int fd, const CrsRelay__Leg *leg, uint32_t ssrc)
{
	uint8_t packet[STUN_MAX_MESSAGE];

	bind_with(fd, leg, ssrc, packet);
}

static void pass(int from, int to, uint32_t ssrc)
{
	uint8_t packet[172] = { 0x80 }, heard[256];

	put_ssrc(packet + 8, ssrc);
	memset(packet + 12, (int)(ssrc >> 8), sizeof(packet) - 12);
	assert_int_equal(send(from, packet, sizeof(packet), 0), sizeof(packet));
	assert_int_equal(wait_readable(to), 1);
	assert_int_equal(recv(to, heard, sizeof(heard), 0), sizeof(packet));
	assert_memory_equal(heard, packet, sizeof(packet));
}

/* REL-001, REL-007, REL-010 */
static void sessions_on_every_thread_pass_media_up_to_the_limit(void **state)
{
	unsigned lanes = 0;
	CrsRelay__Reply *reply;
	uint64_t packets;

	(void)state;
	for (uint8_t i = 0; i < SESSIONS; i++) {
		int caller = client_socket(), callee = client_socket();
		const CrsRelay__Added *added;

		reply = add(i);
		assert_int_equal(reply->error, 0);
		added = reply->added;
		assert_int_equal(added->port, net_port(&world.media));
		lanes |= 1u << (added->streams[0]->initiator_ssrc & 0xff);
		bind_leg(caller, added->initiator, added->streams[0]->initiator_ssrc);
		bind_leg(callee, added->responders[0], added->streams[0]->responder_ssrc);
		pass(caller, callee, added->streams[0]->initiator_ssrc);
		pass(callee, caller, added->streams[0]->responder_ssrc);
		crs_relay__reply__free_unpacked(reply, NULL);
		close(caller);
		close(callee);
	}
	assert_int_equal(lanes, 3); /* both threads had sessions */
	reply = add(SESSIONS);
	assert_int_equal(reply->error, ENOSPC);
	crs_relay__reply__free_unpacked(reply, NULL);

	reply = ask_simple(CRS_RELAY__REQUEST__BODY_GET_STATISTICS);
	packets = reply->statistics->types[0]->rx_packets;
	assert_int_equal(packets, 2 * SESSIONS);
	assert_int_equal(reply->statistics->types[0]->tx_bytes, 2 * SESSIONS * 172);
	crs_relay__reply__free_unpacked(reply, NULL);
}

static void active_relays_are_listed_from_all_threads(void **state)
{
	CrsRelay__Reply *reply = ask_simple(CRS_RELAY__REQUEST__BODY_LIST_RELAYS);
	size_t n = reply->relays->n_relays;
	bool more = reply->relays->more;

	(void)state;
	assert_int_equal(reply->relays->relays[0]->nodes, 2);
	assert_int_equal(reply->relays->relays[0]->n_identifiers, 2);
	crs_relay__reply__free_unpacked(reply, NULL);
	while (more) {
		uint8_t packet[64 * 1024];
		ssize_t len;

		assert_int_equal(wait_readable(world.control), 1);
		len = recv(world.control, packet, sizeof(packet), 0);
		reply = crs_relay__reply__unpack(NULL, (size_t)len, packet);
		assert_non_null(reply);
		n += reply->relays->n_relays;
		more = reply->relays->more;
		crs_relay__reply__free_unpacked(reply, NULL);
	}
	assert_int_equal(n, SESSIONS);
}

static void garbage_on_the_socket_gets_an_error_and_harms_nobody(void **state)
{
	uint8_t packet[256];
	CrsRelay__Reply *reply;
	ssize_t n;

	(void)state;
	assert_int_equal(send(world.control, "\xff\xff\xff", 3, 0), 3);
	assert_int_equal(wait_readable(world.control), 1);
	n = recv(world.control, packet, sizeof(packet), 0);
	reply = crs_relay__reply__unpack(NULL, (size_t)n, packet);
	assert_non_null(reply);
	assert_int_equal(reply->error, EBADMSG);
	crs_relay__reply__free_unpacked(reply, NULL);
	reply = ask_simple(CRS_RELAY__REQUEST__BODY_GET_STATISTICS);
	assert_int_equal(reply->error, 0);
	crs_relay__reply__free_unpacked(reply, NULL);
}

/* REL-002, REL-003, REL-004 and REL-005: each kind by itself, whatever there is of the others. */
static void each_kind_of_relay_has_its_limit(void **state)
{
	static const struct {
		CrsRelay__RelayType type;
		uint8_t limit;
	} kinds[] = {
		{ CRS_RELAY__RELAY_TYPE__RTP_PROXY, 5 },
		{ CRS_RELAY__RELAY_TYPE__OPAQUE, 3 },
		{ CRS_RELAY__RELAY_TYPE__OPAQUE_PROXY, 2 },
		{ CRS_RELAY__RELAY_TYPE__OPAQUE_MULTICAST, 1 },
	};

	(void)state;
	for (size_t k = 0; k < COUNT(kinds); k++) {
		for (uint8_t i = 0; i <= kinds[k].limit; i++) {
			CrsRelay__Reply *reply = add_type(kinds[k].type, i);

			assert_int_equal(reply->error, i < kinds[k].limit ? 0 : ENOSPC);
			if (i == kinds[k].limit)
				assert_non_null(strstr(reply->text, "limit"));
			crs_relay__reply__free_unpacked(reply, NULL);
		}
	}
}

/* REL-006: no line, no limit; and a new line counts from the next start on. */
static void without_a_limit_there_is_none(void **state)
{
	(void)state;
	for (int type = 0; type <= CRS_RELAY__RELAY_TYPE__OPAQUE_MULTICAST; type++) {
		for (unsigned i = 0; i < 200; i++) {
			CrsRelay__Reply *reply = add_type((CrsRelay__RelayType)type, (uint8_t)i);

			assert_int_equal(reply->error, 0);
			crs_relay__reply__free_unpacked(reply, NULL);
			if (i == 100)
				write_limits("MAX_RTP_RELAYS=1\nMAX_OPAQUE_RELAYS=1\n");
		}
	}
}

static void send_media(int fd, uint32_t ssrc)
{
	uint8_t packet[172] = { 0x80 };

	put_ssrc(packet + 8, ssrc);
	assert_int_equal(send(fd, packet, sizeof(packet), 0), sizeof(packet));
}

static void send_binding(int fd, struct slice leg_id, struct slice key, uint32_t ssrc)
{
	uint8_t transaction[STUN_TRANSACTION_SIZE] = { 0 }, packet[STUN_MAX_MESSAGE];
	size_t n;

	put_ssrc(transaction + 8, ssrc);
	n = stun_build_request(transaction, leg_id, slice_of(NULL, 0), key, packet, sizeof(packet));
	assert_int_equal(send(fd, packet, n, 0), n);
}

/* Until the relay has counted so many more than before. */
static void await_counts(uint64_t dropped, uint64_t stun_bad)
{
	int64_t end = clock_mono_ms() + PATIENCE_MS;
	bool there = false;

	while (!there && clock_mono_ms() < end) {
		CrsRelay__Reply *reply = ask_simple(CRS_RELAY__REQUEST__BODY_GET_STATISTICS);

		there = reply->statistics->dropped_unbound == dropped &&
			reply->statistics->stun_bad == stun_bad;
		crs_relay__reply__free_unpacked(reply, NULL);
	}
	assert_true(there);
}

/* STUN and RTP of strangers, of parties of other calls and of the wrong party of a call, under
 * SSRCs and legs that are not theirs: nothing passes, nothing is answered, all is counted. */
static void strangers_and_stolen_ssrcs_reach_nobody(void **state)
{
	int caller = client_socket(), callee = client_socket();
	int thief = client_socket(), stranger = client_socket();
	CrsRelay__Reply *victim = add_type(CRS_RELAY__RELAY_TYPE__RTP, 1);
	CrsRelay__Reply *other = add_type(CRS_RELAY__RELAY_TYPE__RTP, 2);
	const CrsRelay__Stream *ssrcs = victim->added->streams[0];
	const CrsRelay__Leg *leg = victim->added->initiator;
	struct slice leg_id = slice_of(leg->leg_id.data, leg->leg_id.len);
	uint8_t captured[STUN_MAX_MESSAGE], heard[STUN_MAX_MESSAGE], odd[16] = "an unknown leg!";
	struct stun_message answer;
	ssize_t got;
	size_t n;

	(void)state;
	n = bind_with(caller, leg, ssrcs->initiator_ssrc, captured);
	bind_leg(callee, victim->added->responders[0], ssrcs->responder_ssrc);
	bind_leg(thief, other->added->initiator, other->added->streams[0]->initiator_ssrc);

	send_media(stranger, ssrcs->initiator_ssrc);     /* of nobody */
	send_media(stranger, ssrcs->initiator_ssrc ^ 1); /* under an SSRC of nobody */
	send_media(thief, ssrcs->initiator_ssrc);        /* a party of another call */
	send_media(thief, ssrcs->responder_ssrc);
	send_media(callee, ssrcs->initiator_ssrc); /* the wrong party of this one */
	send_binding(stranger, slice_of(odd, sizeof(odd)), slice_str("some key"),
		     ssrcs->initiator_ssrc);
	send_binding(stranger, leg_id, slice_str("not the leg's key"), ssrcs->initiator_ssrc);
	await_counts(5, 2);
	/* A captured binding is no binding from elsewhere, nonce and all. */
	assert_int_equal(send(stranger, captured, n, 0), n);
	assert_int_equal(wait_readable(stranger), 1);
	got = recv(stranger, heard, sizeof(heard), 0);
	assert_true(got > 0);
	assert_int_equal(stun_parse(slice_of(heard, (size_t)got), &answer), 0);
	assert_int_equal(answer.type, STUN_BINDING_ERROR);
	assert_true((size_t)got <= n); /* and of no use for amplification */
	send_media(stranger, ssrcs->initiator_ssrc);
	await_counts(6, 2);
	/* What the parties hear first is each other. */
	pass(caller, callee, ssrcs->initiator_ssrc);
	pass(callee, caller, ssrcs->responder_ssrc);
	assert_int_equal(recv(stranger, heard, sizeof(heard), MSG_DONTWAIT), -1);
	assert_int_equal(recv(thief, heard, sizeof(heard), MSG_DONTWAIT), -1);
	crs_relay__reply__free_unpacked(victim, NULL);
	crs_relay__reply__free_unpacked(other, NULL);
	close(caller);
	close(callee);
	close(thief);
	close(stranger);
}

/* Sends media until the relay has dropped so many packets for their rate. */
static void flood(int fd, uint32_t ssrc, uint64_t dropped)
{
	int64_t end = clock_mono_ms() + PATIENCE_MS;
	uint64_t seen = 0;

	while (seen < dropped && clock_mono_ms() < end) {
		CrsRelay__Reply *reply;

		for (int i = 0; i < 150; i++)
			send_media(fd, ssrc);
		reply = ask_simple(CRS_RELAY__REQUEST__BODY_GET_STATISTICS);
		seen = reply->statistics->dropped_rate;
		crs_relay__reply__free_unpacked(reply, NULL);
	}
	assert_true(seen >= dropped);
}

/* How many lines of the relay's log hold this text? */
static int logged(const char *text)
{
	char path[96], line[512];
	int n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/log", world.dir);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		n += strstr(line, text) != NULL;
	fclose(f);
	return n;
}

static void a_side_that_floods_is_capped_and_told_once(void **state)
{
	int caller = client_socket(), callee = client_socket();
	CrsRelay__Reply *call = add_type(CRS_RELAY__RELAY_TYPE__RTP, 1);
	const CrsRelay__Stream *ssrcs = call->added->streams[0];
	char told[64];

	(void)state;
	bind_leg(caller, call->added->initiator, ssrcs->initiator_ssrc);
	bind_leg(callee, call->added->responders[0], ssrcs->responder_ssrc);
	flood(caller, ssrcs->initiator_ssrc, 20);
	flood(caller, ssrcs->initiator_ssrc, 400);
	snprintf(told, sizeof(told), "Relay %08x (rtp): a side sends more", ssrcs->initiator_ssrc);
	assert_int_equal(logged(told), 1);
	assert_int_equal(logged("sends more"), 1);
	pass(callee, caller, ssrcs->responder_ssrc); /* the other side is as free as before */
	crs_relay__reply__free_unpacked(call, NULL);
	close(caller);
	close(callee);
}

int main(void)
{
	const struct CMUnitTest strangers[] = {
		cmocka_unit_test(strangers_and_stolen_ssrcs_reach_nobody),
		cmocka_unit_test(garbage_on_the_socket_gets_an_error_and_harms_nobody),
	};
	const struct CMUnitTest floods[] = {
		cmocka_unit_test(a_side_that_floods_is_capped_and_told_once),
	};
	const struct CMUnitTest many[] = { cmocka_unit_test(without_a_limit_there_is_none) };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions_on_every_thread_pass_media_up_to_the_limit),
		cmocka_unit_test(active_relays_are_listed_from_all_threads),
		cmocka_unit_test(each_kind_of_relay_has_its_limit),
	};
	int failed = cmocka_run_group_tests_name("limits", tests, start_limited, stop);

	failed += cmocka_run_group_tests_name("no limits", many, start_unlimited, stop);
	failed += cmocka_run_group_tests_name("rates", floods, start_capped, stop);
	return failed + cmocka_run_group_tests_name("strangers", strangers, start_unlimited, stop);
}
