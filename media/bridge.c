/* bridge.c - each leg's audio and digits go to the other one; no buffer, no clock of
 * its own. */
#include "media/bridge.h"

#include <errno.h>

void bridge_init(struct bridge *bridge, const struct bridge_ops *ops, void *arg)
{
	*bridge = (struct bridge){ .ops = ops, .arg = arg };
}

/* The legs call back only from within receive, send and tick, so the order does not matter. */
void bridge_done(struct bridge *bridge)
{
	plain_leg_free(&bridge->plain);
	secure_leg_free(&bridge->secure);
}

static void send_plain(void *arg, struct slice packet, bool rtcp)
{
	struct bridge *b = arg;

	b->ops->send(b->arg, BRIDGE_PLAIN, packet, rtcp);
}

/* A leg that is not there yet hears nothing: before the answer audio of one side has nowhere to
 * go. */
static void audio_from_plain(void *arg, const int16_t *pcm, size_t n)
{
	struct bridge *b = arg;

	if (b->secure)
		secure_leg_send_audio(b->secure, pcm, n);
}

/* The other side may have no telephone events: then only ops->digit hears of it. */
static void digit_from_plain(void *arg, const struct dtmf_event *event)
{
	struct bridge *b = arg;

	if (b->secure)
		(void)secure_leg_pass_digit(b->secure, event);
	b->ops->digit(b->arg, BRIDGE_PLAIN, event);
}

static void send_secure(void *arg, struct slice packet, bool rtcp)
{
	struct bridge *b = arg;

	b->ops->send(b->arg, BRIDGE_SECURE, packet, rtcp);
}

static void audio_from_secure(void *arg, const int16_t *pcm, size_t n)
{
	struct bridge *b = arg;

	if (b->plain)
		plain_leg_send_audio(b->plain, pcm, n);
}

static void digit_from_secure(void *arg, const struct dtmf_event *event)
{
	struct bridge *b = arg;

	if (b->plain)
		(void)plain_leg_pass_digit(b->plain, event);
	b->ops->digit(b->arg, BRIDGE_SECURE, event);
}

static const struct leg_ops plain_ops = { send_plain, audio_from_plain, digit_from_plain };
static const struct leg_ops secure_ops = { send_secure, audio_from_secure, digit_from_secure };

/* A PBX changes its mind by re-INVITE: the leg goes on with another codec or address. */
int bridge_set_plain(struct bridge *bridge, const struct plain_leg_config *config, int64_t now_ms)
{
	if (bridge->plain)
		return plain_leg_set(bridge->plain, config, now_ms);
	return plain_leg_new(config, &plain_ops, bridge, now_ms, &bridge->plain);
}

int bridge_set_secure(struct bridge *bridge, const struct secure_leg_config *config, int64_t now_ms)
{
	if (bridge->secure)
		return -EALREADY;
	return secure_leg_new(config, &secure_ops, bridge, now_ms, &bridge->secure);
}

void bridge_tick(struct bridge *bridge, int64_t now_ms)
{
	if (bridge->plain)
		plain_leg_tick(bridge->plain, now_ms);
	if (bridge->secure)
		secure_leg_tick(bridge->secure, now_ms);
}
