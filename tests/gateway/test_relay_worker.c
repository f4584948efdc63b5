/* A media thread of cig-relay begins whole or not at all, and ends whatever memory there is; so
 * does a call. */
#include "tests/unit.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/clock.h"
#include "gateway/relay/relay.h"
#include "gateway/relay/worker.h"
#include "gateway/relay_control.pb-c.h"
#include "tests/memory/scarce.h"
#include "tests/umsg/loop.h"

static unsigned threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	unsigned n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* A thread that was joined may be listed for a moment. */
static bool are_again(unsigned n)
{
	const struct timespec moment = { 0, 1000000 };
	int64_t until_ms = clock_mono_ms() + 5000;

	while (threads() != n && clock_mono_ms() < until_ms)
		nanosleep(&moment, NULL);
	return threads() == n;
}

static void done(struct queue *notices)
{
	struct queue_node *node = queue_take(notices);

	while (node) {
		struct queue_node *next = node->next;

		free(node);
		node = next;
	}
	queue_done(notices);
}

/* What it writes to is freed behind it: it must not go on. */
static void a_thread_ends_when_memory_is_out(void **state)
{
	unsigned before = threads();
	struct worker *worker;
	struct queue notices;

	(void)state;
	assert_int_equal(queue_init(&notices), 0);
	assert_int_equal(worker_start(&notices, 0, &worker), 0);
	assert_int_equal(threads(), before + 1);
	scarce_begin(1);
	worker_stop(&worker);
	(void)scarce_end();
	assert_null(worker);
	assert_true(are_again(before));
	done(&notices);
}

static bool start(unsigned n, void *arg)
{
	struct queue *notices = arg;
	struct worker *worker = NULL;
	bool failed;
	int err;

	scarce_begin(n);
	err = worker_start(notices, 0, &worker);
	failed = scarce_end();
	assert_int_equal(err, failed ? -ENOMEM : 0);
	worker_stop(&worker);
	return failed;
}

static void a_thread_begins_whole_or_not_at_all(void **state)
{
	unsigned before = threads();
	struct queue notices;

	(void)state;
	assert_int_equal(queue_init(&notices), 0);
	assert_true(scarce_each(start, &notices) >= 4);
	assert_true(are_again(before));
	done(&notices);
}

static void send_command(int fd, const Relay__Command *command)
{
	uint8_t octets[512];
	size_t n = relay__command__pack(command, octets);

	assert_int_equal(send(fd, octets, n, 0), n);
}

/* A connection that says Hello, and opens a call on any port. */
static int open_call(const char *dir)
{
	Relay__Hello hello = RELAY__HELLO__INIT;
	Relay__Open open = RELAY__OPEN__INIT;
	Relay__Command command = RELAY__COMMAND__INIT;
	char path[128], name[] = "a test", any[] = "127.0.0.1";
	int fd;

	snprintf(path, sizeof(path), "%s/cig-relay.sock", dir);
	fd = channel_connect(path);
	assert_true(fd >= 0);
	hello.version = 2;
	hello.program = name;
	command.of_case = RELAY__COMMAND__OF_HELLO;
	command.hello = &hello;
	send_command(fd, &command);
	open.call_id = 1;
	open.plain_ip = open.secure_ip = any;
	command.of_case = RELAY__COMMAND__OF_OPEN;
	command.open = &open;
	send_command(fd, &command);
	return fd;
}

/* Descriptors of sockets, by /proc. */
static unsigned sockets(void)
{
	char path[64], to[64];
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++) {
		ssize_t size;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		size = readlink(path, to, sizeof(to));
		n += size > 7 && memcmp(to, "socket:", 7) == 0;
	}
	return n;
}

/* A call that was opened and no more has no timeout: nobody else would end it. */
static void a_call_ends_with_its_connection_when_memory_is_out(void **state)
{
	char dir[] = "/tmp/relay-worker.XXXXXX";
	const struct relay_config config = { .run_dir = dir, .threads = 1, .max_calls = 10 };
	struct event_base *base = event_base_new();
	struct relay *relay = NULL;
	unsigned before;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(relay_new(base, &config, NULL, &relay), 0);
	before = sockets();
	/* Whichever allocation of that turn fails. */
	for (unsigned n = 1; n <= 4; n++) {
		int fd = open_call(dir);

		/* Both ends of the connection, RTP, RTCP, and the thread's own. */
		LOOP_UNTIL(base, sockets() == before + 5);
		scarce_begin(n);
		close(fd);
		LOOP_UNTIL(base, sockets() <= before + 3); /* both ends are gone */
		(void)scarce_end();
		LOOP_UNTIL(base, sockets() == before + 1); /* the call's, not the thread's */
	}
	relay_free(&relay);
	event_base_free(base);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thread_ends_when_memory_is_out),
		cmocka_unit_test(a_call_ends_with_its_connection_when_memory_is_out),
		cmocka_unit_test(a_thread_begins_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
