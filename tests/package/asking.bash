# asking.bash - what boot.bats and upgrade.bats ask of the machine, and how a test of theirs begins
# and ends.  They have loaded ../scenarios/helpers.bash and machine.bash.

ALICE=+46701234567 BOB=+46707654321 CAROL=+46703333333
HERE=$MACHINE_IP PBX=$FAR_IP

setup_file() {
	[ -n "${BOOT_ROOT:-}" ] || skip "tests/package/boot runs this"
	TICK=$BATS_FILE_TMPDIR/tick
	mkfifo "$TICK"
	machine_boot "$BOOT_ROOT" "$BOOT_NAME" "$BATS_FILE_TMPDIR/machine"
}

teardown_file() {
	[ ! -e "$BATS_FILE_TMPDIR/tick" ] || { TICK=$BATS_FILE_TMPDIR/tick && machine_gone "$BOOT_NAME"; }
}

setup() {
	setup_common
	machine_found "$BATS_FILE_TMPDIR/machine"
	BEGAN=$(on date '+%F %T')
}

teardown() {
	stop_all
	[ -n "${BATS_TEST_COMPLETED:-}" ] || {
		show_ends "$D"
		on journalctl --no-pager --since "$BEGAN" | tail -n 60
		on sh -c 'tail -n 20 /var/log/crs/*.log /var/log/cig/*.log'
	}
}

# --- asking ---

is() { # PATH WANTED: "MODE OWNER GROUP"
	[ "$(on stat -L -c '%a %U %G' "$1")" = "$2" ] || { on stat "$1"; return 1; }
}

property() { # UNIT NAME
	on systemctl show --value -p "$2" "$1"
}

active() { # UNIT...
	on systemctl is-active --quiet "$@"
}

processes() { # UNIT: their ids on the machine
	on cat "/sys/fs/cgroup/system.slice/$1.service/cgroup.procs"
}

main() { # UNIT
	property "$1" MainPID
}

journal_has() { # UNIT_OR_-t TAG... -- REGEX: since the test began
	local args=()
	while [ "$1" != -- ]; do args+=("$1") && shift; done
	on journalctl --no-pager -o cat --since "$BEGAN" "${args[@]}" >"$D/journal" && in_log "$D/journal" "$2"
}

# Each process of the unit: USER, no new privileges, its system calls filtered, these capabilities alone.
held() { # UNIT USER CAPABILITIES
	local pid uid found=0
	uid=$(on id -u "$2")
	for pid in $(processes "$1"); do
		on cat "/proc/$pid/status" >"$D/status" || continue # notify.sh's are soon gone
		in_log "$D/status" "^Uid:	$uid	$uid	$uid	$uid" && in_log "$D/status" '^NoNewPrivs:	1' &&
			in_log "$D/status" '^Seccomp:	2' && in_log "$D/status" "^CapEff:	$3\$" &&
			in_log "$D/status" "^CapBnd:	$3\$" || { cat "$D/status"; return 1; }
		found=$((found + 1))
	done
	[ $found -gt 0 ]
}

inside_of() { # UNIT COMMAND...: with the unit's mounts
	on nsenter -t "$(main "$1")" -m "${@:2}"
}

sees_only() { # UNIT: what the unit's mounts show
	inside_of "$1" true || return
	! inside_of "$1" touch /usr/bin/here || return 1
	! inside_of "$1" touch /etc/here || return 1
	! inside_of "$1" ls -A /root | grep . || return 1
	! inside_of "$1" ls -A /tmp | grep . || return 1
	! inside_of "$1" ls /dev | grep -x outside || return 1
	! inside_of "$1" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward' || return 1
}

quiet() { # UNIT: nothing that it was refused, since the test began
	! journal_has -u "$1" -- 'not permitted|[Rr]ead-only|[Dd]enied|status=31|dumped|Failed at step|lacks'
}

main_other_than() { # UNIT PID
	local pid
	pid=$(main "$1") && [ "$pid" != 0 ] && [ "$pid" != "$2" ]
}

crs_well() {
	on crs-cli health-check system
}

cig_well() {
	on setpriv --reuid ciguser --regid ciguser --init-groups cig-cli --json status >"$D/status.json" &&
		[ "$(jq -c .problems "$D/status.json")" = '[]' ]
}

# Its loop turns no more: systemd, told to wait for three seconds only, ends it and starts another.
hung_is_replaced() { # UNIT WELL
	local pid
	[ "$(property "$1" WatchdogUSec)" = 6min ] || return
	on sh -c 'mkdir -p "$1" && printf "[Service]\nWatchdogSec=3\nTimeoutAbortSec=2\n" >"$1/short.conf"' \
		- "/run/systemd/system/$1.service.d"
	on systemctl daemon-reload && on systemctl restart "$1" || return
	await 20 "$1" "$2" || return
	pid=$(main "$1")
	pause 5000 # which one that is well survives
	[ "$(main "$1")" = "$pid" ] || return
	on kill -STOP "$pid"
	await 15 "another $1" main_other_than "$1" "$pid" || return
	journal_has -u "$1" -- 'Watchdog timeout' || return
	await 20 "$1" "$2" || return
	on rm "/run/systemd/system/$1.service.d/short.conf"
	on systemctl daemon-reload && on systemctl restart "$1" && await 20 "$1" "$2"
}

# kill -9 of the main process: another one does its work within five seconds.
comes_back() { # UNIT WELL
	local pid began
	pid=$(main "$1")
	began=${EPOCHREALTIME/[.,]/}
	on kill -KILL "$pid"
	await 5 "another $1" main_other_than "$1" "$pid"
	await 5 "its work" "$2"
	echo "$1 is back after $(((${EPOCHREALTIME/[.,]/} - began) / 1000)) ms" >&3
	[ $((${EPOCHREALTIME/[.,]/} - began)) -le 5000000 ]
	[ "$(property "$1" NRestarts)" -ge 1 ]
	journal_has -t "${1:0:3}" -- "^$1: stop signal"
	journal_has -t "${1:0:3}" -- "^$1: start"
}

open_tcp() { # PORT: from the other host
	far timeout 5 bash -c "exec 9<>/dev/tcp/$HERE/$1"
}

sip_options() { # over UDP from the other host; the answer's first line
	printf '%s\n' "OPTIONS sip:$HERE SIP/2.0" "Via: SIP/2.0/UDP @ME@;branch=z9hG4bK@ID@;rport" "Max-Forwards: 70" \
		"From: <sip:pbx@$PBX>;tag=@ID@" "To: <sip:cig@$HERE>" "Call-ID: @ID@" "CSeq: 1 OPTIONS" \
		"Contact: <sip:pbx@@ME@>" "Content-Length: 0" '' |
		far_ours python3 "$TOP/tests/scenarios/sip_ask.py" $PBX $HERE:5060 2
}

heard() { # WHAT_CCA_TOLD: media came, too
	[[ $1 =~ media.*received=([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -gt 50 ]
}

has_text() { # TEXT: goes from Alice to Bob, through the installed rendezvous
	start "$D/listen" far cca --store /srv/bob listen --count 1
	local listen=$STARTED_PID
	run -0 far timeout 30 cca --store /srv/alice send --receipt $BOB "$1"
	[[ $output == *posted* && $output == *delivered* ]]
	await 10 "the message" stopped "$listen"
	in_log "$D/listen" "^message from=tel:\\$ALICE .*text=\"?$1"
}

# --- what both do ---

domain_made() { # a domain of cms in /srv/cms, with its account: letters and updates of three users and a gateway
	run -0 on crs-cli create account demo
	local secret=${lines[-1]##* }
	on sh -c "umask 077 && mkdir -p /srv/cms && cd /srv/cms && echo passphrase >phrase && echo '$secret' >secret &&
		cms --dir data --passphrase-file phrase init --domain Try --crs $HERE:5223 --account demo --secret-file secret"
	local words
	for words in "user add $ALICE Alice" "user add $BOB Bob" "user add $CAROL Carol" "gateway add +8888 Gateway --engines 4" \
		"letter $ALICE --output alice" "letter $BOB --output bob" "letter $CAROL --output carol" "letter +8888 --output gateway" "update"; do
		on env -C /srv/cms cms --dir data --passphrase-file phrase $words
	done
}

gateway_made() { # its configuration, mailboxes and keys; it is started
	cig_conf | on sh -c 'cat >/opt/cig/cig.conf'
	on install -m 640 -g ciguser /srv/cms/gateway /opt/cig/gateway.letter
	on install -d -o ciguser -g cigmail -m 2750 /opt/cig/userdata/mail
	local box
	for box in out in; do run -0 on create_cig_maildir "/opt/cig/userdata/mail/$box"; done
	run -0 on setpriv --reuid ciguser --regid ciguser --init-groups cig-cli set-key --file /opt/cig/gateway.letter
	run -0 on systemctl enable --now cig-relay cig-server
}

calls_the_pbx() { # Alice does, and hears it
	start "$D/pbx" env -C "$D" nsenter -t "$FAR" -n sipp -sn uas -rtp_echo -i $PBX -mi $PBX -nostdin -timeout 60s -m 1
	run -0 far timeout 40 cca --store /srv/alice call --dtmf 42 --hangup 3 "+8888;101"
	[[ $output == *talk* ]]
	heard "$output"
}

upgrade_under_a_call() { # to the later packages; Alice calls Bob meanwhile
	local unit
	declare -A old=()
	far timeout 30 cca --store /srv/alice send "$CAROL" "before the upgrade"
	start "$D/answer" far cca --store /srv/bob answer --count 1
	await 20 "Bob" in_log "$D/answer" '^attached'
	start "$D/call" far cca --store /srv/alice call "$BOB"
	local call=$STARTED_PID
	await 20 "the call" in_log "$D/call" '^talk'
	for unit in crs crs_relay cig-server cig-relay; do old[$unit]=$(main $unit); done
	what_stays >"$D/before"
	running "$call"
	run -0 on sh -c 'apt-get -q -y --no-install-recommends install /srv/later/*.deb'
	for unit in "${!old[@]}"; do main_other_than "$unit" "${old[$unit]}"; done
	await 20 "the rendezvous" crs_well
	await 30 "the gateway" cig_well
	what_stays | diff "$D/before" -
	run -0 far timeout 30 cca --store /srv/carol listen --count 1
	[[ $output == *'before the upgrade'* ]]
	await 60 "the end of the call at Alice's" stopped "$call" # its relay is a new one
	has_text "after the upgrade"
	quiet crs
	quiet cig-server
}

removal_ends_all() {
	run -0 on dpkg -P cig crs cms cca
	! on pgrep -u crsuser || false
	! on pgrep -u ciguser || false
	on systemctl daemon-reload
	[ "$(on systemctl --failed --plain --no-legend | wc -l)" -eq 0 ]
	! on sh -c 'ls /etc/systemd/system/multi-user.target.wants | grep -e crs -e cig' || false
}

what_stays() {
	on sh -c 'cd / && sha256sum opt/crs/*.conf opt/cig/cig.conf opt/cig/userdata/.ks*' && on crs-cli list account
}

# --- the gateway's configuration ---

cig_conf() {
	cat <<-C
		map out { entry all tel "tel:+8888;{ext}" sip "sip:{ext}@$PBX"; }
		map in { entry all sip "sip:{number}@{discard}" tel "tel:+{number}"; }
		map shown { entry all tel "tel:+{number}" sip "sip:{number}@secure.example"; }
		map source { entry all sip "sip:{ext}@{discard}" tel "tel:+8888;{ext}"; }
		interfaces {
			tel { extension map out; source map source; }
			sip { extension map in; source map shown; bind $HERE; rtp_port_range 16384 17383; trusted "192.0.2.0/24"; }
		}
		translate_map users2mail { rule match "tel:+{number}" translation "sip:{number}@secure.com"; }
		translate_map extensions2mail { rule match "tel:+8888;{ext}" translation "sip:{ext}@pbx.com"; }
		translate_map mail2users { rule match "sip:{number}@secure.com" translation "tel:+{number}"; }
		translate_map mail2extensions { rule match "sip:{ext}@pbx.com" translation "tel:+8888;{ext}"; }
		mailboxes {
			write { path "/opt/cig/userdata/mail/out"; map_from translate_map users2mail; map_to translate_map extensions2mail; }
			read { path "/opt/cig/userdata/mail/in"; map_from translate_map mail2extensions; map_to translate_map mail2users; }
		}
	C
}
