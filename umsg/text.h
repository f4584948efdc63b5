/* text.h - checks of text that frames and sealed parts hold, beyond base/text.h. */
#ifndef UMSG_TEXT_H
#define UMSG_TEXT_H

#include "base/slice.h"

/* Is s clean text (base/text.h), where line feeds, carriage returns and tabs pass? */
bool text_lines_ok(struct slice s);

/* The characters of a called or calling extension: at most 64 of 0-9 A-Z a-z * # . _
 * and -; empty passes. */
bool text_extension_ok(const char *s);

#endif
