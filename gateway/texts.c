#include "gateway/texts_priv.h"

#include <errno.h>
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

void texts_schedule(struct texts *texts)
{
	event_active(texts->turn, EV_TIMEOUT, 0);
}

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

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct texts *texts = arg;

	(void)fd;
	(void)what;
	if (sync_journal(texts))
		return;
	texts_say_taken(texts);
	texts_drop_acked(texts);
	texts_deliver(texts);
	if (texts->files_wait)
		texts_scan(texts);
	if (texts->dirty)
		texts_schedule(texts); /* what was just done is told after the next sync */
	else
		texts_post_due(texts);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct texts *texts = arg;
	int64_t now_ms = clock_mono_ms();

	(void)fd;
	(void)what;
	if (now_ms >= texts->next_tidy_ms) {
		texts->next_tidy_ms = now_ms + TEXTS_TIDY_MS;
		texts_forget_sent(texts, clock_wall_s());
		journal_tidy(texts->journal, clock_wall_s());
	}
	if (texts->refetch_ms && texts->refetch_ms <= now_ms && texts->client) {
		texts->refetch_ms = 0;
		umsg_client_fetch(texts->client);
	}
	texts_reopen_read_boxes(texts);
	texts_schedule(texts);
	timer_arm(texts->retry, TEXTS_RETRY_MS);
}

struct restoring {
	struct texts *texts;
	int err;
};

static bool restore_entry(void *arg, const struct journal_entry *entry)
{
	struct restoring *restoring = arg;

	if (entry->finished)
		return true;
	if (entry->key.kind == TEXTS_INWARD)
		restoring->err = texts_queue_inward(restoring->texts, &entry->key);
	else if (entry->key.kind == TEXTS_OUTWARD || entry->key.kind == TEXTS_RECEIPT)
		restoring->err = texts_restore_outward(restoring->texts, &entry->key);
	return restoring->err == 0;
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
	return restoring.err;
}

const char *texts_id_text(const uint8_t id[UMSG_ID_SIZE], char out[TEXTS_ID_TEXT])
{
	base64_encode(BASE64_STANDARD, slice_of(id, UMSG_ID_SIZE), out);
	return out;
}

void texts_note_trouble(const char *path, int *trouble, int err, const char *why)
{
	if (err == *trouble)
		return;
	*trouble = err;
	if (err)
		log_warn(MODULE, "mailbox %s is not usable, and tried again: %s", path,
			 why ? why : strerror(-err));
	else
		log_info(MODULE, "mailbox %s is usable now", path);
}

int texts_open_maildir(const char *path, int *trouble, struct maildir **maildir_out)
{
	struct diag *diag = diag_new();
	int err = maildir_open(path, maildir_out, diag);

	texts_note_trouble(path, trouble, err, diag_errors(diag) ? diag_first_error(diag) : NULL);
	diag_free(&diag);
	return err;
}

static int open_write_boxes(struct texts *texts)
{
	const struct cig_config *config = texts->config;

	texts->write = calloc(config->write_mailbox_count + 1, sizeof(*texts->write));
	if (!texts->write)
		return -ENOMEM;
	for (; texts->n_write < config->write_mailbox_count; texts->n_write++) {
		struct write_box *box = &texts->write[texts->n_write];

		box->config = &config->write_mailboxes[texts->n_write];
		texts_open_maildir(box->config->path, &box->trouble, &box->maildir);
	}
	return 0;
}

static int start(struct texts *texts, struct diag *diag)
{
	int err;

	texts->turn = event_new(texts->base, -1, 0, on_turn, texts);
	texts->retry = evtimer_new(texts->base, on_retry, texts);
	if (!texts->turn || !texts->retry)
		return -ENOMEM;
	err = open_write_boxes(texts);
	if (!err)
		err = texts_open_read_boxes(texts);
	if (!err)
		err = open_journal(texts, diag);
	if (!err)
		on_retry(-1, 0, texts);
	return err;
}

int texts_new(struct event_base *base, const struct cig_config *config, const struct texts_ops *ops,
	      void *arg, struct texts **texts_out, struct diag *diag)
{
	struct texts *texts = calloc(1, sizeof(*texts));
	int err;

	if (!texts)
		return -ENOMEM;
	texts->base = base;
	texts->config = cig_config_hold(config);
	texts->ops = ops;
	texts->arg = arg;
	texts->taken_tail = &texts->taken;
	texts->fresh.tail = &texts->fresh.head;
	texts->stuck.tail = &texts->stuck.head;
	texts->outward_tail = &texts->outward;
	err = start(texts, diag);
	if (err) {
		texts_free(&texts);
		return err;
	}
	*texts_out = texts;
	return 0;
}

static void free_inward(struct inward_queue *queue)
{
	while (queue->head) {
		struct inward *in = queue->head;

		queue->head = in->next;
		free(in);
	}
}

static void free_queues(struct texts *texts)
{
	while (texts->taken) {
		struct taken *taken = texts->taken;

		texts->taken = taken->next;
		free(taken);
	}
	free_inward(&texts->fresh);
	free_inward(&texts->stuck);
	while (texts->outward) {
		struct outward *out = texts->outward;

		texts->outward = out->next;
		free(out);
	}
}

void texts_free(struct texts **textsp)
{
	struct texts *texts = *textsp;

	if (!texts)
		return;
	*textsp = NULL;
	texts_close_read_boxes(texts);
	for (size_t i = 0; i < texts->n_write; i++)
		maildir_free(&texts->write[i].maildir);
	free(texts->write);
	free_queues(texts);
	if (texts->journal && texts->dirty)
		journal_sync(texts->journal);
	journal_free(&texts->journal);
	if (texts->turn)
		event_free(texts->turn);
	if (texts->retry)
		event_free(texts->retry);
	cig_config_release(&texts->config);
	free(texts);
}

void texts_set_client(struct texts *texts, struct umsg_client *client, const char *own_uri)
{
	texts->client = client;
	snprintf(texts->own_uri, sizeof(texts->own_uri), "%s", own_uri);
	if (client)
		texts_scan(texts);
}

void texts_attached(struct texts *texts)
{
	for (struct outward *out = texts->outward; out; out = out->next)
		out->posted = false; /* their PostAcks were lost with the connection */
	for (size_t i = 0; i < texts->n_read; i++)
		texts->read[i].n_resting = 0;
	texts_schedule(texts);
	texts_scan(texts);
}

static void report_box(json_t *boxes, const struct cig_mailbox *config, const char *kind,
		       int trouble)
{
	json_array_append_new(boxes, json_pack("{s:s, s:s, s:s, s:s}", "path", config->path, "kind",
					       kind, "state", trouble ? "NOT USABLE" : "OK",
					       "reason", trouble ? strerror(-trouble) : ""));
}

json_t *texts_report(const struct texts *texts)
{
	json_t *boxes = json_array();

	for (size_t i = 0; i < texts->n_read; i++)
		report_box(boxes, texts->read[i].config, "read", texts->read[i].trouble);
	for (size_t i = 0; i < texts->n_write; i++)
		report_box(boxes, texts->write[i].config, "write", texts->write[i].trouble);
	return json_pack("{s:I, s:s, s:o}", "queued",
			 (json_int_t)(texts->n_inward + texts->n_outward), "journal",
			 texts->journal_trouble ? strerror(-texts->journal_trouble) : "",
			 "mailboxes", boxes);
}
