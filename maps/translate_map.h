/* translate_map.h - ordered rules that rewrite one address into another.
 *
 * A rule has a match and a translation; both may hold parameters in braces:
 * "tel:+8888;{ext}" -> "{ext}@pbx.com".  Source: CIG manual 2.9, "Messaging /
 * Configuration" (translate_map) and "Configuration" (parameterization).
 *
 * An address that is a sip or tel URI is normalised before matching (uri.h), as
 * the literals of a match that begins with "sip:" or "tel:" are; any other text
 * is compared octet by octet.
 *
 * Threads: build a map in one thread; afterwards any number may apply it.
 */
#ifndef MAPS_TRANSLATE_MAP_H
#define MAPS_TRANSLATE_MAP_H

#include "base/diag.h"
#include "base/slice.h"

struct buf;
struct explain;
struct translate_map;

enum { TRANSLATE_MAX_RESULT = 1024 }; /* a buffer of so many octets is always enough */

/* Creates an empty map.  name is copied; it appears in diagnostics only.
 * Returns NULL when memory is out.  The caller owns the map. */
struct translate_map *translate_map_new(const char *name);

/* Frees *mapp with all its rules and sets it to NULL.  *mapp may be NULL. */
void translate_map_free(struct translate_map **mapp);

/* Appends a rule; both strings are copied, the map is unchanged on failure.
 * place (may be NULL) is where the rule stands; its file must outlive the map.
 * Returns 0, or
 *   -EINVAL  a brace is unbalanced, or a name is empty or repeated in match
 *            (repeats: our decision, the manual has none)
 *   -E2BIG   more than 16 pieces (literals and parameters) or 512 octets in one string
 *   -ENOMEM
 * and then diag (if not NULL) says what and where, for the operator.  Warns of
 * blanks in a URI (dropped: the manual prints "tel:+8888; {series}") and of a
 * name that the match does not bind. */
int translate_map_add(struct translate_map *map, const char *match, const char *translation,
		      const struct diag_place *place, struct diag *diag);

/* Compiles the index and warns of rules that an earlier one hides.  To be called
 * once, after the last rule and before the first use.  Returns 0 or -ENOMEM. */
int translate_map_finish(struct translate_map *map, struct diag *diag);

/* Rewrites addr by the first rule that matches all of it (same manual, end of
 * "Example Configuration").  A parameter takes zero or more octets; the manual
 * does not say how many when several splits fit: we take the fewest.  A name
 * that match does not bind becomes empty text (its {discard} example).
 * out receives a NUL-terminated string and must not overlap addr.
 * Returns 1 on a match, 0 on none, -ENOBUFS when the result and its NUL need more
 * than outsz octets (outsz >= 1), -EILSEQ when it would hold CR, LF, NUL, another
 * control or no UTF-8; out is "" in all cases but the first. */
int translate_map_apply(const struct translate_map *map, struct slice addr, char *out, size_t outsz,
			struct explain *explain);

/* As long as the map. */
const char *translate_map_name(const struct translate_map *map);
/* How many rules it has. */
size_t translate_map_rules(const struct translate_map *map);

/* Octets that every result of rule i has at least: those that stand in its translation. */
size_t translate_map_least(const struct translate_map *map, size_t i);

/* Writes rule i as cig.conf has it, normalised: rule match "..." translation "..."; */
void translate_map_write_rule(const struct translate_map *map, size_t i, struct buf *to);

#endif
