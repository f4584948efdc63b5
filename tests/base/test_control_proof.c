#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/control_proof.h"
#include "base/diag.h"

struct world {
	char dir[64], token_path[96];
	struct control_token token;
	struct diag *diag;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	snprintf(w->dir, sizeof(w->dir), "/tmp/control-test.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->token_path, sizeof(w->token_path), "%s/token", w->dir);
	assert_int_equal(control_token_create(w->token_path, &w->token), 0);
	w->diag = diag_new();
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	diag_free(&w->diag);
	unlink(w->token_path);
	assert_int_equal(rmdir(w->dir), 0);
	free(w);
	return 0;
}

static void the_token_file_is_not_for_everybody_and_new_each_time(void **state)
{
	struct world *w = *state;
	struct control_token again, read;
	struct stat st;

	assert_int_equal(stat(w->token_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(control_token_create(w->token_path, &again), 0);
	assert_memory_not_equal(&again, &w->token, sizeof(again));
	assert_int_equal(control_token_read(w->token_path, &read, w->diag), 0);
	assert_memory_equal(&again, &read, sizeof(again));
	assert_int_equal(control_token_read(w->dir, &read, w->diag), -EISDIR);
}

static const struct control_claim claim = { { NULL, 0 }, "POST", "/change?x=1", { NULL, 0 } };

static void prove(const struct control_token *token, struct control_claim made, const char *nonce,
		  char out[256])
{
	char proof[CONTROL_PROOF_TEXT_SIZE];

	made.nonce = slice_str(nonce);
	assert_int_equal(control_proof(token, &made, proof), 0);
	snprintf(out, 256, "Tandem-HMAC %s %s", nonce, proof);
}

static void a_proof_holds_for_one_request_once_and_for_a_while(void **state)
{
	struct world *w = *state;
	struct control_guard *guard = control_guard_new(&w->token);
	struct control_claim other = claim;
	char nonce[CONTROL_NONCE_TEXT_SIZE], header[256];

	assert_int_equal(control_guard_nonce(guard, 1000, nonce), 0);
	prove(&w->token, claim, nonce, header);
	other.target = "/change?x=2";
	assert_int_equal(control_guard_check(guard, 1000, header, &other), -EACCES);
	other = claim;
	other.body = slice_str("{}");
	assert_int_equal(control_guard_check(guard, 1000, header, &other), -EACCES);
	other = claim;
	other.method = "GET";
	assert_int_equal(control_guard_check(guard, 1000, header, &other), -EACCES);
	assert_int_equal(control_guard_check(guard, 1000 + CONTROL_NONCE_LIFE_MS, header, &claim),
			 -ESTALE);
	assert_int_equal(control_guard_check(guard, 1000, header, &claim), 0);
	assert_int_equal(control_guard_check(guard, 1000, header, &claim), -ESTALE);
	control_guard_free(&guard);
}

static void a_nonce_of_another_server_or_changed_is_stale(void **state)
{
	struct world *w = *state;
	struct control_guard *guard = control_guard_new(&w->token);
	struct control_guard *old = control_guard_new(&w->token);
	char nonce[CONTROL_NONCE_TEXT_SIZE], header[256];

	assert_int_equal(control_guard_nonce(old, 1000, nonce), 0);
	prove(&w->token, claim, nonce, header);
	assert_int_equal(control_guard_check(guard, 1000, header, &claim), -ESTALE);
	for (size_t i = 0; i < 32; i++) { /* its end and its random octets */
		assert_int_equal(control_guard_nonce(guard, 1000, nonce), 0);
		nonce[i] = nonce[i] == 'f' ? '0' : 'f';
		prove(&w->token, claim, nonce, header);
		assert_int_equal(control_guard_check(guard, 1000, header, &claim), -ESTALE);
	}
	prove(&w->token, claim, "00", header);
	assert_int_equal(control_guard_check(guard, 1000, header, &claim), -ESTALE);
	control_guard_free(&guard);
	control_guard_free(&old);
}

static void only_right_proofs_fill_the_table_and_it_empties_with_time(void **state)
{
	struct world *w = *state;
	struct control_guard *guard = control_guard_new(&w->token);
	char nonce[CONTROL_NONCE_TEXT_SIZE], header[256];
	struct control_token wrong = w->token;

	wrong.octets[0] ^= 1;
	for (int i = 0; i <= CONTROL_USED_NONCES; i++) {
		assert_int_equal(control_guard_nonce(guard, 1000, nonce), 0);
		prove(&wrong, claim, nonce, header);
		assert_int_equal(control_guard_check(guard, 1000, header, &claim), -EACCES);
		prove(&w->token, claim, nonce, header);
		assert_int_equal(control_guard_check(guard, 1000, header, &claim),
				 i < CONTROL_USED_NONCES ? 0 : -EBUSY);
	}
	assert_int_equal(control_guard_nonce(guard, 1000 + CONTROL_NONCE_LIFE_MS, nonce), 0);
	prove(&w->token, claim, nonce, header);
	assert_int_equal(control_guard_check(guard, 1000 + CONTROL_NONCE_LIFE_MS, header, &claim),
			 0);
	control_guard_free(&guard);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_token_file_is_not_for_everybody_and_new_each_time),
		TEST(a_proof_holds_for_one_request_once_and_for_a_while),
		TEST(a_nonce_of_another_server_or_changed_is_stale),
		TEST(only_right_proofs_fill_the_table_and_it_empties_with_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
