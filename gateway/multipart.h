/* multipart.h - the part that matters of a body of several parts (RFC 2046, section 5.1).
 *
 * Carriers put ISUP, places and the like beside a session description (RFC 3204, RFC 5621).
 * Pure: reads from a slice, copies nothing, and takes a time that is linear in it.
 */
#ifndef GATEWAY_MULTIPART_H
#define GATEWAY_MULTIPART_H

#include "base/slice.h"

/* RFC 2046 5.1.1 */
enum { MULTIPART_MAX_BOUNDARY = 70 };

/* Finds the first part of that media type (without parameters, in any case) in body, whose
 * parts stand between lines of "--" and boundary.  part_out is a slice of body, without the
 * line end in front of the next boundary; a boundary that is missing at the end is forgiven.
 * Returns 1, or 0 and an empty part_out where
 *   - there is none, or boundary is empty or too long;
 *   - it is in another encoding than 7bit, 8bit or binary;
 *   - a part of another type must be understood: handling=required (RFC 3204, section 6; where
 *     nothing is said that is the rule, too, but not what those who send such parts mean). */
int multipart_find(struct slice body, struct slice boundary, const char *type,
		   struct slice *part_out);

#endif
