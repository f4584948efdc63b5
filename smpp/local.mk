# smpp/: the SMPP 3.4 client: PDUs, alphabets, long messages, receipts, sessions
noinst_LIBRARIES += %D%/libsmpp.a
%C%_libsmpp_a_CFLAGS = $(AM_CFLAGS)
%C%_libsmpp_a_SOURCES = \
	%D%/address.c %D%/address.h \
	%D%/alphabet.c %D%/alphabet.h \
	%D%/pdu.c %D%/pdu_status.c %D%/pdu.h \
	%D%/reassembly.c %D%/reassembly.h \
	%D%/receipt.c %D%/receipt.h \
	%D%/segment.c %D%/segment.h \
	%D%/session.c %D%/session.h
