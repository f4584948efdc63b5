/* cra_print.h - what cra shows of a rendezvous's answers.
 *
 * The rendezvous is a remote one and may answer anything: what is missing is shown as nothing, and
 * no control character of its texts reaches the terminal (base/visible.h).
 */
#ifndef RENDEZVOUS_CRA_PRINT_H
#define RENDEZVOUS_CRA_PRINT_H

#include <stdio.h>

#include <jansson.h>

/* A table of accounts: { "account", "authorizations": [...], "current", "next" } each. */
void cra_print_accounts(const json_t *accounts, FILE *to);

/* A line about an update that was applied: { "account", "month", "revision", "users" }. */
void cra_print_applied(const json_t *applied, FILE *to);

/* Why it was not done; the words may be the rendezvous's. */
void cra_print_error(const char *why, FILE *to);

#endif
