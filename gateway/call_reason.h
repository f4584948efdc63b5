/* call_reason.h - why a call ended, as either side says it.
 *
 * One table ties the UMSG reasons (umsg.proto, EndReason) to SIP final responses
 * (RFC 3261 21) and to the cause of a Reason header (RFC 3326, Q.850).
 */
#ifndef GATEWAY_CALL_REASON_H
#define GATEWAY_CALL_REASON_H

#include "umsg/umsg.pb-c.h"

/* The final response for a caller on the PBX's side. */
unsigned reason_to_sip(Umsg__EndReason reason);

/* What a final response of the PBX (300 to 699) means for a secure caller. */
Umsg__EndReason reason_from_sip(unsigned code);

/* "Q.850;cause=16;text=\"hangup\"": constant text. */
const char *reason_header(Umsg__EndReason reason);

#endif
