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

@test "CRS-009: the firewall service opens the ports that clients are served on, and no others" {
	local file=$DEST$(prefix)/lib/firewalld/services/crs.xml
	python3 - "$file" <<-'P'
		import sys
		import xml.etree.ElementTree as tree
		service = tree.parse(sys.argv[1]).getroot()
		assert service.tag == "service"
		ports = {(p.get("protocol"), p.get("port")) for p in service.findall("port")}
		assert ports == {("tcp", "5223"), ("udp", "146")}, ports
	P
	# those are the programs' own defaults
	grep -q '^# listen-port 5223$' "$TOP/etc/crs.conf.sample"
	crs-relay --help | grep -q 'default 0.0.0.0:146'
	if command -v firewall-offline-cmd >/dev/null; then
		firewall-offline-cmd --system-config "$D/firewalld" --new-service-from-file "$file"
	fi
}

@test "CRS-010: the packages name what they need, and there is one for each side" {
	local package
	for package in crs cig cms cca; do
		grep -qx "Package: $package" "$TOP/debian/control"
	done
	sed -n '/^Package: crs$/,/^$/p' "$TOP/debian/control" | grep -q redis-server
	[ -x "$TOP/debian/rules" ]
}

@test "CRS-011 CRS-012: a fresh host gets user, directories and services where the manual has them" {
	local dir unit
	needs systemd-sysusers systemd-tmpfiles systemd-analyze
	[ "$(id -u)" -eq 0 ] || skip "ownership needs root"
	cp -a "$DEST" "$D/host"
	mkdir -p "$D/host/etc" "$D/host/usr/lib/sysusers.d" "$D/host/usr/lib/tmpfiles.d"
	cp "$DEST$(prefix)/lib/sysusers.d/tandem.conf" "$D/host/usr/lib/sysusers.d/"
	cp "$DEST$(prefix)/lib/tmpfiles.d/tandem.conf" "$D/host/usr/lib/tmpfiles.d/"
	systemd-sysusers --root="$D/host"
	grep -q '^crsuser:.*:/opt/crs:' "$D/host/etc/passwd"
	systemd-tmpfiles --root="$D/host" --create
	local uid
	uid=$(awk -F: '$1 == "crsuser" { print $3 }' "$D/host/etc/passwd")
	for dir in /opt/crs/accounts /opt/crs/data /var/log/crs; do
		[ "$(stat -c %u:%a "$D/host$dir")" = "$uid:750" ]
	done
	for unit in crs crs_relay; do
		grep -qx 'User=crsuser' "$DEST$(prefix)/lib/systemd/system/$unit.service"
		grep -qx 'Restart=always' "$DEST$(prefix)/lib/systemd/system/$unit.service"
		grep -qE "^ExecStart=$(prefix)/bin/${unit/_/-}( |$)" "$DEST$(prefix)/lib/systemd/system/$unit.service"
	done
	[ -x "$DEST/opt/crs/scripts/notify.sh" ]
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

# Runs a maintainer script on a root of the test's own: with users and services left out.
maintain() { # SCRIPT ARGUMENTS...
	local script=$D/${1##*/} name
	mkdir -p "$D/stubs" "$D/root/opt/cig" "$D/root/var/log" "$D/root/usr/share/cig"
	cp "$TOP/etc/cig.conf.sample" "$D/root/usr/share/cig/"
	for name in adduser addgroup systemctl deb-systemd-invoke; do
		printf '#!/bin/sh\n' >"$D/stubs/$name"
	done
	# The owner is a user whom only an installation has.
	printf '#!/bin/bash\nexec /usr/bin/install $(printf "%%s\\n" "$@" | sed "/^-o$/,+1d; /^-g$/,+1d")\n' >"$D/stubs/install"
	chmod +x "$D"/stubs/*
	sed "s,/opt/,$D/root/opt/,g; s,/opt/cig /,/opt/cig /,; s,/var/log/,$D/root/var/log/,g; s,/usr/share/,$D/root/usr/share/,g" "$1" >"$script"
	(PATH=$D/stubs:$PATH sh "$script" "${@:2}")
}

@test "CIG-053: an upgrade of the package keeps cig.conf and userdata, so does its removal, and purge takes them" {
	maintain "$TOP/debian/cig.postinst" configure ''
	cmp "$D/root/opt/cig/cig.conf" "$TOP/etc/cig.conf.sample" # a new one, to adapt
	[ -d "$D/root/opt/cig/userdata" ]
	echo "// ours" >>"$D/root/opt/cig/cig.conf"
	echo keys >"$D/root/opt/cig/userdata/.ks.tel:+8888"
	maintain "$TOP/debian/cig.postinst" configure 0.0.1-1
	maintain "$TOP/debian/cig.postrm" upgrade
	maintain "$TOP/debian/cig.postrm" remove
	[ "$(tail -n 1 "$D/root/opt/cig/cig.conf")" = "// ours" ]
	[ "$(cat "$D/root/opt/cig/userdata/.ks.tel:+8888")" = keys ]
	maintain "$TOP/debian/cig.postrm" purge
	[ ! -e "$D/root/opt/cig/cig.conf" ] && [ ! -e "$D/root/opt/cig/userdata" ]
}

# dh_install's part of a build, without debhelper; the whole build is tests/package/try's.
@test "CIG-048: dpkg makes a cig package of what is installed, and its programs run from it, offline" {
	needs dpkg-deb
	local path where version
	version=$(sed -n 's/^AC_INIT(\[tandem\], \[\([^]]*\)\].*/\1/p' "$TOP/configure.ac")-1
	mkdir -p "$D/deb/DEBIAN"
	printf '%s\n' 'Package: cig' "Version: $version" "Architecture: $(dpkg --print-architecture)" \
		'Maintainer: nobody <nobody@example.com>' 'Description: interconnect gateway' >"$D/deb/DEBIAN/control"
	cp "$TOP/debian/cig.postinst" "$TOP/debian/cig.postrm" "$D/deb/DEBIAN/"
	sed -i '/#DEBHELPER#/d' "$D"/deb/DEBIAN/cig.*
	for path in postinst postrm; do mv "$D/deb/DEBIAN/cig.$path" "$D/deb/DEBIAN/$path"; done
	chmod 755 "$D"/deb/DEBIAN/post*
	while read -r path where; do
		where=${where:-${path%/*}}
		mkdir -p "$D/deb/$where"
		case $path in
		lib/systemd/*) cp -a "$DEST$(prefix)/$path" "$D/deb/$where/" ;;
		usr/*) cp -a "$DEST$(prefix)/${path#usr/}" "$D/deb/$where/" ;;
		*) cp -a "$DEST/$path" "$D/deb/$where/" ;;
		esac
	done <"$TOP/debian/cig.install"
	(cd "$D" && dpkg-deb --root-owner-group -Zgzip -z1 -b deb . >/dev/null)
	path=$D/cig_${version}_$(dpkg --print-architecture).deb
	dpkg-deb -c "$path" | grep -q ' ./usr/bin/cig-server$'
	dpkg-deb -x "$path" "$D/x"
	for path in cig-server cig-relay cig-cli; do "$D/x/usr/bin/$path" --version; done
	"$D/x/usr/bin/cig-cli" read "$D/x/usr/share/cig/cig.conf.sample"
}

@test "make uninstall leaves nothing behind" {
	cp -a "$DEST" "$D/dest"
	make -s -C "$BUILD" uninstall DESTDIR="$D/dest" >/dev/null 2>&1
	[ -z "$(find "$D/dest" -type f -o -type l)" ] || { find "$D/dest" -type f -o -type l; false; }
}
