/* cca's listen, run by hand: its client and its loop are the test's. */
#include "tests/unit.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "caller/cca.h"

#define OWN "tel:+4670001"
#define PEER "tel:+4670002"

/* What cca_listen() asked for, and what it is answered. */
static struct {
	unsigned posts, awaits, taken;
	int post_err, status;
	bool ended;
	void (*play)(struct cca *cca, const struct cca_job *job, void *arg);
} seen;

/* ---- in the place of cca.c ---- */

int cca_run(const struct cca_options *options, const struct cca_job *job, void *arg)
{
	struct key_ring ring = { .n_trusted = 0 };
	struct cca cca = { .options = *options, .ring = &ring, .job = job, .job_arg = arg };

	seen.play(&cca, job, arg);
	return seen.status;
}

void cca_end(struct cca *cca, int status)
{
	(void)cca;
	seen.ended = true;
	seen.status = status;
}

void cca_await(struct cca *cca, const char *what)
{
	(void)cca;
	assert_non_null(what);
	seen.awaits++;
}

bool cca_tell(const struct cca *cca, const char *what, json_t *details)
{
	(void)cca;
	(void)what;
	json_decref(details);
	return true;
}

int cca_parse_number(const char *text, char uri[UMSG_URI_SIZE], char extension[UMSG_EXTENSION_SIZE],
		     struct diag *diag)
{
	(void)text;
	(void)uri;
	(void)extension;
	(void)diag;
	return -EINVAL;
}

/* ---- in the place of the client and its keys ---- */

const char *keystore_uri(const struct keystore *store)
{
	(void)store;
	return OWN;
}

int keystore_channel_at(const struct keystore *store, int64_t now_s, size_t i, const char **uri_out,
			const char **name_out)
{
	(void)store;
	(void)now_s;
	(void)i;
	(void)uri_out;
	(void)name_out;
	return -ENOENT;
}

int umsg_client_taken(struct umsg_client *client, const uint8_t id[UMSG_ID_SIZE], const char *from,
		      uint64_t number)
{
	(void)client;
	(void)id;
	(void)from;
	(void)number;
	seen.taken++;
	return 0;
}

int umsg_client_seal(struct umsg_client *client, const char *to, const Umsg__TextBody *body,
		     int64_t end_s, struct umsg_sealed *sealed_out)
{
	(void)client;
	(void)to;
	(void)body;
	(void)end_s;
	(void)sealed_out;
	return -EINVAL;
}

int umsg_client_seal_receipt(struct umsg_client *client, const char *to,
			     const uint8_t id[UMSG_ID_SIZE], Umsg__ReceiptState state,
			     const char *reason, struct umsg_sealed *sealed_out)
{
	(void)client;
	(void)id;
	(void)reason;
	assert_string_equal(to, PEER);
	assert_int_equal(state, UMSG__RECEIPT_STATE__RECEIPT_DELIVERED);
	memset(sealed_out->id, 7, sizeof(sealed_out->id));
	sealed_out->octets = (uint8_t *)strdup("receipt");
	sealed_out->n = 7;
	return sealed_out->octets ? 0 : -ENOMEM;
}

int umsg_client_post(struct umsg_client *client, struct slice sealed)
{
	(void)client;
	assert_true(slice_eq_str(sealed, "receipt"));
	seen.posts++;
	return seen.post_err;
}

void umsg_sealed_clear(struct umsg_sealed *sealed)
{
	free(sealed->octets);
	*sealed = (struct umsg_sealed){ .octets = NULL };
}

/* ---- the tests ---- */

static void hear_one(struct cca *cca, const struct cca_job *job, void *arg)
{
	Umsg__TextBody body = UMSG__TEXT_BODY__INIT;
	const struct umsg_message message = {
		.from = PEER, .to = OWN, .from_domain = "domain", .body = &body
	};

	body.text = (char *)"hello";
	job->message(cca, arg, &message);
}

static int listen_to_one(void (*play)(struct cca *cca, const struct cca_job *job, void *arg))
{
	const struct cca_options options = { .timeout_s = 30 };
	char *argv[] = { (char *)"listen", (char *)"--count", (char *)"1", NULL };

	memset(&seen, 0, sizeof(seen));
	seen.play = play;
	optind = 0; /* as main.c does */
	return cca_listen(&options, 3, argv);
}

static void answer_at_once(struct cca *cca, const struct cca_job *job, void *arg)
{
	uint8_t id[UMSG_ID_SIZE];

	memset(id, 7, sizeof(id));
	if (job->attached)
		job->attached(cca, arg);
	hear_one(cca, job, arg);
	assert_false(seen.ended);
	job->post_ack(cca, arg, id, UMSG__ERROR_CODE__OK, "");
	assert_true(seen.ended);
}

static void a_counted_run_ends_with_the_answer_to_its_last_receipt(void **state)
{
	(void)state;
	assert_int_equal(listen_to_one(answer_at_once), CCA_OK);
	assert_int_equal(seen.posts, 1);
	assert_int_equal(seen.taken, 1);
	assert_int_equal(seen.awaits, 1); /* not for ever */
}

/* The answer was lost with the connection: nobody would send it again. */
static void attach_anew(struct cca *cca, const struct cca_job *job, void *arg)
{
	uint8_t id[UMSG_ID_SIZE];

	memset(id, 7, sizeof(id));
	hear_one(cca, job, arg);
	assert_non_null(job->attached);
	job->attached(cca, arg);
	assert_int_equal(seen.posts, 2);
	assert_false(seen.ended);
	job->post_ack(cca, arg, id, UMSG__ERROR_CODE__OK, "");
	assert_true(seen.ended);
}

static void a_receipt_without_an_answer_goes_again_on_the_next_connection(void **state)
{
	(void)state;
	assert_int_equal(listen_to_one(attach_anew), CCA_OK);
}

static void attach_in_vain(struct cca *cca, const struct cca_job *job, void *arg)
{
	hear_one(cca, job, arg);
	assert_non_null(job->attached);
	seen.post_err = -ENOMEM;
	job->attached(cca, arg);
	assert_true(seen.ended);
}

static void a_receipt_that_cannot_go_again_ends_the_run_as_failed(void **state)
{
	(void)state;
	assert_int_equal(listen_to_one(attach_in_vain), CCA_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_counted_run_ends_with_the_answer_to_its_last_receipt),
		cmocka_unit_test(a_receipt_without_an_answer_goes_again_on_the_next_connection),
		cmocka_unit_test(a_receipt_that_cannot_go_again_ends_the_run_as_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
