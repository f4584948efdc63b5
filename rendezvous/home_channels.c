/* home_channels.c - channels that are at home here: who is a member, and copies of what is
 * posted to them (fanouts.h).  The server knows a channel by its URI and members only; its
 * name is in the members' sealed entries.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/pack.h"
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

	/* As if the sender had posted to the member himself: to that home it differs by its
	 * number alone. */
	return worker_pass_up(home->worker, worker_home_of(home->worker, slice_str(member)), &up);
}

static void done(void *arg, const struct fanout *fanout, Umsg__ErrorCode error, const char *text,
		 uint32_t retry_after_s)
{
	struct home *home = arg;

	if (fanout->left_out)
		log_info("message", "channel=%s members=%zu left-out=%zu", fanout->channel,
			 fanout->n_members, fanout->left_out);
	if (fanout->is_long) /* who is to have them has his own */
		home_drop_parts(home, slice_str(fanout->channel), slice_str(fanout->sender),
				slice_of(fanout->id, sizeof(fanout->id)));
	if (error == UMSG__ERROR_CODE__OK)
		/* Once a post, not once a member. */
		home_count_posted(home, fanout->account, fanout->sender);
	home_post_ack(home, &fanout->origin, fanout->request,
		      slice_of(fanout->id, sizeof(fanout->id)), error, text, retry_after_s);
}

const struct fanouts_ops home_fanouts_ops = { .pass = pass, .done = done };

/* Refuses a post to a channel; text is a constant. */
static void refuse(struct home *home, const struct fanout_post *post, Umsg__ErrorCode error,
		   const char *text, uint32_t retry_after_s)
{
	home_post_ack(home, &post->origin, post->request, post->id, error, text, retry_after_s);
}

/* Whether and why not; one answer for "no such channel" and "not in it": nobody learns what
 * there is. */
static Umsg__ErrorCode look_at(const struct home *home, const char *account, const char *sender,
			       const Umsg__Post *body, struct fanout_post *post,
			       const char **why_out)
{
	struct update_members members;

	*why_out = "not a member of this channel";
	if (!find_members(home, account, post->channel, sender, &members))
		return UMSG__ERROR_CODE__ERROR_NOT_ALLOWED;
	*why_out = "not of the kind that channels take";
	if (body->kind != UMSG__MESSAGE_KIND__KIND_CHANNEL)
		return UMSG__ERROR_CODE__ERROR_MALFORMED;
	post->is_long = body->total_length > body->record.len;
	*why_out = "too large for a channel of so many members";
	if (post->is_long && members.n * (uint64_t)body->total_length > HOME_CHANNEL_COPIES_OCTETS)
		return UMSG__ERROR_CODE__ERROR_TOO_LARGE;
	post->members = members.uris;
	post->n_members = members.n;
	return UMSG__ERROR_CODE__OK;
}

static void begin(struct home *home, const struct fanout_post *post)
{
	if (fanouts_post(home->fanouts, post, clock_mono_ms()) == 0)
		return;
	if (post->is_long)
		home_drop_parts(home, post->channel, post->sender, post->id);
	refuse(home, post, UMSG__ERROR_CODE__ERROR_BUSY, "too many posts to channels",
	       FANOUT_RETRY_S);
}

/* The records behind the first one are collected under the channel's own name before anybody
 * gets a copy: no member sees a sender's pace, or half a message. */
static void collect(struct home *home, const struct passed_up *up, const Umsg__Post *body,
		    const struct fanout_post *post)
{
	struct mail_post mail = {
		.to = post->channel,
		.sender = post->sender,
		.account = post->account,
		.id = post->id,
		.fan_out = true,
		.kind = (int)body->kind,
		.store_until_s = body->store_until > INT64_MAX ? 0 : (int64_t)body->store_until,
		.max_lifetime_s = home_max_lifetime(home, up->account),
		.total_length = body->total_length,
		.record_length = (uint32_t)body->record.len,
		.origin = post->origin,
		.request = post->request,
	};
	int err;

	/* Its records are here and on their way already: none has to be sent again. */
	if (fanouts_repeat(home->fanouts, post))
		return;
	err = pack_write(&body->base, FRAME_MAX, &mail.post, &mail.post_n);
	if (!err)
		err = mailboxes_post(home->mailboxes, &mail, clock_mono_ms(), clock_wall_s());
	if (err)
		refuse(home, post, UMSG__ERROR_CODE__ERROR_BUSY, "no memory", MAIL_RETRY_DOWN_S);
}

void home_channel_post(struct home *home, const struct endpoint *from, const struct passed_up *up,
		       const Umsg__Frame *frame)
{
	struct fanout_post post = {
		.channel = slice_str(up->uri),
		.sender = slice_str(up->from),
		.account = slice_str(up->account),
		.id = frame_bytes(frame->post->message_id),
		.frame = up->frame,
		.origin = *from,
		.request = frame->request,
	};
	const char *why;
	Umsg__ErrorCode error = look_at(home, up->account, up->from, frame->post, &post, &why);

	if (error) {
		home_trace_message(home, up->from, up->uri, "not-found", post.id);
		refuse(home, &post, error, why, 0);
	} else if (post.is_long) {
		collect(home, up, frame->post, &post);
	} else {
		home_trace_message(home, up->from, up->uri, "posted content", post.id);
		begin(home, &post);
	}
}

/* The frame that its sender posted, but for the request's number. */
static int write_frame(const char *channel, const struct mail *mail, Umsg__Post *body,
		       uint8_t **octets_out, size_t *n_out)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;

	frame.from = mail->sender;
	frame.to = (char *)(uintptr_t)channel;
	frame.body_case = UMSG__FRAME__BODY_POST;
	frame.post = body;
	return frame_encode(&frame, octets_out, n_out);
}

/* The update may have changed while the parts came: who may post is asked again. */
void home_channel_whole(void *arg, const char *uri, const struct mail *mail)
{
	struct home *home = arg;
	struct fanout_post post = { .channel = slice_str(uri),
				    .sender = slice_str(mail->sender),
				    .account = slice_str(mail->account),
				    .id = home_mail_id(mail),
				    .origin = mail->origin,
				    .request = mail->request };
	const char *why = "no memory";
	uint8_t *octets = NULL;
	Umsg__ErrorCode error = UMSG__ERROR_CODE__ERROR_BUSY;
	size_t n = 0;
	int err;
	ProtobufCMessage *body = pack_view(&umsg__post__descriptor,
					   slice_of(mail->post, mail->post_n), 2 * FRAME_MAX, &err);

	if (body)
		error = look_at(home, mail->account, mail->sender, (Umsg__Post *)(void *)body,
				&post, &why);
	if (!error && write_frame(uri, mail, (Umsg__Post *)(void *)body, &octets, &n)) {
		error = UMSG__ERROR_CODE__ERROR_BUSY;
		why = "no memory";
	}
	pack_forget(body);
	/* fanouts_post() copies it: octets are ours to free, whatever comes of it. */
	post.frame = slice_of(octets, n);
	if (error) {
		home_drop_parts(home, post.channel, post.sender, post.id);
		refuse(home, &post, error, why,
		       error == UMSG__ERROR_CODE__ERROR_BUSY ? MAIL_RETRY_DOWN_S : 0);
	} else {
		home_trace_message(home, mail->sender, uri, "posted content", post.id);
		begin(home, &post);
	}
	free(octets);
}

void home_copy_answered(struct home *home, const struct passed_down *down)
{
	Umsg__Frame *frame = NULL;

	/* Its answer was lost, or is here for want of memory: the copy has to be made again. */
	if (down->lost || frame_view(down->frame, &frame)) {
		fanouts_answer(home->fanouts, down->connection & ~fanout_bit,
			       UMSG__ERROR_CODE__ERROR_BUSY, 0, clock_mono_ms());
		return;
	}
	if (frame->body_case == UMSG__FRAME__BODY_POST_ACK)
		fanouts_answer(home->fanouts, down->connection & ~fanout_bit,
			       frame->post_ack->error, frame->post_ack->retry_after,
			       clock_mono_ms());
	frame_free(&frame);
}
