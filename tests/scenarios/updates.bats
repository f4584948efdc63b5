# updates.bats - the monthly update: made by the operator, applied at the rendezvous, fetched
# and confirmed by the caller and the gateway while they run.

load helpers
load lab

ALICE=+46701234567 BOB=+46707654321

setup_file() {
	lab_setup_file
	lab_crs_cli update-notification enable $LAB_ACCOUNT
}

teardown_file() {
	lab_teardown_file
}

setup() {
	needs jq
	lab_load
}

teardown() {
	stop_all
	[ -n "${BATS_TEST_COMPLETED:-}" ] || tail -n 30 "$T"/{listen,send,stats} "$D"/*.log "$D"/*/log/*.log 2>/dev/null
}

stats() { # NUMBER COLUMN: what `stats export` says of a user
	lab_crs_cli stats export $LAB_ACCOUNT >"$T/stats" &&
		awk -F'\t' -v uri="tel:$1" -v column="$2" '
			NR == 1 { for (i = 1; i <= NF; i++) if ($i == column) at = i }
			NR > 1 && $1 == uri { print $at }' "$T/stats"
}

stats_say() { # NUMBER COLUMN true|false
	[ "$(stats "$1" "$2")" = "$3" ]
}

month() {
	date -u +%Y-%m
}

gateway_month() { # MONTH: the revision that the running gateway has of it
	lab_cig_cli --json status | jq -r --arg m "$1" '.umsg.periods[] | select(.month == $m) | .revision'
}

gateway_newer() { # MONTH THAN
	[ "$(gateway_month "$1")" -gt "$2" ]
}

crs_again() { # as systemd starts it again
	kill -KILL "$LAB_CRS"
	await 5 "the end of crs" stopped "$LAB_CRS"
	start "$D/crs.log" crs --root "$D/crs"
	LAB_CRS=$STARTED_PID
	lab_restarted
	await 15 "crs" lab_crs_answers
	await 30 "the gateway at the rendezvous" lab_cig_status '.problems == []'
}

@test "CCA-008 CRS-047 CRS-049 CRS-108: an update is applied, the running caller and gateway take it over and confirm it" {
	local file before
	start "$T/listen" cca --store "$D/$ALICE" listen
	await 15 "the caller" in_log "$T/listen" '^attached'
	before=$(gateway_month "$(month)")
	lab_cms user add +46709999999 "Somebody new"
	rm -f "$D"/updates/*
	lab_cms update --output "$D/updates"
	for file in "$D"/updates/*.upd; do lab_crs_cli apply "$file"; done
	lab_crs_cli show updates | grep -qE "^$LAB_ACCOUNT +$(date -u +%Y-%m-%d)T[0-9:.]+Z +$(date -u +%Y-%m-%d)T[0-9:.]+Z$"
	stats_say $ALICE current-offered true
	stats_say $ALICE next-offered true
	await 15 "the caller's confirmation" stats_say $ALICE current-confirmed true
	await 15 "that of the next month" stats_say $ALICE next-confirmed true
	await 15 "the gateway's" stats_say $LAB_GATEWAY current-confirmed true
	await 15 "that of the next month" stats_say $LAB_GATEWAY next-confirmed true
	await 5 "the status" gateway_newer "$(month)" "$before"
	lab_cig_cli status | grep -E "^Crypto period 1 +$(month)-$(gateway_month "$(month)")$"
	# who was not there has it to come
	stats_say +46709999999 current-offered true
	stats_say +46709999999 current-confirmed false
	[ "$(head -n 1 "$T/stats" | tr '\t' '\n' | wc -l)" -eq 16 ]
	run -1 lab_crs_cli stats export nobody
	[[ $output == *"no account"* ]]
	# a newer file is to be confirmed anew, and what was confirmed is kept over a restart
	kill "$STARTED_PID"
	await 5 "the caller's end" stopped "$STARTED_PID"
	lab_cms user delete +46709999999
	rm -f "$D"/updates/*
	lab_cms update --output "$D/updates"
	for file in "$D"/updates/*.upd; do lab_crs_cli apply "$file"; done
	await 15 "the gateway's confirmation" stats_say $LAB_GATEWAY current-confirmed true
	stats_say $ALICE current-confirmed false
	crs_again
	await 5 "what was confirmed" stats_say $LAB_GATEWAY current-confirmed true
	stats_say $ALICE current-confirmed false
}

@test "CRS-049: a new address of the rendezvous comes with an update, and former logins are forgotten once it was accepted" {
	local before
	before=$(gateway_month "$(month)")
	[ "$(lab_cig_cli --json status | jq -r .umsg.crs_address)" = "127.0.0.1:$LAB_CRS_PORT" ]
	lab_cms set --crs "localhost:$LAB_CRS_PORT"
	rm -f "$D"/updates/*
	lab_cms update --output "$D/updates"
	lab_apply
	await 15 "the gateway's new keys" gateway_newer "$(month)" "$before"
	! in_log "$D/cig/log/cig.log" 'former logins are wiped' || false
	crs_again
	[ "$(lab_cig_cli --json status | jq -r .umsg.crs_address)" = "localhost:$LAB_CRS_PORT" ]
	await 5 "the end of former logins" in_log "$D/cig/log/cig.log" 'former logins are wiped'
	crs_again # with what is left
	[ "$(grep -c 'former logins are wiped' "$D/cig/log/cig.log")" -eq 1 ]
	caller $ALICE send --receipt "$LAB_GATEWAY;101" "with the new login" >"$T/send"
	in_log "$T/send" '^delivered'
}
