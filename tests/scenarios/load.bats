# load.bats - more calls than a gateway carries well: what it refuses, and what is left of
# calls that come and go.

load helpers
load lab
load sipp

CALLEE=+46701234567
LAB_ENGINES=100
declare -g NET=127.0.0

setup_file() {
	needs sipp python3 jq curl
	free_port && LAB_METRICS_PORT=$PORT
	# Twice what fifty calls need: some are taken, as the system gives ports of this range to
	# whoever names none, like the secure side of each call.
	lab_ports
	LAB_RTP="${LAB_RTP% *} $((${LAB_RTP% *} + 199))"
	lab_setup_file
	echo "metrics { port $LAB_METRICS_PORT; }" >>"$D/cig/cig.conf"
	echo "$LAB_METRICS_PORT" >"$BATS_FILE_TMPDIR/metrics"
	stop "$LAB_CIG_SERVER" # metrics are bound at the start
	start "$D/cig-server.log" cig-server --config "$D/cig/cig.conf"
	LAB_CIG_SERVER=$STARTED_PID
	await 20 "the gateway" lab_cig_status '.problems == []'
	lab_save
}

teardown_file() {
	lab_teardown_file
}

setup() {
	lab_load
	LAB_METRICS_PORT=$(cat "$BATS_FILE_TMPDIR/metrics")
}

teardown() {
	stop_all
	[ -n "${BATS_TEST_COMPLETED:-}" ] || {
		show_logs
		tail -n 40 "$T"/party "$T"/*.err "$D"/cig/log/*.log
	} 2>/dev/null
}

relay_with() { # ARGUMENTS...: another cig-relay takes its predecessor's place
	kill "$LAB_CIG_RELAY"
	await 5 "the end of cig-relay" stopped "$LAB_CIG_RELAY"
	start "$D/cig-relay.log" cig-relay --run-dir "$D/cig/run" --log "$D/cig/log/relay.log" "$@"
	LAB_CIG_RELAY=$STARTED_PID
	lab_restarted
	await 10 "its connection" lab_cig_status '.problems == [] and .relay.calls == 0'
}

party() { # ARGUMENTS...: the secure side (tests/bench/secure_party.c)
	start "$T/party" "$BUILD/tests/bench/secure_party" "$D/$CALLEE" "$@"
	PARTY=$STARTED_PID
	await 15 "the secure party" in_log "$T/party" '^attached$'
}

metric() {
	curl -sf "http://127.0.0.1:$LAB_METRICS_PORT/metrics" | sed -n "s/^$(sed 's/[][*.]/\\&/g' <<<"$1") //p"
}

talks() { # CALLS MS: so many at once, from the PBX
	free_port
	start "$T/talks" env -C "$T" sipp "127.0.0.1:$LAB_SIP_PORT" -sf "$TOP/tests/bench/uac_talk.xml" \
		-s "${CALLEE#+}" -i 127.0.0.1 -p "$PORT" -mi 127.0.0.1 -m "$1" -l "$1" -r 20 -d "$2" \
		-t u1 -nostdin -trace_err -error_file "$T/talks.err" -timeout 60s -timeout_error
	TALKS=$STARTED_PID
}

@test "calls that are dropped at random moments on either side leave nothing behind" {
	DROPS_EVERY_MS=30 run -0 "$TOP/tests/soak/drops" 120 "$RANDOM"
	echo "$output" # with the seed
	[ "${lines[-1]}" = "ok: 120 calls came and went, nothing is left" ]
}

have_talked() { # CALLS PACKETS: so many, each of which has heard so many packets of either side
	lab_cig_cli show call --long --json |
		jq -e "[.calls[] | select(.state == \"ANSWER\" and .pbx.received >= $2 and .secure.received >= $2)] | length == $1"
}

each_has() { # FILE LINES REGEX: does the file have so many such lines, of so many different tones?
	[ "$(grep -cE "$3" "$1")" -eq "$2" ] || { cat "$1" && return 1; }
	[ "$(grep -oE 'hz=[0-9]+' "$1" | sort -u | wc -l)" -eq "$2" ]
}

# SIPp calls, and media_echo.py sends back to each call what came from it; the secure side speaks
# another tone in each.  So a tone that comes back pure in its own call, and in no other, went all
# the way there and back beside 49 others.
@test "fifty calls from outside at once: each has its own voice at both ends, its own SSRC, and reports" {
	local calls=50 echo rtp rtcp
	start "$T/echo" python3 -B "$TOP/tests/scenarios/media_echo.py" 127.0.0.1
	echo=$STARTED_PID
	await 10 "the echo" in_log "$T/echo" '^rtp='
	IFS='= ' read -r _ rtp _ rtcp <"$T/echo"
	mkdir "$T/heard"
	party --talk "$T/heard"
	free_port
	start "$T/talks" env -C "$T" sipp "127.0.0.1:$LAB_SIP_PORT" -sf "$TOP/tests/scenarios/sipp/uac_media.xml" \
		-s "${CALLEE#+}" -i 127.0.0.1 -p "$PORT" -key rtp "$rtp" -key rtcp "$rtcp" -m $calls -l $calls -r 25 \
		-t u1 -nostdin -trace_err -error_file "$T/talks.err" -timeout 60s -timeout_error
	TALKS=$STARTED_PID
	await 30 "the calls" lab_cig_status ".relay.calls == $calls"
	await 15 "two seconds of speech in each" have_talked $calls 100
	stop "$PARTY" # which ends the calls
	await 20 "the end of all calls" stopped "$TALKS"
	stop "$TALKS"
	[ "$STOPPED_STATUS" -eq 0 ]
	stop "$echo"
	[ "$(grep -cE '^call=[0-9]+ sent=[0-9]{2,} received=[0-9]{2,} auth_failures=0 replays=0$' "$T/party")" -eq $calls ]
	each_has "$T/echo" $calls '^from=[0-9]+ packets=[0-9]{2,} lost=[0-9] ssrc=[0-9a-f]{8} hz=[0-9]+ reports=[1-9]'
	[ "$(grep -oE 'ssrc=[0-9a-f]+' "$T/echo" | sort -u | wc -l)" -eq $calls ]
	python3 -B "$TOP/tests/scenarios/tones.py" "$T"/heard/*.wav >"$T/tones"
	each_has "$T/tones" $calls '^[0-9]+.wav seconds=[0-9.]+ hz=[0-9]+$'
	awk -F '[. =]' '$NF != 300 + 40 * $1 { exit 1 }' "$T/tones"
	await 10 "no call" lab_cig_status '.relay.calls == 0'
}

# Ringing calls cost nothing yet, but are counted on; what the thread takes by itself under a
# sanitizer is one or two of the six hundredths.
@test "a call that would harm the others gets 503 and Retry-After, and they do not notice" {
	local carried refused before
	before=$(metric 'cig_calls_answered_total{from="pbx"}')
	relay_with --threads 1 --max-load 6
	party --answer-after 6000
	talks 24 0
	await 20 "the calls" lab_cig_status '.relay.refused > 0 and .relay.calls + .relay.refused == 24'
	carried=$(lab_cig_cli --json status | jq .relay.calls) refused=$((24 - carried))
	((carried >= 8 && carried <= 20))
	run -0 sip_ask 127.0.0.1 --header=Retry-After < <(sip_sdp 'm=audio 6000 RTP/AVP 8' | sip_invite "${CALLEE#+}")
	[ "${lines[0]}" = "SIP/2.0 503 Service Unavailable" ]
	[ "${lines[1]}" = "Retry-After: 10" ]
	# one line that says why, and one of each call
	await 5 "the line in the log" in_log "$D/cig/log/cig.log" 'WARN.* calls are refused: media .*; calls=[0-9]+ cpu='
	[ "$(grep -c 'calls are refused' "$D/cig/log/cig.log")" -eq 1 ]
	[ "$(grep -c 'state=REJECT reason="congestion" .* why=media ' "$D/cig/log/cig.log")" -eq $((refused + 1)) ]
	await 5 "its count" lab_cig_status ".relay.refused == $((refused + 1))"
	lab_cig_status ".problems[0] | startswith(\"calls are refused: media \")"
	lab_cig_cli status | grep -E "^Calls +$carried/350$"
	lab_cig_cli status | grep -E "^Dropped +[0-9]+ packets, $((refused + 1)) calls refused$"
	[ "$(metric cig_relay_busy) $(metric cig_relay_calls_refused_total) $(metric cig_relay_calls)" = "1 $((refused + 1)) $carried" ]
	await 30 "the end of all calls" stopped "$TALKS"
	[ "$(metric 'cig_calls_answered_total{from="pbx"}')" -eq $((before + carried)) ]
	await 10 "room again" lab_cig_status '.problems == [] and .relay.calls == 0'
	in_log "$D/cig/log/cig.log" "calls are taken again; refused=$((refused + 1))"
	stop "$PARTY"
	party
	talks 1 0
	await 10 "one more call" stopped "$TALKS"
	stop "$TALKS"
	[ "$STOPPED_STATUS" -eq 0 ]
	[ "$(metric cig_relay_busy)" = 0 ]
}
