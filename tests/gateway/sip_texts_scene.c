#include "tests/gateway/sip_texts_scene.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/diag.h"
#include "gateway/sip_link.h"
#include "tests/fuzz/fake_clock.h"

#define COPY(to, from) snprintf(to, sizeof(to), "%s", from)

/* ---- the delivery core ---- */

int texts_add_port(struct texts *texts, const char *name, const char *kind,
		   const struct text_port_ops *ops, void *arg, struct text_port **port_out)
{
	assert_false(texts->open);
	assert_string_equal(name, "sip");
	assert_string_equal(kind, "sip");
	texts->open = true;
	texts->port.ops = ops;
	texts->port.arg = arg;
	*port_out = &texts->port;
	return 0;
}

void texts_remove_port(struct text_port **portp)
{
	if (!*portp)
		return;
	(*portp)->ops = NULL;
	*portp = NULL;
}

void text_port_ready(struct text_port *port)
{
	port->readies++;
}

void text_port_trouble(struct text_port *port, const char *why)
{
	COPY(port->trouble, why);
}

static void end(struct text_port *port, const uint8_t *id, enum text_fate fate, const char *why)
{
	assert_int_equal(port->fate[id[0]], FATE_OPEN); /* told once */
	port->fate[id[0]] = fate;
	COPY(port->why[id[0]], why);
}

int text_port_keep(struct text_port *port, const uint8_t id[UMSG_ID_SIZE], const char *note)
{
	if (port->disk_full)
		return -ENOSPC;
	COPY(port->note[id[0]], note);
	return 0;
}

void text_port_delivered(struct text_port *port, const uint8_t id[UMSG_ID_SIZE])
{
	end(port, id, FATE_DELIVERED, "");
}

void text_port_failed(struct text_port *port, const uint8_t id[UMSG_ID_SIZE], const char *why)
{
	end(port, id, FATE_FAILED, why);
}

void text_port_later(struct text_port *port, const uint8_t id[UMSG_ID_SIZE], unsigned after_ms,
		     const char *why)
{
	end(port, id, FATE_LATER, why);
	port->after_ms[id[0]] = after_ms;
}

int texts_submit(struct text_port *port, const struct text_in *in, char why[TEXT_WHY_SIZE])
{
	struct texts *texts = (struct texts *)(void *)((char *)port - offsetof(struct texts, port));

	texts->submits++;
	memcpy(texts->key, in->key, sizeof(texts->key));
	COPY(texts->from, in->from);
	COPY(texts->to, in->to);
	COPY(texts->outer_from, in->outer_from);
	COPY(texts->text, in->body->text);
	texts->attachments = in->body->n_attachments;
	snprintf(why, TEXT_WHY_SIZE, "the core says so");
	return texts->submit_err;
}

const char *texts_own_uri(const struct texts *texts)
{
	return texts->own_uri;
}

/* ---- the SIP agent ---- */

bool sip_link_is_ready(const struct sip_link *link)
{
	return link->ready;
}

uint64_t sip_link_next_call(struct sip_link *link)
{
	return link->last += 2;
}

static void keep_request(struct sip_link *link, const SipAgent__Text *text)
{
	link->requests++;
	assert_int_equal(text->text, link->last);
	COPY(link->to, text->request_uri);
	COPY(link->from, text->from_uri);
	COPY(link->call_id, text->call_id);
	COPY(link->address, text->target->address);
	snprintf(link->body, sizeof(link->body), "%.*s", (int)text->body.len, text->body.data);
}

int sip_link_send(struct sip_link *link, const SipAgent__ToAgent *message)
{
	if (link->send_err)
		return link->send_err;
	if (message->body_case == SIP_AGENT__TO_AGENT__BODY_TEXT) {
		keep_request(link, message->text);
	} else if (message->body_case == SIP_AGENT__TO_AGENT__BODY_TEXT_REPLY) {
		link->replies++;
		link->reply_to = message->text_reply->text;
		link->code = message->text_reply->code;
		link->retry_after_s = message->text_reply->retry_after_s;
		link->challenges = message->text_reply->n_challenges;
		COPY(link->phrase, message->text_reply->phrase);
	} else {
		assert_int_equal(message->body_case, SIP_AGENT__TO_AGENT__BODY_TEXT_AUTHORIZE);
		link->authorizations++;
		COPY(link->authorization, message->text_authorize->authorization);
	}
	return 0;
}

/* ---- PBXs ---- */

void scene_found(struct scene *scene, size_t n)
{
	struct pbx_search *search = played_pbxs_take(&scene->pbxs);
	struct pbx_way ways[PBX_WAYS_MAX];

	assert_non_null(search);
	memset(ways, 0, sizeof(ways));
	for (size_t i = 0; i < n; i++) {
		char address[16];

		snprintf(address, sizeof(address), "192.0.2.%u", (unsigned)(i + 1) & 0xff);
		assert_int_equal(net_parse(address, 5060, &ways[i].addr), 0);
		ways[i].transport = scene->pbxs.transport;
	}
	search->done(search->arg, ways, n, "no such host");
	free(search);
}

/* ---- the scene ---- */

const struct cig_config *scene_config(bool messaging)
{
	static const char text[] =
		"auth trunk { user gateway; password \"s3cret\"; }\n"
		"pbx main { host \"pbx.com\"; network \"192.0.2.0/24\"; challenge trunk; }\n"
		"map tel2sip {\n"
		" entry special tel \"tel:+8888;9{ext}\" sip \"sip:9{ext}@127.0.0.1\" auth trunk;\n"
		" entry extensions tel \"tel:+8888;{ext}\" sip \"sip:{ext}@127.0.0.1\";\n}\n"
		"map sip2source {\n"
		" entry extensions sip \"sip:{ext}@{discard}\" tel \"tel:+8888;{ext}\";\n}\n"
		"map sip2tel {\n"
		" entry back sip \"sip:0{n}@{discard}\" tel \"tel:+8888;{n}\";\n"
		" entry users sip \"sip:{number}@{discard}\" tel \"tel:+{number}\";\n}\n"
		"map tel2source {\n"
		" entry users tel \"tel:+{number}\" sip \"sip:{number}@secure.com\";\n}\n"
		"interfaces {\n"
		" tel { extension map tel2sip; source map sip2source; bind_media 127.0.0.1; }\n"
		" sip { extension map sip2tel; source map tel2source; bind 127.0.0.1; port 5060;"
		" messaging %s; }\n"
		"}\n"
		"userdata \"/tmp\"; log_dir \"/tmp\"; run_dir \"/tmp\";\n";
	const struct cig_config *config = NULL;
	struct diag *diag = diag_new();
	char filled[sizeof(text) + 8];

	snprintf(filled, sizeof(filled), text, messaging ? "true" : "false");
	if (cig_config_parse("test", slice_str(filled), diag, &config))
		fail_msg("%s", diag_first_error(diag));
	diag_free(&diag);
	return config;
}

int scene_set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct sip_texts_world world;

	assert_non_null(scene);
	fake_clock_reset();
	scene->base = event_base_new();
	scene->config = scene_config(true);
	scene->link.ready = true;
	scene->pbxs.host = "127.0.0.1"; /* of every sip URI of scene_config() */
	COPY(scene->core.own_uri, "tel:+8888");
	assert_int_equal(pbx_door_init(&scene->door), 0);
	world = (struct sip_texts_world){ .base = scene->base,
					  .texts = &scene->core,
					  .link = &scene->link,
					  .pbxs = &scene->pbxs,
					  .door = &scene->door };
	assert_int_equal(sip_texts_new(&world, scene->config, &scene->texts), 0);
	*state = scene;
	return 0;
}

int scene_tear_down(void **state)
{
	struct scene *scene = *state;

	sip_texts_free(&scene->texts);
	assert_null(scene->core.port.ops);
	assert_null(scene->pbxs.waiting);
	cig_config_release(&scene->config);
	event_base_free(scene->base);
	free(scene);
	return 0;
}

enum text_answer scene_offer(struct scene *scene, uint8_t id, const char *receiver,
			     const char *text, const char *note)
{
	Umsg__TextBody body = UMSG__TEXT_BODY__INIT;
	uint8_t octets[UMSG_ID_SIZE];
	const struct text_offer offer = { .id = octets,
					  .sender = "tel:+46701",
					  .receiver = receiver,
					  .sent_s = clock_wall_s(),
					  .end_s = clock_wall_s() + 3600,
					  .body = &body,
					  .note = note };
	struct text_port *port = &scene->core.port;
	enum text_answer answer;

	memset(octets, id, sizeof(octets));
	body.text = (char *)(uintptr_t)text;
	port->fate[id] = FATE_OPEN;
	answer = port->ops->offer(port->arg, &offer, port->why[id]);
	if (port->ops->flush)
		port->ops->flush(port->arg);
	return answer;
}

void scene_done(struct scene *scene, uint64_t number, unsigned code, unsigned retry_after_s,
		const char *phrase)
{
	SipAgent__FromAgent event = SIP_AGENT__FROM_AGENT__INIT;
	SipAgent__TextDone done = SIP_AGENT__TEXT_DONE__INIT;

	done.text = number;
	done.code = code;
	done.retry_after_s = retry_after_s;
	done.phrase = (char *)(uintptr_t)phrase;
	event.body_case = SIP_AGENT__FROM_AGENT__BODY_TEXT_DONE;
	event.text_done = &done;
	assert_true(sip_texts_event(scene->texts, &event));
}

static char *either(const char *text, const char *usual)
{
	return (char *)(uintptr_t)(text ? text : usual);
}

void scene_message(struct scene *scene, const struct scene_message *message)
{
	SipAgent__FromAgent event = SIP_AGENT__FROM_AGENT__INIT;
	SipAgent__TextIn text = SIP_AGENT__TEXT_IN__INIT;
	SipAgent__Target source = SIP_AGENT__TARGET__INIT;
	char *body = either(message->body, "Hello");

	source.address = either(message->source, "127.0.0.1");
	text.text = message->number ? message->number : 1;
	text.source = &source;
	text.request_uri = text.to_uri = either(message->to, "sip:46701@127.0.0.1");
	text.from_uri = either(message->from, "sip:101@127.0.0.1");
	text.call_id = either(message->call_id, "an-id");
	text.from_tag = (char *)(uintptr_t) "tag";
	text.cseq = 1;
	text.content_type = either(message->type, "text/plain");
	text.body = (ProtobufCBinaryData){ strlen(body), (uint8_t *)body };
	event.body_case = SIP_AGENT__FROM_AGENT__BODY_TEXT_IN;
	event.text_in = &text;
	assert_true(sip_texts_event(scene->texts, &event));
}
