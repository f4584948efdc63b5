/* pdu.c - one table of fields for each body, walked by one reader and one writer.
 *
 * What is read points into the PDU; what is written is copied.  The fault of a field is the
 * status that 3.4 (5.1.3) has for it.
 */
#include "smpp/pdu.h"

#include <errno.h>

#include "base/cursor.h"

enum field_kind {
	END,    /* of a table; what follows are optional parameters */
	OCTET,  /* uint8_t */
	TEXT,   /* C-Octet String, max octets with its NUL: struct slice */
	COUNTED /* an octet with the length, then so many octets, at most max */
};

struct field {
	enum field_kind kind;
	uint8_t max;
	uint16_t at; /* offset in struct smpp_pdu */
	uint8_t fault;
};

#define AT(member) offsetof(struct smpp_pdu, member)
#define ENDPOINT(name, size, why)                                                                  \
	{ OCTET, 0, AT(name.ton), 0 }, { OCTET, 0, AT(name.npi), 0 },                              \
	{                                                                                          \
		TEXT, size, AT(name.addr), why                                                     \
	}

/* ---- the bodies, as section 4 prints them ---------------------------------------- */

static const struct field no_fields[] = { { END, 0, 0, 0 } };

static const struct field in_bind[] = {
	{ TEXT, 16, AT(system_id), SMPP_RINVSYSID },    { TEXT, 9, AT(password), SMPP_RINVPASWD },
	{ TEXT, 13, AT(system_type), SMPP_RINVSYSTYP }, { OCTET, 0, AT(interface_version), 0 },
	ENDPOINT(range, 41, SMPP_RINVPARLEN),           { END, 0, 0, 0 },
};

static const struct field in_bind_resp[] = {
	{ TEXT, 16, AT(system_id), SMPP_RINVSYSID },
	{ END, 0, 0, 0 },
};

static const struct field in_outbind[] = {
	{ TEXT, 16, AT(system_id), SMPP_RINVSYSID },
	{ TEXT, 9, AT(password), SMPP_RINVPASWD },
	{ END, 0, 0, 0 },
};

static const struct field in_submit[] = {
	{ TEXT, 6, AT(service_type), SMPP_RINVSERTYP },
	ENDPOINT(source, 21, SMPP_RINVSRCADR),
	ENDPOINT(dest, 21, SMPP_RINVDSTADR),
	{ END, 0, 0, 0 },
};

/* What stands behind the destination of submit_sm and deliver_sm, and behind the list of them
 * of submit_multi (4.4.1, 4.5.1, 4.6.1). */
static const struct field in_message[] = {
	{ OCTET, 0, AT(esm_class), 0 },
	{ OCTET, 0, AT(protocol_id), 0 },
	{ OCTET, 0, AT(priority), 0 },
	{ TEXT, 17, AT(schedule), SMPP_RINVSCHED },
	{ TEXT, 17, AT(validity), SMPP_RINVEXPIRY },
	{ OCTET, 0, AT(registered), 0 },
	{ OCTET, 0, AT(replace), 0 },
	{ OCTET, 0, AT(coding), 0 },
	{ OCTET, 0, AT(default_id), 0 },
	{ COUNTED, 255, AT(short_message), SMPP_RINVMSGLEN },
	{ END, 0, 0, 0 },
};

static const struct field in_multi[] = {
	{ TEXT, 6, AT(service_type), SMPP_RINVSERTYP },
	ENDPOINT(source, 21, SMPP_RINVSRCADR),
	{ OCTET, 0, AT(count), 0 },
	{ END, 0, 0, 0 },
};

static const struct field in_multi_resp[] = {
	{ TEXT, SMPP_ID_SIZE, AT(message_id), SMPP_RINVMSGID },
	{ OCTET, 0, AT(count), 0 },
	{ END, 0, 0, 0 },
};

static const struct field in_data[] = {
	{ TEXT, 6, AT(service_type), SMPP_RINVSERTYP },
	ENDPOINT(source, 65, SMPP_RINVSRCADR),
	ENDPOINT(dest, 65, SMPP_RINVDSTADR),
	{ OCTET, 0, AT(esm_class), 0 },
	{ OCTET, 0, AT(registered), 0 },
	{ OCTET, 0, AT(coding), 0 },
	{ END, 0, 0, 0 },
};

static const struct field in_id_resp[] = {
	{ TEXT, SMPP_ID_SIZE, AT(message_id), SMPP_RINVMSGID },
	{ END, 0, 0, 0 },
};

static const struct field in_query[] = {
	{ TEXT, SMPP_ID_SIZE, AT(message_id), SMPP_RINVMSGID },
	ENDPOINT(source, 21, SMPP_RINVSRCADR),
	{ END, 0, 0, 0 },
};

static const struct field in_query_resp[] = {
	{ TEXT, SMPP_ID_SIZE, AT(message_id), SMPP_RINVMSGID },
	{ TEXT, 17, AT(final_date), SMPP_RINVPARLEN },
	{ OCTET, 0, AT(message_state), 0 },
	{ OCTET, 0, AT(error_code), 0 },
	{ END, 0, 0, 0 },
};

static const struct field in_cancel[] = {
	{ TEXT, 6, AT(service_type), SMPP_RINVSERTYP },
	{ TEXT, SMPP_ID_SIZE, AT(message_id), SMPP_RINVMSGID },
	ENDPOINT(source, 21, SMPP_RINVSRCADR),
	ENDPOINT(dest, 21, SMPP_RINVDSTADR),
	{ END, 0, 0, 0 },
};

static const struct field in_replace[] = {
	{ TEXT, SMPP_ID_SIZE, AT(message_id), SMPP_RINVMSGID },
	ENDPOINT(source, 21, SMPP_RINVSRCADR),
	{ TEXT, 17, AT(schedule), SMPP_RINVSCHED },
	{ TEXT, 17, AT(validity), SMPP_RINVEXPIRY },
	{ OCTET, 0, AT(registered), 0 },
	{ OCTET, 0, AT(default_id), 0 },
	{ COUNTED, 255, AT(short_message), SMPP_RINVMSGLEN },
	{ END, 0, 0, 0 },
};

static const struct field in_alert[] = {
	ENDPOINT(source, 65, SMPP_RINVSRCADR),
	ENDPOINT(esme, 65, SMPP_RINVDSTADR),
	{ END, 0, 0, 0 },
};

/* The most frequent first: the list is searched from the front. */
static const struct {
	uint32_t command;
	const struct field *request, *response;
} commands[] = {
	{ SMPP_SUBMIT_SM, in_submit, in_id_resp },
	{ SMPP_DELIVER_SM, in_submit, in_id_resp },
	{ SMPP_ENQUIRE_LINK, no_fields, no_fields },
	{ SMPP_BIND_TRANSCEIVER, in_bind, in_bind_resp },
	{ SMPP_BIND_TRANSMITTER, in_bind, in_bind_resp },
	{ SMPP_BIND_RECEIVER, in_bind, in_bind_resp },
	{ SMPP_UNBIND, no_fields, no_fields },
	{ SMPP_GENERIC_NACK & ~SMPP_RESPONSE, NULL, no_fields },
	{ SMPP_DATA_SM, in_data, in_id_resp },
	{ SMPP_ALERT_NOTIFICATION, in_alert, NULL },
	{ SMPP_OUTBIND, in_outbind, NULL },
	{ SMPP_QUERY_SM, in_query, in_query_resp },
	{ SMPP_CANCEL_SM, in_cancel, no_fields },
	{ SMPP_REPLACE_SM, in_replace, no_fields },
	{ SMPP_SUBMIT_MULTI, in_multi, in_multi_resp },
};

static const struct field *fields_of(uint32_t command)
{
	uint32_t request = command & ~SMPP_RESPONSE;

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].command == request)
			return command & SMPP_RESPONSE ? commands[i].response : commands[i].request;
	return NULL;
}

/* The count at the end of the fields tells how many destinations follow. */
static bool has_list(const struct field *fields)
{
	return fields == in_multi || fields == in_multi_resp;
}

static bool has_message(const struct field *fields)
{
	return fields == in_submit || fields == in_multi;
}

bool smpp_pdu_is_known(uint32_t command)
{
	return fields_of(command) != NULL;
}

/* ---- decoding -------------------------------------------------------------------- */

int smpp_pdu_frame(struct slice octets, size_t *length_out)
{
	struct cursor c = cursor_of(octets);
	uint32_t length = cursor_u32(&c);

	if (!cursor_ok(&c))
		return 0;
	if (length < SMPP_HEADER)
		return -EBADMSG;
	/* Before anybody waits for so many octets. */
	if (length > SMPP_MAX_PDU)
		return -EMSGSIZE;
	*length_out = length;
	return length <= octets.n;
}

static void *member(struct smpp_pdu *pdu, const struct field *field)
{
	return (uint8_t *)pdu + field->at;
}

/* Text up to its NUL, which is among the first max octets. */
static bool take_text(struct cursor *c, size_t max, struct slice *out)
{
	size_t room = max < c->left ? max : c->left;
	const uint8_t *end = room ? memchr(c->p, 0, room) : NULL;

	if (!end)
		return false;
	*out = cursor_take(c, (size_t)(end - c->p));
	cursor_take(c, 1);
	return true;
}

/* Returns the status that tells what is wrong, or SMPP_OK. */
static uint32_t take_fields(struct cursor *c, const struct field *field, struct smpp_pdu *pdu)
{
	for (; field->kind != END; field++) {
		void *to = member(pdu, field);

		if (field->kind == TEXT) {
			if (!take_text(c, field->max, to))
				/* Without a NUL in all that is left the PDU is cut; with more
				 * behind it the field is too long. */
				return c->left < field->max ? SMPP_RINVCMDLEN : field->fault;
		} else if (field->kind == OCTET) {
			*(uint8_t *)to = cursor_u8(c);
		} else {
			*(struct slice *)to = cursor_take(c, cursor_u8(c));
			if (!cursor_ok(c))
				return field->fault;
		}
		if (!cursor_ok(c))
			return SMPP_RINVCMDLEN;
	}
	return SMPP_OK;
}

/* The destinations of submit_multi: an SME address, or a distribution list's name (4.5.1.1). */
static bool skip_destination(struct cursor *c)
{
	struct slice text;
	uint8_t flag = cursor_u8(c);

	/* dest_flag 1: TON and NPI stand before the address. */
	if (flag == 1)
		cursor_take(c, 2);
	else if (flag != 2)
		return false;
	return cursor_ok(c) && take_text(c, 21, &text);
}

/* Those that failed, in the response (4.5.2.1). */
static bool skip_failed(struct cursor *c)
{
	struct slice text;

	cursor_take(c, 2);
	if (!cursor_ok(c) || !take_text(c, 21, &text))
		return false;
	/* error_status_code */
	cursor_take(c, 4);
	return cursor_ok(c);
}

static uint32_t take_list(struct cursor *c, struct smpp_pdu *pdu)
{
	const uint8_t *begin = c->p;
	bool response = pdu->command & SMPP_RESPONSE;

	for (unsigned i = 0; i < pdu->count; i++)
		if (!(response ? skip_failed(c) : skip_destination(c)))
			return SMPP_RINVCMDLEN;
	pdu->multi = slice_of(begin, (size_t)(c->p - begin));
	return SMPP_OK;
}

/* Every parameter must lie within the PDU. */
static bool tlvs_are_sound(struct slice tlvs)
{
	uint16_t tag;
	struct slice value;

	while (smpp_tlv_next(&tlvs, &tag, &value))
		;
	return tlvs.n == 0;
}

static uint32_t take_body(struct cursor *c, struct smpp_pdu *pdu)
{
	const struct field *fields = fields_of(pdu->command);
	uint32_t fault;

	if (!fields)
		return SMPP_OK;
	/* A response that tells of an error has no body, and some centers leave an empty one
	 * out, too (4.4.2, note). */
	if (pdu->command & SMPP_RESPONSE && c->left == 0)
		return SMPP_OK;
	fault = take_fields(c, fields, pdu);
	if (!fault && has_list(fields))
		fault = take_list(c, pdu);
	if (!fault && has_message(fields))
		fault = take_fields(c, in_message, pdu);
	if (fault)
		return fault;
	pdu->tlvs = slice_of(c->p, c->left);
	return tlvs_are_sound(pdu->tlvs) ? SMPP_OK : SMPP_RINVOPTPARSTREAM;
}

int smpp_pdu_decode(struct slice octets, struct smpp_pdu *pdu_out, uint32_t *fault_out)
{
	struct cursor c = cursor_of(octets);
	uint32_t length = cursor_u32(&c), fault;

	*pdu_out = (struct smpp_pdu){ .command = cursor_u32(&c) };
	pdu_out->status = cursor_u32(&c);
	pdu_out->sequence = cursor_u32(&c);
	fault = !cursor_ok(&c) || length != octets.n ? SMPP_RINVCMDLEN : take_body(&c, pdu_out);
	if (fault_out)
		*fault_out = fault;
	return fault ? -EBADMSG : 0;
}

struct slice smpp_pdu_message(const struct smpp_pdu *pdu)
{
	struct slice payload;

	if (pdu->short_message.n == 0 &&
	    smpp_tlv_find(pdu->tlvs, SMPP_TAG_MESSAGE_PAYLOAD, &payload))
		return payload;
	return pdu->short_message;
}

void smpp_copy_visible(char *out, size_t outsz, struct slice from)
{
	size_t n = 0;

	for (size_t i = 0; i < from.n && from.p[i] && n + 1 < outsz; i++)
		if (from.p[i] > ' ' && from.p[i] <= '~')
			out[n++] = (char)from.p[i];
	out[n] = '\0';
}

/* ---- optional parameters --------------------------------------------------------- */

bool smpp_tlv_next(struct slice *tlvs, uint16_t *tag_out, struct slice *value_out)
{
	struct cursor c = cursor_of(*tlvs);
	uint16_t tag = cursor_u16(&c);
	struct slice value = cursor_l16(&c);

	if (!cursor_ok(&c))
		return false; /* what is left in *tlvs is no parameter */
	*tag_out = tag;
	*value_out = value;
	*tlvs = slice_of(c.p, c.left);
	return true;
}

bool smpp_tlv_find(struct slice tlvs, uint16_t tag, struct slice *value_out)
{
	uint16_t found;

	while (smpp_tlv_next(&tlvs, &found, value_out))
		if (found == tag)
			return true;
	return false;
}

bool smpp_tlv_number(struct slice tlvs, uint16_t tag, size_t octets, uint32_t *number_out)
{
	struct slice value;
	struct cursor c;

	if (!smpp_tlv_find(tlvs, tag, &value) || value.n != octets)
		return false;
	c = cursor_of(value);
	*number_out = (uint32_t)cursor_uint(&c, octets);
	return true;
}

void smpp_tlv_put(struct buf *out, uint16_t tag, struct slice value)
{
	buf_put_u16(out, tag);
	buf_put_l16(out, value);
}

void smpp_tlv_put_number(struct buf *out, uint16_t tag, size_t octets, uint32_t number)
{
	buf_put_u16(out, tag);
	buf_put_u16(out, (uint16_t)octets);
	for (size_t i = octets; i-- > 0;)
		buf_put_u8(out, (uint8_t)(number >> 8 * i));
}

/* ---- packing --------------------------------------------------------------------- */

/* Returns false when a text does not fit its field, or would end early. */
static bool put_fields(struct buf *out, const struct field *field, const struct smpp_pdu *pdu)
{
	for (; field->kind != END; field++) {
		const void *from = (const uint8_t *)pdu + field->at;
		struct slice text;

		if (field->kind == OCTET) {
			buf_put_u8(out, *(const uint8_t *)from);
			continue;
		}
		text = *(const struct slice *)from;
		if (field->kind == COUNTED) {
			if (text.n > SMPP_MAX_SHORT)
				return false;
			buf_put_u8(out, (uint8_t)text.n);
			buf_put_slice(out, text);
			continue;
		}
		if (text.n >= field->max || (text.n && memchr(text.p, 0, text.n)))
			return false;
		buf_put_slice(out, text);
		buf_put_u8(out, 0);
	}
	return true;
}

static bool put_body(struct buf *out, const struct field *fields, const struct smpp_pdu *pdu)
{
	if (pdu->command & SMPP_RESPONSE && pdu->status != SMPP_OK)
		return true;
	if (!put_fields(out, fields, pdu))
		return false;
	if (has_list(fields))
		buf_put_slice(out, pdu->multi);
	if (has_message(fields) && !put_fields(out, in_message, pdu))
		return false;
	buf_put_slice(out, pdu->tlvs);
	return true;
}

int smpp_pdu_pack(const struct smpp_pdu *pdu, struct buf *out)
{
	const struct field *fields = fields_of(pdu->command);
	size_t begin = out->len;
	uint32_t n;
	bool fits;

	if (!fields)
		return -EINVAL;
	buf_put_u32(out, 0); /* the length, once it is known */
	buf_put_u32(out, pdu->command);
	buf_put_u32(out, pdu->status);
	buf_put_u32(out, pdu->sequence);
	fits = put_body(out, fields, pdu);
	if (!fits || !buf_ok(out) || out->len - begin > SMPP_MAX_PDU) {
		out->len = begin;
		return buf_ok(out) ? -EINVAL : -ENOBUFS;
	}
	n = (uint32_t)(out->len - begin);
	for (size_t i = 0; i < 4; i++)
		out->p[begin + i] = (uint8_t)(n >> (24 - 8 * i));
	return 0;
}
