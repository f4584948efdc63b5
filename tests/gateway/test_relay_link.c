/* cig-server's connection to cig-relay, with a relay that is played: it is greeted, polled, and
 * given up when it is silent; calls go nowhere while it is down. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/channel_pack.h"
#include "base/log.h"
#include "base/pack.h"
#include "gateway/relay/load.h"
#include "gateway/relay_link.h"
#include "tests/tools/quick_timers.h"
#include "tests/umsg/loop.h"

struct scene {
	char dir[64], path[96];
	struct event_base *base;
	struct relay_link *link;
	/* the relay */
	int listener;
	struct event *calling;
	struct channel *channel;
	bool silent; /* answers no poll */
	unsigned hellos, version, polls, opens;
	/* what the link told */
	unsigned ups, downs, events;
	uint32_t capacity, opened_port;
	int sent_when_down; /* relay_link_send() within down() */
	char warning[256];  /* the last line of that type */
	unsigned lines;     /* of all types */
};

/* ---- the relay ---- */

static void say(struct scene *scene, Relay__Event *event)
{
	assert_non_null(scene->channel);
	assert_int_equal(channel_send_packed(scene->channel, &event->base), 0);
}

static void welcome(struct scene *scene)
{
	Relay__Event event = RELAY__EVENT__INIT;
	Relay__Welcome word = RELAY__WELCOME__INIT;

	word.version = 2;
	word.program = (char *)"cig-relay 9";
	word.capacity = 350;
	event.of_case = RELAY__EVENT__OF_WELCOME;
	event.welcome = &word;
	say(scene, &event);
}

static void tell_load(struct scene *scene, uint32_t complexity, const char *busy)
{
	Relay__Event event = RELAY__EVENT__INIT;
	Relay__Polled load = RELAY__POLLED__INIT;

	load.calls = 7;
	load.complexity = complexity;
	load.busy = (char *)(uintptr_t)busy;
	event.of_case = RELAY__EVENT__OF_POLLED;
	event.polled = &load;
	say(scene, &event);
}

static void on_command(void *arg, struct slice octets)
{
	struct scene *scene = arg;
	int err;
	Relay__Command *command = (Relay__Command *)(void *)pack_read(
		&relay__command__descriptor, octets, CHANNEL_MAX_UNPACKED, &err);

	assert_non_null(command);
	if (command->of_case == RELAY__COMMAND__OF_HELLO) {
		scene->hellos++;
		scene->version = command->hello->version;
		welcome(scene);
	} else if (command->of_case == RELAY__COMMAND__OF_POLL) {
		scene->polls++;
		if (!scene->silent)
			tell_load(scene, LOAD_COMPLEXITY_IDLE, "");
	} else {
		scene->opens += command->of_case == RELAY__COMMAND__OF_OPEN;
	}
	PACK_FREE(&command);
}

static void on_gone(void *arg, int err)
{
	struct scene *scene = arg;

	(void)err;
	channel_free(&scene->channel);
}

static void on_calling(evutil_socket_t fd, short what, void *arg)
{
	static const struct channel_ops ops = { on_command, on_gone };
	struct scene *scene = arg;
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)what;
	assert_true(peer >= 0);
	channel_free(&scene->channel);
	scene->channel = channel_new(scene->base, peer, 64, &ops, scene);
	assert_non_null(scene->channel);
	channel_gather(scene->channel);
}

static void relay_begins(struct scene *scene)
{
	scene->listener = channel_listen(scene->path, 0600);
	assert_true(scene->listener >= 0);
	scene->calling =
		event_new(scene->base, scene->listener, EV_READ | EV_PERSIST, on_calling, scene);
	event_add(scene->calling, NULL);
}

static void relay_ends(struct scene *scene)
{
	if (!scene->calling)
		return;
	channel_free(&scene->channel);
	event_free(scene->calling);
	scene->calling = NULL;
	close(scene->listener);
	unlink(scene->path);
}

/* ---- the owner of the link ---- */

static int send_open(struct scene *scene)
{
	Relay__Command command = RELAY__COMMAND__INIT;
	Relay__Open open = RELAY__OPEN__INIT;

	command.of_case = RELAY__COMMAND__OF_OPEN;
	command.open = &open;
	return relay_link_send(scene->link, &command);
}

static void on_up(void *arg, const Relay__Welcome *word)
{
	struct scene *scene = arg;

	scene->ups++;
	scene->capacity = word->capacity;
}

static void on_down(void *arg)
{
	struct scene *scene = arg;

	scene->downs++;
	scene->sent_when_down = send_open(scene);
}

static void on_event(void *arg, const Relay__Event *event)
{
	struct scene *scene = arg;

	assert_int_equal(event->of_case, RELAY__EVENT__OF_OPENED);
	scene->events++;
	scene->opened_port = event->opened->plain_port;
}

static void on_line(void *arg, enum log_type type, const char *module, const char *text)
{
	struct scene *scene = arg;

	(void)module;
	scene->lines++;
	if (type == LOG_TYPE_WARN)
		snprintf(scene->warning, sizeof(scene->warning), "%s", text);
}

static const struct relay_link_ops ops = { on_up, on_down, on_event };

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	snprintf(scene->dir, sizeof(scene->dir), "/tmp/relay-link.XXXXXX");
	assert_non_null(mkdtemp(scene->dir));
	snprintf(scene->path, sizeof(scene->path), "%s/cig-relay.sock", scene->dir);
	scene->base = quick_timers_base();
	log_set_tap(on_line, scene);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	relay_link_free(&scene->link);
	assert_null(scene->link);
	relay_ends(scene);
	log_set_tap(NULL, NULL);
	rmdir(scene->dir);
	event_base_free(scene->base);
	free(scene);
	return 0;
}

static void begin(struct scene *scene)
{
	assert_int_equal(relay_link_new(scene->base, scene->dir, &ops, scene, &scene->link), 0);
}

static void both_begin(struct scene *scene)
{
	relay_begins(scene);
	begin(scene);
	LOOP_UNTIL(scene->base, scene->ups == 1);
}

/* ---- tests ---- */

static void a_relay_is_greeted_and_up_when_it_answers(void **state)
{
	struct scene *scene = *state;

	relay_begins(scene);
	begin(scene);
	assert_false(relay_link_is_up(scene->link));
	assert_int_equal(send_open(scene), -EPIPE); /* connected, not greeted */
	LOOP_UNTIL(scene->base, scene->ups == 1);
	assert_int_equal(scene->hellos, 1);
	assert_int_equal(scene->version, 2);
	assert_int_equal(scene->capacity, 350);
	assert_true(relay_link_is_up(scene->link));
	assert_int_equal(relay_link_capacity(scene->link), 350);
	assert_string_equal(relay_link_program(scene->link), "cig-relay 9");
	assert_int_equal(send_open(scene), 0);
	LOOP_UNTIL(scene->base, scene->opens == 1);
}

/* The two are started in any order: one line says so, however long it takes. */
static void a_relay_that_is_not_there_yet_is_waited_for(void **state)
{
	struct scene *scene = *state;

	begin(scene);
	assert_int_equal(send_open(scene), -EPIPE);
	assert_non_null(strstr(scene->warning, "is not reachable at"));
	quick_timers_reset();
	LOOP_UNTIL(scene->base, quick_timers_had(250));
	relay_begins(scene);
	LOOP_UNTIL(scene->base, scene->ups == 1);
	assert_int_equal(scene->lines, 2); /* not reachable; connected */
	assert_int_equal(scene->downs, 0);
}

static void its_load_is_what_it_said_last(void **state)
{
	static const struct {
		uint32_t complexity;
		const char *busy;
		bool loaded;
	} cases[] = {
		{ LOAD_COMPLEXITY_IDLE, "", false },
		{ LOAD_COMPLEXITY_IDLE - 1, "", true }, /* it saves already */
		{ LOAD_COMPLEXITY_IDLE, "90% of a processor", true },
		{ LOAD_COMPLEXITY_IDLE, "", false },
	};
	struct scene *scene = *state;
	const Relay__Polled *load;

	scene->silent = true;
	both_begin(scene);
	assert_null(relay_link_load(scene->link));
	assert_false(relay_link_is_loaded(scene->link));
	for (size_t i = 0; i < COUNT(cases); i++) {
		tell_load(scene, cases[i].complexity, cases[i].busy);
		LOOP_UNTIL(scene->base, (load = relay_link_load(scene->link)) &&
						load->complexity == cases[i].complexity &&
						strcmp(load->busy, cases[i].busy) == 0);
		assert_int_equal(load->calls, 7);
		assert_int_equal(relay_link_is_loaded(scene->link), cases[i].loaded);
	}
	assert_non_null(strstr(scene->warning, "calls are refused: 90% of a processor"));
}

static void a_relay_that_answers_its_polls_stays(void **state)
{
	struct scene *scene = *state;

	both_begin(scene);
	LOOP_UNTIL(scene->base, scene->polls > 3 * RELAY_LINK_POLLS);
	assert_int_equal(scene->downs, 0);
	assert_int_equal(scene->hellos, 1);
	assert_non_null(relay_link_load(scene->link));
}

/* It hangs: its calls are over, nothing of it is shown any more, and it is tried again. */
static void a_silent_relay_is_given_up_after_five_polls(void **state)
{
	struct scene *scene = *state;

	both_begin(scene);
	LOOP_UNTIL(scene->base, relay_link_load(scene->link));
	scene->silent = true;
	scene->polls = 0;
	LOOP_UNTIL(scene->base, scene->downs == 1);
	assert_true(scene->polls <= RELAY_LINK_POLLS);
	assert_int_equal(scene->sent_when_down, -EPIPE);
	assert_false(relay_link_is_up(scene->link));
	assert_int_equal(relay_link_capacity(scene->link), 0);
	assert_string_equal(relay_link_program(scene->link), "");
	assert_null(relay_link_load(scene->link));
	assert_non_null(strstr(scene->warning, "it does not answer"));
	scene->silent = false;
	LOOP_UNTIL(scene->base, scene->ups == 2);
	assert_int_equal(scene->hellos, 2);
}

static void a_relay_that_dies_is_connected_to_again(void **state)
{
	struct scene *scene = *state;

	both_begin(scene);
	relay_ends(scene);
	LOOP_UNTIL(scene->base, scene->downs == 1);
	assert_int_equal(send_open(scene), -EPIPE);
	relay_begins(scene);
	LOOP_UNTIL(scene->base, scene->ups == 2);
	assert_int_equal(send_open(scene), 0);
	LOOP_UNTIL(scene->base, scene->opens == 1);
	assert_int_equal(scene->downs, 1);
}

static void events_of_calls_are_the_owners_and_garbage_is_nobodys(void **state)
{
	static const uint8_t garbage[] = { 0xff, 0xff, 0xff, 0xff, 0xff };
	struct scene *scene = *state;
	Relay__Event event = RELAY__EVENT__INIT;
	Relay__Opened opened = RELAY__OPENED__INIT;

	both_begin(scene);
	assert_int_equal(channel_send(scene->channel, slice_of(garbage, sizeof(garbage))), 0);
	opened.plain_port = 16384;
	event.of_case = RELAY__EVENT__OF_OPENED;
	event.opened = &opened;
	say(scene, &event);
	LOOP_UNTIL(scene->base, scene->events == 1);
	assert_int_equal(scene->opened_port, 16384);
	assert_int_equal(scene->downs, 0);
	assert_non_null(strstr(scene->warning, "5 octets that are no message"));
}

static void a_path_that_fits_no_socket_is_told_at_once(void **state)
{
	struct scene *scene = *state;
	char dir[128];

	memset(dir, 'd', sizeof(dir) - 1);
	dir[sizeof(dir) - 1] = '\0';
	assert_int_equal(relay_link_new(scene->base, dir, &ops, scene, &scene->link),
			 -ENAMETOOLONG);
	assert_null(scene->link);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_relay_is_greeted_and_up_when_it_answers),
		TEST(a_relay_that_is_not_there_yet_is_waited_for),
		TEST(its_load_is_what_it_said_last),
		TEST(a_relay_that_answers_its_polls_stays),
		TEST(a_silent_relay_is_given_up_after_five_polls),
		TEST(a_relay_that_dies_is_connected_to_again),
		TEST(events_of_calls_are_the_owners_and_garbage_is_nobodys),
		TEST(a_path_that_fits_no_socket_is_told_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
