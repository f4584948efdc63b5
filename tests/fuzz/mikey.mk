FUZZ_TARGETS += %D%/fuzz_mikey
%C%_fuzz_mikey_SOURCES = %D%/fuzz_mikey.c $(FUZZ_MAIN)
%C%_fuzz_mikey_LDFLAGS = $(FUZZING_LDFLAGS)
%C%_fuzz_mikey_LDADD = keys/libkeys.a base/libbase.a $(OPENSSL_LIBS)
EXTRA_DIST += %D%/corpus/mikey
