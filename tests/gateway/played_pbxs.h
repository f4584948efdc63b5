/* played_pbxs.h - the PBXs as a test plays them (gateway/pbxs.h): a search waits until the test
 * says what it finds.
 */
#ifndef TESTS_GATEWAY_PLAYED_PBXS_H
#define TESTS_GATEWAY_PLAYED_PBXS_H

#include "gateway/pbxs.h"

struct pbx_search {
	struct pbxs *of;
	pbx_search_fn *done;
	void *arg;
};

struct pbxs {
	const char *host;             /* that may be searched for; NULL: any */
	enum sip_transport transport; /* of what a test finds */
	bool no_memory;               /* for a search */
	struct pbx_search *waiting;   /* one at a time */
	unsigned met;                 /* the last code */
};

/* Takes the search that waits, or NULL.  The caller calls its done() and frees it. */
struct pbx_search *played_pbxs_take(struct pbxs *pbxs);

#endif
