/* body.c - what bodies and headers say, as the server wants it: SDP parsed,
 * identities, challenges, URIs as text. */
#include "gateway/sip/agent.h"

#include <errno.h>
#include <strings.h>

#include "base/buf.h"
#include "gateway/multipart.h"

static const char description[] = "application/sdp";

static struct slice payload(const sip_t *sip)
{
	return slice_of(sip->sip_payload->pl_data, sip->sip_payload->pl_len);
}

/* The description in a body of several parts.  The library's own parser of those is not asked
 * for (sofia-sip-traps.md S7). */
static bool find_part(const sip_t *sip, struct slice *part_out)
{
	const sip_content_type_t *type = sip->sip_content_type;
	const char *value = msg_params_find(type->c_params, "boundary=");
	struct slice boundary = slice_str(value);

	if (boundary.n >= 2 && value[0] == '"' && value[boundary.n - 1] == '"')
		boundary = slice_of(value + 1, boundary.n - 2);
	return multipart_find(payload(sip), boundary, description, part_out) == 1;
}

enum body_kind body_kind(const sip_t *sip)
{
	const sip_content_encoding_t *coding = sip->sip_content_encoding;
	const sip_content_type_t *type = sip->sip_content_type;
	struct slice part;

	if (!sip->sip_payload || sip->sip_payload->pl_len == 0)
		return BODY_NONE;
	/* Compressed or encoded bodies are not read: 415 says so (RFC 3261 8.2.3). */
	if (coding && coding->k_items && coding->k_items[0] &&
	    strcasecmp(coding->k_items[0], "identity") != 0)
		return BODY_OTHER;
	if (!type || !type->c_type)
		return BODY_OTHER;
	if (strcasecmp(type->c_type, description) == 0)
		return BODY_SDP;
	if (strncasecmp(type->c_type, "multipart/", strlen("multipart/")) == 0 &&
	    find_part(sip, &part))
		return BODY_SDP;
	return BODY_OTHER;
}

int body_sdp(const sip_t *sip, struct sdp *out, const char **why_out)
{
	struct slice part;

	if (strcasecmp(sip->sip_content_type->c_type, description) == 0)
		return sdp_parse(payload(sip), out, why_out);
	if (!find_part(sip, &part))
		return -EINVAL;
	/* its last line has lost its end to the boundary, which the parser does not mind */
	return sdp_parse(part, out, why_out);
}

/* Our own parser reads them: the library's has split them at commas already. */
static int join_auth(const msg_auth_t *auth, struct buf *b)
{
	buf_printf(b, "%s ", auth->au_scheme);
	for (size_t i = 0; auth->au_params && auth->au_params[i]; i++)
		buf_printf(b, "%s%s", i ? "," : "", auth->au_params[i]);
	return buf_ok(b) ? 0 : -1;
}

size_t body_authorizations(const sip_t *sip, su_home_t *home, char *out[BODY_MAX_AUTHORIZATIONS])
{
	const msg_auth_t *auth = sip->sip_authorization;
	size_t n = 0;

	/* Bounded: a header may stand as often as a message has room for. */
	for (; auth && n < BODY_MAX_AUTHORIZATIONS; auth = auth->au_next) {
		char text[4096];
		struct buf b = BUF_OF(text);

		if (join_auth(auth, &b) == 0)
			out[n++] = su_strdup(home, text);
	}
	return n;
}

static size_t read_challenges(const msg_auth_t *auth, bool proxy, struct digest_challenge *out,
			      size_t max)
{
	size_t n = 0;

	for (; auth && n < max; auth = auth->au_next) {
		char text[4096];
		struct buf b = BUF_OF(text);

		if (join_auth(auth, &b) || digest_parse(buf_slice(&b), &out[n]) != 0)
			continue;
		out[n++].proxy = proxy;
	}
	return n;
}

void body_challenges(const sip_t *sip, struct challenge_list *out)
{
	size_t n = read_challenges(sip->sip_www_authenticate, false, out->parsed,
				   DIGEST_MAX_CHALLENGES);

	n += read_challenges(sip->sip_proxy_authenticate, true, out->parsed + n,
			     DIGEST_MAX_CHALLENGES - n);
	out->n = n;
	for (size_t i = 0; i < n; i++) {
		wire_challenge_put(&out->parsed[i], &out->pb[i]);
		out->list[i] = &out->pb[i];
	}
}

const char *body_challenge_lines(su_home_t *home, char *const *challenges, size_t n)
{
	const char *lines = NULL;

	for (size_t i = 0; i < n; i++)
		if (agent_text_ok(challenges[i]))
			lines = su_sprintf(home, "%sWWW-Authenticate: %s\r\n", lines ? lines : "",
					   challenges[i]);
	return lines;
}

/* RFC 3325 9.3: "id" hides the asserted identity; RFC 3323 4.2: "user" all that names the
 * user. */
bool body_is_anonymous(const sip_t *sip)
{
	const sip_privacy_t *p = sip->sip_privacy;

	for (size_t i = 0; p && p->priv_values && p->priv_values[i]; i++)
		if (strcasecmp(p->priv_values[i], "id") == 0 ||
		    strcasecmp(p->priv_values[i], "user") == 0)
			return true;
	return false;
}

char *body_url(su_home_t *home, const url_t *url)
{
	char *text = url ? url_as_string(home, url) : NULL;

	return text ? text : su_strdup(home, "");
}

/* The number of a tel URI without its visual separators, which mean nothing (RFC 3966 5.1.1),
 * while every octet of a sip URI's user part counts; NULL: no tel URI, or without a number.
 * Parameters (phone-context, isub, rn) are left out: they are about the way, not the name. */
static char *tel_number(su_home_t *home, const url_t *url)
{
	char *number, *to;

	if (!url || url->url_type != url_tel || !url->url_user)
		return NULL;
	number = to = su_strdup(home, url->url_user);
	for (const char *from = number; from && *from; from++)
		if (!strchr("-.()", *from))
			*to++ = *from;
	if (number)
		*to = '\0';
	return number && number[0] ? number : NULL;
}

char *body_called(const struct agent *a, su_home_t *home, const url_t *url)
{
	char *number = tel_number(home, url), *text;

	if (!number)
		return body_url(home, url);
	text = su_sprintf(home, "sip:%s@%s", number, a->host);
	return text ? text : su_strdup(home, "");
}

char *body_caller(su_home_t *home, const url_t *url, const char *host)
{
	bool v6 = strchr(host, ':') != NULL;
	char *number = tel_number(home, url), *text;

	if (!number)
		return body_url(home, url);
	text = su_sprintf(home, "sip:%s@%s%s%s;user=phone", number, v6 ? "[" : "", host,
			  v6 ? "]" : "");
	return text ? text : su_strdup(home, "");
}

/* Appends those that are tel URIs, or those that are not. */
static size_t append_asserted(su_home_t *home, const sip_contact_t *list, bool tel,
			      const char *host, char *out[BODY_MAX_ASSERTED], size_t n)
{
	for (; list && n < BODY_MAX_ASSERTED; list = list->m_next)
		if (list->m_url->url_type != url_any && (list->m_url->url_type == url_tel) == tel)
			out[n++] = body_caller(home, list->m_url, host);
	return n;
}

/* RFC 3325 9.1: one or two, in one header or two; of two one is a tel URI.  The sip URI comes
 * first, since it is the one that maps are written for. */
size_t body_asserted(const sip_t *sip, su_home_t *home, const char *host,
		     char *out[BODY_MAX_ASSERTED])
{
	size_t n = 0;

	for (int tel = 0; tel <= 1; tel++)
		for (const sip_unknown_t *un = sip->sip_unknown; un; un = un->un_next)
			/* The library does not know this header: it is among the unknown ones,
			 * as text.  A Contact has the same form, and may be several, too. */
			if (un->un_name && strcasecmp(un->un_name, "P-Asserted-Identity") == 0)
				n = append_asserted(home, sip_contact_make(home, un->un_value), tel,
						    host, out, n);
	return n;
}

char *body_name(su_home_t *home, const char *display)
{
	char *text = display && display[0] == '"' ? msg_unquote_dup(home, display)
						  : su_strdup(home, display ? display : "");

	return text ? text : su_strdup(home, "");
}

char *body_header(su_home_t *home, const void *header)
{
	char *text = header ? sip_header_as_string(home, header) : NULL;

	return text ? text : su_strdup(home, "");
}
