/* control.c - passes the requests of crs to the relay's threads and their replies back.
 *
 * Nothing here blocks on a thread: a request waits in the map of pending ones under a cookie
 * that goes to the thread and comes back. Every count of sessions is kept on this side, so that
 * a limit holds over all threads without a lock.
 */
#include "rendezvous/relay/control.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/channel.h"
#include "base/listener.h"
#include "base/log.h"

#define MODULE "control"

enum { MAX_CLIENTS = 256, CLIENT_QUEUE = 4096, THREAD_QUEUE = 65536, PROTOCOL_VERSION = 1 };

struct client {
	struct client *next;
	struct relay_control *control;
	struct channel *channel;
	uint64_t owner;   /* of the sessions that it asked for */
	unsigned waiting; /* requests on their way */
	bool polled;      /* once at least */
	bool gone;        /* freed when nothing waits any more */
};

struct lane {
	struct relay_control *control;
	struct channel *channel;
};

/* A request on its way through one thread or all of them. */
struct pending {
	struct idmap_node node; /* by cookie */
	struct client *client;
	uint32_t number;
	CrsRelay__Request__BodyCase what;
	CrsRelay__RelayType type; /* of an add: counted when it was passed on */
	size_t lanes_left;
	struct relay_stats sum;
};

struct relay_control {
	struct event_base *base;
	struct listener *listener;
	struct client *clients;
	size_t n_clients;
	struct lane *lanes;
	size_t n_lanes;
	struct idmap pending;
	uint64_t last_cookie, last_owner;
	struct relay_limits limits;
	unsigned count[RELAY_TYPE_COUNT];
};

static const char *const type_names[RELAY_TYPE_COUNT] = {
	"rtp", "rtp proxy", "opaque", "opaque proxy", "opaque multicast",
};

static void reply(struct client *client, struct slice octets)
{
	if (client->gone)
		return;
	if (!octets.n || channel_send(client->channel, octets))
		log_warn(MODULE, "crs does not take its replies: one is lost");
}

static void reply_error(struct client *client, uint32_t number, int error, const char *text)
{
	uint8_t out[512];

	reply(client, slice_of(out, relay_reply_error(number, error, text, out, sizeof(out))));
}

static void reply_hello(struct client *client, uint32_t number)
{
	CrsRelay__Hello hello = CRS_RELAY__HELLO__INIT;
	CrsRelay__Reply out = CRS_RELAY__REPLY__INIT;
	uint8_t packed[64];

	hello.version = PROTOCOL_VERSION;
	out.number = number;
	out.body_case = CRS_RELAY__REPLY__BODY_HELLO;
	out.hello = &hello;
	reply(client, slice_of(packed, crs_relay__reply__pack(&out, packed)));
}

/* A client whose connection ended stays while requests of it are on their way: the pending ones
 * point to it. Who comes last, the connection's end or the last reply, frees it. */
static void release_client(struct client *client)
{
	struct client **at = &client->control->clients;

	if (!client->gone || client->waiting)
		return;
	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	client->control->n_clients--;
	free(client);
}

static void finish(struct relay_control *control, struct pending *pending)
{
	struct client *client = pending->client;

	idmap_remove(&control->pending, &pending->node);
	free(pending);
	client->waiting--;
	release_client(client);
}

/* The request goes on as the octets that came; the thread unpacks it itself. Fails when the
 * thread's queue is full. */
static int pass_on(struct lane *lane, uint64_t owner, uint64_t cookie, struct slice request)
{
	uint8_t message[sizeof(struct relay_envelope) + RELAY_MAX_REQUEST];
	struct relay_envelope head = { .cookie = cookie, .owner = owner };

	memcpy(message, &head, sizeof(head));
	if (request.n)
		memcpy(message + sizeof(head), request.p, request.n);
	return channel_send(lane->channel, slice_of(message, sizeof(head) + request.n));
}

static struct pending *new_pending(struct client *client, const CrsRelay__Request *request,
				   size_t lanes)
{
	struct relay_control *control = client->control;
	struct pending *pending = calloc(1, sizeof(*pending));

	if (!pending)
		return NULL;
	pending->client = client;
	pending->number = request->number;
	pending->what = request->body_case;
	pending->lanes_left = lanes;
	idmap_put(&control->pending, &pending->node, ++control->last_cookie);
	client->waiting++;
	return pending;
}

static void ask_all(struct client *client, const CrsRelay__Request *request, struct slice octets)
{
	struct relay_control *control = client->control;
	struct pending *pending = new_pending(client, request, control->n_lanes);

	if (!pending) {
		reply_error(client, request->number, ENOMEM, "out of memory");
		return;
	}
	/* A thread that does not take the question is left out of the sum: an answer from the
	 * others is worth more to who asks than none. */
	for (size_t i = 0; i < control->n_lanes; i++)
		if (pass_on(&control->lanes[i], client->owner, pending->node.key, octets))
			pending->lanes_left--;
	if (!pending->lanes_left) {
		reply_error(client, request->number, EBUSY, "the relay's threads are busy");
		finish(control, pending);
	}
}

/* The octets of an id are random, or a caller's own choice: then only that
 * caller's sessions share a thread. */
static struct lane *lane_of(struct relay_control *control, const ProtobufCBinaryData *session_id)
{
	size_t sum = 0;

	for (size_t i = 0; i < session_id->len; i++)
		sum = sum * 31 + session_id->data[i];
	return &control->lanes[sum % control->n_lanes];
}

static void ask_one(struct client *client, const CrsRelay__Request *request, struct slice octets,
		    const ProtobufCBinaryData *session_id)
{
	struct relay_control *control = client->control;
	struct pending *pending = new_pending(client, request, 1);

	if (!pending) {
		reply_error(client, request->number, ENOMEM, "out of memory");
		return;
	}
	if (pass_on(lane_of(control, session_id), client->owner, pending->node.key, octets)) {
		reply_error(client, request->number, EBUSY, "the relay's thread is busy");
		finish(control, pending);
		return;
	}
	/* Counted when it is asked for, not when it is there: as many requests as are under way
	 * at once could pass the limit otherwise. take_reply() takes it back on a refusal. */
	if (request->body_case == CRS_RELAY__REQUEST__BODY_ADD) {
		pending->type = request->add->type;
		control->count[pending->type]++;
	}
}

static void add_session(struct client *client, const CrsRelay__Request *request,
			struct slice octets)
{
	struct relay_control *control = client->control;
	unsigned type = (unsigned)request->add->type;
	char text[128];

	/* It indexes the counts and limits below, and protobuf lets any number through. */
	if (type >= RELAY_TYPE_COUNT) {
		reply_error(client, request->number, EINVAL, "unknown relay type");
		return;
	}
	log_info(MODULE, "Command add: type=%s streams=%u legs=%u", type_names[type],
		 request->add->streams, request->add->responder_legs + 1);
	if (control->count[type] >= control->limits.max[type]) {
		snprintf(text, sizeof(text), "the limit of %u %s relays is reached",
			 control->limits.max[type], type_names[type]);
		log_warn(MODULE, "Command add refused: %s", text);
		reply_error(client, request->number, ENOSPC, text);
		return;
	}
	ask_one(client, request, octets, &request->add->session_id);
}

/* CRS manual 6.2 has polls in the log; one comes every second from each worker, so that only
 * the first of a connection is told as it stands there. */
static void note_poll(struct client *client)
{
	if (client->polled)
		log_debug(MODULE, "Command poll");
	else
		log_info(MODULE, "Command poll: the first of this connection");
	client->polled = true;
}

static void run_request(struct client *client, const CrsRelay__Request *request,
			struct slice octets)
{
	switch (request->body_case) {
	case CRS_RELAY__REQUEST__BODY_HELLO:
		reply_hello(client, request->number);
		break;
	/* A poll asks whether this loop lives; the threads are not asked, they end the process
	 * when one of them is gone (on_lane_closed()). */
	case CRS_RELAY__REQUEST__BODY_POLL:
		note_poll(client);
		reply_error(client, request->number, 0, "");
		break;
	case CRS_RELAY__REQUEST__BODY_ADD:
		add_session(client, request, octets);
		break;
	case CRS_RELAY__REQUEST__BODY_KEEP_LEG:
		ask_one(client, request, octets, &request->keep_leg->session_id);
		break;
	case CRS_RELAY__REQUEST__BODY_REMOVE:
		ask_one(client, request, octets, &request->remove->session_id);
		break;
	case CRS_RELAY__REQUEST__BODY_GET_STATISTICS:
	case CRS_RELAY__REQUEST__BODY_LIST_RELAYS:
		ask_all(client, request, octets);
		break;
	default:
		reply_error(client, request->number, EINVAL, "unknown request");
	}
}

static void on_client_message(void *arg, struct slice message)
{
	struct client *client = arg;
	CrsRelay__Request *request = NULL;

	/* What goes on to a thread has to fit into what it receives. */
	if (message.n <= RELAY_MAX_REQUEST)
		request = crs_relay__request__unpack(NULL, message.n, message.p);
	if (!request) {
		log_warn(MODULE, "a request of %zu octets is malformed", message.n);
		/* Number 0: which request it was cannot be told. */
		reply_error(client, 0, EBADMSG, "malformed request");
		return;
	}
	run_request(client, request, message);
	crs_relay__request__free_unpacked(request, NULL);
}

static void on_client_closed(void *arg, int err)
{
	struct client *client = arg;

	log_info(MODULE, "CLOSE: crs is gone%s%s", err ? ": " : "", err ? strerror(-err) : "");
	channel_free(&client->channel);
	client->gone = true;
	/* Its calls ended with it, and nobody is left who would remove their sessions. */
	for (size_t i = 0; i < client->control->n_lanes; i++)
		if (pass_on(&client->control->lanes[i], client->owner, 0, slice_of(NULL, 0)))
			log_warn(MODULE, "a thread is busy: sessions wait for their idle limit");
	release_client(client);
}

/* channel_free() within its own callback is what channel.h allows for; the client itself may
 * have to outlive it. */
static const struct channel_ops client_ops = { on_client_message, on_client_closed };

static void on_connection(void *arg, int fd, const struct net_addr *from)
{
	struct relay_control *control = arg;
	struct client *client = calloc(1, sizeof(*client));

	(void)from;
	if (client && control->n_clients < MAX_CLIENTS)
		client->channel = channel_new(control->base, fd, CLIENT_QUEUE, &client_ops, client);
	if (!client || !client->channel) {
		close(fd);
		free(client);
		return;
	}
	client->control = control;
	client->owner = ++control->last_owner;
	client->next = control->clients;
	control->clients = client;
	control->n_clients++;
	log_info(MODULE, "CONNECTION: crs is connected");
}

static void count_ended(struct relay_control *control, const struct relay_envelope *head)
{
	for (int i = 0; i < RELAY_TYPE_COUNT; i++)
		/* Held at zero: a count that is off by one must not wrap around into a limit
		 * that is always reached. */
		control->count[i] -=
			head->ended[i] < control->count[i] ? head->ended[i] : control->count[i];
}

/* The SSRC is among the identifiers that "crs-cli show relays" prints. */
static void log_capped(const struct relay_envelope *head)
{
	if (head->capped_ssrc && head->capped_type < RELAY_TYPE_COUNT)
		log_warn(MODULE,
			 "Relay %08x (%s): a side sends more than a session may, the rest is "
			 "dropped; said once",
			 (unsigned)head->capped_ssrc, type_names[head->capped_type]);
}

/* part NULL: that lane had no memory to answer with, and is left out of the sum. */
static void merge_statistics(struct pending *pending, const CrsRelay__Reply *part)
{
	uint8_t out[RELAY_MAX_REQUEST];

	if (part && part->body_case == CRS_RELAY__REPLY__BODY_STATISTICS)
		relay_statistics_add(&pending->sum, part->statistics);
	if (pending->lanes_left)
		return;
	reply(pending->client, slice_of(out, relay_reply_statistics(pending->number, &pending->sum,
								    out, sizeof(out))));
}

/* Only the last lane's last part says that nothing follows; who asked waits for it.  part is NULL
 * or an error where a lane had no memory to list its sessions. */
static void pass_listing(const struct pending *pending, CrsRelay__Reply *part)
{
	uint8_t out[RELAY_MAX_REPLY];

	if (!part || part->body_case != CRS_RELAY__REPLY__BODY_RELAYS) {
		log_warn(MODULE, "a thread has no memory to list its relays");
		if (!pending->lanes_left)
			reply_error(pending->client, pending->number, ENOMEM, "out of memory");
		return;
	}
	part->relays->more = pending->lanes_left > 0;
	if (crs_relay__reply__get_packed_size(part) <= sizeof(out))
		reply(pending->client, slice_of(out, crs_relay__reply__pack(part, out)));
}

static void take_reply(struct relay_control *control, struct pending *pending, struct slice octets,
		       bool more)
{
	CrsRelay__Reply *part =
		octets.n ? crs_relay__reply__unpack(NULL, octets.n, octets.p) : NULL;
	/* Without octets the thread had no memory for the request. */
	bool refused = octets.n == 0 || (part && part->error);

	/* The cookie is good until every lane has said that it is done; parts of a listing may
	 * come from several lanes in turns. */
	if (!more)
		pending->lanes_left--;
	if (pending->what == CRS_RELAY__REQUEST__BODY_GET_STATISTICS)
		merge_statistics(pending, part);
	else if (pending->what == CRS_RELAY__REQUEST__BODY_LIST_RELAYS)
		pass_listing(pending, part);
	else if (octets.n)
		reply(pending->client, octets);
	else
		reply_error(pending->client, pending->number, ENOMEM, "out of memory");
	if (refused && pending->what == CRS_RELAY__REQUEST__BODY_ADD)
		control->count[pending->type]--;
	if (part)
		crs_relay__reply__free_unpacked(part, NULL);
	if (!pending->lanes_left)
		finish(control, pending);
}

static void on_lane_message(void *arg, struct slice message)
{
	struct lane *lane = arg;
	struct relay_envelope head;
	struct idmap_node *node;

	if (message.n < sizeof(head))
		return;
	memcpy(&head, message.p, sizeof(head));
	count_ended(lane->control, &head);
	log_capped(&head);
	node = idmap_first(&lane->control->pending, head.cookie);
	if (node)
		take_reply(lane->control, IDMAP_OWNER(node, struct pending, node),
			   slice_from(message, sizeof(head)), head.more);
}

static void on_lane_closed(void *arg, int err)
{
	(void)arg;
	log_warn(MODULE, "a relay thread is gone (%s): the process ends", strerror(-err));
	exit(EXIT_FAILURE); /* a relay without one of its threads would lose calls unseen */
}

static const struct channel_ops lane_ops = { on_lane_message, on_lane_closed };

static int open_lanes(struct relay_control *control, struct event_base *base, const int *pair_fds,
		      size_t n)
{
	control->lanes = calloc(n, sizeof(*control->lanes));
	if (!control->lanes)
		return -ENOMEM;
	for (; control->n_lanes < n; control->n_lanes++) {
		struct lane *lane = &control->lanes[control->n_lanes];

		lane->control = control;
		lane->channel = channel_new(base, pair_fds[control->n_lanes], THREAD_QUEUE,
					    &lane_ops, lane);
		if (!lane->channel)
			return -ENOMEM;
	}
	return 0;
}

static int listen_at(struct relay_control *control, const char *socket_path)
{
	int fd = channel_listen(socket_path, 0660);

	if (fd < 0)
		return fd;
	control->listener = listener_new(control->base, fd, MODULE, on_connection, control);
	if (!control->listener)
		close(fd);
	return control->listener ? 0 : -ENOMEM;
}

int relay_control_new(struct event_base *base, const char *socket_path, const int *pair_fds,
		      size_t n, const struct relay_limits *limits,
		      struct relay_control **control_out)
{
	struct relay_control *control = calloc(1, sizeof(*control));
	int err;

	if (!control)
		return -ENOMEM;
	control->limits = *limits;
	control->base = base;
	err = idmap_init(&control->pending);
	if (!err)
		err = listen_at(control, socket_path);
	if (!err)
		err = open_lanes(control, base, pair_fds, n);
	if (err) {
		relay_control_free(&control);
		return err;
	}
	*control_out = control;
	return 0;
}

void relay_control_free(struct relay_control **controlp)
{
	struct relay_control *control = *controlp;
	struct idmap_node *node;

	if (!control)
		return;
	*controlp = NULL;
	for (size_t i = 0; i < control->n_lanes; i++)
		channel_free(&control->lanes[i].channel);
	free(control->lanes);
	while ((node = idmap_take(&control->pending)))
		free(IDMAP_OWNER(node, struct pending, node));
	idmap_done(&control->pending);
	while (control->clients) {
		struct client *client = control->clients;

		control->clients = client->next;
		channel_free(&client->channel);
		free(client);
	}
	listener_free(&control->listener);
	free(control);
}
