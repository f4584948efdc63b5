/* health_clients.c - a call and a text between two temporary clients.
 *
 * Both are in this process, and each step begins when the other one has heard the last: what is
 * measured is the way through the rendezvous and back. Nothing is encrypted: the rendezvous
 * could not open it, and a filler stands where clients seal.
 */
#include "rendezvous/health_clients.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <openssl/rand.h>

#include "base/clock.h"
#include "base/timer.h"
#include "rendezvous/guests.h"
#include "umsg/frame.h"
#include "umsg/link.h"

enum { FILLER = 32, STORE_S = 60 };

/* In this order; each is done by what the one or the other hears. */
enum step { STEP_ATTACH, STEP_INVITE, STEP_RING, STEP_ANSWER, STEP_HANGUP, STEP_TEXT, STEP_DONE };

static const char *const step_names[] = {
	[STEP_ATTACH] = "attach",     [STEP_INVITE] = "call: invite", [STEP_RING] = "call: ringing",
	[STEP_ANSWER] = "call: talk", [STEP_HANGUP] = "call: hangup", [STEP_TEXT] = "message",
};

struct check;

struct guest {
	struct check *check;
	struct link *link;
	char uri[ACCOUNT_URI_MAX + 1];
	bool registered;
};

struct check {
	struct event_base *base;
	struct link_context *links;
	struct event *limit;
	struct guest caller, callee;
	struct health_report *report;
	enum step step;
	int64_t step_ms; /* when it began */
	uint8_t session_id[FRAME_ID], message_id[FRAME_ID];
};

/* The first fault ends the check: what follows from it would only repeat it. */
static void fail(struct check *check, const char *why)
{
	if (check->step == STEP_DONE)
		return;
	health_report_add(check->report, HEALTH_ERROR, step_names[check->step], "%s", why);
	check->step = STEP_DONE;
	event_base_loopbreak(check->base);
}

/* ---- saying ---- */

static struct slice filler(void)
{
	static const uint8_t octets[FILLER] = { 1 };

	return slice_of(octets, sizeof(octets));
}

static void say(struct guest *guest, const char *to, Umsg__Frame *frame)
{
	uint8_t *octets;
	size_t n;

	frame->from = guest->uri;
	frame->to = frame_text(to);
	/* No two requests of a guest are under way at once: one number is enough. */
	frame->request = 1;
	if (frame_encode(frame, &octets, &n)) {
		fail(guest->check, "no memory");
		return;
	}
	link_send(guest->link, slice_of(octets, n));
	free(octets);
}

static void say_register(struct guest *guest)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Register body = UMSG__REGISTER__INIT;
	char software[] = "health-check";

	body.device_id = frame_data(slice_of(guest->check->session_id, FRAME_ID));
	body.has_keys = true;
	body.software = software;
	frame.body_case = UMSG__FRAME__BODY_REGISTER;
	frame.register_ = &body;
	say(guest, "", &frame);
}

static void say_bang(struct check *check)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Bang body = UMSG__BANG__INIT;

	body.session_id = frame_data(slice_of(check->session_id, FRAME_ID));
	body.i_message = frame_data(filler());
	body.sealed = frame_data(filler());
	body.streams = 1;
	frame.body_case = UMSG__FRAME__BODY_BANG;
	frame.bang = &body;
	say(&check->caller, check->callee.uri, &frame);
}

/* GROWL or TALK. */
static void say_as_callee(struct check *check, Umsg__Frame__BodyCase what)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Session session = UMSG__SESSION__INIT;

	session.session_id = frame_data(slice_of(check->session_id, FRAME_ID));
	session.role = UMSG__CALL_ROLE__RESPONDER;
	session.answer_rand = frame_data(slice_of(check->message_id, FRAME_ID));
	session.sealed = frame_data(filler());
	frame.body_case = what;
	frame.growl = &session; /* talk has the same place and type */
	say(&check->callee, check->caller.uri, &frame);
}

static void say_hangup(struct check *check)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Hangup body = UMSG__HANGUP__INIT;
	Umsg__Session session = UMSG__SESSION__INIT;

	session.session_id = frame_data(slice_of(check->session_id, FRAME_ID));
	session.sealed = frame_data(filler());
	body.session = &session;
	body.reason = UMSG__END_REASON__END_HANGUP;
	body.who = UMSG__ENDED_BY__BY_INITIATOR;
	frame.body_case = UMSG__FRAME__BODY_HANGUP;
	frame.hangup = &body;
	say(&check->caller, check->callee.uri, &frame);
}

/* To be forgotten by itself soon, should nobody take it. */
static void say_post(struct check *check)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Post body = UMSG__POST__INIT;

	body.message_id = frame_data(slice_of(check->message_id, FRAME_ID));
	body.kind = UMSG__MESSAGE_KIND__KIND_TEXT;
	body.store_until = (uint64_t)clock_wall_s() + STORE_S;
	body.i_message = frame_data(filler());
	body.total_length = FILLER;
	body.record = frame_data(filler());
	frame.body_case = UMSG__FRAME__BODY_POST;
	frame.post = &body;
	say(&check->caller, check->callee.uri, &frame);
}

static void say_taken(struct check *check, uint64_t number)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Taken body = UMSG__TAKEN__INIT;

	body.message_id = frame_data(slice_of(check->message_id, FRAME_ID));
	body.sender = check->caller.uri;
	body.number = number;
	frame.body_case = UMSG__FRAME__BODY_TAKEN;
	frame.taken = &body;
	say(&check->callee, "", &frame);
}

/* ---- hearing ---- */

/* The step is done; begins the next one, if it is the caller's to begin. */
static void pass(struct check *check, enum step step)
{
	int64_t now_ms = clock_mono_ms();

	/* Heard twice, or late: it is of a step that is over. */
	if (check->step != step)
		return;
	health_report_add(check->report, HEALTH_OK, step_names[step], "%" PRId64 " ms",
			  now_ms - check->step_ms);
	check->step_ms = now_ms;
	check->step = (enum step)(step + 1);
	if (check->step == STEP_INVITE)
		say_bang(check);
	else if (check->step == STEP_HANGUP)
		say_hangup(check);
	else if (check->step == STEP_TEXT)
		say_post(check);
	else if (check->step == STEP_DONE)
		event_base_loopbreak(check->base);
}

static void hear_as_callee(struct check *check, const Umsg__Frame *frame)
{
	switch (frame->body_case) {
	case UMSG__FRAME__BODY_BANG:
		pass(check, STEP_INVITE);
		say_as_callee(check, UMSG__FRAME__BODY_GROWL);
		break;
	case UMSG__FRAME__BODY_HANGUP:
		pass(check, STEP_HANGUP);
		break;
	case UMSG__FRAME__BODY_DELIVER:
		/* So that nothing of a check stays in the store. */
		say_taken(check, frame->deliver->number);
		break;
	default:
		break;
	}
}

static void hear_as_caller(struct check *check, const Umsg__Frame *frame)
{
	char why[FRAME_TEXT_MAX + 32];

	switch (frame->body_case) {
	case UMSG__FRAME__BODY_GROWL:
		pass(check, STEP_RING);
		/* Both are ours: the callee answers when the caller has heard that it rings. */
		say_as_callee(check, UMSG__FRAME__BODY_TALK);
		break;
	case UMSG__FRAME__BODY_TALK:
		pass(check, STEP_ANSWER);
		break;
	case UMSG__FRAME__BODY_HANGUP:
		/* The caller ends the call itself: an end that it hears is none that was wanted. */
		snprintf(why, sizeof(why), "ended by the rendezvous, reason %d",
			 (int)frame->hangup->reason);
		fail(check, why);
		break;
	case UMSG__FRAME__BODY_POST_ACK:
		if (frame->post_ack->error)
			fail(check, frame->post_ack->text);
		else
			pass(check, STEP_TEXT);
		break;
	default:
		break;
	}
}

static void hear(struct guest *guest, const Umsg__Frame *frame)
{
	struct check *check = guest->check;

	switch (frame->body_case) {
	case UMSG__FRAME__BODY_REGISTERED:
		guest->registered = true;
		if (check->caller.registered && check->callee.registered)
			pass(check, STEP_ATTACH);
		break;
	case UMSG__FRAME__BODY_DENIED:
		fail(check, frame->denied->text);
		break;
	case UMSG__FRAME__BODY_ERROR:
		fail(check, frame->error->text);
		break;
	default:
		if (guest == &check->callee)
			hear_as_callee(check, frame);
		else
			hear_as_caller(check, frame);
	}
}

static void on_event(void *arg, struct link *link, const struct link_event *event)
{
	struct guest *guest = arg;
	Umsg__Frame *frame = NULL;
	char why[256];

	(void)link;
	if (event->kind == LINK_NEGOTIATED) {
		say_register(guest);
	} else if (event->kind == LINK_FRAME) {
		if (frame_decode(event->octets, FRAME_FROM_SERVER, &frame) == 0)
			hear(guest, frame);
		frame_free(&frame);
	} else if (event->kind == LINK_CLOSED) {
		snprintf(why, sizeof(why), "connection %s%s%s", link_reason_name(event->reason),
			 *event->text ? ": " : "", event->text);
		fail(guest->check, why);
	}
}

static const struct link_ops link_ops = { .event = on_event };

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	fail(arg, "no answer in time");
}

/* ---- the whole ---- */

static void connect_guest(struct check *check, struct guest *guest, unsigned index,
			  const struct health_account *account)
{
	char identity[ACCOUNT_IDENTITY_MAX + 1], host[NET_TEXT_SIZE];
	uint8_t psk[ACCOUNT_PSK_SIZE];
	const struct link_login login = { .host = host, .identity = identity, .psk = psk };
	int err;

	guest->check = check;
	snprintf(guest->uri, sizeof(guest->uri), GUESTS_PREFIX "%u-%s", index, account->check);
	net_format(&account->server, host);
	/* A guest has no keys of the service and so no generation of its own: 1 stands for all. */
	err = account_psk(account->secret, slice_str(guest->uri), account->id, 1, psk);
	if (!err)
		err = account_identity_make(account->secret, slice_str(guest->uri), account->id, 1,
					    identity);
	if (!err)
		err = link_connect(check->links, &account->server, &login, &link_ops, guest,
				   &guest->link);
	if (err)
		fail(check, strerror(-err));
}

static int prepare(struct check *check)
{
	check->base = event_base_new();
	check->limit = check->base ? evtimer_new(check->base, on_limit, check) : NULL;
	if (!check->limit || link_context_new(check->base, NULL, &check->links) ||
	    RAND_bytes(check->session_id, FRAME_ID) != 1 ||
	    RAND_bytes(check->message_id, FRAME_ID) != 1)
		return -1;
	timer_arm(check->limit, HEALTH_CLIENTS_LIMIT_MS);
	return 0;
}

void health_clients_run(const struct health_account *account, struct health_report *report)
{
	struct check check = { .report = report, .step_ms = clock_mono_ms() };

	if (prepare(&check)) {
		health_report_add(report, HEALTH_ERROR, step_names[STEP_ATTACH], "no memory");
	} else {
		connect_guest(&check, &check.caller, 1, account);
		connect_guest(&check, &check.callee, 2, account);
		/* A guest that could not be connected has ended the check already, before there
		 * was a loop to break. */
		if (check.step != STEP_DONE)
			event_base_dispatch(check.base);
	}
	/* RFC 6455 7.4.1: done. Both go even when one never came: NULL is no link. */
	link_finish(&check.caller.link, 1000);
	link_finish(&check.callee.link, 1000);
	link_context_free(&check.links);
	if (check.limit)
		event_free(check.limit);
	if (check.base)
		event_base_free(check.base);
}
