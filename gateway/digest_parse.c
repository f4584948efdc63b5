/* digest_parse.c - what stands in WWW-Authenticate and in Authorization. */
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "base/buf.h"
#include "gateway/digest.h"
#include "gateway/digest_check.h"

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* RFC 7230 3.2.6's tokens, by what they are not. */
static bool is_token(uint8_t c)
{
	return c > ' ' && c < 0x7f && !strchr("()<>@,;:\\\"/[]?={}", c);
}

static void skip_spaces(struct slice *s)
{
	while (s->n && is_space(s->p[0]))
		*s = slice_from(*s, 1);
}

static struct slice take_token(struct slice *s)
{
	struct slice token = { s->p, 0 };

	while (token.n < s->n && is_token(s->p[token.n]))
		token.n++;
	*s = slice_from(*s, token.n);
	return token;
}

/* A quoted string without its quotes and escapes, or a token. */
static int take_value(struct slice *s, struct buf *out)
{
	if (s->n == 0 || s->p[0] != '"') {
		struct slice token = take_token(s);

		buf_put_slice(out, token);
		return token.n ? 0 : -EINVAL;
	}
	for (size_t i = 1; i < s->n; i++) {
		if (s->p[i] == '"') {
			*s = slice_from(*s, i + 1);
			return 0;
		}
		if (s->p[i] == '\\' && ++i == s->n)
			return -EINVAL;
		if (s->p[i] < ' ' || s->p[i] == 0x7f)
			return -EINVAL;
		buf_put_char(out, (char)s->p[i]);
	}
	return -EINVAL;
}

struct parameter {
	const char *name;
	char *out;
	size_t outsz;
	bool seen;
};

static bool name_is(struct slice name, const char *s)
{
	return name.n == strlen(s) && strncasecmp((const char *)name.p, s, name.n) == 0;
}

/* Takes `name = value`; names that we do not know are skipped. */
static int take_parameter(struct slice *s, struct parameter *list, size_t n)
{
	char skipped[1024];
	struct buf b = BUF_OF(skipped);
	struct slice name = take_token(s);
	bool wanted = false;

	skip_spaces(s);
	if (name.n == 0 || s->n == 0 || s->p[0] != '=')
		return -EINVAL;
	*s = slice_from(*s, 1);
	skip_spaces(s);
	for (size_t i = 0; i < n; i++) {
		if (!name_is(name, list[i].name))
			continue;
		/* A parameter that stands twice is refused: two readers could take different
		 * ones. */
		if (list[i].seen)
			return -EINVAL;
		wanted = list[i].seen = true;
		b = buf_over(list[i].out, list[i].outsz);
	}
	if (take_value(s, &b))
		return -EINVAL;
	return wanted && !buf_ok(&b) ? -E2BIG : 0;
}

/* Reads `Digest name=value, ...`.  Returns 0, -ENOTSUP (another scheme), -EINVAL or -E2BIG. */
static int read_parameters(struct slice s, struct parameter *list, size_t n)
{
	struct slice scheme;

	skip_spaces(&s);
	scheme = take_token(&s);
	if (!name_is(scheme, "Digest"))
		return scheme.n ? -ENOTSUP : -EINVAL;
	for (;;) {
		int err;

		skip_spaces(&s);
		if (s.n == 0)
			return 0;
		if (s.p[0] == ',') { /* RFC 9110 5.6.1 lets empty elements be */
			s = slice_from(s, 1);
			continue;
		}
		err = take_parameter(&s, list, n);
		if (err)
			return err;
		skip_spaces(&s);
		if (s.n && s.p[0] != ',')
			return -EINVAL;
	}
}

int digest_parse(struct slice value, struct digest_challenge *out)
{
	struct digest_challenge c = { 0 };
	char stale[8] = "";
	struct parameter list[] = {
		{ "realm", c.realm, sizeof(c.realm), false },
		{ "nonce", c.nonce, sizeof(c.nonce), false },
		{ "opaque", c.opaque, sizeof(c.opaque), false },
		{ "algorithm", c.algorithm, sizeof(c.algorithm), false },
		{ "qop", c.qop, sizeof(c.qop), false },
		{ "stale", stale, sizeof(stale), false },
	};
	int err = read_parameters(value, list, sizeof(list) / sizeof(list[0]));

	if (err)
		return err;
	if (!list[0].seen || !c.nonce[0])
		return -EINVAL;
	c.has_opaque = list[2].seen;
	c.stale = strcasecmp(stale, "true") == 0;
	*out = c;
	return 0;
}

int digest_parse_given(struct slice value, struct digest_given *out)
{
	struct digest_given g = { .nc = 0 };
	struct digest_challenge *c = &g.challenge;
	char nc[16] = "", *end;
	struct parameter list[] = {
		{ "username", g.user, sizeof(g.user), false },
		{ "realm", c->realm, sizeof(c->realm), false },
		{ "nonce", c->nonce, sizeof(c->nonce), false },
		{ "uri", g.uri, sizeof(g.uri), false },
		{ "response", g.response, sizeof(g.response), false },
		{ "algorithm", c->algorithm, sizeof(c->algorithm), false },
		{ "qop", c->qop, sizeof(c->qop), false },
		{ "cnonce", g.cnonce, sizeof(g.cnonce), false },
		{ "nc", nc, sizeof(nc), false },
	};
	int err = read_parameters(value, list, sizeof(list) / sizeof(list[0]));

	if (err)
		return err;
	/* username, realm, nonce, uri, response: RFC 7616 3.4 requires them. */
	for (size_t i = 0; i < 5; i++)
		if (!list[i].seen)
			return -EINVAL;
	if (c->qop[0]) {
		g.nc = (uint32_t)strtoul(nc, &end, 16);
		/* nc is eight digits (RFC 7616 3.4), cnonce goes with qop. */
		if (strlen(nc) != 8 || *end || !g.cnonce[0])
			return -EINVAL;
	}
	*out = g;
	return 0;
}
