/* fuzz_relay_packet.c - datagrams from anywhere to crs-relay, between requests of crs.
 *
 * Input: steps of an octet that chooses what, and what that needs:
 *   0    a datagram as it is: address, length (2 octets), octets
 *   1    a binding request under a leg's own key: address, leg; with its nonce, if the
 *        relay asks for one
 *   2    a datagram that carries a stream's SSRC: address, stream and side, length, octets
 *   3    time passes: seconds
 *   4    a request of crs: length (2 octets), octets
 *   5    crs adds a session, keeps one leg of it, or removes it
 * Whatever comes: no challenge is longer than its request, and media go to bound
 * addresses only.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "media/stun.h"
#include "rendezvous/relay/requests.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ADDRESSES = 8, SESSIONS = 3, LANE = 3 };

struct world {
	struct relay_table *table;
	struct net_addr address[ADDRESSES];
	const struct relay_session *session[SESSIONS]; /* or NULL */
	int64_t now_ms;
};

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void session_id(unsigned i, uint8_t id[RELAY_SESSION_ID_SIZE])
{
	memset(id, 'a' + (int)i, RELAY_SESSION_ID_SIZE);
}

/* Is there still a session that this one of ours was? */
static const struct relay_session *alive(const struct world *w, unsigned i)
{
	const struct relay_session *s = relay_table_first(w->table);
	uint8_t id[RELAY_SESSION_ID_SIZE];

	session_id(i, id);
	while (s && memcmp(s->id, id, sizeof(id)) != 0)
		s = s->next;
	return s;
}

static bool is_bound_somewhere(const struct world *w, const struct net_addr *to)
{
	for (const struct relay_session *s = relay_table_first(w->table); s; s = s->next) {
		if (net_equal(&s->initiator.bound, to))
			return true;
		for (size_t i = 0; i < s->n_responders; i++)
			if (s->responders[i].session && net_equal(&s->responders[i].bound, to))
				return true;
	}
	return false;
}

static bool is_success(struct slice octets)
{
	struct stun_message m;

	return stun_parse(octets, &m) == 0 && m.type == STUN_BINDING_SUCCESS;
}

/* Returns what the relay said when it was an answer. */
static struct slice hand_in(struct world *w, const struct net_addr *from, struct slice octets)
{
	uint8_t packet[RELAY_MAX_PACKET + 1];
	struct relay_output out = { 0 };
	size_t n = octets.n < sizeof(packet) ? octets.n : sizeof(packet);
	bool media;

	if (n)
		memcpy(packet, octets.p, n);
	relay_table_packet(w->table, from, packet, n, w->now_ms, &out);
	expect(out.n <= RELAY_MAX_RESPONDERS);
	if (out.n == 0)
		return slice_of(NULL, 0);
	media = out.octets.p == packet;
	/* Nobody who has not shown that the address is his is flooded by our answers. */
	expect(out.octets.n <= n || is_success(out.octets));
	for (size_t i = 0; i < out.n; i++) {
		if (media)
			expect(is_bound_somewhere(w, out.to[i]));
		else
			expect(out.n == 1 && net_equal(out.to[i], from));
	}
	return media ? slice_of(NULL, 0) : out.octets;
}

static size_t binding(const struct relay_leg *leg, uint32_t ssrc, struct slice nonce, uint8_t *out)
{
	uint8_t transaction[STUN_TRANSACTION_SIZE] = "12345678";

	for (int i = 0; i < 4; i++)
		transaction[8 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
	return stun_build_request(transaction, slice_of(leg->id, sizeof(leg->id)), nonce,
				  slice_of(leg->key, sizeof(leg->key)), out, STUN_MAX_MESSAGE);
}

/* A true party: it binds, and answers the challenge. */
static void bind_leg(struct world *w, const struct net_addr *from, unsigned which)
{
	const struct relay_session *s = alive(w, which % SESSIONS);
	uint8_t request[STUN_MAX_MESSAGE], answer[STUN_MAX_MESSAGE];
	const struct relay_leg *leg;
	struct stun_message m;
	struct slice said;
	uint32_t ssrc;

	if (!s)
		return;
	leg = &s->initiator;
	if (which & 4)
		leg = &s->responders[(which >> 3) % s->n_responders];
	if (!leg->session)
		return;
	ssrc = s->ssrc[0][leg->side].ssrc;
	said = hand_in(w, from, slice_of(request, binding(leg, ssrc, slice_of(NULL, 0), request)));
	if (said.n == 0)
		return;
	memcpy(answer, said.p, said.n);
	expect(stun_parse(slice_of(answer, said.n), &m) == 0);
	if (m.type == STUN_BINDING_ERROR)
		said = hand_in(w, from, slice_of(request, binding(leg, ssrc, m.nonce, request)));
	expect(said.n > 0);
}

static void send_media(struct world *w, const struct net_addr *from, unsigned which,
		       struct slice octets)
{
	const struct relay_session *s = alive(w, which % SESSIONS);
	uint8_t packet[512];
	size_t n = octets.n < sizeof(packet) ? octets.n : sizeof(packet);
	uint32_t ssrc;

	if (!s || n < 12)
		return;
	memcpy(packet, octets.p, n);
	ssrc = s->ssrc[0][which >> 7 & 1].ssrc;
	/* RTP and opaque packets have it behind 8 octets, RTCP behind 4 (RFC 3550 5.1, 6.4) */
	for (int i = 0; i < 4; i++)
		packet[(which & 64 ? 4 : 8) + i] = (uint8_t)(ssrc >> (24 - 8 * i));
	hand_in(w, from, slice_of(packet, n));
}

static void on_reply(void *arg, struct slice reply, bool more)
{
	CrsRelay__Reply *read = crs_relay__reply__unpack(NULL, reply.n, reply.p);

	(void)arg;
	(void)more;
	expect(read != NULL && reply.n <= RELAY_MAX_REPLY);
	crs_relay__reply__free_unpacked(read, NULL);
}

static void run_request(struct world *w, struct slice octets)
{
	unsigned ended[RELAY_TYPE_COUNT] = { 0 };
	CrsRelay__Request *request;

	if (octets.n > RELAY_MAX_REQUEST)
		return;
	request = crs_relay__request__unpack(NULL, octets.n, octets.p);
	if (!request)
		return;
	switch (request->body_case) { /* the others never come so far */
	case CRS_RELAY__REQUEST__BODY_ADD:
	case CRS_RELAY__REQUEST__BODY_KEEP_LEG:
	case CRS_RELAY__REQUEST__BODY_REMOVE:
	case CRS_RELAY__REQUEST__BODY_GET_STATISTICS:
	case CRS_RELAY__REQUEST__BODY_LIST_RELAYS:
		relay_request_run(w->table, request, 146, w->now_ms, ended, on_reply, NULL);
		break;
	default:
		break;
	}
	crs_relay__request__free_unpacked(request, NULL);
}

static void change_session(struct world *w, unsigned how)
{
	unsigned i = how % SESSIONS;
	const struct relay_session *s = alive(w, i);
	uint8_t id[RELAY_SESSION_ID_SIZE];
	enum relay_type type;

	session_id(i, id);
	if (!s)
		relay_table_add(w->table, id, (enum relay_type)(how >> 2 & 3), 1 + (how >> 4 & 1),
				1 + (how >> 5), w->now_ms, &s);
	else if (how & 4)
		relay_table_keep_leg(w->table, id,
				     slice_of(s->responders[(how >> 3) % s->n_responders].id,
					      RELAY_LEG_ID_SIZE));
	else
		expect(relay_table_remove(w->table, id, &type) == 0);
}

static void step(struct world *w, struct cursor *c)
{
	uint8_t what = cursor_u8(c), which = cursor_u8(c);
	const struct net_addr *from = &w->address[what >> 4 & (ADDRESSES - 1)];
	unsigned expired[RELAY_TYPE_COUNT] = { 0 };

	switch (what & 7) {
	case 0:
		hand_in(w, from, cursor_take(c, (size_t)which << 3 | what >> 7));
		break;
	case 1:
		bind_leg(w, from, which);
		break;
	case 2:
		send_media(w, from, which, cursor_take(c, cursor_u8(c)));
		break;
	case 3:
		w->now_ms += which * 1000;
		relay_table_expire(w->table, w->now_ms, expired);
		break;
	case 4:
		run_request(w, cursor_take(c, which));
		break;
	default:
		change_session(w, which);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const text[ADDRESSES] = {
		"192.0.2.1:1000", "192.0.2.1:1001",    "192.0.2.2:1000",     "[2001:db8::1]:9",
		"192.0.2.3:146",  "[2001:db8::2]:146", "198.51.100.9:40000", "203.0.113.5:5",
	};
	struct cursor c = cursor_of(slice_of(data, size));
	struct world w = { .table = relay_table_new(LANE), .now_ms = 1000000 };

	expect(w.table != NULL);
	for (int i = 0; i < ADDRESSES; i++)
		expect(net_parse(text[i], 0, &w.address[i]) == 0);
	for (int i = 0; i < 400 && c.left > 0 && cursor_ok(&c); i++)
		step(&w, &c);
	relay_table_free(&w.table);
	return 0;
}
