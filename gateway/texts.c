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

#define MODULE "texts"

void texts_schedule(struct texts *texts)
{
	event_active(texts->turn, EV_TIMEOUT, 0);
}

/* One sync covers all changes of the turn; only then is anybody told. */
static void sync_journal(struct texts *texts)
{
	if (!texts->dirty)
		return;
	texts->dirty = false;
	if (journal_sync(texts->journal) == 0)
		return;
	log_warn(MODULE, "the message journal cannot be written: cig-server stops, and goes on "
			 "where it was when it is started again");
	exit(EXIT_FAILURE);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct texts *texts = arg;

	(void)fd;
	(void)what;
	sync_journal(texts);
	texts_take_inward(texts);
	texts_drop_acked(texts);
	texts_deliver(texts);
	if (texts->dirty)
		texts_schedule(texts); /* what was just done is told after the next sync */
	else
		texts_post_due(texts);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval tv = { .tv_sec = TEXTS_RETRY_MS / 1000 };
	struct texts *texts = arg;
	int64_t now_ms = clock_mono_ms();

	(void)fd;
	(void)what;
	if (now_ms >= texts->next_tidy_ms) {
		texts->next_tidy_ms = now_ms + TEXTS_TIDY_MS;
		journal_tidy(texts->journal, clock_wall_s());
	}
	texts_schedule(texts);
	event_add(texts->retry, &tv);
}

static bool restore_entry(void *arg, const struct journal_entry *entry)
{
	struct texts *texts = arg;

	if (entry->finished)
		return true;
	if (entry->key.kind == TEXTS_INWARD)
		texts_restore_inward(texts, &entry->key);
	else if (entry->key.kind == TEXTS_OUTWARD || entry->key.kind == TEXTS_RECEIPT)
		texts_restore_outward(texts, &entry->key);
	return true;
}

static int open_journal(struct texts *texts, struct diag *diag)
{
	char path[PATH_MAX];
	int err;

	snprintf(path, sizeof(path), "%s/messages.journal", texts->config->userdata);
	err = journal_open(path, clock_wall_s(), &texts->journal, diag);
	if (!err)
		journal_each(texts->journal, restore_entry, texts);
	return err;
}

static int open_write_boxes(struct texts *texts, struct diag *diag)
{
	const struct cig_config *config = texts->config;

	texts->write = calloc(config->write_mailbox_count + 1, sizeof(*texts->write));
	if (!texts->write)
		return -ENOMEM;
	for (; texts->n_write < config->write_mailbox_count; texts->n_write++) {
		struct write_box *box = &texts->write[texts->n_write];

		box->config = &config->write_mailboxes[texts->n_write];
		if (maildir_open(box->config->path, &box->maildir, diag))
			log_warn(MODULE, "write mailbox %s is not usable", box->config->path);
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
	err = open_write_boxes(texts, diag);
	if (!err)
		err = texts_open_read_boxes(texts, diag);
	if (!err)
		err = open_journal(texts, diag);
	if (!err)
		on_retry(-1, 0, texts);
	return err;
}

int texts_new(struct event_base *base, const struct cig_config *config, struct texts **texts_out,
	      struct diag *diag)
{
	struct texts *texts = calloc(1, sizeof(*texts));
	int err;

	if (!texts)
		return -ENOMEM;
	texts->base = base;
	texts->config = cig_config_hold(config);
	texts->outward_tail = &texts->outward;
	err = start(texts, diag);
	if (err) {
		texts_free(&texts);
		return err;
	}
	*texts_out = texts;
	return 0;
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
	while (texts->inward) {
		struct inward *in = texts->inward;

		texts->inward = in->next;
		free(in);
	}
	while (texts->outward) {
		struct outward *out = texts->outward;

		texts->outward = out->next;
		free(out);
	}
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
	texts_schedule(texts);
	texts_scan(texts);
}

json_t *texts_report(const struct texts *texts)
{
	json_t *boxes = json_array();

	for (size_t i = 0; i < texts->n_read; i++)
		json_array_append_new(
			boxes,
			json_pack("{s:s, s:s, s:s}", "path", texts->read[i].config->path, "kind",
				  "read", "state", texts->read[i].maildir ? "OK" : "NOT USABLE"));
	for (size_t i = 0; i < texts->n_write; i++)
		json_array_append_new(
			boxes,
			json_pack("{s:s, s:s, s:s}", "path", texts->write[i].config->path, "kind",
				  "write", "state", texts->write[i].maildir ? "OK" : "NOT USABLE"));
	return json_pack("{s:I, s:o}", "queued", (json_int_t)journal_open_count(texts->journal),
			 "mailboxes", boxes);
}
