/* Calls through the gateway, between a SIP agent, a media relay and a secure side that
 * are played here: whatever a side does, and whenever, the call ends on all sides. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "gateway/call.h"
#include "gateway/pbx_door.h"
#include "tests/gateway/call_sides.h"
#include "tests/memory/scarce.h"
#include "tests/umsg/loop.h"

/* ---- the scene ---- */

struct scene {
	struct event_base *base;
	const struct cig_config *config;
	struct sip_link sip;
	struct relay_link relay;
	struct resolver resolver;
	struct pbxs pbxs;
	struct pbx_door door;
	struct umsg_client client;
	struct calls *calls;
};

#define CONFIG(more)                                                                               \
	"map tel2sip { entry extensions tel \"tel:+8888;{ext}\" sip \"sip:{ext}@127.0.0.1\"; }\n"  \
	"map sip2source { entry extensions sip \"sip:{ext}@{discard}\" tel \"tel:+8888;{ext}\"; "  \
	"}\n"                                                                                      \
	"map sip2tel { entry users sip \"sip:{number}@{discard}\" tel \"tel:+{number}\"; }\n"      \
	"map tel2source { entry users tel \"tel:+{number}\" sip \"sip:{number}@secure.com\"; }\n"  \
	"interfaces {\n"                                                                           \
	" tel { extension map tel2sip; source map sip2source; bind_media 127.0.0.1; }\n"           \
	" sip { extension map sip2tel; source map tel2source; bind 127.0.0.1; " more "}\n"         \
	"}\n"                                                                                      \
	"userdata \"/tmp\"; log_dir \"/tmp\"; run_dir \"/tmp\";\n"

static int set_up_with(void **state, const char *text)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct diag *diag = diag_new();
	struct calls_world world;

	assert_non_null(scene);
	if (cig_config_parse("test", slice_str(text), diag, &scene->config))
		fail_msg("%s", diag_first_error(diag));
	diag_free(&diag);
	scene->base = event_base_new();
	scene->sip.ready = scene->relay.up = true;
	scene->client.state = UMSG_ATTACHED;
	world = (struct calls_world){
		.base = scene->base,
		.sip = &scene->sip,
		.relay = &scene->relay,
		.resolver = &scene->resolver,
		.pbxs = &scene->pbxs,
		.door = &scene->door,
		.umsg = &scene->client,
		.own_uri = "tel:+8888",
		.engines = 3,
	};
	scene->calls = calls_new(&world, scene->config);
	assert_non_null(scene->calls);
	scene->client.calls = scene->calls;
	*state = scene;
	return 0;
}

static int set_up(void **state)
{
	return set_up_with(state, CONFIG("port 5060;"));
}

/* Nobody talks longer than a second. */
static int set_up_brief(void **state)
{
	return set_up_with(state, CONFIG("max_call_s 1;"));
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	calls_free(&scene->calls);
	assert_null(scene->resolver.waiting);
	assert_null(scene->pbxs.waiting);
	free(scene->client.call);
	cig_config_release(&scene->config);
	event_base_free(scene->base);
	free(scene);
	return 0;
}

/* ---- what happens ---- */

enum { SIP_CALL = 1 << 20 | 1 };

static uint64_t sip_number(const struct scene *scene)
{
	return scene->sip.last_call ? scene->sip.last_call : SIP_CALL;
}

static void sip_says(struct scene *scene, SipAgent__FromAgent__BodyCase body, void *message)
{
	SipAgent__FromAgent event = SIP_AGENT__FROM_AGENT__INIT;

	event.body_case = body;
	event.incoming = message; /* a union of pointers */
	calls_sip_event(scene->calls, &event);
}

static void pbx_calls(struct scene *scene)
{
	SipAgent__Incoming incoming = SIP_AGENT__INCOMING__INIT;
	SipAgent__Target source = SIP_AGENT__TARGET__INIT;

	source.address = (char *)"127.0.0.1";
	incoming.source = &source;
	incoming.call = SIP_CALL;
	incoming.call_id = (char *)"an-id";
	incoming.from_uri = (char *)"sip:101@127.0.0.1";
	incoming.request_uri = (char *)"sip:46701@127.0.0.1";
	sip_says(scene, SIP_AGENT__FROM_AGENT__BODY_INCOMING, &incoming);
}

static void secure_user_calls(struct scene *scene)
{
	scarce_pause();
	scene->client.call = calloc(1, sizeof(*scene->client.call));
	scarce_resume();
	assert_non_null(scene->client.call);
	scene->client.call->client = &scene->client;
	calls_secure_incoming(scene->calls, scene->client.call);
}

/* The PBX has n addresses. */
static void finds(struct scene *scene, size_t n)
{
	struct pbx_search *search = scene->pbxs.waiting;
	struct pbx_way ways[PBX_WAYS_MAX] = { { .transport = SIP_UDP } };

	if (!search)
		return;
	scene->pbxs.waiting = NULL;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(net_parse("127.0.0.1", (uint16_t)(5060 + i), &ways[i].addr), 0);
	search->done(search->arg, ways, n, "no such host");
	free(search);
}

static void resolves(struct scene *scene)
{
	struct resolution *r = scene->resolver.waiting;
	struct net_addr addr;

	finds(scene, 1);
	if (!r)
		return;
	scene->resolver.waiting = NULL;
	assert_int_equal(net_parse("127.0.0.1", 5060, &addr), 0);
	r->done(r->arg, 0, &addr, "");
	free(r);
}

static void relay_opens(struct scene *scene)
{
	Relay__Opened opened = RELAY__OPENED__INIT;
	Relay__Event event = RELAY__EVENT__INIT;

	opened.call_id = calls_total(scene->calls);
	opened.plain_port = 16384;
	event.of_case = RELAY__EVENT__OF_OPENED;
	event.opened = &opened;
	calls_relay_event(scene->calls, &event);
	resolves(scene);
}

static void relay_closes(struct scene *scene)
{
	Relay__Closed closed = RELAY__CLOSED__INIT;
	Relay__Event event = RELAY__EVENT__INIT;

	closed.call_id = calls_total(scene->calls);
	event.of_case = RELAY__EVENT__OF_CLOSED;
	event.closed = &closed;
	calls_relay_event(scene->calls, &event);
}

static void relay_refuses(struct scene *scene, Relay__Failed__Reason reason)
{
	Relay__Failed failed = RELAY__FAILED__INIT;
	Relay__Event event = RELAY__EVENT__INIT;

	failed.call_id = calls_total(scene->calls);
	failed.reason = reason;
	event.of_case = RELAY__EVENT__OF_FAILED;
	event.failed = &failed;
	calls_relay_event(scene->calls, &event);
}

static void pbx_rings(struct scene *scene)
{
	SipAgent__Ringing ringing = SIP_AGENT__RINGING__INIT;

	ringing.call = sip_number(scene);
	sip_says(scene, SIP_AGENT__FROM_AGENT__BODY_RINGING, &ringing);
}

static void pbx_answers(struct scene *scene)
{
	SipAgent__Format pcma = SIP_AGENT__FORMAT__INIT, *formats[] = { &pcma };
	SipAgent__Answered answered = SIP_AGENT__ANSWERED__INIT;
	SipAgent__Dialog dialog = SIP_AGENT__DIALOG__INIT;
	SipAgent__Audio audio = SIP_AGENT__AUDIO__INIT;

	pcma.encoding = SIP_AGENT__ENCODING__PCMA;
	pcma.payload_type = 8;
	audio.formats = formats;
	audio.n_formats = 1;
	audio.port = 4000;
	dialog.call_id = (char *)"an-id";
	answered.call = sip_number(scene);
	answered.dialog = &dialog;
	answered.audio = &audio;
	sip_says(scene, SIP_AGENT__FROM_AGENT__BODY_ANSWERED, &answered);
}

static void pbx_ends(struct scene *scene)
{
	SipAgent__Ended ended = SIP_AGENT__ENDED__INIT;

	ended.call = sip_number(scene);
	sip_says(scene, SIP_AGENT__FROM_AGENT__BODY_ENDED, &ended);
}

static void agent_dies(struct scene *scene)
{
	scene->sip.ready = false;
	calls_sip_lost(scene->calls);
}

static void relay_dies(struct scene *scene)
{
	scene->relay.up = false;
	calls_relay_down(scene->calls);
}

static void secure_rings(struct scene *scene)
{
	if (scene->client.call && !scene->client.call->ended)
		calls_secure_event(scene->calls, scene->client.call, UMSG_CALL_RINGING);
}

static void secure_answers(struct scene *scene)
{
	if (scene->client.call && !scene->client.call->ended)
		calls_secure_event(scene->calls, scene->client.call, UMSG_CALL_ANSWERED);
}

static void secure_ends(struct scene *scene)
{
	if (scene->client.call)
		sides_end_secure(scene->client.call, UMSG__END_REASON__END_HANGUP);
}

/* The last words of those who are still there. */
static void all_confirm(struct scene *scene)
{
	if (scene->sip.ready)
		pbx_ends(scene);
	if (scene->relay.up)
		relay_closes(scene);
}

static void assert_all_ended(struct scene *scene)
{
	assert_int_equal(calls_active(scene->calls), 0);
	assert_true(!scene->client.call || scene->client.call->ended);
	assert_null(scene->resolver.waiting);
	assert_null(scene->pbxs.waiting);
}

/* ---- tests ---- */

typedef void scene_fn(struct scene *scene);

/* The ways of a call from either side, from nothing to up. */
static scene_fn *const from_pbx[] = { pbx_calls, relay_opens, secure_rings, secure_answers,
				      resolves };
static scene_fn *const from_secure[] = { secure_user_calls, relay_opens, pbx_rings, pbx_answers,
					 resolves };

/* What may end it anywhere on the way; some do not concern it yet, then a hangup of
 * either side does. */
static scene_fn *const endings[] = { pbx_ends, secure_ends, agent_dies, relay_dies };

static void run_way(scene_fn *const *way, size_t steps, scene_fn *ending)
{
	struct scene *scene;
	void *state = NULL;

	set_up(&state);
	scene = state;
	for (size_t i = 0; i < steps; i++)
		way[i](scene);
	assert_int_equal(calls_active(scene->calls), 1);
	ending(scene);
	secure_ends(scene);
	pbx_ends(scene);
	all_confirm(scene);
	assert_all_ended(scene);
	tear_down(&state);
}

static void a_call_ends_on_all_sides_whoever_leaves_and_when(void **state)
{
	(void)state;
	for (size_t e = 0; e < COUNT(endings); e++) {
		for (size_t steps = 1; steps <= COUNT(from_pbx); steps++)
			run_way(from_pbx, steps, endings[e]);
		for (size_t steps = 1; steps <= COUNT(from_secure); steps++)
			run_way(from_secure, steps, endings[e]);
	}
}

/* A call for which there is no memory is refused on the side that it came from, one that
 * has begun ends on all sides, and where it was not needed the call goes on. */
static bool run_way_while_memory_runs_out(unsigned n, void *arg)
{
	scene_fn *const *way = arg;
	struct scene *scene;
	void *state = NULL;
	bool failed;

	set_up(&state);
	scene = state;
	scarce_begin(n);
	for (size_t i = 0; i < COUNT(from_pbx); i++)
		way[i](scene);
	failed = scarce_end();
	if (calls_active(scene->calls) == 0) {
		assert_true(failed);
		assert_true(!scene->client.call || scene->client.call->ended);
		assert_true(way == from_secure || scene->sip.rejects + scene->sip.hangups > 0);
	}
	secure_ends(scene);
	pbx_ends(scene);
	all_confirm(scene);
	assert_all_ended(scene);
	tear_down(&state);
	return failed;
}

static void memory_that_runs_out_at_any_step_ends_the_call_or_nothing(void **state)
{
	(void)state;
	assert_true(scarce_each(run_way_while_memory_runs_out, (void *)from_pbx) > 5);
	assert_true(scarce_each(run_way_while_memory_runs_out, (void *)from_secure) > 5);
}

/* A call of which nobody hangs up, a forgotten one or a fraud, ends on both sides. */
static void a_call_lasts_no_longer_than_it_may(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(from_pbx); i++)
		from_pbx[i](scene);
	assert_int_equal(scene->sip.hangups, 0);
	LOOP_UNTIL(scene->base, scene->sip.hangups > 0);
	assert_true(scene->client.call->ended);
	all_confirm(scene);
	assert_all_ended(scene);
}

static void a_call_from_the_pbx_is_rung_answered_and_hung_up(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(from_pbx); i++)
		from_pbx[i](scene);
	assert_int_equal(scene->sip.rings, 1);
	assert_int_equal(scene->sip.answers, 1);
	secure_ends(scene);
	assert_int_equal(scene->sip.hangups, 1);
	assert_int_equal(scene->relay.closes, 1);
	assert_int_equal(calls_active(scene->calls), 1); /* their last words are awaited */
	all_confirm(scene);
	assert_all_ended(scene);
}

static void what_cannot_be_invited_is_rejected(void **state)
{
	struct scene *scene = *state;

	scene->client.invite_fails = -ENOKEY;
	pbx_calls(scene);
	relay_opens(scene);
	assert_int_equal(scene->sip.rejects, 1);
	all_confirm(scene);
	assert_all_ended(scene);
}

static void a_callee_of_no_known_domain_is_looked_up_first(void **state)
{
	static const int outcomes[] = { 0, -ENOENT };
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(outcomes); i++) {
		scene->client.domain = -EAGAIN;
		scene->client.lookups = 0;
		pbx_calls(scene);
		relay_opens(scene);
		assert_int_equal(scene->client.lookups, 1);
		assert_null(scene->client.call);
		calls_looked_up(scene->calls, "tel:+46702"); /* of no concern to it */
		assert_null(scene->client.call);
		scene->client.domain = outcomes[i];
		calls_looked_up(scene->calls, "tel:+46701");
		assert_non_null(scene->client.call);
		calls_looked_up(scene->calls, "tel:+46701"); /* another call's */
		secure_ends(scene);
		all_confirm(scene);
		assert_all_ended(scene);
		free(scene->client.call);
		scene->client.call = NULL;
	}
}

/* The first code of a pair is what is known at once, the second what the look-up brings. */
static void a_callee_whose_domain_is_not_taken_is_refused(void **state)
{
	static const struct {
		int known, lookup_fails, told;
	} cases[] = {
		{ -EKEYREJECTED, 0, 0 },         { -EPERM, 0, 0 },       { -EIO, 0, 0 },
		{ -EAGAIN, 0, -EKEYREJECTED },   { -EAGAIN, 0, -EPERM }, { -EAGAIN, -ENOBUFS, 0 },
		{ -EAGAIN, -ENOTCONN, -EAGAIN },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		scene->client.domain = cases[i].known;
		scene->client.lookup_fails = cases[i].lookup_fails;
		scene->sip.rejects = 0;
		pbx_calls(scene);
		relay_opens(scene);
		scene->client.domain = cases[i].told;
		calls_looked_up(scene->calls, "tel:+46701");
		assert_null(scene->client.call);
		assert_int_equal(scene->sip.rejects, 1);
		all_confirm(scene);
		assert_all_ended(scene);
	}
}

static void a_look_up_may_come_after_the_call_has_ended(void **state)
{
	struct scene *scene = *state;

	scene->client.domain = -EAGAIN;
	pbx_calls(scene);
	relay_opens(scene);
	pbx_ends(scene);
	scene->client.domain = 0;
	calls_looked_up(scene->calls, "tel:+46701");
	assert_null(scene->client.call);
	all_confirm(scene);
	assert_all_ended(scene);
}

/* Neither a call that got no ports nor one whose keys were not taken goes on. */
static void what_the_relay_refuses_ends_the_call(void **state)
{
	struct scene *scene = *state;

	pbx_calls(scene);
	relay_refuses(scene, RELAY__FAILED__REASON__PORTS_EXHAUSTED);
	assert_int_equal(scene->sip.rejects, 1);
	assert_int_equal(scene->relay.closes, 0); /* there is nothing to close */
	pbx_ends(scene);
	assert_all_ended(scene);
	for (size_t i = 0; i < COUNT(from_pbx); i++)
		from_pbx[i](scene);
	relay_refuses(scene, RELAY__FAILED__REASON__BAD_COMMAND);
	assert_int_equal(scene->sip.hangups, 1);
	assert_int_equal(scene->relay.closes, 1);
	all_confirm(scene);
	assert_all_ended(scene);
}

/* The secure leg ends while it is told to ring or to answer: from within that step. */
static void a_leg_may_end_while_it_is_spoken_to(void **state)
{
	struct scene *scene = *state;

	scene->client.ends_when_rung = true;
	for (size_t i = 0; i < 3; i++)
		from_secure[i](scene);
	assert_int_equal(scene->sip.hangups, 1);
	all_confirm(scene);
	assert_all_ended(scene);
	free(scene->client.call);
	scene->client.ends_when_rung = false;
	scene->client.answer_fails = -ENOTSUP;
	for (size_t i = 0; i < 4; i++)
		from_secure[i](scene);
	assert_int_equal(scene->sip.hangups, 2);
	all_confirm(scene);
	assert_all_ended(scene);
}

static void more_calls_than_engines_are_refused(void **state)
{
	struct scene *scene = *state;
	struct umsg_call *calls[4];

	for (size_t i = 0; i < COUNT(calls); i++) {
		secure_user_calls(scene);
		calls[i] = scene->client.call;
		resolves(scene);
	}
	assert_false(calls[2]->ended);
	assert_true(calls[3]->ended);
	assert_int_equal(calls[3]->end.reason, UMSG__END_REASON__END_CONGESTION);
	assert_int_equal(calls_active(scene->calls), 3);
	calls_free(&scene->calls);
	for (size_t i = 0; i < COUNT(calls); i++) {
		assert_true(calls[i]->ended);
		free(calls[i]);
	}
	scene->client.call = NULL;
}

/* The dialog of an answered call outlives its child: the next one, however long it
 * takes to come, ends it, once. */
static void the_next_agent_ends_what_the_dead_one_left(void **state)
{
	struct scene *scene = *state;
	const struct timeval a_while = { CALL_LINGER_MS / 1000, 500000 };

	for (size_t i = 0; i < COUNT(from_secure); i++)
		from_secure[i](scene);
	agent_dies(scene);
	calls_sip_ready(scene->calls); /* and died again */
	assert_int_equal(scene->sip.orphans, 0);
	relay_closes(scene);
	event_base_loopexit(scene->base, &a_while); /* longer than others are listed */
	event_base_dispatch(scene->base);
	scene->sip.ready = true;
	calls_sip_ready(scene->calls);
	assert_int_equal(scene->sip.orphans, 1);
	calls_sip_ready(scene->calls);
	assert_int_equal(scene->sip.orphans, 1);
	assert_all_ended(scene);
}

static void pbx_sends_digit(struct scene *scene, const char *digit)
{
	SipAgent__DigitIn in = SIP_AGENT__DIGIT_IN__INIT;

	in.call = sip_number(scene);
	in.digit = (char *)digit;
	sip_says(scene, SIP_AGENT__FROM_AGENT__BODY_DIGIT_IN, &in);
}

/* CIG-005: by INFO, while the media relay's name is still being looked up. */
static void digits_before_the_secure_leg_wait_for_it(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i + 1 < COUNT(from_pbx); i++)
		from_pbx[i](scene);
	pbx_sends_digit(scene, "");
	pbx_sends_digit(scene, "4");
	pbx_sends_digit(scene, "#");
	assert_string_equal(scene->relay.digits, "");
	resolves(scene);
	assert_string_equal(scene->relay.digits, "4#");
	pbx_sends_digit(scene, "2");
	assert_string_equal(scene->relay.digits, "4#2");
	secure_ends(scene);
	all_confirm(scene);
	assert_all_ended(scene);
}

static void more_early_digits_than_wait_are_dropped(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i + 1 < COUNT(from_pbx); i++)
		from_pbx[i](scene);
	for (unsigned i = 0; i < 100; i++)
		pbx_sends_digit(scene, "9");
	resolves(scene);
	assert_string_equal(scene->relay.digits, "9999999999999999");
	secure_ends(scene);
	all_confirm(scene);
	assert_all_ended(scene);
}

#define SCENE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static void server_fails(struct scene *scene, unsigned code)
{
	SipAgent__Ended ended = SIP_AGENT__ENDED__INIT;

	ended.call = sip_number(scene);
	ended.cause = SIP_AGENT__CAUSE__FAILED;
	ended.code = code;
	sip_says(scene, SIP_AGENT__FROM_AGENT__BODY_ENDED, &ended);
}

static void a_server_that_fails_is_followed_by_the_next_one(void **state)
{
	struct scene *scene = *state;

	secure_user_calls(scene);
	finds(scene, 3);
	relay_opens(scene);
	assert_int_equal(scene->sip.invites, 1);
	server_fails(scene, 503);
	assert_int_equal(scene->pbxs.met, 503);
	assert_int_equal(scene->sip.invites, 2);
	server_fails(scene, 408);
	assert_int_equal(scene->sip.invites, 3);
	assert_false(scene->client.call->ended);
	server_fails(scene, 503); /* the last one */
	assert_int_equal(scene->sip.invites, 3);
	assert_true(scene->client.call->ended);
	relay_closes(scene);
	assert_all_ended(scene);
}

/* It said something about the callee, not about itself. */
static void a_server_that_says_no_is_not_followed(void **state)
{
	static const unsigned codes[] = { 404, 486, 488, 603, 403 };
	struct scene *scene = *state;

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		unsigned before = scene->sip.invites;

		secure_user_calls(scene);
		finds(scene, 2);
		relay_opens(scene);
		server_fails(scene, codes[i]);
		assert_int_equal(scene->sip.invites, before + 1);
		assert_true(scene->client.call->ended);
		relay_closes(scene);
		free(scene->client.call);
		scene->client.call = NULL;
	}
}

static void nobody_is_called_twice_that_has_rung(void **state)
{
	struct scene *scene = *state;

	secure_user_calls(scene);
	finds(scene, 2);
	relay_opens(scene);
	pbx_rings(scene);
	server_fails(scene, 503);
	assert_int_equal(scene->sip.invites, 1);
	assert_true(scene->client.call->ended);
	relay_closes(scene);
}

/* A call that is up, from the secure side, with the PBX's G.711. */
static void bring_up(struct scene *scene)
{
	secure_user_calls(scene);
	relay_opens(scene);
	pbx_rings(scene);
	pbx_answers(scene);
	resolves(scene);
}

static void a_hold_by_the_secure_side_reaches_the_pbx_and_the_relay(void **state)
{
	struct scene *scene = *state;
	struct umsg_call *secure;

	bring_up(scene);
	secure = scene->client.call;
	for (unsigned i = 1; i <= 4; i++) {
		secure->held = i % 2 != 0;
		calls_secure_event(scene->calls, secure, UMSG_CALL_HOLD);
		calls_secure_event(scene->calls, secure, UMSG_CALL_HOLD); /* again: nothing */
		assert_int_equal(scene->sip.reoffers, i);
		assert_int_equal(scene->relay.held, secure->held);
	}
	secure_ends(scene);
	all_confirm(scene);
	assert_all_ended(scene);
}

static void a_digit_that_comes_as_a_signal_reaches_the_pbx(void **state)
{
	struct scene *scene = *state;

	bring_up(scene);
	scene->client.call->digit = '5';
	calls_secure_event(scene->calls, scene->client.call, UMSG_CALL_DIGIT);
	assert_int_equal(scene->relay.to_pbx, 1);
	secure_ends(scene);
	all_confirm(scene);
	assert_all_ended(scene);
}

static void early_media_is_passed_on_and_joined_once(void **state)
{
	struct scene *scene = *state;
	SipAgent__Ringing ringing = SIP_AGENT__RINGING__INIT;
	SipAgent__Audio audio = SIP_AGENT__AUDIO__INIT;
	SipAgent__Format format = SIP_AGENT__FORMAT__INIT, *formats[] = { &format };

	secure_user_calls(scene);
	finds(scene, 1);
	relay_opens(scene);
	format.encoding = SIP_AGENT__ENCODING__PCMA;
	format.payload_type = 8;
	audio.address = (char *)"127.0.0.1";
	audio.port = 4000;
	audio.formats = formats;
	audio.n_formats = 1;
	ringing.call = sip_number(scene);
	ringing.code = 183;
	ringing.audio = &audio;
	sip_says(scene, SIP_AGENT__FROM_AGENT__BODY_RINGING, &ringing);
	assert_true(scene->client.call->early);
	resolves(scene);
	assert_true(scene->relay.secure_set);
	scene->relay.secure_set = false;
	sip_says(scene, SIP_AGENT__FROM_AGENT__BODY_RINGING, &ringing);
	pbx_answers(scene);
	assert_null(scene->resolver.waiting);
	assert_false(scene->relay.secure_set); /* its keys are used once */
	secure_ends(scene);
	all_confirm(scene);
	assert_all_ended(scene);
}

static void a_pbx_without_an_address_ends_the_call(void **state)
{
	struct scene *scene = *state;

	secure_user_calls(scene);
	finds(scene, 0);
	relay_opens(scene);
	assert_true(scene->client.call->ended);
	relay_closes(scene);
	assert_all_ended(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_ends_on_all_sides_whoever_leaves_and_when),
		cmocka_unit_test(memory_that_runs_out_at_any_step_ends_the_call_or_nothing),
		cmocka_unit_test_setup_teardown(a_call_lasts_no_longer_than_it_may, set_up_brief,
						tear_down),
		SCENE_TEST(a_server_that_fails_is_followed_by_the_next_one),
		SCENE_TEST(a_server_that_says_no_is_not_followed),
		SCENE_TEST(nobody_is_called_twice_that_has_rung),
		SCENE_TEST(a_pbx_without_an_address_ends_the_call),
		SCENE_TEST(a_hold_by_the_secure_side_reaches_the_pbx_and_the_relay),
		SCENE_TEST(a_digit_that_comes_as_a_signal_reaches_the_pbx),
		SCENE_TEST(early_media_is_passed_on_and_joined_once),
		SCENE_TEST(a_call_from_the_pbx_is_rung_answered_and_hung_up),
		SCENE_TEST(what_cannot_be_invited_is_rejected),
		SCENE_TEST(a_callee_of_no_known_domain_is_looked_up_first),
		SCENE_TEST(a_callee_whose_domain_is_not_taken_is_refused),
		SCENE_TEST(a_look_up_may_come_after_the_call_has_ended),
		SCENE_TEST(what_the_relay_refuses_ends_the_call),
		SCENE_TEST(a_leg_may_end_while_it_is_spoken_to),
		SCENE_TEST(more_calls_than_engines_are_refused),
		SCENE_TEST(the_next_agent_ends_what_the_dead_one_left),
		SCENE_TEST(digits_before_the_secure_leg_wait_for_it),
		SCENE_TEST(more_early_digits_than_wait_are_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
