/* fill.h - the other side of an entry with the captured values put in; of use to maps/
 * only.  Every result is checked: no input chooses the host.
 */
#ifndef MAPS_FILL_H
#define MAPS_FILL_H

#include "maps/pattern.h"

struct buf;

/* A match: the values of in's parameters. */
struct values {
	const struct pattern *in;
	const struct captures *captures;
};

/* Writes a sip URI: the user part with values, percent-encoded; host and all behind it
 * from literals only.  Returns 0, or with *why_out set
 *   -ENODATA  the user part is empty or missing
 *   -EILSEQ   a value holds "@", "<", ">", a quote, a blank, a control or no UTF-8
 *   -EINVAL   the host is empty or no host
 *   -EMSGSIZE more than URI_MAX octets; to holds the text in all cases but this */
int fill_sip(const struct pattern *out, const struct values *values, struct buf *to,
	     const char **why_out);

/* Writes a tel URI in canonical form.  Returns as fill_sip() does; -ENODATA: no digits. */
int fill_tel(const struct pattern *out, const struct values *values, struct buf *to,
	     const char **why_out);

/* Writes any text.  Returns 0, -ENOBUFS, or -EILSEQ for controls or no UTF-8. */
int fill_text(const struct pattern *out, const struct values *values, struct buf *to);

#endif
