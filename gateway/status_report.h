/* status_report.h - the state of the gateway as JSON (CIG manual 2.9, "status": rows
 * CIG-104 to CIG-106; what is beyond the manual's page is ours).
 */
#ifndef GATEWAY_STATUS_REPORT_H
#define GATEWAY_STATUS_REPORT_H

#include <jansson.h>

struct control_api_parts;

/* Members: version, uptime_s, relay, engines, umsg, sip, texts, config, and problems, an
 * array of sentences that is empty when all is well.  Returns NULL when memory is out;
 * the caller owns it. */
json_t *status_report(const struct control_api_parts *parts);

#endif
