/* client_updates.c - fetching monthly updates, piece by piece: first the own entry, then
 * the shared part; the owner applies them, and that is confirmed.
 */
#include "umsg/client_priv.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "keys/period.h"
#include "keys/update.h"

enum {
	SHARED_MAX = 64 << 20, /* octets */
	/* Before a fetch that failed is begun again, by a registration; one of the rendezvous's
	 * updates may have taken the place of another in the middle of it. */
	AGAIN_S = 5,
	AGAIN_MAX_S = 600,
	ODD_AGAIN_S = 60, /* what came was no answer to what was asked */
};

struct update_fetch {
	char month[PERIOD_TEXT_SIZE];
	uint32_t revision;
	uint64_t created;
	Umsg__UpdateWhat what; /* being fetched */
	uint8_t *part[2];
	uint32_t total[2], got[2];
	uint64_t request;
	int64_t asked_ms; /* monotonic */
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

/* The answer to a registration names what is there by then. */
static void begin_again(struct umsg_client *client, unsigned wait_s)
{
	client_drop_update(client);
	if (client->state == UMSG_ATTACHED || client->state == UMSG_UPDATES_ONLY)
		client_register_in(client, wait_s * 1000);
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
	u->asked_ms = clock_mono_ms();
	frame.request = u->request;
	frame.body_case = UMSG__FRAME__BODY_UPDATE_GET;
	frame.update_get = &get;
	if (client_send(client, &frame) < 0)
		begin_again(client, AGAIN_S);
	else
		client_watch(client);
}

bool client_look_at_update(struct umsg_client *client)
{
	const struct update_fetch *u = client->update;

	if (!u || u->handed_over)
		return false;
	/* Whoever was asked for a piece may be gone. */
	if (clock_mono_ms() - u->asked_ms >= CLIENT_LONG_SILENCE_MS)
		ask(client);
	return client->update != NULL;
}

static struct client_applied *find_applied(struct umsg_client *client, const Umsg__UpdateName *name)
{
	for (size_t i = 0; i < CLIENT_APPLIED; i++) {
		struct client_applied *a = &client->applied[i];

		if (strcmp(a->month, name->month) == 0 && a->revision == name->revision &&
		    a->created == name->created)
			return a;
	}
	return NULL;
}

static void confirm(struct umsg_client *client, Umsg__UpdateName *name)
{
	struct client_applied *a = find_applied(client, name);
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__UpdateConfirm body = UMSG__UPDATE_CONFIRM__INIT;

	if (!a)
		a = &client->applied[client->n_applied++ % CLIENT_APPLIED];
	snprintf(a->month, sizeof(a->month), "%s", name->month);
	a->revision = name->revision;
	a->created = name->created;
	a->confirming = ++client->requests;
	body.name = name;
	frame.request = a->confirming;
	frame.body_case = UMSG__FRAME__BODY_UPDATE_CONFIRM;
	frame.update_confirm = &body;
	client_send(client, &frame);
}

void client_on_confirmed(struct umsg_client *client, uint64_t request, Umsg__ErrorCode error)
{
	/* Not now: with the next offer, as what is not answered. */
	if (request == 0 || error == UMSG__ERROR_CODE__ERROR_BUSY)
		return;
	for (size_t i = 0; i < CLIENT_APPLIED; i++)
		if (client->applied[i].confirming == request)
			client->applied[i].confirming = 0;
}

/* Is it newer than what the key store holds of that month?  Not what was applied: an owner who goes
 * on with its old keys would be asked again and again. */
static bool wanted(struct umsg_client *client, const Umsg__UpdateName *name)
{
	uint32_t revision;
	uint64_t created;
	int64_t month;

	if (find_applied(client, name) || period_parse(slice_str(name->month), &month) < 0)
		return false;
	if (!keystore_month(client->keys.store, month, &revision, &created))
		return true;
	return update_newer(name->revision, name->created, revision, created);
}

/* Is it what the key store holds, and the rendezvous has not said that it knows?  One that ended,
 * or lost its connection, between the last octet on its disk and the answer to the confirmation is
 * made up for so, and a part of the rendezvous that did. */
static bool unconfirmed(struct umsg_client *client, const Umsg__UpdateName *name)
{
	const struct client_applied *applied = find_applied(client, name);
	uint32_t revision;
	uint64_t created;
	int64_t month;

	if (applied)
		return applied->confirming != 0;
	return period_parse(slice_str(name->month), &month) == 0 &&
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

void client_on_update_part(struct umsg_client *client, uint64_t request,
			   const Umsg__UpdatePart *part)
{
	struct update_fetch *u = client->update;
	bool taken;

	if (!u || u->handed_over)
		return;
	taken = take(u, part);
	/* What was asked for twice comes twice: the late answer is as good as the other, and
	 * whichever comes second is of no use. */
	if (!taken && request != u->request)
		return;
	if (!taken) {
		log_warn(CLIENT_LOG,
			 "%s: update %s: the rendezvous sent another piece than asked for",
			 client_uri(client), u->month);
		begin_again(client, ODD_AGAIN_S);
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

void client_on_update_error(struct umsg_client *client, uint64_t request, const Umsg__Error *error)
{
	unsigned wait_s = error->retry_after < AGAIN_MAX_S ? error->retry_after : AGAIN_MAX_S;

	if (client->update && client->update->request == request && !client->update->handed_over)
		begin_again(client, wait_s > AGAIN_S ? wait_s : AGAIN_S);
}
