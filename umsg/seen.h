/* seen.h - remembers which messages were taken, until their end.
 *
 * A repeat is known by (verified sender, id, signed hash); the same sender and id with
 * another hash is a conflict.  Memory is bounded: a full store takes what is new
 * without remembering it, because losing messages would be worse than showing one
 * twice.  Threads: one owner.
 */
#ifndef UMSG_SEEN_H
#define UMSG_SEEN_H

#include "base/slice.h"

struct umsg_seen;

enum umsg_seen_verdict { UMSG_SEEN_NEW, UMSG_SEEN_REPEAT, UMSG_SEEN_CONFLICT };

/* In memory only.  Returns 0, -EINVAL (max_entries is 0), or -ENOMEM. */
int umsg_seen_new(size_t max_entries, struct umsg_seen **seen_out);

/* Keeps the entries in a file, too (mode 0600; made if it is not there): it is read,
 * cleared of what is past at now_s and written anew here, then appended to, and written
 * anew when more than half of it is past.  A cut last record is dropped.  Returns 0, -EINVAL, -EBADMSG (a file of another form),
 * -ENOMEM, or -errno. */
int umsg_seen_open(const char *path, size_t max_entries, int64_t now_s,
		   struct umsg_seen **seen_out);

/* Closes the file. */
void umsg_seen_free(struct umsg_seen **seenp);

/* Was that message (sender's URI, id, SHA-256 of its octets) remembered?  CONFLICT: its id
 * was, with other octets. */
enum umsg_seen_verdict umsg_seen_check(const struct umsg_seen *seen, struct slice sender,
				       const uint8_t id[16], const uint8_t hash[32]);

/* Remembers a message until end_s; one that is there already stays as it is.
 * Returns 0, -ENOBUFS (full), -ENOMEM, or -errno when it could not be written to the
 * file (it is remembered in memory all the same). */
int umsg_seen_add(struct umsg_seen *seen, struct slice sender, const uint8_t id[16],
		  const uint8_t hash[32], int64_t end_s, int64_t now_s);

/* How many it holds. */
size_t umsg_seen_count(const struct umsg_seen *seen);

#endif
