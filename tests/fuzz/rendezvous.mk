# fuzz targets of rendezvous/
FUZZ_TARGETS += tests/fuzz/fuzz_relay_packet tests/fuzz/fuzz_rendezvous
tests_fuzz_fuzz_relay_packet_SOURCES = tests/fuzz/fuzz_relay_packet.c $(FUZZ_MAIN)
tests_fuzz_fuzz_relay_packet_CPPFLAGS = $(AM_CPPFLAGS) $(PROTOBUF_C_CFLAGS)
tests_fuzz_fuzz_relay_packet_LDFLAGS = $(FUZZING_LDFLAGS)
tests_fuzz_fuzz_relay_packet_LDADD = rendezvous/librelay.a media/libmedia.a base/libbase.a \
	$(OPENSSL_LIBS) $(PROTOBUF_C_LIBS)
tests_fuzz_fuzz_rendezvous_SOURCES = tests/fuzz/fuzz_rendezvous.c \
	tests/fuzz/fake_clock.c tests/fuzz/fake_clock.h \
	tests/fuzz/fake_link.c tests/fuzz/fake_link.h \
	tests/fuzz/fake_worker.c tests/fuzz/fake_worker.h $(FUZZ_MAIN)
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
	rendezvous/backup_redis.c rendezvous/backup_restore.c rendezvous/backup_write.c $(FUZZ_MAIN)
tests_fuzz_fuzz_backup_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(HIREDIS_CFLAGS) $(ARCHIVE_CFLAGS)
tests_fuzz_fuzz_backup_LDFLAGS = $(FUZZING_LDFLAGS)
tests_fuzz_fuzz_backup_LDADD = $(CRS_LIBS) $(ARCHIVE_LIBS)
$(tests_fuzz_fuzz_rendezvous_OBJECTS): $(BUILT_SOURCES)
$(tests_fuzz_fuzz_relay_packet_OBJECTS): $(BUILT_SOURCES)
