#include "tests/unit.h"

#include "tests/keys/party.h"

#include <string.h>

static void open_master(struct realm *realm)
{
	realm->curves = curves_new();
	assert_non_null(realm->curves);
	assert_int_equal(master_generate(realm->curves, &realm->master), 0);
}

void realm_open(struct realm *realm, const char *name)
{
	open_master(realm);
	assert_int_equal(domain_new(realm->curves, name,
				    slice_of(master_kpak(realm->master), KPAK_OCTETS),
				    slice_of(master_z(realm->master), Z_OCTETS), &realm->domain),
			 0);
}

void realm_open_hashed(struct realm *realm, const char *name, const char *kms_uri)
{
	const struct identity_uid_scheme scheme = { slice_str(kms_uri), 2592000, 0 };

	open_master(realm);
	assert_int_equal(domain_new_hashed(realm->curves, name,
					   slice_of(master_kpak(realm->master), KPAK_OCTETS),
					   slice_of(master_z(realm->master), Z_OCTETS), &scheme,
					   &realm->domain),
			 0);
}

void realm_close(struct realm *realm)
{
	domain_free(&realm->domain);
	master_free(&realm->master);
	curves_free(&realm->curves);
	assert_null(realm->curves);
}

struct keyset *realm_enrol(const struct realm *realm, const char *uri, int64_t first, unsigned n)
{
	struct keyset *keyset;

	assert_int_equal(keyset_new(realm->domain, slice_str(uri), &keyset), 0);
	for (int64_t period = first; period < first + n; period++) {
		struct issued_keys keys;

		assert_int_equal(master_issue_in(realm->master, realm->domain, slice_str(uri),
						 period, &keys),
				 0);
		assert_int_equal(keyset_add(keyset, period, &keys), 0);
		issued_wipe(&keys);
	}
	return keyset;
}
