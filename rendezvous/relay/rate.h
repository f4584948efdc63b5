/* rate.h - how much one side of a session may send: a token bucket for packets and octets.
 *
 * A party is bound to its leg, but its client may be broken or bad: one session must not take a
 * thread's time from all others.  The bucket holds one second's worth, so that a burst after
 * silence passes.  Arithmetic alone: no clock, lock or allocation of its own.
 */
#ifndef RENDEZVOUS_RELAY_RATE_H
#define RENDEZVOUS_RELAY_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Far above a call, which sends 50 packets and 10,000 octets a second. */
enum { RELAY_DEFAULT_PACKETS_PER_S = 2000, RELAY_DEFAULT_KBIT_PER_S = 10000 };

/* What each side of a session may send; 0: without a cap. */
struct relay_rate {
	uint32_t packets_per_s, octets_per_s;
};

/* What is left to one side, in thousandths, as it grows each millisecond. */
struct relay_bucket {
	int64_t filled_ms;
	uint64_t packets, octets;
};

/* Fills a new bucket to the brim. */
void relay_bucket_fill(struct relay_bucket *bucket, const struct relay_rate *rate, int64_t now_ms);

/* Takes a packet of n octets out; false, and nothing taken, when there is not as much left.
 * now_ms is monotonic. */
bool relay_bucket_take(struct relay_bucket *bucket, const struct relay_rate *rate, size_t n,
		       int64_t now_ms);

#endif
