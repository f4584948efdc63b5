/* Where a client connects, and that it is registered in the end. */
#include "tests/unit.h"

#include <errno.h>
#include <netdb.h>

#include "base/clock.h"
#include "base/dns.h"
#include "tests/umsg/stage.h"

#define ALICE "tel:+46700000001"

/* ---- what is played ---- */

/* event_add(): the waits for the answer to a registration, for keys, and for an update that was
 * refused take a tenth of a second, and their time has passed then. */
static int64_t passed_ms;

int __real_event_add(struct event *event, const struct timeval *wait);
int __wrap_event_add(struct event *event, const struct timeval *wait);
int __wrap_event_add(struct event *event, const struct timeval *wait)
{
	const struct timeval sooner = { 0, 100000 };
	bool ours = wait && (wait->tv_sec == 20 || wait->tv_sec == 60 || wait->tv_sec == 5) &&
		    !wait->tv_usec;

	if (ours)
		passed_ms += wait->tv_sec * 1000;
	return __real_event_add(event, ours ? &sooner : wait);
}

int64_t __real_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void)
{
	return __real_clock_mono_ms() + passed_ms;
}

static int64_t behind_s; /* the wall clock is */

int64_t __real_clock_wall_s(void);
int64_t __wrap_clock_wall_s(void);
int64_t __wrap_clock_wall_s(void)
{
	return __real_clock_wall_s() - behind_s;
}

/* dns_ask(): the name has two addresses, of which the second one is the rendezvous's. */
static struct {
	struct stage *stage;
	dns_answer_fn *answer;
	void *arg;
	unsigned asked;
} names;

static void on_asked(evutil_socket_t fd, short what, void *arg)
{
	struct net_addr near = names.stage->addr, far = near;
	struct addrinfo second = { .ai_addr = &near.sa, .ai_addrlen = near.len };
	struct addrinfo first = { .ai_addr = &far.sa, .ai_addrlen = far.len, .ai_next = &second };

	(void)fd, (void)what, (void)arg;
	far.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	names.answer(names.arg, 0, &first);
}

struct dns_question *__wrap_dns_ask(struct dns *dns, const char *host, const struct addrinfo *hints,
				    dns_answer_fn *answer, void *arg);
struct dns_question *__wrap_dns_ask(struct dns *dns, const char *host, const struct addrinfo *hints,
				    dns_answer_fn *answer, void *arg)
{
	const struct timeval now = { 0, 0 };

	(void)dns, (void)host, (void)hints;
	names.asked++;
	names.answer = answer;
	names.arg = arg;
	event_base_once(names.stage->base, -1, EV_TIMEOUT, on_asked, NULL, &now);
	return (struct dns_question *)(void *)&names;
}

/* link_connect(): the host has no sockets of the first one's family. */
int __real_link_connect(struct link_context *context, const struct net_addr *addr,
			const struct link_login *login, const struct link_ops *ops, void *arg,
			struct link **link_out);
int __wrap_link_connect(struct link_context *context, const struct net_addr *addr,
			const struct link_login *login, const struct link_ops *ops, void *arg,
			struct link **link_out);
int __wrap_link_connect(struct link_context *context, const struct net_addr *addr,
			const struct link_login *login, const struct link_ops *ops, void *arg,
			struct link **link_out)
{
	if (addr->in.sin_addr.s_addr == htonl(INADDR_LOOPBACK + 1))
		return -EAFNOSUPPORT;
	return __real_link_connect(context, addr, login, ops, arg, link_out);
}

/* ---- tests ---- */

static void an_address_that_has_no_socket_does_not_hide_the_next_one(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE);
	char address[64];

	umsg_client_free(&alice->client);
	alice->state = UMSG_OFFLINE;
	names.stage = stage;
	snprintf(address, sizeof(address), "rendezvous.test:%u", net_port(&stage->addr));
	stage_client(alice, address);
	STAGE_UNTIL(stage, alice->state == UMSG_ATTACHED);
	assert_int_equal(names.asked, 1);
}

/* The connection lives; the part of the rendezvous that decides has died. */
static void a_registration_that_is_never_answered_is_sent_again(void **state)
{
	struct stage *stage = *state;

	stage->forgets_registers = 1;
	stage_enter(stage, ALICE);
	assert_int_equal(stage->registers, 2);
}

/* The time comes from the network, some seconds behind the connection. */
static void who_registered_with_a_wrong_clock_is_attached_when_it_is_right(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter_with(stage, ALICE, &stage->secret);

	behind_s = 3 * 365 * 86400;
	STAGE_UNTIL(stage, alice->state == UMSG_UPDATES_ONLY);
	behind_s = 0;
	STAGE_UNTIL(stage, alice->state == UMSG_ATTACHED);
	assert_int_equal(stage->registers, 2);
}

/* It has said that there are keys now, and was not heard. */
static void who_says_in_vain_that_there_are_keys_says_so_again(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter_with(stage, ALICE, &stage->secret);

	behind_s = 3 * 365 * 86400;
	STAGE_UNTIL(stage, alice->state == UMSG_UPDATES_ONLY);
	stage->forgets_registers = 1;
	behind_s = 0;
	STAGE_UNTIL(stage, alice->state == UMSG_ATTACHED);
	assert_int_equal(stage->registers, 3);
}

/* Who has no keys needs it most. */
static void an_update_that_is_refused_is_asked_for_again_without_keys_too(void **state)
{
	struct stage *stage = *state;
	struct party *alice;

	stage_offer_update(stage, 100, 100);
	stage->conflicts = 1;
	behind_s = 3 * 365 * 86400;
	alice = stage_enter_with(stage, ALICE, &stage->secret);
	STAGE_UNTIL(stage, alice->updates == 1);
	behind_s = 0;
	assert_int_equal(stage->update_gets, 3);
	stage->offered.month = NULL;
}

/* Both wait by one timer. */
static void an_update_that_rests_does_not_put_a_registration_off(void **state)
{
	struct stage *stage = *state;
	struct party *alice;

	stage_offer_update(stage, 100, 100);
	stage->conflicts = 1;
	stage->conflicts_rest_s = 300;
	alice = stage_enter(stage, ALICE);
	stage->forgets_registers = 1;
	umsg_client_update_done(alice->client, true);
	STAGE_UNTIL(stage, stage->update_gets == 3);
	stage->offered.month = NULL;
}

int main(void)
{
#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, stage_set, stage_strike)
	const struct CMUnitTest tests[] = {
		ON_STAGE(an_address_that_has_no_socket_does_not_hide_the_next_one),
		ON_STAGE(a_registration_that_is_never_answered_is_sent_again),
		ON_STAGE(who_registered_with_a_wrong_clock_is_attached_when_it_is_right),
		ON_STAGE(who_says_in_vain_that_there_are_keys_says_so_again),
		ON_STAGE(an_update_that_is_refused_is_asked_for_again_without_keys_too),
		ON_STAGE(an_update_that_rests_does_not_put_a_registration_off),
	};

	return cmocka_run_group_tests(tests, stage_build, stage_raze);
}
