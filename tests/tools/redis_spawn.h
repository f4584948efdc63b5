/* redis_spawn.h - a redis-server for tests and benchmarks, set up as crs sets up its own. */
#ifndef TESTS_TOOLS_REDIS_SPAWN_H
#define TESTS_TOOLS_REDIS_SPAWN_H

#include <sys/types.h>

/* Starts redis-server, which has to be installed, without a port: it listens on the socket of that
 * path and keeps what it has in the folder dir, each command on the disk before it is answered.
 * max_octets: how much memory it takes, as its configuration writes it ("0": any).  The caller
 * kills it and waits for it.  Returns its process, or -errno. */
pid_t redis_spawn(const char *dir, const char *socket, const char *max_octets);

#endif
