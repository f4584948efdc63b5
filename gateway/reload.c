/* reload.c - the comparison is cig_config_changes(); here it becomes an answer. */
#include "gateway/reload.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/diag.h"
#include "base/file.h"
#include "base/json_text.h"
#include "gateway/cig_config.h"

struct comparison {
	const struct cig_config *after;
	struct diag *diag;
	json_t *lines;
	size_t count[CIG_CHANGED + 1];
	size_t restarts;
};

static const char *const names[] = {
	[CIG_ADDED] = "added",
	[CIG_REMOVED] = "removed",
	[CIG_CHANGED] = "changed",
};

static void on_change(void *arg, enum cig_change change, const char *line, bool restart)
{
	struct comparison *c = arg;
	struct diag_place place = { c->after->path, 0, 0 };

	c->count[change]++;
	if (restart) {
		c->restarts++;
		diag_error(c->diag, &place, "%s %s: this needs a restart of cig-server",
			   names[change], line);
	}
	/* A map of a million entries that is replaced must not become a million lines. */
	if (json_array_size(c->lines) < RELOAD_MAX_LINES)
		json_array_append_new(c->lines, json_pack("{s:s, s:o}", "change", names[change],
							  "line", json_text(line)));
}

static const struct cig_change_ops ops = { on_change };

int reload_compare(const struct cig_config *before, const struct cig_config *after,
		   json_t **report_out, struct diag *diag)
{
	struct comparison c = { .after = after, .diag = diag, .lines = json_array() };
	int err = c.lines ? cig_config_changes(before, after, &ops, &c) : -ENOMEM;
	char summary[512];

	/* All or nothing: half a change would be a configuration that nobody has written. */
	if (!err && c.restarts)
		err = -EBUSY;
	if (err) {
		json_decref(c.lines);
		return err;
	}
	cig_config_summary(after, summary, sizeof(summary));
	*report_out = json_pack("{s:s, s:I, s:I, s:I, s:o}", "summary", summary, "added",
				(json_int_t)c.count[CIG_ADDED], "removed",
				(json_int_t)c.count[CIG_REMOVED], "changed",
				(json_int_t)c.count[CIG_CHANGED], "lines", c.lines);
	return *report_out ? 0 : -ENOMEM;
}

int reload_keep_live(const struct cig_config *config)
{
	char path[PATH_MAX];
	uint8_t *text;
	size_t n;
	int err = cig_config_take_text(config, &text, &n);

	if (err)
		return err;
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", config->userdata, RELOAD_LIVE_NAME) <
	    sizeof(path))
		err = file_write_atomic(path, 0600, (struct slice){ text, n });
	else
		err = -ENAMETOOLONG;
	free(text);
	return err;
}
