/* test_pbxs.c - PBXs by name, probe and registration, between a resolver and an SIP agent that
 * are played. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/diag.h"
#include "gateway/pbxs_priv.h"
#include "gateway/resolver.h"
#include "gateway/sip_link.h"
#include "tests/umsg/loop.h"

/* ---- the resolver ---- */

struct resolution {
	struct resolution *next;
	struct resolver *of;
	char host[256];
	resolver_list_fn *done;
	void *arg;
};

struct resolver {
	struct resolution *waiting;
};

struct resolver *resolver_new(struct event_base *base)
{
	(void)base;
	return calloc(1, sizeof(struct resolver));
}

void resolver_free(struct resolver **resolverp)
{
	assert_null((*resolverp)->waiting);
	free(*resolverp);
	*resolverp = NULL;
}

void resolver_set_servers(struct resolver *resolver, const struct net_addr *servers, size_t n)
{
	(void)resolver;
	(void)servers;
	(void)n;
}

struct resolution *resolver_start_sip(struct resolver *resolver, const char *host, uint16_t port,
				      enum sip_transport transport, resolver_list_fn *done,
				      void *arg)
{
	struct resolution *r = calloc(1, sizeof(*r));

	(void)port;
	(void)transport;
	assert_non_null(r);
	*r = (struct resolution){ resolver->waiting, resolver, "", done, arg };
	snprintf(r->host, sizeof(r->host), "%s", host);
	resolver->waiting = r;
	return r;
}

void resolver_cancel(struct resolution **resolutionp)
{
	struct resolution *r = *resolutionp, **at;

	if (!r)
		return;
	for (at = &r->of->waiting; *at != r; at = &(*at)->next)
		;
	*at = r->next;
	free(r);
	*resolutionp = NULL;
}

/* ---- the SIP agent ---- */

struct sip_link {
	bool ready, full;
	unsigned probes, registers;
	uint64_t probe[8], registration;
	char probed[8][64], call_id[64], authorization[1024];
	uint32_t expires_s, cseq;
};

bool sip_link_is_ready(const struct sip_link *link)
{
	return link->ready;
}

int sip_link_send(struct sip_link *link, const SipAgent__ToAgent *message)
{
	if (!link->ready || link->full)
		return link->ready ? -ENOBUFS : -EPIPE;
	if (message->body_case == SIP_AGENT__TO_AGENT__BODY_PROBE) {
		size_t i = link->probes++ % COUNT(link->probe);

		link->probe[i] = message->probe->probe;
		snprintf(link->probed[i], sizeof(link->probed[i]), "%s",
			 message->probe->target->address);
		return 0;
	}
	assert_int_equal(message->body_case, SIP_AGENT__TO_AGENT__BODY_REGISTER);
	link->registers++;
	link->registration = message->register_->registration;
	link->expires_s = message->register_->expires_s;
	assert_true(message->register_->cseq > link->cseq); /* RFC 3261 10.2 */
	link->cseq = message->register_->cseq;
	snprintf(link->call_id, sizeof(link->call_id), "%s", message->register_->call_id);
	snprintf(link->authorization, sizeof(link->authorization), "%s",
		 message->register_->authorization);
	return 0;
}

/* ---- the scene ---- */

struct scene {
	struct event_base *base;
	const struct cig_config *config;
	struct sip_link link;
	struct pbxs *pbxs;
	/* What a search found. */
	unsigned found;
	size_t n_ways;
	char first[NET_TEXT_SIZE], why[256];
	unsigned left;
};

#define MAP                                                                                        \
	"auth trunk { user gateway; password \"s3cret\"; }\n"                                      \
	"map m { entry e tel \"tel:+8888;{x}\" sip \"sip:{x}@pbx.com\"; }\n"                       \
	"map n { entry e sip \"sip:{x}@{discard}\" tel \"tel:+8888;{x}\"; }\n"                     \
	"interfaces { tel { extension map m; source map n; bind_media 127.0.0.1; }\n"              \
	" sip { extension map n; source map m; bind 127.0.0.1; port 5060; } }\n"                   \
	"userdata \"/tmp\"; log_dir \"/tmp\"; run_dir \"/tmp\";\n"

static const struct cig_config *read_config(const char *blocks)
{
	const struct cig_config *config = NULL;
	struct diag *diag = diag_new();
	char text[2048];

	snprintf(text, sizeof(text), "%s%s", MAP, blocks);
	if (cig_config_parse("test", slice_str(text), diag, &config))
		fail_msg("%s", diag_first_error(diag));
	diag_free(&diag);
	return config;
}

static void begin(struct scene *scene, const char *blocks)
{
	memset(scene, 0, sizeof(*scene));
	scene->base = event_base_new();
	scene->link.ready = true;
	scene->config = read_config(blocks);
	scene->pbxs = pbxs_new(scene->base, &scene->link, scene->config);
	assert_non_null(scene->pbxs);
}

static void end(struct scene *scene)
{
	pbxs_free(&scene->pbxs);
	cig_config_release(&scene->config);
	event_base_free(scene->base);
}

/* The loop does what is due now. */
static void turn(struct scene *scene)
{
	for (int i = 0; i < 4; i++)
		event_base_loop(scene->base, EVLOOP_NONBLOCK);
}

/* The name that is asked for has these addresses (NULL: there is none). */
static void resolves(struct resolver *resolver, const char *host, const char *address)
{
	struct resolution *r = resolver->waiting, gone;
	struct resolver_way way = { .share = RESOLVER_SHARES };

	while (r && strcmp(r->host, host) != 0)
		r = r->next;
	assert_non_null(r);
	gone = *r;
	resolver_cancel(&r);
	if (!address) {
		gone.done(gone.arg, -EHOSTUNREACH, NULL, 0, "no such name");
		return;
	}
	assert_int_equal(net_parse(address, 5060, &way.addr), 0);
	gone.done(gone.arg, 0, &way, 1, "");
}

/* It makes one of its own. */
static struct resolver *resolver_of(const struct scene *scene)
{
	return scene->pbxs->resolver;
}

static void on_found(void *arg, const struct pbx_way *ways, size_t n, const char *why)
{
	struct scene *scene = arg;

	scene->found++;
	scene->n_ways = n;
	snprintf(scene->why, sizeof(scene->why), "%s", why);
	scene->first[0] = '\0';
	if (n)
		net_format_host(&ways[0].addr, scene->first);
}

static struct pbx_search *search(struct scene *scene, const char *host)
{
	struct sip_target target = { .port = 5060 };
	struct pbx_search *started;

	snprintf(target.host, sizeof(target.host), "%s", host);
	started = pbxs_search(scene->pbxs, &target, on_found, scene);
	assert_non_null(started);
	return started;
}

static void probed(struct scene *scene, size_t i, unsigned code)
{
	SipAgent__FromAgent event = SIP_AGENT__FROM_AGENT__INIT;
	SipAgent__Probed body = SIP_AGENT__PROBED__INIT;

	body.probe = scene->link.probe[i];
	body.code = code;
	body.round_trip_ms = 7;
	event.body_case = SIP_AGENT__FROM_AGENT__BODY_PROBED;
	event.probed = &body;
	pbxs_sip_event(scene->pbxs, &event);
}

static void registered(struct scene *scene, unsigned code, uint32_t expires_s)
{
	SipAgent__FromAgent event = SIP_AGENT__FROM_AGENT__INIT;
	SipAgent__Registered body = SIP_AGENT__REGISTERED__INIT;
	SipAgent__Challenge one = SIP_AGENT__CHALLENGE__INIT, *list[] = { &one };

	one.realm = (char *)(uintptr_t) "r";
	one.nonce = (char *)(uintptr_t) "n";
	body.registration = scene->link.registration;
	body.code = code;
	body.expires_s = expires_s;
	body.challenges = list;
	body.n_challenges = code == 401;
	event.body_case = SIP_AGENT__FROM_AGENT__BODY_REGISTERED;
	event.registered = &body;
	pbxs_sip_event(scene->pbxs, &event);
}

/* A member of the only block's report, or of its registration. */
static const char *told(struct scene *scene, const char *part, const char *member)
{
	static char text[128];
	json_t *list = pbxs_report(scene->pbxs), *row = json_array_get(list, 0);
	const char *value;

	assert_int_equal(json_array_size(list), 1);
	if (part)
		row = json_object_get(row, part);
	value = json_string_value(json_object_get(row, member));
	snprintf(text, sizeof(text), "%s", value ? value : "");
	json_decref(list);
	return text;
}

#define TWO_SERVERS                                                                                \
	"pbx main { host \"pbx.com\"; server \"a.pbx.com\"; server \"b.pbx.com\" priority 1; }\n"
#define REGISTERS(password)                                                                        \
	"auth other { user gateway; password \"" password "\"; }\n"                                \
	"pbx main { host \"pbx.com\"; server \"192.0.2.1\"; probe_s 0;"                            \
	" register \"sip:gateway@pbx.com\" auth other expires 600; }\n"

/* ---- addresses and probes ---- */

static void a_call_waits_for_the_names_and_tries_them_in_order(void **state)
{
	struct scene scene;
	struct pbx_search *cancelled;

	(void)state;
	begin(&scene, TWO_SERVERS);
	search(&scene, "pbx.com");
	cancelled = search(&scene, "pbx.com");
	pbxs_cancel(&cancelled);
	assert_null(cancelled);
	turn(&scene);
	assert_int_equal(scene.found, 0);
	resolves(resolver_of(&scene), "a.pbx.com", "192.0.2.1");
	resolves(resolver_of(&scene), "b.pbx.com", "192.0.2.2");
	assert_int_equal(scene.found, 1);
	assert_int_equal(scene.n_ways, 2);
	assert_string_equal(scene.first, "192.0.2.1");
	search(&scene, "pbx.com"); /* known now: by the loop, never from within */
	assert_int_equal(scene.found, 1);
	turn(&scene);
	assert_int_equal(scene.found, 2);
	end(&scene);
}

static void a_pbx_without_an_address_says_why(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, TWO_SERVERS);
	search(&scene, "pbx.com");
	turn(&scene);
	resolves(resolver_of(&scene), "a.pbx.com", NULL);
	resolves(resolver_of(&scene), "b.pbx.com", "2001:db8::1"); /* SIP is on IPv4 */
	assert_int_equal(scene.found, 1);
	assert_int_equal(scene.n_ways, 0);
	assert_non_null(strstr(scene.why, "no address of the family"));
	assert_string_equal(told(&scene, NULL, "state"), "UNKNOWN");
	assert_non_null(strstr(told(&scene, NULL, "why"), "b.pbx.com"));
	end(&scene);
}

static void a_host_without_a_block_is_looked_up_each_time(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, "");
	search(&scene, "elsewhere.com");
	resolves(resolver_of(&scene), "elsewhere.com", "192.0.2.9");
	assert_string_equal(scene.first, "192.0.2.9");
	search(&scene, "elsewhere.com");
	resolves(resolver_of(&scene), "elsewhere.com", NULL);
	assert_int_equal(scene.n_ways, 0);
	assert_string_equal(scene.why, "no such name");
	end(&scene);
}

static void a_server_that_is_silent_twice_comes_last_until_it_answers(void **state)
{
	struct scene scene;
	struct pbx_way way = { .transport = SIP_UDP };

	(void)state;
	begin(&scene, TWO_SERVERS);
	turn(&scene);
	resolves(resolver_of(&scene), "a.pbx.com", "192.0.2.1");
	resolves(resolver_of(&scene), "b.pbx.com", "192.0.2.2");
	assert_int_equal(scene.link.probes, 2);
	assert_string_equal(scene.link.probed[0], "192.0.2.1");
	probed(&scene, 0, 408);
	probed(&scene, 0, 408); /* again: of no probe */
	probed(&scene, 1, 404); /* any answer is a sign of life */
	assert_string_equal(told(&scene, NULL, "state"), "UP");
	assert_int_equal(net_parse("192.0.2.1", 5060, &way.addr), 0);
	pbxs_met(scene.pbxs, &way, 503, 0); /* a call met the same */
	search(&scene, "pbx.com");
	turn(&scene);
	assert_int_equal(scene.n_ways, 2);
	assert_string_equal(scene.first, "192.0.2.2");
	pbxs_met(scene.pbxs, &way, 200, 0);
	search(&scene, "pbx.com");
	turn(&scene);
	assert_string_equal(scene.first, "192.0.2.1");
	end(&scene);
}

static void an_agent_that_is_new_is_asked_anew(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, TWO_SERVERS);
	scene.link.ready = false; /* what is asked of it is not asked */
	turn(&scene);
	resolves(resolver_of(&scene), "a.pbx.com", "192.0.2.1");
	resolves(resolver_of(&scene), "b.pbx.com", NULL);
	assert_int_equal(scene.link.probes, 0);
	scene.link.ready = true;
	pbxs_sip_ready(scene.pbxs);
	turn(&scene);
	resolves(resolver_of(&scene), "a.pbx.com", NULL); /* away: the address stays */
	resolves(resolver_of(&scene), "b.pbx.com", NULL);
	assert_int_equal(scene.link.probes, 1);
	end(&scene);
}

static void a_block_that_is_taken_out_answers_who_waits(void **state)
{
	const struct cig_config *without = read_config("");
	struct scene scene;

	(void)state;
	begin(&scene, TWO_SERVERS);
	search(&scene, "pbx.com");
	turn(&scene);
	pbxs_set_config(scene.pbxs, without);
	assert_int_equal(scene.found, 1);
	assert_int_equal(scene.n_ways, 0);
	assert_string_equal(scene.why, "the configuration has changed");
	cig_config_release(&without);
	end(&scene);
}

/* A call that began in the turn in which the file was read anew. */
static void a_search_outlives_a_reload_that_comes_before_its_answer(void **state)
{
	const struct cig_config *again = read_config(TWO_SERVERS), *without = read_config("");
	struct scene scene;

	(void)state;
	begin(&scene, TWO_SERVERS);
	turn(&scene);
	resolves(resolver_of(&scene), "a.pbx.com", "192.0.2.1");
	resolves(resolver_of(&scene), "b.pbx.com", "192.0.2.2");
	search(&scene, "pbx.com");
	pbxs_set_config(scene.pbxs, again);
	turn(&scene);
	assert_int_equal(scene.found, 1);
	assert_string_equal(scene.first, "192.0.2.1"); /* what was known is known */
	search(&scene, "pbx.com");
	pbxs_set_config(scene.pbxs, without);
	turn(&scene);
	assert_int_equal(scene.found, 2);
	assert_string_equal(scene.why, "the configuration has changed");
	cig_config_release(&again);
	cig_config_release(&without);
	end(&scene);
}

/* ---- registrations ---- */

static void on_left(void *arg)
{
	struct scene *scene = arg;

	scene->left++;
}

/* The block's server is a number, which the played resolver is asked for all the same. */
static void goes_to_register(struct scene *scene)
{
	turn(scene);
	resolves(resolver_of(scene), "192.0.2.1", "192.0.2.1");
	turn(scene);
}

static void a_registration_answers_its_challenge_holds_and_is_given_up(void **state)
{
	struct scene scene;
	char call_id[64];

	(void)state;
	begin(&scene, REGISTERS("s3cret"));
	goes_to_register(&scene);
	assert_int_equal(scene.link.registers, 1);
	assert_int_equal(scene.link.expires_s, 600);
	assert_string_equal(scene.link.authorization, "");
	snprintf(call_id, sizeof(call_id), "%s", scene.link.call_id);
	registered(&scene, 401, 0);
	assert_int_equal(scene.link.registers, 2);
	assert_non_null(strstr(scene.link.authorization, "username=\"gateway\""));
	assert_string_equal(scene.link.call_id, call_id);
	registered(&scene, 200, 600);
	assert_string_equal(told(&scene, "registration", "state"), "REGISTERED");
	assert_true(pbxs_leave(scene.pbxs, on_left, &scene));
	assert_true(pbxs_leave(scene.pbxs, on_left, &scene)); /* asked twice */
	assert_int_equal(scene.link.registers, 3);
	assert_int_equal(scene.link.expires_s, 0);
	assert_int_equal(scene.left, 0);
	registered(&scene, 200, 0);
	turn(&scene);
	assert_int_equal(scene.left, 1);
	end(&scene);
}

static void a_wrong_password_is_told_and_not_tried_for_ever(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, REGISTERS("wrong"));
	goes_to_register(&scene);
	for (int i = 0; i < 3; i++)
		registered(&scene, 401, 0);
	assert_int_equal(scene.link.registers, 3);
	assert_string_equal(told(&scene, "registration", "state"), "REFUSED");
	registered(&scene, 200, 600); /* of none that is under way */
	assert_string_equal(told(&scene, "registration", "state"), "REFUSED");
	assert_false(pbxs_leave(scene.pbxs, on_left, &scene)); /* nothing to give up */
	end(&scene);
}

static void a_reload_keeps_the_same_registration_and_gives_up_another(void **state)
{
	const struct cig_config *same = read_config(REGISTERS("s3cret")),
				*without = read_config("");
	struct scene scene;

	(void)state;
	begin(&scene, REGISTERS("s3cret"));
	goes_to_register(&scene);
	registered(&scene, 200, 600);
	pbxs_set_config(scene.pbxs, same);
	assert_int_equal(scene.link.registers, 1);
	assert_string_equal(told(&scene, "registration", "state"), "REGISTERED");
	pbxs_set_config(scene.pbxs, without);
	assert_int_equal(scene.link.registers, 2);
	assert_int_equal(scene.link.expires_s, 0);
	registered(&scene, 200, 0);
	turn(&scene);
	cig_config_release(&same);
	cig_config_release(&without);
	end(&scene);
}

static void an_agent_that_died_is_asked_to_register_again(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, REGISTERS("s3cret"));
	goes_to_register(&scene);
	scene.link.cseq = 0;
	pbxs_sip_ready(scene.pbxs); /* the answer will not come */
	turn(&scene);
	assert_int_equal(scene.link.registers, 2);
	registered(&scene, 200, 600);
	assert_string_equal(told(&scene, "registration", "state"), "REGISTERED");
	if (resolver_of(&scene)->waiting)
		resolves(resolver_of(&scene), "192.0.2.1", "192.0.2.1");
	end(&scene);
}

/* It lives, so nobody says that another one is there. */
static void an_agent_that_takes_nothing_for_a_while_is_asked_again(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, REGISTERS("s3cret"));
	scene.link.full = true;
	goes_to_register(&scene);
	assert_int_equal(scene.link.registers, 0);
	scene.link.full = false;
	LOOP_UNTIL(scene.base, scene.link.registers == 1);
	registered(&scene, 200, 600);
	assert_string_equal(told(&scene, "registration", "state"), "REGISTERED");
	end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_waits_for_the_names_and_tries_them_in_order),
		cmocka_unit_test(a_pbx_without_an_address_says_why),
		cmocka_unit_test(a_host_without_a_block_is_looked_up_each_time),
		cmocka_unit_test(a_server_that_is_silent_twice_comes_last_until_it_answers),
		cmocka_unit_test(an_agent_that_is_new_is_asked_anew),
		cmocka_unit_test(a_block_that_is_taken_out_answers_who_waits),
		cmocka_unit_test(a_search_outlives_a_reload_that_comes_before_its_answer),
		cmocka_unit_test(a_registration_answers_its_challenge_holds_and_is_given_up),
		cmocka_unit_test(a_wrong_password_is_told_and_not_tried_for_ever),
		cmocka_unit_test(a_reload_keeps_the_same_registration_and_gives_up_another),
		cmocka_unit_test(an_agent_that_died_is_asked_to_register_again),
		cmocka_unit_test(an_agent_that_takes_nothing_for_a_while_is_asked_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
