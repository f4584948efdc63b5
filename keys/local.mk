# keys/: ECCSI, SAKKE, MIKEY, key derivation and sealing
noinst_LIBRARIES += %D%/libkeys.a
%C%_libkeys_a_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS)
%C%_libkeys_a_SOURCES = \
	%D%/account.c %D%/account.h \
	%D%/box.c %D%/box.h \
	%D%/curves.h \
	%D%/domain.h \
	%D%/identity.c %D%/identity.h \
	%D%/issued.h \
	%D%/kdf.c %D%/kdf.h \
	%D%/keystore.h \
	%D%/keyset.h \
	%D%/letter.h \
	%D%/letter_text.h \
	%D%/master.h \
	%D%/mikey.h \
	%D%/period.c %D%/period.h \
	%D%/replay.h \
	%D%/secret.c %D%/secret.h \
	%D%/update.h
