/* net.c - numeric socket addresses: one union of IPv4 and IPv6 with its length.
 *
 * Fields are kept in network order, as the system wants them; numbers in host order come and go
 * by net_port() and net_set_port().
 */
#include "base/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

/* Splits text into host and port text; port is "" where there is none. */
static int split(const char *text, char *host, size_t hostsz, const char **port)
{
	const char *colon = strrchr(text, ':'), *start = text, *end;

	*port = "";
	if (text[0] == '[') {
		start = text + 1;
		end = strchr(text, ']');
		if (!end || (end[1] != '\0' && end[1] != ':'))
			return -EINVAL;
		if (end[1] == ':')
			*port = end + 2;
		if (end[1] == ':' && end[2] == '\0')
			return -EINVAL;
		/* One colon parts a port; with more it is a bare IPv6 address, which has none. */
	} else if (colon && strchr(text, ':') == colon) {
		end = colon;
		*port = colon + 1;
		if (colon[1] == '\0')
			return -EINVAL;
	} else {
		end = text + strlen(text);
	}
	if ((size_t)(end - start) >= hostsz)
		return -EINVAL;
	memcpy(host, start, (size_t)(end - start));
	host[end - start] = '\0';
	return 0;
}

bool net_is_host_port(const char *text)
{
	/* The last colon parts them: an IPv6 address has others. */
	const char *colon = strrchr(text, ':');
	unsigned long port;

	if (!colon || colon == text || strlen(colon) > 6)
		return false;
	for (const char *p = text; p < colon; p++)
		if (*p <= ' ' || *p > '~')
			return false;
	return text_number(slice_str(colon + 1), 1, UINT16_MAX, &port);
}

int net_parse(const char *text, uint16_t default_port, struct net_addr *out)
{
	char host[INET6_ADDRSTRLEN + 1];
	unsigned long number = default_port;
	const char *port;

	if (split(text, host, sizeof(host), &port) ||
	    (*port && !text_number(slice_str(port), 0, UINT16_MAX, &number)))
		return -EINVAL;
	/* inet_pton reads numbers only: nothing here may ask a name server. */
	*out = (struct net_addr){ .len = sizeof(out->in) };
	if (inet_pton(AF_INET, host, &out->in.sin_addr) == 1) {
		out->in.sin_family = AF_INET;
		out->in.sin_port = htons((uint16_t)number);
		return 0;
	}
	*out = (struct net_addr){ .len = sizeof(out->in6) };
	if (inet_pton(AF_INET6, host, &out->in6.sin6_addr) == 1) {
		out->in6.sin6_family = AF_INET6;
		out->in6.sin6_port = htons((uint16_t)number);
		return 0;
	}
	return -EINVAL;
}

/* Address octets in network order, 4 or 16. */
static const void *host_octets(const struct net_addr *addr, size_t *n)
{
	if (addr->sa.sa_family == AF_INET6) {
		*n = sizeof(addr->in6.sin6_addr);
		return &addr->in6.sin6_addr;
	}
	*n = sizeof(addr->in.sin_addr);
	return &addr->in.sin_addr;
}

void net_format_host(const struct net_addr *addr, char out[NET_TEXT_SIZE])
{
	size_t n;

	if (!inet_ntop(addr->sa.sa_family, host_octets(addr, &n), out, NET_TEXT_SIZE))
		snprintf(out, NET_TEXT_SIZE, "-");
}

void net_format(const struct net_addr *addr, char out[NET_TEXT_SIZE])
{
	char host[INET6_ADDRSTRLEN];
	size_t n;

	if (!inet_ntop(addr->sa.sa_family, host_octets(addr, &n), host, sizeof(host)))
		snprintf(out, NET_TEXT_SIZE, "-");
	else
		snprintf(out, NET_TEXT_SIZE, addr->sa.sa_family == AF_INET6 ? "[%s]:%u" : "%s:%u",
			 host, net_port(addr));
}

uint16_t net_port(const struct net_addr *addr)
{
	return ntohs(addr->sa.sa_family == AF_INET6 ? addr->in6.sin6_port : addr->in.sin_port);
}

void net_set_port(struct net_addr *addr, uint16_t port)
{
	if (addr->sa.sa_family == AF_INET6)
		addr->in6.sin6_port = htons(port);
	else
		addr->in.sin_port = htons(port);
}

bool net_same_host(const struct net_addr *a, const struct net_addr *b)
{
	size_t n;
	/* Families are compared first: n is then the same for both. */
	const void *octets = host_octets(a, &n);

	return a->sa.sa_family == b->sa.sa_family && memcmp(octets, host_octets(b, &n), n) == 0;
}

bool net_equal(const struct net_addr *a, const struct net_addr *b)
{
	return net_port(a) == net_port(b) && net_same_host(a, b);
}

bool net_is_loopback(const struct net_addr *addr)
{
	if (addr->sa.sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&addr->in6.sin6_addr);
	return ntohl(addr->in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

int net_block_parse(const char *text, struct net_block *out)
{
	const char *slash = strchr(text, '/');
	char host[INET6_ADDRSTRLEN + 1];
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	unsigned long prefix, most;

	if (n >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, n);
	host[n] = '\0';
	if (net_parse(host, 0, &out->addr) || net_port(&out->addr))
		return -EINVAL;
	most = out->addr.sa.sa_family == AF_INET6 ? 128 : 32;
	prefix = most;
	if (slash && !text_number(slice_str(slash + 1), 0, most, &prefix))
		return -EINVAL;
	out->prefix = (unsigned)prefix;
	return 0;
}

bool net_block_contains(const struct net_block *block, const struct net_addr *addr)
{
	size_t n;
	const uint8_t *a = host_octets(&block->addr, &n), *b = host_octets(addr, &n);
	unsigned whole = block->prefix / 8, rest = block->prefix % 8;

	if (block->addr.sa.sa_family != addr->sa.sa_family || memcmp(a, b, whole) != 0)
		return false;
	/* With rest 0 there may be no octet a[whole] any more: a /32 or /128. */
	return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

static int bound_socket(const struct net_addr *addr, int type, bool share)
{
	int fd = socket(addr->sa.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int one = 1, err;

	if (fd < 0)
		return -errno;
	/* So that a restart need not wait for connections in TIME_WAIT.  On UDP it would let
	 * two programs have one port. */
	if (type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if ((share && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) < 0) ||
	    bind(fd, &addr->sa, addr->len) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int net_udp_socket(const struct net_addr *addr, bool share)
{
	return bound_socket(addr, SOCK_DGRAM, share);
}

int net_tcp_listen(const struct net_addr *addr, bool share)
{
	int fd = bound_socket(addr, SOCK_STREAM, share);

	if (fd >= 0 && listen(fd, SOMAXCONN) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

int net_local(int fd, struct net_addr *out)
{
	*out = (struct net_addr){ .len = sizeof(out->in6) };
	return getsockname(fd, &out->sa, &out->len) < 0 ? -errno : 0;
}

/* connect() of a UDP socket sends nothing; it makes the kernel choose route and source. */
int net_source_for(const struct net_addr *to, struct net_addr *out)
{
	int fd = socket(to->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	err = connect(fd, &to->sa, to->len) < 0 ? -errno : net_local(fd, out);
	close(fd);
	if (!err)
		net_set_port(out, 0);
	return err;
}
