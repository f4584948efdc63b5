#include "tests/gateway/text_scene.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/file.h"
#include "mailbox/maildir.h"

static const char alice[] = "tel:+46701234567";

enum umsg_state umsg_client_state(const struct umsg_client *client)
{
	return client->state;
}

int umsg_client_known(const struct umsg_client *client, const char *uri)
{
	assert_string_equal(uri, alice);
	return client->domain;
}

int umsg_client_lookup(struct umsg_client *client, const char *uri)
{
	assert_string_equal(uri, alice);
	client->lookups++;
	return client->state == UMSG_ATTACHED ? 0 : -ENOTCONN;
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
	memset(sealed_out->id, (int)++client->next_id, sizeof(sealed_out->id));
	sealed_out->id[1] = (uint8_t)(client->next_id >> 8); /* one of its own for each of many */
	sealed_out->n = UMSG_ID_SIZE;
	sealed_out->octets = malloc(sealed_out->n);
	assert_non_null(sealed_out->octets);
	memcpy(sealed_out->octets, sealed_out->id, sealed_out->n);
	return 0;
}

int umsg_client_seal(struct umsg_client *client, const char *to, const Umsg__TextBody *body,
		     int64_t end_s, struct umsg_sealed *sealed_out)
{
	(void)end_s;
	assert_string_equal(to, alice);
	snprintf(client->sealed, sizeof(client->sealed), "%s", body->text);
	return client->seal_fails ? client->seal_fails : seal(client, sealed_out);
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
	return client->receipt_fails ? client->receipt_fails : seal(client, sealed_out);
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
			       client->answer ? "no such user" : "", client->answer_again_s);
}

/* ---- the scene ---- */

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
	" read { path \"%1$s/second\"; map_from translate_map mail2extensions;"
	" map_to translate_map mail2users; }\n"
	" read { path \"%1$s/in\"; map_from translate_map mail2extensions;"
	" map_to translate_map mail2users; }\n"
	"}\n"
	"userdata \"%1$s\"; log_dir \"%1$s\"; run_dir \"%1$s\";\n";

static void on_broken(void *arg)
{
	struct scene *scene = arg;

	assert_true(scene->may_break);
	scene->broken++;
}

static const struct texts_ops ops = { on_broken };

void scene_begin(struct scene *scene)
{
	struct umsg_client *client = &scene->client;

	*client = (struct umsg_client){ .state = UMSG_ATTACHED, .next_id = client->next_id };
	scene->base = event_base_new();
	client->soon = event_new(scene->base, -1, 0, on_soon, client);
	assert_int_equal(texts_new(scene->base, scene->config, &ops, scene, &scene->texts, NULL),
			 0);
	client->texts = scene->texts;
	texts_set_client(scene->texts, client, "tel:+8888");
	texts_attached(scene->texts);
}

void scene_end(struct scene *scene)
{
	texts_free(&scene->texts);
	assert_null(scene->texts);
	event_free(scene->client.soon);
	event_base_free(scene->base);
}

void scene_make_mailbox(const char *path)
{
	assert_int_equal(maildir_create(path, getgid(), NULL), 0);
}

int scene_set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct diag *diag = diag_new();
	char text[4096];

	assert_non_null(scene);
	snprintf(scene->root, sizeof(scene->root), "/tmp/texts-test.XXXXXX");
	assert_non_null(mkdtemp(scene->root));
	snprintf(scene->in, sizeof(scene->in), "%s/in", scene->root);
	snprintf(scene->second, sizeof(scene->second), "%s/second", scene->root);
	snprintf(scene->out, sizeof(scene->out), "%s/out", scene->root);
	scene_make_mailbox(scene->in);
	scene_make_mailbox(scene->second);
	scene_make_mailbox(scene->out);
	snprintf(text, sizeof(text), config_text, scene->root);
	if (cig_config_parse("test", slice_str(text), diag, &scene->config))
		fail_msg("%s", diag_first_error(diag));
	diag_free(&diag);
	scene_begin(scene);
	*state = scene;
	return 0;
}

void scene_remove_tree(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char inner[512];

	while (dir && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		if (unlink(inner))
			scene_remove_tree(inner);
	}
	if (dir)
		closedir(dir);
	rmdir(path);
}

int scene_tear_down(void **state)
{
	struct scene *scene = *state;

	scene_end(scene);
	cig_config_release(&scene->config);
	scene_remove_tree(scene->root);
	free(scene);
	return 0;
}

unsigned scene_files_in(const char *box, const char *folder)
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

static void limit_files(rlim_t size, bool full)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = full ? size : limit.rlim_max;
	signal(SIGXFSZ, full ? SIG_IGN : SIG_DFL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

void scene_leave_room(struct scene *scene, unsigned octets)
{
	struct stat st;
	char path[160];

	snprintf(path, sizeof(path), "%s/messages.journal", scene->root);
	assert_int_equal(stat(path, &st), 0);
	limit_files((rlim_t)st.st_size + octets, true);
}

void scene_fill_disk(struct scene *scene, bool full)
{
	if (full)
		scene_leave_room(scene, 0);
	else
		limit_files(0, false);
}

void scene_message_comes(struct scene *scene, uint8_t id, int64_t end_s)
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

void scene_drop_file(struct scene *scene, unsigned number)
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
