/* calls.c - call and answer: voice calls of the reference caller.
 *
 *     call:    attached --> invite --> [early] --> talk --> ended: exit
 *     answer:  attached --> incoming --> ring --> talk --> ended --> the next one, or exit
 *
 * One struct for both: what differs is who begins, and what follows the end.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <event2/event.h>

#include "base/diag.h"
#include "base/encode.h"
#include "base/text.h"
#include "base/timer.h"
#include "caller/call_media.h"
#include "caller/cca.h"
#include "media/wav.h"
#include "umsg/end_reason.h"

enum {
	MAX_PLAY_SAMPLES = 8000 * 3600, /* an hour */
	AFTER_PLAY_MS = 1000,           /* what was said last is still on its way */
	COMMA_MS = 1000,
	BETWEEN_DIGITS_MS = 250,
};

/* One call at a time, made or taken. */
struct calling {
	struct cca *cca;
	char to[UMSG_URI_SIZE], extension[UMSG_EXTENSION_SIZE]; /* of a call made */
	int16_t *play;
	size_t play_n;
	bool in_group;
	uint8_t group_id[UMSG_ID_SIZE];
	struct umsg_audio_wish wish;
	const char *record, *digits;
	const char *unsent; /* of digits, in this call */
	unsigned long hangup_after_s, ring_s, left;
	bool counted;             /* calls to answer: left */
	Umsg__EndReason refuse;   /* how to refuse incoming calls; END_UNSPECIFIED: take them */
	struct umsg_call *call;   /* NULL: none */
	struct call_media *media; /* while the call is up */
	struct event *hangup, *next_digit, *rung; /* rung: long enough to answer */
	uint32_t early_ssrc;                      /* of the device that media began with */
	bool early;                               /* take early media */
	bool was_up, stopping, holds;
};

/* ---- while a call is up ---- */

static void tell_media(const struct calling *calling)
{
	struct leg_stats stats;

	call_media_stats(calling->media, &stats);
	cca_tell(calling->cca, "media",
		 json_pack("{s:I, s:I, s:I, s:I, s:I, s:f}", "sent", (json_int_t)stats.packets_sent,
			   "received", (json_int_t)stats.packets_received, "lost",
			   (json_int_t)stats.lost, "concealed_ms", (json_int_t)stats.concealed_ms,
			   "auth_failures", (json_int_t)stats.auth_failures, "jitter_ms",
			   (double)stats.jitter_us / 1000.0));
}

static void on_hangup(evutil_socket_t fd, short what, void *arg)
{
	struct calling *calling = arg;

	(void)fd;
	(void)what;
	if (calling->call)
		umsg_call_hangup(calling->call, UMSG__END_REASON__END_HANGUP);
}

static void on_next_digit(evutil_socket_t fd, short what, void *arg)
{
	struct calling *calling = arg;
	char digit = *calling->unsent;
	int err = 0;

	(void)fd;
	(void)what;
	if (!digit || !calling->media)
		return;
	calling->unsent++;
	if (digit == '!') {
		calling->holds = !calling->holds;
		err = umsg_call_hold(calling->call, calling->holds);
	} else if (digit != ',') {
		err = call_media_send_digit(calling->media, digit);
		/* The peer takes no telephone events: the digit goes by signalling instead. */
		if (err == -ENOTSUP)
			err = umsg_call_send_digit(calling->call, digit, 100);
	}
	if (err)
		fprintf(stderr, "cca: digit %c is not sent: %s\n", digit, strerror(-err));
	timer_arm(calling->next_digit, digit == ',' ? COMMA_MS : BETWEEN_DIGITS_MS);
}

static void on_played(void *arg)
{
	struct calling *calling = arg;

	/* --hangup says when, however long what is played is. */
	if (!calling->hangup_after_s)
		timer_arm(calling->hangup, AFTER_PLAY_MS);
}

static void tell_digit(const struct calling *calling, char digit, unsigned duration_ms)
{
	const char text[2] = { digit, '\0' };

	cca_tell(calling->cca, "digit",
		 json_pack("{s:s, s:i}", "digit", text, "ms", (int)duration_ms));
}

static void on_digit(void *arg, char digit, unsigned duration_ms)
{
	tell_digit(arg, digit, duration_ms);
}

/* Nobody else would end it: what was to be played never is, and the peer may have no relay either.
 */
static void on_lost(void *arg)
{
	struct calling *calling = arg;

	fputs("cca: the media relay does not answer\n", stderr);
	umsg_call_hangup(calling->call, UMSG__END_REASON__END_MEDIA_LOST);
}

static const char *const codec_names[] = {
	[UMSG_OPUS] = "opus", [UMSG_PCMU] = "PCMU", [UMSG_PCMA] = "PCMA"
};

static int start_media(struct calling *calling)
{
	const struct umsg_media *media = umsg_call_media(calling->call);
	struct call_media_options options = {
		.base = calling->cca->base,
		.media = media,
		.play = calling->play,
		.play_n = calling->play_n,
		.record = calling->record,
		.played = on_played,
		.digit = on_digit,
		.lost = on_lost,
		.arg = calling,
	};
	struct diag *diag = diag_new();
	int err = call_media_start(&options, &calling->media, diag);

	if (err)
		fprintf(stderr, "cca: no media: %s\n",
			diag_errors(diag) ? diag_first_error(diag) : strerror(-err));
	diag_free(&diag);
	return err;
}

static void tell_media_begins(struct calling *calling, const char *what)
{
	cca_tell(calling->cca, what,
		 json_pack("{s:s, s:s, s:s, s:s}", "from", umsg_call_from(calling->call), "to",
			   umsg_call_to(calling->call), "codec",
			   codec_names[umsg_call_media(calling->call)->codec], "domain",
			   umsg_call_peer_domain(calling->call)));
}

/* Only where it was asked for: what is played would be lost on somebody who has not answered. */
static void early(struct calling *calling)
{
	if (!calling->early)
		return;
	tell_media_begins(calling, "early");
	calling->early_ssrc = umsg_call_media(calling->call)->peer_ssrc;
	start_media(calling);
}

static void talk(struct calling *calling)
{
	calling->was_up = true;
	tell_media_begins(calling, "talk");
	if (calling->media && calling->early_ssrc != umsg_call_media(calling->call)->peer_ssrc)
		call_media_stop(&calling->media); /* another device has answered */
	if (!calling->media && start_media(calling)) {
		umsg_call_hangup(calling->call, UMSG__END_REASON__END_MEDIA_LOST);
		return;
	}
	if (calling->hangup_after_s)
		timer_arm(calling->hangup, (int64_t)calling->hangup_after_s * 1000);
	calling->unsent = calling->digits;
	calling->holds = false;
	/* Not at once: a device that has just answered may not listen yet. */
	if (calling->digits)
		timer_arm(calling->next_digit, COMMA_MS);
}

/* ---- the call's course ---- */

static void ended(struct calling *calling)
{
	static const char *const who[] = { "initiator", "responder", "rendezvous" };
	struct umsg_call_end end = umsg_call_end(calling->call);

	/* Timers of a call that is over must not reach the next one. */
	event_del(calling->hangup);
	event_del(calling->next_digit);
	event_del(calling->rung);
	if (calling->media)
		tell_media(calling);
	if (call_media_stop(&calling->media))
		fprintf(stderr, "cca: the recording could not be written\n");
	cca_tell(calling->cca, "ended",
		 json_pack("{s:s, s:s}", "reason", umsg_end_reason_text(end.reason), "by",
			   (size_t)end.by < 3 ? who[end.by] : "?"));
	calling->call = NULL;
	if (calling->stopping)
		cca_end(calling->cca, CCA_OK);
}

/* Incoming and outgoing calls differ only in what follows the end. */
static void call_event(struct calling *calling, enum umsg_call_event event)
{
	switch (event) {
	case UMSG_CALL_RINGING:
		cca_tell(calling->cca, "ringing", NULL);
		break;
	case UMSG_CALL_EARLY:
		early(calling);
		break;
	case UMSG_CALL_ANSWERED:
		talk(calling);
		break;
	case UMSG_CALL_DIGIT:
		tell_digit(calling, umsg_call_digit(calling->call), 0);
		break;
	case UMSG_CALL_ENDED:
		ended(calling);
		break;
	default:
		break;
	}
}

static void stop(struct cca *cca, void *arg)
{
	struct calling *calling = arg;

	calling->stopping = true;
	if (calling->call)
		umsg_call_hangup(calling->call, UMSG__END_REASON__END_HANGUP);
	else
		cca_end(cca, CCA_OK);
}

static void accept_call(struct calling *calling)
{
	int err = umsg_call_answer(calling->call, &calling->wish);

	if (!err) {
		talk(calling);
		return;
	}
	fprintf(stderr, "cca: cannot answer: %s\n", strerror(-err));
	/* Unless it has ended within the answer. */
	if (calling->call)
		umsg_call_hangup(calling->call, UMSG__END_REASON__END_FAILED);
}

static void on_rung(evutil_socket_t fd, short what, void *arg)
{
	struct calling *calling = arg;

	(void)fd;
	(void)what;
	if (calling->call)
		accept_call(calling);
}

static const struct umsg_audio_wish usual_wish = {
	.codecs = { UMSG_OPUS, UMSG_PCMU, UMSG_PCMA },
	.n_codecs = 3,
};

static int begin(struct cca *cca, void *arg)
{
	struct calling *calling = arg;

	calling->cca = cca;
	calling->hangup = evtimer_new(cca->base, on_hangup, calling);
	calling->next_digit = evtimer_new(cca->base, on_next_digit, calling);
	calling->rung = evtimer_new(cca->base, on_rung, calling);
	return calling->hangup && calling->next_digit && calling->rung ? 0 : -ENOMEM;
}

static void finish(struct cca *cca, void *arg)
{
	struct calling *calling = arg;

	(void)cca;
	call_media_stop(&calling->media);
	event_free(calling->hangup);
	event_free(calling->next_digit);
	event_free(calling->rung);
}

/* ---- call ---- */

static const char *call_peer(void *arg)
{
	const struct calling *calling = arg;

	return calling->to;
}

static void call_attached(struct cca *cca, void *arg)
{
	struct calling *calling = arg;
	int err;

	if (calling->call || calling->was_up)
		return; /* attached anew while the call goes on */
	/* Before the invitation that is to carry it. */
	umsg_client_set_group(cca->client, calling->in_group ? calling->group_id : NULL);
	err = umsg_call_invite(cca->client, calling->to, calling->extension, "", &calling->wish,
			       calling, &calling->call);
	if (!err) {
		cca_tell(cca, "calling",
			 json_pack("{s:s, s:s}", "to", calling->to, "extension",
				   calling->extension));
		return;
	}
	fprintf(stderr, "cca: cannot call: %s\n", strerror(-err));
	cca_end(cca, CCA_FAILED);
}

static void made_call_event(struct cca *cca, void *arg, struct umsg_call *call,
			    enum umsg_call_event event)
{
	struct calling *calling = arg;

	if (call != calling->call)
		return;
	call_event(calling, event);
	if (event == UMSG_CALL_ENDED)
		cca_end(cca, calling->was_up ? CCA_OK : CCA_FAILED);
}

static const struct cca_job call_job = { .begin = begin,
					 .finish = finish,
					 .attached = call_attached,
					 .peer = call_peer,
					 .call = made_call_event,
					 .stop = stop };

/* ---- answer ---- */

static void answer_incoming(struct cca *cca, void *arg, struct umsg_call *call)
{
	struct calling *calling = arg;

	cca_tell(cca, "incoming",
		 json_pack("{s:s, s:s, s:s}", "from", umsg_call_from(call), "extension",
			   umsg_call_calling_extension(call), "domain",
			   umsg_call_peer_domain(call)));
	if (calling->call) {
		umsg_call_hangup(call, UMSG__END_REASON__END_BUSY);
		return;
	}
	/* Ours from here, also to be refused: its end comes as an event like any other. */
	calling->call = call;
	umsg_call_set_arg(call, calling);
	if (calling->refuse) {
		umsg_call_hangup(call, calling->refuse);
		return;
	}
	umsg_call_ring(call);
	if (calling->ring_s)
		timer_arm(calling->rung, (int64_t)calling->ring_s * 1000);
	else
		accept_call(calling);
}

static void taken_call_event(struct cca *cca, void *arg, struct umsg_call *call,
			     enum umsg_call_event event)
{
	struct calling *calling = arg;

	if (call != calling->call)
		return;
	call_event(calling, event);
	/* Refused ones count, too. */
	if (event == UMSG_CALL_ENDED && calling->counted && --calling->left == 0)
		cca_end(cca, CCA_OK);
}

static const struct cca_job answer_job = { .tells_client_info = true,
					   .begin = begin,
					   .finish = finish,
					   .incoming = answer_incoming,
					   .call = taken_call_event,
					   .stop = stop };

/* ---- options ---- */

enum {
	OPT_PLAY = 256,
	OPT_RECORD,
	OPT_DTMF,
	OPT_HANGUP,
	OPT_COUNT,
	OPT_REJECT,
	OPT_EARLY,
	OPT_GROUP,
	OPT_CODEC,
	OPT_RING,
};

static const struct option call_options[] = {
	{ "play", required_argument, NULL, OPT_PLAY },
	{ "record", required_argument, NULL, OPT_RECORD },
	{ "dtmf", required_argument, NULL, OPT_DTMF },
	{ "hangup", required_argument, NULL, OPT_HANGUP },
	{ "count", required_argument, NULL, OPT_COUNT },
	{ "reject", required_argument, NULL, OPT_REJECT },
	{ "early", no_argument, NULL, OPT_EARLY },
	{ "group", required_argument, NULL, OPT_GROUP },
	{ "codec", required_argument, NULL, OPT_CODEC },
	{ "ring", required_argument, NULL, OPT_RING },
	{ NULL, 0, NULL, 0 },
};

static int take_reject(struct calling *calling, const char *word, struct diag *diag)
{
	if (strcmp(word, "busy") == 0)
		calling->refuse = UMSG__END_REASON__END_BUSY;
	else if (strcmp(word, "declined") == 0)
		calling->refuse = UMSG__END_REASON__END_DECLINED;
	else
		diag_error(diag, NULL, "--reject %s: expected busy or declined", word);
	return diag_errors(diag) ? -EINVAL : 0;
}

static int take_number(const char *option, const char *value, unsigned long *number_out,
		       struct diag *diag)
{
	if (text_number(slice_str(value), 1, CCA_NUMBER_MAX, number_out))
		return 0;
	diag_error(diag, NULL, "%s %s: expected a number from 1", option, value);
	return -EINVAL;
}

/* Once or more, the best one first. */
static int take_codec(struct calling *calling, const char *word, struct diag *diag)
{
	struct umsg_audio_wish *wish = &calling->wish;

	for (int i = 0; i < UMSG_AUDIO_CODECS; i++) {
		if (strcasecmp(word, codec_names[i]) != 0)
			continue;
		for (size_t k = 0; k < wish->n_codecs; k++)
			if ((int)wish->codecs[k] == i)
				return 0; /* said twice */
		wish->codecs[wish->n_codecs++] = (enum umsg_audio_codec)i;
		return 0;
	}
	diag_error(diag, NULL, "--codec %s: expected opus, PCMU or PCMA", word);
	return -EINVAL;
}

/* 32 hexadecimal digits, the same for all who are invited. */
static int take_group(struct calling *calling, const char *text, struct diag *diag)
{
	size_t n = 0;

	calling->in_group = hex_decode(slice_str(text), calling->group_id,
				       sizeof(calling->group_id), &n) == 0 &&
			    n == sizeof(calling->group_id);
	if (calling->in_group)
		return 0;
	diag_error(diag, NULL, "--group %s: expected %d hexadecimal digits", text,
		   2 * UMSG_ID_SIZE);
	return -EINVAL;
}

static int take_option(struct calling *calling, int option, const char *value, struct diag *diag)
{
	switch (option) {
	case OPT_PLAY:
		return wav_read(value, MAX_PLAY_SAMPLES, &calling->play, &calling->play_n, diag);
	case OPT_RECORD:
		calling->record = value;
		return 0;
	case OPT_DTMF:
		calling->digits = value;
		if (strspn(value, "0123456789*#ABCD,!") == strlen(value))
			return 0;
		diag_error(diag, NULL, "--dtmf %s: expected 0-9 * # A-D \",\" and \"!\"", value);
		return -EINVAL;
	case OPT_HANGUP:
		return take_number("--hangup", value, &calling->hangup_after_s, diag);
	case OPT_RING:
		return take_number("--ring", value, &calling->ring_s, diag);
	case OPT_COUNT:
		calling->counted = true;
		return take_number("--count", value, &calling->left, diag);
	case OPT_GROUP:
		return take_group(calling, value, diag);
	case OPT_EARLY:
		calling->early = true;
		return 0;
	case OPT_CODEC:
		return take_codec(calling, value, diag);
	case OPT_REJECT:
		return take_reject(calling, value, diag);
	default:
		diag_error(diag, NULL, "run \"cca --help\"");
		return -EINVAL;
	}
}

static int run(const struct cca_options *options, int argc, char **argv, bool makes_call)
{
	struct calling calling = { .refuse = UMSG__END_REASON__END_UNSPECIFIED };
	struct diag *diag = diag_new();
	int option, err = 0, status = CCA_USAGE;

	while (!err && (option = getopt_long(argc, argv, "", call_options, NULL)) != -1)
		err = take_option(&calling, option, optarg, diag);
	if (!calling.wish.n_codecs)
		calling.wish = usual_wish;
	if (!err && argc - optind != (makes_call ? 1 : 0)) {
		diag_error(diag, NULL, "usage: cca %s [OPTIONS]%s", argv[0],
			   makes_call ? " NUMBER[;EXT]" : "");
		err = -EINVAL;
	}
	if (!err && makes_call)
		err = cca_parse_number(argv[optind], calling.to, calling.extension, diag);
	if (err)
		fprintf(stderr, "cca: %s\n", diag_first_error(diag));
	else
		status = cca_run(options, makes_call ? &call_job : &answer_job, &calling);
	free(calling.play);
	diag_free(&diag);
	return status;
}

int cca_call(const struct cca_options *options, int argc, char **argv)
{
	return run(options, argc, argv, true);
}

int cca_answer(const struct cca_options *options, int argc, char **argv)
{
	return run(options, argc, argv, false);
}
