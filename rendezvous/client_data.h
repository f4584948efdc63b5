/* client_data.h - what the rendezvous keeps for a client: a value of at most 4,096 octets
 * under each of a few names, in redis_low (docs/umsg.md "Registration").
 *
 * The rendezvous looks into two of them, for operators and for push: client-info and
 * push-token are JSON objects.  All others are the client's own affair.
 */
#ifndef RENDEZVOUS_CLIENT_DATA_H
#define RENDEZVOUS_CLIENT_DATA_H

#include <jansson.h>

#include "base/slice.h"

/* Name i, which is also the store's name of the hash by URI; NULL behind the last. */
const char *client_data_name(size_t i);
/* Is it one of those names? */
bool client_data_is_name(const char *name);

/* The text that is stored: saved when, of which type, the value; malloc'd.  NULL: no
 * memory, or type is no UTF-8. */
char *client_data_text(int64_t now_s, const char *type, struct slice value);

/* What a stored text says, for listings: { time (text), age (seconds), type, bytes, value }, value
 * being the parsed JSON object, or null where it is none; the caller owns it.  NULL: not
 * such a text. */
json_t *client_data_parse(const char *text, int64_t now_s);

/* The octets of a stored text as text, for operators: as they are where they are printable, else
 * in base64; "" where it is no such text.  The caller owns it. */
json_t *client_data_value(const char *text);

#endif
