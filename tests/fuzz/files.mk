# fuzz targets of files and texts that programs find again
FUZZ_TARGETS += tests/fuzz/fuzz_state_file tests/fuzz/fuzz_text tests/fuzz/fuzz_control
tests_fuzz_fuzz_state_file_SOURCES = tests/fuzz/fuzz_state_file.c tests/fuzz/place.h $(FUZZ_MAIN)
tests_fuzz_fuzz_state_file_CPPFLAGS = $(AM_CPPFLAGS) $(PROTOBUF_C_CFLAGS)
tests_fuzz_fuzz_state_file_LDFLAGS = $(FUZZING_LDFLAGS)
tests_fuzz_fuzz_state_file_LDADD = rendezvous/libcrs.a umsg/libumsg.a mailbox/libmailbox.a \
	media/libmedia.a keys/libkeys.a base/libbase.a $(CONFUSE_LIBS) $(OPENSSL_LIBS) $(PROTOBUF_C_LIBS)
tests_fuzz_fuzz_text_SOURCES = tests/fuzz/fuzz_text.c $(FUZZ_MAIN)
tests_fuzz_fuzz_text_LDFLAGS = $(FUZZING_LDFLAGS)
tests_fuzz_fuzz_text_LDADD = management/libmanagement.a keys/libkeys.a base/libbase.a $(OPENSSL_LIBS) \
	$(PROTOBUF_C_LIBS) $(SQLITE_LIBS)
tests_fuzz_fuzz_control_SOURCES = tests/fuzz/fuzz_control.c tests/fuzz/quiet.h $(FUZZ_MAIN)
tests_fuzz_fuzz_control_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_control_LDFLAGS = $(FUZZING_LDFLAGS)
tests_fuzz_fuzz_control_LDADD = base/libbase.a $(CONTROL_LIBS) $(EVENT_LIBS) $(OPENSSL_LIBS) -lpthread
$(tests_fuzz_fuzz_state_file_OBJECTS): $(BUILT_SOURCES)
