# faults.bats - mailboxes, disks and processes that fail: nothing acknowledged is lost,
# nothing comes twice, and everything comes back by itself.

load helpers
load phone
load lab

ALICE=+46701234567 BOB=+46707654321

setup_file() {
	lab_setup_file
	lab_enrol $BOB
	CIG_SERVER=$LAB_CIG_SERVER CIG_RELAY=$LAB_CIG_RELAY CRS=$LAB_CRS CRS_RELAY=$LAB_CRS_RELAY
	save_programs
}

teardown_file() {
	[ ! -e "$BATS_FILE_TMPDIR/programs" ] || load_programs
	local p
	for p in "$CIG_SERVER" "$CIG_RELAY" "$CRS" "$CRS_RELAY"; do kill "$p" 2>/dev/null || :; done
	lab_teardown_file
}

setup() {
	needs jq
	lab_load
	load_programs
	OUT=$D/cig/mail/from-secure IN=$D/cig/mail/to-secure
	MOUNTED=()
}

teardown() {
	local dir
	phone_stop_all
	for dir in "${MOUNTED[@]}"; do mountpoint -q "$dir" && umount -l "$dir"; done
	stop_all
	[ -n "${BATS_TEST_COMPLETED:-}" ] ||
		find "$T" "$D"/*.log "$D"/*/log/c[ir][gs].log -maxdepth 1 -type f -exec tail -n 30 {} +
	find "$OUT"/{new,tmp} "$IN"/{new,tmp,.failed} -mindepth 1 -delete 2>/dev/null || :
}

# The pids of the programs of now: tests start some of them again.
save_programs() {
	declare -p CIG_SERVER CIG_RELAY CRS CRS_RELAY >"$BATS_FILE_TMPDIR/programs"
}

load_programs() {
	source <(sed 's/^declare --/declare -g --/' "$BATS_FILE_TMPDIR/programs")
}

# What systemd does (Restart=always): these start a program again, for all tests that follow.
again() { # NAME LOG COMMAND...: NAME is that of the pid's variable
	local name=$1
	shift
	start "$@"
	declare -g "$name=$STARTED_PID"
	unset 'STARTED[-1]'
	save_programs
}

again_cig_server() {
	again CIG_SERVER "$D/cig-server.log" cig-server --config "$D/cig/cig.conf"
}

again_cig_relay() {
	again CIG_RELAY "$D/cig-relay.log" cig-relay --run-dir "$D/cig/run" --log "$D/cig/log/relay.log"
}

again_crs() {
	again CRS "$D/crs.log" crs --root "$D/crs"
}

again_crs_relay() {
	again CRS_RELAY "$D/crs-relay.log" crs-relay --root "$D/crs" --listen "127.0.0.1:$LAB_MEDIA_PORT"
}

text_file() { # FILE TEXT: as an external system writes a message for Alice
	printf '%s\n' "To: <sip:${ALICE#+}@secure.com>" "From: <sip:101@pbx.com>" \
		"Date: $(LC_ALL=C date -u '+%d %b %Y %H:%M:%S +0000')" 'Content-Type: text/plain; charset="UTF-8"' \
		'Content-Transfer-Encoding: 8bit' '' "$2" >"$1"
}

drop() { # NAME TEXT
	text_file "$IN/tmp/$1" "$2"
	mv "$IN/tmp/$1" "$IN/new/$1"
}

told_in_status() { # TEXT: is it one of the problems that cig-cli status tells?
	lab_cig_cli status | grep -qF "$1"
}

healthy() {
	lab_cig_status '.problems == []'
}

listen() { # NUMBER: what comes is in $T/heard-NUMBER
	start "$T/heard-$1" cca --store "$D/$1" listen
	await 10 "$1" in_log "$T/heard-$1" '^attached'
}

heard() { # NUMBER COUNT: so many messages?
	[ "$(grep -c '^message' "$T/heard-$1")" -ge "$2" ]
}

mount_over() { # DIRECTORY OPTIONS: a file system of its own there, or the test is skipped
	mount -t tmpfs -o "$2" tmpfs "$1" 2>/dev/null || skip "file systems cannot be mounted here"
	MOUNTED+=("$1")
}

# --- mailboxes and disks ---

@test "CIG-062: a mailbox that is missing is told, and used as soon as it is there" {
	mv "$OUT" "$OUT.away"
	mv "$IN" "$IN.away"
	await 15 "the read mailbox in the status" told_in_status "$IN"
	caller $ALICE send "$LAB_GATEWAY;101" "kept meanwhile" >"$T/send"
	in_log "$T/send" '^posted'
	await 15 "the write mailbox in the status" told_in_status "$OUT"
	in_log "$D/cig/log/cig.log" "mailbox $OUT is not usable, and tried again: "
	text_file "$IN.away/new/later" "from a mailbox that was away"
	mv "$OUT.away" "$OUT"
	mv "$IN.away" "$IN"
	await 15 "the message's file" files_in "$OUT/new" 1
	listen $ALICE
	await 15 "the file's text" in_log "$T/heard-$ALICE" 'text="from a mailbox that was away"'
	await 15 "a healthy gateway" healthy
	[ "$(grep -c "mailbox $OUT is not usable" "$D/cig/log/cig.log")" -eq 1 ]
}

@test "a read-only mailbox: its texts are sent once, the reason is told, the files go when they can" {
	mount_over "$IN" size=2m
	create_cig_maildir --group "$(id -gn)" "$IN"
	text_file "$IN/new/one" "read only 1"
	text_file "$IN/new/two" "read only 2"
	echo nonsense >"$IN/new/bad"
	mount -o remount,ro "$IN"
	listen $ALICE
	await 20 "both texts" heard $ALICE 2
	await 15 "the mailbox in the status" told_in_status "$IN: Read-only file system"
	in_log "$D/cig/log/cig.log" "file $IN/bad is not sent: .*; it cannot be moved aside: Read-only file system"
	mount -o remount,rw "$IN"
	await 45 "the files' end" files_in "$IN/new" 0
	[ -s "$IN/.failed/bad.reason" ]
	[ "$(cat "$IN/.failed/bad")" = nonsense ]
	[ "$(grep -c '^message' "$T/heard-$ALICE")" -eq 2 ]
	[ "$(grep -c "file $IN/bad is not sent.*cannot be moved aside" "$D/cig/log/cig.log")" -eq 1 ]
	umount "$IN"
}

@test "a full disk under a write mailbox: the text waits, the sender hears when it is written" {
	mount_over "$OUT" size=200k
	create_cig_maildir --group "$(id -gn)" "$OUT"
	dd if=/dev/zero of="$OUT/filler" bs=4k 2>/dev/null || :
	start "$T/send" cca --store "$D/$ALICE" send --receipt "$LAB_GATEWAY;101" "no room yet"
	local send=$STARTED_PID
	await 10 "the post" in_log "$T/send" '^posted'
	await 15 "the mailbox in the status" told_in_status "$OUT: No space left on device"
	! in_log "$T/send" '^(delivered|failed)' || false
	files_in "$OUT/new" 0
	rm "$OUT/filler"
	await 15 "the receipt" stopped "$send"
	in_log "$T/send" '^delivered'
	files_in "$OUT/new" 1
	grep -qx 'no room yet' "$OUT"/new/*
	umount "$OUT"
}

@test "a full disk under the message journal: texts are left at the rendezvous, and fetched when there is room" {
	local data=$D/cig/userdata i
	stop_cig_server
	cp -a "$data" "$T/userdata"
	mount_over "$data" size=1m
	cp -a "$T/userdata/." "$data/"
	again_cig_server
	await 20 "the gateway" healthy
	dd if=/dev/zero of="$data/filler" bs=4k 2>/dev/null || :
	listen $ALICE
	for i in {1..12}; do
		caller $BOB send "$LAB_GATEWAY;101" "journal $i" >"$T/send.$i" # the rendezvous has it
		in_log "$T/send.$i" '^posted'
	done
	drop file "while the journal is full"
	await 10 "the problem in the status" told_in_status "messages are left at the rendezvous: No space"
	! files_in "$OUT/new" 12 && ! files_in "$IN/new" 0 || false
	rm "$data/filler"
	await 20 "all files" files_in "$OUT/new" 12
	for i in {1..12}; do [ "$(grep -lx "journal $i" "$OUT"/new/* | wc -l)" -eq 1 ]; done
	await 40 "the file's end" files_in "$IN/new" 0
	files_in "$IN/.failed" 0
	await 10 "its text" heard $ALICE 1
	[ "$(grep -c 'left at the rendezvous' "$D/cig/log/cig.log")" -eq 1 ]
	healthy
	stop_cig_server
	cp -a "$data/." "$T/userdata/"
	umount "$data"
	cp -a "$T/userdata/." "$data/"
	again_cig_server
	await 20 "the gateway" healthy
}

stop_cig_server() {
	kill "$CIG_SERVER"
	await 10 "the end of cig-server" stopped "$CIG_SERVER"
}

@test "CIG-067 CIG-068: files of any octets, names and kinds are sent or moved aside with a reason" {
	local i name names
	listen $ALICE
	for ((i = 0; i < 40; i++)); do head -c $((RANDOM % 3000)) /dev/urandom >"$IN/tmp/random$i"; done
	: >"$IN/tmp/empty"
	printf 'To: <sip:1@secure.com>\n' >"$IN/tmp/header-only"
	printf 'To: <sip:1@secure.com>\nTo: <sip:2@secure.com>\nFrom: <sip:1@pbx.com>\n\nx' >"$IN/tmp/two-to"
	{ head -c 3000000 /dev/zero | tr '\0' 'a'; } >"$IN/tmp/one-long-line"
	head -c 40000000 /dev/zero >"$IN/tmp/forty-megabytes"
	{ printf 'To: <sip:%s@secure.com>\nFrom: <sip:101@pbx.com>\nContent-Type: multipart/mixed; boundary=b\n\n' "${ALICE#+}"
		for ((i = 0; i < 500; i++)); do printf -- '--b\nContent-Type: multipart/mixed; boundary=b\n\n'; done; } >"$IN/tmp/nested"
	mkfifo "$IN/tmp/fifo"
	ln -s /etc/passwd "$IN/tmp/link"
	ln -s nowhere "$IN/tmp/dangling"
	text_file "$IN/tmp/$(printf 'x%.0s' {1..255})" "name of 255"
	text_file "$IN/tmp/"$'new\nline' "name with a line feed"
	text_file "$IN/tmp/"$'\xff\xfe\x01' "name of no characters"
	text_file "$IN/tmp/-rf *" "name with a blank"
	text_file "$IN/tmp/%s%n" "name with percents"
	text_file "$IN/tmp/good:2,S" "name with flags"
	mkdir "$IN/new/folder"
	mv "$IN"/tmp/* "$IN/new/"
	await 30 "all but the folder" files_in "$IN/new" 1
	[ -d "$IN/new/folder" ]
	await 15 "the six good ones" heard $ALICE 6
	for name in 'name of 255' 'name with a line feed' 'name of no characters' 'name with a blank' \
		'name with percents' 'name with flags'; do
		[ "$(grep -c "text=\"$name\"" "$T/heard-$ALICE")" -eq 1 ]
	done
	[ "$(grep -c '^message' "$T/heard-$ALICE")" -eq 6 ]
	for name in random{0..39} empty header-only two-to one-long-line forty-megabytes nested fifo link dangling; do
		[ -s "$IN/.failed/$name.reason" ]
	done
	[ "$(stat -c %s "$IN/.failed/forty-megabytes")" -eq 40000000 ]
	[ -L "$IN/.failed/link" ]
	[ -p "$IN/.failed/fifo" ]
	[ "$(grep -c . "$IN/.failed/nested.reason")" -eq 1 ]
	! grep -qaP '[\x00-\x08\x0b-\x1f\xff]' "$D/cig/log/cig.log" || false
	healthy
}

@test "thousands of files at once: each is sent once or moved aside with its reason" {
	local i n=${MAILBOX_FILES:-3000} good=0
	for ((i = 0; i < n; i++)); do
		if ((i % 50 == 0)); then
			echo "${text_of:=$(text_file /dev/stdout 'many N')}" | sed "s/many N/many $i./" >"$IN/tmp/f$i"
			good=$((good + 1))
		else
			echo "nonsense $i" >"$IN/tmp/f$i"
		fi
	done
	listen $ALICE
	# mv looks at each file again where it put it, but the gateway may have taken it
	python3 -c 'import os, sys
for name in os.listdir(sys.argv[1]): os.rename(sys.argv[1] + name, sys.argv[2] + name)' "$IN/tmp/" "$IN/new/"
	await $((90 + n / 100)) "an empty mailbox" files_in "$IN/new" 0
	await 20 "the good ones" heard $ALICE $good
	[ "$(grep -o 'text="many [0-9]*\."' "$T/heard-$ALICE" | sort -u | wc -l)" -eq $good ]
	[ "$(grep -c '^message' "$T/heard-$ALICE")" -eq $good ]
	[ "$(find "$IN/.failed" -name '*.reason' -size +0 | wc -l)" -eq $((n - good)) ]
	[ "$(find "$IN/.failed" -not -name '*.reason' -type f | wc -l)" -eq $((n - good)) ]
	healthy
}
