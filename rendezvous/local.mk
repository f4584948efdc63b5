# rendezvous/
noinst_LIBRARIES += %D%/librelay.a
%C%_librelay_a_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS) $(OPENSSL_CFLAGS) $(PROTOBUF_C_CFLAGS)
%C%_librelay_a_SOURCES = \
	%D%/relay/control.c %D%/relay/control.h \
	%D%/relay/requests.c %D%/relay/requests.h \
	%D%/relay/table.c %D%/relay/table.h \
	%D%/relay/thread.c %D%/relay/thread.h
nodist_%C%_librelay_a_SOURCES = %D%/relay_control.pb-c.c %D%/relay_control.pb-c.h
BUILT_SOURCES += %D%/relay_control.pb-c.h
CLEANFILES += %D%/relay_control.pb-c.c %D%/relay_control.pb-c.h
EXTRA_DIST += %D%/relay_control.proto


bin_PROGRAMS += %D%/crs-relay
%C%_crs_relay_SOURCES = %D%/crs_relay.c
%C%_crs_relay_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(PROTOBUF_C_CFLAGS)
%C%_crs_relay_LDADD = %D%/librelay.a media/libmedia.a base/libbase.a $(EVENT_LIBS) \
	$(OPENSSL_LIBS) $(PROTOBUF_C_LIBS) $(CONFUSE_LIBS) -lpthread
