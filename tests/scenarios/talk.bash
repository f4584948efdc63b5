# talk.bash - calls of the secure caller ALICE and of extension 101, and what the gateway
# tells of them.  Load helpers, phone and lab first.

ALICE=+46701234567

talk_setup() { # in setup()
	needs baresip jq
	lab_load
	NET=${LAB_PHONE_IP%.*} # where the PBX's hosts are
	SESSIONS=$(wc -l <"$D/cig/log/session.log")
	LOGGED=$(wc -l <"$D/cig/log/cig.log")
	ENGINES=$(lab_cig_status .engines.available)
	PORTS=$(media_ports)
}

talk_teardown() { # in teardown()
	phone_stop_all
	stop_all
	[ -n "${BATS_TEST_COMPLETED:-}" ] || {
		show_logs
		tail -n 60 "$T"/*.msg "$T"/call* "$T"/answer "$T"/*.err "$D"/cig/log/*.log
	} 2>/dev/null
}

phone_101() { # ACCOUNT_PARAMETERS
	rm -rf "$D/101"
	phone_start 101 "$LAB_PHONE_IP" "$LAB_PHONE_CTRL" "$D/phone-long.wav" "$1"
}

session_states() { # [TO]: the states since the test began, in a row; of calls to TO...
	tail -n "+$((SESSIONS + 1))" "$D/cig/log/session.log" |
		awk -F', ' -v to="${1:-}" 'index($4, to) == 1 { printf "%s ", $7 }'
}

logged() { # REGEX: is it in cig.log since the test began?
	[ "$(logged_times "$1")" -gt 0 ]
}

logged_times() { # REGEX
	tail -n "+$((LOGGED + 1))" "$D/cig/log/cig.log" | grep -cE -- "$1"
}

all_clear() { # no call and no port of the PBX side is left of this test
	await 5 "the end of all calls at the gateway" no_calls
	await 5 "the end of all media ports" no_media_ports
}

no_calls() {
	lab_cig_status ".engines.available >= $ENGINES"
}

no_media_ports() {
	[ -z "$(comm -13 <(echo "$PORTS") <(media_ports))" ]
}

media_ports() { # those of the PBX side that are open now, sorted
	ss -Hlun | awk '{ print $4 }' | sed -n "s/^$LAB_RED://p" |
		awk -v low="${LAB_RTP% *}" -v high="${LAB_RTP#* }" '$1 >= low && $1 <= high' | sort
}

dial_out() { # CCA_ARGUMENTS...: in the background, output in $T/call
	start "$T/call" cca --store "$D/$ALICE" call "$@"
	CALL=$STARTED_PID
}

call_ended() { # SECONDS REGEX: how the call of dial_out ended
	await "$1" "the call's end" stopped "$CALL" && in_log "$T/call" "^ended $2"
}

answer_in() { # CCA_ARGUMENTS...
	start "$T/answer" cca --store "$D/$ALICE" answer "$@"
	ANSWER=$STARTED_PID
	await 15 "the caller at the rendezvous" in_log "$T/answer" '^attached'
}

reload() { # SED_SCRIPT: changes the running gateway's configuration
	local before
	before=$(reloads)
	sed -i "$1" "$D/cig/cig.conf"
	kill -HUP "$LAB_CIG_SERVER"
	await 5 "the reload" reloaded "$before"
}

reloads() {
	grep -c 'new calls use' "$D/cig/log/cig.log" || :
}

reloaded() { # TIMES_BEFORE
	[ "$(reloads)" -gt "$1" ]
}
