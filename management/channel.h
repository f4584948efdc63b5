/* channel.h - channels: identities of their own whose receiver key all members
 * hold (CMS manual, "Channel management").
 *
 * A channel has a random identifier; its name is seen by its members only, and is
 * in no part of an update file that the rendezvous can open.
 */
#ifndef MANAGEMENT_CHANNEL_H
#define MANAGEMENT_CHANNEL_H

#include "keys/identity.h"
#include "keys/update.h"
#include "management/database.h"

struct channel {
	char uri[IDENTITY_URI_MAX + 1];
	char name[UPDATE_CHANNEL_NAME_MAX + 1];
};

/* Makes a channel with a new identifier.  Returns 0, -EINVAL (the name), -EEXIST,
 * -ENOSPC (UPDATE_CHANNELS_MAX of them), -EIO with diag set. */
int channel_add(sqlite3 *db, const char *name, struct diag *diag);

/* Returns 0 or -ENOENT, -EIO with diag set. */
int channel_find(sqlite3 *db, const char *name, struct channel *channel_out, struct diag *diag);

/* With all memberships; devices keep their conversations. */
int channel_delete(sqlite3 *db, const struct channel *channel, struct diag *diag);

/* Adding a member again, or taking out one who is none, changes nothing. */
int channel_join(sqlite3 *db, const struct channel *channel, const char *uri, struct diag *diag);
/* What the members had until then stays readable to them; the next update no longer gives
 * uri the channel's keys. */
int channel_leave(sqlite3 *db, const struct channel *channel, const char *uri, struct diag *diag);

/* All by name: channel_next() gives 1 for each, 0 behind the last, -EIO; the
 * caller finalizes. */
int channel_list(sqlite3 *db, sqlite3_stmt **rows_out, struct diag *diag);
/* The next channel of a listing; channel_out is valid for 1 only. */
int channel_next(sqlite3_stmt *rows, struct channel *channel_out, struct diag *diag);

/* Is uri a member of the channel of that URI?  Returns 0, or -EIO with diag set. */
int channel_has(sqlite3 *db, const char *channel, const char *uri, bool *member_out,
		struct diag *diag);

/* The members' URIs, sorted; free them with channel_members_free(). */
int channel_members(sqlite3 *db, const char *channel, char ***uris_out, size_t *n_out,
		    struct diag *diag);
/* Frees the n URIs and the list; uris may be NULL. */
void channel_members_free(char **uris, size_t n);

#endif
