/* apns_refusal.c - reads the answers of a push service that refuses. */
#include "rendezvous/apns_refusal.h"

#include <stdio.h>

#include <jansson.h>

/* The service's words are such; anything else is not fit for a log. */
static bool is_word(const char *text)
{
	size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");

	return text[n] == '\0' && n < APNS_REASON_SIZE;
}

void apns_refusal_read(long status, struct slice body, struct apns_refusal *out)
{
	json_t *answer = json_loadb(body.n ? (const char *)body.p : "", body.n, 0, NULL);
	const char *reason = json_string_value(json_object_get(answer, "reason"));
	json_int_t when_ms = json_integer_value(json_object_get(answer, "timestamp"));

	*out = (struct apns_refusal){ .outcome = APNS_FAILED };
	if (reason && is_word(reason))
		snprintf(out->reason, sizeof(out->reason), "%s", reason);
	if (status == 410) {
		out->outcome = APNS_GONE;
		out->when_ms = when_ms > 0 ? when_ms : 0;
	} else if (status == 400 && strcmp(out->reason, "BadDeviceToken") == 0) {
		out->outcome = APNS_BAD_TOKEN;
	}
	out->token_expired = status == 403 && strcmp(out->reason, "ExpiredProviderToken") == 0;
	json_decref(answer);
}
