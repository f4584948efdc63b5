# outsider.bats - a client written from docs/umsg.md alone (outsider.py) among the others.

load helpers
load lab

ALICE=+46701234567 BOB=+46707654321

setup_file() {
	D=$(mktemp -d /tmp/lab.XXXXXX) TICK=$D/tick
	mkfifo "$TICK"
	LAB_CIG_RELAY="" LAB_CIG_SERVER="" # no gateway here
	lab_domain && lab_rendezvous && lab_enrol $BOB || {
		show_logs
		stop_all
		return 1
	}
	lab_save
}

teardown_file() {
	lab_teardown_file
}

setup() {
	needs python3 openssl
	lab_load
}

teardown() {
	stop_all
	[ -n "${BATS_TEST_COMPLETED:-}" ] || tail -n 20 "$T"/{bob,alice,send} "$D/crs/log/crs.log" 2>/dev/null
}

outsider() { # COMMAND...: as Alice
	timeout 60 python3 "$BATS_TEST_DIRNAME/outsider.py" "$D/letters/$ALICE" "$@"
}

# What it prints, line by line; and its complaint, where it has one.
says() { # LINE...
	[ "$output" = "$(printf '%s\n' "$@")" ] || { echo "$output"; false; }
}

@test "CRS-002 CCA-003 CCA-007: it registers, looks somebody up, and its text is shown and receipted" {
	start "$T/bob" cca --store "$D/$BOB" listen
	await 15 "Bob" in_log "$T/bob" '^attached'
	run outsider lookup tel:$BOB lookup tel:+46700000000 text tel:$BOB "written by hand"
	says "registered role=0 waiting=0" \
		"found=1 own=True" \
		"found=0 own=False" \
		"posted" \
		"receipt state=1 from=tel:$BOB"
	in_log "$T/bob" "^message from=tel:\\$ALICE .*text=\"written by hand\""
}

@test "CCA-007: it fetches a text that was sent to it, takes it, and its receipt is believed" {
	start "$T/send" cca --store "$D/$BOB" send --receipt $ALICE "to an outsider"
	await 15 "the post" in_log "$T/send" '^posted'
	run outsider await
	says "registered role=0 waiting=1" \
		"text from=tel:$BOB text=to an outsider"
	await 10 "the receipt" in_log "$T/send" "^delivered .* by=tel:\\$ALICE"
	run outsider
	says "registered role=0 waiting=0"
}

@test "CRS-049 CRS-108: it fetches, opens and confirms its update" {
	run -0 lab_crs_cli stats enable $LAB_ACCOUNT
	run outsider update
	says "registered role=0 waiting=0" \
		"update month=$(date -u +%Y-%m) revision=1 users=3"
	[ "$(lab_crs_cli stats export $LAB_ACCOUNT | awk -F '\t' -v uri="tel:$ALICE" '$1 == uri { print $13, $14, $15, $16 }')" = "true true true false" ]
}

@test "its call rings and is answered, and its goodbye is believed" {
	start "$T/bob" cca --store "$D/$BOB" answer --count 1
	local bob=$STARTED_PID
	await 15 "Bob" in_log "$T/bob" '^attached'
	run outsider call tel:$BOB
	says "registered role=0 waiting=0" \
		"leg streams=1 ringing=1" \
		"bound own-port=True" \
		"growl" \
		"talk codec=PCMA"
	await 10 "Bob's end" stopped "$bob"
	in_log "$T/bob" '^ended reason="?hangup"? by=initiator'
}
