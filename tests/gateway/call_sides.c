#include "tests/gateway/call_sides.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/session_log.h"

bool sip_link_is_ready(const struct sip_link *link)
{
	return link->ready;
}

uint64_t sip_link_next_call(struct sip_link *link)
{
	return link->last_call += 2;
}

int sip_link_send(struct sip_link *link, const SipAgent__ToAgent *message)
{
	link->invites += message->body_case == SIP_AGENT__TO_AGENT__BODY_INVITE;
	link->reoffers += message->body_case == SIP_AGENT__TO_AGENT__BODY_REOFFER;
	link->digits += message->body_case == SIP_AGENT__TO_AGENT__BODY_DIGIT;
	link->rings += message->body_case == SIP_AGENT__TO_AGENT__BODY_RING;
	link->answers += message->body_case == SIP_AGENT__TO_AGENT__BODY_ANSWER;
	link->rejects += message->body_case == SIP_AGENT__TO_AGENT__BODY_REJECT;
	if (message->body_case == SIP_AGENT__TO_AGENT__BODY_REJECT)
		link->code = message->reject->code;
	link->change_answers += message->body_case == SIP_AGENT__TO_AGENT__BODY_CHANGE_ANSWER;
	link->change_rejects += message->body_case == SIP_AGENT__TO_AGENT__BODY_CHANGE_REJECT;
	if (message->body_case == SIP_AGENT__TO_AGENT__BODY_INVITE)
		snprintf(link->invited, sizeof(link->invited), "%s", message->invite->request_uri);
	link->hangups += message->body_case == SIP_AGENT__TO_AGENT__BODY_HANGUP;
	if (!link->ready)
		return -EPIPE;
	link->orphans += message->body_case == SIP_AGENT__TO_AGENT__BODY_BYE_ORPHAN;
	return 0;
}

bool relay_link_is_up(const struct relay_link *link)
{
	return link->up;
}

bool relay_link_is_loaded(const struct relay_link *link)
{
	return link->loaded;
}

int relay_link_send(struct relay_link *link, const Relay__Command *command)
{
	link->closes += command->of_case == RELAY__COMMAND__OF_CLOSE;
	link->secure_set |= command->of_case == RELAY__COMMAND__OF_SET_SECURE;
	if (command->of_case == RELAY__COMMAND__OF_SET_PLAIN) {
		link->held = command->set_plain->secure_held;
		link->plain_port = command->set_plain->remote_port;
		link->plain_sets++;
	}
	if (command->of_case == RELAY__COMMAND__OF_SEND_DIGIT &&
	    command->send_digit->to == RELAY__SIDE__PLAIN)
		link->to_pbx++;
	else if (command->of_case == RELAY__COMMAND__OF_SEND_DIGIT && link->secure_set)
		strncat(link->digits, command->send_digit->digit,
			sizeof(link->digits) - 1 - strlen(link->digits));
	return link->up ? 0 : -EPIPE;
}

struct resolution *resolver_start(struct resolver *resolver, const char *host, uint16_t port,
				  resolver_fn *done, void *arg)
{
	struct resolution *r = calloc(1, sizeof(*r));

	(void)host;
	(void)port;
	if (!r)
		return NULL;
	assert_null(resolver->waiting);
	*r = (struct resolution){ resolver, done, arg };
	resolver->waiting = r;
	return r;
}

void resolver_cancel(struct resolution **resolutionp)
{
	if (!*resolutionp)
		return;
	(*resolutionp)->of->waiting = NULL;
	free(*resolutionp);
	*resolutionp = NULL;
}

bool call_trace_is_read(const struct call_trace *trace)
{
	return trace != NULL;
}

void call_trace_tell(struct call_trace *trace, const struct call *call, const char *side,
		     const char *fmt, va_list ap)
{
	char event[sizeof(trace->secure)];

	(void)call;
	vsnprintf(event, sizeof(event), fmt, ap);
	assert_null(strstr(event, "(null)"));
	if (strcmp(side, "secure") == 0)
		memcpy(trace->secure, event, sizeof(event));
	if (strncmp(event, "rejected ", 9) == 0)
		memcpy(trace->refused, event, sizeof(event));
}

const char *session_state_name(enum session_state state)
{
	(void)state;
	return "";
}

void session_log_write(struct session_log *log, int64_t wall_ms, const struct session_event *event)
{
	(void)log;
	(void)wall_ms;
	(void)event;
}

enum umsg_state umsg_client_state(const struct umsg_client *client)
{
	return client->state;
}

/* Whoever is called is of the own domain, unless the test says otherwise. */
int umsg_client_known(const struct umsg_client *client, const char *uri)
{
	assert_string_equal(uri, "tel:+46701");
	return client->domain;
}

int umsg_client_lookup(struct umsg_client *client, const char *uri)
{
	assert_string_equal(uri, "tel:+46701");
	client->lookups++;
	return client->lookup_fails;
}

void sides_end_secure(struct umsg_call *call, Umsg__EndReason reason)
{
	if (call->ended)
		return;
	call->ended = true;
	call->end = (struct umsg_call_end){ .reason = reason };
	calls_secure_event(call->client->calls, call, UMSG_CALL_ENDED);
}

int umsg_call_invite(struct umsg_client *client, const char *to, const char *called_extension,
		     const char *calling_extension, const struct umsg_audio_wish *wish, void *arg,
		     struct umsg_call **call_out)
{
	(void)called_extension;
	(void)calling_extension;
	(void)wish;
	assert_string_equal(to, "tel:+46701");
	if (client->invite_fails)
		return client->invite_fails;
	client->call = calloc(1, sizeof(*client->call));
	if (!client->call)
		return -ENOMEM;
	client->call->client = client;
	client->call->arg = arg;
	*call_out = client->call;
	return 0;
}

int umsg_call_ring(struct umsg_call *call)
{
	if (call->client->ends_when_rung)
		sides_end_secure(call, UMSG__END_REASON__END_LOST_CONNECTION);
	return 0;
}

size_t umsg_call_offered(const struct umsg_call *call,
			 enum umsg_audio_codec codecs_out[UMSG_AUDIO_CODECS])
{
	(void)call;
	codecs_out[0] = UMSG_OPUS;
	return 1;
}

int umsg_call_answer(struct umsg_call *call, const struct umsg_audio_wish *wish)
{
	(void)wish;
	if (call->client->answer_fails)
		sides_end_secure(call, UMSG__END_REASON__END_NO_COMMON_CODEC);
	return call->client->answer_fails;
}

int umsg_call_ring_early(struct umsg_call *call, const struct umsg_audio_wish *wish)
{
	(void)wish;
	call->early = true;
	return 0;
}

bool umsg_call_held(const struct umsg_call *call)
{
	return call->held;
}

char umsg_call_digit(const struct umsg_call *call)
{
	return call->digit;
}

void umsg_call_hangup(struct umsg_call *call, Umsg__EndReason reason)
{
	sides_end_secure(call, reason);
}

void umsg_call_set_arg(struct umsg_call *call, void *arg)
{
	call->arg = arg;
}

void *umsg_call_arg(const struct umsg_call *call)
{
	return call->arg;
}

const uint8_t *umsg_call_id(const struct umsg_call *call)
{
	static const uint8_t id[UMSG_ID_SIZE] = { 1 };

	(void)call;
	return id;
}

const char *umsg_call_from(const struct umsg_call *call)
{
	return call->client->caller ? call->client->caller : "tel:+46701";
}

const char *umsg_call_to(const struct umsg_call *call)
{
	(void)call;
	return "tel:+8888";
}

const char *umsg_call_called_extension(const struct umsg_call *call)
{
	return call->client->extension ? call->client->extension : "101";
}

const char *umsg_call_calling_extension(const struct umsg_call *call)
{
	(void)call;
	return "";
}

const char *umsg_call_state_word(const struct umsg_call *call)
{
	(void)call;
	return "";
}

const struct umsg_media *umsg_call_media(const struct umsg_call *call)
{
	return &call->media;
}

struct umsg_call_end umsg_call_end(const struct umsg_call *call)
{
	return call->end;
}
