/* sip_texts_scene.h - the SIP port of texts between a delivery core, an SIP agent and PBXs that
 * are played: what the port tells them is kept here, and a test says what they answer.
 */
#ifndef TESTS_GATEWAY_SIP_TEXTS_SCENE_H
#define TESTS_GATEWAY_SIP_TEXTS_SCENE_H

#include "tests/unit.h"

#include "gateway/cig_config.h"
#include "gateway/pbx_door.h"
#include "gateway/sip_texts.h"
#include "gateway/texts_port.h"
#include "tests/gateway/played_pbxs.h"

enum { SCENE_TEXTS = 64, SCENE_WORD = 200 };

/* How a text that was on offer stands with the core. */
enum text_fate { FATE_OPEN, FATE_DELIVERED, FATE_FAILED, FATE_LATER };

struct text_port {
	const struct text_port_ops *ops;
	void *arg;
	unsigned readies;
	char trouble[SCENE_WORD];
	/* By the first octet of the id. */
	enum text_fate fate[SCENE_TEXTS];
	unsigned after_ms[SCENE_TEXTS];
	char why[SCENE_TEXTS][SCENE_WORD], note[SCENE_TEXTS][24];
	bool disk_full;
};

struct texts {
	struct text_port port;
	bool open; /* the port was added, and not removed */
	char own_uri[UMSG_URI_SIZE];
	/* texts_submit(): what it returns, and what it was given last. */
	int submit_err;
	unsigned submits;
	uint8_t key[TEXT_KEY_SIZE];
	char from[SCENE_WORD], to[SCENE_WORD], outer_from[SCENE_WORD], text[SCENE_WORD];
	size_t attachments;
};

struct sip_link {
	bool ready;
	int send_err;
	uint64_t last;
	/* Requests, responses and answers to challenges since the test forgot them. */
	unsigned requests, replies, authorizations;
	/* The last of each. */
	uint64_t reply_to;
	unsigned code, retry_after_s;
	char phrase[SCENE_WORD], to[SCENE_WORD], from[SCENE_WORD], call_id[SCENE_WORD];
	char body[1100], address[64], authorization[1024];
	size_t challenges;
};

struct scene {
	struct event_base *base;
	const struct cig_config *config;
	struct texts core;
	struct sip_link link;
	struct pbxs pbxs;
	struct pbx_door door;
	struct sip_texts *texts;
};

/* cmocka's set up and tear down; *state is a struct scene. */
int scene_set_up(void **state);
int scene_tear_down(void **state);

/* A configuration like the scene's, or without messaging; the caller's. */
const struct cig_config *scene_config(bool messaging);

/* Offers text number id (1 to SCENE_TEXTS - 1) of Alice to receiver. */
enum text_answer scene_offer(struct scene *scene, uint8_t id, const char *receiver,
			     const char *text, const char *note);

/* The response to the request under that number. */
void scene_done(struct scene *scene, uint64_t number, unsigned code, unsigned retry_after_s,
		const char *phrase);

/* A MESSAGE of the PBX network; NULL: a usual one. */
struct scene_message {
	uint64_t number;
	const char *to, *from, *type, *body, *source, *call_id;
};
void scene_message(struct scene *scene, const struct scene_message *message);

/* The search that waits finds n ways. */
void scene_found(struct scene *scene, size_t n);

#define SCENE_TEST(test) cmocka_unit_test_setup_teardown(test, scene_set_up, scene_tear_down)

#endif
