/* sip_link.c - cig-sip as a child process: started, configured, pinged, and started
 * again when it dies. */
#include "gateway/sip_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/channel.h"
#include "base/channel_pack.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/pack.h"
#include "base/process.h"
#include "base/timer.h"
#include "build-config.h"

#define MODULE "sip"

/* The wait before a new start doubles from the first to the second; STOP_WAIT_MS is the time that
 * calls have to say BYE. */
enum { RESTART_MIN_MS = 100, RESTART_MAX_MS = 5000, STOP_WAIT_MS = 2000 };

struct sip_link {
	struct event_base *base;
	const struct cig_config *config;
	const struct sip_link_ops *ops;
	void *arg;
	char program[PATH_MAX];
	char address[96];
	pid_t pid; /* 0: no child */
	struct channel *channel;
	struct event *ping_timer, *restart_timer;
	unsigned unanswered; /* pings */
	unsigned restart_ms;
	uint64_t generation; /* of the child: its call numbers lie in their own range */
	uint64_t last_call;
	bool ready, stopping;
	bool collector_lost;       /* and it has been logged */
	SipAgent__FromAgent *pong; /* the last one, for its counters */
};

static int send_message(struct sip_link *link, const SipAgent__ToAgent *message)
{
	return link->channel ? channel_send_packed(link->channel, &message->base) : -EPIPE;
}

static void end_child(struct sip_link *link)
{
	channel_free(&link->channel);
	if (link->pid > 0) {
		/* It hangs or has ended: it is not asked any more.  waitpid() returns at once
		 * after SIGKILL. */
		kill(link->pid, SIGKILL);
		waitpid(link->pid, NULL, 0);
	}
	link->pid = 0;
	link->ready = false;
	link->address[0] = '\0';
}

/* The child is of no use any more: tell it, and start another one a little later. */
static void lose_child(struct sip_link *link, const char *text)
{
	end_child(link);
	event_del(link->ping_timer);
	if (link->stopping)
		return;
	log_warn(MODULE, "cig-sip is gone: %s; starting another one in %u ms", text,
		 link->restart_ms);
	timer_arm(link->restart_timer, link->restart_ms);
	link->restart_ms =
		link->restart_ms * 2 < RESTART_MAX_MS ? link->restart_ms * 2 : RESTART_MAX_MS;
	/* Last: the owner may send, and finds that there is no child. */
	link->ops->lost(link->arg, text);
}

static void take_ready(struct sip_link *link, const SipAgent__Ready *ready)
{
	snprintf(link->address, sizeof(link->address), "%s:%u", ready->address, ready->port);
	link->ready = true;
	/* It works: the next death is a new one. */
	link->restart_ms = RESTART_MIN_MS;
	if (ready->tls_port)
		log_info(MODULE, "cig-sip is ready on %s, TLS on port %u", link->address,
			 ready->tls_port);
	else
		log_info(MODULE, "cig-sip is ready on %s", link->address);
	link->ops->ready(link->arg);
}

static void keep_pong(struct sip_link *link, SipAgent__FromAgent **event)
{
	if (link->pong)
		pack_forget(&link->pong->base);
	link->pong = *event;
	*event = NULL;
}

/* Once when it is lost, and once when it is back; a new child, or a reload that leaves the
 * collector as it is, only finds again what is known. */
static void take_collector(struct sip_link *link, const SipAgent__Collector *news)
{
	const struct cig_hep *hep = &link->config->sip.hep;
	char collector[NET_TEXT_SIZE];

	if (!hep->collector.len || link->collector_lost == !news->reached)
		return;
	link->collector_lost = !news->reached;
	net_format(&hep->collector, collector);
	if (news->reached)
		log_info(MODULE, "%s:%u: hep: the collector %s takes packets again",
			 hep->place.file, hep->place.line, collector);
	else
		log_warn(MODULE,
			 "%s:%u: hep: the collector %s cannot be reached, SIP messages are lost to "
			 "it: %s",
			 hep->place.file, hep->place.line, collector, news->why);
}

static void on_message(void *arg, struct slice message)
{
	struct sip_link *link = arg;
	int err;
	SipAgent__FromAgent *event = (SipAgent__FromAgent *)(void *)pack_view(
		&sip_agent__from_agent__descriptor, message, CHANNEL_MAX_UNPACKED, &err);

	/* Anything it says is a sign of life. */
	link->unanswered = 0;
	if (!event) {
		log_warn(MODULE, "cig-sip sent %zu octets that are no message: %s", message.n,
			 strerror(-err));
		return;
	}
	switch (event->body_case) {
	case SIP_AGENT__FROM_AGENT__BODY_READY:
		take_ready(link, event->ready);
		break;
	case SIP_AGENT__FROM_AGENT__BODY_FAILURE:
		lose_child(link, event->failure->text);
		break;
	case SIP_AGENT__FROM_AGENT__BODY_PONG:
		keep_pong(link, &event);
		break;
	case SIP_AGENT__FROM_AGENT__BODY_COLLECTOR:
		take_collector(link, event->collector);
		break;
	case SIP_AGENT__FROM_AGENT__BODY_REFUSED:
		log_warn(MODULE, "refused source=%s: %s (%u more like it left out)",
			 event->refused->source, event->refused->what, event->refused->suppressed);
		break;
	default:
		link->ops->event(link->arg, event);
	}
	/* keep_pong() and lose_child() may have been called: event is ours unless it was kept. */
	if (event)
		pack_forget(&event->base);
}

static void on_closed(void *arg, int err)
{
	lose_child(arg, err ? strerror(-err) : "it ended");
}

static const struct channel_ops channel_ops = { on_message, on_closed };

enum { NETWORK_TEXT_SIZE = CONFIG_IP_SIZE + 4 };

/* Without "trusted" everyone may call in. */
static char *const everyone[] = { (char *)"0.0.0.0/0", (char *)"::/0" };

static void network_text(const struct config_net *net, char out[NETWORK_TEXT_SIZE])
{
	char ip[CONFIG_IP_SIZE] = "";

	inet_ntop(net->family, net->address, ip, sizeof(ip));
	snprintf(out, NETWORK_TEXT_SIZE, "%s/%u", ip, net->prefix_bits);
}

static void fill_tls(const struct cig_tls *tls, SipAgent__Tls *out)
{
	sip_agent__tls__init(out);
	out->port = tls->port;
	out->certificate = (char *)tls->certificate;
	out->key = (char *)tls->key;
	out->ca = (char *)tls->ca;
	out->verify_clients = tls->verify_clients;
}

/* address is room for the text in the message. */
static void fill_hep(const struct cig_hep *hep, char address[NET_TEXT_SIZE], SipAgent__Hep *out)
{
	sip_agent__hep__init(out);
	net_format_host(&hep->collector, address);
	out->address = address;
	out->port = net_port(&hep->collector);
	out->id = hep->id;
	out->password = (char *)hep->password;
}

static bool trace_path(const struct cig_config *config, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/sip.log", config->log_dir) < PATH_MAX;
}

static int send_configure(struct sip_link *link, char **networks, size_t n)
{
	const struct cig_sip *sip = &link->config->sip;
	SipAgent__ToAgent message = SIP_AGENT__TO_AGENT__INIT;
	SipAgent__Configure configure = SIP_AGENT__CONFIGURE__INIT;
	SipAgent__Tls tls;
	SipAgent__Hep hep;
	char trace[PATH_MAX], collector[NET_TEXT_SIZE];

	if (sip->tls.ca) {
		fill_tls(&sip->tls, &tls);
		configure.tls = &tls;
	}

	configure.networks = n ? networks : (char **)everyone;
	configure.n_networks = n ? n : sizeof(everyone) / sizeof(everyone[0]);
	configure.address = (char *)(sip->common.bind[0] ? sip->common.bind : "0.0.0.0");
	configure.port = sip->port;
	configure.udp = configure.tcp = true;
	configure.user_agent = (char *)"Tandem/" PACKAGE_VERSION;
	configure.max_calls = sip->max_calls;
	configure.udp_mtu = sip->udp_max_bytes;
	configure.session_expires_s = sip->session_expires_s;
	configure.min_session_expires_s = sip->min_session_expires_s;
	configure.texts = sip->messaging;
	if (sip->sip_trace && trace_path(link->config, trace))
		configure.trace = trace;
	if (sip->hep.collector.len) {
		fill_hep(&sip->hep, collector, &hep);
		configure.hep = &hep;
	}
	/* The upper half is the child's number: an event of a former child is about no call of
	 * this one. */
	configure.first_call = link->generation << 32 | 1;
	message.body_case = SIP_AGENT__TO_AGENT__BODY_CONFIGURE;
	message.configure = &configure;
	return send_message(link, &message);
}

static size_t count_networks(const struct cig_config *config)
{
	size_t n = config->sip.trusted_count;

	for (size_t i = 0; i < config->pbx_count; i++)
		n += config->pbxs[i].network_count;
	return n;
}

/* Who is trusted, and every PBX's own networks. */
static void list_networks(const struct cig_config *config, char (*texts)[NETWORK_TEXT_SIZE])
{
	for (size_t i = 0; i < config->sip.trusted_count; i++)
		network_text(&config->sip.trusted[i], *texts++);
	for (size_t i = 0; i < config->pbx_count; i++)
		for (size_t k = 0; k < config->pbxs[i].network_count; k++)
			network_text(&config->pbxs[i].networks[k], *texts++);
}

static int configure(struct sip_link *link)
{
	size_t n = count_networks(link->config);
	char(*texts)[NETWORK_TEXT_SIZE] = calloc(n + 1, sizeof(*texts));
	char **networks = calloc(n + 1, sizeof(*networks));
	int err = -ENOMEM;

	if (texts && networks) {
		list_networks(link->config, texts);
		for (size_t i = 0; i < n; i++)
			networks[i] = texts[i];
		err = send_configure(link, networks, n);
	}
	free(networks);
	free(texts);
	return err;
}

static int start_child(struct sip_link *link)
{
	const char *argv[] = { link->program, NULL };
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -errno;
	link->channel = channel_new(link->base, pair[0], SIP_LINK_QUEUE, &channel_ops, link);
	if (!link->channel) {
		close(pair[0]);
		close(pair[1]);
		return -ENOMEM;
	}
	channel_gather(link->channel);
	link->pid = process_spawn(
		&(struct process_spec){ .argv = argv, .pass_fd = pair[1], .output_fd = -1 });
	/* The child has its own copy: without this one open its end would not be seen. */
	close(pair[1]);
	link->generation++;
	link->unanswered = 0;
	err = link->pid > 0 ? configure(link) : link->pid;
	if (err) {
		end_child(link);
		return err;
	}
	timer_arm(link->ping_timer, SIP_LINK_PING_MS);
	return 0;
}

static void on_restart(evutil_socket_t fd, short what, void *arg)
{
	struct sip_link *link = arg;
	int err = start_child(link);

	(void)fd;
	(void)what;
	if (err)
		lose_child(link, strerror(-err));
}

static void on_ping(evutil_socket_t fd, short what, void *arg)
{
	struct sip_link *link = arg;
	SipAgent__ToAgent message = SIP_AGENT__TO_AGENT__INIT;
	SipAgent__Ping ping = SIP_AGENT__PING__INIT;

	(void)fd;
	(void)what;
	/* Pings are counted, not time: it may be this process that stood still. */
	if (link->unanswered == SIP_LINK_PINGS) {
		lose_child(link, "no heartbeat for three seconds");
		return;
	}
	message.body_case = SIP_AGENT__TO_AGENT__BODY_PING;
	message.ping = &ping;
	send_message(link, &message);
	link->unanswered++;
	timer_arm(link->ping_timer, SIP_LINK_PING_MS);
}

int sip_link_new(struct event_base *base, const struct cig_config *config,
		 const struct sip_link_ops *ops, void *arg, struct sip_link **link_out)
{
	struct sip_link *link = calloc(1, sizeof(*link));
	int err;

	if (!link)
		return -ENOMEM;
	link->base = base;
	link->config = cig_config_hold(config);
	link->ops = ops;
	link->arg = arg;
	link->restart_ms = RESTART_MIN_MS;
	link->ping_timer = evtimer_new(base, on_ping, link);
	link->restart_timer = evtimer_new(base, on_restart, link);
	err = link->ping_timer && link->restart_timer
		      ? process_find("cig-sip", link->program, sizeof(link->program))
		      : -ENOMEM;
	if (!err)
		err = start_child(link);
	if (err) {
		sip_link_free(&link);
		return err;
	}
	*link_out = link;
	return 0;
}

/* Until the child has ended its calls and itself, or the time is over. */
static void await_end(struct sip_link *link)
{
	int64_t end = clock_mono_ms() + STOP_WAIT_MS;

	/* The loop runs on: the BYEs of calls and their answers pass through it. */
	while (link->channel && clock_mono_ms() < end) {
		struct timeval tick = { .tv_usec = 50000 };

		event_base_loopexit(link->base, &tick);
		event_base_dispatch(link->base);
	}
}

void sip_link_free(struct sip_link **linkp)
{
	struct sip_link *link = *linkp;
	SipAgent__ToAgent message = SIP_AGENT__TO_AGENT__INIT;
	SipAgent__Quit quit = SIP_AGENT__QUIT__INIT;

	if (!link)
		return;
	*linkp = NULL;
	link->stopping = true;
	message.body_case = SIP_AGENT__TO_AGENT__BODY_QUIT;
	message.quit = &quit;
	if (link->channel && send_message(link, &message) == 0)
		await_end(link);
	end_child(link);
	if (link->ping_timer)
		event_free(link->ping_timer);
	if (link->restart_timer)
		event_free(link->restart_timer);
	if (link->pong)
		pack_forget(&link->pong->base);
	cig_config_release(&link->config);
	free(link);
}

void sip_link_set_config(struct sip_link *link, const struct cig_config *config)
{
	const struct cig_config *old = link->config;
	int err;

	link->config = cig_config_hold(config);
	if (!net_equal(&old->sip.hep.collector, &config->sip.hep.collector))
		link->collector_lost = false; /* another one */
	cig_config_release(&old);
	/* Also one that is not ready yet: it was started with the old one.  A child to come gets
	 * it then. */
	err = link->channel ? configure(link) : 0;
	if (err)
		log_warn(MODULE, "cig-sip goes on with the old configuration: %s", strerror(-err));
}

bool sip_link_is_ready(const struct sip_link *link)
{
	return link->ready;
}

const char *sip_link_address(const struct sip_link *link)
{
	return link->address;
}

uint64_t sip_link_next_call(struct sip_link *link)
{
	/* Even numbers are ours, odd ones the agent's: neither asks the other for one. */
	return link->last_call += 2;
}

int sip_link_send(struct sip_link *link, const SipAgent__ToAgent *message)
{
	return link->ready ? send_message(link, message) : -EPIPE;
}

const SipAgent__Counters *sip_link_counters(const struct sip_link *link)
{
	return link->pong ? link->pong->pong->counters : NULL;
}
