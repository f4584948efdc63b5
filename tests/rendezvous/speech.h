/* speech.h - frames of every body, good as they are made, for tests that bend them. */
#ifndef TESTS_RENDEZVOUS_SPEECH_H
#define TESTS_RENDEZVOUS_SPEECH_H

#include "keys/period.h"
#include "umsg/frame.h"

/* A URI that nobody has: frames are for it, and name it. */
#define SPEECH_NOBODY "tel:+46709000004"

/* Everything that a frame of any body points to. */
struct speech {
	Umsg__Frame frame;
	uint8_t id[FRAME_ID], filler[2 * FRAME_RECORD];
	char month[PERIOD_TEXT_SIZE], text[512];
	Umsg__UpdateName name;
	Umsg__Register reg;
	Umsg__ClientData data;
	Umsg__Lookup lookup;
	Umsg__Bang bang;
	Umsg__Session session;
	Umsg__Hangup hangup;
	Umsg__Post post;
	Umsg__Part part;
	Umsg__PartAck part_ack;
	Umsg__Taken taken;
	Umsg__Fetch fetch;
	Umsg__UpdateGet get;
	Umsg__UpdateConfirm confirm;
	Umsg__AdminRequest admin;
	/* of the server's side */
	Umsg__Registered registered;
	Umsg__Denied denied;
	Umsg__Unregistered unregistered;
	Umsg__Error error;
	Umsg__Done done;
	Umsg__LookupAnswer lookup_answer;
	Umsg__BangAnswer bang_answer;
	Umsg__PostAck post_ack;
	Umsg__Deliver deliver;
	Umsg__Notify notify;
	Umsg__Fetched fetched;
	Umsg__UpdatePart update_part;
	Umsg__UpdateNews update_news;
	Umsg__AdminAnswer admin_answer;
};

/* Makes a good frame of this body, of a client or of the rendezvous, without a sender; its ids
 * are 16 times 'f'.  What it points to is in s and lives as long. */
void speech_make(struct speech *s, Umsg__Frame__BodyCase what);

/* n octets of nothing in particular, at most two records. */
ProtobufCBinaryData speech_octets(struct speech *s, size_t n);

#endif
