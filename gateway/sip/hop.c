/* hop.c - the one place that knows how the library wants to be told where a request
 * goes. */
#include "gateway/sip/agent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const transport_names[] = { "udp", "tcp", "tls" }; /* by SipAgent__Transport */

/* The host as it stands in a URI: an IPv6 address in brackets. */
static void bracketed(const struct net_addr *addr, char out[NET_TEXT_SIZE + 2])
{
	char host[NET_TEXT_SIZE];
	bool v6 = addr->sa.sa_family == AF_INET6;

	net_format_host(addr, host);
	snprintf(out, NET_TEXT_SIZE + 2, "%s%s%s", v6 ? "[" : "", host, v6 ? "]" : "");
}

/* The library takes a URI's host as the name to verify, and connects to its maddr. */
void hop_route(const struct hop *hop, char out[AGENT_ROUTE_SIZE])
{
	char host[NET_TEXT_SIZE + 2];
	bool named = hop->transport == SIP_AGENT__TRANSPORT__TLS && hop->name[0];

	bracketed(&hop->addr, host);
	snprintf(out, AGENT_ROUTE_SIZE, "sip:%s:%u%s%s;transport=%s", named ? hop->name : host,
		 net_port(&hop->addr), named ? ";maddr=" : "", named ? host : "",
		 transport_names[hop->transport]);
}

static bool is_host_name(const char *text)
{
	static const char known[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789.-_";

	return strlen(text) < AGENT_NAME_SIZE && text[strspn(text, known)] == '\0';
}

int hop_of_target(const SipAgent__Target *target, struct hop *out)
{
	struct net_addr numeric;

	*out = (struct hop){ .addr.len = 0 };
	if (!target || target->port == 0 || target->port > 65535 ||
	    (unsigned)target->transport > SIP_AGENT__TRANSPORT__TLS ||
	    net_parse(target->address, (uint16_t)target->port, &out->addr))
		return -EINVAL;
	net_set_port(&out->addr, (uint16_t)target->port);
	out->transport = target->transport;
	if (net_parse(target->name, 0, &numeric) == 0)
		return 0; /* an address is named by itself */
	if (!is_host_name(target->name))
		return -EINVAL;
	memcpy(out->name, target->name, strlen(target->name) + 1);
	return 0;
}

void hop_of_message(msg_t *msg, const sip_t *sip, struct hop *out)
{
	/* The Via of the peer is believed for the transport alone: it came over that one. */
	const char *protocol = sip->sip_via ? sip->sip_via->v_protocol : "";

	*out = (struct hop){ .transport = SIP_AGENT__TRANSPORT__UDP };
	agent_source(msg, &out->addr);
	if (su_casematch(protocol, sip_transport_tcp))
		out->transport = SIP_AGENT__TRANSPORT__TCP;
	else if (su_casematch(protocol, sip_transport_tls))
		out->transport = SIP_AGENT__TRANSPORT__TLS;
}

/* "[2001:db8::1]" or "192.0.2.1", without brackets. */
static bool unbracketed(const char *host, char out[NET_TEXT_SIZE])
{
	size_t n = host ? strlen(host) : 0;

	if (n == 0 || n >= NET_TEXT_SIZE)
		return false;
	memcpy(out, host, n + 1);
	if (host[0] == '[') {
		out[n - 1] = '\0';
		memmove(out, out + 1, n - 1);
	}
	return true;
}

bool hop_of_url(const url_t *url, struct hop *out)
{
	char transport[8] = "", host[NET_TEXT_SIZE];
	bool tls = url->url_type == url_sips;
	unsigned long port;

	url_param(url->url_params, "transport", transport, sizeof(transport));
	tls = tls || su_casematch(transport, "tls");
	/* RFC 3261 19.1.2: 5061 over TLS, else 5060. */
	port = url->url_port && url->url_port[0] ? strtoul(url->url_port, NULL, 10)
	       : tls                             ? 5061
						 : 5060;
	*out = (struct hop){ .transport = tls ? SIP_AGENT__TRANSPORT__TLS
					  : su_casematch(transport, "tcp")
						  ? SIP_AGENT__TRANSPORT__TCP
						  : SIP_AGENT__TRANSPORT__UDP };
	if (!unbracketed(url->url_host, host) || port == 0 || port > 65535 ||
	    net_parse(host, (uint16_t)port, &out->addr))
		/* A name is not asked for: the caller then takes the way by which the peer
		 * came. */
		return false;
	net_set_port(&out->addr, (uint16_t)port);
	return true;
}

void hop_target(const struct hop *hop, su_home_t *home, SipAgent__Target *pb)
{
	char host[NET_TEXT_SIZE];

	sip_agent__target__init(pb);
	net_format_host(&hop->addr, host);
	pb->address = su_strdup(home, host);
	pb->port = net_port(&hop->addr);
	pb->transport = hop->transport;
	pb->name = su_strdup(home, hop->name);
}

char *hop_contact(const struct agent *a, su_home_t *home, const char *user,
		  SipAgent__Transport transport)
{
	bool tls = transport == SIP_AGENT__TRANSPORT__TLS,
	     udp = transport == SIP_AGENT__TRANSPORT__UDP;

	/* No transport parameter for UDP: it is the default (RFC 3261 19.1.1). */
	return su_sprintf(home, "<sip:%s%s%s:%u%s%s>", user ? user : "", user && user[0] ? "@" : "",
			  a->host, tls ? a->tls_port : a->port,
			  udp ? "" : ";transport=", udp ? "" : transport_names[transport]);
}
