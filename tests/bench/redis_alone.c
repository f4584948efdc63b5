#include "tests/bench/redis_alone.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "tests/bench/bench.h"
#include "tests/tools/redis_spawn.h"

enum { PATIENCE_MS = 10000 };

struct redis_alone {
	pid_t pid;
	clockid_t clock;
	redisContext *redis;
};

static redisContext *connect_to(const char *socket)
{
	int64_t deadline = clock_mono_ms() + PATIENCE_MS;

	while (clock_mono_ms() < deadline) {
		redisContext *redis = redisConnectUnix(socket);

		if (redis && !redis->err)
			return redis;
		if (redis)
			redisFree(redis);
		usleep(10000);
	}
	bench_must(false, "connecting to redis-server");
	return NULL;
}

static void add(redisContext *redis, size_t n, const char *message, size_t octets)
{
	for (size_t i = 0; i < n; i++)
		bench_must(redisAppendCommand(redis, "XADD m * p %b", message, octets) == REDIS_OK,
			   "writing to redis-server");
	for (size_t i = 0; i < n; i++) {
		redisReply *reply = NULL;

		bench_must(redisGetReply(redis, (void **)&reply) == REDIS_OK &&
				   reply->type == REDIS_REPLY_STRING,
			   "adding to a stream");
		freeReplyObject(reply);
	}
}

struct redis_alone *redis_alone_start(const char *dir)
{
	struct redis_alone *alone = calloc(1, sizeof(*alone));
	char socket[108];

	bench_must(alone && mkdir(dir, 0700) == 0, "making a folder");
	snprintf(socket, sizeof(socket), "%s/socket", dir);
	alone->pid = redis_spawn(dir, socket, "0");
	bench_must(alone->pid > 0, "starting redis-server");
	alone->redis = connect_to(socket);
	bench_must(clock_getcpuclockid(alone->pid, &alone->clock) == 0, "clock_getcpuclockid");
	return alone;
}

void redis_alone_stop(struct redis_alone **alonep)
{
	struct redis_alone *alone = *alonep;

	redisFree(alone->redis);
	kill(alone->pid, SIGTERM);
	waitpid(alone->pid, NULL, 0);
	free(alone);
	*alonep = NULL;
}

double redis_alone_add(struct redis_alone *alone, size_t messages, size_t octets, size_t at_once)
{
	char *message = calloc(1, octets);
	redisReply *reply;
	double us;

	bench_must(message != NULL, "making a message");
	us = bench_seconds(alone->clock);
	for (size_t i = 0; i < messages; i += at_once)
		add(alone->redis, at_once, message, octets);
	us = (bench_seconds(alone->clock) - us) * 1e6;
	free(message);
	reply = redisCommand(alone->redis, "DEL m");
	bench_must(reply != NULL, "emptying the stream");
	freeReplyObject(reply);
	return us;
}
