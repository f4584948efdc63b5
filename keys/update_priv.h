/* update_priv.h - the layout that reader and writer of an update file share. */
#ifndef KEYS_UPDATE_PRIV_H
#define KEYS_UPDATE_PRIV_H

#include "base/buf.h"
#include "keys/update.h"

/* A file begins so, all integers big-endian:
 *
 *	"UPD"  version 1  form  L(account)  L(period)  revision (4)
 *	creation time (8)  length of the index (4)  index  parts
 */
enum {
	UPDATE_VERSION = 1,
	UPDATE_HEAD_MAX = 4 + 1 + 2 + ACCOUNT_ID_MAX + 2 + 7 + 4 + 8 + 4,
	UPDATE_AAD_MAX = 2 + IDENTITY_URI_MAX + 2 + 7 + 4 + 8 + 1,
	UPDATE_INDEX_MAX = 256 << 20,
};

enum update_form {
	UPDATE_OPENED = 0, /* the index and SHA-256 over everything before that */
	UPDATE_SEALED = 1, /* AES-256-GCM under HKDF(account secret, "update") */
};

struct update_head {
	enum update_form form;
	char account[ACCOUNT_ID_MAX + 1];
	int64_t month;
	uint32_t revision;
	uint64_t created;
	size_t index_n;
};

/* The head as it stands in the file: what it is, in which form, and how long the index is. */
void update_head_write(struct buf *b, const struct update_head *head);

/* Additional data of the index, of an entry and of the shared part. */
void update_index_aad(struct buf *b, const struct update_head *head);
void update_entry_aad(struct buf *b, struct slice uri, int64_t month, uint32_t revision);
/* created ties the shared part to one file: the same month's next revision cannot have it. */
void update_shared_aad(struct buf *b, int64_t month, uint32_t revision, uint64_t created);

/* HKDF(account secret, "update"), 32 octets. */
int update_index_key(const struct account_secret *secret, uint8_t key[32]);

/* Seals and pads an entry into malloc'd octets: a power of two of them. */
int update_entry_seal(const struct update_entry *entry, const uint8_t update_key[UPDATE_KEY_SIZE],
		      struct slice uri, uint8_t **out, size_t *len_out);

/* Seals common under key into malloc'd octets. */
int update_shared_seal(const struct update_common *common, const struct update_head *head,
		       const uint8_t key[UPDATE_SHARED_KEY_SIZE], uint8_t **out, size_t *len_out);

/* Copies users into common, which is zero, and makes room for n_domains domains that the
 * caller reads one by one; n_domains of common counts them, so that half a list can be freed.
 * Returns 0, -EBADMSG (more of either than there may be) or -ENOMEM; update_common_free()
 * in any case. */
int update_common_begin(struct update_common *common, char *const *users, size_t n_users,
			size_t n_domains);

/* Is uri one of a user (identity.h)? */
bool update_user_valid(const char *uri);

struct Keys__UpdateDomain;

/* A domain's message points at the domain. */
bool update_domain_valid(const struct update_domain *domain);
/* m borrows all from domain: pack it while domain is there, and never free it. */
void update_domain_message(const struct update_domain *domain, struct Keys__UpdateDomain *m);
/* Copies all; false when a field is missing, too long, or not of its exact size. */
bool update_domain_read(const struct Keys__UpdateDomain *m, struct update_domain *domain_out);

#endif
