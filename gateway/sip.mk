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
gateway_libsip_text_a_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS) $(PROTOBUF_C_CFLAGS)
gateway_libsip_text_a_SOURCES = \
	gateway/digest.c gateway/digest.h \
	gateway/digest_check.c gateway/digest_check.h \
	gateway/digest_parse.c \
	gateway/hep.c gateway/hep.h \
	gateway/multipart.c gateway/multipart.h \
	gateway/sdp.c gateway/sdp.h gateway/sdp_priv.h gateway/sdp_crypto.c \
	gateway/sip_wire.c gateway/sip_wire.h

# the program, beside cig-server
libexec_PROGRAMS += gateway/cig-sip
gateway_cig_sip_CFLAGS = $(AM_CFLAGS) $(PROTOBUF_C_CFLAGS) $(SOFIA_CFLAGS:-I%=-isystem%) \
	$(OPENSSL_CFLAGS)
gateway_cig_sip_LDADD = gateway/libsip_text.a gateway/libsip_agent.a base/libbase.a \
	$(SOFIA_LIBS) $(PROTOBUF_C_LIBS) $(OPENSSL_LIBS) -ldl
gateway_cig_sip_SOURCES = \
	gateway/sip/agent.c gateway/sip/agent.h \
	gateway/sip/body.c \
	gateway/sip/call.c \
	gateway/sip/call_request.c \
	gateway/sip/capture.c \
	gateway/sip/dialog.c \
	gateway/sip/digit.c \
	gateway/sip/door.c \
	gateway/sip/header.c \
	gateway/sip/hop.c \
	gateway/sip/incoming.c \
	gateway/sip/link.c gateway/sip/link.h \
	gateway/sip/main.c \
	gateway/sip/no_names.c \
	gateway/sip/outgoing.c \
	gateway/sip/receive.c \
	gateway/sip/register.c \
	gateway/sip/reliable.c \
	gateway/sip/reoffer.c \
	gateway/sip/session.c \
	gateway/sip/single.c \
	gateway/sip/sofia.h \
	gateway/sip/text.c \
	gateway/sip/tls.c \
	gateway/sip/trace.c
