/* cig-server's end of cig-sip, with a child that is played: it is configured, listened to, and
 * replaced when it dies or hangs; nothing is sent to one that is not ready. */
#include "tests/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/channel_pack.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/pack.h"
#include "base/process.h"
#include "gateway/sip_link.h"
#include "tests/tools/quick_timers.h"
#include "tests/umsg/loop.h"

enum { CHILDREN = 16 };

struct scene {
	struct event_base *base;
	const struct cig_config *config;
	struct sip_link *link;
	struct channel *channel; /* the child's end */
	pid_t pids[CHILDREN];
	unsigned children;
	bool silent; /* answers no ping */
	unsigned pings, quits, invites;
	SipAgent__ToAgent *configured; /* the last Configure */
	unsigned configures;
	/* what the link told */
	unsigned readies, losses, events;
	char lost[128];
	int sent_when_lost;
	char warning[256];
};

/* process_spawn() has no argument of the test's; NULL: there is no program. */
static struct scene *stage;

/* ---- the child ---- */

static void say(struct scene *scene, SipAgent__FromAgent__BodyCase body, void *message)
{
	SipAgent__FromAgent event = SIP_AGENT__FROM_AGENT__INIT;

	event.body_case = body;
	event.ready = message; /* a union of pointers */
	assert_non_null(scene->channel);
	assert_int_equal(channel_send_packed(scene->channel, &event.base), 0);
}

static void say_ready(struct scene *scene)
{
	SipAgent__Ready ready = SIP_AGENT__READY__INIT;

	ready.address = (char *)"127.0.0.1";
	ready.port = 5060;
	say(scene, SIP_AGENT__FROM_AGENT__BODY_READY, &ready);
}

static void say_pong(struct scene *scene)
{
	SipAgent__Pong pong = SIP_AGENT__PONG__INIT;
	SipAgent__Counters counters = SIP_AGENT__COUNTERS__INIT;

	counters.requests = 100 + scene->pings;
	pong.counters = &counters;
	say(scene, SIP_AGENT__FROM_AGENT__BODY_PONG, &pong);
}

static void on_told(void *arg, struct slice octets)
{
	struct scene *scene = arg;
	int err;
	SipAgent__ToAgent *told = (SipAgent__ToAgent *)(void *)pack_read(
		&sip_agent__to_agent__descriptor, octets, CHANNEL_MAX_UNPACKED, &err);

	assert_non_null(told);
	switch (told->body_case) {
	case SIP_AGENT__TO_AGENT__BODY_CONFIGURE:
		scene->configures++;
		PACK_FREE(&scene->configured);
		scene->configured = told;
		return;
	case SIP_AGENT__TO_AGENT__BODY_PING:
		scene->pings++;
		if (!scene->silent)
			say_pong(scene);
		break;
	case SIP_AGENT__TO_AGENT__BODY_QUIT:
		scene->quits++;
		channel_free(&scene->channel); /* it has ended */
		break;
	default:
		scene->invites += told->body_case == SIP_AGENT__TO_AGENT__BODY_INVITE;
	}
	PACK_FREE(&told);
}

static void on_hung_up(void *arg, int err)
{
	struct scene *scene = arg;

	(void)err;
	channel_free(&scene->channel);
}

int process_find(const char *name, char *out, size_t outsz)
{
	assert_string_equal(name, "cig-sip");
	snprintf(out, outsz, "/nowhere/%s", name);
	return stage ? 0 : -ENOENT;
}

/* The child that is killed and waited for is a real one, which does nothing; its end of the
 * channel is ours. */
pid_t process_spawn(const struct process_spec *spec)
{
	static const struct channel_ops ops = { on_told, on_hung_up };
	struct scene *scene = stage;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		close_range(0, ~0U, 0); /* else both ends of the channel stay open in it */
		for (;;)
			pause();
	}
	assert_true(scene->children < CHILDREN);
	scene->pids[scene->children++] = pid;
	channel_free(&scene->channel);
	scene->channel = channel_new(scene->base, dup(spec->pass_fd), 64, &ops, scene);
	assert_non_null(scene->channel);
	channel_gather(scene->channel);
	return pid;
}

static bool is_there(pid_t pid)
{
	return kill(pid, 0) == 0;
}

/* ---- the owner ---- */

static int send_invite(struct scene *scene)
{
	SipAgent__ToAgent message = SIP_AGENT__TO_AGENT__INIT;
	SipAgent__Invite invite = SIP_AGENT__INVITE__INIT;

	message.body_case = SIP_AGENT__TO_AGENT__BODY_INVITE;
	message.invite = &invite;
	return sip_link_send(scene->link, &message);
}

static void on_ready(void *arg)
{
	struct scene *scene = arg;

	scene->readies++;
}

static void on_lost(void *arg, const char *text)
{
	struct scene *scene = arg;

	scene->losses++;
	snprintf(scene->lost, sizeof(scene->lost), "%s", text);
	scene->sent_when_lost = send_invite(scene);
}

static void on_event(void *arg, const SipAgent__FromAgent *event)
{
	struct scene *scene = arg;

	assert_int_equal(event->body_case, SIP_AGENT__FROM_AGENT__BODY_TRYING);
	scene->events++;
}

static void on_line(void *arg, enum log_type type, const char *module, const char *text)
{
	struct scene *scene = arg;

	(void)module;
	if (type == LOG_TYPE_WARN)
		snprintf(scene->warning, sizeof(scene->warning), "%s", text);
}

static const struct sip_link_ops ops = { on_ready, on_lost, on_event };

#define CONFIG(sip, more)                                                                          \
	"map m { entry e sip \"sip:{n}@pbx.test\" tel \"tel:+8888;{n}\"; }\n"                      \
	"interfaces { tel { extension map m; source map m; }\n"                                    \
	" sip { extension map m; source map m; " sip " } }\n" more                                 \
	"userdata \"/tmp\"; log_dir \"/tmp/logs\"; run_dir \"/tmp\";\n"

static const struct cig_config *config_of(const char *text)
{
	const struct cig_config *config;
	struct diag *diag = diag_new();

	if (cig_config_parse("test.conf", slice_str(text), diag, &config))
		fail_msg("%s", diag_first_error(diag));
	diag_free(&diag);
	return config;
}

static int begin(struct scene *scene, const char *text)
{
	scene->config = config_of(text);
	return sip_link_new(scene->base, scene->config, &ops, scene, &scene->link);
}

static void begin_local(struct scene *scene)
{
	assert_int_equal(begin(scene, CONFIG("bind 127.0.0.1; port 5060;", "")), 0);
}

static void get_ready(struct scene *scene)
{
	LOOP_UNTIL(scene->base, scene->configures == 1);
	say_ready(scene);
	LOOP_UNTIL(scene->base, scene->readies == 1);
}

/* Pings may have been answered by then: they do not wait for the child to be ready. */
static void begin_ready(struct scene *scene)
{
	begin_local(scene);
	get_ready(scene);
}

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	scene->base = quick_timers_base();
	stage = scene;
	log_set_tap(on_line, scene);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	sip_link_free(&scene->link);
	assert_null(scene->link);
	for (unsigned i = 0; i < scene->children; i++)
		assert_false(is_there(scene->pids[i])); /* no child outlives it */
	channel_free(&scene->channel);
	PACK_FREE(&scene->configured);
	log_set_tap(NULL, NULL);
	cig_config_release(&scene->config);
	event_base_free(scene->base);
	stage = NULL;
	free(scene);
	return 0;
}

/* ---- tests ---- */

static void without_a_program_there_is_no_link(void **state)
{
	struct scene *scene = *state;

	stage = NULL;
	assert_int_equal(begin(scene, CONFIG("", "")), -ENOENT);
	assert_null(scene->link);
}

static void a_child_gets_the_configuration_first(void **state)
{
	static const char text[] =
		CONFIG("bind 192.0.2.1; port 5070; max_calls 20; messaging true; sip_trace true; "
		       "udp_max_bytes 1300;"
		       "session_expires_s 1800; trusted \"10.0.0.0/8\"; trusted \"192.0.2.7\";"
		       "hep { collector \"192.0.2.9:9070\"; id 12; password \"homer\"; }",
		       "pbx side { network \"198.51.100.0/24\"; host pbx.test; server "
		       "\"198.51.100.1\"; }\n");
	struct scene *scene = *state;
	const SipAgent__Configure *told;

	assert_int_equal(begin(scene, text), 0);
	LOOP_UNTIL(scene->base, scene->configures == 1);
	told = scene->configured->configure;
	assert_string_equal(told->address, "192.0.2.1");
	assert_int_equal(told->port, 5070);
	assert_true(told->udp && told->tcp && told->texts);
	assert_int_equal(told->max_calls, 20);
	assert_int_equal(told->udp_mtu, 1300);
	assert_int_equal(told->session_expires_s, 1800);
	assert_string_equal(told->trace, "/tmp/logs/sip.log");
	assert_int_equal(told->n_networks, 3);
	assert_string_equal(told->networks[0], "10.0.0.0/8");
	assert_string_equal(told->networks[1], "192.0.2.7/32");
	assert_string_equal(told->networks[2], "198.51.100.0/24");
	assert_string_equal(told->hep->address, "192.0.2.9");
	assert_int_equal(told->hep->port, 9070);
	assert_int_equal(told->hep->id, 12);
	assert_string_equal(told->hep->password, "homer");
	assert_null(told->tls);
	assert_true(told->first_call == (UINT64_C(1) << 32 | 1));
}

/* Nobody named: everybody may call in, of both families. */
static void what_is_not_configured_has_its_usual_value(void **state)
{
	struct scene *scene = *state;
	const SipAgent__Configure *told;

	assert_int_equal(begin(scene, CONFIG("", "")), 0);
	LOOP_UNTIL(scene->base, scene->configures == 1);
	told = scene->configured->configure;
	assert_string_equal(told->address, "0.0.0.0");
	assert_int_equal(told->n_networks, 2);
	assert_string_equal(told->networks[0], "0.0.0.0/0");
	assert_string_equal(told->networks[1], "::/0");
	assert_false(told->texts);
	assert_string_equal(told->trace, "");
	assert_null(told->hep);
}

static void nothing_goes_to_a_child_that_is_not_ready(void **state)
{
	struct scene *scene = *state;
	uint64_t call;

	assert_int_equal(begin(scene, CONFIG("bind 127.0.0.1;", "")), 0);
	assert_false(sip_link_is_ready(scene->link));
	assert_string_equal(sip_link_address(scene->link), "");
	assert_int_equal(send_invite(scene), -EPIPE);
	say_ready(scene);
	LOOP_UNTIL(scene->base, scene->readies == 1);
	assert_true(sip_link_is_ready(scene->link));
	assert_string_equal(sip_link_address(scene->link), "127.0.0.1:5060");
	assert_int_equal(send_invite(scene), 0);
	LOOP_UNTIL(scene->base, scene->invites == 1);
	call = sip_link_next_call(scene->link);
	assert_int_equal(call % 2, 0);
	assert_true(sip_link_next_call(scene->link) > call);
}

static void its_counters_are_those_of_the_last_heartbeat(void **state)
{
	struct scene *scene = *state;
	const SipAgent__Counters *counters;

	/* Asked before the loop turns: on a slow machine the first ping goes to a child that is
	 * not ready yet. */
	begin_local(scene);
	assert_null(sip_link_counters(scene->link));
	get_ready(scene);
	for (unsigned pings = 1; pings <= 2 * SIP_LINK_PINGS; pings++)
		LOOP_UNTIL(scene->base, (counters = sip_link_counters(scene->link)) &&
						counters->requests >= 100 + pings);
	assert_int_equal(scene->losses, 0);
}

/* A child that hangs keeps its port: it is killed before the next one is started. */
static void a_child_without_heartbeat_is_killed_and_replaced(void **state)
{
	struct scene *scene = *state;
	unsigned answered;

	begin_ready(scene);
	answered = scene->pings;
	scene->silent = true;
	LOOP_UNTIL(scene->base, scene->losses == 1);
	assert_int_equal(scene->pings - answered, SIP_LINK_PINGS);
	assert_string_equal(scene->lost, "no heartbeat for three seconds");
	assert_int_equal(scene->sent_when_lost, -EPIPE);
	assert_false(is_there(scene->pids[0]));
	assert_false(sip_link_is_ready(scene->link));
	assert_string_equal(sip_link_address(scene->link), "");
	scene->silent = false;
	LOOP_UNTIL(scene->base, scene->configures == 2);
	assert_int_equal(scene->children, 2);
	/* An event of the former child is about no call of this one. */
	assert_true(scene->configured->configure->first_call == (UINT64_C(2) << 32 | 1));
	say_ready(scene);
	LOOP_UNTIL(scene->base, scene->readies == 2);
	assert_int_equal(send_invite(scene), 0);
}

static void a_child_that_cannot_work_says_why(void **state)
{
	struct scene *scene = *state;
	SipAgent__Failure failure = SIP_AGENT__FAILURE__INIT;

	assert_int_equal(begin(scene, CONFIG("", "")), 0);
	failure.text = (char *)"the port is in use";
	say(scene, SIP_AGENT__FROM_AGENT__BODY_FAILURE, &failure);
	LOOP_UNTIL(scene->base, scene->losses == 1);
	assert_string_equal(scene->lost, "the port is in use");
	LOOP_UNTIL(scene->base, scene->children == 2);
}

/* One that dies at once each time is started ever more rarely, one that worked at once again. */
static void a_child_that_keeps_dying_is_waited_for_longer(void **state)
{
	static const unsigned waits_ms[] = { 100, 200, 400, 800, 1600, 3200, 5000, 5000 };
	struct scene *scene = *state;

	assert_int_equal(begin(scene, CONFIG("", "")), 0);
	for (unsigned i = 0; i < COUNT(waits_ms); i++) {
		LOOP_UNTIL(scene->base, scene->configures == i + 1);
		quick_timers_reset();
		channel_free(&scene->channel); /* it dies */
		LOOP_UNTIL(scene->base, scene->losses == i + 1);
		assert_true(quick_timers_had(waits_ms[i]));
		/* Or "reset", where a ping had not been read; never found out by pings only. */
		assert_null(strstr(scene->lost, "heartbeat"));
		LOOP_UNTIL(scene->base, scene->children == i + 2);
	}
	say_ready(scene);
	LOOP_UNTIL(scene->base, scene->readies == 1);
	quick_timers_reset();
	channel_free(&scene->channel);
	LOOP_UNTIL(scene->base, scene->losses == COUNT(waits_ms) + 1);
	assert_true(quick_timers_had(waits_ms[0]));
}

static void a_new_configuration_goes_to_a_child_that_is_ready(void **state)
{
	struct scene *scene = *state;
	const struct cig_config *other = config_of(CONFIG("max_calls 3;", ""));

	begin_ready(scene);
	sip_link_set_config(scene->link, other);
	cig_config_release(&other);
	LOOP_UNTIL(scene->base, scene->configures == 2);
	assert_int_equal(scene->configured->configure->max_calls, 3);
	channel_free(&scene->channel);
	LOOP_UNTIL(scene->base, scene->configures == 3); /* and to the next one */
	assert_int_equal(scene->configured->configure->max_calls, 3);
	/* That one is not ready: it was told the former one, and goes on with the latest. */
	other = config_of(CONFIG("max_calls 4;", ""));
	sip_link_set_config(scene->link, other);
	cig_config_release(&other);
	LOOP_UNTIL(scene->base, scene->configures == 4);
	assert_int_equal(scene->configured->configure->max_calls, 4);
	say_ready(scene);
	LOOP_UNTIL(scene->base, scene->readies == 2);
}

static void tell_collector(struct scene *scene, bool reached)
{
	SipAgent__Collector news = SIP_AGENT__COLLECTOR__INIT;

	scene->warning[0] = '\0';
	news.reached = reached;
	news.why = (char *)"Connection refused";
	say(scene, SIP_AGENT__FROM_AGENT__BODY_COLLECTOR, &news);
	say_ready(scene); /* behind it, so that it has been read */
}

static void a_lost_collector_stands_in_the_log_once(void **state)
{
	static const char hep[] = CONFIG("hep { collector \"192.0.2.9\"; }", "");
	static const char place[] = "test.conf:3: hep: the collector 192.0.2.9:9060 cannot be";
	struct scene *scene = *state;
	const struct cig_config *other;

	assert_int_equal(begin(scene, hep), 0);
	tell_collector(scene, false);
	LOOP_UNTIL(scene->base, scene->readies == 1);
	assert_memory_equal(scene->warning, place, sizeof(place) - 1);
	tell_collector(scene, false); /* a new child finds the same */
	LOOP_UNTIL(scene->base, scene->readies == 2);
	assert_string_equal(scene->warning, "");
	other = config_of(CONFIG("hep { collector \"192.0.2.10\"; }", ""));
	sip_link_set_config(scene->link, other);
	cig_config_release(&other);
	tell_collector(scene, false); /* another one */
	LOOP_UNTIL(scene->base, scene->readies == 3);
	assert_non_null(strstr(scene->warning, "192.0.2.10:9060"));
	assert_int_equal(scene->events, 0);
}

static void events_of_calls_are_the_owners_and_the_rest_is_the_logs(void **state)
{
	static const uint8_t garbage[] = { 0xff, 0xff, 0xff, 0xff, 0xff };
	struct scene *scene = *state;
	SipAgent__Refused refused = SIP_AGENT__REFUSED__INIT;
	SipAgent__Trying trying = SIP_AGENT__TRYING__INIT;

	begin_ready(scene);
	assert_int_equal(channel_send(scene->channel, slice_of(garbage, sizeof(garbage))), 0);
	say(scene, SIP_AGENT__FROM_AGENT__BODY_TRYING, &trying);
	LOOP_UNTIL(scene->base, scene->events == 1);
	assert_non_null(strstr(scene->warning, "5 octets that are no message"));
	refused.source = (char *)"203.0.113.1:5060";
	refused.what = (char *)"no trusted network";
	refused.suppressed = 4;
	say(scene, SIP_AGENT__FROM_AGENT__BODY_REFUSED, &refused);
	say(scene, SIP_AGENT__FROM_AGENT__BODY_TRYING, &trying);
	LOOP_UNTIL(scene->base, scene->events == 2);
	assert_string_equal(scene->warning, "refused source=203.0.113.1:5060: no trusted network "
					    "(4 more like it left out)");
	assert_int_equal(scene->losses, 0);
}

static void at_the_end_the_child_may_say_goodbye(void **state)
{
	struct scene *scene = *state;

	begin_ready(scene);
	sip_link_free(&scene->link);
	LOOP_UNTIL(scene->base, scene->quits == 1);
	assert_int_equal(scene->losses, 0); /* nobody is told of what was asked for */
	assert_int_equal(scene->children, 1);
	assert_false(is_there(scene->pids[0]));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_a_program_there_is_no_link),
		TEST(a_child_gets_the_configuration_first),
		TEST(what_is_not_configured_has_its_usual_value),
		TEST(nothing_goes_to_a_child_that_is_not_ready),
		TEST(its_counters_are_those_of_the_last_heartbeat),
		TEST(a_child_without_heartbeat_is_killed_and_replaced),
		TEST(a_child_that_cannot_work_says_why),
		TEST(a_child_that_keeps_dying_is_waited_for_longer),
		TEST(a_new_configuration_goes_to_a_child_that_is_ready),
		TEST(a_lost_collector_stands_in_the_log_once),
		TEST(events_of_calls_are_the_owners_and_the_rest_is_the_logs),
		TEST(at_the_end_the_child_may_say_goodbye),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
