#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/diag.h"
#include "tests/gateway/calls_scene.h"
#include "tests/memory/scarce.h"

enum { SIP_CALL = 1 << 20 | 1 };

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
		.trace = &scene->trace,
		.own_uri = "tel:+8888",
		.engines = 3,
	};
	scene->calls = calls_new(&world, scene->config);
	assert_non_null(scene->calls);
	scene->client.calls = scene->calls;
	*state = scene;
	return 0;
}

int set_up(void **state)
{
	return set_up_with(state, CONFIG("port 5060;"));
}

int set_up_brief(void **state)
{
	return set_up_with(state, CONFIG("max_call_s 1;"));
}

int set_up_redirects(void **state)
{
	return set_up_with(
		state, CONFIG("port 5060;") "pbx main { host \"127.0.0.1\"; redirects maps; }\n");
}

int set_up_guarded(void **state)
{
	return set_up_with(state,
			   CONFIG("port 5060;") "auth acc { user \"pbx\"; password \"s3cret\"; }\n"
						"pbx main { host \"127.0.0.1\"; "
						"network \"127.0.0.1\"; challenge acc; }\n"
						"pbx keys { host \"127.0.0.2\"; "
						"network \"127.0.0.2\"; srtp required; }\n");
}

int tear_down(void **state)
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

uint64_t sip_number(const struct scene *scene)
{
	return scene->sip.last_call ? scene->sip.last_call : SIP_CALL;
}

void sip_says(struct scene *scene, SipAgent__FromAgent__BodyCase body, void *message)
{
	SipAgent__FromAgent event = SIP_AGENT__FROM_AGENT__INIT;

	event.body_case = body;
	event.incoming = message; /* a union of pointers */
	calls_sip_event(scene->calls, &event);
}

void pbx_calls(struct scene *scene)
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

void secure_user_calls(struct scene *scene)
{
	scarce_pause();
	scene->client.call = calloc(1, sizeof(*scene->client.call));
	scarce_resume();
	assert_non_null(scene->client.call);
	scene->client.call->client = &scene->client;
	calls_secure_incoming(scene->calls, scene->client.call);
}

void finds(struct scene *scene, size_t n)
{
	struct pbx_search *search = played_pbxs_take(&scene->pbxs);
	struct pbx_way ways[PBX_WAYS_MAX] = { { .transport = SIP_UDP } };

	if (!search)
		return;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(net_parse("127.0.0.1", (uint16_t)(5060 + i), &ways[i].addr), 0);
	search->done(search->arg, ways, n, "no such host");
	free(search);
}

void resolves(struct scene *scene)
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

void relay_opens(struct scene *scene)
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

void relay_closes(struct scene *scene)
{
	Relay__Closed closed = RELAY__CLOSED__INIT;
	Relay__Event event = RELAY__EVENT__INIT;

	closed.call_id = calls_total(scene->calls);
	event.of_case = RELAY__EVENT__OF_CLOSED;
	event.closed = &closed;
	calls_relay_event(scene->calls, &event);
}

void relay_refuses(struct scene *scene, Relay__Failed__Reason reason)
{
	Relay__Failed failed = RELAY__FAILED__INIT;
	Relay__Event event = RELAY__EVENT__INIT;

	failed.call_id = calls_total(scene->calls);
	failed.reason = reason;
	event.of_case = RELAY__EVENT__OF_FAILED;
	event.failed = &failed;
	calls_relay_event(scene->calls, &event);
}

void pbx_rings(struct scene *scene)
{
	SipAgent__Ringing ringing = SIP_AGENT__RINGING__INIT;

	ringing.call = sip_number(scene);
	sip_says(scene, SIP_AGENT__FROM_AGENT__BODY_RINGING, &ringing);
}

void pbx_answers(struct scene *scene)
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

void pbx_ends(struct scene *scene)
{
	SipAgent__Ended ended = SIP_AGENT__ENDED__INIT;

	ended.call = sip_number(scene);
	sip_says(scene, SIP_AGENT__FROM_AGENT__BODY_ENDED, &ended);
}

void agent_dies(struct scene *scene)
{
	scene->sip.ready = false;
	calls_sip_lost(scene->calls);
}

void relay_dies(struct scene *scene)
{
	scene->relay.up = false;
	calls_relay_down(scene->calls);
}

void secure_rings(struct scene *scene)
{
	if (scene->client.call && !scene->client.call->ended)
		calls_secure_event(scene->calls, scene->client.call, UMSG_CALL_RINGING);
}

void secure_answers(struct scene *scene)
{
	if (scene->client.call && !scene->client.call->ended)
		calls_secure_event(scene->calls, scene->client.call, UMSG_CALL_ANSWERED);
}

void secure_ends(struct scene *scene)
{
	if (scene->client.call)
		sides_end_secure(scene->client.call, UMSG__END_REASON__END_HANGUP);
}

void all_confirm(struct scene *scene)
{
	if (scene->sip.ready)
		pbx_ends(scene);
	if (scene->relay.up)
		relay_closes(scene);
}

void assert_all_ended(struct scene *scene)
{
	assert_int_equal(calls_active(scene->calls), 0);
	assert_true(!scene->client.call || scene->client.call->ended);
	assert_null(scene->resolver.waiting);
	assert_null(scene->pbxs.waiting);
}

scene_fn *const from_pbx[SCENE_STEPS] = { pbx_calls, relay_opens, secure_rings, secure_answers,
					  resolves };
scene_fn *const from_secure[SCENE_STEPS] = { secure_user_calls, relay_opens, pbx_rings, pbx_answers,
					     resolves };
