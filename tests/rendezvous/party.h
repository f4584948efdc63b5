/* party.h - a client of crs for tests: it says what it is told to say, and notes what
 * it hears, a line an event.
 */
#ifndef TESTS_RENDEZVOUS_PARTY_H
#define TESTS_RENDEZVOUS_PARTY_H

#include "tests/rendezvous/scene.h"
#include "umsg/frame.h"
#include "umsg/link.h"

struct party_options {
	const char *uri;
	const char *account, *secret; /* NULL: the scene's */
	uint32_t generation;
	uint8_t device; /* all octets of the device id */
	bool secondary, no_keys;
	const char *newest; /* month of its newest keys; NULL: it does not say */
	bool do_not_register;
};

struct party {
	struct scene *scene;
	struct party_options options;
	struct link *link;
	char heard[64 * 1024];
	size_t looked; /* what expect() has gone past */
	uint64_t request;
	uint8_t session_id[FRAME_ID]; /* of the last Bang that came */
	uint64_t number;              /* of the last Deliver */
	uint32_t revision;            /* of this month's update in the last news of updates */
	uint64_t created;
	/* Hears everything instead of the notes; may be NULL. */
	void (*on_frame)(void *arg, const Umsg__Frame *frame);
	void *arg;
};

/* Connects and registers. */
void party_open(struct party *party, struct scene *scene, const struct party_options *options);
/* The first device of uri, registered as its primary; a test that cannot have it ends. */
void party_attach(struct party *party, struct scene *scene, const char *uri);
void party_close(struct party *party);
void party_register(struct party *party); /* anew, as after an update */

/* Waits for a line that begins with text, behind the one that was found last. */
bool party_hears(struct party *party, const char *text);
/* Was such a line heard at all by now? */
bool party_heard(const struct party *party, const char *text);

/* Sessions and messages are named by a letter, of which all octets of the id are. */
void party_bang(struct party *party, const char *to, char session);
/* A call with more media streams than one. */
void party_bang_streams(struct party *party, const char *to, char session, unsigned streams);
/* An invitation to a group call, which a letter names. */
void party_bang_group(struct party *party, const char *to, char session, char group);
void party_answer(struct party *party, const char *to, char session,
		  Umsg__Frame__BodyCase what); /* as responder: growl, talk, hangup, signal */
void party_hangup(struct party *party, const char *to, char session); /* as caller */
void party_post(struct party *party, const char *to, char message, size_t octets);
/* The same of the kind that channels take. */
void party_post_channel(struct party *party, const char *to, char message, size_t octets);
/* A receipt, which is a message, too. */
void party_post_receipt(struct party *party, const char *to, char message);
/* A further part of a long post, of so many octets that are all alike. */
void party_part(struct party *party, const char *to, char message, uint32_t index, size_t octets);
/* Asks for the parts of a message that came, from next on. */
void party_ask_part(struct party *party, const char *from, char message, uint32_t next);
/* Tells that the update of which the last news told is installed. */
void party_confirm(struct party *party);
/* Has the rendezvous keep a text under this name; "" removes it. */
void party_keep(struct party *party, const char *name, const char *type, const char *text);
void party_taken(struct party *party, const char *from, char message);
void party_fetch(struct party *party, uint64_t after);
void party_update_get(struct party *party, const char *month, Umsg__UpdateWhat what,
		      uint32_t offset);
/* Any frame; from is the party's own URI where it is empty. */
void party_send(struct party *party, const Umsg__Frame *frame);

#endif
