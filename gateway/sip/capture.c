/* capture.c - each SIP message to a collector (Homer) as HEP3 over UDP.
 *
 * Made of what trace.c gathered: the library's line about the message, a separator, the message
 * with three blanks before each line, a separator.  Nothing waits: what the socket does not take
 * at once is lost, as is what a collector that is down would have got.  UDP says so only where an
 * ICMP message comes back, as the error of a later packet. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/clock.h"
#include "gateway/hep.h"
#include "gateway/sip/agent.h"

enum {
	REOPEN_MS = 5000, /* between attempts where the socket cannot be had */
	/* Packets must pass for so long before the collector counts as there: hosts send an ICMP
	 * message about one address only once a second, or less often. */
	SETTLE_MS = 3000,
};

struct capture {
	struct agent *agent;
	struct net_addr collector;
	int fd;             /* connected to the collector; or -1 */
	int64_t reopen_ms;  /* when to try again */
	int64_t good_ms;    /* when the first packet passed of those that have since; 0: none has */
	bool told, reached; /* what the server was told */
	uint32_t id;
	char *password;
	/* a line may be all of a message, and each gets a CR */
	uint8_t text[4 * AGENT_MAX_MESSAGE];
	uint8_t packet[HEP_MAX_PACKET + 1];
};

/* Connected, so that the kernel tells what becomes of packets. */
static int connect_to(const struct net_addr *collector)
{
	struct net_addr any;
	int fd, err;

	if (net_parse(collector->sa.sa_family == AF_INET6 ? "::" : "0.0.0.0", 0, &any))
		return -EINVAL;
	fd = net_udp_socket(&any, false);
	if (fd >= 0 && connect(fd, &collector->sa, collector->len) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

static void tell(struct capture *c, bool reached, const char *why)
{
	SipAgent__Collector event = SIP_AGENT__COLLECTOR__INIT;

	if (c->told && c->reached == reached)
		return;
	c->told = true;
	c->reached = reached;
	event.reached = reached;
	event.why = (char *)(uintptr_t)why;
	agent_send(c->agent, SIP_AGENT__FROM_AGENT__BODY_COLLECTOR, &event);
}

/* Is there a socket?  Each attempt costs something, and calls go on meanwhile. */
static bool is_open(struct capture *c)
{
	int64_t now = clock_mono_ms();

	if (c->fd >= 0)
		return true;
	if (now < c->reopen_ms)
		return false;
	c->reopen_ms = now + REOPEN_MS;
	c->fd = connect_to(&c->collector);
	if (c->fd < 0)
		tell(c, false, strerror(-c->fd));
	return c->fd >= 0;
}

static void note_success(struct capture *c)
{
	int64_t now = clock_mono_ms();

	if (!c->good_ms)
		c->good_ms = now;
	if (now - c->good_ms >= SETTLE_MS)
		tell(c, true, "");
}

static void transmit(struct capture *c, struct slice packet)
{
	const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;

	if (send(c->fd, packet.p, packet.n, flags) >= 0) {
		note_success(c);
		return;
	}
	if (errno == EAGAIN || errno == EMSGSIZE)
		return; /* not the collector's fault */
	c->good_ms = 0;
	tell(c, false, strerror(errno));
	/* It was about an earlier packet, and this one has not gone yet. */
	send(c->fd, packet.p, packet.n, flags);
}

struct capture *capture_new(struct agent *agent, const SipAgent__Hep *hep)
{
	struct capture *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->agent = agent;
	c->id = hep->id;
	c->fd = -1;
	c->password = strdup(hep->password);
	if (!c->password || hep->port > UINT16_MAX ||
	    net_parse(hep->address, (uint16_t)hep->port, &c->collector))
		capture_free(&c);
	else
		(void)is_open(c);
	return c;
}

void capture_free(struct capture **cp)
{
	struct capture *c = *cp;

	if (!c)
		return;
	*cp = NULL;
	if (c->fd >= 0)
		close(c->fd);
	if (c->password)
		OPENSSL_cleanse(c->password, strlen(c->password));
	free(c->password);
	free(c);
}

static struct slice take_line(struct slice *rest)
{
	const uint8_t *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	struct slice line = slice_of(rest->p, end ? (size_t)(end - rest->p) : rest->n);

	*rest = slice_from(*rest, line.n + (end ? 1 : 0));
	return line;
}

/* Stars instead of a key, so that lengths stay true. */
static void put_line(struct buf *b, struct slice line)
{
	size_t n = trace_open_octets(line);

	buf_put(b, line.p, n);
	for (; n < line.n; n++)
		buf_put_char(b, '*');
	buf_put_str(b, "\r\n");
}

/* The message as it was on the wire, of so many octets; the last line is the separator. */
static struct slice restore(struct capture *c, struct slice lines, size_t octets)
{
	struct buf b = BUF_OF(c->text);

	for (;;) {
		struct slice line = take_line(&lines);

		if (!lines.n)
			break;
		put_line(&b, slice_starts(line, "   ") ? slice_from(line, 3) : line);
	}
	return slice_of(b.p, octets < b.len ? octets : b.len);
}

/* Our own side: the listener's address and port, also where a connection that we made has
 * another port, which the library does not tell. */
static int own_address(const struct agent *a, bool tls, struct net_addr *out)
{
	char text[NET_TEXT_SIZE + 8];

	snprintf(text, sizeof(text), "%s:%u", a->host, tls ? a->tls_port : a->port);
	return net_parse(text, 0, out);
}

/* "recv 412 bytes from udp/[192.0.2.1]:5060 at 12:00:00.123456:", "send ... to ...": the library's
 * own words, the address in digits. */
static bool read_stamp(struct capture *c, struct slice line, struct hep_message *m,
		       size_t *octets_out)
{
	char text[256], way[5], transport[5], host[NET_TEXT_SIZE];
	struct net_addr own, peer;
	unsigned octets, port;

	if (line.n >= sizeof(text))
		return false;
	memcpy(text, line.p, line.n);
	text[line.n] = '\0';
	if (sscanf(text, "%4s %9u bytes %*4s %4[a-z]/[%63[0-9a-fA-F:.]]:%5u", way, &octets,
		   transport, host, &port) != 5 ||
	    port > UINT16_MAX || net_parse(host, (uint16_t)port, &peer) ||
	    own_address(c->agent, strcmp(transport, "tls") == 0, &own))
		return false;
	net_set_port(&peer, (uint16_t)port);
	m->stream = strcmp(transport, "udp") != 0;
	m->from = strcmp(way, "recv") == 0 ? peer : own;
	m->to = strcmp(way, "recv") == 0 ? own : peer;
	*octets_out = octets;
	return true;
}

void capture_send(struct capture *c, struct slice printed)
{
	struct buf packet = BUF_OF(c->packet);
	struct hep_message m = { .wall_ms = clock_wall_ms(),
				 .capture_id = c->id,
				 .password = c->password };
	size_t octets;

	if (!is_open(c) || !read_stamp(c, take_line(&printed), &m, &octets))
		return;
	take_line(&printed); /* the separator */
	m.text = restore(c, printed, octets);
	if (hep_write(&m, &packet) == 0)
		transmit(c, slice_of(packet.p, packet.len));
}
