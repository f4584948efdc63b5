/* domain.c - a security domain's public keys and what follows from them: fingerprint, id, KMS
 * URI, identifiers. */
#include "keys/domain_priv.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/sha.h>

#include "base/encode.h"
#include "keys/curve.h"
#include "keys/period.h"

enum { ID_SCHEME_MONTHLY = 1, ID_SCHEME_HASHED = 2 };

/* Ours.  The hash of the keys stands behind it, so no two domains have one KMS URI. */
static const char kms_prefix[] = "urn:x-umsg:domain:";

struct domain {
	const struct curves *curves;
	struct sakke_kms *kms;
	uint8_t id_scheme;
	struct identity_uid_scheme scheme; /* its URI is kms_uri; ID scheme 2 only */
	char name[DOMAIN_NAME_MAX + 1];
	char kms_uri[DOMAIN_KMS_URI_MAX + 1];
	char id_text[DOMAIN_ID_TEXT];
	uint8_t fingerprint[SHA256_DIGEST_LENGTH];
	uint8_t public[KPAK_OCTETS + Z_OCTETS]; /* KPAK || Z */
};

/* Points come compressed or not.  What is hashed is the uncompressed form, so that one domain
 * has one fingerprint however its certificate was written. */
static int set_keys(struct domain *domain, struct slice kpak, struct slice z)
{
	struct curve_point point;
	int err = eccsi_point_read(domain->curves->eccsi, kpak, domain->public);

	if (!err)
		err = curve_read(&point, z);
	if (!err)
		err = sakke_kms_new(domain->curves->sakke, z, &domain->kms);
	if (err)
		return err;
	curve_write(&point, domain->public + KPAK_OCTETS);
	SHA256(domain->public, sizeof(domain->public), domain->fingerprint);
	hex_encode(slice_of(domain->fingerprint, DOMAIN_ID), domain->id_text);
	return 0;
}

/* What both kinds of domain share; the caller sets scheme and KMS URI. */
static int domain_make(const struct curves *curves, const char *name, struct slice kpak,
		       struct slice z, struct domain **domain_out)
{
	size_t n = strlen(name);
	struct domain *domain;
	int err;

	if (n == 0 || n > DOMAIN_NAME_MAX)
		return -EINVAL;
	domain = calloc(1, sizeof(*domain));
	if (!domain)
		return -ENOMEM;
	domain->curves = curves;
	memcpy(domain->name, name, n);
	err = set_keys(domain, kpak, z);
	if (err)
		domain_free(&domain);
	else
		*domain_out = domain;
	return err;
}

int domain_new(const struct curves *curves, const char *name, struct slice kpak, struct slice z,
	       struct domain **domain_out)
{
	int err = domain_make(curves, name, kpak, z, domain_out);

	if (err)
		return err;
	(*domain_out)->id_scheme = ID_SCHEME_MONTHLY;
	memcpy((*domain_out)->kms_uri, kms_prefix, sizeof(kms_prefix) - 1);
	memcpy((*domain_out)->kms_uri + sizeof(kms_prefix) - 1, (*domain_out)->id_text,
	       DOMAIN_ID_TEXT);
	return 0;
}

/* Identifiers of RFC 6509 3.2 are a year and month and the URI; here they are 3GPP's: a hash
 * over URI, KMS and period (TS 33.180 F.2.1). */
int domain_new_hashed(const struct curves *curves, const char *name, struct slice kpak,
		      struct slice z, const struct identity_uid_scheme *scheme,
		      struct domain **domain_out)
{
	struct domain *domain = NULL;
	int err;

	if (scheme->kms_uri.n == 0 || scheme->kms_uri.n > DOMAIN_KMS_URI_MAX ||
	    scheme->period_s == 0)
		return -EINVAL;
	err = domain_make(curves, name, kpak, z, &domain);
	if (err)
		return err;
	domain->id_scheme = ID_SCHEME_HASHED;
	memcpy(domain->kms_uri, scheme->kms_uri.p, scheme->kms_uri.n);
	domain->scheme = *scheme;
	/* At the domain's copy, not the caller's text. */
	domain->scheme.kms_uri = slice_of(domain->kms_uri, scheme->kms_uri.n);
	*domain_out = domain;
	return 0;
}

void domain_free(struct domain **domainp)
{
	if (*domainp)
		sakke_kms_free(&(*domainp)->kms);
	free(*domainp);
	*domainp = NULL;
}

const char *domain_name(const struct domain *domain)
{
	return domain->name;
}

const uint8_t *domain_id(const struct domain *domain)
{
	return domain->fingerprint;
}

const uint8_t *domain_fingerprint(const struct domain *domain)
{
	return domain->fingerprint;
}

const char *domain_id_text(const struct domain *domain)
{
	return domain->id_text;
}

const char *domain_kms_uri(const struct domain *domain)
{
	return domain->kms_uri;
}

const uint8_t *domain_kpak(const struct domain *domain)
{
	return domain->public;
}

const uint8_t *domain_z(const struct domain *domain)
{
	return domain->public + KPAK_OCTETS;
}

/* The last octet of y tells its sign. */
void domain_pack(const struct domain *domain, uint8_t kpak_out[33], uint8_t z_out[129])
{
	const uint8_t *kpak = domain_kpak(domain), *z = domain_z(domain);

	kpak_out[0] = 2 | (kpak[KPAK_OCTETS - 1] & 1);
	memcpy(kpak_out + 1, kpak + 1, 32);
	z_out[0] = 2 | (z[Z_OCTETS - 1] & 1);
	memcpy(z_out + 1, z + 1, 128);
}

uint8_t domain_id_scheme(const struct domain *domain)
{
	return domain->id_scheme;
}

int64_t domain_period(const struct domain *domain, int64_t unix_s)
{
	if (domain->id_scheme == ID_SCHEME_HASHED)
		return identity_uid_period(&domain->scheme, unix_s);
	return period_of(unix_s);
}

int64_t domain_period_start(const struct domain *domain, int64_t period)
{
	if (domain->id_scheme == ID_SCHEME_HASHED)
		return identity_uid_period_start(&domain->scheme, period);
	return period_start(period);
}

int domain_identifier(const struct domain *domain, struct slice uri, int64_t period,
		      uint8_t out[IDENTIFIER_MAX], size_t *len_out)
{
	int err;

	if (domain->id_scheme != ID_SCHEME_HASHED)
		return identity_monthly(uri, period, out, len_out);
	/* The hash would take any text; only a canonical URI is an identity. */
	err = identity_check(uri, NULL);
	if (!err)
		err = identity_uid(&domain->scheme, uri, period, out);
	if (!err)
		*len_out = IDENTITY_UID;
	return err;
}

const struct curves *domain_curves(const struct domain *domain)
{
	return domain->curves;
}

const struct sakke_kms *domain_kms(const struct domain *domain)
{
	return domain->kms;
}
