/* cig_server.c - the gateway's signalling: UMSG on one side, SIP on the other. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/service.h"
#include "build-config.h"
#include "gateway/server.h"

#define MODULE "cig-server"

enum { EXIT_USAGE = 2 };
enum { MIN_CORES = 2 };
static const long long MIN_OCTETS = 3500LL << 20; /* 4 GB, less what firmware keeps */

static const char usage[] =
	"usage: cig-server [--config FILE] [--check] [--verbose]\n"
	"Connects a MIKEY-SAKKE secure domain to SIP telephony.\n"
	"\n"
	"  --config FILE  default: " CIG_CONFIG_PATH "\n"
	"  --check        read the configuration, tell its faults, and stop\n"
	"  --verbose      log DEBUG lines, too\n"
	"  --now TIME     YYYY-MM-DDTHH:MM:SSZ (test builds)\n"
	"  -h, --help\n"
	"      --version\n"
	"\n"
	"SIGHUP reads the configuration again and reopens the logs.\n"
	"Exit status: 0 ended, 1 could not start, or not go on, 2 usage or a configuration\n"
	"with faults.\n";

struct options {
	const char *config;
	bool check, verbose;
};

enum { OPT_CONFIG = 256, OPT_CHECK, OPT_VERBOSE, OPT_NOW, OPT_VERSION };

static const struct option long_options[] = {
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "verbose", no_argument, NULL, OPT_VERBOSE },
	{ "now", required_argument, NULL, OPT_NOW },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

/* Returns -1 to go on, else the exit status. */
static int take_options(struct options *options, int argc, char **argv, struct diag *diag)
{
	int option;

	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		switch (option) {
		case OPT_CONFIG:
			options->config = optarg;
			break;
		case OPT_CHECK:
			options->check = true;
			break;
		case OPT_VERBOSE:
			options->verbose = true;
			break;
		case OPT_NOW:
			if (clock_set_now(optarg, diag))
				return EXIT_USAGE;
			break;
		case OPT_VERSION:
			puts("cig-server " PACKAGE_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		default:
			fputs("see cig-server --help\n", stderr); /* getopt_long() said why */
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "cig-server: unexpected \"%s\"; see cig-server --help\n",
			argv[optind]);
		return EXIT_USAGE;
	}
	return -1;
}

static void on_stop(evutil_socket_t sig, short what, void *arg)
{
	(void)what;
	log_info(MODULE, "stopping on signal %d", (int)sig);
	server_leave(arg);
}

static void on_hangup(evutil_socket_t sig, short what, void *arg)
{
	struct server *server = arg;
	struct diag *diag = diag_new();
	struct diag_item item;
	json_t *report = NULL;

	(void)sig;
	(void)what;
	/* Before the reload: whatever it says stands in the new file. */
	server_reopen_logs(server);
	/* A faulty file changes nothing: the gateway goes on with what it has. */
	if (server_reload(server, &report, diag))
		for (size_t i = 0; diag_get(diag, i, &item); i++)
			log_warn(MODULE, "not reloaded: %s:%u:%u: %s",
				 item.place.file ? item.place.file : server->config->path,
				 item.place.line, item.place.column, item.text);
	json_decref(report);
	diag_free(&diag);
}

static void run(struct event_base *base, struct server *server)
{
	struct event *events[] = { evsignal_new(base, SIGINT, on_stop, server),
				   evsignal_new(base, SIGTERM, on_stop, server),
				   evsignal_new(base, SIGHUP, on_hangup, server) };
	struct service_watch *watch = service_watch_new(base);

	for (size_t i = 0; i < 3; i++)
		event_add(events[i], NULL);
	event_base_dispatch(base);
	service_watch_free(&watch);
	for (size_t i = 0; i < 3; i++)
		event_free(events[i]);
}

static void log_config_line(void *arg, const char *text)
{
	(void)arg;
	log_init("config", "%s", text);
}

/* CIG manual 2.9, "Pre-requisites": a 64-bit x86 with RdRand, two cores, 4 GB.  Ours runs on
 * less; whoever measures it should know. */
static void log_machine(void)
{
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);
	const long long octets = (long long)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);

	log_init(MODULE, "%ld processors, %lld MiB", cores, octets >> 20);
	if (cores < MIN_CORES || octets < MIN_OCTETS)
		log_warn(MODULE,
			 "less than the two processors and 4 GB that a gateway should have");
#if defined(__x86_64__)
	if (!__builtin_cpu_supports("rdrnd"))
		log_warn(MODULE, "the processor has no RdRand: random numbers come from the "
				 "kernel alone");
#endif
}

/* What was found while it started and hinders nothing: slips of the configuration, what a journal
 * had to leave out.  On the terminal it stands when the program ends, which is late. */
static void log_warnings(const struct diag *diag)
{
	struct diag_item item;

	for (size_t i = 0; diag_get(diag, i, &item); i++) {
		if (item.severity != DIAG_WARNING)
			continue;
		if (item.place.file)
			log_warn(MODULE, "%s:%u:%u: %s", item.place.file, item.place.line,
				 item.place.column, item.text);
		else
			log_warn(MODULE, "%s", item.text);
	}
}

static int serve(const struct options *options, const struct cig_config *config, struct diag *diag)
{
	struct server *server = NULL;
	struct event_base *base;
	char path[PATH_MAX];
	int status;

	snprintf(path, sizeof(path), "%s/cig.log", config->log_dir);
	if (log_open(LOG_STYLE_CIG, path, diag)) {
		fprintf(stderr, "cig-server: not started: logs go to log_dir of %s\n",
			config->path);
		return EXIT_FAILURE;
	}
	base = event_base_new();
	if (!base)
		return EXIT_FAILURE;
	log_set_verbose(options->verbose);
	log_init(MODULE, "version %s, configuration %s", PACKAGE_VERSION, config->path);
	log_machine();
	server = server_new(base, config, diag);
	log_warnings(diag);
	if (server) {
		/* Not of one that cannot start, which is tried again each second: that would fill
		 * the disk. */
		cig_config_print(config, log_config_line, NULL);
		run(base, server);
	} else {
		log_warn(MODULE, "cannot start: %s", diag_first_error(diag));
	}
	log_info(MODULE, server ? "stopped" : "not started");
	status = server && !server->broken ? EXIT_SUCCESS : EXIT_FAILURE;
	server_free(&server);
	event_base_loop(base, EVLOOP_NONBLOCK); /* base/dns.h: what was being asked for */
	event_base_free(base);
	return status;
}

static int start(int argc, char **argv, struct diag *diag)
{
	struct options options = { .config = CIG_CONFIG_PATH };
	const struct cig_config *config;
	char summary[512];
	int status = take_options(&options, argc, argv, diag);

	if (status >= 0)
		return status;
	if (cig_config_read(options.config, diag, &config)) {
		fprintf(stderr, "cig-server: %s is not usable; nothing was started\n",
			options.config);
		return EXIT_USAGE;
	}
	if (options.check) {
		cig_config_summary(config, summary, sizeof(summary));
		printf("%s: %s\n", options.config, summary);
		status = EXIT_SUCCESS;
	} else {
		status = serve(&options, config, diag);
	}
	cig_config_release(&config);
	return status;
}

int main(int argc, char **argv)
{
	struct diag *diag = diag_new();
	int status;

	if (!diag)
		return EXIT_FAILURE;
	/* A peer that has gone is told by write()'s error where it is written to. */
	signal(SIGPIPE, SIG_IGN);
	status = start(argc, argv, diag);
	diag_print(diag, stderr);
	diag_free(&diag);
	return status;
}
