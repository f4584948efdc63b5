/* segment.h - long texts as several short messages, and what a part says of itself.
 *
 * Four ways, as the center wants it: a user data header with an 8-bit or a 16-bit
 * reference (3GPP TS 23.040, 9.2.3.24.1 and .8), the SAR parameters of SMPP 3.4
 * (5.3.2.22 to .24), or one PDU with message_payload (5.3.2.32).  No part ends
 * within a surrogate pair or behind an escape.
 *
 * Sizes: a short message holds 140 octets, which are 160 septets of the GSM
 * alphabet, 140 characters of Latin-1, 70 of UCS2; a header takes its part of them.
 */
#ifndef SMPP_SEGMENT_H
#define SMPP_SEGMENT_H

#include "smpp/alphabet.h"
#include "smpp/pdu.h"

enum smpp_long_form { SMPP_UDH8, SMPP_UDH16, SMPP_SAR, SMPP_PAYLOAD, SMPP_LONG_FORMS };

/* "udh8", "udh16", "sar", "payload". */
const char *smpp_long_form_name(enum smpp_long_form form);

enum { SMPP_MAX_SEGMENTS = 255 };

/* A text cut into parts; cut[i] is where part i begins, cut[count] the length. */
struct smpp_cuts {
	enum smpp_long_form form;
	size_t count; /* 1: it fits into one short message (or one payload) */
	size_t cut[SMPP_MAX_SEGMENTS + 1];
	bool payload; /* one PDU with message_payload */
};

/* Cuts a text that smpp_alphabet_encode() has written.  Returns 0, or -E2BIG: it needs more
 * than SMPP_MAX_SEGMENTS parts, or more than SMPP_MAX_PAYLOAD octets. */
int smpp_segment(enum smpp_alphabet alphabet, enum smpp_long_form form, struct slice octets,
		 struct smpp_cuts *cuts_out);

/* Room for what smpp_segment_fill() makes: a part with its header, or the parameters. */
enum { SMPP_SEGMENT_ROOM = 5 + SMPP_MAX_PAYLOAD };

/* Sets short_message, tlvs and the UDH bit of esm_class of *pdu for part `index` (from 0)
 * of octets; reference ties the parts together, and is cut to 8 bits for SMPP_UDH8.  What
 * pdu points to then is in room, which holds roomsz octets (SMPP_SEGMENT_ROOM always
 * suffice, 256 unless cuts->payload), or in octets.  Returns 0 or -ENOBUFS. */
int smpp_segment_fill(const struct smpp_cuts *cuts, struct slice octets, size_t index,
		      uint16_t reference, uint8_t *room, size_t roomsz, struct smpp_pdu *pdu);

/* What a message that came says of itself. */
struct smpp_part {
	bool is_part; /* of several */
	bool wide;    /* the reference has 16 bits */
	uint16_t reference;
	uint8_t total, index; /* index from 1 */
	struct slice content; /* without its header */
};

/* Reads the header, where esm_class says that there is one, else the SAR parameters; of
 * both the header counts.  One that names no parts (ports, say) is skipped.  Returns 0, or
 * -EBADMSG: the header is longer than the message, or names a part outside of the whole;
 * content is all of the message then. */
int smpp_part_read(const struct smpp_pdu *pdu, struct smpp_part *part_out);

#endif
