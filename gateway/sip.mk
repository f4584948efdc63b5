# cig-sip, and what cig-server shares with it: their protocol, SDP, digest
BUILT_SOURCES += gateway/sip_agent.pb-c.h
CLEANFILES += gateway/sip_agent.pb-c.c gateway/sip_agent.pb-c.h
EXTRA_DIST += gateway/sip_agent.proto

# for both ends
noinst_LIBRARIES += gateway/libsip_agent.a
gateway_libsip_agent_a_CFLAGS = $(AM_CFLAGS) $(PROTOBUF_C_CFLAGS) -w
nodist_gateway_libsip_agent_a_SOURCES = gateway/sip_agent.pb-c.c gateway/sip_agent.pb-c.h

# pure modules: descriptions of sessions, answers to challenges
noinst_LIBRARIES += gateway/libsip_text.a
gateway_libsip_text_a_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS)
gateway_libsip_text_a_SOURCES = \
	gateway/digest.c gateway/digest.h \
	gateway/sdp.c gateway/sdp.h
