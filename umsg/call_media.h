/* call_media.h - what the ends of a call offer, choose and check, and what follows
 * from it for the media.  Pure.  Source: docs/umsg.md "Offer and answer".
 */
#ifndef UMSG_CALL_MEDIA_H
#define UMSG_CALL_MEDIA_H

#include "umsg/call_crypto.h"
#include "umsg/client.h"

enum { CALL_EVENT_CLOCKS = 2, CALL_PROFILES = 2 };

/* An offer of one audio stream, with all that it points to. */
struct call_offer {
	Umsg__Offer offer;
	Umsg__Stream stream, *streams[1];
	Umsg__Codec codec[UMSG_AUDIO_CODECS], *codecs[UMSG_AUDIO_CODECS];
	Umsg__TelephoneEvent event[CALL_EVENT_CLOCKS], *events[CALL_EVENT_CLOCKS];
	Umsg__SrtpProfile profiles[CALL_PROFILES];
};

/* Fills in what wish says; the extensions must outlive it.  Returns 0 or -EINVAL (no
 * codec, one twice, or an extension with other characters than it may have). */
int call_offer_make(const struct umsg_audio_wish *wish, const char *called_extension,
		    const char *calling_extension, struct call_offer *offer_out);

/* Reads an offer and checks every field.  NULL: malformed, or memory is out. */
Umsg__Offer *call_offer_read(struct slice octets);

/* An answer to an offer; codec and event are the offer's. */
struct call_answer {
	Umsg__Answer answer;
	Umsg__StreamAnswer stream[FRAME_STREAMS_MAX], *streams[FRAME_STREAMS_MAX];
};

/* The codecs of the first stream that we know, in its order, each once.  Returns how many. */
size_t call_offer_codecs(const Umsg__Offer *offer,
			 enum umsg_audio_codec codecs_out[UMSG_AUDIO_CODECS]);

/* Chooses the first codec of the offer that wish names, the first profile that we
 * know, and a telephone-event, of the codec's clock if there is one.  Only the first
 * audio stream is taken.  Returns 0 or -ENOTSUP (nothing in common). */
int call_answer_make(const Umsg__Offer *offer, const struct umsg_audio_wish *wish,
		     struct call_answer *answer_out);

/* Reads an answer and checks that it chooses from our offer.  NULL: it does not, is
 * malformed, or memory is out. */
Umsg__Answer *call_answer_read(struct slice octets, const Umsg__Offer *offer);

/* The same check for an answer within another message. */
bool call_answer_ok(const Umsg__Answer *answer, const Umsg__Offer *offer);

/* Fills in everything of a call's media: leg, keys, and what the answer chose.
 * Returns 0, -EINVAL, -ENOMEM. */
int call_media_fill(const struct call_secret *secret, bool initiator,
		    const uint8_t answer_rand[FRAME_ID], const Umsg__Leg *leg,
		    const Umsg__Answer *answer, struct umsg_media *media_out);

#endif
