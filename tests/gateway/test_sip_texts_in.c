/* test_sip_texts_in.c - MESSAGEs of the PBX network: who may, what is refused, and when the
 * answer goes out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/sip_texts_priv.h"
#include "tests/fuzz/fake_clock.h"
#include "tests/gateway/sip_texts_scene.h"

static const struct scene_message usual = { .number = 1 };

static void stored(struct scene *scene)
{
	scene->core.port.ops->stored(scene->core.port.arg, scene->core.key);
}

static bool posted(struct scene *scene, const char *refusal)
{
	return scene->core.port.ops->posted(scene->core.port.arg, scene->core.key, refusal);
}

static void a_text_is_answered_when_the_rendezvous_has_it(void **state)
{
	struct scene *scene = *state;

	scene_message(scene, &usual);
	assert_int_equal(scene->core.submits, 1);
	assert_string_equal(scene->core.from, "tel:+8888;101");
	assert_string_equal(scene->core.to, "tel:+46701");
	assert_string_equal(scene->core.text, "Hello");
	assert_int_equal(scene->link.replies, 0);
	stored(scene);
	assert_int_equal(scene->link.replies, 0);
	assert_true(posted(scene, ""));
	assert_int_equal(scene->link.code, 202);
	assert_int_equal(scene->link.reply_to, 1);
	assert_false(posted(scene, "")); /* nobody waits any more: it would get a notice */
}

/* RFC 3428, section 7: 202 is for what is stored. */
static void a_slow_rendezvous_is_not_waited_for_once_the_text_is_stored(void **state)
{
	struct scene *scene = *state;

	scene_message(scene, &usual);
	fake_clock_add_ms(SIP_TEXT_POSTED_MS);
	sip_in_due(scene->texts);
	assert_int_equal(scene->link.replies, 0); /* not durable: no promise */
	stored(scene);
	sip_in_due(scene->texts);
	assert_int_equal(scene->link.code, 202);
	assert_false(posted(scene, "no such user"));
	assert_int_equal(scene->link.replies, 1);
}

/* Its peer would hear 504 of a text that is on its way, and send it once more. */
static void one_that_is_not_stored_keeps_none_behind_it_waiting(void **state)
{
	static const struct scene_message second = { .number = 2, .call_id = "second" },
					  third = { .number = 3, .call_id = "third" };
	struct scene *scene = *state;

	scene_message(scene, &usual); /* its receiver is being looked up */
	scene_message(scene, &second);
	stored(scene);
	fake_clock_add_ms(SIP_TEXT_POSTED_MS);
	scene_message(scene, &third);
	stored(scene);
	sip_in_due(scene->texts);
	assert_int_equal(scene->link.replies, 1);
	assert_int_equal(scene->link.reply_to, 2);
	assert_int_equal(scene->link.code, 202);
	fake_clock_add_ms(SIP_TEXT_POSTED_MS);
	sip_in_due(scene->texts);
	assert_int_equal(scene->link.replies, 2);
	assert_int_equal(scene->link.reply_to, 3);
}

/* Nobody waits any more, and it is taken when it comes again. */
static void one_that_is_forgotten_is_to_come_again(void **state)
{
	struct scene *scene = *state;

	scene_message(scene, &usual);
	scene->core.port.ops->forgotten(scene->core.port.arg, scene->core.key);
	assert_int_equal(scene->link.code, 503);
	scene->core.port.ops->forgotten(scene->core.port.arg, scene->core.key);
	assert_int_equal(scene->link.replies, 1);
	assert_false(posted(scene, ""));
	scene_message(scene, &usual);
	stored(scene);
	assert_true(posted(scene, ""));
	assert_int_equal(scene->link.code, 202);
}

static void a_refusal_of_the_rendezvous_is_the_answer(void **state)
{
	static const struct {
		const char *refusal, *phrase;
	} cases[] = {
		{ "no such user", "no such user" },
		{ "two\r\nlines", "Not Found" }, /* never into a header */
		{ "\xff", "Not Found" },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		scene_message(scene, &usual);
		stored(scene);
		assert_true(posted(scene, cases[i].refusal));
		assert_int_equal(scene->link.code, 404);
		assert_string_equal(scene->link.phrase, cases[i].phrase);
	}
}

static void what_cannot_be_is_refused_with_a_code(void **state)
{
	static const struct {
		struct scene_message message;
		unsigned code;
	} cases[] = {
		{ { .to = "sip:@@" }, 484 },
		{ { .to = "sip:555@127.0.0.1" }, 0 }, /* a number like any other */
		{ { .to = "sip:abc@127.0.0.1" }, 484 },
		{ { .from = "sip:@" }, 403 },
		{ { .type = "image/png" }, 415 },
		{ { .type = "text/html" }, 415 },
		{ { .type = "text/plainer" }, 415 },
		{ { .type = "" }, 0 },
		{ { .type = "TEXT/Plain; charset=UTF-8" }, 0 },
		{ { .type = "text/plain; charset=no-such" }, 400 },
		{ { .type = "multipart/mixed" }, 400 },
		{ { .source = "pbx.com" }, 500 },
		{ { .source = "192.0.2.7" }, 401 }, /* its block asks for a password */
	};
	struct scene *scene = *state;
	unsigned wrong = 0;

	for (size_t i = 0; i < COUNT(cases); i++) {
		unsigned replies = scene->link.replies, submits = scene->core.submits;

		scene_message(scene, &cases[i].message);
		wrong += scene->link.replies != replies + (cases[i].code != 0);
		wrong += scene->core.submits != submits + (cases[i].code == 0);
		if (cases[i].code && scene->link.code != cases[i].code) {
			print_error("case %zu: %u %s\n", i, scene->link.code, scene->link.phrase);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
	assert_int_equal(scene->link.challenges, DIGEST_ASKED);
}

static void parts_of_a_multipart_are_text_and_attachments(void **state)
{
	static const struct scene_message message = {
		.type = "multipart/mixed; boundary=b",
		.body = "--b\nContent-Type: text/plain\n\nLook\n"
			"--b\nContent-Type: image/png; name=x.png\n"
			"Content-Disposition: attachment; filename=x.png\n\nPNG\n--b--\n",
	};
	struct scene *scene = *state;

	scene_message(scene, &message);
	assert_int_equal(scene->core.submits, 1);
	assert_int_equal(scene->core.attachments, 1);
	assert_memory_equal(scene->core.text, "Look", 4);
}

static void what_the_core_says_becomes_a_code(void **state)
{
	static const struct {
		int err;
		unsigned code, retry_after_s;
	} cases[] = {
		{ -EALREADY, 202, 0 }, /* sent anew: answered, and not sent on again */
		{ -EINVAL, 404, 0 },   { -EMSGSIZE, 413, 0 },
		{ -EAGAIN, 503, 30 },  { -ENOMEM, 500, 0 },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		scene->core.submit_err = cases[i].err;
		scene_message(scene, &usual);
		assert_int_equal(scene->link.replies, i + 1);
		assert_int_equal(scene->link.code, cases[i].code);
		assert_int_equal(scene->link.retry_after_s, cases[i].retry_after_s);
	}
}

static void a_request_sent_anew_has_the_same_key_and_another_one_not(void **state)
{
	static const struct scene_message others[] = { { .call_id = "another" },
						       { .body = "Hello!" },
						       { .to = "sip:46702@127.0.0.1" } };
	struct scene *scene = *state;
	uint8_t key[TEXT_KEY_SIZE];

	scene_message(scene, &usual);
	memcpy(key, scene->core.key, sizeof(key));
	scene_message(scene, &(struct scene_message){ .number = 3 });
	assert_memory_equal(scene->core.key, key, sizeof(key));
	for (size_t i = 0; i < COUNT(others); i++) {
		scene_message(scene, &others[i]);
		assert_memory_not_equal(scene->core.key, key, sizeof(key));
	}
}

static void without_keys_or_room_it_is_asked_to_come_again(void **state)
{
	struct scene *scene = *state;

	for (unsigned i = 0; i < SIP_TEXTS_ASKED; i++)
		scene_message(scene, &usual);
	assert_int_equal(scene->link.replies, 0);
	scene_message(scene, &usual);
	assert_int_equal(scene->link.code, 503);
	assert_int_equal(scene->link.retry_after_s, 30);
	sip_texts_lost(scene->texts); /* all that wait are its own to answer */
	scene->core.own_uri[0] = '\0';
	scene_message(scene, &usual);
	assert_int_equal(scene->link.code, 503);
	assert_string_equal(scene->link.phrase, "the gateway has no keys");
	assert_int_equal(scene->core.submits, SIP_TEXTS_ASKED);
}

/* CIG-029: the maps decide whose number it appears to be from. */
static void a_route_back_or_from_anothers_number_is_refused(void **state)
{
	struct scene *scene = *state;

	snprintf(scene->core.own_uri, sizeof(scene->core.own_uri), "tel:+9999");
	scene_message(scene, &usual);
	assert_int_equal(scene->link.code, 403);
	assert_int_equal(scene->core.submits, 0);
}

static void an_event_of_something_else_is_left_to_others(void **state)
{
	struct scene *scene = *state;
	SipAgent__FromAgent event = SIP_AGENT__FROM_AGENT__INIT;

	assert_false(sip_texts_event(scene->texts, &event));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_text_is_answered_when_the_rendezvous_has_it),
		SCENE_TEST(a_slow_rendezvous_is_not_waited_for_once_the_text_is_stored),
		SCENE_TEST(one_that_is_not_stored_keeps_none_behind_it_waiting),
		SCENE_TEST(a_refusal_of_the_rendezvous_is_the_answer),
		SCENE_TEST(one_that_is_forgotten_is_to_come_again),
		SCENE_TEST(what_cannot_be_is_refused_with_a_code),
		SCENE_TEST(parts_of_a_multipart_are_text_and_attachments),
		SCENE_TEST(what_the_core_says_becomes_a_code),
		SCENE_TEST(a_request_sent_anew_has_the_same_key_and_another_one_not),
		SCENE_TEST(without_keys_or_room_it_is_asked_to_come_again),
		SCENE_TEST(a_route_back_or_from_anothers_number_is_refused),
		SCENE_TEST(an_event_of_something_else_is_left_to_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
