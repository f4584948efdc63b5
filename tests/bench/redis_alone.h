/* redis_alone.h - what it costs a Redis to add messages to a stream, durably and with nobody
 * else in its way: the reference of crs.message.stored.
 */
#ifndef TESTS_BENCH_REDIS_ALONE_H
#define TESTS_BENCH_REDIS_ALONE_H

#include <stddef.h>

struct redis_alone;

/* Starts a redis-server that works in dir (made; its parent is the caller's to remove). */
struct redis_alone *redis_alone_start(const char *dir);
void redis_alone_stop(struct redis_alone **alonep);

/* Adds that many messages of so many octets, at_once in flight, one entry each.  Returns the
 * microseconds of the server's CPU time.  The stream is emptied behind it, which does not count. */
double redis_alone_add(struct redis_alone *alone, size_t messages, size_t octets, size_t at_once);

#endif
