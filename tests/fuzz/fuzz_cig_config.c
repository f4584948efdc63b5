/* fuzz_cig_config.c - a cig.conf of any text: an object, or faults that say where; an object
 * prints, routes and translates without harm. */
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "gateway/cig_config.h"
#include "maps/explain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/* Of a secret nothing is ever printed but that it is there. */
static void line(void *arg, const char *text)
{
	(void)arg;
	expect(strchr(text, '\n') == NULL && strstr(text, "hush-hush") == NULL);
}

static void try_route(const struct cig_config *config, enum route_interface in, const char *to,
		      const char *from)
{
	struct route_call call = { in, slice_str(to), slice_str(from) };
	struct explain *explain = explain_new();
	struct route_answer answer;

	router_route(cig_config_router(config), &call, &answer, explain);
	expect(answer.routed == (answer.code == 0));
	explain_free(&explain);
}

static void try_texts(const struct cig_config *config)
{
	const struct slice own = slice_str("tel:+8888");
	struct cig_addresses addresses;
	struct cig_address_fault fault = { 0 };

	for (size_t i = 0; i < config->write_mailbox_count; i++)
		(void)cig_translate_outward(&config->write_mailboxes[i].maps,
					    slice_str("tel:+46701234567"),
					    slice_str("tel:+8888;101"), &addresses, NULL);
	for (size_t i = 0; i < config->read_mailbox_count; i++)
		if (cig_translate_inward(&config->read_mailboxes[i].maps, own,
					 slice_str("sip:101@pbx.example.com"),
					 slice_str("sip:46701234567@gw.example.com"), &addresses,
					 &fault, NULL) != 1)
			expect(fault.why != NULL);
}

static void use(const struct cig_config *config)
{
	char summary[512];

	cig_config_print(config, line, NULL);
	cig_config_summary(config, summary, sizeof(summary));
	try_route(config, ROUTE_TEL, "tel:+8888;101", "tel:+46701234567");
	try_route(config, ROUTE_SIP, "sip:946701234567@192.0.2.1", "sip:101@pbx.example.com");
	try_texts(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cig_config *config = NULL;
	struct diag *diag = diag_new();
	int err;

	if (size > 20000 || memmem(data, size, "include", 7) || memmem(data, size, "file", 4)) {
		diag_free(&diag);
		return 0; /* other files are not the input's */
	}
	err = cig_config_parse("fuzz", slice_of(data, size), diag, &config);
	expect((err == 0) == (config != NULL));
	expect(err == 0 || diag_errors(diag) > 0);
	if (config)
		use(config);
	cig_config_release(&config);
	diag_free(&diag);
	return 0;
}
