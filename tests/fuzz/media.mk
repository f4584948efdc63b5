# fuzz targets of media/ and cig-relay
FUZZ_TARGETS += tests/fuzz/fuzz_rtp tests/fuzz/fuzz_relay_command
tests_fuzz_fuzz_rtp_SOURCES = tests/fuzz/fuzz_rtp.c $(FUZZ_MAIN)
tests_fuzz_fuzz_rtp_LDFLAGS = $(FUZZING_LDFLAGS)
tests_fuzz_fuzz_rtp_LDADD = media/libmedia.a base/libbase.a $(MEDIA_LIBS)
tests_fuzz_fuzz_relay_command_SOURCES = tests/fuzz/fuzz_relay_command.c $(FUZZ_MAIN)
tests_fuzz_fuzz_relay_command_LDFLAGS = $(FUZZING_LDFLAGS)
tests_fuzz_fuzz_relay_command_LDADD = $(RELAY_LDADD)
EXTRA_DIST += tests/fuzz/corpus/stun tests/fuzz/corpus/rtp tests/fuzz/corpus/relay_command
FUZZ_TARGETS += tests/fuzz/fuzz_secure_leg
tests_fuzz_fuzz_secure_leg_SOURCES = tests/fuzz/fuzz_secure_leg.c $(FUZZ_MAIN)
tests_fuzz_fuzz_secure_leg_LDFLAGS = $(FUZZING_LDFLAGS)
tests_fuzz_fuzz_secure_leg_LDADD = media/libmedia.a base/libbase.a $(MEDIA_LIBS)
