/* log.h - the program's log, in the form its manual prints.
 *
 * One line per outcome, key=value where it helps a search; never keys, PSKs or
 * message bodies.  Control characters in a line are written as "\xNN", so that
 * nobody else's text can forge a line.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

struct diag;

/* NOTHING is relay.log's type for lines that just state something (CIG manual, "Logs"). */
enum log_type { LOG_TYPE_DEBUG, LOG_TYPE_INFO, LOG_TYPE_WARN, LOG_TYPE_INIT, LOG_TYPE_NOTHING };

enum log_style {
	LOG_STYLE_CIG, /* [Time] Module[Type]: Information            CIG manual, "Logs" */
	LOG_STYLE_CRS, /* [Time | Type | Module(PID)] Information     CRS manual 6.1 */
};

/* Opens path for appending (0640), or standard error where path is NULL.
 * Returns 0 or -errno with diag set; until then lines go to standard error. */
int log_open(enum log_style style, const char *path, struct diag *diag);

/* Opens the path again, after logrotate has moved the file. */
void log_reopen(void);

/* What is written: below 0 WARN and INIT only (commands for people), 0 INFO, too,
 * above 0 everything. */
void log_set_verbose(int verbose);

/* Who hears every line besides, whatever log_set_verbose() lets pass; NULL: nobody.  What it logs
 * itself is not told to it. */
typedef void log_tap_fn(void *arg, enum log_type type, const char *module, const char *text);
/* Replaces the listener; one for the whole program, as the log is. */
void log_set_tap(log_tap_fn *tap, void *arg);

/* Writes one line, with time, module and type, where log_set_verbose() lets it pass;
 * controls in it are written as escapes. */
void log_line(enum log_type type, const char *module, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_debug(module, ...) log_line(LOG_TYPE_DEBUG, module, __VA_ARGS__)
#define log_info(module, ...) log_line(LOG_TYPE_INFO, module, __VA_ARGS__)
#define log_warn(module, ...) log_line(LOG_TYPE_WARN, module, __VA_ARGS__)
#define log_init(module, ...) log_line(LOG_TYPE_INIT, module, __VA_ARGS__)

/* Keeps one peer's mistakes from filling the disk: true for the first event
 * and then once a minute; suppressed_out counts what was left out between. */
struct log_limit {
	int64_t next_ms;
	unsigned suppressed;
};
/* now_ms is monotonic time.  The caller logs when this is 1, and says the number if it is
 * not 0; *suppressed_out is written only then. */
int log_limit_pass(struct log_limit *limit, int64_t now_ms, unsigned *suppressed_out);

#endif
