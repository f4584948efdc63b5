/* fanouts.c - one post to a channel becomes a copy for each member; its sender is answered when
 * all copies are.
 *
 * sent counts the copies that were begun and answered those that are over, whether by a home or
 * because it could not be reached: their difference is under way, and with answered equal to the
 * number of members all is done. What was passed on is in the homes' hands: a crash here loses
 * only the answer, and the sender posts again.
 */
#include "rendezvous/fanouts.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

#include <openssl/rand.h>

/* Far below the bit that tells copies from clients (home_channels.c). */
static const uint64_t FANOUT_NUMBER_FIRST_MAX = (UINT64_C(1) << 60) - 1;

TAILQ_HEAD(fanout_list, fanout);

struct fanouts {
	const struct fanouts_ops *ops;
	void *arg;
	struct fanout_list all;
	size_t count;
	uint64_t number;
};

struct fanouts *fanouts_new(const struct fanouts_ops *ops, void *arg)
{
	struct fanouts *fanouts = calloc(1, sizeof(*fanouts));

	if (!fanouts)
		return NULL;
	/* Not from 0: other homes may yet answer copies that an earlier process of this worker
	 * passed on, and such an answer must not count for another post. */
	if (RAND_bytes((unsigned char *)&fanouts->number, sizeof(fanouts->number)) != 1) {
		free(fanouts);
		return NULL;
	}
	fanouts->number &= FANOUT_NUMBER_FIRST_MAX;
	fanouts->ops = ops;
	fanouts->arg = arg;
	TAILQ_INIT(&fanouts->all);
	return fanouts;
}

/* Takes a half-built one, too. */
static void free_fanout(struct fanout *fanout)
{
	for (size_t i = 0; fanout->members && i < fanout->n_members; i++)
		free(fanout->members[i]);
	free(fanout->members);
	free(fanout->channel);
	free(fanout->sender);
	free(fanout->account);
	free(fanout->frame);
	free(fanout);
}

static void drop(struct fanouts *fanouts, struct fanout *fanout)
{
	TAILQ_REMOVE(&fanouts->all, fanout, in_all);
	fanouts->count--;
	free_fanout(fanout);
}

void fanouts_free(struct fanouts **fanoutsp)
{
	struct fanouts *fanouts = *fanoutsp;
	struct fanout *fanout;

	if (!fanouts)
		return;
	while ((fanout = TAILQ_FIRST(&fanouts->all)))
		drop(fanouts, fanout);
	free(fanouts);
	*fanoutsp = NULL;
}

/* ---- copies ---- */

/* No copy fares better: the post is not to come again. */
static bool is_final(Umsg__ErrorCode error)
{
	return error == UMSG__ERROR_CODE__ERROR_EXPIRED ||
	       error == UMSG__ERROR_CODE__ERROR_TOO_LARGE;
}

static void note_busy(struct fanout *fanout, Umsg__ErrorCode error, uint32_t retry_after_s)
{
	if (is_final(fanout->error))
		return;
	fanout->error = error;
	if (retry_after_s > fanout->retry_after_s)
		fanout->retry_after_s = retry_after_s;
}

static void finish(struct fanouts *fanouts, struct fanout *fanout)
{
	const char *text = "";

	if (is_final(fanout->error))
		text = "its lifetime is over, or it is too large";
	else if (fanout->error)
		text = "not all members can be reached now";
	fanouts->ops->done(fanouts->arg, fanout, fanout->error, text, fanout->retry_after_s);
	drop(fanouts, fanout);
}

/* Sends on what may be sent, and ends it when nothing is left.  Copies go out to all even
 * where one failed: those who have theirs need not wait for the repeat. */
static void go_on(struct fanouts *fanouts, struct fanout *fanout)
{
	size_t at_once = fanout->is_long ? FANOUT_LONG_AT_ONCE : FANOUT_AT_ONCE;

	while (fanout->sent < fanout->n_members && fanout->sent - fanout->answered < at_once) {
		if (fanouts->ops->pass(fanouts->arg, fanout, fanout->members[fanout->sent++])) {
			fanout->answered++;
			note_busy(fanout, UMSG__ERROR_CODE__ERROR_BUSY, FANOUT_RETRY_S);
		}
	}
	if (fanout->answered == fanout->n_members)
		finish(fanouts, fanout);
}

void fanouts_answer(struct fanouts *fanouts, uint64_t number, Umsg__ErrorCode error,
		    uint32_t retry_after_s, int64_t now_ms)
{
	struct fanout *fanout = TAILQ_FIRST(&fanouts->all);

	while (fanout && fanout->number != number)
		fanout = TAILQ_NEXT(fanout, in_all);
	/* An answer behind the limit, or one more than there are copies. */
	if (!fanout || fanout->answered == fanout->sent)
		return;
	fanout->limit_ms = now_ms + FANOUT_LIMIT_MS;
	fanout->answered++;
	switch (error) {
	case UMSG__ERROR_CODE__OK:
		break;
	case UMSG__ERROR_CODE__ERROR_STORE_FULL:
	case UMSG__ERROR_CODE__ERROR_BUSY:
		note_busy(fanout, error, retry_after_s ? retry_after_s : FANOUT_RETRY_S);
		break;
	case UMSG__ERROR_CODE__ERROR_EXPIRED:
	case UMSG__ERROR_CODE__ERROR_TOO_LARGE:
		fanout->error = error;
		fanout->retry_after_s = 0;
		break;
	default:
		/* The member is gone or may not have it: no repeat would help. */
		fanout->left_out++;
	}
	go_on(fanouts, fanout);
}

void fanouts_tick(struct fanouts *fanouts, int64_t now_ms)
{
	struct fanout *fanout = TAILQ_FIRST(&fanouts->all), *next;

	for (; fanout; fanout = next) {
		next = TAILQ_NEXT(fanout, in_all);
		if (fanout->limit_ms > now_ms)
			continue;
		note_busy(fanout, UMSG__ERROR_CODE__ERROR_BUSY, FANOUT_RETRY_S);
		finish(fanouts, fanout);
	}
}

/* ---- posts ---- */

static char *copy(struct slice text)
{
	return strndup((const char *)text.p, text.n);
}

static int copy_members(struct fanout *fanout, const struct fanout_post *post)
{
	fanout->members = calloc(post->n_members + 1, sizeof(*fanout->members));
	if (!fanout->members)
		return -ENOMEM;
	for (size_t i = 0; i < post->n_members; i++) {
		/* A member does not hear its own post. */
		if (slice_eq_str(post->sender, post->members[i]))
			continue;
		fanout->members[fanout->n_members] = strdup(post->members[i]);
		if (!fanout->members[fanout->n_members])
			return -ENOMEM;
		fanout->n_members++;
	}
	return 0;
}

static struct fanout *new_fanout(const struct fanout_post *post)
{
	struct fanout *fanout = calloc(1, sizeof(*fanout));

	if (!fanout)
		return NULL;
	fanout->channel = copy(post->channel);
	fanout->sender = copy(post->sender);
	fanout->account = copy(post->account);
	/* One more: malloc(0) may give NULL. */
	fanout->frame = malloc(post->frame.n + 1);
	if (!fanout->channel || !fanout->sender || !fanout->account || !fanout->frame ||
	    copy_members(fanout, post)) {
		free_fanout(fanout);
		return NULL;
	}
	memcpy(fanout->frame, post->frame.p, post->frame.n);
	fanout->frame_n = post->frame.n;
	memcpy(fanout->id, post->id.p, sizeof(fanout->id));
	return fanout;
}

static struct fanout *find(const struct fanouts *fanouts, const struct fanout_post *post)
{
	struct fanout *fanout;

	/* At most FANOUTS_MAX: a list is enough for what is looked for once a post. */
	TAILQ_FOREACH(fanout, &fanouts->all, in_all)
	{
		if (slice_eq(post->id, slice_of(fanout->id, sizeof(fanout->id))) &&
		    slice_eq_str(post->sender, fanout->sender) &&
		    slice_eq_str(post->channel, fanout->channel))
			return fanout;
	}
	return NULL;
}

/* Posted again, perhaps over another connection: the copies are on their way. */
bool fanouts_repeat(struct fanouts *fanouts, const struct fanout_post *post)
{
	struct fanout *fanout = find(fanouts, post);

	if (!fanout)
		return false;
	fanout->origin = post->origin;
	fanout->request = post->request;
	return true;
}

int fanouts_post(struct fanouts *fanouts, const struct fanout_post *post, int64_t now_ms)
{
	struct fanout *fanout;

	if (fanouts_repeat(fanouts, post))
		return 0;
	if (fanouts->count == FANOUTS_MAX)
		return -ENOBUFS;
	fanout = new_fanout(post);
	if (!fanout)
		return -ENOMEM;
	fanout->number = ++fanouts->number;
	fanout->origin = post->origin;
	fanout->request = post->request;
	fanout->is_long = post->is_long;
	fanout->limit_ms = now_ms + FANOUT_LIMIT_MS;
	TAILQ_INSERT_TAIL(&fanouts->all, fanout, in_all);
	fanouts->count++;
	go_on(fanouts, fanout);
	return 0;
}
