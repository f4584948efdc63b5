/* frame_rules.h - for each body of a frame: its name, who sends it, and what its
 * fields must be.  Private to umsg/frame.c and umsg/frame_rules.c.
 */
#ifndef UMSG_FRAME_RULES_H
#define UMSG_FRAME_RULES_H

#include "umsg/frame.h"

enum {
	RULE_CLIENT = 1,  /* clients send it */
	RULE_SERVER = 2,  /* the rendezvous sends it, of its own or handed on */
	RULE_PARTIES = 4, /* from and to are both needed */
	RULE_CALL = 8,    /* and neither is a channel */
	RULE_SEALED = 16, /* holds a sealed part: never by_server */
};

struct frame_rule {
	Umsg__Frame__BodyCase body;
	const char *name;
	unsigned flags;
	bool (*check)(const Umsg__Frame *frame, enum frame_side side);
};

/* NULL for a body that is not known. */
const struct frame_rule *frame_rule(Umsg__Frame__BodyCase body);

#endif
