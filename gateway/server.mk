# cig-server and cig-cli
noinst_LIBRARIES += gateway/libgateway.a
gateway_libgateway_a_CFLAGS = $(AM_CFLAGS) $(CARES_CFLAGS) $(EVENT_CFLAGS) $(OPENSSL_CFLAGS) $(PROTOBUF_C_CFLAGS) \
	$(JANSSON_CFLAGS)
gateway_libgateway_a_SOURCES = \
	gateway/call.c gateway/call.h gateway/call_priv.h \
	gateway/call_dial.c gateway/call_events.c gateway/call_route.c \
	gateway/call_sound.c \
	gateway/call_figures.c gateway/call_figures.h \
	gateway/call_record.c gateway/call_record.h \
	gateway/call_news.c gateway/call_news.h \
	gateway/call_trace.c gateway/call_trace.h \
	gateway/call_codec.c gateway/call_codec.h \
	gateway/call_reason.c gateway/call_reason.h \
	gateway/call_phase.c gateway/call_phase.h \
	gateway/calls_in.c gateway/calls.c gateway/calls.h gateway/calls_priv.h gateway/calls_report.c \
	gateway/control_api.c gateway/control_api.h \
	gateway/media_leg.c gateway/media_leg.h \
	gateway/metrics.c gateway/metrics.h \
	gateway/pbx_door.c gateway/pbx_door.h \
	gateway/pbx_leg.c gateway/pbx_leg.h \
	gateway/pbx_peers.c gateway/pbx_peers.h \
	gateway/pbx_probe.c gateway/pbx_register.c gateway/pbx_search.c gateway/pbx_way.c \
	gateway/registration.c gateway/registration.h \
	gateway/pbxs.c gateway/pbxs.h gateway/pbxs_priv.h \
	gateway/relay_link.c gateway/relay_link.h \
	gateway/reload.c gateway/reload.h \
	gateway/names.c gateway/names.h gateway/resolver.c gateway/resolver.h \
	gateway/srv.c gateway/srv.h \
	gateway/route_report.c gateway/route_report.h \
	gateway/peer_domain.c gateway/peer_domain.h \
	gateway/secure_side.c gateway/secure_side.h \
	gateway/server.c gateway/server.h \
	gateway/session_log.c gateway/session_log.h \
	gateway/sip_link.c gateway/sip_link.h \
	gateway/sip_texts.c gateway/sip_texts.h gateway/sip_texts_priv.h \
	gateway/sip_texts_done.c gateway/sip_texts_hosts.c \
	gateway/sip_texts_in.c gateway/sip_texts_out.c gateway/sip_texts_part.c \
	gateway/status_report.c gateway/status_report.h \
	gateway/text_body.c gateway/text_body.h \
	gateway/texts.c gateway/texts.h gateway/texts_port.h gateway/texts_priv.h \
	gateway/texts_in.c gateway/texts_inward.c gateway/texts_list.c gateway/texts_mailbox.c \
	gateway/texts_lookup.c gateway/texts_notice.c gateway/texts_port.c gateway/texts_post.c \
	gateway/texts_queue.c gateway/texts_queue.h gateway/texts_read.c \
	gateway/texts_resting.c gateway/texts_resting.h gateway/texts_submit.c \
	gateway/texts_smpp.c gateway/texts_smpp.h gateway/texts_smpp_priv.h \
	gateway/texts_smpp_in.c gateway/texts_smpp_keep.c gateway/texts_smpp_out.c
nodist_gateway_libgateway_a_SOURCES = gateway/texts.pb-c.c gateway/texts.pb-c.h
BUILT_SOURCES += gateway/texts.pb-c.h
CLEANFILES += gateway/texts.pb-c.c gateway/texts.pb-c.h
EXTRA_DIST += gateway/texts.proto

bin_PROGRAMS += gateway/cig-server gateway/cig-cli
gateway_cig_server_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(PROTOBUF_C_CFLAGS) $(JANSSON_CFLAGS)
gateway_cig_server_SOURCES = gateway/cig_server.c
gateway_cig_server_LDADD = gateway/libgateway.a gateway/libcig_config.a smpp/libsmpp.a gateway/librelay_control.a \
	gateway/libsip_agent.a gateway/libsip_text.a mailbox/libmailbox.a umsg/libumsg.a \
	umsg/libumsg_proto.a maps/libmaps.a keys/libkeys.a base/libbase.a \
	$(EVENT_LIBS) $(OPENSSL_LIBS) $(PROTOBUF_C_LIBS) $(JANSSON_LIBS) $(MICROHTTPD_LIBS) \
	$(CONFUSE_LIBS) $(WSLAY_LIBS) $(MAILBOX_LIBS) $(CARES_LIBS)
gateway_cig_cli_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
gateway_cig_cli_SOURCES = \
	gateway/cig_cli.c gateway/cig_cli.h \
	gateway/cig_cli_config.c \
	gateway/cig_cli_keys.c \
	gateway/cig_cli_message.c \
	gateway/cig_cli_print.c \
	gateway/cig_cli_route.c \
	gateway/cig_cli_show.c \
	gateway/cig_cli_sip.c \
	gateway/cig_cli_trace.c \
	gateway/route_report.c gateway/route_report.h
gateway_cig_cli_LDADD = gateway/libcig_config.a smpp/libsmpp.a maps/libmaps.a keys/libkeys.a base/libbase.a \
	$(OPENSSL_LIBS) $(PROTOBUF_C_LIBS) $(JANSSON_LIBS) $(CONFUSE_LIBS)
