/* session.c - the session towards a message center: life, submits and time.
 *
 *     OPEN --connected()--> BINDING --bind_resp--> BOUND --unbind()--> UNBINDING
 *     any of them --a time-out, the peer's unbind, broken octets, lost()--> CLOSED
 *
 * A sequence number finds its slot by its low bits, so a response needs no search.
 */
#include "smpp/session_priv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	DEFAULT_WINDOW = 10,
	MAX_WINDOW = 1000,
	DEFAULT_ENQUIRE_MS = 30000,
	DEFAULT_RESPONSE_MS = 10000,
	FIRST_SEQUENCE = 1,
	LAST_SEQUENCE = 0x7FFFFFFF, /* 3.2: then again from 1 */
	SHORT_OUT = 1024,           /* a PDU without payload is packed on the stack */
	MAX_ODD = 16,               /* what is told of one connection; the rest is like it */
};

/* ---- events ---------------------------------------------------------------------- */

void session_tell(struct smpp_session *s, const struct smpp_session_event *event)
{
	s->ops->event(s->arg, event);
}

void session_tell_odd(struct smpp_session *s, const char *fmt, ...)
{
	char text[160];
	va_list ap;

	if (s->odd++ >= MAX_ODD)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	session_tell(s, &(struct smpp_session_event){ .kind = SMPP_ODD, .text = text });
}

/* In the order of their sequence, so that the owner may put them back as they were. */
static void tell_unanswered(struct smpp_session *s)
{
	for (uint32_t sequence = s->oldest; s->outstanding && sequence != s->next_sequence;
	     sequence = sequence == LAST_SEQUENCE ? FIRST_SEQUENCE : sequence + 1) {
		struct slot *slot = &s->slots[sequence & s->mask];

		if (slot->sequence != sequence)
			continue;
		slot->sequence = 0;
		s->outstanding--;
		session_tell(s, &(struct smpp_session_event){ .kind = SMPP_UNANSWERED,
							      .token = slot->token });
	}
}

void session_end(struct smpp_session *s, enum smpp_end reason, uint32_t status, const char *text)
{
	if (s->state == SMPP_CLOSED)
		return;
	/* Before anything is told: a callback that submits hears -ENOTCONN. */
	s->state = SMPP_CLOSED;
	tell_unanswered(s);
	session_tell(
		s, &(struct smpp_session_event){
			   .kind = SMPP_ENDED, .reason = reason, .status = status, .text = text });
}

/* ---- sending --------------------------------------------------------------------- */

static uint32_t take_sequence(struct smpp_session *s)
{
	uint32_t sequence = s->next_sequence;

	s->next_sequence = sequence == LAST_SEQUENCE ? FIRST_SEQUENCE : sequence + 1;
	return sequence;
}

static int send_pdu(struct smpp_session *s, const struct smpp_pdu *pdu)
{
	uint8_t brief[SHORT_OUT], *room = brief;
	size_t size = sizeof(brief);
	struct buf out;
	int err;

	/* Only a message_payload makes a PDU long. */
	if (pdu->tlvs.n > SHORT_OUT / 2) {
		size = pdu->tlvs.n + SHORT_OUT;
		room = malloc(size);
		if (!room)
			return -ENOMEM;
	}
	out = buf_over(room, size);
	err = smpp_pdu_pack(pdu, &out);
	if (!err)
		s->ops->send(s->arg, buf_slice(&out));
	if (room != brief)
		free(room);
	return err;
}

void session_respond(struct smpp_session *s, uint32_t command, uint32_t sequence, uint32_t status)
{
	const struct smpp_pdu pdu = { .command = command | SMPP_RESPONSE,
				      .status = status,
				      .sequence = sequence };

	send_pdu(s, &pdu); /* has nothing that could be too long */
}

/* A request of ours that is no submit; there is one at a time. */
static void send_control(struct smpp_session *s, struct smpp_pdu *pdu, int64_t now_ms)
{
	pdu->sequence = take_sequence(s);
	s->control_sequence = pdu->sequence;
	s->control_ms = now_ms;
	send_pdu(s, pdu);
}

void smpp_session_answer(struct smpp_session *session, uint32_t command, uint32_t sequence,
			 uint32_t status)
{
	if (session->state == SMPP_BOUND || session->state == SMPP_UNBINDING)
		session_respond(session, command, sequence, status);
}

/* ---- life ------------------------------------------------------------------------ */

/* Returns false if it would be cut. */
static bool keep(char *to, size_t size, const char *text)
{
	return snprintf(to, size, "%s", text ? text : "") < (int)size;
}

static unsigned or_default(unsigned value, unsigned standard)
{
	return value ? value : standard;
}

int smpp_session_new(const struct smpp_session_options *options, const struct smpp_session_ops *ops,
		     void *arg, struct smpp_session **session_out)
{
	struct smpp_session *s = calloc(1, sizeof(*s));
	uint32_t slots = 16;

	if (!s)
		return -ENOMEM;
	s->options = *options;
	s->options.window = or_default(options->window, DEFAULT_WINDOW);
	s->options.enquire_ms = or_default(options->enquire_ms, DEFAULT_ENQUIRE_MS);
	s->options.response_ms = or_default(options->response_ms, DEFAULT_RESPONSE_MS);
	if (s->options.window > MAX_WINDOW ||
	    !keep(s->system_id, sizeof(s->system_id), options->system_id) ||
	    !keep(s->password, sizeof(s->password), options->password) ||
	    !keep(s->system_type, sizeof(s->system_type), options->system_type) ||
	    !keep(s->range, sizeof(s->range), options->address_range)) {
		smpp_session_free(&s);
		return -EINVAL;
	}
	/* A slot that is still open stops submits (window_allows), so there are more than the
	 * window. */
	while (slots < 4 * s->options.window)
		slots *= 2;
	s->slots = calloc(slots, sizeof(*s->slots));
	if (!s->slots) {
		smpp_session_free(&s);
		return -ENOMEM;
	}
	s->mask = slots - 1;
	s->next_sequence = s->oldest = FIRST_SEQUENCE;
	s->ops = ops;
	s->arg = arg;
	*session_out = s;
	return 0;
}

void smpp_session_free(struct smpp_session **sessionp)
{
	struct smpp_session *s = *sessionp;

	if (!s)
		return;
	*sessionp = NULL;
	explicit_bzero(s->password, sizeof(s->password));
	free(s->slots);
	free(s->partial);
	free(s);
}

uint32_t session_bind_command(const struct smpp_session *s)
{
	static const uint32_t commands[] = {
		[SMPP_TRANSCEIVER] = SMPP_BIND_TRANSCEIVER,
		[SMPP_TRANSMITTER] = SMPP_BIND_TRANSMITTER,
		[SMPP_RECEIVER] = SMPP_BIND_RECEIVER,
	};

	return commands[s->options.role];
}

void smpp_session_connected(struct smpp_session *session, int64_t now_ms)
{
	const struct smpp_session_options *o = &session->options;
	struct smpp_pdu bind = { .command = session_bind_command(session),
				 .system_id = slice_str(session->system_id),
				 .password = slice_str(session->password),
				 .system_type = slice_str(session->system_type),
				 .interface_version = SMPP_INTERFACE_VERSION,
				 .range = { o->range_ton, o->range_npi,
					    slice_str(session->range) } };

	session->state = SMPP_BINDING;
	session->heard_ms = now_ms;
	session->credit_us = now_ms * 1000;
	send_control(session, &bind, now_ms);
}

void smpp_session_lost(struct smpp_session *session, const char *text)
{
	session_end(session, SMPP_END_LOST, 0, text);
}

void smpp_session_unbind(struct smpp_session *session, int64_t now_ms)
{
	struct smpp_pdu unbind = { .command = SMPP_UNBIND };

	if (session->state != SMPP_BOUND) {
		session_end(session, SMPP_END_UNBOUND, 0, "not bound");
		return;
	}
	session->state = SMPP_UNBINDING;
	send_control(session, &unbind, now_ms);
}

enum smpp_session_state smpp_session_state(const struct smpp_session *session)
{
	return session->state;
}

unsigned smpp_session_outstanding(const struct smpp_session *session)
{
	return session->outstanding;
}

/* ---- submits --------------------------------------------------------------------- */

/* The rate is a credit in time: each submit costs 1/rate s, and at most a tenth of a second
 * may be saved up.  All in microseconds, so that rates above 1,000 a second work. */
static bool rate_allows(const struct smpp_session *s, int64_t now_ms)
{
	return !s->options.rate_per_s || s->credit_us <= now_ms * 1000;
}

static void use_rate(struct smpp_session *s, int64_t now_ms)
{
	int64_t earliest = now_ms * 1000 - 100000;

	if (!s->options.rate_per_s)
		return;
	if (s->credit_us < earliest)
		s->credit_us = earliest;
	s->credit_us += 1000000 / s->options.rate_per_s;
}

static bool window_allows(const struct smpp_session *s)
{
	return s->outstanding < s->options.window && !s->slots[s->next_sequence & s->mask].sequence;
}

static void advance_oldest(struct smpp_session *s)
{
	while (s->oldest != s->next_sequence && s->slots[s->oldest & s->mask].sequence != s->oldest)
		s->oldest = s->oldest == LAST_SEQUENCE ? FIRST_SEQUENCE : s->oldest + 1;
}

int smpp_session_submit(struct smpp_session *session, const struct smpp_pdu *pdu, uint64_t token,
			int64_t now_ms)
{
	struct smpp_pdu submit = *pdu;
	struct slot *slot;
	int err;

	if (session->state != SMPP_BOUND || session->options.role == SMPP_RECEIVER)
		return -ENOTCONN;
	if (!window_allows(session) || !rate_allows(session, now_ms)) {
		session->wants_room = true;
		return -EAGAIN;
	}
	submit.command = SMPP_SUBMIT_SM;
	submit.status = 0;
	submit.sequence = session->next_sequence;
	err = send_pdu(session, &submit);
	if (err)
		return err;
	slot = &session->slots[submit.sequence & session->mask];
	/* Only a submit that was packed uses up a sequence number and its slot. */
	*slot = (struct slot){ token, now_ms, take_sequence(session) };
	session->outstanding++;
	use_rate(session, now_ms);
	advance_oldest(session);
	return 0;
}

void session_offer_room(struct smpp_session *s, int64_t now_ms)
{
	if (!s->wants_room || s->state != SMPP_BOUND || !window_allows(s) ||
	    !rate_allows(s, now_ms))
		return;
	s->wants_room = false;
	session_tell(s, &(struct smpp_session_event){ .kind = SMPP_ROOM });
}

bool session_take_answer(struct smpp_session *s, const struct smpp_pdu *pdu)
{
	struct slot *slot = &s->slots[pdu->sequence & s->mask];
	struct smpp_session_event event = { .kind = SMPP_ANSWERED, .status = pdu->status };

	if (!pdu->sequence || slot->sequence != pdu->sequence)
		return false;
	event.token = slot->token;
	event.id = pdu->message_id;
	slot->sequence = 0;
	s->outstanding--;
	advance_oldest(s);
	session_tell(s, &event);
	return true;
}

/* ---- time ------------------------------------------------------------------------ */

/* The oldest submit's time-out, or -1. */
static int64_t submit_due(const struct smpp_session *s)
{
	if (!s->outstanding)
		return -1;
	/* Submits are in the order of their sequence, so the oldest is due first. */
	return s->slots[s->oldest & s->mask].sent_ms + s->options.response_ms;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < 0 ? b : b < 0 || a < b ? a : b;
}

int64_t smpp_session_due_ms(const struct smpp_session *session)
{
	int64_t due = submit_due(session);

	if (session->state == SMPP_CLOSED || session->state == SMPP_OPEN)
		return -1;
	if (session->control_sequence)
		due = earlier(due, session->control_ms + session->options.response_ms);
	else if (session->state == SMPP_BOUND)
		due = earlier(due, session->heard_ms + session->options.enquire_ms);
	if (session->wants_room && session->options.rate_per_s && window_allows(session))
		due = earlier(due, (session->credit_us + 999) / 1000);
	return due;
}

static const char *waits_for(const struct smpp_session *s)
{
	return s->state == SMPP_BINDING     ? "no response to the bind"
	       : s->state == SMPP_UNBINDING ? "no response to unbind"
					    : "no response to enquire_link";
}

void smpp_session_tick(struct smpp_session *session, int64_t now_ms)
{
	struct smpp_pdu enquire = { .command = SMPP_ENQUIRE_LINK };
	const struct smpp_session_options *o = &session->options;
	int64_t submits;

	if (session->state == SMPP_CLOSED || session->state == SMPP_OPEN)
		return;
	if (session->control_sequence && now_ms - session->control_ms >= o->response_ms) {
		session_end(session, SMPP_END_TIMEOUT, 0, waits_for(session));
		return;
	}
	submits = submit_due(session);
	if (submits >= 0 && now_ms >= submits) {
		session_end(session, SMPP_END_TIMEOUT, 0, "no response to submit_sm");
		return;
	}
	if (session->state == SMPP_BOUND && !session->control_sequence &&
	    now_ms - session->heard_ms >= o->enquire_ms)
		send_control(session, &enquire, now_ms);
	session_offer_room(session, now_ms);
}
