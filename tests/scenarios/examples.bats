# examples.bats - the EXAMPLES of the manual pages do what they say: each line is run as it
# stands, in a lab whose directories and ports take the place of the installed ones.

load helpers
load lab
load sipp

setup_file() {
	lab_setup_file
}

teardown_file() {
	lab_teardown_file
}

setup() {
	lab_load
	mkdir "$T/work"
	cd "$T/work" || return
}

teardown() {
	stop_all
	[ -n "${BATS_TEST_COMPLETED:-}" ] || tail -n 5 "$D"/*.log "$D"/*/log/*.log 2>/dev/null
}

lines_of() { # PAGE: the commands of its EXAMPLES, one a line
	awk '/^\.Sh / { on = /EXAMPLES/ } on && /^\.Bd/ { body = 1; next } /^\.Ed/ { body = 0 } on && body' \
		"$TOP/docs/man/$1" | sed -z 's/\\e\n */ /g; s/\\&//g'
}

run_lines() { # PAGE LEAST: all of them, as a reader with the lab for a system would type them
	local line n=0
	while IFS= read -r line; do
		echo "\$ $line"
		line=${line//\/tmp\/trial/$T/trial}
		line=${line//\/opt\/cig/$D/cig}
		line=${line//\/opt\/crs/$D/crs}
		line=${line//\/media\/usb/$T/usb}
		line=${line//\/media\/key/$T/key}
		eval "$line" </dev/null
		n=$((n + 1))
	done < <(lines_of "$1")
	[ "$n" -ge "$2" ]
}

# What goes on until somebody ends it: it must still be there after a second, and end well.
stays() { # COMMAND...
	local status=0
	timeout --preserve-status -s INT 1.5 "$@" || status=$?
	case $status in 0|130|143) ;; *) echo "status $status"; return 1 ;; esac
}

sudo() { # COMMAND...: the lab is one user's
	"$@"
}

@test "the examples of cms(1)" {
	mkdir "$T/usb"
	(umask 077 && openssl rand -base64 16 >secret)
	cms() { command cms --dir "$T/cms" --passphrase-file "$D/passphrase" "$@"; }
	run_lines cms.1 5
	[ -s bob.letter ]
	files_in "$T/usb" 2
}

@test "the examples of crs-cli(1)" {
	crs-cli() {
		case "$*" in
		*trace*) stays crs-cli --root "$D/crs" "$@" ;;
		restore*) command crs-cli --root "$D/crs" restore "$(ls "$D"/crs/backup/*.tar | tail -n 1)" "${@:3}" ;;
		*) command crs-cli --root "$D/crs" "$@" ;;
		esac
	}
	lab_cms update --output "$T"
	mkdir -p "$D/crs/data"
	cp "$(ls "$T"/*.upd | head -n 1)" "$D/crs/data/2026-11.upd"
	mkdir "$T/key"
	(umask 077 && echo "a long passphrase" >"$T/key/passphrase")
	run_lines crs-cli.1 8
	ls "$D"/crs/backup/*.tar.sealed
	grep -q . statistics.tsv
}

@test "the examples of cra(1)" {
	lab_crs_cli create admin olga >created
	(umask 077 && tail -n 1 created | grep -oE '[^ ]+$' >"$T/olga.secret")
	lab_crs_cli add admin-account olga "$LAB_ACCOUNT"
	lab_crs_cli add admin-account-authorization olga "$LAB_ACCOUNT" update
	lab_cms update --output "$T"
	cp "$(ls "$T"/*.upd | tail -n 1)" 2026-12.upd
	cra() { # --server NAME --admin olga --secret-file FILE COMMAND...: the lab's account is another
		local words=("${@:7}") i
		for i in "${!words[@]}"; do words[i]=${words[i]/#acme/$LAB_ACCOUNT}; done
		command cra --server "127.0.0.1:$LAB_CRS_PORT" --admin "$4" --secret-file "$T/olga.secret" \
			"${words[@]}"
	}
	run_lines cra.1 2
}

@test "the examples of cig-cli(1)" {
	cig-cli() {
		case "$*" in
		"trace sip"*) # there is no such call here, and it says so; seeing.bats has real ones
			run -1 command cig-cli --config "$D/cig/cig.conf" "$@"
			[[ $output == *4711* ]] ;;
		*--watch*|trace*) stays cig-cli --config "$D/cig/cig.conf" "$@" ;;
		*--config*|read*) command cig-cli "$@" ;;
		*) command cig-cli --config "$D/cig/cig.conf" "$@" ;;
		esac
	}
	lab_cms letter "$LAB_GATEWAY" --output letter.txt
	cp "$D/cig/cig.conf" cig_new.conf
	chmod 600 cig_new.conf
	printf '%s\n' "tel:$LAB_GATEWAY;101 tel:${LAB_USERS[0]}" >numbers.txt
	run_lines cig-cli.1 10
}

@test "the examples of cig-server(8)" {
	local restarted=
	systemctl() { # the services are the lab's
		case $* in
		"reload cig-server") kill -HUP "$LAB_CIG_SERVER" ;;
		restart\ *) restarted+=" $2" ;;
		esac
	}
	chown() { command chown "${@/ciguser/$(id -un)}"; }
	tar() { # the backup that is restored is that of the day on which this runs
		[ "$1" = xf ] && set -- xf cig-backup-main-????-??-??.tar "${@:3}"
		command tar "$@"
	}
	run_lines cig-server.8 6
	[ "$restarted" = " cig-relay cig-server" ]
	tar tf cig-backup-main-????-??-??.tar | grep -q 'userdata/.ks.tel:'
	lab_cig_status '.problems == []'
}

@test "the examples of create_cig_maildir(8)" {
	create_cig_maildir() { command create_cig_maildir --group "$(id -gn)" "$@"; }
	adduser() { [ "$*" = "reader cigmail" ]; }
	mkdir -p "$D/cig/userdata/mail"
	run_lines create_cig_maildir.8 2
	[ -d "$D/cig/userdata/mail/in/new" ]
}

@test "the examples of cca(1)" {
	needs sipp
	sipp_uas callee uas_hangs_up.xml "$LAB_PHONE_IP" 5060 u1
	lab_cms letter "${LAB_USERS[1]}" --output letter.txt
	head -c 32000 /dev/zero | sox -t raw -r 8000 -e signed -b 16 -c 1 - hello.wav
	cca() {
		case "$*" in
		*listen*) stays cca --store "$T/store" "$@" ;;
		*) command cca --store "$T/store" "$@" ;;
		esac
	}
	run_lines cca.1 4
	[ -s answer.wav ]
	sipp_ended callee 10
}

@test "the examples of crs(8) and crs-relay(8)" {
	crs() { if [[ " $* " == *" -n "* ]]; then command crs "$@"; else stays crs "$@"; fi; }
	crs-relay() { stays crs-relay "$@"; }
	mkdir -p "$T/trial"
	printf 'key %s\nhost crs1\nip crs1 127.0.0.1\n' "$(crs-cli create sharedSecret)" >"$T/trial/crs.conf"
	free_port
	printf 'crsname crs1\nlisten-address 127.0.0.1\nlisten-port %s\n' "$PORT" >"$T/trial/crs-local.conf"
	run_lines crs.8 2
	run_lines crs-relay.8 1
}

@test "the examples of cig-relay(8)" {
	cig-relay() { stays cig-relay "$@"; }
	mkdir "$T/trial"
	run_lines cig-relay.8 1
}

@test "the examples of crs.conf(5)" {
	local n=0
	mkdir "$T/crs"
	# The second is of crs-local.conf, the others belong into one file.
	awk -v dir="$T/crs" '/^\.Sh / { on = /EXAMPLES/ } on && /^\.Bd/ { n++; body = 1; next } /^\.Ed/ { body = 0 }
		on && body { print >>(dir (n == 2 ? "/crs-local.conf" : "/crs.conf")) }' "$TOP/docs/man/crs.conf.5"
	printf 'listen-address 127.0.0.1\n' >>"$T/crs/crs-local.conf"
	grep -q '^key ' "$T/crs/crs.conf" || printf 'key %s\n' "$(crs-cli create sharedSecret)" >>"$T/crs/crs.conf"
	run -0 crs --root "$T/crs" -n
	[[ $output != *error* ]]
}

@test "every page of a program has examples, and each page with examples is run here or in docs.bats" {
	local page name
	for page in "$TOP"/docs/man/*; do
		name=${page##*/}
		grep -q '^\.Sh EXAMPLES' "$page" || { echo "$name has none"; false; }
		grep -qF "${name%.?}(${name##*.})" "$TOP/tests/scenarios/examples.bats" "$TOP/tests/scenarios/docs.bats" || {
			echo "$name: its examples are not run"
			false
		}
	done
}
