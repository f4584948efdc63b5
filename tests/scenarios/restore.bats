# restore.bats - a rendezvous restored from a backup that is older than what its clients have
# seen since.

load helpers
load lab

ALICE=+46701234567 BOB=+46707654321

setup() {
	D=$(mktemp -d /tmp/lab.XXXXXX) TICK=$D/tick T=$BATS_TEST_TMPDIR
	mkfifo "$TICK"
	lab_domain && lab_rendezvous && lab_enrol $ALICE && lab_enrol $BOB
}

teardown() {
	teardown_common
	rm -rf "$D"
}

receive() { # COUNT TEXT...: Bob prints so many messages, these among them
	local count=$1 text
	shift
	start "$T/bob" cca --store "$D/$BOB" listen --count "$count"
	await 20 "$count messages" stopped "$STARTED_PID"
	for text; do in_log "$T/bob" "text=$text( |\$)"; done
	[ "$(grep -c '^message' "$T/bob")" -eq "$count" ]
}

crs_up() {
	start "$D/crs.log" crs --root "$D/crs"
	LAB_CRS=$STARTED_PID
	await 15 "crs" lab_crs_answers
	await 10 "the store" store_active
}

store_active() {
	lab_crs_cli show services | grep -qE 'redis_low +active'
}

@test "WIC-021: after a restore from an older backup every client still receives everything new, and nothing twice" {
	local backup text stays
	caller $ALICE send $BOB "before"
	run -0 lab_crs_cli backup
	backup=$(ls "$D"/crs/backup/*.tar)
	# what Bob takes after the backup: the store's numbers run ahead of what is restored
	for text in one two three four; do caller $ALICE send $BOB $text; done
	receive 5 before one two three four
	start "$T/stays" cca --store "$D/$ALICE" listen # is attached while all of it happens
	stays=$STARTED_PID
	await 15 "the one who stays" in_log "$T/stays" '^attached'
	stop "$LAB_CRS"
	rm -rf "$D/crs/data" "$D/crs/accounts"
	run -0 lab_crs_cli restore "$backup"
	crs_up
	# "before" waits again in what was restored: it is known, and not shown
	caller $BOB send $ALICE "to-who-stayed"
	await 40 "what came to who stayed" in_log "$T/stays" 'text=to-who-stayed'
	start "$T/bob" cca --store "$D/$BOB" listen
	await 15 "Bob" in_log "$T/bob" '^attached'
	stop "$STARTED_PID"
	for text in five six; do caller $BOB send $ALICE $text; done
	await 10 "the last one" in_log "$T/stays" 'text=six'
	stop "$stays"
	for text in seven eight; do caller $ALICE send $BOB $text; done
	receive 2 seven eight
	# and after another restart
	stop "$LAB_CRS"
	crs_up
	caller $ALICE send $BOB nine
	receive 1 nine
}

@test "CRS-125, CRS-126: an encrypted backup of a running rendezvous gives accounts and waiting texts back with its passphrase only" {
	local backup
	(umask 077 && echo "correct horse" >"$D/words" && echo "wrong horse" >"$D/other")
	caller $ALICE send $BOB "waits"
	run -0 lab_crs_cli backup --passphrase-file "$D/words"
	backup=$(ls "$D"/crs/backup/*.tar.sealed)
	run -1 grep -aq crsname "$backup"
	stop "$LAB_CRS"
	rm -rf "$D/crs/data" "$D/crs/accounts"
	run -1 lab_crs_cli restore "$backup"
	[[ $output == *"is encrypted"* ]]
	run -1 lab_crs_cli restore "$backup" --passphrase-file "$D/other"
	[[ $output == *"another passphrase"* ]]
	head -c -1 "$backup" >"$D/cut"
	run -1 lab_crs_cli restore "$D/cut" --passphrase-file "$D/words"
	[[ $output == *"cut off"* ]]
	[ ! -e "$D/crs/data" ]
	[ ! -e "$D/crs/accounts" ] # nothing of a part of it
	run -0 lab_crs_cli restore "$backup" --check --passphrase-file "$D/words"
	[ ! -e "$D/crs/accounts" ]
	run -0 lab_crs_cli restore "$backup" --passphrase-file "$D/words"
	crs_up
	receive 1 waits
}
