/* counters.c - counts by user since the last flush.
 *
 * A line is made when something is first counted and goes with the flush, so that memory follows
 * who was active in a few seconds, not how many users there are.
 */
#include "rendezvous/counters.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "base/idmap.h"
#include "rendezvous/keyhash.h"

struct line {
	struct idmap_node node;
	TAILQ_ENTRY(line) in_all;
	struct counted counted;
	char *account, *uri;
};

TAILQ_HEAD(line_list, line);

struct counters {
	struct idmap by_user;
	struct keyhash hash;
	struct line_list all;
};

const char *counter_name(enum counter what)
{
	static const char *const names[COUNTER_COUNT] = {
		[COUNTER_POST] = "post",
		[COUNTER_DELIV] = "deliv",
		[COUNTER_SESSION_OUT] = "session-outgoing",
		[COUNTER_SESSION_IN] = "session-incoming",
		[COUNTER_MESSAGE_OUT] = "message-outgoing",
		[COUNTER_MESSAGE_IN] = "message-incoming",
		[COUNTER_SYSTEM_OUT] = "system-outgoing",
		[COUNTER_SYSTEM_IN] = "system-incoming",
		[COUNTER_CONFERENCE] = "conference-calls",
		[COUNTER_MULTI_OUT] = "initiated-multi-session",
		[COUNTER_MULTI_IN] = "accepted-multi-session",
		[COUNTER_GROUP_OUT] = "sent-group-call-invite",
		[COUNTER_GROUP_IN] = "accepted-group-call-invite",
	};

	return names[what];
}

struct counters *counters_new(void)
{
	struct counters *counters = calloc(1, sizeof(*counters));

	if (!counters)
		return NULL;
	if (keyhash_init(&counters->hash) || idmap_init(&counters->by_user)) {
		free(counters);
		return NULL;
	}
	TAILQ_INIT(&counters->all);
	return counters;
}

static void drop(struct counters *counters, struct line *line)
{
	idmap_remove(&counters->by_user, &line->node);
	TAILQ_REMOVE(&counters->all, line, in_all);
	free(line->account);
	free(line->uri);
	free(line);
}

void counters_free(struct counters **countersp)
{
	struct counters *counters = *countersp;
	struct line *line;

	if (!counters)
		return;
	while ((line = TAILQ_FIRST(&counters->all)))
		drop(counters, line);
	idmap_done(&counters->by_user);
	free(counters);
	*countersp = NULL;
}

/* The URI first: it is what differs. */
static struct line *find(struct counters *counters, uint64_t key, const char *account,
			 const char *uri)
{
	struct idmap_node *node = idmap_first(&counters->by_user, key);

	for (; node; node = idmap_next(node)) {
		struct line *line = IDMAP_OWNER(node, struct line, node);

		if (strcmp(line->uri, uri) == 0 && strcmp(line->account, account) == 0)
			return line;
	}
	return NULL;
}

/* The user's line; NULL when memory is out: then nothing is counted. */
static struct line *need(struct counters *counters, const char *account, const char *uri)
{
	/* By URI alone: few are of two accounts. */
	uint64_t key = keyhash_of(&counters->hash, slice_str(uri));
	struct line *line = find(counters, key, account, uri);

	if (line)
		return line;
	line = calloc(1, sizeof(*line));
	if (!line)
		return NULL;
	line->account = strdup(account);
	line->uri = strdup(uri);
	if (!line->account || !line->uri) {
		free(line->account);
		free(line->uri);
		free(line);
		return NULL;
	}
	/* counted is what a flush hands out; it borrows the line's own texts. */
	line->counted.account = line->account;
	line->counted.uri = line->uri;
	idmap_put(&counters->by_user, &line->node, key);
	TAILQ_INSERT_TAIL(&counters->all, line, in_all);
	return line;
}

void counters_add(struct counters *counters, enum counter what, const char *account,
		  const char *uri)
{
	struct line *line = need(counters, account, uri);

	if (line)
		line->counted.count[what]++;
}

void counters_read(struct counters *counters, const char *account, const char *uri, int64_t time_s)
{
	struct line *line = need(counters, account, uri);

	if (line)
		line->counted.read_s = time_s;
}

void counters_flush(struct counters *counters, int (*written)(void *arg, struct counted *),
		    void *arg)
{
	struct line *line = TAILQ_FIRST(&counters->all);

	while (line) {
		struct line *next = TAILQ_NEXT(line, in_all);

		/* Not written: it goes on counting, and is tried again with the next flush. */
		if (written(arg, &line->counted) == 0)
			drop(counters, line);
		line = next;
	}
}
