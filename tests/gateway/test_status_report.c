/* What is wrong with a gateway, in words, as its status tells it: each part that is missing or ill
 * is named, and one that is well is not. */
#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/calls.h"
#include "gateway/cig_config.h"
#include "gateway/control_api.h"
#include "gateway/pbxs.h"
#include "gateway/secure_side.h"
#include "gateway/status_report.h"
#include "gateway/texts.h"
#include "gateway/texts_smpp.h"

/* ---- the parts, as the test has them ---- */

struct umsg_client {
	enum umsg_state state;
};

struct relay_link {
	bool up;
	Relay__Polled load; /* told once it is up */
};

struct sip_link {
	bool ready;
	SipAgent__Counters counters;
};

struct calls {
	struct calls_world world;
	struct cig_config config;
	unsigned active;
};

/* Reports that are JSON in the first place. */
struct pbxs {
	const char *report;
};
struct texts {
	const char *report;
};
struct texts_smpp {
	const char *report;
};

static json_t *parsed(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	return json;
}

json_t *pbxs_report(const struct pbxs *pbxs)
{
	return parsed(pbxs->report);
}

json_t *texts_report(const struct texts *texts)
{
	return parsed(texts->report);
}

json_t *texts_smpp_report(const struct texts_smpp *smpp)
{
	return parsed(smpp->report);
}

json_t *secure_side_report(const struct secure_side *side)
{
	(void)side;
	return json_object();
}

struct calls_world *calls_world(struct calls *calls)
{
	return &calls->world;
}

const struct cig_config *calls_config(const struct calls *calls)
{
	return &calls->config;
}

unsigned calls_active(const struct calls *calls)
{
	return calls->active;
}

enum umsg_state umsg_client_state(const struct umsg_client *client)
{
	return client->state;
}

bool relay_link_is_up(const struct relay_link *link)
{
	return link->up;
}

const Relay__Polled *relay_link_load(const struct relay_link *link)
{
	return link->up ? &link->load : NULL;
}

unsigned relay_link_capacity(const struct relay_link *link)
{
	(void)link;
	return 200;
}

const char *relay_link_program(const struct relay_link *link)
{
	(void)link;
	return "cig-relay 1.2";
}

bool sip_link_is_ready(const struct sip_link *link)
{
	return link->ready;
}

const char *sip_link_address(const struct sip_link *link)
{
	(void)link;
	return "127.0.0.1:5060";
}

const SipAgent__Counters *sip_link_counters(const struct sip_link *link)
{
	return link->ready ? &link->counters : NULL;
}

void cig_config_summary(const struct cig_config *config, char *out, size_t outsz)
{
	(void)config;
	snprintf(out, outsz, "2 maps");
}

void cig_config_digest(const struct cig_config *config, char out[CIG_DIGEST_SIZE])
{
	(void)config;
	snprintf(out, CIG_DIGEST_SIZE, "abc");
}

/* ---- the gateway ---- */

#define NO_TEXTS "{\"journal\":\"\",\"mailboxes\":[]}"

struct gateway {
	struct umsg_client client;
	struct relay_link relay;
	struct sip_link sip;
	struct calls calls;
	struct pbxs pbxs;
	struct texts texts;
	struct texts_smpp smpp;
};

/* All is well. */
static struct gateway sound(void)
{
	struct gateway g = {
		.client.state = UMSG_ATTACHED,
		.relay = { .up = true, .load = RELAY__POLLED__INIT },
		.sip = { .ready = true, .counters = SIP_AGENT__COUNTERS__INIT },
		.calls = { .world.engines = 8, .active = 3, .config.path = "/etc/cig.conf" },
		.pbxs.report = "[{\"name\":\"acme\",\"state\":\"UP\",\"why\":\"\","
			       "\"registration\":{\"state\":\"REGISTERED\"}}]",
		.texts.report =
			"{\"journal\":\"\",\"mailboxes\":[{\"path\":\"/m\",\"reason\":\"\"}]}",
		.smpp.report = "[{\"name\":\"smsc\",\"why\":\"\"}]",
	};

	return g;
}

static json_t *report(struct gateway *g, bool keys)
{
	const struct control_api_parts parts = { .calls = &g->calls,
						 .relay = &g->relay,
						 .sip = &g->sip,
						 .pbxs = &g->pbxs,
						 .texts = &g->texts,
						 .smpp = &g->smpp };
	json_t *status;

	g->calls.world.umsg = keys ? &g->client : NULL;
	status = status_report(&parts);
	assert_non_null(status);
	return status;
}

/* The problems are these: lines, NULL behind the last. */
static void expect_problems(struct gateway *g, bool keys, const char *const *want)
{
	json_t *status = report(g, keys), *problem;
	size_t i, n = 0;

	while (want[n])
		n++;
	json_array_foreach(json_object_get(status, "problems"), i, problem)
	{
		if (i < n)
			assert_string_equal(json_string_value(problem), want[i]);
		else
			fail_msg("\"%s\" is no problem", json_string_value(problem));
	}
	assert_int_equal(i, n);
	json_decref(status);
}

static void a_sound_gateway_has_no_problem(void **state)
{
	struct gateway g = sound();

	(void)state;
	expect_problems(&g, true, (const char *const[]){ NULL });
}

/* In the order in which they are to be mended. */
static void every_part_that_is_missing_is_named(void **state)
{
	struct gateway g = sound();

	(void)state;
	expect_problems(&g, false,
			(const char *const[]){ "no keys: run \"cig-cli set-key\"", NULL });
	g.client.state = UMSG_CONNECTING;
	expect_problems(&g, true, (const char *const[]){ "not attached to the rendezvous", NULL });
	g = sound();
	g.relay.up = false;
	expect_problems(&g, true, (const char *const[]){ "cig-relay is not connected", NULL });
	g.sip.ready = false;
	expect_problems(&g, false,
			(const char *const[]){ "no keys: run \"cig-cli set-key\"",
					       "cig-relay is not connected",
					       "cig-sip is not running", NULL });
	g = sound();
	g.relay.load.busy = (char *)"the processor is busy";
	expect_problems(&g, true,
			(const char *const[]){ "calls are refused: the processor is busy", NULL });
}

static void what_ails_pbxs_texts_and_centers_is_told_with_their_names(void **state)
{
	static const struct {
		const char *pbxs, *texts, *centers, *problem;
	} cases[] = {
		{ "[{\"name\":\"acme\",\"state\":\"DOWN\",\"why\":\"lookup failed\"}]", NO_TEXTS,
		  "[]", "pbx acme: no server answers" },
		{ "[{\"name\":\"acme\",\"state\":\"UP\",\"why\":\"\","
		  "\"registration\":{\"state\":\"REFUSED\"}}]",
		  NO_TEXTS, "[]", "pbx acme: the registration is refused" },
		{ "[{\"name\":\"acme\",\"state\":\"UNKNOWN\",\"why\":\"no such name\"}]", NO_TEXTS,
		  "[]", "pbx acme: no such name" },
		/* One that was never asked may well be there. */
		{ "[{\"name\":\"acme\",\"state\":\"UNKNOWN\",\"why\":\"\"}]", NO_TEXTS, "[]",
		  NULL },
		{ "[]", "{\"journal\":\"disk full\",\"mailboxes\":[]}", "[]",
		  "messages are left at the rendezvous: disk full" },
		{ "[]",
		  "{\"journal\":\"\",\"mailboxes\":[{\"path\":\"/a\",\"reason\":\"\"},"
		  "{\"path\":\"/b\",\"reason\":\"no such folder\"}]}",
		  "[]", "mailbox /b: no such folder" },
		{ "[]", NO_TEXTS, "[{\"name\":\"smsc\",\"why\":\"wrong password\"}]",
		  "message center smsc: wrong password" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct gateway g = sound();

		g.pbxs.report = cases[i].pbxs;
		g.texts.report = cases[i].texts;
		g.smpp.report = cases[i].centers;
		expect_problems(&g, true, (const char *const[]){ cases[i].problem, NULL });
	}
}

static const char *text_in(const json_t *status, const char *part, const char *member)
{
	const char *text =
		json_string_value(json_object_get(json_object_get(status, part), member));

	return text ? text : "";
}

static int number_in(const json_t *status, const char *part, const char *member)
{
	return (int)json_integer_value(json_object_get(json_object_get(status, part), member));
}

/* A part that is down has no figures, rather than old ones or nought. */
static void what_is_not_known_is_left_out(void **state)
{
	struct gateway g = sound();
	json_t *status;

	(void)state;
	g.relay.load.calls = 3;
	g.relay.load.late_ms = 7;
	g.sip.counters.strangers = 5;
	status = report(&g, true);
	assert_string_equal(text_in(status, "relay", "state"), "CONNECTED");
	assert_int_equal(number_in(status, "relay", "calls"), 3);
	assert_int_equal(number_in(status, "relay", "capacity"), 200);
	assert_int_equal(number_in(status, "relay", "late_ms"), 7);
	assert_string_equal(text_in(status, "sip", "state"), "READY");
	assert_int_equal(number_in(status, "sip", "strangers"), 5);
	assert_string_equal(text_in(status, "config", "path"), "/etc/cig.conf");
	assert_string_equal(text_in(status, "config", "digest"), "abc");
	json_decref(status);

	g.relay.up = g.sip.ready = false;
	status = report(&g, true);
	assert_string_equal(text_in(status, "relay", "state"), "DISCONNECTED");
	assert_null(json_object_get(json_object_get(status, "relay"), "calls"));
	assert_string_equal(text_in(status, "sip", "state"), "DOWN");
	assert_null(json_object_get(json_object_get(status, "sip"), "strangers"));
	json_decref(status);
}

/* CIG-105: n of m; a letter that was replaced by a smaller one leaves none, not less than none. */
static void engines_are_those_that_no_call_has(void **state)
{
	struct gateway g = sound();
	json_t *status = report(&g, true);

	(void)state;
	assert_int_equal(number_in(status, "engines", "available"), 5);
	assert_int_equal(number_in(status, "engines", "total"), 8);
	json_decref(status);
	g.calls.world.engines = 2;
	status = report(&g, true);
	assert_int_equal(number_in(status, "engines", "available"), 0);
	assert_int_equal(number_in(status, "engines", "total"), 2);
	json_decref(status);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_gateway_has_no_problem),
		cmocka_unit_test(every_part_that_is_missing_is_named),
		cmocka_unit_test(what_ails_pbxs_texts_and_centers_is_told_with_their_names),
		cmocka_unit_test(what_is_not_known_is_left_out),
		cmocka_unit_test(engines_are_those_that_no_call_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
