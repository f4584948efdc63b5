/* cca's enrol: what of its words is understood.  Nothing is enrolled. */
#include "tests/unit.h"

#include <getopt.h>

#include "caller/cca.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(only_a_letter_and_its_key_are_taken) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
