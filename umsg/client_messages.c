/* client_messages.c - posts, deliveries and receipts.
 *
 * A delivery is verified, opened and told; what became of it is said by Taken (and, where
 * nothing could be told, by a receipt of ours).  docs/umsg.md "Messages".
 */
#include "umsg/client_priv.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/rand.h>

#include "base/clock.h"
#include "keys/identity.h"
#include "umsg/message_body.h"
#include "umsg/message_crypto.h"
#include "umsg/pack.h"

/* ---- what waits for the owner ---- */

static struct client_pending **find_pending(struct umsg_client *client, const uint8_t id[FRAME_ID],
					    struct slice from)
{
	struct client_pending **at = &client->pending;

	while (*at && (memcmp((*at)->id, id, FRAME_ID) != 0 || !slice_eq_str(from, (*at)->from)))
		at = &(*at)->next;
	return *at ? at : NULL;
}

static void drop_pending(struct umsg_client *client, struct client_pending **at)
{
	struct client_pending *pending = *at;

	*at = pending->next;
	free(pending);
	client->n_pending--;
}

void client_forget_pending(struct umsg_client *client)
{
	while (client->pending)
		drop_pending(client, &client->pending);
}

/* False: memory is out, or the owner does not keep up; the message comes again. */
static bool add_pending(struct umsg_client *client, const struct message_envelope *envelope,
			const struct message_facts *facts)
{
	struct client_pending *pending;

	if (client->n_pending == CLIENT_PENDING_MAX)
		return false;
	pending = calloc(1, sizeof(*pending));
	if (!pending)
		return false;
	memcpy(pending->id, envelope->id, FRAME_ID);
	memcpy(pending->hash, facts->hash, sizeof(pending->hash));
	memcpy(pending->from, envelope->from.p, envelope->from.n);
	pending->end_s = facts->end_s;
	pending->connection = client->connection;
	pending->next = client->pending;
	client->pending = pending;
	client->n_pending++;
	return true;
}

/* ---- taken ---- */

static int send_taken(struct umsg_client *client, const uint8_t id[FRAME_ID], const char *from,
		      uint64_t number)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Taken taken = UMSG__TAKEN__INIT;

	taken.message_id = frame_data(slice_of(id, FRAME_ID));
	taken.sender = frame_text(from);
	taken.number = number;
	frame.body_case = UMSG__FRAME__BODY_TAKEN;
	frame.taken = &taken;
	return client_send(client, &frame);
}

int umsg_client_taken(struct umsg_client *client, const uint8_t id[UMSG_ID_SIZE], const char *from,
		      uint64_t number)
{
	struct client_pending **at = find_pending(client, id, slice_str(from));
	int err = 0;

	if (at) {
		err = umsg_seen_add(client->seen, slice_str(from), id, (*at)->hash, (*at)->end_s,
				    clock_wall_s());
		drop_pending(client, at);
	}
	if (err && err != -ENOBUFS)
		log_warn(CLIENT_LOG, "%s: cannot remember a message: %s", client_uri(client),
			 strerror(-err));
	return send_taken(client, id, from, number);
}

/* ---- sending ---- */

void umsg_sealed_clear(struct umsg_sealed *sealed)
{
	free(sealed->octets);
	sealed->octets = NULL;
	sealed->n = 0;
}

/* The Post as a frame, and what follows it. */
static int write_sealed(Umsg__Frame *frame, struct slice more, struct umsg_sealed *sealed_out)
{
	Umsg__SealedPost kept = UMSG__SEALED_POST__INIT;
	uint8_t *octets;
	size_t n;
	int err = frame_encode(frame, &octets, &n);

	if (err)
		return err;
	kept.frame = frame_data(slice_of(octets, n));
	kept.more = frame_data(more);
	err = pack_write(&kept.base, UMSG_SEALED_MAX, &sealed_out->octets, &sealed_out->n);
	free(octets);
	return err;
}

static int write_post(const char *from, const char *to, const struct message_sealed *message,
		      struct umsg_sealed *sealed_out)
{
	struct slice records = slice_of(message->records, message->records_n), first = records;
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Post post = UMSG__POST__INIT;

	if (first.n > FRAME_RECORD + FRAME_RECORD_TAG)
		first.n = FRAME_RECORD + FRAME_RECORD_TAG;
	post.message_id = frame_data(slice_of(message->id, FRAME_ID));
	post.kind = message->kind;
	post.store_until = message->store_until;
	post.i_message = frame_data(slice_of(message->i_message, message->i_message_n));
	post.total_length = (uint32_t)records.n;
	post.record = frame_data(first);
	frame.from = frame_text(from);
	frame.to = frame_text(to);
	frame.body_case = UMSG__FRAME__BODY_POST;
	frame.post = &post;
	memcpy(sealed_out->id, message->id, FRAME_ID);
	return write_sealed(&frame, slice_from(records, first.n), sealed_out);
}

static int seal(struct umsg_client *client, const char *to, Umsg__MessageKind kind,
		const ProtobufCMessage *body, uint64_t store_until, struct umsg_sealed *sealed_out)
{
	const struct domain *domain =
		client_peer_domain(client, slice_str(to), (struct slice){ NULL, 0 });
	struct message_sealed message = { .kind = kind, .store_until = store_until };
	int64_t now_ms = clock_wall_ms();
	struct period_keys *own;
	uint8_t *plain = NULL;
	size_t n;
	int err = pack_write(body, UMSG_BODY_MAX, &plain, &n);

	if (err)
		return err;
	own = client_own_keys(client, now_ms / 1000);
	if (!domain || !own)
		err = -ENOKEY;
	else if (RAND_bytes(message.id, sizeof(message.id)) != 1)
		err = -EIO;
	else
		err = message_seal(own, domain, slice_str(to), slice_of(plain, n), now_ms,
				   keystore_settings(client->keys.store).intercept, &message);
	period_keys_release(&own);
	free(plain);
	if (!err)
		err = write_post(client_uri(client), to, &message, sealed_out);
	message_sealed_done(&message);
	return err;
}

int umsg_client_seal(struct umsg_client *client, const char *to, const Umsg__TextBody *body,
		     int64_t end_s, struct umsg_sealed *sealed_out)
{
	uint32_t lifetime = keystore_settings(client->keys.store).default_message_lifetime;
	Umsg__TextBody copy = *body;
	enum identity_kind kind;
	int64_t now_s = clock_wall_s();

	if (identity_check(slice_str(to), &kind) < 0 || end_s < 0)
		return -EINVAL;
	if (end_s == 0 && lifetime)
		end_s = now_s + lifetime;
	copy.version = 1;
	copy.sent = (uint64_t)now_s;
	copy.end = (uint64_t)end_s;
	if (!message_body_ok(&copy))
		return -EINVAL;
	return seal(client, to,
		    kind == IDENTITY_CHANNEL ? UMSG__MESSAGE_KIND__KIND_CHANNEL
					     : UMSG__MESSAGE_KIND__KIND_TEXT,
		    &copy.base, (uint64_t)end_s, sealed_out);
}

int umsg_client_seal_receipt(struct umsg_client *client, const char *to,
			     const uint8_t id[UMSG_ID_SIZE], Umsg__ReceiptState state,
			     const char *reason, struct umsg_sealed *sealed_out)
{
	Umsg__ReceiptBody body = UMSG__RECEIPT_BODY__INIT;

	body.version = 1;
	body.message_id = frame_data(slice_of(id, FRAME_ID));
	body.state = state;
	body.reason = frame_text(reason);
	body.at = (uint64_t)clock_wall_s();
	if (identity_check(slice_str(to), NULL) < 0 || !message_receipt_ok(&body))
		return -EINVAL;
	return seal(client, to, UMSG__MESSAGE_KIND__KIND_RECEIPT, &body.base,
		    body.at + MESSAGE_LIFETIME_S, sealed_out);
}

struct client_post *client_find_post(const struct umsg_client *client, struct slice id)
{
	struct client_post *post = client->posts;

	while (post && !slice_eq(id, slice_of(post->id, FRAME_ID)))
		post = post->next;
	return post;
}

static void free_post(struct client_post *post)
{
	if (post)
		free(post->more);
	free(post);
}

/* Takes the post that an answer is about off the list.  NULL: there is none. */
static struct client_post *take_post(struct umsg_client *client, uint64_t request, struct slice id)
{
	struct client_post **at = &client->posts, *post;

	while (*at && (*at)->request != request && !slice_eq(id, slice_of((*at)->id, FRAME_ID)))
		at = &(*at)->next;
	post = *at;
	if (!post)
		return NULL;
	*at = post->next;
	client->n_posts--;
	return post;
}

void client_forget_posts(struct umsg_client *client)
{
	while (client->posts) {
		struct client_post *post = client->posts;

		client->posts = post->next;
		free_post(post);
	}
	client->n_posts = 0;
}

/* more is taken over. */
static struct client_post *new_post(struct umsg_client *client, const Umsg__Frame *frame,
				    ProtobufCBinaryData *more)
{
	struct client_post *post = calloc(1, sizeof(*post));
	struct slice to = frame_bare(frame->to);

	if (!post)
		return NULL;
	post->request = ++client->requests;
	memcpy(post->id, frame->post->message_id.data, FRAME_ID);
	memcpy(post->to, to.p, to.n);
	post->part = 1;
	post->more = more->data;
	post->more_n = more->len;
	*more = (ProtobufCBinaryData){ 0, NULL };
	return post;
}

/* Sends a post under a request of its own, so that an Error can be told from others'. */
static int send_post(struct umsg_client *client, Umsg__Frame *frame, ProtobufCBinaryData *more)
{
	struct client_post *post;
	char *from = frame->from;
	int err;

	if (client->n_posts == CLIENT_POSTS_MAX)
		return -ENOBUFS;
	free_post(take_post(client, 0, frame_bytes(frame->post->message_id)));
	post = new_post(client, frame, more);
	if (!post)
		return -ENOMEM;
	frame->request = post->request;
	err = client_send(client, frame);
	frame->from = from; /* client_send() put its own there */
	if (err) {
		free_post(post);
		return err;
	}
	post->next = client->posts;
	client->posts = post;
	client->n_posts++;
	return 0;
}

/* Is it a Post of ours, and are the records behind it as many as it says? */
static int check_sealed(const struct umsg_client *client, const Umsg__SealedPost *kept,
			Umsg__Frame **frame_out)
{
	int err = frame_decode(frame_bytes(kept->frame), FRAME_FROM_CLIENT, frame_out);
	const Umsg__Frame *frame = *frame_out;

	if (err)
		return err == -ENOMEM ? err : -EBADMSG;
	if (frame->body_case != UMSG__FRAME__BODY_POST ||
	    !slice_eq_str(slice_str(frame->from), client_uri(client)) ||
	    frame->post->total_length != frame->post->record.len + kept->more.len)
		return -EBADMSG;
	if (!client_attached(client) || !client->link)
		return -ENOTCONN;
	if ((kept->more.len && client->parts_in_flight == 0) ||
	    (client->message_octets && frame->post->total_length > client->message_octets))
		return -EMSGSIZE;
	return 0;
}

int umsg_client_post(struct umsg_client *client, struct slice sealed)
{
	Umsg__Frame *frame = NULL;
	Umsg__SealedPost *kept;
	int err;

	kept = (Umsg__SealedPost *)(void *)pack_read(&umsg__sealed_post__descriptor, sealed,
						     2 * UMSG_SEALED_MAX, &err);
	if (!kept)
		return err;
	err = check_sealed(client, kept, &frame);
	if (!err)
		err = send_post(client, frame, &kept->more);
	frame_free(&frame);
	PACK_FREE(&kept);
	return err;
}

void client_on_post_ack(struct umsg_client *client, const Umsg__PostAck *ack)
{
	free_post(take_post(client, 0, frame_bytes(ack->message_id)));
	client->ops->post_ack(client->arg, ack->message_id.data, ack->error, ack->text,
			      ack->retry_after);
}

void client_on_post_error(struct umsg_client *client, uint64_t request, const Umsg__Error *error)
{
	struct client_post *post = take_post(client, request, (struct slice){ NULL, 0 });

	if (!post)
		return;
	client->ops->post_ack(client->arg, post->id, error->code, error->text, error->retry_after);
	free_post(post);
}

/* ---- receiving ---- */

/* Ends a message that the owner is not told of: with a receipt where one is due. */
static void settle(struct umsg_client *client, const Umsg__Frame *frame,
		   const struct message_envelope *envelope, Umsg__ReceiptState state,
		   const char *reason)
{
	char from[IDENTITY_URI_MAX + 1] = "";
	struct umsg_sealed sealed = { .octets = NULL };
	unsigned suppressed;

	memcpy(from, envelope->from.p, envelope->from.n);
	if (state != UMSG__RECEIPT_STATE__RECEIPT_NONE &&
	    client_may_log(&client->refusals, &suppressed))
		log_warn(CLIENT_LOG, "%s: message from %s: %s (%u more)", client_uri(client), from,
			 reason, suppressed);
	if (state != UMSG__RECEIPT_STATE__RECEIPT_NONE &&
	    envelope->kind == UMSG__MESSAGE_KIND__KIND_TEXT &&
	    umsg_client_seal_receipt(client, from, envelope->id, state, reason, &sealed) == 0)
		umsg_client_post(client, slice_of(sealed.octets, sealed.n));
	umsg_sealed_clear(&sealed);
	send_taken(client, envelope->id, from, frame->deliver->number);
}

/* Settles one that verified: should it come again, it is known. */
static void settle_known(struct umsg_client *client, const Umsg__Frame *frame,
			 const struct message_envelope *envelope, const struct message_facts *facts,
			 Umsg__ReceiptState state, const char *reason)
{
	umsg_seen_add(client->seen, envelope->from, envelope->id, facts->hash, facts->end_s,
		      clock_wall_s());
	settle(client, frame, envelope, state, reason);
}

/* Fetches again when the earliest of the early ones is due. */
static void come_back_at(struct umsg_client *client, int64_t due_s)
{
	struct timeval tv = { 0, 0 };

	if (client->fetch_due_s && client->fetch_due_s <= due_s)
		return;
	client->fetch_due_s = due_s;
	tv.tv_sec = due_s > clock_wall_s() ? (time_t)(due_s - clock_wall_s()) + 1 : 1;
	event_add(client->fetch_timer, &tv);
}

static void tell_text(struct umsg_client *client, const Umsg__Frame *frame,
		      const struct message_envelope *envelope, struct message_facts *facts,
		      const struct domain *domain, struct slice plain)
{
	Umsg__TextBody *body = message_body_read(plain);
	char from[IDENTITY_URI_MAX + 1] = "", to[IDENTITY_URI_MAX + 1] = "";
	struct umsg_message message = {
		.from = from,
		.to = to,
		.from_domain = domain_name(domain),
		.sent_s = facts->sent_s,
		.body = body,
		.number = frame->deliver->number,
	};

	if (!body) {
		settle_known(client, frame, envelope, facts, UMSG__RECEIPT_STATE__RECEIPT_FAILED,
			     "malformed");
		return;
	}
	facts->end_s = message_end(facts->end_s, (int64_t)(body->end & INT64_MAX));
	if (facts->end_s <= clock_wall_s()) {
		settle_known(client, frame, envelope, facts, UMSG__RECEIPT_STATE__RECEIPT_EXPIRED,
			     "expired");
	} else if (add_pending(client, envelope, facts)) {
		memcpy(message.id, envelope->id, FRAME_ID);
		memcpy(from, envelope->from.p, envelope->from.n);
		memcpy(to, envelope->to.p, envelope->to.n);
		message.end_s = facts->end_s;
		client->ops->message(client->arg, &message);
	}
	PACK_FREE(&body);
}

static void tell_receipt(struct umsg_client *client, const Umsg__Frame *frame,
			 const struct message_envelope *envelope, const struct message_facts *facts,
			 struct slice plain)
{
	Umsg__ReceiptBody *body = message_receipt_read(plain);
	char from[IDENTITY_URI_MAX + 1] = "";
	bool done = true;

	memcpy(from, envelope->from.p, envelope->from.n);
	if (body)
		done = client->ops->receipt(client->arg, from, body->message_id.data, body->state,
					    body->reason);
	PACK_FREE(&body);
	if (done)
		settle_known(client, frame, envelope, facts, UMSG__RECEIPT_STATE__RECEIPT_NONE, "");
}

/* A repeat, a conflict, or one that the owner was told of on this connection: true, and
 * nothing is left to do. */
static bool known(struct umsg_client *client, const Umsg__Frame *frame,
		  const struct message_envelope *envelope, const struct message_facts *facts)
{
	struct client_pending **at = find_pending(client, envelope->id, envelope->from);

	if (at && memcmp((*at)->hash, facts->hash, sizeof(facts->hash)) == 0) {
		if ((*at)->connection == client->connection)
			return true;
		drop_pending(client, at); /* told again */
		return false;
	}
	switch (at ? UMSG_SEEN_CONFLICT
		   : umsg_seen_check(client->seen, envelope->from, envelope->id, facts->hash)) {
	case UMSG_SEEN_REPEAT:
		settle(client, frame, envelope, UMSG__RECEIPT_STATE__RECEIPT_NONE, "");
		return true;
	case UMSG_SEEN_CONFLICT:
		settle(client, frame, envelope, UMSG__RECEIPT_STATE__RECEIPT_FAILED, "conflict");
		return true;
	default:
		return false;
	}
}

static void open_message(struct umsg_client *client, const Umsg__Frame *frame,
			 const struct message_envelope *envelope, struct message_facts *facts,
			 const struct domain *domain, struct period_keys *own)
{
	uint8_t *plain;
	size_t n;

	switch (message_open(envelope, facts, own, &plain, &n)) {
	case MESSAGE_GOOD:
		if (envelope->kind == UMSG__MESSAGE_KIND__KIND_RECEIPT)
			tell_receipt(client, frame, envelope, facts, slice_of(plain, n));
		else
			tell_text(client, frame, envelope, facts, domain, slice_of(plain, n));
		free(plain);
		break;
	case MESSAGE_TRY_AGAIN:
		break;
	default:
		settle_known(client, frame, envelope, facts,
			     UMSG__RECEIPT_STATE__RECEIPT_UNDECRYPTABLE, "undecryptable");
	}
}

/* Whose keys open it: ours, or a channel's that we hold. */
static struct keyset *receiver(const struct umsg_client *client, struct slice to)
{
	if (slice_eq_str(to, client_uri(client)))
		return client->keys.keyset;
	for (size_t i = 0; i < client->keys.n_channels; i++)
		if (slice_eq_str(to, keyset_uri(client->keys.channels[i])))
			return client->keys.channels[i];
	return NULL;
}

static void judge(struct umsg_client *client, const Umsg__Frame *frame,
		  const struct message_envelope *envelope, const struct domain *domain,
		  const struct keyset *keyset)
{
	int64_t sent_s = message_time_s(envelope->i_message);
	int64_t period = domain_period(client->keys.domain, sent_s);
	struct period_keys *own = keyset_hold(keyset, period);
	uint32_t longest = keystore_settings(client->keys.store).max_message_lifetime;
	struct message_facts facts;

	switch (message_verify(envelope, domain, own, period > keyset_newest(keyset), longest,
			       clock_wall_s(), &facts)) {
	case MESSAGE_GOOD:
		if (!known(client, frame, envelope, &facts))
			open_message(client, frame, envelope, &facts, domain, own);
		break;
	case MESSAGE_EXPIRED:
		settle_known(client, frame, envelope, &facts, UMSG__RECEIPT_STATE__RECEIPT_EXPIRED,
			     "expired");
		break;
	case MESSAGE_BAD:
		settle(client, frame, envelope, UMSG__RECEIPT_STATE__RECEIPT_UNDECRYPTABLE,
		       mikey_verdict_name(facts.mikey));
		break;
	case MESSAGE_EARLY:
		come_back_at(client, facts.sent_s - MESSAGE_AHEAD_S);
		break;
	case MESSAGE_KEYLESS: /* until the update has come */
	case MESSAGE_TRY_AGAIN:
		break;
	}
	period_keys_release(&own);
}

void client_message(struct umsg_client *client, const Umsg__Frame *frame, struct slice records)
{
	const Umsg__Post *post = frame->deliver->post;
	const struct message_envelope envelope = {
		.from = frame_bare(frame->from),
		.to = frame_bare(frame->to),
		.id = post->message_id.data,
		.kind = post->kind,
		.store_until = post->store_until,
		.i_message = frame_bytes(post->i_message),
		.records = records,
	};
	struct keyset *keyset = receiver(client, envelope.to);
	const struct domain *domain = NULL;
	struct mikey_message message;

	if (!keyset)
		return; /* of a channel that is not ours (yet) */
	if (mikey_parse(envelope.i_message, &message) == 0)
		domain = client_peer_domain(client, envelope.from, message.from_kms);
	if (domain)
		judge(client, frame, &envelope, domain, keyset);
	else
		settle(client, frame, &envelope, UMSG__RECEIPT_STATE__RECEIPT_UNDECRYPTABLE,
		       "no domain that is trusted for its sender");
}

/* On this connection: it only waits to be taken. */
static bool was_told(struct umsg_client *client, const Umsg__Frame *frame)
{
	struct client_pending **at =
		find_pending(client, frame_message_id(frame).p, frame_bare(frame->from));

	return at && (*at)->connection == client->connection;
}

void client_on_deliver(struct umsg_client *client, Umsg__Frame **framep)
{
	const Umsg__Frame *frame = *framep;
	const Umsg__Post *post = frame->deliver->post;

	if (frame->deliver->number > client->fetched)
		client->fetched = frame->deliver->number;
	if (post->total_length == post->record.len)
		client_message(client, frame, frame_bytes(post->record));
	else if (receiver(client, frame_bare(frame->to)) && !was_told(client, frame))
		client_on_long(client, framep);
}

/* ---- fetching ---- */

static void fetch(struct umsg_client *client)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Fetch body = UMSG__FETCH__INIT;

	if (client->fetching) {
		client->fetch_again = true;
		return;
	}
	body.after = client->fetched;
	frame.request = ++client->requests;
	frame.body_case = UMSG__FRAME__BODY_FETCH;
	frame.fetch = &body;
	client->fetch_again = false;
	client->fetching = client_send(client, &frame) == 0;
}

void client_fetch_all(struct umsg_client *client)
{
	if (!client_attached(client))
		return;
	client->fetched = 0;
	fetch(client);
}

/* A hint and no more: with another epoch it says nothing of what we have had. */
void client_on_notify(struct umsg_client *client, const Umsg__Notify *notify)
{
	if (!client_attached(client))
		return;
	if (notify->epoch != client->epoch) {
		client->epoch = notify->epoch;
		client->fetched = 0;
	}
	fetch(client);
}

void client_on_fetched(struct umsg_client *client, const Umsg__Fetched *fetched)
{
	client->fetching = false;
	if (fetched->epoch != client->epoch) {
		client->epoch = fetched->epoch;
		client->fetched = 0;
		fetch(client);
	} else if (fetched->more && fetched->last > 0) {
		client->fetched = fetched->last;
		fetch(client);
	} else if (client->fetch_again) {
		fetch(client);
	}
}
