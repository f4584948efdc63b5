/* sip_scene.h - calls to the PBX network: a real cig-sip and the peer that it calls. */
#ifndef TESTS_GATEWAY_SIP_SCENE_H
#define TESTS_GATEWAY_SIP_SCENE_H

#include "tests/gateway/sip_fixture.h"

enum { CALL = 2 };

static inline int start_with(void **state, const struct sip_driver_options *options)
{
	return start_at(state, "127.0.0.1", options);
}

static inline int start(void **state)
{
	return start_with(state, NULL);
}

static inline const SipAgent__Ended *ended(struct fixture *f, SipAgent__Cause cause, unsigned code)
{
	const SipAgent__Ended *e = expect(f, SIP_AGENT__FROM_AGENT__BODY_ENDED)->ended;

	assert_int_equal(e->call, CALL);
	assert_int_equal(e->cause, cause);
	assert_int_equal(e->code, code);
	return e;
}

/* A call that has reached the peer; the INVITE is the peer's last message. */
static inline void dial(struct fixture *f)
{
	sip_driver_invite(f->driver, CALL, f->peer.port, SIP_AGENT__TRANSPORT__UDP);
	sip_peer_expect(&f->peer, "INVITE ");
}

#endif
