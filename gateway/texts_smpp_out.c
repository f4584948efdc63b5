/* texts_smpp_out.c - texts from the secure side to message centers, and what becomes of them. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/texts_smpp_priv.h"

#define MODULE "smpp"

/* ---- the text of an offer -------------------------------------------------------- */

static size_t placeholder_room(const Umsg__TextBody *body)
{
	static const char around[] = "\n[attachment: ]";
	size_t room = 0;

	for (size_t i = 0; i < body->n_attachments; i++)
		room += strlen(body->attachments[i]->name) + sizeof(around);
	return room;
}

/* The text with a line for each attachment, where the center wants that; NULL when memory is
 * out.  The caller frees it. */
static char *text_of(const struct port_center *pc, const Umsg__TextBody *body)
{
	bool lines = pc->config->attachments == CIG_ATTACHMENTS_PLACEHOLDER;
	size_t room = strlen(body->text) + 1 + (lines ? placeholder_room(body) : 0);
	char *text = malloc(room);
	struct buf out;

	if (!text)
		return NULL;
	out = buf_over(text, room);
	buf_put_str(&out, body->text);
	for (size_t i = 0; lines && i < body->n_attachments; i++)
		buf_printf(&out, "%s[attachment: %s]", out.len ? "\n" : "",
			   body->attachments[i]->name);
	return text;
}

/* ---- once and not again ---------------------------------------------------------- */

/* Where an unanswered text must not be sent twice, it is marked before its submit, durably:
 * after a crash nobody knows whether it went.  Returns true when it may go now. */
static bool may_go_once(struct port_center *pc, const struct text_offer *offer,
			enum text_answer *answer_out, char why[TEXT_WHY_SIZE])
{
	char mark[40];
	int err;

	if (pc->config->repeat_unanswered)
		return true;
	snprintf(mark, sizeof(mark), "once %016" PRIx64, pc->all->run);
	/* Marked in this run, so it has not gone. */
	if (strcmp(offer->note, mark) == 0)
		return true;
	if (*offer->note) {
		snprintf(why, TEXT_WHY_SIZE,
			 "it was on its way when the gateway stopped, and is not sent twice");
		*answer_out = TEXT_NEVER;
		return false;
	}
	err = text_port_keep(pc->port, offer->id, mark);
	snprintf(why, TEXT_WHY_SIZE, "%s", err ? strerror(-err) : "it is being marked");
	/* on_kept() asks for the offer again, with the mark durable. */
	pc->starting = true;
	*answer_out = TEXT_WAIT;
	return false;
}

/* ---- ops ------------------------------------------------------------------------- */

static int on_match(void *arg, const char *sender, const char *receiver,
		    struct cig_addresses *addresses_out)
{
	const struct port_center *pc = arg;

	return pc->config->writes &&
	       cig_translate_outward(&pc->config->write, slice_str(sender), slice_str(receiver),
				     addresses_out, NULL) == 1;
}

static enum text_answer submit(struct port_center *pc, const struct text_offer *offer,
			       char why[TEXT_WHY_SIZE])
{
	char *text = text_of(pc, offer->body);
	struct smpp_text out = { .from = offer->from,
				 .to = offer->to,
				 .text = text,
				 .end_s = offer->end_s,
				 .note = offer->note };
	int err;

	memcpy(out.key, offer->id, sizeof(out.key));
	snprintf(why, TEXT_WHY_SIZE, "out of memory");
	err = text ? smpp_center_submit(pc->center, &out, why) : -ENOMEM;
	free(text);
	/* -EINVAL is the text's fault; all else is the center's, or the moment's. */
	return err == 0 ? TEXT_IN_HAND : err == -EINVAL ? TEXT_NEVER : TEXT_WAIT;
}

static enum text_answer on_offer(void *arg, const struct text_offer *offer, char why[TEXT_WHY_SIZE])
{
	struct port_center *pc = arg;
	enum text_answer answer;

	if (pc->config->attachments == CIG_ATTACHMENTS_REFUSE && offer->body->n_attachments) {
		snprintf(why, TEXT_WHY_SIZE, "the message center takes no attachments");
		return TEXT_NEVER;
	}
	if (!may_go_once(pc, offer, &answer, why))
		return answer;
	return submit(pc, offer, why);
}

static void on_kept(void *arg)
{
	struct port_center *pc = arg;

	answers_send(pc, &pc->kept);
	if (pc->starting) {
		pc->starting = false;
		text_port_ready(pc->port);
	}
}

/* Texts whose receipts are awaited, in the order of their time. */
static void await(struct port_center *pc, const uint8_t id[UMSG_ID_SIZE])
{
	struct awaited *awaited = calloc(1, sizeof(*awaited));

	if (!awaited)
		return; /* then it counts at the text's end */
	memcpy(awaited->id, id, sizeof(awaited->id));
	awaited->until_ms = clock_mono_ms() + (int64_t)pc->config->receipt_timeout_s * 1000;
	*pc->awaited_tail = awaited;
	pc->awaited_tail = &awaited->next;
}

void center_tidy_awaited(struct port_center *pc, int64_t now_ms)
{
	while (pc->awaited && pc->awaited->until_ms <= now_ms) {
		struct awaited *awaited = pc->awaited;

		pc->awaited = awaited->next;
		/* of no effect where the receipt has come */
		text_port_delivered(pc->port, awaited->id);
		smpp_center_forget(pc->center, awaited->id);
		free(awaited);
	}
	if (!pc->awaited)
		pc->awaited_tail = &pc->awaited;
}

static void on_restored(void *arg, const uint8_t id[UMSG_ID_SIZE], const char *note)
{
	struct port_center *pc = arg;

	if (smpp_center_await(pc->center, id, note))
		log_warn(MODULE, "center=%s: no receipt can be awaited by \"%.80s\"", pc->name,
			 note);
	await(pc, id);
}

static void on_forget(void *arg, const uint8_t id[UMSG_ID_SIZE])
{
	const struct port_center *pc = arg;

	smpp_center_forget(pc->center, id);
}

const struct text_port_ops center_ops = {
	.match = on_match,
	.offer = on_offer,
	.kept = on_kept,
	.restored = on_restored,
	.forget = on_forget,
	.stored = center_stored,
	.forgotten = center_forgotten,
};

/* ---- what the center tells ------------------------------------------------------- */

static void on_taken(struct port_center *pc, const struct smpp_center_event *event)
{
	if (event->awaits && text_port_sent(pc->port, event->key, event->note) == 0) {
		await(pc, event->key);
		return;
	}
	smpp_center_forget(pc->center, event->key); /* a full disk: the receipt would be lost */
	text_port_delivered(pc->port, event->key);
}

/* Answered when what it brought is durable. */
static void on_receipt(struct port_center *pc, const struct smpp_center_event *event)
{
	if (answers_add(&pc->kept, &event->handle, NULL))
		log_warn(MODULE, "center=%s: out of memory, a receipt is not answered", pc->name);
	if (event->delivered)
		text_port_delivered(pc->port, event->key);
	else
		text_port_failed(pc->port, event->key, event->why);
}

static void on_state(struct port_center *pc, const struct smpp_center_event *event)
{
	text_port_trouble(pc->port, event->why);
	if (event->up)
		text_port_ready(pc->port);
}

void center_event(void *arg, const struct smpp_center_event *event)
{
	struct port_center *pc = arg;

	switch (event->kind) {
	case SMPP_STATE:
		on_state(pc, event);
		break;
	case SMPP_READY:
		text_port_ready(pc->port);
		break;
	case SMPP_PROGRESS:
		/* Which segments have gone, for a text of several; where nothing is repeated the
		 * mark stands there. */
		if (pc->config->repeat_unanswered)
			text_port_keep(pc->port, event->key, event->note);
		break;
	case SMPP_TAKEN:
		on_taken(pc, event);
		break;
	case SMPP_REFUSED:
		text_port_failed(pc->port, event->key, event->why);
		break;
	case SMPP_LATER:
		/* While it is not up nothing goes anyway: in its old place it waits for that. */
		text_port_later(pc->port, event->key, event->up ? CENTER_LATER_MS : 0, event->why);
		break;
	case SMPP_LOST:
		text_port_failed(pc->port, event->key,
				 "the message center did not answer, and it is not sent twice");
		break;
	case SMPP_RECEIPT:
		on_receipt(pc, event);
		break;
	case SMPP_INCOMING:
		center_incoming(pc, event->incoming);
		break;
	}
}
