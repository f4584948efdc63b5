/* mikey_write.c - makes an I_MESSAGE: the secret sealed first, the signature last. */
#include "keys/mikey_priv.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/rand.h>

#include "base/buf.h"
#include "keys/domain_priv.h"
#include "keys/keyset_priv.h"
#include "keys/secret.h"

static const int64_t ntp_epoch = 2208988800;

/* Of hashed identifiers' peers: the CSB ID's highest digit is the key's purpose. */
enum { PURPOSE_PRIVATE_CALL = 1 };

struct mikey_draft {
	struct period_keys *from;
	const struct domain *to_domain;
	uint64_t ntp;
	uint8_t rand[MIKEY_RAND];
	uint32_t csb_id;
	uint8_t n_cs;
	char to[IDENTITY_URI_MAX + 1];
	uint8_t to_identifier[IDENTIFIER_MAX];
	size_t to_identifier_len;
	uint8_t sealed[SAKKE_SEALED];
	bool has_self;
	uint8_t to_self[SAKKE_SEALED];
};

/* NTP's seconds wrap around in 2036; the reader puts the era back (mikey_time_s()). */
static uint64_t ntp_of(int64_t time_ms)
{
	uint64_t s = (uint64_t)(time_ms / 1000 + ntp_epoch) & 0xffffffff;
	uint64_t fraction = ((uint64_t)(time_ms % 1000) << 32) / 1000;

	return s << 32 | fraction;
}

/* A secret of which neither g^r nor H begins with a zero octet, if that is asked
 * for: two of 256 are made anew. */
static int seal(struct mikey_draft *draft, bool avoid_zeros, uint8_t ssv[SAKKE_SSV])
{
	struct slice identifier = slice_of(draft->to_identifier, draft->to_identifier_len);
	struct sakke_zeros zeros;
	int err;

	do {
		if (RAND_priv_bytes(ssv, SAKKE_SSV) != 1)
			return -EIO;
		err = sakke_seal(domain_kms(draft->to_domain), identifier, ssv, draft->sealed,
				 &zeros);
	} while (!err && avoid_zeros && (zeros.of_value || zeros.of_hidden));
	return err;
}

/* The same secret for the sender's own identity: his other devices, and interception under the
 * domain's own rules, can open it. */
static int seal_to_self(struct mikey_draft *draft, const uint8_t ssv[SAKKE_SSV])
{
	draft->has_self = true;
	return sakke_seal(domain_kms(period_keys_domain(draft->from)),
			  period_keys_identifier(draft->from), ssv, draft->to_self, NULL);
}

static int begin(struct mikey_draft *draft, struct slice to, int64_t time_ms,
		 const struct mikey_options *options, struct mikey_keys *keys)
{
	uint8_t csb_id[4];
	int err = domain_identifier(draft->to_domain, to,
				    domain_period(draft->to_domain, time_ms / 1000),
				    draft->to_identifier, &draft->to_identifier_len);

	if (err)
		return err;
	/* It fits: domain_identifier() took it for an identity. */
	memcpy(draft->to, to.p, to.n);
	draft->ntp = ntp_of(time_ms);
	draft->n_cs = options->n_cs;
	if (RAND_bytes(draft->rand, MIKEY_RAND) != 1 || RAND_bytes(csb_id, sizeof(csb_id)) != 1)
		return -EIO;
	if (domain_id_scheme(draft->to_domain) == 2)
		csb_id[0] = (uint8_t)((csb_id[0] & 0x0f) | PURPOSE_PRIVATE_CALL << 4);
	draft->csb_id = (uint32_t)csb_id[0] << 24 | (uint32_t)csb_id[1] << 16 |
			(uint32_t)csb_id[2] << 8 | csb_id[3];
	err = seal(draft, options->avoid_leading_zeros, keys->tgk);
	if (!err && options->to_self)
		err = seal_to_self(draft, keys->tgk);
	memcpy(keys->rand, draft->rand, MIKEY_RAND);
	keys->csb_id = draft->csb_id;
	keys->prf = MIKEY_PRF_SHA256;
	keys->n_cs = draft->n_cs;
	return err;
}

int mikey_begin(struct period_keys *from, const struct domain *to_domain, struct slice to,
		int64_t time_ms, const struct mikey_options *options, struct mikey_keys *keys_out,
		struct mikey_draft **draft_out)
{
	static const struct mikey_options none;
	struct mikey_draft *draft;
	int err;

	if (!period_keys_can_sign(from) || time_ms < 0 ||
	    domain_period(period_keys_domain(from), time_ms / 1000) != period_keys_period(from))
		return -EINVAL;
	draft = calloc(1, sizeof(*draft));
	if (!draft)
		return -ENOMEM;
	draft->from = period_keys_hold(from);
	draft->to_domain = to_domain;
	err = begin(draft, to, time_ms, options ? options : &none, keys_out);
	if (err) {
		mikey_keys_wipe(keys_out);
		mikey_draft_free(&draft);
		return err;
	}
	*draft_out = draft;
	return 0;
}

void mikey_draft_free(struct mikey_draft **draftp)
{
	if (*draftp)
		period_keys_release(&(*draftp)->from);
	free(*draftp);
	*draftp = NULL;
}

static void put_header(struct buf *b, const struct mikey_draft *draft)
{
	buf_put_u8(b, MIKEY_VERSION);
	buf_put_u8(b, MIKEY_DATA_TYPE_SAKKE);
	buf_put_u8(b, MIKEY_T);
	buf_put_u8(b, MIKEY_PRF_SHA256);
	buf_put_u32(b, draft->csb_id);
	buf_put_u8(b, draft->n_cs);
	buf_put_u8(b, draft->n_cs ? MIKEY_MAP_SRTP : MIKEY_MAP_EMPTY);
	for (unsigned i = 0; i < draft->n_cs; i++) {
		buf_put_u8(b, 0);  /* policy number: there is no SP */
		buf_put_u32(b, 0); /* SSRC: the receiver's choice */
		buf_put_u32(b, 0); /* ROC */
	}
	buf_put_u8(b, MIKEY_RAND_PAYLOAD);
	buf_put_u8(b, MIKEY_TS_NTP_UTC);
	buf_put_u64(b, draft->ntp);
	buf_put_u8(b, MIKEY_IDR);
	buf_put_u8(b, MIKEY_RAND);
	buf_put(b, draft->rand, MIKEY_RAND);
}

static void put_identity(struct buf *b, uint8_t next, uint8_t role, struct slice value)
{
	buf_put_u8(b, next);
	buf_put_u8(b, role);
	buf_put_u8(b, MIKEY_ID_URI);
	buf_put_l16(b, value);
}

/* Hashed identifiers go in the place of the URIs, with roles of their own. */
static void put_party(struct buf *b, const struct domain *domain, uint8_t role, uint8_t role_hashed,
		      struct slice uri, struct slice identifier)
{
	if (domain_id_scheme(domain) == 2)
		put_identity(b, MIKEY_IDR, role_hashed, identifier);
	else
		put_identity(b, MIKEY_IDR, role, uri);
}

static void put_identities(struct buf *b, const struct mikey_draft *draft)
{
	const struct domain *from_domain = period_keys_domain(draft->from);

	put_party(b, from_domain, MIKEY_ROLE_INITIATOR, MIKEY_ROLE_INITIATOR_UID,
		  slice_str(period_keys_uri(draft->from)), period_keys_identifier(draft->from));
	put_party(b, draft->to_domain, MIKEY_ROLE_RESPONDER, MIKEY_ROLE_RESPONDER_UID,
		  slice_str(draft->to), slice_of(draft->to_identifier, draft->to_identifier_len));
	put_identity(b, MIKEY_IDR, MIKEY_ROLE_INITIATOR_KMS,
		     slice_str(domain_kms_uri(from_domain)));
	put_identity(b, MIKEY_SAKKE, MIKEY_ROLE_RESPONDER_KMS,
		     slice_str(domain_kms_uri(draft->to_domain)));
}

static void put_sakke(struct buf *b, uint8_t next, const struct domain *domain,
		      const uint8_t sealed[SAKKE_SEALED])
{
	buf_put_u8(b, next);
	buf_put_u8(b, MIKEY_SAKKE_PARAMS);
	buf_put_u8(b, domain_id_scheme(domain));
	buf_put_l16(b, slice_of(sealed, SAKKE_SEALED));
}

static void put_extensions(struct buf *b, const struct mikey_draft *draft, const uint8_t *extension)
{
	if (draft->has_self) {
		buf_put_u8(b, extension ? MIKEY_GENERAL : MIKEY_SIGN);
		buf_put_u8(b, MIKEY_GENERAL_TO_SELF);
		buf_put_u16(b, MIKEY_SAKKE_PAYLOAD);
		put_sakke(b, MIKEY_LAST, period_keys_domain(draft->from), draft->to_self);
	}
	if (extension) {
		buf_put_u8(b, MIKEY_SIGN);
		buf_put_u8(b, MIKEY_GENERAL_HASH);
		buf_put_l16(b, slice_of(extension, MIKEY_EXTENSION));
	}
}

int mikey_finish(struct mikey_draft **draftp, const uint8_t *extension, uint8_t out[MIKEY_MAX],
		 size_t *len_out)
{
	const struct mikey_draft *draft = *draftp;
	struct buf b = buf_over(out, MIKEY_MAX);
	int err = -EIO;

	/* Each payload names the one behind it, so what follows must be known as it is written. */
	put_header(&b, draft);
	put_identities(&b, draft);
	put_sakke(&b, draft->has_self || extension ? MIKEY_GENERAL : MIKEY_SIGN, draft->to_domain,
		  draft->sealed);
	put_extensions(&b, draft, extension);
	buf_put_u16(&b, MIKEY_SIGN_ECCSI << 12 | MIKEY_SIGN_DATA);
	if (buf_ok(&b) && b.len + MIKEY_SIGN_DATA <= MIKEY_MAX)
		/* Over all that stands before it, its own type and length included, as
		 * mikey_parse.c reads it. */
		err = eccsi_sign(domain_curves(period_keys_domain(draft->from))->eccsi,
				 period_keys_signer(draft->from), buf_slice(&b), NULL, out + b.len);
	if (!err)
		*len_out = b.len + MIKEY_SIGN_DATA;
	mikey_draft_free(draftp);
	return err;
}
