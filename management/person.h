/* person.h - the users and gateways that the key manager knows. */
#ifndef MANAGEMENT_PERSON_H
#define MANAGEMENT_PERSON_H

#include "keys/identity.h"
#include "keys/letter.h"
#include "management/database.h"
#include "keys/vault.h"

enum { PERSON_NAME_MAX = 128 };

struct person {
	char uri[IDENTITY_URI_MAX + 1];
	char name[PERSON_NAME_MAX + 1];
	char comment[PERSON_NAME_MAX + 1]; /* as it was imported */
	uint32_t engines;                  /* of a gateway; 0: a user */
	uint32_t generation;
	uint32_t next_generation;                           /* after "destroy keys" */
	uint8_t update_key[UPDATE_KEY_SIZE + BOX_OVERHEAD]; /* sealed */
	int64_t added;                                      /* seconds, UTC */
	uint32_t letters;
	uint32_t letter_generation; /* 0: no letter yet */
	int64_t letter_created;
};

/* "tel:" and the number; numbers are in international format, "+" and 1 to 15
 * digits (CMS manual, "Add a single user").  Returns 0, or -EINVAL with diag set. */
int person_uri(const char *number, char uri_out[IDENTITY_URI_MAX + 1], struct diag *diag);

/* Adds person->uri, name and engines with a new update key.  Its generation is
 * first_generation, or the one after that in which it was deleted.  Returns 0, -EEXIST, -EINVAL
 * (the name, or fewer than LETTER_ENGINES_MIN engines), -EIO with diag set. */
int person_add(sqlite3 *db, const struct vault *vault, const struct person *person,
	       uint32_t first_generation, int64_t now_s, struct diag *diag);

/* Returns 0 or -ENOENT, -EIO with diag set.  gateway says which of the two is
 * wanted. */
int person_find(sqlite3 *db, const char *uri, bool gateway, struct person *person_out,
		struct diag *diag);
/* The same for either of the two. */
int person_find_any(sqlite3 *db, const char *uri, struct person *person_out, struct diag *diag);

/* All, or either kind, by URI: person_next() gives 1 for each, 0 behind the last,
 * -EIO; the caller finalizes rows. */
enum person_kind { PERSON_ANY, PERSON_USER, PERSON_GATEWAY };
/* Begins the listing.  Returns 0, or -EIO with diag set. */
int person_list(sqlite3 *db, enum person_kind kind, sqlite3_stmt **rows_out, struct diag *diag);
/* The next person of a listing; person_out is valid for 1 only. */
int person_next(sqlite3_stmt *rows, struct person *person_out, struct diag *diag);
/* How many there are of that kind.  Returns 0, or -EIO with diag set. */
int person_count(sqlite3 *db, enum person_kind kind, int64_t *count_out, struct diag *diag);

/* Deletes it; where a letter was made, a tombstone stays that every later update
 * carries. */
int person_delete(sqlite3 *db, const struct person *person, int64_t now_s, struct diag *diag);

/* "Destroy keys" (CMS manual, "Compromise recovery - User"): a higher generation
 * and another update key.  person is brought up to date. */
int person_rekey(sqlite3 *db, const struct vault *vault, struct person *person, struct diag *diag);

/* Changes name and engines. */
int person_change(sqlite3 *db, const struct person *person, struct diag *diag);

/* Notes that a letter of its present generation was made. */
int person_letter_made(sqlite3 *db, const struct person *person, int64_t created,
		       struct diag *diag);

/* Opens the update key; wipe it. */
int person_update_key(const struct vault *vault, const struct person *person,
		      uint8_t key_out[UPDATE_KEY_SIZE], struct diag *diag);

#endif
