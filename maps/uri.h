/* uri.h - sip and tel URIs, parsed strictly and normalised for matching.
 *
 * Normalised means: scheme and host in lower case; the user part of a sip URI
 * percent-decoded; the visual separators "-.()" of a tel number dropped; and, in
 * a tel URI only, a "w" directly after the number's digits written as ";" (CIG
 * manual 2.9, "Interconnect").  Extensions, users and parameters keep their case.
 * Source: RFC 3261 section 19.1, RFC 3966 section 3.
 */
#ifndef MAPS_URI_H
#define MAPS_URI_H

#include "base/slice.h"

enum { URI_MAX = 512 }; /* octets of a URI, without NUL; longer ones are refused (ours) */
enum { URI_TEL_MAX_DIGITS = 15, URI_TEL_MAX_EXTENSION = 64 }; /* E.164; ours */

enum uri_scheme { URI_SIP, URI_TEL };

/* A parsed URI.  The slices point into buf: pass it by pointer, never copy it. */
struct uri {
	enum uri_scheme scheme;
	bool has_user;       /* sip: an "@" is there; tel: always */
	struct slice text;   /* all of it, normalised */
	struct slice user;   /* sip: user part, decoded; tel: the number with its "+" */
	struct slice rest;   /* sip: host and all behind it; tel: ";" and all behind it, or empty */
	struct slice host;   /* sip: without port; an IPv6 address keeps its brackets */
	struct slice port;   /* sip: digits, empty when absent */
	struct slice params; /* behind the first ";" of rest (tel: the extension) */
	struct slice headers; /* sip: behind "?" */
	char buf[URI_MAX + 1];
};

/* Parses and normalises text.  Returns 0, or
 *   -EMSGSIZE         more than URI_MAX octets
 *   -EPROTONOSUPPORT  neither sip nor tel
 *   -EILSEQ           blanks, controls, '"', "<", ">", a bad escape or no UTF-8
 *   -EINVAL           another fault of form (a second "@", an empty host, a port
 *                     outside 1-65535, a tel number with other characters)
 * and then *why_out (may be NULL) is a constant text for people. */
int uri_parse(struct slice text, struct uri *uri_out, const char **why_out);

/* Is text a tel URI in canonical form: "tel:+", 1 to 15 digits, optionally ";"
 * and an extension of at most 64 of [0-9*#A-Za-z._-]?  Returns 0 or -EINVAL with
 * *why_out (may be NULL) set. */
int uri_check_tel(struct slice text, const char **why_out);

/* Do two canonical tel URIs have the same number, whatever their extensions?
 * ("tel:+8888" and "tel:+8888;1234": CIG manual, "Mailboxes".) */
bool uri_same_number(struct slice a, struct slice b);

/* A canonical tel URI without its extension: a part of text. */
struct slice uri_without_extension(struct slice text);

enum sip_transport { SIP_UDP, SIP_TCP, SIP_TLS };

/* Where a request to a sip URI goes. */
struct sip_target {
	char host[256]; /* name or address, IPv6 without brackets */
	uint16_t port;  /* as given, else 5060 (5061 for tls) */
	bool port_given;
	enum sip_transport transport; /* ";transport=", udp when absent */
};

/* Returns 0, -EINVAL when uri is no sip URI with a host, -EPROTONOSUPPORT for a
 * transport other than udp, tcp and tls.  Source: CIG manual, comments of the
 * elaborate example (default port 5060, default transport udp). */
int uri_sip_target(const struct uri *uri, struct sip_target *target_out);

#endif
