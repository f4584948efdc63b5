/* segment.c - long texts as parts: where they are cut, and the headers that tie them together. */
#include "smpp/segment.h"

#include <errno.h>

#include "base/cursor.h"

enum {
	/* TS 23.040, 9.2.3.24: elements of a user data header. */
	CONCAT_8 = 0x00,
	CONCAT_16 = 0x08,
	SEPTETS = 160,
	OCTETS = 140,
};

/* Octets that a header takes: its length octet, and the element with tag and length. */
static const uint8_t header_octets[SMPP_LONG_FORMS] = {
	[SMPP_UDH8] = 6, [SMPP_UDH16] = 7, [SMPP_SAR] = 7, /* the center makes a header of its own
							      from the parameters */
};

const char *smpp_long_form_name(enum smpp_long_form form)
{
	static const char *const names[SMPP_LONG_FORMS] = { "udh8", "udh16", "sar", "payload" };

	return names[form];
}

/* Octets of encoded text in a part with a header of so many octets.  In the GSM alphabet
 * text begins at a septet behind the header. */
static size_t capacity(enum smpp_alphabet alphabet, size_t header)
{
	if (alphabet == SMPP_GSM)
		return SEPTETS - (header * 8 + 6) / 7;
	return OCTETS - header;
}

int smpp_segment(enum smpp_alphabet alphabet, enum smpp_long_form form, struct slice octets,
		 struct smpp_cuts *cuts_out)
{
	size_t at = 0, room = capacity(alphabet, header_octets[form]);

	*cuts_out = (struct smpp_cuts){ .form = form, .count = 1 };
	cuts_out->cut[1] = octets.n;
	if (octets.n <= capacity(alphabet, 0))
		return 0;
	if (form == SMPP_PAYLOAD) {
		cuts_out->payload = true;
		return octets.n <= SMPP_MAX_PAYLOAD ? 0 : -E2BIG;
	}
	for (cuts_out->count = 0; at < octets.n; cuts_out->count++) {
		if (cuts_out->count == SMPP_MAX_SEGMENTS)
			return -E2BIG;
		cuts_out->cut[cuts_out->count] = at;
		/* Never 0: room holds any character of the alphabet. */
		at += smpp_alphabet_cut(alphabet, slice_from(octets, at), room);
	}
	cuts_out->cut[cuts_out->count] = at;
	return 0;
}

static void put_header(struct buf *out, const struct smpp_cuts *cuts, size_t index,
		       uint16_t reference)
{
	bool wide = cuts->form == SMPP_UDH16;

	buf_put_u8(out, wide ? 6 : 5);
	buf_put_u8(out, wide ? CONCAT_16 : CONCAT_8);
	buf_put_u8(out, wide ? 4 : 3);
	if (wide)
		buf_put_u16(out, reference);
	else
		buf_put_u8(out, (uint8_t)reference);
	buf_put_u8(out, (uint8_t)cuts->count);
	buf_put_u8(out, (uint8_t)(index + 1));
}

static void put_sar(struct buf *out, const struct smpp_cuts *cuts, size_t index, uint16_t reference)
{
	smpp_tlv_put_number(out, SMPP_TAG_SAR_MSG_REF_NUM, 2, reference);
	smpp_tlv_put_number(out, SMPP_TAG_SAR_TOTAL_SEGMENTS, 1, (uint32_t)cuts->count);
	smpp_tlv_put_number(out, SMPP_TAG_SAR_SEGMENT_SEQNUM, 1, (uint32_t)(index + 1));
}

int smpp_segment_fill(const struct smpp_cuts *cuts, struct slice octets, size_t index,
		      uint16_t reference, uint8_t *room, size_t roomsz, struct smpp_pdu *pdu)
{
	struct slice part =
		slice_of(octets.p + cuts->cut[index], cuts->cut[index + 1] - cuts->cut[index]);
	struct buf b = buf_over(room, roomsz);

	if (cuts->payload) {
		smpp_tlv_put(&b, SMPP_TAG_MESSAGE_PAYLOAD, part);
		pdu->tlvs = buf_slice(&b);
	} else if (cuts->count == 1) {
		pdu->short_message = part;
	} else if (cuts->form == SMPP_SAR) {
		put_sar(&b, cuts, index, reference);
		pdu->tlvs = buf_slice(&b);
		pdu->short_message = part;
	} else {
		put_header(&b, cuts, index, reference);
		buf_put_slice(&b, part);
		pdu->short_message = buf_slice(&b);
		pdu->esm_class |= SMPP_ESM_UDH;
	}
	return buf_ok(&b) ? 0 : -ENOBUFS;
}

/* ---- what came ------------------------------------------------------------------- */

static void take_element(uint8_t tag, struct slice value, struct smpp_part *part)
{
	struct cursor c = cursor_of(value);

	if (!(tag == CONCAT_8 && value.n == 3) && !(tag == CONCAT_16 && value.n == 4))
		return; /* ports, fonts, national tables: the text is what counts here */
	part->wide = tag == CONCAT_16;
	part->reference = part->wide ? cursor_u16(&c) : cursor_u8(&c);
	part->total = cursor_u8(&c);
	part->index = cursor_u8(&c);
	part->is_part = true;
}

static bool read_header(struct slice message, struct smpp_part *part)
{
	struct cursor all = cursor_of(message), header;
	struct slice octets = cursor_take(&all, cursor_u8(&all));

	if (!cursor_ok(&all))
		return false;
	header = cursor_of(octets);
	while (header.left) {
		uint8_t tag = cursor_u8(&header);
		struct slice value = cursor_take(&header, cursor_u8(&header));

		if (!cursor_ok(&header))
			return false;
		take_element(tag, value, part);
	}
	part->content = slice_of(all.p, all.left);
	return true;
}

static void read_sar(const struct smpp_pdu *pdu, struct smpp_part *part)
{
	uint32_t reference, total, index;

	if (!smpp_tlv_number(pdu->tlvs, SMPP_TAG_SAR_MSG_REF_NUM, 2, &reference) ||
	    !smpp_tlv_number(pdu->tlvs, SMPP_TAG_SAR_TOTAL_SEGMENTS, 1, &total) ||
	    !smpp_tlv_number(pdu->tlvs, SMPP_TAG_SAR_SEGMENT_SEQNUM, 1, &index))
		return;
	part->wide = true;
	part->reference = (uint16_t)reference;
	part->total = (uint8_t)total;
	part->index = (uint8_t)index;
	part->is_part = true;
}

int smpp_part_read(const struct smpp_pdu *pdu, struct smpp_part *part_out)
{
	struct slice message = smpp_pdu_message(pdu);
	struct smpp_part part = { .content = message };

	if (pdu->esm_class & SMPP_ESM_UDH && !read_header(message, &part)) {
		*part_out = (struct smpp_part){ .content = message };
		return -EBADMSG;
	}
	if (!part.is_part)
		read_sar(pdu, &part);
	if (part.is_part && (part.index == 0 || part.index > part.total)) {
		*part_out = (struct smpp_part){ .content = message };
		return -EBADMSG;
	}
	if (part.total <= 1)
		part.is_part = false; /* a whole in one part */
	*part_out = part;
	return 0;
}
