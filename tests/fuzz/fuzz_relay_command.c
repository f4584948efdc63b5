/* fuzz_relay_command.c - a command of cig-server, from its octets to the legs it makes. */
#include <errno.h>
#include <stdlib.h>

#include "gateway/relay/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_send(void *arg, enum bridge_side to, struct slice packet, bool rtcp)
{
	(void)arg;
	(void)to;
	(void)rtcp;
	if (packet.n > LEG_MAX_PACKET)
		abort();
}

static void on_digit(void *arg, enum bridge_side from, const struct dtmf_event *event)
{
	(void)arg;
	(void)from;
	(void)event;
}

static const struct bridge_ops ops = { on_send, on_digit };

static void try_legs(const Relay__Command *in)
{
	struct order_secure secure;
	struct order_plain plain;
	char text[COMMAND_TEXT] = "";
	struct bridge bridge;
	int err = 0;

	bridge_init(&bridge, &ops, NULL);
	if (in->of_case == RELAY__COMMAND__OF_SET_PLAIN) {
		err = command_set_plain(in->set_plain, &plain, text);
		if (!err && bridge_set_plain(&bridge, &plain.leg, 1000))
			abort(); /* what is accepted makes a leg */
	} else if (in->of_case == RELAY__COMMAND__OF_SET_SECURE) {
		err = command_set_secure(in->set_secure, &secure, text);
		if (!err)
			(void)bridge_set_secure(&bridge, &secure.leg, 1000);
	}
	if (err && !text[0])
		abort();
	bridge_tick(&bridge, 1020);
	bridge_done(&bridge);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Relay__Command *in = relay__command__unpack(NULL, size, data);
	struct command_open open;
	struct order_digit digit;
	char text[COMMAND_TEXT] = "";

	if (!in)
		return 0;
	(void)command_call_id(in);
	if (in->of_case == RELAY__COMMAND__OF_OPEN && command_open(in->open, &open, text) &&
	    !text[0])
		abort();
	if (in->of_case == RELAY__COMMAND__OF_SEND_DIGIT &&
	    command_send_digit(in->send_digit, &digit, text) == 0 && !dtmf_is_digit(digit.digit))
		abort();
	try_legs(in);
	command_wipe(in);
	relay__command__free_unpacked(in, NULL);
	return 0;
}
