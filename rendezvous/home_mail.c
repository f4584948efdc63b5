/* home_mail.c - messages: frames in and out of the mailboxes.
 *
 * mailboxes.c decides when a message is stored, handed over and acknowledged; here are the
 * frames for it, and what is counted and traced. Bodies are sealed: beside lengths and kind
 * nothing of them is read.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/log.h"
#include "base/pack.h"
#include "keys/account.h"
#include "rendezvous/home_priv.h"
#include "rendezvous/roster.h"
#include "rendezvous/store.h"

/* A Deliver frame of a packed Post. */
int home_deliver(struct home *home, const struct endpoint *to, const char *sender, const char *uri,
		 struct slice packed, uint64_t number, uint64_t request)
{
	CrsWorker__DeliverFrame frame = CRS_WORKER__DELIVER_FRAME__INIT;
	CrsWorker__PackedDeliver deliver = CRS_WORKER__PACKED_DELIVER__INIT;
	uint8_t *octets;
	size_t n;
	int err;

	/* The Post's octets as they were stored, as one field: its parts are never unpacked on
	 * the way. */
	deliver.post = frame_data(packed);
	deliver.number = number;
	deliver.epoch = home->epoch;
	frame.version = FRAME_VERSION;
	frame.request = request;
	frame.from = (char *)(uintptr_t)sender;
	frame.to = (char *)(uintptr_t)uri;
	frame.deliver = &deliver;
	err = pack_write(&frame.base, FRAME_MAX, &octets, &n);
	if (err) {
		log_warn("home", "cannot write a deliver: %s", strerror(-err));
		return err;
	}
	err = home_send_octets(home, to, slice_of(octets, n), NULL);
	free(octets);
	return err;
}

static bool hand(void *arg, const char *uri, const struct mail *mail, struct endpoint *primary_out)
{
	struct home *home = arg;
	const struct user *user = home_find_user(home, slice_str(uri));
	const struct device *primary = user_primary(user);
	bool handed = true;

	/* Without one nobody could take it: it waits in the store. */
	if (!primary)
		return false;
	for (const struct device *d = user->devices; d; d = d->next) {
		int err = d->updates_only ? 0
					  : home_deliver(home, &d->at, mail->sender,
							 mail->channel ? mail->channel : uri,
							 slice_of(mail->post, mail->post_n),
							 mail->number, 0);

		/* It is stored then, and the device is notified of it. */
		if (err && d == primary)
			handed = false;
	}
	*primary_out = primary->at;
	return handed;
}

static void notify(void *arg, const char *uri, uint64_t number)
{
	struct home *home = arg;
	const struct user *user = home_find_user(home, slice_str(uri));
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Notify body = UMSG__NOTIFY__INIT;

	body.epoch = home->epoch;
	body.number = number;
	frame.body_case = UMSG__FRAME__BODY_NOTIFY;
	frame.notify = &body;
	for (const struct device *d = user ? user->devices : NULL; d; d = d->next) {
		if (!d->updates_only)
			home_send(home, &d->at, &frame);
	}
}

void home_post_ack(struct home *home, const struct endpoint *to, uint64_t request, struct slice id,
		   Umsg__ErrorCode code, const char *text, uint32_t retry_after_s)
{
	struct home_note note = { .post_answered = id };
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__PostAck ack = UMSG__POST_ACK__INIT;

	ack.message_id = frame_data(id);
	ack.error = code;
	ack.text = frame_text(text);
	ack.retry_after = retry_after_s;
	frame.request = request;
	frame.body_case = UMSG__FRAME__BODY_POST_ACK;
	frame.post_ack = &ack;
	home_send_noted(home, to, &frame, &note);
}

static bool is_receipt(const struct mail *mail)
{
	return mail->kind == UMSG__MESSAGE_KIND__KIND_RECEIPT;
}

void home_count_posted(struct home *home, const char *account, const char *sender)
{
	home_count(home, COUNTER_POST, account, sender);
	home_count(home, COUNTER_MESSAGE_OUT, account, sender);
}

static void count_posted(struct home *home, const struct mail *mail)
{
	if (is_receipt(mail))
		home_count(home, COUNTER_SYSTEM_OUT, mail->account, mail->sender);
	else if (!mail->channel) /* else the channel's home counts it, once */
		home_count_posted(home, mail->account, mail->sender);
}

static void ack(void *arg, const struct mail *mail, Umsg__ErrorCode code, const char *text,
		uint32_t retry_after_s)
{
	struct home *home = arg;

	if (code != UMSG__ERROR_CODE__OK)
		worker_figure(home->worker, FIGURE_REFUSED);
	if (!mail->origin.connection)
		return; /* of before a restart: it was answered then */
	if (code == UMSG__ERROR_CODE__OK)
		count_posted(home, mail);
	home_post_ack(home, &mail->origin, mail->request, home_mail_id(mail), code, text,
		      retry_after_s);
}

static void part_ack(void *arg, const struct mail *mail, uint32_t next)
{
	struct home *home = arg;
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__PartAck body = UMSG__PART_ACK__INIT;

	body.message_id = frame_data(home_mail_id(mail));
	body.next = next;
	frame.request = mail->request;
	frame.body_case = UMSG__FRAME__BODY_PART_ACK;
	frame.part_ack = &body;
	if (mail->origin.connection)
		home_send(home, &mail->origin, &frame);
}

void home_trace_message(struct home *home, const char *from, const char *to, const char *state,
			struct slice id)
{
	const char *account = home_account_of(home, slice_str(to));
	char text[BASE64_TEXT_SIZE(MAIL_ID_SIZE)];
	const char *fields[] = { from, to, state, account ? account : "", text };

	if (!worker_traces(home->worker, TRACE_MESSAGE))
		return;
	base64_encode(BASE64_STANDARD, id, text); /* as cig-cli and cca print it */
	worker_trace(home->worker, TRACE_MESSAGE, fields, 5);
}

static void event(void *arg, const char *uri, const struct mail *mail, enum mail_event what)
{
	struct home *home = arg;
	const char *account;

	worker_figure(home->worker, what == MAIL_POSTED ? FIGURE_POSTED : FIGURE_DELIVERED);
	if (what == MAIL_POSTED) {
		if (!is_receipt(mail))
			home_wake_for_message(home, uri);
		home_trace_message(home, mail->sender, uri,
				   is_receipt(mail) ? "posted ack" : "posted content",
				   home_mail_id(mail));
		return;
	}
	account = home_account_of(home, slice_str(uri));
	if (account)
		home_count(home, is_receipt(mail) ? COUNTER_SYSTEM_IN : COUNTER_MESSAGE_IN, account,
			   uri);
	if (!is_receipt(mail)) {
		home_count(home, COUNTER_DELIV, mail->account, mail->sender);
		home_trace_message(home, mail->sender, uri, "delivered", home_mail_id(mail));
	}
}

const struct mailboxes_ops home_mailboxes_ops = {
	.load = home_load_mail,
	.store = home_store_mail,
	.discard = home_discard_mail,
	.store_part = home_store_part,
	.hand = hand,
	.notify = notify,
	.ack = ack,
	.part_ack = part_ack,
	.whole = home_channel_whole,
	.event = event,
};

static int copy(struct slice octets, uint8_t **copy_out, size_t *n_out)
{
	/* malloc(0) may give NULL, which is no want of memory. */
	*copy_out = malloc(octets.n ? octets.n : 1);
	if (!*copy_out)
		return -ENOMEM;
	memcpy(*copy_out, octets.p, octets.n);
	*n_out = octets.n;
	return 0;
}

void home_post(struct home *home, const struct endpoint *from, const struct passed_up *up,
	       const Umsg__Frame *frame, const struct slice *packed)
{
	const Umsg__Post *body = frame->post;
	struct mail_post post = {
		.to = slice_str(up->uri),
		.sender = slice_str(up->from),
		.account = slice_str(up->account),
		.id = frame_bytes(body->message_id),
		.kind = (int)body->kind,
		/* A client names any number: one beyond our times counts as none named. */
		.store_until_s = body->store_until > INT64_MAX ? 0 : (int64_t)body->store_until,
		.total_length = body->total_length,
		.record_length = (uint32_t)body->record.len,
		.origin = *from,
		.request = frame->request,
	};
	const char *account = home_account_of(home, post.to);
	int64_t theirs;
	int err;

	if (home_is_channel(post.to)) {
		home_channel_post(home, from, up, frame);
		return;
	}
	if (!account) {
		home_trace_message(home, up->from, up->uri, "not-found", post.id);
		home_post_ack(home, from, frame->request, post.id,
			      UMSG__ERROR_CODE__ERROR_NOT_FOUND, "no such receiver", 0);
		return;
	}
	/* The smaller maximum of the two domains. */
	post.max_lifetime_s = home_max_lifetime(home, up->account);
	theirs = home_max_lifetime(home, account);
	if (theirs < post.max_lifetime_s)
		post.max_lifetime_s = theirs;
	/* A holder passes a post to the home of its receiver: this is a copy for a member. */
	if (!slice_eq(frame_bare(frame->to), post.to))
		post.channel = frame_bare(frame->to);
	err = packed ? copy(*packed, &post.post, &post.post_n)
		     : pack_write(&body->base, FRAME_MAX, &post.post, &post.post_n);
	if (!err)
		err = mailboxes_post(home->mailboxes, &post, clock_mono_ms(), clock_wall_s());
	if (err)
		home_post_ack(home, from, frame->request, post.id, UMSG__ERROR_CODE__ERROR_BUSY,
			      "no memory", MAIL_RETRY_DOWN_S);
}

void home_part(struct home *home, const struct endpoint *from, const struct passed_up *up,
	       const Umsg__Frame *frame)
{
	struct slice id = frame_bytes(frame->part->message_id);

	if (mailboxes_part(home->mailboxes, slice_str(up->uri), slice_str(up->from), id,
			   frame->part->index, frame_bytes(frame->part->record), clock_mono_ms()))
		home_post_ack(home, from, frame->request, id, UMSG__ERROR_CODE__ERROR_NOT_FOUND,
			      "begin again with the first record", 1);
}

/* A page of parts on its way to one device. */
struct part_wait {
	struct home *home;
	struct endpoint to;
	char *uri, *sender;
	uint8_t id[MAIL_ID_SIZE];
};

static void on_part(void *arg, uint32_t index, struct slice record)
{
	struct part_wait *wait = arg;
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Part part = UMSG__PART__INIT;

	part.message_id = frame_data(slice_of(wait->id, MAIL_ID_SIZE));
	part.sender = wait->sender;
	part.index = index + 1; /* record 0 is in the post itself */
	part.record = frame_data(record);
	frame.from = wait->sender;
	frame.to = wait->uri;
	frame.body_case = UMSG__FRAME__BODY_PART;
	frame.part = &part;
	home_send(wait->home, &wait->to, &frame);
}

/* An error sends nothing: the message stays stored, and is handed out anew to who fetches when the
 * store is back. */
static void on_parts_done(void *arg, int err, uint64_t number)
{
	struct part_wait *wait = arg;

	(void)err;
	(void)number;
	free(wait->uri);
	free(wait->sender);
	free(wait);
}

static void send_parts(struct home *home, const struct endpoint *to, const char *uri,
		       const struct mail *mail, uint32_t from, uint32_t count)
{
	struct part_wait *wait = calloc(1, sizeof(*wait));
	char key[HOME_PART_KEY];
	int err = -ENOMEM;

	if (wait) {
		wait->home = home;
		wait->to = *to;
		wait->uri = strdup(uri);
		wait->sender = strdup(mail->sender);
		memcpy(wait->id, mail->id, sizeof(wait->id));
		home_part_key(mail, key);
		if (wait->uri && wait->sender)
			err = store_part_read(worker_store(home->worker), slice_str(uri), key,
					      from - 1, count, on_part, on_parts_done, wait);
		if (err)
			on_parts_done(wait, err, 0);
	}
	/* They count as sent to this connection (mail_parts_wanted()), and nobody would ask for
	 * them over it again. */
	if (err == -ENOMEM)
		home_unheard(home, to);
}

/* It was taken, or has ended, since its Deliver was sent: who asks must not wait for it. */
static void send_no_part(struct home *home, const struct endpoint *to, const char *uri,
			 const Umsg__PartAck *asked)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Part part = UMSG__PART__INIT;

	part.message_id = asked->message_id;
	part.sender = asked->sender;
	part.index = asked->next ? asked->next : 1;
	frame.from = asked->sender;
	frame.to = frame_text(uri);
	frame.body_case = UMSG__FRAME__BODY_PART;
	frame.part = &part;
	home_send(home, to, &frame);
}

void home_part_ack(struct home *home, const struct endpoint *from, const struct passed_up *up,
		   const Umsg__Frame *frame)
{
	struct mail *mail = mailboxes_find(
		home->mailboxes, slice_str(up->from), slice_str(frame->part_ack->sender),
		frame_bytes(frame->part_ack->message_id), clock_mono_ms());
	uint32_t first, count;

	if (!mail) {
		send_no_part(home, from, up->from, frame->part_ack);
		return;
	}
	count = mail_parts_wanted(mail, from, frame->part_ack->next, &first);
	if (count)
		send_parts(home, from, up->from, mail, first, count);
}

/* Of a message that the index does not hold nothing is deleted: it comes again with the next Fetch,
 * which has the index read, and is taken again. */
void home_taken(struct home *home, const struct endpoint *from, const struct passed_up *up,
		const Umsg__Frame *frame)
{
	const struct device *device = user_device(home_find_user(home, slice_str(up->from)), from);
	const Umsg__Taken *taken = frame->taken;

	/* Another device shows a message, too, but only the primary may have it deleted: it is
	 * the one that keeps it. */
	if (device && device->primary)
		mailboxes_taken(home->mailboxes, slice_str(up->from), slice_str(taken->sender),
				frame_bytes(taken->message_id), clock_mono_ms());
}
