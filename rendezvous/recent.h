/* recent.h - what was done for whom a moment ago, so that it is not done again.
 *
 * A table of fixed size; where two share a place the later one has it, and then something is
 * done once more than needed.  Pure; time is an argument.
 */
#ifndef RENDEZVOUS_RECENT_H
#define RENDEZVOUS_RECENT_H

#include <stdbool.h>
#include <stdint.h>

struct recent;

/* Remembers for ms.  Returns NULL when memory or randomness is out. */
struct recent *recent_new(int64_t ms);
/* Frees *recentp and sets it to NULL; *recentp may be NULL. */
void recent_free(struct recent **recentp);

void recent_note(struct recent *recent, const char *who, int64_t now_ms);
bool recent_has(const struct recent *recent, const char *who, int64_t now_ms);

#endif
