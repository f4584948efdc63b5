/* texts.c - the turn of the loop in which everything about texts happens, and the
 * order in which its parts begin and end. */
#include "gateway/texts_priv.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/timer.h"

#define MODULE "texts"

/* ---- small things for all files of texts ---- */

void texts_schedule(struct texts *texts)
{
	/* Made active, not called: the turn comes behind all events that are there already,
	 * however often it is asked for. */
	event_active(texts->turn, EV_TIMEOUT, 0);
}

void texts_touch(struct texts *texts)
{
	texts->dirty = true;
	texts_schedule(texts);
}

const char *texts_id_text(const uint8_t id[UMSG_ID_SIZE], char out[TEXTS_ID_TEXT])
{
	base64_encode(BASE64_STANDARD, slice_of(id, UMSG_ID_SIZE), out);
	return out;
}

void texts_set_why(char **at, const char *why)
{
	if (*at && strcmp(*at, why) == 0)
		return;
	free(*at);
	*at = *why ? strdup(why) : NULL;
}

/* Files that its members cannot read are of no use to anybody: it is told, and goes on. */
static void check_group(const struct texts *texts, const struct maildir *maildir)
{
	int err = texts->mail_gid == (gid_t)-1 ? 0 : maildir_check_group(maildir);

	if (err)
		log_warn(MODULE,
			 "mailbox %s: members of the group %s have not all rights in it "
			 "(create_cig_maildir sets it right): %s",
			 maildir_path(maildir), texts->config->mail_group, strerror(-err));
}

int texts_open_maildir(const struct texts *texts, const char *path, struct maildir **maildir_out,
		       char why[TEXT_WHY_SIZE])
{
	struct diag *diag = diag_new();
	int err = maildir_open(path, maildir_out, diag);

	snprintf(why, TEXT_WHY_SIZE, "%s",
		 !err                ? ""
		 : diag_errors(diag) ? diag_first_error(diag)
				     : strerror(-err));
	diag_free(&diag);
	if (err)
		return err;
	maildir_set_group(*maildir_out, texts->mail_gid);
	check_group(texts, *maildir_out);
	return 0;
}

/* Without the group files have that of their folder, as the file system does it. */
static void find_mail_group(struct texts *texts)
{
	const struct cig_config *config = texts->config;
	const struct group *group = *config->mail_group ? getgrnam(config->mail_group) : NULL;

	texts->mail_gid = group ? group->gr_gid : (gid_t)-1;
	if (!group && *config->mail_group &&
	    config->read_mailbox_count + config->write_mailbox_count)
		log_warn(MODULE, "mail_group: there is no group %s", config->mail_group);
}

/* ---- the turn ---- */

/* One sync covers all changes of the turn; only then is anybody told. */
static int sync_journal(struct texts *texts)
{
	int err = texts->dirty ? journal_sync(texts->journal) : 0;

	texts->dirty = false;
	if (!err)
		return 0;
	log_warn(MODULE, "the message journal cannot be written: cig-server stops, and goes on "
			 "where it was when it is started again");
	texts->ops->broken(texts->arg);
	return err;
}

void texts_give_up(struct texts *texts)
{
	texts->ops->broken(texts->arg);
}

/* Runs after the events of the loop.  What is told comes before what is begun: a peer that
 * waits for its answer waits for no new work. */
static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct texts *texts = arg;

	(void)fd;
	(void)what;
	/* A journal that cannot be written ends the program: what is told from then on could be
	 * forgotten. */
	if (sync_journal(texts))
		return;
	texts_say_taken(texts);
	texts_tell_kept(texts);
	texts_tell_posts(texts);
	texts_offer(texts);
	texts_conclude(texts);
	if (texts_files_wait(texts))
		texts_scan(texts);
	if (texts->dirty)
		texts_schedule(texts); /* what was just done is told after the next sync */
	else
		texts_post_due(texts);
}

/* Goes on with the journal's file while it is being written anew. */
static void on_tidy(evutil_socket_t fd, short what, void *arg)
{
	struct texts *texts = arg;

	(void)fd;
	(void)what;
	if (journal_tidy(texts->journal, clock_wall_s(), texts_no_receipt, texts) == 1)
		timer_arm(texts->tidy, TEXTS_TIDY_MS);
}

static void refetch(struct texts *texts)
{
	if (!texts->refetch_ms || texts->refetch_ms > clock_mono_ms() || !texts->client)
		return;
	texts->refetch_ms = 0;
	umsg_client_fetch(texts->client);
}

/* What no event tells: lifetimes that end, directories and disks that are back, the journal's
 * own housekeeping.  Every two seconds, each a bounded piece of work. */
static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct texts *texts = arg;

	(void)fd;
	(void)what;
	on_tidy(-1, 0, texts);
	refetch(texts);
	texts_ask_again(texts);
	texts_expire(texts);
	texts_reopen_reader(texts);
	texts_reopen_mailboxes(texts);
	texts_schedule(texts);
	timer_arm(texts->retry, TEXTS_RETRY_MS);
}

/* ---- life ---- */

struct restoring {
	struct texts *texts;
	struct journal_key last; /* of the entry that was put last */
	int64_t last_end_s;
	int err;
};

static bool restore_entry(void *arg, const struct journal_entry *entry)
{
	struct restoring *restoring = arg;

	restoring->last = entry->key;
	restoring->last_end_s = entry->end_s;
	/* An end that is only remembered, so that a repeat is known. */
	if (entry->finished)
		return true;
	switch (entry->key.kind) {
	case TEXTS_INWARD:
		restoring->err = texts_restore_inward(restoring->texts, entry);
		break;
	case TEXTS_OUTWARD:
	case TEXTS_RECEIPT:
	case TEXTS_SUBMITTED:
		restoring->err = texts_restore_outward(restoring->texts, &entry->key);
		break;
	default: /* awaited Receipts stay on disk */
		break;
	}
	return restoring->err == 0;
}

/* A Receipt is awaited from just before its post is put (texts_submit.c).  Where nothing follows, a
 * crash came between the two: nothing went out under that id, and at its end somebody would be told
 * that his text was lost, which went under another one.  Behind its end this is not known: the post
 * ends no sooner (texts_post.c), and is forgotten then. */
static void await_no_more(struct texts *texts, const struct restoring *restoring)
{
	if (restoring->last.kind == TEXTS_SENT && restoring->last_end_s > clock_wall_s() &&
	    journal_finish(texts->journal, &restoring->last) == 0)
		texts->dirty = true;
}

static int open_journal(struct texts *texts, struct diag *diag)
{
	struct restoring restoring = { .texts = texts };
	char path[PATH_MAX];
	int err;

	snprintf(path, sizeof(path), "%s/messages.journal", texts->config->userdata);
	err = journal_open(path, clock_wall_s(), &texts->journal, diag);
	if (err)
		return err;
	journal_each(texts->journal, restore_entry, &restoring);
	if (!restoring.err)
		await_no_more(texts, &restoring);
	return restoring.err;
}

static int make_maps(struct texts *texts)
{
	int err = idhash_init(&texts->hash);

	if (!err)
		err = idmap_init(&texts->inward);
	if (!err)
		err = idmap_init(&texts->posts_by_key);
	if (!err)
		err = idmap_init(&texts->posts_by_id);
	return err;
}

/* The journal comes before the mailboxes: its entries make the ports that they name, and a
 * mailbox then finds what waits for it. */
static int start(struct texts *texts, struct diag *diag)
{
	int err;

	texts->turn = event_new(texts->base, -1, 0, on_turn, texts);
	texts->retry = evtimer_new(texts->base, on_retry, texts);
	texts->tidy = evtimer_new(texts->base, on_tidy, texts);
	if (!texts->turn || !texts->retry || !texts->tidy)
		return -ENOMEM;
	find_mail_group(texts);
	err = make_maps(texts);
	if (!err)
		err = open_journal(texts, diag);
	if (!err)
		err = texts_open_mailboxes(texts);
	if (!err)
		err = texts_open_reader(texts);
	/* In the loop's first turn, when those ports are there, too, that others add: a notice
	 * about a text whose end has come meanwhile goes by the way it came. */
	if (!err)
		timer_arm(texts->retry, 0);
	return err;
}

int texts_new(struct event_base *base, const struct cig_config *config, const struct texts_ops *ops,
	      void *arg, struct texts **texts_out, struct diag *diag)
{
	struct texts *texts = calloc(1, sizeof(*texts));
	int64_t now_ms = clock_mono_ms();
	int err;

	if (!texts)
		return -ENOMEM;
	texts->base = base;
	texts->config = cig_config_hold(config);
	texts->ops = ops;
	texts->arg = arg;
	texts->taken_tail = &texts->taken;
	texts->ports_tail = &texts->ports;
	texts->all_tail = &texts->all;
	texts->fresh_tail = &texts->fresh;
	texts->acked_tail = &texts->acked;
	texts_queue_init(&texts->done, now_ms);
	texts_queue_init(&texts->posts, now_ms);
	err = start(texts, diag);
	if (err) {
		texts_free(&texts);
		return err;
	}
	*texts_out = texts;
	return 0;
}

static void free_taken(struct texts *texts)
{
	while (texts->taken) {
		struct taken *taken = texts->taken;

		texts->taken = taken->next;
		free(taken);
	}
}

void texts_free(struct texts **textsp)
{
	struct texts *texts = *textsp;

	if (!texts)
		return;
	*textsp = NULL;
	/* Ports go first: they give back what they have in hand. */
	texts_close_reader(texts);
	texts_close_mailboxes(texts);
	texts_drop_held(texts, NULL);
	free_taken(texts);
	texts_forget_outward(texts);
	texts_forget_inward(texts);
	texts_free_ports(texts);
	idmap_done(&texts->inward);
	idmap_done(&texts->posts_by_key);
	idmap_done(&texts->posts_by_id);
	if (texts->journal && texts->dirty)
		/* Best effort: what is lost here was told to nobody. */
		journal_sync(texts->journal);
	journal_free(&texts->journal);
	if (texts->turn)
		event_free(texts->turn);
	if (texts->retry)
		event_free(texts->retry);
	if (texts->tidy)
		event_free(texts->tidy);
	cig_config_release(&texts->config);
	free(texts);
}

int texts_set_config(struct texts *texts, const struct cig_config *config)
{
	const struct cig_config *before = texts->config;
	int err;

	/* The reader's files point into the old configuration until it is opened anew. */
	texts_close_reader(texts);
	texts->config = cig_config_hold(config);
	find_mail_group(texts);
	err = texts_change_mailboxes(texts);
	if (!err)
		err = texts_open_reader(texts);
	cig_config_release(&before);
	texts_scan(texts);
	texts_schedule(texts);
	return err;
}

void texts_set_client(struct texts *texts, struct umsg_client *client, const char *own_uri)
{
	texts->client = client;
	snprintf(texts->own_uri, sizeof(texts->own_uri), "%s", own_uri);
	if (client)
		texts_scan(texts);
}

const char *texts_own_uri(const struct texts *texts)
{
	return texts->own_uri;
}

/* The rendezvous forgets what was posted on the old connection and not answered; what rested
 * for want of keys or of a trusted domain may go now. */
void texts_attached(struct texts *texts)
{
	texts_post_again(texts);
	texts_ask_again(texts);
	texts_wake_reader(texts);
	texts_schedule(texts);
	texts_scan(texts);
}
