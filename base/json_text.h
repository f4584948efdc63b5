/* json_text.h - text from the network as a JSON string.
 *
 * JSON is UTF-8, and jansson refuses anything else: a SIP URI with an octet that is
 * none would take its whole row out of a list.
 */
#ifndef BASE_JSON_TEXT_H
#define BASE_JSON_TEXT_H

#include <jansson.h>

/* A string with text's characters; an octet that belongs to none is written as "\xNN".
 * NULL text is "".  Returns NULL when memory is out; the caller owns it. */
json_t *json_text(const char *text);

#endif
