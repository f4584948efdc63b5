/* update.h - the monthly update file (YYYY-MM.upd) that the key manager writes,
 * the rendezvous unpacks and every client takes its entry of.
 *
 * The index is for the rendezvous; behind it lie parts that the rendezvous can
 * neither read nor forge: one shared part, and an entry per user under that
 * user's update key.  Source: docs/key-management.md "Update files"; schema:
 * keys/update.proto.
 *
 * Threads: a struct update is constant once opened; any number may read it.
 */
#ifndef KEYS_UPDATE_H
#define KEYS_UPDATE_H

#include "keys/letter.h"

struct account_secret;
struct diag;
struct update;

enum {
	UPDATE_USERS_MAX = 1000000,
	UPDATE_CHANNELS_MAX = 50,      /* CMS manual, "Channel management" */
	UPDATE_CHANNEL_NAME_MAX = 128, /* octets */
	UPDATE_DOMAINS_MAX = 1000,
	UPDATE_ENTRY_MIN = 2048, /* octets of a sealed entry: a power of two */
	UPDATE_ENTRY_MAX = 65536,
	UPDATE_SHARED_KEY_SIZE = 32,
	UPDATE_HASH_SIZE = 32,
};

/* ---- the rendezvous ---- */

/* Opens a whole file, its index sealed or already opened.  account is the one
 * whose directory it lies in, secret that account's.  file stays the caller's and
 * must outlive the update.  Every part's place and hash is checked: a damaged part is
 * named in diag, counted, and absent below.  Returns 0, or
 *   -EBADMSG          not an update file, cut off, or its index is damaged
 *   -EPROTONOSUPPORT  a version we do not know
 *   -EPERM            of another account
 *   -EACCES           the index does not open under this secret
 *   -ENOMEM
 * with diag set. */
int update_open(struct slice file, const char *account, const struct account_secret *secret,
		struct update **update_out, struct diag *diag);
/* Frees *updatep and sets it to NULL; *updatep may be NULL.  The file's octets stay the
 * caller's. */
void update_free(struct update **updatep);

/* Which month it is for (period.h). */
int64_t update_month(const struct update *update); /* period.h */
/* Which writing of that month's file: a higher one replaces a lower one. */
uint32_t update_revision(const struct update *update);
/* When it was written, in seconds since 1970. */
uint64_t update_created(const struct update *update);
/* The longest that a message of this account may ask to be kept. */
uint32_t update_max_message_lifetime(const struct update *update); /* seconds; 0: none set */

/* The id of the account's security domain (DOMAIN_ID octets of domain.h), as lookups answer it;
 * NULL in a file that does not say it. */
const uint8_t *update_domain_id(const struct update *update);

/* Parts (entries and the shared one) whose hash or place is wrong. */
size_t update_damaged(const struct update *update);

/* Is a newer than b, both of one month: (revision, creation time) higher? */
bool update_newer(uint32_t revision_a, uint64_t created_a, uint32_t revision_b, uint64_t created_b);

struct update_user {
	const char *uri;
	uint32_t generation;
	struct slice entry; /* sealed; n 0: damaged */
};

/* How many users the index names, those too whose part is damaged. */
size_t update_users(const struct update *update);
/* One of them; what it points at belongs to the update. */
struct update_user update_user_at(const struct update *update, size_t i); /* i < update_users() */

/* Finds a user in logarithmic time; false when it is not listed. */
bool update_user_find(const struct update *update, struct slice uri, struct update_user *user_out);

/* How many URIs were users once and are no more. */
size_t update_tombstones(const struct update *update);
/* One of them (i below that number), as long as the update. */
const char *update_tombstone_at(const struct update *update, size_t i);

struct update_members {
	const char *channel; /* urn:uuid:... */
	const char *const *uris;
	size_t n;
};
/* How many channels there are. */
size_t update_channels(const struct update *update);
/* One of them (i below that number) with its members, as long as the update. */
struct update_members update_channel_at(const struct update *update, size_t i);

/* The sealed shared part, one for all clients; n 0: damaged. */
struct slice update_shared(const struct update *update);

/* The same file with its index opened, as it lies in accounts/ID/; malloc'd, the
 * caller frees.  Returns 0 or -ENOMEM. */
int update_write_opened(const struct update *update, uint8_t **file_out, size_t *len_out);

/* ---- the client ---- */

struct update_channel {
	char uri[IDENTITY_URI_MAX + 1];
	char name[UPDATE_CHANNEL_NAME_MAX + 1];
	uint8_t rsk[ISSUED_PACKED_RECEIVER]; /* compact form of issued.h */
};

/* A month of one user, gateway or client. */
struct update_entry {
	struct month_keys keys;
	uint32_t generation;
	char address[LETTER_ADDRESS_MAX + 1];
	char account[ACCOUNT_ID_MAX + 1];
	char tls_identity[ACCOUNT_IDENTITY_MAX + 1];
	uint8_t tls_key[ACCOUNT_PSK_SIZE];
	uint8_t shared_key[UPDATE_SHARED_KEY_SIZE];
	uint8_t shared_sha256[UPDATE_HASH_SIZE];
	struct update_channel *channels; /* owned */
	size_t n_channels;
	uint32_t engines;                  /* of a gateway; 0: a user */
	uint32_t max_message_lifetime;     /* seconds; 0: none set */
	uint32_t default_message_lifetime; /* seconds; 0: none set */
	bool intercept;
	bool multipath;
};

/* Opens a sealed entry.  Returns 0, -EACCES when it is not of this uri, month and
 * revision under this key (or damaged), -EBADMSG when what it holds is not an
 * entry, -ENOMEM.  On success free it with update_entry_free(). */
int update_entry_open(struct slice sealed, const uint8_t update_key[UPDATE_KEY_SIZE],
		      struct slice uri, int64_t month, uint32_t revision,
		      struct update_entry *entry_out);
/* Wipes the keys and frees what entry holds, but not entry itself. */
void update_entry_free(struct update_entry *entry);

struct update_domain {
	char name[LETTER_DOMAIN_MAX + 1];
	uint8_t kpak[P256_COMPRESSED];
	uint8_t z[SAKKE_COMPRESSED];
	uint64_t not_before, not_after; /* seconds, UTC; not_after 0: open */
};

struct update_common {
	char **users; /* owned; URIs of the own domain, sorted */
	size_t n_users;
	struct update_domain *domains; /* owned; trusted */
	size_t n_domains;
};

/* Opens the shared part that entry names.  Returns 0, -EACCES (not the one, or
 * damaged), -EBADMSG, -ENOMEM.  Free it with update_common_free(). */
int update_shared_open(struct slice sealed, const struct update_entry *entry,
		       struct update_common *common_out);
/* Frees what common holds; common is empty afterwards. */
void update_common_free(struct update_common *common);

/* ---- the key manager ---- */

struct update_writer;

/* Begins a file; common is sealed at once, under a fresh key, into it.
 * Returns NULL when memory or randomness is out, or account or common is not of
 * the form above. */
struct update_writer *update_writer_new(const char *account, int64_t month, uint32_t revision,
					uint64_t created, uint32_t max_message_lifetime,
					const struct update_common *common);
/* Wipes and frees *writerp and sets it to NULL; *writerp may be NULL. */
void update_writer_free(struct update_writer **writerp);

/* Appends a user's entry; shared_key, shared_sha256 and what the writer knows
 * (month, revision, creation time) need not be filled in.  URIs may come in any
 * order, each once.  Returns 0, -EINVAL, -E2BIG (too many channels), or -ENOMEM. */
int update_writer_add(struct update_writer *writer, const char *uri,
		      const uint8_t update_key[UPDATE_KEY_SIZE], const struct update_entry *entry);

/* A user that is no more; uri is copied.  Returns 0, -EINVAL (no URI of a user), or -ENOMEM. */
int update_writer_tombstone(struct update_writer *writer, const char *uri);
/* A channel with its members; all is copied, and the URIs are not looked at.  Returns 0,
 * -E2BIG (too many channels), or -ENOMEM. */
int update_writer_channel(struct update_writer *writer, const struct update_members *members);
/* Says whose users these are; id has DOMAIN_ID octets (domain.h) and is copied. */
void update_writer_domain(struct update_writer *writer, const uint8_t *id);

/* The whole file with a sealed index; malloc'd, the caller frees.  The writer can
 * only be freed afterwards.  Returns 0 or -errno. */
int update_writer_finish(struct update_writer *writer, const struct account_secret *secret,
			 uint8_t **file_out, size_t *len_out);

#endif
