# caller/: cca, the reference caller
bin_PROGRAMS += %D%/cca
%C%_cca_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(OPENSSL_CFLAGS) $(PROTOBUF_C_CFLAGS) $(JANSSON_CFLAGS)
%C%_cca_SOURCES = \
	%D%/call_media.c %D%/call_media.h \
	%D%/calls.c \
	%D%/cca.c %D%/cca.h \
	%D%/enrol.c \
	%D%/main.c \
	%D%/messages.c
%C%_cca_LDADD = umsg/libumsg.a umsg/libumsg_proto.a media/libmedia.a keys/libkeys.a \
	base/libbase.a $(EVENT_LIBS) $(OPENSSL_LIBS) $(PROTOBUF_C_LIBS) $(JANSSON_LIBS) $(MEDIA_LIBS) \
	$(WSLAY_LIBS)
