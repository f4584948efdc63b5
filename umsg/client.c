/* client.c - a client's life, its keys and domains, and where its frames go.  All
 * runs in the loop of its event base; what is told may call back into the client. */
#include "umsg/client_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"

enum { CALLS_DEFAULT = 1000 };

const char *umsg_state_name(enum umsg_state state)
{
	static const char *const names[] = {
		[UMSG_OFFLINE] = "DISCONNECTED", [UMSG_CONNECTING] = "CONNECTING",
		[UMSG_ATTACHED] = "CONNECTED",   [UMSG_UPDATES_ONLY] = "UPDATES ONLY",
		[UMSG_DENIED] = "DENIED",        [UMSG_REPLACED] = "REPLACED",
	};

	return names[state];
}

const char *client_uri(const struct umsg_client *client)
{
	return keyset_uri(client->keys.keyset);
}

bool client_attached(const struct umsg_client *client)
{
	return client->state == UMSG_ATTACHED;
}

bool client_may_log(struct log_limit *limit, unsigned *suppressed_out)
{
	return log_limit_pass(limit, clock_mono_ms(), suppressed_out) != 0;
}

/* ---- keys ---- */

struct period_keys *client_own_keys(const struct umsg_client *client, int64_t wall_s)
{
	return keyset_hold(client->keys.keyset, domain_period(client->keys.domain, wall_s));
}

static bool names_domain(const struct domain *domain, struct slice kms)
{
	return slice_eq_str(kms, domain_kms_uri(domain));
}

/* Of the trusted domains the one that kms names; without kms the one that the URI was
 * pinned to. */
static const struct domain *trusted_domain(const struct umsg_client *client, struct slice uri,
					   struct slice kms)
{
	const uint8_t *pin = keystore_pinned(client->keys.store, uri);

	for (size_t i = 0; i < client->keys.n_trusted; i++) {
		const struct domain *domain = client->keys.trusted[i];
		bool pinned = pin && memcmp(pin, domain_id(domain), DOMAIN_ID) == 0;

		if (kms.n ? names_domain(domain, kms) &&
				    (pinned || !pin || client_may_repin(client, uri, pin, domain))
			  : pinned)
			return domain;
	}
	return NULL;
}

/* The own domain's users are accepted and sealed to under its keys only.  Others, too, as
 * long as no other domain has them: new users are not in our last update. */
const struct domain *client_peer_domain(const struct umsg_client *client, struct slice uri,
					struct slice kms)
{
	const struct domain *own = client->keys.domain, *other;

	if (keystore_own_user(client->keys.store, uri))
		return kms.n == 0 || names_domain(own, kms) ? own : NULL;
	other = trusted_domain(client, uri, kms);
	if (other)
		return other;
	if (keystore_pinned(client->keys.store, uri))
		return NULL;
	return kms.n == 0 || names_domain(own, kms) ? own : NULL;
}

const char *client_why_no_domain(const struct umsg_client *client, struct slice uri,
				 struct slice kms, char why[CLIENT_WHY_SIZE])
{
	int n = kms.n < DOMAIN_KMS_URI_MAX / 2 && text_is_clean(kms) ? (int)kms.n : 0;
	const char *named = n ? (const char *)kms.p : "";
	bool trusted = false;

	for (size_t i = 0; i < client->keys.n_trusted; i++)
		trusted |= names_domain(client->keys.trusted[i], kms);
	if (keystore_own_user(client->keys.store, uri))
		snprintf(why, CLIENT_WHY_SIZE, "a user of our domain under the keys of %.*s", n,
			 named);
	else if (trusted || names_domain(client->keys.domain, kms))
		snprintf(why, CLIENT_WHY_SIZE, "it was met in another domain before than %.*s", n,
			 named);
	else
		snprintf(why, CLIENT_WHY_SIZE,
			 "%.*s is not trusted: no update of ours has its certificate, which the "
			 "key manager adds (cms domain add)",
			 n, named);
	return why;
}

void umsg_client_set_keys(struct umsg_client *client, const struct umsg_keys *keys)
{
	client->keys = *keys;
	umsg_client_forget_answers(client); /* other domains may be trusted now */
	if (client->state == UMSG_UPDATES_ONLY)
		client_register(client);
	else if (client->state == UMSG_ATTACHED)
		client_fetch_all(client); /* messages may have waited for these keys */
}

/* ---- frames ---- */

int client_send(struct umsg_client *client, Umsg__Frame *frame)
{
	uint8_t *octets;
	size_t n;
	int err;

	if (!client->link)
		return -ENOTCONN;
	frame->from = frame_text(client_uri(client));
	err = frame_encode(frame, &octets, &n);
	if (err)
		return err;
	err = link_send(client->link, slice_of(octets, n));
	free(octets);
	return err;
}

/* Each of them knows the requests that it waits for; a number is given once only. */
static void on_error(struct umsg_client *client, const Umsg__Frame *frame)
{
	unsigned suppressed;

	if (client_may_log(&client->refusals, &suppressed))
		log_warn(CLIENT_LOG, "%s: the rendezvous refuses a request: %s (%u more)",
			 client_uri(client), frame->error->text, suppressed);
	/* Of a frame that had no number: nobody waits for it. */
	if (frame->request == 0)
		return;
	client_on_register_error(client, frame->request, frame->error);
	client_on_update_error(client, frame->request, frame->error);
	client_on_confirmed(client, frame->request, frame->error->code);
	client_on_kept(client, frame->request, frame->error->code, frame->error->text);
	client_on_call_error(client, frame->request, frame->error->code);
	client_on_post_error(client, frame->request, frame->error);
	client_on_fetch_error(client, frame->request, frame->error);
	client_on_lookup_error(client, frame->request, frame->error);
}

/* May take the frame over. */
static void dispatch(struct umsg_client *client, Umsg__Frame **framep)
{
	const Umsg__Frame *frame = *framep;

	switch (frame->body_case) {
	case UMSG__FRAME__BODY_REGISTERED:
		client_on_registered(client, frame);
		break;
	case UMSG__FRAME__BODY_DENIED:
		client_on_denied(client, frame);
		break;
	case UMSG__FRAME__BODY_UNREGISTERED:
		client_on_unregistered(client, frame->unregistered);
		break;
	case UMSG__FRAME__BODY_ERROR:
		on_error(client, frame);
		break;
	case UMSG__FRAME__BODY_BANG:
		client_on_bang(client, frame);
		break;
	case UMSG__FRAME__BODY_BANG_ANSWER:
		client_on_bang_answer(client, frame->bang_answer);
		break;
	case UMSG__FRAME__BODY_GROWL:
	case UMSG__FRAME__BODY_TALK:
	case UMSG__FRAME__BODY_SIGNAL:
	case UMSG__FRAME__BODY_HANGUP:
		client_on_session(client, frame);
		break;
	case UMSG__FRAME__BODY_DELIVER:
		client_on_deliver(client, framep);
		break;
	case UMSG__FRAME__BODY_POST_ACK:
		client_on_post_ack(client, frame->post_ack);
		break;
	case UMSG__FRAME__BODY_PART:
		client_on_part(client, frame->part);
		break;
	case UMSG__FRAME__BODY_PART_ACK:
		client_on_part_ack(client, frame->part_ack);
		break;
	case UMSG__FRAME__BODY_NOTIFY:
		client_on_notify(client, frame->notify);
		break;
	case UMSG__FRAME__BODY_FETCHED:
		client_on_fetched(client, frame->request, frame->fetched);
		break;
	case UMSG__FRAME__BODY_UPDATE_PART:
		client_on_update_part(client, frame->request, frame->update_part);
		break;
	case UMSG__FRAME__BODY_UPDATE_NEWS:
		client_offer_updates(client, frame->update_news->updates,
				     frame->update_news->n_updates);
		break;
	case UMSG__FRAME__BODY_LOOKUP_ANSWER:
		client_on_lookup_answer(client, frame);
		break;
	case UMSG__FRAME__BODY_DONE:
		client_on_confirmed(client, frame->request, UMSG__ERROR_CODE__OK);
		client_on_kept(client, frame->request, UMSG__ERROR_CODE__OK, "");
		break;
	default:
		break;
	}
}

void client_frame(struct umsg_client *client, struct slice octets)
{
	Umsg__Frame *frame;
	int err = frame_decode(octets, FRAME_FROM_SERVER, &frame);
	unsigned suppressed;

	if (err == 0)
		dispatch(client, &frame);
	else if (err != -ENOTSUP && client_may_log(&client->malformed, &suppressed))
		log_warn(CLIENT_LOG, "%s: a malformed frame was ignored (%u more)",
			 client_uri(client), suppressed);
	frame_free(&frame);
}

/* ---- life ---- */

static void on_bury(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	client_bury_calls(arg);
}

static void on_watch(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	client_look(arg);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct umsg_client *client = arg;

	(void)fd;
	(void)what;
	if (client->link)
		client_register_again(client); /* denied, and tried again; or asked anew */
	else
		client_connect(client);
}

static int init(struct umsg_client *client, const struct umsg_client_options *options)
{
	client->base = options->base;
	client->links = options->links;
	client->keys = options->keys;
	client->replay = options->replay;
	client->seen = options->seen;
	client->ops = options->ops;
	client->arg = options->arg;
	client->secondary = options->secondary;
	client->max_calls = options->max_calls ? options->max_calls : CALLS_DEFAULT;
	client->software = strdup(options->software ? options->software : "");
	client->address = options->address ? strdup(options->address) : NULL;
	client->timer = event_new(client->base, -1, 0, on_timer, client);
	client->bury = event_new(client->base, -1, 0, on_bury, client);
	client->watch = event_new(client->base, -1, 0, on_watch, client);
	if (!client->software || (options->address && !client->address) || !client->timer ||
	    !client->bury || !client->watch)
		return -ENOMEM;
	return 0;
}

int umsg_client_new(const struct umsg_client_options *options, struct umsg_client **client_out)
{
	const struct timeval now = { 0, 0 };
	struct umsg_client *client;
	int err;

	if (!options->keys.store || !options->keys.domain || !options->keys.keyset ||
	    !options->replay || !options->seen || !options->ops)
		return -EINVAL;
	client = calloc(1, sizeof(*client));
	if (!client)
		return -ENOMEM;
	err = init(client, options);
	if (err) {
		umsg_client_free(&client);
		return err;
	}
	event_add(client->timer, &now); /* nothing is told from within this call */
	*client_out = client;
	return 0;
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

void umsg_client_free(struct umsg_client **clientp)
{
	struct umsg_client *client = *clientp;

	if (!client)
		return;
	/* While the link is there: the hangups go out. */
	client_end_calls(client, UMSG__END_REASON__END_HANGUP, true);
	client_bury_calls(client);
	client_disconnect(client);
	client_forget_pending(client);
	client_forget_posts(client);
	client_forget_lookups(client, false);
	umsg_client_forget_answers(client);
	client_forget_longs(client);
	dns_free(&client->dns);
	free_event(client->timer);
	free_event(client->bury);
	free_event(client->watch);
	free(client->address);
	free(client->software);
	free(client);
	*clientp = NULL;
}

enum umsg_state umsg_client_state(const struct umsg_client *client)
{
	return client->state;
}

const char *umsg_client_address(const struct umsg_client *client)
{
	return client->route.host;
}
