# fuzz targets of gateway/
FUZZ_TARGETS += tests/fuzz/fuzz_cig_config tests/fuzz/fuzz_sip_message
tests_fuzz_fuzz_cig_config_SOURCES = tests/fuzz/fuzz_cig_config.c $(FUZZ_MAIN)
tests_fuzz_fuzz_cig_config_LDFLAGS = $(FUZZING_LDFLAGS)
tests_fuzz_fuzz_cig_config_LDADD = $(CIG_CONFIG_LIBS) $(OPENSSL_LIBS)
tests_fuzz_fuzz_sip_message_SOURCES = tests/fuzz/fuzz_sip_message.c gateway/sip/body.c \
	gateway/sip/digit.c gateway/sip/header.c gateway/pbx_leg.c $(FUZZ_MAIN)
tests_fuzz_fuzz_sip_message_CFLAGS = $(AM_CFLAGS) $(PROTOBUF_C_CFLAGS) $(SOFIA_CFLAGS:-I%=-isystem%)
tests_fuzz_fuzz_sip_message_LDFLAGS = $(FUZZING_LDFLAGS)
tests_fuzz_fuzz_sip_message_LDADD = gateway/libsip_text.a gateway/libsip_agent.a \
	$(CIG_CONFIG_LIBS) $(SOFIA_LIBS) $(PROTOBUF_C_LIBS) $(OPENSSL_LIBS)
$(tests_fuzz_fuzz_sip_message_OBJECTS): $(BUILT_SOURCES)
FUZZ_TARGETS += tests/fuzz/fuzz_srv
tests_fuzz_fuzz_srv_SOURCES = tests/fuzz/fuzz_srv.c gateway/srv.c $(FUZZ_MAIN)
tests_fuzz_fuzz_srv_LDFLAGS = $(FUZZING_LDFLAGS)
tests_fuzz_fuzz_srv_LDADD = base/libbase.a
FUZZ_TARGETS += tests/fuzz/fuzz_gateway_control
tests_fuzz_fuzz_gateway_control_SOURCES = tests/fuzz/fuzz_gateway_control.c tests/fuzz/place.h \
	tests/fuzz/quiet.h $(FUZZ_MAIN)
tests_fuzz_fuzz_gateway_control_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(PROTOBUF_C_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_gateway_control_LDFLAGS = $(FUZZING_LDFLAGS) -Wl,-z,muldefs
tests_fuzz_fuzz_gateway_control_LDADD = $(gateway_cig_server_LDADD)
$(tests_fuzz_fuzz_gateway_control_OBJECTS): $(BUILT_SOURCES)
