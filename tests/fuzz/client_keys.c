#include "tests/fuzz/client_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keys/issued.h"
#include "keys/master.h"
#include "keys/period.h"
#include "tests/fuzz/fake_clock.h"
#include "umsg/client_priv.h"

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void enrol(struct keys *keys, const struct master *master, const char *path)
{
	struct letter letter = { .uri = OWN,
				 .generation = 1,
				 .created = FAKE_CLOCK_START_S,
				 .account = "acme",
				 .address = "192.0.2.1:5223",
				 .domain = "Example",
				 .tls_identity = "someone",
				 .n_months = 2 };
	uint8_t octets[LETTER_OCTETS_MAX];
	struct issued_keys issued;
	size_t n;

	domain_pack(keys->domain, letter.kpak, letter.z);
	for (size_t i = 0; i < 2; i++) {
		letter.months[i].month = period_of(FAKE_CLOCK_START_S) + (int64_t)i;
		letter.months[i].revision = 1;
		letter.months[i].created = letter.created;
		expect(master_issue(master, slice_str(OWN), letter.months[i].month, &issued) == 0);
		expect(issued_pack(&issued, letter.months[i].packed, &n) == 0);
	}
	expect(letter_encode(&letter, octets, &n) == 0);
	expect(keystore_enrol(keys->curves, slice_of(octets, n), path, NULL) == 0);
}

static void load(struct keys *keys, const struct master *master)
{
	char dir[] = "/tmp/fuzz_client.XXXXXX", path[64], lock[80];

	expect(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/store", dir);
	snprintf(lock, sizeof(lock), "%s.lock", path);
	enrol(keys, master, path);
	expect(keystore_load(path, KEYSTORE_READ, &keys->store, NULL) == 0);
	expect(keystore_keyset(keys->store, keys->curves, keys->domain, &keys->keyset) == 0);
	unlink(path);
	unlink(lock);
	rmdir(dir);
}

void client_keys_make(struct keys *keys)
{
	struct master *master;

	keys->curves = curves_new();
	expect(keys->curves && master_generate(keys->curves, &master) == 0);
	expect(domain_new(keys->curves, "Example", slice_of(master_kpak(master), KPAK_OCTETS),
			  slice_of(master_z(master), Z_OCTETS), &keys->domain) == 0);
	load(keys, master);
	master_free(&master);
}
