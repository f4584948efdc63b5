# tests of caller/
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_attachments
endif
%C%_test_attachments_SOURCES = %D%/test_attachments.c caller/attachments.c caller/attachments.h
%C%_test_attachments_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
%C%_test_attachments_LDADD = $(UMSG_LIBS) $(CMOCKA_LIBS)
$(%C%_test_attachments_OBJECTS): $(BUILT_SOURCES)
