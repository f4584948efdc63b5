#include "tests/rendezvous/party.h"

#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/net.h"
#include "keys/account.h"
#include "keys/period.h"

static void note(struct party *party, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void note(struct party *party, const char *fmt, ...)
{
	size_t n = strlen(party->heard);
	va_list args;

	assert_true(n + 512 < sizeof(party->heard));
	va_start(args, fmt);
	vsnprintf(party->heard + n, sizeof(party->heard) - n, fmt, args);
	va_end(args);
	n = strlen(party->heard);
	snprintf(party->heard + n, sizeof(party->heard) - n, "\n");
}

static void octets_of(char letter, uint8_t out[FRAME_ID])
{
	memset(out, letter, FRAME_ID);
}

void party_send(struct party *party, const Umsg__Frame *frame)
{
	Umsg__Frame own = *frame;
	uint8_t *octets = NULL;
	size_t n = 0;

	own.request = ++party->request;
	if (!own.from[0])
		own.from = (char *)(uintptr_t)party->options.uri;
	assert_int_equal(frame_encode(&own, &octets, &n), 0);
	assert_int_equal(link_send(party->link, slice_of(octets, n)), 0);
	free(octets);
}

void party_register(struct party *party)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Register r = UMSG__REGISTER__INIT;
	Umsg__UpdateName newest = UMSG__UPDATE_NAME__INIT;
	uint8_t device[FRAME_ID];
	char software[] = "party 1.0";

	memset(device, party->options.device, sizeof(device));
	r.device_id = frame_data(slice_of(device, sizeof(device)));
	r.role = party->options.secondary ? UMSG__DEVICE_ROLE__SECONDARY
					  : UMSG__DEVICE_ROLE__PRIMARY;
	r.has_keys = !party->options.no_keys;
	r.software = software;
	if (party->options.newest) {
		newest.month = (char *)(uintptr_t)party->options.newest;
		r.newest = &newest;
	}
	frame.body_case = UMSG__FRAME__BODY_REGISTER;
	frame.register_ = &r;
	party_send(party, &frame);
}

static void hear_call(struct party *party, const Umsg__Frame *f)
{
	if (f->body_case == UMSG__FRAME__BODY_BANG) {
		memcpy(party->session_id, f->bang->session_id.data, FRAME_ID);
		note(party, "bang from %s leg %zu port %u%s", f->from, f->bang->leg->leg_id.len,
		     f->bang->leg->relay_port, f->bang->group_id.len ? " group" : "");
	} else if (f->body_case == UMSG__FRAME__BODY_BANG_ANSWER) {
		note(party, "bang_answer ringing %u port %u", f->bang_answer->ringing,
		     f->bang_answer->leg->relay_port);
	} else if (f->body_case == UMSG__FRAME__BODY_HANGUP) {
		note(party, "hangup %d by %d", (int)f->hangup->reason, (int)f->hangup->who);
	} else {
		note(party, "%s from %s", frame_name(f), f->from);
	}
}

static void hear_message(struct party *party, const Umsg__Frame *f)
{
	switch (f->body_case) {
	case UMSG__FRAME__BODY_POST_ACK:
		note(party, "post_ack %c %d retry %u %s", f->post_ack->message_id.data[0],
		     (int)f->post_ack->error, f->post_ack->retry_after, f->post_ack->text);
		break;
	case UMSG__FRAME__BODY_DELIVER:
		party->number = f->deliver->number;
		note(party, "deliver %c from %s %s", f->deliver->post->message_id.data[0], f->from,
		     f->deliver->number ? "stored" : "fresh");
		break;
	case UMSG__FRAME__BODY_PART:
		note(party, "part %c %u %zu", f->part->message_id.data[0], f->part->index,
		     f->part->record.len);
		break;
	case UMSG__FRAME__BODY_PART_ACK:
		note(party, "part_ack %c %u", f->part_ack->message_id.data[0], f->part_ack->next);
		break;
	case UMSG__FRAME__BODY_FETCHED:
		note(party, "fetched%s", f->fetched->more ? " more" : "");
		break;
	default:
		note(party, "%s", frame_name(f));
	}
}

static void hear(struct party *party, const Umsg__Frame *f)
{
	switch (f->body_case) {
	case UMSG__FRAME__BODY_REGISTERED:
		note(party, "registered %s%s waiting %u updates %zu",
		     f->registered->role == UMSG__DEVICE_ROLE__PRIMARY ? "primary" : "secondary",
		     f->registered->updates_only ? " updates only" : "", f->registered->waiting,
		     f->registered->n_updates);
		break;
	case UMSG__FRAME__BODY_DENIED:
		note(party, "denied %d %s", (int)f->denied->reason, f->denied->text);
		break;
	case UMSG__FRAME__BODY_UNREGISTERED:
		note(party, "unregistered %d %s", (int)f->unregistered->reason,
		     f->unregistered->text);
		break;
	case UMSG__FRAME__BODY_ERROR:
		note(party, "error %d %s", (int)f->error->code, f->error->text);
		break;
	case UMSG__FRAME__BODY_LOOKUP_ANSWER:
		note(party, "lookup %s %d", f->lookup_answer->uri, f->lookup_answer->found);
		break;
	case UMSG__FRAME__BODY_UPDATE_PART:
		note(party, "update_part revision %u total %u offset %u octets %zu",
		     f->update_part->name->revision, f->update_part->total, f->update_part->offset,
		     f->update_part->data.len);
		break;
	case UMSG__FRAME__BODY_UPDATE_NEWS:
		party->revision = f->update_news->updates[0]->revision;
		party->created = f->update_news->updates[0]->created;
		note(party, "update_news %zu", f->update_news->n_updates);
		break;
	case UMSG__FRAME__BODY_BANG:
	case UMSG__FRAME__BODY_BANG_ANSWER:
	case UMSG__FRAME__BODY_HANGUP:
	case UMSG__FRAME__BODY_GROWL:
	case UMSG__FRAME__BODY_TALK:
	case UMSG__FRAME__BODY_SIGNAL:
		hear_call(party, f);
		break;
	default:
		hear_message(party, f);
	}
}

static void on_event(void *arg, struct link *link, const struct link_event *event)
{
	struct party *party = arg;
	Umsg__Frame *frame = NULL;

	(void)link;
	switch (event->kind) {
	case LINK_NEGOTIATED:
		note(party, "negotiated");
		if (!party->options.do_not_register)
			party_register(party);
		break;
	case LINK_FRAME:
		/* What the server sends keeps all the rules of its side. */
		assert_int_equal(frame_decode(event->octets, FRAME_FROM_SERVER, &frame), 0);
		if (party->on_frame)
			party->on_frame(party->arg, frame);
		else
			hear(party, frame);
		frame_free(&frame);
		break;
	case LINK_PINGED:
		note(party, "pinged");
		break;
	case LINK_CLOSED:
		note(party, "closed %s", link_reason_name(event->reason));
		break;
	default:
		break;
	}
}

static const struct link_ops link_ops = { .event = on_event };

void party_open(struct party *party, struct scene *scene, const struct party_options *options)
{
	const char *account = options->account ? options->account : SCENE_ACCOUNT;
	const char *text = options->secret ? options->secret : SCENE_SECRET;
	struct account_secret secret;
	char identity[ACCOUNT_IDENTITY_MAX + 1];
	uint8_t psk[ACCOUNT_PSK_SIZE];
	struct link_login login = { .host = "localhost", .identity = identity, .psk = psk };
	struct net_addr addr;

	memset(party, 0, sizeof(*party));
	party->scene = scene;
	party->options = *options;
	assert_int_equal(account_secret_from_text(slice_str(text), account, &secret), 0);
	assert_int_equal(
		account_psk(&secret, slice_str(options->uri), account, options->generation, psk),
		0);
	assert_int_equal(account_identity_make(&secret, slice_str(options->uri), account,
					       options->generation, identity),
			 0);
	assert_int_equal(net_parse("127.0.0.1", scene->port, &addr), 0);
	assert_int_equal(link_connect(scene->links, &addr, &login, &link_ops, party, &party->link),
			 0);
}

void party_attach(struct party *party, struct scene *scene, const char *uri)
{
	party_open(party, scene,
		   &(struct party_options){ .uri = uri, .generation = 1, .device = 1 });
	assert_true(party_hears(party, "registered primary"));
}

void party_close(struct party *party)
{
	link_free(&party->link);
}

/* The start of a line at or behind p that begins with text, or NULL. */
static const char *find_line(const char *p, const char *text)
{
	size_t n = strlen(text);

	while (*p) {
		const char *end = strchr(p, '\n');

		if (strncmp(p, text, n) == 0)
			return p;
		p = end ? end + 1 : p + strlen(p);
	}
	return NULL;
}

bool party_hears(struct party *party, const char *text)
{
	int64_t deadline = clock_mono_ms() + SCENE_PATIENCE_MS;

	while (clock_mono_ms() < deadline) {
		const char *line = find_line(party->heard + party->looked, text);

		if (line) {
			party->looked = (size_t)(strchr(line, '\n') + 1 - party->heard);
			return true;
		}
		scene_run(party->scene);
	}
	print_message("%s did not hear \"%s\" in:\n%s", party->options.uri, text, party->heard);
	return false;
}

bool party_heard(const struct party *party, const char *text)
{
	return find_line(party->heard, text) != NULL;
}

static void send_bang(struct party *party, const char *to, char session, unsigned streams,
		      char group)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Bang bang = UMSG__BANG__INIT;
	uint8_t id[FRAME_ID], group_id[FRAME_ID], filler[32] = { 1 };

	octets_of(session, id);
	octets_of(group, group_id);
	bang.session_id = frame_data(slice_of(id, sizeof(id)));
	bang.i_message = frame_data(slice_of(filler, sizeof(filler)));
	bang.sealed = frame_data(slice_of(filler, sizeof(filler)));
	bang.streams = streams;
	if (group)
		bang.group_id = frame_data(slice_of(group_id, sizeof(group_id)));
	frame.to = (char *)(uintptr_t)to;
	frame.body_case = UMSG__FRAME__BODY_BANG;
	frame.bang = &bang;
	party_send(party, &frame);
}

void party_bang_group(struct party *party, const char *to, char session, char group)
{
	send_bang(party, to, session, 1, group);
}

void party_bang_streams(struct party *party, const char *to, char session, unsigned streams)
{
	send_bang(party, to, session, streams, 0);
}

void party_bang(struct party *party, const char *to, char session)
{
	party_bang_streams(party, to, session, 1);
}

static void send_session(struct party *party, const char *to, char session,
			 Umsg__Frame__BodyCase what, Umsg__CallRole role)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Session s = UMSG__SESSION__INIT;
	Umsg__Hangup hangup = UMSG__HANGUP__INIT;
	uint8_t id[FRAME_ID], filler[32] = { 1 };

	octets_of(session, id);
	s.session_id = frame_data(slice_of(id, sizeof(id)));
	s.role = role;
	if (role == UMSG__CALL_ROLE__RESPONDER)
		s.answer_rand = frame_data(slice_of(filler, FRAME_ID));
	s.sealed = frame_data(slice_of(filler, sizeof(filler)));
	hangup.session = &s;
	hangup.reason = UMSG__END_REASON__END_HANGUP;
	hangup.who = role == UMSG__CALL_ROLE__RESPONDER ? UMSG__ENDED_BY__BY_RESPONDER
							: UMSG__ENDED_BY__BY_INITIATOR;
	frame.to = (char *)(uintptr_t)to;
	frame.body_case = what;
	if (what == UMSG__FRAME__BODY_HANGUP)
		frame.hangup = &hangup;
	else if (what == UMSG__FRAME__BODY_GROWL)
		frame.growl = &s;
	else if (what == UMSG__FRAME__BODY_TALK)
		frame.talk = &s;
	else
		frame.signal = &s;
	party_send(party, &frame);
}

void party_answer(struct party *party, const char *to, char session, Umsg__Frame__BodyCase what)
{
	send_session(party, to, session, what, UMSG__CALL_ROLE__RESPONDER);
}

void party_hangup(struct party *party, const char *to, char session)
{
	send_session(party, to, session, UMSG__FRAME__BODY_HANGUP, UMSG__CALL_ROLE__INITIATOR);
}

static void send_message(struct party *party, const char *to, char message, size_t octets,
			 Umsg__MessageKind kind)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Post post = UMSG__POST__INIT;
	uint8_t id[FRAME_ID], filler[32] = { 1 }, *record = calloc(1, octets);

	octets_of(message, id);
	post.message_id = frame_data(slice_of(id, sizeof(id)));
	post.kind = kind;
	post.i_message = frame_data(slice_of(filler, sizeof(filler)));
	post.total_length = (uint32_t)octets;
	post.record = frame_data(slice_of(record, octets < FRAME_RECORD + FRAME_RECORD_TAG
							  ? octets
							  : FRAME_RECORD + FRAME_RECORD_TAG));
	frame.to = (char *)(uintptr_t)to;
	frame.body_case = UMSG__FRAME__BODY_POST;
	frame.post = &post;
	party_send(party, &frame);
	free(record);
}

void party_post(struct party *party, const char *to, char message, size_t octets)
{
	send_message(party, to, message, octets, UMSG__MESSAGE_KIND__KIND_TEXT);
}

void party_post_channel(struct party *party, const char *to, char message, size_t octets)
{
	send_message(party, to, message, octets, UMSG__MESSAGE_KIND__KIND_CHANNEL);
}

void party_post_receipt(struct party *party, const char *to, char message)
{
	send_message(party, to, message, 100, UMSG__MESSAGE_KIND__KIND_RECEIPT);
}

void party_part(struct party *party, const char *to, char message, uint32_t index, size_t octets)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Part part = UMSG__PART__INIT;
	uint8_t id[FRAME_ID], *record = calloc(1, octets);

	octets_of(message, id);
	part.message_id = frame_data(slice_of(id, sizeof(id)));
	part.index = index;
	part.record = frame_data(slice_of(record, octets));
	frame.to = (char *)(uintptr_t)to;
	frame.body_case = UMSG__FRAME__BODY_PART;
	frame.part = &part;
	party_send(party, &frame);
	free(record);
}

void party_ask_part(struct party *party, const char *from, char message, uint32_t next)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__PartAck ack = UMSG__PART_ACK__INIT;
	uint8_t id[FRAME_ID];

	octets_of(message, id);
	ack.message_id = frame_data(slice_of(id, sizeof(id)));
	ack.sender = (char *)(uintptr_t)from;
	ack.next = next;
	frame.to = ack.sender;
	frame.body_case = UMSG__FRAME__BODY_PART_ACK;
	frame.part_ack = &ack;
	party_send(party, &frame);
}

void party_confirm(struct party *party)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__UpdateConfirm confirm = UMSG__UPDATE_CONFIRM__INIT;
	Umsg__UpdateName name = UMSG__UPDATE_NAME__INIT;
	char month[PERIOD_TEXT_SIZE];

	period_text(period_of(clock_wall_s()), month);
	name.month = month;
	name.revision = party->revision;
	name.created = party->created;
	confirm.name = &name;
	frame.body_case = UMSG__FRAME__BODY_UPDATE_CONFIRM;
	frame.update_confirm = &confirm;
	party_send(party, &frame);
}

void party_keep(struct party *party, const char *name, const char *type, const char *text)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__ClientData data = UMSG__CLIENT_DATA__INIT;

	data.name = frame_text(name);
	data.type = frame_text(type);
	data.value = frame_data(slice_str(text));
	frame.body_case = UMSG__FRAME__BODY_CLIENT_DATA;
	frame.client_data = &data;
	party_send(party, &frame);
}

void party_taken(struct party *party, const char *from, char message)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Taken taken = UMSG__TAKEN__INIT;
	uint8_t id[FRAME_ID];

	octets_of(message, id);
	taken.message_id = frame_data(slice_of(id, sizeof(id)));
	taken.sender = (char *)(uintptr_t)from;
	taken.number = party->number;
	frame.body_case = UMSG__FRAME__BODY_TAKEN;
	frame.taken = &taken;
	party_send(party, &frame);
}

void party_fetch(struct party *party, uint64_t after)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Fetch fetch = UMSG__FETCH__INIT;

	fetch.after = after;
	frame.body_case = UMSG__FRAME__BODY_FETCH;
	frame.fetch = &fetch;
	party_send(party, &frame);
}

void party_update_get(struct party *party, const char *month, Umsg__UpdateWhat what,
		      uint32_t offset)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__UpdateGet get = UMSG__UPDATE_GET__INIT;

	get.month = (char *)(uintptr_t)month;
	get.what = what;
	get.offset = offset;
	frame.body_case = UMSG__FRAME__BODY_UPDATE_GET;
	frame.update_get = &get;
	party_send(party, &frame);
}
