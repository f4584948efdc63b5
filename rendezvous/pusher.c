/* pusher.c - who is woken up, and what becomes of it.
 *
 * A user is remembered from the push on, until PUSHER_PAUSE_MS have passed and every answer has
 * come: the answer names him by number only, and no second push starts meanwhile. Nothing of
 * this is durable: after a restart somebody may be pushed once more than needed.
 */
#include "rendezvous/pusher.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/idmap.h"
#include "base/log.h"
#include "rendezvous/apns.h"
#include "rendezvous/keyhash.h"
#include "rendezvous/settings.h"

/* A user who was pushed: until the pause has passed and all answers are there. */
struct pushed {
	struct idmap_node by_uri, by_number;
	TAILQ_ENTRY(pushed) in_order; /* oldest first */
	uint64_t number;
	int64_t until_ms;
	unsigned waiting; /* notifications under way */
	char *account;
	char uri[];
};

TAILQ_HEAD(pushed_list, pushed);

struct pusher {
	struct apns *apns;
	pusher_gone_fn *gone;
	void *arg;
	struct idmap by_uri, by_number;
	struct keyhash hash;
	struct pushed_list order;
	size_t n;
	uint64_t last_number;
	struct log_limit failed_log, full_log;
};

static struct pushed *find(const struct pusher *pusher, const char *uri)
{
	struct idmap_node *node =
		idmap_first(&pusher->by_uri, keyhash_of(&pusher->hash, slice_str(uri)));

	for (; node; node = idmap_next(node)) {
		struct pushed *pushed = IDMAP_OWNER(node, struct pushed, by_uri);

		if (strcmp(pushed->uri, uri) == 0)
			return pushed;
	}
	return NULL;
}

static void drop(struct pusher *pusher, struct pushed *pushed)
{
	idmap_remove(&pusher->by_uri, &pushed->by_uri);
	idmap_remove(&pusher->by_number, &pushed->by_number);
	TAILQ_REMOVE(&pusher->order, pushed, in_order);
	pusher->n--;
	free(pushed->account);
	free(pushed);
}

/* Those whose pause has passed, from the oldest on. */
static void drop_passed(struct pusher *pusher, int64_t now_ms)
{
	struct pushed *pushed = TAILQ_FIRST(&pusher->order), *next;

	for (; pushed && pushed->until_ms <= now_ms; pushed = next) {
		next = TAILQ_NEXT(pushed, in_order);
		/* One whose answers are late stays in the list, and is looked at again each
		 * time: the answer needs its account and URI. */
		if (pushed->waiting == 0)
			drop(pusher, pushed);
	}
}

static struct pushed *add(struct pusher *pusher, const char *account, const char *uri)
{
	size_t n = strlen(uri) + 1;
	struct pushed *pushed = calloc(1, sizeof(*pushed) + n);

	if (pushed)
		pushed->account = strdup(account);
	if (!pushed || !pushed->account) {
		free(pushed);
		return NULL;
	}
	memcpy(pushed->uri, uri, n);
	pushed->number = ++pusher->last_number;
	/* All pauses are of one length: the order of adding is the order of their ends. */
	pushed->until_ms = clock_mono_ms() + PUSHER_PAUSE_MS;
	idmap_put(&pusher->by_uri, &pushed->by_uri, keyhash_of(&pusher->hash, slice_str(uri)));
	idmap_put(&pusher->by_number, &pushed->by_number, pushed->number);
	TAILQ_INSERT_TAIL(&pusher->order, pushed, in_order);
	pusher->n++;
	return pushed;
}

static void on_done(void *arg, uint64_t cookie, const char *device_token, enum apns_outcome outcome,
		    int64_t when_ms, const char *text)
{
	struct pusher *pusher = arg;
	struct idmap_node *node = idmap_first(&pusher->by_number, cookie);
	struct pushed *pushed = node ? IDMAP_OWNER(node, struct pushed, by_number) : NULL;
	unsigned suppressed;

	(void)device_token; /* names a device: not for the log */
	if (!pushed)
		return;
	pushed->waiting--;
	if (outcome == APNS_SENT)
		log_debug("push", "sent uri=%s account=%s", pushed->uri, pushed->account);
	else if (log_limit_pass(&pusher->failed_log, clock_mono_ms(), &suppressed))
		log_warn("push", "uri=%s account=%s: %s (%u more not logged)", pushed->uri,
			 pushed->account, text, suppressed);
	/* A bad token of one device says nothing of it alone: where all are bad, it is
	 * the topic or the service that is wrong, and nothing is forgotten. */
	if (outcome == APNS_GONE)
		pusher->gone(pusher->arg, pushed->account, pushed->uri, when_ms);
}

static const struct apns_ops apns_ops = { .done = on_done };

int pusher_new(struct event_base *base, const struct push_settings *settings, pusher_gone_fn *gone,
	       void *arg, struct pusher **pusher_out, struct diag *diag)
{
	const struct apns_options options = {
		.url = settings->url,
		.topic = settings->topic,
		.ca_file = settings->ca_file[0] ? settings->ca_file : NULL,
		.key_file = settings->key_file,
		.key_id = settings->key_id,
		.team_id = settings->team_id,
	};
	struct pusher *pusher = calloc(1, sizeof(*pusher));
	int err;

	if (!pusher)
		return -ENOMEM;
	TAILQ_INIT(&pusher->order);
	pusher->gone = gone;
	pusher->arg = arg;
	err = keyhash_init(&pusher->hash);
	if (!err && (idmap_init(&pusher->by_uri) || idmap_init(&pusher->by_number)))
		err = -ENOMEM;
	if (!err)
		err = apns_new(base, &options, &apns_ops, pusher, &pusher->apns, diag);
	if (err) {
		pusher_free(&pusher);
		return err;
	}
	*pusher_out = pusher;
	return 0;
}

void pusher_free(struct pusher **pusherp)
{
	struct pusher *pusher = *pusherp;
	struct pushed *pushed;

	if (!pusher)
		return;
	*pusherp = NULL;
	/* First: nothing may call on_done() while the maps are emptied. */
	apns_free(&pusher->apns);
	while ((pushed = TAILQ_FIRST(&pusher->order)))
		drop(pusher, pushed);
	idmap_done(&pusher->by_uri);
	idmap_done(&pusher->by_number);
	free(pusher);
}

/* Returns how many are on their way; where none is, why the last one is not. */
static int push_all(struct pusher *pusher, struct pushed *pushed, const json_t *tokens)
{
	const json_t *token;
	unsigned suppressed;
	size_t i;
	int sent = 0, why = -EINVAL;

	json_array_foreach(tokens, i, token)
	{
		/* Tokens come from clients: too many, or anything but texts, are refused one
		 * by one. */
		int err =
			i < PUSHER_TOKENS_MAX && json_is_string(token)
				? apns_push(pusher->apns, json_string_value(token), pushed->number)
				: -EINVAL;

		if (!err) {
			pushed->waiting++;
			sent++;
			continue;
		}
		why = err;
		if (log_limit_pass(&pusher->failed_log, clock_mono_ms(), &suppressed))
			log_warn("push", "uri=%s account=%s: %s (%u more not logged)", pushed->uri,
				 pushed->account, strerror(-err), suppressed);
	}
	return sent ? sent : why;
}

int pusher_wake(struct pusher *pusher, const char *account, const char *uri, const char *value,
		enum pusher_when when)
{
	int64_t now_ms = clock_mono_ms();
	struct pushed *pushed;
	unsigned suppressed;
	json_t *object;
	int sent = -EINVAL;

	/* Here instead of by a timer: the list only matters to who is to be added. */
	drop_passed(pusher, now_ms);
	pushed = find(pusher, uri);
	/* Within the pause: the device, once awake, fetches this message, too. */
	if (pushed && when == PUSHER_UNLESS_JUST_PUSHED)
		return 0;
	if (!pushed && pusher->n >= PUSHER_USERS_MAX) {
		if (log_limit_pass(&pusher->full_log, now_ms, &suppressed))
			log_warn("push", "too many pushes under way (%u more not logged)",
				 suppressed);
		return -ENOBUFS;
	}
	/* What is no object with tokens was stored by no client of ours, and wakes nobody. */
	object = json_loads(value, 0, NULL);
	if (json_is_array(json_object_get(object, "tokens"))) {
		pushed = pushed ? pushed : add(pusher, account, uri);
		sent = pushed ? push_all(pusher, pushed, json_object_get(object, "tokens"))
			      : -ENOMEM;
	}
	json_decref(object);
	return sent;
}

bool pusher_clock_ahead(const struct pusher *pusher, int64_t *seconds_out)
{
	return apns_clock_ahead(pusher->apns, seconds_out);
}
