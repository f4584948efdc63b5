# wires.bats - what is to be seen on the wires: a gateway with a red address towards the PBX
# and a black one towards the rendezvous, on which no speech, digit or text is in clear.

load helpers
load phone
load lab
load talk

LAB_RED=${LAB_PHONE_IP%.*}.1
LAB_BLACK=${LAB_PHONE_IP%.*}.2
TEL_RTP="24000 24099"

eval "$(declare -f lab_cig_conf | sed '1s/lab_cig_conf/plain_cig_conf/')"

lab_cig_conf() { # with a range for the secure side, too
	plain_cig_conf | sed "s/source map sip2source;/& rtp_port_range $TEL_RTP;/"
}

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

capture() { # all of the lab that passes the loopback, from now on
	needs tcpdump
	tcpdump -i lo -U --immediate-mode -B 32768 -s 0 -n -w - net "$NET.0/24" or port "$LAB_CRS_PORT" \
		or port "$LAB_MEDIA_PORT" or udp port 9 >"$T/wire.pcap" 2>"$T/tcpdump.log" 3>&- &
	STARTED+=($!)
	CAPTURE=$!
	await 5 "the capture" in_log "$T/tcpdump.log" 'listening on lo|permission'
	! in_log "$T/tcpdump.log" permission || skip "capturing is not permitted"
}

capture_end() { # when all that passed until now is in the file
	await 5 "the capture's end" marked_end
	stop "$CAPTURE" INT
	in_log "$T/tcpdump.log" '^0 packets dropped by kernel'
}

marked_end() { # a datagram to the discard port, of this capture alone
	echo "end of $BATS_TEST_TMPDIR" >/dev/udp/127.0.0.1/9
	grep -aqF "end of $BATS_TEST_TMPDIR" "$T/wire.pcap"
}

captured() { # HOST
	[ -z "$CAPTURE" ] || capture_end
	CAPTURE=
	python3 "$TOP/tests/scenarios/wire_figures.py" "$T/wire.pcap" "$1"
}

in_clear() { # TEXT FILTER...: does it stand in one of these packets?
	tcpdump -r "$T/wire.pcap" -n -w - "${@:2}" 2>/dev/null | grep -aqF -- "$1"
}

@test "CIG-012 CIG-018 CIG-019 CIG-022 REL-014: the black address talks to the rendezvous's two ports alone, and nothing there is in clear" {
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
	all_clear # the next test counts every packet
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

relay_counters() { # FILE: those of crs-relay, as crs-cli has them
	lab_crs_cli --json show relay >"$1"
}

between() { # JQ_PATH: by how much a counter rose during the test
	jq -n --slurpfile before "$T/before" --slurpfile after "$T/after" "(\$after[0]|$1) - (\$before[0]|$1)"
}

figure() { # NAME packets|octets: of the capture
	jq --arg name "$1" --argjson at "$([ "$2" = packets ]; echo $?)" '.[$name][$at]' "$T/figures"
}

relay_shown() { # NODES: one RTP relay with so many nodes, and the SSRCs of both ways
	lab_crs_cli show relays | grep -qE "^rtp +$1 +[0-9T:.Z-]+ +[0-9a-f]{8},[0-9a-f]{8}$"
}

no_relays() {
	[ "$(lab_crs_cli --json show relays)" = "[]" ]
}

@test "REL-007 REL-008 REL-010: show relay counts exactly what passes the wire, show relays tells the active call" {
	no_relays
	capture
	relay_counters "$T/before"
	phone_101 'answermode=auto'
	dial_out --play "$D/alice-long.wav" --dtmf '1' --hangup 4 "$LAB_GATEWAY;101"
	phone_await 101 CALL_ESTABLISHED 15
	await 5 "the relay of the call" relay_shown 2
	call_ended 15 'reason=hangup'
	all_clear
	await 5 "the relay's end" no_relays
	relay_counters "$T/after"
	capture_end
	python3 "$TOP/tests/scenarios/relay_figures.py" "$T/wire.pcap" "$LAB_MEDIA_PORT" >"$T/figures"
	cat "$T/figures" "$T/after"
	local rtp='.types[] | select(.type == "rtp")' unbound
	unbound=$(between .received.droppedUnbound)
	[ "$(figure sent_media packets)" -gt 300 ]
	[ "$(between "$rtp | .tx")" -eq "$(figure sent_media packets)" ]
	[ "$(between "$rtp | .txBytes")" -eq "$(figure sent_media octets)" ]
	[ $(($(between "$rtp | .rx") + unbound)) -eq "$(figure got_media packets)" ]
	[ "$unbound" -gt 0 ] || [ "$(between "$rtp | .rxBytes")" -eq "$(figure got_media octets)" ]
	[ "$(between .received.packets)" -eq "$(figure got packets)" ]
	[ "$(between .received.bytes)" -eq "$(figure got octets)" ]
	# Of two parties each hears what the other sends, or it has nobody to go to.
	[ "$(between .sent.errorNoDest)" -eq $(($(between "$rtp | .rx") - $(between "$rtp | .tx"))) ]
	[ "$(between .sent.packets)" -eq "$(figure sent_media packets)" ]
	[ "$(between .sent.bytes)" -eq "$(figure sent_media octets)" ]
	lab_crs_cli show relay | grep -E '^ *txBytes '
}

@test "CIG-012: with a wrong key there is no media: neither side hears the other" {
	phone_101 'answermode=auto'
	start "$T/call" cca-wrong-key --store "$D/$ALICE" call --play "$D/alice-long.wav" \
		--record "$T/heard.wav" --hangup 6 "$LAB_GATEWAY;101"
	CALL=$STARTED_PID
	phone_await 101 CALL_ESTABLISHED 15
	call_ended 20 'reason=hangup'
	all_clear
	await 5 "the figures" logged 'media pbx=.* secure=.* received=0 lost=[0-9]+ auth_failures=[1-9][0-9]{2,}$'
	run -1 speech-match "$D/alice.wav" "$(phone_heard 101)" 0.6
	run -1 speech-match "$D/phone.wav" "$T/heard.wav" 0.6
}

ports_in() { # ADDRESS LOW HIGH: how many of the relay's sockets are there
	sed -n "s/^$1://p" "$T/sockets" | awk -v low="$2" -v high="$3" '$1 >= low && $1 <= high' | wc -l
}

@test "CIG-021 CIG-022 CIG-042 CIG-044: SIP and RTP are on the red address, SRTP on the black one, each in its range" {
	ss -Hlun "sport = :$LAB_SIP_PORT" | grep -q "$LAB_RED:"
	ss -Hltn "sport = :$LAB_SIP_PORT" | grep -q "$LAB_RED:"
	run -1 listening "$LAB_SIP_PORT" "$LAB_BLACK"
	listening "$LAB_SIP_PORT" "$LAB_RED"
	ss -Htnp "dport = :$LAB_CRS_PORT" | grep cig-server | grep -q "$LAB_BLACK:"
	phone_101 'answermode=auto'
	dial_out "$LAB_GATEWAY;101"
	phone_await 101 CALL_ESTABLISHED 15
	await 5 "talk" in_log "$T/call" '^talk'
	ss -Hlunp | awk -v pid="pid=$LAB_CIG_RELAY," 'index($0, pid) { print $4 }' | sort >"$T/sockets"
	[ "$(grep -c "^$LAB_RED:" "$T/sockets")" -eq 2 ]
	[ "$(ports_in "$LAB_RED" ${LAB_RTP})" -eq 2 ]
	[ "$(ports_in "$LAB_BLACK" $TEL_RTP)" -eq "$(grep -c "^$LAB_BLACK:" "$T/sockets")" ]
	run -1 grep -v -e "^$LAB_RED:" -e "^$LAB_BLACK:" "$T/sockets"
	kill -INT "$CALL"
	call_ended 5 'reason=hangup'
}

refused() { # OPENSSL_OPTIONS...: does the rendezvous end such a handshake?
	! openssl s_client -connect "127.0.0.1:$LAB_CRS_PORT" "$@" </dev/null >"$T/tls" 2>&1 || false
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
