/* fuzz_shown.c - what crs-cli and cra show of a server's answers, when the server is not what
 * they take it for.
 *
 * Input: an octet that chooses the action, one of flags (1: --json, 2: the frames of cra are
 * octets as they are), then answers, each with its length (2 octets): for crs-cli JSON, or
 * "!" and why it was refused; for cra the data of an answer, behind an octet (1: more follows,
 * 2: it is an error and the text why), or a frame.
 * Whatever they are: what is printed are lines without control characters, and no "(null)";
 * and as JSON, JSON.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/control_client.h"
#include "base/cursor.h"
#include "base/diag.h"
#include "rendezvous/cli.h"
#include "rendezvous/cra_client.h"
#include "rendezvous/cra_print.h"
#include "rendezvous/health_clients.h"
#include "rendezvous/statistics.h"
#include "tests/fuzz/fake_link.h"
#include "umsg/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { AS_JSON = 1, RAW_FRAMES = 2, MORE = 1, REFUSED = 2 };

/* What functions that are replaced below have no argument for. */
static struct cursor *answers;

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/* ---- crs at its control socket ---- */

int cli_call(const struct cli *cli, const char *method, const char *target, json_t *body,
	     bool quiet_if_down, json_t **answer_out)
{
	struct slice text = cursor_l16(answers);

	(void)cli;
	(void)method;
	(void)target;
	(void)body;
	(void)quiet_if_down;
	if (text.n && text.p[0] == '!') {
		cli_error("%.*s", (int)text.n - 1, (const char *)text.p + 1);
		return -EIO;
	}
	if (text.n == 0)
		return 0; /* an answer without a body */
	*answer_out = json_loadb((const char *)text.p, text.n, JSON_DECODE_ANY, NULL);
	return *answer_out ? 0 : -EPROTO;
}

int control_follow(const struct control_server *server, const char *target,
		   bool (*line)(void *arg, struct slice text), void *arg, struct diag *diag)
{
	(void)server;
	(void)target;
	while (answers->left > 0 && cursor_ok(answers) && line(arg, cursor_l16(answers)))
		;
	diag_error(diag, NULL, "lost");
	return -EPIPE;
}

/* Its clients would connect somewhere. */
void health_clients_run(const struct health_account *account, struct health_report *report)
{
	health_report_add(report, HEALTH_OK, "attach", "%s", account->check);
}

/* A secret that is no octets would be stretched, which takes a tenth of a second. */
int account_secret_from_text(struct slice text, const char *account_id,
			     struct account_secret *secret_out)
{
	(void)account_id;
	memset(secret_out, 0, sizeof(*secret_out));
	return text.n ? 0 : -EINVAL;
}

static const struct {
	cli_action_fn *run;
	int argc;
	const char *argv[5];
} actions[] = {
	{ cli_show_attach, 0, { NULL } },
	{ cli_show_session, 0, { NULL } },
	{ cli_show_message, 0, { NULL } },
	{ cli_show_relay, 0, { NULL } },
	{ cli_show_relays, 0, { NULL } },
	{ cli_show_version, 0, { NULL } },
	{ cli_show_services, 0, { NULL } },
	{ cli_show_system, 0, { NULL } },
	{ cli_show_account, 0, { NULL } },
	{ cli_show_updates, 0, { NULL } },
	{ cli_show_blacklist, 1, { "acme" } },
	{ cli_show_admins, 0, { NULL } },
	{ cli_show_admin, 1, { "bob" } },
	{ cli_show_admin_accounts, 1, { "bob" } },
	{ cli_show_client_info, 1, { "acme" } },
	{ cli_show_push_token, 2, { "acme", "tel:+1" } },
	{ cli_show_client_storage, 1, { "acme" } },
	{ cli_lookup_client, 3, { "acme", "tel:+1", "-v" } },
	{ cli_list_account, 0, { NULL } },
	{ cli_create_admin, 1, { "bob" } },
	{ cli_reload, 0, { NULL } },
	{ cli_apply, 1, { "/dev/null" } },
	{ cli_stats_export, 1, { "acme" } },
	{ cli_health_system, 2, { "--output-format", "tsv" } },
	{ cli_health_system, 0, { NULL } },
	{ cli_health_account, 3, { "acme", "--output-format", "tsv" } },
	{ cli_health_account, 2, { "acme", "--local-only" } },
	{ cli_trace, 1, { "attach" } },
	{ cli_trace, 3, { "event", "--only", "acme" } },
};
enum { ACTIONS = sizeof(actions) / sizeof(actions[0]), CRA_ACTIONS = 4 };

static void ask_crs(size_t i, bool json)
{
	const struct cli cli = { .socket = "/nowhere", .json = json };
	char *argv[5];

	memcpy(argv, actions[i].argv, sizeof(argv));
	actions[i].run(&cli, actions[i].argc, argv);
}

/* ---- a remote rendezvous ---- */

/* Says whether more follows. */
static bool answer(struct link *link, uint64_t request, struct slice content)
{
	uint8_t how = content.n ? content.p[0] : 0, *octets;
	Umsg__AdminAnswer answered = UMSG__ADMIN_ANSWER__INIT;
	Umsg__Frame frame = UMSG__FRAME__INIT;
	char text[FRAME_TEXT_MAX + 1];
	size_t n;

	content = slice_from(content, content.n ? 1 : 0);
	if (how & REFUSED) {
		snprintf(text, sizeof(text), "%.*s", (int)content.n, (const char *)content.p);
		answered.error = UMSG__ERROR_CODE__ERROR_NOT_ALLOWED;
		answered.text = text;
	} else {
		answered.data = frame_data(content);
	}
	answered.more = how & MORE;
	frame.request = request;
	frame.body_case = UMSG__FRAME__BODY_ADMIN_ANSWER;
	frame.admin_answer = &answered;
	if (frame_encode(&frame, &octets, &n))
		return false; /* too much for a frame, or no text */
	fake_link_frame(link, slice_of(octets, n));
	free(octets);
	return answered.more;
}

/* To each request all the answers that are left; then the connection is gone. */
static void on_request(void *arg, struct link *link, struct slice octets)
{
	const unsigned *flags = arg;
	Umsg__Frame *asked = NULL;

	expect(frame_decode(octets, FRAME_FROM_CLIENT, &asked) == 0);
	expect(asked->body_case == UMSG__FRAME__BODY_ADMIN_REQUEST);
	while (answers->left > 0 && cursor_ok(answers)) {
		struct slice content = cursor_l16(answers);

		if (*flags & RAW_FRAMES)
			fake_link_frame(link, content);
		else if (!answer(link, asked->request, content))
			break;
	}
	frame_free(&asked);
	fake_link_end(link, LINK_BROKEN); /* an answer that was whole counts all the same */
}

static void show_answer(size_t action, const json_t *shown)
{
	if (action == 0)
		cra_print_accounts(shown, stdout);
	else if (action == 1)
		cra_print_applied(shown, stdout);
	else
		statistics_print(shown, stdout);
}

static void ask_cra(size_t action, unsigned flags)
{
	struct cra_client *client = NULL;
	struct diag *diag = diag_new();
	json_t *shown = NULL;
	int err;

	fake_link_connect_at_once();
	fake_link_on_sent(on_request, &flags);
	expect(cra_client_connect("127.0.0.1:5223", "bob", "a secret", &client, diag) == 0);
	if (action == 3)
		err = cra_client_apply(client, "acme", slice_str("an update"), NULL, NULL, &shown,
				       diag);
	else
		err = cra_client_ask(client, UMSG__ADMIN_ACTION__ADMIN_ACCOUNTS, "acme", &shown,
				     diag);
	expect(err || shown);
	if (err)
		cra_print_error(diag_first_error(diag), stderr);
	else if (flags & AS_JSON)
		cli_print_json(json_incref(shown), JSON_INDENT(2));
	else
		show_answer(action, shown);
	json_decref(shown);
	cra_client_free(&client);
	diag_free(&diag);
}

/* ---- the screen ---- */

static void check_shown(const char *text, size_t n, bool told_null)
{
	expect(told_null || !memmem(text, n, "(null)", 6));
	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)text[i], next = i + 1 < n ? (uint8_t)text[i + 1] : 0;

		expect(c >= 0x20 || c == '\n' || c == '\t');
		expect(!(c == 0x7f || (c == 0xc2 && next >= 0x80 && next < 0xa0)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_of(slice_of(data, size));
	size_t what = cursor_u8(&c) % (ACTIONS + CRA_ACTIONS), n;
	unsigned flags = cursor_u8(&c);
	FILE *out = stdout, *err = stderr;
	char *screen = NULL;

	answers = &c;
	/* In the C library of Linux they are variables. */
	stdout = stderr = open_memstream(&screen, &n);
	expect(stdout != NULL);
	if (what < ACTIONS)
		ask_crs(what, flags & AS_JSON);
	else
		ask_cra(what - ACTIONS, flags);
	fclose(stdout);
	stdout = out;
	stderr = err;
	check_shown(screen, n, size >= 6 && memmem(data, size, "null)", 5));
	free(screen);
	return 0;
}
