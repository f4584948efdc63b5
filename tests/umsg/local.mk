# tests of umsg/
UMSG_TESTS = %D%/test_call %D%/test_call_crypto %D%/test_client %D%/test_client_fetch %D%/test_client_messages %D%/test_client_lookup \
	%D%/test_client_updates %D%/test_client_watch \
	%D%/test_client_keep %D%/test_client_ring %D%/test_client_route \
	%D%/test_frame %D%/test_frame_quick %D%/test_link %D%/test_link_life %D%/test_message_crypto %D%/test_pack %D%/test_ring_updater %D%/test_seen \
	%D%/test_upgrade %D%/test_websocket
if HAVE_CMOCKA
check_PROGRAMS += $(UMSG_TESTS)
endif
UMSG_TEST_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(OPENSSL_CFLAGS) $(EVENT_CFLAGS) \
	$(PROTOBUF_C_CFLAGS)
UMSG_LIBS = umsg/libumsg.a umsg/libumsg_proto.a keys/libkeys.a base/libbase.a \
	$(WSLAY_LIBS) $(OPENSSL_LIBS) $(EVENT_LIBS) $(PROTOBUF_C_LIBS)
UMSG_TEST_LIBS = $(UMSG_LIBS) $(CMOCKA_LIBS)
%C%_test_call_CFLAGS = $(UMSG_TEST_CFLAGS)
%C%_test_call_LDADD = $(UMSG_TEST_LIBS)
%C%_test_call_crypto_CFLAGS = $(UMSG_TEST_CFLAGS)
%C%_test_call_crypto_LDADD = tests/keys/libsample.a $(UMSG_TEST_LIBS)
if HAVE_CMOCKA
check_LIBRARIES += %D%/libstage.a
endif
%C%_libstage_a_SOURCES = %D%/loop.h %D%/stage.c %D%/stage.h %D%/stage_rendezvous.c
%C%_libstage_a_CFLAGS = $(UMSG_TEST_CFLAGS)
UMSG_STAGE_LIBS = %D%/libstage.a tests/keys/libsample.a $(UMSG_TEST_LIBS)
%C%_test_client_CFLAGS = $(UMSG_TEST_CFLAGS)
%C%_test_client_LDADD = $(UMSG_STAGE_LIBS)
%C%_test_client_lookup_CFLAGS = $(UMSG_TEST_CFLAGS)
%C%_test_client_lookup_LDADD = $(UMSG_STAGE_LIBS)
# minutes pass without waiting for them
%C%_test_client_lookup_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_mono_ms
%C%_test_client_keep_CFLAGS = $(UMSG_TEST_CFLAGS)
%C%_test_client_keep_LDADD = $(UMSG_STAGE_LIBS)
%C%_test_client_ring_CFLAGS = $(UMSG_TEST_CFLAGS)
%C%_test_client_ring_LDADD = $(UMSG_STAGE_LIBS)
%C%_test_client_messages_CFLAGS = $(UMSG_TEST_CFLAGS)
%C%_test_client_messages_LDADD = $(UMSG_STAGE_LIBS)
%C%_test_client_fetch_CFLAGS = $(UMSG_TEST_CFLAGS)
%C%_test_client_fetch_LDADD = $(UMSG_STAGE_LIBS)
# minutes pass without waiting for them
%C%_test_client_fetch_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_mono_ms,--wrap=clock_wall_ms,--wrap=clock_wall_s,--wrap=event_add,--wrap=link_send
%C%_test_client_updates_CFLAGS = $(UMSG_TEST_CFLAGS)
%C%_test_client_updates_LDADD = $(UMSG_STAGE_LIBS)
%C%_test_client_updates_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=event_add
%C%_test_client_watch_CFLAGS = $(UMSG_TEST_CFLAGS)
%C%_test_client_watch_LDADD = $(UMSG_STAGE_LIBS)
%C%_test_client_watch_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_mono_ms
%C%_test_client_route_CFLAGS = $(UMSG_TEST_CFLAGS)
%C%_test_client_route_LDADD = $(UMSG_STAGE_LIBS)
%C%_test_client_route_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=event_add,--wrap=dns_ask,--wrap=link_connect,--wrap=clock_wall_s,--wrap=clock_mono_ms
%C%_test_frame_CFLAGS = $(UMSG_TEST_CFLAGS)
%C%_test_frame_LDADD = $(UMSG_TEST_LIBS)
%C%_test_frame_quick_CFLAGS = $(UMSG_TEST_CFLAGS)
%C%_test_frame_quick_LDADD = $(UMSG_TEST_LIBS)
%C%_test_link_SOURCES = %D%/test_link.c %D%/link_scene.h %D%/loop.h
%C%_test_link_life_SOURCES = %D%/test_link_life.c %D%/link_scene.h %D%/loop.h
%C%_test_link_life_CFLAGS = $(UMSG_TEST_CFLAGS)
%C%_test_link_life_LDADD = $(UMSG_TEST_LIBS)
%C%_test_link_CFLAGS = $(UMSG_TEST_CFLAGS)
%C%_test_link_LDADD = $(UMSG_TEST_LIBS)
%C%_test_message_crypto_CFLAGS = $(UMSG_TEST_CFLAGS)
%C%_test_message_crypto_LDADD = tests/keys/libsample.a $(UMSG_TEST_LIBS)
%C%_test_pack_CFLAGS = $(UMSG_TEST_CFLAGS)
%C%_test_pack_LDADD = $(UMSG_TEST_LIBS)
%C%_test_ring_updater_CFLAGS = $(UMSG_TEST_CFLAGS)
%C%_test_ring_updater_LDADD = tests/keys/libsample.a $(UMSG_TEST_LIBS)
%C%_test_seen_CFLAGS = $(UMSG_TEST_CFLAGS)
%C%_test_seen_SOURCES = %D%/test_seen.c $(FAILING_FSYNC_SOURCES)
%C%_test_seen_LDFLAGS = $(FAILING_FSYNC_LDFLAGS)
%C%_test_seen_LDADD = $(UMSG_TEST_LIBS)
%C%_test_upgrade_CFLAGS = $(UMSG_TEST_CFLAGS)
%C%_test_upgrade_LDADD = $(UMSG_TEST_LIBS)
%C%_test_websocket_CFLAGS = $(UMSG_TEST_CFLAGS)
%C%_test_websocket_LDADD = $(UMSG_TEST_LIBS)
$(%C%_libstage_a_OBJECTS) $(%C%_test_call_crypto_OBJECTS) $(%C%_test_client_OBJECTS) \
	$(%C%_test_client_fetch_OBJECTS) $(%C%_test_client_messages_OBJECTS) $(%C%_test_client_updates_OBJECTS) $(%C%_test_client_watch_OBJECTS) $(%C%_test_client_lookup_OBJECTS) $(%C%_test_client_keep_OBJECTS) \
	$(%C%_test_client_ring_OBJECTS) $(%C%_test_client_route_OBJECTS) $(%C%_test_frame_OBJECTS) \
	$(%C%_test_frame_quick_OBJECTS) \
	$(%C%_test_message_crypto_OBJECTS) $(%C%_test_pack_OBJECTS) \
	$(%C%_test_ring_updater_OBJECTS): umsg/umsg.pb-c.h

# a client that breaks the rules, for the scenarios
noinst_PROGRAMS += tests/tools/rude-client
tests_tools_rude_client_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS) $(PROTOBUF_C_CFLAGS)
tests_tools_rude_client_SOURCES = tests/tools/rude_client.c tests/tools/rude_link.c \
	tests/tools/rude_link.h
tests_tools_rude_client_LDADD = umsg/libumsg.a umsg/libumsg_proto.a keys/libkeys.a base/libbase.a \
	$(EVENT_LIBS) $(OPENSSL_LIBS) $(PROTOBUF_C_LIBS) $(WSLAY_LIBS)
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_client_memory
endif
%C%_test_client_memory_SOURCES = %D%/test_client_memory.c $(SCARCE_SOURCES) \
	tests/fuzz/fake_clock.c tests/fuzz/fake_clock.h tests/fuzz/fake_link.c \
	tests/fuzz/fake_link.h
%C%_test_client_memory_CFLAGS = $(UMSG_TEST_CFLAGS)
%C%_test_client_memory_LDFLAGS = $(SCARCE_LDFLAGS)
%C%_test_client_memory_LDADD = tests/keys/libsample.a $(UMSG_TEST_LIBS)
$(%C%_test_client_memory_OBJECTS): umsg/umsg.pb-c.h
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_link_open
endif
%C%_test_link_open_SOURCES = %D%/test_link_open.c %D%/link_scene.h %D%/loop.h $(SCARCE_SOURCES)
%C%_test_link_open_CFLAGS = $(UMSG_TEST_CFLAGS)
%C%_test_link_open_LDFLAGS = $(SCARCE_LDFLAGS)
%C%_test_link_open_LDADD = $(UMSG_TEST_LIBS)
