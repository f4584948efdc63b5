#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/service.h"
#include "tests/umsg/loop.h"

struct manager {
	struct event_base *base;
	char dir[64], path[80];
	int fd;
	unsigned signs;
	bool strange; /* something else was said */
};

static void on_datagram(evutil_socket_t fd, short what, void *arg)
{
	struct manager *manager = arg;
	char text[64] = "";

	(void)what;
	assert_true(recv(fd, text, sizeof(text) - 1, 0) > 0);
	manager->signs++;
	manager->strange |= strcmp(text, "WATCHDOG=1") != 0;
}

static int open_manager(void **state)
{
	struct manager *manager = calloc(1, sizeof(*manager));

	manager->base = event_base_new();
	snprintf(manager->dir, sizeof(manager->dir), "/tmp/service-XXXXXX");
	assert_non_null(mkdtemp(manager->dir));
	snprintf(manager->path, sizeof(manager->path), "%s/notify", manager->dir);
	manager->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(manager->fd >= 0);
	*state = manager;
	return 0;
}

static int close_manager(void **state)
{
	struct manager *manager = *state;

	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	close(manager->fd);
	unlink(manager->path);
	rmdir(manager->dir);
	event_base_free(manager->base);
	free(manager);
	return 0;
}

/* Listens under that name, '@' for the abstract name space. */
static void listen_at(struct manager *manager, const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	size_t n = strlen(name);

	memcpy(at.sun_path, name, n);
	if (name[0] == '@')
		at.sun_path[0] = '\0';
	assert_int_equal(bind(manager->fd, (struct sockaddr *)&at,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
			 0);
	setenv("NOTIFY_SOCKET", name, 1);
}

static void hear(struct manager *manager, unsigned signs)
{
	struct event *event =
		event_new(manager->base, manager->fd, EV_READ | EV_PERSIST, on_datagram, manager);

	event_add(event, NULL);
	LOOP_UNTIL(manager->base, manager->signs >= signs);
	assert_false(manager->strange);
	event_free(event);
}

static void a_loop_that_turns_says_so_again_and_again(void **state)
{
	struct manager *manager = *state;
	struct service_watch *watch;
	char pid[16];

	listen_at(manager, manager->path);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	setenv("WATCHDOG_USEC", "80000", 1);
	watch = service_watch_new(manager->base);
	assert_non_null(watch);
	hear(manager, 4);
	service_watch_free(&watch);
	assert_null(watch);
}

/* A start may take longer than the first pause. */
static void the_first_sign_comes_before_the_loop_turns(void **state)
{
	struct manager *manager = *state;
	struct service_watch *watch;
	char text[16] = "";

	listen_at(manager, manager->path);
	setenv("WATCHDOG_USEC", "3600000000", 1);
	watch = service_watch_new(manager->base);
	assert_non_null(watch);
	assert_int_equal(recv(manager->fd, text, sizeof(text), MSG_DONTWAIT), 10);
	assert_memory_equal(text, "WATCHDOG=1", 10);
	service_watch_free(&watch);
}

static void a_manager_in_the_abstract_name_space_hears_it(void **state)
{
	struct manager *manager = *state;
	struct service_watch *watch;
	char name[96];

	snprintf(name, sizeof(name), "@%s", manager->dir);
	listen_at(manager, name);
	setenv("WATCHDOG_USEC", "40000", 1);
	watch = service_watch_new(manager->base);
	assert_non_null(watch);
	hear(manager, 2);
	service_watch_free(&watch);
}

static void who_is_not_asked_says_nothing(void **state)
{
	static const struct {
		const char *socket, *us, *pid; /* NULL: not set */
	} cases[] = {
		{ NULL, NULL, NULL },
		{ "/run/x", NULL, NULL },
		{ NULL, "1000000", NULL },
		{ "/run/x", "", NULL },
		{ "/run/x", "0", NULL },
		{ "/run/x", "-1", NULL },
		{ "/run/x", "1s", NULL },
		{ "/run/x", " 1000", NULL },
		{ "/run/x", "3", NULL },
		{ "", "1000000", NULL },
		{ "run/x", "1000000", NULL },
		{ "@", "1000000", NULL },
		{ "/", "1000000", NULL },
		{ "/run/x", "1000000", "1" },
		{ "/run/x", "1000000", "" },
		{ "/run/x", "99999999999999999999", NULL },
		{ "/run/x/0123456789012345678901234567890123456789012345678901234567890123456789012"
		  "345678901234567890123456789012345678",
		  "1000000", NULL },
	};
	struct manager *manager = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *const names[] = { "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID" };
		const char *const values[] = { cases[i].socket, cases[i].us, cases[i].pid };

		for (size_t k = 0; k < COUNT(names); k++) {
			unsetenv(names[k]);
			if (values[k])
				setenv(names[k], values[k], 1);
		}
		if (service_watch_new(manager->base))
			fail_msg("case %zu", i);
	}
}

/* Nobody reads: it is no reason to wait, or to end. */
static void a_manager_that_is_gone_holds_nobody_up(void **state)
{
	struct manager *manager = *state;
	struct service_watch *watch;

	setenv("NOTIFY_SOCKET", manager->path, 1);
	setenv("WATCHDOG_USEC", "1000000", 1);
	watch = service_watch_new(manager->base);
	assert_non_null(watch);
	service_watch_free(&watch);
}

#define MANAGER_TEST(name) cmocka_unit_test_setup_teardown(name, open_manager, close_manager)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MANAGER_TEST(a_loop_that_turns_says_so_again_and_again),
		MANAGER_TEST(the_first_sign_comes_before_the_loop_turns),
		MANAGER_TEST(a_manager_in_the_abstract_name_space_hears_it),
		MANAGER_TEST(who_is_not_asked_says_nothing),
		MANAGER_TEST(a_manager_that_is_gone_holds_nobody_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
