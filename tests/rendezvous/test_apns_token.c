/* Tokens of the push service, and what of them stays in memory that was given back: free() goes
 * through here (ld's --wrap), and looks before it frees.
 */
#include "tests/unit.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/diag.h"
#include "base/file.h"
#include "rendezvous/apns_token.h"

/* The allocator is the process's: so is what is looked for. */
static struct {
	const char *text; /* NULL: nothing */
	unsigned found;
} needle;

void __real_free(void *p);
void __wrap_free(void *p);

void __wrap_free(void *p)
{
	if (p && needle.text &&
	    memmem(p, malloc_usable_size(p), needle.text, strlen(needle.text)) != NULL)
		needle.found++;
	__real_free(p);
}

static char path[] = "/tmp/apns-token.XXXXXX";

static int write_key(const char *group)
{
	EVP_PKEY *key = EVP_EC_gen(group);
	FILE *f = fopen(path, "w");
	int ok = key && f && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);

	EVP_PKEY_free(key);
	return f && fclose(f) == 0 && ok ? 0 : -1;
}

static int set_up(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	close(fd);
	return fd < 0 ? -1 : write_key("P-256");
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

static void a_token_is_used_for_fifty_minutes(void **state)
{
	struct apns_token *token;
	char first[1024];

	(void)state;
	assert_int_equal(apns_token_new(path, "KEY1234567", "TEAM123456", &token, NULL), 0);
	snprintf(first, sizeof(first), "%s", apns_token_text(token, 1000));
	/* {"alg":"ES256","kid":"KEY1234567"} in base64 (RFC 7515 3.1). */
	assert_memory_equal(first, "eyJhbGciOiJFUzI1NiIsImtpZCI6IktFWTEyMzQ1NjcifQ.", 47);
	assert_string_equal(apns_token_text(token, 1000 + APNS_TOKEN_AGE_S - 1), first);
	assert_string_not_equal(apns_token_text(token, 1000 + APNS_TOKEN_AGE_S), first);
	apns_token_free(&token);
	assert_null(token);
}

static void what_is_no_key_is_refused(void **state)
{
	struct apns_token *token = NULL;
	struct diag *diag = diag_new();

	(void)state;
	assert_int_equal(apns_token_new("/nowhere", "K", "T", &token, diag), -ENOENT);
	assert_int_equal(apns_token_new(path, "K\"", "T", &token, diag), -EINVAL);
	assert_int_equal(apns_token_new(path, "K", "", &token, diag), -EINVAL);
	assert_int_equal(write_key("P-384"), 0);
	assert_int_equal(apns_token_new(path, "K", "T", &token, diag), -EINVAL);
	assert_int_equal(diag_errors(diag), 4);
	assert_int_equal(write_key("P-256"), 0);
	diag_free(&diag);
}

static void neither_key_nor_token_stays_in_memory(void **state)
{
	struct apns_token *token;
	uint8_t *text;
	char copy[1024], *line;
	size_t n;

	(void)state;
	assert_int_equal(file_read(path, sizeof(copy) - 1, &text, &n), 0);
	memcpy(copy, text, n + 1);
	__real_free(text);
	/* The key itself: some octets of the first line behind the mark. */
	line = strchr(copy, '\n') + 1;
	line[40] = '\0';
	needle.text = line;
	assert_int_equal(apns_token_new(path, "KEY1234567", "TEAM123456", &token, NULL), 0);
	assert_int_equal(needle.found, 0);
	needle.text = NULL;
	snprintf(copy, sizeof(copy), "%s", apns_token_text(token, 1000));
	needle.text = copy;
	apns_token_free(&token);
	needle.text = NULL;
	assert_int_equal(needle.found, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_used_for_fifty_minutes),
		cmocka_unit_test(what_is_no_key_is_refused),
		cmocka_unit_test(neither_key_nor_token_stays_in_memory),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
