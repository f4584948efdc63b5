/* cig_expect.c - tests inside a configuration: one that fails is a fault, so that a slip
 * in a map is told when the file is read and never goes live.
 *
 *     expect "tel:+8888;101" => "sip:101@pbx.com";
 *     expect "sip:946701@h" from "sip:101@pbx.com" => "tel:+46701" from "tel:+8888;101";
 *     expect "tel:+8888;999" => reject 404;
 *
 * Ours; the manual has nothing of the kind.
 */
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "gateway/cig_config_priv.h"
#include "maps/map.h"

struct expectation {
	const char *to, *from;         /* of the call; from NULL: not told */
	const char *new_to, *new_from; /* new_to NULL: rejected; new_from NULL: any */
	unsigned long code;            /* of the rejection; 0: any */
};

static bool is_word(const struct config_word *word, const char *text)
{
	return !word->quoted && strcmp(word->text, text) == 0;
}

static bool fault(const struct config_statement *s, size_t at, struct diag *diag)
{
	bool end = at >= s->words;

	diag_error(diag, end ? &s->place : &s->word[at].place, "found %s%s%s, expected %s %s",
		   end ? "the end" : "\"", end ? "" : s->word[at].text, end ? "" : "\"",
		   s->keyword->keyword, s->keyword->usage);
	return false;
}

/* Takes "URI" and perhaps: from "URI".  Returns the index behind it, or 0. */
static size_t take_side(const struct config_statement *s, size_t at, const char **to_out,
			const char **from_out)
{
	if (at >= s->words)
		return 0;
	*to_out = s->word[at++].text;
	if (at < s->words && is_word(&s->word[at], "from")) {
		if (at + 1 >= s->words)
			return 0;
		*from_out = s->word[at + 1].text;
		at += 2;
	}
	return at;
}

static bool parse(const struct config_statement *s, struct expectation *out, struct diag *diag)
{
	size_t at;

	memset(out, 0, sizeof(*out));
	at = take_side(s, 0, &out->to, &out->from);
	if (at == 0 || at >= s->words || !is_word(&s->word[at], "=>"))
		return fault(s, at ? at : s->words, diag);
	at++;
	if (at < s->words && is_word(&s->word[at], "reject")) {
		at++;
		if (at < s->words &&
		    !text_number(slice_str(s->word[at].text), 400, 699, &out->code))
			return fault(s, at, diag);
		at += out->code != 0;
	} else {
		at = take_side(s, at, &out->new_to, &out->new_from);
	}
	/* from "URI" of the result makes sense only where the call has a from. */
	if (at == 0 || at < s->words || (out->new_from && !out->from))
		return fault(s, at ? at : s->words, diag);
	return true;
}

/* Is the result the one that was expected, however the administrator spells it? */
static bool same(const char *result, const char *expected)
{
	struct uri uri;

	if (uri_parse(slice_str(expected), &uri, NULL) < 0)
		return strcmp(result, expected) == 0;
	return slice_eq_str(uri.text, result);
}

/* Did the extension maps give a to-URI?  403 stands for a missing from-URI, which counts
 * only where the test names one. */
static bool has_to(const struct route_answer *answer, const struct expectation *e)
{
	return answer->routed || (answer->code == 403 && !e->from);
}

static bool holds(const struct route_answer *answer, const struct expectation *e)
{
	if (!e->new_to)
		return !answer->routed && (e->code == 0 || e->code == answer->code);
	return has_to(answer, e) && same(answer->to, e->new_to) &&
	       (!e->new_from || same(answer->from, e->new_from));
}

static void tell(const struct config_statement *s, const struct route_answer *answer,
		 const struct expectation *e, struct diag *diag)
{
	struct diag_place by =
		answer->to_entry ? map_entry_place(answer->to_entry) : (struct diag_place){ 0 };

	if (!has_to(answer, e))
		diag_error(diag, &s->place, "expectation failed: %s is rejected: %u, %s", e->to,
			   answer->code, answer->reason);
	else if (answer->routed && e->from)
		diag_error(diag, &s->place,
			   "expectation failed: %s from %s becomes %s from %s, by entry %s (%s:%u)",
			   e->to, e->from, answer->to, answer->from,
			   map_entry_name(answer->to_entry), by.file ? by.file : "-", by.line);
	else
		diag_error(diag, &s->place,
			   "expectation failed: %s becomes %s, by entry %s (%s:%u)", e->to,
			   answer->to, map_entry_name(answer->to_entry), by.file ? by.file : "-",
			   by.line);
}

static void check(const struct router *router, const struct config_statement *s, struct diag *diag)
{
	struct route_answer answer;
	struct route_call call;
	struct expectation e;
	bool secure;

	if (!parse(s, &e, diag))
		return;
	/* A call to a tel: URI comes from the secure side, one to a sip: URI from the PBX. */
	secure = strncasecmp(e.to, "tel:", 4) == 0;
	call = (struct route_call){
		.from_interface = secure ? ROUTE_TEL : ROUTE_SIP,
		.to = slice_str(e.to),
		/* An expectation that does not name the caller must not fail for want of one. */
		.from = slice_str(e.from   ? e.from
				  : secure ? "tel:+0"
					   : "sip:anonymous@anonymous.invalid"),
	};
	router_route(router, &call, &answer, NULL);
	if (!holds(&answer, &e))
		tell(s, &answer, &e, diag);
}

void cig_check_expectations(const struct cig_build *b, const struct config_statement *s)
{
	for (; s; s = s->next)
		if (cig_is(s, "expect"))
			check(b->object->router, s, b->diag);
}
