/* client_posts.c - sealing messages and receipts, and posting them. */
#include "umsg/client_priv.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/rand.h>

#include "base/clock.h"
#include "keys/identity.h"
#include "umsg/message_body.h"
#include "umsg/message_crypto.h"
#include "base/pack.h"

/* ---- sealing ---- */

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
	/* Whole and sealed before it is first sent: every repeat, also behind a restart, has
	 * the same octets, by which it is known as one. */
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
	/* The domain's own lifetime where the sender wished none. */
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

/* ---- posting ---- */

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
/* By either: an Error names the request, a PostAck the message. */
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
	/* A message that is posted again takes the place of its former post: one answer is
	 * awaited. */
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
	post->heard_ms = clock_mono_ms();
	client_watch(client);
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
	    /* It lay on a disk in between. */
	    frame->post->total_length != frame->post->record.len + kept->more.len)
		return -EBADMSG;
	if (!client_attached(client) || !client->link)
		return -ENOTCONN;
	/* 0: a rendezvous that takes no parts. */
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
	/* Also where no post waits: it may have been sent on an earlier connection. */
	client->ops->post_ack(client->arg, ack->message_id.data, ack->error, ack->text,
			      client_rest_s(ack->retry_after));
}

enum { POST_AGAIN_S = 5 }; /* where an Error does not say: "a few seconds" */

/* docs/umsg.md, "Messages": a PostAck judges the message, an Error most often the moment - not
 * registered just now, since a month began; too many requests - and the same octets go again.
 * Only where it finds fault with the frame would it find the same again.  0: never. */
static unsigned again_after_s(const Umsg__Error *error)
{
	bool final = error->code == UMSG__ERROR_CODE__ERROR_MALFORMED ||
		     error->code == UMSG__ERROR_CODE__ERROR_UNKNOWN_BODY ||
		     error->code == UMSG__ERROR_CODE__ERROR_TOO_LARGE;

	return error->retry_after || final ? client_rest_s(error->retry_after) : POST_AGAIN_S;
}

void client_on_post_error(struct umsg_client *client, uint64_t request, const Umsg__Error *error)
{
	struct client_post *post = take_post(client, request, (struct slice){ NULL, 0 });

	if (!post)
		return;
	client->ops->post_ack(client->arg, post->id, error->code, error->text,
			      again_after_s(error));
	free_post(post);
}

/* The number of one that was not answered for long; 0: there is none. */
static uint64_t find_silent(const struct umsg_client *client)
{
	int64_t now_ms = clock_mono_ms();
	const struct client_post *post = client->posts;

	while (post && now_ms - post->heard_ms < CLIENT_LONG_SILENCE_MS)
		post = post->next;
	return post ? post->request : 0;
}

bool client_look_at_posts(struct umsg_client *client)
{
	Umsg__Error silence = UMSG__ERROR__INIT;
	uint64_t request;

	silence.code = UMSG__ERROR_CODE__ERROR_BUSY;
	silence.text = frame_text("no answer");
	/* Whoever is told may post again at once: to the list that is gone through. */
	while ((request = find_silent(client)))
		client_on_post_error(client, request, &silence);
	return client->posts != NULL;
}
