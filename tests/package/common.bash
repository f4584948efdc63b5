# common.bash - what the scripts of this folder share: their words, and Debian packages of this
# tree.  $TOP is the tree, $W a private directory.

say() { echo "${0##*/}: $*"; }
fail() { echo "${0##*/}: FAILED: $*" >&2; exit 1; }
expect() { # WHAT COMMAND...
	local what=$1
	shift
	"$@" >"$W/last" 2>&1 || { cat "$W/last" >&2; fail "$what"; }
}

make_debs() { # in $W, from a copy of the tree in $W/tandem
	say "making the Debian packages"
	mkdir "$W/tandem"
	(cd "$TOP" && { git ls-files -co --exclude-standard 2>/dev/null || find . -type f -not -path './build*'; } |
		tar -cf - -T -) | tar -C "$W/tandem" -xf -
	(cd "$W/tandem" && dpkg-buildpackage -b -us -uc -j"$(nproc)") >"$W/build.log" 2>&1 ||
		{ tail -n 40 "$W/build.log" >&2; fail "dpkg-buildpackage"; }
}

# The same content under a higher version: what an upgrade must cope with is in the
# maintainer scripts.
later() { # DEB: its successor is in $W/later
	local dir
	dir=$W/later/$(basename "$1" .deb)
	rm -rf "$dir" && mkdir -p "$W/later"
	dpkg-deb -R "$1" "$dir"
	sed -i 's/^Version: .*/&+later/' "$dir/DEBIAN/control"
	dpkg-deb -b "$dir" "$W/later" >/dev/null
	rm -r "$dir"
}

the_four() { # DIRECTORY: its packages, one of each name
	local name deb
	for name in cig crs cms cca; do
		deb=$(echo "$1/${name}"_[0-9]*_*.deb)
		[ -f "$deb" ] || fail "no package $name in $1"
		echo "$deb"
	done
}
