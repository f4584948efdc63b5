/* config_value.h - words of a configuration and what they may mean.
 *
 * Every reader takes a word, says in diag what was found and what was expected,
 * and leaves its output unchanged on failure.
 */
#ifndef BASE_CONFIG_VALUE_H
#define BASE_CONFIG_VALUE_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/diag.h"

struct config_word {
	const char *text; /* as the administrator wrote it, without its quotes; valid UTF-8 */
	struct diag_place place;
	bool quoted;
};

/* A decimal number from min to max.  Returns 0 or -EINVAL. */
int config_uint(const struct config_word *word, unsigned long min, unsigned long max,
		unsigned long *value_out, struct diag *diag);

/* "true" or "false" (also yes, no, on, off).  Returns 0 or -EINVAL. */
int config_bool(const struct config_word *word, bool *value_out, struct diag *diag);

/* A numeric IPv4 or IPv6 address, the latter also in brackets; text_out receives
 * it in canonical form.  Returns 0 or -EINVAL. */
enum { CONFIG_IP_SIZE = INET6_ADDRSTRLEN };
/* A word that is no address is told in diag, at its place. */
int config_ip(const struct config_word *word, char text_out[CONFIG_IP_SIZE], struct diag *diag);

struct config_net {
	int family;           /* AF_INET or AF_INET6 */
	uint8_t address[16];  /* 4 or 16 octets, those behind the mask are zero */
	unsigned prefix_bits; /* 0-32 or 0-128 */
};

/* "ADDRESS/BITS", "ADDRESS/MASK" (IPv4: 10.0.0.0/255.0.0.0) or "ADDRESS".
 * Returns 0 or -EINVAL. */
int config_net(const struct config_word *word, struct config_net *net_out, struct diag *diag);

/* Does net hold the address?  An IPv4-mapped IPv6 address counts as IPv4. */
bool config_net_holds(const struct config_net *net, const struct sockaddr *address);

/* "HOST:PORT", "[IPV6]:PORT"; host_out receives the host without brackets.
 * Returns 0, -EINVAL, or -ENOBUFS for a host of hostsz octets and more. */
int config_host_port(const struct config_word *word, char *host_out, size_t hostsz,
		     uint16_t *port_out, struct diag *diag);

/* A name: 1 to 64 of [A-Za-z0-9_.-].  Returns 0 or -EINVAL. */
int config_name(const struct config_word *word, const char *what, struct diag *diag);

#endif
