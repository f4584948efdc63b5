#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include "media/stun.h"
#include "rendezvous/relay/table.h"

static const uint8_t session_id[RELAY_SESSION_ID_SIZE] = "sixteen octets!";

struct world {
	struct relay_table *table;
	const struct relay_session *session;
	struct net_addr caller, callee, stranger;
	int64_t now_ms;
};

static struct net_addr address(const char *ip, uint16_t port)
{
	struct net_addr a;

	assert_int_equal(net_parse(ip, port, &a), 0);
	return a;
}

static int set_up(void **state)
{
	static struct world w;

	w = (struct world){ .table = relay_table_new(3), .now_ms = 1000000 };
	w.caller = address("192.0.2.1", 4000);
	w.callee = address("192.0.2.2", 5000);
	w.stranger = address("198.51.100.9", 6000);
	assert_int_equal(
		relay_table_add(w.table, session_id, RELAY_RTP, 1, 2, w.now_ms, &w.session), 0);
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	relay_table_free(&w->table);
	return 0;
}

static size_t request(const struct relay_leg *leg, uint32_t ssrc, struct slice nonce, uint8_t *out)
{
	uint8_t transaction[STUN_TRANSACTION_SIZE] = "12345678";

	for (int i = 0; i < 4; i++)
		transaction[8 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
	return stun_build_request(transaction, slice_of(leg->id, sizeof(leg->id)), nonce,
				  slice_of(leg->key, sizeof(leg->key)), out, STUN_MAX_MESSAGE);
}

/* Sends a binding request; returns the answer's type, 0 when there was none. */
static unsigned bind_once(struct world *w, const struct relay_leg *leg, const struct net_addr *from,
			  struct slice nonce, struct stun_message *answer_out)
{
	uint8_t packet[STUN_MAX_MESSAGE];
	size_t n = request(leg, w->session->ssrc[0][leg->side].ssrc, nonce, packet);
	struct relay_output out;

	relay_table_packet(w->table, from, packet, n, w->now_ms, &out);
	if (!out.n)
		return 0;
	assert_true(net_equal(out.to[0], from));
	assert_int_equal(stun_parse(out.octets, answer_out), 0);
	assert_int_equal(stun_verify(answer_out, out.octets, slice_of(leg->key, sizeof(leg->key))),
			 0);
	if (answer_out->type == STUN_BINDING_ERROR)
		assert_true(out.octets.n <= n);
	return answer_out->type;
}

static void bind_leg(struct world *w, const struct relay_leg *leg, const struct net_addr *from)
{
	struct stun_message answer;

	assert_int_equal(bind_once(w, leg, from, slice_of(NULL, 0), &answer), STUN_BINDING_ERROR);
	assert_int_equal(answer.error_code, STUN_STALE_NONCE);
	assert_int_equal(bind_once(w, leg, from, answer.nonce, &answer), STUN_BINDING_SUCCESS);
	assert_true(net_equal(&answer.mapped, from));
}

/* Sends an RTP packet of n octets; returns to how many addresses it goes. */
static size_t send_rtp(struct world *w, enum relay_side side, const struct net_addr *from, size_t n,
		       struct relay_output *out)
{
	static uint8_t packet[RELAY_MAX_PACKET + 1];
	uint32_t ssrc = w->session->ssrc[0][side].ssrc;

	memset(packet, 0, sizeof(packet));
	packet[0] = 0x80;
	for (int i = 0; i < 4; i++)
		packet[8 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
	relay_table_packet(w->table, from, packet, n, w->now_ms, out);
	if (out->n)
		assert_ptr_equal(out->octets.p, packet);
	return out->n;
}

static void bound_parties_hear_each_other(void **state)
{
	struct world *w = *state;
	struct relay_output out;

	bind_leg(w, &w->session->initiator, &w->caller);
	assert_int_equal(send_rtp(w, RELAY_INITIATOR, &w->caller, 172, &out), 0);
	bind_leg(w, &w->session->responders[1], &w->callee);
	assert_int_equal(send_rtp(w, RELAY_INITIATOR, &w->caller, 172, &out), 1);
	assert_true(net_equal(out.to[0], &w->callee));
	assert_int_equal(out.octets.n, 172);
	assert_int_equal(send_rtp(w, RELAY_RESPONDER, &w->callee, 60, &out), 1);
	assert_true(net_equal(out.to[0], &w->caller));
	assert_int_equal(relay_session_nodes(w->session), 2);
	/* REL-007: received and sent are counted by type. */
	assert_int_equal(relay_table_stats(w->table)->type[RELAY_RTP].rx_packets, 3);
	assert_int_equal(relay_table_stats(w->table)->type[RELAY_RTP].tx_packets, 2);
	assert_int_equal(relay_table_stats(w->table)->type[RELAY_RTP].tx_bytes, 232);
	/* REL-008: the first one had nobody to go to. */
	assert_int_equal(relay_table_stats(w->table)->no_destination, 1);
}

static void strangers_are_dropped_without_an_answer(void **state)
{
	struct world *w = *state;
	struct relay_output out;

	bind_leg(w, &w->session->initiator, &w->caller);
	bind_leg(w, &w->session->responders[0], &w->callee);
	assert_int_equal(send_rtp(w, RELAY_INITIATOR, &w->stranger, 172, &out), 0);
	assert_int_equal(send_rtp(w, RELAY_RESPONDER, &w->caller, 172, &out), 0);
	assert_int_equal(relay_table_stats(w->table)->dropped_unbound, 2);
}

static void a_forged_binding_gets_no_answer(void **state)
{
	struct world *w = *state;
	struct relay_leg forged = w->session->initiator;
	struct stun_message answer;

	forged.key[0] ^= 1;
	assert_int_equal(bind_once(w, &forged, &w->stranger, slice_of(NULL, 0), &answer), 0);
	forged = w->session->initiator;
	forged.id[15] ^= 1;
	assert_int_equal(bind_once(w, &forged, &w->stranger, slice_of(NULL, 0), &answer), 0);
	assert_int_equal(relay_table_stats(w->table)->stun_bad, 2);
	assert_int_equal(relay_session_nodes(w->session), 0);
}

static void a_nonce_is_good_for_its_own_address_and_for_twenty_seconds(void **state)
{
	struct world *w = *state;
	const struct relay_leg *leg = &w->session->initiator;
	struct stun_message answer;
	char nonce[STUN_NONCE_SIZE];
	struct slice kept = slice_of(nonce, sizeof(nonce));

	assert_int_equal(bind_once(w, leg, &w->caller, slice_of(NULL, 0), &answer),
			 STUN_BINDING_ERROR);
	assert_int_equal(answer.nonce.n, sizeof(nonce));
	memcpy(nonce, answer.nonce.p, sizeof(nonce));
	assert_int_equal(bind_once(w, leg, &w->stranger, kept, &answer), STUN_BINDING_ERROR);
	w->now_ms += 20000;
	assert_int_equal(bind_once(w, leg, &w->caller, kept, &answer), STUN_BINDING_ERROR);
	w->now_ms -= 10000;
	assert_int_equal(bind_once(w, leg, &w->caller, kept, &answer), STUN_BINDING_SUCCESS);
	/* From the bound address a request refreshes without a nonce. */
	assert_int_equal(bind_once(w, leg, &w->caller, slice_of(NULL, 0), &answer),
			 STUN_BINDING_SUCCESS);
}

static void the_losers_legs_are_removed(void **state)
{
	struct world *w = *state;
	const struct relay_leg *kept = &w->session->responders[1];
	struct relay_output out;

	bind_leg(w, &w->session->responders[0], &w->stranger);
	bind_leg(w, kept, &w->callee);
	bind_leg(w, &w->session->initiator, &w->caller);
	assert_int_equal(send_rtp(w, RELAY_INITIATOR, &w->caller, 172, &out), 2);
	assert_int_equal(
		relay_table_keep_leg(w->table, session_id, slice_of(kept->id, sizeof(kept->id))),
		0);
	assert_int_equal(send_rtp(w, RELAY_INITIATOR, &w->caller, 172, &out), 1);
	assert_true(net_equal(out.to[0], &w->callee));
	assert_int_equal(send_rtp(w, RELAY_RESPONDER, &w->stranger, 172, &out), 0);
	assert_int_equal(relay_table_keep_leg(w->table, session_id, slice_str("another")), -ENOENT);
}

static void odd_lengths_are_counted(void **state)
{
	struct world *w = *state;
	struct relay_output out;

	bind_leg(w, &w->session->initiator, &w->caller);
	for (size_t n = 0; n < 12; n++)
		assert_int_equal(send_rtp(w, RELAY_INITIATOR, &w->caller, n, &out), 0);
	assert_int_equal(relay_table_stats(w->table)->too_short, 12);
	send_rtp(w, RELAY_INITIATOR, &w->caller, RELAY_MAX_PACKET + 1, &out);
	assert_int_equal(relay_table_stats(w->table)->too_long, 1);
}

static void a_bucket_grows_with_time_up_to_one_second(void **state)
{
	const struct relay_rate rate = { .packets_per_s = 100, .octets_per_s = 16000 };
	/* Each: how many packets of how many octets are asked for then, and how many pass. */
	static const struct {
		int64_t now_ms;
		size_t octets;
		int asked, pass;
	} rows[] = {
		{ 5000, 100, 200, 100 }, /* full at first */
		{ 5009, 100, 1, 0 },     /* 10 ms make a packet */
		{ 5010, 100, 2, 1 },
		{ 5000, 100, 1, 0 }, /* a clock that stands still or behind gives nothing */
		{ 5040, 100, 9, 3 },
		{ 600000, 100, 200, 100 }, /* not more after a longer silence */
		{ 601000, 2000, 20, 8 },   /* the octets end first */
		{ 601001, 17, 1, 0 },      /* 16 octets a millisecond */
		{ 601001, 16, 2, 1 },
	};
	struct relay_bucket bucket;

	(void)state;
	relay_bucket_fill(&bucket, &rate, 5000);
	for (size_t i = 0; i < COUNT(rows); i++) {
		int pass = 0;

		for (int k = 0; k < rows[i].asked; k++)
			pass += relay_bucket_take(&bucket, &rate, rows[i].octets, rows[i].now_ms);
		assert_int_equal(pass, rows[i].pass);
	}
}

static void a_bucket_without_a_cap_is_never_empty(void **state)
{
	static const struct relay_rate rates[] = { { 0, 0 }, { UINT32_MAX, UINT32_MAX } };
	struct relay_bucket bucket;

	(void)state;
	for (size_t i = 0; i < COUNT(rates); i++) {
		relay_bucket_fill(&bucket, &rates[i], 0);
		for (int k = 0; k < 100000; k++)
			assert_true(relay_bucket_take(&bucket, &rates[i], RELAY_MAX_PACKET, 0));
	}
}

/* Sends so many packets; returns how many pass, and counts who is told to be over its rate. */
static int burst(struct world *w, enum relay_side side, int n, int *told)
{
	const struct net_addr *from = side == RELAY_INITIATOR ? &w->caller : &w->callee;
	struct relay_output out;
	int pass = 0;

	while (n-- > 0) {
		pass += send_rtp(w, side, from, 172, &out) == 1;
		*told += out.capped == w->session;
	}
	return pass;
}

static void a_side_sends_no_more_than_its_session_may(void **state)
{
	const struct relay_rate rate = { .packets_per_s = 100, .octets_per_s = 100000 };
	const uint8_t id[RELAY_SESSION_ID_SIZE] = { 7 };
	struct world *w = *state;
	struct relay_output out;
	int told = 0;

	relay_table_set_rate(w->table, &rate);
	assert_int_equal(relay_table_add(w->table, id, RELAY_RTP, 1, 1, w->now_ms, &w->session), 0);
	bind_leg(w, &w->session->initiator, &w->caller);
	bind_leg(w, &w->session->responders[0], &w->callee);
	/* A stranger who knows the SSRC uses up nothing. */
	for (int i = 0; i < 300; i++)
		assert_int_equal(send_rtp(w, RELAY_INITIATOR, &w->stranger, 172, &out), 0);
	assert_int_equal(burst(w, RELAY_INITIATOR, 150, &told), 100);
	assert_int_equal(told, 1);
	assert_int_equal(relay_table_stats(w->table)->dropped_rate, 50);
	assert_int_equal(relay_table_stats(w->table)->type[RELAY_RTP].rx_packets, 100);
	/* The other side has its own, and both have more when time went by; nothing is told again.
	 */
	assert_int_equal(burst(w, RELAY_RESPONDER, 120, &told), 100);
	w->now_ms += 500;
	assert_int_equal(burst(w, RELAY_INITIATOR, 80, &told), 50);
	assert_int_equal(told, 1);
	assert_int_equal(relay_table_stats(w->table)->dropped_rate, 100);
	/* Bindings pass whatever is sent: a leg can always move. */
	bind_leg(w, &w->session->initiator, &w->stranger);
}

/* REL-015 */
static void idle_sessions_end_and_leave_nothing(void **state)
{
	struct world *w = *state;
	unsigned expired[RELAY_TYPE_COUNT] = { 0 };
	enum relay_type type;

	relay_table_expire(w->table, w->now_ms + RELAY_IDLE_LIMIT_S * 1000 - 1, expired);
	assert_int_equal(expired[RELAY_RTP], 0);
	relay_table_expire(w->table, w->now_ms + RELAY_IDLE_LIMIT_S * 1000, expired);
	assert_int_equal(expired[RELAY_RTP], 1);
	assert_null(relay_table_first(w->table));
	assert_int_equal(relay_table_remove(w->table, session_id, &type), -ENOENT);
}

/* A worker of crs died, and with it the calls for which it had asked. */
static void sessions_go_with_their_owner(void **state)
{
	struct world *w = *state;
	const uint8_t other[RELAY_SESSION_ID_SIZE] = { 1 };
	unsigned ended[RELAY_TYPE_COUNT] = { 0 };
	const struct relay_session *s;

	assert_int_equal(relay_table_add(w->table, other, RELAY_RTP, 1, 1, w->now_ms, &s), 0);
	relay_table_own(w->table, slice_of(session_id, sizeof(session_id)), 1);
	relay_table_own(w->table, slice_of(other, sizeof(other)), 2);
	relay_table_own(w->table, slice_str("unknown"), 1);
	relay_table_disown(w->table, 3, ended);
	assert_int_equal(ended[RELAY_RTP], 0);
	relay_table_disown(w->table, 1, ended);
	assert_int_equal(ended[RELAY_RTP], 1);
	assert_ptr_equal(relay_table_first(w->table), s);
	relay_table_disown(w->table, 2, ended);
	assert_int_equal(ended[RELAY_RTP], 2);
	assert_null(relay_table_first(w->table));
}

/* An id may only be random, but who chose one that is in use must not end its call by leaving. */
static void a_refused_add_does_not_take_the_session_over(void **state)
{
	struct world *w = *state;
	const struct slice id = slice_of(session_id, sizeof(session_id));
	unsigned ended[RELAY_TYPE_COUNT] = { 0 };
	const struct relay_session *s;

	relay_table_own(w->table, id, 1);
	assert_int_equal(relay_table_add(w->table, session_id, RELAY_RTP, 1, 1, 0, &s), -EEXIST);
	relay_table_own(w->table, id, 2);
	relay_table_disown(w->table, 2, ended);
	assert_int_equal(ended[RELAY_RTP], 0);
	relay_table_disown(w->table, 1, ended);
	assert_int_equal(ended[RELAY_RTP], 1);
}

static void sessions_are_refused_with_a_reason(void **state)
{
	struct world *w = *state;
	const struct relay_session *s;
	uint8_t other[RELAY_SESSION_ID_SIZE] = { 1 };

	assert_int_equal(relay_table_add(w->table, session_id, RELAY_RTP, 1, 1, 0, &s), -EEXIST);
	assert_int_equal(relay_table_add(w->table, other, RELAY_RTP, 0, 1, 0, &s), -EINVAL);
	assert_int_equal(relay_table_add(w->table, other, RELAY_RTP, 9, 1, 0, &s), -EINVAL);
	assert_int_equal(relay_table_add(w->table, other, RELAY_RTP, 1, 33, 0, &s), -EINVAL);
	assert_int_equal(relay_table_add(w->table, other, RELAY_RTP, 8, 32, 0, &s), 0);
	for (size_t i = 0; i < 8; i++)
		for (int side = 0; side < 2; side++)
			assert_int_equal(s->ssrc[i][side].ssrc & 0xff, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bound_parties_hear_each_other, set_up, tear_down),
		cmocka_unit_test_setup_teardown(strangers_are_dropped_without_an_answer, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_forged_binding_gets_no_answer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_nonce_is_good_for_its_own_address_and_for_twenty_seconds, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(the_losers_legs_are_removed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(odd_lengths_are_counted, set_up, tear_down),
		cmocka_unit_test(a_bucket_grows_with_time_up_to_one_second),
		cmocka_unit_test(a_bucket_without_a_cap_is_never_empty),
		cmocka_unit_test_setup_teardown(a_side_sends_no_more_than_its_session_may, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(idle_sessions_end_and_leave_nothing, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(sessions_go_with_their_owner, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_refused_add_does_not_take_the_session_over,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(sessions_are_refused_with_a_reason, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
