/* mikey.c - what all of a message's life needs: verdicts, and the keys that come out of it. */
#include "keys/mikey_priv.h"

#include <errno.h>

#include "keys/domain.h"
#include "keys/kdf.h"
#include "keys/secret.h"

static const char *const verdict_names[] = {
	[MIKEY_OK] = "ok",
	[MIKEY_MALFORMED] = "malformed",
	[MIKEY_TOO_OLD] = "too-old",
	[MIKEY_TOO_NEW] = "too-new",
	[MIKEY_WRONG_SENDER] = "wrong-sender",
	[MIKEY_WRONG_RECEIVER] = "wrong-receiver",
	[MIKEY_WRONG_DOMAIN] = "wrong-domain",
	[MIKEY_WRONG_PERIOD] = "wrong-period",
	[MIKEY_BAD_SIGNATURE] = "bad-signature",
	[MIKEY_BAD_SAKKE] = "bad-sakke",
	[MIKEY_NO_MEMORY] = "no-memory",
};

const char *mikey_verdict_name(enum mikey_verdict verdict)
{
	return verdict_names[verdict];
}

/* Whoever sent the message learns from the error only that it was refused. */
int mikey_error(enum mikey_verdict verdict)
{
	switch (verdict) {
	case MIKEY_OK:
		return 0;
	case MIKEY_NO_MEMORY:
		return -ENOMEM;
	default:
		return -EBADMSG;
	}
}

void mikey_keys_wipe(struct mikey_keys *keys)
{
	wipe(keys, sizeof(*keys));
}

/* RAND is the salt (docs/umsg.md, PRK): both sides have it from the message. */
int mikey_prk(const struct mikey_keys *keys, uint8_t prk_out[32])
{
	return kdf_extract(slice_of(keys->rand, MIKEY_RAND), slice_of(keys->tgk, MIKEY_TGK),
			   prk_out);
}
