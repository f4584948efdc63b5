/* end_reason.c - why a call ended, in words for logs and people. */
#include "umsg/end_reason.h"

#include <stddef.h>

static const char *const texts[] = {
	[UMSG__END_REASON__END_UNSPECIFIED] = "ended",
	[UMSG__END_REASON__END_HANGUP] = "hangup",
	[UMSG__END_REASON__END_BUSY] = "busy",
	[UMSG__END_REASON__END_DECLINED] = "declined",
	[UMSG__END_REASON__END_NO_ANSWER] = "no answer",
	[UMSG__END_REASON__END_NOT_FOUND] = "responder not found",
	[UMSG__END_REASON__END_NOT_CONNECTED] = "responder not connected",
	[UMSG__END_REASON__END_ANSWERED_ELSEWHERE] = "answered elsewhere",
	[UMSG__END_REASON__END_MEDIA_LOST] = "media lost",
	[UMSG__END_REASON__END_UNDECRYPTABLE] = "undecryptable",
	[UMSG__END_REASON__END_NO_COMMON_CODEC] = "no common codec",
	[UMSG__END_REASON__END_FAILED] = "failed",
	[UMSG__END_REASON__END_CONGESTION] = "congestion",
	[UMSG__END_REASON__END_NO_RELAY] = "no media relay",
	[UMSG__END_REASON__END_NOT_ALLOWED] = "not allowed",
	[UMSG__END_REASON__END_NO_ROUTE] = "no route",
	[UMSG__END_REASON__END_LOST_CONNECTION] = "connection lost",
	[UMSG__END_REASON__END_WRONG_TIME] = "clocks differ",
};

const char *umsg_end_reason_text(Umsg__EndReason reason)
{
	size_t i = (size_t)reason;

	return i < sizeof(texts) / sizeof(texts[0]) && texts[i]
		       ? texts[i]
		       : texts[UMSG__END_REASON__END_UNSPECIFIED];
}
