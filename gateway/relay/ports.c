/* ports.c - a flag for each port of a range, and the system's word on whether it is
 * free: other programs have sockets, too. */
#include "gateway/relay/ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ports {
	struct net_addr ip;
	uint32_t asked_low, asked_high;
	uint32_t low, high;
	uint32_t next; /* where the search begins */
	unsigned taken;
	bool *used; /* from low */
};

int ports_new(const struct net_addr *ip, uint32_t low, uint32_t high, struct ports **ports_out)
{
	struct ports *p;

	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->ip = *ip;
	p->asked_low = low;
	p->asked_high = high;
	p->low = low || high ? low : PORTS_DEFAULT_LOW;
	p->high = low || high ? high : PORTS_DEFAULT_HIGH;
	/* An odd low begins with the even port behind it. */
	if (p->low == 0 || p->high > UINT16_MAX || p->low + p->low % 2 + 1 > p->high) {
		free(p);
		return -EINVAL;
	}
	p->next = p->low;
	p->used = calloc(p->high - p->low + 1, sizeof(*p->used));
	if (!p->used) {
		free(p);
		return -ENOMEM;
	}
	*ports_out = p;
	return 0;
}

void ports_free(struct ports **portsp)
{
	struct ports *p = *portsp;

	if (!p)
		return;
	*portsp = NULL;
	free(p->used);
	free(p);
}

bool ports_are(const struct ports *p, const struct net_addr *ip, uint32_t low, uint32_t high)
{
	return p->asked_low == low && p->asked_high == high && net_same_host(&p->ip, ip);
}

static int bind_port(const struct ports *p, uint32_t port)
{
	struct net_addr addr = p->ip;

	net_set_port(&addr, (uint16_t)port);
	return net_udp_socket(&addr, false);
}

/* Binds n ports from port on.  Returns 0, -EADDRINUSE, or another -errno. */
/* Both or none: a pair of which one port is taken is passed over. */
static int bind_run(const struct ports *p, uint32_t port, unsigned n, int fds[2])
{
	for (unsigned i = 0; i < n; i++) {
		fds[i] = p->used[port + i - p->low] ? -EADDRINUSE : bind_port(p, port + i);
		if (fds[i] < 0) {
			int err = fds[i];

			if (i == 1)
				close(fds[0]);
			return err;
		}
	}
	return 0;
}

static int take(struct ports *p, unsigned n, uint16_t *port_out, int fds[2])
{
	uint32_t span = p->high - p->low + 1;

	/* From where the last search ended: a port that was just given back may still get packets
	 * of its old call, and rests for as long as the range allows. */
	for (uint32_t i = 0; i < span; i++) {
		uint32_t port = p->low + (p->next - p->low + i) % span;
		int err;

		if ((n == 2 && port % 2) || port + n - 1 > p->high)
			continue;
		err = bind_run(p, port, n, fds);
		/* EACCES: a privileged port in the range, or one that the system's policy
		 * keeps. */
		if (err == -EADDRINUSE || err == -EACCES)
			continue;
		if (err)
			/* Anything else (no descriptors) would fail for each port. */
			return err;
		memset(p->used + (port - p->low), true, n);
		p->taken += n;
		p->next = port + n > p->high ? p->low : port + n;
		*port_out = (uint16_t)port;
		return 0;
	}
	return -EADDRINUSE;
}

int ports_take(struct ports *p, uint16_t *rtp_port_out, int *rtp_fd_out, int *rtcp_fd_out)
{
	int fds[2], err = take(p, 2, rtp_port_out, fds);

	if (err)
		return err;
	*rtp_fd_out = fds[0];
	*rtcp_fd_out = fds[1];
	return 0;
}

int ports_take_one(struct ports *p, uint16_t *port_out, int *fd_out)
{
	int fds[2], err = take(p, 1, port_out, fds);

	if (!err)
		*fd_out = fds[0];
	return err;
}

static void give(struct ports *p, uint16_t port, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		bool *used = &p->used[port + i - p->low];

		/* What was not taken may be given: nothing is counted twice. */
		p->taken -= *used;
		*used = false;
	}
}

void ports_give(struct ports *p, uint16_t rtp_port)
{
	give(p, rtp_port, 2);
}

void ports_give_one(struct ports *p, uint16_t port)
{
	give(p, port, 1);
}

unsigned ports_taken(const struct ports *p)
{
	return p->taken;
}
