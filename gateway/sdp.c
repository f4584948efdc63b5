/* sdp.c - SDP (RFC 4566) line by line with bounds, and answers written by hand:
 * sofia-sip's knows no SAVPF, lets attributes of a refused line speak for the
 * session, and compares wrongly. */
#include "gateway/sdp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/crypto.h>

#include "base/buf.h"
#include "base/text.h"
#include "gateway/sdp_priv.h"

static const struct {
	const char *name; /* of rtpmap, without regard to case */
	int fixed;        /* static payload type (RFC 3551), or -1 */
} encodings[] = {
	[SDP_OTHER] = { "", -1 },           [SDP_PCMU] = { "PCMU", 0 },
	[SDP_PCMA] = { "PCMA", 8 },         [SDP_TELEPHONE_EVENT] = { "telephone-event", -1 },
	[SDP_COMFORT_NOISE] = { "CN", 13 },
};

/* Of RTP: with a key (RFC 3711), with early feedback (RFC 4585), with both (RFC 5124). */
static const struct profile {
	const char *name;
	bool savp, feedback;
} profiles[] = {
	{ "RTP/AVP", false, false },
	{ "RTP/SAVP", true, false },
	{ "RTP/AVPF", false, true },
	{ "RTP/SAVPF", true, true },
};

static const char *const direction_names[] = {
	[SDP_SENDRECV] = "sendrecv",
	[SDP_SENDONLY] = "sendonly",
	[SDP_RECVONLY] = "recvonly",
	[SDP_INACTIVE] = "inactive",
};

/* A longer packet time is nobody's wish. */
enum { DIRECTIONS = 4, MAX_PTIME_MS = 200 };
static const unsigned encoding_count = sizeof(encodings) / sizeof(encodings[0]);

/* What c= says. */
struct connection {
	char address[SDP_ADDRESS_SIZE];
	bool given, held, usable;
};

/* An m= line and the attributes below it. */
struct section {
	struct sdp_line line;
	uint16_t port;
	struct slice formats; /* the list as it came */
	uint8_t map[128];     /* enum sdp_encoding of each payload type */
	struct connection connection;
	enum sdp_direction direction;
	unsigned ptime_ms, maxptime_ms;
	struct sdp_crypto crypto; /* the first one that can be used */
	uint16_t rtcp_port;       /* 0: no a=rtcp that can be used */
	char rtcp_address[SDP_ADDRESS_SIZE];
};

struct parser {
	struct sdp *out;
	struct connection connection;
	enum sdp_direction direction;
	struct section section;
	bool in_section, chosen;
	const char *unusable; /* why the best line so far does not do */
	const char *why;
};

static int malformed(struct parser *p, const char *why)
{
	p->why = why;
	return -EINVAL;
}

/* Several blanks count as one: some PBXs write two. */
struct slice sdp_take_token(struct slice *s)
{
	struct slice token = { s->p, 0 };

	while (token.n < s->n && s->p[token.n] != ' ')
		token.n++;
	*s = slice_from(*s, token.n);
	while (s->n && s->p[0] == ' ')
		*s = slice_from(*s, 1);
	return token;
}

/* Nine digits fit into 32 bits whatever they are: no overflow to be looked for. */
bool sdp_parse_uint(struct slice s, unsigned max, unsigned *out)
{
	unsigned v = 0;

	if (s.n == 0 || s.n > 9)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (unsigned)(s.p[i] - '0');
	}
	*out = v;
	return v <= max;
}

static bool equal_nocase(struct slice a, const char *s)
{
	return a.n == strlen(s) && strncasecmp((const char *)a.p, s, a.n) == 0;
}

static bool copy_text(struct slice s, char *out, size_t outsz)
{
	if (s.n == 0 || s.n >= outsz)
		return false;
	memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return true;
}

/* "IN IP4 192.0.2.1"; a host name or a multicast address is legal but of no use. */
static int parse_connection(struct parser *p, struct slice value, struct connection *out)
{
	struct slice net = sdp_take_token(&value), type = sdp_take_token(&value);
	struct slice address = sdp_take_token(&value);
	bool v6 = slice_eq_str(type, "IP6");
	char text[SDP_ADDRESS_SIZE] = "";
	uint8_t octets[16], zero[16] = { 0 };

	if (!slice_eq_str(net, "IN") || (!v6 && !slice_eq_str(type, "IP4")) || address.n == 0)
		return malformed(p, "c= is malformed");
	*out = (struct connection){ .given = true };
	if (!copy_text(address, text, sizeof(text)) ||
	    inet_pton(v6 ? AF_INET6 : AF_INET, text, octets) != 1)
		/* Legal, of no use: the line is refused, not the message. */
		return 0;
	/* RFC 3264 8.4: 0.0.0.0 is hold as RFC 2543 had it. */
	out->held = memcmp(octets, zero, v6 ? 16 : 4) == 0;
	/* Multicast: ff00::/8, 224.0.0.0/4 and what lies above. */
	out->usable = v6 ? octets[0] != 0xff : octets[0] < 224;
	if (out->usable && !out->held)
		inet_ntop(v6 ? AF_INET6 : AF_INET, octets, out->address, sizeof(out->address));
	return 0;
}

/* "101 telephone-event/8000" */
static int parse_rtpmap(struct parser *p, struct slice value)
{
	struct slice number = sdp_take_token(&value), name = { value.p, 0 };
	uint8_t encoding = SDP_OTHER;
	unsigned type;
	struct slice clock;

	if (!sdp_parse_uint(number, 127, &type))
		return malformed(p, "a=rtpmap is malformed");
	while (name.n < value.n && value.p[name.n] != '/')
		name.n++;
	clock = slice_from(value, name.n);
	/* Another clock or a second channel is another codec, for which we have nothing. */
	if (slice_eq_str(clock, "/8000") || slice_eq_str(clock, "/8000/1"))
		for (uint8_t i = 1; i < encoding_count; i++)
			if (equal_nocase(name, encodings[i].name))
				encoding = i;
	p->section.map[type] = encoding;
	return 0;
}

/* RFC 3605 2.1: "53020", or "53020 IN IP4 126.16.64.4".  What cannot be used is as if it were not
 * there: "9 IN IP4 0.0.0.0" is what WebRTC gateways say who count on rtcp-mux. */
static void parse_rtcp(struct section *s, struct slice value)
{
	struct parser quiet = { 0 };
	struct connection where = { 0 };
	unsigned port;

	if (!sdp_parse_uint(sdp_take_token(&value), 65535, &port) || port == 0)
		return;
	if (value.n && (parse_connection(&quiet, value, &where) || !where.usable || where.held))
		return;
	s->rtcp_port = (uint16_t)port;
	memcpy(s->rtcp_address, where.address, sizeof(s->rtcp_address));
}

static bool attribute(struct slice value, const char *name, struct slice *rest)
{
	if (!slice_starts(value, name))
		return false;
	*rest = slice_from(value, strlen(name));
	return true;
}

static int parse_attribute(struct parser *p, struct slice value)
{
	/* An attribute above the first m= is the default of all (RFC 4566 6). */
	enum sdp_direction *direction = p->in_section ? &p->section.direction : &p->direction;
	struct slice rest;
	unsigned ms;

	for (int d = 0; d < DIRECTIONS; d++)
		if (slice_eq_str(value, direction_names[d]))
			*direction = (enum sdp_direction)d;
	if (!p->in_section)
		return 0;
	if (attribute(value, "rtpmap:", &rest))
		return parse_rtpmap(p, rest);
	if (attribute(value, "crypto:", &rest) && !p->section.crypto.suite)
		sdp_crypto_parse(rest, &p->section.crypto);
	if (attribute(value, "rtcp:", &rest))
		parse_rtcp(&p->section, rest);
	if (attribute(value, "ptime:", &rest) && sdp_parse_uint(rest, MAX_PTIME_MS, &ms))
		p->section.ptime_ms = ms;
	if (attribute(value, "maxptime:", &rest) && sdp_parse_uint(rest, MAX_PTIME_MS, &ms))
		p->section.maxptime_ms = ms;
	return 0;
}

static int start_section(struct parser *p, struct slice value)
{
	struct slice media = sdp_take_token(&value), port = sdp_take_token(&value);
	struct slice proto = sdp_take_token(&value), list = value, first = sdp_take_token(&value);
	struct section *s = &p->section;
	unsigned n;

	*s = (struct section){ .connection = p->connection, .direction = p->direction };
	for (size_t i = 0; i < port.n; i++)
		if (port.p[i] == '/')
			port.n = i; /* "49170/2": a layered stream; its first port is it */
	if (!copy_text(media, s->line.media, sizeof(s->line.media)) ||
	    !copy_text(proto, s->line.proto, sizeof(s->line.proto)) ||
	    !copy_text(first, s->line.format, sizeof(s->line.format)) ||
	    !sdp_parse_uint(port, 65535, &n))
		return malformed(p, "m= is malformed");
	s->port = (uint16_t)n;
	s->formats = list;
	/* Static payload types need no rtpmap (RFC 3551 6). */
	for (uint8_t i = 1; i < encoding_count; i++)
		if (encodings[i].fixed >= 0)
			s->map[encodings[i].fixed] = i;
	p->in_section = true;
	return 0;
}

/* Hold as RFC 2543 had it: the party does not want to hear (RFC 3264 8.4). */
static enum sdp_direction held_direction(enum sdp_direction d)
{
	return d == SDP_SENDRECV ? SDP_SENDONLY : d == SDP_RECVONLY ? SDP_INACTIVE : d;
}

static void list_formats(const struct section *s, struct sdp_audio *audio)
{
	struct slice list = s->formats;
	unsigned type;

	while (list.n && audio->nformats < SDP_MAX_FORMATS)
		if (sdp_parse_uint(sdp_take_token(&list), 127, &type) && s->map[type] != SDP_OTHER)
			audio->formats[audio->nformats++] = (struct sdp_format){
				.payload_type = (uint8_t)type,
				.encoding = (enum sdp_encoding)s->map[type],
			};
}

/* NULL: none that we speak. */
static const struct profile *find_profile(const char *proto)
{
	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
		if (strcmp(proto, profiles[i].name) == 0)
			return &profiles[i];
	return NULL;
}

static const char *profile_name(bool savp, bool feedback)
{
	size_t i = 0;

	while (profiles[i].savp != savp || profiles[i].feedback != feedback)
		i++;
	return profiles[i].name;
}

/* Why the section cannot be the call's, with keys or without, or NULL with audio filled. */
static const char *try_section(const struct section *s, bool secured, struct sdp_audio *audio)
{
	const struct profile *profile = find_profile(s->line.proto);

	if (strcmp(s->line.media, "audio") != 0)
		return "no audio is offered";
	/* RFC 3264 6: refused, or closed since. */
	if (s->port == 0)
		return "the audio stream is refused (port 0)";
	if (!profile)
		return "audio is offered only over another protocol than RTP/AVP and RTP/SAVP";
	/* RFC 4568: what is protected cannot be read without a key; to answer in clear would be
	 * a lie. */
	if (profile->savp && !s->crypto.suite)
		return "audio is offered over RTP/SAVP without a key that can be used";
	if (secured ? !s->crypto.suite : profile->savp)
		return "audio is offered over RTP/SAVP";
	if (!s->connection.usable)
		return "c= has no unicast address";
	*audio = (struct sdp_audio){ .port = s->port,
				     .ptime_ms = s->ptime_ms,
				     .maxptime_ms = s->maxptime_ms,
				     .direction = s->direction,
				     .savp = profile->savp,
				     .feedback = profile->feedback,
				     .rtcp_port = s->rtcp_port };
	if (secured) {
		audio->crypto[0] = s->crypto;
		audio->ncrypto = 1;
	}
	list_formats(s, audio);
	if (!sdp_find(audio, SDP_PCMU) && !sdp_find(audio, SDP_PCMA))
		return "neither PCMU nor PCMA is offered";
	memcpy(audio->address, s->connection.address, sizeof(audio->address));
	memcpy(audio->rtcp_address, s->rtcp_address, sizeof(audio->rtcp_address));
	/* Our socket speaks the family of c= alone: reports to the other would be lost. */
	if (s->rtcp_address[0] && s->connection.address[0] &&
	    !strchr(s->rtcp_address, ':') != !strchr(s->connection.address, ':')) {
		audio->rtcp_port = 0;
		audio->rtcp_address[0] = '\0';
	}
	if (s->connection.held)
		audio->direction = held_direction(audio->direction);
	return NULL;
}

/* The first line with keys, of which nobody hears more when it cannot be taken: the line
 * itself is looked at without them, too. */
static void choose_secured(struct parser *p, size_t line)
{
	struct sdp *out = p->out;

	if (out->has_secured || try_section(&p->section, true, &out->secured))
		return;
	out->has_secured = true;
	out->chosen_secured = line;
}

static int end_section(struct parser *p)
{
	struct sdp *out = p->out;
	struct sdp_audio audio;
	const char *unusable;

	if (!p->in_section)
		return 0;
	p->in_section = false;
	if (out->nlines == SDP_MAX_LINES)
		return malformed(p, "too many m= lines");
	if (!p->section.connection.given && p->section.port != 0)
		return malformed(p, "c= is missing");
	/* Each line has to be in the answer, in its order, the ones that are refused with port
	 * 0 (RFC 3264 6). */
	out->lines[out->nlines++] = p->section.line;
	choose_secured(p, out->nlines - 1);
	if (p->chosen)
		return 0;
	unusable = try_section(&p->section, false, &audio);
	if (!unusable) {
		p->chosen = true;
		out->audio = audio;
		out->chosen = out->nlines - 1;
	} else if (!p->unusable || strcmp(p->section.line.media, "audio") == 0) {
		p->unusable = unusable;
	}
	return 0;
}

static int parse_line(struct parser *p, struct slice line)
{
	struct slice value;
	int err;

	if (line.n < 2 || line.p[1] != '=' || line.p[0] < 'a' || line.p[0] > 'z')
		return malformed(p, "a line is not of the form x=value");
	value = slice_from(line, 2);
	switch (line.p[0]) {
	case 'c':
		return parse_connection(p, value,
					p->in_section ? &p->section.connection : &p->connection);
	case 'a':
		return parse_attribute(p, value);
	case 'm':
		err = end_section(p);
		return err ? err : start_section(p, value);
	case 'v':
		return malformed(p, "v= stands twice");
	default:
		return 0;
	}
}

static bool has_controls(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((text.p[i] < ' ' && text.p[i] != '\r' && text.p[i] != '\n' &&
		     text.p[i] != '\t') ||
		    text.p[i] == 0x7f)
			return true;
	return false;
}

static int parse_lines(struct parser *p, struct slice text)
{
	/* Nothing below need think of NUL or of terminal escapes in a log. */
	if (has_controls(text))
		return malformed(p, "it holds control characters");
	if (text.n == 0 || !slice_eq_str(text_take_line(&text), "v=0"))
		return malformed(p, "it does not begin with v=0");
	while (text.n) {
		struct slice line = text_take_line(&text);
		int err = line.n ? parse_line(p, line) : 0;

		if (err)
			return err;
	}
	if (end_section(p))
		return -EINVAL;
	if (p->out->nlines == 0)
		return malformed(p, "it has no m= line");
	return 0;
}

int sdp_parse(struct slice text, struct sdp *out, const char **why_out)
{
	struct parser p = { .out = out };
	int err;

	*out = (struct sdp){ 0 };
	if (text.n > SDP_MAX_INPUT) {
		p.why = "it is too long";
		err = -EMSGSIZE;
	} else {
		err = parse_lines(&p, text);
		/* The section's key has been copied, or is of no use. */
		OPENSSL_cleanse(&p.section.crypto, sizeof(p.section.crypto));
		if (!err && !p.chosen && out->has_secured) {
			out->audio = out->secured;
			out->chosen = out->chosen_secured;
		} else if (!err && !p.chosen) {
			p.why = p.unusable;
			err = -ENOTSUP;
		}
	}
	if (err && why_out)
		*why_out = p.why;
	return err;
}

static void write_formats(struct buf *b, const struct sdp_audio *ours)
{
	for (size_t i = 0; i < ours->nformats; i++)
		buf_printf(b, " %u", ours->formats[i].payload_type);
	buf_put_str(b, "\r\n");
	for (size_t i = 0; i < ours->nformats; i++) {
		const struct sdp_format *f = &ours->formats[i];

		buf_printf(b, "a=rtpmap:%u %s/8000\r\n", f->payload_type,
			   encodings[f->encoding].name);
		/* The digits, star, pound and A to D (RFC 4733 3.2). */
		if (f->encoding == SDP_TELEPHONE_EVENT)
			buf_printf(b, "a=fmtp:%u 0-15\r\n", f->payload_type);
	}
}

/* proto: as offered; NULL: an offer. */
static void write_audio(struct buf *b, const struct sdp_audio *ours, const char *proto)
{
	bool savp = ours->savp && ours->ncrypto;

	buf_printf(b, "m=audio %u %s", ours->port,
		   proto ? proto : profile_name(savp, ours->feedback));
	write_formats(b, ours);
	for (size_t i = 0; i < ours->ncrypto; i++)
		sdp_crypto_write(&ours->crypto[i], b);
	if (ours->ptime_ms)
		buf_printf(b, "a=ptime:%u\r\n", ours->ptime_ms);
	if (ours->maxptime_ms)
		buf_printf(b, "a=maxptime:%u\r\n", ours->maxptime_ms);
	buf_printf(b, "a=%s\r\n", direction_names[ours->direction]);
}

static int write_text(const struct sdp_local *local, uint64_t version, const char *address,
		      const struct sdp_audio *ours, const struct sdp *offer, struct buf *b)
{
	const char *type = strchr(address, ':') ? "IP6" : "IP4";
	/* RFC 4568 5.1.2: with keys only to the line that has them. */
	size_t chosen = !offer ? 0 : ours->ncrypto ? offer->chosen_secured : offer->chosen;

	buf_printf(b, "v=0\r\no=- %llu %llu IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n",
		   (unsigned long long)local->session, (unsigned long long)version, type, address,
		   type, address);
	if (!offer)
		write_audio(b, ours, NULL);
	for (size_t i = 0; offer && i < offer->nlines; i++) {
		const struct sdp_line *line = &offer->lines[i];

		if (i == chosen)
			write_audio(b, ours, line->proto);
		else
			buf_printf(b, "m=%s 0 %s %s\r\n", line->media, line->proto, line->format);
	}
	return buf_ok(b) ? 0 : -ENOBUFS;
}

/* With keys only to keys, and without them not to RTP/SAVP. */
static bool may_answer(const struct sdp_audio *ours, const struct sdp *offer)
{
	return ours->ncrypto ? offer->has_secured : !offer->audio.savp;
}

int sdp_write(struct sdp_local *local, const struct sdp_audio *ours, const struct sdp *offer)
{
	const char *address = ours->address[0] ? ours->address : "0.0.0.0";
	char text[SDP_TEXT_SIZE];
	struct buf b = BUF_OF(text);
	int err;

	if (ours->nformats == 0 || ours->nformats > SDP_MAX_FORMATS ||
	    ours->ncrypto > SDP_MAX_CRYPTO || (offer && !may_answer(ours, offer)))
		return -EINVAL;
	for (size_t i = 0; i < ours->nformats; i++)
		if (ours->formats[i].encoding == SDP_OTHER ||
		    (unsigned)ours->formats[i].encoding >= encoding_count)
			return -EINVAL;
	err = write_text(local, local->version, address, ours, offer, &b);
	if (err)
		return err;
	/* The version rises with each change, and only then (RFC 3264 8): a repeated answer is
	 * the same to the letter. */
	if (strcmp(text, local->text) == 0)
		return 0;
	b = BUF_OF(text);
	err = write_text(local, local->version + 1, address, ours, offer, &b);
	if (err)
		return err;
	local->version++;
	memcpy(local->text, text, b.len + 1);
	return 0;
}

void sdp_wipe(struct sdp *sdp)
{
	OPENSSL_cleanse(sdp->audio.crypto, sizeof(sdp->audio.crypto));
	OPENSSL_cleanse(sdp->secured.crypto, sizeof(sdp->secured.crypto));
}

enum sdp_direction sdp_reverse(enum sdp_direction d)
{
	return d == SDP_SENDONLY ? SDP_RECVONLY : d == SDP_RECVONLY ? SDP_SENDONLY : d;
}

const struct sdp_format *sdp_find(const struct sdp_audio *audio, enum sdp_encoding encoding)
{
	for (size_t i = 0; i < audio->nformats; i++)
		if (audio->formats[i].encoding == encoding)
			return &audio->formats[i];
	return NULL;
}
