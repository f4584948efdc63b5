/* A real crs: how long connections stay. */
#include "tests/unit.h"

#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "tests/rendezvous/party.h"
#include "tests/rendezvous/scene.h"

enum { CROWD_MAX = 2000 };

static const char lines[] = "keep-alive tel:+46701@acme ws 1000 1000\n"
			    "keep-alive tel:+46702@acme tcp 3000\n"
			    "keep-alive tel:+46705@acme ws 111000\n"
			    "keep-alive tel:+46705@acme ws 222000\n"
			    "keep-alive tel:+46706@acme tcp 333000\n"
			    "keep-alive 127.0.0.2/32 ws 444000\n"
			    "detach-cleanup tel:+46703@acme 1000\n"
			    "detach-cleanup 192.0.2.0/24 1000\n"
			    "post-rate 20 2\n";

static int open_scene(void **state)
{
	struct scene *scene = scene_new(state);

	scene_configure(scene, lines);
	scene_start(scene);
	return 0;
}

/* CRS-022 and CRS-023: the ping comes at the interval, not before. */
static void a_silent_client_is_pinged_at_its_interval(void **state)
{
	struct scene *scene = *state;
	struct party p;
	int64_t begun_ms = clock_mono_ms();

	party_attach(&p, scene, "tel:+46701");
	for (int i = 0; i < 2; i++) {
		assert_true(party_hears(&p, "pinged"));
		assert_true(clock_mono_ms() - begun_ms >= 900 * (i + 1));
	}
	assert_false(party_heard(&p, "closed"));
	party_close(&p);
}

/* CRS-024: without an answer within the grace period the connection is stale. */
static void a_client_that_answers_no_ping_is_cut_off(void **state)
{
	struct scene *scene = *state;
	struct party p;
	int64_t begun_ms = clock_mono_ms();

	party_attach(&p, scene, "tel:+46701");
	link_pause(p.link, true); /* reads no ping, answers none */
	assert_true(scene_cli_shows(scene, "show attach", "tel:+46701", false));
	assert_true(clock_mono_ms() - begun_ms >= 1900); /* the interval, and the grace period */
	link_pause(p.link, false);
	assert_true(party_hears(&p, "closed"));
	party_close(&p);
}

/* What ss says of the server's side of its connections. */
static void list_sockets(const struct scene *scene, char output[SCENE_OUTPUT])
{
	char command[128];

	snprintf(command, sizeof(command), "ss -Htno state established '( sport = :%u )'",
		 scene->port);
	assert_int_equal(scene_shell(command, output), 0);
}

/* The seconds that ss has in "timer:(keepalive,2.9sec,0)"; -1: it has no such timer. */
static double keep_alive_left(const char *output)
{
	const char *timer = strstr(output, "timer:(keepalive,");
	char *unit;
	double number;

	if (!timer)
		return -1;
	number = strtod(timer + strlen("timer:(keepalive,"), &unit);
	return strncmp(unit, "ms", 2) == 0 ? number / 1000 : *unit == 'm' ? number * 60 : number;
}

/* CRS-022: by TCP, as the kernel shows it as soon as nothing is on the way. */
static void tcp_keep_alives_are_the_kernels(void **state)
{
	struct scene *scene = *state;
	int64_t until_ms = clock_mono_ms() + SCENE_PATIENCE_MS;
	char output[SCENE_OUTPUT] = "";
	struct party p;

	party_attach(&p, scene, "tel:+46702");
	while (!strstr(output, "timer:(keepalive,") && clock_mono_ms() < until_ms) {
		scene_run(scene);
		list_sockets(scene, output);
	}
	assert_true(keep_alive_left(output) >= 0);
	assert_true(keep_alive_left(output) <= 3); /* not the system's two hours */
	party_close(&p);
}

/* CRS-025: the first line that matches counts, whatever kind it is of.  CRS-026: with none it
 * is a ping after a little over 20 minutes; what came of it is in the trace of events. */
static void the_first_line_that_matches_counts_else_the_default(void **state)
{
	static const struct {
		const char *uri, *traced;
	} rows[] = {
		{ "tel:+46705",
		  "uri=tel:+46705 account=acme keep-alive by line 8 of crs.conf: ws 111000 ms" },
		{ "tel:+46706",
		  "uri=tel:+46706 account=acme keep-alive by line 10 of crs.conf: tcp 333000 ms" },
		{ "tel:+46707",
		  "uri=tel:+46707 account=acme keep-alive by default: ws 1260000 ms" },
	};
	struct scene *scene = *state;
	struct party p;

	scene_trace(scene, "event");
	for (size_t i = 0; i < COUNT(rows); i++) {
		party_attach(&p, scene, rows[i].uri);
		assert_true(scene_traced(scene, rows[i].traced));
		party_close(&p);
	}
}

static void block(struct scene *scene, const char *verb, const char *uri)
{
	char words[64], output[SCENE_OUTPUT];

	snprintf(words, sizeof(words), "blacklist %s acme %s", verb, uri);
	assert_int_equal(scene_cli(scene, words, output), 0);
}

/* CRS-031 and CRS-032, and CRS-033: who has no such line stays connected. */
static void a_denied_client_is_closed_after_its_delay(void **state)
{
	struct scene *scene = *state;
	struct party cleaned, stays;
	int64_t denied_ms;

	block(scene, "add", "tel:+46703");
	block(scene, "add", "tel:+46704");
	party_open(&stays, scene,
		   &(struct party_options){ .uri = "tel:+46704", .generation = 1, .device = 1 });
	assert_true(party_hears(&stays, "denied"));
	party_open(&cleaned, scene,
		   &(struct party_options){ .uri = "tel:+46703", .generation = 1, .device = 1 });
	assert_true(party_hears(&cleaned, "denied"));
	denied_ms = clock_mono_ms();
	assert_true(party_hears(&cleaned, "closed"));
	assert_true(clock_mono_ms() - denied_ms >= 900);
	/* Still there, and as soon as it may, it is let in by the same connection. */
	assert_false(party_heard(&stays, "closed"));
	block(scene, "remove", "tel:+46704");
	party_register(&stays);
	assert_true(party_hears(&stays, "registered primary"));
	block(scene, "remove", "tel:+46703");
	party_close(&cleaned);
	party_close(&stays);
}

/* CRS-031: unregistered later on, not denied at once. */
static void an_unregistered_client_is_closed_after_its_delay(void **state)
{
	struct scene *scene = *state;
	struct party p;

	party_attach(&p, scene, "tel:+46703");
	block(scene, "add", "tel:+46703");
	assert_true(party_hears(&p, "unregistered"));
	assert_true(party_hears(&p, "closed"));
	block(scene, "remove", "tel:+46703");
	party_close(&p);
}

/* Descriptors that a process has open. */
static size_t descriptors(pid_t pid)
{
	char path[64];
	size_t n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	d = opendir(path);
	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* Memory of its own that a process has, in KiB. */
static long own_kib(pid_t pid)
{
	char path[64], line[256];
	long kib = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	assert_non_null(f);
	while (kib < 0 && fgets(line, sizeof(line), f))
		if (strncmp(line, "RssAnon:", 8) == 0)
			kib = strtol(line + 8, NULL, 10);
	fclose(f);
	assert_true(kib > 0);
	return kib;
}

/* CROWD in the environment makes it more than a hundred clients. */
static int crowd_size(void)
{
	const char *text = getenv("CROWD");
	char *end;
	long n = text ? strtol(text, &end, 10) : 100;

	assert_true(!text || (end != text && !*end));
	assert_in_range(n, 2, CROWD_MAX);
	return (int)n;
}

/* All of them come, post to their neighbour, look for messages, and go. */
static void crowd_comes_and_goes(struct scene *scene, struct party *crowd, int n)
{
	static char uris[CROWD_MAX][24];

	for (int i = 0; i < n; i++) {
		snprintf(uris[i], sizeof(uris[i]), "tel:+4681%06d", i);
		party_attach(&crowd[i], scene, uris[i]);
	}
	for (int i = 0; i < n; i++)
		party_post(&crowd[i], uris[(i + 1) % n], 'm', 500);
	for (int i = 0; i < n; i++) {
		assert_true(party_hears(&crowd[i], "deliver m"));
		party_taken(&crowd[i], uris[(i + n - 1) % n], 'm');
	}
	for (int i = 0; i < n; i++) /* before the delivery where that took a second */
		assert_true(party_heard(&crowd[i], "post_ack m 0") ||
			    party_hears(&crowd[i], "post_ack m 0"));
	for (int i = 0; i < n; i++)
		party_close(&crowd[i]);
}

/* Nothing of a connection stays with the workers.  In builds with sanitizers freed memory is held
 * back, and leaks are told at the end: there only the descriptors count. */
static void a_crowd_that_went_leaves_nothing_open(void **state)
{
	struct scene *scene = *state;
	int n = crowd_size();
	struct party *crowd = calloc((size_t)n, sizeof(*crowd));
	pid_t worker[2] = { scene_process(scene, "app: worker-0"),
			    scene_process(scene, "app: worker-1") };
	size_t before[2] = { descriptors(worker[0]), descriptors(worker[1]) };
	long kib = 0;

	assert_non_null(crowd);
	for (int round = 0; round < 3; round++) {
		crowd_comes_and_goes(scene, crowd, n);
		for (int w = 0; w < 2; w++) {
			int64_t until_ms = clock_mono_ms() + SCENE_PATIENCE_MS;

			while (descriptors(worker[w]) > before[w] && clock_mono_ms() < until_ms)
				scene_run(scene);
			assert_true(descriptors(worker[w]) <= before[w]);
		}
		if (round == 0)
			kib = own_kib(worker[0]) + own_kib(worker[1]);
	}
	kib = own_kib(worker[0]) + own_kib(worker[1]) - kib;
	print_message(
		"%d clients thrice: %ld KiB more after the third round than after the first\n", n,
		kib);
#ifndef __SANITIZE_ADDRESS__
	assert_true(kib <
		    1024 + n); /* a connection has more than 10 KiB; two rounds of them came */
#endif
	free(crowd);
}

/* CRS-022 and CRS-031: the same by network, of which the client is one of many. */
static void a_network_has_its_rules(void **state)
{
	struct scene *scene = *state;
	int64_t begun_ms, denied_ms;
	struct party p;

	assert_int_equal(scene_stop(&scene->crs), 0);
	scene_configure(scene, "keep-alive 127.0.0.0/255.0.0.0 ws 1000 1000\n"
			       "detach-cleanup 127.0.0.0/8 1000\n");
	scene_start(scene);
	begun_ms = clock_mono_ms();
	party_attach(&p, scene, "tel:+46731");
	assert_true(party_hears(&p, "pinged"));
	assert_true(clock_mono_ms() - begun_ms >= 900);
	block(scene, "add", "tel:+46731");
	assert_true(party_hears(&p, "unregistered"));
	denied_ms = clock_mono_ms();
	assert_true(party_hears(&p, "closed"));
	assert_true(clock_mono_ms() - denied_ms >= 900);
	party_close(&p);
}

/* How often the log has this text. */
static int logged(const struct scene *scene, const char *text)
{
	char path[128];
	uint8_t *data = NULL;
	size_t n = 0;
	int count = 0;

	snprintf(path, sizeof(path), "%s/log/crs.log", scene->root);
	assert_int_equal(file_read(path, 1 << 20, &data, &n), 0);
	for (const char *p = (const char *)data; (p = strstr(p, text)); p++)
		count++;
	free(data);
	return count;
}

static void store_something(struct party *party, int times)
{
	for (int i = 0; i < times; i++)
		party_keep(party, "settings", "text", "x");
}

/* Issue "Abuse": limits by client, one line of the log a cause and client, and the others are
 * served as before. */
static void a_client_that_asks_too_much_is_refused_and_logged_once(void **state)
{
	struct scene *scene = *state;
	struct party a, b, c;

	party_attach(&a, scene, "tel:+46711");
	party_attach(&b, scene, "tel:+46712");
	party_attach(&c, scene, "tel:+46713");
	store_something(&a, 60);
	store_something(&b, 60);
	assert_true(party_hears(&a, "error 12 too many requests"));
	assert_true(party_hears(&b, "error 12 too many requests"));
	for (int i = 0; i < 30; i++)
		party_register(&a);
	store_something(&a, 10);
	party_keep(&c, "settings", "text", "x");
	assert_true(party_hears(&c, "done"));
	assert_false(party_heard(&c, "error"));
	/* Who is refused is not cut off, and goes on when its time has come. */
	store_something(&a, 1);
	assert_true(party_hears(&a, "done") || party_hears(&a, "error 12"));
	assert_false(party_heard(&a, "closed"));
	party_bang(&a, "tel:+46799", '1');
	assert_true(party_hears(&a, "hangup 5"));
	assert_int_equal(logged(scene, "uri=tel:+46711 account=acme: too many client data"), 1);
	assert_int_equal(logged(scene, "uri=tel:+46712 account=acme: too many client data"), 1);
	assert_int_equal(logged(scene, "uri=tel:+46711 account=acme: too many registrations"), 1);
	assert_int_equal(logged(scene, "uri=tel:+46713"), 0);
	party_close(&a);
	party_close(&b);
	party_close(&c);
}

/* The same of posts and parts: so many at once, and so many in the long run. */
static void a_client_that_posts_too_much_is_told_when_to_try_again(void **state)
{
	struct scene *scene = *state;
	struct party a, b;

	party_attach(&a, scene, "tel:+46721");
	party_attach(&b, scene, "tel:+46722");
	for (int i = 0; i < 19; i++)
		party_post(&a, "tel:+46799", (char)('A' + i), 100);
	assert_true(party_hears(&a, "post_ack S 5")); /* no such receiver: but served */
	assert_false(party_heard(&a, "error 12"));
	for (int i = 0; i < 5; i++)
		party_part(&a, "tel:+46799", 'a', 1, 100);
	assert_true(party_hears(&a, "error 12 too many requests"));
	party_post(&b, "tel:+46799", 'z', 100); /* the others are served as before */
	assert_true(party_hears(&b, "post_ack z 5"));
	assert_false(party_heard(&a, "closed"));
	for (int tries = 0; tries < 200 && !party_heard(&a, "post_ack t"); tries++) {
		party_post(&a, "tel:+46799", 't', 100);
		for (int turns = 0; turns < 5; turns++)
			scene_run(scene);
	}
	assert_true(party_heard(&a, "post_ack t 5"));
	assert_int_equal(logged(scene, "uri=tel:+46721 account=acme: too many posts"), 1);
	assert_int_equal(logged(scene, "uri=tel:+46722"), 0);
	party_close(&a);
	party_close(&b);
}

static unsigned lines_with(const char *heard, const char *text)
{
	unsigned n = 0;

	for (; (heard = strstr(heard, text)); heard++)
		n++;
	return n;
}

/* What is used up stays used up: a new connection has it from its user, in each of the two
 * workers. */
static void a_new_connection_brings_no_new_limits(void **state)
{
	enum { CONNECTIONS = 8, POSTS = 20, WORKERS = 2 };
	struct scene *scene = *state;
	unsigned served = 0, answered;
	int64_t begin_ms = clock_mono_ms();
	struct party a;

	for (int i = 0; i < CONNECTIONS; i++) {
		party_attach(&a, scene, "tel:+46731");
		for (int k = 0; k < POSTS; k++)
			party_post(&a, "tel:+46799", (char)('A' + k), 100);
		do {
			scene_run(scene);
			answered =
				lines_with(a.heard, "post_ack") + lines_with(a.heard, "error 12");
		} while (answered < POSTS && clock_mono_ms() < begin_ms + SCENE_PATIENCE_MS);
		assert_int_equal(answered, POSTS);
		served += lines_with(a.heard, "post_ack");
		party_close(&a);
	}
	/* two a second come back (post-rate) */
	assert_true(served <= WORKERS * (POSTS + 2 * (clock_mono_ms() - begin_ms) / 1000 + 1));
	assert_true(served >= POSTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_silent_client_is_pinged_at_its_interval),
		cmocka_unit_test(a_client_that_answers_no_ping_is_cut_off),
		cmocka_unit_test(tcp_keep_alives_are_the_kernels),
		cmocka_unit_test(the_first_line_that_matches_counts_else_the_default),
		cmocka_unit_test(a_denied_client_is_closed_after_its_delay),
		cmocka_unit_test(an_unregistered_client_is_closed_after_its_delay),
		cmocka_unit_test(a_client_that_asks_too_much_is_refused_and_logged_once),
		cmocka_unit_test(a_client_that_posts_too_much_is_told_when_to_try_again),
		cmocka_unit_test(a_new_connection_brings_no_new_limits),
		cmocka_unit_test(a_crowd_that_went_leaves_nothing_open),
		cmocka_unit_test(a_network_has_its_rules), /* the last: it has lines of its own */
	};

	return cmocka_run_group_tests(tests, open_scene, scene_tear_down);
}
