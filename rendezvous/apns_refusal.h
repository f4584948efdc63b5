/* apns_refusal.h - why the push service refused a notification.
 *
 * Source: Apple, "Handling notification responses from APNs": a status, and a body such as
 * {"reason": "Unregistered", "timestamp": 1464110123456}, which is read as what any server could
 * have sent.  Pure.
 */
#ifndef RENDEZVOUS_APNS_REFUSAL_H
#define RENDEZVOUS_APNS_REFUSAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "rendezvous/apns.h"

enum { APNS_REASON_SIZE = 64 };

struct apns_refusal {
	enum apns_outcome outcome; /* never APNS_SENT */
	bool token_expired;        /* another provider token may do */
	int64_t when_ms;           /* APNS_GONE: since when, of the service's clock; 0: not said */
	char reason[APNS_REASON_SIZE]; /* letters and digits, a word of the service's; or "" */
};

/* status is that of HTTP; body may be cut off, empty, or no JSON at all. */
void apns_refusal_read(long status, struct slice body, struct apns_refusal *out);

#endif
