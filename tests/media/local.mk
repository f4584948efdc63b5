# tests of media/
if HAVE_CMOCKA
check_PROGRAMS += \
	%D%/test_bridge \
	%D%/test_conceal \
	%D%/test_dtmf \
	%D%/test_g711 \
	%D%/test_plain_leg \
	%D%/test_plain_srtp \
	%D%/test_reorder \
	%D%/test_rtp \
	%D%/test_secure_leg \
	%D%/test_speech_match \
	%D%/test_srtp \
	%D%/test_stun \
	%D%/test_stun_client \
	%D%/test_udp_batch \
	%D%/test_wav
if HAVE_SRTP
check_PROGRAMS += %D%/test_srtp_oracle
endif
endif
MEDIA_TEST_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(OPENSSL_CFLAGS) $(SPANDSP_CFLAGS)
MEDIA_TEST_LDADD = media/libmedia.a base/libbase.a $(CMOCKA_LIBS) $(MEDIA_LIBS)
%C%_test_bridge_SOURCES = %D%/test_bridge.c %D%/link.c %D%/link.h %D%/speech.c %D%/speech.h
%C%_test_bridge_CFLAGS = $(MEDIA_TEST_CFLAGS)
%C%_test_bridge_LDADD = $(MEDIA_TEST_LDADD)
%C%_test_conceal_CFLAGS = $(MEDIA_TEST_CFLAGS)
%C%_test_conceal_LDADD = $(MEDIA_TEST_LDADD)
%C%_test_dtmf_CFLAGS = $(MEDIA_TEST_CFLAGS)
%C%_test_dtmf_LDADD = $(MEDIA_TEST_LDADD)
%C%_test_g711_CFLAGS = $(MEDIA_TEST_CFLAGS)
%C%_test_g711_LDADD = $(MEDIA_TEST_LDADD)
%C%_test_plain_leg_CFLAGS = $(MEDIA_TEST_CFLAGS)
%C%_test_plain_leg_LDADD = $(MEDIA_TEST_LDADD)
%C%_test_plain_srtp_CFLAGS = $(MEDIA_TEST_CFLAGS)
%C%_test_plain_srtp_LDADD = $(MEDIA_TEST_LDADD)
%C%_test_reorder_CFLAGS = $(MEDIA_TEST_CFLAGS)
%C%_test_reorder_LDADD = $(MEDIA_TEST_LDADD)
%C%_test_rtp_CFLAGS = $(MEDIA_TEST_CFLAGS)
%C%_test_rtp_LDADD = $(MEDIA_TEST_LDADD)
%C%_test_secure_leg_SOURCES = %D%/test_secure_leg.c %D%/link.c %D%/link.h %D%/speech.c %D%/speech.h
%C%_test_secure_leg_CFLAGS = $(MEDIA_TEST_CFLAGS)
%C%_test_secure_leg_LDADD = $(MEDIA_TEST_LDADD)
%C%_test_speech_match_SOURCES = %D%/test_speech_match.c %D%/speech.c %D%/speech.h
%C%_test_speech_match_CFLAGS = $(MEDIA_TEST_CFLAGS)
%C%_test_speech_match_LDADD = $(MEDIA_TEST_LDADD)
%C%_test_srtp_CFLAGS = $(MEDIA_TEST_CFLAGS)
%C%_test_srtp_LDADD = $(MEDIA_TEST_LDADD)
%C%_test_srtp_oracle_CFLAGS = $(MEDIA_TEST_CFLAGS) $(SRTP_CFLAGS)
%C%_test_srtp_oracle_LDADD = $(MEDIA_TEST_LDADD) $(SRTP_LIBS)
%C%_test_stun_CFLAGS = $(MEDIA_TEST_CFLAGS)
%C%_test_stun_LDADD = $(MEDIA_TEST_LDADD)
%C%_test_stun_client_CFLAGS = $(MEDIA_TEST_CFLAGS)
%C%_test_stun_client_LDADD = $(MEDIA_TEST_LDADD)
%C%_test_udp_batch_CFLAGS = $(MEDIA_TEST_CFLAGS)
%C%_test_udp_batch_LDADD = $(MEDIA_TEST_LDADD)
%C%_test_wav_CFLAGS = $(MEDIA_TEST_CFLAGS)
%C%_test_wav_LDADD = $(MEDIA_TEST_LDADD)

# the measure of the scenarios and the quickstart
noinst_PROGRAMS += tests/tools/speech-match
tests_tools_speech_match_SOURCES = tests/tools/speech_match.c
tests_tools_speech_match_LDADD = media/libmedia.a base/libbase.a -lm
