/* stun.c - STUN with MESSAGE-INTEGRITY-SHA256 alone (RFC 8489), for both ends of a
 * binding. */
#include "media/stun.h"

#include <errno.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/encode.h"

enum {
	HEADER_SIZE = 20,
	MAC_SIZE = 32,
	MAC_ATTRIBUTE_SIZE = 4 + MAC_SIZE,

	ATTR_USERNAME = 0x0006,
	ATTR_MESSAGE_INTEGRITY = 0x0008,
	ATTR_ERROR_CODE = 0x0009,
	ATTR_NONCE = 0x0015,
	ATTR_MESSAGE_INTEGRITY_SHA256 = 0x001c,
	ATTR_XOR_MAPPED_ADDRESS = 0x0020,
	ATTR_FIRST_OPTIONAL = 0x8000,

	FAMILY_IPV4 = 1,
	FAMILY_IPV6 = 2,
};

static const uint8_t magic[4] = { 0x21, 0x12, 0xa4, 0x42 };

/* Two zero bits at the front and the cookie: no RTP begins like that (RFC 8489 5). */
bool stun_is(struct slice packet)
{
	return packet.n >= HEADER_SIZE && (packet.p[0] & 0xc0) == 0 &&
	       memcmp(packet.p + 4, magic, sizeof(magic)) == 0;
}

/* Our clients end a transaction id with the SSRC of their leg (docs/umsg.md, relay legs): by
 * these octets the kernel chooses the thread before anything is parsed. */
uint32_t stun_packet_ssrc(struct slice packet)
{
	struct cursor c = cursor_of(slice_from(packet, HEADER_SIZE - 4));

	return cursor_u32(&c);
}

/* XOR-MAPPED-ADDRESS (RFC 8489 14.2): the port is masked by the cookie's first
 * half, the address by cookie and transaction id. */
static int parse_mapped(struct slice value, const uint8_t *cookie, struct net_addr *out)
{
	struct cursor c = cursor_of(slice_from(value, 1));
	uint8_t family = cursor_u8(&c), ip[16];
	uint16_t port = (uint16_t)(cursor_u16(&c) ^ (magic[0] << 8 | magic[1]));
	struct slice octets = cursor_take(&c, family == FAMILY_IPV4 ? 4 : sizeof(ip));

	if (!cursor_at_end(&c) || (family != FAMILY_IPV4 && family != FAMILY_IPV6))
		return -EBADMSG;
	for (size_t i = 0; i < octets.n; i++)
		ip[i] = octets.p[i] ^ cookie[i];
	*out = (struct net_addr){ 0 };
	if (family == FAMILY_IPV4) {
		out->len = sizeof(out->in);
		out->in.sin_family = AF_INET;
		memcpy(&out->in.sin_addr, ip, 4);
	} else {
		out->len = sizeof(out->in6);
		out->in6.sin6_family = AF_INET6;
		memcpy(&out->in6.sin6_addr, ip, sizeof(ip));
	}
	net_set_port(out, port);
	return 0;
}

/* RFC 8489 14.8: two octets reserved, three bits of class (the hundreds), an octet of number. */
static int parse_error_code(struct slice value, unsigned *code_out)
{
	struct cursor c = cursor_of(slice_from(value, 2));
	unsigned hundreds = cursor_u8(&c) & 7, rest = cursor_u8(&c);

	if (!cursor_ok(&c) || hundreds < 3 || hundreds > 6 || rest > 99)
		return -EBADMSG;
	*code_out = hundreds * 100 + rest;
	return 0;
}

/* Of an attribute that is repeated the first one counts (RFC 8489 14). */
static int parse_text(struct slice value, size_t max, struct slice *out)
{
	if (value.n > max)
		return -EBADMSG;
	if (!out->p)
		*out = value;
	return 0;
}

static int parse_attribute(struct stun_message *m, const uint8_t *cookie, uint16_t type,
			   struct slice value)
{
	switch (type) {
	case ATTR_USERNAME:
		return parse_text(value, STUN_MAX_USERNAME, &m->username);
	case ATTR_NONCE:
		return parse_text(value, STUN_MAX_NONCE, &m->nonce);
	case ATTR_ERROR_CODE:
		return m->error_code ? 0 : parse_error_code(value, &m->error_code);
	case ATTR_XOR_MAPPED_ADDRESS:
		return m->mapped.len ? 0 : parse_mapped(value, cookie, &m->mapped);
	/* The older MAC, SHA-1: may stand beside the newer one, which alone is checked. */
	case ATTR_MESSAGE_INTEGRITY:
		return 0;
	default:
		/* Those from 0x8000 on may be ignored, the others must be understood (RFC 8489
		 * 14). */
		return type < ATTR_FIRST_OPTIONAL ? -ENOTSUP : 0;
	}
}

static bool is_known_type(uint16_t type)
{
	return type == STUN_BINDING_REQUEST || type == STUN_BINDING_SUCCESS ||
	       type == STUN_BINDING_ERROR;
}

int stun_parse(struct slice packet, struct stun_message *message_out)
{
	struct cursor c = cursor_of(packet);
	struct stun_message m = { 0 };
	uint16_t length;

	if (!stun_is(packet) || packet.n > STUN_MAX_MESSAGE)
		return -EBADMSG;
	m.type = cursor_u16(&c);
	length = cursor_u16(&c);
	cursor_take(&c, sizeof(magic));
	memcpy(m.transaction, cursor_take(&c, STUN_TRANSACTION_SIZE).p, STUN_TRANSACTION_SIZE);
	/* A datagram is one message, neither more nor less. */
	if (length != c.left || length % 4 != 0)
		return -EBADMSG;
	if (!is_known_type(m.type))
		return -ENOTSUP;

	/* What stands behind the MAC is not covered by it, and not looked at (RFC 8489 14.6). */
	/* Remembered by its place, since its own four octets of header are not part of what is
	 * authenticated, either. */
	while (c.left > 0 && !m.integrity_at) {
		size_t at = packet.n - c.left;
		uint16_t type = cursor_u16(&c);
		uint16_t n = cursor_u16(&c);
		struct slice value = cursor_take(&c, n);
		int err = 0;

		/* Attributes are padded to words; the padding is not part of their length. */
		cursor_take(&c, -(size_t)n % 4);
		if (!cursor_ok(&c))
			return -EBADMSG;
		if (type == ATTR_MESSAGE_INTEGRITY_SHA256)
			m.integrity_at = n == MAC_SIZE ? at : 0;
		else
			err = parse_attribute(&m, packet.p + 4, type, value);
		if (err)
			return err;
		if (type == ATTR_MESSAGE_INTEGRITY_SHA256 && n != MAC_SIZE)
			return -EBADMSG;
	}
	*message_out = m;
	return 0;
}

/* The MAC over the octets before the attribute, the header's length counting up
 * to the attribute's end (RFC 8489 14.6). */
static int integrity(const uint8_t *message, size_t at, struct slice key, uint8_t mac[MAC_SIZE])
{
	uint8_t copy[STUN_MAX_MESSAGE];
	size_t length = at - HEADER_SIZE + MAC_ATTRIBUTE_SIZE;
	unsigned n = MAC_SIZE;

	memcpy(copy, message, at);
	copy[2] = (uint8_t)(length >> 8);
	copy[3] = (uint8_t)length;
	return HMAC(EVP_sha256(), key.p, (int)key.n, copy, at, mac, &n) ? 0 : -EIO;
}

/* An attacker who could see how far a MAC is right would find it octet by octet: the comparison
 * takes the same time for all. */
int stun_verify(const struct stun_message *message, struct slice packet, struct slice key)
{
	uint8_t mac[MAC_SIZE];

	if (!message->integrity_at || integrity(packet.p, message->integrity_at, key, mac) ||
	    CRYPTO_memcmp(mac, packet.p + message->integrity_at + 4, MAC_SIZE) != 0)
		return -EACCES;
	return 0;
}

static void put_header(struct buf *b, uint16_t type, const uint8_t *transaction)
{
	buf_put_u16(b, type);
	buf_put_u16(b, 0); /* the length: see finish */
	buf_put(b, magic, sizeof(magic));
	buf_put(b, transaction, STUN_TRANSACTION_SIZE);
}

static void put_attribute(struct buf *b, uint16_t type, struct slice value)
{
	static const uint8_t padding[3];

	buf_put_u16(b, type);
	buf_put_u16(b, (uint16_t)value.n);
	buf_put_slice(b, value);
	buf_put(b, padding, -value.n % 4);
}

/* Appends the MAC, sets the length, copies to out. */
static size_t finish(struct buf *b, struct slice key, uint8_t *out, size_t cap)
{
	uint8_t mac[MAC_SIZE];

	if (!buf_ok(b) || b->len + MAC_ATTRIBUTE_SIZE > STUN_MAX_MESSAGE ||
	    b->len + MAC_ATTRIBUTE_SIZE > cap || integrity(b->p, b->len, key, mac))
		return 0;
	put_attribute(b, ATTR_MESSAGE_INTEGRITY_SHA256, slice_of(mac, sizeof(mac)));
	b->p[2] = (uint8_t)((b->len - HEADER_SIZE) >> 8);
	b->p[3] = (uint8_t)(b->len - HEADER_SIZE);
	memcpy(out, b->p, b->len);
	return b->len;
}

size_t stun_build_request(const uint8_t transaction[STUN_TRANSACTION_SIZE], struct slice username,
			  struct slice nonce, struct slice key, uint8_t *out, size_t cap)
{
	/* One octet more than a message may have: what is too long overflows and is refused by
	 * finish(). */
	uint8_t message[STUN_MAX_MESSAGE + 1];
	struct buf b = BUF_OF(message);

	if (username.n > STUN_MAX_USERNAME || nonce.n > STUN_MAX_NONCE)
		return 0;
	put_header(&b, STUN_BINDING_REQUEST, transaction);
	put_attribute(&b, ATTR_USERNAME, username);
	if (nonce.n)
		put_attribute(&b, ATTR_NONCE, nonce);
	return finish(&b, key, out, cap);
}

static void put_mapped(struct buf *b, const struct net_addr *mapped, const uint8_t *cookie)
{
	bool v6 = mapped->sa.sa_family == AF_INET6;
	uint8_t value[20] = { 0, v6 ? FAMILY_IPV6 : FAMILY_IPV4 };
	size_t n = v6 ? 16 : 4;
	uint16_t port = net_port(mapped);

	value[2] = (uint8_t)(port >> 8) ^ magic[0];
	value[3] = (uint8_t)port ^ magic[1];
	if (v6)
		memcpy(value + 4, &mapped->in6.sin6_addr, n);
	else
		memcpy(value + 4, &mapped->in.sin_addr, n);
	for (size_t i = 0; i < n; i++)
		value[4 + i] ^= cookie[i];
	put_attribute(b, ATTR_XOR_MAPPED_ADDRESS, slice_of(value, 4 + n));
}

size_t stun_build_success(const uint8_t transaction[STUN_TRANSACTION_SIZE],
			  const struct net_addr *mapped, struct slice key, uint8_t *out, size_t cap)
{
	uint8_t message[STUN_MAX_MESSAGE + 1];
	struct buf b = BUF_OF(message);

	put_header(&b, STUN_BINDING_SUCCESS, transaction);
	put_mapped(&b, mapped, message + 4);
	return finish(&b, key, out, cap);
}

size_t stun_build_error(const uint8_t transaction[STUN_TRANSACTION_SIZE], unsigned code,
			struct slice nonce, struct slice key, uint8_t *out, size_t cap)
{
	uint8_t message[STUN_MAX_MESSAGE + 1];
	uint8_t value[4] = { 0, 0, (uint8_t)(code / 100), (uint8_t)(code % 100) };
	struct buf b = BUF_OF(message);

	if (nonce.n > STUN_MAX_NONCE)
		return 0;
	put_header(&b, STUN_BINDING_ERROR, transaction);
	put_attribute(&b, ATTR_ERROR_CODE, slice_of(value, sizeof(value)));
	if (nonce.n)
		put_attribute(&b, ATTR_NONCE, nonce);
	return finish(&b, key, out, cap);
}

static void put_address(struct buf *b, const struct net_addr *a)
{
	buf_put_u16(b, net_port(a));
	if (a->sa.sa_family == AF_INET6)
		buf_put(b, &a->in6.sin6_addr, sizeof(a->in6.sin6_addr));
	else
		buf_put(b, &a->in.sin_addr, sizeof(a->in.sin_addr));
}

/* A nonce that needs no memory: only the relay can make it, only for this leg and address, only
 * in this slot of time. 48 bits are enough for something that is tried over the network. */
void stun_make_nonce(struct slice secret, struct slice leg_id, const struct net_addr *source,
		     uint64_t slot, char out[STUN_NONCE_SIZE])
{
	uint8_t text[STUN_MAX_USERNAME + 32], mac[MAC_SIZE] = { 0 };
	char encoded[BASE64_TEXT_SIZE(6)];
	struct buf b = BUF_OF(text);
	unsigned n = MAC_SIZE;

	/* With its length in front: no two pairs of leg id and address make the same octets. */
	buf_put_l16(&b, leg_id);
	put_address(&b, source);
	buf_put_u64(&b, slot);
	HMAC(EVP_sha256(), secret.p, (int)secret.n, b.p, b.len, mac, &n);
	base64_encode(BASE64_URL, slice_of(mac, 6), encoded);
	memcpy(out, encoded, STUN_NONCE_SIZE);
}
