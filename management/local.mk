# management/: the key manager
noinst_LIBRARIES += %D%/libmanagement.a
%C%_libmanagement_a_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS) $(SQLITE_CFLAGS)
%C%_libmanagement_a_SOURCES = \
	%D%/channel.c %D%/channel.h \
	%D%/database.c %D%/database.h \
	%D%/issue.c %D%/issue.h %D%/issue_priv.h \
	%D%/issue_update.c \
	%D%/peer.c %D%/peer.h \
	%D%/person.c %D%/person.h \
	%D%/settings.c %D%/settings.h \
	%D%/tsv.c %D%/tsv.h

bin_PROGRAMS += %D%/cms
%C%_cms_SOURCES = \
	%D%/cmd_backup.c \
	%D%/cmd_channel.c \
	%D%/cmd_domain.c \
	%D%/cmd_import.c \
	%D%/cmd_init.c \
	%D%/cmd_letter.c \
	%D%/cmd_person.c \
	%D%/cmd_status.c \
	%D%/cmd_update.c \
	%D%/cms.c %D%/cms.h \
	%D%/listing.c %D%/listing.h \
	%D%/page.c %D%/page.h \
	%D%/qr.c %D%/qr.h
%C%_cms_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS) $(SQLITE_CFLAGS) $(JANSSON_CFLAGS) $(QRENCODE_CFLAGS)
%C%_cms_LDADD = management/libmanagement.a keys/libkeys.a base/libbase.a \
	$(SQLITE_LIBS) $(JANSSON_LIBS) $(QRENCODE_LIBS) $(OPENSSL_LIBS) $(PROTOBUF_C_LIBS)
EXTRA_DIST += docs/key-management.md docs/man/cms.1
