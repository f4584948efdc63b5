/* mail_parts.c - long bodies: parts on their way in and out.
 *
 * The first record of a long message comes within its Post; the others follow one by one, each
 * asked for by the number of the next that is wanted. Records lie in the store from the
 * beginning, so that 32 MiB of a sender who stops half-way are never held in memory. What such a
 * sender leaves behind there goes by itself (STORE_PART_IDLE_LIMIT_S); the tick of mailboxes.c
 * gives up the mail.
 */
#include <errno.h>

#include "rendezvous/mailboxes.h"
#include "rendezvous/mailboxes_priv.h"

int mailboxes_part(struct mailboxes *mailboxes, struct slice to, struct slice sender,
		   struct slice id, uint32_t index, struct slice record, int64_t now_ms)
{
	struct mailbox *mailbox = mailbox_find(mailboxes, to);
	struct mail *mail = mailbox ? mail_find(mailboxes, mailbox, sender, id) : NULL;
	int err;

	if (!mail || mail->state != MAIL_COLLECTING)
		return -ENOENT;
	mailbox->used_ms = now_ms;
	/* A part out of turn is no fault: after a lost connection its sender does not know
	 * which one arrived last. The answer says where to go on. */
	if (index != mail->next_part || index >= mail->parts) {
		mailboxes->ops->part_ack(mailboxes->arg, mail, mail->next_part);
		return 0;
	}
	if (mailboxes->refuse_reason) {
		mail_refuse(mailboxes, mail, UMSG__ERROR_CODE__ERROR_STORE_FULL,
			    mailboxes->refuse_reason, MAIL_RETRY_FULL_S);
		return 0;
	}
	err = mailboxes->ops->store_part(mailboxes->arg, mailbox->uri, mail, index, record);
	if (err) {
		mail_refuse(mailboxes, mail, UMSG__ERROR_CODE__ERROR_STORE_FULL,
			    "store not available", MAIL_RETRY_DOWN_S);
		return 0;
	}
	/* Asked for and not yet durable: the sender uses the time of a flush to send the next.
	 * Only the PostAck at the end promises anything, and that one waits for the store. */
	mail->next_part++;
	mail_set_state(mailboxes, mail, MAIL_COLLECTING, now_ms + MAIL_PARTS_IDLE_LIMIT_MS);
	mailboxes->ops->part_ack(mailboxes->arg, mail, mail->next_part);
	return 0;
}

void mailboxes_part_stored(struct mailboxes *mailboxes, struct slice uri, struct slice sender,
			   struct slice id, uint32_t index, int err, int64_t now_ms)
{
	struct mailbox *mailbox = mailbox_find(mailboxes, uri);
	struct mail *mail = mailbox ? mail_find(mailboxes, mailbox, sender, id) : NULL;

	/* The time limit was set when the part came. */
	(void)now_ms;
	if (!mail || mail->state != MAIL_COLLECTING)
		return;
	if (err) {
		mail_refuse(mailboxes, mail, UMSG__ERROR_CODE__ERROR_STORE_FULL,
			    err == -ENOSPC ? "store full" : "store not available",
			    err == -ENOSPC ? MAIL_RETRY_FULL_S : MAIL_RETRY_DOWN_S);
		return;
	}
	/* All commands go to the store over one connection and are answered in order: when the
	 * last part is durable, those before it are. */
	if (index + 1 == mail->parts && mail->fan_out) {
		mailboxes->ops->whole(mailboxes->arg, mailbox->uri, mail);
		mail_drop(mailboxes, mail);
	} else if (index + 1 == mail->parts) {
		mailboxes->ops->event(mailboxes->arg, mailbox->uri, mail, MAIL_POSTED);
		mail_store(mailboxes, mail);
	}
}

uint32_t mail_parts_wanted(struct mail *mail, const struct endpoint *reader, uint32_t next,
			   uint32_t *from_out)
{
	uint32_t end;

	/* Index 0 is the record within the Post, which the device has; behind the last one
	 * there is nothing to send. */
	if (next < 1 || next >= mail->parts)
		return 0;
	/* Another reader, or the mail was read from the store again and knows of none: begin
	 * where it says. */
	if (!endpoint_equal(&mail->reader, reader) || next > mail->sent) {
		mail->reader = *reader;
		mail->sent = next;
	}
	/* A window: so many parts are under way to one device, and its next request opens it
	 * further. All at once would stand in the way of its calls. */
	end = next + MAIL_PARTS_IN_FLIGHT;
	if (end > mail->parts)
		end = mail->parts;
	*from_out = mail->sent;
	if (end <= mail->sent)
		return 0;
	mail->sent = end;
	return end - *from_out;
}
