/* upgrade.h - the HTTP heads that turn a connection into a WebSocket (RFC 6455
 * section 4), subprotocol "umsg.1", path "/".
 *
 * Pure: octets in, octets out.  Source: docs/umsg.md "Link".
 */
#ifndef UMSG_UPGRADE_H
#define UMSG_UPGRADE_H

#include "base/slice.h"

enum {
	UPGRADE_HEAD_MAX = 4096, /* octets of a head, its empty line included */
	UPGRADE_FIELDS_MAX = 40, /* header fields of a head */
	UPGRADE_KEY = 24,        /* characters of Sec-WebSocket-Key */
	UPGRADE_ACCEPT = 28,     /* characters of Sec-WebSocket-Accept */
	UPGRADE_TEXT_MAX = 640,  /* of the heads that are made here, with NUL */
};

#define UPGRADE_PROTOCOL "umsg.1"

/* Where the head ends: the octets up to and with its empty line, 0 when it has not
 * come yet, or -EMSGSIZE when UPGRADE_HEAD_MAX octets have none. */
int upgrade_head_end(struct slice octets);

/* Checks a client's head (exactly upgrade_head_end() octets) and finds its key.
 * Returns 0, or the HTTP status to refuse it with: 400, 404, 405, 426 or 505. */
int upgrade_parse_request(struct slice head, char key_out[UPGRADE_KEY + 1]);

/* Checks a server's head against the key that was sent.  Returns 0, or -EACCES for
 * another status than 101, or -EBADMSG; the status is in *status_out (0: none). */
int upgrade_parse_response(struct slice head, const char key[UPGRADE_KEY + 1], int *status_out);

/* A new key from 16 random octets.  Returns 0 or -EIO. */
int upgrade_make_key(char key_out[UPGRADE_KEY + 1]);

/* Sec-WebSocket-Accept for a key.  Returns 0 or -EIO. */
int upgrade_accept(const char key[UPGRADE_KEY + 1], char accept_out[UPGRADE_ACCEPT + 1]);

/* The heads as text.  Returns the octets, or -ENOBUFS when host is too long, -EINVAL
 * when host is no host, -EIO. */
int upgrade_make_request(const char *host, const char key[UPGRADE_KEY + 1],
			 char out[UPGRADE_TEXT_MAX]);
/* 101 with the accept value of key. */
int upgrade_make_response(const char key[UPGRADE_KEY + 1], char out[UPGRADE_TEXT_MAX]);

/* A refusal: status as upgrade_parse_request() gave it, or 408, 431. */
int upgrade_make_refusal(int status, char out[UPGRADE_TEXT_MAX]);

#endif
