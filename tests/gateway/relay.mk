# tests of cig-relay
if HAVE_CMOCKA
check_PROGRAMS += tests/gateway/test_load tests/gateway/test_ports tests/gateway/test_relay \
	tests/gateway/test_relay_worker tests/gateway/test_sockets
endif
tests_gateway_test_load_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_gateway_test_load_LDADD = $(RELAY_LDADD) $(CMOCKA_LIBS)
tests_gateway_test_ports_SOURCES = tests/gateway/test_ports.c tests/tools/loopback.h
tests_gateway_test_ports_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_gateway_test_ports_LDADD = $(RELAY_LDADD) $(CMOCKA_LIBS)
tests_gateway_test_sockets_SOURCES = tests/gateway/test_sockets.c tests/tools/loopback.h
tests_gateway_test_sockets_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
tests_gateway_test_sockets_LDADD = $(RELAY_LDADD) $(CMOCKA_LIBS)
tests_gateway_test_relay_worker_SOURCES = tests/gateway/test_relay_worker.c tests/umsg/loop.h $(SCARCE_SOURCES)
tests_gateway_test_relay_worker_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS) $(EVENT_CFLAGS)
tests_gateway_test_relay_worker_LDADD = $(RELAY_LDADD) $(CMOCKA_LIBS)
tests_gateway_test_relay_worker_LDFLAGS = $(SCARCE_LDFLAGS)
tests_gateway_test_relay_SOURCES = tests/gateway/test_relay.c \
	tests/gateway/relay_rig.c tests/gateway/relay_rig.h \
	tests/media/speech.c tests/media/speech.h tests/tools/loopback.h
tests_gateway_test_relay_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS) $(EVENT_CFLAGS)
tests_gateway_test_relay_LDADD = $(RELAY_LDADD) $(CMOCKA_LIBS)
# it starts the program
EXTRA_tests_gateway_test_relay_DEPENDENCIES = gateway/cig-relay$(EXEEXT)

# not run by check: see tests/bench
EXTRA_PROGRAMS += tests/bench/bench_media
tests_bench_bench_media_SOURCES = tests/bench/bench_media.c tests/bench/bench.c tests/bench/bench.h \
	tests/bench/media_ends.c tests/bench/media_ends.h tests/bench/media_relay.c tests/bench/media_relay.h \
	tests/bench/media_speech.c tests/bench/media_speech.h tests/media/speech.c \
	tests/media/speech.h
tests_bench_bench_media_CFLAGS = $(AM_CFLAGS) $(PROTOBUF_C_CFLAGS)
tests_bench_bench_media_LDADD = $(RELAY_LDADD)
