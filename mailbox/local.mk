# mailbox/: Maildir, the MIME form of a message, and the journal
noinst_LIBRARIES += %D%/libmailbox.a
%C%_libmailbox_a_CPPFLAGS = $(AM_CPPFLAGS) $(GMIME_CFLAGS) $(OPENSSL_CFLAGS)
%C%_libmailbox_a_SOURCES = \
	%D%/crc32c.c %D%/crc32c.h \
	%D%/journal.c %D%/journal.h %D%/journal_priv.h \
	%D%/journal_compact.c %D%/journal_kept.c %D%/journal_load.c \
	%D%/journal_file.c %D%/journal_file.h \
	%D%/maildir.c %D%/maildir.h %D%/maildir_priv.h \
	%D%/maildir_deliver.c %D%/maildir_list.c %D%/maildir_read.c %D%/maildir_watch.c \
	%D%/message.c %D%/message.h \
	%D%/mime.h %D%/mime_priv.h \
	%D%/mime_header.c %D%/mime_read.c %D%/mime_write.c
# what a program needs to link for mailbox/
MAILBOX_LIBS = $(GMIME_LIBS) $(OPENSSL_LIBS)
