/* relay_rig.h - a running cig-relay with everything around it: cig-server's end of
 * the connection, a rendezvous's relay, callers and a PBX on free ports of 127.0.0.1, and
 * cig-relay's own media on an address of this process alone (tests/tools/loopback.h).
 */
#ifndef TESTS_GATEWAY_RELAY_RIG_H
#define TESTS_GATEWAY_RELAY_RIG_H

#include <sys/types.h>

#include "gateway/relay_control.pb-c.h"
#include "media/plain_leg.h"
#include "media/secure_leg.h"

enum { RIG_SAMPLES = 8000 * 3, RIG_ROOM = 8000 * 8 };

struct rig {
	char dir[64], log[96];
	pid_t pid;
	int control; /* SOCK_SEQPACKET, connected and greeted */
};

/* One call with both of its far ends. */
struct rig_call {
	uint64_t id;
	uint16_t plain_port, secure_port; /* of cig-relay */
	int pbx_fd;                       /* the PBX's RTP socket */
	int crs_fd;                       /* the rendezvous's relay */
	struct plain_leg *pbx;
	struct secure_leg *caller;
	struct net_addr gateway_plain, gateway_secure;
	unsigned stale_nonces, bindings;
	int16_t pbx_heard[RIG_ROOM], caller_heard[RIG_ROOM];
	size_t n_pbx_heard, n_caller_heard;
	char pbx_digits[32], caller_digits[32];
};

/* Starts cig-relay with these further arguments (NULL at the end) and greets it. */
void rig_start(struct rig *rig, const char *const *arguments);

/* SIGTERM; asserts that it exits with 0, leaks nothing and removes its socket. */
void rig_stop(struct rig *rig);

/* A further connection, greeted unless bare. */
int rig_connect(const struct rig *rig, bool bare);

void rig_send(int control, const Relay__Command *command);

/* The next event of that kind, others are passed over; fails the test after 5 s.
 * To be freed with relay__event__free_unpacked. */
Relay__Event *rig_await(int control, Relay__Event__OfCase kind);

/* Waits until cig-relay closes the connection. */
void rig_await_close(int control);

/* Makes Open with that range of ports (0, 0: any); on success fills in the call's ports. */
Relay__Event *rig_open(int control, uint64_t id, uint32_t low, uint32_t high, uint32_t timeout_ms);

/* Commands that have nothing but the call id. */
void rig_simple(int control, Relay__Command__OfCase kind, uint64_t id);

/* Opens the far ends and sets both sides of call. */
void rig_connect_call(int control, struct rig_call *call, enum media_codec plain,
		      enum media_codec secure, enum srtp_profile profile);
void rig_set_secure(int control, const struct rig_call *call, enum media_codec codec,
		    enum srtp_profile profile);
void rig_set_plain(int control, const struct rig_call *call, enum media_codec codec,
		   bool no_receive);
void rig_done_call(struct rig_call *call);

/* Runs the calls for so long in real time; PBX and caller say what they are given
 * (RIG_SAMPLES; NULL: nothing). */
void rig_run(struct rig_call *calls, size_t n, const int16_t *pbx_says, const int16_t *caller_says,
	     int ms);

#endif
