# tests of cig.conf
if HAVE_CMOCKA
check_PROGRAMS += tests/gateway/test_cig_config tests/gateway/test_cig_config_use tests/gateway/test_manual \
	tests/gateway/test_cig_config_memory tests/gateway/test_cig_slips
endif
tests_gateway_test_cig_config_SOURCES = tests/gateway/test_cig_config.c tests/gateway/cig_text.h
tests_gateway_test_cig_config_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_gateway_test_cig_config_LDADD = $(CIG_CONFIG_LIBS) $(CMOCKA_LIBS)
tests_gateway_test_cig_config_use_SOURCES = tests/gateway/test_cig_config_use.c tests/gateway/cig_text.h
tests_gateway_test_cig_config_use_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_gateway_test_cig_config_use_LDADD = $(CIG_CONFIG_LIBS) $(CMOCKA_LIBS)
tests_gateway_test_cig_slips_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_gateway_test_cig_slips_LDADD = $(CIG_CONFIG_LIBS) $(CMOCKA_LIBS)
tests_gateway_test_manual_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_gateway_test_manual_LDADD = $(CIG_CONFIG_LIBS) $(CMOCKA_LIBS)
tests_gateway_test_cig_config_memory_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_gateway_test_cig_config_memory_LDADD = $(CIG_CONFIG_LIBS) $(CMOCKA_LIBS)
tests_gateway_test_cig_config_memory_SOURCES = tests/gateway/test_cig_config_memory.c $(SCARCE_SOURCES)
tests_gateway_test_cig_config_memory_LDFLAGS = $(SCARCE_LDFLAGS)
EXTRA_DIST += tests/manual
if HAVE_CMOCKA
check_PROGRAMS += tests/gateway/test_reload
endif
tests_gateway_test_reload_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS)
tests_gateway_test_reload_LDADD = gateway/libgateway.a $(CIG_CONFIG_LIBS) $(JANSSON_LIBS) $(CMOCKA_LIBS)
