/* sip_fixture.h - a real cig-sip and a peer in the PBX network that is played. */
#ifndef TESTS_GATEWAY_SIP_FIXTURE_H
#define TESTS_GATEWAY_SIP_FIXTURE_H

#include "tests/unit.h"
#include "tests/gateway/sip_driver.h"
#include "tests/gateway/sip_peer.h"

struct fixture {
	struct sip_driver *driver;
	struct sip_peer peer;
	char sdp[512];
	/* For tests that keep them. */
	char call_id[128], agent_tag[64], rseq[32];
	unsigned asked; /* requests, each with a number of its own */
};

/* Sets up for cmocka: an agent with those options (NULL: the usual ones), a peer at host, and an
 * offer of the peer's in sdp. */
static inline int start_at(void **state, const char *host, const struct sip_driver_options *options)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	f->driver = sip_driver_start(options);
	sip_peer_open(&f->peer, host, sip_driver_port(f->driver));
	sip_peer_sdp("", f->sdp, sizeof(f->sdp));
	*state = f;
	return 0;
}

static inline int stop(void **state)
{
	struct fixture *f = *state;

	sip_peer_close(&f->peer);
	sip_driver_stop(&f->driver);
	test_free(f);
	return 0;
}

/* What the agent tells next (sip_driver.h). */
static inline const SipAgent__FromAgent *expect(struct fixture *f,
						SipAgent__FromAgent__BodyCase body)
{
	return sip_driver_expect(f->driver, body);
}

#endif
