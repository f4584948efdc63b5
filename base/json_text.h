/* json_text.h - text from the network as a JSON string.
 *
 * JSON is UTF-8, and jansson refuses anything else: a SIP URI with an octet that is
 * none would take its whole row out of a list.
 */
#ifndef BASE_JSON_TEXT_H
#define BASE_JSON_TEXT_H

#include <jansson.h>
#include <stdio.h>

struct buf;

enum { JSON_ESCAPED_MAX = 6 }; /* octets that one of a text becomes, at most */

/* A string with text's characters; an octet that belongs to none is written as "\xNN".
 * NULL text is "".  Returns NULL when memory is out; the caller owns it. */
json_t *json_text(const char *text);

/* Writes a value to a stream, as jansson's flags have it, and a newline behind it.  JSON lets DEL
 * and the controls of C1 stand in a string as they are (RFC 8259 7), and a terminal obeys them:
 * here they are escaped, too, and the text is still JSON.  Returns 0, or -ENOMEM with nothing
 * written. */
int json_show(const json_t *value, size_t flags, FILE *to);

/* Members of an object, written as text: for lines that are written often.  The buffer ends with
 * the object's "{" or another member.  Names are ours and are written as they are. */
void json_put_name(struct buf *b, const char *name);
/* Text as json_text() makes it. */
void json_put_text(struct buf *b, const char *name, const char *text);
/* A whole number. */
void json_put_number(struct buf *b, const char *name, int64_t number);
/* number / 1000 with its three decimals; number >= 0. */
void json_put_thousandths(struct buf *b, const char *name, int64_t number);
/* null */
void json_put_null(struct buf *b, const char *name);

#endif
