/* control_address.h - the sockets under a control port, for both its ends. */
#ifndef BASE_CONTROL_ADDRESS_H
#define BASE_CONTROL_ADDRESS_H

#include <stdbool.h>
#include <sys/types.h>

/* Is address a path (a Unix socket), not ADDRESS:PORT? */
bool control_address_is_path(const char *address);

/* A listening stream socket, non-blocking.  address is a numeric "A.B.C.D:PORT",
 * "[IPV6]:PORT", "localhost:PORT" or an absolute path; mode and gid (or (gid_t)-1)
 * are the socket file's, which never exists with wider rights.  A file left by a
 * dead server is replaced.  Returns the descriptor, -EINVAL for another address,
 * -EADDRINUSE or another -errno. */
int control_address_listen(const char *address, unsigned mode, gid_t gid);

/* Connects, waiting timeout_ms at most.  Returns the blocking descriptor, whose reads
 * and writes fail with EAGAIN after timeout_ms of silence, or -errno. */
int control_address_connect(const char *address, int timeout_ms);

#endif
