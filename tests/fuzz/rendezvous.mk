# fuzz targets of rendezvous/
FUZZ_TARGETS += tests/fuzz/fuzz_relay_packet tests/fuzz/fuzz_rendezvous
tests_fuzz_fuzz_relay_packet_SOURCES = tests/fuzz/fuzz_relay_packet.c $(FUZZ_MAIN)
tests_fuzz_fuzz_relay_packet_CPPFLAGS = $(AM_CPPFLAGS) $(PROTOBUF_C_CFLAGS)
tests_fuzz_fuzz_relay_packet_LDFLAGS = $(FUZZING_LDFLAGS)
tests_fuzz_fuzz_relay_packet_LDADD = rendezvous/librelay.a media/libmedia.a base/libbase.a \
	$(OPENSSL_LIBS) $(PROTOBUF_C_LIBS)
# a worker in memory; linked with -z muldefs
FAKE_WORKER = tests/fuzz/fake_clock.c tests/fuzz/fake_clock.h \
	tests/fuzz/fake_link.c tests/fuzz/fake_link.h \
	tests/fuzz/fake_worker.c tests/fuzz/fake_worker.h \
	tests/fuzz/fake_store.c tests/fuzz/fake_relay.c
tests_fuzz_fuzz_rendezvous_SOURCES = tests/fuzz/fuzz_rendezvous.c \
	$(FAKE_WORKER) $(FUZZ_MAIN)
tests_fuzz_fuzz_rendezvous_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS) $(PROTOBUF_C_CFLAGS)
tests_fuzz_fuzz_rendezvous_LDFLAGS = $(FUZZING_LDFLAGS) -Wl,-z,muldefs
tests_fuzz_fuzz_rendezvous_LDADD = $(CRS_LIBS) media/libmedia.a base/libbase.a $(OPENSSL_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_crs_config tests/fuzz/fuzz_passing tests/fuzz/fuzz_backup
tests_fuzz_fuzz_crs_config_SOURCES = tests/fuzz/fuzz_crs_config.c tests/fuzz/place.h $(FUZZ_MAIN)
tests_fuzz_fuzz_crs_config_LDFLAGS = $(FUZZING_LDFLAGS)
tests_fuzz_fuzz_crs_config_LDADD = $(CRS_LIBS)
tests_fuzz_fuzz_passing_SOURCES = tests/fuzz/fuzz_passing.c $(FUZZ_MAIN)
tests_fuzz_fuzz_passing_LDFLAGS = $(FUZZING_LDFLAGS)
tests_fuzz_fuzz_passing_LDADD = $(CRS_LIBS)
tests_fuzz_fuzz_backup_SOURCES = tests/fuzz/fuzz_backup.c tests/fuzz/place.h tests/fuzz/quiet.h \
	rendezvous/backup_members.c rendezvous/backup_redis.c rendezvous/backup_restore.c rendezvous/backup_sealed.c \
	rendezvous/backup_write.c $(FUZZ_MAIN)
tests_fuzz_fuzz_backup_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(HIREDIS_CFLAGS) $(ARCHIVE_CFLAGS)
tests_fuzz_fuzz_backup_LDFLAGS = $(FUZZING_LDFLAGS)
tests_fuzz_fuzz_backup_LDADD = $(CRS_LIBS) $(ARCHIVE_LIBS)
$(tests_fuzz_fuzz_rendezvous_OBJECTS): $(BUILT_SOURCES)
$(tests_fuzz_fuzz_relay_packet_OBJECTS): $(BUILT_SOURCES)
FUZZ_TARGETS += tests/fuzz/fuzz_store
tests_fuzz_fuzz_store_SOURCES = tests/fuzz/fuzz_store.c tests/fuzz/place.h tests/fuzz/quiet.h $(FUZZ_MAIN)
tests_fuzz_fuzz_store_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(HIREDIS_CFLAGS)
tests_fuzz_fuzz_store_LDFLAGS = $(FUZZING_LDFLAGS)
tests_fuzz_fuzz_store_LDADD = $(CRS_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_admin
tests_fuzz_fuzz_admin_SOURCES = tests/fuzz/fuzz_admin.c tests/fuzz/place.h tests/fuzz/quiet.h \
	$(FAKE_WORKER) $(FUZZ_MAIN)
tests_fuzz_fuzz_admin_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS) $(PROTOBUF_C_CFLAGS)
tests_fuzz_fuzz_admin_LDFLAGS = $(FUZZING_LDFLAGS) -Wl,-z,muldefs
tests_fuzz_fuzz_admin_LDADD = $(CRS_LIBS) media/libmedia.a base/libbase.a $(OPENSSL_LIBS)
$(tests_fuzz_fuzz_admin_OBJECTS): $(BUILT_SOURCES)
FUZZ_TARGETS += tests/fuzz/fuzz_supervisor
tests_fuzz_fuzz_supervisor_SOURCES = tests/fuzz/fuzz_supervisor.c tests/fuzz/place.h tests/fuzz/quiet.h \
	tests/rendezvous/desk.c tests/rendezvous/desk.h $(FUZZ_MAIN)
tests_fuzz_fuzz_supervisor_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS) $(PROTOBUF_C_CFLAGS)
tests_fuzz_fuzz_supervisor_LDFLAGS = $(FUZZING_LDFLAGS) -Wl,-z,muldefs
tests_fuzz_fuzz_supervisor_LDADD = $(CRS_LIBS)
$(tests_fuzz_fuzz_supervisor_OBJECTS): $(BUILT_SOURCES)
FUZZ_TARGETS += tests/fuzz/fuzz_shown
tests_fuzz_fuzz_shown_SOURCES = tests/fuzz/fuzz_shown.c tests/fuzz/fake_link.c tests/fuzz/fake_link.h \
	rendezvous/cli.h rendezvous/cli_accounts.c rendezvous/cli_admins.c rendezvous/cli_health.c rendezvous/cli_print.c \
	rendezvous/cli_show.c rendezvous/cli_statistics.c rendezvous/cli_trace.c rendezvous/cra_client.c \
	rendezvous/cra_client.h rendezvous/cra_print.c rendezvous/cra_print.h rendezvous/health_clients.h \
	rendezvous/health_report.c rendezvous/health_report.h $(FUZZ_MAIN)
tests_fuzz_fuzz_shown_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(PROTOBUF_C_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_shown_LDFLAGS = $(FUZZING_LDFLAGS) -Wl,-z,muldefs
tests_fuzz_fuzz_shown_LDADD = $(CRS_LIBS)
$(tests_fuzz_fuzz_shown_OBJECTS): $(BUILT_SOURCES)
FUZZ_TARGETS += tests/fuzz/fuzz_apns
tests_fuzz_fuzz_apns_SOURCES = tests/fuzz/fuzz_apns.c $(FUZZ_MAIN)
tests_fuzz_fuzz_apns_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_apns_LDFLAGS = $(FUZZING_LDFLAGS)
tests_fuzz_fuzz_apns_LDADD = rendezvous/libcrs.a base/libbase.a $(JANSSON_LIBS)
