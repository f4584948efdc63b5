# tests of management/
MANAGEMENT_TESTS = %D%/test_database %D%/test_issue %D%/test_settings %D%/test_tsv %D%/test_vault
if HAVE_CMOCKA
check_PROGRAMS += $(MANAGEMENT_TESTS)
endif
MANAGEMENT_TEST_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(OPENSSL_CFLAGS) $(SQLITE_CFLAGS)
MANAGEMENT_TEST_LIBS = management/libmanagement.a keys/libkeys.a base/libbase.a \
	$(CMOCKA_LIBS) $(SQLITE_LIBS) $(OPENSSL_LIBS) $(PROTOBUF_C_LIBS)
%C%_test_database_CFLAGS = $(MANAGEMENT_TEST_CFLAGS)
%C%_test_database_LDADD = $(MANAGEMENT_TEST_LIBS)
%C%_test_issue_CFLAGS = $(MANAGEMENT_TEST_CFLAGS)
%C%_test_issue_LDADD = $(MANAGEMENT_TEST_LIBS)
%C%_test_settings_CFLAGS = $(MANAGEMENT_TEST_CFLAGS)
%C%_test_settings_LDADD = $(MANAGEMENT_TEST_LIBS)
%C%_test_vault_CFLAGS = $(MANAGEMENT_TEST_CFLAGS)
%C%_test_vault_LDADD = $(MANAGEMENT_TEST_LIBS)
%C%_test_tsv_CFLAGS = $(MANAGEMENT_TEST_CFLAGS)
%C%_test_tsv_LDADD = $(MANAGEMENT_TEST_LIBS)
# the whole program within a test
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_cms
endif
%C%_test_cms_SOURCES = %D%/test_cms.c tests/fuzz/fake_clock.c tests/fuzz/fake_clock.h \
	$(management_cms_SOURCES)
%C%_test_cms_CPPFLAGS = $(management_cms_CPPFLAGS) -Dmain=cms_main
# cms_main() has no header
%C%_test_cms_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -Wno-missing-prototypes
%C%_test_cms_LDFLAGS = $(AM_LDFLAGS) -Wl,-z,muldefs
%C%_test_cms_LDADD = $(management_cms_LDADD) $(CMOCKA_LIBS)
