/* Reading cig.conf when memory runs out, at every allocation in turn. */
#include "tests/unit.h"

#include <errno.h>

#include "gateway/cig_config.h"
#include "maps/explain.h"
#include "tests/memory/scarce.h"

static const char text[] =
	"auth a { user \"u\"; password \"p\"; }\n"
	"map t { entry a tel \"tel:+8888;{x}\" sip \"sip:{x}@pbx.com\" auth a; }\n"
	"map s { entry b tel \"tel:+{x}\" sip \"sip:{x}@secure.com\"; }\n"
	"interfaces { tel { extension map t; rtp_remote_addr_override 1.1.1.1 2.2.2.2; "
	"crs_address \"h:1\"; trust_domain \"00112233445566778899aabbccddeeff\"; } sip { extension "
	"map s; trusted \"::/0\"; } }\n"
	"translate_map m { rule match \"{x}\" translation \"{x}\"; rule match \"{x}\" translation "
	"\"\"; }\n"
	"mailboxes { read { path \"/r\"; map_from translate_map m; map_to translate_map m; } }\n"
	"message_centers { smpp { hostname \"h\"; port 1; user \"u\"; password \"p\"; } }\n"
	"userdata \"/u\";";

static void use(const struct cig_config *config)
{
	struct route_call call = { ROUTE_TEL, slice_str("tel:+8888;1"), slice_str("tel:+46") };
	struct explain *explain = explain_new();
	struct route_answer answer;

	assert_true(router_route(cig_config_router(config), &call, &answer, explain));
	explain_free(&explain);
}

static bool read_it(unsigned n, void *arg)
{
	struct diag *diag = diag_new();
	const struct cig_config *config = NULL;
	bool ran_out;
	int err;

	(void)arg;
	scarce_begin(n);
	err = cig_config_parse("cig.conf", slice_str(text), diag, &config);
	if (!err)
		use(config);
	ran_out = scarce_end();
	assert_true(err == 0 || err == -ENOMEM);
	assert_int_equal(config == NULL, err != 0);
	if (config)
		cig_config_release(&config);
	diag_free(&diag);
	return ran_out;
}

static void running_out_of_memory_anywhere_is_survived(void **state)
{
	(void)state;
	assert_true(scarce_each(read_it, NULL) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(running_out_of_memory_anywhere_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
