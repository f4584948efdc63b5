/* g711.h - mu-law and A-law (ITU-T G.711) to and from 16-bit linear PCM, by table.
 *
 * The tables are made once at start from the recommendation's formulas; the
 * code words are the RTP ones (mu-law inverted, A-law with even bits inverted).
 */
#ifndef MEDIA_G711_H
#define MEDIA_G711_H

#include <stddef.h>
#include <stdint.h>

struct g711_law; /* one law's tables, constant and shared */

/* The tables of a law.  The first call of a process makes them (thread-safe). */
const struct g711_law *g711_mu_law(void);
/* The tables are the process's and stay. */
const struct g711_law *g711_a_law(void);

/* n samples become n octets. */
void g711_law_encode(const struct g711_law *law, const int16_t *pcm, size_t n, uint8_t *out);
/* n octets become n samples. */
void g711_law_decode(const struct g711_law *law, const uint8_t *in, size_t n, int16_t *pcm_out);

#endif
