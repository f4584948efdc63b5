/* bench_relay.c - what forwarding a packet costs crs-relay.
 *
 * A relay thread with its table forwards packets of 172 octets (G.711, 20 ms) between
 * two far ends, over so many flows: saturated, its socket never empty, and paced, 50
 * packets a second a flow.  The reference is a thread on the same core that does
 * recvmmsg and sendmmsg alone; rounds alternate.  Values are packets a second of CPU.
 */
#include "tests/bench/bench.h"

#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/net.h"
#include "media/stun.h"
#include "media/udp_batch.h"
#include "rendezvous/relay/thread.h"
#include "rendezvous/relay_control.pb-c.h"

enum {
	PACKET = 172,
	BATCH = 64,
	ROUNDS = 9,
	TRAIN = 50, /* packets a send call of the far ends */
	MAX_SESSIONS = 250,
	PATIENCE_MS = 5000,
};

static const double round_s = 0.4, slice_s = 0.002, packets_per_s = 50;

/* One of the two far ends; every session sends from both. */
struct end {
	int fd;
	struct net_addr addr;
	uint8_t packets[MAX_SESSIONS][PACKET];
	size_t next;
};

struct forwarder {
	int fd;
	struct net_addr addr;
	const struct end *ends;
	pthread_t thread;
	atomic_ullong packets;
	atomic_bool stop;
};

struct bench {
	size_t sessions;
	struct end ends[2];
	struct udp_inbox *inbox;
	struct relay_thread *relay;
	struct net_addr relay_addr;
	int pair;
	struct forwarder forwarder;
};

static void run_on(size_t cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	bench_must(sched_setaffinity(0, sizeof(set), &set) == 0, "sched_setaffinity");
}

static int open_socket(struct net_addr *addr_out)
{
	struct net_addr any;
	int fd = -1, size = 4 << 20;

	if (net_parse("127.0.0.1", 0, &any) == 0)
		fd = net_udp_socket(&any, false);
	bench_must(fd >= 0 && net_local(fd, addr_out) == 0, "opening a socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return fd;
}

static void wait_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	bench_must(poll(&p, 1, PATIENCE_MS) == 1, "waiting for the relay");
}

/* --- the reference --- */

static const struct net_addr *other_end(const struct forwarder *f, const struct net_addr *from)
{
	return &f->ends[net_port(from) == net_port(&f->ends[0].addr)].addr;
}

static void *forward(void *arg)
{
	static uint8_t octets[BATCH][2048];
	static struct net_addr names[BATCH];
	static struct iovec vectors[BATCH];
	static struct mmsghdr messages[BATCH];
	struct forwarder *f = arg;

	while (!f->stop) {
		struct pollfd p = { .fd = f->fd, .events = POLLIN };
		int n = BATCH;

		poll(&p, 1, 100);
		while (n == BATCH && !f->stop) {
			for (int i = 0; i < BATCH; i++) {
				vectors[i] = (struct iovec){ octets[i], sizeof(octets[i]) };
				messages[i].msg_hdr =
					(struct msghdr){ .msg_name = &names[i].sa,
							 .msg_namelen = sizeof(names[i].in6),
							 .msg_iov = &vectors[i],
							 .msg_iovlen = 1 };
			}
			n = recvmmsg(f->fd, messages, BATCH, MSG_DONTWAIT, NULL);
			for (int i = 0; i < n; i++) {
				names[i] = *other_end(f, &names[i]);
				vectors[i].iov_len = messages[i].msg_len;
			}
			for (int sent = 0; sent < n;) {
				int k = sendmmsg(f->fd, messages + sent, (unsigned)(n - sent), 0);

				sent += k > 0 ? k : 1;
			}
			f->packets += n > 0 ? (unsigned)n : 0;
		}
	}
	return NULL;
}

static unsigned long long forwarded(struct bench *b)
{
	return b->forwarder.packets;
}

/* --- the relay --- */

static CrsRelay__Reply *ask(struct bench *b, const CrsRelay__Request *request)
{
	uint8_t message[65536];
	struct relay_envelope head = { .cookie = 1 };
	size_t n = crs_relay__request__pack(request, message + sizeof(head));
	CrsRelay__Reply *reply;
	ssize_t got;

	memcpy(message, &head, sizeof(head));
	bench_must(send(b->pair, message, n + sizeof(head), 0) > 0, "asking the relay");
	wait_readable(b->pair);
	got = recv(b->pair, message, sizeof(message), 0);
	bench_must(got > (ssize_t)sizeof(head), "hearing the relay");
	reply = crs_relay__reply__unpack(NULL, (size_t)got - sizeof(head), message + sizeof(head));
	bench_must(reply && !reply->error, "the relay's reply");
	return reply;
}

static unsigned long long relayed(struct bench *b)
{
	CrsRelay__Request request = CRS_RELAY__REQUEST__INIT;
	CrsRelay__GetStatistics statistics = CRS_RELAY__GET_STATISTICS__INIT;
	CrsRelay__Reply *reply;
	unsigned long long packets;

	request.body_case = CRS_RELAY__REQUEST__BODY_GET_STATISTICS;
	request.get_statistics = &statistics;
	reply = ask(b, &request);
	packets = reply->statistics->types[0]->tx_packets;
	crs_relay__reply__free_unpacked(reply, NULL);
	return packets;
}

static void put_ssrc(uint8_t *at, uint32_t ssrc)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(ssrc >> (24 - 8 * i));
}

static void bind_leg(struct bench *b, const struct end *end, const CrsRelay__Leg *leg,
		     uint32_t ssrc)
{
	uint8_t transaction[STUN_TRANSACTION_SIZE] = { 0 }, packet[STUN_MAX_MESSAGE];
	struct slice key = slice_of(leg->leg_key.data, leg->leg_key.len);
	struct slice id = slice_of(leg->leg_id.data, leg->leg_id.len);
	struct stun_message answer = { .type = 0 };

	put_ssrc(transaction + 8, ssrc);
	for (int i = 0; i < 2; i++) { /* the first answer brings the nonce */
		size_t n = stun_build_request(transaction, id, answer.nonce, key, packet,
					      sizeof(packet));
		ssize_t got;

		bench_must(sendto(end->fd, packet, n, 0, &b->relay_addr.sa, b->relay_addr.len) > 0,
			   "binding a leg");
		wait_readable(end->fd);
		got = recv(end->fd, packet, sizeof(packet), 0);
		bench_must(got > 0 && stun_parse(slice_of(packet, (size_t)got), &answer) == 0,
			   "the answer to a binding");
	}
	bench_must(answer.type == STUN_BINDING_SUCCESS, "binding a leg");
}

static void add_session(struct bench *b, size_t i)
{
	uint8_t id[RELAY_SESSION_ID_SIZE] = { (uint8_t)i, 1 };
	CrsRelay__Request request = CRS_RELAY__REQUEST__INIT;
	CrsRelay__Add add = CRS_RELAY__ADD__INIT;
	const CrsRelay__Added *added;
	CrsRelay__Reply *reply;
	uint32_t ssrc[2];

	add.session_id = (ProtobufCBinaryData){ sizeof(id), id };
	add.streams = 1;
	add.responder_legs = 1;
	request.body_case = CRS_RELAY__REQUEST__BODY_ADD;
	request.add = &add;
	reply = ask(b, &request);
	added = reply->added;
	ssrc[0] = added->streams[0]->initiator_ssrc;
	ssrc[1] = added->streams[0]->responder_ssrc;
	bind_leg(b, &b->ends[0], added->initiator, ssrc[0]);
	bind_leg(b, &b->ends[1], added->responders[0], ssrc[1]);
	for (int k = 0; k < 2; k++) {
		b->ends[k].packets[i][0] = 0x80;
		put_ssrc(b->ends[k].packets[i] + 8, ssrc[k]);
	}
	crs_relay__reply__free_unpacked(reply, NULL);
}

/* --- the far ends --- */

static void open_bench(struct bench *b, size_t sessions)
{
	/* Counted as everywhere, and never reached. */
	const struct relay_rate rate = { UINT32_MAX, UINT32_MAX };
	struct net_addr any;
	int fds[RELAY_MAX_THREADS], pair[2], segment = PACKET;

	*b = (struct bench){ .sessions = sessions, .inbox = udp_inbox_new() };
	for (int k = 0; k < 2; k++)
		b->ends[k].fd = open_socket(&b->ends[k].addr);
	b->forwarder.fd = open_socket(&b->forwarder.addr);
	b->forwarder.ends = b->ends;
	run_on(1);
	bench_must(b->inbox && net_parse("127.0.0.1", 0, &any) == 0 &&
			   relay_sockets(&any, 1, fds, &b->relay_addr) == 0 &&
			   socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0 &&
			   relay_thread_start(0, net_port(&b->relay_addr), fds[0], pair[1], &rate,
					      &b->relay) == 0,
		   "starting a relay thread");
	bench_must(pthread_create(&b->forwarder.thread, NULL, forward, &b->forwarder) == 0,
		   "pthread_create");
	run_on(0);
	b->pair = pair[0];
	for (size_t i = 0; i < sessions; i++)
		add_session(b, i);
	for (int k = 0; k < 2; k++)
		if (setsockopt(b->ends[k].fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment))) {
			fprintf(stderr, "bench_relay: this kernel has no UDP_SEGMENT\n");
			exit(BENCH_SKIPPED);
		}
}

static void close_bench(struct bench *b)
{
	close(b->pair);
	relay_thread_join(&b->relay);
	b->forwarder.stop = true;
	pthread_join(b->forwarder.thread, NULL);
	close(b->forwarder.fd);
	close(b->ends[0].fd);
	close(b->ends[1].fd);
	udp_inbox_free(&b->inbox);
}

/* Sends n packets of as many flows, in turn. */
static void send_packets(const struct bench *b, struct end *end, size_t n,
			 const struct net_addr *to)
{
	while (n) {
		size_t k = b->sessions - end->next;

		k = k < n ? k : n;
		k = k < TRAIN ? k : TRAIN;
		sendto(end->fd, end->packets[end->next], k * PACKET, 0, &to->sa, to->len);
		end->next = (end->next + k) % b->sessions;
		n -= k;
	}
}

static void drain(const struct bench *b)
{
	for (int k = 0; k < 2; k++)
		while (udp_receive(b->inbox, b->ends[k].fd) > 0)
			;
}

static void feed(struct bench *b, const struct net_addr *to, bool paced)
{
	double start = bench_seconds(CLOCK_MONOTONIC), due = start;
	double per_slice = (double)b->sessions * packets_per_s * slice_s, owed = 0;

	while (due < start + round_s) {
		size_t n = TRAIN;

		if (paced) {
			struct timespec until;

			due += slice_s;
			until.tv_sec = (time_t)due;
			until.tv_nsec = (long)((due - (double)until.tv_sec) * 1e9);
			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
			owed += per_slice;
			n = (size_t)owed;
			owed -= (double)n;
		} else {
			due = bench_seconds(CLOCK_MONOTONIC);
		}
		for (int k = 0; k < 2; k++)
			send_packets(b, &b->ends[k], n, to);
		drain(b);
	}
}

/* CPU seconds of all threads but this one. */
static double cpu_of_others(void)
{
	return bench_seconds(CLOCK_PROCESS_CPUTIME_ID) - bench_seconds(CLOCK_THREAD_CPUTIME_ID);
}

/* Packets a CPU second of one round. */
static double measure(struct bench *b, const struct net_addr *to,
		      unsigned long long (*count)(struct bench *), bool paced)
{
	unsigned long long packets = count(b);
	double cpu = cpu_of_others();

	feed(b, to, paced);
	packets = count(b) - packets;
	cpu = cpu_of_others() - cpu;
	bench_must(packets > 0, "forwarding");
	return (double)packets / cpu;
}

static void bench_flows(size_t flows, bool paced, const char *name)
{
	static struct bench b;
	double relay[ROUNDS], reference[ROUNDS];

	open_bench(&b, flows / 2);
	measure(&b, &b.relay_addr, relayed, paced); /* warms up */
	for (int i = 0; i < ROUNDS; i++) {
		relay[i] = measure(&b, &b.relay_addr, relayed, paced);
		reference[i] = measure(&b, &b.forwarder.addr, forwarded, paced);
	}
	bench_print(name, bench_median(relay, ROUNDS), "packets/CPU s",
		    bench_median(reference, ROUNDS));
	close_bench(&b);
}

int main(int argc, char *argv[])
{
	static const struct {
		const char *name;
		size_t flows;
		bool paced;
	} figures[] = {
		{ "relay.forward.50", 50, false },
		{ "relay.forward.500", 500, false },
		{ "relay.forward.paced.50", 50, true },
		{ "relay.forward.paced.500", 500, true },
	};

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		fprintf(stderr, "bench_relay: needs two processors\n");
		return BENCH_SKIPPED;
	}
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
		if (bench_wants(argc, argv, figures[i].name))
			bench_flows(figures[i].flows, figures[i].paced, figures[i].name);
	return 0;
}
