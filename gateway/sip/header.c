/* header.c - text of the server before it becomes part of a message: nothing in it
 * may end a header or a quoted string. */
#include "gateway/sip/agent.h"

#include <string.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/encode.h"

bool agent_text_ok(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

bool agent_uri_ok(su_home_t *home, const char *text)
{
	url_t *url;

	/* Blanks and brackets would end it within <>; the library's parser lets some of them
	 * pass. */
	if (!text[0] || !agent_text_ok(text) || strpbrk(text, " <>\""))
		return false;
	url = url_make(home, text);
	return url && (url->url_type == url_sip || url->url_type == url_tel) && !url->url_headers &&
	       (url->url_type == url_tel || url->url_host);
}

char *agent_name_addr(su_home_t *home, const char *name, const char *uri)
{
	char quoted[512];
	struct buf b = BUF_OF(quoted);

	/* RFC 3261 25.1: in a quoted string quote and backslash are escaped. */
	for (; *name; name++) {
		if (*name == '"' || *name == '\\')
			buf_put_char(&b, '\\');
		buf_put_char(&b, *name);
	}
	if (b.len == 0 || !buf_ok(&b)) /* a name too long is left out */
		return su_sprintf(home, "<%s>", uri);
	return su_sprintf(home, "\"%s\" <%s>", quoted, uri);
}

char *agent_new_call_id(su_home_t *home)
{
	uint8_t octets[16];
	char text[HEX_TEXT_SIZE(sizeof(octets))];

	if (getrandom(octets, sizeof(octets), 0) != (ssize_t)sizeof(octets))
		return NULL;
	hex_encode(slice_of(octets, sizeof(octets)), text);
	return su_strdup(home, text);
}
