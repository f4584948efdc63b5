/* ports.h - pairs of UDP ports out of an interface's rtp_port_range.
 *
 * A pair is an even port for RTP and the next one for RTCP (RFC 3550 11).  A port
 * that somebody else holds is passed over.  CIG manual, "rtp_port_range".
 */
#ifndef GATEWAY_RELAY_PORTS_H
#define GATEWAY_RELAY_PORTS_H

#include "base/net.h"

struct ports;

enum { PORTS_DEFAULT_LOW = 10000, PORTS_DEFAULT_HIGH = 59999 };

/* The range low to high at an address, both included; two zeros: the default.
 * Returns 0, -EINVAL (no pair fits, or a port above 65,535) or -ENOMEM. */
int ports_new(const struct net_addr *ip, uint32_t low, uint32_t high, struct ports **ports_out);
/* Frees *portsp and sets it to NULL; *portsp may be NULL. */
void ports_free(struct ports **portsp);

/* Is it that range at that address? */
bool ports_are(const struct ports *ports, const struct net_addr *ip, uint32_t low, uint32_t high);

/* Binds the next free pair; a pair that was given back is not used again before
 * the others were.  Returns 0, -EADDRINUSE (exhausted) or -errno. */
int ports_take(struct ports *ports, uint16_t *rtp_port_out, int *rtp_fd_out, int *rtcp_fd_out);

/* The same for one port, which may be odd. */
int ports_take_one(struct ports *ports, uint16_t *port_out, int *fd_out);

/* Gives back what was taken (the sockets are closed by their owner). */
void ports_give(struct ports *ports, uint16_t rtp_port);
/* The same for one port. */
void ports_give_one(struct ports *ports, uint16_t port);

/* How many ports are taken. */
unsigned ports_taken(const struct ports *ports);

#endif
