/* loopback.h - an address of 127.0.0.0/8 that this process alone uses, so that a test which
 * names port numbers can run beside itself and beside the labs on 127.0.0.1.
 */
#ifndef TESTS_TOOLS_LOOPBACK_H
#define TESTS_TOOLS_LOOPBACK_H

#include <stdio.h>
#include <unistd.h>

struct loopback {
	char text[16];
};

/* 127.64.0.0 to 127.127.255.255, by the process id: Linux has at most 2^22 of them, and any
 * address of the network can be bound without being set up. */
static inline struct loopback loopback_own(void)
{
	unsigned id = (unsigned)getpid();
	struct loopback own;

	snprintf(own.text, sizeof(own.text), "127.%u.%u.%u", 64 + (id >> 16 & 63), id >> 8 & 255,
		 id & 255);
	return own;
}

#endif
