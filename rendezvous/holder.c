/* holder.c - accepting clients, and the end of their connections.
 *
 * A client lives from accept() to client_end() or free_client(), which take it out of every
 * list; links tell the end as their last event, and from within that event all may be freed
 * (umsg/link.h). Nobody else keeps a pointer to a client: homes and the supervisor name it by
 * its connection's number, which is looked for anew each time.
 */
#include "rendezvous/holder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/listener.h"
#include "base/net.h"
#include "base/timer.h"
#include "rendezvous/account_set.h"
#include "rendezvous/admin_set.h"
#include "rendezvous/allowances.h"
#include "rendezvous/client_policy.h"
#include "rendezvous/complaints.h"
#include "rendezvous/holder_priv.h"
#include "rendezvous/peer_limits.h"

/* Numbers of connections: worker, second of its start, count.  So none comes twice, also behind a
 * restart. */
enum { CONNECTION_INDEX_SHIFT = 56, CONNECTION_TIME_SHIFT = 20 };

static void address_of(const struct client *client, char host[NET_TEXT_SIZE], char port[8])
{
	const struct net_addr *peer = link_peer(client->link);

	net_format_host(peer, host);
	snprintf(port, 8, "%u", net_port(peer));
}

static void trace_connection(const struct client *client, const char *state)
{
	char id[24], host[NET_TEXT_SIZE], port[8], user[256] = "unknown";
	const char *type = !client->authenticated ? "unknown" : client->admin ? "admin" : "client";
	const char *fields[] = { id, type, user, host, port, state };

	if (!worker_traces(client->holder->worker, TRACE_CONNECTION))
		return;
	snprintf(id, sizeof(id), "%llu", (unsigned long long)client_connection(client));
	if (client->authenticated && client->admin)
		snprintf(user, sizeof(user), "%s", client->admin);
	else if (client->authenticated)
		snprintf(user, sizeof(user), "%s@%s", client->uri, client->account);
	address_of(client, host, port);
	worker_trace(client->holder->worker, TRACE_CONNECTION, fields, 6);
}

void client_trace(const struct client *client, const char *state, const char *description)
{
	char id[24], host[NET_TEXT_SIZE], port[8];
	const char *fields[] = {
		id,          client->said.primary ? "primary" : "secondary",
		client->uri, client->account,
		host,        port,
		state,       description,
	};

	if (!worker_traces(client->holder->worker, TRACE_ATTACH))
		return;
	snprintf(id, sizeof(id), "%llu", (unsigned long long)client_connection(client));
	address_of(client, host, port);
	worker_trace(client->holder->worker, TRACE_ATTACH, fields, 8);
}

static void tell_session_lost(struct client *client, const struct client_session *session)
{
	CrsWorker__Peer message = CRS_WORKER__PEER__INIT;
	CrsWorker__SessionLost lost = CRS_WORKER__SESSION_LOST__INIT;

	lost.connection = client_connection(client);
	lost.session_id = frame_data(slice_of(session->id, FRAME_ID));
	message.body_case = CRS_WORKER__PEER__BODY_SESSION_LOST;
	message.session_lost = &lost;
	worker_send(client->holder->worker, session->home, &message);
}

void client_detach(struct client *client, const char *why)
{
	struct worker *worker = client->holder->worker;
	CrsWorker__Peer message = CRS_WORKER__PEER__INIT;
	CrsWorker__Detach detach = CRS_WORKER__DETACH__INIT;
	char reason[64];

	snprintf(reason, sizeof(reason), "%s", why);
	detach.connection = client_connection(client);
	detach.uri = client->uri;
	detach.reason = reason;
	message.body_case = CRS_WORKER__PEER__BODY_DETACH;
	message.detach = &detach;
	worker_send(worker, worker_home_of(worker, slice_str(client->uri)), &message);
}

static void free_client(struct client *client)
{
	struct client_session *session;
	struct client_post *post;
	struct client_request *request;

	while ((session = TAILQ_FIRST(&client->sessions)))
		client_drop_session(session);
	while ((post = TAILQ_FIRST(&client->posts)))
		client_drop_post(post);
	while ((request = TAILQ_FIRST(&client->requests)))
		client_drop_request(client, request);
	idmap_remove(&client->holder->clients, &client->node);
	TAILQ_REMOVE(&client->holder->all, client, in_holder);
	client->holder->count--;
	if (client->patience)
		event_free(client->patience);
	peer_leave(client->holder->limits, &client->peer, !client->settled);
	allowance_leave(client->holder->allowances, &client->allowance, clock_mono_ms());
	/* Whoever is sent away hears so (RFC 6455 7.4.1: going away); of a link that has ended
	 * already nothing is written. */
	link_finish(&client->link, 1001);
	free(client->uri);
	free(client->account);
	free(client->software);
	free(client->deny_text);
	client_drop_upload(client);
	free(client->admin);
	free(client);
}

/* In this order: homes of its calls first, then of its registration, so that no call rings a
 * device that is gone. */
void client_end(struct client *client, const char *why)
{
	const struct client_session *session;

	TAILQ_FOREACH(session, &client->sessions, in_client)
	tell_session_lost(client, session);
	if (client->state == CLIENT_REGISTERED || client->state == CLIENT_ASKED) {
		client_detach(client, why);
		if (client_is_registered(client))
			client_trace(client, "unregistered", why);
	}
	trace_connection(client, "closed");
	free_client(client);
}

/* An administrator's name is no secret, and of nobody's the key is random. */
static void take_admin(struct client *client, const char *name, uint8_t psk_out[LINK_PSK])
{
	/* False: psk_out holds random octets, and the handshake fails as with a wrong key. */
	if (!admin_set_psk(worker_admins(client->holder->worker), name, psk_out))
		return;
	client->admin = strdup(name);
	client->uri = strdup("");
	client->account = strdup("");
	client->known = client->admin && client->uri && client->account;
}

static void on_psk(void *arg, struct link *link, struct slice identity_text,
		   uint8_t psk_out[LINK_PSK])
{
	struct client *client = arg;
	struct account_identity identity;
	struct account_hello hello;
	const struct account_secret *secret;
	bool account_known;

	(void)link;
	/* The same work for every identity: only the end tells whether it opened. */
	account_identity_parse(identity_text, &identity);
	if (identity.kind == ACCOUNT_IDENTITY_ADMIN) {
		take_admin(client, identity.from, psk_out);
		return;
	}
	secret = account_set_secret(worker_accounts(client->holder->worker), identity.account,
				    &account_known);
	if (account_identity_open(&identity, secret, &hello) == 0 && account_known) {
		client->uri = strdup(hello.uri);
		client->account = strdup(hello.account);
		client->generation = hello.generation;
		client->known = client->uri && client->account;
	}
	/* Also where nothing was opened: then it is random (keys/account.h), and nobody learns
	 * which of account, user and key was wrong. */
	memcpy(psk_out, hello.psk, LINK_PSK);
	account_hello_wipe(&hello);
}

/* How a peer that had come so far broke the rules of the link itself. */
static bool broke_rules(enum link_reason reason)
{
	return reason == LINK_PROTOCOL || reason == LINK_TOO_LARGE || reason == LINK_SLOW;
}

bool holder_may_log(struct holder *holder, const char *cause, const char *who,
		    unsigned *suppressed_out)
{
	return complaints_pass(holder->complaints, cause, who, clock_mono_ms(), suppressed_out);
}

static void log_closed(const struct client *client, const struct link_event *event)
{
	struct holder *holder = client->holder;
	const char *cause = link_reason_name(event->reason);
	char peer[NET_TEXT_SIZE], host[NET_TEXT_SIZE];
	unsigned suppressed;

	net_format(link_peer(client->link), peer);
	net_format_host(link_peer(client->link), host);
	if (client->negotiated && broke_rules(event->reason)) {
		if (holder_may_log(holder, cause, client->admin ? client->admin : client->uri,
				   &suppressed))
			log_warn("attach",
				 "uri=%s account=%s peer=%s: %s: cut off (%u more not logged)",
				 client->uri, client->account, peer, cause, suppressed);
	} else if (!client->negotiated && event->reason != LINK_BY_PEER) {
		if (holder_may_log(holder, cause, host, &suppressed))
			log_info("attach",
				 "handshake failed peer=%s reason=%s (%s; %u more not logged)",
				 peer, cause, event->text, suppressed);
	} else if (client->negotiated) {
		log_debug("attach", "closed uri=%s peer=%s reason=%s", client->uri, peer, cause);
	}
}

static void on_closed(struct client *client, const struct link_event *event)
{
	struct worker *worker = client->holder->worker;

	if (!client->negotiated)
		worker_figure(worker, FIGURE_HANDSHAKES_FAILED);
	else if (broke_rules(event->reason))
		worker_figure(worker, FIGURE_CUT_OFF);
	log_closed(client, event);
	client_end(client, event->reason == LINK_BY_PEER ? "connection closed"
							 : link_reason_name(event->reason));
}

static struct client_subject subject_of(const struct client *client)
{
	return (struct client_subject){ .address = &link_peer(client->link)->sa,
					.uri = slice_str(client->uri),
					.account = slice_str(client->account) };
}

static void keep_alive(struct client *client)
{
	const struct client_subject subject = subject_of(client);
	unsigned line;
	struct keep_alive keep =
		client_policy_keep_alive(worker_policy(client->holder->worker), &subject, &line);

	link_set_keep_alive(client->link, keep.tcp ? LINK_KEEP_TCP : LINK_KEEP_WS, keep.interval_ms,
			    keep.grace_ms);
	if (line)
		log_debug("attach", "uri=%s account=%s keep-alive by line %u of crs.conf: %s %u ms",
			  client->uri, client->account, line, keep.tcp ? "tcp" : "ws",
			  keep.interval_ms);
	else
		log_debug("attach", "uri=%s account=%s keep-alive by default: ws %u ms",
			  client->uri, client->account, keep.interval_ms);
}

static void on_event(void *arg, struct link *link, const struct link_event *event)
{
	struct client *client = arg;

	(void)link;
	switch (event->kind) {
	case LINK_AUTHENTICATED:
		/* With a random key nobody gets here; known is asked all the same. */
		client->authenticated = client->known;
		if (client->known && !client->admin)
			client->allowance = allowance_join(client->holder->allowances,
							   client->account, client->uri);
		trace_connection(client, "authenticated");
		break;
	/* Not before: the keep-alive's rule may name the client, who was nobody until then. */
	case LINK_NEGOTIATED:
		client->negotiated = true;
		keep_alive(client);
		trace_connection(client, "negotiated");
		break;
	case LINK_FRAME:
		if (client->admin)
			client_admin_frame(client, event->octets);
		else
			client_frame(client, event->octets);
		break;
	case LINK_CLOSED:
		on_closed(client, event);
		break;
	case LINK_CONNECTED:
	case LINK_PINGED:
	case LINK_PONG:
		break;
	}
}

static const struct link_ops link_ops = { .event = on_event, .psk = on_psk };

/* A client that does not register in time has nothing to do here. */
static void on_impatient(evutil_socket_t fd, short what, void *arg)
{
	struct client *client = arg;

	(void)fd;
	(void)what;
	if (!client_is_registered(client))
		/* RFC 6455 7.4.1: a policy is violated. */
		link_close(client->link, 1008);
}

void client_be_patient(struct client *client, long ms)
{
	if (client->patience)
		event_free(client->patience);
	client->patience = NULL;
	if (ms < 0)
		return;
	/* Behind those who are registered: a flood of new ones must not make calls wait. */
	link_set_priority(client->link, WORKER_PRIORITY_NEW);
	client->patience = evtimer_new(worker_base(client->holder->worker), on_impatient, client);
	if (client->patience)
		timer_arm(client->patience, ms);
}

void client_clean_up(struct client *client)
{
	const struct client_subject subject = subject_of(client);

	client_be_patient(
		client, client_policy_cleanup_ms(worker_policy(client->holder->worker), &subject));
}

static void take_client(struct holder *holder, int fd, struct peer *peer)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client) {
		peer_leave(holder->limits, &peer, true);
		close(fd);
		return;
	}
	client->holder = holder;
	client->peer = peer;
	TAILQ_INIT(&client->sessions);
	TAILQ_INIT(&client->posts);
	TAILQ_INIT(&client->requests);
	/* In the lists before the link is there: every way out below is free_client(), and the
	 * first event finds a client that is whole. */
	idmap_put(&holder->clients, &client->node, ++holder->next_connection);
	TAILQ_INSERT_TAIL(&holder->all, client, in_holder);
	holder->count++;
	worker_figure(holder->worker, FIGURE_ACCEPTED);
	client->since_s = clock_wall_s();
	if (link_accept(holder->links, fd, &link_ops, client, &client->link)) {
		client->link = NULL;
		free_client(client);
		return;
	}
	/* Without the timer a silent one would stay for ever: then it is not taken. */
	client_be_patient(client, HOLDER_HANDSHAKE_MS + HOLDER_REGISTER_MS);
	if (!client->patience) {
		free_client(client);
		return;
	}
	trace_connection(client, "connected");
}

/* May this address have another connection?  Our own host may. */
static bool admit(struct holder *holder, const struct net_addr *addr, struct peer **peer_out)
{
	char text[NET_TEXT_SIZE];
	unsigned suppressed;
	const char *why = NULL;

	*peer_out = NULL;
	if (holder->count >= HOLDER_CONNECTIONS_MAX)
		why = "too many connections";
	/* Our own host's programs, health checks and gateways beside us, are an operator's; they
	 * share one address. */
	else if (!net_is_loopback(addr))
		why = peer_join(holder->limits, addr, clock_mono_ms(), peer_out);
	if (!why)
		return true;
	worker_figure(holder->worker, FIGURE_TURNED_AWAY);
	net_format_host(addr, text);
	if (holder_may_log(holder, why, text, &suppressed))
		log_warn("attach", "%s: refused peer=%s (%u more not logged)", why, text,
			 suppressed);
	return false;
}

static void on_connection(void *arg, int fd, const struct net_addr *from)
{
	struct holder *holder = arg;
	struct peer *peer;

	if (admit(holder, from, &peer))
		take_client(holder, fd, peer);
	else
		close(fd);
}

static int listen_on(struct holder *holder, const char *address, struct diag *diag)
{
	struct net_addr addr;
	int fd;

	if (net_parse(address, 0, &addr)) {
		diag_error(diag, NULL, "cannot listen on \"%s\": no such address", address);
		return -EINVAL;
	}
	fd = net_tcp_listen(&addr, true);
	if (fd < 0) {
		diag_error(diag, NULL, "cannot listen on %s: %s", address, strerror(-fd));
		return fd;
	}
	holder->listener =
		listener_new(worker_base(holder->worker), fd, "attach", on_connection, holder);
	if (!holder->listener) {
		close(fd);
		return -ENOMEM;
	}
	listener_set_priority(holder->listener, WORKER_PRIORITY_NEW);
	return 0;
}

int holder_new(struct worker *worker, struct holder **holder_out, struct diag *diag)
{
	const struct link_limits limits = { .handshake_ms = HOLDER_HANDSHAKE_MS };
	const CrsWorker__Setup *setup = worker_setup(worker);
	struct holder *holder = calloc(1, sizeof(*holder));
	int err;

	if (!holder)
		return -ENOMEM;
	holder_drop_old_uploads(setup);
	holder->worker = worker;
	TAILQ_INIT(&holder->all);
	/* 20 bits a second: a worker that accepted a million connections in each second of its
	 * life would meet the numbers of its successor. */
	holder->next_connection = (uint64_t)setup->index << CONNECTION_INDEX_SHIFT |
				  (uint64_t)clock_wall_s() << CONNECTION_TIME_SHIFT;
	holder->post_rate = request_rate(REQUEST_POST);
	if (setup->posts_at_once)
		holder->post_rate =
			(struct request_rate){ setup->posts_at_once, setup->posts_each_ms };
	holder->limits = peer_limits_new();
	holder->complaints = complaints_new();
	holder->allowances = allowances_new();
	err = holder->limits && holder->complaints && holder->allowances ? idhash_init(&holder->ids)
									 : -ENOMEM;
	if (!err && (idmap_init(&holder->clients) || idmap_init(&holder->sessions) ||
		     idmap_init(&holder->posts)))
		err = -ENOMEM;
	if (!err)
		err = link_context_new(worker_base(worker), &limits, &holder->links);
	if (!err)
		err = listen_on(holder, setup->listen, diag);
	if (err) {
		holder_free(&holder);
		return err;
	}
	*holder_out = holder;
	return 0;
}

void holder_stop(struct holder *holder)
{
	struct client *client;

	listener_free(&holder->listener);
	/* A link ends from the loop, later (umsg/link.h): none leaves the list in here. */
	TAILQ_FOREACH(client, &holder->all, in_holder)
	{
		Umsg__Frame frame = UMSG__FRAME__INIT;
		Umsg__Unregistered gone = UMSG__UNREGISTERED__INIT;

		gone.reason = UMSG__UNREGISTER_REASON__UNREGISTER_SERVER_STOPS;
		frame.body_case = UMSG__FRAME__BODY_UNREGISTERED;
		frame.unregistered = &gone;
		if (client->negotiated)
			client_send(client, &frame);
		/* RFC 6455 7.4.1: going away. */
		link_close(client->link, 1001);
	}
}

size_t holder_count(const struct holder *holder)
{
	return holder->count;
}

size_t holder_registered(const struct holder *holder)
{
	const struct client *client;
	size_t n = 0;

	TAILQ_FOREACH(client, &holder->all, in_holder)
	n += client_is_registered(client);
	return n;
}

void holder_free(struct holder **holderp)
{
	struct holder *holder = *holderp;
	struct client *client;

	if (!holder)
		return;
	/* No home is told: the worker ends, and homes hear that its channel is gone. */
	while ((client = TAILQ_FIRST(&holder->all)))
		free_client(client);
	idmap_done(&holder->clients);
	idmap_done(&holder->sessions);
	idmap_done(&holder->posts);
	listener_free(&holder->listener);
	link_context_free(&holder->links);
	peer_limits_free(&holder->limits);
	complaints_free(&holder->complaints);
	allowances_free(&holder->allowances);
	free(holder);
	*holderp = NULL;
}
