# crs_upgrade.bats - configurations of the manual's releases from 4.0 on (CRS manual 4.13 to
# 4.19): accepted, with the defaults of what they lack, and a warning of each.

load helpers

setup() {
	setup_common
	ROOT=$(mktemp -d /tmp/crs.XXXXXX) # sockets have 107 octets
	mkdir "$ROOT/run" "$ROOT/log" "$ROOT/data" "$ROOT/accounts"
	needs redis-server
}

teardown() {
	stop_all
	[ -n "${BATS_TEST_COMPLETED:-}" ] || tail -n 20 "$ROOT/crs.out" "$ROOT/log/crs.log" 2>/dev/null
	rm -rf "$ROOT"
}

installed_at() { # VERSION: the files as they were made for it
	cat >"$ROOT/crs.conf" <<-C
		// GLOBAL
		key c2VjcmV0IG9mIHRoZSBwb29sIQ==
	C
	case $1 in
	4.0 | 4.1 | 4.2) ;;
	*) echo features >>"$ROOT/crs.conf" ;; # 4.13 and 4.14: to be added
	esac
	cat >>"$ROOT/crs.conf" <<-C
		// POOL
		ip crs1 127.0.0.1
		ip crs2 127.0.0.2
		host crs1
		app attach
		app session
		app message
		host crs2
		app attach session message
	C
	echo "crsname crs1" >"$ROOT/crs-local.conf"
	case $1 in
	4.6 | 4.7) echo "db-backup replicate-from-peer" >>"$ROOT/crs-local.conf" ;; # 4.13 to 4.17
	esac
}

told() { # COUNT REGEX: so many lines of $output
	[ "$(grep -cE -- "$2" <<<"$output")" -eq "$1" ]
}

@test "CRS-017 CRS-127 CRS-128: the configuration of every release since 4.0 is accepted, with a warning of each line that it lacks" {
	local version features backup
	while read -r version features backup; do
		installed_at "$version"
		run -0 crs --root "$ROOT" -n
		told "$features" 'crs.conf: warning: no "features" line: push notifications are off'
		told "$backup" 'crs-local.conf: warning: no "db-backup" line: as "db-backup none"'
		told 0 'error|app'
	done <<-V
		4.0 1 1
		4.1 1 1
		4.2 1 1
		4.3 0 1
		4.4 0 1
		4.5 0 1
		4.6 0 0
		4.7 0 0
	V
}

answers() {
	crs-cli --root "$ROOT" show version
}

@test "CRS-017 CRS-128: with the oldest of them it runs, and warns in the journal" {
	installed_at 4.0
	free_port
	printf 'listen-address 127.0.0.1\nlisten-port %s\n' "$PORT" >>"$ROOT/crs-local.conf"
	start "$ROOT/crs.out" crs --root "$ROOT"
	await 15 "crs" answers
	grep -q 'warning: no "features" line' "$ROOT/crs.out"
	grep -q 'warning: no "db-backup" line' "$ROOT/crs.out"
	crs-cli --root "$ROOT" show services | grep -E '^crs1 +redis_low +active'
	! crs-cli --root "$ROOT" show services | grep redis_backup || false
}
