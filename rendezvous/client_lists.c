/* client_lists.c - the calls and posts of a client, found by their ids, and its other requests.
 *
 * They are what the holder has to clear up when a home or the connection goes: a home is told of
 * lost calls, a client is answered for posts and requests whose home is gone.
 */
#include <stdlib.h>

#include "rendezvous/holder_priv.h"

static uint64_t key_of(const struct client *client, const uint8_t id[FRAME_ID])
{
	/* Keyed, for clients choose the ids; one table for all clients, so that each needs no
	 * memory of its own. */
	return idhash_of(&client->holder->ids, id, 0);
}

static struct client_session *find_session(const struct client *client, struct slice id)
{
	struct idmap_node *node;

	if (id.n != FRAME_ID)
		return NULL;
	node = idmap_first(&client->holder->sessions, key_of(client, id.p));
	for (; node; node = idmap_next(node)) {
		struct client_session *s = IDMAP_OWNER(node, struct client_session, node);

		if (s->client == client && slice_eq(id, slice_of(s->id, FRAME_ID)))
			return s;
	}
	return NULL;
}

bool client_join_session(struct client *client, unsigned home, struct slice id)
{
	struct client_session *session;

	/* Each frame of a call that a home passes down says so again; the first one counts. */
	if (id.n != FRAME_ID || find_session(client, id))
		return false;
	session = calloc(1, sizeof(*session));
	/* Without memory the call goes on; only its home is not told when the connection is
	 * lost. */
	if (!session)
		return false;
	session->client = client;
	session->home = home;
	memcpy(session->id, id.p, FRAME_ID);
	idmap_put(&client->holder->sessions, &session->node, key_of(client, id.p));
	TAILQ_INSERT_TAIL(&client->sessions, session, in_client);
	client->n_sessions++;
	return true;
}

void client_drop_session(struct client_session *session)
{
	idmap_remove(&session->client->holder->sessions, &session->node);
	TAILQ_REMOVE(&session->client->sessions, session, in_client);
	session->client->n_sessions--;
	free(session);
}

void client_forget_session(struct client *client, struct slice id)
{
	struct client_session *session = find_session(client, id);

	if (session)
		client_drop_session(session);
}

static struct client_post *find_post(const struct client *client, struct slice id)
{
	struct idmap_node *node;

	if (id.n != FRAME_ID)
		return NULL;
	node = idmap_first(&client->holder->posts, key_of(client, id.p));
	for (; node; node = idmap_next(node)) {
		struct client_post *p = IDMAP_OWNER(node, struct client_post, node);

		if (p->client == client && slice_eq(id, slice_of(p->id, FRAME_ID)))
			return p;
	}
	return NULL;
}

const struct client_post *client_find_post(const struct client *client, struct slice id)
{
	return find_post(client, id);
}

struct client_post *client_add_post(struct client *client, unsigned home, struct slice id,
				    struct slice to, uint64_t request)
{
	/* The receiver's text lies behind it; calloc() ends it. */
	struct client_post *post = calloc(1, sizeof(*post) + to.n + 1);

	if (!post)
		return NULL;
	post->client = client;
	post->home = home;
	post->request = request;
	memcpy(post->id, id.p, FRAME_ID);
	memcpy(post->to, to.p, to.n);
	idmap_put(&client->holder->posts, &post->node, key_of(client, id.p));
	TAILQ_INSERT_TAIL(&client->posts, post, in_client);
	client->n_posts++;
	return post;
}

void client_drop_post(struct client_post *post)
{
	idmap_remove(&post->client->holder->posts, &post->node);
	TAILQ_REMOVE(&post->client->posts, post, in_client);
	post->client->n_posts--;
	free(post);
}

void client_forget_post(struct client *client, struct slice id)
{
	struct client_post *post = find_post(client, id);

	if (post)
		client_drop_post(post);
}

void client_note_request(struct client *client, unsigned home, uint64_t number)
{
	struct client_request *request;

	if (number == 0)
		return;
	/* So many at once nobody asks who means well: of the oldest it is not known any more
	 * that it waits. */
	if (client->n_requests == HOLDER_REQUESTS_NOTED)
		client_drop_request(client, TAILQ_FIRST(&client->requests));
	request = malloc(sizeof(*request));
	if (!request)
		return; /* it goes on; only the end of its home is not told */
	*request = (struct client_request){ .home = home, .number = number };
	TAILQ_INSERT_TAIL(&client->requests, request, in_client);
	client->n_requests++;
}

void client_drop_request(struct client *client, struct client_request *request)
{
	TAILQ_REMOVE(&client->requests, request, in_client);
	client->n_requests--;
	free(request);
}

void client_forget_request(struct client *client, uint64_t number)
{
	struct client_request *request;

	/* Answers come in the order of the requests, or nearly so: it is among the first. */
	TAILQ_FOREACH(request, &client->requests, in_client)
	if (request->number == number)
		break;
	if (request)
		client_drop_request(client, request);
}
