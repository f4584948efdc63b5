# cig.conf, for cig-server, cig-relay and cig-cli; link with CIG_CONFIG_LIBS
CIG_CONFIG_LIBS = gateway/libcig_config.a smpp/libsmpp.a maps/libmaps.a base/libbase.a $(CONFUSE_LIBS)
noinst_LIBRARIES += gateway/libcig_config.a
gateway_libcig_config_a_SOURCES = \
	gateway/cig_address.c \
	gateway/cig_build.c \
	gateway/cig_build_center.c \
	gateway/cig_build_messages.c \
	gateway/cig_build_pbx.c \
	gateway/cig_config.c gateway/cig_config.h gateway/cig_config_priv.h \
	gateway/cig_config_changes.c \
	gateway/cig_config_print.c \
	gateway/cig_expect.c \
	gateway/cig_grammar.c \
	gateway/cig_lint.c \
	gateway/cig_secret.c
EXTRA_DIST += etc/cig.conf.sample docs/man/cig.conf.5
