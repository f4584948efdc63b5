# base/: what every program needs
noinst_LIBRARIES += %D%/libbase.a
%C%_libbase_a_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS) $(CONFUSE_CFLAGS) $(JANSSON_CFLAGS) \
	$(MICROHTTPD_CFLAGS) $(OPENSSL_CFLAGS) $(PROTOBUF_C_CFLAGS) -DLIBEXECDIR='"$(libexecdir)"'
%C%_libbase_a_SOURCES = \
	%D%/append_file.c %D%/append_file.h \
	%D%/as_owner.c %D%/as_owner.h \
	%D%/buf.c %D%/buf.h \
	%D%/channel.c %D%/channel.h \
	%D%/channel_pack.c %D%/channel_pack.h \
	%D%/clock.c %D%/clock.h \
	%D%/control.c %D%/control.h %D%/control_answer.c %D%/control_priv.h \
	%D%/control_address.c %D%/control_address.h \
	%D%/control_client.c %D%/control_client.h \
	%D%/control_exchange.c %D%/control_exchange.h \
	%D%/control_proof.c %D%/control_proof.h \
	%D%/cursor.h \
	%D%/diag.c %D%/diag.h \
	%D%/figures.c %D%/figures.h \
	%D%/dns.c %D%/dns.h \
	%D%/encode.c %D%/encode.h \
	%D%/file.c %D%/file.h \
	%D%/huge.c %D%/huge.h \
	%D%/idhash.h %D%/idmap.c %D%/idmap.h \
	%D%/json_text.c %D%/json_text.h \
	%D%/listener.c %D%/listener.h \
	%D%/log.c %D%/log.h \
	%D%/net.c %D%/net.h \
	%D%/pack.c %D%/pack.h \
	%D%/packet_queue.c %D%/packet_queue.h \
	%D%/notifier.c %D%/notifier.h \
	%D%/process.c %D%/process.h \
	%D%/service.c %D%/service.h \
	%D%/slice.h \
	%D%/table.c %D%/table.h \
	%D%/timer.h
# configuration files; a program that reads cig.conf links $(CONFUSE_LIBS)
%C%_libbase_a_SOURCES += \
	%D%/arena.c %D%/arena.h \
	%D%/config.c %D%/config.h \
	%D%/config_feed.c \
	%D%/config_keywords.c \
	%D%/config_lex.c %D%/config_lex.h \
	%D%/config_lines.c %D%/config_lines.h \
	%D%/config_tree.c %D%/config_tree.h \
	%D%/config_value.c %D%/config_value.h \
	%D%/suggest.c %D%/suggest.h \
	%D%/text.c %D%/text.h \
	%D%/visible.c %D%/visible.h
# what a program needs to link for base/control.h, and for base/control_client.h
CONTROL_LIBS = $(MICROHTTPD_LIBS) $(EVENT_LIBS) $(JANSSON_LIBS) $(OPENSSL_LIBS)
CONTROL_CLIENT_LIBS = $(JANSSON_LIBS) $(OPENSSL_LIBS)
