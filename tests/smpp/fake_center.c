#include "tests/smpp/fake_center.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

enum { MAX_CONNECTIONS = 8 };

struct connection {
	struct fake_center *fake;
	struct bufferevent *bev; /* NULL: free */
	bool receives;
};

struct fake_center {
	struct event_base *base;
	struct evconnlistener *listener;
	struct connection connections[MAX_CONNECTIONS];
	struct fake_behaviour behaviour;
	struct fake_submit submits[FAKE_SUBMITS];
	size_t n_submits;
	unsigned seen, binds, answers, unbinds;
	uint32_t last_status, next_sequence, next_id;
	struct connection *unanswered; /* where the last submit without answer came from */
	uint32_t unanswered_sequence;
};

struct fake_behaviour *fake_behaviour(struct fake_center *fake)
{
	return &fake->behaviour;
}

size_t fake_submits(const struct fake_center *fake)
{
	return fake->n_submits;
}

const struct fake_submit *fake_submit(const struct fake_center *fake, size_t i)
{
	return &fake->submits[i];
}

unsigned fake_seen(const struct fake_center *fake)
{
	return fake->seen;
}

unsigned fake_binds(const struct fake_center *fake)
{
	return fake->binds;
}

unsigned fake_answers(const struct fake_center *fake, uint32_t *last_status_out)
{
	*last_status_out = fake->last_status;
	return fake->answers;
}

unsigned fake_unbinds(const struct fake_center *fake)
{
	return fake->unbinds;
}

static void put(struct connection *c, const struct smpp_pdu *pdu)
{
	static uint8_t room[SMPP_MAX_PDU + 1];
	struct buf b = BUF_OF(room);

	if (smpp_pdu_pack(pdu, &b))
		abort();
	bufferevent_write(c->bev, b.p, b.len);
}

static void respond(struct connection *c, const struct smpp_pdu *to, uint32_t status,
		    const char *id)
{
	const struct smpp_pdu pdu = { .command = to->command | SMPP_RESPONSE,
				      .status = status,
				      .sequence = to->sequence,
				      .message_id = slice_str(id),
				      .system_id = slice_str("FAKE") };

	put(c, &pdu);
}

void fake_send(struct fake_center *fake, struct smpp_pdu *pdu)
{
	for (int i = 0; i < MAX_CONNECTIONS; i++) {
		struct connection *c = &fake->connections[i];

		if (!c->bev || !c->receives)
			continue;
		pdu->sequence = ++fake->next_sequence;
		put(c, pdu);
		return;
	}
	abort();
}

static void close_connection(struct connection *c)
{
	if (c->bev)
		bufferevent_free(c->bev);
	c->bev = NULL;
}

void fake_drop(struct fake_center *fake)
{
	for (int i = 0; i < MAX_CONNECTIONS; i++)
		close_connection(&fake->connections[i]);
}

static void copy(char *out, size_t outsz, struct slice text)
{
	snprintf(out, outsz, "%.*s", (int)text.n, (const char *)text.p);
}

static void keep(struct fake_center *fake, const struct smpp_pdu *pdu)
{
	struct fake_submit *s = &fake->submits[fake->n_submits];
	struct slice message = smpp_pdu_message(pdu);

	if (fake->n_submits == FAKE_SUBMITS)
		abort();
	fake->n_submits++;
	s->n = message.n < FAKE_TEXT ? message.n : 0;
	memcpy(s->octets, message.p, s->n);
	s->payload = pdu->short_message.n ? 0 : message.n;
	s->esm_class = pdu->esm_class;
	s->coding = pdu->coding;
	s->registered = pdu->registered;
	s->ton = pdu->dest.ton;
	s->npi = pdu->dest.npi;
	copy(s->source, sizeof(s->source), pdu->source.addr);
	copy(s->dest, sizeof(s->dest), pdu->dest.addr);
	copy(s->validity, sizeof(s->validity), pdu->validity);
}

static void send_receipt(struct fake_center *fake, const struct smpp_pdu *submit, unsigned id)
{
	char text[160];
	struct smpp_pdu pdu = { .command = SMPP_DELIVER_SM,
				.esm_class = SMPP_ESM_RECEIPT,
				.source = submit->dest,
				.dest = submit->source };

	/* decimal with zeros here, hexadecimal in the response */
	snprintf(text, sizeof(text), "id:%010u sub:001 dlvrd:001 stat:DELIVRD err:000 text:", id);
	pdu.short_message = slice_str(text);
	fake_send(fake, &pdu);
}

static void take_submit(struct connection *c, const struct smpp_pdu *pdu)
{
	struct fake_center *fake = c->fake;
	struct fake_behaviour *b = &fake->behaviour;
	unsigned id = 0xA00 + ++fake->next_id;
	char text[16];

	fake->seen++;
	if (b->drop_after_submit) {
		b->drop_after_submit = false;
		close_connection(c);
		return;
	}
	if (b->garbage) {
		b->garbage = false;
		bufferevent_write(c->bev, "garbage, no PDU", 15);
		return;
	}
	if (b->silent) {
		fake->unanswered = c;
		fake->unanswered_sequence = pdu->sequence;
		return;
	}
	if (b->refuse || b->throttle) {
		respond(c, pdu, b->refuse ? b->refuse : SMPP_RTHROTTLED, "");
		b->throttle -= b->throttle > 0;
		return;
	}
	keep(fake, pdu);
	snprintf(text, sizeof(text), "%X", id);
	if (b->receipts_first && pdu->registered)
		send_receipt(fake, pdu, id);
	respond(c, pdu, SMPP_OK, text);
	if (b->receipts && pdu->registered)
		send_receipt(fake, pdu, id);
}

void fake_answer_late(struct fake_center *fake)
{
	const struct smpp_pdu submit = { .command = SMPP_SUBMIT_SM,
					 .sequence = fake->unanswered_sequence };

	respond(fake->unanswered, &submit, SMPP_OK, "A");
}

static void take_bind(struct connection *c, const struct smpp_pdu *pdu)
{
	uint32_t status = c->fake->behaviour.bind_status;

	c->fake->binds++;
	if (!status && !slice_eq_str(pdu->password, "s3cret"))
		status = SMPP_RINVPASWD;
	c->receives = !status && pdu->command != SMPP_BIND_TRANSMITTER;
	respond(c, pdu, status, "");
}

static void take_pdu(struct connection *c, const struct smpp_pdu *pdu)
{
	switch (pdu->command) {
	case SMPP_BIND_TRANSCEIVER:
	case SMPP_BIND_TRANSMITTER:
	case SMPP_BIND_RECEIVER:
		take_bind(c, pdu);
		break;
	case SMPP_SUBMIT_SM:
		take_submit(c, pdu);
		break;
	case SMPP_UNBIND:
		c->fake->unbinds++;
		respond(c, pdu, SMPP_OK, "");
		break;
	case SMPP_ENQUIRE_LINK:
		respond(c, pdu, SMPP_OK, "");
		break;
	case SMPP_DELIVER_SM | SMPP_RESPONSE:
		c->fake->answers++;
		c->fake->last_status = pdu->status;
		break;
	default:
		break;
	}
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct connection *c = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t n;

	while (c->bev) {
		struct slice octets = slice_of(evbuffer_pullup(in, -1), evbuffer_get_length(in));
		struct smpp_pdu pdu;

		if (smpp_pdu_frame(octets, &n) != 1)
			return;
		if (smpp_pdu_decode(slice_of(octets.p, n), &pdu, NULL))
			abort();
		take_pdu(c, &pdu);
		if (c->bev)
			evbuffer_drain(in, n);
	}
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		close_connection(arg);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
		      int n, void *arg)
{
	struct fake_center *fake = arg;
	struct connection *c = fake->connections;

	(void)listener;
	(void)from;
	(void)n;
	while (c->bev)
		c++;
	if (c == fake->connections + MAX_CONNECTIONS)
		abort();
	c->fake = fake;
	c->receives = false;
	c->bev = bufferevent_socket_new(fake->base, fd, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(c->bev, on_read, NULL, on_event, c);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

struct fake_center *fake_center_new(struct event_base *base, uint16_t *port_out)
{
	struct fake_center *fake = calloc(1, sizeof(*fake));
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof(addr);

	fake->base = base;
	fake->listener = evconnlistener_new_bind(base, on_accept, fake, LEV_OPT_CLOSE_ON_FREE, 16,
						 (struct sockaddr *)&addr, sizeof(addr));
	if (!fake->listener ||
	    getsockname(evconnlistener_get_fd(fake->listener), (struct sockaddr *)&addr, &n))
		abort();
	*port_out = ntohs(addr.sin_port);
	return fake;
}

void fake_center_free(struct fake_center **fakep)
{
	fake_drop(*fakep);
	evconnlistener_free((*fakep)->listener);
	free(*fakep);
	*fakep = NULL;
}
