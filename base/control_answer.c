/* Answers and streams of the control port (base/control.h). */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/control_priv.h"

enum {
	STREAM_BLOCK_BYTES = 16 * 1024,
	STREAM_FIRST_BYTES = 4 * 1024,
	MAX_ERROR_TEXT = 512,
};

/* Lines wait in bytes[start, start + n) until the reader callback takes them.  While
 * there is none the connection is suspended, and watch sees the client leave. */
struct control_stream {
	struct control_request *request;
	void (*closed)(void *arg);
	void *arg;
	struct event *watch;
	uint8_t *bytes;
	size_t start, n, cap;
	uint64_t lost;
	bool ending;    /* nothing more is taken; what waits still goes out */
	bool told_lost; /* the line that counts the lost ones is in bytes */
	bool gone;      /* the client left */
	bool suspended;
};

/* --- requests --- */

const char *control_arg(const struct control_request *request, const char *name)
{
	const char *value = NULL;
	size_t n = 0;

	if (MHD_lookup_connection_value_n(request->connection, MHD_GET_ARGUMENT_KIND, name,
					  strlen(name), &value, &n) != MHD_YES)
		return NULL;
	return value ? value : "";
}

struct slice control_body(const struct control_request *request)
{
	return slice_of(request->body, request->body_n);
}

const char *control_header(const struct control_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

int control_body_json(struct control_request *request, json_t **json_out)
{
	json_error_t error;
	json_t *json = json_loadb((const char *)request->body, request->body_n,
				  JSON_REJECT_DUPLICATES, &error);

	if (!json) {
		control_answer_error(request, MHD_HTTP_BAD_REQUEST, "line %d, column %d: %s",
				     error.line, error.column, error.text);
		return -EINVAL;
	}
	*json_out = json;
	return 0;
}

int control_peer(const struct control_request *request, pid_t *pid_out, uid_t *uid_out)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct sockaddr_storage local;
	socklen_t local_n = sizeof(local);
	struct ucred peer;
	socklen_t n = sizeof(peer);

	if (!info || getsockname(info->connect_fd, (struct sockaddr *)&local, &local_n) < 0 ||
	    local.ss_family != AF_UNIX ||
	    getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
		return -ENOTSOCK;
	*pid_out = peer.pid;
	*uid_out = peer.uid;
	return 0;
}

/* --- answers --- */

/* What a browser may come across is never stored and never taken for a page ("nosniff"). */
static struct MHD_Response *label(struct MHD_Response *response, const char *content_type)
{
	if (!response)
		return NULL;
	if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type) &&
	    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store") &&
	    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff"))
		return response;
	MHD_destroy_response(response);
	return NULL;
}

/* MUST_COPY: the library sends later, when the caller's text is gone. */
static struct MHD_Response *text_response(const char *content_type, struct slice text)
{
	return label(MHD_create_response_from_buffer(text.n, (void *)(uintptr_t)text.p,
						     MHD_RESPMEM_MUST_COPY),
		     content_type);
}

struct MHD_Response *control_json_response(json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	struct MHD_Response *response;

	json_decref(json);
	if (!text)
		return NULL;
	response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	if (!response)
		free(text);
	return label(response, "application/json");
}

struct MHD_Response *control_error_response(const char *text)
{
	return control_json_response(json_pack("{s:s}", "error", text));
}

void control_answer_json(struct control_request *request, unsigned status, json_t *json)
{
	struct MHD_Response *response = control_json_response(json);

	if (!response) {
		status = MHD_HTTP_INTERNAL_SERVER_ERROR;
		response = control_error_response("out of memory");
	}
	control_settle(request, status, response);
}

void control_answer_text(struct control_request *request, unsigned status, const char *content_type,
			 struct slice text)
{
	control_settle(request, status, text_response(content_type, text));
}

void control_answer_error(struct control_request *request, unsigned status, const char *fmt, ...)
{
	char text[MAX_ERROR_TEXT];
	json_t *json;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* The text may quote octets that are not UTF-8: JSON cannot hold those. */
	json = json_pack("{s:s}", "error", text);
	if (!json)
		json = json_pack("{s:s}", "error", "refused (the reason cannot be printed)");
	control_answer_json(request, status, json);
}

/* --- streams --- */

void control_stream_wake(struct control_stream *stream)
{
	if (!stream->suspended)
		return;
	stream->suspended = false;
	event_del(stream->watch);
	control_resume(stream->request);
}

static void on_client_left(evutil_socket_t fd, short what, void *arg)
{
	struct control_stream *stream = arg;

	(void)fd;
	(void)what; /* a client that sends anything during a stream is not ours, either */
	stream->gone = true;
	control_stream_wake(stream);
}

/* Makes room for n more octets; false when the bound or memory is reached. */
static bool make_room(struct control_stream *stream, size_t n)
{
	size_t cap = stream->cap ? stream->cap : STREAM_FIRST_BYTES;
	uint8_t *more;

	/* n (waiting) never passes the bound, so this cannot wrap. */
	if (n > CONTROL_STREAM_BYTES - stream->n)
		return false;
	if (stream->start) {
		memmove(stream->bytes, stream->bytes + stream->start, stream->n);
		stream->start = 0;
	}
	while (cap < stream->n + n)
		cap *= 2;
	if (cap == stream->cap)
		return true;
	more = realloc(stream->bytes, cap);
	if (!more)
		return false;
	stream->bytes = more;
	stream->cap = cap;
	return true;
}

static void append(struct control_stream *stream, struct slice text)
{
	if (text.n)
		memcpy(stream->bytes + stream->start + stream->n, text.p, text.n);
	stream->n += text.n;
}

static void tell_lost(struct control_stream *stream)
{
	char line[80];
	int n = snprintf(line, sizeof(line), "# %llu lines lost: the reader is too slow\n",
			 (unsigned long long)stream->lost);

	stream->told_lost = true;
	if (make_room(stream, (size_t)n))
		append(stream, slice_of(line, (size_t)n));
}

/* Asked by the library for the next piece.  0 octets would make it ask again at once, so with
 * nothing to give the connection is suspended until control_stream_wake(). */
static ssize_t read_stream(void *arg, uint64_t pos, char *out, size_t max)
{
	struct control_stream *stream = arg;
	size_t n;

	(void)pos;
	/* An end with an error closes the connection; a HTTP/1.1 client sees the chunks cut
	 * short. */
	if (stream->gone)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (stream->n == 0 && stream->lost && !stream->told_lost)
		tell_lost(stream);
	n = stream->n < max ? stream->n : max;
	if (n) {
		memcpy(out, stream->bytes + stream->start, n);
		stream->start += n;
		stream->n -= n;
		if (stream->n == 0)
			stream->start = 0;
		return (ssize_t)n;
	}
	if (stream->ending)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (event_add(stream->watch, NULL) < 0)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	stream->suspended = true;
	MHD_suspend_connection(stream->request->connection);
	return 0;
}

static void stream_free(struct control_stream *stream)
{
	if (stream->watch)
		event_free(stream->watch);
	free(stream->bytes);
	free(stream);
}

static struct control_stream *stream_new(struct control_request *request)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct control_stream *stream = calloc(1, sizeof(*stream));

	if (!stream || !info)
		goto fail;
	stream->watch = event_new(control_event_base(request->control), info->connect_fd,
				  EV_READ | EV_CLOSED, on_client_left, stream);
	if (!stream->watch)
		goto fail;
	stream->request = request;
	return stream;

fail:
	free(stream);
	return NULL;
}

struct control_stream *control_stream_open(struct control_request *request,
					   const char *content_type, void (*closed)(void *arg),
					   void *arg)
{
	struct MHD_Response *response = NULL;
	struct control_stream *stream = NULL;

	/* After 504, or when the client has left meanwhile, there is nothing to stream into. */
	if (request->http_holds && !request->response)
		stream = stream_new(request);
	if (stream)
		response = label(MHD_create_response_from_callback(MHD_SIZE_UNKNOWN,
								   STREAM_BLOCK_BYTES, read_stream,
								   stream, NULL),
				 content_type);
	if (!response) {
		if (stream)
			stream_free(stream);
		control_answer_error(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory");
		return NULL;
	}
	stream->closed = closed;
	stream->arg = arg;
	request->stream = stream;
	control_settle(request, MHD_HTTP_OK, response);
	return stream;
}

int control_stream_push(struct control_stream *stream, struct slice line)
{
	if (!stream->ending && make_room(stream, line.n + 1)) {
		append(stream, line);
		append(stream, slice_str("\n"));
		control_stream_wake(stream);
		return 0;
	}
	stream->ending = true;
	stream->lost++;
	return -ENOBUFS;
}

void control_stream_end(struct control_stream **streamp)
{
	struct control_stream *stream = *streamp;

	if (!stream)
		return;
	*streamp = NULL;
	stream->closed = NULL;
	stream->ending = true;
	control_stream_wake(stream);
}

void control_stream_drop(struct control_request *request)
{
	struct control_stream *stream = request->stream;

	if (!stream)
		return;
	stream->closed = NULL;
	stream->gone = true;
	control_stream_wake(stream);
	if (request->http_holds)
		return; /* libmicrohttpd may still read from it */
	request->stream = NULL;
	stream_free(stream);
}

void control_stream_closed(struct control_request *request)
{
	struct control_stream *stream = request->stream;

	if (!stream)
		return;
	if (stream->closed)
		stream->closed(stream->arg);
	control_stream_drop(request);
}
