/* control.c - the control port: libmicrohttpd on the program's own loop, a request's life, and
 * what is checked before a handler runs.
 *
 *     request_begins()   the request line is there; both sides' object is made
 *     start_request()    headers: Host, path, method
 *     take_body()        as often as pieces come
 *     run_handler()      the proof, then the handler
 *         answered at once          send_response()
 *         else suspended            until control_settle(), or 504 from on_limit()
 *     request_ends()     libmicrohttpd is done with it, or the client left
 *
 * libmicrohttpd calls back from within MHD_run() only, so no lock is needed.
 */
#include "base/control.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/control_address.h"
#include "base/control_priv.h"
#include "base/control_proof.h"
#include "base/diag.h"
#include "base/net.h"
#include "base/timer.h"

struct control {
	struct event_base *base;
	struct MHD_Daemon *daemon;
	struct event *readable, *timer;
	struct control_options options;
	struct control_guard *guard; /* NULL: no token */
	struct control_request *requests;
	char *socket_path; /* NULL on TCP */
	unsigned port;
};

struct event_base *control_event_base(const struct control *control)
{
	return control->base;
}

/* --- the loop --- */

/* It runs whenever its epoll descriptor is readable and whenever it said that a limit is due. */
static void run(struct control *control)
{
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(control->daemon);
	if (MHD_get_timeout(control->daemon, &ms) == MHD_YES) {
		timer_arm(control->timer, (int64_t)ms);
	} else {
		event_del(control->timer);
	}
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	run(arg);
}

void control_resume(struct control_request *request)
{
	MHD_resume_connection(request->connection);
	/* It tells nobody: the loop must run the daemon. */
	event_active(request->control->readable, EV_READ, 0);
}

/* --- a request's life --- */

static void *request_begins(void *arg, const char *target, struct MHD_Connection *connection)
{
	struct control *control = arg;
	struct control_request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL; /* handle_request closes the connection */
	/* The target as sent, which a proof is made of: what libmicrohttpd hands out later is
	 * decoded. */
	request->target = strdup(target);
	if (!request->target) {
		free(request);
		return NULL;
	}
	request->control = control;
	request->connection = connection;
	request->http_holds = true;
	request->next = control->requests;
	request->link = &control->requests;
	if (request->next)
		request->next->link = &request->next;
	control->requests = request;
	return request;
}

static void request_free(struct control_request *request)
{
	*request->link = request->next;
	if (request->next)
		request->next->link = request->link;
	if (request->limit)
		event_free(request->limit);
	if (request->response)
		MHD_destroy_response(request->response);
	control_stream_drop(request);
	free(request->target);
	free(request->body);
	free(request);
}

void control_request_release(struct control_request *request)
{
	if (!request->http_holds && !request->program_holds)
		request_free(request);
}

static void request_ends(void *arg, struct MHD_Connection *connection, void **state,
			 enum MHD_RequestTerminationCode why)
{
	struct control_request *request = *state;

	(void)arg;
	(void)connection;
	(void)why;
	if (!request)
		return;
	*state = NULL;
	request->http_holds = false;
	control_stream_closed(request);
	control_request_release(request);
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	struct control_request *request = arg;
	struct MHD_Response *response = control_error_response("no answer in time");

	(void)fd;
	(void)what;
	request->response = response;
	request->status = MHD_HTTP_GATEWAY_TIMEOUT;
	request->suspended = false;
	control_resume(request);
}

/* Called once for each request that a handler was given: it ends the program's hold. */
void control_settle(struct control_request *request, unsigned status, struct MHD_Response *response)
{
	request->program_holds = false;
	if (request->limit)
		event_del(request->limit);
	if (request->response || !request->http_holds) {
		if (response)
			MHD_destroy_response(response); /* 504 went out before */
		control_request_release(request);
		return;
	}
	request->response = response;
	request->status = status;
	if (request->suspended) {
		request->suspended = false;
		control_resume(request);
	}
}

/* Hands the waiting response over; MHD_NO closes the connection. */
static enum MHD_Result send_response(struct control_request *request)
{
	struct MHD_Response *response = request->response;
	enum MHD_Result result;

	if (!response)
		return MHD_NO; /* memory was out */
	request->response = NULL;
	result = MHD_queue_response(request->connection, request->status, response);
	MHD_destroy_response(response);
	return result;
}

/* Answers in place of a handler. */
static enum MHD_Result refuse(struct control_request *request, unsigned status, const char *text)
{
	request->response = control_error_response(text);
	request->status = status;
	return send_response(request);
}

/* --- what is checked before a handler runs --- */

static bool is_port(const char *text)
{
	return *text == '\0' || (*text == ':' && text[1 + strspn(text + 1, "0123456789")] == '\0');
}

/* A page of another origin may name this port by a DNS entry of its own that points to 127.0.0.1
 * ("DNS rebinding"); its browser then still sends the page's own name here. */
static bool host_is_ours(const char *host)
{
	static const char *const names[] = { "127.0.0.1", "localhost", "[::1]" };

	for (size_t i = 0; host && i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n = strlen(names[i]);

		if (strncasecmp(host, names[i], n) == 0 && is_port(host + n))
			return true;
	}
	return false;
}

static void answer_nonce(struct control_request *request, void *arg)
{
	struct control *control = request->control;
	char nonce[CONTROL_NONCE_TEXT_SIZE];

	(void)arg;
	if (!control->guard)
		control_answer_error(request, MHD_HTTP_NOT_FOUND, "this port has no token");
	else if (control_guard_nonce(control->guard, clock_mono_ms(), nonce) < 0)
		control_answer_error(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "no nonce");
	else
		control_answer_json(request, MHD_HTTP_OK, json_pack("{s:s}", "nonce", nonce));
}

static void answer_help(struct control_request *request, void *arg);

static const struct control_route own_routes[] = {
	{ "GET", "/", answer_help, false, "this list" },
	{ "GET", "/nonce", answer_nonce, false, "a nonce for one request that needs the token" },
};
enum { OWN_ROUTES = sizeof(own_routes) / sizeof(own_routes[0]) };

static const struct control_route *route_at(const struct control *control, size_t i)
{
	if (i < OWN_ROUTES)
		return &own_routes[i];
	i -= OWN_ROUTES;
	return i < control->options.route_count ? &control->options.routes[i] : NULL;
}

static void answer_help(struct control_request *request, void *arg)
{
	json_t *list = json_array();
	const struct control_route *route;

	(void)arg;
	for (size_t i = 0; (route = route_at(request->control, i)); i++)
		json_array_append_new(list, json_pack("{s:s,s:s,s:b,s:s}", "method", route->method,
						      "path", route->path, "needs_token",
						      route->needs_token, "help", route->help));
	control_answer_json(request, MHD_HTTP_OK, json_pack("{s:o}", "routes", list));
}

/* Finds the route; path_known_out tells a wrong method from a wrong path. */
static const struct control_route *find_route(const struct control *control, const char *method,
					      const char *path, bool *path_known_out)
{
	const struct control_route *route;

	*path_known_out = false;
	for (size_t i = 0; (route = route_at(control, i)); i++) {
		if (strcmp(route->path, path) != 0)
			continue;
		*path_known_out = true;
		if (strcmp(route->method, method) == 0)
			return route;
	}
	return NULL;
}

/* Nothing of the body is read yet, and a refusal here need not wait for it. */
static enum MHD_Result start_request(struct control_request *request, const char *method,
				     const char *path)
{
	const struct control *control = request->control;
	const char *host = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
						       MHD_HTTP_HEADER_HOST);
	bool path_known;

	request->started = true;
	if (!control->options.any_host && !host_is_ours(host))
		return refuse(request, MHD_HTTP_FORBIDDEN, "this Host is not served here");
	request->route = find_route(control, method, path, &path_known);
	if (request->route)
		return MHD_YES;
	if (path_known)
		return refuse(request, MHD_HTTP_METHOD_NOT_ALLOWED, "wrong method");
	return refuse(request, MHD_HTTP_NOT_FOUND, "no such path: GET / lists them");
}

static enum MHD_Result take_body(struct control_request *request, const char *data, size_t *n)
{
	uint8_t *more;

	/* body_n never passes the bound, so this cannot wrap. */
	if (*n > CONTROL_MAX_BODY_BYTES - request->body_n)
		return MHD_NO;
	more = realloc(request->body, request->body_n + *n);
	if (!more)
		return MHD_NO;
	memcpy(more + request->body_n, data, *n);
	request->body = more;
	request->body_n += *n;
	*n = 0;
	return MHD_YES;
}

/* Returns 0 when the request may run, or the status to refuse it with. */
static unsigned check_token(struct control_request *request, const char **why_out)
{
	struct control *control = request->control;
	struct control_claim claim = {
		.method = request->route->method,
		.target = request->target,
		.body = control_body(request),
	};
	int err;

	/* A Unix socket without a token: whoever could open it is allowed (its file's mode). */
	if (!request->route->needs_token || (control->socket_path && !control->guard))
		return 0;
	if (!control->guard) {
		*why_out = "this port serves reading only";
		return MHD_HTTP_FORBIDDEN;
	}
	err = control_guard_check(control->guard, clock_mono_ms(),
				  MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
							      MHD_HTTP_HEADER_AUTHORIZATION),
				  &claim);
	if (!err)
		return 0;
	*why_out = err == -ENODATA  ? "this needs the token"
		   : err == -ESTALE ? "the nonce is used or too old"
		   : err == -EBUSY  ? "too many requests"
				    : "wrong token";
	return err == -EBUSY ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_UNAUTHORIZED;
}

/* Parks the request until the program answers. */
static enum MHD_Result wait_for_answer(struct control_request *request)
{
	static const struct timeval limit = { CONTROL_ANSWER_LIMIT_MS / 1000, 0 };

	request->limit = event_new(request->control->base, -1, 0, on_limit, request);
	if (!request->limit || event_add(request->limit, &limit) < 0)
		return MHD_NO; /* the program's late answer frees it */
	request->suspended = true;
	MHD_suspend_connection(request->connection);
	return MHD_YES;
}

/* The handler may answer within its call: program_holds tells whether it did. */
static enum MHD_Result run_handler(struct control_request *request)
{
	const char *why = NULL;
	unsigned status = check_token(request, &why);

	if (status)
		return refuse(request, status, why);
	request->asked = true;
	request->program_holds = true;
	request->route->handler(request, request->control->options.arg);
	return request->program_holds ? wait_for_answer(request) : send_response(request);
}

/* Called at the headers, for each piece of the body, behind it, and again when a
 * suspended connection is resumed. */
static enum MHD_Result handle_request(void *arg, struct MHD_Connection *connection,
				      const char *path, const char *method, const char *version,
				      const char *data, size_t *data_n, void **state)
{
	struct control_request *request = *state;

	(void)arg;
	(void)connection;
	(void)version;
	if (!request)
		return MHD_NO;
	if (!request->started)
		return start_request(request, method, path);
	if (*data_n)
		return take_body(request, data, data_n);
	return request->asked ? send_response(request) : run_handler(request);
}

/* --- the port --- */

static int start_daemon(struct control *control, int fd)
{
	const union MHD_DaemonInfo *info;

	control->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle_request, control,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONTROL_MAX_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)CONTROL_IDLE_LIMIT_S, MHD_OPTION_URI_LOG_CALLBACK, request_begins,
		control, MHD_OPTION_NOTIFY_COMPLETED, request_ends, control, MHD_OPTION_END);
	if (!control->daemon) {
		close(fd);
		return -ENOMEM;
	}
	info = MHD_get_daemon_info(control->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return -EIO;
	control->readable =
		event_new(control->base, info->epoll_fd, EV_READ | EV_PERSIST, on_ready, control);
	control->timer = event_new(control->base, -1, 0, on_ready, control);
	if (!control->readable || !control->timer || event_add(control->readable, NULL) < 0)
		return -ENOMEM;
	return 0;
}

static int listen_and_serve(struct control *control, struct diag *diag)
{
	const struct control_options *options = &control->options;
	struct net_addr local;
	int fd, err;

	if (options->token) {
		control->guard = control_guard_new(options->token);
		if (!control->guard)
			return -ENOMEM;
	}
	fd = control_address_listen(options->address, options->mode, options->gid);
	if (fd < 0) {
		diag_error(diag, NULL, "cannot listen on %s: %s", options->address, strerror(-fd));
		return fd;
	}
	if (!control_address_is_path(options->address)) {
		control->port = net_local(fd, &local) == 0 ? net_port(&local) : 0;
	} else {
		control->socket_path = strdup(options->address);
		if (!control->socket_path) {
			close(fd);
			return -ENOMEM;
		}
	}
	err = start_daemon(control, fd);
	if (err)
		diag_error(diag, NULL, "cannot serve on %s: %s", options->address, strerror(-err));
	return err;
}

int control_new(struct event_base *base, const struct control_options *options,
		struct control **control_out, struct diag *diag)
{
	struct control *control = calloc(1, sizeof(*control));
	int err;

	if (!control)
		return -ENOMEM;
	control->base = base;
	control->options = *options;
	err = listen_and_serve(control, diag);
	control->options.token = NULL; /* the guard has a copy */
	/* Borrowed for the call only. */
	control->options.address = NULL;
	if (err) {
		control_free(&control);
		return err;
	}
	run(control);
	*control_out = control;
	return 0;
}

/* libmicrohttpd ends only connections that are not suspended. */
static void resume_all(struct control *control)
{
	for (struct control_request *r = control->requests; r; r = r->next) {
		control_stream_drop(r);
		if (r->suspended)
			MHD_resume_connection(r->connection);
		r->suspended = false;
	}
}

void control_free(struct control **controlp)
{
	struct control *control = *controlp;

	if (!control)
		return;
	*controlp = NULL;
	if (control->daemon) {
		resume_all(control);
		MHD_stop_daemon(control->daemon);
	}
	/* Those that the program still held: their connections are gone. */
	while (control->requests)
		request_free(control->requests);
	if (control->readable)
		event_free(control->readable);
	if (control->timer)
		event_free(control->timer);
	if (control->socket_path)
		unlink(control->socket_path);
	control_guard_free(&control->guard);
	free(control->socket_path);
	free(control);
}

unsigned control_port(const struct control *control)
{
	return control->port;
}
