/* main.c - cig-sip: SIP with the PBX network, for the cig-server that started it.
 *
 * Not for administrators to run: descriptor 3 is the socket to cig-server
 * (gateway/sip_agent.proto).  It holds no key of the domain and
 * no password.
 */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "gateway/sip/agent.h"

enum { SERVER_FD = 3, EXIT_USAGE = 2, KEPT_OCTETS = 16 << 20 };

static const uint64_t ntp_epoch_s = 2208988800u; /* from 1900 to 1970 */

/* The library's clock, an exported hook of libsofia-sip-ua (su_time0.c). */
extern void (*_su_time)(su_time_t *tv);

/* Wall time at the first call plus the monotonic clock: a step of the clock must
 * not reach the library's timers (it aborts when it jumps by days).  In whole
 * milliseconds: of a wait that is not, the library cuts off the rest, and would ask
 * epoll again and again until the last of it has passed. */
static void steady_time(su_time_t *tv)
{
	static struct timespec offset; /* the hook takes no argument */
	struct timespec mono;
	uint64_t ms;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	if (offset.tv_sec == 0) {
		clock_gettime(CLOCK_REALTIME, &offset);
		offset.tv_sec -= mono.tv_sec;
	}
	ms = (uint64_t)(mono.tv_nsec + offset.tv_nsec) / 1000000;
	tv->tv_sec =
		(unsigned long)((uint64_t)(mono.tv_sec + offset.tv_sec) + ntp_epoch_s + ms / 1000);
	tv->tv_usec = (unsigned long)(ms % 1000 * 1000);
}

static bool is_socket(int fd)
{
	int type;
	socklen_t n = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_SEQPACKET;
}

/* Calls over TCP need descriptors: as many as the system grants. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* Calls come and go, and what one gives back the next one takes: memory of some calls is kept,
 * as the system would fill it with zeros again, page by page. */
static void keep_memory(void)
{
	mallopt(M_TRIM_THRESHOLD, KEPT_OCTETS);
	mallopt(M_TOP_PAD, KEPT_OCTETS / 16);
}

int main(void)
{
	struct agent agent = { 0 };
	su_root_t *root;
	int err = -1;

	if (!is_socket(SERVER_FD)) {
		fprintf(stderr, "cig-sip is started by cig-server\n");
		return EXIT_USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN); /* a terminal's; cig-server says when to end */
	signal(SIGHUP, SIG_IGN);
	raise_descriptor_limit();
	keep_memory();
	/* Before su_init(): the library reads its clock from there on. */
	_su_time = steady_time;
	agent_no_log();
	if (su_init() != 0)
		return 1;
	root = su_root_create(&agent);
	if (root) {
		/* 0: no thread of its own; all runs in this one. */
		su_root_threading(root, 0);
		err = agent_init(&agent, root, SERVER_FD);
		if (!err)
			su_root_run(root);
		agent_done(&agent);
		su_root_destroy(root);
	}
	su_deinit();
	return err ? 1 : 0;
}
