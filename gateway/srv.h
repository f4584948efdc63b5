/* srv.h - the SRV records of a DNS answer.
 *
 * Pure: octets in, records out.  The octets are a stranger's.  Source: RFC 1035 4.1 (form
 * of a message), RFC 2782 (SRV).
 */
#ifndef GATEWAY_SRV_H
#define GATEWAY_SRV_H

#include "base/slice.h"

enum {
	SRV_MAX = 16,         /* records of a service that are kept */
	SRV_HOST_SIZE = 254,  /* 253 characters (RFC 1035 3.1) and the NUL */
	SRV_NAME_SIZE = 1024, /* a name in text, every octet perhaps escaped, and the NUL */
};

struct srv_record {
	char host[SRV_HOST_SIZE]; /* without the dot at its end */
	uint16_t port, priority, weight;
};

struct srv_answer {
	struct srv_record records[SRV_MAX]; /* by priority, else in the order of the answer */
	size_t n;
	uint32_t ttl_s; /* the shortest of what was used */
	bool refused;   /* its only target is ".": the service is not there (RFC 2782) */
};

/* Reads a whole DNS message.  Records of other types and classes are passed over; so are a
 * target that could be no host and one with port 0.
 * Returns 0 with at least one record or refused, -ENOENT (none), or -EBADMSG (malformed). */
int srv_parse(struct slice message, struct srv_answer *out);

#endif
