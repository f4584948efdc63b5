/* mesh.c - connections between workers.
 *
 * The socket keeps packets whole (base/channel.h). A packet holds the messages of one turn,
 * each behind its length: 4 octets, big-endian, the top bit of which tells frames of mesh_pass()
 * from messages of the schema. So a turn costs one system call a peer, whatever the load.
 *
 * Order is kept from one worker to another, not beyond: what A says to C may come before what A
 * had B say to C.
 */
#include "rendezvous/mesh.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/buf.h"
#include "base/channel.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/listener.h"
#include "base/log.h"
#include "base/pack.h"
#include "base/timer.h"

enum {
	AGAIN_MS = 20,           /* until what a full queue refused is offered again */
	CONNECT_AGAIN_MS = 1000, /* longer than a worker takes to start anew, mostly */
};

enum { QUEUE_MESSAGES = 8192, LENGTH_OCTETS = 4, PATH_SIZE = 300, MEMORY_MAX = 1 << 20 };

enum {
	FIRST_OCTETS = 4096,
	SPARE_OCTETS = 1 << 20, /* kept for the notes of later turns */
};

/* In the length of a message: it was given to mesh_pass(). */
static const uint32_t FRAME_FOLLOWS = UINT32_C(1) << 31;

/* A connection of another worker, on which it speaks to us. */
struct incoming {
	struct incoming *next;
	struct mesh *mesh;
	struct channel *channel;
	int from; /* -1: it did not say yet */
};

struct outgoing {
	struct mesh *mesh;
	unsigned peer;
	struct channel *channel; /* NULL: not connected */
	bool wanted;             /* that worker was ready once */
	struct buf packet;       /* what is sent at the end of this turn */
	struct log_limit losses;
};

/* Messages to ourselves, as they would stand in a packet; p is malloc'd. */
struct notes {
	uint8_t *p;
	size_t n, capacity;
};

struct mesh {
	struct event_base *base;
	const char *run_dir;
	unsigned index, workers;
	struct listener *listener;
	struct event *deliver, *flush;
	struct event *again; /* to connect to those that are wanted */
	bool flushing;       /* flush is due */
	struct incoming *incoming;
	struct outgoing *outgoing; /* one a worker */
	struct notes notes, spare; /* spare: what held those of the turn before */
	const struct mesh_ops *ops;
	void *arg;
};

static int socket_path(const struct mesh *mesh, unsigned index, char out[PATH_SIZE])
{
	struct buf b = buf_over(out, PATH_SIZE);

	buf_printf(&b, "%s/worker-%u.sock", mesh->run_dir, index);
	return buf_ok(&b) ? 0 : -ENAMETOOLONG;
}

static void handle_message(struct mesh *mesh, unsigned from, struct slice octets)
{
	int err;
	ProtobufCMessage *message =
		pack_view(&crs_worker__peer__descriptor, octets, MEMORY_MAX, &err);

	if (!message) {
		log_warn("mesh", "worker %u: a message that cannot be read: %s", from,
			 strerror(-err));
		return;
	}
	mesh->ops->message(mesh->arg, from, (CrsWorker__Peer *)(void *)message);
	pack_forget(message);
}

/* Messages, each behind its length. */
static bool handle_all(struct mesh *mesh, unsigned from, struct slice packet)
{
	struct cursor c = cursor_of(packet);

	while (!cursor_at_end(&c)) {
		uint32_t length = cursor_u32(&c);
		struct slice octets = cursor_take(&c, length & ~FRAME_FOLLOWS);

		if (!cursor_ok(&c))
			return false;
		if (length & FRAME_FOLLOWS)
			mesh->ops->frame(mesh->arg, from, octets);
		else
			handle_message(mesh, from, octets);
	}
	return true;
}

static void free_incoming(struct incoming *in)
{
	struct incoming **at = &in->mesh->incoming;

	while (*at != in)
		at = &(*at)->next;
	*at = in->next;
	channel_free(&in->channel);
	free(in);
}

/* The first message says who speaks.  Returns what stands behind it. */
static struct slice take_name(struct incoming *in, struct slice packet)
{
	struct cursor c = cursor_of(packet);
	struct slice octets = cursor_take(&c, cursor_u32(&c));
	CrsWorker__Peer *message = crs_worker__peer__unpack(NULL, octets.n, octets.p);

	/* Who speaks is taken at its word: the socket's mode (0600) lets in nobody but our own
	 * processes. */
	if (message && message->body_case == CRS_WORKER__PEER__BODY_FROM &&
	    message->from->index < in->mesh->workers)
		in->from = (int)message->from->index;
	if (message)
		crs_worker__peer__free_unpacked(message, NULL);
	return slice_of(c.p, c.left);
}

/* A packet holds all messages of one turn of the sender's loop. */
static void on_incoming(void *arg, struct slice packet)
{
	struct incoming *in = arg;

	if (in->from < 0)
		packet = take_name(in, packet);
	if (in->from < 0 || !handle_all(in->mesh, (unsigned)in->from, packet)) {
		log_warn("mesh", "a worker's packet cannot be read");
		free_incoming(in);
	}
}

static void on_incoming_closed(void *arg, int err)
{
	(void)err;
	free_incoming(arg);
}

static const struct channel_ops incoming_ops = { .message = on_incoming,
						 .closed = on_incoming_closed };

static void on_connection(void *arg, int fd, const struct net_addr *from)
{
	struct mesh *mesh = arg;
	struct incoming *in = calloc(1, sizeof(*in));

	(void)from;
	if (in) {
		in->mesh = mesh;
		/* Nothing is heard of it before it has said its name. */
		in->from = -1;
		in->channel = channel_new(mesh->base, fd, QUEUE_MESSAGES, &incoming_ops, in);
	}
	if (!in || !in->channel) {
		close(fd);
		free(in);
		return;
	}
	in->next = mesh->incoming;
	mesh->incoming = in;
}

static void disconnect(struct outgoing *out)
{
	channel_free(&out->channel);
	free(out->packet.p);
	out->packet = (struct buf){ .p = NULL };
}

/* Nobody speaks on the connections we made; they tell of the peer's end. */
static void on_outgoing(void *arg, struct slice octets)
{
	(void)arg;
	(void)octets;
}

/* A worker that died is told of when its successor is ready.  One that lives, and only had no
 * memory for us, or whom we could not reach, nobody tells of: so it is tried again.  It has to hear
 * of the loss, too, for what it holds is forgotten here: its own connection ends as well. */
static void lose(struct outgoing *out)
{
	struct mesh *mesh = out->mesh;
	struct incoming *in = mesh->incoming, *next;

	disconnect(out);
	for (; in; in = next) {
		next = in->next;
		if (in->from == (int)out->peer)
			free_incoming(in);
	}
	timer_arm(mesh->again, CONNECT_AGAIN_MS);
	mesh->ops->down(mesh->arg, out->peer);
}

static void on_outgoing_closed(void *arg, int err)
{
	(void)err;
	lose(arg);
}

static const struct channel_ops outgoing_ops = { .message = on_outgoing,
						 .closed = on_outgoing_closed };

/* What is said to ourselves meanwhile is heard in the next turn. */
static void on_deliver(evutil_socket_t fd, short what, void *arg)
{
	struct mesh *mesh = arg;
	struct notes notes = mesh->notes;

	(void)fd;
	(void)what;
	/* What is said while these are heard goes elsewhere: a realloc() must not move what is
	 * being read. */
	mesh->notes = mesh->spare;
	mesh->spare = (struct notes){ .p = NULL };
	handle_all(mesh, mesh->index, slice_of(notes.p, notes.n));
	notes.n = 0;
	if (notes.capacity > SPARE_OCTETS) {
		free(notes.p);
		notes = (struct notes){ .p = NULL };
	}
	mesh->spare = notes;
}

/* What finds no room in the queue stays in the packet and is sent later: whoever gave it heard 0.
 * When the packet is full, too, mesh_send() tells. The connection stays all the while, as a peer
 * that cannot keep up would lose all its calls with it. */
static int flush(struct outgoing *out)
{
	int err;

	if (!out->channel || out->packet.len == 0)
		return 0;
	err = channel_send(out->channel, buf_slice(&out->packet));
	if (err == -ENOBUFS || err == -ENOMEM)
		return err;
	/* Any other error is the connection's end, of which on_outgoing_closed() tells. */
	out->packet = buf_over(out->packet.p, out->packet.cap);
	return err;
}

static void on_flush(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval soon = { .tv_usec = AGAIN_MS * 1000 };
	struct mesh *mesh = arg;

	(void)fd;
	(void)what;
	mesh->flushing = false;
	for (unsigned i = 0; i < mesh->workers; i++) {
		int err = flush(&mesh->outgoing[i]);

		/* Nothing else need be sent to that worker: then nothing else would bring us
		 * here. */
		if (err == -ENOBUFS || err == -ENOMEM)
			event_add(mesh->flush, &soon);
	}
}

static void on_again(evutil_socket_t fd, short what, void *arg);

int mesh_new(struct event_base *base, const char *run_dir, unsigned index, unsigned workers,
	     const struct mesh_ops *ops, void *arg, struct mesh **mesh_out)
{
	struct mesh *mesh = calloc(1, sizeof(*mesh));
	char path[PATH_SIZE];
	int err = -ENOMEM, fd;

	if (!mesh)
		return -ENOMEM;
	mesh->base = base;
	mesh->run_dir = run_dir;
	mesh->index = index;
	mesh->workers = workers;
	mesh->ops = ops;
	mesh->arg = arg;
	/* One for ourselves, too, never connected: indices stay those of the workers. */
	mesh->outgoing = calloc(workers, sizeof(*mesh->outgoing));
	mesh->deliver = event_new(base, -1, 0, on_deliver, mesh);
	mesh->flush = event_new(base, -1, 0, on_flush, mesh);
	mesh->again = evtimer_new(base, on_again, mesh);
	if (!mesh->outgoing || !mesh->deliver || !mesh->flush || !mesh->again)
		goto fail;
	for (unsigned i = 0; i < workers; i++)
		mesh->outgoing[i] = (struct outgoing){ .mesh = mesh, .peer = i };
	err = socket_path(mesh, index, path);
	if (err)
		goto fail;
	fd = channel_listen(path, 0600);
	err = fd;
	if (err < 0)
		goto fail;
	err = -ENOMEM;
	mesh->listener = listener_new(base, fd, "mesh", on_connection, mesh);
	if (!mesh->listener) {
		close(fd);
		goto fail;
	}
	*mesh_out = mesh;
	return 0;

fail:
	mesh_free(&mesh);
	return err;
}

void mesh_free(struct mesh **meshp)
{
	struct mesh *mesh = *meshp;

	if (!mesh)
		return;
	while (mesh->incoming)
		free_incoming(mesh->incoming);
	for (unsigned i = 0; mesh->outgoing && i < mesh->workers; i++)
		disconnect(&mesh->outgoing[i]);
	free(mesh->notes.p);
	free(mesh->spare.p);
	listener_free(&mesh->listener);
	if (mesh->deliver)
		event_free(mesh->deliver);
	if (mesh->flush)
		event_free(mesh->flush);
	if (mesh->again)
		event_free(mesh->again);
	free(mesh->outgoing);
	free(mesh);
	*meshp = NULL;
}

static void say_who(struct mesh *mesh, unsigned peer)
{
	CrsWorker__Peer message = CRS_WORKER__PEER__INIT;
	CrsWorker__From from = CRS_WORKER__FROM__INIT;

	from.index = mesh->index;
	message.body_case = CRS_WORKER__PEER__BODY_FROM;
	message.from = &from;
	mesh_send(mesh, peer, &message);
}

/* Returns 0 or -errno: it is tried again then. */
static int connect_to(struct outgoing *out)
{
	struct mesh *mesh = out->mesh;
	char path[PATH_SIZE];
	int err = socket_path(mesh, out->peer, path), fd;

	fd = err ? err : channel_connect(path);
	if (fd < 0) {
		timer_arm(mesh->again, CONNECT_AGAIN_MS);
		return fd;
	}
	/* Room for a whole packet at once, as nothing may fail half-way when one is written. */
	out->packet.p = malloc(CHANNEL_MAX_MESSAGE);
	if (out->packet.p)
		out->channel = channel_new(mesh->base, fd, QUEUE_MESSAGES, &outgoing_ops, out);
	if (!out->channel) {
		disconnect(out);
		close(fd);
		timer_arm(mesh->again, CONNECT_AGAIN_MS);
		return -ENOMEM;
	}
	out->packet = buf_over(out->packet.p, CHANNEL_MAX_MESSAGE);
	/* Before up(), which sends: the name has to be the first message of the first packet. */
	say_who(mesh, out->peer);
	mesh->ops->up(mesh->arg, out->peer);
	return 0;
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct mesh *mesh = arg;

	(void)fd;
	(void)what;
	/* Not logged: the loss was, or the first attempt. */
	for (unsigned i = 0; i < mesh->workers; i++) {
		if (mesh->outgoing[i].wanted && !mesh->outgoing[i].channel)
			(void)connect_to(&mesh->outgoing[i]);
	}
}

/* What the predecessor of a worker said at last, and we have not read: it is of before its end,
 * which is told already.  Its successor's connections live. */
static void forget_dead(struct mesh *mesh, unsigned peer)
{
	struct incoming *in = mesh->incoming, *next;

	for (; in; in = next) {
		next = in->next;
		if ((in->from < 0 || in->from == (int)peer) && channel_is_over(in->channel))
			free_incoming(in);
	}
}

void mesh_connect(struct mesh *mesh, unsigned peer)
{
	struct outgoing *out;
	int err;

	if (peer >= mesh->workers || peer == mesh->index)
		return;
	out = &mesh->outgoing[peer];
	out->wanted = true;
	/* We were there between its listen() and this message (on_again()): it has heard us
	 * already, and nobody would tell it that we begin anew. */
	if (out->channel && !channel_is_over(out->channel))
		return;
	if (out->channel) { /* its predecessor's: we have not seen its end yet */
		disconnect(out);
		forget_dead(mesh, peer);
		mesh->ops->down(mesh->arg, peer);
	}
	err = connect_to(out);
	if (err)
		log_warn("mesh", "cannot connect to worker %u: %s", peer, strerror(-err));
}

bool mesh_is_up(const struct mesh *mesh, unsigned peer)
{
	return peer == mesh->index || (peer < mesh->workers && mesh->outgoing[peer].channel);
}

/* Room for n octets among what we say to ourselves; NULL when memory is out. */
static uint8_t *room_for_self(struct mesh *mesh, size_t n)
{
	struct notes *notes = &mesh->notes;
	size_t capacity = notes->capacity ? notes->capacity : FIRST_OCTETS;

	while (capacity - notes->n < n)
		capacity *= 2;
	if (capacity != notes->capacity) {
		uint8_t *p = realloc(notes->p, capacity);

		if (!p)
			return NULL;
		notes->p = p;
		notes->capacity = capacity;
	}
	if (notes->n == 0)
		event_active(mesh->deliver, EV_TIMEOUT, 1);
	notes->n += n;
	return notes->p + notes->n - n;
}

/* Many of those who send do not look: the log tells of them all, once a minute. */
static void tell_loss(struct outgoing *out, int err)
{
	unsigned more = 0;

	if (log_limit_pass(&out->losses, clock_mono_ms(), &more))
		log_warn("mesh", "worker %u does not take what it should hear: %s (%u more before)",
			 out->peer, strerror(-err), more);
}

/* Room for n octets to another worker in its packet of this turn. */
static int room_for_other(struct mesh *mesh, struct outgoing *out, size_t n, uint8_t **room_out)
{
	if (!out->channel)
		return -EPIPE;
	/* Full before the turn is over: what stands there goes first. */
	if (out->packet.len + n >= out->packet.cap) {
		int err = flush(out);

		if (err) {
			tell_loss(out, err);
			return err;
		}
	}
	*room_out = out->packet.p + out->packet.len;
	out->packet.len += n;
	if (!mesh->flushing)
		event_active(mesh->flush, EV_TIMEOUT, 1);
	mesh->flushing = true;
	return 0;
}

/* Room for a message of n octets; its length is written. */
static int begin(struct mesh *mesh, unsigned to, size_t n, uint32_t kind, uint8_t **room_out)
{
	struct buf length;
	int err = 0;

	/* One octet of a buf's capacity is kept for a NUL. */
	if (n + LENGTH_OCTETS >= CHANNEL_MAX_MESSAGE || to >= mesh->workers)
		return -EMSGSIZE;
	if (to != mesh->index)
		err = room_for_other(mesh, &mesh->outgoing[to], LENGTH_OCTETS + n, room_out);
	else if (!(*room_out = room_for_self(mesh, LENGTH_OCTETS + n)))
		err = -ENOMEM;
	if (err)
		return err;
	length = buf_over(*room_out, LENGTH_OCTETS + 1);
	buf_put_u32(&length, (uint32_t)n | kind);
	*room_out += LENGTH_OCTETS;
	return 0;
}

int mesh_send(struct mesh *mesh, unsigned to, const CrsWorker__Peer *message)
{
	uint8_t *room;
	int err = begin(mesh, to, crs_worker__peer__get_packed_size(message), 0, &room);

	if (!err)
		crs_worker__peer__pack(message, room);
	return err;
}

int mesh_pass(struct mesh *mesh, unsigned to, struct slice head, struct slice frame)
{
	uint8_t *room;
	int err = begin(mesh, to, head.n + frame.n, FRAME_FOLLOWS, &room);

	if (err)
		return err;
	memcpy(room, head.p, head.n);
	if (frame.n)
		memcpy(room + head.n, frame.p, frame.n);
	return 0;
}
