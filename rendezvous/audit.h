/* audit.h - who did what, in crs.log.
 *
 * A line of the module "audit" for each request that changes something or shows a secret:
 *     user=root action="blacklist add" on="tel:+46701234567@acme" result="ok"
 *     admin=olga peer=192.0.2.7:50412 action="apply" on="acme" result="ok"
 * Texts stand in quotes; a quote or backslash in them has a backslash before it, so that
 * nothing that was asked for can look like another value.
 */
#ifndef RENDEZVOUS_AUDIT_H
#define RENDEZVOUS_AUDIT_H

enum { AUDIT_TEXT_MAX = 512 }; /* octets of each text; what is longer is cut */

/* who is "user=NAME" or "admin=NAME peer=ADDRESS", of names that are checked already. */
void audit_write(const char *who, const char *what, const char *about, const char *result);

#endif
