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

/* Times are monotonic milliseconds. */
enum {
	LOOKUP_LIMIT_MS = 4000, /* the part of the rendezvous that was asked may be gone */
	LOOKUP_REST_MS = 1000,  /* behind a refusal, at least, and at most: */
	LOOKUP_REST_MAX_S = 10,
};

/* It is asked, and then is told; or it was refused, and rests: whoever asks for the URI again
 * meanwhile waits until that is over, lest he and the rendezvous do nothing else. */
struct client_lookup {
	struct client_lookup *next;
	uint64_t request; /* 0: it rests */
	bool wanted;      /* of one that rests: it is asked again */
	int64_t due_ms;   /* the end of its time, or of its rest */
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

static struct client_lookup *find_lookup(const struct umsg_client *client, const char *uri)
{
	struct client_lookup *lookup = client->lookups;

	while (lookup && strcmp(lookup->uri, uri) != 0)
		lookup = lookup->next;
	return lookup;
}

static void add(struct umsg_client *client, struct client_lookup *lookup)
{
	lookup->next = client->lookups;
	client->lookups = lookup;
	client->n_lookups++;
	client_watch(client);
}

static int ask(struct umsg_client *client, struct client_lookup *lookup)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Lookup body = UMSG__LOOKUP__INIT;

	lookup->request = ++client->requests;
	lookup->due_ms = clock_mono_ms() + LOOKUP_LIMIT_MS;
	body.uri = lookup->uri;
	frame.request = lookup->request;
	frame.body_case = UMSG__FRAME__BODY_LOOKUP;
	frame.lookup = &body;
	return client_send(client, &frame);
}

int umsg_client_lookup(struct umsg_client *client, const char *uri)
{
	struct client_lookup *lookup;
	int err;

	if (identity_check(slice_str(uri), NULL))
		return -EINVAL;
	lookup = find_lookup(client, uri);
	if (lookup) {
		lookup->wanted = true;
		return 0;
	}
	if (client->n_lookups == CLIENT_LOOKUPS_MAX)
		return -ENOBUFS;
	lookup = calloc(1, sizeof(*lookup));
	if (!lookup)
		return -ENOMEM;
	memcpy(lookup->uri, uri, strlen(uri));
	err = ask(client, lookup);
	if (err) {
		free(lookup);
		return err;
	}
	add(client, lookup);
	return 0;
}

static void take_off(struct umsg_client *client, struct client_lookup **at)
{
	*at = (*at)->next;
	client->n_lookups--;
}

/* Takes it off the list; NULL: nobody asked. */
static struct client_lookup *take(struct umsg_client *client, uint64_t request)
{
	struct client_lookup **at = &client->lookups, *lookup;

	while (*at && ((*at)->request != request || request == 0))
		at = &(*at)->next;
	lookup = *at;
	if (lookup)
		take_off(client, at);
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

void client_on_lookup_error(struct umsg_client *client, uint64_t request, const Umsg__Error *error)
{
	unsigned rest_s =
		error->retry_after < LOOKUP_REST_MAX_S ? error->retry_after : LOOKUP_REST_MAX_S;
	struct client_lookup *lookup = take(client, request), *told;

	if (!lookup)
		return;
	/* Whoever is told may ask again at once, and finds the one that rests. */
	told = malloc(sizeof(*told));
	if (told) {
		*told = *lookup;
		lookup->request = 0;
		lookup->wanted = false;
		lookup->due_ms = clock_mono_ms() + (rest_s ? rest_s * 1000 : LOOKUP_REST_MS);
		add(client, lookup);
	}
	finish(client, told ? told : lookup, NULL, -EHOSTUNREACH);
}

/* The next one whose time is over, off the list; NULL: none. */
static struct client_lookup *take_due(struct umsg_client *client, int64_t now_ms)
{
	struct client_lookup **at = &client->lookups, *lookup;

	while (*at && (*at)->due_ms > now_ms)
		at = &(*at)->next;
	lookup = *at;
	if (lookup)
		take_off(client, at);
	return lookup;
}

bool client_look_at_lookups(struct umsg_client *client)
{
	int64_t now_ms = clock_mono_ms();
	struct client_lookup *lookup;

	/* Each is off the list, or due later than now, before anybody is told. */
	while ((lookup = take_due(client, now_ms))) {
		if (lookup->request == 0 && !lookup->wanted)
			free(lookup);
		else if (lookup->request == 0 && ask(client, lookup) == 0)
			add(client, lookup);
		else
			finish(client, lookup, NULL, -EHOSTUNREACH);
	}
	return client->lookups != NULL;
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
		if (tell && (lookup->request || lookup->wanted))
			finish(client, lookup, NULL, -EHOSTUNREACH);
		else
			free(lookup);
	}
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
