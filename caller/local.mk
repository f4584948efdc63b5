# caller/: cca, the reference caller
bin_PROGRAMS += %D%/cca
%C%_cca_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(OPENSSL_CFLAGS) $(PROTOBUF_C_CFLAGS) $(JANSSON_CFLAGS)
%C%_cca_SOURCES = \
	%D%/attachments.c %D%/attachments.h \
	%D%/call_media.c %D%/call_media.h \
	%D%/calls.c \
	%D%/cca.c %D%/cca.h \
	%D%/enrol.c \
	%D%/keep.c \
	%D%/main.c \
	%D%/messages.c
%C%_cca_LDADD = umsg/libumsg.a umsg/libumsg_proto.a media/libmedia.a keys/libkeys.a \
	base/libbase.a $(EVENT_LIBS) $(OPENSSL_LIBS) $(PROTOBUF_C_LIBS) $(JANSSON_LIBS) $(MEDIA_LIBS) \
	$(WSLAY_LIBS)
# the same with wrong SRTP keys, for the scenarios
noinst_PROGRAMS += tests/tools/cca-wrong-key
tests_tools_cca_wrong_key_CFLAGS = $(%C%_cca_CFLAGS)
tests_tools_cca_wrong_key_SOURCES = tests/tools/wrong_key.c
tests_tools_cca_wrong_key_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=umsg_call_media
tests_tools_cca_wrong_key_LDADD = $(%C%_cca_OBJECTS) $(%C%_cca_LDADD)
