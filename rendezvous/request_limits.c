/* request_limits.c - rates of requests as token buckets, counted in milliseconds that
 * are used up (GCRA): no timer, eight octets a kind. */
#include "rendezvous/request_limits.h"

static const struct {
	struct request_rate rate;
	const char *name;
} kinds[REQUEST_KINDS] = {
	[REQUEST_REGISTER] = { { 20, 5000 }, "registrations" },
	[REQUEST_CALL] = { { 10000, 1 }, "calls" }, /* of a gateway with all its engines */
	[REQUEST_LOOKUP] = { { 500, 200 }, "lookups" },
	[REQUEST_DATA] = { { 50, 1000 }, "client data" },
	[REQUEST_FETCH] = { { 2000, 10 }, "fetches" },           /* 20,000 messages are 200 pages */
	[REQUEST_UPDATE] = { { 3000, 20 }, "parts of updates" }, /* 64 MiB are 1,400 */
	/* A gateway may have to get rid of a night's texts, each under way for milliseconds. */
	[REQUEST_POST] = { { 200000, 1 }, "posts" },
};

struct request_rate request_rate(enum request_kind kind)
{
	return kinds[kind].rate;
}

const char *request_kind_name(enum request_kind kind)
{
	return kinds[kind].name;
}

/* The low 32 bits of the time are enough: what is longer ago has come back. */
bool request_limits_take(struct request_limits *limits, enum request_kind kind,
			 struct request_rate rate, int64_t now_ms)
{
	struct request_bucket *bucket = &limits->bucket[kind];
	uint32_t passed = (uint32_t)now_ms - bucket->at_ms;

	bucket->used_ms = passed < bucket->used_ms ? bucket->used_ms - passed : 0;
	bucket->at_ms = (uint32_t)now_ms;
	if (bucket->used_ms > (rate.burst - 1) * rate.each_ms)
		return false;
	bucket->used_ms += rate.each_ms;
	return true;
}
