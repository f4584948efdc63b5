/* fake_center.h - a message center for tests, on the event loop of whoever uses it.
 *
 * It answers binds (password "s3cret"), submits and enquire_link as its fields say, and
 * keeps what was submitted.
 */
#ifndef TESTS_SMPP_FAKE_CENTER_H
#define TESTS_SMPP_FAKE_CENTER_H

#include "smpp/pdu.h"

struct event_base;
struct fake_center;

enum { FAKE_SUBMITS = 4096, FAKE_TEXT = 300 };

struct fake_submit {
	uint8_t octets[FAKE_TEXT]; /* short_message */
	size_t n;
	size_t payload; /* octets of message_payload */
	uint8_t esm_class, coding, registered, ton, npi;
	char source[SMPP_ADDRESS_SIZE], dest[SMPP_ADDRESS_SIZE], validity[17];
};

struct fake_behaviour {
	uint32_t bind_status;
	bool silent;            /* submits are not answered */
	bool drop_after_submit; /* the connection is closed at the first submit; once */
	unsigned throttle;      /* so many submits are throttled */
	uint32_t refuse;        /* status of all submits */
	bool receipts;          /* a receipt for each submit that asks, behind its response */
	bool receipts_first;    /* before it */
	bool garbage;           /* answers the first submit with octets that are no PDU; once */
};

/* Listens on a free port of 127.0.0.1. */
struct fake_center *fake_center_new(struct event_base *base, uint16_t *port_out);
void fake_center_free(struct fake_center **fakep);

struct fake_behaviour *fake_behaviour(struct fake_center *fake);

/* What was submitted and answered with ESME_ROK, in the order of arrival. */
size_t fake_submits(const struct fake_center *fake);
const struct fake_submit *fake_submit(const struct fake_center *fake, size_t i);

/* All submits, whatever the answer; binds; status of the last deliver_sm_resp and how many
 * there were; unbinds. */
unsigned fake_seen(const struct fake_center *fake);
unsigned fake_binds(const struct fake_center *fake);
unsigned fake_answers(const struct fake_center *fake, uint32_t *last_status_out);
unsigned fake_unbinds(const struct fake_center *fake);

/* Takes the last submit that was left without an answer (silent), late. */
void fake_answer_late(struct fake_center *fake);

/* Sends a PDU on the connection that can receive; its sequence is set here. */
void fake_send(struct fake_center *fake, struct smpp_pdu *pdu);

/* Closes all connections; it goes on listening. */
void fake_drop(struct fake_center *fake);

#endif
