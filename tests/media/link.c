#include "tests/unit.h"

#include <string.h>

#include "tests/media/link.h"

void link_send(struct link *link, struct slice packet, int64_t at_ms)
{
	assert_in_range(packet.n, 1, LINK_PACKET);
	assert_true(link->n < LINK_ROOM);
	link->packets[link->n].at_ms = at_ms;
	link->packets[link->n].number = link->sent++;
	link->packets[link->n].n = packet.n;
	memcpy(link->packets[link->n].octets, packet.p, packet.n);
	link->n++;
}

size_t link_receive(struct link *link, int64_t now_ms, uint8_t out[LINK_PACKET])
{
	size_t best = LINK_ROOM, n;

	for (size_t i = 0; i < link->n; i++) {
		if (link->packets[i].at_ms > now_ms)
			continue;
		if (best == LINK_ROOM || link->packets[i].at_ms < link->packets[best].at_ms ||
		    (link->packets[i].at_ms == link->packets[best].at_ms &&
		     link->packets[i].number < link->packets[best].number))
			best = i;
	}
	if (best == LINK_ROOM)
		return 0;
	n = link->packets[best].n;
	memcpy(out, link->packets[best].octets, n);
	link->packets[best] = link->packets[--link->n];
	return n;
}
