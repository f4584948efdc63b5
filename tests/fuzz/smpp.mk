# the fuzz target of smpp/
EXTRA_DIST += tests/fuzz/corpus/smpp
FUZZ_TARGETS += tests/fuzz/fuzz_smpp
tests_fuzz_fuzz_smpp_SOURCES = tests/fuzz/fuzz_smpp.c $(FUZZ_MAIN)
tests_fuzz_fuzz_smpp_LDFLAGS = $(FUZZING_LDFLAGS)
tests_fuzz_fuzz_smpp_LDADD = smpp/libsmpp.a base/libbase.a
