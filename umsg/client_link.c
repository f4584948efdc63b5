/* client_link.c - connecting to a rendezvous, registering, and connecting again.
 *
 * An attempt goes through the addresses of a name, and on a refusal of the handshake
 * through the logins of the key store; then it waits, longer each time.
 */
#include "umsg/client_priv.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/util.h>
#include <openssl/rand.h>

#include "base/clock.h"
#include "keys/period.h"

enum {
	PORT = 5223,
	FIRST_WAIT_MS = 250,
	LONGEST_WAIT_MS = 30000,
	DENIED_WAIT_MS = 300000,
	REGISTER_AGAIN_S = 2,   /* at most: until then nobody can reach us */
	ANSWER_MS = 20000,      /* to a registration; then it is sent again */
	KEEP_ALIVE_MS = 600000, /* and up to half as much more */
	GRACE_MS = 30000,
	CLOCKS_DIFFER_S = 120,
	/* A rendezvous need not tell of updates (CRS manual 5.4, "update-notification"): what it
	 * has is in the answer to a registration.  And up to a sixth more. */
	REGISTER_ANEW_MS = 6 * 3600 * 1000,
	LOOK_FOR_KEYS_MS = 60000, /* of this month, where there were none */
};

/* A number from 0 to n - 1. */
static unsigned any_of(unsigned n)
{
	uint32_t v = 0;

	if (RAND_bytes((unsigned char *)&v, sizeof(v)) != 1)
		return 0;
	/* Slightly uneven, which does no harm: it only spreads clients over time. */
	return v % n;
}

void client_set_state(struct umsg_client *client, enum umsg_state state, const char *text)
{
	if (client->state == state && text[0] == '\0')
		return;
	client->state = state;
	client->ops->state(client->arg, state, text);
}

static void wait_ms(struct umsg_client *client, unsigned ms)
{
	const struct timeval tv = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000) };

	event_add(client->timer, &tv);
}

/* Doubles with every failure, plus and minus half. */
static void try_later(struct umsg_client *client)
{
	/* 250 ms doubled eight times is above LONGEST_WAIT_MS already. */
	unsigned shift = client->failures < 8 ? client->failures : 8;
	unsigned ms = FIRST_WAIT_MS << shift;

	client->failures++;
	if (ms > LONGEST_WAIT_MS)
		ms = LONGEST_WAIT_MS;
	client->route.n_addresses = 0;
	wait_ms(client, ms / 2 + any_of(ms));
}

void client_disconnect(struct umsg_client *client)
{
	dns_drop(&client->resolving);
	event_del(client->timer);
	event_del(client->watch);
	client->fetch_due_s = 0;
	client->fetch_again_ms = 0;
	client->fetching = 0;
	client->keeping = 0;
	client_drop_update(client);
	link_finish(&client->link, 1001);
}

/* ---- what the link tells ---- */

static void next_attempt(struct umsg_client *client);

static void on_closed(struct umsg_client *client, const struct link_event *event)
{
	bool was_up = client->state == UMSG_ATTACHED || client->state == UMSG_UPDATES_ONLY;

	client->refused = event->reason == LINK_REFUSED;
	client->fetching = 0;
	client->keeping = 0;
	client_drop_update(client);
	client_forget_posts(client);
	link_free(&client->link);
	event_del(client->timer);
	log_info(CLIENT_LOG, "%s: connection to %s: %s %s", client_uri(client), client->route.host,
		 link_reason_name(event->reason), event->text);
	client_end_calls(client, UMSG__END_REASON__END_LOST_CONNECTION, false);
	client_forget_lookups(client, true);
	/* Connecting again would throw out the other device, and so on without end. */
	if (client->state == UMSG_REPLACED)
		return;
	if (was_up) {
		client->failures = 0;
		client->route.n_addresses = 0;
	}
	client_set_state(client, UMSG_OFFLINE,
			 event->text[0] ? event->text : link_reason_name(event->reason));
	next_attempt(client);
}

/* CRS manual 4.10: clients ping every 10 to 15 minutes; each has a time of its own, so that
 * those who came together do not go on together. */
static void keep_alive(struct umsg_client *client)
{
	unsigned ms = KEEP_ALIVE_MS + any_of(KEEP_ALIVE_MS / 2);

	log_debug(CLIENT_LOG, "%s: pings after %u s of silence", client_uri(client), ms / 1000);
	link_set_keep_alive(client->link, LINK_KEEP_WS, ms, GRACE_MS);
}

static void on_link(void *arg, struct link *link, const struct link_event *event)
{
	struct umsg_client *client = arg;

	(void)link;
	switch (event->kind) {
	case LINK_NEGOTIATED:
		keep_alive(client);
		client_register(client);
		break;
	case LINK_FRAME:
		client_frame(client, event->octets);
		break;
	case LINK_PONG:
		log_debug(CLIENT_LOG, "%s: a ping was answered after %u ms", client_uri(client),
			  event->ms);
		break;
	case LINK_PINGED:
		log_debug(CLIENT_LOG, "%s: pinged by the rendezvous", client_uri(client));
		break;
	case LINK_CLOSED:
		on_closed(client, event);
		break;
	default:
		break;
	}
}

static const struct link_ops ops = { .event = on_link };

/* ---- addresses ---- */

static bool current_login(const struct umsg_client *client, struct keystore_login *login_out)
{
	return keystore_login_at(client->keys.store, clock_wall_s(), client->route.login,
				 login_out);
}

static void connect_to(struct umsg_client *client, const struct net_addr *addr)
{
	struct link_login login = { .host = client->route.host };
	struct keystore_login from;
	int err = -ENOKEY;

	if (current_login(client, &from)) {
		snprintf(client->route.address, sizeof(client->route.address), "%s", from.address);
		snprintf(client->route.identity, sizeof(client->route.identity), "%s",
			 from.identity);
		login.identity = from.identity;
		login.psk = from.key;
		client->connection++;
		err = link_connect(client->links, addr, &login, &ops, client, &client->link);
	}
	if (!err)
		return;
	log_warn(CLIENT_LOG, "%s: cannot connect to %s: %s", client_uri(client), client->route.host,
		 strerror(-err));
	/* A host without IPv6 has no socket for the first address of a name, perhaps, and for the
	 * next one it has. */
	client->refused = false;
	next_attempt(client);
}

static void connect_next(struct umsg_client *client)
{
	client_set_state(client, UMSG_CONNECTING, "");
	connect_to(client, &client->route.addresses[client->route.next++]);
}

static void add_address(struct client_route *route, const struct sockaddr *sa, socklen_t n)
{
	struct net_addr *addr = &route->addresses[route->n_addresses];

	if (route->n_addresses == CLIENT_ADDRESSES_MAX || n > sizeof(addr->in6))
		return;
	memset(addr, 0, sizeof(*addr));
	memcpy(&addr->sa, sa, n);
	addr->len = n;
	net_set_port(addr, route->port);
	route->n_addresses++;
}

static void on_resolved(void *arg, int error, const struct addrinfo *found)
{
	struct umsg_client *client = arg;

	client->resolving = NULL; /* it is gone with its answer */
	for (const struct addrinfo *a = found; a; a = a->ai_next)
		add_address(&client->route, a->ai_addr, (socklen_t)a->ai_addrlen);
	if (client->route.n_addresses) {
		connect_next(client);
		return;
	}
	log_warn(CLIENT_LOG, "%s: no address of %s: %s", client_uri(client), client->route.host,
		 error ? evutil_gai_strerror(error) : "none known");
	client_set_state(client, UMSG_OFFLINE, "no such host");
	try_later(client);
}

static void resolve(struct umsg_client *client, const char *name)
{
	const struct evutil_addrinfo hints = { .ai_family = AF_UNSPEC,
					       .ai_socktype = SOCK_STREAM,
					       .ai_protocol = IPPROTO_TCP };

	if (!client->dns)
		client->dns = dns_new(client->base);
	if (client->dns)
		client->resolving = dns_ask(client->dns, name, &hints, on_resolved, client);
	if (client->resolving)
		return;
	client_set_state(client, UMSG_OFFLINE, "no memory for a question to name servers");
	try_later(client);
}

/* "HOST", "HOST:PORT" or a numeric address. */
static void find_addresses(struct umsg_client *client)
{
	struct client_route *route = &client->route;
	char name[sizeof(route->host)];
	struct net_addr numeric;
	const char *colon;
	size_t n;

	route->next = 0;
	route->n_addresses = 0;
	if (net_parse(route->host, PORT, &numeric) == 0) {
		route->addresses[route->n_addresses++] = numeric;
		connect_next(client);
		return;
	}
	colon = strrchr(route->host, ':');
	n = colon ? (size_t)(colon - route->host) : strlen(route->host);
	memcpy(name, route->host, n);
	name[n] = '\0';
	route->port = PORT;
	if (colon)
		route->port = (uint16_t)strtoul(colon + 1, NULL, 10);
	resolve(client, name);
}

void client_connect(struct umsg_client *client)
{
	struct keystore_login login;
	const char *address;

	if (client->link || client->resolving)
		return;
	if (!current_login(client, &login)) {
		client->route.login = 0;
		if (!current_login(client, &login)) {
			client_set_state(client, UMSG_OFFLINE, "the key store has no login");
			try_later(client);
			return;
		}
	}
	address = client->address ? client->address : login.address;
	if (strlen(address) >= sizeof(client->route.host)) {
		client_set_state(client, UMSG_OFFLINE, "the address is too long");
		try_later(client);
		return;
	}
	memcpy(client->route.host, address, strlen(address) + 1);
	client_set_state(client, UMSG_CONNECTING, "");
	find_addresses(client);
}

/* After a failure: another login when we were refused, else another address, else later. */
static void next_attempt(struct umsg_client *client)
{
	struct client_route *route = &client->route;
	struct keystore_login login;

	if (client->refused) {
		route->login++;
		if (current_login(client, &login)) {
			client_connect(client);
			return;
		}
		route->login = 0;
	} else if (route->next < route->n_addresses) {
		connect_next(client);
		return;
	}
	try_later(client);
}

/* ---- registering ---- */

void client_register(struct umsg_client *client)
{
	const struct keystore *store = client->keys.store;
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Register reg = UMSG__REGISTER__INIT;
	Umsg__UpdateName newest = UMSG__UPDATE_NAME__INIT;
	int64_t month = keystore_newest_month(store);
	char text[PERIOD_TEXT_SIZE];
	uint64_t created = 0;
	uint32_t revision = 0;
	struct period_keys *keys;

	/* It would throw out the device that took over: neither for an update that was in hand
	 * then, nor when the time has come to ask anew, as long as the connection is there. */
	if (client->state == UMSG_REPLACED)
		return;
	keys = client_own_keys(client, clock_wall_s());
	if (month >= 0 && keystore_month(store, month, &revision, &created)) {
		period_text(month, text);
		newest.month = text;
		newest.revision = revision;
		newest.created = created;
		reg.newest = &newest;
	}
	reg.device_id = frame_data(slice_of(keystore_device_id(store), FRAME_ID));
	reg.role = client->secondary ? UMSG__DEVICE_ROLE__SECONDARY : UMSG__DEVICE_ROLE__PRIMARY;
	reg.has_keys = client->said_keys = keys != NULL;
	reg.software = client->software;
	period_keys_release(&keys);
	client->registering = ++client->requests;
	client->anew_ms = 0; /* until it is answered it is time at each look */
	frame.request = client->registering;
	frame.body_case = UMSG__FRAME__BODY_REGISTER;
	frame.register_ = &reg;
	client_send(client, &frame);
	/* The part of the rendezvous that has to say it may be gone, or there was no memory to send
	 * it: on a connection that lives nobody would ask us again. */
	wait_ms(client, ANSWER_MS);
}

/* For the time to register anew; where there were no keys it is looked for them before. */
static void wait_for_anew(struct umsg_client *client, unsigned ms)
{
	wait_ms(client, client->state == UMSG_UPDATES_ONLY && ms > LOOK_FOR_KEYS_MS
				? LOOK_FOR_KEYS_MS
				: ms);
}

void client_register_in(struct umsg_client *client, unsigned ms)
{
	int64_t anew_ms = clock_mono_ms() + ms;

	/* Also where a registration is under way: it, or its repeat, comes before. */
	if (client->anew_ms <= anew_ms)
		return;
	client->anew_ms = anew_ms;
	wait_for_anew(client, ms);
}

/* Are there keys of this month, and the rendezvous was told that there are none?  They came while
 * it answered, or the clock was wrong then: a host without a battery begins in another year. */
static bool has_new_keys(const struct umsg_client *client)
{
	struct period_keys *keys = client_own_keys(client, clock_wall_s());
	bool there = keys != NULL;

	period_keys_release(&keys);
	return there && !client->said_keys;
}

void client_register_again(struct umsg_client *client)
{
	int64_t left_ms = client->anew_ms - clock_mono_ms();

	if (client->state == UMSG_UPDATES_ONLY && !has_new_keys(client) && left_ms > 0)
		wait_for_anew(client, (unsigned)left_ms);
	else
		client_register(client);
}

static void warn_of_clocks(struct umsg_client *client, uint64_t server_time)
{
	int64_t ahead = clock_wall_s() - (int64_t)server_time;

	if (server_time && (ahead > CLOCKS_DIFFER_S || ahead < -CLOCKS_DIFFER_S))
		log_warn(CLIENT_LOG, "%s: the clock differs from the rendezvous's by %lld seconds",
			 client_uri(client), (long long)ahead);
}

/* Logins behind the one that was accepted are tried after a refusal only: whoever keeps
 * the store may forget them.  By the login that connected, for with a new month the
 * order of the logins is another one. */
static void tell_accepted(struct umsg_client *client)
{
	const struct keystore *store = client->keys.store;
	int64_t now_s = clock_wall_s();
	struct keystore_login login;

	if (!client->ops->accepted)
		return;
	for (size_t i = 0; keystore_login_at(store, now_s, i, &login); i++) {
		if (strcmp(login.address, client->route.address) != 0 ||
		    strcmp(login.identity, client->route.identity) != 0)
			continue;
		if (keystore_login_at(store, now_s, i + 1, &login))
			client->ops->accepted(client->arg, client->route.address,
					      client->route.identity);
		return;
	}
}

void client_on_registered(struct umsg_client *client, const Umsg__Frame *frame)
{
	const Umsg__Registered *registered = frame->registered;
	unsigned anew_ms;

	/* An answer to an older registration: its figures may be out of date. */
	if (frame->request != client->registering)
		return;
	client->failures = 0;
	if (registered->keep_alive)
		link_set_keep_alive(client->link, LINK_KEEP_WS,
				    registered->keep_alive < 86400 ? registered->keep_alive * 1000
								   : 86400000,
				    GRACE_MS);
	warn_of_clocks(client, registered->server_time);
	client->parts_in_flight = registered->limits ? registered->limits->parts_in_flight : 0;
	client->message_octets = registered->limits ? registered->limits->message_octets : 0;
	client->epoch = registered->epoch;
	client->fetched = 0;
	client->fetching = 0;
	client->long_skipped = false;
	client->long_last = 0;
	log_info(CLIENT_LOG, "%s: registered at %s%s", client_uri(client), client->route.host,
		 registered->updates_only ? " for updates only" : "");
	anew_ms = REGISTER_ANEW_MS + any_of(REGISTER_ANEW_MS / 6);
	client->anew_ms = clock_mono_ms() + anew_ms;
	wait_ms(client, registered->updates_only ? LOOK_FOR_KEYS_MS : anew_ms);
	client_set_state(client, registered->updates_only ? UMSG_UPDATES_ONLY : UMSG_ATTACHED, "");
	/* What was told may have ended the connection. */
	if (!client->link)
		return;
	tell_accepted(client);
	if (!registered->updates_only && registered->waiting)
		client_fetch_all(client);
	client_offer_updates(client, registered->updates, registered->n_updates);
}

/* Our part of the rendezvous starts again, or is busy: the connection is good, and soon the
 * registration is, too. */
void client_on_register_error(struct umsg_client *client, uint64_t request,
			      const Umsg__Error *error)
{
	if (request != client->registering)
		return;
	wait_ms(client, error->retry_after && error->retry_after < REGISTER_AGAIN_S
				? error->retry_after * 1000
				: REGISTER_AGAIN_S * 1000);
}

/* We stay connected, as the rendezvous lets us, and ask again later.  To whatever else we may have
 * asked it says the same: that must not put the registration off. */
void client_on_denied(struct umsg_client *client, const Umsg__Frame *frame)
{
	const Umsg__Denied *denied = frame->denied;

	if (client->state == UMSG_DENIED && frame->request != client->registering)
		return;
	if (client->state != UMSG_DENIED)
		log_warn(CLIENT_LOG, "%s: denied by %s: %s", client_uri(client), client->route.host,
			 denied->text);
	client_drop_update(client); /* its next piece would be denied, too */
	client_end_calls(client, UMSG__END_REASON__END_NOT_ALLOWED, false);
	wait_ms(client, DENIED_WAIT_MS);
	client_set_state(client, UMSG_DENIED, denied->text[0] ? denied->text : "denied");
}

void client_on_unregistered(struct umsg_client *client, const Umsg__Unregistered *unregistered)
{
	const char *text = unregistered->text;

	log_warn(CLIENT_LOG, "%s: unregistered by %s: %s", client_uri(client), client->route.host,
		 text);
	client_end_calls(client, UMSG__END_REASON__END_LOST_CONNECTION, false);
	switch (unregistered->reason) {
	case UMSG__UNREGISTER_REASON__UNREGISTER_REPLACED:
		client_set_state(client, UMSG_REPLACED,
				 text[0] ? text : "another device took over");
		break;
	case UMSG__UNREGISTER_REASON__UNREGISTER_DENIED:
		wait_ms(client, DENIED_WAIT_MS);
		client_set_state(client, UMSG_DENIED, text[0] ? text : "denied");
		break;
	case UMSG__UNREGISTER_REASON__UNREGISTER_NO_KEYS:
		client_register(client); /* for updates only, unless we hold keys by now */
		break;
	default:
		link_close(client->link, 1000); /* and connect again */
		break;
	}
}
