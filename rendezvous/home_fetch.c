/* home_fetch.c - messages that wait in the store, to whoever fetches them.
 *
 * A page is bounded in messages and in octets, for it lies in this process's memory and in the
 * client's queue at once; "more" tells the client to ask on behind the last number. What is
 * handed out stays stored until it is taken (home_taken()).
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "keys/account.h"
#include "rendezvous/home_priv.h"
#include "rendezvous/store.h"
#include "umsg/frame_quick.h"

enum {
	FETCH_AT_MOST = 100,
	FETCH_OCTETS = 512 * 1024, /* the rest is left to the next Fetch */
	FETCH_BLIND = 16,          /* entries, where it is not known what is in them: up to 1 MB */
};

/* A page on its way to one device. */
struct fetch {
	struct home *home;
	struct endpoint to;
	uint64_t request, last;
	uint32_t left; /* messages that it may have yet */
	size_t octets;
	bool cut;
	char uri[];
};

/* What comes from a disk is looked at, so that no client breaks off over it. */
static bool can_be_read(const struct fetch *fetch, const struct store_item *item)
{
	if (item->end_s <= clock_wall_s() || item->sender.n > ACCOUNT_URI_MAX ||
	    item->channel.n > ACCOUNT_URI_MAX)
		return false;
	if (frame_is_post(item->post))
		return true;
	log_warn("message", "a stored message to %s cannot be read", fetch->uri);
	return false;
}

static int hand_out(const struct fetch *fetch, const struct store_item *item)
{
	char sender[ACCOUNT_URI_MAX + 1] = "", channel[ACCOUNT_URI_MAX + 1] = "";

	memcpy(sender, item->sender.p, item->sender.n);
	if (item->channel.n)
		memcpy(channel, item->channel.p, item->channel.n);
	return home_deliver(fetch->home, &fetch->to, sender, channel[0] ? channel : fetch->uri,
			    item->post, item->number, fetch->request);
}

static void on_fetch_item(void *arg, const struct store_item *item)
{
	struct fetch *fetch = arg;
	int err;

	fetch->cut = fetch->cut || fetch->left == 0 || fetch->octets > FETCH_OCTETS;
	if (fetch->cut)
		return;
	/* Counted before it is looked at: a message that is not handed out took its share of the
	 * page, and the next Fetch begins behind it. */
	fetch->octets += item->post.n;
	/* One that could not be handed out ends the page before it: who is told to go on behind
	 * it would never ask for it again.  Not so one that is too long for a Deliver, as a Post
	 * may be that holds fields unknown to us: it would be each time, and hold up all behind it.
	 */
	err = can_be_read(fetch, item) ? hand_out(fetch, item) : 0;
	if (err && err != -EMSGSIZE) {
		fetch->cut = true;
		return;
	}
	fetch->left--;
	fetch->last = item->number;
}

/* Every Fetch is ended by Fetched, a failed one, too: Notify follows when the store is
 * back. */
static void on_fetch_done(void *arg, int err, uint64_t number)
{
	struct fetch *fetch = arg;
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Fetched fetched = UMSG__FETCHED__INIT;

	if (number && !fetch->cut) /* there may be entries of which nothing is left */
		fetch->last = number;
	if (err)
		home_error(fetch->home, &fetch->to, fetch->request,
			   UMSG__ERROR_CODE__ERROR_STORE_FULL, "store not available",
			   MAIL_RETRY_DOWN_S);
	fetched.epoch = fetch->home->epoch;
	fetched.last = fetch->last;
	fetched.more = !err && (fetch->cut || number);
	frame.request = fetch->request;
	frame.body_case = UMSG__FRAME__BODY_FETCHED;
	frame.fetched = &fetched;
	home_answer(fetch->home, &fetch->to, &frame);
	free(fetch);
}

void home_fetch(struct home *home, const struct endpoint *from, const struct passed_up *up,
		const Umsg__Frame *frame)
{
	struct store_page page = { .after = frame->fetch->after };
	uint32_t count = frame->fetch->at_most;
	size_t n = strlen(up->from);
	struct fetch *fetch = calloc(1, sizeof(*fetch) + n + 1);

	if (!fetch) {
		home_unheard(home, from);
		return;
	}
	if (count == 0 || count > FETCH_AT_MOST)
		count = FETCH_AT_MOST;
	fetch->home = home;
	fetch->to = *from;
	fetch->request = frame->request;
	fetch->last = frame->fetch->after;
	fetch->left = count;
	memcpy(fetch->uri, up->from, n);
	if (!guests_is_name(slice_str(up->from)))
		counters_read(home->counters, up->account, up->from, clock_wall_s());
	mailboxes_fetching(home->mailboxes, slice_str(up->from), clock_mono_ms());
	/* The mailbox knows sizes: with them the store is asked for just what fits, else for a
	 * few entries. */
	page.to = mailboxes_page(home->mailboxes, slice_str(up->from), page.after, count,
				 FETCH_OCTETS);
	page.count = page.to || count < FETCH_BLIND ? count : FETCH_BLIND;
	if (store_read(worker_store(home->worker), slice_str(up->from), &page, on_fetch_item,
		       on_fetch_done, fetch))
		on_fetch_done(fetch, -EPIPE, 0);
}
