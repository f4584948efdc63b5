#include "media/codec.h"

#include <errno.h>
#include <stdlib.h>

#include <spandsp.h>

#include "media/g711.h"
#include "media/opus_codec.h"

struct codec {
	enum media_codec kind;
	const struct g711_law *law; /* G.711 */
	plc_state_t *plc;           /* G.711 */
	struct opus_codec *opus;    /* Opus */
};

struct codec *codec_new(enum media_codec kind)
{
	struct codec *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->kind = kind;
	if (kind == MEDIA_OPUS) {
		c->opus = opus_codec_new();
	} else {
		c->law = kind == MEDIA_PCMA ? g711_a_law() : g711_mu_law();
		c->plc = plc_init(NULL);
	}
	if (!c->opus && !c->plc)
		codec_free(&c);
	return c;
}

void codec_free(struct codec **codecp)
{
	struct codec *c = *codecp;

	if (!c)
		return;
	*codecp = NULL;
	opus_codec_free(&c->opus);
	if (c->plc)
		plc_free(c->plc);
	free(c);
}

const char *codec_name(enum media_codec kind)
{
	return kind == MEDIA_OPUS ? "opus" : kind == MEDIA_PCMA ? "PCMA" : "PCMU";
}

uint32_t codec_clock(enum media_codec kind)
{
	return kind == MEDIA_OPUS ? 48000 : MEDIA_RATE;
}

bool codec_takes_frame(enum media_codec kind, size_t n)
{
	if (kind == MEDIA_OPUS)
		return n == 80 || n == 160 || n == 320 || n == 480;
	return n >= 1 && n <= MEDIA_MAX_FRAME;
}

int codec_encode(struct codec *c, const int16_t *pcm, size_t n, uint8_t *out, size_t cap)
{
	if (!codec_takes_frame(c->kind, n))
		return -EINVAL;
	if (c->kind == MEDIA_OPUS)
		return opus_codec_encode(c->opus, pcm, n, out, cap);
	if (n > cap)
		return -ENOBUFS;
	g711_law_encode(c->law, pcm, n, out);
	return (int)n;
}

int codec_payload_samples(const struct codec *c, struct slice payload)
{
	if (c->kind == MEDIA_OPUS)
		return opus_codec_samples(payload);
	return payload.n >= 1 && payload.n <= MEDIA_MAX_FRAME ? (int)payload.n : -EBADMSG;
}

int codec_decode(struct codec *c, struct slice payload, int16_t pcm_out[MEDIA_MAX_FRAME])
{
	int n = codec_payload_samples(c, payload);

	if (n < 0)
		return n;
	if (c->kind == MEDIA_OPUS)
		return opus_codec_decode(c->opus, payload, pcm_out, MEDIA_MAX_FRAME);
	g711_law_decode(c->law, payload.p, payload.n, pcm_out);
	plc_rx(c->plc, pcm_out, n); /* remembers the pitch; blends after a loss */
	return n;
}

void codec_conceal(struct codec *c, struct slice next, size_t n, int16_t *pcm_out)
{
	if (c->kind != MEDIA_OPUS)
		plc_fillin(c->plc, pcm_out, (int)n);
	else if (opus_codec_conceal(c->opus, next, n, pcm_out))
		memset(pcm_out, 0, n * sizeof(*pcm_out));
}
