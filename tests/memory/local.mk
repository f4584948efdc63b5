# memory that runs out: SCARCE_SOURCES and SCARCE_LDFLAGS are for every test that wants it
SCARCE_SOURCES = tests/memory/scarce.c tests/memory/scarce.h
SCARCE_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=reallocarray,--wrap=aligned_alloc \
	-Wl,--wrap=strdup,--wrap=strndup,--wrap=vasprintf,--wrap=asprintf
