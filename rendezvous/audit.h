/* audit.h - who did what, in crs.log.
 *
 * A line of the module "audit" for each request that changes something or shows a secret:
 *     user=root pid=4711 action="blacklist add" on="tel:+46701234567@acme" result="ok" says="tty
 *         pts/3, ssh 192.0.2.9, sudo olga"
 *     admin=olga peer=192.0.2.7:50412 action="apply" on="acme" result="ok"
 * Texts stand in quotes; a quote or backslash in them has a backslash before it, so that
 * nothing that was asked for can look like another value.
 *
 * user and pid are the kernel's, of whoever opened the control socket; what stands behind says is
 * crs-cli's own word (cli_origin()): true of an honest crs-cli, and proof of nothing.
 */
#ifndef RENDEZVOUS_AUDIT_H
#define RENDEZVOUS_AUDIT_H

enum { AUDIT_TEXT_MAX = 512, AUDIT_SAYS_MAX = 160 }; /* octets; what is longer is cut */

/* who is "user=NAME pid=N" or "admin=NAME peer=ADDRESS", of names that are checked already; says
 * may be NULL or "": then nothing is said. */
void audit_write(const char *who, const char *what, const char *about, const char *result,
		 const char *says);

#endif
