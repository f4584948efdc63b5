# tests of cig-sip and of what it shares with cig-server
if HAVE_CMOCKA
check_PROGRAMS += tests/gateway/test_sdp tests/gateway/test_digest
endif
tests_gateway_test_sdp_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_gateway_test_sdp_LDADD = gateway/libsip_text.a base/libbase.a $(CMOCKA_LIBS)
tests_gateway_test_digest_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_gateway_test_digest_LDADD = \
	gateway/libsip_text.a base/libbase.a $(OPENSSL_LIBS) $(CMOCKA_LIBS)
