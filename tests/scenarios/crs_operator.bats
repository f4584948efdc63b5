# crs_operator.bats - what an operator does with accounts, users, updates and services of a
# running rendezvous, and what its users see of it.

load helpers
load lab
load callers

setup() {
	needs jq python3
	lab_load
}

teardown() {
	stop_all
	[ -n "${BATS_TEST_COMPLETED:-}" ] || tail -n 15 "$T"/{trace,answer,call,send,late,sender,storage,+*} "$D"/crs/log/crs*.log 2>/dev/null
	find "$D/cig/mail/from-secure/new" -type f -delete 2>/dev/null || :
}

listen() { # NUMBER: attached in the background, output in $T/NUMBER
	start "$T/$1" cca --timeout 0 --store "$D/$1" listen
	await 15 "$1" in_log "$T/$1" '^attached'
}

trace() { # ELEMENT...: in $T/trace
	start "$T/trace" env --default-signal=INT crs-cli --root "$D/crs" trace "$@"
	TRACE=$STARTED_PID
	await 10 "the trace" traced_something
}

traced_something() { # a trace runs when it tells of a connection
	listening "$LAB_CRS_PORT"
	in_log "$T/trace" ',connected$'
}

connections() { # NUMBER: ids of its connections that the trace has, in order
	awk -F, -v user="tel:$1@$LAB_ACCOUNT" 'NF == 8 && $5 == user && $8 == "negotiated" { print $3 }' "$T/trace"
}

connected_times() { # NUMBER COUNT
	[ "$(connections "$1" | wc -l)" -ge "$2" ]
}

# --- users ---

@test "CRS-061 CRS-062 CRS-063: who is on the blacklist can neither attach nor be called, until it is taken off" {
	listen $BOB
	run -0 lab_crs_cli blacklist add $LAB_ACCOUNT tel:$BOB
	run -0 lab_crs_cli blacklist add $LAB_ACCOUNT tel:+46700000000
	await 5 "Bob's end" stopped "$STARTED_PID"
	in_log "$T/$BOB" '^denied reason=.*blacklisted'
	run -1 caller $BOB send $ALICE "from a blocked user"
	[[ $output == *denied*blacklisted* ]]
	run -1 caller $ALICE call $BOB
	[[ $output == *'by=rendezvous'* ]]
	run -1 caller $ALICE send $BOB "to a blocked user"
	[[ $output == *refused* ]]
	# one URI per line, under the heading
	run -0 lab_crs_cli show blacklist $LAB_ACCOUNT
	[ "$output" = "URI
tel:$BOB
tel:+46700000000" ]
	run -1 lab_crs_cli show blacklist nobody
	run -1 lab_crs_cli blacklist add $LAB_ACCOUNT nonsense
	run -0 lab_crs_cli blacklist remove $LAB_ACCOUNT tel:$BOB
	run -0 lab_crs_cli blacklist remove $LAB_ACCOUNT tel:+46700000000
	[ "$(lab_crs_cli show blacklist $LAB_ACCOUNT)" = URI ]
	caller $BOB send "$LAB_GATEWAY;101" "again" >"$T/send"
	in_log "$T/send" '^posted'
}

@test "CRS-046: reload account takes over a blacklist that was written by hand" {
	listen $CAROL
	echo "tel:$CAROL" >"$D/crs/accounts/$LAB_ACCOUNT/blacklist"
	attached $CAROL
	run -0 lab_crs_cli reload account
	await 5 "Carol's end" stopped "$STARTED_PID"
	in_log "$T/$CAROL" '^denied reason=.*blacklisted'
	rm "$D/crs/accounts/$LAB_ACCOUNT/blacklist"
	run -0 lab_crs_cli reload account
	listen $CAROL
}

@test "CRS-064 CRS-065 CRS-102: purged clients connect again by themselves, and all others stay" {
	local alice bob gateway
	trace connection
	listen $ALICE
	listen $BOB
	await 5 "both in the trace" connected_times $BOB 1
	run -0 lab_crs_cli purge client $LAB_ACCOUNT tel:$ALICE
	await 10 "Alice again" connected_times $ALICE 2
	# another connection, which is shown as attached
	[ "$(connections $ALICE | sort -u | wc -l)" -eq 2 ]
	[ "$(connections $BOB | wc -l)" -eq 1 ]
	await 5 "Alice" attached $ALICE
	run -0 lab_crs_cli purge clients $LAB_ACCOUNT
	await 10 "Alice again" connected_times $ALICE 3
	await 10 "Bob again" connected_times $BOB 2
	await 10 "the gateway again" connected_times $LAB_GATEWAY 1
	run -1 lab_crs_cli purge clients nobody
	# every connection that ended went through its states in order
	local id # as text: they have more digits than a number of awk
	for id in $(connections $ALICE | head -n 2); do
		[ "$(awk -F, -v id="$id" 'NF == 8 && $3 "" == id "" { printf "%s ", $8 }' "$T/trace")" = "connected authenticated negotiated closed " ]
	done
	# and one that says nothing is nobody's
	awk -F, 'NF == 8 && $4 == "unknown" && $5 == "unknown" && $8 == "closed" { n++ } END { exit !n }' "$T/trace"
	await 20 "a healthy gateway" lab_cig_status '.problems == []'
}

@test "CRS-068: check slot tells CRC-16 of the number, modulo 1024, whoever is asked" {
	local uri slot
	for uri in tel:$ALICE tel:$BOB tel:+1 tel:+999999999999999; do
		slot=$(python3 -c 'import binascii, sys; print(binascii.crc_hqx(sys.argv[1].encode(), 0) % 1024)' "$uri")
		[ "$(lab_crs_cli check slot "$uri")" = "$slot" ]
	done
	# Redis, whose slots these are, agrees
	redis-cli -s "$D/crs/run/redis_low.sock" ping | grep -q PONG
	run -2 lab_crs_cli check slot
	run -1 lab_crs_cli check slot nonsense
}

# --- what is running ---

process_is() { # PID REGEX: what the process table says
	tr '\0' ' ' <"/proc/$1/cmdline" | grep -qE -- "$2"
}

@test "CRS-085 CRS-087 CRS-088 CRS-035: show tells every process, the accounts that each has loaded, and the updates" {
	local server process pid slots sum=0 module accounts
	run -0 lab_crs_cli show system
	[[ ${lines[0]} =~ ^SERVER\ +PROCESS\ +PID\ +SLOTS$ ]]
	while read -r server process pid slots; do
		[ "$server" = crs1 ]
		case $process in
		crs) [ "$pid" -eq "$LAB_CRS" ] ;;
		redis_high | redis_low) process_is "$pid" "redis-server.*$process" ;;
		worker-*) process_is "$pid" --worker && sum=$((sum + slots)) ;;
		*) false ;;
		esac
	done < <(printf '%s\n' "${lines[@]:1}" | sed 's/app: //')
	[ "$sum" -eq 1024 ]
	# db-backup none: no third Redis
	[ "$(pgrep -c -P "$LAB_CRS" redis-server)" -eq 2 ]
	[ ! -e "$D/crs/run/redis_backup.sock" ]
	run -0 lab_crs_cli create account another
	run -0 lab_crs_cli show account
	[[ ${lines[0]} =~ ^SERVER\ +MODULE\ +PID\ +LOADED-ACCOUNTS$ ]]
	[ "${#lines[@]}" -ge 2 ]
	while read -r server module process pid accounts; do
		[ "$server $module" = "crs1 app:" ]
		process_is "$pid" --worker
		[[ ,$accounts, == *,another,* && ,$accounts, == *,$LAB_ACCOUNT,* ]]
	done < <(printf '%s\n' "${lines[@]:1}")
	run -0 lab_crs_cli show updates
	[[ ${lines[0]} =~ ^ACCOUNT\ +CURRENT-MONTH\ +NEXT-MONTH$ ]]
	grep -qE "^$LAB_ACCOUNT +20[0-9TZ:.-]+ +20[0-9TZ:.-]+$" <<<"$output"
	grep -qE '^another +Not Available +Not Available$' <<<"$output"
	run -0 lab_crs_cli delete account another
}

service() { # NAME STATUS: as show services has it
	lab_crs_cli show services | grep -qE "^crs1 +$1 +$2$"
}

@test "CRS-089 REL-012 REL-013: a relay that hangs or is stopped is shown inactive; it starts again by itself, without crs" {
	local name crs=$LAB_CRS
	run -0 lab_crs_cli show services
	[[ ${lines[0]} =~ ^SERVER\ +SERVICE\ +STATUS$ ]]
	for name in crs crs_relay redis_high redis_low; do service $name active; done
	# the heartbeat tells what the open socket does not
	kill -STOP "$LAB_CRS_RELAY"
	await 15 "the silent relay" service crs_relay inactive
	in_log "$D/crs/log/crs.log" 'crs-relay .*(silent|answer)'
	kill -CONT "$LAB_CRS_RELAY"
	await 15 "the relay" service crs_relay active
	kill "$LAB_CRS_RELAY"
	await 5 "its end" stopped "$LAB_CRS_RELAY"
	await 5 "the stopped relay" service crs_relay inactive
	run -1 lab_crs_cli health-check system --output-format summary
	[ "$output" = error ]
	start "$D/crs-relay.log" crs-relay --root "$D/crs" --listen "127.0.0.1:$LAB_MEDIA_PORT"
	LAB_CRS_RELAY=$STARTED_PID
	lab_restarted
	await 10 "the relay" service crs_relay active
	running "$crs"
	[ "$crs" = "$LAB_CRS" ]
	# the same for a Redis, which crs starts again
	kill -STOP "$(pgrep -P "$crs" -f redis_high.sock)"
	await 15 "the silent Redis" service redis_high inactive
	kill -KILL "$(pgrep -P "$crs" -f redis_high.sock)"
	await 15 "the next Redis" service redis_high active
}

@test "REL-009 REL-011: packets that are too short or too long are counted; the relay's log has every event" {
	local before
	before=$(lab_crs_cli --json show relay)
	python3 - "$LAB_MEDIA_PORT" <<-'P'
		import socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		for n in (3, 3, 9000):
		    s.sendto(bytes([0x80] * n), ("127.0.0.1", int(sys.argv[1])))
	P
	await 5 "both counters" odd_counted "$before"
	lab_crs_cli show relay | grep -E '^ *errorTooShort +[1-9]'
	start "$T/answer" cca --store "$D/$BOB" answer --count 1
	await 15 "Bob" attached $BOB
	run -0 caller $ALICE call --hangup 1 $BOB
	local log=$D/crs/log/crs_relay.log event
	for event in 'Start: ' 'Stop' 'CONNECTION: ' 'CLOSE: ' 'Command add: type=rtp ' 'Command poll'; do
		grep -qE "^\[20[0-9T:.-]+Z \| (INIT|INFO|DEBUG|WARN) \| [a-z_]+\([0-9]+\)\] $event" "$log" || {
			echo "$event"
			false
		}
	done
}

odd_counted() { # JSON_BEFORE: two too short and one too long more
	lab_crs_cli --json show relay | jq -e --argjson before "$1" \
		'.received.errorTooShort >= $before.received.errorTooShort + 2 and
		.received.errorTooLong >= $before.received.errorTooLong + 1'
}

# --- updates and accounts ---

month_revision() { # the gateway's, of this month
	lab_cig_cli --json status | jq -r --arg m "$(date -u +%Y-%m)" '.umsg.periods[] | select(.month == $m) | .revision'
}

newer_than() { # REVISION
	[ "$(month_revision)" -gt "$1" ]
}

@test "CRS-048: an update file that is placed by hand is taken over by reload, a damaged one is not" {
	local before file place=$D/crs/accounts/$LAB_ACCOUNT
	before=$(month_revision)
	run -0 lab_crs_cli update-notification enable $LAB_ACCOUNT
	lab_cms user add +46704444444 "Somebody new"
	rm -f "$D"/updates/*
	lab_cms update --output "$D/updates"
	file=$(ls "$D/updates/"*"$(date -u +%Y-%m)"*.upd)
	cp "$place/$(date -u +%Y-%m).upd" "$T/old.upd"
	head -c 700 "$file" >"$place/$(date -u +%Y-%m).upd"
	run lab_crs_cli reload account
	attached $LAB_GATEWAY
	[ "$(month_revision)" -eq "$before" ]
	cp "$file" "$place/$(date -u +%Y-%m).upd"
	run -0 lab_crs_cli reload account
	await 15 "the gateway's new keys" newer_than "$before"
	lab_crs_cli stats export $LAB_ACCOUNT | grep -q '^tel:+46704444444'
}

@test "CRS-123: crs-cli asks nothing; what is wrong gets the usage and status 2" {
	local words
	while read -r words; do
		# shellcheck disable=SC2086
		run --separate-stderr -2 timeout 5 crs-cli --root "$D/crs" $words </dev/null
		[ -z "$output" ]
		[[ $stderr == *usage:* ]]
	done <<-W

		nonsense
		show
		show nonsense
		blacklist
		blacklist add $LAB_ACCOUNT
		blacklist add $LAB_ACCOUNT tel:+1 more
		create account
		delete
		trace
		--nonsense show version
		purge client $LAB_ACCOUNT
	W
	run -1 timeout 5 crs-cli --root "$D/crs" trace nonsense </dev/null
	[[ $output == crs-cli:* ]]
	# nothing is asked for even where much is at stake
	run -1 timeout 5 crs-cli --root "$D/crs" delete account nobody </dev/null
	run -0 crs-cli --help
	[[ $output == usage:* ]]
}

# --- callers ---

@test "CCA-006: what a caller uploads is kept and listed: client info, token, push token, its own data" {
	echo '{"created": "2026-11-02T08:00:00Z", "tokens": ["0badcafe"]}' >"$T/push"
	head -c 4096 /dev/zero >"$T/most"
	head -c 4097 /dev/zero >"$T/more"
	: >"$T/nothing"
	run -0 caller $ALICE keep client-token "$T/push"
	[[ $output == *'kept name=client-token'* ]]
	run -0 caller $ALICE keep --type apns push-token "$T/push"
	run -0 caller $ALICE keep settings "$T/most"
	run -1 caller $ALICE keep settings "$T/more"
	run -1 caller $ALICE keep diary "$T/push"
	[[ $output == *refused* ]]
	run -1 caller $ALICE keep ../x "$T/push"
	listen $ALICE
	lab_crs_cli show push-token $LAB_ACCOUNT tel:$ALICE | grep -q 0badcafe
	lab_crs_cli show client-storage $LAB_ACCOUNT >"$T/storage"
	grep -qE "tel:\\$ALICE +4096 .* settings$" "$T/storage"
	grep -qE "tel:\\$ALICE .* client-token$" "$T/storage"
	await 5 "its client info" client_info
	run -0 caller $ALICE keep settings "$T/nothing"
	! lab_crs_cli show client-storage $LAB_ACCOUNT | grep settings || false
}

client_info() { # as "uname" has it
	lab_crs_cli show client-info $LAB_ACCOUNT | grep -E "^tel:\\$ALICE .* $(uname -s) +$(uname -r) "
}

@test "CCA-012: calls and messages tell the domain that attests the peer" {
	listen $BOB
	caller $ALICE send --receipt $BOB "with a name" >"$T/send"
	grep -E '^message from=tel:\+46701234567 .*domain=Demonstration ' "$T/$BOB"
	stop "$STARTED_PID"
	start "$T/answer" cca --store "$D/$BOB" answer --count 1
	await 15 "Bob" attached $BOB
	run -0 caller $ALICE call --hangup 1 $BOB
	[[ $output == *'talk from='*'domain=Demonstration'* ]]
	grep -E '^incoming from=tel:\+46701234567 .*domain=Demonstration$' "$T/answer"
}

@test "CCA-013: a message that has expired is not shown; the sender is told so" {
	local later late
	caller $ALICE send --lifetime 1000 $BOB "gone in 17 minutes" >"$T/send"
	in_log "$T/send" '^posted'
	later=$(date -u -d '+1100 seconds' +%Y-%m-%dT%H:%M:%SZ)
	start "$T/late" cca --now "$later" --store "$D/$BOB" listen
	late=$STARTED_PID
	start "$T/sender" cca --now "$later" --store "$D/$ALICE" listen
	await 15 "the receipt" in_log "$T/sender" '^expired '
	! grep -q '^message' "$T/late" || false
	! grep -q 'gone in 17' "$T/late" || false
	# nothing of it is left for the next run either
	stop "$STARTED_PID"
	stop "$late"
	listen $BOB
	caller $ALICE send --receipt $BOB "the next one" >"$T/send"
	[ "$(grep -c '^message' "$T/$BOB")" -eq 1 ]
}

@test "CCA-005: a caller goes on to the next address of the rendezvous when one does not answer" {
	unshare -m true 2>/dev/null || skip "name spaces are not permitted"
	printf '%s rendezvous.example\n' 127.0.0.9 127.0.0.1 >"$T/hosts"
	start "$T/call" unshare -m sh -c 'mount --bind "$1" /etc/hosts && shift && exec "$@"' - "$T/hosts" \
		cca --verbose --crs "rendezvous.example:$LAB_CRS_PORT" --store "$D/$ALICE" listen
	await 15 "Alice" in_log "$T/call" '^attached'
	in_log "$T/call" 'connection to rendezvous.example:[0-9]+: unreachable'
}

@test "CRS-045: a deleted account is gone with its users, who are cut off and do not come back" {
	listen $ALICE
	run -0 lab_crs_cli delete account $LAB_ACCOUNT
	await 10 "their end" not_attached $ALICE
	await 5 "the gateway's" not_attached $LAB_GATEWAY
	[ ! -e "$D/crs/accounts/$LAB_ACCOUNT" ]
	! lab_crs_cli list account | grep -q "^$LAB_ACCOUNT " || false
	run -1 caller $BOB --timeout 2 send $ALICE "nobody is there"
	[[ $output == *'not attached'* ]]
	not_attached $ALICE
	run -1 lab_crs_cli show blacklist $LAB_ACCOUNT
	run -1 lab_crs_cli delete account $LAB_ACCOUNT
}
