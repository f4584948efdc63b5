/* hep.c - HEP3 (EEP) packets: "HEP3", a length, and chunks of vendor, type, length
 * and value, all in network order; what Homer's collectors read. */
#include "gateway/hep.h"

#include <errno.h>
#include <netinet/in.h>

enum {
	PACKET_HEADER = 6,
	CHUNK_HEADER = 6,
	FAMILY_IPV4 = 2, /* the protocol's numbers, whatever the system has */
	FAMILY_IPV6 = 10,
	PAYLOAD_IS_SIP = 1,
};

enum chunk {
	CHUNK_FAMILY = 1,
	CHUNK_PROTOCOL = 2,
	CHUNK_FROM_IPV4 = 3,
	CHUNK_TO_IPV4 = 4,
	CHUNK_FROM_IPV6 = 5,
	CHUNK_TO_IPV6 = 6,
	CHUNK_FROM_PORT = 7,
	CHUNK_TO_PORT = 8,
	CHUNK_SECONDS = 9,
	CHUNK_MICROSECONDS = 10,
	CHUNK_PAYLOAD_KIND = 11,
	CHUNK_CAPTURE_ID = 12,
	CHUNK_PASSWORD = 14,
	CHUNK_PAYLOAD = 15,
};

static void put_chunk(struct buf *b, enum chunk type, struct slice value)
{
	buf_put_u16(b, 0); /* the vendor: none, the types are the protocol's own */
	buf_put_u16(b, (uint16_t)type);
	buf_put_u16(b, (uint16_t)(CHUNK_HEADER + value.n));
	buf_put_slice(b, value);
}

/* A number in as many octets as its chunk has. */
static void put_number(struct buf *b, enum chunk type, uint32_t number, size_t octets)
{
	const uint8_t value[] = { (uint8_t)(number >> 24), (uint8_t)(number >> 16),
				  (uint8_t)(number >> 8), (uint8_t)number };

	/* The last octets of the number's four, as network order has them. */
	put_chunk(b, type, slice_of(value + sizeof(value) - octets, octets));
}

static void put_addresses(struct buf *b, const struct net_addr *from, const struct net_addr *to)
{
	if (from->sa.sa_family == AF_INET) {
		put_number(b, CHUNK_FAMILY, FAMILY_IPV4, 1);
		put_chunk(b, CHUNK_FROM_IPV4, slice_of(&from->in.sin_addr, 4));
		put_chunk(b, CHUNK_TO_IPV4, slice_of(&to->in.sin_addr, 4));
	} else {
		put_number(b, CHUNK_FAMILY, FAMILY_IPV6, 1);
		put_chunk(b, CHUNK_FROM_IPV6, slice_of(&from->in6.sin6_addr, 16));
		put_chunk(b, CHUNK_TO_IPV6, slice_of(&to->in6.sin6_addr, 16));
	}
	put_number(b, CHUNK_FROM_PORT, net_port(from), 2);
	put_number(b, CHUNK_TO_PORT, net_port(to), 2);
}

int hep_write(const struct hep_message *m, struct buf *b)
{
	int family = m->from.len ? m->from.sa.sa_family : AF_UNSPEC;
	struct slice text = m->text;
	size_t start = b->len, n;

	if ((family != AF_INET && family != AF_INET6) || m->to.len == 0 ||
	    m->to.sa.sa_family != family)
		return -EINVAL;
	buf_put_str(b, "HEP3");
	buf_put_u16(b, 0); /* the length, once it is known */
	put_addresses(b, &m->from, &m->to);
	put_number(b, CHUNK_PROTOCOL, m->stream ? IPPROTO_TCP : IPPROTO_UDP, 1);
	put_number(b, CHUNK_SECONDS, (uint32_t)(m->wall_ms / 1000), 4);
	put_number(b, CHUNK_MICROSECONDS, (uint32_t)(m->wall_ms % 1000 * 1000), 4);
	put_number(b, CHUNK_PAYLOAD_KIND, PAYLOAD_IS_SIP, 1);
	put_number(b, CHUNK_CAPTURE_ID, m->capture_id, 4);
	if (m->password[0])
		put_chunk(b, CHUNK_PASSWORD, slice_str(m->password));
	n = b->len - start;
	/* a password that long is no password */
	if (n + CHUNK_HEADER > HEP_MAX_PACKET)
		return -ENOBUFS;
	/* A long message is cut: its headers, which stand first, are what is looked for. */
	if (text.n > HEP_MAX_PACKET - CHUNK_HEADER - n)
		text.n = HEP_MAX_PACKET - CHUNK_HEADER - n;
	put_chunk(b, CHUNK_PAYLOAD, text);
	if (!buf_ok(b))
		return -ENOBUFS;
	n = b->len - start;
	b->p[start + PACKET_HEADER - 2] = (uint8_t)(n >> 8);
	b->p[start + PACKET_HEADER - 1] = (uint8_t)n;
	return 0;
}
