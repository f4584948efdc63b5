# devices.bats - a user with several devices: who rings, who answers, and what wakes them up;
# and what takes minutes: the test lets them pass.

load helpers
load lab

ALICE=+46701234567 BOB=+46707654321 CAROL=+46703333333
LAB_USERS=($ALICE $BOB $CAROL)
DESK=desk TABLET=tablet # two more devices of Bob's

setup_file() {
	D=$(mktemp -d /tmp/lab.XXXXXX) TICK=$D/tick
	mkfifo "$TICK"
	python3 - <<<'' || { rm -r "$D"; skip "python3 is not installed"; }
	set_clock "$D/clock.crs" 0
	set_clock "$D/clock.relay" 0
	set_clock "$D/clock.cca" 0
	cca --now "$D/clock.cca" --version >/dev/null || { rm -r "$D"; skip "needs --enable-test-clock"; }
	lab_domain && lab_crs_conf && push_service || { show_logs; stop_all; return 1; }
	printf '%s\n' "keep-alive tel:$ALICE@$LAB_ACCOUNT ws 1190000" >>"$D/crs/crs.conf"
	LAB_CLOCK=(--now "$D/clock.crs")
	lab_rendezvous || { show_logs; stop_all; return 1; }
	LAB_CLOCK=()
	# an update on its way would break the silence that the tests measure
	for user in $ALICE $BOB $CAROL; do lab_enrol "$user" && lab_refresh "$user" || return; done
	for user in $DESK $TABLET; do another_device "$user" || return; done
	LAB_CIG_RELAY= LAB_CIG_SERVER=
	lab_save
	declare -p PUSHES >>"$BATS_FILE_TMPDIR/lab"
}

another_device() { # NAME: of Bob's, with the updates; that another one confirmed them says nothing
	cca --store "$D/$1" enrol "$D/letters/$BOB" || return
	start "$D/refresh.$1" cca --verbose --secondary --store "$D/$1" listen
	await 20 "the updates of $1" both_applied "$D/refresh.$1" && stop "$STARTED_PID"
}

both_applied() { # LOG: this and the next month's
	[ "$(grep -c ': update .* applied$' "$1")" -ge 2 ]
}

push_service() { # where crs sends its pushes; what came is in $PUSHES, empty without node
	PUSHES=
	command -v node >/dev/null || return 0
	openssl ecparam -name prime256v1 -genkey -noout -out "$D/provider.pem"
	openssl ec -in "$D/provider.pem" -pubout -out "$D/provider.pub" 2>/dev/null
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 \
		-addext subjectAltName=IP:127.0.0.1 -keyout "$D/apns.key" -out "$D/apns.crt" 2>/dev/null
	PUSHES=$D/pushes
	start "$PUSHES" node "$TOP/tests/rendezvous/apns_server.mjs" "$D/apns.key" "$D/apns.crt" \
		"$D/provider.pub" KEY123 TEAM45 com.example.app
	await 15 "the push service" in_log "$PUSHES" '^listening'
	sed -i '/^features/d' "$D/crs/crs.conf"
	cat >>"$D/crs/crs.conf" <<-C
		features push
		push-config apns type direct
		push-config apns key $D/provider.pem
		push-config apns key-id KEY123
		push-config apns team-id TEAM45
		push-config apns topic com.example.app
		push-config apns url https://127.0.0.1:$(sed -n 's/^listening //p' "$PUSHES")
		push-config apns ca $D/apns.crt
	C
}

teardown_file() {
	[ ! -e "$BATS_FILE_TMPDIR/lab" ] || lab_teardown_file
}

setup() {
	needs jq
	lab_load
}

teardown() {
	stop_all
	[ -n "${BATS_TEST_COMPLETED:-}" ] || show_ends "$T" "$D/crs/log"
}

device() { # NAME [OPTIONS...]: answers calls in the background, output in $T/NAME
	local role=()
	case $1 in $DESK | $TABLET) role=(--secondary) ;; esac
	start "$T/$1" cca "${role[@]}" --store "$D/$1" answer "${@:2}"
	await 15 "$1" in_log "$T/$1" '^attached'
}

dial() { # [OPTIONS...] NUMBER: Alice calls, in the background, output in $T/call
	start "$T/call" cca --store "$D/$ALICE" call "$@"
	CALL=$STARTED_PID
}

session_shown() { # CALLEE STATE
	lab_crs_cli show session | grep -qE "^tel:\\$ALICE +tel:\\$1 +[0-9]+ +$2"
}

attached_devices() { # NUMBER COUNT
	[ "$(lab_crs_cli --json show attach | jq --arg uri "tel:$1" '[.[] | select(.uri == $uri)] | length')" -eq "$2" ]
}

@test "CRS-083 CRS-094 CCA-003: all of a user's devices ring, the first answer wins and the others are told" {
	start "$T/trace" env --default-signal=INT crs-cli --root "$D/crs" trace attach
	device $BOB --ring 60
	device $DESK --ring 60
	device $TABLET --ring 1
	attached_devices $BOB 3
	grep -E ",primary,tel:\\$BOB,.*,registered," "$T/trace"
	[ "$(awk -F, '$4 == "secondary" && $9 == "registered" { print $3 }' "$T/trace" | sort -u | wc -l)" -eq 2 ]
	dial --hangup 1 $BOB
	await 15 "the call's end" stopped "$CALL"
	in_log "$T/call" '^ringing'
	in_log "$T/call" '^talk '
	in_log "$T/$TABLET" '^talk from=tel:\+46701234567'
	local name
	for name in $BOB $DESK; do
		await 5 "what $name is told" in_log "$T/$name" '^ended reason="?answered elsewhere"? by=rendezvous'
		in_log "$T/$name" '^incoming from=tel:\+46701234567'
		! in_log "$T/$name" '^talk' || false
	done
	await 5 "the tablet's end" in_log "$T/$TABLET" '^ended reason=hangup by=initiator'
}

@test "CRS-083: one busy device leaves the others ringing; when all are busy the caller is told so" {
	device $BOB --reject busy
	device $DESK --ring 1 --count 1
	dial --hangup 1 $BOB
	await 15 "the call's end" stopped "$CALL"
	in_log "$T/$BOB" '^ended reason=busy by=responder'
	in_log "$T/$DESK" '^talk'
	in_log "$T/call" '^talk'
	await 5 "the desk's end" stopped "$STARTED_PID" || await 5 "the desk's end" in_log "$T/$DESK" '^ended'
	device $TABLET --reject busy
	attached_devices $BOB 2
	run -1 caller $ALICE call $BOB
	[[ $output == *'ended reason=busy by=responder'* ]]
	session_shown $BOB 'hangup\(busy, callee\)'
}

@test "CRS-083: nobody answers: the call ends for all when it has rung for three minutes" {
	device $BOB --ring 600
	device $DESK --ring 600
	dial $BOB
	await 10 "the ringing" session_shown $BOB ringing
	await 5 "both devices" in_log "$T/$DESK" '^incoming'
	await 5 "both devices" in_log "$T/$BOB" '^incoming'
	set_clock "$D/clock.crs" 170
	session_shown $BOB ringing
	set_clock "$D/clock.crs" 190
	await 10 "the call's end" stopped "$CALL"
	in_log "$T/call" '^ended reason="?no answer"? by=rendezvous'
	await 5 "the end" in_log "$T/$BOB" '^ended .*by=rendezvous'
	await 5 "the end" in_log "$T/$DESK" '^ended .*by=rendezvous'
}

@test "CCA-010: a device that answers with digits sends all of them in every call" {
	device $BOB --count 2 --dtmf 59
	local call
	for call in first second; do
		dial --hangup 5 $BOB
		await 15 "the $call call's end" stopped "$CALL"
		in_log "$T/call" '^digit digit=5'
		in_log "$T/call" '^digit digit=9'
	done
}

@test "CCA-009: an extension behind the number reaches the number's user" {
	device $BOB --count 1
	dial --hangup 1 "$BOB;101"
	await 10 "the call" session_shown $BOB talk
	await 15 "the call's end" stopped "$CALL"
	in_log "$T/call" '^calling to=tel:\+46707654321 extension=101'
}

@test "CRS-067 CRS-117 CRS-118 CRS-122: a push wakes up a device that is away, and it answers the call" {
	[ -n "$PUSHES" ] || skip "node is not installed"
	printf '{"created": "2026-11-02T08:00:00Z", "tokens": ["0badcafe"]}' >"$T/token"
	run -0 caller $BOB keep --type apns push-token "$T/token"
	await 5 "Bob to be away" attached_devices $BOB 0
	local before
	before=$(wc -l <"$PUSHES")
	dial --hangup 1 $BOB
	await 10 "the push" pushed "$before" 0badcafe
	! tail -n "+$((before + 1))" "$PUSHES" | grep -E '46701234567|46707654321' || false
	running "$CALL"
	device $BOB --count 1
	await 15 "the call's end" stopped "$CALL"
	in_log "$T/$BOB" '^talk'
	in_log "$T/call" '^talk'
	await 10 "Bob to be away" attached_devices $BOB 0
	run -1 lab_crs_cli wakeup client $LAB_ACCOUNT "tel:$CAROL"
	[[ $output == *"$CAROL"* ]]
}

pushed() { # LINES_BEFORE TOKEN: has a push for it come since?
	tail -n "+$(($1 + 1))" "$PUSHES" | grep -q "\"token\":\"$2\""
}

asleep() { # LINES_BEFORE TOKEN NUMBER: a device that the push service starts, and nothing else does
	await 20 "a push" pushed "$1" "$2" && exec cca --store "$D/$3" listen
}

@test "CRS-067: a client that an operator wakes up is pushed, and attaches" {
	[ -n "$PUSHES" ] || skip "node is not installed"
	printf '{"created": "2026-11-02T08:00:00Z", "tokens": ["a11ce000"]}' >"$T/token"
	run -0 caller $ALICE keep --type apns push-token "$T/token"
	await 5 "Alice to be away" attached_devices $ALICE 0
	local before
	before=$(wc -l <"$PUSHES")
	start "$T/woken" asleep "$before" a11ce000 $ALICE
	run -0 lab_crs_cli wakeup client $LAB_ACCOUNT "tel:$ALICE"
	await 10 "the push" pushed "$before" a11ce000
	await 10 "Alice" attached_devices $ALICE 1
	await 5 "its word" in_log "$T/woken" '^attached'
	running "$STARTED_PID"
	[ "$(wc -l <"$PUSHES")" -eq $((before + 1)) ]
}

verbose() { # NUMBER OPTIONS...: attached, and tells of its connection, in $T/NUMBER; pid in $STARTED_PID
	start "$T/$1" cca --verbose --timeout 0 "${@:2}" --store "$D/$1" listen
	await 15 "$1" in_log "$T/$1" '^attached'
}

ahead() { # FILE: by so many seconds
	python3 -c 'import struct, sys; print(struct.unpack("=qq", open(sys.argv[1], "rb").read())[1] // 1000)' "$1"
}

@test "CRS-023 CRS-026: a client that is silent is pinged at its interval, and by default after a bit more than 20 minutes" {
	local now
	verbose $ALICE
	verbose $BOB
	now=$(ahead "$D/clock.crs")
	set_clock "$D/clock.crs" $((now + 1195))
	await 5 "the ping of Alice's own rule" in_log "$T/$ALICE" 'pinged by the rendezvous'
	! in_log "$T/$BOB" 'pinged by the rendezvous' || false
	set_clock "$D/clock.crs" $((now + 1265))
	await 5 "the ping after 21 minutes" in_log "$T/$BOB" 'pinged by the rendezvous'
	attached_devices $ALICE 1
	attached_devices $BOB 1
}

@test "CCA-004: a caller that has nothing to say pings after 10 to 15 minutes, each after a time of its own" {
	local number seconds now passed=0
	declare -A after=()
	for number in $ALICE $BOB $CAROL; do
		verbose $number --now "$D/clock.cca"
		seconds=$(sed -n 's/.*: pings after \([0-9]*\) s of silence$/\1/p' "$T/$number")
		[ "$seconds" -ge 600 ]
		[ "$seconds" -le 900 ]
		after[$number]=$seconds
	done
	[ "$(printf '%s\n' "${after[@]}" | sort -u | wc -l)" -gt 1 ]
	now=$(ahead "$D/clock.cca")
	while read -r seconds number; do
		((seconds + 2 > passed)) && passed=$((seconds + 2))
		set_clock "$D/clock.cca" $((now + passed))
		await 5 "the ping of $number" in_log "$T/$number" 'a ping was answered'
		for other in $ALICE $BOB $CAROL; do
			((after[$other] < passed + 10)) || ! in_log "$T/$other" 'a ping was answered'
		done
	done < <(for number in $ALICE $BOB $CAROL; do echo "${after[$number]} $number"; done | sort -n)
}

relays() { # COUNT
	[ "$(lab_crs_cli --json show relays | jq length)" -eq "$1" ]
}

@test "REL-010 REL-015: a relay of which nobody sends any more expires, and is shown no longer" {
	kill "$LAB_CRS_RELAY"
	await 10 "the end of crs-relay" stopped "$LAB_CRS_RELAY"
	start "$D/crs-relay.log" crs-relay --root "$D/crs" --listen "127.0.0.1:$LAB_MEDIA_PORT" --now "$D/clock.relay"
	LAB_CRS_RELAY=$STARTED_PID
	lab_restarted
	await 10 "the relay" relays 0
	device $BOB
	local answer=$STARTED_PID
	dial $BOB
	await 15 "the call" in_log "$T/call" '^talk'
	await 5 "the relay of the call" relays 1
	kill -STOP "$CALL" "$answer" # their networks are gone: no packet, and no hang-up
	set_clock "$D/clock.relay" 290
	relays 1
	set_clock "$D/clock.relay" 310
	await 5 "the end of the relay" relays 0
	kill -CONT "$CALL" "$answer"
	kill -INT "$CALL"
	await 10 "the call's end" stopped "$CALL"
}
