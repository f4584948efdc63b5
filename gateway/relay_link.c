/* relay_link.c - the connection to cig-relay: made again and again, greeted,
 * polled. */
#include "gateway/relay_link.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/channel.h"
#include "base/channel_pack.h"
#include "base/log.h"
#include "base/pack.h"
#include "base/timer.h"
#include "build-config.h"
#include "gateway/relay/load.h"

#define MODULE "relay"

/* The version is that of gateway/relay/peer.c. */
enum { RETRY_MS = 250, PROTOCOL_VERSION = 2 };

struct relay_link {
	struct event_base *base;
	const struct relay_link_ops *ops;
	void *arg;
	char path[108];
	char program[64];
	unsigned capacity;
	Relay__Event *polled;    /* the last one; NULL: none yet */
	struct channel *channel; /* NULL: not connected */
	struct event *timer;     /* retry while down, poll while up */
	unsigned unanswered;     /* polls */
	uint64_t polls;
	bool up, said_down, said_busy;
};

static void forget_load(struct relay_link *link)
{
	if (link->polled)
		pack_forget(&link->polled->base);
	link->polled = NULL;
}

static int send_command(struct relay_link *link, const Relay__Command *command)
{
	return link->channel ? channel_send_packed(link->channel, &command->base) : -EPIPE;
}

static void lose(struct relay_link *link, const char *why)
{
	bool was_up = link->up;

	channel_free(&link->channel);
	link->up = false;
	link->program[0] = '\0';
	link->capacity = 0;
	link->said_busy = false;
	forget_load(link);
	if (!link->said_down)
		log_warn(MODULE, "cig-relay is not reachable at %s: %s; trying again", link->path,
			 why);
	link->said_down = true;
	timer_arm(link->timer, RETRY_MS);
	/* Last: the owner may send, and finds that it is down. */
	if (was_up)
		link->ops->down(link->arg);
}

static void take_welcome(struct relay_link *link, const Relay__Welcome *welcome)
{
	snprintf(link->program, sizeof(link->program), "%s", welcome->program);
	link->capacity = welcome->capacity;
	link->up = true;
	link->said_down = false;
	log_info(MODULE, "connected to %s, pid=%u capacity=%u threads=%u", welcome->program,
		 welcome->pid, welcome->capacity, welcome->threads);
	link->ops->up(link->arg, welcome);
}

/* One line when calls begin to be refused, and one when that is over: each refused call has
 * its own (call_news.h).  The event is ours from now on. */
static void take_polled(struct relay_link *link, Relay__Event *event)
{
	const Relay__Polled *load = event->polled;
	bool busy = load->busy[0];

	forget_load(link);
	link->polled = event;
	if (busy && !link->said_busy)
		log_warn(MODULE,
			 "calls are refused: %s; calls=%u cpu=%u%% late=%ums dropped=%" PRIu64,
			 load->busy, load->calls, load->cpu_percent, load->late_ms, load->dropped);
	else if (!busy && link->said_busy)
		log_info(MODULE, "calls are taken again; refused=%" PRIu64 " since cig-relay began",
			 load->refused);
	link->said_busy = busy;
}

static void on_message(void *arg, struct slice message)
{
	struct relay_link *link = arg;
	int err;
	Relay__Event *event = (Relay__Event *)(void *)pack_view(&relay__event__descriptor, message,
								CHANNEL_MAX_UNPACKED, &err);

	/* Anything it says is a sign of life. */
	link->unanswered = 0;
	if (!event) {
		log_warn(MODULE, "cig-relay sent %zu octets that are no message: %s", message.n,
			 strerror(-err));
		return;
	}
	if (event->of_case == RELAY__EVENT__OF_POLLED) {
		take_polled(link, event);
		return;
	}
	if (event->of_case == RELAY__EVENT__OF_WELCOME)
		take_welcome(link, event->welcome);
	else
		link->ops->event(link->arg, event);
	pack_forget(&event->base);
}

static void on_closed(void *arg, int err)
{
	lose(arg, err ? strerror(-err) : "it closed the connection");
}

static const struct channel_ops channel_ops = { on_message, on_closed };

static void greet(struct relay_link *link)
{
	Relay__Command command = RELAY__COMMAND__INIT;
	Relay__Hello hello = RELAY__HELLO__INIT;

	hello.version = PROTOCOL_VERSION;
	hello.program = (char *)"cig-server " PACKAGE_VERSION;
	command.of_case = RELAY__COMMAND__OF_HELLO;
	command.hello = &hello;
	send_command(link, &command);
}

static void poll_relay(struct relay_link *link)
{
	Relay__Command command = RELAY__COMMAND__INIT;
	Relay__Poll poll = RELAY__POLL__INIT;

	poll.number = ++link->polls;
	command.of_case = RELAY__COMMAND__OF_POLL;
	command.poll = &poll;
	send_command(link, &command);
}

static void connect_relay(struct relay_link *link)
{
	int fd = channel_connect(link->path);

	if (fd < 0) {
		lose(link, strerror(-fd));
		return;
	}
	link->channel = channel_new(link->base, fd, RELAY_LINK_QUEUE, &channel_ops, link);
	if (!link->channel) {
		close(fd);
		lose(link, strerror(ENOMEM));
		return;
	}
	channel_gather(link->channel);
	link->unanswered = 0;
	greet(link);
	timer_arm(link->timer, RELAY_LINK_POLL_MS);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct relay_link *link = arg;

	(void)fd;
	(void)what;
	if (!link->channel) {
		connect_relay(link);
		return;
	}
	/* Polls are counted, not time: it may be this process that stood still. */
	if (link->unanswered == RELAY_LINK_POLLS) {
		lose(link, "it does not answer");
		return;
	}
	poll_relay(link);
	link->unanswered++;
	timer_arm(link->timer, RELAY_LINK_POLL_MS);
}

int relay_link_new(struct event_base *base, const char *run_dir, const struct relay_link_ops *ops,
		   void *arg, struct relay_link **link_out)
{
	struct relay_link *link = calloc(1, sizeof(*link));
	int n;

	if (!link)
		return -ENOMEM;
	*link = (struct relay_link){ .base = base, .ops = ops, .arg = arg };
	n = snprintf(link->path, sizeof(link->path), "%s/cig-relay.sock", run_dir);
	link->timer = evtimer_new(base, on_timer, link);
	if (!link->timer || n < 0 || (size_t)n >= sizeof(link->path)) {
		int err = link->timer ? -ENAMETOOLONG : -ENOMEM;

		relay_link_free(&link);
		return err;
	}
	/* A relay that is not there yet is waited for: the two are started in any order. */
	connect_relay(link);
	*link_out = link;
	return 0;
}

void relay_link_free(struct relay_link **linkp)
{
	struct relay_link *link = *linkp;

	if (!link)
		return;
	*linkp = NULL;
	channel_free(&link->channel);
	forget_load(link);
	if (link->timer)
		event_free(link->timer);
	free(link);
}

bool relay_link_is_up(const struct relay_link *link)
{
	return link->up;
}

const Relay__Polled *relay_link_load(const struct relay_link *link)
{
	return link->polled ? link->polled->polled : NULL;
}

bool relay_link_is_loaded(const struct relay_link *link)
{
	const Relay__Polled *load = relay_link_load(link);

	/* Below its best complexity it saves already. */
	return load && (load->complexity < LOAD_COMPLEXITY_IDLE || load->busy[0]);
}

unsigned relay_link_capacity(const struct relay_link *link)
{
	return link->capacity;
}

const char *relay_link_program(const struct relay_link *link)
{
	return link->program;
}

int relay_link_send(struct relay_link *link, const Relay__Command *command)
{
	return link->up ? send_command(link, command) : -EPIPE;
}
