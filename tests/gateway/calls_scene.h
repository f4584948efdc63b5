/* calls_scene.h - the gateway's calls between a SIP agent, a media relay and a secure side that
 * are played (call_sides.h): each function is something that one of them does.
 *
 * Include tests/unit.h before it: what must not happen fails the test.
 */
#ifndef TESTS_GATEWAY_CALLS_SCENE_H
#define TESTS_GATEWAY_CALLS_SCENE_H

#include "gateway/call.h"
#include "gateway/pbx_door.h"
#include "tests/gateway/call_sides.h"

struct scene {
	struct event_base *base;
	const struct cig_config *config;
	struct sip_link sip;
	struct relay_link relay;
	struct resolver resolver;
	struct pbxs pbxs;
	struct pbx_door door;
	struct umsg_client client;
	struct call_trace trace;
	struct calls *calls;
};

/* Makes the scene, for cmocka: everybody is there, three engines. */
int set_up(void **state);

/* The same, but nobody talks longer than a second. */
int set_up_brief(void **state);

/* The same, but phones are called by TLS, of which the sip interface has none. */

/* The same, but the PBX's redirections are followed by the maps. */
int set_up_redirects(void **state);

/* The same, but 127.0.0.1 must prove who it is, and 127.0.0.2 must use SRTP. */
int set_up_guarded(void **state);

/* Frees it; nothing may be looked up any more. */
int tear_down(void **state);

/* The number of the call at the SIP agent. */
uint64_t sip_number(const struct scene *scene);

/* An event of the SIP agent; message is of the kind that body says. */
void sip_says(struct scene *scene, SipAgent__FromAgent__BodyCase body, void *message);

/* A call from the PBX. */
void pbx_calls(struct scene *scene);

/* A call from the secure side. */
void secure_user_calls(struct scene *scene);

/* The search for the PBX ends: it has n addresses; 0: none. */
void finds(struct scene *scene, size_t n);

/* Whatever name is looked up is found. */
void resolves(struct scene *scene);

/* The media relay has ports for the newest call. */
void relay_opens(struct scene *scene);

/* It has closed it. */
void relay_closes(struct scene *scene);

/* It cannot. */
void relay_refuses(struct scene *scene, Relay__Failed__Reason reason);

/* The PBX says 180. */
void pbx_rings(struct scene *scene);

/* It answers, with G.711 A-law. */
void pbx_answers(struct scene *scene);

/* Its side of the call ends. */
void pbx_ends(struct scene *scene);

/* The SIP agent is gone. */
void agent_dies(struct scene *scene);

/* The media relay is gone. */
void relay_dies(struct scene *scene);

/* The secure side rings. */
void secure_rings(struct scene *scene);

/* It answers. */
void secure_answers(struct scene *scene);

/* It hangs up. */
void secure_ends(struct scene *scene);

/* The last words of those who are still there. */
void all_confirm(struct scene *scene);

/* Nothing is left of any call. */
void assert_all_ended(struct scene *scene);

/* The steps of a call from either side, from nothing to up. */
typedef void scene_fn(struct scene *scene);
enum { SCENE_STEPS = 5 };
extern scene_fn *const from_pbx[SCENE_STEPS], *const from_secure[SCENE_STEPS];

#endif
