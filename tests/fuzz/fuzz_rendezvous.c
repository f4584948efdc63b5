/* fuzz_rendezvous.c - frames of clients that have authenticated and obey no other rule, to a
 * whole worker (fake_worker.h): holder, home, sessions, mailboxes.
 *
 * Input: steps of three octets and what they need: who, what, how.
 *   0..3  a frame as it is: length (2 octets), octets
 *   4     a frame of a known shape, made of further octets: it comes deeper
 *   5     a client's connection ends, or a new one begins
 *   6     time passes
 *   7     store or relay go, come back, or refuse
 * Behind each step some of what is queued happens.  Whatever comes: what clients are sent
 * are frames that they accept, in nobody's name but of those who are there; and when all
 * are gone, so are sessions, and their relay's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "tests/fuzz/fake_clock.h"
#include "tests/fuzz/fake_link.h"
#include "tests/fuzz/fake_worker.h"
#include "tests/fuzz/quiet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PEOPLE = 4, STEPS = 200, SEALED = FRAME_RECORD + FRAME_RECORD_TAG };

static const struct person {
	const char *uri, *account;
	uint32_t generation;
} people[PEOPLE] = {
	{ "tel:+1", "acme", 2 },
	{ "tel:+1", "acme", 2 }, /* her other device */
	{ "tel:+2", "acme", 1 },
	{ "tel:+3", "other", 5 },
};

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void check_sent(void *arg, struct link *link, struct slice octets)
{
	Umsg__Frame *frame;
	bool known = false;

	(void)arg;
	(void)link;
	expect(frame_decode(octets, FRAME_FROM_SERVER, &frame) == 0);
	for (int i = 0; i < PEOPLE && !known; i++)
		known = slice_eq_str(frame_bare(frame->from), people[i].uri);
	expect(known || frame->from[0] == '\0');
	frame_free(&frame);
}

static struct client *nth_client(struct worker *worker, unsigned n)
{
	struct client *client = TAILQ_FIRST(&worker->holder->all);

	for (n %= worker->holder->count ? (unsigned)worker->holder->count : 1; client && n; n--)
		client = TAILQ_NEXT(client, in_holder);
	return client;
}

/* ---- frames of a known shape ---- */

struct shape {
	Umsg__Frame frame;
	Umsg__Register reg;
	Umsg__UpdateName name, *names[1];
	Umsg__Bang bang;
	Umsg__Session session;
	Umsg__Hangup hangup;
	Umsg__Post post;
	Umsg__Part part;
	Umsg__PartAck part_ack;
	Umsg__Taken taken;
	Umsg__Fetch fetch;
	Umsg__Lookup lookup;
	Umsg__UpdateGet update_get;
	Umsg__UpdateConfirm update_confirm;
	uint8_t id[FRAME_ID], rand[FRAME_ID];
};

static uint8_t octets_of_any[SEALED]; /* sealed: nobody here looks into it */

static ProtobufCBinaryData any(size_t n)
{
	return frame_data(slice_of(octets_of_any, n));
}

static void shape_calls(struct shape *s, unsigned what, unsigned how)
{
	umsg__bang__init(&s->bang);
	umsg__session__init(&s->session);
	umsg__hangup__init(&s->hangup);
	s->bang.session_id = s->session.session_id = frame_data(slice_of(s->id, FRAME_ID));
	s->bang.i_message = any(100);
	s->bang.sealed = s->session.sealed = any(16 + how % 64);
	s->bang.streams = 1 + how % 8;
	s->session.role = how & 128 ? UMSG__CALL_ROLE__RESPONDER : UMSG__CALL_ROLE__INITIATOR;
	if (how & 128)
		s->session.answer_rand = frame_data(slice_of(s->rand, FRAME_ID));
	s->hangup.session = &s->session;
	s->hangup.reason = (Umsg__EndReason)(how % 18);
	s->hangup.who = how & 128 ? UMSG__ENDED_BY__BY_RESPONDER : UMSG__ENDED_BY__BY_INITIATOR;
	s->frame.body_case = (Umsg__Frame__BodyCase)(UMSG__FRAME__BODY_BANG + what);
	switch (what) {
	case 0:
		s->frame.bang = &s->bang;
		break;
	case 4:
		s->frame.hangup = &s->hangup;
		break;
	default: /* growl, talk, signal; 1 is the server's */
		s->frame.talk = &s->session;
	}
}

static void shape_messages(struct shape *s, unsigned what, unsigned how)
{
	size_t long_n = how & 8 ? 2 * SEALED + 100 : 0;
	ProtobufCBinaryData id = frame_data(slice_of(s->id, FRAME_ID));
	char *sender = (char *)(uintptr_t)people[how % PEOPLE].uri;

	umsg__post__init(&s->post);
	umsg__part__init(&s->part);
	umsg__part_ack__init(&s->part_ack);
	umsg__taken__init(&s->taken);
	umsg__fetch__init(&s->fetch);
	s->post.message_id = s->part.message_id = s->part_ack.message_id = s->taken.message_id = id;
	s->post.kind = (Umsg__MessageKind)(1 + how % 3);
	s->post.store_until = how & 16 ? FAKE_CLOCK_START_S + how * 60 : 0;
	s->post.i_message = any(200);
	s->post.record = any(long_n ? SEALED : 40 + how);
	s->post.total_length = (uint32_t)(long_n ? long_n : s->post.record.len);
	s->part.index = s->part_ack.next = 1 + how % 4;
	s->part.record = any(how & 16 ? SEALED : 100);
	s->part_ack.sender = s->taken.sender = sender;
	s->taken.number = how >> 4;
	s->fetch.after = how;
	s->fetch.at_most = how >> 5;
	switch (what) {
	case 0:
		s->frame.body_case = UMSG__FRAME__BODY_POST;
		s->frame.post = &s->post;
		break;
	case 1:
		s->frame.body_case = UMSG__FRAME__BODY_PART;
		s->frame.part = &s->part;
		break;
	case 2:
		s->frame.body_case = UMSG__FRAME__BODY_PART_ACK;
		s->frame.part_ack = &s->part_ack;
		break;
	case 3:
		s->frame.body_case = UMSG__FRAME__BODY_TAKEN;
		s->frame.taken = &s->taken;
		break;
	default:
		s->frame.body_case = UMSG__FRAME__BODY_FETCH;
		s->frame.fetch = &s->fetch;
	}
}

static void shape_others(struct shape *s, unsigned what, unsigned how)
{
	umsg__register__init(&s->reg);
	umsg__update_name__init(&s->name);
	umsg__lookup__init(&s->lookup);
	umsg__update_get__init(&s->update_get);
	umsg__update_confirm__init(&s->update_confirm);
	s->name.month = (char *)(uintptr_t) "2026-11";
	s->name.revision = how;
	s->names[0] = &s->name;
	s->lookup.uri = (char *)(uintptr_t)people[how % PEOPLE].uri;
	s->update_get.month = s->name.month;
	s->update_confirm.name = &s->name;
	s->reg.device_id = frame_data(slice_of(s->id, FRAME_ID));
	s->reg.role = how & 1 ? UMSG__DEVICE_ROLE__SECONDARY : UMSG__DEVICE_ROLE__PRIMARY;
	s->reg.has_keys = !(how & 2);
	s->reg.newest = &s->name;
	switch (what) {
	case 0:
		s->frame.body_case = UMSG__FRAME__BODY_LOOKUP;
		s->frame.lookup = &s->lookup;
		break;
	case 1:
		s->frame.body_case = UMSG__FRAME__BODY_UPDATE_GET;
		s->frame.update_get = &s->update_get;
		break;
	case 2:
		s->frame.body_case = UMSG__FRAME__BODY_UPDATE_CONFIRM;
		s->frame.update_confirm = &s->update_confirm;
		break;
	default:
		s->frame.body_case = UMSG__FRAME__BODY_REGISTER;
		s->frame.register_ = &s->reg;
	}
}

static void say_shape(struct client *client, unsigned what, unsigned how, unsigned more)
{
	struct shape s = { 0 };
	uint8_t *octets;
	size_t n;

	umsg__frame__init(&s.frame);
	memset(s.id, 'a' + (int)(more & 7), FRAME_ID);
	memset(s.rand, 'A' + (int)(more & 7), FRAME_ID);
	s.frame.request = more;
	s.frame.from = client->uri;
	s.frame.to = (char *)(uintptr_t)people[more >> 3 & 3].uri;
	if (what % 16 < 6)
		shape_calls(&s, what % 16, how);
	else if (what % 16 < 11)
		shape_messages(&s, what % 16 - 6, how);
	else
		shape_others(&s, what % 16 - 11, how);
	if (s.frame.body_case == UMSG__FRAME__BODY_REGISTER)
		s.frame.to = (char *)(uintptr_t) "";
	if (frame_encode(&s.frame, &octets, &n))
		return;
	client_frame(client, slice_of(octets, n));
	free(octets);
}

/* ---- steps ---- */

static void come(struct worker *worker, unsigned who)
{
	const struct person *p = &people[who % PEOPLE];
	struct client *client;

	if (worker->holder->count >= 8)
		return;
	client = fake_worker_client(worker, p->uri, p->account, p->generation);
	say_shape(client, 15, who >> 4 & 1, who);
}

static void disturb(struct worker *worker, unsigned how)
{
	if (how & 1)
		fake_worker_store(worker, !worker->store_up);
	if (how & 2)
		fake_worker_relay(worker, !worker->relay_up);
	if (how & 4)
		worker->store_err = -ENOSPC;
	if (how & 8)
		home_store_room(worker->home, how & 16 ? "disk full" : NULL);
	if (how & 32) {
		const struct roster_user now[] = {
			{ slice_str("tel:+2"), 1, (how & 64) != 0 },
			{ slice_str("tel:+1"), how & 128 ? 3 : 2, false },
		};

		expect(roster_apply(worker->roster, "acme", clock_wall_s(), now, 2) >= 0);
		home_roster_changed(worker->home);
	}
}

static void step(struct worker *worker, struct cursor *c)
{
	unsigned who = cursor_u8(c), what = cursor_u8(c), how = cursor_u8(c);
	struct client *client = nth_client(worker, who & 7);

	switch (what & 7) {
	case 4:
		if (client)
			say_shape(client, what >> 4, how, cursor_u8(c));
		break;
	case 5:
		if (client && what & 8)
			client_end(client, "gone");
		else
			come(worker, how);
		break;
	case 6:
		fake_clock_add_ms(what & 8 ? how * 1000 : how * 10);
		home_tick(worker->home);
		break;
	case 7:
		disturb(worker, how);
		break;
	default:
		if (client)
			client_frame(client, cursor_take(c, how << 2 | (what >> 3 & 3)));
	}
	fake_worker_turn(worker, who >> 3);
}

/* Nobody is there any more: then nothing may be left of any call. */
static void all_leave(struct worker *worker)
{
	fake_worker_leave(worker);
	expect(sessions_count(worker->home->sessions) == 0);
	expect(relay_table_first(worker->relay_table) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct roster_user users[] = { { slice_str("tel:+1"), 2, false },
					     { slice_str("tel:+2"), 1, false } };
	struct cursor c = cursor_of(slice_of(data, size));
	struct worker *worker;

	quiet();
	fake_clock_reset();
	fake_link_on_sent(check_sent, NULL);
	worker = fake_worker_new();
	expect(roster_apply(worker->roster, "acme", FAKE_CLOCK_START_S, users, 2) >= 0);
	for (unsigned i = 0; i < PEOPLE; i++)
		come(worker, i);
	fake_worker_run(worker);
	for (int i = 0; i < STEPS && c.left > 0 && cursor_ok(&c); i++)
		step(worker, &c);
	all_leave(worker);
	fake_worker_free(&worker);
	return 0;
}
