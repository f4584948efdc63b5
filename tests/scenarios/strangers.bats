# strangers.bats - what the gateway does about those who may not call, and about what no
# well-behaved peer sends, while a call is up.

load helpers
load phone
load lab
load talk
load sipp

LAB_SIP_SETTINGS="trusted \"${LAB_PHONE_IP%.*}.0/24\";"

setup_file() {
	lab_setup_file
	speech "$D/alice.wav" "This is the secure caller. The quick brown fox jumps over the lazy dog." 60
	speech "$D/phone.wav" "Hello from the ordinary telephone. Please call me back tomorrow." 60
}

teardown_file() {
	lab_teardown_file
}

setup() {
	needs python3
	talk_setup
	AGENT=$(pgrep -P "$LAB_CIG_SERVER" cig-sip)
}

teardown() {
	talk_teardown
}

STRANGER=127.9.9.9

sip_options() {
	printf '%s\n' "OPTIONS sip:127.0.0.1:$LAB_SIP_PORT SIP/2.0" \
		'Via: SIP/2.0/UDP @ME@;branch=z9hG4bK@ID@;rport' 'From: <sip:pbx@@ME@>;tag=1' \
		'To: <sip:127.0.0.1>' 'Call-ID: @ID@' 'CSeq: 1 OPTIONS' 'Max-Forwards: 70' \
		'Content-Length: 0' ''
}

sip_counter() { # NAME: as cig-cli status has it
	lab_cig_status ".sip.$1"
}

counted() { # NAME LEAST
	[ "$(sip_counter "$1")" -ge "$2" ]
}

same_agent() {
	[ "$(pgrep -P "$LAB_CIG_SERVER" cig-sip)" = "$AGENT" ]
}

@test "a stranger gets 403 whatever it asks, and no TCP connection; one line names it, all are counted" {
	local before i
	await 3 "the agent's counters" sip_counter strangers
	before=$(sip_counter strangers)
	for i in 1 2 3; do
		[ "$(sip_sdp 'm=audio 6000 RTP/AVP 8' | sip_invite 46701234567 | sip_ask $STRANGER)" = "SIP/2.0 403 Forbidden" ]
	done
	[ "$(sip_options | sip_ask $STRANGER)" = "SIP/2.0 403 Forbidden" ]
	[ "$(sip_options | sip_ask "$NET.30")" = "SIP/2.0 200 OK" ]
	run -0 python3 - $STRANGER "$LAB_SIP_PORT" <<-'P'
		import socket, sys
		s = socket.create_connection(("127.0.0.1", int(sys.argv[2])), 5, (sys.argv[1], 0))
		print(s.recv(1))
	P
	[ "$output" = "b''" ]
	await 5 "the count" counted strangers $((before + 5))
	[ "$(logged_times "refused source=$STRANGER:.*not allowed")" -eq 1 ]
	run -1 logged "from=sip:101@$STRANGER"
	same_agent
}

answer_to() { # M_LINE...: the status line for such an offer
	sip_sdp "$@" | sip_invite 46701234567 | sip_ask "$NET.30"
}

@test "offers that cannot be taken: 488 without G.711 or with SRTP alone, 400 for what is no SDP" {
	[ "$(answer_to 'm=audio 6000 RTP/AVP 9 18')" = "SIP/2.0 488 Not Acceptable Here" ]
	[ "$(answer_to 'm=audio 6000 RTP/SAVP 8' 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz')" = "SIP/2.0 488 Not Acceptable Here" ]
	[ "$(answer_to 'm=video 6000 RTP/AVP 31')" = "SIP/2.0 488 Not Acceptable Here" ]
	[ "$(answer_to 'm=audio 70000 RTP/AVP 8')" = "SIP/2.0 400 Bad Request" ]
	[ "$(printf 'nonsense\n' | sip_invite 46701234567 | sip_ask "$NET.30")" = "SIP/2.0 400 Bad Request" ]
	[ "$(logged_times "refused source=$NET.30:.*malformed SDP")" -eq 1 ]
	[ "$(logged_times "refused source=$NET.30:.*cannot be taken \\(488\\)")" -eq 1 ]
	same_agent
	all_clear
}

relay_ports() { # all UDP ports of cig-relay and crs-relay: ADDRESS:PORT
	ss -Hlunp | awk -v relay="pid=$LAB_CIG_RELAY," -v crs="pid=$LAB_CRS_RELAY," \
		'index($0, relay) || index($0, crs) { sub("0.0.0.0:", "127.0.0.1:", $4); print $4 }'
}

@test "garbage from strangers and from the PBX, to SIP and to all media ports, does not harm a call that is up" {
	local malformed ports
	await 3 "the agent's counters" sip_counter malformed
	malformed=$(sip_counter malformed)
	phone_101 'answermode=auto'
	dial_out --play "$D/alice-long.wav" --record "$T/heard.wav" "$LAB_GATEWAY;101"
	phone_await 101 CALL_ESTABLISHED 15
	await 5 "talk" in_log "$T/call" '^talk'
	mapfile -t ports < <(relay_ports)
	[ "${#ports[@]}" -ge 4 ] # RTP, RTCP, the leg to the rendezvous's relay, that relay
	for from in $STRANGER "$NET.30" "$LAB_PHONE_IP"; do
		python3 "$TOP/tests/scenarios/garbage.py" sip "$from" "127.0.0.1:$LAB_SIP_PORT"
		python3 "$TOP/tests/scenarios/garbage.py" media "$from" "${ports[@]}"
	done
	[ "$(sip_options | sip_ask "$NET.30")" = "SIP/2.0 200 OK" ]
	await 10 "the speech" phone_heard_seconds 101 6
	await 5 "the count" counted malformed $((malformed + 50))
	kill -INT "$CALL"
	call_ended 5 'reason=hangup by=initiator'
	speech-match "$D/alice.wav" "$(phone_heard 101)" 0.9
	speech-match "$D/phone.wav" "$T/heard.wav" 0.9
	[ "$(logged_times 'refused source=')" -le 3 ]
	logged 'media pbx=.* strangers=[1-9]'
	same_agent
	running "$LAB_CIG_RELAY"
	running "$LAB_CRS_RELAY"
	all_clear
}

gets() { # ADDRESS STATUS_LINE
	[ "$(sip_options | sip_ask "$1" 1)" = "$2" ]
}

@test "who is trusted changes with a reload, without a call being dropped" {
	phone_101 'answermode=auto'
	dial_out "$LAB_GATEWAY;101"
	phone_await 101 CALL_ESTABLISHED 15
	reload "s,trusted .*;,&\ntrusted \"$STRANGER\";,"
	await 5 "the stranger's admission" gets $STRANGER "SIP/2.0 200 OK"
	reload "/trusted \"$STRANGER\";/d"
	await 5 "its exclusion" gets $STRANGER "SIP/2.0 403 Forbidden"
	running "$CALL"
	kill -INT "$CALL"
	call_ended 5 'reason=hangup by=initiator'
	same_agent
	all_clear
}
