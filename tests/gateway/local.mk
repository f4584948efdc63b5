# tests of gateway/
include tests/gateway/relay.mk
include tests/gateway/sip.mk
include tests/gateway/config.mk
include tests/gateway/server.mk
# create_cig_maildir within a test
if HAVE_CMOCKA
check_PROGRAMS += tests/gateway/test_create_cig_maildir
endif
tests_gateway_test_create_cig_maildir_SOURCES = tests/gateway/test_create_cig_maildir.c $(INSIDE) \
	$(gateway_create_cig_maildir_SOURCES)
tests_gateway_test_create_cig_maildir_CPPFLAGS = $(AM_CPPFLAGS) -Dmain=create_cig_maildir_main
# create_cig_maildir_main() has no header
tests_gateway_test_create_cig_maildir_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -Wno-missing-prototypes
tests_gateway_test_create_cig_maildir_LDADD = $(gateway_create_cig_maildir_LDADD) $(CMOCKA_LIBS)
# the real cig-server with its cig-sip
if HAVE_CMOCKA
check_PROGRAMS += tests/gateway/test_cig_server
endif
tests_gateway_test_cig_server_SOURCES = tests/gateway/test_cig_server.c \
	tests/gateway/sip_programs.c tests/gateway/sip_programs.h
tests_gateway_test_cig_server_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_gateway_test_cig_server_LDADD = tests/keys/libsample.a keys/libkeys.a base/libbase.a \
	$(OPENSSL_LIBS) $(PROTOBUF_C_LIBS) $(CMOCKA_LIBS)
EXTRA_tests_gateway_test_cig_server_DEPENDENCIES = gateway/cig-server gateway/cig-sip gateway/cig-relay \
	gateway/cig-cli
# commands of cig-relay, and who may come in
if HAVE_CMOCKA
check_PROGRAMS += tests/gateway/test_command tests/gateway/test_pbx_door
endif
tests_gateway_test_command_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
tests_gateway_test_command_LDADD = $(RELAY_LDADD) $(CMOCKA_LIBS)
tests_gateway_test_pbx_door_SOURCES = tests/gateway/test_pbx_door.c \
	tests/fuzz/fake_clock.c tests/fuzz/fake_clock.h
tests_gateway_test_pbx_door_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_gateway_test_pbx_door_LDADD = gateway/libgateway.a gateway/libsip_text.a base/libbase.a \
	$(OPENSSL_LIBS) $(CMOCKA_LIBS)
