/* text_scene.h - texts of a gateway between real mailboxes and a client that is played. */
#ifndef TESTS_TEXT_SCENE_H
#define TESTS_TEXT_SCENE_H

#include "tests/unit.h"

#include <stdbool.h>

#include "gateway/texts.h"
#include "tests/umsg/loop.h"

enum { AN_HOUR = 3600 };

/* The client's part. */
struct umsg_client {
	enum umsg_state state;
	struct texts *texts;
	unsigned next_id;
	/* What the rendezvous answers to posts; without, none comes. */
	bool answers;
	Umsg__ErrorCode answer;
	unsigned answer_again_s; /* with an error: try again in so many seconds */
	struct event *soon;
	uint8_t posted[256][UMSG_ID_SIZE];
	size_t n_posted, n_answered;
	int post_fails, seal_fails; /* seal_fails stands for the journal's disk, too */
	int receipt_fails;          /* its sealing */
	int domain;                 /* what is known of Alice's */
	unsigned lookups;
	unsigned taken, receipts, seals;
	bool offline;
	Umsg__ReceiptState receipt;
	char reason[256];
	char sealed[512]; /* the last text that was sealed */
};

struct scene {
	char root[64], in[96], second[96], out[96]; /* two are read */
	struct event_base *base;
	const struct cig_config *config;
	struct texts *texts;
	struct umsg_client client;
	bool may_break;  /* else it fails the test */
	unsigned broken; /* times that the program was asked to start anew */
};

/* cmocka's set up and tear down; *state is a struct scene. */
int scene_set_up(void **state);
int scene_tear_down(void **state);

/* A run of the gateway begins or ends; what is on disk stays. */
void scene_begin(struct scene *scene);
void scene_end(struct scene *scene);

void scene_make_mailbox(const char *path);
void scene_remove_tree(const char *path);
unsigned scene_files_in(const char *box, const char *folder);

/* The journal's disk has no room for one octet more, or as much as ever. */
void scene_fill_disk(struct scene *scene, bool full);
/* The same with that many octets left in the journal. */
void scene_leave_room(struct scene *scene, unsigned octets);

/* Message `id` (16 such octets) of Alice for extension 101. */
void scene_message_comes(struct scene *scene, uint8_t id, int64_t end_s);

/* A file for Alice in the read mailbox. */
void scene_drop_file(struct scene *scene, unsigned number);

#define SCENE_TEST(test) cmocka_unit_test_setup_teardown(test, scene_set_up, scene_tear_down)

#endif
