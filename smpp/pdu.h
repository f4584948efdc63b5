/* pdu.h - the PDUs of SMPP 3.4: octets to fields and back.
 *
 * Decoding takes whatever the protocol allows: any sequence number, any status
 * (vendors have their own), TLVs of any tag, number and length, message_payload up
 * to 65,535 octets, responses without their body.  Nothing is copied or allocated:
 * a decoded PDU points into the octets it was made from.  Source: "Short Message
 * Peer to Peer Protocol Specification v3.4", issue 1.2; sections are named below.
 *
 * One table of fields serves both ways (pdu.c), so what is packed is what is read.
 */
#ifndef SMPP_PDU_H
#define SMPP_PDU_H

#include "base/buf.h"
#include "base/slice.h"

/* Command ids (5.1.2.1); a response is its request with the highest bit set. */
#define SMPP_RESPONSE 0x80000000u
#define SMPP_GENERIC_NACK 0x80000000u
#define SMPP_BIND_RECEIVER 0x00000001u
#define SMPP_BIND_TRANSMITTER 0x00000002u
#define SMPP_QUERY_SM 0x00000003u
#define SMPP_SUBMIT_SM 0x00000004u
#define SMPP_DELIVER_SM 0x00000005u
#define SMPP_UNBIND 0x00000006u
#define SMPP_REPLACE_SM 0x00000007u
#define SMPP_CANCEL_SM 0x00000008u
#define SMPP_BIND_TRANSCEIVER 0x00000009u
#define SMPP_OUTBIND 0x0000000Bu
#define SMPP_ENQUIRE_LINK 0x00000015u
#define SMPP_SUBMIT_MULTI 0x00000021u
#define SMPP_ALERT_NOTIFICATION 0x00000102u
#define SMPP_DATA_SM 0x00000103u

/* Statuses (5.1.3) that are told apart here; any other number is possible. */
enum smpp_status {
	SMPP_OK = 0x00,
	SMPP_RINVMSGLEN = 0x01,
	SMPP_RINVCMDLEN = 0x02,
	SMPP_RINVCMDID = 0x03,
	SMPP_RINVBNDSTS = 0x04,
	SMPP_RALYBND = 0x05,
	SMPP_RSYSERR = 0x08,
	SMPP_RINVSRCADR = 0x0A,
	SMPP_RINVDSTADR = 0x0B,
	SMPP_RINVMSGID = 0x0C,
	SMPP_RBINDFAIL = 0x0D,
	SMPP_RINVPASWD = 0x0E,
	SMPP_RINVSYSID = 0x0F,
	SMPP_RMSGQFUL = 0x14,
	SMPP_RINVSERTYP = 0x15,
	SMPP_RINVESMCLASS = 0x43,
	SMPP_RINVSCHED = 0x61,
	SMPP_RINVEXPIRY = 0x62,
	SMPP_RSUBMITFAIL = 0x45,
	SMPP_RINVSYSTYP = 0x53,
	SMPP_RTHROTTLED = 0x58,
	SMPP_RX_T_APPN = 0x64, /* the receiver cannot now; the center tries again */
	SMPP_RX_P_APPN = 0x65, /* the receiver never will */
	SMPP_RX_R_APPN = 0x66, /* the receiver refuses this message */
	SMPP_RINVOPTPARSTREAM = 0xC0,
	SMPP_RINVPARLEN = 0xC2,
	SMPP_RINVOPTPARAMVAL = 0xC4,
};

/* "ESME_RTHROTTLED" and so on, "0x00000401" for what 3.4 does not name.  out is used
 * in the latter case. */
enum { SMPP_STATUS_TEXT = 11 };
/* Returns constant text, or out. */
const char *smpp_status_name(uint32_t status, char out[SMPP_STATUS_TEXT]);

/* Reads such a name, with or without "ESME_" and in either case, or a number as strtoul() does.
 * Returns 0 or -EINVAL. */
int smpp_status_read(const char *text, uint32_t *status_out);

/* Optional parameters (5.3.2) that are used here. */
enum smpp_tag {
	SMPP_TAG_RECEIPTED_MESSAGE_ID = 0x001E,
	SMPP_TAG_USER_MESSAGE_REFERENCE = 0x0204,
	SMPP_TAG_SAR_MSG_REF_NUM = 0x020C,
	SMPP_TAG_SAR_TOTAL_SEGMENTS = 0x020E,
	SMPP_TAG_SAR_SEGMENT_SEQNUM = 0x020F,
	SMPP_TAG_SC_INTERFACE_VERSION = 0x0210,
	SMPP_TAG_NETWORK_ERROR_CODE = 0x0423,
	SMPP_TAG_MESSAGE_PAYLOAD = 0x0424,
	SMPP_TAG_MESSAGE_STATE = 0x0427,
};

/* Bits of esm_class (5.2.12). */
enum {
	SMPP_ESM_TYPE = 0x3C,    /* which kind of message it is: 0 a plain one */
	SMPP_ESM_RECEIPT = 0x04, /* as a type: a delivery receipt of the center */
	SMPP_ESM_UDH = 0x40,     /* the message begins with a user data header */
};

enum {
	SMPP_HEADER = 16,              /* octets of every PDU's beginning */
	SMPP_INTERFACE_VERSION = 0x34, /* interface_version of 3.4 */
	SMPP_MAX_PDU = 128 << 10,      /* a full message_payload with room for the rest; ours */
	SMPP_MAX_SHORT = 254,          /* octets of short_message (5.2.21) */
	SMPP_MAX_PAYLOAD = 65535,      /* octets of a TLV's value */
	SMPP_ADDRESS_SIZE = 21,        /* of submit_sm and deliver_sm, with its NUL */
	SMPP_ID_SIZE = 65,             /* of a message id, with its NUL */
};

struct smpp_endpoint {
	uint8_t ton, npi;
	struct slice addr;
};

/* The fields of every command; those that a command does not have are 0 or empty.
 * Slices of text are without their NUL. */
struct smpp_pdu {
	uint32_t command, status, sequence;
	/* binds and outbind (4.1) */
	struct slice system_id, password, system_type;
	uint8_t interface_version;
	struct smpp_endpoint range; /* addr_ton, addr_npi, address_range */
	/* submit_sm, deliver_sm, data_sm and their kin (4.4 to 4.10) */
	struct slice service_type;
	struct smpp_endpoint source, dest, esme;
	uint8_t esm_class, protocol_id, priority;
	struct slice schedule, validity, final_date;
	uint8_t registered, replace, coding, default_id;
	struct slice short_message;
	/* responses, query_sm, cancel_sm, replace_sm */
	struct slice message_id;
	uint8_t message_state, error_code;
	/* submit_multi: the destinations as they stand, and in its response the failed ones */
	uint8_t count;
	struct slice multi;
	/* Optional parameters as they stand: smpp_tlv_next(), smpp_tlv_find(). */
	struct slice tlvs;
};

/* Looks for a whole PDU at the front of octets.  Returns 1 with its length; 0 when more
 * octets are needed; -EBADMSG (a command_length below 16) or -EMSGSIZE (above
 * SMPP_MAX_PDU): where the next PDU begins is unknown then. */
int smpp_pdu_frame(struct slice octets, size_t *length_out);

/* Decodes one whole PDU, its command_length included.  Returns 0, or -EBADMSG with
 * *fault_out the status that tells its sender (fault_out may be NULL); *pdu_out has the
 * header then, and what stood before the fault.  The body of a command that 3.4 does not
 * have, and of a response to one, is not looked at. */
int smpp_pdu_decode(struct slice octets, struct smpp_pdu *pdu_out, uint32_t *fault_out);

/* Is it a command that 3.4 has? */
bool smpp_pdu_is_known(uint32_t command);

/* Appends the PDU to out; its slices must fit their fields.  A response with a status
 * other than OK is packed without a body (4.4.2, 4.1.2).  Returns 0, -EINVAL (a field too
 * long, or a command unknown) or -ENOBUFS (out is full; it is as it was but for the
 * overflow mark). */
int smpp_pdu_pack(const struct smpp_pdu *pdu, struct buf *out);

/* Takes the next optional parameter from *tlvs.  Returns false at the end. */
bool smpp_tlv_next(struct slice *tlvs, uint16_t *tag_out, struct slice *value_out);

/* The first one with that tag; false when there is none. */
bool smpp_tlv_find(struct slice tlvs, uint16_t tag, struct slice *value_out);

/* The first one with that tag and that many octets (1 to 4), as a number. */
bool smpp_tlv_number(struct slice tlvs, uint16_t tag, size_t octets, uint32_t *number_out);

/* Appends an optional parameter; more than 65,535 octets are overflow. */
void smpp_tlv_put(struct buf *out, uint16_t tag, struct slice value);
/* The number in so many octets (1 to 4), the highest first. */
void smpp_tlv_put_number(struct buf *out, uint16_t tag, size_t octets, uint32_t number);

/* The message itself: short_message, or message_payload where that is (5.3.2.32). */
struct slice smpp_pdu_message(const struct smpp_pdu *pdu);

/* Copies what is visible ASCII of a text that came, up to its NUL and as far as it fits into outsz
 * octets (at least 1, NUL included): ids and the like go into notes and lines of the log. */
void smpp_copy_visible(char *out, size_t outsz, struct slice from);

#endif
