/* journal_scene.h - a journal in a directory of the test's own. */
#ifndef TESTS_MAILBOX_JOURNAL_SCENE_H
#define TESTS_MAILBOX_JOURNAL_SCENE_H

#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/file.h"
#include "mailbox/crc32c.h"
#include "mailbox/journal.h"

enum { NOW = 1000, END = 2000 };
enum { DELIVERED = 1, FAILED = 2 }; /* states */

struct world {
	char dir[64], path[96];
	struct journal *journal;
	struct diag *diag;
};

static inline int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	snprintf(w->dir, sizeof(w->dir), "/tmp/journal-test.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof(w->path), "%s/journal", w->dir);
	w->diag = diag_new();
	*state = w;
	return 0;
}

static inline int teardown(void **state)
{
	static const char *const suffixes[] = { "", ".lock", ".torn", ".new" };
	struct world *w = *state;

	journal_free(&w->journal);
	for (size_t i = 0; i < COUNT(suffixes); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s%s", w->path, suffixes[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(w->dir), 0);
	diag_free(&w->diag);
	free(w);
	return 0;
}

static inline void open_at(struct world *w, int64_t now_s)
{
	journal_free(&w->journal);
	assert_int_equal(journal_open(w->path, now_s, &w->journal, w->diag), 0);
}

static inline struct journal_key key_of(unsigned i)
{
	struct journal_key key = { .kind = (uint8_t)(i % 3) };

	memcpy(key.id, &i, sizeof(i));
	return key;
}

static inline int put(struct world *w, unsigned i, size_t destinations, const char *payload)
{
	struct journal_key key = key_of(i);

	return journal_put(w->journal, &key, END, destinations, slice_str(payload));
}

static inline bool holds(struct world *w, unsigned i, const char *payload)
{
	struct journal_key key = key_of(i);
	uint8_t *data;
	bool same;
	size_t n;

	if (journal_payload(w->journal, &key, &data, &n) < 0)
		return false;
	same = n == strlen(payload) && memcmp(data, payload, n) == 0;
	free(data);
	return same;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
