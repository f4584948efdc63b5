# fuzz targets of umsg/
EXTRA_DIST += tests/fuzz/corpus/frame
FUZZ_TARGETS += tests/fuzz/fuzz_frame
tests_fuzz_fuzz_frame_SOURCES = tests/fuzz/fuzz_frame.c $(FUZZ_MAIN)
tests_fuzz_fuzz_frame_CPPFLAGS = $(AM_CPPFLAGS) $(PROTOBUF_C_CFLAGS)
tests_fuzz_fuzz_frame_LDFLAGS = $(FUZZING_LDFLAGS)
tests_fuzz_fuzz_frame_LDADD = $(UMSG_LIBS)
$(tests_fuzz_fuzz_frame_OBJECTS): umsg/umsg.pb-c.h
EXTRA_DIST += tests/fuzz/corpus/upgrade
FUZZ_TARGETS += tests/fuzz/fuzz_upgrade
tests_fuzz_fuzz_upgrade_SOURCES = tests/fuzz/fuzz_upgrade.c $(FUZZ_MAIN)
tests_fuzz_fuzz_upgrade_LDFLAGS = $(FUZZING_LDFLAGS)
tests_fuzz_fuzz_upgrade_LDADD = $(UMSG_LIBS)
EXTRA_DIST += tests/fuzz/corpus/sealed
FUZZ_TARGETS += tests/fuzz/fuzz_sealed
tests_fuzz_fuzz_sealed_SOURCES = tests/fuzz/fuzz_sealed.c $(FUZZ_MAIN)
tests_fuzz_fuzz_sealed_CPPFLAGS = $(AM_CPPFLAGS) $(PROTOBUF_C_CFLAGS)
tests_fuzz_fuzz_sealed_LDFLAGS = $(FUZZING_LDFLAGS)
tests_fuzz_fuzz_sealed_LDADD = $(UMSG_LIBS)
$(tests_fuzz_fuzz_sealed_OBJECTS): umsg/umsg.pb-c.h
FUZZ_TARGETS += tests/fuzz/fuzz_client
tests_fuzz_fuzz_client_SOURCES = tests/fuzz/fuzz_client.c \
	tests/fuzz/client_keys.c tests/fuzz/client_keys.h \
	tests/fuzz/fake_clock.c tests/fuzz/fake_clock.h \
	tests/fuzz/fake_link.c tests/fuzz/fake_link.h $(FUZZ_MAIN)
tests_fuzz_fuzz_client_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS) $(PROTOBUF_C_CFLAGS)
tests_fuzz_fuzz_client_LDFLAGS = $(FUZZING_LDFLAGS)
tests_fuzz_fuzz_client_LDADD = $(UMSG_LIBS)
$(tests_fuzz_fuzz_client_OBJECTS): umsg/umsg.pb-c.h
FUZZ_TARGETS += tests/fuzz/fuzz_link
tests_fuzz_fuzz_link_SOURCES = tests/fuzz/fuzz_link.c tests/fuzz/quiet.h $(FUZZ_MAIN)
tests_fuzz_fuzz_link_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS) $(PROTOBUF_C_CFLAGS)
tests_fuzz_fuzz_link_LDFLAGS = $(FUZZING_LDFLAGS)
tests_fuzz_fuzz_link_LDADD = $(UMSG_LIBS)
