/* codec.c - one interface to Opus and both laws of G.711; the kind is looked at here
 * and nowhere else. */
#include "media/codec.h"

#include <errno.h>
#include <stdlib.h>

#include "media/conceal.h"
#include "media/g711.h"
#include "media/opus_codec.h"

struct codec {
	enum media_codec kind;
	const struct g711_law *law; /* G.711 */
	struct conceal conceal;     /* G.711 */
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
		conceal_init(&c->conceal);
	}
	if (!c->opus && !c->law)
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

/* Opus knows frames of 10, 20, 40 and 60 ms besides shorter ones (RFC 6716 2.1.4); a sample of
 * G.711 is an octet, so any number will do. */
bool codec_takes_frame(enum media_codec kind, size_t n)
{
	if (kind == MEDIA_OPUS)
		return n == 80 || n == 160 || n == 320 || n == 480;
	return n >= 1 && n <= MEDIA_MAX_FRAME;
}

void codec_tune(struct codec *c, int complexity, int loss_percent)
{
	if (c->kind == MEDIA_OPUS)
		opus_codec_tune(c->opus, complexity, loss_percent);
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
	conceal_good(&c->conceal, pcm_out, (size_t)n);
	return n;
}

void codec_conceal(struct codec *c, struct slice next, size_t n, int16_t *pcm_out)
{
	if (c->kind != MEDIA_OPUS)
		conceal_fill(&c->conceal, pcm_out, n);
	/* A length that Opus does not conceal: silence rather than old samples. */
	else if (opus_codec_conceal(c->opus, next, n, pcm_out))
		memset(pcm_out, 0, n * sizeof(*pcm_out));
}
