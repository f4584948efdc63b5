/* reload.h - what a reload changes, for the answer, the log and the decision whether it
 * can be done at all.
 */
#ifndef GATEWAY_RELOAD_H
#define GATEWAY_RELOAD_H

#include <jansson.h>

struct cig_config;
struct diag;

/* The copy of the file whose configuration is in use, in userdata. */
#define RELOAD_LIVE_NAME ".cig.conf.live"

enum { RELOAD_MAX_LINES = 200 /* that a report names; all are counted */ };

/* Compares the configuration in use with the new one.  What cannot change while the
 * program runs is an error in diag, each line by itself.  The report has summary, added,
 * removed, changed (counts) and lines, an array of { "change", "line" }.
 * Returns 0 with *report_out (the caller's), -EBUSY (a restart is needed: diag has what
 * for) or -ENOMEM. */
int reload_compare(const struct cig_config *before, const struct cig_config *after,
		   json_t **report_out, struct diag *diag);

/* Keeps the file as it was when config was read from it, mode 0600 (it may hold passwords), so
 * that one which was changed for the worse can be put back; what it includes is not copied.  Once
 * for each config: it gives up its octets.  Returns 0 or -errno: then the copy before stays. */
int reload_keep_live(const struct cig_config *config);

#endif
