# tests of mailbox/
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_mime %D%/test_maildir %D%/test_journal
endif
%C%_test_mime_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS)
%C%_test_mime_LDADD = mailbox/libmailbox.a base/libbase.a $(CMOCKA_LIBS) $(MAILBOX_LIBS) $(JANSSON_LIBS)
%C%_test_maildir_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_maildir_LDADD = mailbox/libmailbox.a base/libbase.a $(CMOCKA_LIBS) $(MAILBOX_LIBS)
%C%_test_journal_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_journal_LDADD = mailbox/libmailbox.a base/libbase.a $(CMOCKA_LIBS) $(OPENSSL_LIBS)
EXTRA_DIST += %D%/read_strict.py
