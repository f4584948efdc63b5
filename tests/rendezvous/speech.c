#include "tests/rendezvous/speech.h"

#include "tests/unit.h"

#include <string.h>

#include "base/clock.h"

ProtobufCBinaryData speech_octets(struct speech *s, size_t n)
{
	return (ProtobufCBinaryData){ .len = n, .data = s->filler };
}

static void make_client_bodies(struct speech *s)
{
	s->reg = (Umsg__Register)UMSG__REGISTER__INIT;
	s->reg.device_id = frame_data(slice_of(s->id, FRAME_ID));
	s->reg.has_keys = true;
	s->data = (Umsg__ClientData)UMSG__CLIENT_DATA__INIT;
	s->data.name = frame_text("client-token");
	s->data.value = speech_octets(s, 10);
	s->lookup = (Umsg__Lookup)UMSG__LOOKUP__INIT;
	s->lookup.uri = frame_text(SPEECH_NOBODY);
	s->bang = (Umsg__Bang)UMSG__BANG__INIT;
	s->bang.session_id = frame_data(slice_of(s->id, FRAME_ID));
	s->bang.i_message = s->bang.sealed = speech_octets(s, 32);
	s->bang.streams = 1;
	s->session = (Umsg__Session)UMSG__SESSION__INIT;
	s->session.session_id = frame_data(slice_of(s->id, FRAME_ID));
	s->session.role = UMSG__CALL_ROLE__RESPONDER;
	s->session.answer_rand = speech_octets(s, FRAME_ID);
	s->session.sealed = speech_octets(s, 32);
	s->hangup = (Umsg__Hangup)UMSG__HANGUP__INIT;
	s->hangup.session = &s->session;
	s->hangup.reason = UMSG__END_REASON__END_HANGUP;
	s->hangup.who = UMSG__ENDED_BY__BY_RESPONDER;
	s->post = (Umsg__Post)UMSG__POST__INIT;
	s->post.message_id = frame_data(slice_of(s->id, FRAME_ID));
	s->post.kind = UMSG__MESSAGE_KIND__KIND_TEXT;
	s->post.i_message = speech_octets(s, 32);
	s->post.total_length = 100;
	s->post.record = speech_octets(s, 100);
	s->part = (Umsg__Part)UMSG__PART__INIT;
	s->part.message_id = s->post.message_id;
	s->part.index = 1;
	s->part.record = speech_octets(s, 100);
	s->part_ack = (Umsg__PartAck)UMSG__PART_ACK__INIT;
	s->part_ack.message_id = s->post.message_id;
	s->part_ack.sender = frame_text(SPEECH_NOBODY);
	s->part_ack.next = 1;
	s->taken = (Umsg__Taken)UMSG__TAKEN__INIT;
	s->taken.message_id = s->post.message_id;
	s->taken.sender = frame_text(SPEECH_NOBODY);
	s->taken.number = 1;
	s->fetch = (Umsg__Fetch)UMSG__FETCH__INIT;
	s->name = (Umsg__UpdateName)UMSG__UPDATE_NAME__INIT;
	period_text(period_of(clock_wall_s()), s->month);
	s->name.month = s->month;
	s->get = (Umsg__UpdateGet)UMSG__UPDATE_GET__INIT;
	s->get.month = s->month;
	s->confirm = (Umsg__UpdateConfirm)UMSG__UPDATE_CONFIRM__INIT;
	s->confirm.name = &s->name;
	s->admin = (Umsg__AdminRequest)UMSG__ADMIN_REQUEST__INIT;
}

static void make_server_bodies(struct speech *s)
{
	s->registered = (Umsg__Registered)UMSG__REGISTERED__INIT;
	s->denied = (Umsg__Denied)UMSG__DENIED__INIT;
	s->unregistered = (Umsg__Unregistered)UMSG__UNREGISTERED__INIT;
	s->error = (Umsg__Error)UMSG__ERROR__INIT;
	s->error.code = UMSG__ERROR_CODE__ERROR_BUSY;
	s->done = (Umsg__Done)UMSG__DONE__INIT;
	s->lookup_answer = (Umsg__LookupAnswer)UMSG__LOOKUP_ANSWER__INIT;
	s->lookup_answer.uri = frame_text(SPEECH_NOBODY);
	s->bang_answer = (Umsg__BangAnswer)UMSG__BANG_ANSWER__INIT;
	s->bang_answer.session_id = s->bang.session_id;
	s->post_ack = (Umsg__PostAck)UMSG__POST_ACK__INIT;
	s->post_ack.message_id = s->post.message_id;
	s->deliver = (Umsg__Deliver)UMSG__DELIVER__INIT;
	s->deliver.post = &s->post;
	s->notify = (Umsg__Notify)UMSG__NOTIFY__INIT;
	s->fetched = (Umsg__Fetched)UMSG__FETCHED__INIT;
	s->update_part = (Umsg__UpdatePart)UMSG__UPDATE_PART__INIT;
	s->update_part.name = &s->name;
	s->update_news = (Umsg__UpdateNews)UMSG__UPDATE_NEWS__INIT;
	s->admin_answer = (Umsg__AdminAnswer)UMSG__ADMIN_ANSWER__INIT;
}

/* The member of a oneof is a pointer, whatever its type: this is what points to it. */
static void *body_of(struct speech *s, Umsg__Frame__BodyCase what)
{
	const struct {
		Umsg__Frame__BodyCase what;
		void *body;
	} bodies[] = {
		{ UMSG__FRAME__BODY_REGISTER, &s->reg },
		{ UMSG__FRAME__BODY_REGISTERED, &s->registered },
		{ UMSG__FRAME__BODY_DENIED, &s->denied },
		{ UMSG__FRAME__BODY_UNREGISTERED, &s->unregistered },
		{ UMSG__FRAME__BODY_ERROR, &s->error },
		{ UMSG__FRAME__BODY_DONE, &s->done },
		{ UMSG__FRAME__BODY_CLIENT_DATA, &s->data },
		{ UMSG__FRAME__BODY_LOOKUP, &s->lookup },
		{ UMSG__FRAME__BODY_LOOKUP_ANSWER, &s->lookup_answer },
		{ UMSG__FRAME__BODY_BANG, &s->bang },
		{ UMSG__FRAME__BODY_BANG_ANSWER, &s->bang_answer },
		{ UMSG__FRAME__BODY_GROWL, &s->session },
		{ UMSG__FRAME__BODY_TALK, &s->session },
		{ UMSG__FRAME__BODY_HANGUP, &s->hangup },
		{ UMSG__FRAME__BODY_SIGNAL, &s->session },
		{ UMSG__FRAME__BODY_POST, &s->post },
		{ UMSG__FRAME__BODY_POST_ACK, &s->post_ack },
		{ UMSG__FRAME__BODY_PART, &s->part },
		{ UMSG__FRAME__BODY_PART_ACK, &s->part_ack },
		{ UMSG__FRAME__BODY_DELIVER, &s->deliver },
		{ UMSG__FRAME__BODY_TAKEN, &s->taken },
		{ UMSG__FRAME__BODY_NOTIFY, &s->notify },
		{ UMSG__FRAME__BODY_FETCH, &s->fetch },
		{ UMSG__FRAME__BODY_FETCHED, &s->fetched },
		{ UMSG__FRAME__BODY_UPDATE_GET, &s->get },
		{ UMSG__FRAME__BODY_UPDATE_PART, &s->update_part },
		{ UMSG__FRAME__BODY_UPDATE_CONFIRM, &s->confirm },
		{ UMSG__FRAME__BODY_UPDATE_NEWS, &s->update_news },
		{ UMSG__FRAME__BODY_ADMIN_REQUEST, &s->admin },
		{ UMSG__FRAME__BODY_ADMIN_ANSWER, &s->admin_answer },
	};

	for (size_t i = 0; i < COUNT(bodies); i++)
		if (bodies[i].what == what)
			return bodies[i].body;
	fail_msg("body %d is not made here", (int)what);
	return NULL;
}

void speech_make(struct speech *s, Umsg__Frame__BodyCase what)
{
	memset(s, 0, sizeof(*s));
	memset(s->id, 'f', sizeof(s->id));
	make_client_bodies(s);
	make_server_bodies(s);
	s->frame = (Umsg__Frame)UMSG__FRAME__INIT;
	s->frame.to = frame_text(SPEECH_NOBODY);
	s->frame.body_case = what;
	s->frame.register_ = body_of(s, what);
}
