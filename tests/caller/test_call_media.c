/* A call's sound in the reference caller: a file on one side, a relay's socket on the other.  The
 * relay and the party behind it are this test; time is the test's, and passes by frames. */
#include "tests/unit.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/diag.h"
#include "base/net.h"
#include "caller/call_media.h"
#include "media/secure_leg.h"
#include "media/wav.h"
#include "tests/fuzz/fake_clock.h"
#include "tests/memory/scarce.h"
#include "tests/tools/quick_timers.h"
#include "tests/umsg/loop.h"

enum { PLAY = 1600, LOUD = 8000, QUIET = 4000, HEARD = 64000, MY_SSRC = 111, PEER_SSRC = 222 };

static const uint8_t leg_id[] = "leg-0123456789ab", leg_key[] = "sixteen octets k";

struct scene {
	struct event_base *base;
	struct umsg_media media;
	struct call_media_options options;
	struct call_media *sound;
	char record[64];
	int16_t play[PLAY];
	/* the relay */
	int relay;
	struct net_addr client; /* len 0: nothing came */
	bool answers;
	unsigned bindings, rtp;
	/* the party behind it */
	struct secure_leg *peer;
	size_t heard, loud; /* samples that came */
	char digit_heard;
	/* what its owner was told */
	unsigned played, digits, lost;
	char digit;
	unsigned duration_ms;
};

/* getaddrinfo() has no argument of the test's.  Names are asked of nobody else. */
__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
						       const struct addrinfo *hints,
						       struct addrinfo **res)
{
	static struct sockaddr_storage address;
	static struct addrinfo found;
	struct net_addr loopback;

	(void)service;
	assert_int_equal(hints->ai_socktype, SOCK_DGRAM);
	if (strcmp(node, "relay.example") != 0 && strcmp(node, "odd.example") != 0)
		return EAI_NONAME;
	assert_int_equal(net_parse("127.0.0.1", 0, &loopback), 0);
	memcpy(&address, &loopback.sa, loopback.len);
	found = (struct addrinfo){ .ai_family = AF_INET,
				   .ai_addr = (struct sockaddr *)&address,
				   /* another family's may be longer than all that we know */
				   .ai_addrlen = node[0] == 'r' ? loopback.len : sizeof(address) };
	*res = &found;
	return 0;
}

__attribute__((visibility("default"))) void freeaddrinfo(struct addrinfo *res)
{
	assert_non_null(res);
}

/* ---- the relay, and who is behind it ---- */

static void to_client(const struct scene *scene, struct slice packet)
{
	/* What is not taken was not expected any more. */
	if (sendto(scene->relay, packet.p, packet.n, 0, &scene->client.sa, scene->client.len) < 0)
		assert_int_equal(errno, ECONNREFUSED);
}

static void peer_sends(void *arg, struct slice packet, bool rtcp)
{
	struct scene *scene = arg;
	uint8_t answer[STUN_MAX_MESSAGE];
	struct stun_message message;
	size_t n;

	(void)rtcp;
	if (!stun_is(packet)) {
		if (scene->client.len)
			to_client(scene, packet);
		return;
	}
	/* Its own side of the relay always binds. */
	assert_int_equal(stun_parse(packet, &message), 0);
	n = stun_build_success(message.transaction, &scene->client,
			       slice_of(leg_key, sizeof(leg_key)), answer, sizeof(answer));
	if (n)
		secure_leg_receive(scene->peer, answer, n, clock_mono_ms());
}

static void peer_hears(void *arg, const int16_t *pcm, size_t n)
{
	struct scene *scene = arg;

	scene->heard += n;
	for (size_t i = 0; i < n; i++)
		scene->loud += abs(pcm[i]) > QUIET;
}

static void peer_digit(void *arg, const struct dtmf_event *event)
{
	struct scene *scene = arg;

	if (event->phase == DTMF_END)
		scene->digit_heard = event->digit;
}

static const struct leg_ops peer_ops = { peer_sends, peer_hears, peer_digit };

static void bind_client(struct scene *scene, struct slice packet)
{
	uint8_t answer[STUN_MAX_MESSAGE];
	struct stun_message message;
	size_t n;

	assert_int_equal(stun_parse(packet, &message), 0);
	assert_true(slice_eq(message.username, slice_of(leg_id, sizeof(leg_id))));
	assert_int_equal(stun_verify(&message, packet, slice_of(leg_key, sizeof(leg_key))), 0);
	scene->bindings++;
	if (!scene->answers)
		return;
	n = stun_build_success(message.transaction, &scene->client,
			       slice_of(leg_key, sizeof(leg_key)), answer, sizeof(answer));
	to_client(scene, slice_of(answer, n));
}

static void turn_relay(struct scene *scene)
{
	uint8_t packet[LEG_MAX_PACKET];
	ssize_t n;

	scene->client.len = sizeof(scene->client.in6);
	while ((n = recvfrom(scene->relay, packet, sizeof(packet), MSG_DONTWAIT, &scene->client.sa,
			     &scene->client.len)) > 0) {
		if (stun_is(slice_of(packet, (size_t)n)))
			bind_client(scene, slice_of(packet, (size_t)n));
		else if (secure_leg_receive(scene->peer, packet, (size_t)n, clock_mono_ms()) == 0)
			scene->rtp++;
	}
}

/* A frame's time passes on all sides: until the next one is waited for. */
static bool pass(struct scene *scene)
{
	fake_clock_add_ms(LEG_TICK_MS);
	quick_timers_reset();
	LOOP_UNTIL(scene->base, quick_timers_had(LEG_TICK_MS));
	turn_relay(scene);
	secure_leg_tick(scene->peer, clock_mono_ms());
	return true;
}

#define PASS_UNTIL(scene, condition)                                                               \
	LOOP_UNTIL((scene)->base, (condition) || (pass(scene) && (condition)))

/* ---- the call ---- */

static void on_played(void *arg)
{
	((struct scene *)arg)->played++;
}

static void on_lost(void *arg)
{
	((struct scene *)arg)->lost++;
}

static void on_digit(void *arg, char digit, unsigned duration_ms)
{
	struct scene *scene = arg;

	scene->digits++;
	scene->digit = digit;
	scene->duration_ms = duration_ms;
}

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct net_addr any;

	assert_non_null(scene);
	fake_clock_reset();
	quick_timers_reset();
	scene->base = quick_timers_base();
	assert_int_equal(net_parse("127.0.0.1", 0, &any), 0);
	scene->relay = net_udp_socket(&any, false);
	assert_true(scene->relay >= 0);
	assert_int_equal(net_local(scene->relay, &any), 0);
	scene->answers = true;
	scene->media = (struct umsg_media){ .relay_host = "127.0.0.1",
					    .relay_port = net_port(&any),
					    .leg_id_len = sizeof(leg_id),
					    .leg_key_len = sizeof(leg_key),
					    .own_ssrc = MY_SSRC,
					    .peer_ssrc = PEER_SSRC,
					    .profile = UMSG__SRTP_PROFILE__AES_CM_128_HMAC_SHA1_80,
					    .salt_len = 14,
					    .codec = UMSG_PCMA,
					    .codec_pt = 8,
					    .event_pt = 101,
					    .event_clock = 8000,
					    .ptime_ms = 20 };
	memcpy(scene->media.leg_id, leg_id, sizeof(leg_id));
	memcpy(scene->media.leg_key, leg_key, sizeof(leg_key));
	memset(scene->media.own_key, 1, sizeof(scene->media.own_key));
	memset(scene->media.peer_key, 2, sizeof(scene->media.peer_key));
	memset(scene->media.own_salt, 3, sizeof(scene->media.own_salt));
	memset(scene->media.peer_salt, 4, sizeof(scene->media.peer_salt));
	for (size_t i = 0; i < PLAY; i++)
		scene->play[i] = i / 8 % 2 ? LOUD : -LOUD; /* 500 Hz */
	scene->options = (struct call_media_options){ .base = scene->base,
						      .media = &scene->media,
						      .played = on_played,
						      .lost = on_lost,
						      .digit = on_digit,
						      .arg = scene };
	snprintf(scene->record, sizeof(scene->record), "/tmp/call-media-test.XXXXXX");
	close(mkstemp(scene->record));
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	call_media_stop(&scene->sound);
	secure_leg_free(&scene->peer);
	close(scene->relay);
	unlink(scene->record);
	event_base_free(scene->base);
	free(scene);
	return 0;
}

/* The party behind the relay: the same keys and SSRCs, the other way round. */
static void make_peer(struct scene *scene, enum media_codec codec)
{
	const struct umsg_media *media = &scene->media;
	struct secure_leg_config config = {
		.own_ssrc = media->peer_ssrc,
		.peer_ssrc = media->own_ssrc,
		.profile = media->salt_len == 12 ? SRTP_AEAD_AES_128_GCM : SRTP_AES128_CM_SHA1_80,
		.codec = codec,
		.codec_pt = media->codec_pt,
		.event_pt = media->event_pt,
		.event_clock = media->event_clock,
		.leg_id = slice_of(leg_id, sizeof(leg_id)),
		.leg_key = slice_of(leg_key, sizeof(leg_key)),
	};

	memcpy(config.own_key.key, media->peer_key, sizeof(media->peer_key));
	memcpy(config.own_key.salt, media->peer_salt, media->salt_len);
	memcpy(config.peer_key.key, media->own_key, sizeof(media->own_key));
	memcpy(config.peer_key.salt, media->own_salt, media->salt_len);
	secure_leg_free(&scene->peer);
	assert_int_equal(secure_leg_new(&config, &peer_ops, scene, clock_mono_ms(), &scene->peer),
			 0);
}

static void start(struct scene *scene, enum media_codec codec)
{
	make_peer(scene, codec);
	assert_int_equal(call_media_start(&scene->options, &scene->sound, NULL), 0);
}

/* The samples of a file that are as loud as what was said. */
static size_t loud_in(const char *path)
{
	int16_t *pcm;
	size_t n, loud = 0;

	assert_int_equal(wav_read(path, HEARD, &pcm, &n, NULL), 0);
	for (size_t i = 0; i < n; i++)
		loud += abs(pcm[i]) > QUIET;
	free(pcm);
	return loud;
}

static void both_sides_hear_each_other(void **state)
{
	static const struct {
		enum umsg_audio_codec codec;
		enum media_codec peers;
		uint8_t pt;
		Umsg__SrtpProfile profile;
		size_t salt_len;
	} cases[] = {
		{ UMSG_PCMU, MEDIA_PCMU, 0, UMSG__SRTP_PROFILE__AES_CM_128_HMAC_SHA1_80, 14 },
		{ UMSG_PCMA, MEDIA_PCMA, 8, UMSG__SRTP_PROFILE__AEAD_AES_128_GCM, 12 },
		{ UMSG_OPUS, MEDIA_OPUS, 96, UMSG__SRTP_PROFILE__AEAD_AES_128_GCM, 12 },
	};
	struct scene *scene = *state;
	struct leg_stats stats;

	scene->options.play = scene->play;
	scene->options.play_n = PLAY;
	scene->options.record = scene->record;
	for (size_t i = 0; i < COUNT(cases); i++) {
		scene->media.codec = cases[i].codec;
		scene->media.codec_pt = cases[i].pt;
		scene->media.profile = cases[i].profile;
		scene->media.salt_len = cases[i].salt_len;
		scene->media.event_clock = codec_clock(cases[i].peers);
		scene->played = 0;
		scene->loud = 0;
		start(scene, cases[i].peers);
		PASS_UNTIL(scene, secure_leg_bound(scene->peer) && scene->rtp);
		/* The other party says the same meanwhile, a frame at a time. */
		for (size_t said = 0; said < PLAY; said += 160) {
			secure_leg_send_audio(scene->peer, scene->play + said, 160);
			pass(scene);
		}
		PASS_UNTIL(scene, scene->played && scene->loud > PLAY / 2);
		for (int k = 0; k < 50; k++) /* a second: what is still under way, and silence */
			pass(scene);
		assert_int_equal(scene->played, 1);
		call_media_stats(scene->sound, &stats);
		assert_true(stats.packets_sent >= PLAY / 160);
		assert_int_equal(stats.auth_failures, 0);
		assert_int_equal(call_media_stop(&scene->sound), 0);
		assert_null(scene->sound);
		/* The hole behind the other's last frame is filled from it. */
		assert_in_range(scene->loud, PLAY * 9 / 10, PLAY * 12 / 10);
		assert_in_range(loud_in(scene->record), PLAY * 9 / 10, PLAY * 12 / 10);
	}
}

/* What is said before the relay knows us would be lost. */
static void nothing_is_said_before_the_relay_has_bound_us(void **state)
{
	struct scene *scene = *state;

	scene->options.play = scene->play;
	scene->options.play_n = PLAY;
	scene->answers = false;
	start(scene, MEDIA_PCMA);
	PASS_UNTIL(scene, scene->bindings >= 3);
	assert_int_equal(scene->rtp, 0);
	assert_int_equal(scene->played, 0);
	scene->answers = true;
	PASS_UNTIL(scene, scene->played);
	for (int i = 0; i < 20; i++)
		pass(scene);
	assert_in_range(scene->loud, PLAY * 9 / 10, PLAY); /* from the beginning */
}

static void a_relay_that_never_binds_us_is_told_once(void **state)
{
	struct scene *scene = *state;

	scene->answers = false;
	start(scene, MEDIA_PCMA);
	fake_clock_add_ms(CALL_MEDIA_RELAY_MS - 2 * LEG_TICK_MS);
	pass(scene);
	assert_int_equal(scene->lost, 0);
	for (int i = 0; i < 10; i++)
		pass(scene);
	assert_int_equal(scene->lost, 1);
	/* One that has is not, however long it lasts. */
	call_media_stop(&scene->sound);
	scene->answers = true;
	scene->rtp = 0; /* RTCP goes out all the same */
	start(scene, MEDIA_PCMA);
	PASS_UNTIL(scene, scene->rtp >= 3);
	fake_clock_add_ms(2 * CALL_MEDIA_RELAY_MS);
	for (int i = 0; i < 10; i++)
		pass(scene);
	assert_int_equal(scene->lost, 1);
}

/* A machine that was suspended: a burst would be thrown away as late. */
static void a_stretch_without_a_processor_is_not_made_up_for(void **state)
{
	struct scene *scene = *state;
	unsigned before;

	start(scene, MEDIA_PCMA);
	PASS_UNTIL(scene, scene->rtp > 2);
	before = scene->rtp;
	fake_clock_add_ms(8000);
	PASS_UNTIL(scene, scene->rtp > before);
	assert_in_range(scene->rtp - before, 1, 12);
	/* A short one is. */
	before = scene->rtp;
	fake_clock_add_ms(8 * LEG_TICK_MS);
	PASS_UNTIL(scene, scene->rtp >= before + 9);
}

static void digits_go_both_ways(void **state)
{
	struct scene *scene = *state;

	start(scene, MEDIA_PCMA);
	PASS_UNTIL(scene, scene->rtp > 2 && secure_leg_bound(scene->peer));
	assert_int_equal(call_media_send_digit(scene->sound, '7'), 0);
	assert_int_equal(call_media_send_digit(scene->sound, 'x'), -EINVAL);
	PASS_UNTIL(scene, scene->digit_heard == '7');
	assert_int_equal(secure_leg_send_digit(scene->peer, '#', 200), 0);
	PASS_UNTIL(scene, scene->digits);
	for (int i = 0; i < 20; i++)
		pass(scene);
	assert_int_equal(scene->digits, 1); /* once, at its end */
	assert_int_equal(scene->digit, '#');
	assert_in_range(scene->duration_ms, 180, 220);
}

static void without_telephone_events_a_digit_is_refused(void **state)
{
	struct scene *scene = *state;

	scene->media.event_pt = 0;
	start(scene, MEDIA_PCMA);
	assert_int_equal(call_media_send_digit(scene->sound, '7'), -ENOTSUP);
}

static void a_relay_may_be_given_by_name(void **state)
{
	struct scene *scene = *state;

	snprintf(scene->media.relay_host, sizeof(scene->media.relay_host), "relay.example");
	start(scene, MEDIA_PCMA);
	PASS_UNTIL(scene, scene->bindings);
}

static void a_sound_that_cannot_be_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *host, *record;
		int err;
		const char *why;
	} cases[] = {
		{ "nobody.example", NULL, -EHOSTUNREACH,
		  "media relay nobody.example: Name or service not known" },
		{ "odd.example", NULL, -EHOSTUNREACH,
		  "media relay odd.example: no address of a usable kind" },
		/* broadcasting needs SO_BROADCAST (udp(7)) */
		{ "255.255.255.255", NULL, -EACCES,
		  "media relay 255.255.255.255: Permission denied" },
		{ "127.0.0.1", "/nowhere/file.wav", -ENOENT,
		  "/nowhere/file.wav: No such file or directory" },
	};
	struct scene *scene = *state;
	struct diag *diag;

	for (size_t i = 0; i < COUNT(cases); i++) {
		diag = diag_new();
		snprintf(scene->media.relay_host, sizeof(scene->media.relay_host), "%s",
			 cases[i].host);
		scene->options.record = cases[i].record;
		assert_int_equal(call_media_start(&scene->options, &scene->sound, diag),
				 cases[i].err);
		assert_string_equal(diag_first_error(diag), cases[i].why);
		assert_null(scene->sound);
		diag_free(&diag);
	}
	/* Media of which the rendezvous has left something out. */
	scene->options.record = NULL;
	scene->media.own_ssrc = scene->media.peer_ssrc;
	assert_int_equal(call_media_start(&scene->options, &scene->sound, NULL), -EINVAL);
	assert_null(scene->sound);
}

static void a_recording_that_is_lost_is_told_at_the_end(void **state)
{
	struct scene *scene = *state;

	scene->options.record = "/dev/full";
	start(scene, MEDIA_PCMA);
	PASS_UNTIL(scene, scene->rtp);
	assert_int_equal(call_media_stop(&scene->sound), -ENOSPC);
	assert_int_equal(call_media_stop(&scene->sound), 0); /* is none any more */
}

static bool start_without(unsigned n, void *arg)
{
	struct scene *scene = arg;
	bool failed;
	int err;

	scarce_begin(n);
	err = call_media_start(&scene->options, &scene->sound, NULL);
	failed = scarce_end();
	assert_int_equal(err, failed ? -ENOMEM : 0);
	assert_int_equal(scene->sound != NULL, !failed);
	call_media_stop(&scene->sound);
	return failed;
}

static void without_memory_there_is_no_sound_and_nothing_is_left(void **state)
{
	struct scene *scene = *state;

	scene->options.record = scene->record;
	assert_in_range(scarce_each(start_without, scene), 3, 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_sides_hear_each_other),
		TEST(nothing_is_said_before_the_relay_has_bound_us),
		TEST(a_relay_that_never_binds_us_is_told_once),
		TEST(a_stretch_without_a_processor_is_not_made_up_for),
		TEST(digits_go_both_ways),
		TEST(without_telephone_events_a_digit_is_refused),
		TEST(a_relay_may_be_given_by_name),
		TEST(a_sound_that_cannot_be_is_refused_with_a_reason),
		TEST(a_recording_that_is_lost_is_told_at_the_end),
		TEST(without_memory_there_is_no_sound_and_nothing_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
