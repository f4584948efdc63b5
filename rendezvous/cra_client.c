/* cra_client.c - asks a rendezvous as a remote administrator.
 *
 * One request after the other over one link, each waited for: the event loop runs only inside
 * wait_for(), so that to its caller all of this is plain function calls.
 */
#include "rendezvous/cra_client.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/event.h>
#include <openssl/crypto.h>

#include "base/diag.h"
#include "base/net.h"
#include "base/timer.h"
#include "keys/account.h"
#include "umsg/frame.h"
#include "umsg/link.h"

/* A server may be anybody's who has that address: its answer is bounded, too. */
enum { PORT = 5223, ANSWER_MAX = 256 << 20, HOST_SIZE = 256 };

struct cra_client {
	struct event_base *base;
	struct link_context *links;
	struct link *link;
	struct event *limit;
	bool negotiated, timed_out;
	enum link_reason lost; /* LINK_OPEN while it is not */
	char lost_text[128];
	uint64_t request;
	/* The answer that is awaited. */
	bool answered;
	Umsg__ErrorCode error;
	char text[FRAME_TEXT_MAX + 1];
	char *data;
	size_t n;
};

/* Not more than any answer could be. */
static void add_data(struct cra_client *client, struct slice data)
{
	char *grown = client->n + data.n < ANSWER_MAX
			      ? realloc(client->data, client->n + data.n + 1)
			      : NULL;

	if (!grown) {
		client->error = UMSG__ERROR_CODE__ERROR_TOO_LARGE;
		return;
	}
	memcpy(grown + client->n, data.p, data.n);
	client->data = grown;
	client->n += data.n;
}

static void take_answer(struct cra_client *client, const Umsg__AdminAnswer *answer)
{
	/* The last word counts: an error ends an answer of which parts have come already. */
	if (answer->error) {
		client->error = answer->error;
		snprintf(client->text, sizeof(client->text), "%s", answer->text);
	}
	if (answer->data.len)
		add_data(client, frame_bytes(answer->data));
	client->answered = !answer->more;
}

static void take_frame(struct cra_client *client, struct slice octets)
{
	Umsg__Frame *frame = NULL;

	/* What has another number is an answer that came too late for the request before. */
	if (frame_decode(octets, FRAME_FROM_SERVER, &frame) == 0 &&
	    frame->request == client->request && frame->body_case == UMSG__FRAME__BODY_ADMIN_ANSWER)
		take_answer(client, frame->admin_answer);
	frame_free(&frame);
}

static void on_event(void *arg, struct link *link, const struct link_event *event)
{
	struct cra_client *client = arg;

	(void)link;
	if (event->kind == LINK_NEGOTIATED) {
		client->negotiated = true;
	} else if (event->kind == LINK_FRAME) {
		take_frame(client, event->octets);
	} else if (event->kind == LINK_CLOSED) {
		client->lost = event->reason;
		snprintf(client->lost_text, sizeof(client->lost_text), "%s", event->text);
	}
}

static const struct link_ops link_ops = { .event = on_event };

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	struct cra_client *client = arg;

	(void)fd;
	(void)what;
	client->timed_out = true;
}

/* Runs until *done, the connection's end or the limit.  Returns 0, -EPIPE, -ETIMEDOUT. */
static int wait_for(struct cra_client *client, const bool *done)
{
	client->timed_out = false;
	timer_arm(client->limit, CRA_LIMIT_MS);
	/* Each look is behind one round of events: any of them may have changed all three. */
	while (!*done && !client->lost && !client->timed_out)
		event_base_loop(client->base, EVLOOP_ONCE);
	event_del(client->limit);
	return *done ? 0 : client->lost ? -EPIPE : -ETIMEDOUT;
}

static int make(struct cra_client **client_out)
{
	struct cra_client *client = calloc(1, sizeof(*client));

	if (!client)
		return -ENOMEM;
	*client_out = client;
	client->base = event_base_new();
	if (!client->base || link_context_new(client->base, NULL, &client->links))
		return -ENOMEM;
	client->limit = evtimer_new(client->base, on_limit, client);
	return client->limit ? 0 : -ENOMEM;
}

void cra_client_free(struct cra_client **clientp)
{
	struct cra_client *client = *clientp;

	if (!client)
		return;
	*clientp = NULL;
	link_finish(&client->link, 1000);
	link_context_free(&client->links);
	if (client->limit)
		event_free(client->limit);
	if (client->base)
		event_base_free(client->base);
	free(client->data);
	free(client);
}

/* ---- connecting ---- */

static int try_address(struct cra_client *client, const struct addrinfo *at,
		       const struct link_login *login)
{
	struct net_addr addr;
	int err;

	memset(&addr, 0, sizeof(addr));
	memcpy(&addr.sa, at->ai_addr, at->ai_addrlen);
	addr.len = at->ai_addrlen;
	/* The one that failed, to another address. */
	link_free(&client->link);
	client->lost = LINK_OPEN;
	err = link_connect(client->links, &addr, login, &link_ops, client, &client->link);
	return err ? err : wait_for(client, &client->negotiated);
}

static int try_all(struct cra_client *client, const char *host, const char *port,
		   const struct link_login *login, struct diag *diag)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	int err = getaddrinfo(host, port, &hints, &list);

	if (err) {
		diag_error(diag, NULL, "%s: %s", host, gai_strerror(err));
		return -EHOSTUNREACH;
	}
	err = -EHOSTUNREACH;
	for (const struct addrinfo *at = list; at && err; at = at->ai_next) {
		err = try_address(client, at, login);
		/* Another address has the same administrators. */
		if (client->lost == LINK_REFUSED)
			break;
	}
	freeaddrinfo(list);
	if (err && client->lost == LINK_REFUSED)
		diag_error(diag, NULL,
			   "%s does not know this administrator, or the secret is not his", host);
	else if (err)
		diag_error(diag, NULL, "%s port %s: %s%s%s", host, port,
			   client->lost ? link_reason_name(client->lost) : strerror(-err),
			   client->lost_text[0] ? ": " : "", client->lost_text);
	return err;
}

/* "HOST", "HOST:PORT", "[IPV6]:PORT", an IPv6 address. */
static int split_server(const char *server, char host[HOST_SIZE], char port[8])
{
	const char *colon = strrchr(server, ':');
	size_t n = strlen(server);

	snprintf(port, 8, "%d", PORT);
	/* One colon parts a port; several without brackets are an IPv6 address (RFC 3986 3.2.2). */
	if (colon && (server[0] == '[' ? colon[-1] == ']' : strchr(server, ':') == colon)) {
		snprintf(port, 8, "%.7s", colon + 1);
		n = (size_t)(colon - server);
	}
	if (server[0] == '[' && n > 1 && server[n - 1] == ']') {
		server++;
		n -= 2;
	}
	if (n == 0 || n >= HOST_SIZE)
		return -EINVAL;
	memcpy(host, server, n);
	host[n] = '\0';
	return 0;
}

int cra_client_connect(const char *server, const char *name, const char *secret_text,
		       struct cra_client **client_out, struct diag *diag)
{
	char host[HOST_SIZE], port[8], identity[ACCOUNT_IDENTITY_MAX + 1];
	uint8_t psk[ACCOUNT_PSK_SIZE];
	const struct link_login login = { .host = host, .identity = identity, .psk = psk };
	struct cra_client *client = NULL;
	struct account_secret secret;
	int err = account_secret_from_text(slice_str(secret_text), name, &secret);

	if (!err)
		err = account_admin_psk(&secret, slice_str(name), psk);
	if (!err)
		err = account_admin_identity(slice_str(name), identity);
	account_secret_wipe(&secret);
	if (!err)
		err = split_server(server, host, port);
	if (err) {
		diag_error(diag, NULL, "no such server, administrator or secret can be");
		return err;
	}
	err = make(&client);
	if (!err)
		err = try_all(client, host, port, &login, diag);
	OPENSSL_cleanse(psk, sizeof(psk));
	if (err)
		cra_client_free(&client);
	*client_out = client;
	return err;
}

/* ---- asking ---- */

/* Sends the request and waits for all of its answer. */
static int exchange(struct cra_client *client, Umsg__AdminRequest *request, struct diag *diag)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	uint8_t *octets;
	size_t n;
	int err;

	free(client->data);
	client->data = NULL;
	client->n = 0;
	client->answered = false;
	client->error = UMSG__ERROR_CODE__OK;
	client->text[0] = '\0';
	frame.request = ++client->request;
	frame.body_case = UMSG__FRAME__BODY_ADMIN_REQUEST;
	frame.admin_request = request;
	err = frame_encode(&frame, &octets, &n);
	if (err)
		return err;
	err = link_send(client->link, slice_of(octets, n));
	free(octets);
	if (!err)
		err = wait_for(client, &client->answered);
	if (err) {
		diag_error(diag, NULL, "the rendezvous gave no answer: %s",
			   client->lost ? link_reason_name(client->lost) : strerror(-err));
		return err;
	}
	if (!client->error)
		return 0;
	diag_error(diag, NULL, "%s", client->text[0] ? client->text : "refused");
	return client->error == UMSG__ERROR_CODE__ERROR_NOT_ALLOWED ? -EACCES : -EPROTO;
}

static int read_answer(const struct cra_client *client, json_t **answer_out, struct diag *diag)
{
	*answer_out = json_loadb(client->data ? client->data : "", client->n, 0, NULL);
	if (*answer_out)
		return 0;
	diag_error(diag, NULL, "the rendezvous answered something else than expected");
	return -EPROTO;
}

int cra_client_ask(struct cra_client *client, Umsg__AdminAction action, const char *account,
		   json_t **answer_out, struct diag *diag)
{
	Umsg__AdminRequest request = UMSG__ADMIN_REQUEST__INIT;
	int err;

	request.action = action;
	request.account = frame_text(account);
	err = exchange(client, &request, diag);
	return err ? err : read_answer(client, answer_out, diag);
}

int cra_client_apply(struct cra_client *client, const char *account, struct slice file,
		     cra_progress_fn *progress, void *arg, json_t **answer_out, struct diag *diag)
{
	Umsg__AdminRequest request = UMSG__ADMIN_REQUEST__INIT;
	size_t sent = 0;
	int err;

	request.action = UMSG__ADMIN_ACTION__ADMIN_APPLY;
	request.account = frame_text(account);
	do {
		size_t n = file.n - sent;

		if (n > FRAME_UPDATE_DATA)
			n = FRAME_UPDATE_DATA;
		request.offset = (uint32_t)sent;
		request.data = frame_data(slice_of(file.p + sent, n));
		sent += n;
		/* Also of a file of no octets, which the server refuses with a reason. */
		request.last = sent == file.n;
		err = exchange(client, &request, diag);
		if (!err && progress)
			progress(arg, sent, file.n);
	} while (!err && !request.last);
	return err ? err : read_answer(client, answer_out, diag);
}
