/* control_api.h - what cig-server answers on its control port (base/control.h).
 *
 * CIG manual 2.9, "CIG internals": 127.0.0.1:8083, for cig-cli.  Reading is free to
 * whoever reaches the port; what changes something needs the token of userdata.
 */
#ifndef GATEWAY_CONTROL_API_H
#define GATEWAY_CONTROL_API_H

#include <stdint.h>

#include <jansson.h>

struct calls;
struct control_api;
struct diag;
struct event_base;
struct relay_link;
struct secure_side;
struct pbxs;
struct sip_link;
struct texts;
struct texts_smpp;

/* The parts that are asked; all of them live longer than the port. */
struct control_api_parts {
	struct event_base *base;
	struct calls *calls; /* their configuration is the one in use */
	struct relay_link *relay;
	struct sip_link *sip;
	struct pbxs *pbxs;
	struct secure_side *secure;
	struct texts *texts;
	struct texts_smpp *smpp;
	int64_t started_ms; /* of clock_mono_ms() */

	/* Reads the configuration again.  Returns 0 with a report for the answer in
	 * *report_out, the caller's (NULL: memory is out), or -errno: nothing has changed,
	 * and every reason is in diag. */
	int (*reload)(void *arg, json_t **report_out, struct diag *diag);
	void *arg;
};

/* Listens on the address and port of the calls' configuration and writes a new token.
 * Returns 0, or -errno with diag set. */
int control_api_new(const struct control_api_parts *parts, struct control_api **api_out,
		    struct diag *diag);
/* Closes the port and frees *apip; *apip may be NULL. */
void control_api_free(struct control_api **apip);

#endif
