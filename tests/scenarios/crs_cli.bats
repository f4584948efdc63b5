# crs_cli.bats - what crs-cli makes, lists, shows and traces of a rendezvous in use.

load helpers
load lab
load callers

setup() {
	needs jq
	lab_load
	OUT=$D/cig/mail/from-secure
}

teardown() {
	stop_all
	[ -n "${BATS_TEST_COMPLETED:-}" ] || tail -n 15 "$T"/{trace,answer,call,send} "$D"/*/log/cr[s].log 2>/dev/null
	find "$OUT/new" -type f -delete 2>/dev/null || :
}

decoded() { # how many octets the last line of $output is in base64
	tail -n 1 <<<"$output" | base64 -d | wc -c
}

secret_of() { # ACCOUNT
	lab_crs_cli --json list account | jq -r --arg id "$1" '.[] | select(.id == $id) | .secret'
}

@test "CRS-038 CRS-039 CRS-040 CRS-041 CRS-042 CRS-043 CRS-044: accounts are made with ids and secrets as asked for, and listed" {
	local id
	for id in 123456789012345678901 'a b' 'ä' ../x a/b a.b 'x;y'; do
		run lab_crs_cli create account "$id"
		[ "$status" -ne 0 ]
		[ ! -e "$D/crs/accounts/$id" ]
	done
	run -0 lab_crs_cli create account 'Az09-_78901234567890'
	[ "$(decoded)" -eq 16 ]
	run -0 lab_crs_cli create account given -s 'a secret with blanks'
	[ "$(secret_of given)" = 'a secret with blanks' ]
	run -0 lab_crs_cli create account based -s 'q83vEjRWeJCrze8SNFZ4kA=='
	[ "$(secret_of based)" = 'q83vEjRWeJCrze8SNFZ4kA==' ]
	run -0 lab_crs_cli create account bits -b 130
	[ "$(decoded)" -eq 17 ]
	run -0 lab_crs_cli create account bytes -B 32
	[ "$(decoded)" -eq 32 ]
	run -2 lab_crs_cli create account both -s x -b 128
	[ ! -e "$D/crs/accounts/both" ]
	run -1 lab_crs_cli create account given
	run -0 lab_crs_cli create sharedSecret
	[ "$(decoded)" -eq 16 ]
	run -0 lab_crs_cli create sharedSecret -b 130
	[ "$(decoded)" -eq 17 ]
	run -0 lab_crs_cli create sharedSecret -B 20
	[ "$(decoded)" -eq 20 ]
	run -0 lab_crs_cli list account
	for id in $LAB_ACCOUNT given based bits bytes 'Az09-_78901234567890'; do
		grep -E "^$id +$D/crs/accounts/$id" <<<"$output" | grep -qF "$(secret_of "$id")"
	done
	# the account's users attach, which is what it is for
	caller $ALICE send --receipt "$LAB_GATEWAY;101" "of this account" >"$T/send"
	in_log "$T/send" '^delivered'
}

fields() { # NUMBER REGEX: is there a traced event of so many fields?
	grep -E "$2" "$T/trace" | awk -F, -v n="$1" '$1 == "event" && NF == n { found = 1 } END { exit !found }'
}

session_shown() { # STATE
	lab_crs_cli show session | grep -qE "^tel:\\$ALICE +tel:\\$BOB +[0-9]+ +$1"
}

attach_shown() { # NUMBER
	lab_crs_cli show attach | grep -qE "^tel:\\$1 +$LAB_ACCOUNT +[0-9]+ +cca [^ ]+ +127\.0\.0\.1:[0-9]+ +crs1$"
}

relay_bound() {
	lab_crs_cli show relays | grep -qE '^rtp +2 '
}

counted() { # NUMBER: its row of "show message"
	lab_crs_cli --json show message | jq -r --arg uri "tel:$1" '.[] | select(.uri == $uri) | "\(.post) \(.deliv) \(.read) \(.account)"'
}

posted() { # NUMBER THAN: more posts?
	[ "$(counted "$1" | cut -d ' ' -f 1)" -gt "$2" ]
}

@test "CRS-002 CRS-081 CRS-082 CRS-084 CRS-086 CRS-093 CRS-094 CRS-095 CRS-096 CCA-002 CCA-007: what users do is shown and traced" {
	local before
	lab_refresh $ALICE
	lab_refresh $BOB
	start "$T/trace" env --default-signal=INT crs-cli --root "$D/crs" trace attach session message connection
	local trace=$STARTED_PID
	# of one user, and as JSON of another one whose number is half of hers
	start "$T/hers" crs-cli --root "$D/crs" trace session message --only $ALICE
	start "$T/nobodys" crs-cli --root "$D/crs" --json trace session message --only "${ALICE%?}"
	start "$T/accounts" crs-cli --root "$D/crs" --json trace session --only $LAB_ACCOUNT
	before=$(counted $ALICE | cut -d ' ' -f 1)
	start "$T/answer" cca --store "$D/$BOB" answer --count 1
	await 15 "the callee" attach_shown $BOB
	start "$T/call" cca --store "$D/$ALICE" call $BOB
	local call=$STARTED_PID
	await 15 "the call" session_shown talk
	attach_shown $ALICE
	await 5 "both legs at the relay" relay_bound
	kill -INT "$call"
	await 5 "its end" session_shown 'hangup\(hangup, caller\)'
	caller $ALICE send --receipt "$LAB_GATEWAY;101" "traced" >"$T/send"
	await 5 "the count" posted $ALICE "${before:-0}"
	[[ $(counted $ALICE) =~ ^[0-9]+\ [0-9]+\ .*\ $LAB_ACCOUNT$ ]]
	lab_crs_cli show message | head -n 1 | grep -E '^URI +POST +DELIV +READ +ACCOUNT$'
	[ "$(lab_crs_cli show version)" = "crs $(crs --version | awk '{ print $NF }')" ]
	await 5 "the trace" fields 7 "tel:\\$LAB_GATEWAY,tel:\\$ALICE,posted ack"
	fields 10 ",(primary|secondary),tel:\\$BOB,$LAB_ACCOUNT,127\.0\.0\.1,[0-9]+,registered,"
	fields 10 ",tel:\\$ALICE,$LAB_ACCOUNT,.*,unregistered,"
	fields 7 ",tel:\\$ALICE,tel:\\$BOB,talk,$LAB_ACCOUNT,"
	fields 7 ",tel:\\$ALICE,tel:\\$BOB,hangup\(hangup; caller\),$LAB_ACCOUNT,"
	fields 7 ",tel:\\$ALICE,tel:\\$LAB_GATEWAY,posted content,"
	# The acknowledgement and the delivery go to two sides, each when it can.
	await 5 "the delivery" fields 7 ",tel:\\$ALICE,tel:\\$LAB_GATEWAY,delivered,"
	local steps
	steps=$(awk -F, 'NF == 7 && $5 ~ /^(posted|delivered)/ { printf "%s, ", $5 }' "$T/trace")
	[[ $steps == "posted content, delivered, posted ack, " || $steps == "posted content, posted ack, delivered, " ]]
	# TCP, then TLS with the key, then the WebSocket of one connection
	local id
	id=$(awk -F, '$1 == "event" && NF == 8 && $8 == "negotiated" { print $3; exit }' "$T/trace")
	[ "$(awk -F, -v id="$id" 'NF == 8 && $3 "" == id "" { printf "%s ", $8 }' "$T/trace" | cut -d ' ' -f 1-3)" = "connected authenticated negotiated" ]
	grep -v '^event,' "$T/hers" && false
	[ "$(grep -cF "tel:$ALICE," "$T/hers")" -eq "$(wc -l <"$T/hers")" ]
	grep -q ',hangup(hangup; caller),' "$T/hers"
	[ ! -s "$T/nobodys" ]
	jq -es 'length > 0 and all(.account == "'"$LAB_ACCOUNT"'")' "$T/accounts"
	kill -INT "$trace" # Ctrl-C
	await 5 "the trace's end" stopped "$trace"
	! grep -qi error "$T/trace" || false
	lab_crs_answers
}

@test "REL-001: MAX_RTP_RELAYS is the limit of calls, the next one is refused with the reason" {
	kill "$LAB_CRS_RELAY"
	await 10 "the end of crs-relay" stopped "$LAB_CRS_RELAY"
	echo MAX_RTP_RELAYS=1 >"$D/crs/crs-relay.conf"
	start "$D/crs-relay.log" crs-relay --root "$D/crs" --listen "127.0.0.1:$LAB_MEDIA_PORT"
	LAB_CRS_RELAY=$STARTED_PID
	lab_restarted
	await 10 "the relay" relay_active
	start "$T/answer" cca --store "$D/$BOB" answer --count 1
	await 15 "the callee" attach_shown $BOB
	start "$T/call" cca --store "$D/$ALICE" call $BOB
	local call=$STARTED_PID
	await 15 "the call" in_log "$T/call" '^talk'
	run -1 timeout 20 cca --store "$D/$CAROL" call "$LAB_GATEWAY;101"
	[[ $output == *'reason=congestion'* || $output == *'reason="no media relay"'* ]]
	running "$call"
	in_log "$D/crs/log/crs_relay.log" 'Command add refused: the limit of 1 rtp relays is reached'
	kill -INT "$call"
	await 5 "the call's end" stopped "$call"
	: >"$D/crs/crs-relay.conf"
}

relay_active() {
	lab_crs_cli --json show services | jq -e 'any(.service == "crs_relay" and .status == "active")'
}
