/* call_media.c - offers and answers of calls, and the media that comes of them.
 * What an offer or answer says is checked here; the rest of the client may rely on
 * it. */
#include "umsg/call_media.h"

#include <errno.h>
#include <strings.h>

#include "base/text.h"
#include "keys/secret.h"
#include "umsg/text.h"
#include "base/pack.h"

enum {
	MEMORY_MAX = 65536, /* octets that a parsed offer may take */
	CODECS_MAX = 16,
	EVENTS_MAX = 8,
	PROFILES_MAX = 8,
	NAME_MAX_OCTETS = 32,
	PTIME_MAX = 200, /* milliseconds */
	PTIME_DEFAULT = 20,
	/* Dynamic payload types (RFC 3551 6); ours in offers, the offer's in answers. */
	PT_OPUS = 96,
	PT_EVENT_8000 = 101,
	PT_EVENT_48000 = 100,
};

/* How each codec stands in an offer: RFC 7587, RFC 3551. */
static const struct {
	const char *name;
	uint32_t clock, channels, payload_type;
	const char *fmtp;
} codecs[UMSG_AUDIO_CODECS] = {
	/* RFC 7587 7: always 48000 and 2, whatever is sent. */
	[UMSG_OPUS] = { "opus", 48000, 2, PT_OPUS, "maxplaybackrate=8000;useinbandfec=1" },
	[UMSG_PCMU] = { "PCMU", 8000, 1, 0, "" },
	[UMSG_PCMA] = { "PCMA", 8000, 1, 8, "" },
};

/* ---- making an offer ---- */

static void offer_event(struct call_offer *o, uint32_t clock, uint32_t payload_type)
{
	Umsg__TelephoneEvent *event = &o->event[o->stream.n_events];

	umsg__telephone_event__init(event);
	event->clock = clock;
	event->payload_type = payload_type;
	o->events[o->stream.n_events++] = event;
}

static void offer_codec(struct call_offer *o, enum umsg_audio_codec kind)
{
	Umsg__Codec *codec = &o->codec[o->stream.n_codecs];

	umsg__codec__init(codec);
	codec->name = frame_text(codecs[kind].name);
	codec->payload_type = codecs[kind].payload_type;
	codec->clock = codecs[kind].clock;
	codec->channels = codecs[kind].channels;
	codec->fmtp = frame_text(codecs[kind].fmtp);
	o->codecs[o->stream.n_codecs++] = codec;
}

static bool is_wish(const struct umsg_audio_wish *wish)
{
	if (wish->n_codecs == 0 || wish->n_codecs > UMSG_AUDIO_CODECS || wish->ptime_ms > PTIME_MAX)
		return false;
	for (size_t i = 0; i < wish->n_codecs; i++) {
		if ((unsigned)wish->codecs[i] >= UMSG_AUDIO_CODECS)
			return false;
		for (size_t k = 0; k < i; k++)
			if (wish->codecs[k] == wish->codecs[i])
				return false;
	}
	return true;
}

int call_offer_make(const struct umsg_audio_wish *wish, const char *called_extension,
		    const char *calling_extension, struct call_offer *o)
{
	bool opus = false;

	if (!is_wish(wish) || !text_extension_ok(called_extension) ||
	    !text_extension_ok(calling_extension))
		return -EINVAL;
	memset(o, 0, sizeof(*o));
	umsg__offer__init(&o->offer);
	umsg__stream__init(&o->stream);
	for (size_t i = 0; i < wish->n_codecs; i++) {
		offer_codec(o, wish->codecs[i]);
		opus |= wish->codecs[i] == UMSG_OPUS;
	}
	if (opus)
		offer_event(o, 48000, PT_EVENT_48000);
	offer_event(o, 8000, PT_EVENT_8000);
	o->stream.kind = frame_text("audio");
	o->stream.codecs = o->codecs;
	o->stream.events = o->events;
	o->stream.ptime = wish->ptime_ms;
	o->streams[0] = &o->stream;
	o->offer.version = 1;
	o->offer.called_extension = frame_text(called_extension);
	o->offer.calling_extension = frame_text(calling_extension);
	o->offer.n_streams = 1;
	o->offer.streams = o->streams;
	o->profiles[0] = UMSG__SRTP_PROFILE__AES_CM_128_HMAC_SHA1_80;
	o->profiles[1] = UMSG__SRTP_PROFILE__AEAD_AES_128_GCM;
	o->offer.n_profiles = CALL_PROFILES;
	o->offer.profiles = o->profiles;
	o->offer.dtmf_signals = 1;
	return 0;
}

/* ---- reading an offer ---- */

static bool codec_ok(const Umsg__Codec *codec)
{
	struct slice name = slice_str(codec->name), fmtp = slice_str(codec->fmtp);

	return name.n >= 1 && name.n <= NAME_MAX_OCTETS && text_is_clean(name) &&
	       codec->payload_type <= 127 && codec->clock >= 1 && codec->channels <= 8 &&
	       fmtp.n <= FRAME_TEXT_MAX && text_is_clean(fmtp);
}

static bool event_ok(const Umsg__TelephoneEvent *event)
{
	return event->payload_type <= 127 && event->clock >= 1;
}

/* Is every payload type there once? */
static bool types_differ(const Umsg__Stream *stream)
{
	bool seen[128] = { false };

	for (size_t i = 0; i < stream->n_codecs + stream->n_events; i++) {
		uint32_t type = i < stream->n_codecs
					? stream->codecs[i]->payload_type
					: stream->events[i - stream->n_codecs]->payload_type;
		if (seen[type])
			return false;
		seen[type] = true;
	}
	return true;
}

static bool stream_ok(const Umsg__Stream *stream)
{
	struct slice kind = slice_str(stream->kind);

	if (kind.n == 0 || kind.n > NAME_MAX_OCTETS || !text_is_clean(kind) ||
	    stream->n_codecs == 0 || stream->n_codecs > CODECS_MAX ||
	    stream->n_events > EVENTS_MAX || stream->ptime > PTIME_MAX ||
	    stream->maxptime > PTIME_MAX)
		return false;
	for (size_t i = 0; i < stream->n_codecs; i++)
		if (!codec_ok(stream->codecs[i]))
			return false;
	for (size_t i = 0; i < stream->n_events; i++)
		if (!event_ok(stream->events[i]))
			return false;
	return types_differ(stream);
}

static bool offer_ok(const Umsg__Offer *offer)
{
	if (offer->version == 0 || offer->n_streams == 0 || offer->n_streams > FRAME_STREAMS_MAX ||
	    offer->n_profiles == 0 || offer->n_profiles > PROFILES_MAX ||
	    !text_extension_ok(offer->called_extension) ||
	    !text_extension_ok(offer->calling_extension))
		return false;
	for (size_t i = 0; i < offer->n_streams; i++)
		if (!stream_ok(offer->streams[i]))
			return false;
	return true;
}

Umsg__Offer *call_offer_read(struct slice octets)
{
	int err;
	Umsg__Offer *offer = (Umsg__Offer *)(void *)pack_read(&umsg__offer__descriptor, octets,
							      MEMORY_MAX, &err);

	if (offer && !offer_ok(offer))
		PACK_FREE(&offer);
	return offer;
}

/* ---- answers ---- */

/* Which of our codecs is it?  UMSG_AUDIO_CODECS: none. */
static enum umsg_audio_codec codec_kind(const Umsg__Codec *codec)
{
	for (int i = 0; i < UMSG_AUDIO_CODECS; i++)
		if (strcasecmp(codec->name, codecs[i].name) == 0 && codec->clock == codecs[i].clock)
			return (enum umsg_audio_codec)i;
	return UMSG_AUDIO_CODECS;
}

size_t call_offer_codecs(const Umsg__Offer *offer,
			 enum umsg_audio_codec codecs_out[UMSG_AUDIO_CODECS])
{
	const Umsg__Stream *stream = offer->streams[0];
	bool known[UMSG_AUDIO_CODECS + 1] = { [UMSG_AUDIO_CODECS] = true };
	size_t n = 0;

	for (size_t i = 0; i < stream->n_codecs; i++) {
		enum umsg_audio_codec kind = codec_kind(stream->codecs[i]);

		if (!known[kind])
			codecs_out[n++] = kind;
		known[kind] = true;
	}
	return n;
}

/* The offer's order counts, as in SDP (RFC 3264 section 6.1); the wish only says what we have. */
static Umsg__Codec *choose_codec(const Umsg__Stream *stream, const struct umsg_audio_wish *wish)
{
	for (size_t i = 0; i < stream->n_codecs; i++)
		for (size_t k = 0; k < wish->n_codecs; k++)
			if (codec_kind(stream->codecs[i]) == wish->codecs[k])
				return stream->codecs[i];
	return NULL;
}

/* Events in the codec's clock if they are offered, else in another that we know: RFC 4733
 * section 2.1 wants one timestamp rate in a stream, but a digit is better than none. */
static Umsg__TelephoneEvent *choose_event(const Umsg__Stream *stream, uint32_t clock)
{
	Umsg__TelephoneEvent *other = NULL;

	for (size_t i = 0; i < stream->n_events; i++) {
		Umsg__TelephoneEvent *event = stream->events[i];

		if (event->payload_type == 0 || (event->clock != 8000 && event->clock != 48000))
			continue;
		if (event->clock == clock)
			return event;
		if (!other)
			other = event;
	}
	return other;
}

/* The offer's first that we know: enumerators of a later version are passed by. */
static bool choose_profile(const Umsg__Offer *offer, Umsg__SrtpProfile *profile_out)
{
	for (size_t i = 0; i < offer->n_profiles; i++)
		if (protobuf_c_enum_descriptor_get_value(&umsg__srtp_profile__descriptor,
							 (int)offer->profiles[i])) {
			*profile_out = offer->profiles[i];
			return true;
		}
	return false;
}

int call_answer_make(const Umsg__Offer *offer, const struct umsg_audio_wish *wish,
		     struct call_answer *a)
{
	const Umsg__Stream *audio = offer->streams[0];
	/* Borrowed from the offer: the answer lives no longer than it. */
	Umsg__Codec *codec = strcmp(audio->kind, "audio") == 0 ? choose_codec(audio, wish) : NULL;

	memset(a, 0, sizeof(*a));
	umsg__answer__init(&a->answer);
	if (!codec || !choose_profile(offer, &a->answer.profile))
		return -ENOTSUP;
	/* Other streams are answered, too, without a codec: refused. */
	for (size_t i = 0; i < offer->n_streams; i++) {
		umsg__stream_answer__init(&a->stream[i]);
		a->streams[i] = &a->stream[i];
	}
	a->stream[0].codec = codec;
	a->stream[0].event = choose_event(audio, codec->clock);
	a->stream[0].ptime = audio->ptime;
	a->answer.version = 1;
	a->answer.n_streams = offer->n_streams;
	a->answer.streams = a->streams;
	a->answer.dtmf_signals = 1;
	return 0;
}

static bool offers_codec(const Umsg__Stream *stream, const Umsg__Codec *codec)
{
	for (size_t i = 0; i < stream->n_codecs; i++) {
		const Umsg__Codec *mine = stream->codecs[i];

		if (mine->payload_type == codec->payload_type && mine->clock == codec->clock &&
		    strcasecmp(mine->name, codec->name) == 0)
			return true;
	}
	return false;
}

static bool offers_event(const Umsg__Stream *stream, const Umsg__TelephoneEvent *event)
{
	for (size_t i = 0; i < stream->n_events; i++)
		if (stream->events[i]->payload_type == event->payload_type &&
		    stream->events[i]->clock == event->clock)
			return true;
	return false;
}

static bool offers_profile(const Umsg__Offer *offer, Umsg__SrtpProfile profile)
{
	for (size_t i = 0; i < offer->n_profiles; i++)
		if (offer->profiles[i] == profile)
			return true;
	return false;
}

/* Nothing that was not offered: else an answer could choose a weaker profile, or a payload type
 * that means something else here. */
bool call_answer_ok(const Umsg__Answer *answer, const Umsg__Offer *offer)
{
	if (answer->version == 0 || answer->n_streams != offer->n_streams ||
	    !offers_profile(offer, answer->profile) || !answer->streams[0]->codec)
		return false;
	for (size_t i = 0; i < answer->n_streams; i++) {
		const Umsg__StreamAnswer *s = answer->streams[i];

		if (s->codec && !offers_codec(offer->streams[i], s->codec))
			return false;
		if (s->event && !offers_event(offer->streams[i], s->event))
			return false;
		if (s->ptime > PTIME_MAX)
			return false;
	}
	return true;
}

Umsg__Answer *call_answer_read(struct slice octets, const Umsg__Offer *offer)
{
	int err;
	Umsg__Answer *answer = (Umsg__Answer *)(void *)pack_read(&umsg__answer__descriptor, octets,
								 MEMORY_MAX, &err);

	if (answer && !call_answer_ok(answer, offer))
		PACK_FREE(&answer);
	return answer;
}

/* ---- media ---- */

static unsigned ptime_of(uint32_t ptime)
{
	/* The frames that Opus has (RFC 6716 section 2.1.4), up to the longest. */
	return ptime == 10 || ptime == 20 || ptime == 40 || ptime == 60 ? ptime : PTIME_DEFAULT;
}

static void fill_leg(const Umsg__Leg *leg, bool initiator, struct umsg_media *m)
{
	const Umsg__StreamIds *ids = leg->streams[0];

	strncpy(m->relay_host, leg->relay_host, sizeof(m->relay_host) - 1);
	m->relay_port = (uint16_t)leg->relay_port;
	m->leg_id_len = leg->leg_id.len;
	m->leg_key_len = leg->leg_key.len;
	memcpy(m->leg_id, leg->leg_id.data, m->leg_id_len);
	memcpy(m->leg_key, leg->leg_key.data, m->leg_key_len);
	m->own_ssrc = initiator ? ids->initiator_ssrc : ids->responder_ssrc;
	m->peer_ssrc = initiator ? ids->responder_ssrc : ids->initiator_ssrc;
}

static int fill_keys(const struct call_secret *secret, bool initiator,
		     const uint8_t answer_rand[FRAME_ID], struct umsg_media *m)
{
	struct call_srtp first, second;
	/* A key for each way, by who made the call: both ends know which is which. */
	const struct call_srtp *own = initiator ? &first : &second;
	const struct call_srtp *peer = initiator ? &second : &first;
	int err = call_srtp_initiator(secret, 1, m->profile, &first);

	if (!err)
		err = call_srtp_responder(secret, answer_rand, 1, m->profile, &second);
	if (!err) {
		memcpy(m->own_key, own->key, CALL_SRTP_KEY);
		memcpy(m->own_salt, own->salt, CALL_SRTP_SALT_MAX);
		memcpy(m->peer_key, peer->key, CALL_SRTP_KEY);
		memcpy(m->peer_salt, peer->salt, CALL_SRTP_SALT_MAX);
		m->salt_len = first.salt_n;
	}
	wipe(&first, sizeof(first));
	wipe(&second, sizeof(second));
	return err;
}

int call_media_fill(const struct call_secret *secret, bool initiator,
		    const uint8_t answer_rand[FRAME_ID], const Umsg__Leg *leg,
		    const Umsg__Answer *answer, struct umsg_media *media_out)
{
	const Umsg__StreamAnswer *chosen = answer->streams[0];

	memset(media_out, 0, sizeof(*media_out));
	media_out->codec = codec_kind(chosen->codec);
	if (media_out->codec == UMSG_AUDIO_CODECS)
		return -EINVAL;
	media_out->codec_pt = (uint8_t)chosen->codec->payload_type;
	if (chosen->event) {
		media_out->event_pt = (uint8_t)chosen->event->payload_type;
		media_out->event_clock = chosen->event->clock;
	}
	media_out->ptime_ms = ptime_of(chosen->ptime);
	media_out->profile = answer->profile;
	fill_leg(leg, initiator, media_out);
	return fill_keys(secret, initiator, answer_rand, media_out);
}
