/* route_report.h - a routing decision as JSON, for cig-cli and the control port. */
#ifndef GATEWAY_ROUTE_REPORT_H
#define GATEWAY_ROUTE_REPORT_H

#include <jansson.h>

struct router;

/* Routes a call to `to`, whose scheme tells the interface on which it comes in (a
 * tel URI: the secure side).  from NULL or "" stands for an anonymous caller of
 * that side's form ("tel:+0", "sip:anonymous@anonymous.invalid").  Members:
 * routed, from_interface, interface, to, from, auth, to_entry, from_entry ("map
 * NAME, entry NAME (FILE:LINE)"), code, reason, explain (an array of lines).
 * Returns NULL when memory is out; the caller owns it. */
json_t *route_report(const struct router *router, const char *to, const char *from);

#endif
