/* call_reason.c - ends of calls between UMSG and SIP: status codes, and Reason (RFC
 * 3326) with the causes of Q.850. */
#include "gateway/call_reason.h"

#include <stddef.h>

/* Most pairs are those of RFC 3398; a person who declines is 603, and media that does not fit
 * 488, which say more. */
static const struct {
	Umsg__EndReason reason;
	unsigned code;
	const char *header;
} reasons[] = {
	{ UMSG__END_REASON__END_HANGUP, 480, "Q.850;cause=16;text=\"hung up\"" },
	{ UMSG__END_REASON__END_BUSY, 486, "Q.850;cause=17;text=\"busy\"" },
	{ UMSG__END_REASON__END_DECLINED, 603, "Q.850;cause=21;text=\"declined\"" },
	{ UMSG__END_REASON__END_NO_ANSWER, 480, "Q.850;cause=19;text=\"no answer\"" },
	{ UMSG__END_REASON__END_NOT_FOUND, 404, "Q.850;cause=1;text=\"not found\"" },
	{ UMSG__END_REASON__END_NOT_CONNECTED, 480, "Q.850;cause=20;text=\"not connected\"" },
	/* RFC 3326 3.1's own example: phones that ring beside the one that answered do not list
	 * it as missed. */
	{ UMSG__END_REASON__END_ANSWERED_ELSEWHERE, 480,
	  "SIP;cause=200;text=\"Call completed elsewhere\"" },
	{ UMSG__END_REASON__END_MEDIA_LOST, 503, "Q.850;cause=41;text=\"media lost\"" },
	{ UMSG__END_REASON__END_UNDECRYPTABLE, 500, "Q.850;cause=127;text=\"undecryptable\"" },
	{ UMSG__END_REASON__END_NO_COMMON_CODEC, 488, "Q.850;cause=88;text=\"no common codec\"" },
	{ UMSG__END_REASON__END_CONGESTION, 503, "Q.850;cause=34;text=\"congestion\"" },
	{ UMSG__END_REASON__END_NO_RELAY, 503, "Q.850;cause=34;text=\"no media relay\"" },
	{ UMSG__END_REASON__END_NOT_ALLOWED, 403, "Q.850;cause=57;text=\"not allowed\"" },
	{ UMSG__END_REASON__END_NO_ROUTE, 404, "Q.850;cause=3;text=\"no route\"" },
	{ UMSG__END_REASON__END_LOST_CONNECTION, 480, "Q.850;cause=41;text=\"lost connection\"" },
	{ UMSG__END_REASON__END_WRONG_TIME, 500, "Q.850;cause=127;text=\"clocks differ\"" },
	/* last: what stands for everything else */
	{ UMSG__END_REASON__END_FAILED, 500, "Q.850;cause=127;text=\"failed\"" },
};

enum { REASONS = sizeof(reasons) / sizeof(reasons[0]) };

static size_t row_of(Umsg__EndReason reason)
{
	size_t i = 0;

	while (i < REASONS - 1 && reasons[i].reason != reason)
		i++;
	return i;
}

unsigned reason_to_sip(Umsg__EndReason reason)
{
	return reasons[row_of(reason)].code;
}

const char *reason_header(Umsg__EndReason reason)
{
	return reasons[row_of(reason)].header;
}

/* Not the table the other way round: many codes mean one thing to a caller. */
Umsg__EndReason reason_from_sip(unsigned code)
{
	switch (code) {
	case 486:
	case 600:
		return UMSG__END_REASON__END_BUSY;
	case 603:
	case 607:
		return UMSG__END_REASON__END_DECLINED;
	case 404:
	case 410:
	case 484:
	case 604:
		return UMSG__END_REASON__END_NO_ROUTE;
	case 408:
	case 480:
		return UMSG__END_REASON__END_NO_ANSWER;
	case 401:
	case 403:
	case 407:
		return UMSG__END_REASON__END_NOT_ALLOWED;
	case 415:
	case 488:
	case 606:
		return UMSG__END_REASON__END_NO_COMMON_CODEC;
	case 487:
		return UMSG__END_REASON__END_HANGUP;
	case 503:
		return UMSG__END_REASON__END_CONGESTION;
	default:
		return UMSG__END_REASON__END_FAILED;
	}
}
