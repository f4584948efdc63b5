/* bridge.h - joins the secure and the plain side of a gateway call.
 *
 * Audio goes through PCM at 8 kHz: Opus is transcoded; where both sides have the
 * same law of G.711 its octets come out as they came in (but that mu-law's
 * negative zero, 0x7f, becomes 0xff).  Digits go through as telephone events, each
 * side with its own clock.
 *
 * A bridge may have one leg only, while the other is not known yet: what comes
 * then is heard (digits are told), but goes nowhere.  Threads: one.
 */
#ifndef MEDIA_BRIDGE_H
#define MEDIA_BRIDGE_H

#include "media/plain_leg.h"
#include "media/secure_leg.h"

enum bridge_side { BRIDGE_PLAIN, BRIDGE_SECURE };

struct bridge_ops {
	/* A packet for the peer of that side; rtcp matters on the plain side. */
	void (*send)(void *arg, enum bridge_side to, struct slice packet, bool rtcp);
	/* A digit came from that side; it is passed on already where possible. */
	void (*digit)(void *arg, enum bridge_side from, const struct dtmf_event *event);
};

struct bridge {
	const struct bridge_ops *ops;
	void *arg;
	struct plain_leg *plain;   /* owned; NULL: not set yet */
	struct secure_leg *secure; /* owned; NULL: not set yet */
};

/* The bridge must stay where it is: its legs point to it. */
void bridge_init(struct bridge *bridge, const struct bridge_ops *ops, void *arg);

/* Frees both legs. */
void bridge_done(struct bridge *bridge);

/* Makes the plain leg, or changes it.  Errors as plain_leg.h. */
int bridge_set_plain(struct bridge *bridge, const struct plain_leg_config *config, int64_t now_ms);

/* Makes the secure leg; -EALREADY when there is one (its keys are used up). */
int bridge_set_secure(struct bridge *bridge, const struct secure_leg_config *config,
		      int64_t now_ms);

/* Every LEG_TICK_MS. */
void bridge_tick(struct bridge *bridge, int64_t now_ms);

#endif
