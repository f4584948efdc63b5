/* What proves a PBX's password, and what does not. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/digest_check.h"

static const uint8_t key[DIGEST_KEY_SIZE] = { 1 }, other_key[DIGEST_KEY_SIZE] = { 2 };
static const struct digest_account account = { "pbx", "s3cret" };
enum { NOW = 1000000 };

/* The answer of a client that knows that password to challenge i. */
static const char *answer(size_t i, const char *password, const char *method,
			  char out[DIGEST_TEXT_SIZE])
{
	const struct digest_account client = { "pbx", password };
	const struct digest_request request = { method, "sip:1@gw", NULL, 1 };
	char asked[DIGEST_ASKED][DIGEST_TEXT_SIZE];
	struct digest_challenge challenge;

	assert_int_equal(digest_ask(key, "tandem", "10.0.0.1", NOW, false, asked), 0);
	assert_int_equal(digest_parse(slice_str(asked[i]), &challenge), 0);
	assert_int_equal(digest_answer(&challenge, &client, &request, out, DIGEST_TEXT_SIZE), 0);
	return out;
}

static int check(const uint8_t *k, const char *source, int64_t now_s, const char *value)
{
	return digest_check(k, "tandem", source, now_s, &account, "INVITE", value);
}

static void the_password_is_proved_by_either_hash(void **state)
{
	char text[DIGEST_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < DIGEST_ASKED; i++)
		assert_int_equal(
			check(key, "10.0.0.1", NOW + 5, answer(i, "s3cret", "INVITE", text)), 0);
}

static void nothing_else_proves_it(void **state)
{
	char text[DIGEST_TEXT_SIZE], *at;

	(void)state;
	assert_int_equal(check(key, "10.0.0.1", NOW, answer(0, "guess", "INVITE", text)), -EACCES);
	assert_int_equal(check(key, "10.0.0.1", NOW, answer(0, "s3cret", "BYE", text)), -EACCES);
	answer(0, "s3cret", "INVITE", text);
	assert_int_equal(check(key, "10.0.0.2", NOW, text), -EACCES);       /* another host */
	assert_int_equal(check(other_key, "10.0.0.1", NOW, text), -EACCES); /* not our nonce */
	assert_int_equal(check(key, "10.0.0.1", NOW + 61, text), -ESTALE);
	assert_int_equal(check(key, "10.0.0.1", NOW - 1, text), -ESTALE);
	at = strstr(text, "username=\"pbx");
	at[10] = 'q';
	assert_int_equal(check(key, "10.0.0.1", NOW, text), -EACCES);
}

static const char *const malformed[] = {
	"",
	"Basic cGJ4OnMzY3JldA==",
	"Digest",
	"Digest username=\"pbx\"",
	"Digest username=\"pbx\", realm=\"tandem\", nonce=\"x\", uri=\"u\", response=\"\"",
	"Digest username=\"pbx\", realm=\"tandem\", nonce=\"x\", uri=\"u\", response=\"a\", "
	"qop=auth",
	"Digest username=\"pbx\", realm=\"tandem\", nonce=\"x\", uri=\"u\", response=\"a\", "
	"qop=auth, "
	"nc=1, cnonce=\"c\"",
	"Digest username=\"pbx\", realm=\"tandem\", nonce=\"x\", uri=\"u\", response=\"a\", "
	"qop=auth, "
	"nc=0000000g, cnonce=\"c\"",
	"Digest username=\"pbx, realm=\"tandem\"",
};

static void malformed_answers_prove_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++)
		assert_int_equal(check(key, "10.0.0.1", NOW, malformed[i]), -EACCES);
}

/* Without qop an answer could be used again for another request. */
static void an_answer_without_qop_proves_nothing(void **state)
{
	const struct digest_request request = { "INVITE", "sip:1@gw", NULL, 1 };
	char asked[DIGEST_ASKED][DIGEST_TEXT_SIZE], text[DIGEST_TEXT_SIZE];
	struct digest_challenge challenge;

	(void)state;
	assert_int_equal(digest_ask(key, "tandem", "10.0.0.1", NOW, true, asked), 0);
	assert_non_null(strstr(asked[0], "stale=true"));
	assert_int_equal(digest_parse(slice_str(asked[0]), &challenge), 0);
	challenge.qop[0] = '\0';
	assert_int_equal(digest_answer(&challenge, &account, &request, text, sizeof(text)), 0);
	assert_int_equal(check(key, "10.0.0.1", NOW, text), -EACCES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_password_is_proved_by_either_hash),
		cmocka_unit_test(nothing_else_proves_it),
		cmocka_unit_test(malformed_answers_prove_nothing),
		cmocka_unit_test(an_answer_without_qop_proves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
