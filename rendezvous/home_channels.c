/* home_channels.c - channels that are at home here: who is a member, and copies of what is
 * posted to them (fanouts.h).  The server knows a channel by its URI and members only; its
 * name is in the members' sealed entries.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "keys/identity.h"
#include "keys/period.h"
#include "keys/update.h"
#include "rendezvous/fanouts.h"
#include "rendezvous/home_priv.h"
#include "rendezvous/updates.h"

/* Numbers of clients' connections have the index of a worker, below 64, in their highest
 * octet: this bit is free. */
static const uint64_t fanout_bit = UINT64_C(1) << 63;

bool home_is_channel(struct slice uri)
{
	enum identity_kind kind;

	return identity_check(uri, &kind) == 0 && kind == IDENTITY_CHANNEL;
}

bool home_is_copy(uint64_t connection)
{
	return connection & fanout_bit;
}

/* The lists hold that were made last (docs/umsg.md "Updates"): of this month's file or of the
 * next one's. */
static const struct update *latest_update(const struct home *home, const char *account)
{
	const struct updates *updates = worker_updates(home->worker);
	int64_t month = period_of(clock_wall_s());
	const struct update *now = updates_find(updates, account, month);
	const struct update *next = updates_find(updates, account, month + 1);

	if (!now || !next)
		return now ? now : next;
	return update_created(next) > update_created(now) ? next : now;
}

/* Is there such a channel, and is uri in it? */
static bool find_members(const struct home *home, const char *account, struct slice channel,
			 const char *uri, struct update_members *members_out)
{
	const struct update *update = latest_update(home, account);

	for (size_t i = 0; update && i < update_channels(update); i++) {
		*members_out = update_channel_at(update, i);
		if (!slice_eq_str(channel, members_out->channel))
			continue;
		for (size_t k = 0; k < members_out->n; k++)
			if (strcmp(members_out->uris[k], uri) == 0)
				return true;
		return false;
	}
	return false;
}

int64_t home_max_lifetime(const struct home *home, const char *account)
{
	const struct update *update = latest_update(home, account);
	uint32_t seconds = update ? update_max_message_lifetime(update) : 0;

	return seconds ? seconds : MAIL_MAX_LIFETIME_S;
}

static int pass(void *arg, const struct fanout *fanout, const char *member)
{
	struct home *home = arg;
	struct passed_up up = { .connection = fanout_bit | fanout->number,
				.from = fanout->sender,
				.account = fanout->account,
				.uri = member,
				.frame = slice_of(fanout->frame, fanout->frame_n) };

	return worker_pass_up(home->worker, worker_home_of(home->worker, slice_str(member)), &up);
}

static void done(void *arg, const struct fanout *fanout, Umsg__ErrorCode error, const char *text,
		 uint32_t retry_after_s)
{
	struct home *home = arg;

	if (fanout->left_out)
		log_info("message", "channel=%s members=%zu left-out=%zu", fanout->channel,
			 fanout->n_members, fanout->left_out);
	if (error == UMSG__ERROR_CODE__OK)
		home_count_posted(home, fanout->account, fanout->sender);
	home_post_ack(home, &fanout->origin, fanout->request,
		      slice_of(fanout->id, sizeof(fanout->id)), error, text, retry_after_s);
}

const struct fanouts_ops home_fanouts_ops = { .pass = pass, .done = done };

void home_channel_post(struct home *home, const struct endpoint *from, const struct passed_up *up,
		       const Umsg__Frame *frame)
{
	const Umsg__Post *body = frame->post;
	struct update_members members;
	struct fanout_post post = {
		.channel = slice_str(up->uri),
		.sender = slice_str(up->from),
		.account = slice_str(up->account),
		.id = frame_bytes(body->message_id),
		.frame = up->frame,
		.origin = *from,
		.request = frame->request,
	};
	Umsg__ErrorCode error = UMSG__ERROR_CODE__OK;
	const char *why = "";

	/* One answer for "no such channel" and "not in it": nobody learns what there is. */
	if (!find_members(home, up->account, post.channel, up->from, &members)) {
		error = UMSG__ERROR_CODE__ERROR_NOT_ALLOWED;
		why = "not a member of this channel";
	} else if (body->kind != UMSG__MESSAGE_KIND__KIND_CHANNEL) {
		error = UMSG__ERROR_CODE__ERROR_MALFORMED;
		why = "not of the kind that channels take";
	} else if (body->total_length != body->record.len) {
		error = UMSG__ERROR_CODE__ERROR_TOO_LARGE;
		why = "too large for a channel";
	}
	if (error) {
		home_trace_message(home, up->from, up->uri, "not-found", post.id);
		home_post_ack(home, from, frame->request, post.id, error, why, 0);
		return;
	}
	post.members = members.uris;
	post.n_members = members.n;
	home_trace_message(home, up->from, up->uri, "posted content", post.id);
	if (fanouts_post(home->fanouts, &post, clock_mono_ms()))
		home_post_ack(home, from, frame->request, post.id, UMSG__ERROR_CODE__ERROR_BUSY,
			      "too many posts to channels", FANOUT_RETRY_S);
}

void home_copy_answered(struct home *home, const struct passed_down *down)
{
	Umsg__Frame *frame = NULL;

	if (frame_view(down->frame, &frame))
		return; /* out of memory: the limit ends it */
	if (frame->body_case == UMSG__FRAME__BODY_POST_ACK)
		fanouts_answer(home->fanouts, down->connection & ~fanout_bit,
			       frame->post_ack->error, frame->post_ack->retry_after,
			       clock_mono_ms());
	frame_free(&frame);
}
