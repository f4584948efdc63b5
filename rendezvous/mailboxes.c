/* mailboxes.c - posts, their answers, and what devices take.
 *
 * A mail goes from WAITING (is it a repeat? the index is being read) to HANDED or COLLECTING,
 * then STORING, then STORED, and may skip any of them. Until it is answered its sender keeps it
 * himself: a crash loses nothing that was acknowledged.
 *
 * mail_proceed() and mail_store() may refuse a mail and free it: nothing touches it behind
 * them, and whoever walks a list has fetched the next one before.
 */
#include "rendezvous/mailboxes.h"

#include <errno.h>
#include <stdlib.h>

#include "rendezvous/mailboxes_priv.h"
#include "umsg/frame.h"

static const char too_many_long[] = "too many long messages at once";

struct mailboxes *mailboxes_new(const struct mailboxes_ops *ops, void *arg)
{
	struct mailboxes *mailboxes = calloc(1, sizeof(*mailboxes));

	if (!mailboxes)
		return NULL;
	if (keyhash_init(&mailboxes->hash) || idhash_init(&mailboxes->ids) ||
	    idmap_init(&mailboxes->by_uri)) {
		free(mailboxes);
		return NULL;
	}
	if (idmap_init(&mailboxes->by_id)) {
		idmap_done(&mailboxes->by_uri);
		free(mailboxes);
		return NULL;
	}
	TAILQ_INIT(&mailboxes->all);
	TAILQ_INIT(&mailboxes->handed);
	TAILQ_INIT(&mailboxes->collecting);
	mailboxes->quota_messages = MAIL_MAX_STORED;
	mailboxes->quota_octets = (uint64_t)MAIL_MAX_STORED_MIB << 20;
	mailboxes->ops = ops;
	mailboxes->arg = arg;
	return mailboxes;
}

void mailboxes_free(struct mailboxes **mailboxesp)
{
	struct mailboxes *mailboxes = *mailboxesp;
	struct mailbox *mailbox;

	if (!mailboxes)
		return;
	while ((mailbox = TAILQ_FIRST(&mailboxes->all)))
		mailbox_drop(mailboxes, mailbox);
	idmap_done(&mailboxes->by_uri);
	idmap_done(&mailboxes->by_id);
	free(mailboxes);
	*mailboxesp = NULL;
}

struct mail *mailboxes_find(struct mailboxes *mailboxes, struct slice uri, struct slice sender,
			    struct slice id, int64_t now_ms)
{
	struct mailbox *mailbox = mailbox_find(mailboxes, uri);
	struct mail *mail = mailbox ? mail_find(mailboxes, mailbox, sender, id) : NULL;

	if (mailbox)
		mailbox->used_ms = now_ms;
	return mail && mail->state == MAIL_STORED ? mail : NULL;
}

/* The sender's answer; the mail goes unless it is stored. */
void mail_refuse(struct mailboxes *mailboxes, struct mail *mail, Umsg__ErrorCode code,
		 const char *text, uint32_t retry_after_s)
{
	mailboxes->ops->ack(mailboxes->arg, mail, code, text, retry_after_s);
	/* What the store was to hear with it goes with the next one: what others are promised
	 * depends on it. */
	if (mail->keep_until_s)
		mail->mailbox->keep_unsure = true;
	mail_drop(mailboxes, mail);
}

void mail_accept(struct mailboxes *mailboxes, struct mail *mail)
{
	mailboxes->ops->ack(mailboxes->arg, mail, UMSG__ERROR_CODE__OK, "", 0);
	/* One answer to each post: nobody waits from here on. */
	mail->origin.connection = 0;
}

/* Tells the store when the whole mailbox may go, at most once an hour. */
static void set_keep_until(struct mail *mail)
{
	struct mailbox *mailbox = mail->mailbox;

	mail->keep_until_s = 0;
	/* A step further than needed: else each message of a busy user would bring a command
	 * of its own. */
	if (mail->end_s > mailbox->keep_until_s)
		mailbox->keep_until_s = mail->end_s + MAIL_KEEP_STEP_S;
	else if (!mailbox->keep_unsure)
		return;
	mailbox->keep_unsure = false;
	mail->keep_until_s = mailbox->keep_until_s;
}

/* Counts what the primary was handed and has not taken. */
static void count_handed(struct mail *mail, size_t octets)
{
	mail->mailbox->handed_octets -= mail->handed_octets;
	mail->mailbox->handed_octets += octets;
	mail->handed_octets = octets;
}

/* Hands a mail to the devices, if there are any that can take more. */
static bool hand(struct mailboxes *mailboxes, struct mail *mail)
{
	/* What is too much to hand is stored at once, and fetched by the device at its own
	 * pace. */
	if (mail->mailbox->handed_octets + mail->post_n > MAIL_HANDED_OCTETS ||
	    !mailboxes->ops->hand(mailboxes->arg, mail->mailbox->uri, mail, &mail->handed))
		return false;
	count_handed(mail, mail->post_n);
	return true;
}

/* Nothing stays with a channel: what is there is on its way to the members. */
static void refuse_quota(struct mailboxes *mailboxes, struct mail *mail)
{
	if (mail->fan_out) {
		mail_refuse(mailboxes, mail, UMSG__ERROR_CODE__ERROR_BUSY, too_many_long,
			    MAIL_RETRY_DOWN_S);
		return;
	}
	mail_refuse(mailboxes, mail, UMSG__ERROR_CODE__ERROR_QUOTA,
		    "the recipient's mailbox is full", MAIL_RETRY_QUOTA_S);
}

void mail_store(struct mailboxes *mailboxes, struct mail *mail)
{
	struct mailbox *mailbox = mail->mailbox;
	int err;

	if (mailboxes->refuse_reason) {
		mail_refuse(mailboxes, mail, UMSG__ERROR_CODE__ERROR_STORE_FULL,
			    mailboxes->refuse_reason, MAIL_RETRY_FULL_S);
		return;
	}
	/* The mail itself is counted already. */
	if (mailbox->count > mailboxes->quota_messages ||
	    mailbox->octets > mailboxes->quota_octets) {
		refuse_quota(mailboxes, mail);
		return;
	}
	mail_set_state(mailboxes, mail, MAIL_STORING, 0);
	set_keep_until(mail);
	err = mailboxes->ops->store(mailboxes->arg, mailbox->uri, mail);
	if (err == -ENOSPC)
		mail_refuse(mailboxes, mail, UMSG__ERROR_CODE__ERROR_STORE_FULL, "store full",
			    MAIL_RETRY_FULL_S);
	else if (err)
		mail_refuse(mailboxes, mail, UMSG__ERROR_CODE__ERROR_STORE_FULL,
			    "store not available", MAIL_RETRY_DOWN_S);
}

void mail_proceed(struct mailboxes *mailboxes, struct mail *mail, int64_t now_ms)
{
	if (mail->parts > 1 && mail->mailbox->octets > mailboxes->quota_octets) {
		refuse_quota(mailboxes, mail); /* before 32 MiB come for nothing */
		return;
	}
	if (mail->parts > 1 && !mail->channel) {
		mail->next_part = 1;
		mail_set_state(mailboxes, mail, MAIL_COLLECTING, now_ms + MAIL_PARTS_IDLE_LIMIT_MS);
		mailboxes->ops->part_ack(mailboxes->arg, mail, 1);
		return;
	}
	mailboxes->ops->event(mailboxes->arg, mail->mailbox->uri, mail, MAIL_POSTED);
	/* Of a long one the receiver asks for parts: those have to be stored. */
	if (mail->parts == 1 && hand(mailboxes, mail))
		mail_set_state(mailboxes, mail, MAIL_HANDED, now_ms + MAIL_HANDED_LIMIT_MS);
	else
		mail_store(mailboxes, mail);
}

/* The same message again, perhaps over another connection. */
static void repeat(struct mailboxes *mailboxes, struct mail *mail, const struct mail_post *post)
{
	/* In the states not named below the answer is still to come; it goes to where the
	 * repeat came from, as the connection of the first one may be gone. */
	mail->origin = post->origin;
	mail->request = post->request;
	if (mail->state == MAIL_STORED)
		mail_accept(mailboxes, mail);
	else if (mail->state == MAIL_COLLECTING)
		mailboxes->ops->part_ack(mailboxes->arg, mail, mail->next_part);
}

static uint32_t parts_of(const struct mail_post *post)
{
	uint32_t rest;

	if (post->total_length <= post->record_length || post->record_length == 0)
		return 1;
	rest = post->total_length - post->record_length;
	/* All further records but the last are as long as the first one. */
	return 1 + (rest + post->record_length - 1) / post->record_length;
}

/* There are few enough for a look at each. */
static size_t unfinished_of(const struct mailboxes *mailboxes, struct slice sender)
{
	const struct mail *mail;
	size_t n = 0;

	TAILQ_FOREACH(mail, &mailboxes->collecting, in_queue)
	n += slice_eq_str(sender, mail->sender);
	return n;
}

static const char *unacceptable(const struct mailboxes *mailboxes, const struct mail_post *post,
				int64_t end_s, int64_t now_s, Umsg__ErrorCode *code_out)
{
	*code_out = UMSG__ERROR_CODE__ERROR_EXPIRED;
	if (end_s <= now_s)
		return "its lifetime is over";
	*code_out = UMSG__ERROR_CODE__ERROR_TOO_LARGE;
	if (post->total_length > MAIL_MAX_OCTETS)
		return "too large";
	*code_out = UMSG__ERROR_CODE__ERROR_BUSY;
	/* A copy for a member of a channel brings no parts: they lie with the channel. */
	if (parts_of(post) > 1 && post->channel.n == 0 &&
	    (mailboxes->unfinished >= MAIL_MAX_UNFINISHED ||
	     unfinished_of(mailboxes, post->sender) >= MAIL_MAX_UNFINISHED_EACH))
		return too_many_long;
	return NULL;
}

int mailboxes_post(struct mailboxes *mailboxes, const struct mail_post *post, int64_t now_ms,
		   int64_t now_s)
{
	struct mailbox *mailbox = mailbox_need(mailboxes, post->to, now_ms);
	struct mail_item item = { .sender = post->sender,
				  .account = post->account,
				  .channel = post->channel,
				  .octets = post->post_n,
				  .id = post->id,
				  .kind = post->kind,
				  .parts = parts_of(post) };
	Umsg__ErrorCode code;
	const char *text;
	struct mail *mail;

	/* A repeat is answered as the first one was, however often it comes: its PostAck may
	 * have been lost. */
	mail = mailbox ? mail_find(mailboxes, mailbox, post->sender, post->id) : NULL;
	if (mail)
		repeat(mailboxes, mail, post);
	if (mail || !mailbox) {
		free(post->post);
		return mail ? 0 : -ENOMEM;
	}
	/* The sender may ask for less than the server's time, not for more. */
	item.end_s = now_s + post->max_lifetime_s;
	if (post->store_until_s && post->store_until_s < item.end_s)
		item.end_s = post->store_until_s;
	mail = mail_new(mailboxes, mailbox, &item);
	if (!mail) {
		free(post->post);
		return -ENOMEM;
	}
	mail->post = post->post; /* its own from here on */
	mail->post_n = post->post_n;
	mail->origin = post->origin;
	mail->request = post->request;
	mail->fan_out = post->fan_out;
	/* Only now, as the refusal goes the way of all answers, by the mail's origin. */
	text = unacceptable(mailboxes, post, item.end_s, now_s, &code);
	if (text) {
		mail_refuse(mailboxes, mail, code, text,
			    code == UMSG__ERROR_CODE__ERROR_BUSY ? 5 : 0);
		return 0;
	}
	mailbox_load(mailboxes, mailbox);
	/* While the store is down nothing can be looked up, but an online recipient
	 * can still be handed the message: it knows repeats by itself. */
	if (!mailbox->loading)
		mail_proceed(mailboxes, mail, now_ms);
	return 0;
}

void mailboxes_stored(struct mailboxes *mailboxes, struct slice uri, struct slice sender,
		      struct slice id, int err, uint64_t number, int64_t now_ms)
{
	struct mailbox *mailbox = mailbox_find(mailboxes, uri);
	struct mail *mail = mailbox ? mail_find(mailboxes, mailbox, sender, id) : NULL;

	/* Refused or forgotten meanwhile; what came into being in the store is seen by the
	 * next load(). */
	if (!mail || mail->state != MAIL_STORING)
		return;
	mailbox->used_ms = now_ms;
	if (err) {
		mail_refuse(mailboxes, mail, UMSG__ERROR_CODE__ERROR_STORE_FULL,
			    err == -ENOSPC ? "store full" : "store not available",
			    err == -ENOSPC ? MAIL_RETRY_FULL_S : MAIL_RETRY_DOWN_S);
		return;
	}
	mail_now_stored(mailboxes, mail, number);
	/* The device was quicker than the store: the sender has his answer already. */
	if (mail->taken) {
		mailboxes->ops->discard(mailboxes->arg, mailbox->uri, mail);
		mail_drop(mailboxes, mail);
		return;
	}
	mail_accept(mailboxes, mail);
	/* A device that was handed it needs no notification of it. Of a long one it can be
	 * handed the post now that the parts are there to be asked for. */
	if (!mail->handed.connection && !(mail->parts > 1 && hand(mailboxes, mail)))
		mailboxes->ops->notify(mailboxes->arg, mailbox->uri, number);
	free(mail->post);
	mail->post = NULL;
}

int mailboxes_taken(struct mailboxes *mailboxes, struct slice uri, struct slice sender,
		    struct slice id, int64_t now_ms)
{
	struct mailbox *mailbox = mailbox_find(mailboxes, uri);
	struct mail *mail = mailbox ? mail_find(mailboxes, mailbox, sender, id) : NULL;

	/* In these two states no device was given it. */
	if (!mail || mail->taken || mail->state == MAIL_WAITING || mail->state == MAIL_COLLECTING)
		return -ENOENT;
	mailbox->used_ms = now_ms;
	mailboxes->ops->event(mailboxes->arg, mailbox->uri, mail, MAIL_DELIVERED);
	/* What is on its way to the store cannot be called back: mailboxes_stored() discards
	 * it. */
	if (mail->state == MAIL_STORING) {
		mail->taken = true;
		mail_accept(mailboxes, mail);
		return 0;
	}
	if (mail->state == MAIL_HANDED)
		mail_accept(mailboxes, mail);
	else
		mailboxes->ops->discard(mailboxes->arg, mailbox->uri, mail);
	mail_drop(mailboxes, mail);
	return 0;
}

uint32_t mailboxes_attached(struct mailboxes *mailboxes, struct slice uri,
			    const struct endpoint *primary, int64_t now_ms)
{
	struct mailbox *mailbox = mailbox_need(mailboxes, uri, now_ms);
	struct mail *mail;

	if (!mailbox)
		return 0;
	mailbox_load(mailboxes, mailbox);
	/* The number to notify of is known when the last page is read. */
	mailbox->attached = !mailbox->loaded;
	TAILQ_FOREACH(mail, &mailbox->mails, in_mailbox)
	{
		if (mail->state == MAIL_STORING)
			mail->handed.connection = 0; /* so that it is notified */
		else if (mail->state == MAIL_HANDED && !endpoint_equal(&mail->handed, primary) &&
			 !hand(mailboxes, mail))
			mail->handed.connection = 0; /* it is stored in time, then notified */
	}
	return (uint32_t)mailbox->n_stored;
}

size_t mailboxes_messages(const struct mailboxes *mailboxes)
{
	return mailboxes->messages;
}

void mailboxes_set_quota(struct mailboxes *mailboxes, size_t messages, uint64_t octets)
{
	mailboxes->quota_messages = messages;
	mailboxes->quota_octets = octets;
}

void mailboxes_refuse(struct mailboxes *mailboxes, const char *reason)
{
	mailboxes->refuse_reason = reason;
}

void mailboxes_store_lost(struct mailboxes *mailboxes)
{
	struct mailbox *mailbox = TAILQ_FIRST(&mailboxes->all);

	while (mailbox) {
		struct mailbox *next = TAILQ_NEXT(mailbox, in_all);
		struct mail *mail = TAILQ_FIRST(&mailbox->mails);

		while (mail) {
			struct mail *following = TAILQ_NEXT(mail, in_mailbox);

			if (mail->state != MAIL_HANDED)
				mail_refuse(mailboxes, mail, UMSG__ERROR_CODE__ERROR_STORE_FULL,
					    "store not available", MAIL_RETRY_DOWN_S);
			mail = following;
		}
		while ((mail = TAILQ_FIRST(&mailbox->stored)))
			mail_drop(mailboxes, mail);
		/* What the store holds is read anew when it is back: it may be another one,
		 * put back from a backup. */
		mailbox->gaps = false;
		mailbox->keep_unsure = true;
		mailbox->loaded = mailbox->loading = false;
		mailbox = next;
	}
}

void mailboxes_forget(struct mailboxes *mailboxes, struct slice uri)
{
	struct mailbox *mailbox = mailbox_find(mailboxes, uri);
	struct mail *mail;

	if (!mailbox)
		return;
	while ((mail = TAILQ_FIRST(&mailbox->stored))) {
		/* The messages go with their list; parts lie under keys of their own. */
		if (mail->parts > 1)
			mailboxes->ops->discard(mailboxes->arg, mailbox->uri, mail);
		mail_drop(mailboxes, mail);
	}
	while ((mail = TAILQ_FIRST(&mailbox->mails)))
		mail_refuse(mailboxes, mail, UMSG__ERROR_CODE__ERROR_NOT_FOUND,
			    "the account was deleted", 0);
	mailbox_drop(mailboxes, mailbox);
}

static void clean(struct mailboxes *mailboxes, int64_t now_ms, int64_t now_s)
{
	struct mailbox *mailbox = TAILQ_FIRST(&mailboxes->all);

	while (mailbox) {
		struct mailbox *next = TAILQ_NEXT(mailbox, in_all);

		mailbox_drop_expired(mailboxes, mailbox, now_s);
		if (mailbox->attached)
			mailbox_load(mailboxes, mailbox);
		/* Nothing is lost: it is all in the store, and read again when somebody asks. */
		if (!mailbox->loading && TAILQ_EMPTY(&mailbox->mails) &&
		    now_ms - mailbox->used_ms > MAILBOX_IDLE_LIMIT_MS)
			mailbox_drop(mailboxes, mailbox);
		mailbox = next;
	}
}

void mailboxes_tick(struct mailboxes *mailboxes, int64_t now_ms, int64_t now_s)
{
	struct mail *mail;

	/* Both loops end: mail_store() takes the mail out of its queue, by a new state or by
	 * freeing it. */
	while ((mail = TAILQ_FIRST(&mailboxes->handed)) && mail->limit_ms <= now_ms)
		mail_store(mailboxes, mail);
	while ((mail = TAILQ_FIRST(&mailboxes->collecting)) && mail->limit_ms <= now_ms) {
		/* Its sender was asked for a part long ago.  Whether that got lost or he gave up:
		 * while he is connected he, and his holder, wait for an answer. */
		mailboxes->ops->discard(mailboxes->arg, mail->mailbox->uri, mail);
		mail_refuse(mailboxes, mail, UMSG__ERROR_CODE__ERROR_BUSY,
			    "no further part came: begin again", MAIL_RETRY_DOWN_S);
	}
	if (now_ms - mailboxes->cleaned_ms >= MAILBOX_CLEAN_MS) {
		mailboxes->cleaned_ms = now_ms;
		clean(mailboxes, now_ms, now_s);
	}
}
