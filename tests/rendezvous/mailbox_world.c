#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/rendezvous/mailbox_world.h"

const char world_bob[] = "tel:+2", world_alice[] = "tel:+1", world_channel[] = "urn:c";

static void tell(struct world *world, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void tell(struct world *world, const char *fmt, ...)
{
	size_t n = strlen(world->told);
	va_list args;

	va_start(args, fmt);
	vsnprintf(world->told + n, sizeof(world->told) - n, fmt, args);
	va_end(args);
	n = strlen(world->told);
	snprintf(world->told + n, sizeof(world->told) - n, "\n");
}

static int load(void *arg, const char *uri, uint64_t after)
{
	struct world *world = arg;

	if (!world->load_error)
		tell(world, "load %s %d", uri, (int)after);
	return world->load_error;
}

static int store(void *arg, const char *uri, const struct mail *mail)
{
	struct world *world = arg;

	(void)uri;
	world->keep_until_s = mail->keep_until_s;
	if (!world->store_error)
		tell(world, "store %c", mail->id[0]);
	return world->store_error;
}

static void discard(void *arg, const char *uri, const struct mail *mail)
{
	((struct world *)arg)->oldest = mail_is_oldest(mail);
	(void)uri;
	tell(arg, "discard %c %d", mail->id[0], (int)mail->number);
}

static int store_part(void *arg, const char *uri, const struct mail *mail, uint32_t index,
		      struct slice record)
{
	struct world *world = arg;

	(void)uri;
	if (!world->store_error)
		tell(world, "part %c %u %.*s", mail->id[0], index, (int)record.n,
		     (const char *)record.p);
	return world->store_error;
}

static bool hand(void *arg, const char *uri, const struct mail *mail, struct endpoint *primary_out)
{
	struct world *world = arg;

	(void)uri;
	if (!world->online)
		return false;
	tell(world, "hand %c %d", mail->id[0], (int)mail->number);
	*primary_out = world->primary;
	return true;
}

static void notify(void *arg, const char *uri, uint64_t number)
{
	(void)uri;
	tell(arg, "notify %d", (int)number);
}

static void ack(void *arg, const struct mail *mail, Umsg__ErrorCode code, const char *text,
		uint32_t retry_after_s)
{
	if (mail->origin.connection)
		tell(arg, "ack %c %d %s%s%u", mail->id[0], (int)code, text, *text ? " " : "",
		     retry_after_s);
}

static void part_ack(void *arg, const struct mail *mail, uint32_t next)
{
	tell(arg, "want %c %u", mail->id[0], next);
}

static void event(void *arg, const char *uri, const struct mail *mail, enum mail_event what)
{
	(void)uri;
	tell(arg, "%s %c", what == MAIL_POSTED ? "posted" : "delivered", mail->id[0]);
}

static void whole(void *arg, const char *uri, const struct mail *mail)
{
	tell(arg, "whole %c to %s", mail->id[0], uri);
}

static const struct mailboxes_ops ops = {
	.load = load,
	.store = store,
	.discard = discard,
	.store_part = store_part,
	.hand = hand,
	.notify = notify,
	.ack = ack,
	.part_ack = part_ack,
	.whole = whole,
	.event = event,
};

int make_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	world->mailboxes = mailboxes_new(&ops, world);
	world->primary = (struct endpoint){ 1, 9 };
	world->now_ms = 1000;
	world->now_s = WORLD_NOW_S;
	*state = world;
	return world->mailboxes ? 0 : -1;
}

int drop_world(void **state)
{
	struct world *world = *state;

	mailboxes_free(&world->mailboxes);
	free(world);
	return 0;
}

void world_expect(struct world *world, const char *want)
{
	assert_string_equal(world->told, want);
	world->told[0] = '\0';
}

struct slice world_id(char c)
{
	static uint8_t octets[MAIL_ID_SIZE];

	memset(octets, c, sizeof(octets));
	return slice_of(octets, sizeof(octets));
}

void world_post_from(struct world *world, const char *sender, char c, uint32_t total,
		     uint32_t record, size_t octets)
{
	uint8_t *packed = calloc(1, octets);
	struct mail_post post = {
		.to = slice_str(world_bob),
		.max_lifetime_s = MAIL_MAX_LIFETIME_S,
		.sender = slice_str(sender),
		.account = slice_str("acme"),
		.id = world_id(c),
		.kind = UMSG__MESSAGE_KIND__KIND_TEXT,
		.total_length = total,
		.record_length = record,
		.post = packed,
		.post_n = octets,
		.origin = { 0, 5 },
		.request = 1,
	};

	assert_int_equal(mailboxes_post(world->mailboxes, &post, world->now_ms, world->now_s), 0);
}

void world_post_sized(struct world *world, char c, uint32_t total, uint32_t record, size_t octets)
{
	world_post_from(world, world_alice, c, total, record, octets);
}

void world_post(struct world *world, char c)
{
	world_post_sized(world, c, 10, 10, 10);
}

void world_loaded(struct world *world)
{
	mailboxes_loaded(world->mailboxes, slice_str(world_bob), 0, false, world->now_ms,
			 world->now_s);
}

void world_stored(struct world *world, char c, int err, uint64_t number)
{
	mailboxes_stored(world->mailboxes, slice_str(world_bob), slice_str(world_alice),
			 world_id(c), err, number, world->now_ms);
}

int world_taken(struct world *world, char c)
{
	return mailboxes_taken(world->mailboxes, slice_str(world_bob), slice_str(world_alice),
			       world_id(c), world->now_ms);
}

void world_tick(struct world *world, int ms)
{
	world->now_ms += ms;
	mailboxes_tick(world->mailboxes, world->now_ms, world->now_s);
}

void world_ready(struct world *world, bool online)
{
	world->online = online;
	mailboxes_attached(world->mailboxes, slice_str(world_bob), &world->primary, world->now_ms);
	world_loaded(world);
	world->told[0] = '\0';
}
