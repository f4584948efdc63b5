/* net.h - numeric socket addresses as one value: parse, print, compare, bind. */
#ifndef BASE_NET_H
#define BASE_NET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct net_addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t len; /* 0: no address */
};

enum { NET_TEXT_SIZE = 64 };

/* "192.0.2.1", "192.0.2.1:5060", "2001:db8::1" or "[2001:db8::1]:5060"; where the
 * text has no port it is default_port.  Names are not resolved.  Returns 0 or
 * -EINVAL. */
int net_parse(const char *text, uint16_t default_port, struct net_addr *out);

/* Is text HOST:PORT, with a name or an address (an IPv6 one in brackets) of visible ASCII and a
 * port of 1 to 65535?  Names are not resolved. */
bool net_is_host_port(const char *text);

/* "HOST:PORT" in the forms above. */
void net_format(const struct net_addr *addr, char out[NET_TEXT_SIZE]);

/* The address without its port. */
void net_format_host(const struct net_addr *addr, char out[NET_TEXT_SIZE]);

/* In host order. */
uint16_t net_port(const struct net_addr *addr);
/* In host order, too. */
void net_set_port(struct net_addr *addr, uint16_t port);

/* Same family, address and port. */
bool net_equal(const struct net_addr *a, const struct net_addr *b);
/* Same family and address, whatever the ports. */
bool net_same_host(const struct net_addr *a, const struct net_addr *b);
/* 127.0.0.0/8 or ::1. */
bool net_is_loopback(const struct net_addr *addr);

/* A network, "192.0.2.0/24" or a single address. */
struct net_block {
	struct net_addr addr;
	unsigned prefix; /* bits */
};
/* Reads "ADDRESS" (that one only) or "ADDRESS/BITS"; bits of the address behind the prefix
 * are ignored.  Returns 0 or -EINVAL. */
int net_block_parse(const char *text, struct net_block *out);
/* An address of the other family is in no block; ports do not matter. */
bool net_block_contains(const struct net_block *block, const struct net_addr *addr);

/* Non-blocking, close-on-exec sockets bound to addr; the listening one has
 * SO_REUSEADDR, and SO_REUSEPORT where share is set.  The descriptor or -errno. */
int net_udp_socket(const struct net_addr *addr, bool share);
/* The same for TCP, already listening. */
int net_tcp_listen(const struct net_addr *addr, bool share);

/* The address that a bound socket got.  Returns 0 or -errno. */
int net_local(int fd, struct net_addr *out);

/* The own address from which this host reaches to (port not 0), with port 0.
 * Nothing is sent.  Returns 0 or -errno (-ENETUNREACH: there is no route). */
int net_source_for(const struct net_addr *to, struct net_addr *out);

#endif
