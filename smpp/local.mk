# smpp/: the SMPP 3.4 client: PDUs, alphabets, long messages, receipts, sessions, centers
noinst_LIBRARIES += %D%/libsmpp.a
%C%_libsmpp_a_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(OPENSSL_CFLAGS)
%C%_libsmpp_a_SOURCES = \
	%D%/address.c %D%/address.h \
	%D%/alphabet.c %D%/alphabet.h \
	%D%/center.c %D%/center.h %D%/center_priv.h \
	%D%/center_in.c %D%/center_out.c \
	%D%/note.c %D%/note.h \
	%D%/pdu.c %D%/pdu_status.c %D%/pdu.h \
	%D%/reassembly.c %D%/reassembly.h \
	%D%/receipt.c %D%/receipt.h \
	%D%/segment.c %D%/segment.h \
	%D%/session.c %D%/session_in.c %D%/session.h %D%/session_priv.h \
	%D%/tls.c \
	%D%/wire.c %D%/wire.h %D%/wire_priv.h
# what a program needs to link for smpp/
SMPP_LIBS = smpp/libsmpp.a base/libbase.a $(EVENT_LIBS) $(OPENSSL_LIBS)
