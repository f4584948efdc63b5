# Fuzz targets: each has its corpus in tests/fuzz/corpus/NAME and, for longer searches, the
# words of its input in tests/fuzz/dict/NAME.dict.  Without --enable-fuzz a target is
# linked with replay.c, which feeds it every file of its corpus, and runs as a test.
FUZZ_TARGETS =
if FUZZ
FUZZ_MAIN =
FUZZING_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += $(FUZZ_TARGETS)
else
FUZZ_MAIN = %D%/replay.c
FUZZING_LDFLAGS = $(AM_LDFLAGS)
check_PROGRAMS += $(FUZZ_TARGETS)
endif
EXTRA_DIST += %D%/replay.c %D%/run %D%/corpus %D%/dict
.PHONY: print-fuzz-targets fuzz-sources
print-fuzz-targets:
	@echo $(FUZZ_TARGETS)
# Generated headers, which a target that is made by its name would miss in a new directory.
fuzz-sources: $(BUILT_SOURCES)
# One block a target:
#   FUZZ_TARGETS += %D%/fuzz_NAME
#   %C%_fuzz_NAME_SOURCES = %D%/fuzz_NAME.c $(FUZZ_MAIN)
#   %C%_fuzz_NAME_LDFLAGS = $(FUZZING_LDFLAGS)
#   %C%_fuzz_NAME_LDADD = ...
include tests/fuzz/umsg.mk
include tests/fuzz/mikey.mk
FUZZ_TARGETS += %D%/fuzz_identity
%C%_fuzz_identity_SOURCES = %D%/fuzz_identity.c $(FUZZ_MAIN)
%C%_fuzz_identity_LDFLAGS = $(FUZZING_LDFLAGS)
%C%_fuzz_identity_LDADD = keys/libkeys.a base/libbase.a $(OPENSSL_LIBS)
FUZZ_TARGETS += %D%/fuzz_stun
%C%_fuzz_stun_SOURCES = %D%/fuzz_stun.c $(FUZZ_MAIN)
%C%_fuzz_stun_LDFLAGS = $(FUZZING_LDFLAGS)
%C%_fuzz_stun_LDADD = media/libmedia.a base/libbase.a $(MEDIA_LIBS)
FUZZ_TARGETS += %D%/fuzz_letter
%C%_fuzz_letter_SOURCES = %D%/fuzz_letter.c $(FUZZ_MAIN)
%C%_fuzz_letter_LDFLAGS = $(FUZZING_LDFLAGS)
%C%_fuzz_letter_LDADD = keys/libkeys.a base/libbase.a $(OPENSSL_LIBS) $(PROTOBUF_C_LIBS)
FUZZ_TARGETS += %D%/fuzz_sdp
%C%_fuzz_sdp_SOURCES = %D%/fuzz_sdp.c $(FUZZ_MAIN)
%C%_fuzz_sdp_LDFLAGS = $(FUZZING_LDFLAGS)
%C%_fuzz_sdp_LDADD = gateway/libsip_text.a base/libbase.a $(OPENSSL_LIBS)
FUZZ_TARGETS += %D%/fuzz_digest
%C%_fuzz_digest_SOURCES = %D%/fuzz_digest.c $(FUZZ_MAIN)
%C%_fuzz_digest_LDFLAGS = $(FUZZING_LDFLAGS)
%C%_fuzz_digest_LDADD = gateway/libsip_text.a base/libbase.a $(OPENSSL_LIBS)
FUZZ_TARGETS += %D%/fuzz_config
%C%_fuzz_config_SOURCES = %D%/fuzz_config.c $(FUZZ_MAIN)
%C%_fuzz_config_LDFLAGS = $(FUZZING_LDFLAGS)
%C%_fuzz_config_LDADD = base/libbase.a $(CONFUSE_LIBS)
EXTRA_DIST += %D%/corpus/config
FUZZ_TARGETS += %D%/fuzz_update
%C%_fuzz_update_SOURCES = %D%/fuzz_update.c $(FUZZ_MAIN)
%C%_fuzz_update_LDFLAGS = $(FUZZING_LDFLAGS)
%C%_fuzz_update_LDADD = keys/libkeys.a base/libbase.a $(OPENSSL_LIBS) $(PROTOBUF_C_LIBS)
FUZZ_TARGETS += %D%/fuzz_mime
%C%_fuzz_mime_SOURCES = %D%/fuzz_mime.c $(FUZZ_MAIN)
%C%_fuzz_mime_LDFLAGS = $(FUZZING_LDFLAGS)
%C%_fuzz_mime_LDADD = mailbox/libmailbox.a base/libbase.a $(MAILBOX_LIBS)
EXTRA_DIST += %D%/corpus/mime
FUZZ_TARGETS += %D%/fuzz_route
%C%_fuzz_route_SOURCES = %D%/fuzz_route.c $(FUZZ_MAIN)
%C%_fuzz_route_LDFLAGS = $(FUZZING_LDFLAGS)
%C%_fuzz_route_LDADD = maps/libmaps.a base/libbase.a
EXTRA_DIST += %D%/corpus/route
include tests/fuzz/media.mk
include tests/fuzz/smpp.mk
include tests/fuzz/rendezvous.mk
include tests/fuzz/gateway.mk
include tests/fuzz/files.mk
