# install.bats - what "make install" puts where, and that the packages hold all of it.
# The packages themselves are tried by tests/package/try, on demand.

load helpers

setup_file() {
	export DEST=$BATS_FILE_TMPDIR/dest
	make -s -C "$BUILD" install DESTDIR="$DEST" >"$BATS_FILE_TMPDIR/log" 2>&1 || {
		tail -n 40 "$BATS_FILE_TMPDIR/log"
		return 1
	}
}

setup() { setup_common; }
teardown() { teardown_common; }

prefix() { # as configure has it
	sed -n 's/^prefix = //p' "$BUILD/Makefile"
}

installed() { # every file, as a path from the root
	(cd "$DEST" && find . -type f -o -type l) | sed 's/^\.//' | sort
}

@test "CIG-047 CIG-051 CIG-052 CIG-059: files lie where the manual has them" {
	local path
	for path in /opt/cig/scripts/notify.sh /opt/cig/bin/create_cig_maildir /opt/crs/scripts/notify.sh \
		/etc/logrotate.d/cig /etc/logrotate.d/crs; do
		[ -e "$DEST$path" ] || [ -L "$DEST$path" ] || { echo "$path"; false; }
	done
	[ -x "$DEST/opt/cig/scripts/notify.sh" ]
	[ "$(readlink "$DEST/opt/cig/bin/create_cig_maildir")" = "$(prefix)/bin/create_cig_maildir" ]
	[ -x "$DEST$(prefix)/bin/create_cig_maildir" ]
	grep -q "^ExecStart=$(prefix)/bin/cig-server" "$DEST$(prefix)/lib/systemd/system/cig-server.service"
	grep -q '^ExecStopPost=-/opt/cig/scripts/notify.sh ' "$DEST$(prefix)/lib/systemd/system/cig-server.service"
	! grep -r '@' "$DEST$(prefix)/lib/systemd/system" | grep -v 'SystemCallFilter=@'
	grep -q '^u ciguser ' "$DEST$(prefix)/lib/sysusers.d/tandem.conf"
	grep -q '^d /opt/cig/userdata 0750 ciguser ciguser$' "$DEST$(prefix)/lib/tmpfiles.d/tandem.conf"
}

@test "every installed file is in exactly one package, and every path of a package is installed" {
	local path
	# The packages' prefix is /usr, and systemd's place /lib; sysusers and tmpfiles are the
	# maintainer scripts' work there.
	installed | sed "s,^$(prefix)/lib/systemd/,/lib/systemd/,; s,^$(prefix)/,/usr/," |
		grep -vE '/(sysusers|tmpfiles)\.d/' | sort >"$D/installed"
	sed -E 's,^([^ ]+).*,/\1,' "$TOP"/debian/*.install | sort >"$D/packaged"
	diff "$D/installed" "$D/packaged"
}

@test "the packages' scripts are sound, keep what is there, and only purge takes it" {
	local script
	for script in "$TOP"/debian/*.postinst "$TOP"/debian/*.postrm; do
		sh -n "$script"
		grep -q '^set -e$' "$script"
		grep -q '^#DEBHELPER#$' "$script"
	done
	for script in cig crs; do
		# nothing is taken before the word purge
		! sed '/^purge)/,$d' "$TOP/debian/$script.postrm" | grep -v '^#' | grep -w rm
		grep -q 'if \[ ! -e /opt/cig/cig.conf \]\|\[ -e "/opt/crs/$file" \] ||' "$TOP/debian/$script.postinst"
	done
	needs dpkg-parsechangelog
	[ "$(dpkg-parsechangelog -l "$TOP/debian/changelog" -S Version)" = "$(sed -n 's/^AC_INIT(\[tandem\], \[\([^]]*\)\].*/\1/p' "$TOP/configure.ac")-1" ]
}

@test "make uninstall leaves nothing behind" {
	cp -a "$DEST" "$D/dest"
	make -s -C "$BUILD" uninstall DESTDIR="$D/dest" >/dev/null 2>&1
	[ -z "$(find "$D/dest" -type f -o -type l)" ] || { find "$D/dest" -type f -o -type l; false; }
}
