# maps/: URI patterns, maps, translate maps, routes; pure, no I/O
noinst_LIBRARIES += %D%/libmaps.a
%C%_libmaps_a_SOURCES = \
	%D%/client_rules.c %D%/client_rules.h \
	%D%/explain.c %D%/explain.h \
	%D%/fill.c %D%/fill.h \
	%D%/index.c %D%/index.h \
	%D%/map.c %D%/map.h %D%/map_build.c %D%/map_priv.h \
	%D%/nearest.c %D%/nearest.h \
	%D%/pattern.c %D%/pattern.h %D%/pattern_parse.c \
	%D%/route.c %D%/route.h %D%/route_check.c %D%/route_priv.h \
	%D%/translate_map.c %D%/translate_map.h \
	%D%/uri.c %D%/uri.h
