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

static struct agent *doorkeeper; /* accept() has no argument for it */

void door_watch(struct agent *agent)
{
	doorkeeper = agent;
}

static bool lets_in(struct agent *a, const struct sockaddr_storage *from, socklen_t n)
{
	struct net_addr source = { .len = n };

	memcpy(&source.in6, from, n < sizeof(source.in6) ? n : sizeof(source.in6));
	if (agent_trusts(a, &source))
		return true;
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
	if (doorkeeper && !lets_in(doorkeeper, &from, n)) {
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
