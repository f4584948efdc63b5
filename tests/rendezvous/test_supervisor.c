/* What the supervisor answers on its control socket, and how it asks its workers. */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/file.h"
#include "base/pack.h"
#include "rendezvous/account_set.h"
#include "rendezvous/accounts.h"
#include "rendezvous/floors.h"
#include "tests/rendezvous/desk.h"

static int open_desk(void **state)
{
	struct desk *desk = malloc(sizeof(*desk));

	desk_open(desk, NULL);
	assert_int_equal(accounts_create(desk->options.paths.accounts, "acme",
					 slice_str("MDEyMzQ1Njc4OWFiY2RlZg=="), NULL),
			 0);
	assert_int_equal(supervisor_reload(&desk->supervisor, NULL), 0);
	/* somebody who has authenticated once */
	floors_raise(desk->supervisor.floors, 0, 1, "acme", "tel:+1", 1);
	*state = desk;
	return 0;
}

static int close_desk(void **state)
{
	desk_close(*state);
	free(*state);
	return 0;
}

/* The request is answered with this status; an error names why. */
static void assert_refused(struct desk *desk, const char *target, const char *body, unsigned status,
			   const char *why)
{
	json_t *answer = NULL;
	const char *text;

	assert_int_equal(desk_get(desk, target, body, &answer), status);
	text = json_string_value(json_object_get(answer, "error"));
	if (!text || !strstr(text, why))
		fail_msg("%s: %s", target, text ? text : "no error");
	json_decref(answer);
}

static void assert_ok(struct desk *desk, const char *target, const char *body)
{
	json_t *answer = NULL;

	if (desk_get(desk, target, body, &answer) != 200)
		fail_msg("%s: %s", target, json_string_value(json_object_get(answer, "error")));
	json_decref(answer);
}

/* The answer, as compact JSON with sorted members, is this. */
static void assert_answer(json_t *answer, const char *want)
{
	char *text = json_dumps(answer, JSON_COMPACT | JSON_SORT_KEYS);

	assert_non_null(text);
	assert_string_equal(text, want);
	free(text);
	json_decref(answer);
}

/* ---- accounts ---- */

static void an_account_without_its_secret_hides_no_other(void **state)
{
	struct desk *desk = *state;
	char path[ACCOUNTS_PATH];
	json_t *answer, *first;

	assert_int_equal(accounts_path(desk->options.paths.accounts, "aaa", NULL, path), 0);
	assert_int_equal(mkdir(path, 0750), 0);
	assert_int_equal(desk_get(desk, "/accounts", NULL, &answer), 200);
	assert_int_equal(json_array_size(answer), 2);
	first = json_array_get(answer, 0);
	assert_string_equal(json_string_value(json_object_get(first, "id")), "aaa");
	assert_string_equal(json_string_value(json_object_get(first, "secret")), "");
	json_decref(answer);
}

static void the_floors_of_an_account_that_comes_back_are_as_they_were(void **state)
{
	struct desk *desk = *state;
	struct supervisor *supervisor = &desk->supervisor;
	char path[ACCOUNTS_PATH], away[ACCOUNTS_PATH + 8];

	desk_turn(desk); /* the floor is on disk */
	assert_int_equal(accounts_path(desk->options.paths.accounts, "acme", NULL, path), 0);
	snprintf(away, sizeof(away), "%s/away", desk->place);
	assert_int_equal(rename(path, away), 0);
	assert_int_equal(supervisor_reload(supervisor, NULL), 0);
	assert_false(floors_has(supervisor->floors, "acme", "tel:+1"));
	assert_int_equal(rename(away, path), 0);
	assert_int_equal(supervisor_reload(supervisor, NULL), 0);
	assert_true(floors_has(supervisor->floors, "acme", "tel:+1"));
}

/* A link to itself stands for a disk that fails. */
static void an_account_whose_floors_cannot_be_read_does_not_come_back(void **state)
{
	struct desk *desk = *state;
	struct supervisor *supervisor = &desk->supervisor;
	const char *dir = desk->options.paths.accounts;
	char path[ACCOUNTS_PATH];
	bool known;

	assert_int_equal(accounts_create(dir, "other", slice_str("MDEyMzQ1Njc4OWFiY2RlZg=="), NULL),
			 0);
	assert_int_equal(accounts_path(dir, "other", "floors", path), 0);
	assert_int_equal(symlink(path, path), 0);
	assert_refused(desk, "/reload", "{}", 500, "cannot read the floors of account other");
	account_set_secret(supervisor->accounts, "other", &known);
	assert_false(known);
	assert_int_equal(unlink(path), 0);
	assert_ok(desk, "/reload", "{}");
	account_set_secret(supervisor->accounts, "other", &known);
	assert_true(known);
}

static void a_start_tidies_what_a_crash_left_of_accounts(void **state)
{
	struct desk *desk = *state;
	char path[ACCOUNTS_PATH];

	assert_int_equal(accounts_path(desk->options.paths.accounts, ".new-xxxxxx", NULL, path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	account_set_free(&desk->supervisor.accounts);
	assert_int_equal(supervisor_load_accounts(&desk->supervisor, NULL), 0);
	assert_int_not_equal(access(path, F_OK), 0);
}

/* ---- administrators ---- */

static void what_an_operator_asks_wrongly_of_admins_is_refused_with_the_reason(void **state)
{
	static const struct {
		const char *target, *body;
		unsigned status;
		const char *why;
	} cases[] = {
		{ "/admin", NULL, 400, "expected 1 to 20" },
		{ "/admin?name=../x", NULL, 400, "expected 1 to 20" },
		{ "/admin?name=eve", NULL, 404, "there is no admin eve" },
		{ "/admin-accounts?name=eve", NULL, 404, "there is no admin eve" },
		{ "/admin", "{}", 400, "expected 1 to 20" },
		{ "/admin", "{\"name\":7,\"create\":true}", 400, "expected 1 to 20" },
		{ "/admin", "{\"name\":\"a/b\",\"create\":true}", 400, "expected 1 to 20" },
		{ "/admin", "{\"name\":\"eve\",\"create\":\"yes\"}", 404, "there is no admin" },
		{ "/admin", "{\"name\":\"bob\",\"create\":true}", 409, "exists already" },
		{ "/admin/account", "{\"name\":\"bob\",\"account\":\"none\",\"add\":true}", 404,
		  "there is no account none" },
		{ "/admin/account", "{\"name\":\"eve\",\"account\":\"acme\",\"add\":true}", 404,
		  "there is no admin eve" },
		{ "/admin/account", "{\"name\":\"bob\",\"account\":\"acme\"}", 404, "no access" },
		{ "/admin/authorization",
		  "{\"name\":\"bob\",\"account\":\"acme\",\"authorization\":\"all\",\"add\":true}",
		  400, "expected update or statistics" },
		{ "/admin/authorization",
		  "{\"name\":\"bob\",\"account\":\"acme\",\"authorization\":\"update\"}", 404,
		  "no access" },
		{ "/admin", "{\"name\":", 400, "" },
		{ "/admin", "[]", 400, "expected 1 to 20" },
	};
	struct desk *desk = *state;

	assert_ok(desk, "/admin", "{\"name\":\"bob\",\"create\":true}");
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_refused(desk, cases[i].target, cases[i].body, cases[i].status, cases[i].why);
}

static void admins_are_listed_without_their_secrets(void **state)
{
	struct desk *desk = *state;
	json_t *answer;

	assert_ok(desk, "/admin", "{\"name\":\"bob\",\"create\":true}");
	assert_ok(desk, "/admin", "{\"name\":\"ann\",\"create\":true}");
	assert_ok(desk, "/admin/account", "{\"name\":\"bob\",\"account\":\"acme\",\"add\":true}");
	assert_ok(desk, "/admin/authorization",
		  "{\"name\":\"bob\",\"account\":\"acme\",\"authorization\":\"update\","
		  "\"add\":true}");
	assert_int_equal(desk_get(desk, "/admins", NULL, &answer), 200);
	assert_answer(answer, "[{\"accounts\":[],\"name\":\"ann\"},"
			      "{\"accounts\":[\"acme\"],\"name\":\"bob\"}]");
	assert_int_equal(desk_get(desk, "/admin-accounts?name=bob", NULL, &answer), 200);
	assert_answer(answer, "[{\"account\":\"acme\",\"authorizations\":[\"update\"]}]");
	assert_int_equal(desk_get(desk, "/admin?name=bob", NULL, &answer), 200);
	assert_int_equal(
		strlen(json_string_value(json_object_get(json_array_get(answer, 0), "secret"))),
		24);
	json_decref(answer);
	assert_ok(desk, "/admin", "{\"name\":\"bob\",\"create\":false}");
	assert_int_equal(desk_get(desk, "/admins", NULL, &answer), 200);
	assert_answer(answer, "[{\"accounts\":[],\"name\":\"ann\"}]");
}

static void write_admin(struct desk *desk, const char *name, const char *text)
{
	char path[CRS_PATH_SIZE + 32];

	snprintf(path, sizeof(path), "%s/%s.json", desk->options.paths.admins, name);
	assert_int_equal(file_write_atomic(path, 0600, slice_str(text)), 0);
}

/* A disk that was full, an editor, another version: nothing is guessed from such a file. */
static void the_file_of_an_admin_that_is_damaged_is_told_and_hides_nobody_else(void **state)
{
	static const char *const damages[] = {
		"",
		"{",
		"[]",
		"{\"secret\":\"x\"}",
		"{\"accounts\":{}}",
		"{\"secret\":1,\"accounts\":{}}",
		"{\"secret\":\"x\",\"accounts\":[]}",
		"{\"secret\":\"x\",\"accounts\":{\"acme\":\"update\"}}",
	};
	struct desk *desk = *state;
	json_t *answer;

	assert_ok(desk, "/admin", "{\"name\":\"ann\",\"create\":true}");
	for (size_t i = 0; i < COUNT(damages); i++) {
		write_admin(desk, "bob", damages[i]);
		assert_refused(desk, "/admin?name=bob", NULL, 400, "is damaged");
		assert_refused(desk, "/admin/account",
			       "{\"name\":\"bob\",\"account\":\"acme\",\"add\":true}", 400,
			       "is damaged");
		assert_int_equal(desk_get(desk, "/admins", NULL, &answer), 200);
		assert_answer(answer, "[{\"accounts\":[],\"name\":\"ann\"}]");
	}
	assert_ok(desk, "/admin", "{\"name\":\"bob\",\"create\":false}");
	assert_ok(desk, "/admin", "{\"name\":\"bob\",\"create\":true}");
}

/* ---- questions to workers ---- */

static uint32_t question_of(struct desk *desk, unsigned worker, CrsWorker__QueryKind kind)
{
	CrsWorker__Control *m = desk_hear_kind(desk, worker, CRS_WORKER__CONTROL__BODY_QUERY);
	uint32_t number;

	assert_non_null(m);
	assert_int_equal(m->query->kind, kind);
	number = m->query->number;
	PACK_FREE(&m);
	return number;
}

/* A row of at most four cells, up to the first NULL. */
static void tell_row(struct desk *desk, unsigned worker, uint32_t number, bool more,
		     const char *const cells[4])
{
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;
	CrsWorker__QueryPart part = CRS_WORKER__QUERY_PART__INIT;
	CrsWorker__Row row = CRS_WORKER__ROW__INIT, *rows[] = { &row };

	row.cell = (char **)(uintptr_t)cells;
	while (row.n_cell < 4 && cells[row.n_cell])
		row.n_cell++;
	part.number = number;
	part.more = more;
	part.rows = rows;
	part.n_rows = row.n_cell > 0;
	message.body_case = CRS_WORKER__CONTROL__BODY_QUERY_PART;
	message.query_part = &part;
	desk_say(desk, worker, &message);
}

static const char *const no_cells[4] = { NULL, NULL, NULL, NULL };

static void an_answer_waits_for_every_worker_and_counts_each_once(void **state)
{
	struct desk *desk = *state;
	int fd = desk_connect(desk);
	uint32_t number;

	desk_ask(desk, fd, "/attach", NULL);
	number = question_of(desk, 0, CRS_WORKER__QUERY_KIND__ATTACH);
	assert_int_equal(question_of(desk, 1, CRS_WORKER__QUERY_KIND__ATTACH), number);
	tell_row(desk, 0, number, true, no_cells);
	tell_row(desk, 0, number, false, no_cells);
	tell_row(desk, 0, number, false, no_cells);     /* said already */
	tell_row(desk, 1, number + 1, false, no_cells); /* to no question */
	assert_int_equal(desk_answer(desk, fd, NULL), 0);
	tell_row(desk, 1, number, false, no_cells);
	assert_int_equal(desk_answer(desk, fd, NULL), 200);
	close(fd);
}

static void a_worker_that_dies_holds_no_answer_up(void **state)
{
	struct desk *desk = *state;
	int fd = desk_connect(desk), other = desk_connect(desk);
	uint32_t number;

	desk_ask(desk, fd, "/session", NULL);
	number = question_of(desk, 0, CRS_WORKER__QUERY_KIND__SESSION);
	desk_ask(desk, other, "/attach", NULL);
	tell_row(desk, 0, number, false, no_cells);
	assert_int_equal(desk_answer(desk, fd, NULL), 0);
	desk_hang_up(desk, 1);
	assert_int_equal(desk_answer(desk, fd, NULL), 200);
	assert_int_equal(desk_answer(desk, other, NULL), 0);
	desk_hang_up(desk, 0);
	assert_int_equal(desk_answer(desk, other, NULL), 200);
	close(other);
	desk_ask(desk, fd, "/attach", NULL); /* nobody is left to be asked */
	assert_int_equal(desk_answer(desk, fd, NULL), 200);
	close(fd);
}

/* ---- what clients have stored ---- */

static void tell_stored(struct desk *desk, uint32_t number, bool more, const char *name,
			const char *uri, const char *value)
{
	char encoded[BASE64_TEXT_SIZE(256)], text[512];
	const char *cells[4] = { name, "acme", uri, text };

	base64_encode(BASE64_STANDARD, slice_str(value), encoded);
	snprintf(text, sizeof(text), "{\"saved\":1700000000,\"type\":\"phone\",\"value\":\"%s\"}",
		 encoded);
	tell_row(desk, 0, number, more, cells);
}

/* Clients write it, the operator reads it. */
static void what_clients_stored_is_shown_whatever_it_is(void **state)
{
	static const struct {
		const char *value, *offset;
	} cases[] = {
		{ "{\"time\":1700000003}", "+3 s" },
		{ "{\"time\":1699999999}", "-1 s" },
		{ "{\"time\":-9223372036854775808}", "" },
		{ "{\"time\":9223372036854775807}", "+9223372035154775807 s" },
		{ "{\"time\":\"now\"}", "" },
		{ "[1]", "" },
		{ "7", "" },
		{ "no JSON", "" },
		{ "", "" },
	};
	struct desk *desk = *state;
	int fd = desk_connect(desk);

	for (size_t i = 0; i < COUNT(cases); i++) {
		json_t *answer;
		uint32_t number;

		desk_ask(desk, fd, "/client-info?account=acme", NULL);
		number = question_of(desk, 0, CRS_WORKER__QUERY_KIND__CLIENT_DATA);
		tell_stored(desk, number, false, "client-info", "tel:+1", cases[i].value);
		assert_int_equal(desk_answer(desk, fd, &answer), 200);
		assert_int_equal(json_array_size(answer), 1);
		assert_string_equal(json_string_value(json_object_get(json_array_get(answer, 0),
								      "client-time")),
				    cases[i].offset);
		json_decref(answer);
	}
	close(fd);
}

static void a_listing_keeps_to_the_user_and_kind_that_were_asked_for(void **state)
{
	static const char *const torn[4] = { "push-token", "acme", "tel:+1", "{\"saved\":" };
	static const char *const short_row[4] = { "push-token", "acme", "tel:+1", NULL };
	struct desk *desk = *state;
	int fd = desk_connect(desk);
	uint32_t number;
	json_t *answer, *row;

	desk_ask(desk, fd, "/push-token?account=acme&uri=tel:%2b1", NULL);
	number = question_of(desk, 0, CRS_WORKER__QUERY_KIND__CLIENT_DATA);
	tell_stored(desk, number, true, "push-token", "tel:+2", "{\"tokens\":[\"other\"]}");
	tell_stored(desk, number, true, "client-info", "tel:+1", "{\"tokens\":[\"kind\"]}");
	tell_row(desk, 0, number, true, torn);
	tell_row(desk, 0, number, true, short_row);
	tell_stored(desk, number, false, "push-token", "tel:+1", "{\"tokens\":[\"mine\"]}");
	assert_int_equal(desk_answer(desk, fd, &answer), 200);
	assert_int_equal(json_array_size(answer), 1);
	row = json_array_get(answer, 0);
	assert_string_equal(json_string_value(json_array_get(json_object_get(row, "tokens"), 0)),
			    "mine");
	json_decref(answer);
	close(fd);
	assert_refused(desk, "/push-token?account=none", NULL, 404, "there is no account none");
	assert_refused(desk, "/push-token?account=acme&uri=tel:%2b9", NULL, 404, "tel:+9");
	assert_refused(desk, "/client-storage", NULL, 404, "there is no account");
	assert_refused(desk, "/client-info/delete", "{\"account\":\"none\"}", 404,
		       "there is no account none");
}

static void a_user_is_looked_up_at_the_home(void **state)
{
	static const char *const away[4] = { "away", "acme", "tel:+1", "d0d0" };
	struct desk *desk = *state;
	int fd = desk_connect(desk);
	uint32_t number;
	json_t *answer;

	assert_refused(desk, "/lookup?account=acme", NULL, 400, "which uri?");
	assert_refused(desk, "/lookup?account=none&uri=x", NULL, 404, "there is no account");
	for (int known = 0; known < 2; known++) {
		desk_ask(desk, fd, "/lookup?account=acme&uri=tel:%2b1", NULL);
		number = question_of(desk, 0, CRS_WORKER__QUERY_KIND__LOOKUP);
		tell_row(desk, 0, number, false, known ? away : no_cells);
		tell_row(desk, 1, number, false, no_cells);
		assert_int_equal(desk_answer(desk, fd, &answer), known ? 200 : 404);
		if (known)
			assert_answer(answer, "[{\"client-token\":\"\",\"domain\":\"acme\","
					      "\"domain-token\":\"d0d0\",\"source\":\"-\","
					      "\"uri\":\"tel:+1\"}]");
		else
			json_decref(answer);
	}
	close(fd);
}

/* ---- traces ---- */

static void say_traced(struct desk *desk, unsigned element)
{
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;
	CrsWorker__TraceLine line = CRS_WORKER__TRACE_LINE__INIT;
	char *fields[] = { (char *)(uintptr_t) "crs1", (char *)(uintptr_t) "12:00:00",
			   (char *)(uintptr_t) "caller, \n he" };

	line.element = element;
	line.field = fields;
	line.n_field = COUNT(fields);
	message.body_case = CRS_WORKER__CONTROL__BODY_TRACE_LINE;
	message.trace_line = &line;
	desk_say(desk, 0, &message);
}

static unsigned traced(struct desk *desk)
{
	CrsWorker__Control *m = desk_hear_kind(desk, 0, CRS_WORKER__CONTROL__BODY_TRACE_ON);
	unsigned elements;

	assert_non_null(m);
	elements = m->trace_on->elements;
	PACK_FREE(&m);
	return elements;
}

/* What came on a stream since the last look. */
static void assert_heard(struct desk *desk, int fd, const char *want)
{
	char heard[4096] = "";
	ssize_t n;

	desk_turn(desk);
	n = read(fd, heard, sizeof(heard) - 1);
	if (!want)
		assert_true(n <= 0);
	else if (n <= 0 || !strstr(heard, want))
		fail_msg("heard: %s", heard);
}

static void traces_are_written_while_somebody_looks_and_for_him_alone(void **state)
{
	struct desk *desk = *state;
	int lines = desk_connect(desk), json = desk_connect(desk);

	(void)traced(desk); /* said to every worker that is ready: none yet */
	desk_ask(desk, lines, "/trace?element=session,attach", NULL);
	assert_int_equal(traced(desk), 1u << TRACE_SESSION | 1u << TRACE_ATTACH);
	desk_ask(desk, json, "/trace?element=session&json", NULL);
	assert_heard(desk, lines, "200 OK");
	assert_heard(desk, json, "200 OK");
	say_traced(desk, TRACE_SESSION);
	assert_heard(desk, lines, "crs1,12:00:00,caller\\x2c \\x0a he");
	assert_heard(desk, json,
		     "{\"element\":\"session\",\"time\":\"12:00:00\","
		     "\"caller\":\"caller, \\n he\"}");
	say_traced(desk, TRACE_ATTACH);
	assert_heard(desk, lines, "crs1");
	assert_heard(desk, json, NULL);
	say_traced(desk, TRACE_MESSAGE);
	say_traced(desk, TRACE_ELEMENT_COUNT); /* of a worker that is newer */
	assert_heard(desk, lines, NULL);
	assert_int_equal(traced(desk), 1u << TRACE_SESSION | 1u << TRACE_ATTACH);
	close(lines);
	desk_turn(desk);
	assert_int_equal(traced(desk), 1u << TRACE_SESSION);
	close(json);
	desk_turn(desk);
	assert_int_equal(traced(desk), 0);
}

static void a_trace_of_nothing_known_is_refused(void **state)
{
	static const char *const targets[] = {
		"/trace",
		"/trace?element=",
		"/trace?element=calls",
		"/trace?element=attach,calls",
		"/trace?element=,attach",
		"/trace?element=attach%20",
		"/trace?element=a-name-longer-than-any-element-has",
	};

	for (size_t i = 0; i < COUNT(targets); i++)
		assert_refused(*state, targets[i], NULL, 400, "element: expected attach, session");
}

/* ---- others ---- */

static void a_request_for_an_account_that_is_not_there_changes_nothing(void **state)
{
	static const struct {
		const char *target, *body;
	} cases[] = {
		{ "/stats?account=none", NULL },
		{ "/blacklist?account=none", NULL },
		{ "/stats", "{\"account\":\"none\",\"action\":\"enable\"}" },
		{ "/update-notification", "{\"account\":\"none\",\"enable\":true}" },
		{ "/guests", "{\"account\":\"none\"}" },
		{ "/purge", "{\"account\":\"none\"}" },
		{ "/purge/observed", "{\"account\":\"none\"}" },
		{ "/wakeup", "{\"account\":\"none\"}" },
		{ "/account/delete", "{\"id\":\"none\"}" },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_refused(*state, cases[i].target, cases[i].body, 404, "none");
}

static void what_a_request_lacks_is_said(void **state)
{
	struct desk *desk = *state;

	assert_refused(desk, "/slot", NULL, 400, "which uri?");
	assert_refused(desk, "/stats", "{\"account\":\"acme\",\"action\":\"stop\"}", 400,
		       "expected enable, disable or clear");
	assert_refused(desk, "/account", "{\"id\":\"../x\",\"secret\":\"s\"}", 400, "");
	assert_refused(desk, "/wakeup", "{\"account\":\"acme\",\"uri\":\"tel:+9\"}", 404, "tel:+9");
	assert_refused(desk, "/apply", "{\"path\":\"/dev/null/x\"}", 500, "");
}

/* ---- when all have it ---- */

static void settle(struct desk *desk, unsigned worker)
{
	CrsWorker__Control *m = desk_hear_kind(desk, worker, CRS_WORKER__CONTROL__BODY_QUERY);
	CrsWorker__Control answer = CRS_WORKER__CONTROL__INIT;
	CrsWorker__QueryPart part = CRS_WORKER__QUERY_PART__INIT;

	assert_non_null(m);
	assert_int_equal(m->query->kind, CRS_WORKER__QUERY_KIND__SETTLED);
	part.number = m->query->number;
	PACK_FREE(&m);
	answer.body_case = CRS_WORKER__CONTROL__BODY_QUERY_PART;
	answer.query_part = &part;
	desk_say(desk, worker, &answer);
}

/* Whoever is told so may register, or call who may, at any worker. */
static void what_changes_is_answered_when_all_workers_have_it(void **state)
{
	static const struct {
		const char *target, *body;
		CrsWorker__Control__BodyCase told;
	} cases[] = {
		{ "/account", "{\"id\":\"new\",\"secret\":\"MDEyMzQ1Njc4OWFiY2RlZg==\"}",
		  CRS_WORKER__CONTROL__BODY_RELOAD },
		{ "/reload", "{}", CRS_WORKER__CONTROL__BODY_RELOAD },
		{ "/account/delete", "{\"id\":\"new\"}", CRS_WORKER__CONTROL__BODY_FORGET },
		{ "/guests", "{\"account\":\"acme\"}", CRS_WORKER__CONTROL__BODY_GUESTS },
		{ "/purge", "{\"account\":\"acme\",\"all\":true}",
		  CRS_WORKER__CONTROL__BODY_EXPEL },
	};
	struct desk *desk = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		int fd = desk_connect(desk);

		desk_ask(desk, fd, cases[i].target, cases[i].body);
		for (unsigned worker = 0; worker < DESK_WORKERS; worker++) {
			CrsWorker__Control *m = desk_hear_kind(desk, worker, cases[i].told);

			assert_non_null(m);
			PACK_FREE(&m);
			assert_int_equal(desk_answer(desk, fd, NULL), 0);
			settle(desk, worker);
		}
		assert_int_equal(desk_answer(desk, fd, NULL), 200);
		close(fd);
		desk_turn(desk);
	}
}

/* One that hangs, or dies, holds no operator up for long. */
static void a_change_does_not_wait_for_a_worker_that_is_gone(void **state)
{
	struct desk *desk = *state;
	int fd = desk_connect(desk);

	desk_ask(desk, fd, "/reload", "{}");
	settle(desk, 0);
	assert_int_equal(desk_answer(desk, fd, NULL), 0);
	desk_hang_up(desk, 1);
	assert_int_equal(desk_answer(desk, fd, NULL), 200);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define DESK_TEST(test) cmocka_unit_test_setup_teardown(test, open_desk, close_desk)
		DESK_TEST(an_account_without_its_secret_hides_no_other),
		DESK_TEST(the_floors_of_an_account_that_comes_back_are_as_they_were),
		DESK_TEST(an_account_whose_floors_cannot_be_read_does_not_come_back),
		DESK_TEST(a_start_tidies_what_a_crash_left_of_accounts),
		DESK_TEST(what_changes_is_answered_when_all_workers_have_it),
		DESK_TEST(a_change_does_not_wait_for_a_worker_that_is_gone),
		DESK_TEST(what_an_operator_asks_wrongly_of_admins_is_refused_with_the_reason),
		DESK_TEST(admins_are_listed_without_their_secrets),
		DESK_TEST(the_file_of_an_admin_that_is_damaged_is_told_and_hides_nobody_else),
		DESK_TEST(an_answer_waits_for_every_worker_and_counts_each_once),
		DESK_TEST(a_worker_that_dies_holds_no_answer_up),
		DESK_TEST(what_clients_stored_is_shown_whatever_it_is),
		DESK_TEST(a_listing_keeps_to_the_user_and_kind_that_were_asked_for),
		DESK_TEST(a_user_is_looked_up_at_the_home),
		DESK_TEST(traces_are_written_while_somebody_looks_and_for_him_alone),
		DESK_TEST(a_trace_of_nothing_known_is_refused),
		DESK_TEST(a_request_for_an_account_that_is_not_there_changes_nothing),
		DESK_TEST(what_a_request_lacks_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
