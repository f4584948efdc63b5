# tests of caller/
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_attachments
endif
%C%_test_attachments_SOURCES = %D%/test_attachments.c caller/attachments.c caller/attachments.h
%C%_test_attachments_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
%C%_test_attachments_LDADD = $(UMSG_LIBS) $(CMOCKA_LIBS)
$(%C%_test_attachments_OBJECTS): $(BUILT_SOURCES)

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_messages
endif
%C%_test_messages_SOURCES = %D%/test_messages.c caller/messages.c caller/attachments.c \
	caller/attachments.h
%C%_test_messages_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS) $(JANSSON_CFLAGS)
%C%_test_messages_LDADD = $(UMSG_LIBS) $(JANSSON_LIBS) $(CMOCKA_LIBS)
$(%C%_test_messages_OBJECTS): $(BUILT_SOURCES)

if HAVE_CMOCKA
check_PROGRAMS += %D%/test_enrol
endif
%C%_test_enrol_SOURCES = %D%/test_enrol.c caller/enrol.c
%C%_test_enrol_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS) $(JANSSON_CFLAGS)
%C%_test_enrol_LDADD = $(UMSG_LIBS) $(CMOCKA_LIBS)
$(%C%_test_enrol_OBJECTS): $(BUILT_SOURCES)
