#include "tests/unit.h"

#include "tests/rendezvous/update_file.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "keys/account.h"
#include "keys/period.h"
#include "keys/update.h"
#include "tests/keys/sample.h"
#include "tests/rendezvous/scene.h"

void update_file_write(const char *path, const struct update_file *update)
{
	char first[] = "tel:+46700000001", *users[1] = { first };
	struct update_common common = { .users = users, .n_users = 1 };
	struct update_writer *writer = update_writer_new(
		SCENE_ACCOUNT, period_of(clock_wall_s()) + update->months_ahead, update->revision,
		(uint64_t)clock_wall_s() + update->revision, 0, &common);
	uint8_t update_key[UPDATE_KEY_SIZE] = { 1 }, *file = NULL;
	struct account_secret secret;
	size_t size = 0;

	assert_non_null(writer);
	for (size_t i = 0; i < update->n_users; i++) {
		struct update_entry entry = sample_entry(7);

		entry.generation = update->users[i].generation;
		assert_int_equal(
			update_writer_add(writer, update->users[i].uri, update_key, &entry), 0);
	}
	if (update->deleted)
		assert_int_equal(update_writer_tombstone(writer, update->deleted), 0);
	if (update->channel)
		assert_int_equal(update_writer_channel(writer, update->channel), 0);
	assert_int_equal(account_secret_from_text(slice_str(SCENE_SECRET), SCENE_ACCOUNT, &secret),
			 0);
	assert_int_equal(update_writer_finish(writer, &secret, &file, &size), 0);
	assert_int_equal(file_write_atomic(path, 0644, slice_of(file, size)), 0);
	free(file);
	update_writer_free(&writer);
}

int update_file_apply(const struct scene *scene, const struct update_file *update)
{
	char path[128], words[192], output[SCENE_OUTPUT];

	snprintf(path, sizeof(path), "%s/applied.upd", scene->root);
	snprintf(words, sizeof(words), "apply '%s'", path);
	update_file_write(path, update);
	return scene_cli(scene, words, output);
}
