/* Texts through the gateway, between real mailboxes and a client that is played here. */
#include "tests/unit.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/file.h"
#include "gateway/texts.h"
#include "mailbox/maildir.h"
#include "tests/umsg/loop.h"

static const char alice[] = "tel:+46701234567";

/* ---- the client's part ---- */

struct umsg_client {
	enum umsg_state state;
	struct texts *texts;
	uint8_t next_id;
	/* What the rendezvous answers to posts; without, none comes. */
	bool answers;
	Umsg__ErrorCode answer;
	struct event *soon;
	uint8_t posted[256][UMSG_ID_SIZE];
	size_t n_posted, n_answered;
	int post_fails;
	unsigned taken, receipts;
	Umsg__ReceiptState receipt;
	char reason[256];
};

enum umsg_state umsg_client_state(const struct umsg_client *client)
{
	return client->state;
}

int umsg_client_taken(struct umsg_client *client, const uint8_t id[UMSG_ID_SIZE], const char *from,
		      uint64_t number)
{
	(void)id;
	(void)from;
	(void)number;
	client->taken++;
	return 0;
}

void umsg_client_fetch(struct umsg_client *client)
{
	(void)client; /* nothing waits at this rendezvous */
}

void umsg_sealed_clear(struct umsg_sealed *sealed)
{
	free(sealed->octets);
	sealed->octets = NULL;
}

static int seal(struct umsg_client *client, struct umsg_sealed *sealed_out)
{
	memset(sealed_out->id, ++client->next_id, sizeof(sealed_out->id));
	sealed_out->n = UMSG_ID_SIZE;
	sealed_out->octets = malloc(sealed_out->n);
	assert_non_null(sealed_out->octets);
	memcpy(sealed_out->octets, sealed_out->id, sealed_out->n);
	return 0;
}

int umsg_client_seal(struct umsg_client *client, const char *to, const Umsg__TextBody *body,
		     int64_t end_s, struct umsg_sealed *sealed_out)
{
	(void)body;
	(void)end_s;
	assert_string_equal(to, alice);
	return seal(client, sealed_out);
}

int umsg_client_seal_receipt(struct umsg_client *client, const char *to,
			     const uint8_t id[UMSG_ID_SIZE], Umsg__ReceiptState state,
			     const char *reason, struct umsg_sealed *sealed_out)
{
	(void)id;
	assert_string_equal(to, alice);
	client->receipts++;
	client->receipt = state;
	snprintf(client->reason, sizeof(client->reason), "%s", reason);
	return seal(client, sealed_out);
}

int umsg_client_post(struct umsg_client *client, struct slice sealed)
{
	if (client->post_fails)
		return client->post_fails;
	assert_true(client->n_posted < COUNT(client->posted));
	memcpy(client->posted[client->n_posted++], sealed.p, UMSG_ID_SIZE);
	if (client->answers)
		event_active(client->soon, EV_TIMEOUT, 0);
	return 0;
}

static void on_soon(evutil_socket_t fd, short what, void *arg)
{
	struct umsg_client *client = arg;

	(void)fd;
	(void)what;
	while (client->n_answered < client->n_posted)
		texts_post_ack(client->texts, client->posted[client->n_answered++], client->answer,
			       client->answer ? "no such user" : "", 0);
}

/* ---- the scene ---- */

struct scene {
	char root[64], in[96], out[96];
	struct event_base *base;
	const struct cig_config *config;
	struct texts *texts;
	struct umsg_client client;
};

static const char config_text[] =
	"translate_map users2mail { rule match \"tel:+{n}\" translation \"sip:{n}@secure.com\"; }\n"
	"translate_map extensions2mail {"
	" rule match \"tel:+8888;{ext}\" translation \"sip:{ext}@pbx.com\"; }\n"
	"translate_map mail2users { rule match \"sip:{n}@secure.com\" translation \"tel:+{n}\"; }\n"
	"translate_map mail2extensions {"
	" rule match \"sip:{ext}@pbx.com\" translation \"tel:+8888;{ext}\"; }\n"
	"mailboxes {\n"
	" write { path \"%1$s/out\"; map_from translate_map users2mail;"
	" map_to translate_map extensions2mail; }\n"
	" read { path \"%1$s/in\"; map_from translate_map mail2extensions;"
	" map_to translate_map mail2users; }\n"
	"}\n"
	"userdata \"%1$s\"; log_dir \"%1$s\"; run_dir \"%1$s\";\n";

static void on_broken(void *arg)
{
	(void)arg;
	fail();
}

static const struct texts_ops ops = { on_broken };

static void begin(struct scene *scene)
{
	struct umsg_client *client = &scene->client;

	*client = (struct umsg_client){ .state = UMSG_ATTACHED, .next_id = client->next_id };
	scene->base = event_base_new();
	client->soon = event_new(scene->base, -1, 0, on_soon, client);
	assert_int_equal(texts_new(scene->base, scene->config, &ops, NULL, &scene->texts, NULL), 0);
	client->texts = scene->texts;
	texts_set_client(scene->texts, client, "tel:+8888");
	texts_attached(scene->texts);
}

static void end(struct scene *scene)
{
	texts_free(&scene->texts);
	assert_null(scene->texts);
	event_free(scene->client.soon);
	event_base_free(scene->base);
}

static void make_mailbox(const char *path)
{
	assert_int_equal(maildir_create(path, getgid(), NULL), 0);
}

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct diag *diag = diag_new();
	char text[4096];

	assert_non_null(scene);
	snprintf(scene->root, sizeof(scene->root), "/tmp/texts-test.XXXXXX");
	assert_non_null(mkdtemp(scene->root));
	snprintf(scene->in, sizeof(scene->in), "%s/in", scene->root);
	snprintf(scene->out, sizeof(scene->out), "%s/out", scene->root);
	make_mailbox(scene->in);
	make_mailbox(scene->out);
	snprintf(text, sizeof(text), config_text, scene->root);
	if (cig_config_parse("test", slice_str(text), diag, &scene->config))
		fail_msg("%s", diag_first_error(diag));
	diag_free(&diag);
	begin(scene);
	*state = scene;
	return 0;
}

static void remove_tree(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char inner[512];

	while (dir && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		if (unlink(inner))
			remove_tree(inner);
	}
	if (dir)
		closedir(dir);
	rmdir(path);
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	end(scene);
	cig_config_release(&scene->config);
	remove_tree(scene->root);
	free(scene);
	return 0;
}

static unsigned files_in(const char *box, const char *folder)
{
	char path[160];
	struct dirent *entry;
	unsigned n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", box, folder);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return n;
}

static void message_comes(struct scene *scene, uint8_t id, int64_t end_s)
{
	Umsg__TextBody body = UMSG__TEXT_BODY__INIT;
	struct umsg_message message = {
		.from = alice, .to = "tel:+8888", .from_domain = "Demonstration", .body = &body
	};

	memset(message.id, id, sizeof(message.id));
	message.sent_s = clock_wall_s();
	message.end_s = end_s;
	body.version = 1;
	body.text = (char *)"Hello";
	body.called_extension = (char *)"101";
	texts_message(scene->texts, &message);
}

static void drop_file(struct scene *scene, unsigned number)
{
	static const char text[] = "To: <sip:46701234567@secure.com>\n"
				   "From: <sip:101@pbx.com>\n"
				   "Date: 26 Nov 2015 17:15:44 +0000\n"
				   "Content-Type: text/plain; charset=\"UTF-8\"\n"
				   "Content-Transfer-Encoding: 8bit\n\nHello\n";
	char tmp[160], path[160];

	snprintf(tmp, sizeof(tmp), "%s/tmp/%u", scene->in, number);
	snprintf(path, sizeof(path), "%s/new/%u", scene->in, number);
	assert_int_equal(file_write_atomic(tmp, 0600, slice_of(text, sizeof(text) - 1)), 0);
	assert_int_equal(rename(tmp, path), 0);
}

/* ---- from the secure side ---- */

enum { AN_HOUR = 3600 };

static void a_message_is_taken_filed_and_receipted(void **state)
{
	struct scene *scene = *state;

	message_comes(scene, 1, clock_wall_s() + AN_HOUR);
	assert_int_equal(scene->client.taken, 0); /* not durable yet */
	LOOP_UNTIL(scene->base, scene->client.receipts);
	assert_int_equal(scene->client.taken, 1);
	assert_int_equal(scene->client.receipt, UMSG__RECEIPT_STATE__RECEIPT_DELIVERED);
	assert_int_equal(files_in(scene->out, "new"), 1);
}

static void many_messages_are_filed_in_batches(void **state)
{
	struct scene *scene = *state;

	for (uint8_t id = 1; id <= 100; id++)
		message_comes(scene, id, clock_wall_s() + AN_HOUR);
	LOOP_UNTIL(scene->base, scene->client.receipts == 100);
	assert_int_equal(scene->client.taken, 100);
	assert_int_equal(files_in(scene->out, "new"), 100);
}

/* Each delivery of it is taken, but it is one file and one receipt. */
static void a_repeat_is_taken_and_not_filed_again(void **state)
{
	struct scene *scene = *state;

	for (int i = 0; i < 3; i++)
		message_comes(scene, 1, clock_wall_s() + AN_HOUR);
	LOOP_UNTIL(scene->base, scene->client.taken == 3);
	LOOP_UNTIL(scene->base, scene->client.receipts);
	message_comes(scene, 1, clock_wall_s() + AN_HOUR);
	LOOP_UNTIL(scene->base, scene->client.taken == 4);
	assert_int_equal(scene->client.receipts, 1);
	assert_int_equal(files_in(scene->out, "new"), 1);
}

static void a_message_waits_for_its_mailbox(void **state)
{
	struct scene *scene = *state;
	char away[128];

	snprintf(away, sizeof(away), "%s.away", scene->out);
	assert_int_equal(rename(scene->out, away), 0);
	message_comes(scene, 1, clock_wall_s() + AN_HOUR);
	LOOP_UNTIL(scene->base, scene->client.taken);
	assert_int_equal(scene->client.receipts, 0);
	end(scene);
	begin(scene); /* without it, as well */
	assert_int_equal(scene->client.receipts, 0);
	assert_int_equal(rename(away, scene->out), 0);
	LOOP_UNTIL(scene->base, scene->client.receipts);
	assert_int_equal(scene->client.receipt, UMSG__RECEIPT_STATE__RECEIPT_DELIVERED);
	assert_int_equal(files_in(scene->out, "new"), 1);
}

static void a_message_past_its_end_is_not_filed(void **state)
{
	struct scene *scene = *state;

	message_comes(scene, 1, clock_wall_s() - 1);
	LOOP_UNTIL(scene->base, scene->client.receipts);
	assert_int_equal(scene->client.receipt, UMSG__RECEIPT_STATE__RECEIPT_EXPIRED);
	assert_int_equal(files_in(scene->out, "new"), 0);
}

/* ---- from a mailbox ---- */

static void many_files_are_sent_without_waiting_for_a_rescan(void **state)
{
	struct scene *scene = *state;
	int64_t begun_ms = clock_mono_ms();

	scene->client.answers = true;
	for (unsigned i = 0; i < 150; i++)
		drop_file(scene, i);
	LOOP_UNTIL(scene->base, scene->client.n_posted == 150 && !files_in(scene->in, "new"));
	assert_true(clock_mono_ms() - begun_ms < 9000); /* the rescan comes every ten seconds */
}

static void a_refused_file_is_moved_aside(void **state)
{
	struct scene *scene = *state;

	scene->client.answers = true;
	scene->client.answer = UMSG__ERROR_CODE__ERROR_NOT_FOUND;
	drop_file(scene, 1);
	LOOP_UNTIL(scene->base, files_in(scene->in, ".failed") == 2); /* and its reason */
	assert_int_equal(files_in(scene->in, "new"), 0);
}

/* "A file that cannot be sent is moved aside, never deleted": not after a restart either. */
static void a_refused_file_outlives_a_restart(void **state)
{
	struct scene *scene = *state;
	char failed[128], reason[128];

	snprintf(failed, sizeof(failed), "%s/.failed", scene->in);
	snprintf(reason, sizeof(reason), "%s/.failed/1.reason", scene->in);
	assert_int_equal(rmdir(failed), 0);
	assert_int_equal(file_write_atomic(failed, 0600, slice_str("in the way")), 0);
	scene->client.answers = true;
	scene->client.answer = UMSG__ERROR_CODE__ERROR_NOT_FOUND;
	drop_file(scene, 1);
	LOOP_UNTIL(scene->base, scene->client.n_answered);
	end(scene);
	assert_int_equal(unlink(failed), 0);
	assert_int_equal(mkdir(failed, 0770), 0);
	begin(scene);
	LOOP_UNTIL(scene->base, !files_in(scene->in, "new"));
	assert_int_equal(files_in(scene->in, ".failed"), 2);
	assert_int_equal(access(reason, F_OK), 0);
	assert_int_equal(scene->client.n_posted, 0);
}

static void a_sent_file_is_not_sent_again_after_a_restart(void **state)
{
	struct scene *scene = *state;

	drop_file(scene, 1);
	LOOP_UNTIL(scene->base, scene->client.n_posted == 1);
	end(scene);
	begin(scene);
	scene->client.answers = true;
	LOOP_UNTIL(scene->base, !files_in(scene->in, "new"));
	assert_int_equal(scene->client.n_posted, 1); /* the same octets, journaled before */
	assert_int_equal(scene->client.posted[0][0], 1);
}

static void what_can_never_be_posted_is_moved_aside(void **state)
{
	struct scene *scene = *state;

	scene->client.post_fails = -EBADMSG;
	drop_file(scene, 1);
	LOOP_UNTIL(scene->base, files_in(scene->in, ".failed") == 2);
}

static void a_mailbox_that_comes_late_is_read(void **state)
{
	struct scene *scene = *state;

	end(scene);
	remove_tree(scene->in);
	begin(scene);
	make_mailbox(scene->in);
	drop_file(scene, 1);
	LOOP_UNTIL(scene->base, scene->client.n_posted == 1);
}

#define SCENE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_message_is_taken_filed_and_receipted),
		SCENE_TEST(many_messages_are_filed_in_batches),
		SCENE_TEST(a_repeat_is_taken_and_not_filed_again),
		SCENE_TEST(a_message_waits_for_its_mailbox),
		SCENE_TEST(a_message_past_its_end_is_not_filed),
		SCENE_TEST(many_files_are_sent_without_waiting_for_a_rescan),
		SCENE_TEST(a_refused_file_is_moved_aside),
		SCENE_TEST(a_refused_file_outlives_a_restart),
		SCENE_TEST(a_sent_file_is_not_sent_again_after_a_restart),
		SCENE_TEST(what_can_never_be_posted_is_moved_aside),
		SCENE_TEST(a_mailbox_that_comes_late_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
