/* replay.h - remembers which messages were taken, for as long as they would be
 * accepted again (RFC 3830 5.4).
 *
 * An entry is a hash of sender and RAND and the time at which it may be
 * forgotten.  Memory is bounded; a full cache refuses what is new rather than
 * forget what is old.  Ask only for messages whose signature was verified, so
 * that strangers cannot fill it.  Threads: one owner.
 */
#ifndef KEYS_REPLAY_H
#define KEYS_REPLAY_H

#include "base/slice.h"

struct replay;

/* In memory only.  Returns 0, -EINVAL (max_entries is 0), or -ENOMEM. */
int replay_new(size_t max_entries, struct replay **replay_out);

/* Keeps the entries in a file, too (mode 0600; made if it is not there), so that
 * they survive a restart; it is read, cleared of what is past at now_s and
 * written anew here, then only appended to.  A cut last record is dropped; a file
 * of another form is refused.  An entry is on the disk when
 * replay_take() returns: a host that lost its power may be back well within the
 * five minutes of a call's window.
 * Returns 0, -EINVAL, -EBADMSG (another form), -ENOBUFS (it holds more than
 * max_entries), -ENOMEM, or -errno. */
int replay_open(const char *path, size_t max_entries, int64_t now_s, struct replay **replay_out);

/* Closes the file. */
void replay_free(struct replay **replayp);

/* Takes (sender, rand) if it is new and keeps it until until_s.
 * Returns 0 when it is new, -EEXIST when it was seen before, -ENOBUFS when the
 * cache is full, -errno when it could not be written to the file (then it was
 * not taken). */
int replay_take(struct replay *replay, struct slice sender, struct slice rand, int64_t now_s,
		int64_t until_s);

/* Entries held, past ones that were not yet cleared included. */
size_t replay_count(const struct replay *replay);

#endif
