# etc/: what goes with the programs on a host
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = %D%/bash-completion/cig-cli %D%/bash-completion/crs-cli
EXTRA_DIST += %D%/logrotate/cig %D%/logrotate/crs %D%/notify.sh

# under PREFIX/lib, where systemd looks, too
systemdunitdir = $(prefix)/lib/systemd/system
sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d
firewalldservicedir = $(prefix)/lib/firewalld/services
SYSTEMD_UNITS = %D%/systemd/cig-server.service %D%/systemd/cig-relay.service \
	%D%/systemd/crs.service %D%/systemd/crs_relay.service
systemdunit_DATA = $(SYSTEMD_UNITS)
dist_firewalldservice_DATA = %D%/firewalld/crs.xml
CLEANFILES += $(SYSTEMD_UNITS)
EXTRA_DIST += $(SYSTEMD_UNITS:=.in) %D%/systemd/sysusers.conf %D%/systemd/tmpfiles.conf
$(SYSTEMD_UNITS): %: %.in Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && sed 's,[@]bindir@,$(bindir),' $(srcdir)/$@.in >$@.tmp && \
		mv $@.tmp $@
install-data-hook:
	$(MKDIR_P) $(DESTDIR)$(sysusersdir) $(DESTDIR)$(tmpfilesdir)
	$(INSTALL_DATA) $(srcdir)/%D%/systemd/sysusers.conf $(DESTDIR)$(sysusersdir)/tandem.conf
	$(INSTALL_DATA) $(srcdir)/%D%/systemd/tmpfiles.conf $(DESTDIR)$(tmpfilesdir)/tandem.conf
uninstall-hook:
	rm -f $(DESTDIR)$(sysusersdir)/tandem.conf $(DESTDIR)$(tmpfilesdir)/tandem.conf

dist_doc_DATA = %D%/cig.conf.sample %D%/crs.conf.sample %D%/crs-local.conf.sample \
	%D%/crs-relay.conf.sample
