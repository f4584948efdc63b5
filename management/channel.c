/* channel.c - channels and memberships in the database. */
#include "management/channel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/rand.h>

#include "base/diag.h"
#include "base/encode.h"
#include "base/text.h"

enum { UUID_SIZE = 16 };

/* urn:uuid: with a random UUID (RFC 9562 section 5.4). */
static int make_uri(char out[IDENTITY_URI_MAX + 1])
{
	uint8_t uuid[UUID_SIZE];
	char hex[HEX_TEXT_SIZE(UUID_SIZE)];

	if (RAND_bytes(uuid, sizeof(uuid)) != 1)
		return -EIO;
	/* Version 4 and variant 10; the other 122 bits are random. */
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
	hex_encode(slice_of(uuid, sizeof(uuid)), hex);
	snprintf(out, IDENTITY_URI_MAX + 1, "urn:uuid:%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8,
		 hex + 12, hex + 16, hex + 20);
	return 0;
}

/* The bound is that of update files: a channel more, and none could be made. */
static int check_room(sqlite3 *db, struct diag *diag)
{
	int64_t count;
	int err = database_integer(db, "SELECT COUNT(*) FROM channels", NULL, 0, 0, &count, diag);

	if (!err && count >= UPDATE_CHANNELS_MAX) {
		diag_error(diag, NULL, "there are %d channels, which is as many as there may be",
			   UPDATE_CHANNELS_MAX);
		return -ENOSPC;
	}
	return err;
}

int channel_add(sqlite3 *db, const char *name, struct diag *diag)
{
	char uri[IDENTITY_URI_MAX + 1];
	struct db_value row[2];
	int err;

	if (!*name || strlen(name) > UPDATE_CHANNEL_NAME_MAX || !text_is_clean(slice_str(name))) {
		diag_error(diag, NULL,
			   "a channel's name is text of 1 to %d octets without controls",
			   UPDATE_CHANNEL_NAME_MAX);
		return -EINVAL;
	}
	err = check_room(db, diag);
	if (!err)
		err = make_uri(uri);
	if (err)
		return err;
	/* That the name is new is the database's to say (UNIQUE). */
	row[0] = db_text(name);
	row[1] = db_text(uri);
	err = database_run(db, "INSERT INTO channels (name, uri) VALUES (?, ?)", row, 2, diag);
	if (err == -EEXIST)
		diag_error(diag, NULL, "there is a channel \"%s\" already", name);
	return err;
}

int channel_next(sqlite3_stmt *rows, struct channel *channel, struct diag *diag)
{
	int err = database_next(rows, diag);

	*channel = (struct channel){ 0 };
	if (err != 1)
		return err;
	if (database_column_text(rows, 0, channel->uri, sizeof(channel->uri)) ||
	    database_column_text(rows, 1, channel->name, sizeof(channel->name))) {
		diag_error(diag, NULL, "the database's row of a channel is damaged");
		return -EIO;
	}
	return 1;
}

int channel_list(sqlite3 *db, sqlite3_stmt **rows_out, struct diag *diag)
{
	return database_query(db, "SELECT uri, name FROM channels ORDER BY name", NULL, 0, rows_out,
			      diag);
}

int channel_find(sqlite3 *db, const char *name, struct channel *channel_out, struct diag *diag)
{
	const struct db_value values[] = { db_text(name) };
	sqlite3_stmt *rows;
	int err = database_query(db, "SELECT uri, name FROM channels WHERE name = ?", values, 1,
				 &rows, diag);

	if (err)
		return err;
	err = channel_next(rows, channel_out, diag);
	sqlite3_finalize(rows);
	if (err == 0)
		diag_error(diag, NULL, "there is no channel \"%s\"", name);
	return err == 1 ? 0 : err == 0 ? -ENOENT : err;
}

/* The memberships go with it, by the schema (ON DELETE CASCADE). */
int channel_delete(sqlite3 *db, const struct channel *channel, struct diag *diag)
{
	const struct db_value values[] = { db_text(channel->uri) };

	return database_run(db, "DELETE FROM channels WHERE uri = ?", values, 1, diag);
}

int channel_join(sqlite3 *db, const struct channel *channel, const char *uri, struct diag *diag)
{
	const struct db_value values[] = { db_text(channel->uri), db_text(uri) };

	/* Ignored is the pair that is there already, not a channel or person that is not. */
	return database_run(db, "INSERT OR IGNORE INTO members (channel, uri) VALUES (?, ?)",
			    values, 2, diag);
}

int channel_leave(sqlite3 *db, const struct channel *channel, const char *uri, struct diag *diag)
{
	const struct db_value values[] = { db_text(channel->uri), db_text(uri) };

	return database_run(db, "DELETE FROM members WHERE channel = ? AND uri = ?", values, 2,
			    diag);
}

int channel_has(sqlite3 *db, const char *channel, const char *uri, bool *member_out,
		struct diag *diag)
{
	const struct db_value values[] = { db_text(channel), db_text(uri) };
	int64_t count = 0;
	int err = database_integer(db, "SELECT COUNT(*) FROM members WHERE channel = ? AND uri = ?",
				   values, 2, 0, &count, diag);

	*member_out = count > 0;
	return err;
}

void channel_members_free(char **uris, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(uris[i]);
	free(uris);
}

static int append(char ***uris, size_t *n, sqlite3_stmt *rows)
{
	char uri[IDENTITY_URI_MAX + 1], **more;
	int err = database_column_text(rows, 0, uri, sizeof(uri));

	if (err)
		return err;
	/* One more at a time: members were typed in, one by one. */
	more = realloc(*uris, (*n + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	*uris = more;
	more[*n] = strdup(uri);
	if (!more[*n])
		return -ENOMEM;
	++*n;
	return 0;
}

int channel_members(sqlite3 *db, const char *channel, char ***uris_out, size_t *n_out,
		    struct diag *diag)
{
	const struct db_value values[] = { db_text(channel) };
	sqlite3_stmt *rows;
	char **uris = NULL;
	size_t n = 0;
	int more, err = database_query(db, "SELECT uri FROM members WHERE channel = ? ORDER BY uri",
				       values, 1, &rows, diag);

	if (err)
		return err;
	while (!err && (more = database_next(rows, diag)) != 0)
		err = more < 0 ? more : append(&uris, &n, rows);
	sqlite3_finalize(rows);
	if (err) {
		channel_members_free(uris, n);
		return err;
	}
	*uris_out = uris;
	*n_out = n;
	return 0;
}
