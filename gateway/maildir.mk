# create_cig_maildir: makes a mailbox
bin_PROGRAMS += gateway/create_cig_maildir
gateway_create_cig_maildir_SOURCES = gateway/create_cig_maildir.c
gateway_create_cig_maildir_LDADD = mailbox/libmailbox.a base/libbase.a $(MAILBOX_LIBS)
