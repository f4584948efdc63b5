# tests of mailbox/
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_mime %D%/test_mime_read %D%/test_maildir %D%/test_maildir_read \
	%D%/test_journal %D%/test_journal_faults
endif
%C%_test_mime_SOURCES = %D%/test_mime.c %D%/mime_scene.h
%C%_test_mime_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS)
%C%_test_mime_LDADD = mailbox/libmailbox.a base/libbase.a $(CMOCKA_LIBS) $(MAILBOX_LIBS) $(JANSSON_LIBS)
%C%_test_maildir_SOURCES = %D%/test_maildir.c %D%/maildir_scene.h
%C%_test_maildir_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_maildir_LDADD = mailbox/libmailbox.a base/libbase.a $(CMOCKA_LIBS) $(MAILBOX_LIBS)
%C%_test_journal_SOURCES = %D%/test_journal.c %D%/journal_scene.h
%C%_test_journal_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_journal_LDADD = mailbox/libmailbox.a base/libbase.a $(CMOCKA_LIBS) $(OPENSSL_LIBS)
%C%_test_mime_read_SOURCES = %D%/test_mime_read.c %D%/mime_scene.h
%C%_test_mime_read_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS)
%C%_test_mime_read_LDADD = mailbox/libmailbox.a base/libbase.a $(CMOCKA_LIBS) $(MAILBOX_LIBS) $(JANSSON_LIBS)
%C%_test_maildir_read_SOURCES = %D%/test_maildir_read.c %D%/maildir_scene.h
%C%_test_maildir_read_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_maildir_read_LDADD = mailbox/libmailbox.a base/libbase.a $(CMOCKA_LIBS) $(MAILBOX_LIBS)
%C%_test_journal_faults_SOURCES = %D%/test_journal_faults.c %D%/journal_scene.h
%C%_test_journal_faults_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_journal_faults_LDADD = mailbox/libmailbox.a base/libbase.a $(CMOCKA_LIBS) $(OPENSSL_LIBS)
EXTRA_DIST += %D%/read_strict.py
