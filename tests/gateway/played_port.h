/* played_port.h - a port of the delivery core that is played: it answers as it was told to, and
 * counts what it is asked. */
#ifndef TESTS_GATEWAY_PLAYED_PORT_H
#define TESTS_GATEWAY_PLAYED_PORT_H

#include "tests/gateway/text_scene.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/encode.h"
#include "gateway/texts_port.h"

enum { MANY = 64 };

struct played {
	struct text_port *port;
	enum text_answer answer;
	bool keeps; /* answers TEXT_IN_HAND, and says the rest later */
	unsigned offers, flushes, kept, forgotten, restored, stored, posted;
	uint8_t ids[MANY]; /* the first octet of each that was offered */
	char note[64], restored_note[64], refusal[160];
	bool hears; /* of a refusal by an answer of its own */
	char body[256], sender[128];
	Umsg__AutoSubmitted auto_submitted;
};

static inline int on_match(void *arg, const char *sender, const char *receiver,
			   struct cig_addresses *addresses_out)
{
	(void)arg;
	snprintf(addresses_out->from, sizeof(addresses_out->from), "from %s", sender);
	snprintf(addresses_out->to, sizeof(addresses_out->to), "to %s", receiver);
	return 1;
}

static inline enum text_answer on_offer(void *arg, const struct text_offer *offer,
					char why[TEXT_WHY_SIZE])
{
	struct played *played = arg;

	if (played->offers < MANY)
		played->ids[played->offers] = offer->id[0];
	played->offers++;
	snprintf(played->note, sizeof(played->note), "%s", offer->note);
	snprintf(played->body, sizeof(played->body), "%s", offer->body->text);
	snprintf(played->sender, sizeof(played->sender), "%s", offer->sender);
	played->auto_submitted = offer->body->auto_submitted;
	if (played->answer != TEXT_IN_HAND)
		snprintf(why, TEXT_WHY_SIZE, "the line is cut");
	else if (!played->keeps)
		text_port_delivered(played->port, offer->id);
	return played->answer;
}

static inline void on_flush(void *arg)
{
	struct played *played = arg;

	played->flushes++;
}

static inline void on_kept(void *arg)
{
	struct played *played = arg;

	played->kept++;
}

static inline void on_restored(void *arg, const uint8_t id[UMSG_ID_SIZE], const char *note)
{
	struct played *played = arg;

	played->restored += id[0];
	snprintf(played->restored_note, sizeof(played->restored_note), "%s", note);
}

static inline void on_forget(void *arg, const uint8_t id[UMSG_ID_SIZE])
{
	struct played *played = arg;

	played->forgotten += id[0];
}

static inline void on_stored(void *arg, const uint8_t key[TEXT_KEY_SIZE])
{
	struct played *played = arg;

	played->stored += key[0];
}

static inline bool on_posted(void *arg, const uint8_t key[TEXT_KEY_SIZE], const char *refusal)
{
	struct played *played = arg;

	assert_int_equal(played->stored, key[0]); /* always before */
	played->posted++;
	snprintf(played->refusal, sizeof(played->refusal), "%s", refusal);
	return played->hears;
}

static const struct text_port_ops ops = {
	.match = on_match,
	.offer = on_offer,
	.flush = on_flush,
	.kept = on_kept,
	.restored = on_restored,
	.forget = on_forget,
	.stored = on_stored,
	.posted = on_posted,
};

static inline void add(struct scene *scene, struct played *played)
{
	assert_int_equal(texts_add_port(scene->texts, "smpp://a@center:2775", "center", &ops,
					played, &played->port),
			 0);
}

/* The gateway is started anew; the port comes back when its owner says so. */
static inline void restart(struct scene *scene, struct played *played)
{
	texts_remove_port(&played->port);
	assert_null(played->port);
	scene_end(scene);
	scene_begin(scene);
}

static inline uint8_t *id_of(uint8_t octet)
{
	static uint8_t id[UMSG_ID_SIZE];

	memset(id, octet, sizeof(id));
	return id;
}

static inline const char *text_id(uint8_t octet)
{
	static char text[BASE64_TEXT_SIZE(UMSG_ID_SIZE)];

	base64_encode(BASE64_STANDARD, slice_of(id_of(octet), UMSG_ID_SIZE), text);
	return text;
}

/* A member of the only row of the list, "" where there is not one row. */
static inline const char *listed(const struct scene *scene, const char *member)
{
	static char text[256];
	json_t *list = texts_list(scene->texts, 10);
	json_t *rows = json_object_get(list, "messages");
	const char *value =
		json_array_size(rows) == 1
			? json_string_value(json_object_get(json_array_get(rows, 0), member))
			: "";

	snprintf(text, sizeof(text), "%s", value ? value : "");
	json_decref(list);
	return text;
}

static inline void comes(struct scene *scene, uint8_t id)
{
	scene_message_comes(scene, id, clock_wall_s() + AN_HOUR);
}

#endif
