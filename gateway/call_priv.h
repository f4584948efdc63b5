/* call_priv.h - what the files of a call share: call.c (its life), call_route.c (where it goes),
 * call_dial.c (the outgoing leg), call_events.c (what the sides tell), call_sound.c (its media).
 */
#ifndef GATEWAY_CALL_PRIV_H
#define GATEWAY_CALL_PRIV_H

#include "gateway/call.h"

/* Moves the call along call_phase.h; an event that has no place in the phase crossed
 * another one and is ignored.  What is posted by the way into a phase comes after it,
 * so that steps never nest. */
void call_post(struct call *call, enum phase_event event);

/* Dials when ports and address are both there. */
void call_check_opened(struct call *call);

/* Lets a closing call go when nothing is awaited from either side any more. */
void call_check_cleared(struct call *call);

/* Digits by INFO that came while cig-relay did not know the secure leg yet. */
void call_send_early_digits(struct call *call);

/* ---- call_sound.c ---- */

/* Tells cig-relay of the PBX's side as it is now. */
void call_set_plain(struct call *call);
/* Both legs have accepted: media flows as soon as cig-relay knows both. */
void call_join_media(struct call *call);
/* The PBX rings with SDP: the caller hears it at once where a codec is in common. */
void call_early_media(struct call *call, const SipAgent__Audio *audio);
/* The secure side holds or resumes: so does the PBX's side. */
void call_secure_hold(struct call *call);
/* The PBX's answer to an offer of ours within the call; a refused one leaves all as it was. */
void call_sip_changed(struct call *call, const SipAgent__Changed *changed);
/* How the PBX takes digits. */
enum cig_dtmf call_dtmf(const struct call *call);
/* A digit that came as a signal, or is to go by INFO. */
void call_digit_to_pbx(struct call *call, char digit, unsigned duration_ms);

/* What the secure side is to be offered or answered (call_codec.h).  There is a secure leg
 * where that is the caller. */
struct umsg_audio_wish call_audio_wish(const struct call *call);

/* Limits the phase; 0: no limit. */
void call_arm(struct call *call, uint32_t ms);

/* Why the PBX's SDP cannot be used. */
const char *call_no_audio(const struct call *call);
/* Sets what SRTP there may be with that PBX (NULL: one without a block) by that transport.
 * False: there must be some, and its keys would go in clear. */
bool call_choose_srtp(struct call *call, const struct cig_pbx *pbx, enum sip_transport transport);

/* Ends a call that was not begun, with the SIP code for the PBX and one line in the log. */
void call_refuse(struct call *call, unsigned code, Umsg__EndReason reason, const char *why);

/* A 3xx names contact: goes on there where the PBX's block and the maps say so.  Returns
 * whether it does. */
bool call_redirect(struct call *call, const char *contact);

/* Looks for the PBX's addresses; the call goes on when they and the ports are there. */
void call_find_pbx(struct call *call);

/* The same towards the secure side, where the callee's domain may have to be looked up. */
void call_find_callee(struct call *call);

/* Invite the outgoing leg. */
void call_dial_secure(struct call *call);
/* By the present way (call->ways); the next one is taken when it fails. */
void call_dial_pbx(struct call *call);

/* The PBX's address that was being tried has ended the call: tries the next one where that
 * may help.  Returns whether it does. */
bool call_dial_next(struct call *call, const SipAgent__Ended *ended);

#endif
