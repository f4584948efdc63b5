/* A real crs: what it tells the administrator's script, and its logs. */
#include "tests/unit.h"

#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "tests/rendezvous/scene.h"

static char *read_below(const struct scene *scene, const char *name)
{
	char path[128];
	uint8_t *text = NULL;
	size_t n = 0;

	snprintf(path, sizeof(path), "%s/%s", scene->root, name);
	return file_read(path, 1 << 20, &text, &n) ? NULL : (char *)text;
}

/* Waits until the file below the scene's folder holds text. */
static bool holds(struct scene *scene, const char *name, const char *text)
{
	int64_t until_ms = clock_mono_ms() + SCENE_PATIENCE_MS;
	bool found = false;

	while (!found && clock_mono_ms() < until_ms) {
		char *content = read_below(scene, name);

		found = content && strstr(content, text);
		free(content);
		if (!found)
			scene_run(scene);
	}
	return found;
}

static void make_script(const struct scene *scene, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/scripts/notify.d", scene->root);
	assert_int_equal(file_mkdirs(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/scripts/%s", scene->root, name);
	assert_int_equal(file_write_atomic(path, 0755, slice_str(text)), 0);
}

/* CRS-133: the script runs at every event, with the unit and what happened. */
static void every_event_runs_the_script(void **state)
{
	struct scene *scene = *state;

	make_script(scene, "notify.sh",
		    "#!/bin/sh\necho \"$1: $2\" >>\"$(dirname \"$0\")/told\"\n");
	scene_start(scene);
	scene_start_relay(scene);
	assert_true(holds(scene, "scripts/told", "started as crs1"));
	assert_true(holds(scene, "scripts/told", "crs_relay: connected"));
	kill(scene_process(scene, "redis_low"), SIGKILL);
	assert_true(holds(scene, "scripts/told", "redis_low: killed by signal 9"));
	kill(scene_process(scene, "app: worker-1"), SIGKILL);
	assert_true(holds(scene, "scripts/told", "crs: worker 1 was killed by signal 9"));
	scene_kill(&scene->relay);
	assert_true(holds(scene, "scripts/told", "crs_relay: connection lost"));
	assert_int_equal(scene_stop(&scene->crs), 0);
	assert_true(holds(scene, "scripts/told", "crs: stopped"));
}

/* CRS-134: the script that is shipped runs what an administrator put beside it. */
static void the_shipped_script_runs_what_was_added(void **state)
{
	struct scene *scene = *state;
	char path[512];
	uint8_t *text = NULL;
	size_t n = 0;

	assert_non_null(getenv("top_srcdir"));
	snprintf(path, sizeof(path), "%s/etc/notify.sh", getenv("top_srcdir"));
	assert_int_equal(file_read(path, 65536, &text, &n), 0);
	make_script(scene, "notify.sh", (const char *)text);
	free(text);
	make_script(scene, "notify.d/trap",
		    "#!/bin/sh\necho \"trap $1 $2\" >>\"$(dirname \"$0\")/../traps\"\n");
	scene_start(scene);
	assert_true(holds(scene, "scripts/traps", "trap crs crs 0."));
	assert_int_equal(scene_stop(&scene->crs), 0);
	assert_true(holds(scene, "scripts/traps", "trap crs stopped"));
}

/* CRS-130 and CRS-131, and I-18, no type beside the manual's: every line of crs.log; CRS-132: the
 * logs of both Redis. */
static void logs_have_the_manuals_form(void **state)
{
	static const char form[] = "^\\[[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z \\| "
				   "(DEBUG|INFO|WARN|INIT) \\| [a-z_0-9]+\\([0-9]+\\)\\] .+$";
	struct scene *scene = *state;
	char *log, *line, *rest;
	regex_t pattern;
	int lines = 0;

	scene_start(scene);
	assert_int_equal(scene_stop(&scene->crs), 0);
	log = read_below(scene, "log/crs.log");
	assert_non_null(log);
	assert_int_equal(regcomp(&pattern, form, REG_EXTENDED | REG_NOSUB), 0);
	for (line = strtok_r(log, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (regexec(&pattern, line, 0, NULL, 0))
			fail_msg("crs.log: %s", line);
		lines++;
	}
	assert_true(lines > 3);
	regfree(&pattern);
	free(log);
	assert_true(holds(scene, "log/redis_high.log", "Redis"));
	assert_true(holds(scene, "log/redis_low.log", "Redis"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_event_runs_the_script, scene_only_open,
						scene_tear_down),
		cmocka_unit_test_setup_teardown(the_shipped_script_runs_what_was_added,
						scene_only_open, scene_tear_down),
		cmocka_unit_test_setup_teardown(logs_have_the_manuals_form, scene_only_open,
						scene_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
