/* texts_mailbox.c - write mailboxes: ports that put texts into files (CIG manual 2.9,
 * "Mailboxes").
 *
 * What all mailboxes are offered in a turn is one batch of files that shares its flushes of
 * the disk, so that the loop waits for few of them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/texts_priv.h"
#include "mailbox/message.h"
#include "mailbox/mime.h"

#define MODULE "texts"

struct write_box {
	struct write_box *next;
	struct texts_mailboxes *all;
	const struct cig_mailbox *config; /* of texts->config; NULL while that changes */
	char *path;
	struct text_port *port;
	struct maildir *maildir; /* NULL: not usable now */
};

/* A file on its way into a mailbox. */
struct attempt {
	struct write_box *box;
	uint8_t id[UMSG_ID_SIZE];
	char name[MAILDIR_NAME_SIZE];
	uint8_t *octets;
};

struct texts_mailboxes {
	struct texts *texts;
	struct write_box *boxes;
	struct attempt attempts[TEXTS_BATCH];
	struct maildir_item items[TEXTS_BATCH];
	size_t n; /* of both */
};

/* ---- the file ---- */

static int fill_message(struct message *m, const struct text_offer *offer)
{
	const Umsg__TextBody *body = offer->body;
	int err = message_set(&m->from, slice_str(offer->from));

	memcpy(m->id, offer->id, sizeof(m->id));
	if (!err)
		err = message_set(&m->to, slice_str(offer->to));
	if (!err)
		err = message_set(&m->sender_uri, slice_str(offer->sender));
	if (!err && *offer->sender_domain)
		err = message_set(&m->sender_domain, slice_str(offer->sender_domain));
	if (!err)
		err = message_set(&m->text, slice_str(body->text));
	for (size_t i = 0; !err && i < body->n_attachments; i++) {
		const Umsg__Attachment *a = body->attachments[i];

		err = message_attach(m, slice_str(a->name), slice_str(a->type),
				     slice_of(a->data.data, a->data.len));
	}
	m->date_s = offer->sent_s;
	m->end_s = offer->end_s;
	m->auto_submitted = (enum message_auto)body->auto_submitted; /* the same order */
	m->responder = (enum message_responder)body->responder;
	return err;
}

/* Returns 0, -ENOMEM, or a final -errno with why. */
static int make_file(const struct text_offer *offer, uint8_t **octets_out, size_t *n_out,
		     char why[TEXT_WHY_SIZE])
{
	struct diag *diag = diag_new();
	struct message m;
	int err;

	message_init(&m);
	err = fill_message(&m, offer);
	if (!err)
		err = mime_write(&m, octets_out, n_out, diag);
	if (err)
		snprintf(why, TEXT_WHY_SIZE, "%s",
			 diag_errors(diag) ? diag_first_error(diag) : strerror(-err));
	message_clear(&m);
	diag_free(&diag);
	return err;
}

/* ---- the batch ---- */

static void settle(struct attempt *attempt, int result)
{
	struct write_box *box = attempt->box;
	const char *why = result ? strerror(-result) : "";

	/* A full disk, a lost directory: what fails here may come right. */
	text_port_trouble(box->port, why);
	if (result)
		text_port_later(box->port, attempt->id, 0, why);
	else
		text_port_delivered(box->port, attempt->id);
	free(attempt->octets);
}

static void flush(struct texts_mailboxes *all)
{
	size_t n = all->n;

	maildir_deliver_batch(all->items, n);
	all->n = 0;
	for (size_t i = 0; i < n; i++)
		settle(&all->attempts[i], all->items[i].result);
}

static void on_flush(void *arg)
{
	const struct write_box *box = arg;

	flush(box->all);
}

static int on_match(void *arg, const char *sender, const char *receiver,
		    struct cig_addresses *addresses_out)
{
	const struct write_box *box = arg;

	return cig_translate_outward(&box->config->maps, slice_str(sender), slice_str(receiver),
				     addresses_out, NULL) == 1;
}

static bool open_box(struct write_box *box, char why[TEXT_WHY_SIZE])
{
	if (!box->maildir) { /* it may be back */
		texts_open_maildir(box->all->texts, box->path, &box->maildir, why);
		text_port_trouble(box->port, why);
	}
	return box->maildir != NULL;
}

static enum text_answer on_offer(void *arg, const struct text_offer *offer, char why[TEXT_WHY_SIZE])
{
	struct write_box *box = arg;
	struct texts_mailboxes *all = box->all;
	struct attempt *attempt = &all->attempts[all->n];
	size_t n;
	int err;

	if (!open_box(box, why))
		return TEXT_WAIT;
	err = make_file(offer, &attempt->octets, &n, why);
	if (err)
		return err == -ENOMEM ? TEXT_WAIT : TEXT_NEVER;
	attempt->box = box;
	memcpy(attempt->id, offer->id, sizeof(attempt->id));
	/* Made of message and mailbox, so that a retry finds its file and writes no second. */
	maildir_name(offer->sent_s, offer->id, box->path, attempt->name);
	all->items[all->n++] = (struct maildir_item){ .to = box->maildir,
						      .name = attempt->name,
						      .content = slice_of(attempt->octets, n) };
	if (all->n == TEXTS_BATCH)
		flush(all);
	return TEXT_IN_HAND;
}

static const struct text_port_ops mailbox_ops = {
	.match = on_match,
	.offer = on_offer,
	.flush = on_flush,
};

/* ---- life ---- */

static void free_box(struct write_box *box)
{
	texts_remove_port(&box->port);
	maildir_free(&box->maildir);
	free(box->path);
	free(box);
}

static int add_box(struct texts_mailboxes *all, const struct cig_mailbox *config)
{
	struct write_box *box = calloc(1, sizeof(*box));
	char why[TEXT_WHY_SIZE];
	int err;

	if (!box)
		return -ENOMEM;
	box->all = all;
	box->config = config;
	box->path = strdup(config->path);
	err = box->path ? texts_add_port(all->texts, box->path, "mailbox", &mailbox_ops, box,
					 &box->port)
			: -ENOMEM;
	if (err) {
		free_box(box);
		return err;
	}
	box->next = all->boxes;
	all->boxes = box;
	open_box(box, why);
	return 0;
}

static struct write_box *find_box(struct texts_mailboxes *all, const char *path)
{
	struct write_box *box = all->boxes;

	while (box && strcmp(box->path, path) != 0)
		box = box->next;
	return box;
}

int texts_change_mailboxes(struct texts *texts)
{
	struct texts_mailboxes *all = texts->mailboxes;
	const struct cig_config *config = texts->config;
	int err = 0;

	for (struct write_box *box = all->boxes; box; box = box->next)
		box->config = NULL;
	for (size_t i = 0; !err && i < config->write_mailbox_count; i++) {
		const struct cig_mailbox *mailbox = &config->write_mailboxes[i];
		struct write_box *box = find_box(all, mailbox->path);

		if (box) {
			box->config = mailbox;
			maildir_free(&box->maildir); /* mail_group may be another */
		} else {
			err = add_box(all, mailbox);
		}
	}
	for (struct write_box **at = &all->boxes; *at;) {
		struct write_box *box = *at;

		if (box->config) {
			at = &box->next;
			continue;
		}
		*at = box->next;
		free_box(box);
	}
	return err;
}

/* What waits there is tried anyway; without, nobody would find out that all is well again. */
void texts_reopen_mailboxes(struct texts *texts)
{
	char why[TEXT_WHY_SIZE];

	for (struct write_box *box = texts->mailboxes->boxes; box; box = box->next) {
		const struct text_port *port = box->port;

		if (!*port->trouble || port->queue.waiting || port->queue.put_off || port->in_hand)
			continue;
		maildir_free(&box->maildir);
		open_box(box, why);
	}
}

int texts_open_mailboxes(struct texts *texts)
{
	texts->mailboxes = calloc(1, sizeof(*texts->mailboxes));
	if (!texts->mailboxes)
		return -ENOMEM;
	texts->mailboxes->texts = texts;
	return texts_change_mailboxes(texts);
}

void texts_close_mailboxes(struct texts *texts)
{
	struct texts_mailboxes *all = texts->mailboxes;

	while (all && all->boxes) {
		struct write_box *box = all->boxes;

		all->boxes = box->next;
		free_box(box);
	}
	free(all);
	texts->mailboxes = NULL;
}
