# Benchmarks, run by "make bench" alone: docs/performance.md.  Those that share the
# sources of a folder's tests have their lines there.
EXTRA_DIST += %D%/run
noinst_PROGRAMS += %D%/bench_relay %D%/bench_mailbox
BENCH_NEEDS = $(noinst_PROGRAMS) gateway/cig-relay gateway/cig-sip rendezvous/crs \
	rendezvous/crs-cli

%C%_bench_relay_SOURCES = %D%/bench_relay.c %D%/bench.c %D%/bench.h
%C%_bench_relay_CFLAGS = $(AM_CFLAGS) $(PROTOBUF_C_CFLAGS)
%C%_bench_relay_LDADD = rendezvous/librelay.a media/libmedia.a base/libbase.a $(OPENSSL_LIBS) \
	$(PROTOBUF_C_LIBS) -lpthread

%C%_bench_mailbox_SOURCES = %D%/bench_mailbox.c %D%/bench.c %D%/bench.h
%C%_bench_mailbox_LDADD = mailbox/libmailbox.a base/libbase.a $(MAILBOX_LIBS)

# Figures are of a build without sanitizers.
.PHONY: bench
bench: $(BUILT_SOURCES)
	@test -z '$(SAN_FLAGS)' || \
		echo 'bench: built with sanitizers, these figures mean nothing' >&2
	@$(MAKE) -s $(BENCH_NEEDS)
	@cd '$(top_builddir)' && '$(abs_top_srcdir)/tests/bench/run'
