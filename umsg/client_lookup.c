/* client_lookup.c - in which security domain a URI is: asked of the rendezvous, believed only if
 * that domain is trusted, and pinned to the URI.  Source: docs/umsg.md, "Lookup".
 *
 * A pin stays what it is unless the owner lets it change (repin).
 */
#include "umsg/client_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "keys/identity.h"

enum { ANSWER_LIMIT_MS = 10000 };

struct client_lookup {
	struct client_lookup *next;
	uint64_t request;
	int64_t asked_ms; /* monotonic */
	char uri[IDENTITY_URI_MAX + 1];
};

/* What was last told, or seen, of a URI. */
struct client_answer {
	char uri[IDENTITY_URI_MAX + 1]; /* "" where there is none */
	int err;                        /* as looked_up() has it */
	int64_t until_ms;               /* monotonic */
};

/* ---- what is remembered of look-ups ---- */

static struct client_answer *find_answer(const struct umsg_client *client, const char *uri)
{
	for (size_t i = 0; client->answers && i < CLIENT_ANSWERS; i++)
		if (strcmp(client->answers[i].uri, uri) == 0)
			return &client->answers[i];
	return NULL;
}

/* The oldest gives way.  Without memory it is asked for again. */
static void remember(struct umsg_client *client, const char *uri, int err)
{
	struct client_answer *answer = find_answer(client, uri);

	if (!client->answers)
		client->answers = calloc(CLIENT_ANSWERS, sizeof(*client->answers));
	if (!client->answers)
		return;
	if (!answer) {
		answer = &client->answers[client->next_answer];
		client->next_answer = (client->next_answer + 1) % CLIENT_ANSWERS;
	}
	snprintf(answer->uri, sizeof(answer->uri), "%s", uri);
	answer->err = err;
	answer->until_ms = clock_mono_ms() + (err ? CLIENT_REFUSAL_MS : CLIENT_ANSWER_MS);
}

void umsg_client_forget_answers(struct umsg_client *client)
{
	free(client->answers);
	client->answers = NULL;
	client->next_answer = 0;
}

int umsg_client_known(const struct umsg_client *client, const char *uri)
{
	const struct client_answer *answer;
	enum identity_kind kind;

	if (identity_check(slice_str(uri), &kind) == 0 && kind == IDENTITY_CHANNEL)
		return 0;
	if (keystore_own_user(client->keys.store, slice_str(uri)))
		return 0;
	answer = find_answer(client, uri);
	/* A refusal is remembered for a shorter time: it may be mended meanwhile. */
	return answer && clock_mono_ms() < answer->until_ms ? answer->err : -EAGAIN;
}

/* ---- look-ups ---- */

static bool is_under_way(const struct umsg_client *client, const char *uri)
{
	const struct client_lookup *lookup = client->lookups;

	while (lookup && strcmp(lookup->uri, uri) != 0)
		lookup = lookup->next;
	return lookup != NULL;
}

static void look_again(struct umsg_client *client)
{
	const struct timeval again = { CLIENT_LOOK_S, 0 };

	event_add(client->lookup_timer, &again);
}

int umsg_client_lookup(struct umsg_client *client, const char *uri)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Lookup body = UMSG__LOOKUP__INIT;
	struct client_lookup *lookup;
	int err;

	if (identity_check(slice_str(uri), NULL))
		return -EINVAL;
	if (is_under_way(client, uri))
		return 0;
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
	lookup->asked_ms = clock_mono_ms();
	lookup->next = client->lookups;
	client->lookups = lookup;
	client->n_lookups++;
	look_again(client);
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

static void finish(struct umsg_client *client, struct client_lookup *lookup,
		   const uint8_t *domain_id, int err)
{
	/* No answer is no news of the URI: the next question goes out at once. */
	if (lookup && err != -EHOSTUNREACH)
		remember(client, lookup->uri, err);
	if (lookup && client->ops->looked_up)
		client->ops->looked_up(client->arg, lookup->uri, domain_id, err);
	free(lookup);
}

static const struct domain *trusted(const struct umsg_client *client, struct slice id)
{
	for (size_t i = 0; i < client->keys.n_trusted; i++)
		if (slice_eq(id, slice_of(domain_id(client->keys.trusted[i]), DOMAIN_ID)))
			return client->keys.trusted[i];
	return NULL;
}

static bool is_pinned_to(const struct umsg_client *client, const char *uri,
			 const struct domain *domain)
{
	const uint8_t *pin = keystore_pinned(client->keys.store, slice_str(uri));

	return pin && memcmp(pin, domain_id(domain), DOMAIN_ID) == 0;
}

/* The rendezvous names a domain for uri; the word of the rendezvous counts only within what
 * the last update trusts, and moves no pin by itself. */
static int learn(struct umsg_client *client, const char *uri, const Umsg__LookupAnswer *answer)
{
	const uint8_t *pin = keystore_pinned(client->keys.store, slice_str(uri));
	struct slice id = frame_bytes(answer->domain_id);
	const struct domain *domain;

	if (!answer->found)
		return -ENOENT;
	if (id.n == 0) /* no update of that account is there: only a pin says more */
		return !pin || trusted(client, slice_of(pin, DOMAIN_ID)) ? 0 : -EKEYREJECTED;
	if (slice_eq(id, slice_of(domain_id(client->keys.domain), DOMAIN_ID)))
		return pin ? -EPERM : 0; /* our update will list it */
	domain = trusted(client, id);
	if (!domain)
		return -EKEYREJECTED;
	if (pin && !is_pinned_to(client, uri, domain) &&
	    !client_may_repin(client, slice_str(uri), pin, domain))
		return -EPERM;
	client_met(client, slice_str(uri), domain);
	return is_pinned_to(client, uri, domain) ? 0 : -EIO;
}

void client_on_lookup_answer(struct umsg_client *client, const Umsg__Frame *frame)
{
	const Umsg__LookupAnswer *answer = frame->lookup_answer;
	struct client_lookup *lookup = take(client, frame->request);

	if (lookup)
		finish(client, lookup, answer->domain_id.len ? answer->domain_id.data : NULL,
		       learn(client, lookup->uri, answer));
}

void client_on_lookup_error(struct umsg_client *client, uint64_t request)
{
	finish(client, take(client, request), NULL, -EHOSTUNREACH);
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
			finish(client, lookup, NULL, -EHOSTUNREACH);
		else
			free(lookup);
	}
}

/* Takes those off the list that were asked for too long ago. */
static struct client_lookup *take_unanswered(struct umsg_client *client)
{
	struct client_lookup *taken = NULL, **at = &client->lookups;
	int64_t now_ms = clock_mono_ms();

	while (*at) {
		struct client_lookup *lookup = *at;

		if (now_ms - lookup->asked_ms < ANSWER_LIMIT_MS) {
			at = &lookup->next;
			continue;
		}
		*at = lookup->next;
		client->n_lookups--;
		lookup->next = taken;
		taken = lookup;
	}
	return taken;
}

/* The part of the rendezvous that was asked may have ended without a word to us.  Whoever asks
 * meanwhile is told that the question is under way, so somebody has to end it. */
void client_on_lookup_timer(struct umsg_client *client)
{
	struct client_lookup *lookup = take_unanswered(client), *next;

	/* Owners may ask again at once: that goes into the list, and these are off it. */
	for (; lookup; lookup = next) {
		next = lookup->next;
		finish(client, lookup, NULL, -EHOSTUNREACH);
	}
	if (client->lookups)
		look_again(client);
}

/* ---- pins ---- */

bool client_may_repin(const struct umsg_client *client, struct slice uri, const uint8_t *pin,
		      const struct domain *domain)
{
	char text[IDENTITY_URI_MAX + 1] = "";

	if (!client->ops->repin || uri.n > IDENTITY_URI_MAX)
		return false;
	memcpy(text, uri.p, uri.n);
	return client->ops->repin(client->arg, text, pin, domain_id(domain));
}

/* Whoever came here was accepted by client_peer_domain() or learn(): a pin that differs may
 * change. */
void client_met(struct umsg_client *client, struct slice uri, const struct domain *domain)
{
	char text[IDENTITY_URI_MAX + 1] = "";

	if (domain == client->keys.domain || !client->ops->met || uri.n > IDENTITY_URI_MAX)
		return;
	memcpy(text, uri.p, uri.n);
	if (!is_pinned_to(client, text, domain))
		client->ops->met(client->arg, text, domain_id(domain));
	if (is_pinned_to(client, text, domain))
		remember(client, text, 0);
}
