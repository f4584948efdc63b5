/* door.c - who may open a TCP connection.
 *
 * The library takes any connection and keeps one that sent garbage until it has
 * been idle for minutes, so a stranger could use up all descriptors.  It calls
 * accept() through the program's own symbol table: this one stands before it.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/sip/agent.h"

/* Connections of one address: what it begins and never ends shall not use up what others
 * need. */
enum { DOOR_PER_SOURCE = 200 };

/* accept() is one for the whole program, as a signal's handler is: it has no argument for the
 * agent, the library calls it for listeners that it made itself, and a descriptor carries no
 * data of ours.  Nor has the library a way to be asked first: what it lets be plugged in
 * (tport_plugins.h) answers STUN and unpacks SigComp, and a new connection is told to the agent
 * only with its first request. */
static struct agent *doorkeeper;

void door_watch(struct agent *agent)
{
	doorkeeper = agent;
}

struct agent *door_agent(void)
{
	return doorkeeper;
}

/* How many of the connections that were let in are still open and from there.  The library
 * closes them by itself and tells nobody, so each descriptor is asked for its peer: those up to
 * the newest are enough, as the system gives the lowest that is free. */
static unsigned count_from(const struct net_addr *source, int newest)
{
	unsigned n = 0;

	for (int fd = 0; fd <= newest; fd++) {
		struct net_addr peer = { .len = sizeof(peer.in6) };
		int type;
		socklen_t type_size = sizeof(type);

		n += getpeername(fd, &peer.sa, &peer.len) == 0 && net_same_host(&peer, source) &&
		     getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) == 0 &&
		     type == SOCK_STREAM;
	}
	return n;
}

static bool lets_in(struct agent *a, int fd, const struct sockaddr_storage *from, socklen_t n)
{
	struct net_addr source = { .len = n };

	memcpy(&source.in6, from, n < sizeof(source.in6) ? n : sizeof(source.in6));
	if (agent_trusts(a, &source)) {
		if (count_from(&source, fd) <= DOOR_PER_SOURCE) /* with the new one */
			return true;
		a->overload++;
		agent_refused(a, &a->flood_limit, &source, "too many connections of one address");
		return false;
	}
	a->strangers++;
	agent_refused(a, &a->stranger_limit, &source,
		      "a connection from a network that is not allowed");
	return false;
}

BEFORE_LIBRARIES int accept(int fd, __SOCKADDR_ARG addr, socklen_t *restrict len)
{
	struct sockaddr_storage from;
	socklen_t n = sizeof(from);
	int s = accept4(fd, (struct sockaddr *)&from, &n, SOCK_CLOEXEC);

	if (s < 0)
		return s;
	if (doorkeeper && !lets_in(doorkeeper, s, &from, n)) {
		close(s);
		errno = ECONNABORTED;
		return -1;
	}
	if (addr.__sockaddr__ && len) {
		memcpy(addr.__sockaddr__, &from, n < *len ? n : *len);
		*len = n;
	}
	return s;
}
