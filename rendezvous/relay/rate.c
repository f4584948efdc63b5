/* rate.c - token buckets in integers: what is left counts thousandths of a packet and of
 * an octet, so that a millisecond's growth is the rate itself and nothing is lost by rounding. */
#include "rendezvous/relay/rate.h"

enum { FULL_MS = 1000, SCALE = 1000 };

/* After a second the bucket is full whatever was in it: the product stays below 2^42. */
static uint64_t grown(uint64_t left, uint32_t per_s, int64_t ms)
{
	uint64_t full = (uint64_t)per_s * SCALE;

	if (ms >= FULL_MS)
		return full;
	left += (uint64_t)ms * per_s;
	return left < full ? left : full;
}

void relay_bucket_fill(struct relay_bucket *bucket, const struct relay_rate *rate, int64_t now_ms)
{
	bucket->filled_ms = now_ms;
	bucket->packets = grown(0, rate->packets_per_s, FULL_MS);
	bucket->octets = grown(0, rate->octets_per_s, FULL_MS);
}

bool relay_bucket_take(struct relay_bucket *bucket, const struct relay_rate *rate, size_t n,
		       int64_t now_ms)
{
	int64_t ms = now_ms - bucket->filled_ms;
	uint64_t packets = rate->packets_per_s ? SCALE : 0;
	uint64_t octets = rate->octets_per_s ? (uint64_t)n * SCALE : 0;

	/* Most packets of a batch share their time: nothing grows between them. */
	if (ms > 0) {
		bucket->packets = grown(bucket->packets, rate->packets_per_s, ms);
		bucket->octets = grown(bucket->octets, rate->octets_per_s, ms);
		bucket->filled_ms = now_ms;
	}
	/* Both or none: a packet that is dropped for its octets must not cost the sender a
	 * packet, too. A rate of 0 asks for nothing and so always passes. */
	if (bucket->packets < packets || bucket->octets < octets)
		return false;
	bucket->packets -= packets;
	bucket->octets -= octets;
	return true;
}
