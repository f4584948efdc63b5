# wires.bats - what is to be seen on the wires: a gateway with a red address towards the PBX
# and a black one towards the rendezvous, on which no speech, digit or text is in clear.

load helpers
load phone
load lab
load talk

LAB_RED=${LAB_PHONE_IP%.*}.1
LAB_BLACK=${LAB_PHONE_IP%.*}.2

setup_file() {
	lab_setup_file
	speech "$D/alice.wav" "The quick brown fox jumps over the lazy dog." 60
	speech "$D/phone.wav" "Hello from the ordinary telephone. Please call me back." 60
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

capture() { # all that passes the loopback, from now on
	needs tcpdump
	tcpdump -i lo -U -s 0 -n -w - >"$T/wire.pcap" 2>"$T/tcpdump.log" 3>&- &
	STARTED+=($!)
	CAPTURE=$!
	await 5 "the capture" in_log "$T/tcpdump.log" 'listening on lo|permission'
	! in_log "$T/tcpdump.log" permission || skip "capturing is not permitted"
}

captured() {
	stop "$CAPTURE" INT
	python3 "$TOP/tests/scenarios/wire_figures.py" "$T/wire.pcap" "$1"
}

in_clear() { # TEXT FILTER...: does it stand in one of these packets?
	tcpdump -r "$T/wire.pcap" -n -w - "${@:2}" 2>/dev/null | grep -aqF -- "$1"
}

@test "CIG-012 CIG-018 CIG-019 CIG-022: the black address talks to the rendezvous's two ports alone, and nothing there is in clear" {
	local text="The quick brown text message"
	capture
	phone_101 'answermode=auto'
	dial_out --play "$D/alice-long.wav" --record "$T/heard.wav" --dtmf ',,,9' "$LAB_GATEWAY;101"
	phone_await 101 CALL_ESTABLISHED 15
	await 10 "the speech" phone_heard_seconds 101 5
	phone 101 sndcode 7
	await 5 "a digit" in_log "$T/call" '^digit digit=7'
	phone_await 101 '"CALL_DTMF_START".*"9"' 5
	kill -INT "$CALL"
	call_ended 5 'reason=hangup'
	caller $ALICE send --receipt "$LAB_GATEWAY;101" "$text"
	captured "$LAB_BLACK" >"$T/black"
	captured "$LAB_RED" >"$T/red"
	cat "$T/black" "$T/red"
	speech-match "$D/alice.wav" "$(phone_heard 101)" 0.9

	[ "$(grep -v ^rtp "$T/black")" = "tcp $LAB_CRS_PORT
udp $LAB_MEDIA_PORT" ]
	# Opus, and the digit: the first octets differ, where in clear they are the same.
	awk '$1 == "rtp" && $4 > 150 && $5 > 90 { n++ } END { exit n != 1 }' "$T/black"
	awk '$1 == "rtp" && $4 < 50 && $5 > 3 { n++ } END { exit n != 1 }' "$T/black"
	# On the red side the digit is in clear: the measure works.
	awk '$1 == "rtp" && $3 != 8 && $3 != 0 && $5 == 1 { n++ } END { exit n != 1 }' "$T/red"
	in_clear 'INVITE sip:101@' host "$LAB_RED"
	local word
	for word in "$text" tel:+ 46701234567 INVITE Demonstration; do
		run -1 in_clear "$word" host "$LAB_BLACK" or port "$LAB_CRS_PORT" or port "$LAB_MEDIA_PORT"
	done
}

@test "CIG-022 CIG-042 CIG-044: SIP and RTP are on the red address, SRTP on the black one" {
	ss -Hlun "sport = :$LAB_SIP_PORT" | grep -q "$LAB_RED:"
	ss -Hltn "sport = :$LAB_SIP_PORT" | grep -q "$LAB_RED:"
	run -1 listening "$LAB_SIP_PORT" "$LAB_BLACK"
	listening "$LAB_SIP_PORT" "$LAB_RED"
	ss -Htnp "dport = :$LAB_CRS_PORT" | grep cig-server | grep -q "$LAB_BLACK:"
	phone_101 'answermode=auto'
	dial_out "$LAB_GATEWAY;101"
	phone_await 101 CALL_ESTABLISHED 15
	await 5 "talk" in_log "$T/call" '^talk'
	ss -Hlunp | awk '/cig-relay/ { print $4 }' | sort >"$T/sockets"
	[ "$(grep -c "^$LAB_RED:" "$T/sockets")" -eq 2 ]
	run -1 grep -v -e "^$LAB_RED:" -e "^$LAB_BLACK:" "$T/sockets"
	kill -INT "$CALL"
	call_ended 5 'reason=hangup'
}

refused() { # OPENSSL_OPTIONS...: does the rendezvous end such a handshake?
	! openssl s_client -connect "127.0.0.1:$LAB_CRS_PORT" "$@" </dev/null >"$T/tls" 2>&1
}

@test "CIG-018: without the right key there is no connection to the rendezvous" {
	refused -tls1_3
	refused -tls1_2
	refused -tls1_3 -psk_identity nobody -psk 000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f
	# A letter of the same account and user, made under another secret.
	D=$T lab_cms_elsewhere
	cca --store "$T/other" enrol "$T/letter"
	run -1 timeout 20 cca --store "$T/other" --timeout 2 call "$LAB_GATEWAY;101"
	[[ $output == *"not attached"* && $output != *"attached uri"* ]]
}

lab_cms_elsewhere() {
	(umask 077 && openssl rand -base64 24 >"$D/passphrase" && openssl rand -base64 16 >"$D/secret")
	lab_cms init --domain "Demonstration" --crs "127.0.0.1:$LAB_CRS_PORT" --account $LAB_ACCOUNT 		--secret-file "$D/secret"
	lab_cms user add $ALICE "Another Alice"
	lab_cms letter $ALICE --output "$D/letter"
}
