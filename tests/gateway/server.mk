# tests of cig-server's own modules
if HAVE_CMOCKA
check_PROGRAMS += tests/gateway/test_calls tests/gateway/test_calls_talk tests/gateway/test_call_codec tests/gateway/test_call_phase tests/gateway/test_call_reason \
	tests/gateway/test_call_record tests/gateway/test_pbx_leg tests/gateway/test_call_trace tests/gateway/test_session_log tests/gateway/test_texts tests/gateway/test_pbx_peers \
	tests/gateway/test_smpp_keep tests/gateway/test_texts_port tests/gateway/test_texts_submit tests/gateway/test_texts_queue tests/gateway/test_texts_resting tests/gateway/test_sip_texts_part \
	tests/gateway/test_registration tests/gateway/test_digest_check tests/gateway/test_srv tests/gateway/test_names tests/gateway/test_resolver
endif
tests_gateway_test_registration_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_gateway_test_registration_LDADD = gateway/libgateway.a base/libbase.a $(CMOCKA_LIBS)
tests_gateway_test_digest_check_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_gateway_test_digest_check_LDADD = \
	gateway/libsip_text.a base/libbase.a $(OPENSSL_LIBS) $(CMOCKA_LIBS)
tests_gateway_test_pbx_peers_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_gateway_test_pbx_peers_LDADD = gateway/libgateway.a base/libbase.a $(CMOCKA_LIBS)
tests_gateway_test_call_phase_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_gateway_test_call_phase_LDADD = gateway/libgateway.a $(CMOCKA_LIBS)
tests_gateway_test_call_codec_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
tests_gateway_test_call_codec_LDADD = gateway/libgateway.a $(CMOCKA_LIBS)
tests_gateway_test_call_reason_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
tests_gateway_test_call_reason_LDADD = gateway/libgateway.a $(CMOCKA_LIBS)
tests_gateway_test_session_log_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_gateway_test_session_log_LDADD = gateway/libgateway.a base/libbase.a $(CMOCKA_LIBS)
PLAYED_PBXS = tests/gateway/played_pbxs.c tests/gateway/played_pbxs.h
CALL_SIDES = tests/gateway/call_sides.c tests/gateway/call_sides.h $(PLAYED_PBXS)
tests_gateway_test_calls_SOURCES = tests/gateway/test_calls.c \
	tests/gateway/calls_scene.c tests/gateway/calls_scene.h \
	$(CALL_SIDES) $(SCARCE_SOURCES)
tests_gateway_test_calls_LDFLAGS = $(SCARCE_LDFLAGS)
tests_gateway_test_calls_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS) \
	$(PROTOBUF_C_CFLAGS) $(JANSSON_CFLAGS)
tests_gateway_test_calls_LDADD = gateway/libgateway.a gateway/libcig_config.a smpp/libsmpp.a \
	gateway/librelay_control.a gateway/libsip_agent.a gateway/libsip_text.a \
	umsg/libumsg.a umsg/libumsg_proto.a maps/libmaps.a base/libbase.a \
	$(EVENT_LIBS) $(OPENSSL_LIBS) $(PROTOBUF_C_LIBS) $(JANSSON_LIBS) $(CONFUSE_LIBS) \
	$(MICROHTTPD_LIBS) $(CMOCKA_LIBS)
tests_gateway_test_calls_talk_SOURCES = tests/gateway/test_calls_talk.c \
	tests/gateway/calls_scene.c tests/gateway/calls_scene.h \
	$(CALL_SIDES) $(SCARCE_SOURCES)
tests_gateway_test_calls_talk_LDFLAGS = $(tests_gateway_test_calls_LDFLAGS)
tests_gateway_test_calls_talk_CFLAGS = $(tests_gateway_test_calls_CFLAGS)
tests_gateway_test_calls_talk_LDADD = $(tests_gateway_test_calls_LDADD)
tests_gateway_test_texts_SOURCES = tests/gateway/test_texts.c \
	tests/gateway/text_scene.c tests/gateway/text_scene.h
tests_gateway_test_texts_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS) \
	$(PROTOBUF_C_CFLAGS) $(JANSSON_CFLAGS)
tests_gateway_test_texts_LDADD = gateway/libgateway.a gateway/libcig_config.a smpp/libsmpp.a \
	mailbox/libmailbox.a umsg/libumsg_proto.a maps/libmaps.a base/libbase.a \
	$(EVENT_LIBS) $(OPENSSL_LIBS) $(PROTOBUF_C_LIBS) $(JANSSON_LIBS) $(CONFUSE_LIBS) \
	$(MAILBOX_LIBS) $(CMOCKA_LIBS)
tests_gateway_test_texts_port_SOURCES = tests/gateway/test_texts_port.c tests/gateway/played_port.h \
	tests/gateway/text_scene.c tests/gateway/text_scene.h
tests_gateway_test_texts_port_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS) \
	$(PROTOBUF_C_CFLAGS) $(JANSSON_CFLAGS)
tests_gateway_test_texts_port_LDADD = gateway/libgateway.a gateway/libcig_config.a smpp/libsmpp.a \
	mailbox/libmailbox.a umsg/libumsg_proto.a maps/libmaps.a base/libbase.a \
	$(EVENT_LIBS) $(OPENSSL_LIBS) $(PROTOBUF_C_LIBS) $(JANSSON_LIBS) $(CONFUSE_LIBS) \
	$(MAILBOX_LIBS) $(CMOCKA_LIBS)
tests_gateway_test_smpp_keep_CFLAGS = $(tests_gateway_test_texts_port_CFLAGS)
tests_gateway_test_smpp_keep_LDADD = $(tests_gateway_test_texts_port_LDADD)
tests_gateway_test_texts_submit_SOURCES = tests/gateway/test_texts_submit.c tests/gateway/played_port.h \
	tests/gateway/text_scene.c tests/gateway/text_scene.h
tests_gateway_test_texts_submit_CFLAGS = $(tests_gateway_test_texts_port_CFLAGS)
tests_gateway_test_texts_submit_LDADD = $(tests_gateway_test_texts_port_LDADD)
tests_gateway_test_texts_queue_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_gateway_test_texts_queue_LDADD = gateway/libgateway.a $(CMOCKA_LIBS)
tests_gateway_test_sip_texts_part_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
tests_gateway_test_sip_texts_part_LDADD = gateway/libgateway.a umsg/libumsg_proto.a base/libbase.a \
	$(PROTOBUF_C_LIBS) $(CMOCKA_LIBS)
tests_gateway_test_call_trace_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS) $(JANSSON_CFLAGS)
tests_gateway_test_call_trace_LDADD = gateway/libgateway.a base/libbase.a $(JANSSON_LIBS) $(CMOCKA_LIBS)
tests_gateway_test_texts_resting_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_gateway_test_texts_resting_LDADD = gateway/libgateway.a base/libbase.a $(OPENSSL_LIBS) $(CMOCKA_LIBS)
tests_gateway_test_srv_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_gateway_test_srv_LDADD = gateway/libgateway.a base/libbase.a $(CMOCKA_LIBS)
tests_gateway_test_names_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS)
tests_gateway_test_names_LDADD = gateway/libgateway.a base/libbase.a $(CARES_LIBS) $(EVENT_LIBS) $(CMOCKA_LIBS)
tests_gateway_test_resolver_SOURCES = tests/gateway/test_resolver.c gateway/resolver.c gateway/resolver.h
tests_gateway_test_resolver_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS)
tests_gateway_test_resolver_LDADD = base/libbase.a $(EVENT_LIBS) $(CMOCKA_LIBS)
tests_gateway_test_pbx_leg_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS) $(JANSSON_CFLAGS)
tests_gateway_test_pbx_leg_LDADD = gateway/libgateway.a gateway/libsip_agent.a gateway/libsip_text.a \
	base/libbase.a $(OPENSSL_LIBS) $(PROTOBUF_C_LIBS) $(JANSSON_LIBS) $(CMOCKA_LIBS)
tests_gateway_test_call_record_SOURCES = tests/gateway/test_call_record.c \
	$(CALL_SIDES)
tests_gateway_test_call_record_CFLAGS = $(tests_gateway_test_calls_CFLAGS)
tests_gateway_test_call_record_LDADD = $(tests_gateway_test_calls_LDADD)
if HAVE_CMOCKA
check_PROGRAMS += tests/gateway/test_sip_texts_out tests/gateway/test_sip_texts_in
endif
SIP_TEXTS_SCENE = tests/gateway/sip_texts_scene.c tests/gateway/sip_texts_scene.h $(PLAYED_PBXS) \
	tests/fuzz/fake_clock.c tests/fuzz/fake_clock.h
tests_gateway_test_sip_texts_out_SOURCES = tests/gateway/test_sip_texts_out.c $(SIP_TEXTS_SCENE)
tests_gateway_test_sip_texts_out_CFLAGS = $(tests_gateway_test_calls_CFLAGS)
tests_gateway_test_sip_texts_out_LDFLAGS = $(AM_LDFLAGS) -Wl,-z,muldefs
tests_gateway_test_sip_texts_out_LDADD = gateway/libgateway.a gateway/libcig_config.a smpp/libsmpp.a \
	gateway/libsip_agent.a gateway/libsip_text.a mailbox/libmailbox.a umsg/libumsg_proto.a \
	maps/libmaps.a base/libbase.a $(EVENT_LIBS) $(OPENSSL_LIBS) $(PROTOBUF_C_LIBS) $(JANSSON_LIBS) \
	$(CONFUSE_LIBS) $(MAILBOX_LIBS) $(CMOCKA_LIBS)
tests_gateway_test_sip_texts_in_SOURCES = tests/gateway/test_sip_texts_in.c $(SIP_TEXTS_SCENE)
tests_gateway_test_sip_texts_in_CFLAGS = $(tests_gateway_test_calls_CFLAGS)
tests_gateway_test_sip_texts_in_LDFLAGS = $(AM_LDFLAGS) -Wl,-z,muldefs
tests_gateway_test_sip_texts_in_LDADD = $(tests_gateway_test_sip_texts_out_LDADD)
if HAVE_CMOCKA
check_PROGRAMS += tests/gateway/test_pbxs
endif
tests_gateway_test_pbxs_CFLAGS = $(tests_gateway_test_calls_CFLAGS)
tests_gateway_test_pbxs_LDADD = gateway/libgateway.a gateway/libcig_config.a smpp/libsmpp.a \
	gateway/libsip_agent.a gateway/libsip_text.a maps/libmaps.a base/libbase.a $(EVENT_LIBS) \
	$(OPENSSL_LIBS) $(PROTOBUF_C_LIBS) $(JANSSON_LIBS) $(CONFUSE_LIBS) $(CMOCKA_LIBS)
# message centers as ports of texts, with connections that are played
if HAVE_CMOCKA
check_PROGRAMS += tests/gateway/test_texts_smpp_out tests/gateway/test_texts_smpp_in
endif
PLAYED_CENTER = tests/gateway/played_center.c tests/gateway/played_center.h \
	tests/gateway/text_scene.c tests/gateway/text_scene.h \
	tests/fuzz/fake_clock.c tests/fuzz/fake_clock.h
tests_gateway_test_texts_smpp_out_SOURCES = tests/gateway/test_texts_smpp_out.c $(PLAYED_CENTER)
tests_gateway_test_texts_smpp_out_CFLAGS = $(tests_gateway_test_texts_port_CFLAGS)
tests_gateway_test_texts_smpp_out_LDFLAGS = $(AM_LDFLAGS) -Wl,-z,muldefs
tests_gateway_test_texts_smpp_out_LDADD = $(tests_gateway_test_texts_port_LDADD)
tests_gateway_test_texts_smpp_in_SOURCES = tests/gateway/test_texts_smpp_in.c $(PLAYED_CENTER)
tests_gateway_test_texts_smpp_in_CFLAGS = $(tests_gateway_test_texts_port_CFLAGS)
tests_gateway_test_texts_smpp_in_LDFLAGS = $(AM_LDFLAGS) -Wl,-z,muldefs,--wrap=journal_finish
tests_gateway_test_texts_smpp_in_LDADD = $(tests_gateway_test_texts_port_LDADD)
# the links to cig-relay and cig-sip, with the other end played
QUICK_TIMERS = tests/tools/quick_timers.c tests/tools/quick_timers.h
QUICK_TIMERS_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=event_add
if HAVE_CMOCKA
check_PROGRAMS += tests/gateway/test_relay_link tests/gateway/test_agent_link
endif
tests_gateway_test_relay_link_SOURCES = tests/gateway/test_relay_link.c $(QUICK_TIMERS)
tests_gateway_test_relay_link_CFLAGS = $(tests_gateway_test_calls_CFLAGS)
tests_gateway_test_relay_link_LDFLAGS = $(QUICK_TIMERS_LDFLAGS)
tests_gateway_test_relay_link_LDADD = $(tests_gateway_test_calls_LDADD)
tests_gateway_test_agent_link_SOURCES = tests/gateway/test_agent_link.c $(QUICK_TIMERS)
tests_gateway_test_agent_link_CFLAGS = $(tests_gateway_test_calls_CFLAGS)
tests_gateway_test_agent_link_LDFLAGS = $(QUICK_TIMERS_LDFLAGS)
tests_gateway_test_agent_link_LDADD = $(tests_gateway_test_calls_LDADD)
# the gateway's keys, with a client that is played
if HAVE_CMOCKA
check_PROGRAMS += tests/gateway/test_secure_side
endif
tests_gateway_test_secure_side_SOURCES = tests/gateway/test_secure_side.c \
	tests/fuzz/fake_clock.c tests/fuzz/fake_clock.h
tests_gateway_test_secure_side_CFLAGS = $(tests_gateway_test_calls_CFLAGS)
tests_gateway_test_secure_side_LDFLAGS = $(AM_LDFLAGS) -Wl,-z,muldefs
tests_gateway_test_secure_side_LDADD = tests/keys/libsample.a gateway/libgateway.a gateway/libcig_config.a \
	smpp/libsmpp.a umsg/libumsg.a umsg/libumsg_proto.a maps/libmaps.a keys/libkeys.a base/libbase.a \
	$(WSLAY_LIBS) $(CARES_LIBS) $(EVENT_LIBS) $(OPENSSL_LIBS) $(PROTOBUF_C_LIBS) $(JANSSON_LIBS) \
	$(CONFUSE_LIBS) $(CMOCKA_LIBS)
# figures for Prometheus, whose port is played
PLAYED_FIGURES = tests/tools/played_figures.c tests/tools/played_figures.h
if HAVE_CMOCKA
check_PROGRAMS += tests/gateway/test_metrics
endif
tests_gateway_test_metrics_SOURCES = tests/gateway/test_metrics.c $(PLAYED_FIGURES) \
	tests/fuzz/fake_clock.c tests/fuzz/fake_clock.h
tests_gateway_test_metrics_CFLAGS = $(tests_gateway_test_calls_CFLAGS)
tests_gateway_test_metrics_LDFLAGS = $(AM_LDFLAGS) -Wl,-z,muldefs
tests_gateway_test_metrics_LDADD = $(tests_gateway_test_calls_LDADD)
if HAVE_CMOCKA
check_PROGRAMS += tests/gateway/test_calls_refused
endif
tests_gateway_test_calls_refused_SOURCES = tests/gateway/test_calls_refused.c \
	tests/gateway/calls_scene.c tests/gateway/calls_scene.h \
	$(CALL_SIDES) $(SCARCE_SOURCES)
tests_gateway_test_calls_refused_LDFLAGS = $(tests_gateway_test_calls_LDFLAGS)
tests_gateway_test_calls_refused_CFLAGS = $(tests_gateway_test_calls_CFLAGS)
tests_gateway_test_calls_refused_LDADD = $(tests_gateway_test_calls_LDADD)
# the whole of cig-cli within a test, at a control port that is played
if HAVE_CMOCKA
check_LIBRARIES += tests/gateway/libcig_cli.a
check_PROGRAMS += tests/gateway/test_cig_cli tests/gateway/test_cig_cli_ask
endif
tests_gateway_libcig_cli_a_SOURCES = tests/gateway/cli_scene.c tests/gateway/cli_scene.h \
	$(gateway_cig_cli_SOURCES)
tests_gateway_libcig_cli_a_CPPFLAGS = $(AM_CPPFLAGS) -Dmain=cig_cli_main
# cig_cli_main() has no header
tests_gateway_libcig_cli_a_CFLAGS = $(gateway_cig_cli_CFLAGS) $(CMOCKA_CFLAGS) -Wno-missing-prototypes
CIG_CLI_LIBS = tests/gateway/libcig_cli.a $(gateway_cig_cli_LDADD) $(CMOCKA_LIBS)
tests_gateway_test_cig_cli_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS)
tests_gateway_test_cig_cli_LDADD = $(CIG_CLI_LIBS)
tests_gateway_test_cig_cli_ask_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS) $(OPENSSL_CFLAGS)
tests_gateway_test_cig_cli_ask_LDADD = tests/keys/libsample.a $(CIG_CLI_LIBS)
# the status, of parts that are played
if HAVE_CMOCKA
check_PROGRAMS += tests/gateway/test_status_report
endif
tests_gateway_test_status_report_SOURCES = tests/gateway/test_status_report.c \
	gateway/status_report.c gateway/status_report.h
tests_gateway_test_status_report_CFLAGS = $(tests_gateway_test_calls_CFLAGS)
tests_gateway_test_status_report_LDADD = gateway/librelay_control.a gateway/libsip_agent.a base/libbase.a \
	$(PROTOBUF_C_LIBS) $(JANSSON_LIBS) $(CMOCKA_LIBS)
if HAVE_CMOCKA
check_PROGRAMS += tests/gateway/test_calls_changes
endif
tests_gateway_test_calls_changes_SOURCES = tests/gateway/test_calls_changes.c \
	tests/gateway/calls_scene.c tests/gateway/calls_scene.h \
	$(CALL_SIDES) $(SCARCE_SOURCES)
tests_gateway_test_calls_changes_LDFLAGS = $(tests_gateway_test_calls_LDFLAGS)
tests_gateway_test_calls_changes_CFLAGS = $(tests_gateway_test_calls_CFLAGS)
tests_gateway_test_calls_changes_LDADD = $(tests_gateway_test_calls_LDADD)
