/* cig-relay - the media of a gateway: SRTP towards the rendezvous, RTP towards the
 * PBX.  It does what cig-server tells it over DIR/cig-relay.sock.
 */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/service.h"
#include "base/text.h"
#include "build-config.h"
#include "gateway/relay/load.h"
#include "gateway/relay/relay.h"

enum { MAX_THREADS = 256, MAX_CALLS = 100000, EXIT_USAGE = 2 };

struct options {
	struct relay_config relay;
	const char *log, *now;
	bool verbose, done;
};

static const char usage_text[] =
	"usage: cig-relay --run-dir DIR [--log FILE] [--threads N] [--max-calls N]\n"
	"                 [--max-load PERCENT]\n"
	"Carries the media of a gateway's calls; cig-server tells it which.\n"
	"\n"
	"  -d, --run-dir DIR    where cig-relay.sock is made; cig-server connects to it\n"
	"  -l, --log FILE       relay.log; standard error unless given\n"
	"  -t, --threads N      media threads; one a processor unless given\n"
	"  -m, --max-calls N    calls at a time; 350 a thread unless given\n"
	"  -L, --max-load N     percent of a processor that a thread may take before calls are\n"
	"                       refused; 85 unless given, 0: whatever it takes\n"
	"  -v, --verbose        log DEBUG lines, too\n"
	"  -h, --help           this text\n"
	"      --version        the version\n"
	"\n"
	"SIGHUP reopens the log.\n"
	"Exit status: 0 ended, 1 could not start, 2 usage.\n";

static const struct option long_options[] = {
	{ "run-dir", required_argument, NULL, 'd' },
	{ "log", required_argument, NULL, 'l' },
	{ "threads", required_argument, NULL, 't' },
	{ "max-calls", required_argument, NULL, 'm' },
	{ "max-load", required_argument, NULL, 'L' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
#ifdef TEST_CLOCK
	{ "now", required_argument, NULL, 'N' },
#endif
	{ NULL, 0, NULL, 0 },
};

static int parse_number(const char *option, const char *text, unsigned long min, unsigned long max,
			unsigned *out)
{
	unsigned long n;

	if (!text_number(slice_str(text), min, max, &n)) {
		fprintf(stderr, "cig-relay: --%s %s: expected a number from %lu to %lu\n", option,
			text, min, max);
		return -EINVAL;
	}
	*out = (unsigned)n;
	return 0;
}

static int take_option(struct options *o, int c)
{
	switch (c) {
	case 'd':
		o->relay.run_dir = optarg;
		return 0;
	case 'l':
		o->log = optarg;
		return 0;
	case 't':
		return parse_number("threads", optarg, 1, MAX_THREADS, &o->relay.threads);
	case 'm':
		return parse_number("max-calls", optarg, 1, MAX_CALLS, &o->relay.max_calls);
	case 'L':
		return parse_number("max-load", optarg, 0, 100, &o->relay.max_load);
	case 'v':
		o->verbose = true;
		return 0;
	case 'N':
		o->now = optarg;
		return 0;
	case 'h':
		fputs(usage_text, stdout);
		o->done = true;
		return 0;
	case 'V':
		puts("cig-relay " PACKAGE_VERSION);
		o->done = true;
		return 0;
	default:
		fputs("see cig-relay --help\n", stderr); /* getopt_long() has said why */
		return -EINVAL;
	}
}

static unsigned processors(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : (unsigned)n;
}

static int parse_options(int argc, char **argv, struct options *o)
{
	int c, err = 0;

	while (!err && !o->done &&
	       (c = getopt_long(argc, argv, "d:l:t:m:L:vh", long_options, NULL)) != -1)
		err = take_option(o, c);
	if (err || o->done)
		return err;
	if (optind < argc) {
		fprintf(stderr, "cig-relay: unexpected \"%s\"; see cig-relay --help\n",
			argv[optind]);
		return -EINVAL;
	}
	if (!o->relay.run_dir) {
		fputs("cig-relay: --run-dir is missing: the run_dir of cig.conf; see "
		      "cig-relay --help\n",
		      stderr);
		return -EINVAL;
	}
	if (!o->relay.threads)
		o->relay.threads = processors();
	if (!o->relay.max_calls)
		o->relay.max_calls = RELAY_DEFAULT_CALLS * o->relay.threads;
	return 0;
}

/* Two sockets a call: as many descriptors as we may have. */
static void raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* CIG-110, CIG-111: what is in force stands in the log at start. */
static void log_configuration(const struct options *o)
{
	struct rlimit limit = { 0 };

	getrlimit(RLIMIT_NOFILE, &limit);
	log_init("Relay", "cig-relay " PACKAGE_VERSION " starts");
	log_line(LOG_TYPE_NOTHING, "Config", "run-dir %s;", o->relay.run_dir);
	log_line(LOG_TYPE_NOTHING, "Config", "log %s;", o->log ? o->log : "standard error");
	log_line(LOG_TYPE_NOTHING, "Config", "threads %u;", o->relay.threads);
	log_line(LOG_TYPE_NOTHING, "Config", "max-calls %u;", o->relay.max_calls);
	log_line(LOG_TYPE_NOTHING, "Config", "max-load %u;", o->relay.max_load);
	if (limit.rlim_cur < 2 * (rlim_t)o->relay.max_calls + 64)
		log_warn("Config", "only %lu descriptors: enough for %lu calls",
			 (unsigned long)limit.rlim_cur,
			 limit.rlim_cur > 64 ? (unsigned long)(limit.rlim_cur - 64) / 2 : 0);
}

static void on_stop(evutil_socket_t signal_number, short what, void *arg)
{
	(void)signal_number;
	(void)what;
	event_base_loopbreak(arg);
}

static void on_hangup(evutil_socket_t signal_number, short what, void *arg)
{
	(void)signal_number;
	(void)what;
	(void)arg;
	log_reopen();
}

static int serve(struct event_base *base, const struct options *o, struct diag *diag)
{
	struct event *term = evsignal_new(base, SIGTERM, on_stop, base);
	struct event *intr = evsignal_new(base, SIGINT, on_stop, base);
	struct event *hup = evsignal_new(base, SIGHUP, on_hangup, NULL);
	struct relay *relay = NULL;
	struct service_watch *watch;
	int err = -ENOMEM;

	if (term && intr && hup && !event_add(term, NULL) && !event_add(intr, NULL) &&
	    !event_add(hup, NULL))
		err = relay_new(base, &o->relay, diag, &relay);
	if (!err) {
		log_init("Relay", "ready");
		watch = service_watch_new(base);
		event_base_dispatch(base);
		service_watch_free(&watch);
		log_info("Relay", "stops");
	}
	relay_free(&relay);
	if (term)
		event_free(term);
	if (intr)
		event_free(intr);
	if (hup)
		event_free(hup);
	return err;
}

static int run(const struct options *o)
{
	struct diag *diag = diag_new();
	struct event_base *base = event_base_new();
	int err = diag && base ? 0 : -ENOMEM;

	if (!err && o->now)
		err = clock_set_now(o->now, diag);
	if (!err)
		err = log_open(LOG_STYLE_CIG, o->log, diag);
	if (!err) {
		log_set_verbose(o->verbose);
		raise_limits();
		log_configuration(o);
		err = serve(base, o, diag);
	}
	if (err) {
		const char *text = diag_errors(diag) ? diag_first_error(diag) : strerror(-err);

		log_warn("Relay", "%s", text);
		if (o->log)
			fprintf(stderr, "cig-relay: %s\n", text);
	}
	if (base)
		event_base_free(base);
	diag_free(&diag);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options options = { .relay = { .max_load = LOAD_DEFAULT_PERCENT } };

	if (parse_options(argc, argv, &options))
		return EXIT_USAGE;
	return options.done ? EXIT_SUCCESS : run(&options);
}
