/* What crs-cli prints of answers: standard output goes to a file meanwhile. */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rendezvous/cli.h"
#include "tests/memory/scarce.h"

static const struct cli_column columns[] = {
	{ "name", "Name", false },
	{ "all", "All", false },
	{ "n", "Number", true },
	{ NULL, NULL, false },
};

/* Prints the array in text; returns the exit status. */
static int print(const char *text, char *out, size_t outsz, unsigned scarce, bool *failed_out)
{
	const struct cli cli = { .json = false };
	json_t *list = json_loads(text, 0, NULL);
	int was = dup(STDOUT_FILENO), status;
	FILE *file = tmpfile();
	size_t n;

	assert_non_null(list);
	assert_non_null(file);
	fflush(stdout);
	assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
	if (scarce)
		scarce_begin(scarce);
	status = cli_print(&cli, list, columns);
	if (scarce)
		*failed_out = scarce_end();
	fflush(stdout);
	assert_true(dup2(was, STDOUT_FILENO) >= 0);
	close(was);
	rewind(file);
	n = fread(out, 1, outsz - 1, file);
	out[n] = '\0';
	fclose(file);
	return status;
}

static void an_array_stands_in_a_cell_with_commas_between_its_texts(void **state)
{
	static const struct {
		const char *all, *cell;
	} cases[] = {
		{ "[\"a\", \"b\"]", "a,b" },
		{ "[]", "-" },
		{ "[null, \"b\"]", "b" },
		{ "[\"\", \"b\"]", ",b" },
		{ "[7, \"b\", {}]", "b" },
		{ "\"b\"", "b" },
		{ "\"\"", "-" },
		{ "null", "-" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char list[128], want[128], out[256];

		snprintf(list, sizeof(list), "[{\"name\": \"x\", \"all\": %s, \"n\": 5}]",
			 cases[i].all);
		snprintf(want, sizeof(want), "Name  All  Number\nx     %-3s       5\n",
			 cases[i].cell);
		assert_int_equal(print(list, out, sizeof(out), 0, NULL), CLI_OK);
		assert_string_equal(out, want);
	}
}

static void a_long_array_is_shown_to_its_end(void **state)
{
	char list[8192] = "[{\"all\": [", out[16384];
	size_t n = strlen(list);

	(void)state;
	for (int i = 0; i < 200; i++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "\"account-%03d\",", i);
	snprintf(list + n, sizeof(list) - n, "\"the last\"]}]");
	assert_int_equal(print(list, out, sizeof(out), 0, NULL), CLI_OK);
	assert_non_null(strstr(out, ",account-199,the last"));
}

/* A cell that is left out would move all behind it under another heading. */
static bool print_with_little(unsigned n, void *arg)
{
	char out[256];
	bool failed;
	int status = print("[{\"name\": \"x\", \"all\": [\"a\"], \"n\": 5}]", out, sizeof(out), n,
			   &failed);

	(void)arg;
	assert_int_equal(status, failed ? CLI_ERROR : CLI_OK);
	assert_string_equal(out, failed ? "" : "Name  All  Number\nx     a         5\n");
	return failed;
}

static void without_memory_no_half_table_is_shown(void **state)
{
	(void)state;
	assert_true(scarce_each(print_with_little, NULL) > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_array_stands_in_a_cell_with_commas_between_its_texts),
		cmocka_unit_test(a_long_array_is_shown_to_its_end),
		cmocka_unit_test(without_memory_no_half_table_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
