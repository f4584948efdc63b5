/* digit.c - digits by INFO (application/dtmf-relay, as PBXs have it; no RFC), one
 * request at a time. */
#include "gateway/sip/agent.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MIN_MS = 40, MAX_MS = 6000 };

static const char digits[] = "0123456789*#ABCD";

/* ---- ours ---- */

static int on_response(void *arg, nta_outgoing_t *out, const sip_t *sip);

static void send_next(struct call *call)
{
	struct digit d = call->digits[0];
	char route[AGENT_ROUTE_SIZE], body[64];

	/* One under way: a digit must not overtake the one before (sofia-sip-traps.md S14). */
	if (call->ndigits == 0 || call->info || call->state != CALL_UP)
		return;
	call->ndigits--;
	memmove(call->digits, call->digits + 1, call->ndigits * sizeof(call->digits[0]));
	snprintf(body, sizeof(body), "Signal=%c\r\nDuration=%u\r\n", d.digit, d.ms);
	call_route(call, route);
	call->info = nta_outgoing_tcreate(
		call->leg, on_response, call, (url_string_t *)route, SIP_METHOD_INFO, NULL,
		NTATAG_TPORT(call_connection(call)), SIPTAG_AUTHORIZATION_STR(call->authorization),
		SIPTAG_PROXY_AUTHORIZATION_STR(call->proxy_authorization),
		SIPTAG_CONTENT_TYPE_STR("application/dtmf-relay"), SIPTAG_PAYLOAD_STR(body),
		TAG_END());
}

static int on_response(void *arg, nta_outgoing_t *out, const sip_t *sip)
{
	SipAgent__DigitRefused event = SIP_AGENT__DIGIT_REFUSED__INIT;
	struct call *call = arg;
	int status = sip ? sip->sip_status->st_status : nta_outgoing_status(out);

	if (status < 200)
		return 0;
	call->info = NULL;
	nta_outgoing_destroy(out);
	if (status < 300) {
		send_next(call);
		return 0;
	}
	/* The others would be refused, too. */
	call->ndigits = 0;
	event.call = call->node.key;
	event.code = (uint32_t)status;
	if (!call->told)
		agent_send(call->agent, SIP_AGENT__FROM_AGENT__BODY_DIGIT_REFUSED, &event);
	return 0;
}

void digit_send(struct call *call, const SipAgent__Digit *digit)
{
	uint32_t ms = digit->duration_ms < MIN_MS ? MIN_MS : digit->duration_ms;

	if (call->state != CALL_UP || strlen(digit->digit) != 1 ||
	    !strchr(digits, digit->digit[0]) || call->ndigits == CALL_MAX_DIGITS)
		return;
	call->digits[call->ndigits++] = (struct digit){
		.digit = digit->digit[0],
		.ms = (uint16_t)(ms > MAX_MS ? MAX_MS : ms),
	};
	send_next(call);
}

/* ---- the peer's ---- */

static struct slice trim(struct slice s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = slice_from(s, 1);
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\r'))
		s.n--;
	return s;
}

/* "5", or "10" and "11" for * and #, as some gateways count. */
static char read_digit(struct slice s)
{
	char c;

	if (slice_eq_str(s, "10"))
		return '*';
	if (slice_eq_str(s, "11"))
		return '#';
	if (s.n != 1 || s.p[0] == '\0')
		return '\0';
	c = (char)(s.p[0] >= 'a' && s.p[0] <= 'd' ? s.p[0] - 'a' + 'A' : s.p[0]);
	return strchr(digits, c) ? c : '\0';
}

static unsigned read_ms(struct slice s)
{
	unsigned ms = 0;

	/* Five digits are more than a minute: enough to be cut to MAX_MS. */
	for (size_t i = 0; i < s.n && i < 5; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return 0;
		ms = ms * 10 + (unsigned)(s.p[i] - '0');
	}
	return ms > MAX_MS ? MAX_MS : ms;
}

static bool is_key(struct slice key, const char *name)
{
	return key.n == strlen(name) && strncasecmp((const char *)key.p, name, key.n) == 0;
}

/* Lines `Signal= 5` and `Duration= 160`. */
static char read_relay(struct slice body, unsigned *ms_out)
{
	char digit = '\0';

	while (body.n) {
		const uint8_t *end = memchr(body.p, '\n', body.n), *equals;
		struct slice line = { body.p, end ? (size_t)(end - body.p) : body.n };

		body = slice_from(body, line.n + 1);
		equals = line.n ? memchr(line.p, '=', line.n) : NULL;
		if (!equals)
			continue;
		struct slice key = trim(slice_of(line.p, (size_t)(equals - line.p)));
		struct slice value = trim(slice_from(line, (size_t)(equals - line.p) + 1));

		if (is_key(key, "Signal"))
			digit = read_digit(value);
		else if (is_key(key, "Duration"))
			*ms_out = read_ms(value);
	}
	return digit;
}

int digit_take(struct call *call, const sip_t *sip)
{
	SipAgent__DigitIn event = SIP_AGENT__DIGIT_IN__INIT;
	const char *type = sip->sip_content_type ? sip->sip_content_type->c_type : NULL;
	char text[2] = "";
	struct slice body;

	if (!sip->sip_payload || sip->sip_payload->pl_len == 0)
		return 200; /* says nothing, as some do to see whether we are there */
	body = slice_of(sip->sip_payload->pl_data, sip->sip_payload->pl_len);
	if (type && strcasecmp(type, "application/dtmf-relay") == 0) {
		text[0] = read_relay(body, &event.duration_ms);
	} else if (type && strcasecmp(type, "application/dtmf") == 0) {
		const uint8_t *end = memchr(body.p, '\n', body.n);

		text[0] = read_digit(trim(slice_of(body.p, end ? (size_t)(end - body.p) : body.n)));
	} else {
		return 415;
	}
	if (!text[0])
		return 400;
	event.call = call->node.key;
	event.digit = text;
	agent_send(call->agent, SIP_AGENT__FROM_AGENT__BODY_DIGIT_IN, &event);
	return 200;
}
