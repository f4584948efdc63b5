/* A real crs and a push service that checks what Apple's checks. */
#include "tests/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "tests/rendezvous/party.h"
#include "tests/rendezvous/scene.h"

#define ALICE "tel:+46700000001"

struct service {
	struct scene scene;
	pid_t node;
	unsigned port;
	unsigned bob; /* who is the receiver of the test that runs */
	char uri[32];
};

/* Waits until the service's output holds text; what it holds by then goes to out. */
static bool told(struct service *service, const char *text, char out[SCENE_OUTPUT])
{
	int64_t until_ms = clock_mono_ms() + SCENE_PATIENCE_MS;
	char path[128];

	snprintf(path, sizeof(path), "%s/apns.out", service->scene.root);
	do {
		uint8_t *content = NULL;
		size_t n = 0;

		out[0] = '\0';
		if (file_read(path, SCENE_OUTPUT - 1, &content, &n) == 0)
			memcpy(out, content, n + 1);
		free(content);
		if (strstr(out, text))
			return true;
		scene_run(&service->scene);
	} while (clock_mono_ms() < until_ms);
	print_message("the push service was not told \"%s\" in:\n%s", text, out);
	return false;
}

static void shell(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

/* Keys of the provider and a certificate for 127.0.0.1, in the scene's folder. */
static void make_keys(const struct service *service)
{
	assert_int_equal(setenv("D", service->scene.root, 1), 0);
	shell("openssl ecparam -name prime256v1 -genkey -noout -out \"$D/provider.pem\" "
	      "2>/dev/null");
	shell("openssl ec -in \"$D/provider.pem\" -pubout -out \"$D/provider.pub\" 2>/dev/null");
	shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
	      "-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout \"$D/apns.key\" "
	      "-out \"$D/apns.crt\" 2>/dev/null");
}

static void start_service(struct service *service)
{
	char script[512], out[SCENE_OUTPUT];

	assert_non_null(getenv("top_srcdir"));
	snprintf(script, sizeof(script),
		 "exec node '%s/tests/rendezvous/apns_server.mjs' \"$D/apns.key\" \"$D/apns.crt\" "
		 "\"$D/provider.pub\" KEY123 TEAM45 com.example.app >\"$D/apns.out\" 2>&1",
		 getenv("top_srcdir"));
	service->node = fork();
	if (service->node == 0) {
		execl("/bin/sh", "sh", "-c", script, (char *)NULL);
		_exit(127);
	}
	assert_true(told(service, "listening ", out));
	assert_int_equal(sscanf(strstr(out, "listening "), "listening %u", &service->port), 1);
}

static void configure(const struct service *service)
{
	const char *root = service->scene.root;
	char lines[1024];

	snprintf(lines, sizeof(lines),
		 "features push\npush-config apns type direct\n"
		 "push-config apns key %s/provider.pem\npush-config apns key-id KEY123\n"
		 "push-config apns team-id TEAM45\npush-config apns topic com.example.app\n"
		 "push-config apns url https://127.0.0.1:%u\npush-config apns ca %s/apns.crt\n",
		 root, service->port, root);
	shell("sed -i /^features/d \"$D/crs.conf\"");
	scene_configure(&service->scene, lines);
}

static int open_service(void **state)
{
	struct service *service = calloc(1, sizeof(*service));

	*state = service;
	scene_open(&service->scene, "");
	make_keys(service);
	start_service(service);
	configure(service);
	scene_start(&service->scene);
	scene_start_relay(&service->scene);
	return 0;
}

static int close_service(void **state)
{
	struct service *service = *state;

	kill(service->node, SIGKILL);
	waitpid(service->node, NULL, 0);
	scene_close(&service->scene);
	free(service);
	return 0;
}

/* A receiver nobody else has used, who stores a push token and goes away. */
static const char *absent(struct service *service, const char *device_token)
{
	char value[320];
	struct party bob;

	snprintf(service->uri, sizeof(service->uri), "tel:+4670111%04u", ++service->bob);
	snprintf(value, sizeof(value), "{\"created\": \"now\", \"tokens\": [\"%s\"]}",
		 device_token);
	party_open(&bob, &service->scene,
		   &(struct party_options){ .uri = service->uri, .generation = 1, .device = 1 });
	assert_true(party_hears(&bob, "registered primary"));
	party_keep(&bob, "push-token", "apns", value);
	assert_true(party_hears(&bob, "done"));
	party_close(&bob);
	assert_true(scene_cli_shows(&service->scene, "show attach", service->uri, false));
	return service->uri;
}

static void attach_alice(struct party *alice, struct service *service)
{
	party_open(alice, &service->scene,
		   &(struct party_options){ .uri = ALICE, .generation = 1, .device = 1 });
	assert_true(party_hears(alice, "registered primary"));
}

static void post(struct party *alice, const char *to, char message)
{
	char acked[] = "post_ack ? 0";

	acked[9] = message;
	party_post(alice, to, message, 100);
	assert_true(party_hears(alice, acked));
}

/* CRS-117, CRS-119 and CRS-021: a message for who is away is pushed straight to the service,
 * which takes our token.  CRS-118: the payload names nobody. */
static void a_message_for_who_is_away_is_pushed(void **state)
{
	struct service *service = *state;
	char out[SCENE_OUTPUT];
	struct party alice;
	const char *uri = absent(service, "0badcafe01"), *line;

	attach_alice(&alice, service);
	post(&alice, uri, 'a');
	assert_true(told(service, "\"token\":\"0badcafe01\"", out));
	line = strstr(out, "0badcafe01");
	assert_null(strstr(line, "4670"));
	assert_null(strstr(line, "acme"));
	assert_non_null(strstr(line, "content-available"));
	assert_null(strstr(out, "refused"));
	/* One look shows everything: no second push at once. */
	post(&alice, uri, 'b');
	post(&alice, absent(service, "0badcafe02"), 'c');
	assert_true(told(service, "0badcafe02", out));
	assert_null(strstr(strstr(out, "0badcafe01") + 10, "0badcafe01"));
	assert_non_null(strstr(out, "\"connections\":1"));
	assert_null(strstr(out, "\"connections\":2"));
	party_close(&alice);
}

/* CRS-122: the call waits for the callee to wake up, and rings then; one whom nobody can wake
 * up is not connected at once, and a caller who gives up is forgotten. */
static void a_call_rings_when_the_callee_has_woken_up(void **state)
{
	struct service *service = *state;
	char out[SCENE_OUTPUT], nobody[32] = "tel:+46702220001";
	const char *uri = absent(service, "ca22000001");
	struct party alice, bob;

	attach_alice(&alice, service);
	party_bang(&alice, uri, '2');
	assert_true(told(service, "ca22000001", out));
	party_open(&bob, &service->scene,
		   &(struct party_options){ .uri = uri, .generation = 1, .device = 1 });
	assert_true(party_hears(&bob, "bang from " ALICE));
	party_answer(&bob, ALICE, '2', UMSG__FRAME__BODY_GROWL);
	assert_true(party_hears(&alice, "growl"));
	party_hangup(&alice, uri, '2');
	assert_true(party_hears(&bob, "hangup"));
	party_close(&bob);

	party_open(&bob, &service->scene,
		   &(struct party_options){ .uri = nobody, .generation = 1, .device = 1 });
	assert_true(party_hears(&bob, "registered primary"));
	party_close(&bob);
	assert_true(scene_cli_shows(&service->scene, "show attach", nobody, false));
	party_bang(&alice, nobody, '3');
	assert_true(party_hears(&alice, "hangup 6 by 2"));

	uri = absent(service, "ca33000001");
	party_bang(&alice, uri, '4');
	assert_true(told(service, "ca33000001", out));
	party_hangup(&alice, uri, '4');
	party_post(&alice, uri, 'z', 100); /* behind the hangup, and at the same home */
	assert_true(party_hears(&alice, "post_ack z 0"));
	party_open(&bob, &service->scene,
		   &(struct party_options){ .uri = uri, .generation = 1, .device = 1 });
	assert_true(party_hears(&bob, "registered primary"));
	party_fetch(&bob, 0);
	assert_true(party_hears(&bob, "deliver z"));
	assert_false(party_heard(&bob, "bang"));
	party_close(&alice);
	party_close(&bob);
}

/* CRS-122: a call is pushed, too; CRS-067: and what the operator asks for. */
static void a_call_and_the_operator_wake_up_who_is_away(void **state)
{
	struct service *service = *state;
	char out[SCENE_OUTPUT], words[128];
	struct party alice;

	attach_alice(&alice, service);
	party_bang(&alice, absent(service, "ca11000001"), '1');
	assert_true(told(service, "ca11000001", out));
	snprintf(words, sizeof(words), "wakeup client acme %s", absent(service, "0e0e000001"));
	assert_int_equal(scene_cli(&service->scene, words, out), 0);
	assert_true(told(service, "0e0e000001", out));
	party_close(&alice);
}

static unsigned pushes_to(struct service *service, const char *device_token)
{
	char quoted[64], out[SCENE_OUTPUT];
	unsigned n = 0;

	snprintf(quoted, sizeof(quoted), "\"token\":\"%s\"", device_token);
	told(service, quoted, out);
	for (const char *at = out; (at = strstr(at, quoted)); at++)
		n++;
	return n;
}

/* CRS-067: what an operator is told was sent was sent, whatever was sent before. */
static void an_operator_wakes_up_who_was_just_pushed(void **state)
{
	struct service *service = *state;
	int64_t until_ms = clock_mono_ms() + SCENE_PATIENCE_MS;
	char out[SCENE_OUTPUT], words[128];
	struct party alice;

	attach_alice(&alice, service);
	party_bang(&alice, absent(service, "0e0e000002"), '2');
	assert_true(told(service, "0e0e000002", out));
	snprintf(words, sizeof(words), "wakeup client acme %s", service->uri);
	assert_int_equal(scene_cli(&service->scene, words, out), 0);
	assert_non_null(strstr(out, "on their way: 1"));
	while (pushes_to(service, "0e0e000002") < 2 && clock_mono_ms() < until_ms)
		scene_run(&service->scene);
	assert_int_equal(pushes_to(service, "0e0e000002"), 2);
	party_close(&alice);
}

/* Clients store what they like as their token. */
static void a_token_that_names_no_device_is_told_to_the_operator(void **state)
{
	struct service *service = *state;
	char out[SCENE_OUTPUT], words[128];

	snprintf(words, sizeof(words), "wakeup client acme %s", absent(service, "no device"));
	assert_int_equal(scene_cli(&service->scene, words, out), 1);
	assert_non_null(strstr(out, "names no device"));
}

/* CRS-120: a token that the service calls expired is made anew at once, and the log tells. */
static void an_expired_provider_token_is_made_anew(void **state)
{
	struct service *service = *state;
	int64_t until_ms = clock_mono_ms() + SCENE_PATIENCE_MS;
	char out[SCENE_OUTPUT];
	struct party alice;
	bool again = false;

	attach_alice(&alice, service);
	post(&alice, absent(service, "e000000001"), 'd');
	while (!again && clock_mono_ms() < until_ms) {
		assert_true(told(service, "e000000001", out));
		again = strstr(strstr(out, "e000000001") + 1, "e000000001") != NULL;
		scene_run(&service->scene);
	}
	assert_true(again);
	shell("grep -q 'our token expired: made anew; is the clock right' \"$D/log/crs.log\"");
	party_close(&alice);
}

/* On which of the service's connections the last push to a device token came. */
static unsigned connection_of(struct service *service, const char *device_token)
{
	char quoted[64], out[SCENE_OUTPUT];
	const char *on;
	unsigned n = 0;

	snprintf(quoted, sizeof(quoted), "\"token\":\"%s\"", device_token);
	assert_true(told(service, quoted, out));
	on = strstr(strstr(out, quoted), "\"on\":");
	assert_non_null(on);
	assert_int_equal(sscanf(on, "\"on\":%u", &n), 1);
	return n;
}

/* RFC 9113 6.8: a service that goes away has done what came before, and the rest is for a new
 * connection: the pushes that follow, and one that was on its way and left undone. */
static void a_service_that_goes_away_misses_no_push(void **state)
{
	struct service *service = *state;
	struct party alice;
	unsigned before, after;
	char out[SCENE_OUTPUT];

	attach_alice(&alice, service);
	post(&alice, absent(service, "60a1000001"), 'p');
	before = connection_of(service, "60a1000001");
	post(&alice, absent(service, "0badcafe11"), 'q');
	after = connection_of(service, "0badcafe11");
	assert_int_equal(after, before + 1);
	post(&alice, absent(service, "0badcafe12"), 'r');
	assert_int_equal(connection_of(service, "0badcafe12"), after); /* one for all, again */

	post(&alice, absent(service, "60a2000001"), 's');
	assert_true(told(service, "leaves 60a2000001", out));
	assert_int_equal(connection_of(service, "60a2000001"), after + 1);
	post(&alice, absent(service, "0badcafe13"), 't');
	assert_int_equal(connection_of(service, "0badcafe13"), after + 1);
	party_close(&alice);
}

/* CRS-120: health-check compares our clock with the service's, as its last answer had it. */
static void a_clock_that_is_far_off_is_a_warning(void **state)
{
	struct service *service = *state;
	char out[SCENE_OUTPUT];
	struct party alice;

	attach_alice(&alice, service);
	post(&alice, absent(service, "c10c000001"), 'h');
	assert_true(scene_cli_shows(&service->scene, "health-check system --output-format tsv",
				    "\nclock\twarning\t-", true));
	assert_int_equal(scene_cli(&service->scene, "health-check system", out), 3);
	post(&alice, absent(service, "c100000001"), 'i');
	assert_true(scene_cli_shows(&service->scene, "health-check system --output-format tsv",
				    "\nclock\tok\t", true));
	assert_int_equal(scene_cli(&service->scene, "health-check system", out), 0);
	party_close(&alice);
}

/* A device that has the application no more is forgotten, one of long before that stored its
 * token anew is not, and a token that is merely refused neither. */
static void only_a_token_that_is_gone_is_forgotten(void **state)
{
	struct service *service = *state;
	char out[SCENE_OUTPUT], words[128];
	struct party alice;

	attach_alice(&alice, service);
	post(&alice, absent(service, "de1d000001"), 'e');
	assert_true(told(service, "de1d000001", out));
	snprintf(words, sizeof(words), "show push-token acme %s", service->uri);
	post(&alice, absent(service, "bad0000001"), 'f');
	assert_true(told(service, "bad0000001", out));
	assert_true(scene_cli_shows(&service->scene, words, "de1d000001", true));
	snprintf(words, sizeof(words), "show push-token acme %s", service->uri);
	post(&alice, absent(service, "dead000001"), 'g');
	assert_true(told(service, "dead000001", out));
	assert_true(scene_cli_shows(&service->scene, words, "bad0000001", true));
	snprintf(words, sizeof(words), "show push-token acme %s", service->uri);
	assert_true(scene_cli_shows(&service->scene, words, "dead000001", false));
	party_close(&alice);
}

/* CRS-020: without the word, nobody is pushed. */
static void without_the_feature_push_is_off(void **state)
{
	struct service *service = *state;
	char out[SCENE_OUTPUT];

	assert_int_equal(scene_stop(&service->scene.crs), 0);
	shell("sed -i 's/^features push/features/' \"$D/crs.conf\"");
	scene_start(&service->scene);
	assert_int_equal(scene_cli(&service->scene, "wakeup client acme " ALICE, out), 1);
	assert_non_null(strstr(out, "push is off"));
}

/* How often the store was asked for fields of hashes. */
static unsigned long hmgets(const struct service *service)
{
	char command[256];
	unsigned long n = 0;
	FILE *pipe;

	snprintf(command, sizeof(command),
		 "redis-cli -s %s/run/redis_low.sock info commandstats | "
		 "sed -n 's/^cmdstat_hmget:calls=\\([0-9]*\\).*/\\1/p'",
		 service->scene.root);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	if (fscanf(pipe, "%lu", &n) != 1)
		n = 0;
	pclose(pipe);
	return n;
}

/* Within the pause no push would be sent: the store is not asked for the token either. */
static void many_messages_ask_for_the_token_once(void **state)
{
	struct service *service = *state;
	const char *bob = absent(service, "beef05");
	unsigned long before = hmgets(service);
	struct party alice;
	char out[SCENE_OUTPUT], acked[] = "post_ack ? 0";

	attach_alice(&alice, service);
	party_post(&alice, bob, 'A', 100);
	assert_true(party_hears(&alice, "post_ack A 0"));
	assert_true(told(service, "beef05", out));
	for (char c = 'B'; c <= 'Z'; c++) {
		acked[9] = c;
		party_post(&alice, bob, c, 100);
		assert_true(party_hears(&alice, acked));
	}
	assert_true(hmgets(service) > before);
	assert_true(hmgets(service) <= before + 3); /* a slow host may pass a pause or two */
	party_close(&alice);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_for_who_is_away_is_pushed),
		cmocka_unit_test(a_call_rings_when_the_callee_has_woken_up),
		cmocka_unit_test(a_call_and_the_operator_wake_up_who_is_away),
		cmocka_unit_test(an_operator_wakes_up_who_was_just_pushed),
		cmocka_unit_test(a_token_that_names_no_device_is_told_to_the_operator),
		cmocka_unit_test(an_expired_provider_token_is_made_anew),
		cmocka_unit_test(a_service_that_goes_away_misses_no_push),
		cmocka_unit_test(a_clock_that_is_far_off_is_a_warning),
		cmocka_unit_test(only_a_token_that_is_gone_is_forgotten),
		cmocka_unit_test(many_messages_ask_for_the_token_once),
		cmocka_unit_test(without_the_feature_push_is_off),
	};

	return cmocka_run_group_tests(tests, open_service, close_service);
}
