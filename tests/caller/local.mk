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
INSIDE = tests/tools/inside.c tests/tools/inside.h
%C%_test_enrol_SOURCES = %D%/test_enrol.c caller/enrol.c $(INSIDE)
%C%_test_enrol_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS) $(JANSSON_CFLAGS)
%C%_test_enrol_LDADD = tests/keys/libsample.a $(UMSG_LIBS) $(CMOCKA_LIBS)
$(%C%_test_enrol_OBJECTS): $(BUILT_SOURCES)

# main() with commands that are played
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_main
endif
%C%_test_main_SOURCES = %D%/test_main.c caller/main.c $(INSIDE)
%C%_test_main_CPPFLAGS = $(AM_CPPFLAGS) -Dmain=cca_main
# cca_main() has no header
%C%_test_main_CFLAGS = $(caller_cca_CFLAGS) $(CMOCKA_CFLAGS) -Wno-missing-prototypes
%C%_test_main_LDADD = base/libbase.a $(CMOCKA_LIBS)
$(%C%_test_main_OBJECTS): $(BUILT_SOURCES)

# what the commands share, with a client that is played
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_cca %D%/test_cca_events
endif
CCA_SCENE = %D%/cca_scene.c %D%/cca_scene.h caller/cca.c caller/cca.h caller/keep.c $(INSIDE) \
	tests/tools/quick_timers.c tests/tools/quick_timers.h \
	tests/fuzz/fake_clock.c tests/fuzz/fake_clock.h
%C%_test_cca_SOURCES = %D%/test_cca.c $(CCA_SCENE)
%C%_test_cca_CFLAGS = $(caller_cca_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_cca_LDFLAGS = $(AM_LDFLAGS) -Wl,-z,muldefs -Wl,--wrap=event_add
%C%_test_cca_LDADD = tests/keys/libsample.a $(caller_cca_LDADD) $(CMOCKA_LIBS)
%C%_test_cca_events_SOURCES = %D%/test_cca_events.c $(CCA_SCENE)
%C%_test_cca_events_CFLAGS = $(%C%_test_cca_CFLAGS)
%C%_test_cca_events_LDFLAGS = $(%C%_test_cca_LDFLAGS)
%C%_test_cca_events_LDADD = $(%C%_test_cca_LDADD)
$(%C%_test_cca_OBJECTS) $(%C%_test_cca_events_OBJECTS): $(BUILT_SOURCES)

# the commands, with a client and a sound that are played
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_calls %D%/test_texts
endif
PLAYED_CCA = %D%/played_cca.c %D%/played_cca.h tests/tools/quick_timers.c tests/tools/quick_timers.h \
	caller/cca.c caller/cca.h caller/keep.c
PLAYED_CCA_LDFLAGS = $(AM_LDFLAGS) -Wl,-z,muldefs -Wl,--wrap=event_add \
	-Wl,--wrap=cca_run,--wrap=cca_end,--wrap=cca_tell,--wrap=cca_await
PLAYED_CCA_LIBS = $(caller_cca_LDADD) $(CMOCKA_LIBS)
%C%_test_calls_SOURCES = %D%/test_calls.c caller/calls.c caller/call_media.h $(PLAYED_CCA)
%C%_test_calls_CFLAGS = $(caller_cca_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_calls_LDFLAGS = $(PLAYED_CCA_LDFLAGS)
%C%_test_calls_LDADD = $(PLAYED_CCA_LIBS)
%C%_test_texts_SOURCES = %D%/test_texts.c caller/messages.c \
	caller/attachments.c caller/attachments.h $(PLAYED_CCA)
%C%_test_texts_CFLAGS = $(caller_cca_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_texts_LDFLAGS = $(PLAYED_CCA_LDFLAGS)
%C%_test_texts_LDADD = $(PLAYED_CCA_LIBS)
$(%C%_test_calls_OBJECTS) $(%C%_test_texts_OBJECTS): $(BUILT_SOURCES)

# a call's sound, at a relay that is played
if HAVE_CMOCKA
check_PROGRAMS += %D%/test_call_media
endif
%C%_test_call_media_SOURCES = %D%/test_call_media.c caller/call_media.c caller/call_media.h \
	tests/tools/quick_timers.c tests/tools/quick_timers.h \
	tests/fuzz/fake_clock.c tests/fuzz/fake_clock.h $(SCARCE_SOURCES)
%C%_test_call_media_CFLAGS = $(caller_cca_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_call_media_LDFLAGS = $(SCARCE_LDFLAGS) -Wl,-z,muldefs -Wl,--wrap=event_add
%C%_test_call_media_LDADD = $(caller_cca_LDADD) $(CMOCKA_LIBS)
$(%C%_test_call_media_OBJECTS): $(BUILT_SOURCES)
