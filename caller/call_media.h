/* call_media.h - what the reference caller speaks and hears in a call: sound files
 * on one side, SRTP through the rendezvous's relay on the other.
 */
#ifndef CALLER_CALL_MEDIA_H
#define CALLER_CALL_MEDIA_H

#include "media/leg.h"
#include "umsg/client.h"

struct call_media;
struct diag;
struct event_base;

enum { CALL_MEDIA_RELAY_MS = 20000 };

struct call_media_options {
	struct event_base *base;
	const struct umsg_media *media; /* read at the start only */
	const int16_t *play;            /* 8 kHz; borrowed; NULL: silence */
	size_t play_n;                  /* samples */
	const char *record;             /* path, or NULL */
	/* The last sample of play was sent. */
	void (*played)(void *arg);
	/* A digit of the peer has ended. */
	void (*digit)(void *arg, char digit, unsigned duration_ms);
	/* The relay has not answered for CALL_MEDIA_RELAY_MS: nobody will hear anything.  Told
	 * once; may stop it. */
	void (*lost)(void *arg);
	void *arg;
};

/* Binds at the relay and begins to send.  Returns 0 or -errno with diag set. */
int call_media_start(const struct call_media_options *options, struct call_media **media_out,
		     struct diag *diag);

/* Sends a digit as a telephone event.  Returns as secure_leg_send_digit(). */
int call_media_send_digit(struct call_media *media, char digit);

/* What the secure leg has sent, received and missed so far (media/secure_leg.h). */
void call_media_stats(const struct call_media *media, struct leg_stats *stats_out);

/* Closes the recording, too.  Returns 0 or the -errno of writing it. */
int call_media_stop(struct call_media **mediap);

#endif
