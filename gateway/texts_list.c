/* texts_list.c - what is queued and why, and what an administrator does about it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/texts_priv.h"

#define MODULE "texts"

/* ---- counters ---- */

const struct texts_counters *texts_counters(const struct texts *texts)
{
	return &texts->counters;
}

struct texts_gauges texts_gauges(const struct texts *texts)
{
	return (struct texts_gauges){
		.inward = texts->inward.used,
		.posts = texts->n_outward,
		.journaled = journal_open_count(texts->journal),
	};
}

/* ---- status ---- */

struct report {
	json_t *mailboxes, *ports;
};

static void report_mailbox(const struct report *report, const struct texts_port_state *state)
{
	const char *kind = strcmp(state->kind, "read") == 0 ? "read" : "write";

	json_array_append_new(report->mailboxes,
			      json_pack("{s:s, s:s, s:s, s:s}", "path", state->name, "kind", kind,
					"state", *state->trouble ? "NOT USABLE" : "OK", "reason",
					state->trouble));
}

static void report_port(void *arg, const struct texts_port_state *state)
{
	const struct report *report = arg;
	const struct texts_port_counters *counters = &state->counters;

	if (strcmp(state->kind, "mailbox") == 0 || strcmp(state->kind, "read") == 0)
		report_mailbox(report, state);
	json_array_append_new(
		report->ports,
		json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:s}", "name", state->name, "kind",
			  state->kind, "waiting", (json_int_t)state->waiting, "sent",
			  (json_int_t)state->sent, "delivered", (json_int_t)counters->delivered,
			  "failed", (json_int_t)counters->failed, "submitted",
			  (json_int_t)counters->submitted, "trouble", state->trouble));
}

json_t *texts_report(const struct texts *texts)
{
	struct report report = { json_array(), json_array() };

	texts_each_port(texts, report_port, &report);
	return json_pack("{s:I, s:s, s:o, s:o}", "queued",
			 (json_int_t)(texts->inward.used + texts->n_outward), "journal",
			 texts->journal_trouble ? strerror(-texts->journal_trouble) : "",
			 "mailboxes", report.mailboxes, "ports", report.ports);
}

/* ---- the list ---- */

struct rows {
	const struct texts *texts;
	json_t *array;
	size_t limit;
};

/* Each row costs a look into the journal; those beyond the limit cost nothing. */
static bool has_room(const struct rows *rows)
{
	return json_array_size(rows->array) < rows->limit;
}

struct row {
	const uint8_t *id;
	const char *direction, *from, *to, *where, *state, *why;
	unsigned tries;
	int64_t end_s;
};

static void add_row(struct rows *rows, const struct row *row)
{
	char id[TEXTS_ID_TEXT];

	json_array_append_new(rows->array,
			      json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:I}", "id",
					texts_id_text(row->id, id), "direction", row->direction,
					"from", row->from, "to", row->to, "where", row->where,
					"state", row->state, "why", row->why, "tries",
					(int)row->tries, "end", (json_int_t)row->end_s));
}

static const char *why_of(const struct share *share)
{
	return share->why ? share->why : *share->port->trouble ? share->port->trouble : "";
}

static void add_message(struct rows *rows, const struct inward *in, const Texts__Inward *inward)
{
	for (size_t i = 0; i < in->n_shares; i++) {
		const struct share *share = &in->shares[i];

		if (share->state == TEXTS_DELIVERED || share->state == TEXTS_FAILED ||
		    share->state == TEXTS_EXPIRED || !has_room(rows))
			continue;
		add_row(rows, &(struct row){ .id = in->id,
					     .direction = "out",
					     .from = inward->from,
					     .to = inward->to,
					     .where = share->port->name,
					     .state = texts_state_word(share->state),
					     .why = why_of(share),
					     .tries = share->tries,
					     .end_s = in->end_s });
	}
}

/* Addresses are on disk only: the journal is read for rows that are shown, and no others. */
static void list_message(struct rows *rows, const struct inward *in)
{
	struct loaded loaded;

	if (texts_load(rows->texts, in->id, &loaded))
		return;
	add_message(rows, in, loaded.inward);
	texts_unload(&loaded);
}

static void add_post(struct rows *rows, const struct outward *out, const Texts__Outward *outward)
{
	bool attached =
		rows->texts->client && umsg_client_state(rows->texts->client) == UMSG_ATTACHED;

	add_row(rows, &(struct row){ .id = outward->message_id.data,
				     .direction = out->key.kind == TEXTS_RECEIPT ? "receipt" : "in",
				     .from = outward->what,
				     .to = outward->to,
				     .where = "rendezvous",
				     .state = out->posted ? "posted" : "waiting",
				     .why = out->why    ? out->why
					    : !attached ? "not attached to the rendezvous"
							: "",
				     .end_s = outward->end });
}

struct posts {
	const struct outward **list;
	size_t n, max;
};

static bool collect(void *arg, struct outward *out)
{
	struct posts *posts = arg;

	if (!out->acked)
		posts->list[posts->n++] = out;
	return posts->n < posts->max;
}

static int by_age(const void *a, const void *b)
{
	const struct outward *const *first = a, *const *second = b;
	uint64_t i = (*first)->queued.number, k = (*second)->queued.number;

	return i < k ? -1 : i > k;
}

/* They are found by their keys, which have no order; the numbers of their queue have. */
static void list_posts(struct rows *rows)
{
	const struct texts *texts = rows->texts;
	struct posts posts = { .max = texts->n_outward };

	if (!posts.max || !has_room(rows))
		return;
	posts.list = calloc(posts.max, sizeof(struct outward *));
	if (!posts.list)
		return; /* they count as left out */
	texts_each_outward(texts, collect, &posts);
	qsort(posts.list, posts.n, sizeof(struct outward *), by_age);
	for (size_t i = 0; i < posts.n && has_room(rows); i++) {
		const struct outward *out = posts.list[i];
		Texts__Outward *outward;

		if (texts_load_outward(texts, &out->key, &outward))
			continue;
		add_post(rows, out, outward);
		texts__outward__free_unpacked(outward, NULL);
	}
	free(posts.list);
}

/* How many rows there would be without a limit. */
static size_t count_rows(const struct texts *texts)
{
	size_t n = texts->n_outward;

	for (const struct text_port *port = texts->ports; port; port = port->next)
		n += port->queue.waiting + port->queue.put_off + port->in_hand + port->sent;
	return n;
}

/* However much waits, what is shown is looked at, and the posts once for their order; what
 * is done with and only remembered is not. */
json_t *texts_list(const struct texts *texts, size_t limit)
{
	struct rows rows = { .texts = texts, .array = json_array(), .limit = limit };
	size_t shown;

	for (const struct inward *in = texts->all; in && has_room(&rows); in = in->next)
		list_message(&rows, in);
	list_posts(&rows);
	shown = json_array_size(rows.array);
	return json_pack("{s:o, s:I}", "messages", rows.array, "more",
			 (json_int_t)(shown < limit ? 0 : count_rows(texts) - shown));
}

/* ---- retry, drop ---- */

static int read_id(const char *text, uint8_t id_out[UMSG_ID_SIZE])
{
	size_t n;

	return base64_decode(BASE64_STANDARD, slice_str(text), id_out, UMSG_ID_SIZE, &n) == 0 &&
			       n == UMSG_ID_SIZE
		       ? 0
		       : -EINVAL;
}

struct wanted {
	struct texts *texts;
	const uint8_t *id;
	struct outward *found;
};

/* A post of an earlier run tells its id only from the journal. */
static bool is_it(void *arg, struct outward *out)
{
	struct wanted *wanted = arg;

	if (!out->acked && texts_know_outward(wanted->texts, out) &&
	    memcmp(out->message_id, wanted->id, UMSG_ID_SIZE) == 0)
		wanted->found = out;
	return !wanted->found;
}

static struct outward *find_post(struct texts *texts, const uint8_t id[UMSG_ID_SIZE])
{
	struct wanted wanted = { texts, id, NULL };

	texts_each_outward(texts, is_it, &wanted);
	return wanted.found;
}

/* By order of people: neither its own wait nor that of the port counts. */
static void retry_inward(struct texts *texts, struct inward *in)
{
	for (size_t i = 0; i < in->n_shares; i++) {
		struct share *share = &in->shares[i];

		if (share->state != TEXTS_OPEN)
			continue;
		/* Removed wherever it waits, put back as due now; its number is kept, and with it
		 * its place. */
		texts_queue_remove(&share->port->queue, &share->queued);
		texts_queue_return(&share->port->queue, &share->queued);
		text_port_ready(share->port);
	}
	texts_schedule(texts);
}

int texts_retry(struct texts *texts, const char *id)
{
	uint8_t octets[UMSG_ID_SIZE];
	int err = read_id(id, octets);
	struct inward *in;
	struct outward *out;

	if (err)
		return err;
	in = texts_inward_find(texts, octets);
	out = in ? NULL : find_post(texts, octets);
	if (!in && !out)
		return -ENOENT;
	if (in)
		retry_inward(texts, in);
	if (out && out->queued.link) {
		texts_queue_remove(&texts->posts, &out->queued);
		texts_queue_return(&texts->posts, &out->queued);
		texts_schedule(texts);
	}
	log_info(MODULE, "message=%s is tried again by order", id);
	return 0;
}

static const char by_order[] = "given up by the gateway's administrator";

/* Ends as if every port had refused it: the sender hears that by the Receipt. */
static int drop_inward(struct texts *texts, struct inward *in)
{
	for (size_t i = 0; i < in->n_shares; i++)
		if (in->shares[i].state == TEXTS_IN_HAND)
			return -EBUSY; /* its outcome is a matter of seconds */
	for (size_t i = 0; i < in->n_shares; i++) {
		struct share *share = &in->shares[i];
		struct text_port *port = share->port;

		if (share->state == TEXTS_OPEN) {
			texts_queue_remove(&port->queue, &share->queued);
			texts_end_share(texts, share, TEXTS_FAILED, by_order);
		} else if (share->state == TEXTS_SENT_ON) {
			port->sent--;
			if (port->ops && port->ops->forget)
				port->ops->forget(port->arg, in->id);
			texts_end_share(texts, share, TEXTS_FAILED, by_order);
		}
	}
	return 0;
}

int texts_drop(struct texts *texts, const char *id)
{
	uint8_t octets[UMSG_ID_SIZE];
	int err = read_id(id, octets);
	struct inward *in;
	struct outward *out;

	if (err)
		return err;
	in = texts_inward_find(texts, octets);
	out = in ? NULL : find_post(texts, octets);
	/* A post that the rendezvous has just taken may arrive all the same: it was sealed. */
	if (in)
		err = drop_inward(texts, in);
	else if (!out)
		err = -ENOENT;
	else
		texts_settle(texts, out, by_order);
	if (!err)
		log_info(MODULE, "message=%s is dropped by order", id);
	return err;
}
