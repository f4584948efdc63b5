/* mikey_open.c - verifies a parsed I_MESSAGE and opens its secret. */
#include "keys/mikey_priv.h"

#include <errno.h>

#include "keys/domain_priv.h"
#include "keys/keyset_priv.h"

/* Trouble of our own is no verdict on the message. */
static enum mikey_verdict verdict_of(int err, enum mikey_verdict otherwise)
{
	if (err == 0)
		return MIKEY_OK;
	return err == -ENOMEM || err == -EIO ? MIKEY_NO_MEMORY : otherwise;
}

/* Is it the URI itself, or (by its role) the identifier made from it? */
static bool names(struct slice value, bool hashed, const struct domain *domain, struct slice uri,
		  struct slice identifier)
{
	if (hashed)
		return domain_id_scheme(domain) == 2 && slice_eq(value, identifier);
	return slice_eq(value, uri);
}

/* RFC 3830 5.4: outside of the window the replay cache could not tell a repetition. */
static enum mikey_verdict check_time(const struct mikey_message *message,
				     const struct mikey_expect *expect)
{
	int64_t t = mikey_time_s(message);

	if (expect->now_s - t > expect->past_s)
		return MIKEY_TOO_OLD;
	return t - expect->now_s > expect->future_s ? MIKEY_TOO_NEW : MIKEY_OK;
}

/* Cheap comparisons first: no signature is verified that was not meant for us. */
static enum mikey_verdict check_receiver(const struct mikey_message *message,
					 const struct period_keys *own)
{
	const struct domain *domain = period_keys_domain(own);

	if (domain_period(domain, mikey_time_s(message)) != period_keys_period(own))
		return MIKEY_WRONG_PERIOD;
	if (!slice_eq_str(message->to_kms, domain_kms_uri(domain)) ||
	    message->id_scheme != domain_id_scheme(domain))
		return MIKEY_WRONG_DOMAIN;
	if (!names(message->to, message->to_hashed, domain, slice_str(period_keys_uri(own)),
		   period_keys_identifier(own)))
		return MIKEY_WRONG_RECEIVER;
	return MIKEY_OK;
}

/* The identifier that verifies the signature is made from the URI that the frame names, so
 * that what was authenticated is what is shown. */
static enum mikey_verdict check_sender(const struct mikey_message *message, struct slice from,
				       const struct domain *domain)
{
	uint8_t identifier[IDENTIFIER_MAX];
	size_t len;
	int err;

	if (!slice_eq_str(message->from_kms, domain_kms_uri(domain)))
		return MIKEY_WRONG_DOMAIN;
	err = domain_identifier(domain, from, domain_period(domain, mikey_time_s(message)),
				identifier, &len);
	if (err)
		return verdict_of(err, MIKEY_WRONG_SENDER);
	if (!names(message->from, message->from_hashed, domain, from, slice_of(identifier, len)))
		return MIKEY_WRONG_SENDER;
	err = eccsi_verify(domain_curves(domain)->eccsi, domain_kpak(domain),
			   slice_of(identifier, len), message->signed_part, message->signature);
	return verdict_of(err, MIKEY_BAD_SIGNATURE);
}

/* The order matters for what a stranger can make us do: the signature (0.08 ms) comes before
 * the decapsulation (0.7 ms), and both after all that costs nothing. */
enum mikey_verdict mikey_verify(const struct mikey_message *message,
				const struct mikey_expect *expect, const struct period_keys *own)
{
	enum mikey_verdict verdict = check_time(message, expect);

	if (verdict == MIKEY_OK)
		verdict = check_receiver(message, own);
	if (verdict == MIKEY_OK)
		verdict = check_sender(message, expect->from, expect->from_domain);
	return verdict;
}

enum mikey_verdict mikey_verify_own(const struct mikey_message *message,
				    const struct mikey_expect *expect)
{
	enum mikey_verdict verdict = check_time(message, expect);

	if (verdict == MIKEY_OK)
		verdict = check_sender(message, expect->from, expect->from_domain);
	return verdict;
}

static enum mikey_verdict decapsulate(const struct mikey_message *message, struct slice sealed,
				      const struct period_keys *own, struct mikey_keys *keys_out)
{
	int err = sakke_open(period_keys_receiver(own), sealed, keys_out->tgk);

	memcpy(keys_out->rand, message->rand, MIKEY_RAND);
	keys_out->csb_id = message->csb_id;
	keys_out->prf = message->prf;
	keys_out->n_cs = message->n_cs;
	if (err)
		mikey_keys_wipe(keys_out);
	return verdict_of(err, MIKEY_BAD_SAKKE);
}

enum mikey_verdict mikey_decapsulate(const struct mikey_message *message,
				     const struct period_keys *own, struct mikey_keys *keys_out)
{
	return decapsulate(message, message->sakke, own, keys_out);
}

enum mikey_verdict mikey_decapsulate_own(const struct mikey_message *message,
					 const struct period_keys *own, struct mikey_keys *keys_out)
{
	return decapsulate(message, message->to_self, own, keys_out);
}
