/* sip_peer.h - a PBX of a few lines over UDP or TLS, for what no real one would do. */
#ifndef TESTS_GATEWAY_SIP_PEER_H
#define TESTS_GATEWAY_SIP_PEER_H

#include <stdbool.h>
#include <stddef.h>

struct sip_peer {
	int fd;
	struct ssl_st *ssl; /* NULL: UDP */
	unsigned port;      /* ours */
	char host[32];      /* ours */
	unsigned agent_port;
	char to_tag[64]; /* of the last response with one, or of the last INVITE's From */
	char text[8192]; /* the last message received */
};

/* On host (127.0.0.x), against an agent on 127.0.0.1; or on "[::1]", against one there. */
void sip_peer_open(struct sip_peer *peer, const char *host, unsigned agent_port);
void sip_peer_close(struct sip_peer *peer);

/* The same over a TLS connection that is there (owned by the caller); port is where it
 * listens. */
void sip_peer_over_tls(struct sip_peer *peer, struct ssl_st *ssl, unsigned port,
		       unsigned agent_port);

/* Sends octets as they are. */
void sip_peer_send_raw(struct sip_peer *peer, const void *octets, size_t n);

/* A request of dialog "call", from sip:100@pbx.test to sip:+4670@gw.test:
 * headers (each with its CRLF) and body may be "".  The branch is that of method
 * and cseq, ACK and CANCEL taking the INVITE's where ack_branch is set. */
struct sip_peer_request {
	const char *method, *call, *headers, *body;
	unsigned cseq;
	bool to_tag; /* in the dialog: with To tag */
	bool invite_branch;
};
void sip_peer_request(struct sip_peer *peer, const struct sip_peer_request *request);

/* Answers the last request received; tag is To's where it has none.  Contact is ours unless it is
 * among the headers. */
void sip_peer_reply(struct sip_peer *peer, int status, const char *tag, const char *headers,
		    const char *body);

/* Waits up to 5 s for a message whose first line begins with start; others are
 * passed over.  Fails the test when none comes.  Keeps the To tag. */
void sip_peer_expect(struct sip_peer *peer, const char *start);

/* The same, but says whether one came within ms. */
bool sip_peer_await(struct sip_peer *peer, const char *start, int ms);

/* Is there nothing to read now? */
bool sip_peer_silent(struct sip_peer *peer, int ms);

/* Does the last message hold that text? */
bool sip_peer_has(const struct sip_peer *peer, const char *text);

/* A value of a header of the last message: "" when there is none. */
void sip_peer_header(const struct sip_peer *peer, const char *name, char *out, size_t outsz);

/* An SDP offer of PCMU and PCMA at port 40000 with one more line, such as
 * "a=sendonly\r\n". */
const char *sip_peer_sdp(const char *more, char *out, size_t outsz);

#endif
