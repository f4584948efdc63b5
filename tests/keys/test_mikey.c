#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/encode.h"
#include "keys/mikey.h"
#include "keys/period.h"
#include "tests/keys/party.h"

static const char alice[] = "tel:+447700900123";
static const char bob[] = "tel:+447700900456";
static const int64_t first_of_june = 1780272000; /* 2026-06-01 00:00:00 UTC */

/* Two users of one domain with the keys of May and June, one of another domain. */
struct world {
	struct realm realm, other, hashed;
	struct keyset *alice, *bob, *carol;
	int64_t may;
};

static int set_up(void **state)
{
	static struct world w; /* one for all tests of this program */

	realm_open(&w.realm, "Example");
	realm_open(&w.other, "Other");
	realm_open_hashed(&w.hashed, "Hashed", "kms.example.org");
	w.may = period_of(first_of_june - 1);
	w.alice = realm_enrol(&w.realm, alice, w.may, 2);
	w.bob = realm_enrol(&w.realm, bob, w.may, 2);
	w.carol = realm_enrol(&w.other, bob, w.may, 2);
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	keyset_free(&w->alice);
	keyset_free(&w->bob);
	keyset_free(&w->carol);
	realm_close(&w->realm);
	realm_close(&w->other);
	realm_close(&w->hashed);
	return 0;
}

/* A message and what is known on both sides of it. */
struct exchange {
	uint8_t octets[MIKEY_MAX];
	size_t len;
	uint8_t extension[MIKEY_EXTENSION];
	struct mikey_keys sent;
};

static void send_to(struct keyset *from, const struct domain *to_domain, const char *to,
		    int64_t time_ms, const struct mikey_options *options, struct exchange *x)
{
	struct period_keys *keys =
		keyset_hold(from, domain_period(keyset_domain(from), time_ms / 1000));
	struct mikey_draft *draft;

	assert_non_null(keys);
	memset(x->extension, 0xe7, sizeof(x->extension));
	assert_int_equal(
		mikey_begin(keys, to_domain, slice_str(to), time_ms, options, &x->sent, &draft), 0);
	period_keys_release(&keys);
	assert_int_equal(mikey_finish(&draft, x->extension, x->octets, &x->len), 0);
	assert_null(draft);
}

static const struct mikey_options two_streams = { .n_cs = 2 };

static void alice_calls_bob(struct world *w, int64_t time_ms, struct exchange *x)
{
	send_to(w->alice, w->realm.domain, bob, time_ms, &two_streams, x);
}

static struct mikey_expect expect_alice(struct world *w, int64_t now_s)
{
	return (struct mikey_expect){ slice_str(alice), w->realm.domain, now_s, MIKEY_CALL_WINDOW_S,
				      MIKEY_CALL_WINDOW_S };
}

static enum mikey_verdict verify(struct slice octets, const struct mikey_expect *expect,
				 struct keyset *own, int64_t period)
{
	struct period_keys *keys = keyset_hold(own, period);
	struct mikey_message m;
	enum mikey_verdict verdict = MIKEY_MALFORMED;

	assert_non_null(keys);
	if (mikey_parse(octets, &m) == 0)
		verdict = mikey_verify(&m, expect, keys);
	period_keys_release(&keys);
	return verdict;
}

static void assert_same_keys(const struct mikey_keys *a, const struct mikey_keys *b)
{
	assert_memory_equal(a->rand, b->rand, MIKEY_RAND);
	assert_memory_equal(a->tgk, b->tgk, MIKEY_TGK);
	assert_int_equal(a->csb_id, b->csb_id);
	assert_int_equal(a->prf, b->prf);
	assert_int_equal(a->n_cs, b->n_cs);
}

static void both_sides_have_the_same_keys(void **state)
{
	struct world *w = *state;
	int64_t now_ms = first_of_june * 1000 + 86400123;
	struct mikey_expect expect = expect_alice(w, now_ms / 1000);
	struct period_keys *own = keyset_hold(w->bob, w->may + 1);
	struct mikey_message m;
	struct mikey_keys got;
	struct exchange x;
	uint8_t a[32], b[32];

	alice_calls_bob(w, now_ms, &x);
	assert_int_equal(mikey_parse(slice_of(x.octets, x.len), &m), 0);
	assert_int_equal(mikey_time_ms(&m), now_ms - 1); /* the fraction is cut */
	assert_int_equal(mikey_time_s(&m), now_ms / 1000);
	assert_true(slice_eq_str(m.from, alice));
	assert_true(slice_eq_str(m.to, bob));
	assert_true(slice_eq_str(m.from_kms, domain_kms_uri(w->realm.domain)));
	assert_int_equal(m.id_scheme, 1);
	assert_int_equal(m.extension.n, MIKEY_EXTENSION);
	assert_memory_equal(m.extension.p, x.extension, MIKEY_EXTENSION);
	assert_int_equal(mikey_verify(&m, &expect, own), MIKEY_OK);
	assert_int_equal(mikey_decapsulate(&m, own, &got), MIKEY_OK);
	assert_same_keys(&got, &x.sent);
	assert_int_equal(mikey_prk(&got, a), 0);
	assert_int_equal(mikey_prk(&x.sent, b), 0);
	assert_memory_equal(a, b, sizeof(a));
	period_keys_release(&own);
}

static void the_octets_are_those_of_the_tables(void **state)
{
	struct world *w = *state;
	struct exchange x;
	const uint8_t *p = x.octets;
	size_t kms = strlen(domain_kms_uri(w->realm.domain));

	alice_calls_bob(w, first_of_june * 1000, &x);
	assert_memory_equal(p, "\x01\x1a\x05\x01", 4);
	assert_memory_equal(p + 8, "\x02\x00", 2);
	for (size_t i = 0; i < 18; i++) /* two SRTP-IDs: policy 0, SSRC 0, ROC 0 */
		assert_int_equal(p[10 + i], 0);
	p += 28;
	assert_memory_equal(p, "\x0b\x00\xed\xc7\x4a\x00\x00\x00\x00\x00", 10); /* T */
	assert_memory_equal(p + 10, "\x0e\x10", 2);                             /* RAND */
	assert_memory_equal(p + 12, x.sent.rand, 16);
	p += 28;
	assert_memory_equal(p, "\x0e\x01\x01\x00\x11tel:+447700900123", 22);
	assert_memory_equal(p + 22, "\x0e\x02\x01\x00\x11tel:+447700900456", 22);
	p += 44;
	assert_memory_equal(p, "\x0e\x06\x01\x00\x32", 5);
	assert_memory_equal(p + 5 + kms, "\x1a\x07\x01\x00\x32", 5);
	p += 2 * (5 + kms);
	assert_memory_equal(p, "\x15\x01\x01\x01\x11\x04", 6); /* SAKKE */
	p += 5 + 273;
	assert_memory_equal(p, "\x04\xff\x00\x20", 4); /* the extension */
	p += 36;
	assert_memory_equal(p, "\x20\x81", 2); /* SIGN */
	assert_int_equal(p + 2 + 129 - x.octets, x.len);
}

static void a_message_needs_no_session_and_no_extension(void **state)
{
	struct world *w = *state;
	struct period_keys *from = keyset_hold(w->alice, w->may + 1);
	struct mikey_expect expect = expect_alice(w, first_of_june);
	struct mikey_draft *draft;
	struct mikey_message m;
	struct exchange x;

	assert_int_equal(mikey_begin(from, w->realm.domain, slice_str(bob), first_of_june * 1000,
				     NULL, &x.sent, &draft),
			 0);
	assert_int_equal(mikey_finish(&draft, NULL, x.octets, &x.len), 0);
	assert_int_equal(verify(slice_of(x.octets, x.len), &expect, w->bob, w->may + 1), MIKEY_OK);
	assert_int_equal(mikey_parse(slice_of(x.octets, x.len), &m), 0);
	assert_int_equal(m.n_cs, 0);
	assert_int_equal(m.extension.n, 0);
	period_keys_release(&from);
}

/* The signature covers every octet before it; every one of them counts. */
static void any_changed_octet_is_refused(void **state)
{
	struct world *w = *state;
	struct mikey_expect expect = expect_alice(w, first_of_june);
	struct exchange x;

	alice_calls_bob(w, first_of_june * 1000, &x);
	for (size_t i = 0; i < x.len; i++) {
		x.octets[i] ^= 1;
		assert_int_not_equal(verify(slice_of(x.octets, x.len), &expect, w->bob, w->may + 1),
				     MIKEY_OK);
		x.octets[i] ^= 1;
	}
	assert_int_equal(verify(slice_of(x.octets, x.len), &expect, w->bob, w->may + 1), MIKEY_OK);
}

static void any_cut_or_lengthened_message_is_malformed(void **state)
{
	struct world *w = *state;
	struct mikey_message m;
	struct exchange x;

	alice_calls_bob(w, first_of_june * 1000, &x);
	for (size_t n = 0; n < x.len; n++)
		assert_int_equal(mikey_parse(slice_of(x.octets, n), &m), -EBADMSG);
	x.octets[x.len] = 0;
	assert_int_equal(mikey_parse(slice_of(x.octets, x.len + 1), &m), -EBADMSG);
}

/* A GENERIC-ID map and a policy, as 3GPP's clients send them (RFC 3830 6.1, 6.10). */
static void sessions_and_policies_of_others_are_passed_over(void **state)
{
	static const uint8_t map[] = { 1, 2,                        /* one session, GENERIC-ID */
				       4, 0,    1,    0,            /* CS ID, SRTP, one policy: 0 */
				       0, 0,                        /* no session data */
				       4, 0xaa, 0xbb, 0xcc, 0xdd }; /* SPI */
	static const uint8_t policy[] = { 26, 0, 0, 0, 3, 0, 1, 6 };
	struct world *w = *state;
	struct mikey_message m;
	struct exchange x;
	uint8_t octets[MIKEY_MAX];
	struct buf b = BUF_OF(octets);
	size_t identities = 44 + 2 * (5 + strlen(domain_kms_uri(w->realm.domain)));
	size_t last = 10 + 28 + identities - 5 - strlen(domain_kms_uri(w->realm.domain));

	send_to(w->alice, w->realm.domain, bob, first_of_june * 1000, NULL, &x);
	assert_int_equal(x.octets[last], 26); /* IDRkmsr is followed by SAKKE: now by SP */
	x.octets[last] = 10;
	buf_put(&b, x.octets, 8);
	buf_put(&b, map, sizeof(map));
	buf_put(&b, x.octets + 10, 28 + identities);
	buf_put(&b, policy, sizeof(policy));
	buf_put(&b, x.octets + 38 + identities, x.len - 38 - identities);
	assert_int_equal(mikey_parse(buf_slice(&b), &m), 0);
	assert_int_equal(m.n_cs, 1);
	assert_true(slice_eq_str(m.to, bob));
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(mikey_parse(slice_of(octets, n), &m), -EBADMSG);
}

/* Each length field one less and one more. */
static void every_length_is_checked(void **state)
{
	static const size_t from_start[] = { 8, 28 + 11, 28 + 28 + 4, 28 + 28 + 22 + 4 };
	struct world *w = *state;
	struct mikey_message m;
	struct exchange x;
	size_t kms = strlen(domain_kms_uri(w->realm.domain)), at[10], n = 0;

	alice_calls_bob(w, first_of_june * 1000, &x);
	for (; n < COUNT(from_start); n++)
		at[n] = from_start[n];
	at[n++] = 100 + 4;                            /* IDRkmsi */
	at[n++] = 100 + 5 + kms + 4;                  /* IDRkmsr */
	at[n++] = 100 + 2 * (5 + kms) + 4;            /* SAKKE */
	at[n++] = 100 + 2 * (5 + kms) + 278 + 3;      /* extension */
	at[n++] = 100 + 2 * (5 + kms) + 278 + 36 + 1; /* SIGN */
	for (size_t i = 0; i < n; i++) {
		x.octets[at[i]]--;
		assert_int_equal(mikey_parse(slice_of(x.octets, x.len), &m), -EBADMSG);
		x.octets[at[i]] = (uint8_t)(x.octets[at[i]] + 2);
		assert_int_equal(mikey_parse(slice_of(x.octets, x.len), &m), -EBADMSG);
		x.octets[at[i]]--;
	}
	assert_int_equal(mikey_parse(slice_of(x.octets, x.len), &m), 0);
}

static void who_it_is_from_and_for_must_be_as_expected(void **state)
{
	struct world *w = *state;
	struct mikey_expect expect = expect_alice(w, first_of_june);
	struct slice octets;
	struct exchange x;

	alice_calls_bob(w, first_of_june * 1000, &x);
	octets = slice_of(x.octets, x.len);
	assert_int_equal(verify(octets, &expect, w->bob, w->may), MIKEY_WRONG_PERIOD);
	assert_int_equal(verify(octets, &expect, w->alice, w->may + 1), MIKEY_WRONG_RECEIVER);
	assert_int_equal(verify(octets, &expect, w->carol, w->may + 1), MIKEY_WRONG_DOMAIN);
	expect.from = slice_str(bob);
	assert_int_equal(verify(octets, &expect, w->bob, w->may + 1), MIKEY_WRONG_SENDER);
	expect.from = slice_str("sip:nobody");
	assert_int_equal(verify(octets, &expect, w->bob, w->may + 1), MIKEY_WRONG_SENDER);
	expect = expect_alice(w, first_of_june);
	expect.from_domain = w->other.domain;
	assert_int_equal(verify(octets, &expect, w->bob, w->may + 1), MIKEY_WRONG_DOMAIN);
}

/* Bob signs a message in which he calls himself alice. */
static void a_forged_sender_is_found_by_the_signature(void **state)
{
	struct world *w = *state;
	struct mikey_expect expect = expect_alice(w, first_of_june);
	struct exchange x;

	send_to(w->bob, w->realm.domain, bob, first_of_june * 1000, NULL, &x);
	memcpy(x.octets + 10 + 28 + 5, alice, strlen(alice));
	assert_int_equal(verify(slice_of(x.octets, x.len), &expect, w->bob, w->may + 1),
			 MIKEY_BAD_SIGNATURE);
}

static void a_secret_sealed_to_another_does_not_open(void **state)
{
	struct world *w = *state;
	struct period_keys *own = keyset_hold(w->bob, w->may + 1);
	static const struct mikey_keys empty;
	struct mikey_message m;
	struct mikey_keys got;
	struct exchange x;

	send_to(w->alice, w->realm.domain, alice, first_of_june * 1000, NULL, &x);
	assert_int_equal(mikey_parse(slice_of(x.octets, x.len), &m), 0);
	assert_int_equal(mikey_decapsulate(&m, own, &got), MIKEY_BAD_SAKKE);
	assert_memory_equal(&got, &empty, sizeof(got));
	assert_int_equal(mikey_decapsulate_own(&m, own, &got), MIKEY_BAD_SAKKE); /* there is none */
	period_keys_release(&own);
}

/* "Accepted within five minutes ...; last month's keys open calls in the first five
 * minutes of day 1, next month's in the last five of the month." */
static void a_call_is_accepted_within_five_minutes(void **state)
{
	static const struct {
		int64_t sent, received;
		enum mikey_verdict want;
	} cases[] = {
		{ 0, 0, MIKEY_OK },         { 0, 300, MIKEY_OK },       { 0, 301, MIKEY_TOO_OLD },
		{ 0, -300, MIKEY_OK },      { 0, -301, MIKEY_TOO_NEW }, { -1, 299, MIKEY_OK },
		{ -1, 300, MIKEY_TOO_OLD }, { -200, 0, MIKEY_OK },
	};
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t sent = first_of_june + cases[i].sent;
		struct mikey_expect expect = expect_alice(w, first_of_june + cases[i].received);
		struct exchange x;

		alice_calls_bob(w, sent * 1000, &x);
		assert_int_equal(
			verify(slice_of(x.octets, x.len), &expect, w->bob, period_of(sent)),
			cases[i].want);
	}
}

static void a_draft_needs_the_periods_keys(void **state)
{
	struct world *w = *state;
	struct period_keys *may = keyset_hold(w->alice, w->may);
	struct mikey_draft *draft = NULL;
	struct mikey_keys keys;

	assert_int_equal(mikey_begin(may, w->realm.domain, slice_str(bob), first_of_june * 1000,
				     NULL, &keys, &draft),
			 -EINVAL);
	assert_int_equal(mikey_begin(may, w->realm.domain, slice_str("sip:bob"),
				     first_of_june * 1000 - 1, NULL, &keys, &draft),
			 -EINVAL);
	assert_null(draft);
	assert_int_equal(mikey_begin(may, w->realm.domain, slice_str(bob), first_of_june * 1000 - 1,
				     NULL, &keys, &draft),
			 0);
	mikey_draft_free(&draft);
	period_keys_release(&may);
}

static void a_call_crosses_domains(void **state)
{
	struct world *w = *state;
	struct mikey_expect expect = expect_alice(w, first_of_june);
	struct period_keys *own = keyset_hold(w->carol, w->may + 1);
	struct mikey_message m;
	struct mikey_keys got;
	struct exchange x;

	send_to(w->alice, w->other.domain, bob, first_of_june * 1000, &two_streams, &x);
	assert_int_equal(mikey_parse(slice_of(x.octets, x.len), &m), 0);
	assert_int_equal(mikey_verify(&m, &expect, own), MIKEY_OK);
	assert_int_equal(mikey_decapsulate(&m, own, &got), MIKEY_OK);
	assert_memory_equal(got.tgk, x.sent.tgk, MIKEY_TGK);
	assert_int_equal(verify(slice_of(x.octets, x.len), &expect, w->bob, w->may + 1),
			 MIKEY_WRONG_DOMAIN);
	period_keys_release(&own);
}

/* ID scheme 2: UIDs in the place of the URIs, periods of 30 days. */
static void hashed_identifiers_work_alike(void **state)
{
	struct world *w = *state;
	int64_t now = 1780000000, period = domain_period(w->hashed.domain, now);
	struct keyset *from = realm_enrol(&w->hashed, alice, period, 1);
	struct keyset *to = realm_enrol(&w->hashed, bob, period, 1);
	struct mikey_expect expect = { slice_str(alice), w->hashed.domain, now, 300, 300 };
	struct period_keys *own = keyset_hold(to, period);
	struct mikey_message m;
	struct mikey_keys got;
	struct exchange x;

	send_to(from, w->hashed.domain, bob, now * 1000, NULL, &x);
	assert_int_equal(mikey_parse(slice_of(x.octets, x.len), &m), 0);
	assert_true(m.from_hashed && m.to_hashed);
	assert_int_equal(m.to.n, IDENTITY_UID);
	assert_int_equal(m.id_scheme, 2);
	assert_int_equal(m.csb_id >> 28, 1); /* a private call's key */
	assert_int_equal(mikey_verify(&m, &expect, own), MIKEY_OK);
	assert_int_equal(mikey_decapsulate(&m, own, &got), MIKEY_OK);
	assert_same_keys(&got, &x.sent);
	expect.from = slice_str(bob);
	assert_int_equal(mikey_verify(&m, &expect, own), MIKEY_WRONG_SENDER);
	period_keys_release(&own);
	keyset_free(&from);
	keyset_free(&to);
}

static void the_sender_may_keep_a_copy_of_the_secret(void **state)
{
	static const struct mikey_options options = { .to_self = true };
	struct world *w = *state;
	struct mikey_expect expect = expect_alice(w, first_of_june);
	struct period_keys *own = keyset_hold(w->alice, w->may + 1);
	struct mikey_message m;
	struct mikey_keys got;
	struct exchange x;

	send_to(w->alice, w->realm.domain, bob, first_of_june * 1000, &options, &x);
	assert_int_equal(verify(slice_of(x.octets, x.len), &expect, w->bob, w->may + 1), MIKEY_OK);
	assert_int_equal(mikey_parse(slice_of(x.octets, x.len), &m), 0);
	assert_int_equal(mikey_verify_own(&m, &expect), MIKEY_OK);
	assert_int_equal(mikey_decapsulate_own(&m, own, &got), MIKEY_OK);
	assert_memory_equal(got.tgk, x.sent.tgk, MIKEY_TGK);
	period_keys_release(&own);
}

/* For receivers that drop leading zero octets; H lies before the extension. */
static void leading_zeros_can_be_avoided(void **state)
{
	static const struct mikey_options options = { .avoid_leading_zeros = true };
	struct world *w = *state;
	struct period_keys *own = keyset_hold(w->bob, w->may + 1);
	struct mikey_message m;
	struct mikey_keys got;

	for (unsigned i = 0; i < 8; i++) {
		struct exchange x;

		send_to(w->alice, w->realm.domain, bob, first_of_june * 1000, &options, &x);
		assert_int_equal(mikey_parse(slice_of(x.octets, x.len), &m), 0);
		assert_int_not_equal(m.sakke.p[257], 0);
		assert_int_equal(mikey_decapsulate(&m, own, &got), MIKEY_OK);
		assert_same_keys(&got, &x.sent);
	}
	period_keys_release(&own);
}

/* Made by the steps of RFC 3830 4.1.2 and 4.1.3 in another language. */
static void srtp_keys_follow_rfc_3830(void **state)
{
	static const struct {
		uint8_t prf, cs;
		const char *key, *salt;
	} cases[] = {
		{ 0, 1,
		  "3dd7870efea4607cfbe4d9ba3714779e230d1cc76f4aa60fbbea56b04908bc4d719f6aeb90776ca1"
		  "e8127852dc0dbafd",
		  "be443ab649e4da2f97df81485447" },
		{ 0, 2,
		  "e18d9f8ef7709bfcc4233f8f8c8c898a305b2014810646d5b71a98f8122a704dbafa890a6c7af7ab"
		  "674b7579594c7179",
		  "15aed6a81a4d3fee089b95b34c94" },
		{ 1, 1,
		  "2e21201831e691173c50e68b2d6cb6cdbadf94085cd5a0637dcb7219e8b3524ff3b6db7bca1cd04f"
		  "bd7de7541d347cfc",
		  "8cf5c3eeb07782885bc482e294bd" },
		{ 1, 2,
		  "828927c48233f879a2c3f2185cd360adabd622e4e04f8fdf0712d952f21cda50f2b0c02fb6d0cbef"
		  "d80a66c3f9de0a20",
		  "97dfab0a2d3f9823210044c68291" },
	};
	struct mikey_keys keys = { .csb_id = 0x01020304 };

	(void)state;
	for (size_t i = 0; i < 16; i++) {
		keys.rand[i] = (uint8_t)i;
		keys.tgk[i] = (uint8_t)(0xf0 + i);
	}
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t key[64], salt[14];
		char text[HEX_TEXT_SIZE(64)];

		keys.prf = cases[i].prf;
		assert_int_equal(mikey_srtp_keys(&keys, cases[i].cs, key, 48, salt, 14), 0);
		hex_encode(slice_of(key, 48), text);
		assert_string_equal(text, cases[i].key);
		hex_encode(slice_of(salt, 14), text);
		assert_string_equal(text, cases[i].salt);
	}
	assert_int_equal(mikey_srtp_keys(&keys, 1, NULL, 65, NULL, 0), -EINVAL);
}

/* Not more than one error reaches a peer. */
static void every_verdict_has_a_name_and_few_errors(void **state)
{
	(void)state;
	for (enum mikey_verdict v = MIKEY_OK; v <= MIKEY_NO_MEMORY; v++) {
		assert_null(strchr(mikey_verdict_name(v), ' '));
		assert_int_equal(mikey_error(v), v == MIKEY_OK          ? 0
						 : v == MIKEY_NO_MEMORY ? -ENOMEM
									: -EBADMSG);
	}
}

static void times_are_of_two_eras(void **state)
{
	(void)state;
	assert_int_equal(mikey_time_s(&(struct mikey_message){ .ntp = 2208988800ull << 32 }), 0);
	assert_int_equal(mikey_time_s(&(struct mikey_message){ .ntp = 0 }),
			 2085978496); /* 2036-02-07 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_have_the_same_keys),
		cmocka_unit_test(the_octets_are_those_of_the_tables),
		cmocka_unit_test(a_message_needs_no_session_and_no_extension),
		cmocka_unit_test(any_changed_octet_is_refused),
		cmocka_unit_test(any_cut_or_lengthened_message_is_malformed),
		cmocka_unit_test(sessions_and_policies_of_others_are_passed_over),
		cmocka_unit_test(every_length_is_checked),
		cmocka_unit_test(who_it_is_from_and_for_must_be_as_expected),
		cmocka_unit_test(a_forged_sender_is_found_by_the_signature),
		cmocka_unit_test(a_secret_sealed_to_another_does_not_open),
		cmocka_unit_test(a_call_is_accepted_within_five_minutes),
		cmocka_unit_test(a_draft_needs_the_periods_keys),
		cmocka_unit_test(a_call_crosses_domains),
		cmocka_unit_test(hashed_identifiers_work_alike),
		cmocka_unit_test(the_sender_may_keep_a_copy_of_the_secret),
		cmocka_unit_test(leading_zeros_can_be_avoided),
		cmocka_unit_test(srtp_keys_follow_rfc_3830),
		cmocka_unit_test(every_verdict_has_a_name_and_few_errors),
		cmocka_unit_test(times_are_of_two_eras),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
