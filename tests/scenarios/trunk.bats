# trunk.bats - what an administrator sets for a PBX beyond the manual: TLS, several servers,
# OPTIONS.

load helpers
load phone
load lab
load talk
load sipp

LAB_USERS=(+46701234567 +46707654321 +46700000003)

lab_cig_conf() {
	local NET=${LAB_PHONE_IP%.*}
	certificates
	cat <<-C
		map out {
			entry tls tel "tel:$LAB_GATEWAY;3{ext}" sip "sip:{ext}@tls.test;transport=tls";
			entry other tel "tel:$LAB_GATEWAY;4{ext}" sip "sip:{ext}@other.test;transport=tls";
			entry early tel "tel:$LAB_GATEWAY;5{ext}" sip "sip:{ext}@$NET.31:5080";
			entry asserted tel "tel:$LAB_GATEWAY;6{ext}" sip "sip:{ext}@asks.test";
			entry moved tel "tel:$LAB_GATEWAY;7{ext}" sip "sip:{ext}@moved.test";
			entry stays tel "tel:$LAB_GATEWAY;8{ext}" sip "sip:{ext}@stays.test";
			entry timed tel "tel:$LAB_GATEWAY;9{ext}" sip "sip:{ext}@timed.test";
			entry two tel "tel:$LAB_GATEWAY;{ext}" sip "sip:{ext}@two.test";
		}
		map sources { entry all sip "sip:{ext}@{discard}" tel "tel:$LAB_GATEWAY;{ext}"; }
		map users { entry users sip "sip:46{number}@{discard}" tel "tel:+46{number}"; }
		map callers { entry users tel "tel:+46{number}" sip "sip:0{number}@secure.com"; }
		auth caller { user "trunk"; password "s3cret"; }
		auth right { user "tandem"; password "s3cret"; }
		auth wrong { user "tandem"; password "guess"; }
		// Over TLS the phone comes from 127.0.0.1.
		pbx secured {
			host "tls.test";
			server "$LAB_PHONE_IP:5061";
			network "127.0.0.1";
			transport tls;
			srtp off;
			probe_s 0;
		}
		// What redirects, and to what of this PBX.
		pbx moved { host "moved.test"; server "$NET.31:5080"; redirects maps; probe_s 0; }
		pbx stays { host "stays.test"; server "$NET.31:5080"; probe_s 0; }
		// Of two blocks that hold an address the first one counts.
		pbx asks {
			host "asks.test";
			server "$NET.31:5080";
			network "$NET.33";
			challenge caller;
			asserted_identity true;
			assert_identity true;
			remote_party_id true;
			probe_s 0;
		}
		pbx timed { host "timed.test"; server "$NET.35:5090"; reliable true; probe_s 0; }
		pbx registrar {
			host "registrar.test";
			server "$NET.20";
			/* registers */
			probe_s 0;
		}
		// The first server is there only when a test starts it.
		pbx two {
			host "two.test";
			server "$NET.41" priority 1;
			server "$LAB_PHONE_IP" priority 2;
			network "127.0.0.0/8";
			probe_s 3600;
			answer_timeout_s 2;
		}
		pbx other { host "other.test"; server "$LAB_PHONE_IP:5061"; transport tls; probe_s 0; }
		interfaces {
			tel {
				extension map out;
				source map sources;
				bind_media 127.0.0.1;
			}
			sip {
				extension map users;
				source map callers;
				bind 127.0.0.1;
				port $LAB_SIP_PORT;
				rtp_port_range $LAB_RTP;
				tls {
					port $((LAB_SIP_PORT + 1));
					certificate "$D/tls/gateway.pem";
					ca "$D/tls/ca.pem";
				}
			}
		}
		userdata "$D/cig/userdata";
		log_dir "$D/cig/log";
		run_dir "$D/cig/run";
		mail_group "$(id -gn)";
		control { bind 127.0.0.1; port $LAB_CONTROL_PORT; }
	C
}

certificates() { # once, with the configuration that names them
	mkdir -p "$D/tls"
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$D/tls/ca.key" -subj /CN=authority \
		-days 2 -out "$D/tls/ca.pem" 2>/dev/null
	certificate gateway
	certificate tls.test
}

certificate() { # NAME: key and certificate in $D/tls/NAME.pem
	openssl req -newkey rsa:2048 -nodes -keyout "$D/tls/$1.key" -subj "/CN=$1" -out "$D/tls/$1.csr"
	openssl x509 -req -in "$D/tls/$1.csr" -CA "$D/tls/ca.pem" -CAkey "$D/tls/ca.key" \
		-CAcreateserial -days 2 -extfile <(echo "subjectAltName=DNS:$1") >"$D/tls/$1.pem"
	cat "$D/tls/$1.key" >>"$D/tls/$1.pem"
} 2>/dev/null

setup_file() {
	lab_setup_file
	speech "$D/alice.wav" "The quick brown fox jumps over the lazy dog." 60
	speech "$D/phone.wav" "Hello from the ordinary telephone. Please call me back." 60
	sox "$D/phone-long.wav" -t al -r 8000 -c 1 "$D/phone.alaw"
	start_timed
}

# Two calls whose sessions are refreshed after 45 s, which is as seldom as RFC 4028 has it;
# the last but one test looks how they ended.
start_timed() {
	local NET=${LAB_PHONE_IP%.*}
	lab_enrol "${LAB_USERS[1]}"
	lab_enrol "${LAB_USERS[2]}"
	timed_sipp uas "$NET.35"
	await 5 "the extension" udp_bound "$NET.35:5090"
	start "$D/timed.out" cca --store "$D/${LAB_USERS[1]}" call "$LAB_GATEWAY;9101"
	start "$D/timed.in" cca --store "$D/${LAB_USERS[2]}" answer --count 1
	await 15 "the caller at the rendezvous" in_log "$D/timed.in" '^attached'
	timed_sipp uac "$NET.36" -s "${LAB_USERS[2]#+}" "$LAB_RED:$LAB_SIP_PORT"
	await 20 "both calls" timed_calls_are_up # each test counts what is free when it begins
	printf '%s\n' "${STARTED[@]}" >"$BATS_FILE_TMPDIR/started"
}

timed_calls_are_up() {
	[ "$(lab_cig_cli --json show call | jq '[.. | .state? // empty | select(. == "ANSWER")] | length')" -eq 2 ]
}

timed_sipp() { # uas|uac IP ARGUMENTS...: its exit status goes to $D/timed.NAME.status
	start "$D/timed.$1" sh -c '"$@"; echo $? >"$0"' "$D/timed.$1.status" \
		sipp -sf "$TOP/tests/scenarios/sipp/$1_timers.xml" -i "$2" -p 5090 -mi "$2" -t u1 -m 1 \
		-rtp_echo -nostdin -timeout 150s -timeout_error -trace_err -error_file "$D/timed.$1.err" \
		-trace_msg -message_file "$D/timed.$1.msg" "${@:3}"
}

teardown_file() {
	lab_teardown_file
}

setup() {
	needs sipp openssl
	talk_setup
}

teardown() {
	talk_teardown
}

pbx_is() { # NAME STATE
	lab_cig_status ".sip.pbxs[] | select(.name == \"$1\") | .state == \"$2\""
}

server_is() { # ADDRESS STATE
	lab_cig_status ".sip.pbxs[].servers[] | select(.address == \"$1:5060\") | .state == \"$2\""
}

registration_is() { # STATE
	lab_cig_status ".sip.pbxs[] | select(.name == \"registrar\") | .registration.state == \"$1\""
}

trunk_proves() { # PASSWORD MORE_HEADERS
	sed "s/@PASSWORD@/$1/; s/@MORE@/$2/" "$TOP/tests/scenarios/sipp/uac_proves.xml" >"$T/uac.xml"
	sipp_uac trunk "$T/uac.xml" 46701234567 $NET.33 5090 u1
}

@test "a trunk proves who it is; its P-Asserted-Identity is its caller, and Privacy: id hides it" {
	answer_in --hangup 1 --count 2
	trunk_proves s3cret ''
	sipp_ended trunk 15
	await 5 "the call" in_log "$T/answer" '^incoming from=tel:.*8888 extension=777'
	trunk_proves s3cret '\nPrivacy: id'
	sipp_ended trunk 15
	await 5 "the call" in_log "$T/answer" '^incoming from=tel:.*8888 extension=anonymous'
	await 5 "the calls' end" stopped "$ANSWER"
	all_clear
}

@test "a trunk with a wrong password calls nobody, and the line in the log names its address" {
	trunk_proves guess ''
	await 10 "the refusal" logged "pbx=asks source=$NET.33 from=sip:101@$NET.33:5090: wrong user or password"
	stop "${SIPP[trunk]}"
	[ -z "$(session_states sip:46701234567@)" ]
	all_clear
}

redirecting() { # CONTACT: an extension that has moved there
	sed "/^SIP/s/@STATUS@/302 Moved Temporarily\nContact: <$1>/" \
		"$TOP/tests/scenarios/sipp/uas_refuses.xml" >"$T/moved.xml"
	sipp_uas moved "$T/moved.xml" $NET.31 5080 u1
}

@test "a redirection leads where the maps lead the new address, and nowhere else" {
	phone_101 'answermode=auto'
	redirecting "sip:101@anywhere.test"
	dial_out --hangup 1 "$LAB_GATEWAY;7555"
	phone_await 101 CALL_ESTABLISHED 15
	call_ended 10 'reason=hangup by=initiator'
	sipp_ended moved 10
	logged 'redirected to sip:101@anywhere.test: tel:.*8888;101'
	grep -aq '^INVITE sip:101@two.test ' "$D/101/log"
	redirecting "sip:101@anywhere.test"
	dial_out "$LAB_GATEWAY;8555" # a PBX of which that is not wanted
	call_ended 15 'reason='
	logged 'why=PBX: 302'
	all_clear
}

@test "a call to a PBX that wants it carries P-Asserted-Identity and Remote-Party-ID" {
	sipp_uas callee uas_hangs_up.xml $NET.31 5080 u1
	dial_out "$LAB_GATEWAY;6101"
	call_ended 15 'reason=hangup by=responder'
	sipp_ended callee 10
	grep -q '^P-Asserted-Identity: <sip:0701234567@secure.com>' "$T/callee.msg"
	grep -q '^Remote-Party-ID: <sip:0701234567@secure.com>;party=calling;screen=yes;privacy=off' "$T/callee.msg"
	all_clear
}

@test "OPTIONS tells which server of a PBX lives; status shows it, and when all are down it is a problem" {
	reload 's/probe_s 3600;/probe_s 1;/'
	await 10 "both servers down" server_is "$LAB_PHONE_IP" DOWN
	await 10 "both servers down" server_is "$NET.41" DOWN
	pbx_is two DOWN
	lab_cig_status '.problems | any(. == "pbx two: no server answers")'
	phone_101 'answermode=auto'
	await 10 "one up" server_is "$LAB_PHONE_IP" UP
	lab_cig_status '.problems | all(startswith("pbx two") | not)'
	run -0 lab_cig_cli status
	[[ $output == *"PBX two"*UP*"$NET.41:5060/udp"*DOWN*"$LAB_PHONE_IP:5060/udp"*UP* ]]
	grep -aq "^OPTIONS sip:two.test " "$D/101/log"
	phone_stop 101
	await 10 "down again" pbx_is two DOWN
	[ "$(logged_times "pbx=two server=$LAB_PHONE_IP:5060/udp is up")" -eq 1 ]
	reload 's/probe_s 1;/probe_s 3600;/'
}

@test "a call goes to the second server where the first is silent, and comes up" {
	phone_101 'answermode=auto'
	# bound, so that nothing says at once that nobody is there
	start "$T/silent" python3 -c 'import signal, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("'"$NET"'.41", 5060))
print("bound", flush=True)
signal.pause()'
	await 10 "the silent server" in_log "$T/silent" bound
	# under another name nothing is known of its servers yet
	reload 's/pbx two {/pbx fresh {/'
	dial_out --hangup 1 "$LAB_GATEWAY;101"
	phone_await 101 CALL_ESTABLISHED 15
	call_ended 10 'reason=hangup by=initiator'
	logged "server=$NET.41:5060 fails: 408 .*; trying the next one"
	reload 's/pbx fresh {/pbx two {/'
	all_clear
}

phone_tls() { # CERTIFICATE [ACCOUNT_PARAMETERS]
	PHONE_LINES=("sip_certificate $D/tls/$1.pem" "sip_cafile $D/tls/ca.pem")
	rm -rf "$D/101"
	phone_start 101 "$LAB_PHONE_IP" "$LAB_PHONE_CTRL" "$D/phone-long.wav" 'answermode=auto' \
		"<sip:102@$LAB_PHONE_IP;transport=tls>;regint=0;answermode=auto${2:+;$2}"
}

@test "CIG-017: over TLS, to a PBX whose certificate names the entry's host, and from it" {
	phone_tls tls.test
	dial_out --play "$D/alice-long.wav" --record "$T/heard.wav" --hangup 6 "$LAB_GATEWAY;3102"
	phone_await 101 CALL_ESTABLISHED 15
	call_ended 20 'reason=hangup by=initiator'
	phone_await 101 CALL_CLOSED 5
	grep -aq '^INVITE sip:102@tls.test;transport=tls ' "$D/101/log"
	grep -aq '^Via: SIP/2.0/TLS 127.0.0.1:' "$D/101/log"
	speech-match "$D/phone.wav" "$T/heard.wav" 0.9
	all_clear
	answer_in --hangup 1 --count 1
	phone 101 uafind "sip:102@$LAB_PHONE_IP"
	phone 101 dial "sip:46701234567@127.0.0.1:$((LAB_SIP_PORT + 1));transport=tls"
	phone_await 101 'CALL_ESTABLISHED.*46701234567' 15
	await 10 "the call's end" stopped "$ANSWER"
	all_clear
}

srtp_is() { # off|optional|required
	reload "s/srtp [a-z]*;/srtp $1;/"
}

secured_both_ways() { # SUITE M_LINE: a call out, then one in, through the phone started before
	dial_out --play "$D/alice-long.wav" --record "$T/heard.wav" --hangup 6 "$LAB_GATEWAY;3102"
	phone_await 101 CALL_ESTABLISHED 15
	call_ended 20 'reason=hangup by=initiator'
	phone_await 101 CALL_CLOSED 5
	speech-match "$D/phone.wav" "$T/heard.wav" 0.9
	speech-match "$D/alice.wav" "$(phone_heard 101)" 0.8 # it went through Opus
	[ "$(grep -ac "^a=crypto:1 $1 inline:" "$D/101/log")" -ge 2 ] # offered and answered
	grep -aqE "^m=audio [0-9]+ $2 " "$D/101/log"
	logged 'media pbx=.*malformed=0 '
	all_clear
}

@test "SRTP required: keys go over TLS both ways, speech is protected and heard on both sides" {
	srtp_is required
	phone_tls tls.test mediaenc=srtp-mand
	secured_both_ways AES_CM_128_HMAC_SHA1_80 RTP/SAVP
	answer_in --play "$D/alice-long.wav" --record "$T/heard.in.wav" --hangup 5 --count 1
	phone 101 uafind "sip:102@$LAB_PHONE_IP"
	phone 101 dial "sip:46701234567@127.0.0.1:$((LAB_SIP_PORT + 1));transport=tls"
	phone_await 101 'CALL_ESTABLISHED.*46701234567' 15
	await 20 "the call's end" stopped "$ANSWER"
	speech-match "$D/phone.wav" "$T/heard.in.wav" 0.8
	all_clear
}

@test "SRTP required: a phone that has none is refused, in both directions" {
	phone_tls tls.test
	dial_out "$LAB_GATEWAY;3102"
	call_ended 15 'reason='
	run -1 phone_await 101 CALL_ESTABLISHED 0
	answer_in --count 1
	phone 101 uafind "sip:102@$LAB_PHONE_IP"
	phone 101 dial "sip:46701234567@127.0.0.1:$((LAB_SIP_PORT + 1));transport=tls"
	phone_await 101 '^SIP/2.0 488 ' 15 log
	logged 'why=the PBX has no SRTP with G.711'
	all_clear
}

@test "SRTP optional: with a phone that has it, and with one that has not" {
	srtp_is optional
	phone_tls tls.test mediaenc=srtp
	secured_both_ways AES_CM_128_HMAC_SHA1_80 RTP/AVP
	phone_stop 101
	phone_tls tls.test
	dial_out --record "$T/plain.wav" --hangup 4 "$LAB_GATEWAY;3102"
	phone_await 101 CALL_ESTABLISHED 15
	call_ended 20 'reason=hangup by=initiator'
	speech-match "$D/phone.wav" "$T/plain.wav" 0.9
	all_clear
	srtp_is off
}

@test "a PBX whose certificate names another host is not called, and nothing goes there in clear" {
	phone_tls tls.test
	dial_out "$LAB_GATEWAY;4102"
	call_ended 15 'reason=congestion'
	run -1 grep -aq '^INVITE' "$D/101/log"
	logged 'state=REJECT .*why=PBX: 503 no TLS connection to '
	all_clear
}

@test "early media: what the PBX says before it answers is heard, and goes on after it" {
	sipp_uas callee uas_early.xml $NET.31 5080 u1
	dial_out --early --record "$T/heard.wav" --hangup 1 "$LAB_GATEWAY;5101"
	await 15 "early media" in_log "$T/call" '^early .*codec='
	run -1 in_log "$T/call" '^talk'
	await 15 "the answer" in_log "$T/call" '^talk'
	call_ended 10 'reason=hangup by=initiator'
	sipp_ended callee 10
	speech-match "$D/phone.wav" "$T/heard.wav" 0.8 # it went through Opus
	in_log "$T/call" '^media .*lost=0'
	all_clear
}

@test "the secure caller holds: the PBX is told, the call outlives the media timeout, and resumes" {
	phone_101 'answermode=auto'
	reload 's/tls {/media_timeout_s 2; tls {/'
	dial_out --dtmf '!,,,,,!,5' "$LAB_GATEWAY;101"
	phone_await 101 CALL_ESTABLISHED 15
	phone_await 101 'a=recvonly' 5 log
	logged 'held by the secure side'
	await 10 "resumption" logged 'resumed by the secure side'
	phone_await 101 '"CALL_DTMF_START".*"5"' 10
	kill -INT "$CALL"
	call_ended 5 'reason=hangup by=initiator'
	reload 's/media_timeout_s 2; //'
	all_clear
}

@test "a transfer by the PBX's phone is declined, and calls nobody" {
	phone_101 'answermode=auto'
	dial_out "$LAB_GATEWAY;101"
	phone_await 101 CALL_ESTABLISHED 15
	await 5 "talk" in_log "$T/call" '^talk'
	phone 101 transfer "sip:46707654321@127.0.0.1:$LAB_SIP_PORT"
	phone_await 101 '^REFER sip:' 5 log
	phone_await 101 '^SIP/2.0 603 ' 5 log
	kill -INT "$CALL" || : # the phone may have hung up, too
	call_ended 5 'reason=hangup'
	[ -z "$(session_states sip:46707654321@)" ]
	all_clear
}

@test "torture, half-open connections, slow senders and floods over UDP, TCP and TLS: a call that is up goes on" {
	local agent
	agent=$(pgrep -P "$LAB_CIG_SERVER" cig-sip)
	phone_101 'answermode=auto'
	dial_out "$LAB_GATEWAY;101"
	phone_await 101 CALL_ESTABLISHED 15
	await 5 "talk" in_log "$T/call" '^talk'
	run -0 python3 "$TOP/tests/scenarios/rude_sip.py" "$NET.50" 127.0.0.1 "$LAB_SIP_PORT" \
		$((LAB_SIP_PORT + 1)) "$D/tls/ca.pem"
	echo "$output"
	# 200 connections are what one address may have; OPTIONS are answered through all of it
	[ "$(sed -n 's/^let in: \([0-9]*\) of .*/\1/p' <<<"$output")" -lt 200 ]
	[ "$(sed -n 's/^answered: //p' <<<"$output")" -ge 400 ]
	logged "refused source=$NET.50:.*too many connections of one address"
	[ "$(pgrep -P "$LAB_CIG_SERVER" cig-sip)" = "$agent" ]
	running "$CALL"
	# another address is served meanwhile and after it
	phone 101 sndcode 7
	await 10 "a digit of the call that is up" in_log "$T/call" 'digit.*7'
	kill -INT "$CALL"
	call_ended 5 'reason=hangup by=initiator'
	logged 'media pbx=.* received=[1-9].*auth_failures=0'
	await 10 "the end of all calls" no_calls
	dial_out --hangup 1 "$LAB_GATEWAY;101"
	call_ended 15 'reason=hangup by=initiator'
	all_clear
}

@test "session timers and PRACK with a PBX, both ways: calls rang reliably, were refreshed after 45 s, and are up" {
	local side
	for side in uas uac; do
		await 80 "the end of $side" test -s "$D/timed.$side.status"
		[ "$(cat "$D/timed.$side.status")" -eq 0 ] || { cat "$D/timed.$side.err"; return 1; }
	done
	in_log "$D/timed.out" '^ended reason=hangup by=responder'
	await 5 "the call's end" in_log "$D/timed.in" '^ended reason=hangup by=initiator'
	grep -q '^Min-SE: 90' "$D/timed.uac.msg" # what 30 was refused with
	grep -q '^UPDATE ' "$D/timed.uas.msg"
}

@test "a trunk is registered with its PBX, by the password that it asks for; one that is refused is shown; a stopped gateway is not, nor one whose reload takes it out" {
	local registered
	proxy_start
	reload 's#/. registers ./#register "sip:tandem@registrar.test" auth right expires 60;#'
	await 10 "the registration" registration_is REGISTERED
	logged 'pbx=registrar registered as sip:tandem@registrar.test'
	run -0 lab_cig_cli status
	[[ $output == *"sip:tandem@registrar.test"*REGISTERED* ]]
	reload 's/auth right expires 60/auth wrong expires 60/'
	await 10 "the refusal" registration_is REFUSED
	registrar_says tandem 404 # the binding under the former password was given up
	[ "$(logged_times 'registration of sip:tandem@registrar.test refused: 401')" -eq 1 ]
	lab_cig_status '.problems | any(. == "pbx registrar: the registration is refused")'
	reload 's/auth wrong expires 60/auth right expires 60/'
	await 10 "the registration" registration_is REGISTERED
	# a gateway that stops says so, and one that starts is there again
	registrar_says tandem 200
	stop_server
	registrar_says tandem 404
	in_log "$D/cig/log/cig.log" 'pbx=registrar no longer registered as sip:tandem@registrar.test'
	start "$D/cig-server.log" cig-server --config "$D/cig/cig.conf"
	LAB_CIG_SERVER=$STARTED_PID
	lab_restarted
	await 20 "the registration" registration_is REGISTERED
	registrar_says tandem 200
	# a reload of something else leaves it alone, one of another name gives up the former one
	registered=$(logged_times 'registered as')
	reload 's#^bind 127.0.0.1;#& max_calls 100;#'
	registration_is REGISTERED
	[ "$(logged_times 'registered as')" -eq "$registered" ]
	reload 's#sip:tandem@registrar.test#sip:other@registrar.test#'
	await 5 "the other registration" registrar_says other 200
	await 5 "the end of the former one" registrar_says tandem 404
	reload 's#register ".*expires 60;#/* registers */#; s#max_calls 100;##'
	await 5 "the end of the registration" registrar_says other 404
	logged 'pbx=registrar no longer registered as sip:other@registrar.test'
	lab_cig_status '.sip.pbxs[] | select(.name == "registrar") | .registration == null'
}

stop_server() { # it was started in setup_file, so it is no child of ours
	kill -TERM "$LAB_CIG_SERVER"
	await 10 "the end of cig-server" stopped "$LAB_CIG_SERVER"
}

registrar_says() { # USER STATUS: is sip:USER@registrar.test known there?
	proxy_asks "$1@" | grep -q "^SIP/2.0 $2 "
}
