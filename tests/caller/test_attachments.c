/* Files that cca sends and writes: what a sender calls them chooses no path. */
#include "tests/unit.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/file.h"
#include "caller/attachments.h"

struct place {
	char dir[64], file[96];
};

static int make_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	snprintf(place->dir, sizeof(place->dir), "/tmp/attachments-XXXXXX");
	*state = place;
	if (!mkdtemp(place->dir))
		return -1;
	snprintf(place->file, sizeof(place->file), "%s/a picture.png", place->dir);
	return file_write_atomic(place->file, 0600, slice_str("octets"));
}

static int drop_place(void **state)
{
	struct place *place = *state;
	int err;

	unlink(place->file);
	err = rmdir(place->dir); /* nothing but what the tests took away */
	free(place);
	return err;
}

static void a_file_goes_under_its_last_name(void **state)
{
	struct place *place = *state;
	struct attachments files = { .n = 0 };

	assert_int_equal(attachments_add(&files, place->file, NULL), 0);
	assert_int_equal(files.n, 1);
	assert_string_equal(files.list[0]->name, "a picture.png");
	assert_string_equal(files.list[0]->type, "application/octet-stream");
	assert_true(slice_eq_str(slice_of(files.list[0]->data.data, files.list[0]->data.len),
				 "octets"));
	attachments_clear(&files);
	assert_int_equal(files.n, 0);
}

static void what_cannot_be_read_and_one_too_many_are_told(void **state)
{
	struct place *place = *state;
	struct attachments files = { .n = 0 };
	struct diag *diag = diag_new();
	char path[128];

	snprintf(path, sizeof(path), "%s/none", place->dir);
	assert_int_equal(attachments_add(&files, path, diag), -ENOENT);
	assert_non_null(strstr(diag_first_error(diag), path));
	assert_int_equal(files.n, 0);
	for (int i = 0; i < ATTACHMENTS_MAX; i++)
		assert_int_equal(attachments_add(&files, place->file, diag), 0);
	assert_int_equal(attachments_add(&files, place->file, diag), -E2BIG);
	assert_int_equal(files.n, ATTACHMENTS_MAX);
	assert_int_equal(diag_errors(diag), 2);
	attachments_clear(&files);
	diag_free(&diag);
}

/* Whatever name came with it, the file lies in the folder that the user named. */
static void what_comes_is_written_under_the_messages_id(void **state)
{
	static const char *const names[] = { "../../etc/passwd", "/etc/passwd", "", ".", "a\nb" };
	struct place *place = *state;
	Umsg__Attachment attachment = UMSG__ATTACHMENT__INIT, *list[] = { &attachment };
	Umsg__TextBody body = UMSG__TEXT_BODY__INIT;
	struct umsg_message message = { .id = { 0xab, 0xcd }, .body = &body };
	char path[PATH_MAX], want[160];
	struct stat st;

	body.attachments = list;
	body.n_attachments = 1;
	attachment.data.data = (uint8_t *)(uintptr_t) "octets";
	attachment.data.len = 6;
	snprintf(want, sizeof(want), "%s/abcd0000000000000000000000000000.0", place->dir);
	for (size_t i = 0; i < COUNT(names); i++) {
		attachment.name = (char *)(uintptr_t)names[i];
		assert_int_equal(attachment_save(place->dir, &message, 0, path), 0);
		assert_string_equal(path, want);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		assert_int_equal(st.st_size, 6);
	}
	unlink(path);
}

static void a_folder_that_is_not_there_or_too_long_is_an_error(void **state)
{
	static char long_dir[PATH_MAX];
	Umsg__Attachment attachment = UMSG__ATTACHMENT__INIT, *list[] = { &attachment };
	Umsg__TextBody body = UMSG__TEXT_BODY__INIT;
	struct umsg_message message = { .body = &body };
	char path[PATH_MAX];

	(void)state;
	body.attachments = list;
	body.n_attachments = 1;
	memset(long_dir, 'd', sizeof(long_dir) - 1);
	assert_int_equal(attachment_save("/nowhere/at/all", &message, 0, path), -ENOENT);
	assert_int_equal(attachment_save(long_dir, &message, 0, path), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_goes_under_its_last_name),
		cmocka_unit_test(what_cannot_be_read_and_one_too_many_are_told),
		cmocka_unit_test(what_comes_is_written_under_the_messages_id),
		cmocka_unit_test(a_folder_that_is_not_there_or_too_long_is_an_error),
	};

	return cmocka_run_group_tests(tests, make_place, drop_place);
}
