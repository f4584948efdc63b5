/* Names of PBXs to addresses: SRV records, their weights, and what is done without them
 * (RFC 2782, RFC 3263).  Name servers are played here.
 */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "gateway/names.h"
#include "gateway/resolver.h"

/* ---- names.h ---- */

enum { QUESTIONS = 8 };

struct names_question {
	enum names_kind kind;
	char name[64];
	names_fn *done;
	void *arg;
	bool open;
};

/* What names.h has no argument for: one in a process. */
static struct names {
	struct names_question question[QUESTIONS];
	size_t n;
	bool full, in_hosts_file;
} played;

struct names *names_new(struct event_base *base)
{
	(void)base;
	memset(&played, 0, sizeof(played));
	return &played;
}

void names_free(struct names **namesp)
{
	*namesp = NULL;
}

void names_set_servers(struct names *names, const struct net_addr *servers, size_t n)
{
	(void)names;
	(void)servers;
	(void)n;
}

struct names_question *names_ask(struct names *names, enum names_kind kind, const char *name,
				 names_fn *done, void *arg)
{
	struct names_question *question = &names->question[names->n];

	if (names->full)
		return NULL;
	assert_true(names->n++ < QUESTIONS);
	*question = (struct names_question){ .kind = kind, .done = done, .arg = arg, .open = true };
	snprintf(question->name, sizeof(question->name), "%s", name);
	return question;
}

void names_drop(struct names_question **questionp)
{
	if (*questionp)
		(*questionp)->open = false;
	*questionp = NULL;
}

bool names_in_hosts_file(struct names *names, const char *host)
{
	(void)host;
	return names->in_hosts_file;
}

/* The open question for name; it ends with the answer. */
static void answer(const char *name, const struct names_answer *answer)
{
	for (size_t i = 0; i < played.n; i++) {
		struct names_question *question = &played.question[i];

		if (!question->open || strcmp(question->name, name) != 0)
			continue;
		question->open = false;
		question->done(question->arg, answer);
		return;
	}
	fail_msg("nobody asks for %s", name);
}

static void has_addresses(const char *name, const char *first, const char *second)
{
	struct net_addr addrs[2];

	assert_int_equal(net_parse(first, 0, &addrs[0]), 0);
	if (second)
		assert_int_equal(net_parse(second, 0, &addrs[1]), 0);
	answer(name,
	       &(struct names_answer){ .text = "", .addrs = addrs, .n_addrs = second ? 2 : 1 });
}

static void is_unknown(const char *name)
{
	answer(name, &(struct names_answer){ .err = -ENOENT, .text = "no such host" });
}

static void has_records(const char *name, const struct srv_answer *service)
{
	answer(name, &(struct names_answer){ .text = "", .service = service });
}

/* ---- who asks ---- */

struct scene {
	struct event_base *base;
	struct resolver *resolver;
	struct resolution *resolution;
	unsigned answers;
	int err;
	char why[160];
	char ways[512]; /* "ADDRESS priority share", blanks between */
};

static int open_scene(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	scene->base = event_base_new();
	scene->resolver = resolver_new(scene->base);
	*state = scene;
	return scene->resolver ? 0 : -1;
}

static int close_scene(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < played.n; i++)
		assert_false(played.question[i].open);
	resolver_free(&scene->resolver);
	event_base_free(scene->base);
	free(scene);
	return 0;
}

static void on_list(void *arg, int err, const struct resolver_way *ways, size_t n, const char *text)
{
	struct scene *scene = arg;
	size_t len = 0;

	scene->answers++;
	scene->err = err;
	snprintf(scene->why, sizeof(scene->why), "%s", text);
	for (size_t i = 0; i < n; i++) {
		char at[NET_TEXT_SIZE];

		net_format(&ways[i].addr, at);
		len += (size_t)snprintf(scene->ways + len, sizeof(scene->ways) - len, "%s%s %u %u",
					i ? ", " : "", at, ways[i].priority, ways[i].share);
	}
}

static void on_one(void *arg, int err, const struct net_addr *addr, const char *text)
{
	struct resolver_way way = { .priority = 0 };

	if (!err)
		way.addr = *addr;
	on_list(arg, err, &way, !err, text);
}

static void find_pbx(struct scene *scene, const char *host, uint16_t port)
{
	scene->resolution =
		resolver_start_sip(scene->resolver, host, port, SIP_UDP, on_list, scene);
	assert_non_null(scene->resolution);
	assert_int_equal(scene->answers, 0); /* never from within */
}

static void assert_ways(const struct scene *scene, const char *want)
{
	assert_int_equal(scene->answers, 1);
	assert_int_equal(scene->err, 0);
	assert_string_equal(scene->ways, want);
}

static void assert_none(const struct scene *scene, const char *why)
{
	assert_int_equal(scene->answers, 1);
	assert_int_equal(scene->err, -EHOSTUNREACH);
	assert_string_equal(scene->why, why);
}

/* ---- tests ---- */

static void a_numeric_host_is_answered_from_the_loop(void **state)
{
	struct scene *scene = *state;

	find_pbx(scene, "192.0.2.1", 0);
	event_base_loop(scene->base, EVLOOP_NONBLOCK);
	assert_ways(scene, "192.0.2.1:5060 0 1000");
	assert_int_equal(played.n, 0); /* and nobody is asked */
}

static void a_host_with_a_port_is_asked_for_its_addresses_alone(void **state)
{
	struct scene *scene = *state;

	find_pbx(scene, "pbx.example", 5080);
	has_addresses("pbx.example", "192.0.2.1", "2001:db8::1");
	assert_ways(scene, "192.0.2.1:5080 0 500, [2001:db8::1]:5080 0 500");
}

/* Where the administrator has put it into /etc/hosts no SRV record moves it. */
static void a_host_of_the_hosts_file_needs_no_srv_record(void **state)
{
	struct scene *scene = *state;

	played.in_hosts_file = true;
	find_pbx(scene, "pbx.example", 0);
	has_addresses("pbx.example", "192.0.2.1", NULL);
	assert_ways(scene, "192.0.2.1:5060 0 1000");
}

static void each_transport_has_its_service_and_port(void **state)
{
	static const struct {
		enum sip_transport transport;
		const char *service, *want;
	} cases[] = {
		{ SIP_UDP, "_sip._udp.pbx.example", "192.0.2.1:5060 0 1000" },
		{ SIP_TCP, "_sip._tcp.pbx.example", "192.0.2.1:5060 0 1000" },
		{ SIP_TLS, "_sips._tcp.pbx.example", "192.0.2.1:5061 0 1000" },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		scene->answers = 0;
		assert_non_null(resolver_start_sip(scene->resolver, "pbx.example", 0,
						   cases[i].transport, on_list, scene));
		is_unknown(cases[i].service); /* RFC 3263 4.2: then the host itself */
		has_addresses("pbx.example", "192.0.2.1", NULL);
		assert_ways(scene, cases[i].want);
	}
}

static void weights_are_shares_among_the_hosts_that_have_addresses(void **state)
{
	const struct srv_answer service = {
		.records = { { "a.example", 5070, 10, 60 },
			     { "b.example", 5071, 10, 20 },
			     { "c.example", 5072, 10, 20 },
			     { "d.example", 5073, 20, 0 },
			     { "e.example", 5074, 20, 0 } },
		.n = 5,
	};
	struct scene *scene = *state;

	find_pbx(scene, "pbx.example", 0);
	has_records("_sip._udp.pbx.example", &service);
	has_addresses("a.example", "192.0.2.1", "192.0.2.2");
	is_unknown("c.example");
	has_addresses("d.example", "192.0.2.4", NULL);
	has_addresses("e.example", "192.0.2.5", NULL);
	assert_int_equal(scene->answers, 0); /* b is awaited */
	has_addresses("b.example", "192.0.2.3", NULL);
	assert_ways(scene, "192.0.2.1:5070 10 375, 192.0.2.2:5070 10 375, "
			   "192.0.2.3:5071 10 250, 192.0.2.4:5073 20 1000, "
			   "192.0.2.5:5074 20 1000");
}

/* RFC 2782: a very small chance of being selected, but a chance. */
static void a_weight_of_zero_beside_others_is_hardly_chosen(void **state)
{
	const struct srv_answer service = {
		.records = { { "a.example", 5070, 1, 65535 }, { "b.example", 5071, 1, 0 } },
		.n = 2,
	};
	struct scene *scene = *state;

	find_pbx(scene, "pbx.example", 0);
	has_records("_sip._udp.pbx.example", &service);
	has_addresses("a.example", "192.0.2.1", NULL);
	has_addresses("b.example", "192.0.2.2", NULL);
	assert_ways(scene, "192.0.2.1:5070 1 1000, 192.0.2.2:5071 1 1");
}

static void records_that_lead_nowhere_are_told_and_not_replaced_by_the_host(void **state)
{
	const struct srv_answer refused = { .refused = true };
	const struct srv_answer address = { .records = { { "192.0.2.9", 5070, 1, 1 } }, .n = 1 };
	const struct srv_answer one = { .records = { { "a.example", 5070, 1, 1 } }, .n = 1 };
	struct scene *scene = *state;

	find_pbx(scene, "pbx.example", 0);
	has_records("_sip._udp.pbx.example", &refused);
	assert_none(scene, "its SRV record says that there is no such service");
	scene->answers = 0;
	find_pbx(scene, "pbx.example", 0);
	has_records("_sip._udp.pbx.example", &address);
	assert_none(scene, "its SRV records name no host");
	scene->answers = 0;
	find_pbx(scene, "pbx.example", 0);
	has_records("_sip._udp.pbx.example", &one);
	is_unknown("a.example");
	assert_none(scene, "no such host");
}

static void one_address_is_enough_for_who_wants_one(void **state)
{
	struct scene *scene = *state;

	assert_non_null(resolver_start(scene->resolver, "relay.example", 146, on_one, scene));
	has_addresses("relay.example", "192.0.2.1", "192.0.2.2");
	assert_ways(scene, "192.0.2.1:146 0 0");
	scene->answers = 0;
	assert_non_null(resolver_start(scene->resolver, "relay.example", 146, on_one, scene));
	is_unknown("relay.example");
	assert_none(scene, "no such host");
}

/* close_scene() looks whether a question is left. */
static void what_is_cancelled_is_not_answered(void **state)
{
	const struct srv_answer service = {
		.records = { { "a.example", 5070, 1, 1 }, { "b.example", 5071, 1, 1 } },
		.n = 2,
	};
	struct scene *scene = *state;

	find_pbx(scene, "192.0.2.1", 0);
	resolver_cancel(&scene->resolution);
	assert_null(scene->resolution);
	event_base_loop(scene->base, EVLOOP_NONBLOCK);
	find_pbx(scene, "pbx.example", 0);
	resolver_cancel(&scene->resolution);
	find_pbx(scene, "pbx.example", 0);
	has_records("_sip._udp.pbx.example", &service);
	has_addresses("a.example", "192.0.2.1", NULL);
	resolver_cancel(&scene->resolution);
	resolver_cancel(&scene->resolution); /* nothing to be cancelled */
	assert_int_equal(scene->answers, 0);
}

static void too_many_questions_are_refused_at_once(void **state)
{
	struct scene *scene = *state;

	played.full = true;
	assert_null(resolver_start_sip(scene->resolver, "pbx.example", 0, SIP_UDP, on_list, scene));
	assert_null(resolver_start(scene->resolver, "pbx.example", 5060, on_one, scene));
	assert_int_equal(scene->answers, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define SCENE_TEST(test) cmocka_unit_test_setup_teardown(test, open_scene, close_scene)
		SCENE_TEST(a_numeric_host_is_answered_from_the_loop),
		SCENE_TEST(a_host_with_a_port_is_asked_for_its_addresses_alone),
		SCENE_TEST(a_host_of_the_hosts_file_needs_no_srv_record),
		SCENE_TEST(each_transport_has_its_service_and_port),
		SCENE_TEST(weights_are_shares_among_the_hosts_that_have_addresses),
		SCENE_TEST(a_weight_of_zero_beside_others_is_hardly_chosen),
		SCENE_TEST(records_that_lead_nowhere_are_told_and_not_replaced_by_the_host),
		SCENE_TEST(one_address_is_enough_for_who_wants_one),
		SCENE_TEST(what_is_cancelled_is_not_answered),
		SCENE_TEST(too_many_questions_are_refused_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
