/* thread.h - one relay thread: its socket, its sessions, nothing shared.
 *
 * The thread forwards what its UDP socket receives and runs the requests that
 * come over a SOCK_SEQPACKET pair from the control loop; replies go back the
 * same way.  A classic BPF program on the port's sockets steers every packet to
 * the thread that holds its SSRC.
 */
#ifndef RENDEZVOUS_RELAY_THREAD_H
#define RENDEZVOUS_RELAY_THREAD_H

#include "base/net.h"
#include "rendezvous/relay/requests.h"

enum { RELAY_MAX_THREADS = 64 };

/* The head of every message on the pair; a packed request or reply follows.  The
 * request comes with cookie, owner and octets alone; without octets it says that the
 * owner is gone. */
struct relay_envelope {
	uint64_t cookie;                  /* of the request; 0: nobody's, only the counts matter */
	uint64_t owner;                   /* whose sessions are added: a connection of crs */
	uint32_t more;                    /* further replies to this request follow */
	uint32_t ended[RELAY_TYPE_COUNT]; /* sessions that ended, by type */
	uint32_t capped_ssrc; /* of a session that went over its rate for the first time; or 0 */
	uint32_t capped_type; /* its enum relay_type */
};

struct relay_thread;

/* Binds n UDP sockets to one address and attaches the steering program, when n
 * is more than one.  A zero port is chosen by the system for the first and
 * shared by the rest.  Returns 0 with descriptors in fds_out (the caller's) and
 * the bound address, or -errno. */
int relay_sockets(const struct net_addr *addr, size_t n, int fds_out[RELAY_MAX_THREADS],
		  struct net_addr *bound_out);

/* Starts a thread for lane 0 to n - 1, whose sessions may send as much as rate says.  udp_fd
 * and pair_fd belong to the thread from here on (on success).  Returns 0 or -errno. */
int relay_thread_start(size_t lane, uint16_t port, int udp_fd, int pair_fd,
		       const struct relay_rate *rate, struct relay_thread **thread_out);

/* Waits for the thread, which ends when the other end of its pair is closed. */
void relay_thread_join(struct relay_thread **threadp);

#endif
