/* test_client.c - clients, and their calls through a rendezvous. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/umsg/stage.h"
#include "umsg/client_call_priv.h"
#include "umsg/end_reason.h"

#define ALICE "tel:+46700000001"
#define BOB "tel:+46700000002"

static const struct umsg_audio_wish any_codec = { { UMSG_OPUS, UMSG_PCMU, UMSG_PCMA }, 3, 0 };
static const struct umsg_audio_wish a_law = { { UMSG_PCMA }, 1, 0 };

static void call_bob(struct party *alice)
{
	assert_int_equal(
		umsg_call_invite(alice->client, BOB, "101", "9", &any_codec, NULL, &alice->call),
		0);
}

/* CCA-002, CCA-003: a connection, and a registration on it. */
static void a_client_attaches(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE);

	assert_int_equal(stage->registers, 1);
	assert_int_equal(umsg_client_state(alice->client), UMSG_ATTACHED);
	assert_string_equal(umsg_state_name(UMSG_ATTACHED), "CONNECTED");
}

static void who_has_another_secret_is_refused(void **state)
{
	struct stage *stage = *state;
	struct account_secret other;
	struct party *alice;

	assert_int_equal(account_secret_random(&other), 0);
	alice = stage_enter_with(stage, ALICE, &other);
	STAGE_UNTIL(stage, alice->state == UMSG_OFFLINE && alice->text[0]);
	assert_int_equal(stage->registers, 0);
}

static void who_is_denied_is_told_why(void **state)
{
	struct stage *stage = *state;
	struct party *alice;

	stage->deny = true;
	alice = stage_enter_with(stage, ALICE, &stage->secret);
	STAGE_UNTIL(stage, alice->state == UMSG_DENIED);
	assert_string_equal(alice->text, "blacklisted");
	assert_int_equal(
		umsg_call_invite(alice->client, BOB, "", "", &any_codec, NULL, &alice->call),
		-ENOTCONN);
}

/* A worker of the rendezvous starts again: the connection stays, the registration comes. */
static void a_registration_that_is_refused_for_now_is_tried_again(void **state)
{
	struct stage *stage = *state;
	struct party *alice;

	stage->refuse = 2;
	alice = stage_enter_with(stage, ALICE, &stage->secret);
	STAGE_UNTIL(stage, alice->state == UMSG_ATTACHED);
	assert_int_equal(stage->registers, 3);
}

static void a_lost_connection_is_made_again(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE);

	stage_cut(stage);
	STAGE_UNTIL(stage, alice->state != UMSG_ATTACHED);
	STAGE_UNTIL(stage, alice->state == UMSG_ATTACHED);
	assert_int_equal(stage->registers, 2);
}

static void an_address_may_be_a_name(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE);
	char address[32];

	umsg_client_free(&alice->client);
	alice->state = UMSG_OFFLINE;
	snprintf(address, sizeof(address), "localhost:%u", (unsigned)net_port(&stage->addr));
	stage_client(alice, address);
	STAGE_UNTIL(stage, alice->state == UMSG_ATTACHED);
	assert_string_equal(umsg_client_address(alice->client), address);
}

static void an_address_that_is_none_is_told(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE);

	umsg_client_free(&alice->client);
	alice->state = UMSG_CONNECTING;
	stage_client(alice, "127.0.0.1:1");
	STAGE_UNTIL(stage, alice->state == UMSG_OFFLINE);
	assert_true(alice->text[0] != '\0');
}

static void who_was_replaced_stays_away(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE);
	struct party *bob = stage_enter(stage, BOB);

	stage_unregister(stage, ALICE, UMSG__UNREGISTER_REASON__UNREGISTER_REPLACED);
	STAGE_UNTIL(stage, alice->state == UMSG_REPLACED);
	stage_cut(stage);
	STAGE_UNTIL(stage, bob->state != UMSG_ATTACHED);
	STAGE_UNTIL(stage, bob->state == UMSG_ATTACHED); /* it did come back */
	assert_int_equal(stage->registers, 3);
	assert_int_equal(alice->state, UMSG_REPLACED);
}

static void check_media(const struct party *alice, const struct party *bob)
{
	const struct umsg_media *a = &alice->media, *b = &bob->media;

	assert_memory_equal(a->own_key, b->peer_key, sizeof(a->own_key));
	assert_memory_equal(a->peer_key, b->own_key, sizeof(a->own_key));
	assert_memory_equal(a->own_salt, b->peer_salt, sizeof(a->own_salt));
	assert_memory_equal(a->peer_salt, b->own_salt, sizeof(a->own_salt));
	assert_memory_not_equal(a->own_key, a->peer_key, sizeof(a->own_key));
	assert_int_equal(a->own_ssrc, b->peer_ssrc);
	assert_int_equal(a->peer_ssrc, b->own_ssrc);
	assert_int_equal(a->codec, b->codec);
	assert_int_equal(a->codec_pt, b->codec_pt);
	assert_int_equal(a->event_pt, b->event_pt);
	assert_int_equal(a->event_clock, b->event_clock);
	assert_int_equal(a->profile, b->profile);
	assert_int_equal(a->salt_len, 14);
	assert_string_equal(a->relay_host, "192.0.2.1");
	assert_int_equal(a->relay_port, 146);
	assert_int_equal(a->leg_id_len, 8);
	assert_int_equal(a->leg_key_len, 32);
}

/* CCA-009: the extension is inside the seal and comes out at the other end. */
static void a_call_is_rung_answered_and_hung_up(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);

	bob->rings = true;
	call_bob(alice);
	assert_string_equal(umsg_call_state_word(alice->call), "BANG");
	STAGE_UNTIL(stage, alice->ringing && bob->incoming);
	assert_string_equal(umsg_call_state_word(alice->call), "GROWL");
	assert_string_equal(umsg_call_state_word(bob->call), "GROWL");
	assert_int_equal(alice->progress, 1);
	assert_null(umsg_call_media(alice->call));
	assert_string_equal(bob->from, ALICE);
	assert_string_equal(bob->called, "101");
	assert_string_equal(bob->calling, "9");
	assert_string_equal(umsg_call_peer_domain(bob->call), "Example");
	assert_memory_equal(umsg_call_id(alice->call), umsg_call_id(bob->call), UMSG_ID_SIZE);

	assert_int_equal(umsg_call_answer(bob->call, &bob->wish), 0);
	bob->media = *umsg_call_media(bob->call);
	STAGE_UNTIL(stage, alice->answered);
	assert_string_equal(umsg_call_state_word(alice->call), "TALK");
	assert_int_equal(alice->media.codec, UMSG_OPUS);
	assert_int_equal(alice->media.event_clock, 48000);
	check_media(alice, bob);

	/* CCA-010, where telephone events were not agreed on. */
	assert_int_equal(umsg_call_send_digit(alice->call, '#', 100), 0);
	STAGE_UNTIL(stage, bob->digits);
	assert_int_equal(bob->digit, '#');
	assert_int_equal(umsg_call_send_digit(alice->call, 'x', 100), -EINVAL);

	umsg_call_hangup(bob->call, UMSG__END_REASON__END_HANGUP);
	assert_int_equal(bob->ended, 1);
	STAGE_UNTIL(stage, alice->ended);
	assert_int_equal(alice->end.reason, UMSG__END_REASON__END_HANGUP);
	assert_int_equal(alice->end.by, UMSG__ENDED_BY__BY_RESPONDER);
	assert_false(alice->end.by_us);
	assert_true(bob->end.by_us);
}

/* CRS manual 4.11 has no number of devices; our rendezvous takes 16 (HOME_MAX_DEVICES).  Here they
 * are one, under another answer_rand each time. */
static void the_last_of_many_devices_that_ring_answers(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);
	struct umsg_call *call;

	call_bob(alice);
	STAGE_UNTIL(stage, bob->incoming);
	call = bob->call;
	for (uint8_t i = 0; i < 16; i++) {
		call->rand[0] = i;
		call->state = CALL_BANG;
		assert_int_equal(
			call_channel_init(&call->secret, CALL_RESPONDER, call->rand, &call->own),
			0);
		assert_int_equal(umsg_call_ring(call), 0);
	}
	assert_int_equal(umsg_call_answer(call, &bob->wish), 0);
	bob->media = *umsg_call_media(call);
	STAGE_UNTIL(stage, alice->answered || alice->ended);
	assert_int_equal(alice->answered, 1);
	check_media(alice, bob);
}

static void the_callers_first_codec_that_both_have_is_taken(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);

	bob->answers = true;
	bob->wish = (struct umsg_audio_wish){ { UMSG_PCMA, UMSG_PCMU }, 2, 0 };
	call_bob(alice);
	STAGE_UNTIL(stage, alice->answered);
	assert_int_equal(alice->media.codec, UMSG_PCMU);
	assert_int_equal(alice->media.codec_pt, 0);
	assert_int_equal(alice->media.event_clock, 8000);
	check_media(alice, bob);
}

static void without_a_common_codec_there_is_no_call(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);

	bob->answers = true;
	assert_int_equal(umsg_call_invite(alice->client, BOB, "", "", &a_law, NULL, &alice->call),
			 0);
	STAGE_UNTIL(stage, alice->ended);
	assert_int_equal(alice->end.reason, UMSG__END_REASON__END_NO_COMMON_CODEC);
	assert_int_equal(bob->ended, 1);
}

static void a_call_may_be_declined(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);

	bob->declines = true;
	call_bob(alice);
	STAGE_UNTIL(stage, alice->ended);
	assert_int_equal(alice->end.reason, UMSG__END_REASON__END_DECLINED);
	assert_string_equal(umsg_end_reason_text(alice->end.reason), "declined");
}

static void who_is_not_there_cannot_be_called(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE);

	call_bob(alice);
	STAGE_UNTIL(stage, alice->ended);
	assert_int_equal(alice->end.reason, UMSG__END_REASON__END_NOT_CONNECTED);
	assert_int_equal(alice->end.by, UMSG__ENDED_BY__BY_RENDEZVOUS);
}

static void a_busy_rendezvous_ends_the_attempt(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE);

	stage->busy = true;
	call_bob(alice);
	STAGE_UNTIL(stage, alice->ended);
	assert_int_equal(alice->end.reason, UMSG__END_REASON__END_CONGESTION);
}

static void the_caller_may_give_up(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);

	bob->rings = true;
	call_bob(alice);
	STAGE_UNTIL(stage, alice->ringing);
	umsg_call_hangup(alice->call, UMSG__END_REASON__END_HANGUP);
	STAGE_UNTIL(stage, bob->ended);
	assert_int_equal(bob->end.by, UMSG__ENDED_BY__BY_INITIATOR);
}

static void of_two_devices_one_answers(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE);
	struct party *phone = stage_enter(stage, BOB), *tablet = stage_enter(stage, BOB);

	phone->rings = true;
	tablet->rings = true;
	call_bob(alice);
	STAGE_UNTIL(stage, phone->incoming && tablet->incoming && alice->ringing);
	assert_int_equal(umsg_call_answer(tablet->call, &tablet->wish), 0);
	tablet->media = *umsg_call_media(tablet->call);
	STAGE_UNTIL(stage, alice->answered && phone->ended);
	assert_int_equal(phone->end.reason, UMSG__END_REASON__END_ANSWERED_ELSEWHERE);
	assert_int_equal(alice->ringing, 1);
	check_media(alice, tablet);
}

static bool lose_nothing(struct stage *stage, Umsg__Frame *frame)
{
	(void)stage;
	(void)frame;
	return true;
}

/* What is bent on its way, and the reason that the caller hears. */
static bool bend_offer(struct stage *stage, Umsg__Frame *frame)
{
	(void)stage;
	if (frame->body_case == UMSG__FRAME__BODY_BANG)
		frame->bang->sealed.data[3] ^= 1;
	return true;
}

static bool bend_i_message(struct stage *stage, Umsg__Frame *frame)
{
	(void)stage;
	if (frame->body_case == UMSG__FRAME__BODY_BANG)
		frame->bang->i_message.data[frame->bang->i_message.len - 9] ^= 1;
	return true;
}

static bool bend_session(struct stage *stage, Umsg__Frame *frame)
{
	(void)stage;
	if (frame->body_case == UMSG__FRAME__BODY_BANG)
		frame->bang->session_id.data[0] ^= 1;
	else if (frame->body_case == UMSG__FRAME__BODY_HANGUP)
		frame->hangup->session->session_id.data[0] ^= 1;
	return true;
}

static void a_forged_invitation_does_not_ring(void **state)
{
	static bool (*const bends[])(struct stage *, Umsg__Frame *) = { bend_offer, bend_i_message,
									bend_session };
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);

	for (unsigned i = 0; i < COUNT(bends); i++) {
		stage->tamper = bends[i];
		call_bob(alice);
		STAGE_UNTIL(stage, alice->ended == i + 1);
		assert_int_equal(alice->end.reason, UMSG__END_REASON__END_UNDECRYPTABLE);
	}
	assert_int_equal(bob->incoming, 0);
	stage->tamper = lose_nothing;
	bob->answers = true;
	call_bob(alice);
	STAGE_UNTIL(stage, alice->answered);
}

static uint8_t kept[FRAME_MAX];
static size_t kept_n;

static bool keep_bang(struct stage *stage, Umsg__Frame *frame)
{
	uint8_t *octets;

	(void)stage;
	if (frame->body_case != UMSG__FRAME__BODY_BANG)
		return true;
	assert_int_equal(frame_encode(frame, &octets, &kept_n), 0);
	memcpy(kept, octets, kept_n);
	free(octets);
	return true;
}

static void a_repeated_invitation_does_not_ring_again(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);
	Umsg__Frame *again;

	stage->tamper = keep_bang;
	bob->declines = true;
	call_bob(alice);
	STAGE_UNTIL(stage, alice->ended);
	assert_int_equal(bob->incoming, 1);
	assert_int_equal(frame_decode(slice_of(kept, kept_n), FRAME_FROM_SERVER, &again), 0);
	stage_send(stage, BOB, again);
	frame_free(&again);
	call_bob(alice); /* a fresh one, behind the repeated one */
	STAGE_UNTIL(stage, alice->ended == 2);
	assert_int_equal(bob->incoming, 2);
	assert_int_equal(bob->ended, 2);
}

static bool bend_answer(struct stage *stage, Umsg__Frame *frame)
{
	(void)stage;
	if (frame->body_case == UMSG__FRAME__BODY_TALK)
		frame->talk->sealed.data[0] ^= 1;
	return true;
}

static void an_answer_that_does_not_open_ends_the_call(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);

	stage->tamper = bend_answer;
	bob->answers = true;
	call_bob(alice);
	STAGE_UNTIL(stage, alice->ended && bob->ended);
	assert_int_equal(alice->end.reason, UMSG__END_REASON__END_UNDECRYPTABLE);
	assert_int_equal(alice->answered, 0);
}

/* What was sealed for one frame is not good in another place, nor twice. */
static void a_forged_hangup_does_not_end_a_call(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Hangup hangup = UMSG__HANGUP__INIT;
	Umsg__Session session = UMSG__SESSION__INIT;
	uint8_t id[UMSG_ID_SIZE], nonsense[FRAME_ID + 4] = { 0 };

	bob->answers = true;
	call_bob(alice);
	STAGE_UNTIL(stage, alice->answered);
	memcpy(id, umsg_call_id(alice->call), sizeof(id));
	session.session_id = frame_data(slice_of(id, sizeof(id)));
	session.role = UMSG__CALL_ROLE__RESPONDER;
	session.answer_rand = frame_data(slice_of(nonsense, FRAME_ID));
	hangup.session = &session;
	hangup.who = UMSG__ENDED_BY__BY_RESPONDER;
	frame.from = frame_text(BOB);
	frame.to = frame_text(ALICE);
	frame.body_case = UMSG__FRAME__BODY_HANGUP;
	frame.hangup = &hangup;
	stage_send(stage, ALICE, &frame); /* as of one who could not open it */
	session.sealed = frame_data(slice_of(nonsense, sizeof(nonsense)));
	stage_send(stage, ALICE, &frame);
	assert_int_equal(umsg_call_send_digit(bob->call, '1', 100), 0);
	STAGE_UNTIL(stage, alice->digits); /* came behind them */
	assert_int_equal(alice->ended, 0);
}

static void a_lost_connection_ends_the_calls(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);

	bob->answers = true;
	call_bob(alice);
	STAGE_UNTIL(stage, alice->answered);
	stage_cut(stage);
	STAGE_UNTIL(stage, alice->ended && bob->ended);
	assert_int_equal(alice->end.reason, UMSG__END_REASON__END_LOST_CONNECTION);
}

static void a_client_that_goes_hangs_up_first(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);

	bob->answers = true;
	call_bob(alice);
	STAGE_UNTIL(stage, alice->answered);
	umsg_client_free(&alice->client);
	assert_int_equal(alice->ended, 1);
	STAGE_UNTIL(stage, bob->ended);
	assert_int_equal(bob->end.reason, UMSG__END_REASON__END_HANGUP);
}

int main(void)
{
#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, stage_set, stage_strike)
	const struct CMUnitTest tests[] = {
		ON_STAGE(a_client_attaches),
		ON_STAGE(who_has_another_secret_is_refused),
		ON_STAGE(who_is_denied_is_told_why),
		ON_STAGE(a_registration_that_is_refused_for_now_is_tried_again),
		ON_STAGE(a_lost_connection_is_made_again),
		ON_STAGE(an_address_may_be_a_name),
		ON_STAGE(an_address_that_is_none_is_told),
		ON_STAGE(who_was_replaced_stays_away),
		ON_STAGE(a_call_is_rung_answered_and_hung_up),
		ON_STAGE(the_last_of_many_devices_that_ring_answers),
		ON_STAGE(the_callers_first_codec_that_both_have_is_taken),
		ON_STAGE(without_a_common_codec_there_is_no_call),
		ON_STAGE(a_call_may_be_declined),
		ON_STAGE(who_is_not_there_cannot_be_called),
		ON_STAGE(a_busy_rendezvous_ends_the_attempt),
		ON_STAGE(the_caller_may_give_up),
		ON_STAGE(of_two_devices_one_answers),
		ON_STAGE(a_forged_invitation_does_not_ring),
		ON_STAGE(a_repeated_invitation_does_not_ring_again),
		ON_STAGE(an_answer_that_does_not_open_ends_the_call),
		ON_STAGE(a_forged_hangup_does_not_end_a_call),
		ON_STAGE(a_lost_connection_ends_the_calls),
		ON_STAGE(a_client_that_goes_hangs_up_first),
	};

	return cmocka_run_group_tests(tests, stage_build, stage_raze);
}
