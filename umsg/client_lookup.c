/* client_lookup.c - in which security domain a URI is: asked of the rendezvous, believed only if
 * that domain is trusted, and pinned to the URI.  Source: docs/umsg.md, "Lookup".
 */
#include "umsg/client_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "keys/identity.h"

struct client_lookup {
	struct client_lookup *next;
	uint64_t request;
	char uri[IDENTITY_URI_MAX + 1];
};

bool umsg_client_knows(const struct umsg_client *client, const char *uri)
{
	const struct keystore *store = client->keys.store;
	enum identity_kind kind;

	return (identity_check(slice_str(uri), &kind) == 0 && kind == IDENTITY_CHANNEL) ||
	       keystore_own_user(store, slice_str(uri)) || keystore_pinned(store, slice_str(uri));
}

int umsg_client_lookup(struct umsg_client *client, const char *uri)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Lookup body = UMSG__LOOKUP__INIT;
	struct client_lookup *lookup;
	int err;

	if (identity_check(slice_str(uri), NULL))
		return -EINVAL;
	if (client->n_lookups == CLIENT_LOOKUPS_MAX)
		return -ENOBUFS;
	lookup = calloc(1, sizeof(*lookup));
	if (!lookup)
		return -ENOMEM;
	memcpy(lookup->uri, uri, strlen(uri));
	lookup->request = ++client->requests;
	body.uri = lookup->uri;
	frame.request = lookup->request;
	frame.body_case = UMSG__FRAME__BODY_LOOKUP;
	frame.lookup = &body;
	err = client_send(client, &frame);
	if (err) {
		free(lookup);
		return err;
	}
	lookup->next = client->lookups;
	client->lookups = lookup;
	client->n_lookups++;
	return 0;
}

/* Takes it off the list; NULL: nobody asked. */
static struct client_lookup *take(struct umsg_client *client, uint64_t request)
{
	struct client_lookup **at = &client->lookups, *lookup;

	while (*at && (*at)->request != request)
		at = &(*at)->next;
	lookup = *at;
	if (lookup) {
		*at = lookup->next;
		client->n_lookups--;
	}
	return lookup;
}

static void finish(struct umsg_client *client, struct client_lookup *lookup, int err)
{
	if (lookup && client->ops->looked_up)
		client->ops->looked_up(client->arg, lookup->uri, err);
	free(lookup);
}

static const struct domain *trusted(const struct umsg_client *client, struct slice id)
{
	for (size_t i = 0; i < client->keys.n_trusted; i++)
		if (slice_eq(id, slice_of(domain_id(client->keys.trusted[i]), DOMAIN_ID)))
			return client->keys.trusted[i];
	return NULL;
}

/* Without an id the rendezvous knows of no other domain than ours. */
static int learn(struct umsg_client *client, const char *uri, const Umsg__LookupAnswer *answer)
{
	struct slice id = frame_bytes(answer->domain_id);
	const struct domain *domain;

	if (!answer->found)
		return -ENOENT;
	if (id.n == 0 || slice_eq(id, slice_of(domain_id(client->keys.domain), DOMAIN_ID)))
		return 0;
	domain = trusted(client, id);
	if (!domain)
		return -EKEYREJECTED;
	client_met(client, slice_str(uri), domain);
	return keystore_pinned(client->keys.store, slice_str(uri)) ? 0 : -EKEYREJECTED;
}

void client_on_lookup_answer(struct umsg_client *client, const Umsg__Frame *frame)
{
	struct client_lookup *lookup = take(client, frame->request);

	if (lookup)
		finish(client, lookup, learn(client, lookup->uri, frame->lookup_answer));
}

void client_on_lookup_error(struct umsg_client *client, uint64_t request)
{
	finish(client, take(client, request), -EHOSTUNREACH);
}

void client_forget_lookups(struct umsg_client *client, bool tell)
{
	struct client_lookup *lookup, *next;

	/* An owner may ask again at once: not into the list that is gone through. */
	lookup = client->lookups;
	client->lookups = NULL;
	client->n_lookups = 0;
	for (; lookup; lookup = next) {
		next = lookup->next;
		if (tell)
			finish(client, lookup, -EHOSTUNREACH);
		else
			free(lookup);
	}
}

void client_met(struct umsg_client *client, struct slice uri, const struct domain *domain)
{
	char text[IDENTITY_URI_MAX + 1] = "";

	if (domain == client->keys.domain || !client->ops->met ||
	    keystore_pinned(client->keys.store, uri) || uri.n > IDENTITY_URI_MAX)
		return;
	memcpy(text, uri.p, uri.n);
	client->ops->met(client->arg, text, domain_id(domain));
}
