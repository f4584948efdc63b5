/* client_parts.c - long bodies, part by part, in both directions.
 *
 * A sender keeps as many parts under way as the rendezvous allows and goes on where its
 * PartAck says; a receiver acknowledges each part as it comes, and goes on where it was
 * when the message is delivered anew.  Few are received at once: the others wait where they are,
 * and have their turn by their numbers.
 */
#include "umsg/client_priv.h"

#include <stdlib.h>

#include "base/clock.h"
#include "umsg/message_crypto.h"
#include "base/pack.h"

enum {
	SEALED_RECORD = FRAME_RECORD + FRAME_RECORD_TAG,
	/* A part that does not come is asked for again; then the message gives way to others, and
	 * at last is forgotten. */
	IDLE_MS = 60000,
	FORGET_MS = 600000,
};

/* ---- posting ---- */

static bool send_part(struct umsg_client *client, const struct client_post *post, uint32_t index)
{
	struct slice rest =
		slice_from(slice_of(post->more, post->more_n), (size_t)(index - 1) * SEALED_RECORD);
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Part part = UMSG__PART__INIT;

	if (rest.n == 0)
		return false;
	part.message_id = frame_data(slice_of(post->id, FRAME_ID));
	part.index = index;
	part.record = frame_data(slice_of(rest.p, rest.n < SEALED_RECORD ? rest.n : SEALED_RECORD));
	frame.request = post->request;
	frame.to = frame_text(post->to);
	frame.body_case = UMSG__FRAME__BODY_PART;
	frame.part = &part;
	return client_send(client, &frame) == 0;
}

void client_on_part_ack(struct umsg_client *client, const Umsg__PartAck *ack)
{
	struct client_post *post = client_find_post(client, frame_bytes(ack->message_id));

	/* The rendezvous says what it has: behind a break it may be more, or less, than we had
	 * sent. */
	if (!post || ack->next == 0 || ack->next > message_records_count(post->more_n) + 1)
		return;
	post->heard_ms = clock_mono_ms();
	if (post->part < ack->next)
		post->part = ack->next;
	while (post->part < ack->next + client->parts_in_flight &&
	       send_part(client, post, post->part))
		post->part++;
}

/* ---- receiving ---- */

static void free_long(struct client_long *l)
{
	frame_free(&l->frame);
	free(l->records);
	free(l);
}

static void drop_long(struct umsg_client *client, struct client_long **at)
{
	struct client_long *l = *at;

	*at = l->next;
	client->n_longs--;
	free_long(l);
}

void client_forget_longs(struct umsg_client *client)
{
	while (client->longs)
		drop_long(client, &client->longs);
}

static struct client_long **find_long(struct umsg_client *client, struct slice id,
				      struct slice sender)
{
	struct client_long **at = &client->longs;

	while (*at && (!slice_eq(id, frame_message_id((*at)->frame)) ||
		       !slice_eq(sender, frame_bare((*at)->frame->from))))
		at = &(*at)->next;
	return *at ? at : NULL;
}

static void ask(struct umsg_client *client, struct client_long *l)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__PartAck ack = UMSG__PART_ACK__INIT;

	l->asked_ms = clock_mono_ms();
	client_watch(client);
	ack.message_id = l->frame->deliver->post->message_id;
	ack.sender = l->frame->from;
	/* Part 0 came with the message.  The next one is asked for only when this one is here. */
	ack.next = (uint32_t)(l->got / SEALED_RECORD);
	frame.body_case = UMSG__FRAME__BODY_PART_ACK;
	frame.part_ack = &ack;
	client_send(client, &frame);
}

/* It comes again when another is done, though it has had its turn. */
static void give_way(struct umsg_client *client, struct client_long **at)
{
	uint64_t number = (*at)->frame->deliver->number;

	if (number && number <= client->long_last)
		client->long_last = number - 1;
	client->long_skipped = true;
	drop_long(client, at);
}

/* Room for one more, if need be in the place of one that goes on no more. */
static bool make_room(struct umsg_client *client)
{
	int64_t now_ms = clock_mono_ms();

	for (struct client_long **at = &client->longs;
	     *at && client->n_longs == CLIENT_LONGS_MAX;) {
		if (now_ms - (*at)->heard_ms > IDLE_MS)
			give_way(client, at);
		else
			at = &(*at)->next;
	}
	return client->n_longs < CLIENT_LONGS_MAX;
}

static struct client_long *begin_long(struct umsg_client *client, Umsg__Frame **framep)
{
	const Umsg__Post *post = (*framep)->deliver->post;
	struct client_long *l;

	if (post->total_length > message_records_size(MESSAGE_BODY_MAX))
		return NULL;
	if (!make_room(client)) {
		client->long_skipped = true;
		return NULL;
	}
	l = calloc(1, sizeof(*l));
	if (l)
		l->records = malloc(post->total_length);
	if (!l || !l->records) {
		free(l);
		client_fetch_later(client);
		return NULL;
	}
	memcpy(l->records, post->record.data, post->record.len);
	l->got = post->record.len;
	l->frame = *framep;
	*framep = NULL;
	l->next = client->longs;
	client->longs = l;
	client->n_longs++;
	return l;
}

static bool same_post(const Umsg__Frame *a, const Umsg__Frame *b)
{
	return slice_eq(frame_bytes(a->deliver->post->i_message),
			frame_bytes(b->deliver->post->i_message)) &&
	       a->deliver->post->total_length == b->deliver->post->total_length;
}

/* When there is no room it is left where it is, and fetched when another is done.
 *
 * So is what came in vain, broken or to be left for now, and however many of these there are, they
 * must not take turns without end: those that a Fetch brings begin in the order of their numbers,
 * each once until all are fetched anew (client_fetch_all()).  What is pushed comes once anyway. */
void client_on_long(struct umsg_client *client, Umsg__Frame **framep)
{
	const Umsg__Frame *frame = *framep;
	struct client_long **at =
		find_long(client, frame_message_id(frame), frame_bare(frame->from));
	bool fetched = client->fetching && frame->request == client->fetching;
	uint64_t number = frame->deliver->number;
	/* Of a Fetch that another one follows it might pass over some that were skipped. */
	bool in_turn = fetched && number > client->long_last && !client->fetch_from_start;
	struct client_long *l;

	if (at && !same_post((*at)->frame, frame)) {
		drop_long(client, at);
		at = NULL;
	}
	if (at)
		(*at)->frame->deliver->number = number;
	else if (fetched && !in_turn)
		return;
	l = at ? *at : begin_long(client, framep);
	if (!l)
		return;
	if (in_turn && !client->long_skipped)
		client->long_last = number;
	l->heard_ms = clock_mono_ms();
	ask(client, l);
}

/* A message that was taken while it was being delivered once more is there no more; of any
 * other the rendezvous will know later, when it has read its store. */
static void give_up(struct umsg_client *client, struct client_long **at)
{
	drop_long(client, at);
	client_fetch_later(client);
	client_fetch_skipped(client);
}

void client_on_part(struct umsg_client *client, const Umsg__Part *part)
{
	struct client_long **at =
		find_long(client, frame_bytes(part->message_id), frame_bare(part->sender));
	struct client_long *l = at ? *at : NULL;
	size_t left, want;

	if (!l || part->index != l->got / SEALED_RECORD)
		return; /* one that came twice, or of a message that is done */
	left = l->frame->deliver->post->total_length - l->got;
	want = left < SEALED_RECORD ? left : SEALED_RECORD;
	if (part->record.len != want) {
		give_up(client, at);
		return;
	}
	memcpy(l->records + l->got, part->record.data, want);
	l->got += want;
	l->heard_ms = clock_mono_ms();
	if (want < left) {
		ask(client, l);
		return;
	}
	*at = l->next; /* whole: off the list before anybody is told */
	client->n_longs--;
	client_message(client, l->frame, slice_of(l->records, l->got));
	free_long(l);
	client_fetch_skipped(client);
}

bool client_look_at_longs(struct umsg_client *client)
{
	struct client_long **at = &client->longs;
	int64_t now_ms = clock_mono_ms();
	size_t before = client->n_longs;

	while (*at) {
		if (now_ms - (*at)->heard_ms >= FORGET_MS) {
			drop_long(client, at);
			continue;
		}
		if (client_attached(client) && now_ms - (*at)->asked_ms >= CLIENT_SILENCE_MS)
			ask(client, *at);
		at = &(*at)->next;
	}
	if (client->n_longs < before) {
		client_fetch_later(client);
		client_fetch_skipped(client);
	}
	return client->longs != NULL;
}
