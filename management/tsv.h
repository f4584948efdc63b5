/* tsv.h - user data as a spreadsheet gives it: a line per user, four columns with
 * tabs between them (CMS manual, "Import user data").
 *
 *	first name, last name (may be empty), number with "+", comment
 */
#ifndef MANAGEMENT_TSV_H
#define MANAGEMENT_TSV_H

#include <stdio.h>

#include "management/person.h"

/* Reads one line without its newline into uri, name ("First Last") and comment.
 * Returns 0, or -EINVAL with the reason in text_out, which holds TSV_REASON_SIZE. */
enum { TSV_REASON_SIZE = 160 };
/* person_out has nothing else set. */
int tsv_read(struct slice line, struct person *person_out, char reason_out[TSV_REASON_SIZE]);

/* Writes a line that tsv_read() takes: the last word of a name is the last name.
 * What may not stand in a column becomes a blank. */
void tsv_write(const struct person *person, FILE *to);

#endif
