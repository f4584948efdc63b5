/* home_mail_store.c - what the mailboxes of a home want of redis_low.
 *
 * Messages are found again by recipient, sender and id when an answer comes: meanwhile they
 * may have been taken, or refused because the store was lost.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/log.h"
#include "rendezvous/home_priv.h"
#include "rendezvous/store.h"

/* What a command to the store has to find its mail by when it is answered. */
struct mail_wait {
	struct home *home;
	uint32_t index;           /* of a part */
	bool has_parts, orphan;   /* orphan: nothing but the copy of its parts is waited for */
	int copy_err;             /* of the parts of a post to a channel */
	struct slice uri, sender; /* both in text */
	uint8_t id[MAIL_ID_SIZE];
	uint8_t text[];
};

/* Of a mail, or (NULL) of all that uri has. */
static struct mail_wait *new_wait(struct home *home, const char *uri, const struct mail *mail)
{
	size_t uri_n = strlen(uri), sender_n = mail ? strlen(mail->sender) : 0;
	struct mail_wait *wait = calloc(1, sizeof(*wait) + uri_n + sender_n);

	if (!wait)
		return NULL;
	wait->home = home;
	wait->uri = slice_of(wait->text, uri_n);
	memcpy(wait->text, uri, uri_n);
	if (mail) {
		wait->sender = slice_of(wait->text + uri_n, sender_n);
		memcpy(wait->text + uri_n, mail->sender, sender_n);
		memcpy(wait->id, mail->id, sizeof(wait->id));
	}
	return wait;
}

/* ---- the index ---- */

static void on_load_item(void *arg, const struct store_item *item)
{
	struct mail_wait *wait = arg;
	struct mail_item mail = {
		.sender = item->sender,
		.account = item->account,
		.id = item->id,
		.number = item->number,
		.end_s = item->end_s,
		.parts = item->parts,
		.kind = item->kind,
		.channel = item->channel,
		.octets = item->post.n,
	};

	mailboxes_loaded_item(wait->home->mailboxes, wait->uri, &mail);
}

static void on_load_done(void *arg, int err, uint64_t number)
{
	struct mail_wait *wait = arg;

	mailboxes_loaded(wait->home->mailboxes, wait->uri, err, number, clock_mono_ms(),
			 clock_wall_s());
	free(wait);
}

int home_load_mail(void *arg, const char *uri, uint64_t after)
{
	const struct store_page page = { .after = after, .count = STORE_READ_PAGE };
	struct home *home = arg;
	struct mail_wait *wait = new_wait(home, uri, NULL);
	int err;

	if (!wait)
		return -ENOMEM;
	err = store_read(worker_store(home->worker), slice_str(uri), &page, on_load_item,
			 on_load_done, wait);
	if (err)
		free(wait);
	return err;
}

/* ---- a whole message ---- */

static void write_part_key(struct slice id, struct slice sender, char out[HOME_PART_KEY])
{
	char hex[HEX_TEXT_SIZE(MAIL_ID_SIZE)];

	hex_encode(id, hex);
	snprintf(out, HOME_PART_KEY, "%s:%.*s", hex, (int)sender.n, (const char *)sender.p);
}

void home_part_key(const struct mail *mail, char out[HOME_PART_KEY])
{
	write_part_key(home_mail_id(mail), slice_str(mail->sender), out);
}

void home_drop_parts(struct home *home, struct slice uri, struct slice sender, struct slice id)
{
	char key[HOME_PART_KEY];

	write_part_key(id, sender, key);
	/* Its answer says nothing that could be acted on: what is left goes at the end of its
	 * time. */
	store_part_delete(worker_store(home->worker), uri, key);
}

static void on_stored(void *arg, int err, uint64_t number)
{
	struct mail_wait *wait = arg;
	struct home *home = wait->home;
	struct slice id = slice_of(wait->id, MAIL_ID_SIZE);

	if (!err && wait->copy_err) { /* a head without its body: nobody shall wait for it */
		store_delete(worker_store(home->worker), wait->uri, number);
		err = wait->copy_err;
	}
	if (!err)
		worker_figure(home->worker, FIGURE_STORED);
	else if (wait->has_parts) /* they would be kept as long as the message */
		home_drop_parts(home, wait->uri, wait->sender, id);
	mailboxes_stored(home->mailboxes, wait->uri, wait->sender, id, err, number,
			 clock_mono_ms());
	free(wait);
}

/* Comes before on_stored(), for the store answers in the order in which it was asked. */
static void on_copied(void *arg, int err, uint64_t number)
{
	struct mail_wait *wait = arg;

	(void)number;
	wait->copy_err = err;
	if (wait->orphan)
		free(wait);
}

/* The parts of a post to a channel lie under the channel's name until every member has his
 * own ones. */
static int copy_parts(struct home *home, const char *uri, const struct mail *mail,
		      struct mail_wait *wait)
{
	char key[HOME_PART_KEY];

	home_part_key(mail, key);
	return store_part_copy(worker_store(home->worker), slice_str(mail->channel), slice_str(uri),
			       key, on_copied, wait);
}

int home_store_mail(void *arg, const char *uri, const struct mail *mail)
{
	struct home *home = arg;
	struct store *store = worker_store(home->worker);
	struct mail_wait *wait = new_wait(home, uri, mail);
	struct store_item item = {
		.sender = slice_str(mail->sender),
		.id = home_mail_id(mail),
		.account = slice_str(mail->account),
		.kind = mail->kind,
		.end_s = mail->end_s,
		.parts = mail->parts,
		.channel = mail->channel ? slice_str(mail->channel) : slice_of(NULL, 0),
		.post = slice_of(mail->post, mail->post_n),
	};
	bool copies = mail->parts > 1 && mail->channel;
	char key[HOME_PART_KEY];
	int err;

	if (!wait)
		return -ENOMEM;
	wait->has_parts = mail->parts > 1;
	if (copies && (err = copy_parts(home, uri, mail, wait))) {
		free(wait);
		return err;
	}
	if (wait->has_parts) {
		home_part_key(mail, key);
		/* Before the message itself: parts that outlive it do no harm, a message whose
		 * parts have gone can never be read. */
		store_part_keep(store, slice_str(uri), key, mail->end_s);
	}
	err = store_add(store, slice_str(uri), &item, mail->keep_until_s, on_stored, wait);
	if (err && copies)
		wait->orphan = true; /* on_copied() has it still */
	else if (err)
		free(wait);
	return err;
}

void home_discard_mail(void *arg, const char *uri, const struct mail *mail)
{
	struct home *home = arg;
	struct store *store = worker_store(home->worker);

	if (mail->number && mail_is_oldest(mail)) /* whoever fetches takes in this order */
		store_delete_to(store, slice_str(uri), mail->number);
	else if (mail->number)
		store_delete(store, slice_str(uri), mail->number);
	/* Parts behind their message: a crash between leaves parts, which end by themselves, and
	 * no message without them. */
	if (mail->parts > 1)
		home_drop_parts(home, slice_str(uri), slice_str(mail->sender), home_mail_id(mail));
}

/* ---- a part ---- */

static void on_part_stored(void *arg, int err, uint64_t number)
{
	struct mail_wait *wait = arg;

	(void)number;
	mailboxes_part_stored(wait->home->mailboxes, wait->uri, wait->sender,
			      slice_of(wait->id, MAIL_ID_SIZE), wait->index, err, clock_mono_ms());
	free(wait);
}

int home_store_part(void *arg, const char *uri, const struct mail *mail, uint32_t index,
		    struct slice record)
{
	struct home *home = arg;
	struct store *store = worker_store(home->worker);
	struct mail_wait *wait = new_wait(home, uri, mail);
	char key[HOME_PART_KEY];
	int err = 0;

	if (!wait)
		return -ENOMEM;
	wait->index = index;
	home_part_key(mail, key);
	/* What an interrupted post of before a restart or a refusal left would stand before it,
	 * and nobody could open the message. */
	if (index == 1)
		err = store_part_delete(store, slice_str(uri), key);
	if (!err)
		err = store_part_add(store, slice_str(uri), key, record, on_part_stored, wait);
	if (err)
		free(wait);
	return err;
}
