/* sockets.h - the sockets of calls: a pair towards the PBX, and one socket of the
 * media thread towards the rendezvous, which its calls share.
 *
 * Media from the rendezvous is told apart by SSRC, so one port a thread and
 * interface is enough, costs less and needs one firewall rule.  Main thread only.
 */
#ifndef GATEWAY_RELAY_SOCKETS_H
#define GATEWAY_RELAY_SOCKETS_H

#include "gateway/relay/command.h"
#include "gateway/relay/ports.h"

struct sockets;

/* What one call holds. */
struct call_sockets {
	struct ports *ports; /* to which rtp_port goes back */
	uint16_t rtp_port, trunk_port;
	int rtp_fd, rtcp_fd, trunk_fd;
};

/* Returns NULL when memory is out. */
struct sockets *sockets_new(unsigned workers);

/* Trunk sockets belong to the media threads once a call has used them. */
void sockets_free(struct sockets **socketsp);

/* Ranges in use at once, by calls and by threads' sockets; a range that nothing uses any more,
 * as a changed rtp_port_range leaves it behind, makes room for another. */
enum { SOCKETS_MAX_RANGES = 64 };

/* Opens a call's sockets for that worker.  Returns 0, -EADDRINUSE (a range is
 * exhausted), -EINVAL (a range without a pair), -E2BIG (SOCKETS_MAX_RANGES are in use),
 * -EXFULL (the thread has a socket out of WORKER_MAX_TRUNKS ranges), or -errno. */
int sockets_take(struct sockets *sockets, unsigned worker, const struct command_open *open,
		 struct call_sockets *out);

/* Why sockets_take() returned err, for people: what is at its limit, and where that is set. */
void sockets_say(int err, char out[COMMAND_TEXT]);

/* Gives the port pair back; its descriptors are closed by then. */
void sockets_give(struct call_sockets *call);

/* Ports towards PBXs that calls hold. */
unsigned sockets_taken(const struct sockets *sockets);

#endif
