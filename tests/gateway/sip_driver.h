/* sip_driver.h - stands in for cig-server: runs a cig-sip and talks its protocol. */
#ifndef TESTS_GATEWAY_SIP_DRIVER_H
#define TESTS_GATEWAY_SIP_DRIVER_H

#include "gateway/sip_wire.h"

struct sip_driver;

struct sip_driver_options {
	const char *address;               /* NULL: 127.0.0.1 */
	const char *network;               /* NULL: 127.0.0.0/8 */
	unsigned max_calls;                /* 0: the agent's own */
	unsigned answer_ms;                /* 0: the agent's own */
	unsigned udp_mtu;                  /* 0: the agent's own */
	uint64_t first_call;               /* 0: 1 */
	unsigned port;                     /* 0: any free one */
	bool texts;                        /* take SIP MESSAGE */
	unsigned session_s, min_session_s; /* 0: the agent's own */
	const char *trace;                 /* NULL: none */
	unsigned hep_port;                 /* of a collector at address; 0: none */
	const SipAgent__Tls *tls;          /* NULL: none */
};

/* Starts and configures an agent on 127.0.0.1; fails the test where it cannot.
 * options may be NULL. */
struct sip_driver *sip_driver_start(const struct sip_driver_options *options);

/* Ends the agent by Quit and checks that it leaves with status 0. */
void sip_driver_stop(struct sip_driver **driverp);

/* kill -9, as if it had crashed. */
void sip_driver_kill(struct sip_driver **driverp);

/* How many descriptors the agent holds. */
unsigned sip_driver_descriptors(const struct sip_driver *driver);

unsigned sip_driver_port(const struct sip_driver *driver);
unsigned sip_driver_tls_port(const struct sip_driver *driver);

/* The first Refused event, or a test's failure. */
const SipAgent__Refused *sip_driver_refused(struct sip_driver *driver);

/* message is the SipAgent__* that body names. */
void sip_driver_send(struct sip_driver *driver, SipAgent__ToAgent__BodyCase body, void *message);

/* The next event, which must be of that kind (Pong, Refused and Trying are passed
 * over unless asked for); valid until the next call.  Fails the test after 5 s. */
const SipAgent__FromAgent *sip_driver_expect(struct sip_driver *driver,
					     SipAgent__FromAgent__BodyCase body);

/* Asks for the counters, by a ping. */
SipAgent__Counters sip_driver_counters(struct sip_driver *driver);

/* The same, passing over whatever comes before: hanging up every call that comes
 * in where hangup is set. */
SipAgent__Counters sip_driver_settle(struct sip_driver *driver, bool hangup);

/* Our side of a call, as cig-server would give it: PCMA and telephone-event 101. */
void sip_driver_audio(struct wire_audio *audio, SipAgent__Direction direction);

/* Shorthand for the messages that every test sends. */
void sip_driver_answer(struct sip_driver *driver, uint64_t call);
void sip_driver_hangup(struct sip_driver *driver, uint64_t call);
/* Calls sip:101@[::1] at that port of ::1. */
void sip_driver_invite_v6(struct sip_driver *driver, uint64_t call, unsigned port);
/* The same; over TLS the certificate must name host. */
void sip_driver_invite_host(struct sip_driver *driver, uint64_t call, unsigned port,
			    SipAgent__Transport transport, const char *host);
/* Calls sip:101@127.0.0.1 at port, as sip:+4670@gw.test. */
void sip_driver_invite(struct sip_driver *driver, uint64_t call, unsigned port,
		       SipAgent__Transport transport);

#endif
