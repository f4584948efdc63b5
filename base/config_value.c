/* config_value.c - numbers, switches, addresses and networks out of words of a configuration.
 *
 * Nothing here asks a name server, so a configuration is read alike with and without a network.
 */
#include "base/config_value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "base/text.h"

/* At most 200 octets of what was found: a line of the log must hold the whole message. */
static int expected(const struct config_word *word, struct diag *diag, const char *what)
{
	diag_error(diag, &word->place, "found \"%.200s\", expected %s", word->text, what);
	return -EINVAL;
}

int config_uint(const struct config_word *word, unsigned long min, unsigned long max,
		unsigned long *value_out, struct diag *diag)
{
	unsigned long value;

	if (!text_number(slice_str(word->text), min, max, &value)) {
		diag_error(diag, &word->place, "found \"%.200s\", expected a number from %lu to %lu",
			   word->text, min, max);
		return -EINVAL;
	}
	*value_out = value;
	return 0;
}

int config_bool(const struct config_word *word, bool *value_out, struct diag *diag)
{
	static const struct {
		const char *text;
		bool value;
	} words[] = { { "true", true }, { "false", false }, { "yes", true },
		      { "no", false },  { "on", true },     { "off", false } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word->text, words[i].text) == 0) {
			*value_out = words[i].value;
			return 0;
		}
	return expected(word, diag, "true or false");
}

/* Copies s as text without the brackets of an IPv6 address. */
static bool bare_host(struct slice s, char *out, size_t outsz)
{
	if (s.n >= 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
		s = slice_of(s.p + 1, s.n - 2);
	if (s.n == 0 || s.n >= outsz)
		return false;
	memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return true;
}

/* Returns the family, or 0 for no numeric address. */
/* IPv4 is tried first: inet_pton() takes neither "10.1" nor leading zeros, so no text is both. */
static int read_address(struct slice s, uint8_t address_out[16])
{
	char text[CONFIG_IP_SIZE + 2];

	if (!bare_host(s, text, sizeof(text)))
		return 0;
	if (inet_pton(AF_INET, text, address_out) == 1)
		return AF_INET;
	return inet_pton(AF_INET6, text, address_out) == 1 ? AF_INET6 : 0;
}

int config_ip(const struct config_word *word, char text_out[CONFIG_IP_SIZE], struct diag *diag)
{
	uint8_t address[16];
	int family = read_address(slice_str(word->text), address);

	if (!family)
		return expected(word, diag, "an IP address");
	inet_ntop(family, address, text_out, CONFIG_IP_SIZE);
	return 0;
}

/* A dotted mask as a number of bits; false when its ones are not in one piece. */
static bool read_mask(struct slice s, unsigned *bits_out)
{
	uint8_t octets[16];
	uint32_t mask = 0;
	unsigned bits = 0;

	if (read_address(s, octets) != AF_INET)
		return false;
	for (unsigned i = 0; i < 4; i++)
		mask = mask << 8 | octets[i];
	while (bits < 32 && mask & 0x80000000u >> bits)
		bits++;
	if (bits < 32 && (mask << bits) != 0)
		return false;
	*bits_out = bits;
	return true;
}

/* Octets behind the first bits become 0: two addresses of a network are then equal. */
static void clear_behind(uint8_t *address, unsigned octets, unsigned bits)
{
	for (unsigned i = 0; i < octets; i++) {
		unsigned ones = bits > 8 * i ? bits - 8 * i : 0;

		if (ones < 8)
			address[i] &= (uint8_t)(0xff00u >> ones);
	}
}

int config_net(const struct config_word *word, struct config_net *net_out, struct diag *diag)
{
	struct slice text = slice_str(word->text), mask = { NULL, 0 };
	const uint8_t *slash = memchr(text.p, '/', text.n);
	struct config_net net = { 0 };
	unsigned long bits;
	unsigned max;

	if (slash) {
		mask = slice_from(text, (size_t)(slash - text.p) + 1);
		text.n = (size_t)(slash - text.p);
	}
	net.family = read_address(text, net.address);
	if (!net.family)
		return expected(word, diag, "IP/MASK");
	max = net.family == AF_INET ? 32 : 128;
	net.prefix_bits = max;
	if (slash && text_number(mask, 0, max, &bits))
		net.prefix_bits = (unsigned)bits;
	else if (slash && (net.family != AF_INET || !read_mask(mask, &net.prefix_bits)))
		return expected(word, diag, "IP/MASK with a mask of the address's length");
	clear_behind(net.address, max / 8, net.prefix_bits);
	*net_out = net;
	return 0;
}

bool config_net_holds(const struct config_net *net, const struct sockaddr *address)
{
	uint8_t octets[16] = { 0 };
	int family = address->sa_family;

	if (family == AF_INET) {
		memcpy(octets, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
	} else if (family == AF_INET6) {
		const struct in6_addr *in6 =
			&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
		bool mapped = IN6_IS_ADDR_V4MAPPED(in6);

		/* A dual-stack socket shows IPv4 peers so (RFC 4291 2.5.5.2); the rule was
		 * written for IPv4. */
		family = mapped ? AF_INET : AF_INET6;
		memcpy(octets, in6->s6_addr + (mapped ? 12 : 0), mapped ? 4 : 16);
	}
	if (family != net->family)
		return false;
	clear_behind(octets, 16, net->prefix_bits);
	return memcmp(octets, net->address, 16) == 0;
}

int config_host_port(const struct config_word *word, char *host_out, size_t hostsz,
		     uint16_t *port_out, struct diag *diag)
{
	struct slice text = slice_str(word->text);
	/* The last colon: those before it are of an IPv6 address. */
	const uint8_t *colon = memrchr(text.p, ':', text.n);
	struct slice host = slice_of(text.p, colon ? (size_t)(colon - text.p) : 0);
	unsigned long port;

	if (!colon || host.n == 0 ||
	    !text_number(slice_from(text, host.n + 1), 1, UINT16_MAX, &port))
		return expected(word, diag, "HOST:PORT");
	if (memchr(host.p, ':', host.n) && (host.p[0] != '[' || host.p[host.n - 1] != ']'))
		return expected(word, diag, "HOST:PORT, an IPv6 address in brackets");
	if (!bare_host(host, host_out, hostsz)) {
		expected(word, diag, "a shorter host");
		return -ENOBUFS;
	}
	*port_out = (uint16_t)port;
	return 0;
}

int config_name(const struct config_word *word, const char *what, struct diag *diag)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789_.-";
	size_t n = strlen(word->text);

	if (n >= 1 && n <= 64 && strspn(word->text, allowed) == n)
		return 0;
	if (word->text[0] == '<')
		diag_error(diag, &word->place, "%s stands for %s: write the real name", word->text,
			   what);
	else
		diag_error(
			diag, &word->place,
			"found \"%.200s\", expected %s: 1 to 64 letters, digits, \"_\", \".\", \"-\"",
			word->text, what);
	return -EINVAL;
}
