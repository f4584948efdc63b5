# tests of maps/
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_uri %D%/test_map %D%/test_translate_map %D%/test_route \
	%D%/test_client_rules
endif
%C%_test_uri_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_uri_LDADD = maps/libmaps.a base/libbase.a $(CMOCKA_LIBS)
%C%_test_map_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_map_LDADD = maps/libmaps.a base/libbase.a $(CMOCKA_LIBS)
%C%_test_translate_map_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_translate_map_LDADD = maps/libmaps.a base/libbase.a $(CMOCKA_LIBS)
%C%_test_route_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_route_LDADD = maps/libmaps.a base/libbase.a $(CMOCKA_LIBS)
%C%_test_client_rules_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_client_rules_LDADD = maps/libmaps.a base/libbase.a $(CMOCKA_LIBS)
# not run by check: see tests/bench
EXTRA_PROGRAMS += tests/bench/bench_maps
tests_bench_bench_maps_LDADD = maps/libmaps.a base/libbase.a
