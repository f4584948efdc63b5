/* Figures as Prometheus reads them, text format 0.0.4, and the port that gives them. */
#include "tests/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/control.h"
#include "base/diag.h"
#include "base/figures.h"

/* ---- samples ---- */

static void assert_written(figures_write_fn *write, const char *want)
{
	char *text = NULL;
	size_t n;
	FILE *to = open_memstream(&text, &n);

	assert_non_null(to);
	write(to, NULL);
	fclose(to);
	assert_string_equal(text, want);
	free(text);
}

static void write_samples(FILE *to, void *arg)
{
	(void)arg;
	figures_gauge(to, "up", "is it", 0.5);
	figures_gauge(to, "uptime_seconds", "since when", 31536001);
	figures_counter(to, "calls_total", "how many", UINT64_MAX);
	figures_seconds(to, "busy_seconds_total", "how long", 1005);
	/* a year and a millisecond: a double of seconds would still do, one of 1,000 years
	 * not */
	figures_seconds(to, "run_seconds_total", "how long", UINT64_C(31536000000001));
}

static void each_sample_has_its_help_and_type(void **state)
{
	(void)state;
	assert_written(write_samples, "# HELP up is it\n# TYPE up gauge\nup 0.5\n"
				      "# HELP uptime_seconds since when\n"
				      "# TYPE uptime_seconds gauge\nuptime_seconds 31536001\n"
				      "# HELP calls_total how many\n# TYPE calls_total counter\n"
				      "calls_total 18446744073709551615\n"
				      "# HELP busy_seconds_total how long\n"
				      "# TYPE busy_seconds_total counter\n"
				      "busy_seconds_total 1.005\n"
				      "# HELP run_seconds_total how long\n"
				      "# TYPE run_seconds_total counter\n"
				      "run_seconds_total 31536000000.001\n");
}

static void write_label(FILE *to, void *arg)
{
	(void)arg;
	figures_label(to, "a\"b\\c\nd\xc3\xa5");
	figures_label(to, "");
}

/* A name of the configuration must not end the sample and begin another one. */
static void a_label_cannot_leave_its_quotes_or_its_line(void **state)
{
	(void)state;
	assert_written(write_label, "a\\\"b\\\\c d\xc3\xa5");
}

/* ---- the port ---- */

struct scene {
	struct event_base *base;
	struct figures_port *port;
	struct control_request *kept;
	uint16_t number;
	bool fails;
};

static void write_one(FILE *to, void *arg)
{
	(void)arg;
	figures_gauge(to, "up", "is it", 1);
}

static void on_ask(struct control_request *request, void *arg)
{
	struct scene *scene = arg;

	if (scene->fails)
		control_answer_error(request, 503, "nobody knows");
	else
		scene->kept = request;
}

/* A free port: what the system gave a socket that is closed again. */
static uint16_t free_port(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&addr, n) == 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &n), 0);
	close(fd);
	return ntohs(addr.sin_port);
}

static int open_scene(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	scene->base = event_base_new();
	scene->number = free_port();
	assert_int_equal(figures_port_new(scene->base, "127.0.0.1", scene->number, on_ask, scene,
					  &scene->port, NULL),
			 0);
	*state = scene;
	return 0;
}

static int close_scene(void **state)
{
	struct scene *scene = *state;

	figures_port_free(&scene->port);
	assert_null(scene->port);
	event_base_free(scene->base);
	free(scene);
	return 0;
}

static int ask(struct scene *scene, const char *request)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port = htons(scene->number),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		assert_int_equal(errno, EINPROGRESS);
	event_base_loop(scene->base, EVLOOP_NONBLOCK);
	assert_int_equal(write(fd, request, strlen(request)), strlen(request));
	return fd;
}

/* Runs the loop until the answer is whole, at most some thousand turns. */
static void hear(struct scene *scene, int fd, const char *end, char heard[4096])
{
	size_t n = 0;

	heard[0] = '\0';
	for (int i = 0; i < 5000 && !strstr(heard, end); i++) {
		struct timeval tick = { 0, 1000 };
		ssize_t got;

		event_base_loopexit(scene->base, &tick);
		event_base_loop(scene->base, EVLOOP_ONCE);
		if (scene->kept) {
			figures_answer(scene->kept, write_one, NULL);
			scene->kept = NULL;
		}
		got = read(fd, heard + n, 4095 - n);
		n += got > 0 ? (size_t)got : 0;
		heard[n] = '\0';
	}
	close(fd);
	if (!strstr(heard, end))
		fail_msg("heard: %s", heard);
}

/* Whatever host name a Prometheus was configured with. */
static void the_port_answers_metrics_under_any_name_and_nothing_else(void **state)
{
	struct scene *scene = *state;
	char heard[4096];

	hear(scene, ask(scene, "GET /metrics HTTP/1.1\r\nHost: gateway.example\r\n\r\n"), "up 1\n",
	     heard);
	assert_non_null(strstr(heard, "200 OK"));
	assert_non_null(strstr(heard, "text/plain; version=0.0.4"));
	hear(scene, ask(scene, "GET /calls HTTP/1.1\r\nHost: x\r\n\r\n"), "404", heard);
	hear(scene, ask(scene, "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"),
	     "405", heard);
	scene->fails = true;
	hear(scene, ask(scene, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), "nobody knows", heard);
	assert_non_null(strstr(heard, "503"));
}

static void a_port_that_is_taken_or_no_address_is_told(void **state)
{
	struct scene *scene = *state;
	struct figures_port *port = NULL;
	struct diag *diag = diag_new();

	assert_int_equal(figures_port_new(scene->base, "127.0.0.1", scene->number, on_ask, scene,
					  &port, diag),
			 -EADDRINUSE);
	assert_int_equal(diag_errors(diag), 1);
	assert_int_equal(figures_port_new(scene->base, "gateway", 1, on_ask, scene, &port, diag),
			 -EINVAL);
	assert_int_equal(diag_errors(diag), 2);
	assert_null(port);
	diag_free(&diag);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_sample_has_its_help_and_type),
		cmocka_unit_test(a_label_cannot_leave_its_quotes_or_its_line),
		cmocka_unit_test_setup_teardown(
			the_port_answers_metrics_under_any_name_and_nothing_else, open_scene,
			close_scene),
		cmocka_unit_test_setup_teardown(a_port_that_is_taken_or_no_address_is_told,
						open_scene, close_scene),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
