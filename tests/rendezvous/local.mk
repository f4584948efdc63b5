# tests of rendezvous/
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_relay_table
endif
%C%_test_relay_table_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
%C%_test_relay_table_LDADD = rendezvous/librelay.a media/libmedia.a base/libbase.a \
	$(CMOCKA_LIBS) $(OPENSSL_LIBS) $(PROTOBUF_C_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_crs_relay
endif
%C%_test_crs_relay_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS) $(PROTOBUF_C_CFLAGS) \
	-DCRS_RELAY='"$(abs_top_builddir)/rendezvous/crs-relay"'
%C%_test_crs_relay_LDADD = rendezvous/librelay.a media/libmedia.a base/libbase.a \
	$(CMOCKA_LIBS) $(EVENT_LIBS) $(OPENSSL_LIBS) $(PROTOBUF_C_LIBS)
EXTRA_tests_rendezvous_test_crs_relay_DEPENDENCIES = rendezvous/crs-relay
