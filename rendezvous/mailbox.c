/* mailbox.c - the messages of a URI as they lie in memory: by sender and id, in the order of
 * their posts or numbers, and in the queue of their state.
 */
#include <stdlib.h>

#include "rendezvous/mailboxes_priv.h"
#include "umsg/frame.h"

/* A mail stands in the queue of its state, if that has a time limit.  All limits of a state are
 * alike, so each queue is in the order in which they end, and a tick looks at its front only. */
void mail_set_state(struct mailboxes *mailboxes, struct mail *mail, enum mail_state state,
		    int64_t limit_ms)
{
	if (mail->queued)
		TAILQ_REMOVE(mail->state == MAIL_HANDED ? &mailboxes->handed
							: &mailboxes->collecting,
			     mail, in_queue);
	mailboxes->unfinished -= mail->state == MAIL_COLLECTING;
	mailboxes->unfinished += state == MAIL_COLLECTING;
	mail->state = state;
	mail->limit_ms = limit_ms;
	mail->queued = state == MAIL_HANDED || state == MAIL_COLLECTING;
	if (state == MAIL_HANDED)
		TAILQ_INSERT_TAIL(&mailboxes->handed, mail, in_queue);
	else if (state == MAIL_COLLECTING)
		TAILQ_INSERT_TAIL(&mailboxes->collecting, mail, in_queue);
}

void mail_now_stored(struct mailboxes *mailboxes, struct mail *mail, uint64_t number)
{
	struct mailbox *mailbox = mail->mailbox;
	struct mail *before = TAILQ_LAST(&mailbox->stored, mail_list);

	mail_set_state(mailboxes, mail, MAIL_STORED, 0);
	mail->number = number;
	TAILQ_REMOVE(&mailbox->mails, mail, in_mailbox);
	/* Numbers come in rising order but for moments: from the end on, the place is found
	 * after a step or two. */
	while (before && before->number > number)
		before = TAILQ_PREV(before, mail_list, in_mailbox);
	if (before)
		TAILQ_INSERT_AFTER(&mailbox->stored, before, mail, in_mailbox);
	else
		TAILQ_INSERT_HEAD(&mailbox->stored, mail, in_mailbox);
	mailbox->n_stored++;
	mail->listed_as_stored = true;
}

bool mail_is_oldest(const struct mail *mail)
{
	const struct mailbox *mailbox = mail->mailbox;

	/* Of what the index does not hold (yet) nothing may be lost. */
	return mail == TAILQ_FIRST(&mailbox->stored) && mailbox->loaded && !mailbox->gaps;
}

void mail_drop(struct mailboxes *mailboxes, struct mail *mail)
{
	struct mailbox *mailbox = mail->mailbox;

	/* STORED has no queue: the mail leaves the one that it stands in. */
	mail_set_state(mailboxes, mail, MAIL_STORED, 0);
	mailbox->handed_octets -= mail->handed_octets;
	TAILQ_REMOVE(mail->listed_as_stored ? &mailbox->stored : &mailbox->mails, mail, in_mailbox);
	mailbox->n_stored -= mail->listed_as_stored;
	mailbox->count--;
	mailbox->octets -= mail->octets;
	mailboxes->messages--;
	idmap_remove(&mailboxes->by_id, &mail->node);
	free(mail->post);
	free(mail);
}

void mailbox_drop(struct mailboxes *mailboxes, struct mailbox *mailbox)
{
	struct mail *mail;

	while ((mail = TAILQ_FIRST(&mailbox->mails)) || (mail = TAILQ_FIRST(&mailbox->stored)))
		mail_drop(mailboxes, mail);
	TAILQ_REMOVE(&mailboxes->all, mailbox, in_all);
	idmap_remove(&mailboxes->by_uri, &mailbox->node);
	free(mailbox);
}

struct mailbox *mailbox_find(const struct mailboxes *mailboxes, struct slice uri)
{
	struct idmap_node *node =
		idmap_first(&mailboxes->by_uri, keyhash_of(&mailboxes->hash, uri));

	for (; node; node = idmap_next(node)) {
		struct mailbox *mailbox = IDMAP_OWNER(node, struct mailbox, node);

		if (slice_eq_str(uri, mailbox->uri))
			return mailbox;
	}
	return NULL;
}

struct mailbox *mailbox_need(struct mailboxes *mailboxes, struct slice uri, int64_t now_ms)
{
	struct mailbox *mailbox = mailbox_find(mailboxes, uri);

	if (!mailbox) {
		mailbox = calloc(1, sizeof(*mailbox) + uri.n + 1);
		if (!mailbox)
			return NULL;
		memcpy(mailbox->uri, uri.p, uri.n);
		TAILQ_INIT(&mailbox->mails);
		TAILQ_INIT(&mailbox->stored);
		TAILQ_INSERT_TAIL(&mailboxes->all, mailbox, in_all);
		idmap_put(&mailboxes->by_uri, &mailbox->node, keyhash_of(&mailboxes->hash, uri));
	}
	/* Whoever needs it, uses it: an idle one is dropped (MAILBOX_IDLE_LIMIT_MS). */
	mailbox->used_ms = now_ms;
	return mailbox;
}

/* Keyed hashes: senders choose ids, and must not choose buckets. */
static uint64_t mail_key(const struct mailboxes *mailboxes, struct slice sender, struct slice id)
{
	return idhash_of(&mailboxes->ids, id.p, keyhash_of(&mailboxes->hash, sender));
}

struct mail *mail_find(const struct mailboxes *mailboxes, const struct mailbox *mailbox,
		       struct slice sender, struct slice id)
{
	struct idmap_node *node;

	if (id.n != MAIL_ID_SIZE)
		return NULL;
	node = idmap_first(&mailboxes->by_id, mail_key(mailboxes, sender, id));
	for (; node; node = idmap_next(node)) {
		struct mail *mail = IDMAP_OWNER(node, struct mail, node);

		if (mail->mailbox == mailbox && slice_eq(id, slice_of(mail->id, MAIL_ID_SIZE)) &&
		    slice_eq_str(sender, mail->sender))
			return mail;
	}
	return NULL;
}

struct mail *mail_new(struct mailboxes *mailboxes, struct mailbox *mailbox,
		      const struct mail_item *item)
{
	struct mail *mail =
		calloc(1, sizeof(*mail) + item->sender.n + item->account.n + item->channel.n + 3);

	if (!mail)
		return NULL;
	/* The texts stand behind the struct, each with its NUL (calloc), in one allocation:
	 * there may be hundreds of thousands of mails. */
	mail->sender = mail->text;
	memcpy(mail->sender, item->sender.p, item->sender.n);
	mail->account = mail->text + item->sender.n + 1;
	if (item->account.n)
		memcpy(mail->account, item->account.p, item->account.n);
	if (item->channel.n) {
		mail->channel = mail->account + item->account.n + 1;
		memcpy(mail->channel, item->channel.p, item->channel.n);
	}
	memcpy(mail->id, item->id.p, MAIL_ID_SIZE);
	mail->mailbox = mailbox;
	mail->state = MAIL_WAITING;
	mail->kind = item->kind;
	mail->end_s = item->end_s;
	mail->number = item->number;
	mail->parts = item->parts;
	/* Of a long one every part counts as a full record from its beginning: its room is
	 * promised. */
	mail->octets =
		item->octets + (item->parts > 1 ? (uint64_t)(item->parts - 1) * FRAME_RECORD : 0);
	mailbox->octets += mail->octets;
	TAILQ_INSERT_TAIL(&mailbox->mails, mail, in_mailbox);
	mailbox->count++;
	mailboxes->messages++;
	idmap_put(&mailboxes->by_id, &mail->node, mail_key(mailboxes, item->sender, item->id));
	return mail;
}
