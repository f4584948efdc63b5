/* complaints.h - the log tells a fault once a cause and client, not a thousand times.
 *
 * Who did what is remembered for COMPLAINT_AGAIN_MS; then a line says how often it happened
 * meanwhile.  The table has a fixed size, so strangers with many addresses cost no memory;
 * they share COMPLAINTS_PER_SECOND lines.  Pure; time is an argument.
 */
#ifndef RENDEZVOUS_COMPLAINTS_H
#define RENDEZVOUS_COMPLAINTS_H

#include <stdbool.h>
#include <stdint.h>

struct complaints;

enum {
	COMPLAINT_AGAIN_MS = 600 * 1000,
	COMPLAINTS_MAX = 4096, /* remembered; the longest quiet one of a row is forgotten */
	COMPLAINTS_WAYS = 8,
	COMPLAINTS_PER_SECOND = 20, /* lines, of all of them */
};

/* Returns NULL when memory or randomness is out. */
struct complaints *complaints_new(void);
/* Frees *complaintsp and sets it to NULL; *complaintsp may be NULL. */
void complaints_free(struct complaints **complaintsp);

/* May a line be written that who (a URI or an address) did this?  *suppressed_out is how often it
 * happened since the last such line. */
bool complaints_pass(struct complaints *complaints, const char *cause, const char *who,
		     int64_t now_ms, unsigned *suppressed_out);

#endif
