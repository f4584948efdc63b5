#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/encode.h"
#include "keys/account.h"
#include "keys/box.h"
#include "keys/kdf.h"

#define URI slice_str("tel:+46706764287")

static struct account_secret secret_of(const char *text)
{
	struct account_secret secret;

	assert_int_equal(account_secret_from_text(slice_str(text), "ACME-1", &secret), 0);
	return secret;
}

static void an_account_id_has_twenty_characters_of_its_set(void **state)
{
	static const struct {
		const char *id;
		bool valid;
	} cases[] = {
		/* CRS-039: a-zA-Z0-9-_, at most 20 characters */
		{ "a", true },
		{ "DEMOACCOUNT_1", true },
		{ "-_09azAZ", true },
		{ "12345678901234567890", true },
		{ "123456789012345678901", false },
		{ "", false },
		{ "a b", false },
		{ "a.b", false },
		{ "a/b", false },
		{ "\xc3\xa5", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(account_id_valid(slice_str(cases[i].id)), cases[i].valid);
	assert_false(account_id_valid(slice_of("a\0b", 3)));
}

static void base64_of_sixteen_octets_is_decoded_and_all_else_stretched(void **state)
{
	static const struct {
		const char *text;
		size_t octets;
		bool stretched;
	} cases[] = {
		{ "AAECAwQFBgcICQoLDA0ODw==", 16, false },
		{ "AAECAwQFBgcICQoLDA0ODxA=", 17, false },
		{ "AAECAwQFBgcICQoLDA0O", 32, true },     /* 15 octets */
		{ "AAECAwQFBgcICQoLDA0ODw", 32, true },   /* no padding */
		{ "AAECAwQFBgcICQoLDA0ODx==", 32, true }, /* bits behind the last octet */
		{ "AAECAwQFBgcICQoLDA0ODw==\n", 32, true },
		{ "a secret with blanks", 32, true }, /* CRS-041 */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct account_secret secret = secret_of(cases[i].text);

		assert_int_equal(secret.n, cases[i].octets);
		assert_int_equal(secret.stretched, cases[i].stretched);
		account_secret_wipe(&secret);
		assert_int_equal(secret.n, 0);
	}
}

/* hashlib.scrypt(b"a secret with blanks", salt=b"umsgACME-1", n=32768, r=8, p=1, dklen=32) */
static void a_stretched_secret_is_scrypt_with_the_accounts_salt(void **state)
{
	struct account_secret secret = secret_of("a secret with blanks");
	char hex[HEX_TEXT_SIZE(32)];

	(void)state;
	hex_encode(slice_of(secret.octets, secret.n), hex);
	assert_string_equal(hex,
			    "560c977627dcfd66b5588146ff45ae3bf38ce42767602adc66e86bc0e4b460de");
}

static void a_secret_has_its_limits(void **state)
{
	struct account_secret secret;
	char text[2000];

	(void)state;
	memset(text, 'A', sizeof(text));
	assert_int_equal(account_secret_from_text(slice_of(text, 344), "A", &secret), -EINVAL);
	assert_int_equal(account_secret_from_text(slice_of(text, 1025), "A", &secret), -EINVAL);
	assert_int_equal(account_secret_from_text(slice_of(text, 340), "A", &secret), 0);
	assert_int_equal(secret.n, 255);
	assert_int_equal(account_secret_from_text(slice_str(""), "A", &secret), -EINVAL);
	assert_int_equal(account_secret_from_text(slice_str("x"), "", &secret), -EINVAL);
}

/* The key is what docs/key-management.md writes, octet by octet. */
static void the_key_is_derived_from_uri_account_and_generation(void **state)
{
	struct account_secret secret = secret_of("AAECAwQFBgcICQoLDA0ODw==");
	uint8_t psk[ACCOUNT_PSK_SIZE], other[ACCOUNT_PSK_SIZE];
	char hex[HEX_TEXT_SIZE(ACCOUNT_PSK_SIZE)];

	(void)state;
	assert_int_equal(account_psk(&secret, URI, "ACME-1", 1, psk), 0);
	hex_encode(slice_of(psk, sizeof(psk)), hex);
	assert_string_equal(hex,
			    "cbca74390e6a47825326f5e21872590742be50c4e47130bfd470ea5c899653ae");
	assert_int_equal(account_psk(&secret, URI, "ACME-1", 2, other), 0);
	assert_memory_not_equal(psk, other, sizeof(psk));
	assert_int_equal(account_psk(&secret, slice_str("tel:+1"), "ACME-1", 1, other), 0);
	assert_memory_not_equal(psk, other, sizeof(psk));
	assert_int_equal(account_psk(&secret, URI, "ACME-2", 1, other), 0);
	assert_memory_not_equal(psk, other, sizeof(psk));
	assert_int_equal(account_psk(&secret, slice_str(""), "ACME-1", 1, other), -EINVAL);
	assert_int_equal(account_psk(&secret, URI, "ACME 1", 1, other), -EINVAL);
}

static void an_identity_opens_to_what_it_was_made_of(void **state)
{
	struct account_secret secret = secret_of("AAECAwQFBgcICQoLDA0ODw==");
	char text[ACCOUNT_IDENTITY_MAX + 1], again[ACCOUNT_IDENTITY_MAX + 1];
	uint8_t psk[ACCOUNT_PSK_SIZE];
	struct account_identity identity;
	struct account_hello hello;

	(void)state;
	assert_int_equal(account_identity_make(&secret, URI, "ACME-1", 7, text), 0);
	assert_int_equal(account_identity_make(&secret, URI, "ACME-1", 7, again), 0);
	assert_string_equal(text, again);
	assert_null(strchr(text, '='));
	assert_null(strstr(text, "4670"));
	assert_int_equal(account_identity_parse(slice_str(text), &identity), 0);
	assert_int_equal(identity.kind, ACCOUNT_IDENTITY_USER);
	assert_string_equal(identity.account, "ACME-1");
	assert_int_equal(account_identity_open(&identity, &secret, &hello), 0);
	assert_string_equal(hello.account, "ACME-1");
	assert_string_equal(hello.uri, "tel:+46706764287");
	assert_int_equal(hello.generation, 7);
	assert_int_equal(account_psk(&secret, URI, "ACME-1", 7, psk), 0);
	assert_memory_equal(hello.psk, psk, sizeof(psk));
	account_hello_wipe(&hello);
	assert_int_equal(hello.generation, 0);
}

static void an_identity_is_as_long_as_tls_interfaces_take(void **state)
{
	struct account_secret secret = secret_of("AAECAwQFBgcICQoLDA0ODw==");
	char text[ACCOUNT_IDENTITY_MAX + 1], uri[200];
	struct account_identity identity;

	(void)state;
	memset(uri, '1', sizeof(uri));
	assert_int_equal(account_identity_make(&secret, slice_of(uri, ACCOUNT_URI_MAX),
					       "12345678901234567890", UINT32_MAX, text),
			 0);
	assert_true(strlen(text) <= ACCOUNT_IDENTITY_MAX);
	assert_int_equal(account_identity_parse(slice_str(text), &identity), 0);
	assert_int_equal(
		account_identity_make(&secret, slice_of(uri, ACCOUNT_URI_MAX + 1), "A", 1, text),
		-EINVAL);
	assert_int_equal(account_identity_make(&secret, slice_str(""), "A", 1, text), -EINVAL);
	assert_int_equal(account_identity_make(&secret, slice_of("a\0b", 3), "A", 1, text),
			 -EINVAL);
}

/* What a stranger offers gets a random key, never an error of its own kind. */
static void nothing_opens_but_the_accounts_own_identities(void **state)
{
	struct account_secret secret = secret_of("AAECAwQFBgcICQoLDA0ODw==");
	struct account_secret other = secret_of("EAECAwQFBgcICQoLDA0ODw==");
	char text[ACCOUNT_IDENTITY_MAX + 1];
	struct account_identity identity;
	struct account_hello hello, second;

	(void)state;
	assert_int_equal(account_identity_make(&secret, URI, "ACME-1", 7, text), 0);
	for (size_t n = 0; n < strlen(text); n++) {
		(void)account_identity_parse(slice_of(text, n), &identity);
		assert_int_equal(account_identity_open(&identity, &secret, &hello), -EACCES);
	}
	assert_int_equal(account_identity_parse(slice_str(text), &identity), 0);
	assert_int_equal(account_identity_open(&identity, &other, &hello), -EACCES);
	assert_int_equal(account_identity_open(&identity, &other, &second), -EACCES);
	assert_memory_not_equal(hello.psk, second.psk, sizeof(hello.psk));
	assert_string_equal(hello.uri, "");
	assert_string_equal(hello.account, "");
	identity.sealed[3] ^= 1;
	assert_int_equal(account_identity_open(&identity, &secret, &hello), -EACCES);
}

/* A sealed part that opens but does not hold L(uri) || generation. */
static void a_sealed_part_of_another_form_does_not_open(void **state)
{
	struct account_secret secret = secret_of("AAECAwQFBgcICQoLDA0ODw==");
	static const struct {
		const char *octets;
		size_t n;
	} cases[] = {
		{ "\0\1x\0\0\0\1\0", 8 },  /* an octet more */
		{ "\0\0\0\0\0\0\1", 7 },   /* an empty URI */
		{ "\0\5x\0\0\0\1", 7 },    /* a length behind the end */
		{ "\0\3a\0b\0\0\0\1", 9 }, /* a NUL in the URI */
	};
	uint8_t key[SIV_KEY];

	(void)state;
	assert_int_equal(
		kdf_hkdf(slice_of(secret.octets, secret.n), "umsg psk id", NULL, 0, key, SIV_KEY),
		0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct account_identity identity = { .kind = ACCOUNT_IDENTITY_USER,
						     .account = "A" };
		struct account_hello hello;

		identity.sealed_n = SIV_TAG + cases[i].n;
		assert_int_equal(
			siv_seal(key, slice_of(cases[i].octets, cases[i].n), identity.sealed), 0);
		assert_int_equal(account_identity_open(&identity, &secret, &hello), -EACCES);
	}
}

static void parse_octets(const char *octets, size_t n, struct account_identity *identity, int want)
{
	char text[ACCOUNT_IDENTITY_MAX + 5];

	base64_encode(BASE64_URL, slice_of(octets, n), text);
	assert_int_equal(account_identity_parse(slice_str(text), identity), want);
}

static void identities_of_links_and_administrators_are_read(void **state)
{
	struct account_identity identity;
	static const char link[] = "\3\4east\4west", admin[] = "\2\4anna";

	(void)state;
	parse_octets(link, sizeof(link) - 1, &identity, 0);
	assert_int_equal(identity.kind, ACCOUNT_IDENTITY_LINK);
	assert_string_equal(identity.from, "east");
	assert_string_equal(identity.to, "west");
	for (size_t n = 0; n < sizeof(link) - 1; n++)
		parse_octets(link, n, &identity, -EINVAL);
	parse_octets(link, sizeof(link), &identity, -EINVAL);
	parse_octets(admin, sizeof(admin) - 1, &identity, 0);
	assert_int_equal(identity.kind, ACCOUNT_IDENTITY_ADMIN);
	assert_string_equal(identity.from, "anna");
	for (size_t n = 0; n < sizeof(admin) - 1; n++)
		parse_octets(admin, n, &identity, -EINVAL);
}

static void malformed_identities_are_refused(void **state)
{
	static const struct {
		const char *octets;
		size_t n;
	} cases[] = {
		{ "\0\1A", 3 }, /* no such kind */
		{ "\4\1A", 3 },
		{ "\1\0", 2 }, /* no account id */
		{ "\1\1.12345678901234567890123", 26 },
		{ "\1\1A1234567890123456789012", 25 }, /* sealed part one octet short */
		{ "\1\25123456789012345678901AAAAAAAAAAAAAAAAAAAAAAAAA", 48 },
		{ "\3\1a\1 ", 5 }, /* a blank is no name */
		{ "\2\1\0", 3 },
	};
	struct account_identity identity;
	char text[400];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		parse_octets(cases[i].octets, cases[i].n, &identity, -EINVAL);
		assert_int_equal(identity.kind, ACCOUNT_IDENTITY_NONE);
	}
	memset(text, 'A', sizeof(text));
	assert_int_equal(account_identity_parse(slice_of(text, 256), &identity), -EINVAL);
	assert_int_equal(account_identity_parse(slice_str("AUE="), &identity), -EINVAL);
}

static void a_links_key_depends_on_both_names_and_their_order(void **state)
{
	struct account_secret secret = secret_of("AAECAwQFBgcICQoLDA0ODw==");
	uint8_t there[ACCOUNT_PSK_SIZE], back[ACCOUNT_PSK_SIZE];

	(void)state;
	assert_int_equal(account_link_psk(&secret, slice_str("a"), slice_str("b"), there), 0);
	assert_int_equal(account_link_psk(&secret, slice_str("b"), slice_str("a"), back), 0);
	assert_memory_not_equal(there, back, sizeof(there));
	assert_int_equal(account_link_psk(&secret, slice_str(""), slice_str("a"), back), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_account_id_has_twenty_characters_of_its_set),
		cmocka_unit_test(base64_of_sixteen_octets_is_decoded_and_all_else_stretched),
		cmocka_unit_test(a_stretched_secret_is_scrypt_with_the_accounts_salt),
		cmocka_unit_test(a_secret_has_its_limits),
		cmocka_unit_test(the_key_is_derived_from_uri_account_and_generation),
		cmocka_unit_test(an_identity_opens_to_what_it_was_made_of),
		cmocka_unit_test(an_identity_is_as_long_as_tls_interfaces_take),
		cmocka_unit_test(nothing_opens_but_the_accounts_own_identities),
		cmocka_unit_test(a_sealed_part_of_another_form_does_not_open),
		cmocka_unit_test(identities_of_links_and_administrators_are_read),
		cmocka_unit_test(malformed_identities_are_refused),
		cmocka_unit_test(a_links_key_depends_on_both_names_and_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
