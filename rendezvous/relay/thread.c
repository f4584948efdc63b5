/* thread.c - a relay thread's loop: packets in batches, requests of the control loop, and
 * the ends of idle sessions.
 *
 * Only the pair of sockets is shared with other threads. What a thread counts travels with its
 * messages, so that nobody reads another thread's memory.
 */
#include "rendezvous/relay/thread.h"

#include <errno.h>
#include <linux/filter.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/clock.h"
#include "base/log.h"

enum {
	BATCH = 64,
	SEND_BATCH = 256,
	BATCHES_PER_TURN = 8,
	EXPIRY_PERIOD_MS = 10000,
	SOCKET_BUFFER = 4 * 1024 * 1024, /* 0.1 s of 200,000 packets a second */
};

/* Packets that wait for one system call. Their octets are not copied: they lie in the batch that
 * was received, so all is sent before the next batch is read into the same place. */
struct outgoing {
	struct mmsghdr msgs[SEND_BATCH];
	struct iovec iov[SEND_BATCH];
	struct net_addr to[SEND_BATCH];
	unsigned n;
};

struct relay_thread {
	pthread_t id;
	int udp_fd, pair_fd, epoll_fd;
	uint16_t port;
	struct relay_table *table;
	int64_t next_expiry_ms;
	uint64_t cookie; /* of the request that runs */
	unsigned ended[RELAY_TYPE_COUNT];
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	struct net_addr from[BATCH];
	/* An octet more than may be relayed: recvmmsg() cuts off without a word, and so a packet
	 * that is too long is told from one that just fits. */
	uint8_t packets[BATCH][RELAY_MAX_PACKET + 1];
	struct outgoing out;
};

/* Takes the low 8 bits of the word in which a packet names its SSRC (docs/umsg.md,
 * "Relay legs"), modulo the number of threads.  A packet too short for a load
 * goes to thread 0, which drops and counts it. */
static int attach_steering(int fd, size_t n)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xc0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x00, 0, 2), /* STUN */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16),
		BPF_STMT(BPF_JMP | BPF_JA, 6),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 1),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 192, 0, 3), /* RTCP: 192 to 223 */
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 223, 2, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4),
		BPF_STMT(BPF_JMP | BPF_JA, 1),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 8), /* RTP and opaque data */
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff),
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, (uint32_t)n),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct sock_fprog prog = { sizeof(program) / sizeof(program[0]), program };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog, sizeof(prog)) < 0)
		return -errno;
	return 0;
}

int relay_sockets(const struct net_addr *addr, size_t n, int fds_out[RELAY_MAX_THREADS],
		  struct net_addr *bound_out)
{
	int size = SOCKET_BUFFER, err = 0;
	size_t open = 0;

	/* The program answers with a place in the group, which the kernel numbers in the order
	 * of the binds: descriptor i has to be thread i's. The first bind chooses the port, the
	 * others take over what it got. */
	*bound_out = *addr;
	while (!err && open < n) {
		int fd = net_udp_socket(bound_out, n > 1);

		if (fd < 0) {
			err = fd;
			break;
		}
		/* The kernel caps both at its own limits: less is not an error. */
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
		fds_out[open++] = fd;
		err = net_local(fd, bound_out);
	}
	/* One program serves the whole group, through whichever of its sockets it was attached. */
	if (!err && n > 1)
		err = attach_steering(fds_out[0], n);
	while (err && open)
		close(fds_out[--open]);
	return err;
}

static void flush(struct relay_thread *t)
{
	unsigned sent = 0;

	while (sent < t->out.n) {
		int n = sendmmsg(t->udp_fd, t->out.msgs + sent, t->out.n - sent, MSG_DONTWAIT);

		if (n > 0) {
			sent += (unsigned)n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		relay_table_count_send_errors(t->table, 1); /* the first one did not go: skip it */
		sent++;
	}
	t->out.n = 0;
}

static void queue(struct relay_thread *t, struct slice octets, const struct net_addr *to)
{
	struct outgoing *out = &t->out;
	unsigned i = out->n++;

	out->iov[i] = (struct iovec){ (void *)octets.p, octets.n };
	out->to[i] = *to;
	out->msgs[i].msg_hdr = (struct msghdr){
		.msg_name = &out->to[i].sa,
		.msg_namelen = to->len,
		.msg_iov = &out->iov[i],
		.msg_iovlen = 1,
	};
	if (out->n == SEND_BATCH)
		flush(t);
}

static void send_message(struct relay_thread *t, struct relay_envelope *head, struct slice body)
{
	struct iovec iov[] = { { head, sizeof(*head) }, { (void *)body.p, body.n } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	/* Blocking on purpose: the control loop always reads. */
	while (sendmsg(t->pair_fd, &msg, MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

/* Once a session: the control loop has the log. */
static void tell_capped(struct relay_thread *t, const struct relay_session *session)
{
	struct relay_envelope head = { .capped_ssrc = session->ssrc[0][RELAY_INITIATOR].ssrc,
				       .capped_type = session->type };

	send_message(t, &head, slice_of(NULL, 0));
}

static void forward_packet(struct relay_thread *t, unsigned i, int64_t now_ms)
{
	struct relay_output out;

	t->from[i].len = t->msgs[i].msg_hdr.msg_namelen;
	relay_table_packet(t->table, &t->from[i], t->packets[i], t->msgs[i].msg_len, now_ms, &out);
	for (size_t k = 0; k < out.n; k++)
		queue(t, out.octets, out.to[k]);
	if (out.capped)
		tell_capped(t, out.capped);
	/* An answer lies in the table's one buffer, which the next packet reuses. */
	if (out.n && out.octets.p != t->packets[i])
		flush(t);
}

static void receive_packets(struct relay_thread *t)
{
	int64_t now_ms = clock_mono_ms();

	/* A busy port never runs dry: after so many batches the requests have their turn, or
	 * calls could not be set up just when there are most of them. */
	for (int turn = 0; turn < BATCHES_PER_TURN; turn++) {
		int n;

		for (unsigned i = 0; i < BATCH; i++)
			t->msgs[i].msg_hdr.msg_namelen = sizeof(t->from[i].in6);
		n = recvmmsg(t->udp_fd, t->msgs, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++)
			forward_packet(t, (unsigned)i, now_ms);
		flush(t);
		if (n < BATCH)
			return;
	}
}

static void send_reply(void *arg, struct slice reply, bool more)
{
	struct relay_thread *t = arg;
	struct relay_envelope head = { .cookie = t->cookie, .more = more };

	for (int i = 0; i < RELAY_TYPE_COUNT; i++) {
		head.ended[i] = t->ended[i];
		t->ended[i] = 0;
	}
	send_message(t, &head, reply);
}

/* Tells the control loop what ended by itself, if anything did. */
static void report_ended(struct relay_thread *t)
{
	unsigned total = 0;

	for (int i = 0; i < RELAY_TYPE_COUNT; i++)
		total += t->ended[i];
	if (!total)
		return;
	t->cookie = 0;
	send_reply(t, slice_of(NULL, 0), false);
}

/* Returns false when the control loop is gone. */
static bool run_request(struct relay_thread *t)
{
	uint8_t message[sizeof(struct relay_envelope) + RELAY_MAX_REQUEST];
	ssize_t n = recv(t->pair_fd, message, sizeof(message), MSG_DONTWAIT);
	struct relay_envelope head;
	CrsRelay__Request *request;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if ((size_t)n < sizeof(head))
		return false;
	memcpy(&head, message, sizeof(head));
	/* A head alone says that the owner is gone (thread.h): its sessions end, and nobody
	 * waits for a reply. */
	if ((size_t)n == sizeof(head)) {
		relay_table_disown(t->table, head.owner, t->ended);
		report_ended(t);
		return true;
	}
	request =
		crs_relay__request__unpack(NULL, (size_t)n - sizeof(head), message + sizeof(head));
	t->cookie = head.cookie;
	if (!request) {
		/* The control loop had unpacked it: memory is out. The cookie alone lets that loop
		 * answer, for crs gives the relay up, and every call on it, when a request stays
		 * without one (rendezvous/relay_client.c). */
		send_reply(t, slice_of(NULL, 0), false);
		return true;
	}
	relay_request_run(t->table, request, t->port, clock_mono_ms(), t->ended, send_reply, t);
	/* Behind the reply, which is safe: the word that the owner is gone comes over the same
	 * pair, behind this request. */
	if (request->body_case == CRS_RELAY__REQUEST__BODY_ADD)
		relay_table_own(
			t->table,
			slice_of(request->add->session_id.data, request->add->session_id.len),
			head.owner);
	crs_relay__request__free_unpacked(request, NULL);
	return true;
}

static void expire(struct relay_thread *t)
{
	int64_t now_ms = clock_mono_ms();

	if (now_ms < t->next_expiry_ms)
		return;
	t->next_expiry_ms = now_ms + EXPIRY_PERIOD_MS;
	relay_table_expire(t->table, now_ms, t->ended);
	report_ended(t);
}

static void *run(void *arg)
{
	struct relay_thread *t = arg;
	bool running = true;

	while (running) {
		struct epoll_event events[2];
		/* The limit is what makes expire() come about on a port where nothing arrives. */
		int n = epoll_wait(t->epoll_fd, events, 2, EXPIRY_PERIOD_MS);

		for (int i = 0; i < n && running; i++) {
			if (events[i].data.fd == t->udp_fd)
				receive_packets(t);
			else
				running = run_request(t);
		}
		expire(t);
	}
	return NULL;
}

static void destroy(struct relay_thread *t)
{
	relay_table_free(&t->table);
	if (t->epoll_fd >= 0)
		close(t->epoll_fd);
	free(t);
}

static int watch(struct relay_thread *t, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(t->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int relay_thread_start(size_t lane, uint16_t port, int udp_fd, int pair_fd,
		       const struct relay_rate *rate, struct relay_thread **thread_out)
{
	struct relay_thread *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	t->udp_fd = udp_fd;
	t->pair_fd = pair_fd;
	t->port = port;
	for (unsigned i = 0; i < BATCH; i++) {
		t->iov[i] = (struct iovec){ t->packets[i], sizeof(t->packets[i]) };
		t->msgs[i].msg_hdr = (struct msghdr){ .msg_name = &t->from[i].sa,
						      .msg_iov = &t->iov[i],
						      .msg_iovlen = 1 };
	}
	t->table = relay_table_new((uint8_t)lane);
	t->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	err = !t->table ? -ENOMEM : t->epoll_fd < 0 ? -errno : watch(t, udp_fd);
	if (!err)
		err = watch(t, pair_fd);
	if (!err)
		relay_table_set_rate(t->table, rate);
	if (!err)
		err = -pthread_create(&t->id, NULL, run, t);
	if (err) {
		destroy(t);
		return err;
	}
	*thread_out = t;
	return 0;
}

void relay_thread_join(struct relay_thread **threadp)
{
	struct relay_thread *t = *threadp;

	if (!t)
		return;
	*threadp = NULL;
	pthread_join(t->id, NULL);
	/* Only here: a thread that failed to start leaves both descriptors with its caller. */
	close(t->udp_fd);
	close(t->pair_fd);
	destroy(t);
}
