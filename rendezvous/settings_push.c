/* settings_push.c - the lines of crs.conf about push notifications (CRS manual 4.8). */
#include <string.h>

#include "base/buf.h"
#include "rendezvous/settings_priv.h"

/* push-config apns WORD VALUE */
static char *place_of(struct push_settings *push, const char *word)
{
	const struct {
		const char *word;
		char *out;
	} places[] = {
		{ "key", push->key_file }, { "key-id", push->key_id }, { "team-id", push->team_id },
		{ "topic", push->topic },  { "url", push->url },       { "ca", push->ca_file },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (strcmp(places[i].word, word) == 0)
			return places[i].out;
	}
	return NULL;
}

void settings_read_push(struct push_settings *push, const struct config_line *line,
			struct diag *diag)
{
	const struct config_word *word = line->word;
	struct buf b;
	char *out;

	if (line->words != 4 || strcmp(word[1].text, "apns") != 0) {
		diag_error(diag, &word[0].place, "expected push-config apns %s", "WORD VALUE");
		return;
	}
	if (strcmp(word[2].text, "type") == 0) {
		push->direct = strcmp(word[3].text, "direct") == 0;
		if (!push->direct)
			diag_error(diag, &word[3].place, "\"%s\": expected direct", word[3].text);
		return;
	}
	out = place_of(push, word[2].text);
	if (!out) {
		diag_error(diag, &word[2].place,
			   "\"%s\": expected type, key, key-id, team-id, topic, url or ca",
			   word[2].text);
		return;
	}
	/* All these members are of one size. */
	b = buf_over(out, SETTINGS_HOST);
	buf_put_str(&b, word[3].text);
	if (!buf_ok(&b))
		diag_error(diag, &word[3].place, "longer than %d characters", SETTINGS_HOST - 1);
	/* The authorization goes with each request: never in the clear. */
	else if (out == push->url && strncmp(push->url, "https://", 8) != 0)
		diag_error(diag, &word[3].place, "\"%s\": expected https://HOST", word[3].text);
}

void settings_check_push(struct settings *settings, const struct diag_place *place,
			 struct diag *diag)
{
	struct push_settings *push = &settings->apns;

	if (!settings->push)
		return;
	/* Here, as only now it is known that no line gave another. */
	if (!push->url[0])
		memcpy(push->url, SETTINGS_APNS_URL, sizeof(SETTINGS_APNS_URL));
	push->complete = push->direct && push->key_file[0] && push->key_id[0] && push->team_id[0] &&
			 push->topic[0];
	/* The manual's other way, a service that hands out tokens, is not there to connect to. */
	if (!push->complete)
		diag_warning(
			diag, place,
			"features push: nobody is woken up without push-config apns type direct, "
			"key, key-id, team-id and topic (cps is not used)");
}
