/* The gateway as a party of UMSG: real key stores, and a client that is played.  Keys come, change
 * and end while it runs, and what fails leaves those in use as they are. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/encode.h"
#include "base/log.h"
#include "gateway/secure_side.h"
#include "tests/fuzz/fake_clock.h"
#include "tests/keys/world.h"
#include "tests/umsg/loop.h"
#include "umsg/client_ring.h"

enum { TEN_DAYS_S = 10 * 24 * 3600 }; /* the clock begins on the 21st of SAMPLE_MONTH */

/* ---- the client ---- */

struct umsg_client {
	const struct umsg_client_ops *ops;
	void *arg;
	enum umsg_state state;
	char address[128]; /* that it was told, or "" */
	unsigned rekeyed, forgotten;
};

/* The one client of a side; umsg_client_new() has no argument of the test's. */
static struct umsg_client played;

int umsg_client_new(const struct umsg_client_options *options, struct umsg_client **client_out)
{
	played = (struct umsg_client){ options->ops, options->arg, .state = UMSG_CONNECTING };
	snprintf(played.address, sizeof(played.address), "%s",
		 options->address ? options->address : "");
	assert_non_null(options->keys.store);
	assert_non_null(options->replay);
	assert_non_null(options->seen);
	*client_out = &played;
	return 0;
}

void umsg_client_free(struct umsg_client **clientp)
{
	*clientp = NULL;
}

enum umsg_state umsg_client_state(const struct umsg_client *client)
{
	return client->state;
}

const char *umsg_state_name(enum umsg_state state)
{
	return state == UMSG_ATTACHED ? "CONNECTED" : "DISCONNECTED";
}

const char *umsg_client_address(const struct umsg_client *client)
{
	return client->address;
}

void umsg_client_set_keys(struct umsg_client *client, const struct umsg_keys *keys)
{
	assert_non_null(keys->store);
	client->rekeyed++;
}

void umsg_client_forget_answers(struct umsg_client *client)
{
	client->forgotten++;
}

/* ---- the owner ---- */

struct scene {
	struct world *world;
	struct event_base *base;
	const struct cig_config *config;
	struct secure_side *side;
	/* what it was told */
	struct umsg_client *client;
	unsigned announced, attached, incoming, calls, messages, acks, receipts, looked_up;
	char own_uri[64];
	unsigned engines;
	char warning[512];
};

static void on_client(void *arg, struct umsg_client *client, const char *own_uri, unsigned engines)
{
	struct scene *scene = arg;

	scene->announced++;
	scene->client = client;
	scene->engines = engines;
	snprintf(scene->own_uri, sizeof(scene->own_uri), "%s", own_uri);
}

static void on_attached(void *arg)
{
	((struct scene *)arg)->attached++;
}

static void on_looked_up(void *arg, const char *uri)
{
	assert_string_equal(uri, "tel:+4580000001");
	((struct scene *)arg)->looked_up++;
}

static void on_incoming(void *arg, struct umsg_call *call)
{
	assert_null(call);
	((struct scene *)arg)->incoming++;
}

static void on_call(void *arg, struct umsg_call *call, enum umsg_call_event event)
{
	assert_null(call);
	assert_int_equal(event, UMSG_CALL_RINGING);
	((struct scene *)arg)->calls++;
}

static void on_message(void *arg, const struct umsg_message *message)
{
	assert_string_equal(message->from, "tel:+4580000001");
	((struct scene *)arg)->messages++;
}

static void on_post_ack(void *arg, const uint8_t id[UMSG_ID_SIZE], Umsg__ErrorCode error,
			const char *text, unsigned retry_after_s)
{
	assert_int_equal(id[0], 7);
	assert_int_equal(error, UMSG__ERROR_CODE__ERROR_STORE_FULL);
	assert_string_equal(text, "slowly");
	assert_int_equal(retry_after_s, 9);
	((struct scene *)arg)->acks++;
}

static bool on_receipt(void *arg, const char *from, const uint8_t id[UMSG_ID_SIZE],
		       Umsg__ReceiptState state, const char *reason)
{
	assert_string_equal(from, "tel:+4580000001");
	assert_int_equal(id[0], 7);
	assert_int_equal(state, UMSG__RECEIPT_STATE__RECEIPT_FAILED);
	assert_string_equal(reason, "no");
	return ++((struct scene *)arg)->receipts == 2;
}

static const struct secure_side_ops ops = { on_client, on_attached, on_looked_up, on_incoming,
					    on_call,   on_message,  on_post_ack,  on_receipt };

static void on_line(void *arg, enum log_type type, const char *module, const char *text)
{
	struct scene *scene = arg;

	(void)module;
	if (type == LOG_TYPE_WARN)
		snprintf(scene->warning, sizeof(scene->warning), "%s", text);
}

static const struct cig_config *config_of(const struct scene *scene, const char *tel)
{
	static const char form[] =
		"map m { entry e sip \"sip:{n}@pbx.test\" tel \"tel:+8888;{n}\"; }\n"
		"interfaces { tel { extension map m; source map m; %s }\n"
		" sip { extension map m; source map m; } }\n"
		"userdata \"%s\"; log_dir \"/tmp\"; run_dir \"/tmp\";\n";
	const struct cig_config *config;
	struct diag *diag = diag_new();
	char text[1024];

	snprintf(text, sizeof(text), form, tel, scene->world->dir);
	if (cig_config_parse("test", slice_str(text), diag, &config))
		fail_msg("%s", diag_first_error(diag));
	diag_free(&diag);
	return config;
}

static int begin(struct scene *scene, const char *tel, struct diag *diag)
{
	scene->config = config_of(scene, tel);
	return secure_side_new(scene->base, scene->config, &ops, scene, &scene->side, diag);
}

static void use(struct scene *scene, const char *tel)
{
	const struct cig_config *config = config_of(scene, tel);

	secure_side_set_config(scene->side, config);
	cig_config_release(&config);
}

/* A store of WORLD_URI with keys of so many months. */
static void enrol(struct scene *scene, size_t months)
{
	struct letter letter = world_letter(scene->world, months);

	assert_int_equal(world_enrol(scene->world, &letter), 0);
}

static struct world *the_world; /* made once: its master keys take their time */

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	void *world = the_world;

	assert_non_null(scene);
	scene->world = the_world;
	assert_int_equal(world_clean(&world), 0);
	fake_clock_reset();
	scene->base = event_base_new();
	log_set_tap(on_line, scene);
	*state = scene;
	return 0;
}

static void remove_in(const struct world *world, const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", world->dir, name);
	if (unlink(path))
		rmdir(path);
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	secure_side_free(&scene->side);
	assert_null(scene->side);
	assert_null(scene->client); /* nobody holds it any more */
	log_set_tap(NULL, NULL);
	remove_in(scene->world, "calls.replay");
	remove_in(scene->world, "messages.seen");
	cig_config_release(&scene->config);
	event_base_loop(scene->base, EVLOOP_NONBLOCK);
	event_base_free(scene->base);
	free(scene);
	return 0;
}

static const char *reported(const struct scene *scene, const char *member)
{
	static char text[256];
	json_t *report = secure_side_report(scene->side);
	const char *value = json_string_value(json_object_get(report, member));

	snprintf(text, sizeof(text), "%s", value ? value : "");
	json_decref(report);
	return text;
}

/* ---- tests ---- */

/* CIG-105: the status says what is missing, and set-key is all that it takes. */
static void without_keys_it_runs_and_waits_for_them(void **state)
{
	struct scene *scene = *state;
	struct diag *diag = diag_new();

	assert_int_equal(begin(scene, "", NULL), 0);
	assert_false(secure_side_has_keys(scene->side));
	assert_int_equal(scene->announced, 0);
	assert_string_equal(reported(scene, "crypto"), "NO KEYS");
	assert_string_equal(reported(scene, "connection"), "DISCONNECTED");
	assert_string_equal(reported(scene, "why"), "run cig-cli set-key");
	assert_int_equal(secure_side_reload(scene->side, diag), -ENOENT);
	enrol(scene, 1);
	assert_int_equal(secure_side_reload(scene->side, diag), 0);
	assert_true(secure_side_has_keys(scene->side));
	assert_ptr_equal(scene->client, &played);
	assert_string_equal(scene->own_uri, WORLD_URI);
	assert_int_equal(played.rekeyed, 0); /* it began with them */
	assert_string_equal(reported(scene, "crypto"), "OK");
	diag_free(&diag);
}

static void with_keys_its_client_is_announced_and_shown(void **state)
{
	struct scene *scene = *state;
	json_t *report, *periods;

	enrol(scene, 2);
	assert_int_equal(begin(scene, "crs_address \"crs.test:5224\";", NULL), 0);
	assert_int_equal(scene->announced, 1);
	assert_string_equal(played.address, "crs.test:5224"); /* before the letter's */
	played.state = UMSG_ATTACHED;
	report = secure_side_report(scene->side);
	assert_string_equal(json_string_value(json_object_get(report, "public_id")), WORLD_URI);
	assert_string_equal(json_string_value(json_object_get(report, "connection")), "CONNECTED");
	assert_string_equal(json_string_value(json_object_get(report, "crs_address")),
			    "crs.test:5224");
	periods = json_object_get(report, "periods");
	assert_int_equal(json_array_size(periods), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(periods, 0), "month")),
			    "2026-11");
	json_decref(report);
}

static void an_address_of_ipv6_is_told_in_brackets(void **state)
{
	struct scene *scene = *state;

	enrol(scene, 1);
	assert_int_equal(begin(scene, "crs_address \"[2001:db8::1]:5223\";", NULL), 0);
	assert_string_equal(played.address, "[2001:db8::1]:5223");
}

static void the_letters_address_holds_where_no_other_is_set(void **state)
{
	struct scene *scene = *state;

	enrol(scene, 1);
	assert_int_equal(begin(scene, "", NULL), 0);
	assert_string_equal(played.address, "");
}

/* Calls and texts under way are the former identity's. */
static void another_identity_needs_a_restart(void **state)
{
	struct scene *scene = *state;
	struct diag *diag = diag_new();
	struct letter letter = world_letter(scene->world, 1);
	uint8_t octets[LETTER_OCTETS_MAX];
	char other[160];
	size_t n;

	enrol(scene, 1);
	assert_int_equal(begin(scene, "", NULL), 0);
	assert_int_equal(unlink(scene->world->path), 0);
	SET_TEXT(letter.uri, "tel:+8889");
	assert_int_equal(keystore_path(scene->world->dir, letter.uri, other, sizeof(other)), 0);
	world_issue(scene->world->master, letter.uri, letter.months[0].month,
		    letter.months[0].packed);
	assert_int_equal(letter_encode(&letter, octets, &n), 0);
	assert_int_equal(keystore_enrol(scene->world->curves, slice_of(octets, n), other, NULL), 0);
	assert_int_equal(secure_side_reload(scene->side, diag), -EPERM);
	assert_non_null(strstr(diag_first_error(diag), "restart cig-server"));
	assert_string_equal(scene->own_uri, WORLD_URI);
	assert_true(secure_side_has_keys(scene->side));
	assert_int_equal(played.rekeyed, 0);
	remove_in(scene->world, ".ks.tel:+8889");
	remove_in(scene->world, ".ks.tel:+8889.lock");
	diag_free(&diag);
}

static void a_store_that_is_damaged_leaves_the_old_keys_in_use(void **state)
{
	struct scene *scene = *state;
	struct diag *diag = diag_new();

	enrol(scene, 1);
	assert_int_equal(begin(scene, "", NULL), 0);
	assert_int_equal(truncate(scene->world->path, 100), 0);
	assert_int_not_equal(secure_side_reload(scene->side, diag), 0);
	assert_int_equal(diag_errors(diag) > 0, 1);
	assert_true(secure_side_has_keys(scene->side));
	assert_int_equal(played.rekeyed, 0);
	diag_free(&diag);
}

/* Not taken for one without keys, which would let anybody's letter in. */
static void it_does_not_begin_with_a_damaged_store(void **state)
{
	struct scene *scene = *state;
	struct diag *diag = diag_new();

	enrol(scene, 1);
	assert_int_equal(truncate(scene->world->path, 100), 0);
	assert_int_not_equal(begin(scene, "", diag), 0);
	assert_null(scene->side);
	assert_int_equal(scene->announced, 0);
	diag_free(&diag);
}

/* What was taken before a restart must not be taken again: without that memory it does not run. */
static void it_does_not_begin_without_its_memory(void **state)
{
	static const char *const names[] = { "calls.replay", "messages.seen" };
	struct scene *scene = *state;
	char path[160];

	enrol(scene, 1);
	for (size_t i = 0; i < COUNT(names); i++) {
		struct diag *diag = diag_new();

		snprintf(path, sizeof(path), "%s/%s", scene->world->dir, names[i]);
		assert_int_equal(mkdir(path, 0700), 0);
		assert_int_not_equal(begin(scene, "", diag), 0);
		assert_non_null(strstr(diag_first_error(diag), names[i]));
		remove_in(scene->world, "calls.replay");
		remove_in(scene->world, "messages.seen");
		cig_config_release(&scene->config);
		diag_free(&diag);
	}
}

static void new_keys_reach_the_client_while_it_runs(void **state)
{
	struct scene *scene = *state;

	enrol(scene, 1);
	assert_int_equal(begin(scene, "", NULL), 0);
	assert_int_equal(secure_side_reload(scene->side, NULL), 0);
	assert_true(played.rekeyed > 0);
	assert_int_equal(scene->announced, 2); /* its URI lies in the new store */
}

/* A month that nobody has sent keys of: the status says so, the client is not given up. */
static void keys_end_with_their_month(void **state)
{
	struct scene *scene = *state;

	enrol(scene, 1);
	assert_int_equal(begin(scene, "", NULL), 0);
	fake_clock_add_ms((int64_t)TEN_DAYS_S * 1000);
	assert_false(secure_side_has_keys(scene->side));
	assert_string_equal(reported(scene, "crypto"), "NO KEYS OF THIS MONTH");
	assert_ptr_equal(scene->client, &played);
}

static void an_update_is_confirmed_when_its_keys_are_kept(void **state)
{
	struct scene *scene = *state;
	struct update_entry entry = world_entry(scene->world, SAMPLE_MONTH + 1, 1);
	struct letter letter = world_letter(scene->world, 1);
	struct world_parts parts = world_parts(&entry, letter.update_key);

	assert_int_equal(world_enrol(scene->world, &letter), 0);
	assert_int_equal(begin(scene, "", NULL), 0);
	assert_int_equal(played.ops->update(played.arg, SAMPLE_MONTH + 1, 1, slice_str("garbage"),
					    slice_str("garbage")),
			 UMSG_UPDATE_REFUSED);
	assert_int_equal(played.rekeyed, 0);
	assert_int_equal(played.ops->update(played.arg, SAMPLE_MONTH + 1, 1,
					    slice_of(parts.entry, parts.entry_n),
					    slice_of(parts.shared, parts.shared_n)),
			 UMSG_UPDATE_APPLIED);
	assert_int_equal(played.rekeyed, 1);
	fake_clock_add_ms((int64_t)TEN_DAYS_S * 1000);
	assert_true(secure_side_has_keys(scene->side)); /* of the next month now */
	world_parts_free(&parts);
}

static void what_the_client_tells_is_handed_on(void **state)
{
	static const uint8_t id[UMSG_ID_SIZE] = { 7 };
	struct umsg_message message = { .from = "tel:+4580000001" };
	struct scene *scene = *state;
	const struct umsg_client_ops *tell;

	enrol(scene, 1);
	assert_int_equal(begin(scene, "", NULL), 0);
	tell = played.ops;
	tell->state(played.arg, UMSG_CONNECTING, "connection refused");
	assert_int_equal(scene->attached, 0);
	assert_string_equal(reported(scene, "why"), "connection refused");
	tell->state(played.arg, UMSG_ATTACHED, "");
	assert_int_equal(scene->attached, 1);
	assert_string_equal(reported(scene, "why"), "");
	tell->incoming(played.arg, NULL);
	tell->call(played.arg, NULL, UMSG_CALL_RINGING);
	tell->message(played.arg, &message);
	tell->post_ack(played.arg, id, UMSG__ERROR_CODE__ERROR_STORE_FULL, "slowly", 9);
	assert_false(tell->receipt(played.arg, "tel:+4580000001", id,
				   UMSG__RECEIPT_STATE__RECEIPT_FAILED, "no"));
	assert_true(tell->receipt(played.arg, "tel:+4580000001", id,
				  UMSG__RECEIPT_STATE__RECEIPT_FAILED, "no"));
	assert_int_equal(scene->incoming + scene->calls + scene->messages + scene->acks, 4);
	tell->accepted(played.arg, "crs.test:5223", "gw");
	assert_int_equal(scene->announced, 2);
}

/* A URI that turns up in another domain is refused until the configuration names that one. */
static void a_user_in_another_domain_needs_the_configurations_word(void **state)
{
	struct scene *scene = *state;
	const uint8_t *own = domain_id(scene->world->domain);
	const uint8_t *other = domain_id(scene->world->other_domain);
	char id[DOMAIN_ID_TEXT], trust[DOMAIN_ID_TEXT + 32];

	enrol(scene, 1);
	assert_int_equal(begin(scene, "", NULL), 0);
	assert_false(played.ops->repin(played.arg, "tel:+4580000001", own, other));
	hex_encode(slice_of(other, DOMAIN_ID), id);
	assert_non_null(strstr(scene->warning, id)); /* as it is to be written */
	snprintf(trust, sizeof(trust), "trust_domain \"%s\";", id);
	use(scene, trust);
	assert_int_equal(played.forgotten, 1); /* what was looked up before says nothing now */
	assert_true(played.ops->repin(played.arg, "tel:+4580000001", own, other));
	assert_false(played.ops->repin(played.arg, "tel:+4580000001", other, own));
}

static void who_was_looked_up_is_told_whatever_came_of_it(void **state)
{
	struct scene *scene = *state;
	const uint8_t *other = domain_id(scene->world->other_domain);
	char id[DOMAIN_ID_TEXT];

	enrol(scene, 1);
	assert_int_equal(begin(scene, "", NULL), 0);
	played.ops->looked_up(played.arg, "tel:+4580000001", other, -ENOENT);
	assert_string_equal(scene->warning, "");
	played.ops->looked_up(played.arg, "tel:+4580000001", other, -EKEYREJECTED);
	hex_encode(slice_of(other, DOMAIN_ID), id);
	assert_non_null(strstr(scene->warning, id));
	assert_int_equal(scene->looked_up, 2);
}

static int make_world(void **state)
{
	int err = world_make(state);

	the_world = *state;
	return err;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_keys_it_runs_and_waits_for_them),
		TEST(with_keys_its_client_is_announced_and_shown),
		TEST(an_address_of_ipv6_is_told_in_brackets),
		TEST(the_letters_address_holds_where_no_other_is_set),
		TEST(another_identity_needs_a_restart),
		TEST(a_store_that_is_damaged_leaves_the_old_keys_in_use),
		TEST(it_does_not_begin_with_a_damaged_store),
		TEST(it_does_not_begin_without_its_memory),
		TEST(new_keys_reach_the_client_while_it_runs),
		TEST(keys_end_with_their_month),
		TEST(an_update_is_confirmed_when_its_keys_are_kept),
		TEST(what_the_client_tells_is_handed_on),
		TEST(a_user_in_another_domain_needs_the_configurations_word),
		TEST(who_was_looked_up_is_told_whatever_came_of_it),
	};

	return cmocka_run_group_tests(tests, make_world, world_end);
}
