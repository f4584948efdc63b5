/* master.c - the secrets of a key manager, and the keys that it issues with them. */
#include "keys/master.h"

#include <errno.h>
#include <stdlib.h>

#include "keys/curves_priv.h"
#include "keys/domain.h"
#include "keys/secret.h"

enum { VERSION = 1 };

/* KSAK and z are the domain: whoever has them can read and sign everything. */
struct master {
	const struct curves *curves;
	uint8_t ksak[ECCSI_SECRET];
	struct scalar z;
	uint8_t kpak[ECCSI_POINT];
	uint8_t public_z[SAKKE_POINT];
};

int master_generate(const struct curves *curves, struct master **master_out)
{
	struct master *master = calloc(1, sizeof(*master));
	int err;

	if (!master)
		return -ENOMEM;
	master->curves = curves;
	err = eccsi_generate(curves->eccsi, master->ksak, master->kpak);
	if (!err)
		err = scalar_random(&master->z);
	if (!err)
		err = sakke_public(curves->sakke, &master->z, master->public_z);
	if (err)
		master_free(&master);
	else
		*master_out = master;
	return err;
}

/* The public parts are computed again, so that they always belong to the secret ones. */
int master_read(const struct curves *curves, struct slice octets, struct master **master_out)
{
	struct master *master;
	int err;

	if (octets.n != MASTER_OCTETS || octets.p[0] != VERSION)
		return -EINVAL;
	master = calloc(1, sizeof(*master));
	if (!master)
		return -ENOMEM;
	master->curves = curves;
	memcpy(master->ksak, octets.p + 1, ECCSI_SECRET);
	err = eccsi_public(curves->eccsi, master->ksak, master->kpak);
	if (!err)
		err = scalar_read(&master->z, octets.p + 1 + ECCSI_SECRET);
	if (!err)
		err = sakke_public(curves->sakke, &master->z, master->public_z);
	if (err)
		master_free(&master);
	else
		*master_out = master;
	return err;
}

void master_write(const struct master *master, uint8_t out[MASTER_OCTETS])
{
	out[0] = VERSION;
	memcpy(out + 1, master->ksak, ECCSI_SECRET);
	scalar_write(&master->z, out + 1 + ECCSI_SECRET);
}

void master_free(struct master **masterp)
{
	if (*masterp)
		wipe(*masterp, sizeof(**masterp));
	free(*masterp);
	*masterp = NULL;
}

const uint8_t *master_kpak(const struct master *master)
{
	return master->kpak;
}

const uint8_t *master_z(const struct master *master)
{
	return master->public_z;
}

/* RFC 6507 5.1.1 and RFC 6508 6.1.1.  PVT holds fresh randomness: issuing twice gives two
 * SSKs of the same identity, both good. */
static int issue(const struct master *master, struct slice identifier, bool can_sign,
		 struct issued_keys *keys_out)
{
	int err = 0;

	issued_wipe(keys_out);
	keys_out->can_sign = can_sign;
	if (can_sign)
		err = eccsi_issue(master->curves->eccsi, master->ksak, identifier, NULL,
				  keys_out->ssk, keys_out->pvt);
	if (!err)
		err = sakke_issue(master->curves->sakke, &master->z, identifier, keys_out->rsk);
	if (err)
		issued_wipe(keys_out);
	return err == -EDOM ? -EINVAL
			    : err; /* -EDOM: this identity would be z, of chance 2^-1000 */
}

static bool is_channel(struct slice uri)
{
	enum identity_kind kind;

	return identity_check(uri, &kind) == 0 && kind == IDENTITY_CHANNEL;
}

int master_issue(const struct master *master, struct slice uri, int64_t month,
		 struct issued_keys *keys_out)
{
	uint8_t identifier[IDENTIFIER_MAX];
	size_t len;
	int err = identity_monthly(uri, month, identifier, &len);

	if (!err)
		err = issue(master, slice_of(identifier, len), !is_channel(uri), keys_out);
	return err;
}

int master_issue_in(const struct master *master, const struct domain *domain, struct slice uri,
		    int64_t period, struct issued_keys *keys_out)
{
	uint8_t identifier[IDENTIFIER_MAX];
	size_t len;
	int err = domain_identifier(domain, uri, period, identifier, &len);

	if (!err)
		err = issue(master, slice_of(identifier, len), !is_channel(uri), keys_out);
	return err;
}
