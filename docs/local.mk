# docs/: manual pages and documents
dist_man_MANS = \
	%D%/man/cca.1 \
	%D%/man/cig-cli.1 \
	%D%/man/cra.1 \
	%D%/man/cig-relay.8 \
	%D%/man/cig-server.8 \
	%D%/man/cig.conf.5 \
	%D%/man/cms.1 \
	%D%/man/create_cig_maildir.8 \
	%D%/man/crs-cli.1 \
	%D%/man/crs-relay.8 \
	%D%/man/crs.8 \
	%D%/man/crs.conf.5
EXTRA_DIST += CHANGES %D%/architecture.md %D%/dependencies.md %D%/performance.md %D%/security.md %D%/sip-library.md \
	%D%/testing.md
