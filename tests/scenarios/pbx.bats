# pbx.bats - the gateway among the peers of a PBX administrator: scripted extensions and
# trunks, a proxy that asks for passwords, maps of all kinds, hold.

load helpers
load phone
load lab
load talk
load sipp

LAB_USERS=(+46701234567 +46707654321 +46700000003)
LAB_ENGINES=3

lab_cig_conf() {
	local NET=${LAB_PHONE_IP%.*}
	cat <<-C
		auth right { user "tandem"; password "s3cret"; }
		auth wrong { user "tandem"; password "guess"; }
		// 6, 7 and 8 lead through the PBX's proxy, which asks for a password.
		map proxied {
			entry asked tel "tel:$LAB_GATEWAY;6{ext}" sip "sip:{ext}@$NET.20";
			entry known sip "sip:{ext}@$NET.20" tel "tel:$LAB_GATEWAY;7{ext}" auth right;
			entry guessed tel "tel:$LAB_GATEWAY;8{ext}" sip "sip:{ext}@$NET.20" auth wrong;
		}
		map ports { /* 59... stands before 5..., which would take it, too */
			entry first tel "tel:$LAB_GATEWAY;59{ext}" sip "sip:{ext}@$LAB_PHONE_IP";
			entry silent tel "tel:$LAB_GATEWAY;2{ext}" sip "sip:{ext}@$NET.32";
			entry udp tel "tel:$LAB_GATEWAY;5{ext}" sip "sip:{ext}@$NET.31:5080";
			entry tcp tel "tel:$LAB_GATEWAY;4{ext}" sip "sip:{ext}@$NET.31:5070;transport=tcp";
			// entry gone tel "tel:$LAB_GATEWAY;{ext}" sip "sip:{ext}@$NET.99";
		}
		map rest {
			entry two tel "tel:$LAB_GATEWAY;3{a}*{b}" sip "sip:{b}0{a}@$LAB_PHONE_IP";
			entry all tel "tel:$LAB_GATEWAY;{ext}" sip "sip:{ext}@$LAB_PHONE_IP{parameters}";
		}
		map sources {
			entry desk sip "sip:10{ext}@{discard}" tel "tel:$LAB_GATEWAY;10{ext}";
		}
		map more_sources {
			entry trunk sip "sip:{ext}@$NET.30{discard}" tel "tel:$LAB_GATEWAY;trunk.{ext}";
		}
		map outside { entry off sip "sip:9{number}@{discard}" tel "tel:+46{number}"; }
		map users { entry users sip "sip:46{number}@{discard}" tel "tel:+46{number}"; }
		map callers { entry users tel "tel:+46{number}" sip "sip:0{number}@secure.com"; }
		interfaces {
			tel {
				extension map proxied;
				extension map ports;
				extension map rest;
				source map sources;
				source map more_sources;
				bind_media 127.0.0.1;
			}
			sip {
				extension map outside;
				extension map users;
				source map callers;
				bind 127.0.0.1;
				port $LAB_SIP_PORT;
				rtp_port_range $LAB_RTP;
				trusted "127.0.0.0/8";
				media_timeout_s 2;
			}
		}
		userdata "$D/cig/userdata";
		log_dir "$D/cig/log";
		run_dir "$D/cig/run";
		mail_group "$(id -gn)";
		control { bind 127.0.0.1; port $LAB_CONTROL_PORT; }
	C
}

setup_file() {
	lab_setup_file
	speech "$D/alice.wav" "The quick brown fox jumps over the lazy dog." 60
	speech "$D/phone.wav" "Hello from the ordinary telephone. Please call me back." 60
	sox "$D/phone-long.wav" -t al -r 8000 -c 1 "$D/phone.alaw"
	lab_enrol "${LAB_USERS[1]}"
	lab_enrol "${LAB_USERS[2]}"
	start_unanswered
}

# A call to an extension from which nothing comes; "no answer at all" looks how it ends,
# after the 32 seconds of RFC 3261.
start_unanswered() {
	local NET=${LAB_PHONE_IP%.*}
	start "$D/silent.log" python3 -c 'import signal, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("'"$NET"'.32", 5060))
signal.pause()'
	await 5 "the silent extension" udp_bound $NET.32:5060
	start "$D/unanswered" cca --store "$D/${LAB_USERS[2]}" call "$LAB_GATEWAY;2101"
	echo "$STARTED_PID" >"$D/unanswered.pid"
	await 10 "the call to it" lab_cig_status '.engines.available == 2'
	printf '%s\n' "${STARTED[@]}" >"$BATS_FILE_TMPDIR/started"
}

teardown_file() {
	lab_teardown_file
}

setup() {
	needs sipp python3
	talk_setup
}

teardown() {
	talk_teardown
}

trunk_calls_in() { # TRANSPORT
	answer_in --record "$T/heard.wav" --count 1
	sipp_uac trunk uac_speaks.xml 46701234567 $NET.30 5090 "$1"
	await 15 "the call" in_log "$T/answer" '^talk'
	sipp_ended trunk 20
	await 5 "the call's end" stopped "$ANSWER"
	in_log "$T/answer" '^ended reason=hangup by=initiator'
	speech-match "$D/phone.wav" "$T/heard.wav" 0.9
	[[ $(session_states sip:46701234567@) == "routing routed "*"ringing talk hangup " ]]
	all_clear
}

@test "CIG-003 CIG-004 CIG-013 CIG-020: a trunk calls in over UDP, without registration, and is heard" {
	trunk_calls_in u1
}

@test "CIG-004 CIG-020: over TCP, the same" {
	trunk_calls_in t1
}

@test "a trunk that offers late and sends digits by INFO" {
	answer_in --record "$T/heard.wav" --count 1
	sipp_uac trunk uac_offers_late.xml 46701234567 $NET.30 5090 u1
	sipp_ended trunk 20
	await 5 "the call's end" stopped "$ANSWER"
	in_log "$T/answer" '^digit digit=6'
	speech-match "$D/phone.wav" "$T/heard.wav" 0.9
	all_clear
}

@test "CIG-008 CIG-035 CIG-040: the gateway calls the port of the map entry, in a second map; either side hangs up" {
	sipp_uas callee uas_answers.xml $NET.31 5080 u1 -rtp_echo -mp 6000
	dial_out --play "$D/alice-long.wav" --record "$T/heard.wav" "$LAB_GATEWAY;5101"
	await 15 "talk" in_log "$T/call" '^talk'
	await 10 "the echo" recorded "$T/heard.wav" 4
	kill -INT "$CALL"
	call_ended 5 'reason=hangup by=initiator'
	sipp_ended callee 10
	speech-match "$D/alice.wav" "$T/heard.wav" 0.8 # it went through Opus twice
	grep -q "^INVITE sip:101@$NET.31:5080 " "$T/callee.msg"
	grep -q '^From:.*<sip:0701234567@secure.com>' "$T/callee.msg"
	sipp_uas callee uas_hangs_up.xml $NET.31 5080 u1
	dial_out "$LAB_GATEWAY;5101"
	call_ended 15 'reason=hangup by=responder'
	sipp_ended callee 10
	all_clear
}

recorded() { # FILE SECONDS
	[ "$(stat -c %s "$1")" -ge $(($2 * 16000)) ]
}

@test "CIG-036: ;transport=tcp in the entry, and the INVITE comes over TCP" {
	sipp_uas callee uas_hangs_up.xml $NET.31 5070 t1
	dial_out "$LAB_GATEWAY;4101"
	call_ended 15 'reason=hangup by=responder'
	sipp_ended callee 10
	grep -q '^Via: SIP/2.0/TCP' "$T/callee.msg"
	all_clear
}

refused_with() { # 'CODE PHRASE' REASON: what the secure caller hears of an extension's answer
	sed "s/@STATUS@/$1/" "$TOP/tests/scenarios/sipp/uas_refuses.xml" >"$T/refuses.xml"
	sipp_uas "callee.${1%% *}" "$T/refuses.xml" $NET.31 5080 u1
	dial_out "$LAB_GATEWAY;5101"
	call_ended 15 "reason=\"?$2\"? by=responder"
	sipp_ended "callee.${1%% *}" 10
	logged "why=PBX: $1"
}

@test "an extension that is busy, unknown, overloaded or declines: the caller hears which" {
	refused_with '486 Busy Here' busy
	refused_with '404 Not Found' 'no route'
	refused_with '503 Service Unavailable' congestion
	refused_with '603 Decline' declined
	refused_with '488 Not Acceptable Here' 'no common codec'
	all_clear
}

@test "CIG-010: a caller for whom no source map has a name is refused with 403, and the log says which were tried" {
	[ "$(sip_sdp 'm=audio 6000 RTP/AVP 8' | sip_invite 46701234567 | sed 's/<sip:101@@ME@>;tag/<sip:555@elsewhere.test>;tag/' |
		sip_ask $NET.33)" = "SIP/2.0 403 Forbidden" ]
	[ "$(session_states sip:46701234567@)" = "routing failed " ]
	[ "$(logged_times 'rejected')" -eq 1 ]
	logged 'rejected code=403 from=sip:555@elsewhere.test to=sip:46701234567@.* in=sip: no source map of interface tel matches the from-URI \(sources, more_sources\)'
	all_clear
}

@test "CIG-013: the secure caller gives up while it rings, and the extension is cancelled" {
	sipp_uas callee uas_rings.xml $NET.31 5080 u1
	dial_out "$LAB_GATEWAY;5101"
	await 15 "ringing" in_log "$T/call" '^ringing'
	kill -INT "$CALL"
	call_ended 5 'reason=hangup by=initiator'
	sipp_ended callee 10
	all_clear
}

@test "CIG-013: the trunk gives up before the secure user answers, who takes the next call" {
	# Stopped, it is attached and says nothing.
	answer_in --hangup 1
	kill -STOP "$ANSWER"
	sipp_uac trunk uac_gives_up.xml 46701234567 $NET.30 5090 u1
	sipp_ended trunk 10
	all_clear
	[[ $(session_states sip:46701234567@) == "routing routed "*"hangup " ]]
	kill -CONT "$ANSWER"
	phone_101 'answermode=auto'
	phone 101 dial "sip:46701234567@127.0.0.1:$LAB_SIP_PORT"
	phone_await 101 CALL_ESTABLISHED 10
	phone_await 101 CALL_CLOSED 10
	all_clear
}

@test "both hang up at once: one call ends, once" {
	phone_101 'answermode=auto'
	dial_out "$LAB_GATEWAY;101"
	phone_await 101 CALL_ESTABLISHED 15
	await 5 "talk" in_log "$T/call" '^talk'
	kill -INT "$CALL"
	phone 101 hangup
	call_ended 5 'reason=hangup'
	phone_await 101 CALL_CLOSED 5
	all_clear
	[ "$(session_states "tel:$LAB_GATEWAY;101" | grep -o hangup | wc -l)" -eq 1 ]
}

shows() { # call|umsg STATE
	lab_cig_cli show "$1" | grep -qw "$2"
}

# I-08: show call and session.log keep their own words; cig-cli(1) ties them together.
@test "CIG-099 CIG-101 CIG-112 CIG-113: every state of a call is seen on both sides, while those who answer are held up" {
	answer_in --count 1
	phone_101 'answermode=manual'
	kill -STOP "$ANSWER" "$LAB_CIG_RELAY"
	phone 101 dial "sip:46701234567@127.0.0.1:$LAB_SIP_PORT"
	await 5 "CREATE" shows umsg CREATE
	shows call ROUTED
	kill -CONT "$LAB_CIG_RELAY"
	await 5 "BANG" shows umsg BANG
	await 5 "TRY" shows call TRY
	kill -CONT "$ANSWER"
	await 5 "TALK" shows umsg TALK
	shows call ANSWER
	phone 101 hangup
	await 5 "HANGUP" shows umsg HANGUP
	shows call HANGUP
	await 5 "the call's end" stopped "$ANSWER"
	[ "$(session_states sip:46701234567@)" = "routing routed trying ringing talk hangup " ]
	dial_out "$LAB_GATEWAY;101"
	await 5 "RING" shows call RING
	await 5 "GROWL" shows umsg GROWL
	phone_await 101 CALL_INCOMING 5
	phone 101 hangup
	await 5 "REJECT" shows call REJECT
	call_ended 5 'reason=busy by=responder'
	dial_out "$LAB_GATEWAY"
	call_ended 5 'reason="no route"'
	all_clear
	# The last word of a test before may come late, of another extension even between these.
	[[ $(session_states "tel:$LAB_GATEWAY;101") == ?("hangup ")"routing routed trying ringing hangup " ]]
	[[ $(session_states "tel:$LAB_GATEWAY") == *"routing failed " ]]
}

@test "CIG-027 CIG-028 CIG-110: a proxy asks for the password; with the entry's account the call comes up through it" {
	proxy_start
	phone_101 'answermode=auto'
	dial_out --hangup 1 "$LAB_GATEWAY;7101"
	phone_await 101 CALL_ESTABLISHED 15
	call_ended 10 'reason=hangup by=initiator'
	phone_await 101 CALL_CLOSED 5
	grep -aq "^Record-Route: <sip:$NET.20" "$D/101/log"
	run -1 grep -aq s3cret "$D/101/log" "$D"/cig/log/*.log "$D"/*.log
	in_log "$D/cig/log/cig.log" 'config\[INIT\]: auth right \{ user "tandem"; password "\*\*\*"; \}'
	all_clear
}

@test "CIG-027 CIG-028: a password that is wrong or missing ends the call, with one line that says so" {
	proxy_start
	dial_out "$LAB_GATEWAY;8101"
	call_ended 15 'reason="not allowed"'
	[ "$(logged_times 'the PBX refuses the user or password of the account')" -eq 1 ]
	dial_out "$LAB_GATEWAY;6101"
	call_ended 15 'reason="not allowed"'
	[ "$(logged_times 'asks for a password, but the map entry names no auth account')" -eq 1 ]
	all_clear
}

told_of() { # SED_SCRIPT TEXT: what cig-cli says of the configuration after that change
	sed "$1" "$D/cig/cig.conf" >"$T/bad.conf"
	run -1 lab_cig_cli read "$T/bad.conf"
	[[ $output == *"$2"* ]] || {
		echo "expected: $2" >&2
		echo "$output" >&2
		return 1
	}
}

@test "CIG-025 CIG-028 CIG-038 CIG-039: slips in maps, accounts and interfaces are told, with their line" {
	run -0 lab_cig_cli read "$D/cig/cig.conf"
	told_of 's/auth wrong;/auth wrog;/' 'bad.conf:7:'
	[[ $output == *'unknown auth "wrog" (did you mean "wrong"?)'* ]]
	told_of 's/map ports/map rest/' 'bad.conf:16:'
	[[ $output == *"map rest is declared twice"*"bad.conf:9"* ]]
	told_of '/entry all/s/;$//' 'bad.conf:19:'
	[[ $output == *'";" missing'* ]]
	told_of 's/sip {/sib {/' 'unknown keyword "sib" (did you mean "sip"?)'
	sed 's/entry tcp/entry udp/' "$D/cig/cig.conf" >"$T/repeated.conf"
	run -0 lab_cig_cli read "$T/repeated.conf"
	[[ $output == *"repeated.conf:13:"*"entry udp is repeated"*"line 12"* ]]
	lab_cig_status '.problems == []'
}

@test "CIG-033 CIG-034 CIG-040 CIG-041: the first entry that matches wins, in the order of entries and maps" {
	local from=tel:+46701
	run -0 lab_cig_cli route "tel:$LAB_GATEWAY;59101" $from
	[[ $output == *"sip:101@$LAB_PHONE_IP"*"entry first "* ]]
	run -0 lab_cig_cli route "tel:$LAB_GATEWAY;58101" $from
	[[ $output == *"sip:8101@$NET.31:5080"*"entry udp "* ]]
	# the third map, where the first two have no match
	run -0 lab_cig_cli route --explain "tel:$LAB_GATEWAY;101" $from
	[[ $output == *"sip:101@$LAB_PHONE_IP"*"entry all "* ]]
	[[ $output == *proxied*ports*rest* ]]
	# a prefix is taken off; the second map takes what the first does not
	run -0 lab_cig_cli route sip:9701234567@gateway sip:101@pbx
	[[ $output == *"tel:+46701234567"*"entry off "* ]]
	run -0 lab_cig_cli route sip:46701234567@gateway sip:101@pbx
	[[ $output == *"tel:+46701234567"*"entry users "* ]]
	# source maps likewise
	[[ $output == *"tel:$LAB_GATEWAY;101"*"entry desk "* ]]
	run -0 lab_cig_cli route sip:46701234567@gateway "sip:555@$NET.30:5090"
	[[ $output == *"tel:$LAB_GATEWAY;trunk.555"*"entry trunk "* ]]
	run -1 lab_cig_cli route sip:46701234567@gateway sip:555@elsewhere
	[[ $output == *403* ]]
}

@test "CIG-030 CIG-031 CIG-034: calls by entries with a prefix, several parameters, one that is dropped" {
	phone_101 'answermode=auto'
	dial_out --hangup 1 "$LAB_GATEWAY;31*1"
	phone_await 101 CALL_ESTABLISHED 15
	grep -aq '^INVITE sip:101@' "$D/101/log"
	call_ended 10 'reason=hangup'
	answer_in --hangup 1 --count 1
	phone 101 dial "sip:9701234567@127.0.0.1:$LAB_SIP_PORT"
	await 15 "the call" in_log "$T/answer" '^talk'
	in_log "$T/answer" '^incoming from=tel:\+8888 extension=101'
	await 5 "the call's end" stopped "$ANSWER"
	all_clear
}

@test "hold and resume: the call survives a hold longer than the media timeout, and media flows again" {
	phone_101 'answermode=auto'
	dial_out --play "$D/alice-long.wav" --record "$T/heard.wav" --dtmf ',,,,,,,,,,,,8' "$LAB_GATEWAY;101"
	phone_await 101 CALL_ESTABLISHED 15
	await 10 "the speech" phone_heard_seconds 101 6
	phone 101 hold
	phone_await 101 'a=recvonly' 5 log
	await 12 "three seconds of hold" call_lasts 9
	phone 101 resume
	await 5 "the resumption" resumed
	phone 101 sndcode 5
	await 5 "a digit to the caller" in_log "$T/call" '^digit digit=5'
	phone_await 101 '"CALL_DTMF_START".*"8"' 10
	kill -INT "$CALL"
	call_ended 5 'reason=hangup by=initiator'
	speech-match "$D/alice.wav" "$(phone_heard 101)" 0.9
	speech-match "$D/phone.wav" "$T/heard.wav" 0.9
	all_clear
}

resumed() {
	[ "$(grep -ac '^a=sendrecv' "$D/101/log")" -ge 2 ]
}

call_lasts() { # SECONDS: is there a call so long?
	lab_cig_cli --json show call | jq -e "any(.calls[]; .state == \"ANSWER\" and .duration_s >= $1)"
}

dial_as() { # USER_INDEX CCA_ARGUMENTS...: in the background, output in $T/call.INDEX
	start "$T/call.$1" cca --store "$D/${LAB_USERS[$1]}" call "${@:2}"
	CALLS[$1]=$STARTED_PID
}

@test "an extension from which nothing comes at all: no answer, after the time of RFC 3261" {
	unanswered_is_over
	in_log "$D/unanswered" '^ended reason="no answer"'
	all_clear
}

unanswered_is_over() { # it holds a port and an engine
	await 35 "the call's end" stopped "$(cat "$D/unanswered.pid")"
}

@test "CIG-044: RTP ports run out, the next call is refused, and they come back" {
	local low=${LAB_RTP% *} high=${LAB_RTP#* }
	declare -A CALLS
	unanswered_is_over
	reload "s/rtp_port_range .*;/rtp_port_range $low $((low + 1));/"
	sipp_uas callee uas_answers.xml $NET.31 5080 u1 -rtp_echo # else its media is missed
	dial_as 0 "$LAB_GATEWAY;5101"
	await 15 "talk" in_log "$T/call.0" '^talk'
	[ "$(media_ports)" = "$low
$((low + 1))" ]
	grep -q "^m=audio $low " "$T/callee.msg"
	dial_as 1 "$LAB_GATEWAY;5101"
	await 15 "the refusal" stopped "${CALLS[1]}"
	in_log "$T/call.1" '^ended reason=congestion'
	[ "$(sip_sdp 'm=audio 6000 RTP/AVP 8' | sip_invite 46707654321 | sip_ask $NET.30)" = "SIP/2.0 503 Service Unavailable" ]
	reload "s/rtp_port_range .*;/rtp_port_range $low $high;/"
	running "${CALLS[0]}" # the reload let it be
	kill -INT "${CALLS[0]}"
	sipp_ended callee 10
	all_clear
}

@test "CIG-104: crypto engines run out, the next call is refused, and they come back" {
	declare -A CALLS
	local i
	unanswered_is_over
	sipp_uas callee uas_answers.xml $NET.31 5080 u1 -m 3 -rtp_echo
	for i in 0 1 2; do dial_as $i "$LAB_GATEWAY;5101"; done
	for i in 0 1 2; do await 15 "talk" in_log "$T/call.$i" '^talk'; done
	lab_cig_cli status | grep -E '^Crypto engines available +0/3$'
	[ "$(sip_sdp 'm=audio 6000 RTP/AVP 8' | sip_invite 46707654321 | sip_ask $NET.30)" = "SIP/2.0 503 Service Unavailable" ]
	[ "$(logged_times 'rejected code=503 .* no crypto engine is free')" -eq 1 ]
	for i in 0 1 2; do kill -INT "${CALLS[$i]}"; done
	sipp_ended callee 10
	all_clear
	lab_cig_cli status | grep -E '^Crypto engines available +3/3$'
}
