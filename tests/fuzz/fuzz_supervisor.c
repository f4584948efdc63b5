/* fuzz_supervisor.c - what reaches the supervisor of crs: requests on its control socket,
 * messages of workers, and through them the requests of remote administrators and what
 * clients have stored.
 *
 * Input: steps of an octet, whose upper half chooses further, and what it needs.
 *   0  octets of any kind on the control socket
 *   1  a GET of a route, with arguments
 *   2  a POST to a route, with a body of the members that routes know
 *   3  octets of any kind from a worker
 *   4  a worker's rows to the last question: two texts, more to come or not
 *   5  an administrator's request
 *   6  a worker is gone
 * Whatever comes: the supervisor goes on, and no path leads out of its folder.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/encode.h"
#include "base/file.h"
#include "base/pack.h"
#include "rendezvous/accounts.h"
#include "rendezvous/admins.h"
#include "tests/fuzz/place.h"
#include "tests/fuzz/quiet.h"
#include "tests/rendezvous/desk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS = 24, KINDS = 7, TEXT = 200, REQUEST_MAX = 4096 };

static const char *const gets[] = {
	"/version",  "/attach", "/session",        "/message",     "/relay",      "/relays",
	"/services", "/system", "/accounts",       "/loaded",      "/updates",    "/blacklist",
	"/admins",   "/admin",  "/admin-accounts", "/client-info", "/push-token", "/client-storage",
	"/lookup",   "/slot",   "/stats",          "/trace",       "/",
};
static const char *const posts[] = {
	"/account",
	"/account/delete",
	"/reload",
	"/apply",
	"/blacklist",
	"/stats",
	"/update-notification",
	"/guests",
	"/audit",
	"/admin",
	"/admin/account",
	"/admin/authorization",
	"/client-info/delete",
	"/purge/observed",
	"/wakeup",
	"/purge",
};

/* Octets: a text that is none is stretched, which takes a tenth of a second. */
static const char secret_of_acme[] = "MDEyMzQ1Njc4OWFiY2RlZg==";

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/* A text of the input, or one that is known: an account, an administrator, a user. */
static void take_text(struct cursor *c, char out[TEXT])
{
	static const char *const known[] = { "acme",       "bob",    "tel:+1",      "update",
					     "statistics", "enable", "client-info", "push-token" };
	unsigned how = cursor_u8(c);
	struct slice text = cursor_take(c, how >= 128 ? how & 127 : 0);

	if (how < 128)
		snprintf(out, TEXT, "%s", known[how % 8]);
	else
		snprintf(out, TEXT, "%.*s", (int)text.n, text.p ? (const char *)text.p : "");
}

static void ask(struct desk *desk, struct slice octets)
{
	int fd = desk_connect(desk);

	(void)!write(fd, octets.p, octets.n);
	desk_turn(desk);
	(void)desk_answer(desk, fd, NULL);
	close(fd);
	desk_turn(desk);
}

/* In a query everything but letters is escaped; NUL ends a text. */
static void put_argument(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, "&%s=", name);
	for (; *value; value++)
		buf_printf(b, "%%%02x", (unsigned char)*value);
}

static void get(struct desk *desk, struct cursor *c)
{
	static const char *const names[] = { "account", "uri", "name", "element", "json" };
	uint8_t octets[REQUEST_MAX];
	struct buf b = BUF_OF(octets);
	char text[TEXT];

	buf_printf(&b, "GET %s?", gets[cursor_u8(c) % (sizeof(gets) / sizeof(*gets))]);
	for (int i = 0; i < 5; i++) {
		take_text(c, text);
		put_argument(&b, names[i], text);
	}
	buf_put_str(&b, " HTTP/1.1\r\nHost: localhost\r\n\r\n");
	if (buf_ok(&b))
		ask(desk, buf_slice(&b));
}

static void post(struct desk *desk, struct cursor *c)
{
	static const char *const names[] = { "account",       "uri",    "name", "id",
					     "authorization", "action", "path", "about" };
	const char *route = posts[cursor_u8(c) % (sizeof(posts) / sizeof(*posts))];
	uint8_t octets[REQUEST_MAX];
	struct buf b = BUF_OF(octets);
	json_t *body = json_object();
	unsigned flags = cursor_u8(c);
	char text[TEXT], *dumped;

	for (int i = 0; i < 8; i++) {
		take_text(c, text);
		json_object_set_new(body, names[i], json_string(text));
	}
	json_object_set_new(body, "secret", json_string(secret_of_acme));
	json_object_set_new(body, "add", json_boolean(flags & 1));
	json_object_set_new(body, "create", json_boolean(flags & 1));
	json_object_set_new(body, "enable", json_boolean(flags & 2));
	json_object_set_new(body, "partial", flags & 4 ? json_true() : json_null());
	dumped = json_dumps(body, JSON_COMPACT);
	expect(dumped != NULL);
	buf_printf(&b, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n%s",
		   route, strlen(dumped), dumped);
	if (buf_ok(&b))
		ask(desk, buf_slice(&b));
	free(dumped);
	json_decref(body);
}

/* As the workers say it of the store: what, account, URI, value. */
static void tell_rows(struct desk *desk, struct cursor *c, unsigned worker, bool stored)
{
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;
	CrsWorker__QueryPart part = CRS_WORKER__QUERY_PART__INIT;
	CrsWorker__Row row = CRS_WORKER__ROW__INIT, *rows[] = { &row };
	char what[TEXT], value[TEXT],
		*cells[] = { what, (char *)(uintptr_t) "acme", (char *)(uintptr_t) "tel:+1",
			     value };
	char encoded[BASE64_TEXT_SIZE(TEXT)], data[2 * TEXT + 64];

	take_text(c, what);
	take_text(c, value);
	if (stored) { /* as home_data.c writes it */
		base64_encode(BASE64_STANDARD, slice_str(value), encoded);
		snprintf(data, sizeof(data),
			 "{\"saved\":1700000000,\"type\":\"t\",\"value\":\"%s\"}", encoded);
		cells[3] = data;
	}
	row.cell = cells;
	row.n_cell = 4;
	part.number = desk->supervisor.query_number;
	part.rows = rows;
	part.n_rows = 1;
	part.more = cursor_u8(c) & 1;
	message.body_case = CRS_WORKER__CONTROL__BODY_QUERY_PART;
	message.query_part = &part;
	desk_say(desk, worker, &message);
}

static void administer(struct desk *desk, struct cursor *c, unsigned worker)
{
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT, *answer;
	CrsWorker__AdminAsk body = CRS_WORKER__ADMIN_ASK__INIT;
	char admin[TEXT], account[TEXT], path[TEXT];

	take_text(c, admin);
	take_text(c, account);
	take_text(c, path);
	body.connection = 7;
	body.action = cursor_u8(c) % 8;
	body.admin = admin;
	body.account = account;
	body.path = path;
	body.peer = (char *)(uintptr_t) "192.0.2.1:4000";
	message.body_case = CRS_WORKER__CONTROL__BODY_ADMIN_ASK;
	message.admin_ask = &body;
	desk_say(desk, worker, &message);
	answer = desk_hear_kind(desk, worker, CRS_WORKER__CONTROL__BODY_ADMIN_REPLY);
	if (answer) /* who asks for statistics waits for the workers */
		expect(answer->admin_reply->connection == 7);
	PACK_FREE(&answer);
}

static void step(struct desk *desk, struct cursor *c)
{
	unsigned what = cursor_u8(c), worker = what >> 4 & 1;

	switch ((what & 15) % KINDS) {
	case 0:
		ask(desk, cursor_l16(c));
		break;
	case 1:
		get(desk, c);
		break;
	case 2:
		post(desk, c);
		break;
	case 3:
		desk_say_octets(desk, worker, cursor_l16(c));
		break;
	case 4:
		tell_rows(desk, c, worker, what >> 5 & 1);
		break;
	case 5:
		administer(desk, c, worker);
		break;
	default:
		if (desk->ends[worker] >= 0)
			desk_hang_up(desk, worker);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_of(slice_of(data, size));
	char secret[ADMINS_SECRET_TEXT], dir[96];
	const struct crs_paths *paths;
	static struct desk desk;

	quiet();
	snprintf(dir, sizeof(dir), "%s/desk", place());
	expect(file_mkdirs(dir, 0700) == 0);
	desk_open(&desk, dir);
	paths = &desk.options.paths;
	expect(accounts_create(paths->accounts, "acme", slice_str(secret_of_acme), NULL) == 0);
	expect(supervisor_reload(&desk.supervisor, NULL) == 0);
	expect(admins_create(paths->admins, "bob", secret, NULL) == 0);
	expect(admins_set_account(paths->admins, "bob", "acme", true, NULL) == 0);
	for (int i = 0; i < STEPS && c.left > 0 && cursor_ok(&c); i++)
		step(&desk, &c);
	desk_close(&desk);
	return 0;
}
