/* played_center.h - message centers as ports of texts, with the connections played: what a
 * center was given is kept here, and a test says what it answers and brings.
 *
 * The delivery core, both journals and the mailboxes are the real ones (text_scene.h).
 */
#ifndef TESTS_GATEWAY_PLAYED_CENTER_H
#define TESTS_GATEWAY_PLAYED_CENTER_H

#include "tests/gateway/text_scene.h"

#include "gateway/texts_smpp_priv.h"

enum { PLAYED_CENTERS = 8, PLAYED_ANSWERS = 1100, PLAYED_IDS = 8 };

/* A connection to a center. */
struct smpp_center {
	char name[CENTER_NAME], password[16];
	struct smpp_status_rule rule; /* the first one */
	size_t rules;
	smpp_center_event_fn *event;
	void *arg;
	int submit_err; /* what a submit gets; 0: in hand */
	unsigned submits, stops, awaits, suspects, forgets;
	uint8_t key[SMPP_KEY_SIZE]; /* of the last submit */
	char from[80], to[80], text[256], note[64];
	char awaited[64];                  /* note of the last awaited one */
	uint32_t status[PLAYED_ANSWERS];   /* by the number of what came; see center_brings() */
	unsigned answered[PLAYED_ANSWERS]; /* how often */
};

/* A gateway's texts with the centers of a configuration. */
struct center_scene {
	struct scene *texts;
	const struct cig_config *config;
	struct texts_smpp *smpp;
};

/* cmocka's: one center, which asks for receipts; *state is a struct center_scene. */
int center_set_up(void **state);
int center_tear_down(void **state);

/* The center of that number, as they were made; NULL: there is or was none. */
struct smpp_center *center_made(unsigned number);
/* How many connections were begun in this test. */
unsigned centers_made(void);
/* From now on no connection can be made. */
void centers_fail(int err);
/* centers.journal cannot be synced from now on. */
void centers_journal_fails(bool fails);

/* Blocks of "message_centers" as in cig.conf; the caller's. */
const struct cig_config *center_config(const struct center_scene *scene, const char *blocks);
/* A block with maps of both directions and more directives. */
#define CENTER_BLOCK(more)                                                                         \
	"smpp { hostname \"sms.test\"; port 2775; user \"gw\"; password \"secret\"; "              \
	"read { map_from translate_map c2ext; map_to translate_map c2users; } "                    \
	"write { map_from translate_map users2c; map_to translate_map ext2c; } " more "}\n"
/* The scene goes on with these. */
void center_reconfigure(struct center_scene *scene, const char *blocks, int want);

/* The gateway dies and comes back with this configuration. */
void center_restart(struct center_scene *scene, const char *blocks);

/* The center tells something of the text with that id. */
void center_tells(struct smpp_center *center, enum smpp_center_event_kind kind, uint8_t id,
		  const char *note_or_why);

/* A delivery receipt, itself number `number`. */
void center_receipt(struct smpp_center *center, unsigned number, uint8_t id, bool delivered,
		    const char *why);

/* A text that came, as number `number` (its answer is kept by that). */
struct played_text {
	unsigned number;
	const char *from, *to, *text;     /* NULL: of extension 101, to Alice, "hello" */
	unsigned index, total, reference; /* of a part; total 0: in one piece */
	bool maybe_repeated;
};
void center_brings(struct smpp_center *center, const struct played_text *text);

/* The port's timer fires. */
void center_tick(struct center_scene *scene);

#define CENTER_TEST(test) cmocka_unit_test_setup_teardown(test, center_set_up, center_tear_down)

#endif
