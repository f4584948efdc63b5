# Benchmarks, run by "make bench" alone: docs/performance.md.  Those that share the
# sources of a folder's tests have their lines there.
EXTRA_DIST += %D%/run %D%/bench_calls %D%/uac_talk.xml
EXTRA_PROGRAMS += %D%/bench_relay %D%/bench_mailbox %D%/cig-server-timed
noinst_PROGRAMS += %D%/secure_party
CLEANFILES += $(EXTRA_PROGRAMS)
BENCH_NEEDS = $(EXTRA_PROGRAMS) $(noinst_PROGRAMS) $(bin_PROGRAMS) gateway/cig-sip

%C%_bench_relay_SOURCES = %D%/bench_relay.c %D%/bench.c %D%/bench.h
%C%_bench_relay_CFLAGS = $(AM_CFLAGS) $(PROTOBUF_C_CFLAGS)
%C%_bench_relay_LDADD = rendezvous/librelay.a media/libmedia.a base/libbase.a $(OPENSSL_LIBS) \
	$(PROTOBUF_C_LIBS) -lpthread

%C%_bench_mailbox_SOURCES = %D%/bench_mailbox.c %D%/bench.c %D%/bench.h
%C%_bench_mailbox_LDADD = mailbox/libmailbox.a base/libbase.a $(MAILBOX_LIBS)

# whom bench_calls and a scenario call, and a cig-server with clocks around its cryptography
%C%_secure_party_SOURCES = %D%/secure_party.c %D%/bench.c %D%/bench.h \
	caller/call_media.c caller/call_media.h
%C%_secure_party_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(OPENSSL_CFLAGS) $(PROTOBUF_C_CFLAGS)
%C%_secure_party_LDADD = umsg/libumsg.a umsg/libumsg_proto.a media/libmedia.a keys/libkeys.a base/libbase.a \
	$(EVENT_LIBS) $(OPENSSL_LIBS) $(PROTOBUF_C_LIBS) $(JANSSON_LIBS) $(WSLAY_LIBS) \
	$(MEDIA_LIBS)
%C%_cig_server_timed_SOURCES = gateway/cig_server.c %D%/crypto_times.c %D%/bench.c %D%/bench.h
%C%_cig_server_timed_CFLAGS = $(gateway_cig_server_CFLAGS)
%C%_cig_server_timed_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=sakke_seal,--wrap=sakke_open \
	-Wl,--wrap=eccsi_sign,--wrap=eccsi_verify
%C%_cig_server_timed_LDADD = $(gateway_cig_server_LDADD)
EXTRA_PROGRAMS += %D%/bench_smpp
%C%_bench_smpp_SOURCES = %D%/bench_smpp.c %D%/bearerbox.c %D%/bearerbox.h \
	%D%/bench.c %D%/bench.h
%C%_bench_smpp_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS)
%C%_bench_smpp_LDADD = $(SMPP_LIBS)
EXTRA_PROGRAMS += %D%/bench_texts
%C%_bench_texts_SOURCES = %D%/bench_texts.c %D%/bench.c %D%/bench.h
%C%_bench_texts_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(PROTOBUF_C_CFLAGS) $(JANSSON_CFLAGS)
%C%_bench_texts_LDADD = gateway/libgateway.a gateway/libcig_config.a mailbox/libmailbox.a \
	umsg/libumsg_proto.a maps/libmaps.a $(SMPP_LIBS) $(PROTOBUF_C_LIBS) $(JANSSON_LIBS) \
	$(CONFUSE_LIBS) $(MAILBOX_LIBS)

# Figures are of a build without sanitizers.  check builds them all the same: they are to compile.
.PHONY: bench bench-programs
bench-programs: $(EXTRA_PROGRAMS)
bench: $(BUILT_SOURCES)
	@test -z '$(SAN_FLAGS)' || \
		echo 'bench: built with sanitizers, these figures mean nothing' >&2
	@$(MAKE) -s $(BENCH_NEEDS)
	@cd '$(top_builddir)' && '$(abs_top_srcdir)/tests/bench/run'
