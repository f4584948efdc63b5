/* test_sip_texts_out.c - texts to the SIP side: order, refusals, servers that fail, parts. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fake_clock.h"
#include "tests/gateway/sip_texts_scene.h"

static const char anna[] = "tel:+8888;101", bert[] = "tel:+8888;102", challenged[] = "tel:+8888;95";

static enum text_fate fate(const struct scene *scene, uint8_t id)
{
	return scene->core.port.fate[id];
}

/* Offers a text and lets its PBX be found. */
static void sends(struct scene *scene, uint8_t id, const char *receiver, const char *text)
{
	assert_int_equal(scene_offer(scene, id, receiver, text, ""), TEXT_IN_HAND);
	scene_found(scene, 2);
}

static void a_text_goes_where_a_call_would(void **state)
{
	struct scene *scene = *state;
	struct cig_addresses addresses;
	struct text_port *port = &scene->core.port;

	assert_int_equal(port->ops->match(port->arg, "tel:+46701", anna, &addresses), 1);
	assert_string_equal(addresses.to, "sip:101@127.0.0.1");
	assert_string_equal(addresses.from, "sip:46701@secure.com");
	assert_int_equal(port->ops->match(port->arg, "tel:+46701", "tel:+4670", &addresses), 0);
	sends(scene, 1, anna, "Hello");
	assert_int_equal(scene->link.requests, 1);
	assert_string_equal(scene->link.to, "sip:101@127.0.0.1");
	assert_string_equal(scene->link.from, "sip:46701@secure.com");
	assert_string_equal(scene->link.body, "Hello");
	scene_done(scene, scene->link.last, 200, 0, "OK");
	assert_int_equal(fate(scene, 1), FATE_DELIVERED);
	assert_int_equal(scene->pbxs.met, 200);
	scene_done(scene, scene->link.last, 200, 0, "OK"); /* again: of nothing */
}

static void one_goes_at_a_time_to_each_and_in_order(void **state)
{
	struct scene *scene = *state;

	sends(scene, 1, anna, "one");
	assert_int_equal(scene_offer(scene, 2, anna, "two", ""), TEXT_IN_HAND);
	assert_int_equal(scene->link.requests, 1);
	sends(scene, 3, bert, "three"); /* another one does not wait */
	assert_int_equal(scene->link.requests, 2);
	scene_done(scene, 2, 200, 0, "");
	scene_found(scene, 1);
	assert_string_equal(scene->link.body, "two");
	scene_done(scene, 4, 200, 0, "");
	scene_done(scene, 6, 200, 0, "");
	for (uint8_t id = 1; id <= 3; id++)
		assert_int_equal(fate(scene, id), FATE_DELIVERED);
}

/* RFC 3428, section 7, and what a later try may change. */
static void a_refusal_ends_a_text_or_puts_it_off(void **state)
{
	static const struct {
		unsigned code, retry_after_s;
		const char *phrase;
		enum text_fate fate;
		unsigned after_ms;
		const char *why;
	} cases[] = {
		{ 404, 0, "Not Found", FATE_FAILED, 0, "SIP 404 Not Found" },
		{ 415, 0, "", FATE_FAILED, 0, "SIP 415" },
		{ 603, 0, "Decline\r\nX: y", FATE_FAILED, 0, "SIP 603" }, /* not as ours */
		{ 501, 0, "No", FATE_FAILED, 0, "SIP 501 No" },
		{ 480, 0, "Away", FATE_LATER, SIP_TEXT_BACKOFF_MIN_MS, "SIP 480 Away" },
		{ 486, 17, "Busy", FATE_LATER, 17000, "SIP 486 Busy" },
		{ 600, 999999, "Busy", FATE_LATER, 3600000, "SIP 600 Busy" },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t id = (uint8_t)(i + 1);

		sends(scene, id, anna, "Hello");
		scene_done(scene, scene->link.last, cases[i].code, cases[i].retry_after_s,
			   cases[i].phrase);
		assert_int_equal(fate(scene, id), cases[i].fate);
		assert_string_equal(scene->core.port.why[id], cases[i].why);
		if (cases[i].fate == FATE_LATER)
			assert_int_equal(scene->core.port.after_ms[id], cases[i].after_ms);
	}
}

static void a_server_that_fails_is_followed_by_the_next_under_the_same_call_id(void **state)
{
	struct scene *scene = *state;
	char call_id[SCENE_WORD];

	sends(scene, 1, anna, "Hello");
	snprintf(call_id, sizeof(call_id), "%s", scene->link.call_id);
	assert_string_equal(scene->link.address, "192.0.2.1");
	scene_done(scene, scene->link.last, 503, 0, "\x1b[1m");
	assert_string_equal(scene->link.address, "192.0.2.2");
	assert_string_equal(scene->link.call_id, call_id);
	assert_int_equal(fate(scene, 1), FATE_OPEN);
	scene_done(scene, scene->link.last, 200, 0, "");
	assert_int_equal(fate(scene, 1), FATE_DELIVERED);
}

/* A hundred texts for a host that is silent cost one try; and the others of its recipient
 * stay in their order. */
static void a_silent_host_rests_longer_each_time(void **state)
{
	struct scene *scene = *state;
	unsigned rest_ms = SIP_TEXT_BACKOFF_MIN_MS;

	for (int round = 0; round < 9; round++) {
		assert_int_equal(scene_offer(scene, 1, anna, "one", ""), TEXT_IN_HAND);
		assert_int_equal(scene_offer(scene, 2, anna, "two", ""), TEXT_IN_HAND);
		scene_found(scene, 1);
		scene_done(scene, scene->link.last, 408, 0, "");
		assert_int_equal(fate(scene, 1), FATE_LATER);
		assert_int_equal(fate(scene, 2), FATE_LATER);
		assert_int_equal(scene->core.port.after_ms[1], rest_ms);
		assert_int_equal(scene_offer(scene, 3, bert, "three", ""), TEXT_IN_HAND);
		assert_int_equal(fate(scene, 3), FATE_LATER); /* not even tried */
		assert_string_equal(scene->core.port.why[3], "127.0.0.1 port 5060 does not answer");
		fake_clock_add_ms(rest_ms);
		rest_ms = 2 * rest_ms < SIP_TEXT_BACKOFF_MAX_MS ? 2 * rest_ms
								: SIP_TEXT_BACKOFF_MAX_MS;
	}
	assert_int_equal(rest_ms, SIP_TEXT_BACKOFF_MAX_MS);
	sends(scene, 4, anna, "four");
	scene_done(scene, scene->link.last, 200, 0, "");
	sends(scene, 5, anna, "five"); /* it answered: forgiven */
	assert_int_equal(fate(scene, 4), FATE_DELIVERED);
}

static void what_cannot_go_now_is_told(void **state)
{
	struct scene *scene = *state;
	struct text_port *port = &scene->core.port;

	assert_int_equal(scene_offer(scene, 1, anna, "x", ""), TEXT_IN_HAND);
	scene_found(scene, 0);
	assert_int_equal(fate(scene, 1), FATE_LATER);
	assert_string_equal(port->why[1], "PBX 127.0.0.1: no such host");
	fake_clock_add_ms(SIP_TEXT_BACKOFF_MAX_MS);

	scene->link.send_err = -ENOBUFS;
	sends(scene, 3, anna, "x");
	assert_int_equal(fate(scene, 3), FATE_LATER);
	assert_int_equal(port->after_ms[3], TEXT_RETRY_MS);
	scene->link.send_err = 0;

	scene->pbxs.no_memory = true;
	assert_int_equal(scene_offer(scene, 4, anna, "x", ""), TEXT_IN_HAND);
	assert_int_equal(fate(scene, 4), FATE_LATER);

	assert_int_equal(scene_offer(scene, 5, "tel:+4670", "x", ""), TEXT_NEVER);
	scene->link.ready = false;
	assert_int_equal(scene_offer(scene, 6, anna, "x", ""), TEXT_WAIT);
	assert_string_equal(port->why[6], "cig-sip is not running");
}

static void a_long_text_goes_in_parts_each_after_the_one_before(void **state)
{
	struct scene *scene = *state;
	struct text_port *port = &scene->core.port;
	char text[2 * SIP_TEXT_PART + 10];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	sends(scene, 1, anna, text);
	assert_memory_equal(scene->link.body, "(1/3) ", 6);
	scene_done(scene, scene->link.last, 200, 0, "");
	assert_string_equal(port->note[1], "1");
	assert_int_equal(scene->link.requests, 1); /* the note is not durable yet */
	port->ops->kept(port->arg);
	assert_memory_equal(scene->link.body, "(2/3) ", 6);
	port->disk_full = true; /* it goes on: a crash would repeat a part */
	scene_done(scene, scene->link.last, 200, 0, "");
	assert_memory_equal(scene->link.body, "(3/3) ", 6);
	scene_done(scene, scene->link.last, 200, 0, "");
	assert_int_equal(fate(scene, 1), FATE_DELIVERED);

	/* After a crash it goes on where the note says; a note that cannot be is none. */
	assert_int_equal(scene_offer(scene, 2, anna, text, "2"), TEXT_IN_HAND);
	scene_found(scene, 1);
	assert_memory_equal(scene->link.body, "(3/3) ", 6);
	assert_int_equal(scene_offer(scene, 3, bert, text, "3"), TEXT_IN_HAND);
	scene_found(scene, 1);
	assert_memory_equal(scene->link.body, "(1/3) ", 6);
}

static void challenge(struct scene *scene, const char *algorithm, unsigned number)
{
	SipAgent__FromAgent event = SIP_AGENT__FROM_AGENT__INIT;
	SipAgent__TextChallenged body = SIP_AGENT__TEXT_CHALLENGED__INIT;
	SipAgent__Challenge one = SIP_AGENT__CHALLENGE__INIT, *list[] = { &one };

	one.realm = (char *)(uintptr_t) "r";
	one.nonce = (char *)(uintptr_t) "n";
	one.algorithm = (char *)(uintptr_t)algorithm;
	body.text = scene->link.last;
	body.number = number;
	body.uri = (char *)(uintptr_t) "sip:95@127.0.0.1";
	body.challenges = list;
	body.n_challenges = 1;
	event.body_case = SIP_AGENT__FROM_AGENT__BODY_TEXT_CHALLENGED;
	event.text_challenged = &body;
	assert_true(sip_texts_event(scene->texts, &event));
}

/* CIG-027, CIG-028 */
static void a_challenge_is_answered_with_the_entrys_account_or_ends_the_text(void **state)
{
	struct scene *scene = *state;

	sends(scene, 1, challenged, "Hello");
	challenge(scene, "SHA-256", 1);
	assert_int_equal(scene->link.authorizations, 1);
	assert_non_null(strstr(scene->link.authorization, "username=\"gateway\""));
	assert_null(strstr(scene->link.authorization, "s3cret"));
	challenge(scene, "SHA-256", 2);
	challenge(scene, "SHA-256", 3); /* the password is wrong */
	assert_int_equal(scene->link.authorizations, 2);
	assert_int_equal(fate(scene, 1), FATE_FAILED);

	sends(scene, 2, challenged, "Hello");
	challenge(scene, "ROT13", 1);
	assert_int_equal(fate(scene, 2), FATE_FAILED);

	sends(scene, 3, anna, "Hello");
	challenge(scene, "MD5", 1);
	assert_int_equal(fate(scene, 3), FATE_FAILED);
	assert_non_null(strstr(scene->core.port.why[3], "names no auth account"));
	challenge(scene, "MD5", 1); /* of nothing */
	assert_int_equal(scene->link.authorizations, 2);
}

static void an_agent_that_dies_gives_all_back(void **state)
{
	struct scene *scene = *state;
	struct text_port *port = &scene->core.port;
	unsigned readies;

	sends(scene, 1, anna, "one");
	assert_int_equal(scene_offer(scene, 2, bert, "two", ""),
			 TEXT_IN_HAND); /* being looked up */
	sip_texts_lost(scene->texts);
	assert_int_equal(fate(scene, 1), FATE_LATER);
	assert_int_equal(fate(scene, 2), FATE_LATER);
	assert_int_equal(port->after_ms[1], 0);
	assert_string_equal(port->trouble, "cig-sip is not running");
	scene_done(scene, scene->link.last, 200, 0, ""); /* of nothing */
	readies = port->readies;
	sip_texts_ready(scene->texts);
	assert_string_equal(port->trouble, "");
	assert_int_equal(port->readies, readies + 1);
}

static void what_is_over_is_forgotten_and_more_than_fit_in_hand_wait(void **state)
{
	static const uint8_t id[UMSG_ID_SIZE] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
	struct scene *scene = *state;
	struct text_port *port = &scene->core.port;
	uint8_t n = 1;

	sends(scene, 1, anna, "one");
	port->ops->forget(port->arg, id);
	scene_done(scene, scene->link.last, 200, 0, "");
	assert_int_equal(fate(scene, 1), FATE_OPEN);
	for (size_t i = 0; i < SIP_TEXTS_IN_HAND; i++, n = (uint8_t)(n % (SCENE_TEXTS - 1) + 1))
		assert_int_equal(scene_offer(scene, n, anna, "x", ""), TEXT_IN_HAND);
	assert_int_equal(scene_offer(scene, n, anna, "x", ""), TEXT_WAIT);
	assert_string_equal(port->why[n], "others go first");
	/* Those with one id are told once each, which this core takes for a fault: let them go. */
	for (size_t i = 0; i < 2 * SIP_TEXTS_IN_HAND; i++) {
		uint8_t any[UMSG_ID_SIZE];

		memset(any, (int)(i % (SCENE_TEXTS - 1) + 1), sizeof(any));
		port->ops->forget(port->arg, any);
	}
}

static void a_configuration_without_messaging_closes_the_port(void **state)
{
	struct scene *scene = *state;
	const struct cig_config *without = scene_config(false), *with = scene_config(true);

	sends(scene, 1, anna, "one");
	assert_int_equal(sip_texts_set_config(scene->texts, without), 0);
	assert_int_equal(fate(scene, 1), FATE_LATER);
	assert_null(scene->core.port.ops);
	sip_texts_ready(scene->texts);
	sip_texts_lost(scene->texts);
	scene->core.open = false;
	assert_int_equal(sip_texts_set_config(scene->texts, with), 0);
	assert_non_null(scene->core.port.ops);
	cig_config_release(&without);
	cig_config_release(&with);
}

/* What was sent may be on a screen by now; the others go where the new configuration says. */
static void a_reload_sends_nothing_twice(void **state)
{
	struct scene *scene = *state;
	const struct cig_config *with = scene_config(true);

	sends(scene, 1, anna, "one");
	assert_int_equal(scene_offer(scene, 2, anna, "two", ""), TEXT_IN_HAND);
	sends(scene, 4, challenged, "four");
	assert_int_equal(scene_offer(scene, 3, bert, "three", ""), TEXT_IN_HAND);
	assert_int_equal(sip_texts_set_config(scene->texts, with), 0);
	cig_config_release(&scene->config);
	scene->config = with;
	assert_int_equal(fate(scene, 1), FATE_OPEN);
	assert_int_equal(fate(scene, 2), FATE_LATER);
	assert_int_equal(fate(scene, 3), FATE_LATER);
	assert_string_equal(scene->core.port.why[2], "the configuration changed");
	challenge(scene, "SHA-256", 1);
	assert_non_null(strstr(scene->link.authorization, "username=\"gateway\""));
	scene_done(scene, 2, 200, 0, "");
	scene_done(scene, scene->link.last, 200, 0, "");
	assert_int_equal(fate(scene, 1), FATE_DELIVERED);
	assert_int_equal(fate(scene, 4), FATE_DELIVERED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_text_goes_where_a_call_would),
		SCENE_TEST(one_goes_at_a_time_to_each_and_in_order),
		SCENE_TEST(a_refusal_ends_a_text_or_puts_it_off),
		SCENE_TEST(a_server_that_fails_is_followed_by_the_next_under_the_same_call_id),
		SCENE_TEST(a_silent_host_rests_longer_each_time),
		SCENE_TEST(what_cannot_go_now_is_told),
		SCENE_TEST(a_long_text_goes_in_parts_each_after_the_one_before),
		SCENE_TEST(a_challenge_is_answered_with_the_entrys_account_or_ends_the_text),
		SCENE_TEST(an_agent_that_dies_gives_all_back),
		SCENE_TEST(what_is_over_is_forgotten_and_more_than_fit_in_hand_wait),
		SCENE_TEST(a_configuration_without_messaging_closes_the_port),
		SCENE_TEST(a_reload_sends_nothing_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
