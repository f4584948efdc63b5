# sipp.bash - scripted SIP peers for the scenarios: SIPp, and single messages.
# Load helpers and lab first; scenario files are in tests/scenarios/sipp.
#
#   sipp_uas callee uas_answers.xml $NET.31 5080 u1
#   sipp_uac trunk uac_speaks.xml 46701234567 $NET.30 5090 t1
#   sipp_ended in 20

declare -gA SIPP=()

udp_bound() { # ADDRESS:PORT
	ss -Hlun "src $1" | grep -q .
}

tcp_bound() { # ADDRESS:PORT
	ss -Hltn "src $1" | grep -q .
}

sipp_start() { # NAME SCENARIO IP PORT TRANSPORT ARGUMENTS...
	local name=$1 scenario=$2 ip=$3 port=$4 transport=$5
	shift 5
	[[ $scenario == /* ]] || scenario=$TOP/tests/scenarios/sipp/$scenario
	# Names of sound files are relative to where SIPp runs.
	start "$T/$name" env -C "$D" sipp -sf "$scenario" -i "$ip" -p "$port" \
		-mi "$ip" -t "$transport" -m 1 -nostdin -timeout 25s -timeout_error \
		-trace_err -error_file "$T/$name.err" -trace_msg -message_file "$T/$name.msg" "$@"
	SIPP[$name]=$STARTED_PID
}

sipp_uas() { # NAME SCENARIO IP PORT TRANSPORT ARGUMENTS...: an extension that waits for a call
	sipp_start "$@"
	case $5 in
	u*) await 5 "the extension $1" udp_bound "$3:$4" ;;
	*) await 5 "the extension $1" tcp_bound "$3:$4" ;;
	esac
}

sipp_uac() { # NAME SCENARIO NUMBER IP PORT TRANSPORT ARGUMENTS...: calls the gateway
	sipp_start "$1" "$2" "$4" "$5" "$6" -s "$3" "${@:7}" "$LAB_RED:$LAB_SIP_PORT"
}

sipp_ended() { # NAME SECONDS: has it gone through its scenario?
	await "$2" "the end of $1" stopped "${SIPP[$1]}" || return
	stop "${SIPP[$1]}"
	[ "$STOPPED_STATUS" -eq 0 ] || {
		cat "$T/$1.err" >&2
		return 1
	}
}

# Kamailio is many processes, and any of them holds the port: it gets a group of its own, which
# stop_all ends as a whole, and is there when it answers, not when the port is bound.
proxy_start() { # the PBX's proxy and registrar (kamailio.cfg) at $NET.20
	needs kamailio
	await 10 "the port of the last proxy" proxy_is_gone
	mkdir -p "$T/kamailio"
	sed "s/@NET@/$NET/" "$TOP/tests/scenarios/kamailio.cfg" >"$T/kamailio.cfg"
	start "$T/kamailio.err" setsid kamailio -f "$T/kamailio.cfg" -DD -E \
		-Y "$T/kamailio" -P "$T/kamailio/pid" -m 64 -M 8
	await 15 "the proxy" proxy_answers
}

proxy_is_gone() {
	! udp_bound "$NET.20:5060" && ! tcp_bound "$NET.20:5060"
}

proxy_answers() {
	proxy_asks "" 1 | grep -q '^SIP/2.0 200 '
}

proxy_asks() { # USER@ [SECONDS]: OPTIONS; prints the status line
	printf '%s\n' "OPTIONS sip:$1registrar.test SIP/2.0" \
		'Via: SIP/2.0/UDP @ME@;branch=z9hG4bK@ID@;rport' 'From: <sip:test@@ME@>;tag=1' \
		"To: <sip:$1registrar.test>" 'Call-ID: @ID@' 'CSeq: 1 OPTIONS' \
		'Max-Forwards: 70' 'Content-Length: 0' '' |
		python3 "$TOP/tests/scenarios/sip_ask.py" "$NET.30" "$NET.20:5060" "${2:-5}"
}

sip_ask() { # FROM_IP [OPTIONS]: sends stdin to the gateway, prints the final response's status line
	python3 "$TOP/tests/scenarios/sip_ask.py" "$1" "$LAB_RED:$LAB_SIP_PORT" "${@:2}"
}

sip_invite() { # NUMBER: an INVITE's head; the body is stdin
	local body
	body=$(sed 's/$/\r/' && echo .)
	body=${body%.}
	printf '%s\n' "INVITE sip:$1@$LAB_RED:$LAB_SIP_PORT SIP/2.0" \
		'Via: SIP/2.0/UDP @ME@;branch=z9hG4bK@ID@;rport' 'From: <sip:101@@ME@>;tag=1' \
		"To: <sip:$1@127.0.0.1>" 'Call-ID: @ID@' 'CSeq: 1 INVITE' 'Contact: <sip:101@@ME@>' \
		'Max-Forwards: 70' 'Content-Type: application/sdp' "Content-Length: ${#body}" ''
	printf '%s' "$body"
}

sip_sdp() { # M_LINE [MORE_LINES...]
	printf '%s\n' v=0 "o=- 1 1 IN IP4 $NET.30" s=- "c=IN IP4 $NET.30" 't=0 0' "$@"
}
