/* maildir_scene.h - a mailbox in a directory of the test's own, and looks into it. */
#ifndef TESTS_MAILBOX_MAILDIR_SCENE_H
#define TESTS_MAILBOX_MAILDIR_SCENE_H

#include "tests/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "mailbox/maildir.h"
#include "tests/tools/remove_tree.h"

struct world {
	char dir[64], path[96];
	struct maildir *box;
	struct diag *diag;
};

static inline int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	umask(077); /* modes must not depend on it */
	snprintf(w->dir, sizeof(w->dir), "/tmp/maildir-test.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof(w->path), "%s/box", w->dir);
	w->diag = diag_new();
	assert_int_equal(maildir_create(w->path, getgid(), w->diag), 0);
	assert_int_equal(maildir_open(w->path, &w->box, w->diag), 0);
	*state = w;
	return 0;
}

static inline int teardown(void **state)
{
	struct world *w = *state;

	maildir_free(&w->box);
	diag_free(&w->diag);
	assert_int_equal(remove_tree(w->dir), 0);
	free(w);
	return 0;
}

/* The path of name in the mailbox; valid until the next call but three. */
static const char *in_box(const struct world *w, const char *name)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", w->path, name);
	return path;
}

static inline void put(const struct world *w, const char *name, const char *text)
{
	FILE *to = fopen(in_box(w, name), "w");

	assert_non_null(to);
	fputs(text, to);
	assert_int_equal(fclose(to), 0);
}

static inline bool there(const struct world *w, const char *name)
{
	return access(in_box(w, name), F_OK) == 0;
}

static inline void assert_holds(const struct world *w, const char *name, const char *text)
{
	char got[1024];
	FILE *from = fopen(in_box(w, name), "r");
	size_t n;

	assert_non_null(from);
	n = fread(got, 1, sizeof(got) - 1, from);
	got[n] = '\0';
	fclose(from);
	assert_string_equal(got, text);
}

static inline size_t count(const struct world *w, const char *folder)
{
	DIR *dir = opendir(in_box(w, folder));
	size_t n = 0;
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(dir);
	return n;
}

static inline void set_time(const struct world *w, const char *name, time_t s)
{
	struct timespec times[2] = { { .tv_sec = s }, { .tv_sec = s } };

	assert_int_equal(utimensat(AT_FDCWD, in_box(w, name), times, 0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
