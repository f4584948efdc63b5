#include "tests/unit.h"

#include <errno.h>

#include "media/stun_client.h"

static const struct slice leg_id = { (const uint8_t *)"leg-0123456789ab", 16 };
static const struct slice key = { (const uint8_t *)"sixteen octets k", 16 };

struct wire {
	uint8_t octets[STUN_MAX_MESSAGE];
	size_t n;
	struct stun_message m;
};

/* Polls; returns whether a request came, parsed and verified. */
static bool asks(struct stun_client *client, int64_t now, struct wire *wire)
{
	int n = stun_client_poll(client, now, wire->octets, sizeof(wire->octets));
	struct slice packet = slice_of(wire->octets, (size_t)n);

	assert_true(n >= 0);
	if (n == 0)
		return false;
	wire->n = (size_t)n;
	assert_int_equal(stun_parse(packet, &wire->m), 0);
	assert_int_equal(stun_verify(&wire->m, packet, key), 0);
	assert_true(slice_eq(wire->m.username, leg_id));
	assert_int_equal(stun_packet_ssrc(packet), 0x11223344);
	return true;
}

static int answers(struct stun_client *client, int64_t now, const struct wire *wire,
		   struct slice with_key)
{
	uint8_t p[STUN_MAX_MESSAGE];
	struct net_addr mapped;
	size_t n;

	assert_int_equal(net_parse("198.51.100.9:40000", 0, &mapped), 0);
	n = stun_build_success(wire->m.transaction, &mapped, with_key, p, sizeof(p));
	return stun_client_receive(client, slice_of(p, n), now);
}

static void start(struct stun_client *client)
{
	assert_int_equal(stun_client_init(client, leg_id, key, 0x11223344, 1000), 0);
}

static void a_request_is_repeated_ever_more_slowly_until_it_is_answered(void **state)
{
	static const int64_t sent_at[] = { 1000, 1200, 1600, 2400, 3400, 4400 };
	struct stun_client client;
	struct wire first, wire;
	size_t sent = 0;

	(void)state;
	start(&client);
	for (int64_t now = 1000; now <= 4400; now += 20) {
		if (!asks(&client, now, sent ? &wire : &first))
			continue;
		assert_int_equal(now, sent_at[sent]);
		if (sent++)
			assert_memory_equal(wire.m.transaction, first.m.transaction, 12);
	}
	assert_int_equal(sent, COUNT(sent_at));
	assert_false(client.bound);
	assert_int_equal(answers(&client, 4420, &wire, key), 1);
	assert_true(client.bound);
	assert_int_equal(net_port(&client.mapped), 40000);
}

static void a_stale_nonce_is_answered_at_once_in_a_new_transaction(void **state)
{
	struct stun_client client;
	struct wire first, second;
	uint8_t p[STUN_MAX_MESSAGE];
	size_t n;

	(void)state;
	start(&client);
	assert_true(asks(&client, 1000, &first));
	n = stun_build_error(first.m.transaction, STUN_STALE_NONCE, slice_str("noncenon"), key, p,
			     sizeof(p));
	assert_int_equal(stun_client_receive(&client, slice_of(p, n), 1010), 1);
	assert_true(asks(&client, 1010, &second));
	assert_true(slice_eq_str(second.m.nonce, "noncenon"));
	assert_memory_not_equal(second.m.transaction, first.m.transaction, 12);
	assert_int_equal(answers(&client, 1020, &second, key), 1);
	assert_true(client.bound);
}

/* As of a relay that is broken: each request is refused as the one before. */
static void nonces_without_end_are_answered_no_faster_than_silence(void **state)
{
	struct stun_client client;
	struct wire wire;
	uint8_t p[STUN_MAX_MESSAGE];
	unsigned sent = 0;
	size_t n;

	(void)state;
	start(&client);
	for (int64_t now = 1000; now < 11000; now += 20) {
		if (!asks(&client, now, &wire))
			continue;
		sent++;
		n = stun_build_error(wire.m.transaction, STUN_STALE_NONCE, slice_str("noncenon"),
				     key, p, sizeof(p));
		assert_int_equal(stun_client_receive(&client, slice_of(p, n), now), 1);
	}
	assert_in_range(sent, 10, 10 + STUN_CLIENT_NONCES);
	/* A new network is no fault of the relay's: its first nonce counts at once. */
	stun_client_rebind(&client, 11000);
	assert_true(asks(&client, 11000, &wire));
	n = stun_build_error(wire.m.transaction, STUN_STALE_NONCE, slice_str("noncenon"), key, p,
			     sizeof(p));
	assert_int_equal(stun_client_receive(&client, slice_of(p, n), 11010), 1);
	assert_true(asks(&client, 11010, &wire));
	assert_int_equal(answers(&client, 11020, &wire, key), 1);
	assert_true(client.bound);
}

static void a_binding_is_refreshed_every_five_seconds(void **state)
{
	struct stun_client client;
	struct wire wire;
	int64_t next = 0;

	(void)state;
	start(&client);
	assert_true(asks(&client, 1000, &wire));
	assert_int_equal(answers(&client, 1000, &wire, key), 1);
	for (int64_t now = 1020; now < 20000 && !next; now += 20) {
		stun_client_heard(&client, now);
		if (asks(&client, now, &wire))
			next = now;
	}
	assert_int_equal(next, 6000);
}

static void silence_of_a_second_asks_at_once_and_so_does_a_new_network(void **state)
{
	struct stun_client client;
	struct wire wire;

	(void)state;
	start(&client);
	assert_true(asks(&client, 1000, &wire));
	assert_int_equal(answers(&client, 1000, &wire, key), 1);
	stun_client_heard(&client, 1500);
	assert_false(asks(&client, 2480, &wire));
	assert_true(asks(&client, 2500, &wire));
	assert_int_equal(answers(&client, 2510, &wire, key), 1);
	assert_false(asks(&client, 2600, &wire));
	stun_client_rebind(&client, 2620);
	assert_true(asks(&client, 2620, &wire));
}

static void answers_that_are_forged_or_old_bind_nothing(void **state)
{
	struct stun_client client;
	struct wire wire, other;

	(void)state;
	start(&client);
	assert_true(asks(&client, 1000, &wire));
	assert_int_equal(answers(&client, 1010, &wire, slice_str("another key")), -EACCES);
	other = wire;
	other.m.transaction[0] ^= 1;
	assert_int_equal(answers(&client, 1010, &other, key), 0);
	assert_int_equal(stun_client_receive(&client, slice_of(wire.octets, wire.n), 1010), 0);
	assert_int_equal(stun_client_receive(&client, slice_of(wire.octets, 7), 1010), -EBADMSG);
	assert_false(client.bound);
	assert_int_equal(answers(&client, 1020, &wire, key), 1);
	assert_int_equal(answers(&client, 1020, &wire, key), 0);
}

static void leg_ids_and_keys_have_limits(void **state)
{
	static const uint8_t octets[65];
	struct stun_client client;
	static const struct {
		size_t leg_id, key;
		int want;
	} cases[] = { { 1, 1, 0 },         { 64, 64, 0 },      { 0, 16, -EINVAL },
		      { 65, 16, -EINVAL }, { 16, 0, -EINVAL }, { 16, 65, -EINVAL } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(stun_client_init(&client, slice_of(octets, cases[i].leg_id),
						  slice_of(octets, cases[i].key), 1, 0),
				 cases[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_repeated_ever_more_slowly_until_it_is_answered),
		cmocka_unit_test(a_stale_nonce_is_answered_at_once_in_a_new_transaction),
		cmocka_unit_test(nonces_without_end_are_answered_no_faster_than_silence),
		cmocka_unit_test(a_binding_is_refreshed_every_five_seconds),
		cmocka_unit_test(silence_of_a_second_asks_at_once_and_so_does_a_new_network),
		cmocka_unit_test(answers_that_are_forged_or_old_bind_nothing),
		cmocka_unit_test(leg_ids_and_keys_have_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
