/* passing.h - frames on their way between the holder of a connection and a home.
 *
 * They are nearly all that workers say to each other, several for every message and every
 * signal of a call, so they are not packed by the schema of the rest (worker.proto) but
 * written as a head, with the frame behind it as it is.  Both ends run the same binary.
 */
#ifndef RENDEZVOUS_PASSING_H
#define RENDEZVOUS_PASSING_H

#include "base/slice.h"

enum { PASSING_HEAD_MAX = 1024 };

/* A frame of a client, for the home of uri. */
struct passed_up {
	uint64_t connection;
	const char *from, *account; /* the connection's */
	const char *uri;            /* whose home is meant */
	struct slice frame;
};

/* A frame for a client, and what its holder has to note; any slice may be empty. */
struct passed_down {
	uint64_t connection;
	struct slice session_id;    /* the connection takes part in this call now, */
	bool session_over;          /* or no longer */
	struct slice post_answered; /* a post that needs no answer any more: its message id */
	uint64_t request_answered;  /* the connection's request of this number is; 0: none */
	bool lost; /* an answer could not be written: the connection has to end, and its client asks
		    * again over another one */
	struct slice frame;
};

/* Write what stands before the frame; *head_out lies in head.  Return 0, or -EMSGSIZE. */
int passing_write_up(const struct passed_up *up, uint8_t head[PASSING_HEAD_MAX],
		     struct slice *head_out);
/* The same on the way back. */
int passing_write_down(const struct passed_down *down, uint8_t head[PASSING_HEAD_MAX],
		       struct slice *head_out);

enum passing { PASSING_UP, PASSING_DOWN, PASSING_BAD };

/* Reads head and frame; whichever of the two it is gets filled in and points into
 * octets. */
enum passing passing_read(struct slice octets, struct passed_up *up, struct passed_down *down);

#endif
