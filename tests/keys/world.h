/* world.h - a domain with its master keys, another one, and a directory for the
 * store of one device: what the tests of the key store need.
 */
#ifndef TESTS_KEYS_WORLD_H
#define TESTS_KEYS_WORLD_H

#include "tests/unit.h"

#include "keys/curves.h"
#include "keys/domain.h"
#include "keys/keystore.h"
#include "keys/master.h"
#include "tests/keys/sample.h"

#define WORLD_URI "tel:+46706764287"

enum { WORLD_NOW = SAMPLE_TIME + 60 };

struct world {
	struct curves *curves;
	struct master *master, *other;
	struct domain *domain, *other_domain;
	char dir[64];
	char path[128]; /* of the store */
};

/* Group setup and teardown; each test begins without a store. */
int world_make(void **state);
int world_end(void **state);
int world_clean(void **state);

/* Keys as a master issues them, packed. */
void world_issue(const struct master *master, const char *uri, int64_t month, uint8_t *packed);

/* A letter with real keys of so many months; each month more takes its time. */
struct letter world_letter(const struct world *w, size_t n_months);

int world_enrol(const struct world *w, const struct letter *letter);
struct keystore *world_load(const struct world *w, enum keystore_mode mode);

/* An update's entry for WORLD_URI with real keys of that month; and with a shared part as it lies
 * in a file, sealed under the user's update key. */
struct update_entry world_entry(const struct world *w, int64_t month, uint32_t revision);
struct world_parts {
	uint8_t *entry, *shared;
	size_t entry_n, shared_n;
};
struct world_parts world_parts(struct update_entry *entry, const uint8_t *update_key);
void world_parts_free(struct world_parts *parts);

/* What lies at path, to see that it stays so; the check frees it. */
struct snapshot {
	uint8_t *p;
	size_t n;
};
struct snapshot world_snapshot(const struct world *w);
void world_check_unchanged(const struct world *w, struct snapshot *before);

#endif
