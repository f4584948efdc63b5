/* map.h - entries that tie sip URIs to tel URIs, in both directions.
 *
 *     map maptel2sip { entry pbx tel "tel:+8888;{ext}" sip "sip:{ext}@pbx.com"; }
 *
 * The first entry that matches, in file order, wins (CIG manual 2.9, "Example
 * Configuration").  A finished map finds it by the entries' literal beginnings and
 * ends: a lookup among a million costs about what it costs among a hundred, and
 * at worst time linear in the entries that share both beginning and end.
 *
 * Threads: build and finish in one thread; afterwards any number may apply it.
 */
#ifndef MAPS_MAP_H
#define MAPS_MAP_H

#include "base/diag.h"
#include "maps/uri.h"

struct buf;
struct explain;
struct map;

struct map_entry; /* opaque; lives as long as its map */

/* name is copied; place (may be NULL) is where the map is declared, its file must
 * outlive the map.  Returns NULL when memory is out.  The caller owns the map. */
struct map *map_new(const char *name, const struct diag_place *place);
/* Frees *mapp with its entries and sets it to NULL; *mapp may be NULL. */
void map_free(struct map **mapp);

struct map_entry_spec {
	const char *name;
	const char *sip; /* patterns; swapped sides are told by their schemes */
	const char *tel;
	const char *auth;        /* account of the PBX, or NULL */
	struct diag_place place; /* its file must outlive the map */
};

/* Appends an entry; strings are copied, the map is unchanged on failure.
 * Returns 0, -EINVAL (a pattern at fault), -E2BIG (more than 16 pieces or 512
 * octets), -ENOMEM; diag says what.  Warns of swapped sides, blanks in a URI
 * (dropped), parameters bound on one side only, and adjacent parameters. */
int map_add(struct map *map, const struct map_entry_spec *spec, struct diag *diag);

/* Compiles the index.  Once, after the last entry and before the first use.
 * Warns of repeated names, and when more than 64 entries share both beginning and
 * end.  Returns 0 or -ENOMEM. */
int map_finish(struct map *map, struct diag *diag);

/* Warns of entries of a finished map that are of no use for URIs of a scheme: an
 * earlier entry matches all that they match, or what they yield can never be used. */
void map_check(const struct map *map, enum uri_scheme scheme, struct diag *diag);

/* What became of a URI. */
struct map_result {
	const struct map_entry *entry;
	enum uri_scheme scheme; /* of text */
	char text[URI_MAX + 1]; /* the new URI as the entry yields it, NUL-terminated */
	int fault;              /* 0, or why it must not be used: -ENODATA (nothing where a
				 * user or number must stand), -EILSEQ (characters that have no
				 * place there), -EINVAL (no host), -EMSGSIZE (too long) */
	const char *why;        /* the fault for people (constant text), or NULL */
};

/* Maps uri to the other scheme by the first entry whose side matches it.
 * Returns 1 with *result_out filled (look at fault before using text), 0 when
 * none matches.  explain may be NULL. */
int map_apply(const struct map *map, const struct uri *uri, struct map_result *result_out,
	      struct explain *explain);

/* As long as the map. */
const char *map_name(const struct map *map);
/* Where the map is declared. */
const struct diag_place *map_place(const struct map *map);
/* How many entries it has. */
size_t map_entries(const struct map *map);

/* Entry i in file order; NULL behind the last. */
const struct map_entry *map_entry_at(const struct map *map, size_t i);
/* Name and account are valid as long as the map. */
const char *map_entry_name(const struct map_entry *entry);
/* The account of cig.conf by which the PBX is to know the gateway. */
const char *map_entry_auth(const struct map_entry *entry); /* NULL: none */
/* The entry's line. */
struct diag_place map_entry_place(const struct map_entry *entry);

/* Where calls go by the entry: what its sip side says literally behind the "@".  Returns 0, or
 * -errno of an entry by which none goes (map_result's fault). */
int map_entry_target(const struct map_entry *entry, struct sip_target *target_out);

/* Writes the entry as cig.conf has it, normalised: entry NAME tel "..." sip "..."; */
void map_entry_write(const struct map_entry *entry, struct buf *to);

#endif
