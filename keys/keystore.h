/* keystore.h - everything a device (phone, caller, gateway) holds, in one file:
 * `.ks.` and its URI, mode 0600, written atomically.
 *
 * A store begins with a letter (keystore_enrol()) and lives on by monthly updates
 * (keystore_apply_update()).  Each either takes effect as a whole, in the file and
 * in memory, or not at all.  A file that is damaged is refused, and never
 * overwritten: keep it, and enrol into another place.
 *
 * Whoever changes a store loads it KEYSTORE_CHANGE: a lock (PATH.lock) is held
 * from then to keystore_free(), so a second writer gets -EBUSY.  Readers need no
 * lock.  A long-running program therefore reads, and takes the lock only to apply.
 * Source: docs/key-management.md "Key store"; schema: keys/keystore.proto.
 *
 * Threads: one at a time.
 */
#ifndef KEYS_KEYSTORE_H
#define KEYS_KEYSTORE_H

#include "keys/letter.h"

struct curves;
struct diag;
struct domain;
struct keyset;
struct keystore;

enum {
	KEYSTORE_DEVICE_ID_SIZE = 16,
	KEYSTORE_LIFETIME_S = 30 * 86400, /* of messages where the domain sets none */
};

enum keystore_mode { KEYSTORE_READ, KEYSTORE_CHANGE };

/* DIR/.ks.URI; out holds outsz octets.  Returns 0, -EINVAL (no identity) or
 * -ENAMETOOLONG. */
int keystore_path(const char *dir, const char *uri, char *out, size_t outsz);

/* The path of the one store in dir: a device has one identity.  Locks and files that
 * are not complete do not count.  Returns 0, -ENOENT (no store, or no dir; diag is left
 * to the caller), or with diag set -EEXIST (several) or -errno; -ENAMETOOLONG. */
int keystore_find(const char *dir, char *out, size_t outsz, struct diag *diag);

/* Takes a letter's plain octets (letter_text.h and letter_unprotect() come before)
 * into the store at path, made if it is not there.  The keys are checked to be
 * those of the letter's identity, months and domain (some 0.1 s).  What the store
 * already holds of the same domain stays: device id, pins, past months' keys.
 * Returns 0, or with the reason in diag
 *   -EBADMSG         the letter is damaged, or the store is
 *   -EPROTONOSUPPORT a version we do not know
 *   -EKEYREJECTED    its keys are not those of its identity and domain
 *   -EPERM           it is for another URI than the store
 *   -ESTALE          older than what the store holds of that domain: a lower
 *                    generation, or the same one and an earlier creation time
 *   -EBUSY           another program is changing the store
 *   -errno           (file), -ENOMEM
 * and the store is as it was. */
int keystore_enrol(const struct curves *curves, struct slice letter, const char *path,
		   struct diag *diag);

/* Reads the store at path.  Returns 0, or -ENOENT, -EBADMSG (damaged),
 * -EPROTONOSUPPORT (a newer version's), -EPERM (others can read the file),
 * -EBUSY, -errno with diag set. */
int keystore_load(const char *path, enum keystore_mode mode, struct keystore **ks_out,
		  struct diag *diag);

/* Wipes, and gives the lock back. */
void keystore_free(struct keystore **ksp);

/* Writes a store that was loaded KEYSTORE_CHANGE.  Returns 0 or -errno. */
int keystore_save(struct keystore *ks);

/* ---- what it says ---- */

/* The device's own URI. */
const char *keystore_uri(const struct keystore *ks);
/* Its account at the rendezvous. */
const char *keystore_account(const struct keystore *ks);
/* The name of the own domain. */
const char *keystore_domain_name(const struct keystore *ks);
/* Which of the user's letters enrolled the device; a later letter has a higher one. */
uint32_t keystore_generation(const struct keystore *ks);
/* When that letter was made. */
uint64_t keystore_letter_created(const struct keystore *ks); /* seconds, UTC */
/* Random at the enrolment; tells the devices of one user apart. */
const uint8_t *keystore_device_id(const struct keystore *ks); /* 16 octets */
/* How many calls a gateway may carry at once. */
uint32_t keystore_engines(const struct keystore *ks); /* of a gateway; 0: a user */

struct keystore_settings {
	uint32_t max_message_lifetime;     /* seconds; 0: none set */
	uint32_t default_message_lifetime; /* seconds; 0: none set */
	bool intercept;
	bool multipath;
};
/* Those of the last update that was applied. */
struct keystore_settings keystore_settings(const struct keystore *ks);

/* How to reach the rendezvous.  Entry 0 is what to try first at now_s: of the
 * latest month that has begun; the others are former ones, to be tried in turn
 * until one later than they was accepted.  Returns false behind the last. */
struct keystore_login {
	const char *address; /* HOST:PORT */
	const char *identity;
	const uint8_t *key; /* ACCOUNT_PSK_SIZE */
	uint32_t generation;
};
/* login_out points into the store and is valid until that changes. */
bool keystore_login_at(const struct keystore *ks, int64_t now_s, size_t i,
		       struct keystore_login *login_out);

/* The rendezvous accepted entry i of keystore_login_at(): forgets those it
 * replaces.  True when something changed (then save). */
bool keystore_login_accepted(struct keystore *ks, int64_t now_s, size_t i);

/* What we hold of a month: its update's revision and creation time.  False when
 * there are no keys of that month. */
bool keystore_month(const struct keystore *ks, int64_t month, uint32_t *revision_out,
		    uint64_t *created_out);

/* The newest month held, for the registration. */
int64_t keystore_newest_month(const struct keystore *ks);

/* Is uri a user of the own domain, as the last update says?  Before the first
 * update only the own URI is known. */
bool keystore_own_user(const struct keystore *ks, struct slice uri);
/* How many users of the own domain the last update named. */
size_t keystore_own_users(const struct keystore *ks);
/* The URI of one of them (i below that number), as long as the store is unchanged. */
const char *keystore_own_user_at(const struct keystore *ks, size_t i);

/* ---- keys to use ---- */

/* The own domain.  The caller frees it, after all keysets of it. */
int keystore_domain(const struct keystore *ks, const struct curves *curves,
		    struct domain **domain_out);

/* Trusted domains of the last update, by index; -ENOENT behind the last.  Times are
 * the certificate's, in seconds; not_after 0: open. */
int keystore_trusted_domain(const struct keystore *ks, const struct curves *curves, size_t i,
			    struct domain **domain_out, uint64_t *not_before_out,
			    uint64_t *not_after_out);

/* The own identity's keys of all months held, loaded and checked (some 30 ms a
 * month).  domain is that of keystore_domain() and must live longer.
 * Returns 0, -EKEYREJECTED, -ENOMEM. */
int keystore_keyset(const struct keystore *ks, const struct curves *curves,
		    const struct domain *domain, struct keyset **keyset_out);

/* Channels of the newest month that has begun at now_s. */
size_t keystore_channels(const struct keystore *ks, int64_t now_s);
/* The URI and the name of one, which point into the store.  Returns 0 or -ENOENT. */
int keystore_channel_at(const struct keystore *ks, int64_t now_s, size_t i, const char **uri_out,
			const char **name_out);

/* The receiver keys of a channel, all months held.  Returns 0, -ENOENT,
 * -EKEYREJECTED, -ENOMEM. */
int keystore_channel_keyset(const struct keystore *ks, const struct curves *curves,
			    const struct domain *domain, struct slice uri,
			    struct keyset **keyset_out);

/* ---- what changes it ---- */

/* Takes a month's update: the sealed entry of the own URI and, unless it is empty,
 * the sealed shared part.  The keys are checked as at enrolment.  Saves the store.
 * Returns 0, or with the reason in diag
 *   -EACCES        the entry or the shared part does not open: another's, or damaged
 *   -EBADMSG       what it holds is not an entry
 *   -ESTALE        not newer than what the store holds of that month, or of a month
 *                  long past
 *   -EKEYREJECTED  its keys are not those of this identity, month and domain
 *   -errno         the file could not be written, -ENOMEM
 * and the store is as it was, in memory and on disk. */
int keystore_apply_update(struct keystore *ks, const struct curves *curves, int64_t month,
			  uint32_t revision, struct slice entry, struct slice shared, int64_t now_s,
			  struct diag *diag);

/* Wipes what is past: the signing key of a month that is over, and a month's
 * receiver keys when its end plus the domain's maximum message lifetime is past.
 * True when something changed (then save). */
bool keystore_expire(struct keystore *ks, int64_t now_s);

/* Pins: which domain (DOMAIN_ID octets) a URI of another domain was first met
 * with.  keystore_pin() sets or replaces; then save.  There are 10,000 at most: behind
 * them a new one pushes out the oldest of its own domain, or, of a domain without any, the
 * oldest.  Returns 0, -EINVAL (no identity), -ENOMEM. */
const uint8_t *keystore_pinned(const struct keystore *ks, struct slice uri); /* NULL: none */
/* uri is copied. */
int keystore_pin(struct keystore *ks, struct slice uri, const uint8_t *domain_id);

#endif
