/* control_address.c - listening and connecting, by TCP on a numeric address or by a Unix socket. */
#include "base/control_address.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/net.h"

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in6 tcp; /* or the shorter one of IPv4 */
		struct sockaddr_un path;
	} u;
	socklen_t n;
};

bool control_address_is_path(const char *address)
{
	return address[0] == '/';
}

/* "HOST:PORT"; the port must be said. */
static int parse_tcp(const char *text, struct address *to)
{
	static const char local[] = "localhost:";
	char numeric[NET_TEXT_SIZE];
	struct net_addr addr, other;
	int n = 0;

	if (strncmp(text, local, sizeof(local) - 1) == 0)
		n = snprintf(numeric, sizeof(numeric), "127.0.0.1:%s", text + sizeof(local) - 1);
	else
		n = snprintf(numeric, sizeof(numeric), "%s", text);
	if (n < 0 || (size_t)n >= sizeof(numeric) || net_parse(numeric, 1, &addr) < 0 ||
	    net_parse(numeric, 2, &other) < 0)
		return -EINVAL;
	/* Where no port stands it is the one that is asked for, so that the two differ. */
	if (net_port(&addr) != net_port(&other))
		return -EINVAL;
	to->u.tcp = addr.in6;
	to->n = addr.len;
	return 0;
}

static int parse(const char *text, struct address *to)
{
	size_t n = strlen(text);

	if (!control_address_is_path(text))
		return parse_tcp(text, to);
	to->u.path = (struct sockaddr_un){ .sun_family = AF_UNIX };
	to->n = sizeof(to->u.path);
	if (n >= sizeof(to->u.path.sun_path))
		return -ENAMETOOLONG;
	memcpy(to->u.path.sun_path, text, n + 1);
	return 0;
}

/* Makes way for a new socket file unless a server answers on the old one. */
static int clear_path(const char *path)
{
	int fd = control_address_connect(path, 1000);
	struct stat st;

	if (fd >= 0) {
		close(fd);
		return -EADDRINUSE;
	}
	/* Refused: the file is there and nobody listens, so it is a dead server's. */
	if (fd != -ECONNREFUSED || lstat(path, &st) < 0)
		return fd == -ENOENT ? 0 : fd;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	return unlink(path) < 0 ? -errno : 0;
}

static int bind_path(int fd, const struct address *to, unsigned mode, gid_t gid)
{
	const char *path = to->u.path.sun_path;
	int err = clear_path(path);

	if (err)
		return err;
	/* The file gets the descriptor's mode: none may connect until it is set right. */
	if (fchmod(fd, 0) < 0 || bind(fd, &to->u.any, to->n) < 0)
		return -errno;
	if (gid != (gid_t)-1 && chown(path, (uid_t)-1, gid) < 0)
		return -errno;
	return chmod(path, mode) < 0 ? -errno : 0;
}

/* A restart must not wait for the connections in TIME_WAIT of the one before. */
static int bind_tcp(int fd, const struct address *to)
{
	int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, &to->u.any, to->n) < 0)
		return -errno;
	return 0;
}

int control_address_listen(const char *address, unsigned mode, gid_t gid)
{
	struct address to;
	int err = parse(address, &to);
	int fd;

	if (err)
		return err;
	fd = socket(to.u.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	err = to.u.any.sa_family == AF_UNIX ? bind_path(fd, &to, mode, gid) : bind_tcp(fd, &to);
	if (!err && listen(fd, 64) < 0)
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

int control_address_connect(const char *address, int timeout_ms)
{
	struct timeval limit = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };
	struct address to;
	int err = parse(address, &to);
	int fd;

	if (err)
		return err;
	fd = socket(to.u.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* On Linux the send limit holds for connect(), too. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    connect(fd, &to.u.any, to.n) < 0) {
		err = errno == EINPROGRESS || errno == EAGAIN ? -ETIMEDOUT : -errno;
		close(fd);
		return err;
	}
	return fd;
}
