/* The gateway's figures: each moves with what it counts, what is not known is left out, and
 * Prometheus can read all of it.  Everybody who is asked is played. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/call.h"
#include "gateway/call_figures.h"
#include "gateway/calls.h"
#include "gateway/metrics.h"
#include "gateway/pbxs.h"
#include "gateway/secure_side.h"
#include "gateway/texts.h"
#include "tests/fuzz/fake_clock.h"
#include "tests/tools/played_figures.h"

/* ---- those who are asked ---- */

struct calls {
	struct calls_world world;
	unsigned active;
};

struct umsg_client {
	enum umsg_state state;
};

struct relay_link {
	bool up;
	Relay__Polled load; /* known while it is up */
};

struct sip_link {
	bool ready, counted;
	SipAgent__Counters counters;
};

struct secure_side {
	bool has_keys;
};

struct pbxs {
	const char *state; /* of the PBX "side" */
};

struct texts {
	struct texts_counters counters;
	struct texts_gauges gauges;
	struct texts_port_state port;
};

unsigned calls_active(const struct calls *calls)
{
	return calls->active;
}

struct calls_world *calls_world(struct calls *calls)
{
	return &calls->world;
}

enum umsg_state umsg_client_state(const struct umsg_client *client)
{
	return client->state;
}

const Relay__Polled *relay_link_load(const struct relay_link *link)
{
	return link->up ? &link->load : NULL;
}

unsigned relay_link_capacity(const struct relay_link *link)
{
	return link->up ? 350 : 0;
}

bool relay_link_is_up(const struct relay_link *link)
{
	return link->up;
}

bool sip_link_is_ready(const struct sip_link *link)
{
	return link->ready;
}

const SipAgent__Counters *sip_link_counters(const struct sip_link *link)
{
	return link->counted ? &link->counters : NULL;
}

bool secure_side_has_keys(const struct secure_side *side)
{
	return side->has_keys;
}

json_t *pbxs_report(const struct pbxs *pbxs)
{
	return json_pack("[{s:s, s:s}]", "name", "side", "state", pbxs->state);
}

const struct texts_counters *texts_counters(const struct texts *texts)
{
	return &texts->counters;
}

struct texts_gauges texts_gauges(const struct texts *texts)
{
	return texts->gauges;
}

void texts_each_port(const struct texts *texts,
		     void (*each)(void *arg, const struct texts_port_state *state), void *arg)
{
	each(arg, &texts->port);
}

/* ---- the scene ---- */

struct scene {
	struct call_figures figures;
	struct calls calls;
	struct umsg_client umsg;
	struct relay_link relay;
	struct sip_link sip;
	struct secure_side secure;
	struct pbxs pbxs;
	struct texts texts;
	struct metrics_parts parts;
	char *text;
};

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	relay__polled__init(&scene->relay.load);
	sip_agent__counters__init(&scene->sip.counters);
	scene->pbxs.state = "UP";
	scene->texts.port = (struct texts_port_state){ .name = "/var/box", .kind = "mailbox" };
	scene->parts = (struct metrics_parts){
		.figures = &scene->figures,
		.calls = &scene->calls,
		.relay = &scene->relay,
		.sip = &scene->sip,
		.pbxs = &scene->pbxs,
		.secure = &scene->secure,
		.texts = &scene->texts,
		.started_ms = clock_mono_ms() - 61999,
	};
	played_figures_reset();
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	played_figures_reset();
	free(scene->text);
	free(scene);
	return 0;
}

/* What a scrape gives now; well-formed in any case. */
static const char *scrape(struct scene *scene)
{
	size_t n;
	FILE *to;

	free(scene->text);
	to = open_memstream(&scene->text, &n);
	assert_non_null(to);
	metrics_write(&scene->parts, to);
	fclose(to);
	assert_figures(scene->text);
	return scene->text;
}

/* want NULL: there is no such sample. */
static void assert_figure(const char *text, const char *sample, const char *want)
{
	const char *value = figure_in(text, sample);

	if (!value != !want || (want && strcmp(value, want) != 0))
		fail_msg("%s is %s, not %s", sample, value ? value : "missing",
			 want ? want : "missing");
}

struct sample {
	const char *name, *value;
};

static void assert_samples(struct scene *scene, const struct sample *samples, size_t n)
{
	const char *text = scrape(scene);

	for (size_t i = 0; i < n; i++)
		assert_figure(text, samples[i].name, samples[i].value);
}

/* ---- tests ---- */

/* A gap in a graph is true, a zero is not. */
static void what_is_not_known_is_left_out(void **state)
{
	static const struct sample samples[] = {
		{ "cig_relay_up", "0" },
		{ "cig_relay_calls", NULL },
		{ "cig_relay_capacity", NULL },
		{ "cig_sip_up", "0" },
		{ "cig_sip_requests_total", NULL },
		{ "cig_umsg_up", "0" },
		{ "cig_keys_current", "0" },
		{ "cig_calls_ended_total{from=\"pbx\",reason=\"busy\"}", NULL },
		{ "cig_calls_begun_total{from=\"pbx\"}", "0" },
		{ "cig_uptime_seconds", "61" },
	};

	assert_samples(*state, samples, COUNT(samples));
}

static void links_and_keys_are_up_when_they_are(void **state)
{
	static const struct sample samples[] = {
		{ "cig_relay_up", "1" },
		{ "cig_relay_calls", "7" },
		{ "cig_relay_capacity", "350" },
		{ "cig_relay_cpu_ratio", "0.85" },
		{ "cig_relay_busy", "1" },
		{ "cig_relay_late_seconds", "0.012" },
		{ "cig_relay_opus_complexity", "4" },
		{ "cig_relay_calls_refused_total", "9" },
		{ "cig_relay_packets_dropped_total", "11" },
		{ "cig_sip_up", "1" },
		{ "cig_sip_requests_total", "100" },
		{ "cig_sip_responses_total", "101" },
		{ "cig_sip_malformed_total", "102" },
		{ "cig_sip_strangers_total", "103" },
		{ "cig_sip_options_total", "104" },
		{ "cig_sip_overload_total", "105" },
		{ "cig_sip_retransmits_total", "106" },
		{ "cig_umsg_up", "1" },
		{ "cig_keys_current", "1" },
		{ "cig_pbx_up{pbx=\"side\"}", "1" },
	};
	struct scene *scene = *state;
	SipAgent__Counters *sip = &scene->sip.counters;

	scene->relay.up = true;
	scene->relay.load.calls = 7;
	scene->relay.load.cpu_percent = 85;
	scene->relay.load.late_ms = 12;
	scene->relay.load.complexity = 4;
	scene->relay.load.refused = 9;
	scene->relay.load.dropped = 11;
	scene->relay.load.busy = (char *)"85% of a processor";
	sip->requests = 100;
	sip->responses = 101;
	sip->malformed = 102;
	sip->strangers = 103;
	sip->options = 104;
	sip->overload = 105;
	sip->retransmits = 106;
	scene->sip.ready = scene->sip.counted = true;
	scene->calls.world.umsg = &scene->umsg;
	scene->umsg.state = UMSG_ATTACHED;
	scene->secure.has_keys = true;
	assert_samples(scene, samples, COUNT(samples));
	scene->umsg.state = UMSG_DENIED;
	scene->pbxs.state = "DOWN";
	assert_figure(scrape(scene), "cig_umsg_up", "0");
	assert_figure(scene->text, "cig_pbx_up{pbx=\"side\"}", "0");
}

static void a_call_moves_the_figures_of_its_side(void **state)
{
	static const struct sample samples[] = {
		{ "cig_calls_active", "2" },
		{ "cig_crypto_engines", "3" },
		{ "cig_calls_begun_total{from=\"pbx\"}", "1" },
		{ "cig_calls_begun_total{from=\"secure\"}", "0" },
		{ "cig_calls_answered_total{from=\"pbx\"}", "1" },
		{ "cig_calls_unrouted_total{from=\"pbx\"}", "0" },
		{ "cig_calls_ended_total{from=\"pbx\",reason=\"hangup\"}", "1" },
		{ "cig_calls_ended_total{from=\"secure\",reason=\"hangup\"}", NULL },
		{ "cig_call_setup_seconds_total", "1.250" },
		{ "cig_call_talk_seconds_total", "60.500" },
		{ "cig_media_packets_received_total{leg=\"pbx\"}", "3000" },
		{ "cig_media_packets_sent_total{leg=\"pbx\"}", "2990" },
		{ "cig_media_packets_lost_total{leg=\"pbx\"}", "4" },
		{ "cig_media_packets_refused_total{leg=\"pbx\"}", "15" },
		{ "cig_media_packets_received_total{leg=\"secure\"}", "0" },
	};
	struct scene *scene = *state;
	Relay__LegStats leg = RELAY__LEG_STATS__INIT;
	Relay__Stats stats = RELAY__STATS__INIT;
	char to[] = "tel:+46701";
	struct call call = { .in = ROUTE_SIP,
			     .begun_ms = 1000,
			     .up_ms = 2250,
			     .ended_ms = 62750,
			     .out_to = to,
			     .stats = &stats,
			     .reason = UMSG__END_REASON__END_HANGUP };

	leg.packets_received = 3000;
	leg.packets_sent = 2990;
	leg.lost = 4;
	leg.auth_failures = 1;
	leg.replays = 2;
	leg.malformed = 4;
	leg.strangers = 8;
	stats.plain = &leg; /* the other leg never came to media */
	scene->calls.active = 2;
	scene->calls.world.engines = 3;
	call_figures_begun(&scene->figures, &call);
	call_figures_answered(&scene->figures, &call);
	call_figures_ended(&scene->figures, &call);
	assert_samples(scene, samples, COUNT(samples));
}

static void a_call_that_no_map_takes_counts_as_such_and_never_talks(void **state)
{
	static const struct sample samples[] = {
		{ "cig_calls_unrouted_total{from=\"secure\"}", "2" },
		{ "cig_calls_ended_total{from=\"secure\",reason=\"no route\"}", "1" },
		/* a reason of a rendezvous that is newer than we */
		{ "cig_calls_ended_total{from=\"secure\",reason=\"ended\"}", "1" },
		{ "cig_call_talk_seconds_total", "0.000" },
	};
	struct scene *scene = *state;
	struct call call = { .in = ROUTE_TEL,
			     .begun_ms = 1000,
			     .ended_ms = 5000,
			     .reason = UMSG__END_REASON__END_NO_ROUTE };

	call_figures_ended(&scene->figures, &call);
	call.reason = (Umsg__EndReason)CALL_FIGURES_REASONS;
	call_figures_ended(&scene->figures, &call);
	call_figures_begun(NULL, &call); /* nobody counts: no harm */
	call_figures_answered(NULL, &call);
	call_figures_ended(NULL, &call);
	assert_samples(scene, samples, COUNT(samples));
}

static void texts_are_counted_as_a_whole_and_by_their_ports(void **state)
{
	static const struct sample samples[] = {
		{ "cig_texts_inward", "1" },
		{ "cig_texts_posts", "2" },
		{ "cig_texts_received_total", "3" },
		{ "cig_texts_delivered_total", "4" },
		{ "cig_texts_failed_total", "5" },
		{ "cig_texts_expired_total", "6" },
		{ "cig_texts_posted_total", "7" },
		{ "cig_texts_refused_total", "8" },
		{ "cig_texts_left_total", "9" },
		/* an administrator's path ends no line */
		{ "cig_texts_port_waiting{kind=\"read\",name=\"/a \\\"b\\\"\"}", "10" },
		{ "cig_texts_port_delivered_total{kind=\"read\",name=\"/a \\\"b\\\"\"}", "11" },
		{ "cig_texts_port_failed_total{kind=\"read\",name=\"/a \\\"b\\\"\"}", "12" },
		{ "cig_texts_port_expired_total{kind=\"read\",name=\"/a \\\"b\\\"\"}", "13" },
		{ "cig_texts_port_submitted_total{kind=\"read\",name=\"/a \\\"b\\\"\"}", "14" },
	};
	struct scene *scene = *state;
	struct texts *texts = &scene->texts;

	texts->gauges = (struct texts_gauges){ .inward = 1, .posts = 2 };
	texts->counters = (struct texts_counters){ .received = 3,
						   .delivered = 4,
						   .failed = 5,
						   .expired = 6,
						   .posted = 7,
						   .refused = 8,
						   .left_at_rendezvous = 9 };
	texts->port = (struct texts_port_state){
		.name = "/a \"b\"",
		.kind = "read",
		.waiting = 10,
		.counters = { .delivered = 11, .failed = 12, .expired = 13, .submitted = 14 }
	};
	assert_samples(scene, samples, COUNT(samples));
}

static void there_is_a_port_where_the_configuration_wants_one(void **state)
{
	struct scene *scene = *state;
	struct cig_config config = { .metrics_bind = "192.0.2.1" };
	struct metrics *metrics = NULL;

	assert_int_equal(metrics_new(NULL, &config, &scene->parts, &metrics, NULL), 0);
	assert_null(metrics);
	assert_false(played_figures()->open);
	metrics_free(&metrics);
	config.metrics_port = 9100;
	played_figures()->open_err = -EADDRINUSE;
	assert_int_equal(metrics_new(NULL, &config, &scene->parts, &metrics, NULL), -EADDRINUSE);
	assert_null(metrics);
	played_figures()->open_err = 0;
	assert_int_equal(metrics_new(NULL, &config, &scene->parts, &metrics, NULL), 0);
	assert_string_equal(played_figures()->address, "192.0.2.1");
	assert_int_equal(played_figures()->number, 9100);
	played_figures_ask();
	assert_string_equal(played_figures()->text, scrape(scene));
	metrics_free(&metrics);
	assert_false(played_figures()->open);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_not_known_is_left_out),
		TEST(links_and_keys_are_up_when_they_are),
		TEST(a_call_moves_the_figures_of_its_side),
		TEST(a_call_that_no_map_takes_counts_as_such_and_never_talks),
		TEST(texts_are_counted_as_a_whole_and_by_their_ports),
		TEST(there_is_a_port_where_the_configuration_wants_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
