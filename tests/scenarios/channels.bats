# channels.bats - one post to a channel reaches every member, sealed once, and nobody else.

load helpers
load lab

ALICE=+46701234567 BOB=+46707654321 CAROL=+46703333333 DAVE=+46704444444
LAB_USERS=($ALICE $BOB $CAROL $DAVE)

setup_file() {
	local user
	D=$(mktemp -d /tmp/lab.XXXXXX) TICK=$D/tick
	mkfifo "$TICK"
	lab_domain && lab_rendezvous || { show_logs; stop_all; return 1; }
	lab_crs_cli update-notification enable $LAB_ACCOUNT
	for user in "${LAB_USERS[@]}"; do lab_enrol "$user" || return; done
	lab_cms set --max-lifetime 7d && lab_cms channel add "Board Room" &&
		lab_cms channel join "Board Room" $ALICE $BOB $CAROL || return
	update || return
	for user in "${LAB_USERS[@]}"; do lab_refresh "$user" || return; done
	LAB_CIG_RELAY= LAB_CIG_SERVER=
	lab_save
}

teardown_file() {
	lab_teardown_file
}

setup() {
	lab_load
}

teardown() {
	stop_all
	[ -n "${BATS_TEST_COMPLETED:-}" ] || show_ends "$T" "$D/crs/log"
}

update() {
	rm -f "$D"/updates/*.upd
	lab_cms update --output "$D/updates" && lab_apply
}

listener() { # NUMBER [OPTIONS]: a caller that prints messages, in $T/NUMBER; its pid in $STARTED_PID
	start "$T/$1" cca --store "$D/$1" listen "${@:2}"
	await 15 "$1 to be attached" in_log "$T/$1" '^attached'
}

@test "CCA-011: a post to a channel reaches every member, attached or not, and nobody else" {
	listener $BOB --count 1
	local bob=$STARTED_PID
	listener $DAVE
	run -0 caller $ALICE send --channel "Board Room" "for the board"
	[[ $output == *posted* ]]
	await 10 "the copy of who is attached" stopped "$bob"
	in_log "$T/$BOB" "^message from=tel:\\$ALICE .*text=\"for the board\".* channel=\"Board Room\""
	listener $CAROL --count 1
	await 10 "the copy of who was away" stopped "$STARTED_PID"
	in_log "$T/$CAROL" "^message from=tel:\\$ALICE .*text=\"for the board\".* channel=\"Board Room\""
	# its sender has no copy, and who is no member has none: what comes later is the first
	listener $ALICE --count 1
	caller $BOB send $ALICE "afterwards"
	await 10 "what comes to the sender" stopped "$STARTED_PID"
	[ "$(grep -c '^message' "$T/$ALICE")" -eq 1 ]
	in_log "$T/$ALICE" 'text=afterwards'
	caller $BOB send $DAVE "afterwards"
	await 10 "what comes to who is no member" in_log "$T/$DAVE" 'text=afterwards'
	[ "$(grep -c '^message' "$T/$DAVE")" -eq 1 ]
	run -1 caller $DAVE send --channel "Board Room" "let me in"
	[[ $output == *"no such channel"* ]]
}

@test "a post of many records to a channel reaches every member whole and once, attached or not" {
	head -c 300000 /dev/urandom >"$T/minutes.bin"
	mkdir "$T/bob" "$T/carol"
	listener $BOB --count 1 --save "$T/bob"
	local bob=$STARTED_PID
	run -0 caller $ALICE send --channel "Board Room" --attach "$T/minutes.bin" "the minutes"
	await 10 "the copy of who is attached" stopped "$bob"
	in_log "$T/$BOB" '^message .*text="the minutes".*channel="Board Room"'
	cmp "$T/minutes.bin" "$T"/bob/*.0
	listener $CAROL --count 1 --save "$T/carol"
	await 10 "the copy of who was away" stopped "$STARTED_PID"
	cmp "$T/minutes.bin" "$T"/carol/*.0
	# nothing of it is left: what comes later is the first, and the store holds no parts
	listener $CAROL --count 1
	caller $BOB send $CAROL "afterwards"
	await 10 "what comes later" stopped "$STARTED_PID"
	[ "$(grep -c '^message' "$T/$CAROL")" -eq 1 ]
	await 5 "the end of all parts" no_parts
}

no_parts() { # of a long message in the store
	[ -z "$(redis-cli -s "$D/crs/run/redis_low.sock" --scan --pattern 'p:*')" ]
}

@test "CMS-032: the rendezvous knows of a channel who is in it, never its name" {
	run -1 grep -raqi "board room" "$D/crs"
	grep -raqE 'urn:uuid:[0-9a-f-]{36}' "$D"/crs/accounts/$LAB_ACCOUNT/*.upd
}

@test "a post to a channel is stored for a restart, and traced" {
	start "$T/trace" crs-cli --root "$D/crs" trace message connection
	lab_trace_runs
	caller $ALICE send --channel "Board Room" "kept"
	await 5 "the trace" in_log "$T/trace" "event,[^,]+,tel:\\$ALICE,urn:uuid:[^,]+,posted content"
	in_log "$T/trace" "event,[^,]+,tel:\\$ALICE,tel:\\$BOB,posted content"
	stop "$LAB_CRS"
	start "$D/crs.log" crs --root "$D/crs"
	LAB_CRS=$STARTED_PID
	lab_restarted
	await 15 "crs" lab_crs_answers
	listener $BOB --count 1
	await 10 "the copy" stopped "$STARTED_PID"
	in_log "$T/$BOB" "text=kept .*channel=\"Board Room\""
}

lab_trace_runs() { # it tells of a connection
	await 5 "the trace to run" trace_tells
}

trace_tells() {
	listening "$LAB_CRS_PORT"
	in_log "$T/trace" ,connected
}

@test "who left the channel posts to it no more, and gets no copy" {
	lab_cms channel leave "Board Room" $CAROL
	update
	run -1 caller $CAROL send --channel "Board Room" "still here?"
	[[ $output == *"not a member"* || $output == *"no such channel"* ]]
	listener $BOB --count 1
	caller $ALICE send --channel "Board Room" "without Carol"
	await 10 "Bob's copy" stopped "$STARTED_PID"
	in_log "$T/$BOB" "text=\"without Carol\""
	listener $CAROL
	caller $ALICE send $CAROL "to you alone"
	await 10 "what is for Carol" in_log "$T/$CAROL" 'text="to you alone"'
	! in_log "$T/$CAROL" 'without Carol' || false
}

column_of() { # NUMBER COLUMN: what `stats export` says of a user
	lab_crs_cli stats export $LAB_ACCOUNT | awk -F'\t' -v uri="tel:$1" -v column="$2" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == column) at = i }
		NR > 1 && $1 == uri { print $at }'
}

column_is() { # NUMBER COLUMN VALUE
	[ "$(column_of "$1" "$2")" = "$3" ]
}

@test "CCA-011 CRS-107: one group call with two invitations, of which one is accepted, is counted so" {
	local id=00112233445566778899aabbccddeeff
	lab_crs_cli stats enable $LAB_ACCOUNT
	start "$T/answer" cca --store "$D/$BOB" answer --count 1
	start "$T/reject" cca --store "$D/$DAVE" answer --count 1 --reject declined
	await 15 "who accepts" in_log "$T/answer" '^attached'
	await 15 "who declines" in_log "$T/reject" '^attached'
	run -0 caller $ALICE call --group $id --hangup 1 $BOB
	run -1 caller $ALICE call --group $id --hangup 1 $DAVE
	await 10 "the invitations sent" column_is $ALICE sent-group-call-invite 2
	column_is $BOB accepted-group-call-invite 1
	column_is $DAVE accepted-group-call-invite 0
	column_is $ALICE conference-calls 1
	run -2 caller $ALICE call --group 42 $BOB
	lab_crs_cli stats disable $LAB_ACCOUNT
}
