/* The connection to a message center over real sockets, with names that are played: octets pass
 * both ways, each end is told once and with its reason, and the owner may let go at any time. */
#include "tests/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/util.h>

#include "base/dns.h"
#include "smpp/wire_priv.h"
#include "tests/gateway/tls_kit.h"

enum { NAMES_MAX = 4, PIECE = 1 << 20, SEND_MAX = 100000 };

/* ---- in front of base/dns.h ---- */

struct dns {
	struct event_base *base;
};

struct dns_question {
	struct event *soon;
	dns_answer_fn *answer;
	void *arg;
};

/* What every name leads to; dns_ask() has no argument of the test's. */
static struct {
	struct sockaddr_in address[NAMES_MAX];
	size_t n;
	int error;
	unsigned asked;
	bool held; /* no answer comes by itself */
	struct dns_question *question;
	struct event_base *base;
} names;

struct dns *dns_new(struct event_base *base)
{
	names.base = base;
	return calloc(1, sizeof(struct dns));
}

void dns_free(struct dns **dnsp)
{
	free(*dnsp);
	*dnsp = NULL;
}

static void on_answer_due(evutil_socket_t fd, short what, void *arg)
{
	struct dns_question *question = arg;
	struct addrinfo found[NAMES_MAX] = { { .ai_family = AF_INET } };

	(void)fd;
	(void)what;
	for (size_t i = 0; i < names.n; i++) {
		found[i].ai_addr = (struct sockaddr *)&names.address[i];
		found[i].ai_addrlen = sizeof(names.address[i]);
		found[i].ai_next = i + 1 < names.n ? &found[i + 1] : NULL;
	}
	names.question = NULL;
	question->answer(question->arg, names.error, names.n ? found : NULL);
	event_free(question->soon);
	free(question);
}

struct dns_question *dns_ask(struct dns *dns, const char *host, const struct addrinfo *hints,
			     dns_answer_fn *answer, void *arg)
{
	struct dns_question *question = calloc(1, sizeof(*question));

	assert_non_null(dns);
	assert_string_equal(host, "sms.test");
	assert_int_equal(hints->ai_socktype, SOCK_STREAM);
	assert_non_null(question);
	question->answer = answer;
	question->arg = arg;
	question->soon = event_new(names.base, -1, 0, on_answer_due, question);
	names.question = question;
	if (!names.held)
		event_active(question->soon, EV_TIMEOUT, 0);
	names.asked++;
	return question;
}

void dns_drop(struct dns_question **questionp)
{
	if (!*questionp)
		return;
	names.question = NULL;
	event_free((*questionp)->soon);
	free(*questionp);
	*questionp = NULL;
}

/* In front of the C library's: much goes in pieces, and every second time not at once. */
ssize_t send(int fd, const void *octets, size_t n, int flags)
{
	static bool full;

	full = n > SEND_MAX && !full;
	if (full) {
		errno = EAGAIN;
		return -1;
	}
	return sendto(fd, octets, n < SEND_MAX ? n : SEND_MAX, flags, NULL, 0);
}

/* ---- the scene ---- */

enum { TURNS_MAX = 10000 }; /* of a millisecond at most */

/* The center's ends are read by the test itself, so the loop is not the one to be waited for. */
static void turn(struct event_base *base)
{
	const struct timeval tick = { 0, 1000 };

	event_base_loopexit(base, &tick);
	event_base_loop(base, EVLOOP_ONCE);
}

#define TURN_UNTIL(base, condition)                                                                \
	do {                                                                                       \
		bool holds_ = false;                                                               \
		for (int i_ = 0; i_ < TURNS_MAX && !(holds_ = (condition)); i_++)                  \
			turn(base);                                                                \
		assert_true(holds_);                                                               \
	} while (0)

enum free_at { NEVER, AT_UP, AT_OCTETS, AT_DOWN };

struct scene {
	struct event_base *base;
	struct smpp_wire *wire;
	int listener, center; /* the center's ends; -1 */
	unsigned port;
	enum free_at free_at;
	unsigned ups, downs;
	char peer[64], why[256], heard[64];
	size_t n_heard;
};

static void on_up(void *arg, const char *peer)
{
	struct scene *scene = arg;

	scene->ups++;
	snprintf(scene->peer, sizeof(scene->peer), "%s", peer);
	if (scene->free_at == AT_UP)
		smpp_wire_free(&scene->wire);
}

static void on_octets(void *arg, struct slice octets)
{
	struct scene *scene = arg;

	assert_true(scene->n_heard + octets.n < sizeof(scene->heard));
	memcpy(scene->heard + scene->n_heard, octets.p, octets.n);
	scene->n_heard += octets.n;
	if (scene->free_at == AT_OCTETS)
		smpp_wire_free(&scene->wire);
}

static void on_down(void *arg, const char *why)
{
	struct scene *scene = arg;

	scene->downs++;
	snprintf(scene->why, sizeof(scene->why), "%s", why);
	if (scene->free_at == AT_DOWN)
		smpp_wire_free(&scene->wire);
}

static const struct smpp_wire_ops ops = { on_up, on_octets, on_down };

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	memset(&names, 0, sizeof(names));
	scene->base = event_base_new();
	scene->listener = tls_kit_listen(&scene->port);
	assert_int_equal(evutil_make_socket_nonblocking(scene->listener), 0);
	scene->center = -1;
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	smpp_wire_free(&scene->wire);
	assert_null(scene->wire);
	if (scene->listener >= 0)
		close(scene->listener);
	if (scene->center >= 0)
		close(scene->center);
	event_base_loop(scene->base, EVLOOP_NONBLOCK);
	event_base_free(scene->base);
	free(scene);
	return 0;
}

static void begin(struct scene *scene, const char *host, const struct net_addr *from,
		  struct smpp_tls *tls)
{
	struct smpp_wire_target target = { host, (uint16_t)scene->port, from, tls };

	assert_int_equal(smpp_wire_new(scene->base, &target, &ops, scene, &scene->wire), 0);
	assert_int_equal(scene->ups + scene->downs, 0); /* never from within the call */
}

/* The center's end; the kernel may hand it out a little behind ours.  from may be NULL. */
static void take_center(struct scene *scene, struct sockaddr_in *from)
{
	socklen_t n = sizeof(*from);

	TURN_UNTIL(scene->base, (scene->center = accept4(scene->listener, (struct sockaddr *)from,
							 from ? &n : NULL, SOCK_NONBLOCK)) >= 0);
}

static void begin_up(struct scene *scene)
{
	begin(scene, "127.0.0.1", NULL, NULL);
	TURN_UNTIL(scene->base, scene->ups == 1);
	take_center(scene, NULL);
}

static void add_name(const char *address)
{
	names.address[names.n] = (struct sockaddr_in){ .sin_family = AF_INET };
	assert_int_equal(inet_pton(AF_INET, address, &names.address[names.n++].sin_addr), 1);
}

static void assert_down(struct scene *scene, const char *why)
{
	TURN_UNTIL(scene->base, scene->downs);
	if (!strstr(scene->why, why))
		fail_msg("it is down: %s", scene->why);
	event_base_loop(scene->base, EVLOOP_NONBLOCK);
	assert_int_equal(scene->downs, 1); /* the last event */
}

/* What is there now: octets read, perhaps none. */
static size_t receive(struct scene *scene, void *out, size_t n)
{
	ssize_t some = recv(scene->center, out, n, MSG_DONTWAIT);

	return some > 0 ? (size_t)some : 0;
}

/* The center has got n octets, as a text. */
static const char *got(struct scene *scene, size_t n)
{
	static char text[64];
	size_t have = 0;

	assert_true(n < sizeof(text));
	TURN_UNTIL(scene->base, (have += receive(scene, text + have, n - have)) == n);
	text[n] = '\0';
	return text;
}

/* ---- tests ---- */

static void octets_pass_both_ways(void **state)
{
	struct scene *scene = *state;
	char peer[64];

	begin_up(scene);
	snprintf(peer, sizeof(peer), "127.0.0.1:%u", scene->port);
	assert_string_equal(scene->peer, peer);
	smpp_wire_send(scene->wire, slice_str("bind"));
	smpp_wire_send(scene->wire, slice_str("submit")); /* of the same turn */
	assert_string_equal(got(scene, 10), "bindsubmit");
	assert_int_equal(send(scene->center, "yes", 3, 0), 3);
	TURN_UNTIL(scene->base, scene->n_heard == 3);
	assert_memory_equal(scene->heard, "yes", 3);
}

static void a_center_that_closes_is_told_as_such(void **state)
{
	struct scene *scene = *state;

	begin_up(scene);
	close(scene->center);
	scene->center = -1;
	assert_down(scene, "the center closed the connection");
	smpp_wire_send(scene->wire, slice_str("too late")); /* of no effect */
	event_base_loop(scene->base, EVLOOP_NONBLOCK);
	assert_int_equal(scene->downs, 1);
}

/* The port is held, so that nobody else listens there meanwhile. */
static void hold_port(struct scene *scene)
{
	struct sockaddr_in own = { .sin_family = AF_INET };
	socklen_t n = sizeof(own);

	close(scene->listener);
	scene->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(scene->listener, (struct sockaddr *)&own, n), 0);
	assert_int_equal(getsockname(scene->listener, (struct sockaddr *)&own, &n), 0);
	scene->port = ntohs(own.sin_port);
}

static void a_center_that_is_not_there_is_told_as_such(void **state)
{
	struct scene *scene = *state;

	hold_port(scene);
	begin(scene, "127.0.0.1", NULL, NULL);
	assert_down(scene, strerror(ECONNREFUSED));
	assert_int_equal(scene->ups, 0);
}

/* All addresses of a name are tried, in their order. */
static void a_name_leads_to_the_first_address_that_answers(void **state)
{
	struct scene *scene = *state;

	add_name("127.0.0.2"); /* nobody listens there */
	add_name("127.0.0.1");
	begin(scene, "sms.test", NULL, NULL);
	TURN_UNTIL(scene->base, scene->ups == 1);
	assert_int_equal(names.asked, 1);
	assert_memory_equal(scene->peer, "127.0.0.1:", 10);
}

static void a_name_without_an_address_that_answers_is_down(void **state)
{
	struct scene *scene = *state;

	add_name("127.0.0.2");
	add_name("127.0.0.3");
	begin(scene, "sms.test", NULL, NULL);
	assert_down(scene, strerror(ECONNREFUSED));
}

static void a_name_that_nobody_knows_is_down(void **state)
{
	struct scene *scene = *state;

	names.error = EVUTIL_EAI_NONAME;
	begin(scene, "sms.test", NULL, NULL);
	assert_down(scene, evutil_gai_strerror(EVUTIL_EAI_NONAME));
}

/* The owner lets go while the name is asked for: the answer finds nobody, and hurts nobody. */
static void a_name_may_be_dropped_before_it_is_answered(void **state)
{
	struct scene *scene = *state;

	names.held = true;
	begin(scene, "sms.test", NULL, NULL);
	event_base_loop(scene->base, EVLOOP_ONCE);
	assert_int_equal(names.asked, 1);
	smpp_wire_free(&scene->wire);
	assert_null(names.question); /* it was dropped */
	event_base_loop(scene->base, EVLOOP_NONBLOCK);
	assert_int_equal(scene->ups + scene->downs, 0);
}

static void it_comes_from_the_address_it_was_given(void **state)
{
	struct scene *scene = *state;
	struct sockaddr_in from;
	struct net_addr own;

	assert_int_equal(net_parse("127.0.0.9", 0, &own), 0);
	begin(scene, "127.0.0.1", &own, NULL);
	TURN_UNTIL(scene->base, scene->ups == 1);
	take_center(scene, &from);
	assert_int_equal(ntohl(from.sin_addr.s_addr), 0x7f000009);
}

static void an_address_that_is_not_ours_is_told_as_such(void **state)
{
	struct scene *scene = *state;
	struct net_addr own;

	assert_int_equal(net_parse("192.0.2.77", 0, &own), 0);
	begin(scene, "127.0.0.1", &own, NULL);
	assert_down(scene, strerror(EADDRNOTAVAIL));
}

/* It must not cost all memory; the octets are the owner's again with the next connection. */
static void a_center_that_does_not_read_is_given_up(void **state)
{
	struct scene *scene = *state;
	uint8_t *octets = calloc(1, PIECE);
	int pieces = 0;

	assert_non_null(octets);
	begin_up(scene);
	while (!scene->downs && ++pieces < 64) {
		smpp_wire_send(scene->wire, slice_of(octets, PIECE));
		event_base_loop(scene->base, EVLOOP_NONBLOCK);
	}
	free(octets);
	assert_true(pieces > 2 && pieces < 64);
	assert_down(scene, "the center does not read");
}

/* More than the socket takes at once arrives whole and in order. */
static void what_the_socket_does_not_take_goes_later(void **state)
{
	struct scene *scene = *state;
	uint8_t *octets = malloc(PIECE), some[65536];
	size_t have = 0;

	assert_non_null(octets);
	for (size_t i = 0; i < PIECE; i++)
		octets[i] = (uint8_t)((uint32_t)i * 2654435761U >> 13);
	begin_up(scene);
	for (int i = 0; i < 3; i++)
		smpp_wire_send(scene->wire, slice_of(octets, PIECE));
	for (size_t n = 0; have < 3 * PIECE; have += n) {
		TURN_UNTIL(scene->base, (n = receive(scene, some, sizeof(some))) > 0);
		for (size_t i = 0; i < n; i++)
			if (some[i] != octets[(have + i) % PIECE])
				fail_msg("octet %zu is another one", have + i);
	}
	free(octets);
}

static void what_is_queued_leaves_with_the_goodbye(void **state)
{
	struct scene *scene = *state;

	begin_up(scene);
	smpp_wire_send(scene->wire, slice_str("unbind"));
	smpp_wire_free(&scene->wire); /* before the loop turned */
	assert_string_equal(got(scene, 6), "unbind");
	assert_int_equal(scene->downs, 0);
}

static void the_owner_may_let_go_in_any_callback(void **state)
{
	static const enum free_at when[] = { AT_UP, AT_OCTETS, AT_DOWN };
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(when); i++) {
		scene->free_at = when[i];
		scene->ups = scene->downs = 0;
		scene->n_heard = 0;
		begin(scene, "127.0.0.1", NULL, NULL);
		TURN_UNTIL(scene->base, scene->ups == 1);
		take_center(scene, NULL);
		send(scene->center, "yes", 3, MSG_NOSIGNAL);
		if (when[i] != AT_UP)
			TURN_UNTIL(scene->base, scene->n_heard == 3);
		close(scene->center);
		scene->center = -1;
		if (when[i] == AT_DOWN)
			TURN_UNTIL(scene->base, scene->downs == 1);
		assert_null(scene->wire);
		event_base_loop(scene->base, EVLOOP_NONBLOCK);
		assert_int_equal(scene->downs, when[i] == AT_DOWN);
	}
}

/* ---- TLS ---- */

/* The center's end of a handshake, between turns of the loop. */
static SSL *center_shakes(struct scene *scene, const char *file)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	SSL *ssl;

	assert_non_null(context);
	assert_int_equal(SSL_CTX_use_certificate_chain_file(context, file), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey_file(context, file, SSL_FILETYPE_PEM), 1);
	ssl = SSL_new(context);
	SSL_CTX_free(context);
	take_center(scene, NULL);
	assert_int_equal(SSL_set_fd(ssl, scene->center), 1);
	SSL_set_accept_state(ssl);
	TURN_UNTIL(scene->base, (SSL_do_handshake(ssl), scene->ups || scene->downs));
	return ssl;
}

static void tls_carries_octets_to_the_right_center_only(void **state)
{
	struct scene *scene = *state;
	struct tls_kit kit;
	struct smpp_tls *tls;
	char text[16] = "";
	SSL *ssl;

	tls_kit_make(&kit);
	assert_int_equal(smpp_tls_new(&(struct smpp_tls_files){ .ca = kit.ca }, &tls, NULL), 0);
	begin(scene, "127.0.0.1", NULL, tls); /* the certificate is pbx.test's */
	ssl = center_shakes(scene, kit.pbx);
	assert_int_equal(scene->ups, 0);
	assert_down(scene, "certificate");
	SSL_free(ssl);
	close(scene->center);
	smpp_wire_free(&scene->wire);
	scene->downs = 0;

	SSL_CTX_set_verify(tls->context, SSL_VERIFY_NONE, NULL); /* whoever it is */
	begin(scene, "127.0.0.1", NULL, tls);
	ssl = center_shakes(scene, kit.pbx);
	assert_int_equal(scene->ups, 1);
	smpp_wire_send(scene->wire, slice_str("bind"));
	TURN_UNTIL(scene->base, SSL_read(ssl, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "bind");
	assert_int_equal(SSL_write(ssl, "yes", 3), 3);
	TURN_UNTIL(scene->base, scene->n_heard == 3);
	SSL_shutdown(ssl);
	assert_down(scene, "");
	SSL_free(ssl);
	smpp_tls_free(&tls);
	tls_kit_remove(&kit);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(octets_pass_both_ways),
		TEST(a_center_that_closes_is_told_as_such),
		TEST(a_center_that_is_not_there_is_told_as_such),
		TEST(a_name_leads_to_the_first_address_that_answers),
		TEST(a_name_without_an_address_that_answers_is_down),
		TEST(a_name_that_nobody_knows_is_down),
		TEST(a_name_may_be_dropped_before_it_is_answered),
		TEST(it_comes_from_the_address_it_was_given),
		TEST(an_address_that_is_not_ours_is_told_as_such),
		TEST(a_center_that_does_not_read_is_given_up),
		TEST(what_the_socket_does_not_take_goes_later),
		TEST(what_is_queued_leaves_with_the_goodbye),
		TEST(the_owner_may_let_go_in_any_callback),
		TEST(tls_carries_octets_to_the_right_center_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
