# media/: RTP, SRTP, codecs, DTMF, the two sides of a call
noinst_LIBRARIES += %D%/libmedia.a
%C%_libmedia_a_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS) $(OPUS_CFLAGS) $(SPANDSP_CFLAGS)
%C%_libmedia_a_SOURCES = \
	%D%/stun.c %D%/stun.h \
	%D%/stun_client.c %D%/stun_client.h \
	%D%/wav.c %D%/wav.h
# what linking libmedia.a takes
MEDIA_LIBS = $(OPENSSL_LIBS) $(OPUS_LIBS) $(SPANDSP_LIBS) -lm
