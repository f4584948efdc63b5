/* text.h - checks of text that came from elsewhere. */
#ifndef UMSG_TEXT_H
#define UMSG_TEXT_H

#include "base/slice.h"

/* Is s UTF-8 in its shortest forms, without surrogates (RFC 3629), without NUL and
 * other controls (line feed, carriage return and tab pass where lines is set)? */
bool text_ok(struct slice s, bool lines);

/* The characters of a called or calling extension: at most 64 of 0-9 A-Z a-z * # . _
 * and - (design of tel results); empty passes. */
bool text_extension_ok(const char *s);

#endif
