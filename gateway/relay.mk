# cig-relay and the messages between it and cig-server
BUILT_SOURCES += gateway/relay_control.pb-c.h
CLEANFILES += gateway/relay_control.pb-c.c gateway/relay_control.pb-c.h
EXTRA_DIST += gateway/relay_control.proto

# for both ends
noinst_LIBRARIES += gateway/librelay_control.a
gateway_librelay_control_a_CFLAGS = $(AM_CFLAGS) $(PROTOBUF_C_CFLAGS) -w
nodist_gateway_librelay_control_a_SOURCES = \
	gateway/relay_control.pb-c.c gateway/relay_control.pb-c.h
