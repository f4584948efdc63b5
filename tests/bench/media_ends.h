/* media_ends.h - both far ends of many calls: a PBX with RTP and a rendezvous with SRTP, on one
 * socket each, that send at the pace of real calls and count what comes.
 */
#ifndef TESTS_BENCH_MEDIA_ENDS_H
#define TESTS_BENCH_MEDIA_ENDS_H

#include "base/net.h"
#include "tests/bench/media_speech.h"

/* Of every secure leg, for STUN (16 octets); what the SRTP keys are made of is zeros. */
extern const struct slice media_ends_leg_key;

struct end_call {
	struct srtp *srtp;
	struct net_addr plain, secure; /* where the ends send; filled in by the caller */
	uint16_t seq;
};

struct media_ends {
	const struct media_speech *speech;
	enum media_codec plain, secure;
	size_t n;
	struct end_call *calls;
	int pbx_fd, crs_fd;
	struct net_addr pbx, crs; /* their addresses */
	struct udp_outbox *to_plain, *to_secure;
	struct udp_inbox *inbox;
	unsigned frame; /* the next to be said */
};

/* A UDP socket on the loopback interface, and its address. */
int media_ends_socket(struct net_addr *addr_out);

/* Opens the ends of n calls.  What call i sends has the SSRC i + 1 on the plain side and 2 i + 2 on
 * the secure one. */
void media_ends_open(struct media_ends *ends, const struct media_speech *speech,
		     enum media_codec plain, enum media_codec secure, size_t n);
void media_ends_close(struct media_ends *ends);

/* Sends for so long; each_second (may be NULL) is called once a second.  Returns the packets of
 * media that came. */
uint64_t media_ends_run(struct media_ends *ends, int ms, void (*each_second)(void *arg), void *arg);

#endif
