/* client_messages.c - deliveries, and what becomes of them.
 *
 * A delivery is verified, opened and told; what became of it is said by Taken (and, where
 * nothing could be told, by a receipt of ours).  docs/umsg.md "Messages".
 */
#include "umsg/client_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "umsg/message_body.h"
#include "umsg/message_crypto.h"
#include "base/pack.h"

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

/* Until the owner says Taken.  By connection: behind a new one the rendezvous delivers anew, and
 * the owner may have forgotten.  False: memory is out, or the owner does not keep up; the message
 * comes again. */
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
	/* Taken all the same: at worst it is told twice. */
	if (err && err != -ENOBUFS)
		log_warn(CLIENT_LOG, "%s: cannot remember a message: %s", client_uri(client),
			 strerror(-err));
	err = send_taken(client, id, from, number);
	/* Not for one place: each time all that wait come again. */
	if (client->pending_skipped && client->n_pending <= CLIENT_PENDING_MAX / 2) {
		client->pending_skipped = false;
		client_fetch_all(client);
	}
	return err;
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

/* Fetches again when the earliest of the early ones is due.  The clock is looked at from time to
 * time, not once at the right moment: where it was wrong and is put right, what was early is due at
 * once. */
static void come_back_at(struct umsg_client *client, int64_t due_s)
{
	if (client->fetch_due_s && client->fetch_due_s <= due_s)
		return;
	client->fetch_due_s = due_s;
	client_watch(client);
}

/* The same after a pause, which no step of the wall clock makes longer. */
static void come_back_in(struct umsg_client *client, unsigned wait_s)
{
	client->fetch_again_ms = clock_mono_ms() + (int64_t)wait_s * 1000;
	client_watch(client);
}

bool client_look_at_fetch(struct umsg_client *client)
{
	int64_t now_ms = clock_mono_ms();
	bool due = client->fetch_due_s && client->fetch_due_s <= clock_wall_s();
	bool again = client->fetch_again_ms && client->fetch_again_ms <= now_ms;
	/* By none of the frames of its answer. */
	bool unheard = client->fetching && now_ms - client->fetch_heard_ms > CLIENT_SILENCE_MS;

	if (unheard)
		client->fetching = 0;
	if (due || again || unheard) {
		client->fetch_due_s = 0;
		client->fetch_again_ms = 0;
		client_fetch_all(client);
	}
	return client->fetch_due_s || client->fetch_again_ms || client->fetching;
}

void client_fetch_later(struct umsg_client *client)
{
	come_back_in(client, CLIENT_TRY_AGAIN_S);
}

/* It stays with the rendezvous: perhaps there is memory then. */
static void try_again(struct umsg_client *client)
{
	come_back_at(client, clock_wall_s() + CLIENT_TRY_AGAIN_S);
}

static void tell_text(struct umsg_client *client, const Umsg__Frame *frame,
		      const struct message_envelope *envelope, struct message_facts *facts,
		      const struct domain *domain, struct slice plain)
{
	Umsg__TextBody *body;
	int err = message_body_read(plain, &body);
	char from[IDENTITY_URI_MAX + 1] = "", to[IDENTITY_URI_MAX + 1] = "";
	struct umsg_message message = {
		.from = from,
		.to = to,
		.from_domain = domain_name(domain),
		.sent_s = facts->sent_s,
		.body = body,
		.number = frame->deliver->number,
	};

	if (err) {
		if (err == -ENOMEM)
			try_again(client);
		else
			settle_known(client, frame, envelope, facts,
				     UMSG__RECEIPT_STATE__RECEIPT_FAILED, "malformed");
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
		client_met(client, envelope->from, domain); /* for the Receipt */
		client->ops->message(client->arg, &message);
	} else if (client->n_pending == CLIENT_PENDING_MAX) {
		client->pending_skipped = true; /* the owner's Taken makes room */
	} else {
		try_again(client); /* no memory */
	}
	PACK_FREE(&body);
}

static void tell_receipt(struct umsg_client *client, const Umsg__Frame *frame,
			 const struct message_envelope *envelope, const struct message_facts *facts,
			 struct slice plain)
{
	Umsg__ReceiptBody *body;
	int err = message_receipt_read(plain, &body);
	char from[IDENTITY_URI_MAX + 1] = "";
	bool done = true;

	if (err == -ENOMEM) {
		try_again(client);
		return;
	}
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
		/* Told on another connection, and not taken since. */
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
		try_again(client);
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
	case MESSAGE_TRY_AGAIN:
		try_again(client);
		break;
	case MESSAGE_KEYLESS: /* until the update has come */
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
	unsigned suppressed;
	char why[CLIENT_WHY_SIZE];

	/* It stays with the rendezvous until its time is over. */
	if (!keyset)
		return; /* of a channel that is not ours (yet) */
	if (mikey_parse(envelope.i_message, &message) == 0) {
		domain = client_peer_domain(client, envelope.from, message.from_kms);
		if (!domain && client_may_log(&client->strangers, &suppressed))
			log_warn(CLIENT_LOG, "%s: message from %s refused: %s (%u more)",
				 client_uri(client), frame->from,
				 client_why_no_domain(client, envelope.from, message.from_kms, why),
				 suppressed);
	}
	if (domain)
		judge(client, frame, &envelope, domain, keyset);
	else
		settle(client, frame, &envelope, UMSG__RECEIPT_STATE__RECEIPT_UNDECRYPTABLE,
		       "no domain that is trusted for its sender");
}

/* The highest number that the Fetch under way has brought, and that it goes on. */
static void note_fetched(struct umsg_client *client, uint64_t number)
{
	client->fetch_heard_ms = clock_mono_ms();
	if (number > client->fetched)
		client->fetched = number;
}

/* On this connection: it only waits to be taken. */
static bool was_told(struct umsg_client *client, const Umsg__Frame *frame)
{
	struct client_pending **at =
		find_pending(client, frame_message_id(frame).p, frame_bare(frame->from));

	return at && (*at)->connection == client->connection;
}

/* What would be left where it is when it is whole, is so before: else it would be fetched as a
 * whole each time that anything is.  judge() has the same order. */
static bool comes_too_soon(struct umsg_client *client, const Umsg__Frame *frame)
{
	const struct keyset *keyset = receiver(client, frame_bare(frame->to));
	int64_t sent_s = message_time_s(frame_bytes(frame->deliver->post->i_message));
	int64_t ahead_s = sent_s - clock_wall_s();

	if (!keyset)
		return true; /* of a channel that is not ours (yet) */
	if (ahead_s > MESSAGE_KEEP_AHEAD_S)
		return false; /* it never will be due */
	if (ahead_s > MESSAGE_AHEAD_S)
		come_back_at(client, sent_s - MESSAGE_AHEAD_S);
	return ahead_s > MESSAGE_AHEAD_S ||
	       domain_period(client->keys.domain, sent_s) > keyset_newest(keyset);
}

void client_on_deliver(struct umsg_client *client, Umsg__Frame **framep)
{
	const Umsg__Frame *frame = *framep;
	const Umsg__Post *post = frame->deliver->post;

	/* What comes unasked says nothing of those with lower numbers: they may wait yet. */
	if (client->fetching && frame->request == client->fetching)
		note_fetched(client, frame->deliver->number);
	if (post->total_length == post->record.len)
		client_message(client, frame, frame_bytes(post->record));
	else if (!was_told(client, frame) && !comes_too_soon(client, frame))
		client_on_long(client, framep);
}

/* ---- fetching ---- */

enum { NO_CONNECTION = 0 }; /* they are counted from 1 */

static void fetch(struct umsg_client *client)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Fetch body = UMSG__FETCH__INIT;

	/* One at a time; what came meanwhile is fetched behind it. */
	if (client->fetching) {
		client->fetch_again = true;
		return;
	}
	/* Numbers rise, but what was not taken is fetched again from 0 (client_fetch_all()). */
	if (client->fetch_from_start) {
		client->fetched = 0;
		client->long_skipped = false;
	}
	client->fetch_again = client->fetch_from_start = false;
	body.after = client->fetch_after = client->fetched;
	frame.request = ++client->requests;
	frame.body_case = UMSG__FRAME__BODY_FETCH;
	frame.fetch = &body;
	if (client_send(client, &frame)) {
		/* For want of memory: nobody else would ask again. */
		client_fetch_later(client);
		return;
	}
	client->fetching = frame.request;
	client->fetch_heard_ms = clock_mono_ms();
	client_watch(client);
}

static void fetch_from_start(struct umsg_client *client)
{
	if (!client_attached(client))
		return;
	/* Not fetched = 0: the answer to one that is under way would raise it again, and what
	 * lies below would be passed over. */
	client->fetch_from_start = true;
	fetch(client);
}

void client_fetch_all(struct umsg_client *client)
{
	client->long_last = 0;
	fetch_from_start(client);
}

void client_fetch_skipped(struct umsg_client *client)
{
	if (client->long_skipped)
		fetch_from_start(client);
}

/* A hint and no more: with another epoch it says nothing of what we have had. */
void client_on_notify(struct umsg_client *client, const Umsg__Notify *notify)
{
	if (!client_attached(client))
		return;
	if (notify->epoch != client->epoch) {
		client->epoch = notify->epoch;
		client_fetch_all(client);
	} else {
		fetch(client);
	}
}

void umsg_client_fetch(struct umsg_client *client)
{
	for (struct client_pending *p = client->pending; p; p = p->next)
		p->connection = NO_CONNECTION;
	client_fetch_all(client);
}

void client_on_fetch_error(struct umsg_client *client, uint64_t request, const Umsg__Error *error)
{
	unsigned wait_s =
		error->retry_after ? client_rest_s(error->retry_after) : CLIENT_TRY_AGAIN_S;

	if (!client->fetching || request != client->fetching)
		return;
	client->fetching = 0;
	come_back_in(client, wait_s);
}

void client_on_fetched(struct umsg_client *client, uint64_t request, const Umsg__Fetched *fetched)
{
	if (!client->fetching || request != client->fetching)
		return; /* of one that was refused, or given up */
	client->fetching = 0;
	/* The rendezvous has lost its count or we moved to another: numbers begin again, and what
	 * was seen is known by its hash. */
	if (fetched->epoch != client->epoch) {
		client->epoch = fetched->epoch;
		client_fetch_all(client);
	} else if (client->fetch_from_start) {
		fetch(client);
	} else if (fetched->more && fetched->last > client->fetch_after) {
		/* At once only onwards: a rendezvous that stays where it is would be asked without
		 * a pause. */
		client->fetched = fetched->last;
		fetch(client);
	} else if (client->fetch_again) {
		fetch(client);
	} else if (fetched->more) {
		/* There is more, and it could not be handed out just now (home_fetch.c): nobody
		 * else would say so again. */
		client_fetch_later(client);
	}
}
