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
$(tests_fuzz_fuzz_rendezvous_OBJECTS): $(BUILT_SOURCES)
$(tests_fuzz_fuzz_relay_packet_OBJECTS): $(BUILT_SOURCES)
