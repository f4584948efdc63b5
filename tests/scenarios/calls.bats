# calls.bats - calls between a secure caller and SIP phones, through everything.

load helpers
load phone
load lab
load talk

setup_file() {
	lab_setup_file
	speech "$D/alice.wav" "This is the secure caller. The quick brown fox jumps over the lazy dog." 60
	speech "$D/phone.wav" "Hello from the ordinary telephone. Please call me back tomorrow." 60
}

teardown_file() {
	lab_teardown_file
}

setup() {
	talk_setup
}

teardown() {
	talk_teardown
}

both_ways() { # PHONE_CODEC: speech and digits in both directions, over one codec
	phone_101 "answermode=auto;audio_codecs=$1"
	dial_out --play "$D/alice-long.wav" --record "$T/heard.wav" --dtmf ',,,,,,,42#' --hangup 10 \
		"${LAB_GATEWAY};101"
	phone_await 101 CALL_ESTABLISHED 15
	await 15 "the speech's end" phone_heard_seconds 101 7
	phone 101 sndcode 7
	await 30 "the call's end" stopped "$CALL"
	speech-match "$D/alice.wav" "$(phone_heard 101)" 0.9
	speech-match "$D/phone.wav" "$T/heard.wav" 0.9
	in_log "$D/101/events" '"CALL_DTMF_START".*"4"'
	in_log "$D/101/events" '"CALL_DTMF_START".*"2"'
	in_log "$D/101/events" '"CALL_DTMF_START".*"#"'
	in_log "$T/call" '^digit digit=7'
	in_log "$D/cig/log/cig.log" "media pbx=$1/"
}

# Nobody's media wait for the keys that come meanwhile: this is the caller's first connection.
@test "CIG-001 CIG-004 CIG-005 CIG-012 CIG-013 CIG-014 CIG-015 CCA-008 CCA-009 CCA-010: a secure caller who just enrolled and a PCMU phone hear each other and each other's digits, while two months' updates come" {
	run -1 lab_refreshed $ALICE $LAB_ACCOUNT
	both_ways PCMU
	lab_refreshed $ALICE $LAB_ACCOUNT
}

@test "CIG-015: a PCMA phone, the same" {
	both_ways PCMA
}

@test "CIG-007 CIG-008 CIG-112 CIG-113: session.log tells the mapped names and every state" {
	phone_101 'answermode=auto'
	dial_out --hangup 1 "${LAB_GATEWAY};101"
	await 20 "the call's end" stopped "$CALL"
	await 5 "the gateway's end of it" no_calls
	[ "$(session_states)" = "routing routed trying ringing talk hangup " ] ||
		[ "$(session_states)" = "routing routed ringing talk hangup " ] ||
		[ "$(session_states)" = "routing routed talk hangup " ] ||
		[ "$(session_states)" = "routing routed trying talk hangup " ]
	tail -n 1 "$D/cig/log/session.log" | grep -E "^event, [0-9T:.Z-]+, tel:\\$ALICE, tel:\\+8888;101, sip:${ALICE#+}@secure.com, sip:101@$LAB_PHONE_IP, hangup, [^,]+, [^,]+$"
}

@test "CIG-002: the wait symbol w separates number and extension, too" {
	phone_101 'answermode=auto'
	dial_out --hangup 1 "${LAB_GATEWAY}w101"
	await 20 "the call's end" stopped "$CALL"
	in_log "$T/call" '^talk'
}

@test "CIG-003 CCA-003: a phone reaches a secure user, who hears it and is heard" {
	phone_101 'answermode=auto'
	answer_in --play "$D/alice-long.wav" --record "$T/heard.wav" --hangup 9 --count 1
	phone 101 dial "sip:${ALICE#+}@127.0.0.1:$LAB_SIP_PORT"
	await 15 "the call" in_log "$T/answer" '^talk'
	in_log "$T/answer" '^incoming from=tel:\+8888 extension=101'
	await 30 "the call's end" stopped "$ANSWER"
	speech-match "$D/alice.wav" "$(phone_heard 101)" 0.9
	speech-match "$D/phone.wav" "$T/heard.wav" 0.9
	# What the phone sends for its NAT is nothing malformed.
	await 5 "the gateway's figures" in_log "$D/cig/log/cig.log" 'media pbx=.* malformed=0 ignored='
}

@test "CIG-009: without a source map the phone is who its extension is: the extension map says so, read the other way" {
	local maps
	maps=$(grep 'source map sip2source;' "$D/cig/cig.conf")
	reload '/source map sip2source;/d'
	phone_101 'answermode=auto'
	answer_in --hangup 1 --count 1
	phone 101 dial "sip:${ALICE#+}@127.0.0.1:$LAB_SIP_PORT"
	await 15 "the call" in_log "$T/answer" '^talk'
	in_log "$T/answer" '^incoming from=tel:\+8888 extension=101'
	await 10 "the call's end" stopped "$ANSWER"
	tail -n 1 "$D/cig/log/session.log" | grep -F ", tel:+8888;101, tel:$ALICE, hangup, "
	reload "s/^\(.*extension map tel2sip;\)/\1 ${maps#"${maps%%[![:space:]]*}"}/"
}

@test "the phone hangs up: the secure caller's call ends cleanly" {
	phone_101 'answermode=auto'
	dial_out "${LAB_GATEWAY};101"
	phone_await 101 CALL_ESTABLISHED 15
	await 5 "talk" in_log "$T/call" '^talk'
	phone 101 hangup
	await 10 "the call's end" stopped "$CALL"
	in_log "$T/call" '^ended reason=hangup by=responder'
	await 5 "the gateway's end of it" no_calls
}

@test "CIG-010: an extension without a map is refused, with one line that says why" {
	dial_out "${LAB_GATEWAY}"
	await 20 "the refusal" stopped "$CALL"
	in_log "$T/call" '^ended'
	[[ $(session_states) == "routing failed "* ]]
	in_log "$D/cig/log/cig.log" 'rejected code=404 from=tel:\+46701234567 to=tel:\+8888'
}

@test "a secure user who is not attached: the phone is told so" {
	phone_101 'answermode=auto'
	phone 101 dial "sip:46707654321@127.0.0.1:$LAB_SIP_PORT"
	phone_await 101 'CALL_CLOSED' 15
	in_log "$D/101/log" '480|404'
	await 5 "the gateway's end of it" no_calls
}

@test "busy and declined reach the phone as 486 and 603" {
	phone_101 'answermode=auto'
	answer_in --reject busy --count 1
	phone 101 dial "sip:${ALICE#+}@127.0.0.1:$LAB_SIP_PORT"
	phone_await 101 'SIP/2.0 486|486 ' 15 log
	await 10 "the caller's end" stopped "$ANSWER"
	answer_in --reject declined --count 1
	phone 101 dial "sip:${ALICE#+}@127.0.0.1:$LAB_SIP_PORT"
	phone_await 101 'SIP/2.0 603|603 ' 15 log
}

@test "CIG-098 CIG-099 CIG-100 CIG-101 CIG-102: cig-cli shows the call's states on both sides" {
	phone_101 'answermode=manual'
	dial_out "${LAB_GATEWAY};101"
	phone_await 101 CALL_INCOMING 15
	await 5 "RING" lab_cig_shows call RING
	await 5 "GROWL" lab_cig_shows umsg GROWL
	lab_cig_cli show umsg | grep -E 'ZERO +[0-9]+ +umsg$'
	phone 101 accept
	await 5 "ANSWER" lab_cig_shows call ANSWER
	await 5 "TALK" lab_cig_shows umsg TALK
	lab_cig_cli show call | head -n 1 | grep -E '^IN-FROM +IN-TO +OUT-FROM +OUT-TO +STATE$'
	kill -INT "$CALL"
	await 5 "HANGUP" lab_cig_shows call HANGUP
	await 5 "HANGUP" lab_cig_shows umsg HANGUP
}

lab_cig_shows() { # call|umsg STATE
	lab_cig_cli show "$1" | grep -qw "$2"
}

@test "CIG-016 CIG-018 CIG-019 CIG-020 CIG-021 CIG-042 CIG-044 CRS-003: only the ports that are configured are open" {
	needs ss
	ss -Hltn "sport = :$LAB_CONTROL_PORT" | grep -q "127.0.0.1:$LAB_CONTROL_PORT"
	[ "$(ss -Hltn "sport = :$LAB_CONTROL_PORT" | wc -l)" -eq 1 ]
	run -1 listening "$LAB_CONTROL_PORT" 127.0.0.2
	ss -Hlun "sport = :$LAB_SIP_PORT" | grep -q "127.0.0.1:$LAB_SIP_PORT"
	ss -Hltn "sport = :$LAB_SIP_PORT" | grep -q "127.0.0.1:$LAB_SIP_PORT"
	ss -Htn "dport = :$LAB_CRS_PORT" | grep -q ESTAB
	ss -Hlun "sport = :$LAB_MEDIA_PORT" | grep -q "127.0.0.1:$LAB_MEDIA_PORT"
	phone_101 'answermode=auto'
	dial_out --hangup 3 "${LAB_GATEWAY};101"
	phone_await 101 CALL_ESTABLISHED 15
	local low=${LAB_RTP% *} high=${LAB_RTP#* }
	ss -Hlunp | grep "pid=$LAB_CIG_RELAY," | awk '{ print $4 }' | grep '^127.0.0.1:' | sed 's/.*://' >"$T/ports"
	# two of the PBX's side; the one to the rendezvous's relay is not of this range (wires.bats)
	awk -v low="$low" -v high="$high" '$1 >= low && $1 <= high { n++ } END { exit n != 2 }' "$T/ports"
	await 20 "the call's end" stopped "$CALL"
}
