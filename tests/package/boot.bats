# boot.bats - the packages' services under systemd, and their ports behind firewalld.  tests/package/boot
# makes the machine's directory and runs this; the tests go on where the one before ended.

load ../scenarios/helpers
load machine
load asking

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
	domain_made
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

@test "crs and crs_relay that hang are ended by systemd and started anew" {
	hung_is_replaced crs crs_well
	hung_is_replaced crs_relay crs_well
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

@test "CIG-006: systemctl enable --now cig-relay cig-server, as ciguser and with nothing but what they need" {
	gateway_made
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
	calls_the_pbx
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

@test "cig-server and cig-relay that hang are ended by systemd and started anew" {
	hung_is_replaced cig-server cig_well
	hung_is_replaced cig-relay cig_well
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
	upgrade_under_a_call
}

knows_port() { # SERVICE PORT
	on firewall-cmd --info-service="$1" | grep -qE "ports:.* $2( |\$)"
}

@test "CRS-009 CRS-127: packages reload firewalld when its service changed, and no other time" {
	local name file
	for name in crs cig; do
		file=/usr/lib/firewalld/services/$name.xml
		on firewall-cmd --add-port=9/tcp # which a reload forgets
		on sh -c "dpkg -i /srv/later/${name}_*.deb"
		on firewall-cmd --query-port=9/tcp
		on sed -i 's/port="[0-9]*"/port="7"/' $file # as if the earlier version had it so
		on firewall-cmd --reload
		knows_port $name 7/tcp
		on sh -c "dpkg -i /srv/later/${name}_*.deb"
		run ! knows_port $name 7/tcp
	done
	knows_port crs 146/udp
	knows_port cig 5060/udp
}

@test "CRS-127 CRS-012: dpkg -r and dpkg -i, as 4.13 to 4.18 have it: what was enabled runs again, what was not does not" {
	on dpkg -r crs cig
	! on pgrep -u crsuser || false
	! on pgrep -u ciguser || false
	on systemctl disable cig-relay cig-server
	run -0 on sh -c 'dpkg -i /srv/later/crs_*.deb /srv/later/cig_*.deb'
	active crs crs_relay
	[ "$(property cig-server ActiveState)" = inactive ]
	await 20 "the rendezvous" crs_well
	on systemctl enable --now cig-relay cig-server
	await 30 "the gateway" cig_well
	has_text "after the removal"
}

@test "CRS-010 CIG-048: a removal ends the services" {
	removal_ends_all
}
