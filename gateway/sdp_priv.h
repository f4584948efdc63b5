/* sdp_priv.h - what sdp.c and sdp_crypto.c share. */
#ifndef GATEWAY_SDP_PRIV_H
#define GATEWAY_SDP_PRIV_H

#include "gateway/sdp.h"

struct buf;

/* Takes the text up to the next blank; s keeps what is behind the blanks. */
struct slice sdp_take_token(struct slice *s);

/* 1 to 9 digits and nothing else, at most max. */
bool sdp_parse_uint(struct slice s, unsigned max, unsigned *out);

/* Reads what stands behind "a=crypto:"; a line that cannot be used leaves *out alone. */
void sdp_crypto_parse(struct slice value, struct sdp_crypto *out);

/* Writes the whole line. */
void sdp_crypto_write(const struct sdp_crypto *crypto, struct buf *b);

#endif
