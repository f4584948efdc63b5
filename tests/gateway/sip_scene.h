/* sip_scene.h - a real cig-sip and a peer in the PBX network that is played. */
#ifndef TESTS_GATEWAY_SIP_SCENE_H
#define TESTS_GATEWAY_SIP_SCENE_H

#include "tests/unit.h"
#include "tests/gateway/sip_driver.h"
#include "tests/gateway/sip_peer.h"

enum { CALL = 2 };

struct fixture {
	struct sip_driver *driver;
	struct sip_peer peer;
	char sdp[512];
	char call_id[128], agent_tag[64], rseq[32]; /* for tests that keep them */
};

static inline int start_with(void **state, const struct sip_driver_options *options)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	f->driver = sip_driver_start(options);
	sip_peer_open(&f->peer, "127.0.0.1", sip_driver_port(f->driver));
	sip_peer_sdp("", f->sdp, sizeof(f->sdp));
	*state = f;
	return 0;
}

static inline int start(void **state)
{
	return start_with(state, NULL);
}

static inline int stop(void **state)
{
	struct fixture *f = *state;

	sip_peer_close(&f->peer);
	sip_driver_stop(&f->driver);
	test_free(f);
	return 0;
}

static inline const SipAgent__FromAgent *expect(struct fixture *f,
						SipAgent__FromAgent__BodyCase body)
{
	return sip_driver_expect(f->driver, body);
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
