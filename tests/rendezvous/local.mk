# tests of rendezvous/
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_relay_table
endif
%C%_test_relay_table_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
%C%_test_relay_table_LDADD = rendezvous/librelay.a media/libmedia.a base/libbase.a \
	$(CMOCKA_LIBS) $(OPENSSL_LIBS) $(PROTOBUF_C_LIBS)
