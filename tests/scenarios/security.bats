# security.bats - what docs/security.md says of processes, files and units.

load helpers
load lab

setup_file() {
	lab_setup_file
}

teardown_file() {
	lab_teardown_file
}

setup() {
	lab_load
}

teardown() {
	stop_all
	[ -n "${BATS_TEST_COMPLETED:-}" ] || tail -n 20 "$D"/*.log "$D"/*/log/*.log 2>/dev/null
}

http() { # METHOD TARGET [CURL_OPTION...]: the status
	curl -s -o "$T/answer" -w '%{http_code}' -X "$1" "${@:3}" "http://127.0.0.1:$LAB_CONTROL_PORT$2"
}

@test "a control port refuses other hosts, and changes nothing without the token" {
	needs curl
	[ "$(http GET /status)" = 200 ]
	[ "$(http GET /status -H 'Host: localhost')" = 200 ]
	[ "$(http GET /status -H 'Host: evil.example')" = 403 ]
	[ "$(http GET /status -H 'Host: 127.0.0.1.evil.example')" = 403 ]
	[ "$(http POST /reload)" = 401 ]
	[ "$(http POST /reload -H 'Authorization: Tandem-HMAC 00 00')" = 401 ]
	run -0 lab_cig_cli reload
	[ "$(stat -c %a "$D/cig/userdata/.control-token")" = 640 ]
	chmod 000 "$D/cig/userdata/.control-token"
	[ "$(id -u)" -eq 0 ] || run -1 lab_cig_cli reload
	chmod 640 "$D/cig/userdata/.control-token"
}

secrets() { # the lab's: the account's, a PSK's first octets as logs might show them, the token
	tail -n 1 "$D/secret"
	tail -n 1 "$D/passphrase"
	cat "$D/cig/userdata/.control-token"
}

@test "what holds a secret is for its owner alone, and no log has any" {
	local file secret
	for file in "$D"/cig/userdata/.ks.* "$D"/cig/userdata/*.journal "$D"/crs/accounts/*/secret \
		"$D"/cms/cms.db "$D"/+*/.ks.*; do
		[ -e "$file" ] || { echo "missing: $file"; false; }
		[ "$(stat -c %a "$file")" = 600 ] || { stat -c '%n %a' "$file"; false; }
	done
	[ "$(stat -c %a "$D/cms")" = 700 ]
	caller "${LAB_USERS[0]}" send "$LAB_GATEWAY;101" "hush: nothing of this is logged" >"$T/sent"
	in_log "$T/sent" '^posted'
	while read -r secret; do
		[ ${#secret} -ge 8 ]
		run -1 grep -rFl -- "$secret" "$D"/*.log "$D"/cig/log "$D"/crs/log
	done < <(secrets)
	run -1 grep -rFl -- "hush: nothing" "$D"/*.log "$D"/cig/log "$D"/crs/log "$D"/crs/data
}

listens() { # PID: TCP addresses on which it accepts
	ss -Hltnp | awk -v me="pid=$1," 'index($0, me) { print $4 }' | sort
}

opens() { # PID REGEX: does it hold a file of that name?
	find "/proc/$1/fd" -type l -printf '%l\n' 2>/dev/null | grep -E -- "$2"
}

workers() { # of crs
	pgrep -P "$LAB_CRS" -f -- --worker
}

@test "a process holds what the table says: no descriptor of another's, no other socket" {
	local agent worker redis
	agent=$(pgrep -P "$LAB_CIG_SERVER" cig-sip)
	[ -n "$agent" ]
	[ "$(workers | wc -l)" -ge 1 ]
	[ "$(pgrep -P "$LAB_CRS" redis-server | wc -l)" -eq 2 ]
	# cig-sip: its log and its sockets, no file of the gateway's
	run -1 opens "$agent" 'userdata|\.ks|journal|mail|cig\.conf'
	run -1 opens "$LAB_CIG_RELAY" 'userdata|\.ks|journal|mail|cig\.conf'
	[ -z "$(listens "$LAB_CIG_RELAY")" ]
	[ "$(listens "$LAB_CIG_SERVER")" = "127.0.0.1:$LAB_CONTROL_PORT" ]
	opens "$LAB_CIG_SERVER" 'messages\.journal'
	# the rendezvous: its port is the workers', Redis has none
	[ -z "$(listens "$LAB_CRS")" ]
	for redis in $(pgrep -P "$LAB_CRS" redis-server); do [ -z "$(listens "$redis")" ]; done
	for worker in $(workers); do
		[ "$(listens "$worker")" = "127.0.0.1:$LAB_CRS_PORT" ]
		run -1 opens "$worker" 'accounts/'
	done
	[ -z "$(listens "$LAB_CRS_RELAY")" ]
	run -1 opens "$LAB_CRS_RELAY" 'accounts|secret|\.upd'
	# nobody is more than whoever started it
	for worker in "$agent" "$LAB_CIG_SERVER" "$LAB_CIG_RELAY" "$LAB_CRS" "$LAB_CRS_RELAY"; do
		[ "$(awk '/^Uid:/ { print $2 $3 $4 $5 }' "/proc/$worker/status")" = "$(id -u)$(id -u)$(id -u)$(id -u)" ]
	done
}

@test "the units leave each service little" {
	needs systemd-analyze
	local unit line
	systemd-analyze security --help | grep -q -- --offline || skip "this systemd-analyze reads no unit files"
	for unit in cig-server cig-relay crs crs_relay; do
		sed "s,@bindir@,$BUILD/gateway," "$TOP/etc/systemd/$unit.service.in" >"$T/$unit.service"
		systemd-analyze security --offline=yes --threshold=25 "$T/$unit.service" >"$T/$unit" || {
			tail -n 1 "$T/$unit"
			false
		}
		for line in LimitCORE=0 NoNewPrivileges=yes MemoryDenyWriteExecute=yes PrivateDevices=yes \
			SystemCallFilter=@system-service; do
			grep -qx "$line" "$T/$unit.service" || { echo "$unit: $line"; false; }
		done
		grep -qE '^User=(ciguser|crsuser)$' "$T/$unit.service"
	done
	grep -qx 'CapabilityBoundingSet=CAP_NET_BIND_SERVICE' "$T/crs_relay.service"
	for unit in cig-server cig-relay crs; do grep -qx 'CapabilityBoundingSet=' "$T/$unit.service"; done
}

@test "programs are built hardened" {
	needs readelf
	local program
	for program in gateway/cig-server gateway/cig-sip gateway/cig-relay rendezvous/crs rendezvous/crs-relay \
		management/cms caller/cca; do
		readelf -hW "$BUILD/$program" | grep -q 'Type: *DYN'
		readelf -dW "$BUILD/$program" | grep -q 'NOW'
		readelf -lW "$BUILD/$program" | grep -q 'GNU_RELRO'
		run -1 grep -E 'GNU_STACK.* RWE' <(readelf -lW "$BUILD/$program")
	done
}
