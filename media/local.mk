# media/: RTP, SRTP, codecs, DTMF, the two sides of a call
noinst_LIBRARIES += %D%/libmedia.a
%C%_libmedia_a_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS) $(OPUS_CFLAGS) $(SPANDSP_CFLAGS)
%C%_libmedia_a_SOURCES = \
	%D%/bridge.c %D%/bridge.h \
	%D%/codec.c %D%/codec.h \
	%D%/conceal.c %D%/conceal.h \
	%D%/dtmf.c %D%/dtmf.h \
	%D%/g711.c %D%/g711.h \
	%D%/leg.h \
	%D%/leg_core.c %D%/leg_core.h \
	%D%/leg_rtcp.c %D%/leg_rtcp.h \
	%D%/noise.c %D%/noise.h \
	%D%/opus_codec.c %D%/opus_codec.h \
	%D%/plain_leg.c %D%/plain_leg.h \
	%D%/playout.c %D%/playout.h \
	%D%/reorder.c %D%/reorder.h \
	%D%/replay.h \
	%D%/rtp.c %D%/rtp.h \
	%D%/rtp_receiver.c %D%/rtp_receiver.h \
	%D%/rtp_sender.c %D%/rtp_sender.h \
	%D%/rtp_source.c %D%/rtp_source.h \
	%D%/secure_leg.c %D%/secure_leg.h \
	%D%/speech_match.c %D%/speech_match.h \
	%D%/srtp.c %D%/srtp.h \
	%D%/srtp_cipher.c %D%/srtp_priv.h \
	%D%/stun.c %D%/stun.h \
	%D%/stun_client.c %D%/stun_client.h \
	%D%/tones.c %D%/tones.h \
	%D%/udp_batch.c %D%/udp_batch.h \
	%D%/wav.c %D%/wav.h
# what linking libmedia.a takes
MEDIA_LIBS = $(OPENSSL_LIBS) $(OPUS_LIBS) $(SPANDSP_LIBS) -lm
