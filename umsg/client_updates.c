/* client_updates.c - fetching monthly updates, piece by piece: first the own entry, then
 * the shared part; the owner applies them, and that is confirmed.
 */
#include "umsg/client_priv.h"

#include <stdio.h>
#include <stdlib.h>

#include "keys/period.h"
#include "keys/update.h"

/* Octets. */
enum { SHARED_MAX = 64 << 20 };

struct update_fetch {
	char month[PERIOD_TEXT_SIZE];
	uint32_t revision;
	uint64_t created;
	Umsg__UpdateWhat what; /* being fetched */
	uint8_t *part[2];
	uint32_t total[2], got[2];
	uint64_t request;
	bool handed_over; /* the owner is at it */
};

void client_drop_update(struct umsg_client *client)
{
	struct update_fetch *u = client->update;

	if (!u)
		return;
	free(u->part[0]);
	free(u->part[1]);
	free(u);
	client->update = NULL;
}

static void name_of(struct update_fetch *u, Umsg__UpdateName *name_out)
{
	umsg__update_name__init(name_out);
	name_out->month = u->month;
	name_out->revision = u->revision;
	name_out->created = u->created;
}

static void ask(struct umsg_client *client)
{
	struct update_fetch *u = client->update;
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__UpdateGet get = UMSG__UPDATE_GET__INIT;
	Umsg__UpdateName name;

	name_of(u, &name);
	get.month = u->month;
	get.what = u->what;
	get.offset = u->got[u->what];
	/* The pieces must be of one revision: the rendezvous refuses when a new one has come. */
	get.expected = &name;
	u->request = ++client->requests;
	frame.request = u->request;
	frame.body_case = UMSG__FRAME__BODY_UPDATE_GET;
	frame.update_get = &get;
	/* The next registration tells of it again. */
	if (client_send(client, &frame) < 0)
		client_drop_update(client);
}

/* So that an owner who goes on with its old keys is not asked again and again. */
static bool was_applied(const struct umsg_client *client, const Umsg__UpdateName *name)
{
	for (size_t i = 0; i < CLIENT_APPLIED; i++) {
		const struct client_applied *a = &client->applied[i];

		if (strcmp(a->month, name->month) == 0 && a->revision == name->revision &&
		    a->created == name->created)
			return true;
	}
	return false;
}

static void confirm(struct umsg_client *client, Umsg__UpdateName *name)
{
	struct client_applied *a = &client->applied[client->n_applied++ % CLIENT_APPLIED];
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__UpdateConfirm body = UMSG__UPDATE_CONFIRM__INIT;

	snprintf(a->month, sizeof(a->month), "%s", name->month);
	a->revision = name->revision;
	a->created = name->created;
	body.name = name;
	frame.request = ++client->requests;
	frame.body_case = UMSG__FRAME__BODY_UPDATE_CONFIRM;
	frame.update_confirm = &body;
	client_send(client, &frame);
}

/* Is it newer than what the key store holds of that month? */
static bool wanted(const struct umsg_client *client, const Umsg__UpdateName *name)
{
	uint32_t revision;
	uint64_t created;
	int64_t month;

	if (was_applied(client, name) || period_parse(slice_str(name->month), &month) < 0)
		return false;
	if (!keystore_month(client->keys.store, month, &revision, &created))
		return true;
	return update_newer(name->revision, name->created, revision, created);
}

/* Is it what the key store holds, though it was not confirmed by this program?  One that ended,
 * or lost its connection, between the last octet on its disk and the confirmation is made up for
 * so. */
static bool unconfirmed(const struct umsg_client *client, const Umsg__UpdateName *name)
{
	uint32_t revision;
	uint64_t created;
	int64_t month;

	return !was_applied(client, name) && period_parse(slice_str(name->month), &month) == 0 &&
	       keystore_month(client->keys.store, month, &revision, &created) &&
	       revision == name->revision && created == name->created;
}

/* One at a time: a second one would take memory for nothing, as both go through the same store. */
void client_offer_updates(struct umsg_client *client, Umsg__UpdateName *const *names, size_t n)
{
	struct update_fetch *u;

	for (size_t i = 0; i < n && !client->update; i++) {
		if (unconfirmed(client, names[i]))
			confirm(client, names[i]);
		if (!wanted(client, names[i]))
			continue;
		u = calloc(1, sizeof(*u));
		if (!u)
			return;
		memcpy(u->month, names[i]->month, sizeof(u->month));
		u->revision = names[i]->revision;
		u->created = names[i]->created;
		client->update = u;
		ask(client);
	}
}

/* Afterwards the next registration tells of further months. */
static void finish(struct umsg_client *client, bool applied)
{
	struct update_fetch *u = client->update;
	Umsg__UpdateName name;

	log_info(CLIENT_LOG, "%s: update %s revision %u %s", client_uri(client), u->month,
		 u->revision, applied ? "applied" : "was not applied");
	if (applied) {
		name_of(u, &name);
		confirm(client, &name);
	}
	client_drop_update(client);
	if (applied)
		client_register(client);
}

/* Everything is there. */
static void hand_over(struct umsg_client *client)
{
	struct update_fetch *u = client->update;
	enum umsg_update_outcome outcome = UMSG_UPDATE_REFUSED;
	int64_t month = 0;

	period_parse(slice_str(u->month), &month);
	u->handed_over = true;
	if (client->ops->update)
		outcome = client->ops->update(client->arg, month, u->revision,
					      slice_of(u->part[0], u->total[0]),
					      slice_of(u->part[1], u->total[1]));
	/* Not where the connection ended meanwhile, either. */
	if (client->update == u && outcome != UMSG_UPDATE_LATER)
		finish(client, outcome == UMSG_UPDATE_APPLIED);
}

/* A fetch that began after the connection was lost is another one: it goes on, and the keys
 * that it brings are no news by then. */
void umsg_client_update_done(struct umsg_client *client, bool applied)
{
	if (client->update && client->update->handed_over)
		finish(client, applied);
	else if (applied && client->link &&
		 (client->state == UMSG_ATTACHED || client->state == UMSG_UPDATES_ONLY))
		client_register(client);
}

/* Takes a piece.  False when it does not fit what was asked for. */
static bool take(struct update_fetch *u, const Umsg__UpdatePart *part)
{
	int what = (int)u->what;
	uint32_t most =
		part->what == UMSG__UPDATE_WHAT__UPDATE_ENTRY ? UPDATE_ENTRY_MAX : SHARED_MAX;

	if (part->what != u->what || part->name->revision != u->revision ||
	    part->name->created != u->created || strcmp(part->name->month, u->month) != 0 ||
	    part->offset != u->got[what] || part->total == 0 || part->total > most ||
	    part->data.len == 0 || (u->part[what] && part->total != u->total[what]))
		return false;
	if (!u->part[what]) {
		/* The total of the first piece holds for all: take() refuses another one. */
		u->part[what] = malloc(part->total);
		u->total[what] = part->total;
	}
	if (!u->part[what])
		return false;
	memcpy(u->part[what] + part->offset, part->data.data, part->data.len);
	u->got[what] += (uint32_t)part->data.len;
	return true;
}

void client_on_update_part(struct umsg_client *client, const Umsg__UpdatePart *part)
{
	struct update_fetch *u = client->update;

	if (!u || u->handed_over)
		return;
	if (!take(u, part)) {
		log_warn(CLIENT_LOG,
			 "%s: update %s: the rendezvous sent another piece than asked for",
			 client_uri(client), u->month);
		client_drop_update(client);
		return;
	}
	if (u->got[u->what] < u->total[u->what]) {
		ask(client);
	} else if (u->what == UMSG__UPDATE_WHAT__UPDATE_ENTRY) {
		u->what = UMSG__UPDATE_WHAT__UPDATE_SHARED;
		ask(client);
	} else {
		hand_over(client);
	}
}

void client_on_update_error(struct umsg_client *client, uint64_t request)
{
	if (client->update && client->update->request == request && !client->update->handed_over)
		client_drop_update(client);
}
