/* sockets.c - ranges of ports by address, and which thread has which socket towards
 * the rendezvous. */
#include "gateway/relay/sockets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/relay/worker.h"

enum { TRUNK_BUFFER = 4 << 20 };

/* A thread's socket out of a range. */
struct thread_trunk {
	const struct ports *range;
	uint16_t port;
	int fd;
};

struct sockets {
	struct ports *ranges[SOCKETS_MAX_RANGES];
	size_t n_ranges;
	unsigned workers;
	size_t *n_trunks; /* by worker */
	struct thread_trunk (*trunks)[WORKER_MAX_TRUNKS];
};

struct sockets *sockets_new(unsigned workers)
{
	struct sockets *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->workers = workers;
	s->n_trunks = calloc(workers, sizeof(*s->n_trunks));
	s->trunks = calloc(workers, sizeof(*s->trunks));
	if (!s->n_trunks || !s->trunks)
		sockets_free(&s);
	return s;
}

void sockets_free(struct sockets **socketsp)
{
	struct sockets *s = *socketsp;

	if (!s)
		return;
	*socketsp = NULL;
	for (size_t i = 0; i < s->n_ranges; i++)
		ports_free(&s->ranges[i]);
	free(s->n_trunks);
	free(s->trunks);
	free(s);
}

/* Frees a range of which no port is taken: no call and no trunk points to it.  but stays: of
 * a range that a call has just been given none may be taken yet. */
static void make_room(struct sockets *s, const struct ports *but)
{
	for (size_t i = 0; i < s->n_ranges; i++) {
		if (s->ranges[i] != but && ports_taken(s->ranges[i]) == 0) {
			ports_free(&s->ranges[i]);
			s->ranges[i] = s->ranges[--s->n_ranges];
			return;
		}
	}
}

/* but: a range that must stay, as the call is to have its ports; NULL: none. */
static int find_range(struct sockets *s, const struct net_addr *ip, uint32_t low, uint32_t high,
		      const struct ports *but, struct ports **out)
{
	int err;

	for (size_t i = 0; i < s->n_ranges; i++) {
		if (ports_are(s->ranges[i], ip, low, high)) {
			*out = s->ranges[i];
			return 0;
		}
	}
	if (s->n_ranges == SOCKETS_MAX_RANGES)
		make_room(s, but);
	if (s->n_ranges == SOCKETS_MAX_RANGES)
		return -E2BIG;
	err = ports_new(ip, low, high, out);
	if (!err)
		s->ranges[s->n_ranges++] = *out;
	return err;
}

static int find_trunk(struct sockets *s, unsigned worker, struct ports *range,
		      struct call_sockets *out)
{
	struct thread_trunk *t = s->trunks[worker], *end = t + s->n_trunks[worker];
	int size = TRUNK_BUFFER, err;

	while (t < end && t->range != range)
		t++;
	if (t == end) {
		if (s->n_trunks[worker] == WORKER_MAX_TRUNKS)
			return -EXFULL;
		err = ports_take_one(range, &t->port, &t->fd);
		if (err)
			return err;
		t->range = range;
		/* The socket stays the thread's for good: calls come and go on it, and its port
		 * is the one that firewalls know. */
		s->n_trunks[worker]++;
		/* the system may give less than we ask for */
		(void)setsockopt(t->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
		(void)setsockopt(t->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	}
	out->trunk_fd = t->fd;
	out->trunk_port = t->port;
	return 0;
}

int sockets_take(struct sockets *s, unsigned worker, const struct command_open *open,
		 struct call_sockets *out)
{
	struct ports *plain, *secure;
	int err = find_range(s, &open->plain_ip, open->plain_low, open->plain_high, NULL, &plain);

	if (!err)
		err = find_range(s, &open->secure_ip, open->secure_low, open->secure_high, plain,
				 &secure);
	if (!err)
		/* The trunk first: a call that finds no pair has lost nothing, the trunk is kept
		 * for the next one. */
		err = find_trunk(s, worker, secure, out);
	if (!err)
		err = ports_take(plain, &out->rtp_port, &out->rtp_fd, &out->rtcp_fd);
	if (!err)
		out->ports = plain;
	return err;
}

void sockets_say(int err, char out[COMMAND_TEXT])
{
	switch (err) {
	case -EADDRINUSE:
		snprintf(out, COMMAND_TEXT, "every port of rtp_port_range is in use");
		break;
	case -EINVAL:
		snprintf(out, COMMAND_TEXT,
			 "plain_ports, secure_ports: no even port with its next one");
		break;
	case -E2BIG:
		snprintf(out, COMMAND_TEXT,
			 "%d port ranges are in use at once, cig-relay's limit: rtp_port_range "
			 "changed too often",
			 SOCKETS_MAX_RANGES);
		break;
	case -EXFULL:
		snprintf(out, COMMAND_TEXT,
			 "%d port ranges of tel are in use, cig-relay's limit: they are free when "
			 "it is restarted",
			 WORKER_MAX_TRUNKS);
		break;
	default:
		snprintf(out, COMMAND_TEXT, "%s", strerror(-err));
		break;
	}
}

void sockets_give(struct call_sockets *call)
{
	if (call->ports)
		ports_give(call->ports, call->rtp_port);
	call->ports = NULL;
}

unsigned sockets_taken(const struct sockets *s)
{
	unsigned taken = 0;

	for (size_t i = 0; i < s->n_ranges; i++)
		taken += ports_taken(s->ranges[i]);
	/* Trunks hold a port each, but are no call's. */
	for (unsigned i = 0; i < s->workers; i++)
		taken -= (unsigned)s->n_trunks[i];
	return taken;
}
