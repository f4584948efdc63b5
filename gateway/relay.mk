# cig-relay and the messages between it and cig-server
BUILT_SOURCES += gateway/relay_control.pb-c.h
CLEANFILES += gateway/relay_control.pb-c.c gateway/relay_control.pb-c.h
EXTRA_DIST += gateway/relay_control.proto

# for both ends
noinst_LIBRARIES += gateway/librelay_control.a
gateway_librelay_control_a_CFLAGS = $(AM_CFLAGS) $(PROTOBUF_C_CFLAGS) -w
nodist_gateway_librelay_control_a_SOURCES = \
	gateway/relay_control.pb-c.c gateway/relay_control.pb-c.h

# what the tests link, too
noinst_LIBRARIES += gateway/librelay.a
gateway_librelay_a_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS) $(OPENSSL_CFLAGS) $(PROTOBUF_C_CFLAGS)
gateway_librelay_a_SOURCES = \
	gateway/relay/call.c gateway/relay/call.h \
	gateway/relay/command.c gateway/relay/command.h \
	gateway/relay/events.c gateway/relay/events.h \
	gateway/relay/load.c gateway/relay/load.h \
	gateway/relay/order.h \
	gateway/relay/peer.c \
	gateway/relay/ports.c gateway/relay/ports.h \
	gateway/relay/queue.c gateway/relay/queue.h \
	gateway/relay/relay.c gateway/relay/relay.h gateway/relay/relay_priv.h \
	gateway/relay/sockets.c gateway/relay/sockets.h \
	gateway/relay/worker.c gateway/relay/worker.h
RELAY_LDADD = gateway/librelay.a gateway/librelay_control.a media/libmedia.a base/libbase.a \
	$(EVENT_LIBS) $(PROTOBUF_C_LIBS) $(MEDIA_LIBS)

bin_PROGRAMS += gateway/cig-relay
gateway_cig_relay_SOURCES = gateway/relay/main.c
gateway_cig_relay_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS)
gateway_cig_relay_LDADD = $(RELAY_LDADD)
