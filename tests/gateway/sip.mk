# tests of cig-sip and of what it shares with cig-server
if HAVE_CMOCKA
check_PROGRAMS += tests/gateway/test_sdp tests/gateway/test_digest tests/gateway/test_multipart \
	tests/gateway/test_hep
endif
tests_gateway_test_sdp_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_gateway_test_sdp_LDADD = gateway/libsip_text.a base/libbase.a $(OPENSSL_LIBS) $(CMOCKA_LIBS)
tests_gateway_test_hep_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_gateway_test_hep_LDADD = gateway/libsip_text.a base/libbase.a $(CMOCKA_LIBS)
tests_gateway_test_multipart_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_gateway_test_multipart_LDADD = gateway/libsip_text.a base/libbase.a $(CMOCKA_LIBS)
tests_gateway_test_digest_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_gateway_test_digest_LDADD = \
	gateway/libsip_text.a base/libbase.a $(OPENSSL_LIBS) $(CMOCKA_LIBS)

# whole programs: a real cig-sip against a scripted peer
if HAVE_CMOCKA
check_PROGRAMS += \
	tests/gateway/test_sip_incoming \
	tests/gateway/test_sip_outgoing \
	tests/gateway/test_sip_malformed \
	tests/gateway/test_sip_peers \
	tests/gateway/test_sip_text \
	tests/gateway/test_sip_register \
	tests/gateway/test_sip_tls \
	tests/gateway/test_sip_session \
	tests/gateway/test_sip_trace \
	tests/gateway/test_sip_reliable \
	tests/gateway/test_sip_traps \
	tests/gateway/test_sip_identity
endif
if HAVE_CMOCKA
check_LIBRARIES += tests/gateway/libsip_driver.a
endif
tests_gateway_libsip_driver_a_SOURCES = \
	tests/gateway/sip_driver.c tests/gateway/sip_driver.h \
	tests/gateway/sip_peer.c tests/gateway/sip_peer.h \
	tests/gateway/sip_programs.c tests/gateway/sip_programs.h \
	tests/gateway/sip_fixture.h tests/gateway/sip_scene.h \
	tests/gateway/tls_kit.c tests/gateway/tls_kit.h
tests_gateway_libsip_driver_a_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
SIP_DRIVER_LIBS = tests/gateway/libsip_driver.a gateway/libsip_text.a gateway/libsip_agent.a base/libbase.a \
	$(PROTOBUF_C_LIBS) $(OPENSSL_LIBS) $(CMOCKA_LIBS)
tests_gateway_test_sip_incoming_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
tests_gateway_test_sip_incoming_LDADD = $(SIP_DRIVER_LIBS)
EXTRA_tests_gateway_test_sip_incoming_DEPENDENCIES = gateway/cig-sip
tests_gateway_test_sip_outgoing_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
tests_gateway_test_sip_outgoing_LDADD = $(SIP_DRIVER_LIBS)
EXTRA_tests_gateway_test_sip_outgoing_DEPENDENCIES = gateway/cig-sip
tests_gateway_test_sip_trace_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
tests_gateway_test_sip_trace_LDADD = $(SIP_DRIVER_LIBS)
EXTRA_tests_gateway_test_sip_trace_DEPENDENCIES = gateway/cig-sip
tests_gateway_test_sip_malformed_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
tests_gateway_test_sip_malformed_LDADD = $(SIP_DRIVER_LIBS)
EXTRA_tests_gateway_test_sip_malformed_DEPENDENCIES = gateway/cig-sip
tests_gateway_test_sip_peers_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
tests_gateway_test_sip_peers_LDADD = $(SIP_DRIVER_LIBS)
EXTRA_tests_gateway_test_sip_peers_DEPENDENCIES = gateway/cig-sip
EXTRA_DIST += tests/gateway/kamailio.cfg \
	tests/gateway/sipp/uac.xml tests/gateway/sipp/uac_bye.xml tests/gateway/sipp/uas.xml \
	tests/gateway/sipp/uas_auth.xml tests/gateway/sipp/uas_cancel.xml
tests_gateway_test_sip_text_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
tests_gateway_test_sip_text_LDADD = $(SIP_DRIVER_LIBS)
EXTRA_tests_gateway_test_sip_text_DEPENDENCIES = gateway/cig-sip

tests_gateway_test_sip_register_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
tests_gateway_test_sip_register_LDADD = $(SIP_DRIVER_LIBS)
EXTRA_tests_gateway_test_sip_register_DEPENDENCIES = gateway/cig-sip

tests_gateway_test_sip_tls_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
tests_gateway_test_sip_tls_LDADD = $(SIP_DRIVER_LIBS)
EXTRA_tests_gateway_test_sip_tls_DEPENDENCIES = gateway/cig-sip

tests_gateway_test_sip_session_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
tests_gateway_test_sip_session_LDADD = $(SIP_DRIVER_LIBS)
EXTRA_tests_gateway_test_sip_session_DEPENDENCIES = gateway/cig-sip

tests_gateway_test_sip_identity_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
tests_gateway_test_sip_identity_LDADD = $(SIP_DRIVER_LIBS)
EXTRA_tests_gateway_test_sip_identity_DEPENDENCIES = gateway/cig-sip

tests_gateway_test_sip_traps_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
tests_gateway_test_sip_traps_LDADD = $(SIP_DRIVER_LIBS)
EXTRA_tests_gateway_test_sip_traps_DEPENDENCIES = gateway/cig-sip

tests_gateway_test_sip_reliable_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
tests_gateway_test_sip_reliable_LDADD = $(SIP_DRIVER_LIBS)
EXTRA_tests_gateway_test_sip_reliable_DEPENDENCIES = gateway/cig-sip

# not run by check: see tests/bench
if HAVE_CMOCKA
EXTRA_PROGRAMS += tests/bench/bench_gateway
endif
tests_bench_bench_gateway_SOURCES = tests/bench/bench_gateway.c tests/bench/bench.c \
	tests/bench/bench.h
tests_bench_bench_gateway_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
tests_bench_bench_gateway_LDADD = $(SIP_DRIVER_LIBS)

# the agent's parts by themselves
if HAVE_CMOCKA
check_PROGRAMS += tests/gateway/test_sip_link tests/gateway/test_sip_capture
endif
tests_gateway_test_sip_link_SOURCES = tests/gateway/test_sip_link.c gateway/sip/link.c gateway/sip/link.h
tests_gateway_test_sip_link_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(SOFIA_CFLAGS:-I%=-isystem%)
tests_gateway_test_sip_link_LDADD = base/libbase.a $(SOFIA_LIBS) $(CMOCKA_LIBS)
tests_gateway_test_sip_capture_SOURCES = tests/gateway/test_sip_capture.c gateway/sip/capture.c \
	gateway/sip/agent.h
tests_gateway_test_sip_capture_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS) \
	$(SOFIA_CFLAGS:-I%=-isystem%)
tests_gateway_test_sip_capture_LDADD = $(SIP_DRIVER_LIBS) $(SOFIA_LIBS)

# for the scenarios: a cig-sip whose wall clock a test steps
noinst_PROGRAMS += tests/tools/cig-sip-stepped
tests_tools_cig_sip_stepped_SOURCES = tests/tools/stepped_clock.c
tests_tools_cig_sip_stepped_LDADD = $(gateway_cig_sip_OBJECTS) $(gateway_cig_sip_LDADD)
