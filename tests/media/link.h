/* link.h - a network in memory: packets on their way, by time of arrival. */
#ifndef TESTS_MEDIA_LINK_H
#define TESTS_MEDIA_LINK_H

#include "base/slice.h"

enum { LINK_PACKET = 1500, LINK_ROOM = 256 };

struct link {
	struct {
		int64_t at_ms;
		uint64_t number;
		size_t n;
		uint8_t octets[LINK_PACKET];
	} packets[LINK_ROOM];
	size_t n;
	uint64_t sent;
};

/* A packet that arrives at at_ms.  Fails the test when too many are under way. */
void link_send(struct link *link, struct slice packet, int64_t at_ms);

/* Takes the next packet that has arrived; packets of one time in the order sent.
 * Returns its octets or 0. */
size_t link_receive(struct link *link, int64_t now_ms, uint8_t out[LINK_PACKET]);

#endif
