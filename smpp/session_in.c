/* session_in.c - what a message center sends: octets to PDUs, and each PDU to its place. */
#include "smpp/session_priv.h"

#include <errno.h>
#include <stdlib.h>

/* ---- what comes ------------------------------------------------------------------ */

/* Some centers answer a bind with another sequence number: its command tells enough. */
static void take_bind_answer(struct smpp_session *s, const struct smpp_pdu *pdu)
{
	char number[SMPP_STATUS_TEXT];

	if (s->state != SMPP_BINDING) {
		session_tell_odd(s, "a bind response without a bind");
		return;
	}
	s->control_sequence = 0;
	if (pdu->status != SMPP_OK) {
		session_end(s, SMPP_END_REFUSED, pdu->status,
			    smpp_status_name(pdu->status, number));
		return;
	}
	s->state = SMPP_BOUND;
	session_tell(s, &(struct smpp_session_event){ .kind = SMPP_IS_BOUND });
}

/* A generic_nack answers whatever has its sequence (4.3.1). */
static void take_nack(struct smpp_session *s, const struct smpp_pdu *pdu)
{
	char number[SMPP_STATUS_TEXT];
	const char *name = smpp_status_name(pdu->status, number);

	if (s->state == SMPP_BINDING && pdu->sequence == s->control_sequence)
		session_end(s, SMPP_END_REFUSED, pdu->status, name);
	else if (pdu->sequence && pdu->sequence == s->control_sequence)
		s->control_sequence = 0; /* an enquire_link that was heard, at least */
	else if (!session_take_answer(s, pdu))
		session_tell_odd(s, "generic_nack %s to nothing that was asked (sequence %u)", name,
				 pdu->sequence);
}

static void take_response(struct smpp_session *s, const struct smpp_pdu *pdu)
{
	uint32_t request = pdu->command & ~SMPP_RESPONSE;

	if (pdu->command == SMPP_GENERIC_NACK) {
		take_nack(s, pdu);
	} else if (request == session_bind_command(s)) {
		take_bind_answer(s, pdu);
	} else if (request == SMPP_UNBIND && s->state == SMPP_UNBINDING) {
		session_end(s, SMPP_END_UNBOUND, 0, "unbound");
	} else if (request == SMPP_ENQUIRE_LINK) {
		if (pdu->sequence == s->control_sequence)
			s->control_sequence = 0;
	} else if (request != SMPP_SUBMIT_SM || !session_take_answer(s, pdu)) {
		session_tell_odd(s, "response 0x%08X to nothing that was asked (sequence %u)",
				 pdu->command, pdu->sequence);
	}
}

static void take_delivery(struct smpp_session *s, const struct smpp_pdu *pdu)
{
	if (s->state != SMPP_BOUND || s->options.role == SMPP_TRANSMITTER) {
		session_respond(s, pdu->command, pdu->sequence, SMPP_RINVBNDSTS);
		return;
	}
	session_tell(s, &(struct smpp_session_event){ .kind = SMPP_DELIVERED, .pdu = pdu });
}

static void take_request(struct smpp_session *s, const struct smpp_pdu *pdu)
{
	switch (pdu->command) {
	case SMPP_DELIVER_SM:
	case SMPP_DATA_SM:
		take_delivery(s, pdu);
		break;
	case SMPP_ENQUIRE_LINK:
		session_respond(s, SMPP_ENQUIRE_LINK, pdu->sequence, SMPP_OK);
		break;
	case SMPP_UNBIND:
		session_respond(s, SMPP_UNBIND, pdu->sequence, SMPP_OK);
		session_end(s, SMPP_END_BY_PEER, 0, "the center unbinds");
		break;
	case SMPP_ALERT_NOTIFICATION: /* has no response (4.12) */
	case SMPP_OUTBIND:            /* we bind by ourselves */
		break;
	default: /* what an ESME asks, or what 3.4 does not have */
		session_tell_odd(s, "command 0x%08X", pdu->command);
		session_respond(s, SMPP_GENERIC_NACK, pdu->sequence, SMPP_RINVCMDID);
		break;
	}
}

/* A response is never answered, whatever it is like; a request is, with what is wrong. */
static void take_malformed(struct smpp_session *s, const struct smpp_pdu *pdu, uint32_t fault)
{
	char number[SMPP_STATUS_TEXT];

	session_tell_odd(s, "command 0x%08X is malformed: %s", pdu->command,
			 smpp_status_name(fault, number));
	if (pdu->command & SMPP_RESPONSE)
		take_response(s, pdu); /* status and sequence are there */
	else if (pdu->command != SMPP_ALERT_NOTIFICATION && pdu->command != SMPP_OUTBIND)
		session_respond(s, pdu->command, pdu->sequence, fault);
}

static void take_pdu(struct smpp_session *s, struct slice octets)
{
	struct smpp_pdu pdu;
	uint32_t fault;

	if (smpp_pdu_decode(octets, &pdu, &fault))
		take_malformed(s, &pdu, fault);
	else if (pdu.command & SMPP_RESPONSE)
		take_response(s, &pdu);
	else
		take_request(s, &pdu);
}

/* Takes all whole PDUs from the front of octets and returns how many octets they were. */
static size_t take_whole(struct smpp_session *s, struct slice octets)
{
	size_t taken = 0, n;

	while (s->state != SMPP_CLOSED && s->state != SMPP_OPEN) {
		struct slice rest = slice_from(octets, taken);
		int found = smpp_pdu_frame(rest, &n);

		if (found < 0) {
			/* Sequence 0: which PDU it was cannot be said (4.3.1). */
			session_respond(s, SMPP_GENERIC_NACK, 0, SMPP_RINVCMDLEN);
			session_end(s, SMPP_END_BROKEN, 0,
				    found == -EMSGSIZE ? "a PDU longer than is taken"
						       : "a command_length below 16");
			return octets.n;
		}
		if (found == 0)
			break;
		take_pdu(s, slice_of(rest.p, n));
		taken += n;
	}
	return taken;
}

/* Keeps what is no whole PDU yet; it is less than SMPP_MAX_PDU. */
static bool keep_partial(struct smpp_session *s, struct slice octets)
{
	if (s->n_partial + octets.n > s->room_partial) {
		size_t room = (s->n_partial + octets.n) * 2;
		uint8_t *bigger = realloc(s->partial, room);

		if (!bigger)
			return false;
		s->partial = bigger;
		s->room_partial = room;
	}
	if (octets.n)
		memcpy(s->partial + s->n_partial, octets.p, octets.n);
	s->n_partial += octets.n;
	return true;
}

void smpp_session_input(struct smpp_session *session, struct slice octets, int64_t now_ms)
{
	size_t taken;

	session->heard_ms = now_ms;
	/* The usual case: whole PDUs, taken where they lie. */
	if (session->n_partial == 0) {
		taken = take_whole(session, octets);
		octets = slice_from(octets, taken);
	}
	if (!keep_partial(session, octets)) {
		session_end(session, SMPP_END_MEMORY, 0, "out of memory");
		return;
	}
	if (session->n_partial) {
		taken = take_whole(session, slice_of(session->partial, session->n_partial));
		session->n_partial -= taken;
		memmove(session->partial, session->partial + taken, session->n_partial);
	}
	session_offer_room(session, now_ms);
}
