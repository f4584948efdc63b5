/* fanouts.h - posts to channels on their way to the members.
 *
 * Every member gets a copy by way of his home, a few at a time; the sender is answered when
 * each of them is stored or taken, or when one has to be posted again: the members who
 * have it know the repeat by (sender, id).  Of a body of several records only the first one
 * travels so: the homes have the store copy the others.  A member who is nobody's user any more, or
 * whose mailbox is full, is left out, so that he cannot stop the channel.  Source: docs/umsg.md
 * "Channels".
 *
 * Pure: copies leave by struct fanouts_ops, time is an argument.  An ops function may not
 * call back.
 */
#ifndef RENDEZVOUS_FANOUTS_H
#define RENDEZVOUS_FANOUTS_H

#include <sys/queue.h>

#include "base/slice.h"
#include "rendezvous/sessions.h"
#include "umsg/umsg.pb-c.h"

struct fanout;
struct fanouts;

enum {
	FANOUT_ID_SIZE = 16,
	FANOUTS_MAX = 1000,  /* posts at once */
	FANOUT_AT_ONCE = 32, /* copies of one post without an answer */
	FANOUT_LONG_AT_ONCE =
		2, /* the same of a long one: the store copies up to 32 MiB for each */
	FANOUT_LIMIT_MS = 20000, /* without any answer: "try again" */
	FANOUT_RETRY_S = 2,
};

/* A post; everything is owned. */
struct fanout {
	TAILQ_ENTRY(fanout) in_all;
	uint64_t number;
	char *channel, *sender, *account;
	uint8_t id[FANOUT_ID_SIZE];
	struct endpoint origin; /* who waits for PostAck */
	uint64_t request;
	uint8_t *frame; /* as the sender sent it */
	size_t frame_n;
	char **members;
	size_t n_members, sent, answered, left_out;
	bool is_long;          /* a body of several records */
	Umsg__ErrorCode error; /* of a copy that has to be posted again */
	uint32_t retry_after_s;
	int64_t limit_ms;
};

struct fanouts_ops {
	/* Passes the frame on to the home of member; fanouts_answer() follows, later.
	 * Returns 0 or -errno: that home cannot be reached. */
	int (*pass)(void *arg, const struct fanout *fanout, const char *member);
	/* The last word; the fanout is freed when this returns. */
	void (*done)(void *arg, const struct fanout *fanout, Umsg__ErrorCode error,
		     const char *text, uint32_t retry_after_s);
};

/* ops and arg are borrowed.  Returns NULL when memory is out. */
struct fanouts *fanouts_new(const struct fanouts_ops *ops, void *arg);
/* Nobody is told; *fanoutsp may be NULL. */
void fanouts_free(struct fanouts **fanoutsp);

struct fanout_post {
	struct slice channel, sender, account, id, frame;
	struct endpoint origin;
	uint64_t request;
	bool is_long;
	const char *const *members; /* the sender among them gets no copy */
	size_t n_members;
};

/* Is there one of the same channel, sender and id?  Then it answers to this post from now on;
 * its frame and members are not looked at. */
bool fanouts_repeat(struct fanouts *fanouts, const struct fanout_post *post);

/* Begins, or goes on with one of the same sender and id, which then answers to this post.
 * Returns 0 (done() follows, perhaps before this returns), -ENOBUFS (too many at once) or
 * -ENOMEM. */
int fanouts_post(struct fanouts *fanouts, const struct fanout_post *post, int64_t now_ms);

/* The home of a member answers a copy of fanout number; that of one which is over is
 * ignored. */
void fanouts_answer(struct fanouts *fanouts, uint64_t number, Umsg__ErrorCode error,
		    uint32_t retry_after_s, int64_t now_ms);

/* Ends what waited too long.  Call it now and then. */
void fanouts_tick(struct fanouts *fanouts, int64_t now_ms);

#endif
