/* text.h - is this text at all, or a number?  And its lines. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/slice.h"

/* The octets of the UTF-8 character at the front of text (1 to 4), or 0 when text is
 * empty or does not begin with one (overlong forms, surrogates and values above
 * U+10FFFF are none: RFC 3629). */
size_t text_char(struct slice text);

/* Is text well-formed UTF-8, controls and NULs included? */
bool text_is_utf8(struct slice text);

/* Is text well-formed UTF-8 without control characters (C0, DEL, C1)? */
bool text_is_clean(struct slice text);

/* Takes the first line off *text and returns it without its CRLF or LF, which the last one may
 * lack.  Of an empty text it is an empty line. */
struct slice text_take_line(struct slice *text);

/* Reads a whole text of decimal digits, without sign and blanks, from min to max.  On
 * false *number_out is unchanged. */
bool text_number(struct slice text, unsigned long min, unsigned long max,
		 unsigned long *number_out);

#endif
