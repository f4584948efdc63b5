/* Reading cig.conf when memory runs out, at every allocation in turn: the linker gives
 * our code these allocators (--wrap, tests/gateway/config.mk).
 */
#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cig_config.h"
#include "maps/explain.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);

/* What the allocators cannot be handed: how many may still succeed; below 0, all. */
static long remaining = -1;

static bool fails(void)
{
	return remaining >= 0 && remaining-- == 0;
}

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *s)
{
	return fails() ? NULL : __real_strdup(s);
}

static const char text[] =
	"auth a { user \"u\"; password \"p\"; }\n"
	"map t { entry a tel \"tel:+8888;{x}\" sip \"sip:{x}@pbx.com\" auth a; }\n"
	"map s { entry b tel \"tel:+{x}\" sip \"sip:{x}@secure.com\"; }\n"
	"interfaces { tel { extension map t; rtp_remote_addr_override 1.1.1.1 2.2.2.2; "
	"crs_address \"h:1\"; trust_domain \"00112233445566778899aabbccddeeff\"; } sip { extension map s; trusted \"::/0\"; } }\n"
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

static void running_out_of_memory_anywhere_is_survived(void **state)
{
	bool ran_out = true;

	(void)state;
	for (long i = 0; ran_out; i++) {
		struct diag *diag = diag_new();
		const struct cig_config *config = NULL;
		int err;

		assert_true(i < 100000);
		remaining = i;
		err = cig_config_parse("cig.conf", slice_str(text), diag, &config);
		if (!err)
			use(config);
		ran_out = remaining < 0;
		remaining = -1;
		assert_true(err == 0 || err == -ENOMEM);
		assert_int_equal(config == NULL, err != 0);
		if (config)
			cig_config_release(&config);
		diag_free(&diag);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(running_out_of_memory_anywhere_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
