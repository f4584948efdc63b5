/* raw.h - a client of crs that sends octets within TLS, whatever they are, and writes down
 * what comes of WebSocket.
 */
#ifndef TESTS_RENDEZVOUS_RAW_H
#define TESTS_RENDEZVOUS_RAW_H

#include "keys/account.h"
#include "tests/tools/rude_link.h"

struct scene;

enum { RAW_HEARD = 1024 };

#define RAW_URI "tel:+46700000001"

struct raw {
	struct rude_link link;
	char identity[ACCOUNT_IDENTITY_MAX + 1];
	uint8_t psk[ACCOUNT_PSK_SIZE];
	char heard[RAW_HEARD];
};

/* TCP and TLS, with the keys of RAW_URI; every failure ends the test. */
void raw_open(struct raw *raw, const struct scene *scene);
/* A good opening handshake. */
void raw_upgrade(struct raw *raw);

/* Sends octets, in one piece or one by one.  What was sent before may already have ended the
 * connection: then nobody listens, and that is all. */
void raw_say(struct raw *raw, struct slice octets, bool one_by_one);

/* Writes down in heard what comes until a pong of "end", a close, or the end without one:
 * "message; ", "pong TEXT; ", "close CODE; ", "close; " or "gone; ". */
void raw_listen(struct raw *raw);

#endif
