/* cra.c - remote administration of a rendezvous (CRS manual 4.9): command line.
 *
 * Runs on an administrator's own machine, with nothing but a name and a secret: what he may do
 * is decided by the server at each request.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/diag.h"
#include "base/file.h"
#include "base/json_text.h"
#include "build-config.h"
#include "rendezvous/apply.h"
#include "rendezvous/cra_client.h"
#include "rendezvous/cra_print.h"
#include "rendezvous/statistics.h"

/* SECRET_MAX: octets of the whole file, which is a line. */
enum { EXIT_REFUSED = 1, EXIT_USAGE = 2, SECRET_MAX = 256 };

enum option_key {
	OPT_SERVER = 256,
	OPT_ADMIN,
	OPT_SECRET,
	OPT_JSON,
	OPT_PSEUDONYMS,
	OPT_VERSION,
	OPT_HELP
};

static const struct option long_options[] = {
	{ "server", required_argument, NULL, OPT_SERVER },
	{ "admin", required_argument, NULL, OPT_ADMIN },
	{ "secret-file", required_argument, NULL, OPT_SECRET },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "pseudonyms", no_argument, NULL, OPT_PSEUDONYMS },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

struct cra {
	const char *server, *admin, *secret_file;
	bool json, pseudonyms;
	uint8_t *file; /* what is to be applied */
	size_t file_n;
	struct cra_client *client;
	struct diag *diag;
};

static void usage(FILE *to)
{
	fputs("usage: cra --server HOST[:PORT] --admin NAME --secret-file FILE [--json] ACTION\n"
	      "Administers accounts of a rendezvous from elsewhere, over TLS.\n"
	      "\n"
	      "  accounts                 the accounts you may administer, and their updates\n"
	      "  apply ACCOUNT FILE       apply a monthly update\n"
	      "  stats export ACCOUNT [--pseudonyms]\n"
	      "                           statistics as tab-separated values\n"
	      "  stats enable ACCOUNT\n"
	      "  stats disable ACCOUNT\n"
	      "  stats clear ACCOUNT\n"
	      "exit status: 0 ok, 1 refused or failed, 2 usage\n",
	      to);
}

static int print_json(json_t *answer)
{
	json_show(answer, JSON_INDENT(2), stdout);
	json_decref(answer);
	return 0;
}

static int do_accounts(struct cra *cra)
{
	json_t *answer;

	if (cra_client_ask(cra->client, UMSG__ADMIN_ACTION__ADMIN_ACCOUNTS, "", &answer, cra->diag))
		return EXIT_REFUSED;
	if (cra->json)
		return print_json(answer);
	cra_print_accounts(answer, stdout);
	json_decref(answer);
	return 0;
}

/* To a person who waits; a file of some thousand users takes seconds. */
static void show_progress(void *arg, size_t sent, size_t total)
{
	(void)arg;
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%zu of %zu octets%s", sent, total, sent == total ? "\n" : "");
}

static int do_apply(struct cra *cra, const char *account)
{
	json_t *answer = NULL;

	/* Sent as it is: it is checked where it is applied, by who has the account's secret. */
	if (cra_client_apply(cra->client, account, slice_of(cra->file, cra->file_n), show_progress,
			     NULL, &answer, cra->diag))
		return EXIT_REFUSED;
	if (cra->json)
		return print_json(answer);
	cra_print_applied(answer, stdout);
	json_decref(answer);
	return 0;
}

static int do_stats(struct cra *cra, const char *verb, const char *account)
{
	static const struct {
		const char *verb;
		Umsg__AdminAction action;
	} verbs[] = {
		{ "export", UMSG__ADMIN_ACTION__ADMIN_STATISTICS_EXPORT },
		{ "enable", UMSG__ADMIN_ACTION__ADMIN_STATISTICS_ENABLE },
		{ "disable", UMSG__ADMIN_ACTION__ADMIN_STATISTICS_DISABLE },
		{ "clear", UMSG__ADMIN_ACTION__ADMIN_STATISTICS_CLEAR },
	};
	Umsg__AdminAction action;
	json_t *answer = NULL;
	size_t i = 0;

	while (i < 4 && strcmp(verb, verbs[i].verb) != 0)
		i++;
	/* Pseudonyms are a way to export, the first of the verbs. */
	if (i == 4 || (cra->pseudonyms && i > 0))
		return EXIT_USAGE;
	action =
		cra->pseudonyms ? UMSG__ADMIN_ACTION__ADMIN_STATISTICS_PSEUDONYMS : verbs[i].action;
	if (cra_client_ask(cra->client, action, account, &answer, cra->diag))
		return EXIT_REFUSED;
	if (cra->json)
		return print_json(answer);
	if (i == 0)
		statistics_print(answer, stdout);
	json_decref(answer);
	return 0;
}

/* Before the secret is read and anybody connected to: a mistake in the words costs nothing. */
static bool is_action(const struct cra *cra, int argc, char **argv)
{
	if (cra->pseudonyms && (argc != 3 || strcmp(argv[0], "stats") != 0))
		return false;
	return (argc == 1 && strcmp(argv[0], "accounts") == 0) ||
	       (argc == 3 && (strcmp(argv[0], "apply") == 0 || strcmp(argv[0], "stats") == 0));
}

static int act(struct cra *cra, char **argv)
{
	if (strcmp(argv[0], "accounts") == 0)
		return do_accounts(cra);
	if (strcmp(argv[0], "apply") == 0)
		return do_apply(cra, argv[1]);
	return do_stats(cra, argv[1], argv[2]);
}

/* The first line of a file that is its owner's alone. */
static int read_secret(const char *path, char out[SECRET_MAX], struct diag *diag)
{
	uint8_t *text = NULL;
	struct stat st;
	size_t n = 0;
	int err = file_read(path, SECRET_MAX - 1, &text, &n);

	/* Refused rather than warned of: the secret is as good as published. */
	if (!err && stat(path, &st) == 0 && (st.st_mode & 077)) {
		diag_error(diag, NULL, "%s: others may read it: chmod 600 %s", path, path);
		err = -EACCES;
	} else if (err) {
		diag_error(diag, NULL, "%s: %s", path, strerror(-err));
	} else {
		/* The first line alone: an editor leaves a newline, and some write CR LF. */
		snprintf(out, SECRET_MAX, "%.*s", (int)strcspn((char *)text, "\r\n"), text);
	}
	if (text)
		OPENSSL_cleanse(text, n);
	free(text);
	return err;
}

/* Before anybody is connected to: for a file on a slow disk a server would not wait. */
static int read_update(struct cra *cra, char **argv)
{
	int err = strcmp(argv[0], "apply") == 0
			  ? file_read(argv[2], APPLY_FILE_MAX, &cra->file, &cra->file_n)
			  : 0;

	if (err)
		diag_error(cra->diag, NULL, "%s: %s", argv[2], strerror(-err));
	return err;
}

static int run(struct cra *cra, char **argv)
{
	char secret[SECRET_MAX];
	int status = EXIT_REFUSED;

	cra->diag = diag_new();
	if (read_update(cra, argv) == 0 && read_secret(cra->secret_file, secret, cra->diag) == 0 &&
	    cra_client_connect(cra->server, cra->admin, secret, &cra->client, cra->diag) == 0)
		status = act(cra, argv);
	/* The client has made its key of it, and keeps nothing else. */
	OPENSSL_cleanse(secret, sizeof(secret));
	cra_client_free(&cra->client);
	free(cra->file);
	if (status == EXIT_REFUSED)
		cra_print_error(diag_first_error(cra->diag), stderr);
	else if (status == EXIT_USAGE)
		fprintf(stderr, "cra: \"%s %s\" is no action; see cra --help\n", argv[0], argv[1]);
	diag_free(&cra->diag);
	return status;
}

/* The exit status, or -1: go on. */
static int take_option(struct cra *cra, int key)
{
	switch (key) {
	case OPT_SERVER:
		cra->server = optarg;
		return -1;
	case OPT_ADMIN:
		cra->admin = optarg;
		return -1;
	case OPT_SECRET:
		cra->secret_file = optarg;
		return -1;
	case OPT_JSON:
		cra->json = true;
		return -1;
	case OPT_PSEUDONYMS:
		cra->pseudonyms = true;
		return -1;
	case OPT_VERSION:
		puts("cra " PACKAGE_VERSION);
		return 0;
	case OPT_HELP:
		usage(stdout);
		return 0;
	default:
		fputs("see cra --help\n", stderr); /* getopt_long() has said why */
		return EXIT_USAGE;
	}
}

int main(int argc, char **argv)
{
	struct cra cra = { .server = NULL };
	int key;

	/* All of the command line is looked at before the server is asked for anything. */
	while ((key = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		int status = take_option(&cra, key);

		if (status >= 0)
			return status;
	}
	if (optind == argc) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (!is_action(&cra, argc - optind, argv + optind)) {
		fprintf(stderr, "cra: \"%s\" is no action, or lacks its words; see cra --help\n",
			argv[optind]);
		return EXIT_USAGE;
	}
	if (!cra.server || !cra.admin || !cra.secret_file) {
		fprintf(stderr, "cra: --%s is missing; see cra --help\n",
			!cra.server  ? "server"
			: !cra.admin ? "admin"
				     : "secret-file");
		return EXIT_USAGE;
	}
	return run(&cra, argv + optind);
}
