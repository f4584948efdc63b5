/* control_listings.c - listings that workers or crs-relay have to be asked for.
 *
 * Each request is answered once, when the last worker has said its rows or its time is over:
 * supervisor_query() sees to that, and a worker that hangs holds no listing up.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/control.h"
#include "rendezvous/control_api_priv.h"
#include "rendezvous/relay_client.h"

/* --- workers --- */

enum { COLUMNS_MAX = 8 };

struct listing {
	struct control_request *request;
	const char *column[COLUMNS_MAX]; /* NULL behind the last; "#NAME": a number */
};

static json_t *cell_value(const char *column, const json_t *cell)
{
	const char *text = json_string_value(cell);

	if (column[0] == '#')
		/* Cells are texts of our own workers: what is no number is shown as 0. */
		return json_integer(strtoll(text ? text : "0", NULL, 10));
	return json_string(text ? text : "");
}

static void on_rows(void *arg, json_t *rows)
{
	struct listing *listing = arg;
	json_t *list = json_array(), *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		json_t *object = json_object();

		for (size_t c = 0; c < COLUMNS_MAX && listing->column[c]; c++) {
			const char *column = listing->column[c];

			json_object_set_new(object, column + (column[0] == '#'),
					    cell_value(column, json_array_get(row, c)));
		}
		json_array_append_new(list, object);
	}
	json_decref(rows);
	control_answer_json(listing->request, 200, list);
	free(listing);
}

static void list_rows(struct control_api *api, struct control_request *request,
		      CrsWorker__QueryKind kind, const struct listing *model)
{
	const struct supervisor_question question = { .kind = kind };
	struct listing *listing = malloc(sizeof(*listing));

	if (listing) {
		*listing = *model;
		listing->request = request;
	}
	if (!listing || supervisor_query(api->supervisor, &question, on_rows, listing)) {
		free(listing);
		control_answer_error(request, 500, "no memory");
	}
}

void control_api_attach(struct control_request *request, void *arg)
{
	static const struct listing listing = { .column = { "uri", "account", "#time", "version",
							    "address", "crs" } };

	list_rows(arg, request, CRS_WORKER__QUERY_KIND__ATTACH, &listing);
}

void control_api_session(struct control_request *request, void *arg)
{
	static const struct listing listing = { .column = { "caller", "callee", "#time",
							    "state" } };

	list_rows(arg, request, CRS_WORKER__QUERY_KIND__SESSION, &listing);
}

/* A request that waits for all workers. */
struct asked {
	struct control_api *api;
	struct control_request *request;
};

static void ask_workers(struct control_api *api, struct control_request *request,
			CrsWorker__QueryKind kind, supervisor_rows_fn *done)
{
	const struct supervisor_question question = { .kind = kind };
	struct asked *asked = malloc(sizeof(*asked));

	if (asked)
		*asked = (struct asked){ .api = api, .request = request };
	if (!asked || supervisor_query(api->supervisor, &question, done, asked)) {
		free(asked);
		control_answer_error(request, 500, "no memory");
	}
}

/* --- messages: what workers counted is written first, then read as a whole --- */

/* One row of "post", "deliv" or "read", account, URI, value. */
static void add_count(json_t *users, const json_t *row)
{
	const char *what = json_string_value(json_array_get(row, 0));
	const char *account = json_string_value(json_array_get(row, 1));
	const char *uri = json_string_value(json_array_get(row, 2));
	const char *value = json_string_value(json_array_get(row, 3));
	char key[256], time[CLOCK_TEXT_SIZE];
	struct buf b = BUF_OF(key);
	json_t *user;

	if (!what || !account || !uri || !value)
		return;
	/* A URI that moved between accounts has a row in each. A blank is in neither. */
	buf_printf(&b, "%s %s", account, uri);
	user = json_object_get(users, key);
	if (!user) {
		user = json_pack("{s:s, s:i, s:i, s:s, s:s}", "uri", uri, "post", 0, "deliv", 0,
				 "read", "", "account", account);
		json_object_set_new(users, key, user);
	}
	if (strcmp(what, "read") == 0) {
		clock_format(strtoll(value, NULL, 10) * 1000, time);
		json_object_set_new(user, what, json_string(time));
	} else {
		json_object_set_new(user, what, json_integer(strtoll(value, NULL, 10)));
	}
}

static void on_counts(void *arg, json_t *rows)
{
	struct asked *listing = arg;
	json_t *users = json_object(), *list = json_array(), *row;
	const char *key;
	size_t i;

	json_array_foreach(rows, i, row) add_count(users, row);
	json_object_foreach(users, key, row) json_array_append(list, row);
	json_decref(users);
	json_decref(rows);
	control_answer_json(listing->request, 200, list);
	free(listing);
}

/* Two questions: first all workers write what they have counted, then one reads the store. In
 * one, the reader could be faster than the others' counts. */
static void on_flushed(void *arg, json_t *rows)
{
	const struct supervisor_question question = { .kind = CRS_WORKER__QUERY_KIND__COUNTERS,
						      .only_first = true };
	struct asked *listing = arg;

	json_decref(rows);
	if (supervisor_query(listing->api->supervisor, &question, on_counts, listing)) {
		control_answer_error(listing->request, 500, "no memory");
		free(listing);
	}
}

void control_api_message(struct control_request *request, void *arg)
{
	ask_workers(arg, request, CRS_WORKER__QUERY_KIND__FLUSH_COUNTERS, on_flushed);
}

/* --- services --- */

enum { ANSWER_MS = 300 };

/* Does this Redis answer?  One that hangs still has its socket, and the kernel accepts for
 * it.  Waits in the supervisor, which no call and no message passes. */
static bool answers(const char *run_dir, const char *name)
{
	static const char ping[] = "PING\r\n";
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct buf b = BUF_OF(addr.sun_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	bool there;
	char octet;

	if (fd < 0)
		return false;
	buf_printf(&b, "%s/%s.sock", run_dir, name);
	there = buf_ok(&b) && connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0 &&
		send(fd, ping, strlen(ping), MSG_NOSIGNAL) == (ssize_t)strlen(ping) &&
		poll(&p, 1, ANSWER_MS) == 1 && recv(fd, &octet, 1, 0) == 1;
	close(fd);
	return there;
}

static void add_service(json_t *list, const char *server, const char *name, bool active)
{
	json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "server", server, "service", name,
					      "status", active ? "active" : "inactive"));
}

/* Rows of index, clients, store, relay: do all workers reach what they need? */
static bool all_up(const json_t *rows, size_t column)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		const char *state = json_string_value(json_array_get(row, column));

		if (!state || strcmp(state, "up") != 0)
			return false;
	}
	/* No rows: no worker answered, and nothing is up. */
	return json_array_size(rows) > 0;
}

static void on_status(void *arg, json_t *rows)
{
	struct asked *listing = arg;
	const struct supervisor_options *options = supervisor_options(listing->api->supervisor);
	const char *server = options->settings.name, *run = options->paths.run;
	json_t *list = json_array();

	add_service(list, server, "crs", json_array_size(rows) > 0);
	add_service(list, server, "crs_relay",
		    relay_client_is_up(supervisor_relay(listing->api->supervisor)) &&
			    all_up(rows, 3));
	add_service(list, server, "redis_high", answers(run, "redis_high"));
	add_service(list, server, "redis_low", answers(run, "redis_low") && all_up(rows, 2));
	if (options->settings.backup != BACKUP_NONE)
		add_service(list, server, "redis_backup", answers(run, "redis_backup"));
	json_decref(rows);
	control_answer_json(listing->request, 200, list);
	free(listing);
}

/* Active is what can be used: what every worker has a connection to. */
void control_api_services(struct control_request *request, void *arg)
{
	ask_workers(arg, request, CRS_WORKER__QUERY_KIND__STATUS, on_status);
}

/* --- crs-relay --- */

static const char *type_name(CrsRelay__RelayType type)
{
	static const char *const names[] = {
		[CRS_RELAY__RELAY_TYPE__RTP] = "rtp",
		[CRS_RELAY__RELAY_TYPE__RTP_PROXY] = "rtp proxy",
		[CRS_RELAY__RELAY_TYPE__OPAQUE] = "opaque",
		[CRS_RELAY__RELAY_TYPE__OPAQUE_PROXY] = "opaque proxy",
		[CRS_RELAY__RELAY_TYPE__OPAQUE_MULTICAST] = "opaque multicast",
	};
	size_t i = (size_t)type;

	return i < sizeof(names) / sizeof(names[0]) ? names[i] : "unknown";
}

static json_t *statistics_json(const CrsRelay__Statistics *s)
{
	json_t *types = json_array();

	for (size_t i = 0; i < s->n_types; i++) {
		const CrsRelay__TypeStatistics *t = s->types[i];

		json_array_append_new(
			types, json_pack("{s:s, s:I, s:I, s:I, s:I}", "type", type_name(t->type),
					 "rx", (json_int_t)t->rx_packets, "rxBytes",
					 (json_int_t)t->rx_bytes, "tx", (json_int_t)t->tx_packets,
					 "txBytes", (json_int_t)t->tx_bytes));
	}
	return json_pack("{s:o, s:{s:I, s:I, s:I, s:I}, s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I}}",
			 "types", types, "sent", "packets", (json_int_t)s->sent_packets, "bytes",
			 (json_int_t)s->sent_bytes, "errorNoDest",
			 (json_int_t)s->sent_error_no_dest, "error", (json_int_t)s->sent_error,
			 "received", "packets", (json_int_t)s->received_packets, "bytes",
			 (json_int_t)s->received_bytes, "errorTooShort",
			 (json_int_t)s->received_error_too_short, "errorTooLong",
			 (json_int_t)s->received_error_too_long, "droppedUnbound",
			 (json_int_t)s->dropped_unbound, "stunBad", (json_int_t)s->stun_bad,
			 "droppedRate", (json_int_t)s->dropped_rate);
}

static void on_statistics(void *arg, struct slice key, const CrsRelay__Reply *reply)
{
	struct control_request *request = arg;

	(void)key;
	if (!reply || reply->error || reply->body_case != CRS_RELAY__REPLY__BODY_STATISTICS)
		control_answer_error(request, 503, "crs-relay %s",
				     reply ? reply->text : "is not running");
	else
		control_answer_json(request, 200, statistics_json(reply->statistics));
}

void control_api_relay(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	CrsRelay__Request ask = CRS_RELAY__REQUEST__INIT;
	CrsRelay__GetStatistics get = CRS_RELAY__GET_STATISTICS__INIT;

	ask.body_case = CRS_RELAY__REQUEST__BODY_GET_STATISTICS;
	ask.get_statistics = &get;
	if (relay_client_send(supervisor_relay(api->supervisor), &ask, slice_str(""), on_statistics,
			      request))
		control_answer_error(request, 503, "crs-relay is not running");
}

struct relays_listing {
	struct control_request *request;
	json_t *list;
};

static json_t *relay_json(const CrsRelay__Relay *relay)
{
	char time[CLOCK_TEXT_SIZE], ids[256];
	struct buf b = BUF_OF(ids);

	clock_format((int64_t)relay->last_active * 1000, time);
	buf_put_str(&b, "");
	for (size_t i = 0; i < relay->n_identifiers; i++)
		buf_printf(&b, "%s%08x", i ? "," : "", (unsigned)relay->identifiers[i]);
	return json_pack("{s:s, s:i, s:s, s:s}", "type", type_name(relay->type), "nodes",
			 (int)relay->nodes, "last active", time, "identifiers", buf_str(&b));
}

static void on_relays(void *arg, struct slice key, const CrsRelay__Reply *reply)
{
	struct relays_listing *listing = arg;

	(void)key;
	if (!reply || reply->error || reply->body_case != CRS_RELAY__REPLY__BODY_RELAYS) {
		control_answer_error(listing->request, 503, "crs-relay %s",
				     reply ? reply->text : "is not running");
		json_decref(listing->list);
		free(listing);
		return;
	}
	for (size_t i = 0; i < reply->relays->n_relays; i++)
		json_array_append_new(listing->list, relay_json(reply->relays->relays[i]));
	/* The listing lives on: the next part comes to the same function. */
	if (reply->relays->more)
		return;
	control_answer_json(listing->request, 200, listing->list);
	free(listing);
}

void control_api_relays(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	CrsRelay__Request ask = CRS_RELAY__REQUEST__INIT;
	CrsRelay__ListRelays list = CRS_RELAY__LIST_RELAYS__INIT;
	struct relays_listing *listing = calloc(1, sizeof(*listing));

	ask.body_case = CRS_RELAY__REQUEST__BODY_LIST_RELAYS;
	ask.list_relays = &list;
	if (listing)
		*listing = (struct relays_listing){ .request = request, .list = json_array() };
	if (!listing || relay_client_send(supervisor_relay(api->supervisor), &ask, slice_str(""),
					  on_relays, listing)) {
		if (listing)
			json_decref(listing->list);
		free(listing);
		control_answer_error(request, 503, "crs-relay is not running");
	}
}
