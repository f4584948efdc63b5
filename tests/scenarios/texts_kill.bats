# texts_kill.bats - cig-server is killed again and again under a stream of texts in all directions:
# out to a mailbox and a SIP phone, in from a mailbox and by SIP MESSAGE.  Five times in ./check;
# TEXT_KILLS=100 for the long form.

load helpers
load lab

ALICE=+46701234567 BOB=+46707654321

setup_file() {
	LAB_SIP_SETTINGS='trusted "127.0.0.0/8"; messaging true;' lab_setup_file
	lab_enrol $BOB
}

teardown_file() {
	lab_teardown_file
}

setup() {
	needs jq python3
	lab_load
	OUT=$D/cig/mail/from-secure IN=$D/cig/mail/to-secure
}

teardown() {
	touch "$T/stop"
	stop_all
	[ -n "${BATS_TEST_COMPLETED:-}" ] || { tail -n 40 "$D/cig/log/cig.log"; tail -n 3 "$T"/listen; wc -l "$T"/*.acked; } 2>/dev/null
}

# Each stream writes the numbers that were acknowledged to it.

from_secure() {
	local i
	for ((i = 1; ; i++)); do
		[ ! -e "$T/stop" ] || return 0
		! caller $ALICE send "$LAB_GATEWAY;101" "out $i" || echo "out $i" >>"$T/out.acked"
	done
}

from_mailbox() { # a file is acknowledged when it is gone
	local i
	for ((i = 1; ; i++)); do
		[ ! -e "$T/stop" ] || return 0
		printf 'To: <%s>\nFrom: <sip:101@pbx.com>\n\nmail %d\n' "sip:${BOB#+}@secure.com" $i >"$IN/tmp/$i"
		mv "$IN/tmp/$i" "$IN/new/$i"
		await 120 "the end of file $i" eval "[ ! -e '$IN/new/$i' ] || [ -e '$T/stop' ]" || return
		echo "mail $i" >>"$T/mail.acked"
	done
}

from_sip() {
	local i
	for ((i = 1; ; i++)); do
		[ ! -e "$T/stop" ] || return 0
		case $("$TOP/tests/scenarios/sip_text.py" send "$LAB_PHONE_IP" "127.0.0.1:$LAB_SIP_PORT" \
			"sip:${BOB#+}@127.0.0.1" "sip:101@$LAB_PHONE_IP" --text "sip $i") in
		"SIP/2.0 202 "*) echo "sip $i" >>"$T/sip.acked" ;;
		esac
	done
}

acked() { # COUNT: so many, over all
	[ "$(cat "$T"/*.acked | wc -l)" -ge "$1" ]
}

again() {
	start "$D/cig-server.log" cig-server --config "$D/cig/cig.conf"
	LAB_CIG_SERVER=$STARTED_PID
	lab_restarted
}

heard() { # what Bob has, a text a line
	grep -h '"event": *"message"' "$T/listen" | jq -r .text
}

written() { # what is in the mailbox
	sed -s '1,/^$/d' "$OUT"/new/* | sed '/^$/d'
}

all_in() { # FILE COMMAND: is each line of the file in what the command prints?
	[ -z "$("${@:2}" | sort | comm -13 - <(sort "$1"))" ]
}

phoned() { # what the phone has, by Call-ID: one that was under way at a kill may come again by the same
	jq -r '.call_id + " " + .body' "$T/phone.json" | sort -u | cut -d' ' -f2-
}

nothing_twice() {
	[ -z "$("$@" | sort | uniq -d)" ]
}

@test "kill -9 of cig-server at random moments under texts in all directions: each acknowledged one arrives, and once" {
	local kills=${TEXT_KILLS:-5} k
	: >"$T/out.acked"; : >"$T/mail.acked"; : >"$T/sip.acked"; : >"$T/phone.json"
	start "$T/phone.log" "$TOP/tests/scenarios/sip_text.py" phone "$LAB_PHONE_IP" 5060 "$T/phone.json"
	start "$T/listen" cca --json --store "$D/$BOB" listen
	await 20 "the phone" in_log "$T/phone.log" '^ready'
	start "$T/from_secure" from_secure
	start "$T/from_mailbox" from_mailbox
	start "$T/from_sip" from_sip
	local streams=("${STARTED[@]: -3}")
	for ((k = 0; k < kills; k++)); do
		await 60 "some texts" acked $((k * 3 + 1 + RANDOM % 5))
		kill -KILL "$LAB_CIG_SERVER"
		again
	done
	await 60 "texts after the last kill" acked $((kills * 3 + 6))
	touch "$T/stop"
	for k in "${streams[@]}"; do await 60 "a stream's end" stopped "$k"; done
	await 60 "the files" files_in "$IN/new" 0
	await 60 "texts to the mailbox" all_in "$T/out.acked" written
	await 60 "texts to the phone" all_in "$T/out.acked" phoned
	await 60 "texts from the mailbox" all_in "$T/mail.acked" heard
	await 60 "texts by SIP" all_in "$T/sip.acked" heard
	await 20 "nothing that waits" eval 'lab_cig_cli --json show message | jq -e ".messages == []"'
	nothing_twice written
	nothing_twice phoned
	nothing_twice heard
	local stream
	for stream in out mail sip; do [ -s "$T/$stream.acked" ]; done
	[ ! -e "$IN/.failed" ] || files_in "$IN/.failed" 0
}
