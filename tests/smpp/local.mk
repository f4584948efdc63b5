# tests of smpp/
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_pdu %D%/test_alphabet %D%/test_segment %D%/test_receipt %D%/test_session \
	%D%/test_session_in %D%/test_center %D%/test_center_faults %D%/test_tls
endif
%C%_test_pdu_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(SMPP34_CFLAGS)
%C%_test_pdu_LDADD = smpp/libsmpp.a base/libbase.a $(CMOCKA_LIBS) $(SMPP34_LIBS)
%C%_test_alphabet_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_alphabet_LDADD = smpp/libsmpp.a base/libbase.a $(CMOCKA_LIBS)
%C%_test_segment_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_segment_LDADD = smpp/libsmpp.a base/libbase.a $(CMOCKA_LIBS)
%C%_test_receipt_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_receipt_LDADD = smpp/libsmpp.a base/libbase.a $(CMOCKA_LIBS)
%C%_test_session_SOURCES = %D%/test_session.c %D%/session_seen.c %D%/session_seen.h
%C%_test_session_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_session_LDADD = smpp/libsmpp.a base/libbase.a $(CMOCKA_LIBS)
%C%_test_session_in_SOURCES = %D%/test_session_in.c %D%/session_seen.c %D%/session_seen.h
%C%_test_session_in_CFLAGS = $(%C%_test_session_CFLAGS)
%C%_test_session_in_LDADD = $(%C%_test_session_LDADD)
%C%_test_center_SOURCES = %D%/test_center.c %D%/center_world.c %D%/center_world.h %D%/fake_center.c %D%/fake_center.h
%C%_test_center_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS)
%C%_test_center_LDADD = $(SMPP_LIBS) $(CMOCKA_LIBS)
%C%_test_center_faults_SOURCES = %D%/test_center_faults.c %D%/center_world.c %D%/center_world.h \
	%D%/fake_center.c %D%/fake_center.h
%C%_test_center_faults_CFLAGS = $(%C%_test_center_CFLAGS)
%C%_test_center_faults_LDADD = $(%C%_test_center_LDADD)
# minutes pass without waiting for them
%C%_test_center_faults_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_mono_ms
%C%_test_tls_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(OPENSSL_CFLAGS)
%C%_test_tls_LDADD = tests/gateway/libsip_driver.a $(SMPP_LIBS) $(CMOCKA_LIBS)
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_wire
endif
%C%_test_wire_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(EVENT_CFLAGS) $(OPENSSL_CFLAGS)
%C%_test_wire_LDFLAGS = $(AM_LDFLAGS) -Wl,-z,muldefs
%C%_test_wire_LDADD = tests/gateway/libsip_driver.a $(SMPP_LIBS) $(CMOCKA_LIBS)
