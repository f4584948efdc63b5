/* client_data.c - names and stored form of client data.
 *
 * Stored as { "saved": seconds since 1970, "type": text, "value": base64 }. A client wrote type
 * and value: what is read back is looked at as any stranger's text.
 */
#include "rendezvous/client_data.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/encode.h"
#include "umsg/frame.h"

/* A few, so that what a client may store is bounded. */
static const char *const names[] = { "client-info", "client-token", "push-token",
				     "settings",    "contacts",     "groups" };

enum { NAMES = sizeof(names) / sizeof(names[0]) };

const char *client_data_name(size_t i)
{
	return i < NAMES ? names[i] : NULL;
}

bool client_data_is_name(const char *name)
{
	for (size_t i = 0; i < NAMES; i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

char *client_data_text(int64_t now_s, const char *type, struct slice value)
{
	char encoded[BASE64_TEXT_SIZE(FRAME_CLIENT_DATA)];
	json_t *object;
	char *text;

	/* The buffer's size hangs on it; a frame that is longer was refused by its holder. */
	if (value.n > FRAME_CLIENT_DATA)
		return NULL;
	/* A client may store any octets, and JSON holds none but text. */
	base64_encode(BASE64_STANDARD, value, encoded);
	object = json_pack("{s:I, s:s, s:s}", "saved", (json_int_t)now_s, "type", type, "value",
			   encoded);
	text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return text;
}

json_t *client_data_parse(const char *text, int64_t now_s)
{
	json_t *object = json_loads(text, 0, NULL), *value, *row;
	const char *encoded = json_string_value(json_object_get(object, "value"));
	const char *type = json_string_value(json_object_get(object, "type"));
	int64_t saved_s = json_integer_value(json_object_get(object, "saved"));
	uint8_t octets[FRAME_CLIENT_DATA];
	char time[CLOCK_TEXT_SIZE];
	size_t n = 0;

	if (!encoded || !type ||
	    base64_decode(BASE64_STANDARD, slice_str(encoded), octets, sizeof(octets), &n)) {
		json_decref(object);
		return NULL;
	}
	clock_format(saved_s * 1000, time);
	value = json_loadb((const char *)octets, n, 0, NULL);
	/* Shown as it is when it is JSON; of what is not only type and size are shown. */
	if (!json_is_object(value)) {
		json_decref(value);
		value = json_null();
	}
	row = json_pack("{s:s, s:I, s:s, s:I, s:o}", "time", time, "age",
			(json_int_t)(now_s - saved_s), "type", type, "bytes", (json_int_t)n,
			"value", value);
	if (row)
		/* As a number as well, for who compares it with another time (home_push.c). */
		json_object_set(row, "saved", json_object_get(object, "saved"));
	json_decref(object);
	return row;
}

/* ASCII alone: an operator's terminal shall not be told anything by a client. */
static bool printable(struct slice octets)
{
	for (size_t i = 0; i < octets.n; i++)
		if (octets.p[i] < 0x20 || octets.p[i] > 0x7e)
			return false;
	return true;
}

json_t *client_data_value(const char *text)
{
	json_t *object = json_loads(text, 0, NULL), *value = NULL;
	const char *encoded = json_string_value(json_object_get(object, "value"));
	uint8_t octets[FRAME_CLIENT_DATA];
	size_t n = 0;

	if (encoded &&
	    base64_decode(BASE64_STANDARD, slice_str(encoded), octets, sizeof(octets), &n) == 0)
		value = printable(slice_of(octets, n)) ? json_stringn((const char *)octets, n)
						       : json_string(encoded);
	json_decref(object);
	return value ? value : json_string("");
}
