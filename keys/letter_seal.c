/* letter_seal.c - a letter's protected form, and the QR key that opens it. */
#include "keys/letter.h"

#include <ctype.h>
#include <errno.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/encode.h"
#include "keys/kdf.h"
#include "keys/secret.h"

enum {
	HEAD_SIZE = 2, /* 'T', version */
	VERSION = 1,
	IV_SIZE = 16,
	BLOCK_SIZE = 16,
	MAC_SIZE = 32,
};

struct seal_keys {
	uint8_t enc[16];
	uint8_t mac[32];
};

/* One key for each purpose: what a MAC gives away must say nothing of the cipher's. */
static int derive(const uint8_t *qr_key, struct seal_keys *keys)
{
	struct slice k = slice_of(qr_key, LETTER_QR_KEY_SIZE);
	int err = kdf_hkdf(k, "letter enc", NULL, 0, keys->enc, sizeof(keys->enc));

	return err ? err : kdf_hkdf(k, "letter mac", NULL, 0, keys->mac, sizeof(keys->mac));
}

/* AES-128-CBC with PKCS#7 padding; out has a block more than in. */
static bool cbc(bool encrypt, const uint8_t *key, const uint8_t *iv, struct slice in, uint8_t *out,
		size_t *len_out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, last = 0;
	bool ok = ctx && EVP_CipherInit_ex2(ctx, EVP_aes_128_cbc(), key, iv, encrypt, NULL) &&
		  EVP_CipherUpdate(ctx, out, &n, in.p, (int)in.n) &&
		  EVP_CipherFinal_ex(ctx, out + n, &last);

	EVP_CIPHER_CTX_free(ctx);
	*len_out = (size_t)n + (size_t)last;
	return ok;
}

static bool mac_of(const uint8_t *key, struct slice of, uint8_t mac[MAC_SIZE])
{
	return HMAC(EVP_sha256(), key, MAC_SIZE, of.p, of.n, mac, NULL) != NULL;
}

int letter_protect(struct slice plain, const uint8_t qr_key[LETTER_QR_KEY_SIZE],
		   uint8_t out[LETTER_OCTETS_MAX], size_t *len_out)
{
	struct seal_keys keys;
	size_t n = 0;
	bool ok;

	/* The first part keeps the macro's sum from wrapping. */
	if (plain.n > LETTER_OCTETS_MAX || LETTER_PROTECTED_SIZE(plain.n) > LETTER_OCTETS_MAX)
		return -EMSGSIZE;
	out[0] = 'T';
	out[1] = VERSION;
	ok = derive(qr_key, &keys) == 0 && RAND_bytes(out + HEAD_SIZE, IV_SIZE) == 1 &&
	     cbc(true, keys.enc, out + HEAD_SIZE, plain, out + HEAD_SIZE + IV_SIZE, &n) &&
	     mac_of(keys.mac, slice_of(out, HEAD_SIZE + IV_SIZE + n),
		    out + HEAD_SIZE + IV_SIZE + n);
	wipe(&keys, sizeof(keys));
	*len_out = HEAD_SIZE + IV_SIZE + n + MAC_SIZE;
	return ok ? 0 : -ENOMEM;
}

/* The key is typed by a person: a wrong one is found by the MAC and told as such. */
static int open_body(struct slice sealed, const uint8_t *qr_key, uint8_t *out, size_t *len_out)
{
	struct slice covered = slice_of(sealed.p, sealed.n - MAC_SIZE);
	uint8_t mac[MAC_SIZE], plain[LETTER_OCTETS_MAX + BLOCK_SIZE];
	struct seal_keys keys;
	int err = 0;

	if (derive(qr_key, &keys) || !mac_of(keys.mac, covered, mac))
		err = -ENOMEM;
	/* The MAC before the padding is looked at (encrypt-then-MAC): no oracle for either. */
	else if (!secret_eq(slice_of(mac, MAC_SIZE), slice_from(sealed, covered.n)))
		err = -EKEYREJECTED;
	else if (!cbc(false, keys.enc, sealed.p + HEAD_SIZE,
		      slice_from(covered, HEAD_SIZE + IV_SIZE), plain, len_out))
		err = -EBADMSG;
	else
		memcpy(out, plain, *len_out);
	wipe(&keys, sizeof(keys));
	wipe(plain, sizeof(plain));
	return err;
}

int letter_unprotect(struct slice sealed, const uint8_t qr_key[LETTER_QR_KEY_SIZE],
		     uint8_t out[LETTER_OCTETS_MAX], size_t *len_out, struct diag *diag)
{
	/* Wraps for what is too short, which is refused below before it is used. */
	size_t body = sealed.n - HEAD_SIZE - IV_SIZE - MAC_SIZE;
	int err = -EBADMSG;

	if (letter_is_protected(sealed) && sealed.p[1] != VERSION) {
		diag_error(diag, NULL,
			   "the letter is of version %u, this program knows version %u only",
			   sealed.p[1], (unsigned)VERSION);
		return -EPROTONOSUPPORT;
	}
	if (letter_is_protected(sealed) && sealed.n <= LETTER_OCTETS_MAX &&
	    sealed.n > HEAD_SIZE + IV_SIZE + MAC_SIZE && body % BLOCK_SIZE == 0)
		err = open_body(sealed, qr_key, out, len_out);
	if (err == -EBADMSG)
		diag_error(diag, NULL, "this is not a protected letter, or it is damaged");
	if (err == -EKEYREJECTED)
		diag_error(diag, NULL, "the QR key is not the one of this letter");
	return err;
}

void letter_qr_key_format(const uint8_t qr_key[LETTER_QR_KEY_SIZE],
			  char out[LETTER_QR_KEY_TEXT_SIZE])
{
	struct buf b = buf_over(out, LETTER_QR_KEY_TEXT_SIZE);

	for (size_t i = 0; i < LETTER_QR_KEY_SIZE; i += 2)
		buf_printf(&b, "%s%02X%02X", i ? " " : "", qr_key[i], qr_key[i + 1]);
}

int letter_qr_key_parse(struct slice text, uint8_t qr_key_out[LETTER_QR_KEY_SIZE])
{
	uint8_t digits[HEX_TEXT_SIZE(LETTER_QR_KEY_SIZE)];
	struct buf b = BUF_OF(digits);
	size_t n;
	int err;

	for (size_t i = 0; i < text.n; i++)
		if (!isspace(text.p[i]) && text.p[i] != '-')
			buf_put_char(&b, (char)text.p[i]);
	err = -EINVAL;
	if (buf_ok(&b) && b.len == 2 * LETTER_QR_KEY_SIZE)
		err = hex_decode(buf_slice(&b), qr_key_out, LETTER_QR_KEY_SIZE, &n);
	wipe(digits, sizeof(digits));
	return err;
}
