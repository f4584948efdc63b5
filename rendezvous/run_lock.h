/* run_lock.h - one crs a root, and none while a backup takes the place of what it reads.
 *
 * The lock is the file crs.lock in the folder of sockets.  It is the kernel's: it ends with the
 * process that holds it, however that ends, and what such a process leaves is a file that nobody
 * holds.
 */
#ifndef RENDEZVOUS_RUN_LOCK_H
#define RENDEZVOUS_RUN_LOCK_H

#include "rendezvous/paths.h"

struct diag;

/* Takes the lock of these paths, whose folder of sockets is made where it is missing.  Whoever is
 * root leaves both to the owner of the accounts, as who crs runs, so that crs can take it later.
 * *fd_out holds it until it is closed; programs that are started do not inherit it.  Returns 0,
 * -EWOULDBLOCK (another process holds it) or -errno, always with diag set. */
int run_lock_take(const struct crs_paths *paths, struct diag *diag, int *fd_out);

/* Takes the lock of the data, which redis_low holds as long as it works on them (redis_server.h):
 * that of a crs whose folder of sockets is elsewhere (crs --run), which run_lock_take() says
 * nothing of.  *fd_out holds it until it is closed, or is -1 where there are no data yet.
 * Returns as run_lock_take() does. */
int run_lock_take_data(const struct crs_paths *paths, struct diag *diag, int *fd_out);

#endif
