/* How a link begins, and what keeps it from beginning: addresses, logins, memory. */
#include "tests/umsg/link_scene.h"

#include <dirent.h>

#include "tests/memory/scarce.h"

static const struct link_login login = { "crs.example:5223", "alice", good_psk };

static unsigned descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	unsigned n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

static void a_login_that_no_rendezvous_takes_is_not_tried(void **state)
{
	struct fixture *f = *state;
	char longest[LINK_IDENTITY_MAX + 2];
	const struct link_login logins[] = { { "x", "", good_psk },
					     { "", "alice", good_psk },
					     { "x", longest, good_psk } };
	struct net_addr addr;
	int listening;
	unsigned before;

	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	addr = listen_here(&listening);
	before = descriptors();
	for (size_t i = 0; i < COUNT(logins); i++) {
		assert_int_equal(link_connect(f->context, &addr, &logins[i], &ops, &f->client,
					      &f->client.link),
				 -EINVAL);
		assert_null(f->client.link);
	}
	assert_int_equal(descriptors(), before);
	longest[LINK_IDENTITY_MAX] = '\0';
	assert_int_equal(
		link_connect(f->context, &addr, &logins[2], &ops, &f->client, &f->client.link), 0);
	close(listening);
}

/* The interface that the configuration names has another address today. */
static void from_an_address_that_is_not_ours_nothing_is_sent(void **state)
{
	struct fixture *f = *state;
	struct net_addr own, addr;
	int listening;
	unsigned before;

	addr = listen_here(&listening);
	assert_int_equal(net_parse("192.0.2.77", 0, &own), 0);
	link_context_bind(f->context, &own);
	before = descriptors();
	assert_int_equal(link_connect(f->context, &addr, &login, &ops, &f->client, &f->client.link),
			 -EADDRNOTAVAIL);
	assert_null(f->client.link);
	assert_int_equal(descriptors(), before);
	/* One of ours is where the connection comes from; another family's is not used. */
	assert_int_equal(net_parse("127.0.0.5", 0, &own), 0);
	link_context_bind(f->context, &own);
	assert_int_equal(link_connect(f->context, &addr, &login, &ops, &f->client, &f->client.link),
			 0);
	assert_int_equal(
		link_accept(f->context, accept_one(listening), &ops, &f->server, &f->server.link),
		0);
	assert_true(net_same_host(link_peer(f->server.link), &own));
	LOOP_UNTIL(f->base, f->client.count[LINK_NEGOTIATED]);
}

/* Longer than this test waits. */
static int set_up_patient(void **state)
{
	return set_up_with(state, (struct link_limits){ .connect_ms = 60000 });
}

/* No route, told at once by connect(): the owner hears it as it hears of any other end. */
static void what_fails_at_once_is_told_from_the_loop(void **state)
{
	struct fixture *f = *state;
	struct net_addr addr;

	assert_int_equal(net_parse("255.255.255.255", 5223, &addr), 0);
	assert_int_equal(link_connect(f->context, &addr, &login, &ops, &f->client, &f->client.link),
			 0);
	assert_int_equal(f->client.count[LINK_CLOSED], 0);
	LOOP_UNTIL(f->base, f->client.count[LINK_CLOSED]);
	assert_int_equal(f->client.reason, LINK_UNREACHABLE);
	assert_int_equal(f->client.count[LINK_CONNECTED], 0);
}

static void on_connected(void *arg, struct link *link, const struct link_event *event)
{
	struct end *end = arg;

	(void)link;
	end->count[event->kind]++;
	if (event->kind == LINK_CONNECTED)
		link_free(&end->link);
}

static const struct link_ops leaving_ops = { on_connected, on_psk };

static void an_owner_may_leave_when_it_hears_of_the_connection(void **state)
{
	struct fixture *f = *state;
	struct net_addr addr;
	int listening, accepted;
	char octet;

	addr = listen_here(&listening);
	assert_int_equal(
		link_connect(f->context, &addr, &login, &leaving_ops, &f->client, &f->client.link),
		0);
	accepted = accept_one(listening);
	LOOP_UNTIL(f->base, f->client.count[LINK_CONNECTED]);
	assert_null(f->client.link);
	/* Not even a hello went out. */
	assert_int_equal(fcntl(accepted, F_SETFL, 0), 0);
	assert_int_equal(recv(accepted, &octet, 1, 0), 0);
	close(accepted);
}

/* Before the connection is there. */
static void an_owner_may_close_while_it_connects(void **state)
{
	struct fixture *f = *state;
	struct net_addr addr;
	int listening;

	addr = listen_here(&listening);
	assert_int_equal(link_connect(f->context, &addr, &login, &ops, &f->client, &f->client.link),
			 0);
	link_close(f->client.link, 1000);
	LOOP_UNTIL(f->base, f->client.count[LINK_CLOSED]);
	assert_int_equal(f->client.reason, LINK_BY_US);
	assert_int_equal(f->client.count[LINK_CONNECTED], 0);
	close(listening);
}

/* ---- memory ---- */

static bool accept_without(unsigned n, void *arg)
{
	struct fixture *f = arg;
	bool failed;
	int pair[2], err;
	char octet;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
			 0);
	scarce_begin(n);
	err = link_accept(f->context, pair[0], &ops, &f->server, &f->server.link);
	failed = scarce_end();
	assert_int_equal(err, failed ? -ENOMEM : 0);
	assert_int_equal(f->server.link != NULL, !failed);
	if (failed) /* nobody waits at the other end */
		assert_int_equal(recv(pair[1], &octet, 1, 0), 0);
	link_free(&f->server.link);
	close(pair[1]);
	return failed;
}

static bool connect_without(unsigned n, void *arg)
{
	struct fixture *f = arg;
	struct net_addr addr;
	int listening, err;
	unsigned before;
	bool failed;

	addr = listen_here(&listening);
	before = descriptors();
	memset(&f->client, 0, sizeof(f->client));
	scarce_begin(n);
	err = link_connect(f->context, &addr, &login, &ops, &f->client, &f->client.link);
	failed = scarce_end();
	if (err) {
		assert_int_equal(err, -ENOMEM);
		assert_null(f->client.link);
	} else {
		LOOP_UNTIL(f->base,
			   f->client.count[LINK_CONNECTED] || f->client.count[LINK_CLOSED]);
	}
	assert_true(err == 0 || failed);
	link_free(&f->client.link);
	assert_int_equal(descriptors(), before);
	close(listening);
	return failed;
}

static void without_memory_no_link_is_half_there(void **state)
{
	assert_in_range(scarce_each(accept_without, *state), 2, 50);
	assert_in_range(scarce_each(connect_without, *state), 4, 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(set_up, a_login_that_no_rendezvous_takes_is_not_tried),
		WITH(set_up, from_an_address_that_is_not_ours_nothing_is_sent),
		WITH(set_up_patient, what_fails_at_once_is_told_from_the_loop),
		WITH(set_up, an_owner_may_leave_when_it_hears_of_the_connection),
		WITH(set_up, an_owner_may_close_while_it_connects),
		WITH(set_up, without_memory_no_link_is_half_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
