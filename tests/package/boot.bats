# boot.bats - the packages' services under systemd, and their ports behind firewalld.  tests/package/boot
# makes the machine's directory and runs this; the tests go on where the one before ended.

load ../scenarios/helpers
load machine

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

# --- the rendezvous ---

@test "CRS-010 CRS-011 CIG-048: the packages install without a network on a running system, with their users and places, and start nothing" {
	run -0 on sh -c 'apt-get -q -y --no-install-recommends install /srv/first/*.deb'
	is /opt/crs "755 root root"
	is /opt/crs/crs.conf "640 root crsadmin"
	is /opt/crs/accounts "750 crsuser crsadmin"
	is /opt/crs/data "750 crsuser crsadmin"
	is /var/log/crs "750 crsuser crsadmin"
	is /opt/cig/cig.conf "640 root ciguser"
	is /opt/cig/userdata "750 ciguser ciguser"
	is /var/log/cig "750 ciguser ciguser"
	on id -nG crsuser | grep -qw crsadmin
	on id -nG ciguser | grep -qw cigmail
	local unit
	for unit in crs crs_relay cig-server cig-relay; do
		[ "$(property $unit ActiveState)" = inactive ]
		[ "$(property $unit UnitFileState)" = disabled ]
		[ "$(property $unit NeedDaemonReload)" = no ]
	done
}

@test "CRS-012 CRS-011: systemctl enable --now crs_relay crs, as crsuser and with nothing but what they need" {
	run -0 on crs-cli create sharedSecret
	on sed -i "s|^key .*|key ${lines[-1]##* }|" /opt/crs/crs.conf
	run -0 on systemctl enable --now crs_relay crs
	await 20 "the rendezvous" crs_well
	run -0 on systemctl status crs crs_relay
	held crs crsuser 0000000000000000
	held crs_relay crsuser 0000000000000400 # CAP_NET_BIND_SERVICE, for port 146
	[ "$(processes crs | wc -l)" -ge 4 ]    # crs, its workers, two Redis
	sees_only crs
	sees_only crs_relay
	! inside_of crs touch /opt/cig/here || false
	! inside_of crs_relay touch /opt/crs/here || false
	quiet crs
	quiet crs_relay
	on find /opt/crs/accounts /opt/crs/data /var/log/crs ! -user crsuser | tee "$D/others"
	[ ! -s "$D/others" ]
}

@test "CRS-012: keys, an account and updates; crs-cli by a member of crsadmin, and a whole health check" {
	run -0 on crs-cli create account demo
	local secret=${lines[-1]##* }
	on sh -c "umask 077 && mkdir -p /srv/cms && cd /srv/cms && echo passphrase >phrase && echo '$secret' >secret &&
		cms --dir data --passphrase-file phrase init --domain Try --crs $HERE:5223 --account demo --secret-file secret"
	local words
	for words in "user add $ALICE Alice" "user add $BOB Bob" "user add $CAROL Carol" "gateway add +8888 Gateway --engines 4" \
		"letter $ALICE --output alice" "letter $BOB --output bob" "letter $CAROL --output carol" "letter +8888 --output gateway" "update"; do
		on env -C /srv/cms cms --dir data --passphrase-file phrase $words
	done
	on sh -c 'for file in /srv/cms/*.upd; do crs-cli apply $file || exit; done'
	on useradd -m -G crsadmin olga
	run -0 on setpriv --reuid olga --regid olga --init-groups crs-cli show version
	run -0 on crs-cli health-check system
	run -0 on crs-cli health-check account demo
}

@test "CRS-009: the service crs of firewalld: refused before, a text and a call go through after" {
	active firewalld
	run -0 on firewall-cmd --state
	run ! open_tcp 5223
	run -0 on firewall-cmd --info-service=crs
	[[ $output == *'ports: 5223/tcp 146/udp'* ]]
	run -0 on firewall-cmd --add-service=crs
	open_tcp 5223
	run ! open_tcp 6379
	local user
	for user in alice bob carol; do
		on cp /srv/cms/$user /srv/$user.letter
		run -0 far cca --store /srv/$user enrol /srv/$user.letter
	done
	has_text "through the firewall"
	start "$D/answer" far cca --store /srv/bob answer --count 1
	local answer=$STARTED_PID
	await 20 "Bob" in_log "$D/answer" '^attached'
	run -0 far timeout 40 cca --store /srv/alice call --hangup 3 $BOB
	[[ $output == *talk* ]]
	heard "$output"
	await 10 "Bob's end" stopped "$answer"
	in_log "$D/answer" '^talk'
}

@test "CRS-012: systemctl reload and restart crs: who is attached comes back and gets his text" {
	local pid
	start "$D/listen" far cca --store /srv/bob listen --count 1
	local listen=$STARTED_PID
	await 20 "Bob" in_log "$D/listen" '^attached'
	pid=$(main crs)
	run -0 on systemctl reload crs crs_relay
	[ "$(main crs)" = "$pid" ]
	journal_has -u crs -- Reloaded
	crs_well
	run -0 on systemctl restart crs
	main_other_than crs "$pid"
	await 20 "the rendezvous" crs_well
	run -0 far timeout 40 cca --store /srv/alice send $BOB "after the restart"
	await 40 "the message" stopped "$listen"
	in_log "$D/listen" 'text="?after the restart'
	quiet crs
	journal_has -t crs -- '^crs: stop success'
}

@test "CRS-133: kill -9 of crs and of crs_relay: back within five seconds, and notify.sh tells" {
	comes_back crs crs_well
	comes_back crs_relay crs_well
	has_text "after kill -9"
}

failed_starts() { # UNIT COUNT
	[ "$(property "$1" NRestarts)" -ge "$2" ]
}

@test "CRS-133: crs comes back when what kept it from starting is gone, however often it has failed" {
	on mv /opt/crs/crs.conf /opt/crs/away
	run on systemctl restart crs
	await 60 "failures beyond systemd's usual limit" failed_starts crs 7
	on mv /opt/crs/away /opt/crs/crs.conf
	await 10 "the rendezvous" crs_well
}

@test "CRS-134: a program of the administrator's in notify.d hears of it, in the service's own confinement" {
	on sh -c 'printf "#!/bin/sh\necho \"\$1 \$2\" >>/var/log/crs/heard\n" >/opt/crs/scripts/notify.d/mine && chmod 755 /opt/crs/scripts/notify.d/mine'
	run -0 on systemctl restart crs_relay
	run -0 on cat /var/log/crs/heard
	[[ $output == *'crs_relay stop success'*'crs_relay start'* ]]
	is /var/log/crs/heard "640 crsuser crsadmin"
}

@test "logrotate: crs, its relay and Redis go on in the new files" {
	run -0 on logrotate -f /etc/logrotate.d/crs
	run -0 on ls -la /var/log/crs
	is /var/log/crs/crs.log "640 crsuser crsadmin"
	on test -s /var/log/crs/crs.log.1
	await 5 "crs at its new log" logs_to crs /var/log/crs/crs.log
	await 5 "crs_relay at its new log" logs_to crs_relay /var/log/crs/crs_relay.log
	crs_well
	quiet logrotate
}

logs_to() { # UNIT FILE: and to no other; no reading of what is gone
	local pid
	pid=$(main "$1")
	on sh -c "ls -l /proc/$pid/fd" >"$D/fds"
	grep -q -- "-> $2\$" "$D/fds" && ! grep -qE -- "-> $2(\.1| \(deleted\))" "$D/fds"
}

@test "CRS-012: systemctl stop crs ends all of it, and start finds what was there" {
	run -0 far timeout 30 cca --store /srv/alice send $BOB "while it is away"
	run -0 on systemctl stop crs crs_relay
	[ "$(property crs Result)" = success ]
	[ "$(property crs_relay Result)" = success ]
	! on pgrep -u crsuser || false
	run ! open_tcp 5223
	run -0 on systemctl start crs # which wants its relay
	active crs crs_relay
	await 20 "the rendezvous" crs_well
	run -0 far timeout 30 cca --store /srv/bob listen --count 1
	[[ $output == *'while it is away'* ]]
}

@test "CRS-125 CRS-126: root restores a backup, and the service reads what is its own again" {
	run -0 on crs-cli backup
	local backup=${lines[0]%%: *} part
	run -1 on crs-cli restore "$backup"
	[[ $output == *'stop crs first'* ]]
	run -0 on systemctl stop crs
	run -0 on crs-cli restore "$backup"
	for part in crs.conf crs-local.conf; do is "/opt/crs/$part" "640 root crsadmin"; done
	for part in accounts data; do is "/opt/crs/$part" "750 crsuser crsadmin"; done
	run -0 on systemctl start crs
	await 20 "the rendezvous" crs_well
	has_text "after the restore"
	quiet crs
}

# --- the gateway ---

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

@test "CIG-006: systemctl enable --now cig-relay cig-server, as ciguser and with nothing but what they need" {
	cig_conf | on sh -c 'cat >/opt/cig/cig.conf'
	on install -m 640 -g ciguser /srv/cms/gateway /opt/cig/gateway.letter
	on install -d -o ciguser -g cigmail -m 2750 /opt/cig/userdata/mail
	local box
	for box in out in; do run -0 on create_cig_maildir "/opt/cig/userdata/mail/$box"; done
	run -0 on setpriv --reuid ciguser --regid ciguser --init-groups cig-cli set-key --file /opt/cig/gateway.letter
	run -0 on systemctl enable --now cig-relay cig-server
	await 30 "the gateway" cig_well
	held cig-server ciguser 0000000000000000
	held cig-relay ciguser 0000000000000000
	sees_only cig-server
	sees_only cig-relay
	! inside_of cig-relay touch /opt/cig/userdata/here || false
	quiet cig-server
	quiet cig-relay
}

@test "CIG-020: the service cig of firewalld: SIP is refused before, and goes through after" {
	run ! open_tcp 5060
	[ "$(sip_options)" = nothing ]
	run -0 on firewall-cmd --info-service=cig
	[[ $output == *'5060/udp'* && $output == *'5060/tcp'* && $output == *'16384-17383/udp'* ]]
	run -0 on firewall-cmd --add-service=cig
	open_tcp 5060
	run sip_options
	[[ $output == 'SIP/2.0 '* ]]
	run ! open_tcp 8083
}

@test "CIG-006 CIG-001: a call to the PBX through both installed services, and texts through the mailboxes" {
	start "$D/pbx" env -C "$D" nsenter -t "$FAR" -n sipp -sn uas -rtp_echo -i $PBX -mi $PBX -nostdin -timeout 60s -m 1
	run -0 far timeout 40 cca --store /srv/alice call --dtmf 42 --hangup 3 "+8888;101"
	[[ $output == *talk* ]]
	heard "$output"
	run -0 far timeout 30 cca --store /srv/alice send --receipt "+8888;101" "into a file"
	[[ $output == *delivered* ]]
	run -0 on sh -c 'cat /opt/cig/userdata/mail/out/new/*'
	[[ $output == *'into a file'* ]]
	is /opt/cig/userdata/mail/out/new "2770 root cigmail"
	on sh -c "cd /opt/cig/userdata/mail/in && printf '%s\n' 'To: <sip:${ALICE#+}@secure.com>' 'From: <sip:101@pbx.com>' \
		\"Date: \$(date -u '+%d %b %Y %H:%M:%S +0000')\" 'Content-Type: text/plain; charset=\"UTF-8\"' '' 'out of a file' >tmp/one &&
		chown ciguser:cigmail tmp/one && mv tmp/one new/"
	run -0 far timeout 30 cca --store /srv/alice listen --count 1
	[[ $output == *'out of a file'* ]]
	quiet cig-server
	quiet cig-relay
}

@test "CIG-006 CIG-052: reload, restart, and kill -9 of cig-server and of cig-relay: back within five seconds, and notify.sh tells" {
	local pid
	pid=$(main cig-server)
	run -0 on systemctl reload cig-server cig-relay
	[ "$(main cig-server)" = "$pid" ]
	run -0 on systemctl restart cig-relay
	await 20 "the gateway" cig_well
	run -0 on systemctl restart cig-server
	await 20 "the gateway" cig_well
	comes_back cig-server cig_well
	comes_back cig-relay cig_well
	quiet cig-server
}

@test "logrotate: cig-server and cig-relay go on in the new files" {
	run -0 on logrotate -f /etc/logrotate.d/cig
	is /var/log/cig/cig.log "640 ciguser ciguser"
	on test -s /var/log/cig/cig.log.1
	await 5 "cig-server at its new log" logs_to cig-server /var/log/cig/cig.log
	await 5 "cig-relay at its new log" logs_to cig-relay /var/log/cig/relay.log
	cig_well
}

@test "CRS-009 CRS-012 CIG-006: after a restart of the machine everything is up and open again" {
	on firewall-cmd --permanent --add-service=crs --add-service=cig
	machine_off
	machine_boot "$BOOT_ROOT" "$BOOT_NAME" "$BATS_FILE_TMPDIR/machine"
	[ "$(on systemctl is-system-running)" = running ] || { on systemctl --failed; return 1; }
	active crs crs_relay cig-relay cig-server firewalld
	await 20 "the rendezvous" crs_well
	await 30 "the gateway" cig_well
	open_tcp 5060
	has_text "after the night"
}

@test "CRS-127 CRS-129 CIG-053: an upgrade with a call up: the services are new and go on, data stay" {
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

what_stays() {
	on sh -c 'cd / && sha256sum opt/crs/*.conf opt/cig/cig.conf opt/cig/userdata/.ks*' && on crs-cli list account
}

@test "CRS-010 CIG-048: a removal ends the services" {
	run -0 on dpkg -P cig crs cms cca
	! on pgrep -u crsuser || false
	! on pgrep -u ciguser || false
	on systemctl daemon-reload
	[ "$(on systemctl --failed --plain --no-legend | wc -l)" -eq 0 ]
	! on sh -c 'ls /etc/systemd/system/multi-user.target.wants | grep -e crs -e cig' || false
}
