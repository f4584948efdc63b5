/* A remote administrator's connection at its worker: the parts of an update file, one request
 * at a time, and what becomes of both when somebody goes. */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fuzz/fake_clock.h"
#include "tests/fuzz/fake_link.h"
#include "tests/fuzz/fake_worker.h"

struct scene {
	struct worker *worker;
	struct client *client;
	char dir[64];
	/* The last answer. */
	unsigned answers;
	Umsg__ErrorCode error;
	char text[128];
	bool more;
};

static void on_sent(void *arg, struct link *link, struct slice octets)
{
	struct scene *scene = arg;
	Umsg__Frame *frame = NULL;

	(void)link;
	assert_int_equal(frame_decode(octets, FRAME_FROM_SERVER, &frame), 0);
	scene->answers++;
	if (frame->body_case == UMSG__FRAME__BODY_ADMIN_ANSWER) {
		scene->error = frame->admin_answer->error;
		scene->more = frame->admin_answer->more;
		snprintf(scene->text, sizeof(scene->text), "%s", frame->admin_answer->text);
	} else {
		assert_int_equal(frame->body_case, UMSG__FRAME__BODY_ERROR);
		scene->error = frame->error->code;
		snprintf(scene->text, sizeof(scene->text), "%s", frame->error->text);
	}
	frame_free(&frame);
}

static int open_scene(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	snprintf(scene->dir, sizeof(scene->dir), "/tmp/holder-admin-XXXXXX");
	assert_non_null(mkdtemp(scene->dir));
	fake_clock_reset();
	fake_link_on_sent(on_sent, scene);
	scene->worker = fake_worker_new();
	scene->worker->setup.run_dir = scene->dir;
	scene->worker->supervisor_up = true;
	scene->client = fake_worker_client(scene->worker, "", "", 0);
	scene->client->admin = fake_worker_copy(slice_str("bob"));
	*state = scene;
	return 0;
}

/* No upload outlives its connection: the folder is empty. */
static int close_scene(void **state)
{
	struct scene *scene = *state;
	int err;

	if (scene->client)
		client_end(scene->client, "gone");
	fake_worker_free(&scene->worker);
	err = rmdir(scene->dir);
	free(scene);
	return err;
}

static void request(struct scene *scene, Umsg__AdminAction action, uint32_t offset, size_t n,
		    bool last)
{
	static uint8_t zeros[FRAME_UPDATE_DATA];
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__AdminRequest body = UMSG__ADMIN_REQUEST__INIT;
	uint8_t *octets;
	size_t len;

	body.action = action;
	body.account = (char *)(uintptr_t)(action ? "acme" : "");
	body.offset = offset;
	body.data = frame_data(slice_of(zeros, n));
	body.last = last;
	frame.request = 7;
	frame.body_case = UMSG__FRAME__BODY_ADMIN_REQUEST;
	frame.admin_request = &body;
	assert_int_equal(frame_encode(&frame, &octets, &len), 0);
	client_admin_frame(scene->client, slice_of(octets, len));
	free(octets);
}

static void part(struct scene *scene, uint32_t offset, size_t n, bool last)
{
	request(scene, UMSG__ADMIN_ACTION__ADMIN_APPLY, offset, n, last);
}

static void assert_answered(struct scene *scene, Umsg__ErrorCode error, const char *text)
{
	assert_int_equal(scene->answers, 1);
	assert_int_equal(scene->error, error);
	assert_string_equal(scene->text, text);
	scene->answers = 0;
}

/* The supervisor was asked to apply a file of so many octets. */
static void assert_asked(struct scene *scene, size_t n)
{
	const CrsWorker__AdminAsk *ask = scene->worker->told->admin_ask;
	struct stat st;

	assert_int_equal(scene->answers, 0);
	assert_int_equal(scene->worker->told->body_case, CRS_WORKER__CONTROL__BODY_ADMIN_ASK);
	assert_string_equal(ask->admin, "bob");
	assert_int_equal(ask->connection, client_connection(scene->client));
	assert_int_equal(stat(ask->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, n);
}

static void supervisor_says(struct scene *scene, uint64_t connection, uint32_t error,
			    const char *text, bool more)
{
	CrsWorker__AdminReply reply = CRS_WORKER__ADMIN_REPLY__INIT;

	reply.connection = connection;
	reply.error = error;
	reply.text = (char *)(uintptr_t)text;
	reply.more = more;
	holder_admin_reply(scene->worker->holder, &reply);
}

/* The first part of several: the supervisor is asked whether they may come, and says yes. */
static void begin(struct scene *scene, size_t n)
{
	part(scene, 0, n, false);
	assert_int_equal(scene->answers, 0);
	assert_string_equal(scene->worker->told->admin_ask->path, "");
	assert_int_equal(scene->worker->told->admin_ask->action, UMSG__ADMIN_ACTION__ADMIN_APPLY);
	supervisor_says(scene, client_connection(scene->client), UMSG__ERROR_CODE__OK, "", false);
	assert_answered(scene, UMSG__ERROR_CODE__OK, "");
}

static void the_parts_of_a_file_are_put_together(void **state)
{
	struct scene *scene = *state;
	char path[128];

	begin(scene, FRAME_UPDATE_DATA);
	part(scene, FRAME_UPDATE_DATA, 50, false);
	assert_answered(scene, UMSG__ERROR_CODE__OK, "");
	part(scene, FRAME_UPDATE_DATA + 50, 50, true);
	assert_asked(scene, FRAME_UPDATE_DATA + 100);
	snprintf(path, sizeof(path), "%s", scene->worker->told->admin_ask->path);
	supervisor_says(scene, client_connection(scene->client), UMSG__ERROR_CODE__OK, "", false);
	assert_answered(scene, UMSG__ERROR_CODE__OK, "");
	assert_int_equal(access(path, F_OK), -1);
}

/* Nothing of his is kept: others need the room. */
static void who_may_not_apply_sends_no_second_part(void **state)
{
	struct scene *scene = *state;

	part(scene, 0, FRAME_UPDATE_DATA, false);
	part(scene, FRAME_UPDATE_DATA, 10, false); /* without waiting */
	assert_answered(scene, UMSG__ERROR_CODE__ERROR_BUSY, "one request at a time");
	supervisor_says(scene, client_connection(scene->client),
			UMSG__ERROR_CODE__ERROR_NOT_ALLOWED, "not authorized", false);
	assert_answered(scene, UMSG__ERROR_CODE__ERROR_NOT_ALLOWED, "not authorized");
	part(scene, FRAME_UPDATE_DATA, 10, false);
	assert_answered(scene, UMSG__ERROR_CODE__ERROR_MALFORMED, "begin with the first part");
	scene->worker->supervisor_up = false;
	part(scene, 0, 10, false);
	assert_answered(scene, UMSG__ERROR_CODE__ERROR_BUSY, "the server is busy");
	part(scene, 10, 10, false);
	assert_answered(scene, UMSG__ERROR_CODE__ERROR_MALFORMED, "begin with the first part");
}

static void a_part_that_does_not_follow_is_refused(void **state)
{
	struct scene *scene = *state;

	part(scene, 10, 10, false);
	assert_answered(scene, UMSG__ERROR_CODE__ERROR_MALFORMED, "begin with the first part");
	begin(scene, 10);
	part(scene, 5, 10, false);
	assert_answered(scene, UMSG__ERROR_CODE__ERROR_MALFORMED, "not the part that follows");
	part(scene, 20, 10, true);
	assert_answered(scene, UMSG__ERROR_CODE__ERROR_MALFORMED, "not the part that follows");
	part(scene, 10, 10, true); /* the file that was begun goes on */
	assert_asked(scene, 20);
}

static void a_first_part_begins_anew_and_another_request_forgets_the_file(void **state)
{
	struct scene *scene = *state;

	begin(scene, 1000);
	part(scene, 0, 10, true);
	assert_asked(scene, 10);
	supervisor_says(scene, client_connection(scene->client), UMSG__ERROR_CODE__OK, "", false);
	scene->answers = 0;
	begin(scene, 1000);
	request(scene, UMSG__ADMIN_ACTION__ADMIN_ACCOUNTS, 0, 0, false);
	assert_string_equal(scene->worker->told->admin_ask->path, "");
	supervisor_says(scene, client_connection(scene->client), UMSG__ERROR_CODE__OK, "", false);
	scene->answers = 0;
	part(scene, 1000, 10, true);
	assert_answered(scene, UMSG__ERROR_CODE__ERROR_MALFORMED, "begin with the first part");
}

static void one_request_at_a_time(void **state)
{
	struct scene *scene = *state;
	uint64_t own = client_connection(scene->client);

	request(scene, UMSG__ADMIN_ACTION__ADMIN_ACCOUNTS, 0, 0, false);
	request(scene, UMSG__ADMIN_ACTION__ADMIN_ACCOUNTS, 0, 0, false);
	assert_answered(scene, UMSG__ERROR_CODE__ERROR_BUSY, "one request at a time");
	supervisor_says(scene, own + 1, UMSG__ERROR_CODE__OK, "another's", false);
	assert_int_equal(scene->answers, 0);
	supervisor_says(scene, own, UMSG__ERROR_CODE__OK, "", true);
	assert_true(scene->more);
	assert_answered(scene, UMSG__ERROR_CODE__OK, "");
	request(scene, UMSG__ADMIN_ACTION__ADMIN_ACCOUNTS, 0, 0, false);
	assert_answered(scene, UMSG__ERROR_CODE__ERROR_BUSY, "one request at a time");
	supervisor_says(scene, own, UMSG__ERROR_CODE__ERROR_NOT_ALLOWED, "no", false);
	assert_answered(scene, UMSG__ERROR_CODE__ERROR_NOT_ALLOWED, "no");
	supervisor_says(scene, own, UMSG__ERROR_CODE__OK, "nobody asked", false);
	assert_int_equal(scene->answers, 0);
	request(scene, UMSG__ADMIN_ACTION__ADMIN_ACCOUNTS, 0, 0, false);
	assert_int_equal(scene->answers, 0);
}

static void without_a_supervisor_or_room_he_hears_so(void **state)
{
	struct scene *scene = *state;
	char nowhere[] = "/nowhere/at/all";

	scene->worker->supervisor_up = false;
	part(scene, 0, 10, true);
	assert_answered(scene, UMSG__ERROR_CODE__ERROR_BUSY, "the server is busy");
	scene->worker->supervisor_up = true;
	part(scene, 0, 10, true);
	assert_asked(scene, 10);
	supervisor_says(scene, client_connection(scene->client), UMSG__ERROR_CODE__OK, "", false);
	scene->answers = 0;
	scene->worker->setup.run_dir = nowhere;
	part(scene, 0, 10, false);
	assert_answered(scene, UMSG__ERROR_CODE__ERROR_MALFORMED, "no room for the file");
	scene->worker->setup.run_dir = scene->dir;
}

/* He has no URI: nothing that users may do is his. */
static void he_administers_and_nothing_else(void **state)
{
	struct scene *scene = *state;
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Lookup lookup = UMSG__LOOKUP__INIT;
	uint8_t *octets;
	size_t n;

	lookup.uri = (char *)(uintptr_t) "tel:+1";
	frame.request = 7;
	frame.body_case = UMSG__FRAME__BODY_LOOKUP;
	frame.lookup = &lookup;
	assert_int_equal(frame_encode(&frame, &octets, &n), 0);
	client_admin_frame(scene->client, slice_of(octets, n));
	free(octets);
	assert_answered(scene, UMSG__ERROR_CODE__ERROR_NOT_ALLOWED, "administrators administer");
	client_admin_frame(scene->client, slice_str("no frame"));
	assert_int_equal(scene->answers, 0);
	assert_true(fake_link_is_closing(scene->client->link));
}

/* close_scene() looks for what is left. */
static void who_goes_leaves_no_file_behind(void **state)
{
	struct scene *scene = *state;

	part(scene, 0, 1000, false);
	client_end(scene->client, "gone");
	scene->client = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define SCENE_TEST(test) cmocka_unit_test_setup_teardown(test, open_scene, close_scene)
		SCENE_TEST(the_parts_of_a_file_are_put_together),
		SCENE_TEST(who_may_not_apply_sends_no_second_part),
		SCENE_TEST(a_part_that_does_not_follow_is_refused),
		SCENE_TEST(a_first_part_begins_anew_and_another_request_forgets_the_file),
		SCENE_TEST(one_request_at_a_time),
		SCENE_TEST(without_a_supervisor_or_room_he_hears_so),
		SCENE_TEST(he_administers_and_nothing_else),
		SCENE_TEST(who_goes_leaves_no_file_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
