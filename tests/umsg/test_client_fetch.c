/* test_client_fetch.c - what waits at the rendezvous is fetched, whole or part by part: all of it,
 * also where an answer is lost, or something else is asked for meanwhile.
 */
#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "tests/umsg/stage.h"

#define ALICE "tel:+46700000001"
#define BOB "tel:+46700000002"
#define CAROL "tel:+46700000003"
#define DAVE "tel:+46700000004"

static void what_waits_is_fetched_when_its_receiver_comes(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob;

	stage_post_hello(alice, BOB);
	stage_post_hello(alice, BOB);
	STAGE_UNTIL(stage, alice->acks == 2);
	bob = stage_enter(stage, BOB);
	STAGE_UNTIL(stage, bob->messages == 2 && stage->takens == 2);
}

/* A page that ends before a message that cannot be handed out just now says that there is more. */
static void who_stays_where_he_is_is_asked_again_after_a_pause(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob;
	int64_t asked_ms;

	stage->always_more = true;
	stage_post_hello(alice, BOB);
	STAGE_UNTIL(stage, alice->acks == 1);
	stage->fetches = 0;
	asked_ms = clock_mono_ms();
	bob = stage_enter(stage, BOB);
	STAGE_UNTIL(stage, bob->messages == 1 && stage->fetches == 2);
	STAGE_UNTIL(stage, stage->fetches == 3);
	assert_true(clock_mono_ms() - asked_ms >= 5000);
}

static void what_was_not_taken_comes_again(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);

	bob->keeps = true;
	stage_post_hello(alice, BOB);
	STAGE_UNTIL(stage, bob->messages == 1);
	stage_cut(stage);
	STAGE_UNTIL(stage, bob->messages == 2);
	umsg_client_fetch(bob->client); /* and when he asks for it */
	STAGE_UNTIL(stage, bob->messages == 3);
	assert_int_equal(umsg_client_taken(bob->client, bob->id, ALICE, bob->number), 0);
	STAGE_UNTIL(stage, stage->takens == 1);
}

static bool deliver_nothing(struct stage *stage, Umsg__Frame *frame)
{
	(void)stage;
	return frame->body_case != UMSG__FRAME__BODY_DELIVER;
}

static void notify(struct stage *stage, const char *uri)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Notify notify = UMSG__NOTIFY__INIT;

	notify.epoch = stage->epoch;
	notify.number = stage->number;
	frame.by_server = 1;
	frame.body_case = UMSG__FRAME__BODY_NOTIFY;
	frame.notify = &notify;
	stage_send(stage, uri, &frame);
}

/* Its receiver asks for all that he did not take while the answer to a Fetch comes. */
static bool ask_meanwhile(struct stage *stage, Umsg__Frame *frame)
{
	if (frame->body_case == UMSG__FRAME__BODY_DELIVER && stage->fetches == 2)
		umsg_client_fetch(stage->parties[1].client);
	return true;
}

/* That answer begins behind what he asks for, and ends with a higher number. */
static void what_is_asked_for_anew_comes_although_a_fetch_is_under_way(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);

	bob->keeps = true;
	stage->fetches = 0;
	stage_post_hello(alice, BOB);
	STAGE_UNTIL(stage, bob->messages == 1);
	umsg_client_fetch(bob->client);
	STAGE_UNTIL(stage, bob->messages == 2 && stage->fetches == 1);
	stage->tamper = deliver_nothing;
	stage_post_hello(alice, BOB);
	STAGE_UNTIL(stage, alice->acks == 2);
	stage->tamper = ask_meanwhile;
	notify(stage, BOB);
	STAGE_UNTIL(stage, bob->messages == 4);
}

/* What comes unasked has a number, too, and says nothing of lower ones. */
static void a_message_that_comes_unasked_does_not_hide_others(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);

	bob->keeps = true;
	stage->tamper = deliver_nothing;
	stage_post_hello(alice, BOB);
	STAGE_UNTIL(stage, alice->acks == 1);
	stage->tamper = NULL;
	stage_post_hello(alice, BOB);
	STAGE_UNTIL(stage, bob->messages == 1);
	notify(stage, BOB);
	STAGE_UNTIL(stage, bob->messages == 2);
}

static int64_t passed_ms; /* of monotonic time, by a step */

int64_t __real_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void)
{
	return __real_clock_mono_ms() + passed_ms;
}

/* The worker that was asked may have died: the connection is another one's. */
static void a_fetch_that_is_never_answered_is_sent_again(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);
	unsigned registers;

	bob->keeps = true;
	stage_post_hello(alice, BOB);
	STAGE_UNTIL(stage, bob->messages == 1);
	stage->forgets_fetches = true;
	umsg_client_fetch(bob->client);
	STAGE_UNTIL(stage, bob->messages == 2);
	registers = stage->registers;
	passed_ms = 21000;
	STAGE_UNTIL(stage, stage->fetches == 2);
	passed_ms = 0;
	assert_int_equal(stage->registers, registers);
}

static int64_t ahead_ms, passed_s; /* a sealer's wall clock is ahead; and all of them */

int64_t __real_clock_wall_ms(void);
int64_t __wrap_clock_wall_ms(void);
int64_t __wrap_clock_wall_ms(void)
{
	return __real_clock_wall_ms() + ahead_ms;
}

int64_t __real_clock_wall_s(void);
int64_t __wrap_clock_wall_s(void);
int64_t __wrap_clock_wall_s(void)
{
	return __real_clock_wall_s() + passed_s;
}

static bool no_memory; /* for what is sent next; once */

int __real_link_send(struct link *link, struct slice message);
int __wrap_link_send(struct link *link, struct slice message);
int __wrap_link_send(struct link *link, struct slice message)
{
	if (!no_memory)
		return __real_link_send(link, message);
	no_memory = false;
	return -ENOMEM;
}

static void a_fetch_that_could_not_be_sent_is_sent_later(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);
	int fetches;

	bob->keeps = true;
	stage_post_hello(alice, BOB);
	STAGE_UNTIL(stage, bob->messages == 1);
	fetches = stage->fetches;
	no_memory = true;
	umsg_client_fetch(bob->client);
	assert_false(no_memory);
	passed_ms = 5000;
	STAGE_UNTIL(stage, bob->messages == 2);
	passed_ms = 0;
	assert_int_equal(stage->fetches, fetches + 1);
}

static bool hasty; /* a wait of a second is over soon, and three seconds have passed then */

int __real_event_add(struct event *event, const struct timeval *wait);
int __wrap_event_add(struct event *event, const struct timeval *wait);
int __wrap_event_add(struct event *event, const struct timeval *wait)
{
	const struct timeval soon = { 0, 20000 };

	if (!hasty || !wait || wait->tv_sec != 1)
		return __real_event_add(event, wait);
	passed_ms += 3000;
	return __real_event_add(event, &soon);
}

/* The timer is for both: what it brings on lies behind the Fetch that is not answered. */
static void a_fetch_that_is_never_answered_holds_up_none_that_is_due(void **state)
{
	struct stage *stage = *state;
	struct party *bob = stage_enter(stage, BOB);

	stage->forgets_fetches = true;
	hasty = true;
	no_memory = true;
	umsg_client_fetch(bob->client); /* due in five seconds */
	umsg_client_fetch(bob->client);
	STAGE_UNTIL(stage, stage->fetches == 2);
	hasty = false;
	passed_ms = 0;
}

enum { PICTURE = 300000, PICTURE_PARTS = 6 }; /* behind the first record */

/* Posts a picture of so many octets; its sum is what the receiver must have. */
static uint32_t post_octets(struct party *alice, size_t n, struct umsg_sealed *sealed)
{
	static uint8_t picture[PICTURE];
	Umsg__TextBody body = UMSG__TEXT_BODY__INIT;
	Umsg__Attachment attachment = UMSG__ATTACHMENT__INIT, *attachments[] = { &attachment };
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		picture[i] = (uint8_t)(i ^ i >> 7);
		sum = sum * 31 + picture[i];
	}
	attachment.name = frame_text("a.png");
	attachment.type = frame_text("image/png");
	attachment.data = frame_data(slice_of(picture, n));
	body.n_attachments = 1;
	body.attachments = attachments;
	assert_int_equal(umsg_client_seal(alice->client, BOB, &body, 0, sealed), 0);
	assert_int_equal(umsg_client_post(alice->client, slice_of(sealed->octets, sealed->n)), 0);
	return sum;
}

static uint32_t post_picture(struct party *alice, struct umsg_sealed *sealed)
{
	return post_octets(alice, PICTURE, sealed);
}

static void a_long_body_goes_in_parts(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);
	struct umsg_sealed sealed;
	uint32_t sum = post_picture(alice, &sealed);

	STAGE_UNTIL(stage, bob->messages && alice->acks && stage->takens);
	assert_int_equal(bob->attached, PICTURE);
	assert_int_equal(bob->sum, sum);
	assert_int_equal(stage->parts_seen, 2 * PICTURE_PARTS);
	umsg_sealed_clear(&sealed);
}

static void an_interrupted_post_goes_on_where_it_was(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);
	struct umsg_sealed sealed;
	uint32_t sum;

	stage->cut_at_part = 4;
	sum = post_picture(alice, &sealed);
	STAGE_UNTIL(stage, stage->parts_seen == 4 && alice->state == UMSG_OFFLINE);
	STAGE_UNTIL(stage, alice->state == UMSG_ATTACHED && bob->state == UMSG_ATTACHED);
	assert_int_equal(umsg_client_post(alice->client, slice_of(sealed.octets, sealed.n)), 0);
	STAGE_UNTIL(stage, bob->messages && alice->acks);
	assert_int_equal(bob->sum, sum);
	assert_int_equal(stage->parts_seen, 2 * PICTURE_PARTS); /* none came twice */
	umsg_sealed_clear(&sealed);
}

static void an_interrupted_delivery_goes_on_where_it_was(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);
	struct umsg_sealed sealed;
	uint32_t sum;

	stage->cut_at_part = PICTURE_PARTS + 4;
	sum = post_picture(alice, &sealed);
	STAGE_UNTIL(stage, bob->messages);
	assert_int_equal(bob->sum, sum);
	assert_int_equal(stage->parts_seen, 2 * PICTURE_PARTS + 1); /* the one that was lost */
	umsg_sealed_clear(&sealed);
}

enum { GONE = 5, MANY = 24 }; /* more than come at once */

static size_t n_gone;

/* Of all but the last message the parts are gone. */
static bool empty_part(struct stage *stage, Umsg__Frame *frame)
{
	if (frame->body_case == UMSG__FRAME__BODY_PART &&
	    memcmp(frame->part->message_id.data, stage->store[n_gone].id, UMSG_ID_SIZE) != 0)
		frame->part->record.len = 0;
	return true;
}

static unsigned parts_lost;

static bool lose_a_part(struct stage *stage, Umsg__Frame *frame)
{
	(void)stage;
	return frame->body_case != UMSG__FRAME__BODY_PART || parts_lost++ > 0;
}

/* The part of the rendezvous that had to send it is gone, and the connection lives. */
static void a_part_that_does_not_come_is_asked_for_again(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);
	struct umsg_sealed sealed;
	uint32_t sum;

	parts_lost = 0;
	stage->tamper = lose_a_part;
	sum = post_picture(alice, &sealed);
	STAGE_UNTIL(stage, parts_lost == 1);
	passed_ms = 20000;
	STAGE_UNTIL(stage, bob->messages == 1);
	passed_ms = 0;
	assert_int_equal(bob->sum, sum);
	assert_int_equal(stage->fetches, 0);
	umsg_sealed_clear(&sealed);
}

static void a_long_message_that_is_gone_keeps_no_other_from_coming(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);
	struct umsg_sealed sealed[GONE + 1];
	uint32_t sum = 0;

	n_gone = GONE;
	stage->tamper = empty_part;
	for (size_t i = 0; i < COUNT(sealed); i++)
		sum = post_picture(alice, &sealed[i]);
	STAGE_UNTIL(stage, bob->messages);
	assert_int_equal(bob->sum, sum);
	assert_memory_equal(bob->id, sealed[GONE].id, UMSG_ID_SIZE);
	for (size_t i = 0; i < COUNT(sealed); i++)
		umsg_sealed_clear(&sealed[i]);
}

static unsigned empty_parts;

static bool empty_each_part(struct stage *stage, Umsg__Frame *frame)
{
	bool part = frame->body_case == UMSG__FRAME__BODY_PART;

	(void)stage;
	if (part)
		frame->part->record.len = 0;
	empty_parts += part;
	return true;
}

/* However many there are, they are asked for one behind the other and then rest: a whole one
 * behind them comes, and nobody is asked without end. */
static void long_messages_that_are_gone_are_tried_in_turns(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob;
	struct umsg_sealed sealed[MANY + 1];

	for (size_t i = 0; i < COUNT(sealed); i++) {
		post_octets(alice, 50000, &sealed[i]); /* of two records */
		STAGE_UNTIL(stage, alice->acks == i + 1);
	}
	empty_parts = 0;
	n_gone = MANY;
	stage->tamper = empty_part;
	bob = stage_enter(stage, BOB);
	STAGE_UNTIL(stage, bob->messages == 1);
	assert_memory_equal(bob->id, sealed[MANY].id, UMSG_ID_SIZE);
	stage->tamper = empty_each_part;
	stage_enter(stage, CAROL); /* behind all that is under way */
	assert_int_equal(empty_parts, 0);
	passed_ms = 5000; /* then all of them once more */
	STAGE_UNTIL(stage, empty_parts == MANY);
	stage_enter(stage, DAVE);
	assert_int_equal(empty_parts, MANY);
	passed_ms = 0;
	for (size_t i = 0; i < COUNT(sealed); i++)
		umsg_sealed_clear(&sealed[i]);
}

/* It would be whole and left each time that anything is fetched. */
static void a_long_message_from_the_future_is_not_fetched_before_it_is_due(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);
	struct umsg_sealed sealed;

	ahead_ms = 600000;
	post_picture(alice, &sealed);
	ahead_ms = 0;
	STAGE_UNTIL(stage, alice->acks == 1);
	stage_cut(stage);
	STAGE_UNTIL(stage, bob->state != UMSG_ATTACHED);
	STAGE_UNTIL(stage, bob->state == UMSG_ATTACHED);
	STAGE_UNTIL(stage, stage->fetches == 1);
	stage_enter(stage, CAROL);
	assert_int_equal(stage->parts_seen, PICTURE_PARTS); /* as they were posted */
	passed_s = 301;
	STAGE_UNTIL(stage, bob->messages == 1);
	passed_s = 0;
	umsg_sealed_clear(&sealed);
}

enum { AT_ONCE = 4 };

static bool lose_parts(struct stage *stage, Umsg__Frame *frame)
{
	bool part = frame->body_case == UMSG__FRAME__BODY_PART;

	(void)stage;
	parts_lost += part;
	return !part;
}

/* Each of the first ones has stood still for a minute: one gives its place to the last. */
static void a_long_message_that_gave_way_comes_behind_the_one_that_it_let_pass(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);
	struct umsg_sealed sealed[AT_ONCE + 1];

	parts_lost = 0;
	stage->tamper = lose_parts;
	for (size_t i = 0; i < AT_ONCE; i++)
		post_picture(alice, &sealed[i]);
	STAGE_UNTIL(stage, parts_lost == AT_ONCE);
	stage->tamper = NULL;
	passed_ms = 61000;
	post_picture(alice, &sealed[AT_ONCE]);
	STAGE_UNTIL(stage, bob->messages == AT_ONCE + 1);
	passed_ms = 0;
	for (size_t i = 0; i < COUNT(sealed); i++)
		umsg_sealed_clear(&sealed[i]);
}

static bool bend_part(struct stage *stage, Umsg__Frame *frame)
{
	if (frame->body_case == UMSG__FRAME__BODY_DELIVER)
		stage->store[0].more[100] ^= 1;
	return true;
}

static void a_bent_part_spoils_the_whole(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);
	struct umsg_sealed sealed;

	stage->tamper = bend_part;
	post_picture(alice, &sealed);
	STAGE_UNTIL(stage, alice->receipts);
	assert_int_equal(alice->receipt, UMSG__RECEIPT_STATE__RECEIPT_UNDECRYPTABLE);
	assert_int_equal(bob->messages, 0);
	umsg_sealed_clear(&sealed);
}

int main(void)
{
#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, stage_set, stage_strike)
	const struct CMUnitTest tests[] = {
		ON_STAGE(what_waits_is_fetched_when_its_receiver_comes),
		ON_STAGE(who_stays_where_he_is_is_asked_again_after_a_pause),
		ON_STAGE(what_was_not_taken_comes_again),
		ON_STAGE(what_is_asked_for_anew_comes_although_a_fetch_is_under_way),
		ON_STAGE(a_message_that_comes_unasked_does_not_hide_others),
		ON_STAGE(a_fetch_that_is_never_answered_is_sent_again),
		ON_STAGE(a_fetch_that_could_not_be_sent_is_sent_later),
		ON_STAGE(a_fetch_that_is_never_answered_holds_up_none_that_is_due),
		ON_STAGE(a_long_body_goes_in_parts),
		ON_STAGE(a_part_that_does_not_come_is_asked_for_again),
		ON_STAGE(a_long_message_that_is_gone_keeps_no_other_from_coming),
		ON_STAGE(long_messages_that_are_gone_are_tried_in_turns),
		ON_STAGE(a_long_message_from_the_future_is_not_fetched_before_it_is_due),
		ON_STAGE(a_long_message_that_gave_way_comes_behind_the_one_that_it_let_pass),
		ON_STAGE(an_interrupted_post_goes_on_where_it_was),
		ON_STAGE(an_interrupted_delivery_goes_on_where_it_was),
		ON_STAGE(a_bent_part_spoils_the_whole),
	};

	return cmocka_run_group_tests(tests, stage_build, stage_raze);
}
