/* cca's enrol: what of its words is understood, and what a letter in a file comes to: keys in the
 * store, or a reason. */
#include "tests/unit.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "caller/cca.h"
#include "keys/letter_text.h"
#include "tests/keys/world.h"
#include "tests/tools/inside.h"
#include "tests/tools/remove_tree.h"

static void only_a_letter_and_its_key_are_taken(void **state)
{
	static const struct {
		const char *argv[5];
		int status;
	} cases[] = {
		{ { "enrol", "/nowhere" }, CCA_FAILED }, /* understood; there is no such letter */
		{ { "enrol", "--qr-key", "KEY", "/nowhere" }, CCA_FAILED },
		{ { "enrol" }, CCA_USAGE },
		{ { "enrol", "a", "b" }, CCA_USAGE },
		{ { "enrol", "--qrkey", "/nowhere" }, CCA_USAGE },
		{ { "enrol", "/nowhere", "--what" }, CCA_USAGE },
		{ { "enrol", "/nowhere", "--qr-key" }, CCA_USAGE },
	};
	const struct cca_options options = { .store = "/nowhere" };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *argv[5] = { NULL };
		int argc = 0;

		for (; cases[i].argv[argc]; argc++)
			argv[argc] = (char *)cases[i].argv[argc];
		optind = 0; /* as main.c does */
		assert_int_equal(cca_enrol(&options, argc, argv), cases[i].status);
	}
}

/* ---- with keys ---- */

struct scene {
	struct world *world;
	char dir[64], store[96], letter[96];
	char output[INSIDE_OUTPUT];
};

/* inside_run() has no argument of the test's. */
static struct cca_options options;

static int enrol_main(int argc, char **argv)
{
	return cca_enrol(&options, argc, argv);
}

/* *state of the group is the world; a test's is a scene in it. */
static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	scene->world = *state;
	snprintf(scene->dir, sizeof(scene->dir), "/tmp/enrol-test.XXXXXX");
	assert_non_null(mkdtemp(scene->dir));
	snprintf(scene->store, sizeof(scene->store), "%s/new/store", scene->dir);
	snprintf(scene->letter, sizeof(scene->letter), "%s/letter", scene->dir);
	options = (struct cca_options){ .store = scene->store };
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;
	struct world *world = scene->world;

	assert_int_equal(remove_tree(scene->dir), 0);
	free(scene);
	*state = world;
	return 0;
}

/* The letter as its file has it, protected where qr_key is given. */
static void write_letter(const struct scene *scene, const struct letter *letter,
			 const uint8_t *qr_key)
{
	uint8_t plain[LETTER_OCTETS_MAX], sealed[LETTER_OCTETS_MAX];
	char text[LETTER_TEXT_MAX];
	size_t n;

	assert_int_equal(letter_encode(letter, plain, &n), 0);
	if (qr_key) {
		assert_int_equal(letter_protect(slice_of(plain, n), qr_key, sealed, &n), 0);
		memcpy(plain, sealed, n);
	}
	assert_int_equal(letter_text_write(slice_of(plain, n), text, sizeof(text)), 0);
	assert_int_equal(file_write_atomic(scene->letter, 0600, slice_str(text)), 0);
}

/* enrol with more options, or "". */
static int enrol(struct scene *scene, const char *more)
{
	char command[512];

	snprintf(command, sizeof(command), "enrol %s%s", more, scene->letter);
	return inside_run(enrol_main, command, scene->output);
}

static bool has_keys(const struct scene *scene)
{
	char path[160];

	return keystore_find(scene->store, path, sizeof(path), NULL) == 0;
}

/* CCA-001 */
static void a_letter_makes_the_store_with_its_folder(void **state)
{
	struct scene *scene = *state;
	struct letter letter = world_letter(scene->world, 1);
	char path[160], want[400];
	struct stat st;

	write_letter(scene, &letter, NULL);
	assert_int_equal(enrol(scene, ""), CCA_OK);
	assert_int_equal(keystore_path(scene->store, WORLD_URI, path, sizeof(path)), 0);
	snprintf(want, sizeof(want),
		 "enrolled uri=%s domain=\"%s\" rendezvous=crs.example.net:5223 store=%s\n",
		 WORLD_URI, letter.domain, path);
	assert_string_equal(scene->output, want);
	assert_int_equal(stat(scene->store, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700); /* keys are nobody else's to see */
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0077, 0);
}

static void somebody_elses_letter_is_not_put_over_the_keys_that_are_there(void **state)
{
	struct scene *scene = *state;
	struct letter letter = world_letter(scene->world, 1);
	char path[160];

	write_letter(scene, &letter, NULL);
	assert_int_equal(enrol(scene, ""), CCA_OK);
	SET_TEXT(letter.uri, "tel:+46700000009");
	world_issue(scene->world->master, letter.uri, letter.months[0].month,
		    letter.months[0].packed);
	write_letter(scene, &letter, NULL);
	assert_int_equal(enrol(scene, ""), CCA_FAILED);
	assert_non_null(strstr(scene->output, "cca: not enrolled: "));
	assert_int_equal(keystore_find(scene->store, path, sizeof(path), NULL), 0);
	assert_non_null(strstr(path, "46706764287"));
}

/* As enrol() takes it: the blanks of the key as "'". */
static void key_option(const uint8_t qr_key[LETTER_QR_KEY_SIZE],
		       char out[LETTER_QR_KEY_TEXT_SIZE + 16])
{
	char text[LETTER_QR_KEY_TEXT_SIZE];

	letter_qr_key_format(qr_key, text);
	for (char *at = text; (at = strchr(at, ' ')); at++)
		*at = '\'';
	snprintf(out, LETTER_QR_KEY_TEXT_SIZE + 16, "--qr-key %s ", text);
}

static void a_protected_letter_is_opened_by_its_key_alone(void **state)
{
	struct scene *scene = *state;
	struct letter letter = world_letter(scene->world, 1);
	static const uint8_t qr_key[LETTER_QR_KEY_SIZE] = { 7, 1, 2, 3 }, other[sizeof(qr_key)];
	char more[LETTER_QR_KEY_TEXT_SIZE + 16];

	write_letter(scene, &letter, qr_key);
	assert_int_equal(enrol(scene, ""), CCA_FAILED);
	assert_string_equal(scene->output, "cca: not enrolled: the letter is protected: give its "
					   "key with --qr-key\n");
	key_option(other, more);
	assert_int_equal(enrol(scene, more), CCA_FAILED);
	assert_int_equal(enrol(scene, "--qr-key key "), CCA_FAILED);
	assert_non_null(strstr(scene->output, "cca: not enrolled: "));
	assert_false(has_keys(scene));
	key_option(qr_key, more);
	assert_int_equal(enrol(scene, more), CCA_OK);
	assert_true(has_keys(scene));
	/* A key that was not needed does no harm. */
	write_letter(scene, &letter, NULL);
	assert_int_equal(enrol(scene, "--qr-key key "), CCA_OK);
}

static void what_is_no_letter_leaves_nothing(void **state)
{
	struct scene *scene = *state;
	struct letter letter = world_letter(scene->world, 1);

	assert_int_equal(file_write_atomic(scene->letter, 0600, slice_str("nothing\n")), 0);
	assert_int_equal(enrol(scene, ""), CCA_FAILED);
	assert_non_null(strstr(scene->output, "cca: not enrolled: "));
	/* Keys that are not of its domain. */
	letter.months[0].packed[3] ^= 1;
	write_letter(scene, &letter, NULL);
	assert_int_equal(enrol(scene, ""), CCA_FAILED);
	assert_non_null(strstr(scene->output, "cca: not enrolled: "));
	assert_false(has_keys(scene));
	/* A file where the store is to be. */
	letter.months[0].packed[3] ^= 1;
	write_letter(scene, &letter, NULL);
	options.store = scene->letter;
	assert_int_equal(enrol(scene, ""), CCA_FAILED);
	assert_non_null(strstr(scene->output, "Not a directory\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_letter_and_its_key_are_taken),
		cmocka_unit_test_setup_teardown(a_letter_makes_the_store_with_its_folder, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			somebody_elses_letter_is_not_put_over_the_keys_that_are_there, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(a_protected_letter_is_opened_by_its_key_alone,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_letter_leaves_nothing, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, world_make, world_end);
}
