/* mailbox_index.c - the index of what the store holds for a URI: read page by page, in step with
 * posts that come meanwhile, and looked at by whoever fetches.
 */
#include <stdlib.h>

#include "rendezvous/mailboxes.h"
#include "rendezvous/mailboxes_priv.h"
#include "rendezvous/store.h"

void mailbox_load(struct mailboxes *mailboxes, struct mailbox *mailbox)
{
	if (mailbox->loading || mailbox->loaded)
		return;
	mailbox->last_loaded = 0;
	/* If that fails, as a rule because the store is down, loaded stays false, and the next post
	 * or tick tries again. */
	mailbox->loading = mailboxes->ops->load(mailboxes->arg, mailbox->uri, 0) == 0;
}

void mailboxes_loaded_item(struct mailboxes *mailboxes, struct slice uri,
			   const struct mail_item *item)
{
	struct mailbox *mailbox = mailbox_find(mailboxes, uri);
	struct mail *mail;

	if (!mailbox || !mailbox->loading || item->id.n != MAIL_ID_SIZE)
		return;
	/* Raised for known ones, too: it is the number that a device is notified of. */
	if (item->number > mailbox->last_loaded)
		mailbox->last_loaded = item->number;
	if (item->end_s > mailbox->keep_until_s)
		mailbox->keep_until_s = item->end_s;
	mail = mail_find(mailboxes, mailbox, item->sender, item->id);
	if (mail && mail->state == MAIL_WAITING) { /* posted again meanwhile: it is there */
		mail->end_s = item->end_s;
		mail_now_stored(mailboxes, mail, item->number);
		free(mail->post);
		mail->post = NULL;
		mail_accept(mailboxes, mail);
	} else if (!mail) {
		mail = mail_new(mailboxes, mailbox, item);
		if (mail)
			mail_now_stored(mailboxes, mail, item->number);
		/* The store has more than the list: pages cannot be told from it, and nothing
		 * may be deleted "up to" a number. */
		mailbox->gaps = mailbox->gaps || !mail;
	}
}

void mailboxes_fetching(struct mailboxes *mailboxes, struct slice uri, int64_t now_ms)
{
	struct mailbox *mailbox = mailbox_need(mailboxes, uri, now_ms);
	struct mail *mail;

	if (!mailbox)
		return;
	/* It may have been dropped as idle.  Whoever fetches asks for parts and says what he took,
	 * and both are found by the index. */
	mailbox_load(mailboxes, mailbox);
	/* A device that left what it was handed (it was early, say, or its keys were missing) may
	 * want it now.  The store does not have it yet: it is notified then. */
	TAILQ_FOREACH(mail, &mailbox->mails, in_mailbox)
	mail->handed.connection = 0;
}

/* Whoever fetches takes from the front, so the page is not far from it. */
uint64_t mailboxes_page(struct mailboxes *mailboxes, struct slice uri, uint64_t after,
			uint32_t count, size_t octets)
{
	const struct mailbox *mailbox = mailbox_find(mailboxes, uri);
	const struct mail *mail;
	uint64_t last = 0, whole = 0;
	size_t sum = 0;

	if (!mailbox || !mailbox->loaded || mailbox->gaps)
		return 0;
	TAILQ_FOREACH(mail, &mailbox->stored, in_mailbox)
	{
		if (mail->number <= after)
			continue;
		if (count == 0 || (last && sum + mail->octets > octets))
			return whole ? whole : last;
		last = mail->number;
		/* A page that ends within an entry costs: the entry is read twice, and what is
		 * taken of it has to be noted (store_deletes.c). */
		if (store_ends_entry(last))
			whole = last;
		sum += mail->octets;
		count--;
	}
	return 0;
}

void mailbox_drop_expired(struct mailboxes *mailboxes, struct mailbox *mailbox, int64_t now_s)
{
	struct mail *mail = TAILQ_FIRST(&mailbox->stored);

	while (mail) {
		struct mail *next = TAILQ_NEXT(mail, in_mailbox);

		if (mail->end_s <= now_s) {
			mailboxes->ops->discard(mailboxes->arg, mailbox->uri, mail);
			mail_drop(mailboxes, mail);
		}
		mail = next;
	}
}

void mailboxes_loaded(struct mailboxes *mailboxes, struct slice uri, int err, uint64_t more,
		      int64_t now_ms, int64_t now_s)
{
	struct mailbox *mailbox = mailbox_find(mailboxes, uri);
	struct mail *mail;

	if (!mailbox || !mailbox->loading)
		return;
	if (!err && more) {
		err = mailboxes->ops->load(mailboxes->arg, mailbox->uri, more);
		if (!err)
			return;
	}
	mailbox->loading = false;
	/* After an error those that wait go on without knowledge of repeats, as while the
	 * store is down.  Half an index is none: what it does not hold would be deleted with the
	 * first message that is taken (mail_is_oldest()). */
	mailbox->loaded = !err;
	mailbox_drop_expired(mailboxes, mailbox, now_s);
	if (mailbox->attached && mailbox->last_loaded)
		mailboxes->ops->notify(mailboxes->arg, mailbox->uri, mailbox->last_loaded);
	/* Of what was not read the devices are to hear, too: a tick tries again. */
	mailbox->attached = mailbox->attached && !mailbox->loaded;
	/* Only now is it known which of those that wait are new. */
	mail = TAILQ_FIRST(&mailbox->mails);
	while (mail) {
		struct mail *next = TAILQ_NEXT(mail, in_mailbox);

		if (mail->state == MAIL_WAITING)
			mail_proceed(mailboxes, mail, now_ms);
		mail = next;
	}
}
