/* cig_config_priv.h - what the files of cig_config.h share. */
#ifndef GATEWAY_CIG_CONFIG_PRIV_H
#define GATEWAY_CIG_CONFIG_PRIV_H

#include "base/arena.h"
#include "base/config.h"
#include "gateway/cig_config.h"

/* A named thing of the file, to be found by its name and told when unused. */
struct cig_name {
	const char *name;
	struct diag_place place;
	bool used;
};

struct cig_names {
	struct cig_name *list;
	size_t n, room;
	const struct cig_names *kin; /* names of another kind that are taken for these, or NULL */
	const char *kin_what;
};

/* The object behind a struct cig_config, which comes first. */
struct cig_config_object {
	struct cig_config pub;
	unsigned holds;
	struct arena arena; /* of all texts and lists but the maps */
	struct router *router;
	struct translate_map **translate_maps;
	size_t translate_map_count;
	char digest[CIG_DIGEST_SIZE]; /* "" until somebody asks for it */
	uint8_t *text;                /* the file's octets, until somebody takes them */
	size_t text_size;
};

/* Building one: lists that grow, and what is only needed meanwhile. */
struct cig_build {
	struct cig_config_object *object;
	struct diag *diag;
	struct cig_names maps, translate_maps, accounts; /* declared; accounts in pub's order */
	struct cig_names pbxs;
	const char *file, *file_kept; /* the last name kept, and its copy */
	bool from_files;              /* not from memory: modes can be looked at */
	const char *open_file;        /* the last one whose passwords everyone can read */
	int err;                      /* -ENOMEM */
};

extern const struct config_keyword cig_grammar[];

/* Read the statements into b->object, in this order; faults go to b->diag, -ENOMEM to
 * b->err. */
void cig_build_accounts(struct cig_build *b, const struct config_statement *s);
/* map and translate_map blocks. */
void cig_build_maps(struct cig_build *b, const struct config_statement *s);
/* Directories, mail_group, control and metrics. */
void cig_build_settings(struct cig_build *b, const struct config_statement *s);
/* The interfaces block, which names maps. */
void cig_build_interfaces(struct cig_build *b, const struct config_statement *s);
/* What belongs to texts: mailboxes, centers, SIP messages. */
void cig_build_messages(struct cig_build *b, const struct config_statement *s);

/* Adds the message center of an smpp block. */
void cig_build_center(struct cig_build *b, const struct config_statement *smpp);

/* Reads map_from or map_to and notes it in *seen; false for another statement.  Then
 * cig_check_maps() tells which of the two is missing in block s. */
bool cig_build_map(struct cig_build *b, const struct config_statement *s,
		   struct cig_address_maps *maps, unsigned *seen);
/* One error for each that is missing. */
void cig_check_maps(struct cig_build *b, const struct config_statement *s, unsigned seen);
/* pbx blocks. */
void cig_build_pbxs(struct cig_build *b, const struct config_statement *s);

/* sip's tls block. */
void cig_build_tls(struct cig_build *b, const struct config_statement *s);

/* Tells what says transport tls where that block is missing: entries by which calls go out, and pbx
 * blocks.  After all else is built without faults. */
void cig_check_tls(const struct cig_build *b);

/* The block hep of the sip interface. */
void cig_build_hep(struct cig_build *b, const struct config_statement *s);

/* Is it the statement of this keyword? */
bool cig_is(const struct config_statement *s, const char *keyword);

/* Is nothing of that keyword in the block, and nothing that was left out for its form?  Then it
 * may be told as missing; otherwise a fault of it has been told already. */
bool cig_lacks(const struct config_statement *block, const char *keyword);

/* Looks a name up and marks it used; tells an unknown one with a near miss.  what is
 * "map", "translate_map" or "auth".  Returns its number or -1. */
int cig_names_use(struct cig_names *names, const char *what, const struct config_word *word,
		  struct diag *diag);

/* Adds a name (copied by the caller); tells a repeat.  Returns 0, -EEXIST, -ENOMEM. */
int cig_names_add(struct cig_names *names, const char *what, const char *name,
		  const struct diag_place *place, struct diag *diag);

/* A copy that lives as long as the object; NULL sets b->err. */
const char *cig_keep_text(struct cig_build *b, const char *text);

/* "pause", "retry", "fail". */
const char *cig_fate_name(enum smpp_fate fate);

/* The place with a file name that lives as long as the object. */
struct diag_place cig_keep_place(struct cig_build *b, const struct diag_place *place);

/* list with one more element of size octets at its end (zeroed), in the arena; NULL sets
 * b->err.  *n is raised. */
void *cig_grow(struct cig_build *b, const void *list, size_t *n, size_t size);

/* As cig_config_print(), but every entry however many, and passwords as they are: for
 * comparisons in memory, never for people. */
void cig_config_write(const struct cig_config *config, void (*line)(void *arg, const char *text),
		      void *arg);

/* The secret in a file of its own, which the word names ("password_file"), relative to the
 * file in which the word stands: its first line.  A file that others may read is a fault.
 * Returns NULL with the reason in b->diag or b->err. */
const char *cig_read_secret(struct cig_build *b, const struct config_word *word);

/* Takes the statement c, "password" or "password_file", of the block s; one is enough. */
void cig_build_password(struct cig_build *b, const struct config_statement *s,
			const struct config_statement *c, const char **password);

/* Runs the tests "expect ... => ...;" and tells those that fail as faults.  After all else
 * is built without faults. */
void cig_check_expectations(const struct cig_build *b, const struct config_statement *s);

/* Warnings about a configuration without faults. */
void cig_config_lint(const struct cig_build *b);

#endif
