/* command.h - commands of cig-server as orders for a media thread, checked.
 *
 * Pure: messages in, structures out.  Wire form: gateway/relay_control.proto.
 */
#ifndef GATEWAY_RELAY_COMMAND_H
#define GATEWAY_RELAY_COMMAND_H

#include "gateway/relay/order.h"
#include "gateway/relay_control.pb-c.h"

enum { COMMAND_TEXT = 96 };

/* What Open asks of the main thread. */
struct command_open {
	struct net_addr plain_ip, secure_ip; /* port 0 */
	uint32_t plain_low, plain_high, secure_low, secure_high;
	unsigned timeout_ms;
};

/* Each returns 0, or -EINVAL; then text says which field is wrong. */
int command_open(const Relay__Open *in, struct command_open *out, char text[COMMAND_TEXT]);
/* Addresses, codec, payload types, packet time, the way of digits. */
int command_set_plain(const Relay__SetPlain *in, struct order_plain *out, char text[COMMAND_TEXT]);
/* out has keys: wipe it when the order is carried out. */
int command_set_secure(const Relay__SetSecure *in, struct order_secure *out,
		       char text[COMMAND_TEXT]);
/* One of 0-9 * # A-D, to either side. */
int command_send_digit(const Relay__SendDigit *in, struct order_digit *out,
		       char text[COMMAND_TEXT]);

/* The call that a command is about, or 0 for Hello and Poll. */
uint64_t command_call_id(const Relay__Command *in);

/* Overwrites the keys of an unpacked command. */
void command_wipe(Relay__Command *command);

#endif
