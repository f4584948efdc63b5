/* redis_alone.h - a Redis server with nothing but a benchmark before it. */
#ifndef TESTS_BENCH_REDIS_ALONE_H
#define TESTS_BENCH_REDIS_ALONE_H

#include <stddef.h>

/* Starts a redis-server in dir (made, and left to the caller to remove) which keeps
 * its file as that of crs, flushed before each answer.  Adds so many messages of octets
 * to one stream, at_once without an answer between.  Returns the server's CPU time a
 * message in microseconds; ends the program when something fails. */
double redis_alone_add(const char *dir, size_t messages, size_t octets, size_t at_once);

#endif
