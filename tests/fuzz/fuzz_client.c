/* fuzz_client.c - frames of a rendezvous that obeys no rule, to a client that attaches,
 * calls, posts and is called.
 *
 * Input: steps of two octets and what they need: what, how.
 *   0..2  a frame as it is: length (2 octets), octets
 *   3     Registered, Denied or Unregistered
 *   4     an answer about the client's own call or post, by the ids that it made
 *   5     a Deliver, Part or PartAck
 *   6     an update's part, Notify, Fetched or an Error
 *   7     the connection ends, time passes, or the client does something of itself
 * Whatever comes, the client sends frames that a rendezvous accepts; nothing is shown
 * that nobody signed; and freeing it leaves nothing.
 */
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/cursor.h"
#include "keys/period.h"
#include "keys/replay.h"
#include "tests/fuzz/client_keys.h"
#include "tests/fuzz/fake_clock.h"
#include "tests/fuzz/fake_link.h"
#include "tests/fuzz/quiet.h"
#include "umsg/client_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS = 100, SEALED = FRAME_RECORD + FRAME_RECORD_TAG };

struct scene {
	struct umsg_client *client;
	uint8_t call_id[FRAME_ID];
	uint64_t request; /* the client's latest */
	unsigned calls;
};

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/* ---- the client's owner ---- */

static void on_state(void *arg, enum umsg_state state, const char *text)
{
	(void)arg;
	(void)state;
	expect(text != NULL);
}

static void on_incoming(void *arg, struct umsg_call *call)
{
	(void)arg;
	(void)call;
	abort(); /* nobody here can sign an invitation */
}

static void on_call(void *arg, struct umsg_call *call, enum umsg_call_event event)
{
	struct scene *scene = arg;

	(void)call;
	expect(event != UMSG_CALL_ANSWERED); /* nor an answer */
	if (event == UMSG_CALL_ENDED)
		scene->calls--;
}

static void on_message(void *arg, const struct umsg_message *message)
{
	(void)arg;
	(void)message;
	abort();
}

static void on_post_ack(void *arg, const uint8_t id[UMSG_ID_SIZE], Umsg__ErrorCode error,
			const char *text, unsigned retry_after_s)
{
	(void)arg;
	(void)id;
	(void)error;
	(void)retry_after_s;
	expect(text != NULL);
}

static bool on_receipt(void *arg, const char *from, const uint8_t id[UMSG_ID_SIZE],
		       Umsg__ReceiptState state, const char *reason)
{
	(void)arg;
	(void)from;
	(void)id;
	(void)state;
	(void)reason;
	abort();
}

/* As a key store that finds that the entry does not open. */
static enum umsg_update_outcome on_update(void *arg, int64_t month, uint32_t revision,
					  struct slice entry, struct slice shared)
{
	unsigned sum = (unsigned)month + revision;

	(void)arg;
	for (size_t i = 0; i < entry.n; i++)
		sum += entry.p[i];
	for (size_t i = 0; i < shared.n; i++)
		sum += shared.p[i];
	return (enum umsg_update_outcome)(sum % 3);
}

static const struct umsg_client_ops ops = {
	.state = on_state,
	.incoming = on_incoming,
	.call = on_call,
	.message = on_message,
	.post_ack = on_post_ack,
	.receipt = on_receipt,
	.update = on_update,
};

static void on_sent(void *arg, struct link *link, struct slice octets)
{
	struct scene *scene = arg;
	Umsg__Frame *frame;

	(void)link;
	expect(frame_decode(octets, FRAME_FROM_CLIENT, &frame) == 0);
	expect(slice_eq_str(frame_bare(frame->from), OWN));
	if (frame->request)
		scene->request = frame->request;
	frame_free(&frame);
}

/* ---- what is made once ---- */

static struct umsg_client *new_client(struct keys *keys, struct event_base *base,
				      struct link_context *links, struct scene *scene)
{
	struct umsg_client_options options = {
		.base = base,
		.links = links,
		.keys = { keys->store, keys->domain, keys->keyset, NULL, 0, NULL, 0 },
		.software = "fuzz 1",
		.ops = &ops,
		.arg = scene,
	};
	struct umsg_client *client;

	expect(replay_new(100, &options.replay) == 0);
	expect(umsg_seen_new(100, &options.seen) == 0);
	expect(umsg_client_new(&options, &client) == 0);
	return client;
}

static void free_client(struct umsg_client **clientp, struct event_base *base)
{
	struct replay *replay = (*clientp)->replay;
	struct umsg_seen *seen = (*clientp)->seen;

	umsg_client_free(clientp);
	event_base_loop(base, EVLOOP_NONBLOCK);
	replay_free(&replay);
	umsg_seen_free(&seen);
}

static void seal(struct keys *keys, struct event_base *base, struct link_context *links)
{
	static char long_text[60000];
	Umsg__TextBody body = UMSG__TEXT_BODY__INIT;
	struct scene scene = { 0 };
	struct umsg_client *client = new_client(keys, base, links, &scene);

	body.text = (char *)(uintptr_t) "hello";
	expect(umsg_client_seal(client, PEER, &body, 0, &keys->text) == 0);
	memset(long_text, 'x', sizeof(long_text) - 1);
	body.text = long_text;
	expect(umsg_client_seal(client, PEER, &body, 0, &keys->long_text) == 0);
	free_client(&client, base);
}

static struct keys *make_keys(struct event_base *base, struct link_context *links)
{
	static struct keys keys;

	if (keys.curves)
		return &keys;
	client_keys_make(&keys);
	seal(&keys, base, links);
	return &keys;
}

/* ---- what the rendezvous says ---- */

static uint8_t any_octets[SEALED];

static ProtobufCBinaryData any(size_t n)
{
	return frame_data(slice_of(any_octets, n));
}

/* Only what keeps the form: the rest is for steps 0 to 2. */
static void say(Umsg__Frame *frame)
{
	struct link *link = fake_link_youngest();
	uint8_t *octets;
	size_t n;

	if (!link || fake_link_is_closing(link) || frame_encode(frame, &octets, &n))
		return;
	fake_link_frame(link, slice_of(octets, n));
	free(octets);
}

static void say_registered(unsigned how)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Registered registered = UMSG__REGISTERED__INIT;
	Umsg__Denied denied = UMSG__DENIED__INIT;
	Umsg__Unregistered unregistered = UMSG__UNREGISTERED__INIT;
	Umsg__Limits limits = UMSG__LIMITS__INIT;
	Umsg__UpdateName name = UMSG__UPDATE_NAME__INIT, *names[] = { &name };

	limits.frame_octets = how & 32 ? 65536 : how;
	limits.message_octets = how & 64 ? 1 << 20 : how << 8;
	limits.parts_in_flight = how >> 5;
	name.month = (char *)(uintptr_t)(how & 16 ? "2026-12" : "2026-11");
	name.revision = how;
	name.created = FAKE_CLOCK_START_S + how;
	registered.server_time = FAKE_CLOCK_START_S;
	registered.limits = &limits;
	registered.epoch = 1 + (how >> 7);
	registered.waiting = how & 7;
	registered.updates_only = (how & 15) == 7;
	registered.n_updates = how >> 3 & 1;
	registered.updates = names;
	denied.text = unregistered.text = (char *)(uintptr_t) "no";
	unregistered.reason = (Umsg__UnregisterReason)(how % 4);
	frame.body_case = UMSG__FRAME__BODY_REGISTERED;
	frame.registered = &registered;
	if ((how & 15) == 13) {
		frame.body_case = UMSG__FRAME__BODY_DENIED;
		frame.denied = &denied;
	} else if ((how & 15) == 14) {
		frame.body_case = UMSG__FRAME__BODY_UNREGISTERED;
		frame.unregistered = &unregistered;
	}
	say(&frame);
}

static void say_of_call(const struct scene *scene, unsigned how)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Leg leg = UMSG__LEG__INIT;
	Umsg__StreamIds ids = UMSG__STREAM_IDS__INIT, *streams[] = { &ids };
	Umsg__BangAnswer answer = UMSG__BANG_ANSWER__INIT;
	Umsg__Session session = UMSG__SESSION__INIT;
	Umsg__Hangup hangup = UMSG__HANGUP__INIT;
	Umsg__Bang bang = UMSG__BANG__INIT;
	static const uint8_t rand_of[FRAME_ID] = { 5 };
	ProtobufCBinaryData id = frame_data(slice_of(scene->call_id, FRAME_ID));

	ids.initiator_ssrc = 3;
	ids.responder_ssrc = 4;
	leg.leg_id = any(16);
	leg.leg_key = any(32);
	leg.relay_host = (char *)(uintptr_t) "192.0.2.1";
	leg.relay_port = 146;
	leg.n_streams = 1;
	leg.streams = streams;
	frame.from = (char *)(uintptr_t)PEER;
	frame.to = (char *)(uintptr_t)OWN;
	answer.session_id = session.session_id = bang.session_id = id;
	answer.leg = bang.leg = &leg;
	answer.ringing = how >> 4;
	session.role = UMSG__CALL_ROLE__RESPONDER;
	session.answer_rand = frame_data(slice_of(rand_of, FRAME_ID));
	session.sealed = any(how & 8 ? 0 : 32);
	session.counter = how >> 5;
	hangup.session = &session;
	hangup.reason = (Umsg__EndReason)(how % 18);
	hangup.who = UMSG__ENDED_BY__BY_RESPONDER;
	bang.i_message = any(300);
	bang.sealed = any(64);
	bang.streams = 1;
	switch (how & 7) {
	case 0:
	case 1:
		frame.by_server = 1;
		frame.from = frame.to = (char *)(uintptr_t) "";
		frame.body_case = UMSG__FRAME__BODY_BANG_ANSWER;
		frame.bang_answer = &answer;
		break;
	case 2:
		frame.body_case = UMSG__FRAME__BODY_BANG;
		frame.bang = &bang;
		break;
	case 3:
		frame.body_case = UMSG__FRAME__BODY_GROWL;
		frame.growl = &session;
		break;
	case 4:
		frame.body_case = UMSG__FRAME__BODY_TALK;
		frame.talk = &session;
		break;
	case 5:
		frame.body_case = UMSG__FRAME__BODY_SIGNAL;
		frame.signal = &session;
		break;
	case 6: /* by the rendezvous, which has no key */
		frame.by_server = 1;
		session.sealed = any(0);
		hangup.who = UMSG__ENDED_BY__BY_RENDEZVOUS;
		/* fall through */
	default:
		frame.body_case = UMSG__FRAME__BODY_HANGUP;
		frame.hangup = &hangup;
	}
	say(&frame);
}

static void say_of_message(const struct keys *keys, unsigned how)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Post post = UMSG__POST__INIT;
	Umsg__Deliver deliver = UMSG__DELIVER__INIT;
	Umsg__Part part = UMSG__PART__INIT;
	Umsg__PartAck part_ack = UMSG__PART_ACK__INIT;
	Umsg__PostAck ack = UMSG__POST_ACK__INIT;
	const uint8_t *own = how & 128 ? keys->long_text.id : keys->text.id;

	post.message_id = part.message_id = any(FRAME_ID);
	part_ack.message_id = ack.message_id = frame_data(slice_of(own, FRAME_ID));
	post.kind = (Umsg__MessageKind)(1 + how % 3);
	post.i_message = any(300);
	post.record = any(how & 64 ? SEALED : 40);
	post.total_length = (uint32_t)(how & 64 ? SEALED + 200 * (how & 3) : 40);
	deliver.post = &post;
	deliver.number = how >> 4;
	deliver.epoch = 1;
	part.sender = part_ack.sender = (char *)(uintptr_t)PEER;
	part.index = 1 + (how >> 4 & 3);
	part.record = any(how & 8 ? SEALED : 200);
	part_ack.next = 1 + (how >> 4 & 3);
	ack.error = (Umsg__ErrorCode)(how >> 3 & 15);
	ack.text = (char *)(uintptr_t) "";
	frame.from = (char *)(uintptr_t)PEER;
	frame.to = (char *)(uintptr_t)OWN;
	switch (how & 7) {
	case 0:
	case 1:
	case 2:
		frame.body_case = UMSG__FRAME__BODY_DELIVER;
		frame.deliver = &deliver;
		break;
	case 3:
	case 4:
		frame.body_case = UMSG__FRAME__BODY_PART;
		frame.part = &part;
		break;
	case 5:
		frame.body_case = UMSG__FRAME__BODY_PART_ACK;
		frame.part_ack = &part_ack;
		break;
	default:
		frame.by_server = 1;
		frame.body_case = UMSG__FRAME__BODY_POST_ACK;
		frame.post_ack = &ack;
	}
	say(&frame);
}

static void say_other(const struct scene *scene, unsigned how)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__UpdatePart part = UMSG__UPDATE_PART__INIT;
	Umsg__UpdateName name = UMSG__UPDATE_NAME__INIT, *names[] = { &name };
	Umsg__UpdateNews news = UMSG__UPDATE_NEWS__INIT;
	Umsg__Notify notify = UMSG__NOTIFY__INIT;
	Umsg__Fetched fetched = UMSG__FETCHED__INIT;
	Umsg__Error error = UMSG__ERROR__INIT;

	name.month = (char *)(uintptr_t)(how & 16 ? "2026-12" : "2026-11");
	name.revision = 1 + (how >> 5);
	name.created = FAKE_CLOCK_START_S + 1;
	part.name = &name;
	part.what = (Umsg__UpdateWhat)(how >> 3 & 1);
	part.total = 100 + (how >> 6) * 60000;
	part.data = any(part.total < 50 ? part.total : 50);
	part.offset = how & 32 ? 50 : 0;
	news.updates = names;
	news.n_updates = 1;
	notify.epoch = fetched.epoch = 1 + (how >> 7);
	notify.number = fetched.last = how >> 3;
	fetched.more = how >> 6 & 1;
	error.code = (Umsg__ErrorCode)(1 + how % 12);
	error.text = (char *)(uintptr_t) "";
	error.retry_after = how;
	frame.by_server = 1;
	frame.request = scene->request;
	switch (how & 7) {
	case 0:
	case 1:
		frame.body_case = UMSG__FRAME__BODY_UPDATE_PART;
		frame.update_part = &part;
		break;
	case 2:
		frame.body_case = UMSG__FRAME__BODY_UPDATE_NEWS;
		frame.update_news = &news;
		break;
	case 3:
		frame.body_case = UMSG__FRAME__BODY_NOTIFY;
		frame.notify = &notify;
		break;
	case 4:
		frame.body_case = UMSG__FRAME__BODY_FETCHED;
		frame.fetched = &fetched;
		break;
	default:
		frame.body_case = UMSG__FRAME__BODY_ERROR;
		frame.error = &error;
	}
	say(&frame);
}

/* ---- what else happens ---- */

static void invite(struct scene *scene)
{
	const struct umsg_audio_wish wish = { { UMSG_OPUS }, 1, 20 };
	struct umsg_call *call;

	if (scene->calls == 0 &&
	    umsg_call_invite(scene->client, PEER, "", "", &wish, NULL, &call) == 0) {
		scene->calls++;
		memcpy(scene->call_id, umsg_call_id(call), FRAME_ID);
	}
}

static void happen(struct scene *scene, const struct keys *keys, unsigned how)
{
	struct link *link = fake_link_youngest();

	switch (how & 7) {
	case 0:
		if (link)
			fake_link_end(link, (enum link_reason)(1 + (how >> 3) % LINK_NO_MEMORY));
		break;
	case 1:
		fake_clock_add_ms((int64_t)how * 1000);
		break;
	case 2:
		umsg_client_fetch(scene->client);
		break;
	case 3:
		invite(scene);
		break;
	case 4:
		umsg_client_post(scene->client, slice_of(keys->text.octets, keys->text.n));
		break;
	case 5:
		umsg_client_post(scene->client,
				 slice_of(keys->long_text.octets, keys->long_text.n));
		break;
	case 6: /* what waits for time to pass */
		if (event_pending(scene->client->timer, EV_TIMEOUT, NULL))
			event_active(scene->client->timer, EV_TIMEOUT, 1);
		if (event_pending(scene->client->watch, EV_TIMEOUT, NULL))
			event_active(scene->client->watch, EV_TIMEOUT, 1);
		break;
	default:
		umsg_client_taken(scene->client, any_octets, PEER, how >> 3);
	}
}

/* Connections come up by themselves, those that were asked to close end. */
static void settle(struct scene *scene, struct event_base *base)
{
	struct link *link = fake_link_youngest();

	if (link && fake_link_is_closing(link))
		fake_link_end(link, LINK_BY_US);
	event_base_loop(base, EVLOOP_NONBLOCK);
	link = fake_link_youngest();
	if (link && scene->client->state == UMSG_CONNECTING && !scene->client->registering)
		fake_link_negotiated(link);
}

static void step(struct scene *scene, const struct keys *keys, struct cursor *c)
{
	unsigned what = cursor_u8(c), how = cursor_u8(c);
	struct link *link = fake_link_youngest();
	struct slice octets;

	switch (what & 7) {
	case 3:
		say_registered(how);
		break;
	case 4:
		say_of_call(scene, how);
		break;
	case 5:
		say_of_message(keys, how);
		break;
	case 6:
		say_other(scene, how);
		break;
	case 7:
		happen(scene, keys, how);
		break;
	default:
		octets = cursor_take(c, (what >> 3) << 8 | how);
		if (link && !fake_link_is_closing(link))
			fake_link_frame(link, octets);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_of(slice_of(data, size));
	struct event_base *base = event_base_new();
	struct scene scene = { 0 };
	struct link_context *links = NULL;
	struct keys *keys;

	expect(base && link_context_new(base, NULL, &links) == 0);
	quiet();
	fake_clock_reset();
	fake_link_on_sent(NULL, NULL);
	keys = make_keys(base, links);
	fake_link_on_sent(on_sent, &scene);
	scene.client = new_client(keys, base, links, &scene);
	settle(&scene, base);
	for (int i = 0; i < STEPS && c.left > 0 && cursor_ok(&c); i++) {
		step(&scene, keys, &c);
		settle(&scene, base);
	}
	free_client(&scene.client, base);
	expect(scene.calls == 0 && fake_link_youngest() == NULL);
	link_context_free(&links);
	event_base_free(base);
	return 0;
}
