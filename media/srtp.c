/* srtp.c - packet indexes, replay windows and where things stand in a protected
 * packet; the ciphers are in srtp_cipher.c. */
#include "media/srtp.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/crypto.h>

#include "media/replay.h"
#include "media/rtp.h"
#include "media/srtp_priv.h"

enum {
	RTCP_HEADER = 8,
	RTCP_INDEX = 4,
	RTCP_MAX_INDEX = 0x7fffffff, /* 31 bits, RFC 3711 3.4 */
	ROC_SIZE = 4,
	ENCRYPTED = 0x80, /* the E flag, in the index's first octet */
	GONE_SSRCS = 64,
};

/* One SSRC. */
struct stream {
	uint32_t ssrc;
	struct replay rtp, rtcp; /* the newest index holds the rollover counter */
	uint64_t used;           /* when it came last, in packets of the context */
};

struct srtp {
	enum srtp_profile profile;
	enum srtp_direction direction;
	size_t tag, rtcp_tag;
	struct srtp_cipher *rtp, *rtcp;
	struct stream streams[SRTP_MAX_STREAMS];
	size_t n_streams;
	uint64_t packets;          /* that were authentic */
	uint32_t gone[GONE_SSRCS]; /* the last SSRCs that gave way */
	size_t n_gone;             /* ever */
	uint32_t rtcp_index;       /* of a sender's next packet */
};

int srtp_new(enum srtp_profile profile, enum srtp_direction direction, const struct srtp_key *key,
	     uint32_t ssrc, struct srtp **srtp_out)
{
	struct srtp *s;
	int err;

	if (srtp_salt_size(profile) == 0)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->profile = profile;
	s->direction = direction;
	s->tag = srtp_tag_size(profile, SRTP_LABEL_RTP);
	s->rtcp_tag = srtp_tag_size(profile, SRTP_LABEL_RTCP);
	s->streams[0].ssrc = ssrc;
	s->n_streams = 1;
	err = srtp_cipher_new(profile, direction, key, SRTP_LABEL_RTP, &s->rtp);
	if (!err)
		err = srtp_cipher_new(profile, direction, key, SRTP_LABEL_RTCP, &s->rtcp);
	if (err) {
		srtp_free(&s);
		return err;
	}
	*srtp_out = s;
	return 0;
}

void srtp_free(struct srtp **srtpp)
{
	struct srtp *s = *srtpp;

	if (!s)
		return;
	*srtpp = NULL;
	srtp_cipher_free(&s->rtp);
	srtp_cipher_free(&s->rtcp);
	free(s);
}

/* One or two in practice: a PBX that changes its SSRC in a call. */
static struct stream *find_stream(struct srtp *s, uint32_t ssrc)
{
	for (size_t i = 0; i < s->n_streams; i++)
		if (s->streams[i].ssrc == ssrc)
			return &s->streams[i];
	return NULL;
}

/* Without its window a replay could not be told any more: an SSRC that gave way is out for good. */
static bool is_gone(const struct srtp *s, uint32_t ssrc)
{
	for (size_t i = 0; i < s->n_gone && i < GONE_SSRCS; i++)
		if (s->gone[i] == ssrc)
			return true;
	return false;
}

/* A packet of a new SSRC has authenticated, so it is the peer's own doing: a PBX may take another
 * one with each hold and each transfer of a long call.  The one that was silent longest gives
 * way. */
static struct stream *add_stream(struct srtp *s, uint32_t ssrc)
{
	struct stream *stream = &s->streams[0];

	if (s->n_streams < SRTP_MAX_STREAMS) {
		stream = &s->streams[s->n_streams++];
	} else {
		for (size_t i = 1; i < SRTP_MAX_STREAMS; i++)
			if (s->streams[i].used < stream->used)
				stream = &s->streams[i];
		s->gone[s->n_gone++ % GONE_SSRCS] = stream->ssrc;
	}
	*stream = (struct stream){ .ssrc = ssrc };
	return stream;
}

/* The index that is nearest to the newest one (RFC 3711 3.3.1, appendix A). */
static uint64_t guess_index(const struct replay *r, uint16_t seq)
{
	uint64_t roc = r->newest >> 16;
	uint16_t newest = (uint16_t)r->newest;

	/* The first packet is taken to have no roll-over yet (RFC 3711 3.3.1). */
	if (!r->any)
		return seq;
	/* Of the two turns that come into question the nearer one: a number far above a small
	 * newest is of the turn before, one far below a large newest is of the next. */
	if (newest < 0x8000 && seq > newest && seq - newest > 0x8000 && roc > 0)
		roc--;
	else if (newest >= 0x8000 && newest - 0x8000 > seq)
		roc++;
	return roc << 16 | seq;
}

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* AES-CM authenticates the rollover counter behind the packet; GCM has it in its nonce. */
static struct slice roc_trailer(const struct srtp *s, uint64_t index, uint8_t roc[ROC_SIZE])
{
	put32(roc, (uint32_t)(index >> 16));
	return slice_of(roc, s->profile == SRTP_AEAD_AES_128_GCM ? 0 : ROC_SIZE);
}

int srtp_seal(struct srtp *s, uint8_t *packet, size_t *np, size_t cap)
{
	size_t header = rtp_header_size(slice_of(packet, *np));
	struct stream *stream = &s->streams[0];
	uint8_t roc[ROC_SIZE];
	struct srtp_job job;
	uint64_t index;

	if (header == 0 || s->direction != SRTP_SEND || get32(packet + 8) != stream->ssrc)
		return -EINVAL;
	if (cap < *np || cap - *np < s->tag)
		return -ENOBUFS;
	index = guess_index(&stream->rtp, (uint16_t)(packet[2] << 8 | packet[3]));
	/* The end of the key's life: 2^48 packets (RFC 3711 9.2). */
	if (index >> 48)
		return -EOVERFLOW;
	/* The same index twice is the same key stream twice: both texts would be open. */
	if (stream->rtp.any && index <= stream->rtp.newest)
		return -EALREADY;
	job = (struct srtp_job){ .packet = packet,
				 .header = header,
				 .body = *np - header,
				 .ssrc = stream->ssrc,
				 .index = index,
				 .trailer = roc_trailer(s, index, roc) };
	if (srtp_cipher_seal(s->rtp, &job, packet + *np))
		return -EIO;
	replay_add(&stream->rtp, index);
	*np += s->tag;
	return 0;
}

int srtp_open(struct srtp *s, uint8_t *packet, size_t *np)
{
	/* A new SSRC has no history.  It is kept only when the packet authenticates, else
	 * anybody could fill the few places that there are. */
	static const struct replay nothing;
	size_t header = rtp_header_size(slice_of(packet, *np));
	struct stream *stream;
	struct srtp_job job;
	uint8_t roc[ROC_SIZE];
	uint64_t index;
	int err;

	/* Lengths are compared before anything is subtracted. */
	if (header == 0 || *np - header < s->tag || s->direction != SRTP_RECEIVE)
		return -EBADMSG;
	stream = find_stream(s, get32(packet + 8));
	if (!stream && is_gone(s, get32(packet + 8)))
		return -EALREADY;
	index = guess_index(stream ? &stream->rtp : &nothing,
			    (uint16_t)(packet[2] << 8 | packet[3]));
	if (stream && replay_seen(&stream->rtp, index))
		return -EALREADY;
	job = (struct srtp_job){ .packet = packet,
				 .header = header,
				 .body = *np - header - s->tag,
				 .ssrc = get32(packet + 8),
				 .index = index,
				 .trailer = roc_trailer(s, index, roc) };
	err = srtp_cipher_open(s->rtp, &job, packet + *np - s->tag);
	if (err)
		return err;
	if (!stream)
		stream = add_stream(s, job.ssrc);
	/* Last: a forged packet must not move the window (RFC 3711 3.3). */
	replay_add(&stream->rtp, index);
	stream->used = ++s->packets;
	*np -= s->tag;
	return 0;
}

/* RFC 3711 3.4: packet, E flag and index, tag.  RFC 7714 9.2: packet, tag, E flag
 * and index. */
static bool tag_is_last(const struct srtp *s)
{
	return s->profile != SRTP_AEAD_AES_128_GCM;
}

int srtcp_seal(struct srtp *s, uint8_t *packet, size_t *np, size_t cap)
{
	uint8_t *end = packet + *np, word[RTCP_INDEX];
	struct srtp_job job;

	if (*np < RTCP_HEADER || packet[0] >> 6 != 2 || s->direction != SRTP_SEND ||
	    get32(packet + 4) != s->streams[0].ssrc)
		return -EINVAL;
	if (cap < *np || cap - *np < s->rtcp_tag + RTCP_INDEX)
		return -ENOBUFS;
	/* 31 bits, sent in the packet, so there is nothing to be guessed (RFC 3711 3.4). */
	if (s->rtcp_index >= RTCP_MAX_INDEX)
		return -EOVERFLOW;
	/* The first index is 1; a receiver takes any that is new. */
	put32(word, ++s->rtcp_index);
	word[0] |= ENCRYPTED;
	job = (struct srtp_job){ .packet = packet,
				 .header = RTCP_HEADER,
				 .body = *np - RTCP_HEADER,
				 .ssrc = s->streams[0].ssrc,
				 .index = s->rtcp_index,
				 .trailer = slice_of(word, sizeof(word)) };
	if (srtp_cipher_seal(s->rtcp, &job, tag_is_last(s) ? end + RTCP_INDEX : end))
		return -EIO;
	memcpy(tag_is_last(s) ? end : end + s->rtcp_tag, word, sizeof(word));
	*np += s->rtcp_tag + RTCP_INDEX;
	return 0;
}

int srtcp_open(struct srtp *s, uint8_t *packet, size_t *np)
{
	const uint8_t *word, *tag;
	struct stream *stream;
	struct srtp_job job;
	size_t body;
	int err;

	if (*np < RTCP_HEADER + RTCP_INDEX + s->rtcp_tag || packet[0] >> 6 != 2 ||
	    s->direction != SRTP_RECEIVE)
		return -EBADMSG;
	body = *np - RTCP_HEADER - RTCP_INDEX - s->rtcp_tag;
	word = packet + RTCP_HEADER + body + (tag_is_last(s) ? 0 : s->rtcp_tag);
	tag = packet + RTCP_HEADER + body + (tag_is_last(s) ? RTCP_INDEX : 0);
	stream = find_stream(s, get32(packet + 4));
	if (!stream && is_gone(s, get32(packet + 4)))
		return -EALREADY;
	job = (struct srtp_job){ .packet = packet,
				 .header = RTCP_HEADER,
				 .body = body,
				 .ssrc = get32(packet + 4),
				 .index = get32(word) & RTCP_MAX_INDEX,
				 .trailer = slice_of(word, RTCP_INDEX),
				 /* A peer may leave RTCP in clear; authenticated it is in any
				  * case. */
				 .clear = !(word[0] & ENCRYPTED) };
	if (stream && replay_seen(&stream->rtcp, job.index))
		return -EALREADY;
	err = srtp_cipher_open(s->rtcp, &job, tag);
	if (err)
		return err;
	if (!stream)
		stream = add_stream(s, job.ssrc);
	replay_add(&stream->rtcp, job.index);
	stream->used = ++s->packets;
	*np = RTCP_HEADER + body;
	return 0;
}
