/* upgrade.c - reads and writes the heads of the upgrade, strictly: a client of ours sends exactly
 * one form, so whatever could be read in two ways is refused (RFC 6455 4.1, 4.2; RFC 7230 3).
 */
#include "umsg/upgrade.h"

#include <errno.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/buf.h"
#include "base/encode.h"

enum { NONCE = 16, SHA1 = 20, HOST_MAX = 261 };

/* Only CRLF CRLF ends a head: who lets bare line feeds do, too, can be made to see two heads
 * where another reader sees one. */
int upgrade_head_end(struct slice octets)
{
	size_t n = octets.n < UPGRADE_HEAD_MAX ? octets.n : UPGRADE_HEAD_MAX;

	for (size_t i = 3; i < n; i++)
		if (octets.p[i] == '\n' && memcmp(octets.p + i - 3, "\r\n\r", 3) == 0)
			return (int)i + 1;
	return octets.n >= UPGRADE_HEAD_MAX ? -EMSGSIZE : 0;
}

/* ---- reading ---- */

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

static bool equal_nocase(struct slice a, const char *b)
{
	if (a.n != strlen(b))
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower((uint8_t)b[i]))
			return false;
	return true;
}

/* Takes up to and with the separator; all of it when there is none. */
static struct slice cut(struct slice *from, uint8_t separator)
{
	const uint8_t *at = from->n ? memchr(from->p, separator, from->n) : NULL;
	struct slice s = { from->p, at ? (size_t)(at - from->p) : from->n };

	*from = slice_from(*from, at ? s.n + 1 : s.n);
	return s;
}

static struct slice trim(struct slice s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = slice_from(s, 1);
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* Is word one of the comma-separated words?  RFC 7230 7: empty members between commas are to be
 * borne. */
static bool has_word(struct slice list, const char *word)
{
	while (list.n)
		if (equal_nocase(trim(cut(&list, ',')), word))
			return true;
	return false;
}

/* As has_word(), in this spelling only: what is agreed to must be what was offered, and who offers
 * another spelling would have to refuse ours (RFC 6455 4.1). */
static bool has_exactly(struct slice list, const char *word)
{
	while (list.n)
		if (slice_eq_str(trim(cut(&list, ',')), word))
			return true;
	return false;
}

static bool is_token(struct slice s)
{
	if (s.n == 0)
		return false;
	/* RFC 7230 3.2.6. */
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", s.p[i]))
			return false;
	return true;
}

static bool is_field_value(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == 0x7f)
			return false;
	return true;
}

/* Takes one line without its CRLF; false when it does not end so. */
static bool take_line(struct slice *rest, struct slice *line_out)
{
	/* A CR elsewhere in the line is refused by is_field_value() and is_token(). */
	*line_out = cut(rest, '\n');
	if (line_out->n == 0 || line_out->p[line_out->n - 1] != '\r')
		return false;
	line_out->n--;
	return true;
}

/* The fields of a head that an upgrade is about.  n counts how often one stood there. */
struct fields {
	bool to_websocket, is_upgrade, offers_umsg; /* a word in one of the lines of a list */
	struct slice key, version, protocol, accept;
	unsigned n_host, n_key, n_version, n_protocol, n_accept, n_extensions, n_body;
};

static void note_field(struct fields *f, struct slice name, struct slice value)
{
	/* A list may be split over lines (RFC 9110 5.3), as proxies do that add their own; those
	 * fields that must be unique are counted. */
	if (equal_nocase(name, "upgrade"))
		f->to_websocket |= has_word(value, "websocket");
	else if (equal_nocase(name, "connection"))
		f->is_upgrade |= has_word(value, "upgrade");
	else if (equal_nocase(name, "host"))
		f->n_host++;
	else if (equal_nocase(name, "sec-websocket-key"))
		f->key = value, f->n_key++;
	else if (equal_nocase(name, "sec-websocket-version"))
		f->version = value, f->n_version++;
	else if (equal_nocase(name, "sec-websocket-protocol"))
		f->protocol = value, f->n_protocol++,
		f->offers_umsg |= has_exactly(value, UPGRADE_PROTOCOL);
	else if (equal_nocase(name, "sec-websocket-accept"))
		f->accept = value, f->n_accept++;
	else if (equal_nocase(name, "sec-websocket-extensions"))
		f->n_extensions++;
	else if (equal_nocase(name, "transfer-encoding") ||
		 (equal_nocase(name, "content-length") && !slice_eq_str(value, "0")))
		f->n_body++;
}

/* Reads the lines behind the first one, the empty one last.  Folded lines are
 * refused (RFC 7230 3.2.4), and so is anything behind the empty line. */
static bool read_fields(struct slice rest, struct fields *fields_out)
{
	struct slice line;

	memset(fields_out, 0, sizeof(*fields_out));
	for (unsigned n = 0; n <= UPGRADE_FIELDS_MAX; n++) {
		struct slice name;
		size_t length;

		if (!take_line(&rest, &line))
			return false;
		if (line.n == 0)
			return rest.n == 0;
		length = line.n;
		name = cut(&line, ':');
		/* A line without a colon is no field, though it may be a token. */
		if (name.n == length || !is_token(name) || !is_field_value(line))
			return false;
		note_field(fields_out, name, trim(line));
	}
	return false;
}

static bool is_key(struct slice key)
{
	uint8_t nonce[NONCE];
	size_t n;

	/* Sixteen octets in base64 (RFC 6455 4.1); what they are does not matter. */
	return key.n == UPGRADE_KEY &&
	       base64_decode(BASE64_STANDARD, key, nonce, sizeof(nonce), &n) == 0 && n == NONCE;
}

/* "GET / HTTP/1.1".  0 or an HTTP status. */
static int check_request_line(struct slice line)
{
	struct slice method = cut(&line, ' '), path = cut(&line, ' ');

	if (!is_token(method) || path.n == 0)
		return 400;
	/* HTTP/1.0 has no upgrade. */
	if (!slice_eq_str(line, "HTTP/1.1"))
		return slice_starts(line, "HTTP/") ? 505 : 400;
	if (!slice_eq_str(method, "GET"))
		return 405;
	return slice_eq_str(path, "/") ? 0 : 404;
}

int upgrade_parse_request(struct slice head, char key_out[UPGRADE_KEY + 1])
{
	struct fields f;
	struct slice line;
	int status;

	if (!take_line(&head, &line))
		return 400;
	status = check_request_line(line);
	if (status)
		return status;
	/* A body would be read as frames; no upgrade has one. */
	if (!read_fields(head, &f) || f.n_host != 1 || f.n_body)
		return 400;
	if (!f.to_websocket || !f.is_upgrade)
		return 426;
	/* RFC 6455 4.4: the answer names the version that would do. */
	if (f.n_version != 1 || !slice_eq_str(f.version, "13"))
		return 426;
	/* What is offered may be split over lines, what is agreed to may not (RFC 6455 11.3.4). */
	if (f.n_key != 1 || !is_key(f.key) || !f.offers_umsg)
		return 400;
	/* Its alphabet was checked, so the answer holds nothing of the client's that could be
	 * a field. */
	memcpy(key_out, f.key.p, UPGRADE_KEY);
	key_out[UPGRADE_KEY] = '\0';
	return 0;
}

/* "HTTP/1.1 101 anything": the status, or 0. */
static int status_of(struct slice line)
{
	if (line.n < 12 || !slice_starts(line, "HTTP/1.1 ") || (line.n > 12 && line.p[12] != ' '))
		return 0;
	for (size_t i = 9; i < 12; i++)
		if (line.p[i] < '0' || line.p[i] > '9')
			return 0;
	return (line.p[9] - '0') * 100 + (line.p[10] - '0') * 10 + line.p[11] - '0';
}

int upgrade_parse_response(struct slice head, const char key[UPGRADE_KEY + 1], int *status_out)
{
	char accept[UPGRADE_ACCEPT + 1];
	struct fields f;
	struct slice line;

	*status_out = 0;
	if (!take_line(&head, &line) || !is_field_value(line))
		return -EBADMSG;
	*status_out = status_of(line);
	if (*status_out == 0 || !read_fields(head, &f))
		return -EBADMSG;
	/* A refusal is in order as a head, and told apart from nonsense. */
	if (*status_out != 101)
		return -EACCES;
	/* RFC 6455 4.1: only what was offered may be agreed to, and of extensions none was. */
	if (upgrade_accept(key, accept) < 0 || !f.to_websocket || !f.is_upgrade ||
	    f.n_accept != 1 || f.n_extensions || f.n_body || !slice_eq_str(f.accept, accept) ||
	    f.n_protocol != 1 || !slice_eq_str(f.protocol, UPGRADE_PROTOCOL))
		return -EBADMSG;
	return 0;
}

/* ---- writing ---- */

int upgrade_make_key(char key_out[UPGRADE_KEY + 1])
{
	uint8_t nonce[NONCE];

	if (RAND_bytes(nonce, sizeof(nonce)) != 1)
		return -EIO;
	base64_encode(BASE64_STANDARD, slice_of(nonce, sizeof(nonce)), key_out);
	return 0;
}

int upgrade_accept(const char key[UPGRADE_KEY + 1], char accept_out[UPGRADE_ACCEPT + 1])
{
	uint8_t hash[SHA1];
	char text[UPGRADE_KEY + 37];
	struct buf b = BUF_OF(text);

	buf_put_str(&b, key);
	buf_put_str(&b, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"); /* RFC 6455 1.3 */
	/* SHA-1 shows that the other end speaks WebSocket; nothing is kept secret by it. */
	if (!buf_ok(&b) || EVP_Digest(text, b.len, hash, NULL, EVP_sha1(), NULL) != 1)
		return -EIO;
	base64_encode(BASE64_STANDARD, slice_of(hash, sizeof(hash)), accept_out);
	return 0;
}

static int finish(const struct buf *b)
{
	return buf_ok(b) ? (int)b->len : -ENOBUFS;
}

int upgrade_make_request(const char *host, const char key[UPGRADE_KEY + 1],
			 char out[UPGRADE_TEXT_MAX])
{
	struct buf b = buf_over(out, UPGRADE_TEXT_MAX);
	/* The host comes from a letter or a configuration: nothing in it may begin a field of
	 * its own. */
	size_t n = strspn(host, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"abcdefghijklmnopqrstuvwxyz.:-_[]");

	if (n == 0 || host[n] != '\0')
		return -EINVAL;
	if (n > HOST_MAX)
		return -ENOBUFS;
	buf_printf(&b,
		   "GET / HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		   "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n"
		   "Sec-WebSocket-Protocol: " UPGRADE_PROTOCOL "\r\n\r\n",
		   host, key);
	return finish(&b);
}

int upgrade_make_response(const char key[UPGRADE_KEY + 1], char out[UPGRADE_TEXT_MAX])
{
	struct buf b = buf_over(out, UPGRADE_TEXT_MAX);
	char accept[UPGRADE_ACCEPT + 1];

	if (upgrade_accept(key, accept) < 0)
		return -EIO;
	buf_printf(&b,
		   "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		   "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n"
		   "Sec-WebSocket-Protocol: " UPGRADE_PROTOCOL "\r\n\r\n",
		   accept);
	return finish(&b);
}

static const char *phrase(int status)
{
	switch (status) {
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 408:
		return "Request Timeout";
	case 426:
		return "Upgrade Required";
	case 431:
		return "Request Header Fields Too Large";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Bad Request";
	}
}

int upgrade_make_refusal(int status, char out[UPGRADE_TEXT_MAX])
{
	struct buf b = buf_over(out, UPGRADE_TEXT_MAX);

	buf_printf(&b, "HTTP/1.1 %d %s\r\n", status, phrase(status));
	if (status == 405)
		buf_put_str(&b, "Allow: GET\r\n");
	/* RFC 9110 7.8, 15.5.22: an Upgrade field is named among the connection's options, too. */
	if (status == 426)
		buf_put_str(&b, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
				"Connection: upgrade, close\r\n");
	else
		buf_put_str(&b, "Connection: close\r\n");
	buf_put_str(&b, "Content-Length: 0\r\n\r\n");
	return finish(&b);
}
