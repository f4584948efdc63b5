# rpm/: packages for RHEL and SLES.  "make rpm" leaves them in rpm-build/RPMS.
EXTRA_DIST += %D%/tandem.spec

# Where rpm does not know itself the system is another one's, and what the build needs has been
# seen by configure.
RPMBUILD = rpmbuild
RPMBUILDFLAGS =
.PHONY: rpm
rpm: dist-gzip
	$(RPMBUILD) -tb --define '_topdir $(abs_builddir)/rpm-build' \
		$$(rpm -q --quiet rpm 2>/dev/null || echo --nodeps) $(RPMBUILDFLAGS) $(distdir).tar.gz
	@find rpm-build/RPMS -name '*.rpm'
clean-local: rpm-clean
.PHONY: rpm-clean
rpm-clean:
	rm -rf rpm-build
