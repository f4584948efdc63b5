/* cms.h - one run of the key manager: what was asked, and what its commands share. */
#ifndef MANAGEMENT_CMS_H
#define MANAGEMENT_CMS_H

#include "management/database.h"
#include "management/person.h"
#include "management/settings.h"
#include "keys/vault.h"

struct diag;

/* Options that a command may take; each has its place in struct options. */
enum cms_option {
	OPTION_DIR,
	OPTION_PASSPHRASE_FILE,
	OPTION_NEW_PASSPHRASE_FILE,
	OPTION_NOW,
	OPTION_DOMAIN,
	OPTION_CRS,
	OPTION_ACCOUNT,
	OPTION_SECRET,
	OPTION_SECRET_FILE,
	OPTION_MAX_LIFETIME,
	OPTION_DEFAULT_LIFETIME,
	OPTION_INTERCEPT,
	OPTION_MULTIPATH,
	OPTION_ENGINES,
	OPTION_NAME,
	OPTION_OUTPUT,
	OPTION_FORMAT,
	OPTION_QR_KEY,
	OPTION_CONFIRM,
	OPTION_JSON,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_COUNT,
};

struct cms {
	const char *value[OPTION_COUNT]; /* NULL: not given; "" for those without a value */
	char **args;                     /* behind the command's words */
	size_t n_args;
	bool gateway; /* the command's first word was "gateway" */
	int64_t now_s;
	struct diag *diag;
	sqlite3 *db;        /* open where the command needs it */
	struct vault vault; /* likewise */
	char *home_dir;     /* owned: what cms_dir() found, or NULL */
};

/* A command's work: 0, or -errno with the reason in cms->diag. */
typedef int cms_run_fn(struct cms *cms);

cms_run_fn cmd_init, cmd_set, cmd_passphrase, cmd_backup, cmd_restore;
cms_run_fn cmd_person_add, cmd_person_list, cmd_person_edit, cmd_person_delete, cmd_person_rekey;
cms_run_fn cmd_channel_add, cmd_channel_list, cmd_channel_join, cmd_channel_leave,
	cmd_channel_delete;
cms_run_fn cmd_user_import, cmd_user_export;
cms_run_fn cmd_certificate, cmd_domain_add, cmd_domain_list, cmd_domain_delete;
cms_run_fn cmd_letter, cmd_update, cmd_status, cmd_log;

/* The directory of the database: --dir, or CMS_DIR, or ~/.cms; NULL with diag set when
 * there is none of them. */
const char *cms_dir(struct cms *cms);

/* Commits what the command did; to be called before anything leaves the computer. */
int cms_commit(struct cms *cms);

/* Adds to the event log. */
int cms_log(struct cms *cms, const char *action, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Takes lifetimes, CRS address, account, switches from the options, as far as they are
 * given, and checks the whole.  Returns 0 or -EINVAL. */
int cms_take_settings(struct cms *cms, struct settings *settings);

/* Seals --secret or the first line of --secret-file into the database; warns of one
 * that is not base64.  Returns 0 or -errno. */
int cms_take_secret(struct cms *cms, const char *account);

/* "YYYY-MM-DD HH:MM" in UTC. */
enum { CMS_TIME_SIZE = 17 };
/* unix_s is in seconds since 1970; what no calendar has becomes "-". */
void cms_time(int64_t unix_s, char out[CMS_TIME_SIZE]);

/* The id or fingerprint in groups of four, as people compare it; digits are upper
 * case; n of them. */
void cms_groups(const char *hex, size_t n, char *out, size_t outsz);

#endif
