/* A real crs with Redis: messages, and what a kill leaves of them. */
#include "tests/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "keys/update.h"
#include "tests/rendezvous/cast.h"
#include "tests/rendezvous/party.h"
#include "tests/rendezvous/scene.h"
#include "tests/rendezvous/update_file.h"

enum { SEALED_RECORD = FRAME_RECORD + FRAME_RECORD_TAG };

static const char dave[] = "tel:+46700000999";

/* CRS-084 and CRS-096: taken at once, and nothing is kept.  Of CRS-097 and CRS-098: not-found
 * (I-14), posted content and delivered, under the account; those of other hosts need them. */
static void an_online_message_is_acknowledged_when_it_is_taken(void **state)
{
	struct scene *scene = *state;
	struct party a, b;
	char line[128], output[SCENE_OUTPUT];

	scene_trace(scene, "message");
	cast_attach(&a, scene, alice, 1);
	cast_attach(&b, scene, bob, 1);
	party_post(&a, bob, 'm', 200);
	assert_true(party_hears(&b, "deliver m from"));
	assert_true(strstr(b.heard, "fresh") != NULL);
	party_taken(&b, alice, 'm');
	assert_true(party_hears(&a, "post_ack m 0"));
	party_fetch(&b, 0);
	assert_true(party_hears(&b, "fetched"));
	assert_false(party_heard(&b, "deliver m from tel:+46700000001 stored"));
	snprintf(line, sizeof(line), ",%s,%s,posted content,acme,bW1t", alice, bob);
	assert_true(scene_traced(scene, line));
	snprintf(line, sizeof(line), ",%s,%s,delivered,acme,bW1t", alice, bob);
	assert_true(scene_traced(scene, line));
	party_post(&a, "tel:+4670999999", 'n', 200);
	assert_true(party_hears(&a, "post_ack n 5"));
	assert_true(scene_traced(scene, ",tel:+4670999999,not-found,,bm5u"));
	assert_int_equal(scene_cli(scene, "show message --json", output), 0);
	assert_non_null(strstr(output, "\"post\": 1"));
	assert_non_null(strstr(output, "\"deliv\": 1"));
	party_close(&a);
	party_close(&b);
}

/* An acknowledged message survives kill -9 of everything. */
static void a_stored_message_survives_kill_9_of_everything(void **state)
{
	struct scene *scene = *state;
	struct party a, b;

	cast_attach(&b, scene, bob, 1);
	party_close(&b);
	cast_attach(&a, scene, alice, 1);
	assert_true(scene_cli_shows(scene, "show attach", bob, false));
	party_post(&a, bob, 'x', 200);
	assert_true(party_hears(&a, "post_ack x 0"));
	party_post(&a, bob, 'y', 60000); /* one of two records */
	assert_true(party_hears(&a, "part_ack y 1"));
	party_post(&a, bob, 'z', 200);
	assert_true(party_hears(&a, "post_ack z 0"));
	party_close(&a);
	scene_kill(&scene->crs); /* its children die with it */
	scene_start(scene);
	cast_attach(&a, scene, alice, 1);
	party_post(&a, bob, 'x', 200); /* the ack may have been lost: again */
	assert_true(party_hears(&a, "post_ack x 0"));
	cast_attach(&b, scene, bob, 1);
	party_fetch(&b, 0);
	assert_true(party_hears(&b, "deliver x from"));
	assert_true(party_hears(&b, "deliver z from"));
	assert_true(party_hears(&b, "fetched"));
	party_taken(&b, alice, 'x');
	party_taken(&b, alice, 'z');
	party_fetch(&b, 0);
	assert_true(party_hears(&b, "fetched"));
	party_close(&b);
	cast_attach(&b, scene, bob, 1);
	assert_true(party_heard(&b, "registered primary waiting 0"));
	party_close(&a);
	party_close(&b);
}

static void a_killed_redis_refuses_and_loses_nothing(void **state)
{
	struct scene *scene = *state;
	struct party a, b;
	pid_t redis;
	int64_t deadline = clock_mono_ms() + SCENE_PATIENCE_MS;

	cast_attach(&b, scene, bob, 1);
	party_close(&b);
	cast_attach(&a, scene, alice, 1);
	assert_true(scene_cli_shows(scene, "show attach", bob, false));
	party_post(&a, bob, 'a', 200);
	assert_true(party_hears(&a, "post_ack a 0"));
	redis = scene_process(scene, "redis_low");
	assert_true(redis > 0);
	assert_int_equal(kill(redis, SIGSTOP), 0); /* it answers nobody ... */
	party_post(&a, bob, 'b', 200);
	assert_int_equal(kill(redis, SIGKILL), 0); /* ... and then it is gone */
	assert_true(party_hears(&a, "post_ack b 6 retry 5 store not available"));
	while (clock_mono_ms() < deadline) { /* it comes back by itself */
		party_post(&a, bob, 'b', 200);
		assert_true(party_hears(&a, "post_ack b "));
		if (party_heard(&a, "post_ack b 0"))
			break;
		scene_run(scene);
	}
	assert_true(party_heard(&a, "post_ack b 0"));
	cast_attach(&b, scene, bob, 1);
	party_fetch(&b, 0);
	assert_true(party_hears(&b, "deliver a from"));
	assert_true(party_hears(&b, "deliver b from"));
	assert_true(party_hears(&b, "fetched"));
	party_close(&a);
	party_close(&b);
}

/* Whoever was there when Redis went is told when it is back. */
static void a_fetch_without_redis_ends_and_is_asked_for_again(void **state)
{
	struct scene *scene = *state;
	struct party a, b;
	pid_t redis;

	cast_attach(&b, scene, bob, 1);
	cast_attach(&a, scene, alice, 1);
	party_post(&a, bob, 'a', 200);
	assert_true(party_hears(&b, "deliver a from"));
	assert_true(party_hears(&a, "post_ack a 0")); /* not taken: stored */
	redis = scene_process(scene, "redis_low");
	assert_int_equal(kill(redis, SIGSTOP), 0);
	party_fetch(&b, 0);
	assert_int_equal(kill(redis, SIGKILL), 0);
	assert_true(party_hears(&b, "error 6 store not available"));
	assert_true(party_hears(&b, "fetched"));
	assert_true(party_hears(&b, "notify"));
	party_fetch(&b, 0);
	assert_true(party_hears(&b, "deliver a from"));
	assert_true(party_hears(&b, "fetched"));
	party_close(&a);
	party_close(&b);
}

static void a_long_message_goes_up_and_down_in_parts(void **state)
{
	struct scene *scene = *state;
	struct party a, b;

	cast_attach(&a, scene, alice, 1);
	cast_attach(&b, scene, bob, 1);
	party_post(&a, bob, 'l', 2 * SEALED_RECORD + 100);
	assert_true(party_hears(&a, "part_ack l 1"));
	party_part(&a, bob, 'l', 1, SEALED_RECORD);
	assert_true(party_hears(&a, "part_ack l 2"));
	party_part(&a, bob, 'l', 2, 100);
	assert_true(party_hears(&a, "post_ack l 0"));
	assert_true(party_hears(&b, "deliver l from"));
	party_ask_part(&b, alice, 'l', 1);
	assert_true(party_hears(&b, "part l 1 49168"));
	assert_true(party_hears(&b, "part l 2 100"));
	party_taken(&b, alice, 'l');
	party_ask_part(&b, alice, 'l', 1);
	assert_true(party_hears(&b, "part l 1 0")); /* no such message any more */
	party_fetch(&b, 0);
	assert_true(party_hears(&b, "fetched"));
	party_close(&b);
	cast_attach(&b, scene, bob, 1);
	assert_true(party_heard(&b, "registered primary waiting 0"));
	party_close(&a);
	party_close(&b);
}

/* What was stored of it before is no part of what is stored now. */
static void a_long_message_begun_before_a_kill_is_begun_anew(void **state)
{
	struct scene *scene = *state;
	struct party a, b;

	cast_attach(&b, scene, bob, 1);
	party_close(&b);
	cast_attach(&a, scene, alice, 1);
	assert_true(scene_cli_shows(scene, "show attach", bob, false));
	party_post(&a, bob, 'l', 2 * SEALED_RECORD + 100);
	assert_true(party_hears(&a, "part_ack l 1"));
	party_part(&a, bob, 'l', 1, SEALED_RECORD);
	assert_true(party_hears(&a, "part_ack l 2"));
	party_post(&a, bob, 's', 200); /* stored behind the part */
	assert_true(party_hears(&a, "post_ack s 0"));
	party_close(&a);
	scene_kill(&scene->crs);
	scene_start(scene);
	cast_attach(&a, scene, alice, 1);
	party_post(&a, bob, 'l', 2 * SEALED_RECORD + 100);
	assert_true(party_hears(&a, "part_ack l 1"));
	party_part(&a, bob, 'l', 1, SEALED_RECORD);
	party_part(&a, bob, 'l', 2, 100);
	assert_true(party_hears(&a, "post_ack l 0"));
	cast_attach(&b, scene, bob, 1);
	party_fetch(&b, 0);
	assert_true(party_hears(&b, "deliver l from"));
	party_ask_part(&b, alice, 'l', 1);
	assert_true(party_hears(&b, "part l 1 49168"));
	assert_true(party_hears(&b, "part l 2 100"));
	party_close(&a);
	party_close(&b);
}

static const char channel[] = "urn:uuid:00112233-4455-6677-8899-aabbccddeeff";

/* Alice, Bob and Carol are in the channel, and Dave is not. */
static void apply_channel(const struct scene *scene)
{
	const struct update_file_user users[] = {
		{ alice, 1 }, { bob, 1 }, { carol, 1 }, { dave, 1 }
	};
	const char *const uris[] = { alice, bob, carol };
	struct update_members members = { channel, uris, 3 };

	assert_int_equal(update_file_apply(scene, &(struct update_file){ .revision = 1,
									 .users = users,
									 .n_users = COUNT(users),
									 .channel = &members }),
			 0);
}

static void attach_first(struct party *party, struct scene *scene, const char *uri)
{
	party_open(party, scene,
		   &(struct party_options){ .uri = uri, .generation = 1, .device = 1 });
	assert_true(party_hears(party, "registered primary"));
}

/* Every member gets the body once, whole, from a store of his own, also after kill -9 of
 * everything and from a sender who posts it again. */
static void a_long_post_to_a_channel_reaches_every_member(void **state)
{
	struct scene *scene = *state;
	struct party a, b, c;

	apply_channel(scene);
	attach_first(&a, scene, alice);
	attach_first(&b, scene, bob);
	party_post_channel(&a, channel, 'l', 2 * SEALED_RECORD + 100);
	assert_true(party_hears(&a, "part_ack l 1"));
	party_part(&a, channel, 'l', 1, SEALED_RECORD);
	assert_true(party_hears(&a, "part_ack l 2"));
	party_post_channel(&a, channel, 'l', 2 * SEALED_RECORD + 100); /* goes on where it was */
	assert_true(party_hears(&a, "part_ack l 2"));
	assert_false(party_heard(&b, "deliver")); /* nobody sees half a message */
	party_part(&a, channel, 'l', 2, 100);
	assert_true(party_hears(&a, "post_ack l 0"));
	assert_true(party_hears(&b, "deliver l from"));
	party_ask_part(&b, alice, 'l', 1);
	assert_true(party_hears(&b, "part l 1 49168"));
	assert_true(party_hears(&b, "part l 2 100"));
	party_taken(&b, alice, 'l');
	party_fetch(&b, 0);
	assert_true(party_hears(&b, "fetched"));
	party_close(&a);
	party_close(&b);
	scene_kill(&scene->crs);
	scene_start(scene);
	attach_first(&a, scene, alice);
	party_fetch(&a, 0);
	assert_true(party_hears(&a, "fetched")); /* a sender has no copy */
	assert_false(party_heard(&a, "deliver"));
	attach_first(&c, scene, carol);
	party_fetch(&c, 0);
	assert_true(party_hears(&c, "deliver l from"));
	party_ask_part(&c, alice, 'l', 1);
	assert_true(party_hears(&c, "part l 1 49168"));
	assert_true(party_hears(&c, "part l 2 100"));
	party_post_channel(&a, channel, 'l', 2 * SEALED_RECORD + 100); /* its answer was lost */
	assert_true(party_hears(&a, "part_ack l 1"));
	party_part(&a, channel, 'l', 1, SEALED_RECORD);
	party_part(&a, channel, 'l', 2, 100);
	assert_true(party_hears(&a, "post_ack l 0"));
	party_taken(&c, alice, 'l');
	party_fetch(&c, 0);
	assert_true(party_hears(&c, "fetched")); /* there were not two */
	party_close(&c);
	attach_first(&c, scene, carol);
	assert_true(party_heard(&c, "registered primary waiting 0"));
	party_close(&a);
	party_close(&c);
}

static void a_long_post_to_a_channel_is_refused_by_name(void **state)
{
	struct scene *scene = *state;
	struct party a, d;
	int64_t deadline = clock_mono_ms() + SCENE_PATIENCE_MS;

	apply_channel(scene);
	attach_first(&d, scene, dave);
	party_post_channel(&d, channel, 'd', 2 * SEALED_RECORD + 100);
	assert_true(party_hears(&d, "post_ack d 9 retry 0 not a member of this channel"));
	attach_first(&a, scene, alice);
	party_post(&a, channel, 'k', 2 * SEALED_RECORD + 100);
	assert_true(party_hears(&a, "post_ack k 2 retry 0 not of the kind that channels take"));
	/* who may post is asked again when all of it is there */
	party_post_channel(&a, channel, 'l', SEALED_RECORD + 100);
	assert_true(party_hears(&a, "part_ack l 1"));
	assert_int_equal(
		update_file_apply(
			scene,
			&(struct update_file){ .revision = 2,
					       .users = (struct update_file_user[]){ { alice, 1 } },
					       .n_users = 1 }),
		0);
	while (!party_heard(&a, "post_ack s 9") && clock_mono_ms() < deadline) {
		party_post_channel(&a, channel, 's', 100); /* until the channel's home knows it */
		assert_true(party_hears(&a, "post_ack s"));
	}
	party_part(&a, channel, 'l', 1, 100);
	assert_true(party_hears(&a, "post_ack l 9 retry 0 not a member of this channel"));
	party_close(&a);
	party_close(&d);
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, cast_open, cast_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(an_online_message_is_acknowledged_when_it_is_taken),
		ONE(a_stored_message_survives_kill_9_of_everything),
		ONE(a_killed_redis_refuses_and_loses_nothing),
		ONE(a_fetch_without_redis_ends_and_is_asked_for_again),
		ONE(a_long_message_goes_up_and_down_in_parts),
		ONE(a_long_message_begun_before_a_kill_is_begun_anew),
		ONE(a_long_post_to_a_channel_reaches_every_member),
		ONE(a_long_post_to_a_channel_is_refused_by_name),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, cast_names, NULL);
}
