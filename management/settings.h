/* settings.h - what the key manager knows of its domain and its rendezvous.
 *
 * Kept in the database's table of settings; the account's secret and the master
 * keys are sealed.
 */
#ifndef MANAGEMENT_SETTINGS_H
#define MANAGEMENT_SETTINGS_H

#include "keys/account.h"
#include "keys/letter.h"
#include "keys/master.h"
#include "management/database.h"
#include "keys/vault.h"

struct settings {
	char domain[LETTER_DOMAIN_MAX + 1];
	char fingerprint[65]; /* of KPAK and Z, hexadecimal; its first half is the domain's id */
	uint8_t kpak[P256_COMPRESSED];
	uint8_t z[SAKKE_COMPRESSED];
	char address[LETTER_ADDRESS_MAX + 1];
	char account[ACCOUNT_ID_MAX + 1];
	int64_t max_message_lifetime;     /* seconds; 0: none set */
	int64_t default_message_lifetime; /* seconds; 0: none set */
	int64_t intercept, multipath;     /* 0 or 1 */
	int64_t last_created;             /* creation time of the last letter or update */
	int64_t base; /* generations and revisions begin above it: 100 a restore */
};

enum { LIFETIME_MIN_S = 3600, LIFETIME_MAX_S = 366 * 86400 };

/* Return 0 or -EIO, -EBADMSG with diag set. */
int settings_load(sqlite3 *db, struct settings *settings_out, struct diag *diag);

/* Writes all of them, and nothing that is sealed. */
int settings_save(sqlite3 *db, const struct settings *settings, struct diag *diag);

/* Are domain, address, account and lifetimes as they must be?  Says what is not. */
bool settings_check(const struct settings *settings, struct diag *diag);

/* "30d", "12h", "90m": seconds from LIFETIME_MIN_S to LIFETIME_MAX_S.  0 or -EINVAL. */
int settings_parse_lifetime(const char *text, int64_t *seconds_out);

/* The vault's lock. */
int settings_set_lock(sqlite3 *db, const uint8_t lock[VAULT_LOCK_SIZE], struct diag *diag);
/* Returns 0, -EIO with diag set. */
int settings_lock(sqlite3 *db, uint8_t lock_out[VAULT_LOCK_SIZE], struct diag *diag);

/* The account's secret, as its administrator gave it. */
int settings_set_secret(sqlite3 *db, const struct vault *vault, struct slice text,
			struct diag *diag);

/* Opens it and makes of it what keys derive from. */
int settings_secret(sqlite3 *db, const struct vault *vault, const char *account,
		    struct account_secret *secret_out, struct diag *diag);

/* The master keys. */
int settings_set_master(sqlite3 *db, const struct vault *vault, const struct master *master,
			struct diag *diag);
/* Opens them with the vault.  Returns 0, or -errno with diag set; free *master_out with
 * master_free(). */
int settings_master(sqlite3 *db, const struct vault *vault, const struct curves *curves,
		    struct master **master_out, struct diag *diag);

#endif
