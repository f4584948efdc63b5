/* Who a request of the PBX's side is from, and whether it must prove it. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "gateway/pbx_door.h"
#include "tests/fuzz/fake_clock.h"

static const struct cig_account account = { .name = "acc", .user = "pbx", .password = "s3cret" };

static struct pbx_request a_request(void)
{
	return (struct pbx_request){ .method = "INVITE",
				     .source = "192.0.2.1",
				     .from_uri = "sip:101@pbx" };
}

/* RFC 3325 8: anybody can write an asserted identity. */
static void an_asserted_identity_counts_from_whom_the_block_trusts(void **state)
{
	static char tel[] = "tel:+4670", sip[] = "SIP:202@pbx", second[] = "sip:303@pbx";
	static char *const both[] = { tel, sip, second }, *const one[] = { tel };
	const struct cig_pbx trusted = { .asserted_identity = true }, other = { .name = "b" };
	struct pbx_request request = a_request();

	(void)state;
	request.asserted_uris = both;
	request.n_asserted_uris = 3;
	assert_string_equal(pbx_door_identity(NULL, &request), "sip:101@pbx");
	assert_string_equal(pbx_door_identity(&other, &request), "sip:101@pbx");
	assert_string_equal(pbx_door_identity(&trusted, &request), "SIP:202@pbx");
	request.asserted_uris = one;
	request.n_asserted_uris = 1; /* no SIP URI: From it is */
	assert_string_equal(pbx_door_identity(&trusted, &request), "sip:101@pbx");
	request.asserted_uris = both;
	request.n_asserted_uris = 3;
	request.anonymous = true;
	assert_string_equal(pbx_door_identity(&trusted, &request),
			    "sip:anonymous@anonymous.invalid");
	assert_string_equal(pbx_door_identity(&other, &request), "sip:101@pbx");
}

static char logged[512];

static void on_line(void *arg, enum log_type type, const char *module, const char *text)
{
	(void)arg;
	(void)type;
	(void)module;
	snprintf(logged, sizeof(logged), "%s", text);
}

static void who_need_not_prove_anything_is_let_in(void **state)
{
	const struct cig_pbx without = { .name = "pbx" };
	const struct pbx_request request = a_request();
	char challenges[DIGEST_ASKED][DIGEST_TEXT_SIZE];
	struct pbx_door door;

	(void)state;
	assert_int_equal(pbx_door_init(&door), 0);
	assert_int_equal(pbx_door_check(&door, NULL, &request, challenges), 0);
	assert_int_equal(pbx_door_check(&door, &without, &request, challenges), 0);
}

static void answer(const char *asked, const char *password, char out[DIGEST_TEXT_SIZE])
{
	const struct digest_account client = { "pbx", password };
	const struct digest_request request = { "INVITE", "sip:1@gw", NULL, 1 };
	struct digest_challenge challenge;

	assert_int_equal(digest_parse(slice_str(asked), &challenge), 0);
	assert_int_equal(digest_answer(&challenge, &client, &request, out, DIGEST_TEXT_SIZE), 0);
}

static void a_pbx_that_must_proves_itself_by_one_right_answer(void **state)
{
	const struct cig_pbx pbx = { .name = "main", .challenge = &account };
	struct pbx_request request = a_request();
	char challenges[DIGEST_ASKED][DIGEST_TEXT_SIZE], wrong[DIGEST_TEXT_SIZE],
		right[DIGEST_TEXT_SIZE];
	char *values[] = { wrong, right };
	struct pbx_door door;

	(void)state;
	fake_clock_reset();
	log_set_tap(on_line, NULL);
	logged[0] = '\0';
	assert_int_equal(pbx_door_init(&door), 0);
	/* Without a word it is asked, which is no attack. */
	assert_int_equal(pbx_door_check(&door, &pbx, &request, challenges), -EACCES);
	assert_string_equal(logged, "");
	assert_non_null(strstr(challenges[0], "algorithm=MD5"));
	assert_non_null(strstr(challenges[1], "algorithm=SHA-256"));
	answer(challenges[0], "guess", wrong);
	answer(challenges[1], "s3cret", right);
	request.authorizations = values;
	request.n_authorizations = 1;
	assert_int_equal(pbx_door_check(&door, &pbx, &request, challenges), -EACCES);
	assert_string_equal(logged, "pbx=main source=192.0.2.1 from=sip:101@pbx: wrong user or "
				    "password");
	logged[0] = '\0';
	request.n_authorizations = 2;
	assert_int_equal(pbx_door_check(&door, &pbx, &request, challenges), 0);
	values[0] = right; /* in either order */
	values[1] = wrong;
	assert_int_equal(pbx_door_check(&door, &pbx, &request, challenges), 0);
	/* Too old is not wrong: nobody is asked for the password again, or banned for it. */
	fake_clock_add_ms((DIGEST_NONCE_S + 1) * 1000);
	request.n_authorizations = 1;
	assert_int_equal(pbx_door_check(&door, &pbx, &request, challenges), -EACCES);
	assert_non_null(strstr(challenges[1], "stale=true"));
	assert_string_equal(logged, "");
	log_set_tap(NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_asserted_identity_counts_from_whom_the_block_trusts),
		cmocka_unit_test(who_need_not_prove_anything_is_let_in),
		cmocka_unit_test(a_pbx_that_must_proves_itself_by_one_right_answer),
	};

	log_set_verbose(-1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
