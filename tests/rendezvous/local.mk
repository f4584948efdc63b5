# tests of rendezvous/
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_relay_table
endif
%C%_test_relay_table_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
%C%_test_relay_table_LDADD = rendezvous/librelay.a media/libmedia.a base/libbase.a \
	$(CMOCKA_LIBS) $(OPENSSL_LIBS) $(PROTOBUF_C_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_relay_control
endif
%C%_test_relay_control_SOURCES = %D%/test_relay_control.c $(SCARCE_SOURCES)
%C%_test_relay_control_LDFLAGS = $(SCARCE_LDFLAGS)
%C%_test_relay_control_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS) $(PROTOBUF_C_CFLAGS)
%C%_test_relay_control_LDADD = rendezvous/librelay.a media/libmedia.a base/libbase.a \
	$(CMOCKA_LIBS) $(EVENT_LIBS) $(OPENSSL_LIBS) $(PROTOBUF_C_LIBS) -lpthread

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_crs_relay
endif
%C%_test_crs_relay_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS) $(PROTOBUF_C_CFLAGS) \
	-DCRS_RELAY='"$(abs_top_builddir)/rendezvous/crs-relay"'
%C%_test_crs_relay_LDADD = rendezvous/librelay.a media/libmedia.a base/libbase.a \
	$(CMOCKA_LIBS) $(EVENT_LIBS) $(OPENSSL_LIBS) $(PROTOBUF_C_LIBS)
EXTRA_tests_rendezvous_test_crs_relay_DEPENDENCIES = rendezvous/crs-relay

# crs
CRS_UNIT_TESTS = %D%/test_accounts %D%/test_client_policy %D%/test_fanouts %D%/test_guests \
	%D%/test_heartbeat \
	%D%/test_limits %D%/test_mesh \
	%D%/test_mailboxes %D%/test_mailboxes_long %D%/test_passing %D%/test_pseudonyms \
	%D%/test_floors %D%/test_retention %D%/test_roster %D%/test_sessions %D%/test_settings
if HAVE_CMOCKA
check_PROGRAMS += $(CRS_UNIT_TESTS)
endif
%C%_test_accounts_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_accounts_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)
%C%_test_client_policy_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
%C%_test_client_policy_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)
%C%_test_guests_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_guests_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)
%C%_test_heartbeat_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_heartbeat_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)
%C%_test_fanouts_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
%C%_test_fanouts_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)
%C%_test_pseudonyms_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS)
%C%_test_pseudonyms_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)
%C%_test_retention_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS)
%C%_test_retention_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)
%C%_test_limits_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_limits_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)
%C%_test_mesh_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS) $(PROTOBUF_C_CFLAGS)
%C%_test_mesh_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)
%C%_test_mailboxes_SOURCES = %D%/test_mailboxes.c %D%/mailbox_world.c %D%/mailbox_world.h
%C%_test_mailboxes_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
%C%_test_mailboxes_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)
%C%_test_mailboxes_long_SOURCES = %D%/test_mailboxes_long.c %D%/mailbox_world.c %D%/mailbox_world.h
%C%_test_mailboxes_long_CFLAGS = $(%C%_test_mailboxes_CFLAGS)
%C%_test_mailboxes_long_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)
%C%_test_passing_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_passing_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)
%C%_test_floors_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS)
%C%_test_floors_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)
%C%_test_roster_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_roster_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)
%C%_test_sessions_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
%C%_test_sessions_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)
%C%_test_settings_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_settings_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)

# the supervisor without processes
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_supervisor %D%/test_admin_service %D%/test_worker_process
endif
%C%_test_supervisor_SOURCES = %D%/test_supervisor.c %D%/desk.c %D%/desk.h
%C%_test_supervisor_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS) $(PROTOBUF_C_CFLAGS)
%C%_test_supervisor_LDFLAGS = $(AM_LDFLAGS) -Wl,-z,muldefs
%C%_test_supervisor_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)
%C%_test_worker_process_SOURCES = %D%/test_worker_process.c %D%/desk.c %D%/desk.h
%C%_test_worker_process_CFLAGS = $(%C%_test_supervisor_CFLAGS)
%C%_test_worker_process_LDFLAGS = $(%C%_test_supervisor_LDFLAGS)
%C%_test_worker_process_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)
%C%_test_admin_service_SOURCES = %D%/test_admin_service.c %D%/desk.c %D%/desk.h
%C%_test_admin_service_CFLAGS = $(%C%_test_supervisor_CFLAGS)
%C%_test_admin_service_LDFLAGS = $(%C%_test_supervisor_LDFLAGS)
%C%_test_admin_service_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)

# against a redis-server
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_store %D%/test_store_entries %D%/test_store_packs
endif
STORE_WORLD = %D%/store_world.c %D%/store_world.h \
	tests/tools/redis_spawn.c tests/tools/redis_spawn.h
%C%_test_store_SOURCES = %D%/test_store.c $(STORE_WORLD)
%C%_test_store_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS) $(HIREDIS_CFLAGS)
# a question that finds no memory
%C%_test_store_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=redisAsyncCommand
%C%_test_store_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)
%C%_test_store_entries_SOURCES = %D%/test_store_entries.c $(STORE_WORLD)
%C%_test_store_entries_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS) $(HIREDIS_CFLAGS)
%C%_test_store_entries_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)
%C%_test_store_packs_SOURCES = %D%/test_store_packs.c
%C%_test_store_packs_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS)
%C%_test_store_packs_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_store_memory
endif
%C%_test_store_memory_SOURCES = %D%/test_store_memory.c $(SCARCE_SOURCES)
%C%_test_store_memory_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS) $(HIREDIS_CFLAGS)
%C%_test_store_memory_LDFLAGS = $(SCARCE_LDFLAGS)
%C%_test_store_memory_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_relay_client
endif
%C%_test_relay_client_SOURCES = %D%/test_relay_client.c $(SCARCE_SOURCES)
%C%_test_relay_client_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS) $(PROTOBUF_C_CFLAGS)
%C%_test_relay_client_LDFLAGS = $(SCARCE_LDFLAGS)
%C%_test_relay_client_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)

# the programs themselves; redis-server has to be installed
if HAVE_CMOCKA
check_LIBRARIES += %D%/libscene.a
endif
%C%_libscene_a_SOURCES = %D%/cast.c %D%/cast.h %D%/party.c %D%/party.h %D%/scene.c %D%/scene.h \
	%D%/speech.c %D%/speech.h %D%/update_file.c %D%/update_file.h
%C%_libscene_a_CFLAGS = $(%C%_test_crs_CFLAGS)
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_crs
endif
%C%_test_crs_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS) $(PROTOBUF_C_CFLAGS) \
	-DCRS='"$(abs_top_builddir)/rendezvous/crs"' \
	-DCRS_CLI='"$(abs_top_builddir)/rendezvous/crs-cli"' \
	-DCRS_RELAY='"$(abs_top_builddir)/rendezvous/crs-relay"'
%C%_test_crs_LDADD = %D%/libscene.a tests/keys/libsample.a $(CRS_LIBS) $(CMOCKA_LIBS)
EXTRA_tests_rendezvous_test_crs_DEPENDENCIES = rendezvous/crs rendezvous/crs-cli \
	rendezvous/crs-relay

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_apply
endif
%C%_test_apply_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS)
%C%_test_apply_LDADD = $(%C%_test_crs_LDADD)

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_crs_accounts
endif
%C%_test_crs_accounts_CFLAGS = $(%C%_test_crs_CFLAGS)
%C%_test_crs_accounts_LDADD = $(%C%_test_crs_LDADD)
EXTRA_tests_rendezvous_test_crs_accounts_DEPENDENCIES = rendezvous/crs rendezvous/crs-cli \
	rendezvous/crs-relay

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_crs_messages
endif
%C%_test_crs_messages_CFLAGS = $(%C%_test_crs_CFLAGS)
%C%_test_crs_messages_LDADD = %D%/libscene.a tests/keys/libsample.a $(CRS_LIBS) $(CMOCKA_LIBS)
EXTRA_tests_rendezvous_test_crs_messages_DEPENDENCIES = rendezvous/crs rendezvous/crs-cli

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_crs_cli
endif
%C%_test_crs_cli_CFLAGS = $(%C%_test_crs_CFLAGS)
%C%_test_crs_cli_LDADD = %D%/libscene.a $(CRS_LIBS) $(CMOCKA_LIBS)
EXTRA_tests_rendezvous_test_crs_cli_DEPENDENCIES = rendezvous/crs rendezvous/crs-cli

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_crs_connections
endif
%C%_test_crs_connections_CFLAGS = $(%C%_test_crs_CFLAGS)
%C%_test_crs_connections_LDADD = %D%/libscene.a $(CRS_LIBS) $(CMOCKA_LIBS)
EXTRA_tests_rendezvous_test_crs_connections_DEPENDENCIES = rendezvous/crs rendezvous/crs-cli

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_crs_statistics
endif
%C%_test_crs_statistics_CFLAGS = $(%C%_test_crs_CFLAGS)
%C%_test_crs_statistics_LDADD = %D%/libscene.a tests/keys/libsample.a $(CRS_LIBS) $(CMOCKA_LIBS)
EXTRA_tests_rendezvous_test_crs_statistics_DEPENDENCIES = rendezvous/crs rendezvous/crs-cli \
	rendezvous/crs-relay

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_crs_backup
endif
%C%_test_crs_backup_CFLAGS = $(%C%_test_crs_CFLAGS)
%C%_test_crs_backup_LDADD = %D%/libscene.a $(CRS_LIBS) $(CMOCKA_LIBS)
EXTRA_tests_rendezvous_test_crs_backup_DEPENDENCIES = rendezvous/crs rendezvous/crs-cli

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_backup_sealed
endif
%C%_test_backup_sealed_SOURCES = %D%/test_backup_sealed.c rendezvous/backup_sealed.c
%C%_test_backup_sealed_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS)
%C%_test_backup_sealed_LDADD = keys/libkeys.a base/libbase.a $(OPENSSL_LIBS) $(CMOCKA_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_backup_write
endif
%C%_test_backup_write_SOURCES = %D%/test_backup_write.c rendezvous/backup_redis.c \
	rendezvous/backup_sealed.c rendezvous/backup_write.c $(FAILING_FSYNC_SOURCES)
%C%_test_backup_write_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS) $(HIREDIS_CFLAGS) \
	$(ARCHIVE_CFLAGS) $(OPENSSL_CFLAGS)
%C%_test_backup_write_LDFLAGS = $(FAILING_FSYNC_LDFLAGS)
%C%_test_backup_write_LDADD = $(CRS_LIBS) $(ARCHIVE_LIBS) $(CMOCKA_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_apns
endif
%C%_test_apns_SOURCES = %D%/test_apns.c tests/umsg/loop.h
%C%_test_apns_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS)
%C%_test_apns_LDADD = $(CRS_LIBS) $(CURL_LIBS) $(CMOCKA_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_apns_refusal
endif
%C%_test_apns_refusal_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_apns_refusal_LDADD = rendezvous/libcrs.a base/libbase.a $(JANSSON_LIBS) $(CMOCKA_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_apns_token
endif
%C%_test_apns_token_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(OPENSSL_CFLAGS)
%C%_test_apns_token_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=free
%C%_test_apns_token_LDADD = rendezvous/libcrs.a base/libbase.a $(OPENSSL_LIBS) $(CMOCKA_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_cli_print
endif
%C%_test_cli_print_SOURCES = %D%/test_cli_print.c rendezvous/cli_print.c $(SCARCE_SOURCES)
%C%_test_cli_print_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS)
%C%_test_cli_print_LDFLAGS = $(SCARCE_LDFLAGS)
%C%_test_cli_print_LDADD = base/libbase.a $(JANSSON_LIBS) $(CMOCKA_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_redis_server
endif
%C%_test_redis_server_SOURCES = %D%/test_redis_server.c tests/umsg/loop.h
%C%_test_redis_server_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS)
%C%_test_redis_server_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_backup_redis
endif
%C%_test_backup_redis_SOURCES = %D%/test_backup_redis.c rendezvous/backup_redis.c
%C%_test_backup_redis_CFLAGS = $(AM_CFLAGS) $(HIREDIS_CFLAGS)
%C%_test_backup_redis_LDADD = base/libbase.a $(HIREDIS_LIBS) $(CMOCKA_LIBS) -lpthread

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_crs_events
endif
%C%_test_crs_events_CFLAGS = $(%C%_test_crs_CFLAGS)
%C%_test_crs_events_LDADD = %D%/libscene.a $(CRS_LIBS) $(CMOCKA_LIBS)
EXTRA_tests_rendezvous_test_crs_events_DEPENDENCIES = rendezvous/crs rendezvous/crs-cli \
	rendezvous/crs-relay

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_crs_health
endif
%C%_test_crs_health_CFLAGS = $(%C%_test_crs_CFLAGS) $(JANSSON_CFLAGS)
%C%_test_crs_health_LDADD = %D%/libscene.a tests/keys/libsample.a $(CRS_LIBS) $(CMOCKA_LIBS)
EXTRA_tests_rendezvous_test_crs_health_DEPENDENCIES = rendezvous/crs rendezvous/crs-cli \
	rendezvous/crs-relay

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_crs_admins
endif
%C%_test_crs_admins_CFLAGS = $(%C%_test_crs_CFLAGS) \
	-DCRA='"$(abs_top_builddir)/rendezvous/cra"'
%C%_test_crs_admins_LDADD = %D%/libscene.a tests/keys/libsample.a $(CRS_LIBS) $(CMOCKA_LIBS)
EXTRA_tests_rendezvous_test_crs_admins_DEPENDENCIES = rendezvous/cra rendezvous/crs rendezvous/crs-cli

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_crs_data
endif
%C%_test_crs_data_CFLAGS = $(%C%_test_crs_CFLAGS)
%C%_test_crs_data_LDADD = %D%/libscene.a tests/keys/libsample.a $(CRS_LIBS) $(CMOCKA_LIBS)
EXTRA_tests_rendezvous_test_crs_data_DEPENDENCIES = rendezvous/crs rendezvous/crs-cli

# WebSocket from its raw side
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_crs_websocket
endif
%C%_test_crs_websocket_SOURCES = %D%/test_crs_websocket.c %D%/raw.c %D%/raw.h \
	tests/tools/rude_link.c tests/tools/rude_link.h
%C%_test_crs_websocket_CFLAGS = $(%C%_test_crs_CFLAGS)
%C%_test_crs_websocket_LDADD = %D%/libscene.a $(CRS_LIBS) $(CMOCKA_LIBS)
EXTRA_tests_rendezvous_test_crs_websocket_DEPENDENCIES = rendezvous/crs rendezvous/crs-cli

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_crs_frames
endif
%C%_test_crs_frames_CFLAGS = $(%C%_test_crs_CFLAGS)
%C%_test_crs_frames_LDADD = %D%/libscene.a $(CRS_LIBS) $(CMOCKA_LIBS)
EXTRA_tests_rendezvous_test_crs_frames_DEPENDENCIES = rendezvous/crs rendezvous/crs-cli \
	rendezvous/crs-relay
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_crs_others
endif
%C%_test_crs_others_CFLAGS = $(%C%_test_crs_CFLAGS)
%C%_test_crs_others_LDADD = %D%/libscene.a tests/keys/libsample.a $(CRS_LIBS) $(CMOCKA_LIBS)
EXTRA_tests_rendezvous_test_crs_others_DEPENDENCIES = rendezvous/crs rendezvous/crs-cli \
	rendezvous/crs-relay

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_crs_faults
endif
%C%_test_crs_faults_CFLAGS = $(%C%_test_crs_CFLAGS) $(JANSSON_CFLAGS)
%C%_test_crs_faults_LDADD = %D%/libscene.a tests/keys/libsample.a $(CRS_LIBS) $(CMOCKA_LIBS)
EXTRA_tests_rendezvous_test_crs_faults_DEPENDENCIES = rendezvous/crs rendezvous/crs-cli \
	rendezvous/crs-relay

# a push service in node
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_crs_push
endif
EXTRA_DIST += %D%/apns_server.mjs
%C%_test_crs_push_CFLAGS = $(%C%_test_crs_CFLAGS)
%C%_test_crs_push_LDADD = %D%/libscene.a $(CRS_LIBS) $(CMOCKA_LIBS)
EXTRA_tests_rendezvous_test_crs_push_DEPENDENCIES = rendezvous/crs rendezvous/crs-cli \
	rendezvous/crs-relay

# not run by check: see tests/bench
if HAVE_CMOCKA
EXTRA_PROGRAMS += tests/bench/bench_crs tests/bench/bench_storm
endif
tests_bench_bench_crs_SOURCES = tests/bench/bench_crs.c tests/bench/bench.c tests/bench/bench.h \
	tests/bench/bare_tls.c tests/bench/bare_tls.h tests/bench/bare_server.c tests/bench/bare_server.h \
	tests/bench/redis_alone.c tests/bench/redis_alone.h \
	tests/tools/redis_spawn.c tests/tools/redis_spawn.h
tests_bench_bench_crs_CFLAGS = $(%C%_test_crs_CFLAGS) $(HIREDIS_CFLAGS)
tests_bench_bench_crs_LDADD = %D%/libscene.a $(CRS_LIBS) $(CMOCKA_LIBS)
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_worker_memory
endif
%C%_test_worker_memory_SOURCES = %D%/test_worker_memory.c $(SCARCE_SOURCES) \
	$(FAKE_WORKER)
%C%_test_worker_memory_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS) $(PROTOBUF_C_CFLAGS)
%C%_test_worker_memory_LDFLAGS = $(SCARCE_LDFLAGS) -Wl,-z,muldefs
%C%_test_worker_memory_LDADD = $(CRS_LIBS) media/libmedia.a base/libbase.a $(OPENSSL_LIBS) \
	$(CMOCKA_LIBS)
$(%C%_test_worker_memory_OBJECTS): $(BUILT_SOURCES)
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_worker_promises
endif
%C%_test_worker_promises_SOURCES = %D%/test_worker_promises.c %D%/speech.c %D%/speech.h \
	$(FAKE_WORKER)
%C%_test_worker_promises_CFLAGS = $(%C%_test_worker_memory_CFLAGS)
%C%_test_worker_promises_LDFLAGS = $(AM_LDFLAGS) -Wl,-z,muldefs
%C%_test_worker_promises_LDADD = $(%C%_test_worker_memory_LDADD)
$(%C%_test_worker_promises_OBJECTS): $(BUILT_SOURCES)
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_worker_queries
endif
%C%_test_worker_queries_SOURCES = %D%/test_worker_queries.c $(SCARCE_SOURCES) $(FAKE_WORKER)
%C%_test_worker_queries_CFLAGS = $(%C%_test_worker_memory_CFLAGS)
%C%_test_worker_queries_LDFLAGS = $(%C%_test_worker_memory_LDFLAGS)
%C%_test_worker_queries_LDADD = $(%C%_test_worker_memory_LDADD)
$(%C%_test_worker_queries_OBJECTS): $(BUILT_SOURCES)
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_holder_admin
endif
%C%_test_holder_admin_SOURCES = %D%/test_holder_admin.c $(FAKE_WORKER)
%C%_test_holder_admin_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS) $(PROTOBUF_C_CFLAGS)
%C%_test_holder_admin_LDFLAGS = $(AM_LDFLAGS) -Wl,-z,muldefs
%C%_test_holder_admin_LDADD = $(%C%_test_worker_memory_LDADD)
$(%C%_test_holder_admin_OBJECTS): $(BUILT_SOURCES)
tests_bench_bench_storm_SOURCES = tests/bench/bench_storm.c tests/bench/bench.c \
	tests/bench/bench.h
tests_bench_bench_storm_CFLAGS = $(%C%_test_crs_CFLAGS)
tests_bench_bench_storm_LDADD = %D%/libscene.a $(CRS_LIBS) $(CMOCKA_LIBS)
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_metrics
endif
%C%_test_metrics_SOURCES = %D%/test_metrics.c %D%/desk.c %D%/desk.h \
	tests/tools/played_figures.c tests/tools/played_figures.h \
	tests/fuzz/fake_clock.c tests/fuzz/fake_clock.h
%C%_test_metrics_CFLAGS = $(%C%_test_supervisor_CFLAGS)
%C%_test_metrics_LDFLAGS = $(%C%_test_supervisor_LDFLAGS)
%C%_test_metrics_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)

# crs and crs-relay with words and files that mean nothing
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_words
endif
%C%_test_words_CFLAGS = $(%C%_test_crs_CFLAGS)
%C%_test_words_LDADD = $(%C%_test_crs_LDADD)
EXTRA_tests_rendezvous_test_words_DEPENDENCIES = rendezvous/crs rendezvous/crs-relay

# small modules of crs and crs-cli, with what they call played
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_cli_accounts %D%/test_cli_origin %D%/test_home_unheard
endif
%C%_test_cli_accounts_SOURCES = %D%/test_cli_accounts.c rendezvous/cli_accounts.c rendezvous/cli_print.c $(INSIDE)
%C%_test_cli_accounts_CFLAGS = $(rendezvous_crs_cli_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_cli_accounts_LDADD = $(CRS_LIBS) $(CMOCKA_LIBS)
%C%_test_cli_origin_SOURCES = %D%/test_cli_origin.c rendezvous/cli_origin.c
%C%_test_cli_origin_CFLAGS = $(rendezvous_crs_cli_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_cli_origin_LDADD = base/libbase.a $(CMOCKA_LIBS)
%C%_test_home_unheard_SOURCES = %D%/test_home_unheard.c rendezvous/home_unheard.c
%C%_test_home_unheard_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS) $(OPENSSL_CFLAGS) $(PROTOBUF_C_CFLAGS) \
	$(HIREDIS_CFLAGS) $(JANSSON_CFLAGS)
%C%_test_home_unheard_LDADD = $(CMOCKA_LIBS)
$(%C%_test_cli_accounts_OBJECTS) $(%C%_test_cli_origin_OBJECTS) $(%C%_test_home_unheard_OBJECTS): $(BUILT_SOURCES)
