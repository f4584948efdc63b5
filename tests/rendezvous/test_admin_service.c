/* What a remote administrator gets from the supervisor, and what not (CRS manual 4.9). */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/pack.h"
#include "rendezvous/account_set.h"
#include "rendezvous/accounts.h"
#include "rendezvous/admins.h"
#include "tests/rendezvous/desk.h"
#include "umsg/frame.h"

enum { CONNECTION = 4711 };

static int open_desk(void **state)
{
	struct desk *desk = malloc(sizeof(*desk));
	const struct crs_paths *paths;
	char secret[ADMINS_SECRET_TEXT];

	desk_open(desk, NULL);
	paths = &desk->options.paths;
	for (int i = 0; i < 2; i++)
		assert_int_equal(accounts_create(paths->accounts, i ? "other" : "acme",
						 slice_str("MDEyMzQ1Njc4OWFiY2RlZg=="), NULL),
				 0);
	assert_int_equal(supervisor_reload(&desk->supervisor, NULL), 0);
	assert_int_equal(admins_create(paths->admins, "bob", secret, NULL), 0);
	assert_int_equal(admins_set_account(paths->admins, "bob", "acme", true, NULL), 0);
	*state = desk;
	return 0;
}

static int close_desk(void **state)
{
	desk_close(*state);
	free(*state);
	return 0;
}

static void allow(struct desk *desk, enum admin_authorization what)
{
	assert_int_equal(admins_authorize(desk->options.paths.admins, "bob", "acme",
					  admin_authorization_name(what), true, NULL),
			 0);
}

static void ask(struct desk *desk, const char *admin, uint32_t action, const char *account,
		const char *path)
{
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;
	CrsWorker__AdminAsk body = CRS_WORKER__ADMIN_ASK__INIT;

	body.connection = CONNECTION;
	body.action = action;
	body.admin = (char *)(uintptr_t)admin;
	body.account = (char *)(uintptr_t)account;
	body.path = (char *)(uintptr_t)path;
	body.peer = (char *)(uintptr_t) "192.0.2.1:4000";
	message.body_case = CRS_WORKER__CONTROL__BODY_ADMIN_ASK;
	message.admin_ask = &body;
	desk_say(desk, 1, &message);
}

/* The next part of the answer, which goes to the worker that asked; freed by PACK_FREE(). */
static CrsWorker__Control *next_part(struct desk *desk)
{
	CrsWorker__Control *m = desk_hear_kind(desk, 1, CRS_WORKER__CONTROL__BODY_ADMIN_REPLY);

	if (m)
		assert_int_equal(m->admin_reply->connection, CONNECTION);
	return m;
}

static void assert_refused(struct desk *desk, Umsg__ErrorCode error, const char *why)
{
	CrsWorker__Control *m = next_part(desk);

	assert_non_null(m);
	assert_int_equal(m->admin_reply->error, error);
	assert_non_null(strstr(m->admin_reply->text, why));
	assert_int_equal(m->admin_reply->data.len, 0);
	assert_false(m->admin_reply->more);
	PACK_FREE(&m);
}

/* All parts of the answer as one JSON; each fits into a frame. */
static json_t *take_answer(struct desk *desk, unsigned *parts_out)
{
	char *text = calloc(1, 1 << 20);
	json_t *answer;
	size_t n = 0;
	bool more = true;

	assert_non_null(text);
	for (*parts_out = 0; more; ++*parts_out) {
		CrsWorker__Control *m = next_part(desk);

		assert_non_null(m);
		assert_int_equal(m->admin_reply->error, UMSG__ERROR_CODE__OK);
		assert_in_range(m->admin_reply->data.len, 1, FRAME_UPDATE_DATA);
		memcpy(text + n, m->admin_reply->data.data, m->admin_reply->data.len);
		n += m->admin_reply->data.len;
		more = m->admin_reply->more;
		PACK_FREE(&m);
	}
	answer = json_loadb(text, n, 0, NULL);
	assert_non_null(answer);
	free(text);
	return answer;
}

/* CRS-075 */
static void an_admin_sees_the_accounts_that_he_has_access_to(void **state)
{
	struct desk *desk = *state;
	unsigned parts;
	json_t *answer, *row;

	allow(desk, ADMIN_UPDATE);
	ask(desk, "bob", UMSG__ADMIN_ACTION__ADMIN_ACCOUNTS, "", "");
	answer = take_answer(desk, &parts);
	assert_int_equal(json_array_size(answer), 1);
	row = json_array_get(answer, 0);
	assert_string_equal(json_string_value(json_object_get(row, "account")), "acme");
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(row, "authorizations"), 0)),
		"update");
	assert_string_equal(json_string_value(json_object_get(row, "current")), "Not Available");
	json_decref(answer);
}

static void who_is_nobody_any_more_learns_nothing(void **state)
{
	struct desk *desk = *state;
	char path[CRS_PATH_SIZE + 16];

	ask(desk, "eve", UMSG__ADMIN_ACTION__ADMIN_ACCOUNTS, "", "");
	assert_refused(desk, UMSG__ERROR_CODE__ERROR_BUSY, "not readable");
	ask(desk, "../../x", UMSG__ADMIN_ACTION__ADMIN_STATISTICS_EXPORT, "acme", "");
	assert_refused(desk, UMSG__ERROR_CODE__ERROR_NOT_ALLOWED, "not authorized");
	snprintf(path, sizeof(path), "%s/bob.json", desk->options.paths.admins);
	assert_int_equal(file_write_atomic(path, 0600, slice_str("{\"accounts\":7}")), 0);
	ask(desk, "bob", UMSG__ADMIN_ACTION__ADMIN_ACCOUNTS, "", "");
	assert_refused(desk, UMSG__ERROR_CODE__ERROR_BUSY, "not readable");
	ask(desk, "bob", UMSG__ADMIN_ACTION__ADMIN_STATISTICS_EXPORT, "acme", "");
	assert_refused(desk, UMSG__ERROR_CODE__ERROR_NOT_ALLOWED, "not authorized");
}

/* CRS-079, CRS-074: each action needs its authorization, on that account; one that is not there and
 * one without access look alike. */
static void each_action_needs_its_authorization_on_that_account(void **state)
{
	static const struct {
		uint32_t action;
		enum admin_authorization needs;
	} cases[] = {
		{ UMSG__ADMIN_ACTION__ADMIN_APPLY, ADMIN_UPDATE },
		{ UMSG__ADMIN_ACTION__ADMIN_STATISTICS_EXPORT, ADMIN_STATISTICS },
		{ UMSG__ADMIN_ACTION__ADMIN_STATISTICS_ENABLE, ADMIN_STATISTICS },
		{ UMSG__ADMIN_ACTION__ADMIN_STATISTICS_DISABLE, ADMIN_STATISTICS },
		{ UMSG__ADMIN_ACTION__ADMIN_STATISTICS_CLEAR, ADMIN_STATISTICS },
	};
	static const char *const accounts[] = { "acme", "other", "none", "", "../acme" };
	struct desk *desk = *state;

	for (int other = 0; other < 2; other++) {
		/* first without any, then with the one that is not the action's */
		for (size_t i = 0; i < COUNT(cases); i++) {
			if (other && cases[i].needs == ADMIN_UPDATE)
				continue;
			for (size_t a = 0; a < COUNT(accounts); a++) {
				ask(desk, "bob", cases[i].action, accounts[a], "");
				assert_refused(desk, UMSG__ERROR_CODE__ERROR_NOT_ALLOWED,
					       "not authorized for this account");
			}
		}
		if (!other)
			allow(desk, ADMIN_UPDATE);
	}
	assert_null(desk_hear_kind(desk, 0, CRS_WORKER__CONTROL__BODY_QUERY));
}

static void an_action_of_a_later_version_is_not_answered(void **state)
{
	ask(*state, "bob", UMSG__ADMIN_ACTION__ADMIN_STATISTICS_PSEUDONYMS + 1, "acme", "");
	ask(*state, "bob", UINT32_MAX, "acme", "");
	assert_null(next_part(*state));
}

/* Before a file comes, a worker asks whether it may. */
static void who_may_apply_may_send_a_file(void **state)
{
	struct desk *desk = *state;
	CrsWorker__Control *m;

	allow(desk, ADMIN_UPDATE);
	ask(desk, "bob", UMSG__ADMIN_ACTION__ADMIN_APPLY, "acme", "");
	m = next_part(desk);
	assert_non_null(m);
	assert_int_equal(m->admin_reply->error, UMSG__ERROR_CODE__OK);
	assert_false(m->admin_reply->more);
	PACK_FREE(&m);
	ask(desk, "bob", UMSG__ADMIN_ACTION__ADMIN_APPLY, "other", "");
	assert_refused(desk, UMSG__ERROR_CODE__ERROR_NOT_ALLOWED, "not authorized");
}

static void what_is_no_update_of_the_account_is_not_applied(void **state)
{
	struct desk *desk = *state;
	char path[CRS_PATH_SIZE + 16];

	allow(desk, ADMIN_UPDATE);
	ask(desk, "bob", UMSG__ADMIN_ACTION__ADMIN_APPLY, "acme", "/nowhere/upload.upd");
	assert_refused(desk, UMSG__ERROR_CODE__ERROR_MALFORMED, "No such file");
	snprintf(path, sizeof(path), "%s/upload.upd", desk->options.paths.run);
	assert_int_equal(file_write_atomic(path, 0600, slice_str("no update")), 0);
	ask(desk, "bob", UMSG__ADMIN_ACTION__ADMIN_APPLY, "acme", path);
	assert_refused(desk, UMSG__ERROR_CODE__ERROR_MALFORMED, "not an update file");
}

/* The workers learn of the switch by a reload, and have all done it before the answer. */
static void statistics_are_switched_on_and_off_for_the_account_alone(void **state)
{
	struct desk *desk = *state;
	unsigned parts;

	allow(desk, ADMIN_STATISTICS);
	for (int on = 1; on >= 0; on--) {
		CrsWorker__Control *m;

		ask(desk, "bob",
		    on ? UMSG__ADMIN_ACTION__ADMIN_STATISTICS_ENABLE
		       : UMSG__ADMIN_ACTION__ADMIN_STATISTICS_DISABLE,
		    "acme", "");
		m = desk_hear_kind(desk, 0, CRS_WORKER__CONTROL__BODY_RELOAD);
		assert_non_null(m);
		PACK_FREE(&m);
		assert_null(next_part(desk));
		desk_settle(desk);
		json_decref(take_answer(desk, &parts));
		assert_int_equal(account_set_has_statistics(desk->supervisor.accounts, "acme"), on);
		assert_false(account_set_has_statistics(desk->supervisor.accounts, "other"));
	}
}

static uint32_t question(struct desk *desk, unsigned worker, CrsWorker__QueryKind kind)
{
	CrsWorker__Control *m = desk_hear_kind(desk, worker, CRS_WORKER__CONTROL__BODY_QUERY);
	uint32_t number;

	assert_non_null(m);
	assert_int_equal(m->query->kind, kind);
	number = m->query->number;
	PACK_FREE(&m);
	return number;
}

static void tell_part(struct desk *desk, unsigned worker, CrsWorker__QueryPart *part)
{
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;

	message.body_case = CRS_WORKER__CONTROL__BODY_QUERY_PART;
	message.query_part = part;
	desk_say(desk, worker, &message);
}

/* The store did all that the worker asked of it. */
static void tell_done(struct desk *desk, unsigned worker, uint32_t number)
{
	CrsWorker__QueryPart part = CRS_WORKER__QUERY_PART__INIT;
	CrsWorker__Row row = CRS_WORKER__ROW__INIT, *list[] = { &row };
	char account[] = "acme", *cells[] = { account };

	row.cell = cells;
	row.n_cell = 1;
	part.number = number;
	part.rows = list;
	part.n_rows = 1;
	tell_part(desk, worker, &part);
}

/* rows users have made so many calls each. */
static void tell(struct desk *desk, unsigned worker, uint32_t number, unsigned first, unsigned rows,
		 bool more)
{
	CrsWorker__QueryPart part = CRS_WORKER__QUERY_PART__INIT;
	CrsWorker__Row row[100], *list[100];
	char uri[100][24], *cells[100][4];

	for (unsigned i = 0; i < rows; i++) {
		snprintf(uri[i], sizeof(uri[i]), "tel:+%u", 1000 + first + i);
		memcpy(cells[i],
		       ((char *[]){ (char *)(uintptr_t) "session-outgoing",
				    (char *)(uintptr_t) "acme", uri[i], (char *)(uintptr_t) "3" }),
		       sizeof(cells[i]));
		crs_worker__row__init(&row[i]);
		row[i].cell = cells[i];
		row[i].n_cell = 4;
		list[i] = &row[i];
	}
	part.number = number;
	part.rows = list;
	part.n_rows = rows;
	part.more = more;
	tell_part(desk, worker, &part);
}

/* What workers hold back is written before any of it is read; the answer of many users goes
 * in parts that fit into frames. */
static void statistics_are_whole_and_come_in_parts(void **state)
{
	enum { USERS = 1000 };
	struct desk *desk = *state;
	unsigned parts;
	uint32_t number;
	json_t *answer;

	allow(desk, ADMIN_STATISTICS);
	ask(desk, "bob", UMSG__ADMIN_ACTION__ADMIN_STATISTICS_EXPORT, "acme", "");
	number = question(desk, 0, CRS_WORKER__QUERY_KIND__FLUSH_COUNTERS);
	tell(desk, 0, number, 0, 0, false);
	assert_null(desk_hear_kind(desk, 0, CRS_WORKER__CONTROL__BODY_QUERY));
	tell(desk, 1, number, 0, 0, false);
	number = question(desk, 0, CRS_WORKER__QUERY_KIND__STATISTICS);
	for (unsigned i = 0; i < USERS; i += 100)
		tell(desk, 0, number, i, 100, true);
	tell_done(desk, 0, number);
	answer = take_answer(desk, &parts);
	assert_int_equal(json_array_size(answer), USERS);
	assert_in_range(parts, 2, 50);
	json_decref(answer);
}

/* Figures that the store did not tell would look like none. */
static void statistics_that_the_store_does_not_tell_are_refused(void **state)
{
	struct desk *desk = *state;
	uint32_t number;

	allow(desk, ADMIN_STATISTICS);
	ask(desk, "bob", UMSG__ADMIN_ACTION__ADMIN_STATISTICS_EXPORT, "acme", "");
	number = question(desk, 0, CRS_WORKER__QUERY_KIND__FLUSH_COUNTERS);
	tell(desk, 0, number, 0, 0, false);
	tell(desk, 1, number, 0, 0, false);
	number = question(desk, 0, CRS_WORKER__QUERY_KIND__STATISTICS);
	tell(desk, 0, number, 0, 10, false); /* some of them, and not that this is all */
	assert_refused(desk, UMSG__ERROR_CODE__ERROR_BUSY, "the store is not there");
}

static void statistics_are_cleared_by_one_worker(void **state)
{
	struct desk *desk = *state;
	unsigned parts;
	uint32_t number;

	allow(desk, ADMIN_STATISTICS);
	ask(desk, "bob", UMSG__ADMIN_ACTION__ADMIN_STATISTICS_CLEAR, "acme", "");
	number = question(desk, 0, CRS_WORKER__QUERY_KIND__FLUSH_COUNTERS);
	assert_int_equal(question(desk, 1, CRS_WORKER__QUERY_KIND__FLUSH_COUNTERS), number);
	tell(desk, 0, number, 0, 0, false);
	tell(desk, 1, number, 0, 0, false);
	number = question(desk, 0, CRS_WORKER__QUERY_KIND__CLEAR_STATISTICS);
	assert_null(desk_hear_kind(desk, 1, CRS_WORKER__CONTROL__BODY_QUERY));
	tell_done(desk, 0, number);
	json_decref(take_answer(desk, &parts));

	ask(desk, "bob", UMSG__ADMIN_ACTION__ADMIN_STATISTICS_CLEAR, "acme", "");
	number = question(desk, 0, CRS_WORKER__QUERY_KIND__FLUSH_COUNTERS);
	tell(desk, 0, number, 0, 0, false);
	tell(desk, 1, number, 0, 0, false);
	number = question(desk, 0, CRS_WORKER__QUERY_KIND__CLEAR_STATISTICS);
	tell(desk, 0, number, 0, 0, false); /* none: it is not there */
	assert_refused(desk, UMSG__ERROR_CODE__ERROR_BUSY, "the store is not there");
}

/* Its successor knows no such connection; here, nobody is there at all. */
static void an_answer_for_a_worker_that_died_is_dropped(void **state)
{
	struct desk *desk = *state;
	uint32_t number;

	allow(desk, ADMIN_STATISTICS);
	ask(desk, "bob", UMSG__ADMIN_ACTION__ADMIN_STATISTICS_EXPORT, "acme", "");
	number = question(desk, 0, CRS_WORKER__QUERY_KIND__FLUSH_COUNTERS);
	desk_hang_up(desk, 1);
	tell(desk, 0, number, 0, 0, false);
	tell_done(desk, 0, question(desk, 0, CRS_WORKER__QUERY_KIND__STATISTICS));
	assert_true(TAILQ_EMPTY(&desk->supervisor.queries));
	assert_null(desk_hear_kind(desk, 0, CRS_WORKER__CONTROL__BODY_ADMIN_REPLY));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define DESK_TEST(test) cmocka_unit_test_setup_teardown(test, open_desk, close_desk)
		DESK_TEST(an_admin_sees_the_accounts_that_he_has_access_to),
		DESK_TEST(who_is_nobody_any_more_learns_nothing),
		DESK_TEST(each_action_needs_its_authorization_on_that_account),
		DESK_TEST(an_action_of_a_later_version_is_not_answered),
		DESK_TEST(who_may_apply_may_send_a_file),
		DESK_TEST(what_is_no_update_of_the_account_is_not_applied),
		DESK_TEST(statistics_are_switched_on_and_off_for_the_account_alone),
		DESK_TEST(statistics_are_whole_and_come_in_parts),
		DESK_TEST(statistics_that_the_store_does_not_tell_are_refused),
		DESK_TEST(statistics_are_cleared_by_one_worker),
		DESK_TEST(an_answer_for_a_worker_that_died_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
