/* Names to addresses: what is answered, what was dropped, and what is left of both when
 * the owner goes at any moment.  Run under a sanitizer, a leak is a failure. */
#include "tests/unit.h"

#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <event2/event.h>
#include <event2/util.h>

#include "base/dns.h"
#include "tests/umsg/loop.h"

struct scene {
	struct event_base *base;
	struct dns *dns;
	struct dns_question *question;
	unsigned answers;
	int error;
	bool loopback, frees_dns;
};

static const struct addrinfo stream = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	scene->base = event_base_new();
	scene->dns = dns_new(scene->base);
	assert_non_null(scene->dns);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	dns_free(&scene->dns);
	assert_null(scene->dns);
	event_base_loop(scene->base, EVLOOP_NONBLOCK); /* as the header asks for */
	event_base_free(scene->base);
	free(scene);
	return 0;
}

static void on_answer(void *arg, int error, const struct addrinfo *addresses)
{
	struct scene *scene = arg;

	scene->question = NULL;
	scene->answers++;
	scene->error = error;
	assert_int_equal(error == 0, addresses != NULL);
	if (addresses) {
		const struct sockaddr_in *in = (const void *)addresses->ai_addr;

		scene->loopback = in->sin_addr.s_addr == htonl(INADDR_LOOPBACK);
	}
	if (scene->frees_dns)
		dns_free(&scene->dns);
}

/* Nobody may answer for .invalid (RFC 6761), and until the loop turns nobody has. */
static void ask(struct scene *scene, const char *host)
{
	scene->question = dns_ask(scene->dns, host, &stream, on_answer, scene);
	assert_non_null(scene->question);
	assert_int_equal(scene->answers, 0);
}

static void a_name_of_the_hosts_file_is_answered_from_the_loop(void **state)
{
	struct scene *scene = *state;

	ask(scene, "localhost");
	LOOP_UNTIL(scene->base, scene->answers == 1);
	assert_int_equal(scene->error, 0);
	assert_true(scene->loopback);
}

static void what_is_no_name_is_answered_with_the_reason(void **state)
{
	struct scene *scene = *state;

	ask(scene, "");
	LOOP_UNTIL(scene->base, scene->answers == 1);
	assert_int_not_equal(scene->error, 0);
	assert_non_null(evutil_gai_strerror(scene->error));
}

static void a_dropped_question_is_not_answered(void **state)
{
	static const char *const hosts[] = { "localhost", "nobody.invalid" };
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(hosts); i++) {
		ask(scene, hosts[i]);
		dns_drop(&scene->question);
		assert_null(scene->question);
		dns_drop(&scene->question); /* of nothing */
		event_base_loop(scene->base, EVLOOP_NONBLOCK);
		assert_int_equal(scene->answers, 0);
	}
	ask(scene, "localhost"); /* and the next one is */
	LOOP_UNTIL(scene->base, scene->answers == 1);
}

static void the_owner_may_go_while_questions_are_open(void **state)
{
	struct scene *scene = *state;

	ask(scene, "nobody.invalid");
	ask(scene, "localhost");
	ask(scene, "somebody.invalid");
	dns_drop(&scene->question);
	dns_free(&scene->dns);
	event_base_loop(scene->base, EVLOOP_NONBLOCK);
	assert_int_equal(scene->answers, 0);
}

static void the_owner_may_go_with_an_answer(void **state)
{
	struct scene *scene = *state;

	scene->frees_dns = true;
	ask(scene, "nobody.invalid");
	ask(scene, "localhost");
	LOOP_UNTIL(scene->base, scene->answers == 1);
	assert_null(scene->dns);
	event_base_loop(scene->base, EVLOOP_NONBLOCK);
	assert_int_equal(scene->answers, 1);
}

#define SCENE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_name_of_the_hosts_file_is_answered_from_the_loop),
		SCENE_TEST(what_is_no_name_is_answered_with_the_reason),
		SCENE_TEST(a_dropped_question_is_not_answered),
		SCENE_TEST(the_owner_may_go_while_questions_are_open),
		SCENE_TEST(the_owner_may_go_with_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
