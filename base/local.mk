# base/: what every program needs
noinst_LIBRARIES += %D%/libbase.a
%C%_libbase_a_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS) -DLIBEXECDIR='"$(libexecdir)"'
%C%_libbase_a_SOURCES = \
	%D%/buf.c %D%/buf.h \
	%D%/channel.c %D%/channel.h \
	%D%/clock.c %D%/clock.h \
	%D%/cursor.h \
	%D%/diag.c %D%/diag.h \
	%D%/encode.c %D%/encode.h \
	%D%/file.c %D%/file.h \
	%D%/idmap.c %D%/idmap.h \
	%D%/log.c %D%/log.h \
	%D%/net.c %D%/net.h \
	%D%/process.c %D%/process.h \
	%D%/slice.h
