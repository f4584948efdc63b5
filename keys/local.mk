# keys/: ECCSI, SAKKE, MIKEY, key derivation and sealing
noinst_LIBRARIES += %D%/libkeys.a
%C%_libkeys_a_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS)
%C%_libkeys_a_SOURCES = \
	%D%/account.c %D%/account.h \
	%D%/base45.c \
	%D%/box.c %D%/box.h \
	%D%/certificate.c %D%/certificate.h \
	%D%/comb.c %D%/comb.h \
	%D%/comb8.c \
	%D%/comb_build.c \
	%D%/comb_priv.h \
	%D%/curve.c %D%/curve.h \
	%D%/curves.c %D%/curves.h \
	%D%/curves_priv.h \
	%D%/domain.c %D%/domain.h \
	%D%/domain_priv.h \
	%D%/eccsi.c %D%/eccsi.h \
	%D%/fp.c %D%/fp.h \
	%D%/fp8.c %D%/fp8.h \
	%D%/fp8_horner.c \
	%D%/fp8_priv.h \
	%D%/fp_adx.c \
	%D%/fp_derived.c \
	%D%/fp_inverse.c \
	%D%/fp_path.h \
	%D%/fp_priv.h \
	%D%/identity.c %D%/identity.h \
	%D%/issued.c %D%/issued.h \
	%D%/hmac.c %D%/hmac.h \
	%D%/kdf.c %D%/kdf.h \
	%D%/key_ring.c %D%/key_ring.h \
	%D%/keyset.c %D%/keyset.h \
	%D%/keyset_priv.h \
	%D%/keystore.c %D%/keystore.h \
	%D%/keystore_change.c \
	%D%/keystore_enrol.c \
	%D%/keystore_file.c \
	%D%/keystore_find.c \
	%D%/keystore_priv.h \
	%D%/keystore_update.c \
	%D%/keystore_use.c \
	%D%/letter.c %D%/letter.h \
	%D%/letter_file.c %D%/letter_file.h \
	%D%/letter_seal.c \
	%D%/letter_text.c %D%/letter_text.h \
	%D%/master.c %D%/master.h \
	%D%/mikey.c %D%/mikey.h \
	%D%/mikey_open.c \
	%D%/mikey_parse.c \
	%D%/mikey_priv.h \
	%D%/mikey_srtp.c \
	%D%/mikey_write.c \
	%D%/pairing.c %D%/pairing.h \
	%D%/passphrase.c %D%/passphrase.h \
	%D%/pairing8.c \
	%D%/pairing_lines.c \
	%D%/pairing_priv.h \
	%D%/period.c %D%/period.h \
	%D%/replay.c %D%/replay.h \
	%D%/sakke.c %D%/sakke.h \
	%D%/scalar.c %D%/scalar.h \
	%D%/secret.c %D%/secret.h \
	%D%/update.c %D%/update.h \
	%D%/update_entry.c \
	%D%/update_priv.h \
	%D%/update_shared.c \
	%D%/update_writer.c \
	%D%/vault.c %D%/vault.h \
	%D%/wire.c \
	%D%/wire_priv.h
# letters and updates
EXTRA_DIST += %D%/keystore.proto %D%/letter.proto %D%/update.proto
BUILT_SOURCES += %D%/keystore.pb-c.h %D%/letter.pb-c.h %D%/update.pb-c.h
CLEANFILES += %D%/keystore.pb-c.c %D%/keystore.pb-c.h \
	%D%/letter.pb-c.c %D%/letter.pb-c.h %D%/update.pb-c.c %D%/update.pb-c.h
nodist_%C%_libkeys_a_SOURCES = \
	%D%/keystore.pb-c.c %D%/keystore.pb-c.h \
	%D%/letter.pb-c.c %D%/letter.pb-c.h \
	%D%/update.pb-c.c %D%/update.pb-c.h
