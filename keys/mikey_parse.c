/* mikey_parse.c - reads an I_MESSAGE: no cryptography, any input. */
#include "keys/mikey_priv.h"

#include <errno.h>

#include "base/cursor.h"

/* 1970-01-01 in NTP's seconds; times from 2036 on are of its next era. */
static const int64_t ntp_epoch = 2208988800;

/* What of a payload may come once only. */
enum {
	SEEN_T = 1 << 0,
	SEEN_RAND = 1 << 1,
	SEEN_FROM = 1 << 2,
	SEEN_TO = 1 << 3,
	SEEN_FROM_KMS = 1 << 4,
	SEEN_TO_KMS = 1 << 5,
	SEEN_SAKKE = 1 << 6,
	SEEN_EXTENSION = 1 << 7,
	SEEN_TO_SELF = 1 << 8,
	REQUIRED =
		SEEN_T | SEEN_RAND | SEEN_FROM | SEEN_TO | SEEN_FROM_KMS | SEEN_TO_KMS | SEEN_SAKKE,
};

struct parser {
	struct cursor c;
	struct mikey_message *m;
	unsigned seen;
};

/* False when it was there before. */
static bool first_time(struct parser *p, unsigned what)
{
	bool first = !(p->seen & what);

	p->seen |= what;
	return first;
}

/* The sessions' policies and SPIs mean nothing here: the offer names them. */
static void skip_generic_session(struct cursor *c)
{
	uint8_t policies;

	cursor_u8(c); /* CS ID */
	cursor_u8(c); /* protocol */
	policies = cursor_u8(c);
	cursor_take(c, policies & 0x7f);
	cursor_l16(c);                /* session data */
	cursor_take(c, cursor_u8(c)); /* SPI */
}

static bool parse_sessions(struct parser *p, uint8_t kind)
{
	switch (kind) {
	case MIKEY_MAP_SRTP:
		cursor_take(&p->c, (size_t)p->m->n_cs * 9);
		return cursor_ok(&p->c);
	case MIKEY_MAP_EMPTY:
		return p->m->n_cs == 0;
	case MIKEY_MAP_GENERIC:
		for (unsigned i = 0; i < p->m->n_cs && cursor_ok(&p->c); i++)
			skip_generic_session(&p->c);
		return cursor_ok(&p->c);
	default:
		return false;
	}
}

/* Returns false for what is not our message; next_out is the first payload. */
static bool parse_header(struct parser *p, uint8_t *next_out)
{
	struct mikey_message *m = p->m;
	uint8_t version = cursor_u8(&p->c), type = cursor_u8(&p->c);
	uint8_t kind;

	*next_out = cursor_u8(&p->c);
	m->prf = cursor_u8(&p->c); /* V is its highest bit: no verification message */
	m->csb_id = cursor_u32(&p->c);
	m->n_cs = cursor_u8(&p->c);
	kind = cursor_u8(&p->c);
	return cursor_ok(&p->c) && version == MIKEY_VERSION && type == MIKEY_DATA_TYPE_SAKKE &&
	       m->prf <= MIKEY_PRF_SHA256 && parse_sessions(p, kind);
}

static bool parse_time(struct parser *p)
{
	uint8_t type = cursor_u8(&p->c);

	p->m->ntp = cursor_u64(&p->c);
	return first_time(p, SEEN_T) && (type == MIKEY_TS_NTP_UTC || type == MIKEY_TS_NTP);
}

static bool parse_rand(struct parser *p)
{
	struct slice value = cursor_take(&p->c, cursor_u8(&p->c));

	if (!first_time(p, SEEN_RAND) || value.n != MIKEY_RAND)
		return false;
	memcpy(p->m->rand, value.p, MIKEY_RAND);
	return true;
}

static bool parse_identity(struct parser *p)
{
	struct mikey_message *m = p->m;
	uint8_t role = cursor_u8(&p->c), type = cursor_u8(&p->c);
	struct slice value = cursor_l16(&p->c);

	if (value.n == 0 || (type != MIKEY_ID_URI && type != MIKEY_ID_OCTETS))
		return false;
	switch (role) {
	case MIKEY_ROLE_INITIATOR:
	case MIKEY_ROLE_INITIATOR_UID:
		m->from = value;
		m->from_hashed = role == MIKEY_ROLE_INITIATOR_UID;
		return first_time(p, SEEN_FROM);
	case MIKEY_ROLE_RESPONDER:
	case MIKEY_ROLE_RESPONDER_UID:
		m->to = value;
		m->to_hashed = role == MIKEY_ROLE_RESPONDER_UID;
		return first_time(p, SEEN_TO);
	case MIKEY_ROLE_INITIATOR_KMS:
		m->from_kms = value;
		return first_time(p, SEEN_FROM_KMS);
	case MIKEY_ROLE_RESPONDER_KMS:
		m->to_kms = value;
		return first_time(p, SEEN_TO_KMS);
	default:
		return false;
	}
}

/* Policies of SRTP: the offer's profile rules, these are passed over. */
static bool parse_policy(struct parser *p)
{
	cursor_u8(&p->c); /* number */
	cursor_u8(&p->c); /* protocol */
	cursor_l16(&p->c);
	return true;
}

/* params, ID scheme, data */
static bool parse_sealed(struct cursor *c, uint8_t *id_scheme_out, struct slice *data_out)
{
	uint8_t params = cursor_u8(c);

	*id_scheme_out = cursor_u8(c);
	*data_out = cursor_l16(c);
	return params == MIKEY_SAKKE_PARAMS && data_out->n >= MIKEY_SAKKE_LEAST &&
	       data_out->n <= MIKEY_SAKKE_DATA;
}

static bool parse_sakke(struct parser *p)
{
	return first_time(p, SEEN_SAKKE) && parse_sealed(&p->c, &p->m->id_scheme, &p->m->sakke);
}

/* A whole SAKKE payload, its "next" included, for the sender itself. */
static bool parse_to_self(struct parser *p, struct slice value)
{
	struct cursor c = cursor_of(value);
	uint8_t id_scheme;

	cursor_u8(&c);
	return first_time(p, SEEN_TO_SELF) && parse_sealed(&c, &id_scheme, &p->m->to_self) &&
	       cursor_at_end(&c);
}

/* Extensions of other types are covered by the signature and passed over. */
static bool parse_general(struct parser *p)
{
	uint8_t type = cursor_u8(&p->c);
	struct slice value = cursor_l16(&p->c);

	switch (type) {
	case MIKEY_GENERAL_TO_SELF:
		return parse_to_self(p, value);
	case MIKEY_GENERAL_HASH:
		p->m->extension = value;
		return first_time(p, SEEN_EXTENSION) && value.n == MIKEY_EXTENSION;
	default:
		return true;
	}
}

/* Reads one payload but SIGN; next_out names the one behind it. */
static bool parse_payload(struct parser *p, uint8_t kind, uint8_t *next_out)
{
	*next_out = cursor_u8(&p->c);
	switch (kind) {
	case MIKEY_T:
		return parse_time(p);
	case MIKEY_RAND_PAYLOAD:
		return parse_rand(p);
	case MIKEY_IDR:
		return parse_identity(p);
	case MIKEY_SP:
		return parse_policy(p);
	case MIKEY_SAKKE:
		return parse_sakke(p);
	case MIKEY_GENERAL:
		return parse_general(p);
	default: /* CERT is forbidden here, others are unknown */
		return false;
	}
}

/* The type and length of the signature are signed, too. */
static bool parse_sign(struct parser *p, struct slice octets)
{
	uint16_t head = cursor_u16(&p->c);

	p->m->signed_part = slice_of(octets.p, octets.n - p->c.left);
	p->m->signature = cursor_take(&p->c, MIKEY_SIGN_DATA);
	return head == (MIKEY_SIGN_ECCSI << 12 | MIKEY_SIGN_DATA) && cursor_at_end(&p->c);
}

int mikey_parse(struct slice octets, struct mikey_message *message_out)
{
	struct parser p = { cursor_of(octets), message_out, 0 };
	uint8_t kind, next;

	*message_out = (struct mikey_message){ 0 };
	if (octets.n > MIKEY_MAX || !parse_header(&p, &kind))
		return -EBADMSG;
	/* SIGN is always the last payload (RFC 3830 6.5), so it ends the walk; every other takes
	 * an octet at least, so the walk ends with the message. */
	for (; kind != MIKEY_SIGN; kind = next)
		if (!parse_payload(&p, kind, &next) || !cursor_ok(&p.c))
			return -EBADMSG;
	if ((p.seen & REQUIRED) != REQUIRED || !parse_sign(&p, octets))
		return -EBADMSG;
	return 0;
}

/* Seconds before 1968 (the highest bit not set) are of the era from 2036 on, as
 * RFC 4330 section 3 has it. */
int64_t mikey_time_s(const struct mikey_message *message)
{
	int64_t s = (int64_t)(message->ntp >> 32);

	if (s < INT64_C(0x80000000))
		s += INT64_C(0x100000000);
	return s - ntp_epoch;
}

int64_t mikey_time_ms(const struct mikey_message *message)
{
	return mikey_time_s(message) * 1000 + (int64_t)((message->ntp & 0xffffffff) * 1000 >> 32);
}
