/* account.c - keys and identities of the link's TLS handshake, derived from an account's secret
 * (docs/key-management.md "Accounts, TLS keys and identities").
 *
 * A server answers every hello with the same work, good or not: what cannot be parsed gets a
 * decoy of usual length, what does not open a random key, and the handshake then fails by it.
 */
#include "keys/account.h"

#include <errno.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/encode.h"
#include "keys/box.h"
#include "keys/kdf.h"
#include "keys/secret.h"

enum {
	STRETCHED_SIZE = 32,
	TEXT_MAX = 1024,                                    /* octets of a secret's text */
	IDENTITY_OCTETS_MAX = ACCOUNT_IDENTITY_MAX * 3 / 4, /* in as many base64url characters */
	NAMED_MAX = 2 + ACCOUNT_URI_MAX + 4,                /* L(uri) || generation */
	DECOY_SIZE = SIV_TAG + 2 + 16 + 4,                  /* as for a URI of 16 octets */
};

bool account_id_valid(struct slice id)
{
	if (id.n < 1 || id.n > ACCOUNT_ID_MAX)
		return false;
	for (size_t i = 0; i < id.n; i++) {
		uint8_t c = id.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    c != '-' && c != '_')
			return false;
	}
	return true;
}

static bool uri_valid(struct slice uri)
{
	return uri.n >= 1 && uri.n <= ACCOUNT_URI_MAX && !memchr(uri.p, '\0', uri.n);
}

/* A text that people made up is guessed from a captured handshake: scrypt makes each guess
 * dear.  The account as salt keeps guesses for one from serving all. */
static int stretch(struct slice text, const char *account, uint8_t out[STRETCHED_SIZE])
{
	uint8_t salt[4 + ACCOUNT_ID_MAX + 1];
	struct buf b = BUF_OF(salt);

	buf_put_str(&b, "umsg");
	buf_put_str(&b, account);
	/* OpenSSL refuses more than 32 MiB unless told: 128 N r is just that much. */
	if (EVP_PBE_scrypt((const char *)text.p, text.n, salt, b.len, 32768, 8, 1, 64 << 20, out,
			   STRETCHED_SIZE) != 1)
		return -ENOMEM;
	return 0;
}

int account_secret_from_text(struct slice text, const char *account,
			     struct account_secret *secret_out)
{
	struct account_secret secret = { 0 };
	int err;

	if (text.n < 1 || text.n > TEXT_MAX || !account_id_valid(slice_str(account)))
		return -EINVAL;
	/* A typed text may be base64 by chance: "password" is, of 6 octets.  The lower bound
	 * tells. */
	err = base64_decode(BASE64_STANDARD, text, secret.octets, sizeof(secret.octets), &secret.n);
	if (err == -ENOBUFS)
		return -EINVAL;
	/* No base64, or too short to be random: people's own words. */
	if (err || secret.n < ACCOUNT_SECRET_MIN) {
		account_secret_wipe(&secret);
		secret.stretched = true;
		secret.n = STRETCHED_SIZE;
		err = stretch(text, account, secret.octets);
	}
	if (!err)
		*secret_out = secret;
	account_secret_wipe(&secret);
	return err;
}

int account_secret_random(struct account_secret *secret_out)
{
	*secret_out = (struct account_secret){ .n = STRETCHED_SIZE };
	return RAND_priv_bytes(secret_out->octets, STRETCHED_SIZE) == 1 ? 0 : -EIO;
}

void account_secret_wipe(struct account_secret *secret)
{
	wipe(secret, sizeof(*secret));
}

void account_hello_wipe(struct account_hello *hello)
{
	wipe(hello, sizeof(*hello));
}

static struct slice octets_of(const struct account_secret *secret)
{
	return slice_of(secret->octets, secret->n);
}

static bool name_valid(struct slice name)
{
	if (name.n < 1 || name.n > ACCOUNT_URI_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] > '~')
			return false;
	return true;
}

/* One octet of length and a name; "" in out when it is not a name. */
static bool take_name(struct cursor *c, char *out, size_t outsz)
{
	struct slice name = cursor_take(c, cursor_u8(c));

	if (!name_valid(name) || name.n >= outsz)
		return false;
	memcpy(out, name.p, name.n);
	out[name.n] = '\0';
	return true;
}

static bool parse_user(struct cursor *c, struct account_identity *identity)
{
	struct slice sealed;

	if (!take_name(c, identity->account, sizeof(identity->account)) ||
	    !account_id_valid(slice_str(identity->account)))
		return false;
	sealed = cursor_take(c, c->left);
	/* V, L(uri) of one octet at least, generation. */
	if (sealed.n < SIV_TAG + 2 + 1 + 4 || sealed.n > sizeof(identity->sealed))
		return false;
	memcpy(identity->sealed, sealed.p, sealed.n);
	identity->sealed_n = sealed.n;
	return true;
}

static bool parse_octets(struct slice octets, struct account_identity *identity)
{
	struct cursor c = cursor_of(octets);

	/* Until it is known better: whoever cannot be parsed costs what a user costs. */
	identity->sealed_n = DECOY_SIZE;
	identity->kind = (enum account_identity_kind)cursor_u8(&c);
	switch (identity->kind) {
	case ACCOUNT_IDENTITY_USER:
		return parse_user(&c, identity);
	case ACCOUNT_IDENTITY_ADMIN:
		return take_name(&c, identity->from, sizeof(identity->from)) && cursor_at_end(&c);
	case ACCOUNT_IDENTITY_LINK:
		return take_name(&c, identity->from, sizeof(identity->from)) &&
		       take_name(&c, identity->to, sizeof(identity->to)) && cursor_at_end(&c);
	default:
		return false;
	}
}

int account_identity_parse(struct slice text, struct account_identity *identity_out)
{
	uint8_t octets[IDENTITY_OCTETS_MAX];
	size_t n;

	*identity_out = (struct account_identity){ 0 };
	if (text.n <= ACCOUNT_IDENTITY_MAX &&
	    base64_decode(BASE64_URL, text, octets, sizeof(octets), &n) == 0 &&
	    parse_octets(slice_of(octets, n), identity_out))
		return 0;
	*identity_out = (struct account_identity){ .sealed_n = DECOY_SIZE };
	return -EINVAL;
}

/* Of the secret, for the two values that follow: a hello needs both. */
static int extract(const struct account_secret *secret, uint8_t prk[KDF_HASH])
{
	return kdf_extract(slice_of(NULL, 0), octets_of(secret), prk);
}

/* K_id, under which the user's part of an identity is sealed. */
static int identity_key(const uint8_t prk[KDF_HASH], uint8_t key[SIV_KEY])
{
	return kdf_expand(prk, "umsg psk id", NULL, 0, key, SIV_KEY);
}

static int psk_of(const uint8_t prk[KDF_HASH], struct slice uri, const char *account,
		  uint32_t generation, uint8_t psk_out[ACCOUNT_PSK_SIZE])
{
	const struct kdf_part parts[] = { kdf_octets(uri), kdf_text(account), kdf_u32(generation) };

	if (!uri_valid(uri) || !account_id_valid(slice_str(account)))
		return -EINVAL;
	return kdf_expand(prk, "umsg tls psk", parts, 3, psk_out, ACCOUNT_PSK_SIZE);
}

int account_psk(const struct account_secret *secret, struct slice uri, const char *account,
		uint32_t generation, uint8_t psk_out[ACCOUNT_PSK_SIZE])
{
	uint8_t prk[KDF_HASH];
	int err = extract(secret, prk);

	if (!err)
		err = psk_of(prk, uri, account, generation, psk_out);
	wipe(prk, sizeof(prk));
	return err;
}

int account_link_psk(const struct account_secret *secret, struct slice from, struct slice to,
		     uint8_t psk_out[ACCOUNT_PSK_SIZE])
{
	const struct kdf_part parts[] = { kdf_octets(from), kdf_octets(to) };

	if (!name_valid(from) || !name_valid(to))
		return -EINVAL;
	return kdf_hkdf(octets_of(secret), "umsg link", parts, 2, psk_out, ACCOUNT_PSK_SIZE);
}

int account_admin_psk(const struct account_secret *secret, struct slice name,
		      uint8_t psk_out[ACCOUNT_PSK_SIZE])
{
	const struct kdf_part parts[] = { kdf_octets(name) };

	if (!name_valid(name))
		return -EINVAL;
	return kdf_hkdf(octets_of(secret), "umsg admin psk", parts, 1, psk_out, ACCOUNT_PSK_SIZE);
}

int account_admin_identity(struct slice name, char text_out[ACCOUNT_IDENTITY_MAX + 1])
{
	uint8_t octets[IDENTITY_OCTETS_MAX + 1];
	struct buf b = BUF_OF(octets);

	if (!name_valid(name))
		return -EINVAL;
	buf_put_u8(&b, ACCOUNT_IDENTITY_ADMIN);
	buf_put_u8(&b, (uint8_t)name.n);
	buf_put_slice(&b, name);
	base64_encode(BASE64_URL, buf_slice(&b), text_out);
	return 0;
}

int account_identity_make(const struct account_secret *secret, struct slice uri,
			  const char *account, uint32_t generation,
			  char text_out[ACCOUNT_IDENTITY_MAX + 1])
{
	uint8_t octets[IDENTITY_OCTETS_MAX + 1], named[NAMED_MAX + 1], key[SIV_KEY];
	struct buf b = BUF_OF(octets), n = BUF_OF(named);
	uint8_t prk[KDF_HASH];
	int err;

	if (!uri_valid(uri) || !account_id_valid(slice_str(account)))
		return -EINVAL;
	buf_put_l16(&n, uri);
	buf_put_u32(&n, generation);
	buf_put_u8(&b, ACCOUNT_IDENTITY_USER);
	buf_put_u8(&b, (uint8_t)strlen(account));
	buf_put_str(&b, account);
	/* TLS 1.3 identities may be longer; 255 characters are what docs/key-management.md
	 * promises. */
	if (!buf_ok(&n) || b.len + SIV_TAG + n.len > IDENTITY_OCTETS_MAX)
		return -EINVAL;
	err = extract(secret, prk);
	if (!err)
		err = identity_key(prk, key);
	if (!err)
		err = siv_seal(key, buf_slice(&n), octets + b.len);
	wipe(prk, sizeof(prk));
	wipe(key, sizeof(key));
	if (!err)
		base64_encode(BASE64_URL, slice_of(octets, b.len + SIV_TAG + n.len), text_out);
	return err;
}

/* Reads what the sealed part holds: L(uri) || generation. */
static bool read_named(struct slice named, struct account_hello *hello)
{
	struct cursor c = cursor_of(named);
	struct slice uri = cursor_l16(&c);

	hello->generation = cursor_u32(&c);
	if (!cursor_at_end(&c) || !uri_valid(uri))
		return false;
	memcpy(hello->uri, uri.p, uri.n);
	return true;
}

/* Derives the key of a URI of the decoy's length, to cost what a good one costs,
 * and puts random octets in its place. */
static int refuse(const uint8_t prk[KDF_HASH], struct account_hello *hello)
{
	int err = psk_of(prk, slice_str("tel:+00000000000"), "none", 0, hello->psk);

	*hello = (struct account_hello){ 0 };
	if (RAND_priv_bytes(hello->psk, sizeof(hello->psk)) != 1)
		return -ENOMEM;
	return err ? err : -EACCES;
}

static int open_hello(const struct account_identity *identity, const uint8_t prk[KDF_HASH],
		      struct account_hello *hello)
{
	uint8_t named[ACCOUNT_SEALED_MAX], key[SIV_KEY];
	bool opened;
	int err = identity_key(prk, key);

	if (err)
		return err;
	opened = siv_open(key, slice_of(identity->sealed, identity->sealed_n), named) == 0;
	wipe(key, sizeof(key));
	if (!opened || identity->kind != ACCOUNT_IDENTITY_USER ||
	    !read_named(slice_of(named, identity->sealed_n - SIV_TAG), hello))
		return refuse(prk, hello);
	/* Only now: until it opened, the account was a stranger's word. */
	memcpy(hello->account, identity->account, sizeof(hello->account));
	return psk_of(prk, slice_str(hello->uri), hello->account, hello->generation, hello->psk);
}

int account_identity_open(const struct account_identity *identity,
			  const struct account_secret *secret, struct account_hello *hello_out)
{
	uint8_t prk[KDF_HASH];
	int err = extract(secret, prk);

	*hello_out = (struct account_hello){ 0 };
	if (!err)
		err = open_hello(identity, prk, hello_out);
	wipe(prk, sizeof(prk));
	return err;
}
