/* issue_update.c - update files. */
#include "management/issue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/encode.h"
#include "keys/domain.h"
#include "keys/secret.h"
#include "keys/update.h"
#include "management/channel.h"
#include "management/issue_priv.h"
#include "management/peer.h"

/* Ordered by URI, as the shared part has to be.  A row that is damaged is told by
 * add_entries(), which reads the same ones. */
static int list_users(sqlite3 *db, struct update_common *common, struct diag *diag)
{
	struct person person;
	sqlite3_stmt *rows;
	int64_t count;
	int err = person_count(db, PERSON_ANY, &count, diag);

	if (err)
		return err;
	/* The count is of the same transaction, so it is that of the rows below. */
	common->users = calloc((size_t)count + 1, sizeof(*common->users));
	if (!common->users)
		return -ENOMEM;
	err = person_list(db, PERSON_ANY, &rows, diag);
	while (!err && common->n_users < (size_t)count && person_next(rows, &person, diag) == 1) {
		common->users[common->n_users] = strdup(person.uri);
		err = common->users[common->n_users] ? 0 : -ENOMEM;
		common->n_users += !err;
	}
	sqlite3_finalize(rows);
	return err;
}

static int list_domains(sqlite3 *db, struct update_common *common, struct diag *diag)
{
	sqlite3_stmt *rows;
	struct peer peer;
	int more, err;

	common->domains = calloc(UPDATE_DOMAINS_MAX, sizeof(*common->domains));
	if (!common->domains)
		return -ENOMEM;
	err = peer_list(db, &rows, diag);
	if (err)
		return err;
	while (!err && common->n_domains < UPDATE_DOMAINS_MAX &&
	       (more = peer_next(rows, &peer, diag)) != 0) {
		err = more < 0 ? more : 0;
		if (!err)
			common->domains[common->n_domains++] = peer.domain;
	}
	sqlite3_finalize(rows);
	return err;
}

/* All channels, with the keys of one month. */
struct month_channels {
	struct update_channel list[UPDATE_CHANNELS_MAX];
	size_t n;
};

static int issue_channels(struct issuer *issuer, int64_t month, struct month_channels *channels,
			  struct diag *diag)
{
	struct channel channel;
	sqlite3_stmt *rows;
	int more, err = channel_list(issuer->db, &rows, diag);

	if (err)
		return err;
	while (!err && channels->n < UPDATE_CHANNELS_MAX &&
	       (more = channel_next(rows, &channel, diag)) != 0) {
		struct update_channel *to = &channels->list[channels->n];
		uint8_t packed[ISSUED_PACKED];

		err = more < 0 ? more : issue_keys(issuer, channel.uri, month, packed, diag);
		memcpy(to->uri, channel.uri, sizeof(to->uri));
		memcpy(to->name, channel.name, sizeof(to->name));
		/* A channel's packed keys are its receiver key alone, so it stands in front. */
		memcpy(to->rsk, packed, sizeof(to->rsk));
		wipe(packed, sizeof(packed));
		channels->n += !err;
	}
	sqlite3_finalize(rows);
	return err;
}

/* Those of them that a person is a member of. */
static int own_channels(struct issuer *issuer, const char *uri, const struct month_channels *all,
			struct month_channels *own, struct diag *diag)
{
	int err = 0;

	own->n = 0;
	for (size_t i = 0; !err && i < all->n; i++) {
		bool member;

		/* A look-up in an index for each: channels are few, and users need not be held in
		 * memory. */
		err = channel_has(issuer->db, all->list[i].uri, uri, &member, diag);
		if (!err && member)
			own->list[own->n++] = all->list[i];
	}
	return err;
}

/* Everything that one user's device needs for a month, sealed under that user's update key:
 * neither the rendezvous nor another user opens it. */
static int add_entry(struct issuer *issuer, struct update_writer *writer,
		     const struct person *person, int64_t month,
		     const struct month_channels *channels, struct diag *diag)
{
	struct month_channels own;
	const struct settings *settings = &issuer->settings;
	struct update_entry entry = {
		.generation = person->generation,
		.engines = person->engines,
		.max_message_lifetime = (uint32_t)settings->max_message_lifetime,
		.default_message_lifetime = (uint32_t)settings->default_message_lifetime,
		.intercept = settings->intercept != 0,
		.multipath = settings->multipath != 0,
	};
	uint8_t update_key[UPDATE_KEY_SIZE];
	int err;

	entry.channels = own.list;
	memcpy(entry.address, settings->address, sizeof(entry.address));
	memcpy(entry.account, settings->account, sizeof(entry.account));
	err = issue_keys(issuer, person->uri, month, entry.keys.packed, diag);
	if (!err)
		err = issue_login(issuer, person, entry.tls_identity, entry.tls_key, diag);
	if (!err)
		err = person_update_key(issuer->vault, person, update_key, diag);
	if (!err)
		err = own_channels(issuer, person->uri, channels, &own, diag);
	if (!err) {
		entry.n_channels = own.n;
		err = update_writer_add(writer, person->uri, update_key, &entry);
		if (err)
			diag_error(diag, NULL, "no entry can be made for %s: %s", person->uri,
				   strerror(-err));
	}
	wipe(update_key, sizeof(update_key));
	wipe(&own, sizeof(own));
	wipe(&entry, sizeof(entry));
	return err;
}

static int add_entries(struct issuer *issuer, struct update_writer *writer, int64_t month,
		       const struct month_channels *channels, issue_progress_fn *progress,
		       void *arg, struct issued_update *update, struct diag *diag)
{
	struct person person;
	sqlite3_stmt *rows;
	int64_t total;
	int more, err = person_count(issuer->db, PERSON_ANY, &total, diag);

	if (!err)
		err = person_list(issuer->db, PERSON_ANY, &rows, diag);
	if (err)
		return err;
	while (!err && (more = person_next(rows, &person, diag)) != 0) {
		err = more < 0 ? more : add_entry(issuer, writer, &person, month, channels, diag);
		update->people += !err;
		progress(arg, update->people, (size_t)total);
	}
	sqlite3_finalize(rows);
	return err;
}

/* Without them the rendezvous could not tell a deleted user from one that an old file did not
 * name. */
static int add_tombstones(sqlite3 *db, struct update_writer *writer, struct diag *diag)
{
	char uri[IDENTITY_URI_MAX + 1];
	sqlite3_stmt *rows;
	int more, err = database_query(db, "SELECT uri FROM tombstones ORDER BY uri", NULL, 0,
				       &rows, diag);

	if (err)
		return err;
	while (!err && (more = database_next(rows, diag)) != 0) {
		err = more < 0 ? more : database_column_text(rows, 0, uri, sizeof(uri));
		if (!err)
			err = update_writer_tombstone(writer, uri);
	}
	sqlite3_finalize(rows);
	return err;
}

/* A channel's members, told to the rendezvous; its name is not. */
static int add_members(sqlite3 *db, struct update_writer *writer, const char *channel,
		       struct diag *diag)
{
	struct update_members members = { .channel = channel };
	char **uris = NULL;
	int err = channel_members(db, channel, &uris, &members.n, diag);

	members.uris = (const char *const *)uris;
	if (!err)
		err = update_writer_channel(writer, &members);
	channel_members_free(uris, members.n);
	return err;
}

static int add_channels(sqlite3 *db, struct update_writer *writer,
			const struct month_channels *channels, struct diag *diag)
{
	int err = 0;

	for (size_t i = 0; !err && i < channels->n; i++)
		err = add_members(db, writer, channels->list[i].uri, diag);
	return err;
}

/* The domain's id is the beginning of its fingerprint. */
static int add_domain(const struct settings *settings, struct update_writer *writer)
{
	uint8_t id[DOMAIN_ID];
	size_t n = 0;
	int err = hex_decode(slice_of(settings->fingerprint, 2 * sizeof(id)), id, sizeof(id), &n);

	if (!err)
		update_writer_domain(writer, id);
	return err;
}

/* All that a file holds but its head. */
static int fill(struct issuer *issuer, struct update_writer *writer, int64_t month,
		issue_progress_fn *progress, void *arg, struct issued_update *update,
		struct diag *diag)
{
	struct month_channels channels = { .n = 0 };
	int err = add_domain(&issuer->settings, writer);

	if (!err)
		err = issue_channels(issuer, month, &channels, diag);

	if (!err)
		err = add_entries(issuer, writer, month, &channels, progress, arg, update, diag);
	if (!err)
		err = add_channels(issuer->db, writer, &channels, diag);
	if (!err)
		err = add_tombstones(issuer->db, writer, diag);
	wipe(&channels, sizeof(channels));
	return err;
}

/* In the transaction of the whole command: a file that is not written leaves no revision
 * behind. */
static int note_update(struct issuer *issuer, int64_t month, uint32_t revision, struct diag *diag)
{
	const struct db_value values[] = { db_integer(month), db_integer(revision),
					   db_integer(issuer->created) };
	int err = database_run(issuer->db,
			       "INSERT OR REPLACE INTO updates (month, revision, created) "
			       "VALUES (?, ?, ?)",
			       values, 3, diag);

	return err ? err : issue_note_time(issuer, diag);
}

int issue_update(struct issuer *issuer, int64_t month, issue_progress_fn *progress, void *arg,
		 struct issued_update *update, struct diag *diag)
{
	struct update_common common = { 0 };
	struct update_writer *writer = NULL;
	uint32_t last;
	int err = issue_revision(issuer->db, month, issuer->settings.base, &last, diag);

	*update = (struct issued_update){ .revision = last + 1 };
	if (!err)
		err = list_users(issuer->db, &common, diag);
	if (!err)
		err = list_domains(issuer->db, &common, diag);
	if (!err) {
		writer =
			update_writer_new(issuer->settings.account, month, update->revision,
					  (uint64_t)issuer->created,
					  (uint32_t)issuer->settings.max_message_lifetime, &common);
		/* The shared part is sealed by this: users and domains had to be listed before. */
		err = writer ? 0 : -ENOMEM;
	}
	if (!err)
		err = fill(issuer, writer, month, progress, arg, update, diag);
	if (!err)
		err = note_update(issuer, month, update->revision, diag);
	if (!err)
		err = update_writer_finish(writer, &issuer->secret, &update->file, &update->n);
	if (err && diag_errors(diag) == 0)
		diag_error(diag, NULL, "the update file cannot be made: %s", strerror(-err));
	update_writer_free(&writer);
	update_common_free(&common);
	return err;
}
