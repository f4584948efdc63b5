/* replay.h - which of the last packets have come already (RFC 3711 3.3.2). */
#ifndef MEDIA_REPLAY_H
#define MEDIA_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

enum { REPLAY_WINDOW = 128 };

struct replay {
	uint64_t newest;  /* highest index that was added */
	uint64_t seen[2]; /* bit n: newest - n was added */
	bool any;
};

/* Was index added before, or is it older than the window? */
static inline bool replay_seen(const struct replay *r, uint64_t index)
{
	uint64_t age = r->newest - index;

	if (!r->any || index > r->newest)
		return false;
	return age >= REPLAY_WINDOW || (r->seen[age / 64] >> age % 64 & 1);
}

static inline void replay_add(struct replay *r, uint64_t index)
{
	uint64_t ahead = index - r->newest;

	if (r->any && index <= r->newest) {
		uint64_t age = r->newest - index;

		r->seen[age / 64] |= (uint64_t)1 << age % 64;
		return;
	}
	if (!r->any || ahead >= REPLAY_WINDOW) {
		r->seen[0] = r->seen[1] = 0;
	} else if (ahead >= 64) {
		r->seen[1] = r->seen[0] << (ahead - 64);
		r->seen[0] = 0;
	} else {
		r->seen[1] = r->seen[1] << ahead | r->seen[0] >> (64 - ahead);
		r->seen[0] <<= ahead;
	}
	r->seen[0] |= 1;
	r->newest = index;
	r->any = true;
}

#endif
