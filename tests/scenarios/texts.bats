# texts.bats - text messages between a secure caller and mailboxes.

load helpers
load lab

ALICE=+46701234567

setup_file() {
	lab_setup_file
}

teardown_file() {
	lab_teardown_file
}

setup() {
	lab_load
	OUT=$D/cig/mail/from-secure IN=$D/cig/mail/to-secure
}

teardown() {
	stop_all
	[ -n "${BATS_TEST_COMPLETED:-}" ] || tail -n 60 "$D"/cig/log/*.log
	find "$OUT/new" "$IN/new" "$IN/.failed" -type f -delete 2>/dev/null || :
}

drop() { # NAME TO FROM TEXT: as an external system writes a message
	printf '%s\n' "To: <$2>" "From: <$3>" "Date: $(LC_ALL=C date -u '+%d %b %Y %H:%M:%S +0000')" \
		'Content-Type: text/plain; charset="UTF-8"' 'Content-Transfer-Encoding: 8bit' '' "$4" >"$IN/tmp/$1"
	mv "$IN/tmp/$1" "$IN/new/$1"
}

@test "CIG-056 CIG-060 CIG-061 CIG-062 CIG-063 CIG-064 CIG-069 CIG-071 CIG-073 CIG-074 CIG-075 CCA-007: a text becomes a file in the manual's form, and the sender hears of it" {
	caller $ALICE send --receipt "$LAB_GATEWAY;101" "Grüße, 101" >"$T/send"
	in_log "$T/send" '^posted'
	in_log "$T/send" '^delivered'
	files_in "$OUT/new" 1
	files_in "$OUT/tmp" 0
	local file=$OUT/new/$(ls "$OUT/new")
	grep -qx 'To: <sip:101@pbx.com>' "$file"
	grep -qx "From: <sip:${ALICE#+}@secure.com>" "$file"
	grep -qE '^Date: [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} \+0000$' "$file"
	grep -qi '^Content-Type: text/plain; charset="UTF-8"$' "$file"
	grep -qx "X-Sender-URI: tel:$ALICE" "$file"
	grep -qx 'X-Sender-Domain: Demonstration' "$file"
	grep -qx 'Grüße, 101' "$file"
	! grep -q $'\r' "$file" || false
}

@test "CIG-057: a file dropped into a read mailbox reaches the caller, and is deleted" {
	start "$T/listen" cca --store "$D/$ALICE" listen --count 1
	local listen=$STARTED_PID
	drop one "sip:${ALICE#+}@secure.com" sip:101@pbx.com 'Crème brûlée?'
	await 20 "the message" stopped "$listen"
	in_log "$T/listen" '^message from=tel:\+8888 extension=101 domain=Demonstration .*text="Crème brûlée\?"'
	await 5 "the file's end" files_in "$IN/new" 0
}

@test "CIG-084: translate maps that reflect the maps give a text the addresses of a call" {
	sed "s/@$LAB_PHONE_IP/@pbx.com/" "$D/cig/cig.conf" >"$T/cig.conf"
	chmod 600 "$T/cig.conf"
	run -0 cig-cli route --config "$T/cig.conf" "tel:$LAB_GATEWAY;101" "tel:$ALICE"
	[[ $output == *"sip:101@pbx.com"* && $output == *"sip:${ALICE#+}@secure.com"* ]]
	caller $ALICE send "$LAB_GATEWAY;101" "as a call"
	files_in "$OUT/new" 1
	grep -qx 'To: <sip:101@pbx.com>' "$OUT"/new/*
	grep -qx "From: <sip:${ALICE#+}@secure.com>" "$OUT"/new/*
	run -0 cig-cli route --config "$T/cig.conf" "sip:${ALICE#+}@secure.com" sip:101@pbx.com
	[[ $output == *"tel:$ALICE"* && $output == *"tel:$LAB_GATEWAY;101"* ]]
	start "$T/listen" cca --store "$D/$ALICE" listen --count 1
	local listen=$STARTED_PID
	drop call "sip:${ALICE#+}@secure.com" sip:101@pbx.com 'as a call'
	await 20 "the message" stopped "$listen"
	in_log "$T/listen" "^message from=tel:\\$LAB_GATEWAY extension=101 "
}

@test "a message for a caller who is not attached waits at the rendezvous" {
	drop later "sip:${ALICE#+}@secure.com" sip:101@pbx.com 'See you later'
	await 10 "the file's end" files_in "$IN/new" 0
	timeout 20 cca --store "$D/$ALICE" listen --count 1 >"$T/listen"
	in_log "$T/listen" 'text="See you later"'
}

@test "a message that cannot be printed is not taken: it comes again" {
	drop unseen "sip:${ALICE#+}@secure.com" sip:101@pbx.com 'Seen later'
	await 10 "the file's end" files_in "$IN/new" 0
	run -1 bash -c 'timeout 20 cca --store "$1" listen --count 1 2>&1 >/dev/full' - "$D/$ALICE"
	[[ $output == *"the message is not taken"* ]]
	timeout 20 cca --store "$D/$ALICE" listen --count 1 >"$T/listen"
	in_log "$T/listen" 'text="Seen later"'
}

@test "a file from a foreign number, or for none, is moved aside with the reason" {
	drop foreign "sip:${ALICE#+}@secure.com" sip:101@elsewhere.com 'no'
	drop nobody "sip:nobody@elsewhere.com" sip:101@pbx.com 'no'
	printf 'no header at all' >"$IN/tmp/bad"
	mv "$IN/tmp/bad" "$IN/new/bad"
	await 10 "all files moved" files_in "$IN/new" 0
	[ -s "$IN/.failed/foreign.reason" ]
	[ -s "$IN/.failed/nobody.reason" ]
	[ -s "$IN/.failed/bad.reason" ]
	[ "$(cat "$IN/.failed/bad")" = 'no header at all' ]
}

# I-10: discarded only where no destination takes it, and that is logged.
@test "a text that no mailbox takes comes back as failed" {
	run -1 caller $ALICE send --receipt "$LAB_GATEWAY" "for nobody"
	[[ $output == *failed* ]]
	in_log "$D/cig/log/cig.log" "destinations=0 state=received"
	files_in "$OUT/new" 0
}

@test "kill -9 of cig-server loses no text and repeats none" {
	local i
	kill -KILL "$LAB_CIG_SERVER"
	for i in 1 2 3; do caller $ALICE send "$LAB_GATEWAY;101" "text $i"; done
	start "$D/cig-server.log" cig-server --config "$D/cig/cig.conf"
	echo "$STARTED_PID" >>"$BATS_FILE_TMPDIR/started"
	STARTED=()
	await 20 "three files" files_in "$OUT/new" 3
	for i in 1 2 3; do [ "$(grep -lx "text $i" "$OUT"/new/* | wc -l)" -eq 1 ]; done
}

elsewhere() { # the lab's configuration for a second server, with everything of its own but the mail
	local sip
	mkdir "$T/userdata" "$T/log" "$T/run"
	free_port && sip=$PORT
	free_port
	sed -e "s,$D/cig/\(userdata\|log\|run\)\",$T/\1\"," -e "s/port $LAB_SIP_PORT/port $sip/" \
		-e "s/port $LAB_CONTROL_PORT/port $PORT/" "$D/cig/cig.conf"
}

@test "CIG-062: a mailbox whose directory is missing is told at the start" {
	elsewhere | sed "s,$IN,$T/nowhere," >"$T/cig.conf"
	start "$T/server.log" cig-server --config "$T/cig.conf"
	await 10 "the warning" in_log "$T/log/cig.log" "mailbox $T/nowhere is not usable.*No such file or directory"
}

@test "CIG-072 CIG-076: a long line is written in base64, no line has more than 1000 octets, and it comes back whole" {
	local text
	text=$(printf 'Grüße %.0s' {1..400})end
	caller $ALICE send --receipt "$LAB_GATEWAY;101" "$text" >"$T/send"
	in_log "$T/send" '^delivered'
	local file=$OUT/new/$(ls "$OUT/new")
	awk 'length($0) > 1000 { long++ } END { exit long > 0 }' "$file"
	grep -qi '^Content-Transfer-Encoding: base64$' "$file"
	[ "$(sed '1,/^$/d' "$file" | base64 -d)" = "$text" ]
	start "$T/listen" cca --store "$D/$ALICE" listen --count 1
	local listen=$STARTED_PID
	sed -e "s/^To:.*/To: <sip:${ALICE#+}@secure.com>/" -e 's/^From:.*/From: <sip:101@pbx.com>/' \
		-e '/^X-/d' "$file" >"$IN/tmp/long"
	mv "$IN/tmp/long" "$IN/new/long"
	await 20 "the message" stopped "$listen"
	grep -qF "text=\"$text\"" "$T/listen"
}

@test "CIG-070: a member of the mail group reads and deletes what is written, others do not" {
	[ "$(id -u)" -eq 0 ] || skip "only root can become somebody else"
	local member="setpriv --reuid 65534 --regid 65534 --groups $(id -g)"
	local stranger="setpriv --reuid 65534 --regid 65534 --clear-groups"
	chmod 711 "$D" "$D/cig" "$D/cig/mail"
	caller $ALICE send --receipt "$LAB_GATEWAY;101" "for the group" >"$T/send"
	local file=$OUT/new/$(ls "$OUT/new")
	run -1 $stranger cat "$file"
	run -1 $stranger rm -f "$file"
	[[ $($member cat "$file") == *"for the group"* ]]
	$member rm "$file"
	files_in "$OUT/new" 0
}
