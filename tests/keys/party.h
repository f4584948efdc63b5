/* party.h - a domain, and users of it with their keys loaded, for tests. */
#ifndef TESTS_KEYS_PARTY_H
#define TESTS_KEYS_PARTY_H

#include "keys/curves.h"
#include "keys/domain.h"
#include "keys/keyset.h"
#include "keys/master.h"

/* A key manager and its domain. */
struct realm {
	struct curves *curves;
	struct master *master;
	struct domain *domain;
};

/* Fails the test if anything does. */
void realm_open(struct realm *realm, const char *name);

/* The same with hashed identifiers of 30 days. */
void realm_open_hashed(struct realm *realm, const char *name, const char *kms_uri);
void realm_close(struct realm *realm);

/* A keyset of uri with the keys of n periods from `first` on. */
struct keyset *realm_enrol(const struct realm *realm, const char *uri, int64_t first, unsigned n);

#endif
