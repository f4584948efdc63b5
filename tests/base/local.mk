# tests of base/
# configuration
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_config %D%/test_config_lines %D%/test_config_value %D%/test_diag
endif
%C%_test_config_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_config_LDADD = base/libbase.a $(CONFUSE_LIBS) $(CMOCKA_LIBS)
%C%_test_config_lines_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_config_lines_LDADD = base/libbase.a $(CMOCKA_LIBS)
%C%_test_config_value_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_config_value_LDADD = base/libbase.a $(CMOCKA_LIBS)
%C%_test_diag_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_diag_LDADD = base/libbase.a $(CMOCKA_LIBS)
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_as_owner %D%/test_encode %D%/test_channel %D%/test_net %D%/test_idmap \
	%D%/test_control %D%/test_figures %D%/test_control_stream %D%/test_control_proof %D%/test_memory %D%/test_notifier %D%/test_table \
	%D%/test_dns %D%/test_file %D%/test_json_text %D%/test_listener %D%/test_log %D%/test_text \
	%D%/test_service %D%/test_visible
endif
%C%_test_as_owner_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_as_owner_LDADD = base/libbase.a $(CMOCKA_LIBS)
%C%_test_service_SOURCES = %D%/test_service.c tests/umsg/loop.h
%C%_test_service_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS)
%C%_test_service_LDADD = base/libbase.a $(CMOCKA_LIBS) $(EVENT_LIBS)
%C%_test_log_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_log_LDADD = base/libbase.a $(CMOCKA_LIBS)
%C%_test_text_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_text_LDADD = base/libbase.a $(CMOCKA_LIBS)
%C%_test_visible_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_visible_LDADD = base/libbase.a $(CMOCKA_LIBS)
%C%_test_encode_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_encode_LDADD = base/libbase.a $(CMOCKA_LIBS)
%C%_test_channel_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS)
%C%_test_channel_LDADD = base/libbase.a $(CMOCKA_LIBS) $(EVENT_LIBS)
%C%_test_listener_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS)
%C%_test_listener_LDADD = base/libbase.a $(CMOCKA_LIBS) $(EVENT_LIBS)
%C%_test_net_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_net_LDADD = base/libbase.a $(CMOCKA_LIBS)
%C%_test_idmap_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_idmap_LDADD = base/libbase.a $(CMOCKA_LIBS)
%C%_test_control_SOURCES = %D%/test_control.c %D%/control_scene.h
%C%_test_control_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS) -pthread
%C%_test_control_LDADD = base/libbase.a $(CMOCKA_LIBS) $(CONTROL_LIBS)
%C%_test_figures_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS)
%C%_test_figures_LDADD = base/libbase.a $(CMOCKA_LIBS) $(CONTROL_LIBS)
%C%_test_control_stream_SOURCES = %D%/test_control_stream.c %D%/control_scene.h
%C%_test_control_stream_CFLAGS = $(%C%_test_control_CFLAGS)
%C%_test_control_stream_LDADD = $(%C%_test_control_LDADD)
%C%_test_control_proof_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS)
%C%_test_control_proof_LDADD = base/libbase.a $(CMOCKA_LIBS) $(CONTROL_CLIENT_LIBS)
%C%_test_dns_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS)
%C%_test_dns_LDADD = base/libbase.a $(CMOCKA_LIBS) $(EVENT_LIBS)
%C%_test_dns_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=evdns_base_resolv_conf_parse,--wrap=stat
%C%_test_file_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_file_LDADD = base/libbase.a $(CMOCKA_LIBS)
%C%_test_memory_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_memory_LDADD = base/libbase.a $(CMOCKA_LIBS)
%C%_test_notifier_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS)
%C%_test_notifier_LDADD = base/libbase.a $(CMOCKA_LIBS) $(EVENT_LIBS)
%C%_test_table_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_table_LDADD = base/libbase.a $(CMOCKA_LIBS)
%C%_test_json_text_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS)
%C%_test_json_text_LDADD = base/libbase.a $(CMOCKA_LIBS) $(JANSSON_LIBS)
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_clock %D%/test_process
endif
%C%_test_clock_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_clock_LDADD = base/libbase.a $(CMOCKA_LIBS)
%C%_test_process_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_process_LDADD = base/libbase.a $(CMOCKA_LIBS)

# fsync() of a directory that fails, for tests of others
FAILING_FSYNC_SOURCES = tests/base/failing_fsync.c tests/base/failing_fsync.h
FAILING_FSYNC_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=fsync
