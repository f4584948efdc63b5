/* cmd_channel.c - cms channel ... */
#include "management/cms.h"

#include <errno.h>
#include <stdio.h>

#include "base/diag.h"
#include "management/channel.h"
#include "management/listing.h"

/* "cms channel add NAME". */
int cmd_channel_add(struct cms *cms)
{
	int err = channel_add(cms->db, cms->args[0], cms->diag);

	return err ? err : cms_log(cms, "channel", "added \"%s\"", cms->args[0]);
}

/* "cms channel delete NAME". */
int cmd_channel_delete(struct cms *cms)
{
	struct channel channel;
	int err = channel_find(cms->db, cms->args[0], &channel, cms->diag);

	if (!err)
		err = channel_delete(cms->db, &channel, cms->diag);
	return err ? err : cms_log(cms, "channel", "deleted \"%s\"", channel.name);
}

/* A user's URI; gateways take part in no channel (CMS manual, "Settings and
 * compatibility"). */
static int find_user(struct cms *cms, const char *number, struct person *person)
{
	char uri[IDENTITY_URI_MAX + 1];
	int err = person_uri(number, uri, cms->diag);

	return err ? err : person_find(cms->db, uri, false, person, cms->diag);
}

typedef int change_fn(sqlite3 *db, const struct channel *channel, const char *uri,
		      struct diag *diag);

/* Changes the membership of all numbers given, or of none. */
static int change(struct cms *cms, change_fn *change_member, const char *what)
{
	struct channel channel;
	struct person person;
	int err = channel_find(cms->db, cms->args[0], &channel, cms->diag);

	for (size_t i = 1; !err && i < cms->n_args; i++) {
		err = find_user(cms, cms->args[i], &person);
		if (!err)
			err = change_member(cms->db, &channel, person.uri, cms->diag);
		if (!err)
			err = cms_log(cms, "channel", "%s %s \"%s\"", person.uri, what,
				      channel.name);
	}
	return err;
}

/* "cms channel join NAME NUMBER...": members from the next update on. */
int cmd_channel_join(struct cms *cms)
{
	return change(cms, channel_join, "joined");
}

/* "cms channel leave NAME NUMBER...": members until the next update. */
int cmd_channel_leave(struct cms *cms)
{
	return change(cms, channel_leave, "left");
}

static int list_json(struct cms *cms, json_t *list, const struct channel *channel)
{
	json_t *members = json_array();
	char **uris;
	size_t n;
	int err = channel_members(cms->db, channel->uri, &uris, &n, cms->diag);

	if (err) {
		json_decref(members);
		return err;
	}
	for (size_t i = 0; i < n; i++)
		json_array_append_new(members, json_string(uris[i]));
	channel_members_free(uris, n);
	return listing_append(list, json_pack("{s:s, s:s, s:o}", "name", channel->name, "uri",
					      channel->uri, "members", members));
}

static int list_row(struct cms *cms, struct table *table, const struct channel *channel)
{
	char **uris;
	size_t n;
	int err = channel_members(cms->db, channel->uri, &uris, &n, cms->diag);

	if (err)
		return err;
	channel_members_free(uris, n);
	err = table_cell(table, channel->name);
	if (!err)
		err = table_cellf(table, "%zu", n);
	if (!err)
		err = table_cell(table, channel->uri);
	return err ? err : 1;
}

static int next_channel(struct cms *cms, sqlite3_stmt *rows, json_t *list, struct table *table)
{
	struct channel channel;
	int more = channel_next(rows, &channel, cms->diag);

	if (more <= 0)
		return more;
	return list ? list_json(cms, list, &channel) : list_row(cms, table, &channel);
}

/* "cms channel list": all, and how many members each has; --json names them. */
int cmd_channel_list(struct cms *cms)
{
	static const char *const head[] = { "NAME", "MEMBERS", "IDENTIFIER" };
	const struct listing listing = { head, sizeof(head) / sizeof(head[0]), next_channel };
	sqlite3_stmt *rows;
	int err = channel_list(cms->db, &rows, cms->diag);

	return err ? err : listing_print(cms, rows, &listing);
}
