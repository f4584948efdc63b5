/* keystore_priv.h - a store in memory, for the files that make up keystore.h. */
#ifndef KEYS_KEYSTORE_PRIV_H
#define KEYS_KEYSTORE_PRIV_H

#include "keys/keystore.h"
#include "keys/update.h"

enum {
	STORE_DEVICE_ID = KEYSTORE_DEVICE_ID_SIZE,
	STORE_DOMAIN_ID = 16, /* DOMAIN_ID of domain.h */
	STORE_MONTHS_MAX = 24,
	STORE_LOGINS_MAX = 8,
	STORE_PINS_MAX = 10000,
	STORE_FILE_MAX = 256 << 20, /* octets */
};

struct store_month {
	struct month_keys keys;
	size_t packed_n;                 /* ISSUED_PACKED, or ISSUED_PACKED_RECEIVER: over */
	struct update_channel *channels; /* owned */
	size_t n_channels;
};

struct store_login {
	int64_t month; /* used from its start */
	uint32_t generation;
	char address[LETTER_ADDRESS_MAX + 1];
	char account[ACCOUNT_ID_MAX + 1];
	char tls_identity[ACCOUNT_IDENTITY_MAX + 1];
	uint8_t tls_key[ACCOUNT_PSK_SIZE];
};

struct store_pin {
	char uri[IDENTITY_URI_MAX + 1];
	uint8_t domain[STORE_DOMAIN_ID];
};

struct store {
	char uri[IDENTITY_URI_MAX + 1];
	uint32_t generation;
	uint64_t letter_created;
	uint8_t device[STORE_DEVICE_ID];
	uint8_t update_key[UPDATE_KEY_SIZE];
	struct update_domain domain;
	struct store_login logins[STORE_LOGINS_MAX]; /* latest month first, then latest taken */
	size_t n_logins;
	struct store_month months[STORE_MONTHS_MAX]; /* earliest first */
	size_t n_months;
	uint64_t settings_created; /* of the update that common, engines and settings are of */
	struct update_common common;
	uint32_t engines;
	struct keystore_settings settings;
	struct store_pin *pins; /* owned */
	size_t n_pins;
};

struct keystore {
	char *path;
	enum keystore_mode mode;
	int lock_fd; /* -1: none */
	struct store store;
};

/* Writes a store's octets, malloc'd; the caller wipes and frees.  0 or -ENOMEM. */
int store_encode(const struct store *store, uint8_t **out, size_t *len_out);

/* Reads them.  Returns 0, -EBADMSG, -EPROTONOSUPPORT or -ENOMEM; on failure
 * store_out is empty. */
int store_decode(struct slice octets, struct store *store_out);

/* Wipes and frees what the store owns; it is then empty. */
void store_clear(struct store *store);

/* A copy of its own.  Returns 0 or -ENOMEM. */
int store_copy(const struct store *store, struct store *copy_out);

/* Writes the store to path, 0600.  Returns 0 or -errno. */
int store_write(const struct store *store, const char *path);

/* Reads path as keystore_load() does, without a lock. */
int store_read(const char *path, struct store *store_out, struct diag *diag);

/* Takes PATH.lock.  Returns the descriptor, or -EBUSY or -errno with diag set. */
int store_lock(const char *path, struct diag *diag);

/* The keys of one month (keys/period.h), or NULL. */
struct store_month *store_month_find(struct store *store, int64_t month);

/* Makes room for a month at its place (the earliest goes when all are taken) and
 * returns it, empty but for its number; the one that is there when it is there;
 * NULL for a month before all of a full store. */
struct store_month *store_month_make(struct store *store, int64_t month);

/* Wipes a month's keys and frees what it holds, but not month itself. */
void store_month_clear(struct store_month *month);

/* Is a month so long past that its keys are of no more use: its end plus the
 * messages' lifetime? */
bool store_month_gone(const struct store *store, int64_t month, int64_t now_s);

/* Puts the latest login of its month at its place; the last one goes when all are
 * taken, and nothing changes when the one that it follows says the same. */
void store_login_add(struct store *store, const struct store_login *login);

/* Are these keys those of the store's identity in that month and domain?
 * Returns 0, -EKEYREJECTED, -ENOMEM. */
int store_check_month(const struct store *store, const struct curves *curves,
		      const struct domain *domain, const struct store_month *month);

#endif
