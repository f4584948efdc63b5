#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/notifier.h"

enum { PATIENCE_MS = 10000 };

struct scene {
	struct event_base *base;
	struct notifier *notifier;
	char folder[32], script[64], told[64];
};

/* A script that is run in a folder of its own, where it writes to "told". */
static void open_scene(struct scene *scene, const char *body, int limit_ms)
{
	char text[512];

	snprintf(scene->folder, sizeof(scene->folder), "/tmp/notifier-XXXXXX");
	assert_non_null(mkdtemp(scene->folder));
	snprintf(scene->script, sizeof(scene->script), "%s/notify.sh", scene->folder);
	snprintf(scene->told, sizeof(scene->told), "%s/told", scene->folder);
	snprintf(text, sizeof(text), "#!/bin/sh\ncd %s\n%s\n", scene->folder, body);
	if (*body)
		assert_int_equal(file_write_atomic(scene->script, 0755, slice_str(text)), 0);
	scene->base = event_base_new();
	scene->notifier = notifier_new(scene->base, scene->script, limit_ms);
	assert_non_null(scene->notifier);
}

static void close_scene(struct scene *scene)
{
	char command[64];

	notifier_free(&scene->notifier);
	event_base_free(scene->base);
	snprintf(command, sizeof(command), "rm -rf %s", scene->folder);
	assert_int_equal(system(command), 0);
}

static void assert_told(const struct scene *scene, const char *expected)
{
	uint8_t *text = NULL;
	size_t n = 0;

	assert_int_equal(file_read(scene->told, 65536, &text, &n), 0);
	assert_string_equal((const char *)text, expected);
	free(text);
}

static void events_are_told_in_order_with_nothing_else(void **state)
{
	struct scene scene;

	(void)state;
	setenv("SECRET", "yes", 1);
	open_scene(&scene, "echo \"$# $1 $2 ${SECRET-none}\" >>told", 0);
	notifier_init(scene.notifier, "crs", "started as %s", "crs1");
	notifier_warn(scene.notifier, "redis_low", "killed by signal %d; \"$(id)\"", 9);
	notifier_finish(scene.notifier, PATIENCE_MS);
	assert_told(&scene, "2 crs started as crs1 none\n"
			    "2 redis_low killed by signal 9; \"$(id)\" none\n");
	close_scene(&scene);
}

/* It holds up nobody, is ended with what it started, and the next event is told. */
static void a_script_that_hangs_is_ended(void **state)
{
	int64_t begun_ms = clock_mono_ms();
	struct scene scene;

	(void)state;
	open_scene(&scene, "echo $2 >>told; [ $2 = first ] && sleep 1000; true", 300);
	notifier_init(scene.notifier, "crs", "first");
	notifier_init(scene.notifier, "crs", "second");
	assert_true(clock_mono_ms() - begun_ms < 300);
	notifier_finish(scene.notifier, PATIENCE_MS);
	assert_told(&scene, "first\nsecond\n");
	close_scene(&scene);
}

static void what_the_queue_has_no_room_for_is_counted(void **state)
{
	struct scene scene;
	uint8_t *text = NULL;
	size_t n = 0;

	(void)state;
	open_scene(&scene, "echo \"$2\" >>told", 0);
	for (int i = 0; i < NOTIFIER_QUEUE + 6; i++)
		notifier_init(scene.notifier, "crs", "event %d", i);
	notifier_finish(scene.notifier, PATIENCE_MS);
	notifier_init(scene.notifier, "crs", "last");
	notifier_finish(scene.notifier, PATIENCE_MS);
	assert_int_equal(file_read(scene.told, 65536, &text, &n), 0);
	assert_non_null(strstr((const char *)text, "event 0\nevent 1\n"));
	assert_non_null(strstr((const char *)text, "\n5 events were not told\nlast\n"));
	free(text);
	close_scene(&scene);
}

static void without_a_script_nothing_happens(void **state)
{
	struct scene scene;

	(void)state;
	open_scene(&scene, "", 0);
	notifier_warn(scene.notifier, "crs", "event");
	notifier_finish(scene.notifier, PATIENCE_MS);
	notifier_warn(NULL, "crs", "to the log alone");
	close_scene(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_told_in_order_with_nothing_else),
		cmocka_unit_test(a_script_that_hangs_is_ended),
		cmocka_unit_test(what_the_queue_has_no_room_for_is_counted),
		cmocka_unit_test(without_a_script_nothing_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
