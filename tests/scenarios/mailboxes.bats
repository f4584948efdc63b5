# mailboxes.bats - what is in the mailboxes: several with maps of their own, headers, parts, lifetimes,
# and mail programs as readers and writers.

load helpers
load lab

ALICE=+46701234567 BOB=+46707654321

eval "plain_$(declare -f lab_cig_conf)"

# Beside the lab's two mailboxes: "all" takes every extension under names that are no URIs, "desk" only
# extension 102, "anybody" sends whatever is in it from extension 101 to Alice, "desk-in" uses numbers.
lab_cig_conf() {
	plain_lab_cig_conf | sed 's/^\t*mailboxes {/&\n'"$(more_mailboxes)"'/'
	cat <<-C
		translate_map people { rule match "tel:{number}" translation "Caller {number} <secure>"; }
		translate_map plain_people { rule match "tel:{number}" translation "Caller {number}"; }
		translate_map rooms { rule match "tel:$LAB_GATEWAY;{ext}" translation "Room {ext}, 2nd floor"; }
		translate_map desk { rule match "tel:$LAB_GATEWAY;102" translation "desk"; }
		translate_map from_anybody { rule match "{anything}" translation "tel:$LAB_GATEWAY;101"; }
		translate_map to_alice { rule match "{anything}" translation "tel:$ALICE"; }
		translate_map numbers { rule match "+{number}" translation "tel:+{number}"; }
		translate_map from_desk { rule match "desk" translation "tel:$LAB_GATEWAY;102"; }
	C
}

more_mailboxes() {
	printf '%s { path "%s"; map_from translate_map %s; map_to translate_map %s; }\\n' \
		write "${D//\//\\/}\/cig\/mail\/all" plain_people rooms \
		write "${D//\//\\/}\/cig\/mail\/desk" people desk \
		read "${D//\//\\/}\/cig\/mail\/anybody" from_anybody to_alice \
		read "${D//\//\\/}\/cig\/mail\/desk-in" from_desk numbers
}

lab() {
	local box
	lab_domain && lab_rendezvous && lab_gateway_files || return
	for box in all desk anybody desk-in; do
		create_cig_maildir --group "$(id -gn)" "$D/cig/mail/$box" || return
	done
	lab_gateway && lab_enrol $ALICE && lab_enrol $BOB
}

setup_file() {
	lab_setup_file
}

teardown_file() {
	lab_teardown_file
}

setup() {
	needs jq python3
	lab_load
	M=$D/cig/mail
	OUT=$M/from-secure
}

teardown() {
	stop_all
	[ -n "${BATS_TEST_COMPLETED:-}" ] || { tail -n 40 "$D/cig/log/cig.log"; tail -n 5 "$T"/listen; } 2>/dev/null
	find "$M"/*/{new,cur,tmp,.failed} -mindepth 1 -delete 2>/dev/null || :
}

only_file() { # MAILBOX: the one file in its new
	files_in "$M/$1/new" 1 && echo "$M/$1/new/$(ls "$M/$1/new")"
}

strictly() { # FILE JQ_EXPRESSION: as Python's parser has it, when every defect is an error
	python3 "$TOP/tests/mailbox/read_strict.py" "$1" | jq -r "$2"
}

put() { # MAILBOX NAME: stdin as a file of its new, as the manual has it
	cat >"$M/$1/tmp/$2"
	mv "$M/$1/tmp/$2" "$M/$1/new/$2"
}

listens() { # NUMBER COUNT [OPTION...]
	start "$T/listen" cca --json --store "$D/$1" listen --count "$2" "${@:3}"
	LISTEN=$STARTED_PID
}

texts_heard() { # each text as JSON
	grep -h '"event": *"message"' "$T/listen" | jq -c .text
}

@test "CIG-058: several mailboxes of either kind, each with maps of its own, work independently" {
	caller $ALICE send --receipt "$LAB_GATEWAY;102" "to the desk" >"$T/send"
	in_log "$T/send" '^delivered'
	local box
	for box in from-secure all; do grep -qx 'to the desk' "$(only_file $box)"; done
	files_in "$M/desk/new" 0 # "<" and ">" may not stand in From
	in_log "$D/cig/log/cig.log" "port=$M/desk state=failed"
	listens $BOB 1
	put desk-in one <<-F
		From: <desk>
		To: <$BOB>

		from the desk
	F
	await 20 "the message" stopped "$LISTEN"
	[ "$(texts_heard)" = '"from the desk"' ]
	jq -e '.extension == "102"' <(grep message "$T/listen")
	caller $ALICE send --receipt "$LAB_GATEWAY;103" "not to the desk" >"$T/send"
	[ "$(grep -c 'not to the desk' "$M"/{from-secure,all}/new/* | grep -c ':1$')" -eq 2 ]
	files_in "$M/desk/new" 0
}

@test "CIG-065: a message that several mailboxes match is a file in each" {
	caller $ALICE send --receipt "$LAB_GATEWAY;101" "two files" >"$T/send"
	in_log "$T/send" '^delivered'
	grep -qx 'two files' "$(only_file from-secure)"
	grep -qx 'two files' "$(only_file all)"
}

@test "CIG-066: addresses that are no URIs are written as the maps have them" {
	caller $ALICE send --receipt "$LAB_GATEWAY;101" "any text" >"$T/send"
	grep -qx 'To: <Room 101, 2nd floor>' "$(only_file all)"
	grep -qx "From: <Caller $ALICE>" "$(only_file all)"
}

@test "CIG-077: Auto-Submitted says who wrote it, and a text that was in vain comes back as auto-notified" {
	local word
	for word in generated replied notified; do
		caller $ALICE send --auto $word --receipt "$LAB_GATEWAY;101" "by $word" >"$T/send"
		[ "$(strictly "$(grep -lx "by $word" "$OUT"/new/*)" '.headers["Auto-Submitted"]')" = "auto-$word" ]
	done
	caller $ALICE send --receipt "$LAB_GATEWAY;101" "by hand" >"$T/send"
	[ "$(strictly "$(grep -lx 'by hand' "$OUT"/new/*)" '.headers["Auto-Submitted"]')" = no ]
	find "$M"/*/new -type f -delete
	# Bob does not listen: at its end nobody has said that he has it.
	put desk-in brief <<-F
		From: <desk>
		To: <$BOB>
		Expires: $(LC_ALL=C date -u -d '+2 seconds' '+%d %b %Y %H:%M:%S +0000')

		too late
	F
	await 20 "the notice" grep -qrx 'Auto-Submitted: auto-notified' "$M/all/new"
	grep -qrx "Your message to tel:$BOB was not delivered: .*" "$M/all/new"
	grep -qrx "X-Sender-URI: tel:$BOB" "$M/all/new"
}

# I-31: the header may name a channel, and the gateway is in none: cms refuses to put it there.
@test "CIG-078 CIG-079 CIG-080: X-Responder-Type, X-Sender-URI and X-Sender-Domain tell who sent it" {
	caller $ALICE send --receipt "$LAB_GATEWAY;101" "who" >"$T/send"
	strictly "$(only_file from-secure)" .headers >"$T/headers"
	jq -e '.["X-Responder-Type"] == "tel-uri"' "$T/headers"
	jq -e --arg uri "tel:$ALICE" '.["X-Sender-URI"] == $uri' "$T/headers"
	jq -e '.["X-Sender-Domain"] == "Demonstration"' "$T/headers"
}

@test "CIG-081 CIG-082: headers that nobody knows do no harm, newlines at the end of a text do not count" {
	listens $BOB 1
	printf 'From: <desk>\nX-Foo: bar\nTo: <%s>\nX-Bar:\n folded\n\nhi\n\n\n' $BOB | put desk-in plain
	await 20 "the message" stopped "$LISTEN"
	[ "$(texts_heard)" = '"hi"' ]
}

@test "CIG-083: attachments of any name and type arrive octet by octet in both directions" {
	local file i names=('plan.pdf' 'Übersicht der Räume.bin' 'a "quoted" name' 'x=?y?=z' 'empty')
	head -c 100000 /dev/urandom >"$T/plan.pdf"
	head -c 77 /dev/urandom >"$T/${names[1]}"
	head -c 1 /dev/urandom >"$T/${names[2]}"
	seq 1000 >"$T/${names[3]}"
	: >"$T/empty"
	caller $ALICE send --receipt "${names[@]/#/--attach=$T/}" "$LAB_GATEWAY;101" "five files" >"$T/send"
	in_log "$T/send" '^delivered'
	file=$(only_file from-secure)
	[ "$(strictly "$file" '.parts[0].content')" = "five files" ]
	for i in "${!names[@]}"; do
		[ "$(strictly "$file" ".parts[$((i + 1))].name")" = "${names[i]}" ]
		strictly "$file" ".parts[$((i + 1))].content" | python3 -c "import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read().strip()))" | cmp - "$T/${names[i]}"
	done
	awk 'length($0) > 1000 { long++ } END { exit long > 0 }' "$file"
	# The same file, sent back by an external system.
	mkdir "$T/saved"
	listens $ALICE 1 --save "$T/saved"
	sed -e 's/^X-.*//;T;d' "$file" | put anybody back
	await 20 "the message" stopped "$LISTEN"
	for i in "${!names[@]}"; do
		jq -se --arg name "${names[i]}" 'any(.event == "attachment" and .name == $name)' "$T/listen"
		cmp "$(jq -r --arg name "${names[i]}" 'select(.event == "attachment" and .name == $name).file' \
			"$T/listen")" "$T/${names[i]}"
	done
}

@test "CIG-085: a message past its end is neither written nor sent" {
	mv "$OUT" "$OUT.away" # the mailbox is away until then
	mv "$M/all" "$M/all.away"
	run -1 caller $ALICE send --receipt --lifetime 2 "$LAB_GATEWAY;101" "too old"
	[[ $output == *expired* ]]
	mv "$OUT.away" "$OUT"
	mv "$M/all.away" "$M/all"
	await 10 "the mailboxes" lab_cig_status '.problems == []'
	files_in "$OUT/new" 0
	files_in "$M/all/new" 0
	put anybody old <<-F
		From: <x>
		To: <y>
		Expires: 26 Nov 2015 17:15:44 +0000

		too old
	F
	await 10 "the file's end" files_in "$M/anybody/new" 0
	grep -q 'expired' "$M/anybody/.failed/old.reason"
}

@test "the end of a message stands in its file" {
	local day=86400 end
	caller $ALICE send --receipt --lifetime $day "$LAB_GATEWAY;101" "for a day" >"$T/send"
	end=$(date -d "$(strictly "$(only_file from-secure)" '.headers.Expires')" +%s)
	((end > $(date +%s) + day - 60 && end <= $(date +%s) + day))
}

mail_tools() { # what a mailbox has for them: umlauts, a long line and an attachment
	printf 'photo' >"$T/Foto für Bob.png"
	caller $ALICE send --receipt --attach "$T/Foto für Bob.png" "$LAB_GATEWAY;101" "Grüße $(printf 'x%.0s' {1..2000}) Ende" >"$T/send"
	in_log "$T/send" '^delivered'
}

@test "mutt reads a file of ours: the text decoded, the attachment octet by octet" {
	needs mutt script
	mail_tools
	LC_ALL=C.UTF-8 TERM=vt100 timeout 20 script -qec "mutt -n -F /dev/null -R -f '$OUT' -e 'set mbox_type=Maildir;
		set pipe_decode; set wait_key=no; push \"<first-entry><pipe-message>cat > $T/text<enter>\
<view-attachments><last-entry><pipe-entry>cat > $T/attachment<enter><exit><exit>\"'" /dev/null \
		</dev/null >"$T/tty" 2>&1
	grep -q "^Grüße x\{2000\} Ende$" "$T/text"
	grep -q '^To: <sip:101@pbx.com>$' "$T/text"
	cmp "$T/attachment" "$T/Foto für Bob.png"
}

@test "Dovecot serves a mailbox of ours, and what it did to the names does not matter" {
	needs doveadm
	mail_tools
	local as=() user
	user=$(id -un)
	chmod 711 "$D" "$D/cig" "$M" "$T" "${T%/*}" "${T%/*/*}" 2>/dev/null || :
	B=$(mktemp -d /tmp/dove.XXXXXX)
	cp -r "$OUT" "$B/box"
	if [ "$(id -u)" -eq 0 ]; then # it serves nobody's mail as root
		chown -R 65534:65534 "$B"
		as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
		user=nobody
	fi
	cat >"$B/dovecot.conf" <<-C
		base_dir = $B/run
		mail_location = maildir:$B/box
		mail_home = $B
		log_path = /dev/stderr
		ssl = no
		first_valid_uid = 1
		first_valid_gid = 1
	C
	[ "$user" != nobody ] || printf 'mail_uid = 65534\nmail_gid = 65534\n' >>"$B/dovecot.conf"
	(cd "$B" && USER=$user "${as[@]}" doveadm -c dovecot.conf flags add '\Seen' mailbox INBOX ALL)
	(cd "$B" && USER=$user "${as[@]}" doveadm -c dovecot.conf fetch 'imap.bodystructure hdr.x-sender-uri body' mailbox INBOX ALL) >"$T/dovecot" 2>"$T/dovecot.err"
	grep -q "tel:$ALICE" "$T/dovecot"
	grep -q '("text" "plain" ("charset" "UTF-8") NIL NIL "base64"' "$T/dovecot"
	grep -q "Foto%20f%C3%BCr%20Bob.png" "$T/dovecot"
	# The file has a flag in its name now; it is read all the same, from new or cur.
	listens $ALICE 1
	cp "$B"/box/new/*:2,S "$M/anybody/tmp/"
	mv "$M"/anybody/tmp/* "$M/anybody/cur/"
	await 20 "the message" stopped "$LISTEN"
	texts_heard | grep -q '^"Grüße x\{2000\} Ende"$'
	rm -rf "$B"
}

@test "a corpus of mail, sound and not: each file is sent as it was meant, or moved aside with a reason" {
	mkdir "$T/corpus"
	python3 "$TOP/tests/scenarios/mail_corpus.py" "$T/corpus"
	deal_with "$T/corpus"
	local expect
	for expect in "$T"/corpus/*.expect; do
		jq -Rs . "$expect" | grep -qxFf - "$T/texts" || { echo "${expect##*/} is not what was meant" >&2; false; }
		[ ! -e "$M/anybody/.failed/$(basename "$expect" .expect)" ]
	done
}

@test "the e-mail files of Python's own tests: each is sent, or moved aside with a reason" {
	local data=/usr/lib/python3.11/test/test_email/data
	[ -d "$data" ] || skip "libpython3.11-testsuite is not installed"
	mkdir "$T/corpus"
	cp "$data"/*.txt "$T/corpus"
	deal_with "$T/corpus"
	# Those without one sender and one receiver are the most of what is refused.
	[ "$(ls "$M/anybody/.failed" | grep -c 'reason$')" -lt 30 ]
}

deal_with() { # DIRECTORY: through the mailbox that sends anything; the texts come to $T/texts
	local file files=0 failed sent
	for file in "$1"/*; do
		[[ $file != *.expect ]] || continue
		cp "$file" "$M/anybody/tmp/"
		files=$((files + 1))
	done
	mv "$M"/anybody/tmp/* "$M/anybody/new/"
	await 60 "the end of all files" files_in "$M/anybody/new" 0
	kill -0 "$LAB_CIG_SERVER"
	failed=$(find "$M/anybody/.failed" -type f ! -name '*.reason' | wc -l)
	[ "$(find "$M/anybody/.failed" -name '*.reason' -size +0 | wc -l)" -eq "$failed" ]
	sent=$((files - failed))
	timeout 60 cca --json --store "$D/$ALICE" listen --count $sent >"$T/listen"
	texts_heard >"$T/texts"
	[ "$(wc -l <"$T/texts")" -eq $sent ]
}

@test "a mailbox full of files that cannot be moved aside hides nothing that is newer, and stops nothing" {
	local n=${MAILBOX_FILES:-5000}
	rm -rf "$M/anybody/.failed"
	: >"$M/anybody/.failed" # a file: nothing can be moved there
	python3 - "$M/anybody/new" "$n" <<-P
		import sys
		for i in range(int(sys.argv[2])):
		    open("%s/bad-%d" % (sys.argv[1], i), "w").close()
	P
	listens $ALICE 2
	printf 'From: <x>\nTo: <y>\n\nnewer\n' | put anybody newer
	# Meanwhile another mailbox is served as ever.
	printf 'To: <%s>\nFrom: <sip:101@pbx.com>\n\nelsewhere\n' "sip:${ALICE#+}@secure.com" | put to-secure elsewhere
	await 120 "both messages" stopped "$LISTEN"
	[ "$(texts_heard | sort | tr '\n' ' ')" = '"elsewhere" "newer" ' ]
	lab_cig_status '.problems | any(test("anybody: '"$n"' files can be neither sent nor moved aside"))'
	# Without them it is well again.
	find "$M/anybody/new" -name 'bad-*' -delete
	rm "$M/anybody/.failed"
	mkdir -m 2770 "$M/anybody/.failed"
	printf 'From: <x>\nTo: <y>\n\nagain\n' | put anybody again
	await 40 "the file's end" files_in "$M/anybody/new" 0
	await 25 "a well mailbox" lab_cig_status '.problems == []'
}

@test "a file that we may not read stays where it is, and goes when we may" {
	[ "$(id -u)" -ne 0 ] || skip "root reads everything"
	printf 'From: <x>\nTo: <y>\n\nsecret\n' >"$M/anybody/tmp/locked"
	chmod 0 "$M/anybody/tmp/locked"
	mv "$M/anybody/tmp/locked" "$M/anybody/new/"
	await 10 "the warning" in_log "$D/cig/log/cig.log" 'locked cannot be read, and is tried again'
	[ -e "$M/anybody/new/locked" ]
}
