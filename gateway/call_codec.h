/* call_codec.h - which codec the secure side of a call is to speak.  Pure.
 *
 * The PBX's side speaks G.711 in one law.  A caller that speaks the same one is bridged: its
 * octets pass unchanged, which costs a tenth of transcoding Opus (docs/performance.md).
 */
#ifndef GATEWAY_CALL_CODEC_H
#define GATEWAY_CALL_CODEC_H

#include <stdbool.h>

#include "gateway/pbx_leg.h"
#include "umsg/client.h"

/* What to answer an offer of n codecs, in the caller's order: its first codec that we speak,
 * as the order is what it wishes; the PBX's own law before the other one, and before
 * everything while the gateway is loaded.  n_codecs is 0 where there is none in common. */
struct umsg_audio_wish call_codec_answer(const enum umsg_audio_codec *offered, size_t n,
					 enum pbx_codec law, bool loaded);

/* What to offer a callee, which takes the first that it speaks: Opus, then the PBX's law, and
 * the other way round while the gateway is loaded; the other law last. */
struct umsg_audio_wish call_codec_offer(enum pbx_codec law, bool loaded);

#endif
