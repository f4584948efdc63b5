# umsg/: the UMSG protocol
BUILT_SOURCES += %D%/umsg.pb-c.h
CLEANFILES += %D%/umsg.pb-c.c %D%/umsg.pb-c.h
EXTRA_DIST += %D%/umsg.proto docs/umsg.md

noinst_LIBRARIES += %D%/libumsg_proto.a %D%/libumsg.a
%C%_libumsg_proto_a_CFLAGS = $(AM_CFLAGS) $(PROTOBUF_C_CFLAGS) -w
nodist_%C%_libumsg_proto_a_SOURCES = %D%/umsg.pb-c.c %D%/umsg.pb-c.h

%C%_libumsg_a_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS) $(EVENT_CFLAGS) $(PROTOBUF_C_CFLAGS)
%C%_libumsg_a_SOURCES = \
	%D%/call.c %D%/call.h \
	%D%/call_crypto.c %D%/call_crypto.h \
	%D%/call_media.c %D%/call_media.h \
	%D%/client.c %D%/client.h %D%/client_priv.h \
	%D%/client_calls.c %D%/client_call_priv.h \
	%D%/client_call_invite.c %D%/client_call_signals.c \
	%D%/client_keep.c %D%/client_link.c %D%/client_lookup.c %D%/client_messages.c \
	%D%/client_parts.c %D%/client_ring.c %D%/client_ring.h \
	%D%/client_posts.c %D%/client_updates.c %D%/client_watch.c \
	%D%/end_reason.c %D%/end_reason.h \
	%D%/frame.c %D%/frame.h \
	%D%/frame_quick.c %D%/frame_quick.h \
	%D%/frame_rules.c %D%/frame_rules.h \
	%D%/link.c %D%/link.h \
	%D%/link_context.c \
	%D%/link_io.c %D%/link_priv.h \
	%D%/link_open.c \
	%D%/link_tls.c %D%/link_tls.h \
	%D%/message_body.c %D%/message_body.h \
	%D%/message_crypto.c %D%/message_crypto.h \
	%D%/ring_updater.c %D%/ring_updater.h \
	%D%/seen.c %D%/seen.h \
	%D%/signed_hash.c %D%/signed_hash.h \
	%D%/text.c %D%/text.h \
	%D%/upgrade.c %D%/upgrade.h \
	%D%/websocket.c %D%/websocket.h
# umsg.pb-c.h must be there before anything of ours is compiled
$(%C%_libumsg_a_OBJECTS): %D%/umsg.pb-c.h
