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
#include "rendezvous/redis_server.h"

enum {
	REWRITE_LIMIT_MS = 120 * 1000,
	ANSWER_LIMIT_S = 30, /* of Redis, for each command */
	LOOK_NS = 50 * 1000 * 1000,
	VALUE_SIZE = 24,
};

/* Changed in Redis's memory only (no CONFIG REWRITE): one that was held by a crs-cli that was
 * killed is as configured again when it starts anew, or behind the next backup. */
static const char setting[] = "auto-aof-rewrite-percentage";

struct backup_hold {
	redisContext *redis;     /* NULL: there was none */
	char before[VALUE_SIZE]; /* of the setting */
	char socket[CRS_PATH_SIZE + 16];
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
	/* A backup that was killed left this: none goes on beside this one (backup_write.c). */
	if (strcmp(hold->before, "0") == 0)
		snprintf(hold->before, sizeof(hold->before), "%s", REDIS_REWRITE_PERCENTAGE);
	err = set_percentage(hold->redis, "0");
	/* Only now: a rewrite that begins is still seen, and none begins behind it. */
	if (!err)
		err = wait_for_rewrite(hold->redis);
	if (err)
		set_percentage(hold->redis, hold->before);
	return err;
}

/* *redis_out is NULL where there is none: crs does not run, and nobody writes. */
static int find_redis(const char *socket, redisContext **redis_out)
{
	const struct timeval limit = { .tv_sec = ANSWER_LIMIT_S };
	redisContext *redis = redisConnectUnixWithTimeout(socket, limit);
	int err = errno;

	*redis_out = NULL;
	if (!redis)
		return -ENOMEM;
	if (!redis->err) {
		redisSetTimeout(redis, limit);
		*redis_out = redis;
		return 0;
	}
	if (redis->err != REDIS_ERR_IO)
		err = EIO;
	redisFree(redis);
	/* Any other error says nothing of whether it runs. */
	return err == ENOENT || err == ECONNREFUSED || err == ENOTDIR ? 0 : -err;
}

int backup_hold_redis(const struct crs_paths *paths, struct backup_hold **hold_out,
		      struct diag *diag)
{
	struct backup_hold *held = calloc(1, sizeof(*held));
	int err;

	if (!held)
		return -ENOMEM;
	snprintf(held->socket, sizeof(held->socket), "%s/redis_low.sock", paths->run);
	err = find_redis(held->socket, &held->redis);
	if (!err && held->redis)
		err = hold(held);
	if (err) {
		diag_error(diag, NULL, "%s: Redis cannot be kept from rewriting its log: %s",
			   held->socket, strerror(-err));
		redisFree(held->redis);
		free(held);
		return err;
	}
	*hold_out = held;
	return 0;
}

/* Was it the same Redis, or none, from the beginning?  One that was started meanwhile was not
 * held. */
static int let_go(struct backup_hold *held, struct diag *diag)
{
	redisReply *reply;
	bool held_on;

	if (!held->redis) {
		if (find_redis(held->socket, &held->redis) == 0 && !held->redis)
			return 0;
		diag_error(diag, NULL, "crs was started meanwhile: make the backup again");
		return -EAGAIN;
	}
	reply = redisCommand(held->redis, "CONFIG SET %s %s", setting, held->before);
	held_on = reply != NULL;
	if (held_on && reply->type == REDIS_REPLY_ERROR)
		diag_warning(diag, NULL,
			     "%s: Redis does not rewrite its log until the next backup: %s",
			     held->socket, reply->str);
	freeReplyObject(reply);
	if (held_on)
		return 0;
	diag_error(diag, NULL, "Redis ended meanwhile: make the backup again");
	return -EAGAIN;
}

int backup_release_redis(struct backup_hold **holdp, struct diag *diag)
{
	struct backup_hold *held = *holdp;
	int err;

	if (!held)
		return 0;
	*holdp = NULL;
	err = let_go(held, diag);
	redisFree(held->redis);
	free(held);
	return err;
}
