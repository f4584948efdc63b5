/* note.h - how far a text has come at a center, as one line that its owner keeps.
 *
 *     udh8 gsm 4660 3 46701234567 1A,1B,~
 *
 * How it was cut, in which alphabet, under which reference, in how many parts, to whom, and
 * the center's id of each part; "~" for one that is not taken yet.  With it a text goes on
 * after a restart where it was, and its receipts are known.
 */
#ifndef SMPP_NOTE_H
#define SMPP_NOTE_H

#include "smpp/segment.h"

enum { SMPP_NOTE_SIZE = 20000 };

struct smpp_note {
	enum smpp_long_form form;
	enum smpp_alphabet alphabet;
	uint16_t reference;
	size_t parts; /* 1 to SMPP_MAX_SEGMENTS */
	char dest[SMPP_ADDRESS_SIZE];
	struct {
		bool taken;
		char id[SMPP_ID_SIZE];
	} part[SMPP_MAX_SEGMENTS];
};

/* Returns 0, or -ENOBUFS. */
int smpp_note_write(const struct smpp_note *note, char *out, size_t outsz);

/* Returns 0, or -EINVAL: text is no such line. */
int smpp_note_read(const char *text, struct smpp_note *note_out);

#endif
