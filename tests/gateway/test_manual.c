/* Every configuration example that the CIG manual prints, twice: as printed, with the
 * exact verdict, and repaired, with the mappings it must do (tests/manual/).
 */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "gateway/cig_config.h"
#include "maps/map.h"

static char *read_text(const char *name)
{
	const char *top = getenv("top_srcdir");
	uint8_t *data;
	size_t size;
	char path[512];

	snprintf(path, sizeof(path), "%s/tests/manual/%s", top ? top : ".", name);
	if (file_read(path, 1 << 20, &data, &size) < 0)
		fail_msg("cannot read %s", path);
	return (char *)data;
}

/* Parses tests/manual/NAME; *told_out is what diag printed (the caller frees). */
static int parse(const char *name, const struct cig_config **config_out, char **told_out)
{
	struct diag *diag = diag_new();
	char *text = read_text(name);
	size_t size;
	FILE *told = open_memstream(told_out, &size);
	int err = cig_config_parse(name, slice_str(text), diag, config_out);

	diag_print(diag, told);
	fclose(told);
	free(text);
	diag_free(&diag);
	return err;
}

/* E1 and E9, E13 are outlines with placeholders, E2, E3, E5, E10, E14 fragments. */
static const struct {
	const char *name;
	bool good;
} verdicts[] = {
	{ "E1-printed", false },  { "E1-repaired", true },  { "E2-printed", false },
	{ "E2-repaired", true },  { "E3-printed", false },  { "E3-repaired", true },
	{ "E4-printed", true },   { "E4-repaired", true },  { "E5-printed", false },
	{ "E5-repaired", true },  { "E6-printed", false },  { "E6-repaired", true },
	{ "E6a-printed", true },  { "E6a-repaired", true }, { "E6b-printed", false },
	{ "E7-printed", false },  { "E7-repaired", true },  { "E8-repaired", true },
	{ "E9-printed", false },  { "E9-repaired", true },  { "E10-printed", false },
	{ "E10-repaired", true }, { "E11-printed", false }, { "E11-repaired", true },
	{ "E12-printed", false }, { "E12-repaired", true }, { "E13-printed", false },
	{ "E13-repaired", true }, { "E14-printed", false }, { "E14-repaired", true },
};

/* I-01 (E6b), I-02 (E11), I-03, CIG-038, CIG-103: an undeclared map, swapped sides, missing ";",
 * braces and comment marks are told where they are missing */
static void gives_each_example_its_exact_verdict(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(verdicts); i++) {
		const struct cig_config *config = NULL;
		char name[64], *told, *want;
		int err;

		snprintf(name, sizeof(name), "%s.told", verdicts[i].name);
		want = read_text(name);
		snprintf(name, sizeof(name), "%s.conf", verdicts[i].name);
		err = parse(name, &config, &told);
		assert_string_equal(told, want);
		assert_int_equal(err, verdicts[i].good ? 0 : -EINVAL);
		assert_int_equal(config != NULL, verdicts[i].good);
		if (config)
			cig_config_release(&config);
		free(told);
		free(want);
	}
}

static const struct {
	const char *example, *map, *uri, *want;
} mappings[] = {
	/* CIG-025, CIG-026, CIG-029, CIG-030, CIG-031, CIG-032 */
	{ "E2", "x", "tel:+8888;1234", "sip:1234@pbx.com" },
	{ "E2", "x", "tel:+8888;", "sip:@pbx.com" },
	{ "E3", "x", "sip:77@pbx.com:5070;x=y", "tel:+8888;77" },
	{ "E3", "x", "tel:+8888;77", "sip:77@pbx.com" },
	{ "E5", "x", "tel:+8888;1234", "sip:1234@pbx.com" },
	/* CIG-034; I-04, E6c: the rule, not the text, which prints a 46 too many */
	{ "E6a", "mapsip2tel", "sip:94670123456@secure.com", "tel:+4670123456" },
	{ "E6a", "srctel2sip", "tel:+46701", "sip:46701@secure.com" },
	/* CIG-033, CIG-037: the elaborate example, comments and all */
	{ "E7", "maptel2sip", "tel:+8888;101", "sip:101@pbx.com" },
	{ "E7", "srcsip2tel", "sip:101@anything:5070;options", "tel:+8888;101" },
	{ "E7", "mapsip2tel", "sip:46701@anything", "tel:+46701" },
	{ "E7", "srctel2sip", "tel:+46701", "sip:46701@secure.com" },
	/* CIG-084: before the migration, sides swapped */
	{ "E11", "telmap", "tel:+8888;101", "sip:101@pbx.com" },
	{ "E11", "telsrc", "sip:456@x", "tel:+8888;456" },
	{ "E11", "sipsrc", "tel:+46701", "sip:46701@" },
	{ "E11", "sipmap", "sip:46701@secure.com", "tel:+46701" },
};

static const struct cig_config *repaired(const char *example)
{
	const struct cig_config *config = NULL;
	char name[64], *told;

	snprintf(name, sizeof(name), "%s-repaired.conf", example);
	assert_int_equal(parse(name, &config, &told), 0);
	free(told);
	return config;
}

static void repaired_examples_map_as_the_manual_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(mappings); i++) {
		const struct cig_config *config = repaired(mappings[i].example);
		const struct map *map = router_find_map(cig_config_router(config), mappings[i].map);
		struct map_result result;
		struct uri uri;

		assert_non_null(map);
		assert_int_equal(uri_parse(slice_str(mappings[i].uri), &uri, NULL), 0);
		assert_int_equal(map_apply(map, &uri, &result, NULL), 1);
		assert_string_equal(result.text, mappings[i].want);
		cig_config_release(&config);
	}
}

static const struct {
	const char *example;
	enum route_interface in;
	const char *to, *from, *new_to, *new_from;
} calls[] = {
	/* CIG-001, CIG-002, CIG-007, CIG-008, CIG-009 */
	{ "E6", ROUTE_SIP, "sip:94670123456@secure.com", "sip:101@pbx.com", "tel:+4670123456",
	  "tel:+8888;101" },
	{ "E6", ROUTE_TEL, "tel:+8888;101", "tel:+46701", "sip:101@pbx.com",
	  "sip:46701@secure.com" },
	{ "E6", ROUTE_TEL, "tel:+8888w101", "tel:+46701", "sip:101@pbx.com",
	  "sip:46701@secure.com" },
	{ "E7", ROUTE_TEL, "tel:+8888;101", "tel:+46701", "sip:101@pbx.com",
	  "sip:46701@secure.com" },
	{ "E7", ROUTE_SIP, "sip:46701@anything", "sip:101@any.where:5070;x", "tel:+46701",
	  "tel:+8888;101" },
	/* CIG-010 */
	{ "E6", ROUTE_SIP, "sip:84670123456@secure.com", "sip:101@pbx.com", NULL, NULL },
	{ "E6", ROUTE_SIP, "sip:94670123456@secure.com", "sip:101@other.com", NULL, NULL },
};

static void repaired_examples_route_calls(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(calls); i++) {
		const struct cig_config *config = repaired(calls[i].example);
		struct route_call call = { calls[i].in, slice_str(calls[i].to),
					   slice_str(calls[i].from) };
		struct route_answer answer;
		bool routed = router_route(cig_config_router(config), &call, &answer, NULL);

		assert_int_equal(routed, calls[i].new_to != NULL);
		if (routed) {
			assert_string_equal(answer.to, calls[i].new_to);
			assert_string_equal(answer.from, calls[i].new_from);
		}
		cig_config_release(&config);
	}
}

static const struct {
	const char *example, *map, *in, *want;
} translations[] = {
	/* CIG-060, CIG-092 */
	{ "E10", "x", "tel:+8888;12345", "12345@pbx.com" },
	{ "E14", "x", "tel:+8888;46761234567", "+46761234567" },
	/* CIG-084: after the migration */
	{ "E12", "telmap", "tel:+8888;101", "sip:101@pbx.com" },
	{ "E12", "telsrc", "sip:456@x", "tel:+8888;456" },
	{ "E12", "sipsrc", "tel:+46701", "sip:46701@" },
	{ "E12", "sipmap", "sip:46701@secure.com", "tel:+46701" },
};

static void repaired_examples_translate_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(translations); i++) {
		const struct cig_config *config = repaired(translations[i].example);
		char out[TRANSLATE_MAX_RESULT];

		assert_int_equal(
			translate_map_apply(cig_config_translate_map(config, translations[i].map),
					    slice_str(translations[i].in), out, sizeof(out), NULL),
			1);
		assert_string_equal(out, translations[i].want);
		cig_config_release(&config);
	}
}

/* CIG-063, CIG-064, CIG-067, CIG-068: the migrated mailboxes of E12, in both directions */
static void the_migrated_mailboxes_translate_both_ways(void **state)
{
	const struct cig_config *config = repaired("E12");
	struct cig_addresses addresses;
	struct cig_address_fault fault;

	(void)state;
	assert_int_equal(config->read_mailbox_count, 1);
	assert_string_equal(config->read_mailboxes[0].path, "/path/to/read/mailbox");
	assert_int_equal(cig_translate_inward(&config->read_mailboxes[0].maps,
					      slice_str("tel:+8888"), slice_str("sip:456@x"),
					      slice_str("sip:46701@secure.com"), &addresses, &fault,
					      NULL),
			 1);
	assert_string_equal(addresses.from, "tel:+8888;456");
	assert_string_equal(addresses.to, "tel:+46701");
	assert_int_equal(config->write_mailbox_count, 1);
	assert_int_equal(cig_translate_outward(&config->write_mailboxes[0].maps,
					       slice_str("tel:+46701"), slice_str("tel:+8888;101"),
					       &addresses, NULL),
			 1);
	assert_string_equal(addresses.from, "sip:46701@");
	assert_string_equal(addresses.to, "sip:101@pbx.com");
	cig_config_release(&config);
}

/* CIG-028: E4 and E5; CIG-045, CIG-046: E8 */
static void accounts_and_overrides_are_read(void **state)
{
	const struct cig_config *config = repaired("E5");
	const struct cig_account *account = cig_config_account(config, "pbxaccount1");

	(void)state;
	assert_non_null(account);
	assert_string_equal(account->user, "user-id");
	assert_string_equal(account->password, "password");
	cig_config_release(&config);
	config = repaired("E8");
	assert_int_equal(config->tel.common.override_count, 2);
	assert_string_equal(cig_config_override(&config->tel.common, "46.16.234.56"),
			    "192.168.1.15");
	assert_string_equal(cig_config_override(&config->tel.common, "46.16.235.34"),
			    "192.168.1.16");
	assert_string_equal(cig_config_override(&config->tel.common, "46.16.235.35"),
			    "46.16.235.35");
	cig_config_release(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_each_example_its_exact_verdict),
		cmocka_unit_test(repaired_examples_map_as_the_manual_says),
		cmocka_unit_test(repaired_examples_route_calls),
		cmocka_unit_test(repaired_examples_translate_addresses),
		cmocka_unit_test(the_migrated_mailboxes_translate_both_ways),
		cmocka_unit_test(accounts_and_overrides_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
