/* resp.h - what Redis answers, read where it lies (RESP2: redis.io, "Redis serialization
 * protocol specification").
 *
 * Pure, and bounded by the octets that are there.
 */
#ifndef RENDEZVOUS_RESP_H
#define RENDEZVOUS_RESP_H

#include "base/slice.h"

enum { RESP_LIST_MAX = 1 << 24 }; /* values in a list */

enum resp_kind {
	RESP_STATUS = '+',
	RESP_ERROR = '-',
	RESP_NUMBER = ':',
	RESP_TEXT = '$',
	RESP_LIST = '*', /* its values follow it */
};

struct resp_value {
	enum resp_kind kind;
	bool none;         /* a text or list that is not there */
	int64_t number;    /* RESP_NUMBER; RESP_LIST: how many values follow */
	struct slice text; /* RESP_STATUS, RESP_ERROR, RESP_TEXT */
};

/* Takes the next value off octets, of a list its head.  Returns 1; 0 and nothing is taken: it
 * is not all there; or -EBADMSG. */
int resp_take(struct slice *octets, struct resp_value *value_out);

/* How far a reply has been looked through; all zero for a new one. */
struct resp_scan {
	size_t at;
	uint64_t left; /* values that are still to come */
};

/* Is the reply at the beginning of octets all there?  Returns 1 with its length in *n_out; 0:
 * ask again with the same scan when there is more behind the same octets; or -EBADMSG. */
int resp_whole(struct resp_scan *scan, struct slice octets, size_t *n_out);

/* Takes a whole value, a list with all that it holds.  False: it is not all there. */
bool resp_take_whole(struct slice *octets, struct slice *whole_out);

#endif
