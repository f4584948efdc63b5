/* fuzz_gateway_control.c - requests on cig-server's control port, behind the HTTP of
 * base/control.c (fuzz_control): its routes and their arguments, while texts wait and calls come.
 *
 * Input: steps of an octet and what it needs.
 *   0  a request: which route (1 octet), then each argument: how (1 octet; from 128 on so many
 *      octets less 128 follow, below that one of the known values or none)
 *   1  a text comes from the secure side: its id (1 octet, 16 times)
 *   2  the rendezvous's word on the oldest post: error (1 octet)
 *   3  the PBX calls: Request-URI and From (2 octets of length each)
 *   4  the reader of a trace is gone
 *   5  the rendezvous is there, or not
 * Whatever comes: each request is answered once, with JSON or a reason, waits or becomes a trace
 * whose lines are JSON; no answer holds the password of the configuration.
 */
#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/control.h"
#include "base/cursor.h"
#include "base/diag.h"
#include "base/encode.h"
#include "gateway/call_trace.h"
#include "gateway/calls.h"
#include "gateway/cig_config.h"
#include "gateway/control_api.h"
#include "gateway/pbx_door.h"
#include "gateway/pbxs.h"
#include "gateway/relay_link.h"
#include "gateway/secure_side.h"
#include "gateway/session_log.h"
#include "gateway/sip_link.h"
#include "gateway/texts.h"
#include "gateway/texts_smpp.h"
#include "mailbox/maildir.h"
#include "tests/fuzz/place.h"
#include "tests/fuzz/quiet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS = 40, KINDS = 6, TEXT = 130, ARGUMENTS = 6, STREAMS = CALL_TRACE_MAX };

#define PASSWORD "pass-word-of-the-pbx"

static const char *const argument_names[ARGUMENTS] = {
	"text", "match", "to", "from", "limit", "id"
};

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/* ---- the control port ---- */

struct control {
	const struct control_route *routes;
	size_t n;
	void *arg;
};

struct control_stream {
	void (*closed)(void *arg);
	void *arg;
};

struct control_request {
	char value[ARGUMENTS][TEXT];
	bool has[ARGUMENTS];
	unsigned answers;
	TAILQ_ENTRY(control_request) in_list;
};

TAILQ_HEAD(request_list, control_request);

/* What these functions have no argument for. */
static struct control port;
static struct control_stream streams[STREAMS];

int control_new(struct event_base *base, const struct control_options *options,
		struct control **control_out, struct diag *diag)
{
	(void)base;
	(void)diag;
	port = (struct control){ options->routes, options->route_count, options->arg };
	*control_out = &port;
	return 0;
}

void control_free(struct control **controlp)
{
	*controlp = NULL;
}

int control_token_create(const char *path, struct control_token *token_out)
{
	(void)path;
	memset(token_out, 7, sizeof(*token_out));
	return 0;
}

const char *control_arg(const struct control_request *request, const char *name)
{
	for (size_t i = 0; i < ARGUMENTS; i++)
		if (strcmp(name, argument_names[i]) == 0)
			return request->has[i] ? request->value[i] : NULL;
	return NULL;
}

/* Who asks may have said it himself. */
static bool password_said;

static void check_text(const char *text)
{
	expect(text && (password_said || !strstr(text, PASSWORD)));
}

void control_answer_json(struct control_request *request, unsigned status, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	expect(status == 200 && json_is_object(json));
	check_text(text);
	free(text);
	json_decref(json);
	request->answers++;
}

void control_answer_error(struct control_request *request, unsigned status, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	expect(status >= 400 && status < 600 && *text);
	check_text(text);
	request->answers++;
}

struct control_stream *control_stream_open(struct control_request *request,
					   const char *content_type, void (*closed)(void *arg),
					   void *arg)
{
	(void)content_type;
	request->answers++;
	for (size_t i = 0; i < STREAMS; i++)
		if (!streams[i].closed) {
			streams[i] = (struct control_stream){ closed, arg };
			return &streams[i];
		}
	abort(); /* more than it allows itself */
}

int control_stream_push(struct control_stream *stream, struct slice line)
{
	json_t *event = json_loadb((const char *)line.p, line.n, 0, NULL);

	expect(stream->closed && event && !memchr(line.p, '\n', line.n));
	json_decref(event);
	return 0;
}

void control_stream_end(struct control_stream **streamp)
{
	(*streamp)->closed = NULL;
	*streamp = NULL;
}

/* ---- cig-relay, cig-sip, PBXs, centers: none is there ---- */

bool relay_link_is_up(const struct relay_link *link)
{
	(void)link;
	return false;
}

bool relay_link_is_loaded(const struct relay_link *link)
{
	(void)link;
	return false;
}

const Relay__Polled *relay_link_load(const struct relay_link *link)
{
	(void)link;
	return NULL;
}

const char *relay_link_program(const struct relay_link *link)
{
	(void)link;
	return "";
}

int relay_link_send(struct relay_link *link, const Relay__Command *command)
{
	(void)link;
	(void)command;
	return -EPIPE;
}

bool sip_link_is_ready(const struct sip_link *link)
{
	(void)link;
	return true;
}

const char *sip_link_address(const struct sip_link *link)
{
	(void)link;
	return "";
}

const SipAgent__Counters *sip_link_counters(const struct sip_link *link)
{
	(void)link;
	return NULL;
}

int sip_link_send(struct sip_link *link, const SipAgent__ToAgent *message)
{
	(void)link;
	(void)message;
	return 0;
}

json_t *pbxs_report(const struct pbxs *pbxs)
{
	(void)pbxs;
	return json_array();
}

json_t *texts_smpp_report(const struct texts_smpp *smpp)
{
	(void)smpp;
	return json_array();
}

json_t *secure_side_report(const struct secure_side *side)
{
	(void)side;
	return json_object();
}

int secure_side_reload(struct secure_side *side, struct diag *diag)
{
	(void)side;
	diag_error(diag, NULL, "no letter");
	return -ENOENT;
}

void session_log_write(struct session_log *log, int64_t wall_ms, const struct session_event *event)
{
	(void)log;
	(void)wall_ms;
	(void)event;
}

/* ---- the secure side ---- */

struct umsg_client {
	bool attached;
	uint8_t next_id;
	uint8_t posted[UMSG_ID_SIZE]; /* the last one */
};

enum umsg_state umsg_client_state(const struct umsg_client *client)
{
	return client->attached ? UMSG_ATTACHED : UMSG_CONNECTING;
}

int umsg_client_known(const struct umsg_client *client, const char *uri)
{
	(void)client;
	(void)uri;
	return 0;
}

int umsg_client_taken(struct umsg_client *client, const uint8_t id[UMSG_ID_SIZE], const char *from,
		      uint64_t number)
{
	(void)client;
	(void)id;
	(void)from;
	(void)number;
	return 0;
}

void umsg_client_fetch(struct umsg_client *client)
{
	(void)client;
}

void umsg_sealed_clear(struct umsg_sealed *sealed)
{
	free(sealed->octets);
	sealed->octets = NULL;
}

int umsg_client_seal_receipt(struct umsg_client *client, const char *to,
			     const uint8_t id[UMSG_ID_SIZE], Umsg__ReceiptState state,
			     const char *reason, struct umsg_sealed *sealed_out)
{
	(void)to;
	(void)id;
	(void)state;
	(void)reason;
	memset(sealed_out->id, ++client->next_id, sizeof(sealed_out->id));
	sealed_out->n = UMSG_ID_SIZE;
	sealed_out->octets = malloc(sealed_out->n);
	expect(sealed_out->octets != NULL);
	memcpy(sealed_out->octets, sealed_out->id, sealed_out->n);
	return 0;
}

int umsg_client_post(struct umsg_client *client, struct slice sealed)
{
	expect(sealed.n == UMSG_ID_SIZE);
	memcpy(client->posted, sealed.p, UMSG_ID_SIZE);
	return client->attached ? 0 : -ENOTCONN;
}

/* ---- the gateway ---- */

struct gateway {
	struct event_base *base;
	const struct cig_config *config;
	struct umsg_client client;
	struct pbx_door door;
	struct calls *calls;
	struct texts *texts;
	struct control_api *api;
	struct request_list waiting;
	uint64_t sip_calls;
};

static const char config_text[] =
	"auth pbx { user gateway; password \"" PASSWORD "\"; }\n"
	"map tel2sip { entry extensions tel \"tel:+8888;{ext}\" sip \"sip:{ext}@127.0.0.1\" auth "
	"pbx; }\n"
	"map sip2source { entry extensions sip \"sip:{ext}@{discard}\" tel \"tel:+8888;{ext}\"; }\n"
	"map sip2tel { entry users sip \"sip:{number}@{discard}\" tel \"tel:+{number}\"; }\n"
	"map tel2source { entry users tel \"tel:+{number}\" sip \"sip:{number}@secure.com\"; }\n"
	"translate_map users2mail { rule match \"tel:+{n}\" translation \"sip:{n}@secure.com\"; }\n"
	"translate_map extensions2mail {"
	" rule match \"tel:+8888;{ext}\" translation \"sip:{ext}@pbx.com\"; }\n"
	"interfaces {\n"
	" tel { extension map tel2sip; source map sip2source; bind_media 127.0.0.1; }\n"
	" sip { extension map sip2tel; source map tel2source; bind 127.0.0.1; port 5060; }\n"
	"}\n"
	"mailboxes { write { path \"%1$s/none\"; map_from translate_map users2mail;"
	" map_to translate_map extensions2mail; } }\n"
	"userdata \"%1$s\"; log_dir \"%1$s\"; run_dir \"%1$s\";\n";

static void on_broken(void *arg)
{
	(void)arg;
	abort();
}

static int reload(void *arg, json_t **report_out, struct diag *diag)
{
	(void)arg;
	(void)report_out;
	diag_error(diag, &(struct diag_place){ .file = "cig.conf", .line = 3 }, "a slip");
	return -EINVAL;
}

static void begin(struct gateway *g)
{
	static const struct texts_ops ops = { on_broken };
	struct calls_world world = { .own_uri = "tel:+8888", .engines = 3 };
	struct diag *diag = diag_new();
	struct control_api_parts parts;
	char text[4096];

	memset(g, 0, sizeof(*g));
	TAILQ_INIT(&g->waiting);
	g->base = event_base_new();
	snprintf(text, sizeof(text), config_text, place());
	expect(g->base && cig_config_parse("fuzz", slice_str(text), diag, &g->config) == 0);
	expect(texts_new(g->base, g->config, &ops, NULL, &g->texts, diag) == 0);
	texts_set_client(g->texts, &g->client, "tel:+8888");
	world.base = g->base;
	world.door = &g->door;
	world.umsg = &g->client;
	world.trace = call_trace_new();
	g->calls = calls_new(&world, g->config);
	expect(world.trace && g->calls);
	parts = (struct control_api_parts){ .base = g->base,
					    .calls = g->calls,
					    .texts = g->texts,
					    .started_ms = clock_mono_ms(),
					    .reload = reload };
	expect(control_api_new(&parts, &g->api, diag) == 0);
	diag_free(&diag);
}

static int remove_one(const char *path, const struct stat *st, int what, struct FTW *ftw)
{
	(void)st;
	(void)what;
	return ftw->level == 0 ? 0 : remove(path);
}

static void end(struct gateway *g)
{
	struct control_request *request;

	control_api_free(&g->api);
	call_trace_free(&calls_world(g->calls)->trace);
	calls_free(&g->calls);
	texts_free(&g->texts);
	cig_config_release(&g->config);
	event_base_free(g->base);
	while ((request = TAILQ_FIRST(&g->waiting))) {
		TAILQ_REMOVE(&g->waiting, request, in_list);
		free(request);
	}
	memset(streams, 0, sizeof(streams));
	nftw(place(), remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- steps ---- */

static void take_argument(struct cursor *c, char out[TEXT], bool *has_out)
{
	static const char *const known[] = { "tel:+8888;101", "sip:46701@secure.com",
					     "AQEBAQEBAQEBAQEBAQEBAQ==", "5", "" };
	enum { KNOWN = sizeof(known) / sizeof(known[0]) };
	unsigned how = cursor_u8(c);
	struct slice text = cursor_take(c, how >= 128 ? how & 127 : 0);

	*has_out = how >= 128 || how % (KNOWN + 1) < KNOWN;
	if (how >= 128)
		snprintf(out, TEXT, "%.*s", (int)text.n, text.p ? (const char *)text.p : "");
	else if (*has_out)
		snprintf(out, TEXT, "%s", known[how % (KNOWN + 1)]);
}

static void ask(struct gateway *g, struct cursor *c)
{
	const struct control_route *route = &port.routes[cursor_u8(c) % port.n];
	struct control_request *request = calloc(1, sizeof(*request));

	expect(request != NULL);
	for (size_t i = 0; i < ARGUMENTS; i++)
		take_argument(c, request->value[i], &request->has[i]);
	TAILQ_INSERT_TAIL(&g->waiting, request, in_list);
	route->handler(request, port.arg);
}

static void drop_answered(struct gateway *g)
{
	struct control_request *request = TAILQ_FIRST(&g->waiting);

	while (request) {
		struct control_request *next = TAILQ_NEXT(request, in_list);

		expect(request->answers <= 1);
		if (request->answers) {
			TAILQ_REMOVE(&g->waiting, request, in_list);
			free(request);
		}
		request = next;
	}
}

static void message_comes(struct gateway *g, uint8_t id)
{
	Umsg__TextBody body = UMSG__TEXT_BODY__INIT;
	struct umsg_message message = { .from = "tel:+46701",
					.to = "tel:+8888",
					.from_domain = "Demonstration",
					.body = &body,
					.sent_s = clock_wall_s(),
					.end_s = clock_wall_s() + 3600 };
	char text[] = "Hello", extension[] = "101";

	memset(message.id, id, sizeof(message.id));
	body.version = 1;
	body.text = text;
	body.called_extension = extension;
	texts_message(g->texts, &message);
}

static void pbx_calls(struct gateway *g, struct cursor *c)
{
	SipAgent__Incoming incoming = SIP_AGENT__INCOMING__INIT;
	SipAgent__FromAgent event = SIP_AGENT__FROM_AGENT__INIT;
	SipAgent__Target source = SIP_AGENT__TARGET__INIT;
	char to[600], from[600], address[] = "127.0.0.1", id[] = "an-id";
	struct slice text = cursor_l16(c);

	snprintf(to, sizeof(to), "%.*s", (int)text.n, text.p ? (const char *)text.p : "");
	text = cursor_l16(c);
	snprintf(from, sizeof(from), "%.*s", (int)text.n, text.p ? (const char *)text.p : "");
	source.address = address;
	incoming.source = &source;
	incoming.call = 2 * ++g->sip_calls + 1; /* odd: the agent's own */
	incoming.call_id = id;
	incoming.from_uri = from;
	incoming.request_uri = to;
	event.body_case = SIP_AGENT__FROM_AGENT__BODY_INCOMING;
	event.incoming = &incoming;
	calls_sip_event(g->calls, &event);
}

static void reader_goes(void)
{
	for (size_t i = 0; i < STREAMS; i++)
		if (streams[i].closed) {
			void (*closed)(void *arg) = streams[i].closed;

			streams[i].closed = NULL;
			closed(streams[i].arg);
			return;
		}
}

static void step(struct gateway *g, struct cursor *c)
{
	switch (cursor_u8(c) % KINDS) {
	case 0:
		ask(g, c);
		break;
	case 1:
		message_comes(g, cursor_u8(c));
		break;
	case 2:
		texts_post_ack(g->texts, g->client.posted, (Umsg__ErrorCode)(cursor_u8(c) % 8),
			       "no \xc3\xa5 such user", 0);
		break;
	case 3:
		pbx_calls(g, c);
		break;
	case 4:
		reader_goes();
		break;
	default:
		g->client.attached = !g->client.attached;
		if (g->client.attached)
			texts_attached(g->texts);
	}
	event_base_loop(g->base, EVLOOP_NONBLOCK);
	drop_answered(g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_of(slice_of(data, size));
	static struct gateway g; /* too large for a stack */

	quiet();
	password_said = memmem(data, size, PASSWORD, sizeof(PASSWORD) - 1) != NULL;
	begin(&g);
	for (int i = 0; i < STEPS && c.left > 0 && cursor_ok(&c); i++)
		step(&g, &c);
	end(&g);
	return 0;
}
