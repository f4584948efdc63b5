# etc/: what goes with the programs on a host
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = %D%/bash-completion/cig-cli %D%/bash-completion/crs-cli \
	%D%/bash-completion/cms %D%/bash-completion/cca %D%/bash-completion/cra \
	%D%/bash-completion/create_cig_maildir
dist_logrotate_DATA = %D%/logrotate/cig %D%/logrotate/crs

# where the manuals have them (CIG manual 2.9, "Installation" and "Mailboxes")
cigscriptsdir = $(CIG_DIR)/scripts
crsscriptsdir = $(CRS_DIR)/scripts
dist_cigscripts_SCRIPTS = %D%/notify.sh
crsscripts_SCRIPTS = %D%/notify.sh
install-exec-hook:
	$(MKDIR_P) $(DESTDIR)$(CIG_DIR)/bin
	rm -f $(DESTDIR)$(CIG_DIR)/bin/create_cig_maildir
	$(LN_S) $(bindir)/create_cig_maildir $(DESTDIR)$(CIG_DIR)/bin/create_cig_maildir

# under PREFIX/lib, where systemd looks, too
systemdunitdir = $(prefix)/lib/systemd/system
sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d
SYSTEMD_UNITS = %D%/systemd/cig-server.service %D%/systemd/cig-relay.service \
	%D%/systemd/crs.service %D%/systemd/crs_relay.service
systemdunit_DATA = $(SYSTEMD_UNITS)
dist_firewalld_DATA = %D%/firewalld/cig.xml %D%/firewalld/crs.xml
CLEANFILES += $(SYSTEMD_UNITS)
EXTRA_DIST += $(SYSTEMD_UNITS:=.in) %D%/systemd/sysusers.conf %D%/systemd/tmpfiles.conf
$(SYSTEMD_UNITS): %: %.in Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && sed -e 's,[@]bindir@,$(bindir),' \
		-e 's,[@]CIG_DIR@,$(CIG_DIR),' -e 's,[@]CIG_RUN_DIR@,$(CIG_RUN_DIR),' \
		-e 's,[@]CIG_LOG_DIR@,$(CIG_LOG_DIR),' -e 's,[@]CRS_DIR@,$(CRS_DIR),' \
		-e 's,[@]CRS_LOG_DIR@,$(CRS_LOG_DIR),' $(srcdir)/$@.in >$@.tmp && mv $@.tmp $@
install-data-hook:
	$(MKDIR_P) $(DESTDIR)$(sysusersdir) $(DESTDIR)$(tmpfilesdir)
	$(INSTALL_DATA) $(srcdir)/%D%/systemd/sysusers.conf $(DESTDIR)$(sysusersdir)/tandem.conf
	$(INSTALL_DATA) $(srcdir)/%D%/systemd/tmpfiles.conf $(DESTDIR)$(tmpfilesdir)/tandem.conf
uninstall-hook:
	rm -f $(DESTDIR)$(sysusersdir)/tandem.conf $(DESTDIR)$(tmpfilesdir)/tandem.conf \
		$(DESTDIR)$(CIG_DIR)/bin/create_cig_maildir

dist_doc_DATA = %D%/cig.conf.sample %D%/crs.conf.sample %D%/crs-local.conf.sample \
	%D%/crs-relay.conf.sample

# Debian packages: dpkg-buildpackage -b (tests/package/try makes and tries them)
EXTRA_DIST += debian/changelog debian/control debian/copyright debian/rules debian/source/format \
	debian/cca.install debian/cms.install debian/cig.install debian/cig.lintian-overrides \
	debian/cig.postinst debian/cig.postrm debian/cig.preinst debian/cig.prerm debian/crs.install \
	debian/crs.lintian-overrides debian/crs.postinst debian/crs.postrm debian/crs.preinst debian/crs.prerm
