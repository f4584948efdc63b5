/* end_reason.h - why a call ended, in words: the same in every log, trace and listing. */
#ifndef UMSG_END_REASON_H
#define UMSG_END_REASON_H

#include "umsg/umsg.pb-c.h"

/* "busy", "no answer", "responder not found", ...; of a reason that we do not know,
 * "ended". */
const char *umsg_end_reason_text(Umsg__EndReason reason);

#endif
