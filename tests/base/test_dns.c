/* Names to addresses: what is answered, what was dropped, and what is left of both when
 * the owner goes at any moment.  Run under a sanitizer, a leak is a failure. */
#include "tests/unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/dns.h>
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

static char settings[64]; /* instead of /etc/resolv.conf; "": none */

int __real_evdns_base_resolv_conf_parse(struct evdns_base *base, int flags, const char *path);
int __wrap_evdns_base_resolv_conf_parse(struct evdns_base *base, int flags, const char *path);
int __wrap_evdns_base_resolv_conf_parse(struct evdns_base *base, int flags, const char *path)
{
	return __real_evdns_base_resolv_conf_parse(base, flags, settings[0] ? settings : path);
}

int __real_stat(const char *path, struct stat *out);
int __wrap_stat(const char *path, struct stat *out);
int __wrap_stat(const char *path, struct stat *out)
{
	return __real_stat(settings[0] && strstr(path, "resolv.conf") ? settings : path, out);
}

/* Of other ones the file has another time. */
static void write_settings(const char *server, int minute)
{
	const struct timespec times[2] = { { 60 * minute, 0 }, { 60 * minute, 0 } };
	FILE *file = fopen(settings, "w");

	assert_non_null(file);
	fprintf(file, "nameserver %s\n", server);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(utimensat(AT_FDCWD, settings, times, 0), 0);
}

/* Does a question come in at the socket in a while, behind one that asks again? */
static bool is_asked(struct scene *scene, int fd)
{
	struct pollfd look = { .fd = fd, .events = POLLIN };

	ask(scene, "nobody.invalid");
	event_base_loop(scene->base, EVLOOP_NONBLOCK);
	dns_drop(&scene->question);
	event_base_loop(scene->base, EVLOOP_NONBLOCK);
	return poll(&look, 1, 200) == 1;
}

/* At boot the network, and with it the name servers, may come behind us. */
static void name_servers_that_become_known_later_are_asked(void **state)
{
	struct scene *scene = *state;
	struct sockaddr_in at = { .sin_family = AF_INET };
	char server[64];
	socklen_t n = sizeof(at);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	inet_pton(AF_INET, "127.0.0.9", &at.sin_addr);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	snprintf(settings, sizeof(settings), "/tmp/resolv.XXXXXX");
	assert_true(close(mkstemp(settings)) == 0);
	write_settings("127.0.0.8:9", 1);
	assert_false(is_asked(scene, fd));
	snprintf(server, sizeof(server), "127.0.0.9:%u", ntohs(at.sin_port));
	write_settings(server, 2);
	assert_true(is_asked(scene, fd));
	unlink(settings);
	settings[0] = '\0';
	close(fd);
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
		SCENE_TEST(name_servers_that_become_known_later_are_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
