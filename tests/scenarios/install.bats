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

firewalld_services() { # as configure has it; firewalld reads two directories, whatever the prefix is
	sed -n 's/^firewallddir = //p' "$BUILD/Makefile"
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
	! grep -r '@' "$DEST$(prefix)/lib/systemd/system" | grep -v 'SystemCallFilter=@' || false
	grep -q '^u ciguser ' "$DEST$(prefix)/lib/sysusers.d/tandem.conf"
	grep -q '^d /opt/cig/userdata 0750 ciguser ciguser$' "$DEST$(prefix)/lib/tmpfiles.d/tandem.conf"
}

# A firewalld service is read by firewalld itself where that is installed.
opens() { # NAME PORT/PROTOCOL...: exactly these
	local file
	[[ $(firewalld_services) =~ ^(/usr/lib|/etc)/firewalld/services$ ]]
	file=$DEST$(firewalld_services)/$1.xml
	python3 - "$file" "${@:2}" <<-'P'
		import sys
		import xml.etree.ElementTree as tree
		service = tree.parse(sys.argv[1]).getroot()
		assert service.tag == "service"
		ports = {p.get("port") + "/" + p.get("protocol") for p in service.findall("port")}
		assert ports == set(sys.argv[2:]), ports
	P
	if command -v firewall-offline-cmd >/dev/null; then
		firewall-offline-cmd --system-config "$D/firewalld" --new-service-from-file "$file"
	fi
}

@test "the gateway's firewall service opens SIP and the sample's media ports to the PBX, and no others" {
	local low high
	read -r low high < <(sed -n '/^\tsip {/,/^\t}/s/^\t\trtp_port_range \([0-9]*\) \([0-9]*\);$/\1 \2/p' "$TOP/etc/cig.conf.sample")
	opens cig 5060/udp 5060/tcp "$low-$high/udp"
	# 5060 is the port where cig.conf names none
	grep -q '// port 5060; ' "$TOP/etc/cig.conf.sample"
}

@test "CRS-009: the firewall service opens the ports that clients are served on, and no others" {
	opens crs 5223/tcp 146/udp
	# those are the programs' own defaults
	grep -q '^# listen-port 5223$' "$TOP/etc/crs.conf.sample"
	crs-relay --help | grep -q 'default 0.0.0.0:146'
}

@test "CRS-010: the packages name what they need, and there is one for each side" {
	local package
	for package in crs cig cms cca; do
		grep -qx "Package: $package" "$TOP/debian/control"
	done
	sed -n '/^Package: crs$/,/^$/p' "$TOP/debian/control" | grep -q redis-server
	[ -x "$TOP/debian/rules" ]
	for package in crs cig cms cca; do
		grep -qx "%package -n $package" "$TOP/rpm/tandem.spec"
	done
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
		grep -qx 'StartLimitIntervalSec=0' "$DEST$(prefix)/lib/systemd/system/$unit.service"
		grep -qE "^ExecStart=$(prefix)/bin/${unit/_/-}( |$)" "$DEST$(prefix)/lib/systemd/system/$unit.service"
	done
	[ -x "$DEST/opt/crs/scripts/notify.sh" ]
}

@test "every installed file is in exactly one package, and every path of a package is installed" {
	local path
	# The packages' prefix is /usr, and systemd's place /lib; firewalld's follows the prefix;
	# sysusers and tmpfiles are the maintainer scripts' work there.
	installed | sed "s,^$(prefix)/lib/systemd/,/lib/systemd/,; s,^$(prefix)/,/usr/,
		s,^$(firewalld_services)/,/usr/lib/firewalld/services/," |
		grep -vE '/(sysusers|tmpfiles)\.d/' | sort >"$D/installed"
	sed -E 's,^([^ ]+).*,/\1,' "$TOP"/debian/*.install | sort >"$D/packaged"
	diff "$D/installed" "$D/packaged"
}

@test "the packages' scripts are sound, keep what is there, and only purge takes configuration and logs" {
	local script
	for script in "$TOP"/debian/*.postinst "$TOP"/debian/*.postrm "$TOP"/debian/*.preinst "$TOP"/debian/*.prerm; do
		sh -n "$script"
		grep -q '^set -e$' "$script"
		grep -q '^#DEBHELPER#$' "$script"
	done
	for script in cig crs; do
		# nothing is taken before the word purge
		! sed '/^purge)/,$d' "$TOP/debian/$script.postrm" | grep -v '^#' | grep -w rm || false
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

@test "CIG-053: an upgrade of the package keeps cig.conf and userdata, so does its removal, and purge keeps the keys" {
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
	run -0 maintain "$TOP/debian/cig.postrm" purge
	[[ $output == *"/opt/cig/userdata is kept"* ]]
	[ ! -e "$D/root/opt/cig/cig.conf" ]
	[ "$(cat "$D/root/opt/cig/userdata/.ks.tel:+8888")" = keys ]
	rm "$D/root/opt/cig/userdata/.ks.tel:+8888"
	run -0 maintain "$TOP/debian/cig.postrm" purge # an empty folder is no loss
	[ -z "$output" ]
	[ ! -e "$D/root/opt/cig" ]
}

@test "a purge of crs keeps accounts, data and backups and says where they are" {
	mkdir -p "$D/root/opt/crs/accounts/acme" "$D/root/opt/crs/data" "$D/root/opt/crs/backup"
	echo secret >"$D/root/opt/crs/accounts/acme/secret"
	echo old >"$D/root/opt/crs/backup/b.tar"
	echo "crsname crs1" >"$D/root/opt/crs/crs.conf"
	run -0 maintain "$TOP/debian/crs.postrm" remove
	[ -z "$output" ]
	[ -e "$D/root/opt/crs/crs.conf" ]
	run -0 maintain "$TOP/debian/crs.postrm" purge
	[ ! -e "$D/root/opt/crs/crs.conf" ]
	[ ! -e "$D/root/opt/crs/data" ] # it was empty
	[ "$(cat "$D/root/opt/crs/accounts/acme/secret")" = secret ]
	[ "$(cat "$D/root/opt/crs/backup/b.tar")" = old ]
	[ "${#lines[@]}" -eq 2 ]
	[[ ${lines[0]} == *"/opt/crs/accounts is kept"* && ${lines[1]} == *"/opt/crs/backup is kept"* ]]
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
		usr/lib/firewalld/*) cp -a "$DEST$(firewalld_services)/${path##*/}" "$D/deb/$where/" ;;
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

# The spec file's own work, on what "make install" has put into $DEST: its build is tests/package/try's.
make_rpms() { # VERSION: into $D/rpms
	local version=$1 top=$D/rpm-$1
	mkdir -p "$top" "$D/rpms" "$D/staged"
	[ -d "$D/staged/usr" ] || {
		cp -a "$DEST/." "$D/staged/"
		# the packages' prefix is /usr
		[ "$(prefix)" = /usr ] || { cp -a "$D/staged$(prefix)/." "$D/staged/usr/" && rm -r "${D:?}/staged$(prefix)"; }
		[ ! -d "$D/staged/etc/firewalld" ] || mv "$D/staged/etc/firewalld" "$D/staged/usr/lib/"
		ln -sf /usr/bin/create_cig_maildir "$D/staged/opt/cig/bin/create_cig_maildir"
	}
	sed "/^%setup/d; /^%configure/d; /^make %/d; s,^make install DESTDIR=.*,cp -a $D/staged/. %{buildroot}," \
		"$TOP/rpm/tandem.spec" >"$top/tandem.spec"
	sed -i "s/^Version: .*/Version: $version/" "$top/tandem.spec"
	rpmbuild -bb --quiet --nodeps --define "_topdir $top" --define 'debug_package %{nil}' --define '__os_install_post %{nil}' \
		--define '_build_id_links none' --define '_binary_payload w1.gzdio' "$top/tandem.spec" >"$D/rpmbuild.log" 2>&1
	mv "$top"/RPMS/*/*.rpm "$D/rpms/"
}

spec_version() { sed -n 's/^Version: *//p' "$TOP/rpm/tandem.spec"; }

@test "CIG-048 CRS-010: rpmbuild makes packages with the files of the Debian ones, that name what they need on RHEL and SLES" {
	needs rpmbuild rpm rpm2archive
	[ "$(spec_version)" = "$(sed -n 's/^AC_INIT(\[tandem\], \[\([^]]*\)\].*/\1/p' "$TOP/configure.ac")" ]
	make_rpms "$(spec_version)"
	local name rpm path where
	for name in cig crs cms cca; do
		rpm=$(echo "$D/rpms/$name-$(spec_version)"-*.rpm)
		while read -r path where; do
			path=${where:-${path%/*}}/${path##*/}
			echo "/${path/#lib\//usr/lib/}"
		done <"$TOP/debian/$name.install" | sort >"$D/debian"
		# The configuration itself is the Debian packages' scripts' work.
		rpm -qp --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' "$rpm" | sed -n '/^d/d; s/^[^ ]* //; /^\/opt\/c[a-z]*\/[^/]*\.conf$/!p' |
			sort | diff "$D/debian" -
	done
	rpm -qp --requires "$D"/rpms/crs-*.rpm | grep -qx '(redis or valkey-compat-redis)'
	rpm -qp --requires "$D"/rpms/cig-*.rpm | grep -q '^libsofia-sip-ua.so'
	[ "$(rpm -qp --configfiles "$D"/rpms/cig-*.rpm "$D"/rpms/crs-*.rpm | sort | tr '\n' ' ')" = \
		"/etc/logrotate.d/cig /etc/logrotate.d/crs /opt/cig/cig.conf /opt/crs/crs-local.conf /opt/crs/crs-relay.conf /opt/crs/crs.conf " ]
	mkdir "$D/x"
	rpm2archive "$D"/rpms/cig-*.rpm
	tar -xzf "$D"/rpms/cig-*.tgz -C "$D/x"
	"$D/x/usr/bin/cig-server" --version
	"$D/x/usr/bin/cig-cli" read "$D/x/opt/cig/cig.conf"
}

# What happens in a copy of this system that is gone afterwards: programs, libraries and shell
# are the system's, what is written goes to memory.
in_copy() { # SCRIPT: with $D/rpms as /rpms
	cat >"$D/copy" <<-'C'
		set -e
		mount -t tmpfs tmpfs "$1"
		mkdir "$1/upper" "$1/work" "$1/root"
		mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root" || exit 77
		mount --bind /proc "$1/root/proc"
		[ -c "$1/root/dev/null" ] || mount --bind /dev "$1/root/dev"
		cp -r "$2" "$1/root/rpms"
		cp "$3" "$1/root/script"
		chroot "$1/root" bash -eu /script
	C
	mkdir "$D/mnt"
	unshare -m bash "$D/copy" "$D/mnt" "$D/rpms" "$1"
}

@test "CIG-048 CIG-053 CRS-010: rpm installs, upgrades and erases; configuration that was changed and user data stay" {
	needs rpmbuild rpm unshare useradd
	[ "$(id -u)" -eq 0 ] || skip "users and ownership need root"
	make_rpms "$(spec_version)"
	echo "# a new default" | tee -a "$D"/staged/usr/share/doc/tandem/*.sample >/dev/null
	make_rpms 99.0
	cat >"$D/script" <<-'S'
		rpm() { command rpm --dbpath /var/lib/rpm-of-the-test --nodeps "$@"; }
		is() { # PATH "MODE OWNER GROUP"
			[ "$(stat -L -c '%a %U %G' "$1")" = "$2" ] || { stat "$1"; exit 1; }
		}
		his() {
			sha256sum "$1" /opt/cig/userdata/.ks.tel:+8888 /opt/crs/accounts/acme /var/log/cig/cig.log | cut -c 1-64
			stat -c '%a %U %G' "$1" /opt/cig/userdata/.ks.tel:+8888
		}
		for program in adduser systemctl apt-get; do # nothing of Debian's, and no service of this system
			printf '#!/bin/sh\necho "$0 $*" >>/called\nexit 1\n' >/usr/local/bin/$program
			chmod 755 /usr/local/bin/$program
		done
		rm -rf /opt/cig /opt/crs /var/log/cig /var/log/crs /etc/logrotate.d/cig /etc/logrotate.d/crs

		rpm -i /rpms/*-"$VERSION"-*.rpm
		is /opt/cig/cig.conf "640 root ciguser"
		is /opt/cig/userdata "750 ciguser ciguser"
		is /opt/cig/scripts/notify.sh "755 root root"
		is /opt/cig/bin/create_cig_maildir "755 root root"
		is /var/log/cig "750 ciguser ciguser"
		is /opt/crs/crs.conf "640 root crsadmin"
		is /opt/crs/accounts "750 crsuser crsadmin"
		id -nG ciguser | grep -qw cigmail
		id -nG crsuser | grep -qw crsadmin
		getent passwd crsuser | grep -q ':/opt/crs:/sbin/nologin$'
		for program in cig-server cig-relay cig-cli crs crs-relay crs-cli cra cms cca; do
			/usr/bin/$program --version
		done
		rpm -V cig crs cms cca
		/usr/bin/cig-cli read /opt/cig/cig.conf

		echo "// his" >>/opt/cig/cig.conf
		install -o ciguser -g ciguser -m 600 /dev/null /opt/cig/userdata/.ks.tel:+8888
		echo keys >/opt/cig/userdata/.ks.tel:+8888
		echo account >/opt/crs/accounts/acme
		echo log >/var/log/cig/cig.log
		his /opt/cig/cig.conf >/before

		rpm -U /rpms/*-99.0-*.rpm
		[ "$(command rpm --dbpath /var/lib/rpm-of-the-test -q --qf '%{VERSION} ' cig crs cms cca)" = "99.0 99.0 99.0 99.0 " ]
		his /opt/cig/cig.conf | diff /before -
		tail -n 1 /opt/cig/cig.conf.rpmnew | grep -qx '# a new default'
		tail -n 1 /opt/crs/crs.conf | grep -qx '# a new default' # nobody had changed it
		is /opt/crs/crs.conf "640 root crsadmin"

		rpm -e cig crs cms cca
		his /opt/cig/cig.conf.rpmsave | diff /before -
		[ ! -e /usr/bin/cig-server ]
		[ ! -e /usr/bin/crs ]
		[ ! -e /opt/cig/scripts ]
		[ ! -e /opt/crs/crs.conf ]
		getent passwd ciguser >/dev/null
		# What was called has nothing to say on a system that systemd does not run.
		[ -d /run/systemd/system ] || [ ! -e /called ]
		find /opt/cig /opt/crs /var/log/cig -type f | sort
	S
	sed -i "1i VERSION=$(spec_version)" "$D/script"
	run in_copy "$D/script"
	[ "$status" -ne 77 ] || skip "no overlay can be mounted here"
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(tail -n 4 <<<"$output" | tr '\n' ' ')" = \
		"/opt/cig/cig.conf.rpmsave /opt/cig/userdata/.ks.tel:+8888 /opt/crs/accounts/acme /var/log/cig/cig.log " ]
}

@test "make uninstall leaves nothing behind" {
	cp -a "$DEST" "$D/dest"
	make -s -C "$BUILD" uninstall DESTDIR="$D/dest" >/dev/null 2>&1
	[ -z "$(find "$D/dest" -type f -o -type l)" ] || { find "$D/dest" -type f -o -type l; false; }
}
