/* crs_relay.c - relays media between clients without being able to decrypt it.
 *
 * Threads forward (relay/thread.c), this one answers crs and writes the log. The process has no
 * state on disk: one that is started anew knows no session, and crs ends the calls that it had
 * (sessions_relay_lost()).
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/config_lines.h"
#include "base/diag.h"
#include "base/file.h"
#include "base/log.h"
#include "base/service.h"
#include "build-config.h"
#include "rendezvous/relay/control.h"

#define MODULE "crs_relay"

enum { EXIT_USAGE = 2 };

static const char usage[] =
	"usage: crs-relay [--root DIR] [options]\n"
	"Relays media between the clients of a rendezvous server.\n"
	"\n"
	"  --root DIR      use DIR/crs-relay.conf, DIR/run/crs-relay.sock, DIR/log/crs_relay.log\n"
	"                  (default: " CRS_DIR ", with " CRS_RUN_DIR " and " CRS_LOG_DIR ")\n"
	"  --config FILE   limits and LISTEN, instead of the above\n"
	"  --socket PATH   where crs connects\n"
	"  --log FILE      \"-\" for standard error\n"
	"  --listen ADDR[:PORT]  UDP address for media (default 0.0.0.0:146)\n"
	"  --threads N     1 to 64 (default: one per processor)\n"
	"  --now TIME      YYYY-MM-DDTHH:MM:SSZ (test builds)\n"
	"  -h, --help      this text\n"
	"      --version\n"
	"\n"
	"SIGHUP reopens the log.\n"
	"Exit status: 0 ended, 1 could not serve, 2 usage or a configuration with faults.\n";

struct options {
	char config[PATH_MAX], socket[PATH_MAX], log[PATH_MAX];
	struct net_addr listen;
	bool listen_given;
	unsigned long threads;
	struct relay_limits limits;
	struct relay_rate rate; /* of each side of a session */
};

static const char *const limit_keys[RELAY_TYPE_COUNT] = {
	"MAX_RTP_RELAYS",          "MAX_RTP_PROXY_RELAYS",        "MAX_OPAQUE_RELAYS",
	"MAX_OPAQUE_PROXY_RELAYS", "MAX_OPAQUE_MULTICAST_RELAYS",
};

/* The keys of CRS manual 4.1.2.3 first; those of rates and LISTEN are ours. */
static const struct config_line_rule rules[] = {
	{ "MAX_RTP_RELAYS", 1, 1, "N", true },
	{ "MAX_RTP_PROXY_RELAYS", 1, 1, "N", true },
	{ "MAX_OPAQUE_RELAYS", 1, 1, "N", true },
	{ "MAX_OPAQUE_PROXY_RELAYS", 1, 1, "N", true },
	{ "MAX_OPAQUE_MULTICAST_RELAYS", 1, 1, "N", true },
	{ "MAX_SESSION_PACKETS_PER_S", 1, 1, "N", true },
	{ "MAX_SESSION_KBIT_PER_S", 1, 1, "N", true },
	{ "LISTEN", 1, 1, "ADDRESS[:PORT]", true },
	{ NULL, 0, 0, NULL, false },
};

/* The smallest caps with which a call and each packet of RELAY_MAX_PACKET octets still pass. */
enum { DEFAULT_PORT = 146, MIN_PACKETS_PER_S = 100, MIN_KBIT_PER_S = 128 };
enum { MAX_PACKETS_PER_S = 10000000, MAX_KBIT_PER_S = 10000000, OCTETS_A_KBIT = 125 };

/* A key of a rate; without a value there is no cap, as with the limits. */
static void take_rate(struct relay_rate *rate, const struct config_line *line, struct diag *diag)
{
	const struct config_word *value = &line->word[1];
	unsigned long n = 0;

	if (strcmp(line->word[0].text, "MAX_SESSION_PACKETS_PER_S") == 0) {
		if (*value->text)
			config_uint(value, MIN_PACKETS_PER_S, MAX_PACKETS_PER_S, &n, diag);
		rate->packets_per_s = (uint32_t)n;
	} else if (strcmp(line->word[0].text, "MAX_SESSION_KBIT_PER_S") == 0) {
		if (*value->text)
			config_uint(value, MIN_KBIT_PER_S, MAX_KBIT_PER_S, &n, diag);
		rate->octets_per_s = (uint32_t)n * OCTETS_A_KBIT;
	}
}

static void take_pair(struct options *options, const struct config_line *line, struct diag *diag)
{
	const struct config_word *value = &line->word[1];
	unsigned long n;

	for (int i = 0; i < RELAY_TYPE_COUNT; i++)
		if (strcmp(line->word[0].text, limit_keys[i]) == 0 && *value->text &&
		    config_uint(value, 0, UINT_MAX - 1, &n, diag) == 0)
			options->limits.max[i] = (unsigned)n;
	take_rate(&options->rate, line, diag);
	if (strcmp(line->word[0].text, "LISTEN") == 0 && !options->listen_given &&
	    net_parse(value->text, DEFAULT_PORT, &options->listen))
		diag_error(diag, &value->place, "\"%s\": expected ADDRESS or ADDRESS:PORT",
			   value->text);
}

/* A missing file means no limits (CRS manual 4.1.2.3: "by default ... no limit"). */
static int read_config(struct options *options, struct diag *diag)
{
	struct config_lines *lines = NULL;
	const struct config_line *line;
	int err;

	if (access(options->config, F_OK) < 0 && errno == ENOENT)
		return 0;
	err = config_pairs_read(options->config, diag, &lines);
	if (!lines)
		return err;
	config_lines_check(lines, rules, diag);
	for (size_t i = 0; (line = config_lines_get(lines, i)); i++)
		take_pair(options, line, diag);
	config_lines_free(&lines);
	return diag_errors(diag) ? -EINVAL : 0;
}

static void set_root(struct options *options, const char *root)
{
	snprintf(options->config, PATH_MAX, "%s/crs-relay.conf", root);
	snprintf(options->socket, PATH_MAX, "%s/run/crs-relay.sock", root);
	snprintf(options->log, PATH_MAX, "%s/log/crs_relay.log", root);
}

static void set_defaults(struct options *options)
{
	/* One for each processor: a thread does nothing but take packets in and send them on. */
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	*options = (struct options){ .threads = cores > 0 ? (unsigned long)cores : 1 };
	snprintf(options->config, PATH_MAX, CRS_DIR "/crs-relay.conf");
	snprintf(options->socket, PATH_MAX, CRS_RUN_DIR "/crs-relay.sock");
	snprintf(options->log, PATH_MAX, CRS_LOG_DIR "/crs_relay.log");
	net_parse("0.0.0.0", DEFAULT_PORT, &options->listen);
	if (options->threads > RELAY_MAX_THREADS)
		options->threads = RELAY_MAX_THREADS;
	for (int i = 0; i < RELAY_TYPE_COUNT; i++)
		/* No limit, as the manual's default has it; so a configured one stays below. */
		options->limits.max[i] = UINT_MAX;
	options->rate = (struct relay_rate){ RELAY_DEFAULT_PACKETS_PER_S,
					     RELAY_DEFAULT_KBIT_PER_S * OCTETS_A_KBIT };
}

enum {
	OPT_ROOT = 256,
	OPT_CONFIG,
	OPT_SOCKET,
	OPT_LOG,
	OPT_LISTEN,
	OPT_THREADS,
	OPT_NOW,
	OPT_VERSION
};

static const struct option long_options[] = {
	{ "root", required_argument, NULL, OPT_ROOT },
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "socket", required_argument, NULL, OPT_SOCKET },
	{ "log", required_argument, NULL, OPT_LOG },
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "threads", required_argument, NULL, OPT_THREADS },
	{ "now", required_argument, NULL, OPT_NOW },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

/* Returns 0, or -EINVAL with a message printed. */
static int take_option(struct options *options, int option, const char *value)
{
	struct config_word word = { .text = value };
	const char *expected = "";
	struct diag *diag = NULL;
	int err = 0;

	switch (option) {
	case OPT_ROOT:
		set_root(options, value);
		break;
	case OPT_CONFIG:
		snprintf(options->config, PATH_MAX, "%s", value);
		break;
	case OPT_SOCKET:
		snprintf(options->socket, PATH_MAX, "%s", value);
		break;
	case OPT_LOG:
		snprintf(options->log, PATH_MAX, "%s", value);
		break;
	/* What the command line says counts, whether it comes before or behind the file:
	 * read_config() leaves it alone. */
	case OPT_LISTEN:
		expected = "--listen: expected ADDRESS or ADDRESS:PORT, a numeric one, not";
		options->listen_given = true;
		err = net_parse(value, DEFAULT_PORT, &options->listen);
		break;
	case OPT_THREADS:
		expected = "--threads: expected a number from 1 to 64, not";
		err = config_uint(&word, 1, RELAY_MAX_THREADS, &options->threads, diag);
		break;
	case OPT_NOW:
		expected = "--now: expected a time, not";
		err = clock_set_now(value, diag);
		break;
	default:
		return -EINVAL;
	}
	if (err)
		fprintf(stderr, "crs-relay: %s \"%s\"\n", expected, value);
	return err;
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
	(void)what;
	if (sig == SIGHUP)
		log_reopen();
	else
		event_base_loopbreak(arg);
}

struct relay {
	struct event_base *base;
	struct relay_control *control;
	struct service_watch *watch; /* NULL: nobody watches this thread */
	struct relay_thread *threads[RELAY_MAX_THREADS];
	int pair_fds[RELAY_MAX_THREADS];
	size_t n_threads;
};

static int start_threads(struct relay *relay, const struct options *options, char *where)
{
	int udp_fds[RELAY_MAX_THREADS];
	struct net_addr bound;
	int err = relay_sockets(&options->listen, options->threads, udp_fds, &bound);

	net_format(err ? &options->listen : &bound, where);
	for (; !err && relay->n_threads < options->threads; relay->n_threads++) {
		size_t i = relay->n_threads;
		int pair[2];

		/* Borders are kept, as with datagrams, and the other side's end is told, as with
		 * streams. */
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
			return -errno;
		relay->pair_fds[i] = pair[0];
		err = relay_thread_start(i, net_port(&bound), udp_fds[i], pair[1], &options->rate,
					 &relay->threads[i]);
	}
	return err;
}

enum { SIGNALS = 3 };

static int watch_signals(struct event_base *base, struct event *signals_out[SIGNALS])
{
	static const int numbers[SIGNALS] = { SIGINT, SIGTERM, SIGHUP };

	for (int i = 0; i < SIGNALS; i++) {
		signals_out[i] = evsignal_new(base, numbers[i], on_signal, base);
		/* A relay that cannot be told to stop or to reopen its log does not start. */
		if (!signals_out[i] || event_add(signals_out[i], NULL) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* What most often is the reason, and what then helps. */
static const char *hint(const struct net_addr *listen, int err)
{
	if (err == -EACCES && net_port(listen) < IPPORT_RESERVED)
		return " (a port under 1024 takes the capability CAP_NET_BIND_SERVICE, which the "
		       "service's unit gives; --listen says another port)";
	if (err == -ENOENT)
		return " (the directory of the socket is not there)";
	return "";
}

static int serve(const struct options *options)
{
	struct relay relay = { .base = event_base_new() };
	struct event *signals[SIGNALS];
	char where[NET_TEXT_SIZE];
	int err = relay.base ? start_threads(&relay, options, where) : -ENOMEM;

	if (!err)
		err = relay_control_new(relay.base, options->socket, relay.pair_fds,
					relay.n_threads, &options->limits, &relay.control);
	if (!err)
		err = watch_signals(relay.base, signals);
	if (err) {
		log_warn(MODULE, "cannot serve %s with the socket %s: %s%s", where, options->socket,
			 strerror(-err), hint(&options->listen, err));
		if (relay.base)
			event_base_free(relay.base);
		return EXIT_FAILURE; /* the system takes back what was opened, and the threads */
	}
	log_init(MODULE, "Start: version %s, media %s, %zu threads, socket %s", PACKAGE_VERSION,
		 where, relay.n_threads, options->socket);
	relay.watch = service_watch_new(relay.base);
	event_base_dispatch(relay.base);
	log_info(MODULE, "Stop");
	/* First: it closes the pairs, which is how the threads learn that they end; then they
	 * can be waited for. */
	relay_control_free(&relay.control);
	service_watch_free(&relay.watch);
	for (size_t i = 0; i < relay.n_threads; i++)
		relay_thread_join(&relay.threads[i]);
	for (int i = 0; i < SIGNALS; i++)
		event_free(signals[i]);
	event_base_free(relay.base);
	unlink(options->socket);
	return EXIT_SUCCESS;
}

static void log_limits(const struct options *options)
{
	for (int i = 0; i < RELAY_TYPE_COUNT; i++)
		if (options->limits.max[i] != UINT_MAX)
			log_init(MODULE, "%s=%u", limit_keys[i], options->limits.max[i]);
	log_init(MODULE, "MAX_SESSION_PACKETS_PER_S=%u MAX_SESSION_KBIT_PER_S=%u (0: no cap)",
		 (unsigned)options->rate.packets_per_s,
		 (unsigned)options->rate.octets_per_s / OCTETS_A_KBIT);
}

/* Behind all options: --root and --config say which file is read.  Returns the exit status, with
 * what is wrong told on standard error. */
static int prepare(struct options *options)
{
	struct diag *diag = diag_new();
	int status = EXIT_SUCCESS;

	if (!diag)
		return EXIT_FAILURE;
	if (read_config(options, diag))
		status = EXIT_USAGE;
	else if (log_open(LOG_STYLE_CRS, strcmp(options->log, "-") == 0 ? NULL : options->log,
			  diag))
		status = EXIT_FAILURE;
	diag_print(diag, stderr);
	diag_free(&diag);
	return status;
}

int main(int argc, char **argv)
{
	struct options options;
	int option, status;

	set_defaults(&options);
	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (option == 'h' || option == OPT_VERSION) {
			fputs(option == 'h' ? usage : "crs-relay " PACKAGE_VERSION "\n", stdout);
			return EXIT_SUCCESS;
		}
		if (take_option(&options, option, optarg)) {
			fputs("see crs-relay --help\n", stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "crs-relay: unexpected \"%s\"; see crs-relay --help\n",
			argv[optind]);
		return EXIT_USAGE;
	}
	status = prepare(&options);
	if (status) {
		fputs("crs-relay: not started\n", stderr);
		return status;
	}
	log_limits(&options);
	/* A crs that goes away while it is written to is an error of that write. */
	signal(SIGPIPE, SIG_IGN);
	status = serve(&options);
	return status;
}
