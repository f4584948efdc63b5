# odd.bats - calls as PBXs and scenario collections elsewhere have them: rare headers, bodies,
# orders of messages and media, over UDP, TCP and TLS, in both directions.

load helpers
load phone
load lab
load talk

ANSWERS=+46707654321 # ALICE calls

eval "$(declare -f lab_cig_conf | sed '1s/lab_cig_conf/plain_cig_conf/')"

lab_cig_conf() { # with extensions 5..., 6... and 7... by TLS, TCP and UDP
	local NET=${LAB_PHONE_IP%.*}
	certificates
	LAB_SIP_SETTINGS="trusted \"127.0.0.0/8\"; tls {
		port $((LAB_SIP_PORT + 1)); certificate \"$D/tls.pem\"; ca \"$D/ca.pem\"; }"
	plain_cig_conf | sed 's#extension map tel2sip;#extension map odd; &#'
	cat <<-C
		map odd {
			entry tls tel "tel:$LAB_GATEWAY;5{ext}" sip "sip:{ext}@odd.test;transport=tls";
			entry tcp tel "tel:$LAB_GATEWAY;6{ext}" sip "sip:{ext}@$NET.31:5070;transport=tcp";
			entry udp tel "tel:$LAB_GATEWAY;7{ext}" sip "sip:{ext}@$NET.31:5080";
		}
	C
	echo "pbx odd { host \"odd.test\"; server \"$NET.31:5061\"; transport tls; probe_s 0;
		network \"$NET.30/32\"; srtp optional; }"
}

certificates() { # one for the gateway and for the PBX odd.test
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$D/ca.key" -out "$D/ca.pem" -subj /CN=ca -days 2
	openssl req -newkey rsa:2048 -nodes -keyout "$D/tls.key" -subj /CN=odd.test -out "$D/tls.csr"
	openssl x509 -req -in "$D/tls.csr" -CA "$D/ca.pem" -CAkey "$D/ca.key" -CAcreateserial -days 2 \
		-extfile <(echo subjectAltName=DNS:odd.test) >"$D/tls.pem"
	cat "$D/tls.key" >>"$D/tls.pem"
} 2>/dev/null

setup_file() {
	lab_setup_file
	speech "$D/alice.wav" "The quick brown fox jumps over the lazy dog." 60
	lab_enrol $ANSWERS
}

teardown_file() {
	lab_teardown_file
}

setup() {
	needs python3 openssl jq
	lab_load
	NET=${LAB_PHONE_IP%.*}
	LOGGED=$(wc -l <"$D/cig/log/cig.log")
	ENGINES=$(lab_cig_status .engines.available)
	PORTS=$(media_ports)
	AGENT=$(pgrep -P "$LAB_CIG_SERVER" cig-sip)
}

teardown() {
	talk_teardown
}

nothing_is_left() { # the agent is the same, and no call or port is left
	[ "$(pgrep -P "$LAB_CIG_SERVER" cig-sip)" = "$AGENT" ]
	all_clear
}

calls_in() { # TRANSPORT CASE...: as odd_callers.py; all cases without any
	local port=$LAB_SIP_PORT
	[ "$1" != tls ] || port=$((port + 1))
	start "$T/answer" cca --store "$D/$ANSWERS" answer --play "$D/alice-long.wav"
	await 15 "the caller at the rendezvous" in_log "$T/answer" '^attached'
	run -0 python3 -B "$TOP/tests/scenarios/odd_callers.py" "$1" "$NET.30" "$LAB_RED:$port" \
		"${ANSWERS#+}" "$D/ca.pem" "${@:2}"
	[[ $output == *ok* ]]
	nothing_is_left
}

calls_out() { # TRANSPORT PORT EXTENSION CASE...: as odd_callees.py
	run -0 python3 -B "$TOP/tests/scenarios/odd_callees.py" "$1" "$NET.31:$2" "$BUILD/caller/cca" \
		"$D/$ALICE" "$D/alice-long.wav" "$LAB_GATEWAY;$3" "$D/tls.pem" "${@:4}"
	[[ $output == *ok* ]]
	nothing_is_left
}

@test "CIG-013 CIG-015 CIG-020: a PBX calls in over UDP in every odd way, and gets what the RFCs have for it" {
	calls_in udp
}

figures_tell() { # JQ_CONDITION: of the only call's PBX side
	lab_cig_cli show call --long --json | jq -e "[.calls[] | select(.state == \"ANSWER\")][0].pbx | $1"
}

@test "packets that a PBX loses and sends late are told in show call, in the log and in RTCP" {
	start "$T/answer" cca --store "$D/$ANSWERS" answer --play "$D/alice-long.wav"
	await 15 "the caller at the rendezvous" in_log "$T/answer" '^attached'
	start "$T/odd" python3 -B "$TOP/tests/scenarios/odd_callers.py" udp "$NET.30" "$LAB_RED:$LAB_SIP_PORT" \
		"${ANSWERS#+}" "" "each tenth packet"
	await 15 "its losses in show call" figures_tell \
		'.lost >= 10 and .jitter_ms >= 5 and .lost * 9 <= .received * 1.3 and .lost * 9 >= .received * 0.7'
	await 25 "the case" stopped "$STARTED_PID"
	cat "$T/odd"
	grep '^ok' "$T/odd"
	all_clear
	local skipped lost
	skipped=$(sed -n 's/^skipped //p' "$T/odd")
	lost=$(sed -n 's/.* media pbx=.* lost=\([0-9]*\) strangers.*/\1/p' "$D/cig/log/cig.log" | tail -n 1)
	((lost >= skipped - 5 && lost <= skipped + 5))
}

@test "CIG-020: over TCP: headers, methods, the orders of messages and a connection that is lost" {
	calls_in tcp "plain call" "tel URI" compact folded Record-Route Contact "no description" CANCEL "BYE before" \
		"late offer: ours" "is lost" "hold by" "several parts"
}

@test "over TLS, the same" {
	calls_in tls "plain call" folded Record-Route CANCEL "BYE before" "late offer: ours" "is lost" \
		UPDATE "several parts" SAVPF
}

@test "CIG-013: a PBX is called over UDP and answers in odd ways, the caller gives up at odd moments" {
	calls_out udp 5080 7101 "plain call" "early media" forked "two answers" "four times" CANCEL \
		"300 Mult" "401 Un" "699 Odd" "without SDP" "both laws" Record-Route compact "change nothing" \
		"BYE of" "both hang up" reliable "several parts"
}

@test "CIG-036: over TCP: an answer along a Record-Route, a connection that is lost, responses of nothing" {
	calls_out tcp 5070 6101 "plain call" CANCEL Record-Route "is lost" "change nothing"
}

@test "to a PBX over TLS, the same" {
	calls_out tls 5061 5101 "plain call" Record-Route "is lost" "BYE of"
}
