/* backup_redis.c - keeps Redis from rewriting its log while it is copied.
 *
 * A rewrite replaces the files of the log and the list of them; an archive that caught
 * some of the old and some of the new would not load.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "base/diag.h"
#include "rendezvous/backup_priv.h"

enum {
	REWRITE_LIMIT_MS = 120 * 1000,
	ANSWER_LIMIT_S = 30, /* of Redis, for each command */
	LOOK_NS = 50 * 1000 * 1000,
	VALUE_SIZE = 24,
};

/* Changed in Redis's memory only (no CONFIG REWRITE): one that was held by a crs-cli that was
 * killed is as configured again when it starts anew. */
static const char setting[] = "auto-aof-rewrite-percentage";

struct backup_hold {
	redisContext *redis;
	char before[VALUE_SIZE]; /* of the setting */
};

static int set_percentage(redisContext *redis, const char *value)
{
	redisReply *reply = redisCommand(redis, "CONFIG SET %s %s", setting, value);
	int err = reply && reply->type != REDIS_REPLY_ERROR ? 0 : -EIO;

	freeReplyObject(reply);
	return err;
}

static int get_percentage(redisContext *redis, char out[VALUE_SIZE])
{
	redisReply *reply = redisCommand(redis, "CONFIG GET %s", setting);
	int err = -EIO;

	if (reply && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
	    reply->element[1]->type == REDIS_REPLY_STRING && reply->element[1]->len < VALUE_SIZE) {
		snprintf(out, VALUE_SIZE, "%s", reply->element[1]->str);
		err = 0;
	}
	freeReplyObject(reply);
	return err;
}

/* 1: a rewrite is going on, 0: none is, -EIO. */
static int is_rewriting(redisContext *redis)
{
	redisReply *reply = redisCommand(redis, "INFO persistence");
	int yes = -EIO;

	if (reply && reply->type == REDIS_REPLY_STRING)
		yes = !strstr(reply->str, "aof_rewrite_in_progress:0") ||
		      !strstr(reply->str, "aof_rewrite_scheduled:0");
	freeReplyObject(reply);
	return yes;
}

static int wait_for_rewrite(redisContext *redis)
{
	int64_t until_ms = clock_mono_ms() + REWRITE_LIMIT_MS;
	const struct timespec pause = { .tv_nsec = LOOK_NS };
	int yes;

	while ((yes = is_rewriting(redis)) == 1) {
		if (clock_mono_ms() > until_ms)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
	return yes;
}

static int hold(struct backup_hold *hold)
{
	int err = get_percentage(hold->redis, hold->before);

	if (err)
		return err; /* nothing was changed: there is nothing to put back */
	err = set_percentage(hold->redis, "0");
	/* Only now: a rewrite that begins is still seen, and none begins behind it. */
	if (!err)
		err = wait_for_rewrite(hold->redis);
	if (err)
		set_percentage(hold->redis, hold->before);
	return err;
}

int backup_hold_redis(const struct crs_paths *paths, struct backup_hold **hold_out,
		      struct diag *diag)
{
	const struct timeval limit = { .tv_sec = ANSWER_LIMIT_S };
	char socket[CRS_PATH_SIZE + 16];
	struct backup_hold *held = calloc(1, sizeof(*held));
	int err;

	if (!held)
		return -ENOMEM;
	snprintf(socket, sizeof(socket), "%s/redis_low.sock", paths->run);
	held->redis = redisConnectUnixWithTimeout(socket, limit);
	if (held->redis && !held->redis->err)
		redisSetTimeout(held->redis, limit);
	if (!held->redis || held->redis->err) { /* crs does not run: nobody writes */
		redisFree(held->redis);
		held->redis = NULL;
		*hold_out = held;
		return 0;
	}
	err = hold(held);
	if (err) {
		diag_error(diag, NULL, "%s: Redis cannot be kept from rewriting its log: %s",
			   socket, strerror(-err));
		redisFree(held->redis);
		free(held);
		return err;
	}
	*hold_out = held;
	return 0;
}

void backup_release_redis(struct backup_hold **holdp)
{
	struct backup_hold *held = *holdp;

	if (!held)
		return;
	*holdp = NULL;
	if (held->redis) {
		set_percentage(held->redis, held->before);
		redisFree(held->redis);
	}
	free(held);
}
