/* visible.h - texts of others on a terminal: nothing in them moves the cursor, changes a
 * title, or looks like a line of ours.
 *
 * Control characters (C0, DEL, C1) and octets that are no UTF-8 are shown as \xNN each.
 */
#ifndef BASE_VISIBLE_H
#define BASE_VISIBLE_H

#include <stdio.h>

#include "base/slice.h"

/* A copy to show, the caller's; NULL: memory is out. */
char *visible_copy(const char *text);

/* Writes text to a stream.  The control characters in kept go out as they are: "\n" where a
 * text has lines. */
void visible_print(FILE *to, struct slice text, const char *kept);

#endif
