/* client_rules.h - ordered rules about clients, by network or by credentials.
 *
 *     keep-alive 10.0.0.0/8 ws 60000        who: "10.0.0.0/8"
 *     detach-cleanup tel:+4670@acct 5000    who: "tel:+4670@acct"
 *
 * The first rule that matches, in file order, is the one that applies (CRS manual 4.10,
 * 4.12).  What a rule says is the caller's: rules are told by their number, from 0 in
 * the order in which they were added.
 *
 * Threads: build in one thread; afterwards any number may look up.
 */
#ifndef MAPS_CLIENT_RULES_H
#define MAPS_CLIENT_RULES_H

#include "base/config_value.h"
#include "base/slice.h"

struct client_rules;
struct explain;

/* what is the directive ("keep-alive"), for explanations; copied.  Returns NULL when
 * memory is out. */
struct client_rules *client_rules_new(const char *what);
/* Frees *rulesp and sets it to NULL; *rulesp may be NULL. */
void client_rules_free(struct client_rules **rulesp);

/* Appends a rule for who: "IP/MASK" or "URI@ACCOUNT"; the word's text is copied, its file
 * name must outlive the rules.  Returns the rule's number, -EINVAL (diag says what was
 * expected) or -ENOMEM.  Warns of a rule that an earlier one hides. */
int client_rules_add(struct client_rules *rules, const struct config_word *who, struct diag *diag);

struct client_subject {
	const struct sockaddr *address; /* NULL: not known */
	struct slice uri;               /* empty: not known */
	struct slice account;
};

/* The number of the first rule for this client, or -1.  explain (may be NULL) is told
 * which it is, by file and line, or that none applies. */
int client_rules_find(const struct client_rules *rules, const struct client_subject *client,
		      struct explain *explain);

#endif
