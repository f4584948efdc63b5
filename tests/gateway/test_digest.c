#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/digest.h"

static int parse(const char *text, struct digest_challenge *c)
{
	return digest_parse(slice_str(text), c);
}

static const char *const rfc2617 = "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", "
				   "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
				   "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";

static const struct {
	const char *challenge, *user, *password, *uri, *cnonce, *response;
} vectors[] = {
	/* RFC 2617 section 3.5 */
	{ rfc2617, "Mufasa", "Circle Of Life", "/dir/index.html", "0a4f113b",
	  "6629fae49393a05397450978507c4ef1" },
	/* RFC 7616 section 3.9.1, whose two answers are these */
	{ "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=MD5, "
	  "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
	  "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
	  "Mufasa", "Circle of Life", "/dir/index.html",
	  "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "8ca523f5e9506fed4657c9700eebdbec" },
	{ "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=SHA-256, "
	  "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
	  "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
	  "Mufasa", "Circle of Life", "/dir/index.html",
	  "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
	  "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1" },
	/* RFC 2069: no qop; computed by md5sum from its rule */
	{ "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"",
	  "Mufasa", "CircleOfLife", "/dir/index.html", NULL, "1949323746fe6a43ef61f9606e7febea" },
};

/* CIG-027: a challenge is answered with the account's user and password. */
static void computes_the_rfcs_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct digest_account account = { vectors[i].user, vectors[i].password };
		struct digest_request request = { "GET", vectors[i].uri, vectors[i].cnonce, 1 };
		struct digest_challenge c;
		char out[DIGEST_TEXT_SIZE], want[128];

		assert_int_equal(parse(vectors[i].challenge, &c), 0);
		assert_int_equal(digest_answer(&c, &account, &request, out, sizeof(out)), 0);
		snprintf(want, sizeof(want), "response=\"%s\"", vectors[i].response);
		if (!strstr(out, want))
			fail_msg("vector %zu: %s", i, out);
	}
}

static void writes_a_whole_header_value(void **state)
{
	struct digest_account account = { "a\"b\\c", "x" };
	struct digest_request request = { "INVITE", "sip:1@h;transport=tcp", "00", 0x2a };
	struct digest_challenge c;
	char out[DIGEST_TEXT_SIZE];

	(void)state;
	assert_int_equal(parse("Digest realm=\"r \\\"q\\\"\",nonce=\"n\",opaque=\"\","
			       "algorithm=md5,qop=auth",
			       &c),
			 0);
	assert_string_equal(c.realm, "r \"q\"");
	assert_int_equal(digest_answer(&c, &account, &request, out, sizeof(out)), 0);
	assert_memory_equal(out,
			    "Digest username=\"a\\\"b\\\\c\", realm=\"r \\\"q\\\"\", nonce=\"n\", "
			    "uri=\"sip:1@h;transport=tcp\", response=\"",
			    strlen("Digest username=\"a\\\"b\\\\c\", realm=\"r \\\"q\\\"\", "
				   "nonce=\"n\", uri=\"sip:1@h;transport=tcp\", response=\""));
	assert_non_null(strstr(out, ", algorithm=MD5, opaque=\"\", qop=auth, nc=0000002a, "
				    "cnonce=\"00\""));
	assert_int_equal(digest_answer(&c, &account, &request, out, 40), -ENOBUFS);
	assert_string_equal(out, "");
}

static const struct {
	const char *text;
	int err;
	unsigned strength;
} challenges[] = {
	{ "Digest realm=\"r\", nonce=\"n\"", 0, 1 },
	{ "digest  realm=\"r\" ,nonce=\"n\" , , stale=TRUE, foo=bar", 0, 1 },
	{ "Digest realm=\"\", nonce=n", 0, 1 },
	{ "Digest realm=\"r\", nonce=\"n\", algorithm=sha-256, qop=\"auth\"", 0, 3 },
	{ "Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess, qop=\"auth\"", 0, 2 },
	{ "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256, qop=\"auth\"", 0, 0 },
	{ "Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"", 0, 0 },
	{ "Basic realm=\"r\"", -ENOTSUP, 0 },
	{ "", -EINVAL, 0 },
	{ "Digest", -EINVAL, 0 },
	{ "Digest realm=\"r\"", -EINVAL, 0 },
	{ "Digest nonce=\"n\"", -EINVAL, 0 },
	{ "Digest realm=\"r\", nonce=\"\"", -EINVAL, 0 },
	{ "Digest realm=\"r\", nonce=\"n", -EINVAL, 0 },
	{ "Digest realm=\"r\", nonce=\"n\\", -EINVAL, 0 },
	{ "Digest realm=\"r\", nonce=\"n\" stale", -EINVAL, 0 },
	{ "Digest realm=\"r\", nonce=\"n\", realm=\"s\"", -EINVAL, 0 },
	{ "Digest realm=\"r\", nonce=\"a\r\nb\"", -EINVAL, 0 },
	{ "Digest realm=\"r\", nonce=", -EINVAL, 0 },
	{ "Digest =\"r\"", -EINVAL, 0 },
};

static void reads_challenges_and_knows_which_it_can_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(challenges); i++) {
		struct digest_challenge c;

		if (parse(challenges[i].text, &c) != challenges[i].err)
			fail_msg("case %zu: %s", i, challenges[i].text);
		if (!challenges[i].err)
			assert_int_equal(digest_strength(&c), challenges[i].strength);
	}
}

static void refuses_values_that_do_not_fit(void **state)
{
	char text[DIGEST_VALUE_SIZE + 64], nonce[DIGEST_VALUE_SIZE + 1];
	struct digest_challenge c;

	(void)state;
	memset(nonce, 'n', DIGEST_VALUE_SIZE);
	nonce[DIGEST_VALUE_SIZE] = '\0';
	snprintf(text, sizeof(text), "Digest realm=\"r\", nonce=\"%s\"", nonce + 1);
	assert_int_equal(parse(text, &c), 0);
	snprintf(text, sizeof(text), "Digest realm=\"r\", nonce=\"%s\"", nonce);
	assert_int_equal(parse(text, &c), -E2BIG);
}

static int answer(struct digest_session *s, unsigned number, const struct digest_challenge *c,
		  size_t n, struct digest_headers *out)
{
	const struct digest_account account = { "u", "p" };
	const struct digest_asked asked = { c, n, number, "INVITE", "sip:1@h" };

	return digest_session_answer(s, &asked, &account, out);
}

static struct digest_challenge challenge(bool proxy, const char *algorithm, const char *nonce)
{
	struct digest_challenge c = { .proxy = proxy, .realm = "r", .qop = "auth" };

	snprintf(c.algorithm, sizeof(c.algorithm), "%s", algorithm);
	snprintf(c.nonce, sizeof(c.nonce), "%s", nonce);
	return c;
}

/* sofia-sip-traps.md S1: its own client answers neither of such a pair. */
static void takes_the_strongest_of_several_in_any_order(void **state)
{
	struct digest_challenge both[2] = { challenge(false, "MD5", "n"),
					    challenge(false, "SHA-256", "n") };
	struct digest_session s = { 0 };
	struct digest_headers a;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(answer(&s, 1, both, 2, &a), 0);
		assert_non_null(strstr(a.authorization, "algorithm=SHA-256"));
		assert_string_equal(a.proxy_authorization, "");
		both[0] = challenge(false, "SHA-256", "n");
		both[1] = challenge(false, "SHA-512-256", "n");
	}
	assert_int_equal(answer(&s, 1, &both[1], 1, &a), -ENOTSUP);
	assert_int_equal(answer(&s, 1, NULL, 0, &a), -ENOTSUP);
}

static void stops_after_two_rounds(void **state)
{
	struct digest_challenge first = challenge(false, "MD5", "1");
	struct digest_challenge second = challenge(false, "MD5", "2");
	struct digest_session s = { 0 };
	struct digest_headers a;

	(void)state;
	assert_int_equal(answer(&s, 1, &first, 1, &a), 0);
	assert_int_equal(answer(&s, 2, &second, 1, &a), 0);
	assert_int_equal(answer(&s, 3, &first, 1, &a), -EACCES);
	assert_string_equal(a.authorization, "");
	/* the next request of the dialog begins again */
	assert_int_equal(answer(&s, 1, &first, 1, &a), 0);
}

/* sofia-sip-traps.md S2: a new nonce resets the count, stale or not. */
static void counts_the_uses_of_each_nonce(void **state)
{
	struct digest_challenge c = challenge(false, "MD5", "1");
	struct digest_session s = { 0 };
	struct digest_headers a;

	(void)state;
	assert_int_equal(answer(&s, 1, &c, 1, &a), 0);
	assert_non_null(strstr(a.authorization, "nc=00000001"));
	assert_int_equal(answer(&s, 1, &c, 1, &a), 0);
	assert_non_null(strstr(a.authorization, "nc=00000002"));
	c = challenge(false, "MD5", "2");
	assert_int_equal(answer(&s, 1, &c, 1, &a), 0);
	assert_non_null(strstr(a.authorization, "nc=00000001"));
}

static void goes_on_answering_the_proxy_when_the_server_challenges(void **state)
{
	struct digest_challenge proxy = challenge(true, "MD5", "p");
	struct digest_challenge user = challenge(false, "MD5", "u");
	struct digest_session s = { 0 };
	struct digest_headers a;

	(void)state;
	assert_int_equal(answer(&s, 1, &proxy, 1, &a), 0);
	assert_string_equal(a.authorization, "");
	assert_int_equal(answer(&s, 2, &user, 1, &a), 0);
	assert_non_null(strstr(a.authorization, "nonce=\"u\""));
	assert_non_null(strstr(a.proxy_authorization, "nonce=\"p\""));
	assert_non_null(strstr(a.proxy_authorization, "nc=00000002"));
	digest_session_wipe(&s);
	assert_int_equal(s.user.nc, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(computes_the_rfcs_answers),
		cmocka_unit_test(writes_a_whole_header_value),
		cmocka_unit_test(reads_challenges_and_knows_which_it_can_answer),
		cmocka_unit_test(refuses_values_that_do_not_fit),
		cmocka_unit_test(takes_the_strongest_of_several_in_any_order),
		cmocka_unit_test(stops_after_two_rounds),
		cmocka_unit_test(counts_the_uses_of_each_nonce),
		cmocka_unit_test(goes_on_answering_the_proxy_when_the_server_challenges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
