# tests of keys/
KEYS_TESTS = %D%/test_fp %D%/test_fp8 %D%/test_comb %D%/test_hmac %D%/test_kdf %D%/test_box %D%/test_identity %D%/test_sakke %D%/test_eccsi \
	%D%/test_keyset %D%/test_mikey %D%/test_replay
if HAVE_CMOCKA
check_PROGRAMS += $(KEYS_TESTS)
endif
EXTRA_DIST += %D%/vectors/rfc6507-eccsi.txt %D%/vectors/rfc6508-sakke.txt \
	%D%/vectors/rfc6509-params.txt %D%/vectors/sakke-edge.txt
KEYS_TEST_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(OPENSSL_CFLAGS)
KEYS_TEST_LIBS = keys/libkeys.a base/libbase.a $(CMOCKA_LIBS) $(OPENSSL_LIBS)
# what many tests share, for those of other folders, too
if HAVE_CMOCKA
check_LIBRARIES += %D%/libsample.a
endif
%C%_libsample_a_SOURCES = %D%/party.c %D%/party.h %D%/sample.c %D%/sample.h \
	%D%/vectors.c %D%/vectors.h %D%/world.c %D%/world.h
%C%_libsample_a_CFLAGS = $(KEYS_TEST_CFLAGS)
%C%_test_fp_CFLAGS = $(KEYS_TEST_CFLAGS)
%C%_test_fp_LDADD = %D%/libsample.a $(KEYS_TEST_LIBS)
%C%_test_fp8_CFLAGS = $(KEYS_TEST_CFLAGS)
%C%_test_fp8_LDADD = $(KEYS_TEST_LIBS)
%C%_test_comb_CFLAGS = $(KEYS_TEST_CFLAGS)
%C%_test_comb_LDADD = $(KEYS_TEST_LIBS)
%C%_test_hmac_CFLAGS = $(KEYS_TEST_CFLAGS)
%C%_test_hmac_LDADD = $(KEYS_TEST_LIBS)
%C%_test_kdf_CFLAGS = $(KEYS_TEST_CFLAGS)
%C%_test_kdf_LDADD = $(KEYS_TEST_LIBS)
%C%_test_box_CFLAGS = $(KEYS_TEST_CFLAGS)
%C%_test_box_LDADD = $(KEYS_TEST_LIBS)
%C%_test_identity_CFLAGS = $(KEYS_TEST_CFLAGS)
%C%_test_identity_LDADD = %D%/libsample.a $(KEYS_TEST_LIBS)
%C%_test_eccsi_CFLAGS = $(KEYS_TEST_CFLAGS)
%C%_test_eccsi_LDADD = %D%/libsample.a $(KEYS_TEST_LIBS)
%C%_test_keyset_CFLAGS = $(KEYS_TEST_CFLAGS)
%C%_test_keyset_LDADD = %D%/libsample.a $(KEYS_TEST_LIBS)
%C%_test_mikey_CFLAGS = $(KEYS_TEST_CFLAGS)
%C%_test_mikey_LDADD = %D%/libsample.a $(KEYS_TEST_LIBS)
%C%_test_replay_CFLAGS = $(KEYS_TEST_CFLAGS)
%C%_test_replay_LDADD = $(KEYS_TEST_LIBS)
%C%_test_sakke_CFLAGS = $(KEYS_TEST_CFLAGS)
%C%_test_sakke_LDADD = %D%/libsample.a $(KEYS_TEST_LIBS)
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_account
endif
%C%_test_account_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_account_LDADD = keys/libkeys.a base/libbase.a $(CMOCKA_LIBS) $(OPENSSL_LIBS)
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_letter %D%/test_letter_text %D%/test_letter_file
endif
%C%_test_letter_CFLAGS = $(KEYS_TEST_CFLAGS)
%C%_test_letter_LDADD = %D%/libsample.a $(KEYS_TEST_LIBS) $(PROTOBUF_C_LIBS)
%C%_test_letter_file_CFLAGS = $(KEYS_TEST_CFLAGS)
%C%_test_letter_file_LDADD = %D%/libsample.a $(KEYS_TEST_LIBS) $(PROTOBUF_C_LIBS)
%C%_test_letter_text_CFLAGS = $(KEYS_TEST_CFLAGS)
%C%_test_letter_text_LDADD = %D%/libsample.a $(KEYS_TEST_LIBS) $(PROTOBUF_C_LIBS)
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_update
endif
%C%_test_update_CFLAGS = $(KEYS_TEST_CFLAGS)
%C%_test_update_LDADD = %D%/libsample.a $(KEYS_TEST_LIBS) $(PROTOBUF_C_LIBS)
# not run by check: see tests/bench
EXTRA_PROGRAMS += tests/bench/bench_keys
tests_bench_bench_keys_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS)
tests_bench_bench_keys_LDADD = keys/libkeys.a base/libbase.a $(OPENSSL_LIBS)
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_keystore %D%/test_keystore_update
endif
%C%_test_keystore_CFLAGS = $(KEYS_TEST_CFLAGS)
%C%_test_keystore_LDADD = %D%/libsample.a $(KEYS_TEST_LIBS) $(PROTOBUF_C_LIBS)
%C%_test_keystore_update_CFLAGS = $(KEYS_TEST_CFLAGS)
%C%_test_keystore_update_LDADD = %D%/libsample.a $(KEYS_TEST_LIBS) $(PROTOBUF_C_LIBS)
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_certificate
endif
%C%_test_certificate_CFLAGS = $(KEYS_TEST_CFLAGS)
%C%_test_certificate_LDADD = %D%/libsample.a $(KEYS_TEST_LIBS) $(PROTOBUF_C_LIBS)
# builds a program of its own, as valgrind does not run with sanitizers
TESTS += %D%/test_constant_time
EXTRA_DIST += %D%/test_constant_time %D%/constant_time.c %D%/valgrind.supp
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_key_ring
endif
%C%_test_key_ring_SOURCES = %D%/test_key_ring.c $(SCARCE_SOURCES)
%C%_test_key_ring_CFLAGS = $(KEYS_TEST_CFLAGS)
%C%_test_key_ring_LDFLAGS = $(SCARCE_LDFLAGS)
%C%_test_key_ring_LDADD = %D%/libsample.a $(KEYS_TEST_LIBS) $(PROTOBUF_C_LIBS)
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_passphrase
endif
%C%_test_passphrase_CFLAGS = $(KEYS_TEST_CFLAGS)
%C%_test_passphrase_LDADD = $(KEYS_TEST_LIBS)
