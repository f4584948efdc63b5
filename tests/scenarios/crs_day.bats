# crs_day.bats - an operator's day by chapters 4 and 5 of the CRS manual: commands as it prints them,
# on a host of the test's own where the paths are the manual's, and the form of what they print.

load helpers
load lab

ALICE=+46701234567 BOB=+46707654321
TIME='20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z'

# ---- the host: what "make install" makes, in name spaces where /opt, /run, the logs and the
# ports are its own ----

host() { # COMMAND LINE: as root's shell takes it there
	nsenter -m -n -t "$HOST" env -C / PATH="$STAGE/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
		bash -c "$1" 3>&- 4>&-
}

starts() { # LOG COMMAND LINE: in the background there
	start "$1" nsenter -m -n -t "$HOST" env -C / --default-signal=INT \
		PATH="$STAGE/bin:/usr/sbin:/usr/bin:/sbin:/bin" bash -c "exec $2"
}

starts_service() { # LOG PROGRAM: as its unit does
	starts "$1" "setpriv --reuid crsuser --regid crsuser --clear-groups --inh-caps +net_bind_service \
		--ambient-caps +net_bind_service $2"
}

host_made() {
	[ -s "$D/host" ]
}

make_host() {
	local owned=("$D/run/crs" "$D/log/crs" "$D/stage/opt/crs/accounts" "$D/stage/opt/crs/data")
	make -s -C "$BUILD" install DESTDIR="$D/stage" >"$D/install.log" 2>&1 || return
	STAGE=$D/stage$(sed -n 's/^prefix = //p' "$BUILD/Makefile")
	mkdir -p "${owned[@]}" "$D/keys"
	cat /etc/passwd - <<<"crsuser:x:64999:64999::/opt/crs:/usr/sbin/nologin" >"$D/passwd"
	cat /etc/group - <<<"crsuser:x:64999:" >"$D/group"
	chown 64999:64999 "${owned[@]}"
	chmod 755 "$D" # crsuser passes
	start "$D/unshare.log" unshare -m -n --propagation private bash -c '
		mount --bind "$1/stage/opt" /opt && mount --bind "$1/run" /run &&
		mount --bind "$1/log" /var/log && mount --bind "$1/passwd" /etc/passwd &&
		mount --bind "$1/group" /etc/group && ip link set lo up &&
		ip addr add 203.0.113.101/32 dev lo &&
		echo $$ >"$1/host.new" && mv "$1/host.new" "$1/host" && exec tail -f /dev/null' - "$D"
	await 10 "the host" host_made || return
	HOST=$(<"$D/host")
}

configure() { # 4.1.2, for the one server that there is
	local key
	key=$(host 'crs-cli create sharedSecret') || return
	printf '%s\n' "key $key" "ip crs1 203.0.113.101" "host crs1" "features" >"$D/stage/opt/crs/crs.conf"
	printf '%s\n' "crsname crs1" "db-backup none" >"$D/stage/opt/crs/crs-local.conf"
	: >"$D/stage/opt/crs/crs-relay.conf"
}

account() { # before crs is started: it has to be able to read what root makes
	(umask 077 && host 'crs-cli create account acme' >"$D/secret")
}

active() { # SERVICE
	host 'crs-cli show services' | grep -qE "^crs1 +$1 +active$"
}

start_crs() {
	starts_service "$D/crs.log" crs
	CRS=$STARTED_PID
	await 15 "crs" active crs_relay
}

domain() { # at the key manager: two users, and updates that nobody but root may read
	local user
	(umask 077 && openssl rand -base64 24 >"$D/passphrase")
	lab_cms init --domain "Example Ltd" --crs 127.0.0.1:5223 --account acme --secret-file "$D/secret" || return
	for user in $ALICE $BOB; do lab_cms user add "$user" "User $user" || return; done
	lab_cms letter $BOB --output "$D/keys/$BOB" && cca --store "$D/$BOB" enrol "$D/keys/$BOB" || return
	# Alice's letter is protected, and its key came by another way
	lab_cms letter $ALICE --qr-key --output "$D/keys/$ALICE" >"$D/keys/qr" &&
		cca --store "$D/$ALICE" enrol --qr-key "$(sed -n 's/^QR key: //p' "$D/keys/qr" | tr -d ' ')" "$D/keys/$ALICE" || return
	lab_cms update --output "$D/keys"
}

setup_file() {
	[ "$(id -u)" -eq 0 ] || skip "users and name spaces need root"
	unshare -m -n true 2>/dev/null || skip "name spaces are not permitted"
	D=$(mktemp -d /tmp/day.XXXXXX) TICK=$D/tick
	mkfifo "$TICK"
	make_host && configure && account && starts_service "$D/crs-relay.log" crs-relay && start_crs && domain || {
		show_logs
		stop_all
		return 1
	}
	remember
}

remember() {
	declare -p D STAGE HOST CRS >"$BATS_FILE_TMPDIR/day"
	printf '%s\n' "${STARTED[@]}" >"$BATS_FILE_TMPDIR/started"
}

setup() {
	needs jq nsenter setpriv
	T=$BATS_TEST_TMPDIR TICK=$BATS_TEST_TMPDIR/tick
	mkfifo "$TICK"
	source <(sed 's/^declare --/declare -g --/' "$BATS_FILE_TMPDIR/day")
}

teardown() {
	stop_all
	[ -n "${BATS_TEST_COMPLETED:-}" ] || tail -n 20 "$D"/crs*.log "$D/log/crs/crs.log" $(find "$T" -type f) 2>/dev/null
}

teardown_file() {
	[ -e "$BATS_FILE_TMPDIR/day" ] || return 0
	source "$BATS_FILE_TMPDIR/day"
	TICK=$D/tick
	mapfile -t STARTED <"$BATS_FILE_TMPDIR/started"
	stop_all
	rm -rf "$D"
}

client() { # NUMBER COMMAND...: in the command line of a host
	local store=$D/$1
	shift
	echo "cca --store $store ${*@Q}"
}

headings() { # HEADING...: those of the listing in $output
	[ "$(head -n 1 <<<"$output" | tr -s ' ')" = "$*" ]
}

every_line() { # FILE REGEX: has it some, and is each like this?
	[ -s "$1" ] && ! grep -vE -- "$2" "$1"
}

# ---- the day ----

@test "CRS-002 CRS-003: clients are served on TCP 5223 and UDP 146, and nothing else is open (chapter 2, table 1)" {
	run -0 host 'ss -Htuln | tr -s " " | cut -d " " -f 1,5 | sort -u'
	[ "$output" = "tcp 0.0.0.0:5223
udp 0.0.0.0:146" ]
}

@test "CRS-043 CRS-040 CRS-041: shared secrets and accounts by the manual's 4.1.2.1, 4.2 to 4.4" {
	local bytes line
	while read -r bytes line; do
		run -0 host "$line"
		[ "$(base64 -d <<<"$output" | wc -c)" -eq "$bytes" ]
	done <<-L
		16 crs-cli create sharedSecret
		32 crs-cli create sharedSecret -B32
		17 crs-cli create sharedSecret -b 130
		16 crs-cli create account second
		20 crs-cli create account third -B 20
	L
	run -0 host 'crs-cli create account fourth -s "secret with spaces"'
	[ -z "$output" ]
	run -0 host 'crs-cli list account'
	headings ID PATH SHARED-SECRET
	grep -qE '^fourth +/opt/crs/accounts/fourth +secret with spaces$' <<<"$output"
	for line in second third fourth; do run -0 host "crs-cli delete account $line"; done
	[ "$(host 'crs-cli --json list account' | jq -c 'map(.id)')" = '["acme"]' ]
}

@test "CRS-047 CRS-088: root applies a file that only root may read (4.21.2)" {
	local file
	run -0 host 'crs-cli show updates'
	headings ACCOUNT CURRENT-MONTH NEXT-MONTH
	grep -qE '^acme +Not Available +Not Available$' <<<"$output"
	for file in "$D"/keys/*.upd; do
		[ "$(stat -c %U:%a "$file")" = root:600 ]
		run -0 host "cp -p $file /opt/crs/accounts/ && crs-cli apply /opt/crs/accounts/${file##*/}"
		[[ $output == "account acme: update of "*", revision 1, 2 users" ]]
	done
	run -0 host 'crs-cli show updates'
	grep -qE "^acme +$TIME +$TIME$" <<<"$output"
	# what was lent to crs is gone again, and the log has the name that was given
	[ -z "$(find "$D/stage/opt/crs/data" -name 'lent-*')" ]
	in_log "$D/log/crs/crs.log" "audit\([0-9]+\)\] user=root pid=[0-9]+ action=\"apply\" on=\"/opt/crs/accounts/${file##*/}\" result=\"ok\"( says=\"[^\"]*\")?$"
	run -1 host 'crs-cli apply /opt/crs/accounts/nothing.upd'
	[[ $output == *'/opt/crs/accounts/nothing.upd: No such file or directory'* ]]
}

@test "CRS-071 CRS-074 CRS-076 CRS-078: a remote admin by the three steps of 4.9" {
	run -0 host 'crs-cli create admin Olga-1'
	echo "$output" >"$D/admin"
	chmod 600 "$D/admin"
	run -0 host 'crs-cli show admin-accounts Olga-1'
	headings ACCOUNT AUTHORIZATIONS
	[ "${#lines[@]}" -eq 1 ]
	run -0 host 'crs-cli add admin-account Olga-1 acme'
	run -0 host 'crs-cli add admin-account-authorization Olga-1 acme statistics'
	run -0 host 'crs-cli add admin-account-authorization Olga-1 acme update'
	run -0 host 'crs-cli show admins'
	headings ADMIN ACCOUNTS
	grep -qE '^Olga-1 +acme$' <<<"$output"
	run -0 host 'crs-cli show admin Olga-1'
	headings NAME SECRET
	[ "$(awk 'NR == 2 { print $2 }' <<<"$output")" = "$(<"$D/admin")" ]
	run -0 host 'crs-cli show admin-accounts Olga-1'
	grep -qE '^acme +statistics,update$' <<<"$output"
	run -0 host "cra --server 127.0.0.1 --admin Olga-1 --secret-file $D/admin --json accounts"
	jq -e '.[0].account == "acme" and .[0].current != "Not Available"' <<<"$output"
	run -0 host 'crs-cli delete admin-account-authorization Olga-1 acme update'
	run -0 host 'crs-cli delete admin-account Olga-1 acme'
	run -0 host 'crs-cli delete admin Olga-1'
	run -1 host "cra --server 127.0.0.1 --admin Olga-1 --secret-file $D/admin accounts"
}

traces() { # ELEMENT...: of each one a trace in $T/ELEMENT, as 4.23 has it
	local element
	for element; do starts "$T/$element" "crs-cli trace $element"; done
	TRACES=("${STARTED[@]}")
	# they run when they tell of a connection; each connection is one for all of them
	await 30 "the traces" traced_something
}

traced_something() {
	host 'exec 9<>/dev/tcp/127.0.0.1/5223'
	in_log "$T/connection" ',connected$' && in_log "$T/event" ,dbg,
}

attached() { # NUMBER
	host 'crs-cli --json show attach' | jq -e --arg uri "tel:$1" 'any(.uri == $uri)'
}

@test "CCA-001 CRS-081 CRS-082 CRS-084 CRS-093 CRS-094 CRS-095 CRS-096 CRS-099 CRS-100 CRS-101 CRS-103 I-13: every line of each of the seven traces and list is as 5.4 has it" {
	local call element uri='tel:\+[0-9]+' id='[A-Za-z0-9+/]{22}=='
	run -0 host 'crs-cli stats enable acme'
	traces attach session message object event connection statistics
	starts "$T/listen" "$(client $BOB answer --count 1)"
	await 15 "Bob" attached $BOB
	run -0 host 'crs-cli show attach'
	headings URI ACCOUNT TIME VERSION IP:PORT CRS
	grep -qE "^tel:\\$BOB +acme +[0-9]+ +cca [^ ]+ +127\.0\.0\.1:[0-9]+ +crs1$" <<<"$output"
	echo token >"$T/token"
	run -0 host "$(client $ALICE keep client-token "$T/token")"
	run -0 host "$(client $ALICE call --hangup 1 $BOB)"
	run -0 host 'crs-cli show session'
	headings CALLER CALLEE TIME STATE
	grep -qE "^tel:\\$ALICE +tel:\\$BOB +[0-9]+ +hangup\(hangup, caller\)$" <<<"$output"
	run -1 host "$(client $ALICE call $BOB)"
	run -1 host "$(client $ALICE call +46700000000)"
	host 'crs-cli show session' | grep -E ' responder not connected$'
	host 'crs-cli show session' | grep -E ' responder not found$'
	starts "$T/listen" "$(client $BOB listen)"
	await 15 "Bob" attached $BOB
	run -0 host "$(client $ALICE send --receipt $BOB hello)"
	run -0 host 'crs-cli show message'
	headings URI POST DELIV READ ACCOUNT
	grep -qE "^tel:\\$ALICE +1 +1 +(-|$TIME) +acme$" <<<"$output"
	await 10 "the counts" in_log "$T/statistics" "message-incoming,tel:\\$BOB"
	await 10 "the receipt" in_log "$T/message" ',posted ack,'
	for element in "${TRACES[@]}"; do stop "$element" INT; done
	every_line "$T/attach" "^event,$TIME,[0-9]+,primary,$uri,acme,127\.0\.0\.1,[0-9]+,((un)?registered|denied),[^,]+$"
	every_line "$T/session" "^event,$TIME,$uri,$uri,(invite|ringing|talk|responder not (found|connected)|hangup\(hangup; caller\)),acme,$id$"
	every_line "$T/message" "^event,$TIME,$uri,$uri,(posted (content|ack)|delivered),acme,$id$"
	every_line "$T/object" "^event,$TIME,$uri,update client_[a-z]+$"
	every_line "$T/event" "^[a-z_]+,dbg,$TIME,[^ ].*$"
	every_line "$T/connection" "^event,$TIME,[0-9]+,(client,$uri@acme|unknown,unknown),127\.0\.0\.1,[0-9]+,(connected|authenticated|negotiated|closed)$"
	every_line "$T/statistics" "^event,$TIME,(session|message|system)-(out|in)going,$uri,acme$|^event,$TIME,(session|message|system)-incoming,$uri,acme$"
	grep -q ',update client_token$' "$T/object"
	[ "$(cut -d , -f 5 "$T/session" | tr '\n' ' ')" = "invite ringing talk hangup(hangup; caller) responder not connected responder not found " ]
	# the receipt is another user's affair than the message, and may be told before
	[ "$(cut -d , -f 5 "$T/message" | sort | tr '\n' ' ')" = "delivered posted ack posted content " ]
	run -0 host 'crs-cli stats export acme > /run/output.txt'
	[ "$(head -n 1 "$D/run/output.txt" | tr '\t' ' ')" = "tel-uri session-outgoing session-incoming message-outgoing message-incoming system-outgoing system-incoming conference-calls initiated-multi-session accepted-multi-session sent-group-call-invite accepted-group-call-invite current-offered current-confirmed next-offered next-confirmed" ]
	grep -qP "^tel:\\$ALICE\t3\t0\t1\t0\t" "$D/run/output.txt"
	# READ is when she last fetched what had come while she was away
	run -0 host "$(client $BOB send $ALICE "while you were away")"
	run -0 host "$(client $ALICE listen --count 1)"
	host 'crs-cli show message' | grep -qE "^tel:\\$ALICE +1 +1 +$TIME +acme$"
}

@test "CRS-061 CRS-062 CRS-063 CRS-068 CRS-069: users are named by their mobile number, too (4.22)" {
	run -0 host "crs-cli blacklist add acme $BOB"
	run -0 host 'crs-cli show blacklist acme'
	[ "$output" = "URI
tel:$BOB" ]
	run -1 host "$(client $BOB --timeout 3 send $ALICE x)"
	[[ $output == *'denied reason=blacklisted'* ]]
	run -0 host "crs-cli blacklist remove acme $BOB"
	run -0 host 'crs-cli show blacklist acme'
	[ "$output" = URI ]
	[ "$(host "crs-cli check slot $BOB")" = "$(host "crs-cli check slot tel:$BOB")" ]
	run -0 host "crs-cli lookup client acme $BOB"
	headings SOURCE URI DOMAIN
	grep -qE "^- +tel:\\$BOB +acme$" <<<"$output"
	run -0 host "SUDO_USER=olga SSH_CONNECTION='192.0.2.9 50412 203.0.113.101 22' crs-cli purge client acme $BOB"
	in_log "$D/log/crs/crs.log" "action=\"purge client\" on=\"tel:\\$BOB@acme\" result=\"ok\" says=\"(tty [^ ]+, )?ssh 192.0.2.9, sudo olga\"$"
}

guests() { # how the clients of health checks are traced: their addresses
	sed -n 's/^event,.*,primary,urn:x-crs:client:test-[12]-[0-9a-f]*,acme,\([0-9.]*\),.*,registered,ok$/\1/p' "$T/attach" | sort | uniq -c | tr -s ' '
}

guests_are() { # LINES
	[ "$(guests)" = "$1" ]
}

@test "CRS-112 CRS-116: temporary clients come by the public address, with --local-only by loopback alone" {
	starts "$T/attach" "crs-cli trace attach connection"
	await 10 "the trace" traced_by attach
	run -0 host 'crs-cli health-check account acme --local-only'
	await 5 "its clients" guests_are ' 2 127.0.0.1'
	! grep 203.0.113.101 "$T/attach" || false
	run -0 host 'crs-cli health-check account acme'
	await 5 "its clients" guests_are ' 2 127.0.0.1
 2 203.0.113.101'
	! host 'crs-cli show attach' | grep urn:x-crs || false
}

traced_by() { # FILE
	host 'exec 9<>/dev/tcp/127.0.0.1/5223'
	in_log "$T/$1" ',connected$'
}

@test "CRS-110 CRS-111 CRS-114 CRS-115: the health check takes its options at either place (5.4)" {
	local line
	for line in 'crs-cli health-check system --output-format summary' 'crs-cli health-check --output-format summary system' \
		'crs-cli health-check account acme --output-format summary --local-only' \
		'crs-cli health-check --local-only --output-format summary account acme'; do
		run -0 host "$line"
		[ "$output" = ok ]
	done
	run -0 host 'crs-cli health-check account acme'
	jq -e '.result == "ok" and (.tests | length > 4) and all(.tests[]; has("name") and has("description"))' <<<"$output"
	# nobody of an account without updates can be served: an error, which is status 1
	host 'crs-cli create account empty'
	run -1 host 'crs-cli health-check account empty --output-format tsv'
	[ "${lines[0]}" = $'name\tresult\tdescription' ]
	grep -qP '^update: current month\terror\t' <<<"$output"
	host 'crs-cli delete account empty'
}

@test "there is no other rendezvous, and what is not understood is named" {
	run -0 host 'crs-cli show iw-crs'
	[ "$(tr -s ' ' <<<"$output")" = "IW-CRS SIGNAL-LINK SIGNAL-OUTGOING SIGNAL-INCOMING DATA-LINK DATA-OUTGOING DATA-INCOMING VERSION" ]
	run -0 host 'crs-cli list iw-crs'
	[ "$(tr -s ' ' <<<"$output")" = "IP SHARED-SECRET COMMENT" ]
	run -2 host 'crs-cli add iw-crs 192.168.1.2 secret -c "comment with spaces"'
	[[ $output == 'crs-cli: this version does not work with other rendezvous: there is no iw-crs to add' ]]
	run -2 host 'crs-cli frobnicate'
	[[ ${lines[0]} == 'crs-cli: there is no action "frobnicate"' ]]
	run -2 host 'crs-cli show'
	[[ ${lines[0]} == 'crs-cli: show what?' ]]
}

@test "CRS-125 CRS-126: backup and restore, word for word by 4.20" {
	local archive file
	for file in "$D"/keys/*.upd; do host "crs-cli apply $file" || :; done # else they are applied already
	run -0 host "$(client $ALICE send $BOB "before the backup")"
	run -0 host "crs-cli blacklist add acme tel:+46709999999"
	run -0 host 'crs-cli backup'
	archive=$(cd "$D/stage/opt/crs/backup" && ls)
	[[ $archive =~ ^crs-backup-crs1-20[0-9T:Z-]+\.tar$ ]]
	run -0 host "tar tf /opt/crs/backup/$archive"
	for member in opt/crs/crs.conf opt/crs/crs-local.conf opt/crs/accounts/ opt/crs/data/; do
		grep -qx "$member" <<<"$output"
	done
	mv "$D/stage/opt/crs/backup/$archive" "$D/$archive"
	stop "$CRS"
	sed -i "/^$CRS$/d" "$BATS_FILE_TMPDIR/started" # the next one ends with this test, the last
	rm -r "$D/stage/opt/crs/"{crs.conf,crs-local.conf,accounts,data,backup}
	# the manual's commands, but for systemctl restart
	run -0 host "tar xfv $D/$archive -C /"
	run -0 host 'chown -R crsuser:crsuser /opt/crs'
	run -0 host 'chmod 644 /opt/crs/crs.conf'
	run -0 host 'chmod 644 /opt/crs/crs-local.conf'
	run -0 host 'chmod -R 644 /opt/crs/accounts'
	run -0 host 'chmod 755 /opt/crs/accounts'
	run -0 host 'chmod 755 /opt/crs/accounts/*'
	start_crs
	grep -q 'account acme: everybody can read its shared secret' "$D/crs.log"
	[ "$(host 'crs-cli --json list account' | jq -r '.[0].secret')" = "$(<"$D/secret")" ]
	host 'crs-cli show blacklist acme' | grep -qx tel:+46709999999
	starts "$T/listen" "$(client $BOB listen)"
	await 15 "what was sent before" in_log "$T/listen" '^message .*text="before the backup"'
	every_line "$D/log/crs/crs.log" "^\[$TIME \| (DEBUG|INFO|WARN|INIT) \| [A-Za-z0-9_-]+\([0-9]+\)\] ."
}
