/* cms.c - the key manager's program: options, commands, and what they share. */
#include "management/cms.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/suggest.h"
#include "build-config.h"
#include "keys/passphrase.h"

enum { EXIT_ERROR = 1, EXIT_USAGE = 2 };

/* By enum cms_option: the index that getopt_long() reports is the option. */
static const struct option long_options[] = {
	[OPTION_DIR] = { "dir", required_argument, NULL, 0 },
	[OPTION_PASSPHRASE_FILE] = { "passphrase-file", required_argument, NULL, 0 },
	[OPTION_NEW_PASSPHRASE_FILE] = { "new-passphrase-file", required_argument, NULL, 0 },
	[OPTION_NOW] = { "now", required_argument, NULL, 0 },
	[OPTION_DOMAIN] = { "domain", required_argument, NULL, 0 },
	[OPTION_CRS] = { "crs", required_argument, NULL, 0 },
	[OPTION_ACCOUNT] = { "account", required_argument, NULL, 0 },
	[OPTION_SECRET] = { "secret", required_argument, NULL, 0 },
	[OPTION_SECRET_FILE] = { "secret-file", required_argument, NULL, 0 },
	[OPTION_MAX_LIFETIME] = { "max-lifetime", required_argument, NULL, 0 },
	[OPTION_DEFAULT_LIFETIME] = { "default-lifetime", required_argument, NULL, 0 },
	[OPTION_INTERCEPT] = { "intercept", required_argument, NULL, 0 },
	[OPTION_MULTIPATH] = { "multipath", required_argument, NULL, 0 },
	[OPTION_ENGINES] = { "engines", required_argument, NULL, 0 },
	[OPTION_NAME] = { "name", required_argument, NULL, 0 },
	[OPTION_OUTPUT] = { "output", required_argument, NULL, 0 },
	[OPTION_FORMAT] = { "format", required_argument, NULL, 0 },
	[OPTION_QR_KEY] = { "qr-key", no_argument, NULL, 0 },
	[OPTION_CONFIRM] = { "confirm", required_argument, NULL, 0 },
	[OPTION_JSON] = { "json", no_argument, NULL, 0 },
	[OPTION_HELP] = { "help", no_argument, NULL, 'h' },
	[OPTION_VERSION] = { "version", no_argument, NULL, 'V' },
	[OPTION_COUNT] = { NULL, 0, NULL, 0 },
};

#define BIT(option) (1U << (option))

enum {
	/* The passphrase file may be named where it is not needed, for scripts. */
	COMMON = BIT(OPTION_DIR) | BIT(OPTION_NOW) | BIT(OPTION_PASSPHRASE_FILE),
	SETTINGS = BIT(OPTION_CRS) | BIT(OPTION_ACCOUNT) | BIT(OPTION_SECRET) |
		   BIT(OPTION_SECRET_FILE) | BIT(OPTION_MAX_LIFETIME) |
		   BIT(OPTION_DEFAULT_LIFETIME) | BIT(OPTION_INTERCEPT) | BIT(OPTION_MULTIPATH),
};

/* What is made ready for a command; each includes those before it. */
enum need {
	NEED_NOTHING,
	NEED_DATABASE,
	NEED_CHANGE, /* a transaction */
	NEED_VAULT,  /* and the secrets */
};

struct command {
	const char *first, *second; /* its words; second may be NULL */
	cms_run_fn *run;
	size_t args;
	bool more_args;   /* the last one may be repeated */
	unsigned options; /* bits of those it takes */
	enum need need;
	const char *usage;
};

/* The whole program: words, what they need, and their usage, which --help prints as it is. */
static const struct command commands[] = {
	{ "init", NULL, cmd_init, 0, false, COMMON | SETTINGS | BIT(OPTION_DOMAIN), NEED_NOTHING,
	  "init --domain NAME --crs HOST:PORT --account ID\n"
	  "         --secret SECRET | --secret-file FILE\n"
	  "         [--max-lifetime TIME] [--default-lifetime TIME]\n"
	  "         [--intercept on|off] [--multipath on|off]" },
	{ "set", NULL, cmd_set, 0, false, COMMON | SETTINGS, NEED_VAULT,
	  "set [--crs HOST:PORT] [--account ID --secret ...] [--max-lifetime TIME] ..." },
	{ "user", "add", cmd_person_add, 2, false, COMMON, NEED_VAULT, "user add +NUMBER NAME" },
	{ "user", "list", cmd_person_list, 0, false, COMMON | BIT(OPTION_JSON), NEED_DATABASE,
	  "user list [--json]" },
	{ "user", "edit", cmd_person_edit, 1, false, COMMON | BIT(OPTION_NAME), NEED_CHANGE,
	  "user edit +NUMBER --name NAME" },
	{ "user", "delete", cmd_person_delete, 1, false, COMMON, NEED_CHANGE,
	  "user delete +NUMBER" },
	{ "user", "rekey", cmd_person_rekey, 1, false, COMMON, NEED_VAULT,
	  "user rekey +NUMBER         (destroys the keys of a lost device)" },
	{ "user", "import", cmd_user_import, 1, false, COMMON, NEED_VAULT, "user import FILE.txt" },
	{ "user", "export", cmd_user_export, 0, false, COMMON | BIT(OPTION_OUTPUT), NEED_DATABASE,
	  "user export [--output FILE]" },
	{ "gateway", "add", cmd_person_add, 2, false, COMMON | BIT(OPTION_ENGINES), NEED_VAULT,
	  "gateway add +NUMBER NAME --engines N" },
	{ "gateway", "list", cmd_person_list, 0, false, COMMON | BIT(OPTION_JSON), NEED_DATABASE,
	  "gateway list [--json]" },
	{ "gateway", "edit", cmd_person_edit, 1, false,
	  COMMON | BIT(OPTION_NAME) | BIT(OPTION_ENGINES), NEED_CHANGE,
	  "gateway edit +NUMBER [--name NAME] [--engines N]" },
	{ "gateway", "delete", cmd_person_delete, 1, false, COMMON, NEED_CHANGE,
	  "gateway delete +NUMBER" },
	{ "gateway", "rekey", cmd_person_rekey, 1, false, COMMON, NEED_VAULT,
	  "gateway rekey +NUMBER" },
	{ "channel", "add", cmd_channel_add, 1, false, COMMON, NEED_CHANGE, "channel add NAME" },
	{ "channel", "list", cmd_channel_list, 0, false, COMMON | BIT(OPTION_JSON), NEED_DATABASE,
	  "channel list [--json]" },
	{ "channel", "join", cmd_channel_join, 2, true, COMMON, NEED_CHANGE,
	  "channel join NAME +NUMBER..." },
	{ "channel", "leave", cmd_channel_leave, 2, true, COMMON, NEED_CHANGE,
	  "channel leave NAME +NUMBER..." },
	{ "channel", "delete", cmd_channel_delete, 1, false, COMMON, NEED_CHANGE,
	  "channel delete NAME" },
	{ "certificate", NULL, cmd_certificate, 0, false,
	  COMMON | BIT(OPTION_OUTPUT) | BIT(OPTION_FORMAT), NEED_DATABASE,
	  "certificate [--output FILE] [--format text|base64|base45|octets|qr]" },
	{ "domain", "add", cmd_domain_add, 1, false, COMMON | BIT(OPTION_CONFIRM), NEED_CHANGE,
	  "domain add FILE | - [--confirm GROUP]" },
	{ "domain", "list", cmd_domain_list, 0, false, COMMON | BIT(OPTION_JSON), NEED_DATABASE,
	  "domain list [--json]" },
	{ "domain", "delete", cmd_domain_delete, 1, false, COMMON, NEED_CHANGE,
	  "domain delete NAME" },
	{ "letter", NULL, cmd_letter, 1, false,
	  COMMON | BIT(OPTION_OUTPUT) | BIT(OPTION_QR_KEY) | BIT(OPTION_FORMAT), NEED_VAULT,
	  "letter +NUMBER [--output FILE] [--qr-key] [--format text|base64|base45|octets|qr]" },
	{ "update", NULL, cmd_update, 0, false, COMMON | BIT(OPTION_OUTPUT), NEED_VAULT,
	  "update [--output DIR]" },
	{ "status", NULL, cmd_status, 0, false, COMMON | BIT(OPTION_JSON), NEED_DATABASE,
	  "status [--json]" },
	{ "log", NULL, cmd_log, 0, false, COMMON | BIT(OPTION_JSON), NEED_DATABASE,
	  "log [--json]" },
	{ "passphrase", NULL, cmd_passphrase, 0, false, COMMON | BIT(OPTION_NEW_PASSPHRASE_FILE),
	  NEED_VAULT, "passphrase [--new-passphrase-file FILE]" },
	{ "backup", NULL, cmd_backup, 1, false, COMMON, NEED_CHANGE, "backup FILE" },
	{ "restore", NULL, cmd_restore, 1, false, COMMON, NEED_NOTHING, "restore FILE" },
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

/* ---- what commands share ---- */

const char *cms_dir(struct cms *cms)
{
	static const char hint[] = "there is no home directory; give --dir DIR";
	const char *home = getenv("HOME");
	char *dir;

	if (cms->value[OPTION_DIR])
		return cms->value[OPTION_DIR];
	if (getenv("CMS_DIR"))
		return getenv("CMS_DIR");
	if (!home || asprintf(&dir, "%s/.cms", home) < 0) {
		diag_error(cms->diag, NULL, "%s", hint);
		return NULL;
	}
	cms->home_dir = dir;
	cms->value[OPTION_DIR] = dir;
	return dir;
}

int cms_commit(struct cms *cms)
{
	return database_commit(cms->db, cms->diag);
}

int cms_log(struct cms *cms, const char *action, const char *fmt, ...)
{
	char detail[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	return database_log(cms->db, cms->now_s, action, detail, cms->diag);
}

void cms_time(int64_t unix_s, char out[CMS_TIME_SIZE])
{
	time_t t = (time_t)unix_s;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(out, CMS_TIME_SIZE, "%Y-%m-%d %H:%M", &tm))
		snprintf(out, CMS_TIME_SIZE, "-");
}

void cms_groups(const char *hex, size_t n, char *out, size_t outsz)
{
	struct buf b = buf_over(out, outsz);

	for (size_t i = 0; i < n && hex[i]; i++) {
		if (i && i % 4 == 0)
			buf_put_char(&b, ' ');
		buf_put_char(&b, (char)toupper((unsigned char)hex[i]));
	}
}

/* ---- usage ---- */

static void print_usage(FILE *to)
{
	fprintf(to, "usage: cms [--dir DIR] [--passphrase-file FILE] COMMAND ...\n"
		    "Makes the keys of a domain, its users and gateways: letters and updates.\n\n"
		    "commands:\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %s\n", commands[i].usage);
	fprintf(to, "\nTIME is 1h to 366d, or none.  The database lies in DIR, or CMS_DIR, or "
		    "~/.cms.\nThe passphrase is asked for on the terminal without "
		    "--passphrase-file.\nExit status: 0 done, 1 failed, 2 usage.\n");
}

static int bad_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static int bad_usage(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "cms: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	return EXIT_USAGE;
}

/* Finds the command of args[0] and args[1]; NULL, and said so, when there is none. */
static const struct command *find_command(char **args, size_t n)
{
	const char *words[2 * COMMANDS], *near;
	bool first_known = false;

	for (size_t i = 0; i < COMMANDS; i++) {
		const struct command *command = &commands[i];
		bool first = strcmp(command->first, args[0]) == 0;

		/* No command of one word begins as one of two does. */
		if (first && (!command->second || (n > 1 && strcmp(command->second, args[1]) == 0)))
			return command;
		first_known = first_known || first;
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		bool same = strcmp(commands[i].first, args[0]) == 0;

		/* Near misses among first words or, behind one that is known, among its second
		 * ones. */
		words[i] = !first_known ? commands[i].first : same ? commands[i].second : NULL;
	}
	if (first_known && n < 2) {
		bad_usage("%s what?  See cms --help", args[0]);
		return NULL;
	}
	near = suggest_near(args[first_known ? 1 : 0], words, COMMANDS);
	bad_usage("unknown command \"%s\"%s%s%s; see cms --help", args[first_known ? 1 : 0],
		  near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	return NULL;
}

/* ---- running ---- */

static int unlock(struct cms *cms)
{
	uint8_t lock[VAULT_LOCK_SIZE];
	struct passphrase passphrase;
	const char *file = cms->value[OPTION_PASSPHRASE_FILE];
	int err = settings_lock(cms->db, lock, cms->diag);

	if (!err)
		err = file ? passphrase_from_file(file, &passphrase, cms->diag)
			   : passphrase_ask("Passphrase", false, &passphrase, cms->diag);
	if (err)
		return err;
	err = vault_open(passphrase_slice(&passphrase), lock, &cms->vault);
	passphrase_wipe(&passphrase);
	if (err == -EACCES)
		diag_error(cms->diag, NULL, "this is not the passphrase");
	else if (err)
		diag_error(cms->diag, NULL, "the vault cannot be opened: %s", strerror(-err));
	return err;
}

static int run_command(struct cms *cms, const struct command *command)
{
	int err = 0;

	if (command->need >= NEED_DATABASE) {
		const char *dir = cms_dir(cms);

		err = dir ? database_open(dir, &cms->db, cms->diag) : -EINVAL;
	}
	/* Before the transaction begins: typing a passphrase must not keep another cms waiting. */
	if (!err && command->need >= NEED_VAULT)
		err = unlock(cms);
	if (!err && command->need >= NEED_CHANGE)
		err = database_begin(cms->db, cms->diag);
	if (!err)
		err = command->run(cms);
	/* Commands that let something leave the computer have committed themselves, before it
	 * left. */
	if (!err && cms->db && !sqlite3_get_autocommit(cms->db))
		err = cms_commit(cms);
	return err;
}

static int set_clock(struct cms *cms)
{
	int err = cms->value[OPTION_NOW] ? clock_set_now(cms->value[OPTION_NOW], cms->diag) : 0;

	/* One time for all that a run makes. */
	cms->now_s = clock_wall_s();
	return err;
}

static void print_errors(const struct diag *diag, int err)
{
	struct diag_item item;

	if (diag_errors(diag) == 0)
		fprintf(stderr, "cms: %s\n", strerror(-err));
	for (size_t i = 0; diag_get(diag, i, &item); i++) {
		fprintf(stderr, "cms: ");
		if (item.place.file)
			fprintf(stderr, "%s:%u: ", item.place.file, item.place.line);
		fprintf(stderr, "%s\n", item.text);
	}
}

static int run(struct cms *cms, const struct command *command)
{
	int err = set_clock(cms);

	if (!err)
		err = run_command(cms, command);
	if (err)
		print_errors(cms->diag, err);
	return err ? EXIT_ERROR : 0;
}

/* Checks options and arguments against what the command takes, then runs it. */
static int check_and_run(struct cms *cms, char **args, size_t n)
{
	const struct command *command = find_command(args, n);
	size_t words;

	if (!command)
		return EXIT_USAGE;
	words = command->second ? 2 : 1;
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (cms->value[i] && !(command->options & BIT(i)))
			return bad_usage("--%s does not go with this command; usage: cms %s",
					 long_options[i].name, command->usage);
	if (n - words < command->args || (n - words > command->args && !command->more_args))
		return bad_usage("usage: cms %s", command->usage);
	cms->args = args + words;
	cms->n_args = n - words;
	/* One set of functions serves users and gateways. */
	cms->gateway = strcmp(command->first, "gateway") == 0;
	return run(cms, command);
}

/* Reads the options wherever they stand.  Returns 0 or EXIT_USAGE, said why. */
static int read_options(struct cms *cms, int argc, char **argv)
{
	int c, at;

	opterr = 0; /* said below, under our name and with a hint */
	while ((c = getopt_long(argc, argv, "hV", long_options, &at)) != -1) {
		if (c == 'h')
			at = OPTION_HELP;
		else if (c == 'V')
			at = OPTION_VERSION;
		else if (c != 0)
			return bad_usage("%s is not an option, or lacks its value; see cms --help",
					 argv[optind - 1]);
		/* An option that is repeated counts by its last value. */
		cms->value[at] = optarg ? optarg : "";
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct cms cms = { .diag = diag_new() };
	int status;

	/* Whatever is made, by us or by SQLite, is its owner's alone. */
	umask(077);
	status = cms.diag ? read_options(&cms, argc, argv) : EXIT_ERROR;
	if (status == 0 && cms.value[OPTION_HELP]) {
		print_usage(stdout);
	} else if (status == 0 && cms.value[OPTION_VERSION]) {
		printf("cms %s\n", PACKAGE_VERSION);
	} else if (status == 0 && optind == argc) {
		print_usage(stderr);
		status = EXIT_USAGE;
	} else if (status == 0) {
		status = check_and_run(&cms, argv + optind, (size_t)(argc - optind));
	}
	database_close(&cms.db);
	vault_wipe(&cms.vault);
	free(cms.home_dir);
	diag_free(&cms.diag);
	/* A letter or a list that did not arrive whole must not look like success. */
	if (fflush(stdout) != 0 && status == 0)
		status = EXIT_ERROR;
	return status;
}
