#include "tests/unit.h"

#include "tests/gateway/sip_peer.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/buf.h"
#include "base/clock.h"

enum { PATIENCE_MS = 5000 };

static void open_v6(struct sip_peer *p)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
	socklen_t n = sizeof(a);

	p->fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(p->fd >= 0);
	assert_int_equal(bind(p->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	getsockname(p->fd, (struct sockaddr *)&a, &n);
	p->port = ntohs(a.sin6_port);
	a.sin6_port = htons((uint16_t)p->agent_port);
	assert_int_equal(connect(p->fd, (struct sockaddr *)&a, sizeof(a)), 0);
}

void sip_peer_open(struct sip_peer *p, const char *host, unsigned agent_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof(a);

	*p = (struct sip_peer){ .agent_port = agent_port };
	snprintf(p->host, sizeof(p->host), "%s", host);
	if (host[0] == '[') {
		open_v6(p);
		return;
	}
	p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(p->fd >= 0);
	inet_pton(AF_INET, host, &a.sin_addr);
	assert_int_equal(bind(p->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	getsockname(p->fd, (struct sockaddr *)&a, &n);
	p->port = ntohs(a.sin_port);
}

void sip_peer_over_tls(struct sip_peer *p, struct ssl_st *ssl, unsigned port, unsigned agent_port)
{
	*p = (struct sip_peer){
		.fd = SSL_get_fd(ssl), .ssl = ssl, .port = port, .agent_port = agent_port
	};
	snprintf(p->host, sizeof(p->host), "127.0.0.1");
}

void sip_peer_close(struct sip_peer *p)
{
	if (!p->ssl)
		close(p->fd);
}

void sip_peer_send_raw(struct sip_peer *p, const void *octets, size_t n)
{
	struct sockaddr_in a = { .sin_family = AF_INET };

	if (p->ssl) {
		assert_int_equal(SSL_write(p->ssl, octets, (int)n), (int)n);
		return;
	}
	if (p->host[0] == '[') {
		assert_int_equal(send(p->fd, octets, n, 0), (ssize_t)n);
		return;
	}
	a.sin_port = htons((uint16_t)p->agent_port);
	inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
	assert_int_equal(sendto(p->fd, octets, n, 0, (struct sockaddr *)&a, sizeof(a)), (ssize_t)n);
}

static void put_body(struct buf *b, const char *body)
{
	if (body && body[0])
		buf_put_str(b, "Content-Type: application/sdp\r\n");
	buf_printf(b, "Content-Length: %zu\r\n\r\n", body ? strlen(body) : 0);
	buf_put_str(b, body ? body : "");
}

void sip_peer_request(struct sip_peer *p, const struct sip_peer_request *r)
{
	char text[8192];
	struct buf b = BUF_OF(text);

	buf_printf(&b, "%s sip:+4670@127.0.0.1:%u SIP/2.0\r\n", r->method, p->agent_port);
	buf_printf(&b, "Via: SIP/2.0/%s %s:%u;branch=z9hG4bK-%s-%s-%u\r\n", p->ssl ? "TLS" : "UDP",
		   p->host, p->port, r->call, r->invite_branch ? "INVITE" : r->method, r->cseq);
	buf_printf(&b, "Max-Forwards: 70\r\nFrom: \"Hundred\" <sip:100@pbx.test>;tag=ft-%s\r\n",
		   r->call);
	buf_printf(&b, "To: <sip:+4670@gw.test>%s%s\r\n", r->to_tag ? ";tag=" : "",
		   r->to_tag ? p->to_tag : "");
	buf_printf(&b, "Call-ID: %s\r\nCSeq: %u %s\r\nContact: <sip:100@%s:%u%s>\r\n", r->call,
		   r->cseq, r->method, p->host, p->port, p->ssl ? ";transport=tls" : "");
	buf_put_str(&b, r->headers ? r->headers : "");
	put_body(&b, r->body);
	assert_true(buf_ok(&b));
	sip_peer_send_raw(p, text, b.len);
}

void sip_peer_header(const struct sip_peer *p, const char *name, char *out, size_t outsz)
{
	char want[64];
	const char *at, *end;

	out[0] = '\0';
	snprintf(want, sizeof(want), "\r\n%s: ", name);
	at = strcasestr(p->text, want);
	if (!at)
		return;
	at += strlen(want);
	end = strstr(at, "\r\n");
	assert_non_null(end);
	assert_true((size_t)(end - at) < outsz);
	memcpy(out, at, (size_t)(end - at));
	out[end - at] = '\0';
}

static void put_header(struct sip_peer *p, struct buf *b, const char *name, const char *tag)
{
	char value[1024];

	sip_peer_header(p, name, value, sizeof(value));
	if (value[0])
		buf_printf(b, "%s: %s%s%s\r\n", name, value, tag ? ";tag=" : "", tag ? tag : "");
}

void sip_peer_reply(struct sip_peer *p, int status, const char *tag, const char *headers,
		    const char *body)
{
	char text[8192], to[512];
	struct buf b = BUF_OF(text);

	sip_peer_header(p, "To", to, sizeof(to));
	buf_printf(&b, "SIP/2.0 %d Whatever\r\n", status);
	put_header(p, &b, "Via", NULL);
	put_header(p, &b, "From", NULL);
	put_header(p, &b, "To", tag && !strstr(to, "tag=") ? tag : NULL);
	put_header(p, &b, "Call-ID", NULL);
	put_header(p, &b, "CSeq", NULL);
	if (!headers || !strstr(headers, "Contact:"))
		buf_printf(&b, "Contact: <sip:101@%s:%u%s>\r\n", p->host, p->port,
			   p->ssl ? ";transport=tls" : "");
	buf_put_str(&b, headers ? headers : "");
	put_body(&b, body);
	assert_true(buf_ok(&b));
	sip_peer_send_raw(p, text, b.len);
}

static bool receive(struct sip_peer *p, int ms)
{
	struct pollfd f = { p->fd, POLLIN, 0 };
	ssize_t n;

	if (ms < 0 || (!(p->ssl && SSL_pending(p->ssl)) && poll(&f, 1, ms) != 1))
		return false;
	n = p->ssl ? SSL_read(p->ssl, p->text, sizeof(p->text) - 1)
		   : recv(p->fd, p->text, sizeof(p->text) - 1, 0);
	assert_true(n >= 0);
	p->text[n] = '\0';
	return true;
}

static void keep_tag(struct sip_peer *p)
{
	char value[512];
	const char *tag;

	sip_peer_header(p, strncmp(p->text, "SIP/2.0", 7) == 0 ? "To" : "From", value,
			sizeof(value));
	tag = strstr(value, ";tag=");
	if (tag)
		snprintf(p->to_tag, sizeof(p->to_tag), "%s", tag + 5);
}

bool sip_peer_await(struct sip_peer *p, const char *start, int ms)
{
	int64_t end = clock_mono_ms() + ms;

	p->text[0] = '\0';
	do {
		if (!receive(p, (int)(end - clock_mono_ms())))
			return false;
	} while (strncmp(p->text, start, strlen(start)) != 0);
	keep_tag(p);
	return true;
}

void sip_peer_expect(struct sip_peer *p, const char *start)
{
	if (!sip_peer_await(p, start, PATIENCE_MS))
		fail_msg("waited in vain for %s, last was %.200s", start, p->text);
}

bool sip_peer_silent(struct sip_peer *p, int ms)
{
	return !receive(p, ms);
}

bool sip_peer_has(const struct sip_peer *p, const char *text)
{
	return strstr(p->text, text) != NULL;
}

const char *sip_peer_sdp(const char *more, char *out, size_t outsz)
{
	int n = snprintf(out, outsz,
			 "v=0\r\no=pbx 1 1 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\n"
			 "t=0 0\r\nm=audio 40000 RTP/AVP 0 8 101\r\n"
			 "a=rtpmap:101 telephone-event/8000\r\n%s",
			 more);

	assert_true(n > 0 && (size_t)n < outsz);
	return out;
}
